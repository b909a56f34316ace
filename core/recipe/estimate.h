// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
// What a recipe will cost, before it is started: always called an estimate where it is shown. Pure function.

#include "core/recipe/recipe.h"

namespace sconce {

struct Estimate
{
    std::int64_t parameters = 0;
    std::uint64_t parameterBytes = 0;
    std::uint64_t memoryBytes = 0;   ///< parameters, gradients, optimiser state, activations of one batch, data batch
    double flopPerStep = 0;          ///< forward and backward (backward counted as twice forward)
    std::int64_t stepsPerEpoch = 0;
    SplitCounts samples;
};

/// Nothing if the stack has a problem or the data is unknown.
std::optional<Estimate> estimate(const Recipe& recipe, const StackReport& report, const DataFacts& data);

} // namespace sconce
