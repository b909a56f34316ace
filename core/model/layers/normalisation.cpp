// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/model/layers/layers.h"

#include "core/base/text.h"

#include <numeric>

namespace sconce::layers {

namespace {

constexpr Initialiser ones{Initialiser::Kind::Ones, 0, 0, 0};
constexpr Initialiser zeros{Initialiser::Kind::Zeros, 0, 0, 0};

ParamDescriptor epsilonParam()
{
    ParamDescriptor epsilon = advanced(realParam("epsilon", "Epsilon", 1e-3, 1e-12, 1.0, "A little number under the root, so that nothing is divided by zero. Keras has 0.001, PyTorch 0.00001."));
    epsilon.logarithmic = true;
    return epsilon;
}

ParamDescriptor scaleParam() { return advanced(boolParam("scale", "Learned scale", true, "Learns a factor per channel after normalising.")); }
ParamDescriptor centreParam() { return advanced(boolParam("centre", "Learned shift", true, "Learns an offset per channel after normalising.")); }

/// Learned factor and offset, where they are asked for.
template <class Op> void affine(const LayerView& view, Lowering& to, const Sizes& shape, Op& op)
{
    if (view.flag("scale")) op.weight = to.parameter("weight", shape, ones, false);
    if (view.flag("centre")) op.bias = to.parameter("bias", shape, zeros, false);
}

ShapeOutcome batchNormShape(const LayerView&, const ValueType& input)
{
    if (auto problem = expectChannelsFirst(input)) return ShapeOutcome::fail(std::move(*problem));
    return ShapeOutcome::of(input);
}

ValueIndex lowerBatchNorm(const LayerView& view, Lowering& to, ValueIndex input)
{
    const Sizes channels{to.typeOf(input).dims[0].size};
    BatchNormOp op;
    op.epsilon = view.real("epsilon");
    op.momentum = view.real("momentum");
    op.frozen = to.frozen();
    affine(view, to, channels, op);
    op.mean = to.buffer("running_mean", channels, 0);
    op.variance = to.buffer("running_var", channels, 1);
    return to.add(op, {input});
}

int axesOfNorm(const LayerView& view, const ValueType& input)
{
    const auto axes = static_cast<int>(view.integer("axes"));
    if (axes == 0 && hasPositions(input)) return 1; // a position would look ahead at those behind it
    return axes == 0 ? input.rank() : axes;
}

ShapeOutcome layerNormShape(const LayerView& view, const ValueType& input)
{
    LayerNormOp op;
    op.axes = axesOfNorm(view, input);
    ShapeOutcome outcome = shapeOf(op, input);
    if (outcome.problem) {
        outcome.problem->param = "axes";
        outcome.problem->fixes.push_back(setParam("Normalise over all axes", "axes", std::int64_t{0}));
    }
    return outcome;
}

ValueIndex lowerLayerNorm(const LayerView& view, Lowering& to, ValueIndex input)
{
    LayerNormOp op;
    const Sizes sizes = to.typeOf(input).sizes();
    op.axes = axesOfNorm(view, to.typeOf(input));
    op.epsilon = view.real("epsilon");
    affine(view, to, Sizes(sizes.end() - op.axes, sizes.end()), op);
    return to.add(op, {input});
}

ShapeOutcome groupNormShape(const LayerView& view, const ValueType& input)
{
    if (auto problem = expectChannelsFirst(input)) return ShapeOutcome::fail(std::move(*problem));
    GroupNormOp op;
    op.groups = view.integer("groups");
    ShapeOutcome outcome = shapeOf(op, input);
    if (outcome.problem) {
        const std::int64_t fitting = std::gcd(op.groups, input.dims[0].size);
        outcome.problem->param = "groups";
        outcome.problem->fixes.push_back(setParam("Set groups to " + groupedInt(fitting), "groups", fitting));
    }
    return outcome;
}

ValueIndex lowerGroupNorm(const LayerView& view, Lowering& to, ValueIndex input)
{
    GroupNormOp op;
    op.groups = view.integer("groups");
    op.epsilon = view.real("epsilon");
    affine(view, to, {to.typeOf(input).dims[0].size}, op);
    return to.add(op, {input});
}

} // namespace

LayerEntry batchNorm()
{
    LayerEntry e;
    e.id = "batch_norm";
    e.title = "Batch norm";
    e.group = LayerGroup::Normalisation;
    e.icon = "norm";
    e.nameStem = "bn";
    e.help = "Brings every channel to mean 0 and spread 1 over the batch, then scales and shifts it as learned. Training gets faster and steadier. When the network is used, running averages take the batch's place.";
    e.keywords = "normalization batchnorm bn normalise";
    ParamDescriptor momentum = realParam("momentum", "Momentum", 0.01, 0.0, 1.0, "How much of each batch enters the running averages, as PyTorch counts: 0.01 here is 0.99 in Keras (and Keras' default); PyTorch's default is 0.1.");
    e.params = {std::move(momentum), epsilonParam(), scaleParam(), centreParam()};
    e.summary = [](const LayerView& v) { return "momentum " + realText(v.real("momentum")); };
    e.shape = batchNormShape;
    e.lower = lowerBatchNorm;
    e.keras = {"BatchNormalization", {{"momentum", "momentum"}, {"epsilon", "epsilon"}, {"scale", "scale"}, {"centre", "center"}}};
    e.pytorch = {"BatchNorm2d", {{"momentum", "momentum"}, {"epsilon", "eps"}, {"scale", "affine"}, {"centre", "affine"}}};
    return e;
}

LayerEntry layerNorm()
{
    LayerEntry e;
    e.id = "layer_norm";
    e.title = "Layer norm";
    e.group = LayerGroup::Normalisation;
    e.icon = "norm";
    e.nameStem = "ln";
    e.help = "Brings every sample by itself to mean 0 and spread 1, in a sequence every position, then scales and shifts it as learned. Does not depend on the batch, so it suits small batches and sequences.";
    e.keywords = "normalization layernorm ln normalise transformer";
    e.params = {intParam("axes", "Last axes", 0, 0, 3, "Over how many of the last axes is normalised together; 0 for all of a sample, or all of a position in a sequence."), epsilonParam(), scaleParam(), centreParam()};
    e.summary = [](const LayerView& v) { return v.integer("axes") == 0 ? std::string("over the whole sample or position") : "over the last " + plural(v.integer("axes"), "axis", "axes"); };
    e.shape = layerNormShape;
    e.lower = lowerLayerNorm;
    e.keras = {"LayerNormalization", {{"axes", "axis"}, {"epsilon", "epsilon"}, {"scale", "scale"}, {"centre", "center"}}};
    e.pytorch = {"LayerNorm", {{"axes", "normalized_shape"}, {"epsilon", "eps"}, {"scale", "elementwise_affine"}, {"centre", "bias"}}};
    return e;
}

LayerEntry groupNorm()
{
    LayerEntry e;
    e.id = "group_norm";
    e.title = "Group norm";
    e.group = LayerGroup::Normalisation;
    e.icon = "norm";
    e.nameStem = "gn";
    e.help = "Splits the channels into groups and brings each group of a sample to mean 0 and spread 1. A steady stand-in for batch norm where batches are small.";
    e.keywords = "normalization groupnorm gn normalise instance";
    e.params = {intParam("groups", "Groups", 8, 1, 65'536, "Must divide the number of channels. 1 is a layer norm, one per channel an instance norm."), epsilonParam(), scaleParam(), centreParam()};
    e.summary = [](const LayerView& v) { return plural(v.integer("groups"), "group", "groups"); };
    e.shape = groupNormShape;
    e.lower = lowerGroupNorm;
    e.keras = {"GroupNormalization", {{"groups", "groups"}, {"epsilon", "epsilon"}, {"scale", "scale"}, {"centre", "center"}}};
    e.pytorch = {"GroupNorm", {{"groups", "num_groups"}, {"epsilon", "eps"}, {"scale", "affine"}, {"centre", "affine"}}};
    return e;
}

} // namespace sconce::layers
