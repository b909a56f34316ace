// SPDX-License-Identifier: GPL-3.0-or-later
// From a recipe's words to rules.
#include "core/engine/backend/optimisers/rule.h"

#include <map>

namespace sconce::engine {

double RuleSettings::real(const char* id, double fallback) const
{
    if (!findParam(m_entry.params, id)) return fallback;
    const ParamValue& value = valueOf(m_entry.params, m_chosen.params, id);
    if (const auto* number = std::get_if<double>(&value)) return *number;
    if (const auto* whole = std::get_if<std::int64_t>(&value)) return static_cast<double>(*whole);
    if (const auto* flag = std::get_if<bool>(&value)) return *flag ? 1 : 0;
    return fallback;
}

Result<RuleSet> makeRules(const Configured& chosen, const Plan& plan, bool fused)
{
    using Maker = std::unique_ptr<const Rule> (*)(const RuleSettings&);
    static const std::map<std::string, Maker> makers{{"adam", adamRule},       {"adamw", adamwRule},     {"sgd", sgdRule},  {"rmsprop", rmspropRule},
                                                     {"adagrad", adagradRule}, {"lion", lionRule}, {"muon", muonRule}};
    const OptionEntry* entry = findOption(optimiserEntries(), chosen.type);
    const auto maker = makers.find(chosen.type);
    if (!entry || maker == makers.end()) {
        std::string known;
        for (const OptionEntry& each : optimiserEntries()) known += (known.empty() ? "" : ", ") + each.title;
        return Error{ErrorCode::Invalid, "There is no optimiser called “" + chosen.type + "”.", "Choose one of " + known + ".", {}};
    }
    const RuleSettings settings(chosen, *entry);
    RuleSet rules;
    rules.main = maker->second(settings);
    rules.weightDecay = settings.real("weight_decay");
    if (chosen.type == "muon") {
        rules.rest = adamwRule(settings);
        rules.restFactor = settings.real("rest_rate");
        rules.isRest = hiddenMatrices(plan);
        rules.isRest.flip();
    }
    if (!fused) {
        rules.main = plainRule(chosen.type, std::move(rules.main), settings);
        if (rules.rest) rules.rest = plainRule("adamw", std::move(rules.rest), settings);
    }
    return rules;
}

} // namespace sconce::engine
