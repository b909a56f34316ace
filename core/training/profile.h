// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
// The profile of a few steps: where a training step's time goes, by layer and by kind of operation, and its trace for the usual viewers.
// A fresh copy of the network is trained for some steps outside of any run; nothing is kept. Any thread, one at a time per call.

#include "core/engine/look.h"
#include "core/history/store.h"

#include <functional>

namespace sconce {

struct ProfileOptions
{
    int steps = 20;      ///< measured, 1 to 1000
    int warmUp = 5;      ///< before them: memory is laid out, caches fill, clocks rise
    std::string storeFolder = {}; ///< where the weights lie that the recipe starts from, if it does
};

/// One line of a table: a layer, a block of layers that runs fused, an operation, or a part of the step that is none of these. Times are
/// medians over the steps, in seconds a step.
struct ProfileRow
{
    std::string id;    ///< of layers "l3" ("l3+l4" fused), of operations "conv"; "data", "loss", "optimiser" are the same in both tables
    std::string title; ///< for the person: "conv1", "conv1 + pool1 (fused)", "convolution"
    double forward = 0;  ///< also what is neither forward nor backward: data, optimiser
    double backward = 0; ///< with what is computed a second time on the way
    int count = 0;       ///< stretches of time a step that this is the sum of
    double seconds() const { return forward + backward; }
};

struct Profile
{
    int steps = 0;
    std::int64_t batch = 0;
    double stepSeconds = 0;  ///< median of whole steps
    double slowest = 0, fastest = 0;
    std::vector<ProfileRow> layers;     ///< in the order of the plan, then data, loss, optimiser
    std::vector<ProfileRow> operations; ///< the most expensive first
    double rest = 0;                    ///< what a step takes beyond the rows of a table: the engine's own work between the parts
    /// All rows of a table and the rest. Within one step they are the step; as each figure is the median of its own, over several steps
    /// that vary it may differ from stepSeconds.
    double together(const std::vector<ProfileRow>& rows) const;
    std::uint64_t peakBytes = 0; ///< of a step's memory, as StepProfile has it
    std::string clock, device;   ///< "processor"; "cpu"
    std::string notice;          ///< for the person: that memory ran out, and what was done; mostly empty
    std::string trace;           ///< the Chrome trace of the measured steps: JSON, as chrome://tracing, Perfetto and Speedscope open it
};

/// Called after each step, warm-up too; false ends it (Cancelled).
using ProfileProgress = std::function<bool(int done, int total)>;

/// Invalid for a recipe that could not be trained.
Result<Profile> profileSteps(const Recipe& recipe, DatasetPtr data, const ProfileOptions& options, const ProfileProgress& progress);
/// The same with the data that `train` would take: an explicit path, or the recipe's own.
Result<Profile> profileSteps(Store& store, Recipe recipe, const std::string& dataPath, const ProfileOptions& options, const ProfileProgress& progress);

// ---- apart, for tests; pure ----
/// What steps say together. Names are by layer id.
Profile readProfile(const std::vector<StepProfile>& steps, const std::map<LayerId, std::string>& names, const std::vector<LayerId>& order);
/// One process with one line of nested stretches, in microseconds from the first step on.
std::string traceOf(const std::vector<StepProfile>& steps, const std::map<LayerId, std::string>& names);

} // namespace sconce
