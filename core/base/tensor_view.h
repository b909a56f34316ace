// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
// A named tensor in host memory: how weights and optimiser state travel between engine, checkpoints and files.

#include "core/base/dtype.h"

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

namespace sconce {

/// Row-major, packed, little-endian; does not own its bytes.
struct TensorView
{
    std::string name;
    DType dtype = DType::F32;
    std::vector<std::int64_t> shape; ///< empty for a scalar
    std::span<const std::byte> bytes;
};

/// The same with its own bytes.
struct HostTensor
{
    std::string name;
    DType dtype = DType::F32;
    std::vector<std::int64_t> shape;
    std::vector<std::byte> bytes;
    TensorView view() const { return {name, dtype, shape, bytes}; }
};

} // namespace sconce
