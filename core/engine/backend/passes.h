// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
// Passes over the plan (rule 3): what is done with it before it runs. Each takes a plan and gives one that computes the
// same function, or notes beside it how to compute it. They are run once, in Session::open(), and what they chose is
// listed in Session::choices(). Private to the engine; no torch here.

#include "core/model/primitives.h"

#include <optional>
#include <vector>

namespace sconce::engine {

/// What the plan's last value is, as seen by the loss.
enum class OutputKind { Raw, Probabilities, LogProbabilities, Sigmoid };

/// What a loss has in itself of a network's end.
enum class FinalStep { None, Softmax, Sigmoid };

/// Consecutive steps that one kernel runs (conv_pool.h). The plan keeps them: a fusion only says how they are computed.
struct Fusion
{
    enum class Kind {
        ConvPool, ///< convolution of the network's input, max pooling, activation: all in one pass over the picture
        Pool,     ///< max pooling and activation
        BiasPool, ///< the same behind a convolution, whose bias is added to the pooled map, a quarter as large
    } kind = Kind::Pool;
    int steps = 1;
    double slope = 1; ///< of the activation for negative numbers: 0 ReLU, 1 no activation
};

/// A plan ready to run.
struct ExecutionPlan
{
    Plan plan;                                 ///< after rewriting
    OutputKind outputKind = OutputKind::Raw;   ///< a final softmax (or sigmoid) is taken off and joined to the loss
    bool channelsLast = false;                 ///< two-dimensional maps lie as N×H×W×C in memory
    std::vector<char> inPlace;                 ///< per step: may overwrite its only input
    std::vector<std::vector<ValueIndex>> dead; ///< per step: values that nobody reads after it
    int poolsMoved = 0;                        ///< activations moved behind a max pool
    std::vector<std::optional<Fusion>> fusions; ///< per step: what begins there
};

struct PassOptions
{
    bool channelsLast = true; ///< wanted where the plan has two-dimensional maps
    bool fuse = true;         ///< wanted where there are kernels for it: CPU, channels-last
    FinalStep joined = FinalStep::Softmax; ///< what the loss does itself
};

/// All passes in their order.
ExecutionPlan prepare(Plan plan, const PassOptions& options);

// ---- the passes, apart for tests ----
/// max pool(activation(x)) → activation(max pool(x)) where the activation never falls: the same numbers, with the
/// activation done on a quarter of the map. Gives the number of moves.
int moveActivationsBehindMaxPools(Plan& plan);
/// Takes a final softmax off, so that the loss sees its input (log-softmax and loss in one are exact where the
/// probability underflows).
OutputKind takeOffFinalSoftmax(Plan& plan);
/// The same for a sigmoid and binary cross-entropy.
OutputKind takeOffFinalSigmoid(Plan& plan);
/// Which steps may work in place: monotone activations whose producer does not need its own result for the backward pass.
std::vector<char> markInPlace(const Plan& plan);
std::vector<std::vector<ValueIndex>> markDead(const Plan& plan);
/// Blocks of convolution, 2×2 max pooling and ReLU (or leaky ReLU) that the fused kernels know.
std::vector<std::optional<Fusion>> findFusions(const Plan& plan);
/// True if some value has two spatial axes and some step gains from channels-last.
bool gainsFromChannelsLast(const Plan& plan);

} // namespace sconce::engine
