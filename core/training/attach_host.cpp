// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/training/attached.h"

#include "core/base/files.h"
#include "core/base/log.h"

#include <cerrno>
#include <chrono>
#include <cstring>
#include <poll.h>
#include <sys/socket.h>
#include <sys/time.h>

namespace sconce {

namespace {

constexpr std::size_t longestLine = 16 << 20; ///< of an event; more is no trainer of ours

std::string attachLine(std::int64_t after) { return Json{{"type", "attach"}, {"after", after}}.dump() + "\n"; }

bool sendAll(int fd, std::string_view text)
{
    while (!text.empty()) {
        const ssize_t sent = ::send(fd, text.data(), text.size(), MSG_NOSIGNAL);
        if (sent < 0 && errno == EINTR) continue;
        if (sent <= 0) return false;
        text.remove_prefix(static_cast<std::size_t>(sent));
    }
    return true;
}

void limitSending(int fd)
{
    const timeval limit{5, 0};
    ::setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof limit);
}

Error gone() { return {ErrorCode::NotFound, "This run is not being trained at the moment.", "Its last state is in the history.", ""}; }

RunEnded endedWithoutAWord()
{
    RunEnded ended;
    ended.status = RunStatus::Interrupted;
    ended.message = "The trainer ended without a word; it was killed, or the computer went down.";
    ended.remedy = "Resume the run: it goes on from its newest checkpoint.";
    return ended;
}

} // namespace

Attached::Attached(std::string runFolder, RunId run, EventSink sink) : m_folder(std::move(runFolder)), m_run(std::move(run)), m_sink(std::move(sink)) {}

Attached::~Attached() { detach(); }

void Attached::detach()
{
    {
        std::lock_guard lock(m_mutex);
        m_detaching = true;
        if (m_fd) ::shutdown(m_fd.get(), SHUT_RDWR);
    }
    if (m_thread.joinable()) m_thread.join();
}

Result<void> Attached::connect(std::int64_t afterSequence)
{
    auto fd = connectToRun(m_folder);
    if (!fd) return fd.error();
    limitSending(fd->get());
    if (!sendAll(fd->get(), attachLine(afterSequence))) return gone();
    std::lock_guard lock(m_mutex);
    m_fd = std::move(*fd);
    for (const std::string& line : m_unsent) (void)sendAll(m_fd.get(), line); // if it breaks, reading tells
    m_unsent.clear();
    return {};
}

Result<void> Attached::start(std::int64_t afterSequence)
{
    m_last = afterSequence;
    SCONCE_TRY(connect(afterSequence));
    m_thread = std::thread([this] {
        try {
            readEvents();
        } catch (const std::exception& exception) {
            log(LogLevel::Error, std::string("The connection to a trainer broke: ") + exception.what());
        }
        close();
    });
    return {};
}

void Attached::startEnded(RunEnded ended)
{
    m_sink({1, Clock::system().wallMs(), std::move(ended)});
    close();
}

void Attached::close()
{
    {
        std::lock_guard lock(m_mutex);
        m_finished = true;
    }
    m_ended.notify_all();
}

/// Until RunEnded. A connection that breaks while the trainer lives (we were too slow) is made anew from the last event.
void Attached::readEvents()
{
    for (;;) {
        if (readConnection()) break;
        if (m_detaching) return;
        std::unique_lock lock(m_mutex);
        m_ended.wait_for(lock, std::chrono::milliseconds(50), [this] { return m_detaching.load(); });
        lock.unlock();
        if (m_detaching) return;
        if (!isAlive(m_folder)) {
            // It may have ended as it should while we were away: then its folder knows.
            m_sink({m_last + 1, Clock::system().wallMs(), recordedEnd(m_folder).value_or(endedWithoutAWord())});
            break;
        }
        (void)connect(m_last);
    }
}

/// True when RunEnded was delivered.
bool Attached::readConnection()
{
    int fd;
    {
        std::lock_guard lock(m_mutex);
        fd = m_fd.get();
    }
    if (fd < 0) return false;
    std::string in;
    char buffer[64 << 10];
    for (;;) {
        const ssize_t got = ::recv(fd, buffer, sizeof buffer, 0);
        if (got < 0 && errno == EINTR) continue;
        if (got <= 0) break;
        in.append(buffer, static_cast<std::size_t>(got));
        std::size_t begin = 0;
        for (std::size_t end; (end = in.find('\n', begin)) != std::string::npos; begin = end + 1) {
            auto event = decodeEvent(std::string_view(in).substr(begin, end - begin));
            if (!event || !*event) continue; // a type of a later version
            m_last = std::max(m_last, (*event)->sequence);
            const bool last = std::holds_alternative<RunEnded>((*event)->body);
            if (!m_detaching) m_sink(**event);
            if (last || m_detaching) return last;
        }
        in.erase(0, begin);
        if (in.size() > longestLine) break;
    }
    std::lock_guard lock(m_mutex);
    m_fd.reset();
    return false;
}

std::int64_t Attached::send(CommandBody command)
{
    std::lock_guard lock(m_mutex);
    const std::int64_t id = m_nextId++;
    std::string line = encode(Command{id, std::move(command)}) + "\n";
    if (!m_fd && !m_finished) m_unsent.push_back(std::move(line)); // between two connections
    else if (m_fd && !sendAll(m_fd.get(), line)) ::shutdown(m_fd.get(), SHUT_RDWR);
    return id;
}

bool Attached::wait(double seconds)
{
    std::unique_lock lock(m_mutex);
    return m_ended.wait_for(lock, std::chrono::duration<double>(seconds), [this] { return m_finished.load(); });
}

Result<std::unique_ptr<RunHost>> attachHost(const std::string& runFolder, const RunId& run, std::int64_t afterSequence, EventSink sink)
{
    auto host = std::make_unique<Attached>(runFolder, run, std::move(sink));
    SCONCE_TRY(host->start(afterSequence));
    return std::unique_ptr<RunHost>(std::move(host));
}

Result<CommandAnswered> sendCommand(const std::string& runFolder, CommandBody command, double timeoutSeconds)
{
    if (!isAlive(runFolder)) return gone();
    auto fd = connectToRun(runFolder);
    if (!fd) return fd.error();
    limitSending(fd->get());
    if (!sendAll(fd->get(), encode(Command{1, std::move(command)}) + "\n")) return gone();

    const double until = Clock::system().monotonicSeconds() + timeoutSeconds;
    std::string in;
    for (;;) {
        const double left = until - Clock::system().monotonicSeconds();
        if (left <= 0) return Error{ErrorCode::Busy, "The trainer has not answered yet.", "It obeys as soon as the step under way is done.", ""};
        pollfd waiting{fd->get(), POLLIN, 0};
        if (::poll(&waiting, 1, static_cast<int>(std::min(left, 3600.0) * 1000) + 1) <= 0) continue;
        char buffer[4096];
        const ssize_t got = ::recv(fd->get(), buffer, sizeof buffer, 0);
        if (got < 0 && errno == EINTR) continue;
        if (got <= 0) return Error{ErrorCode::NotFound, "The trainer ended before it answered.", "", got < 0 ? std::strerror(errno) : ""};
        in.append(buffer, static_cast<std::size_t>(got));
        std::size_t begin = 0;
        for (std::size_t end; (end = in.find('\n', begin)) != std::string::npos; begin = end + 1) {
            auto event = decodeEvent(std::string_view(in).substr(begin, end - begin));
            if (!event || !*event) continue;
            if (const auto* answer = std::get_if<CommandAnswered>(&(*event)->body); answer && answer->command == 1) return *answer;
        }
        in.erase(0, begin);
    }
}

} // namespace sconce
