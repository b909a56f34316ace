// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/engine/backend/attention_kernels.h"

#include <algorithm>
#include <cmath>

#define SCONCE_KERNELS "core/engine/backend/attention_kernels.inc"

namespace sconce::engine::shortattention {

#include "core/engine/backend/instruction_sets.inc"

} // namespace sconce::engine::shortattention
