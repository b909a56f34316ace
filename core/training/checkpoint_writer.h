// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
// Private to training. Writes checkpoints while training goes on: the trainer takes a copy of its state between two steps, a
// thread makes the history durable and then the copy, fsyncs and all, at a lower priority than training's. At most one is on its way.
// All calls come from the trainer's thread; no exception leaves the writing one.

#include "core/training/checkpoint.h"

#include <chrono>
#include <functional>
#include <future>
#include <memory>

namespace sconce {

/// A run as it stood between two steps, and what is to be written of it.
struct CheckpointCopy
{
    std::string runFolder;
    TrainerState state;
    Recipe recipe;
    std::vector<HostTensor> weights, optimiser; ///< the optimiser's only where `plain`
    std::string reason;
    bool best = false;   ///< as the best, …
    bool plain = true;   ///< as one to go on from, or as both: the best first, or a kill in between would leave a checkpoint that believes in a best that is not there
    int keepLast = 1;
    // what came of it
    bool bestTold = false;
    std::string bestPath, path; ///< where each stands; empty: not written yet
    double bestSeconds = 0, seconds = 0; ///< that writing took
    double bestCpuSeconds = 0, cpuSeconds = 0; ///< processor time of the thread that wrote
    Result<void> done;

    /// Calls `settle` (where given) and writes what is not written yet; `done` says how it went. May be called again after an error.
    /// Throws nothing.
    void write(const std::function<Result<void>()>& settle);
};

class CheckpointWriter
{
  public:
    /// settle: as in TrainerInput; called on the writing thread.
    explicit CheckpointWriter(std::function<Result<void>()> settle) : m_settle(std::move(settle)) {}
    ~CheckpointWriter() { (void)wait(); }

    /// Nothing may be on its way. Where no thread is to be had, it is written at once.
    void start(std::unique_ptr<CheckpointCopy> copy);
    /// Something was started and not taken yet.
    bool busy() const { return m_writing.valid(); }
    /// It can be taken without waiting.
    bool ready() const { return busy() && m_writing.wait_for(std::chrono::seconds(0)) == std::future_status::ready; }
    /// Waits for what is on its way and hands it out; null where there is nothing.
    std::unique_ptr<CheckpointCopy> wait() { return busy() ? m_writing.get() : nullptr; }

  private:
    std::function<Result<void>()> m_settle;
    std::future<std::unique_ptr<CheckpointCopy>> m_writing;
};

} // namespace sconce
