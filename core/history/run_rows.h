// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
// Rows of runs, and the run.json beside each run's recipe, from which the list is rebuilt if the database is lost. Private to
// core/history.

#include "core/history/sqlite.h"
#include "core/history/store.h"

namespace sconce {

/// A run as stored, with what the status is derived from.
struct StoredRun
{
    RunRow row; ///< status and resumable not yet derived; folder set
    std::string liveStatus, endedStatus;
};

/// Of runs/list.sql and runs/one.sql.
StoredRun storedRunOf(const Statement& row, const std::string& runsFolder);
/// Sets status and resumable. alive: a trainer holds the owner lock.
RunRow derived(StoredRun stored, bool alive);
Result<std::optional<StoredRun>> findStoredRun(Database& db, const RunId& id, const std::string& runsFolder);
/// NotFound, with the id.
Error noSuchRun(const std::string& id);

Json tagsToJson(const std::vector<std::string>& tags);

/// What run.json holds of a run: all of its row but what is derived.
Json runToJson(const StoredRun& stored, const Json& dataset);
StoredRun runFromJson(const Json& json);
/// Writes run.json, durably.
Result<void> writeRunFile(Database& db, const RunId& id, const std::string& runsFolder);
/// Inserts a row whose number is set (numbers are given inside the transaction) with its documents and summary.
Result<void> insertRun(Database& db, const StoredRun& stored, const std::string& recipe, const std::string& environment,
                       const std::string& dataset);
Result<void> saveSummary(Database& db, std::int64_t number, const RunSummary& summary);
/// Columns first … first + 13 of a row, as runs/one.sql orders them, and the one with the metrics.
RunSummary summaryOf(const Statement& row, int first, int metrics);

/// A path below the run's folder without it; others as they are.
std::string belowFolder(const std::string& folder, const std::string& path);
std::string inFolder(const std::string& folder, const std::string& path);

} // namespace sconce
