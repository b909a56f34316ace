// SPDX-License-Identifier: GPL-3.0-or-later
#include "ui/services/live_run.h"

#include "core/base/text.h"
#include "core/recipe/task.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <string_view>

namespace sconce::ui {

namespace {

constexpr double unknown = std::numeric_limits<double>::quiet_NaN();

QString text(const std::string& s) { return QString::fromStdString(s); }

std::vector<double> values(Store& store, const RunId& id, const std::string& key, std::size_t count)
{
    std::vector<double> out;
    if (auto points = store.series(id, key); points.ok()) out.assign(points->value.begin(), points->value.end());
    out.resize(count, unknown);
    return out;
}

std::string mainOf(const LiveRun& live)
{
    const MetricEntry* metric = mainMetric(live.row.task);
    return metric ? metric->id : std::string();
}

double valueOf(const MetricMap& metrics, const std::string& key)
{
    const auto found = metrics.find(key);
    return found == metrics.end() ? unknown : found->second;
}

void loadSteps(Store& store, const RunId& id, LiveRun& live)
{
    auto loss = store.series(id, series::trainLoss);
    if (!loss.ok()) return;
    live.trainStep.assign(loss->step.begin(), loss->step.end());
    live.trainLoss.assign(loss->value.begin(), loss->value.end());
    const std::size_t count = live.trainStep.size();
    live.trainMetric = values(store, id, series::train(mainOf(live)), count);
    live.learningRate = values(store, id, series::learningRate, count);
    live.seconds = values(store, id, series::seconds, count);
}

void loadEpochs(Store& store, const RunId& id, LiveRun& live)
{
    if (auto loss = store.series(id, series::valLoss); loss.ok()) {
        live.valStep.assign(loss->step.begin(), loss->step.end());
        live.valLoss.assign(loss->value.begin(), loss->value.end());
        live.valMetric = values(store, id, series::validation(mainOf(live)), live.valStep.size());
    }
    auto train = store.series(id, series::epochTrainLoss);
    if (!train.ok()) return;
    const std::string metric = mainOf(live);
    const bool accuracy = metric == "accuracy";
    const auto trained = values(store, id, series::epochTrain(metric), train->step.size());
    for (std::size_t i = 0; i < train->step.size(); ++i) {
        EpochDone epoch;
        epoch.epoch = static_cast<std::int64_t>(i) + 1;
        epoch.step = train->step[i] + 1;
        epoch.trainLoss = train->value[i];
        epoch.trainAccuracy = accuracy ? trained[i] : unknown;
        epoch.valLoss = i < live.valLoss.size() ? live.valLoss[i] : unknown;
        const double validated = i < live.valMetric.size() ? live.valMetric[i] : unknown;
        epoch.valAccuracy = accuracy ? validated : unknown;
        if (!accuracy && !metric.empty()) epoch.metrics = {{"train_" + metric, trained[i]}, {"val_" + metric, validated}};
        epoch.best = epoch.epoch == live.row.summary.bestEpoch;
        live.epochsDone.push_back(epoch);
    }
}

void loadHardware(Store& store, const RunId& id, LiveRun& live)
{
    auto keys = store.seriesKeys(id);
    if (!keys.ok()) return;
    const std::string_view prefix = series::hardwarePrefix;
    for (const std::string& key : *keys) {
        if (key.compare(0, prefix.size(), prefix) != 0) continue;
        auto points = store.series(id, key);
        if (!points.ok()) continue;
        auto& [seconds, value] = live.hardware[key.substr(prefix.size())];
        for (const std::int64_t ms : points->step) seconds.push_back(static_cast<double>(ms) / 1000);
        value.assign(points->value.begin(), points->value.end());
    }
}

bool isOver(RunStatus status)
{
    return status == RunStatus::Finished || status == RunStatus::Stopped || status == RunStatus::Failed || status == RunStatus::Interrupted;
}

/// A new attempt begins at a step: what an earlier one did beyond it no longer counts (the store drops it likewise).
void cutAt(LiveRun& live, std::int64_t startStep)
{
    const auto cut = static_cast<std::size_t>(
        std::lower_bound(live.trainStep.begin(), live.trainStep.end(), static_cast<double>(startStep)) - live.trainStep.begin());
    const double secondsThen = cut > 0 && cut < live.seconds.size() ? live.seconds[cut - 1] : std::numeric_limits<double>::infinity();
    for (auto* series : {&live.trainStep, &live.trainLoss, &live.trainMetric, &live.learningRate, &live.seconds}) series->resize(cut);
    std::erase_if(live.epochsDone, [&](const EpochDone& epoch) { return epoch.step > startStep; });
    const auto epochs = static_cast<std::size_t>(
        std::lower_bound(live.valStep.begin(), live.valStep.end(), static_cast<double>(startStep)) - live.valStep.begin());
    for (auto* series : {&live.valStep, &live.valLoss, &live.valMetric}) series->resize(epochs);
    for (auto& [name, points] : live.hardware) {
        auto& [seconds, value] = points;
        const auto keep = startStep == 0 ? 0
                                         : static_cast<std::size_t>(std::upper_bound(seconds.begin(), seconds.end(), secondsThen) - seconds.begin());
        seconds.resize(keep);
        value.resize(keep);
    }
}

Applied apply(LiveRun& live, const RunStarted& e, WallMs time)
{
    // A replay of an attempt that the history knows already cuts nothing.
    if (e.attempt > live.row.attempts) {
        cutAt(live, e.startStep);
        live.step = e.startStep;
    }
    live.stepsPerEpoch = e.stepsPerEpoch;
    live.epochs = e.epochs;
    live.batchSize = e.batchSize;
    live.status = RunStatus::Running;
    live.ended.reset();
    live.busyStopping = false;
    live.activity.clear();
    live.because.clear();
    live.row.device = e.device;
    live.row.deviceName = e.deviceName;
    live.row.attempts = std::max(live.row.attempts, e.attempt);
    live.row.epochsPlanned = e.epochs;
    live.row.stepsPerEpoch = e.stepsPerEpoch;
    if (live.row.started == 0) live.row.started = time;
    return {.status = true};
}

Applied apply(LiveRun& live, const StepsDone& e, WallMs)
{
    const auto have = live.trainStep.empty() ? 0 : static_cast<std::int64_t>(live.trainStep.back()) + 1;
    const auto count = static_cast<std::int64_t>(e.loss.size());
    if (e.firstStep > have) return {.gap = true};
    const auto other = e.metrics.find(mainOf(live));
    const std::vector<float>& metric = other == e.metrics.end() ? e.accuracy : other->second;
    for (std::int64_t i = have - e.firstStep; i < count; ++i) {
        const auto at = static_cast<std::size_t>(i);
        live.trainStep.push_back(static_cast<double>(e.firstStep + i));
        live.trainLoss.push_back(static_cast<double>(e.loss[at]));
        live.trainMetric.push_back(at < metric.size() ? static_cast<double>(metric[at]) : unknown);
        live.learningRate.push_back(at < e.learningRate.size() ? static_cast<double>(e.learningRate[at]) : unknown);
        live.seconds.push_back(at < e.seconds.size() ? e.seconds[at] : unknown);
    }
    live.step = std::max(live.step, e.firstStep + count);
    if (e.samplesPerSecond > 0) {
        // Groups are short; the tile shows their mean over some seconds.
        live.samplesPerSecond = live.samplesPerSecond > 0 ? 0.9 * live.samplesPerSecond + 0.1 * e.samplesPerSecond : e.samplesPerSecond;
    }
    live.activity.clear();
    return {};
}

Applied apply(LiveRun& live, const EpochDone& e, WallMs)
{
    live.activity.clear();
    if (!live.epochsDone.empty() && live.epochsDone.back().epoch >= e.epoch) return {};
    live.epochsDone.push_back(e);
    if (e.best) {
        for (EpochDone& epoch : live.epochsDone) epoch.best = epoch.epoch == e.epoch;
        live.row.summary.bestEpoch = e.epoch;
        live.row.summary.bestValLoss = e.valLoss;
        live.row.summary.bestValAccuracy = e.valAccuracy;
        for (const auto& [key, value] : e.metrics)
            if (key.starts_with("val_")) live.row.summary.metrics["best_" + key] = value;
    }
    const std::string main = mainOf(live);
    const double validated = main == "accuracy" ? e.valAccuracy : valueOf(e.metrics, "val_" + main);
    if (!std::isnan(e.valLoss) || !std::isnan(validated)) {
        const auto step = static_cast<double>(e.step - 1);
        if (live.valStep.empty() || live.valStep.back() < step) {
            live.valStep.push_back(step);
            live.valLoss.push_back(e.valLoss);
            live.valMetric.push_back(validated);
        }
    }
    live.row.summary.epochs = e.epoch;
    return {};
}

Applied apply(LiveRun& live, const EvaluationProgress& e, WallMs)
{
    const QString what = e.what == "test" ? QStringLiteral("testing") : e.what == "validation" ? QStringLiteral("validating") : text(e.what);
    live.activity = QStringLiteral("%1, %2 of %3").arg(what, text(groupedInt(e.done)), text(groupedInt(e.total)));
    return {};
}

Applied apply(LiveRun& live, const TestDone& e, WallMs)
{
    live.row.summary.testLoss = e.loss;
    live.row.summary.testAccuracy = e.accuracy;
    for (const auto& [key, value] : e.metrics) live.row.summary.metrics[key] = value;
    live.activity.clear();
    return {};
}

Applied apply(LiveRun& live, const CheckpointSaved& e, WallMs)
{
    std::erase_if(live.checkpoints, [&](const CheckpointSaved& old) { return old.path == e.path; });
    live.checkpoints.push_back(e);
    live.row.summary.checkpoint = e.path;
    return {};
}

Applied apply(LiveRun& live, const StatusChanged& e, WallMs)
{
    const bool other = live.status != e.status;
    live.status = e.status;
    live.because = e.status == RunStatus::Paused && e.because != "asked" ? text(e.because) : QString();
    return {.status = other};
}

Applied apply(LiveRun& live, const LogLine& e, WallMs)
{
    // A replay repeats lines that the history has already.
    const auto from = live.log.size() > 200 ? live.log.end() - 200 : live.log.begin();
    if (std::any_of(from, live.log.end(), [&](const LogRow& row) { return row.time == e.time && row.text == e.text; })) return {};
    live.log.push_back({e.time, e.level, e.text, std::max(1, live.row.attempts)});
    return {};
}

Applied apply(LiveRun& live, const CommandAnswered& e, WallMs time)
{
    if (e.ok) return {};
    if (e.command != 0 && e.command == live.histogramsCommand) {
        live.histogramsRefused = text(e.text); // said where they were asked for
        return {.status = true};
    }
    live.busyStopping = false;
    live.log.push_back({time, "warning", e.text, std::max(1, live.row.attempts)});
    return {.status = true};
}

Applied apply(LiveRun& live, const Amended& e, WallMs)
{
    if (e.amendment.path == "/training/epochs" && e.amendment.after.is_number_integer()) {
        live.epochs = e.amendment.after.get<std::int64_t>();
        live.row.epochsPlanned = live.epochs;
    }
    const Json &before = e.amendment.before, &after = e.amendment.after;
    if (e.amendment.path == "/training/learning_rate" && before.is_number() && after.is_number() && after.get<double>() < before.get<double>()) {
        // Nobody asked for it: told until the run's state changes. What the epochs given up had reached no longer counts.
        live.because = QStringLiteral("A loss or gradient became NaN or infinite. The run went back to step %1 and goes on with a learning rate of %2.")
                           .arg(text(groupedInt(e.amendment.step)), text(realText(after.get<double>(), 3)));
        return {.status = true};
    }
    return {};
}

Applied apply(LiveRun& live, const HardwareRead& e, WallMs)
{
    for (const auto& [name, reading] : e.values) {
        auto& [seconds, value] = live.hardware[name];
        // The history keeps whole milliseconds, so that a replayed reading may seem a hair later.
        if (!seconds.empty() && seconds.back() >= e.seconds - 0.0015) continue;
        seconds.push_back(e.seconds);
        value.push_back(reading);
    }
    return {};
}

Applied apply(LiveRun& live, const HistogramsTaken& e, WallMs)
{
    live.histograms = std::make_shared<const HistogramsTaken>(e);
    return {};
}

Applied apply(LiveRun& live, const RunEnded& e, WallMs time)
{
    live.status = e.status;
    live.row.status = e.status;
    // An end that nobody counted (killed, or it could not begin) says nothing of what was reached before.
    if (e.summary.steps > 0 || live.row.summary.steps <= 0) live.row.summary = e.summary;
    live.row.message = e.message;
    live.row.remedy = e.remedy;
    live.row.errorCode = e.errorCode;
    live.row.detail = e.detail;
    live.row.ended = time;
    live.ended = e;
    live.busyStopping = false;
    live.activity.clear();
    live.secondsLeft.reset();
    return {.status = true, .ended = true};
}

} // namespace

Result<LiveRun> loadLiveRun(Store& store, const RunId& id)
{
    auto row = store.run(id);
    if (!row.ok()) return row.error();
    LiveRun live;
    live.id = id;
    live.row = std::move(row).value();
    if (auto recipe = store.recipe(id); recipe.ok()) live.recipe = std::move(recipe).value();
    live.status = live.row.status;
    live.epochs = live.row.epochsPlanned;
    live.stepsPerEpoch = live.row.stepsPerEpoch;
    live.batchSize = live.recipe.training.batchSize;
    loadSteps(store, id, live);
    loadEpochs(store, id, live);
    loadHardware(store, id, live);
    if (auto lines = store.logLines(id); lines.ok()) live.log = std::move(lines).value();
    if (live.log.size() > 1 && live.log.front().time > live.log.back().time) std::reverse(live.log.begin(), live.log.end());
    if (auto rows = store.checkpoints(id); rows.ok()) {
        for (const CheckpointRow& c : *rows) live.checkpoints.push_back({c.path, c.step, c.reason, c.best, 0});
        std::stable_sort(live.checkpoints.begin(), live.checkpoints.end(), [](const auto& a, const auto& b) { return a.step < b.step; });
    }
    live.step = live.trainStep.empty() ? 0 : static_cast<std::int64_t>(live.trainStep.back()) + 1;
    live.samplesPerSecond = live.row.summary.samplesPerSecond;
    if (isOver(live.status)) {
        RunEnded ended;
        ended.status = live.status;
        ended.summary = live.row.summary;
        ended.message = live.row.message;
        ended.remedy = live.row.remedy;
        ended.errorCode = live.row.errorCode;
        ended.detail = live.row.detail;
        live.ended = std::move(ended);
    }
    return live;
}

Applied applyEvent(LiveRun& live, const Event& event)
{
    const Applied applied = std::visit([&](const auto& body) { return apply(live, body, event.time); }, event.body);
    live.row.status = live.status;
    return applied;
}

std::optional<double> estimateSecondsLeft(const LiveRun& live)
{
    const std::int64_t left = live.epochs * live.stepsPerEpoch - live.step;
    if (live.seconds.size() < 2 || left < 0 || isOver(live.status)) return {};
    const auto window = std::min<std::size_t>(live.seconds.size() - 1, static_cast<std::size_t>(std::max<std::int64_t>(live.stepsPerEpoch, 50)));
    const double took = live.seconds.back() - live.seconds[live.seconds.size() - 1 - window];
    if (!(took > 0)) return {};
    return took / static_cast<double>(window) * static_cast<double>(left);
}

} // namespace sconce::ui
