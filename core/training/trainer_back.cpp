// SPDX-License-Identifier: GPL-3.0-or-later
// After a loss or gradient that is NaN or infinite, where the recipe asks for it: back to the last good checkpoint, with a lower
// rate. The history takes it as it takes a resume: the attempt ends at the checkpoint's step and the next begins there. What is
// decided here follows from the step and the checkpoints alone, so that a run that was killed goes the same way.
#include "core/base/log.h"
#include "core/base/text.h"
#include "core/training/training.h"

namespace sconce {

/// Where the run may have to go back, there must be something to go back to from the first step on.
bool Training::saveTheStart()
{
    return !m_safety.goBack || m_input.resumeFrom || save("start");
}

/// The newest checkpoint before the step that went wrong: one of that very step would meet the same batch with the same weights.
/// If it went wrong again before it got past where it did the last time, what stands in that checkpoint is beyond saving: one
/// further back, where there is one.
std::optional<Checkpoint> Training::lastGood()
{
    const bool noFurther = m_state.timesBack > 0 && m_state.step <= m_state.backFrom;
    for (const std::int64_t before : {noFurther ? m_state.backTo : m_state.step, m_state.step})
        for (const Checkpoint& each : listCheckpoints(m_input.runFolder)) {
            if (each.state.step >= before) continue;
            auto checkpoint = readCheckpoint(each.path);
            if (checkpoint) return std::move(*checkpoint);
            tell("warning", checkpoint.error().message);
        }
    return std::nullopt;
}

/// False where this is no matter of going back, or there is nothing to go back to: the run then fails as it would have without.
bool Training::goBack(const Error& error)
{
    if (error.code != ErrorCode::NotFinite || !m_opened || !m_safety.goBack) return false;
    if (!m_safety.mayGoBack(m_state)) {
        tell("warning", "The run has gone back " + plural(m_state.timesBack, "time", "times") + " already, as often as it may.");
        return false;
    }
    (void)report();        // the good steps before; a GPU tells the step here
    (void)finishWriting(); // it may be the one to go back to; one that cannot be written is of a future that is given up
    m_owed.reset();
    const auto checkpoint = lastGood();
    if (!checkpoint) {
        tell("warning", "There is no checkpoint before this step to go back to.");
        return false;
    }
    const std::int64_t failed = m_state.step;
    const double before = m_recipe.training.learningRate * m_state.rateFactor;
    if (!takeUp(*checkpoint)) return false;
    m_state.rateFactor *= m_safety.rateFactor;
    ++m_state.timesBack;
    m_state.backFrom = failed;
    m_state.backTo = m_state.step;
    const double after = m_recipe.training.learningRate * m_state.rateFactor;
    const Amendment lowered{m_state.step, "/training/learning_rate", before, after};
    m_state.amendments.push_back(lowered);

    ++m_attempt;
    sayStarted();
    say(Amended{lowered});
    tell("warning", error.message + " The run went back from step " + groupedInt(failed) + " to the checkpoint of step " + groupedInt(m_state.step) +
                        " and goes on with a learning rate of " + realText(after, 3) + " instead of " + realText(before, 3) + " (" +
                        groupedInt(m_state.timesBack) + " of " + plural(m_safety.times, "time", "times") + ").");
    (void)save("back"); // a kill must not undo what was said; false only where m_ended says how the run ended
    return true;
}

/// The state of a checkpoint in place of this one, but for what was decided since then by a person or for want of memory.
bool Training::takeUp(const Checkpoint& checkpoint)
{
    if (auto restored = restore(checkpoint); !restored) {
        tell("warning", "The checkpoint of step " + groupedInt(checkpoint.state.step) + " could not be taken up: " + restored.error().message);
        return false;
    }
    TrainerState state = checkpoint.state;
    state.epochsPlanned = m_state.epochsPlanned;
    state.amendments = m_state.amendments;
    state.choices = m_state.choices;
    state.limitFromSeconds = m_state.limitFromSeconds;
    state.rateFactor = m_state.rateFactor;
    state.timesBack = m_state.timesBack;
    m_state = std::move(state);
    m_state.summary.checkpoint = checkpoint.path;
    m_saved = m_state;
    m_group = {};
    m_bestOwed = false;
    m_clock = Stopwatch(m_state.secondsTrained);
    m_stepClock = Stopwatch(m_state.stepSeconds);
    m_clock.start();
    return true;
}

} // namespace sconce
