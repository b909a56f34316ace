// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
// The one thread of a process that writes a store. Events are queued and committed together, at least every half second;
// everything else is a job that its caller waits for. Every transaction is BEGIN IMMEDIATE under store.lock. Loses nothing:
// what could not be committed stays queued and is tried again. Private to core/history.

#include "core/history/recorder.h"

#include <atomic>
#include <condition_variable>
#include <deque>
#include <functional>
#include <future>
#include <mutex>
#include <thread>

namespace sconce {

class Writer
{
  public:
    /// `folder`: the store's.
    Writer(std::unique_ptr<Database> db, std::string folder);
    ~Writer();

    Result<void> record(const RunId& run, int attempt, const Event& event);
    Result<void> flush();
    using Job = std::function<Result<void>(Database&, Recorder&)>;
    /// Runs a job in a transaction of its own, after all that was recorded before, and waits for its commit.
    Result<void> transact(Job job);
    /// Commits what is queued, if it can be, and ends the thread.
    void stop();
    /// Transactions since the store was opened.
    std::int64_t commits() const { return m_commits; }
    /// After stop(): moves the whole write-ahead log into the file. The caller holds store.lock and is alone with the store.
    void closeCleanly();

  private:
    struct Recorded { RunId run; int attempt = 0; Event event; std::size_t weight = 1; };
    struct Waiting { Job job; std::promise<Result<void>> done; };

    void loop();
    Result<void> commitEvents();
    Result<void> transaction(const std::function<Result<void>()>& work, bool mustSurvivePowerCut);
    void afterCommit();
    void finishEvents(const Result<void>& result);

    std::unique_ptr<Database> m_db;
    std::string m_folder, m_runsFolder;
    Recorder m_recorder;
    std::atomic<std::int64_t> m_commits{0};

    std::mutex m_mutex;
    std::condition_variable m_wake, m_room;
    std::deque<Recorded> m_events;
    std::deque<Waiting> m_jobs;
    std::size_t m_weight = 0;        ///< of m_events and m_inFlight
    bool m_urgent = false, m_stopping = false;
    std::optional<Error> m_error;    ///< of the newest attempt to commit
    double m_due = 0;                ///< when the oldest queued event must be committed
    std::vector<Recorded> m_inFlight; ///< the writer thread's own
    std::thread m_thread;
};

} // namespace sconce
