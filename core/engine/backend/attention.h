// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
// Attention over few positions on the processor, as an operator with gradients. Private to the engine; called by the thread that runs
// the step, which splits samples and heads over torch's own. Each head is one thread's work, so the numbers do not depend on how many
// there are.

#include <ATen/core/Tensor.h>

#include <cstdint>

namespace sconce::engine {

/// softmax(Q Kᵀ / √width) V of each head: x [N, length, 3 × heads × width] → [N, length, heads × width], float32. Which lengths and
/// widths: see fewPositions (model/passes.h).
at::Tensor shortAttention(const at::Tensor& x, std::int64_t heads, bool causal);

/// True if this processor has instructions that the kernels are made for: without, torch's attention is faster.
bool fastAttention();

} // namespace sconce::engine
