// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
// A file descriptor that closes itself. Owned by one thread at a time.

#include <unistd.h>
#include <utility>

namespace sconce {

class Fd
{
  public:
    explicit Fd(int fd = -1) : m_fd(fd) {}
    Fd(Fd&& other) noexcept : m_fd(std::exchange(other.m_fd, -1)) {}
    Fd& operator=(Fd&& other) noexcept
    {
        if (this != &other) reset(std::exchange(other.m_fd, -1));
        return *this;
    }
    ~Fd() { reset(); }
    /// Closes what it held and takes over another one. What closing says is lost: a file that was written is closed by whoever asks.
    void reset(int fd = -1)
    {
        if (m_fd >= 0) ::close(m_fd);
        m_fd = fd;
    }
    int get() const { return m_fd; } ///< -1: none
    explicit operator bool() const { return m_fd >= 0; }

  private:
    int m_fd;
};

} // namespace sconce
