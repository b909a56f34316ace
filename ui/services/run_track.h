// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
// Inside RunService: the runs under our eyes. A Track is one run with its trainer (if it has one) and its numbers; there is
// the current one, the shown one, often the same. Everything here runs on the window's thread; only Inbox is shared with the
// trainers' threads.

#include "ui/services/live_run.h"
#include "ui/services/run_queue.h"

#include <mutex>

namespace sconce::ui {

/// Where a trainer's thread puts its events: one push under a mutex, and one queued call when the window sleeps.
class Inbox : public std::enable_shared_from_this<Inbox>
{
  public:
    explicit Inbox(std::function<void()> wake, QObject* receiver);
    EventSink sink(); ///< keeps the inbox alive
    void push(const Event& event);
    std::vector<Event> take();
    bool holdsEnd();  ///< RunEnded has arrived and was not taken yet
    void close();     ///< nobody reads any more: events are dropped from now on

  private:
    std::mutex m_mutex;
    std::vector<Event> m_events;
    QObject* m_receiver;
    std::function<void()> m_wake;
    bool m_woken = false;
};

struct Track
{
    std::shared_ptr<LiveRun> live = std::make_shared<LiveRun>();
    std::unique_ptr<RunHost> host;
    std::shared_ptr<Inbox> inbox;
    bool loading = false; ///< events wait in the inbox until the history is there
    bool starting = false;
    bool over = false;    ///< its end has been seen
    bool alive() const { return !over && (starting || host); }
};

struct RunService::Impl
{
    Impl(RunService& owner, std::shared_ptr<Store> store, Jobs& jobs, RunList& runs, Settings& settings, QString workerProgram);
    void begin();
    void end();

    // starting
    void prepare(const Recipe& recipe, const QString& name);
    void launchOrQueue(QueueEntry entry);
    void launch(const QueueEntry& entry);
    void startNext();
    void dequeue(const RunId& run);

    // watching
    void show(const RunId& run);
    void attach(const RunId& run, bool makeCurrent, int tries = 10);
    void view(const RunId& run);
    void reload(const std::shared_ptr<Track>& track);
    void drain();
    void drain(const std::shared_ptr<Track>& track);
    void finish(const std::shared_ptr<Track>& track);
    void watch();
    void wake();
    void setShown(const std::shared_ptr<Track>& track);
    std::shared_ptr<Track> newTrack(const RunId& run);

    // steering
    Track* commanded() const;
    void send(CommandBody command);
    void sendWhenReady(const std::shared_ptr<Track>& track, CommandBody command);
    void moveToBackground(std::function<void(bool, QString)> done);
    void handOver(const RunId& run);
    void saveAndStop(std::function<void()> done);
    bool isCurrent(const RunId& run) const { return current && current->live->id == run; }

    RunService& owner;
    std::shared_ptr<Store> store;
    Jobs& jobs;
    RunList& runs;
    Settings& settings;
    QString workerProgram;
    RunService::HostStarter starter;
    RunQueue queue;
    bool held = false;
    int preparing = 0;
    bool launching = false; ///< the trainer before is being taken down
    bool closing = false;   ///< the window closes: nothing is started any more
    bool firstLook = true;  ///< at the first list of runs: attach to what is alive
    std::shared_ptr<Track> current, shown;
    QTimer drainTimer, watchTimer;
    std::function<void(bool, QString)> handedOver;
    std::vector<std::function<void()>> stopped;
};

} // namespace sconce::ui
