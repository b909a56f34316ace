// SPDX-License-Identifier: GPL-3.0-or-later
// Stochastic gradient descent as torch.optim.SGD has it: momentum, Nesterov's look ahead, dampening.
#include "core/engine/backend/optimisers/rule.h"

#include <ATen/TensorOperators.h>
#include <ATen/ops/_fused_sgd.h>

namespace sconce::engine {
namespace {

class Sgd final : public Rule
{
  public:
    explicit Sgd(const RuleSettings& settings) : m_momentum(settings.real("momentum"))
    {
        m_nesterov = settings.flag("nesterov") && m_momentum > 0;
        if (m_momentum > 0 && !m_nesterov) m_dampening = settings.real("dampening"); // torch refuses both together
    }
    std::vector<Slot> slots() const override { return m_momentum > 0 ? std::vector<Slot>{{"momentum"}} : std::vector<Slot>{}; }
    bool fused() const override { return true; }
    bool settled(std::int64_t step) const override { return m_dampening == 0 || step > 1; }
    void update(const Update& u) const override
    {
        const std::vector<at::Tensor> momentum = u.state.empty() ? std::vector<at::Tensor>{} : u.state[0];
        const auto run = [&](bool first, const std::optional<at::Tensor>& skip) {
            at::_fused_sgd_(u.parameters, u.gradients, momentum, u.weightDecay, m_momentum, u.rateOperand(), m_dampening, m_nesterov, false, first, {}, skip);
        };
        // The first gradient is taken undampened; without dampening momentum from zero comes to the same.
        if (m_dampening == 0 || u.step > 0) return run(!settled(u.step), u.skip);
        // Those before it may have been skipped, as only the device knows: it is told both ways, and one of them does nothing.
        const at::Tensor first = u.stepTensor.le(1).to(at::kFloat);
        run(true, (*u.skip + (1 - first)).clamp_max_(1));
        run(false, (*u.skip + first).clamp_max_(1));
    }

  private:
    double m_momentum, m_dampening = 0;
    bool m_nesterov = false;
};

} // namespace

std::unique_ptr<const Rule> sgdRule(const RuleSettings& settings) { return std::make_unique<Sgd>(settings); }

} // namespace sconce::engine
