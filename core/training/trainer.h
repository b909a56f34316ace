// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
// The loop: next batch, forward, loss, backward, commit, events. Flat and short; policies (checkpoints, NaN, limits) decide at
// fixed points and their state is in the checkpoint; watchers read events. Runs on one thread (its caller's), torch-free.

#include "core/engine/session.h"
#include "core/run/protocol.h"
#include "core/training/checkpoint.h"

#include <atomic>
#include <condition_variable>
#include <deque>
#include <functional>
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
    std::optional<Command> waitFor(double seconds);
    /// Async-signal-safe: ends the run as soon as the step is done, with a checkpoint ("signal").
    void requestStopFromSignal() noexcept;
    bool stopRequested() const noexcept;
    /// A stop or a pause waits: a validation under way breaks off, obeys, and is made again.
    bool interruptRequested() const noexcept;

  private:
    std::optional<Command> takeLocked();
    std::mutex m_mutex;
    std::condition_variable m_ready;
    std::deque<Command> m_commands;
    std::atomic<int> m_stops{0}, m_pauses{0};
    std::atomic<bool> m_signal{false};
    static_assert(std::atomic<bool>::is_always_lock_free, "a signal handler sets it");
};

struct TrainerInput
{
    Recipe recipe;               ///< valid; device resolved
    DatasetPtr data;
    std::string runFolder;
    RunId run;
    int attempt = 1;
    std::string deviceName;
    int threads = 1;             ///< resolved; recorded among the choices
    Json choices;                ///< made before the session was opened (device, versions); recorded with the engine's own
    std::optional<Checkpoint> resumeFrom;
    std::optional<int> epochs;   ///< overrides the planned number (resume --epochs, Train longer)
    /// Makes everything emitted so far durable, and tries again what could not be written. Called before every checkpoint, so that
    /// the history never knows less than a checkpoint does, and on the thread that writes it. Empty: nothing to wait for.
    std::function<Result<void>()> settle;
};

/// Trains until the planned epochs are done, a stop, or a failure. Every event goes through `emit`, which keeps it, and returns an
/// error when the history cannot be written: the run then pauses, says so, asks settle() again and again, and goes on when it can.
/// Exactly one RunEnded is the last event. Nothing is thrown.
RunEnded trainRun(const TrainerInput& input, CommandQueue& commands, const std::function<Result<void>(const EventBody&)>& emit);

} // namespace sconce
