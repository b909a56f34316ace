// SPDX-License-Identifier: GPL-3.0-or-later
// Blocks of many channels as an operator with gradients, over the kernels of deep_conv_pool_kernels.inc.
#include "core/engine/backend/conv_pool.h"

#include "core/engine/backend/deep_shapes.h"
#include "core/engine/backend/tensors.h"

#include <torch/csrc/autograd/custom_function.h>

namespace sconce::engine {
namespace {

using at::Tensor;
using torch::autograd::AutogradContext;
using torch::autograd::variable_list;

/// Windows in one call of the forward kernel: enough that the weights are read from the far cache rarely, few enough that what they
/// spread to stays in the near one.
constexpr std::int64_t windowsAtOnce = 48;

/// Images whose gradients are summed together: a function of the shapes alone, never of threads. Each group has a copy of the weights'
/// gradient, so large weights have few of them.
std::int64_t groupOf(std::int64_t images, std::int64_t floats)
{
    constexpr std::int64_t copies = 8 << 20; // floats
    const std::int64_t groups = std::clamp<std::int64_t>(copies / std::max<std::int64_t>(floats, 1), 2, 16);
    return std::max<std::int64_t>(4, (images + groups - 1) / groups);
}

class DeepConvPool : public torch::autograd::Function<DeepConvPool>
{
  public:
    static Tensor forward(AutogradContext* ctx, const Tensor& input, const Tensor& weight, const std::optional<Tensor>& bias, const std::vector<std::int64_t>& padding,
                          double slope, bool learns)
    {
        const Tensor x = lastChannels(input), w = lastChannels(weight);
        const convpool::DeepShape shape = deepShape(x, w, padding, LastTiles::LeftOut);
        const convpool::Kernels& kernels = convpool::kernels();
        const std::int64_t images = x.size(0), windows = images * shape.pooledHeight * shape.pooledWidth;
        Tensor out = emptyTensor({images, shape.filters, shape.pooledHeight, shape.pooledWidth}, x.device(), true);
        Tensor index = learns ? at::empty({windows, shape.filters}, at::TensorOptions().dtype(at::kByte)) : Tensor();
        const Tensor spread = spreadWeights(kernels.deepWeights, shape, w);
        const float *from = x.const_data_ptr<float>(), *u = spread.const_data_ptr<float>(), *b = bias ? bias->const_data_ptr<float>() : nullptr;
        float* to = out.data_ptr<float>();
        std::uint8_t* places = learns ? index.data_ptr<std::uint8_t>() : nullptr;
        const std::int64_t calls = (windows + windowsAtOnce - 1) / windowsAtOnce;
        at::parallel_for(0, calls, 1, [&](std::int64_t begin, std::int64_t end) {
            const Tensor room = floats(kernels.deepForwardRoom(shape, windowsAtOnce));
            for (std::int64_t call = begin; call < end; ++call)
                kernels.deepForward(shape, from, u, b, static_cast<float>(slope), call * windowsAtOnce, std::min(windows, (call + 1) * windowsAtOnce), room.data_ptr<float>(),
                                    to, places);
        });
        if (!learns) return out;
        ctx->save_for_backward({x, w});
        ctx->saved_data["index"] = index;
        ctx->saved_data["bias"] = bias.has_value();
        ctx->saved_data["slope"] = slope;
        ctx->saved_data["padding"] = padding;
        return out;
    }

    static variable_list backward(AutogradContext* ctx, const variable_list& gradients)
    {
        const variable_list saved = ctx->get_saved_variables();
        const Tensor &x = saved[0], &w = saved[1];
        const convpool::DeepShape shape = deepShape(x, w, ctx->saved_data["padding"].toIntVector(), LastTiles::LeftOut);
        const convpool::Kernels& kernels = convpool::kernels();
        const Tensor index = ctx->saved_data["index"].toTensor(), gradient = lastChannels(gradients[0]);
        const bool hasBias = ctx->saved_data["bias"].toBool();
        const auto slope = static_cast<float>(ctx->saved_data["slope"].toDouble());
        const std::int64_t images = x.size(0), weights = w.numel(), size = weights + (shape.filters + 15) / 16 * 16;
        const std::int64_t group = groupOf(images, size), groups = (images + group - 1) / group;
        const std::int64_t map = shape.height * shape.width * shape.channels, pooled = shape.pooledHeight * shape.pooledWidth * shape.filters;

        Tensor dx = ctx->needs_input_grad(0) ? emptyTensor(x.sizes().vec(), x.device(), true) : Tensor();
        const Tensor parts = floats(groups * size);
        const float *from = x.const_data_ptr<float>(), *weight = w.const_data_ptr<float>(), *g = gradient.const_data_ptr<float>();
        const std::uint8_t* places = index.const_data_ptr<std::uint8_t>();
        float *to = dx.defined() ? dx.data_ptr<float>() : nullptr, *sums = parts.data_ptr<float>();
        at::parallel_for(0, groups, 1, [&](std::int64_t begin, std::int64_t end) {
            const Tensor room = floats(kernels.deepBackwardRoom(shape));
            for (std::int64_t at = begin; at < end; ++at) {
                float* dw = sums + at * size;
                std::memset(dw, 0, static_cast<std::size_t>(size) * sizeof(float));
                const std::int64_t first = at * group, count = std::min(images, first + group) - first;
                kernels.deepBackward(shape, from + first * map, weight, g + first * pooled, places + first * pooled, slope, count, room.data_ptr<float>(), dw, dw + weights,
                                     to ? to + first * map : nullptr);
            }
        });
        Tensor dw = emptyTensor(w.sizes().vec(), w.device(), true), db = hasBias ? at::empty({shape.filters}, x.options()) : Tensor();
        sumGroups(sums, groups, size, 0, weights, dw.data_ptr<float>());
        if (hasBias) sumGroups(sums, groups, size, weights, shape.filters, db.data_ptr<float>());
        return {dx, dw, db, Tensor(), Tensor(), Tensor()};
    }
};

} // namespace

Tensor deepConvPool(const Tensor& x, const Tensor& weight, const Tensor& bias, const ConvOp& op, double slope)
{
    const bool learns = at::GradMode::is_enabled() && (learning(x) || learning(weight) || learning(bias));
    return DeepConvPool::apply(x, weight, given(bias), paddingOf(op), slope, learns);
}

} // namespace sconce::engine
