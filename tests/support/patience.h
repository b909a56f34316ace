// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
// Tests on a machine that is busy with other things. What must be quick is held to its processor time, which neighbours do not
// change; what must happen is waited for as long as it may come. Include after <QTest>: Qt's own QTRY_… give up after 5 s, less than a
// loaded machine of two cores needs at times for what usually takes 50 ms. A condition that holds is not waited for any longer.

#include <QCoreApplication>
#include <QEvent>
#include <QTest>

#include <ctime>
#include <functional>

#undef QTRY_VERIFY
#define QTRY_VERIFY(expr) QTRY_VERIFY_WITH_TIMEOUT((expr), sconce::test::patienceMs)
#undef QTRY_VERIFY2
#define QTRY_VERIFY2(expr, messageExpression) QTRY_VERIFY2_WITH_TIMEOUT((expr), (messageExpression), sconce::test::patienceMs)
#undef QTRY_COMPARE
#define QTRY_COMPARE(expr, expected) QTRY_COMPARE_WITH_TIMEOUT((expr), (expected), sconce::test::patienceMs)

namespace sconce::test {

inline constexpr int patienceMs = 60'000;

/// Processor time since it was made or started, in milliseconds: of the calling thread, or of the whole process.
class CpuTimer
{
  public:
    explicit CpuTimer(clockid_t clock = CLOCK_THREAD_CPUTIME_ID) : m_clock(clock) { start(); }
    void start() { m_from = now(); }
    double ms() const { return now() - m_from; }

  private:
    double now() const
    {
        timespec time{};
        clock_gettime(m_clock, &time);
        return static_cast<double>(time.tv_sec) * 1e3 + static_cast<double>(time.tv_nsec) * 1e-6;
    }
    clockid_t m_clock;
    double m_from = 0;
};

/// Gives every widget the place that its new words ask for, as a window does before it paints: layouts wait for an event of their own.
inline void layOutNow()
{
    for (int nested = 0; nested < 8; ++nested) QCoreApplication::sendPostedEvents(nullptr, QEvent::LayoutRequest); // each may ask its parent's
}

/// Waits as long as it goes on: true when `done()`, false once `progress()` has stayed the same for `patienceMs`. `done` may wait a while
/// itself.
inline bool whileItGoesOn(const std::function<bool()>& done, const std::function<long long()>& progress)
{
    long long last = progress();
    timespec since{}, now{};
    clock_gettime(CLOCK_MONOTONIC, &since);
    while (!done()) {
        clock_gettime(CLOCK_MONOTONIC, &now);
        if (const long long at = progress(); at != last) {
            last = at;
            since = now;
        }
        if ((now.tv_sec - since.tv_sec) * 1000 > patienceMs) return false;
        QTest::qSleep(10);
    }
    return true;
}

} // namespace sconce::test
