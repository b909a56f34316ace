// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
// What a recipe will cost, before it is started: always called an estimate where it is shown. Pure function.

#include "core/recipe/recipe.h"

namespace sconce {

/// Where the memory of a training run goes, bytes of tensors. What a process takes before it has a network (LibTorch itself, a GPU's
/// context) is not in it, nor is the data set. Held within 20 % of the real peak by tests/core/engine/memory_test.cpp.
struct MemoryForecast
{
    std::uint64_t parameters = 0; ///< with the running statistics
    std::uint64_t gradients = 0, optimiser = 0;
    std::uint64_t average = 0;     ///< the weights' running average, where one is kept
    std::uint64_t activations = 0; ///< the batch (or micro-batch) at once: itself, what is kept of it for the backward pass, gradients on their way
    std::uint64_t workspace = 0;   ///< what a commit or a validation takes beyond a step
    std::uint64_t graph = 0;       ///< GPU: what a step that is captured keeps to itself while others (a validation, a smaller batch) need as much of their own
    std::uint64_t total() const;
    std::uint64_t withoutRecomputing = 0; ///< the total if nothing were computed again; 0 where nothing is
    double recomputing = 0;        ///< share of a step's arithmetic that is done a second time to save memory
};
/// `rows` samples go through the network at once while training, `evaluated` in a validation, and `last` in the smaller batch that an
/// epoch ends with; 0: it ends with a whole one.
MemoryForecast forecastMemory(const Recipe& recipe, const Plan& plan, std::int64_t rows, std::int64_t evaluated, std::int64_t last = 0);

/// "weights 139 kB, gradients 139 kB, …": the parts in words, and what computing again saves and costs.
std::string memoryText(const MemoryForecast& forecast);

struct Estimate
{
    std::int64_t parameters = 0;
    std::uint64_t parameterBytes = 0;
    std::uint64_t memoryBytes = 0;   ///< memory.total()
    MemoryForecast memory;
    double flopPerStep = 0;          ///< forward and backward (backward counted as twice forward), and what is computed again
    std::int64_t stepsPerEpoch = 0;
    SplitCounts samples;
};

/// What computing the inside of blocks again (training option memory, recompute) saves and costs; whether it is on or not.
struct RecomputingEstimate
{
    std::uint64_t saves = 0; ///< bytes at the fullest moment; 0: nothing would be computed again, as that would not save a twentieth
    double time = 0;         ///< share by which a step takes longer, by its multiply-adds: those of the forward pass that are done twice, of all
};
/// Nothing where estimate() has none. Takes the time of about thirty estimates: not for every key press.
std::optional<RecomputingEstimate> recomputingEstimate(const Recipe& recipe, const StackReport& report, const DataFacts& data);
/// "saves about 12 MiB, and a step takes about 25 % longer (estimates)"; "would save …" where it is off.
std::string recomputingText(const RecomputingEstimate& estimate, bool on);

/// Nothing if the stack has a problem or the data is unknown.
std::optional<Estimate> estimate(const Recipe& recipe, const StackReport& report, const DataFacts& data);

} // namespace sconce
