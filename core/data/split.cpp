// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/data/split.h"

#include "core/base/random.h"

#include <algorithm>
#include <cmath>
#include <numeric>

namespace sconce {
namespace {

/// Keras: the split lies at floor(n · (1 - share)).
std::int64_t keptOf(std::int64_t count, double share)
{
    return static_cast<std::int64_t>(std::floor(static_cast<double>(count) * (1.0 - share)));
}

/// Never negative, never all: something must be left to train on.
double bounded(double share, double most)
{
    return share >= 0 ? std::min(share, most) : 0; // NaN: 0
}

/// Of rows that were not divided by whoever made the data.
std::int64_t validationOf(std::int64_t count, const SplitSettings& settings)
{
    if (settings.validationCount > 0) return std::min(settings.validationCount, count - 1);
    return count - std::max<std::int64_t>(1, keptOf(count, bounded(settings.validation, 0.9)));
}

bool takesOwn(std::int64_t trainingCount, const SplitSettings& settings, std::int64_t ownValidation)
{
    return ownValidation > 0 && ownValidation < trainingCount && settings.kind == SplitSettings::Kind::Last;
}

} // namespace

SplitCounts splitCounts(std::int64_t trainingCount, std::int64_t testCount, const SplitSettings& settings, std::int64_t ownValidation)
{
    SplitCounts counts;
    if (trainingCount <= 0) return {0, 0, std::max<std::int64_t>(0, testCount)};
    const bool own = takesOwn(trainingCount, settings, ownValidation);
    const std::int64_t pool = own ? trainingCount - ownValidation : trainingCount;
    std::int64_t left = pool;
    if (testCount > 0) {
        counts.test = testCount;
    } else {
        left = std::max<std::int64_t>(1, keptOf(pool, bounded(settings.test, 0.5)));
        counts.test = pool - left;
    }
    counts.validation = own ? ownValidation : validationOf(left, settings);
    counts.training = own ? left : left - counts.validation;
    return counts;
}

SplitRows splitRows(std::int64_t trainingCount, std::int64_t testCount, const SplitSettings& settings, std::uint64_t seed, std::int64_t ownValidation)
{
    const SplitCounts counts = splitCounts(trainingCount, testCount, settings, ownValidation);
    SplitRows rows;
    std::vector<std::int64_t> all(static_cast<std::size_t>(std::max<std::int64_t>(0, trainingCount)));
    std::iota(all.begin(), all.end(), std::int64_t{0});
    if (settings.kind == SplitSettings::Kind::Shuffled) {
        const Philox random(seed, Purpose::Split);
        for (std::size_t i = all.size(); i > 1; --i) std::swap(all[i - 1], all[random.below(i, i)]);
    }
    // The data's own validation part lies last, behind what may be held back for testing.
    if (takesOwn(trainingCount, settings, ownValidation)) std::rotate(all.begin() + counts.training, all.end() - counts.validation, all.end());
    const auto trainingEnd = all.begin() + counts.training;
    const auto validationEnd = trainingEnd + counts.validation;
    rows.training.assign(all.begin(), trainingEnd);
    rows.validation.assign(trainingEnd, validationEnd);
    if (testCount > 0) {
        rows.test.resize(static_cast<std::size_t>(testCount));
        std::iota(rows.test.begin(), rows.test.end(), std::int64_t{0});
    } else {
        rows.testPart = Part::Training;
        rows.test.assign(validationEnd, all.end());
    }
    // In the order in which they lie in memory: membership is what was drawn, not the order.
    for (auto* part : {&rows.training, &rows.validation, &rows.test}) std::sort(part->begin(), part->end());
    return rows;
}

TargetCounts countTargets(const Dataset& data, std::span<const std::int64_t> rows)
{
    const std::span<const std::int32_t> labels = data.labels(Part::Training);
    const std::span<const std::uint8_t> sets = data.labelSets(Part::Training);
    TargetCounts counts{static_cast<std::int64_t>(rows.size()), {}, {}};
    if (!labels.empty()) counts.perClass.resize(data.info().classes.size());
    if (!sets.empty()) counts.perLabel.resize(data.info().labelNames.size());
    for (const std::int64_t row : rows) {
        if (!labels.empty()) ++counts.perClass[static_cast<std::size_t>(labels[static_cast<std::size_t>(row)])];
        for (std::size_t i = 0; i < counts.perLabel.size(); ++i) counts.perLabel[i] += sets[static_cast<std::size_t>(row) * counts.perLabel.size() + i];
    }
    return counts;
}

} // namespace sconce
