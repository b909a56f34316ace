// SPDX-License-Identifier: GPL-3.0-or-later
// Adam (Kingma and Ba, 2014) and AdamW (Loshchilov and Hutter, 2017) over torch's fused operators.
#include "core/engine/backend/optimisers/rule.h"

#include <ATen/ops/_fused_adam.h>
#include <ATen/ops/_fused_adamw.h>

namespace sconce::engine {
namespace {

class Adam final : public Rule
{
  public:
    Adam(const RuleSettings& settings, bool decoupled)
        : m_decoupled(decoupled), m_beta1(settings.real("beta1", 0.9)), m_beta2(settings.real("beta2", 0.999)), m_epsilon(settings.real("epsilon", 1e-8))
    {
    }
    std::vector<Slot> slots() const override { return {{"exp_avg"}, {"exp_avg_sq"}}; }
    bool fused() const override { return true; }
    void update(const Update& u) const override
    {
        const std::vector<at::Tensor> steps(u.parameters.size(), u.stepTensor);
        if (m_decoupled)
            at::_fused_adamw_(u.parameters, u.gradients, u.state[0], u.state[1], {}, steps, u.rateOperand(), m_beta1, m_beta2, u.weightDecay, m_epsilon, false, false, {}, u.skip);
        else
            at::_fused_adam_(u.parameters, u.gradients, u.state[0], u.state[1], {}, steps, u.rateOperand(), m_beta1, m_beta2, u.weightDecay, m_epsilon, false, false, {}, u.skip);
    }

  private:
    bool m_decoupled;
    double m_beta1, m_beta2, m_epsilon;
};

} // namespace

std::unique_ptr<const Rule> adamRule(const RuleSettings& settings) { return std::make_unique<Adam>(settings, false); }
std::unique_ptr<const Rule> adamwRule(const RuleSettings& settings) { return std::make_unique<Adam>(settings, true); }

} // namespace sconce::engine
