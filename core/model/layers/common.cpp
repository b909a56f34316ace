// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/model/layers/layers.h"

#include "core/base/text.h"

#include <cmath>

namespace sconce::layers {

ParamDescriptor activationParam()
{
    return choiceParam("activation", "Activation", "none",
                       {{"none", "None", "The numbers as they are."},
                        {"relu", "ReLU", "Negative numbers become 0. The usual choice."},
                        {"leaky_relu", "Leaky ReLU", "Negative numbers shrink to a fifth, as Keras' activation of that name does."},
                        {"gelu", "GELU", "A smooth ReLU, common in transformers."},
                        {"silu", "SiLU", "A smooth ReLU, also called swish."},
                        {"sigmoid", "Sigmoid", "Squeezes every number between 0 and 1."},
                        {"tanh", "Tanh", "Squeezes every number between −1 and 1."},
                        {"softmax", "Softmax", "Turns the numbers into shares that add up to 1."}},
                       "A bend after the sum. Without one, several layers in a row could do no more than a single one.");
}

ParamDescriptor biasParam(const std::string& per)
{
    return boolParam("bias", "Bias", true, "Adds one learned number per " + per + ". Not needed right before a normalisation.");
}

ParamDescriptor initialiserParam()
{
    return advanced(choiceParam("initialiser", "Start values", "glorot_uniform",
                                {{"glorot_uniform", "Glorot uniform", "Keras' default."},
                                 {"glorot_normal", "Glorot normal", "The same spread, bell-shaped."},
                                 {"he_uniform", "He uniform", "Wider; made for ReLU."},
                                 {"he_normal", "He normal", "Wider, bell-shaped; made for ReLU."},
                                 {"pytorch", "PyTorch's default", "Uniform in ±1/√(inputs), for weights and bias."},
                                 {"zeros", "Zeros", "All zero: only for the last layer of a residual branch."}},
                                "How the weights are drawn before training. The bias starts at zero, unless PyTorch's default is chosen."));
}

ParamDescriptor paddingParam()
{
    return choiceParam("padding", "Padding", "valid",
                       {{"valid", "valid", "No padding: the result shrinks at the edges."},
                        {"same", "same", "Zeros around the input, so that the result has its size divided by the stride, as in Keras."},
                        {"explicit", "numbers", "As many zeros on each side as *Pad* says, as in PyTorch."}},
                       "What happens at the edges.");
}

ParamDescriptor padParam(int axes)
{
    ParamDescriptor pad = axes == 1 ? intParam("pad", "Pad", 1, 0, 1024, "Zeros on each side.")
                                    : intsParam("pad", "Pad", Sizes(static_cast<std::size_t>(axes), 1), axes, axes, 0, 1024,
                                                "Zeros above and below, and left and right.");
    pad.onlyWhen = "padding=explicit";
    return pad;
}

Sizes axesOf(const LayerView& view, std::string_view id)
{
    const ParamDescriptor* descriptor = findParam(view.entry().params, id);
    if (descriptor && descriptor->kind == ParamKind::Int) return {view.integer(id)};
    return view.ints(id);
}

Padding paddingOf(const LayerView& view, const ValueType& input, const Sizes& kernel, const Sizes& stride, const Sizes& dilation)
{
    const std::size_t axes = kernel.size();
    Padding padding{Sizes(axes, 0), Sizes(axes, 0)};
    const std::string& how = view.choice("padding");
    if (how == "explicit") {
        padding.before = padding.after = axesOf(view, "pad");
    } else if (how == "same") {
        for (std::size_t a = 0; a < axes; ++a) {
            const std::int64_t size = input.dims[a + 1].size;
            const std::int64_t results = (size - 1) / stride[a] + 1;
            const std::int64_t total = std::max<std::int64_t>(0, (results - 1) * stride[a] + dilation[a] * (kernel[a] - 1) + 1 - size);
            padding.before[a] = total / 2;
            padding.after[a] = total - total / 2;
        }
    }
    return padding;
}

Initialiser startOf(const LayerView& view, std::int64_t fanIn, std::int64_t fanOut)
{
    using Kind = Initialiser::Kind;
    const std::string& id = view.choice("initialiser");
    Initialiser init;
    init.fanIn = fanIn;
    init.fanOut = fanOut;
    if (id == "glorot_uniform") init.kind = Kind::GlorotUniform;
    else if (id == "glorot_normal") init.kind = Kind::GlorotNormal;
    else if (id == "he_uniform") init.kind = Kind::HeUniform;
    else if (id == "he_normal") init.kind = Kind::HeNormal;
    else if (id == "pytorch") {
        init.kind = Kind::Uniform;
        init.value = 1.0 / std::sqrt(static_cast<double>(std::max<std::int64_t>(1, fanIn)));
    }
    return init;
}

ParamIndex biasOf(const LayerView& view, Lowering& to, std::int64_t count, std::int64_t fanIn, const std::string& suffix)
{
    if (!view.flag("bias")) return none;
    Initialiser init;
    if (view.choice("initialiser") == "pytorch") init = startOf(view, fanIn, count);
    return to.parameter(suffix, {count}, init, false);
}

ValueIndex activated(const LayerView& view, Lowering& to, ValueIndex value)
{
    const std::string& id = view.choice("activation");
    if (id == "none") return value;
    if (id == "softmax") {
        // Over the features of a row or of each position, else over the channels: the axis that Keras has last.
        return to.add(SoftmaxOp{channelAxis(to.typeOf(value)), false}, {value});
    }
    ActivationOp op;
    if (id == "relu") op.function = Function::Relu;
    else if (id == "leaky_relu") op = {Function::LeakyRelu, 0.2};
    else if (id == "gelu") op.function = Function::Gelu;
    else if (id == "silu") op.function = Function::Silu;
    else if (id == "sigmoid") op.function = Function::Sigmoid;
    else if (id == "tanh") op.function = Function::Tanh;
    else return value;
    return to.add(op, {value});
}

std::string activationSuffix(const LayerView& view)
{
    const std::string& id = view.choice("activation");
    if (id == "none") return {};
    const ParamDescriptor* descriptor = findParam(view.entry().params, "activation");
    return ", " + paramText(*descriptor, id);
}

std::string timesText(const Sizes& sizes)
{
    return shapeText(sizes);
}

namespace {

LayerFix globalPoolFix()
{
    return insertBefore("Insert Global average pool", "global_average_pool");
}

LayerFix reshapeFix(const Sizes& shape)
{
    return insertBefore("Insert Reshape to " + shapeText(shape), "reshape", {{"shape", shape}});
}

} // namespace

std::optional<LayerProblem> expectNumbers(const ValueType& input)
{
    if (!isSymbols(input)) return std::nullopt;
    return LayerProblem{"expects numbers", "An Embedding gives each symbol numbers of its own.", "",
                        {insertBefore("Insert Embedding", "embedding")}};
}

std::optional<LayerProblem> expectRow(const ValueType& input)
{
    if (input.rank() == 1 || hasPositions(input)) return std::nullopt;
    return LayerProblem{"expects one row of numbers", "", "", {insertBefore("Insert Flatten", "flatten"), globalPoolFix()}};
}

std::optional<LayerProblem> expectSequence(const ValueType& input)
{
    if (input.rank() == 2 && !hasPositions(input)) return std::nullopt;
    LayerProblem problem{"expects a sequence (channels×length)", "", "", {}};
    if (hasPositions(input)) { // a reshape would mix up features and positions
        problem.because = "Here the length comes first, as Self-attention and Dense want it.";
        return problem;
    }
    const Sizes sizes = input.sizes();
    problem.fixes.push_back(reshapeFix(input.rank() == 1 ? Sizes{1, sizes[0]} : Sizes{sizes[0], input.elements() / sizes[0]}));
    return problem;
}

std::optional<LayerProblem> expectImage(const ValueType& input)
{
    if (input.rank() == 3) return std::nullopt;
    LayerProblem problem{"expects pictures (channels×height×width)", "", "", {}};
    const Sizes sizes = input.sizes();
    if (input.rank() == 2 && !hasPositions(input)) problem.fixes.push_back(reshapeFix({sizes[0], 1, sizes[1]}));
    if (input.rank() == 1) {
        for (std::int64_t channels : {1, 3}) {
            if (sizes[0] % channels != 0) continue;
            const auto side = static_cast<std::int64_t>(std::llround(std::sqrt(static_cast<double>(sizes[0] / channels))));
            if (side > 1 && side * side * channels == sizes[0]) problem.fixes.push_back(reshapeFix({channels, side, side}));
        }
        if (problem.fixes.empty()) problem.fixes.push_back(reshapeFix({sizes[0], 1, 1}));
    }
    return problem;
}

std::optional<LayerProblem> expectChannels(const ValueType& input)
{
    if (input.rank() >= 2) return std::nullopt;
    LayerProblem problem = *expectImage(input);
    problem.expects = "expects pictures or sequences";
    return problem;
}

std::optional<LayerProblem> expectPositions(const ValueType& input)
{
    if (hasPositions(input)) return std::nullopt;
    LayerProblem problem{"expects numbers at each position (length×features)", "", "", {}};
    problem.because = "An Embedding makes them of a text.";
    return problem;
}

std::optional<LayerProblem> expectChannelsFirst(const ValueType& input)
{
    if (!hasPositions(input)) return std::nullopt;
    return LayerProblem{"expects channels first", "It would reckon positions together, later ones with earlier ones. Layer norm takes each by itself.", "",
                        {{"Remove the layer", LayerFix::Kind::Remove, {}, {}}}};
}

LayerProblem problemOf(const Error& error, std::string param)
{
    return {"", error.message, std::move(param), {}};
}

LayerFix setParam(std::string title, std::string id, ParamValue value)
{
    return {std::move(title), LayerFix::Kind::SetParam, {}, {{std::move(id), std::move(value)}}};
}

LayerFix insertBefore(std::string title, std::string type, ParamValues params)
{
    return {std::move(title), LayerFix::Kind::InsertBefore, std::move(type), std::move(params)};
}

ShapeOutcome shapeOf(const Operation& op, const ValueType& input)
{
    static const Plan empty;
    Result<ValueType> type = outputType(op, {input}, empty);
    return type.ok() ? ShapeOutcome::of(std::move(type).value()) : ShapeOutcome::fail(problemOf(type.error()));
}

} // namespace sconce::layers
