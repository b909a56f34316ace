// SPDX-License-Identifier: GPL-3.0-or-later
// Transposed convolution. Keras' words mean: valid gives (in−1)·stride + max(kernel, stride), same gives in·stride, with
// TensorFlow's alignment (the odd pixel is cut behind).
#include "core/model/layers/layers.h"

#include "core/base/text.h"

#include <algorithm>

namespace sconce::layers {

namespace {

struct Transposed
{
    ConvTransposeOp op;
    Sizes weight;          ///< [in, out/groups, k…]
    std::vector<bool> cut; ///< one more pixel cut behind, per axis
    std::int64_t fanIn = 1, fanOut = 1;
};

Transposed transposedOf(const LayerView& view, const ValueType& input)
{
    Transposed t;
    const Sizes kernel = view.ints("kernel");
    const std::size_t axes = kernel.size();
    const std::int64_t channels = input.dims[0].size, filters = view.integer("filters");
    t.op.stride = view.ints("stride");
    t.op.dilation = view.ints("dilation");
    t.op.padding.assign(axes, 0);
    t.op.outputPadding.assign(axes, 0);
    t.op.groups = view.integer("groups");
    t.cut.assign(axes, false);
    const std::string& padding = view.choice("padding");
    for (std::size_t a = 0; a < axes; ++a) {
        const std::int64_t window = t.op.dilation[a] * (kernel[a] - 1) + 1;
        if (padding == "explicit") {
            t.op.padding[a] = view.ints("pad")[a];
            t.op.outputPadding[a] = view.ints("output_padding")[a];
        } else if (window < t.op.stride[a]) {
            t.op.outputPadding[a] = t.op.stride[a] - window;
        } else if (padding == "same") {
            t.op.padding[a] = (window - t.op.stride[a]) / 2;
            t.cut[a] = (window - t.op.stride[a]) % 2 != 0;
        }
    }
    t.weight = {channels, std::max<std::int64_t>(1, filters / t.op.groups)};
    t.weight.insert(t.weight.end(), kernel.begin(), kernel.end());
    const std::int64_t field = kernel[0] * kernel[1];
    // Keras counts fans from its kernel (height, width, filters, channels).
    t.fanIn = filters * field;
    t.fanOut = channels * field;
    return t;
}

bool cuts(const Transposed& t) { return std::find(t.cut.begin(), t.cut.end(), true) != t.cut.end(); }

PadOp cutOf(const Transposed& t)
{
    PadOp pad;
    for (bool cut : t.cut) {
        pad.before.push_back(0);
        pad.after.push_back(cut ? -1 : 0);
    }
    return pad;
}

ShapeOutcome transposedShape(const LayerView& view, const ValueType& input)
{
    if (auto problem = expectImage(input)) return ShapeOutcome::fail(std::move(*problem));
    const std::int64_t groups = view.integer("groups"), filters = view.integer("filters");
    if (input.dims[0].size % groups != 0 || filters % groups != 0) {
        LayerProblem problem;
        problem.because = "Groups (" + groupedInt(groups) + ") must divide the input's channels (" + groupedInt(input.dims[0].size) +
                          ") and the filters (" + groupedInt(filters) + ").";
        problem.param = "groups";
        problem.fixes.push_back(setParam("Set groups to 1", "groups", std::int64_t{1}));
        return ShapeOutcome::fail(std::move(problem));
    }
    const Transposed t = transposedOf(view, input);
    Plan scratch;
    scratch.parameters.resize(1);
    scratch.parameters[0].shape = t.weight;
    ConvTransposeOp op = t.op;
    op.weight = 0;
    Result<ValueType> type = outputType(op, {input}, scratch);
    if (!type.ok()) {
        const bool numbers = view.choice("padding") == "explicit";
        LayerProblem problem = problemOf(type.error(), numbers ? "pad" : "stride");
        if (numbers) problem.fixes.push_back(setParam("Set padding to same", "padding", std::string("same")));
        return ShapeOutcome::fail(std::move(problem));
    }
    return cuts(t) ? shapeOf(cutOf(t), type.value()) : ShapeOutcome::of(std::move(type).value());
}

ValueIndex lowerTransposed(const LayerView& view, Lowering& to, ValueIndex input)
{
    Transposed t = transposedOf(view, to.typeOf(input));
    t.op.weight = to.parameter("weight", t.weight, startOf(view, t.fanIn, t.fanOut), true);
    t.op.bias = biasOf(view, to, view.integer("filters"), t.fanIn);
    ValueIndex value = to.add(t.op, {input});
    if (cuts(t)) value = to.add(cutOf(t), {value});
    return activated(view, to, value);
}

} // namespace

LayerEntry conv2dTranspose()
{
    LayerEntry e;
    e.id = "conv2d_transpose";
    e.title = "Transposed conv 2D";
    e.group = LayerGroup::Convolution;
    e.icon = "conv";
    e.nameStem = "upconv";
    e.help = "The opposite of a convolution with stride: makes pictures larger, with learned filters. Used where a network draws pictures.";
    e.keywords = "convolution deconvolution transposed upsample decoder";
    ParamDescriptor outputPadding = intsParam("output_padding", "Output padding", {0, 0}, 2, 2, 0, 255,
                                              "Pixels added at the bottom and right of the result. Must be smaller than the stride.");
    outputPadding.onlyWhen = "padding=explicit";
    e.params = {intParam("filters", "Filters", 32, 1, 65'536, "How many channels come out."),
                intsParam("kernel", "Kernel", {3, 3}, 2, 2, 1, 255, "Height and width of a filter."),
                intsParam("stride", "Stride", {2, 2}, 2, 2, 1, 255, "How many times larger the picture gets."),
                paddingParam(), padParam(2), std::move(outputPadding), activationParam(), biasParam("filter"),
                advanced(intsParam("dilation", "Dilation", {1, 1}, 2, 2, 1, 255, "Distance between the pixels that a filter writes to.")),
                advanced(intParam("groups", "Groups", 1, 1, 65'536, "Splits the channels into groups that do not see each other. Must divide both the input's channels and the filters.")),
                initialiserParam()};
    e.summary = [](const LayerView& v) {
        return plural(v.integer("filters"), "filter", "filters") + ", " + timesText(v.ints("kernel")) + ", stride " + timesText(v.ints("stride")) +
               (v.choice("padding") == "explicit" ? ", pad " + timesText(v.ints("pad")) : ", " + v.choice("padding")) + activationSuffix(v);
    };
    e.shape = transposedShape;
    e.lower = lowerTransposed;
    e.keras = {"Conv2DTranspose", {{"filters", "filters"}, {"kernel", "kernel_size"}, {"stride", "strides"}, {"padding", "padding"}, {"pad", ""},
                                   {"output_padding", "output_padding"}, {"activation", "activation"}, {"bias", "use_bias"},
                                   {"dilation", "dilation_rate"}, {"groups", ""}, {"initialiser", "kernel_initializer"}}};
    e.pytorch = {"ConvTranspose2d", {{"filters", "out_channels"}, {"kernel", "kernel_size"}, {"stride", "stride"}, {"padding", ""}, {"pad", "padding"},
                                     {"output_padding", "output_padding"}, {"activation", ""}, {"bias", "bias"}, {"dilation", "dilation"},
                                     {"groups", "groups"}, {"initialiser", ""}}};
    return e;
}

} // namespace sconce::layers
