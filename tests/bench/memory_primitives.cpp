// SPDX-License-Identifier: GPL-3.0-or-later
// What each primitive really keeps, beside what the forecast believes: kept for the backward pass, and the peak of one step, in
// bytes of tensors alive. `sconce_bench_memory_primitives` prints a row per small network.
#include "tests/core/engine/engine_support.h"
#include "tests/core/engine/measured_step.h"

#include "core/model/memory.h"

using namespace sconce;
using namespace sconce::test;

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
        {"embedding positions", R"({"type":"embedding","width":128},{"type":"positions"},)"},
        {"embedding attention", R"({"type":"embedding","width":128},{"type":"self_attention"},)"},
        {"embedding norm attention norm dense", R"({"type":"embedding","width":128},{"type":"residual","branches":[[{"type":"layer_norm"},{"type":"self_attention"}]]},{"type":"residual","branches":[[{"type":"layer_norm"},{"type":"dense","units":512,"activation":"gelu"},{"type":"dense","units":128}]]},)"},
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
            if (!plan) plan = planOf(json, symbolsType(64)); // one answer at each position
            if (!plan) giveUp(plan.error());
            PassOptions options;
            options.products = type;
            const ExecutionPlan execution = prepare(std::move(*plan), options);
            const MeasuredStep real = measuredStep(execution, rows);
            const StepMemory believed = stepMemory(execution, rows, true);
            std::printf("| %s | %s | %.0f | %.0f | %.0f | %.0f | %+.0f %% |\n", title, std::string(name(type)).c_str(), real.kept / 1e3, believed.kept / 1e3, real.peak / 1e3, believed.peak / 1e3,
                        100 * (believed.peak / real.peak - 1));
        }
    return 0;
}
