// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/history/run_rows.h"

#include "core/base/json_text.h"
#include "history_sql.h"

#include <algorithm>

namespace sconce {

namespace {

std::vector<std::string> tagsOf(const std::string& text)
{
    std::vector<std::string> tags;
    const Result<Json> json = parseJson(text, "The tags");
    if (json && json->is_array())
        for (const Json& tag : *json)
            if (tag.is_string()) tags.push_back(tag.get<std::string>());
    return tags;
}

std::string textOr(const Json& json, const char* key)
{
    const auto found = json.find(key);
    return found != json.end() && found->is_string() ? found->get<std::string>() : std::string();
}

std::int64_t wholeOr(const Json& json, const char* key)
{
    const auto found = json.find(key);
    return found != json.end() && found->is_number_integer() ? found->get<std::int64_t>() : 0;
}

} // namespace

RunSummary summaryOf(const Statement& row, int first, int metrics)
{
    RunSummary s;
    s.epochs = row.integer(first);
    s.steps = row.integer(first + 1);
    double* const reals[] = {&s.trainLoss, &s.trainAccuracy, &s.valLoss, &s.valAccuracy,
                             &s.testLoss, &s.testAccuracy, &s.bestValLoss, &s.bestValAccuracy};
    for (int i = 0; i < 8; ++i) *reals[i] = row.real(first + 2 + i);
    s.bestEpoch = row.integer(first + 10);
    s.seconds = row.real(first + 11);
    s.samplesPerSecond = row.real(first + 12);
    s.checkpoint = row.text(first + 13);
    if (const std::string text = row.text(metrics); text != "{}")
        if (const Result<Json> json = parseJson(text, "The metrics")) s.metrics = metricsFromJson(*json);
    return s;
}

StoredRun storedRunOf(const Statement& s, const std::string& runsFolder)
{
    StoredRun stored;
    RunRow& row = stored.row;
    row.number = s.integer(0);
    row.id = s.text(1);
    row.name = s.text(2);
    row.recipeName = s.text(3);
    row.device = s.text(4);
    row.deviceName = s.text(5);
    row.deviceUuid = s.text(6);
    row.dataset = s.text(7);
    row.datasetTitle = s.text(8);
    row.datasetLocation = s.text(9);
    row.fingerprint = s.text(10);
    row.created = s.integer(11);
    row.started = s.integer(12);
    row.ended = s.integer(13);
    row.epochsPlanned = s.integer(14);
    row.stepsPerEpoch = s.integer(15);
    row.parameters = s.integer(16);
    row.attempts = static_cast<int>(s.integer(17));
    stored.liveStatus = s.text(18);
    stored.endedStatus = s.text(19);
    row.summary = summaryOf(s, 20, 41);
    row.message = s.text(34);
    row.remedy = s.text(35);
    row.note = s.text(36);
    if (const std::string tags = s.text(37); tags != "[]") row.tags = tagsOf(tags);
    row.errorCode = s.text(38);
    row.detail = s.text(39);
    row.task = s.text(40);
    row.folder = runsFolder + "/" + row.id;
    if (!row.summary.checkpoint.empty()) row.summary.checkpoint = inFolder(row.folder, row.summary.checkpoint);
    return stored;
}

RunRow derived(StoredRun stored, bool alive)
{
    RunRow row = std::move(stored.row);
    const std::optional<RunStatus> ended = statusFromName(stored.endedStatus);
    // An end that was recorded is an end, also in the moment before its trainer lets go of the lock.
    if (ended) row.status = *ended;
    else if (alive) row.status = stored.liveStatus == "paused" ? RunStatus::Paused : RunStatus::Running;
    else row.status = row.attempts == 0 ? RunStatus::Queued : RunStatus::Interrupted;
    row.resumable = !alive && row.status != RunStatus::Finished;
    return row;
}

Result<std::optional<StoredRun>> findStoredRun(Database& db, const RunId& id, const std::string& runsFolder)
{
    Statement s = db.prepare(sql::runs_one);
    s.bind(1, id);
    if (s.step()) return std::optional<StoredRun>(storedRunOf(s, runsFolder));
    SCONCE_TRY(s.result());
    return std::optional<StoredRun>();
}

Error noSuchRun(const std::string& id)
{
    return {ErrorCode::NotFound, "There is no run " + id + " in this store.",
            "The list of runs (sconce runs list) shows what there is.", {}};
}

Json tagsToJson(const std::vector<std::string>& tags)
{
    Json json = Json::array();
    for (const std::string& tag : tags) json.push_back(tag);
    return json;
}

Json runToJson(const StoredRun& stored, const Json& dataset)
{
    const RunRow& row = stored.row;
    Json json = Json::object();
    json["format"] = "sconce-run";
    json["version"] = 1;
    json["id"] = row.id;
    json["number"] = row.number;
    json["name"] = row.name;
    json["recipe"] = row.recipeName;
    json["task"] = row.task;
    json["created"] = row.created;
    json["started"] = row.started;
    json["ended"] = row.ended;
    json["ended_status"] = stored.endedStatus;
    json["attempts"] = row.attempts;
    json["device"] = row.device;
    json["device_name"] = row.deviceName;
    json["device_uuid"] = row.deviceUuid;
    json["dataset"] = dataset;
    json["epochs_planned"] = row.epochsPlanned;
    json["steps_per_epoch"] = row.stepsPerEpoch;
    json["parameters"] = row.parameters;
    RunSummary summary = row.summary;
    summary.checkpoint = belowFolder(row.folder, summary.checkpoint);
    json["summary"] = summary.toJson();
    json["message"] = row.message;
    json["remedy"] = row.remedy;
    json["error_code"] = row.errorCode;
    json["detail"] = row.detail;
    json["note"] = row.note;
    json["tags"] = tagsToJson(row.tags);
    return json;
}

StoredRun runFromJson(const Json& json)
{
    StoredRun stored;
    if (!json.is_object()) return stored;
    RunRow& row = stored.row;
    row.id = textOr(json, "id");
    row.number = wholeOr(json, "number");
    row.name = textOr(json, "name");
    row.recipeName = textOr(json, "recipe");
    if (const std::string task = textOr(json, "task"); !task.empty()) row.task = task;
    row.created = wholeOr(json, "created");
    row.started = wholeOr(json, "started");
    row.ended = wholeOr(json, "ended");
    stored.endedStatus = textOr(json, "ended_status");
    row.attempts = static_cast<int>(std::clamp<std::int64_t>(wholeOr(json, "attempts"), 0, 1'000'000));
    row.device = textOr(json, "device");
    row.deviceName = textOr(json, "device_name");
    row.deviceUuid = textOr(json, "device_uuid");
    if (const auto data = json.find("dataset"); data != json.end() && data->is_object()) {
        row.dataset = textOr(*data, "id");
        row.datasetTitle = textOr(*data, "title");
        row.datasetLocation = textOr(*data, "location");
        row.fingerprint = textOr(*data, "fingerprint");
    }
    row.epochsPlanned = wholeOr(json, "epochs_planned");
    row.stepsPerEpoch = wholeOr(json, "steps_per_epoch");
    row.parameters = wholeOr(json, "parameters");
    if (const auto summary = json.find("summary"); summary != json.end()) row.summary = RunSummary::fromJson(*summary);
    row.message = textOr(json, "message");
    row.remedy = textOr(json, "remedy");
    row.errorCode = textOr(json, "error_code");
    row.detail = textOr(json, "detail");
    row.note = textOr(json, "note");
    if (const auto tags = json.find("tags"); tags != json.end() && tags->is_array())
        for (const Json& tag : *tags)
            if (tag.is_string()) row.tags.push_back(tag.get<std::string>());
    return stored;
}

Result<void> writeRunFile(Database& db, const RunId& id, const std::string& runsFolder)
{
    Result<std::optional<StoredRun>> stored = findStoredRun(db, id, runsFolder);
    if (!stored) return stored.error();
    if (!*stored) return {};
    Json dataset = Json::object();
    {
        Statement s = db.prepare(sql::runs_documents);
        s.bind(1, id);
        if (s.step())
            if (Result<Json> parsed = parseJson(s.text(2), "The data set", {16u << 20, 256})) dataset = std::move(*parsed);
        SCONCE_TRY(s.result());
    }
    const std::string text = runToJson(**stored, dataset).dump(2, ' ', false, Json::error_handler_t::replace);
    return writeFileDurably((*stored)->row.folder + "/run.json", text + "\n");
}

Result<void> insertRun(Database& db, const StoredRun& stored, const std::string& recipe, const std::string& environment,
                       const std::string& dataset)
{
    const RunRow& row = stored.row;
    {
        Statement s = db.prepare(sql::runs_insert);
        s.bind(1, row.number).bind(2, row.id).bind(3, row.name).bind(4, row.recipeName).bind(5, row.device);
        s.bind(6, row.deviceName).bind(7, row.deviceUuid).bind(8, row.dataset).bind(9, row.datasetTitle);
        s.bind(10, row.datasetLocation).bind(11, row.fingerprint).bind(12, row.created).bind(13, row.started);
        s.bind(14, row.ended).bind(15, row.epochsPlanned).bind(16, row.stepsPerEpoch).bind(17, row.parameters);
        s.bind(18, stored.endedStatus).bind(19, row.message).bind(20, row.remedy).bind(21, row.note);
        s.bind(22, jsonText(tagsToJson(row.tags))).bind(23, row.attempts);
        s.bind(24, row.errorCode).bind(25, row.detail).bind(26, row.task);
        SCONCE_TRY(s.run());
    }
    SCONCE_TRY(db.prepare(sql::runs_insert_documents)
                   .bind(1, row.number).bind(2, recipe).bind(3, environment).bind(4, dataset).run());
    RunSummary summary = row.summary;
    summary.checkpoint = belowFolder(row.folder, summary.checkpoint);
    return saveSummary(db, row.number, summary);
}

Result<void> saveSummary(Database& db, std::int64_t number, const RunSummary& v)
{
    Statement s = db.prepare(sql::runs_save_summary);
    s.bind(1, number).bind(2, v.epochs).bind(3, v.steps).bind(4, v.trainLoss).bind(5, v.trainAccuracy);
    s.bind(6, v.valLoss).bind(7, v.valAccuracy).bind(8, v.testLoss).bind(9, v.testAccuracy);
    s.bind(10, v.bestValLoss).bind(11, v.bestValAccuracy).bind(12, v.bestEpoch);
    s.bind(13, v.seconds == v.seconds ? v.seconds : 0.0).bind(14, v.samplesPerSecond == v.samplesPerSecond ? v.samplesPerSecond : 0.0);
    s.bind(15, v.checkpoint).bind(16, jsonText(metricsToJson(v.metrics)));
    return s.run();
}

std::string belowFolder(const std::string& folder, const std::string& path)
{
    const std::string start = folder + "/";
    return path.starts_with(start) ? path.substr(start.size()) : path;
}

std::string inFolder(const std::string& folder, const std::string& path)
{
    return path.starts_with('/') ? path : folder + "/" + path;
}

} // namespace sconce
