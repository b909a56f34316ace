// SPDX-License-Identifier: GPL-3.0-or-later
// The memory of a run, by the same passes that the engine will make and a walk over what they give.
#include "core/base/text.h"
#include "core/model/memory.h"
#include "core/recipe/estimate.h"

#include <algorithm>

namespace sconce {

namespace {

constexpr double floatBytes = 4;

/// Numbers that the optimiser keeps beside all weights.
double optimiserStates(const Recipe& recipe, const Plan& plan)
{
    const Configured& optimiser = recipe.training.optimiser;
    const OptionEntry* entry = findOption(optimiserEntries(), optimiser.type);
    if (!entry) return 0;
    const auto isSet = [&](const char* id) {
        const ParamValue& value = valueOf(entry->params, optimiser.params, id);
        if (const bool* flag = std::get_if<bool>(&value)) return *flag;
        const double* number = std::get_if<double>(&value);
        return number && *number > 0;
    };
    const double trainable = static_cast<double>(plan.trainableCount());
    if (entry->id == "sgd") return isSet("momentum") ? trainable : 0;
    if (entry->id == "rmsprop") return trainable * (1 + (isSet("momentum") ? 1 : 0) + (isSet("centered") ? 1 : 0));
    if (entry->id == "adagrad" || entry->id == "lion") return trainable;
    return 2 * trainable; // Muon: one for the matrices, two for the rest
}

PassOptions passesOf(const Recipe& recipe)
{
    PassOptions options;
    const bool gpu = recipe.device.starts_with("cuda"); // not known yet: a CPU, which takes a little more
    options.channelsLast = !gpu && flagOf(recipe.training, "speed", "channels_last");
    options.poolsFirst = flagOf(recipe.training, "speed", "pools_first");
    options.fuse = !gpu && flagOf(recipe.training, "speed", "fused_blocks");
    const std::string& compute = wordOf(recipe.training, "precision", "compute");
    options.products = compute == "bf16" ? DType::BF16 : compute == "fp16" ? DType::F16 : DType::F32;
    options.poolsFollow = gpu;
    options.recompute = wordOf(recipe.training, "memory", "recompute") == "blocks";
    return options;
}

/// Whether a GPU will try the step as a CUDA graph (SessionImpl::whyEager()). What comes of that is known when the run starts.
bool mayBeCaptured(const Recipe& recipe, const Plan& plan, std::int64_t rows)
{
    if (dropsAnything(plan) && !flagOf(recipe.training, "speed", "counted_dropout")) return false;
    return recipe.device.starts_with("cuda") && flagOf(recipe.training, "speed", "cuda_graph") && rows == recipe.training.batchSize &&
           wholeOf(recipe.training, "gradients", "micro_batch") == 0 && wordOf(recipe.training, "memory", "recompute") != "blocks";
}

std::uint64_t whole(double bytes)
{
    return bytes >= 9e18 ? std::uint64_t{9'000'000'000'000'000'000} : static_cast<std::uint64_t>(std::max(0.0, bytes));
}

/// Beyond weights and states, at the fullest moment of training.
struct Beyond { double step = 0, validation = 0; double all() const { return std::max(step, validation); } };

Beyond beyond(const ExecutionPlan& training, const ExecutionPlan& looking, double gradients, std::int64_t rows, std::int64_t evaluated, bool pieces)
{
    const StepMemory step = stepMemory(training, rows, true), evaluation = stepMemory(looking, evaluated, false);
    double largest = 0; // of a later piece, before it is added to the gradient of those before
    for (const ParameterSpec& spec : training.plan.parameters)
        if (pieces && spec.trainable) largest = std::max(largest, floatBytes * static_cast<double>(spec.elements()));
    const double most = std::max(step.peak + largest, step.batch + gradients);
    return {most, step.batch + evaluation.peak};
}

} // namespace

std::uint64_t MemoryForecast::total() const
{
    double sum = 0;
    for (const std::uint64_t part : {parameters, gradients, optimiser, average, activations, workspace, graph}) sum += static_cast<double>(part);
    return whole(sum);
}

std::string memoryText(const MemoryForecast& forecast)
{
    std::string text;
    const std::pair<const char*, std::uint64_t> parts[] = {{"weights", forecast.parameters}, {"gradients", forecast.gradients}, {"optimiser", forecast.optimiser},
                                                           {"average", forecast.average}, {"activations", forecast.activations}, {"workspace", forecast.workspace},
                                                           {"kept by the CUDA graph", forecast.graph}};
    for (const auto& [name, bytes] : parts)
        if (bytes > 0) text += (text.empty() ? "" : ", ") + std::string(name) + " " + bytesText(bytes);
    if (forecast.withoutRecomputing > forecast.total())
        text += ". Computing again saves " + bytesText(forecast.withoutRecomputing - forecast.total()) + " and adds " + percentText(forecast.recomputing) + " of arithmetic, so that a step takes about " + percentText(forecast.recomputing, 0) + " longer";
    return text;
}

MemoryForecast forecastMemory(const Recipe& recipe, const Plan& plan, std::int64_t rows, std::int64_t evaluated, std::int64_t last)
{
    MemoryForecast result;
    double statistics = 0;
    for (const BufferSpec& buffer : plan.buffers) {
        double count = 1;
        for (const std::int64_t size : buffer.shape) count *= static_cast<double>(size);
        statistics += 2 * floatBytes * count; // as they are, and as the step would leave them
    }
    const double gradients = floatBytes * static_cast<double>(plan.trainableCount());
    result.parameters = whole(floatBytes * static_cast<double>(plan.parameterCount()) + statistics);
    result.gradients = whole(gradients);
    result.optimiser = whole(floatBytes * optimiserStates(recipe, plan));
    if (realOf(recipe.training, "averaging", "decay") > 0) result.average = whole(floatBytes * static_cast<double>(plan.parameterCount()));

    PassOptions options = passesOf(recipe);
    const ExecutionPlan training = prepare(plan, options);
    options.products = DType::F32;
    options.recompute = false;
    const ExecutionPlan looking = prepare(plan, options);
    const Beyond now = beyond(training, looking, gradients, rows, evaluated, rows < recipe.training.batchSize);
    result.activations = whole(now.step - gradients);
    result.workspace = whole(now.all() - now.step);
    if (mayBeCaptured(recipe, plan, rows)) {
        // Its activations and gradients stay reserved, and nobody else can have them: the fullest of what is not captured comes on top.
        const double beside = std::max(now.validation, last > 0 ? beyond(training, looking, gradients, last, evaluated, false).step : 0);
        result.graph = whole(now.step + beside - now.all());
    }
    if (training.segments.empty()) return result;

    ExecutionPlan keeping = training;
    keeping.segments.clear();
    const double without = beyond(keeping, looking, gradients, rows, evaluated, rows < recipe.training.batchSize).all();
    result.withoutRecomputing = whole(static_cast<double>(result.total()) + without - now.all());
    result.recomputing = recomputedShare(training);
    return result;
}

} // namespace sconce
