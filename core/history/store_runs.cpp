// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/history/store_impl.h"

#include "core/base/clock.h"
#include "core/base/json_text.h"
#include "core/base/log.h"
#include "core/base/text.h"
#include "core/history/documents.h"
#include "core/history/series_reader.h"

#include "history_sql.h"

#include <algorithm>
#include <cerrno>
#include <cmath>
#include <cstdio>
#include <unistd.h>

namespace sconce {

namespace {


std::string niceText(const Json& json) { return json.dump(2, ' ', false, Json::error_handler_t::replace) + "\n"; }

Error stillAlive(const RunRow& row)
{
    return {ErrorCode::Busy, "Run #" + std::to_string(row.number) + " is training now.", "Stop it first.", row.id};
}

struct RunKey
{
    std::int64_t number = 0;
    RunId id;
    std::string name;
};

Result<RunId> onlyOne(const std::vector<RunKey>& found, const std::string& text)
{
    if (found.size() == 1) return found.front().id;
    if (found.empty()) return noSuchRun(text);
    std::string candidates;
    for (std::size_t i = 0; i < found.size() && i < 5; ++i)
        candidates += (i ? ", #" : "#") + std::to_string(found[i].number) + " (" + found[i].id + ")";
    if (found.size() > 5) candidates += ", …";
    return Error{ErrorCode::Invalid, "“" + text + "” fits " + std::to_string(found.size()) + " runs: " + candidates + ".",
                 "Name one by its number.", {}};
}

/// What is known of a run that goes on from a step, its curves having been cut there: figures of epochs that were given up, or of
/// a test of weights that are gone, must not stand beside the ones of the epochs that are left.
Result<RunSummary> summaryAt(Database& db, const StoredRun& stored, std::int64_t startStep, std::int64_t stepsPerEpoch)
{
    if (startStep == 0) return RunSummary();
    RunSummary summary = stored.row.summary;
    summary.checkpoint = belowFolder(stored.row.folder, summary.checkpoint);
    summary.steps = std::min(summary.steps, startStep);
    if (stepsPerEpoch <= 0 || summary.epochs <= startStep / stepsPerEpoch) return summary;
    summary.epochs = startStep / stepsPerEpoch;
    RunSummary unknown;
    summary.testLoss = unknown.testLoss;
    summary.testAccuracy = unknown.testAccuracy;
    std::erase_if(summary.metrics, [](const auto& metric) { return metric.first.starts_with("test_"); });
    const auto read = [&](const std::string& key, std::vector<double>& values) -> Result<void> {
        Result<SeriesPoints> points = readSeries(db, stored.row.id, key);
        if (!points) return points.error();
        values = std::move(points->value);
        return {};
    };
    std::vector<double> trainLoss, trainAccuracy, valLoss, valAccuracy;
    SCONCE_TRY(read(series::epochTrainLoss, trainLoss));
    SCONCE_TRY(read(series::epochTrainAccuracy, trainAccuracy));
    SCONCE_TRY(read(series::valLoss, valLoss));
    SCONCE_TRY(read(series::valAccuracy, valAccuracy));
    const auto newest = [&](const std::vector<double>& values) { return values.empty() ? unknown.valLoss : values.back(); };
    summary.trainLoss = newest(trainLoss);
    summary.trainAccuracy = newest(trainAccuracy);
    summary.valLoss = newest(valLoss);
    summary.valAccuracy = newest(valAccuracy);
    std::map<std::string, std::vector<double>> others; // of validation, by metric
    for (auto& [key, value] : summary.metrics) {
        const std::string id = key.substr(key.find('_') + 1);
        std::vector<double> values;
        if (key.starts_with("train_")) SCONCE_TRY(read(series::epochTrain(id), values));
        if (key.starts_with("val_")) SCONCE_TRY(read(series::validation(id), values));
        if (!key.starts_with("best_")) value = newest(values);
        if (key.starts_with("val_")) others[key] = std::move(values);
    }
    if (summary.bestEpoch <= summary.epochs) return summary;
    summary.bestEpoch = unknown.bestEpoch;
    summary.bestValLoss = unknown.bestValLoss;
    summary.bestValAccuracy = unknown.bestValAccuracy;
    std::erase_if(summary.metrics, [](const auto& metric) { return metric.first.starts_with("best_"); });
    for (std::size_t i = 0; i < valLoss.size(); ++i) { // as the trainer chooses it: the first of the lowest
        if (!std::isfinite(valLoss[i]) || summary.bestValLoss <= valLoss[i]) continue;
        summary.bestEpoch = static_cast<std::int64_t>(i) + 1;
        summary.bestValLoss = valLoss[i];
        summary.bestValAccuracy = i < valAccuracy.size() ? valAccuracy[i] : unknown.bestValAccuracy;
        for (const auto& [key, values] : others)
            if (i < values.size()) summary.metrics["best_" + key] = values[i];
    }
    return summary;
}

} // namespace

// ---- creating ----

Result<RunId> StoreImpl::createRun(const NewRun& run)
{
    const RunId id = newRunId();
    SCONCE_TRY(write([&](Database& db, Recorder&) { return createRow(db, run, id); }));
    return id;
}

Result<void> StoreImpl::createRow(Database& db, const NewRun& run, const RunId& id)
{
    StoredRun stored;
    RunRow& row = stored.row;
    {
        Statement next = db.prepare(sql::runs_next_number);
        if (!next.step()) return next.result();
        row.number = next.integer(0);
    }
    row.id = id;
    row.folder = runFolder(id);
    row.recipeName = run.recipe.name;
    row.task = run.recipe.task.type;
    row.name = run.name.empty() ? run.recipe.name : run.name;
    row.device = run.recipe.device;
    row.dataset = run.data.id;
    row.datasetTitle = run.data.title;
    row.datasetLocation = run.data.location;
    row.fingerprint = run.data.fingerprint;
    row.created = Clock::system().wallMs();
    row.epochsPlanned = run.recipe.training.epochs;
    row.parameters = run.parameters;
    const Json recipe = toJson(run.recipe);
    const Json dataset = run.data.toJson();
    const Json environment = run.environment.is_null() ? Json::object() : run.environment;
    SCONCE_TRY(insertRun(db, stored, jsonText(recipe), jsonText(environment), jsonText(dataset)));
    // The folder is there before the row is committed: a row never lacks it. Should the commit fail, doctor finds a folder
    // without a row and takes it in.
    Result<StagedFolder> staged = StagedFolder::create(row.folder);
    if (!staged) return staged.error();
    SCONCE_TRY(staged->write("recipe.json", niceText(recipe)));
    SCONCE_TRY(staged->write("environment.json", niceText(environment)));
    SCONCE_TRY(staged->write("run.json", niceText(runToJson(stored, dataset))));
    return staged->commit();
}

// ---- reading ----

Result<std::vector<RunRow>> StoreImpl::runs()
{
    Result<Readers::Lease> db = m_readers.lease();
    if (!db) return db.error();
    std::vector<RunRow> rows;
    {
        Statement s = (*db)->prepare(sql::runs_list);
        while (s.step()) {
            StoredRun stored = storedRunOf(s, m_runsFolder);
            const bool alive = watchAlive(stored.row.id);
            rows.push_back(derived(std::move(stored), alive));
        }
        SCONCE_TRY(s.result());
    }
    const std::lock_guard lock(m_countMutex);
    std::erase_if(m_watched, [&](const auto& watched) {
        const auto row = std::find_if(rows.begin(), rows.end(), [&](const RunRow& r) { return r.id == watched.first; });
        // A run that was never started or was interrupted may come alive elsewhere; one that ended says so in the database.
        return row == rows.end() || row->status == RunStatus::Finished || row->status == RunStatus::Failed || row->status == RunStatus::Stopped;
    });
    return rows;
}

Result<RunRow> StoreImpl::run(const RunId& id)
{
    Result<Readers::Lease> db = m_readers.lease();
    if (!db) return db.error();
    Result<std::optional<StoredRun>> stored = findStoredRun(**db, id, m_runsFolder);
    if (!stored) return stored.error();
    if (!*stored) return noSuchRun(id);
    const bool alive = isAlive(runFolder(id));
    return derived(std::move(**stored), alive);
}

Result<RunId> StoreImpl::findRun(const std::string& text)
{
    Result<Readers::Lease> db = m_readers.lease();
    if (!db) return db.error();
    std::vector<RunKey> all;
    {
        Statement s = (*db)->prepare(sql::runs_keys);
        while (s.step()) all.push_back({s.integer(0), s.text(1), s.text(2)});
        SCONCE_TRY(s.result());
    }
    if (text.empty()) return noSuchRun("“”");
    if (text == "last") {
        if (all.empty()) return Error{ErrorCode::NotFound, "There is no run in this store yet.", "Start one: sconce train digits-convnet.", {}};
        return all.front().id;
    }
    const auto pick = [&](auto&& fits) {
        std::vector<RunKey> found;
        std::copy_if(all.begin(), all.end(), std::back_inserter(found), fits);
        return found;
    };
    if (const auto exact = pick([&](const RunKey& r) { return r.id == text; }); !exact.empty()) return exact.front().id;
    std::int64_t number = 0;
    if (parseInt(text.starts_with('#') ? text.substr(1) : text, number))
        if (const auto found = pick([&](const RunKey& r) { return r.number == number; }); !found.empty()) return found.front().id;
    if (const auto named = pick([&](const RunKey& r) { return r.name == text; }); !named.empty()) return onlyOne(named, text);
    return onlyOne(pick([&](const RunKey& r) { return r.id.starts_with(text); }), text);
}

Result<Recipe> StoreImpl::recipe(const RunId& id)
{
    Result<Readers::Lease> db = m_readers.lease();
    if (!db) return db.error();
    Statement s = (*db)->prepare(sql::runs_documents);
    s.bind(1, id);
    if (!s.step()) {
        SCONCE_TRY(s.result());
        return noSuchRun(id);
    }
    Result<Json> json = parseJson(s.text(0), "The recipe of run " + id, documentLimits);
    if (!json) return json.error();
    Result<ParsedRecipe> parsed = recipeFromJson(*json);
    if (!parsed) return parsed.error();
    for (const Problem& problem : parsed->problems)
        if (problem.severity == Severity::Problem)
            return Error{ErrorCode::Corrupt, "The recipe of run " + id + " cannot be read: " + problem.sentence,
                         "It was written by another version of Sconce, or changed by hand.", problem.path};
    return std::move(parsed->recipe);
}

// ---- changing ----

Result<void> StoreImpl::updateRun(const char* sql, const RunId& id, const std::string& value)
{
    return write([&](Database& db, Recorder& recorder) -> Result<void> {
        SCONCE_TRY(db.prepare(sql).bind(1, id).bind(2, value).run());
        if (db.changes() == 0) return noSuchRun(id);
        recorder.noteChanged(id);
        return {};
    });
}

Result<void> StoreImpl::renameRun(const RunId& id, const std::string& name)
{
    if (name.empty()) return Error{ErrorCode::Invalid, "A run needs a name.", "Type at least one character.", {}};
    return updateRun(sql::runs_rename, id, name);
}

Result<void> StoreImpl::setNote(const RunId& id, const std::string& note) { return updateRun(sql::runs_set_note, id, note); }

Result<void> StoreImpl::setTags(const RunId& id, const std::vector<std::string>& tags)
{
    return updateRun(sql::runs_set_tags, id, jsonText(tagsToJson(tags)));
}

Result<void> StoreImpl::deleteRun(const RunId& id)
{
    Result<RunRow> row = run(id);
    if (!row) return row.error();
    const std::string folder = runFolder(id), doomed = folder + ".deleted";
    // With the owner's lock held, no trainer can start meanwhile.
    Result<FileLock> owner = FileLock::acquire(ownerFile(folder), false);
    if (!owner && owner.error().code == ErrorCode::Busy) return stillAlive(*row);
    if (!owner && owner.error().code != ErrorCode::NotFound) return owner.error(); // NotFound: its folder is gone already
    bool moved = false;
    Result<void> done = write([&](Database& db, Recorder& recorder) -> Result<void> {
        SCONCE_TRY(db.prepare(sql::runs_remove).bind(1, id).run());
        recorder.forget(id);
        moved = std::rename(folder.c_str(), doomed.c_str()) == 0;
        if (!moved && errno != ENOENT) return ioError("remove", folder, errno);
        return {};
    });
    if (!done) {
        if (moved && std::rename(doomed.c_str(), folder.c_str()) != 0) log(LogLevel::Error, "Run " + id + " is left in " + doomed);
        return done;
    }
    return removeTree(doomed);
}

// ---- attempts ----

Result<int> StoreImpl::openAttempt(const RunId& id, std::int64_t startStep, const std::string& host, const Json& choices,
                                   const std::string& device, const std::string& deviceName, const std::string& deviceUuid,
                                   std::int64_t stepsPerEpoch)
{
    AttemptRow row;
    row.host = host;
    row.choices = choices;
    row.started = Clock::system().wallMs();
    row.pid = ::getpid();
    int attempt = 0;
    SCONCE_TRY(write([&](Database& db, Recorder& recorder) -> Result<void> {
        Result<int> opened = openAttemptIn(db, recorder, id, startStep, row, device, deviceName, deviceUuid, stepsPerEpoch);
        if (!opened) return opened.error();
        attempt = *opened;
        return {};
    }));
    return attempt;
}

Result<int> StoreImpl::openAttemptIn(Database& db, Recorder& recorder, const RunId& id, std::int64_t startStep, AttemptRow row,
                                     const std::string& device, const std::string& deviceName, const std::string& deviceUuid,
                                     std::int64_t stepsPerEpoch)
{
    Result<std::optional<StoredRun>> stored = findStoredRun(db, id, m_runsFolder);
    if (!stored) return stored.error();
    if (!*stored) return noSuchRun(id);
    const std::int64_t number = (*stored)->row.number;
    const int attempt = (*stored)->row.attempts + 1;
    recorder.forget(id);
    SCONCE_TRY(db.prepare(sql::attempts_close_before).bind(1, number).bind(2, attempt).bind(3, startStep).bind(4, row.started).run());
    if (attempt > 1) {
        SCONCE_TRY(recorder.series().cut(number, startStep));
        SCONCE_TRY(db.prepare(sql::checkpoints_drop_after).bind(1, number).bind(2, startStep).run());
        SCONCE_TRY(db.prepare(sql::amendments_drop_after).bind(1, number).bind(2, startStep).run());
        Result<RunSummary> summary = summaryAt(db, **stored, startStep, stepsPerEpoch > 0 ? stepsPerEpoch : (*stored)->row.stepsPerEpoch);
        if (!summary) return summary.error();
        SCONCE_TRY(saveSummary(db, number, *summary));
    }
    SCONCE_TRY(db.prepare(sql::attempts_insert)
                   .bind(1, number).bind(2, attempt).bind(3, row.started).bind(4, startStep).bind(5, row.host).bind(6, row.pid)
                   .bind(7, jsonText(row.choices)).run());
    // An attempt that failed before it began knows no device: the row keeps the one it has.
    const RunRow& known = (*stored)->row;
    SCONCE_TRY(db.prepare(sql::runs_start_attempt)
                   .bind(1, number).bind(2, attempt).bind(3, device.empty() ? known.device : device)
                   .bind(4, device.empty() ? known.deviceName : deviceName).bind(5, device.empty() ? known.deviceUuid : deviceUuid)
                   .bind(6, stepsPerEpoch > 0 ? stepsPerEpoch : known.stepsPerEpoch).bind(7, row.started).run());
    recorder.noteChanged(id);
    return attempt;
}

} // namespace sconce
