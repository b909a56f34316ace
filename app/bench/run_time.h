// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
// A whole training as a person starts it: `sconce train` in a process of its own, from its start to its test. The calling thread waits.

#include "app/bench/benches.h"

namespace sconce::bench {

/// Seconds of the training steps that see so many samples in all; `more` has "accuracy" (test, 0…1), and "process_seconds" from a cold
/// start to the end. The run is kept in that store. Errors say what the program said last.
Result<Measured> measureRun(const std::string& recipeFile, const std::string& data, const std::string& storeFolder, int seed, std::int64_t samples, const KeepGoing& keepGoing);

} // namespace sconce::bench
