// SPDX-License-Identifier: GPL-3.0-or-later
#include "app/bench/peer.h"

#include <array>
#include <cerrno>
#include <csignal>
#include <cstring>
#include <fcntl.h>
#include <filesystem>
#include <poll.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

extern char** environ;

namespace sconce::bench {

namespace {

namespace fs = std::filesystem;

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

struct Said { std::string out, err; int status = 0; };

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

Result<Said> runProgram(const std::vector<std::string>& words, const KeepGoing& keepGoing)
{
    std::vector<char*> argv;
    for (const std::string& word : words) argv.push_back(const_cast<char*>(word.c_str()));
    argv.push_back(nullptr);
    Pipe out, err;
    posix_spawn_file_actions_t actions;
    if (!out.open() || !err.open() || posix_spawn_file_actions_init(&actions) != 0) return Error{ErrorCode::Io, "The program " + words.front() + " could not be started.", "", std::strerror(errno)};
    posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0);
    posix_spawn_file_actions_adddup2(&actions, out.ends[1], 1);
    posix_spawn_file_actions_adddup2(&actions, err.ends[1], 2);
    pid_t pid = -1;
    const int failed = ::posix_spawnp(&pid, words.front().c_str(), &actions, nullptr, argv.data(), environ);
    posix_spawn_file_actions_destroy(&actions);
    if (failed != 0) return Error{ErrorCode::NotFound, "The program " + words.front() + " cannot be run.", "Name a Python that has PyTorch: --peer /path/to/python3.", std::strerror(failed)};
    out.close(1);
    err.close(1);
    return listen(pid, out, err, keepGoing);
}

std::string lastLine(std::string text)
{
    while (!text.empty() && (text.back() == '\n' || text.back() == '\r' || text.back() == ' ')) text.pop_back();
    const auto begin = text.rfind('\n');
    return begin == std::string::npos ? text : text.substr(begin + 1);
}

Result<Measured> figuresOf(const Said& said, const std::string& who)
{
    if (said.status != 0) {
        const std::string words = lastLine(said.err);
        return Error{ErrorCode::Internal, "The peer “" + who + "” ended without figures" + (words.empty() ? "." : ": “" + words + "”."), "Check that this Python has PyTorch and NumPy.", said.err};
    }
    const auto json = parseJson(lastLine(said.out), who);
    Measured measured;
    bool whole = json.ok() && json->is_object();
    for (auto [key, value] : {std::pair{"median", &measured.median}, {"mean", &measured.mean}, {"p10", &measured.p10}, {"p90", &measured.p90}}) {
        whole = whole && json->contains(key) && (*json)[key].is_number();
        if (whole) *value = (*json)[key].get<double>();
    }
    if (!whole || !(measured.median > 0)) return Error{ErrorCode::Corrupt, "The peer “" + who + "” gave no figures.", "", said.out};
    measured.more = *json;
    return measured;
}

} // namespace

Result<std::string> findPeerScript(const std::string& name)
{
    std::error_code ignored;
    return findPeerScript(name, fs::read_symlink("/proc/self/exe", ignored).parent_path().string());
}

Result<std::string> findPeerScript(const std::string& name, const std::string& programFolder)
{
    std::error_code ignored;
    const fs::path program = programFolder;
    const fs::path packaged = (program / ".." / "share" / "sconce" / "bench" / name).lexically_normal();
    if (fs::exists(packaged, ignored)) return packaged.string();
    // build/bin or build/PRESET/bin of a checkout
    fs::path above = program;
    for (int i = 0; i < 3; ++i) {
        above = above.parent_path();
        const fs::path script = above / "tests" / "bench" / name;
        if (fs::exists(script, ignored)) return script.string();
    }
    return Error{ErrorCode::NotFound, "The peer's script " + name + " was not found, neither at " + packaged.string() + " nor in a checkout's tests/bench.",
                 "Run sconce from the checkout that it was built in, or put the scripts there.", ""};
}

Contestant peerContestant(const PeerSpec& spec)
{
    const std::string name = spec.mode == "keras" ? "keras" : "torch " + spec.mode;
    return {name, spec.unit, spec.mode == "bf16" ? "bf16" : "float32", false, [spec, name](const KeepGoing& keepGoing) -> Result<Measured> {
                std::vector<std::string> words{spec.python, spec.script, spec.mode, "--data", spec.data, "--threads", std::to_string(spec.threads), "--warm", std::to_string(spec.warm), "--steps", std::to_string(spec.steps)};
                if (spec.batch > 0) words.insert(words.end(), {"--batch", std::to_string(spec.batch)});
                auto said = runProgram(words, keepGoing);
                if (!said) return said.error();
                return figuresOf(*said, name);
            }};
}

} // namespace sconce::bench
