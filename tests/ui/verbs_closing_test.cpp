// SPDX-License-Identifier: GPL-3.0-or-later
// Closing the real window while a run trains, its three answers, and what the next start finds: a run that trains on in the
// background, and one that was killed. `sconce runs … --json` says each time what is true outside of the window.
#include "tests/support/house.h"
#include "tests/support/patience.h"

#include "ui/shell/banner.h"
#include "ui/shell/rail.h"

#include <csignal>

using namespace sconce;
using namespace sconce::ui;
using namespace sconce::ui::test;

class VerbsClosingTest : public QObject
{
    Q_OBJECT

    std::unique_ptr<House> m;

    QJsonObject only() { return m->runs().value(0); }
    QString status() { return only()[QLatin1String("status")].toString(); }
    int steps() { return only()[QLatin1String("steps")].toInt(); }
    QString id() { return only()[QLatin1String("run")].toString(); }

    /// Closes by the keyboard and clicks an answer of the real dialog.
    bool closeAnd(int answer, QStringList* buttons = nullptr)
    {
        setAsker(nullptr);
        bool clicked = false;
        QTimer hand;
        QObject::connect(&hand, &QTimer::timeout, &hand, [&] {
            QWidget* dialog = QApplication::activeModalWidget();
            if (!dialog || dialog->objectName() != QLatin1String("question")) return;
            hand.stop();
            if (buttons)
                for (int i = 0; i < 3; ++i)
                    if (auto* b = dialog->findChild<QPushButton*>(QStringLiteral("answer%1").arg(i))) *buttons << b->text();
            auto* button = dialog->findChild<QPushButton*>(QStringLiteral("answer%1").arg(answer));
            clicked = button != nullptr;
            if (button) QTest::mouseClick(button, Qt::LeftButton);
            else dialog->close();
        });
        hand.start(30);
        QTest::keyClick(&m->window(), Qt::Key_Q, Qt::ControlModifier);
        return QTest::qWaitFor([&] { return clicked; }, sconce::test::patienceMs);
    }
    /// A run that goes on for long enough.
    bool trainForLong()
    {
        Recipe recipe = *recipeFromText(20000);
        m->service().start(recipe, QStringLiteral("long run"));
        const auto step = [&]() -> long long { return m->service().current() ? m->service().current()->step : -1; };
        return sconce::test::whileItGoesOn([&] { return QTest::qWaitFor([&] { return step() > 90; }, 100); }, step) && status() == QLatin1String("running");
    }
    static std::optional<Recipe> recipeFromText(int epochs)
    {
        auto json = parseJson(smallRecipe("long run", "8", epochs).toStdString(), "the recipe");
        if (!json.ok()) return {};
        auto parsed = recipeFromJson(*json);
        return parsed.ok() ? std::optional(parsed->recipe) : std::nullopt;
    }

  private Q_SLOTS:
    void initTestCase() { QVERIFY(commandLineBuilt()); }
    void init() { m = std::make_unique<House>(); }
    void cleanup()
    {
        // Nothing trains on after a test.
        for (const QJsonObject& row : m->runs()) {
            const QString at = row[QLatin1String("status")].toString();
            if (!m->isOpen() && (at == QLatin1String("running") || at == QLatin1String("paused"))) m->cli({QStringLiteral("runs"), QStringLiteral("stop"), row[QLatin1String("run")].toString()});
        }
        m.reset();
    }

    void cancelLeavesAllAsItIs()
    {
        m->open();
        QVERIFY(trainForLong());
        QStringList buttons;
        QVERIFY(closeAnd(2, &buttons));
        QCOMPARE(buttons, (QStringList{QStringLiteral("Keep training in the background"), QStringLiteral("Save and stop"), QStringLiteral("Cancel")}));
        QVERIFY(m->window().isVisible());
        const int before = steps();
        QCOMPARE(status(), QStringLiteral("running"));
        QTRY_VERIFY_WITH_TIMEOUT(steps() > before, sconce::test::patienceMs);
    }

    void saveAndStop()
    {
        m->open();
        QVERIFY(trainForLong());
        QVERIFY(closeAnd(1));
        QTRY_VERIFY_WITH_TIMEOUT(!m->window().isVisible(), sconce::test::patienceMs);
        QCOMPARE(status(), QStringLiteral("stopped"));
        QVERIFY(only()[QLatin1String("resumable")].toBool());
        bool stop = false;
        for (const QJsonValue& one : m->run(id())[QLatin1String("checkpoints")].toArray()) stop = stop || one.toObject()[QLatin1String("step")].toInt() == steps();
        QVERIFY2(stop, "the last step has no checkpoint");
    }

    void keepInTheBackgroundAndAttachAtTheNextStart()
    {
        m->open();
        QVERIFY(trainForLong());
        const int before = steps();
        QVERIFY(closeAnd(0));
        QTRY_VERIFY_WITH_TIMEOUT(!m->window().isVisible(), 5 * sconce::test::patienceMs);
        m->close(); // the window's process is gone
        QCOMPARE(status(), QStringLiteral("running"));
        QTRY_VERIFY_WITH_TIMEOUT(steps() > before + 90, 5 * sconce::test::patienceMs);
        // Those steps may still be of the window's own attempt: its process begins the next one when it has loaded the engine.
        QJsonArray attempts;
        QTRY_COMPARE_WITH_TIMEOUT((attempts = m->run(id())[QLatin1String("attempts")].toArray()).size(), 2, 5 * sconce::test::patienceMs);
        const int handedOver = attempts.at(1).toObject()[QLatin1String("start_step")].toInt();
        QTRY_VERIFY_WITH_TIMEOUT(steps() > handedOver + 90, 5 * sconce::test::patienceMs);
        QCOMPARE(attempts.at(0).toObject()[QLatin1String("host")].toString(), QStringLiteral("thread"));
        QVERIFY(attempts.at(1).toObject()[QLatin1String("host")].toString() != QLatin1String("thread"));

        // The next start finds it, shows it and steers it.
        m->open();
        QTRY_VERIFY_WITH_TIMEOUT(m->service().current() != nullptr, sconce::test::patienceMs);
        QCOMPARE(QString::fromStdString(m->service().current()->id), id());
        QVERIFY(m->find<RailButton>("rail.live")->dot());
        QVERIFY(m->page(PageId::Live));
        const int attached = steps();
        QTRY_VERIFY_WITH_TIMEOUT(m->service().current()->step > attached, sconce::test::patienceMs);
        QVERIFY(m->click("live.pause"));
        QTRY_COMPARE_WITH_TIMEOUT(status(), QStringLiteral("paused"), sconce::test::patienceMs);
        QTRY_COMPARE_WITH_TIMEOUT(m->find<QPushButton>("live.pause")->text(), QStringLiteral("Go on"), sconce::test::patienceMs);
        QVERIFY(m->click("live.pause"));
        QTRY_COMPARE_WITH_TIMEOUT(status(), QStringLiteral("running"), sconce::test::patienceMs);
        // Closing does not ask: it is not this window's to end.
        setAsker([](QWidget*, const Question&) { qFatal("closing asked about another process's run"); return 0; });
        QTest::keyClick(&m->window(), Qt::Key_Q, Qt::ControlModifier);
        QTRY_VERIFY_WITH_TIMEOUT(!m->window().isVisible(), sconce::test::patienceMs);
        m->close();
        QCOMPARE(status(), QStringLiteral("running"));
        m->open();
        QTRY_VERIFY_WITH_TIMEOUT(m->service().current() != nullptr, sconce::test::patienceMs);
        QVERIFY(m->page(PageId::Live));
        QVERIFY(m->click("live.stop"));
        QTRY_COMPARE_WITH_TIMEOUT(status(), QStringLiteral("stopped"), sconce::test::patienceMs);
    }

    void anInterruptedRunIsOfferedAndGoesOn()
    {
        // A trainer killed without a word: a second process, and SIGKILL.
        const QString file = m->path("killed.sconce");
        QFile out(file);
        QVERIFY(out.open(QIODevice::WriteOnly));
        out.write(smallRecipe("killed", "8", 20000));
        out.close();
        QProcess trainer;
        trainer.start(QStringLiteral(SCONCE_BIN_DIR "/sconce"), {QStringLiteral("train"), file, QStringLiteral("--quiet"), QStringLiteral("--store"), m->store()});
        QVERIFY(trainer.waitForStarted());
        QTRY_VERIFY_WITH_TIMEOUT(only()[QLatin1String("epochs")].toInt() >= 2, 5 * sconce::test::patienceMs);
        ::kill(static_cast<pid_t>(trainer.processId()), SIGKILL);
        QVERIFY(trainer.waitForFinished());
        QCOMPARE(status(), QStringLiteral("interrupted"));
        const int before = steps();

        m->open();
        QTRY_VERIFY_WITH_TIMEOUT(m->window().findChild<Banner*>(QStringLiteral("banner.resume")), sconce::test::patienceMs);
        QVERIFY(m->find<Banner>("banner.resume")->findChild<QLabel*>(QStringLiteral("bannerTitle"))->text().startsWith(QLatin1String("killed")));
        QVERIFY(m->click("banner.resume.action1")); // Show in Runs
        QTRY_COMPARE_WITH_TIMEOUT(m->window().currentPage(), PageId::Runs, sconce::test::patienceMs);
        QVERIFY(!m->click("banner.resume.action0", 100)); // answered
        // Looked at is not waved away: the next start offers it again.
        m->close();
        m->open();
        QVERIFY(m->click("banner.resume.action0")); // Resume
        QTRY_COMPARE_WITH_TIMEOUT(m->window().currentPage(), PageId::Live, sconce::test::patienceMs);
        QTRY_COMPARE_WITH_TIMEOUT(status(), QStringLiteral("running"), 5 * sconce::test::patienceMs);
        QTRY_VERIFY_WITH_TIMEOUT(steps() > before, 5 * sconce::test::patienceMs);
        const QJsonArray attempts = m->run(id())[QLatin1String("attempts")].toArray();
        QCOMPARE(attempts.size(), 2);
        QVERIFY(attempts.at(1).toObject()[QLatin1String("start_step")].toInt() > 0); // not afresh
        // The offer goes once it is taken.
        QTRY_VERIFY_WITH_TIMEOUT(!m->window().findChild<Banner*>(QStringLiteral("banner.resume")) || !m->find<Banner>("banner.resume")->isVisible(), sconce::test::patienceMs);
        QVERIFY(m->stopTraining());
        QTRY_COMPARE_WITH_TIMEOUT(status(), QStringLiteral("stopped"), sconce::test::patienceMs);
    }

    void aQueueLeftBehindWaitsForAWord()
    {
        m->open();
        QVERIFY(trainForLong());
        m->service().start(*recipeFromText(1), QStringLiteral("waiting"));
        QTRY_COMPARE_WITH_TIMEOUT(m->status(QStringLiteral("waiting")), QStringLiteral("queued"), sconce::test::patienceMs);
        QVERIFY(closeAnd(1));
        QTRY_VERIFY_WITH_TIMEOUT(!m->window().isVisible(), sconce::test::patienceMs);
        m->close();
        QCOMPARE(m->status(QStringLiteral("waiting")), QStringLiteral("queued"));
        m->open();
        QVERIFY(m->page(PageId::Runs));
        QTRY_VERIFY_WITH_TIMEOUT(m->service().queueHeld(), sconce::test::patienceMs);
        QCOMPARE(m->status(QStringLiteral("waiting")), QStringLiteral("queued"));
        QVERIFY(m->page(PageId::Live));
        QVERIFY(m->click("live.startHeld"));
        QTRY_COMPARE_WITH_TIMEOUT(m->status(QStringLiteral("waiting")), QStringLiteral("finished"), 5 * sconce::test::patienceMs);
    }
};

QTEST_MAIN(VerbsClosingTest)
#include "verbs_closing_test.moc"
