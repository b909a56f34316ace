// SPDX-License-Identifier: GPL-3.0-or-later
// The rules for which torch has a fused operator, written with its plain ones: the off switch of fusing. The same state by the same
// names, so that a checkpoint does not know which of the two wrote it. What depends on the number of updates reads it on the device.
#include "core/engine/backend/optimisers/rule.h"

#include <ATen/TensorOperators.h>
#include <ATen/ops/_foreach_add.h>
#include <ATen/ops/_foreach_addcmul.h>
#include <ATen/ops/_foreach_copy.h>
#include <ATen/ops/_foreach_div.h>
#include <ATen/ops/_foreach_lerp.h>
#include <ATen/ops/_foreach_mul.h>
#include <ATen/ops/_foreach_sqrt.h>
#include <ATen/ops/_foreach_sub.h>
#include <ATen/ops/pow.h>
#include <ATen/ops/where.h>

namespace sconce::engine {
namespace {

using Tensors = std::vector<at::Tensor>;

/// Weight decay as a part of the gradient.
Tensors decayed(const Update& u)
{
    return u.weightDecay == 0 ? u.gradients : at::_foreach_add(u.gradients, u.parameters, u.weightDecay);
}

/// Has the slots of the rule that it stands for.
class Plain : public Rule
{
  public:
    explicit Plain(std::unique_ptr<const Rule> fused) : m_fused(std::move(fused)) {}
    std::vector<Slot> slots() const override { return m_fused->slots(); }

  private:
    std::unique_ptr<const Rule> m_fused;
};

class PlainAdam final : public Plain
{
  public:
    PlainAdam(std::unique_ptr<const Rule> fused, const RuleSettings& settings, bool decoupled)
        : Plain(std::move(fused)), m_decoupled(decoupled), m_beta1(settings.real("beta1", 0.9)), m_beta2(settings.real("beta2", 0.999)), m_epsilon(settings.real("epsilon", 1e-8))
    {
    }
    void update(const Update& u) const override
    {
        if (m_decoupled && u.weightDecay != 0) at::_foreach_mul_(u.parameters, u.kept());
        const Tensors gradients = m_decoupled ? u.gradients : decayed(u);
        at::_foreach_lerp_(u.state[0], gradients, 1 - m_beta1);
        at::_foreach_mul_(u.state[1], m_beta2);
        at::_foreach_addcmul_(u.state[1], gradients, gradients, 1 - m_beta2);
        const at::Tensor step = u.stepTensor.to(at::kDouble); // in float32 1 - 0.999 has four digits
        const at::Tensor first = 1 - at::pow(m_beta1, step), second = (1 - at::pow(m_beta2, step)).sqrt();
        Tensors below = at::_foreach_sqrt(u.state[1]);
        at::_foreach_div_(below, Update::operand(second));
        at::_foreach_add_(below, m_epsilon);
        Tensors change = at::_foreach_div(u.state[0], below);
        at::_foreach_mul_(change, Update::operand(u.rate / first));
        at::_foreach_sub_(u.parameters, change);
    }

  private:
    bool m_decoupled;
    double m_beta1, m_beta2, m_epsilon;
};

class PlainSgd final : public Plain
{
  public:
    PlainSgd(std::unique_ptr<const Rule> fused, const RuleSettings& settings) : Plain(std::move(fused)), m_momentum(settings.real("momentum"))
    {
        m_nesterov = settings.flag("nesterov") && m_momentum > 0;
        if (m_momentum > 0 && !m_nesterov) m_dampening = settings.real("dampening");
    }
    bool settled(std::int64_t step) const override { return m_dampening == 0 || step > 1; }
    void update(const Update& u) const override
    {
        Tensors gradients = decayed(u);
        if (m_momentum > 0) {
            const Tensors& momentum = u.state[0];
            const bool unknown = m_dampening != 0 && u.step == 0; // those before it may have been skipped, as only the device knows
            if (!unknown && !settled(u.step)) at::_foreach_copy_(momentum, gradients); // the first gradient is taken undampened
            else {
                at::_foreach_mul_(momentum, m_momentum);
                at::_foreach_add_(momentum, gradients, 1 - m_dampening);
            }
            for (std::size_t i = 0; unknown && i < momentum.size(); ++i) momentum[i].copy_(at::where(u.stepTensor.le(1), gradients[i], momentum[i]));
            gradients = m_nesterov ? at::_foreach_add(gradients, momentum, m_momentum) : momentum;
        }
        at::_foreach_sub_(u.parameters, at::_foreach_mul(gradients, u.rateOperand()));
    }

  private:
    double m_momentum, m_dampening = 0;
    bool m_nesterov = false;
};

class PlainAdagrad final : public Plain
{
  public:
    PlainAdagrad(std::unique_ptr<const Rule> fused, const RuleSettings& settings)
        : Plain(std::move(fused)), m_rateDecay(settings.real("lr_decay")), m_epsilon(settings.real("epsilon"))
    {
    }
    void update(const Update& u) const override
    {
        const Tensors gradients = decayed(u);
        at::_foreach_addcmul_(u.state[0], gradients, gradients, 1);
        Tensors below = at::_foreach_sqrt(u.state[0]);
        at::_foreach_add_(below, m_epsilon);
        Tensors change = at::_foreach_div(gradients, below);
        at::_foreach_mul_(change, Update::operand(u.rate / (1 + (u.stepTensor.to(at::kDouble) - 1) * m_rateDecay)));
        at::_foreach_sub_(u.parameters, change);
    }

  private:
    double m_rateDecay, m_epsilon;
};

} // namespace

std::unique_ptr<const Rule> plainRule(const std::string& type, std::unique_ptr<const Rule> fused, const RuleSettings& settings)
{
    if (!fused->fused()) return fused;
    if (type == "sgd") return std::make_unique<PlainSgd>(std::move(fused), settings);
    if (type == "adagrad") return std::make_unique<PlainAdagrad>(std::move(fused), settings);
    return std::make_unique<PlainAdam>(std::move(fused), settings, type != "adam");
}

} // namespace sconce::engine
