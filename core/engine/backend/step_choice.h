// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
// How the steps of a run are told to the device: each operator every time, or all of them as a graph that was captured once, of one step
// or of several. Chosen by trying when the run starts, kept with the run (rule 8). Private to the engine.

#include "core/base/json.h"

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace sconce::engine {

struct StepChoice
{
    bool captured = false;
    std::int64_t together = 1; ///< captured: steps a replay
    double speedup = 0;  ///< eager time by captured time; 0: not measured
    std::string because; ///< a sentence; empty where there was nothing to choose

    /// "step", "steps_per_replay", "step_speedup", "step_because"; fromJson() reads them again.
    void write(Json& choices) const;
    /// Of an earlier attempt; that of a run which began before there was a choice is eager. Nothing: there was none.
    static std::optional<StepChoice> fromJson(const Json& choices);
};

/// What trying showed of two ways: eager and captured; or captured alone, which is the `eager` one then, and several together.
struct StepTrial
{
    double eagerSeconds = 0, capturedSeconds = 0; ///< a step
    double apart = 0; ///< captured from eager, as a share of what the steps changed (changedApart()); 0: the same to the last bit
    double noise = 0; ///< the same of two eager tries: there are devices that sum in another order each time
    double allowed = 0;
};
/// Captured where that is right and at least a fiftieth faster.
StepChoice judge(const StepTrial& trial);
/// How many steps of so many seconds are worth trying in one replay: a power of two, at most `most`, and a hundredth of a second in all,
/// so that who asks for something is not kept waiting.
std::int64_t stepsTogether(double seconds, std::int64_t most);
/// What judge() said of `one`, captured, with so many together where that is right and at least another fiftieth faster.
StepChoice judgeTogether(const StepTrial& one, const StepTrial& several, std::int64_t together);

/// How far two ways came apart on from one start, as a share of how far the first one went; infinite where they cannot be compared. The
/// groups (weights, state of the optimiser, losses …) are looked at each by itself, and the furthest apart counts. Waits for the device.
using TensorGroups = std::vector<std::vector<at::Tensor>>;
double changedApart(const TensorGroups& start, const TensorGroups& first, const TensorGroups& second);

} // namespace sconce::engine
