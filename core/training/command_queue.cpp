// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/training/trainer.h"

#include <algorithm>
#include <chrono>

namespace sconce {

namespace {

// A signal handler may not wake a condition variable, so whoever sleeps looks up this often.
constexpr double signalPoll = 0.2;

Command stopBySignal() { return {0, StopCommand{false, "signal"}}; }

} // namespace

void CommandQueue::post(Command command)
{
    {
        std::lock_guard lock(m_mutex);
        if (std::holds_alternative<StopCommand>(command.body)) ++m_stops;
        if (std::holds_alternative<PauseCommand>(command.body)) ++m_pauses;
        m_commands.push_back(std::move(command));
    }
    m_ready.notify_one();
}

std::optional<Command> CommandQueue::takeLocked()
{
    // Commands given before the signal are answered first; then the signal holds for good.
    if (!m_commands.empty()) {
        Command command = std::move(m_commands.front());
        m_commands.pop_front();
        if (std::holds_alternative<StopCommand>(command.body)) --m_stops;
        if (std::holds_alternative<PauseCommand>(command.body)) {
            --m_pauses;
            if (m_signal) return stopBySignal(); // no use in pausing now
        }
        return command;
    }
    if (m_signal) return stopBySignal();
    return std::nullopt;
}

std::optional<Command> CommandQueue::take()
{
    std::lock_guard lock(m_mutex);
    return takeLocked();
}

std::optional<Command> CommandQueue::waitFor(double seconds)
{
    using clock = std::chrono::steady_clock;
    const auto until = clock::now() + std::chrono::duration_cast<clock::duration>(std::chrono::duration<double>(seconds));
    const auto poll = std::chrono::duration_cast<clock::duration>(std::chrono::duration<double>(signalPoll));
    std::unique_lock lock(m_mutex);
    for (;;) {
        if (auto command = takeLocked()) return command;
        const auto now = clock::now();
        if (now >= until) return std::nullopt;
        m_ready.wait_until(lock, std::min(until, now + poll));
    }
}

Command CommandQueue::wait()
{
    for (;;)
        if (auto command = waitFor(3600)) return std::move(*command);
}

void CommandQueue::requestStopFromSignal() noexcept { m_signal = true; }

bool CommandQueue::stopRequested() const noexcept { return m_signal || m_stops > 0; }

bool CommandQueue::interruptRequested() const noexcept { return stopRequested() || m_pauses > 0; }

} // namespace sconce
