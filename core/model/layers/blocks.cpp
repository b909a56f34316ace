// SPDX-License-Identifier: GPL-3.0-or-later
// Blocks hold stacks of their own. shape() and lower() of a block walk its branches and end in join() and lowerJoin().
#include "core/model/layers/layers.h"

#include "core/base/text.h"
#include "core/model/catalogue.h"

namespace sconce::layers {

namespace {

std::optional<ValueType> branchType(const Stack& branch, ValueType type, int depth)
{
    if (depth > maxBlockDepth) return std::nullopt;
    for (const Layer& layer : branch.layers) {
        const LayerEntry* entry = findLayerEntry(layer.type);
        if (!entry || (isSymbols(type) && !entry->takesSymbols && !entry->isBlock())) return std::nullopt;
        ShapeOutcome outcome = entry->shape(LayerView(*entry, layer), type);
        if (outcome.problem) return std::nullopt;
        type = std::move(outcome.type);
    }
    return type;
}

ShapeOutcome blockShape(const LayerView& view, const ValueType& input)
{
    // Nested blocks come back here: the depth is that of this call chain.
    static thread_local int depth = 0;
    struct Deeper { Deeper() { ++depth; } ~Deeper() { --depth; } } deeper;
    std::vector<ValueType> outputs;
    for (const Stack& branch : view.layer().branches) {
        std::optional<ValueType> type = branchType(branch, input, depth);
        if (!type) return ShapeOutcome::fail({"", "A layer inside it has a problem.", "branches", {}});
        outputs.push_back(std::move(*type));
    }
    const int count = static_cast<int>(outputs.size());
    if (count < view.entry().minBranches || count > view.entry().maxBranches)
        return ShapeOutcome::fail({"", "It holds " + plural(count, "branch", "branches") + ".", "branches", {}});
    return view.entry().join(view, input, outputs);
}

ValueIndex lowerBlock(const LayerView& view, Lowering& to, ValueIndex input)
{
    std::vector<ValueIndex> outputs;
    for (const Stack& branch : view.layer().branches) outputs.push_back(to.lowerBranch(branch, input));
    return view.entry().lowerJoin(view, to, input, outputs);
}

// ---- residual ----

/// The stride that brings a picture of `from` pixels to `to` with a 1×1 window; 0 if none does.
std::int64_t strideBetween(std::int64_t from, std::int64_t to)
{
    if (to < 1 || to > from) return 0;
    const std::int64_t first = (from - 1) / to + 1;
    for (std::int64_t stride : {first, from / to})
        if (stride >= 1 && (from - 1) / stride + 1 == to) return stride;
    return 0;
}

/// Strides of the 1×1 convolution that brings the input to the branch's shape (none for a row and for positions, where a matrix does it);
/// nothing if there are none.
std::optional<Sizes> projectionStrides(const ValueType& input, const ValueType& output)
{
    if (input.rank() != output.rank() || hasPositions(input) != hasPositions(output)) return std::nullopt;
    if (hasPositions(input)) return input.dims[0] == output.dims[0] ? std::optional(Sizes{}) : std::nullopt;
    Sizes strides;
    for (std::size_t a = 1; a < input.dims.size(); ++a) {
        strides.push_back(strideBetween(input.dims[a].size, output.dims[a].size));
        if (strides.back() == 0) return std::nullopt;
    }
    return strides;
}

ShapeOutcome residualJoin(const LayerView& view, const ValueType& input, const std::vector<ValueType>& outputs)
{
    const ValueType& output = outputs.front();
    if (auto problem = expectNumbers(input)) return ShapeOutcome::fail(std::move(*problem));
    if (output.sizes() == input.sizes()) return ShapeOutcome::of(input);
    const bool possible = projectionStrides(input, output).has_value();
    if (possible && view.choice("projection") == "auto") return ShapeOutcome::of(output);
    LayerProblem problem;
    problem.because = "Its branch gives " + output.text() + " and its input is " + input.text() + ", so they cannot be added.";
    problem.param = "branches";
    if (possible) {
        problem.param = "projection";
        problem.fixes.push_back(setParam("Add a projection", "projection", std::string("auto")));
    }
    return ShapeOutcome::fail(std::move(problem), output);
}

ValueIndex lowerResidual(const LayerView& view, Lowering& to, ValueIndex input, const std::vector<ValueIndex>& outputs)
{
    const ValueType in = to.typeOf(input), out = to.typeOf(outputs.front());
    ValueIndex shortcut = input;
    if (in.sizes() != out.sizes()) {
        const auto channels = static_cast<std::size_t>(channelAxis(in));
        const std::int64_t from = in.dims[channels].size, count = out.dims[channels].size;
        Initialiser start{Initialiser::Kind::GlorotUniform, 0, from, count};
        Sizes shape{count, from};
        if (in.rank() == 1 || hasPositions(in)) {
            LinearOp op;
            op.weight = to.parameter("projection.weight", shape, start, true);
            op.bias = to.parameter("projection.bias", {count}, {}, false);
            shortcut = to.add(op, {input});
        } else {
            ConvOp op;
            op.stride = *projectionStrides(in, out);
            const std::size_t axes = op.stride.size();
            op.padBefore = op.padAfter = Sizes(axes, 0);
            op.dilation = Sizes(axes, 1);
            shape.resize(axes + 2, 1);
            op.weight = to.parameter("projection.weight", shape, start, true);
            op.bias = to.parameter("projection.bias", {count}, {}, false);
            shortcut = to.add(op, {input});
        }
    }
    return activated(view, to, to.add(AddOp{}, {shortcut, outputs.front()}));
}

// ---- parallel ----

ShapeOutcome parallelJoin(const LayerView& view, const ValueType&, const std::vector<ValueType>& outputs)
{
    const bool concat = view.choice("join") == "concat";
    static const Plan empty;
    const ConcatOp sideBySide{channelAxis(outputs.front())};
    Result<ValueType> type = concat ? outputType(sideBySide, outputs, empty) : outputType(AddOp{}, outputs, empty);
    if (type.ok()) return ShapeOutcome::of(std::move(type).value());
    LayerProblem problem = problemOf(type.error(), "join");
    problem.because = (concat ? "Its branches cannot be joined: " : "Its branches cannot be added: ") + problem.because;
    if (!concat && outputType(sideBySide, outputs, empty).ok())
        problem.fixes.push_back(setParam("Join the channels instead", "join", std::string("concat")));
    return ShapeOutcome::fail(std::move(problem));
}

ValueIndex lowerParallel(const LayerView& view, Lowering& to, ValueIndex, const std::vector<ValueIndex>& outputs)
{
    const bool concat = view.choice("join") == "concat";
    return activated(view, to, concat ? to.add(ConcatOp{channelAxis(to.typeOf(outputs.front()))}, outputs) : to.add(AddOp{}, outputs));
}

} // namespace

LayerEntry residual()
{
    LayerEntry e;
    e.id = "residual";
    e.title = "Residual";
    e.group = LayerGroup::Block;
    e.icon = "residual";
    e.nameStem = "res";
    e.help = "Adds what its layers make of the input to the input itself. Signals and gradients get past, so that very deep networks still learn.";
    e.keywords = "skip shortcut resnet block add";
    e.minBranches = e.maxBranches = 1;
    e.params = {choiceParam("projection", "Projection", "auto",
                            {{"auto", "where needed", "Where its layers change the shape, a learned 1×1 convolution (in a row or at a position: a matrix) brings the input to it."},
                             {"never", "never", "Its layers must keep the shape."}},
                            "What happens to the input where its layers change the shape."),
                activationParam()};
    e.summary = [](const LayerView& v) { return "input + " + plural(static_cast<std::int64_t>(v.layer().branches.empty() ? 0 : v.layer().branches[0].layers.size()), "layer", "layers") + activationSuffix(v); };
    e.shape = blockShape;
    e.lower = lowerBlock;
    e.join = residualJoin;
    e.lowerJoin = lowerResidual;
    e.keras = {"Add", {{"projection", ""}, {"activation", ""}}};
    e.pytorch = {"", {{"projection", ""}, {"activation", ""}}};
    return e;
}

LayerEntry parallel()
{
    LayerEntry e;
    e.id = "parallel";
    e.title = "Parallel";
    e.group = LayerGroup::Block;
    e.icon = "parallel";
    e.nameStem = "par";
    e.help = "Gives its input to several branches and puts their results together: side by side as channels, or added. A branch without layers passes its input on.";
    e.keywords = "branch concat inception block join add";
    e.minBranches = 2;
    e.maxBranches = 8;
    e.params = {choiceParam("join", "Join", "concat",
                            {{"concat", "side by side", "The channels of all branches, one after the other."}, {"add", "added", "The sum; all branches must give the same shape."}},
                            "How the results come together."),
                activationParam()};
    e.summary = [](const LayerView& v) {
        return plural(static_cast<std::int64_t>(v.layer().branches.size()), "branch", "branches") + (v.choice("join") == "concat" ? ", side by side" : ", added") + activationSuffix(v);
    };
    e.shape = blockShape;
    e.lower = lowerBlock;
    e.join = parallelJoin;
    e.lowerJoin = lowerParallel;
    e.keras = {"Concatenate", {{"join", ""}, {"activation", ""}}};
    e.pytorch = {"", {{"join", ""}, {"activation", ""}}};
    return e;
}

} // namespace sconce::layers
