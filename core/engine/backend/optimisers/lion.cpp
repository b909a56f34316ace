// SPDX-License-Identifier: GPL-3.0-or-later
// Lion (Chen et al., “Symbolic Discovery of Optimization Algorithms”, 2023): steps of one size in the sign of a momentum.
#include "core/engine/backend/optimisers/rule.h"

#include <ATen/ops/_foreach_add.h>
#include <ATen/ops/_foreach_mul.h>
#include <ATen/ops/_foreach_sign.h>
#include <ATen/ops/_foreach_sub.h>

namespace sconce::engine {
namespace {

class Lion final : public Rule
{
  public:
    explicit Lion(const RuleSettings& settings) : m_beta1(settings.real("beta1")), m_beta2(settings.real("beta2")) {}
    std::vector<Slot> slots() const override { return {{"exp_avg"}}; }
    void update(const Update& u) const override
    {
        const std::vector<at::Tensor>& momentum = u.state[0];
        if (u.weightDecay != 0) at::_foreach_mul_(u.parameters, u.kept());
        std::vector<at::Tensor> direction = at::_foreach_mul(momentum, m_beta1);
        at::_foreach_add_(direction, u.gradients, 1 - m_beta1);
        at::_foreach_sign_(direction);
        at::_foreach_mul_(direction, u.rateOperand());
        at::_foreach_sub_(u.parameters, direction);
        at::_foreach_mul_(momentum, m_beta2);
        at::_foreach_add_(momentum, u.gradients, 1 - m_beta2);
    }

  private:
    double m_beta1, m_beta2;
};

} // namespace

std::unique_ptr<const Rule> lionRule(const RuleSettings& settings) { return std::make_unique<Lion>(settings); }

} // namespace sconce::engine
