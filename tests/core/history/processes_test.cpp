// SPDX-License-Identifier: GPL-3.0-or-later
// Several processes on one store, and processes that die: this program runs itself with --child.
#include "helpers.h"

#include <QFile>

#include <chrono>
#include <csignal>
#include <cstdio>
#include <random>
#include <sched.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <thread>
#include <unistd.h>

using namespace testing;

namespace {

int fail(const Error& error)
{
    std::fprintf(stderr, "child: %s [%s]\n", error.text().c_str(), error.detail.c_str());
    return 1;
}

void say(const std::string& line)
{
    std::puts(line.c_str());
    std::fflush(stdout);
}

/// Creates runs and records into them beside others.
int writeChild(const std::string& folder, int steps)
{
    auto store = Store::open(folder);
    if (!store) return fail(store.error());
    for (int i = 0; i < 3; ++i) {
        const auto id = (*store)->createRun(newRun("child"));
        if (!id) return fail(id.error());
        if (auto attempt = attemptFrom(**store, *id, 0, "process"); !attempt) return fail(attempt.error());
        for (int step = 0; step < steps; step += 20) {
            if (auto done = (*store)->record(*id, 1, said(stepsFrom(step, 20))); !done) return fail(done.error());
            if (step % 200 == 0)
                if (auto done = (*store)->flush(); !done) return fail(done.error());
        }
        if (auto done = (*store)->flush(); !done) return fail(done.error());
        say(*id);
    }
    return 0;
}

/// Records and says what was acknowledged until it is killed.
int endlessChild(const std::string& folder, const std::string& run, std::int64_t from)
{
    auto store = Store::open(folder);
    if (!store) return fail(store.error());
    const auto attempt = attemptFrom(**store, run, from, "process");
    if (!attempt) return fail(attempt.error());
    say("acked " + std::to_string(from));
    for (std::int64_t step = from;; step += 50) {
        if (auto done = (*store)->record(run, *attempt, said(stepsFrom(step, 50))); !done) return fail(done.error());
        if (step % 200 < 50) {
            if (auto done = (*store)->flush(); !done) return fail(done.error());
            say("acked " + std::to_string(step + 50));
        }
        std::this_thread::sleep_for(std::chrono::milliseconds(1)); // as fast as a small network trains
    }
}

int openChild(const std::string& folder)
{
    auto store = Store::open(folder);
    if (!store) return fail(store.error());
    return 0;
}

constexpr int notPossible = 77;

/// A disk of 3 MB that this process alone sees, mounted at `folder`; false if this machine does not let us.
bool smallDisk(const std::string& folder)
{
    if (::unshare(CLONE_NEWNS) != 0 && ::unshare(CLONE_NEWUSER | CLONE_NEWNS) != 0) return false;
    ::mount(nullptr, "/", nullptr, MS_REC | MS_PRIVATE, nullptr);
    return ::mount("tmpfs", folder.c_str(), "tmpfs", 0, "size=3m") == 0;
}

/// way: "tmpfs" (a small disk) or "limit" (a limit on the size of files).
int fullDiskChild(const std::string& folder, const std::string& way)
{
    std::signal(SIGXFSZ, SIG_IGN);
    rlimit limit{};
    ::getrlimit(RLIMIT_FSIZE, &limit);
    if (way == "tmpfs" && !smallDisk(folder)) return notPossible;
    auto store = Store::open(folder + "/store");
    if (!store) return fail(store.error());
    const auto id = (*store)->createRun(newRun("full"));
    if (!id) return fail(id.error());
    if (auto attempt = attemptFrom(**store, *id, 0); !attempt) return fail(attempt.error());
    if (way == "limit") {
        const rlimit small{2'000'000, limit.rlim_max};
        ::setrlimit(RLIMIT_FSIZE, &small);
    }
    std::int64_t step = 0;
    Result<void> told;
    while (step < 2'000'000 && (told = (*store)->record(*id, 1, said(stepsFrom(step, 1000))))) {
        step += 1000;
        (void)(*store)->flush();
    }
    if (told) return fail({ErrorCode::Internal, "The disk never became full.", {}, {}});
    if (told.error().code != ErrorCode::DiskFull || told.error().message.empty()) return fail(told.error());
    // Sticky: it is told again, and again, and flush() says it too. What was taken before is kept, and only that.
    for (int i = 0; i < 3; ++i)
        if ((*store)->record(*id, 1, said(stepsFrom(step, 1000)))) return fail({ErrorCode::Internal, "The error was forgotten.", {}, {}});
    if (auto flushed = (*store)->flush(); flushed || flushed.error().code != ErrorCode::DiskFull)
        return fail({ErrorCode::Internal, "flush() did not say that the disk is full.", {}, {}});
    // What was committed before is there to be read.
    const auto before = (*store)->series(*id, series::trainLoss);
    if (!before || before->step.empty() || std::int64_t(before->step.size()) >= step) return fail({ErrorCode::Internal, "Reading on a full disk failed.", {}, {}});
    // Room again.
    if (way == "limit") ::setrlimit(RLIMIT_FSIZE, &limit);
    else if (::mount(nullptr, folder.c_str(), nullptr, MS_REMOUNT, "size=256m") != 0) return fail({ErrorCode::Internal, "remount", {}, {}});
    if (auto flushed = (*store)->flush(); !flushed) return fail(flushed.error());
    if (auto again = (*store)->record(*id, 1, said(stepsFrom(step, 1000))); !again) return fail(again.error());
    step += 1000;
    if (auto flushed = (*store)->flush(); !flushed) return fail(flushed.error());
    const auto all = (*store)->series(*id, series::trainLoss);
    if (!all) return fail(all.error());
    if (const std::string wrong = wrongWithLosses(*all, step); !wrong.empty()) return fail({ErrorCode::Internal, wrong, {}, {}});
    const auto health = (*store)->doctor(false);
    return health && health->ok ? 0 : 1;
}

int childMain(int argc, char** argv)
{
    const std::string what = argv[2], folder = argv[3];
    if (what == "write") return writeChild(folder, std::atoi(argv[4]));
    if (what == "endless" && argc > 5) return endlessChild(folder, argv[4], std::atoll(argv[5]));
    if (what == "open") return openChild(folder);
    if (what == "full") return fullDiskChild(folder, argv[4]);
    return 2;
}

} // namespace

class ProcessesTest : public QObject
{
    Q_OBJECT

    std::unique_ptr<QTemporaryDir> m_dir;
    QString path() const { return m_dir->path() + "/store"; }

  private Q_SLOTS:
    void init() { m_dir = std::make_unique<QTemporaryDir>(); }

    void severalProcessesOnOneStore()
    {
        auto store = Store::open(path().toStdString());
        VERIFY_OK(store);
        const auto own = (*store)->createRun(newRun("own"));
        VERIFY_OK(own);
        VERIFY_OK(attemptFrom(**store, *own, 0));
        const std::int64_t counter = (*store)->changeCounter();
        std::vector<std::unique_ptr<QProcess>> children;
        for (int i = 0; i < 3; ++i) children.push_back(child({"write", path(), "2000"}));
        for (int step = 0; step < 3000; step += 10) {
            VERIFY_OK((*store)->record(*own, 1, said(stepsFrom(step, 10))));
            if (step % 100 == 0) VERIFY_OK((*store)->flush());
            if (step % 500 == 0) VERIFY_OK((*store)->runs());
        }
        QStringList ids;
        for (const auto& process : children) {
            QVERIFY(process->waitForFinished(60'000));
            QCOMPARE(process->exitCode(), 0);
            ids += QString::fromUtf8(process->readAllStandardOutput()).split('\n', Qt::SkipEmptyParts);
        }
        VERIFY_OK((*store)->flush());
        QVERIFY((*store)->changeCounter() != counter);
        QCOMPARE(ids.size(), 9);
        const auto rows = (*store)->runs();
        VERIFY_OK(rows);
        QCOMPARE(rows->size(), std::size_t(10));
        for (std::size_t i = 0; i < rows->size(); ++i) QCOMPARE((*rows)[i].number, std::int64_t(10 - i)); // none given twice
        for (const QString& id : ids)
            QCOMPARE(QString::fromStdString(wrongWithLosses(*(*store)->series(id.toStdString(), series::trainLoss), 2000)), QString());
        QCOMPARE(QString::fromStdString(wrongWithLosses(*(*store)->series(*own, series::trainLoss), 3000)), QString());
        QVERIFY((*store)->doctor(false)->ok);
    }

    void killedWhileWriting()
    {
        constexpr int rounds = 20;
        const std::uint32_t seed = 20261121;
        std::mt19937 random(seed);
        RunId run;
        {
            auto store = Store::open(path().toStdString());
            VERIFY_OK(store);
            const auto id = (*store)->createRun(newRun("killed"));
            VERIFY_OK(id);
            run = *id;
        }
        std::int64_t from = 0;
        for (int round = 0; round < rounds; ++round) {
            auto process = child({"endless", path(), QString::fromStdString(run), QString::number(from)});
            QVERIFY(process->waitForReadyRead(30'000));
            std::this_thread::sleep_for(std::chrono::milliseconds(random() % 150));
            ::kill(pid_t(process->processId()), SIGKILL);
            QVERIFY(process->waitForFinished(10'000));
            const QStringList lines = QString::fromUtf8(process->readAllStandardOutput()).split('\n', Qt::SkipEmptyParts);
            QVERIFY(!lines.isEmpty());
            std::int64_t acked = 0;
            for (const QString& line : lines)
                if (line.startsWith("acked ")) acked = line.mid(6).toLongLong();
            auto store = Store::open(path().toStdString());
            VERIFY_OK(store);
            QVERIFY((*store)->opened().how == StoreOpened::How::Opened);
            const auto points = (*store)->series(run, series::trainLoss);
            VERIFY_OK(points);
            const auto count = std::int64_t(points->step.size());
            QVERIFY2(count >= acked, qPrintable(QString("round %1 (seed %2): %3 points, %4 acknowledged").arg(round).arg(seed).arg(count).arg(acked)));
            QCOMPARE(QString::fromStdString(wrongWithLosses(*points, count)), QString());
            QCOMPARE((*store)->series(run, series::seconds)->step.size(), points->step.size()); // a commit is whole
            const auto health = (*store)->doctor(false);
            VERIFY_OK(health);
            QVERIFY(health->ok);
            QVERIFY((*store)->run(run)->status == RunStatus::Interrupted);
            from = count - std::int64_t(random() % 100) * (count > 200);
        }
        qInfo("%d kills (seed %u): %lld points, none of the acknowledged lost", rounds, seed, static_cast<long long>(from));
    }

    void racingStarters()
    {
        for (int round = 0; round < 3; ++round) {
            const QString folder = m_dir->path() + "/race" + QString::number(round);
            std::vector<std::unique_ptr<QProcess>> children;
            for (int i = 0; i < 8; ++i) children.push_back(child({"open", folder}));
            for (const auto& process : children) {
                QVERIFY(process->waitForFinished(60'000));
                QCOMPARE(process->exitCode(), 0);
            }
            auto store = Store::open(folder.toStdString());
            VERIFY_OK(store);
            QVERIFY((*store)->opened().how == StoreOpened::How::Opened);
        }
    }

    void aFullDiskLosesNothing_data()
    {
        QTest::addColumn<QString>("way");
        QTest::newRow("limit on files") << "limit";
        QTest::newRow("small disk") << "tmpfs";
    }
    void aFullDiskLosesNothing()
    {
        QFETCH(QString, way);
        auto process = child({"full", m_dir->path(), way});
        QVERIFY(process->waitForFinished(60'000));
        if (process->exitCode() == notPossible) QSKIP("This machine does not let a test mount a small disk.");
        QCOMPARE(process->exitStatus(), QProcess::NormalExit);
        QCOMPARE(process->exitCode(), 0);
    }
};

int main(int argc, char** argv)
{
    if (argc > 4 && std::string(argv[1]) == "--child") return childMain(argc, argv);
    if (argc > 3 && std::string(argv[1]) == "--child" && std::string(argv[2]) == "open") return childMain(argc, argv);
    QCoreApplication application(argc, argv);
    ProcessesTest test;
    return QTest::qExec(&test, argc, argv);
}
#include "processes_test.moc"
