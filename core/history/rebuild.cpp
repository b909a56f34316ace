// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/history/rebuild.h"

#include "core/base/clock.h"
#include "core/base/files.h"
#include "core/base/json.h"
#include "core/base/json_text.h"
#include "core/base/log.h"
#include "core/history/documents.h"
#include "core/history/migrate.h"
#include "core/history/run_rows.h"

#include "history_sql.h"

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <filesystem>
#include <set>
#include <sys/stat.h>

namespace fs = std::filesystem;

namespace sconce {

namespace {

constexpr WallMs day = 24LL * 3600 * 1000;
constexpr std::size_t backupsKept = 3;

std::string compactNow()
{
    std::string time = isoTime(Clock::system().wallMs());
    std::erase_if(time, [](char c) { return c == '-' || c == ':'; });
    return time;
}

/// The JSON text of a file, or `fallback` where there is none that can be read.
std::string jsonFileOr(const std::string& path, const char* fallback)
{
    const Result<Json> json = readJsonFile(path, documentLimits);
    return json ? json->dump() : fallback;
}

struct FoundCheckpoint
{
    std::string path, reason;
    std::int64_t step = 0, epoch = 0;
    WallMs time = 0;
    bool best = false;
    RunSummary summary;
};

template <class T> T fieldOr(const Json& json, const char* key, T fallback)
{
    const auto found = json.find(key);
    if (found == json.end()) return fallback;
    if constexpr (std::is_same_v<T, bool>) return found->is_boolean() ? found->get<bool>() : fallback;
    else if constexpr (std::is_same_v<T, std::string>) return found->is_string() ? found->get<std::string>() : fallback;
    else return found->is_number_integer() ? found->get<T>() : fallback;
}

/// Read leniently: the manifest belongs to core/training, and here only the list is at stake.
std::vector<FoundCheckpoint> checkpointsIn(const std::string& runFolder)
{
    std::vector<FoundCheckpoint> found;
    for (const std::string& name : namesIn(runFolder + "/checkpoints")) {
        if (name.ends_with(".incomplete")) continue;
        const Result<Json> manifest = readJsonFile(runFolder + "/checkpoints/" + name + "/manifest.json", documentLimits);
        if (!manifest || !manifest->is_object()) continue;
        const auto nested = manifest->find("state");
        const Json& state = nested != manifest->end() && nested->is_object() ? *nested : *manifest;
        FoundCheckpoint c;
        c.path = "checkpoints/" + name;
        c.reason = fieldOr<std::string>(*manifest, "reason", "");
        c.time = fieldOr<std::int64_t>(*manifest, "time", 0);
        c.best = fieldOr(*manifest, "best", false);
        c.step = fieldOr<std::int64_t>(state, "step", 0);
        c.epoch = fieldOr<std::int64_t>(state, "epoch", 0);
        if (const auto summary = state.find("summary"); summary != state.end()) c.summary = RunSummary::fromJson(*summary);
        found.push_back(std::move(c));
    }
    return found;
}

/// The newest of them tells how far the run came, where the row does not know it.
void takeCheckpoints(RunRow& row, const std::vector<FoundCheckpoint>& checkpoints)
{
    for (const bool best : {false, true}) // the best are for use, not for going on from: only where there is no other
        for (const FoundCheckpoint& c : checkpoints) {
            if (c.best != best || (!row.summary.checkpoint.empty() && (best || c.step <= row.summary.steps))) continue;
            if (c.summary.steps >= row.summary.steps) row.summary = c.summary;
            row.summary.steps = std::max(row.summary.steps, c.step);
            row.summary.checkpoint = c.path;
        }
    if (!checkpoints.empty()) row.attempts = std::max(row.attempts, 1);
}

Result<void> putCheckpoints(Database& db, const RunRow& row, const std::vector<FoundCheckpoint>& checkpoints)
{
    for (const FoundCheckpoint& c : checkpoints)
        SCONCE_TRY(db.prepare(sql::checkpoints_put)
                       .bind(1, row.number).bind(2, c.path).bind(3, c.step).bind(4, c.epoch).bind(5, c.reason).bind(6, c.time)
                       .bind(7, c.best).bind(8, static_cast<std::int64_t>(folderBytes(row.folder + "/" + c.path))).run());
    return {};
}

/// A row out of a backup learns from its folder what has happened since: else a run that has finished would seem interrupted.
/// True if there was something to learn.
Result<bool> bringUpToDate(Database& db, const std::string& runsFolder, const std::string& id)
{
    Result<std::optional<StoredRun>> found = findStoredRun(db, id, runsFolder);
    if (!found) return found.error();
    const Result<Json> facts = readJsonFile(runsFolder + "/" + id + "/run.json", documentLimits);
    if (!*found || !facts) return false;
    StoredRun newer = runFromJson(*facts);
    const StoredRun& older = **found;
    RunRow& row = newer.row;
    if (row.id != id || row.attempts < older.row.attempts) return false;
    row.number = older.row.number;
    row.folder = older.row.folder;
    SCONCE_TRY(db.prepare(sql::runs_rename).bind(1, id).bind(2, row.name.empty() ? older.row.name : row.name).run());
    SCONCE_TRY(db.prepare(sql::runs_set_note).bind(1, id).bind(2, row.note).run());
    SCONCE_TRY(db.prepare(sql::runs_set_tags).bind(1, id).bind(2, jsonText(tagsToJson(row.tags))).run());
    if (row.attempts == older.row.attempts && !older.endedStatus.empty()) return false;
    const std::vector<FoundCheckpoint> checkpoints = checkpointsIn(row.folder);
    takeCheckpoints(row, checkpoints);
    if (row.attempts == 0) return false;
    SCONCE_TRY(db.prepare(sql::runs_start_attempt)
                   .bind(1, row.number).bind(2, row.attempts).bind(3, row.device).bind(4, row.deviceName).bind(5, row.deviceUuid)
                   .bind(6, row.stepsPerEpoch).bind(7, row.started).run());
    SCONCE_TRY(db.prepare(sql::runs_set_epochs_planned).bind(1, row.number).bind(2, row.epochsPlanned).run());
    SCONCE_TRY(db.prepare(sql::runs_end)
                   .bind(1, row.number).bind(2, newer.endedStatus).bind(3, row.ended).bind(4, row.message).bind(5, row.remedy)
                   .bind(6, row.errorCode).bind(7, row.detail).run());
    row.summary.checkpoint = belowFolder(row.folder, row.summary.checkpoint);
    SCONCE_TRY(saveSummary(db, row.number, row.summary));
    SCONCE_TRY(putCheckpoints(db, row, checkpoints));
    return true;
}

Result<std::int64_t> freeNumber(Database& db, std::int64_t wanted)
{
    if (wanted > 0) {
        Result<std::int64_t> taken = db.number("SELECT count(*) FROM runs WHERE number = " + std::to_string(wanted));
        if (!taken || *taken == 0) return taken ? Result<std::int64_t>(wanted) : taken;
    }
    Statement s = db.prepare(sql::runs_next_number);
    if (s.step()) return s.integer(0);
    return s.result() ? Result<std::int64_t>(std::int64_t{1}) : Result<std::int64_t>(s.result().error());
}

} // namespace

// ---- backups ----

std::vector<std::string> backupsOf(const std::string& folder)
{
    std::vector<std::string> files;
    for (const std::string& name : namesIn(folder + "/backups"))
        if (name.starts_with("sconce-") && name.ends_with(".db")) files.push_back(folder + "/backups/" + name);
    std::reverse(files.begin(), files.end());
    return files;
}

Result<bool> backUpIfDue(Database& reader, const std::string& folder)
{
    SCONCE_TRY(makeFolders(folder + "/backups"));
    // One program at a time: the others find it done.
    Result<FileLock> lock = FileLock::acquire(folder + "/backups/lock", false);
    if (!lock) return lock.error().code == ErrorCode::Busy ? Result<bool>(false) : Result<bool>(lock.error());
    const std::vector<std::string> before = backupsOf(folder);
    if (!before.empty()) {
        struct stat status{};
        if (::stat(before.front().c_str(), &status) == 0 &&
            Clock::system().wallMs() - WallMs{status.st_mtime} * 1000 < day)
            return false;
    }
    // A damaged database must not push good backups out.
    Result<std::string> damage = reader.check(false);
    if (!damage) return damage.error();
    if (!damage->empty()) {
        if (reader.onDamage) reader.onDamage();
        return Error{ErrorCode::Corrupt, "The history file is damaged.",
                     "Start Sconce again: it sets the damaged file aside and rebuilds the list of runs.", *damage};
    }
    SCONCE_TRY(reader.copyInto(folder + "/backups/sconce-" + compactNow() + ".db"));
    const std::vector<std::string> all = backupsOf(folder);
    for (std::size_t i = backupsKept; i < all.size(); ++i) SCONCE_TRY(removeTree(all[i]));
    return true;
}

// ---- run folders ----

std::vector<std::string> runFoldersIn(const std::string& runsFolder)
{
    std::vector<std::string> names;
    std::error_code failure;
    for (const std::string& name : namesIn(runsFolder))
        if (name.find('.') == std::string::npos && fs::is_regular_file(runsFolder + "/" + name + "/recipe.json", failure))
            names.push_back(name);
    return names;
}

Result<std::vector<std::string>> runIds(Database& db)
{
    std::vector<std::string> ids;
    Statement s = db.prepare(sql::runs_keys);
    while (s.step()) ids.push_back(s.text(1));
    SCONCE_TRY(s.result());
    return ids;
}

Result<void> adoptRunFolder(Database& db, const std::string& runsFolder, const std::string& name)
{
    const std::string folder = runsFolder + "/" + name;
    Result<Json> recipe = readJsonFile(folder + "/recipe.json", documentLimits);
    if (!recipe) return recipe.error();
    const Result<Json> facts = readJsonFile(folder + "/run.json", documentLimits);
    StoredRun stored = facts ? runFromJson(*facts) : StoredRun();
    RunRow& row = stored.row;
    row.id = name; // the folder's name is what everything else goes by
    row.folder = folder;
    if (row.recipeName.empty()) row.recipeName = fieldOr<std::string>(*recipe, "name", "untitled");
    if (row.name.empty()) row.name = row.recipeName;
    if (row.created == 0) {
        struct stat status{};
        if (::stat((folder + "/recipe.json").c_str(), &status) == 0) row.created = WallMs{status.st_mtime} * 1000;
    }
    const std::vector<FoundCheckpoint> checkpoints = checkpointsIn(folder);
    takeCheckpoints(row, checkpoints);
    Result<std::int64_t> number = freeNumber(db, row.number);
    if (!number) return number.error();
    row.number = *number;
    std::string dataset = "{}";
    if (facts && facts->is_object() && facts->contains("dataset")) dataset = (*facts)["dataset"].dump();
    SCONCE_TRY(insertRun(db, stored, recipe->dump(), jsonFileOr(folder + "/environment.json", "{}"), dataset));
    return putCheckpoints(db, row, checkpoints);
}

// ---- after damage ----

Result<std::string> setDatabaseAside(const std::string& folder)
{
    std::string name = "corrupt-" + compactNow();
    std::error_code failure;
    for (int i = 2; fs::exists(folder + "/" + name, failure); ++i) name = "corrupt-" + compactNow() + "-" + std::to_string(i);
    SCONCE_TRY(makeFolders(folder + "/" + name));
    // All three together: a write-ahead log beside another database would be taken for its own.
    for (const char* file : {"sconce.db-wal", "sconce.db-shm", "sconce.db"}) {
        const std::string from = folder + "/" + file;
        if (!fs::exists(from, failure)) continue;
        if (std::rename(from.c_str(), (folder + "/" + name + "/" + file).c_str()) != 0) return ioError("move", from, errno);
    }
    SCONCE_TRY(syncFolder(folder));
    return name;
}

Result<std::string> restoreBackup(const std::string& folder)
{
    for (const std::string& file : backupsOf(folder)) {
        Result<std::unique_ptr<Database>> backup = Database::open(file, Database::Mode::ReadOnly);
        if (!backup) continue;
        const Result<std::int64_t> version = (*backup)->number("PRAGMA user_version");
        const Result<std::string> damage = (*backup)->check(true);
        if (!version || *version < 1 || *version > std::int64_t(allMigrations().size()) || !damage || !damage->empty()) {
            log(LogLevel::Warning, "The backup " + file + " is not good either.");
            continue;
        }
        SCONCE_TRY((*backup)->copyInto(folder + "/sconce.db"));
        return fs::path(file).filename().string();
    }
    return std::string();
}

Result<Restored> mergeRunFolders(Database& db, const std::string& runsFolder)
{
    Restored restored;
    Result<std::vector<std::string>> ids = runIds(db);
    if (!ids) return ids.error();
    const std::vector<std::string> names = runFoldersIn(runsFolder);
    const std::set<std::string> rows(ids->begin(), ids->end()), folders(names.begin(), names.end());
    for (const std::string& id : *ids) {
        if (!folders.contains(id)) {
            SCONCE_TRY(db.prepare(sql::runs_remove).bind(1, id).run());
            continue;
        }
        Result<bool> learned = bringUpToDate(db, runsFolder, id);
        if (!learned) return learned.error();
        restored.updated += *learned ? 1 : 0;
    }
    for (const std::string& name : names) {
        if (rows.contains(name)) continue;
        const Result<void> adopted = adoptRunFolder(db, runsFolder, name);
        if (adopted) ++restored.adopted;
        else if (adopted.error().code == ErrorCode::DiskFull || adopted.error().code == ErrorCode::Busy) return adopted.error();
        else restored.unreadable.push_back(name);
    }
    return restored;
}

} // namespace sconce
