// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/model/layers/layers.h"

#include <algorithm>

namespace sconce::layers {

namespace {

bool isMaximum(const LayerView& view) { return view.entry().id == "max_pool2d" || view.entry().id == "global_max_pool"; }

Sizes strideOf(const LayerView& view)
{
    Sizes stride = view.ints("stride");
    const Sizes& kernel = view.ints("kernel");
    for (std::size_t a = 0; a < stride.size(); ++a)
        if (stride[a] == 0) stride[a] = kernel[a];
    return stride;
}

PoolOp poolOf(const LayerView& view, const ValueType& input)
{
    PoolOp op;
    op.kind = isMaximum(view) ? PoolOp::Kind::Max : PoolOp::Kind::Average;
    op.kernel = view.ints("kernel");
    op.stride = strideOf(view);
    Padding padding = paddingOf(view, input, op.kernel, op.stride, Sizes(op.kernel.size(), 1));
    op.padBefore = std::move(padding.before);
    op.padAfter = std::move(padding.after);
    op.ceil = view.flag("ceil") && view.choice("padding") != "same";
    // Keras' *same* averages over what is really there; PyTorch counts the zeros unless told otherwise.
    op.countPadding = view.choice("padding") == "explicit" && (isMaximum(view) || view.flag("count_padding"));
    return op;
}

ShapeOutcome poolShape(const LayerView& view, const ValueType& input)
{
    if (auto problem = expectImage(input)) return ShapeOutcome::fail(std::move(*problem));
    const PoolOp op = poolOf(view, input);
    ShapeOutcome outcome = shapeOf(op, input);
    if (!outcome.problem) return outcome;
    Sizes least = op.kernel;
    bool padded = false, larger = false;
    for (std::size_t a = 0; a < least.size(); ++a) {
        padded = padded || op.padBefore[a] > op.kernel[a] / 2;
        larger = larger || op.kernel[a] > input.dims[a + 1].size + op.padBefore[a] + op.padAfter[a];
        least[a] = std::max<std::int64_t>(1, least[a] - op.padBefore[a] - op.padAfter[a]);
    }
    LayerProblem& problem = *outcome.problem;
    problem.param = padded ? "pad" : "kernel";
    if (larger && !padded) problem.expects = "expects pictures of at least " + timesText(least);
    problem.fixes.push_back(setParam("Set padding to same", "padding", std::string("same")));
    return outcome;
}

ValueIndex lowerPool(const LayerView& view, Lowering& to, ValueIndex input)
{
    return to.add(poolOf(view, to.typeOf(input)), {input});
}

std::string poolSummary(const LayerView& view)
{
    std::string text = timesText(view.ints("kernel"));
    if (strideOf(view) != view.ints("kernel")) text += ", stride " + timesText(strideOf(view));
    const std::string& padding = view.choice("padding");
    if (padding == "same") text += ", same";
    if (padding == "explicit") text += ", pad " + timesText(view.ints("pad"));
    return text;
}

GlobalPoolOp globalOf(const LayerView& view)
{
    return {isMaximum(view) ? PoolOp::Kind::Max : PoolOp::Kind::Average, view.flag("keep_dims")};
}

ShapeOutcome globalShape(const LayerView& view, const ValueType& input)
{
    if (auto problem = expectChannels(input)) {
        problem->fixes.insert(problem->fixes.begin(), {"Remove the layer", LayerFix::Kind::Remove, {}, {}});
        return ShapeOutcome::fail(std::move(*problem));
    }
    return shapeOf(globalOf(view), input);
}

ValueIndex lowerGlobal(const LayerView& view, Lowering& to, ValueIndex input)
{
    return to.add(globalOf(view), {input});
}

LayerEntry pool(const char* id, const char* title, const char* stem)
{
    LayerEntry e;
    e.id = id;
    e.title = title;
    e.group = LayerGroup::Pooling;
    e.icon = "pool";
    e.nameStem = stem;
    e.params = {intsParam("kernel", "Size", {2, 2}, 2, 2, 1, 255, "Height and width of the window."),
                intsParam("stride", "Stride", {0, 0}, 2, 2, 0, 255, "How far the window moves each time. 0: by its own size, so that windows do not overlap."),
                paddingParam(), padParam(2),
                advanced(boolParam("ceil", "Keep the rest", false, "Also counts a last window that hangs over the edge (PyTorch's ceil_mode)."))};
    e.summary = poolSummary;
    e.shape = poolShape;
    e.lower = lowerPool;
    e.keras.arguments = {{"kernel", "pool_size"}, {"stride", "strides"}, {"padding", "padding"}, {"pad", ""}, {"ceil", ""}};
    e.pytorch.arguments = {{"kernel", "kernel_size"}, {"stride", "stride"}, {"padding", ""}, {"pad", "padding"}, {"ceil", "ceil_mode"}};
    return e;
}

LayerEntry globalPool(const char* id, const char* title)
{
    LayerEntry e;
    e.id = id;
    e.title = title;
    e.group = LayerGroup::Pooling;
    e.icon = "globalpool";
    e.nameStem = "pool";
    e.params = {advanced(boolParam("keep_dims", "Keep the axes", false, "Leaves height and width as 1 instead of making one row."))};
    e.summary = [](const LayerView& v) { return std::string(v.flag("keep_dims") ? "one number per channel, axes kept" : "one number per channel"); };
    e.shape = globalShape;
    e.lower = lowerGlobal;
    e.keras.arguments = {{"keep_dims", "keepdims"}};
    e.pytorch.arguments = {{"keep_dims", ""}};
    return e;
}

} // namespace

LayerEntry maxPool2d()
{
    LayerEntry e = pool("max_pool2d", "Max pool 2D", "pool");
    e.help = "Keeps the largest number of each little window. The picture gets smaller, what was found stays.";
    e.keywords = "pooling maximum downsample subsample shrink";
    e.keras.className = "MaxPooling2D";
    e.pytorch.className = "MaxPool2d";
    return e;
}

LayerEntry averagePool2d()
{
    LayerEntry e = pool("average_pool2d", "Average pool 2D", "pool");
    e.help = "Replaces each little window by its average: a smaller, softer picture.";
    e.keywords = "pooling mean downsample subsample shrink";
    ParamDescriptor count = advanced(boolParam("count_padding", "Count the padding", true, "Zeros of the padding count in the average (PyTorch's count_include_pad)."));
    count.onlyWhen = "padding=explicit";
    e.params.push_back(std::move(count));
    e.keras.className = "AveragePooling2D";
    e.keras.arguments.emplace_back("count_padding", "");
    e.pytorch.className = "AvgPool2d";
    e.pytorch.arguments.emplace_back("count_padding", "count_include_pad");
    return e;
}

LayerEntry globalAveragePool()
{
    LayerEntry e = globalPool("global_average_pool", "Global average pool");
    e.help = "Averages each channel over the whole picture: one number per channel, ready for a Dense layer, for pictures of any size.";
    e.keywords = "pooling gap mean global";
    e.keras.className = "GlobalAveragePooling2D";
    e.pytorch.className = "AdaptiveAvgPool2d";
    return e;
}

LayerEntry globalMaxPool()
{
    LayerEntry e = globalPool("global_max_pool", "Global max pool");
    e.help = "Takes the largest number of each channel over the whole picture: it answers whether a pattern was found anywhere.";
    e.keywords = "pooling gmp maximum global";
    e.keras.className = "GlobalMaxPooling2D";
    e.pytorch.className = "AdaptiveMaxPool2d";
    return e;
}

} // namespace sconce::layers
