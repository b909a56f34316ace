// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
// Small id types and the making of ids.

#include <cstdint>
#include <string>

namespace sconce {

/// Id of a run: 14 characters, sortable by time, unique on all machines ("m3k9x2…"). Folder name and key in the store.
using RunId = std::string;
/// Id of a data set in the library: "mnist", "digits", or made from its name. Recipes hold it with the fingerprint.
using DatasetId = std::string;
/// Stable id of a layer within its recipe: "l1", "l2", … never reused; used for parameter names, random keys, differences.
using LayerId = std::string;

RunId newRunId();
/// A short random token of lower-case letters and digits.
std::string randomToken(int characters);

} // namespace sconce
