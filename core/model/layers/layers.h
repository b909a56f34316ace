// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
// Private to core/model: the entries that the catalogue lists, and what layer families share.

#include "core/model/layer_entry.h"

namespace sconce::layers {

LayerEntry dense();
LayerEntry conv1d();
LayerEntry conv2d();
LayerEntry depthwiseConv2d();
LayerEntry separableConv2d();
LayerEntry conv2dTranspose();
LayerEntry maxPool2d();
LayerEntry averagePool2d();
LayerEntry globalAveragePool();
LayerEntry globalMaxPool();
LayerEntry embedding();
LayerEntry positions();
LayerEntry selfAttention();
LayerEntry batchNorm();
LayerEntry layerNorm();
LayerEntry groupNorm();
LayerEntry dropout();
LayerEntry spatialDropout2d();
LayerEntry relu();
LayerEntry leakyRelu();
LayerEntry gelu();
LayerEntry silu();
LayerEntry sigmoid();
LayerEntry tanh();
LayerEntry elu();
LayerEntry softplus();
LayerEntry hardSwish();
LayerEntry softmax();
LayerEntry logSoftmax();
LayerEntry flatten();
LayerEntry reshape();
LayerEntry zeroPadding2d();
LayerEntry residual();
LayerEntry parallel();

// ---- shared by families (common.cpp) ----
using Sizes = std::vector<std::int64_t>;

ParamDescriptor activationParam();
ParamDescriptor biasParam(const std::string& per);
ParamDescriptor initialiserParam();
/// valid | same | explicit, and `pad`, which counts for explicit alone. axes: 1 or 2.
ParamDescriptor paddingParam();
ParamDescriptor padParam(int axes);

/// Reads a setting that is one number (1 axis) or a list.
Sizes axesOf(const LayerView& view, std::string_view id);
/// Padding of a window in front and behind, as the setting says. `same` is TensorFlow's: the odd one goes behind.
struct Padding { Sizes before, after; };
Padding paddingOf(const LayerView& view, const ValueType& input, const Sizes& kernel, const Sizes& stride, const Sizes& dilation);

Initialiser startOf(const LayerView& view, std::int64_t fanIn, std::int64_t fanOut);
/// A bias parameter where the layer's `bias` is on, else none. PyTorch's start draws it too; otherwise zeros.
ParamIndex biasOf(const LayerView& view, Lowering& to, std::int64_t count, std::int64_t fanIn, const std::string& suffix = "bias");
/// The layer's `activation` after a value; the value itself for "none".
ValueIndex activated(const LayerView& view, Lowering& to, ValueIndex value);
/// ", ReLU" or "".
std::string activationSuffix(const LayerView& view);
std::string timesText(const Sizes& sizes); ///< 3×3

// ---- what a layer takes; nothing where it fits ----
std::optional<LayerProblem> expectNumbers(const ValueType& input); ///< anything but symbols, of any shape
std::optional<LayerProblem> expectRow(const ValueType& input); ///< a row of features, or one at each position
std::optional<LayerProblem> expectSequence(const ValueType& input); ///< channels first
std::optional<LayerProblem> expectImage(const ValueType& input);
std::optional<LayerProblem> expectChannels(const ValueType& input); ///< sequence, positions or image
std::optional<LayerProblem> expectPositions(const ValueType& input);
std::optional<LayerProblem> expectChannelsFirst(const ValueType& input); ///< anything but positions

/// A primitive's refusal as a layer's problem.
LayerProblem problemOf(const Error& error, std::string param = {});
LayerFix setParam(std::string title, std::string id, ParamValue value);
LayerFix insertBefore(std::string title, std::string type, ParamValues params = {});

/// The outcome of one operation without parameters in the plan.
ShapeOutcome shapeOf(const Operation& op, const ValueType& input);

} // namespace sconce::layers
