// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/model/layers/layers.h"

#include "core/base/text.h"

namespace sconce::layers {

namespace {

ShapeOutcome denseShape(const LayerView& view, const ValueType& input)
{
    const std::int64_t units = view.integer("units");
    const ValueType type = hasPositions(input) ? positionsType(input.dims[0].size, units) : featuresType(units);
    if (auto problem = expectRow(input)) return ShapeOutcome::fail(std::move(*problem), type);
    return ShapeOutcome::of(type);
}

ValueIndex lowerDense(const LayerView& view, Lowering& to, ValueIndex input)
{
    const std::int64_t in = to.typeOf(input).dims.back().size, units = view.integer("units");
    LinearOp op;
    op.weight = to.parameter("weight", {units, in}, startOf(view, in, units), true);
    op.bias = biasOf(view, to, units, in);
    return activated(view, to, to.add(op, {input}));
}

} // namespace

LayerEntry dense()
{
    LayerEntry e;
    e.id = "dense";
    e.title = "Dense";
    e.group = LayerGroup::Dense;
    e.icon = "dense";
    e.nameStem = "dense";
    e.help = "Every output is a weighted sum of all inputs. As the last layer: one output per class. In a sequence it does the same at each position by itself.";
    e.keywords = "linear fully connected fc affine mlp";
    e.params = {intParam("units", "Units", 64, 1, 1'048'576, "How many sums are learned: how many numbers come out."), activationParam(),
                biasParam("unit"), initialiserParam()};
    e.summary = [](const LayerView& v) { return plural(v.integer("units"), "unit", "units") + activationSuffix(v); };
    e.shape = denseShape;
    e.lower = lowerDense;
    e.keras = {"Dense", {{"units", "units"}, {"activation", "activation"}, {"bias", "use_bias"}, {"initialiser", "kernel_initializer"}}};
    e.pytorch = {"Linear", {{"units", "out_features"}, {"activation", ""}, {"bias", "bias"}, {"initialiser", ""}}};
    return e;
}

} // namespace sconce::layers
