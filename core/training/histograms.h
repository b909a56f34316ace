// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
// How the numbers of a run's network are spread: asked of its trainer while it goes on, or read from what it has saved. Any thread.

#include "core/run/protocol.h"

namespace sconce {

/// Weights, gradients and outputs at the next step of a run under way, through the socket in its folder. Waits for that step. NotFound
/// where nobody trains it, Busy where the answer takes longer than `timeoutSeconds`.
Result<HistogramsTaken> askForHistograms(const std::string& runFolder, const RunId& run, double timeoutSeconds);

/// The weights of a run's newest checkpoint, or of its best one; running statistics are left out. NotFound where there is none.
Result<HistogramsTaken> savedHistograms(const std::string& runFolder, bool best);

} // namespace sconce
