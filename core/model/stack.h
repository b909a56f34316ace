// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
// The stack a person composes: layers in order, blocks that hold stacks of their own. A value: equality, copy, JSON.
// Nothing here knows what a layer means; that is the catalogue's.

#include "core/base/ids.h"
#include "core/base/parameters.h"

#include <functional>
#include <string>
#include <string_view>
#include <vector>

namespace sconce {

struct Stack;

struct Layer
{
    LayerId id;         ///< stable, unique in the recipe
    std::string type;   ///< id of its LayerEntry: "conv2d"
    std::string name;   ///< as shown and as the prefix of its parameters: "conv2"; unique among all layers
    ParamValues params; ///< what differs from the entry's defaults
    std::vector<Stack> branches; ///< blocks only: Residual has one, Parallel several
    bool frozen = false;    ///< training leaves its weights and statistics alone, and those of all that it holds
    double rateFactor = 1;  ///< 0…100, of the learning rate, for its weights; those of what it holds multiply theirs
    bool operator==(const Layer&) const;
};

struct Stack
{
    std::vector<Layer> layers;
    bool operator==(const Stack&) const = default;
};

/// How training treats a layer, the same for every kind: "frozen" and "rate_factor", edited and written like its own settings.
const std::vector<ParamDescriptor>& layerTrainingParams();
/// Their values where they differ from the default.
ParamValues layerTrainingValues(const Layer& layer);
/// False if the id is none of theirs.
bool setLayerTraining(Layer& layer, std::string_view id, const ParamValue& value);

/// Deepest nesting of blocks accepted anywhere.
inline constexpr int maxBlockDepth = 16;
/// Most layers accepted in one recipe.
inline constexpr int maxLayers = 2000;

/// Visits every layer in order, blocks before what they hold. `path` is a JSON pointer below the recipe's "/layers".
void visitLayers(const Stack& stack, const std::function<void(const Layer&, const std::string& path, int depth)>& visit);
const Layer* findLayer(const Stack& stack, const LayerId& id);
Layer* findLayer(Stack& stack, const LayerId& id);
std::string pathOfLayer(const Stack& stack, const LayerId& id);

/// The next free id ("l8") and a name from the type that nobody has ("conv3").
LayerId freshLayerId(const Stack& stack);
std::string freshLayerName(const Stack& stack, const std::string& type);
/// A copy with new ids and names everywhere (duplicate, paste).
Layer withFreshIds(const Stack& stack, const Layer& layer);

Json stackToJson(const Stack& stack);
/// Reads an array of layers. Unknown types, unknown keys, wrong settings, too deep or too many are problems; what could be
/// read is returned all the same. Missing ids and names are filled in.
Stack stackFromJson(const Json& json, const std::string& path, std::vector<JsonProblem>& problems);

} // namespace sconce
