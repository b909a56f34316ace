// SPDX-License-Identifier: GPL-3.0-or-later
// Saving, and what happens when the disk cannot follow: the run pauses, says so, tries again, and goes on. Nothing is lost
// that is still in memory.
#include "core/base/files.h"
#include "core/base/log.h"
#include "core/base/text.h"
#include "core/training/training.h"

#include <algorithm>

namespace sconce {

namespace {

constexpr double firstRetry = 0.25, slowestRetry = 5; // seconds

/// The same place in the same plan: saving it again would change nothing.
bool sameState(const TrainerState& a, const TrainerState& b)
{
    return a.step == b.step && a.epoch == b.epoch && a.stepInEpoch == b.stepInEpoch && a.epochsPlanned == b.epochsPlanned &&
           a.endedBecause == b.endedBecause && a.restoredBest == b.restoredBest;
}

/// What may pass while the run waits. Busy: another program holds the history, stopped in the midst of a write perhaps.
bool diskTrouble(const Error& error)
{
    return error.code == ErrorCode::DiskFull || error.code == ErrorCode::Io || error.code == ErrorCode::Permission || error.code == ErrorCode::Busy;
}

} // namespace

bool Training::saveIfDue()
{
    sync();
    if (m_policy.dueBySteps(m_state)) return save("steps");
    return !m_policy.dueByTime(m_state) || save("time");
}

/// Saves; where the disk cannot take it, waits until it can. False only when the run has ended.
bool Training::save(const std::string& reason)
{
    const bool best = reason == "best";
    auto again = [this, reason, best] { return trySave(best ? "epoch" : reason, best); };
    auto saved = again();
    if (saved) return true;
    return diskTrouble(saved.error()) ? waitForDisk(saved.error(), again) : fail(saved.error());
}

Result<void> Training::trySave(const std::string& reason, bool best)
{
    SCONCE_TRY(report());
    if (!best && m_saved && sameState(*m_saved, m_state)) return {};
    // The history first: a checkpoint that knows more steps than the history would leave a gap after a kill.
    SCONCE_TRY(settle());
    const double began = Clock::system().monotonicSeconds();
    auto weights = m_session->weights();
    if (!weights) return weights.error();
    std::vector<HostTensor> optimiser;
    if (!best) { // the best are for use, not for going on from
        auto state = m_session->optimiserState();
        if (!state) return state.error();
        optimiser = std::move(*state);
    }
    summaryNow(); // brings clocks and summary up to date
    TrainerState state = m_state;
    if (!best) state.lastSavedSeconds = state.secondsTrained; // of this one: one that fails leaves the next as due as it was
    auto path = saveCheckpoint(m_input.runFolder, state, m_recipe, *weights, optimiser, reason, best, m_policy.settings.keepLast);
    if (!path) return path.error();
    if (!best) {
        m_saved = state;
        m_state.lastSavedSeconds = state.lastSavedSeconds;
        m_state.summary.checkpoint = *path;
    }
    say(CheckpointSaved{*path, state.step, reason, best, Clock::system().monotonicSeconds() - began});
    return {};
}

Result<void> Training::settle()
{
    if (!m_input.settle) return {};
    auto settled = m_input.settle();
    m_historyBehind = !settled.ok();
    return settled;
}

/// Paused until the history is written and `again` (where given) succeeds, or the person stops the run.
bool Training::waitForDisk(Error error, const std::function<Result<void>()>& again)
{
    auto attempt = [&]() -> Result<void> {
        SCONCE_TRY(settle());
        return again ? again() : Result<void>();
    };
    if (!again) {
        auto settled = attempt();
        if (settled) return true;
        error = settled.error();
    }
    m_clock.stop();
    say(StatusChanged{RunStatus::Paused, error.text() + " Training goes on by itself as soon as it can be written."});
    log(LogLevel::Warning, "Run " + m_input.run + " waits for the disk: " + error.text() + " " + error.detail);
    for (double wait = firstRetry;; wait = std::min(slowestRetry, wait * 2)) {
        if (auto command = m_commands.waitFor(wait)) {
            if (const auto* how = std::get_if<StopCommand>(&command->body)) return stop(command->id, *how);
            const bool retry = std::holds_alternative<ResumeCommand>(command->body);
            answer(command->id, retry, retry ? "Tries again." : "The run waits for the disk: " + error.message);
            if (!retry) continue;
        }
        auto done = attempt();
        if (done) break;
        if (!diskTrouble(done.error())) return fail(done.error());
    }
    if (m_pausedByPerson) {
        say(StatusChanged{RunStatus::Paused, "asked"});
    } else {
        m_clock.start();
        say(StatusChanged{RunStatus::Running, "The disk can be written again."});
    }
    return true;
}

/// Every event leaves by here.
void Training::say(EventBody body)
{
    if (auto told = m_emit(body); !told) m_historyBehind = true;
}

void Training::tell(const char* level, const std::string& text) { say(LogLine{level, Clock::system().wallMs(), text}); }

} // namespace sconce
