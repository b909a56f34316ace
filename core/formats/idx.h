// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
// IDX files (the format of MNIST), plain or gzip. Sizes are checked against the file before memory is taken; a gzip stream
// is unpacked only as far as its IDX header promises, so that a bomb costs nothing.

#include "core/base/dtype.h"
#include "core/base/result.h"

#include <cstdint>
#include <string>
#include <vector>

namespace sconce {

struct IdxHeader
{
    DType dtype = DType::U8;
    std::vector<std::int64_t> shape; ///< rank 1 to 4
};

struct IdxArray
{
    IdxHeader header;
    std::vector<std::uint8_t> bytes; ///< big-endian elements as in the file (uint8: as they are)
};

/// Only the header; quick.
Result<IdxHeader> readIdxHeader(const std::string& path);
/// The whole array; at most maxBytes of content.
Result<IdxArray> readIdx(const std::string& path, std::uint64_t maxBytes = std::uint64_t{8} << 30);

} // namespace sconce
