// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/history/writer.h"

#include "core/base/clock.h"
#include "core/base/log.h"
#include "core/history/locks.h"
#include "core/history/run_rows.h"

#include <algorithm>
#include <chrono>
#include <exception>
#include <pthread.h>

namespace sconce {

namespace {

constexpr double commitSeconds = 0.4;  ///< a commit takes a moment itself, and half a second is promised
constexpr double retrySeconds = 1.0;   ///< after a failed commit
constexpr std::size_t mostWeight = 1'000'000; ///< points queued before record() waits
constexpr int checkpointPages = 1000;

double now() { return Clock::system().monotonicSeconds(); }

std::size_t weightOf(const Event& event)
{
    if (const auto* steps = std::get_if<StepsDone>(&event.body)) return 1 + 4 * steps->loss.size();
    if (const auto* hardware = std::get_if<HardwareRead>(&event.body)) return 1 + hardware->values.size();
    return 1;
}

/// Changes of state, as against points of curves: committed at once, and synced.
bool isMilestone(const Event& event)
{
    return std::holds_alternative<RunEnded>(event.body) || std::holds_alternative<CheckpointSaved>(event.body) ||
           std::holds_alternative<StatusChanged>(event.body) || std::holds_alternative<Amended>(event.body);
}

} // namespace

Writer::Writer(std::unique_ptr<Database> db, std::string folder)
    : m_db(std::move(db))
    , m_folder(std::move(folder))
    , m_runsFolder(m_folder + "/runs")
    , m_recorder(*m_db, m_runsFolder)
    , m_thread([this] { loop(); })
{
}

Writer::~Writer() { stop(); }

void Writer::stop()
{
    {
        const std::lock_guard lock(m_mutex);
        m_stopping = true;
    }
    m_wake.notify_all();
    m_room.notify_all();
    if (m_thread.joinable()) m_thread.join();
}

void Writer::closeCleanly() { m_db->checkpoint(true); }

Result<void> Writer::record(const RunId& run, int attempt, const Event& event)
{
    Recorded recorded{run, attempt, event, weightOf(event)};
    std::unique_lock lock(m_mutex);
    // Back-pressure: the trainer waits for the disk. While commits fail it is told instead, and keeps what it was told of.
    m_room.wait(lock, [&] { return m_weight < mostWeight || m_error || m_stopping; });
    if (m_error) return *m_error;
    if (m_events.empty()) m_due = now() + commitSeconds;
    m_weight += recorded.weight;
    const bool wake = m_events.empty() || isMilestone(event) || m_weight >= mostWeight / 2;
    if (isMilestone(event) || m_weight >= mostWeight / 2) m_urgent = true;
    m_events.push_back(std::move(recorded));
    lock.unlock();
    if (wake) m_wake.notify_one();
    return {};
}

Result<void> Writer::flush()
{
    return transact({});
}

Result<void> Writer::transact(Job job)
{
    std::future<Result<void>> done;
    {
        const std::lock_guard lock(m_mutex);
        m_jobs.push_back({std::move(job), {}});
        done = m_jobs.back().done.get_future();
    }
    m_wake.notify_one();
    return done.get();
}

void Writer::loop()
{
    (void)::pthread_setname_np(::pthread_self(), "sconce-history");
    std::unique_lock lock(m_mutex);
    while (true) {
        const auto due = [&] { return (!m_events.empty() || !m_inFlight.empty()) && (m_urgent || now() >= m_due); };
        while (!m_stopping && m_jobs.empty() && !due()) {
            if (m_events.empty() && m_inFlight.empty()) m_wake.wait(lock);
            else m_wake.wait_for(lock, std::chrono::duration<double>(std::max(m_due - now(), 0.001)));
        }
        if (m_stopping && m_jobs.empty() && m_events.empty() && m_inFlight.empty()) return;
        for (Recorded& event : m_events) m_inFlight.push_back(std::move(event));
        m_events.clear();
        m_urgent = false;
        std::deque<Waiting> jobs = std::exchange(m_jobs, {});
        const bool lastTry = m_stopping;
        lock.unlock();

        const Result<void> written = m_inFlight.empty() ? Result<void>() : commitEvents();
        lock.lock();
        finishEvents(written);
        lock.unlock();
        // Answered last: who waited for flush() finds no error of before.
        for (Waiting& waiting : jobs) {
            Result<void> done = written;
            if (done && waiting.job) done = transaction([&] { return waiting.job(*m_db, m_recorder); }, true);
            if (done && waiting.job) afterCommit();
            waiting.done.set_value(done);
        }
        lock.lock();
        if (lastTry && !written) {
            log(LogLevel::Error, "The last events of a run could not be written: " + written.error().text());
            return;
        }
    }
}

void Writer::finishEvents(const Result<void>& result)
{
    if (result) {
        for (const Recorded& event : m_inFlight) m_weight -= event.weight;
        m_inFlight.clear();
        m_error.reset();
    } else {
        m_error = result.error();
        m_due = now() + retrySeconds;
    }
    m_room.notify_all();
}

Result<void> Writer::commitEvents()
{
    const bool milestone = std::any_of(m_inFlight.begin(), m_inFlight.end(), [](const Recorded& r) { return isMilestone(r.event); });
    const Result<void> done = transaction(
        [&]() -> Result<void> {
            for (const Recorded& r : m_inFlight) SCONCE_TRY(m_recorder.apply(r.run, r.attempt, r.event));
            return m_recorder.finish();
        },
        milestone);
    if (done) {
        afterCommit();
        return {};
    }
    log(LogLevel::Warning, done.error().message + " " + done.error().detail);
    return done;
}

Result<void> Writer::transaction(const std::function<Result<void>()>& work, bool mustSurvivePowerCut)
{
    Result<FileLock> lock = lockStore(m_folder);
    if (!lock) return lock.error();
    const auto roll = [&](const Error& error) -> Result<void> {
        if (m_db->inTransaction()) (void)m_db->execute("ROLLBACK");
        m_recorder.forget();
        return error;
    };
    SCONCE_TRY(m_db->execute(mustSurvivePowerCut ? "PRAGMA synchronous = FULL" : "PRAGMA synchronous = NORMAL"));
    // Immediate: a transaction that turns from reader to writer fails at once, whatever the busy timeout says.
    SCONCE_TRY(m_db->execute("BEGIN IMMEDIATE"));
    try {
        if (Result<void> done = work(); !done) return roll(done.error());
    } catch (const std::exception& e) {
        return roll({ErrorCode::Internal, "The history could not do what was asked.", "Please report this.", e.what()});
    }
    if (Result<void> done = m_db->execute("COMMIT"); !done) return roll(done.error());
    ++m_commits;
    if (m_db->walPages() >= checkpointPages) m_db->checkpoint(false);
    return {};
}

void Writer::afterCommit()
{
    try { // the root of the writer's thread: nothing may be thrown past it
        for (const RunId& run : m_recorder.takeChanged())
            if (Result<void> done = writeRunFile(*m_db, run, m_runsFolder); !done)
                log(LogLevel::Warning, "run.json of " + run + " could not be written: " + done.error().detail);
    } catch (const std::exception& e) {
        log(LogLevel::Warning, std::string("A run.json could not be written: ") + e.what());
    }
}

} // namespace sconce
