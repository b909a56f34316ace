// SPDX-License-Identifier: GPL-3.0-or-later
#include "app/bench/checkpoint_cost.h"

#include "core/training/run_host.h"

namespace sconce::bench {

namespace {

/// What the events of a run told.
struct Seen
{
    std::vector<double> at; ///< seconds of the run at the end of each step
    std::int64_t checkpoints = 0;
    double writingMs = 0;
};

Measured measuredFrom(const Seen& seen, std::int64_t warm, std::int64_t steps)
{
    Measured measured;
    const double seconds = seen.at[static_cast<std::size_t>(warm + steps)] - seen.at[static_cast<std::size_t>(warm)];
    measured.median = measured.mean = measured.p10 = measured.p90 = seconds / static_cast<double>(steps) * 1e3;
    measured.more = {{"checkpoints", seen.checkpoints}};
    if (seen.checkpoints > 0) measured.more["writing_ms"] = seen.writingMs / static_cast<double>(seen.checkpoints);
    return measured;
}

} // namespace

Result<Measured> measureCheckpoints(Recipe recipe, const std::string& data, const std::string& storeFolder, std::int64_t every, std::int64_t warm, std::int64_t steps, const KeepGoing& keepGoing)
{
    auto store = Store::open(storeFolder);
    if (!store) return store.error();
    recipe.training.epochs = 1000;
    recipe.training.checkpoint = {0, every, 0, 2, false};
    PrepareOptions options;
    options.dataPath = data;
    auto run = prepareRun(**store, recipe, options);
    if (!run) return run.error();
    CommandQueue commands;
    Seen seen;
    DriveOptions how;
    how.listen = false;
    auto ended = driveRun(*store, *run, how, commands, [&](const Event& event) {
        if (const auto* done = std::get_if<StepsDone>(&event.body)) {
            seen.at.insert(seen.at.end(), done->seconds.begin(), done->seconds.end());
            if (static_cast<std::int64_t>(seen.at.size()) > warm + steps || !keepGoing()) commands.requestStopFromSignal();
        }
        if (const auto* saved = std::get_if<CheckpointSaved>(&event.body); saved && saved->reason == "steps") {
            ++seen.checkpoints;
            seen.writingMs += saved->seconds * 1e3;
        }
    });
    if (!ended) return ended.error();
    SCONCE_TRY((*store)->deleteRun(*run));
    if (static_cast<std::int64_t>(seen.at.size()) <= warm + steps) {
        if (!keepGoing()) return Error{ErrorCode::Cancelled, "The measurement was stopped.", "", ""};
        return Error{ErrorCode::Internal, "The run ended before it could be measured.", "", ended->message};
    }
    return measuredFrom(seen, warm, steps);
}

} // namespace sconce::bench
