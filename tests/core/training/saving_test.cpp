// SPDX-License-Identifier: GPL-3.0-or-later
// Checkpoints written while training goes on: nothing waits for the disk that need not, nothing is said to be saved before it
// is, and a kill at any moment of the writing leaves a run that ends the same.
#include "tests/core/training/training_support.h"

#include <QTest>

#include <atomic>
#include <cerrno>
#include <mutex>
#include <thread>

#include <sys/resource.h>
#include <unistd.h>

using namespace sconce;
using namespace sconce::test;
namespace fs = std::filesystem;

namespace {

/// A disk whose every fsync takes so long.
void slowDisk(int ms)
{
    writeFault = [ms](WriteStep step, const std::string&) {
        if (step == WriteStep::Sync) std::this_thread::sleep_for(std::chrono::milliseconds(ms));
        return 0;
    };
}

Recipe everySteps(std::int64_t steps, int epochs, int keep = 1000)
{
    Recipe recipe = withCheckpoints(tinyRecipe(epochs), 0, 0, keep);
    recipe.training.checkpoint.keepBest = false;
    recipe.training.checkpoint.everySteps = steps;
    return recipe;
}

std::int64_t stepsTold(const Events& events)
{
    const auto losses = events.losses();
    return losses.empty() ? 0 : losses.rbegin()->first + 1;
}

bool isWritten(const Bench& bench, std::int64_t step)
{
    for (const Checkpoint& each : listCheckpoints(bench.input.runFolder))
        if (each.state.step == step && readCheckpoint(each.path)) return true;
    return false;
}

} // namespace

class SavingTest : public QObject
{
    Q_OBJECT

  private Q_SLOTS:
    void cleanup() { writeFault = {}; }

    /// 500 steps an epoch, one checkpoint in it, on a disk that takes half a second for one: training is far ahead when it is told.
    void trainingGoesOnWhileACheckpointIsWritten()
    {
        const auto data = std::make_shared<TinyData>(10'000, testRows);
        Bench bench(everySteps(200, 1), data);
        slowDisk(150);
        std::int64_t toldAt = -1;
        bool early = false;
        bench.hook = [&](const EventBody& body) {
            if (const auto* saved = std::get_if<CheckpointSaved>(&body)) {
                if (toldAt < 0) toldAt = stepsTold(bench.events);
                early |= !isWritten(bench, saved->step); // told is there
            }
            return bench.events(body);
        };
        QCOMPARE(bench.run().status, RunStatus::Finished);
        QVERIFY(!early);
        QVERIFY2(toldAt > 230, qPrintable(QString("told at step %1").arg(toldAt))); // the copy is of step 200 all the same
        const auto saved = bench.events.of<CheckpointSaved>();
        QCOMPARE(saved.size(), std::size_t{3});
        const std::int64_t steps[] = {200, 400, 500};
        for (std::size_t i = 0; i < 3; ++i) QCOMPARE(saved[i].step, steps[i]);
        writeFault = {};
        for (const Checkpoint& from : listCheckpoints(bench.input.runFolder)) {
            Bench rest(everySteps(200, 1), data);
            rest.input.resumeFrom = from;
            QCOMPARE(rest.run().status, RunStatus::Finished);
            if (from.state.step < 500) QCOMPARE(rest.finalHash(), bench.finalHash());
        }
    }

    /// Due faster than the disk writes: one waits for the other, and every one that was asked for is there.
    void oneAtATime()
    {
        Bench bench(everySteps(1, 1));
        slowDisk(5);
        std::atomic<int> writing = 0, most = 0;
        bench.input.settle = [&]() -> Result<void> {
            most = std::max(most.load(), ++writing);
            std::this_thread::sleep_for(std::chrono::milliseconds(2));
            --writing;
            return {};
        };
        QCOMPARE(bench.run().status, RunStatus::Finished);
        QCOMPARE(most.load(), 1);
        const auto saved = bench.events.of<CheckpointSaved>();
        QCOMPARE(saved.size(), std::size_t{7});
        for (std::size_t i = 0; i < 6; ++i) QCOMPARE(saved[i].step, static_cast<std::int64_t>(i) + 1);
        QCOMPARE(saved[6].reason, std::string("end")); // of step 6 too, with its epoch closed
    }

    /// What somebody waits for is on the disk when it is answered, and so is what was on its way before.
    void askedForIsThereWhenItIsSaid_data()
    {
        QTest::addColumn<int>("command");
        QTest::newRow("asked") << 0;
        QTest::newRow("pause") << 1;
        QTest::newRow("stop") << 2;
        QTest::newRow("signal") << 3;
    }
    void askedForIsThereWhenItIsSaid()
    {
        QFETCH(int, command);
        Bench bench(everySteps(10, 400));
        slowDisk(40);
        bool posted = false;
        std::int64_t saidAt = -1;
        bool there = false, before = false;
        bench.hook = [&](const EventBody& body) {
            // In the very moment in which the copy of step 10 is on its way.
            if (const auto* steps = std::get_if<StepsDone>(&body); steps && !posted && steps->firstStep + static_cast<std::int64_t>(steps->loss.size()) > 10) {
                posted = true;
                if (command == 0) bench.commands.post({1, CheckpointCommand{}});
                if (command == 1) bench.commands.post({1, PauseCommand{}});
                if (command == 2) bench.commands.post({1, StopCommand{}});
                if (command == 3) bench.commands.requestStopFromSignal();
                if (command < 2) bench.commands.post({2, StopCommand{}});
            }
            const auto* answer = std::get_if<CommandAnswered>(&body);
            const auto* ended = std::get_if<RunEnded>(&body);
            if (saidAt < 0 && ((answer && answer->command == 1) || ended)) {
                saidAt = answer ? answer->step : ended->summary.steps;
                there = isWritten(bench, saidAt);
                before = isWritten(bench, 10);
            }
            return bench.events(body);
        };
        QCOMPARE(bench.run().status, RunStatus::Stopped);
        QVERIFY(saidAt > 10);
        QVERIFY(there);
        QVERIFY(before);
    }

    /// A kill at each step of each write, as the disk would be found: the run goes on to the same end from all of them.
    void aKillAtAnyMomentOfTheWritingEndsAlike()
    {
        Recipe recipe = withCheckpoints(tinyRecipe(3), 1, 0, 2);
        recipe.training.checkpoint.everySteps = 4;
        Bench bench(recipe);
        QTemporaryDir dir{scratch()};
        std::mutex mutex;
        std::vector<std::string> found;
        writeFault = [&](WriteStep, const std::string& path) {
            if (path.find(bench.input.runFolder) != 0) return 0;
            std::lock_guard lock(mutex);
            const std::string to = dir.path().toStdString() + "/" + std::to_string(found.size());
            fs::copy(bench.input.runFolder, to, fs::copy_options::recursive);
            found.push_back(to);
            return 0;
        };
        const RunEnded expected = bench.run();
        writeFault = {};
        QCOMPARE(expected.status, RunStatus::Finished);
        QVERIFY2(found.size() > 50, qPrintable(QString::number(found.size())));
        int anew = 0, halves = 0;
        for (const std::string& folder : found) {
            for (const auto& entry : fs::directory_iterator(folder + "/checkpoints")) halves += entry.path().string().ends_with(".incomplete");
            removeStaleStaging(folder);
            Bench part(recipe, bench.input.data);
            part.input.runFolder = folder;
            auto from = newestValidCheckpoint(folder);
            if (from) part.input.resumeFrom = *from;
            else ++anew;
            const RunEnded ended = part.run();
            QCOMPARE(ended.status, RunStatus::Finished);
            QCOMPARE(part.finalHash(), bench.finalHash());
            QCOMPARE(ended.summary.bestEpoch, expected.summary.bestEpoch);
            // A state that believes in a best finds it.
            if (from && from->state.summary.bestEpoch > 0) QVERIFY(bestCheckpoint(folder).ok());
        }
        QVERIFY(anew > 0 && anew < static_cast<int>(found.size()));
        QVERIFY(halves > 0);
    }

    /// On the disk's time, not on training's: what is told of a checkpoint's processor time leaves out the waiting, and the thread that
    /// writes makes way for training also where that makes way for others.
    void theWriterMakesWay()
    {
        int trainers = 0, writers = 0;
        const int low = std::max(9, ::getpriority(PRIO_PROCESS, 0));
        std::vector<CheckpointSaved> saved;
        std::jthread([&] { // whose priority cannot be raised again
            (void)::setpriority(PRIO_PROCESS, static_cast<id_t>(::gettid()), low);
            Bench bench(everySteps(6, 2));
            slowDisk(20);
            const pid_t training = ::gettid();
            bench.input.settle = [&]() -> Result<void> {
                (::gettid() == training ? trainers : writers) = ::getpriority(PRIO_PROCESS, static_cast<id_t>(::gettid()));
                return {};
            };
            bench.run();
            saved = bench.events.of<CheckpointSaved>();
        }).join();
        QCOMPARE(trainers, low);
        QCOMPARE(writers, low + 5);
        QVERIFY(saved.size() >= 2);
        QVERIFY(saved.front().seconds >= 0.06); // three files
        for (const CheckpointSaved& one : saved) {
            QVERIFY(one.writerCpuSeconds > 0 && one.trainerCpuSeconds > 0);
            QVERIFY2(one.writerCpuSeconds < one.seconds - 0.05, qPrintable(QString("%1 of %2 s").arg(one.writerCpuSeconds).arg(one.seconds)));
        }
    }

    void whatCannotBeWrittenPausesTheRunAndIsWrittenThen()
    {
        Bench bench(everySteps(4, 40));
        std::atomic<int> failures = 0;
        writeFault = [&](WriteStep step, const std::string& path) {
            if (step != WriteStep::Write || path.find("step-000000008") == std::string::npos || failures == 3) return 0;
            ++failures;
            return ENOSPC;
        };
        QCOMPARE(bench.run().status, RunStatus::Finished);
        const auto status = bench.events.of<StatusChanged>();
        QCOMPARE(status.size(), std::size_t{2});
        QVERIFY2(status[0].because.find("space") != std::string::npos, status[0].because.c_str());
        QCOMPARE(failures.load(), 3);
        std::vector<std::int64_t> steps;
        for (const CheckpointSaved& one : bench.events.of<CheckpointSaved>()) steps.push_back(one.step);
        for (std::int64_t step = 4; step <= 240; step += 4) QCOMPARE(steps.at(static_cast<std::size_t>(step / 4 - 1)), step); // none left out, none twice
        Bench straight(everySteps(0, 40));
        straight.run();
        QCOMPARE(bench.finalHash(), straight.finalHash());
    }

    /// A fault of ours on the writing thread ends the run with a sentence, not the program.
    void anExceptionOfTheWriterIsAFailedRun_data()
    {
        QTest::addColumn<bool>("memory");
        QTest::newRow("fault") << false;
        QTest::newRow("memory") << true;
    }
    void anExceptionOfTheWriterIsAFailedRun()
    {
        QFETCH(bool, memory);
        Bench bench(everySteps(6, 50));
        std::atomic<int> calls = 0;
        bench.input.settle = [&]() -> Result<void> {
            if (++calls == 2 && memory) throw std::bad_alloc();
            if (calls == 2) throw std::runtime_error("made by a test");
            return {};
        };
        const RunEnded ended = bench.run();
        QCOMPARE(ended.status, RunStatus::Failed);
        QCOMPARE(ended.errorCode, std::string(memory ? "out-of-memory" : "internal"));
        QVERIFY(memory || ended.detail.find("made by a test") != std::string::npos);
        SCONCE_VERIFY(newestValidCheckpoint(bench.input.runFolder));
        QCOMPARE(bench.events.of<RunEnded>().size(), std::size_t{1});
    }
};

QTEST_GUILESS_MAIN(SavingTest)
#include "saving_test.moc"
