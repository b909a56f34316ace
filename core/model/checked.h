// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
// Arithmetic on sizes that saturates instead of overflowing: settings come from files. Private to core/model.

#include <cstdint>
#include <limits>

namespace sconce {

inline constexpr std::int64_t saturated = std::numeric_limits<std::int64_t>::max();

/// Both for values >= 0.
inline std::int64_t satMul(std::int64_t a, std::int64_t b)
{
    std::int64_t result = 0;
    return __builtin_mul_overflow(a, b, &result) ? saturated : result;
}
inline std::int64_t satAdd(std::int64_t a, std::int64_t b)
{
    std::int64_t result = 0;
    return __builtin_add_overflow(a, b, &result) ? saturated : result;
}

} // namespace sconce
