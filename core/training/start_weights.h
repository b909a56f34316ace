// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
// Starting from weights there are: of a run of the store, or of a .safetensors file. What is to be started from is copied into the
// store once, by its SHA-256, and into the folder of every run that starts from it; the recipe knows its name and its SHA-256,
// never a path. Any thread.

#include "core/engine/session.h"
#include "core/formats/safetensors.h"
#include "core/history/store.h"
#include "core/model/primitives.h"

namespace sconce {

/// What a recipe says of it (training option group "start").
struct StartWeights
{
    std::string title;  ///< "#27 mnist-convnet, step 4,220", "resnet.safetensors"
    std::string sha256; ///< of the file
    bool onlyWhatFits = false;
    bool any() const { return !sha256.empty(); }
};
StartWeights startWeightsOf(const TrainingSettings& training);
void setStartWeights(TrainingSettings& training, const StartWeights& start); ///< without any: from random numbers again

/// Copies weights into the store: of a file (its path), or the newest of a run (as Store::findRun takes it). NotFound, Corrupt,
/// DiskFull … with a sentence.
Result<StartWeights> takeStartWeights(Store& store, const std::string& runOrFile);

/// How weights fit a network, by names and shapes.
struct WeightsFit
{
    std::vector<std::string> taken;   ///< names
    std::vector<std::string> missing; ///< the network has them, the weights do not, or in another shape: "dense1.weight (10×64 here, 4×64 there)"
    std::vector<std::string> unused;  ///< the weights have them, the network does not
    bool whole() const { return missing.empty() && unused.empty(); }
};
WeightsFit fitOf(const Plan& plan, const SafetensorsFile& weights);
WeightsFit fitOf(std::span<const HostTensor> model, const SafetensorsFile& weights); ///< parameters and buffers as Session::weights() gives them
std::string fitText(const WeightsFit& fit); ///< what does not fit, in sentences with a space before each; empty if all does

/// Checks that the recipe's weights are in the store and fit the plan. Nothing to start from: all is well. Invalid names what does
/// not fit, unless the recipe takes only what fits.
Result<void> checkStartWeights(Store& store, const TrainingSettings& training, const Plan& plan);
/// Puts them into the run's folder.
Result<void> keepStartWeights(Store& store, const TrainingSettings& training, const std::string& runFolder);
/// Those of the run's folder, their SHA-256 verified.
Result<SafetensorsFile> openStartWeights(const TrainingSettings& training, const std::string& runFolder);
/// Those of the store in that folder, their SHA-256 verified: for steps that are no run.
Result<SafetensorsFile> openStoredWeights(const std::string& storeFolder, const TrainingSettings& training);
/// Gives a session what fits of them, in place of its random numbers. What did not fit, in sentences; Invalid where all had to.
Result<std::string> adoptStartWeights(Session& session, const TrainingSettings& training, const SafetensorsFile& weights);

} // namespace sconce
