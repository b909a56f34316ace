// SPDX-License-Identifier: GPL-3.0-or-later
// The Compose page by mouse and keyboard: real events on the real page, over real services and a store of its own.

#include "fixture.h"

#include "core/base/files.h"
#include "ui/compose/compose_header.h"
#include "ui/compose/palette.h"
#include "ui/compose/param_form.h"
#include "ui/widgets/parts.h"

#include "tests/support/patience.h"

#include <QClipboard>
#include <QAbstractButton>
#include <QComboBox>
#include <QDoubleSpinBox>
#include <QDropEvent>
#include <QLabel>
#include <QLineEdit>
#include <QMenu>
#include <QMimeData>
#include <QPushButton>
#include <QSpinBox>
#include <QTabBar>

using namespace sconce;
using namespace sconce::ui;

class ComposePageTest : public QObject
{
    Q_OBJECT

    std::unique_ptr<ComposeFixture> m;

    QString shape(int row) { return m->stack()->model()->index(row, 0).data(StackModel::ShapeRole).toString(); }
    void type(QWidget* widget, const QString& text)
    {
        widget->setFocus();
        QTest::keyClicks(widget, text);
    }
    QString labels(const char* name) { return m->find<QLabel>(name)->text(); }

  private Q_SLOTS:
    void initTestCase()
    {
        QVERIFY(qputenv("XDG_CONFIG_HOME", QDir::tempPath().toUtf8() + "/sconce-compose-test-" + QByteArray::number(QCoreApplication::applicationPid())));
        Theme::instance().apply(*qApp, ThemeChoice::Dark);
    }

    void cleanupTestCase() { QDir(qEnvironmentVariable("XDG_CONFIG_HOME")).removeRecursively(); }

    void init()
    {
        m = std::make_unique<ComposeFixture>();
        m->document().load(findStarter("digits-convnet")->recipe, {});
        QVERIFY(m->document().startable());
    }

    void cleanup()
    {
        setAsker({});
        setFileChooser({});
        m.reset();
    }

    /// What is folded away is named in a line, with the capitals of what is written with them.
    void whatIsFoldedIsNamed()
    {
        ParamForm form(QStringLiteral("speed"));
        form.setDescriptors("speed", findOption(trainingOptions(), "speed")->params);
        auto* names = form.findChild<ElidedLabel*>(QStringLiteral("speed.folded"));
        QVERIFY(names);
        QVERIFY2(names->fullText().contains(QLatin1String("CUDA graph")) && names->fullText().contains(QLatin1String("pools before ReLU")) && names->fullText().contains(QLatin1String("fused blocks")),
                 qPrintable(names->fullText()));
    }

    /// Under *More* of layers that learn, and of no others; several are frozen at once.
    void layersAreFrozenAndSlowed()
    {
        m->clickRow(1);
        auto* more = m->find<QPushButton>("compose.param.more");
        QTest::mouseClick(more, Qt::LeftButton);
        auto* frozen = m->find<QAbstractButton>("compose.param.frozen");
        auto* factor = m->find<QDoubleSpinBox>("compose.param.rate_factor");
        QVERIFY(frozen->isVisible() && factor->isVisible());
        const QString parameters = m->stack()->model()->index(1, 0).data(StackModel::ParametersRole).toString();
        factor->setFocus();
        factor->selectAll();
        QTest::keyClicks(factor, QStringLiteral("0.1"));
        QTest::keyClick(factor, Qt::Key_Return);
        QCOMPARE(m->recipe().stack.layers[0].rateFactor, 0.1);
        QTest::mouseClick(frozen, Qt::LeftButton, {}, QPoint(8, frozen->height() / 2));
        QVERIFY(m->recipe().stack.layers[0].frozen);
        QVERIFY(m->recipe().stack.layers[0].params.count("frozen") == 0);
        QVERIFY(!factor->isVisible()); // what does not move has no rate
        const QModelIndex row = m->stack()->model()->index(1, 0);
        QCOMPARE(row.data(StackModel::ParametersRole).toString(), parameters);
        QVERIFY(row.data(StackModel::SummaryRole).toString().endsWith(QLatin1String(", frozen")));
        m->document().undoStack().undo();
        QVERIFY(!m->recipe().stack.layers[0].frozen && m->recipe().stack.layers[0].rateFactor == 0.1);
        m->clickRow(2); // Max pool
        QVERIFY(!m->page->findChild<QWidget*>(QStringLiteral("compose.param.frozen")));
    }

    void searchAndEnterAdds()
    {
        m->clickRow(1);
        auto* search = m->find<QLineEdit>("compose.palette.search");
        QTest::keyClick(m->stack(), Qt::Key_Insert);
        QTRY_VERIFY(search->hasFocus());
        QTest::keyClicks(search, QStringLiteral("batch"));
        QTest::keyClick(search, Qt::Key_Return);
        QCOMPARE(m->types().mid(0, 3), (QStringList{"conv2d", "batch_norm", "max_pool2d"}));
        QCOMPARE(m->stack()->selectedLayers(), std::vector<LayerId>{m->recipe().stack.layers[1].id});
        // The keyboard stays in the search field: the next one goes below.
        search->clear();
        QTest::keyClicks(search, QStringLiteral("kernel"));
        QTest::keyClick(search, Qt::Key_Down);
        QVERIFY(!m->find<QWidget>("compose.palette")->findChild<QTreeView*>()->currentIndex().data().toString().isEmpty());
        search->clear();
        QTest::keyClicks(search, QStringLiteral("no such layer"));
        QTest::keyClick(search, Qt::Key_Return);
        QCOMPARE(m->types().size(), 8);
        QTest::keyClick(search, Qt::Key_Escape);
        QVERIFY(search->text().isEmpty());
        QTest::keyClick(search, Qt::Key_Escape);
        QTRY_VERIFY(m->stack()->hasFocus());
    }

    void doubleClickInThePaletteAdds()
    {
        auto* palette = m->find<Palette>("compose.palette");
        auto* tree = palette->tree();
        m->clickRow(6); // Dropout
        QModelIndex dense;
        for (int g = 0; g < tree->model()->rowCount() && !dense.isValid(); ++g)
            for (int r = 0; r < tree->model()->rowCount(tree->model()->index(g, 0)); ++r) {
                const QModelIndex index = tree->model()->index(r, 0, tree->model()->index(g, 0));
                if (index.data(PaletteModel::TypeRole).toString() == QLatin1String("dense")) dense = index;
            }
        QVERIFY(dense.isValid());
        tree->scrollTo(dense);
        const QPoint where = tree->visualRect(dense).center();
        QTest::mouseClick(tree->viewport(), Qt::LeftButton, {}, where);
        QTest::mouseDClick(tree->viewport(), Qt::LeftButton, {}, where);
        QCOMPARE(m->types(), (QStringList{"conv2d", "max_pool2d", "conv2d", "max_pool2d", "flatten", "dropout", "dense", "dense"}));
        QTRY_COMPARE(tree->model()->index(0, 0).data().toString(), QStringLiteral("Recent"));
    }

    void dragFromThePalette()
    {
        QMimeData mime;
        mime.setData(QLatin1String(StackModel::typeMime), "dropout");
        const QRect second = m->rowRect(2); // Max pool
        QVERIFY(m->drop(&mime, QPoint(300, second.top() + 3), Qt::CopyAction));
        QCOMPARE(m->types().mid(0, 3), (QStringList{"conv2d", "dropout", "max_pool2d"}));
        mime.setData(QLatin1String(StackModel::typeMime), "no such layer");
        QVERIFY(!m->drop(&mime, QPoint(300, second.top() + 3), Qt::CopyAction));
        m->document().undoStack().undo();
        QCOMPARE(m->types().size(), 7);
    }

    void dragToReorder()
    {
        StackView* stack = m->stack();
        const LayerId first = m->recipe().stack.layers[0].id;
        m->clickRow(1);
        std::unique_ptr<QMimeData> mime(stack->model()->mimeData(stack->selectionModel()->selectedIndexes()));
        QVERIFY(mime);
        QSignalSpy moved(stack->model(), &QAbstractItemModel::rowsMoved);
        QVERIFY(m->drop(mime.get(), QPoint(300, m->rowRect(3).bottom() - 12), Qt::MoveAction)); // behind the second Conv 2D
        QCOMPARE(m->recipe().stack.layers[2].id, first);
        QCOMPARE(moved.count(), 1);
        QCOMPARE(stack->selectedLayers(), std::vector<LayerId>{first});
        // With Ctrl it is a copy.
        mime.reset(stack->model()->mimeData(stack->selectionModel()->selectedIndexes()));
        QVERIFY(m->drop(mime.get(), QPoint(300, m->rowRect(1).top() + 3), Qt::CopyAction));
        QCOMPARE(m->types().size(), 8);
        QVERIFY(m->recipe().stack.layers[0].id != first);
    }

    void dragIntoABlockAndNotIntoItself()
    {
        const LayerId block = m->document().addLayer("residual", {{}, 0, 1});
        QVERIFY(!block.empty());
        // Rows: 0 input, 1 conv, 2 block, 3 its slot, 4 pool …
        QCOMPARE(m->stack()->model()->index(3, 0).data(StackModel::KindRole).toInt(), int(RowKind::BranchEnd));
        QMimeData mime;
        mime.setData(QLatin1String(StackModel::typeMime), "relu");
        QVERIFY(m->drop(&mime, m->rowRect(3).center(), Qt::CopyAction));
        const Layer* residual = findLayer(m->recipe().stack, block);
        QCOMPARE(residual->branches[0].layers.size(), std::size_t(1));
        m->stack()->selectLayers({block});
        std::unique_ptr<QMimeData> own(m->stack()->model()->mimeData(m->stack()->selectionModel()->selectedIndexes()));
        const Recipe before = m->recipe();
        QVERIFY(!m->drop(own.get(), m->rowRect(4).center(), Qt::MoveAction));
        QVERIFY(m->recipe() == before);
    }

    void deleteUndoRedoByKeys()
    {
        const Recipe before = m->recipe();
        m->clickRow(3);
        m->clickRow(4, Qt::ControlModifier);
        QTest::keyClick(m->stack(), Qt::Key_Delete);
        QCOMPARE(m->types(), (QStringList{"conv2d", "max_pool2d", "flatten", "dropout", "dense"}));
        QVERIFY(m->stack()->currentRow() >= 0); // something stays selected
        QTest::keyClick(m->stack(), Qt::Key_Z, Qt::ControlModifier);
        QVERIFY(m->recipe() == before);
        QCOMPARE(m->stack()->selectedLayers().size(), std::size_t(2)); // what came back is selected
        QTest::keyClick(m->stack(), Qt::Key_Z, Qt::ControlModifier | Qt::ShiftModifier);
        QCOMPARE(m->types().size(), 5);
        QTest::mouseClick(m->find<QToolButton>("compose.undo"), Qt::LeftButton);
        QVERIFY(m->recipe() == before);
    }

    void duplicateCopyPasteMove()
    {
        m->clickRow(1);
        QTest::keyClick(m->stack(), Qt::Key_D, Qt::ControlModifier);
        QCOMPARE(m->types().mid(0, 3), (QStringList{"conv2d", "conv2d", "max_pool2d"}));
        QVERIFY(m->recipe().stack.layers[0].params == m->recipe().stack.layers[1].params);
        QVERIFY(m->recipe().stack.layers[0].name != m->recipe().stack.layers[1].name);
        QTest::keyClick(m->stack(), Qt::Key_X, Qt::ControlModifier);
        QCOMPARE(m->types().size(), 7);
        QVERIFY(QApplication::clipboard()->text().contains(QLatin1String("conv2d")));
        m->clickRow(2);
        QTest::keyClick(m->stack(), Qt::Key_V, Qt::ControlModifier);
        QCOMPARE(m->types().mid(0, 4), (QStringList{"conv2d", "max_pool2d", "conv2d", "conv2d"}));
        QTest::keyClick(m->stack(), Qt::Key_Up, Qt::AltModifier);
        QCOMPARE(m->types().mid(0, 4), (QStringList{"conv2d", "conv2d", "max_pool2d", "conv2d"}));
        QTest::keyClick(m->stack(), Qt::Key_Down, Qt::AltModifier);
        QCOMPARE(m->types().mid(0, 4), (QStringList{"conv2d", "max_pool2d", "conv2d", "conv2d"}));
        const Recipe before = m->recipe();
        QApplication::clipboard()->setText(QStringLiteral("not layers"));
        QTest::keyClick(m->stack(), Qt::Key_V, Qt::ControlModifier);
        QVERIFY(m->recipe() == before);
    }

    void menuOfACard()
    {
        m->clickRow(2);
        std::unique_ptr<QMenu> menu(m->stack()->makeMenu());
        QStringList names;
        for (QAction* action : menu->actions()) names << action->text();
        for (const char* wanted : {"Duplicate", "Copy", "Cut", "Paste", "Move up", "Move down", "Delete"}) QVERIFY2(names.contains(QLatin1String(wanted)), wanted);
        m->stack()->action("delete")->trigger();
        QCOMPARE(m->types().size(), 6);
        const LayerId block = m->document().addLayer("parallel", {{}, 0, 1});
        m->stack()->selectLayers({block});
        menu.reset(m->stack()->makeMenu());
        const auto branches = [&] { return findLayer(m->recipe().stack, block)->branches.size(); };
        const std::size_t count = branches();
        for (QAction* action : menu->actions())
            if (action->text() == QLatin1String("Add a branch")) action->trigger();
        QCOMPARE(branches(), count + 1);
    }

    void aParameterChangesTheShapes()
    {
        m->clickRow(1);
        QCOMPARE(shape(1), QStringLiteral("16×26×26"));
        auto* filters = m->find<QSpinBox>("compose.param.filters");
        filters->setFocus();
        filters->selectAll();
        QTest::keyClicks(filters, QStringLiteral("24"));
        QCOMPARE(shape(1), QStringLiteral("24×26×26"));
        QCOMPARE(shape(2), QStringLiteral("24×13×13"));
        auto* padding = m->find<QComboBox>("compose.param.padding");
        padding->setFocus();
        QTest::keyClicks(padding, QStringLiteral("same"));
        QCOMPARE(shape(1), QStringLiteral("24×28×28"));
        auto* kernel = m->find<QSpinBox>("compose.param.kernel.0");
        kernel->setFocus();
        QTest::keyClick(kernel, Qt::Key_Up);
        QCOMPARE(std::get<std::vector<std::int64_t>>(m->recipe().stack.layers[0].params.at("kernel")).front(), 4);
        // Undo is the document's also while a field has the keyboard.
        QTest::keyClick(kernel, Qt::Key_Z, Qt::ControlModifier);
        QCOMPARE(kernel->value(), 3);
        QTest::keyClick(kernel, Qt::Key_Z, Qt::ControlModifier);
        QTest::keyClick(kernel, Qt::Key_Z, Qt::ControlModifier);
        QCOMPARE(shape(1), QStringLiteral("16×26×26"));
        QVERIFY(labels("compose.estimate.parameters") != QStringLiteral("–"));
    }

    void aNameIsCheckedAsItIsTyped()
    {
        m->clickRow(1);
        auto* name = m->find<QLineEdit>("compose.layer.name");
        name->setFocus();
        name->selectAll();
        QTest::keyClicks(name, QStringLiteral("first"));
        QCOMPARE(m->recipe().stack.layers[0].name, std::string("first"));
        name->selectAll();
        QTest::keyClicks(name, QString::fromStdString(m->recipe().stack.layers[2].name));
        QVERIFY(m->recipe().stack.layers[0].name != m->recipe().stack.layers[2].name);
        QVERIFY(name->property("problem").toBool());
    }

    void aProblemAppearsAndItsFixRepairs()
    {
        auto* start = m->find<QPushButton>("compose.start");
        QVERIFY(start->isEnabled());
        m->clickRow(5);
        QCOMPARE(m->recipe().stack.layers[4].type, std::string("flatten"));
        QTest::keyClick(m->stack(), Qt::Key_Delete);
        QVERIFY(!start->isEnabled());
        QVERIFY2(start->toolTip().contains(QLatin1String("problem")), qPrintable(start->toolTip()));
        QCOMPARE(labels("compose.problems.title"), QStringLiteral("1 problem"));
        QCOMPARE(labels("compose.estimate.memory"), QStringLiteral("–"));
        auto* fix = m->find<QPushButton>("compose.fix.0.0");
        QVERIFY2(fix->text().contains(QLatin1String("Flatten")), qPrintable(fix->text()));
        QTest::mouseClick(fix, Qt::LeftButton);
        QTRY_VERIFY(start->isEnabled());
        QCOMPARE(m->types().count(QStringLiteral("flatten")), 1);
        QCOMPARE(labels("compose.problems.title"), QStringLiteral("No problems"));
        // Two at once.
        m->document().change(QStringLiteral("break"), [](Recipe& r) {
            std::erase_if(r.stack.layers, [](const Layer& l) { return l.type == "flatten"; });
            r.stack.layers.back().params["units"] = std::int64_t{12};
        });
        auto* both = m->find<QPushButton>("compose.problems.fixAll");
        QVERIFY(both->isVisible());
        QTest::mouseClick(both, Qt::LeftButton);
        QVERIFY(start->isEnabled());
    }

    void trainingSettingsChangeTheRecipe()
    {
        m->find<QTabBar>("compose.tabs")->setCurrentIndex(1);
        auto* epochs = m->find<QSpinBox>("compose.training.epochs");
        epochs->setFocus();
        epochs->selectAll();
        QTest::keyClicks(epochs, QStringLiteral("37"));
        QCOMPARE(m->recipe().training.epochs, 37);
        auto* rate = m->find<QDoubleSpinBox>("compose.training.learningRate");
        rate->setFocus();
        rate->selectAll();
        QTest::keyClicks(rate, QStringLiteral("3e-4"));
        QCOMPARE(m->recipe().training.learningRate, 3e-4);
        auto* method = m->find<QComboBox>("compose.training.optimiser");
        method->setFocus();
        method->setCurrentIndex(method->findData(QStringLiteral("sgd")));
        QCOMPARE(m->recipe().training.optimiser.type, std::string("sgd"));
        auto* momentum = m->find<QDoubleSpinBox>("compose.training.optimiser.momentum");
        momentum->setFocus();
        momentum->selectAll();
        QTest::keyClicks(momentum, QStringLiteral("0.8"));
        QCOMPARE(std::get<double>(m->recipe().training.optimiser.params.at("momentum")), 0.8);
        auto* validation = m->find<QDoubleSpinBox>("compose.training.validation");
        validation->setFocus();
        validation->selectAll();
        QTest::keyClicks(validation, QStringLiteral("20"));
        QCOMPARE(m->recipe().data.split.validation, 0.2);
        QCOMPARE(labels("compose.estimate.validation"), QStringLiteral("2,000"));
        auto* seed = m->find<QLineEdit>("compose.training.seed");
        seed->setFocus();
        seed->selectAll();
        QTest::keyClicks(seed, QStringLiteral("123456789012345678"));
        QCOMPARE(m->recipe().seed, std::uint64_t(123456789012345678));
        const Json json = toJson(m->recipe());
        QCOMPARE(json["training"]["epochs"].get<int>(), 37);
        QVERIFY(m->document().startable());
    }

    void saveAndOpen()
    {
        const QString file = m->folder()->path() + QStringLiteral("/mine.sconce");
        setFileChooser([&](QWidget*, const QString&, const QString&) { return file; });
        auto* name = m->find<QLineEdit>("compose.name");
        name->setFocus();
        name->selectAll();
        QTest::keyClicks(name, QStringLiteral("my net"));
        QCOMPARE(labels("compose.state"), QStringLiteral("Changed, not saved"));
        QTest::mouseClick(m->find<QPushButton>("compose.save"), Qt::LeftButton);
        QTRY_VERIFY(labels("compose.state").contains(QLatin1String("saved ")));
        auto read = readRecipeFile(file.toStdString());
        QVERIFY(read.ok() && read->problems.empty());
        QVERIFY(read->recipe == m->recipe());
        QCOMPARE(read->recipe.name, std::string("my net"));

        // Changes would be lost: Cancel keeps them, Don't save opens the file again.
        m->clickRow(1);
        QTest::keyClick(m->stack(), Qt::Key_Delete);
        const Recipe changed = m->recipe();
        int asked = 0, answer = 2;
        setAsker([&](QWidget*, const Question&) { ++asked; return answer; });
        QTest::keyClick(m->stack(), Qt::Key_O, Qt::ControlModifier);
        QCOMPARE(asked, 1);
        QVERIFY(m->recipe() == changed);
        answer = 1;
        QTest::keyClick(m->stack(), Qt::Key_O, Qt::ControlModifier);
        QTRY_VERIFY(m->recipe() == read->recipe);
        // Save first, then open.
        QTest::keyClick(m->stack(), Qt::Key_Delete);
        const Recipe again = m->recipe();
        QVERIFY(!(again == read->recipe));
        answer = 0;
        QTest::keyClick(m->stack(), Qt::Key_O, Qt::ControlModifier);
        QTRY_VERIFY(!m->document().dirty());
        QVERIFY(readRecipeFile(file.toStdString())->recipe == again);
    }

    void aDroppedFileOpensAndABadOneSaysWhy()
    {
        const QString good = m->folder()->path() + QStringLiteral("/good.sconce"), bad = m->folder()->path() + QStringLiteral("/bad.sconce");
        const Recipe recipe = findStarter("mnist-mlp")->recipe;
        QVERIFY(writeFileDurably(good.toStdString(), recipeText(recipe)).ok());
        QVERIFY(writeFileDurably(bad.toStdString(), "{ \"format\": ").ok());
        const auto drop = [&](const QString& file) {
            QMimeData mime;
            mime.setUrls({QUrl::fromLocalFile(file)});
            QWidget* target = m->stack()->viewport(); // where people let go; the page takes it
            QDragEnterEvent enter(QPoint(50, 50), Qt::CopyAction, &mime, Qt::LeftButton, Qt::NoModifier);
            QApplication::sendEvent(target, &enter);
            QDropEvent event(QPoint(50, 50), Qt::CopyAction, &mime, Qt::LeftButton, Qt::NoModifier);
            QApplication::sendEvent(m->page.get(), &event);
        };
        drop(bad);
        QTRY_VERIFY(!m->find<QLabel>("compose.notice.text")->text().isEmpty());
        QVERIFY(m->find<QWidget>("compose.notice")->isVisible());
        QVERIFY(!(m->recipe() == recipe));
        drop(good);
        QTRY_VERIFY(m->recipe() == recipe);
        QVERIFY(!m->find<QWidget>("compose.notice")->isVisible());
    }

    void theDraftComesBack()
    {
        m->clickRow(1);
        QTest::keyClick(m->stack(), Qt::Key_D, Qt::ControlModifier);
        const Recipe composed = m->recipe();
        // A crash a moment later: the file is there without any goodbye.
        const QString draft = QString::fromStdString(DraftKeeper::pathIn(m->studio.store->folder()));
        QTRY_VERIFY([&] {
            auto json = readJsonFile(draft.toStdString());
            if (!json) return false;
            auto parsed = recipeFromJson((*json)["recipe"]);
            return parsed.ok() && parsed->recipe == composed;
        }());
        m->page.reset();
        m->open();
        QVERIFY(m->recipe() == composed);
        QVERIFY(m->document().dirty());
    }

    void dataAndDeviceAreChosen()
    {
        auto* device = m->find<QComboBox>("compose.device");
        QTRY_VERIFY(device->findData(QStringLiteral("cpu")) >= 0);
        device->setFocus();
        QTest::keyClick(device, Qt::Key_End);
        device->setCurrentIndex(device->findData(QStringLiteral("cpu")));
        Q_EMIT device->activated(device->currentIndex());
        QCOMPARE(m->recipe().device, std::string("cpu"));
        m->document().change(QStringLiteral("device"), [](Recipe& r) { r.device = "cuda:77"; });
        QVERIFY(!m->document().startable());
        QTest::mouseClick(m->find<QPushButton>("compose.fix.0.0"), Qt::LeftButton);
        QTRY_COMPARE(m->recipe().device, std::string("auto"));
        QVERIFY(m->document().startable());
        // Data that is not in the library: said, with a way out.
        Q_EMIT m->navigator->composeData(QStringLiteral("mnist"));
        QCOMPARE(m->recipe().data.dataset, std::string("mnist"));
        QVERIFY(!m->document().startable());
        QTest::mouseClick(m->find<QPushButton>("compose.fix.0.0"), Qt::LeftButton);
        QTRY_COMPARE(m->recipe().data.dataset, std::string("digits"));
        // Pictures are no way out for a network that reads a text.
        Q_EMIT m->navigator->composeRecipe(findStarter("char-gpt")->recipe, QString());
        QCOMPARE(m->recipe().data.dataset, std::string("tinyshakespeare"));
        const auto& problems = m->document().problems();
        QCOMPARE(problems.size(), std::size_t(1));
        QVERIFY(problems.front().fixes.empty());
        // From another page.
        Q_EMIT m->navigator->composeRecipe(findStarter("mnist-mlp")->recipe, QStringLiteral("from run #3"));
        QCOMPARE(m->recipe().name, findStarter("mnist-mlp")->recipe.name); // the asker's default would have asked: nothing was lost
    }

    void smallWindowsOpenThePaletteOnDemand()
    {
        m->page->setCompact(true, true);
        m->page->resize(1100 - 52, 680 - 24);
        auto* palette = m->find<Palette>("compose.palette");
        QTRY_VERIFY(!palette->isVisible());
        m->clickRow(1);
        QTest::keyClick(m->stack(), Qt::Key_Insert);
        QTRY_VERIFY(palette->isVisible() && palette->search()->hasFocus());
        QTest::keyClicks(palette->search(), QStringLiteral("dropout"));
        QTest::keyClick(palette->search(), Qt::Key_Return);
        QCOMPARE(m->types().at(1), QStringLiteral("dropout"));
        QTest::keyClick(palette->search(), Qt::Key_Escape);
        QTest::keyClick(palette->search(), Qt::Key_Escape);
        QTRY_VERIFY(!palette->isVisible());
        QVERIFY(m->page->minimumSizeHint().width() <= 1100 - 52);
    }

    void startTrains()
    {
        m->document().change(QStringLiteral("short"), [](Recipe& r) {
            r.training.epochs = 1;
            r.device = "cpu";
        });
        QSignalSpy started(m->runService.get(), &RunService::started), failed(m->runService.get(), &RunService::startFailed),
            shown(m->navigator.get(), &Navigator::showRun);
        m->stack()->setFocus();
        QTest::keyClick(m->stack(), Qt::Key_Return, Qt::ControlModifier);
        QTRY_VERIFY_WITH_TIMEOUT(started.count() + failed.count() > 0, 5 * sconce::test::patienceMs);
        QVERIFY2(failed.isEmpty(), failed.isEmpty() ? "" : qPrintable(failed.first().first().toString()));
        QCOMPARE(shown.count(), 1);
        const RunId id = started.first().first().toString().toStdString();
        auto recipe = m->studio.store->recipe(id);
        QVERIFY(recipe.ok());
        QVERIFY(recipe->stack == m->recipe().stack);
        QCOMPARE(recipe->training.epochs, 1);
        bool done = false;
        m->runService->saveAndStop([&] { done = true; });
        QTRY_VERIFY_WITH_TIMEOUT(done, 5 * sconce::test::patienceMs);
    }
};

QTEST_MAIN(ComposePageTest)
#include "compose_page_test.moc"
