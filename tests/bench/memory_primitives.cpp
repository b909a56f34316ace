// SPDX-License-Identifier: GPL-3.0-or-later
// What each primitive really keeps, beside what the forecast believes: kept for the backward pass, and the peak of one step, in
// bytes of tensors alive. `sconce_bench_memory_primitives` prints a row per small network.
#include "tests/core/engine/counting_allocator.h"
#include "tests/core/engine/engine_support.h"

#include "core/engine/backend/executor.h"
#include "core/engine/backend/initialise.h"
#include "core/engine/backend/loss.h"
#include "core/engine/backend/tensors.h"
#include "core/model/memory.h"

#include <ATen/Functions.h>

using namespace sconce;
using namespace sconce::test;
using namespace sconce::engine;
using at::Tensor;

namespace {

struct Measured { double kept = 0, peak = 0; };

Measured measure(const ExecutionPlan& execution, std::int64_t rows)
{
    CountingAllocator& counter = CountingAllocator::install();
    std::vector<Tensor> parameters, buffers;
    for (const ParameterSpec& spec : execution.plan.parameters) parameters.push_back(emptyTensor(spec.shape, at::kCPU, execution.channelsLast).fill_(0.01).set_requires_grad(spec.trainable));
    for (const BufferSpec& spec : execution.plan.buffers) buffers.push_back(at::full(spec.shape, spec.initial));
    Measured result;
    for (int round = 0; round < 2; ++round) {
        for (Tensor& parameter : parameters) parameter.mutable_grad().reset();
        std::vector<Tensor> staged(buffers.size());
        const double before = static_cast<double>(counter.now());
        std::vector<std::int64_t> sizes = execution.plan.values[static_cast<std::size_t>(execution.plan.input)].type.sizes();
        sizes.insert(sizes.begin(), rows);
        const Tensor x = emptyTensor(sizes, at::kCPU, execution.channelsLast).fill_(0.5), targets = at::zeros({rows}, at::kLong);
        RunContext context;
        context.parameters = parameters;
        context.buffers = buffers;
        context.staged = &staged;
        context.training = true;
        counter.restart();
        {
            Tensor loss = at::cross_entropy_loss(runPlan(execution, x, context), targets);
            result.kept = static_cast<double>(counter.now()) - before;
            loss.backward();
        }
        result.peak = static_cast<double>(counter.peak()) - before;
    }
    return result;
}

} // namespace

int main(int argc, char** argv)
{
    const char* head = R"({"type":"flatten"},{"type":"dense","units":10})";
    const std::vector<std::pair<const char*, const char*>> nets{
        {"conv (input)", R"({"type":"conv2d","filters":16,"padding":"same"},)"},
        {"conv conv", R"({"type":"conv2d","filters":16,"padding":"same"},{"type":"conv2d","filters":16,"padding":"same"},)"},
        {"conv relu conv relu", R"({"type":"conv2d","filters":16,"padding":"same","activation":"relu"},{"type":"conv2d","filters":16,"padding":"same","activation":"relu"},)"},
        {"conv conv, big weights", R"({"type":"conv2d","filters":64,"padding":"same"},{"type":"conv2d","filters":256,"kernel":[3,3],"padding":"same"},)"},
        {"conv conv stride 2", R"({"type":"conv2d","filters":16,"padding":"same"},{"type":"conv2d","filters":16,"padding":"same","stride":[2,2]},)"},
        {"conv, even kernel conv", R"({"type":"conv2d","filters":16,"padding":"same"},{"type":"conv2d","filters":16,"padding":"same","kernel":[2,2]},)"},
        {"conv norm relu", R"({"type":"conv2d","filters":16,"padding":"same"},{"type":"batch_norm"},{"type":"relu"},)"},
        {"conv norm relu conv norm relu", R"({"type":"conv2d","filters":16,"padding":"same"},{"type":"batch_norm"},{"type":"relu"},{"type":"conv2d","filters":16,"padding":"same"},{"type":"batch_norm"},{"type":"relu"},)"},
        {"conv group norm", R"({"type":"conv2d","filters":16,"padding":"same"},{"type":"group_norm","groups":4},)"},
        {"conv max pool (fused)", R"({"type":"conv2d","filters":16,"padding":"same","activation":"relu"},{"type":"max_pool2d"},)"},
        {"conv pool conv pool (fused)", R"({"type":"conv2d","filters":16,"padding":"same","activation":"relu"},{"type":"max_pool2d"},{"type":"conv2d","filters":32,"padding":"same","activation":"relu"},{"type":"max_pool2d"},)"},
        {"conv max pool 3 (torch)", R"({"type":"conv2d","filters":16,"padding":"same","activation":"relu"},{"type":"max_pool2d","kernel":[3,3]},)"},
        {"conv average pool", R"({"type":"conv2d","filters":16,"padding":"same"},{"type":"average_pool2d"},)"},
        {"conv gelu", R"({"type":"conv2d","filters":16,"padding":"same"},{"type":"gelu"},)"},
        {"conv sigmoid", R"({"type":"conv2d","filters":16,"padding":"same"},{"type":"sigmoid"},)"},
        {"conv dropout", R"({"type":"conv2d","filters":16,"padding":"same"},{"type":"dropout"},)"},
        {"residual", R"({"type":"conv2d","filters":16,"padding":"same"},{"type":"batch_norm"},{"type":"relu"},{"type":"residual","activation":"relu","branches":[[{"type":"conv2d","filters":16,"padding":"same"},{"type":"batch_norm"}]]},)"},
        {"parallel", R"({"type":"conv2d","filters":16,"padding":"same"},{"type":"parallel","branches":[[{"type":"conv2d","filters":16,"padding":"same"}],[{"type":"relu"}]]},)"},
        {"transposed", R"({"type":"conv2d","filters":16,"padding":"same"},{"type":"conv2d_transpose","filters":16,"padding":"same"},)"},
        {"flatten dense dense", R"({"type":"flatten"},{"type":"dense","units":256,"activation":"relu"},{"type":"dense","units":256,"activation":"gelu"},)"},
        {"flatten dense dropout", R"({"type":"flatten"},{"type":"dense","units":256,"activation":"relu"},{"type":"dropout"},)"},
        {"flatten dense layer norm", R"({"type":"flatten"},{"type":"dense","units":256},{"type":"layer_norm"},)"}};
    const std::int64_t rows = argc > 1 ? std::atoll(argv[1]) : 64;
    std::printf("| network | type | kept, kB | believed | peak, kB | believed | off |\n|---|---|---|---|---|---|---|\n");
    for (const auto& [title, layers] : nets)
        for (const DType type : {DType::F32, DType::BF16}) {
            std::string json = std::string("[") + layers + head + "]";
            auto plan = planOf(json, imageType(3, 32, 32));
            if (!plan) {
                json = std::string("[") + layers + R"({"type":"dense","units":10}])";
                plan = planOf(json, imageType(3, 32, 32));
            }
            if (!plan) giveUp(plan.error());
            PassOptions options;
            options.products = type;
            const ExecutionPlan execution = prepare(std::move(*plan), options);
            const Measured real = measure(execution, rows);
            const StepMemory believed = stepMemory(execution, rows, true);
            std::printf("| %s | %s | %.0f | %.0f | %.0f | %.0f | %+.0f %% |\n", title, std::string(name(type)).c_str(), real.kept / 1e3, believed.kept / 1e3, real.peak / 1e3, believed.peak / 1e3,
                        100 * (believed.peak / real.peak - 1));
        }
    return 0;
}
