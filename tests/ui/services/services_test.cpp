// SPDX-License-Identifier: GPL-3.0-or-later
// The services behind the pages: jobs, run list, stall meter, data, and the run service with scripted and real training.
#include "tests/support/studio_fixture.h"
#include "tests/support/patience.h"
#include "ui/services/live_run.h"
#include "ui/services/words.h"

#include <QElapsedTimer>
#include <QSignalSpy>

#include <atomic>
#include <thread>

using namespace sconce;
using namespace sconce::ui;
using namespace sconce::ui::test;

class ServicesTest : public QObject
{
    Q_OBJECT

  private Q_SLOTS:
    void jobsDeliverOnThisThread();
    void jobsDropSuperseded();
    void jobsDropWhenContextIsGone();
    void jobsThatBelongToNobodyAreDone();
    void jobsSurviveExceptions();
    void settingsTellChanges();
    void stallMeterSeesAStall();
    void runListNoticesOtherProcesses();
    void eventsFollowHistoryWithoutGapOrOverlap();
    void aGapReadsTheHistoryAgain();
    void newAttemptCutsWhatWasLost();
    void secondStartIsQueuedAndFollows();
    void queueSurvivesRestartAndWaits();
    void failureHoldsTheQueueIfAsked();
    void dequeueDeletesWhatNeverBegan();
    void commandsReachTheTrainer();
    void realTrainingOnDigits();
    void stopAndResumeReal();
    void dataSetsAreAddedOpenedAndForgotten();
    void hardwareIsSampled();
    void movesToTheBackgroundAndAttachesAgain();
    void titlesInSentences_data();
    void titlesInSentences();
};

void ServicesTest::titlesInSentences_data()
{
    QTest::addColumn<QString>("title");
    QTest::addColumn<QString>("words");
    for (const auto& [title, said] : {std::pair("Learning rate", "learning rate"), {"One cycle", "one cycle"}, {"Beta 1", "beta 1"}, {"CUDA graph", "CUDA graph"}, {"Pools before ReLU", "pools before ReLU"},
                                      {"Back on NaN", "back on NaN"}, {"ReLU", "ReLU"}, {"RMSprop", "RMSprop"}, {"TF32", "TF32"}, {"EMA of the weights", "EMA of the weights"}, {"GPU", "GPU"}, {"R²", "R²"},
                                      {"F1", "F1"}, {"Nesterov", "Nesterov"}, {"", ""}})
        QTest::newRow(title) << title << said;
}

void ServicesTest::titlesInSentences()
{
    QFETCH(QString, title);
    QFETCH(QString, words);
    QCOMPARE(words::inSentence(title), words);
}

void ServicesTest::jobsDeliverOnThisThread()
{
    Jobs jobs;
    QObject context;
    std::thread::id worker, delivered;
    int value = 0;
    jobs.run<int>(&context, [&] { worker = std::this_thread::get_id(); return 42; }, [&](int v) { value = v; delivered = std::this_thread::get_id(); });
    QTRY_COMPARE(value, 42);
    QVERIFY(worker != std::this_thread::get_id());
    QVERIFY(delivered == std::this_thread::get_id());
}

void ServicesTest::jobsDropSuperseded()
{
    Jobs jobs;
    QObject context, other;
    std::vector<int> got;
    std::atomic<bool> go{false};
    for (int i = 1; i <= 3; ++i) {
        jobs.run<int>(&context, [i, &go] { while (!go) std::this_thread::yield(); return i; }, [&](int v) { got.push_back(v); }, QStringLiteral("key"));
    }
    jobs.run<int>(&other, [] { return 9; }, [&](int v) { got.push_back(v); }, QStringLiteral("key"));
    go = true;
    QTRY_COMPARE(got.size(), std::size_t(2));
    QTest::qWait(30);
    std::sort(got.begin(), got.end());
    QCOMPARE(got, (std::vector<int>{3, 9})); // the newest of each context
}

void ServicesTest::jobsDropWhenContextIsGone()
{
    Jobs jobs;
    bool called = false, after = false;
    QObject stays;
    std::atomic<bool> go{false};
    {
        QObject context;
        jobs.run<int>(&context, [&go] { while (!go) std::this_thread::yield(); return 1; }, [&](int) { called = true; });
    }
    go = true;
    jobs.run<int>(&stays, [] { std::this_thread::sleep_for(std::chrono::milliseconds(30)); return 1; }, [&](int) { after = true; });
    QTRY_VERIFY(after);
    QTest::qWait(20);
    QVERIFY(!called);
}

/// More than there are threads: nothing that is to be kept is lost when the window closes, and nobody waits for the rest.
void ServicesTest::jobsThatBelongToNobodyAreDone()
{
    std::atomic<int> kept = 0, shown = 0;
    {
        QObject context;
        Jobs jobs;
        for (int i = 0; i < 24; ++i) {
            jobs.run<bool>(nullptr, [&] { std::this_thread::sleep_for(std::chrono::milliseconds(10)); return ++kept > 0; }, [](bool) {});
            jobs.run<bool>(&context, [&] { std::this_thread::sleep_for(std::chrono::milliseconds(10)); return ++shown > 0; }, [](bool) {});
        }
    }
    QCOMPARE(kept.load(), 24);
    QVERIFY(shown < 24);
}

void ServicesTest::jobsSurviveExceptions()
{
    Jobs jobs;
    QObject context;
    bool failed = false, good = false;
    jobs.run<int>(&context, []() -> int { throw std::runtime_error("on purpose"); }, [&](int) { failed = true; });
    jobs.run<int>(&context, [] { return 1; }, [&](int) { good = true; });
    QTRY_VERIFY(good);
    QVERIFY(!failed);
}

void ServicesTest::settingsTellChanges()
{
    QTemporaryDir folder;
    QSettings::setPath(QSettings::IniFormat, QSettings::UserScope, folder.path());
    Settings settings;
    QSignalSpy changed(&settings, &Settings::changed);
    settings.setValue(QStringLiteral("a/b"), 3);
    settings.setValue(QStringLiteral("a/b"), 3);
    QCOMPARE(changed.count(), 1);
    QCOMPARE(settings.value(QStringLiteral("a/b")).toInt(), 3);
    QCOMPARE(settings.value(QStringLiteral("none"), 7).toInt(), 7);
}

void ServicesTest::stallMeterSeesAStall()
{
    StallMeter meter;
    QTest::qWait(100);
    QElapsedTimer since; // a busy machine may stall longer than we do: no stall is longer than all of this
    since.start();
    meter.reset();
    QTRY_VERIFY(meter.report().pings > 10);
    const auto before = meter.report();
    std::this_thread::sleep_for(std::chrono::milliseconds(120));
    QTRY_VERIFY(meter.report().over50ms > before.over50ms);
    const auto report = meter.report();
    QVERIFY2(report.worstMs > 100 && report.worstMs < static_cast<double>(since.elapsed() + 1), qPrintable(QString::number(report.worstMs)));
    QVERIFY(report.over50ms >= before.over50ms + 1);
    QVERIFY(report.meanMs < report.worstMs && report.p99Ms <= report.p999Ms && report.p999Ms <= report.worstMs);
    meter.reset();
    QCOMPARE(meter.report().worstMs, 0.0);
}

void ServicesTest::runListNoticesOtherProcesses()
{
    StudioFixture f;
    QTRY_VERIFY(f.runs->loaded());
    QVERIFY(f.runs->rows().empty());
    QSignalSpy changed(f.runs.get(), &RunList::changed);
    auto other = f.second(); // another handle on the same folder
    QVERIFY(other);
    NewRun run;
    run.name = "from elsewhere";
    run.recipe.name = "x";
    run.data = StudioFixture::builtinInfo();
    run.environment = Json::object();
    const auto id = other->createRun(run);
    QVERIFY(id.ok());
    QTRY_COMPARE_WITH_TIMEOUT(f.runs->rows().size(), std::size_t(1), sconce::test::patienceMs);
    QVERIFY(f.runs->find(*id));
    QVERIFY(other->renameRun(*id, "renamed").ok());
    QTRY_COMPARE_WITH_TIMEOUT(f.runs->find(*id)->name, std::string("renamed"), sconce::test::patienceMs);
    const auto signals_ = changed.count();
    QTest::qWait(1300);
    QCOMPARE(changed.count(), signals_); // nothing new, nothing said
}

void ServicesTest::eventsFollowHistoryWithoutGapOrOverlap()
{
    StudioFixture f;
    QTRY_VERIFY(f.runs->loaded());
    f.useScript();
    const RunId id = f.scriptedRun("script");
    f.runs->refresh();
    QTRY_VERIFY(f.runs->find(id));
    QSignalSpy updated(f.runService.get(), &RunService::updated);
    f.runService->resume(id);
    QVERIFY(f.runService->training());
    QTRY_VERIFY(f.script);
    f.script->begin(0, 100, 2);
    f.script->steps(0, 60);
    f.script->steps(40, 60); // overlaps, as a replay does
    f.script->epoch(1, 100, 0.5, 0.9, true);
    f.script->push(HardwareRead{0.5, {{"cpu", 0.9}, {"memory", 1e9}}});
    f.script->push(HardwareRead{0.5, {{"cpu", 0.9}, {"memory", 1e9}}}); // again
    f.script->push(EvaluationProgress{"validation", 3000, 6000});
    QTRY_COMPARE(f.runService->current()->trainStep.size(), std::size_t(100));
    const LiveRun* live = f.runService->current();
    for (std::size_t i = 0; i < 100; ++i) QCOMPARE(live->trainStep[i], static_cast<double>(i));
    QTRY_COMPARE(live->activity, QStringLiteral("validating, 3,000 of 6,000"));
    QCOMPARE(live->valStep, (std::vector<double>{99}));
    QCOMPARE(live->hardware.at("cpu").first.size(), std::size_t(1));
    QVERIFY(live->secondsLeft && std::abs(*live->secondsLeft - 1.0) < 0.05); // 100 steps of 10 ms are left
    QVERIFY(updated.count() > 0 && updated.count() < 20);
    QCOMPARE(f.runService->shown(), live);

    f.script->push(RunEnded{RunStatus::Finished, RunSummary(), "", "", "", ""});
    QSignalSpy ended(f.runService.get(), &RunService::ended);
    QTRY_COMPARE(ended.count(), 1);
    QCOMPARE(ended.first().at(1).toString(), QStringLiteral("finished"));
    QVERIFY(!f.runService->current());
    QVERIFY(f.runService->shown() && f.runService->shown()->ended);
    // What another program reads agrees with what was shown.
    const auto points = f.second()->series(id, series::trainLoss);
    QVERIFY(points.ok());
    QCOMPARE(points->step.size(), std::size_t(100));
}

void ServicesTest::aGapReadsTheHistoryAgain()
{
    StudioFixture f;
    QTRY_VERIFY(f.runs->loaded());
    f.useScript();
    const RunId id = f.scriptedRun("gap");
    f.runService->resume(id);
    QTRY_VERIFY(f.script);
    f.script->begin(0, 1000, 1);
    f.script->steps(0, 50);
    QTRY_COMPARE(f.runService->current()->trainStep.size(), std::size_t(50));
    // 50…79 reach the history alone, as when the window's ring dropped them.
    const EventSink sink = f.script->sink;
    f.script->sink = [](const Event&) {};
    f.script->steps(50, 30);
    QVERIFY(f.store->flush().ok());
    f.script->sink = sink;
    f.script->steps(80, 20);
    QVERIFY(f.store->flush().ok());
    f.script->steps(100, 1);
    QTRY_VERIFY(f.runService->current()->trainStep.size() >= 100);
    const auto& steps = f.runService->current()->trainStep;
    for (std::size_t i = 0; i < steps.size(); ++i) QCOMPARE(steps[i], static_cast<double>(i));
}

void ServicesTest::newAttemptCutsWhatWasLost()
{
    LiveRun live;
    RunStarted started;
    started.attempt = 1;
    started.stepsPerEpoch = 10;
    started.epochs = 3;
    applyEvent(live, {1, 1, started});
    StepsDone steps;
    for (int i = 0; i < 25; ++i) {
        steps.loss.push_back(1.0f);
        steps.accuracy.push_back(0.5f);
        steps.learningRate.push_back(0.1f);
        steps.seconds.push_back(i + 1);
    }
    applyEvent(live, {2, 1, steps});
    EpochDone epoch;
    for (int e = 1; e <= 2; ++e) {
        epoch.epoch = e;
        epoch.step = e * 10;
        epoch.valLoss = 1.0 / e;
        applyEvent(live, {3, 1, epoch});
    }
    for (int t = 1; t <= 25; ++t) applyEvent(live, {4, 1, HardwareRead{double(t), {{"cpu", 0.5}}}});
    started.attempt = 2;
    started.startStep = 10; // the checkpoint of epoch 1
    applyEvent(live, {5, 1, started});
    QCOMPARE(live.trainStep.size(), std::size_t(10));
    QCOMPARE(live.valLoss.size(), std::size_t(1));
    QCOMPARE(live.epochsDone.size(), std::size_t(1));
    QCOMPARE(live.hardware["cpu"].first.size(), std::size_t(10));
    QCOMPARE(live.step, std::int64_t(10));
    applyEvent(live, {6, 1, started}); // a replay cuts nothing
    StepsDone more = steps;
    more.firstStep = 10;
    applyEvent(live, {7, 1, more});
    QCOMPARE(live.trainStep.size(), std::size_t(35));
    applyEvent(live, {8, 1, started});
    QCOMPARE(live.trainStep.size(), std::size_t(35));
}

void ServicesTest::secondStartIsQueuedAndFollows()
{
    StudioFixture f;
    QTRY_VERIFY(f.runs->loaded());
    f.useScript();
    QSignalSpy started(f.runService.get(), &RunService::started), queued(f.runService.get(), &RunService::queued);
    f.runService->start(quickRecipe(), QStringLiteral("first"));
    QTRY_COMPARE_WITH_TIMEOUT(started.count(), 1, sconce::test::patienceMs);
    QTRY_VERIFY(f.script);
    const RunId first = f.script->run;
    f.script->begin(0, 10, 1);
    f.runService->start(quickRecipe(), QStringLiteral("second"));
    QTRY_COMPARE_WITH_TIMEOUT(queued.count(), 1, sconce::test::patienceMs);
    QCOMPARE(started.count(), 1);
    QCOMPARE(f.runService->queue().size(), std::size_t(1));
    const auto row = f.second()->run(f.runService->queue().front());
    QVERIFY(row.ok());
    QVERIFY(row->status == RunStatus::Queued);
    QCOMPARE(row->name, std::string("second"));

    f.script->steps(0, 10);
    f.script->push(RunEnded{RunStatus::Finished, RunSummary(), "", "", "", ""});
    QTRY_COMPARE(started.count(), 2);
    QTRY_VERIFY(f.script->run != first);
    QVERIFY(f.runService->queue().empty());
    QCOMPARE(f.runService->shown()->row.name, std::string("second"));
}

void ServicesTest::queueSurvivesRestartAndWaits()
{
    auto folder = std::make_shared<QTemporaryDir>();
    RunId waiting;
    {
        StudioFixture f(folder);
        QTRY_VERIFY(f.runs->loaded());
        f.useScript();
        const RunId first = f.scriptedRun("first");
        waiting = f.scriptedRun("waiting");
        f.runs->refresh();
        QTRY_VERIFY(f.runs->find(waiting));
        f.runService->resume(first);
        QTRY_VERIFY(f.script);
        f.runService->resume(waiting, 7);
        QCOMPARE(f.runService->queue().size(), std::size_t(1));
    }
    StudioFixture f(folder);
    f.useScript();
    QTRY_COMPARE(f.runService->queue(), std::vector<RunId>{waiting});
    QVERIFY(f.runService->queueHeld());
    QTest::qWait(200);
    QVERIFY(!f.runService->training()); // nothing starts by itself when a window opens
    f.runService->startQueue();
    QTRY_VERIFY(f.script);
    QCOMPARE(f.script->run, waiting);
    QVERIFY(f.script->options.epochs == 7);
}

void ServicesTest::failureHoldsTheQueueIfAsked()
{
    StudioFixture f;
    QTRY_VERIFY(f.runs->loaded());
    f.useScript();
    const RunId a = f.scriptedRun("a"), b = f.scriptedRun("b");
    f.runs->refresh();
    QTRY_VERIFY(f.runs->find(b));
    f.settings->setValue(QStringLiteral("queue/goOnAfterError"), false);
    f.runService->resume(a);
    QTRY_VERIFY(f.script);
    f.script->begin(0, 10, 1);
    f.runService->resume(b);
    f.script->push(RunEnded{RunStatus::Failed, RunSummary(), "not-finite", "The loss became NaN.", "", ""});
    QTRY_VERIFY(!f.runService->training());
    QTRY_VERIFY(f.runService->queueHeld());
    QCOMPARE(f.script->run, a);
    f.runService->startQueue();
    QTRY_COMPARE(f.script->run, b);
}

void ServicesTest::dequeueDeletesWhatNeverBegan()
{
    StudioFixture f;
    QTRY_VERIFY(f.runs->loaded());
    f.useScript();
    const RunId a = f.scriptedRun("a"), b = f.scriptedRun("b");
    f.runs->refresh();
    QTRY_VERIFY(f.runs->find(b));
    f.runService->resume(a);
    f.runService->resume(b);
    QSignalSpy gone(f.runService.get(), &RunService::unqueued);
    f.runService->removeFromQueue(b);
    QTRY_COMPARE(gone.count(), 1);
    QCOMPARE(gone.first().at(1).toString(), QStringLiteral("b"));
    QVERIFY(!f.second()->run(b).ok());
    QTRY_VERIFY(!f.runs->find(b));
}

void ServicesTest::commandsReachTheTrainer()
{
    StudioFixture f;
    QTRY_VERIFY(f.runs->loaded());
    f.useScript();
    const RunId id = f.scriptedRun("steered");
    f.runService->resume(id);
    QTRY_VERIFY(f.script);
    f.script->begin(0, 10, 3);
    QTRY_VERIFY(f.runService->current()->status == RunStatus::Running);
    f.runService->pause();
    QVERIFY(f.script->got(0) && std::holds_alternative<PauseCommand>(f.script->commands[0]));
    f.script->push(StatusChanged{RunStatus::Paused, "asked"});
    QTRY_VERIFY(f.runService->current()->status == RunStatus::Paused);
    QVERIFY(f.runService->current()->because.isEmpty());
    f.script->push(StatusChanged{RunStatus::Paused, "No space is left on the disk."});
    QTRY_COMPARE(f.runService->current()->because, QStringLiteral("No space is left on the disk."));
    f.runService->unpause();
    QVERIFY(std::holds_alternative<ResumeCommand>(f.script->commands[1]));
    f.runService->checkpointNow();
    QVERIFY(std::holds_alternative<CheckpointCommand>(f.script->commands[2]));
    f.runService->setEpochs(9);
    const auto* amend = std::get_if<AmendCommand>(&f.script->commands[3]);
    QVERIFY(amend && amend->path == "/training/epochs" && amend->value == 9);
    f.script->push(Amended{{5, "/training/epochs", 3, 9}});
    QTRY_COMPARE(f.runService->current()->epochs, std::int64_t(9));
    f.runService->stop();
    QVERIFY(f.runService->current()->busyStopping);
    const auto* stop = std::get_if<StopCommand>(&f.script->commands[4]);
    QVERIFY(stop && !stop->handOver);
    bool done = false;
    f.runService->saveAndStop([&] { done = true; });
    QVERIFY(!done);
    f.script->push(RunEnded{RunStatus::Stopped, RunSummary(), "", "Stopped at step 0.", "", ""});
    QTRY_VERIFY(done);
    QVERIFY(!f.runService->training());
}

void ServicesTest::realTrainingOnDigits()
{
    StudioFixture f;
    QTRY_VERIFY(f.runs->loaded());
    QSignalSpy ended(f.runService.get(), &RunService::ended), failed(f.runService.get(), &RunService::startFailed);
    f.runService->start(quickRecipe(), QStringLiteral("real"));
    QTRY_VERIFY_WITH_TIMEOUT(ended.count() == 1 || failed.count() == 1, 5 * sconce::test::patienceMs);
    if (failed.count()) QFAIL(qPrintable(failed.first().at(0).toString()));
    QCOMPARE(ended.first().at(1).toString(), QStringLiteral("finished"));
    const LiveRun* live = f.runService->shown();
    QVERIFY(live && live->stepsPerEpoch > 0);
    QCOMPARE(live->trainStep.size(), static_cast<std::size_t>(live->stepsPerEpoch));
    QVERIFY(live->row.summary.testAccuracy > 0.3);
    auto second = f.second();
    const auto points = second->series(live->id, series::trainLoss);
    QVERIFY(points.ok());
    QCOMPARE(points->value.size(), live->trainLoss.size());
    for (std::size_t i = 0; i < points->value.size(); ++i) QCOMPARE(static_cast<double>(points->value[i]), live->trainLoss[i]);
    const auto row = second->run(live->id);
    QVERIFY(row.ok() && row->status == RunStatus::Finished);
    QCOMPARE(row->name, std::string("real"));
}

void ServicesTest::stopAndResumeReal()
{
    StudioFixture f;
    QTRY_VERIFY(f.runs->loaded());
    QSignalSpy ended(f.runService.get(), &RunService::ended), failed(f.runService.get(), &RunService::startFailed);
    Recipe recipe = quickRecipe(3);
    recipe.training.batchSize = 100;
    f.runService->start(recipe, QStringLiteral("stopped"));
    QTRY_VERIFY_WITH_TIMEOUT((f.runService->current() && f.runService->current()->trainStep.size() > 5) || failed.count(), 5 * sconce::test::patienceMs);
    QCOMPARE(failed.count(), 0);
    f.runService->stop();
    QTRY_COMPARE_WITH_TIMEOUT(ended.count(), 1, sconce::test::patienceMs);
    QCOMPARE(ended.first().at(1).toString(), QStringLiteral("stopped"));
    const LiveRun* live = f.runService->shown();
    const RunId id = live->id;
    const std::size_t reached = live->trainStep.size();
    QVERIFY(reached > 5);
    QTRY_VERIFY(f.runs->find(id) && f.runs->find(id)->resumable);
    f.runService->resume(id, 1);
    QTRY_COMPARE_WITH_TIMEOUT(ended.count(), 2, 5 * sconce::test::patienceMs);
    QCOMPARE(ended.last().at(1).toString(), QStringLiteral("finished"));
    live = f.runService->shown();
    QVERIFY(live->trainStep.size() > reached);
    for (std::size_t i = 0; i < live->trainStep.size(); ++i) QCOMPARE(live->trainStep[i], static_cast<double>(i));
    QCOMPARE(f.second()->run(id)->attempts, 2);
}

void ServicesTest::dataSetsAreAddedOpenedAndForgotten()
{
    StudioFixture f;
    QTRY_VERIFY(!f.data->sets().empty());
    QCOMPARE(f.data->sets().front().id, DatasetId("digits"));
    DatasetPtr opened;
    QString sentence;
    int answers = 0;
    QObject context;
    f.data->open("digits", &context, [&](DatasetPtr data, QString words) { opened = data; sentence = words; ++answers; });
    f.data->open("digits", &context, [&](DatasetPtr, QString) { ++answers; });
    QCOMPARE(answers, 0); // never inside the call
    QTRY_COMPARE_WITH_TIMEOUT(answers, 2, sconce::test::patienceMs);
    QVERIFY2(opened, qPrintable(sentence));
    QCOMPARE(opened->info().trainingCount, std::int64_t(10000));
    f.data->open("nobody", &context, [&](DatasetPtr data, QString words) { opened = data; sentence = words; ++answers; });
    QTRY_COMPARE(answers, 3);
    QVERIFY(!opened);
    QVERIFY(!sentence.isEmpty());
    QSignalSpy failed(f.data.get(), &DataService::addFailed);
    f.data->add(QStringLiteral("/nowhere/at/all"));
    QTRY_COMPARE(failed.count(), 1);
    QVERIFY(!failed.first().at(0).toString().isEmpty());
}

void ServicesTest::hardwareIsSampled()
{
    StudioFixture f;
    QTRY_VERIFY_WITH_TIMEOUT(f.hardware->history().size() >= 2, sconce::test::patienceMs);
    QVERIFY(f.hardware->facts().cpu.usable >= 1);
    QVERIFY(f.hardware->reading().memoryTotal > 0);
    QTRY_VERIFY_WITH_TIMEOUT(!f.hardware->devices().empty(), sconce::test::patienceMs);
    QCOMPARE(f.hardware->devices().front().id, std::string("cpu"));
    QVERIFY(!f.hardware->versions().torch.empty());
}

void ServicesTest::movesToTheBackgroundAndAttachesAgain()
{
    if (!QFile::exists(QStringLiteral(SCONCE_BIN_DIR "/sconce"))) QSKIP("The command line is not built here.");
    auto folder = std::make_shared<QTemporaryDir>();
    RunId id;
    std::size_t handed = 0;
    {
        StudioFixture f(folder);
        QTRY_VERIFY(f.runs->loaded());
        Recipe recipe = quickRecipe(2000);
        recipe.training.batchSize = 100;
        QSignalSpy failed(f.runService.get(), &RunService::startFailed);
        f.runService->start(recipe, QStringLiteral("wanders"));
        QTRY_VERIFY_WITH_TIMEOUT((f.runService->current() && f.runService->current()->step > 5) || failed.count(), 5 * sconce::test::patienceMs);
        QCOMPARE(failed.count(), 0);
        id = f.runService->current()->id;
        QVERIFY(f.runService->trainsHere());
        bool done = false, ok = false;
        QString sentence;
        f.runService->moveToBackground([&](bool good, QString words) { done = true; ok = good; sentence = words; });
        QTRY_VERIFY_WITH_TIMEOUT(done, 5 * sconce::test::patienceMs);
        QVERIFY2(ok, qPrintable(sentence));
        QVERIFY(!f.runService->trainsHere());
        QTRY_VERIFY_WITH_TIMEOUT(f.runService->current() && f.runService->current()->status == RunStatus::Running, sconce::test::patienceMs);
        handed = f.runService->current()->trainStep.size();
    }
    StudioFixture f(folder); // the window of the next day
    QTRY_VERIFY_WITH_TIMEOUT(f.runService->current(), sconce::test::patienceMs);
    QCOMPARE(f.runService->current()->id, id);
    QTRY_VERIFY_WITH_TIMEOUT(f.runService->shownAlive() && f.runService->current()->trainStep.size() > handed, 5 * sconce::test::patienceMs);
    const auto steps = f.runService->current()->trainStep;
    for (std::size_t i = 0; i < steps.size(); ++i) QCOMPARE(steps[i], static_cast<double>(i)); // no gap over two processes
    QSignalSpy ended(f.runService.get(), &RunService::ended);
    f.runService->stop();
    QTRY_COMPARE_WITH_TIMEOUT(ended.count(), 1, 5 * sconce::test::patienceMs);
    QCOMPARE(ended.first().at(1).toString(), QStringLiteral("stopped"));
    const auto attempts = f.second()->attempts(id);
    QVERIFY(attempts.ok() && attempts->size() == 2);
    QCOMPARE(attempts->back().host, std::string("process"));
}

QTEST_MAIN(ServicesTest)
#include "services_test.moc"
