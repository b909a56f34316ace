// SPDX-License-Identifier: GPL-3.0-or-later
// Convolution 3×3 of many channels as an operator with gradients, over the kernels of winograd_kernels.inc.
#include "core/engine/backend/conv_pool.h"

#include "core/engine/backend/deep_shapes.h"
#include "core/engine/backend/tensors.h"

#include <ATen/ops/sum.h>
#include <ATen/ops/zeros.h>
#include <torch/csrc/autograd/custom_function.h>

namespace sconce::engine {
namespace {

using at::Tensor;
using convpool::DeepShape;
using torch::autograd::AutogradContext;
using torch::autograd::variable_list;

constexpr std::int64_t tilesAtOnce = 96;      ///< in a call of the forward kernel
constexpr std::int64_t channelsOfJob = 48;    ///< of the gradient of the weights; a multiple of every kernel's rows

/// Tiles spread at once for the gradient of the weights, by all threads together: with few channels what they spread to stays near, with
/// many the sums are what is read and written again for each lot.
std::int64_t tilesOfGradient(const DeepShape& shape) { return shape.channels + shape.filters <= 256 ? 128 : 512; }

/// The convolution that gives the gradient of the input from that of the output.
DeepShape turnedRound(const DeepShape& s)
{
    DeepShape back;
    back.height = s.outHeight(), back.width = s.outWidth();
    back.top = 2 - s.top, back.left = 2 - s.left, back.bottom = 2 - s.bottom, back.right = 2 - s.right;
    back.channels = s.filters, back.filters = s.channels;
    back.pooledHeight = (s.height + 1) / 2;
    back.pooledWidth = (s.width + 1) / 2;
    return back;
}

/// out [images, filters, outHeight, outWidth] from x by spread weights.
Tensor convolve(const DeepShape& shape, const Tensor& x, const Tensor& spread, const float* bias)
{
    const convpool::Kernels& kernels = convpool::kernels();
    const std::int64_t images = x.size(0), tiles = images * shape.pooledHeight * shape.pooledWidth;
    Tensor out = emptyTensor({images, shape.filters, shape.outHeight(), shape.outWidth()}, x.device(), true);
    const float *from = x.const_data_ptr<float>(), *u = spread.const_data_ptr<float>();
    float* to = out.data_ptr<float>();
    at::parallel_for(0, (tiles + tilesAtOnce - 1) / tilesAtOnce, 1, [&](std::int64_t begin, std::int64_t end) {
        const Tensor room = floats(kernels.deepForwardRoom(shape, tilesAtOnce));
        for (std::int64_t call = begin; call < end; ++call)
            kernels.windowForward(shape, from, u, bias, call * tilesAtOnce, std::min(tiles, (call + 1) * tilesAtOnce), room.data_ptr<float>(), to);
    });
    return out;
}

Tensor weightGradient(const DeepShape& shape, const Tensor& x, const Tensor& gradient)
{
    const convpool::Kernels& kernels = convpool::kernels();
    const std::int64_t tiles = x.size(0) * shape.pooledHeight * shape.pooledWidth, most = std::min(tilesOfGradient(shape), tiles);
    const Tensor sums = at::zeros({16 * shape.channels * shape.filters}, at::TensorOptions().dtype(at::kFloat));
    const Tensor v = floats(16 * (most * shape.channels + 16)), d = floats(16 * (most * shape.filters + 16));
    const float *from = x.const_data_ptr<float>(), *g = gradient.const_data_ptr<float>();
    float *inputs = v.data_ptr<float>(), *outputs = d.data_ptr<float>(), *du = sums.data_ptr<float>();
    const std::int64_t jobs = (shape.channels + channelsOfJob - 1) / channelsOfJob;
    for (std::int64_t first = 0; first < tiles; first += most) {
        const std::int64_t last = std::min(tiles, first + most);
        at::parallel_for(first, last, 32, [&](std::int64_t begin, std::int64_t end) {
            const Tensor zeros = floats(shape.channels);
            kernels.windowSpread(shape, from, g, begin, end, first, most, zeros.data_ptr<float>(), inputs, outputs);
        });
        at::parallel_for(0, 16 * jobs, 1, [&](std::int64_t begin, std::int64_t end) {
            for (std::int64_t job = begin; job < end; ++job) {
                const std::int64_t channel = job % jobs * channelsOfJob;
                kernels.windowGradient(shape, inputs, outputs, job / jobs, last - first, most, channel, std::min(shape.channels, channel + channelsOfJob), du);
            }
        });
    }
    Tensor dw = emptyTensor({shape.filters, shape.channels, 3, 3}, x.device(), true);
    float* to = dw.data_ptr<float>();
    at::parallel_for(0, shape.filters / 16, 1, [&](std::int64_t begin, std::int64_t end) { kernels.windowGather(shape, du, to, begin * 16, end * 16); });
    return dw;
}

class WindowConv : public torch::autograd::Function<WindowConv>
{
  public:
    static Tensor forward(AutogradContext* ctx, const Tensor& input, const Tensor& weight, const std::optional<Tensor>& bias, const std::vector<std::int64_t>& padding)
    {
        const Tensor x = lastChannels(input), w = lastChannels(weight);
        const DeepShape shape = deepShape(x, w, padding, LastTiles::Kept);
        ctx->save_for_backward({x, w});
        ctx->saved_data["padding"] = padding;
        ctx->saved_data["bias"] = bias.has_value();
        return convolve(shape, x, spreadWeights(convpool::kernels().deepWeights, shape, w), bias ? bias->const_data_ptr<float>() : nullptr);
    }

    static variable_list backward(AutogradContext* ctx, const variable_list& gradients)
    {
        const variable_list saved = ctx->get_saved_variables();
        const Tensor &x = saved[0], &w = saved[1], gradient = lastChannels(gradients[0]);
        const DeepShape shape = deepShape(x, w, ctx->saved_data["padding"].toIntVector(), LastTiles::Kept);
        Tensor dx, dw, db;
        if (ctx->needs_input_grad(0)) dx = convolve(turnedRound(shape), gradient, spreadWeights(convpool::kernels().windowWeightsBack, shape, w), nullptr);
        if (ctx->needs_input_grad(1)) dw = weightGradient(shape, x, gradient);
        if (ctx->saved_data["bias"].toBool() && ctx->needs_input_grad(2)) db = at::sum(gradient, {0, 2, 3});
        return {dx, dw, db, Tensor()};
    }
};

} // namespace

Tensor windowConv(const Tensor& x, const Tensor& weight, const Tensor& bias, const ConvOp& op)
{
    return WindowConv::apply(x, weight, given(bias), paddingOf(op));
}

bool fastConvolutions()
{
    return convpool::kernels().vectors;
}

} // namespace sconce::engine
