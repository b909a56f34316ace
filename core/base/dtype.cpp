// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/base/dtype.h"

#include <array>
#include <utility>

namespace sconce {
namespace {

constexpr std::array<std::pair<DType, std::string_view>, 10> names{{
    {DType::Bool, "BOOL"},
    {DType::U8, "U8"},
    {DType::I8, "I8"},
    {DType::I16, "I16"},
    {DType::I32, "I32"},
    {DType::I64, "I64"},
    {DType::F16, "F16"},
    {DType::BF16, "BF16"},
    {DType::F32, "F32"},
    {DType::F64, "F64"},
}};

} // namespace

std::string_view name(DType type)
{
    for (const auto& [known, text] : names) {
        if (known == type) return text;
    }
    return "?";
}

std::optional<DType> dtypeFromName(std::string_view wanted)
{
    for (const auto& [type, text] : names) {
        if (text == wanted) return type;
    }
    return std::nullopt;
}

} // namespace sconce
