// SPDX-License-Identifier: GPL-3.0-or-later
// The long form of the promise that kill -9 costs nothing: see README.md.
#include "tests/core/training/host_support.h"

#include <algorithm>
#include <chrono>
#include <csignal>
#include <fcntl.h>
#include <poll.h>
#include <random>
#include <spawn.h>
#include <sys/inotify.h>
#include <sys/wait.h>
#include <thread>
#include <unistd.h>

extern char** environ;

using namespace sconce;
using namespace sconce::test;
namespace fs = std::filesystem;

namespace {

constexpr int trialEpochs = 120;
constexpr double longestWait = 60;

enum class Moment { Start, Step, Saving, Commit };
constexpr const char* momentNames[] = {"start", "step", "saving", "commit"};

struct Host { std::string name; std::vector<std::string> before; }; ///< the command line before the run's id

struct Reference { std::string hash; SeriesPoints losses, val; };

struct Tally { int kills = 0; int byMoment[4] = {}; int missed = 0; std::map<std::string, int> byHost; int trials = 0, wrong = 0, doctorRuns = 0; };

double now() { return Clock::system().monotonicSeconds(); }
void sleepMicros(std::uint64_t micros) { std::this_thread::sleep_for(std::chrono::microseconds(micros)); }

[[noreturn]] void giveUp(const std::string& text)
{
    std::fprintf(stderr, "%s\n", text.c_str());
    std::exit(2);
}

pid_t start(const Host& host, const RunId& run, const std::string& store)
{
    std::vector<std::string> words = host.before;
    words.push_back(run);
    words.push_back("--store");
    words.push_back(store);
    std::vector<char*> argv;
    for (std::string& word : words) argv.push_back(word.data());
    argv.push_back(nullptr);
    posix_spawn_file_actions_t actions;
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_addopen(&actions, 1, "/dev/null", O_WRONLY, 0);
    posix_spawn_file_actions_addopen(&actions, 2, (store + "/trainer.log").c_str(), O_WRONLY | O_CREAT | O_APPEND, 0600);
    pid_t pid = -1;
    if (::posix_spawn(&pid, argv[0], &actions, nullptr, argv.data(), environ) != 0) giveUp("Could not start " + words[0]);
    posix_spawn_file_actions_destroy(&actions);
    return pid;
}

bool dead(pid_t pid) { return ::waitpid(pid, nullptr, WNOHANG) == pid; }

/// Waits for a change below a path; false when the time is over or the process has ended.
class Watch
{
  public:
    Watch(const std::string& path, std::uint32_t mask) : m_fd(::inotify_init1(IN_CLOEXEC | IN_NONBLOCK)) { ::inotify_add_watch(m_fd, path.c_str(), mask); }
    ~Watch() { ::close(m_fd); }
    /// True at the first event whose name ends as given (files watched themselves have none).
    bool wait(std::string_view ending, double seconds)
    {
        const double until = now() + seconds;
        while (now() < until) {
            pollfd waiting{m_fd, POLLIN, 0};
            if (::poll(&waiting, 1, 20) <= 0) continue;
            alignas(inotify_event) char buffer[16 << 10];
            const ssize_t got = ::read(m_fd, buffer, sizeof buffer);
            for (ssize_t at = 0; at < got;) {
                const auto* event = reinterpret_cast<const inotify_event*>(buffer + at);
                if (ending.empty() || (event->len > 0 && std::string_view(event->name).ends_with(ending))) return true;
                at += static_cast<ssize_t>(sizeof *event) + event->len;
            }
        }
        return false;
    }

  private:
    int m_fd;
};

class KillTest
{
  public:
    KillTest(std::shared_ptr<Store> store, std::string data, std::vector<Host> hosts, unsigned seed)
        : m_store(std::move(store)), m_data(std::move(data)), m_hosts(std::move(hosts)), m_random(seed)
    {
    }

    /// The uninterrupted run, on a thread of this process.
    void makeReference()
    {
        const RunId run = newRun();
        CommandQueue commands;
        auto ended = driveRun(m_store, run, {}, commands, {});
        if (!ended || ended->status != RunStatus::Finished) giveUp("The reference run failed: " + (ended ? ended->message : ended.error().text()));
        m_reference = stateOf(run);
        std::printf("reference: %zu losses, %zu validations, weights %.16s…, %.1f s\n", m_reference.losses.step.size(), m_reference.val.step.size(),
                    m_reference.hash.c_str(), ended->summary.seconds);
        std::fflush(stdout);
    }

    Tally run(int kills)
    {
        while (m_tally.kills < kills) trial(kills);
        return m_tally;
    }

  private:
    RunId newRun()
    {
        PrepareOptions options;
        options.dataPath = m_data;
        Recipe recipe = hostRecipe(trialEpochs);
        recipe.training.checkpoint.everyEpochs = 4;
        recipe.training.checkpoint.everyMinutes = 0.004; // every quarter of a second: real fsyncs take their time
        auto run = prepareRun(*m_store, recipe, options);
        if (!run) giveUp(run.error().text());
        return *run;
    }

    RunRow row(const RunId& run)
    {
        auto found = m_store->run(run);
        if (!found) giveUp(found.error().text());
        return *found;
    }

    Reference stateOf(const RunId& run)
    {
        auto checkpoint = newestValidCheckpoint(row(run).folder);
        return {checkpoint ? weightsHash(*checkpoint) : checkpoint.error().text(), m_store->series(run, series::trainLoss).valueOr({}), m_store->series(run, series::valLoss).valueOr({})};
    }

    /// One run, killed until it is done.
    void trial(int kills)
    {
        const RunId run = newRun();
        ++m_tally.trials;
        int mine = 0;
        for (bool finished = false; !finished;) {
            const Host& host = m_hosts[m_random() % m_hosts.size()];
            const auto moment = static_cast<Moment>(m_random() % 4);
            const pid_t pid = start(host, run, m_store->folder());
            const bool last = m_tally.kills >= kills; // enough: let it end
            if (!last && strike(pid, moment, row(run).folder)) {
                ++mine;
                ++m_tally.kills;
                ++m_tally.byMoment[static_cast<int>(moment)];
                ++m_tally.byHost[host.name];
            } else {
                for (const double until = now() + 300; !dead(pid);) {
                    if (now() > until) giveUp("A trainer hangs.");
                    sleepMicros(20'000);
                }
            }
            const RunStatus status = row(run).status;
            if (status == RunStatus::Running || status == RunStatus::Paused) fail(run, "shows as " + std::string(statusName(status)) + " although nobody trains it");
            if (status == RunStatus::Failed || status == RunStatus::Stopped) giveUp("The run ended as " + std::string(statusName(status)) + ": " + row(run).message);
            finished = status == RunStatus::Finished;
            if (m_tally.kills % 10 == 0 && !finished) examine();
        }
        const Reference result = stateOf(run);
        if (auto wrong = seriesDifference(result.losses, m_reference.losses); !wrong.empty()) fail(run, "training losses: " + wrong);
        if (result.val.step != m_reference.val.step || result.val.value != m_reference.val.value) fail(run, "validation losses differ");
        if (result.hash != m_reference.hash) fail(run, "final weights differ");
        std::printf("run %s: %d kills, %d attempts%s\n", run.c_str(), mine, row(run).attempts, m_tally.wrong ? "" : ", equal to the last bit");
        std::fflush(stdout);
    }

    /// True if the process was killed; false if it ended by itself first.
    bool strike(pid_t pid, Moment moment, const std::string& folder)
    {
        if (moment == Moment::Start) {
            sleepMicros(m_random() % 1'500'000);
            return kill(pid);
        }
        const double until = now() + longestWait;
        std::error_code ignored;
        while (!fs::exists(socketFile(folder), ignored) && now() < until) {
            if (dead(pid)) return false;
            sleepMicros(500);
        }
        bool hit = true;
        if (moment == Moment::Step) {
            sleepMicros(m_random() % 900'000);
        } else if (moment == Moment::Saving) {
            fs::create_directories(folder + "/checkpoints", ignored);
            sleepMicros(m_random() % 300'000);
            hit = Watch(folder + "/checkpoints", IN_CREATE).wait(".incomplete", 5);
            sleepMicros(m_random() % 3'000);
        } else {
            sleepMicros(m_random() % 600'000);
            hit = Watch(m_store->folder() + "/sconce.db-wal", IN_MODIFY).wait({}, 5);
            sleepMicros(m_random() % 500);
        }
        if (!hit) ++m_tally.missed;
        return kill(pid);
    }

    static bool kill(pid_t pid)
    {
        ::kill(pid, SIGKILL);
        int status = 0;
        ::waitpid(pid, &status, 0);
        return WIFSIGNALED(status);
    }

    void examine()
    {
        auto report = m_store->doctor(false);
        ++m_tally.doctorRuns;
        if (!report) giveUp("doctor: " + report.error().text());
        for (const std::string& found : report->found)
            if (found.find("leftover") == std::string::npos) { // a kill leaves sockets and staging folders, and nothing else
                ++m_tally.wrong;
                std::printf("WRONG: doctor: %s\n", found.c_str());
            }
    }

    void fail(const RunId& run, const std::string& what)
    {
        ++m_tally.wrong;
        std::printf("WRONG: run %s: %s\n", run.c_str(), what.c_str());
    }

    std::shared_ptr<Store> m_store;
    const std::string m_data;
    const std::vector<Host> m_hosts;
    std::mt19937 m_random;
    Reference m_reference;
    Tally m_tally;
};

std::vector<Host> hostsNamed(const std::string& list, const std::string& self)
{
    const std::string bin = SCONCE_BIN_DIR;
    std::vector<Host> hosts;
    for (const Host& host : {Host{"worker", {bin + "/sconce", "worker"}}, Host{"window", {bin + "/sconce_kill_window"}}, Host{"self", {self, "worker"}}}) {
        if (("," + list + ",").find("," + host.name + ",") == std::string::npos) continue;
        if (fs::exists(host.before[0])) hosts.push_back(host);
        else std::printf("left out: %s (%s has not been built)\n", host.name.c_str(), host.before[0].c_str());
    }
    return hosts;
}

} // namespace

int main(int argc, char** argv)
{
    if (argc > 1 && std::string(argv[1]) == "worker") return workerMain(argc, argv);
    int kills = 100;
    unsigned seed = std::random_device{}();
    std::string list = "worker,window,self";
    for (int i = 1; i < argc; ++i) {
        const std::string word = argv[i];
        if (word == "--seed" && i + 1 < argc) seed = static_cast<unsigned>(std::strtoul(argv[++i], nullptr, 10));
        else if (word == "--hosts" && i + 1 < argc) list = argv[++i];
        else if (std::atoi(argv[i]) > 0) kills = std::atoi(argv[i]);
        else return std::fprintf(stderr, "sconce_kill_test [KILLS] [--seed N] [--hosts worker,window,self]\n"), 2;
    }
    ::setenv("QT_QPA_PLATFORM", "offscreen", 0);
    const auto hosts = hostsNamed(list, fs::read_symlink("/proc/self/exe").string());
    if (hosts.empty()) giveUp("There is no trainer to kill.");

    std::string folder = "/tmp/sconce-kill-XXXXXX"; // on a disk: commits and fsyncs are to be real
    if (!::mkdtemp(folder.data())) giveUp("No folder for the test could be made.");
    writeIdxFolder(folder + "/data", TinyData(1600, 64, 16));
    auto store = Store::open(folder + "/store");
    if (!store) giveUp(store.error().text());
    std::printf("seed %u, %d kills, in %s\n", seed, kills, folder.c_str());

    Tally tally;
    {
        KillTest test(*store, folder + "/data", hosts, seed);
        test.makeReference();
        tally = test.run(kills);
    }
    store->reset(); // before its folder goes
    std::printf("%d kills in %d runs; seed %u\n", tally.kills, tally.trials, seed);
    for (int i = 0; i < 4; ++i) std::printf("  %-7s %d\n", momentNames[i], tally.byMoment[i]);
    for (const auto& [name, count] : tally.byHost) std::printf("  %-7s %d\n", name.c_str(), count);
    std::printf("  moments missed (nothing was written while waiting): %d; store checked %d times\n", tally.missed, tally.doctorRuns);
    std::printf(tally.wrong ? "%d differences\n" : "no difference: every run ended bit for bit as the uninterrupted one\n", tally.wrong);
    if (!tally.wrong) (void)removeTree(folder);
    return tally.wrong ? 1 : 0;
}
