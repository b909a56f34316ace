// SPDX-License-Identifier: GPL-3.0-or-later
// What the loop does when it is told to: pause, stop, save, change a live field. Every command is answered with the step at
// which it took effect.
#include "core/base/text.h"
#include "core/model/stack.h"
#include "core/recipe/limits.h"
#include "core/training/training.h"

#include <algorithm>
#include <limits>
#include <map>

namespace sconce {

bool Training::obeyCommands()
{
    if (m_historyBehind && !waitForDisk({}, {})) return false;
    while (auto command = m_commands.take())
        if (!obey(*command)) return false;
    return true;
}

bool Training::obey(const Command& command)
{
    if (std::holds_alternative<PauseCommand>(command.body)) return pause(command.id);
    if (const auto* how = std::get_if<StopCommand>(&command.body)) return stop(command.id, *how);
    if (std::holds_alternative<CheckpointCommand>(command.body)) return checkpointNow(command.id);
    if (const auto* change = std::get_if<AmendCommand>(&command.body)) return amend(command.id, *change);
    if (std::holds_alternative<HistogramsCommand>(command.body)) return histograms(command.id);
    answer(command.id, true, "The run is not paused."); // resume
    return true;
}

void Training::answer(std::int64_t command, bool ok, const std::string& text)
{
    if (command != 0) say(CommandAnswered{command, m_state.step, ok, text});
}

/// Saves, then sleeps on the queue until told to go on.
bool Training::pause(std::int64_t command)
{
    if (!save("pause")) {
        answer(command, false, "The run ended instead.");
        return false;
    }
    m_clock.stop();
    m_pausedByPerson = true;
    say(StatusChanged{RunStatus::Paused, "asked"});
    answer(command, true, "Paused.");
    for (;;) {
        const Command next = m_commands.wait();
        if (std::holds_alternative<ResumeCommand>(next.body)) {
            m_pausedByPerson = false;
            m_clock.start();
            say(StatusChanged{RunStatus::Running, "asked"});
            answer(next.id, true, "Goes on.");
            return true;
        }
        if (std::holds_alternative<PauseCommand>(next.body))
            answer(next.id, true, "The run is paused already.");
        else if (!obey(next))
            return false;
    }
}

bool Training::stop(std::int64_t command, const StopCommand& how)
{
    const bool signalled = how.reason == "signal";
    auto saved = trySave(signalled ? "signal" : "stop");
    RunEnded ended{how.handOver ? RunStatus::Interrupted : RunStatus::Stopped, {}, "", "", "", ""};
    if (saved) {
        ended.message = how.handOver ? "Handed over at step " + groupedInt(m_state.step) + "."
                                     : "Stopped at step " + groupedInt(m_state.step) + "; the work is kept in a checkpoint.";
    } else {
        ended.errorCode = errorCodeName(saved.error().code);
        ended.message = "Stopped, but the last checkpoint could not be written: " + saved.error().message;
        ended.remedy = m_saved ? "The work up to step " + groupedInt(m_saved->step) + " is safe in the checkpoint before." : saved.error().remedy;
        ended.detail = saved.error().detail;
    }
    answer(command, saved.ok(), ended.message);
    ended.summary = summaryNow();
    m_ended = std::move(ended);
    return false;
}

bool Training::checkpointNow(std::int64_t command)
{
    auto saved = trySave("asked");
    answer(command, saved.ok(), saved ? "Saved at step " + groupedInt(m_state.step) + "." : saved.error().text());
    if (saved) return true;
    if (saved.error().code == ErrorCode::NotFinite) return fail(saved.error()); // nothing good comes of going on from there
    tell("error", saved.error().text());
    return true;
}

/// Of the step that is next, or after the last one of that which would be: it is computed, and none of it is kept.
bool Training::histograms(std::int64_t command)
{
    fillBatch(m_state.epoch + (moreSteps() ? 0 : 1), moreSteps() ? m_state.stepInEpoch : 0);
    auto numbers = m_session->numbers(m_state.step, m_batchRows);
    if (!numbers) {
        answer(command, false, numbers.error().text());
        return true;
    }
    std::map<LayerId, std::string> names;
    visitLayers(m_recipe.stack, [&](const Layer& layer, const std::string&, int) { names[layer.id] = layer.name; });
    for (TensorNumbers& each : *numbers)
        if (const auto name = names.find(each.layer); each.kind == TensorNumbers::Kind::Activation && name != names.end()) each.name = name->second;
    say(HistogramsTaken{m_state.step, std::move(*numbers)});
    answer(command, true, "Counted at step " + groupedInt(m_state.step) + ".");
    return true;
}

bool Training::amend(std::int64_t command, const AmendCommand& change)
{
    if (change.path != "/training/epochs") {
        answer(command, false, "Only the number of epochs can be changed while a run goes on.");
        return true;
    }
    const std::int64_t least = std::max<std::int64_t>(1, m_state.epoch + (m_state.stepInEpoch > 0 ? 1 : 0));
    if (!change.value.is_number_integer() || change.value.get<std::int64_t>() < least || change.value.get<std::int64_t>() > limits::epochs) {
        answer(command, false, "Epochs must be a whole number between " + groupedInt(least) + " and " + groupedInt(limits::epochs) + ".");
        return true;
    }
    if (!m_state.endedBecause.empty() && change.value.get<std::int64_t>() > m_state.epoch) goOnAfterEnd();
    plan(change.value.get<std::int64_t>());
    answer(command, true, "Trains to " + plural(m_state.epochsPlanned, "epoch", "epochs") + " in all.");
    return save("asked"); // a kill must not undo what a person was told is done
}

/// Whoever asks for more epochs has overruled what ended the run.
void Training::goOnAfterEnd()
{
    m_state.endedBecause.clear();
    m_state.limitFromSeconds = m_clock.seconds();
    m_state.stopping = {};
    m_state.restoredBest = false;
    forgetTest();
}

/// A test there was is not one of the weights to come.
void Training::forgetTest()
{
    if (!m_state.tested || !moreEpochs()) return;
    m_state.tested = false;
    m_state.summary.testLoss = m_state.summary.testAccuracy = std::numeric_limits<double>::quiet_NaN();
    std::erase_if(m_state.summary.metrics, [](const auto& metric) { return metric.first.starts_with("test_"); });
}

void Training::plan(std::int64_t epochs)
{
    if (epochs == m_state.epochsPlanned) return;
    Amendment amendment{m_state.step, "/training/epochs", m_state.epochsPlanned, epochs};
    m_state.epochsPlanned = epochs;
    forgetTest();
    m_state.amendments.push_back(amendment);
    say(Amended{std::move(amendment)});
}

} // namespace sconce
