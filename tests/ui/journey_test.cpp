// SPDX-License-Identifier: GPL-3.0-or-later
// Through the whole house with real events on the real window, each step confirmed by the command line in a second process:
// add data, train on it, change the stack, name and start; pause, go on, checkpoint, stop; rename, resume, stop from outside,
// train longer, try, save, delete.
#include "tests/support/ui.h"

#include "tests/support/bars.h"
#include "tests/support/studio_fixture.h"
#include "tests/support/patience.h"
#include "ui/widgets/page.h"
#include "ui/widgets/parts.h"

#include <QAction>
#include <QComboBox>
#include <QFile>
#include <QJsonArray>
#include <QJsonDocument>
#include <QJsonObject>
#include <QLineEdit>
#include <QListView>
#include <QMenu>
#include <QProcess>
#include <QPushButton>
#include <QSpinBox>
#include <QTabBar>
#include <QTableView>
#include <QTemporaryDir>
#include <QToolButton>

using namespace sconce;
using namespace sconce::ui;
using namespace sconce::ui::test;

class JourneyTest : public QObject
{
    Q_OBJECT

    QTemporaryDir m_dir;
    std::unique_ptr<StudioWindow> m_studio;
    QString m_run;  ///< id of the run of this journey
    QString m_said; ///< the command line's words, for messages of failures

    MainWindow& window() { return *m_studio->window; }
    template <class T> T* find(const QString& name) { return window().findChild<T*>(name); }
    void click(const char* name)
    {
        auto* button = find<QAbstractButton>(QLatin1String(name));
        QVERIFY2(button, name);
        QTRY_VERIFY2_WITH_TIMEOUT(button->isVisible() && button->isEnabled(), name, sconce::test::patienceMs);
        QTest::mouseClick(button, Qt::LeftButton);
    }

    /// JSON lines of the command line, a second process on the same store.
    QList<QJsonObject> cli(QStringList arguments)
    {
        arguments << QStringLiteral("--json") << QStringLiteral("--store") << m_dir.filePath(QStringLiteral("store"));
        QProcess process;
        process.start(QStringLiteral(SCONCE_BIN_DIR "/sconce"), arguments);
        process.waitForFinished(60000);
        m_said = QString::fromUtf8(process.readAllStandardError());
        QList<QJsonObject> lines;
        for (const QByteArray& line : process.readAllStandardOutput().split('\n'))
            if (!line.isEmpty()) lines << QJsonDocument::fromJson(line).object();
        return lines;
    }
    QJsonObject listed()
    {
        for (const QJsonObject& run : cli({QStringLiteral("runs"), QStringLiteral("list")}))
            if (m_run.isEmpty() || run[QLatin1String("run")].toString() == m_run) return run;
        return {};
    }
    QString status() { return listed()[QLatin1String("status")].toString(); }
    QJsonObject shown() { return cli({QStringLiteral("runs"), QStringLiteral("show"), m_run}).value(0); }
    void selectRun()
    {
        Q_EMIT m_studio->studio().navigator->selectRun(m_run);
        QTRY_COMPARE_WITH_TIMEOUT(window().currentPage(), PageId::Runs, sconce::test::patienceMs);
        QTRY_VERIFY_WITH_TIMEOUT(find<QTableView>(QStringLiteral("runs.table"))->selectionModel()->hasSelection(), sconce::test::patienceMs);
    }

  private Q_SLOTS:
    void initTestCase()
    {
        QVERIFY2(QFile::exists(QStringLiteral(SCONCE_BIN_DIR "/sconce")), "the command line is not built");
        Theme::instance().apply(*qApp, ThemeChoice::Dark);
        writeBars(m_dir.filePath(QStringLiteral("bars")), 2000, 200);
        m_studio = std::make_unique<StudioWindow>(m_dir.filePath(QStringLiteral("store")), m_dir.filePath(QStringLiteral("config")));
        window().resize(1440, 900);
        m_studio->show();
        setAsker([](QWidget*, const Question& question) { return question.defaultButton; });
    }

    void cleanupTestCase()
    {
        if (m_studio && m_studio->studio().runService->training()) {
            bool stopped = false;
            m_studio->studio().runService->saveAndStop([&] { stopped = true; });
            QTRY_VERIFY_WITH_TIMEOUT(stopped, sconce::test::patienceMs);
        }
        setAsker(nullptr);
        setFileChooser(nullptr);
        m_studio.reset();
    }

    void addData()
    {
        window().goTo(PageId::Data);
        setFileChooser([this](QWidget*, const QString&, const QString&) { return m_dir.filePath(QStringLiteral("bars")); });
        auto* folder = find<QAction>(QStringLiteral("data.addFolder"));
        QVERIFY(folder);
        folder->trigger();
        QTRY_VERIFY_WITH_TIMEOUT(m_studio->studio().data->sets().size() == 2, sconce::test::patienceMs);
        auto* facts = find<ElidedLabel>(QStringLiteral("data.facts"));
        QVERIFY(facts);
        QTRY_VERIFY2(facts->fullText().contains(QStringLiteral("12×12")), qPrintable(facts->fullText()));
        const QJsonObject seen = cli({QStringLiteral("data"), QStringLiteral("inspect"), m_dir.filePath(QStringLiteral("bars"))}).value(0);
        const DatasetInfo& info = m_studio->studio().data->sets().back();
        QCOMPARE(seen[QLatin1String("fingerprint")].toString().toStdString(), info.fingerprint);
    }

    void trainOnThisData()
    {
        click("data.train");
        QTRY_COMPARE_WITH_TIMEOUT(window().currentPage(), PageId::Compose, sconce::test::patienceMs);
        // A stack that fits: the dense starter from the menu, on this data.
        auto* menu = find<QMenu>(QStringLiteral("compose.recipes.menu"));
        QVERIFY(menu);
        Q_EMIT menu->aboutToShow(); // it is filled when it opens
        auto* starter = find<QAction>(QStringLiteral("compose.recipes.mnist-mlp"));
        QVERIFY(starter);
        setAsker([](QWidget*, const Question& question) { return std::max<int>(0, static_cast<int>(question.buttons.indexOf(QStringLiteral("Don't save")))); });
        starter->trigger();
        QTRY_COMPARE_WITH_TIMEOUT(find<QLineEdit>(QStringLiteral("compose.name"))->text(), QStringLiteral("mnist-mlp"), sconce::test::patienceMs);
        Q_EMIT m_studio->studio().navigator->composeData(QString::fromStdString(m_studio->studio().data->sets().back().id));
        QTRY_VERIFY_WITH_TIMEOUT(find<QPushButton>(QStringLiteral("compose.start"))->isEnabled(), sconce::test::patienceMs);
    }

    void nameLayerAndStart()
    {
        auto* name = find<QLineEdit>(QStringLiteral("compose.name"));
        QVERIFY(name);
        name->setFocus();
        name->selectAll();
        QTest::keyClicks(name, QStringLiteral("journey"));
        QTest::keyClick(name, Qt::Key_Return);
        // One more layer, by the keyboard: chosen in the palette, put below what is selected.
        auto* stack = find<QListView>(QStringLiteral("compose.stack"));
        QVERIFY(stack);
        const QRect first = stack->visualRect(stack->model()->index(2, 0));
        QTest::mouseClick(stack->viewport(), Qt::LeftButton, {}, first.center());
        auto* search = find<QLineEdit>(QStringLiteral("compose.palette.search"));
        search->setFocus();
        QTest::keyClicks(search, QStringLiteral("layer norm"));
        QTest::keyClick(search, Qt::Key_Return);
        // Enough epochs that there is time to steer.
        find<QTabBar>(QStringLiteral("compose.tabs"))->setCurrentIndex(1);
        bool changed = false;
        for (QSpinBox* spin : window().page(PageId::Compose)->findChildren<QSpinBox*>()) {
            if (!spin->accessibleName().startsWith(QLatin1String("Epochs"))) continue;
            spin->setFocus();
            spin->selectAll();
            QTest::keyClicks(spin, QStringLiteral("3000"));
            QTest::keyClick(spin, Qt::Key_Return);
            changed = true;
        }
        QVERIFY(changed);
        click("compose.start");
        QTRY_COMPARE_WITH_TIMEOUT(window().currentPage(), PageId::Live, sconce::test::patienceMs);
        QTRY_COMPARE_WITH_TIMEOUT(status(), QStringLiteral("running"), 5 * sconce::test::patienceMs);
        m_run = listed()[QLatin1String("run")].toString();
        const QJsonObject run = shown();
        QCOMPARE(run[QLatin1String("name")].toString(), QStringLiteral("journey"));
        const QJsonObject recipe = run[QLatin1String("recipe_value")].toObject();
        QCOMPARE(recipe[QLatin1String("training")].toObject()[QLatin1String("epochs")].toInt(), 3000);
        QStringList types;
        for (const QJsonValue& layer : recipe[QLatin1String("layers")].toArray()) types << layer.toObject()[QLatin1String("type")].toString();
        QVERIFY2(types.contains(QLatin1String("layer_norm")), qPrintable(types.join(QLatin1Char(' '))));
    }

    void pauseAndGoOn()
    {
        click("live.pause");
        QTRY_COMPARE_WITH_TIMEOUT(status(), QStringLiteral("paused"), sconce::test::patienceMs);
        QTRY_VERIFY_WITH_TIMEOUT(m_studio->studio().runService->current()->status == RunStatus::Paused, sconce::test::patienceMs);
        QTRY_VERIFY_WITH_TIMEOUT(find<QPushButton>(QStringLiteral("live.pause"))->text() != QLatin1String("Pause"), sconce::test::patienceMs);
        click("live.pause");
        QTRY_COMPARE_WITH_TIMEOUT(status(), QStringLiteral("running"), sconce::test::patienceMs);
    }

    void checkpointNow()
    {
        click("live.checkpoint");
        const auto asked = [this] {
            for (const QJsonValue& one : shown()[QLatin1String("checkpoints")].toArray())
                if (one.toObject()[QLatin1String("reason")].toString() == QLatin1String("asked")) return true;
            return false;
        };
        // Kept only until newer ones take its place, so the log counts too.
        const auto logged = [this] {
            const LiveRun* run = m_studio->studio().runService->current();
            if (!run) return false;
            for (const CheckpointSaved& one : run->checkpoints)
                if (one.reason == "asked") return true;
            return false;
        };
        // Where an epoch ends at the very same step, one checkpoint serves both and bears the epoch's name: ask again then.
        for (int again = 0; again < 20 && !asked() && !logged(); ++again) {
            QTest::qWait(200);
            if (!asked() && !logged()) click("live.checkpoint");
        }
        QVERIFY(asked() || logged());
        QVERIFY(!shown()[QLatin1String("checkpoints")].toArray().isEmpty());
    }

    void stopKeepsTheWork()
    {
        click("live.stop");
        QTRY_COMPARE_WITH_TIMEOUT(status(), QStringLiteral("stopped"), sconce::test::patienceMs);
        QVERIFY(listed()[QLatin1String("resumable")].toBool());
        QTRY_VERIFY_WITH_TIMEOUT(!m_studio->studio().runService->training(), sconce::test::patienceMs);
    }

    void rename()
    {
        selectRun();
        click("runs.rename");
        QTRY_VERIFY_WITH_TIMEOUT(find<QLineEdit>(QStringLiteral("runs.nameEditor")), sconce::test::patienceMs);
        auto* editor = find<QLineEdit>(QStringLiteral("runs.nameEditor"));
        editor->selectAll();
        QTest::keyClicks(editor, QStringLiteral("renamed by hand"));
        QTest::keyClick(editor, Qt::Key_Return);
        QTRY_COMPARE_WITH_TIMEOUT(listed()[QLatin1String("name")].toString(), QStringLiteral("renamed by hand"), sconce::test::patienceMs);
    }

    void resumeAndStopFromOutside()
    {
        const int steps = listed()[QLatin1String("steps")].toInt();
        selectRun();
        click("runs.resume");
        QTRY_COMPARE_WITH_TIMEOUT(status(), QStringLiteral("running"), 5 * sconce::test::patienceMs);
        QTRY_VERIFY_WITH_TIMEOUT(listed()[QLatin1String("steps")].toInt() > steps, 5 * sconce::test::patienceMs);
        // The other way round: the command line stops what the window trains.
        cli({QStringLiteral("runs"), QStringLiteral("stop"), m_run});
        QTRY_VERIFY_WITH_TIMEOUT(!m_studio->studio().runService->training(), sconce::test::patienceMs);
        QTRY_COMPARE_WITH_TIMEOUT(status(), QStringLiteral("stopped"), sconce::test::patienceMs);
        QTRY_VERIFY_WITH_TIMEOUT(m_studio->studio().runs->find(m_run.toStdString())->status == RunStatus::Stopped, sconce::test::patienceMs);
    }

    void saveTheRecipe()
    {
        const QString file = m_dir.filePath(QStringLiteral("saved.sconce"));
        setFileChooser([=](QWidget*, const QString&, const QString&) { return file; });
        window().goTo(PageId::Compose);
        QCOMPARE(find<QLineEdit>(QStringLiteral("compose.name"))->text(), QStringLiteral("journey"));
        click("compose.save");
        QTRY_VERIFY_WITH_TIMEOUT(QFile::exists(file), sconce::test::patienceMs);
        const QList<QJsonObject> lines = cli({QStringLiteral("describe"), file});
        QVERIFY(!lines.isEmpty());
        bool norm = false;
        QString all;
        for (const QJsonObject& line : lines) all += QString::fromUtf8(QJsonDocument(line).toJson(QJsonDocument::Compact));
        norm = all.contains(QLatin1String("layer_norm"));
        QVERIFY2(norm, qPrintable(m_said + all));
    }

    void tryAndSaveTheModel()
    {
        const QString file = m_dir.filePath(QStringLiteral("model.safetensors"));
        QStringList asked;
        setAsker([&](QWidget*, const Question& question) {
            asked << question.title << question.text;
            return question.defaultButton;
        });
        setFileChooser([=](QWidget*, const QString&, const QString&) { return file; });
        Q_EMIT m_studio->studio().navigator->tryRun(m_run);
        QTRY_COMPARE_WITH_TIMEOUT(window().currentPage(), PageId::TryIt, sconce::test::patienceMs);
        click("tryit.save");
        if (auto* problem = find<QLabel>(QStringLiteral("tryit.problem")); problem && problem->isVisible()) asked << problem->text();
        QTRY_VERIFY2_WITH_TIMEOUT(QFile::exists(file) && QFile(file).size() > 1000, qPrintable(asked.join(QLatin1Char(' '))), sconce::test::patienceMs);
        // The same weights as the command line takes out.
        const QString other = m_dir.filePath(QStringLiteral("cli.safetensors"));
        cli({QStringLiteral("export"), m_run, QStringLiteral("--format"), QStringLiteral("safetensors"), QStringLiteral("--out"), other});
        QVERIFY(QFile::exists(other));
        QCOMPARE(QFile(other).size(), QFile(file).size());
    }

    void deleteWithItsFiles()
    {
        const QString folder = shown()[QLatin1String("folder")].toString();
        QVERIFY(QDir(folder).exists());
        selectRun();
        QString said;
        setAsker([&](QWidget*, const Question& question) {
            said = question.title + question.text;
            for (int i = 0; i < question.buttons.size(); ++i)
                if (question.buttons[i].startsWith(QLatin1String("Delete"))) return i;
            return question.cancelButton;
        });
        click("runs.delete");
        QTRY_VERIFY2_WITH_TIMEOUT(listed().isEmpty(), qPrintable(said), sconce::test::patienceMs);
        QVERIFY(!said.isEmpty());
        QVERIFY(!QDir(folder).exists());
    }
};

QTEST_MAIN(JourneyTest)
#include "journey_test.moc"
