// SPDX-License-Identifier: GPL-3.0-or-later
// Optimisers and tasks with their descriptors.
#include "core/recipe/recipe.h"

#include <algorithm>

namespace sconce {

namespace {

ParamDescriptor factor(ParamDescriptor descriptor)
{
    descriptor.logarithmic = true;
    return descriptor;
}

std::vector<ParamDescriptor> adamParams()
{
    return {advanced(realParam("beta1", "Beta 1", 0.9, 0.0, 0.9999, "How long the average of the gradients reaches back.")),
            advanced(realParam("beta2", "Beta 2", 0.999, 0.0, 0.999999, "How long the average of the squared gradients reaches back.")),
            advanced(factor(realParam("epsilon", "Epsilon", 1e-7, 1e-16, 1.0, "A little number under the division. Keras has 0.0000001, PyTorch 0.00000001.")))};
}

OptionEntry adamw()
{
    OptionEntry entry{"adamw", "AdamW", "Adam that also pulls every weight a little towards zero, which keeps networks from learning by heart.", adamParams()};
    entry.params.insert(entry.params.begin(), factor(realParam("weight_decay", "Weight decay", 0.01, 0.0, 1.0, "How strongly weights are pulled towards zero. Biases and normalisations are spared.")));
    return entry;
}

OptionEntry sgd()
{
    return {"sgd", "SGD", "Plain steps down the slope, with momentum. Wants a larger learning rate than Adam (0.01 to 0.1) and often ends a little better.",
            {realParam("momentum", "Momentum", 0.9, 0.0, 0.9999, "How much of the last step's direction is kept."),
             boolParam("nesterov", "Nesterov", false, "Looks ahead along the momentum before it takes the gradient."),
             factor(advanced(realParam("weight_decay", "Weight decay", 0.0, 0.0, 1.0, "How strongly weights are pulled towards zero.")))}};
}

} // namespace

std::span<const OptionEntry> optimiserEntries()
{
    static const std::vector<OptionEntry> entries{
        {"adam", "Adam", "Finds a fitting step for every weight by itself. The best first choice.", adamParams()}, adamw(), sgd()};
    return entries;
}

std::span<const OptionEntry> taskEntries()
{
    static const std::vector<OptionEntry> entries{
        {"classification", "Classification", "Says which one of several classes a sample belongs to. The loss is cross-entropy: how surprised the network is by the right answer.",
         {realParam("label_smoothing", "Smoothing", 0.0, 0.0, 0.9,
                    "Spreads this share of each right answer over all classes, so that the network does not become too sure of itself; 0.1 is usual. Costs nothing, and the loss no longer falls to 0."),
          choiceParam("class_weights", "Class weights", "none",
                      {{"none", "none", "Every sample counts alike"}, {"balanced", "balanced", "Rare classes count more, so that all classes count alike"}},
                      "How much each class counts in the loss. Balance them where some classes have far fewer samples.")}}};
    return entries;
}

const OptionEntry* findOption(std::span<const OptionEntry> entries, std::string_view id)
{
    const auto found = std::find_if(entries.begin(), entries.end(), [&](const OptionEntry& entry) { return entry.id == id; });
    return found == entries.end() ? nullptr : &*found;
}

} // namespace sconce
