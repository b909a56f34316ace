// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/training/event_desk.h"

namespace sconce {

void EventDesk::setClock(double secondsBefore)
{
    std::lock_guard lock(m_mutex);
    m_seconds = secondsBefore;
}

void EventDesk::stopRecording()
{
    std::lock_guard lock(m_mutex);
    m_recording = false;
    m_kept.clear();
}

Result<void> EventDesk::emit(EventBody body)
{
    std::lock_guard lock(m_mutex);
    return emitLocked(std::move(body));
}

Result<void> EventDesk::emitLocked(EventBody body)
{
    const double now = Clock::system().monotonicSeconds();
    if (auto* started = std::get_if<RunStarted>(&body); started && m_started) {
        started->attempt = m_started->attempt + 1; // went back: opened when it is this event's turn in the history
        m_started = *started;
        m_since = -1; // until the first step tells the time
    } else if (started) {
        if (openAttempt(*started)) started->attempt = m_attempt;
        m_started = *started;
        m_since = now;
    } else if (const auto* status = std::get_if<StatusChanged>(&body)) {
        m_seconds = runSeconds();
        m_since = status->status == RunStatus::Paused ? -1 : now;
    } else if (const auto* steps = std::get_if<StepsDone>(&body); steps && !steps->seconds.empty()) {
        m_seconds = steps->seconds.back();
        m_since = now;
    } else if (std::holds_alternative<RunEnded>(body)) {
        m_ended = true;
        m_since = -1;
        // An attempt that failed before it began is one all the same: its sentence belongs into the history.
        if (!m_started) m_started = RunStarted{m_run};
    }

    // Whoever hears of these may look into the history at once: there it must stand already.
    const bool first = std::holds_alternative<RunEnded>(body) || std::holds_alternative<StatusChanged>(body) || std::holds_alternative<CommandAnswered>(body);
    const Event event{++m_sequence, Clock::system().wallMs(), std::move(body)};
    if (!first) publish(event);
    auto recorded = record(event, first);
    if (first) publish(event);
    return recorded;
}

void EventDesk::publish(const Event& event)
{
    if (m_socket) m_socket->publish(event);
    if (m_sink) m_sink(event);
}

Result<void> EventDesk::record(const Event& event, bool durably)
{
    if (!m_recording) return {};
    m_kept.push_back(event);
    if (!m_started) return {}; // waits for the attempt to open
    SCONCE_TRY(writeKept());
    return durably ? m_store.flush() : Result<void>();
}

/// Closes the one before at the step where this one starts.
Result<void> EventDesk::openAttempt(const RunStarted& started)
{
    if (m_attempt) SCONCE_TRY(m_store.flush()); // what the one before still has to say
    auto attempt = m_store.openAttempt(m_run, started.startStep, m_host, started.choices, started.device, started.deviceName, m_deviceUuid, started.stepsPerEpoch);
    if (!attempt) return attempt.error();
    m_attempt = *attempt;
    m_lastEpochEnd = -1;
    if (started.startStep == 0) return {};
    auto epochs = m_store.series(m_run, series::epochTrainLoss);
    if (epochs && !epochs->step.empty()) m_lastEpochEnd = epochs->step.back();
    return {};
}

/// The run may have gone back before the history could take its beginning.
const RunStarted& EventDesk::firstStarted() const
{
    for (const Event& event : m_kept)
        if (const auto* started = std::get_if<RunStarted>(&event.body)) return *started;
    return *m_started;
}

Result<void> EventDesk::writeKept()
{
    if (!m_attempt) {
        if (!m_started) return {};
        SCONCE_TRY(openAttempt(firstStarted()));
    }
    while (!m_kept.empty()) {
        if (const auto* again = std::get_if<RunStarted>(&m_kept.front().body); again && again->attempt > m_attempt) SCONCE_TRY(openAttempt(*again));
        // Killed after an epoch was told and before it was saved, and resumed from a checkpoint at its last step: the epoch is
        // closed once more, to the same figures, but is one epoch.
        const auto* epoch = std::get_if<EpochDone>(&m_kept.front().body);
        if (!epoch || epoch->step - 1 > m_lastEpochEnd) SCONCE_TRY(m_store.record(m_run, m_attempt, m_kept.front()));
        m_kept.pop_front();
    }
    return {};
}

Result<void> EventDesk::settle()
{
    {
        std::lock_guard lock(m_mutex);
        if (!m_started || !m_recording) return {};
    }
    SCONCE_TRY(m_store.flush());
    {
        std::lock_guard lock(m_mutex);
        if (m_kept.empty()) return {};
        SCONCE_TRY(writeKept());
    }
    return m_store.flush();
}

double EventDesk::runSeconds() const { return m_since < 0 ? m_seconds : m_seconds + (Clock::system().monotonicSeconds() - m_since); }

void EventDesk::hardware(std::vector<std::pair<std::string, double>> values)
{
    // Under one lock: a run that ends meanwhile must have the last word.
    std::lock_guard lock(m_mutex);
    if (m_since < 0 || m_ended || !m_kept.empty() || values.empty()) return;
    (void)emitLocked(HardwareRead{runSeconds(), std::move(values)}); // an error shows at the trainer's own next event
}

bool EventDesk::ended() const
{
    std::lock_guard lock(m_mutex);
    return m_ended;
}

} // namespace sconce
