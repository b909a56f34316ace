// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
// What a task makes of the network's output: the loss to go down on, the sums that its metrics follow from, and the answers for
// people. Private to the engine.

#include "core/base/result.h"
#include "core/data/scaling.h"
#include "core/data/split.h"
#include "core/model/passes.h"
#include "core/recipe/task.h"

#include <ATen/core/Tensor.h>

namespace sconce::engine {

class Loss
{
  public:
    /// Invalid for a task that the engine does not know.
    static Result<Loss> make(const Configured& task, const Scaling& scaling, at::Device device);

    Target target() const { return m_target; }
    /// The last step of a network that is part of this loss already, and exacter there.
    FinalStep joined() const;
    std::string description(OutputKind output) const;

    /// Says what does not fit: classes, numbers, the output's shape.
    Result<void> fits(const DatasetInfo& data, const ValueType& input, const ValueType& output) const;
    /// Weights of classes and labels follow the data; the network gives `outputs` numbers, at least as many as there are classes. Called before
    /// the first batch.
    void useData(const Dataset& data, std::int64_t outputs, TargetCounts counts);

    /// What the metrics of so many samples count: these, or a text's symbols.
    std::int64_t countOf(std::int64_t rows) const { return rows * m_perRow; }
    /// What the mean over these samples divides by: their number (of a text, that of symbols), or their weights' sum.
    double weightOf(std::span<const std::int32_t> labels, std::span<const std::int64_t> rows) const;
    /// Of a whole batch. Targets: class indices [rows], symbols [rows, length]; 0 or 1 as floats [rows, labels]; or floats of the output's shape, numbers scaled by the deviation of training.
    at::Tensor mean(const at::Tensor& output, const at::Tensor& targets) const;
    /// Of a piece of a batch whose weight is `whole`: the pieces' losses add up to the batch's mean.
    at::Tensor share(const at::Tensor& output, const at::Tensor& targets, double whole) const;
    /// As validation counts it: every sample alike, as Keras does, but smoothed as in training, so that both curves compare.
    at::Tensor evaluated(const at::Tensor& output, const at::Tensor& targets) const;

    /// Of these samples; waits for the device. `further`: also what furtherMetricsOf() follows from.
    MetricSums sums(const at::Tensor& output, const at::Tensor& targets, bool further = false) const;
    /// The same left on the device, as doubles: correct, absolute, squared, target, targetSquared, surprise;
    /// then, where there are labels, of each how often it was found, of each how often wrong, of each how often missed.
    at::Tensor sumsOnDevice(const at::Tensor& output, const at::Tensor& targets) const;
    std::int64_t sumCount() const { return 6 + (m_target == Target::Labels ? 3 * m_labels : 0); } ///< how many those are, once the data are known
    MetricSums sumsFrom(const double* values, std::int64_t count) const;

    /// What predict() gives.
    at::Tensor answers(const at::Tensor& output) const;

  private:
    enum class Kind { CrossEntropy, BinaryCrossEntropy, Squared, Absolute, Huber };
    /// Of classes or labels in training; undefined: all alike.
    const at::Tensor& weights() const { return m_target == Target::Labels ? m_positiveWeights : m_weightTensor; }
    at::Tensor reduced(const at::Tensor& output, const at::Tensor& targets, const at::Tensor& weights, std::int64_t reduction) const;
    void balanceLabels(const TargetCounts& counts);
    MetricSums labelSums(const at::Tensor& output, const at::Tensor& targets) const;
    at::Tensor labelSumsOnDevice(const at::Tensor& output, const at::Tensor& targets) const;
    at::Tensor said(const at::Tensor& output) const; ///< in the metric's units

    Kind m_kind = Kind::CrossEntropy;
    Target m_target = Target::Class;
    at::Device m_device = at::kCPU;
    double m_smoothing = 0;
    bool m_balanced = false;
    std::int64_t m_perRow = 1;     ///< answers that a sample asks for
    double m_delta = 1;            ///< where Huber's loss bends
    double m_mean = 0, m_deviation = 1; ///< of the numbers to be predicted
    double m_cut = 0;              ///< the logit above which a label is said
    std::int64_t m_labels = 0;     ///< that a sample may have
    std::int64_t m_classes = 0;
    std::vector<double> m_weights; ///< per class; empty: all 1
    at::Tensor m_weightTensor;     ///< the same on the device
    at::Tensor m_positiveWeights;  ///< per label, of samples that have it; undefined: all 1
};

} // namespace sconce::engine
