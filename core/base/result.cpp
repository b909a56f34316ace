// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/base/result.h"

#include <array>
#include <utility>

namespace sconce {
namespace {

constexpr std::array<std::pair<ErrorCode, const char*>, 13> codeNames{{
    {ErrorCode::Invalid, "invalid"},
    {ErrorCode::NotFound, "not-found"},
    {ErrorCode::Io, "io"},
    {ErrorCode::DiskFull, "disk-full"},
    {ErrorCode::Permission, "permission"},
    {ErrorCode::Busy, "busy"},
    {ErrorCode::Unsupported, "unsupported"},
    {ErrorCode::TooNew, "too-new"},
    {ErrorCode::Corrupt, "corrupt"},
    {ErrorCode::OutOfMemory, "out-of-memory"},
    {ErrorCode::NotFinite, "not-finite"},
    {ErrorCode::Cancelled, "cancelled"},
    {ErrorCode::Internal, "internal"},
}};

} // namespace

const char* errorCodeName(ErrorCode code)
{
    for (const auto& [known, name] : codeNames) {
        if (known == code) return name;
    }
    return "internal";
}

ErrorCode errorCodeFromName(const std::string& name)
{
    for (const auto& [code, known] : codeNames) {
        if (name == known) return code;
    }
    return ErrorCode::Internal;
}

} // namespace sconce
