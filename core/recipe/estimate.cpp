// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/recipe/estimate.h"

#include "core/base/text.h"
#include "core/recipe/task.h"

#include <algorithm>

namespace sconce {

namespace {

/// To whole bytes, without overflow.
std::uint64_t clamped(double bytes)
{
    return bytes >= 9e18 ? std::uint64_t{9'000'000'000'000'000'000} : static_cast<std::uint64_t>(std::max(0.0, bytes));
}

/// As the trainer validates and tests: in batches of at least 256 answers.
std::int64_t evaluatedAtOnce(std::int64_t batch, std::int64_t answers, const SplitCounts& samples)
{
    return std::min(std::max<std::int64_t>(batch, 256 / answers), std::max<std::int64_t>({1, samples.validation, samples.test}));
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
    const double pieces = static_cast<double>(wholeOf(recipe.training, "gradients", "micro_batch"));
    const double rows = pieces > 0 ? std::min(pieces, batch) : batch;
    if (const auto plan = lower(recipe.stack, data.input))
        result.memory = forecastMemory(recipe, *plan, static_cast<std::int64_t>(rows), evaluatedAtOnce(recipe.training.batchSize, answersPerSample(recipe.task, data.input), result.samples),
                                       result.samples.training % recipe.training.batchSize);
    result.memoryBytes = result.memory.total();
    result.flopPerStep = 2.0 * static_cast<double>(report.cost.trainingMacs) * batch * (1 + result.memory.recomputing);
    result.stepsPerEpoch = (result.samples.training + recipe.training.batchSize - 1) / recipe.training.batchSize;
    return result;
}

std::optional<RecomputingEstimate> recomputingEstimate(const Recipe& recipe, const StackReport& report, const DataFacts& data)
{
    Recipe on = recipe;
    setOption(on.training, "memory", "recompute", std::string("blocks"));
    const auto all = estimate(on, report, data);
    if (!all) return std::nullopt;
    const MemoryForecast& memory = all->memory;
    if (memory.withoutRecomputing <= memory.total()) return RecomputingEstimate{};
    return RecomputingEstimate{memory.withoutRecomputing - memory.total(), memory.recomputing};
}

std::string recomputingText(const RecomputingEstimate& estimate, bool on)
{
    if (estimate.saves == 0) return on ? "nothing is computed again: it would save too little here" : "would save too little here to be done";
    const std::string saves = bytesText(estimate.saves), time = percentText(estimate.time, 0);
    return on ? "saves about " + saves + ", and a step takes about " + time + " longer (estimates)" : "would save about " + saves + ", and a step would take about " + time + " longer (estimates)";
}

} // namespace sconce
