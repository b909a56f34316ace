// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
// What a run is: its states, what it ends with, and the changes made to it while it went on.

#include "core/base/clock.h"
#include "core/base/ids.h"
#include "core/base/json.h"

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace sconce {

enum class RunStatus { Queued, Running, Paused, Finished, Stopped, Interrupted, Failed };
const char* statusName(RunStatus status); ///< "queued", "running", …
std::optional<RunStatus> statusFromName(std::string_view name);

/// A change to a live field of a recipe: path, old and new value, and the step from which it holds.
struct Amendment
{
    std::int64_t step = 0;
    std::string path; ///< "/training/epochs"
    Json before, after;
};

/// Values of metrics other than accuracy, by part and metric: "train_mae", "val_r2", "test_mae", "best_val_mae".
using MetricMap = std::map<std::string, double>;
Json metricsToJson(const MetricMap& metrics);
MetricMap metricsFromJson(const Json& json); ///< what is no number is left out

/// Where a run stands or ended. Numbers that are not known are NaN or -1; JSON writes them as null.
struct RunSummary
{
    std::int64_t epochs = 0; ///< completed
    std::int64_t steps = 0;
    double trainLoss, trainAccuracy, valLoss, valAccuracy, testLoss, testAccuracy;
    double bestValLoss, bestValAccuracy;
    MetricMap metrics;                ///< what the task has besides accuracy
    std::int64_t bestEpoch = -1;      ///< 1-based
    double seconds = 0;               ///< of training, over all attempts, pauses left out
    double samplesPerSecond = 0;      ///< training steps only
    std::string checkpoint;           ///< folder of the last one
    RunSummary();
    /// part: "train", "val", "test", "best_val"; id: "accuracy", "mae", … NaN where it is not known.
    double metric(std::string_view part, std::string_view id) const;
    Json toJson() const;
    static RunSummary fromJson(const Json& json);
};

} // namespace sconce
