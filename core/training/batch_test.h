// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
// The largest batch that fits into the device's memory. Real steps of a fresh copy of the network are made, each with twice the batch of
// the one before, until one does not fit; then between the two. On a GPU a step that does not fit is refused by the device and leaves no
// trace. On the CPU memory that is not there would get the process killed, not refused: there a step is made only if the forecast, held
// against the steps measured before it, says that it fits. Nothing is kept. Any thread, one at a time per call.

#include "core/history/store.h"

#include <functional>

namespace sconce {

struct BatchTestOptions
{
    std::uint64_t memory = 0;     ///< bytes that may be filled; 0: on the CPU nine tenths of what is free now, on a GPU what it has
    std::string storeFolder = {}; ///< where the weights lie that the recipe starts from, if it does
};

struct BatchTrial
{
    std::int64_t batch = 0;
    bool made = false;       ///< a real step; else the forecast alone has spoken
    bool fits = false;
    std::uint64_t bytes = 0; ///< made: measured at the step's fullest moment; else as forecast; 0: refused by the device
    double seconds = 0;      ///< made and fits: how long the step took
};

struct BatchTest
{
    std::vector<BatchTrial> trials;  ///< in their order
    std::int64_t largest = 0;        ///< the largest that was made and fits
    bool allOfTheData = false;       ///< it is as large as is worth trying: memory is not the limit
    std::int64_t suggestion = 0;     ///< a power of two, or below 8 any number: not above `largest`, and no more than a tenth of the samples
    std::uint64_t memory = 0;        ///< the limit; 0: the device's own
    std::string how;                 ///< what was done, for the person
    std::string text;                ///< what came of it, with the learning rate that would go with it
};

/// Called after each trial; false ends the test (Cancelled).
using BatchTestProgress = std::function<bool(const BatchTrial& trial)>;

/// Invalid for a recipe that could not be trained; OutOfMemory where not even one sample fits.
Result<BatchTest> testBatches(const Recipe& recipe, DatasetPtr data, const BatchTestOptions& options, const BatchTestProgress& progress);
/// The same with the data that `train` would take: an explicit path, or the recipe's own.
Result<BatchTest> testBatches(Store& store, Recipe recipe, const std::string& dataPath, const BatchTestOptions& options, const BatchTestProgress& progress);

// ---- apart, for tests; pure ----
/// Doubles from `first` while `fits` says so, then halves the space between; every size but powers of two times `first` is a multiple of 8.
/// The largest that fits, at most `most`; 0 if not even 1 does.
Result<std::int64_t> largestThatFits(std::int64_t first, std::int64_t most, const std::function<Result<bool>(std::int64_t batch)>& fits);
std::int64_t suggestedBatch(std::int64_t largest, std::int64_t samples);

} // namespace sconce
