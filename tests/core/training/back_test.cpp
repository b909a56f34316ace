// SPDX-License-Identifier: GPL-3.0-or-later
// After a NaN, where the recipe asks for it: back to the last good checkpoint with a lower rate, so that the history is one whole
// series, and a run killed at any checkpoint goes the same way to the last bit.
#include "tests/core/training/host_support.h"

#include <QTest>

#include <cmath>
#include <set>
#include <thread>

using namespace sconce;
using namespace sconce::test;
namespace fs = std::filesystem;

namespace {

/// Two linear layers and plain gradient descent: with a rate of 100 the weights multiply at every step until they overflow.
Recipe diverging(double rate = 100, int epochs = 5)
{
    Recipe recipe = withCheckpoints(tinyRecipe(epochs), 1, 0, 2);
    recipe.stack.layers.erase(recipe.stack.layers.begin() + 2, recipe.stack.layers.begin() + 4);
    recipe.stack.layers[1].params["activation"] = std::string("none");
    recipe.training.optimiser.type = "sgd";
    recipe.training.learningRate = rate;
    return recipe;
}

Recipe goingBack(Recipe recipe, double factor, std::int64_t times = 3)
{
    setOption(recipe.training, "safety", "go_back", true);
    setOption(recipe.training, "safety", "rate_factor", factor);
    setOption(recipe.training, "safety", "times", times);
    return recipe;
}

/// Gives back numbers of 1e15: gradients of 1e30 are numbers, and their squares, which Adam keeps, are not. Only a checkpoint looks.
Recipe overflowing(int epochs = 3)
{
    Recipe recipe = diverging(0.01, epochs);
    recipe.training.optimiser.type = "adam";
    recipe.data.input = {true, true, 1e6, 1e-9};
    recipe.task = {"autoencoder", {}};
    recipe.stack.layers.back().params["units"] = std::int64_t{64};
    addLayer(recipe, "reshape", {{"shape", std::vector<std::int64_t>{1, 8, 8}}});
    recipe.training.checkpoint.everyEpochs = 0; // the last save is the first to see it
    recipe.training.checkpoint.keepBest = false;
    return recipe;
}

/// The step that goes wrong without the option.
std::int64_t faultyStep(const Recipe& recipe)
{
    Recipe plain = recipe;
    plain.training.options.erase("safety");
    Bench bench(plain);
    const RunEnded ended = bench.run();
    return ended.status == RunStatus::Failed && ended.errorCode == "not-finite" ? ended.summary.steps : -1;
}

/// The losses that count in the end: what was told again replaces what was told before it.
std::map<std::int64_t, float> finalLosses(const Events& events)
{
    std::map<std::int64_t, float> losses;
    for (const EventBody& body : events.all()) {
        if (const auto* started = std::get_if<RunStarted>(&body)) losses.erase(losses.lower_bound(started->startStep), losses.end());
        if (const auto* group = std::get_if<StepsDone>(&body))
            for (std::size_t i = 0; i < group->loss.size(); ++i)
                if (!losses.emplace(group->firstStep + static_cast<std::int64_t>(i), group->loss[i]).second) losses[-1] = 0;
    }
    return losses;
}

std::vector<float> ratesFrom(const Events& events, std::int64_t step)
{
    std::set<float> rates;
    bool from = false;
    for (const EventBody& body : events.all()) {
        if (const auto* started = std::get_if<RunStarted>(&body); started && started->attempt > 1 && started->startStep == step) from = true;
        if (const auto* group = std::get_if<StepsDone>(&body); group && from) rates.insert(group->learningRate.begin(), group->learningRate.end());
    }
    return {rates.begin(), rates.end()};
}

} // namespace

class BackTest : public QObject
{
    Q_OBJECT

  private Q_SLOTS:
    void withoutTheOptionTheRunEnds()
    {
        QVERIFY(faultyStep(diverging()) >= 3);
        Bench bench(diverging());
        QCOMPARE(bench.run().status, RunStatus::Failed);
        QVERIFY(bench.events.of<Amended>().empty());
        QCOMPARE(bench.events.of<RunStarted>().size(), std::size_t{1});
    }

    /// Before the first checkpoint of the recipe: back to the start, which then has one.
    void itGoesBackAndOn()
    {
        const Recipe recipe = goingBack(diverging(), 1e-4);
        const std::int64_t faulty = faultyStep(recipe);
        QVERIFY(faulty >= 3);
        Bench bench(recipe);
        const RunEnded ended = bench.run();
        QCOMPARE(ended.status, RunStatus::Finished);
        QCOMPARE(ended.summary.steps, 30);
        const auto saved = bench.events.of<CheckpointSaved>();
        QCOMPARE(saved.front().step, 0);
        QCOMPARE(saved.front().reason, std::string("start"));
        const auto started = bench.events.of<RunStarted>();
        QCOMPARE(started.size(), std::size_t{2});
        QCOMPARE(started[1].attempt, 2);
        const std::int64_t to = faulty / 6 * 6 == faulty ? faulty - 6 : faulty / 6 * 6;
        QCOMPARE(started[1].startStep, to);
        const auto amended = bench.events.of<Amended>();
        QCOMPARE(amended.size(), std::size_t{1});
        QCOMPARE(amended[0].amendment.path, std::string("/training/learning_rate"));
        QCOMPARE(amended[0].amendment.step, to);
        QCOMPARE(amended[0].amendment.before.get<double>(), 100.0);
        QCOMPARE(amended[0].amendment.after.get<double>(), 100 * 1e-4);
        QVERIFY(told(bench.events, "went back from step " + std::to_string(faulty) + " to the checkpoint of step " + std::to_string(to)));
        QCOMPARE(ratesFrom(bench.events, to), std::vector<float>{static_cast<float>(100 * 1e-4)});
        const auto losses = finalLosses(bench.events);
        QCOMPARE(losses.size(), std::size_t{30});
        QVERIFY(!losses.contains(-1));
        auto newest = newestValidCheckpoint(bench.input.runFolder);
        SCONCE_VERIFY(newest);
        QCOMPARE(newest->state.rateFactor, 1e-4);
        QCOMPARE(newest->state.timesBack, 1);
        QCOMPARE(newest->state.amendments.size(), std::size_t{1});
        if (to > 0) return;
        // From the start with a lower rate is that rate from the start.
        Bench straight(diverging(100 * 1e-4));
        straight.run();
        QCOMPARE(bench.finalHash(), straight.finalHash());
    }

    /// A kill after each checkpoint, those of going back among them.
    void everyKillEndsAlike_data()
    {
        QTest::addColumn<double>("factor");
        QTest::addColumn<int>("back");
        QTest::newRow("once") << 1e-4 << 1;
        QTest::newRow("again and again") << 0.2 << 3;
    }
    void everyKillEndsAlike()
    {
        QFETCH(double, factor);
        QFETCH(int, back);
        Recipe recipe = goingBack(diverging(), factor, 20);
        recipe.training.checkpoint.everySteps = 4;
        Bench whole(recipe);
        QTemporaryDir dir{scratch()};
        std::vector<std::string> folders;
        whole.hook = [&](const EventBody& body) {
            if (std::holds_alternative<CheckpointSaved>(body)) {
                folders.push_back(dir.path().toStdString() + "/" + std::to_string(folders.size()));
                fs::copy(whole.input.runFolder, folders.back(), fs::copy_options::recursive);
            }
            return whole.events(body);
        };
        const RunEnded expected = whole.run();
        QCOMPARE(expected.status, RunStatus::Finished);
        QVERIFY2(whole.events.of<Amended>().size() >= static_cast<std::size_t>(back), qPrintable(QString::number(whole.events.of<Amended>().size())));
        const auto losses = finalLosses(whole.events);
        QCOMPARE(losses.size(), std::size_t{30});
        for (std::size_t i = 0; i < folders.size(); ++i) {
            auto from = newestValidCheckpoint(folders[i]);
            if (!from) continue; // the first best, before the first to go on from
            Bench part(recipe, whole.input.data);
            part.input.runFolder = folders[i];
            part.input.resumeFrom = *from;
            const RunEnded ended = part.run();
            const QString where = QString("kill %1, at step %2").arg(i).arg(from->state.step);
            QVERIFY2(ended.status == RunStatus::Finished, qPrintable(where));
            for (const auto& [step, loss] : finalLosses(part.events)) QVERIFY2(losses.at(step) == loss, qPrintable(where));
            QVERIFY2(part.finalHash() == whole.finalHash(), qPrintable(where));
            auto end = newestValidCheckpoint(folders[i]), wanted = newestValidCheckpoint(whole.input.runFolder);
            QVERIFY2(end->state.rateFactor == wanted->state.rateFactor && end->state.timesBack == wanted->state.timesBack, qPrintable(where));
        }
    }

    /// No rate helps where the data are at fault: so many times, and the run ends as without the option.
    void whatOverflowsBehindTheGradientsIsNotSaved()
    {
        Recipe recipe = overflowing();
        recipe.training.checkpoint.everyEpochs = 1;
        Bench bench(recipe), sound(withCheckpoints(tinyRecipe(1), 1, 0, 2));
        const RunEnded ended = bench.run();
        QCOMPARE(ended.status, RunStatus::Failed);
        QCOMPARE(ended.errorCode, std::string("not-finite"));
        QVERIFY2(ended.message.find("After step 6 (epoch 1, batch 6 of 6)") != std::string::npos && ended.message.find("was not saved") != std::string::npos, ended.message.c_str());
        QCOMPARE(ended.summary.steps, 6); // loss and gradients had nothing to say
        QVERIFY(listCheckpoints(bench.input.runFolder).empty());
        sound.run();
        QVERIFY(!listCheckpoints(sound.input.runFolder).empty()); // where there is one, it is seen
    }

    /// What only the last save finds is no end of the run either: it goes back to the start, as often as it may, and fails then.
    void whatTheLastSaveFinds()
    {
        const Recipe recipe = goingBack(overflowing(), 0.5, 2);
        Bench bench(recipe);
        const RunEnded ended = bench.run();
        QCOMPARE(ended.status, RunStatus::Failed);
        QCOMPARE(ended.errorCode, std::string("not-finite"));
        QVERIFY2(ended.message.find("epoch 3, batch") != std::string::npos && ended.message.find("was not saved") != std::string::npos, ended.message.c_str());
        int back = 0;
        for (const LogLine& line : bench.events.of<LogLine>()) back += line.text.find("went back from step") != std::string::npos;
        QCOMPARE(back, 2);
        QCOMPARE(listCheckpoints(bench.input.runFolder).front().state.step, 0); // where it began is all that was good
    }

    /// Whoever asks for a checkpoint of such a state is told, and the run does not go on with it.
    void whatSomebodyAsksToSave()
    {
        Bench bench(overflowing(50));
        bool asked = false;
        bench.hook = [&](const EventBody& body) {
            if (std::holds_alternative<StepsDone>(body) && !std::exchange(asked, true)) bench.commands.post({7, CheckpointCommand{}});
            return bench.events(body);
        };
        const RunEnded ended = bench.run();
        QCOMPARE(ended.status, RunStatus::Failed);
        QVERIFY(ended.summary.epochs < 50);
        const auto answers = bench.events.of<CommandAnswered>();
        QVERIFY(answers.size() == 1 && !answers.front().ok);
        QVERIFY(listCheckpoints(bench.input.runFolder).empty());
    }

    void onlySoOften()
    {
        Recipe recipe = goingBack(diverging(), 0.9, 2);
        Bench bench(recipe);
        const RunEnded ended = bench.run();
        QCOMPARE(ended.status, RunStatus::Failed);
        QCOMPARE(ended.errorCode, std::string("not-finite"));
        QCOMPARE(bench.events.of<Amended>().size(), std::size_t{2});
        QVERIFY(told(bench.events, "gone back 2 times already"));
    }

    /// As on a GPU, where the fault is told late, by the metrics: made on the CPU by its choice of commit.
    void toldLateItGoesBackAllTheSame()
    {
        const Recipe recipe = goingBack(diverging(), 1e-4);
        Bench first(recipe);
        first.commands.post({1, StopCommand{}});
        first.run(); // only the checkpoint of the start
        auto start = newestValidCheckpoint(first.input.runFolder);
        SCONCE_VERIFY(start);
        Bench atOnce(recipe), late(recipe);
        atOnce.input.resumeFrom = *start;
        late.input.resumeFrom = *start;
        late.input.resumeFrom->state.choices["commit"] = "gated on the device";
        for (Bench* bench : {&atOnce, &late}) {
            fs::copy(first.input.runFolder, bench->input.runFolder, fs::copy_options::recursive);
            QCOMPARE(bench->run().status, RunStatus::Finished);
            QCOMPARE(bench->events.of<Amended>().size(), std::size_t{1});
        }
        QCOMPARE(late.events.of<RunStarted>().front().choices.value("commit", ""), std::string("gated on the device"));
        QCOMPARE(finalLosses(late.events), finalLosses(atOnce.events));
        QCOMPARE(late.finalHash(), atOnce.finalHash());
    }

    /// In the history: another attempt, from the checkpoint's step; one series without gap or overlap; the change of the rate once.
    void theHistoryIsOneSeries()
    {
        QTemporaryDir dir{scratch()};
        const std::string folder = dir.path().toStdString();
        writeIdxFolder(folder + "/data", TinyData(trainingRows, testRows));
        auto store = Store::open(folder + "/store");
        SCONCE_VERIFY(store);
        PrepareOptions options;
        options.dataPath = folder + "/data";
        auto run = prepareRun(**store, goingBack(diverging(), 1e-4), options);
        SCONCE_VERIFY(run);
        CommandQueue commands;
        Events events;
        auto ended = driveRun(*store, *run, {}, commands, [&](const Event& event) { (void)events(event.body); });
        SCONCE_VERIFY(ended);
        QCOMPARE(ended->status, RunStatus::Finished);
        auto attempts = (*store)->attempts(*run);
        SCONCE_VERIFY(attempts);
        QCOMPARE(attempts->size(), std::size_t{2});
        const std::int64_t to = events.of<RunStarted>().back().startStep;
        QCOMPARE(attempts->at(0).endStep, to);
        QCOMPARE(attempts->at(1).startStep, to);
        QCOMPARE(events.of<RunStarted>().back().attempt, 2);
        const auto wanted = finalLosses(events);
        auto losses = (*store)->series(*run, series::trainLoss);
        SCONCE_VERIFY(losses);
        QCOMPARE(losses->step.size(), std::size_t{30});
        for (std::size_t i = 0; i < 30; ++i) {
            QCOMPARE(losses->step[i], static_cast<std::int64_t>(i));
            QCOMPARE(static_cast<float>(losses->value[i]), wanted.at(static_cast<std::int64_t>(i)));
        }
        auto seconds = (*store)->series(*run, series::seconds);
        SCONCE_VERIFY(seconds);
        QVERIFY(std::is_sorted(seconds->value.begin(), seconds->value.end()));
        auto epochs = (*store)->series(*run, series::valLoss);
        SCONCE_VERIFY(epochs);
        QCOMPARE(epochs->step, (std::vector<std::int64_t>{5, 11, 17, 23, 29}));
        auto amendments = (*store)->amendments(*run);
        SCONCE_VERIFY(amendments);
        QCOMPARE(amendments->size(), std::size_t{1});
        QCOMPARE((*store)->run(*run)->status, RunStatus::Finished);
        QCOMPARE((*store)->run(*run)->attempts, 2);
        QCOMPARE((*store)->run(*run)->summary.epochs, 5);
    }
};

QTEST_GUILESS_MAIN(BackTest)
#include "back_test.moc"
