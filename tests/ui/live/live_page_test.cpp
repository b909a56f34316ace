// SPDX-License-Identifier: GPL-3.0-or-later
// The Live page with real events on real widgets: a scripted trainer brings it into every state, a real one trains on the
// built-in digits; what the buttons did is read back through a second handle on the store.
#include "tests/support/studio_fixture.h"
#include "ui/live/live_page.h"
#include "ui/services/pages.h"

#include <QAbstractItemModelTester>
#include <QCheckBox>
#include <QClipboard>
#include <QComboBox>
#include <QLabel>
#include <QListView>
#include <QSignalSpy>
#include <QSpinBox>

using namespace sconce;
using namespace sconce::ui;
using namespace sconce::ui::test;

class LivePageTest : public QObject
{
    Q_OBJECT

  private:
    template <class T> T* child(const char* name) { return page->findChild<T*>(QLatin1String(name)); }
    QPushButton* button(const char* name) { return child<QPushButton>(name); }
    void click(const char* name)
    {
        QPushButton* b = button(name);
        QVERIFY2(b, name);
        QTRY_VERIFY2(b->isVisible() && b->isEnabled(), name);
        QTest::mouseClick(b, Qt::LeftButton);
    }
    void press(const char* name)
    {
        QPushButton* b = button(name);
        QVERIFY2(b, name);
        b->setFocus();
        QTest::keyClick(b, Qt::Key_Space);
    }
    void begin(std::int64_t stepsPerEpoch = 100, std::int64_t epochs = 4);
    /// Writes the page into the folder that the environment names, in both themes.
    void picture(const QString& name);
    QString allText();

    std::unique_ptr<StudioFixture> f;
    std::unique_ptr<Page> page;
    RunId run;

  private Q_SLOTS:
    void init();
    void cleanup();
    void curveData();
    void runningMean();
    void outcomes();
    void overfittingIsSaid();
    void emptySaysWhatToDo();
    void running();
    void axisAndSmoothing();
    void hoverGivesEveryValue();
    void pauseByMouseAndKeyboard();
    void stopCheckpointEpochs();
    void diskNotice();
    void finishedAndSaveModel();
    void failedNaN();
    void interruptedResumes();
    void queueCard();
    void backToTheRunningOne();
    void logModelAndCopy();
    void smallWindow();
    void realRun();
};

void LivePageTest::init()
{
    Theme::instance().apply(*qApp, ThemeChoice::Dark);
    f = std::make_unique<StudioFixture>();
    f->useScript();
    page.reset(makeLivePage(f->studio, nullptr));
    page->resize(1364, 844);
    page->show();
    QVERIFY(QTest::qWaitForWindowExposed(page.get()));
    QTRY_VERIFY(f->runs->loaded());
}

void LivePageTest::cleanup()
{
    setAsker(nullptr);
    setFileChooser(nullptr);
    page.reset();
    f.reset();
}

void LivePageTest::begin(std::int64_t stepsPerEpoch, std::int64_t epochs)
{
    Recipe recipe = quickRecipe(static_cast<int>(epochs));
    run = f->scriptedRun("mnist-convnet", recipe);
    f->runs->refresh();
    QTRY_VERIFY(f->runs->find(run));
    f->runService->resume(run);
    QTRY_VERIFY(f->script && f->script->run == run);
    f->script->begin(0, stepsPerEpoch, epochs);
    QTRY_VERIFY(f->runService->current() && f->runService->current()->status == RunStatus::Running);
}

void LivePageTest::picture(const QString& name)
{
    const QString folder = qEnvironmentVariable("SCONCE_PICTURES");
    if (folder.isEmpty()) return;
    QTest::qWait(200);
    for (const auto choice : {ThemeChoice::Light, ThemeChoice::Dark}) {
        Theme::instance().apply(*qApp, choice);
        QTest::qWait(200);
        page->grab().save(QStringLiteral("%1/%2-%3.png").arg(folder, name, choice == ThemeChoice::Dark ? QStringLiteral("dark") : QStringLiteral("light")));
    }
}

QString LivePageTest::allText()
{
    QStringList words;
    const auto labels = page->findChildren<QLabel*>();
    for (const QLabel* label : labels) {
        const auto* elided = qobject_cast<const ElidedLabel*>(label);
        if (label->isVisible()) words << (elided ? elided->fullText() : label->text());
    }
    return words.join(QLatin1Char('\n'));
}

void LivePageTest::curveData()
{
    LiveRun live;
    live.stepsPerEpoch = 100;
    for (int i = 0; i < 1000; ++i) {
        live.trainStep.push_back(i);
        live.trainLoss.push_back(i == 517 ? 99 : i == 803 ? NAN : 1.0 / (i + 1));
        live.seconds.push_back(0.5 * (i + 1));
    }
    QCOMPARE(xOfIndex(live, XMode::Step, 0), 1.0);
    QCOMPARE(xOfIndex(live, XMode::Epoch, 99), 1.0);
    QCOMPARE(xOfIndex(live, XMode::Time, 9), 5.0);
    QCOMPARE(xOfSeconds(live, XMode::Step, 5.25), 10.5);
    QCOMPARE(xOfSeconds(live, XMode::Epoch, 50), 1.0);
    QCOMPARE(secondsAtX(live, XMode::Epoch, 1.0), 50.0);
    QCOMPARE(stepAtX(live, XMode::Time, 50), 100.0);
    QCOMPARE(lastX(live, XMode::Epoch), 10.0);
    const Points all = envelope(live, XMode::Step, live.trainLoss, 0, 1000, 50);
    QVERIFY(all.x.size() <= 160);
    QVERIFY(std::is_sorted(all.x.begin(), all.x.end()));
    QCOMPARE(*std::max_element(all.y.begin(), all.y.end(), [](double a, double b) { return std::isnan(b) ? false : std::isnan(a) || a < b; }), 99.0); // no extreme is lost
    QVERIFY(std::any_of(all.y.begin(), all.y.end(), [](double v) { return std::isnan(v); })); // and no NaN
    const Points part = envelope(live, XMode::Step, live.trainLoss, 100, 120, 50);
    QVERIFY(part.x.size() >= 21 && part.x.size() <= 27);
    QVERIFY(part.x.front() <= 100 && part.x.back() >= 120);
    const Points thin = thinned(live, XMode::Time, live.trainLoss, 0, 500, 20);
    QVERIFY(thin.x.size() <= 23);
    QCOMPARE(thin.x.back(), 500.0);
    QCOMPARE(roundStep(15, 9, false), 2.0);
    QCOMPARE(roundStep(100, 5, true), 30.0);
    QVERIFY(envelope(LiveRun(), XMode::Epoch, {}, 0, 1, 10).x.empty());
}

void LivePageTest::runningMean()
{
    RunningMean mean(0.5);
    std::vector<double> y{4, 2};
    mean.follow(y);
    QCOMPARE(mean.values()[0], 4.0); // without the bias of starting at 0
    QCOMPARE(mean.values()[1], (0.5 * 0.5 * 4 + 0.5 * 2) / 0.75);
    y.push_back(NAN);
    y.push_back(2);
    mean.follow(y);
    QCOMPARE(mean.values().size(), std::size_t(4));
    QVERIFY(std::isfinite(mean.values()[2]) && std::isfinite(mean.values()[3]));
    RunningMean whole(0.5);
    QCOMPARE(whole.follow(y), mean.values()); // continued = computed at once
    y.resize(1);
    mean.follow(y);
    QCOMPARE(mean.values().size(), std::size_t(1));
}

void LivePageTest::outcomes()
{
    LiveRun live;
    live.id = "x";
    live.stepsPerEpoch = 100;
    live.epochs = 4;
    live.step = 250;
    live.recipe.training.learningRate = 0.2;
    live.row.resumable = true;
    live.status = RunStatus::Running;
    QVERIFY(!outcomeOf(live, {}, -1, false));

    live.status = RunStatus::Failed;
    live.row.message = "The loss or a gradient stopped being a number (NaN or infinite) at step 251.";
    live.trainLoss = {0.5, 0.6, 5, 900};
    live.checkpoints.push_back({"c", 200, "epoch", false, 0});
    auto out = outcomeOf(live, {}, -1, false);
    QVERIFY(out && out->ways.front().action == OutcomeAction::LowerRate);
    QVERIFY(out->ways.front().text.contains(QStringLiteral("0.02")));
    QVERIFY(std::none_of(out->ways.begin(), out->ways.end(), [](const auto& w) { return w.action == OutcomeAction::Resume; })); // it would only fail again
    QVERIFY(out->facts.front().words.contains(QStringLiteral("grew from 0.5000 to 900.0")));
    QVERIFY(std::any_of(out->facts.begin(), out->facts.end(), [](const auto& fact) { return fact.words.contains(QStringLiteral("epoch 2 (step 200)")); }));
    QCOMPARE(withLowerRate(live.recipe).training.learningRate, 0.02);

    live.row.message = "The computer's memory ran out.";
    RunEnded ended;
    ended.errorCode = "out-of-memory";
    live.ended = ended;
    out = outcomeOf(live, {}, -1, false);
    QVERIFY(out->ways.front().action == OutcomeAction::SmallerBatch);
    QCOMPARE(withSmallerBatch(live.recipe).training.batchSize, live.recipe.training.batchSize / 2);

    live.status = RunStatus::Interrupted;
    out = outcomeOf(live, {}, -1, false);
    QVERIFY(out->ways.front().action == OutcomeAction::Resume);
    live.status = RunStatus::Stopped;
    live.row.resumable = false;
    out = outcomeOf(live, {}, -1, false);
    QVERIFY(std::none_of(out->ways.begin(), out->ways.end(), [](const auto& w) { return w.action == OutcomeAction::Resume; }));
    live.status = RunStatus::Queued;
    QVERIFY(outcomeOf(live, {}, -1, true)->ways.front().action == OutcomeAction::OpenInCompose);
    QVERIFY(outcomeOf(live, {}, -1, false)->ways.front().action == OutcomeAction::Start);

    live.status = RunStatus::Finished;
    live.row.number = 5;
    live.row.fingerprint = "f";
    live.row.summary.testAccuracy = 0.9915;
    live.row.summary.testLoss = 0.0243;
    RunRow before;
    before.id = "b";
    before.number = 3;
    before.fingerprint = "f";
    before.summary.testAccuracy = 0.99;
    RunRow other = before;
    other.fingerprint = "g";
    other.summary.testAccuracy = 0.1;
    out = outcomeOf(live, {before, other}, 10000, false);
    QCOMPARE(out->figures.front().value, QStringLiteral("99.15 %"));
    QCOMPARE(out->figures.front().note, QStringLiteral("9,915 of 10,000 right"));
    QCOMPARE(out->figures.back().caption, QStringLiteral("Against #3"));
    QCOMPARE(out->figures.back().value, QStringLiteral("+0.15 points"));
}

void LivePageTest::overfittingIsSaid()
{
    LiveRun live;
    const double validation[] = {0.5, 0.4, 0.35, 0.37, 0.4, 0.45};
    for (int i = 0; i < 6; ++i) {
        EpochDone e;
        e.epoch = i + 1;
        e.valLoss = validation[i];
        e.trainLoss = 0.5 - 0.08 * i;
        live.epochsDone.push_back(e);
    }
    const CurveReading reading = readCurves(live);
    QCOMPARE(reading.term, QStringLiteral("overfitting"));
    QVERIFY(reading.text.contains(QStringLiteral("epoch 3")) && reading.text.contains(QStringLiteral("29 %")));
    for (auto& e : live.epochsDone) e.trainLoss = 0.5; // training does not fall: no overfitting
    QVERIFY(readCurves(live).text.isEmpty());
    live.epochsDone.resize(3);
    QVERIFY(readCurves(live).text.isEmpty()); // too few to say
}

void LivePageTest::emptySaysWhatToDo()
{
    QVERIFY(child<QWidget>("live.empty")->isVisible());
    QVERIFY(!button("live.pause")->isVisible());
    QVERIFY(!button("live.resumeInterrupted")->isVisible());
    QSignalSpy go(f->navigator.get(), &Navigator::goTo);
    click("live.toCompose");
    press("live.toRuns");
    QCOMPARE(go.count(), 2);
    QVERIFY(go.at(0).at(0).value<PageId>() == PageId::Compose);
    QVERIFY(go.at(1).at(0).value<PageId>() == PageId::Runs);
    picture(QStringLiteral("live-empty"));
}

void LivePageTest::running()
{
    begin(400, 4);
    for (int e = 0; e < 3; ++e) {
        f->script->steps(400 * e, 400);
        f->script->epoch(e + 1, 400, 0.2 / (e + 1), 0.95 + 0.01 * e, true);
        for (int t = 4 * e; t < 4 * e + 4; ++t) {
            f->script->push(HardwareRead{t + 0.5, {{"cpu", 0.9 + 0.02 * (t % 3)}, {"memory", 6e9 + 1e8 * t}, {"gpu0.use", 0.97}, {"gpu0.memory", 3.1e9}, {"gpu0.power", 548.0}, {"gpu0.temperature", 58.0}}});
        }
        f->script->push(LogLine{"info", Clock::system().wallMs() + e, "Epoch " + std::to_string(e + 1) + ": validation loss 0.1, accuracy 96 %."});
    }
    f->script->steps(1200, 130);
    QTRY_VERIFY(child<PlotView>("live.plot.loss")->summary().contains(QStringLiteral("validation: 3")) || child<PlotView>("live.plot.loss")->summary().contains(QStringLiteral("validation")));
    QTRY_COMPARE(child<QLabel>("live.epochText")->text(), QStringLiteral("4 of 4"));
    QVERIFY(child<StatusPill>("live.pill")->status() == QLatin1String("running"));
    QTRY_VERIFY(child<PlotView>("live.plot.cpu"));
    QTRY_VERIFY(child<PlotView>("live.plot.memory") && child<PlotView>("live.plot.gpu0.use"));
    QVERIFY(child<PlotView>("live.plot.cpu")->isVisible());
    QVERIFY(allText().contains(QStringLiteral("0.0667"))); // validation loss, tile and gutter
    QVERIFY(!child<QWidget>("live.outcome")->isVisible());
    for (const char* name : {"live.pause", "live.stop", "live.checkpoint", "live.addEpochs"}) QVERIFY2(button(name)->isVisible() && button(name)->isEnabled(), name);
    QVERIFY(child<QLabel>("pageTitle")->text().startsWith(QStringLiteral("mnist-convnet #")));
    const auto terms = page->findChildren<TermLabel*>();
    QStringList explained;
    for (const TermLabel* term : terms) {
        if (term->isVisible() && !term->toolTip().isEmpty()) explained << term->text();
    }
    QVERIFY(explained.contains(QStringLiteral("Loss")) && explained.contains(QStringLiteral("epoch")) && explained.contains(QStringLiteral("Learning rate")));
    picture(QStringLiteral("live-running"));
}

void LivePageTest::axisAndSmoothing()
{
    begin(100, 4);
    f->script->steps(0, 250);
    f->script->epoch(1, 100, 0.4, 0.9, true);
    auto* loss = child<PlotView>("live.plot.loss");
    QTRY_VERIFY(!loss->valuesAt(1).empty());
    auto* axis = child<SegmentedControl>("live.axis");
    const auto edge = [&] { return loss->xAt(loss->plotArea().right()); };
    QCOMPARE(axis->current(), 1);
    QVERIFY(edge() >= 2.5 && edge() <= 4);
    QTest::mouseClick(axis->findChild<QPushButton*>(QStringLiteral("segment0")), Qt::LeftButton);
    QTRY_VERIFY(edge() >= 250 && edge() <= 400);
    auto* time = axis->findChild<QPushButton*>(QStringLiteral("segment2"));
    time->setFocus();
    QTest::keyClick(time, Qt::Key_Space);
    QTRY_VERIFY(edge() >= 2.5 && edge() <= 4);
    QCOMPARE(f->settings->value(QStringLiteral("live/axis")).toInt(), 2);

    auto* smooth = child<QComboBox>("live.smooth");
    const auto has = [&](const QString& title) { return loss->summary().contains(title); };
    QVERIFY(has(QStringLiteral("training, smoothed")));
    smooth->setFocus();
    QTest::keyClick(smooth, Qt::Key_Home);
    QTRY_VERIFY(!has(QStringLiteral("training, smoothed")));
    QTest::keyClick(smooth, Qt::Key_End);
    QTRY_VERIFY(has(QStringLiteral("training, smoothed")));

    const auto before = loss->yRange();
    auto* log = child<QCheckBox>("live.logLoss");
    QTest::mouseClick(log, Qt::LeftButton, {}, QPoint(8, log->height() / 2));
    QVERIFY(log->isChecked());
    QTRY_VERIFY(loss->yRange().first > 0 && loss->yRange() != before);

    Q_EMIT loss->zoomRequested(0.5, 1.5);
    QTRY_VERIFY(std::abs(edge() - 1.5) < 0.01);
    click("live.showAll");
    QTRY_VERIFY(edge() >= 2.5);
}

void LivePageTest::hoverGivesEveryValue()
{
    begin(100, 4);
    f->script->steps(0, 250);
    f->script->epoch(1, 100, 0.4, 0.9, true);
    f->script->epoch(2, 100, 0.3, 0.92, true);
    f->script->push(HardwareRead{0.5, {{"cpu", 0.98}, {"memory", 6e9}}});
    f->script->push(HardwareRead{1.5, {{"cpu", 0.97}, {"memory", 6e9}}});
    QTRY_VERIFY(child<PlotView>("live.plot.cpu"));
    auto* loss = child<PlotView>("live.plot.loss");
    QTest::qWait(150);
    const QRectF area = loss->plotArea();
    const double share = 1.0 / (loss->xAt(area.right()) - loss->xAt(area.left()));
    QTest::mouseMove(loss, QPoint(static_cast<int>(area.left() + share * area.width()), static_cast<int>(area.center().y())));
    auto* box = page->findChild<QWidget*>(QStringLiteral("live.hoverBox"));
    QTRY_VERIFY(box->isVisible());
    const QString words = box->accessibleDescription();
    QVERIFY2(words.contains(QStringLiteral("epoch 1, step ")) || words.contains(QStringLiteral("epoch 2, step ")), qPrintable(words));
    for (const char* what : {"training, smoothed", "training, raw", "validation 0.4000", "validation, accuracy 90.00 %", "learning rate 0.001", "CPU 98 %", "Memory"}) {
        QVERIFY2(words.contains(QLatin1String(what)), qPrintable(words));
    }
    QVERIFY(!std::isnan(child<PlotView>("live.plot.cpu")->hover())); // one line through all
    QVERIFY(page->rect().contains(QRect(box->mapTo(page.get(), QPoint(0, 0)), box->size())));
    QEvent leave(QEvent::Leave);
    QApplication::sendEvent(loss, &leave);
    QTRY_VERIFY(!box->isVisible());
}

void LivePageTest::pauseByMouseAndKeyboard()
{
    begin();
    f->script->steps(0, 20);
    QTRY_VERIFY(button("live.pause")->isEnabled());
    click("live.pause");
    QVERIFY(f->script->got(0) && std::holds_alternative<PauseCommand>(f->script->commands[0]));
    f->script->push(StatusChanged{RunStatus::Paused, "asked"});
    QTRY_COMPARE(button("live.pause")->text(), QStringLiteral("Go on"));
    QCOMPARE(child<StatusPill>("live.pill")->status(), QStringLiteral("paused"));
    press("live.pause");
    QVERIFY(f->script->got(1) && std::holds_alternative<ResumeCommand>(f->script->commands[1]));
    f->script->push(StatusChanged{RunStatus::Running, "asked"});
    QTRY_COMPARE(button("live.pause")->text(), QStringLiteral("Pause"));
}

void LivePageTest::stopCheckpointEpochs()
{
    begin();
    f->script->steps(0, 20);
    click("live.checkpoint");
    QVERIFY(f->script->got(0) && std::holds_alternative<CheckpointCommand>(f->script->commands[0]));
    click("live.addEpochs");
    auto* spin = child<QSpinBox>("live.epochsSpin");
    QTRY_VERIFY(spin->isVisible());
    QCOMPARE(spin->minimum(), 1);
    spin->selectAll();
    QTest::keyClicks(spin, QStringLiteral("9"));
    QTest::keyClick(spin, Qt::Key_Return);
    QVERIFY(f->script->got(1));
    const auto* amend = std::get_if<AmendCommand>(&f->script->commands[1]);
    QVERIFY(amend && amend->value == 9);
    QVERIFY(!spin->isVisible());
    f->script->push(Amended{{20, "/training/epochs", 4, 9}});
    QTRY_COMPARE(child<QLabel>("live.epochText")->text(), QStringLiteral("1 of 9"));
    press("live.stop");
    QVERIFY(f->script->got(2) && std::holds_alternative<StopCommand>(f->script->commands[2]));
    QTRY_VERIFY(!button("live.stop")->isEnabled());
    f->script->push(CheckpointSaved{"/nowhere/step-20", 20, "stop", false, 0.01});
    RunSummary summary;
    summary.steps = 20;
    f->script->push(RunEnded{RunStatus::Stopped, summary, "", "Stopped at step 20; the work is kept in a checkpoint.", "", ""});
    QTRY_VERIFY(child<QWidget>("live.outcome")->isVisible());
    QTRY_COMPARE(child<QLabel>("live.headline")->text(), QStringLiteral("Stopped at step 20"));
    QVERIFY(f->second()->run(run)->status == RunStatus::Stopped);
}

void LivePageTest::diskNotice()
{
    begin();
    f->script->push(StatusChanged{RunStatus::Paused, "No space is left on the disk. Training goes on by itself as soon as it can be written."});
    QTRY_VERIFY(child<QWidget>("live.notice")->isVisible());
    QVERIFY(allText().contains(QStringLiteral("No space is left on the disk")));
    f->script->push(StatusChanged{RunStatus::Running, "The disk can be written again."});
    QTRY_VERIFY(!child<QWidget>("live.notice")->isVisible());
}

void LivePageTest::finishedAndSaveModel()
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

void LivePageTest::failedNaN()
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

void LivePageTest::interruptedResumes()
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

void LivePageTest::queueCard()
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

void LivePageTest::backToTheRunningOne()
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

void LivePageTest::logModelAndCopy()
{
    LogModel model;
    QAbstractItemModelTester tester(&model, QAbstractItemModelTester::FailureReportingMode::QtTest);
    std::vector<LogRow> lines{{1000, "info", "one", 1}};
    model.setLines(lines, true);
    lines.push_back({2000, "error", "two", 1});
    QSignalSpy inserted(&model, &QAbstractItemModel::rowsInserted);
    model.setLines(lines, false);
    QCOMPARE(inserted.count(), 1);
    QCOMPARE(model.index(0).data().toString(), QStringLiteral("two")); // newest first
    lines.erase(lines.begin());
    model.setLines(lines, false);
    QCOMPARE(model.rowCount(), 1);

    begin();
    f->script->push(LogLine{"info", 1700000000000, "Trains on 9,000 samples."});
    auto* view = child<QListView>("live.log");
    QTRY_COMPARE(view->model()->rowCount(), 1);
    click("live.copyLog");
    QVERIFY(QApplication::clipboard()->text().contains(QStringLiteral("Trains on 9,000 samples.")));
}

void LivePageTest::smallWindow()
{
    begin(100, 4);
    f->script->steps(0, 250);
    f->script->push(HardwareRead{0.5, {{"cpu", 0.9}, {"memory", 6e9}}});
    QTRY_VERIFY(child<PlotView>("live.plot.cpu"));
    page->resize(1280 - 52, 720 - 24);
    page->setCompact(true, true);
    QTest::qWait(150);
    QVERIFY(child<QWidget>("live.tabs")->isVisible());
    QVERIFY(child<PlotView>("live.plot.cpu")->isVisible());
    QVERIFY(!child<PlotView>("live.plot.memory")->isVisible());
    QVERIFY(!child<QWidget>("live.queue")->isVisible());
    auto* tabs = child<SegmentedControl>("live.tabs");
    QTest::mouseClick(tabs->findChild<QPushButton*>(QStringLiteral("segment1")), Qt::LeftButton);
    QTRY_VERIFY(child<QWidget>("live.queue")->isVisible());
    QVERIFY(!child<QListView>("live.log")->isVisible());
    picture(QStringLiteral("live-1280x720"));
    page->resize(1100 - 52, 680 - 24);
    QTest::qWait(100);
    QVERIFY2(page->minimumSizeHint().width() <= 1048, qPrintable(QString::number(page->minimumSizeHint().width())));
    QVERIFY2(page->minimumSizeHint().height() <= 656, qPrintable(QString::number(page->minimumSizeHint().height())));
}

void LivePageTest::realRun()
{
    f->runService->setHostStarter(nullptr);
    QSignalSpy ended(f->runService.get(), &RunService::ended), failed(f->runService.get(), &RunService::startFailed);
    Recipe recipe = quickRecipe(400);
    recipe.training.batchSize = 200;
    f->runService->start(recipe, QStringLiteral("real"));
    QTRY_VERIFY_WITH_TIMEOUT((f->runService->current() && f->runService->current()->step > 3) || failed.count(), 60000);
    QCOMPARE(failed.count(), 0);
    click("live.checkpoint");
    click("live.pause");
    QTRY_COMPARE_WITH_TIMEOUT(child<StatusPill>("live.pill")->status(), QStringLiteral("paused"), 20000);
    const RunId id = f->runService->shown()->id;
    QTRY_VERIFY(f->second()->run(id)->status == RunStatus::Paused);
    QVERIFY(!f->second()->checkpoints(id)->empty());
    click("live.addEpochs");
    auto* spin = child<QSpinBox>("live.epochsSpin");
    QTRY_VERIFY(spin->isVisible());
    spin->setValue(spin->minimum() + 1);
    const int wanted = spin->value();
    click("live.epochsApply");
    QTRY_COMPARE_WITH_TIMEOUT(f->runService->current()->epochs, std::int64_t(wanted), 10000);
    click("live.pause");
    QTRY_COMPARE_WITH_TIMEOUT(ended.count(), 1, 120000);
    QTRY_VERIFY(child<QLabel>("live.score"));
    const auto row = f->second()->run(id);
    QVERIFY(row->status == RunStatus::Finished);
    QCOMPARE(row->summary.epochs, std::int64_t(wanted));
    QVERIFY(f->runService->shown()->log.size() >= static_cast<std::size_t>(wanted)); // an epoch a line
    QCOMPARE(child<QLabel>("live.score")->text(), QStringLiteral("%1 %").arg(100 * row->summary.testAccuracy, 0, 'f', 2));
    const QString out = f->folder()->filePath(QStringLiteral("digits.safetensors"));
    setFileChooser([&](QWidget*, const QString&, const QString&) { return out; });
    click("live.saveModel");
    QTRY_VERIFY_WITH_TIMEOUT(SafetensorsFile::open(out.toStdString()).ok(), 10000);
    picture(QStringLiteral("live-real"));
}

QTEST_MAIN(LivePageTest)
#include "live_page_test.moc"
