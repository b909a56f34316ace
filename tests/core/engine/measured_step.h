// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
// One forward and backward pass through the executor with every byte of its tensors counted: beside core/model/memory.h.

#include "counting_allocator.h"

#include "core/engine/backend/executor.h"
#include "core/engine/backend/tensors.h"

#include <ATen/Functions.h>

namespace sconce::test {

struct MeasuredStep
{
    double kept = 0; ///< bytes alive between the two passes, beyond weights
    double peak = 0; ///< at the fullest moment
};

/// Cross-entropy, at each position where there are positions. The second of two rounds.
inline MeasuredStep measuredStep(const ExecutionPlan& execution, std::int64_t rows)
{
    using at::Tensor;
    CountingAllocator& counter = CountingAllocator::install();
    std::vector<Tensor> parameters, buffers;
    for (const ParameterSpec& spec : execution.plan.parameters)
        parameters.push_back(engine::emptyTensor(spec.shape, at::kCPU, execution.channelsLast).fill_(0.01).set_requires_grad(spec.trainable));
    for (const BufferSpec& spec : execution.plan.buffers) buffers.push_back(at::full(spec.shape, spec.initial));
    const ValueType& input = execution.plan.values[static_cast<std::size_t>(execution.plan.input)].type;
    const ValueType& output = execution.plan.values[static_cast<std::size_t>(execution.plan.output)].type;
    std::vector<std::int64_t> sizes = input.sizes();
    sizes.insert(sizes.begin(), rows);
    MeasuredStep result;
    for (int round = 0; round < 2; ++round) {
        for (Tensor& parameter : parameters) parameter.mutable_grad().reset();
        std::vector<Tensor> staged(buffers.size());
        const double before = static_cast<double>(counter.now());
        const Tensor x = isSymbols(input) ? at::zeros(sizes, at::kLong) : engine::emptyTensor(sizes, at::kCPU, execution.channelsLast).fill_(0.5);
        const Tensor targets = at::zeros({rows * (hasPositions(output) ? output.dims[0].size : 1)}, at::kLong);
        engine::RunContext context;
        context.parameters = parameters;
        context.buffers = buffers;
        context.staged = &staged;
        context.training = true;
        counter.restart();
        {
            const auto rowsOf = [](const Tensor& answers) { return answers.reshape({-1, answers.size(-1)}); };
            Tensor loss = at::cross_entropy_loss(rowsOf(engine::runPlan(execution, x, context)), targets);
            result.kept = static_cast<double>(counter.now()) - before;
            loss.backward();
        }
        result.peak = static_cast<double>(counter.peak()) - before;
    }
    return result;
}

} // namespace sconce::test
