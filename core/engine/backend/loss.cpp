// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/engine/backend/loss.h"

#include "core/base/text.h"

#include <ATen/Parallel.h>
#include <ATen/TensorOperators.h>
#include <ATen/core/Reduction.h>
#include <ATen/ops/argmax.h>
#include <ATen/ops/binary_cross_entropy_with_logits.h>
#include <ATen/ops/cat.h>
#include <ATen/ops/cross_entropy_loss.h>
#include <ATen/ops/gather.h>
#include <ATen/ops/huber_loss.h>
#include <ATen/ops/l1_loss.h>
#include <ATen/ops/log_softmax.h>
#include <ATen/ops/mse_loss.h>
#include <ATen/ops/rsub.h>
#include <ATen/ops/sigmoid.h>
#include <ATen/ops/softmax.h>
#include <ATen/ops/stack.h>
#include <ATen/ops/tensor.h>
#include <ATen/ops/zeros.h>

#include <algorithm>
#include <cmath>
#include <numeric>

namespace sconce::engine {

using at::Tensor;

namespace {

/// By hand: torch's argmax costs several operators for as many numbers as fit a page.
std::int64_t countCorrect(const Tensor& logits, const Tensor& targets)
{
    const Tensor values = logits.detach().contiguous();
    const float* row = values.const_data_ptr<float>();
    const std::int64_t* target = targets.const_data_ptr<std::int64_t>();
    const std::int64_t rows = values.size(0), columns = values.size(1);
    std::int64_t correct = 0;
    for (std::int64_t i = 0; i < rows; ++i, row += columns) correct += std::max_element(row, row + columns) - row == target[i];
    return correct;
}

/// What macro F1 and the five likeliest follow from, too. A number that is as large as the truth's counts as smaller: a tie is luck. An
/// answer beyond the classes, of a network with spare outputs, is a miss of the truth and nothing else.
MetricSums classSums(const Tensor& logits, const Tensor& targets, std::int64_t classes)
{
    const Tensor values = logits.detach().cpu().contiguous(), truths = targets.cpu();
    const float* row = values.const_data_ptr<float>();
    const std::int64_t* target = truths.const_data_ptr<std::int64_t>();
    const std::int64_t columns = values.size(1);
    MetricSums sums;
    sums.count = values.size(0);
    sums.labels.resize(static_cast<std::size_t>(classes));
    sums.classes = true;
    for (std::int64_t i = 0; i < sums.count; ++i, row += columns) {
        const std::int64_t said = std::max_element(row, row + columns) - row, truth = target[i];
        sums.near += std::count_if(row, row + columns, [&](float other) { return other > row[truth]; }) < 5;
        sums.correct += said == truth;
        sums.labels[static_cast<std::size_t>(truth)].found += said == truth;
        sums.labels[static_cast<std::size_t>(truth)].missed += said != truth;
        if (said < classes) sums.labels[static_cast<std::size_t>(said)].wrong += said != truth;
    }
    return sums;
}

Tensor total(const Tensor& values) { return values.sum(at::kDouble); }

Tensor noSums(const Tensor& like, std::int64_t count) { return at::zeros({count}, at::TensorOptions().dtype(at::kDouble).device(like.device())); }

/// [rows, length, symbols] as one row per symbol.
Tensor flat(const Tensor& output) { return output.reshape({-1, output.size(-1)}); }

/// Of each row of logits, by hand and in this order whatever the number of threads: is the largest the target's, and how surprising
/// is the target?
MetricSums symbolSums(const Tensor& output, const Tensor& targets)
{
    const Tensor values = flat(output.detach()).contiguous();
    const float* first = values.const_data_ptr<float>();
    const std::int64_t* target = targets.const_data_ptr<std::int64_t>();
    const std::int64_t rows = values.size(0), columns = values.size(1);
    std::vector<double> surprises(static_cast<std::size_t>(rows));
    std::vector<char> right(surprises.size());
    at::parallel_for(0, rows, 256, [&](std::int64_t begin, std::int64_t end) {
        for (std::int64_t i = begin; i < end; ++i) {
            const float* row = first + i * columns;
            const float* best = std::max_element(row, row + columns);
            float sum = 0;
            for (std::int64_t c = 0; c < columns; ++c) sum += std::exp(row[c] - *best);
            surprises[static_cast<std::size_t>(i)] = static_cast<double>(*best) + std::log(static_cast<double>(sum)) - static_cast<double>(row[target[i]]);
            right[static_cast<std::size_t>(i)] = best - row == target[i];
        }
    });
    MetricSums sums;
    sums.count = rows;
    for (std::size_t i = 0; i < surprises.size(); ++i) {
        sums.correct += right[i];
        sums.surprise += surprises[i];
    }
    return sums;
}

/// At each place one number per symbol.
Result<void> fitsText(const DatasetInfo& data, const ValueType& input, const ValueType& output)
{
    const auto symbols = static_cast<std::int64_t>(data.symbols.size());
    if (symbols == 0 || input.dtype != DType::I64) return Error{ErrorCode::Invalid, "The data set is no text, and next symbols are learned from texts.", "Choose a text, or another task.", {}};
    if (output.rank() == 2 && output.dims[0].size == input.elements() && output.dims[1].size >= symbols) return {};
    return Error{ErrorCode::Invalid, "The network gives " + output.text() + " numbers, but the text asks for " + groupedInt(symbols) + " at each of " + groupedInt(input.elements()) + " places.",
                 "End the network with a Dense layer of " + std::to_string(symbols) + " units.", {}};
}

} // namespace

Result<Loss> Loss::make(const Configured& task, const Scaling& scaling, at::Device device)
{
    const OptionEntry* entry = findOption(taskEntries(), task.type);
    if (!entry) return Error{ErrorCode::Invalid, "There is no task called “" + task.type + "”.", "Choose classification.", {}};
    Loss loss;
    loss.m_device = device;
    loss.m_target = targetOf(task);
    const auto word = [&](const char* id) { return findParam(entry->params, id) ? std::get<std::string>(valueOf(entry->params, task.params, id)) : std::string(); };
    const std::string kind = word("loss");
    if (loss.m_target == Target::Flag || loss.m_target == Target::Labels || kind == "binary_crossentropy") loss.m_kind = Kind::BinaryCrossEntropy;
    else if (kind == "mse") loss.m_kind = Kind::Squared;
    else if (kind == "mae") loss.m_kind = Kind::Absolute;
    else if (kind == "huber") loss.m_kind = Kind::Huber;
    if (loss.m_kind == Kind::Huber) loss.m_delta = std::get<double>(valueOf(entry->params, task.params, "delta"));
    if (findParam(entry->params, "label_smoothing")) loss.m_smoothing = std::get<double>(valueOf(entry->params, task.params, "label_smoothing"));
    loss.m_balanced = word("class_weights") == "balanced" || word("positive_weights") == "balanced";
    loss.m_cut = labelCut(task);
    if (loss.m_target == Target::Number) {
        loss.m_mean = scaling.targetMean;
        loss.m_deviation = scaling.targetDeviation;
    }
    return loss;
}

FinalStep Loss::joined() const
{
    if (m_kind == Kind::CrossEntropy) return FinalStep::Softmax;
    return m_kind == Kind::BinaryCrossEntropy ? FinalStep::Sigmoid : FinalStep::None;
}

std::string Loss::description(OutputKind output) const
{
    if (joined() == FinalStep::None) return m_kind == Kind::Squared ? "squared error" : m_kind == Kind::Absolute ? "absolute error" : "Huber";
    return std::string(output == OutputKind::Raw ? "" : "final ") + (joined() == FinalStep::Softmax ? "softmax" : "sigmoid") + " joined to the loss";
}

Result<void> Loss::fits(const DatasetInfo& data, const ValueType& input, const ValueType& output) const
{
    const auto classes = static_cast<std::int64_t>(data.classes.size());
    const auto invalid = [](std::string sentence, std::string remedy) { return Error{ErrorCode::Invalid, std::move(sentence), std::move(remedy), {}}; };
    switch (m_target) {
    case Target::Class:
        if (output.rank() == 1 && output.elements() >= classes && classes > 0) return {};
        if (classes == 0) return invalid("The data set has no classes to tell apart.", "Choose regression, or another column to predict.");
        return invalid("The network gives " + output.text() + " numbers, but the data set has " + plural(classes, "class", "classes") + ".",
                       "End the network with a Dense layer of " + std::to_string(classes) + " units.");
    case Target::Flag:
        if (classes != 2) return invalid("Yes or no needs two classes, but the data set has " + plural(classes, "class", "classes") + ".", "Choose classification.");
        break;
    case Target::Labels: {
        const auto labels = static_cast<std::int64_t>(data.labelNames.size());
        if (labels == 0) return invalid("The samples of this data set do not have several labels.", "Choose classification, or a table with several columns of yes and no to predict.");
        if (output.rank() == 1 && output.elements() == labels) return {};
        return invalid("The network gives " + output.text() + " numbers, but the data set has " + plural(labels, "label", "labels") + ".", "End the network with a Dense layer of " + plural(labels, "unit", "units") + ".");
    }
    case Target::Number:
        if (!data.numbers) return invalid("The data set has no numbers to predict.", "Choose classification, or a table with a column of numbers.");
        break;
    case Target::Next:
        return fitsText(data, input, output);
    case Target::Input:
        if (!data.symbols.empty()) break;
        if (output.sizes() == input.sizes()) return {};
        return invalid("An autoencoder gives back what it takes, " + input.text() + ", but the network gives " + output.text() + ".", "End the network with the shape of its input.");
    }
    if (output.rank() == 1 && output.elements() == 1) return {};
    return invalid("The network gives " + output.text() + " numbers, but one is wanted.", "End the network with a Dense layer of 1 unit.");
}

void Loss::useData(const Dataset& data, std::int64_t outputs, TargetCounts counts)
{
    m_weights.clear();
    m_weightTensor.reset();
    m_perRow = m_target == Target::Next ? data.info().sample.elements() : 1;
    m_labels = static_cast<std::int64_t>(data.info().labelNames.size());
    m_classes = static_cast<std::int64_t>(data.info().classes.size());
    m_positiveWeights.reset();
    if (!m_balanced) return;
    if (counts.samples == 0) {
        std::vector<std::int64_t> all(static_cast<std::size_t>(data.count(Part::Training)));
        std::iota(all.begin(), all.end(), 0);
        counts = countTargets(data, all);
    }
    if (m_target == Target::Labels) return balanceLabels(counts);
    counts.perClass.resize(static_cast<std::size_t>(outputs));
    // n / (classes × count), as scikit-learn balances: the mean weight of a sample is 1. A class without samples has none to weigh.
    const double all = static_cast<double>(counts.samples), classes = static_cast<double>(data.info().classes.size());
    for (const std::int64_t count : counts.perClass) m_weights.push_back(count > 0 ? all / (classes * static_cast<double>(count)) : 1.0);
    m_weightTensor = at::tensor(m_weights, at::TensorOptions().dtype(at::kFloat)).to(m_device);
}

/// A sample that has a label counts as much as those without it together: negatives / positives, as PyTorch's documentation of pos_weight
/// has it. A label that every sample has, or none, has nothing to weigh.
void Loss::balanceLabels(const TargetCounts& counts)
{
    const std::int64_t all = counts.samples;
    std::vector<double> weights;
    for (const std::int64_t has : counts.perLabel) weights.push_back(has > 0 && has < all ? static_cast<double>(all - has) / static_cast<double>(has) : 1.0);
    m_positiveWeights = at::tensor(weights, at::TensorOptions().dtype(at::kFloat)).to(m_device);
}

double Loss::weightOf(std::span<const std::int32_t> labels, std::span<const std::int64_t> rows) const
{
    if (m_weights.empty()) return static_cast<double>(countOf(static_cast<std::int64_t>(rows.size())));
    double sum = 0;
    for (const std::int64_t row : rows) sum += m_weights[static_cast<std::size_t>(labels[static_cast<std::size_t>(row)])];
    return sum;
}

Tensor Loss::reduced(const Tensor& output, const Tensor& targets, const Tensor& weights, std::int64_t reduction) const
{
    switch (m_kind) {
    case Kind::CrossEntropy:
        if (m_target == Target::Next) return at::cross_entropy_loss(flat(output), targets.reshape({-1}), {}, reduction, -100, m_smoothing);
        return at::cross_entropy_loss(output, targets, weights, reduction, -100, m_smoothing);
    case Kind::BinaryCrossEntropy: return at::binary_cross_entropy_with_logits(output, targets, {}, weights, reduction);
    case Kind::Squared: return at::mse_loss(output, targets, reduction);
    case Kind::Absolute: return at::l1_loss(output, targets, reduction);
    case Kind::Huber: break;
    }
    return at::huber_loss(output, targets, reduction, m_delta);
}

Tensor Loss::mean(const Tensor& output, const Tensor& targets) const { return reduced(output, targets, weights(), at::Reduction::Mean); }

Tensor Loss::share(const Tensor& output, const Tensor& targets, double whole) const
{
    // The mean over everything: of a sample's several numbers, too.
    const double numbers = m_kind == Kind::CrossEntropy ? 1.0 : static_cast<double>(output.numel()) / static_cast<double>(output.size(0));
    return reduced(output, targets, weights(), at::Reduction::Sum) / (whole * numbers);
}

Tensor Loss::evaluated(const Tensor& output, const Tensor& targets) const { return reduced(output, targets, {}, at::Reduction::Mean); }

Tensor Loss::said(const Tensor& output) const
{
    return m_kind == Kind::BinaryCrossEntropy ? at::sigmoid(output) : output;
}

MetricSums Loss::sums(const Tensor& output, const Tensor& targets, bool further) const
{
    if (m_target == Target::Class && further) return classSums(output, targets, m_classes);
    if (m_target == Target::Class && output.is_cpu()) {
        MetricSums sums;
        sums.correct = countCorrect(output, targets);
        sums.count = output.size(0);
        return sums;
    }
    if (m_target == Target::Next && output.is_cpu()) return symbolSums(output, targets);
    if (m_target == Target::Labels && output.is_cpu()) return labelSums(output, targets);
    const Tensor values = sumsOnDevice(output, targets).cpu();
    return sumsFrom(values.const_data_ptr<double>(), countOf(output.size(0)));
}

Tensor Loss::sumsOnDevice(const Tensor& whole, const Tensor& targets) const
{
    const Tensor output = whole.detach();
    const auto none = [&](std::int64_t count) { return noSums(output, count); };
    if (m_target == Target::Labels) return labelSumsOnDevice(output, targets);
    if (m_target == Target::Class) return at::cat({total(at::argmax(output, 1).eq(targets)).view({1}), none(5)});
    if (m_target == Target::Next) {
        const Tensor surprise = at::log_softmax(output, -1).gather(-1, targets.unsqueeze(-1));
        return at::cat({total(at::argmax(output, -1).eq(targets)).view({1}), none(4), total(surprise).neg().view({1})});
    }
    if (m_target == Target::Flag) return at::cat({total(output.gt(0).eq(targets.gt(0.5))).view({1}), none(5)});
    const Tensor wrong = said(output).sub(targets);
    if (m_target == Target::Input) return at::cat({none(1), (total(wrong.abs()) / static_cast<double>(output.numel() / output.size(0))).view({1}), none(4)});
    const Tensor error = wrong.to(at::kDouble) * m_deviation, truth = targets.to(at::kDouble) * m_deviation;
    return at::cat({none(1), at::stack({error.abs().sum(), error.square().sum(), truth.sum(), truth.square().sum()}), none(1)});
}

MetricSums Loss::labelSums(const Tensor& output, const Tensor& targets) const
{
    const Tensor values = output.detach().contiguous();
    const float* said = values.const_data_ptr<float>();
    const float* truth = targets.const_data_ptr<float>();
    const auto cut = static_cast<float>(m_cut);
    MetricSums sums;
    sums.count = values.size(0);
    sums.labels.resize(static_cast<std::size_t>(values.size(1)));
    for (std::int64_t row = 0; row < sums.count; ++row) {
        bool right = true;
        for (LabelCounts& label : sums.labels) {
            const bool is = *said++ > cut, should = *truth++ > 0.5f;
            label.found += is && should;
            label.wrong += is && !should;
            label.missed += !is && should;
            right = right && is == should;
        }
        sums.correct += right;
    }
    return sums;
}

Tensor Loss::labelSumsOnDevice(const Tensor& output, const Tensor& targets) const
{
    const Tensor said = output.gt(m_cut), truth = targets.gt(0.5);
    const Tensor right = said.eq(truth).all(1).sum(at::kDouble).view({1});
    const auto each = [](const Tensor& flags) { return flags.sum(0, false, at::kDouble); };
    return at::cat({right, noSums(output, 5), each(said.logical_and(truth)), each(said.logical_and(truth.logical_not())), each(said.logical_not().logical_and(truth))});
}

MetricSums Loss::sumsFrom(const double* values, std::int64_t count) const
{
    MetricSums sums;
    sums.count = count;
    sums.correct = static_cast<std::int64_t>(values[0]);
    sums.absolute = values[1];
    sums.squared = values[2];
    sums.target = values[3];
    sums.targetSquared = values[4];
    sums.surprise = values[5];
    const auto whole = [&](std::int64_t at) { return static_cast<std::int64_t>(values[6 + at]); };
    for (std::int64_t i = 0; m_target == Target::Labels && i < m_labels; ++i) sums.labels.push_back({whole(i), whole(m_labels + i), whole(2 * m_labels + i)});
    return sums;
}

Tensor Loss::answers(const Tensor& output) const
{
    switch (m_target) {
    case Target::Class: return at::softmax(output, 1);
    case Target::Next: return at::softmax(output, -1);
    case Target::Flag: {
        const Tensor second = at::sigmoid(output);
        return at::cat({at::rsub(second, 1), second}, 1);
    }
    case Target::Number: return (output.to(at::kDouble) * m_deviation + m_mean).to(at::kFloat);
    case Target::Labels:
    case Target::Input: break;
    }
    return said(output);
}

} // namespace sconce::engine
