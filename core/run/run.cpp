// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/run/run.h"

#include "core/run/numbers.h"

#include <array>
#include <limits>

namespace sconce {

namespace {

constexpr double nan = std::numeric_limits<double>::quiet_NaN();

struct StatusEntry
{
    RunStatus status;
    const char* name;
};

constexpr std::array<StatusEntry, 7> statuses{{{RunStatus::Queued, "queued"},
                                               {RunStatus::Running, "running"},
                                               {RunStatus::Paused, "paused"},
                                               {RunStatus::Finished, "finished"},
                                               {RunStatus::Stopped, "stopped"},
                                               {RunStatus::Interrupted, "interrupted"},
                                               {RunStatus::Failed, "failed"}}};

void readWhole(const Json& json, const char* key, std::int64_t& value)
{
    const auto found = json.find(key);
    if (found != json.end() && found->is_number_integer()) value = found->get<std::int64_t>();
}

void readReal(const Json& json, const char* key, double& value)
{
    const auto found = json.find(key);
    if (found != json.end()) realFromJson(*found, value);
}

} // namespace

const char* statusName(RunStatus status)
{
    for (const StatusEntry& entry : statuses)
        if (entry.status == status) return entry.name;
    return "failed";
}

std::optional<RunStatus> statusFromName(std::string_view name)
{
    for (const StatusEntry& entry : statuses)
        if (name == entry.name) return entry.status;
    return std::nullopt;
}

RunSummary::RunSummary()
    : trainLoss(nan)
    , trainAccuracy(nan)
    , valLoss(nan)
    , valAccuracy(nan)
    , testLoss(nan)
    , testAccuracy(nan)
    , bestValLoss(nan)
    , bestValAccuracy(nan)
{
}

double RunSummary::metric(std::string_view part, std::string_view id) const
{
    if (id == "accuracy") return part == "train" ? trainAccuracy : part == "val" ? valAccuracy : part == "test" ? testAccuracy : part == "best_val" ? bestValAccuracy : nan;
    const auto found = metrics.find(std::string(part) + "_" + std::string(id));
    return found == metrics.end() ? nan : found->second;
}

Json metricsToJson(const MetricMap& metrics)
{
    Json json = Json::object();
    for (const auto& [key, value] : metrics) json[key] = realToJson(value);
    return json;
}

MetricMap metricsFromJson(const Json& json)
{
    MetricMap metrics;
    if (!json.is_object()) return metrics;
    double value = 0;
    for (const auto& item : json.items())
        if (realFromJson(item.value(), value)) metrics[item.key()] = value;
    return metrics;
}

Json RunSummary::toJson() const
{
    Json json = Json::object();
    json["epochs"] = epochs;
    json["steps"] = steps;
    json["train_loss"] = realToJson(trainLoss);
    json["train_accuracy"] = realToJson(trainAccuracy);
    json["val_loss"] = realToJson(valLoss);
    json["val_accuracy"] = realToJson(valAccuracy);
    json["test_loss"] = realToJson(testLoss);
    json["test_accuracy"] = realToJson(testAccuracy);
    json["best_val_loss"] = realToJson(bestValLoss);
    json["best_val_accuracy"] = realToJson(bestValAccuracy);
    json["best_epoch"] = bestEpoch < 0 ? Json(nullptr) : Json(bestEpoch);
    json["seconds"] = realToJson(seconds);
    json["samples_per_second"] = realToJson(samplesPerSecond);
    json["checkpoint"] = checkpoint;
    if (!metrics.empty()) json["metrics"] = metricsToJson(metrics);
    return json;
}

RunSummary RunSummary::fromJson(const Json& json)
{
    RunSummary summary;
    if (!json.is_object()) return summary;
    readWhole(json, "epochs", summary.epochs);
    readWhole(json, "steps", summary.steps);
    readReal(json, "train_loss", summary.trainLoss);
    readReal(json, "train_accuracy", summary.trainAccuracy);
    readReal(json, "val_loss", summary.valLoss);
    readReal(json, "val_accuracy", summary.valAccuracy);
    readReal(json, "test_loss", summary.testLoss);
    readReal(json, "test_accuracy", summary.testAccuracy);
    readReal(json, "best_val_loss", summary.bestValLoss);
    readReal(json, "best_val_accuracy", summary.bestValAccuracy);
    readWhole(json, "best_epoch", summary.bestEpoch);
    readReal(json, "seconds", summary.seconds);
    readReal(json, "samples_per_second", summary.samplesPerSecond);
    const auto checkpoint = json.find("checkpoint");
    if (checkpoint != json.end() && checkpoint->is_string())
        summary.checkpoint = checkpoint->get<std::string>();
    if (const auto metrics = json.find("metrics"); metrics != json.end()) summary.metrics = metricsFromJson(*metrics);
    return summary;
}

} // namespace sconce
