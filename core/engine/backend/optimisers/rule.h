// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
// The rules by which weights are changed, one small class each, and how a recipe names them. A rule knows settings and
// arithmetic; the state, its names and the choice of weights are the Optimiser's. Private to the engine.

#include "core/base/result.h"
#include "core/model/primitives.h"
#include "core/recipe/recipe.h"

#include <ATen/core/Tensor.h>

#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace sconce::engine {

/// A tensor that a rule keeps beside each of its weights, of the same shape; its name is part of files.
struct Slot
{
    std::string name;
    double start = 0;
};

/// One update of weights that share a rule, a rate and a decay.
struct Update
{
    const std::vector<at::Tensor>& parameters;
    const std::vector<at::Tensor>& gradients;             ///< theirs; may be written to
    const std::vector<std::vector<at::Tensor>>& state;    ///< by slot
    const at::Tensor& rate;                               ///< a double on the device, so that a step recorded once can be done again at another
    double weightDecay = 0;
    std::int64_t step = 1;                                ///< 1 for the very first update, more for a later one; 0: only stepTensor knows
    const at::Tensor& stepTensor;                         ///< the same on the device, float
    std::optional<at::Tensor> skip;                       ///< for fused rules: a float on the device; nothing happens unless it is 0

    /// Such a double as operators over floats take it: a GPU's want a float.
    static at::Tensor operand(const at::Tensor& number) { return number.is_cpu() ? number : number.to(at::kFloat); }
    at::Tensor rateOperand() const { return operand(rate); }
    /// What weight decay leaves of a weight.
    at::Tensor kept() const { return operand(rate.mul(-weightDecay).add_(1)); }
};

class Rule
{
  public:
    virtual ~Rule() = default;
    virtual std::vector<Slot> slots() const = 0;
    /// True if update() obeys `skip` itself; the Optimiser sees to it for the others.
    virtual bool fused() const { return false; }
    /// True if update number `step` is done as all later ones are, but for what lies on the device.
    virtual bool settled(std::int64_t /*step*/) const { return true; }
    virtual void update(const Update& update) const = 0;
};

/// The settings of an optimiser's entry by their ids.
class RuleSettings
{
  public:
    RuleSettings(const Configured& chosen, const OptionEntry& entry) : m_chosen(chosen), m_entry(entry) {}
    /// The fallback where the entry has no such setting.
    double real(const char* id, double fallback = 0) const;
    bool flag(const char* id) const { return real(id) != 0; }

  private:
    const Configured& m_chosen;
    const OptionEntry& m_entry;
};

/// What a recipe's optimiser is made of.
struct RuleSet
{
    std::unique_ptr<const Rule> main;
    std::unique_ptr<const Rule> rest;     ///< for weights that are not the main rule's; may be null
    double restFactor = 1;                ///< of the rate, for the rest
    std::vector<bool> isRest;             ///< by ParamIndex; empty: none is
    double weightDecay = 0;
};
/// fused: by torch's fused operators where it has one for the rule.
Result<RuleSet> makeRules(const Configured& chosen, const Plan& plan, bool fused);

std::unique_ptr<const Rule> adamRule(const RuleSettings& settings);
std::unique_ptr<const Rule> adamwRule(const RuleSettings& settings);
std::unique_ptr<const Rule> sgdRule(const RuleSettings& settings);
std::unique_ptr<const Rule> rmspropRule(const RuleSettings& settings);
std::unique_ptr<const Rule> adagradRule(const RuleSettings& settings);
std::unique_ptr<const Rule> lionRule(const RuleSettings& settings);
std::unique_ptr<const Rule> muonRule(const RuleSettings& settings);

/// The same rule of optimiser `type` (Muon's for the rest is AdamW's) by plain operators, if it is fused.
std::unique_ptr<const Rule> plainRule(const std::string& type, std::unique_ptr<const Rule> fused, const RuleSettings& settings);

/// By ParamIndex: weights of at least two axes whose layer is neither the first nor the last of those on any way through the
/// network. They are what Muon is made for.
std::vector<bool> hiddenMatrices(const Plan& plan);

} // namespace sconce::engine
