// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
// Start values of parameters: a pure function of seed, layer id and the parameter's last name (rule 7). No torch here.

#include "core/model/primitives.h"

#include <cstdint>
#include <vector>

namespace sconce::engine {

/// Row-major start values of one parameter. The same on every device and with every number of threads.
std::vector<float> startValues(const ParameterSpec& spec, std::uint64_t seed);

} // namespace sconce::engine
