// SPDX-License-Identifier: GPL-3.0-or-later
// A table and the tasks without accuracy on the real window: added by a drop, its rows and the column to predict; what Live, Runs
// and Try it say of a number that is predicted and of samples that are given back, and what they leave out.
#include "tests/support/house.h"
#include "tests/support/paths.h"
#include "tests/support/patience.h"

#include "ui/data/data_page.h"
#include "ui/data/table_view.h"
#include "ui/live/plots_card.h"
#include "ui/runs/run_table_model.h"
#include "ui/tryit/answers_view.h"

#include <QHeaderView>
#include <QStackedWidget>
#include <QTableView>
#include <QTableWidget>

using namespace sconce;
using namespace sconce::ui;
using namespace sconce::ui::test;

namespace {

QByteArray recipe(const QByteArray& name, const QByteArray& task, const QByteArray& data, const QByteArray& layers)
{
    return R"({ "format": "sconce-recipe", "version": 1, "name": ")" + name + R"(", "data": )" + data + R"(, "layers": )" + layers + R"(, "task": )" + task +
           R"(, "training": { "epochs": 15, "batch_size": 32, "learning_rate": 0.01 }, "threads": 1 })";
}

} // namespace

class VerbsTasksTest : public QObject
{
    Q_OBJECT

    House m;
    QString m_numbers, m_pictures; ///< runs

    QString tile(const char* name, const char* part = "value")
    {
        auto* tile = m.find<Tile>(name);
        return tile ? tile->findChild<QLabel*>(QLatin1String(part))->text() : QString();
    }
    void shot(const QString& name)
    {
        for (const ThemeChoice theme : {ThemeChoice::Light, ThemeChoice::Dark}) {
            Theme::instance().apply(*qApp, theme);
            QTest::qWait(250);
            savePicture(&m.window(), name + (theme == ThemeChoice::Light ? QStringLiteral("-light") : QStringLiteral("-dark")));
        }
    }
    void showRun(const QString& run)
    {
        Q_EMIT m.studio().navigator->showRun(run);
        QTest::qWait(600);
    }

  private Q_SLOTS:
    void initTestCase()
    {
        SCONCE_NEEDS_DATA(folder, "tabular");
        QVERIFY(commandLineBuilt());
        m.open();
    }
    void cleanupTestCase()
    {
        if (m.isOpen()) m.close();
    }

    void aTableIsAddedAndItsTargetChosen()
    {
        SCONCE_NEEDS_DATA(penguins, "tabular/penguins.csv");
        QVERIFY(m.page(PageId::Data));
        auto* page = m.window().findChild<DataPage*>();
        QVERIFY(page && House::dropFile(page, QString::fromStdString(penguins)));
        auto* rows = m.find<TableView>("data.rows");
        QTRY_VERIFY_WITH_TIMEOUT(rows->isVisible() && rows->model()->rowCount() > 0, sconce::test::patienceMs);
        QCOMPARE(rows->model()->columnCount(), 7);
        QCOMPARE(rows->model()->headerData(6, Qt::Horizontal).toString(), QStringLiteral("sex")); // the last column, to begin with
        auto* target = m.find<QComboBox>("data.target");
        QVERIFY(target->isVisible());
        QCOMPARE(target->count(), 7);
        QVERIFY(House::choose(target, 5)); // body_mass_g: a number
        QTRY_COMPARE_WITH_TIMEOUT(rows->model()->headerData(6, Qt::Horizontal).toString(), QStringLiteral("body_mass_g"), sconce::test::patienceMs);
        QCOMPARE(rows->model()->index(0, 6).data().toString(), QStringLiteral("3750"));
        QVERIFY(!m.find<QComboBox>("data.classFilter")->isVisible()); // a number has no classes
        QVERIFY(!m.find<QSlider>("data.cellSize")->isVisible());
        QVERIFY(m.find<QLabel>("data.facts")->text().contains(QStringLiteral("342 rows")));
        QCOMPARE(clippedTexts(page), QStringList());
        shot(QStringLiteral("data-table"));
        QVERIFY(House::choose(target, 0)); // species: words
        QTRY_COMPARE_WITH_TIMEOUT(rows->model()->headerData(6, Qt::Horizontal).toString(), QStringLiteral("species"), sconce::test::patienceMs);
        QTRY_VERIFY(m.find<QComboBox>("data.classFilter")->isVisible());
        QVERIFY(House::choose(m.find<QComboBox>("data.classFilter"), 2)); // one class alone
        QCOMPARE(rows->model()->rowCount(), 68);
    }

    void trainOnIt()
    {
        SCONCE_NEEDS_DATA(folder, "tabular");
        const auto number = m.cli({QStringLiteral("data"), QStringLiteral("inspect"), QString::fromStdString(folder) + "/winequality-white.csv"}).last();
        QCOMPARE(number[QLatin1String("kind")].toString(), QStringLiteral("table"));
        m_numbers = m.train(recipe("wine", R"({ "type": "regression" })", R"({ "dataset": "wine", "split": { "kind": "shuffled", "validation": 0.1, "test": 0.1 } })",
                                   R"([ { "id": "l1", "type": "dense", "units": 16, "activation": "relu" }, { "id": "l2", "type": "dense", "units": 1 } ])"),
                            QStringLiteral("wine"), {QStringLiteral("--data"), QString::fromStdString(folder) + "/winequality-white.csv"})[QLatin1String("run")].toString();
        m_pictures = m.train(recipe("given-back", R"({ "type": "autoencoder" })", R"({ "dataset": "digits" })",
                                    R"([ { "id": "l1", "type": "flatten" }, { "id": "l2", "type": "dense", "units": 24, "activation": "relu" }, { "id": "l3", "type": "dense", "units": 784, "activation": "sigmoid" },
                                         { "id": "l4", "type": "reshape", "shape": [1, 28, 28] } ])"),
                             QStringLiteral("given-back"), {QStringLiteral("--epochs"), QStringLiteral("2")})[QLatin1String("run")].toString();
        QVERIFY(!m_numbers.isEmpty() && !m_pictures.isEmpty());
    }

    void liveSaysTheMetricsOfTheTask()
    {
        if (m_numbers.isEmpty()) QSKIP("There is no run to look at.");
        const QJsonObject run = m.run(m_numbers);
        showRun(m_numbers);
        QTRY_VERIFY_WITH_TIMEOUT(m.find<QLabel>("live.score") && m.find<QLabel>("live.score")->isVisible(), sconce::test::patienceMs);
        QCOMPARE(m.find<QLabel>("live.score")->text().toDouble(), QString::number(run[QLatin1String("test_mae")].toDouble(), 'g', 4).toDouble());
        auto* outcome = m.find<QWidget>("live.outcome");
        QString words;
        for (const QLabel* label : outcome->findChildren<QLabel*>()) words += label->text() + QLatin1Char('\n');
        QVERIFY2(words.contains(QStringLiteral("Test mean absolute error")) && words.contains(QStringLiteral("Test R²")) && words.contains(QStringLiteral("squared error")), qPrintable(words));
        QVERIFY2(!words.contains(QStringLiteral("accuracy")) && !words.contains(QStringLiteral("–\n")), qPrintable(words));
        shot(QStringLiteral("live-regression"));
        showRun(m_pictures);
        QTRY_VERIFY_WITH_TIMEOUT(m.find<QLabel>("live.score")->text().toDouble() > 0, sconce::test::patienceMs);
        shot(QStringLiteral("live-autoencoder"));
    }

    void runsListThem()
    {
        if (m_numbers.isEmpty()) QSKIP("There is no run to look at.");
        QVERIFY(m.page(PageId::Runs));
        auto* model = m.window().findChild<RunTableModel*>();
        QTRY_COMPARE_WITH_TIMEOUT(model->rowCount(), 2, sconce::test::patienceMs);
        QCOMPARE(model->headerData(RunTableModel::TestResult, Qt::Horizontal, Qt::DisplayRole).toString(), QStringLiteral("Test mean error"));
        QVERIFY(model->index(0, RunTableModel::TestResult).data().toString().toDouble() > 0);
        shot(QStringLiteral("runs-tasks"));
    }

    void tryItShowsAnswers()
    {
        if (m_numbers.isEmpty()) QSKIP("There is no run to look at.");
        const QJsonObject run = m.run(m_numbers);
        Q_EMIT m.studio().navigator->tryRun(m_numbers);
        auto* rows = m.find<QTableWidget>("tryit.rows");
        QTRY_VERIFY_WITH_TIMEOUT(rows->isVisible() && rows->rowCount() == 400, sconce::test::patienceMs);
        QVERIFY(!m.find<QWidget>("tryit.pen")->isVisible()); // nothing to draw
        // The widest miss first.
        const auto off = [&](int row) { return std::abs(rows->item(row, 3)->text().replace(QChar(0x2212), QLatin1Char('-')).toDouble()); };
        QVERIFY(off(0) >= off(1) && off(1) >= off(399) && off(0) > 1);
        QCOMPARE(rows->columnCount(), 15);
        shot(QStringLiteral("tryit-regression"));
        Q_EMIT m.studio().navigator->tryRun(m_pictures);
        auto* pairs = m.find<PairsView>("tryit.pairs");
        QTRY_VERIFY_WITH_TIMEOUT(pairs->isVisible() && pairs->count() == 24, sconce::test::patienceMs);
        shot(QStringLiteral("tryit-autoencoder"));
    }

    void composeSaysWhatTheTaskWants()
    {
        if (m_numbers.isEmpty()) QSKIP("There is no run to look at.");
        auto opened = m.studio().store->recipe(m_numbers.toStdString());
        QVERIFY(opened.ok());
        Q_EMIT m.studio().navigator->composeRecipe(*opened, {});
        QVERIFY(m.page(PageId::Compose));
        QTRY_COMPARE_WITH_TIMEOUT(m.find<QLabel>("compose.problems.title")->text(), QStringLiteral("No problems"), sconce::test::patienceMs);
        shot(QStringLiteral("compose-regression"));
    }
};

QTEST_MAIN(VerbsTasksTest)
#include "verbs_tasks_test.moc"
