// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/history/sqlite.h"

#include "core/base/files.h"

#include <sqlite3.h>

#include <cerrno>
#include <cmath>
#include <cstring>
#include <fcntl.h>
#include <limits>
#include <unistd.h>

namespace sconce {

namespace {

constexpr int busyTimeoutMs = 10'000;

/// All pragmas, in one place (reliability: hostile and damaged files are refused early; only our writer checkpoints).
Result<void> applyPragmas(Database& db, Database::Mode mode)
{
    SCONCE_TRY(db.execute("PRAGMA trusted_schema = OFF; PRAGMA cell_size_check = ON; PRAGMA mmap_size = 0;"
                          "PRAGMA foreign_keys = ON; PRAGMA wal_autocheckpoint = 0; PRAGMA temp_store = MEMORY;"));
    if (mode == Database::Mode::ReadOnly) return {};
    return db.execute("PRAGMA synchronous = FULL; PRAGMA journal_size_limit = 4194304;");
}

bool noSpace(int code, int systemErrno)
{
    // SQLite itself knows ENOSPC only; a quota or a limit on the size of files is a full disk to a person all the same.
    return (code & 0xff) == SQLITE_FULL ||
           ((code & 0xff) == SQLITE_IOERR && (systemErrno == ENOSPC || systemErrno == EDQUOT || systemErrno == EFBIG));
}

} // namespace

// ---- Statement ----

Statement::Statement(Database& db, sqlite3_stmt* statement, int code)
    : m_db(&db)
    , m_statement(statement)
    , m_code(code)
{
}

Statement::Statement(Statement&& other) noexcept
    : m_db(other.m_db)
    , m_statement(other.m_statement)
    , m_code(other.m_code)
{
    other.m_statement = nullptr;
}

Statement::~Statement()
{
    if (!m_statement) return;
    sqlite3_reset(m_statement);
    sqlite3_clear_bindings(m_statement);
}

Statement& Statement::bind(int index, std::int64_t value)
{
    if (m_statement) sqlite3_bind_int64(m_statement, index, value);
    return *this;
}

Statement& Statement::bind(int index, double value)
{
    if (m_statement) sqlite3_bind_double(m_statement, index, value);
    return *this;
}

Statement& Statement::bind(int index, std::string_view text)
{
    if (m_statement)
        sqlite3_bind_text(m_statement, index, text.data() ? text.data() : "", static_cast<int>(text.size()),
                          SQLITE_TRANSIENT);
    return *this;
}

Statement& Statement::bindBlob(int index, std::string_view bytes)
{
    if (m_statement)
        sqlite3_bind_blob(m_statement, index, bytes.empty() ? "" : bytes.data(), static_cast<int>(bytes.size()),
                          SQLITE_TRANSIENT);
    return *this;
}

bool Statement::step()
{
    if (!m_statement) return false;
    errno = 0;
    m_code = sqlite3_step(m_statement);
    m_db->m_errno = errno;
    return m_code == SQLITE_ROW;
}

Result<void> Statement::result() const
{
    if (m_code == SQLITE_OK || m_code == SQLITE_DONE || m_code == SQLITE_ROW) return {};
    return m_db->error(m_code);
}

Result<void> Statement::run()
{
    while (step()) {}
    return result();
}

std::int64_t Statement::integer(int column) const { return sqlite3_column_int64(m_statement, column); }

double Statement::real(int column) const
{
    return isNull(column) ? std::numeric_limits<double>::quiet_NaN() : sqlite3_column_double(m_statement, column);
}

bool Statement::isNull(int column) const { return sqlite3_column_type(m_statement, column) == SQLITE_NULL; }

std::string Statement::text(int column) const
{
    const auto* text = reinterpret_cast<const char*>(sqlite3_column_text(m_statement, column));
    return text ? std::string(text, static_cast<std::size_t>(sqlite3_column_bytes(m_statement, column))) : std::string();
}

std::string_view Statement::blob(int column) const
{
    const auto* bytes = static_cast<const char*>(sqlite3_column_blob(m_statement, column));
    return bytes ? std::string_view(bytes, static_cast<std::size_t>(sqlite3_column_bytes(m_statement, column)))
                 : std::string_view();
}

// ---- Database ----

Database::Database(sqlite3* handle, std::string path)
    : m_handle(handle)
    , m_path(std::move(path))
{
}

Result<std::unique_ptr<Database>> Database::open(const std::string& path, Mode mode)
{
    sqlite3* handle = nullptr;
    const int flags = (mode == Mode::ReadWrite ? SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE : SQLITE_OPEN_READONLY) |
                      SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_PRIVATECACHE;
    const int code = sqlite3_open_v2(path.c_str(), &handle, flags, nullptr);
    if (!handle)
        return Error{ErrorCode::OutOfMemory, "There is not enough memory to open the history.", "Close other programs.", {}};
    std::unique_ptr<Database> db(new Database(handle, path));
    sqlite3_extended_result_codes(handle, 1);
    if (code != SQLITE_OK) return db->error(code);
    sqlite3_busy_timeout(handle, busyTimeoutMs);
    sqlite3_db_config(handle, SQLITE_DBCONFIG_DEFENSIVE, 1, nullptr);
    // Closing would checkpoint outside the store's lock: SQLite before 3.51.3 may corrupt when that meets a writer.
    sqlite3_db_config(handle, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, nullptr);
    sqlite3_wal_hook(
        handle,
        [](void* self, sqlite3*, const char*, int pages) {
            static_cast<Database*>(self)->m_walPages = pages;
            return SQLITE_OK;
        },
        db.get());
    SCONCE_TRY(applyPragmas(*db, mode));
    return db;
}

Result<void> Database::useWriteAheadLog()
{
    Result<std::string> mode = textOf("PRAGMA journal_mode = WAL");
    if (!mode) return mode.error();
    if (*mode != "wal")
        return Error{ErrorCode::Unsupported, "The disk that holds the store cannot be shared safely by several programs.",
                     "Choose a store folder on a local disk.", "journal_mode " + *mode};
    return {};
}

Database::~Database()
{
    for (auto& [sql, statement] : m_cache) sqlite3_finalize(statement);
    sqlite3_close(m_handle);
}

Statement Database::prepare(const char* sql)
{
    auto found = m_cache.find(sql);
    if (found != m_cache.end()) {
        return Statement(*this, found->second, SQLITE_OK);
    }
    sqlite3_stmt* statement = nullptr;
    const int code = sqlite3_prepare_v3(m_handle, sql, -1, SQLITE_PREPARE_PERSISTENT, &statement, nullptr);
    if (code == SQLITE_OK) m_cache.emplace(sql, statement);
    return Statement(*this, statement, code);
}

Result<void> Database::execute(const std::string& sql)
{
    errno = 0;
    const int code = sqlite3_exec(m_handle, sql.c_str(), nullptr, nullptr, nullptr);
    m_errno = errno;
    if (code != SQLITE_OK) return error(code);
    return {};
}

Result<std::string> Database::textOf(const std::string& sql)
{
    sqlite3_stmt* raw = nullptr;
    int code = sqlite3_prepare_v2(m_handle, sql.c_str(), -1, &raw, nullptr);
    std::string text;
    while (code == SQLITE_OK && (code = sqlite3_step(raw)) == SQLITE_ROW) {
        const auto* column = reinterpret_cast<const char*>(sqlite3_column_text(raw, 0));
        if (!text.empty()) text += '\n';
        if (column) text += column;
        code = SQLITE_OK;
    }
    std::optional<Error> failed;
    if (code != SQLITE_DONE) failed = error(code);
    sqlite3_finalize(raw);
    if (failed) return *failed;
    return text;
}

Result<std::int64_t> Database::number(const std::string& sql)
{
    Result<std::string> text = textOf(sql);
    if (!text) return text.error();
    return static_cast<std::int64_t>(std::strtoll(text->c_str(), nullptr, 10));
}

bool Database::inTransaction() const { return sqlite3_get_autocommit(m_handle) == 0; }

std::int64_t Database::changes() const { return sqlite3_changes64(m_handle); }

Result<std::string> Database::check(bool thorough)
{
    Result<std::string> found = textOf(thorough ? "PRAGMA integrity_check(20)" : "PRAGMA quick_check(20)");
    if (found && *found == "ok") return std::string();
    return found;
}

Result<void> Database::copyInto(const std::string& path)
{
    const std::string temporary = path + ".incomplete";
    ::unlink(temporary.c_str());
    sqlite3_stmt* raw = nullptr;
    int code = sqlite3_prepare_v2(m_handle, "VACUUM INTO ?1", -1, &raw, nullptr);
    if (code == SQLITE_OK) {
        sqlite3_bind_text(raw, 1, temporary.c_str(), -1, SQLITE_TRANSIENT);
        code = sqlite3_step(raw);
    }
    std::optional<Error> failed;
    if (code != SQLITE_DONE) failed = error(code);
    sqlite3_finalize(raw);
    if (!failed) {
        // SQLite is done with the copy (it was attached for the statement only), so plain calls on it are safe.
        const int fd = ::open(temporary.c_str(), O_RDWR | O_CLOEXEC);
        if (fd < 0 || ::fsync(fd) != 0) failed = ioError("write", path, errno);
        if (fd >= 0) ::close(fd);
    }
    if (!failed && ::rename(temporary.c_str(), path.c_str()) != 0) failed = ioError("write", path, errno);
    if (failed) {
        ::unlink(temporary.c_str());
        return *failed;
    }
    return syncFolder(path.substr(0, path.find_last_of('/')));
}

void Database::checkpoint(bool truncate)
{
    // A failure leaves everything in the write-ahead log, where it is just as safe; the next one tries again.
    sqlite3_wal_checkpoint_v2(m_handle, nullptr, truncate ? SQLITE_CHECKPOINT_TRUNCATE : SQLITE_CHECKPOINT_PASSIVE,
                              nullptr, nullptr);
    m_walPages = 0;
}

Error Database::error(int code) const
{
    // SQLite does not always remember the errno of a failed write; the one seen right after the call stands in.
    const int known = sqlite3_system_errno(m_handle);
    const int systemErrno = known != 0 ? known : m_errno;
    std::string detail = std::string(sqlite3_errmsg(m_handle)) + " (SQLite " + std::to_string(code) + ", errno " +
                         std::to_string(systemErrno) + ", " + m_path + ")";
    if (noSpace(code, systemErrno))
        return {ErrorCode::DiskFull, "The history could not be written: no space is left on the disk.",
                "Free some space, or move the store to another disk in Settings.", std::move(detail)};
    switch (code & 0xff) {
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
        return {ErrorCode::Busy, "The history is in use by another program and did not become free.",
                "Close other copies of Sconce, then try again.", std::move(detail)};
    case SQLITE_CORRUPT:
    case SQLITE_NOTADB:
        if (onDamage) onDamage();
        return {ErrorCode::Corrupt, "The history file is damaged.",
                "Start Sconce again, or run sconce doctor: it sets the damaged file aside and rebuilds the list of runs.",
                std::move(detail)};
    case SQLITE_READONLY:
    case SQLITE_PERM:
    case SQLITE_AUTH:
        return {ErrorCode::Permission, "The history may not be written: " + m_path + " is read-only.",
                "Change its permissions, or choose another store folder.", std::move(detail)};
    case SQLITE_CANTOPEN:
        return {systemErrno == EACCES || systemErrno == EROFS || systemErrno == EPERM ? ErrorCode::Permission
                                                                                     : ErrorCode::Io,
                "The history " + m_path + " could not be opened.", "Check that the folder exists and may be written.",
                std::move(detail)};
    case SQLITE_NOMEM:
        return {ErrorCode::OutOfMemory, "There is not enough memory to use the history.", "Close other programs.",
                std::move(detail)};
    case SQLITE_IOERR:
        return {ErrorCode::Io, "Reading or writing the history failed" + (systemErrno ? ": " + std::string(std::strerror(systemErrno)) + "." : std::string(".")),
                "Check the disk that holds the store.", std::move(detail)};
    default:
        return {ErrorCode::Internal, "The history could not do what was asked.", "Please report this.",
                std::move(detail)};
    }
}

} // namespace sconce
