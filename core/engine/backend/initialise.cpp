// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/engine/backend/initialise.h"

#include "core/base/random.h"

#include <algorithm>
#include <cmath>

namespace sconce::engine {

std::string startKey(const Plan& plan, ParamIndex parameter)
{
    const auto lastPart = [](const std::string& name) { return name.substr(name.rfind('.') + 1); };
    const ParameterSpec& spec = plan.parameters[static_cast<std::size_t>(parameter)];
    const std::string part = lastPart(spec.name);
    int before = 0; // a separable convolution has two parameters whose names end in "weight"
    for (ParamIndex i = 0; i < parameter; ++i) {
        const ParameterSpec& other = plan.parameters[static_cast<std::size_t>(i)];
        if (other.layer == spec.layer && lastPart(other.name) == part) ++before;
    }
    return spec.layer + "." + part + (before > 0 ? "#" + std::to_string(before) : "");
}

std::vector<float> startValues(const Plan& plan, ParamIndex parameter, std::uint64_t seed)
{
    const ParameterSpec& spec = plan.parameters[static_cast<std::size_t>(parameter)];
    const std::size_t count = static_cast<std::size_t>(spec.elements());
    std::vector<float> values(count, 0.0f);
    const Philox random(seed, Purpose::Init, textKey(startKey(plan, parameter)));
    // Fans of 0 (a parameter without inputs) would divide by zero.
    const double in = static_cast<double>(std::max<std::int64_t>(1, spec.init.fanIn));
    const double out = static_cast<double>(std::max<std::int64_t>(1, spec.init.fanOut));
    const auto uniform = [&](double limit) { random.fillUniform(-limit, limit, values); };
    const auto normal = [&](double deviation) { random.fillNormal(0.0, deviation, values); };

    using Kind = Initialiser::Kind;
    switch (spec.init.kind) {
    case Kind::Zeros: break;
    case Kind::Ones: std::fill(values.begin(), values.end(), 1.0f); break;
    case Kind::Constant: std::fill(values.begin(), values.end(), static_cast<float>(spec.init.value)); break;
    // Glorot & Bengio 2010; He et al. 2015; the formulas of Keras.
    case Kind::GlorotUniform: uniform(std::sqrt(6.0 / (in + out))); break;
    case Kind::GlorotNormal: normal(std::sqrt(2.0 / (in + out))); break;
    case Kind::HeUniform: uniform(std::sqrt(6.0 / in)); break;
    case Kind::HeNormal: normal(std::sqrt(2.0 / in)); break;
    case Kind::Normal: normal(spec.init.value); break;
    case Kind::Uniform: uniform(spec.init.value); break;
    }
    return values;
}

} // namespace sconce::engine
