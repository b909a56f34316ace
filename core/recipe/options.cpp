// SPDX-License-Identifier: GPL-3.0-or-later
// Optimisers, schedules and tasks with their descriptors, and the learning rate of a step.
#include "core/recipe/recipe.h"

#include <algorithm>
#include <cmath>
#include <numbers>

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

std::span<const OptionEntry> scheduleEntries()
{
    static const std::vector<OptionEntry> entries{
        {"constant", "Constant", "The same learning rate from beginning to end.", {}},
        {"cosine", "Cosine", "The learning rate falls along half a cosine wave: large steps first, small ones at the end.",
         {realParam("final", "Final share", 0.0, 0.0, 1.0, "What is left of the learning rate at the end: 0.1 is a tenth."),
          realParam("warm_up", "Warm-up share", 0.0, 0.0, 0.5, "Part of the training in which the rate first climbs from zero: 0.05 is the first twentieth.")}}};
    return entries;
}

std::span<const OptionEntry> taskEntries()
{
    static const std::vector<OptionEntry> entries{
        {"classification", "Classification", "Says which one of several classes a sample belongs to. The loss is cross-entropy: how surprised the network is by the right answer.", {}}};
    return entries;
}

const OptionEntry* findOption(std::span<const OptionEntry> entries, std::string_view id)
{
    const auto found = std::find_if(entries.begin(), entries.end(), [&](const OptionEntry& entry) { return entry.id == id; });
    return found == entries.end() ? nullptr : &*found;
}

double learningRateAt(const TrainingSettings& settings, std::int64_t step, std::int64_t totalSteps)
{
    const double rate = settings.learningRate;
    const OptionEntry* entry = findOption(scheduleEntries(), settings.schedule.type);
    if (!entry || entry->id != "cosine") return rate;
    const auto real = [&](const char* id) {
        const double* value = std::get_if<double>(&valueOf(entry->params, settings.schedule.params, id));
        return value ? *value : 0.0;
    };
    const double total = static_cast<double>(std::max<std::int64_t>(1, totalSteps));
    const double warm = std::floor(real("warm_up") * total), now = static_cast<double>(std::max<std::int64_t>(0, step));
    if (now < warm) return rate * (now + 1) / warm;
    const double done = std::min(1.0, (now - warm) / std::max(1.0, total - warm));
    const double final = real("final");
    return rate * (final + (1 - final) * 0.5 * (1 + std::cos(std::numbers::pi * done)));
}

} // namespace sconce
