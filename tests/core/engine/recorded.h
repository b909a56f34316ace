// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
// One step through the executor with autograd looking on: output, gradients, and the types that were recorded.

#include "engine_support.h"

#include "core/engine/backend/executor.h"
#include "core/engine/backend/initialise.h"
#include "core/engine/backend/loss_scale.h"
#include "core/engine/backend/tensors.h"

#include <ATen/Functions.h>
#include <torch/csrc/autograd/function.h>

#include <map>
#include <set>

namespace sconce::test {

using at::Tensor;
using namespace sconce::engine;

/// The types that autograd recorded: "ConvolutionBackward0" → those of its results.
inline void collect(const std::shared_ptr<torch::autograd::Node>& node, std::map<std::string, std::set<at::ScalarType>>& types, std::set<torch::autograd::Node*>& seen)
{
    if (!node || !seen.insert(node.get()).second) return;
    for (std::uint32_t i = 0; i < node->num_inputs(); ++i) types[node->name()].insert(node->input_metadata(i).dtype().toScalarType());
    for (const torch::autograd::Edge& edge : node->next_edges()) collect(edge.function, types, seen);
}

struct Recorded
{
    Tensor output;
    std::vector<Tensor> gradients;
    std::map<std::string, std::set<at::ScalarType>> types;
};

/// A training step's forward and backward pass, with weights and a batch of six that are the same each time. Loss: cross-entropy, at
/// each position where there are positions.
inline Recorded record(DType products, const std::string& net, bool fuse = true, const ValueType& input = imageType(2, 12, 12))
{
    auto plan = planOf(net, input);
    if (!plan) giveUp(plan.error());
    PassOptions options;
    options.products = products;
    options.fuse = fuse;
    const ExecutionPlan execution = prepare(std::move(*plan), options);
    std::vector<Tensor> parameters, buffers, staged(execution.plan.buffers.size());
    for (std::size_t i = 0; i < execution.plan.parameters.size(); ++i) {
        Tensor tensor = emptyTensor(execution.plan.parameters[i].shape, at::kCPU, execution.channelsLast);
        const auto values = startValues(execution.plan, static_cast<ParamIndex>(i), 3);
        copyIn(tensor, std::as_bytes(std::span(values)));
        parameters.push_back(tensor.set_requires_grad(true));
    }
    for (const BufferSpec& spec : execution.plan.buffers) buffers.push_back(at::full(spec.shape, spec.initial));
    at::manual_seed(1);
    std::vector<std::int64_t> sizes = input.sizes();
    sizes.insert(sizes.begin(), 6);
    const Tensor x = isSymbols(input) ? at::randint(5, sizes, at::kLong) : emptyTensor(sizes, at::kCPU, execution.channelsLast).normal_();
    RunContext context;
    context.parameters = parameters;
    context.buffers = buffers;
    context.staged = &staged;
    context.training = true;
    context.seed = 3;
    Recorded result;
    result.output = runPlan(execution, x, context);
    std::set<torch::autograd::Node*> seen;
    collect(result.output.grad_fn(), result.types, seen);
    const LossScale scale({}, at::kCPU, false);
    const Tensor rows = result.output.reshape({-1, result.output.size(-1)});
    const Tensor loss = at::cross_entropy_loss(rows, at::arange(rows.size(0)).remainder(4));
    (products == DType::F16 ? scale.scaled(loss) : loss).backward();
    for (const Tensor& parameter : parameters) result.gradients.push_back(parameter.grad());
    if (products == DType::F16) scale.unscale(result.gradients);
    return result;
}

} // namespace sconce::test
