// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
// What checkpoints cost a run: a recipe trained for so many steps through the whole trainer and its history. Used on the thread that
// measures, which the run takes over until it has ended.

#include "app/bench/benches.h"

namespace sconce::bench {

/// Mean time of a step in milliseconds, by the run's own clock, so that what waits is in it; with a checkpoint `every` so many steps, or
/// none (0). The run is made in the store in that folder, and deleted. `more` has how many there were and what each took to write; and in
/// processor time, which neighbours on the machine do not change, what each took of the training thread and of the one that writes, and
/// what a step took of the history's (null where the system does not say).
Result<Measured> measureCheckpoints(Recipe recipe, const std::string& data, const std::string& storeFolder, std::int64_t every, std::int64_t warm, std::int64_t steps, const KeepGoing& keepGoing);

} // namespace sconce::bench
