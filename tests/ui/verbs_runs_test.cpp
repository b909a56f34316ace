// SPDX-License-Identifier: GPL-3.0-or-later
// Every verb of the Runs page on the real window, over runs that a second process really trained; what the window shows and
// what it did is compared with `sconce runs … --json`.
#include "tests/support/house.h"
#include "tests/support/patience.h"

#include "ui/charts/plot_view.h"
#include "ui/compose/compose_page.h"
#include "ui/runs/runs_page.h"

#include <QDesktopServices>
#include <QHeaderView>
#include <QMenu>
#include <QPlainTextEdit>

using namespace sconce;
using namespace sconce::ui;
using namespace sconce::ui::test;
using Model = RunTableModel;

namespace {
class Opener : public QObject
{
    Q_OBJECT
  public:
    QList<QUrl> urls;
  public Q_SLOTS:
    void open(const QUrl& url) { urls << url; }
};
} // namespace

class VerbsRunsTest : public QObject
{
    Q_OBJECT

    House m;

    RunsTable* table() { return m.find<RunsTable>("runs.table"); }
    QModelIndex at(int row, int column) { return table()->model()->index(row, column); }
    int rowNamed(const QString& name)
    {
        for (int i = 0; i < table()->model()->rowCount(); ++i)
            if (at(i, Model::Name).data().toString() == name) return i;
        return -1;
    }
    QStringList names()
    {
        QStringList out;
        for (int i = 0; i < table()->model()->rowCount(); ++i) out << at(i, Model::Name).data().toString();
        return out;
    }
    void clickCell(const QString& name, int column)
    {
        table()->scrollTo(at(rowNamed(name), column));
        QTest::mouseClick(table()->viewport(), Qt::LeftButton, {}, table()->visualRect(at(rowNamed(name), column)).center());
    }
    QString letter(const QString& name) { return at(rowNamed(name), Model::Check).data(Model::LetterRole).toString(); }
    QString idOf(const QString& name) { return m.runNamed(name)[QLatin1String("run")].toString(); }
    /// Opens the row's menu by a click on its dots and clicks an entry.
    bool menu(const QString& name, const char* action)
    {
        clickCell(name, Model::More);
        QMenu* menu = nullptr;
        if (!QTest::qWaitFor([&] { return (menu = qobject_cast<QMenu*>(QApplication::activePopupWidget())) != nullptr; }, sconce::test::patienceMs)) return false;
        auto* chosen = menu->findChild<QAction*>(QLatin1String(action));
        if (!chosen || !chosen->isEnabled()) return false;
        QTest::mouseClick(menu, Qt::LeftButton, {}, menu->actionGeometry(chosen).center());
        return true;
    }

  private Q_SLOTS:
    void initTestCase()
    {
        QVERIFY(commandLineBuilt());
        for (const auto& [name, units, rate] : {std::tuple("narrow", "4", "0.01"), std::tuple("wide", "32", "0.01"), std::tuple("quick", "16", "0.003")}) {
            const QJsonObject trained = m.train(smallRecipe(name, units, 2, rate), QLatin1String(name));
            QVERIFY2(trained[QLatin1String("status")].toString() == QLatin1String("finished"), qPrintable(m.said));
        }
        m.open();
        QVERIFY(m.page(PageId::Runs));
        QTRY_COMPARE_WITH_TIMEOUT(table()->model()->rowCount(), 3, sconce::test::patienceMs);
    }
    void cleanupTestCase() { m.close(); }
    void cleanup()
    {
        setAsker(nullptr);
        if (QApplication::activePopupWidget()) QApplication::activePopupWidget()->close();
        m.find<QLineEdit>("runs.search")->clear();
        m.window().goTo(PageId::Runs);
    }

    void theTableSaysWhatTheListSays()
    {
        const auto rows = m.runs();
        QCOMPARE(rows.size(), 3);
        for (const QJsonObject& row : rows) {
            const int i = rowNamed(row[QLatin1String("name")].toString());
            QVERIFY(i >= 0);
            QCOMPARE(at(i, Model::Status).data().toString(), row[QLatin1String("status")].toString());
            QCOMPARE(at(i, Model::TestResult).data().toString(), QString::number(100 * row[QLatin1String("test_accuracy")].toDouble(), 'f', 2) + QStringLiteral(" %"));
        }
    }

    void search()
    {
        auto* field = m.find<QLineEdit>("runs.search");
        QTest::mouseClick(field, Qt::LeftButton);
        QTest::keyClicks(field, QStringLiteral("wide"));
        QTRY_COMPARE_WITH_TIMEOUT(names(), QStringList{QStringLiteral("wide")}, sconce::test::patienceMs);
        // A condition keeps those that the list's own numbers say.
        const double bar = m.runNamed(QStringLiteral("quick"))[QLatin1String("test_accuracy")].toDouble();
        field->clear();
        QTest::keyClicks(field, QStringLiteral("accuracy > %1").arg(bar, 0, 'f', 6));
        QStringList better;
        for (const QJsonObject& row : m.runs())
            if (row[QLatin1String("test_accuracy")].toDouble() > bar + 1e-6) better << row[QLatin1String("name")].toString();
        QTRY_COMPARE_WITH_TIMEOUT(names().size(), better.size(), sconce::test::patienceMs);
        for (const QString& name : better) QVERIFY(names().contains(name));
    }

    void sort()
    {
        QHeaderView* header = table()->horizontalHeader();
        const auto press = [&] {
            QTest::mouseClick(header->viewport(), Qt::LeftButton, {}, QPoint(header->sectionViewportPosition(Model::TestResult) + header->sectionSize(Model::TestResult) / 2, 12));
        };
        std::vector<std::pair<double, QString>> order;
        for (const QJsonObject& row : m.runs()) order.emplace_back(row[QLatin1String("test_accuracy")].toDouble(), row[QLatin1String("name")].toString());
        std::sort(order.begin(), order.end());
        QStringList rising;
        for (const auto& [accuracy, name] : order) rising << name;
        const QStringList falling(rising.rbegin(), rising.rend());
        press();
        const QStringList once = names();
        press();
        const QStringList twice = names();
        QVERIFY2((once == rising && twice == falling) || (once == falling && twice == rising), qPrintable(once.join(u' ') + u'/' + twice.join(u' ')));
        // By keys: the menu key, S for "Sort by", and the column's entry.
        table()->setFocus();
        QTest::keyClick(table(), Qt::Key_Home, Qt::ControlModifier);
        QContextMenuEvent wanted(QContextMenuEvent::Keyboard, QPoint(40, 40), table()->viewport()->mapToGlobal(QPoint(40, 40)));
        QApplication::sendEvent(table(), &wanted); // what the platform makes of the menu key
        QTRY_VERIFY_WITH_TIMEOUT(qobject_cast<QMenu*>(QApplication::activePopupWidget()), sconce::test::patienceMs);
        auto* menu = qobject_cast<QMenu*>(QApplication::activePopupWidget());
        auto* columns = menu->findChild<QMenu*>(QStringLiteral("runs.menu.sort"));
        QVERIFY(columns);
        for (int i = 0; i < 30 && menu->activeAction() != columns->menuAction(); ++i) QTest::keyClick(menu, Qt::Key_Down);
        QTest::keyClick(menu, Qt::Key_Right);
        QTRY_VERIFY_WITH_TIMEOUT(columns->isVisible(), sconce::test::patienceMs);
        auto* wide = columns->findChild<QAction*>(QStringLiteral("runs.menu.sort.%1").arg(int(Model::TestResult)));
        QVERIFY(wide && wide->isChecked());
        for (int i = 0; i < 30 && columns->activeAction() != wide; ++i) QTest::keyClick(columns, Qt::Key_Down);
        QTest::keyClick(columns, Qt::Key_Return);
        QTRY_COMPARE_WITH_TIMEOUT(names(), once, sconce::test::patienceMs);
    }

    void overlayLegendAndDifferences()
    {
        clickCell(QStringLiteral("narrow"), Model::Check); // by mouse
        QCOMPARE(letter(QStringLiteral("narrow")), QStringLiteral("A"));
        clickCell(QStringLiteral("wide"), Model::Name);
        QTest::keyClick(table(), Qt::Key_Space); // by key
        QCOMPARE(letter(QStringLiteral("wide")), QStringLiteral("B"));
        auto* plot = m.find<PlotView>("runs.plot");
        QTRY_VERIFY2(plot->summary().contains(QStringLiteral("narrow")) && plot->summary().contains(QStringLiteral("wide")), qPrintable(plot->summary()));
        QVERIFY(!plot->summary().contains(QStringLiteral("quick")));
        // Legend: name and best value of each.
        QStringList legend;
        const auto named = [&](const char* name) {
            legend.clear();
            for (QLabel* label : m.find<QWidget>("runs.compare")->findChildren<QLabel*>())
                if (label->isVisible()) legend << label->text();
            return legend.contains(QLatin1String(name));
        };
        for (const char* name : {"narrow", "wide"}) QTRY_VERIFY2(named(name), qPrintable(legend.join(u'|')));
        // The last point of each curve is what the second process says.
        const auto values = plot->valuesAt(2);
        QCOMPARE(values.size(), std::size_t(2));
        QVERIFY(std::abs(values[0].y - m.runNamed(QStringLiteral("narrow"))[QLatin1String("val_accuracy")].toDouble()) < 1e-5);
        QVERIFY(std::abs(values[1].y - m.runNamed(QStringLiteral("wide"))[QLatin1String("val_accuracy")].toDouble()) < 1e-5);
        // What differs: each line of `runs compare`.
        const auto compared = m.cli({QStringLiteral("runs"), QStringLiteral("compare"), idOf(QStringLiteral("narrow")), idOf(QStringLiteral("wide"))});
        const QString shown = static_cast<DifferencesCard*>(m.find<QWidget>("runs.differences"))->shownText();
        int lines = 0;
        for (const QJsonObject& line : compared) {
            if (!line.contains(QLatin1String("path"))) continue;
            ++lines;
            const QJsonArray v = line[QLatin1String("values")].toArray();
            QVERIFY2(shown.contains(v.at(0).toString() + u'\t' + v.at(1).toString()), qPrintable(line[QLatin1String("path")].toString() + u'\n' + shown));
        }
        QVERIFY2(lines >= 1 && shown.contains(QStringLiteral("4\t32")), qPrintable(shown));
        QVERIFY(!shown.contains(QLatin1String("Learning rate")));
        QVERIFY(m.click("runs.clear"));
        QCOMPARE(letter(QStringLiteral("narrow")), QString());
    }

    void renameTagAndNote()
    {
        clickCell(QStringLiteral("quick"), Model::Name);
        QTest::keyClick(table(), Qt::Key_F2);
        QTRY_VERIFY_WITH_TIMEOUT(table()->findChild<QLineEdit*>(QStringLiteral("runs.nameEditor")), sconce::test::patienceMs);
        House::typeOver(table()->findChild<QLineEdit*>(QStringLiteral("runs.nameEditor")), QStringLiteral("slower"));
        QTRY_COMPARE_WITH_TIMEOUT(m.status(QStringLiteral("slower")), QStringLiteral("finished"), sconce::test::patienceMs);
        QTRY_VERIFY_WITH_TIMEOUT(rowNamed(QStringLiteral("slower")) >= 0, sconce::test::patienceMs);
        clickCell(QStringLiteral("slower"), Model::Name);
        QVERIFY(m.click("runs.tag"));
        QTRY_VERIFY_WITH_TIMEOUT(m.window().findChild<QLineEdit*>(QStringLiteral("runs.tagsField")), sconce::test::patienceMs);
        House::typeOver(m.find<QLineEdit>("runs.tagsField"), QStringLiteral("baseline, small"));
        QTRY_COMPARE_WITH_TIMEOUT(m.runNamed(QStringLiteral("slower"))[QLatin1String("tags")].toArray(), (QJsonArray{QStringLiteral("baseline"), QStringLiteral("small")}), sconce::test::patienceMs);
        QVERIFY(m.click("runs.note"));
        QTRY_VERIFY_WITH_TIMEOUT(m.window().findChild<QPlainTextEdit*>(QStringLiteral("runs.noteField")), sconce::test::patienceMs);
        auto* note = m.find<QPlainTextEdit>("runs.noteField");
        QTest::keyClicks(note, QStringLiteral("the one to beat"));
        QTest::keyClick(note, Qt::Key_Return, Qt::ControlModifier);
        QTRY_COMPARE_WITH_TIMEOUT(m.runNamed(QStringLiteral("slower"))[QLatin1String("note")].toString(), QStringLiteral("the one to beat"), sconce::test::patienceMs);
    }

    void openInCompose()
    {
        clickCell(QStringLiteral("wide"), Model::Name);
        QVERIFY(m.click("runs.openInCompose"));
        QTRY_COMPARE_WITH_TIMEOUT(m.window().currentPage(), PageId::Compose, sconce::test::patienceMs);
        auto& document = static_cast<ComposePage*>(m.window().page(PageId::Compose))->document();
        QTRY_COMPARE_WITH_TIMEOUT(document.recipe().name, std::string("wide"), sconce::test::patienceMs);
        const QString file = m.path("wide.sconce");
        setFileChooser([&](QWidget*, const QString&, const QString&) { return file; });
        QVERIFY(m.click("compose.save"));
        QTRY_VERIFY_WITH_TIMEOUT(QFile::exists(file), sconce::test::patienceMs);
        const auto lines = m.cli({QStringLiteral("describe"), file});
        QCOMPARE(lines.last()[QLatin1String("params")].toInt(), m.runNamed(QStringLiteral("wide"))[QLatin1String("parameters")].toInt());
        setFileChooser(nullptr);
        // By the row's menu too.
        QVERIFY(m.page(PageId::Runs));
        QVERIFY(menu(QStringLiteral("narrow"), "runs.menu.compose"));
        QTRY_COMPARE_WITH_TIMEOUT(document.recipe().name, std::string("narrow"), sconce::test::patienceMs);
    }

    void showOnLiveAndTry()
    {
        clickCell(QStringLiteral("wide"), Model::Name);
        QTest::keyClick(table(), Qt::Key_Return);
        QTRY_COMPARE_WITH_TIMEOUT(m.window().currentPage(), PageId::Live, sconce::test::patienceMs);
        QTRY_VERIFY_WITH_TIMEOUT(m.service().shown() && QString::fromStdString(m.service().shown()->id) == idOf(QStringLiteral("wide")), sconce::test::patienceMs);
        const QString score = QString::number(100 * m.runNamed(QStringLiteral("wide"))[QLatin1String("test_accuracy")].toDouble(), 'f', 2) + QStringLiteral(" %");
        QTRY_VERIFY_WITH_TIMEOUT(m.window().findChild<QLabel*>(QStringLiteral("live.score")), sconce::test::patienceMs);
        QTRY_COMPARE_WITH_TIMEOUT(m.find<QLabel>("live.score")->text(), score, sconce::test::patienceMs);
        QVERIFY(m.page(PageId::Runs));
        clickCell(QStringLiteral("narrow"), Model::Name);
        QVERIFY(m.click("runs.tryIt"));
        QTRY_COMPARE_WITH_TIMEOUT(m.window().currentPage(), PageId::TryIt, sconce::test::patienceMs);
        QTRY_COMPARE_WITH_TIMEOUT(m.find<QComboBox>("tryit.run")->currentData().toString(), idOf(QStringLiteral("narrow")), sconce::test::patienceMs);
    }

    void showInFolder()
    {
        Opener opener;
        QDesktopServices::setUrlHandler(QStringLiteral("file"), &opener, "open");
        const bool clicked = menu(QStringLiteral("wide"), "runs.menu.folder");
        QDesktopServices::unsetUrlHandler(QStringLiteral("file"));
        QVERIFY(clicked);
        QCOMPARE(opener.urls.size(), 1);
        QCOMPARE(opener.urls.first().toLocalFile(), m.run(idOf(QStringLiteral("wide")))[QLatin1String("folder")].toString());
    }

    void aNewRunOfAnotherProcessAppears()
    {
        QVERIFY(!m.train(smallRecipe("late", "4", 1), QStringLiteral("late")).isEmpty());
        QTRY_VERIFY_WITH_TIMEOUT(rowNamed(QStringLiteral("late")) >= 0, sconce::test::patienceMs);
        QTRY_COMPARE_WITH_TIMEOUT(at(rowNamed(QStringLiteral("late")), Model::Status).data().toString(), QStringLiteral("finished"), sconce::test::patienceMs);
    }

    void resumeOnlyWhereItMakesSense()
    {
        clickCell(QStringLiteral("late"), Model::Name);
        QVERIFY(!m.runNamed(QStringLiteral("late"))[QLatin1String("status")].toString().isEmpty());
        QVERIFY(!m.find<QPushButton>("runs.resume")->isVisible()); // finished
        // Train again, from its menu: the same recipe, another run.
        QVERIFY(menu(QStringLiteral("late"), "runs.menu.again"));
        const auto twice = [&] {
            int found = 0;
            for (const QJsonObject& row : m.runs()) found += row[QLatin1String("name")].toString() == QLatin1String("late") && row[QLatin1String("status")].toString() == QLatin1String("finished");
            return found == 2;
        };
        QTRY_VERIFY_WITH_TIMEOUT(twice(), 5 * sconce::test::patienceMs);
        QTRY_VERIFY_WITH_TIMEOUT(!m.service().training(), sconce::test::patienceMs);
        m.window().goTo(PageId::Runs);
    }

    void deleteAsksFirst()
    {
        QString asked;
        int answer = 1;
        setAsker([&](QWidget*, const Question& question) {
            asked = question.title;
            return answer;
        });
        const QString folder = m.run(idOf(QStringLiteral("slower")))[QLatin1String("folder")].toString();
        clickCell(QStringLiteral("slower"), Model::Name);
        QTest::keyClick(table(), Qt::Key_Delete);
        QTRY_VERIFY2(asked.contains(QLatin1String("slower")), qPrintable(asked));
        QCOMPARE(m.status(QStringLiteral("slower")), QStringLiteral("finished")); // cancelled
        QVERIFY(QDir(folder).exists());
        answer = 0;
        asked.clear();
        QVERIFY(menu(QStringLiteral("slower"), "runs.menu.delete"));
        QTRY_VERIFY_WITH_TIMEOUT(!asked.isEmpty(), sconce::test::patienceMs);
        QTRY_VERIFY_WITH_TIMEOUT(m.runNamed(QStringLiteral("slower")).isEmpty(), sconce::test::patienceMs);
        QTRY_VERIFY_WITH_TIMEOUT(!QDir(folder).exists(), sconce::test::patienceMs);
        QTRY_COMPARE_WITH_TIMEOUT(rowNamed(QStringLiteral("slower")), -1, sconce::test::patienceMs);
    }
};

QTEST_MAIN(VerbsRunsTest)
#include "verbs_runs_test.moc"
