// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/history/recorder.h"

#include "core/base/clock.h"
#include "core/base/json_text.h"
#include "core/base/log.h"
#include "core/history/run_rows.h"

#include "history_sql.h"

#include <algorithm>
#include <cmath>

namespace sconce {

namespace {


/// The newest known: what is not known now does not wipe out what was.
void keepKnown(double& value, double newer)
{
    if (!std::isnan(newer)) value = newer;
}

WallMs timeOf(const Event& event) { return event.time != 0 ? event.time : Clock::system().wallMs(); }

} // namespace

Recorder::Recorder(Database& db, std::string runsFolder)
    : m_db(db)
    , m_runsFolder(std::move(runsFolder))
    , m_series(db)
{
}

void Recorder::forget()
{
    m_runs.clear();
    m_series.forget();
    m_changed.clear();
}

Result<Recorder::Run*> Recorder::load(const RunId& id)
{
    auto [found, isNew] = m_runs.try_emplace(id);
    if (!isNew) return &found->second;
    Run& run = found->second;
    Statement s = m_db.prepare(sql::runs_load_state);
    s.bind(1, id);
    if (s.step()) {
        run.number = s.integer(0);
        run.attempt = static_cast<int>(s.integer(1));
        run.stepsPerEpoch = s.integer(2);
        run.summary = summaryOf(s, 3, 17);
    }
    if (Result<void> done = s.result(); !done) {
        m_runs.erase(found);
        return done.error();
    }
    return &run;
}

Result<void> Recorder::apply(const RunId& id, int attempt, const Event& event)
{
    Result<Run*> loaded = load(id);
    if (!loaded) return loaded.error();
    Run& run = **loaded;
    // Deleted while its last events were on their way, or taken up by another trainer: nothing of it belongs here any more.
    if (run.number == 0 || attempt != run.attempt) return {};
    m_folder = m_runsFolder + "/" + id;
    SCONCE_TRY(std::visit([&](const auto& body) { return take(run, body, event); }, event.body));
    return {};
}

void Recorder::point(Run& run, const std::string& key, std::int64_t step, double value)
{
    Points& points = run.points[key];
    points.steps.push_back(step);
    points.values.push_back(value);
}

Result<void> Recorder::writePoints(Run& run)
{
    for (auto& [key, points] : run.points)
        if (!points.steps.empty()) {
            SCONCE_TRY(m_series.append(run.number, run.attempt, key, points.steps, points.values));
            points.steps.clear();
            points.values.clear();
        }
    return {};
}

Result<void> Recorder::finish()
{
    for (auto it = m_runs.begin(); it != m_runs.end();) {
        auto& [id, run] = *it;
        SCONCE_TRY(writePoints(run));
        if (run.changed) SCONCE_TRY(saveSummary(m_db, run.number, run.summary));
        run.changed = false;
        if (run.ended) {
            SCONCE_TRY(m_series.settle(run.number));
            m_changed.push_back(id);
        }
        it = run.ended || run.number == 0 ? m_runs.erase(it) : std::next(it);
    }
    return {};
}

Result<void> Recorder::take(Run& run, const RunStarted& e, const Event&)
{
    if (e.stepsPerEpoch > 0) run.stepsPerEpoch = e.stepsPerEpoch;
    SCONCE_TRY(m_db.prepare(sql::runs_announce)
                   .bind(1, run.number).bind(2, e.epochs).bind(3, e.stepsPerEpoch).bind(4, e.device).bind(5, e.deviceName).run());
    if (e.choices.is_null()) return {};
    return m_db.prepare(sql::attempts_set_choices).bind(1, run.number).bind(2, run.attempt).bind(3, jsonText(e.choices)).run();
}

Result<void> Recorder::take(Run& run, const StepsDone& e, const Event&)
{
    const auto addAll = [&](const std::string& key, const auto& values) {
        Points& points = run.points[key];
        for (std::size_t i = 0; i < values.size(); ++i) {
            points.steps.push_back(e.firstStep + static_cast<std::int64_t>(i));
            points.values.push_back(static_cast<double>(values[i]));
        }
    };
    addAll(series::trainLoss, e.loss);
    if (!e.accuracy.empty()) addAll(series::trainAccuracy, e.accuracy);
    for (const auto& [id, values] : e.metrics) addAll(series::train(id), values);
    addAll(series::learningRate, e.learningRate);
    addAll(series::seconds, e.seconds);
    run.summary.steps = e.firstStep + static_cast<std::int64_t>(e.loss.size());
    if (!e.seconds.empty()) keepKnown(run.summary.seconds, e.seconds.back());
    keepKnown(run.summary.samplesPerSecond, e.samplesPerSecond);
    run.changed = true;
    return {};
}

Result<void> Recorder::take(Run& run, const EpochDone& e, const Event&)
{
    // At the step that ended the epoch, so that an attempt cut at the epoch's checkpoint keeps its point.
    const std::int64_t step = std::max<std::int64_t>(e.step - 1, 0);
    point(run, series::epochTrainLoss, step, e.trainLoss);
    point(run, series::valLoss, step, e.valLoss);
    // Other metrics may stand beside accuracy, or in its place.
    if (e.metrics.empty() || std::isfinite(e.trainAccuracy)) point(run, series::epochTrainAccuracy, step, e.trainAccuracy);
    if (e.metrics.empty() || std::isfinite(e.valAccuracy)) point(run, series::valAccuracy, step, e.valAccuracy);
    RunSummary& s = run.summary;
    for (const auto& [key, value] : e.metrics) {
        const bool validation = key.starts_with("val_");
        const std::string id = key.substr(key.find('_') + 1);
        point(run, validation ? series::validation(id) : series::epochTrain(id), step, value);
        s.metrics[key] = value;
        if (validation && e.best) s.metrics["best_" + key] = value;
    }
    s.epochs = e.epoch;
    s.steps = std::max(s.steps, e.step);
    s.trainLoss = e.trainLoss;
    s.trainAccuracy = e.trainAccuracy;
    s.valLoss = e.valLoss;
    s.valAccuracy = e.valAccuracy;
    if (e.samplesPerSecond > 0) s.samplesPerSecond = e.samplesPerSecond;
    if (e.best) {
        s.bestEpoch = e.epoch;
        s.bestValLoss = e.valLoss;
        s.bestValAccuracy = e.valAccuracy;
    }
    run.changed = true;
    return {};
}

Result<void> Recorder::take(Run&, const EvaluationProgress&, const Event&) { return {}; }
Result<void> Recorder::take(Run&, const HistogramsTaken&, const Event&) { return {}; }

Result<void> Recorder::take(Run& run, const TestDone& e, const Event&)
{
    run.summary.testLoss = e.loss;
    run.summary.testAccuracy = e.accuracy;
    for (const auto& [key, value] : e.metrics) run.summary.metrics[key] = value;
    run.changed = true;
    return {};
}

Result<void> Recorder::take(Run& run, const CheckpointSaved& e, const Event& whole)
{
    const std::string path = belowFolder(m_folder, e.path);
    const std::int64_t epoch = run.stepsPerEpoch > 0 ? e.step / run.stepsPerEpoch : 0;
    if (!e.best || run.summary.checkpoint.empty()) run.summary.checkpoint = path;
    run.changed = true;
    return m_db.prepare(sql::checkpoints_put)
        .bind(1, run.number).bind(2, path).bind(3, e.step).bind(4, epoch).bind(5, e.reason).bind(6, timeOf(whole))
        .bind(7, e.best).bind(8, static_cast<std::int64_t>(folderBytes(e.path))).run();
}

Result<void> Recorder::take(Run& run, const StatusChanged& e, const Event&)
{
    return m_db.prepare(sql::runs_set_live_status).bind(1, run.number).bind(2, statusName(e.status)).run();
}

Result<void> Recorder::take(Run& run, const LogLine& e, const Event& whole)
{
    return m_db.prepare(sql::log_insert)
        .bind(1, run.number).bind(2, run.attempt).bind(3, e.time != 0 ? e.time : timeOf(whole)).bind(4, e.level)
        .bind(5, e.text).run();
}

Result<void> Recorder::take(Run&, const CommandAnswered&, const Event&) { return {}; }

Result<void> Recorder::take(Run& run, const Amended& e, const Event&)
{
    const Amendment& a = e.amendment;
    if (a.path == "/training/epochs" && a.after.is_number_integer()) {
        const auto epochs = a.after.get<std::int64_t>();
        SCONCE_TRY(m_db.prepare(sql::runs_set_epochs_planned).bind(1, run.number).bind(2, epochs).run());
        if (epochs > run.summary.epochs) { // trained longer: a test there was is not one of the weights to come
            const RunSummary unknown;
            run.summary.testLoss = unknown.testLoss;
            run.summary.testAccuracy = unknown.testAccuracy;
            std::erase_if(run.summary.metrics, [](const auto& metric) { return metric.first.starts_with("test_"); });
            run.changed = true;
        }
    }
    return m_db.prepare(sql::amendments_insert)
        .bind(1, run.number).bind(2, run.attempt).bind(3, a.step).bind(4, a.path).bind(5, jsonText(a.before))
        .bind(6, jsonText(a.after)).run();
}

Result<void> Recorder::take(Run& run, const HardwareRead& e, const Event&)
{
    if (!std::isfinite(e.seconds) || std::abs(e.seconds) > 1e12) return {};
    const auto ms = static_cast<std::int64_t>(std::llround(e.seconds * 1000));
    for (const auto& [name, value] : e.values) point(run, series::hardwarePrefix + name, ms, value);
    return {};
}

Result<void> Recorder::take(Run& run, const RunEnded& e, const Event& whole)
{
    RunSummary& s = run.summary;
    const RunSummary& n = e.summary;
    s.epochs = std::max(s.epochs, n.epochs);
    s.steps = std::max(s.steps, n.steps);
    keepKnown(s.trainLoss, n.trainLoss);
    keepKnown(s.trainAccuracy, n.trainAccuracy);
    keepKnown(s.valLoss, n.valLoss);
    keepKnown(s.valAccuracy, n.valAccuracy);
    keepKnown(s.testLoss, n.testLoss);
    keepKnown(s.testAccuracy, n.testAccuracy);
    keepKnown(s.bestValLoss, n.bestValLoss);
    keepKnown(s.bestValAccuracy, n.bestValAccuracy);
    for (const auto& [key, value] : n.metrics)
        if (!std::isnan(value) || !s.metrics.contains(key)) s.metrics[key] = value;
    if (n.bestEpoch >= 0) s.bestEpoch = n.bestEpoch;
    if (n.seconds > 0) s.seconds = n.seconds;
    if (n.samplesPerSecond > 0) s.samplesPerSecond = n.samplesPerSecond;
    if (!n.checkpoint.empty()) s.checkpoint = belowFolder(m_folder, n.checkpoint);
    run.changed = true;
    run.ended = true;
    SCONCE_TRY(m_db.prepare(sql::attempts_end)
                   .bind(1, run.number).bind(2, run.attempt).bind(3, timeOf(whole)).bind(4, s.steps).run());
    // Interrupted means handed over: it may be taken up at once, so the run has not ended.
    const bool over = e.status == RunStatus::Finished || e.status == RunStatus::Stopped || e.status == RunStatus::Failed;
    return m_db.prepare(sql::runs_end)
        .bind(1, run.number).bind(2, over ? statusName(e.status) : "").bind(3, over ? timeOf(whole) : WallMs{0})
        .bind(4, e.message).bind(5, e.remedy).bind(6, e.errorCode).bind(7, e.detail).run();
}

} // namespace sconce
