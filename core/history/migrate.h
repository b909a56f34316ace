// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
// The ladder of migrations: numbered SQL files, one transaction, the version set inside it. Private to core/history.

#include "core/history/sqlite.h"

#include <span>

namespace sconce {

enum class Migrated { Fresh, Current, Migrated, TooNew };

/// The migrations of this version of Sconce.
std::span<const char* const> allMigrations();

/// Climbs from the file's version to the last step. The caller holds store.lock. Before an existing file is changed, it is
/// copied into `backupFolder`. A failing step leaves the file as it was.
Result<Migrated> migrate(Database& db, std::span<const char* const> steps, const std::string& backupFolder);

} // namespace sconce
