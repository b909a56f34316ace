// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
// How the steps of a run are told to the device: each operator every time, or all of them as a graph that was captured once. Chosen by
// trying both when the run starts, kept with the run (rule 8). Private to the engine.

#include "core/base/json.h"

#include <ATen/core/Tensor.h>

#include <optional>
#include <string>
#include <vector>

namespace sconce::engine {

struct StepChoice
{
    bool captured = false;
    double speedup = 0;  ///< eager time by captured time; 0: not measured
    std::string because; ///< a sentence; empty where there was nothing to choose

    /// "step", "step_speedup", "step_because"; fromJson() reads them again.
    void write(Json& choices) const;
    /// Of an earlier attempt; that of a run which began before there was a choice is eager. Nothing: there was none.
    static std::optional<StepChoice> fromJson(const Json& choices);
};

/// What trying showed.
struct StepTrial
{
    double eagerSeconds = 0, capturedSeconds = 0; ///< a step
    double apart = 0; ///< captured from eager, as a share of what the steps changed (changedApart()); 0: the same to the last bit
    double noise = 0; ///< the same of two eager tries: there are devices that sum in another order each time
    double allowed = 0;
};
/// Captured where that is right and at least a fiftieth faster.
StepChoice judge(const StepTrial& trial);

/// How far two ways came apart on from one start, as a share of how far the first one went; infinite where they cannot be compared. The
/// groups (weights, state of the optimiser, losses …) are looked at each by itself, and the furthest apart counts. Waits for the device.
using TensorGroups = std::vector<std::vector<at::Tensor>>;
double changedApart(const TensorGroups& start, const TensorGroups& first, const TensorGroups& second);

} // namespace sconce::engine
