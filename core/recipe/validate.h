// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
// Private to core/recipe: making fixes, and the hints about layers.

#include "core/recipe/recipe.h"

namespace sconce {

Fix replaceFix(std::string title, const std::string& path, Json value);
Fix removeFix(std::string title, const std::string& path);
/// Adds layers one after the other at a path ("/layers/-": at the end).
Fix addLayersFix(std::string title, const std::string& path, const std::vector<Json>& layers);
/// A layer's own way out as a patch on the layer at `path`.
Fix fixOf(const LayerFix& fix, const std::string& path);

/// The last top-level layer that decides the shape: activations, dropout and norms behind it only pass it on.
const LayerReport* shapingLayer(const StackReport& report, const Stack& stack);

/// What is wrong with the changes of pictures, or had better be otherwise.
void augmentationProblems(const Recipe& recipe, const DataFacts& data, std::vector<Problem>& problems);

/// What trains but had better be otherwise: an activation that the loss already has, layers without a bend between them.
void layerHints(const StackReport& report, const Recipe& recipe, std::vector<Problem>& problems);

} // namespace sconce
