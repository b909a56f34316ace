// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
// A clock that stands still until a test moves it. Any thread.

#include "core/base/clock.h"

#include <atomic>

namespace sconce::test {

class FakeClock final : public Clock
{
  public:
    WallMs wallMs() const override { return m_wallMs; }
    double monotonicSeconds() const override { return static_cast<double>(m_steadyMs) / 1000.0; }

    /// Time passes on both clocks.
    void advanceMs(std::int64_t ms)
    {
        m_wallMs += ms;
        m_steadyMs += ms;
    }
    /// Somebody sets the wall clock; the monotonic one does not notice.
    void setWallMs(WallMs time) { m_wallMs = time; }

  private:
    std::atomic<WallMs> m_wallMs{1'795'243'544'000}; ///< 2026-11-21T06:45:44Z
    std::atomic<std::int64_t> m_steadyMs{0};
};

} // namespace sconce::test
