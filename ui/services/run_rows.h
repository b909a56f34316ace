// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
// Comparing rows of the run list, so that views are told only what changed.

#include "core/history/store.h"

namespace sconce::ui {

/// Everything that a view shows of a run is the same (NaN equals NaN).
bool sameRow(const RunRow& a, const RunRow& b);
/// It failed because a number became NaN or infinite. Runs of the first schema kept the sentence alone.
bool failedByNan(const RunRow& row);

} // namespace sconce::ui
