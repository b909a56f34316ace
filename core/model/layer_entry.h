// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
// One entry per layer (rule 2): everything that Sconce knows about a layer. The palette, inspector, badges, problem list,
// help, exporters, importers and tests read it. Adding a layer touches one file in layers/ and one line of the list in
// catalogue.cpp. Entries are constants; any thread.

#include "core/base/parameters.h"
#include "core/model/primitives.h"
#include "core/model/stack.h"

#include <functional>
#include <string>
#include <vector>

namespace sconce {

/// Groups in palette order.
enum class LayerGroup { Dense, Convolution, Pooling, Sequence, Normalisation, Regularisation, Activation, Shape, Block };
const char* groupId(LayerGroup group);    ///< "convolution"
const char* groupTitle(LayerGroup group); ///< "Convolution"

/// A way out of a shape problem that the entry itself can name: "Insert Flatten", before this layer.
struct LayerFix
{
    std::string title;
    enum class Kind { InsertBefore, SetParam, Remove } kind = Kind::InsertBefore;
    std::string layerType;  ///< InsertBefore
    ParamValues params;     ///< InsertBefore: its settings; SetParam: the new values of this layer
};

/// Why a layer cannot take its input. `expects` completes "Dense (layer 6) …": "expects one row of numbers".
struct LayerProblem
{
    std::string expects;        ///< "expects one row of numbers"; empty where `because` says it all
    std::string because;        ///< further words, may be empty: "The kernel 9×9 is larger than the input 7×7."
    std::string param;          ///< id of the parameter at fault, may be empty
    std::vector<LayerFix> fixes;
};

/// Shape rule's answer.
struct ShapeOutcome
{
    ValueType type;                          ///< valid if !problem
    std::optional<LayerProblem> problem;
    std::optional<ValueType> guess;          ///< beside a problem: what the layer would most likely give
    static ShapeOutcome of(ValueType type) { return {std::move(type), std::nullopt, std::nullopt}; }
    static ShapeOutcome fail(LayerProblem problem) { return {{}, std::move(problem), {}}; }
    /// A problem whose output is known all the same (a Dense layer's units): the layers behind it are still checked.
    static ShapeOutcome fail(LayerProblem problem, ValueType guess) { return {{}, std::move(problem), std::move(guess)}; }
};

struct LayerEntry;

/// Reads the parameters of one layer with the entry's defaults.
class LayerView
{
  public:
    LayerView(const LayerEntry& entry, const Layer& layer) : m_entry(entry), m_layer(layer) {}
    bool flag(std::string_view id) const;
    std::int64_t integer(std::string_view id) const;
    double real(std::string_view id) const;
    const std::string& choice(std::string_view id) const;
    const std::vector<std::int64_t>& ints(std::string_view id) const;
    const Layer& layer() const { return m_layer; }
    const LayerEntry& entry() const { return m_entry; }

  private:
    const LayerEntry& m_entry;
    const Layer& m_layer;
};

/// Writes primitives into a plan on behalf of one layer. Handed to LayerEntry::lower.
class Lowering
{
  public:
    /// `block`: the lowering of the block that holds the layer, which freezes and slows what it holds; null at the top.
    Lowering(Plan& plan, const Layer& layer, std::string prefix, const Lowering* block = nullptr)
        : m_plan(plan), m_layer(layer), m_prefix(std::move(prefix)), m_frozen(layer.frozen || (block && block->m_frozen)),
          m_rateFactor(layer.rateFactor * (block ? block->m_rateFactor : 1))
    {
    }

    /// Adds a step; its output type comes from outputType(). Asserts that the shape rule has been passed.
    ValueIndex add(Operation op, std::vector<ValueIndex> inputs, const ValueType* wanted = nullptr);
    /// Adds a parameter named prefix + "." + suffix.
    ParamIndex parameter(std::string suffix, std::vector<std::int64_t> shape, Initialiser init, bool decay);
    BufferIndex buffer(std::string suffix, std::vector<std::int64_t> shape, double initial);
    bool frozen() const { return m_frozen; }
    const ValueType& typeOf(ValueIndex value) const { return m_plan.values[static_cast<std::size_t>(value)].type; }
    /// Lowers a stack held by this layer (a branch) from a value; returns its last value.
    ValueIndex lowerBranch(const Stack& stack, ValueIndex input);

  private:
    Plan& m_plan;
    const Layer& m_layer;
    std::string m_prefix;
    bool m_frozen;
    double m_rateFactor;
};

/// How a layer is written in another framework. Parameter maps are used by exporters and importers; the contract test checks
/// that every parameter is named or listed as having no counterpart.
struct ForeignNames
{
    std::string className;                                    ///< "Conv2D", "Conv2d"; empty: none
    std::vector<std::pair<std::string, std::string>> arguments; ///< our parameter id → their argument, "" where they have none
};

struct LayerEntry
{
    std::string id;      ///< in JSON: "conv2d"
    std::string title;   ///< "Conv 2D"
    LayerGroup group = LayerGroup::Dense;
    std::string icon;    ///< name of the SVG in resources/icons
    std::string nameStem;///< "conv" → conv1, conv2
    std::string help;    ///< two or three sentences for a newcomer; never empty
    std::string keywords;///< further words that the palette's search finds: "kernel filter cnn"
    std::vector<ParamDescriptor> params;
    bool takesSymbols = false; ///< input is indices of symbols; all other layers want numbers
    int minBranches = 0; ///< blocks only
    int maxBranches = 0;
    /// "64 filters, 3×3, valid, ReLU": the second line of its card.
    std::string (*summary)(const LayerView&) = nullptr;
    /// The shape rule. Never throws; parameters are already within their declared ranges.
    ShapeOutcome (*shape)(const LayerView&, const ValueType& input) = nullptr;
    /// Writes the layer as primitives; returns its output value. Called only where shape() gave a type.
    ValueIndex (*lower)(const LayerView&, Lowering&, ValueIndex input) = nullptr;
    ForeignNames keras;
    ForeignNames pytorch;
    /// Blocks only: the rule for what the branches give together, and its primitives. shape() and lower() of a block walk
    /// its branches and end in these, so that an analysis can walk the branches itself, once.
    ShapeOutcome (*join)(const LayerView&, const ValueType& input, const std::vector<ValueType>& outputs) = nullptr;
    ValueIndex (*lowerJoin)(const LayerView&, Lowering&, ValueIndex input, const std::vector<ValueIndex>& outputs) = nullptr;

    bool isBlock() const { return maxBranches > 0; }
    /// Whether a layer of this kind may have weights or statistics that training changes.
    bool mayLearn() const { return group == LayerGroup::Dense || group == LayerGroup::Convolution || group == LayerGroup::Sequence || group == LayerGroup::Normalisation || isBlock(); }
    /// All that the inspector offers: the settings, and how training treats the layer where it learns.
    std::vector<ParamDescriptor> allParams() const
    {
        std::vector<ParamDescriptor> all = params;
        if (mayLearn()) all.insert(all.end(), layerTrainingParams().begin(), layerTrainingParams().end());
        return all;
    }
};

} // namespace sconce
