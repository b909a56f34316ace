// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
// What a task makes of the network's output: the loss to go down on, and what counts as right. Private to the engine.

#include "core/base/result.h"
#include "core/data/dataset.h"
#include "core/recipe/recipe.h"

#include <ATen/core/Tensor.h>

namespace sconce::engine {

class Loss
{
  public:
    /// Invalid for a task that the engine does not know.
    static Result<Loss> make(const Configured& task, at::Device device);

    /// Weights of classes follow the data; the network gives `outputs` numbers, at least as many as there are classes. Called before
    /// the first batch.
    void useData(const Dataset& data, std::int64_t outputs);

    /// What the mean over these samples divides by: their number, or their weights' sum.
    double weightOf(std::span<const std::int32_t> labels, std::span<const std::int64_t> rows) const;
    /// Of a whole batch.
    at::Tensor mean(const at::Tensor& output, const at::Tensor& targets) const;
    /// Of a piece of a batch whose weight is `whole`: the pieces' losses add up to the batch's mean.
    at::Tensor share(const at::Tensor& output, const at::Tensor& targets, double whole) const;
    /// As validation counts it: every sample alike, as Keras does, but smoothed as in training, so that both curves compare.
    at::Tensor evaluated(const at::Tensor& output, const at::Tensor& targets) const;

  private:
    at::Device m_device = at::kCPU;
    double m_smoothing = 0;
    bool m_balanced = false;
    std::vector<double> m_weights; ///< per class; empty: all 1
    at::Tensor m_weightTensor;     ///< the same on the device
};

} // namespace sconce::engine
