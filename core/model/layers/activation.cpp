// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/model/layers/layers.h"

#include "core/base/text.h"

namespace sconce::layers {

namespace {

ShapeOutcome sameShape(const LayerView&, const ValueType& input)
{
    return ShapeOutcome::of(input);
}

template <Function function> ValueIndex lowerPlain(const LayerView&, Lowering& to, ValueIndex input)
{
    return to.add(ActivationOp{function, 0}, {input});
}

template <bool logarithm> ValueIndex lowerSoftmax(const LayerView&, Lowering& to, ValueIndex input)
{
    return to.add(SoftmaxOp{channelAxis(to.typeOf(input)), logarithm}, {input});
}

LayerEntry activation(const char* id, const char* title, const char* help, const char* keywords, const char* keras, const char* pytorch)
{
    LayerEntry e;
    e.id = id;
    e.title = title;
    e.group = LayerGroup::Activation;
    e.icon = "activation";
    e.nameStem = id;
    e.help = help;
    e.keywords = keywords;
    e.summary = [](const LayerView&) { return std::string("number by number"); };
    e.shape = sameShape;
    e.keras.className = keras;
    e.pytorch.className = pytorch;
    return e;
}

} // namespace

LayerEntry relu()
{
    LayerEntry e = activation("relu", "ReLU", "Sets negative numbers to 0 and leaves the rest. The usual bend between layers: simple, fast and it works.", "activation rectifier", "ReLU", "ReLU");
    e.lower = lowerPlain<Function::Relu>;
    return e;
}

LayerEntry leakyRelu()
{
    LayerEntry e = activation("leaky_relu", "Leaky ReLU", "Like ReLU, but negative numbers are shrunk instead of removed, so that no unit falls silent for ever.", "activation rectifier", "LeakyReLU", "LeakyReLU");
    e.params = {realParam("slope", "Slope", 0.3, 0.0, 1.0, "What negative numbers are multiplied by. Keras has 0.3, PyTorch 0.01.")};
    e.summary = [](const LayerView& v) { return "slope " + realText(v.real("slope")); };
    e.lower = [](const LayerView& v, Lowering& to, ValueIndex input) { return to.add(ActivationOp{Function::LeakyRelu, v.real("slope")}, {input}); };
    e.keras.arguments = {{"slope", "negative_slope"}};
    e.pytorch.arguments = {{"slope", "negative_slope"}};
    return e;
}

LayerEntry gelu()
{
    LayerEntry e = activation("gelu", "GELU", "A ReLU with a soft bend. The usual choice in transformers.", "activation gaussian", "Activation", "GELU");
    e.params = {advanced(choiceParam("approximate", "Formula", "none", {{"none", "exact", "With the error function."}, {"tanh", "tanh", "The faster approximation that some models were trained with."}}, "Which of the two formulas is used."))};
    e.lower = [](const LayerView& v, Lowering& to, ValueIndex input) {
        return to.add(ActivationOp{v.choice("approximate") == "tanh" ? Function::GeluTanh : Function::Gelu, 0}, {input});
    };
    e.keras.arguments = {{"approximate", "approximate"}};
    e.pytorch.arguments = {{"approximate", "approximate"}};
    return e;
}

LayerEntry silu()
{
    LayerEntry e = activation("silu", "SiLU", "A number times its own sigmoid, also called swish: a ReLU with a soft bend.", "activation swish", "Activation", "SiLU");
    e.lower = lowerPlain<Function::Silu>;
    return e;
}

LayerEntry sigmoid()
{
    LayerEntry e = activation("sigmoid", "Sigmoid", "Squeezes every number between 0 and 1. Good for yes-or-no answers, slow to learn inside deep networks.", "activation logistic", "Activation", "Sigmoid");
    e.lower = lowerPlain<Function::Sigmoid>;
    return e;
}

LayerEntry tanh()
{
    LayerEntry e = activation("tanh", "Tanh", "Squeezes every number between −1 and 1.", "activation hyperbolic tangent", "Activation", "Tanh");
    e.lower = lowerPlain<Function::Tanh>;
    return e;
}

LayerEntry elu()
{
    LayerEntry e = activation("elu", "ELU", "Like ReLU, but negative numbers level off softly instead of being cut.", "activation exponential", "ELU", "ELU");
    e.params = {realParam("alpha", "Alpha", 1.0, 0.0, 100.0, "How far below 0 negative numbers may go.")};
    e.summary = [](const LayerView& v) { return "alpha " + realText(v.real("alpha")); };
    e.lower = [](const LayerView& v, Lowering& to, ValueIndex input) { return to.add(ActivationOp{Function::Elu, v.real("alpha")}, {input}); };
    e.keras.arguments = {{"alpha", "alpha"}};
    e.pytorch.arguments = {{"alpha", "alpha"}};
    return e;
}

LayerEntry softplus()
{
    LayerEntry e = activation("softplus", "Softplus", "A smooth ReLU whose result is always above 0.", "activation positive", "Activation", "Softplus");
    e.lower = lowerPlain<Function::Softplus>;
    return e;
}

LayerEntry hardSwish()
{
    LayerEntry e = activation("hard_swish", "Hard swish", "SiLU made of straight lines: nearly the same result, cheaper to compute.", "activation hard silu mobile", "Activation", "Hardswish");
    e.lower = lowerPlain<Function::HardSwish>;
    return e;
}

LayerEntry softmax()
{
    LayerEntry e = activation("softmax", "Softmax", "Turns numbers into shares that add up to 1. At the end of a classifier it is not needed: the loss, cross-entropy, already contains it.", "activation probabilities classes", "Softmax", "Softmax");
    e.icon = "softmax";
    e.summary = [](const LayerView&) { return std::string("shares that add up to 1"); };
    e.lower = lowerSoftmax<false>;
    return e;
}

LayerEntry logSoftmax()
{
    LayerEntry e = activation("log_softmax", "Log softmax", "The logarithm of softmax. At the end of a classifier it is not needed: the loss, cross-entropy, already contains it.", "activation logarithm probabilities", "Activation", "LogSoftmax");
    e.icon = "softmax";
    e.summary = [](const LayerView&) { return std::string("logarithms of shares"); };
    e.lower = lowerSoftmax<true>;
    return e;
}

} // namespace sconce::layers
