// SPDX-License-Identifier: GPL-3.0-or-later
#include "ui/live/outcome.h"

#include "core/base/text.h"
#include "core/recipe/task.h"
#include "ui/services/run_rows.h"
#include "ui/services/words.h"

#include <QCoreApplication>

#include <algorithm>
#include <cmath>

namespace sconce::ui {

using words::text;

namespace {

QString tr(const char* s) { return QCoreApplication::translate("Outcome", s); }

QString count(std::int64_t n) { return text(groupedInt(n)); }

const CheckpointSaved* newestCheckpoint(const LiveRun& live)
{
    const CheckpointSaved* newest = nullptr;
    for (const CheckpointSaved& c : live.checkpoints) {
        if (!c.best && (!newest || c.step >= newest->step)) newest = &c;
    }
    return newest;
}

std::int64_t bestEpoch(const LiveRun& live)
{
    if (live.row.summary.bestEpoch > 0) return live.row.summary.bestEpoch;
    std::int64_t best = -1;
    double least = INFINITY;
    for (const EpochDone& e : live.epochsDone) {
        if (std::isfinite(e.valLoss) && e.valLoss < least) {
            least = e.valLoss;
            best = e.epoch;
        }
    }
    return best;
}

/// The main metric of its task; NaN where it has none, or was not tested.
double testOf(const RunRow& row)
{
    const MetricEntry* metric = mainMetric(row.task);
    return metric ? row.summary.metric("test", metric->id) : NAN;
}

/// The best earlier result on the same data and task, if there is one.
const RunRow* bestBefore(const LiveRun& live, const std::vector<RunRow>& others)
{
    const RunRow* best = nullptr;
    const MetricEntry* metric = mainMetric(live.row.task);
    const auto better = [&](const RunRow& row) { return metric->higherIsBetter ? testOf(row) > testOf(*best) : testOf(row) < testOf(*best); };
    for (const RunRow& row : others) {
        if (row.id == live.id || row.fingerprint != live.row.fingerprint || row.number >= live.row.number) continue;
        if (row.task != live.row.task || !std::isfinite(testOf(row))) continue;
        if (!best || better(row)) best = &row;
    }
    return best;
}

QString stepWords(const LiveRun& live, std::int64_t step)
{
    const std::int64_t epoch = live.stepsPerEpoch > 0 ? step / live.stepsPerEpoch : 0;
    const bool whole = live.stepsPerEpoch > 0 && step % live.stepsPerEpoch == 0 && step > 0;
    return whole ? tr("epoch %1 (step %2)").arg(epoch).arg(count(step)) : tr("step %1").arg(count(step));
}

enum class Cause { NotFinite, Memory, Disk, Data, Device, Other };

Cause causeOf(const LiveRun& live)
{
    const std::string& code = live.row.errorCode;
    if (failedByNan(live.row)) return Cause::NotFinite;
    // Runs of the first schema kept the sentence alone.
    if (code == errorCodeName(ErrorCode::OutOfMemory) || (code.empty() && live.row.message.find("ran out") != std::string::npos)) return Cause::Memory;
    if (code == errorCodeName(ErrorCode::DiskFull) || code == errorCodeName(ErrorCode::Io)) return Cause::Disk;
    if (code == errorCodeName(ErrorCode::NotFound) || code == errorCodeName(ErrorCode::Corrupt)) return Cause::Data;
    if (code == errorCodeName(ErrorCode::Unsupported)) return Cause::Device;
    return Cause::Other;
}

/// What the last steps show of how it came to NaN: evidence, or nothing.
QString lossBefore(const LiveRun& live)
{
    const auto& loss = live.trainLoss;
    std::size_t end = loss.size();
    while (end > 0 && !std::isfinite(loss[end - 1])) --end;
    if (end < 3) return {};
    const std::size_t from = end > 20 ? end - 20 : 0;
    double least = INFINITY;
    for (std::size_t i = from; i < end; ++i) least = std::min(least, loss[i]);
    const double last = loss[end - 1];
    if (last > 2 * least) return tr("The loss grew from %1 to %2 within the last %3 steps; a learning rate that is too high does this most often (it was %4).")
                                     .arg(words::loss(least), words::loss(last)).arg(end - from).arg(text(realText(live.recipe.training.learningRate, 3)));
    return tr("The loss stood at %1 one step before, so a single batch did it. A learning rate that is too high (it was %2) or a number that is too large in the data are the usual causes.")
        .arg(words::loss(last), text(realText(live.recipe.training.learningRate, 3)));
}

/// The metrics of the test, or where there is none of validation; the first of them large.
void addMetrics(const LiveRun& live, std::int64_t testCount, Outcome& out)
{
    const RunSummary& s = live.row.summary;
    const bool tested = std::isfinite(s.testLoss);
    bool first = true;
    for (const MetricEntry& metric : metricsOf(live.row.task)) {
        const double value = s.metric(tested ? "test" : "val", metric.id);
        if (!std::isfinite(value)) continue;
        QString note = first && !tested ? tr("of the last epoch; this data has no test part") : QString();
        if (tested && metric.id == "accuracy" && testCount > 0 && targetOf(live.recipe.task) != Target::Next) note = tr("%1 of %2 right").arg(count(std::llround(value * static_cast<double>(testCount))), count(testCount));
        const QString term = metric.id == "accuracy" ? (tested ? QStringLiteral("test") : QStringLiteral("validation")) : QString();
        out.figures.push_back({words::metricTitle(tested ? tr("Test") : tr("Validation"), metric), term, words::metric(&metric, value), note, first});
        first = false;
    }
    for (const MetricEntry& metric : furtherMetricsOf(live.row.task))
        if (const double value = s.metric(tested ? "test" : "val", metric.id); std::isfinite(value))
            out.figures.push_back({words::metricTitle(tested ? tr("Test") : tr("Validation"), metric), {}, words::metric(&metric, value), {}, false});
    if (tested) out.figures.push_back({tr("Test loss"), QStringLiteral("loss"), words::loss(s.testLoss), text(lossTitle(live.recipe.task)), false});
}

void addFinishedFigures(const LiveRun& live, const std::vector<RunRow>& others, std::int64_t testCount, Outcome& out)
{
    const RunSummary& s = live.row.summary;
    const MetricEntry* metric = mainMetric(live.row.task);
    addMetrics(live, testCount, out);
    if (const std::int64_t best = bestEpoch(live); best > 0) {
        const double value = metric ? s.metric("best_val", metric->id) : NAN;
        out.figures.push_back({tr("Best epoch"), QStringLiteral("epoch"), tr("%1 of %2").arg(count(best), count(s.epochs)),
                               tr("val. loss %1, %2").arg(words::loss(s.bestValLoss), metric && metric->percent ? words::percent(value) : tr("%1 %2").arg(metric ? text(metric->brief) : QString(), words::metric(metric, value))), false});
    }
    out.figures.push_back({tr("Training took"), {}, text(durationText(s.seconds)), s.samplesPerSecond > 0 ? words::rateWords(s.samplesPerSecond) : QString(), false});
    // Below 0 (dropout, or an epoch of fast progress) it says nothing about overfitting.
    if (const double gap = 100 * (s.trainAccuracy - s.valAccuracy); std::isfinite(gap) && gap >= 0) {
        out.figures.push_back({tr("Gap"), QStringLiteral("overfitting"), tr("%1 points").arg(gap, 0, 'f', 1),
                               tr("training %1, validation %2").arg(words::percent(s.trainAccuracy, 1), words::percent(s.valAccuracy, 1)), false});
    }
    if (const RunRow* before = metric && std::isfinite(testOf(live.row)) ? bestBefore(live, others) : nullptr) {
        const double more = testOf(live.row) - testOf(*before);
        const QString sign = more >= 0 ? QStringLiteral("+") : QString(QChar(0x2212));
        out.figures.push_back({tr("Against #%1").arg(before->number), {},
                               metric->percent ? tr("%1%2 points").arg(sign).arg(100 * std::abs(more), 0, 'f', 2) : sign + words::metric(metric, std::abs(more)),
                               tr("your best on this data before"), false});
    }
}

Outcome finished(const LiveRun& live, const std::vector<RunRow>& others, std::int64_t testCount)
{
    Outcome out{"finished", tr("Finished"), {}, {}, {}, {}};
    out.sentence = std::isfinite(live.row.summary.testLoss)
                       ? tr("Tested once, with the weights of the last epoch, on samples that it has never seen. The weights of the best epoch are kept beside them.")
                       : tr("All epochs are done. The weights of the last and of the best epoch are kept.");
    addFinishedFigures(live, others, testCount, out);
    out.ways = {{OutcomeAction::TryIt, "tryit", tr("Try it")},
                {OutcomeAction::SaveModel, "download", tr("Save model…")},
                {OutcomeAction::TrainLonger, "plus", tr("Train longer…")},
                {OutcomeAction::OpenInCompose, "compose", tr("Open in Compose")}};
    return out;
}

Outcome unfinished(const LiveRun& live)
{
    const bool stopped = live.status == RunStatus::Stopped;
    const CheckpointSaved* kept = newestCheckpoint(live);
    Outcome out{stopped ? "stopped" : "interrupted", stopped ? tr("Stopped at %1").arg(stepWords(live, live.step)) : tr("Interrupted"), {}, {}, {}, {}};
    if (stopped) {
        out.sentence = kept ? tr("The work is kept in a checkpoint; the run can go on from there at any time.") : tr("No checkpoint was kept; the run can only begin again.");
    } else {
        out.sentence = tr("The program or the computer went away while this run trained.");
        out.facts.push_back({tr("Safe"), kept ? tr("Everything up to %1. Resumed, the run goes on from there as if nothing had happened.").arg(stepWords(live, kept->step))
                                              : tr("Nothing yet: it had not reached its first checkpoint. Resumed, it begins anew.")});
    }
    if (!live.row.message.empty() && live.row.message.find("could not be written") != std::string::npos) out.facts.push_back({tr("Note"), text(live.row.message)});
    if (live.row.resumable) out.ways.push_back({OutcomeAction::Resume, "play", tr("Resume")});
    if (kept) {
        out.ways.push_back({OutcomeAction::TryIt, "tryit", tr("Try it")});
        out.ways.push_back({OutcomeAction::SaveModel, "download", tr("Save model…")});
    }
    out.ways.push_back({OutcomeAction::OpenInCompose, "compose", tr("Open in Compose")});
    return out;
}

Outcome failed(const LiveRun& live)
{
    Outcome out{"failed", live.row.message.empty() ? tr("The run failed.") : text(live.row.message), {}, {}, {}, {}};
    const CheckpointSaved* kept = newestCheckpoint(live);
    const Cause cause = causeOf(live);
    const auto why = [&](const QString& words) { if (!words.isEmpty()) out.facts.push_back({tr("Why"), words}); };
    const auto way = [&](OutcomeAction action, const char* icon, const QString& words) { out.ways.push_back({action, QLatin1String(icon), words}); };
    switch (cause) {
    case Cause::NotFinite:
        why(lossBefore(live));
        way(OutcomeAction::LowerRate, "compose", tr("New run with learning rate %1…").arg(text(realText(withLowerRate(live.recipe).training.learningRate, 3))));
        break;
    case Cause::Memory:
        why(tr("One batch of %1 samples with everything that its gradients need did not fit.").arg(count(live.recipe.training.batchSize)));
        if (live.recipe.training.batchSize > 1) way(OutcomeAction::SmallerBatch, "compose", tr("New run with batches of %1…").arg(count(withSmallerBatch(live.recipe).training.batchSize)));
        break;
    case Cause::Data: way(OutcomeAction::GoToData, "data", tr("Look at the data")); break;
    case Cause::Disk:
    case Cause::Device:
    case Cause::Other: break;
    }
    // The same steps would only lead to the same NaN.
    if (live.row.resumable && cause != Cause::NotFinite) way(OutcomeAction::Resume, "play", kept ? tr("Go on from %1").arg(stepWords(live, kept->step)) : tr("Try again"));
    if (kept) {
        out.facts.push_back({tr("Safe"), cause == Cause::NotFinite
                                             ? tr("The checkpoint of %1. The failed step was not applied: NaN never reaches the weights or a checkpoint.").arg(stepWords(live, kept->step))
                                             : tr("The checkpoint of %1.").arg(stepWords(live, kept->step))});
    }
    QString remedy = text(live.row.remedy);
    // What is safe stands on a line of its own.
    if (const auto at = remedy.indexOf(QLatin1String("Ways out: ")); at >= 0) remedy = remedy.mid(at + 10, 1).toUpper() + remedy.mid(at + 11);
    else if (kept && remedy.startsWith(QLatin1String("The weights of step"))) remedy.clear();
    if (!remedy.isEmpty()) out.facts.push_back({tr("Ways out"), remedy});
    if (live.ended && !live.ended->detail.empty() && cause != Cause::NotFinite) out.facts.push_back({tr("Detail"), text(live.ended->detail).left(400)});
    way(OutcomeAction::OpenInCompose, "compose", tr("Open in Compose"));
    if (kept) way(OutcomeAction::TryIt, "tryit", tr("Try it"));
    return out;
}

} // namespace

bool Outcome::operator==(const Outcome& o) const
{
    const auto figure = [](const Figure& a, const Figure& b) { return a.caption == b.caption && a.value == b.value && a.note == b.note; };
    const auto fact = [](const Fact& a, const Fact& b) { return a.name == b.name && a.words == b.words; };
    const auto way = [](const Way& a, const Way& b) { return a.action == b.action && a.text == b.text; };
    return status == o.status && headline == o.headline && sentence == o.sentence &&
           std::equal(figures.begin(), figures.end(), o.figures.begin(), o.figures.end(), figure) &&
           std::equal(facts.begin(), facts.end(), o.facts.begin(), o.facts.end(), fact) && std::equal(ways.begin(), ways.end(), o.ways.begin(), o.ways.end(), way);
}

std::optional<Outcome> outcomeOf(const LiveRun& live, const std::vector<RunRow>& others, std::int64_t testCount, bool inQueue)
{
    switch (live.status) {
    case RunStatus::Finished: return finished(live, others, testCount);
    case RunStatus::Stopped:
    case RunStatus::Interrupted: return unfinished(live);
    case RunStatus::Failed: return failed(live);
    case RunStatus::Queued: {
        Outcome out{"queued", inQueue ? tr("Waits in the queue") : tr("Not started yet"), inQueue ? tr("It starts when the runs before it are done.") : tr("It was prepared but never started."), {}, {}, {}};
        if (!inQueue) out.ways.push_back({OutcomeAction::Start, "play", tr("Start")});
        out.ways.push_back({OutcomeAction::OpenInCompose, "compose", tr("Open in Compose")});
        return out;
    }
    case RunStatus::Running:
    case RunStatus::Paused: return {};
    }
    return {};
}

Recipe withLowerRate(Recipe recipe)
{
    recipe.training.learningRate /= 10;
    return recipe;
}

Recipe withSmallerBatch(Recipe recipe)
{
    recipe.training.batchSize = std::max<std::int64_t>(1, recipe.training.batchSize / 2);
    return recipe;
}

} // namespace sconce::ui
