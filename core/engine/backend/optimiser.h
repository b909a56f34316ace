// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
// Adam, AdamW and SGD over torch's fused operators, with state of our own so that it can be saved, restored and checked by
// name. Private to the engine.

#include "core/base/result.h"
#include "core/base/tensor_view.h"
#include "core/model/primitives.h"
#include "core/recipe/recipe.h"

#include <ATen/core/Tensor.h>

#include <span>
#include <string>
#include <vector>

namespace sconce::engine {

class Optimiser
{
  public:
    /// `parameters` are those of the plan, in its order; only the trainable ones are touched. Invalid for an unknown type.
    static Result<Optimiser> make(const Configured& settings, const Plan& plan, std::span<const at::Tensor> parameters);

    /// One update. `gradients` belong to the trainable parameters in order, each laid out as its parameter. `skip`, where
    /// defined, is a float on the device that turns the whole update into nothing if it is not 0.
    void update(const std::vector<at::Tensor>& gradients, double learningRate, const at::Tensor& skip);

    std::vector<HostTensor> state() const;
    /// All names, types and shapes are checked before anything is changed.
    Result<void> setState(std::span<const TensorView> tensors);
    std::string name() const;
    std::int64_t steps() const { return m_steps; } ///< updates done
    void takeBack(std::int64_t updates) { m_steps -= updates; } ///< the last ones were skipped on the device
    const std::vector<at::Tensor>& parameters() const { return m_parameters; }
    std::vector<at::Tensor> allTensors() const; ///< for device checks

  private:
    enum class Kind { Adam, AdamW, Sgd };
    /// Parameters that share a weight decay.
    struct Group
    {
        std::vector<std::size_t> members;
        double weightDecay = 0;
    };
    void updateGroup(const Group& group, const std::vector<at::Tensor>& gradients, double learningRate, const at::Tensor& skip);
    std::vector<std::pair<std::string, at::Tensor>> named() const;

    Kind m_kind = Kind::Adam;
    double m_beta1 = 0.9, m_beta2 = 0.999, m_epsilon = 1e-8, m_momentum = 0;
    bool m_nesterov = false;
    std::vector<Group> m_groups;
    std::vector<std::string> m_names;
    std::vector<at::Tensor> m_parameters;
    std::vector<at::Tensor> m_first;  ///< mean of gradients, or momentum
    std::vector<at::Tensor> m_second; ///< mean of their squares
    at::Tensor m_stepTensor;          ///< on the device, float, as the fused operators want it
    std::int64_t m_steps = 0;         ///< updates done; a float would stop counting at 2^24
};

} // namespace sconce::engine
