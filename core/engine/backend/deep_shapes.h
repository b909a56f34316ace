// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
// What the fused blocks' operators (conv_pool.cpp, deep_conv_pool.cpp, window_conv.cpp) share around their kernels: shapes, room, spread
// weights and the sum of gradients that were made in groups. Private to those files; called by the thread that runs the step, which splits
// the work over torch's own.

#include "core/engine/backend/conv_pool_kernels.h"
#include "core/model/primitives.h"

#include <ATen/Parallel.h>
#include <ATen/core/Tensor.h>
#include <ATen/ops/empty.h>

#include <algorithm>
#include <cstring>
#include <optional>
#include <vector>

namespace sconce::engine {

/// Top, left, bottom, right: as autograd's nodes can keep it.
inline std::vector<std::int64_t> paddingOf(const ConvOp& op)
{
    return {op.padBefore[0], op.padBefore[1], op.padAfter[0], op.padAfter[1]};
}

/// torch's functions take an absent tensor as no value, not as an undefined one.
inline std::optional<at::Tensor> given(const at::Tensor& tensor)
{
    return tensor.defined() ? std::optional(tensor) : std::nullopt;
}

inline bool learning(const at::Tensor& tensor)
{
    return tensor.defined() && tensor.requires_grad();
}

/// What the tiles of 2×2 outputs that stick out of the map are worth: nothing to a pool, but a convolution alone gives them too.
enum class LastTiles { LeftOut, Kept };

/// x [N, C, H, W], weight [F, C, 3, 3].
inline convpool::DeepShape deepShape(const at::Tensor& x, const at::Tensor& weight, const std::vector<std::int64_t>& padding, LastTiles last)
{
    const std::int64_t more = last == LastTiles::Kept ? 1 : 0;
    convpool::DeepShape shape;
    shape.height = x.size(2), shape.width = x.size(3);
    shape.top = padding[0], shape.left = padding[1], shape.bottom = padding[2], shape.right = padding[3];
    shape.channels = x.size(1), shape.filters = weight.size(0);
    shape.pooledHeight = (shape.outHeight() + more) / 2;
    shape.pooledWidth = (shape.outWidth() + more) / 2;
    return shape;
}

/// Room for numbers, not filled, that begins with a line of the cache.
inline at::Tensor floats(std::int64_t count)
{
    return at::empty({count}, at::TensorOptions().dtype(at::kFloat));
}

/// The weights as the kernels want them, by Kernels::deepWeights or Kernels::windowWeightsBack: weight [F, 3, 3, C] in memory.
template <class Spread>
at::Tensor spreadWeights(Spread spread, const convpool::DeepShape& shape, const at::Tensor& weight)
{
    const at::Tensor spreadTo = floats(16 * shape.channels * shape.filters);
    const float* from = weight.const_data_ptr<float>();
    float* to = spreadTo.data_ptr<float>();
    at::parallel_for(0, shape.filters / 16, 1, [&](std::int64_t begin, std::int64_t end) { spread(shape, from, to, begin * 16, end * 16); });
    return spreadTo;
}

/// Adds up what groups of images gave to gradients, always in the order of the groups: `parts` [groups][size], of which `count` numbers
/// from `first` on are wanted. Of no groups, as an empty batch has, zeros.
inline void sumGroups(const float* parts, std::int64_t groups, std::int64_t size, std::int64_t first, std::int64_t count, float* out)
{
    if (groups == 0) {
        std::fill_n(out, count, 0.0f);
        return;
    }
    constexpr std::int64_t lot = 1024; // stays near while the groups are gone through
    at::parallel_for(0, count, 4 * lot, [&](std::int64_t begin, std::int64_t end) {
        for (std::int64_t from = begin; from < end; from += lot) {
            const std::int64_t to = std::min(end, from + lot);
            std::memcpy(out + from, parts + first + from, static_cast<std::size_t>(to - from) * sizeof(float));
            for (std::int64_t g = 1; g < groups; ++g)
                for (std::int64_t i = from; i < to; ++i) out[i] += parts[g * size + first + i];
        }
    });
}

} // namespace sconce::engine
