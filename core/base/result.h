// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
// Errors are values. Everything that can fail in an expected way (a file, a recipe, a device) returns a Result<T>;
// broken invariants assert. An Error carries a sentence for the person (what happened, and where), a remedy (the way
// out) and a detail for the log. Any thread; values only.

#include <cassert>
#include <optional>
#include <string>
#include <utility>
#include <variant>

namespace sconce {

/// What kind of failure, so that a caller may decide (exit code, retry, offer) without reading the sentence.
enum class ErrorCode {
    Invalid,       ///< the caller's input is wrong (recipe, argument, file content)
    NotFound,      ///< a file, run, data set or device does not exist
    Io,            ///< reading or writing failed
    DiskFull,      ///< no space left (ENOSPC, EDQUOT)
    Permission,    ///< not allowed
    Busy,          ///< somebody else holds it (a run that is alive, a locked store)
    Unsupported,   ///< not possible on this machine or in this version
    TooNew,        ///< written by a newer version of Sconce
    Corrupt,       ///< the content contradicts itself or its checksum
    OutOfMemory,   ///< host or device memory
    NotFinite,     ///< NaN or infinity in loss or gradients
    Cancelled,     ///< the person stopped it
    Internal       ///< a bug of ours
};

struct Error
{
    ErrorCode code = ErrorCode::Internal;
    std::string message; ///< one plain sentence with a full stop, no code words
    std::string remedy;  ///< what to do about it; may be empty
    std::string detail;  ///< for the log: errno text, exception text, offsets

    /// message, and the remedy after it, as one paragraph.
    std::string text() const { return remedy.empty() ? message : message + " " + remedy; }
};

/// The id of a code in JSON and logs: "invalid", "disk-full", …
const char* errorCodeName(ErrorCode code);
ErrorCode errorCodeFromName(const std::string& name);

template <class T> class [[nodiscard]] Result
{
  public:
    Result(T value) : m_value(std::in_place_index<0>, std::move(value)) {}
    Result(Error error) : m_value(std::in_place_index<1>, std::move(error)) {}

    bool ok() const { return m_value.index() == 0; }
    explicit operator bool() const { return ok(); }

    T& value() & { assert(ok()); return std::get<0>(m_value); }
    const T& value() const& { assert(ok()); return std::get<0>(m_value); }
    T&& value() && { assert(ok()); return std::get<0>(std::move(m_value)); }
    T& operator*() & { return value(); }
    const T& operator*() const& { return value(); }
    T&& operator*() && { return std::move(*this).value(); }
    T* operator->() { return &value(); }
    const T* operator->() const { return &value(); }

    const Error& error() const { assert(!ok()); return std::get<1>(m_value); }
    T valueOr(T fallback) const& { return ok() ? std::get<0>(m_value) : std::move(fallback); }

  private:
    std::variant<T, Error> m_value;
};

template <> class [[nodiscard]] Result<void>
{
  public:
    Result() = default;
    Result(Error error) : m_error(std::move(error)) {}

    bool ok() const { return !m_error; }
    explicit operator bool() const { return ok(); }
    const Error& error() const { assert(m_error); return *m_error; }

  private:
    std::optional<Error> m_error;
};

/// Returns the error of a Result from the current function. `Result<void>` and `Result<T>` alike.
#define SCONCE_TRY(expression)                                                                               \
    do {                                                                                                     \
        if (auto&& sconceTryResult = (expression); !sconceTryResult.ok()) return sconceTryResult.error();    \
    } while (false)

} // namespace sconce
