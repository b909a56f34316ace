// SPDX-License-Identifier: GPL-3.0-or-later
#include "ui/compose/rate_finder.h"

#include "core/base/text.h"
#include "ui/charts/plot_view.h"
#include "ui/widgets/parts.h"

#include <QCoreApplication>
#include <QVBoxLayout>

#include <cmath>

namespace sconce::ui {

namespace {

QString text(const std::string& value) { return QString::fromStdString(value); }
constexpr RateTestOptions settings{};

} // namespace

RateFinder::RateFinder(Studio& studio, Recipe recipe, QWidget* parent)
    : QDialog(parent)
    , m_studio(studio)
    , m_recipe(std::move(recipe))
{
    setObjectName(QStringLiteral("rateFinder"));
    setAttribute(Qt::WA_DeleteOnClose);
    setWindowTitle(tr("Find a learning rate"));
    setMinimumWidth(560);
    auto* column = new QVBoxLayout(this);
    column->setContentsMargins(24, 20, 24, 20);
    column->setSpacing(12);
    column->addWidget(makeLabel(tr("Find a learning rate"), FontRole::Title, Token::Text, this));
    auto* what = makeLabel(tr("A fresh copy of this network trains for %1 steps, each at a larger rate than the one before. Nothing of it is kept.").arg(settings.steps), FontRole::Body, Token::Text2, this);
    what->setWordWrap(true);
    column->addWidget(what);
    m_plot = new PlotView(this);
    m_plot->setObjectName(QStringLiteral("rateFinder.plot"));
    m_plot->setMinimumHeight(240);
    m_plot->setSurface(Token::Raised);
    m_plot->setXUnit(PlotView::XUnit::PowerOfTen);
    m_plot->setXRange(std::log10(settings.lowest), std::log10(settings.highest));
    m_plot->setXAxisVisible(true);
    m_plot->setYAuto(true);
    m_plot->setHoverTitle([](double x) { return std::pair(RateFinder::tr("learning rate"), text(realText(std::pow(10.0, x), 2))); });
    column->addWidget(m_plot, 1);
    m_progress = new ProgressStrip(6, this);
    m_progress->setObjectName(QStringLiteral("rateFinder.progress"));
    column->addWidget(m_progress);
    m_words = makeLabel({}, FontRole::Body, Token::Text, this);
    m_words->setObjectName(QStringLiteral("rateFinder.words"));
    m_words->setWordWrap(true);
    m_words->setMinimumHeight(2 * m_words->fontMetrics().lineSpacing());
    m_words->setAlignment(Qt::AlignLeft | Qt::AlignTop);
    column->addWidget(m_words);
    auto* buttons = new QHBoxLayout;
    m_again = makeButton(QStringLiteral("refresh"), tr("Test again"), ButtonKind::Flat, this);
    m_again->setObjectName(QStringLiteral("rateFinder.again"));
    m_use = makeButton({}, tr("Use this rate"), ButtonKind::Primary, this);
    m_use->setObjectName(QStringLiteral("rateFinder.use"));
    m_close = makeButton({}, tr("Cancel"), ButtonKind::Normal, this);
    m_close->setObjectName(QStringLiteral("rateFinder.close"));
    buttons->addWidget(m_again);
    buttons->addStretch(1);
    buttons->addWidget(m_close);
    buttons->addWidget(m_use);
    column->addLayout(buttons);
    connect(m_close, &QPushButton::clicked, this, &QDialog::reject);
    connect(m_again, &QPushButton::clicked, this, &RateFinder::begin);
    connect(m_use, &QPushButton::clicked, this, [this] {
        if (m_suggestion) Q_EMIT chosen(*m_suggestion);
        accept();
    });
    begin();
}

RateFinder::~RateFinder()
{
    if (m_cancelled) m_cancelled->store(true);
}

void RateFinder::begin()
{
    m_cancelled = std::make_shared<std::atomic<bool>>(false);
    m_points.clear();
    m_suggestion.reset();
    draw({}, {});
    m_use->setEnabled(false);
    m_use->setText(tr("Use this rate"));
    m_again->setEnabled(false);
    m_close->setText(tr("Cancel"));
    m_progress->setShare(-1);
    m_progress->show();
    m_words->setText(tr("Opening the data…"));
    m_studio.data->open(m_recipe.data.dataset, this, [this, mine = m_cancelled](DatasetPtr data, const QString& sentence) {
        if (mine->load()) return;
        if (data) run(std::move(data));
        else say(sentence);
    });
}

void RateFinder::run(DatasetPtr data)
{
    m_words->setText(tr("Testing…"));
    const QPointer<RateFinder> self(this);
    const auto tell = [self, cancelled = m_cancelled](const RateTestPoint& point, int done) {
        if (cancelled->load()) return false;
        QMetaObject::invokeMethod(
            QCoreApplication::instance(), [self, cancelled, point, done] {
                if (self && !cancelled->load()) self->take(point, done);
            },
            Qt::QueuedConnection);
        return true;
    };
    m_studio.jobs->run<Result<RateTest>>(
        this, [recipe = m_recipe, data = std::move(data), tell] { return testRates(recipe, data, settings, tell); },
        [this, cancelled = m_cancelled](const Result<RateTest>& test) {
            if (!cancelled->load()) finish(test);
        });
}

void RateFinder::take(const RateTestPoint& point, int done)
{
    m_points.push_back(point);
    m_progress->setShare(static_cast<double>(done) / settings.steps);
    draw(m_points, {});
}

void RateFinder::finish(const Result<RateTest>& test)
{
    if (!test) return say(text(test.error().text()));
    m_suggestion = test->suggestion;
    m_points = test->points;
    draw(m_points, m_suggestion);
    if (m_suggestion) m_use->setText(tr("Use %1").arg(text(realText(*m_suggestion, 2))));
    m_use->setEnabled(m_suggestion.has_value());
    say(text(test->text));
    if (m_suggestion) m_use->setFocus();
}

void RateFinder::say(const QString& words)
{
    m_words->setText(words);
    m_progress->hide();
    m_again->setEnabled(true);
    m_close->setText(tr("Close"));
}

void RateFinder::draw(const std::vector<RateTestPoint>& points, const std::optional<double>& suggestion)
{
    Curve raw, smooth;
    raw.id = QStringLiteral("raw");
    raw.title = tr("loss");
    raw.style = Curve::Style::Raw;
    smooth.id = QStringLiteral("smooth");
    smooth.title = tr("loss, smoothed");
    smooth.ringWord = tr("suggested");
    double nearest = 1e300;
    for (const RateTestPoint& point : points) {
        const double x = std::log10(point.rate);
        raw.x.push_back(x);
        raw.y.push_back(point.loss);
        smooth.x.push_back(x);
        smooth.y.push_back(point.smoothed);
        if (const double off = suggestion ? std::abs(x - std::log10(*suggestion)) : nearest; off < nearest) {
            nearest = off;
            smooth.ringAt = static_cast<int>(smooth.x.size()) - 1;
        }
    }
    m_plot->setCurves({std::move(raw), std::move(smooth)});
}

} // namespace sconce::ui
