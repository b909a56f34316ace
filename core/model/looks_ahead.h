// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
// Whether a network could cheat at guessing what comes next: by seeing it. Pure; any thread.

#include "core/model/primitives.h"

#include <optional>

namespace sconce {

/// The layer at which a position along the length first comes to depend on later positions of the input: attention that is not causal,
/// convolution, pooling, flattening, norms across the length. Nothing where every position of the output depends only on itself and
/// those before it. What batch statistics carry over while training does not count. Refuses what it does not know for certain.
std::optional<LayerId> looksAheadAt(const Plan& plan);
/// True if any position of the output does.
bool looksAhead(const Plan& plan);

} // namespace sconce
