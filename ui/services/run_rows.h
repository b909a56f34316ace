// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
// Comparing rows of the run list, so that views are told only what changed.

#include "core/history/store.h"

namespace sconce::ui {

/// Everything that a view shows of a run is the same (NaN equals NaN).
bool sameRow(const RunRow& a, const RunRow& b);

} // namespace sconce::ui
