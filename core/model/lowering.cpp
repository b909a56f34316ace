// SPDX-License-Identifier: GPL-3.0-or-later
// Writing layers as primitives into a plan.
#include "core/model/catalogue.h"

#include <cassert>

namespace sconce {

ValueIndex Lowering::add(Operation op, std::vector<ValueIndex> inputs, const ValueType* wanted)
{
    std::vector<ValueType> types;
    types.reserve(inputs.size());
    for (ValueIndex input : inputs) types.push_back(typeOf(input));
    Result<ValueType> type = outputType(op, types, m_plan, wanted);
    assert(type.ok()); // the layer's shape rule has let this pass
    m_plan.values.push_back({type.ok() ? std::move(type).value() : types.front()});
    const ValueIndex output = static_cast<ValueIndex>(m_plan.values.size()) - 1;
    m_plan.steps.push_back({std::move(op), std::move(inputs), output, m_layer.id});
    return output;
}

ParamIndex Lowering::parameter(std::string suffix, std::vector<std::int64_t> shape, Initialiser init, bool decay)
{
    ParameterSpec spec;
    spec.name = m_prefix + "." + suffix;
    spec.layer = m_layer.id;
    spec.shape = std::move(shape);
    spec.init = init;
    spec.decay = decay;
    spec.trainable = !m_frozen;
    spec.rateFactor = m_rateFactor;
    m_plan.parameters.push_back(std::move(spec));
    return static_cast<ParamIndex>(m_plan.parameters.size()) - 1;
}

BufferIndex Lowering::buffer(std::string suffix, std::vector<std::int64_t> shape, double initial)
{
    m_plan.buffers.push_back({m_prefix + "." + suffix, m_layer.id, std::move(shape), initial});
    return static_cast<BufferIndex>(m_plan.buffers.size()) - 1;
}

ValueIndex Lowering::lowerBranch(const Stack& stack, ValueIndex input)
{
    for (const Layer& layer : stack.layers) {
        const LayerEntry* entry = findLayerEntry(layer.type);
        assert(entry);
        if (!entry) continue;
        Lowering inner(m_plan, layer, layer.name, this);
        input = entry->lower(LayerView(*entry, layer), inner, input);
    }
    return input;
}

// ---- reading settings ----

namespace {

template <class T> const T& read(const LayerEntry& entry, const Layer& layer, std::string_view id)
{
    const ParamValue& value = valueOf(entry.params, layer.params, id);
    if (const T* typed = std::get_if<T>(&value)) return *typed;
    // A value of the wrong kind is a problem that analyse() reports; the default stands in for it here.
    const ParamDescriptor* descriptor = findParam(entry.params, id);
    assert(descriptor);
    return std::get<T>(descriptor->defaultValue);
}

} // namespace

bool LayerView::flag(std::string_view id) const { return read<bool>(m_entry, m_layer, id); }
std::int64_t LayerView::integer(std::string_view id) const { return read<std::int64_t>(m_entry, m_layer, id); }
double LayerView::real(std::string_view id) const { return read<double>(m_entry, m_layer, id); }
const std::string& LayerView::choice(std::string_view id) const { return read<std::string>(m_entry, m_layer, id); }
const std::vector<std::int64_t>& LayerView::ints(std::string_view id) const
{
    return read<std::vector<std::int64_t>>(m_entry, m_layer, id);
}

Result<Plan> lower(const Stack& stack, const ValueType& input)
{
    const StackReport report = analyse(stack, input);
    if (!report.ok()) {
        for (const LayerReport& layer : report.layers)
            if (layer.problem) return Error{ErrorCode::Invalid, layer.sentence, "Open the recipe on the Compose page, which offers ways out.", {}};
        return Error{ErrorCode::Invalid, "The stack has a problem.", {}, {}};
    }
    Plan plan;
    plan.values.push_back({input});
    plan.input = 0;
    const Layer root{};
    plan.output = Lowering(plan, root, {}).lowerBranch(stack, 0);
    return plan;
}

} // namespace sconce
