// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/engine/backend/optimiser.h"

#include "core/engine/backend/tensors.h"

#include <ATen/TensorOperators.h>
#include <ATen/core/grad_mode.h>
#include <ATen/ops/full_like.h>
#include <ATen/ops/where.h>
#include <ATen/ops/zeros.h>
#include <ATen/ops/zeros_like.h>

#include <cstring>
#include <map>

namespace sconce::engine {
namespace {

Error corrupt(std::string sentence)
{
    return {ErrorCode::Corrupt, std::move(sentence), "Use an older checkpoint of this run.", {}};
}

} // namespace

Result<Optimiser> Optimiser::make(const Configured& settings, const Plan& plan, std::span<const at::Tensor> parameters, bool fused)
{
    auto rules = makeRules(settings, plan, fused);
    SCONCE_TRY(rules);
    Optimiser result;
    result.m_name = settings.type;
    result.m_rules = std::move(rules).value();
    const RuleSet& set = result.m_rules;
    const at::NoGradGuard noGrad;
    for (std::size_t i = 0; i < plan.parameters.size(); ++i) {
        const ParameterSpec& spec = plan.parameters[i];
        if (!spec.trainable) continue;
        const bool rest = set.rest && !set.isRest.empty() && set.isRest[i];
        const double factor = spec.rateFactor * (rest ? set.restFactor : 1);
        Group& group = result.groupFor(rest ? *set.rest : *set.main, spec.decay ? set.weightDecay : 0, factor);
        result.add(group, spec.name, parameters[i]);
    }
    const at::Device device = parameters.empty() ? at::Device(at::kCPU) : parameters[0].device();
    result.m_stepTensor = at::zeros({}, at::TensorOptions().dtype(at::kFloat).device(device));
    result.m_rate = at::zeros({}, at::TensorOptions().dtype(at::kDouble).device(device));
    result.m_number = at::zeros_like(result.m_rate);
    return result;
}

Optimiser::Group& Optimiser::groupFor(const Rule& rule, double weightDecay, double rateFactor)
{
    for (Group& group : m_groups)
        if (group.rule == &rule && group.weightDecay == weightDecay && group.rateFactor == rateFactor) return group;
    Group group;
    group.rule = &rule;
    group.weightDecay = weightDecay;
    group.rateFactor = rateFactor;
    group.state.resize(rule.slots().size());
    m_groups.push_back(std::move(group));
    return m_groups.back();
}

void Optimiser::add(Group& group, const std::string& name, const at::Tensor& parameter)
{
    group.members.push_back(m_parameters.size());
    group.parameters.push_back(parameter);
    const std::vector<Slot> slots = group.rule->slots();
    for (std::size_t s = 0; s < slots.size(); ++s) group.state[s].push_back(at::full_like(parameter.detach(), slots[s].start));
    m_names.push_back(name);
    m_parameters.push_back(parameter);
}

bool Optimiser::fused() const
{
    return m_rules.main->fused() && (!m_rules.rest || m_rules.rest->fused());
}

void Optimiser::update(const std::vector<at::Tensor>& gradients, double learningRate, const at::Tensor& skip, bool goesOn)
{
    const at::NoGradGuard noGrad;
    m_rate.fill_(learningRate);
    m_number.fill_(static_cast<double>(m_steps + 1));
    apply(gradients, m_rate, m_number, skip, goesOn, m_steps == 0);
    count();
}

bool Optimiser::settled() const
{
    return m_rules.main->settled(m_steps + 1) && (!m_rules.rest || m_rules.rest->settled(m_steps + 1));
}

void Optimiser::apply(const std::vector<at::Tensor>& gradients, const at::Tensor& rate, const at::Tensor& number, const at::Tensor& skip, bool goesOn, bool first)
{
    const at::NoGradGuard noGrad;
    if (skip.defined() && goesOn) m_stepTensor.add_(1 - skip.reshape({}));
    else m_stepTensor.copy_(number);
    for (const Group& group : m_groups) {
        std::vector<at::Tensor> own;
        own.reserve(group.members.size());
        for (std::size_t member : group.members) own.push_back(gradients[member]);
        const at::Tensor groupRate = group.rateFactor == 1 ? rate : rate * group.rateFactor;
        Update update{group.parameters, own, group.state, groupRate, group.weightDecay, skip.defined() && goesOn ? 0 : first ? 1 : 2, m_stepTensor, {}};
        if (!skip.defined()) {
            group.rule->update(update);
        } else if (group.rule->fused()) {
            update.skip = skip;
            group.rule->update(update);
        } else {
            updateUnlessSkipped(group, update, skip);
        }
    }
}

/// For rules of several operators: what was is kept and, on the device, put back where the step must not be taken.
void Optimiser::updateUnlessSkipped(const Group& group, Update& update, const at::Tensor& skip) const
{
    std::vector<at::Tensor> touched = group.parameters;
    for (const auto& slot : group.state) touched.insert(touched.end(), slot.begin(), slot.end());
    std::vector<at::Tensor> before;
    before.reserve(touched.size());
    for (const at::Tensor& tensor : touched) before.push_back(tensor.detach().clone());
    group.rule->update(update);
    const at::Tensor bad = skip.reshape({}).ne(0);
    for (std::size_t i = 0; i < touched.size(); ++i) {
        at::Tensor now = touched[i].detach();
        at::where_out(now, bad, before[i], now);
    }
}

/// By slot and then by parameter, whichever group holds them.
std::vector<std::pair<std::string, at::Tensor>> Optimiser::named() const
{
    std::vector<std::pair<std::string, at::Tensor>> result;
    for (const Rule* rule : {m_rules.main.get(), m_rules.rest.get()}) {
        if (!rule) continue;
        const std::vector<Slot> slots = rule->slots();
        for (std::size_t s = 0; s < slots.size(); ++s) {
            std::map<std::size_t, at::Tensor> byParameter;
            for (const Group& group : m_groups)
                for (std::size_t m = 0; group.rule == rule && m < group.members.size(); ++m) byParameter.emplace(group.members[m], group.state[s][m]);
            for (const auto& [member, tensor] : byParameter) result.emplace_back(m_name + "." + slots[s].name + "/" + m_names[member], tensor);
        }
    }
    return result;
}

std::vector<at::Tensor> Optimiser::allTensors() const
{
    std::vector<at::Tensor> all;
    for (const auto& [key, tensor] : named()) all.push_back(tensor);
    all.push_back(m_stepTensor);
    return all;
}

std::vector<HostTensor> Optimiser::state(std::int64_t untaken) const
{
    const std::int64_t taken = m_steps - untaken;
    std::vector<HostTensor> result;
    for (const auto& [key, tensor] : named()) result.push_back(copyOut(key, tensor));
    HostTensor steps{m_name + ".steps", DType::I64, {}, std::vector<std::byte>(sizeof(std::int64_t))};
    std::memcpy(steps.bytes.data(), &taken, sizeof taken);
    result.push_back(std::move(steps));
    return result;
}

Result<void> Optimiser::setState(std::span<const TensorView> tensors)
{
    std::map<std::string_view, const TensorView*> given;
    for (const TensorView& tensor : tensors)
        if (!given.emplace(tensor.name, &tensor).second) return corrupt("The optimiser's state holds “" + tensor.name + "” twice.");
    const auto expected = named();
    const std::string stepsName = m_name + ".steps";
    if (given.size() != expected.size() + 1) return corrupt("The optimiser's state belongs to another optimiser or network.");
    for (const auto& [key, tensor] : expected) {
        const auto found = given.find(key);
        if (found == given.end()) return corrupt("The optimiser's state lacks “" + key + "”.");
        const TensorView& view = *found->second;
        if (view.dtype != DType::F32 || at::IntArrayRef(view.shape) != tensor.sizes() || view.bytes.size() != tensor.nbytes())
            return corrupt("“" + key + "” of the optimiser's state has another shape.");
    }
    const auto steps = given.find(stepsName);
    if (steps == given.end() || steps->second->dtype != DType::I64 || !steps->second->shape.empty() ||
        steps->second->bytes.size() != sizeof m_steps)
        return corrupt("The optimiser's state lacks its step counter.");
    std::int64_t count = 0;
    std::memcpy(&count, steps->second->bytes.data(), sizeof count);
    if (count < 0) return corrupt("The optimiser's step counter is negative.");

    const at::NoGradGuard noGrad;
    for (auto [key, tensor] : expected) copyIn(tensor, given.at(key)->bytes);
    m_steps = count;
    m_stepTensor.fill_(static_cast<double>(count));
    return {};
}

} // namespace sconce::engine
