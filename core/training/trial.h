// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
// A few steps of a recipe outside of a run: what the finders and the profile have in common. Everything is as the
// trainer would have it (data, split, order, device, threads, weights to start from), but nothing is kept.

#include "core/engine/session.h"
#include "core/formats/safetensors.h"
#include "core/history/store.h"

namespace sconce {

/// What is tried: a recipe and its data. The folder is that of the store, where the weights lie that a recipe may start from.
struct TrialSource
{
    Recipe recipe;
    DatasetPtr data;
    std::string storeFolder;
    bool record = false; ///< on a GPU: whether a recorded step is tried, as in a run; too short a trial does not gain, and its memory would be taken for the network's
};

/// The recipe with the data that `train` would take: an explicit path, or the recipe's own.
Result<TrialSource> trialSource(Store& store, Recipe recipe, const std::string& dataPath);

class Trial
{
  public:
    /// Invalid for a recipe that could not be trained; the sentence is that of its first problem.
    static Result<std::unique_ptr<Trial>> open(TrialSource source);

    ~Trial(); ///< gives back what the engine kept for it

    Session& session() { return *m_session; }
    const Recipe& recipe() const { return m_recipe; } ///< its device is resolved
    const Plan& plan() const { return m_plan; }       ///< as lowered, before any pass
    const SplitRows& rows() const { return m_rows; }
    std::int64_t trainingCount() const { return static_cast<std::int64_t>(m_rows.training.size()); }
    /// The recipe's batch, at most all samples.
    std::int64_t batchSize() const;
    /// Samples of a step (0-based) of batches of that size, in the trainer's order; only whole batches.
    std::vector<std::int64_t> batch(int step, std::int64_t size) const;
    /// A step of the recipe's batch has failed. True where it may be made again: memory ran out, and from now on fewer samples go through the network at
    /// once, as in a run.
    bool makeRoom(const Error& error);
    /// Where memory ran out, for the person: how many samples now go through the network at once. Else empty.
    const std::string& notice() const { return m_notice; }

  private:
    Trial() = default;
    Recipe m_recipe;
    Plan m_plan;
    DatasetPtr m_data;
    SplitRows m_rows;
    std::unique_ptr<Session> m_session;
    std::int64_t m_atOnce = 0; ///< samples; 0: the whole batch
    std::string m_notice;
};

} // namespace sconce
