// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
// The list of all layers, what a stack makes of an input (shapes, parameters, cost, problems per layer: what the Compose
// page shows as one types), and its lowering into a plan. Pure functions, no tensors; any thread. 200 layers take well
// under a frame.

#include "core/model/layer_entry.h"

#include <span>
#include <unordered_map>

namespace sconce {

/// All entries in palette order.
std::span<const LayerEntry> layerCatalogue();
/// nullptr if there is none of that id.
const LayerEntry* findLayerEntry(std::string_view id);
/// A layer with this type's defaults, a fresh id and name, and (for blocks) its smallest number of branches.
Layer makeLayer(const Stack& stack, const std::string& type);

/// What is known about one layer of a stack.
struct LayerReport
{
    LayerId id;
    std::string path;                ///< "/layers/3"
    int index = 0;                   ///< 1-based position within its own stack
    int depth = 0;                   ///< of nesting
    std::optional<ValueType> input;  ///< unknown behind a problem
    std::optional<ValueType> output;
    std::optional<LayerProblem> problem;
    std::string sentence;            ///< the problem in words: "Dense (layer 6) expects one row of numbers, but Dropout (layer 5) gives 64×5×5."
    std::string brief;               ///< for its card: "expects one row of numbers, gets 64×5×5"
    bool assumed = false;            ///< its input is a guess made behind a problem: parameters and cost are not known
    std::int64_t parameters = 0;     ///< includes those of its branches
    Cost cost;                       ///< includes that of its branches
    std::vector<int> receptiveField; ///< of the input seen by one output, per spatial axis; empty where meaningless
};

struct StackReport
{
    std::vector<LayerReport> layers; ///< in visitLayers order
    std::unordered_map<LayerId, std::size_t> byId;
    std::optional<ValueType> output; ///< of the whole stack, if it has no problem
    std::optional<ValueType> assumedOutput; ///< the same, or what it would most likely be in spite of problems
    std::int64_t parameters = 0;     ///< up to the first problem
    Cost cost;
    bool ok() const { return output.has_value(); }
};

/// "Dense (layer 6)", "Conv 2D (layer 2 of res1)": how problems call a layer.
std::string layerCalled(const LayerReport& report, const Stack& stack);

StackReport analyse(const Stack& stack, const ValueType& input);

/// The plan of a stack without problems; Invalid with the first problem's sentence otherwise.
Result<Plan> lower(const Stack& stack, const ValueType& input);

} // namespace sconce
