// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/history/open_database.h"

#include "core/base/clock.h"
#include "core/base/log.h"
#include "core/base/text.h"
#include "core/history/migrate.h"
#include "core/history/rebuild.h"

#include "history_sql.h"

#include <algorithm>
#include <fcntl.h>
#include <filesystem>
#include <unistd.h>

namespace fs = std::filesystem;

namespace sconce {

namespace {

/// Files up to this size are always checked when opened (about 20 ms), larger ones after an unclean end only.
constexpr std::uintmax_t alwaysChecked = 8u << 20;

std::uintmax_t sizeOf(const std::string& path)
{
    std::error_code failure;
    const std::uintmax_t size = fs::file_size(path, failure);
    return failure ? 0 : size;
}

/// Empty, or what is wrong with a file that opened.
std::string damageIn(Database& db, const std::string& folder, bool alone)
{
    std::error_code failure;
    const bool asked = fs::exists(checkMarker(folder), failure);
    const std::string path = folder + "/sconce.db";
    const bool unclean = sizeOf(path + "-wal") > 0;
    if (alone && (asked || unclean || sizeOf(path) <= alwaysChecked)) {
        const Result<std::string> found = db.check(asked);
        if (!found) return found.error().detail;
        if (!found->empty()) return *found;
        if (asked) fs::remove(checkMarker(folder), failure);
    }
    // A file that is whole but lacks our tables is no history.
    Statement list = db.prepare(sql::runs_list);
    list.step();
    if (const Result<void> read = list.result(); !read && read.error().code == ErrorCode::Internal) return read.error().detail;
    return {};
}

struct Try
{
    std::unique_ptr<Database> db;
    Migrated migrated = Migrated::Current;
    std::string damage; ///< not empty: what SQLite said
};

Result<Try> tryOpen(const std::string& folder, bool alone)
{
    Try result;
    Result<std::unique_ptr<Database>> db = Database::open(folder + "/sconce.db", Database::Mode::ReadWrite);
    if (!db && db.error().code == ErrorCode::Corrupt) return Try{nullptr, Migrated::Current, db.error().detail};
    if (!db) return db.error();
    const Result<Migrated> migrated = migrate(**db, allMigrations(), folder + "/backups");
    if (!migrated && migrated.error().code == ErrorCode::Corrupt) return Try{nullptr, Migrated::Current, migrated.error().detail};
    if (!migrated) return migrated.error();
    result.migrated = *migrated;
    result.db = std::move(*db);
    if (result.migrated == Migrated::TooNew) return result;
    if (Result<void> wal = result.db->useWriteAheadLog(); !wal) {
        if (wal.error().code != ErrorCode::Corrupt) return wal.error();
        return Try{nullptr, Migrated::Current, wal.error().detail};
    }
    result.damage = damageIn(*result.db, folder, alone);
    return result;
}

std::string backupDate(const std::string& name)
{
    // sconce-20261121T061544Z.db
    return name.size() >= 15 ? name.substr(7, 4) + "-" + name.substr(11, 2) + "-" + name.substr(13, 2) : name;
}

std::string restoredSentence(const Restored& restored)
{
    std::string text;
    if (!restored.backup.empty()) text += " The backup of " + backupDate(restored.backup) + " was put in its place.";
    if (restored.adopted > 0)
        text += " " + plural(restored.adopted, "run was", "runs were") + " listed again from " +
                (restored.adopted == 1 ? "its folder" : "their folders") + "; recipes and checkpoints are there, curves are not.";
    if (restored.updated > 0)
        text += " " + plural(restored.updated, "run was", "runs were") + " brought up to date from " +
                (restored.updated == 1 ? "its folder; its curves end" : "their folders; their curves end") + " where the backup does.";
    if (!restored.unreadable.empty())
        text += " " + plural(std::int64_t(restored.unreadable.size()), "run folder", "run folders") + " could not be read.";
    return text;
}

/// With the old file out of the way: the newest good backup, then what the run folders know.
Result<OpenedDatabase> restore(const std::string& folder, const std::string& why)
{
    Result<std::string> backup = restoreBackup(folder);
    if (!backup) return backup.error();
    Result<Try> fresh = tryOpen(folder, true);
    if (!fresh) return fresh.error();
    if (!fresh->db || !fresh->damage.empty() || fresh->migrated == Migrated::TooNew)
        return Error{ErrorCode::Corrupt, "The history file was damaged, and no new one could be made.",
                     "Check the disk that holds the store.", fresh->damage};
    SCONCE_TRY(fresh->db->execute("BEGIN IMMEDIATE"));
    Result<Restored> restored = mergeRunFolders(*fresh->db, folder + "/runs");
    Result<void> done = restored ? fresh->db->execute("COMMIT") : Result<void>(restored.error());
    if (!done) {
        (void)fresh->db->execute("ROLLBACK");
        return done.error();
    }
    restored->backup = *backup;
    OpenedDatabase result;
    result.db = std::move(fresh->db);
    result.opened = {StoreOpened::How::Rebuilt, why + restoredSentence(*restored)};
    log(LogLevel::Warning, result.opened.message);
    return result;
}

} // namespace

std::string checkMarker(const std::string& folder) { return folder + "/check-needed"; }

void markForCheck(const std::string& folder)
{
    const int fd = ::open(checkMarker(folder).c_str(), O_WRONLY | O_CREAT | O_CLOEXEC, 0644);
    if (fd >= 0) ::close(fd);
}

Result<OpenedDatabase> openDatabase(const std::string& folder, bool alone)
{
    const std::string path = folder + "/sconce.db";
    if (sizeOf(path) == 0 && alone && (!runFoldersIn(folder + "/runs").empty() || !backupsOf(folder).empty())) {
        Result<std::string> aside = setDatabaseAside(folder);
        if (!aside) return aside.error();
        std::error_code failure;
        if (fs::is_empty(folder + "/" + *aside, failure)) fs::remove(folder + "/" + *aside, failure);
        return restore(folder, "The history file was missing or empty.");
    }
    Result<Try> opened = tryOpen(folder, alone);
    if (!opened) return opened.error();
    if (!opened->damage.empty()) {
        log(LogLevel::Error, "The history file is damaged: " + opened->damage);
        opened->db.reset();
        if (!alone)
            return Error{ErrorCode::Corrupt, "The history file is damaged, and another program is using it.",
                         "Close every other Sconce and start again: the file is then set aside and rebuilt.", opened->damage};
        Result<std::string> aside = setDatabaseAside(folder);
        if (!aside) return aside.error();
        std::error_code failure;
        fs::remove(checkMarker(folder), failure);
        return restore(folder, "The history file was damaged; it was set aside in the folder " + *aside + ".");
    }
    OpenedDatabase result;
    if (opened->migrated == Migrated::TooNew) {
        result.opened = {StoreOpened::How::ReadOnlyNewer,
                         "This store was written by a newer version of Sconce: it is shown, but nothing can be changed or trained here."};
        return result;
    }
    result.db = std::move(opened->db);
    if (opened->migrated == Migrated::Fresh) result.opened.how = StoreOpened::How::Fresh;
    if (opened->migrated == Migrated::Migrated)
        result.opened = {StoreOpened::How::Migrated,
                         "The history was brought to this version's format; a copy of the old one is in the folder backups."};
    return result;
}

} // namespace sconce
