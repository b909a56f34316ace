// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
// Private to training. A run as seen through its socket. Events arrive on a thread of this object's; the destructor detaches.

#include "core/training/run_host.h"
#include "core/training/socket_path.h"

#include <atomic>
#include <condition_variable>
#include <mutex>
#include <thread>

namespace sconce {

class Attached final : public RunHost
{
  public:
    Attached(std::string runFolder, RunId run, EventSink sink);
    ~Attached() override;
    Result<void> start(std::int64_t afterSequence);
    /// For a run that was over before anybody could attach.
    void startEnded(RunEnded ended);

    const RunId& run() const override { return m_run; }
    std::int64_t send(CommandBody command) override;
    bool finished() const override { return m_finished; }
    bool isThread() const override { return false; }
    bool wait(double seconds) override;

  private:
    Result<void> connect(std::int64_t afterSequence);
    void readEvents();
    bool readConnection();
    void detach();
    void close();

    const std::string m_folder;
    const RunId m_run;
    const EventSink m_sink;
    std::thread m_thread;
    std::mutex m_mutex; ///< guards m_fd, m_unsent and sending
    std::condition_variable m_ended;
    Fd m_fd;
    std::vector<std::string> m_unsent; ///< given while there was no connection
    std::int64_t m_nextId = 1;
    std::int64_t m_last = 0; ///< sequence of the last event; the thread's
    std::atomic<bool> m_finished{false}, m_detaching{false};
};

} // namespace sconce
