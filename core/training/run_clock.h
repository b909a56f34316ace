// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
// Private to training. Two stopwatches over one run: all the time of the run with pauses left out, and the time spent in
// training steps only. Both go on from a checkpoint's figures. One thread.

#include "core/base/clock.h"

namespace sconce {

class Stopwatch
{
  public:
    explicit Stopwatch(double elapsed = 0) : m_elapsed(elapsed) {}
    void start() { if (m_since < 0) m_since = Clock::system().monotonicSeconds(); }
    void stop() { m_elapsed = seconds(); m_since = -1; }
    double seconds() const { return m_since < 0 ? m_elapsed : m_elapsed + (Clock::system().monotonicSeconds() - m_since); }

  private:
    double m_elapsed;
    double m_since = -1;
};

/// Runs a stopwatch for as long as it lives.
class Measured
{
  public:
    explicit Measured(Stopwatch& watch) : m_watch(watch) { m_watch.start(); }
    ~Measured() { m_watch.stop(); }
    Measured(const Measured&) = delete;
    Measured& operator=(const Measured&) = delete;

  private:
    Stopwatch& m_watch;
};

} // namespace sconce
