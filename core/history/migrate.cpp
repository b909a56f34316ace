// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/history/migrate.h"

#include "core/base/clock.h"
#include "core/base/files.h"

#include "history_sql.h"

#include <algorithm>

namespace sconce {

namespace {

/// "SCNC" as SQLite's application id: tells our files from other programs'.
constexpr std::int64_t applicationId = 0x53434e43;

std::string compact(std::string time)
{
    std::erase_if(time, [](char c) { return c == '-' || c == ':'; });
    return time;
}

Result<void> climb(Database& db, std::span<const char* const> steps, std::int64_t from)
{
    for (auto version = static_cast<std::size_t>(from); version < steps.size(); ++version)
        SCONCE_TRY(db.execute(steps[version]));
    SCONCE_TRY(db.execute("PRAGMA application_id = " + std::to_string(applicationId)));
    return db.execute("PRAGMA user_version = " + std::to_string(steps.size()));
}

} // namespace

std::span<const char* const> allMigrations() { return sql::migrations; }

Result<Migrated> migrate(Database& db, std::span<const char* const> steps, const std::string& backupFolder)
{
    const auto newest = static_cast<std::int64_t>(steps.size());
    Result<std::int64_t> version = db.number("PRAGMA user_version");
    if (!version) return version.error();
    Result<std::int64_t> tables = db.number("SELECT count(*) FROM sqlite_master");
    if (!tables) return tables.error();
    Result<std::int64_t> application = db.number("PRAGMA application_id");
    if (!application) return application.error();
    if (*tables > 0 && *application != applicationId)
        return Error{ErrorCode::Invalid, "The file sconce.db in the store's folder belongs to another program.",
                     "Choose another store folder.", "application_id " + std::to_string(*application)};
    if (*version > newest) return Migrated::TooNew;
    if (*version == newest) return Migrated::Current;
    if (*tables > 0) {
        SCONCE_TRY(makeFolders(backupFolder));
        SCONCE_TRY(db.copyInto(backupFolder + "/before-version-" + std::to_string(newest) + "-" +
                               compact(isoTime(Clock::system().wallMs())) + ".db"));
    }
    SCONCE_TRY(db.execute("BEGIN IMMEDIATE"));
    // Read again inside the transaction: another program may have climbed meanwhile.
    version = db.number("PRAGMA user_version");
    Result<void> done = version ? Result<void>() : Result<void>(version.error());
    if (done && *version < newest) done = climb(db, steps, *version);
    if (done) done = db.execute("COMMIT");
    if (!done) {
        const Error error = done.error();
        if (db.inTransaction()) (void)db.execute("ROLLBACK");
        if (error.code != ErrorCode::Internal) return error;
        return Error{ErrorCode::Internal, "The history could not be brought to this version's format; it was left as it was.",
                     "Use the version of Sconce that wrote it, and please report this.", error.detail};
    }
    return *tables > 0 ? Migrated::Migrated : Migrated::Fresh;
}

} // namespace sconce
