// SPDX-License-Identifier: GPL-3.0-or-later
// The real window: pages by mouse and by key, small windows, what is remembered, the banner of interrupted runs, and what
// closing offers while something trains. What a run became is read through a second handle on the store.
#include "tests/support/ui.h"

#include "tests/support/paths.h"
#include "tests/support/studio_fixture.h"
#include "tests/support/patience.h"
#include "ui/hardware/hardware_page.h"
#include "ui/settings/store_place.h"
#include "ui/shell/banner.h"
#include "ui/shell/rail.h"
#include "ui/shell/status_bar.h"
#include "ui/widgets/list_row.h"
#include "ui/widgets/parts.h"

#include <QCheckBox>
#include <QClipboard>
#include <QDialog>
#include <QDir>
#include <QProcess>
#include <QSignalSpy>
#include <QSpinBox>
#include <QTemporaryDir>

using namespace sconce;
using namespace sconce::ui;
using namespace sconce::ui::test;

class ShellTest : public QObject
{
    Q_OBJECT

    std::unique_ptr<QTemporaryDir> m_dir;
    std::unique_ptr<StudioWindow> m_studio;

    MainWindow& window() { return *m_studio->window; }
    template <class T> T* find(const char* name) { return window().findChild<T*>(QLatin1String(name)); }
    std::shared_ptr<Store> second() { return *Store::open(m_dir->filePath(QStringLiteral("store")).toStdString()); }
    void open(PageId first = PageId::Welcome, HardwareSources sources = {})
    {
        m_studio = std::make_unique<StudioWindow>(m_dir->filePath(QStringLiteral("store")), m_dir->filePath(QStringLiteral("config")), std::move(sources));
        window().resize(1440, 900);
        m_studio->show(first);
    }
    /// Starts a real run that goes on for long enough, and waits for its first steps.
    void trainForLong()
    {
        Recipe recipe = quickRecipe(500);
        m_studio->studio().runService->start(recipe, QStringLiteral("long run"));
        QTRY_VERIFY_WITH_TIMEOUT(m_studio->studio().runService->current() && m_studio->studio().runService->current()->step > 3, 5 * sconce::test::patienceMs);
    }
    RunRow onlyRun() { return second()->runs().value().front(); }

  private Q_SLOTS:
    void initTestCase() { Theme::instance().apply(*qApp, ThemeChoice::Dark); }
    void init() { m_dir = std::make_unique<QTemporaryDir>(); }
    void cleanup()
    {
        setAsker(nullptr);
        setFileChooser(nullptr);
        setStartAgain(nullptr);
        m_studio.reset();
        m_dir.reset();
        Theme::instance().apply(*qApp, ThemeChoice::Dark);
    }

    void everyPageByMouse()
    {
        open();
        QVERIFY(window().allPagesMade());
        const std::pair<const char*, PageId> pages[] = {{"rail.data", PageId::Data}, {"rail.compose", PageId::Compose}, {"rail.live", PageId::Live}, {"rail.runs", PageId::Runs},
                                                        {"rail.hardware", PageId::Hardware}, {"rail.tryit", PageId::TryIt}, {"rail.settings", PageId::Settings}, {"rail.welcome", PageId::Welcome}};
        for (const auto& [name, id] : pages) {
            QTest::mouseClick(find<RailButton>(name), Qt::LeftButton);
            QCOMPARE(window().currentPage(), id);
            QVERIFY(window().page(id)->isVisible());
            QVERIFY(find<RailButton>(name)->isChecked());
        }
    }

    void everyPageByKey()
    {
        open();
        window().activateWindow();
        QVERIFY(QTest::qWaitForWindowActive(&window()));
        const PageId order[] = {PageId::Data, PageId::Compose, PageId::Live, PageId::Runs, PageId::Hardware, PageId::TryIt, PageId::Settings};
        for (int i = 0; i < 7; ++i) {
            QTest::keyClick(&window(), static_cast<Qt::Key>(Qt::Key_1 + i), Qt::ControlModifier);
            QCOMPARE(window().currentPage(), order[i]);
        }
        QTest::keyClick(&window(), Qt::Key_0, Qt::ControlModifier);
        QCOMPARE(window().currentPage(), PageId::Welcome);
        QTest::keyClick(&window(), Qt::Key_Comma, Qt::ControlModifier);
        QCOMPARE(window().currentPage(), PageId::Settings);
        QTest::keyClick(&window(), Qt::Key_F1);
        auto* keys = find<QDialog>("shortcuts");
        QVERIFY(keys && keys->isVisible());
        keys->close();
    }

    void smallWindowsFoldTheRail()
    {
        open();
        QCOMPARE(window().rail()->width(), 76);
        QCOMPARE(window().statusLine()->height(), 28);
        window().resize(1280, 720);
        QTRY_COMPARE(window().rail()->width(), 52);
        QCOMPARE(window().statusLine()->height(), 24);
        for (PageId id : {PageId::Data, PageId::Compose, PageId::Live, PageId::Runs, PageId::Hardware, PageId::TryIt, PageId::Settings}) {
            window().goTo(id);
            QVERIFY2(window().width() == 1280 && window().height() == 720, qPrintable(MainWindow::pageName(id) + QStringLiteral(" does not fit into 1280×720")));
        }
    }

    void pageAndSizeAreRemembered()
    {
        open();
        window().resize(1200, 760);
        window().goTo(PageId::Runs);
        m_studio->settings->setValue(QStringLiteral("start/welcome"), false);
        window().close();
        m_studio.reset();
        m_studio = std::make_unique<StudioWindow>(m_dir->filePath(QStringLiteral("store")), m_dir->filePath(QStringLiteral("config")));
        QCOMPARE(window().size(), QSize(1200, 760));
        window().show();
        window().attach(m_studio->studio());
        QCOMPARE(window().currentPage(), PageId::Runs);
    }

    void aSignalReachesAPageThatWasNotMadeYet()
    {
        m_studio = std::make_unique<StudioWindow>(m_dir->filePath(QStringLiteral("store")), m_dir->filePath(QStringLiteral("config")));
        window().resize(1440, 900);
        window().show();
        window().attach(m_studio->studio(), PageId::Welcome);
        QVERIFY(!window().allPagesMade());
        Recipe recipe = findStarter("mnist-mlp")->recipe;
        Q_EMIT m_studio->studio().navigator->composeRecipe(recipe, {});
        QCOMPARE(window().currentPage(), PageId::Compose);
        QTRY_VERIFY(window().allPagesMade());
        auto* name = find<QLineEdit>("compose.name");
        QVERIFY(name);
        QTRY_COMPARE(name->text(), QStringLiteral("mnist-mlp"));
    }

    void firstStartTrainsWithOneButton()
    {
        open();
        auto* button = find<QPushButton>("welcome.train");
        QVERIFY(button);
        QTest::mouseClick(button, Qt::LeftButton);
        QTRY_VERIFY_WITH_TIMEOUT(m_studio->studio().runService->current() && m_studio->studio().runService->current()->step > 3, 5 * sconce::test::patienceMs);
        QCOMPARE(window().currentPage(), PageId::Live);
        QVERIFY(find<RailButton>("rail.live")->dot());
        QVERIFY(window().statusLine()->runText().contains(QLatin1String("epoch 1 of")));
        QCOMPARE(onlyRun().dataset, DatasetId("digits"));
        bool stopped = false;
        m_studio->studio().runService->saveAndStop([&] { stopped = true; });
        QTRY_VERIFY_WITH_TIMEOUT(stopped, sconce::test::patienceMs);
        QTRY_COMPARE(onlyRun().status, RunStatus::Stopped);
    }

    void closingWithoutARunAsksNothing()
    {
        open();
        int asked = 0;
        setAsker([&](QWidget*, const Question&) { return ++asked, 0; });
        QVERIFY(window().close());
        QCOMPARE(asked, 0);
    }

    void closingWhileTrainingCanBeCancelled()
    {
        open();
        trainForLong();
        QStringList buttons;
        setAsker([&](QWidget*, const Question& question) {
            buttons = question.buttons;
            return 2;
        });
        QVERIFY(!window().close());
        QCOMPARE(buttons.size(), 3);
        QVERIFY(window().isVisible());
        QVERIFY(m_studio->studio().runService->training());
        bool stopped = false;
        m_studio->studio().runService->saveAndStop([&] { stopped = true; });
        QTRY_VERIFY_WITH_TIMEOUT(stopped, sconce::test::patienceMs);
    }

    void closingCanSaveAndStop()
    {
        open();
        trainForLong();
        setAsker([](QWidget*, const Question&) { return 1; });
        QVERIFY(!window().close());
        QTRY_VERIFY_WITH_TIMEOUT(!window().isVisible(), sconce::test::patienceMs);
        const RunRow run = onlyRun();
        QCOMPARE(run.status, RunStatus::Stopped);
        QVERIFY(run.resumable);
        QVERIFY(!second()->checkpoints(run.id).value().empty());
    }

    void closingCanKeepTrainingInTheBackground()
    {
        if (!QFileInfo::exists(QStringLiteral(SCONCE_BIN_DIR "/sconce"))) QSKIP("the command line was not built");
        open();
        trainForLong();
        const std::int64_t before = m_studio->studio().runService->current()->step;
        setAsker([](QWidget*, const Question&) { return 0; });
        QVERIFY(!window().close());
        QTRY_VERIFY_WITH_TIMEOUT(!window().isVisible(), 5 * sconce::test::patienceMs);
        const RunRow run = onlyRun();
        m_studio.reset(); // the window's process would end here
        QVERIFY(isAlive(run.folder));
        QCOMPARE(onlyRun().status, RunStatus::Running);
        QTRY_VERIFY_WITH_TIMEOUT(onlyRun().summary.steps > before, 5 * sconce::test::patienceMs);
        // The next start attaches to it by itself.
        open();
        QTRY_VERIFY_WITH_TIMEOUT(m_studio->studio().runService->current() != nullptr, sconce::test::patienceMs);
        QCOMPARE(m_studio->studio().runService->current()->id, run.id);
        QTRY_VERIFY_WITH_TIMEOUT(m_studio->studio().runService->current()->step > before, 5 * sconce::test::patienceMs);
        // It is not ours to ask about: closing leaves it alone.
        int asked = 0;
        setAsker([&](QWidget*, const Question&) { return ++asked, 2; });
        QVERIFY(!m_studio->studio().runService->trainsHere());
        m_studio->studio().runService->stop();
        QTRY_VERIFY_WITH_TIMEOUT(!isAlive(run.folder), 5 * sconce::test::patienceMs);
        QTRY_COMPARE(onlyRun().status, RunStatus::Stopped);
        QCOMPARE(asked, 0);
    }

    void interruptedRunsAreOfferedOnce()
    {
        auto store = second();
        NewRun wanted;
        wanted.recipe = quickRecipe(3);
        wanted.name = "cut short";
        wanted.data = StudioFixture::builtinInfo();
        wanted.environment = Json::object();
        const RunId id = store->createRun(wanted).value();
        // An attempt whose trainer is gone: what a power failure leaves.
        QVERIFY(store->openAttempt(id, 0, "thread", Json::object(), "cpu", "CPU", "", 20).ok());
        QVERIFY(store->flush().ok());
        QCOMPARE(store->run(id)->status, RunStatus::Interrupted);
        m_studio = std::make_unique<StudioWindow>(m_dir->filePath(QStringLiteral("store")), m_dir->filePath(QStringLiteral("config")));
        m_studio->settings->setValue(QStringLiteral("start/offerResume"), true);
        m_studio->show();
        QTRY_VERIFY(find<Banner>("banner.resume"));
        QVERIFY(find<Banner>("banner.resume")->findChild<QLabel*>(QStringLiteral("bannerTitle"))->text().startsWith(QLatin1String("cut short")));
        QTest::mouseClick(find<QWidget>("banner.resume.close"), Qt::LeftButton);
        QTRY_VERIFY(!find<Banner>("banner.resume"));
        m_studio.reset();
        m_studio = std::make_unique<StudioWindow>(m_dir->filePath(QStringLiteral("store")), m_dir->filePath(QStringLiteral("config")));
        m_studio->settings->setValue(QStringLiteral("start/offerResume"), true);
        m_studio->show();
        QTRY_VERIFY(m_studio->studio().runs->loaded());
        QTest::qWait(100);
        QVERIFY2(!find<Banner>("banner.resume"), "what was waved away comes back");
    }

    void theThemeIsChosenInSettings()
    {
        open(PageId::Settings);
        auto* segments = find<SegmentedControl>("settings.theme");
        QVERIFY(segments);
        QTest::mouseClick(segments->findChild<QAbstractButton*>(QStringLiteral("segment2")), Qt::LeftButton);
        QVERIFY(!Theme::instance().dark());
        QCOMPARE(m_studio->settings->value(QStringLiteral("look/theme")).toString(), QStringLiteral("light"));
    }

    void theCheckpointIntervalReachesTheRun()
    {
        open(PageId::Settings);
        auto* minutes = find<QSpinBox>("settings.checkpointMinutes");
        QVERIFY(minutes);
        minutes->setValue(17);
        trainForLong();
        QCOMPARE(second()->recipe(onlyRun().id)->training.checkpoint.everyMinutes, 17.0);
        bool stopped = false;
        m_studio->studio().runService->saveAndStop([&] { stopped = true; });
        QTRY_VERIFY_WITH_TIMEOUT(stopped, sconce::test::patienceMs);
    }

    void theStoreMovesSafely()
    {
        open(PageId::Settings);
        NewRun wanted;
        wanted.recipe = quickRecipe();
        wanted.name = "kept";
        wanted.data = StudioFixture::builtinInfo();
        wanted.environment = Json::object();
        const RunId id = second()->createRun(wanted).value();
        const QString target = m_dir->filePath(QStringLiteral("new place"));
        QVERIFY(QDir().mkpath(target));
        setFileChooser([&](QWidget*, const QString&, const QString&) { return target; });
        QStringList asked;
        setAsker([&](QWidget*, const Question& question) {
            asked << question.title;
            return 0;
        });
        QString again;
        setStartAgain([&](const QString& folder) { again = folder; });
        QTest::mouseClick(find<QPushButton>("settings.moveStore"), Qt::LeftButton);
        QTRY_VERIFY2_WITH_TIMEOUT(!again.isEmpty(), qPrintable(asked.join(QStringLiteral("; "))), sconce::test::patienceMs);
        QCOMPARE(again, target);
        auto moved = Store::open(target.toStdString());
        QVERIFY(moved.ok());
        QCOMPARE((*moved)->run(id)->name, std::string("kept"));
        QCOMPARE(movedTo(m_dir->filePath(QStringLiteral("store"))).folder, target);
        QVERIFY(movedTo(m_dir->filePath(QStringLiteral("store"))).there);
        // Command line and next start follow the note.
        qputenv("SCONCE_HOME", m_dir->filePath(QStringLiteral("store")).toUtf8());
        QCOMPARE(QString::fromStdString(Store::defaultFolder()), target);
        qunsetenv("SCONCE_HOME");
    }

    void aPlaceThatCannotHoldTheStoreIsRefused()
    {
        const QString store = m_dir->filePath(QStringLiteral("store"));
        QVERIFY(QDir().mkpath(store + QStringLiteral("/runs")));
        QVERIFY(!problemWithNewPlace(store, store).isEmpty());
        QVERIFY(!problemWithNewPlace(store, store + QStringLiteral("/runs")).isEmpty());
        const QString full = m_dir->filePath(QStringLiteral("full"));
        QVERIFY(QDir().mkpath(full + QStringLiteral("/something")));
        QVERIFY(!problemWithNewPlace(store, full).isEmpty());
        QVERIFY(problemWithNewPlace(store, m_dir->filePath(QStringLiteral("fresh"))).isEmpty());
    }

    void hardwareShowsTwoGpusOfTheTestLibrary()
    {
        HardwareSources sources;
        sources.nvmlLibrary = SCONCE_TEST_NVML;
        open(PageId::Hardware, sources);
        QTRY_VERIFY_WITH_TIMEOUT(find<QWidget>("hardware.gpu1"), sconce::test::patienceMs);
        QVERIFY(find<QWidget>("hardware.cpu"));
        QVERIFY(!find<QWidget>("hardware.noGpu"));
        QTest::mouseClick(find<QPushButton>("hardware.copy"), Qt::LeftButton);
        const QString text = QGuiApplication::clipboard()->text();
        QVERIFY2(text.contains(QLatin1String("GPU 0")) && text.contains(QLatin1String("GPU 1")) && text.contains(QLatin1String("Temperature")), qPrintable(text));
        // Both have programs of others on them, or work to do: idle is said only where nothing is.
        QVERIFY2(!text.section(QLatin1String("GPU 1"), 0, 0).contains(QLatin1String("idle")), qPrintable(text));
    }

    void withoutAGpuItIsSaidPlainly()
    {
        HardwareSources sources;
        sources.nvmlLibrary = "no-such-library.so";
        open(PageId::Hardware, sources);
        QTRY_VERIFY_WITH_TIMEOUT(find<QWidget>("hardware.noGpu"), sconce::test::patienceMs);
        QVERIFY(find<QWidget>("hardware.cpu"));
        // What the processor can do and the system's name wrap: nothing of them is left out while the card has room.
        QStringList features, whole;
        for (const std::string& one : m_studio->studio().hardware->facts().cpu.features) features << QString::fromStdString(one);
        for (QLabel* label : find<QWidget>("hardware.cpu")->findChildren<QLabel*>()) whole << label->text();
        if (!features.isEmpty()) QVERIFY2(whole.contains(features.join(QStringLiteral(", "))), qPrintable(whole.join(QLatin1Char('|'))));
        QVERIFY(whole.contains(QString::fromStdString(m_studio->studio().hardware->facts().system)));
        QTest::mouseClick(find<QPushButton>("hardware.copy"), Qt::LeftButton);
        const QString copied = QGuiApplication::clipboard()->text();
        QVERIFY2(copied.contains(features.join(QStringLiteral(", "))) && copied.contains(QString::fromStdString(m_studio->studio().hardware->facts().system)), qPrintable(copied));
        bool said = false;
        for (QLabel* label : find<QWidget>("hardware.noGpu")->findChildren<QLabel*>()) said = said || label->text().contains(QLatin1String("Training uses the CPU"));
        QVERIFY(said);
    }

    void theStallMeterIsShownAndReset()
    {
        open(PageId::Settings);
        QTest::qSleep(90); // a stall of our own making
        QTest::qWait(100);
        QTRY_VERIFY(m_studio->studio().stalls->report().worstMs >= 60);
        QTest::mouseClick(find<QPushButton>("settings.resetStalls"), Qt::LeftButton);
        QVERIFY(m_studio->studio().stalls->report().worstMs < 60);
        QTest::mouseClick(find<QPushButton>("settings.copyReport"), Qt::LeftButton);
        QVERIFY(QGuiApplication::clipboard()->text().contains(QLatin1String("stalls: worst")));
    }

    void theRunsCanBeChecked()
    {
        open(PageId::Settings);
        QTest::mouseClick(find<QPushButton>("settings.check"), Qt::LeftButton);
        QTRY_VERIFY_WITH_TIMEOUT(find<QLabel>("settings.checked")->text().startsWith(QLatin1String("All is well")), sconce::test::patienceMs);
    }

    void starterRecipesOpenInCompose()
    {
        open();
        auto* row = find<ListRow>("welcome.recipe.mnist-mlp");
        QVERIFY(row);
        QTest::mouseClick(row, Qt::LeftButton);
        QCOMPARE(window().currentPage(), PageId::Compose);
    }
};

QTEST_MAIN(ShellTest)
#include "shell_test.moc"
