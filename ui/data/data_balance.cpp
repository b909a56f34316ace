// SPDX-License-Identifier: GPL-3.0-or-later
// The Data page's card of classes: how many samples each has, how numbers are spread, how often symbols occur.
#include "core/base/text.h"
#include "core/data/text_dataset.h"
#include "ui/data/class_bars.h"
#include "ui/data/data_page.h"
#include "ui/data/split_panel.h"
#include "ui/widgets/parts.h"

#include <algorithm>

namespace sconce::ui {

namespace {

QString grouped(std::int64_t value) { return QString::fromStdString(groupedInt(value)); }

QString balanceWords(const std::vector<ClassBars::Bar>& bars)
{
    std::int64_t largest = 0, smallest = INT64_MAX;
    for (const auto& bar : bars) {
        const auto count = bar.counts[0] + bar.counts[1] + bar.counts[2];
        largest = std::max(largest, count);
        smallest = std::min(smallest, count);
    }
    if (bars.empty() || smallest == 0) return bars.empty() ? QString() : QObject::tr("a class has no sample");
    const double ratio = static_cast<double>(largest) / static_cast<double>(smallest);
    if (largest == smallest) return QObject::tr("balanced, every class has as many");
    const QString times = QString::number(ratio, 'f', ratio < 10 ? 2 : 0);
    return ratio < 1.5 ? QObject::tr("balanced, the largest is %1 times the smallest").arg(times)
                       : QObject::tr("uneven, the largest is %1 times the smallest").arg(times);
}

} // namespace

void DataPage::showClasses()
{
    if (!m_data) return;
    const auto& info = m_data->info();
    const auto rows = splitRows(info.trainingCount, info.testCount, m_split->choices().split, startSeed(), info.validationCount);
    if (isText()) return showSymbols(rows);
    if (hasLabels()) return showLabels(rows);
    std::vector<ClassBars::Bar> bars;
    constexpr int bins = 12; // of numbers that are no classes
    const bool numbers = info.classes.empty() && info.numbers;
    const double width = (info.targetMost - info.targetLeast) / bins;
    for (int i = 0; numbers && i < bins; ++i) bars.push_back({QString::fromStdString(realText(info.targetLeast + i * width, 3)), {}});
    for (const auto& name : info.classes) bars.push_back({QString::fromStdString(name), {}});
    const auto count = [&](const std::vector<std::int64_t>& from, Part part, std::size_t share) {
        if (numbers) {
            const auto values = m_data->targets(part);
            for (const auto row : from) {
                const double place = width > 0 ? (static_cast<double>(values[static_cast<std::size_t>(row)]) - info.targetLeast) / width : 0;
                ++bars[static_cast<std::size_t>(std::clamp(static_cast<int>(place), 0, bins - 1))].counts[share];
            }
            return;
        }
        const auto labels = m_data->labels(part);
        for (const auto row : from) ++bars[static_cast<std::size_t>(labels[static_cast<std::size_t>(row)])].counts[share];
    };
    count(rows.training, Part::Training, 0);
    count(rows.validation, Part::Training, 1);
    count(rows.test, rows.testPart, 2);
    if (numbers)
        m_classCard->setTitle(QString::fromStdString(info.target), tr("%1 to %2, mean %3").arg(QString::fromStdString(realText(info.targetLeast)), QString::fromStdString(realText(info.targetMost)), QString::fromStdString(realText(info.targetMean))));
    else
        m_classCard->setTitle(isTable() ? tr("Classes of “%1”").arg(QString::fromStdString(info.target)) : tr("Classes"), balanceWords(bars));
    m_bars->setBars(std::move(bars));
}

/// How many samples have each label; a sample may have several, or none.
void DataPage::showLabels(const SplitRows& rows)
{
    const auto& names = m_data->info().labelNames;
    std::vector<ClassBars::Bar> bars;
    for (const auto& name : names) bars.push_back({QString::fromStdString(name), {}});
    std::int64_t all = 0, samples = 0;
    const auto count = [&](const std::vector<std::int64_t>& from, Part part, std::size_t share) {
        const auto sets = m_data->labelSets(part);
        samples += static_cast<std::int64_t>(from.size());
        for (const auto row : from)
            for (std::size_t i = 0; i < names.size(); ++i) {
                const int has = sets[static_cast<std::size_t>(row) * names.size() + i];
                bars[i].counts[share] += has;
                all += has;
            }
    };
    count(rows.training, Part::Training, 0);
    count(rows.validation, Part::Training, 1);
    count(rows.test, rows.testPart, 2);
    const auto sum = [](const ClassBars::Bar& bar) { return bar.counts[0] + bar.counts[1] + bar.counts[2]; };
    const auto rarest = std::min_element(bars.begin(), bars.end(), [&](const auto& a, const auto& b) { return sum(a) < sum(b); });
    const double every = static_cast<double>(std::max<std::int64_t>(1, samples));
    m_classCard->setTitle(tr("Labels"), tr("%1 a sample on average; “%2” is the rarest, with %3 of the samples").arg(QString::fromStdString(realText(static_cast<double>(all) / every, 2)), rarest->name, QString::fromStdString(percentText(static_cast<double>(sum(*rarest)) / every, 1))));
    m_bars->setBars(std::move(bars));
}

/// How often each symbol is to be predicted, the commonest first.
void DataPage::showSymbols(const SplitRows& rows)
{
    const auto& symbols = m_data->info().symbols;
    const std::vector<std::int64_t> counts[] = {symbolCounts(*m_data, rows.training), symbolCounts(*m_data, rows.validation), symbolCounts(*m_data, rows.test)};
    std::vector<ClassBars::Bar> bars;
    std::int64_t all = 0;
    for (std::size_t i = 0; i < symbols.size(); ++i) {
        bars.push_back({QString::fromStdString(symbolTitle(symbols[i])), {counts[0][i], counts[1][i], counts[2][i]}});
        all += counts[0][i] + counts[1][i] + counts[2][i];
    }
    const auto sum = [](const ClassBars::Bar& bar) { return bar.counts[0] + bar.counts[1] + bar.counts[2]; };
    std::stable_sort(bars.begin(), bars.end(), [&](const auto& a, const auto& b) { return sum(a) > sum(b); });
    const QString most = QString::fromStdString(percentText(static_cast<double>(sum(bars.front())) / static_cast<double>(std::max<std::int64_t>(1, all)), 1));
    m_classCard->setTitle(tr("Symbols"), tr("%1 different; the commonest, “%2”, is %3 of the text").arg(grouped(static_cast<std::int64_t>(symbols.size())), bars.front().name, most));
    m_bars->setBars(std::move(bars));
}

} // namespace sconce::ui
