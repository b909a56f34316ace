// SPDX-License-Identifier: GPL-3.0-or-later
// The loop: events in order and complete, commands obeyed within a step, and a resumed run equal to the uninterrupted one to
// the last bit, from every step of a run.
#include "tests/core/training/training_support.h"

#include <QTest>

#include <atomic>
#include <cerrno>
#include <cmath>
#include <thread>

using namespace sconce;
using namespace sconce::test;

class TrainerTest : public QObject
{
    Q_OBJECT

  private Q_SLOTS:
    void cleanup() { writeFault = {}; }

    void eventsAreCompleteAndInOrder()
    {
        Bench bench(tinyRecipe(3));
        const RunEnded ended = bench.run();
        QCOMPARE(ended.status, RunStatus::Finished);
        const auto all = bench.events.all();
        QVERIFY(std::holds_alternative<RunStarted>(all.front()));
        QVERIFY(std::holds_alternative<RunEnded>(all.back()));
        QCOMPARE(bench.events.of<RunEnded>().size(), std::size_t{1});
        const auto started = bench.events.of<RunStarted>().front();
        QCOMPARE(started.stepsPerEpoch, 6);
        QCOMPARE(started.epochs, 3);
        QCOMPARE(started.startStep, 0);

        std::int64_t next = 0;
        double seconds = 0;
        std::int64_t epochs = 0;
        for (const EventBody& body : all) {
            if (const auto* group = std::get_if<StepsDone>(&body)) {
                QCOMPARE(group->firstStep, next);
                QCOMPARE(group->accuracy.size(), group->loss.size());
                QCOMPARE(group->learningRate.size(), group->loss.size());
                QCOMPARE(group->seconds.size(), group->loss.size());
                for (double at : group->seconds) {
                    QVERIFY(at >= seconds);
                    seconds = at;
                }
                QCOMPARE(group->learningRate.front(), 0.01f);
                next += static_cast<std::int64_t>(group->loss.size());
            }
            if (const auto* epoch = std::get_if<EpochDone>(&body)) {
                QCOMPARE(epoch->epoch, ++epochs);
                QCOMPARE(epoch->step, next); // all its steps were told before
                QCOMPARE(epoch->step, epochs * 6);
                QVERIFY(std::isfinite(epoch->valLoss));
            }
        }
        QCOMPARE(next, 18);
        QCOMPARE(epochs, 3);
        QCOMPARE(bench.events.of<TestDone>().size(), std::size_t{1});
        QCOMPARE(ended.summary.steps, 18);
        QCOMPARE(ended.summary.epochs, 3);
        QVERIFY(ended.summary.bestEpoch >= 1);
        QVERIFY(ended.summary.samplesPerSecond > 0);
        QCOMPARE(ended.summary.testLoss, bench.events.of<TestDone>().front().loss);
        QVERIFY(ended.summary.checkpoint.find("step-000000018") != std::string::npos);
        QVERIFY(bestCheckpoint(bench.input.runFolder).ok());
    }

    void aPartialLastBatchCounts()
    {
        Bench bench(tinyRecipe(1, 40)); // 96 = 40 + 40 + 16
        QCOMPARE(bench.run().summary.steps, 3);
        // The epoch's loss is the mean over samples, not over batches.
        const auto losses = bench.events.losses();
        const double mean = (40.0 * losses.at(0) + 40.0 * losses.at(1) + 16.0 * losses.at(2)) / 96;
        QVERIFY(std::abs(bench.events.of<EpochDone>().front().trainLoss - mean) < 1e-6);
    }

    void itLearns()
    {
        Bench bench(tinyRecipe(30));
        const RunEnded ended = bench.run();
        QVERIFY2(ended.summary.testAccuracy > 0.9, qPrintable(QString::number(ended.summary.testAccuracy)));
    }

    void stopTakesEffectBeforeTheNextStep()
    {
        Bench bench(tinyRecipe(1000));
        std::int64_t at = -1;
        bench.hook = [&](const EventBody& body) {
            if (const auto* group = std::get_if<StepsDone>(&body); group && group->firstStep >= 30 && at < 0) {
                at = group->firstStep + static_cast<std::int64_t>(group->loss.size());
                bench.commands.post({5, StopCommand{}});
            }
            return bench.events(body);
        };
        const RunEnded ended = bench.run();
        QCOMPARE(ended.status, RunStatus::Stopped);
        QCOMPARE(ended.summary.steps, at);
        const auto answers = bench.events.of<CommandAnswered>();
        QCOMPARE(answers.size(), std::size_t{1});
        QCOMPARE(answers[0].command, 5);
        QCOMPARE(answers[0].step, at);
        QVERIFY(answers[0].ok);
        QCOMPARE(bench.events.of<CheckpointSaved>().back().reason, std::string("stop"));
        auto newest = newestValidCheckpoint(bench.input.runFolder);
        SCONCE_VERIFY(newest);
        QCOMPARE(newest->state.step, at);
    }

    void aSignalStopsWithACheckpoint()
    {
        Bench bench(tinyRecipe(100000));
        std::thread signaller([&] {
            while (bench.events.losses().size() < 20) std::this_thread::sleep_for(std::chrono::milliseconds(2));
            bench.commands.requestStopFromSignal();
        });
        const RunEnded ended = bench.run();
        signaller.join();
        QCOMPARE(ended.status, RunStatus::Stopped);
        auto newest = newestValidCheckpoint(bench.input.runFolder);
        SCONCE_VERIFY(newest);
        QCOMPARE(newest->state.step, ended.summary.steps);
        // At an epoch's end there was one already, in the same state; it is not written twice.
        QVERIFY(newest->reason == "signal" || (newest->reason == "epoch" && newest->state.stepInEpoch == 0));
        QVERIFY(bench.commands.stopRequested());
    }

    void handingOverEndsAsInterrupted()
    {
        Bench bench(tinyRecipe(1000));
        bench.commands.post({1, StopCommand{true, "hand-over"}});
        QCOMPARE(bench.run().status, RunStatus::Interrupted);
        SCONCE_VERIFY(newestValidCheckpoint(bench.input.runFolder));
    }

    void pauseSleepsAndSavesAndGoesOn()
    {
        Bench bench(tinyRecipe(40));
        double pausedCpu = 0;
        std::thread other([&] {
            while (bench.events.of<StepsDone>().empty()) std::this_thread::sleep_for(std::chrono::milliseconds(1));
            bench.commands.post({1, PauseCommand{}});
            while (bench.events.of<CommandAnswered>().empty()) std::this_thread::sleep_for(std::chrono::milliseconds(1));
            const double before = processSeconds();
            std::this_thread::sleep_for(std::chrono::milliseconds(600));
            pausedCpu = processSeconds() - before;
            bench.commands.post({2, CheckpointCommand{}});
            bench.commands.post({3, PauseCommand{}});
            bench.commands.post({4, ResumeCommand{}});
        });
        const RunEnded ended = bench.run();
        other.join();
        QCOMPARE(ended.status, RunStatus::Finished);
        QCOMPARE(ended.summary.steps, 240);
        QVERIFY2(pausedCpu < 0.1, qPrintable(QString("%1 s of CPU time in a pause of 0.6 s").arg(pausedCpu)));
        const auto status = bench.events.of<StatusChanged>();
        QCOMPARE(status.size(), std::size_t{2});
        QCOMPARE(status[0].status, RunStatus::Paused);
        QCOMPARE(status[1].status, RunStatus::Running);
        const auto answers = bench.events.of<CommandAnswered>();
        QCOMPARE(answers.size(), std::size_t{4});
        for (const auto& answer : answers) QCOMPARE(answer.step, answers[0].step);
        QCOMPARE(bench.events.of<CheckpointSaved>().size() >= 1, true);
        // The pause is in no step's time: the clock of the first step after it goes on from the last before.
        double last = 0, longest = 0;
        for (const auto& group : bench.events.of<StepsDone>())
            for (double at : group.seconds) {
                longest = std::max(longest, at - last);
                last = at;
            }
        QVERIFY2(longest < 0.5, qPrintable(QString::number(longest)));
        QCOMPARE(bench.finalHash(), straight(40));
    }

    void checkpointNowAndEpochsWhileItRuns()
    {
        Bench bench(tinyRecipe(1000));
        bench.hook = [&](const EventBody& body) {
            if (const auto* epoch = std::get_if<EpochDone>(&body)) {
                if (epoch->epoch == 2) {
                    bench.commands.post({1, CheckpointCommand{}});
                    bench.commands.post({2, AmendCommand{"/training/epochs", Json(1)}});
                    bench.commands.post({3, AmendCommand{"/training/epochs", Json("many")}});
                    bench.commands.post({4, AmendCommand{"/seed", Json(3)}});
                    bench.commands.post({5, AmendCommand{"/training/epochs", Json(4)}});
                    bench.commands.post({6, ResumeCommand{}});
                }
            }
            return bench.events(body);
        };
        const RunEnded ended = bench.run();
        QCOMPARE(ended.status, RunStatus::Finished);
        QCOMPARE(ended.summary.epochs, 4);
        QCOMPARE(ended.summary.steps, 24);
        const auto answers = bench.events.of<CommandAnswered>();
        QCOMPARE(answers.size(), std::size_t{6});
        const bool expected[] = {true, false, false, false, true, true};
        for (std::size_t i = 0; i < 6; ++i) {
            QCOMPARE(answers[i].command, static_cast<std::int64_t>(i) + 1);
            QCOMPARE(answers[i].ok, expected[i]);
            QCOMPARE(answers[i].step, 12);
            QVERIFY(!answers[i].text.empty());
        }
        const auto amended = bench.events.of<Amended>();
        QCOMPARE(amended.size(), std::size_t{1});
        QVERIFY(amended[0].amendment.before == Json(1000));
        QVERIFY(amended[0].amendment.after == Json(4));
        QCOMPARE(amended[0].amendment.step, 12);
    }

    /// A checkpoint after every single step; a run resumed from each must go on with the very same losses and weights.
    void resumeFromEveryStepIsExact_data()
    {
        QTest::addColumn<QString>("optimiser");
        QTest::addColumn<bool>("shuffle");
        QTest::addColumn<QString>("schedule");
        QTest::newRow("adam") << "adam" << true << "constant";
        QTest::newRow("adamw, cosine") << "adamw" << true << "cosine";
        QTest::newRow("sgd, unshuffled") << "sgd" << false << "cosine";
    }
    void resumeFromEveryStepIsExact()
    {
        QFETCH(QString, optimiser);
        QFETCH(bool, shuffle);
        QFETCH(QString, schedule);
        Recipe recipe = withCheckpoints(tinyRecipe(2), 1, 1e-12, 1000);
        recipe.training.optimiser.type = optimiser.toStdString();
        if (optimiser == "sgd") recipe.training.optimiser.params["momentum"] = 0.9;
        recipe.training.schedule.type = schedule.toStdString();
        recipe.data.shuffle = shuffle;
        Bench whole(recipe);
        const RunEnded straightEnd = whole.run();
        QCOMPARE(straightEnd.status, RunStatus::Finished);
        const auto losses = whole.events.losses();
        QCOMPARE(losses.size(), std::size_t{12});
        const std::string hash = whole.finalHash();
        const auto checkpoints = listCheckpoints(whole.input.runFolder);
        QVERIFY2(checkpoints.size() >= 12, qPrintable(QString::number(checkpoints.size())));

        for (const Checkpoint& from : checkpoints) {
            Bench part(withCheckpoints(recipe, 1, 0, 2));
            part.input.resumeFrom = from;
            const RunEnded ended = part.run();
            QCOMPARE(ended.status, RunStatus::Finished);
            QCOMPARE(part.events.of<RunStarted>().front().startStep, from.state.step);
            for (const auto& [step, loss] : part.events.losses()) QVERIFY2(losses.at(step) == loss, qPrintable(QString("step %1 after a resume from %2").arg(step).arg(from.state.step)));
            QCOMPARE(part.events.losses().size(), static_cast<std::size_t>(12 - from.state.step));
            if (from.state.step < 12) QCOMPARE(part.finalHash(), hash);
            QCOMPARE(ended.summary.trainLoss, straightEnd.summary.trainLoss);
            QCOMPARE(ended.summary.valLoss, straightEnd.summary.valLoss);
            QCOMPARE(ended.summary.testLoss, straightEnd.summary.testLoss);
            QCOMPARE(ended.summary.bestEpoch, straightEnd.summary.bestEpoch);
        }
    }

    /// The negative control: weights alone, with an optimiser that knows nothing, must not give the same result.
    void weightsAloneAreNotEnough()
    {
        const Recipe recipe = withCheckpoints(tinyRecipe(2), 0, 1e-12, 1000);
        Bench whole(recipe);
        whole.run();
        const auto checkpoints = listCheckpoints(whole.input.runFolder);
        auto at = [&](std::int64_t step) {
            for (const Checkpoint& c : checkpoints)
                if (c.state.step == step) return c;
            return Checkpoint{};
        };
        const Checkpoint middle = at(8);
        QCOMPARE(middle.state.step, 8);
        auto weights = openWeights(middle);
        SCONCE_VERIFY(weights);
        auto early = openOptimiser(at(1)); // moments of another time
        SCONCE_VERIFY(early);
        auto copies = [](const SafetensorsFile& file) {
            std::vector<HostTensor> list;
            for (const TensorView& view : file.tensors()) list.push_back({view.name, view.dtype, view.shape, {view.bytes.begin(), view.bytes.end()}});
            return list;
        };
        QTemporaryDir dir{scratch()};
        auto mixed = saveCheckpoint(dir.path().toStdString(), middle.state, recipe, copies(*weights), copies(*early), "asked", false, 2);
        SCONCE_VERIFY(mixed);
        auto from = readCheckpoint(*mixed);
        SCONCE_VERIFY(from);
        Bench part(recipe);
        part.input.resumeFrom = *from;
        QCOMPARE(part.run().status, RunStatus::Finished);
        QVERIFY(part.finalHash() != whole.finalHash());
        Bench right(recipe);
        right.input.resumeFrom = middle;
        right.run();
        QCOMPARE(right.finalHash(), whole.finalHash());
    }

    void trainingLonger()
    {
        Bench first(tinyRecipe(2));
        first.run();
        auto from = newestValidCheckpoint(first.input.runFolder);
        SCONCE_VERIFY(from);
        Bench longer(tinyRecipe(2));
        longer.input.resumeFrom = *from;
        longer.input.epochs = 5;
        const RunEnded ended = longer.run();
        QCOMPARE(ended.status, RunStatus::Finished);
        QCOMPARE(ended.summary.epochs, 5);
        QCOMPARE(longer.events.of<Amended>().size(), std::size_t{1});
        QCOMPARE(longer.finalHash(), straight(5)); // constant rate: the same as planned so from the start
    }

    void aStopDuringValidationClosesTheEpochOnce()
    {
        Bench bench(tinyRecipe(2), std::make_shared<TinyData>(4000, testRows)); // 800 rows to validate on: several batches
        bool posted = false;
        bench.hook = [&](const EventBody& body) {
            if (const auto* progress = std::get_if<EvaluationProgress>(&body); progress && progress->done == 0 && !posted) {
                posted = true;
                bench.commands.post({1, StopCommand{}});
            }
            return bench.events(body);
        };
        QCOMPARE(bench.run().status, RunStatus::Stopped);
        QVERIFY(bench.events.of<EpochDone>().empty());
        auto from = newestValidCheckpoint(bench.input.runFolder);
        SCONCE_VERIFY(from);
        QCOMPARE(from->state.step, 200);
        QCOMPARE(from->state.epoch, 0);
        Bench rest(tinyRecipe(2), bench.input.data);
        rest.input.resumeFrom = *from;
        QCOMPARE(rest.run().status, RunStatus::Finished);
        Bench whole(tinyRecipe(2), bench.input.data);
        whole.run();
        const auto a = rest.events.of<EpochDone>(), b = whole.events.of<EpochDone>();
        QCOMPARE(a.size(), std::size_t{2});
        QCOMPARE(a[0].trainLoss, b[0].trainLoss);
        QCOMPARE(a[0].valLoss, b[0].valLoss);
        QCOMPARE(rest.finalHash(), whole.finalHash());
    }

    void notANumberStopsBeforeTheStep()
    {
        Recipe recipe = withCheckpoints(tinyRecipe(50), 1, 0, 1000);
        recipe.training.checkpoint.everySteps = 1;
        recipe.stack.layers.erase(recipe.stack.layers.begin() + 2, recipe.stack.layers.begin() + 4); // what would hold it back
        recipe.stack.layers[1].params["activation"] = std::string("none");
        recipe.training.optimiser.type = "sgd";
        recipe.training.learningRate = 100;
        Bench bench(recipe);
        const RunEnded ended = bench.run();
        QCOMPARE(ended.status, RunStatus::Failed);
        QCOMPARE(ended.errorCode, std::string("not-finite"));
        QVERIFY2(ended.message.find("step " + std::to_string(ended.summary.steps + 1)) != std::string::npos, ended.message.c_str());
        QVERIFY2(ended.message.find("batch") != std::string::npos, ended.message.c_str());
        QVERIFY2(ended.remedy.find("learning rate") != std::string::npos, ended.remedy.c_str());
        QVERIFY2(ended.summary.steps >= 3, qPrintable(QString::number(ended.summary.steps)));
        const auto checkpoints = listCheckpoints(bench.input.runFolder);
        QVERIFY(checkpoints.size() >= static_cast<std::size_t>(ended.summary.steps)); // one a step: what follows looks at something
        QCOMPARE(checkpoints.front().state.step, ended.summary.steps);
        float largest = 0;
        for (const Checkpoint& checkpoint : checkpoints) {
            auto file = openWeights(checkpoint);
            SCONCE_VERIFY(file);
            auto optimiser = openOptimiser(checkpoint);
            SCONCE_VERIFY(optimiser);
            for (const auto* tensors : {&*file, &*optimiser})
                for (const TensorView& tensor : tensors->tensors()) {
                    if (tensor.dtype != DType::F32) continue;
                    std::vector<float> values(tensor.bytes.size() / sizeof(float));
                    std::memcpy(values.data(), tensor.bytes.data(), tensor.bytes.size());
                    for (float value : values) {
                        QVERIFY(std::isfinite(value));
                        largest = std::max(largest, std::abs(value));
                    }
                }
        }
        QVERIFY2(largest > 1e6f, qPrintable(QString::number(largest))); // it was on its way there
        QCOMPARE(bench.events.losses().size(), static_cast<std::size_t>(ended.summary.steps));
    }

    void aNetworkTooLargeIsASentence()
    {
        Recipe recipe = tinyRecipe(1);
        recipe.stack.layers[1].params["units"] = std::int64_t{1'048'576};
        Layer wide = recipe.stack.layers[1];
        wide.id = "l90";
        wide.name = "wide";
        recipe.stack.layers.insert(recipe.stack.layers.begin() + 2, wide); // 10^12 weights
        Bench bench(recipe);
        const RunEnded ended = bench.run();
        QCOMPARE(ended.status, RunStatus::Failed);
        QCOMPARE(ended.errorCode, std::string("out-of-memory"));
        QVERIFY(ended.remedy.find("smaller") != std::string::npos);
        QCOMPARE(bench.events.of<RunStarted>().size(), std::size_t{1});
    }

    void aFullDiskPausesAndGoesOn()
    {
        Bench bench(tinyRecipe(3));
        bench.hook = [&](const EventBody& body) {
            if (const auto* epoch = std::get_if<EpochDone>(&body); epoch && epoch->epoch == 2) writeFault = [](WriteStep step, const std::string&) { return step == WriteStep::Write ? ENOSPC : 0; };
            if (const auto* status = std::get_if<StatusChanged>(&body); status && status->status == RunStatus::Paused) {
                // Free space again once it has been said.
                std::thread([] {
                    std::this_thread::sleep_for(std::chrono::milliseconds(100));
                }).join();
                writeFault = {};
            }
            return bench.events(body);
        };
        const RunEnded ended = bench.run();
        QCOMPARE(ended.status, RunStatus::Finished);
        const auto status = bench.events.of<StatusChanged>();
        QCOMPARE(status.size(), std::size_t{2});
        QCOMPARE(status[0].status, RunStatus::Paused);
        QVERIFY2(status[0].because.find("space") != std::string::npos, status[0].because.c_str());
        QCOMPARE(status[1].status, RunStatus::Running);
        QCOMPARE(bench.finalHash(), straight(3));
    }

    void aRunThatWaitsForTheDiskCanBeStopped()
    {
        Bench bench(tinyRecipe(3));
        bench.hook = [&](const EventBody& body) {
            if (const auto* epoch = std::get_if<EpochDone>(&body); epoch && epoch->epoch == 2) writeFault = [](WriteStep, const std::string&) { return ENOSPC; };
            if (const auto* status = std::get_if<StatusChanged>(&body); status && status->status == RunStatus::Paused) {
                bench.commands.post({1, PauseCommand{}});
                bench.commands.post({2, StopCommand{}});
            }
            return bench.events(body);
        };
        const RunEnded ended = bench.run();
        writeFault = {};
        QCOMPARE(ended.status, RunStatus::Stopped);
        QVERIFY2(ended.message.find("could not be written") != std::string::npos, ended.message.c_str());
        QVERIFY2(ended.remedy.find("step 6") != std::string::npos, ended.remedy.c_str());
        auto safe = newestValidCheckpoint(bench.input.runFolder);
        SCONCE_VERIFY(safe);
        QCOMPARE(safe->state.step, 6);
    }

    void aHistoryThatCannotFollowPausesTheRun()
    {
        Bench bench(tinyRecipe(4));
        std::atomic<bool> broken = false; // settle() is called by who writes checkpoints, too
        std::atomic<int> tries = 0;
        std::int64_t brokenAt = 0;
        bench.hook = [&](const EventBody& body) -> Result<void> {
            (void)bench.events(body); // kept, as the contract says
            if (const auto* epoch = std::get_if<EpochDone>(&body); epoch && epoch->epoch == 2) {
                broken = true;
                brokenAt = epoch->step;
            }
            if (const auto* steps = std::get_if<StepsDone>(&body); steps && broken) return Error{ErrorCode::Internal, "Steps were made while the history was behind.", "", ""};
            if (broken) return Error{ErrorCode::DiskFull, "The history is full.", "", ""};
            return {};
        };
        bench.input.settle = [&]() -> Result<void> {
            if (!broken) return {};
            if (++tries < 4) return Error{ErrorCode::DiskFull, "The history is full.", "", ""};
            broken = false;
            return {};
        };
        const RunEnded ended = bench.run();
        QCOMPARE(ended.status, RunStatus::Finished);
        QVERIFY(tries >= 4);
        QVERIFY(brokenAt > 0);
        const auto status = bench.events.of<StatusChanged>();
        QCOMPARE(status.size(), std::size_t{2});
        QVERIFY2(status[0].because.find("history") != std::string::npos, status[0].because.c_str());
        const auto losses = bench.events.losses();
        QCOMPARE(losses.size(), std::size_t{24});
        QVERIFY(!losses.contains(-1));
        QCOMPARE(bench.finalHash(), straight(4));
    }

    /// Another program that was stopped in the midst of a write holds the history: a run waits for it as for a full disk.
    void aHistoryHeldByAnotherPausesTheRun()
    {
        Bench bench(tinyRecipe(3));
        std::atomic<int> tries = 0;
        bench.input.settle = [&]() -> Result<void> {
            const bool held = bench.events.of<EpochDone>().size() == 2 && ++tries < 4;
            return held ? Result<void>(Error{ErrorCode::Busy, "The history is in use by another program.", "", ""}) : Result<void>();
        };
        const RunEnded ended = bench.run();
        QCOMPARE(ended.status, RunStatus::Finished);
        QVERIFY(tries >= 4);
        QCOMPARE(bench.events.of<StatusChanged>().size(), std::size_t{2});
        QCOMPARE(bench.finalHash(), straight(3));
    }

    /// A checkpoint that was asked for and could not be written does not put off the one that is due by time.
    void aFailedCheckpointPutsNothingOff()
    {
        Recipe recipe = withCheckpoints(tinyRecipe(40), 1000, 0.005, 2); // 0.3 s
        recipe.training.checkpoint.keepBest = false;
        Bench bench(recipe);
        std::int64_t epoch = 0, pausedAt = 0;
        bench.hook = [&](const EventBody& body) {
            if (std::holds_alternative<RunStarted>(body)) writeFault = [](WriteStep at, const std::string&) { return at == WriteStep::Write ? ENOSPC : 0; };
            if (const auto* done = std::get_if<EpochDone>(&body)) {
                epoch = done->epoch;
                std::this_thread::sleep_for(std::chrono::milliseconds(25));
                if (pausedAt == 0) bench.commands.post({1, CheckpointCommand{}});
            }
            if (const auto* status = std::get_if<StatusChanged>(&body); status && status->status == RunStatus::Paused && pausedAt == 0) {
                pausedAt = epoch;
                writeFault = {};
            }
            return bench.events(body);
        };
        QCOMPARE(bench.run().status, RunStatus::Finished);
        QVERIFY2(pausedAt > 0 && pausedAt < 35, qPrintable(QString::number(pausedAt)));
    }

    /// The history is made durable before a checkpoint stands: a kill between the two must not leave a gap.
    void theHistoryComesBeforeTheCheckpoint()
    {
        Bench bench(withCheckpoints(tinyRecipe(2), 1, 1e-12, 1000));
        std::atomic<std::int64_t> told = 0, settled = 0;
        bool ahead = false;
        bench.hook = [&](const EventBody& body) {
            if (const auto* steps = std::get_if<StepsDone>(&body)) told = steps->firstStep + static_cast<std::int64_t>(steps->loss.size());
            if (const auto* saved = std::get_if<CheckpointSaved>(&body)) ahead |= saved->step > settled;
            return bench.events(body);
        };
        bench.input.settle = [&]() -> Result<void> {
            settled = told.load();
            return {};
        };
        bench.run();
        QVERIFY(bench.events.of<CheckpointSaved>().size() >= 12);
        QVERIFY(!ahead);
    }

    void anExceptionBecomesAFailedRun()
    {
        Bench bench(tinyRecipe(2));
        bool thrown = false;
        bench.hook = [&](const EventBody& body) -> Result<void> {
            if (std::holds_alternative<EpochDone>(body) && !thrown) {
                thrown = true;
                throw std::runtime_error("made by a test");
            }
            return bench.events(body);
        };
        const RunEnded ended = bench.run();
        QCOMPARE(ended.status, RunStatus::Failed);
        QCOMPARE(ended.errorCode, std::string("internal"));
        QVERIFY(ended.detail.find("made by a test") != std::string::npos);
        QCOMPARE(bench.events.of<RunEnded>().size(), std::size_t{1});
    }

    void aDamagedCheckpointIsAFailureNotACrash()
    {
        Bench first(tinyRecipe(1));
        first.run();
        auto from = newestValidCheckpoint(first.input.runFolder);
        SCONCE_VERIFY(from);
        Recipe other = tinyRecipe(2);
        other.stack.layers[1].params["units"] = std::int64_t{13}; // weights of another shape
        Bench part(other);
        part.input.resumeFrom = *from;
        const RunEnded ended = part.run();
        QCOMPARE(ended.status, RunStatus::Failed);
        QCOMPARE(part.events.of<RunStarted>().front().startStep, 6); // the history before it is not given up
    }

  private:
    /// Final weights of an uninterrupted run.
    static std::string straight(int epochs)
    {
        static std::map<int, std::string> known;
        std::string& hash = known[epochs];
        if (hash.empty()) {
            Bench bench(tinyRecipe(epochs));
            bench.run();
            hash = bench.finalHash();
        }
        return hash;
    }
};

QTEST_GUILESS_MAIN(TrainerTest)
#include "trainer_test.moc"
