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
    std::int64_t parameters = 0;     ///< includes those of its branches
    Cost cost;                       ///< includes that of its branches
    std::vector<int> receptiveField; ///< of the input seen by one output, per spatial axis; empty where meaningless
};

struct StackReport
{
    std::vector<LayerReport> layers; ///< in visitLayers order
    std::unordered_map<LayerId, std::size_t> byId;
    std::optional<ValueType> output; ///< of the whole stack, if it has no problem
    std::int64_t parameters = 0;     ///< up to the first problem
    Cost cost;
    bool ok() const { return output.has_value(); }
};

StackReport analyse(const Stack& stack, const ValueType& input);

/// The plan of a stack without problems; Invalid with the first problem's sentence otherwise.
Result<Plan> lower(const Stack& stack, const ValueType& input);

} // namespace sconce
