// SPDX-License-Identifier: GPL-3.0-or-later
// Muon (Jordan et al., 2024, kellerjordan.github.io/posts/muon) as torch.optim.Muon has it, but in float32 throughout: the
// momentum of a matrix is replaced by the nearest matrix whose singular values are all about one. Filters of a convolution
// are rows of such a matrix.
#include "core/engine/backend/optimisers/rule.h"

#include <ATen/TensorOperators.h>
#include <ATen/ops/addmm.h>
#include <ATen/ops/linalg_vector_norm.h>
#include <ATen/ops/mm.h>

#include <algorithm>
#include <cmath>

namespace sconce::engine {
namespace {

constexpr double coefficientA = 3.4445, coefficientB = -4.7750, coefficientC = 2.0315;
constexpr int newtonSchulzSteps = 5;
constexpr double leastNorm = 1e-7;

/// The Newton–Schulz iteration; `matrix` has two axes.
at::Tensor orthogonalised(const at::Tensor& matrix)
{
    const bool tall = matrix.size(0) > matrix.size(1); // the products are then the smaller
    at::Tensor x = tall ? matrix.t() : matrix;
    x = x / at::linalg_vector_norm(x).clamp_min(leastNorm);
    for (int i = 0; i < newtonSchulzSteps; ++i) {
        const at::Tensor gram = at::mm(x, x.t());
        const at::Tensor polynomial = at::addmm(gram, gram, gram, coefficientB, coefficientC);
        x = at::addmm(x, polynomial, x, coefficientA, 1);
    }
    return tall ? x.t() : x;
}

class Muon final : public Rule
{
  public:
    explicit Muon(const RuleSettings& settings) : m_momentum(settings.real("momentum")), m_nesterov(settings.flag("nesterov")) {}
    std::vector<Slot> slots() const override { return {{"momentum"}}; }
    void update(const Update& u) const override
    {
        for (std::size_t i = 0; i < u.parameters.size(); ++i) {
            const at::Tensor parameter = u.parameters[i], gradient = u.gradients[i], momentum = u.state[0][i];
            momentum.lerp_(gradient, 1 - m_momentum);
            const at::Tensor direction = m_nesterov ? gradient.lerp(momentum, m_momentum) : momentum;
            const at::Tensor matrix = direction.reshape({direction.size(0), -1});
            const at::Tensor step = orthogonalised(matrix).reshape(parameter.sizes());
            // Rows beyond the columns would make the step of each number smaller.
            const double size = std::sqrt(std::max(1.0, static_cast<double>(matrix.size(0)) / static_cast<double>(matrix.size(1))));
            if (u.weightDecay != 0) parameter.mul_(u.kept());
            parameter.sub_(step * Update::operand(u.rate * size));
        }
    }

  private:
    double m_momentum;
    bool m_nesterov;
};

ParamIndex weightOf(const Operation& op)
{
    if (const auto* conv = std::get_if<ConvOp>(&op)) return conv->weight;
    if (const auto* transposed = std::get_if<ConvTransposeOp>(&op)) return transposed->weight;
    if (const auto* linear = std::get_if<LinearOp>(&op)) return linear->weight;
    return none;
}

} // namespace

std::vector<bool> hiddenMatrices(const Plan& plan)
{
    // A value is behind a matrix if one lies between it and the input, ahead of one if one lies between it and the output.
    std::vector<bool> behind(plan.values.size(), false), ahead(plan.values.size(), false), hidden(plan.parameters.size(), false);
    for (const Step& step : plan.steps) {
        bool any = weightOf(step.op) != none || std::holds_alternative<EmbeddingOp>(step.op); // itself a matrix that reads the input
        for (ValueIndex input : step.inputs) any = any || behind[static_cast<std::size_t>(input)];
        behind[static_cast<std::size_t>(step.output)] = any;
    }
    for (auto step = plan.steps.rbegin(); step != plan.steps.rend(); ++step)
        for (ValueIndex input : step->inputs)
            if (weightOf(step->op) != none || ahead[static_cast<std::size_t>(step->output)]) ahead[static_cast<std::size_t>(input)] = true;
    for (const Step& step : plan.steps)
        if (const ParamIndex weight = weightOf(step.op); weight != none)
            hidden[static_cast<std::size_t>(weight)] = behind[static_cast<std::size_t>(step.inputs.front())] && ahead[static_cast<std::size_t>(step.output)];
    return hidden;
}

std::unique_ptr<const Rule> muonRule(const RuleSettings& settings) { return std::make_unique<Muon>(settings); }

} // namespace sconce::engine
