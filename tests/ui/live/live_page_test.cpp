// SPDX-License-Identifier: GPL-3.0-or-later
// The Live page while a run trains, with real events on real widgets; what the buttons did is read back through a second handle
// on the store.
#include "live_fixture.h"

#include "tests/support/patience.h"

#include <QAbstractItemModelTester>
#include <QCheckBox>
#include <QClipboard>
#include <QComboBox>
#include <QListView>
#include <QMenu>
#include <QSignalSpy>
#include <QSpinBox>

using namespace sconce;
using namespace sconce::ui;
using namespace sconce::ui::test;

class LivePageTest : public LivePageFixture
{
    Q_OBJECT

  private Q_SLOTS:
    void init() { open(); }
    void cleanup() { close(); }
    void emptySaysWhatToDo();
    void running();
    void stripsKeepTheirOrder();
    void memoryKeptOnAGpu();
    void axisAndSmoothing();
    void hoverGivesEveryValue();
    void pauseByMouseAndKeyboard();
    void stopCheckpointEpochs();
    void diskNotice();
    void goneBackNotice();
    void logModelAndCopy();
    void smallWindow();
};

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

/// Whatever is read first: how busy the processor is takes two looks, its memory one.
void LivePageTest::stripsKeepTheirOrder()
{
    begin(100, 4);
    f->script->steps(0, 50);
    f->script->push(HardwareRead{0.5, {{"memory", 6e9}}});
    QTRY_VERIFY(child<PlotView>("live.plot.memory"));
    f->script->push(HardwareRead{1.5, {{"cpu", 0.9}, {"memory", 6e9}, {"gpu1.use", 0.5}}});
    QTRY_VERIFY(child<PlotView>("live.plot.cpu") && child<PlotView>("live.plot.gpu1.use"));
    f->script->push(HardwareRead{2.5, {{"gpu0.reserved", 2e9}, {"gpu0.memory", 3e9}, {"gpu0.power", 500}, {"gpu0.use", 0.97}, {"gpu10.use", 0.1}}});
    QTRY_VERIFY(child<PlotView>("live.plot.gpu0.memory") && child<PlotView>("live.plot.gpu0.reserved") && child<PlotView>("live.plot.gpu0.power") && child<PlotView>("live.plot.gpu0.use") && child<PlotView>("live.plot.gpu10.use"));
    int above = 0;
    QStringList offered;
    const char* const order[] = {"rate", "gpu0.use", "gpu0.memory", "gpu0.reserved", "gpu0.power", "gpu1.use", "gpu10.use", "cpu", "memory"};
    for (const char* id : order) {
        auto* plot = child<PlotView>((std::string("live.plot.") + id).c_str());
        QTRY_VERIFY2(plot->mapTo(page.get(), QPoint()).y() > above, id);
        above = plot->mapTo(page.get(), QPoint()).y();
        offered << QStringLiteral("live.strip.") + QLatin1String(id);
    }
    QStringList inMenu;
    for (const QAction* action : qobject_cast<QMenu*>(child<QAction>("live.strip.rate")->parent())->actions()) inMenu << action->objectName();
    QCOMPARE(inMenu, offered);
}

/// What a run on a GPU tells of its memory: one strip with both curves. On a processor there is none.
void LivePageTest::memoryKeptOnAGpu()
{
    constexpr double gibi = 1024.0 * 1024 * 1024;
    begin(300, 4);
    f->script->steps(0, 300);
    for (int t = 0; t < 3; ++t) f->script->push(HardwareRead{t * 0.9 + 0.5, {{"cpu", 0.5}, {"memory", 6e9}}});
    QTRY_VERIFY(child<PlotView>("live.plot.memory"));
    QVERIFY(!child<PlotView>("live.plot.gpu0.reserved"));
    for (int t = 3; t < 9; ++t) {
        f->script->push(HardwareRead{t * 0.9 + 0.5, {{"cpu", 0.5}, {"memory", 6e9}, {"gpu0.use", 0.9}, {"gpu0.memory", 5.6 * gibi}, {"gpu0.allocated", (t % 2 ? 1.5 : 2.5) * gibi}, {"gpu0.reserved", 4.5 * gibi}}});
    }
    f->script->steps(300, 530);
    QTRY_VERIFY(child<PlotView>("live.plot.gpu0.reserved"));
    auto* plot = child<PlotView>("live.plot.gpu0.reserved");
    QTRY_VERIFY(plot->isVisible());
    QVERIFY(!child<PlotView>("live.plot.gpu0.allocated"));
    QTRY_VERIFY(allText().contains(QStringLiteral("allocated\n2.5 GiB")) && allText().contains(QStringLiteral("in all\n4.5 GiB")));
    QVERIFY(plot->yRange().second >= 4.5 * gibi);
    QVERIFY2(plot->summary().contains(QStringLiteral("GPU 0 reserved")) && plot->summary().contains(QStringLiteral("GPU 0 allocated")), qPrintable(plot->summary()));
    bool explained = false;
    for (const TermLabel* term : page->findChildren<TermLabel*>()) explained = explained || (term->text() == QStringLiteral("GPU 0 reserved") && term->toolTip().contains(QStringLiteral("Allocated")));
    QVERIFY(explained);
    picture(QStringLiteral("live-kept-memory"));
    // Both curves follow a change of the axis.
    QTest::mouseClick(child<SegmentedControl>("live.axis")->findChild<QPushButton*>(QStringLiteral("segment2")), Qt::LeftButton);
    QTRY_COMPARE(plot->valuesAt(6.8).size(), std::size_t{2});
    QCOMPARE(plot->valuesAt(6.8).at(0).y, 4.5 * gibi);
    QCOMPARE(plot->valuesAt(6.8).at(1).y, 1.5 * gibi);
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

/// Back after a NaN: a new attempt cuts the curves, and the notice says why.
void LivePageTest::goneBackNotice()
{
    begin();
    f->script->steps(0, 90);
    QTRY_COMPARE(f->runService->shown()->step, 90);
    QVERIFY(!child<QWidget>("live.notice")->isVisible());
    f->script->begin(40, 100, 4);
    f->script->push(Amended{{40, "/training/learning_rate", 0.01, 0.005}});
    QTRY_VERIFY(child<QWidget>("live.notice")->isVisible());
    QVERIFY(allText().contains(QStringLiteral("went back to step 40 and goes on with a learning rate of 0.005")));
    f->script->steps(40, 20);
    QTRY_COMPARE(f->runService->shown()->step, 60);
    QCOMPARE(f->runService->shown()->trainStep.size(), std::size_t(60)); // one series, no step twice
    QVERIFY(child<QWidget>("live.notice")->isVisible());
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
    QTRY_VERIFY(child<QWidget>("live.tabs")->isVisible());
    QTRY_VERIFY(child<PlotView>("live.plot.cpu")->isVisible());
    QTRY_VERIFY(!child<PlotView>("live.plot.memory")->isVisible());
    QTRY_VERIFY(!child<QWidget>("live.queue")->isVisible());
    auto* tabs = child<SegmentedControl>("live.tabs");
    QTest::mouseClick(tabs->findChild<QPushButton*>(QStringLiteral("segment1")), Qt::LeftButton);
    QTRY_VERIFY(child<QWidget>("live.queue")->isVisible());
    QVERIFY(!child<QListView>("live.log")->isVisible());
    picture(QStringLiteral("live-1280x720"));
    page->resize(1100 - 52, 680 - 24);
    QTRY_VERIFY2(page->minimumSizeHint().width() <= 1048, qPrintable(QString::number(page->minimumSizeHint().width())));
    QTRY_VERIFY2(page->minimumSizeHint().height() <= 656, qPrintable(QString::number(page->minimumSizeHint().height())));
}

QTEST_MAIN(LivePageTest)
#include "live_page_test.moc"
