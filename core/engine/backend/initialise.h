// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
// Start values of parameters: a pure function of seed, layer id and the parameter's last name (rule 7). No torch here.

#include "core/model/primitives.h"

#include <cstdint>
#include <string>
#include <vector>

namespace sconce::engine {

/// Row-major start values of one parameter of a plan. The same on every device and with every number of threads, whatever
/// the layer is called and wherever it stands.
std::vector<float> startValues(const Plan& plan, ParamIndex parameter, std::uint64_t seed);
/// What keys the start: layer id and the last part of the name, numbered where a layer has several of that name.
std::string startKey(const Plan& plan, ParamIndex parameter);

} // namespace sconce::engine
