// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/engine/backend/conv_pool_kernels.h"

#include <algorithm>
#include <cstring>

#define SCONCE_KERNELS "core/engine/backend/all_conv_pool_kernels.inc"

namespace sconce::engine::convpool {

#include "core/engine/backend/instruction_sets.inc"

} // namespace sconce::engine::convpool
