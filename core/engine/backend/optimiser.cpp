// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/engine/backend/optimiser.h"

#include "core/engine/backend/tensors.h"

#include <ATen/core/grad_mode.h>
#include <ATen/ops/_fused_adam.h>
#include <ATen/ops/_fused_adamw.h>
#include <ATen/ops/_fused_sgd.h>
#include <ATen/ops/zeros.h>
#include <ATen/ops/zeros_like.h>

#include <cstring>
#include <map>

namespace sconce::engine {
namespace {

/// A setting of the optimiser's entry, or the fallback where the entry has none of that id.
double real(const Configured& settings, const OptionEntry& entry, const char* id, double fallback)
{
    if (!findParam(entry.params, id)) return fallback;
    const ParamValue& value = valueOf(entry.params, settings.params, id);
    if (const auto* number = std::get_if<double>(&value)) return *number;
    if (const auto* whole = std::get_if<std::int64_t>(&value)) return static_cast<double>(*whole);
    if (const auto* flag = std::get_if<bool>(&value)) return *flag ? 1 : 0;
    return fallback;
}

Error corrupt(std::string sentence)
{
    return {ErrorCode::Corrupt, std::move(sentence), "Use an older checkpoint of this run.", {}};
}

} // namespace

Result<Optimiser> Optimiser::make(const Configured& settings, const Plan& plan, std::span<const at::Tensor> parameters)
{
    const OptionEntry* entry = findOption(optimiserEntries(), settings.type);
    const std::map<std::string, Kind> kinds{{"adam", Kind::Adam}, {"adamw", Kind::AdamW}, {"sgd", Kind::Sgd}};
    const auto kind = kinds.find(settings.type);
    if (!entry || kind == kinds.end())
        return Error{ErrorCode::Invalid, "There is no optimiser called “" + settings.type + "”.", "Choose Adam, AdamW or SGD.", {}};

    Optimiser result;
    result.m_kind = kind->second;
    result.m_beta1 = real(settings, *entry, "beta1", 0.9);
    result.m_beta2 = real(settings, *entry, "beta2", 0.999);
    result.m_epsilon = real(settings, *entry, "epsilon", 1e-8);
    result.m_momentum = result.m_kind == Kind::Sgd ? real(settings, *entry, "momentum", 0.0) : 0.0;
    result.m_nesterov = real(settings, *entry, "nesterov", 0.0) != 0 && result.m_momentum > 0;
    const double decay = real(settings, *entry, "weight_decay", 0.0);

    Group decayed{{}, decay}, spared{{}, 0.0};
    const at::NoGradGuard noGrad;
    for (std::size_t i = 0; i < plan.parameters.size(); ++i) {
        const ParameterSpec& spec = plan.parameters[i];
        if (!spec.trainable) continue;
        (decay == 0 || spec.decay ? decayed : spared).members.push_back(result.m_parameters.size());
        result.m_names.push_back(spec.name);
        result.m_parameters.push_back(parameters[i]);
        if (result.m_kind != Kind::Sgd || result.m_momentum > 0) result.m_first.push_back(at::zeros_like(parameters[i]));
        if (result.m_kind != Kind::Sgd) result.m_second.push_back(at::zeros_like(parameters[i]));
    }
    for (Group* group : {&decayed, &spared})
        if (!group->members.empty()) result.m_groups.push_back(std::move(*group));
    const at::Device device = parameters.empty() ? at::Device(at::kCPU) : parameters[0].device();
    result.m_stepTensor = at::zeros({}, at::TensorOptions().dtype(at::kFloat).device(device));
    return result;
}

void Optimiser::update(const std::vector<at::Tensor>& gradients, double learningRate, const at::Tensor& skip)
{
    const at::NoGradGuard noGrad;
    m_stepTensor.fill_(static_cast<double>(m_steps + 1));
    for (const Group& group : m_groups) updateGroup(group, gradients, learningRate, skip);
    ++m_steps;
}

void Optimiser::updateGroup(const Group& group, const std::vector<at::Tensor>& gradients, double learningRate, const at::Tensor& skip)
{
    const auto pick = [&](const std::vector<at::Tensor>& from) {
        std::vector<at::Tensor> picked;
        if (from.empty()) return picked;
        picked.reserve(group.members.size());
        for (std::size_t member : group.members) picked.push_back(from[member]);
        return picked;
    };
    const std::vector<at::Tensor> parameters = pick(m_parameters), grads = pick(gradients), first = pick(m_first), second = pick(m_second);
    const std::optional<at::Tensor> found = skip.defined() ? std::optional(skip) : std::nullopt;
    if (m_kind == Kind::Sgd) {
        // Momentum starts at zero, which makes the first step what torch's special first step is.
        at::_fused_sgd_(parameters, grads, first, group.weightDecay, m_momentum, learningRate, 0.0, m_nesterov, false, false, {}, found);
        return;
    }
    const std::vector<at::Tensor> steps(parameters.size(), m_stepTensor);
    if (m_kind == Kind::Adam)
        at::_fused_adam_(parameters, grads, first, second, {}, steps, learningRate, m_beta1, m_beta2, group.weightDecay, m_epsilon,
                         false, false, {}, found);
    else
        at::_fused_adamw_(parameters, grads, first, second, {}, steps, learningRate, m_beta1, m_beta2, group.weightDecay, m_epsilon,
                          false, false, {}, found);
}

std::string Optimiser::name() const
{
    switch (m_kind) {
    case Kind::Adam: return "adam";
    case Kind::AdamW: return "adamw";
    case Kind::Sgd: return "sgd";
    }
    return {};
}

std::vector<std::pair<std::string, at::Tensor>> Optimiser::named() const
{
    const std::string first = name() + (m_kind == Kind::Sgd ? ".momentum/" : ".exp_avg/");
    std::vector<std::pair<std::string, at::Tensor>> result;
    for (std::size_t i = 0; i < m_first.size(); ++i) result.emplace_back(first + m_names[i], m_first[i]);
    for (std::size_t i = 0; i < m_second.size(); ++i) result.emplace_back(name() + ".exp_avg_sq/" + m_names[i], m_second[i]);
    return result;
}

std::vector<at::Tensor> Optimiser::allTensors() const
{
    std::vector<at::Tensor> all = m_first;
    all.insert(all.end(), m_second.begin(), m_second.end());
    all.push_back(m_stepTensor);
    return all;
}

std::vector<HostTensor> Optimiser::state() const
{
    std::vector<HostTensor> result;
    for (const auto& [key, tensor] : named()) result.push_back(copyOut(key, tensor));
    HostTensor steps{name() + ".steps", DType::I64, {}, std::vector<std::byte>(sizeof(std::int64_t))};
    std::memcpy(steps.bytes.data(), &m_steps, sizeof m_steps);
    result.push_back(std::move(steps));
    return result;
}

Result<void> Optimiser::setState(std::span<const TensorView> tensors)
{
    std::map<std::string_view, const TensorView*> given;
    for (const TensorView& tensor : tensors)
        if (!given.emplace(tensor.name, &tensor).second) return corrupt("The optimiser's state holds “" + tensor.name + "” twice.");
    const auto expected = named();
    const std::string stepsName = name() + ".steps";
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
    return {};
}

} // namespace sconce::engine
