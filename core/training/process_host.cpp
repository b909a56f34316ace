// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/training/attached.h"

#include "core/base/files.h"
#include "core/base/text.h"
#include "core/training/run_data.h"

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <cstring>
#include <fcntl.h>
#include <filesystem>
#include <spawn.h>
#include <sys/wait.h>
#include <thread>
#include <unistd.h>

extern char** environ;

namespace sconce {

namespace {

constexpr double longestHandOver = 3; ///< seconds that another host may take to let go
constexpr double longestStart = 120; ///< seconds until the child listens: LibTorch and data are read first

/// Children that may outlive their host's object. Reaped whenever another one is started, so that no zombies pile up.
class Children
{
  public:
    static Children& instance()
    {
        static Children children;
        return children;
    }
    void add(pid_t pid)
    {
        std::lock_guard lock(m_mutex);
        m_pids.push_back(pid);
    }
    void reap()
    {
        std::lock_guard lock(m_mutex);
        std::erase_if(m_pids, [](pid_t pid) { return ::waitpid(pid, nullptr, WNOHANG) != 0; });
    }

  private:
    std::mutex m_mutex;
    std::vector<pid_t> m_pids;
};

Result<pid_t> spawnDetached(const std::string& program, const std::vector<std::string>& arguments, const std::string& logFile)
{
    std::vector<char*> argv{const_cast<char*>(program.c_str())};
    for (const std::string& argument : arguments) argv.push_back(const_cast<char*>(argument.c_str()));
    argv.push_back(nullptr);

    posix_spawn_file_actions_t actions;
    posix_spawnattr_t attributes;
    if (posix_spawn_file_actions_init(&actions) != 0 || posix_spawnattr_init(&attributes) != 0)
        return Error{ErrorCode::OutOfMemory, "There is not enough memory to start another program.", "", ""};
    posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0);
    posix_spawn_file_actions_addopen(&actions, 1, logFile.c_str(), O_WRONLY | O_CREAT | O_APPEND, 0600);
    posix_spawn_file_actions_adddup2(&actions, 1, 2);
    posix_spawn_file_actions_addclosefrom_np(&actions, 3); // a lock or database of ours must not live on in the child
    // A session of its own: closing the terminal or the desktop session's scope does not reach it. Signals as at start.
    sigset_t none, all;
    sigemptyset(&none);
    sigfillset(&all);
    posix_spawnattr_setsigmask(&attributes, &none);
    posix_spawnattr_setsigdefault(&attributes, &all);
    posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSID | POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF);
    pid_t pid = -1;
    const int error = ::posix_spawn(&pid, program.c_str(), &actions, &attributes, argv.data(), environ);
    posix_spawn_file_actions_destroy(&actions);
    posix_spawnattr_destroy(&attributes);
    if (error != 0)
        return Error{error == ENOENT ? ErrorCode::NotFound : ErrorCode::Io, "The trainer could not be started as a process of its own: " + program + " cannot be run.",
                     "Train inside the window instead, or repair the installation.", std::strerror(error)};
    return pid;
}

/// What the child said last, from where its part of the log begins.
std::string lastWords(const std::string& logFile, std::uintmax_t from)
{
    auto text = readTextFile(logFile, 64u << 20);
    if (!text || text->size() <= from) return {};
    std::string_view said = std::string_view(*text).substr(static_cast<std::size_t>(from));
    while (!said.empty() && (said.back() == '\n' || said.back() == '\r')) said.remove_suffix(1);
    const auto line = said.rfind('\n');
    return std::string(line == std::string_view::npos ? said : said.substr(line + 1));
}

} // namespace

Result<std::unique_ptr<RunHost>> startProcessHost(std::shared_ptr<Store> store, const RunId& run, const DriveOptions& options, const std::string& program, EventSink sink)
{
    Children::instance().reap();
    borrowData(run); // the child reads its data itself: what was lent to this process is let go
    auto row = store->run(run);
    if (!row) return row.error();
    const double freeBy = Clock::system().monotonicSeconds() + longestHandOver;
    while (FileLock::isHeld(ownerFile(row->folder)) && Clock::system().monotonicSeconds() < freeBy) std::this_thread::sleep_for(std::chrono::milliseconds(20));
    if (FileLock::isHeld(ownerFile(row->folder)))
        return Error{ErrorCode::Busy, "This run is already being trained.", "Attach to it instead, or stop it first.", ""};

    std::vector<std::string> arguments{"worker", run, "--store", store->folder()};
    if (options.epochs) {
        arguments.push_back("--epochs");
        arguments.push_back(std::to_string(*options.epochs));
    }
    const std::string logFile = row->folder + "/worker.log";
    std::error_code ignored;
    std::uintmax_t from = std::filesystem::file_size(logFile, ignored);
    if (ignored) from = 0;
    auto pid = spawnDetached(program, arguments, logFile);
    if (!pid) return pid.error();

    const double until = Clock::system().monotonicSeconds() + longestStart;
    while (Clock::system().monotonicSeconds() < until) {
        int status = 0;
        const bool dead = ::waitpid(*pid, &status, WNOHANG) == *pid;
        // Attached first, then the death: a very short run may be over already.
        auto host = std::make_unique<Attached>(row->folder, run, sink);
        if (!dead && isAlive(row->folder) && host->start(0)) {
            Children::instance().add(*pid);
            return std::unique_ptr<RunHost>(std::move(host));
        }
        if (dead) {
            if (auto now = store->run(run); now && now->attempts > row->attempts) { // over already: the history tells
                host = std::make_unique<Attached>(row->folder, run, sink);
                host->startEnded({now->status, now->summary, "", now->message, now->remedy, ""});
                return std::unique_ptr<RunHost>(std::move(host));
            }
            const std::string words = lastWords(logFile, from);
            return Error{ErrorCode::Internal, words.empty() ? "The trainer's process ended before it began." : "The trainer's process ended before it began: " + words,
                         "What it said is in worker.log in the run's folder.", WIFSIGNALED(status) ? "signal " + std::to_string(WTERMSIG(status)) : "exit status " + std::to_string(WEXITSTATUS(status))};
        }
        std::this_thread::sleep_for(std::chrono::milliseconds(20));
    }
    Children::instance().add(*pid);
    return Error{ErrorCode::Busy, "The trainer's process has started but does not answer yet.", "Look at the run again in a moment.", ""};
}

} // namespace sconce
