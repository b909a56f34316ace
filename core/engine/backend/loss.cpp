// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/engine/backend/loss.h"

#include <ATen/TensorOperators.h>
#include <ATen/core/Reduction.h>
#include <ATen/ops/cross_entropy_loss.h>
#include <ATen/ops/tensor.h>

namespace sconce::engine {

using at::Tensor;

Result<Loss> Loss::make(const Configured& task, at::Device device)
{
    const OptionEntry* entry = findOption(taskEntries(), task.type);
    if (!entry || task.type != "classification")
        return Error{ErrorCode::Invalid, "There is no task called “" + task.type + "”.", "Choose classification.", {}};
    Loss loss;
    loss.m_device = device;
    loss.m_smoothing = std::get<double>(valueOf(entry->params, task.params, "label_smoothing"));
    loss.m_balanced = std::get<std::string>(valueOf(entry->params, task.params, "class_weights")) == "balanced";
    return loss;
}

void Loss::useData(const Dataset& data, std::int64_t outputs)
{
    m_weights.clear();
    m_weightTensor.reset();
    if (!m_balanced) return;
    std::vector<std::int64_t> counts(static_cast<std::size_t>(outputs), 0);
    for (const std::int32_t label : data.labels(Part::Training)) ++counts[static_cast<std::size_t>(label)];
    // n / (classes × count), as scikit-learn balances: the mean weight of a sample is 1. A class without samples has none to weigh.
    const double total = static_cast<double>(data.count(Part::Training)), classes = static_cast<double>(data.info().classes.size());
    for (const std::int64_t count : counts) m_weights.push_back(count > 0 ? total / (classes * static_cast<double>(count)) : 1.0);
    m_weightTensor = at::tensor(m_weights, at::TensorOptions().dtype(at::kFloat)).to(m_device);
}

double Loss::weightOf(std::span<const std::int32_t> labels, std::span<const std::int64_t> rows) const
{
    if (m_weights.empty()) return static_cast<double>(rows.size());
    double sum = 0;
    for (const std::int64_t row : rows) sum += m_weights[static_cast<std::size_t>(labels[static_cast<std::size_t>(row)])];
    return sum;
}

Tensor Loss::mean(const Tensor& output, const Tensor& targets) const
{
    return at::cross_entropy_loss(output, targets, m_weightTensor, at::Reduction::Mean, -100, m_smoothing);
}

Tensor Loss::share(const Tensor& output, const Tensor& targets, double whole) const
{
    return at::cross_entropy_loss(output, targets, m_weightTensor, at::Reduction::Sum, -100, m_smoothing) / whole;
}

Tensor Loss::evaluated(const Tensor& output, const Tensor& targets) const
{
    return at::cross_entropy_loss(output, targets, {}, at::Reduction::Mean, -100, m_smoothing);
}

} // namespace sconce::engine
