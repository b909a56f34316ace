// SPDX-License-Identifier: GPL-3.0-or-later
// What a transformer is made of, beside Dense, Layer norm and Residual. Sequences lie length first: [length, features].
#include "core/model/layers/layers.h"

#include "core/base/text.h"

#include <numeric>

namespace sconce::layers {

namespace {

/// How far apart learned rows start. 0.02 is GPT-2's (Radford et al. 2019).
ParamDescriptor spreadParam(const std::string& title, const std::string& help)
{
    ParamDescriptor spread = advanced(realParam("spread", title, 0.02, 1e-6, 10.0, help));
    spread.logarithmic = true;
    return spread;
}

Initialiser spreadOf(const LayerView& view)
{
    Initialiser init;
    init.kind = Initialiser::Kind::Normal;
    init.value = view.real("spread");
    return init;
}

// ---- embedding ----

ShapeOutcome embeddingShape(const LayerView& view, const ValueType& input)
{
    ValueType type = input;
    type.dtype = DType::F32;
    type.dims.push_back({Axis::Feature, view.integer("width")});
    if (isSymbols(input) && type.elements() <= maxValueElements) return ShapeOutcome::of(std::move(type));
    if (isSymbols(input)) return ShapeOutcome::fail({"", "The result would hold more than " + shortCount(maxValueElements) + " numbers for one sample.", "width", {}});
    LayerProblem problem{"expects symbols", "It looks up a row for each symbol of a text. These are numbers already.", "", {}};
    problem.fixes.push_back({"Remove the layer", LayerFix::Kind::Remove, {}, {}});
    return ShapeOutcome::fail(std::move(problem));
}

ValueIndex lowerEmbedding(const LayerView& view, Lowering& to, ValueIndex input)
{
    EmbeddingOp op;
    op.weight = to.parameter("weight", {view.integer("symbols"), view.integer("width")}, spreadOf(view), true);
    return to.add(op, {input});
}

// ---- positions ----

ShapeOutcome positionsShape(const LayerView&, const ValueType& input)
{
    if (auto problem = expectPositions(input)) return ShapeOutcome::fail(std::move(*problem));
    return ShapeOutcome::of(input);
}

ValueIndex lowerPositions(const LayerView& view, Lowering& to, ValueIndex input)
{
    OffsetOp op;
    op.weight = to.parameter("weight", to.typeOf(input).sizes(), spreadOf(view), true);
    return to.add(op, {input});
}

// ---- self-attention ----

ShapeOutcome attentionShape(const LayerView& view, const ValueType& input)
{
    if (auto problem = expectPositions(input)) return ShapeOutcome::fail(std::move(*problem));
    const std::int64_t heads = view.integer("heads"), width = input.dims[1].size;
    if (width % heads == 0) return ShapeOutcome::of(input);
    LayerProblem problem;
    problem.because = groupedInt(width) + " numbers per position cannot be shared out evenly among " + plural(heads, "head", "heads") + ".";
    problem.param = "heads";
    const std::int64_t fitting = std::gcd(heads, width);
    problem.fixes.push_back(setParam("Set heads to " + groupedInt(fitting), "heads", fitting));
    return ShapeOutcome::fail(std::move(problem), input);
}

/// A matrix on every position.
ValueIndex projected(const LayerView& view, Lowering& to, ValueIndex input, const std::string& name, std::int64_t in, std::int64_t out)
{
    LinearOp op;
    op.weight = to.parameter(name + ".weight", {out, in}, startOf(view, in, in), true); // queries, keys and values each start as a matrix of their own
    op.bias = biasOf(view, to, out, in, name + ".bias");
    return to.add(op, {input});
}

ValueIndex lowerAttention(const LayerView& view, Lowering& to, ValueIndex input)
{
    const std::int64_t width = to.typeOf(input).dims[1].size;
    const ValueIndex all = projected(view, to, input, "qkv", width, 3 * width);
    const ValueIndex seen = to.add(AttentionOp{view.integer("heads"), view.flag("causal"), view.real("attention_dropout"), view.layer().id}, {all});
    return projected(view, to, seen, "out", width, width);
}

} // namespace

LayerEntry embedding()
{
    LayerEntry e;
    e.id = "embedding";
    e.title = "Embedding";
    e.group = LayerGroup::Sequence;
    e.icon = "embedding";
    e.nameStem = "embed";
    e.help = "Gives each symbol of a text a row of numbers, which is learned: symbols that are used alike come to lie close together. The first layer of every network that reads text.";
    e.keywords = "token lookup text word character symbol vocabulary transformer gpt language";
    e.takesSymbols = true;
    e.params = {intParam("symbols", "Symbols", 256, 1, 1'048'576, "How many different symbols there are: at least as many as the text has."),
                intParam("width", "Width", 128, 1, 65'536, "How many numbers each symbol gets."),
                spreadParam("Start spread", "How far from 0 the rows begin. GPT-2 has 0.02, PyTorch 1, Keras draws evenly within ±0.05.")};
    e.summary = [](const LayerView& v) { return plural(v.integer("symbols"), "symbol", "symbols") + ", width " + groupedInt(v.integer("width")); };
    e.shape = embeddingShape;
    e.lower = lowerEmbedding;
    e.keras = {"Embedding", {{"symbols", "input_dim"}, {"width", "output_dim"}, {"spread", "embeddings_initializer"}}};
    e.pytorch = {"Embedding", {{"symbols", "num_embeddings"}, {"width", "embedding_dim"}, {"spread", ""}}};
    return e;
}

LayerEntry positions()
{
    LayerEntry e;
    e.id = "positions";
    e.title = "Positions";
    e.group = LayerGroup::Sequence;
    e.icon = "positions";
    e.nameStem = "pos";
    e.help = "Adds learned numbers to each position of a sequence. Attention sees its positions as a heap without an order: this tells it which comes where. Belongs right behind the Embedding.";
    e.keywords = "position embedding encoding learned order transformer gpt language text";
    e.params = {spreadParam("Start spread", "How far from 0 the added numbers begin. GPT-2 has 0.02.")};
    e.summary = [](const LayerView&) { return std::string("learned, one row per position"); };
    e.shape = positionsShape;
    e.lower = lowerPositions;
    e.keras = {"", {{"spread", ""}}};
    e.pytorch = {"", {{"spread", ""}}};
    return e;
}

LayerEntry selfAttention()
{
    LayerEntry e;
    e.id = "self_attention";
    e.title = "Self-attention";
    e.group = LayerGroup::Sequence;
    e.icon = "attention";
    e.nameStem = "attn";
    e.help = "Lets every position look at the others and take from them what it asks for, in several heads side by side. Causal: only at itself and what came before, as a network needs that is to guess the next symbol.";
    e.keywords = "multi head attention transformer gpt language text causal mask query key value";
    e.params = {intParam("heads", "Heads", 4, 1, 1024, "How many questions each position asks at once. They share out the numbers of a position, so they must divide them."),
                boolParam("causal", "Causal", true, "No position sees what comes after it. Off for networks that may read the whole text, to sort it into classes."),
                realParam("attention_dropout", "Attention dropout", 0.0, 0.0, 0.99,
                          "Share of what each position takes from the others that is set to zero in each training step. GPT-2 has 0.1. Takes more time and memory than attention without it."),
                biasParam("number"), initialiserParam()};
    e.summary = [](const LayerView& v) {
        return plural(v.integer("heads"), "head", "heads") + (v.flag("causal") ? ", causal" : ", sees everything") + (v.real("attention_dropout") > 0 ? ", drops " + realText(v.real("attention_dropout")) : "");
    };
    e.shape = attentionShape;
    e.lower = lowerAttention;
    e.keras = {"MultiHeadAttention", {{"heads", "num_heads"}, {"causal", "use_causal_mask"}, {"attention_dropout", "dropout"}, {"bias", "use_bias"}, {"initialiser", "kernel_initializer"}}};
    e.pytorch = {"MultiheadAttention", {{"heads", "num_heads"}, {"causal", "is_causal"}, {"attention_dropout", "dropout"}, {"bias", "bias"}, {"initialiser", ""}}};
    return e;
}

} // namespace sconce::layers
