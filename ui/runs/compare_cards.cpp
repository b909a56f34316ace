// SPDX-License-Identifier: GPL-3.0-or-later
#include "ui/runs/compare_cards.h"

#include "core/base/text.h"
#include "ui/runs/run_delegate.h"
#include "ui/services/words.h"

#include <QComboBox>
#include <QCoreApplication>
#include <QGridLayout>
#include <QHBoxLayout>
#include <QScrollArea>
#include <QVBoxLayout>

#include <algorithm>
#include <cmath>

namespace sconce::ui {

using words::text;

namespace {

constexpr int curveBuckets = 400;

bool isValidation(CompareMetric metric) { return metric == CompareMetric::ValMetric || metric == CompareMetric::ValLoss; }

/// What is shown of a run: nullptr is the loss.
const MetricEntry* shownMetric(const RunRow& row, CompareMetric metric)
{
    return metric == CompareMetric::ValMetric || metric == CompareMetric::TrainMetric ? mainMetric(row.task) : nullptr;
}

std::string keyOf(const RunRow& row, CompareMetric metric)
{
    const MetricEntry* shown = shownMetric(row, metric);
    switch (metric) {
    case CompareMetric::ValMetric: return shown ? series::validation(shown->id) : series::valLoss;
    case CompareMetric::ValLoss: return series::valLoss;
    case CompareMetric::TrainMetric: return shown ? series::train(shown->id) : series::trainLoss;
    case CompareMetric::TrainLoss: return series::trainLoss;
    }
    return {};
}

QString letter(std::size_t index) { return QString(QChar(u'A' + static_cast<int>(index % 26))); }

QString shownValue(const RunRow& row, CompareMetric metric, double value)
{
    const MetricEntry* shown = shownMetric(row, metric);
    return shown ? words::metric(shown, value) : words::loss(value);
}

/// The one metric that all of them are shown by, or nullptr: losses, or tasks with different ones.
const MetricEntry* commonMetric(const std::vector<ComparedRun>& runs, CompareMetric metric)
{
    const MetricEntry* common = runs.empty() ? nullptr : shownMetric(runs.front().row, metric);
    for (const ComparedRun& run : runs)
        if (shownMetric(run.row, metric) != common) return nullptr;
    return common;
}

/// The value to name in the legend: a validation's best, else the last.
int bestOf(const ComparedRun& run, CompareMetric metric)
{
    int best = -1;
    const MetricEntry* shown = shownMetric(run.row, metric);
    const bool higher = shown && shown->higherIsBetter;
    for (std::size_t i = 0; i < run.y.size(); ++i) {
        const double v = run.y[i];
        if (!std::isfinite(v)) continue;
        if (best < 0 || (higher ? v > run.y[static_cast<std::size_t>(best)] : v < run.y[static_cast<std::size_t>(best)])) best = static_cast<int>(i);
    }
    return best;
}

void clear(QLayout* layout)
{
    while (QLayoutItem* item = layout->takeAt(0)) {
        if (QWidget* widget = item->widget()) {
            widget->hide();
            widget->deleteLater();
        }
        delete item;
    }
}

} // namespace

ComparedRun readCompared(Store& store, const RunRow& row, CompareMetric metric)
{
    ComparedRun out;
    out.row = row;
    if (auto recipe = store.recipe(row.id); recipe.ok()) out.recipe = std::move(recipe).value();
    std::vector<std::int64_t> steps;
    if (isValidation(metric)) {
        auto points = store.series(row.id, keyOf(row, metric));
        if (!points.ok()) return out;
        steps = points->step;
        out.y.assign(points->value.begin(), points->value.end());
    } else {
        const std::int64_t last = std::max<std::int64_t>(1, std::max(row.summary.steps, row.epochsPlanned * row.stepsPerEpoch));
        auto buckets = store.buckets(row.id, keyOf(row, metric), 0, last, curveBuckets);
        if (!buckets.ok()) return out;
        for (const SeriesBucket& bucket : *buckets) {
            steps.push_back(bucket.lastStep);
            out.y.push_back(bucket.count > 0 ? bucket.mean : NAN);
        }
    }
    auto seconds = store.series(row.id, series::seconds);
    for (const std::int64_t step : steps) {
        out.step.push_back(static_cast<double>(step + 1));
        out.epoch.push_back(static_cast<double>(step + 1) / static_cast<double>(std::max<std::int64_t>(1, row.stepsPerEpoch)));
        double at = out.seconds.empty() ? 0 : out.seconds.back();
        if (seconds.ok() && !seconds->step.empty()) {
            const auto found = std::lower_bound(seconds->step.begin(), seconds->step.end(), step);
            const auto index = std::min<std::ptrdiff_t>(found - seconds->step.begin(), static_cast<std::ptrdiff_t>(seconds->step.size()) - 1);
            at = static_cast<double>(seconds->value[static_cast<std::size_t>(index)]);
        }
        out.seconds.push_back(at);
    }
    return out;
}

// ---- curves ----

CompareCard::CompareCard(Studio& studio, QWidget* parent)
    : Card(tr("Compared"), parent)
{
    setObjectName(QStringLiteral("runs.compare"));
    Settings* settings = studio.settings;
    m_metric = new QComboBox(this);
    m_metric->setObjectName(QStringLiteral("runs.metric"));
    m_metric->setAccessibleName(tr("What to compare"));
    m_metric->addItems({tr("Validation accuracy"), tr("Validation loss"), tr("Training accuracy"), tr("Training loss")});
    m_metric->setCurrentIndex(std::clamp(settings->value(QStringLiteral("runs/metric"), 0).toInt(), 0, 3));
    m_axis = new QComboBox(this);
    m_axis->setObjectName(QStringLiteral("runs.axis"));
    m_axis->setAccessibleName(tr("Axis"));
    m_axis->addItems({tr("Epoch"), tr("Step"), tr("Time")});
    m_axis->setCurrentIndex(std::clamp(settings->value(QStringLiteral("runs/axis"), 0).toInt(), 0, 2));
    for (QComboBox* box : {m_metric, m_axis}) words::sized(box, "28");
    m_hint = makeLabel({}, FontRole::Caption, Token::Text2, this);
    titleBar()->insertWidget(2, m_metric);
    titleBar()->insertWidget(3, m_hint);
    titleBar()->addWidget(m_axis);
    m_legend = new QWidget(this);
    auto* legend = new QHBoxLayout(m_legend);
    legend->setContentsMargins(0, 0, 0, 0);
    legend->setSpacing(6);
    content()->addWidget(m_legend);
    m_plot = new PlotView(this);
    m_plot->setObjectName(QStringLiteral("runs.plot"));
    m_plot->setXAxisVisible(true);
    m_plot->setMinimumHeight(120);
    content()->addWidget(m_plot, 1);
    connect(m_metric, &QComboBox::currentIndexChanged, this, [this, settings](int index) {
        settings->setValue(QStringLiteral("runs/metric"), index);
        Q_EMIT metricChanged();
    });
    connect(m_axis, &QComboBox::currentIndexChanged, this, [this, settings](int index) {
        settings->setValue(QStringLiteral("runs/axis"), index);
        draw();
    });
}

CompareMetric CompareCard::metric() const { return static_cast<CompareMetric>(m_metric->currentIndex()); }

void CompareCard::setRuns(const std::vector<ComparedRun>& runs, bool letters)
{
    m_runs = runs;
    m_letters = letters;
    // The first and third entry are called what the chosen runs have.
    const MetricEntry* common = commonMetric(runs, CompareMetric::ValMetric);
    const auto title = [&](const QString& part, const QString& otherwise) { return common ? words::metricTitle(part, *common) : otherwise; };
    const bool mixed = !runs.empty() && !common;
    m_metric->setItemText(0, title(tr("Validation"), mixed ? tr("Validation metric") : tr("Validation accuracy")));
    m_metric->setItemText(2, title(tr("Training"), mixed ? tr("Training metric") : tr("Training accuracy")));
    draw();
}

void CompareCard::draw()
{
    const CompareMetric metric = this->metric();
    const auto axis = static_cast<CompareAxis>(m_axis->currentIndex());
    auto* legend = static_cast<QHBoxLayout*>(m_legend->layout());
    clear(legend);
    std::vector<Curve> curves;
    double from = INFINITY, to = 0;
    for (std::size_t i = 0; i < m_runs.size(); ++i) {
        const ComparedRun& run = m_runs[i];
        Curve curve;
        curve.id = text(run.row.id);
        curve.title = words::runTitle(run.row);
        curve.token = m_letters ? Theme::instance().runToken(static_cast<int>(i)) : isValidation(metric) ? Token::Val : Token::Train;
        curve.style = isValidation(metric) ? Curve::Style::Dots : Curve::Style::Smooth;
        curve.x = axis == CompareAxis::Epoch ? run.epoch : axis == CompareAxis::Step ? run.step : run.seconds;
        curve.y = run.y;
        if (m_letters) curve.letter = letter(i);
        const int best = bestOf(run, metric);
        if (isValidation(metric)) curve.ringAt = best;
        if (!curve.x.empty()) {
            from = std::min(from, curve.x.front());
            to = std::max(to, curve.x.back());
        }
        curves.push_back(std::move(curve));

        if (m_letters) {
            auto* chip = new QLabel(m_legend);
            chip->setPixmap(letterPixmap(letter(i), devicePixelRatioF()));
            legend->addWidget(chip);
        }
        auto* name = new ElidedLabel(text(run.row.name), Qt::ElideMiddle, m_legend);
        name->setFont(ui::font(FontRole::Caption));
        name->setProperty("token", tokenName(Token::Text));
        legend->addWidget(name);
        const double value = best < 0 ? NAN : isValidation(metric) ? run.y[static_cast<std::size_t>(best)] : run.y.back();
        legend->addWidget(makeLabel(shownValue(run.row, metric, value), FontRole::MonoSmall, Token::Text, m_legend));
        legend->addSpacing(10);
    }
    legend->addStretch(1);
    m_legend->setVisible(!m_runs.empty());
    const bool none = std::all_of(curves.begin(), curves.end(), [](const Curve& c) { return c.y.empty(); });
    m_hint->setText(m_runs.empty() ? tr("choose a run, or tick several") : none ? tr("no points yet") : isValidation(metric) ? tr("ring: best epoch") : QString());
    const MetricEntry* common = commonMetric(m_runs, metric);
    m_plot->setYFormat(common && common->percent ? PlotView::YFormat::Percent : PlotView::YFormat::Number);
    m_plot->setYAuto(!isValidation(metric));
    m_plot->setXUnit(axis == CompareAxis::Time ? PlotView::XUnit::Seconds : PlotView::XUnit::Number);
    m_plot->setXName(m_axis->currentText().toLower());
    m_plot->setXRange(std::isfinite(from) ? (isValidation(metric) ? from : 0) : 0, to > 0 ? to : 1);
    m_plot->setCurves(std::move(curves));
}

// ---- differences ----

DifferencesCard::DifferencesCard(QWidget* parent)
    : Card(tr("What differs"), parent)
{
    setObjectName(QStringLiteral("runs.differences"));
    m_clear = makeButton(QStringLiteral("cross"), tr("Clear"), ButtonKind::Flat, this);
    m_clear->setObjectName(QStringLiteral("runs.clear"));
    m_clear->setToolTip(tr("Unticks all runs"));
    words::sized(m_clear, "24");
    titleBar()->addWidget(m_clear);
    connect(m_clear, &QPushButton::clicked, this, &DifferencesCard::clearWanted);
    m_scroll = new QScrollArea(this);
    m_scroll->setObjectName(QStringLiteral("runs.differencesScroll"));
    m_scroll->setWidgetResizable(true);
    m_scroll->setFrameShape(QFrame::NoFrame);
    content()->addWidget(m_scroll, 1);
    setRuns({}, false);
}

namespace {

/// One line of the table: a caption and a value per run.
class DiffTable
{
  public:
    DiffTable(QWidget* parent, QString& words)
        : m_parent(parent)
        , m_grid(new QGridLayout(parent))
        , m_words(words)
    {
        m_grid->setContentsMargins(0, 0, 4, 0);
        m_grid->setHorizontalSpacing(16);
        m_grid->setVerticalSpacing(0);
    }

    void head(const std::vector<ComparedRun>& runs, bool letters)
    {
        cell(makeLabel(QObject::tr("Setting"), FontRole::Caption, Token::Text2, m_parent), 0);
        for (std::size_t i = 0; i < runs.size(); ++i) {
            auto* box = new QWidget(m_parent);
            auto* line = new QHBoxLayout(box);
            line->setContentsMargins(0, 0, 0, 0);
            line->setSpacing(6);
            if (letters) {
                auto* chip = new QLabel(box);
                chip->setPixmap(letterPixmap(letter(i), m_parent->devicePixelRatioF()));
                line->addWidget(chip);
            }
            line->addWidget(makeLabel(QStringLiteral("#%1").arg(runs[i].row.number), FontRole::Caption, Token::Text2, box));
            line->addStretch(1);
            cell(box, static_cast<int>(i) + 1);
        }
        next();
    }

    void row(const QString& title, const QString& help, const QStringList& values)
    {
        auto* name = new ElidedLabel(title, Qt::ElideRight, m_parent);
        name->setFont(ui::font(FontRole::Caption));
        name->setProperty("token", tokenName(Token::Text2));
        cell(name, 0);
        for (qsizetype i = 0; i < values.size(); ++i) {
            auto* value = new ElidedLabel(values[i], Qt::ElideRight, m_parent);
            value->setFont(ui::font(FontRole::MonoSmall));
            value->setProperty("token", tokenName(Token::Text));
            cell(value, static_cast<int>(i) + 1);
        }
        if (!help.isEmpty()) name->setAccessibleDescription(help);
        m_words += title + QLatin1Char('\t') + values.join(QLatin1Char('\t')) + QLatin1Char('\n');
        next();
    }

    void note(const QString& words, FontRole role = FontRole::Caption, Token token = Token::Text2)
    {
        auto* label = makeLabel(words, role, token, m_parent);
        label->setWordWrap(true);
        m_words += words + QLatin1Char('\n');
        m_grid->addWidget(label, m_row++, 0, 1, -1);
    }

    void space() { m_grid->setRowMinimumHeight(m_row++, 8); }

    void done(std::size_t runs)
    {
        m_grid->setColumnStretch(0, 3);
        for (std::size_t i = 0; i < runs; ++i) m_grid->setColumnStretch(static_cast<int>(i) + 1, 2);
        m_grid->setRowStretch(m_row, 1);
    }

  private:
    void cell(QWidget* widget, int column)
    {
        widget->setMinimumHeight(24);
        m_grid->addWidget(widget, m_row, column);
    }
    void next()
    {
        m_grid->addWidget(makeLine(Qt::Horizontal, m_parent), m_row + 1, 0, 1, -1);
        m_row += 2;
    }
    QWidget* m_parent;
    QGridLayout* m_grid;
    QString& m_words;
    int m_row = 0;
};

} // namespace

namespace {

/// One run alone has nothing to differ from. Why it failed and what was noted about it stands here instead of its row again.
void showOne(const RunRow& row, DiffTable& table)
{
    if (row.status == RunStatus::Failed && !row.message.empty()) {
        table.note(QCoreApplication::translate("DifferencesCard", "Why %1 failed").arg(words::runTitle(row)), FontRole::Strong, Token::Text);
        table.note(text(row.message));
        if (!row.remedy.empty()) table.note(text(row.remedy));
        table.space();
    }
    if (!row.note.empty()) {
        table.note(QCoreApplication::translate("DifferencesCard", "Note"), FontRole::Strong, Token::Text);
        table.note(text(row.note));
        table.space();
    }
    table.note(QCoreApplication::translate("DifferencesCard", "To compare, tick the boxes of this run and of another (or press Space on both). Their curves are then laid over each other, and here stands what differs in their recipes and results."));
}

} // namespace

void DifferencesCard::setRuns(const std::vector<ComparedRun>& runs, bool letters)
{
    m_clear->setVisible(letters);
    m_text.clear();
    auto* page = new QWidget;
    DiffTable table(page, m_text);
    std::vector<Recipe> recipes;
    for (const ComparedRun& run : runs) recipes.push_back(run.recipe);
    const auto rows = recipes.size() > 1 ? differences(recipes) : std::vector<RecipeDifference>();
    if (runs.size() < 2) {
        setTitle(tr("What differs"));
        if (runs.empty()) table.note(tr("Choose a run in the table to see its curve. Tick two or more (or press Space) to lay their curves over each other and see what differs in their recipes."));
        else showOne(runs.front().row, table);
    } else {
        setTitle(tr("What differs"), rows.empty() ? tr("nothing in the recipes") : text(plural(static_cast<std::int64_t>(rows.size()), "setting", "settings")));
    }
    if (runs.size() > 1) {
        table.head(runs, letters);
        for (const RecipeDifference& difference : rows) {
            QStringList values;
            for (const std::string& value : difference.values) values << text(value);
            table.row(text(difference.title), text(difference.path), values);
        }
        QStringList loss, rate, took;
        std::vector<const MetricEntry*> metrics; // of all tasks there are
        for (const ComparedRun& run : runs) {
            const RunSummary& s = run.row.summary;
            loss << words::loss(s.testLoss);
            rate << words::rate(s.samplesPerSecond);
            took << (s.seconds > 0 ? text(durationText(s.seconds)) : QStringLiteral("–"));
            for (const MetricEntry& metric : metricsOf(run.row.task))
                if (std::find(metrics.begin(), metrics.end(), &metric) == metrics.end()) metrics.push_back(&metric);
        }
        for (const MetricEntry* metric : metrics) {
            QStringList values;
            for (const ComparedRun& run : runs) values << words::metric(metric, run.row.summary.metric("test", metric->id));
            table.row(words::metricTitle(tr("Test"), *metric), {}, values);
        }
        table.row(tr("Test loss"), {}, loss);
        table.row(tr("Samples"), {}, rate);
        table.row(tr("Time"), {}, took);
    }
    table.done(runs.size());
    m_scroll->setWidget(page); // deletes the one before
}

} // namespace sconce::ui
