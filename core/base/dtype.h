// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
// Element types of tensors in files, plans and the engine. Names are those of safetensors.

#include <cstddef>
#include <optional>
#include <string_view>

namespace sconce {

enum class DType { Bool, U8, I8, I16, I32, I64, F16, BF16, F32, F64 };

/// Bytes per element.
constexpr std::size_t sizeOf(DType type)
{
    switch (type) {
    case DType::Bool: case DType::U8: case DType::I8: return 1;
    case DType::I16: case DType::F16: case DType::BF16: return 2;
    case DType::I32: case DType::F32: return 4;
    case DType::I64: case DType::F64: return 8;
    }
    return 0;
}

/// "F32", "BF16", … as safetensors writes them.
std::string_view name(DType type);
std::optional<DType> dtypeFromName(std::string_view name);

} // namespace sconce
