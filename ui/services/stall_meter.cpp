// SPDX-License-Identifier: GPL-3.0-or-later
#include "ui/services/studio.h"

#include <QCoreApplication>
#include <QEvent>

#include <algorithm>
#include <array>
#include <atomic>
#include <chrono>
#include <condition_variable>
#include <mutex>
#include <thread>

namespace sconce::ui {

namespace {

using SteadyClock = std::chrono::steady_clock;
constexpr auto interval = std::chrono::milliseconds(5);
constexpr double binMs = 0.1;
constexpr std::size_t bins = 20000; ///< 0.1 ms each up to 2 s; longer stalls share the last one, the worst is kept exactly
const QEvent::Type pingEvent = static_cast<QEvent::Type>(QEvent::registerEventType());

} // namespace

/// Answers pings on the window's thread. One ping is out at a time: during a stall its age grows, and that age is the stall.
struct StallMeter::Impl : QObject
{
    std::array<std::int32_t, bins> histogram{};
    double worst = 0, sum = 0;
    std::int64_t pings = 0, over50 = 0;
    SteadyClock::time_point since = SteadyClock::now();

    std::mutex mutex;
    std::condition_variable wake;
    bool stopping = false;
    std::atomic<bool> out{false};
    std::atomic<SteadyClock::rep> sentAt{0};
    std::thread thread;

    bool event(QEvent* e) override
    {
        if (e->type() != pingEvent) return QObject::event(e);
        const auto sent = SteadyClock::time_point(SteadyClock::duration(sentAt.load()));
        take(std::chrono::duration<double, std::milli>(SteadyClock::now() - sent).count());
        out.store(false);
        return true;
    }

    void take(double ms)
    {
        worst = std::max(worst, ms);
        sum += ms;
        ++pings;
        if (ms > 50) ++over50;
        ++histogram[std::min(bins - 1, static_cast<std::size_t>(std::max(0.0, ms) / binMs))];
    }

    void loop()
    {
        std::unique_lock lock(mutex);
        while (!wake.wait_for(lock, interval, [this] { return stopping; })) {
            if (out.exchange(true)) continue;
            sentAt.store(SteadyClock::now().time_since_epoch().count());
            QCoreApplication::postEvent(this, new QEvent(pingEvent));
        }
    }

    double quantile(double share) const
    {
        const auto wanted = static_cast<std::int64_t>(share * static_cast<double>(pings));
        std::int64_t seen = 0;
        for (std::size_t i = 0; i < bins; ++i) {
            seen += histogram[i];
            if (seen > wanted) return i + 1 == bins ? worst : std::min(worst, static_cast<double>(i + 1) * binMs);
        }
        return worst;
    }
};

StallMeter::StallMeter(QObject* parent)
    : QObject(parent)
    , m(std::make_unique<Impl>())
{
    m->thread = std::thread([impl = m.get()] { impl->loop(); });
}

StallMeter::~StallMeter()
{
    {
        const std::lock_guard lock(m->mutex);
        m->stopping = true;
    }
    m->wake.notify_all();
    m->thread.join();
}

StallMeter::Report StallMeter::report() const
{
    Report report;
    report.worstMs = m->worst;
    report.p99Ms = m->pings ? m->quantile(0.99) : 0;
    report.p999Ms = m->pings ? m->quantile(0.999) : 0;
    report.meanMs = m->pings ? m->sum / static_cast<double>(m->pings) : 0;
    report.pings = m->pings;
    report.over50ms = m->over50;
    report.seconds = std::chrono::duration<double>(SteadyClock::now() - m->since).count();
    return report;
}

void StallMeter::reset()
{
    m->histogram.fill(0);
    m->worst = m->sum = 0;
    m->pings = m->over50 = 0;
    m->since = SteadyClock::now();
}

} // namespace sconce::ui
