// SPDX-License-Identifier: GPL-3.0-or-later
// Adagrad (Duchi, Hazan and Singer, 2011) over torch's fused operator.
#include "core/engine/backend/optimisers/rule.h"

#include <ATen/ops/_fused_adagrad.h>

namespace sconce::engine {
namespace {

class Adagrad final : public Rule
{
  public:
    explicit Adagrad(const RuleSettings& settings)
        : m_rateDecay(settings.real("lr_decay")), m_epsilon(settings.real("epsilon")), m_start(settings.real("initial_accumulator"))
    {
    }
    std::vector<Slot> slots() const override { return {{"sum", m_start}}; }
    bool fused() const override { return true; }
    void update(const Update& u) const override
    {
        const std::vector<at::Tensor> steps(u.parameters.size(), u.stepTensor);
        at::_fused_adagrad_(u.parameters, u.gradients, u.state[0], steps, u.rateOperand(), m_rateDecay, u.weightDecay, m_epsilon, false, {}, u.skip);
    }

  private:
    double m_rateDecay, m_epsilon, m_start;
};

} // namespace

std::unique_ptr<const Rule> adagradRule(const RuleSettings& settings) { return std::make_unique<Adagrad>(settings); }

} // namespace sconce::engine
