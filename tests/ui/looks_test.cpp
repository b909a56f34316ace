// SPDX-License-Identifier: GPL-3.0-or-later
// On every page of the real window, in both themes and at both sizes of the design: no label or button is clipped, and all
// text has a contrast of at least 4.5. With a trained run and one under way, so that pages are not empty. And the checks
// themselves are checked: they see a clipped label and a faint one.
#include "tests/support/ui.h"

#include "tests/support/studio_fixture.h"
#include "tests/support/patience.h"
#include "ui/widgets/parts.h"

#include <QTemporaryDir>
#include <QVBoxLayout>

using namespace sconce;
using namespace sconce::ui;
using namespace sconce::ui::test;

class LooksTest : public QObject
{
    Q_OBJECT

    QTemporaryDir m_dir;
    std::unique_ptr<StudioWindow> m_studio;

  private Q_SLOTS:
    void initTestCase()
    {
        Theme::instance().apply(*qApp, ThemeChoice::Dark);
        m_studio = std::make_unique<StudioWindow>(m_dir.filePath(QStringLiteral("store")), m_dir.filePath(QStringLiteral("config")));
        m_studio->window->resize(1440, 900);
        m_studio->show();
        RunService* service = m_studio->studio().runService;
        QString ended;
        const auto link = connect(service, &RunService::ended, this, [&](const QString& run) { ended = run; });
        service->start(quickRecipe(1), QStringLiteral("a run with a name that is not short"));
        QTRY_VERIFY_WITH_TIMEOUT(!ended.isEmpty(), 5 * sconce::test::patienceMs);
        disconnect(link);
        service->start(quickRecipe(2000), QStringLiteral("under way"));
        QTRY_VERIFY_WITH_TIMEOUT(service->current() && service->current()->epochsDone.size() > 1, 5 * sconce::test::patienceMs);
        service->pause(); // leaves the cores to the checks
        QTRY_VERIFY_WITH_TIMEOUT(service->current()->status == RunStatus::Paused, sconce::test::patienceMs);
        Q_EMIT m_studio->studio().navigator->tryRun(ended);
        QTest::qWait(1500);
    }

    void cleanupTestCase()
    {
        bool stopped = false;
        m_studio->studio().runService->saveAndStop([&] { stopped = true; });
        QTRY_VERIFY_WITH_TIMEOUT(stopped, sconce::test::patienceMs);
        m_studio.reset();
    }

    void theChecksSeeWhatTheyLookFor()
    {
        QWidget window;
        setRole(&window, "page");
        auto* column = new QVBoxLayout(&window);
        auto* good = makeLabel(QStringLiteral("A line that can be read"), FontRole::Body, Token::Text2, &window);
        column->addWidget(good);
        window.resize(400, 200);
        window.show();
        QVERIFY(QTest::qWaitForWindowExposed(&window));
        QCOMPARE(clippedTexts(&window), QStringList());
        QCOMPARE(faintTexts(&window), QStringList());
        good->setSizePolicy(QSizePolicy::Maximum, QSizePolicy::Fixed);
        good->setText(QStringLiteral("Short"));
        QTest::qWait(20);
        good->setText(QStringLiteral("A line that can be read, and longer")); // the layout hears of it later
        QCOMPARE(clippedTexts(&window), QStringList());
        good->setFixedWidth(40);
        QTest::qWait(20);
        QCOMPARE(clippedTexts(&window).size(), 1);
        good->setFixedWidth(300);
        good->setStyleSheet(QStringLiteral("color: #50565f"));
        QTest::qWait(20);
        QCOMPARE(faintTexts(&window).size(), 1);
    }

    void everyPage_data()
    {
        QTest::addColumn<QSize>("size");
        QTest::addColumn<bool>("dark");
        QTest::newRow("1440x900 dark") << QSize(1440, 900) << true;
        QTest::newRow("1440x900 light") << QSize(1440, 900) << false;
        QTest::newRow("1280x720 dark") << QSize(1280, 720) << true;
        QTest::newRow("1280x720 light") << QSize(1280, 720) << false;
        QTest::newRow("1100x680 dark") << QSize(1100, 680) << true;
    }

    void everyPage()
    {
        QFETCH(QSize, size);
        QFETCH(bool, dark);
        Theme::instance().apply(*qApp, dark ? ThemeChoice::Dark : ThemeChoice::Light);
        MainWindow& window = *m_studio->window;
        window.resize(size);
        QStringList wrong;
        for (PageId id : {PageId::Welcome, PageId::Data, PageId::Compose, PageId::Live, PageId::Runs, PageId::Hardware, PageId::TryIt, PageId::Settings}) {
            window.goTo(id);
            QTest::qWait(120);
            QCOMPARE(window.size(), size);
            for (const QString& one : clippedTexts(window.centralWidget())) wrong << QStringLiteral("clipped: ") + one;
            for (const QString& one : faintTexts(window.centralWidget())) wrong << QStringLiteral("faint: ") + one;
        }
        QVERIFY2(wrong.isEmpty(), qPrintable(wrong.join(QLatin1Char('\n'))));
    }
};

QTEST_MAIN(LooksTest)
#include "looks_test.moc"
