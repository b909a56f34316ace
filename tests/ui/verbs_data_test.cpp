// SPDX-License-Identifier: GPL-3.0-or-later
// Every verb of the Data page on the real window; `sconce data inspect` and the runs trained on the data say what came of it.
// A drop comes from another program, so it is sent as Qt's drag events; all else is mouse and keys.
#include "tests/support/house.h"
#include "tests/support/patience.h"

#include "ui/data/class_bars.h"
#include "ui/data/data_page.h"
#include "ui/data/sample_grid.h"
#include "ui/data/set_list.h"
#include "ui/compose/compose_page.h"

#include <QCheckBox>
#include <QDialog>
#include <QDoubleSpinBox>
#include <QListView>
#include <QTabBar>
#include <QSpinBox>
#include <QToolButton>

using namespace sconce;
using namespace sconce::ui;
using namespace sconce::ui::test;

class VerbsDataTest : public QObject
{
    Q_OBJECT

    House m;

    SampleGrid* grid() { return m.find<SampleGrid>("data.samples"); }
    QListView* list() { return m.find<QListView>("data.list"); }
    QString text(const char* label) { return m.find<QLabel>(label)->text(); }
    const DatasetInfo& shown() { return grid()->data()->info(); }
    bool shows(const QString& kind) { return QTest::qWaitFor([&] { return grid()->data() && QString::fromStdString(shown().kind).contains(kind); }, sconce::test::patienceMs); }
    QJsonObject inspected(const QString& path)
    {
        const auto lines = m.cli({QStringLiteral("data"), QStringLiteral("inspect"), path});
        return lines.isEmpty() ? QJsonObject() : lines.last();
    }
    static void makePictures(const QString& folder)
    {
        const std::pair<const char*, QColor> classes[] = {{"apples", Qt::red}, {"leaves", Qt::green}, {"skies", Qt::blue}};
        for (const auto& [name, colour] : classes) {
            QDir().mkpath(folder + u'/' + QLatin1String(name));
            for (int i = 0; i < 20; ++i) {
                QImage image(24, 20, QImage::Format_RGB888);
                image.fill(colour);
                for (int x = 0; x < 24; ++x) image.setPixelColor(x, i, Qt::white);
                if (!image.save(QStringLiteral("%1/%2/%3.png").arg(folder, QLatin1String(name)).arg(i))) qFatal("no picture");
            }
        }
    }

  private Q_SLOTS:
    void initTestCase()
    {
        QVERIFY(commandLineBuilt());
        writeBars(m.path("bars"));
        makePictures(m.path("garden"));
        m.open();
        QVERIFY(m.page(PageId::Data));
        QTRY_VERIFY_WITH_TIMEOUT(grid()->data(), sconce::test::patienceMs);
    }
    void cleanupTestCase() { m.close(); }
    void cleanup()
    {
        setAsker(nullptr);
        setFileChooser(nullptr);
    }

    void addByButton()
    {
        QString kind;
        setFileChooser([&](QWidget*, const QString& asked, const QString&) {
            kind = asked;
            return m.path("bars");
        });
        QVERIFY(m.menu("data.add", "data.addFolder"));
        QCOMPARE(kind, QStringLiteral("folder"));
        QTRY_COMPARE_WITH_TIMEOUT(list()->model()->rowCount(), 2, sconce::test::patienceMs);
        QTRY_VERIFY_WITH_TIMEOUT(grid()->data() && shown().trainingCount == 1000, sconce::test::patienceMs);
        const QJsonObject seen = inspected(m.path("bars"));
        QCOMPARE(seen[QLatin1String("fingerprint")].toString().toStdString(), shown().fingerprint);
        // The balance of classes: each bar is what the second process counts.
        const QStringList classes = m.find<ClassBars>("data.classes")->accessibleDescription().split(QStringLiteral(", "));
        QCOMPARE(classes.size(), 10);
        for (const QString& one : classes) QCOMPARE(one.section(QStringLiteral(": "), 1).toInt(), 120);
    }

    void addByDrop()
    {
        QVERIFY(House::dropFile(grid()->viewport(), m.path("garden")));
        QTRY_COMPARE_WITH_TIMEOUT(list()->model()->rowCount(), 3, sconce::test::patienceMs);
        QVERIFY(shows(QStringLiteral("picture")));
        const QJsonObject seen = inspected(m.path("garden"));
        QVERIFY2(!seen.isEmpty(), qPrintable(m.said));
        QCOMPARE(seen[QLatin1String("fingerprint")].toString().toStdString(), shown().fingerprint);
        QCOMPARE(grid()->samples().size(), std::size_t(60));
    }

    void chooseInTheListBySearchKeyAndMouse()
    {
        auto* search = m.find<QLineEdit>("data.search");
        QTest::mouseClick(search, Qt::LeftButton);
        QTest::keyClicks(search, QStringLiteral("digits"));
        QTRY_COMPARE_WITH_TIMEOUT(list()->model()->rowCount(), 1, sconce::test::patienceMs);
        QTest::mouseClick(list()->viewport(), Qt::LeftButton, {}, list()->visualRect(list()->model()->index(0, 0)).center());
        QTRY_COMPARE_WITH_TIMEOUT(grid()->data() ? shown().id : std::string(), std::string("digits"), sconce::test::patienceMs);
        search->clear();
        QTRY_COMPARE_WITH_TIMEOUT(list()->model()->rowCount(), 3, sconce::test::patienceMs);
        list()->setFocus();
        QTest::keyClick(list(), Qt::Key_Down);
        QTRY_VERIFY_WITH_TIMEOUT(grid()->data() && shown().id != "digits", sconce::test::patienceMs);
        QTest::keyClick(list(), Qt::Key_Home);
        QTRY_VERIFY_WITH_TIMEOUT(grid()->data() && shown().id == "digits", sconce::test::patienceMs);
    }

    void theGridByKeyAndMouse()
    {
        grid()->setFocus();
        QTest::keyClick(grid(), Qt::Key_Right);
        QTest::keyClick(grid(), Qt::Key_Right);
        QCOMPARE(grid()->current(), 2);
        QTest::mouseClick(grid()->viewport(), Qt::LeftButton, {}, grid()->cellRect(1).center());
        QCOMPARE(grid()->current(), 1);
        QTest::keyClick(grid(), Qt::Key_Return);
        QTRY_VERIFY_WITH_TIMEOUT(m.window().findChild<QDialog*>(QStringLiteral("data.large")), sconce::test::patienceMs);
        QPointer<QDialog> large = m.window().findChild<QDialog*>(QStringLiteral("data.large"));
        QTRY_VERIFY_WITH_TIMEOUT(large->isVisible(), sconce::test::patienceMs);
        QTest::keyClick(large.data(), Qt::Key_Escape);
        QTRY_VERIFY_WITH_TIMEOUT(!large, sconce::test::patienceMs);
        // Only one class, only the test part: as many as the second process counts of the files.
        auto* classes = m.find<QComboBox>("data.classFilter");
        QVERIFY(House::choose(classes, classes->findText(QStringLiteral("3"))));
        auto* parts = m.find<QComboBox>("data.partFilter");
        QVERIFY(House::choose(parts, parts->findText(QStringLiteral("test"))));
        QCOMPARE(static_cast<std::int64_t>(grid()->samples().size()), shown().testPerClass[3]);
        QVERIFY(House::choose(parts, 0));
        QVERIFY(House::choose(classes, 0));
        QCOMPARE(grid()->samples().size(), std::size_t(12000));
    }

    void splitAndTrainOnThisData()
    {
        // The share by typing, then the handle with the mouse; a run says how it was split.
        QTest::mouseClick(list()->viewport(), Qt::LeftButton, {}, list()->visualRect(list()->model()->index(1, 0)).center());
        QTRY_VERIFY_WITH_TIMEOUT(grid()->data() && shown().trainingCount == 1000, sconce::test::patienceMs);
        House::typeOver(m.find<QDoubleSpinBox>("data.validationShare"), QStringLiteral("20"));
        QCOMPARE(text("data.count.validation"), QStringLiteral("200"));
        auto* bar = m.find<SplitBar>("data.splitBar");
        const double total = 1200;
        const QPoint from(static_cast<int>(bar->width() * 800 / total), bar->height() / 2), to(static_cast<int>(bar->width() * 500 / total), bar->height() / 2);
        QVERIFY(!dragByMouse(bar, from, bar, to).began);
        const double share = m.find<QDoubleSpinBox>("data.validationShare")->value();
        QVERIFY2(std::abs(share - 50) < 2, qPrintable(QString::number(share)));
        QVERIFY(House::choose(m.find<QComboBox>("data.splitKind"), 1)); // shuffled
        auto* normalise = m.find<QCheckBox>("data.normalise");
        const bool was = normalise->isChecked();
        QTest::mouseClick(normalise, Qt::LeftButton, {}, QPoint(8, normalise->height() / 2));
        QCOMPARE(normalise->isChecked(), !was);

        setAsker([](QWidget*, const Question& question) { return static_cast<int>(std::max<qsizetype>(0, question.buttons.indexOf(QStringLiteral("Don't save")))); });
        QVERIFY(m.page(PageId::Compose));
        QVERIFY(m.menu("compose.recipes", "compose.recipes.mnist-mlp"));
        QVERIFY(m.page(PageId::Data));
        QVERIFY(m.click("data.train"));
        QTRY_COMPARE_WITH_TIMEOUT(m.window().currentPage(), PageId::Compose, sconce::test::patienceMs);
        auto& document = static_cast<ComposePage*>(m.window().page(PageId::Compose))->document();
        QTRY_COMPARE_WITH_TIMEOUT(document.recipe().data.dataset, shown().id, sconce::test::patienceMs);
        QTest::mouseClick(m.find<QTabBar>("compose.tabs"), Qt::LeftButton, {}, m.find<QTabBar>("compose.tabs")->tabRect(1).center());
        House::typeOver(m.find<QSpinBox>("compose.training.epochs"), QStringLiteral("1"));
        House::typeOver(m.find<QLineEdit>("compose.name"), QStringLiteral("on bars"));
        QVERIFY(m.click("compose.start"));
        QTRY_COMPARE_WITH_TIMEOUT(m.status(QStringLiteral("on bars")), QStringLiteral("finished"), 5 * sconce::test::patienceMs);
        const QJsonObject data = m.run(m.runNamed(QStringLiteral("on bars"))[QLatin1String("run")].toString())[QLatin1String("recipe_value")].toObject()[QLatin1String("data")].toObject();
        QCOMPARE(data[QLatin1String("dataset")].toString().toStdString(), shown().id);
        const QJsonObject split = data[QLatin1String("split")].toObject();
        QCOMPARE(split[QLatin1String("kind")].toString(), QStringLiteral("shuffled"));
        QVERIFY(std::abs(split[QLatin1String("validation")].toDouble() - share / 100) < 0.002);
        QCOMPARE(data[QLatin1String("input")].toObject()[QLatin1String("normalise")].toBool(), !was);
    }

    void brokenDataGetsASentence()
    {
        QVERIFY(m.page(PageId::Data));
        const QString file = m.path("train-images-idx3-ubyte");
        QFile out(file);
        QVERIFY(out.open(QIODevice::WriteOnly));
        out.write(QByteArray::fromHex("000008030000ea600000001c0000001c") + QByteArray(100, 'x'));
        out.close();
        setFileChooser([&](QWidget*, const QString&, const QString&) { return file; });
        QVERIFY(m.menu("data.add", "data.addFile"));
        auto* error = m.find<QLabel>("data.error");
        QTRY_VERIFY_WITH_TIMEOUT(error->isVisible(), sconce::test::patienceMs);
        (void)inspected(file);
        QVERIFY(m.code == 2);
        // The window and the second process give the same reason.
        QVERIFY2(m.said.contains(error->text().section(u'.', 0, 0)) || error->text().contains(m.said.trimmed().section(u'.', 0, 0)), qPrintable(error->text() + u'\n' + m.said));
        QCOMPARE(list()->model()->rowCount(), 3);
    }

    void takeOffTheList()
    {
        list()->setFocus();
        QTest::keyClick(list(), Qt::Key_End);
        QVERIFY(shows(QStringLiteral("picture")));
        int asked = 0;
        setAsker([&](QWidget*, const Question&) { return ++asked, 0; });
        QTest::keyClick(list(), Qt::Key_Delete);
        QTRY_COMPARE_WITH_TIMEOUT(list()->model()->rowCount(), 2, sconce::test::patienceMs);
        QCOMPARE(asked, 1);
        QVERIFY(QFile::exists(m.path("garden/apples/0.png")));
        QCOMPARE(Store::open(m.store().toStdString()).value()->datasets()->size(), std::size_t(2));
        QVERIFY(!inspected(m.path("garden")).isEmpty()); // the files stay a data set
    }
};

QTEST_MAIN(VerbsDataTest)
#include "verbs_data_test.moc"
