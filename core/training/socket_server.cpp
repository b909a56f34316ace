// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/training/socket_server.h"

#include "core/base/clock.h"
#include "core/base/files.h"
#include "core/base/log.h"

#include <algorithm>
#include <cerrno>
#include <deque>
#include <list>
#include <mutex>
#include <poll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <thread>
#include <unistd.h>
#include <unordered_map>
#include <vector>

namespace sconce {

namespace {

constexpr std::size_t mostClients = 32;
constexpr std::size_t longestLine = 64 << 10; ///< of a command
constexpr std::size_t sendAhead = 256 << 10;  ///< bytes encoded ahead of what a client has taken
constexpr double lingerSeconds = 1.0;
constexpr double deafSeconds = 0.2;

struct Entry
{
    Event event;
    std::string line; ///< encoded on first use
    const std::string& text()
    {
        if (line.empty()) line = encode(event) + "\n";
        return line;
    }
};

struct Client
{
    Fd fd;
    std::string in, out;
    bool attached = false, gone = false;
    std::int64_t next = 0; ///< sequence of the next event to send
};

struct Asked { Client* client; std::int64_t id; };

} // namespace

struct SocketServer::Impl
{
    Impl(const std::string& folder, Fd listening, Fd waking, CommandQueue& queue)
        : runFolder(folder), listener(std::move(listening)), wake(std::move(waking)), commands(queue)
    {
    }

    const std::string runFolder;
    Fd listener, wake;
    CommandQueue& commands;

    std::mutex mutex; // guards the four below; the rest belongs to the thread
    std::deque<std::shared_ptr<Entry>> ring;
    std::shared_ptr<Entry> started, status; ///< replayed even when they have left the ring
    std::vector<std::shared_ptr<Entry>> answers;
    bool closing = false;

    std::list<Client> clients;
    std::unordered_map<std::int64_t, Asked> asked;
    std::int64_t nextId = firstCommandId;
    double deafUntil = 0; ///< no descriptor was left for who knocked: looked at again then
    std::thread thread;

    void loop();
    void serve();
    void accept();
    void readFrom(Client& client);
    void take(Client& client, std::string_view line);
    void attach(Client& client, std::int64_t after);
    void feed();
    void fill(Client& client);
    void send(Client& client);
    bool drained();
};

Result<std::unique_ptr<SocketServer>> SocketServer::open(const std::string& runFolder, CommandQueue& commands)
{
    auto listener = listenInRunFolder(runFolder);
    if (!listener) return listener.error();
    Fd wake(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK));
    if (!wake) return ioError("create an event for", runFolder, errno);
    std::unique_ptr<SocketServer> server(new SocketServer(runFolder, std::move(*listener), std::move(wake), commands));
    server->m->thread = std::thread([impl = server->m.get()] { impl->loop(); });
    return server;
}

SocketServer::SocketServer(const std::string& runFolder, Fd listener, Fd wake, CommandQueue& commands)
    : m(std::make_unique<Impl>(runFolder, std::move(listener), std::move(wake), commands))
{
}

SocketServer::~SocketServer()
{
    {
        std::lock_guard lock(m->mutex);
        m->closing = true;
    }
    ::eventfd_write(m->wake.get(), 1);
    if (m->thread.joinable()) m->thread.join();
    removeRunSocket(m->runFolder);
}

void SocketServer::publish(const Event& event)
{
    auto entry = std::make_shared<Entry>(Entry{event, {}});
    {
        std::lock_guard lock(m->mutex);
        if (std::holds_alternative<RunStarted>(event.body)) m->started = entry;
        if (std::holds_alternative<StatusChanged>(event.body)) m->status = entry;
        if (const auto* answer = std::get_if<CommandAnswered>(&event.body); answer && answer->command >= firstCommandId) m->answers.push_back(entry);
        m->ring.push_back(std::move(entry));
        if (m->ring.size() > ringSize) m->ring.pop_front();
    }
    ::eventfd_write(m->wake.get(), 1);
}

void SocketServer::Impl::loop()
{
    try {
        serve();
    } catch (const std::exception& exception) { // no memory left: the run goes on, nobody listens
        log(LogLevel::Error, std::string("The trainer's socket closed: ") + exception.what());
    }
    clients.clear();
}

void SocketServer::Impl::serve()
{
    double closeAt = -1;
    std::vector<pollfd> fds;
    for (;;) {
        const bool deaf = Clock::system().monotonicSeconds() < deafUntil;
        fds.assign({{wake.get(), POLLIN, 0}, {listener.get(), static_cast<short>(clients.size() < mostClients && !deaf ? POLLIN : 0), 0}});
        for (const Client& client : clients) fds.push_back({client.fd.get(), static_cast<short>(POLLIN | (client.out.empty() ? 0 : POLLOUT)), 0});
        if (::poll(fds.data(), fds.size(), closeAt >= 0 ? 20 : deaf ? 100 : -1) < 0 && errno != EINTR) return;

        eventfd_t ignored;
        if (fds[0].revents) ::eventfd_read(wake.get(), &ignored);
        std::size_t index = 2;
        for (Client& client : clients)
            if (fds[index++].revents & (POLLIN | POLLHUP | POLLERR)) readFrom(client);
        if (fds[1].revents & POLLIN) accept();
        feed();
        for (Client& client : clients) send(client);
        std::erase_if(asked, [](const auto& item) { return item.second.client->gone; });
        clients.remove_if([](const Client& client) { return client.gone; });

        bool end;
        {
            std::lock_guard lock(mutex);
            end = closing;
        }
        if (!end) continue;
        const double now = Clock::system().monotonicSeconds();
        if (closeAt < 0) closeAt = now + lingerSeconds;
        if (drained() || now >= closeAt) return;
    }
}

void SocketServer::Impl::accept()
{
    Fd fd(::accept4(listener.get(), nullptr, nullptr, SOCK_CLOEXEC | SOCK_NONBLOCK));
    // Left in the listener's queue, it would wake poll() at once again, and the thread would spin.
    if (!fd && (errno == EMFILE || errno == ENFILE || errno == ENOBUFS || errno == ENOMEM)) deafUntil = Clock::system().monotonicSeconds() + deafSeconds;
    if (!fd || !peerIsMe(fd.get())) return;
    clients.emplace_back();
    clients.back().fd = std::move(fd);
}

void SocketServer::Impl::readFrom(Client& client)
{
    char buffer[16 << 10];
    for (;;) {
        const ssize_t got = ::recv(client.fd.get(), buffer, sizeof buffer, 0);
        if (got < 0 && errno == EINTR) continue;
        if (got < 0 && (errno == EAGAIN || errno == EWOULDBLOCK)) return;
        if (got <= 0) {
            client.gone = true;
            return;
        }
        client.in.append(buffer, static_cast<std::size_t>(got));
        std::size_t begin = 0;
        for (std::size_t end; (end = client.in.find('\n', begin)) != std::string::npos && !client.gone; begin = end + 1)
            take(client, std::string_view(client.in).substr(begin, end - begin));
        client.in.erase(0, begin);
        if (client.in.size() > longestLine) client.gone = true;
        if (client.gone) return;
    }
}

void SocketServer::Impl::take(Client& client, std::string_view line)
{
    if (line.empty()) return;
    auto command = decodeCommand(line);
    if (!command) { // no message at all: not one of ours
        client.gone = true;
        return;
    }
    if (*command) {
        const std::int64_t id = nextId++;
        asked[id] = {&client, (*command)->id};
        commands.post({id, std::move((*command)->body)});
        return;
    }
    auto json = parseJson(line, "The message", {longestLine, 16});
    if (!json || !json->is_object() || json->value("type", Json()) != "attach") return; // of a later version: skipped
    const Json after = json->value("after", Json(0));
    attach(client, after.is_number_integer() ? after.get<std::int64_t>() : 0);
}

void SocketServer::Impl::attach(Client& client, std::int64_t after)
{
    std::lock_guard lock(mutex);
    client.attached = true;
    client.next = after + 1;
    if (after < 0) {
        client.next = ring.empty() ? 1 : ring.back()->event.sequence + 1;
        return;
    }
    const std::int64_t oldest = ring.empty() ? 0 : ring.front()->event.sequence;
    if (client.next >= oldest) return;
    // The ring has forgotten some: what the run is and how it stands come all the same; points are in the history.
    for (const auto& entry : {started, status})
        if (entry && entry->event.sequence < oldest && entry->event.sequence > after) client.out += entry->text();
    client.next = oldest;
}

/// Hands new events to those attached and answers to those who asked.
void SocketServer::Impl::feed()
{
    std::vector<std::shared_ptr<Entry>> given;
    {
        std::lock_guard lock(mutex);
        given.swap(answers);
    }
    for (const auto& entry : given) {
        Event event = entry->event;
        auto& answer = std::get<CommandAnswered>(event.body);
        const auto found = asked.find(answer.command);
        if (found == asked.end()) continue;
        if (!found->second.client->attached) { // those attached get it in order, below
            answer.command = found->second.id;
            found->second.client->out += encode(event) + "\n";
            asked.erase(found);
        }
    }
    for (Client& client : clients)
        if (client.attached && !client.gone) fill(client);
}

void SocketServer::Impl::fill(Client& client)
{
    while (client.out.size() < sendAhead) {
        std::shared_ptr<Entry> entry;
        {
            std::lock_guard lock(mutex);
            if (ring.empty() || ring.back()->event.sequence < client.next) return;
            const std::int64_t oldest = ring.front()->event.sequence;
            if (client.next < oldest) { // too slow
                client.gone = true;
                return;
            }
            entry = ring[static_cast<std::size_t>(client.next - oldest)];
        }
        ++client.next;
        if (const auto* answer = std::get_if<CommandAnswered>(&entry->event.body)) {
            const auto found = asked.find(answer->command);
            if (found != asked.end() && found->second.client == &client) {
                Event event = entry->event;
                std::get<CommandAnswered>(event.body).command = found->second.id;
                client.out += encode(event) + "\n";
                asked.erase(found);
                continue;
            }
        }
        client.out += entry->text();
    }
}

void SocketServer::Impl::send(Client& client)
{
    while (!client.gone && !client.out.empty()) {
        const ssize_t sent = ::send(client.fd.get(), client.out.data(), client.out.size(), MSG_NOSIGNAL);
        if (sent < 0 && errno == EINTR) continue;
        if (sent < 0 && (errno == EAGAIN || errno == EWOULDBLOCK)) return;
        if (sent <= 0) {
            client.gone = true;
            return;
        }
        client.out.erase(0, static_cast<std::size_t>(sent));
        if (client.attached) fill(client);
    }
}

bool SocketServer::Impl::drained()
{
    std::lock_guard lock(mutex);
    const std::int64_t newest = ring.empty() ? 0 : ring.back()->event.sequence;
    return answers.empty() &&
           std::all_of(clients.begin(), clients.end(), [&](const Client& client) { return client.out.empty() && (!client.attached || client.next > newest); });
}

} // namespace sconce
