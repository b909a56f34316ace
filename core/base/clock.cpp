// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/base/clock.h"

#include <chrono>
#include <cstdio>
#include <ctime>

namespace sconce {
namespace {

class SystemClock final : public Clock
{
  public:
    WallMs wallMs() const override
    {
        using namespace std::chrono;
        return duration_cast<milliseconds>(system_clock::now().time_since_epoch()).count();
    }
    double monotonicSeconds() const override
    {
        using namespace std::chrono;
        return duration<double>(steady_clock::now().time_since_epoch()).count();
    }
};

} // namespace

const Clock& Clock::system()
{
    static const SystemClock clock;
    return clock;
}

double threadCpuSeconds()
{
    timespec time{};
    if (::clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time) != 0) return 0;
    return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_nsec) * 1e-9;
}

std::string isoTime(WallMs time)
{
    // Towards minus infinity, so that times before 1970 are right as well.
    const std::time_t seconds = static_cast<std::time_t>(time >= 0 ? time / 1000 : -((-time + 999) / 1000));
    std::tm utc{};
    if (!gmtime_r(&seconds, &utc)) return "?";
    char text[80];
    std::snprintf(text, sizeof text, "%04d-%02d-%02dT%02d:%02d:%02dZ", utc.tm_year + 1900, utc.tm_mon + 1, utc.tm_mday,
                  utc.tm_hour, utc.tm_min, utc.tm_sec);
    return text;
}

} // namespace sconce
