// SPDX-License-Identifier: GPL-3.0-or-later
// Starting, queueing, attaching, and the way of events to the window.
#include "ui/services/run_track.h"

#include <algorithm>
#include <chrono>

namespace sconce::ui {

namespace {

constexpr int frameMs = 33;
constexpr std::size_t inboxLimit = 50000; ///< events; beyond it steps are dropped and read again from the history

QString text(const std::string& s) { return QString::fromStdString(s); }

bool isTraining(RunStatus status) { return status == RunStatus::Running || status == RunStatus::Paused; }

struct Prepared
{
    RunId run;
    QString sentence, remedy;
};

using Loaded = std::optional<LiveRun>;

Loaded loadedRun(Store& store, const RunId& run)
{
    auto live = loadLiveRun(store, run);
    return live.ok() ? Loaded(std::move(live).value()) : Loaded();
}

} // namespace

Inbox::Inbox(std::function<void()> wake, QObject* receiver)
    : m_receiver(receiver)
    , m_wake(std::move(wake))
{
}

EventSink Inbox::sink()
{
    return [self = shared_from_this()](const Event& event) { self->push(event); };
}

void Inbox::push(const Event& event)
{
    const std::lock_guard lock(m_mutex);
    if (!m_receiver) return;
    if (m_events.size() >= inboxLimit) {
        std::erase_if(m_events, [](const Event& e) { return std::holds_alternative<StepsDone>(e.body) || std::holds_alternative<HardwareRead>(e.body); });
    }
    m_events.push_back(event);
    if (m_woken) return;
    m_woken = true;
    QMetaObject::invokeMethod(m_receiver, m_wake, Qt::QueuedConnection);
}

std::vector<Event> Inbox::take()
{
    std::vector<Event> events;
    const std::lock_guard lock(m_mutex);
    events.swap(m_events);
    m_woken = false;
    return events;
}

bool Inbox::holdsEnd()
{
    const std::lock_guard lock(m_mutex);
    return std::any_of(m_events.begin(), m_events.end(), [](const Event& e) { return std::holds_alternative<RunEnded>(e.body); });
}

void Inbox::close()
{
    const std::lock_guard lock(m_mutex);
    m_receiver = nullptr;
    m_events.clear();
}

RunService::Impl::Impl(RunService& owner_, std::shared_ptr<Store> store_, Jobs& jobs_, RunList& runs_, Settings& settings_, QString workerProgram_)
    : owner(owner_)
    , store(std::move(store_))
    , jobs(jobs_)
    , runs(runs_)
    , settings(settings_)
    , workerProgram(std::move(workerProgram_))
    , starter(startThreadHost)
    , queue(jobs_, store->folder())
{
    drainTimer.setSingleShot(true);
    drainTimer.setTimerType(Qt::PreciseTimer);
    drainTimer.setInterval(frameMs);
    watchTimer.setInterval(500);
}

void RunService::Impl::begin()
{
    QObject::connect(&drainTimer, &QTimer::timeout, &owner, [this] { drain(); });
    QObject::connect(&watchTimer, &QTimer::timeout, &owner, [this] { watch(); });
    watchTimer.start();
    queue.load(&owner, [this](bool any) {
        held = any && !current;
        if (any) Q_EMIT owner.queueChanged();
    });
    QObject::connect(&runs, &RunList::changed, &owner, [this] {
        for (const RunId& run : queue.runs()) {
            const RunRow* row = runs.find(run);
            // Deleted, or begun by another window or command line.
            if (!row || isTraining(row->status) || row->status == RunStatus::Finished) {
                if (row || runs.loaded()) {
                    if (queue.remove(run)) Q_EMIT owner.queueChanged();
                }
            }
        }
        if (!firstLook) return;
        firstLook = false;
        if (current || launching) return;
        for (const RunRow& row : runs.rows()) {
            if (!isTraining(row.status)) continue;
            attach(row.id, true);
            return;
        }
    });
}

void RunService::Impl::end()
{
    closing = true;
    for (const auto& track : {current, shown}) {
        if (!track) continue;
        if (track->inbox) track->inbox->close();
        track->host.reset();
    }
}

std::shared_ptr<Track> RunService::Impl::newTrack(const RunId& run)
{
    auto track = std::make_shared<Track>();
    track->inbox = std::make_shared<Inbox>([this] { wake(); }, &owner);
    track->live->id = run;
    track->live->loading = true;
    track->loading = true;
    if (const RunRow* row = runs.find(run)) {
        track->live->row = *row;
        track->live->status = row->status;
        track->live->epochs = row->epochsPlanned;
        track->live->stepsPerEpoch = row->stepsPerEpoch;
    }
    return track;
}

// ---- starting ----

void RunService::Impl::prepare(const Recipe& recipe, const QString& name)
{
    ++preparing;
    const QPointer<RunService> self(&owner);
    auto last = std::make_shared<std::chrono::steady_clock::time_point>();
    PrepareOptions options;
    options.name = name.toStdString();
    options.progress = [self, last](double share, const std::string& what) {
        const auto now = std::chrono::steady_clock::now();
        if (now - *last < std::chrono::milliseconds(50)) return true;
        *last = now;
        if (!self) return true;
        QMetaObject::invokeMethod(
            self.data(), [self, share, what = text(what)] {
                if (self && self->preparing()) Q_EMIT self->preparingChanged(what, share);
            },
            Qt::QueuedConnection);
        return true;
    };
    Recipe wanted = recipe;
    // What a recipe leaves as it comes is the person's to set.
    if (wanted.training.checkpoint == CheckpointSettings{})
        wanted.training.checkpoint.everyMinutes = std::max(0.0, settings.value(QStringLiteral("training/checkpointMinutes"), 5.0).toDouble());
    if (wanted.threads == 0) wanted.threads = std::max(0, settings.value(QStringLiteral("training/threads"), 0).toInt());
    Q_EMIT owner.preparingChanged(QStringLiteral("Preparing the run"), 0);
    jobs.run<Prepared>(
        &owner,
        [store = store, wanted, options] {
            auto run = prepareRun(*store, wanted, options);
            if (run.ok()) return Prepared{*run, {}, {}};
            QString sentence = text(run.error().message);
            if (run.error().code == ErrorCode::Invalid && !run.error().detail.empty()) sentence += QLatin1Char('\n') + text(run.error().detail);
            return Prepared{{}, sentence, text(run.error().remedy)};
        },
        [this](Prepared prepared) {
            --preparing;
            Q_EMIT owner.preparingChanged({}, 1);
            runs.refresh();
            if (prepared.run.empty()) Q_EMIT owner.startFailed(prepared.sentence, prepared.remedy);
            else launchOrQueue({prepared.run, {}});
        });
}

void RunService::Impl::launchOrQueue(QueueEntry entry)
{
    if (closing) return;
    if (!current && !launching) {
        launch(entry);
        return;
    }
    const QString run = text(entry.run);
    queue.add(std::move(entry));
    Q_EMIT owner.queued(run);
    Q_EMIT owner.queueChanged();
}

void RunService::Impl::launch(const QueueEntry& entry)
{
    held = false;
    auto track = newTrack(entry.run);
    track->starting = true;
    current = track;
    setShown(track);
    Q_EMIT owner.started(text(entry.run));
    Q_EMIT owner.statusChanged();
    jobs.run<Loaded>(
        &owner, [store = store, run = entry.run] { return loadedRun(*store, run); },
        [this, track, entry](Loaded live) {
            if (live) *track->live = std::move(*live);
            track->live->loading = false;
            track->live->ended.reset();
            track->loading = false;
            DriveOptions options;
            options.epochs = entry.epochs;
            track->host = starter(store, entry.run, options, track->inbox->sink());
            track->starting = false;
            Q_EMIT owner.shownChanged();
            Q_EMIT owner.statusChanged();
            if (!track->host) {
                Q_EMIT owner.startFailed(QStringLiteral("The trainer could not be started."), {});
                finish(track);
            }
        });
}

void RunService::Impl::startNext()
{
    if (closing || held || current || launching) return;
    auto next = queue.takeFirst();
    if (!next) return;
    launch(*next);
    Q_EMIT owner.queueChanged();
}

void RunService::Impl::dequeue(const RunId& run)
{
    if (!queue.remove(run)) return;
    Q_EMIT owner.queueChanged();
    // The store is asked, not the list: a run just queued may not stand in it yet, and would stay behind as queued for ever.
    using Taken = std::optional<std::pair<Recipe, std::string>>;
    jobs.run<Taken>(
        &owner,
        [store = store, run]() -> Taken {
            auto row = store->run(run);
            if (!row.ok() || row->status != RunStatus::Queued || row->attempts > 0) return {};
            auto recipe = store->recipe(run);
            if (!recipe.ok() || !store->deleteRun(run).ok()) return {};
            return std::pair(*recipe, row->name);
        },
        [this](Taken taken) {
            runs.refresh();
            if (taken) Q_EMIT owner.unqueued(taken->first, text(taken->second));
        });
}

// ---- watching ----

void RunService::Impl::setShown(const std::shared_ptr<Track>& track)
{
    if (shown && shown != current && shown != track) {
        if (shown->inbox) shown->inbox->close();
        if (shown->host) {
            // Detaching may wait for the host's reader: not here.
            std::shared_ptr<RunHost> host(std::move(shown->host));
            jobs.run<bool>(nullptr, [host]() mutable { host.reset(); return true; }, [](bool) {});
            host.reset();
        }
    }
    shown = track;
    Q_EMIT owner.shownChanged();
}

void RunService::Impl::show(const RunId& run)
{
    if (shown && shown->live->id == run && (shown->alive() || shown->loading)) return;
    if (isCurrent(run)) {
        setShown(current);
        return;
    }
    const RunRow* row = runs.find(run);
    if (row && isTraining(row->status)) attach(run, !current && !launching);
    else view(run);
}

void RunService::Impl::view(const RunId& run)
{
    auto track = newTrack(run);
    track->over = true;
    setShown(track);
    reload(track);
}

void RunService::Impl::reload(const std::shared_ptr<Track>& track)
{
    track->loading = true;
    jobs.run<Loaded>(
        &owner, [store = store, run = track->live->id] { return loadedRun(*store, run); },
        [this, track](Loaded live) {
            track->loading = false;
            if (live) {
                const bool ending = track->alive() && live->ended.has_value();
                const bool stopping = track->live->busyStopping;
                *track->live = std::move(*live);
                track->live->busyStopping = stopping;
                if (ending) track->live->ended.reset(); // the event tells it
            }
            track->live->loading = false;
            if (track == shown) Q_EMIT owner.shownChanged();
            Q_EMIT owner.updated();
            Q_EMIT owner.statusChanged();
            wake();
        });
}

void RunService::Impl::attach(const RunId& run, bool makeCurrent, int tries)
{
    auto track = newTrack(run);
    track->starting = true;
    if (makeCurrent) current = track;
    setShown(track);
    Q_EMIT owner.statusChanged();
    struct Attached { std::shared_ptr<std::unique_ptr<RunHost>> host; Loaded live; };
    jobs.run<Attached>(
        &owner,
        [store = store, run, folder = track->live->row.folder, sink = track->inbox->sink()] {
            Attached out{std::make_shared<std::unique_ptr<RunHost>>(), {}};
            // First the line, then the history: what happens in between is in both, and the overlap is dropped by step.
            if (auto host = attachHost(folder, run, 0, sink); host.ok()) *out.host = std::move(host).value();
            out.live = loadedRun(*store, run);
            return out;
        },
        [this, track, makeCurrent, tries](Attached attached) {
            track->starting = false;
            track->loading = false;
            if (attached.live) *track->live = std::move(*attached.live);
            track->live->loading = false;
            track->host = std::move(*attached.host);
            if (!track->host) {
                track->over = true; // it ended before we came
                if (current == track) current.reset();
                if (isTraining(track->live->status) && tries > 0) {
                    // It is only just starting, or only just ending.
                    QTimer::singleShot(1000, &owner, [this, track, makeCurrent, tries] {
                        if (shown == track) attach(track->live->id, makeCurrent && !current && !launching, tries - 1);
                    });
                } else {
                    startNext();
                }
            }
            if (track == shown) Q_EMIT owner.shownChanged();
            Q_EMIT owner.updated();
            Q_EMIT owner.statusChanged();
            wake();
        });
}

void RunService::Impl::wake()
{
    if (!drainTimer.isActive()) drainTimer.start();
}

void RunService::Impl::drain()
{
    const auto first = current, second = shown; // slots may change both
    if (first) drain(first);
    if (second && second != first) drain(second);
}

void RunService::Impl::drain(const std::shared_ptr<Track>& track)
{
    if (track->loading || track->starting || !track->inbox) return;
    const std::vector<Event> events = track->inbox->take();
    if (events.empty()) return;
    bool status = false, gap = false, ended = false;
    for (const Event& event : events) {
        const Applied applied = applyEvent(*track->live, event);
        status = status || applied.status;
        gap = gap || applied.gap;
        ended = ended || applied.ended;
    }
    track->live->secondsLeft = estimateSecondsLeft(*track->live);
    if (gap) reload(track);
    Q_EMIT owner.updated();
    if (ended && !track->over) finish(track);
    else if (status) Q_EMIT owner.statusChanged();
}

void RunService::Impl::finish(const std::shared_ptr<Track>& track)
{
    track->over = true;
    track->live->busyStopping = false;
    const RunId run = track->live->id;
    const RunStatus status = track->live->status;
    const bool wasCurrent = track == current;
    if (wasCurrent) current.reset();
    launching = launching || wasCurrent;
    if (track != shown && track->inbox) track->inbox->close();
    Q_EMIT owner.statusChanged();
    Q_EMIT owner.ended(text(run), QString::fromLatin1(statusName(status)));

    // The trainer's thread may still be closing its files: wait for it elsewhere, then go on.
    auto host = std::make_shared<std::unique_ptr<RunHost>>(std::move(track->host));
    jobs.run<bool>(
        &owner, [host] { host->reset(); return true; },
        [this, run, status, wasCurrent](bool) {
            runs.refresh();
            if (!wasCurrent) return;
            launching = false;
            if (handedOver) {
                handOver(run);
                return;
            }
            if (auto waiting = std::move(stopped); !waiting.empty()) {
                stopped.clear();
                held = !queue.empty();
                for (const auto& done : waiting) done();
                return;
            }
            const bool goOn = settings.value(QStringLiteral("queue/goOnAfterError"), true).toBool();
            if (status == RunStatus::Failed && !goOn) held = true;
            startNext();
            Q_EMIT owner.queueChanged();
        });
}

void RunService::Impl::watch()
{
    const auto first = current, second = shown;
    for (const auto& track : {first, second}) {
        if (!track || track->over || track->loading || !track->host || !track->host->finished()) continue;
        if (track->inbox->holdsEnd()) continue;
        drain(track);
        if (track->over) continue;
        // The trainer is gone without a word (killed, or it could not begin): the store knows how it stands.
        track->loading = true;
        jobs.run<Loaded>(
            &owner, [store = store, run = track->live->id] { return loadedRun(*store, run); },
            [this, track](Loaded live) {
                track->loading = false;
                if (track->over) return;
                if (live) *track->live = std::move(*live);
                track->live->loading = false;
                Q_EMIT owner.updated();
                finish(track);
                if (track == shown) Q_EMIT owner.shownChanged();
            });
        if (first == second) return;
    }
}

// ---- steering ----

Track* RunService::Impl::commanded() const
{
    if (shown && shown->alive() && shown->host) return shown.get();
    return current && current->alive() && current->host ? current.get() : nullptr;
}

void RunService::Impl::send(CommandBody command)
{
    if (Track* track = commanded()) track->host->send(std::move(command));
}

void RunService::Impl::moveToBackground(std::function<void(bool, QString)> done)
{
    if (!owner.trainsHere()) {
        done(true, {}); // nothing here would die with the window
        return;
    }
    closing = true;
    handedOver = std::move(done);
    current->live->busyStopping = true;
    sendWhenReady(current, StopCommand{true, "handOver"});
    Q_EMIT owner.statusChanged();
}

void RunService::Impl::sendWhenReady(const std::shared_ptr<Track>& track, CommandBody command)
{
    if (track->over) return;
    if (track->host) {
        track->host->send(std::move(command));
        return;
    }
    QTimer::singleShot(50, &owner, [this, track, command = std::move(command)] { sendWhenReady(track, command); });
}

void RunService::Impl::handOver(const RunId& run)
{
    auto done = std::move(handedOver);
    handedOver = nullptr;
    const RunRow* row = runs.find(run);
    const LiveRun* live = shown && shown->live->id == run ? shown->live.get() : nullptr;
    const RunStatus status = live ? live->status : row ? row->status : RunStatus::Interrupted;
    if (status != RunStatus::Interrupted) { // it came to its end meanwhile
        closing = false;
        done(true, {});
        return;
    }
    struct Moved { bool ok; QString sentence; };
    auto host = std::make_shared<std::unique_ptr<RunHost>>();
    auto track = newTrack(run);
    jobs.run<Moved>(
        &owner,
        [store = store, run, host, program = workerProgram.toStdString(), sink = track->inbox->sink()]() -> Moved {
            DriveOptions options;
            options.host = "process";
            auto started = startProcessHost(store, run, options, program, sink);
            if (!started.ok()) return {false, text(started.error().text())};
            *host = std::move(started).value();
            return {true, {}};
        },
        [this, host, track, done](Moved moved) {
            closing = false;
            runs.refresh();
            if (moved.ok) {
                track->host = std::move(*host);
                current = track;
                setShown(track);
                reload(track);
            }
            Q_EMIT owner.statusChanged();
            done(moved.ok, moved.sentence);
        });
}

void RunService::Impl::saveAndStop(std::function<void()> done)
{
    if (!current) {
        done();
        return;
    }
    stopped.push_back(std::move(done));
    current->live->busyStopping = true;
    sendWhenReady(current, StopCommand{});
    Q_EMIT owner.statusChanged();
}

} // namespace sconce::ui
