// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
// Time as the rest of Sconce sees it. Tests put a fake clock in its place.

#include <cstdint>
#include <string>

namespace sconce {

/// Milliseconds since the Unix epoch, UTC.
using WallMs = std::int64_t;

class Clock
{
  public:
    virtual ~Clock() = default;
    virtual WallMs wallMs() const = 0;
    virtual double monotonicSeconds() const = 0; ///< never jumps; for durations and intervals

    static const Clock& system();
};

/// Processor time that the calling thread has had: what it did itself, whatever others did meanwhile.
double threadCpuSeconds();

/// "2026-11-21T06:15:44Z"
std::string isoTime(WallMs time);

} // namespace sconce
