// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
// What the store and its care know of the documents in run folders. Private to core/history.

#include "core/base/json.h"

#include <algorithm>
#include <filesystem>
#include <string>
#include <vector>

namespace sconce {

/// Of a recipe, an environment or a data set's facts as JSON: larger and deeper than any that Sconce writes.
inline constexpr JsonLimits documentLimits{16u << 20, 256};

/// What a folder holds, by name and in that order; nothing where it cannot be read.
inline std::vector<std::string> namesIn(const std::string& folder)
{
    std::vector<std::string> names;
    std::error_code failure;
    for (std::filesystem::directory_iterator it(folder, failure), end; !failure && it != end; it.increment(failure)) names.push_back(it->path().filename().string());
    std::sort(names.begin(), names.end());
    return names;
}

} // namespace sconce
