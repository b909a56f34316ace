// SPDX-License-Identifier: GPL-3.0-or-later
// Try it when the data of a run is gone or has changed: the model answers, and what needs the samples says so.
#include "tests/support/bars.h"
#include "tests/support/page_checks.h"
#include "tests/support/studio_fixture.h"
#include "tests/support/patience.h"
#include "ui/tryit/draw_canvas.h"
#include "ui/tryit/tryit_page.h"
#include "ui/tryit/views.h"

#include <QComboBox>
#include <QSignalSpy>

using namespace sconce;
using namespace sconce::ui;
using namespace sconce::ui::test;

class LostDataTest : public QObject
{
    Q_OBJECT

    std::unique_ptr<StudioFixture> m_services;
    QString m_folder;
    RunId m_run;

    std::unique_ptr<TryItPage> page()
    {
        auto made = std::make_unique<TryItPage>(m_services->studio);
        made->resize(1364, 872);
        made->show();
        made->shown();
        return made;
    }
    template <class T> static T* find(const TryItPage& page, const char* name)
    {
        T* found = page.findChild<T*>(QString::fromLatin1(name));
        if (!found) qFatal("no widget is called %s", name);
        return found;
    }
    static void drawOn(const TryItPage& page)
    {
        auto* canvas = find<DrawCanvas>(page, "tryit.canvas");
        QTest::mousePress(canvas, Qt::LeftButton, {}, QPoint(40, 60));
        for (int x = 40; x <= 200; x += 10) {
            QMouseEvent move(QEvent::MouseMove, QPoint(x, 60), canvas->mapToGlobal(QPoint(x, 60)), Qt::NoButton, Qt::LeftButton, Qt::NoModifier);
            QApplication::sendEvent(canvas, &move);
        }
        QTest::mouseRelease(canvas, Qt::LeftButton, {}, QPoint(200, 60));
    }
    static bool answers(const TryItPage& page, std::size_t outputs)
    {
        drawOn(page);
        return QTest::qWaitFor([&] { return find<ProbabilityBars>(page, "tryit.probabilities")->probabilities().size() == outputs; }, sconce::test::patienceMs);
    }

  private Q_SLOTS:
    void initTestCase()
    {
        m_services = std::make_unique<StudioFixture>();
        m_folder = m_services->folder()->filePath(QStringLiteral("bars"));
        writeBars(m_folder, 400, 100);
        QSignalSpy added(m_services->data.get(), &DataService::added);
        m_services->data->add(m_folder);
        QTRY_COMPARE_WITH_TIMEOUT(added.count(), 1, sconce::test::patienceMs);
        Recipe recipe = quickRecipe();
        recipe.data.dataset = added.first().first().toString().toStdString();
        recipe.data.import = {};
        recipe.training.batchSize = 50;
        QSignalSpy ended(m_services->runService.get(), &RunService::ended);
        QSignalSpy refused(m_services->runService.get(), &RunService::startFailed);
        m_services->runService->start(recipe, QStringLiteral("bars"));
        QVERIFY(QTest::qWaitFor([&] { return ended.count() + refused.count() > 0; }, 120000));
        QVERIFY2(refused.isEmpty(), qPrintable(refused.isEmpty() ? QString() : refused.first().first().toString()));
        QCOMPARE(ended.first().at(1).toString(), QStringLiteral("finished"));
        m_run = ended.first().first().toString().toStdString();
        QTRY_VERIFY_WITH_TIMEOUT(m_services->runs->find(m_run) && std::isfinite(m_services->runs->find(m_run)->summary.testAccuracy), sconce::test::patienceMs);
    }
    void cleanupTestCase() { m_services.reset(); }

    void withItsDataNothingIsSaid()
    {
        const auto p = page();
        QTRY_VERIFY_WITH_TIMEOUT(find<ConfusionView>(*p, "tryit.confusion")->count(0, 0) >= 0 && find<QPushButton>(*p, "tryit.sample")->isEnabled(), sconce::test::patienceMs);
        QVERIFY(answers(*p, 10));
        QVERIFY(!find<QLabel>(*p, "tryit.dataNote")->isVisible());
    }

    void theModelAnswersWhenItsDataIsGone()
    {
        QVERIFY(QDir().rename(m_folder, m_folder + QStringLiteral(" moved")));
        {
            const auto p = page();
            auto* note = find<QLabel>(*p, "tryit.dataNote");
            QTRY_VERIFY_WITH_TIMEOUT(note->isVisible(), sconce::test::patienceMs);
            QVERIFY2(note->text().contains(m_folder), qPrintable(note->text()));
            QVERIFY(!find<QPushButton>(*p, "tryit.sample")->isEnabled());
            QVERIFY(find<QPushButton>(*p, "tryit.save")->isEnabled());
            QVERIFY(!find<QLabel>(*p, "tryit.problem")->isVisible());
            QVERIFY(answers(*p, 10));
        }
        QVERIFY(QDir().rename(m_folder + QStringLiteral(" moved"), m_folder));
    }

    void otherDataInItsPlaceIsNotPassedOffAsIts()
    {
        writeBars(m_folder, 300, 50);
        const auto p = page();
        auto* note = find<QLabel>(*p, "tryit.dataNote");
        QTRY_VERIFY_WITH_TIMEOUT(note->isVisible(), sconce::test::patienceMs);
        QVERIFY2(note->text().contains(QLatin1String("has changed")), qPrintable(note->text()));
        QVERIFY(find<QPushButton>(*p, "tryit.sample")->isEnabled());
        QVERIFY(answers(*p, 10));
    }
};

QTEST_MAIN(LostDataTest)
#include "lost_data_test.moc"
