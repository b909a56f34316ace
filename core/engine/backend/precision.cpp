// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/engine/backend/precision.h"

#include "core/base/clock.h"
#include "core/base/text.h"
#include "core/engine/backend/tensors.h"

#include <ATen/ops/ones_like.h>
#include <c10/core/impl/VirtualGuardImpl.h>

#include <algorithm>
#include <limits>

namespace sconce::engine {

using at::Tensor;

namespace {

constexpr int timedRounds = 3;
constexpr double worthwhile = 0.9; ///< of float32's time: less is within what a machine's mood makes
constexpr std::int64_t mostRows = 128; ///< a larger batch takes longer, but in the same proportion

DType productsOf(const std::string& name)
{
    return name == "bf16" ? DType::BF16 : name == "fp16" ? DType::F16 : DType::F32;
}

/// Seconds of the product, there and back; the best of a few.
double secondsOf(const ExecutionPlan& execution, std::size_t step, const RunContext& context, std::int64_t rows, at::Device device, DType type)
{
    const Step& product = execution.plan.steps[step];
    std::vector<std::int64_t> sizes = execution.plan.values[static_cast<std::size_t>(product.inputs[0])].type.sizes();
    sizes.insert(sizes.begin(), rows);
    Tensor x = emptyTensor(sizes, device, execution.channelsLast);
    x.fill_(0.5);
    x.set_requires_grad(product.inputs[0] != execution.plan.input);
    const c10::impl::VirtualGuardImpl guard(device.type());
    double best = std::numeric_limits<double>::infinity();
    for (int round = 0; round <= timedRounds; ++round) {
        const double start = Clock::system().monotonicSeconds();
        const Tensor y = runProduct(execution, step, x, context, type);
        if (y.requires_grad()) y.backward(at::ones_like(y));
        if (!device.is_cpu()) guard.synchronizeDevice(device.index());
        if (round > 0) best = std::min(best, Clock::system().monotonicSeconds() - start); // the first one warms up
    }
    return best;
}

} // namespace

void Precision::write(Json& choices) const
{
    choices["precision"] = name;
    if (only) choices["precision_products"] = *only;
    if (!because.empty()) choices["precision_because"] = because;
}

Precision resolvePrecision(const StepSettings& step, const Json& choices, at::Device device)
{
    Precision result;
    if (choices.is_object() && choices.contains("precision") && choices["precision"].is_string()) {
        result.name = choices["precision"].get<std::string>();
        result.products = productsOf(result.name);
        if (const auto only = choices.find("precision_products"); only != choices.end() && only->is_array()) {
            result.only.emplace();
            for (const Json& each : *only)
                if (each.is_string()) result.only->push_back(each.get<std::string>());
        }
        result.because = choices.value("precision_because", std::string());
        return result;
    }
    result.name = step.precision;
    result.products = productsOf(step.precision);
    if (step.precision == "auto") {
        result.name = "float32";
        result.undecided = true;
    } else if (step.precision == "tf32" && !device.is_cuda()) {
        result.name = "float32";
        result.because = "TF32 is a mode of NVIDIA GPUs; the CPU computes in float32.";
    }
    return result;
}

Precision measurePrecision(const ExecutionPlan& execution, const RunContext& context, std::int64_t rows, at::Device device)
{
    Precision result;
    rows = std::clamp<std::int64_t>(rows, 1, mostRows);
    std::int64_t products = 0;
    double before = 0, after = 0;
    std::vector<std::string> faster;
    for (std::size_t i = 0; i < execution.plan.steps.size(); ++i) {
        const ParamIndex weight = productWeight(execution.plan.steps[i].op);
        const bool fusedWhole = execution.fusions[i] && runsWhole(*execution.fusions[i]);
        if (weight == none || fusedWhole) continue;
        ++products;
        const double exact = secondsOf(execution, i, context, rows, device, DType::F32), reduced = secondsOf(execution, i, context, rows, device, DType::BF16);
        const bool pays = reduced < exact * worthwhile;
        before += exact;
        after += pays ? reduced : exact;
        if (pays) faster.push_back(execution.plan.parameters[static_cast<std::size_t>(weight)].name);
    }
    if (faster.empty()) {
        result.because = products == 0 ? "There is no product to compute in bfloat16." : "Measured at the start: bfloat16 is not faster here for any of " + plural(products, "product", "products") + ".";
        return result;
    }
    result.name = "bf16";
    result.products = DType::BF16;
    result.because = "Measured at the start: bfloat16 is faster for " + groupedInt(static_cast<std::int64_t>(faster.size())) + " of " + plural(products, "product", "products") +
                     ", which all together take " + realText(after * 1000, 3) + " ms instead of " + realText(before * 1000, 3) + ".";
    result.only = std::move(faster);
    return result;
}

} // namespace sconce::engine
