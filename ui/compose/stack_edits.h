// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
// Edits of a stack as plain functions on values: where layers can go, and what inserting, removing and moving does to a
// stack with nested blocks. No widgets, no signals; the document turns them into undoable commands.

#include "core/model/stack.h"

#include <optional>
#include <string>
#include <vector>

namespace sconce::ui {

/// A gap between layers: before `position` in a branch of a block, or (block empty) in the recipe's own stack.
struct StackPlace
{
    LayerId block;
    int branch = 0;
    int position = 0;
    bool operator==(const StackPlace&) const = default;
};

/// The stack that a place lies in; nullptr if its block or branch is gone.
const Stack* stackAt(const Stack& root, const StackPlace& place);
Stack* stackAt(Stack& root, const StackPlace& place);
/// The place of a layer (the gap right before it).
std::optional<StackPlace> placeOf(const Stack& root, const LayerId& id);
/// The chosen layers in stack order, without those that lie inside another chosen one.
std::vector<LayerId> topmost(const Stack& root, const std::vector<LayerId>& ids);
/// How many blocks are around a place: 0 in the recipe's own stack.
int depthAt(const Stack& root, const StackPlace& place);
int layerCount(const Stack& stack);

/// Puts copies with fresh ids and names at a place; returns the new ids. `refusal` is a sentence when it cannot be done
/// (too deep, too many), and nothing changes then.
std::vector<LayerId> insertLayers(Stack& root, StackPlace place, const std::vector<Layer>& layers, std::string& refusal);
/// True if something was removed.
bool removeLayers(Stack& root, const std::vector<LayerId>& ids);
/// Moves layers to a place, in stack order, ids kept. False (and nothing changes) where they already are there or the place
/// lies inside one of them.
bool moveLayers(Stack& root, const std::vector<LayerId>& ids, const StackPlace& place, std::string& refusal);

/// The place one step up or down from a layer: past its neighbour, or out of its branch at the ends. nullopt at the very end.
std::optional<StackPlace> placeAbove(const Stack& root, const LayerId& first);
std::optional<StackPlace> placeBelow(const Stack& root, const LayerId& last);
/// The end of the first branch of the block right above the layer.
std::optional<StackPlace> placeInside(const Stack& root, const LayerId& id);
/// Right behind the block that holds the layer.
std::optional<StackPlace> placeOutside(const Stack& root, const LayerId& id);

} // namespace sconce::ui
