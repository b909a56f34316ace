// SPDX-License-Identifier: GPL-3.0-or-later
// Optimisers with their descriptors; and what all lists of entries have in common.
#include "core/recipe/recipe.h"

#include <algorithm>
#include <stdexcept>

namespace sconce {

namespace {

ParamDescriptor factor(ParamDescriptor descriptor)
{
    descriptor.logarithmic = true;
    return descriptor;
}

ParamDescriptor beta1(double value) { return advanced(realParam("beta1", "Beta 1", value, 0.0, 0.9999, "How long the average of the gradients reaches back. Longer is steadier, and slower to turn.")); }
ParamDescriptor beta2(double value)
{
    return advanced(realParam("beta2", "Beta 2", value, 0.0, 0.999999, "How long the average of the squared gradients reaches back. Longer is steadier, and slower to adapt."));
}
ParamDescriptor epsilon(double value, const char* help) { return advanced(factor(realParam("epsilon", "Epsilon", value, 1e-16, 1.0, help))); }
ParamDescriptor weightDecay(double value, const char* help) { return factor(realParam("weight_decay", "Weight decay", value, 0.0, 1.0, help)); }
constexpr const char* adamEpsilon = "A little number under the division. Keras has 0.0000001, PyTorch 0.00000001.";
constexpr const char* spared = "How strongly weights are pulled towards zero, against learning by heart; too strongly, and little is learned. Biases and normalisations are spared. Costs nothing.";
constexpr const char* keptOfLast = "How much of the last step's direction is kept. More is quicker down long slopes and steadier, and overshoots.";

OptionEntry adam()
{
    return {"adam", "Adam", "Finds a fitting step for every weight by itself. The best first choice. Keeps two numbers beside each weight.",
            {beta1(0.9), beta2(0.999), epsilon(1e-7, adamEpsilon)}};
}

OptionEntry adamw()
{
    return {"adamw", "AdamW", "Adam that also pulls every weight a little towards zero, which keeps networks from learning by heart. Costs what Adam costs.",
            {weightDecay(0.01, spared), beta1(0.9), beta2(0.999), epsilon(1e-7, adamEpsilon)}};
}

OptionEntry sgd()
{
    ParamDescriptor dampening = advanced(realParam("dampening", "Dampening", 0.0, 0.0, 1.0, "Takes this share off each new gradient before it joins the momentum. Steadier, and shorter steps; not with Nesterov."));
    dampening.onlyWhen = "nesterov=false";
    return {"sgd", "SGD",
            "Plain steps down the slope, with momentum. Wants a larger learning rate than Adam (0.01 to 0.1) and often ends a little better. "
            "Keeps one number beside each weight, none without momentum.",
            {realParam("momentum", "Momentum", 0.9, 0.0, 0.9999, std::string(keptOfLast) + " Above 0 it keeps one number beside each weight."),
             boolParam("nesterov", "Nesterov", false, "Looks ahead along the momentum before it takes the gradient: often a little quicker and steadier than plain momentum. Costs next to nothing; needs momentum, and no dampening."), std::move(dampening),
             advanced(weightDecay(0.0, spared))}};
}

OptionEntry rmsprop()
{
    return {"rmsprop", "RMSprop",
            "Divides each step by the recent size of its gradients. An older relative of Adam, still liked for recurrent networks and reinforcement learning. "
            "Keeps one number beside each weight, up to three with momentum and centring.",
            {realParam("momentum", "Momentum", 0.0, 0.0, 0.9999, std::string(keptOfLast) + " Above 0 it keeps one more number beside each weight."),
             advanced(realParam("alpha", "Smoothing", 0.99, 0.0, 0.999999, "How long the average of the squared gradients reaches back. PyTorch has 0.99, Keras 0.9.")),
             epsilon(1e-8, "Added to the root before dividing. PyTorch has 0.00000001, Keras 0.0000001."),
             advanced(boolParam("centered", "Centred", false, "Divides by the spread of the gradients instead of their size, which can be steadier. Keeps one more number beside each weight.")),
             advanced(weightDecay(0.0, spared))}};
}

OptionEntry adagrad()
{
    return {"adagrad", "Adagrad",
            "Gives weights with rare gradients larger steps, and shortens all steps as time goes on. Good for sparse data; on long runs it may come to a halt. "
            "Keeps one number beside each weight.",
            {advanced(factor(realParam("lr_decay", "Rate decay", 0.0, 0.0, 1.0, "Lowers the learning rate further: it is divided by 1 + decay × steps done."))),
             advanced(realParam("initial_accumulator", "First sum", 0.0, 0.0, 1000.0, "Where the sum of squared gradients begins. Above 0 the first steps are smaller; Keras has 0.1, PyTorch 0.")),
             epsilon(1e-10, "Added to the root before dividing. PyTorch has 0.0000000001, Keras 0.0000001."), advanced(weightDecay(0.0, spared))}};
}

OptionEntry lion()
{
    return {"lion", "Lion",
            "Steps of one size in the direction of a momentum's sign. Keeps one number beside each weight, half of what Adam keeps. "
            "Wants a learning rate three to ten times smaller than Adam's, a weight decay as much larger, and does best with large batches.",
            {weightDecay(0.1, spared), beta1(0.9),
             advanced(realParam("beta2", "Beta 2", 0.99, 0.0, 0.999999, "How long the momentum reaches back."))}};
}

OptionEntry muon()
{
    return {"muon", "Muon",
            "Turns the step of each matrix so that all its directions move alike; often needs a third fewer steps than Adam. Each step costs more: fifteen matrix "
            "products per layer. Made for the layers between the first and the last; these, biases and normalisations are trained by AdamW. Use a rate about 0.02.",
            {realParam("momentum", "Momentum", 0.95, 0.0, 0.9999, "How much of the matrices' last direction is kept. More is quicker down long slopes and steadier, and overshoots."),
             factor(realParam("rest_rate", "Rate of the rest", 0.05, 1e-6, 100.0,
                              "AdamW's learning rate as a share of Muon's, for first and last layer, biases and normalisations: 0.05 of 0.02 is 0.001.")),
             weightDecay(0.01, spared), advanced(boolParam("nesterov", "Nesterov", true, "Looks ahead along the momentum, as the paper does: often a little quicker, for next to nothing.")),
             advanced(realParam("beta1", "Beta 1 of the rest", 0.9, 0.0, 0.9999, "For AdamW: how long the average of the gradients reaches back.")),
             advanced(realParam("beta2", "Beta 2 of the rest", 0.95, 0.0, 0.999999, "For AdamW: how long the average of the squared gradients reaches back.")),
             epsilon(1e-8, "For AdamW: a little number under the division.")}};
}

} // namespace

std::span<const OptionEntry> optimiserEntries()
{
    static const std::vector<OptionEntry> entries{
        adam(), adamw(), sgd(), rmsprop(), adagrad(), lion(), muon()};
    return entries;
}

const OptionEntry* findOption(std::span<const OptionEntry> entries, std::string_view id)
{
    const auto found = std::find_if(entries.begin(), entries.end(), [&](const OptionEntry& entry) { return entry.id == id; });
    return found == entries.end() ? nullptr : &*found;
}

namespace {

const OptionEntry& groupIn(std::span<const OptionEntry> entries, std::string_view id)
{
    const OptionEntry* entry = findOption(entries, id);
    if (!entry) throw std::logic_error("no group of options is called " + std::string(id));
    return *entry;
}

} // namespace

const ParamValue& valueIn(std::span<const OptionEntry> entries, const OptionGroups& groups, std::string_view group, std::string_view id)
{
    static const ParamValues nothing;
    const auto found = groups.find(std::string(group));
    return valueOf(groupIn(entries, group).params, found == groups.end() ? nothing : found->second, id);
}

void setIn(std::span<const OptionEntry> entries, OptionGroups& groups, const std::string& group, const std::string& id, ParamValue value)
{
    const ParamDescriptor* descriptor = findParam(groupIn(entries, group).params, id);
    ParamValues& values = groups[group];
    if (descriptor && descriptor->defaultValue == value) values.erase(id);
    else values[id] = std::move(value);
    if (values.empty()) groups.erase(group);
}

} // namespace sconce
