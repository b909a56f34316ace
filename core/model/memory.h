// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
// The memory of a training step before it is made: a walk over a prepared plan that takes and gives back what the engine takes
// and gives back, primitive by primitive. What each keeps for its backward pass is torch's doing (derivatives.yaml of PyTorch
// 2.11) or that of the engine's fused blocks; tests/core/engine/memory_test.cpp holds it against the engine's real
// allocations. Pure functions; bytes are doubles, so that nothing overflows.

#include "core/model/passes.h"

namespace sconce {

struct StepMemory
{
    double batch = 0; ///< input and targets, which stay from step to step
    double kept = 0;  ///< what lies there for the backward pass when the forward pass is done, the batch included
    double peak = 0;  ///< at the fullest moment: the batch, what is kept, results and gradients on their way, gradients of weights so far, scratch memory
};

/// With `rows` samples at once. Not training: forward only, nothing kept.
StepMemory stepMemory(const ExecutionPlan& execution, std::int64_t rows, bool training);

} // namespace sconce
