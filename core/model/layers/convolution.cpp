// SPDX-License-Identifier: GPL-3.0-or-later
// Convolutions in one and two dimensions, depthwise and separable.
#include "core/model/layers/layers.h"

#include "core/base/text.h"

#include <algorithm>

namespace sconce::layers {

namespace {

/// One convolution on its way into a plan. Parameters have indices only once lowered.
struct Conv
{
    ConvOp op;
    Sizes weight; ///< [out, in/groups, k…]
    std::int64_t fanIn = 1, fanOut = 1;
};

std::int64_t product(const Sizes& sizes)
{
    std::int64_t result = 1;
    for (std::int64_t size : sizes) result *= size; // kernels: at most 255 each
    return result;
}

bool isDepthwise(const LayerView& view) { return findParam(view.entry().params, "multiplier") != nullptr; }

/// The convolution that the settings ask for. groups must divide channels and filters, else the weights are nonsense and
/// outputType() says so.
Conv convOf(const LayerView& view, const ValueType& input)
{
    Conv conv;
    const std::int64_t channels = input.dims[0].size;
    const Sizes kernel = axesOf(view, "kernel");
    conv.op.stride = axesOf(view, "stride");
    conv.op.dilation = axesOf(view, "dilation");
    Padding padding = paddingOf(view, input, kernel, conv.op.stride, conv.op.dilation);
    conv.op.padBefore = std::move(padding.before);
    conv.op.padAfter = std::move(padding.after);
    std::int64_t filters = 0;
    if (isDepthwise(view)) {
        const std::int64_t multiplier = view.integer("multiplier");
        conv.op.groups = channels;
        filters = channels * multiplier;
        // Keras counts fans from its kernel (height, width, channels, multiplier).
        conv.fanIn = channels * product(kernel);
        conv.fanOut = multiplier * product(kernel);
    } else {
        conv.op.groups = view.integer("groups");
        filters = view.integer("filters");
        conv.fanIn = std::max<std::int64_t>(1, channels / conv.op.groups) * product(kernel);
        conv.fanOut = filters * product(kernel);
    }
    conv.weight = {filters, std::max<std::int64_t>(1, channels / conv.op.groups)};
    conv.weight.insert(conv.weight.end(), kernel.begin(), kernel.end());
    return conv;
}

Result<ValueType> typeOf(const Conv& conv, const ValueType& input)
{
    Plan scratch;
    scratch.parameters.resize(1);
    scratch.parameters[0].shape = conv.weight;
    ConvOp op = conv.op;
    op.weight = 0;
    return outputType(op, {input}, scratch);
}

LayerProblem groupsProblem(const LayerView& view, const ValueType& input)
{
    LayerProblem problem;
    problem.because = "Groups (" + groupedInt(view.integer("groups")) + ") must divide the input's channels (" +
                      groupedInt(input.dims[0].size) + ") and the filters (" + groupedInt(view.integer("filters")) + ").";
    problem.param = "groups";
    problem.fixes.push_back(setParam("Set groups to 1", "groups", std::int64_t{1}));
    return problem;
}

ShapeOutcome convShape(const LayerView& view, const ValueType& input)
{
    const Conv conv = convOf(view, input);
    if (!isDepthwise(view) && (input.dims[0].size % conv.op.groups != 0 || conv.weight[0] % conv.op.groups != 0))
        return ShapeOutcome::fail(groupsProblem(view, input));
    Result<ValueType> type = typeOf(conv, input);
    if (type.ok()) return ShapeOutcome::of(std::move(type).value());
    LayerProblem problem = problemOf(type.error());
    Sizes fitting(conv.weight.begin() + 2, conv.weight.end());
    Sizes least = fitting;
    bool larger = false, dilated = false;
    for (std::size_t a = 0; a < fitting.size(); ++a) {
        const std::int64_t room = input.dims[a + 1].size + conv.op.padBefore[a] + conv.op.padAfter[a];
        least[a] = conv.op.dilation[a] * (fitting[a] - 1) + 1;
        dilated = dilated || conv.op.dilation[a] > 1;
        larger = larger || least[a] > room;
        least[a] = std::max<std::int64_t>(1, least[a] - conv.op.padBefore[a] - conv.op.padAfter[a]);
        fitting[a] = std::min(fitting[a], room);
    }
    if (!larger) return ShapeOutcome::fail(std::move(problem));
    problem.expects = std::string(fitting.size() == 1 ? "expects a sequence of at least " : "expects pictures of at least ") + timesText(least);
    problem.param = "kernel";
    problem.fixes.push_back(setParam("Set padding to same", "padding", std::string("same")));
    if (!dilated) {
        const ParamDescriptor* kernel = findParam(view.entry().params, "kernel");
        problem.fixes.push_back(setParam("Set kernel to " + timesText(fitting), "kernel",
                                         kernel->kind == ParamKind::Int ? ParamValue(fitting[0]) : ParamValue(fitting)));
    }
    return ShapeOutcome::fail(std::move(problem));
}

ShapeOutcome conv1dShape(const LayerView& view, const ValueType& input)
{
    if (auto problem = expectSequence(input)) return ShapeOutcome::fail(std::move(*problem));
    return convShape(view, input);
}

ShapeOutcome conv2dShape(const LayerView& view, const ValueType& input)
{
    if (auto problem = expectImage(input)) return ShapeOutcome::fail(std::move(*problem));
    return convShape(view, input);
}

ValueIndex lowerConv(const LayerView& view, Lowering& to, ValueIndex input)
{
    Conv conv = convOf(view, to.typeOf(input));
    const std::int64_t filters = conv.weight[0];
    conv.op.weight = to.parameter("weight", conv.weight, startOf(view, conv.fanIn, conv.fanOut), true);
    conv.op.bias = biasOf(view, to, filters, conv.fanIn);
    return activated(view, to, to.add(conv.op, {input}));
}

// ---- separable: one small filter per channel, then a 1×1 convolution that mixes the channels ----

Conv depthwisePart(const LayerView& view, const ValueType& input)
{
    return convOf(view, input); // has a `multiplier`, so it is depthwise
}

ShapeOutcome separableShape(const LayerView& view, const ValueType& input)
{
    ShapeOutcome depthwise = conv2dShape(view, input);
    if (depthwise.problem) return depthwise;
    depthwise.type.dims[0].size = view.integer("filters");
    if (depthwise.type.elements() > maxValueElements) return ShapeOutcome::fail({"", "The result would hold too many numbers.", "filters", {}});
    return depthwise;
}

ValueIndex lowerSeparable(const LayerView& view, Lowering& to, ValueIndex input)
{
    Conv conv = depthwisePart(view, to.typeOf(input));
    conv.op.weight = to.parameter("depthwise.weight", conv.weight, startOf(view, conv.fanIn, conv.fanOut), true);
    const std::int64_t middle = conv.weight[0], filters = view.integer("filters");
    const ValueIndex filtered = to.add(conv.op, {input});
    ConvOp point{{1, 1}, {0, 0}, {0, 0}, {1, 1}, 1, none, none};
    point.weight = to.parameter("pointwise.weight", {filters, middle, 1, 1}, startOf(view, middle, filters), true);
    point.bias = biasOf(view, to, filters, middle, "pointwise.bias");
    return activated(view, to, to.add(point, {filtered}));
}

std::string convSummary(const LayerView& view)
{
    std::string text;
    if (findParam(view.entry().params, "filters")) text = plural(view.integer("filters"), "filter", "filters");
    else text = "× " + groupedInt(view.integer("multiplier"));
    text += ", " + timesText(axesOf(view, "kernel"));
    const Sizes stride = axesOf(view, "stride");
    if (std::any_of(stride.begin(), stride.end(), [](std::int64_t s) { return s != 1; })) text += ", stride " + timesText(stride);
    const std::string& padding = view.choice("padding");
    text += padding == "explicit" ? ", pad " + timesText(axesOf(view, "pad")) : ", " + padding;
    return text + activationSuffix(view);
}

std::vector<std::pair<std::string, std::string>> kerasArguments(bool depthwise)
{
    std::vector<std::pair<std::string, std::string>> names{{"kernel", "kernel_size"}, {"stride", "strides"}, {"padding", "padding"},
        {"pad", ""}, {"activation", "activation"}, {"bias", "use_bias"}, {"dilation", "dilation_rate"}};
    names.emplace_back("initialiser", depthwise ? "depthwise_initializer" : "kernel_initializer");
    return names;
}

std::vector<std::pair<std::string, std::string>> torchArguments()
{
    return {{"kernel", "kernel_size"}, {"stride", "stride"}, {"padding", "padding"}, {"pad", "padding"},
            {"activation", ""}, {"bias", "bias"}, {"dilation", "dilation"}, {"initialiser", ""}};
}

ParamDescriptor filtersParam()
{
    return intParam("filters", "Filters", 32, 1, 65'536, "How many patterns are looked for: the channels that come out.");
}

ParamDescriptor groupsParam()
{
    return advanced(intParam("groups", "Groups", 1, 1, 65'536, "Splits the channels into groups that do not see each other. Must divide both the input's channels and the filters."));
}

ParamDescriptor multiplierParam(const std::string& help)
{
    return advanced(intParam("multiplier", "Multiplier", 1, 1, 1024, help));
}

std::vector<ParamDescriptor> windowParams2d()
{
    return {intsParam("kernel", "Kernel", {3, 3}, 2, 2, 1, 255, "Height and width of a filter."),
            intsParam("stride", "Stride", {1, 1}, 2, 2, 1, 255, "How far the filter moves each time: 2 halves the picture."),
            paddingParam(), padParam(2)};
}

ParamDescriptor dilationParam2d()
{
    return advanced(intsParam("dilation", "Dilation", {1, 1}, 2, 2, 1, 255, "Distance between the pixels that a filter looks at: 2 leaves one out, so it sees further with the same weights."));
}

LayerEntry conv(const char* id, const char* title, const char* stem)
{
    LayerEntry e;
    e.id = id;
    e.title = title;
    e.nameStem = stem;
    e.group = LayerGroup::Convolution;
    e.icon = "conv";
    e.summary = convSummary;
    e.lower = lowerConv;
    e.shape = conv2dShape;
    return e;
}

} // namespace

LayerEntry conv1d()
{
    LayerEntry e = conv("conv1d", "Conv 1D", "conv");
    e.help = "Slides small filters along a sequence. Each one answers where it finds its pattern: good for sound, sensors and text.";
    e.keywords = "convolution kernel filter cnn sequence temporal";
    e.params = {filtersParam(),
                intParam("kernel", "Kernel", 3, 1, 255, "Length of a filter."),
                intParam("stride", "Stride", 1, 1, 255, "How far the filter moves each time: 2 halves the sequence."),
                paddingParam(), padParam(1), activationParam(), biasParam("filter"),
                advanced(intParam("dilation", "Dilation", 1, 1, 255, "Distance between the steps that a filter looks at.")), groupsParam(), initialiserParam()};
    e.shape = conv1dShape;
    e.keras = {"Conv1D", kerasArguments(false)};
    e.pytorch = {"Conv1d", torchArguments()};
    for (ForeignNames* names : {&e.keras, &e.pytorch}) names->arguments.emplace_back("groups", "groups");
    e.keras.arguments.emplace_back("filters", "filters");
    e.pytorch.arguments.emplace_back("filters", "out_channels");
    return e;
}

LayerEntry conv2d()
{
    LayerEntry e = conv("conv2d", "Conv 2D", "conv");
    e.help = "Slides small filters over the picture. Each one answers where it finds its pattern.";
    e.keywords = "convolution kernel filter cnn image";
    e.params = windowParams2d();
    e.params.insert(e.params.begin(), filtersParam());
    for (ParamDescriptor& each : std::vector<ParamDescriptor>{activationParam(), biasParam("filter"), dilationParam2d(), groupsParam(), initialiserParam()})
        e.params.push_back(std::move(each));
    e.keras = {"Conv2D", kerasArguments(false)};
    e.pytorch = {"Conv2d", torchArguments()};
    for (ForeignNames* names : {&e.keras, &e.pytorch}) names->arguments.emplace_back("groups", "groups");
    e.keras.arguments.emplace_back("filters", "filters");
    e.pytorch.arguments.emplace_back("filters", "out_channels");
    return e;
}

LayerEntry depthwiseConv2d()
{
    LayerEntry e = conv("depthwise_conv2d", "Depthwise conv 2D", "depthwise");
    e.help = "Gives every channel a small filter of its own and does not mix channels: much cheaper than Conv 2D. A 1×1 Conv 2D behind it does the mixing.";
    e.keywords = "convolution depthwise mobile cheap";
    e.params = windowParams2d();
    e.params.insert(e.params.begin() + 1, multiplierParam("Filters per channel."));
    for (ParamDescriptor& each : std::vector<ParamDescriptor>{activationParam(), biasParam("filter"), dilationParam2d(), initialiserParam()})
        e.params.push_back(std::move(each));
    e.keras = {"DepthwiseConv2D", kerasArguments(true)};
    e.pytorch = {"Conv2d", torchArguments()};
    e.keras.arguments.emplace_back("multiplier", "depth_multiplier");
    e.pytorch.arguments.emplace_back("multiplier", "out_channels"); // times the input's channels, with as many groups
    return e;
}

LayerEntry separableConv2d()
{
    LayerEntry e = conv("separable_conv2d", "Separable conv 2D", "separable");
    e.help = "A depthwise convolution followed by a 1×1 convolution that mixes the channels: nearly as good as Conv 2D with far fewer weights.";
    e.keywords = "convolution separable xception mobile cheap depthwise pointwise";
    e.params = windowParams2d();
    e.params.insert(e.params.begin(), filtersParam());
    for (ParamDescriptor& each : std::vector<ParamDescriptor>{activationParam(), biasParam("filter"), multiplierParam("Depthwise filters per channel."), dilationParam2d(), initialiserParam()})
        e.params.push_back(std::move(each));
    e.shape = separableShape;
    e.lower = lowerSeparable;
    e.keras = {"SeparableConv2D", kerasArguments(true)};
    e.keras.arguments.emplace_back("filters", "filters");
    e.keras.arguments.emplace_back("multiplier", "depth_multiplier");
    e.pytorch = {"", torchArguments()}; // two Conv2d in a row
    for (auto& argument : e.pytorch.arguments) argument.second.clear();
    e.pytorch.arguments.emplace_back("filters", "");
    e.pytorch.arguments.emplace_back("multiplier", "");
    return e;
}

} // namespace sconce::layers
