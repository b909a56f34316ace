// SPDX-License-Identifier: GPL-3.0-or-later
#include "ui/live/plots_card.h"

#include "core/base/text.h"
#include "ui/live/plot_parts.h"
#include "ui/services/run_rows.h"
#include "ui/services/words.h"
#include "ui/widgets/parts.h"

#include <QCheckBox>
#include <QComboBox>
#include <QHBoxLayout>
#include <QMenu>
#include <QToolButton>
#include <QVBoxLayout>

#include <algorithm>
#include <cmath>
#include <limits>

namespace sconce::ui {

namespace {

constexpr int leftGutter = 56, rightGutter = 8, names = 192, stripHeight = 46;
constexpr double gibi = 1024.0 * 1024 * 1024; // a round top fits the gutter: 24 GiB
constexpr double noValue = std::numeric_limits<double>::quiet_NaN();

bool endsWith(const std::string& key, const std::string& tail)
{
    return key.size() >= tail.size() && key.compare(key.size() - tail.size(), tail.size(), tail) == 0;
}

Curve curve(const char* id, const QString& title, Token token, Curve::Style style, Points points)
{
    Curve c;
    c.id = QLatin1String(id);
    c.title = title;
    c.token = token;
    c.style = style;
    c.x = std::move(points.x);
    c.y = std::move(points.y);
    return c;
}

/// Where a strip stands, whatever was read first: the learning rate, of each GPU its use, memory, what is reserved of it, power and
/// temperature, the processor, the memory.
int stripRank(const QString& id)
{
    if (id == QLatin1String("rate")) return 0;
    const std::string key = id.toStdString();
    if (key.rfind("gpu", 0) != 0) return std::numeric_limits<int>::max() - (id == QLatin1String("cpu") ? 1 : 0);
    const char* const order[] = {".use", ".memory", ".reserved", ".power"};
    const auto place = std::find_if(std::begin(order), std::end(order), [&](const char* tail) { return endsWith(key, tail); }) - std::begin(order);
    return 1 + std::atoi(key.c_str() + 3) * 5 + static_cast<int>(place);
}

double lastKnown(const std::vector<double>& values) { return values.empty() ? noValue : values.back(); }

} // namespace

PlotsCard::PlotsCard(Studio& studio, QWidget* parent)
    : QFrame(parent)
    , m_studio(studio)
{
    setRole(this, "card");
    setObjectName(QStringLiteral("live.plots"));
    auto* column = new QVBoxLayout(this);
    column->setContentsMargins(1, 1, 1, 1);
    column->setSpacing(0);
    buildToolbar(column);
    column->addWidget(makeLine(Qt::Horizontal, this));
    m_plots = new QVBoxLayout;
    m_plots->setSpacing(0);
    m_plots->setContentsMargins(0, 4, 0, 0);
    column->addLayout(m_plots, 1);
    m_axisRow = new AxisRow(this);
    m_axisRow->setObjectName(QStringLiteral("live.axisRow"));
    column->addWidget(m_axisRow);
    row(QStringLiteral("loss"), tr("Loss"), QStringLiteral("loss"), false);
    row(QStringLiteral("accuracy"), tr("Accuracy"), QStringLiteral("accuracy"), false);
    row(QStringLiteral("rate"), tr("Learning rate"), QStringLiteral("learning rate"), true);
    m_hover = new HoverBox(this);
}

void PlotsCard::buildToolbar(QVBoxLayout* column)
{
    auto* bar = new QHBoxLayout;
    bar->setContentsMargins(15, 4, 11, 4);
    bar->setSpacing(8);
    Settings* settings = m_studio.settings;

    m_axis = new SegmentedControl({tr("Step"), tr("Epoch"), tr("Time")}, this);
    m_axis->setObjectName(QStringLiteral("live.axis"));
    m_axis->setToolTip(explainTerm(QStringLiteral("epoch")) + QLatin1Char('\n') + explainTerm(QStringLiteral("step")));
    m_axis->setCurrent(std::clamp(settings->value(QStringLiteral("live/axis"), 1).toInt(), 0, 2));
    m_mode = static_cast<XMode>(m_axis->current());
    bar->addWidget(m_axis);

    auto* smoothLabel = new TermLabel(QStringLiteral("smoothed"), tr("Smooth"), this);
    m_smooth = new QComboBox(this);
    m_smooth->setObjectName(QStringLiteral("live.smooth"));
    m_smooth->setAccessibleName(tr("Smoothing"));
    for (const char* weight : {"0", "0.9", "0.97", "0.99", "0.997"}) {
        m_smooth->addItem(weight[1] ? QString::fromLatin1(weight) : tr("off"), QString::fromLatin1(weight).toDouble());
    }
    m_smooth->setCurrentIndex(std::clamp(settings->value(QStringLiteral("live/smooth"), 2).toInt(), 0, m_smooth->count() - 1));
    bar->addWidget(smoothLabel);
    bar->addWidget(m_smooth);

    m_log = new QCheckBox(tr("Log loss"), this);
    m_log->setObjectName(QStringLiteral("live.logLoss"));
    m_log->setToolTip(tr("A logarithmic axis: small changes of a small loss stay visible."));
    m_log->setChecked(settings->value(QStringLiteral("live/log"), false).toBool());
    bar->addWidget(m_log);
    bar->addStretch(1);

    m_showAll = makeButton(QStringLiteral("undo"), tr("Show all"), ButtonKind::Flat, this);
    m_showAll->setObjectName(QStringLiteral("live.showAll"));
    m_showAll->setToolTip(tr("Ends the zoom. Drag over a plot, or turn the wheel, to zoom in."));
    m_showAll->hide();
    bar->addWidget(m_showAll);
    m_strips = makeToolButton(QStringLiteral("columns"), tr("Strips below the curves"), this);
    m_strips->setObjectName(QStringLiteral("live.strips"));
    m_strips->setPopupMode(QToolButton::InstantPopup);
    m_stripsMenu = new QMenu(m_strips);
    m_strips->setMenu(m_stripsMenu);
    bar->addWidget(m_strips);
    column->addLayout(bar);

    connect(m_axis, &SegmentedControl::currentChanged, this, [this, settings](int index) {
        m_mode = static_cast<XMode>(index);
        settings->setValue(QStringLiteral("live/axis"), index);
        zoom(noValue, noValue);
    });
    connect(m_smooth, &QComboBox::currentIndexChanged, this, [this, settings](int index) {
        settings->setValue(QStringLiteral("live/smooth"), index);
        draw();
    });
    connect(m_log, &QCheckBox::toggled, this, [this, settings](bool on) {
        settings->setValue(QStringLiteral("live/log"), on);
        draw();
    });
    connect(m_showAll, &QPushButton::clicked, this, [this] { zoom(noValue, noValue); });
}

PlotsCard::Row& PlotsCard::row(const QString& id, const QString& title, const QString& term, bool strip)
{
    const auto known = std::find_if(m_rows.begin(), m_rows.end(), [&](const Row& r) { return r.id == id; });
    if (known != m_rows.end()) return *known;
    Row r;
    r.id = id;
    r.strip = strip;
    r.box = new QWidget(this);
    auto* column = new QVBoxLayout(r.box);
    column->setContentsMargins(0, 0, 0, 0);
    column->setSpacing(0);
    if (!m_rows.empty()) column->addWidget(makeLine(Qt::Horizontal, r.box));
    auto* line = new QHBoxLayout;
    line->setContentsMargins(0, 2, 0, 2);
    line->setSpacing(0);
    r.plot = new PlotView(r.box);
    r.plot->setObjectName(QStringLiteral("live.plot.") + id);
    r.plot->setAccessibleName(title);
    r.plot->setLeftGutter(leftGutter);
    r.plot->setRightGutter(rightGutter);
    r.plot->setXAxisVisible(false);
    r.plot->setHoverBox(false); // ours lists the values of all plots, and may be larger than a strip
    r.gutter = new Gutter(title, term, r.box);
    r.gutter->setObjectName(QStringLiteral("live.gutter.") + id);
    line->addWidget(r.plot, 1);
    line->addWidget(r.gutter);
    column->addLayout(line, 1);
    if (strip) {
        r.box->setFixedHeight(stripHeight);
    } else {
        r.box->setMinimumHeight(90);
        r.box->setSizePolicy(QSizePolicy::Preferred, QSizePolicy::Expanding);
    }
    auto at = std::find_if(m_rows.begin(), m_rows.end(), [&](const Row& other) { return strip && other.strip && stripRank(other.id) > stripRank(id); });
    m_plots->insertWidget(static_cast<int>(at - m_rows.begin()), r.box, strip ? 0 : (id == QLatin1String("loss") ? 21 : 18));
    connect(r.plot, &PlotView::hovered, this, &PlotsCard::showHover);
    connect(r.plot, &PlotView::zoomRequested, this, &PlotsCard::zoom);
    at = m_rows.insert(at, r);
    if (strip) {
        const auto above = std::count_if(m_rows.begin(), at, [](const Row& other) { return other.strip; });
        auto* action = new QAction(title, m_stripsMenu);
        m_stripsMenu->insertAction(m_stripsMenu->actions().value(above), action);
        action->setObjectName(QStringLiteral("live.strip.") + id);
        action->setCheckable(true);
        action->setChecked(stripWanted(id));
        connect(action, &QAction::triggered, this, [this, id](bool on) {
            m_studio.settings->setValue(QStringLiteral("live/strip/") + id, on);
            arrangeStrips();
        });
    }
    return *at;
}

/// In a low window only the use of the first device is kept, unless the person chose otherwise.
bool PlotsCard::stripWanted(const QString& id) const
{
    const QVariant chosen = m_studio.settings->value(QStringLiteral("live/strip/") + id);
    if (chosen.isValid()) return chosen.toBool();
    if (!m_low) return !id.endsWith(QLatin1String(".temperature"));
    const bool gpu = std::any_of(m_rows.begin(), m_rows.end(), [](const Row& r) { return r.id == QLatin1String("gpu0.use"); });
    return id == (gpu ? QLatin1String("gpu0.use") : QLatin1String("cpu"));
}

void PlotsCard::arrangeStrips()
{
    int at = 0;
    for (const Row& r : m_rows) {
        if (!r.strip) continue;
        const bool wanted = stripWanted(r.id);
        r.box->setVisible(wanted);
        if (at < m_stripsMenu->actions().size()) m_stripsMenu->actions().at(at)->setChecked(wanted);
        ++at;
    }
}

void PlotsCard::setCompact(bool narrow, bool low)
{
    (void)narrow;
    m_low = low;
    arrangeStrips();
}

void PlotsCard::refresh(std::shared_ptr<const LiveRun> live, bool other)
{
    m_live = std::move(live);
    if (other) {
        m_lossMean.reset();
        m_metricMean.reset();
        for (Extremes* extremes : {&m_lossExtremes, &m_metricExtremes, &m_rateExtremes}) extremes->reset();
        m_zoom.reset();
        m_hardwarePoints = 0;
        for (auto at = m_rows.begin(); at != m_rows.end();) {
            if (at->strip && at->id != QLatin1String("rate")) {
                delete at->box;
                at = m_rows.erase(at);
            } else {
                ++at;
            }
        }
        const auto actions = m_stripsMenu->actions();
        for (int i = 1; i < actions.size(); ++i) delete actions[i];
        m_hover->hide();
    }
    draw();
}

void PlotsCard::draw()
{
    if (!m_live) return;
    const double weight = m_smooth->currentData().toDouble();
    m_lossMean.setWeight(weight);
    m_metricMean.setWeight(weight);
    m_lossMean.follow(m_live->trainLoss);
    m_metricMean.follow(m_live->trainMetric);
    fitRange();
    drawLoss();
    drawMainMetric();
    drawRate();
    drawHardware();
    const QString unit = m_mode == XMode::Step ? tr("step") : m_mode == XMode::Epoch ? tr("epoch") : tr("second");
    for (const Row& r : m_rows) {
        r.plot->setXName(unit);
        r.plot->setXRange(m_from, m_to);
    }
    m_axisRow->setRange(m_live, m_mode, m_from, m_to);
    m_axisRow->setEdges(leftGutter, m_axisRow->width() - names - rightGutter);
    m_showAll->setVisible(m_zoom.has_value());
}

void PlotsCard::fitRange()
{
    if (m_zoom) {
        std::tie(m_from, m_to) = *m_zoom;
        return;
    }
    m_from = 0;
    double last = lastX(*m_live, m_mode);
    if (m_mode == XMode::Time) {
        for (const auto& [key, points] : m_live->hardware) {
            if (!points.first.empty()) last = std::max(last, points.first.back());
        }
    }
    if (m_live->ended && last > 0) {
        m_to = failedStep() ? last * 1.02 : last;
        return;
    }
    // While it runs the axis ends at the next round value, so that the curves do not creep at every step.
    const double step = last > 0 ? roundStep(last, 9, m_mode == XMode::Time) : 1;
    m_to = std::max(step, std::ceil(last / step * (1 - 1e-9)) * step);
    if (m_mode == XMode::Step) m_to = std::max(m_to, 10.0);
}

std::optional<double> PlotsCard::failedStep() const
{
    if (m_live->trainStep.empty() || !failedByNan(m_live->row)) return {};
    return m_live->trainStep.back() + 1;
}

int PlotsCard::bestIndex() const
{
    int best = -1;
    for (std::size_t i = 0; i < m_live->valLoss.size(); ++i) {
        const double v = m_live->valLoss[i];
        if (std::isfinite(v) && (best < 0 || v < m_live->valLoss[static_cast<std::size_t>(best)])) best = static_cast<int>(i);
    }
    return best;
}

void PlotsCard::drawMetric(Row& r, const std::vector<double>& raw, RunningMean& mean, Extremes& extremes, const std::vector<double>& validation, const MetricEntry* metric)
{
    extremes.follow(raw);
    const bool smooth = m_smooth->currentData().toDouble() > 0;
    const int columns = std::max(200, r.plot->width());
    std::vector<Curve> curves;
    curves.push_back(curve("raw", tr("training, raw"), Token::Train, smooth ? Curve::Style::Raw : Curve::Style::Smooth,
                           envelope(*m_live, m_mode, raw, m_from, m_to, columns, &extremes)));
    // The step that failed was not applied and has no value: a NaN stands for it.
    if (const auto failed = failedStep()) {
        curves.front().x.push_back(xOfStep(*m_live, m_mode, *failed));
        curves.front().y.push_back(noValue);
    }
    if (smooth) {
        curves.push_back(curve("train", tr("training, smoothed"), Token::Train, Curve::Style::Smooth,
                               thinned(*m_live, m_mode, mean.values(), m_from, m_to, columns)));
    }
    Points points;
    for (std::size_t i = 0; i < validation.size() && i < m_live->valStep.size(); ++i) {
        points.x.push_back(xOfStep(*m_live, m_mode, m_live->valStep[i]));
        points.y.push_back(validation[i]);
    }
    const int best = bestIndex();
    if (!points.x.empty()) {
        curves.push_back(curve("val", tr("validation"), Token::Val, Curve::Style::Dots, std::move(points)));
        curves.back().ringAt = best;
    }
    r.plot->setCurves(std::move(curves));

    const auto say = [metric](double v, int decimals) { return metric ? words::metric(metric, v, decimals) : words::loss(v); };
    std::vector<Gutter::Line> lines{{Token::Train, tr("training"), say(lastKnown(smooth ? mean.values() : raw), 1)}};
    if (!validation.empty()) lines.push_back({Token::Val, tr("validation"), say(validation.back(), 2)});
    if (best >= 0 && static_cast<std::size_t>(best) < validation.size()) {
        lines.push_back({Token::Val, tr("best, epoch %1").arg(best + 1), say(validation[static_cast<std::size_t>(best)], 2), true});
    }
    r.gutter->setLines(lines);
}

void PlotsCard::drawLoss()
{
    Row& r = row(QStringLiteral("loss"), {}, {}, false);
    r.plot->setLogY(m_log->isChecked());
    r.plot->setYAuto(!m_log->isChecked());
    drawMetric(r, m_live->trainLoss, m_lossMean, m_lossExtremes, m_live->valLoss, nullptr);
}

void PlotsCard::drawMainMetric()
{
    Row& r = row(QStringLiteral("accuracy"), {}, {}, false); // by this name whatever the metric
    const MetricEntry* shown = metric();
    r.box->setVisible(shown != nullptr);
    if (!shown) return;
    const bool accuracy = shown->id == "accuracy";
    r.gutter->setTitle(words::text(shown->title), accuracy ? explainTerm(QStringLiteral("accuracy")) : words::text(shown->help));
    r.plot->setAccessibleName(words::text(shown->title));
    r.plot->setYFormat(shown->percent ? PlotView::YFormat::Percent : PlotView::YFormat::Number);
    r.plot->setYAuto(true);
    drawMetric(r, m_live->trainMetric, m_metricMean, m_metricExtremes, m_live->valMetric, shown);
}

void PlotsCard::drawRate()
{
    Row& r = row(QStringLiteral("rate"), {}, {}, true);
    const auto& rate = m_live->learningRate;
    m_rateExtremes.follow(rate);
    const Extremes::Found found = m_rateExtremes.in(rate, 0, rate.size());
    const double top = found.high == Extremes::none ? 0 : std::max(0.0, rate[found.high]);
    r.plot->setYRange(0, top > 0 ? top * 1.05 : 1);
    std::vector<Curve> curves;
    // Where it stays the same, the ends are enough.
    const Points all = thinned(*m_live, m_mode, rate, m_from, m_to, std::max(200, r.plot->width() / 2));
    Points points;
    for (std::size_t i = 0; i < all.x.size(); ++i) {
        if (i > 0 && i + 1 < all.x.size() && all.y[i] == all.y[i - 1] && all.y[i] == all.y[i + 1]) continue;
        points.x.push_back(all.x[i]);
        points.y.push_back(all.y[i]);
    }
    curves.push_back(curve("rate", tr("learning rate"), Token::Text2, Curve::Style::Smooth, std::move(points)));
    r.plot->setCurves(std::move(curves));
    const double now = lastKnown(rate);
    r.gutter->setLines({{std::nullopt, QString::fromStdString(m_live->recipe.training.schedule.type), std::isfinite(now) ? words::text(realText(now, 3)) : QStringLiteral("–")}});
}

Points PlotsCard::stripPoints(const std::string& key) const
{
    Points points;
    const auto found = m_live->hardware.find(key);
    if (found == m_live->hardware.end()) return points;
    const auto& [seconds, values] = found->second;
    const double from = secondsAtX(*m_live, m_mode, m_from), to = secondsAtX(*m_live, m_mode, m_to);
    const auto first = std::lower_bound(seconds.begin(), seconds.end(), from - 2);
    const auto last = std::upper_bound(seconds.begin(), seconds.end(), to + 2);
    const auto count = static_cast<std::size_t>(std::max<std::ptrdiff_t>(0, last - first));
    const std::size_t stride = std::max<std::size_t>(1, count / 1500); // a day of seconds in some hundred points
    for (auto at = static_cast<std::size_t>(first - seconds.begin()), end = at + count; at < end; at += stride) {
        points.x.push_back(xOfSeconds(*m_live, m_mode, seconds[at]));
        points.y.push_back(values[at]);
    }
    return points;
}

void PlotsCard::drawStrip(const Strip& strip)
{
    const auto found = m_live->hardware.find(strip.key);
    if (found == m_live->hardware.end()) return;
    const auto& values = found->second.second;
    const QString id = words::text(strip.key);
    const std::size_t before = m_rows.size();
    const QString term = endsWith(strip.key, ".use") ? QStringLiteral("gpu use") : endsWith(strip.key, ".reserved") ? QStringLiteral("gpu reserved") : QString();
    Row& r = row(id, strip.title, term, true);
    if (m_rows.size() != before) arrangeStrips();
    double top = strip.top;
    for (const double v : values) top = std::isfinite(v) && v > top ? v * 1.1 : top;
    r.plot->setYFormat(strip.format);
    r.plot->setYRange(0, top > 0 ? top : 1);
    std::vector<Curve> curves;
    curves.push_back(curve("strip", strip.title, strip.token, Curve::Style::Strip, stripPoints(strip.key)));
    std::vector<Gutter::Line> lines{{strip.token, strip.note, words::hardwareValue(strip.key, lastKnown(values))}};
    if (const auto part = m_live->hardware.find(strip.part); part != m_live->hardware.end()) {
        curves.push_back(curve("part", words::hardwareTitle(strip.part), strip.token, Curve::Style::Strip, stripPoints(strip.part)));
        lines.push_back({strip.token, strip.partNote, words::hardwareValue(strip.part, lastKnown(part->second.second))});
        r.box->setFixedHeight(stripHeight + 17);
    }
    r.plot->setCurves(std::move(curves));
    r.gutter->setLines(lines);
}

void PlotsCard::drawHardware()
{
    const MachineFacts& facts = m_studio.hardware->facts();
    for (const auto& [key, points] : m_live->hardware) {
        if (key.rfind("gpu", 0) != 0) continue;
        const auto index = static_cast<std::size_t>(std::atoi(key.c_str() + 3));
        const GpuFacts* gpu = index < facts.gpus.size() ? &facts.gpus[index] : nullptr;
        const QString title = words::hardwareTitle(key);
        if (endsWith(key, ".use")) {
            drawStrip({key, title, tr("busy"), Token::Gpu, 1, PlotView::YFormat::Percent});
        } else if (endsWith(key, ".memory")) {
            drawStrip({key, title, gpu ? tr("of %1").arg(words::memory(gpu->memoryBytes)) : tr("in use"), Token::Gpu, 1, PlotView::YFormat::Bytes});
        } else if (endsWith(key, ".reserved")) {
            drawStrip({key, title, tr("in all"), Token::Gpu, 1, PlotView::YFormat::Bytes, key.substr(0, key.find('.')) + ".allocated", tr("allocated")});
        } else if (endsWith(key, ".power")) {
            const bool limit = gpu && gpu->powerLimitWatts;
            drawStrip({key, title, limit ? tr("of %1 W").arg(std::lround(*gpu->powerLimitWatts)) : tr("drawn"), Token::Gpu, limit ? *gpu->powerLimitWatts : 1});
        } else if (endsWith(key, ".temperature")) {
            drawStrip({key, title, tr("of the chip"), Token::Gpu, 100});
        }
    }
    drawStrip({"cpu", tr("CPU"), facts.cpu.usable > 0 ? tr("of %1").arg(words::text(plural(facts.cpu.usable, "core", "cores"))) : tr("in use"),
               Token::Cpu, 1, PlotView::YFormat::Percent});
    drawStrip({"memory", tr("Memory"), facts.cpu.memoryBytes ? tr("of %1").arg(words::memory(facts.cpu.memoryBytes)) : tr("in use"), Token::Cpu,
               std::ceil(static_cast<double>(facts.cpu.memoryBytes) / gibi) * gibi, PlotView::YFormat::Bytes});
}

void PlotsCard::zoom(double from, double to)
{
    if (std::isnan(from) || std::isnan(to) || !(to > from)) m_zoom.reset();
    else m_zoom = {{std::max(0.0, from), to}};
    draw();
}

void PlotsCard::showHover(double x)
{
    for (const Row& r : m_rows) r.plot->setHover(x);
    if (std::isnan(x) || !m_live || m_live->trainStep.empty()) {
        m_hover->hide();
        return;
    }
    std::vector<HoverBox::Line> lines;
    for (const Row& r : m_rows) {
        if (!r.box->isVisibleTo(this)) continue;
        for (const PlotView::HoverValue& value : r.plot->valuesAt(x)) {
            QString shown;
            if (r.id == QLatin1String("accuracy")) shown = words::metric(metric(), value.y);
            else if (r.id == QLatin1String("loss")) shown = words::loss(value.y);
            else if (r.id == QLatin1String("rate")) shown = words::text(realText(value.y, 3));
            else shown = words::hardwareValue(r.id.toStdString(), value.y);
            QString name = value.title;
            if (r.id == QLatin1String("accuracy") && metric()) name += QStringLiteral(", ") + words::text(metric()->brief);
            lines.push_back({value.token, name, shown});
        }
    }
    const double step = std::clamp(stepAtX(*m_live, m_mode, x), 0.0, static_cast<double>(m_live->trainStep.size()));
    const auto perEpoch = static_cast<double>(std::max<std::int64_t>(1, m_live->stepsPerEpoch));
    m_hover->setContent(tr("epoch %1, step %2").arg(static_cast<int>(std::max(0.0, step - 1) / perEpoch) + 1).arg(words::text(groupedInt(std::llround(step)))),
                        words::text(durationText(secondsAtX(*m_live, m_mode, x))), lines);
    const double share = m_to > m_from ? (x - m_from) / (m_to - m_from) : 0;
    const int plotRight = width() - names - rightGutter;
    const int at = leftGutter + static_cast<int>(share * (plotRight - leftGutter));
    int left = at + 10;
    if (left + m_hover->width() > width() - 8) left = at - 10 - m_hover->width();
    m_hover->move(std::max(8, left), m_plots->geometry().top() + 30);
    m_hover->show();
    m_hover->raise();
}

void PlotsCard::resizeEvent(QResizeEvent* event)
{
    QFrame::resizeEvent(event);
    if (m_live) m_axisRow->setEdges(leftGutter, m_axisRow->width() - names - rightGutter);
}

} // namespace sconce::ui
