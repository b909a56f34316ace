// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/training/trainer.h"

#include "core/base/log.h"
#include "core/base/text.h"
#include "core/model/catalogue.h"
#include "core/training/start_weights.h"
#include "core/training/training.h"

#include <algorithm>
#include <cmath>
#include <exception>
#include <limits>
#include <new>

namespace sconce {

namespace {

constexpr double unknown = std::numeric_limits<double>::quiet_NaN();
/// Rows at a time where no gradients are kept: large enough to fill the device, small enough to stop within.
constexpr std::int64_t evaluationBatch = 256;
constexpr double evaluationNewsEvery = 0.1;

SessionSpec sessionSpec(const TrainerInput& input, Plan plan, Scaling scaling, TargetCounts counts, std::int64_t stepsPerEpoch)
{
    SessionSpec spec;
    spec.plan = std::move(plan);
    spec.task = input.recipe.task;
    spec.input = input.recipe.data.input;
    spec.augmentation = augmentationOf(input.recipe.data);
    spec.stepsPerEpoch = stepsPerEpoch;
    spec.scaling = std::move(scaling);
    spec.counts = std::move(counts);
    spec.optimiser = input.recipe.training.optimiser;
    spec.step = stepSettings(input.recipe.training);
    spec.device = input.recipe.device;
    spec.threads = input.threads;
    spec.seed = input.recipe.seed;
    if (input.resumeFrom) spec.choices = input.resumeFrom->state.choices;
    return spec;
}

/// ", accuracy 99.23 %", of every metric that the task has.
std::string metricsText(const std::string& task, const std::function<double(const std::string& id)>& value)
{
    std::string text;
    for (const MetricEntry& metric : metricsOf(task)) text += ", " + metric.brief + " " + metricText(metric, value(metric.id));
    return text;
}

/// A line of the log: "Epoch 8: validation loss 0.0315, accuracy 99.23 %, the best so far."
std::string epochText(const EpochDone& done, const RunSummary& summary, const std::string& task)
{
    const bool validated = done.valLoss == done.valLoss;
    return "Epoch " + groupedInt(done.epoch) + ": " + (validated ? "validation" : "training") + " loss " + realText(validated ? done.valLoss : done.trainLoss, 3) +
           metricsText(task, [&](const std::string& id) { return summary.metric(validated ? "val" : "train", id); }) + (done.best ? ", the best so far." : ".");
}

/// The metrics of a part into the summary and, all but accuracy, into an event.
void keepMetrics(RunSummary& summary, MetricMap& event, const std::string& task, const std::string& part, const MetricSums* sums, double& accuracy)
{
    accuracy = unknown;
    for (const MetricEntry& metric : metricsOf(task)) {
        const double value = sums ? metricOf(metric.id, *sums) : unknown;
        if (metric.id == "accuracy") accuracy = value;
        else summary.metrics[part + "_" + metric.id] = event[part + "_" + metric.id] = value;
    }
    if (!sums || part == "train") return;
    for (const MetricEntry& metric : furtherMetricsOf(task))
        if (const double value = metricOf(metric.id, *sums); std::isfinite(value)) summary.metrics[part + "_" + metric.id] = event[part + "_" + metric.id] = value;
}

} // namespace

RunEnded trainRun(const TrainerInput& input, CommandQueue& commands, const std::function<Result<void>(const EventBody&)>& emit)
{
    Training training(input, commands, emit);
    try {
        return training.run();
    } catch (const std::bad_alloc&) {
        return training.endWith({ErrorCode::OutOfMemory, "The computer's memory ran out.", "", "std::bad_alloc"});
    } catch (const std::exception& exception) {
        return training.endWith({ErrorCode::Internal, "Training ran into a fault of Sconce's own.", "The newest checkpoint is safe; please report this.", exception.what()});
    } catch (...) {
        return training.endWith({ErrorCode::Internal, "Training ran into a fault of Sconce's own.", "The newest checkpoint is safe; please report this.", "unknown exception"});
    }
}

Training::Training(const TrainerInput& input, CommandQueue& commands, const Emit& emit)
    : m_input(input), m_commands(commands), m_emit(emit), m_recipe(input.recipe), m_policy{input.recipe.training.checkpoint}, m_stopping(input.recipe.training),
      m_safety(input.recipe.training), m_writer(input.settle), m_attempt(input.attempt)
{
    m_state.epochsPlanned = m_recipe.training.epochs;
    if (!m_input.resumeFrom) return;
    m_state = m_input.resumeFrom->state;
    m_saved = m_state;
    m_state.summary.checkpoint = m_input.resumeFrom->path;
}

RunEnded Training::run()
{
    auto opened = open();
    announce();
    if (!opened)
        fail(opened.error());
    else if (adoptPlan() && saveTheStart())
        while (trainEpochs() && !finish()) {} // the last save may send it back
    say(*m_ended);
    return *m_ended;
}

/// The loop. Commands are obeyed between steps; a validation or test that one interrupts is made again afterwards.
bool Training::trainEpochs()
{
    while (moreEpochs() || !m_state.tested) {
        while (moreEpochs()) {
            while (moreEpochs() && moreSteps())
                if (!obeyCommands() || !trainStep() || !saveIfDue() || (moreSteps() && !endIfDue())) return false;
            if (!obeyCommands() || !closeEpoch() || !endIfDue()) return false;
        }
        if (!obeyCommands() || !restoreBest() || !testModel()) return false;
    }
    return true;
}

void Training::fillBatch(std::int64_t epoch, std::int64_t stepInEpoch)
{
    const std::int64_t first = stepInEpoch * m_batch;
    const auto training = static_cast<std::int64_t>(m_rows.training.size());
    m_batchRows.resize(static_cast<std::size_t>(std::min(m_batch, training - first)));
    if (m_orderEpoch != epoch) {
        m_order.emplace(training, m_recipe.seed, static_cast<std::uint64_t>(epoch), m_recipe.data.shuffle);
        m_orderEpoch = epoch;
    }
    m_order->fill(first, m_batchRows);
    for (std::int64_t& row : m_batchRows) row = m_rows.training[static_cast<std::size_t>(row)];
}

bool Training::trainStep()
{
    const double rate = m_state.rateFactor * learningRateAt(m_recipe.training, {m_state.step, m_state.epochsPlanned * m_stepsPerEpoch, m_stepsPerEpoch, m_state.plateau.factor});
    m_group.begin(m_state.step, m_clock.seconds(), m_stepClock.seconds());
    {
        const Measured measured(m_stepClock);
        fillBatch(m_state.epoch, m_state.stepInEpoch);

        const auto compute = [&]() -> Result<void> {
            SCONCE_TRY(m_session->forward(m_state.step, m_batchRows));
            SCONCE_TRY(m_session->backward());
            return m_session->commit(rate);
        };
        for (auto done = compute(); !done; done = compute())
            if (!roomForStep(done.error())) return fail(done.error());
    }
    ++m_state.step;
    ++m_state.stepInEpoch;
    m_group.add(rate, m_clock.seconds(), static_cast<std::int64_t>(m_batchRows.size()));

    if (!ReportPolicy::due(m_group.size(), m_clock.seconds() - m_group.openedAt) && moreSteps()) return true;
    if (auto reported = report(); !reported) return fail(reported.error());
    return true;
}

/// After running out of memory: the same step, which has left no trace, in smaller pieces. False if that is not what went wrong, or
/// the pieces cannot be smaller.
bool Training::roomForStep(const Error& error)
{
    const auto batch = static_cast<std::int64_t>(m_batchRows.size());
    const std::int64_t now = m_state.choices.value("micro_batch", std::int64_t{0});
    if (error.code != ErrorCode::OutOfMemory) return false;
    if (m_writer.busy()) { // the copy that is being written may have taken what the step needs
        (void)finishWriting(); // what went wrong is kept, and met where the next is due
        m_session->setMicroBatch(now);
        return true;
    }
    const std::int64_t fewer = fewerAtOnce(batch, now);
    if (fewer == 0) return false;
    m_session->setMicroBatch(fewer);
    m_state.choices["micro_batch"] = fewer; // kept for a resume (rule 8)
    tell("warning", "Memory ran out. The batch of " + groupedInt(batch) + " now goes through the network " + groupedInt(fewer) +
                        " samples at a time; " + (m_normsByBatch ? "batch normalisation now sees that many samples at once, so the result is no longer quite that of the whole batch."
                                                                 : "the result stays that of the whole batch."));
    return true;
}

/// The time limit. An epoch whose last step is done is closed first.
bool Training::endIfDue()
{
    const double minutes = realOf(m_recipe.training, "limits", "minutes");
    if (minutes <= 0 || m_clock.seconds() - m_state.limitFromSeconds < minutes * 60 || !moreEpochs()) return true;
    if (auto reported = report(); !reported) return fail(reported.error());
    m_state.endedBecause = "time";
    tell("info", "The run has trained for " + realText(minutes) + " minutes, as long as it may.");
    return true;
}

/// Early stopping leaves the best weights, not the last.
bool Training::restoreBest()
{
    if (m_state.endedBecause != "early" || !m_stopping.restoreBest || m_state.restoredBest || m_state.tested) return true;
    if (!collect()) return false; // it may be on its way to the disk
    auto best = bestCheckpoint(m_input.runFolder);
    if (!best) {
        tell("warning", "The best weights could not be taken back: " + best.error().message);
        return true;
    }
    // One that belongs to a future which a resume has given up is not the best of this run.
    const RunSummary& known = best->state.summary;
    if (known.bestEpoch != m_state.summary.bestEpoch || known.bestValLoss != m_state.summary.bestValLoss) {
        tell("warning", "The best weights are no longer there; those of the last step are kept.");
        return true;
    }
    auto weights = openWeights(*best);
    if (!weights) return fail(weights.error());
    if (auto set = m_session->setWeights(weights->tensors()); !set) return fail(set.error());
    m_state.restoredBest = true;
    tell("info", "Goes back to the weights of epoch " + groupedInt(best->state.summary.bestEpoch) + ", the best.");
    return true;
}

/// Asks the device what the steps since the last report gave, and tells it on. The only wait for the device in the loop.
Result<void> Training::report()
{
    if (m_group.empty()) return {};
    m_stepClock.start();
    auto metrics = m_session->takeMetrics();
    m_stepClock.stop();
    if (!metrics) return refused(0);
    std::erase_if(*metrics, [this](const StepMetrics& step) { return step.step >= m_state.step; }); // computed, but never committed
    if (metrics->size() > m_group.size())
        return Error{ErrorCode::Internal, "The engine lost count of its steps.", "", std::to_string(metrics->size()) + " of " + std::to_string(m_group.size())};
    std::optional<Error> why;
    if (metrics->size() < m_group.size()) why = refused(metrics->size());
    if (why && m_group.empty()) return *why;
    tellSkipped(*metrics);
    for (const StepMetrics& step : *metrics) {
        m_state.epochLossSum += step.loss * static_cast<double>(step.count);
        m_state.epochSums += step;
        m_state.samplesTrained += step.count / m_answersPerSample;
    }
    StepsDone event = m_group.take(*metrics, m_recipe.task.type, m_stepClock.seconds());
    say(std::move(event));
    if (why) return *why;
    return {};
}

/// Float16: steps that lowered the scale of the loss, and did nothing else.
void Training::tellSkipped(const std::vector<StepMetrics>& metrics)
{
    std::int64_t skipped = 0;
    const StepMetrics* last = nullptr;
    for (const StepMetrics& step : metrics) {
        if (!step.skipped) continue;
        ++skipped;
        last = &step;
    }
    if (!last) return;
    m_state.skippedSteps += skipped;
    tell("info", (skipped == 1 ? "Step " + groupedInt(last->step + 1) + " was skipped, since its gradients" : plural(skipped, "step", "steps") + " up to step " + groupedInt(last->step + 1) + " were skipped, since their gradients") +
                     " overflowed float16; the scale of the loss is " + groupedInt(static_cast<std::int64_t>(last->scale)) + " now. Skipped in all: " + groupedInt(m_state.skippedSteps) + ".");
}

/// A GPU tells late: only the first steps of the group were taken. Counts back to them and asks why.
Error Training::refused(std::size_t good)
{
    auto more = m_session->takeMetrics();
    if (more) return Error{ErrorCode::Internal, "The engine lost count of its steps.", "", std::to_string(good) + " of " + std::to_string(m_group.size())};
    const std::size_t lost = m_group.size() - good;
    m_group.drop(lost, m_batch);
    m_state.step -= static_cast<std::int64_t>(lost);
    m_state.stepInEpoch -= static_cast<std::int64_t>(lost);
    return more.error();
}

/// Validates, tells how the epoch went, and saves.
bool Training::closeEpoch()
{
    if (moreSteps() || !moreEpochs()) return true; // a command changed the plan
    if (auto reported = report(); !reported) return fail(reported.error());
    EpochDone done;
    done.valLoss = unknown;
    RunSummary& summary = m_state.summary;
    std::optional<EvaluationTotals> validated;
    if (!m_rows.validation.empty()) {
        auto totals = evaluate("validation", Part::Training, m_rows.validation);
        if (!totals && totals.error().code == ErrorCode::Cancelled) return true;
        if (!totals) return fail(totals.error());
        done.valLoss = totals->loss;
        validated = *totals;
    }
    if (!collect()) return false; // while the state and what stands on the disk agree on which epoch is the best
    sync();
    const double stepSeconds = m_state.stepSeconds - m_state.epochStepSeconds;
    done.epoch = m_state.epoch + 1;
    done.step = m_state.step;
    const MetricSums& sums = m_state.epochSums;
    done.trainLoss = sums.count > 0 ? m_state.epochLossSum / static_cast<double>(sums.count) : unknown;
    keepMetrics(summary, done.metrics, m_recipe.task.type, "train", &sums, done.trainAccuracy);
    keepMetrics(summary, done.metrics, m_recipe.task.type, "val", validated ? &*validated : nullptr, done.valAccuracy);
    done.seconds = m_state.secondsTrained - m_state.epochStartSeconds;
    done.samplesPerSecond = stepSeconds > 0 ? static_cast<double>(sums.count / m_answersPerSample) / stepSeconds : 0;
    done.best = m_stopping.isBest(m_state.summary, done.valLoss, done.valAccuracy);

    summary.trainLoss = done.trainLoss;
    summary.trainAccuracy = done.trainAccuracy;
    summary.valLoss = done.valLoss;
    summary.valAccuracy = done.valAccuracy;
    if (done.best) {
        summary.bestValLoss = done.valLoss;
        summary.bestValAccuracy = done.valAccuracy;
        summary.bestEpoch = done.epoch;
        for (const auto& [key, value] : done.metrics)
            if (key.starts_with("val_")) summary.metrics["best_" + key] = value;
    }
    m_bestOwed = done.best && (m_policy.settings.keepBest || m_stopping.restoreBest);
    ++m_state.epoch;
    m_state.stepInEpoch = 0;
    m_state.epochLossSum = 0;
    m_state.epochSums = {};
    m_state.epochStartSeconds = m_state.secondsTrained;
    m_state.epochStepSeconds = m_state.stepSeconds;
    m_state.plateau = afterEpoch(m_recipe.training, m_state.plateau, std::isfinite(done.valLoss) ? done.valLoss : done.trainLoss);
    m_state.stopping = m_stopping.after(m_state.stopping, done.valLoss, done.valAccuracy);
    say(done);
    tell("info", epochText(done, summary, m_recipe.task.type));
    if (m_stopping.ends(m_state.stopping) && moreEpochs()) {
        m_state.endedBecause = "early";
        tell("info", "Stops early: the validation has not got better for " + plural(m_state.stopping.waited, "epoch", "epochs") + ".");
    }

    const bool due = m_policy.dueByEpochs(m_state);
    if ((m_bestOwed || due) && !saveMeanwhile("epoch", m_bestOwed, due)) return false;
    m_bestOwed = false;
    return true;
}

Result<EvaluationTotals> Training::evaluate(const std::string& what, Part part, std::span<const std::int64_t> rows)
{
    const auto total = static_cast<std::int64_t>(rows.size());
    double last = -1;
    auto progress = [&](std::int64_t done) {
        const double now = m_clock.seconds();
        if (now - last >= evaluationNewsEvery || done == total) {
            last = now;
            say(EvaluationProgress{what, done, total});
            hearOfWritten();
        }
        return !m_commands.interruptRequested();
    };
    if (!progress(0)) return Error{ErrorCode::Cancelled, "The " + what + " was broken off.", "", ""};
    if (m_evaluationRows == 0) m_evaluationRows = std::max(m_batch, evaluationBatch / m_answersPerSample);
    for (;;) {
        auto totals = m_session->evaluate(part, rows, m_evaluationRows, progress);
        if (!totals && totals.error().code == ErrorCode::OutOfMemory && m_writer.busy()) {
            (void)finishWriting();
            continue;
        }
        if (totals || totals.error().code != ErrorCode::OutOfMemory || std::min(m_evaluationRows, static_cast<std::int64_t>(rows.size())) <= 1) return totals;
        m_evaluationRows = (std::min(m_evaluationRows, static_cast<std::int64_t>(rows.size())) + 1) / 2;
        tell("warning", "Memory ran out. The " + what + " is made again, " + groupedInt(m_evaluationRows) + " samples at a time.");
    }
}

/// With the weights of the last step, as Keras does, or the best where early stopping took them back.
bool Training::testModel()
{
    if (moreEpochs()) return true;
    if (!m_rows.test.empty()) {
        auto totals = evaluate("test", m_rows.testPart, m_rows.test);
        if (!totals && totals.error().code == ErrorCode::Cancelled) return true;
        if (!totals) return fail(totals.error());
        RunSummary& summary = m_state.summary;
        summary.testLoss = totals->loss;
        TestDone done{totals->loss, unknown, {}};
        keepMetrics(summary, done.metrics, m_recipe.task.type, "test", &*totals, done.accuracy);
        summary.testAccuracy = done.accuracy;
        say(done);
        tell("info", "Test: loss " + realText(totals->loss, 3) + metricsText(m_recipe.task.type, [&](const std::string& id) { return summary.metric("test", id); }) + ".");
    }
    m_state.tested = true;
    return true;
}

/// False where the last state could not be saved for what is in it, and the run went back to an earlier one: there is more to train.
bool Training::finish()
{
    if (!save("end") || !waitForDisk({}, {})) return true; // m_ended says how
    if (moreEpochs() || !m_state.tested) return false;
    m_ended = RunEnded{RunStatus::Finished, summaryNow(), "", "", "", ""};
    return true;
}

Result<void> Training::open()
{
    const DatasetInfo& data = m_input.data->info();
    auto plan = lower(m_recipe.stack, factsOf(data).input);
    if (!plan) return plan.error();
    m_normsByBatch = std::any_of(plan->steps.begin(), plan->steps.end(), [](const Step& step) {
        const auto* norm = std::get_if<BatchNormOp>(&step.op);
        return norm && !norm->frozen;
    });
    m_rows = splitRows(data.trainingCount, data.testCount, m_recipe.data.split, m_recipe.seed, data.validationCount);
    if (m_rows.training.empty())
        return Error{ErrorCode::Invalid, "The split leaves no sample to train on.", "Choose a smaller share for validation.", ""};
    m_batch = std::max<std::int64_t>(1, m_recipe.training.batchSize);
    m_answersPerSample = answersPerSample(m_recipe.task, data.sample);
    m_stepsPerEpoch = (static_cast<std::int64_t>(m_rows.training.size()) + m_batch - 1) / m_batch;

    // Of the rows that are trained on, once: a resumed run goes on with what it began with.
    Scaling scaling = fitScaling(*m_input.data, m_rows.training);
    if (m_input.resumeFrom) {
        auto known = scalingIn(m_input.resumeFrom->state.choices);
        if (!known) return known.error();
        if (*known != Scaling{}) scaling = std::move(*known);
    }
    auto session = Session::open(sessionSpec(m_input, std::move(*plan), scaling, countTargets(*m_input.data, m_rows.training), m_stepsPerEpoch));
    if (!session) return session.error();
    m_session = std::move(*session);
    SCONCE_TRY(m_session->useData(m_input.data));
    SCONCE_TRY(m_input.resumeFrom ? restore(*m_input.resumeFrom) : startFromWeights());
    if (m_input.resumeFrom && m_state.stepInEpoch > m_stepsPerEpoch)
        return Error{ErrorCode::Corrupt, "The checkpoint stands beyond the end of its epoch.", "", m_input.resumeFrom->path};

    m_state.choices = m_input.choices.is_object() ? m_input.choices : Json::object();
    if (Json engine = m_session->choices(); engine.is_object())
        for (const auto& item : engine.items()) m_state.choices[item.key()] = item.value();
    if (scaling != Scaling{}) m_state.choices["scaling"] = scaling.toJson();
    if (!data.symbols.empty()) m_state.choices["symbols"] = data.symbols; // what the indices mean, also when the text is gone
    m_state.choices["device"] = m_recipe.device;
    m_state.choices["threads"] = m_input.threads;
    m_clock = Stopwatch(m_state.secondsTrained);
    m_stepClock = Stopwatch(m_state.stepSeconds);
    m_clock.start();
    m_opened = true;
    return {};
}

/// In place of the random numbers, where the recipe names weights: those that fit. That they do was checked when the run was made.
Result<void> Training::startFromWeights()
{
    const StartWeights start = startWeightsOf(m_recipe.training);
    if (!start.any()) return {};
    auto file = openStartWeights(m_recipe.training, m_input.runFolder);
    if (!file) return file.error();
    auto fit = adoptStartWeights(*m_session, m_recipe.training, *file);
    if (!fit) return fit.error();
    m_startFit = std::move(*fit);
    return {};
}

Result<void> Training::restore(const Checkpoint& checkpoint)
{
    auto weights = openWeights(checkpoint);
    if (!weights) return weights.error();
    SCONCE_TRY(m_session->setWeights(weights->tensors()));
    auto optimiser = openOptimiser(checkpoint);
    if (!optimiser) return optimiser.error();
    return m_session->setOptimiserState(optimiser->tensors());
}

void Training::sayStarted()
{
    RunStarted started;
    started.run = m_input.run;
    started.attempt = m_attempt;
    started.startStep = m_state.step;
    started.stepsPerEpoch = m_stepsPerEpoch;
    started.epochs = m_state.epochsPlanned;
    started.batchSize = m_batch;
    started.device = m_recipe.device;
    started.deviceName = m_input.deviceName;
    started.threads = m_input.threads;
    started.choices = m_state.choices;
    say(started);
}

/// Also where opening failed: an attempt that failed is one that began.
void Training::announce()
{
    sayStarted();
    if (!m_session) return;
    if (m_state.choices.is_object())
        for (const char* key : {"precision_because", "step_because"})
            if (const std::string because = m_state.choices.value(key, std::string()); !because.empty()) tell("info", because);
    if (m_input.resumeFrom)
        tell("info", "Goes on from the checkpoint of step " + groupedInt(m_state.step) + " (" + whereText() + ").");
    else
        tell("info", "Trains on " + plural(static_cast<std::int64_t>(m_rows.training.size()), "sample", "samples") + " of " + m_input.data->info().title + ", " +
                         plural(m_stepsPerEpoch, "step", "steps") + " an epoch, on " + (m_input.deviceName.empty() ? m_recipe.device : m_input.deviceName) +
                         " with " + plural(m_input.threads, "thread", "threads") + ".");
    const StartWeights start = startWeightsOf(m_recipe.training);
    if (start.any() && !m_input.resumeFrom) tell("info", "Starts from the weights “" + start.title + "” (SHA-256 " + start.sha256.substr(0, 16) + "…)." + m_startFit);
}

/// Train longer (or shorter) than was planned; saved at once, since a person was told so.
bool Training::adoptPlan()
{
    if (!m_input.epochs) return true;
    const bool overruled = *m_input.epochs > m_state.epoch && !m_state.endedBecause.empty();
    if (overruled) goOnAfterEnd();
    if (*m_input.epochs == m_state.epochsPlanned) return !overruled || save("asked");
    const std::int64_t least = m_state.epoch + (m_state.stepInEpoch > 0 ? 1 : 0);
    plan(std::max<std::int64_t>(*m_input.epochs, least));
    return save("asked");
}

/// Brings the clocks into the state.
void Training::sync()
{
    m_state.secondsTrained = m_clock.seconds();
    m_state.stepSeconds = m_stepClock.seconds();
}

RunSummary Training::summaryNow()
{
    sync();
    RunSummary& summary = m_state.summary;
    summary.epochs = m_state.epoch;
    summary.steps = m_state.step;
    summary.seconds = m_state.secondsTrained;
    if (m_state.stepSeconds > 0) summary.samplesPerSecond = static_cast<double>(m_state.samplesTrained) / m_state.stepSeconds;
    return summary;
}

std::string Training::whereText() const
{
    return "epoch " + groupedInt(m_state.epoch + 1) + ", batch " + groupedInt(m_state.stepInEpoch + 1) + " of " + groupedInt(m_stepsPerEpoch);
}

/// Adds where it happened, what is safe, and the ways out.
Error Training::explain(Error error) const
{
    const std::string at = " at step " + groupedInt(m_state.step + 1) + " (" + whereText() + ")";
    const std::string safe = m_saved ? "The weights of step " + groupedInt(m_saved->step) + " are safe in the newest checkpoint." : "";
    if (error.code == ErrorCode::NotFinite) {
        if (error.detail != spoiltState) error.message += " That was in " + whereText() + "."; // which says itself where it was
        error.remedy = safe + (safe.empty() ? "" : " ") + "Ways out: lower the learning rate (now " + realText(m_recipe.training.learningRate) +
                       "), scale or normalise the inputs, or add a normalisation layer; then start again.";
    } else if (error.code == ErrorCode::OutOfMemory) {
        const std::string where = m_recipe.device == "cpu" ? "The computer's memory" : "The memory of " + (m_input.deviceName.empty() ? m_recipe.device : m_input.deviceName);
        // Refused before any was taken, the sentence has the figures already.
        if (m_session || !error.detail.empty()) error.message = where + " ran out" + (m_session ? at : " while the network was set up") + ".";
        error.remedy = safe + (safe.empty() ? "" : " ") + "Ways out: a smaller batch (now " + groupedInt(m_batch) + "), a smaller network, or closing what else uses that memory.";
    } else if (m_session && m_saved && error.remedy.empty()) {
        error.remedy = safe;
    }
    return error;
}

/// Nothing of the failed step has been committed (rule 6), so what stands before it is worth keeping, as far as that can be done.
/// Never a state that believes in a best which is not written, nor one that was not taken up yet.
void Training::saveBeforeFailing()
{
    if (!m_opened || m_state.step == 0 || m_bestOwed) return;
    try {
        (void)report(); // on a GPU this is where the counters go back to the last good step
        (void)trySave("stop");
    } catch (const std::exception& exception) {
        log(LogLevel::Error, std::string("The last checkpoint could not be written: ") + exception.what());
    }
}

bool Training::fail(Error error)
{
    if (goBack(error)) return !m_ended; // unless the disk could not take it and the person stopped the run
    saveBeforeFailing();
    error = explain(std::move(error));
    tell("error", error.text());
    m_ended = RunEnded{RunStatus::Failed, summaryNow(), errorCodeName(error.code), error.message, error.remedy, error.detail};
    return false;
}

RunEnded Training::endWith(Error error)
{
    if (m_ended) return *m_ended; // it was said already
    fail(std::move(error));
    say(*m_ended);
    return *m_ended;
}

} // namespace sconce
