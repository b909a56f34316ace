// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/recipe/estimate.h"

#include <algorithm>

namespace sconce {

namespace {

/// Numbers that the optimiser keeps per parameter.
double optimiserStates(const Configured& optimiser)
{
    const OptionEntry* entry = findOption(optimiserEntries(), optimiser.type);
    if (!entry) return 0;
    const auto isSet = [&](const char* id) {
        const ParamValue& value = valueOf(entry->params, optimiser.params, id);
        if (const bool* flag = std::get_if<bool>(&value)) return *flag;
        const double* number = std::get_if<double>(&value);
        return number && *number > 0;
    };
    if (entry->id == "sgd") return isSet("momentum") ? 1 : 0;
    if (entry->id == "rmsprop") return 1 + (isSet("momentum") ? 1 : 0) + (isSet("centered") ? 1 : 0);
    if (entry->id == "adagrad" || entry->id == "lion") return 1;
    return 2; // Muon: one for the matrices, two for the rest
}

/// To whole bytes, without overflow.
std::uint64_t clamped(double bytes)
{
    return bytes >= 9e18 ? std::uint64_t{9'000'000'000'000'000'000} : static_cast<std::uint64_t>(std::max(0.0, bytes));
}

} // namespace

std::optional<Estimate> estimate(const Recipe& recipe, const StackReport& report, const DataFacts& data)
{
    if (!report.ok() || recipe.training.batchSize < 1) return std::nullopt;
    Estimate result;
    result.parameters = report.parameters;
    const double parameterBytes = static_cast<double>(report.parameters) * 4;
    result.parameterBytes = clamped(parameterBytes);
    result.samples = splitCounts(data.trainingCount, data.testCount, recipe.data.split, data.validationCount);
    const double batch = static_cast<double>(std::min(recipe.training.batchSize, std::max<std::int64_t>(1, result.samples.training)));
    double largest = static_cast<double>(data.input.elements());
    for (const LayerReport& layer : report.layers)
        if (layer.output) largest = std::max(largest, static_cast<double>(layer.output->elements()));
    // Per sample: what is kept for the backward pass, the input, its label, and two gradients on their way.
    const double perSample = static_cast<double>(report.cost.activationBytes) + 4 * static_cast<double>(data.input.elements()) + 8 + 2 * 4 * largest;
    result.memoryBytes = clamped(parameterBytes * (2 + optimiserStates(recipe.training.optimiser)) + batch * perSample);
    result.flopPerStep = 2.0 * static_cast<double>(report.cost.trainingMacs) * batch;
    result.stepsPerEpoch = (result.samples.training + recipe.training.batchSize - 1) / recipe.training.batchSize;
    return result;
}

} // namespace sconce
