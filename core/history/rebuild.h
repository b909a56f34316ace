// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
// When the database is lost or damaged: backups, and rows made from run folders. Private to core/history.

#include "core/history/sqlite.h"

#include <cstdint>
#include <string>
#include <vector>

namespace sconce {

/// Rotating backups of a store, newest first (full paths).
std::vector<std::string> backupsOf(const std::string& folder);
/// Makes one if the newest is older than a day; the three newest are kept. Verifies the content first. True if one was made.
Result<bool> backUpIfDue(Database& reader, const std::string& folder);

/// Names of the folders that hold a run.
std::vector<std::string> runFoldersIn(const std::string& runsFolder);
/// Makes a row from a run's folder: run.json, recipe.json, environment.json, the checkpoints' manifests. Inside a transaction.
Result<void> adoptRunFolder(Database& db, const std::string& runsFolder, const std::string& name);
/// The ids of all rows.
Result<std::vector<std::string>> runIds(Database& db);

/// Moves sconce.db, -wal and -shm into corrupt-<date>/; gives that folder's name. Nobody has the file open.
Result<std::string> setDatabaseAside(const std::string& folder);

struct Restored
{
    std::string backup;  ///< file name of the backup taken, or empty
    int adopted = 0;     ///< rows made from run folders
    int updated = 0;     ///< rows of the backup that have learned from their folders what happened since
    std::vector<std::string> unreadable;
};
/// Puts the newest good backup in the place of sconce.db, if there is one.
Result<std::string> restoreBackup(const std::string& folder);
/// Brings rows and run folders together again: adopts folders without a row, drops rows without a folder, and
/// brings the others up to date.
Result<Restored> mergeRunFolders(Database& db, const std::string& runsFolder);

} // namespace sconce
