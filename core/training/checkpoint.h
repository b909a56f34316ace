// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
// Checkpoints: a folder step-000000422/ with weights.safetensors, optimiser.safetensors and manifest.json (sizes, SHA-256,
// step, epoch, position in the epoch, counters of policies, recipe, choices, versions). Complete or not there at all
// (core/base/files.h: StagedFolder); verified on load; the newest valid one is found by scanning, never by a pointer.

#include "core/base/tensor_view.h"
#include "core/formats/safetensors.h"
#include "core/recipe/task.h"
#include "core/run/run.h"

#include <optional>
#include <span>
#include <string>
#include <vector>

namespace sconce {

/// The memory of early stopping.
struct StoppingState
{
    std::optional<double> best; ///< of the watched number
    std::int64_t waited = 0;    ///< epochs without a gain
};

/// Everything besides tensors that an exact continuation needs (rules 6–9).
struct TrainerState
{
    std::int64_t step = 0;            ///< steps committed
    std::int64_t epoch = 0;           ///< epochs completed
    std::int64_t stepInEpoch = 0;     ///< committed in the epoch under way
    double epochLossSum = 0;          ///< of the epoch under way: loss × samples
    MetricSums epochSums;             ///< of the epoch under way
    std::int64_t epochsPlanned = 0;   ///< after amendments
    RunSummary summary;
    double secondsTrained = 0;        ///< pauses left out
    double stepSeconds = 0;           ///< spent in training steps only
    std::int64_t samplesTrained = 0;  ///< in those
    double epochStartSeconds = 0;     ///< secondsTrained when the epoch under way began
    double epochStepSeconds = 0;      ///< stepSeconds of the epoch under way
    double lastSavedSeconds = 0;
    Json choices;                     ///< automatic choices, reused on resume
    std::vector<Amendment> amendments;
    bool tested = false;              ///< the test at the end has been made
    PlateauState plateau;
    StoppingState stopping;
    std::string endedBecause;         ///< empty, "early" or "time": no more epochs although more were planned
    double limitFromSeconds = 0;      ///< secondsTrained from which the time limit counts: a person may have overruled it
    std::int64_t skippedSteps = 0;    ///< whose gradients overflowed float16: counted among the steps, but nothing was learnt
    bool restoredBest = false;        ///< the weights are those of the best epoch, as early stopping was asked to leave them
    double rateFactor = 1;            ///< what going back after a NaN has left of the learning rate
    std::int64_t timesBack = 0;       ///< how often the run went back after a NaN
    std::int64_t backFrom = -1, backTo = -1; ///< the last time: the step that went wrong, and that of the checkpoint

    Json toJson() const;
    static Result<TrainerState> fromJson(const Json& json);
};

struct Checkpoint
{
    std::string path;
    TrainerState state;
    Recipe recipe;
    std::string reason;
    WallMs time = 0;
    bool best = false;
};

/// Writes checkpoints/step-N (or checkpoints/best) below a run folder; returns its path. Old ones beyond keepLast are removed only
/// after the new one is in place. DiskFull, with nothing written, where there is not enough room. No optimiser tensors: no such file.
Result<std::string> saveCheckpoint(const std::string& runFolder, const TrainerState& state, const Recipe& recipe, std::span<const HostTensor> weights,
                                   std::span<const HostTensor> optimiser, const std::string& reason, bool best, int keepLast);

/// Every complete checkpoint of a run but the best, newest first (by step); manifests only, contents not verified.
std::vector<Checkpoint> listCheckpoints(const std::string& runFolder);
/// Removes what a killed trainer left half-written. Only for who holds the run's owner lock.
void removeStaleStaging(const std::string& runFolder);
/// The newest whose files verify; NotFound if none. Damaged ones are skipped and named in `skipped`; one that is only out of reach
/// (TooNew, Permission, OutOfMemory) is the error, since an older one in its place would cost the work in between.
Result<Checkpoint> newestValidCheckpoint(const std::string& runFolder, std::vector<std::string>* skipped = nullptr);
Result<Checkpoint> bestCheckpoint(const std::string& runFolder);
Result<Checkpoint> readCheckpoint(const std::string& folder); ///< verifies sizes and hashes
Result<SafetensorsFile> openWeights(const Checkpoint& checkpoint);
Result<SafetensorsFile> openOptimiser(const Checkpoint& checkpoint);

} // namespace sconce
