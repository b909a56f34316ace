// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
// The built-in benches: what each measures, and how it is done. `sconce bench` and the scripts of tests/bench take turns between the
// contestants that a bench has; a peer in another program (app/bench/peer.h) is one more. Used on the thread that measures; a
// contestant's work runs on a thread of its own, as training does in the programs.

#include "app/bench/made_data.h"
#include "core/base/json.h"
#include "core/recipe/recipe.h"

#include <functional>
#include <optional>
#include <span>
#include <vector>

namespace sconce::bench {

/// What one bench does, and its usual measures.
struct BenchEntry
{
    std::string id;    ///< "b1"
    std::string title; ///< "Training step of the reference convnet"
    std::string help;  ///< a sentence: what it tells
    std::string unit;  ///< of its figures: "ms/step", "µs/batch"; empty where they differ
    int rounds = 5;
    std::int64_t warm = 0, steps = 0;  ///< of one measurement: first steps that do not count, and those that do
    bool wholeRuns = false;            ///< trains to the end and looks at the accuracy; needs real data
    bool trains = false;               ///< training steps of a recipe: it has a precision, and settings that --set changes
    std::string peer = {};             ///< the peer's script: "b1.py"; empty: there is none
    std::vector<std::string> modes = {}; ///< of the peer; one called "bf16" computes in bfloat16, all others in float32
    std::vector<std::string> usualModes = {};
    std::string device = "cpu";
};

/// floor, b1, b1gpu, b2, b4, b5, b6, augment, checkpoints, edits, step.
std::span<const BenchEntry> benchEntries();
const BenchEntry* findBench(std::string_view id);

struct BenchSettings
{
    std::string data;      ///< path as for `train --data`; empty: made
    std::string recipe;    ///< of “step”: a starter or a file
    std::vector<std::string> set; ///< "/json/path=value"
    std::string precision = "float32";
    int threads = 1;
    std::int64_t batch = 0, warm = 0, steps = 0; ///< batch 0: the recipe's
    std::int64_t every = 50; ///< of “checkpoints”: steps from one to the next
    int epochs = 1;          ///< of “b2”
    std::string device = "cpu"; ///< of training steps: "cpu" or "cuda:N"
};

/// One measurement, in the contestant's unit. The spread within it is between the tenth and the ninetieth part of its steps.
struct Measured
{
    double median = 0, mean = 0, p10 = 0, p90 = 0;
    Json more = Json::object(); ///< for --json: loss, choices …
};
/// Of single times in seconds; `scale` makes the unit of it.
Measured measuredFrom(std::vector<double> seconds, double scale);

/// Asked between steps; false ends the measurement (Cancelled).
using KeepGoing = std::function<bool()>;

struct Contestant
{
    std::string name;  ///< "Sconce", "Sconce bf16", "torch tuned"
    std::string unit;
    std::string group; ///< who is compared with whom: "float32", "bf16"
    bool ours = true;
    std::function<Result<Measured>(int round, const KeepGoing&)> measure; ///< rounds count from 1
};

/// A bench ready to be run.
struct Bench
{
    std::vector<Contestant> contestants; ///< ours; at least one
    std::string what;           ///< "batch 128, 2 threads"
    std::string data;           ///< for the person: what is read
    std::string dataPath;       ///< for the peer
    double flopPerStep = 0;     ///< 0: there is no arithmetic floor
    double floorScale = 1e3;    ///< seconds → unit
    std::int64_t batch = 0;     ///< 0: it has none
    std::shared_ptr<ScratchFolder> scratch; ///< where data was made; may be null
};

/// `groups`: the precisions in which ours is measured, settings.precision among them.
Result<Bench> openBench(const BenchEntry& entry, const BenchSettings& settings, const std::vector<std::string>& groups);

/// Floating-point operations of a training step: forward, and backward but for the gradient of the network's input.
Result<double> flopPerStep(const Recipe& recipe, const ValueType& input);

} // namespace sconce::bench
