// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
// Splitting validation off the training part, as Keras does (the last share) or shuffled by the seed. Pure functions.

#include "core/data/dataset.h"

namespace sconce {

struct SplitSettings
{
    enum class Kind { Last, Shuffled } kind = Kind::Last;
    double validation = 0.1; ///< share of the training part, [0, 0.9]
    /// Share of the training part held back as test where the data has no test part of its own, [0, 0.5].
    double test = 0.0;
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

SplitCounts splitCounts(std::int64_t trainingCount, std::int64_t testCount, const SplitSettings& settings);
SplitRows splitRows(std::int64_t trainingCount, std::int64_t testCount, const SplitSettings& settings, std::uint64_t seed);

} // namespace sconce
