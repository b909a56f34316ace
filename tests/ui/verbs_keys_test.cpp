// SPDX-License-Identifier: GPL-3.0-or-later
// The house by keyboard alone: on every page Tab reaches every control that can be used and Shift+Tab leads back, the keys that
// Settings lists do what it says, and a run is composed, trained, looked at and deleted without a mouse.
#include "tests/support/house.h"
#include "tests/support/patience.h"

#include "ui/compose/compose_page.h"
#include "ui/compose/stack_view.h"
#include "ui/runs/runs_page.h"
#include "ui/settings/shortcuts.h"

#include <QAbstractSlider>
#include <QDialog>
#include <QHeaderView>
#include <QSet>
#include <QShortcut>
#include <QSpinBox>
#include <QTabBar>
#include <QToolButton>

using namespace sconce;
using namespace sconce::ui;
using namespace sconce::ui::test;

class VerbsKeysTest : public QObject
{
    Q_OBJECT

    House m;

    /// Tabs through the window from where the keyboard is until it comes round; who had it, in order.
    QList<QWidget*> walk(Qt::Key key = Qt::Key_Tab)
    {
        QList<QWidget*> seen;
        for (int i = 0; i < 400; ++i) {
            m.key(key, key == Qt::Key_Backtab ? Qt::ShiftModifier : Qt::NoModifier);
            QWidget* now = QApplication::focusWidget();
            if (!now) return seen;
            if (seen.contains(now)) {
                if (now == seen.first() || i > 300) return seen;
                continue; // a field may keep Tab once (a table's cells)
            }
            seen << now;
        }
        return seen;
    }
    /// What a mouse can use, and a keyboard must.
    static bool usable(const QWidget* w)
    {
        if (!w->isVisible() || !w->isEnabled() || w->visibleRegion().isEmpty()) return false;
        if (const auto* combo = qobject_cast<const QComboBox*>(w->parentWidget()); combo) return false; // its line or list
        if (qobject_cast<const QAbstractSpinBox*>(w->parentWidget()) || qobject_cast<const QLineEdit*>(w->parentWidget())) return false;
        if (qobject_cast<const QTabBar*>(w->parentWidget())) return false;
        if (qobject_cast<const QHeaderView*>(w)) return false; // its sorting is in the rows' menu: verbs_runs_test
        return qobject_cast<const QAbstractButton*>(w) || qobject_cast<const QComboBox*>(w) || qobject_cast<const QLineEdit*>(w) || qobject_cast<const QAbstractSpinBox*>(w) || qobject_cast<const QAbstractItemView*>(w);
    }
    /// Another way by keyboard is known and tested: these may stay out of the tab order.
    static bool excused(const QWidget* w)
    {
        return w->objectName() == QLatin1String("compose.rename"); // Tab goes to the name itself
    }
    QStringList unreached(QWidget* page, const QList<QWidget*>& seen)
    {
        QStringList out;
        for (QWidget* w : page->findChildren<QWidget*>()) {
            if (!usable(w) || excused(w)) continue;
            const bool focus = seen.contains(w) || std::any_of(seen.begin(), seen.end(), [w](QWidget* s) { return s->focusProxy() == w || w->focusProxy() == s; });
            // Of buttons that exclude each other one has the keyboard; arrows go to the others.
            const auto* button = qobject_cast<const QAbstractButton*>(w);
            const bool sibling = button && (button->autoExclusive() || button->group()) &&
                                 std::any_of(seen.begin(), seen.end(), [w](QWidget* s) { return s->parentWidget() == w->parentWidget() && qobject_cast<QAbstractButton*>(s); });
            if (!focus && !sibling) out << describe(w, button ? (button->text().isEmpty() ? button->toolTip() : button->text()) : w->accessibleName());
        }
        return out;
    }

  private Q_SLOTS:
    void initTestCase()
    {
        QVERIFY(commandLineBuilt());
        QVERIFY(!m.train(smallRecipe("by keys", "8", 2), QStringLiteral("earlier")).isEmpty());
        m.open();
        QTRY_VERIFY_WITH_TIMEOUT(!m.studio().data->sets().empty() && !m.studio().hardware->devices().empty(), sconce::test::patienceMs);
    }
    void cleanupTestCase() { m.close(); }
    void cleanup()
    {
        setAsker(nullptr);
        setFileChooser(nullptr);
    }

    void tabReachesEverything_data()
    {
        QTest::addColumn<int>("page");
        for (PageId id : {PageId::Welcome, PageId::Data, PageId::Compose, PageId::Live, PageId::Runs, PageId::Hardware, PageId::TryIt, PageId::Settings})
            QTest::newRow(qPrintable(MainWindow::pageName(id))) << static_cast<int>(id);
    }
    void tabReachesEverything()
    {
        QFETCH(int, page);
        const auto id = static_cast<PageId>(page);
        m.window().goTo(id);
        if (id == PageId::Live) {
            m.service().show(m.studio().runs->rows().front().id);
            QTRY_VERIFY_WITH_TIMEOUT(m.window().findChild<QWidget*>(QStringLiteral("live.tryIt")), sconce::test::patienceMs);
        }
        if (id == PageId::Data) QTRY_VERIFY_WITH_TIMEOUT(m.find<QPushButton>("data.train")->isEnabled(), sconce::test::patienceMs);
        if (id == PageId::TryIt) QTRY_VERIFY_WITH_TIMEOUT(m.find<QPushButton>("tryit.save")->isEnabled(), sconce::test::patienceMs);
        QTest::qWait(100);
        const QList<QWidget*> seen = walk();
        QVERIFY(seen.size() > 3);
        const QStringList missing = unreached(m.window().page(id), seen);
        QVERIFY2(missing.isEmpty(), qPrintable(missing.join(QStringLiteral("\n"))));
        // The way back visits as many: nothing is a trap.
        const QList<QWidget*> back = walk(Qt::Key_Backtab);
        QVERIFY2(std::abs(static_cast<int>(back.size() - seen.size())) <= 2, qPrintable(QStringLiteral("%1 forth, %2 back, to %3").arg(seen.size()).arg(back.size()).arg(back.isEmpty() ? QString() : describe(back.last(), {}))));
    }

    void theListedKeysExist()
    {
        QStringList all;
        for (const ShortcutRow& row : shortcutRows()) all << row.keys;
        const QString listed = all.join(u'|');
        // What the window and the stack answer to is listed.
        for (QAction* action : m.find<StackView>("compose.stack")->editActions()) {
            const QString keys = action->shortcut().toString(QKeySequence::PortableText);
            if (!keys.isEmpty()) QVERIFY2(listed.contains(keys), qPrintable(action->text() + QStringLiteral(": ") + keys + QStringLiteral(" is not listed: ") + listed));
        }
        int shortcuts = 0;
        for (const QShortcut* shortcut : m.window().findChildren<QShortcut*>()) {
            const QString keys = shortcut->key().toString(QKeySequence::PortableText);
            const bool page = keys.size() == 6 && keys.startsWith(QLatin1String("Ctrl+")) && keys.back().isDigit(); // listed as a range
            if (!keys.startsWith(QLatin1String("Ctrl+")) || page || keys == QLatin1String("Ctrl+Enter")) continue;
            QVERIFY2(listed.contains(keys), qPrintable(keys + QStringLiteral(" is not listed: ") + listed));
            ++shortcuts;
        }
        QVERIFY2(shortcuts > 8, qPrintable(QString::number(shortcuts)));
        QTest::keyClick(&m.window(), Qt::Key_F1);
        QTRY_VERIFY_WITH_TIMEOUT(m.window().findChild<QDialog*>(QStringLiteral("shortcuts")), sconce::test::patienceMs);
        auto* sheet = m.find<QDialog>("shortcuts");
        QTRY_VERIFY_WITH_TIMEOUT(sheet->isVisible(), sconce::test::patienceMs);
        QTest::keyClick(sheet, Qt::Key_Escape);
        QTRY_VERIFY_WITH_TIMEOUT(!m.window().findChild<QDialog*>(QStringLiteral("shortcuts")), sconce::test::patienceMs);
    }

    void aRunWithoutAMouse()
    {
        QVERIFY(m.activate());
        m.key(Qt::Key_2, Qt::ControlModifier);
        QCOMPARE(m.window().currentPage(), PageId::Compose);
        auto* stack = m.find<StackView>("compose.stack");
        auto& document = static_cast<ComposePage*>(m.window().page(PageId::Compose))->document();
        const auto count = [&] { return document.recipe().stack.layers.size(); };
        stack->setFocus(Qt::ShortcutFocusReason);
        setFileChooser([this](QWidget*, const QString&, const QString&) { return m.path("train.sconce"); });
        m.key(Qt::Key_O, Qt::ControlModifier);
        QTRY_COMPARE_WITH_TIMEOUT(document.recipe().name, std::string("by keys"), sconce::test::patienceMs);
        const std::size_t before = count();
        m.key(Qt::Key_Home);
        m.key(Qt::Key_Down);
        m.key(Qt::Key_Insert);
        auto* search = m.find<QLineEdit>("compose.palette.search");
        QTRY_VERIFY_WITH_TIMEOUT(search->hasFocus(), sconce::test::patienceMs);
        QTest::keyClicks(QApplication::focusWidget(), QStringLiteral("dropout"));
        m.key(Qt::Key_Return);
        QCOMPARE(count(), before + 1);
        m.key(Qt::Key_Escape);
        m.key(Qt::Key_Escape);
        QTRY_VERIFY_WITH_TIMEOUT(stack->hasFocus(), sconce::test::patienceMs);
        m.key(Qt::Key_Return); // to the layer's settings
        QTRY_VERIFY2(m.find<QWidget>("compose.layer")->isAncestorOf(QApplication::focusWidget()), "Enter does not lead to the settings");
        m.key(Qt::Key_Z, Qt::ControlModifier);
        QCOMPARE(count(), before);
        QTRY_VERIFY(m.window().page(PageId::Compose)->isAncestorOf(QApplication::focusWidget())); // the layer's field is gone with it
        m.key(Qt::Key_Z, Qt::ControlModifier | Qt::ShiftModifier);
        QCOMPARE(count(), before + 1);
        // To the Training tab by Tab and the arrow, on to Epochs by Tab.
        auto* tabs = m.find<QTabBar>("compose.tabs");
        for (int i = 0; i < 100 && QApplication::focusWidget() != tabs; ++i) m.key(Qt::Key_Backtab, Qt::ShiftModifier);
        QCOMPARE(QApplication::focusWidget(), tabs);
        m.key(Qt::Key_Right);
        auto* epochs = m.find<QSpinBox>("compose.training.epochs");
        for (int i = 0; i < 100 && QApplication::focusWidget() != epochs; ++i) m.key(Qt::Key_Tab);
        QCOMPARE(QApplication::focusWidget(), epochs);
        m.key(Qt::Key_A, Qt::ControlModifier);
        QTest::keyClicks(epochs, QStringLiteral("1"));
        m.key(Qt::Key_Return, Qt::ControlModifier);
        QTRY_COMPARE_WITH_TIMEOUT(m.window().currentPage(), PageId::Live, sconce::test::patienceMs);
        QTRY_COMPARE_WITH_TIMEOUT(m.status(QStringLiteral("by keys")), QStringLiteral("finished"), 5 * sconce::test::patienceMs);
        const QJsonObject run = m.run(m.runNamed(QStringLiteral("by keys"))[QLatin1String("run")].toString());
        QCOMPARE(run[QLatin1String("epochs")].toInt(), 1);
        QCOMPARE(run[QLatin1String("recipe_value")].toObject()[QLatin1String("layers")].toArray().at(0).toObject()[QLatin1String("type")].toString(), QString::fromStdString(document.recipe().stack.layers[0].type));

        // Runs: to the table, the newest row, rename, and delete after asking.
        m.key(Qt::Key_4, Qt::ControlModifier);
        QCOMPARE(m.window().currentPage(), PageId::Runs);
        auto* table = m.find<RunsTable>("runs.table");
        QTRY_COMPARE_WITH_TIMEOUT(table->model()->rowCount(), 2, sconce::test::patienceMs);
        for (int i = 0; i < 100 && QApplication::focusWidget() != table; ++i) m.key(Qt::Key_Tab);
        QCOMPARE(QApplication::focusWidget(), table);
        for (int i = 0; i < 3; ++i) m.key(Qt::Key_Up);
        m.key(Qt::Key_F2);
        QTRY_VERIFY_WITH_TIMEOUT(table->findChild<QLineEdit*>(QStringLiteral("runs.nameEditor")), sconce::test::patienceMs);
        m.key(Qt::Key_A, Qt::ControlModifier);
        QTest::keyClicks(QApplication::focusWidget(), QStringLiteral("keys only"));
        m.key(Qt::Key_Return);
        QTRY_COMPARE_WITH_TIMEOUT(m.status(QStringLiteral("keys only")), QStringLiteral("finished"), sconce::test::patienceMs);
        setAsker([](QWidget*, const Question&) { return 0; });
        QTRY_COMPARE_WITH_TIMEOUT(QApplication::focusWidget(), table, sconce::test::patienceMs);
        QTRY_COMPARE_WITH_TIMEOUT(table->currentIndex().siblingAtColumn(RunTableModel::Status).data().toString(), QStringLiteral("finished"), sconce::test::patienceMs);
        m.key(Qt::Key_Delete);
        QTRY_VERIFY_WITH_TIMEOUT(m.runNamed(QStringLiteral("keys only")).isEmpty(), sconce::test::patienceMs);
        QCOMPARE(m.runs().size(), 1);
    }
};

QTEST_MAIN(VerbsKeysTest)
#include "verbs_keys_test.moc"
