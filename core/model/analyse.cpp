// SPDX-License-Identifier: GPL-3.0-or-later
// One pass over a stack: shapes, problems in words, parameters, cost and receptive field of every layer. Called at each key
// press, so it makes no tensor and walks everything once. Layers without a problem before them are lowered into a scratch
// plan; what a layer costs is what its steps cost.
#include "core/base/text.h"
#include "core/model/catalogue.h"
#include "core/model/checked.h"
#include "core/model/layers/layers.h"

#include <algorithm>
#include <array>
#include <unordered_set>
#include <utility>

namespace sconce {

namespace {

/// Window of the network's input that one element depends on, and how far apart the windows of neighbours lie.
struct Field
{
    std::array<std::int64_t, 3> size{1, 1, 1}, jump{1, 1, 1};
    bool known = true;
};

Field windowed(Field field, const std::vector<std::int64_t>& kernel, const std::vector<std::int64_t>& stride, const std::vector<std::int64_t>* dilation)
{
    for (std::size_t a = 0; a < kernel.size() && a < 3; ++a) {
        const std::int64_t d = dilation ? (*dilation)[a] : 1;
        field.size[a] = satAdd(field.size[a], satMul(satMul(kernel[a] - 1, d), field.jump[a]));
        field.jump[a] = satMul(field.jump[a], stride[a]);
    }
    return field;
}

Field fieldAfter(const Step& step, const Plan& plan, const std::vector<Field>& fields)
{
    Field field = fields[static_cast<std::size_t>(step.inputs.front())];
    for (ValueIndex input : step.inputs) {
        const Field& other = fields[static_cast<std::size_t>(input)];
        field.known = field.known && other.known;
        for (std::size_t a = 0; a < 3; ++a) {
            field.size[a] = std::max(field.size[a], other.size[a]);
            field.jump[a] = std::max(field.jump[a], other.jump[a]);
        }
    }
    if (const auto* conv = std::get_if<ConvOp>(&step.op)) {
        const auto& weight = plan.parameters[static_cast<std::size_t>(conv->weight)].shape;
        return windowed(field, {weight.begin() + 2, weight.end()}, conv->stride, &conv->dilation);
    }
    if (const auto* pool = std::get_if<PoolOp>(&step.op)) return windowed(field, pool->kernel, pool->stride, nullptr);
    const bool everywhere = std::holds_alternative<LinearOp>(step.op) || std::holds_alternative<ReshapeOp>(step.op) ||
                            std::holds_alternative<GlobalPoolOp>(step.op) || std::holds_alternative<ConvTransposeOp>(step.op) ||
                            std::holds_alternative<AttentionOp>(step.op);
    if (everywhere) field.known = false;
    return field;
}

/// What flows between layers while analysing.
struct Flow
{
    std::optional<ValueType> type;
    ValueIndex value = none; ///< in the scratch plan; none behind a problem
    std::string giver;       ///< "Dropout (layer 5) gives"
};

class Analysis
{
  public:
    Analysis(const ValueType& input, StackReport& report) : m_report(report)
    {
        m_plan.values.push_back({input});
        m_plan.input = 0;
        m_needsGradient.push_back(false);
        Field field;
        field.known = input.rank() >= 2 && !hasPositions(input);
        m_fields.push_back(field);
    }

    Flow walk(const Stack& stack, Flow flow, const std::string& path, int depth, const std::string& owner);
    Cost total() const { return m_total; }
    std::int64_t parameters() const { return m_parameters; }
    bool clean() const { return m_clean; }

  private:
    std::optional<LayerProblem> settingsProblem(const LayerEntry& entry, const Layer& layer) const;
    std::optional<LayerProblem> namingProblem(const Layer& layer);
    Flow analyseLayer(const Layer& layer, std::size_t at, const Flow& flow, const std::string& called);
    ShapeOutcome walkBranches(const LayerEntry& entry, const Layer& layer, std::size_t at, const Flow& flow,
                              const std::string& called, std::vector<Flow>& outputs);
    void account(std::size_t at, std::size_t firstStep, std::size_t firstParameter);
    void noteProblem(std::size_t at, LayerProblem problem, const Flow& flow, const std::string& called);

    StackReport& m_report;
    Plan m_plan;
    std::vector<bool> m_needsGradient;
    std::vector<Field> m_fields;
    std::size_t m_counted = 0; ///< steps whose gradient need and field are known
    Cost m_total;
    std::int64_t m_parameters = 0;
    bool m_clean = true;
    const Lowering* m_block = nullptr; ///< that holds the layers being looked at
    std::unordered_set<std::string> m_ids, m_names;
};

/// 1×28×28; 64 symbols
std::string givenText(const ValueType& type)
{
    return type.text() + (isSymbols(type) ? " symbols" : "");
}

std::string calledAs(const std::string& title, int index, const std::string& owner)
{
    return title + " (layer " + std::to_string(index) + (owner.empty() ? "" : " of " + owner) + ")";
}

Flow Analysis::walk(const Stack& stack, Flow flow, const std::string& path, int depth, const std::string& owner)
{
    for (std::size_t i = 0; i < stack.layers.size(); ++i) {
        const Layer& layer = stack.layers[i];
        const LayerEntry* entry = findLayerEntry(layer.type);
        LayerReport row;
        row.id = layer.id;
        row.path = path + "/" + std::to_string(i);
        row.index = static_cast<int>(i) + 1;
        row.depth = depth;
        row.input = flow.type;
        row.assumed = flow.type.has_value() && flow.value == none;
        const std::string called = calledAs(entry ? entry->title : "Layer “" + layer.type + "”", row.index, owner);
        const std::size_t at = m_report.layers.size();
        m_report.byId.emplace(layer.id, at);
        m_report.layers.push_back(std::move(row));
        flow = analyseLayer(layer, at, flow, called);
    }
    return flow;
}

Flow Analysis::analyseLayer(const Layer& layer, std::size_t at, const Flow& flow, const std::string& called)
{
    const LayerEntry* entry = findLayerEntry(layer.type);
    Flow result{std::nullopt, none, called + " gives"};
    if (!entry) {
        LayerProblem problem{"", "This version of Sconce does not know layers of type “" + layer.type + "”.", "type", {}};
        problem.fixes.push_back({"Remove the layer", LayerFix::Kind::Remove, {}, {}});
        noteProblem(at, std::move(problem), flow, called);
        return result;
    }
    std::optional<LayerProblem> problem = namingProblem(layer);
    if (std::optional<LayerProblem> settings = settingsProblem(*entry, layer)) problem = std::move(settings);
    if (m_report.layers.size() > static_cast<std::size_t>(maxLayers))
        problem = LayerProblem{"", "A recipe holds at most " + groupedInt(maxLayers) + " layers.", "", {{"Remove the layer", LayerFix::Kind::Remove, {}, {}}}};
    const int depth = m_report.layers[at].depth;
    const bool tooDeep = entry->isBlock() && depth + 1 > maxBlockDepth;
    if (tooDeep)
        problem = LayerProblem{"", "Blocks may be nested at most " + std::to_string(maxBlockDepth) + " deep.", "", {{"Remove the block", LayerFix::Kind::Remove, {}, {}}}};

    const bool lowers = !problem && flow.value != none;
    const std::size_t firstStep = m_plan.steps.size(), firstParameter = m_plan.parameters.size();
    ShapeOutcome outcome;
    std::vector<Flow> branches;
    if (tooDeep) outcome = ShapeOutcome::fail(*problem);
    else if (entry->isBlock()) outcome = walkBranches(*entry, layer, at, flow, called, branches);
    else if (!flow.type || problem) outcome = ShapeOutcome::fail(problem ? *problem : LayerProblem{});
    else if (auto symbols = layers::expectNumbers(*flow.type); symbols && !entry->takesSymbols) outcome = ShapeOutcome::fail(std::move(*symbols));
    else outcome = entry->shape(LayerView(*entry, layer), *flow.type);

    if (!problem && flow.type && outcome.problem && !outcome.problem->because.empty()) problem = outcome.problem;
    if (!problem && flow.type && outcome.problem && !outcome.problem->expects.empty()) problem = outcome.problem;
    if (!outcome.problem) result.type = outcome.type;
    else if (outcome.guess) result.type = outcome.guess;
    if (problem) {
        noteProblem(at, std::move(*problem), flow, called);
    } else if (lowers && !outcome.problem) {
        Lowering lowering(m_plan, layer, layer.name, m_block);
        if (entry->isBlock()) {
            std::vector<ValueIndex> values;
            for (const Flow& branch : branches) values.push_back(branch.value);
            if (std::none_of(values.begin(), values.end(), [](ValueIndex value) { return value == none; }))
                result.value = entry->lowerJoin(LayerView(*entry, layer), lowering, flow.value, values);
        } else {
            result.value = entry->lower(LayerView(*entry, layer), lowering, flow.value);
        }
    }
    account(at, firstStep, firstParameter);
    LayerReport& row = m_report.layers[at];
    row.output = result.type;
    if (result.value != none) {
        const Field& field = m_fields[static_cast<std::size_t>(result.value)];
        const ValueType& input = m_plan.values.front().type;
        for (int a = 0; field.known && a + 1 < input.rank() && a < 3; ++a)
            row.receptiveField.push_back(static_cast<int>(std::min(field.size[static_cast<std::size_t>(a)], input.dims[static_cast<std::size_t>(a) + 1].size)));
    }
    return result;
}

ShapeOutcome Analysis::walkBranches(const LayerEntry& entry, const Layer& layer, std::size_t at, const Flow& flow,
                                    const std::string& called, std::vector<Flow>& outputs)
{
    const std::string path = m_report.layers[at].path + "/branches/";
    const int depth = m_report.layers[at].depth;
    Flow into = flow;
    into.giver = "the input of " + called + " is";
    const Lowering block(m_plan, layer, layer.name, m_block);
    const Lowering* const around = std::exchange(m_block, &block);
    for (std::size_t b = 0; b < layer.branches.size(); ++b)
        outputs.push_back(walk(layer.branches[b], into, path + std::to_string(b), depth + 1, layer.name));
    m_block = around;
    const int count = static_cast<int>(layer.branches.size());
    if (count < entry.minBranches || count > entry.maxBranches) {
        std::string range = std::to_string(entry.minBranches);
        if (entry.maxBranches != entry.minBranches) range += " to " + std::to_string(entry.maxBranches);
        return ShapeOutcome::fail({"", "It holds " + range + (entry.maxBranches == 1 ? " branch" : " branches") + ", not " + std::to_string(count) + ".",
                                   "branches", {{"Remove the block", LayerFix::Kind::Remove, {}, {}}}});
    }
    if (!flow.type) return ShapeOutcome::fail({});
    std::vector<ValueType> types;
    for (const Flow& output : outputs) {
        if (!output.type) return ShapeOutcome::fail({}); // a layer inside has said why
        types.push_back(*output.type);
    }
    return entry.join(LayerView(entry, layer), *flow.type, types);
}

void Analysis::account(std::size_t at, std::size_t firstStep, std::size_t firstParameter)
{
    LayerReport& row = m_report.layers[at];
    m_needsGradient.resize(m_plan.values.size(), false);
    m_fields.resize(m_plan.values.size());
    for (std::size_t s = firstStep; s < m_plan.steps.size(); ++s) {
        const Step& step = m_plan.steps[s];
        bool need = false;
        for (ValueIndex input : step.inputs) need = need || m_needsGradient[static_cast<std::size_t>(input)];
        const Cost cost = costOf(step, m_plan, need);
        row.cost += cost;
        if (s < m_counted) continue; // a layer within this block has been here
        m_total += cost;
        m_needsGradient[static_cast<std::size_t>(step.output)] = need || learns(step.op, m_plan);
        m_fields[static_cast<std::size_t>(step.output)] = fieldAfter(step, m_plan, m_fields);
    }
    m_counted = std::max(m_counted, m_plan.steps.size());
    for (std::size_t p = firstParameter; p < m_plan.parameters.size(); ++p)
        row.parameters = satAdd(row.parameters, m_plan.parameters[p].elements());
    if (row.depth == 0) m_parameters = satAdd(m_parameters, row.parameters);
}

void Analysis::noteProblem(std::size_t at, LayerProblem problem, const Flow& flow, const std::string& called)
{
    LayerReport& row = m_report.layers[at];
    if (!problem.expects.empty() && flow.type) {
        row.sentence = called + " " + problem.expects + ", but " + flow.giver + " " + givenText(*flow.type) + ".";
        row.brief = problem.expects + ", gets " + givenText(*flow.type);
    } else {
        row.sentence = called + ": " + problem.because;
        row.brief = problem.because;
    }
    row.problem = std::move(problem);
    m_clean = false;
}

std::optional<LayerProblem> Analysis::settingsProblem(const LayerEntry& entry, const Layer& layer) const
{
    if (!(layer.rateFactor >= 0 && layer.rateFactor <= 100))
        return LayerProblem{"", checkParam(*findParam(layerTrainingParams(), "rate_factor"), layer.rateFactor), "rate_factor", {}};
    for (const auto& [id, value] : layer.params) {
        const ParamDescriptor* descriptor = findParam(entry.params, id);
        if (!descriptor) continue; // not written to files either
        std::string sentence = checkParam(*descriptor, value);
        if (sentence.empty()) continue;
        LayerProblem problem{"", std::move(sentence), id, {}};
        problem.fixes.push_back({"Set " + descriptor->title + " to " + paramText(*descriptor, descriptor->defaultValue),
                                 LayerFix::Kind::SetParam, {}, {{id, descriptor->defaultValue}}});
        return problem;
    }
    return std::nullopt;
}

/// Names become names of parameters in files: "conv1.weight".
std::optional<LayerProblem> Analysis::namingProblem(const Layer& layer)
{
    if (!m_ids.insert(layer.id).second) return LayerProblem{"", "Another layer has the same id, “" + layer.id + "”.", "id", {}};
    if (layer.name.empty()) return LayerProblem{"", "The layer needs a name.", "name", {}};
    const bool readable = layer.name.size() <= 64 && std::none_of(layer.name.begin(), layer.name.end(), [](unsigned char c) {
        return c < 0x20 || c == 0x7f || c == '.' || c == '/' || c == '\\' || c == '"';
    });
    if (!readable) return LayerProblem{"", "A layer's name has at most 64 characters and no dots, slashes or quotation marks.", "name", {}};
    if (!m_names.insert(layer.name).second) return LayerProblem{"", "Another layer is called “" + layer.name + "” too.", "name", {}};
    return std::nullopt;
}

} // namespace

std::string layerCalled(const LayerReport& report, const Stack& stack)
{
    const Layer* layer = findLayer(stack, report.id);
    const LayerEntry* entry = layer ? findLayerEntry(layer->type) : nullptr;
    std::string owner;
    if (report.depth > 0) {
        const std::string holder = report.path.substr(0, report.path.rfind("/branches/"));
        visitLayers(stack, [&](const Layer& each, const std::string& path, int) {
            if (path == holder) owner = each.name;
        });
    }
    return calledAs(entry ? entry->title : "Layer", report.index, owner);
}

StackReport analyse(const Stack& stack, const ValueType& input)
{
    StackReport report;
    Analysis analysis(input, report);
    const Flow flow = analysis.walk(stack, Flow{input, 0, "the input is"}, "/layers", 0, {});
    report.assumedOutput = flow.type;
    if (analysis.clean()) report.output = flow.type;
    report.parameters = analysis.parameters();
    report.cost = analysis.total();
    return report;
}

} // namespace sconce
