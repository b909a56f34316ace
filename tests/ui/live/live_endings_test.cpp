// SPDX-License-Identifier: GPL-3.0-or-later
// How runs end on the Live page, and what can be done next: finished, failed, interrupted, queued behind another; and a real run on
// the built-in digits from its start to its end.
#include "live_fixture.h"

#include "tests/support/patience.h"

#include <QCheckBox>
#include <QSignalSpy>
#include <QSpinBox>

using namespace sconce;
using namespace sconce::ui;
using namespace sconce::ui::test;

class LiveEndingsTest : public LivePageFixture
{
    Q_OBJECT

  private Q_SLOTS:
    void init() { open(); }
    void cleanup() { close(); }
    void finishedAndSaveModel();
    void failedNaN();
    void interruptedResumes();
    void queueCard();
    void backToTheRunningOne();
    void realRun();
};

void LiveEndingsTest::finishedAndSaveModel()
{
    begin(100, 2);
    f->script->steps(0, 200);
    f->script->epoch(1, 100, 0.2, 0.95, true);
    f->script->epoch(2, 100, 0.1, 0.97, true);
    for (int t = 0; t < 3; ++t) f->script->push(HardwareRead{t + 0.5, {{"cpu", 0.9}, {"memory", 6e9}}});
    // A real checkpoint, so that there is something to save.
    const float weights[] = {1, 2, 3, 4};
    HostTensor tensor{"dense.weight", DType::F32, {2, 2}, std::vector<std::byte>(sizeof weights)};
    std::memcpy(tensor.bytes.data(), weights, sizeof weights);
    TrainerState state;
    state.step = 200;
    state.epoch = 2;
    const HostTensor tensors[] = {tensor};
    const auto saved = saveCheckpoint(f->second()->run(run)->folder, state, quickRecipe(2), tensors, {}, "end", false, 2);
    QVERIFY2(saved.ok(), saved.ok() ? "" : saved.error().text().c_str());
    f->script->push(CheckpointSaved{*saved, 200, "end", false, 0.01});
    f->script->push(TestDone{0.0243, 0.9915});
    RunSummary summary;
    summary.epochs = 2;
    summary.steps = 200;
    summary.trainLoss = 0.05;
    summary.trainAccuracy = 0.985;
    summary.valLoss = 0.1;
    summary.valAccuracy = 0.97;
    summary.testLoss = 0.0243;
    summary.testAccuracy = 0.9915;
    summary.bestEpoch = 2;
    summary.bestValLoss = 0.1;
    summary.bestValAccuracy = 0.97;
    summary.seconds = 89;
    summary.samplesPerSecond = 9600;
    summary.checkpoint = *saved;
    f->script->push(RunEnded{RunStatus::Finished, summary, "", "", "", ""});
    QTRY_VERIFY(child<QLabel>("live.score"));
    QTRY_COMPARE(child<QLabel>("live.score")->text(), QStringLiteral("99.15 %"));
    QTRY_VERIFY(child<QWidget>("live.outcome")->isVisible());
    QVERIFY(!button("live.pause")->isVisible());
    picture(QStringLiteral("live-finished"));

    QSignalSpy tried(f->navigator.get(), &Navigator::tryRun), composed(f->navigator.get(), &Navigator::composeRecipe);
    click("live.tryIt");
    QCOMPARE(tried.count(), 1);
    QCOMPARE(tried.first().at(0).toString().toStdString(), run);
    click("live.openInCompose");
    QCOMPARE(composed.count(), 1);

    const QString out = f->folder()->filePath(QStringLiteral("out"));
    setFileChooser([&](QWidget*, const QString& kind, const QString&) { return kind == QLatin1String("save") ? out : QString(); });
    click("live.saveModel");
    QTRY_VERIFY(QFile::exists(out + QStringLiteral(".safetensors")));
    QTRY_VERIFY(SafetensorsFile::open((out + QStringLiteral(".safetensors")).toStdString()).ok());
    const auto file = SafetensorsFile::open((out + QStringLiteral(".safetensors")).toStdString());
    QVERIFY(file->find("dense.weight"));
    QCOMPARE(std::memcmp(file->find("dense.weight")->bytes.data(), weights, sizeof weights), 0);

    QString sentence;
    setAsker([&](QWidget*, const Question& q) { sentence = q.text; return 0; });
    setFileChooser([&](QWidget*, const QString&, const QString&) { return QStringLiteral("/nowhere/at/all/model.safetensors"); });
    click("live.saveModel");
    QTRY_VERIFY(!sentence.isEmpty()); // a failure is said

    click("live.trainLonger");
    auto* spin = child<QSpinBox>("live.epochsSpin");
    QTRY_VERIFY(spin->isVisible());
    QCOMPARE(spin->minimum(), 3);
    spin->setValue(5);
    const auto before = f->script;
    click("live.epochsApply");
    QTRY_VERIFY(f->script != before);
    QCOMPARE(f->script->run, run);
    QVERIFY(f->script->options.epochs == 5);
}

void LiveEndingsTest::failedNaN()
{
    begin(100, 4);
    f->script->steps(0, 200);
    f->script->epoch(1, 100, 0.2, 0.95, true);
    f->script->epoch(2, 100, 0.1, 0.97, true);
    f->script->push(CheckpointSaved{"/nowhere/step-200", 200, "epoch", false, 0.01});
    f->script->steps(200, 30, 812.0);
    for (int t = 0; t < 3; ++t) f->script->push(HardwareRead{t + 0.5, {{"cpu", 0.9}, {"memory", 6e9}}});
    f->script->push(LogLine{"error", Clock::system().wallMs(), "The loss or a gradient stopped being a number (NaN or infinite) at step 231."});
    RunSummary summary;
    summary.steps = 230;
    f->script->push(RunEnded{RunStatus::Failed, summary, "not-finite", "The loss or a gradient stopped being a number (NaN or infinite) at step 231 (epoch 3, batch 31 of 100).",
                             "The weights of step 200 are safe in the newest checkpoint. Ways out: lower the learning rate (now 0.001), scale or normalise the inputs.", ""});
    QTRY_VERIFY(button("live.lowerRate"));
    const QString words = allText();
    QVERIFY(words.contains(QStringLiteral("stopped being a number")));
    QVERIFY(words.contains(QStringLiteral("The loss grew from")));
    QVERIFY(words.contains(QStringLiteral("epoch 2 (step 200)")));
    QVERIFY(!button("live.resume"));
    picture(QStringLiteral("live-failed"));
    QSignalSpy composed(f->navigator.get(), &Navigator::composeRecipe);
    const double rate = f->runService->shown()->recipe.training.learningRate;
    click("live.lowerRate");
    QCOMPARE(composed.count(), 1);
    QCOMPARE(composed.first().at(0).value<Recipe>().training.learningRate, rate / 10);
}

void LiveEndingsTest::interruptedResumes()
{
    begin(100, 4);
    f->script->steps(0, 150);
    f->script->push(CheckpointSaved{"/nowhere/step-100", 100, "epoch", false, 0.01});
    RunEnded gone;
    gone.status = RunStatus::Interrupted;
    gone.message = "The trainer ended without a word.";
    f->script->push(gone);
    QTRY_VERIFY(child<QWidget>("live.outcome")->isVisible());
    QTRY_VERIFY(f->runs->find(run)->status == RunStatus::Interrupted);
    f->runService->show(run); // as opened again from the history
    QTRY_VERIFY(button("live.resume"));
    QCOMPARE(child<QLabel>("live.headline")->text(), QStringLiteral("Interrupted"));
    picture(QStringLiteral("live-interrupted"));
    const auto before = f->script;
    click("live.resume");
    QTRY_VERIFY(f->script != before);
    QCOMPARE(f->script->run, run);
    f->script->begin(100, 100, 4);
    QTRY_COMPARE(f->runService->current()->trainStep.size(), std::size_t(100));
    f->script->steps(100, 10);
    QTRY_COMPARE(f->runService->current()->trainStep.size(), std::size_t(110));
}

void LiveEndingsTest::queueCard()
{
    begin();
    const RunId second = f->scriptedRun("second"), third = f->scriptedRun("third");
    f->runs->refresh();
    QTRY_VERIFY(f->runs->find(third));
    f->runService->resume(second);
    f->runService->resume(third);
    QTRY_VERIFY(page->findChild<QToolButton*>(QStringLiteral("live.unqueue.1")));
    QTRY_VERIFY(allText().contains(QStringLiteral("starts when mnist-convnet #")));
    auto* remove = page->findChild<QToolButton*>(QStringLiteral("live.unqueue.0"));
    QTest::mouseClick(remove, Qt::LeftButton);
    QTRY_COMPARE(f->runService->queue(), std::vector<RunId>{third});
    QTRY_VERIFY(!f->second()->run(second).ok());
    auto* goOn = child<QCheckBox>("live.goOn");
    QVERIFY(goOn->isChecked());
    goOn->setFocus();
    QTest::keyClick(goOn, Qt::Key_Space);
    QCOMPARE(f->settings->value(QStringLiteral("queue/goOnAfterError")).toBool(), false);
}

void LiveEndingsTest::backToTheRunningOne()
{
    begin();
    f->script->steps(0, 20);
    const RunId old = f->scriptedRun("older");
    f->runs->refresh();
    QTRY_VERIFY(f->runs->find(old));
    QVERIFY(!button("live.toCurrent")->isVisible());
    Q_EMIT f->navigator->showRun(QString::fromStdString(old));
    QTRY_COMPARE(f->runService->shown()->id, old);
    QVERIFY(f->runService->training()); // looking elsewhere stops nothing
    click("live.toCurrent");
    QTRY_COMPARE(f->runService->shown()->id, run);
    QTRY_VERIFY(button("live.pause")->isVisible());
    f->script->steps(20, 5);
    QTRY_COMPARE(f->runService->shown()->trainStep.size(), std::size_t(25));
}

void LiveEndingsTest::realRun()
{
    f->runService->setHostStarter(nullptr);
    QSignalSpy ended(f->runService.get(), &RunService::ended), failed(f->runService.get(), &RunService::startFailed);
    Recipe recipe = quickRecipe(400);
    recipe.training.batchSize = 200;
    f->runService->start(recipe, QStringLiteral("real"));
    QTRY_VERIFY_WITH_TIMEOUT((f->runService->current() && f->runService->current()->step > 3) || failed.count(), 5 * sconce::test::patienceMs);
    QCOMPARE(failed.count(), 0);
    click("live.checkpoint");
    click("live.pause");
    QTRY_COMPARE_WITH_TIMEOUT(child<StatusPill>("live.pill")->status(), QStringLiteral("paused"), sconce::test::patienceMs);
    const RunId id = f->runService->shown()->id;
    QTRY_VERIFY(f->second()->run(id)->status == RunStatus::Paused);
    QVERIFY(!f->second()->checkpoints(id)->empty());
    click("live.addEpochs");
    auto* spin = child<QSpinBox>("live.epochsSpin");
    QTRY_VERIFY(spin->isVisible());
    spin->setValue(spin->minimum() + 1);
    const int wanted = spin->value();
    click("live.epochsApply");
    QTRY_COMPARE_WITH_TIMEOUT(f->runService->current()->epochs, std::int64_t(wanted), sconce::test::patienceMs);
    click("live.pause");
    QTRY_COMPARE_WITH_TIMEOUT(ended.count(), 1, 5 * sconce::test::patienceMs);
    QTRY_VERIFY(child<QLabel>("live.score"));
    const auto row = f->second()->run(id);
    QVERIFY(row->status == RunStatus::Finished);
    QCOMPARE(row->summary.epochs, std::int64_t(wanted));
    QVERIFY(f->runService->shown()->log.size() >= static_cast<std::size_t>(wanted)); // an epoch a line
    QCOMPARE(child<QLabel>("live.score")->text(), QStringLiteral("%1 %").arg(100 * row->summary.testAccuracy, 0, 'f', 2));
    const QString out = f->folder()->filePath(QStringLiteral("digits.safetensors"));
    setFileChooser([&](QWidget*, const QString&, const QString&) { return out; });
    click("live.saveModel");
    QTRY_VERIFY_WITH_TIMEOUT(SafetensorsFile::open(out.toStdString()).ok(), sconce::test::patienceMs);
    picture(QStringLiteral("live-real"));
}

QTEST_MAIN(LiveEndingsTest)
#include "live_endings_test.moc"
