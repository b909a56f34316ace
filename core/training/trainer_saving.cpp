// SPDX-License-Identifier: GPL-3.0-or-later
// Saving, and what happens when the disk cannot follow: the run pauses, says so, tries again, and goes on. Nothing is lost
// that is still in memory. What is due by the recipe is written while training goes on; what somebody waits for, at once.
#include "core/base/files.h"
#include "core/base/log.h"
#include "core/base/text.h"
#include "core/training/training.h"

#include <algorithm>
#include <cstring>
#include <utility>

namespace sconce {

namespace {

constexpr double firstRetry = 0.25, slowestRetry = 5; // seconds
constexpr double slowDisk = 1;                         // seconds that training waits before it says so

/// The same place in the same plan: saving it again would change nothing.
bool sameState(const TrainerState& a, const TrainerState& b)
{
    return a.step == b.step && a.epoch == b.epoch && a.stepInEpoch == b.stepInEpoch && a.epochsPlanned == b.epochsPlanned &&
           a.endedBecause == b.endedBecause && a.restoredBest == b.restoredBest && a.timesBack == b.timesBack;
}

/// What may pass while the run waits. Busy: another program holds the history, stopped in the midst of a write perhaps.
bool diskTrouble(const Error& error)
{
    return error.code == ErrorCode::DiskFull || error.code == ErrorCode::Io || error.code == ErrorCode::Permission || error.code == ErrorCode::Busy;
}

/// Weights and what the optimiser remembers are float32; its counters always are what they are.
bool isFinite(const HostTensor& tensor)
{
    if (tensor.dtype != DType::F32) return true;
    constexpr std::uint32_t exponent = 0x7f800000; // all ones: infinite, or no number
    std::uint32_t worst = 0;
    for (std::size_t at = 0; at + sizeof(float) <= tensor.bytes.size(); at += sizeof(float)) {
        std::uint32_t bits;
        std::memcpy(&bits, tensor.bytes.data() + at, sizeof bits);
        worst = std::max(worst, bits & exponent);
    }
    return worst != exponent;
}

/// Finite gradients may still be too large for what is made of them: their squares, in Adam's memory, or a weight that a large step
/// carries off. Loss and gradients say nothing of it for a while, or never.
Result<void> checkFinite(std::span<const HostTensor> tensors, const std::string& where)
{
    for (const HostTensor& tensor : tensors)
        if (!isFinite(tensor))
            return Error{ErrorCode::NotFinite, "After " + where + " numbers of " + tensor.name + " are infinite or no numbers any more, so this state was not saved.", "Lower the learning rate, or scale the inputs.", spoiltState};
    return {};
}

} // namespace

bool Training::saveIfDue()
{
    sync();
    hearOfWritten();
    if (m_owed && !collect()) return false;
    if (m_policy.dueBySteps(m_state)) return saveMeanwhile("steps", false, true);
    return !m_policy.dueByTime(m_state) || saveMeanwhile("time", false, true);
}

/// Saves before anything else happens; where the disk cannot take it, waits until it can. False only when the run has ended.
bool Training::save(const std::string& reason)
{
    auto again = [this, reason] { return trySave(reason); };
    auto saved = again();
    if (saved) return true;
    return diskTrouble(saved.error()) ? waitForDisk(saved.error(), again) : fail(saved.error());
}

/// Takes a copy, and lets it be written while training goes on. One at a time: what is on its way is waited for. False only when
/// the run has ended.
bool Training::saveMeanwhile(const std::string& reason, bool best, bool plain)
{
    if (auto reported = report(); !reported) return fail(reported.error());
    const double began = Clock::system().monotonicSeconds();
    if (!collect()) return false;
    if (const double waited = Clock::system().monotonicSeconds() - began; waited > slowDisk && !m_saidSlow) {
        m_saidSlow = true;
        tell("warning", "Checkpoints are due faster than the disk writes them: training waited " + durationText(waited) + " for the one before.");
    }
    if (m_historyBehind && !waitForDisk({}, {})) return false;
    const double cpuBefore = threadCpuSeconds();
    auto copy = takeCopy(reason, best, plain);
    if (!copy) return fail(copy.error());
    if (!*copy) return true;
    if ((*copy)->plain) m_state.lastSavedSeconds = (*copy)->state.lastSavedSeconds;
    m_writer.start(std::move(*copy));
    m_savingCpuSeconds += threadCpuSeconds() - cpuBefore;
    return true;
}

/// Null where that state stands on the disk already.
Result<std::unique_ptr<CheckpointCopy>> Training::takeCopy(const std::string& reason, bool best, bool plain)
{
    auto copy = std::make_unique<CheckpointCopy>();
    copy->best = best;
    copy->plain = plain && !(m_saved && sameState(*m_saved, m_state));
    if (!copy->best && !copy->plain) return std::unique_ptr<CheckpointCopy>();
    auto weights = m_session->weights();
    if (!weights) return weights.error();
    const bool closed = m_state.stepInEpoch == 0; // the epoch's last step was the last
    const std::string where = "step " + groupedInt(m_state.step) + " (epoch " + groupedInt(m_state.epoch + (closed ? 0 : 1)) + ", batch " + groupedInt(closed ? m_stepsPerEpoch : m_state.stepInEpoch) +
                              " of " + groupedInt(m_stepsPerEpoch) + ")";
    SCONCE_TRY(checkFinite(*weights, where));
    copy->weights = std::move(*weights);
    if (copy->plain) {
        auto optimiser = m_session->optimiserState();
        if (!optimiser) return optimiser.error();
        SCONCE_TRY(checkFinite(*optimiser, where));
        copy->optimiser = std::move(*optimiser);
    }
    summaryNow(); // brings clocks and summary up to date
    copy->state = m_state;
    if (copy->plain) copy->state.lastSavedSeconds = m_state.secondsTrained; // of this one: one that fails leaves the next as due as it was
    copy->runFolder = m_input.runFolder;
    copy->recipe = m_recipe;
    copy->reason = reason;
    copy->keepLast = m_policy.settings.keepLast + (reason == "back" ? 1 : 0); // it stands where another does; the one before may be needed yet
    return copy;
}

Result<void> Training::trySave(const std::string& reason)
{
    SCONCE_TRY(report());
    SCONCE_TRY(finishWriting());
    SCONCE_TRY(settle());
    const double cpuBefore = threadCpuSeconds();
    auto copy = takeCopy(reason, m_bestOwed, true); // an epoch that waits for the disk before its best is written may be stopped there
    if (!copy) return copy.error();
    if (!*copy) return {};
    m_savingCpuSeconds += threadCpuSeconds() - cpuBefore;
    (*copy)->write({});
    auto told = tellWritten(**copy);
    if (told) m_bestOwed = false;
    return told;
}

/// Waits for the checkpoint that is on its way; where the disk cannot take it, until it can. False only when the run has ended.
bool Training::collect()
{
    auto finished = finishWriting();
    if (finished) return true;
    if (diskTrouble(finished.error())) return waitForDisk(finished.error(), [this] { return finishWriting(); });
    m_bestOwed = m_owed && m_owed->best && m_owed->bestPath.empty();
    m_owed.reset(); // no use in trying that again
    return fail(finished.error());
}

/// Waits for what is on its way, or tries again what the disk would not take.
Result<void> Training::finishWriting()
{
    if (m_writer.busy()) {
        m_owed = m_writer.wait();
    } else if (!m_owed) {
        return {};
    } else if (diskTrouble(m_owed->done.error())) {
        SCONCE_TRY(settle());
        m_owed->write({});
    }
    auto told = tellWritten(*m_owed);
    if (told) m_owed.reset();
    return told;
}

/// Tells of a checkpoint that has been written meanwhile. One that could not be is kept for collect().
void Training::hearOfWritten()
{
    if (!m_writer.ready()) return;
    m_owed = m_writer.wait();
    if (tellWritten(*m_owed)) m_owed.reset();
}

/// What stands on the disk now.
Result<void> Training::tellWritten(CheckpointCopy& copy)
{
    if (!copy.bestPath.empty() && !copy.bestTold) {
        copy.bestTold = true;
        say(CheckpointSaved{copy.bestPath, copy.state.step, copy.reason, true, copy.bestSeconds, copy.bestCpuSeconds, std::exchange(m_savingCpuSeconds, 0)});
    }
    if (!copy.done || copy.path.empty()) return copy.done;
    m_state.lastSavedSeconds = copy.state.lastSavedSeconds;
    m_state.summary.checkpoint = copy.path;
    m_saved = copy.state;
    say(CheckpointSaved{copy.path, m_saved->step, copy.reason, false, copy.seconds, copy.cpuSeconds, std::exchange(m_savingCpuSeconds, 0)});
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
