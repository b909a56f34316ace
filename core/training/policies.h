// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
// Private to training. What decides inside the loop (rule 9). Each is a pure question about the trainer's state, which is in
// the checkpoint, so a resumed run decides as the uninterrupted one would have.

#include "core/training/checkpoint.h"

#include <cmath>

namespace sconce {

/// When to save without being asked.
struct CheckpointPolicy
{
    CheckpointSettings settings;

    bool dueByTime(const TrainerState& state) const
    {
        return settings.everyMinutes > 0 && state.secondsTrained - state.lastSavedSeconds >= settings.everyMinutes * 60;
    }
    /// Asked when an epoch has been closed.
    bool dueByEpochs(const TrainerState& state) const { return settings.everyEpochs > 0 && state.epoch % settings.everyEpochs == 0; }
};

/// The best epoch is that of the lowest validation loss, as Keras' checkpoints have it by default.
inline bool isBest(const RunSummary& summary, double valLoss) { return std::isfinite(valLoss) && !(summary.bestValLoss <= valLoss); }

/// How many steps make one event: enough that events cost nothing, few enough that curves and clocks look alive.
struct ReportPolicy
{
    static constexpr std::size_t mostSteps = 64;
    static constexpr double mostSeconds = 0.05;
    static bool due(std::size_t steps, double seconds) { return steps >= mostSteps || (steps > 0 && seconds >= mostSeconds); }
};

} // namespace sconce
