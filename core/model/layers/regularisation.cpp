// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/model/layers/layers.h"

#include "core/base/text.h"

namespace sconce::layers {

namespace {

DropoutOp dropoutOf(const LayerView& view, bool wholeChannels)
{
    return {view.real("rate"), view.layer().id, wholeChannels};
}

LayerEntry dropoutEntry(const char* id, const char* title)
{
    LayerEntry e;
    e.id = id;
    e.title = title;
    e.group = LayerGroup::Regularisation;
    e.icon = "dropout";
    e.nameStem = "dropout";
    e.params = {realParam("rate", "Rate", 0.5, 0.0, 0.99, "Share that is set to zero in each training step.")};
    e.summary = [](const LayerView& v) { return "rate " + realText(v.real("rate")); };
    e.keras.arguments = {{"rate", "rate"}};
    e.pytorch.arguments = {{"rate", "p"}};
    return e;
}

} // namespace

LayerEntry dropout()
{
    LayerEntry e = dropoutEntry("dropout", "Dropout");
    e.help = "While training, sets a random part of the numbers to zero, so that the network cannot lean on single ones and learns less by heart. Does nothing when the network is used.";
    e.keywords = "regularization overfitting random";
    e.shape = [](const LayerView&, const ValueType& input) { return ShapeOutcome::of(input); };
    e.lower = [](const LayerView& v, Lowering& to, ValueIndex input) { return to.add(dropoutOf(v, false), {input}); };
    e.keras.className = "Dropout";
    e.pytorch.className = "Dropout";
    return e;
}

LayerEntry spatialDropout2d()
{
    LayerEntry e = dropoutEntry("spatial_dropout2d", "Spatial dropout 2D");
    e.help = "Dropout for pictures: whole channels are set to zero, because neighbouring pixels say much the same.";
    e.keywords = "regularization overfitting random channel";
    e.shape = [](const LayerView&, const ValueType& input) {
        if (auto problem = expectImage(input)) return ShapeOutcome::fail(std::move(*problem));
        return ShapeOutcome::of(input);
    };
    e.lower = [](const LayerView& v, Lowering& to, ValueIndex input) { return to.add(dropoutOf(v, true), {input}); };
    e.keras.className = "SpatialDropout2D";
    e.pytorch.className = "Dropout2d";
    return e;
}

} // namespace sconce::layers
