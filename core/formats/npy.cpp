// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/formats/npy.h"

#include "core/base/files.h"

#include <array>

namespace sconce {

Result<void> writeNpy(const std::string& path, std::span<const float> values, std::span<const std::int64_t> shape)
{
    std::string dims; // as NumPy writes a tuple: some readers compare texts
    for (const auto size : shape) dims += (dims.empty() ? "" : ", ") + std::to_string(size);
    if (shape.size() == 1) dims += ",";
    std::string header = "{'descr': '<f4', 'fortran_order': False, 'shape': (" + dims + "), }";
    constexpr std::size_t preamble = 10; // magic, version, header length
    header.append(64 - (preamble + header.size() + 1) % 64, ' ');
    header += '\n';
    std::string head("\x93NUMPY\x01\x00", 8);
    head += static_cast<char>(header.size() & 0xff);
    head += static_cast<char>(header.size() >> 8);
    head += header;
    const std::array<std::span<const std::byte>, 2> chunks{std::as_bytes(std::span(head)), std::as_bytes(values)};
    return writeFileDurably(path, chunks);
}

} // namespace sconce
