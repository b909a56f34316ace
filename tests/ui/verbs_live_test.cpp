// SPDX-License-Identifier: GPL-3.0-or-later
// Every verb of the Live page on the real window over really training runs, and the queue of a second Start; `sconce runs …
// --json` says what became of each.
#include "tests/support/house.h"
#include "tests/support/patience.h"

#include "ui/charts/plot_view.h"
#include "ui/compose/compose_page.h"
#include "ui/widgets/parts.h"

#include <QCheckBox>
#include <QSpinBox>

using namespace sconce;
using namespace sconce::ui;
using namespace sconce::ui::test;

class VerbsLiveTest : public QObject
{
    Q_OBJECT

    House m;

    QString liveStatus() { return m.service().shown() ? QString::fromLatin1(statusName(m.service().shown()->status)) : QString(); }
    /// A recipe file dropped onto Compose and started with the button there.
    bool startFromCompose(const char* name, int epochs, QByteArray recipe = {})
    {
        const QString file = m.path(name) + QStringLiteral(".sconce");
        QFile out(file);
        if (recipe.isEmpty()) recipe = smallRecipe(name, "8", epochs);
        if (!out.open(QIODevice::WriteOnly) || out.write(recipe) != recipe.size()) return false;
        out.close();
        if (!m.page(PageId::Compose)) return false;
        auto* page = static_cast<ComposePage*>(m.window().page(PageId::Compose));
        if (!House::dropFile(m.find<QWidget>("compose.stack"), file)) return false;
        if (!QTest::qWaitFor([&] { return page->document().recipe().name == name; }, sconce::test::patienceMs)) return false;
        return m.click("compose.start");
    }
    void press(const char* name) // by keyboard
    {
        auto* button = m.find<QPushButton>(name);
        QTRY_VERIFY2_WITH_TIMEOUT(button->isVisible() && button->isEnabled(), name, sconce::test::patienceMs);
        button->setFocus();
        QTest::keyClick(button, Qt::Key_Space);
    }

  private Q_SLOTS:
    void initTestCase()
    {
        QVERIFY(commandLineBuilt());
        m.open();
        QTRY_VERIFY_WITH_TIMEOUT(!m.studio().data->sets().empty() && !m.studio().hardware->devices().empty(), sconce::test::patienceMs);
        setAsker([](QWidget*, const Question& question) { return question.defaultButton; });
    }
    void cleanupTestCase() { m.close(); }

    void aSecondStartIsQueued()
    {
        QVERIFY(startFromCompose("first", 20000));
        QTRY_COMPARE_WITH_TIMEOUT(m.status(QStringLiteral("first")), QStringLiteral("running"), 5 * sconce::test::patienceMs);
        QVERIFY(startFromCompose("second", 20000));
        QTRY_COMPARE_WITH_TIMEOUT(m.status(QStringLiteral("second")), QStringLiteral("queued"), sconce::test::patienceMs);
        QVERIFY(startFromCompose("third", 1));
        QTRY_COMPARE_WITH_TIMEOUT(m.status(QStringLiteral("third")), QStringLiteral("queued"), sconce::test::patienceMs);
        QCOMPARE(m.status(QStringLiteral("first")), QStringLiteral("running"));
        QVERIFY(m.page(PageId::Live));
        // The third is taken out again; it never began and leaves no trace.
        QVERIFY(m.click("live.unqueue.1"));
        QTRY_VERIFY_WITH_TIMEOUT(m.runNamed(QStringLiteral("third")).isEmpty(), sconce::test::patienceMs);
        QCOMPARE(m.status(QStringLiteral("second")), QStringLiteral("queued"));
    }

    void pauseGoOnByKey()
    {
        press("live.pause");
        QTRY_COMPARE_WITH_TIMEOUT(m.status(QStringLiteral("first")), QStringLiteral("paused"), sconce::test::patienceMs);
        QTRY_COMPARE_WITH_TIMEOUT(m.find<QPushButton>("live.pause")->text(), QStringLiteral("Go on"), sconce::test::patienceMs);
        press("live.pause");
        QTRY_COMPARE_WITH_TIMEOUT(m.status(QStringLiteral("first")), QStringLiteral("running"), sconce::test::patienceMs);
    }

    void addEpochs()
    {
        QVERIFY(m.click("live.addEpochs"));
        auto* spin = m.find<QSpinBox>("live.epochsSpin");
        QTRY_VERIFY_WITH_TIMEOUT(spin->isVisible(), sconce::test::patienceMs);
        House::typeOver(spin, QStringLiteral("30000"));
        QTRY_COMPARE_WITH_TIMEOUT(m.runNamed(QStringLiteral("first"))[QLatin1String("epochs_planned")].toInt(), 30000, sconce::test::patienceMs);
    }

    void axesSmoothingLogAndHover()
    {
        auto* loss = m.find<PlotView>("live.plot.loss");
        auto* axis = m.find<SegmentedControl>("live.axis");
        QTRY_VERIFY_WITH_TIMEOUT(!m.service().current()->valLoss.empty(), sconce::test::patienceMs);
        QTest::mouseClick(axis->findChild<QAbstractButton*>(QStringLiteral("segment0")), Qt::LeftButton);
        const auto edge = [&] { return loss->xAt(loss->plotArea().right()); };
        QTRY_VERIFY_WITH_TIMEOUT(edge() > 80, sconce::test::patienceMs);
        QVERIFY(loss->summary().contains(QLatin1String("training, smoothed")));
        auto* smooth = m.find<QComboBox>("live.smooth");
        QVERIFY(House::choose(smooth, 0));
        QTRY_VERIFY_WITH_TIMEOUT(!loss->summary().contains(QLatin1String("training, smoothed")) && loss->summary().contains(QLatin1String("validation")), sconce::test::patienceMs);
        QVERIFY(House::choose(smooth, 2));
        const auto linear = loss->yRange();
        auto* log = m.find<QCheckBox>("live.logLoss");
        QTest::mouseClick(log, Qt::LeftButton, {}, QPoint(8, log->height() / 2));
        QTRY_VERIFY_WITH_TIMEOUT(loss->yRange().first > 0 && loss->yRange() != linear, sconce::test::patienceMs);
        log->setFocus();
        QTest::keyClick(log, Qt::Key_Space);
        QTRY_VERIFY_WITH_TIMEOUT(!log->isChecked(), sconce::test::patienceMs);
        QTest::mouseMove(loss, loss->plotArea().center().toPoint());
        auto* box = m.find<QWidget>("live.hoverBox");
        QTRY_VERIFY_WITH_TIMEOUT(box->isVisible(), sconce::test::patienceMs);
        QVERIFY2(box->accessibleDescription().contains(QLatin1String("step ")) && box->accessibleDescription().contains(QLatin1String("validation")), qPrintable(box->accessibleDescription()));
        // The hover line by keys, and the zoom.
        loss->setFocus();
        const double before = loss->hover();
        QTest::keyClick(loss, Qt::Key_Left);
        QTRY_VERIFY_WITH_TIMEOUT(loss->hover() != before, sconce::test::patienceMs);
        const double whole = edge();
        QTest::keyClick(loss, Qt::Key_Plus);
        QTRY_VERIFY_WITH_TIMEOUT(edge() < whole || loss->xAt(loss->plotArea().left()) > 1, sconce::test::patienceMs);
        QVERIFY(m.click("live.showAll"));
        QTest::mouseClick(axis->findChild<QAbstractButton*>(QStringLiteral("segment1")), Qt::LeftButton);
        // The hardware strip stands on the same axis.
        QTRY_VERIFY_WITH_TIMEOUT(m.window().findChild<PlotView*>(QStringLiteral("live.plot.cpu")), sconce::test::patienceMs);
        QVERIFY(m.window().findChild<PlotView*>(QStringLiteral("live.plot.memory")));
    }

    void checkpointByKey()
    {
        const auto asked = [this] {
            for (const CheckpointSaved& one : m.service().current()->checkpoints)
                if (one.reason == "asked") return true;
            return false;
        };
        for (int again = 0; again < 20 && !asked(); ++again) { // at the very end of an epoch it bears the epoch's name
            press("live.checkpoint");
            QTest::qWait(200);
        }
        QVERIFY(asked());
        const QString id = m.runNamed(QStringLiteral("first"))[QLatin1String("run")].toString();
        QTRY_VERIFY_WITH_TIMEOUT(!m.run(id)[QLatin1String("checkpoints")].toArray().isEmpty(), sconce::test::patienceMs);
    }

    void theQueueFollowsWhenTheFirstStops()
    {
        press("live.stop");
        QTRY_COMPARE_WITH_TIMEOUT(m.status(QStringLiteral("first")), QStringLiteral("stopped"), sconce::test::patienceMs);
        QTRY_COMPARE_WITH_TIMEOUT(m.status(QStringLiteral("second")), QStringLiteral("running"), 5 * sconce::test::patienceMs);
        QTRY_VERIFY_WITH_TIMEOUT(m.service().current() && m.service().current()->row.name == "second", sconce::test::patienceMs);
        QVERIFY(m.click("live.stop"));
        QTRY_COMPARE_WITH_TIMEOUT(m.status(QStringLiteral("second")), QStringLiteral("stopped"), sconce::test::patienceMs);
        QTRY_VERIFY_WITH_TIMEOUT(!m.service().training(), sconce::test::patienceMs);
    }

    void theEndCard()
    {
        QVERIFY(startFromCompose("short", 2));
        QTRY_COMPARE_WITH_TIMEOUT(m.status(QStringLiteral("short")), QStringLiteral("finished"), 5 * sconce::test::patienceMs);
        QTRY_COMPARE_WITH_TIMEOUT(m.window().currentPage(), PageId::Live, sconce::test::patienceMs);
        QTRY_VERIFY_WITH_TIMEOUT(m.window().findChild<QLabel*>(QStringLiteral("live.score")), sconce::test::patienceMs);
        const QJsonObject run = m.runNamed(QStringLiteral("short"));
        QTRY_COMPARE_WITH_TIMEOUT(m.find<QLabel>("live.score")->text(), QString::number(100 * run[QLatin1String("test_accuracy")].toDouble(), 'f', 2) + QStringLiteral(" %"), sconce::test::patienceMs);
        // Save model.
        const QString file = m.path("short.safetensors"), other = m.path("cli.safetensors");
        setFileChooser([&](QWidget*, const QString&, const QString&) { return file; });
        QVERIFY(m.click("live.saveModel"));
        QTRY_VERIFY_WITH_TIMEOUT(QFileInfo(file).size() > 1000, sconce::test::patienceMs);
        m.cli({QStringLiteral("export"), run[QLatin1String("run")].toString(), QStringLiteral("--format"), QStringLiteral("safetensors"), QStringLiteral("--out"), other});
        QCOMPARE(QFileInfo(file).size(), QFileInfo(other).size());
        // Try it.
        QVERIFY(m.click("live.tryIt"));
        QTRY_COMPARE_WITH_TIMEOUT(m.window().currentPage(), PageId::TryIt, sconce::test::patienceMs);
        QTRY_COMPARE_WITH_TIMEOUT(m.find<QComboBox>("tryit.run")->currentData().toString(), run[QLatin1String("run")].toString(), sconce::test::patienceMs);
        // Train longer: two epochs more, on from where it was.
        QVERIFY(m.page(PageId::Live));
        QVERIFY(m.click("live.trainLonger"));
        auto* spin = m.find<QSpinBox>("live.epochsSpin");
        QTRY_VERIFY_WITH_TIMEOUT(spin->isVisible(), sconce::test::patienceMs);
        House::typeOver(spin, QStringLiteral("4"));
        QTRY_COMPARE_WITH_TIMEOUT(m.runNamed(QStringLiteral("short"))[QLatin1String("epochs")].toInt(), 4, 5 * sconce::test::patienceMs);
        QTRY_COMPARE_WITH_TIMEOUT(m.status(QStringLiteral("short")), QStringLiteral("finished"), sconce::test::patienceMs);
        const QJsonArray attempts = m.run(run[QLatin1String("run")].toString())[QLatin1String("attempts")].toArray();
        QCOMPARE(attempts.size(), 2);
        QCOMPARE(attempts.at(1).toObject()[QLatin1String("start_step")].toInt(), 180);
        QTRY_VERIFY_WITH_TIMEOUT(!m.service().training(), sconce::test::patienceMs);
    }

    void afterAFailureTheWaysOut()
    {
        QByteArray recipe = smallRecipe("explodes", "8", 3, "100, \"optimiser\": { \"type\": \"sgd\" }");
        recipe.replace(", \"activation\": \"relu\"", "").replace("\"dataset\": \"digits\",", "\"dataset\": \"digits\", \"input\": { \"scale\": false },");
        QVERIFY(startFromCompose("explodes", 3, recipe));
        QTRY_COMPARE_WITH_TIMEOUT(m.status(QStringLiteral("explodes")), QStringLiteral("failed"), 5 * sconce::test::patienceMs);
        const QJsonObject run = m.run(m.runNamed(QStringLiteral("explodes"))[QLatin1String("run")].toString());
        QTRY_VERIFY_WITH_TIMEOUT(m.window().findChild<QPushButton*>(QStringLiteral("live.lowerRate")), sconce::test::patienceMs);
        QTRY_COMPARE_WITH_TIMEOUT(m.find<QLabel>("live.headline")->text(), run[QLatin1String("message")].toString(), sconce::test::patienceMs);
        // The way out: a new run with a tenth of the rate, composed and described by the second process.
        QVERIFY(m.click("live.lowerRate"));
        QTRY_COMPARE_WITH_TIMEOUT(m.window().currentPage(), PageId::Compose, sconce::test::patienceMs);
        const QString file = m.path("lower.sconce");
        setFileChooser([&](QWidget*, const QString&, const QString&) { return file; });
        auto& document = static_cast<ComposePage*>(m.window().page(PageId::Compose))->document();
        QTRY_VERIFY_WITH_TIMEOUT(document.recipe().training.learningRate < 100, sconce::test::patienceMs);
        QVERIFY(m.click("compose.save"));
        QTRY_VERIFY_WITH_TIMEOUT(QFile::exists(file), sconce::test::patienceMs);
        QVERIFY(!m.cli({QStringLiteral("describe"), file}).isEmpty());
        QFile saved(file);
        QVERIFY(saved.open(QIODevice::ReadOnly));
        QCOMPARE(QJsonDocument::fromJson(saved.readAll()).object()[QLatin1String("training")].toObject()[QLatin1String("learning_rate")].toDouble(), 10.0);
    }
};

QTEST_MAIN(VerbsLiveTest)
#include "verbs_live_test.moc"
