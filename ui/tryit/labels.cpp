// SPDX-License-Identifier: GPL-3.0-or-later
// The Try it page of a model that says several labels of a picture: a bar for each in place of a single answer, the F1 of each in
// place of the confusion matrix, which knows no such answers.
#include "core/base/text.h"
#include "core/recipe/task.h"
#include "ui/services/words.h"
#include "ui/tryit/tryit_page.h"
#include "ui/tryit/views.h"
#include "ui/widgets/parts.h"

#include <QTableWidget>
#include <QVBoxLayout>

#include <algorithm>
#include <cmath>

namespace sconce::ui {

using words::text;

namespace {

double thresholdOf(const Recipe& recipe) { return 1 / (1 + std::exp(-labelCut(recipe.task))); }

/// "+ball −dog": said though not there, and there though not said; "dog, ball" where all is right.
QString wrongText(const EvaluationReport& report, std::size_t place)
{
    QStringList wrong, right;
    for (std::size_t i = 0; i < report.labels.size(); ++i) {
        const bool there = report.truths[place * report.labels.size() + i] > 0.5f, said = static_cast<double>(report.answers[place * report.labels.size() + i]) > report.threshold;
        if (there != said) wrong << (said ? QStringLiteral("+") : QString(QChar(0x2212))) + text(report.labels[i]);
        else if (said) right << text(report.labels[i]);
    }
    if (!wrong.isEmpty()) return wrong.join(QLatin1Char(' '));
    return right.isEmpty() ? QObject::tr("none") : right.join(QStringLiteral(", "));
}

/// How near its nearest label is to the threshold.
double margin(const EvaluationReport& report, std::size_t place)
{
    double least = 1;
    for (std::size_t i = 0; i < report.labels.size(); ++i) least = std::min(least, std::abs(static_cast<double>(report.answers[place * report.labels.size() + i]) - report.threshold));
    return least;
}

} // namespace

/// Classes or labels: what stands on the page, and what it is called.
void TryItPage::arrangeFor(const LoadedModel& model)
{
    const bool labels = hasLabels();
    for (QWidget* part : m_ofMatrix) part->setVisible(!labels);
    m_scores->setVisible(labels);
    m_scores->setClasses(model.info.labelNames);
    m_scores->setThreshold(labels ? std::optional(0.0) : std::nullopt); // every score is lit
    m_bars->setThreshold(labels ? std::optional(thresholdOf(model.recipe)) : std::nullopt);
    m_matrixCard->setTitle(labels ? tr("F1 of each label") : tr("Confusion matrix"));
    // A few bars need less room than a matrix: more mistakes are seen.
    auto* column = static_cast<QVBoxLayout*>(m_matrixCard->parentWidget()->layout());
    column->setStretchFactor(m_matrixCard, labels ? 0 : 1);
    column->setStretchFactor(m_mistakesCard, labels ? 1 : 0);
    m_classCard->setTitle(labels ? tr("By label") : tr("By class"), tr("in per cent"));
    m_perClass->horizontalHeaderItem(0)->setText(labels ? tr("Label") : tr("Class"));
    const MetricEntry* metric = mainMetric(model.run.task);
    m_firstFact->setText(metric ? words::metricTitle(tr("Test"), *metric) : tr("Test accuracy"));
    m_tabs->findChild<QWidget*>(QStringLiteral("segment1"))->setVisible(!labels); // there is no cell to choose
    if (labels && m_tabs->current() == 1) m_tabs->setCurrent(0);
}

void TryItPage::showLabelReport(const EvaluationReport& report)
{
    QStringList figures;
    for (const auto& [id, value] : report.metrics)
        if (const MetricEntry* metric = findMetric(id)) figures << QStringLiteral("%1 %2").arg(text(metric->brief), words::metric(metric, value));
    m_matrixCard->setTitle(tr("F1 of each label"), tr("%1 %2 samples: %3").arg(text(groupedInt(report.count)), text(report.part), figures.join(QStringLiteral(", "))));
    std::vector<float> scores;
    for (const ClassMetrics& label : report.perClass) scores.push_back(static_cast<float>(label.f1));
    m_scores->setProbabilities(std::move(scores));
    static_cast<ElidedLabel*>(m_facts.back())->setFullText(text(durationText(report.seconds)));
    showClasses(&report);
    showMistakes();
}

void TryItPage::answerLabels(const Answer& answer)
{
    const auto& names = m_model->info.labelNames;
    if (names.size() != answer.probabilities.size()) return;
    std::vector<std::size_t> order(names.size());
    for (std::size_t i = 0; i < order.size(); ++i) order[i] = i;
    std::sort(order.begin(), order.end(), [&](auto a, auto b) { return answer.probabilities[a] > answer.probabilities[b]; });
    const double threshold = thresholdOf(m_model->recipe);
    QStringList said;
    QString next;
    for (const std::size_t i : order) {
        const QString sure = text(percentText(static_cast<double>(answer.probabilities[i]), 1));
        if (static_cast<double>(answer.probabilities[i]) > threshold) said << QStringLiteral("%1 %2").arg(text(names[i]), sure);
        else if (next.isEmpty()) next = tr("next, below %1: %2, %3").arg(text(percentText(threshold, 0)), text(names[i]), sure);
    }
    m_said->setText(QString::number(said.size()));
    m_said->setToolTip(tr("How many labels the model says"));
    const QStringList first = said.mid(0, 2);
    m_sure->setText(said.isEmpty() ? tr("none of the labels") : first.join(QStringLiteral(", ")) + (said.size() > 2 ? QStringLiteral(", …") : QString()));
    m_sure->setToolTip(said.join(QLatin1Char('\n')));
    m_next->setText(next);
    m_took->setText(tr("answered in %1").arg(answer.seconds < 1 ? QStringLiteral("%1 ms").arg(answer.seconds * 1000, 0, 'f', answer.seconds < 0.01 ? 1 : 0) : text(durationText(answer.seconds))));
    m_bars->setProbabilities(answer.probabilities);
}

void TryItPage::showLabelMistakes()
{
    const EvaluationReport& report = *m_report;
    const bool least = m_tabs->current() == 2;
    std::vector<std::size_t> places;
    if (least) {
        for (std::size_t i = 0; i < report.rows.size(); ++i) places.push_back(i);
        std::stable_sort(places.begin(), places.end(), [&](auto a, auto b) { return margin(report, a) < margin(report, b); });
    } else {
        for (const LabelMiss& miss : report.labelMisses) places.push_back(miss.place);
    }
    if (places.size() > 400) places.resize(400); // the first ones are what the tab is about
    std::vector<SampleStrip::Item> items;
    for (std::size_t i = 0; i < places.size(); ++i) {
        const QString note = least ? tr("by %1").arg(text(percentText(margin(report, places[i]), 1))) : tr("%1 wrong").arg(report.labelMisses[i].wrong);
        items.push_back({report.storedIn, report.rows[places[i]], 0, 0, 0, wrongText(report, places[i]), note});
    }
    m_mistakeCount->setFullText(tr("%1 of %2 samples with a wrong label; + said, − missed").arg(text(groupedInt(static_cast<std::int64_t>(report.labelMisses.size()))), text(groupedInt(report.count))));
    m_strip->setItems(m_model->data, std::move(items), tr("Not one mistake on these samples."));
}

} // namespace sconce::ui
