// SPDX-License-Identifier: GPL-3.0-or-later
// Run hosts: the same run on a thread, in a child process, killed and resumed, handed over, watched and steered through its
// socket. Every way must end with the same weights and the same, whole series.
#include "tests/core/training/host_bench.h"
#include "tests/support/patience.h"

#include "core/training/run_data.h"
#include "core/training/socket_path.h"

#include <QCoreApplication>
#include <QFile>
#include <QProcess>
#include <QTemporaryDir>
#include <QTest>

#include <chrono>
#include <random>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <thread>
#include <unistd.h>

using namespace sconce;
using namespace sconce::test;
namespace fs = std::filesystem;

namespace {

/// A trainer played by this test: it holds the run's lock and listens, and says what the test wants.
struct Played
{
    FileLock owner;
    Fd listener, client;
    explicit Played(const std::string& folder)
    {
        if (auto lock = FileLock::acquire(ownerFile(folder), false)) owner = std::move(*lock);
        if (auto fd = listenInRunFolder(folder)) listener = std::move(*fd);
    }
    /// The first lines of whoever connects next.
    std::string accept(const std::string& until)
    {
        std::string said;
        for (double end = Clock::system().monotonicSeconds() + 60; Clock::system().monotonicSeconds() < end && !client; sleepMs(2)) client.reset(::accept(listener.get(), nullptr, nullptr));
        const timeval patience{5, 0}; // what does not come is missed, not waited for
        ::setsockopt(client.get(), SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
        char buffer[4096];
        while (client && said.find(until) == std::string::npos) {
            const ssize_t got = ::recv(client.get(), buffer, sizeof buffer, 0);
            if (got <= 0) break;
            said.append(buffer, static_cast<std::size_t>(got));
        }
        return said;
    }
};

} // namespace

class HostTest : public QObject, HostBench
{
    Q_OBJECT

    void killAndResume(const QString& program, int kills, unsigned seed);

  private Q_SLOTS:
    void initTestCase() { openBench(); }

    void aChildProcessGivesTheSame()
    {
        const RunId run = newRun();
        Watcher watcher;
        auto host = startProcessHost(m_store, run, {}, QCoreApplication::applicationFilePath().toStdString(), watcher.sink());
        SCONCE_VERIFY(host);
        QVERIFY(!(*host)->isThread());
        QVERIFY(!borrowData(run)); // not kept in this process's memory for nobody
        QVERIFY((*host)->wait(600));
        QCOMPARE(watcher.events().of<RunEnded>().size(), std::size_t{1});
        QCOMPARE(watcher.outOfOrder(), 0);
        QCOMPARE(difference(run), QString());
        QCOMPARE(m_store->attempts(run).valueOr({}).at(0).host, std::string("process"));
    }

    /// With a process that trains on every core, the window would wait for its time slice.
    void aChildProcessMakesWayForTheWindow()
    {
        const RunId run = newRun(hostRecipe(longEpochs));
        Watcher watcher;
        auto host = startProcessHost(m_store, run, {}, QCoreApplication::applicationFilePath().toStdString(), watcher.sink());
        SCONCE_VERIFY(host);
        QVERIFY(watcher.waitFor<StepsDone>(1));
        const int window = ::getpriority(PRIO_PROCESS, 0);
        int child = -100;
        std::error_code error;
        for (fs::directory_iterator it("/proc", error), end; !error && it != end; it.increment(error)) {
            const auto command = readTextFile(it->path().string() + "/cmdline", 4096);
            if (command && command->find(run) != std::string::npos) child = ::getpriority(PRIO_PROCESS, static_cast<id_t>(std::atoi(it->path().filename().c_str())));
        }
        (*host)->send(StopCommand{});
        QVERIFY((*host)->wait(600));
        QCOMPARE(child, std::min(window + 5, 19));
    }

    void killedAndResumed()
    {
        killAndResume(QCoreApplication::applicationFilePath(), 12, 20261121);
    }

    void theCommandLineKilledAndResumed()
    {
        const QString program = QString(SCONCE_BIN_DIR) + "/sconce";
        if (!QFile::exists(program)) QSKIP("The command line sconce has not been built beside this test.");
        killAndResume(program, 4, 7);
    }

    void handedOverFromThreadToProcess()
    {
        const RunId run = newRun();
        Watcher first, second;
        auto thread = startThreadHost(m_store, run, threadOptions(), first.sink());
        QVERIFY(first.waitFor<StepsDone>(3));
        thread->send(StopCommand{true, "hand-over"});
        QVERIFY(thread->wait(600));
        QCOMPARE(first.events().of<RunEnded>().at(0).status, RunStatus::Interrupted);
        // Not waiting for the thread's last breath: the new host does that.
        auto process = startProcessHost(m_store, run, {}, QCoreApplication::applicationFilePath().toStdString(), second.sink());
        SCONCE_VERIFY(process);
        thread.reset();
        QVERIFY((*process)->wait(600));
        QVERIFY(second.events().of<RunStarted>().at(0).startStep > 0);
        QCOMPARE(difference(run), QString());
        QCOMPARE(row(run).attempts, 2);
    }

    void watchedAndSteeredThroughTheSocket()
    {
        const RunId run = newRun();
        const std::string folder = row(run).folder;
        Watcher own, other, late;
        auto host = startThreadHost(m_store, run, threadOptions(), own.sink());
        QVERIFY(own.waitFor<StepsDone>(2));
        auto attached = attachHost(folder, run, 0, other.sink());
        SCONCE_VERIFY(attached);
        auto paused = sendCommand(folder, PauseCommand{}, 120);
        SCONCE_VERIFY(paused);
        QVERIFY(paused->ok);
        QCOMPARE(row(run).status, RunStatus::Paused);
        QVERIFY(other.waitFor<StatusChanged>(1));
        QCOMPARE(other.events().losses(), own.events().losses()); // what was missed has been replayed
        auto saved = sendCommand(folder, CheckpointCommand{}, 120);
        SCONCE_VERIFY(saved);
        QCOMPARE(saved->step, paused->step);

        // Rubbish ends its own connection and nothing else.
        {
            auto fd = connectToRun(folder);
            SCONCE_VERIFY(fd);
            const std::string rubbish = "GET / HTTP/1.1\r\n\r\n";
            QVERIFY(::send(fd->get(), rubbish.data(), rubbish.size(), MSG_NOSIGNAL) > 0);
            char byte;
            QCOMPARE(::recv(fd->get(), &byte, 1, 0), ssize_t{0});
        }
        // The attached window's own command is answered to it under its own id.
        const std::int64_t id = (*attached)->send(ResumeCommand{});
        QVERIFY(other.waitFor<StatusChanged>(2));
        for (double until = Clock::system().monotonicSeconds() + 60; Clock::system().monotonicSeconds() < until; sleepMs(2)) {
            const auto answers = other.events().of<CommandAnswered>();
            if (!answers.empty() && answers.back().command == id) break;
        }
        QCOMPARE(other.events().of<CommandAnswered>().back().command, id);

        auto stopped = sendCommand(folder, StopCommand{}, 120);
        SCONCE_VERIFY(stopped);
        QVERIFY(host->wait(600));
        QVERIFY((*attached)->wait(600));
        QCOMPARE(other.events().of<RunEnded>().size(), std::size_t{1});
        QCOMPARE(other.outOfOrder(), 0);
        QCOMPARE(other.events().losses(), own.events().losses());
        host.reset();
        QCOMPARE(row(run).status, RunStatus::Stopped);
        QVERIFY(!sendCommand(folder, PauseCommand{}, 5));
        QVERIFY(!attachHost(folder, run, 0, late.sink()));

        Watcher rest;
        auto again = startThreadHost(m_store, run, threadOptions(), rest.sink());
        QVERIFY(again->wait(600));
        again.reset();
        QCOMPARE(difference(run), QString());
    }

    void closingAThreadHostKeepsTheWork()
    {
        const RunId run = newRun();
        Watcher watcher;
        auto host = startThreadHost(m_store, run, threadOptions(), watcher.sink());
        QVERIFY(watcher.waitFor<StepsDone>(2));
        host.reset();
        QCOMPARE(row(run).status, RunStatus::Stopped);
        QVERIFY(row(run).summary.steps < steps); // not waited for
        QVERIFY(row(run).resumable);
        QVERIFY(newestValidCheckpoint(row(run).folder)->state.step == row(run).summary.steps);
    }

    void onlyOneTrainerAtATime()
    {
        const RunId run = newRun(hostRecipe(1000));
        Watcher watcher;
        auto host = startThreadHost(m_store, run, threadOptions(), watcher.sink());
        QVERIFY(watcher.waitFor<StepsDone>(1));
        CommandQueue commands;
        auto second = driveRun(m_store, run, {}, commands, {});
        QVERIFY(!second);
        QCOMPARE(second.error().code, ErrorCode::Busy);
        Watcher third;
        auto process = startProcessHost(m_store, run, {}, QCoreApplication::applicationFilePath().toStdString(), third.sink());
        QVERIFY(!process);
        QCOMPARE(process.error().code, ErrorCode::Busy);
        QVERIFY(!host->finished());
    }

    void aFinishedRunTrainsLongerOnlyWhenAsked()
    {
        const RunId run = newRun(hostRecipe(1));
        CommandQueue commands;
        SCONCE_VERIFY(driveRun(m_store, run, {}, commands, {}));
        auto again = driveRun(m_store, run, {}, commands, {});
        QVERIFY(!again);
        QCOMPARE(again.error().code, ErrorCode::Invalid);
        DriveOptions longer;
        longer.epochs = 2;
        auto ended = driveRun(m_store, run, longer, commands, {});
        SCONCE_VERIFY(ended);
        QCOMPARE(ended->summary.epochs, 2);
        QCOMPARE(row(run).summary.steps, 90);
        QCOMPARE(row(run).epochsPlanned, 2);
        QCOMPARE(m_store->series(run, series::trainLoss).valueOr({}).step.size(), std::size_t{90});
    }

    void epochsBeyondReasonAreRefused()
    {
        const RunId run = newRun(hostRecipe(1));
        CommandQueue commands;
        for (const int epochs : {0, -3, 100'001}) {
            DriveOptions options;
            options.epochs = epochs;
            auto ended = driveRun(m_store, run, options, commands, {});
            QVERIFY2(!ended, "a run of no epochs, or of more than anybody waits for, was trained");
            QCOMPARE(ended.error().code, ErrorCode::Invalid);
            QVERIFY2(ended.error().message.find("100,000") != std::string::npos, ended.error().message.c_str());
        }
        QCOMPARE(row(run).status, RunStatus::Queued); // nothing has happened to it
    }

    /// Who was away when the run ended (too slow, or stopped) must not say that it was killed.
    void anEndThatWasMissedIsNotAKill()
    {
        const RunId run = newRun(hostRecipe(1));
        const std::string folder = row(run).folder;
        auto attempt = m_store->openAttempt(run, 0, "process", Json(), "cpu", "A CPU", "", 45);
        SCONCE_VERIFY(attempt);
        for (const bool ends : {true, false}) {
            Watcher watcher;
            auto played = std::make_unique<Played>(folder);
            QVERIFY(played->owner.held() && played->listener);
            auto attached = attachHost(folder, run, 0, watcher.sink());
            SCONCE_VERIFY(attached);
            QVERIFY(played->accept("attach").find("attach") != std::string::npos);
            if (ends) {
                RunEnded ended{RunStatus::Finished, {}, "", "", "", ""};
                ended.summary.testAccuracy = 0.75;
                SCONCE_VERIFY(m_store->record(run, *attempt, Event{1, 1, ended}));
                SCONCE_VERIFY(m_store->flush());
            } else {
                attempt = m_store->openAttempt(run, 45, "process", Json(), "cpu", "A CPU", "", 45);
                SCONCE_VERIFY(attempt);
            }
            played.reset(); // gone, without a word through the socket
            QVERIFY((*attached)->wait(600));
            const auto heard = watcher.events().of<RunEnded>();
            QCOMPARE(heard.size(), std::size_t{1});
            QCOMPARE(heard[0].status, ends ? RunStatus::Finished : RunStatus::Interrupted);
            if (ends) QCOMPARE(heard[0].summary.testAccuracy, 0.75);
            else QVERIFY(heard[0].message.find("killed") != std::string::npos);
        }
    }

    void aCommandGivenBetweenTwoConnectionsArrives()
    {
        const RunId run = newRun(hostRecipe(1));
        Watcher watcher;
        Played played(row(run).folder);
        QVERIFY(played.owner.held() && played.listener);
        auto attached = attachHost(row(run).folder, run, 0, watcher.sink());
        SCONCE_VERIFY(attached);
        QVERIFY(played.accept("attach").find("attach") != std::string::npos);
        played.client.reset();
        sleepMs(20); // it connects again after 50 ms
        (*attached)->send(PauseCommand{});
        const std::string said = played.accept("pause");
        QVERIFY2(said.find("attach") != std::string::npos && said.find("pause") != std::string::npos, said.c_str());
    }
};

/// kill -9 at random moments (at start, mid-step, while a checkpoint is being written), then to the end.
void HostTest::killAndResume(const QString& program, int kills, unsigned seed)
{
    qInfo("seed %u", seed);
    std::mt19937 random(seed);
    if (m_straightLong.hash.empty()) { // on a thread: the killed processes must come to the same
        const RunId straight = newRun(hostRecipe(longEpochs));
        auto host = startThreadHost(m_store, straight, threadOptions(), [](const Event&) {});
        QVERIFY(host->wait(600));
        host.reset();
        m_straightLong = referenceOf(straight);
        QCOMPARE(m_straightLong.losses.step.size(), static_cast<std::size_t>(longEpochs * 45));
    }
    const RunId run = newRun(hostRecipe(longEpochs));
    const std::string folder = row(run).folder;
    const QStringList arguments{"worker", QString::fromStdString(run), "--store", QString::fromStdString(m_store->folder())};
    int killed = 0, whileSaving = 0;
    for (int attempt = 0; attempt < kills; ++attempt) {
        QProcess process;
        process.setStandardErrorFile(m_dir.filePath("trainer.log"), QIODevice::Append);
        process.start(program, arguments);
        QVERIFY(process.waitForStarted(patienceMs));
        const double begun = Clock::system().monotonicSeconds();
        while (!isAlive(folder) && Clock::system().monotonicSeconds() < begun + 30 && attempt % 4 != 0) sleepMs(1);
        std::this_thread::sleep_for(std::chrono::microseconds(random() % 300'000));
        if (attempt % 2 == 1) { // wait for a checkpoint being written
            const double until = Clock::system().monotonicSeconds() + 20;
            bool seen = false;
            while (!seen && Clock::system().monotonicSeconds() < until) {
                std::error_code error;
                for (fs::directory_iterator it(folder + "/checkpoints", error), end; !error && it != end; it.increment(error)) seen |= it->path().extension() == ".incomplete";
            }
            whileSaving += seen;
            std::this_thread::sleep_for(std::chrono::microseconds(random() % 2'000));
        }
        process.kill();
        QVERIFY(process.waitForFinished(patienceMs));
        if (process.exitStatus() == QProcess::CrashExit) ++killed;
        const RunRow now = row(run);
        QVERIFY2(now.status == RunStatus::Interrupted || now.status == RunStatus::Queued || (now.status == RunStatus::Finished && process.exitStatus() == QProcess::NormalExit), statusName(now.status));
        if (now.status == RunStatus::Finished) break;
    }
    qInfo("%d kills, %d of them while a checkpoint was being written", killed, whileSaving);
    QVERIFY(killed >= kills / 2);
    if (row(run).status != RunStatus::Finished) {
        QProcess process;
        process.setStandardErrorFile(m_dir.filePath("trainer.log"), QIODevice::Append);
        process.start(program, arguments);
        QVERIFY(process.waitForStarted(patienceMs));
        // However busy the machine is: as long as it trains.
        QVERIFY(whileItGoesOn([&] { return process.waitForFinished(100) || process.state() == QProcess::NotRunning; }, [&] { return row(run).summary.steps; }));
        QCOMPARE(process.exitCode(), 0);
    }
    QCOMPARE(difference(run, m_straightLong), QString());
}

int main(int argc, char** argv)
{
    if (argc > 1 && std::string(argv[1]) == "worker") return workerMain(argc, argv);
    QCoreApplication app(argc, argv);
    HostTest test;
    return QTest::qExec(&test, argc, argv);
}
#include "host_test.moc"
