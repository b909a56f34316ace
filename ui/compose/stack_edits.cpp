// SPDX-License-Identifier: GPL-3.0-or-later
#include "ui/compose/stack_edits.h"

#include <algorithm>

namespace sconce::ui {

namespace {

bool contains(const std::vector<LayerId>& ids, const LayerId& id)
{
    return std::find(ids.begin(), ids.end(), id) != ids.end();
}

std::optional<StackPlace> findPlace(const Stack& stack, const LayerId& block, int branch, const LayerId& id)
{
    for (std::size_t i = 0; i < stack.layers.size(); ++i) {
        const Layer& layer = stack.layers[i];
        if (layer.id == id) return StackPlace{block, branch, static_cast<int>(i)};
        for (std::size_t b = 0; b < layer.branches.size(); ++b)
            if (auto found = findPlace(layer.branches[b], layer.id, static_cast<int>(b), id)) return found;
    }
    return std::nullopt;
}

void collectTopmost(const Stack& stack, const std::vector<LayerId>& ids, std::vector<LayerId>& out)
{
    for (const Layer& layer : stack.layers) {
        if (contains(ids, layer.id)) {
            out.push_back(layer.id);
            continue;
        }
        for (const Stack& branch : layer.branches) collectTopmost(branch, ids, out);
    }
}

bool removeFrom(Stack& stack, const std::vector<LayerId>& ids)
{
    const std::size_t before = stack.layers.size();
    std::erase_if(stack.layers, [&](const Layer& layer) { return contains(ids, layer.id); });
    bool removed = stack.layers.size() != before;
    for (Layer& layer : stack.layers)
        for (Stack& branch : layer.branches) removed = removeFrom(branch, ids) || removed;
    return removed;
}

/// Blocks inside each other within a layer: 0 for a plain layer.
int blockDepth(const Layer& layer)
{
    if (layer.branches.empty()) return 0;
    int deepest = 0;
    for (const Stack& branch : layer.branches)
        for (const Layer& inner : branch.layers) deepest = std::max(deepest, blockDepth(inner));
    return deepest + 1;
}

std::string depthRefusal(const Stack& root, const StackPlace& place, const std::vector<const Layer*>& layers)
{
    const int depth = depthAt(root, place);
    for (const Layer* layer : layers)
        if (depth + blockDepth(*layer) > maxBlockDepth)
            return "Blocks can be nested at most " + std::to_string(maxBlockDepth) + " deep.";
    return {};
}

} // namespace

const Stack* stackAt(const Stack& root, const StackPlace& place)
{
    if (place.block.empty()) return &root;
    const Layer* block = findLayer(root, place.block);
    if (!block || place.branch < 0 || place.branch >= static_cast<int>(block->branches.size())) return nullptr;
    return &block->branches[static_cast<std::size_t>(place.branch)];
}

Stack* stackAt(Stack& root, const StackPlace& place)
{
    return const_cast<Stack*>(stackAt(static_cast<const Stack&>(root), place));
}

std::optional<StackPlace> placeOf(const Stack& root, const LayerId& id)
{
    return findPlace(root, {}, 0, id);
}

std::vector<LayerId> topmost(const Stack& root, const std::vector<LayerId>& ids)
{
    std::vector<LayerId> out;
    collectTopmost(root, ids, out);
    return out;
}

int depthAt(const Stack& root, const StackPlace& place)
{
    int depth = 0;
    for (LayerId block = place.block; !block.empty(); ++depth) {
        const auto outer = placeOf(root, block);
        if (!outer) break;
        block = outer->block;
    }
    return depth;
}

int layerCount(const Stack& stack)
{
    int count = 0;
    visitLayers(stack, [&](const Layer&, const std::string&, int) { ++count; });
    return count;
}

std::vector<LayerId> insertLayers(Stack& root, StackPlace place, const std::vector<Layer>& layers, std::string& refusal)
{
    std::vector<const Layer*> pointers;
    int added = 0;
    for (const Layer& layer : layers) {
        pointers.push_back(&layer);
        added += layerCount(Stack{{layer}});
    }
    if (!stackAt(root, place)) refusal = "The block that this should go into is gone.";
    else if (layerCount(root) + added > maxLayers)
        refusal = "A recipe can hold at most " + std::to_string(maxLayers) + " layers.";
    else refusal = depthRefusal(root, place, pointers);
    if (!refusal.empty()) return {};

    std::vector<LayerId> ids;
    for (const Layer& layer : layers) {
        Layer fresh = withFreshIds(root, layer);
        ids.push_back(fresh.id);
        Stack& target = *stackAt(root, place);
        place.position = std::clamp(place.position, 0, static_cast<int>(target.layers.size()));
        target.layers.insert(target.layers.begin() + place.position, std::move(fresh));
        ++place.position;
    }
    return ids;
}

bool removeLayers(Stack& root, const std::vector<LayerId>& ids)
{
    return removeFrom(root, ids);
}

bool moveLayers(Stack& root, const std::vector<LayerId>& ids, const StackPlace& place, std::string& refusal)
{
    const std::vector<LayerId> chosen = topmost(root, ids);
    const Stack* target = stackAt(root, place);
    if (chosen.empty() || !target) return false;
    for (LayerId block = place.block; !block.empty();) {
        if (contains(chosen, block)) {
            refusal = "A block cannot go into itself.";
            return false;
        }
        const auto outer = placeOf(root, block);
        block = outer ? outer->block : LayerId{};
    }
    std::vector<const Layer*> pointers;
    for (const LayerId& id : chosen) pointers.push_back(findLayer(static_cast<const Stack&>(root), id));
    refusal = depthRefusal(root, place, pointers);
    if (!refusal.empty()) return false;

    // The first layer behind the gap that stays marks the place once the moved ones are taken out.
    LayerId anchor;
    for (std::size_t i = static_cast<std::size_t>(std::max(0, place.position)); i < target->layers.size(); ++i)
        if (!contains(chosen, target->layers[i].id)) {
            anchor = target->layers[i].id;
            break;
        }
    const Stack before = root;
    std::vector<Layer> moved;
    for (const Layer* layer : pointers) moved.push_back(*layer);
    removeFrom(root, chosen);
    Stack& destination = *stackAt(root, place);
    auto at = std::find_if(destination.layers.begin(), destination.layers.end(),
                           [&](const Layer& layer) { return !anchor.empty() && layer.id == anchor; });
    destination.layers.insert(at, moved.begin(), moved.end());
    return !(root == before);
}

std::optional<StackPlace> placeAbove(const Stack& root, const LayerId& first)
{
    auto place = placeOf(root, first);
    if (!place) return std::nullopt;
    if (place->position > 0) {
        --place->position;
        return place;
    }
    if (place->block.empty()) return std::nullopt;
    if (place->branch > 0) { // to the end of the branch before
        StackPlace previous{place->block, place->branch - 1, 0};
        previous.position = static_cast<int>(stackAt(root, previous)->layers.size());
        return previous;
    }
    return placeOf(root, place->block);
}

std::optional<StackPlace> placeBelow(const Stack& root, const LayerId& last)
{
    auto place = placeOf(root, last);
    if (!place) return std::nullopt;
    const Stack* stack = stackAt(root, *place);
    if (place->position + 1 < static_cast<int>(stack->layers.size())) {
        place->position += 2;
        return place;
    }
    if (place->block.empty()) return std::nullopt;
    const StackPlace next{place->block, place->branch + 1, 0};
    if (stackAt(root, next)) return next;
    return placeOutside(root, last);
}

std::optional<StackPlace> placeInside(const Stack& root, const LayerId& id)
{
    const auto place = placeOf(root, id);
    if (!place || place->position == 0) return std::nullopt;
    const Layer& above = stackAt(root, *place)->layers[static_cast<std::size_t>(place->position - 1)];
    if (above.branches.empty()) return std::nullopt;
    return StackPlace{above.id, 0, static_cast<int>(above.branches[0].layers.size())};
}

std::optional<StackPlace> placeOutside(const Stack& root, const LayerId& id)
{
    const auto place = placeOf(root, id);
    if (!place || place->block.empty()) return std::nullopt;
    auto outer = placeOf(root, place->block);
    if (outer) ++outer->position;
    return outer;
}

} // namespace sconce::ui
