// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
// SHA-256, for fingerprints of data and checksums of checkpoint files.

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>

namespace sconce {

class Sha256
{
  public:
    Sha256();
    void add(std::span<const std::byte> bytes);
    void add(std::string_view text);
    /// 64 lower-case hexadecimal digits. Ends the object's use.
    std::string hex();

  private:
    void block(const std::uint8_t* data);
    std::uint32_t m_state[8];
    std::uint64_t m_length = 0;
    std::uint8_t m_buffer[64];
    std::size_t m_fill = 0;
};

std::string sha256(std::span<const std::byte> bytes);
std::string sha256(std::string_view text);

} // namespace sconce
