// SPDX-License-Identifier: GPL-3.0-or-later
// What decides inside the loop, on real small runs: early stopping as Keras counts, the best weights taken back, limits, checkpoints
// by steps, and every policy's memory across a kill and a resume.
#include "tests/core/training/training_support.h"

#include <QTest>

#include <cmath>
#include <limits>
#include <set>
#include <thread>

using namespace sconce;
using namespace sconce::test;
namespace fs = std::filesystem;

namespace {

/// Learns by heart within a few epochs: the validation loss falls, then climbs.
Recipe overfitting(int epochs)
{
    Recipe recipe = tinyRecipe(epochs);
    recipe.stack.layers.erase(recipe.stack.layers.begin() + 3); // dropout
    recipe.stack.layers[1].params["units"] = std::int64_t{48};
    recipe.training.learningRate = 0.02;
    return recipe;
}

Recipe stopping(Recipe recipe, std::int64_t patience, const std::string& watch = "val_loss", double gain = 0, bool restore = true)
{
    setOption(recipe.training, "early_stopping", "enabled", true);
    setOption(recipe.training, "early_stopping", "patience", patience);
    setOption(recipe.training, "early_stopping", "watch", watch);
    setOption(recipe.training, "early_stopping", "smallest_gain", gain);
    setOption(recipe.training, "early_stopping", "restore_best", restore);
    return recipe;
}

/// keras.callbacks.EarlyStopping.on_epoch_end, line by line: the number of epochs that are trained.
std::int64_t kerasEpochs(const std::vector<EpochDone>& epochs, std::int64_t patience, bool accuracy, double minDelta)
{
    double best = accuracy ? -std::numeric_limits<double>::infinity() : std::numeric_limits<double>::infinity();
    std::int64_t wait = 0;
    for (std::size_t epoch = 0; epoch < epochs.size(); ++epoch) {
        const double current = accuracy ? epochs[epoch].valAccuracy : epochs[epoch].valLoss;
        wait += 1;
        if (accuracy ? current - minDelta > best : current + minDelta < best) {
            best = current;
            wait = 0;
            continue;
        }
        if (wait >= patience && epoch > 0) return static_cast<std::int64_t>(epoch) + 1;
    }
    return static_cast<std::int64_t>(epochs.size());
}

std::string straightHash(const Recipe& recipe, int epochs, double* testLoss = nullptr)
{
    Recipe plain = recipe;
    plain.training.options.erase("early_stopping");
    plain.training.epochs = epochs;
    Bench bench(plain);
    const RunEnded ended = bench.run();
    if (testLoss) *testLoss = ended.summary.testLoss;
    return bench.finalHash();
}

std::set<float> ratesOf(const Events& events)
{
    std::set<float> rates;
    for (const StepsDone& group : events.of<StepsDone>()) rates.insert(group.learningRate.begin(), group.learningRate.end());
    return rates;
}

/// What a kill right after each checkpoint would have left on the disk.
struct Snapshots
{
    QTemporaryDir dir{scratch()};
    std::vector<std::string> folders;

    void watch(Bench& bench)
    {
        bench.hook = [this, &bench](const EventBody& body) {
            if (std::holds_alternative<CheckpointSaved>(body)) {
                const std::string to = dir.path().toStdString() + "/" + std::to_string(folders.size());
                fs::copy(bench.input.runFolder, to, fs::copy_options::recursive);
                folders.push_back(to);
            }
            return bench.events(body);
        };
    }
};

/// Runs the recipe whole, then resumes from what a kill after each checkpoint leaves; all must end alike, to the last bit.
void everyKillEndsAlike(const Recipe& recipe, std::size_t atLeast)
{
    Bench whole(recipe);
    Snapshots snapshots;
    snapshots.watch(whole);
    const RunEnded expected = whole.run();
    QCOMPARE(expected.status, RunStatus::Finished);
    const auto losses = whole.events.losses();
    const auto epochs = whole.events.of<EpochDone>();
    QVERIFY2(snapshots.folders.size() >= atLeast, qPrintable(QString::number(snapshots.folders.size())));
    for (const std::string& folder : snapshots.folders) {
        auto from = newestValidCheckpoint(folder);
        if (!from) continue; // killed after the first best, before the first checkpoint
        Bench part(recipe, whole.input.data);
        part.input.runFolder = folder;
        part.input.resumeFrom = *from;
        const RunEnded ended = part.run();
        const QString where = QString("after a kill at step %1").arg(from->state.step);
        QCOMPARE(ended.status, RunStatus::Finished);
        for (const auto& [step, loss] : part.events.losses()) QVERIFY2(losses.at(step) == loss, qPrintable(where));
        for (const EpochDone& done : part.events.of<EpochDone>()) {
            const EpochDone& same = epochs.at(static_cast<std::size_t>(done.epoch - 1));
            QVERIFY2(done.valLoss == same.valLoss && done.best == same.best, qPrintable(where));
        }
        QVERIFY2(ended.summary.steps == expected.summary.steps && ended.summary.epochs == expected.summary.epochs, qPrintable(where));
        QVERIFY2(ended.summary.bestEpoch == expected.summary.bestEpoch, qPrintable(where));
        QVERIFY2(ended.summary.testLoss == expected.summary.testLoss, qPrintable(where));
        QVERIFY2(part.finalHash() == whole.finalHash(), qPrintable(where));
    }
}

} // namespace

class PoliciesTest : public QObject
{
    Q_OBJECT

  private Q_SLOTS:
    void stopsWhenKerasDoes_data()
    {
        QTest::addColumn<int>("patience");
        QTest::addColumn<QString>("watch");
        QTest::addColumn<double>("gain");
        QTest::newRow("loss, 1") << 1 << "val_loss" << 0.0;
        QTest::newRow("loss, 3") << 3 << "val_loss" << 0.0;
        QTest::newRow("loss, 2, by more than 0.05") << 2 << "val_loss" << 0.05;
        QTest::newRow("accuracy, 2") << 2 << "val_accuracy" << 0.0;
        QTest::newRow("accuracy, 3, by more than 0.05") << 3 << "val_accuracy" << 0.05;
    }
    void stopsWhenKerasDoes()
    {
        QFETCH(int, patience);
        QFETCH(QString, watch);
        QFETCH(double, gain);
        Bench plain(overfitting(60));
        plain.run();
        const std::int64_t expected = kerasEpochs(plain.events.of<EpochDone>(), patience, watch == "val_accuracy", gain);
        QVERIFY2(expected < 60, "these data never stop getting better");

        Bench bench(stopping(overfitting(60), patience, watch.toStdString(), gain));
        const RunEnded ended = bench.run();
        QCOMPARE(ended.status, RunStatus::Finished);
        QCOMPARE(ended.summary.epochs, expected);
        QCOMPARE(bench.events.of<EpochDone>().size(), static_cast<std::size_t>(expected));
        QVERIFY(told(bench.events, "Stops early"));
        auto newest = newestValidCheckpoint(bench.input.runFolder);
        SCONCE_VERIFY(newest);
        QCOMPARE(newest->state.endedBecause, std::string("early"));
        QCOMPARE(newest->state.stopping.waited, patience);
        QVERIFY(newest->state.tested);
        QCOMPARE(newest->reason, std::string("end"));
        // The epochs that were trained are those of the run that does not stop.
        const auto losses = plain.events.losses();
        for (const auto& [step, loss] : bench.events.losses()) QCOMPARE(loss, losses.at(step));
    }

    void patienceThatIsNeverUsedUpChangesNothing()
    {
        Bench bench(stopping(overfitting(6), 100));
        QCOMPARE(bench.run().summary.epochs, 6);
        QVERIFY(!told(bench.events, "Stops early") && !told(bench.events, "Goes back"));
        QCOMPARE(bench.finalHash(), straightHash(overfitting(6), 6));
        QCOMPARE(newestValidCheckpoint(bench.input.runFolder)->state.endedBecause, std::string());
    }

    void theBestWeightsAreTakenBack_data()
    {
        QTest::addColumn<QString>("watch");
        QTest::addColumn<bool>("keepBest");
        QTest::newRow("loss") << "val_loss" << true;
        QTest::newRow("accuracy") << "val_accuracy" << true;
        QTest::newRow("kept for that alone") << "val_loss" << false;
    }
    void theBestWeightsAreTakenBack()
    {
        QFETCH(QString, watch);
        QFETCH(bool, keepBest);
        Recipe recipe = stopping(overfitting(60), 3, watch.toStdString());
        recipe.training.checkpoint.keepBest = keepBest;
        Bench bench(recipe);
        const RunEnded ended = bench.run();
        const auto best = bestCheckpoint(bench.input.runFolder);
        SCONCE_VERIFY(best);
        QVERIFY(ended.summary.epochs - 3 <= ended.summary.bestEpoch && ended.summary.bestEpoch < ended.summary.epochs);
        QCOMPARE(best->state.epoch, ended.summary.bestEpoch);
        QCOMPARE(bench.finalHash(), weightsHash(*best));
        QVERIFY(told(bench.events, "Goes back to the weights of epoch " + std::to_string(ended.summary.bestEpoch)));
        // They, and the test's result, are those of a run that was planned to end there.
        double testLoss = 0;
        QCOMPARE(bench.finalHash(), straightHash(recipe, static_cast<int>(ended.summary.bestEpoch), &testLoss));
        QCOMPARE(ended.summary.testLoss, testLoss);
        QCOMPARE(bench.events.of<TestDone>().size(), std::size_t{1});
    }

    void theLastWeightsStayWhereAsked()
    {
        const Recipe recipe = stopping(overfitting(60), 3, "val_loss", 0, false);
        Bench bench(recipe);
        const RunEnded ended = bench.run();
        QVERIFY(ended.summary.epochs < 60);
        QVERIFY(!told(bench.events, "Goes back"));
        QCOMPARE(bench.finalHash(), straightHash(recipe, static_cast<int>(ended.summary.epochs)));
    }

    void aKillInThePatienceChangesNothing_data()
    {
        QTest::addColumn<QString>("watch");
        QTest::newRow("loss") << "val_loss";
        QTest::newRow("accuracy") << "val_accuracy";
    }
    void aKillInThePatienceChangesNothing()
    {
        QFETCH(QString, watch);
        Recipe recipe = withCheckpoints(stopping(overfitting(60), 3, watch.toStdString()), 1, 0, 2);
        recipe.training.checkpoint.everySteps = 4; // also within the epochs
        everyKillEndsAlike(recipe, 15);
        recipe.training.checkpoint.everyEpochs = 0; // the decision itself is in no checkpoint but the last
        everyKillEndsAlike(recipe, 8);
    }

    /// The best on the disk is not the one that the run knows of: nobody gets the weights of an epoch that never was.
    void aStrangersBestIsNotTakenBack()
    {
        const Recipe recipe = stopping(overfitting(60), 3);
        Bench whole(recipe);
        Snapshots snapshots;
        snapshots.watch(whole);
        const RunEnded expected = whole.run();
        bool seen = false;
        for (const std::string& folder : snapshots.folders) {
            auto from = newestValidCheckpoint(folder);
            auto best = bestCheckpoint(folder);
            if (!from || from->state.endedBecause != "early" || from->state.restoredBest) continue;
            SCONCE_VERIFY(best);
            seen = true;
            TrainerState other = best->state;
            other.summary.bestEpoch = 55;
            std::vector<HostTensor> weights;
            auto file = openWeights(*best);
            SCONCE_VERIFY(file);
            for (const TensorView& view : file->tensors()) weights.push_back({view.name, view.dtype, view.shape, {view.bytes.begin(), view.bytes.end()}});
            SCONCE_VERIFY(saveCheckpoint(folder, other, recipe, weights, {}, "epoch", true, 2));
            Bench part(recipe);
            part.input.runFolder = folder;
            part.input.resumeFrom = *from;
            QCOMPARE(part.run().status, RunStatus::Finished);
            QVERIFY(told(part.events, "no longer there"));
            QCOMPARE(part.finalHash(), straightHash(recipe, static_cast<int>(expected.summary.epochs)));
        }
        QVERIFY(seen);
    }

    void trainingLongerAfterStoppingEarly_data()
    {
        QTest::addColumn<int>("more");
        QTest::newRow("to what was planned") << 60;
        QTest::newRow("beyond it") << 80;
        QTest::newRow("a little") << 0;
    }
    void trainingLongerAfterStoppingEarly()
    {
        QFETCH(int, more);
        const Recipe recipe = stopping(overfitting(60), 3);
        Bench first(recipe);
        const RunEnded before = first.run();
        auto from = newestValidCheckpoint(first.input.runFolder);
        SCONCE_VERIFY(from);
        if (more == 0) more = static_cast<int>(before.summary.epochs) + 1;
        Bench longer(recipe);
        longer.input.runFolder = first.input.runFolder;
        longer.input.resumeFrom = *from;
        longer.input.epochs = more;
        const RunEnded ended = longer.run();
        QCOMPARE(ended.status, RunStatus::Finished);
        // Patience begins anew: at least as many epochs again, or all that were asked for.
        QVERIFY(ended.summary.epochs >= std::min<std::int64_t>(more, before.summary.epochs + 3));
        QVERIFY(ended.summary.epochs <= more);
        QCOMPARE(longer.events.of<TestDone>().size(), std::size_t{1});
        QCOMPARE(longer.events.of<EpochDone>().front().epoch, before.summary.epochs + 1);
    }

    /// More epochs are asked for while the run that has stopped early is being tested: it goes on.
    void moreEpochsDuringTheLastTest()
    {
        Bench bench(stopping(overfitting(60), 2));
        std::int64_t stoppedAt = 0;
        bench.hook = [&](const EventBody& body) {
            if (const auto* line = std::get_if<LogLine>(&body); line && line->text.find("Stops early") != std::string::npos && stoppedAt == 0) {
                stoppedAt = bench.events.of<EpochDone>().back().epoch;
                bench.commands.post({1, AmendCommand{"/training/epochs", Json(stoppedAt + 1)}});
            }
            return bench.events(body);
        };
        const RunEnded ended = bench.run();
        QVERIFY(stoppedAt > 0);
        QCOMPARE(ended.summary.epochs, stoppedAt + 1);
        QVERIFY(bench.events.of<CommandAnswered>().front().ok);
    }

    void aRunEndsWithItsTime()
    {
        Recipe recipe = tinyRecipe(100'000);
        setOption(recipe.training, "limits", "minutes", 0.2 / 60);
        Bench bench(recipe);
        const RunEnded ended = bench.run();
        QCOMPARE(ended.status, RunStatus::Finished);
        QVERIFY2(ended.summary.seconds >= 0.2 && ended.summary.seconds < 5, qPrintable(QString::number(ended.summary.seconds)));
        QVERIFY(told(bench.events, "as long as it may"));
        auto from = newestValidCheckpoint(bench.input.runFolder);
        SCONCE_VERIFY(from);
        QCOMPARE(from->state.endedBecause, std::string("time"));
        QCOMPARE(from->state.step, ended.summary.steps);
        QCOMPARE(bench.events.of<TestDone>().size(), std::size_t{1});

        // Train longer: as much time again, from where it was.
        Bench longer(recipe);
        longer.input.resumeFrom = *from;
        longer.input.epochs = 100'000;
        const RunEnded again = longer.run();
        QCOMPARE(again.status, RunStatus::Finished);
        QCOMPARE(longer.events.of<RunStarted>().front().startStep, ended.summary.steps);
        QVERIFY2(again.summary.seconds - ended.summary.seconds >= 0.2, qPrintable(QString::number(again.summary.seconds)));
        QVERIFY(again.summary.steps > ended.summary.steps);
    }

    /// A kill does not give a run its time back.
    void theTimeBeforeAKillCounts()
    {
        Recipe recipe = withCheckpoints(tinyRecipe(100'000), 1, 0, 2);
        Bench bench(recipe);
        bench.hook = [&](const EventBody& body) {
            if (std::holds_alternative<EpochDone>(body) && bench.events.of<EpochDone>().size() == 2) {
                std::this_thread::sleep_for(std::chrono::milliseconds(500));
                bench.commands.post({1, StopCommand{}});
            }
            return bench.events(body);
        };
        bench.run();
        auto from = newestValidCheckpoint(bench.input.runFolder);
        SCONCE_VERIFY(from);
        QVERIFY(from->state.secondsTrained >= 0.5);
        setOption(recipe.training, "limits", "minutes", 0.4 / 60);
        Bench rest(recipe);
        rest.input.resumeFrom = *from;
        const RunEnded ended = rest.run();
        QVERIFY2(ended.summary.steps - from->state.step <= 1, qPrintable(QString::number(ended.summary.steps - from->state.step)));
    }

    /// The time runs out in an epoch's last step: the epoch is closed all the same.
    void timeThatRunsOutAtAnEpochsEnd()
    {
        Recipe recipe = tinyRecipe(100);
        setOption(recipe.training, "limits", "minutes", 0.5 / 60);
        Bench bench(recipe);
        bench.hook = [&](const EventBody& body) {
            const auto* group = std::get_if<StepsDone>(&body);
            if (group && group->firstStep + static_cast<std::int64_t>(group->loss.size()) == 12) std::this_thread::sleep_for(std::chrono::milliseconds(600));
            return bench.events(body);
        };
        const RunEnded ended = bench.run();
        QCOMPARE(ended.summary.steps, 12);
        QCOMPARE(ended.summary.epochs, 2);
        QCOMPARE(bench.events.of<EpochDone>().size(), std::size_t{2});
        QCOMPARE(newestValidCheckpoint(bench.input.runFolder)->state.endedBecause, std::string("time"));
    }

    void checkpointsEverySoManySteps()
    {
        Recipe recipe = withCheckpoints(tinyRecipe(3), 0, 0, 100);
        recipe.training.checkpoint.keepBest = false;
        recipe.training.checkpoint.everySteps = 4;
        Bench bench(recipe);
        bench.run();
        std::vector<std::pair<std::int64_t, std::string>> saved;
        for (const CheckpointSaved& one : bench.events.of<CheckpointSaved>()) saved.emplace_back(one.step, one.reason);
        const std::vector<std::pair<std::int64_t, std::string>> expected{{4, "steps"}, {8, "steps"}, {12, "steps"}, {16, "steps"}, {18, "end"}};
        QVERIFY(saved == expected);
    }

    /// The test changes nothing that training goes on from: one checkpoint of the last step is enough, and keeps room for the one
    /// before it.
    void theEndNeedsNoCheckpointOfItsOwn()
    {
        Bench bench(withCheckpoints(tinyRecipe(2), 1, 0, 2));
        bench.run();
        const auto kept = listCheckpoints(bench.input.runFolder);
        QCOMPARE(kept.size(), std::size_t{2});
        QCOMPARE(kept[0].state.step, 12);
        QCOMPARE(kept[1].state.step, 6);
    }

    void memoryOfPoliciesSurvivesAKill_data()
    {
        QTest::addColumn<QString>("what");
        for (const char* what : {"plateau", "average", "micro-batch", "clipping", "step schedule", "augmentation"}) QTest::newRow(what) << what;
    }
    void memoryOfPoliciesSurvivesAKill()
    {
        QFETCH(QString, what);
        Recipe recipe = withCheckpoints(overfitting(8), 1, 0, 2);
        recipe.training.checkpoint.everySteps = 4;
        if (what == "plateau") recipe.training.schedule = {"plateau", {{"patience", std::int64_t{0}}, {"factor", 0.5}, {"smallest_gain", 0.3}}};
        if (what == "average") setOption(recipe.training, "averaging", "decay", 0.9);
        if (what == "micro-batch") setOption(recipe.training, "gradients", "micro_batch", std::int64_t{5});
        if (what == "clipping") setOption(recipe.training, "gradients", "clip_norm", 0.1);
        if (what == "step schedule") recipe.training.schedule = {"step", {{"every", std::int64_t{2}}, {"factor", 0.5}, {"warm_up", 0.1}}};
        if (what == "augmentation")
            for (const char* step : {"shift", "rotate", "contrast"}) setIn(augmentationEntries(), recipe.data.augmentation, step, "on", true);
        // It does something at all.
        Bench bench(recipe);
        bench.run();
        QVERIFY(bench.finalHash() != straightHash(overfitting(8), 8));
        if (what == "plateau") QVERIFY2(ratesOf(bench.events).size() >= 3, qPrintable(QString::number(ratesOf(bench.events).size())));
        everyKillEndsAlike(recipe, 12);
    }

    /// As on a GPU, where nobody waits for the finite check: the good steps of the group are told and saved, the refused are not.
    void aLateNaNKeepsTheGoodSteps_data()
    {
        QTest::addColumn<bool>("gated");
        QTest::newRow("checked at once") << false;
        QTest::newRow("gated on the device") << true;
    }
    void aLateNaNKeepsTheGoodSteps()
    {
        QFETCH(bool, gated);
        Recipe recipe = cuttable(2);
        recipe.training.optimiser = {"sgd", {}};
        recipe.stack.layers[1].params["activation"] = std::string("none"); // nothing that could die and stay finite
        Bench first(recipe);
        first.run();
        auto from = newestValidCheckpoint(first.input.runFolder);
        SCONCE_VERIFY(from);
        // The first steps are taken, and a later one of their group overflows.
        recipe.training.learningRate = 100;
        recipe.data.input.normalise = true;
        recipe.data.input.mean = 1e6;
        recipe.data.input.deviation = 1e-9;
        const auto run = [&](bool late) {
            auto bench = std::make_unique<Bench>(recipe);
            bench->input.resumeFrom = *from;
            bench->input.resumeFrom->state.choices["commit"] = late ? "gated on the device" : "checked at once";
            bench->input.epochs = 6;
            return bench;
        };
        auto bench = run(gated), control = run(false);
        const RunEnded ended = bench->run(), expected = control->run();
        QCOMPARE(ended.status, RunStatus::Failed);
        QCOMPARE(ended.errorCode, std::string("not-finite"));
        QVERIFY2(ended.summary.steps >= 13 && ended.summary.steps < 18, qPrintable(QString::number(ended.summary.steps))); // in the midst of a group
        QCOMPARE(ended.summary.steps, expected.summary.steps);
        QVERIFY2(ended.message.find("step " + std::to_string(ended.summary.steps + 1)) != std::string::npos, ended.message.c_str());
        QVERIFY(bench->events.losses() == control->events.losses());
        auto saved = newestValidCheckpoint(bench->input.runFolder);
        SCONCE_VERIFY(saved);
        QCOMPARE(saved->state.step, ended.summary.steps);
        QCOMPARE(saved->state.stepInEpoch, ended.summary.steps - 12);
        QCOMPARE(weightsHash(*saved), control->finalHash());
        QCOMPARE(sha256(openOptimiser(*saved)->file()), sha256(openOptimiser(*newestValidCheckpoint(control->input.runFolder))->file()));
    }
};

QTEST_GUILESS_MAIN(PoliciesTest)
#include "policies_test.moc"
