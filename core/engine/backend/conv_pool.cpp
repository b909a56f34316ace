// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/engine/backend/conv_pool.h"

#include "core/engine/backend/deep_shapes.h"
#include "core/engine/backend/tensors.h"
#include "core/model/passes.h"

#include <ATen/ops/empty_like.h>
#include <torch/csrc/autograd/custom_function.h>

#include <cstring>

namespace sconce::engine {
namespace {

using at::Tensor;
using torch::autograd::AutogradContext;
using torch::autograd::variable_list;

static_assert(convpool::blockOf == fusedBlockOf); // the pass looks for blocks that these kernels know

/// Images whose gradients are summed together: a function of the batch alone, never of threads.
std::int64_t groupOf(std::int64_t images)
{
    return std::max<std::int64_t>(4, (images + 63) / 64);
}

struct ConvJob
{
    convpool::ConvShape shape;
    std::int64_t top = 0, left = 0, height = 0, width = 0; ///< padding, and the picture without it
    bool padded() const { return shape.height != height || shape.width != width; }

    ConvJob(const Tensor& x, const Tensor& weight, const ConvOp& op)
    {
        height = x.size(2), width = x.size(3);
        top = op.padBefore[0], left = op.padBefore[1];
        shape.height = height + top + op.padAfter[0];
        shape.width = width + left + op.padAfter[1];
        shape.channels = x.size(1);
        shape.filters = weight.size(0);
        shape.kernel = weight.size(2);
        shape.pooledHeight = (shape.height - shape.kernel + 1) / 2;
        shape.pooledWidth = (shape.width - shape.kernel + 1) / 2;
    }
    std::int64_t pooled() const { return shape.pooledHeight * shape.pooledWidth * shape.filters; }
    std::int64_t weights() const { return shape.kernel * shape.kernel * shape.channels * shape.filters; }

    /// The picture with its padding, in `room` if it needs any.
    const float* picture(const float* image, std::vector<float>& room) const
    {
        if (!padded()) return image;
        room.assign(static_cast<std::size_t>(shape.height * shape.width * shape.channels), 0.0f);
        const std::size_t row = static_cast<std::size_t>(width * shape.channels);
        for (std::int64_t y = 0; y < height; ++y)
            std::memcpy(room.data() + ((y + top) * shape.width + left) * shape.channels, image + y * static_cast<std::int64_t>(row), row * sizeof(float));
        return room.data();
    }
};

const float* dataOf(const Tensor& tensor)
{
    return tensor.defined() ? tensor.const_data_ptr<float>() : nullptr;
}

class ConvPool : public torch::autograd::Function<ConvPool>
{
  public:
    static Tensor forward(AutogradContext* ctx, const Tensor& input, const Tensor& weight, const std::optional<Tensor>& bias, const ConvOp& op, double slope, bool learns)
    {
        const Tensor x = lastChannels(input);
        const ConvJob job(x, weight, op);
        const std::int64_t images = x.size(0);
        Tensor out = emptyTensor({images, job.shape.filters, job.shape.pooledHeight, job.shape.pooledWidth}, x.device(), true);
        Tensor index = learns ? at::empty({images, job.pooled()}, at::TensorOptions().dtype(at::kByte)) : Tensor();
        const Tensor packed = weight.permute({2, 3, 1, 0}).contiguous();
        const float *from = dataOf(x), *w = dataOf(packed), *b = bias ? dataOf(*bias) : nullptr;
        float* to = out.data_ptr<float>();
        std::uint8_t* places = learns ? index.data_ptr<std::uint8_t>() : nullptr;
        const std::int64_t picture = x.size(1) * x.size(2) * x.size(3);
        at::parallel_for(0, images, 4, [&](std::int64_t begin, std::int64_t end) {
            std::vector<float> room;
            for (std::int64_t i = begin; i < end; ++i)
                convpool::kernels().convForward(job.shape, job.picture(from + i * picture, room), w, b, static_cast<float>(slope), to + i * job.pooled(),
                                                places ? places + i * job.pooled() : nullptr);
        });
        if (!learns) return out;
        ctx->save_for_backward({x, weight});
        ctx->saved_data["index"] = index;
        ctx->saved_data["bias"] = bias.has_value();
        ctx->saved_data["slope"] = slope;
        ctx->saved_data["padding"] = paddingOf(op);
        return out;
    }

    static variable_list backward(AutogradContext* ctx, const variable_list& gradients)
    {
        const variable_list saved = ctx->get_saved_variables();
        const Tensor &x = saved[0], &weight = saved[1];
        const std::vector<std::int64_t> padding = ctx->saved_data["padding"].toIntVector();
        ConvOp op;
        op.padBefore = {padding[0], padding[1]};
        op.padAfter = {padding[2], padding[3]};
        const ConvJob job(x, weight, op);
        const Tensor index = ctx->saved_data["index"].toTensor(), gradient = lastChannels(gradients[0]);
        const bool hasBias = ctx->saved_data["bias"].toBool();
        const auto slope = static_cast<float>(ctx->saved_data["slope"].toDouble());

        const std::int64_t images = x.size(0), group = groupOf(images), groups = (images + group - 1) / group;
        const std::int64_t picture = x.size(1) * x.size(2) * x.size(3), size = job.weights() + job.shape.filters;
        std::vector<float> parts(static_cast<std::size_t>(groups * size), 0.0f);
        const float *from = dataOf(x), *g = dataOf(gradient);
        const std::uint8_t* places = index.const_data_ptr<std::uint8_t>();
        at::parallel_for(0, groups, 1, [&](std::int64_t begin, std::int64_t end) {
            std::vector<float> room;
            for (std::int64_t at = begin; at < end; ++at) {
                float* dw = parts.data() + at * size;
                for (std::int64_t i = at * group; i < std::min(images, (at + 1) * group); ++i)
                    convpool::kernels().convBackward(job.shape, job.picture(from + i * picture, room), g + i * job.pooled(), places + i * job.pooled(), slope,
                                                     dw, dw + job.weights());
            }
        });
        Tensor sums = at::empty({size}, x.options());
        sumGroups(parts.data(), groups, size, 0, size, sums.data_ptr<float>());
        Tensor dw = at::empty_like(weight);
        dw.copy_(sums.narrow(0, 0, job.weights()).view({weight.size(2), weight.size(3), weight.size(1), weight.size(0)}).permute({3, 2, 0, 1}));
        Tensor db = hasBias ? sums.narrow(0, job.weights(), job.shape.filters).clone() : Tensor();
        return {Tensor(), dw, db, Tensor(), Tensor(), Tensor()};
    }
};

convpool::PoolShape poolShape(const Tensor& x)
{
    return {x.size(2), x.size(3), x.size(1)};
}

class Pool : public torch::autograd::Function<Pool>
{
  public:
    static Tensor forward(AutogradContext* ctx, const Tensor& input, const std::optional<Tensor>& bias, double slope, bool learns)
    {
        const Tensor x = lastChannels(input);
        const convpool::PoolShape shape = poolShape(x);
        const std::int64_t images = x.size(0), map = x.size(1) * x.size(2) * x.size(3), pooled = x.size(1) * (x.size(2) / 2) * (x.size(3) / 2);
        Tensor out = emptyTensor({images, x.size(1), x.size(2) / 2, x.size(3) / 2}, x.device(), true);
        Tensor index = learns ? at::empty({images, pooled}, at::TensorOptions().dtype(at::kByte)) : Tensor();
        const float *from = dataOf(x), *b = bias ? dataOf(*bias) : nullptr;
        float* to = out.data_ptr<float>();
        std::uint8_t* places = learns ? index.data_ptr<std::uint8_t>() : nullptr;
        at::parallel_for(0, images, 4, [&](std::int64_t begin, std::int64_t end) {
            for (std::int64_t i = begin; i < end; ++i)
                convpool::kernels().poolForward(shape, from + i * map, b, static_cast<float>(slope), to + i * pooled, places ? places + i * pooled : nullptr);
        });
        if (!learns) return out;
        ctx->saved_data["index"] = index;
        ctx->saved_data["bias"] = bias.has_value();
        ctx->saved_data["slope"] = slope;
        ctx->saved_data["sizes"] = x.sizes().vec();
        return out;
    }

    static variable_list backward(AutogradContext* ctx, const variable_list& gradients)
    {
        const Tensor gradient = lastChannels(gradients[0]), index = ctx->saved_data["index"].toTensor();
        const bool hasBias = ctx->saved_data["bias"].toBool();
        const auto slope = static_cast<float>(ctx->saved_data["slope"].toDouble());
        const std::vector<std::int64_t> sizes = ctx->saved_data["sizes"].toIntVector();
        Tensor dx = emptyTensor(sizes, gradient.device(), true);
        const convpool::PoolShape shape = poolShape(dx);
        const std::int64_t images = sizes[0], channels = sizes[1], map = channels * sizes[2] * sizes[3], pooled = gradient.numel() / std::max<std::int64_t>(1, images);
        const std::int64_t group = groupOf(images), groups = (images + group - 1) / group;
        std::vector<float> parts(hasBias ? static_cast<std::size_t>(groups * channels) : 0, 0.0f);
        const float* g = dataOf(gradient);
        const std::uint8_t* places = index.const_data_ptr<std::uint8_t>();
        float* to = dx.data_ptr<float>();
        at::parallel_for(0, groups, 1, [&](std::int64_t begin, std::int64_t end) {
            for (std::int64_t at = begin; at < end; ++at)
                for (std::int64_t i = at * group; i < std::min(images, (at + 1) * group); ++i)
                    convpool::kernels().poolBackward(shape, g + i * pooled, places + i * pooled, slope, to + i * map, hasBias ? parts.data() + at * channels : nullptr);
        });
        Tensor db;
        if (hasBias) {
            db = at::empty({channels}, gradient.options());
            sumGroups(parts.data(), groups, channels, 0, channels, db.data_ptr<float>());
        }
        return {dx, db, Tensor(), Tensor()};
    }
};

} // namespace

Tensor convPool(const Tensor& x, const Tensor& weight, const Tensor& bias, const ConvOp& op, double slope)
{
    const bool learns = at::GradMode::is_enabled() && (learning(weight) || learning(bias));
    return ConvPool::apply(x, weight, given(bias), op, slope, learns);
}

Tensor pool(const Tensor& x, const Tensor& bias, double slope)
{
    const bool learns = at::GradMode::is_enabled() && (learning(x) || learning(bias));
    return Pool::apply(x, given(bias), slope, learns);
}

} // namespace sconce::engine
