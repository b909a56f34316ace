// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
// Run hosts (rule 11): who executes a run that stands in the store. The same driveRun() works on a background thread of this
// process and in a child process (`sconce worker RUN --store DIR`); either listens on the Unix socket in the run folder, so
// that any window or command line can attach, replay what it missed, and pause, stop, checkpoint or amend.

#include "core/history/store.h"
#include "core/training/trainer.h"

#include <memory>

namespace sconce {

/// Makes a run ready: resolves the data set (an explicit path, the recipe's id in the store's library, or the built-in one),
/// validates the recipe against it, and creates its row and folder. Invalid with every problem's sentence in detail.
/// weights: a run of the store or a .safetensors file to start from, in place of what the recipe says (start_weights.h).
struct PrepareOptions { std::string dataPath; std::string name; ProgressFn progress; std::vector<Problem>* problems = nullptr; std::string weights = {}; };
Result<RunId> prepareRun(Store& store, Recipe recipe, const PrepareOptions& options = {});

/// Facts of this machine and the versions at work, as environment.json records them.
Json describeEnvironment();
/// Key of Store::timing() for "expected time of an epoch": the plan, what it is fed, and the device. `device` is resolved.
std::string timingKey(const Recipe& recipe, const DataFacts& data, const std::string& device);

struct DriveOptions
{
    std::string host = "thread";       ///< recorded with the attempt
    std::optional<int> epochs;         ///< train to this many epochs in all (resume, Train longer)
    bool listen = true;                ///< open the socket in the run folder
    double hardwareInterval = 1.0;     ///< seconds between HardwareRead events; 0: none
};

/// Executes (or resumes, when it has a checkpoint) a run to its end on the calling thread: takes the owner lock (Busy if another
/// trainer has it), opens data and verifies its fingerprint, opens an attempt, trains, records every event in the store and
/// passes it to `sink`. The error is that of the preparation; a failed training is a RunEnded with status failed.
Result<RunEnded> driveRun(std::shared_ptr<Store> store, const RunId& run, const DriveOptions& options, CommandQueue& commands, const EventSink& sink);

/// A run under way somewhere, as a window or command line holds it. Thread-safe; events arrive on a thread of the host's.
class RunHost
{
  public:
    virtual ~RunHost() = default; ///< thread host: asks it to stop with a checkpoint and joins; others: detaches
    virtual const RunId& run() const = 0;
    /// Sends a command; the answer comes as CommandAnswered with the id returned.
    virtual std::int64_t send(CommandBody command) = 0;
    virtual bool finished() const = 0; ///< RunEnded was delivered, or the connection is gone
    virtual bool isThread() const = 0;
    /// Waits until it has ended; false on timeout.
    virtual bool wait(double seconds) = 0;
};

std::unique_ptr<RunHost> startThreadHost(std::shared_ptr<Store> store, const RunId& run, const DriveOptions& options, EventSink sink);
/// Spawns `program worker RUN --store DIR` detached (own session, survives this process), waits for its socket, attaches.
/// `program` is the `sconce` command line beside this executable.
Result<std::unique_ptr<RunHost>> startProcessHost(std::shared_ptr<Store> store, const RunId& run, const DriveOptions& options, const std::string& program, EventSink sink);
/// As `afterSequence`: nothing that was is replayed.
inline constexpr std::int64_t fromNowOn = -1;
/// Attaches to a trainer that is alive; events from `afterSequence` on are replayed from its memory of recent events.
Result<std::unique_ptr<RunHost>> attachHost(const std::string& runFolder, const RunId& run, std::int64_t afterSequence, EventSink sink);
/// Sends one command to a live trainer and waits for its answer (command line).
Result<CommandAnswered> sendCommand(const std::string& runFolder, CommandBody command, double timeoutSeconds);

} // namespace sconce
