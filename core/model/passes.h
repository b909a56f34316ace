// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
// Passes over the plan (rule 3): what is done with it before it runs. Each takes a plan and gives one that computes the
// same function, or notes beside it how to compute it. The engine runs them once, in Session::open(), and what they chose is
// listed in Session::choices(); the forecast of memory walks what they give, so both speak of the same thing. Pure functions.

#include "core/model/primitives.h"

#include <optional>
#include <string>
#include <vector>

namespace sconce {

/// Filters, or channels of a pooled map, of a fused block are a multiple of this (the engine's kernels work in such blocks).
inline constexpr int fusedBlockOf = 16;
/// Up to so many positions attention is made in one piece, where the width of a head is a multiple of fusedBlockOf too: measured there, it
/// takes half the time of torch's, whose blocks are made for long texts.
inline constexpr int fewPositions = 256;

/// What the plan's last value is, as seen by the loss.
enum class OutputKind { Raw, Probabilities, LogProbabilities, Sigmoid };

/// What a loss has in itself of a network's end.
enum class FinalStep { None, Softmax, Sigmoid };

/// Consecutive steps that one kernel of the engine runs (conv_pool.h). The plan keeps them: a fusion only says how they are computed.
struct Fusion
{
    enum class Kind {
        ConvPool,     ///< convolution of the network's input, max pooling, activation: all in one pass over the picture
        DeepConvPool, ///< the same further down: 3×3, many channels, and the gradient goes on
        WindowConv,   ///< a 3×3 convolution of many channels alone
        Pool,         ///< max pooling and activation
        BiasPool,     ///< the same behind a convolution, whose bias is added to the pooled map, a quarter as large
        Attention,    ///< over few positions: softmax and products of a head together
    } kind = Kind::Pool;
    int steps = 1;
    double slope = 1; ///< of the activation for negative numbers: 0 ReLU, 1 no activation
};

/// True if torch has no part in it, so that all of it is computed in float32.
bool runsWhole(const Fusion& fusion);

/// Steps [first, last) that keep nothing for the backward pass, which computes them again: from one value to one value.
struct Segment
{
    int first = 0, last = 0;
    bool operator==(const Segment&) const = default;
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
    std::vector<DType> computes;               ///< per step: what its arithmetic is done in; its operands are cast to that (symbols never)
    std::vector<Segment> segments;             ///< in order, apart from each other; used while training only
    std::vector<DType> types;                  ///< per value: what it is kept in, that of the step that made it
};

struct PassOptions
{
    bool channelsLast = true; ///< wanted where the plan has two-dimensional maps
    bool poolsFirst = true;   ///< ReLU behind max pools, a quarter of the work; fused blocks with a ReLU need it
    bool fuse = true;         ///< wanted where there are kernels for it: CPU, blocks of pictures channels-last
    bool attention = true;    ///< of those, attention over few positions, which has no layout
    bool deep = true;         ///< of those, also blocks and convolutions of many channels
    DType products = DType::F32; ///< what convolutions and matrix products compute in: F32, BF16 or F16
    std::optional<std::vector<std::string>> only; ///< of those, the ones with these weights; nothing: all
    bool recompute = false;   ///< segments are wanted where they save memory
    bool poolsFollow = false; ///< max pooling and attention take what comes: right on a GPU; a CPU does float32 faster
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
/// deep: also those of many channels; windows: also 3×3 convolutions that no pool follows.
std::vector<std::optional<Fusion>> findFusions(const Plan& plan, bool deep = true, bool windows = true);
/// Adds attention over few positions that drops nothing, as the engine's kernel knows it.
void findShortAttention(const Plan& plan, std::vector<std::optional<Fusion>>& fusions);
/// Per step, what it computes in: products as asked, what only moves or selects numbers (a GPU: attention) as its inputs are, all else
/// (norms, sums, pooling, dropout, embeddings, the loss behind them) float32. So are blocks that the fused kernels run whole.
std::vector<DType> chooseTypes(const Plan& plan, const std::vector<std::optional<Fusion>>& fusions, const PassOptions& options);
/// Steps before which a single value is alive that nothing overwrites: where a segment may begin or end. The first and the end are among
/// them.
std::vector<int> findCuts(const ExecutionPlan& execution);
/// The segments whose forgetting makes the fullest moment of a step emptiest, by stepMemory(); none where that would not save a
/// twentieth. What lies behind the last one is kept: the backward pass begins there.
std::vector<Segment> chooseSegments(const ExecutionPlan& execution);
/// Of the multiply-adds of a training step, those that the segments add.
double recomputedShare(const ExecutionPlan& execution);
/// A convolution or matrix product: what chooseTypes() may cast. Its weight, or `none`.
ParamIndex productWeight(const Operation& op);
/// True if training draws masks for it.
bool dropsAnything(const Plan& plan);
/// True if some value has two spatial axes and some step gains from channels-last.
bool gainsFromChannelsLast(const Plan& plan);

} // namespace sconce
