// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
// Splitting validation off the training part: the data's own validation part where it has one, else the last share or so many, as
// Keras does, or shuffled by the seed. Pure functions.

#include "core/data/dataset.h"

namespace sconce {

struct SplitSettings
{
    /// Last: the data's own validation part where it has one (a folder val/), else the last samples. Shuffled: drawn from all.
    enum class Kind { Last, Shuffled } kind = Kind::Last;
    double validation = 0.1; ///< share of the training part, [0, 0.9]
    /// Share of the training part held back as test where the data has no test part of its own, [0, 0.5].
    double test = 0.0;
    std::int64_t validationCount = 0; ///< so many samples in place of the share; 0: by share. At least one is left to train on
    bool operator==(const SplitSettings&) const = default;
};

/// Rows of the stored parts that make up training, validation and test. Keras' arithmetic: training = floor(n·(1-validation)).
struct SplitRows
{
    std::vector<std::int64_t> training;   ///< of Part::Training
    std::vector<std::int64_t> validation; ///< of Part::Training
    std::vector<std::int64_t> test;       ///< of testPart
    Part testPart = Part::Test;
};

struct SplitCounts { std::int64_t training = 0, validation = 0, test = 0; };

/// ownValidation: how many of the last training rows are the data's own validation part (DatasetInfo::validationCount).
SplitCounts splitCounts(std::int64_t trainingCount, std::int64_t testCount, const SplitSettings& settings, std::int64_t ownValidation = 0);
SplitRows splitRows(std::int64_t trainingCount, std::int64_t testCount, const SplitSettings& settings, std::uint64_t seed, std::int64_t ownValidation = 0);

/// How often each class and each label occurs among rows of the training part.
struct TargetCounts
{
    std::int64_t samples = 0;
    std::vector<std::int64_t> perClass, perLabel; ///< empty where samples have none
};
TargetCounts countTargets(const Dataset& data, std::span<const std::int64_t> rows);

} // namespace sconce
