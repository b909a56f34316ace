// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
// Private to training. One run on its way: the state that trainRun's loop works on. The loop and its steps are in
// trainer.cpp, what answers commands in trainer_commands.cpp, what saves and what waits for the disk in trainer_saving.cpp, what goes
// back after a NaN in trainer_back.cpp.

#include "core/data/order.h"
#include "core/training/checkpoint_writer.h"
#include "core/training/policies.h"
#include "core/training/run_clock.h"
#include "core/training/step_group.h"
#include "core/training/trainer.h"

#include <optional>

namespace sconce {

/// Detail of the error that a state was not saved because of what is in it.
inline constexpr const char* spoiltState = "found in the copy for a checkpoint";

class Training
{
  public:
    using Emit = std::function<Result<void>(const EventBody&)>;
    Training(const TrainerInput& input, CommandQueue& commands, const Emit& emit);

    /// Opens the session, trains, and says how it ended. Throws only what the standard library throws.
    RunEnded run();
    /// Ends the run for a reason that the loop does not know (an exception).
    RunEnded endWith(Error error);

  private:
    // ---- trainer.cpp: the loop; each returns false when the run has ended, and m_ended says how ----
    Result<void> open();
    Result<void> startFromWeights();
    Result<void> restore(const Checkpoint& checkpoint);
    void announce();
    void sayStarted();
    bool adoptPlan();
    bool trainEpochs();
    void fillBatch(std::int64_t epoch, std::int64_t stepInEpoch);
    bool trainStep();
    bool closeEpoch();
    bool endIfDue();
    bool roomForStep(const Error& error);
    bool restoreBest();
    bool testModel();
    bool finish();
    bool fail(Error error); ///< true only if the run has gone back and goes on
    void saveBeforeFailing();
    Error explain(Error error) const;
    Result<EvaluationTotals> evaluate(const std::string& what, Part part, std::span<const std::int64_t> rows);
    Result<void> report();
    void tellSkipped(const std::vector<StepMetrics>& metrics);
    Error refused(std::size_t good);
    RunSummary summaryNow();
    void sync();

    // ---- trainer_commands.cpp ----
    bool obeyCommands();
    bool obey(const Command& command);
    bool pause(std::int64_t command);
    bool stop(std::int64_t command, const StopCommand& how);
    bool checkpointNow(std::int64_t command);
    bool amend(std::int64_t command, const AmendCommand& change);
    bool histograms(std::int64_t command);
    void plan(std::int64_t epochs);
    void goOnAfterEnd();
    void forgetTest();
    void answer(std::int64_t command, bool ok, const std::string& text);

    // ---- trainer_saving.cpp ----
    bool saveIfDue();
    bool save(const std::string& reason);
    bool saveMeanwhile(const std::string& reason, bool best, bool plain);
    Result<void> trySave(const std::string& reason);
    Result<std::unique_ptr<CheckpointCopy>> takeCopy(const std::string& reason, bool best, bool plain);
    bool collect();
    Result<void> finishWriting();
    void hearOfWritten();
    Result<void> tellWritten(CheckpointCopy& copy);
    Result<void> settle();
    bool waitForDisk(Error error, const std::function<Result<void>()>& again);
    void say(EventBody body);
    void tell(const char* level, const std::string& text);

    // ---- trainer_back.cpp ----
    bool saveTheStart();
    bool goBack(const Error& error);
    std::optional<Checkpoint> lastGood();
    bool takeUp(const Checkpoint& checkpoint);

    bool moreEpochs() const { return m_state.endedBecause.empty() && m_state.epoch < m_state.epochsPlanned; }
    bool moreSteps() const { return m_state.stepInEpoch < m_stepsPerEpoch; }
    std::string whereText() const;

    const TrainerInput& m_input;
    CommandQueue& m_commands;
    const Emit& m_emit;
    const Recipe& m_recipe;

    std::unique_ptr<Session> m_session;
    SplitRows m_rows;
    std::int64_t m_batch = 1, m_stepsPerEpoch = 0;
    bool m_normsByBatch = false;         ///< a layer's output depends on what else goes through the network with a sample
    std::int64_t m_answersPerSample = 1; ///< what MetricSums counts, by what a batch counts
    std::optional<SampleOrder> m_order;
    std::int64_t m_orderEpoch = -1;
    std::vector<std::int64_t> m_batchRows;

    TrainerState m_state;
    CheckpointPolicy m_policy;
    StoppingPolicy m_stopping;
    SafetyPolicy m_safety;
    StepGroup m_group;
    Stopwatch m_clock, m_stepClock;
    std::optional<TrainerState> m_saved; ///< what the newest checkpoint holds
    CheckpointWriter m_writer;
    double m_savingCpuSeconds = 0;       ///< processor time of this thread for checkpoints, since one was told
    std::unique_ptr<CheckpointCopy> m_owed; ///< a checkpoint that could not be written yet
    bool m_saidSlow = false;
    std::string m_startFit;              ///< what of the weights to start from did not fit
    int m_attempt = 1;
    bool m_opened = false;               ///< the session holds what training goes on from
    bool m_bestOwed = false;             ///< the state believes in a best that is not written yet
    std::int64_t m_evaluationRows = 0;   ///< at a time
    bool m_pausedByPerson = false;
    bool m_historyBehind = false;        ///< an event could not be written yet
    std::optional<RunEnded> m_ended;
};

} // namespace sconce
