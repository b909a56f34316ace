// SPDX-License-Identifier: GPL-3.0-or-later
// runs list, show, pause, stop, delete, export, compare: the history.
#include "app/cli/cli.h"

#include "core/base/text.h"
#include "core/exchange/weights.h"
#include "core/training/histograms.h"
#include "core/training/run_host.h"
#include "core/training/start_weights.h"

#include <algorithm>
#include <cmath>

namespace sconce::cli {

namespace {

Json runJson(const RunRow& row)
{
    const auto& s = row.summary;
    Json json{{"run", row.id}, {"number", row.number}, {"name", row.name}, {"status", statusName(row.status)}, {"recipe", row.recipeName}, {"task", row.task},
            {"data", row.dataset}, {"fingerprint", row.fingerprint}, {"device", row.device}, {"started", row.started ? Json(isoTime(row.started)) : Json(nullptr)},
            {"seconds", number(s.seconds)}, {"epochs", s.epochs}, {"epochs_planned", row.epochsPlanned}, {"steps", s.steps},
            {"train_loss", number(s.trainLoss)}, {"train_accuracy", number(s.trainAccuracy)}, {"val_loss", number(s.valLoss)},
            {"val_accuracy", number(s.valAccuracy)}, {"test_loss", number(s.testLoss)}, {"test_accuracy", number(s.testAccuracy)},
            {"parameters", row.parameters}, {"resumable", row.resumable}, {"tags", row.tags}, {"note", row.note}};
    addMetrics(json, s.metrics);
    return json;
}

/// What the task is judged by, of the test: "98.10 %", "0.0213 mean error".
std::string testMetric(const RunRow& row)
{
    const auto metrics = metricsOf(row.task);
    if (metrics.empty()) return "–";
    const double value = row.summary.metric("test", metrics.front().id);
    return metricText(metrics.front(), value) + (metrics.front().id == "accuracy" || !std::isfinite(value) ? "" : " " + metrics.front().brief);
}

std::string orDash(double value) { return std::isfinite(value) ? realText(value) : "–"; }

/// What a run kept of a GPU's memory at most, bytes.
struct KeptAtMost
{
    std::string gpu; ///< "gpu0"
    std::uint64_t allocated = 0, reserved = 0;
};
std::vector<KeptAtMost> keptAtMost(Store& store, const RunId& run)
{
    const auto most = [&](const std::string& key) {
        double top = 0;
        const auto points = store.series(run, key).valueOr({});
        for (const double value : points.value) top = std::max(top, value); // NaN stays out
        return static_cast<std::uint64_t>(top);
    };
    std::vector<KeptAtMost> result;
    const std::string prefix = series::hardwarePrefix, tail = ".reserved";
    for (const std::string& key : store.seriesKeys(run).valueOr({})) {
        if (!key.starts_with(prefix + "gpu") || !key.ends_with(tail)) continue;
        const std::string gpu = key.substr(prefix.size(), key.size() - prefix.size() - tail.size());
        result.push_back({gpu, most(prefix + gpu + ".allocated"), most(key)});
    }
    return result;
}

/// Store, run id and its row, or the exit code of the sentence already printed.
struct Found
{
    std::shared_ptr<Store> store;
    RunRow row;
};
Result<Found> find(Context& context, const std::string& text)
{
    auto store = context.store();
    if (!store) return store.error();
    auto id = (*store)->findRun(text);
    if (!id) return id.error();
    auto row = (*store)->run(*id);
    if (!row) return row.error();
    return Found{*store, *row};
}

} // namespace

int runsList(Context& context)
{
    auto store = context.store();
    if (!store) return context.fail(store.error());
    auto rows = (*store)->runs();
    if (!rows) return context.fail(rows.error());
    std::vector<std::vector<std::string>> lines;
    for (const auto& row : *rows) {
        context.emit(runJson(row));
        lines.push_back({"#" + std::to_string(row.number), row.id, row.name, statusName(row.status), row.datasetTitle, row.device,
                         std::to_string(row.summary.epochs) + " of " + std::to_string(row.epochsPlanned), testMetric(row),
                         orDash(row.summary.testLoss), durationText(row.summary.seconds)});
    }
    if (rows->empty())
        context.note("No runs yet. Start one with: sconce train digits-convnet");
    else
        context.print(table({"#", "run", "name", "status", "data", "device", "epochs", "test result", "test loss", "time"}, lines,
                            {true, false, false, false, false, false, true, true, true, true}));
    return Done;
}

int runsShow(Context& context, const std::string& run)
{
    auto found = find(context, run);
    if (!found) return context.fail(found.error());
    const auto& row = found->row;
    auto recipe = found->store->recipe(row.id);
    auto attempts = found->store->attempts(row.id);
    auto checkpoints = found->store->checkpoints(row.id);
    auto log = found->store->logLines(row.id, 20);
    auto amendments = found->store->amendments(row.id);
    Json shown = runJson(row);
    shown["folder"] = row.folder;
    if (!row.message.empty()) shown["message"] = row.message;
    if (!row.remedy.empty()) shown["remedy"] = row.remedy;
    if (!row.errorCode.empty()) shown["error_code"] = row.errorCode;
    if (recipe) shown["recipe_value"] = toJson(*recipe);
    for (const auto& a : attempts.valueOr({}))
        shown["attempts"].push_back({{"attempt", a.attempt}, {"host", a.host}, {"start_step", a.startStep}, {"end_step", a.endStep}, {"choices", a.choices}});
    for (const auto& c : checkpoints.valueOr({}))
        shown["checkpoints"].push_back({{"path", c.path}, {"step", c.step}, {"epoch", c.epoch}, {"reason", c.reason}, {"best", c.best}, {"bytes", c.bytes}});
    for (const auto& a : amendments.valueOr({})) shown["amendments"].push_back({{"step", a.step}, {"path", a.path}, {"before", a.before}, {"after", a.after}});
    const std::vector<KeptAtMost> kept = keptAtMost(*found->store, row.id);
    for (const KeptAtMost& each : kept) shown["gpu_memory"].push_back({{"gpu", each.gpu}, {"allocated", each.allocated}, {"reserved", each.reserved}});
    context.emit(shown);

    context.print("#" + std::to_string(row.number) + " " + row.name + ", " + statusName(row.status) + (row.message.empty() ? "" : ": " + row.message));
    context.print("  run          " + row.id);
    context.print("  data         " + row.datasetTitle + (row.datasetLocation.empty() ? "" : " (" + row.datasetLocation + ")"));
    context.print("  device       " + (row.deviceName.empty() ? row.device : row.deviceName));
    context.print("  epochs       " + std::to_string(row.summary.epochs) + " of " + std::to_string(row.epochsPlanned) + ", " + groupedInt(row.summary.steps) + " steps, " +
                  durationText(row.summary.seconds));
    context.print("  training     loss " + orDash(row.summary.trainLoss) + metricsText(row.task, row.summary, "train"));
    context.print("  validation   loss " + orDash(row.summary.valLoss) + metricsText(row.task, row.summary, "val"));
    context.print("  test         loss " + orDash(row.summary.testLoss) + metricsText(row.task, row.summary, "test"));
    context.print("  parameters   " + groupedInt(row.parameters));
    if (const auto list = attempts.valueOr({}); !list.empty() && list.back().choices.is_object()) {
        const std::string precision = list.back().choices.value("precision", std::string()), because = list.back().choices.value("precision_because", std::string());
        if (!precision.empty()) context.print("  products in  " + precision + (because.empty() ? "" : ". " + because));
        if (const std::string step = list.back().choices.value("step_because", std::string()); !step.empty()) context.print("  steps        " + step);
    }
    for (const KeptAtMost& each : kept)
        context.print("  GPU memory   " + bytesText(each.allocated) + " allocated, " + bytesText(each.reserved) + " reserved at most (" + each.gpu + ")");
    context.print("  folder       " + row.folder);
    if (recipe)
        if (const StartWeights start = startWeightsOf(recipe->training); start.any()) context.print("  starts from  " + start.title + " (SHA-256 " + start.sha256 + ")");
    for (const auto& a : amendments.valueOr({}))
        context.print("  changed      " + a.path + " from " + a.before.dump() + " to " + a.after.dump() + " at step " + groupedInt(a.step) +
                      (a.path == "/training/learning_rate" ? ", gone back to after a NaN" : ""));
    for (const auto& line : log.valueOr({})) context.print("  " + isoTime(line.time) + "  " + line.text);
    return Done;
}

int runsSteer(Context& context, const std::string& verb, const std::string& run)
{
    auto found = find(context, run);
    if (!found) return context.fail(found.error());
    if (!isAlive(found->row.folder))
        return context.failUsage("Run #" + std::to_string(found->row.number) + " is " + statusName(found->row.status) + ", so it cannot be " +
                                 (verb == "stop" ? "stopped" : verb == "pause" ? "paused" : "changed") + ".");
    CommandBody command = verb == "pause" ? CommandBody(PauseCommand{}) : verb == "stop" ? CommandBody(StopCommand{}) : verb == "continue" ? CommandBody(ResumeCommand{})
                                                                                                                                            : CommandBody(CheckpointCommand{});
    auto answer = sendCommand(found->row.folder, std::move(command), 60);
    if (!answer) return context.fail(answer.error());
    context.emit({{"run", found->row.id}, {"command", verb}, {"ok", answer->ok}, {"step", answer->step}, {"text", answer->text}});
    if (!answer->ok) return context.fail(Error{ErrorCode::Invalid, answer->text, "", ""});
    context.print("Done at step " + groupedInt(answer->step) + ".");
    return Done;
}

/// Of a run under way all there is to see; else its weights as they were saved.
int runsHistograms(Context& context, const std::string& run, const std::string& weights)
{
    auto found = find(context, run);
    if (!found) return context.fail(found.error());
    const bool alive = isAlive(found->row.folder);
    auto taken = alive ? askForHistograms(found->row.folder, found->row.id, 120) : savedHistograms(found->row.folder, weights == "best");
    if (!taken) return context.fail(taken.error());
    std::vector<std::vector<std::string>> lines;
    for (const TensorNumbers& tensor : taken->tensors) {
        const Histogram& n = tensor.numbers;
        Json line = toJson(tensor);
        line["step"] = taken->step;
        context.emit(line);
        lines.push_back({tensor.name, kindName(tensor.kind), groupedInt(n.count), orDash(n.min), orDash(n.max), orDash(n.mean), orDash(n.deviation), percentText(n.zeroShare(), 1),
                         groupedInt(n.nonFinite)});
    }
    context.print(table({"", "", "count", "lowest", "highest", "mean", "deviation", "zeros", "not finite"}, lines, {false, false, true, true, true, true, true, true, true}));
    context.print(alive ? "Counted at step " + groupedInt(taken->step) + ", while the run goes on." : "The " + weights + " weights, of step " + groupedInt(taken->step) + ".");
    return Done;
}

int runsDelete(Context& context, const std::string& run)
{
    auto found = find(context, run);
    if (!found) return context.fail(found.error());
    if (auto deleted = found->store->deleteRun(found->row.id); !deleted) return context.fail(deleted.error());
    context.emit({{"run", found->row.id}, {"deleted", true}});
    context.print("Run #" + std::to_string(found->row.number) + " " + found->row.name + " and its files are deleted.");
    return Done;
}

int runsExport(Context& context, const std::string& run, bool series, const std::string& out)
{
    auto found = find(context, run);
    if (!found) return context.fail(found.error());
    if (!series) return runsShow(context, run);
    if (!out.empty()) {
        if (auto written = exportSeriesCsv(*found->store, found->row.id, out); !written) return context.fail(written.error());
        context.print("Written to " + out + ".");
        context.emit({{"run", found->row.id}, {"out", out}});
        return Done;
    }
    auto keys = found->store->seriesKeys(found->row.id);
    if (!keys) return context.fail(keys.error());
    context.print("key,step,value");
    for (const auto& key : *keys) {
        auto points = found->store->series(found->row.id, key);
        if (!points) return context.fail(points.error());
        for (std::size_t i = 0; i < points->step.size(); ++i) {
            if (context.json())
                context.emit({{"key", key}, {"step", points->step[i]}, {"value", number(points->value[i])}});
            else
                context.print(key + "," + std::to_string(points->step[i]) + "," + realText(points->value[i], points->bits == 64 ? 17 : 9));
        }
    }
    return Done;
}

int runsCompare(Context& context, const std::vector<std::string>& runs)
{
    std::vector<Recipe> recipes;
    std::vector<RunRow> rows;
    for (const auto& text : runs) {
        auto found = find(context, text);
        if (!found) return context.fail(found.error());
        auto recipe = found->store->recipe(found->row.id);
        if (!recipe) return context.fail(recipe.error());
        rows.push_back(found->row);
        recipes.push_back(*recipe);
        context.emit(runJson(found->row));
    }
    std::vector<std::string> header{"setting"};
    for (const auto& row : rows) header.push_back("#" + std::to_string(row.number) + " " + row.name);
    std::vector<std::vector<std::string>> lines;
    for (const auto& difference : differences(recipes)) {
        context.emit({{"path", difference.path}, {"title", difference.title}, {"values", difference.values}});
        std::vector<std::string> line{difference.title};
        line.insert(line.end(), difference.values.begin(), difference.values.end());
        lines.push_back(std::move(line));
    }
    const auto metric = [&](const std::string& title, auto value) {
        std::vector<std::string> line{title};
        for (const auto& row : rows) line.push_back(value(row.summary));
        lines.push_back(std::move(line));
    };
    std::vector<std::string> ids; // of all tasks there are
    for (const auto& row : rows)
        for (const MetricEntry& each : metricsOf(row.task))
            if (std::find(ids.begin(), ids.end(), each.id) == ids.end()) ids.push_back(each.id);
    for (const auto& row : rows)
        for (const MetricEntry& each : furtherMetricsOf(row.task))
            if (std::isfinite(row.summary.metric("test", each.id)) && std::find(ids.begin(), ids.end(), each.id) == ids.end()) ids.push_back(each.id);
    for (const std::string& id : ids) {
        const MetricEntry& entry = *findMetric(id);
        metric("test " + entry.brief, [&](const RunSummary& s) { return metricText(entry, s.metric("test", id)); });
        metric("validation " + entry.brief, [&](const RunSummary& s) { return metricText(entry, s.metric("val", id)); });
    }
    metric("test loss", [](const RunSummary& s) { return orDash(s.testLoss); });
    metric("time", [](const RunSummary& s) { return durationText(s.seconds); });
    context.print(table(header, lines, std::vector<bool>(header.size(), false)));
    return Done;
}

} // namespace sconce::cli
