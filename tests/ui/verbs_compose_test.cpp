// SPDX-License-Identifier: GPL-3.0-or-later
// Every verb of the Compose page on the real window, by mouse and by keyboard. After each the recipe is saved with Ctrl+S and
// `sconce describe FILE --json`, a second process, says what became of it. Drags are presses, moves and releases of the window
// until Qt's drag begins; where there is no screen Qt's drag loop ends at once, so what it carries is handed on as Qt's drag
// events (dragByMouse). The drop of a file is drag events alone: it comes from another program.
#include "tests/support/house.h"
#include "tests/support/patience.h"

#include "ui/compose/compose_page.h"
#include "ui/compose/palette.h"
#include "ui/compose/stack_view.h"

#include <QClipboard>
#include <QDoubleSpinBox>
#include <QMenu>
#include <QScrollBar>
#include <QSpinBox>
#include <QToolButton>
#include <QTreeView>
#include <QTabBar>

using namespace sconce;
using namespace sconce::ui;
using namespace sconce::ui::test;

class VerbsComposeTest : public QObject
{
    Q_OBJECT

    House m;
    QString m_file;

    ComposePage& page() { return *static_cast<ComposePage*>(m.window().page(PageId::Compose)); }
    StackView* stack() { return m.find<StackView>("compose.stack"); }
    QModelIndex row(int i) { return stack()->model()->index(i, 0); }
    QRect rect(int i) { return stack()->visualRect(row(i)); }
    /// The row of the nth layer of a type (0: the first).
    int rowOf(const char* type, int nth = 0)
    {
        for (int i = 0; i < stack()->model()->rowCount(); ++i) {
            const Layer* layer = findLayer(page().document().recipe().stack, row(i).data(StackModel::IdRole).toString().toStdString());
            if (layer && row(i).data(StackModel::KindRole).toInt() == int(RowKind::Layer) && layer->type == type && nth-- == 0) return i;
        }
        return -1;
    }
    void clickRow(int i, Qt::KeyboardModifiers keys = {})
    {
        stack()->scrollTo(row(i));
        QTest::mouseClick(stack()->viewport(), Qt::LeftButton, keys, QPoint(200, rect(i).top() + 20));
    }
    /// An entry of the palette, scrolled into view.
    QRect entry(const char* type)
    {
        QTreeView* tree = m.find<Palette>("compose.palette")->tree();
        const QAbstractItemModel* model = tree->model();
        for (int g = 0; g < model->rowCount(); ++g)
            for (int r = 0; r < model->rowCount(model->index(g, 0)); ++r) {
                const QModelIndex index = model->index(r, 0, model->index(g, 0));
                if (index.data(PaletteModel::TypeRole).toString() != QLatin1String(type)) continue;
                tree->expand(index.parent());
                tree->scrollTo(index);
                return tree->visualRect(index);
            }
        return {};
    }
    bool drag(const char* type, QPoint where)
    {
        const QRect from = entry(type);
        return dragByMouse(m.find<Palette>("compose.palette")->tree()->viewport(), from.center(), stack()->viewport(), where).dropped;
    }
    QPoint above(int i) { return QPoint(300, rect(i).top() + 4); }
    QPoint below(int i) { return QPoint(300, rect(i).bottom() - 12); }

    /// The layers of the saved recipe as the second process reads them; the totals are the last line.
    QList<QJsonObject> described()
    {
        setFileChooser([this](QWidget*, const QString&, const QString&) { return m_file; });
        if (!m.activate()) return {};
        QTest::keyClick(stack(), Qt::Key_S, Qt::ControlModifier);
        if (!QTest::qWaitFor([&] { return !page().document().dirty() && QFile::exists(m_file); }, sconce::test::patienceMs)) {
            qWarning() << "not saved; the keyboard is at" << QApplication::focusWidget();
            return {};
        }
        return m.cli({QStringLiteral("describe"), m_file});
    }
    /// "conv2d dense" with ">" before what is nested.
    QString types()
    {
        QStringList out;
        for (const QJsonObject& line : described())
            if (line.contains(QLatin1String("type"))) out << QString(line[QLatin1String("depth")].toInt(), QLatin1Char('>')) + line[QLatin1String("type")].toString();
        return out.join(QLatin1Char(' '));
    }
    QJsonObject layer(const char* type)
    {
        for (const QJsonObject& line : described())
            if (line[QLatin1String("type")].toString() == QLatin1String(type)) return line;
        return {};
    }
    QJsonObject saved()
    {
        (void)described();
        QFile file(m_file);
        return file.open(QIODevice::ReadOnly) ? QJsonDocument::fromJson(file.readAll()).object() : QJsonObject();
    }
    void dontSave()
    {
        setAsker([](QWidget*, const Question& question) { return static_cast<int>(std::max<qsizetype>(0, question.buttons.indexOf(QStringLiteral("Don't save")))); });
    }
    static constexpr const char* base = "conv2d max_pool2d conv2d max_pool2d flatten dropout dense";

  private Q_SLOTS:
    void initTestCase()
    {
        QVERIFY(commandLineBuilt());
        m_file = m.path("verbs.sconce");
        writeBars(m.path("bars"));
        m.open();
        m.studio().data->add(m.path("bars"));
        QTRY_COMPARE_WITH_TIMEOUT(m.studio().data->sets().size(), std::size_t(2), sconce::test::patienceMs);
        QTRY_VERIFY_WITH_TIMEOUT(!m.studio().hardware->devices().empty(), sconce::test::patienceMs);
        QVERIFY(m.page(PageId::Compose));
    }
    void cleanupTestCase() { m.close(); }
    /// Each verb begins with the starter on the built-in digits, chosen from the menu with the mouse.
    void init()
    {
        dontSave();
        m.find<Palette>("compose.palette")->search()->clear();
        QVERIFY(m.menu("compose.recipes", "compose.recipes.digits-convnet"));
        QTRY_COMPARE_WITH_TIMEOUT(page().document().recipe().name, std::string("digits-convnet"), sconce::test::patienceMs);
        QFile::remove(m_file);
        page().document().undoStack().clear();
        stack()->setFocus();
    }
    void cleanup() { setAsker(nullptr); }

    void starterRecipe()
    {
        QCOMPARE(types(), QLatin1String(base));
        QVERIFY(m.menu("compose.recipes", "compose.recipes.mnist-mlp"));
        QTRY_COMPARE_WITH_TIMEOUT(m.find<QLineEdit>("compose.name")->text(), QStringLiteral("mnist-mlp"), sconce::test::patienceMs);
        QFile::remove(m_file);
        const auto lines = described();
        QVERIFY(!lines.isEmpty());
        QCOMPARE(lines.last()[QLatin1String("params")].toInt(), 203530);
        QCOMPARE(m.find<QLabel>("compose.estimate.parameters")->text(), QStringLiteral("203,530"));
    }

    void dragFromThePalette()
    {
        QVERIFY(drag("dropout", above(rowOf("max_pool2d"))));
        QCOMPARE(types(), QStringLiteral("conv2d dropout max_pool2d conv2d max_pool2d flatten dropout dense"));
        // Let go outside of the stack nothing changes.
        const Dragged astray = dragByMouse(m.find<Palette>("compose.palette")->tree()->viewport(), entry("dropout").center(), m.find<QTabBar>("compose.tabs"), QPoint(40, 10));
        QVERIFY(astray.began && !astray.dropped);
        QCOMPARE(types(), QStringLiteral("conv2d dropout max_pool2d conv2d max_pool2d flatten dropout dense"));
    }

    void addByKeysAndByDoubleClick()
    {
        clickRow(rowOf("dropout"));
        QTest::keyClick(stack(), Qt::Key_Insert);
        auto* search = m.find<QLineEdit>("compose.palette.search");
        QTRY_VERIFY_WITH_TIMEOUT(search->hasFocus(), sconce::test::patienceMs);
        m.key(Qt::Key_G);
        m.key(Qt::Key_E);
        m.key(Qt::Key_L);
        m.key(Qt::Key_U);
        m.key(Qt::Key_Return);
        QTest::keyClick(search, Qt::Key_Escape);
        QTest::keyClick(search, Qt::Key_Escape);
        QTRY_VERIFY_WITH_TIMEOUT(stack()->hasFocus(), sconce::test::patienceMs);
        QCOMPARE(types(), QStringLiteral("conv2d max_pool2d conv2d max_pool2d flatten dropout gelu dense"));
        QTreeView* tree = m.find<Palette>("compose.palette")->tree();
        const QPoint where = entry("dense").center();
        House::doubleClick(tree->viewport(), where);
        QCOMPARE(types(), QStringLiteral("conv2d max_pool2d conv2d max_pool2d flatten dropout gelu dense dense"));
    }

    void dragToReorder()
    {
        const int dropout = rowOf("dropout");
        clickRow(dropout);
        QVERIFY(dragByMouse(stack()->viewport(), QPoint(200, rect(dropout).top() + 20), stack()->viewport(), above(rowOf("flatten"))).dropped);
        QCOMPARE(types(), QStringLiteral("conv2d max_pool2d conv2d max_pool2d dropout flatten dense"));
        // Downwards, and with Ctrl a copy.
        QVERIFY(dragByMouse(stack()->viewport(), QPoint(200, rect(rowOf("dropout")).top() + 20), stack()->viewport(), below(rowOf("flatten"))).dropped);
        QCOMPARE(types(), QLatin1String(base));
        QVERIFY(dragByMouse(stack()->viewport(), QPoint(200, rect(rowOf("dropout")).top() + 20), stack()->viewport(), above(rowOf("flatten")), Qt::ControlModifier).dropped);
        QCOMPARE(types(), QStringLiteral("conv2d max_pool2d conv2d max_pool2d dropout flatten dropout dense"));
    }

    void moveByKeys()
    {
        clickRow(rowOf("dropout"));
        QTest::keyClick(stack(), Qt::Key_Up, Qt::AltModifier);
        QCOMPARE(types(), QStringLiteral("conv2d max_pool2d conv2d max_pool2d dropout flatten dense"));
        QTest::keyClick(stack(), Qt::Key_Down, Qt::AltModifier);
        QCOMPARE(types(), QLatin1String(base));
    }

    void blocksAreNested()
    {
        clickRow(rowOf("conv2d", 1));
        QTreeView* tree = m.find<Palette>("compose.palette")->tree();
        const QPoint where = entry("residual").center();
        House::doubleClick(tree->viewport(), where);
        QTRY_VERIFY_WITH_TIMEOUT(rowOf("residual") > 0, sconce::test::patienceMs);
        // A layer from the palette into the block's slot, and one of the stack's own with the mouse.
        const int slot = rowOf("residual") + 1;
        QCOMPARE(row(slot).data(StackModel::KindRole).toInt(), int(RowKind::BranchEnd));
        QVERIFY(drag("relu", rect(slot).center()));
        QCOMPARE(types(), QStringLiteral("conv2d max_pool2d conv2d residual >relu max_pool2d flatten dropout dense"));
        stack()->scrollTo(row(rowOf("dropout")));
        QVERIFY(dragByMouse(stack()->viewport(), QPoint(200, rect(rowOf("dropout")).top() + 20), stack()->viewport(), above(rowOf("relu"))).dropped);
        QCOMPARE(types(), QStringLiteral("conv2d max_pool2d conv2d residual >dropout >relu max_pool2d flatten dense"));
        // By keys: out of the block, and into it again.
        clickRow(rowOf("relu"));
        QTest::keyClick(stack(), Qt::Key_Left, Qt::AltModifier);
        QCOMPARE(types(), QStringLiteral("conv2d max_pool2d conv2d residual >dropout relu max_pool2d flatten dense"));
        QTest::keyClick(stack(), Qt::Key_Right, Qt::AltModifier);
        QCOMPARE(types(), QStringLiteral("conv2d max_pool2d conv2d residual >dropout >relu max_pool2d flatten dense"));
        // A block does not go into itself.
        clickRow(rowOf("residual"));
        const Dragged itself = dragByMouse(stack()->viewport(), QPoint(200, rect(rowOf("residual")).top() + 20), stack()->viewport(), above(rowOf("relu")));
        QVERIFY(itself.began && !itself.dropped);
        QCOMPARE(types(), QStringLiteral("conv2d max_pool2d conv2d residual >dropout >relu max_pool2d flatten dense"));
    }

    void deleteUndoRedo()
    {
        clickRow(rowOf("dropout"));
        QTest::keyClick(stack(), Qt::Key_Delete);
        QCOMPARE(types(), QStringLiteral("conv2d max_pool2d conv2d max_pool2d flatten dense"));
        QVERIFY(m.click("compose.undo"));
        QCOMPARE(types(), QLatin1String(base));
        QVERIFY(m.click("compose.redo"));
        QCOMPARE(types(), QStringLiteral("conv2d max_pool2d conv2d max_pool2d flatten dense"));
        stack()->setFocus();
        QTest::keyClick(stack(), Qt::Key_Z, Qt::ControlModifier);
        QCOMPARE(types(), QLatin1String(base));
        QTest::keyClick(stack(), Qt::Key_Z, Qt::ControlModifier | Qt::ShiftModifier);
        QCOMPARE(types(), QStringLiteral("conv2d max_pool2d conv2d max_pool2d flatten dense"));
        QTest::keyClick(stack(), Qt::Key_Z, Qt::ControlModifier);
        // By mouse alone: the menu behind the card's dots.
        const int card = rowOf("dropout");
        clickRow(card);
        const StackColumns at = StackColumns::of(rect(card), static_cast<StackModel*>(stack()->model())->row(card), stack()->metrics());
        House::windowClick(stack()->viewport(), at.menu.center());
        QTRY_VERIFY_WITH_TIMEOUT(qobject_cast<QMenu*>(QApplication::activePopupWidget()), sconce::test::patienceMs);
        auto* menu = qobject_cast<QMenu*>(QApplication::activePopupWidget());
        QTest::mouseClick(menu, Qt::LeftButton, {}, menu->actionGeometry(stack()->action("delete")).center());
        QCOMPARE(types(), QStringLiteral("conv2d max_pool2d conv2d max_pool2d flatten dense"));
    }

    void duplicateCopyCutPaste()
    {
        clickRow(rowOf("dropout"));
        QTest::keyClick(stack(), Qt::Key_D, Qt::ControlModifier);
        QCOMPARE(types(), QStringLiteral("conv2d max_pool2d conv2d max_pool2d flatten dropout dropout dense"));
        QTest::keyClick(stack(), Qt::Key_X, Qt::ControlModifier);
        QCOMPARE(types(), QLatin1String(base));
        clickRow(rowOf("conv2d"));
        clickRow(rowOf("max_pool2d"), Qt::ShiftModifier);
        QTest::keyClick(stack(), Qt::Key_C, Qt::ControlModifier);
        clickRow(rowOf("max_pool2d", 1));
        QTest::keyClick(stack(), Qt::Key_V, Qt::ControlModifier);
        QCOMPARE(types(), QStringLiteral("conv2d max_pool2d conv2d max_pool2d conv2d max_pool2d flatten dropout dense"));
        const auto lines = described();
        QSet<QString> ids;
        for (const QJsonObject& line : lines)
            if (line.contains(QLatin1String("id"))) ids << line[QLatin1String("id")].toString();
        QCOMPARE(ids.size(), 9); // copies are layers of their own
    }

    void inspectorChangesShapesAndParameters()
    {
        clickRow(rowOf("conv2d"));
        QCOMPARE(layer("conv2d")[QLatin1String("shape")].toArray(), (QJsonArray{16, 26, 26}));
        House::typeOver(m.find<QSpinBox>("compose.param.filters"), QStringLiteral("24"), false);
        auto* padding = m.find<QComboBox>("compose.param.padding");
        QVERIFY(House::choose(padding, padding->findText(QStringLiteral("same"), Qt::MatchFixedString)));
        const QJsonObject conv = layer("conv2d");
        QCOMPARE(conv[QLatin1String("shape")].toArray(), (QJsonArray{24, 28, 28}));
        QCOMPARE(row(rowOf("conv2d")).data(StackModel::ShapeRole).toString(), QStringLiteral("24×28×28"));
        QCOMPARE(conv[QLatin1String("params")].toInt(), 24 * 9 + 24);
        QCOMPARE(row(rowOf("conv2d")).data(StackModel::ParametersRole).toString(), QStringLiteral("240"));
        // Totals as the second process counts them, and the layer's name.
        House::typeOver(m.find<QLineEdit>("compose.layer.name"), QStringLiteral("stem"), false);
        const auto lines = described();
        QCOMPARE(lines.first()[QLatin1String("name")].toString(), QStringLiteral("stem"));
        QCOMPARE(m.find<QLabel>("compose.estimate.parameters")->text(), QLocale(QLocale::English).toString(lines.last()[QLatin1String("params")].toInt()));
        // By the mouse: the arrow of the spin box.
        auto* filters = m.find<QSpinBox>("compose.param.filters");
        QStyleOptionSpinBox option;
        option.initFrom(filters);
        option.subControls = QStyle::SC_All;
        option.frame = true;
        option.buttonSymbols = filters->buttonSymbols();
        const QRect up = filters->style()->subControlRect(QStyle::CC_SpinBox, &option, QStyle::SC_SpinBoxUp, filters);
        QVERIFY(!up.isEmpty());
        QTest::mouseClick(filters, Qt::LeftButton, {}, up.center());
        QCOMPARE(layer("conv2d")[QLatin1String("shape")].toArray().at(0).toInt(), filters->value());
        QVERIFY(filters->value() > 24);
    }

    void aFixRepairs()
    {
        clickRow(rowOf("flatten"));
        QTest::keyClick(stack(), Qt::Key_Delete);
        auto* start = m.find<QPushButton>("compose.start");
        QVERIFY(!start->isEnabled());
        const auto broken = described();
        QVERIFY(!broken.isEmpty());
        const QJsonArray problems = broken.last()[QLatin1String("problems")].toArray();
        QVERIFY2(!problems.isEmpty(), qPrintable(m.said));
        QCOMPARE(m.find<QLabel>("compose.problems.title")->text(), problems.size() == 1 ? QStringLiteral("1 problem") : QStringLiteral("%1 problems").arg(problems.size()));
        QVERIFY(m.click("compose.fix.0.0"));
        QTRY_VERIFY_WITH_TIMEOUT(start->isEnabled(), sconce::test::patienceMs);
        QTRY_VERIFY(stack()->hasFocus()); // the button is gone; the keyboard is where undo is a key away
        const auto mended = described();
        QVERIFY(!mended.isEmpty());
        QVERIFY(mended.last()[QLatin1String("problems")].toArray().isEmpty());
        QVERIFY2(types().contains(QLatin1String("flatten")), qPrintable(types()));
    }

    void trainingSettings()
    {
        QTest::mouseClick(m.find<QTabBar>("compose.tabs"), Qt::LeftButton, {}, m.find<QTabBar>("compose.tabs")->tabRect(1).center());
        House::typeOver(m.find<QSpinBox>("compose.training.epochs"), QStringLiteral("37"));
        House::typeOver(m.find<QDoubleSpinBox>("compose.training.learningRate"), QStringLiteral("3e-4"));
        QVERIFY(House::choose(m.find<QComboBox>("compose.training.optimiser"), QVariant(QStringLiteral("sgd"))));
        const QJsonObject training = saved()[QLatin1String("training")].toObject();
        QCOMPARE(training[QLatin1String("epochs")].toInt(), 37);
        QCOMPARE(training[QLatin1String("learning_rate")].toDouble(), 3e-4);
        QCOMPARE(training[QLatin1String("optimiser")].toObject()[QLatin1String("type")].toString(), QStringLiteral("sgd"));
        QCOMPARE(m.code, 0);
    }

    void dataAndDevice()
    {
        auto* data = m.find<QComboBox>("compose.data");
        const QString bars = QString::fromStdString(m.studio().data->sets().back().id);
        QVERIFY(House::choose(data, QVariant(bars)));
        QTRY_COMPARE_WITH_TIMEOUT(saved()[QLatin1String("data")].toObject()[QLatin1String("dataset")].toString(), bars, sconce::test::patienceMs);
        // 12×12 is too small for two convolutions and two poolings, or it is not: both say the same.
        const auto lines = described();
        QCOMPARE(lines.last()[QLatin1String("input")].toArray(), (QJsonArray{1, 12, 12}));
        auto* device = m.find<QComboBox>("compose.device");
        QVERIFY(device->findData(QStringLiteral("cpu")) >= 0);
        QVERIFY(House::choose(device, QVariant(QStringLiteral("cpu"))));
        QCOMPARE(saved()[QLatin1String("device")].toString(), QStringLiteral("cpu"));
        // With the mouse: the list opens, a line of it is clicked.
        QTest::mouseClick(data, Qt::LeftButton);
        QTRY_VERIFY_WITH_TIMEOUT(data->view()->isVisible(), sconce::test::patienceMs);
        const QModelIndex digits = data->model()->index(data->findData(QStringLiteral("digits")), 0);
        QTest::qWait(QApplication::doubleClickInterval() + 100); // the box ignores a release right after its opening
        QTest::mouseClick(data->view()->viewport(), Qt::LeftButton, {}, data->view()->visualRect(digits).center());
        QTRY_COMPARE_WITH_TIMEOUT(saved()[QLatin1String("data")].toObject()[QLatin1String("dataset")].toString(), QStringLiteral("digits"), sconce::test::patienceMs);
    }

    void openASavedFile()
    {
        QCOMPARE(types(), QLatin1String(base));
        const QString kept = m.path("kept.sconce");
        QFile::remove(kept);
        QVERIFY(QFile::copy(m_file, kept));
        clickRow(rowOf("dropout"));
        QTest::keyClick(stack(), Qt::Key_Delete);
        setFileChooser([&](QWidget*, const QString&, const QString&) { return kept; });
        dontSave();
        QTest::keyClick(stack(), Qt::Key_O, Qt::ControlModifier);
        QTRY_VERIFY_WITH_TIMEOUT(rowOf("dropout") > 0, sconce::test::patienceMs);
        // By the menu with the mouse, and dropped onto the window.
        for (int way = 0; way < 2; ++way) {
            clickRow(rowOf("flatten"));
            QTest::keyClick(stack(), Qt::Key_Delete);
            QVERIFY2(rowOf("flatten") < 0, way == 0 ? "menu" : "drop");
            if (way == 0) QVERIFY(m.menu("compose.recipes", "compose.recipes.open"));
            else QVERIFY(House::dropFile(stack()->viewport(), kept));
            QTRY_VERIFY_WITH_TIMEOUT(rowOf("flatten") > 0, sconce::test::patienceMs);
        }
        // Save as, by the menu: a second file that the second process reads alike.
        const QString other = m.path("other.sconce");
        setFileChooser([&](QWidget*, const QString&, const QString&) { return other; });
        QVERIFY(m.menu("compose.recipes", "compose.recipes.saveAs"));
        QTRY_VERIFY_WITH_TIMEOUT(QFile::exists(other), sconce::test::patienceMs);
        const QStringList command{QStringLiteral("describe")};
        QCOMPARE(m.cli(command + QStringList{other}), m.cli(command + QStringList{kept}));
    }

    void startByKey()
    {
        House::typeOver(m.find<QLineEdit>("compose.name"), QStringLiteral("started by key"));
        QTest::mouseClick(m.find<QTabBar>("compose.tabs"), Qt::LeftButton, {}, m.find<QTabBar>("compose.tabs")->tabRect(1).center());
        House::typeOver(m.find<QSpinBox>("compose.training.epochs"), QStringLiteral("5"));
        House::typeOver(m.find<QSpinBox>("compose.training.batchSize"), QStringLiteral("500"));
        const QJsonObject file = saved();
        stack()->setFocus();
        QTest::keyClick(stack(), Qt::Key_Return, Qt::ControlModifier);
        QTRY_COMPARE_WITH_TIMEOUT(m.window().currentPage(), PageId::Live, sconce::test::patienceMs);
        QTRY_COMPARE_WITH_TIMEOUT(m.status(QStringLiteral("started by key")), QStringLiteral("finished"), 5 * sconce::test::patienceMs);
        const QJsonObject run = m.run(m.runNamed(QStringLiteral("started by key"))[QLatin1String("run")].toString());
        const QJsonObject recipe = run[QLatin1String("recipe_value")].toObject();
        QCOMPARE(recipe[QLatin1String("layers")], file[QLatin1String("layers")]);
        QCOMPARE(recipe[QLatin1String("training")].toObject()[QLatin1String("epochs")].toInt(), 5);
        QCOMPARE(run[QLatin1String("steps")].toInt(), 5 * 18);
        // From now on the time of an epoch is known and said.
        QVERIFY(m.page(PageId::Compose));
        QTRY_VERIFY2(m.find<QLabel>("compose.estimate.time")->text().contains(QRegularExpression(QStringLiteral("[0-9]"))), qPrintable(m.find<QLabel>("compose.estimate.time")->text()));
    }
};

QTEST_MAIN(VerbsComposeTest)
#include "verbs_compose_test.moc"
