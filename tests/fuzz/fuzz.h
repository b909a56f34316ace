// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
// What the fuzz targets share: the bytes as a file, and a check that stays on in every build.

#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <string>

#include <sys/mman.h>
#include <unistd.h>

namespace sconce::fuzz {

/// The bytes as a regular file in memory, gone with this.
class MemoryFile
{
  public:
    MemoryFile(const std::uint8_t* data, std::size_t size) : m_fd(memfd_create("fuzz", MFD_CLOEXEC))
    {
        if (m_fd < 0 || write(m_fd, data, size) != static_cast<ssize_t>(size)) std::abort();
    }
    MemoryFile(const MemoryFile&) = delete;
    MemoryFile& operator=(const MemoryFile&) = delete;
    ~MemoryFile() { close(m_fd); }
    std::string path() const { return "/proc/self/fd/" + std::to_string(m_fd); }

  private:
    int m_fd;
};

inline void require(bool holds, const char* what)
{
    if (holds) return;
    std::fprintf(stderr, "does not hold: %s\n", what);
    std::abort();
}

/// An error must be a sentence.
template <class R> void requireSentence(const R& result)
{
    if (result.ok()) return;
    const std::string& text = result.error().message;
    require(!text.empty() && (text.back() == '.' || text.back() == '?'), "an error ends with a full stop, or asks “Did you mean …?”");
}

} // namespace sconce::fuzz

#define REQUIRE(condition) sconce::fuzz::require((condition), #condition)
