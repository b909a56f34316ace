// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
// Private to training. Where every event of a driven run gets its sequence number and goes its three ways: to the sink, to
// the socket, into the history. Watchers see an event at once; what the history cannot take is kept, in order, until it can.
// Any thread; events leave in order of their numbers.

#include "core/history/store.h"
#include "core/training/socket_server.h"

#include <deque>
#include <mutex>
#include <optional>

namespace sconce {

class EventDesk
{
  public:
    EventDesk(Store& store, RunId run, std::string host, const EventSink& sink) : m_store(store), m_run(std::move(run)), m_host(std::move(host)), m_sink(sink) {}

    void setSocket(SocketServer* socket) { m_socket = socket; } ///< before the first event of another thread
    void setDevice(std::string uuid) { m_deviceUuid = std::move(uuid); }
    void setClock(double secondsBefore); ///< of the run, when it is resumed
    /// From now on events go to watchers only.
    void stopRecording();

    /// Error: the history is behind. The event is kept all the same.
    Result<void> emit(EventBody body);
    /// Writes what was kept and makes all of it durable.
    Result<void> settle();
    /// A reading of the machine. Left out while the run is paused (its clock stands still) or the history is behind.
    void hardware(std::vector<std::pair<std::string, double>> values);
    bool ended() const;

  private:
    Result<void> emitLocked(EventBody body);
    Result<void> openAttempt(const RunStarted& started);
    void publish(const Event& event);
    Result<void> record(const Event& event, bool durably);
    Result<void> writeKept();
    const RunStarted& firstStarted() const;
    double runSeconds() const;

    Store& m_store;
    const RunId m_run;
    const std::string m_host;
    const EventSink& m_sink;
    SocketServer* m_socket = nullptr;
    std::string m_deviceUuid;

    mutable std::mutex m_mutex;
    std::int64_t m_sequence = 0;
    int m_attempt = 0;
    std::int64_t m_lastEpochEnd = -1; ///< step of the newest epoch in the history when this attempt opened
    bool m_recording = true;
    std::optional<RunStarted> m_started; ///< the newest
    std::deque<Event> m_kept;
    bool m_ended = false;

    // the run's clock, as far as events tell it
    double m_seconds = 0, m_since = -1;
};

} // namespace sconce
