// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/engine/backend/attention.h"

#include "core/engine/backend/attention_kernels.h"
#include "core/engine/backend/tensors.h"

#include <ATen/Parallel.h>
#include <ATen/core/grad_mode.h>
#include <ATen/ops/empty_like.h>
#include <torch/csrc/autograd/custom_function.h>

namespace sconce::engine {
namespace {

using at::Tensor;
using shortattention::Shape;
using torch::autograd::AutogradContext;
using torch::autograd::variable_list;

Shape shapeOf(const Tensor& x, std::int64_t heads, bool causal) { return {x.size(1), heads, x.size(2) / 3 / heads, causal}; }

/// `sums` [N, heads, length] may be undefined: nothing to be learnt.
Tensor attend(const Tensor& x, const Shape& s, const Tensor& sums)
{
    const shortattention::Kernels& kernels = shortattention::kernels();
    Tensor out = emptyTensor({x.size(0), s.positions, s.all()}, at::kCPU, false);
    const float* from = x.const_data_ptr<float>();
    float *to = out.data_ptr<float>(), *logs = sums.defined() ? sums.data_ptr<float>() : nullptr;
    at::parallel_for(0, x.size(0) * s.heads, 1, [&](std::int64_t begin, std::int64_t end) {
        const Tensor room = emptyTensor({kernels.forwardRoom(s)}, at::kCPU, false);
        for (std::int64_t head = begin; head < end; ++head) {
            const std::int64_t sample = head / s.heads * s.positions * s.all();
            kernels.forward(s, from + 3 * sample, head % s.heads, room.data_ptr<float>(), to + sample, logs ? logs + head * s.positions : nullptr);
        }
    });
    return out;
}

class ShortAttention : public torch::autograd::Function<ShortAttention>
{
  public:
    static Tensor forward(AutogradContext* ctx, const Tensor& input, std::int64_t heads, bool causal)
    {
        const Tensor x = input.contiguous();
        const Shape s = shapeOf(x, heads, causal);
        const Tensor sums = emptyTensor({x.size(0), heads, s.positions}, at::kCPU, false), out = attend(x, s, sums);
        ctx->save_for_backward({x, out, sums});
        ctx->saved_data["heads"] = heads;
        ctx->saved_data["causal"] = causal;
        return out;
    }

    static variable_list backward(AutogradContext* ctx, const variable_list& gradients)
    {
        const shortattention::Kernels& kernels = shortattention::kernels();
        const variable_list saved = ctx->get_saved_variables();
        const Tensor &x = saved[0], &out = saved[1], &sums = saved[2], gradient = gradients[0].contiguous();
        const Shape s = shapeOf(x, ctx->saved_data["heads"].toInt(), ctx->saved_data["causal"].toBool());
        Tensor dx = at::empty_like(x);
        const float *from = x.const_data_ptr<float>(), *gave = out.const_data_ptr<float>(), *logs = sums.const_data_ptr<float>(), *pull = gradient.const_data_ptr<float>();
        float* to = dx.data_ptr<float>();
        at::parallel_for(0, x.size(0) * s.heads, 1, [&](std::int64_t begin, std::int64_t end) {
            const Tensor room = emptyTensor({kernels.backwardRoom(s)}, at::kCPU, false);
            for (std::int64_t head = begin; head < end; ++head) {
                const std::int64_t sample = head / s.heads * s.positions * s.all();
                kernels.backward(s, from + 3 * sample, gave + sample, logs + head * s.positions, pull + sample, head % s.heads, room.data_ptr<float>(), to + 3 * sample);
            }
        });
        return {dx, Tensor(), Tensor()};
    }
};

} // namespace

Tensor shortAttention(const Tensor& x, std::int64_t heads, bool causal)
{
    if (at::GradMode::is_enabled() && x.requires_grad()) return ShortAttention::apply(x, heads, causal);
    return attend(x.contiguous(), shapeOf(x, heads, causal), {});
}

bool fastAttention() { return shortattention::kernels().vectors; }

} // namespace sconce::engine
