// SPDX-License-Identifier: GPL-3.0-or-later
// The Runs page: model, search and proxy by themselves, then every verb with mouse and keyboard on the real page; what it did is
// read back through a second handle on the store.
#include "tests/support/studio_fixture.h"
#include "tests/support/patience.h"
#include "ui/runs/runs_page.h"
#include "ui/services/pages.h"

#include <QAbstractItemModelTester>
#include <QComboBox>
#include <QDesktopServices>
#include <QHeaderView>
#include <QLineEdit>
#include <QMenu>
#include <QPlainTextEdit>
#include <QSignalSpy>

using namespace sconce;
using namespace sconce::ui;
using namespace sconce::ui::test;
using Model = RunTableModel;

namespace {

RunRow makeRow(int number, const char* name, RunStatus status, double accuracy)
{
    RunRow row;
    row.id = "run" + std::to_string(number);
    row.number = number;
    row.name = name;
    row.status = status;
    row.datasetTitle = "MNIST";
    row.device = "cpu";
    row.created = row.started = 1700000000000 + number * 1000;
    row.epochsPlanned = 15;
    row.stepsPerEpoch = 100;
    row.parameters = 34826;
    row.summary.epochs = 15;
    row.summary.testAccuracy = accuracy;
    row.summary.testLoss = std::isnan(accuracy) ? NAN : 1 - accuracy;
    row.summary.seconds = 10.0 * number;
    return row;
}

class Opener : public QObject
{
    Q_OBJECT
  public:
    QList<QUrl> urls;
  public Q_SLOTS:
    void open(const QUrl& url) { urls << url; }
};

} // namespace

class RunsPageTest : public QObject
{
    Q_OBJECT

  private:
    template <class T> T* child(const char* name) { return page->findChild<T*>(QLatin1String(name)); }
    void click(const char* name)
    {
        auto* b = child<QPushButton>(name);
        QVERIFY2(b, name);
        QTRY_VERIFY2(b->isVisible() && b->isEnabled(), name);
        QTest::mouseClick(b, Qt::LeftButton);
    }
    RunsTable* table() { return child<RunsTable>("runs.table"); }
    QModelIndex at(int row, int column) { return table()->model()->index(row, column); }
    void clickCell(int row, int column, Qt::KeyboardModifiers modifiers = {})
    {
        QTest::mouseClick(table()->viewport(), Qt::LeftButton, modifiers, table()->visualRect(at(row, column)).center());
    }
    QStringList names()
    {
        QStringList out;
        for (int i = 0; i < table()->model()->rowCount(); ++i) out << at(i, Model::Name).data().toString();
        return out;
    }
    void fill();
    void picture(const QString& name);

    std::unique_ptr<StudioFixture> f;
    std::unique_ptr<Page> page;
    RunId wide, base, mlp, broken, halted;

  private Q_SLOTS:
    void init();
    void cleanup();
    void modelFollowsRows();
    void sortingPutsUnknownLast();
    void searchWordsAndConditions();
    void searchExplainsItself();
    void emptyState();
    void showsEverything();
    void searchAndFilter();
    void sortByHeader();
    void headsStandOverTheirColumns();
    void aFailedRunSaysWhy();
    void renameByF2();
    void tagsAndNote();
    void compareByMouseAndSpace();
    void openShowTry();
    void resumeOnlyWhereSensible();
    void deleteAsksFirst();
    void showInFolder();
    void contextMenu();
    void smallWindow();
    void manyRuns();
};

void RunsPageTest::init()
{
    Theme::instance().apply(*qApp, ThemeChoice::Dark);
    f = std::make_unique<StudioFixture>();
    f->useScript();
    page.reset(makeRunsPage(f->studio, nullptr));
    page->resize(1364, 844);
    page->show();
    QVERIFY(QTest::qWaitForWindowExposed(page.get()));
    QTRY_VERIFY(f->runs->loaded());
}

void RunsPageTest::cleanup()
{
    setAsker(nullptr);
    page.reset();
    f.reset();
}

/// Five runs as trainers leave them.
void RunsPageTest::fill()
{
    const auto train = [&](const char* name, RunStatus status, double accuracy, int epochs, const std::function<void(Recipe&)>& change = {}) {
        Recipe recipe = quickRecipe(5);
        recipe.training.batchSize = 100;
        if (change) change(recipe);
        const RunId id = f->scriptedRun(name, recipe);
        auto script = ScriptedHost::Shared();
        script.store = f->store;
        script.run = id;
        script.sink = [](const Event&) {};
        script.begin(0, 100, 5);
        for (int e = 0; e < epochs; ++e) {
            script.steps(100 * e, 100);
            script.epoch(e + 1, 100, 0.3 / (e + 1), accuracy - 0.05 / (e + 1), true);
        }
        RunSummary s;
        s.epochs = epochs;
        s.steps = 100 * epochs;
        s.trainLoss = 0.1;
        s.trainAccuracy = accuracy + 0.003;
        s.valLoss = 0.3 / std::max(1, epochs);
        s.valAccuracy = accuracy - 0.01;
        s.bestEpoch = epochs;
        s.seconds = epochs;
        s.samplesPerSecond = 12800;
        if (status == RunStatus::Finished) {
            s.testAccuracy = accuracy;
            s.testLoss = 1 - accuracy;
        }
        // A folder with something in it stands for the checkpoint.
        const std::string checkpoint = f->store->run(id)->folder + "/checkpoints/step-000000100";
        (void)makeFolders(checkpoint);
        (void)writeFileDurably(checkpoint + "/manifest.json", "{}");
        script.push(CheckpointSaved{checkpoint, 100, "epoch", false, 0.01});
        s.checkpoint = checkpoint;
        if (status != RunStatus::Interrupted) {
            RunEnded ended{status, s, "", "", "", ""};
            if (status == RunStatus::Failed) ended.message = "The loss or a gradient stopped being a number (NaN or infinite) at step 231.";
            script.push(ended);
        }
        (void)f->store->flush();
        QTest::qWait(5); // so that they start one after the other
        return id;
    };
    halted = train("resnet", RunStatus::Interrupted, 0.9, 2);
    broken = train("mnist-convnet, rate 0.8", RunStatus::Failed, 0.5, 2, [](Recipe& r) { r.training.learningRate = 0.8; });
    mlp = train("mnist-mlp", RunStatus::Finished, 0.976, 5, [](Recipe& r) { r.seed = 7; });
    base = train("mnist-convnet", RunStatus::Finished, 0.9915, 5);
    wide = train("mnist-convnet-wide", RunStatus::Finished, 0.9923, 5, [](Recipe& r) { r.training.learningRate = 0.002; });
    f->runs->refresh();
    QTRY_COMPARE(f->runs->rows().size(), std::size_t(5));
    QTRY_COMPARE(table()->model()->rowCount(), 5);
    QTRY_VERIFY(f->runs->find(wide)->status == RunStatus::Finished);
}

void RunsPageTest::picture(const QString& name)
{
    const QString folder = qEnvironmentVariable("SCONCE_PICTURES");
    if (folder.isEmpty()) return;
    for (const auto choice : {ThemeChoice::Light, ThemeChoice::Dark}) {
        Theme::instance().apply(*qApp, choice);
        QTest::qWait(300);
        page->grab().save(QStringLiteral("%1/%2-%3.png").arg(folder, name, choice == ThemeChoice::Dark ? QStringLiteral("dark") : QStringLiteral("light")));
    }
}

void RunsPageTest::modelFollowsRows()
{
    RunTableModel model;
    QAbstractItemModelTester tester(&model, QAbstractItemModelTester::FailureReportingMode::QtTest);
    RunTableProxy proxy;
    proxy.setSourceModel(&model);
    QAbstractItemModelTester second(&proxy, QAbstractItemModelTester::FailureReportingMode::QtTest);
    auto a = makeRow(1, "a", RunStatus::Finished, 0.9), b = makeRow(2, "b", RunStatus::Failed, NAN), c = makeRow(3, "c", RunStatus::Running, NAN);
    model.setRows({c, b, a});
    QCOMPARE(model.rowCount(), 3);
    model.toggle("run1");
    QPersistentModelIndex kept = model.index(2, Model::Name);
    QSignalSpy reset(&model, &QAbstractItemModel::modelReset), changed(&model, &QAbstractItemModel::dataChanged), compared(&model, &RunTableModel::comparedChanged);
    const auto d = makeRow(4, "d", RunStatus::Queued, NAN);
    model.setRows({d, c, a}); // one came, one went
    QCOMPARE(reset.count(), 0);
    QVERIFY(kept.isValid());
    QCOMPARE(kept.data().toString(), QStringLiteral("a"));
    QCOMPARE(changed.count(), 0);
    auto c2 = c;
    c2.summary.steps = 750;
    model.setRows({d, c2, a});
    QCOMPARE(changed.count(), 1);
    QCOMPARE(model.index(1, Model::Epochs).data().toString(), QStringLiteral("8 of 15"));
    QCOMPARE(model.index(1, Model::Epochs).data(Model::ShareRole).toDouble(), 0.5);
    QCOMPARE(model.index(0, Model::Epochs).data().toString(), QStringLiteral("not started"));
    model.setQueue({"run4"});
    QCOMPARE(model.index(0, Model::Epochs).data().toString(), QStringLiteral("next"));
    QCOMPARE(model.index(2, Model::Check).data(Model::LetterRole).toString(), QStringLiteral("A"));
    model.setRows({d});
    QVERIFY(model.compared().empty());
    QCOMPARE(compared.count(), 1);
    model.setRows({});
    QCOMPARE(model.rowCount(), 0);
}

void RunsPageTest::sortingPutsUnknownLast()
{
    RunTableModel model;
    RunTableProxy proxy;
    proxy.setSourceModel(&model);
    model.setRows({makeRow(4, "d", RunStatus::Running, NAN), makeRow(3, "c", RunStatus::Finished, 0.5), makeRow(2, "b", RunStatus::Finished, 0.99), makeRow(1, "a", RunStatus::Finished, 0.0987)});
    const auto order = [&] {
        QString out;
        for (int i = 0; i < proxy.rowCount(); ++i) out += proxy.index(i, Model::Name).data().toString();
        return out;
    };
    proxy.sort(Model::TestResult, Qt::AscendingOrder);
    QCOMPARE(order(), QStringLiteral("acbd"));
    proxy.sort(Model::TestResult, Qt::DescendingOrder);
    QCOMPARE(order(), QStringLiteral("bcad"));
    proxy.sort(Model::Time, Qt::DescendingOrder); // by seconds, not by words: "1m 40s" is more than "20 s"
    QCOMPARE(order(), QStringLiteral("dcba"));
    proxy.sort(Model::Name, Qt::AscendingOrder);
    QCOMPARE(order(), QStringLiteral("abcd"));
}

void RunsPageTest::searchWordsAndConditions()
{
    const RunRow good = makeRow(12, "mnist-convnet", RunStatus::Finished, 0.9915), bad = makeRow(3, "wine", RunStatus::Failed, NAN);
    const auto finds = [](const char* text, const RunRow& row) { return RunSearch::parse(QString::fromUtf8(text)).matches(row); };
    QVERIFY(finds("", good) && finds("", bad));
    QVERIFY(finds("convnet", good) && !finds("convnet", bad));
    QVERIFY(finds("MNIST finished", good) && !finds("mnist failed", good));
    QVERIFY(finds("#12", good) && !finds("#12", bad));
    QVERIFY(finds("accuracy > 0.99", good) && !finds("accuracy > 0.995", good) && !finds("accuracy > 0.99", bad));
    QVERIFY(finds("accuracy>99%", good) && finds("accuracy > 99", good) && !finds("accuracy > 99.5 %", good));
    QVERIFY(finds("test loss < 0.01", good) && !finds("loss<0.001", good));
    QVERIFY(finds("convnet accuracy >= 0.9915 and epochs = 15", good));
    QVERIFY(!finds("wine accuracy > 0.9", good));
    QVERIFY(finds("parameters < 35k", good) && finds("params > 0.03 M", good) && finds("time <= 120", good));
    RunRow tagged = bad;
    tagged.tags = {"baseline"};
    tagged.note = "too slow";
    QVERIFY(finds("baseline", tagged) && finds("too slow", tagged));
}

void RunsPageTest::searchExplainsItself()
{
    QVERIFY(RunSearch::parse(QStringLiteral("acuracy > 0.9")).problem.contains(QStringLiteral("accuracy")));
    QVERIFY(!RunSearch::parse(QStringLiteral("accuracy >")).problem.isEmpty());
    QVERIFY(RunSearch::parse(QStringLiteral("accuracy > 0.9 mnist")).problem.isEmpty());
}

void RunsPageTest::emptyState()
{
    QTRY_VERIFY(child<QWidget>("runs.empty")->isVisible());
    QSignalSpy go(f->navigator.get(), &Navigator::goTo);
    click("runs.toCompose");
    QVERIFY(go.at(0).at(0).value<PageId>() == PageId::Compose);
}

void RunsPageTest::showsEverything()
{
    fill();
    QCOMPARE(names(), (QStringList{"mnist-convnet-wide", "mnist-convnet", "mnist-mlp", "mnist-convnet, rate 0.8", "resnet"}));
    QCOMPARE(at(1, Model::TestResult).data().toString(), QStringLiteral("99.15 %"));
    QCOMPARE(at(3, Model::TestLoss).data().toString(), QStringLiteral("NaN"));
    QCOMPARE(at(4, Model::Status).data().toString(), QStringLiteral("interrupted"));
    QCOMPARE(at(4, Model::TestResult).data().toString(), QStringLiteral("–"));
    QVERIFY(at(1, Model::Epochs).data().toString().startsWith(QStringLiteral("5 of 5, best 5")));
    QTRY_VERIFY(child<QLabel>("pageSubtitle")->text().startsWith(QStringLiteral("5 runs")));
    for (const char* chip : {"runs.filter.finished", "runs.filter.failed", "runs.filter.interrupted"}) QVERIFY(child<QPushButton>(chip)->isVisible());
    QVERIFY(!child<QPushButton>("runs.filter.queued")->isVisible());
    clickCell(1, Model::Check);
    clickCell(0, Model::Check);
    clickCell(2, Model::Check);
    QTRY_VERIFY(child<PlotView>("runs.plot")->summary().contains(QStringLiteral("mnist-mlp")));
    picture(QStringLiteral("runs"));
}

void RunsPageTest::searchAndFilter()
{
    fill();
    auto* search = child<QLineEdit>("runs.search");
    QTest::mouseClick(search, Qt::LeftButton);
    QTest::keyClicks(search, QStringLiteral("accuracy > 0.99"));
    QCOMPARE(names(), (QStringList{"mnist-convnet-wide", "mnist-convnet"}));
    QTest::keyClicks(search, QStringLiteral(" wide"));
    QCOMPARE(names(), (QStringList{"mnist-convnet-wide"}));
    search->clear();
    QTest::keyClicks(search, QStringLiteral("acuracy > 0.99"));
    QVERIFY(child<QLabel>("runs.searchProblem")->isVisible());
    search->clear();
    QTest::keyClicks(search, QStringLiteral("nothing like that"));
    QTRY_VERIFY(child<QWidget>("runs.noneFound")->isVisible());
    click("runs.showAll");
    QCOMPARE(names().size(), 5);
    click("runs.filter.failed");
    QCOMPARE(names(), (QStringList{"mnist-convnet, rate 0.8"}));
    auto* finished = child<QPushButton>("runs.filter.finished");
    finished->setFocus();
    QTest::keyClick(finished, Qt::Key_Space);
    QCOMPARE(names().size(), 3);
    QVERIFY(finished->text().endsWith(QStringLiteral("3")));
    Q_EMIT f->navigator->selectRun(QString::fromStdString(halted)); // asked for by another page: the filter gives way
    QTRY_COMPARE(table()->currentIndex().data(Model::IdRole).toString().toStdString(), halted);
}

void RunsPageTest::sortByHeader()
{
    fill();
    QHeaderView* header = table()->horizontalHeader();
    const auto press = [&](int section) {
        QTest::mouseClick(header->viewport(), Qt::LeftButton, {}, QPoint(header->sectionViewportPosition(section) + header->sectionSize(section) / 2, 12));
    };
    press(Model::TestResult);
    const QString first = names().first();
    press(Model::TestResult);
    QVERIFY(names().first() != first);
    QVERIFY((QStringList{first, names().first()}).contains(QStringLiteral("mnist-convnet-wide")));
    QVERIFY(names().last() == QStringLiteral("resnet") || names().last() == QStringLiteral("mnist-convnet, rate 0.8"));
}

void RunsPageTest::renameByF2()
{
    fill();
    clickCell(2, Model::Name);
    QTest::keyClick(table(), Qt::Key_F2);
    auto* editor = table()->findChild<QLineEdit*>(QStringLiteral("runs.nameEditor"));
    QTRY_VERIFY(editor && editor->isVisible());
    QCOMPARE(editor->text(), QStringLiteral("mnist-mlp"));
    editor->selectAll();
    QTest::keyClicks(editor, QStringLiteral("small one"));
    QTest::keyClick(editor, Qt::Key_Return);
    QTRY_COMPARE(QString::fromStdString(f->second()->run(mlp)->name), QStringLiteral("small one"));
    QTRY_COMPARE(at(2, Model::Name).data().toString(), QStringLiteral("small one"));
    click("runs.rename"); // and by the button
    editor = table()->findChild<QLineEdit*>(QStringLiteral("runs.nameEditor"));
    QTRY_VERIFY(editor && editor->isVisible());
    QTest::keyClick(editor, Qt::Key_Escape);
    QCOMPARE(QString::fromStdString(f->second()->run(mlp)->name), QStringLiteral("small one"));
}

void RunsPageTest::tagsAndNote()
{
    fill();
    clickCell(1, Model::Name);
    click("runs.tag");
    auto* tags = child<QLineEdit>("runs.tagsField");
    QTRY_VERIFY(tags && tags->isVisible());
    QTest::keyClicks(tags, QStringLiteral("baseline, two words,, baseline"));
    QTest::keyClick(tags, Qt::Key_Return);
    QTRY_COMPARE(f->second()->run(base)->tags, (std::vector<std::string>{"baseline", "two words"}));
    click("runs.note");
    auto* note = child<QPlainTextEdit>("runs.noteField");
    QTRY_VERIFY(note && note->isVisible());
    QTest::keyClicks(note, QStringLiteral("the one to beat"));
    click("runs.noteField.save");
    QTRY_COMPARE(f->second()->run(base)->note, std::string("the one to beat"));
    QTRY_COMPARE(at(1, Model::Name).data(Qt::ToolTipRole).toString(), QStringLiteral("the one to beat"));
}

void RunsPageTest::headsStandOverTheirColumns()
{
    fill();
    auto* header = static_cast<RunsHeader*>(table()->horizontalHeader());
    for (const int column : {int(Model::Started), int(Model::Tags), int(Model::TestResult), int(Model::Time)}) {
        header->setSortIndicator(column, Qt::DescendingOrder);
        const QRect words = header->wordsRect(column), arrow = header->arrowRect(column);
        const QRect cell = table()->visualRect(at(0, column)); // the viewport begins where the header does
        const bool number = column == Model::TestResult || column == Model::Time;
        if (number) QCOMPARE(words.right(), cell.right() - 8);
        else QCOMPARE(words.left(), cell.left() + 8);
        // The arrow belongs to its words, and lies in its own column.
        const int gap = number ? words.left() - arrow.right() : arrow.left() - words.right();
        QVERIFY2(gap >= 1 && gap <= 8, qPrintable(QString::number(gap)));
        QVERIFY(arrow.left() >= cell.left() - 2 && arrow.right() <= cell.right() + 2);
        QVERIFY(words.width() >= QFontMetrics(font(FontRole::Caption)).horizontalAdvance(header->model()->headerData(column, Qt::Horizontal).toString()));
    }
}

void RunsPageTest::aFailedRunSaysWhy()
{
    fill();
    auto* differences = static_cast<DifferencesCard*>(child<QWidget>("runs.differences"));
    const auto row = f->second()->run(broken);
    QVERIFY(row.ok());
    QVERIFY(row->status == RunStatus::Failed && !row->message.empty());
    int found = -1;
    for (int i = 0; i < table()->model()->rowCount(); ++i)
        if (at(i, Model::Status).data().toString() == QStringLiteral("failed")) found = i;
    QVERIFY(found >= 0);
    clickCell(found, Model::Name);
    QTRY_VERIFY2(differences->shownText().contains(QString::fromStdString(row->message)), qPrintable(differences->shownText()));
    QVERIFY(differences->shownText().startsWith(QStringLiteral("Why ")));
    QVERIFY(at(found, Model::Status).data(Qt::ToolTipRole).toString().startsWith(QString::fromStdString(row->message)));
    QCOMPARE(at(found, Model::TestLoss).data().toString(), QStringLiteral("NaN"));
}

void RunsPageTest::compareByMouseAndSpace()
{
    fill();
    auto* plot = child<PlotView>("runs.plot");
    auto* differences = static_cast<DifferencesCard*>(child<QWidget>("runs.differences"));
    clickCell(1, Model::Name);
    QTRY_VERIFY(plot->summary().contains(QStringLiteral("mnist-convnet #"))); // one run: its own curve
    QVERIFY(!child<QPushButton>("runs.clear")->isVisible());
    // One run: what to do next instead of its row once more.
    QTRY_VERIFY2(differences->shownText().contains(QStringLiteral("To compare, tick")), qPrintable(differences->shownText()));
    QVERIFY(!differences->shownText().contains(QStringLiteral("99.15")));
    clickCell(1, Model::Check);
    QCOMPARE(at(1, Model::Check).data(Model::LetterRole).toString(), QStringLiteral("A"));
    clickCell(0, Model::Name);
    QTest::keyClick(table(), Qt::Key_Space);
    QCOMPARE(at(0, Model::Check).data(Model::LetterRole).toString(), QStringLiteral("B"));
    QTRY_VERIFY(plot->summary().contains(QStringLiteral("mnist-convnet-wide")));
    QTRY_VERIFY2(differences->shownText().contains(QStringLiteral("0.001\t0.002")), qPrintable(differences->shownText()));
    QVERIFY(differences->shownText().contains(QStringLiteral("Test accuracy\t99.15 %\t99.23 %")));
    QVERIFY(!differences->shownText().contains(QStringLiteral("Batch"))); // only what differs
    const auto values = plot->valuesAt(5);
    QCOMPARE(values.size(), std::size_t(2));
    QVERIFY(std::abs(values[0].y - 0.9815) < 1e-3);
    auto* metric = child<QComboBox>("runs.metric");
    metric->setCurrentIndex(3); // training loss, 500 steps
    QTRY_VERIFY(plot->valuesAt(1).size() == 2 && plot->valuesAt(1)[0].y > 0.5);
    auto* axis = child<QComboBox>("runs.axis");
    axis->setCurrentIndex(1);
    QTRY_VERIFY(plot->xAt(plot->plotArea().right()) > 400);
    metric->setCurrentIndex(0);
    click("runs.clear");
    QTRY_VERIFY(!plot->summary().contains(QStringLiteral("mnist-convnet #")) || !plot->summary().contains(QStringLiteral("wide")));
    QCOMPARE(at(1, Model::Check).data(Model::LetterRole).toString(), QString());
}

void RunsPageTest::openShowTry()
{
    fill();
    QSignalSpy composed(f->navigator.get(), &Navigator::composeRecipe), show(f->navigator.get(), &Navigator::showRun), tried(f->navigator.get(), &Navigator::tryRun);
    clickCell(0, Model::Name);
    click("runs.openInCompose");
    QTRY_COMPARE(composed.count(), 1);
    QCOMPARE(composed.first().at(0).value<Recipe>().training.learningRate, 0.002);
    QTest::keyClick(table(), Qt::Key_Return);
    QCOMPARE(show.count(), 1);
    QCOMPARE(show.first().at(0).toString().toStdString(), wide);
    click("runs.tryIt");
    QCOMPARE(tried.first().at(0).toString().toStdString(), wide);
}

void RunsPageTest::resumeOnlyWhereSensible()
{
    fill();
    clickCell(0, Model::Name); // finished
    QVERIFY(!child<QPushButton>("runs.resume")->isVisible());
    QVERIFY(RunDelegate::resumeRect(table()->visualRect(at(0, Model::Epochs)), at(0, Model::Epochs)).isEmpty());
    QTRY_VERIFY(at(4, Model::Epochs).data(Model::ResumableRole).toBool());
    const QRect button = RunDelegate::resumeRect(table()->visualRect(at(4, Model::Epochs)), at(4, Model::Epochs));
    QVERIFY(!button.isEmpty());
    QTest::mouseClick(table()->viewport(), Qt::LeftButton, {}, button.center());
    QTRY_VERIFY(f->script && f->script->run == halted);
    f->script->begin(100, 100, 5);
    QTRY_VERIFY(f->runService->training());
    RunEnded stopped;
    stopped.status = RunStatus::Stopped;
    f->script->push(stopped);
    QTRY_VERIFY(f->runs->find(halted)->status == RunStatus::Stopped);
    const auto before = f->script;
    QTRY_COMPARE(at(4, Model::Status).data().toString(), QStringLiteral("stopped"));
    clickCell(4, Model::Name);
    click("runs.resume");
    QTRY_VERIFY(f->script != before && f->script->run == halted);
}

void RunsPageTest::deleteAsksFirst()
{
    fill();
    Question asked;
    int answer = 1;
    int times = 0;
    setAsker([&](QWidget*, const Question& q) { asked = q; ++times; return answer; });
    clickCell(3, Model::Name);
    QTest::keyClick(table(), Qt::Key_Delete);
    QTRY_COMPARE(times, 1);
    QVERIFY(asked.dangerous && asked.title.contains(QStringLiteral("rate 0.8")));
    QCOMPARE(asked.buttons[asked.defaultButton], QStringLiteral("Cancel"));
    QTest::qWait(100);
    const auto row = f->second()->run(broken);
    QVERIFY(row.ok()); // cancelled: still there
    QVERIFY(QFile::exists(QString::fromStdString(row->folder)));
    answer = 0;
    clickCell(4, Model::Name, Qt::ControlModifier); // two at once
    click("runs.delete");
    QTRY_COMPARE(times, 2);
    QVERIFY(asked.title.contains(QStringLiteral("2 runs")));
    QTRY_VERIFY(!f->second()->run(broken).ok());
    QTRY_VERIFY(!f->second()->run(halted).ok());
    QVERIFY(!QFile::exists(QString::fromStdString(row->folder)));
    QTRY_COMPARE(table()->model()->rowCount(), 3);
}

void RunsPageTest::showInFolder()
{
    fill();
    Opener opener;
    QDesktopServices::setUrlHandler(QStringLiteral("file"), &opener, "open");
    clickCell(1, Model::Name);
    Q_EMIT table()->customContextMenuRequested(table()->visualRect(at(1, Model::Name)).center());
    auto* menu = child<QMenu>("runs.menu");
    QVERIFY(menu);
    menu->findChild<QAction*>(QStringLiteral("runs.menu.folder"))->trigger();
    menu->close();
    QDesktopServices::unsetUrlHandler(QStringLiteral("file"));
    QCOMPARE(opener.urls.size(), 1);
    QCOMPARE(opener.urls.first().toLocalFile().toStdString(), f->store->run(base)->folder);
}

void RunsPageTest::contextMenu()
{
    fill();
    clickCell(1, Model::More);
    auto* menu = child<QMenu>("runs.menu");
    QTRY_VERIFY(menu && menu->isVisible());
    QVERIFY(!menu->findChild<QAction*>(QStringLiteral("runs.menu.resume"))); // finished
    QVERIFY(menu->findChild<QAction*>(QStringLiteral("runs.menu.delete"))->isEnabled());
    menu->findChild<QAction*>(QStringLiteral("runs.menu.tick"))->trigger();
    menu->close();
    QCOMPARE(at(1, Model::Check).data(Model::LetterRole).toString(), QStringLiteral("A"));
}

void RunsPageTest::smallWindow()
{
    fill();
    page->resize(1280 - 52, 720 - 24);
    page->setCompact(true, true);
    QTest::qWait(100);
    QVERIFY(table()->isColumnHidden(Model::Parameters) && table()->isColumnHidden(Model::Device) && table()->isColumnHidden(Model::Tags));
    QVERIFY(!table()->isColumnHidden(Model::TestResult));
    QVERIFY(child<QWidget>("runs.compare")->isVisible() && !child<QWidget>("runs.differences")->isVisible());
    auto* tabs = child<SegmentedControl>("runs.tabs");
    QTest::mouseClick(tabs->findChild<QPushButton*>(QStringLiteral("segment1")), Qt::LeftButton);
    QTRY_VERIFY(child<QWidget>("runs.differences")->isVisible());
    picture(QStringLiteral("runs-1280x720"));
    QVERIFY2(page->minimumSizeHint().width() <= 1048, qPrintable(QString::number(page->minimumSizeHint().width())));
    QVERIFY2(page->minimumSizeHint().height() <= 656, qPrintable(QString::number(page->minimumSizeHint().height())));
}

void RunsPageTest::manyRuns()
{
    RunTableModel model;
    RunTableProxy proxy;
    proxy.setSourceModel(&model);
    proxy.sort(Model::Started, Qt::DescendingOrder);
    std::vector<RunRow> rows;
    for (int i = 1000; i > 0; --i) rows.push_back(makeRow(i, "run", RunStatus::Finished, 0.9 + 0.00001 * i));
    const sconce::test::CpuTimer clock;
    model.setRows(rows);
    QCOMPARE(proxy.rowCount(), 1000);
    auto more = rows;
    more.insert(more.begin(), makeRow(1001, "new", RunStatus::Running, NAN));
    model.setRows(more);
    QCOMPARE(proxy.rowCount(), 1001);
    QCOMPARE(proxy.index(0, Model::Name).data().toString(), QStringLiteral("new"));
    proxy.setSearch(RunSearch::parse(QStringLiteral("accuracy > 0.905")));
    QCOMPARE(proxy.rowCount(), 500);
    QVERIFY2(clock.ms() < 2000, qPrintable(QString::number(clock.ms()))); // 1,000 runs are nothing
}

QTEST_MAIN(RunsPageTest)
#include "runs_page_test.moc"
