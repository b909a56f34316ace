// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
// The learning-rate range test (L. N. Smith, "Cyclical Learning Rates for Training Neural Networks", 2015): a network fresh from
// its seed (or from the weights that the recipe starts from) is trained for some steps at a rate that grows from step to step; where its loss falls fastest is a good rate, and
// where it begins to rise is too much. Nothing is kept: no run, no weights. Any thread, one at a time per call.

#include "core/history/store.h"

#include <functional>
#include <optional>
#include <string>
#include <vector>

namespace sconce {

struct RateTestOptions
{
    double lowest = 1e-6, highest = 10; ///< 0 < lowest < highest
    int steps = 120;                    ///< at least 10; spread evenly over the logarithm of the rate
    std::string storeFolder = {};       ///< where the weights lie that the recipe starts from, if it does
};

struct RateTestPoint
{
    double rate = 0, loss = 0;
    double smoothed = 0; ///< under way a running average; at the end an average over the neighbours on both sides
};

struct RateTest
{
    std::vector<RateTestPoint> points;  ///< ends early where the loss has grown to four times its lowest, or is no number any more
    std::optional<double> suggestion;   ///< none where the loss never fell
    std::optional<double> limit;        ///< where it was lowest: larger rates make it worse
    std::string text;                   ///< for the person
};

/// Called after each step; false ends the test (Cancelled).
using RateTestProgress = std::function<bool(const RateTestPoint& point, int done)>;

/// What points, lowest rate first, say. Their `smoothed` is filled in. Pure.
RateTest readRateTest(std::vector<RateTestPoint> points);

/// Makes the test with the recipe's own batches, optimiser and device (its learning rate and schedule are not used). Invalid for a
/// recipe that could not be trained.
Result<RateTest> testRates(const Recipe& recipe, DatasetPtr data, const RateTestOptions& options, const RateTestProgress& progress);
/// The same with the data that `train` would take: an explicit path, or the recipe's own.
Result<RateTest> testRates(Store& store, Recipe recipe, const std::string& dataPath, const RateTestOptions& options, const RateTestProgress& progress);

} // namespace sconce
