// SPDX-License-Identifier: GPL-3.0-or-later
// The starter recipes: files of resources/recipes, compiled in.
#include "core/recipe/recipe.h"
#include "core/recipe/starter_texts.h"

#include <cassert>

namespace sconce {

std::span<const StarterRecipe> starterRecipes()
{
    static const std::vector<StarterRecipe> all = [] {
        static constexpr struct { const char *id, *title; } order[] = {
            {"digits-convnet", "First network: digits"},
            {"mnist-convnet", "MNIST, convolutional"},
            {"mnist-fast", "MNIST, 99 % in seconds"},
            {"mnist-mlp", "MNIST, dense"},
            {"small-resnet", "Small ResNet for CIFAR-10"},
            {"char-gpt", "Small GPT for texts"},
        };
        std::vector<StarterRecipe> starters;
        for (const auto& each : order) {
            const Result<Json> json = parseJson(starterText(each.id), each.id);
            if (!json.ok()) {
                assert(!"a starter recipe is not JSON");
                continue;
            }
            Result<ParsedRecipe> parsed = recipeFromJson(json.value());
            assert(parsed.ok() && parsed.value().problems.empty());
            if (!parsed.ok()) continue;
            starters.push_back({each.id, each.title, parsed.value().recipe.notes, std::move(parsed.value().recipe)});
        }
        return starters;
    }();
    return all;
}

const StarterRecipe* findStarter(std::string_view id)
{
    for (const StarterRecipe& starter : starterRecipes())
        if (starter.id == id) return &starter;
    return nullptr;
}

} // namespace sconce
