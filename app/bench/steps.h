// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
// Training steps of a recipe and batches of its data, timed one by one outside of any run. Each call makes a fresh network.

#include "app/bench/benches.h"
#include "core/data/dataset.h"

namespace sconce::bench {

/// Steps in the trainer's order: shuffled rows, forward, backward, commit, the metrics every few steps. In milliseconds; `more` has the
/// loss and the session's choices. Invalid for a recipe that could not be trained.
Result<Measured> measureSteps(const Recipe& recipe, DatasetPtr data, std::int64_t warm, std::int64_t steps, const KeepGoing& keepGoing);

/// What a batch costs before the first layer sees it: its place in the epoch's order, the rows gathered, scaled to floats in the layout of
/// the network, and the classes; the pictures changed on the way where they are to be. In microseconds.
Result<Measured> measureFeed(DatasetPtr data, const Augmentation& how, std::int64_t batch, int threads, std::int64_t warm, std::int64_t batches, const KeepGoing& keepGoing);

} // namespace sconce::bench
