// SPDX-License-Identifier: GPL-3.0-or-later
#include "ui/compose/rate_finder.h"

#include "core/base/text.h"
#include "ui/charts/plot_view.h"
#include "ui/widgets/parts.h"

#include <QVBoxLayout>

#include <cmath>

namespace sconce::ui {

namespace {

QString text(const std::string& value) { return QString::fromStdString(value); }

} // namespace

RateFinder::RateFinder(Studio& studio, Recipe recipe, QWidget* parent)
    : TrialDialog(studio, std::move(recipe), QStringLiteral("rateFinder"), tr("Find a learning rate"),
                  tr("A fresh copy of this network trains for %1 steps, each at a larger rate than the one before. Nothing of it is kept.").arg(RateTestOptions{}.steps), parent)
{
    const RateTestOptions settings;
    m_plot = new PlotView(this);
    m_plot->setObjectName(QStringLiteral("rateFinder.plot"));
    m_plot->setMinimumHeight(240);
    m_plot->setSurface(Token::Raised);
    m_plot->setXUnit(PlotView::XUnit::PowerOfTen);
    m_plot->setXRange(std::log10(settings.lowest), std::log10(settings.highest));
    m_plot->setXAxisVisible(true);
    m_plot->setYAuto(true);
    m_plot->setHoverTitle([](double x) { return std::pair(RateFinder::tr("learning rate"), text(realText(std::pow(10.0, x), 2))); });
    body()->addWidget(m_plot, 1);
    m_use = makeButton({}, tr("Use this rate"), ButtonKind::Primary, this);
    m_use->setObjectName(QStringLiteral("rateFinder.use"));
    actions()->addWidget(m_use);
    connect(m_use, &QPushButton::clicked, this, [this] {
        if (m_suggestion) Q_EMIT chosen(*m_suggestion);
        accept();
    });
    begin();
}

void RateFinder::clear()
{
    m_points.clear();
    m_suggestion.reset();
    draw({}, {});
    m_use->setEnabled(false);
    m_use->setText(tr("Use this rate"));
}

void RateFinder::work(const TrialSource& source)
{
    setWords(tr("Testing…"));
    RateTestOptions settings;
    settings.storeFolder = source.storeFolder;
    inBackground<Result<RateTest>>(
        [this, source, settings, tell = teller()] {
            return testRates(source.recipe, source.data, settings, [&](const RateTestPoint& point, int done) { return tell([this, point, done] { take(point, done); }); });
        },
        [this](const Result<RateTest>& test) { showResult(test); });
}

void RateFinder::take(const RateTestPoint& point, int done)
{
    m_points.push_back(point);
    setShare(static_cast<double>(done) / RateTestOptions{}.steps);
    draw(m_points, {});
}

void RateFinder::showResult(const Result<RateTest>& test)
{
    if (!test) return finish(text(test.error().text()));
    m_suggestion = test->suggestion;
    m_points = test->points;
    draw(m_points, m_suggestion);
    if (m_suggestion) m_use->setText(tr("Use %1").arg(text(realText(*m_suggestion, 2))));
    m_use->setEnabled(m_suggestion.has_value());
    finish(text(test->text));
    if (m_suggestion) m_use->setFocus();
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
