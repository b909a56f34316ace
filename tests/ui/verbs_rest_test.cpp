// SPDX-License-Identifier: GPL-3.0-or-later
// Try it, Settings, Hardware and Welcome on the real window, by mouse and by keyboard; `sconce predict`, `evaluate`, `runs` and
// `devices` say in a second process what is so.
#include "tests/support/house.h"
#include "tests/support/patience.h"

#include "ui/settings/store_place.h"
#include "ui/tryit/draw_canvas.h"
#include "ui/tryit/tryit_page.h"
#include "ui/tryit/views.h"
#include "ui/widgets/list_row.h"
#include "ui/widgets/parts.h"

#include <QClipboard>
#include <QSpinBox>
#include <QTableWidget>

using namespace sconce;
using namespace sconce::ui;
using namespace sconce::ui::test;

class VerbsRestTest : public QObject
{
    Q_OBJECT

    House m;
    QString m_run;

    DrawCanvas* canvas() { return m.find<DrawCanvas>("tryit.canvas"); }
    ProbabilityBars* bars() { return m.find<ProbabilityBars>("tryit.probabilities"); }
    ConfusionView* matrix() { return m.find<ConfusionView>("tryit.confusion"); }
    bool answered() { return QTest::qWaitFor([&] { return bars()->probabilities().size() == 10; }, sconce::test::patienceMs); }
    /// What the second process makes of a picture, class by class, beside what the window shows.
    QString comparedWithPredict(const QImage& picture)
    {
        const QString file = m.path("seen.png");
        if (picture.isNull() || !picture.save(file)) return QStringLiteral("no picture");
        const QJsonObject said = m.cli({QStringLiteral("predict"), m_run, file}).value(0);
        const QJsonValue all = said[QLatin1String("probabilities")];
        if (all.isUndefined()) return QStringLiteral("no answer: ") + m.said;
        for (int i = 0; i < 10; ++i) {
            const double other = all.isArray() ? all.toArray().at(i).toDouble() : all.toObject()[QString::number(i)].toDouble();
            if (std::abs(other - bars()->probabilities()[static_cast<std::size_t>(i)]) > 1e-5) return QStringLiteral("class %1: %2 and %3").arg(i).arg(other).arg(bars()->probabilities()[static_cast<std::size_t>(i)]);
        }
        return {};
    }
    void draw(const QList<QPoint>& points)
    {
        QTest::mousePress(canvas(), Qt::LeftButton, {}, points.front());
        for (const QPoint& point : points) QTest::mouseMove(canvas(), point);
        QTest::mouseRelease(canvas(), Qt::LeftButton, {}, points.back());
    }

  private Q_SLOTS:
    void initTestCase()
    {
        QVERIFY(commandLineBuilt());
        const QJsonObject trained = m.train(smallRecipe("tried", "32", 2), QStringLiteral("tried"));
        QVERIFY2(trained[QLatin1String("status")].toString() == QLatin1String("finished"), qPrintable(m.said));
        m_run = trained[QLatin1String("run")].toString();
        m.open();
    }
    void cleanupTestCase() { m.close(); }
    void cleanup()
    {
        setAsker(nullptr);
        setFileChooser(nullptr);
        setStartAgain(nullptr);
    }

    void aTestSampleIsAnswered()
    {
        QVERIFY(m.page(PageId::TryIt));
        QTRY_COMPARE_WITH_TIMEOUT(m.find<QComboBox>("tryit.run")->currentData().toString(), m_run, sconce::test::patienceMs);
        QVERIFY(m.click("tryit.sample"));
        QVERIFY(answered());
        QTRY_COMPARE_WITH_TIMEOUT(comparedWithPredict(canvas()->picture()), QString(), sconce::test::patienceMs); // the answer of the picture before stays until the next is there
        const QImage before = canvas()->picture();
        auto* sample = m.find<QAbstractButton>("tryit.sample");
        sample->setFocus();
        QTest::keyClick(sample, Qt::Key_Space); // another one, by key
        QTRY_VERIFY_WITH_TIMEOUT(canvas()->picture() != before, sconce::test::patienceMs);
        QVERIFY(answered());
        QTRY_COMPARE_WITH_TIMEOUT(comparedWithPredict(canvas()->picture()), QString(), sconce::test::patienceMs); // the answer of the picture before stays until the next is there
    }

    void aDrawnDigitIsAnsweredWhileDrawing()
    {
        QVERIFY(m.page(PageId::TryIt));
        QVERIFY(m.click("tryit.clear"));
        QTRY_VERIFY_WITH_TIMEOUT(bars()->probabilities().empty(), sconce::test::patienceMs);
        const int w = canvas()->width(), h = canvas()->height();
        QTest::mousePress(canvas(), Qt::LeftButton, {}, QPoint(w / 2, h / 6));
        QTest::mouseMove(canvas(), QPoint(w / 2, h / 2));
        QTest::mouseMove(canvas(), QPoint(w / 2, h * 5 / 6));
        QVERIFY(answered()); // live: the button is still down
        QTest::mouseRelease(canvas(), Qt::LeftButton, {}, QPoint(w / 2, h * 5 / 6));
        QVERIFY(answered());
        float sum = 0;
        for (float p : bars()->probabilities()) sum += p;
        QVERIFY(std::abs(sum - 1) < 1e-4);
        const auto& p = bars()->probabilities();
        QCOMPARE(m.find<QLabel>("tryit.said")->text(), QString::number(std::max_element(p.begin(), p.end()) - p.begin()));
        // Undo and clear.
        const QImage one = canvas()->image();
        draw({{w / 5, h / 2}, {w / 2, h / 2}, {w * 4 / 5, h / 2}});
        QVERIFY(canvas()->image() != one);
        QVERIFY(m.click("tryit.undo"));
        QCOMPARE(canvas()->image(), one);
        canvas()->setFocus();
        QTest::keyClick(canvas(), Qt::Key_Delete);
        QTRY_VERIFY_WITH_TIMEOUT(canvas()->isEmpty() && bars()->probabilities().empty(), sconce::test::patienceMs);
    }

    void theConfusionMatrixIsTheEvaluation()
    {
        QVERIFY(m.page(PageId::TryIt));
        const auto total = [&] {
            std::int64_t sum = 0;
            for (int t = 0; t < 10; ++t)
                for (int s = 0; s < 10; ++s) sum += matrix()->count(t, s);
            return sum;
        };
        QTRY_COMPARE_WITH_TIMEOUT(total(), 2000, 5 * sconce::test::patienceMs);
        const QJsonObject said = m.cli({QStringLiteral("evaluate"), m_run}).value(0);
        const QJsonArray rows = said[QLatin1String("confusion")].toArray();
        QCOMPARE(rows.size(), 10);
        int truth = 0, other = 1;
        for (int t = 0; t < 10; ++t)
            for (int s = 0; s < 10; ++s) {
                QCOMPARE(static_cast<std::int64_t>(rows.at(t).toArray().at(s).toDouble()), matrix()->count(t, s));
                if (t != s && matrix()->count(t, s) > matrix()->count(truth, other)) truth = t, other = s;
            }
        // A cell opens its samples, by mouse and by keys.
        QTest::mouseClick(matrix(), Qt::LeftButton, {}, matrix()->cell(truth, other).center());
        auto* strip = m.find<SampleStrip>("tryit.samples");
        QCOMPARE(static_cast<std::int64_t>(strip->count()), matrix()->count(truth, other));
        QTest::keyClick(matrix(), truth > 0 ? Qt::Key_Up : Qt::Key_Down);
        QCOMPARE(matrix()->selectedTruth(), truth > 0 ? truth - 1 : 1);
    }

    void aPictureFile()
    {
        QVERIFY(m.page(PageId::TryIt));
        QVERIFY(m.click("tryit.sample"));
        QVERIFY(answered());
        const QString file = m.path("a.png");
        QVERIFY(canvas()->picture().save(file));
        setFileChooser([&](QWidget*, const QString&, const QString&) { return file; });
        for (int way = 0; way < 2; ++way) {
            QVERIFY(m.click("tryit.clear"));
            QTRY_VERIFY_WITH_TIMEOUT(bars()->probabilities().empty(), sconce::test::patienceMs);
            if (way == 0) QVERIFY(m.click("tryit.open"));
            else QVERIFY(House::dropFile(canvas(), file));
            QVERIFY(answered());
            QTRY_COMPARE_WITH_TIMEOUT(comparedWithPredict(QImage(file)), QString(), sconce::test::patienceMs);
        }
    }

    void themeByMouseAndKey()
    {
        QVERIFY(m.page(PageId::Settings));
        auto* theme = m.find<SegmentedControl>("settings.theme");
        QTest::mouseClick(theme->findChild<QAbstractButton*>(QStringLiteral("segment2")), Qt::LeftButton);
        QVERIFY(!Theme::instance().dark());
        auto* dark = theme->findChild<QAbstractButton*>(QStringLiteral("segment1"));
        dark->setFocus();
        QTest::keyClick(dark, Qt::Key_Space);
        QVERIFY(Theme::instance().dark());
        QSettings kept(QSettings::IniFormat, QSettings::UserScope, QStringLiteral("Sconce"), QStringLiteral("Sconce"));
        QCOMPARE(m.all().settings->value(QStringLiteral("look/theme")).toString(), QStringLiteral("dark"));
    }

    void threadsAndIntervalReachTheNextRun()
    {
        QVERIFY(m.page(PageId::Settings));
        auto* threads = m.find<QComboBox>("settings.threads");
        QVERIFY(House::choose(threads, QVariant(1)));
        auto* minutes = m.find<QSpinBox>("settings.checkpointMinutes");
        House::typeOver(minutes, QStringLiteral("17"));
        // Welcome's one button trains the built-in data.
        QVERIFY(m.page(PageId::Welcome));
        QVERIFY(m.click("welcome.train"));
        QTRY_COMPARE_WITH_TIMEOUT(m.window().currentPage(), PageId::Live, sconce::test::patienceMs);
        const auto newest = [&] { return m.runs().value(0); };
        QTRY_COMPARE_WITH_TIMEOUT(newest()[QLatin1String("status")].toString(), QStringLiteral("running"), 5 * sconce::test::patienceMs);
        m.service().setEpochs(1000); // not over before this test is
        const QJsonObject run = m.run(newest()[QLatin1String("run")].toString());
        QCOMPARE(run[QLatin1String("data")].toString(), QStringLiteral("digits"));
        const QJsonObject recipe = run[QLatin1String("recipe_value")].toObject();
        QCOMPARE(recipe[QLatin1String("threads")].toInt(), 1);
        QCOMPARE(recipe[QLatin1String("training")].toObject()[QLatin1String("checkpoint")].toObject()[QLatin1String("every_minutes")].toDouble(), 17.0);
        QTRY_VERIFY_WITH_TIMEOUT(newest()[QLatin1String("steps")].toInt() > 0, 5 * sconce::test::patienceMs);
        // Once a second of steps was timed, Compose knows how long an epoch of the same recipe takes with these threads.
        QTRY_VERIFY_WITH_TIMEOUT(m.service().current() && !m.service().current()->seconds.empty() && m.service().current()->seconds.back() > 3, 5 * sconce::test::patienceMs);
        QVERIFY(m.stopTraining());
        QVERIFY(m.page(PageId::Compose));
        QTRY_VERIFY2(m.find<QLabel>("compose.estimate.time")->text().contains(QRegularExpression(QStringLiteral("[0-9]"))), qPrintable(m.find<QLabel>("compose.estimate.time")->text()));
        QTRY_COMPARE_WITH_TIMEOUT(newest()[QLatin1String("status")].toString(), QStringLiteral("stopped"), sconce::test::patienceMs);
    }

    void welcomesOtherWays()
    {
        QVERIFY(m.page(PageId::Welcome));
        QTest::mouseClick(m.find<ListRow>("welcome.recipe.small-resnet"), Qt::LeftButton);
        QTRY_COMPARE_WITH_TIMEOUT(m.window().currentPage(), PageId::Compose, sconce::test::patienceMs);
        QTRY_COMPARE_WITH_TIMEOUT(m.find<QLineEdit>("compose.name")->text(), QStringLiteral("small-resnet"), sconce::test::patienceMs);
        QVERIFY(m.page(PageId::Welcome));
        writeBars(m.path("bars"));
        setFileChooser([&](QWidget*, const QString&, const QString&) { return m.path("bars"); });
        QVERIFY(m.click("welcome.addData"));
        QTRY_COMPARE_WITH_TIMEOUT(m.window().currentPage(), PageId::Data, sconce::test::patienceMs);
        QTRY_COMPARE_WITH_TIMEOUT(m.studio().data->sets().size(), std::size_t(2), sconce::test::patienceMs);
        QCOMPARE(m.cli({QStringLiteral("data"), QStringLiteral("inspect"), m.path("bars")}).last()[QLatin1String("fingerprint")].toString().toStdString(), m.studio().data->sets().back().fingerprint);
        QVERIFY(m.page(PageId::Welcome));
        const QString file = m.path("train.sconce");
        setFileChooser([&](QWidget*, const QString&, const QString&) { return file; });
        setAsker([](QWidget*, const Question& question) { return static_cast<int>(std::max<qsizetype>(0, question.buttons.indexOf(QStringLiteral("Don't save")))); });
        QVERIFY(m.click("welcome.openRecipe"));
        QTRY_COMPARE_WITH_TIMEOUT(m.find<QLineEdit>("compose.name")->text(), QStringLiteral("tried"), sconce::test::patienceMs);
    }

    void hardwareSaysWhatDevicesSays()
    {
        QVERIFY(m.page(PageId::Hardware));
        QTRY_VERIFY_WITH_TIMEOUT(m.window().findChild<QWidget*>(QStringLiteral("hardware.cpu")), sconce::test::patienceMs);
        QTest::mouseClick(m.find<SegmentedControl>("hardware.span")->findChild<QAbstractButton*>(QStringLiteral("segment0")), Qt::LeftButton);
        QCOMPARE(m.find<SegmentedControl>("hardware.span")->current(), 0);
        const auto lines = m.cli({QStringLiteral("devices")});
        QVERIFY(lines.size() >= 2);
        QVERIFY(m.click("hardware.copy"));
        const QString text = QGuiApplication::clipboard()->text();
        for (const QJsonObject& line : lines)
            if (line.contains(QLatin1String("device"))) QVERIFY2(text.contains(line[QLatin1String("name")].toString()), qPrintable(text));
        QTRY_VERIFY2([&] {
            m.click("hardware.copy");
            return QGuiApplication::clipboard()->text().contains(lines.last()[QLatin1String("libtorch")].toString());
        }(), qPrintable(QGuiApplication::clipboard()->text()));
        if (lines.last()[QLatin1String("gpu_state")].toString().startsWith(QLatin1String("No NVIDIA"))) {
            bool said = false;
            for (QLabel* label : m.find<QWidget>("hardware.noGpu")->findChildren<QLabel*>()) said = said || label->text().contains(lines.last()[QLatin1String("gpu_state")].toString().section(u';', 0, 0));
            QVERIFY2(said, qPrintable(lines.last()[QLatin1String("gpu_state")].toString()));
        }
    }

    void aboutAndDiagnostics()
    {
        QVERIFY(m.page(PageId::Settings));
        QTRY_VERIFY_WITH_TIMEOUT(m.find<QLabel>("settings.engine")->text().contains(QLatin1String("LibTorch")), sconce::test::patienceMs);
        const QString torch = m.cli({QStringLiteral("devices")}).last()[QLatin1String("libtorch")].toString();
        QVERIFY(m.find<QLabel>("settings.engine")->text().contains(torch));
        QVERIFY(m.click("settings.check"));
        QTRY_VERIFY_WITH_TIMEOUT(m.find<QLabel>("settings.checked")->text().startsWith(QLatin1String("All is well")), sconce::test::patienceMs);
        (void)m.cli({QStringLiteral("doctor")});
        QCOMPARE(m.code, 0);
        QVERIFY(m.click("settings.copyReport"));
        QVERIFY(QGuiApplication::clipboard()->text().contains(torch));
        QVERIFY(m.click("settings.resetStalls"));
    }

    void theStoreMoves() // last: the window is to start again from the new place
    {
        QVERIFY(m.page(PageId::Settings));
        const auto before = m.runs();
        QVERIFY(before.size() >= 2);
        const QString target = m.path("new place");
        QVERIFY(QDir().mkpath(target));
        setFileChooser([&](QWidget*, const QString&, const QString&) { return target; });
        setAsker([](QWidget*, const Question&) { return 0; });
        QString again;
        setStartAgain([&](const QString& folder) { again = folder; });
        QVERIFY(m.click("settings.moveStore"));
        QTRY_COMPARE_WITH_TIMEOUT(again, target, sconce::test::patienceMs);
        // The second process finds the runs there, with their files, and by the old place too.
        QString message;
        const QJsonObject there = commandLine({QStringLiteral("runs"), QStringLiteral("show"), m_run}, target, message);
        QVERIFY2(there[QLatin1String("name")].toString() == QLatin1String("tried"), qPrintable(message));
        QVERIFY(there[QLatin1String("folder")].toString().startsWith(target));
        QVERIFY(QDir(there[QLatin1String("folder")].toString()).exists());
        const QJsonObject evaluated = commandLine({QStringLiteral("evaluate"), m_run}, target, message);
        QVERIFY2(evaluated.contains(QLatin1String("accuracy")), qPrintable(message));
    }
};

QTEST_MAIN(VerbsRestTest)
#include "verbs_rest_test.moc"
