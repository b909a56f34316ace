// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
// SQLite as the rest of core/history sees it: connections with all pragmas set in one place, cached prepared statements, and
// result codes turned into sentences. Private to core/history. A Database is used by one thread at a time.

#include "core/base/result.h"

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

struct sqlite3;
struct sqlite3_stmt;

namespace sconce {

class Database;

/// A cached statement on loan: bound and stepped by its holder, reset when it goes out of scope.
///     Statement s = db.prepare(sql::runs_one);
///     s.bind(1, id);
///     while (s.step()) … s.integer(0) …
///     SCONCE_TRY(s.result());
class Statement
{
  public:
    Statement(Database& db, sqlite3_stmt* statement, int code);
    Statement(Statement&& other) noexcept;
    Statement(const Statement&) = delete;
    Statement& operator=(const Statement&) = delete;
    ~Statement();

    Statement& bind(int index, std::int64_t value);
    Statement& bind(int index, int value) { return bind(index, std::int64_t{value}); }
    Statement& bind(int index, bool value) { return bind(index, std::int64_t{value}); }
    Statement& bind(int index, double value); ///< NaN is stored as NULL
    Statement& bind(int index, std::string_view text);
    Statement& bind(int index, const std::string& text) { return bind(index, std::string_view(text)); }
    Statement& bind(int index, const char* text) { return bind(index, std::string_view(text)); }
    Statement& bindBlob(int index, std::string_view bytes);

    bool step(); ///< true: a row is there
    Result<void> result() const;
    Result<void> run(); ///< steps to the end

    std::int64_t integer(int column) const;
    double real(int column) const; ///< NULL is NaN
    bool isNull(int column) const;
    std::string text(int column) const;
    std::string_view blob(int column) const; ///< valid until the next step

  private:
    Database* m_db;
    sqlite3_stmt* m_statement;
    int m_code;
};

class Database
{
  public:
    enum class Mode { ReadWrite, ReadOnly };
    static Result<std::unique_ptr<Database>> open(const std::string& path, Mode mode);
    ~Database();
    Database(const Database&) = delete;
    Database& operator=(const Database&) = delete;

    /// Once the file is known to be ours: until here it is opened without a trace.
    Result<void> useWriteAheadLog();
    /// `sql` is one of the embedded constants: the cache goes by its address.
    Statement prepare(const char* sql);
    Result<void> execute(const std::string& sql); ///< any number of statements, not cached
    Result<std::int64_t> number(const std::string& sql);
    Result<std::string> textOf(const std::string& sql); ///< first column of all rows, by lines
    bool inTransaction() const;
    std::int64_t changes() const; ///< rows changed by the last statement

    /// quick_check (or integrity_check): an empty text, or what is wrong.
    Result<std::string> check(bool thorough);
    /// Copies the committed content into a new file, durably (temporary file, fsync, rename). Runs beside writers.
    Result<void> copyInto(const std::string& path);
    /// Moves the write-ahead log into the file; the caller holds the store's lock.
    void checkpoint(bool truncate);
    int walPages() const { return m_walPages; }

    Error error(int code) const;
    /// Called once when SQLite reports damage.
    std::function<void()> onDamage;

  private:
    friend class Statement;
    Database(sqlite3* handle, std::string path);
    sqlite3* m_handle;
    std::string m_path;
    std::map<const char*, sqlite3_stmt*> m_cache;
    int m_walPages = 0;
    int m_errno = 0; ///< after the last call that could fail
};

} // namespace sconce
