// SPDX-License-Identifier: GPL-3.0-or-later
#include "ui/services/run_track.h"

#include <algorithm>

namespace sconce::ui {

RunService::RunService(std::shared_ptr<Store> store, Jobs& jobs, RunList& runs, Settings& settings, QString workerProgram, QObject* parent)
    : QObject(parent)
    , m(std::make_unique<Impl>(*this, std::move(store), jobs, runs, settings, std::move(workerProgram)))
{
    m->begin();
}

RunService::~RunService() { m->end(); }

void RunService::start(const Recipe& recipe, const QString& name) { m->prepare(recipe, name); }

void RunService::resume(const RunId& run, std::optional<int> epochs)
{
    if (m->isCurrent(run)) {
        show(run);
        return;
    }
    const RunRow* row = m->runs.find(run);
    if (row && (row->status == RunStatus::Running || row->status == RunStatus::Paused)) {
        show(run); // somebody trains it already
        return;
    }
    m->queue.remove(run);
    m->launchOrQueue({run, epochs});
}

void RunService::pause() { m->send(PauseCommand{}); }
void RunService::unpause() { m->send(ResumeCommand{}); }
void RunService::checkpointNow() { m->send(CheckpointCommand{}); }
void RunService::setEpochs(int epochs) { m->send(AmendCommand{"/training/epochs", Json(epochs)}); }

void RunService::askHistograms()
{
    Track* track = m->commanded();
    if (!track) return;
    track->live->histogramsRefused.clear();
    track->live->histogramsCommand = track->host->send(HistogramsCommand{});
}

void RunService::stop()
{
    Track* track = m->commanded();
    if (!track) return;
    track->live->busyStopping = true;
    m->send(StopCommand{});
    Q_EMIT statusChanged();
}

void RunService::removeFromQueue(const RunId& run) { m->dequeue(run); }
std::vector<RunId> RunService::queue() const { return m->queue.runs(); }
bool RunService::queueHeld() const { return m->held && !m->queue.empty(); }

void RunService::startQueue()
{
    m->held = false;
    m->startNext();
}

const LiveRun* RunService::current() const { return m->current ? m->current->live.get() : nullptr; }
bool RunService::training() const { return m->current != nullptr; }
bool RunService::preparing() const { return m->preparing > 0; }
const LiveRun* RunService::shown() const { return m->shown ? m->shown->live.get() : nullptr; }
std::shared_ptr<const LiveRun> RunService::shownRun() const { return m->shown ? m->shown->live : nullptr; }
bool RunService::shownAlive() const { return m->shown && m->shown->alive(); }
bool RunService::trainsHere() const { return m->current && m->current->alive() && (!m->current->host || m->current->host->isThread()); }
void RunService::setHostStarter(HostStarter starter) { m->starter = starter ? std::move(starter) : HostStarter(startThreadHost); }

void RunService::show(const RunId& run) { m->show(run); }
void RunService::moveToBackground(std::function<void(bool, QString)> done) { m->moveToBackground(std::move(done)); }
void RunService::saveAndStop(std::function<void()> done) { m->saveAndStop(std::move(done)); }

} // namespace sconce::ui
