// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
// How a LiveRun comes about: read from history, then events on top of it, without gap or overlap by step. Plain functions of
// values; loadLiveRun() reads the store and so never runs on the window's thread.

#include "ui/services/studio.h"

namespace sconce::ui {

/// Everything that the store knows of a run.
Result<LiveRun> loadLiveRun(Store& store, const RunId& id);

/// What an event changed.
struct Applied
{
    bool status = false; ///< another status, or the run's end
    bool gap = false;    ///< steps are missing: the history must be read again
    bool ended = false;
};
/// Adds an event. What is known already (a replay, or an overlap with the history) changes nothing.
Applied applyEvent(LiveRun& live, const Event& event);

/// Seconds until the planned epochs are done, from the pace of about the last epoch (so that validation is counted); nothing
/// where there is no pace yet.
std::optional<double> estimateSecondsLeft(const LiveRun& live);

} // namespace sconce::ui
