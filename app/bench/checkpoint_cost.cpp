// SPDX-License-Identifier: GPL-3.0-or-later
#include "app/bench/checkpoint_cost.h"

#include "core/base/files.h"
#include "core/training/run_host.h"

#include <cstdlib>
#include <filesystem>
#include <optional>

namespace sconce::bench {

namespace {

constexpr std::string_view historysThread = "sconce-history"; ///< as the history names its writer

/// What the events of a run told.
struct Seen
{
    std::vector<double> at; ///< seconds of the run at the end of each step
    std::int64_t checkpoints = 0;
    double writingMs = 0, writerCpuMs = 0, trainerCpuMs = 0;
    std::optional<double> historyMs, historyEndMs; ///< processor time of the history's thread when the measured steps begin and end
};

/// Processor time of this process's threads of that name; none where the system does not count it.
std::optional<double> threadsCpuMs(std::string_view name)
{
    std::optional<double> ms;
    std::error_code error;
    for (std::filesystem::directory_iterator it("/proc/self/task", error), end; !error && it != end; it.increment(error)) {
        const std::string folder = it->path().string();
        const auto comm = readTextFile(folder + "/comm", 64), times = readTextFile(folder + "/schedstat", 256);
        if (!comm || !times || std::string_view(*comm).substr(0, comm->find('\n')) != name) continue;
        const double nanoseconds = std::strtod(times->c_str(), nullptr); // the first of three
        if (nanoseconds > 0) ms = ms.value_or(0) + nanoseconds * 1e-6;
    }
    return ms;
}

Measured measuredFrom(const Seen& seen, std::int64_t warm, std::int64_t steps)
{
    Measured measured;
    const double seconds = seen.at[static_cast<std::size_t>(warm + steps)] - seen.at[static_cast<std::size_t>(warm)];
    measured.median = measured.mean = measured.p10 = measured.p90 = seconds / static_cast<double>(steps) * 1e3;
    measured.more = {{"checkpoints", seen.checkpoints}};
    measured.more["history_cpu_ms_per_step"] = seen.historyMs && seen.historyEndMs ? Json((*seen.historyEndMs - *seen.historyMs) / static_cast<double>(steps)) : Json();
    if (seen.checkpoints == 0) return measured;
    const auto each = static_cast<double>(seen.checkpoints);
    measured.more["writing_ms"] = seen.writingMs / each;
    measured.more["writer_cpu_ms"] = seen.writerCpuMs / each;
    measured.more["trainer_cpu_ms"] = seen.trainerCpuMs / each;
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
            if (!seen.historyMs && static_cast<std::int64_t>(seen.at.size()) > warm) seen.historyMs = threadsCpuMs(historysThread);
            if (!seen.historyEndMs && static_cast<std::int64_t>(seen.at.size()) > warm + steps) seen.historyEndMs = threadsCpuMs(historysThread);
            if (static_cast<std::int64_t>(seen.at.size()) > warm + steps || !keepGoing()) commands.requestStopFromSignal();
        }
        if (const auto* saved = std::get_if<CheckpointSaved>(&event.body); saved && saved->reason == "steps") {
            ++seen.checkpoints;
            seen.writingMs += saved->seconds * 1e3;
            seen.writerCpuMs += saved->writerCpuSeconds * 1e3;
            seen.trainerCpuMs += saved->trainerCpuSeconds * 1e3;
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
