// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
// The loop: next batch, forward, loss, backward, commit, events. Flat and short; policies (checkpoints, NaN, limits) decide at
// fixed points and their state is in the checkpoint; watchers read events. Runs on one thread (its caller's), torch-free.

#include "core/engine/session.h"
#include "core/run/protocol.h"
#include "core/training/checkpoint.h"

#include <condition_variable>
#include <deque>
#include <mutex>
#include <optional>

namespace sconce {

/// Commands waiting for the loop. Any thread posts; the loop takes between steps and sleeps on it while paused.
class CommandQueue
{
  public:
    void post(Command command);
    std::optional<Command> take();
    Command wait();
    /// Async-signal-safe: ends the run as soon as the step is done, with a checkpoint ("signal").
    void requestStopFromSignal() noexcept;
    bool stopRequested() const noexcept;

  private:
    std::mutex m_mutex;
    std::condition_variable m_ready;
    std::deque<Command> m_commands;
    std::atomic<bool> m_signal{false};
};

struct TrainerInput
{
    Recipe recipe;               ///< valid; device resolved
    DatasetPtr data;
    std::string runFolder;
    RunId run;
    int attempt = 1;
    std::string deviceName;
    std::optional<Checkpoint> resumeFrom;
    std::optional<int> epochs;   ///< overrides the planned number (resume --epochs, Train longer)
};

/// Trains until the planned epochs are done, a stop, or a failure. Every event goes through `emit`, which returns an error when the
/// history cannot be written: the run then pauses, says so, and goes on when it can. Exactly one RunEnded is the last event.
RunEnded trainRun(const TrainerInput& input, CommandQueue& commands, const std::function<Result<void>(const EventBody&)>& emit);

} // namespace sconce
