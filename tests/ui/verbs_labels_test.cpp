// SPDX-License-Identifier: GPL-3.0-or-later
// Several labels a sample on the real window: columns of a table are chosen as labels, a folder of pictures brings its own; what
// Data, Compose, Live, Runs and Try it make of them.
#include "tests/support/house.h"
#include "tests/support/paths.h"
#include "tests/support/patience.h"

#include "core/base/random.h"
#include "core/formats/picture.h"
#include "ui/data/class_bars.h"
#include "ui/data/data_page.h"
#include "ui/data/sample_grid.h"
#include "ui/data/table_view.h"
#include "ui/runs/run_table_model.h"
#include "ui/tryit/views.h"

#include <QDialog>
#include <QHeaderView>
#include <QListWidget>
#include <QTableView>
#include <QTableWidget>

using namespace sconce;
using namespace sconce::ui;
using namespace sconce::ui::test;

namespace {

QByteArray table()
{
    const Philox random(31, Purpose::Test);
    QByteArray text = "size,barks,weight,swims,rare,flies\n";
    for (std::uint64_t row = 0; row < 500; ++row) {
        const double size = static_cast<double>(random.below(row * 4, 2000)) / 1000 - 1, weight = static_cast<double>(random.below(row * 4 + 1, 2000)) / 1000 - 1;
        const bool flies = random.below(row * 4 + 2, 3) == 0; // nothing tells which
        text += QByteArray::number(size) + (size > 0.2 ? ",1," : ",0,") + QByteArray::number(weight) + (weight + size > 0 ? ",yes," : ",no,") + (size > 0.8 ? "true," : "false,") + (flies ? "1\n" : "0\n");
    }
    return text;
}

QByteArray recipe(const QByteArray& name, const QByteArray& data, const QByteArray& layers, int epochs)
{
    return R"({ "format": "sconce-recipe", "version": 1, "name": ")" + name + R"(", "data": )" + data + R"(, "layers": )" + layers +
           R"(, "task": { "type": "multilabel" }, "training": { "epochs": )" + QByteArray::number(epochs) + R"(, "batch_size": 32, "learning_rate": 0.01 }, "threads": 1 })";
}

} // namespace

class VerbsLabelsTest : public QObject
{
    Q_OBJECT

    House m;
    QString m_rows, m_pictures; ///< runs

    void shot(const QString& name)
    {
        for (const ThemeChoice theme : {ThemeChoice::Light, ThemeChoice::Dark}) {
            Theme::instance().apply(*qApp, theme);
            QTest::qWait(250);
            savePicture(&m.window(), name + (theme == ThemeChoice::Light ? QStringLiteral("-light") : QStringLiteral("-dark")));
        }
    }
    /// By how much of its height the number of a row stands beside the middle of its row: what is drawn is looked at.
    static double numberOffMiddle(const QTableView& rows, int row)
    {
        QHeaderView* header = rows.verticalHeader();
        const QImage seen = header->viewport()->grab(QRect(0, header->sectionViewportPosition(row), header->width(), header->sectionSize(row))).toImage();
        int first = -1, last = -1;
        for (int y = 0; y < seen.height(); ++y)
            for (int x = 0; x < seen.width(); ++x) {
                if (std::abs(qGray(seen.pixel(x, y)) - qGray(seen.pixel(0, 0))) < 60) continue;
                last = y;
                if (first < 0) first = y;
            }
        return first < 0 ? 1 : ((first + last) / 2.0 - (seen.height() - 1) / 2.0) / seen.height();
    }
    QString photos() const { return m.path("photos"); }
    /// Red, blue, both or neither, with noise.
    void makePhotos() const
    {
        QVERIFY(QDir().mkpath(photos()));
        QFile list(photos() + QStringLiteral("/labels.csv"));
        QVERIFY(list.open(QIODevice::WriteOnly));
        list.write("file,red,blue\n");
        const Philox random(32, Purpose::Test);
        for (int i = 0; i < 160; ++i) {
            const bool red = i % 2 == 1, blue = i / 2 % 2 == 1;
            Picture picture{16, 16, 3, {}};
            for (std::uint64_t p = 0; p < 256; ++p) {
                const auto noise = static_cast<std::uint8_t>(random.below(static_cast<std::uint64_t>(i) * 256 + p, 90));
                picture.pixels.insert(picture.pixels.end(), {static_cast<std::uint8_t>(red ? 160 + noise : noise), noise, static_cast<std::uint8_t>(blue ? 160 + noise : noise)});
            }
            QVERIFY(writePng((photos() + QStringLiteral("/%1.png").arg(i)).toStdString(), picture).ok());
            list.write(QStringLiteral("%1.png,%2,%3\n").arg(i).arg(red).arg(blue).toUtf8());
        }
    }

  private Q_SLOTS:
    void initTestCase()
    {
        QVERIFY(commandLineBuilt());
        m.open();
        QFile file(m.path("pets.csv"));
        QVERIFY(file.open(QIODevice::WriteOnly) && file.write(table()) > 0);
        file.close();
        makePhotos();
    }
    void cleanupTestCase()
    {
        if (m.isOpen()) m.close();
    }

    void columnsAreChosenAsLabels()
    {
        QVERIFY(m.page(PageId::Data));
        auto* page = m.window().findChild<DataPage*>();
        QVERIFY(House::dropFile(page, m.path("pets.csv")));
        auto* rows = m.find<TableView>("data.rows");
        QTRY_VERIFY_WITH_TIMEOUT(rows->isVisible() && rows->model()->rowCount() == 500, sconce::test::patienceMs);
        QCOMPARE(rows->model()->headerData(5, Qt::Horizontal).toString(), QStringLiteral("flies"));
        QVERIFY(m.click("data.labels"));
        QDialog* dialog = nullptr;
        QTRY_VERIFY((dialog = m.window().findChild<QDialog*>(QStringLiteral("data.labelsDialog"))) && dialog->isVisible());
        auto* list = dialog->findChild<QListWidget*>(QStringLiteral("data.labelsList"));
        auto* predict = dialog->findChild<QPushButton*>(QStringLiteral("data.labelsPredict"));
        QCOMPARE(list->count(), 4); // sizes and weights are no labels
        QVERIFY(!predict->isEnabled());
        // By the keyboard alone: blank ticks, the arrow goes on.
        list->setFocus();
        for (int i = 0; i < 4; ++i) {
            QTest::keyClick(list, Qt::Key_Space);
            QTest::keyClick(list, Qt::Key_Down);
        }
        QVERIFY(predict->isEnabled());
        QCOMPARE(dialog->findChild<QLabel*>(QStringLiteral("data.labelsWords"))->text(), QStringLiteral("4 labels, learned from the other 2 columns."));
        if (const QString folder = qEnvironmentVariable("SCONCE_PICTURES"); !folder.isEmpty()) dialog->grab().save(folder + QStringLiteral("/labels-dialog.png"));
        QTest::mouseClick(predict, Qt::LeftButton);
        QTRY_COMPARE_WITH_TIMEOUT(rows->model()->columnCount(), 3, sconce::test::patienceMs);
        QCOMPARE(rows->model()->headerData(2, Qt::Horizontal).toString(), QStringLiteral("labels"));
        QCOMPARE(m.find<QComboBox>("data.target")->currentIndex(), -1);
        QVERIFY2(m.find<ElidedLabel>("data.facts")->fullText().contains(QStringLiteral("6 columns, 4 labels")), qPrintable(m.find<ElidedLabel>("data.facts")->fullText()));
        // How many rows have each, as the command line counts them.
        const QString balance = m.find<ClassBars>("data.classes")->accessibleDescription();
        const QJsonObject counted = m.cli({QStringLiteral("data"), QStringLiteral("inspect"), m.path("pets.csv"), QStringLiteral("--labels"), QStringLiteral("barks,swims,rare,flies")}).last()[QLatin1String("label_balance")].toObject();
        for (const char* label : {"barks", "swims", "rare", "flies"})
            QVERIFY2(balance.contains(QStringLiteral("%1: %2").arg(QLatin1String(label)).arg(counted[QLatin1String(label)].toObject()[QLatin1String("training")].toInt())), qPrintable(balance));
        // Rows with one label alone.
        QVERIFY(House::choose(m.find<QComboBox>("data.classFilter"), 3));
        QCOMPARE(rows->model()->rowCount(), counted[QLatin1String("rare")].toObject()[QLatin1String("training")].toInt());
        for (int row = 0; row < rows->model()->rowCount(); ++row) QVERIFY(rows->model()->index(row, 2).data().toString().contains(QStringLiteral("rare")));
        QVERIFY(House::choose(m.find<QComboBox>("data.classFilter"), 0));
        QVERIFY2(clippedTexts(page).isEmpty(), qPrintable(clippedTexts(page).join(QLatin1Char('\n'))));
        shot(QStringLiteral("labels-data-table"));
        for (const ThemeChoice theme : {ThemeChoice::Dark, ThemeChoice::Light}) {
            Theme::instance().apply(*qApp, theme);
            QVERIFY2(std::abs(numberOffMiddle(*rows, 3)) < 0.06, qPrintable(QString::number(numberOffMiddle(*rows, 3)))); // 1.5 of 26 pixels
        }
    }

    void composeTakesTheTaskWithTheData()
    {
        QVERIFY(m.click("data.train"));
        QTRY_COMPARE(m.window().currentPage(), PageId::Compose);
        // The recipe that was open told classes apart: now it says labels, and its last layer has too many units.
        QTRY_VERIFY_WITH_TIMEOUT(m.find<QLabel>("compose.problems.title")->text().contains(QStringLiteral("problem")), sconce::test::patienceMs);
        shot(QStringLiteral("labels-compose"));
    }

    void picturesWithLabels()
    {
        QVERIFY(m.page(PageId::Data));
        QVERIFY(House::dropFile(m.window().findChild<DataPage*>(), photos()));
        auto* grid = m.find<SampleGrid>("data.samples");
        QTRY_VERIFY_WITH_TIMEOUT(grid->isVisible() && grid->data() && grid->data()->info().kind == "labelled-pictures", sconce::test::patienceMs);
        QCOMPARE(grid->samples().size(), std::size_t{160});
        QVERIFY(!m.find<QWidget>("data.labels")->isVisible());
        grid->setFocus();
        QTest::keyClick(grid, Qt::Key_Home);
        QTRY_VERIFY(m.find<QLabel>("data.sampleLine")->text().contains(QStringLiteral("labels: ")));
        QVERIFY(House::choose(m.find<QComboBox>("data.classFilter"), 1));
        QCOMPARE(grid->samples().size(), std::size_t{80});
        QVERIFY(House::choose(m.find<QComboBox>("data.classFilter"), 0));
        shot(QStringLiteral("labels-data-pictures"));
    }

    void trainOnThem()
    {
        m_rows = m.train(recipe("pets", R"({ "dataset": "pets", "import": { "labels": ["barks", "swims", "rare", "flies"] }, "split": { "kind": "shuffled", "validation": 0.1, "test": 0.2 } })",
                                R"([ { "id": "l1", "type": "dense", "units": 16, "activation": "relu" }, { "id": "l2", "type": "dense", "units": 4 } ])", 25),
                         QStringLiteral("pets"), {QStringLiteral("--data"), m.path("pets.csv")})[QLatin1String("run")].toString();
        QVERIFY2(!m_rows.isEmpty(), qPrintable(m.said));
        m_pictures = m.train(recipe("photos", R"({ "dataset": "photos", "split": { "validation": 0.1, "test": 0.3 } })",
                                    R"([ { "id": "l1", "type": "flatten" }, { "id": "l2", "type": "dense", "units": 2 } ])", 2),
                             QStringLiteral("photos"), {QStringLiteral("--data"), photos()})[QLatin1String("run")].toString();
        QVERIFY2(!m_pictures.isEmpty(), qPrintable(m.said));
    }

    void liveSaysTheMetrics()
    {
        const QJsonObject run = m.run(m_rows);
        Q_EMIT m.studio().navigator->showRun(m_rows);
        QTest::qWait(600);
        QTRY_VERIFY_WITH_TIMEOUT(m.find<QLabel>("live.score") && m.find<QLabel>("live.score")->isVisible(), sconce::test::patienceMs);
        QCOMPARE(m.find<QLabel>("live.score")->text().section(QLatin1Char(' '), 0, 0).toDouble(), QString::number(100 * run[QLatin1String("test_micro_f1")].toDouble(), 'f', 2).toDouble());
        QString words;
        for (const QLabel* label : m.find<QWidget>("live.outcome")->findChildren<QLabel*>()) words += label->text() + QLatin1Char('\n');
        for (const char* title : {"Test F1", "Test all labels right", "Test label accuracy", "Test macro F1", "binary cross-entropy"}) QVERIFY2(words.contains(QLatin1String(title)), qPrintable(words));
        QCOMPARE(clippedTexts(m.find<QWidget>("live.outcome")), QStringList());
        shot(QStringLiteral("labels-live"));
    }

    void runsListThem()
    {
        QVERIFY(m.page(PageId::Runs));
        auto* model = m.window().findChild<RunTableModel*>();
        QTRY_COMPARE_WITH_TIMEOUT(model->rowCount(), 2, sconce::test::patienceMs);
        QCOMPARE(model->headerData(RunTableModel::TestResult, Qt::Horizontal, Qt::DisplayRole).toString(), QStringLiteral("Test F1"));
        shot(QStringLiteral("labels-runs"));
    }

    /// Of rows: the worst first, and a bar for each label of the chosen one.
    void tryItOnRows()
    {
        const QJsonObject report = m.cli({QStringLiteral("evaluate"), m_rows}).last();
        Q_EMIT m.studio().navigator->tryRun(m_rows);
        auto* rows = m.find<QTableWidget>("tryit.rows");
        QTRY_COMPARE_WITH_TIMEOUT(rows->isVisible() ? rows->rowCount() : 0, report[QLatin1String("mistakes")].toInt(), sconce::test::patienceMs);
        QVERIFY(rows->rowCount() > 5); // nothing tells which of them fly
        QVERIFY(rows->item(0, 3)->text().toInt() >= rows->item(rows->rowCount() - 1, 3)->text().toInt());
        auto* bars = m.find<ProbabilityBars>("tryit.rowLabels");
        auto* scores = m.find<ProbabilityBars>("tryit.labelF1");
        QTRY_COMPARE(bars->probabilities().size(), std::size_t{4});
        for (std::size_t i = 0; i < 4; ++i) QVERIFY(std::abs(static_cast<double>(scores->probabilities()[i]) - report[QLatin1String("per_label")].toArray()[static_cast<qsizetype>(i)].toObject()[QLatin1String("f1")].toDouble()) < 1e-6);
        const auto first = bars->probabilities();
        rows->setFocus();
        QTest::keyClick(rows, Qt::Key_Down);
        QVERIFY(bars->probabilities() != first);
        QCOMPARE(m.find<QLabel>("tryit.rowTitle")->text(), QStringLiteral("Row %1").arg(rows->item(1, 0)->text()));
        // What is said of a row is what its bars say: as many labels lit as are named.
        const auto lit = std::count_if(bars->probabilities().begin(), bars->probabilities().end(), [](float p) { return p > 0.5f; });
        const QString said = rows->item(1, 2)->text();
        QCOMPARE(lit, said == QStringLiteral("none") ? 0 : said.count(QLatin1Char(',')) + 1);
        shot(QStringLiteral("labels-tryit-rows"));
    }

    /// Of pictures: a bar for each label, the F1 of each in place of the matrix, and mistakes.
    void tryItOnPictures()
    {
        const QJsonObject report = m.cli({QStringLiteral("evaluate"), m_pictures}).last();
        Q_EMIT m.studio().navigator->tryRun(m_pictures);
        auto* scores = m.find<ProbabilityBars>("tryit.labelScores");
        QTRY_COMPARE_WITH_TIMEOUT(scores->isVisible() ? scores->probabilities().size() : 0, std::size_t{2}, sconce::test::patienceMs);
        QVERIFY(!m.find<QWidget>("tryit.confusion")->isVisible() && !m.find<QWidget>("tryit.unit")->isVisible());
        auto* bars = m.find<ProbabilityBars>("tryit.probabilities");
        QTRY_COMPARE(bars->probabilities().size(), std::size_t{2}); // a sample is shown at once
        const auto lit = std::count_if(bars->probabilities().begin(), bars->probabilities().end(), [](float p) { return p > 0.5f; });
        QCOMPARE(m.find<QLabel>("tryit.said")->text().toInt(), static_cast<int>(lit));
        auto* table = m.find<QTableWidget>("tryit.perClass");
        QCOMPARE(table->rowCount(), 3);
        QCOMPARE(table->item(0, 0)->text(), QStringLiteral("red"));
        QCOMPARE(table->item(0, 1)->text().toInt(), report[QLatin1String("per_label")].toArray()[0].toObject()[QLatin1String("count")].toInt());
        QCOMPARE(m.window().findChild<SampleStrip*>()->count(), report[QLatin1String("mistakes")].toInt());
        auto* tabs = m.find<QWidget>("tryit.tabs");
        QTest::mouseClick(tabs->findChild<QAbstractButton*>(QStringLiteral("segment2")), Qt::LeftButton); // the least sure: all of them
        QCOMPARE(m.window().findChild<SampleStrip*>()->count(), report[QLatin1String("count")].toInt());
        QVERIFY(!tabs->findChild<QWidget*>(QStringLiteral("segment1"))->isVisible());
        shot(QStringLiteral("labels-tryit-pictures"));
    }
};

QTEST_MAIN(VerbsLabelsTest)
#include "verbs_labels_test.moc"
