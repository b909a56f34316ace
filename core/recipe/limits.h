// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
// What a recipe's own numbers may be: the reader, validation and who lets a person change one of them later share them. Private to core.

#include "core/base/text.h"
#include "core/recipe/recipe.h"

namespace sconce::limits {

inline constexpr std::size_t nameBytes = 200;
inline constexpr std::size_t notesBytes = 100'000;
inline constexpr int epochs = 100'000;
inline constexpr std::int64_t steps = 1'000'000'000;
inline constexpr std::int64_t batch = 1 << 20;
inline constexpr double leastRate = 1e-12, rate = 100;
inline constexpr int threads = 1024;
inline constexpr int side = 4096;
inline constexpr double pixel = 1e6, leastDeviation = 1e-9;
inline constexpr double validation = 0.9, test = 0.5;
inline constexpr double minutes = 100'000;
inline constexpr int keep = 1000;
/// No machine holds more; caught before anything is allocated.
inline constexpr std::int64_t parameters = std::int64_t{1} << 40;
inline constexpr std::uint64_t memoryBytes = std::uint64_t{4} << 40;

inline bool isDevice(const std::string& device)
{
    if (device == "auto" || device == "cpu") return true;
    std::int64_t number = 0;
    return device.rfind("cuda:", 0) == 0 && device.size() <= 8 && parseInt(std::string_view(device).substr(5), number) && number >= 0;
}

} // namespace sconce::limits
