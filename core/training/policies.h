// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
// Private to training. What decides inside the loop (rule 9). Each is a pure question about the trainer's state, which is in
// the checkpoint, so a resumed run decides as the uninterrupted one would have.

#include "core/training/checkpoint.h"

#include <algorithm>
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
    /// Asked after each step.
    bool dueBySteps(const TrainerState& state) const { return settings.everySteps > 0 && state.step % settings.everySteps == 0; }
    /// Asked when an epoch has been closed.
    bool dueByEpochs(const TrainerState& state) const { return settings.everyEpochs > 0 && state.epoch % settings.everyEpochs == 0; }
};

/// Ends a run that no longer gets better (Keras' EarlyStopping: an epoch counts as a gain if it beats the best by more than the
/// smallest gain). Also says which epoch is the best: that of the watched number, by default the lowest validation loss.
struct StoppingPolicy
{
    bool enabled = false, restoreBest = false, byAccuracy = false;
    std::int64_t patience = 0;
    double smallestGain = 0;

    explicit StoppingPolicy(const TrainingSettings& training)
        : enabled(flagOf(training, "early_stopping", "enabled"))
        , restoreBest(enabled && flagOf(training, "early_stopping", "restore_best"))
        , byAccuracy(enabled && wordOf(training, "early_stopping", "watch") == "val_accuracy")
        , patience(wholeOf(training, "early_stopping", "patience"))
        , smallestGain(realOf(training, "early_stopping", "smallest_gain"))
    {
    }
    bool isBest(const RunSummary& summary, double valLoss, double valAccuracy) const
    {
        if (byAccuracy) return std::isfinite(valAccuracy) && !(summary.bestValAccuracy >= valAccuracy);
        return std::isfinite(valLoss) && !(summary.bestValLoss <= valLoss);
    }
    StoppingState after(StoppingState state, double valLoss, double valAccuracy) const
    {
        const double now = byAccuracy ? valAccuracy : valLoss;
        if (!enabled || !std::isfinite(now)) return state;
        const bool gained = !state.best || (byAccuracy ? now > *state.best + smallestGain : now < *state.best - smallestGain);
        return gained ? StoppingState{now, 0} : StoppingState{state.best, state.waited + 1};
    }
    bool ends(const StoppingState& state) const { return enabled && state.waited >= patience; }
};

/// After running out of memory: how many samples of a batch go through the network at once, where so many were too many (0: all). 0: no
/// fewer can.
inline std::int64_t fewerAtOnce(std::int64_t batch, std::int64_t now)
{
    const std::int64_t pieces = now > 0 ? std::min(now, batch) : batch;
    return pieces > 1 ? (pieces + 1) / 2 : 0;
}

/// What is done about a loss or gradient that is NaN or infinite: nothing but stopping, or going back to the last good checkpoint with
/// a lower rate, so many times in the whole run.
struct SafetyPolicy
{
    bool goBack = false;
    double rateFactor = 1;
    std::int64_t times = 0;

    explicit SafetyPolicy(const TrainingSettings& training)
        : goBack(flagOf(training, "safety", "go_back")), rateFactor(realOf(training, "safety", "rate_factor")), times(wholeOf(training, "safety", "times"))
    {
    }
    bool mayGoBack(const TrainerState& state) const { return goBack && state.timesBack < times; }
};

/// How many steps make one event: enough that events cost nothing, few enough that curves and clocks look alive.
struct ReportPolicy
{
    static constexpr std::size_t mostSteps = 64;
    static constexpr double mostSeconds = 0.05;
    static bool due(std::size_t steps, double seconds) { return steps >= mostSteps || (steps > 0 && seconds >= mostSeconds); }
};

} // namespace sconce
