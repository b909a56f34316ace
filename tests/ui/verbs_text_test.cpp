// SPDX-License-Identifier: GPL-3.0-or-later
// A text on the real window: added by a drop, looked at page by page, cut anew; learned; and written on in Try it, symbol by symbol,
// to the end or until it is stopped, also when the text is gone.
#include "tests/support/house.h"
#include "tests/support/page_checks.h"
#include "tests/support/paths.h"
#include "tests/support/patience.h"

#include "ui/compose/recipe_document.h"
#include "ui/data/class_bars.h"
#include "ui/data/data_page.h"
#include "ui/data/text_view.h"
#include "ui/runs/run_table_model.h"
#include "ui/tryit/write_view.h"

#include <QClipboard>
#include <QFile>
#include <QPlainTextEdit>
#include <QSpinBox>

using namespace sconce;
using namespace sconce::ui;
using namespace sconce::ui::test;

namespace {

QByteArray recipe(const QByteArray& name, int symbols)
{
    const QByteArray count = QByteArray::number(symbols);
    return R"({ "format": "sconce-recipe", "version": 1, "name": ")" + name + R"(", "data": { "dataset": "text", "split": { "validation": 0.1, "test": 0.1 } },
  "layers": [ { "id": "l1", "type": "embedding", "symbols": )" + count + R"(, "width": 16 }, { "id": "l2", "type": "dense", "units": )" + count + R"( } ],
  "task": { "type": "language" }, "training": { "epochs": 2, "batch_size": 64, "learning_rate": 0.02 }, "threads": 1 })";
}

} // namespace

class VerbsTextTest : public QObject
{
    Q_OBJECT

    House m;
    QString m_run, m_lost; ///< runs

    void shot(const QString& name)
    {
        for (const ThemeChoice theme : {ThemeChoice::Light, ThemeChoice::Dark}) {
            Theme::instance().apply(*qApp, theme);
            QTest::qWait(250);
            savePicture(&m.window(), name + (theme == ThemeChoice::Light ? QStringLiteral("-light") : QStringLiteral("-dark")));
        }
    }
    QString written() { return m.find<QPlainTextEdit>("tryit.text")->toPlainText(); }
    void type(const QString& prompt)
    {
        auto* field = m.find<QPlainTextEdit>("tryit.prompt");
        field->setFocus();
        field->selectAll();
        QTest::keyClick(field, Qt::Key_Delete);
        QTest::keyClicks(field, prompt);
    }

  private Q_SLOTS:
    void initTestCase()
    {
        SCONCE_NEEDS_DATA(text, "text/tinyshakespeare.txt");
        QVERIFY(commandLineBuilt());
        m.open();
    }
    void cleanupTestCase()
    {
        if (m.isOpen()) m.close();
    }

    void aTextIsAddedAndRead()
    {
        SCONCE_NEEDS_DATA(text, "text/tinyshakespeare.txt");
        QVERIFY(m.page(PageId::Data));
        auto* page = m.window().findChild<DataPage*>();
        QVERIFY(page && House::dropFile(page, QString::fromStdString(text)));
        auto* view = m.find<TextView>("data.textView");
        auto* shown = m.find<QPlainTextEdit>("data.text");
        QTRY_VERIFY_WITH_TIMEOUT(view->isVisible() && shown->toPlainText().startsWith(QStringLiteral("First Citizen:\nBefore we proceed")), sconce::test::patienceMs);
        QVERIFY(m.find<QLabel>("data.facts")->text().contains(QStringLiteral("17,428 windows")));
        for (const char* name : {"data.classFilter", "data.cellSize", "data.target", "data.mix", "data.scale", "data.normalise"}) QVERIFY2(!m.find<QWidget>(name)->isVisible(), name);
        QVERIFY(m.find<QWidget>("data.context")->isVisible());
        shot(QStringLiteral("data-text"));
        QVERIFY2(clippedTexts(page).isEmpty(), qPrintable(clippedTexts(page).join(QLatin1Char('|'))));

        // Page by page, to the last one of the test part.
        QVERIFY(!m.find<QToolButton>("data.textBack")->isEnabled());
        QTest::mouseClick(m.find<QToolButton>("data.textOn"), Qt::LeftButton);
        QCOMPARE(view->page(), 1);
        QVERIFY(!shown->toPlainText().startsWith(QStringLiteral("First Citizen")));
        QVERIFY2(m.find<QLabel>("data.textPlace")->text().contains(QStringLiteral("symbols 8,193 to 16,384 of 1,115,392")), qPrintable(m.find<QLabel>("data.textPlace")->text()));
        QVERIFY(House::choose(m.find<QComboBox>("data.partFilter"), 3));
        QCOMPARE(view->page(), 0);
        while (m.find<QToolButton>("data.textOn")->isEnabled()) QTest::mouseClick(m.find<QToolButton>("data.textOn"), Qt::LeftButton);
        QCOMPARE(view->page(), view->pages() - 1);
        QVERIFY2(shown->toPlainText().contains(QStringLiteral("Whiles thou art waking")), qPrintable(shown->toPlainText().right(200))); // the play's last words
        QVERIFY(m.find<ClassBars>("data.classes")->accessibleDescription().startsWith(QStringLiteral("␣: 169")));
    }

    void itIsCutAnew()
    {
        auto* context = m.find<QSpinBox>("data.context");
        QCOMPARE(context->value(), 64);
        context->setValue(32);
        QTest::mouseClick(m.find<QPushButton>("data.contextAgain"), Qt::LeftButton);
        QTRY_VERIFY_WITH_TIMEOUT(m.find<QLabel>("data.facts")->text().contains(QStringLiteral("34,856 windows")), sconce::test::patienceMs);
        context->setValue(64);
        QTest::mouseClick(m.find<QPushButton>("data.contextAgain"), Qt::LeftButton);
        QTRY_VERIFY_WITH_TIMEOUT(m.find<QLabel>("data.facts")->text().contains(QStringLiteral("17,428 windows")), sconce::test::patienceMs);
    }

    /// The task comes with the data; the network is mended by what the problems offer.
    void composeTakesTheTaskOfTexts()
    {
        QTest::mouseClick(m.find<QPushButton>("data.train"), Qt::LeftButton);
        QTRY_COMPARE_WITH_TIMEOUT(m.window().findChild<QWidget*>(QStringLiteral("page.compose"))->isVisible(), true, sconce::test::patienceMs);
        QCOMPARE(m.window().findChild<RecipeDocument*>()->recipe().task.type, std::string("language"));
        QVERIFY(m.find<QLabel>("compose.problems.title")->text() != QStringLiteral("No problems")); // layers of pictures
        QTest::qWait(400);
        shot(QStringLiteral("compose-text-problems"));
    }

    void trainOnIt()
    {
        SCONCE_NEEDS_DATA(text, "text/tinyshakespeare.txt");
        m_run = m.train(recipe("pairs", 65), QStringLiteral("pairs"), {QStringLiteral("--data"), QString::fromStdString(text)})[QLatin1String("run")].toString();
        QVERIFY(!m_run.isEmpty());
        auto opened = m.studio().store->recipe(m_run.toStdString());
        QVERIFY(opened.ok());
        setAsker([](QWidget*, const Question& question) { return static_cast<int>(std::max<qsizetype>(0, question.buttons.indexOf(QStringLiteral("Don't save")))); });
        Q_EMIT m.studio().navigator->composeRecipe(*opened, {});
        QVERIFY(m.page(PageId::Compose));
        QTRY_COMPARE_WITH_TIMEOUT(m.find<QLabel>("compose.problems.title")->text(), QStringLiteral("No problems"), sconce::test::patienceMs);
        shot(QStringLiteral("compose-text"));
    }

    void liveAndRunsSayThePerplexity()
    {
        if (m_run.isEmpty()) QSKIP("There is no run to look at.");
        const QJsonObject run = m.run(m_run);
        Q_EMIT m.studio().navigator->showRun(m_run);
        QTRY_VERIFY_WITH_TIMEOUT(m.find<QLabel>("live.score") && m.find<QLabel>("live.score")->isVisible(), sconce::test::patienceMs);
        QCOMPARE(m.find<QLabel>("live.score")->text().toDouble(), QString::number(run[QLatin1String("test_perplexity")].toDouble(), 'g', 4).toDouble());
        QString words;
        for (const QLabel* label : m.find<QWidget>("live.outcome")->findChildren<QLabel*>()) words += label->text() + QLatin1Char('\n');
        QVERIFY2(words.contains(QStringLiteral("Test perplexity")) && words.contains(QStringLiteral("Test accuracy")), qPrintable(words));
        QTest::qWait(600);
        shot(QStringLiteral("live-text"));
        QVERIFY(m.page(PageId::Runs));
        auto* model = m.window().findChild<RunTableModel*>();
        QTRY_VERIFY_WITH_TIMEOUT(model->rowCount() > 0, sconce::test::patienceMs);
        QCOMPARE(model->headerData(RunTableModel::TestResult, Qt::Horizontal, Qt::DisplayRole).toString(), QStringLiteral("Test perplexity"));
    }

    void writesOn()
    {
        if (m_run.isEmpty()) QSKIP("There is no run to look at.");
        Q_EMIT m.studio().navigator->tryRun(m_run);
        auto* view = m.find<WriteView>("tryit.write");
        QTRY_VERIFY_WITH_TIMEOUT(view->isVisible(), sconce::test::patienceMs);
        QVERIFY(!m.find<QWidget>("tryit.pen")->isVisible() && !m.find<QPushButton>("tryit.copy")->isEnabled());
        QVERIFY(m.find<QLabel>("tryit.knows")->text().contains(QStringLiteral("65 symbols")));
        shot(QStringLiteral("tryit-text-empty"));
        auto* length = m.find<QSpinBox>("tryit.length");
        auto* generate = m.find<QPushButton>("tryit.generate");
        length->setValue(120);
        type(QStringLiteral("ROMEO:"));
        QTest::mouseClick(generate, Qt::LeftButton);
        QTRY_VERIFY_WITH_TIMEOUT(!view->writing(), sconce::test::patienceMs);
        QCOMPARE(written().size(), 126);
        QVERIFY(written().startsWith(QStringLiteral("ROMEO:")));
        QVERIFY(m.find<QLabel>("tryit.wrote")->text().startsWith(QStringLiteral("120 symbols in")));
        const QString first = written();
        QTest::mouseClick(generate, Qt::LeftButton); // with the next seed
        QTRY_VERIFY_WITH_TIMEOUT(!view->writing() && written().size() == 126, sconce::test::patienceMs);
        QVERIFY(written() != first);
        m.find<QSpinBox>("tryit.seed")->setValue(1);
        QTest::mouseClick(generate, Qt::LeftButton);
        QTRY_VERIFY_WITH_TIMEOUT(!view->writing() && written() == first, sconce::test::patienceMs);
        QTest::mouseClick(m.find<QPushButton>("tryit.copy"), Qt::LeftButton);
        QCOMPARE(QApplication::clipboard()->text(), first);
        // The figures of the test part come beside, and are those of the command line.
        QString figures;
        QTRY_VERIFY_WITH_TIMEOUT(([&] {
                                     figures.clear();
                                     for (const QLabel* label : view->findChildren<QLabel*>()) figures += label->text() + QLatin1Char('\n');
                                     return figures.contains(QStringLiteral("perplexity"));
                                 }()),
                                 60000);
        QVERIFY2(figures.contains(QString::number(m.run(m_run)[QLatin1String("test_perplexity")].toDouble(), 'g', 4)), qPrintable(figures));
        QCOMPARE(clippedTexts(view), QStringList());
        shot(QStringLiteral("tryit-text"));
    }

    void canBeStoppedAndSaysWhatIsWrong()
    {
        if (m_run.isEmpty()) QSKIP("There is no run to look at.");
        auto* view = m.find<WriteView>("tryit.write");
        auto* generate = m.find<QPushButton>("tryit.generate");
        m.find<QSpinBox>("tryit.length")->setValue(100'000);
        QTest::mouseClick(generate, Qt::LeftButton);
        QTRY_VERIFY_WITH_TIMEOUT(view->writing() && written().size() > 20, sconce::test::patienceMs);
        QCOMPARE(generate->text(), QStringLiteral("Stop"));
        QTest::mouseClick(generate, Qt::LeftButton);
        QTRY_VERIFY_WITH_TIMEOUT(!view->writing(), sconce::test::patienceMs);
        QVERIFY(written().size() < 100'000 && generate->text() == QStringLiteral("Generate"));
        m.find<QPlainTextEdit>("tryit.prompt")->setPlainText(QStringLiteral("Caf\u00E9")); // keys of tests are ASCII
        QTest::mouseClick(generate, Qt::LeftButton);
        auto* problem = m.find<QLabel>("tryit.writeProblem");
        QTRY_VERIFY_WITH_TIMEOUT(problem->isVisible() && !view->writing(), sconce::test::patienceMs);
        QVERIFY2(problem->text().contains(QStringLiteral("“\u00E9”")), qPrintable(problem->text()));
    }

    /// The model keeps what it needs: the text may be gone.
    void writesOnWithoutTheText()
    {
        const QString path = m.path("rhyme.txt");
        QFile file(path);
        QVERIFY(file.open(QIODevice::WriteOnly));
        for (int i = 0; i < 300; ++i) file.write("one two three four five\n");
        file.close();
        m_lost = m.train(recipe("rhyme", 13), QStringLiteral("rhyme"), {QStringLiteral("--data"), path})[QLatin1String("run")].toString();
        QVERIFY(!m_lost.isEmpty());
        QVERIFY(QFile::remove(path));
        QVERIFY(m.page(PageId::Runs)); // where the other process's run is met
        QTRY_VERIFY_WITH_TIMEOUT(m.studio().runs->find(m_lost.toStdString()) != nullptr, sconce::test::patienceMs);
        Q_EMIT m.studio().navigator->tryRun(m_lost);
        auto* view = m.find<WriteView>("tryit.write");
        auto* note = m.find<QLabel>("tryit.writeNote");
        QTRY_VERIFY_WITH_TIMEOUT(view->isVisible() && note->isVisible(), sconce::test::patienceMs);
        QVERIFY2(note->text().contains(QStringLiteral("no longer at")), qPrintable(note->text()));
        m.find<QSpinBox>("tryit.length")->setValue(30);
        type(QStringLiteral("one"));
        QTest::mouseClick(m.find<QPushButton>("tryit.generate"), Qt::LeftButton);
        QTRY_VERIFY_WITH_TIMEOUT(!view->writing() && written().size() == 33, sconce::test::patienceMs);
        shot(QStringLiteral("tryit-text-lost"));
    }
};

QTEST_MAIN(VerbsTextTest)
#include "verbs_text_test.moc"
