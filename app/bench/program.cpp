// SPDX-License-Identifier: GPL-3.0-or-later
#include "app/bench/program.h"

#include "core/base/clock.h"

#include <array>
#include <cerrno>
#include <csignal>
#include <cstring>
#include <fcntl.h>
#include <poll.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

extern char** environ;

namespace sconce::bench {

namespace {

/// A pipe that no other child inherits; closed with this.
struct Pipe
{
    int ends[2] = {-1, -1};
    bool open() { return ::pipe2(ends, O_CLOEXEC) == 0; }
    void close(int end)
    {
        if (ends[end] >= 0) ::close(ends[end]);
        ends[end] = -1;
    }
    ~Pipe() { close(0), close(1); }
};

/// Both outputs to their ends. A process that is to stop is told to, and waited for.
Result<Said> listen(pid_t pid, Pipe& out, Pipe& err, const KeepGoing& keepGoing)
{
    Said said;
    std::array<pollfd, 2> open{pollfd{out.ends[0], POLLIN, 0}, pollfd{err.ends[0], POLLIN, 0}};
    bool stopping = false;
    while (open[0].fd >= 0 || open[1].fd >= 0) {
        if (!stopping && !keepGoing()) stopping = ::kill(pid, SIGTERM) == 0;
        if (::poll(open.data(), open.size(), 100) < 0 && errno != EINTR) break;
        for (std::size_t i = 0; i < open.size(); ++i) {
            if (open[i].fd < 0 || !(open[i].revents & (POLLIN | POLLHUP | POLLERR))) continue;
            char bytes[4096];
            const ssize_t count = ::read(open[i].fd, bytes, sizeof bytes);
            if (count > 0) (i == 0 ? said.out : said.err).append(bytes, static_cast<std::size_t>(count));
            else if (count == 0 || errno != EINTR) open[i].fd = -1;
        }
    }
    while (::waitpid(pid, &said.status, 0) < 0 && errno == EINTR) {}
    if (stopping || !keepGoing()) return Error{ErrorCode::Cancelled, "The measurement was stopped.", "", ""};
    return said;
}

} // namespace

Result<Said> runProgram(const std::vector<std::string>& words, const KeepGoing& keepGoing)
{
    std::vector<char*> argv;
    for (const std::string& word : words) argv.push_back(const_cast<char*>(word.c_str()));
    argv.push_back(nullptr);
    Pipe out, err;
    const double start = Clock::system().monotonicSeconds();
    posix_spawn_file_actions_t actions;
    if (!out.open() || !err.open() || posix_spawn_file_actions_init(&actions) != 0) return Error{ErrorCode::Io, "The program " + words.front() + " could not be started.", "", std::strerror(errno)};
    posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0);
    posix_spawn_file_actions_adddup2(&actions, out.ends[1], 1);
    posix_spawn_file_actions_adddup2(&actions, err.ends[1], 2);
    pid_t pid = -1;
    const int failed = ::posix_spawnp(&pid, words.front().c_str(), &actions, nullptr, argv.data(), environ);
    posix_spawn_file_actions_destroy(&actions);
    if (failed != 0) return Error{ErrorCode::NotFound, "The program " + words.front() + " cannot be run.", "Check the path.", std::strerror(failed)};
    out.close(1);
    err.close(1);
    auto said = listen(pid, out, err, keepGoing);
    if (said) said->seconds = Clock::system().monotonicSeconds() - start;
    return said;
}

std::string lastLine(std::string text)
{
    while (!text.empty() && (text.back() == '\n' || text.back() == '\r' || text.back() == ' ')) text.pop_back();
    const auto begin = text.rfind('\n');
    return begin == std::string::npos ? text : text.substr(begin + 1);
}

} // namespace sconce::bench
