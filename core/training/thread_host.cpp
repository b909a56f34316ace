// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/training/priority.h"
#include "core/training/run_host.h"

#include <atomic>
#include <chrono>
#include <exception>
#include <thread>

namespace sconce {

namespace {

class ThreadHost final : public RunHost
{
  public:
    ThreadHost(std::shared_ptr<Store> store, RunId run, DriveOptions options, EventSink sink)
        : m_run(std::move(run)), m_sink(std::move(sink)), m_thread([this, store = std::move(store), options = std::move(options)] { work(store, options); })
    {
    }

    ~ThreadHost() override
    {
        send(StopCommand{false, "closed"});
        if (m_thread.joinable()) m_thread.join();
    }

    const RunId& run() const override { return m_run; }

    std::int64_t send(CommandBody command) override
    {
        const std::int64_t id = ++m_lastId;
        m_commands.post({id, std::move(command)});
        return id;
    }

    bool finished() const override { return m_finished; }
    bool isThread() const override { return true; }

    bool wait(double seconds) override
    {
        std::unique_lock lock(m_mutex);
        return m_ended.wait_for(lock, std::chrono::duration<double>(seconds), [this] { return m_finished.load(); });
    }

  private:
    /// The root of the thread: nothing is thrown past it.
    void work(const std::shared_ptr<Store>& store, const DriveOptions& options)
    {
        lowerThisThread(behindTheWindow); // of its own process: with as many training threads as cores, it would wait for its time slice
        Error error;
        try {
            auto ended = driveRun(store, m_run, options, m_commands, [this](const Event& event) { pass(event); });
            if (!ended) error = ended.error();
        } catch (const std::exception& exception) {
            error = {ErrorCode::Internal, "Training ran into a fault of Sconce's own.", "The newest checkpoint is safe; please report this.", exception.what()};
        } catch (...) {
            error = {ErrorCode::Internal, "Training ran into a fault of Sconce's own.", "The newest checkpoint is safe; please report this.", ""};
        }
        if (!m_said) m_sink({m_lastSequence + 1, Clock::system().wallMs(), RunEnded{RunStatus::Failed, {}, errorCodeName(error.code), error.message, error.remedy, error.detail}});
        {
            std::lock_guard lock(m_mutex);
            m_finished = true;
        }
        m_ended.notify_all();
    }

    void pass(const Event& event)
    {
        m_lastSequence = event.sequence;
        if (std::holds_alternative<RunEnded>(event.body)) m_said = true;
        m_sink(event);
    }

    const RunId m_run;
    const EventSink m_sink;
    CommandQueue m_commands;
    std::atomic<std::int64_t> m_lastId{0};
    std::int64_t m_lastSequence = 0; // the thread's, as is the next
    bool m_said = false;
    std::mutex m_mutex;
    std::condition_variable m_ended;
    std::atomic<bool> m_finished{false};
    std::thread m_thread; // last: everything above is there when it starts
};

} // namespace

std::unique_ptr<RunHost> startThreadHost(std::shared_ptr<Store> store, const RunId& run, const DriveOptions& options, EventSink sink)
{
    return std::make_unique<ThreadHost>(std::move(store), run, options, std::move(sink));
}

} // namespace sconce
