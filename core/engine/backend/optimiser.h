// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
// What changes the weights: a rule of optimisers/ over groups of weights, with state of our own so that it can be saved,
// restored and checked by name. Private to the engine.

#include "core/base/result.h"
#include "core/base/tensor_view.h"
#include "core/engine/backend/optimisers/rule.h"

#include <span>
#include <string>
#include <vector>

namespace sconce::engine {

class Optimiser
{
  public:
    /// `parameters` are those of the plan, in its order; only the trainable ones are touched. Invalid for an unknown type.
    /// fused: by torch's fused operators where it has them, which is faster and rounds a little otherwise.
    static Result<Optimiser> make(const Configured& settings, const Plan& plan, std::span<const at::Tensor> parameters, bool fused = true);

    /// One update. `gradients` belong to the trainable parameters in order, each laid out as its parameter; they may be written
    /// to. `skip`, where defined, is a float on the device that turns the whole update into nothing if it is not 0. `goesOn`: a skipped
    /// update is not the last one, so the updates are counted on the device too; takeBack() then says how many were skipped.
    void update(const std::vector<at::Tensor>& gradients, double learningRate, const at::Tensor& skip, bool goesOn = false);
    /// What update() does on the device, from numbers that lie there: the rate, and the number of the update (doubles). The update is
    /// not counted: so it can be recorded, and done again with other numbers there. `first`: it is the very first one.
    void apply(const std::vector<at::Tensor>& gradients, const at::Tensor& rate, const at::Tensor& number, const at::Tensor& skip, bool goesOn, bool first);
    void count() { ++m_steps; }
    /// True if the next update is done as all later ones are, but for the numbers on the device.
    bool settled() const;

    /// `untaken`: of the updates, so many were skipped on the device and are not taken back yet.
    std::vector<HostTensor> state(std::int64_t untaken = 0) const;
    /// All names, types and shapes are checked before anything is changed.
    Result<void> setState(std::span<const TensorView> tensors);
    const std::string& name() const { return m_name; }
    bool fused() const;                        ///< every rule runs in one operator
    std::int64_t steps() const { return m_steps; } ///< updates done
    void takeBack(std::int64_t updates) { m_steps -= updates; } ///< the last ones were skipped on the device
    const std::vector<at::Tensor>& parameters() const { return m_parameters; }
    std::vector<at::Tensor> allTensors() const; ///< of its state, on the device
    const at::Tensor& stepTensor() const { return m_stepTensor; } ///< updates done, as a float on the device

  private:
    /// Parameters that share a rule, a weight decay and a factor of the rate.
    struct Group
    {
        const Rule* rule = nullptr;
        double weightDecay = 0, rateFactor = 1;
        std::vector<std::size_t> members;
        std::vector<at::Tensor> parameters;
        std::vector<std::vector<at::Tensor>> state; ///< by slot
    };
    Group& groupFor(const Rule& rule, double weightDecay, double rateFactor);
    void add(Group& group, const std::string& name, const at::Tensor& parameter);
    void updateUnlessSkipped(const Group& group, Update& update, const at::Tensor& skip) const;
    std::vector<std::pair<std::string, at::Tensor>> named() const;

    std::string m_name;
    RuleSet m_rules;
    std::vector<Group> m_groups;
    std::vector<std::string> m_names;
    std::vector<at::Tensor> m_parameters;
    at::Tensor m_stepTensor;  ///< on the device, float, as the fused operators want it
    at::Tensor m_rate, m_number; ///< operands of update(), where they come from the host
    std::int64_t m_steps = 0; ///< updates done; a float would stop counting at 2^24
};

} // namespace sconce::engine
