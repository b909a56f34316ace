// SPDX-License-Identifier: GPL-3.0-or-later
// Layers that only rearrange.
#include "core/model/layers/layers.h"

#include "core/base/text.h"
#include "core/model/checked.h"

#include <algorithm>

namespace sconce::layers {

namespace {

ValueIndex lowerFlatten(const LayerView&, Lowering& to, ValueIndex input)
{
    const ValueType& type = to.typeOf(input);
    if (type.rank() == 1) return input;
    const ValueType flat = featuresType(type.elements());
    return to.add(ReshapeOp{}, {input}, &flat);
}

/// The asked-for shape with its −1 worked out; nothing if that cannot be.
std::optional<Sizes> resolved(const Sizes& asked, std::int64_t elements)
{
    std::int64_t known = 1;
    int open = 0;
    for (std::int64_t size : asked) {
        if (size == 0) return std::nullopt;
        if (size < 0) ++open;
        else known = satMul(known, size);
    }
    if (open > 1 || elements % known != 0 || (open == 0 && known != elements)) return std::nullopt;
    Sizes sizes = asked;
    for (std::int64_t& size : sizes)
        if (size < 0) size = elements / known;
    return sizes;
}

ValueType typeFrom(const Sizes& sizes)
{
    if (sizes.size() == 3) return imageType(sizes[0], sizes[1], sizes[2]);
    if (sizes.size() == 2) return sequenceType(sizes[0], sizes[1]);
    return featuresType(sizes[0]);
}

ShapeOutcome reshapeShape(const LayerView& view, const ValueType& input)
{
    const Sizes& asked = view.ints("shape");
    const std::int64_t elements = input.elements();
    if (auto sizes = resolved(asked, elements)) return ShapeOutcome::of(typeFrom(*sizes));
    LayerProblem problem;
    problem.param = "shape";
    const auto open = std::count_if(asked.begin(), asked.end(), [](std::int64_t size) { return size < 0; });
    if (std::find(asked.begin(), asked.end(), 0) != asked.end()) problem.because = "No axis of a shape can be 0.";
    else if (open > 1) problem.because = "Only one axis of the shape can be −1, the one that is worked out.";
    else {
        std::int64_t known = 1;
        for (std::int64_t size : asked)
            if (size > 0) known = satMul(known, size);
        problem.expects = "expects " + std::string(open ? "a multiple of " : "") + groupedInt(known) + " numbers for its shape";
    }
    Sizes guess = asked;
    guess[0] = -1;
    for (std::size_t a = 1; a < guess.size(); ++a) guess[a] = std::max<std::int64_t>(1, guess[a]);
    if (auto sizes = resolved(guess, elements)) problem.fixes.push_back(setParam("Set shape to " + shapeText(*sizes), "shape", *sizes));
    if (asked.size() > 1) problem.fixes.push_back(setParam("Make it one row", "shape", Sizes{-1}));
    return ShapeOutcome::fail(std::move(problem));
}

ValueIndex lowerReshape(const LayerView& view, Lowering& to, ValueIndex input)
{
    const ValueType type = typeFrom(*resolved(view.ints("shape"), to.typeOf(input).elements()));
    return to.add(ReshapeOp{}, {input}, &type);
}

PadOp padOf(const LayerView& view)
{
    const Sizes& pad = view.ints("pad"); // top, bottom, left, right
    return {{pad[0], pad[2]}, {pad[1], pad[3]}, 0};
}

} // namespace

LayerEntry flatten()
{
    LayerEntry e;
    e.id = "flatten";
    e.title = "Flatten";
    e.group = LayerGroup::Shape;
    e.icon = "flatten";
    e.nameStem = "flatten";
    e.help = "Puts all numbers of a sample in one row, as Dense layers want them. Nothing is learned and nothing is lost.";
    e.keywords = "reshape row vector view";
    e.summary = [](const LayerView&) { return std::string("all numbers in one row"); };
    e.shape = [](const LayerView&, const ValueType& input) { return ShapeOutcome::of(featuresType(input.elements())); };
    e.lower = lowerFlatten;
    e.keras.className = "Flatten";
    e.pytorch.className = "Flatten";
    return e;
}

LayerEntry reshape()
{
    LayerEntry e;
    e.id = "reshape";
    e.title = "Reshape";
    e.group = LayerGroup::Shape;
    e.icon = "reshape";
    e.nameStem = "reshape";
    e.help = "Gives the same numbers another shape, channels first: 784 numbers become a picture 1×28×28.";
    e.keywords = "view shape unflatten";
    e.params = {intsParam("shape", "Shape", {-1}, 1, 3, -1, 1'048'576, "The new sizes, channels first. One of them may be −1: it is worked out from the rest.")};
    e.summary = [](const LayerView& v) { return "to " + shapeText(v.ints("shape")); };
    e.shape = reshapeShape;
    e.lower = lowerReshape;
    e.keras = {"Reshape", {{"shape", "target_shape"}}};
    e.pytorch = {"Unflatten", {{"shape", "unflattened_size"}}};
    return e;
}

LayerEntry zeroPadding2d()
{
    LayerEntry e;
    e.id = "zero_padding2d";
    e.title = "Zero padding 2D";
    e.group = LayerGroup::Shape;
    e.icon = "pad";
    e.nameStem = "pad";
    e.help = "Puts rows and columns of zeros around the picture.";
    e.keywords = "pad border margin";
    e.params = {intsParam("pad", "Pad", {1, 1, 1, 1}, 4, 4, 0, 1024, "Zeros at the top, at the bottom, on the left and on the right.")};
    e.summary = [](const LayerView& v) {
        const Sizes& p = v.ints("pad");
        return std::to_string(p[0]) + " top, " + std::to_string(p[1]) + " bottom, " + std::to_string(p[2]) + " left, " + std::to_string(p[3]) + " right";
    };
    e.shape = [](const LayerView& v, const ValueType& input) {
        if (auto problem = expectImage(input)) return ShapeOutcome::fail(std::move(*problem));
        return shapeOf(padOf(v), input);
    };
    e.lower = [](const LayerView& v, Lowering& to, ValueIndex input) { return to.add(padOf(v), {input}); };
    e.keras = {"ZeroPadding2D", {{"pad", "padding"}}};
    e.pytorch = {"ZeroPad2d", {{"pad", "padding"}}};
    return e;
}

} // namespace sconce::layers
