// SPDX-License-Identifier: GPL-3.0-or-later
// RMSprop (Hinton, 2012) as torch.optim.RMSprop has it: epsilon outside the root, centred and with momentum where asked.
#include "core/engine/backend/optimisers/rule.h"

#include <ATen/ops/_foreach_add.h>
#include <ATen/ops/_foreach_addcdiv.h>
#include <ATen/ops/_foreach_addcmul.h>
#include <ATen/ops/_foreach_lerp.h>
#include <ATen/ops/_foreach_mul.h>
#include <ATen/ops/_foreach_sqrt.h>
#include <ATen/ops/_foreach_sub.h>

namespace sconce::engine {
namespace {

class RmsProp final : public Rule
{
  public:
    explicit RmsProp(const RuleSettings& settings)
        : m_alpha(settings.real("alpha")), m_epsilon(settings.real("epsilon")), m_momentum(settings.real("momentum")), m_centred(settings.flag("centered"))
    {
    }
    std::vector<Slot> slots() const override
    {
        std::vector<Slot> slots{{"square_avg"}};
        if (m_centred) slots.push_back({"grad_avg"});
        if (m_momentum > 0) slots.push_back({"momentum"});
        return slots;
    }
    void update(const Update& u) const override
    {
        if (u.weightDecay != 0) at::_foreach_add_(u.gradients, u.parameters, u.weightDecay);
        const std::vector<at::Tensor>& squares = u.state[0];
        at::_foreach_mul_(squares, m_alpha);
        at::_foreach_addcmul_(squares, u.gradients, u.gradients, 1 - m_alpha);
        std::vector<at::Tensor> root;
        if (m_centred) {
            const std::vector<at::Tensor>& means = u.state[1];
            at::_foreach_lerp_(means, u.gradients, 1 - m_alpha);
            root = at::_foreach_addcmul(squares, means, means, -1);
            at::_foreach_sqrt_(root);
        } else {
            root = at::_foreach_sqrt(squares);
        }
        at::_foreach_add_(root, m_epsilon);
        if (m_momentum <= 0) {
            at::_foreach_mul_(u.gradients, u.rateOperand());
            at::_foreach_addcdiv_(u.parameters, u.gradients, root, -1);
            return;
        }
        const std::vector<at::Tensor>& momentum = u.state.back();
        at::_foreach_mul_(momentum, m_momentum);
        at::_foreach_addcdiv_(momentum, u.gradients, root);
        at::_foreach_sub_(u.parameters, at::_foreach_mul(momentum, u.rateOperand()));
    }

  private:
    double m_alpha, m_epsilon, m_momentum;
    bool m_centred;
};

} // namespace

std::unique_ptr<const Rule> rmspropRule(const RuleSettings& settings) { return std::make_unique<RmsProp>(settings); }

} // namespace sconce::engine
