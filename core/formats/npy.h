// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
// Writing NumPy arrays (NPY format, version 1.0), for predictions.

#include "core/base/result.h"

#include <cstdint>
#include <span>
#include <string>

namespace sconce {

/// A float32 array of the shape, C order, durably written.
Result<void> writeNpy(const std::string& path, std::span<const float> values, std::span<const std::int64_t> shape);

} // namespace sconce
