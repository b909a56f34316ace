// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
// The whole house for tests of verbs: the real window on a store of its own, a hand for mouse and keyboard that sends what the
// window system would send, and the command line as the second process that confirms what a verb did.

#include "tests/support/bars.h"
#include "tests/support/page_checks.h"
#include "tests/support/ui.h"
#include "tests/support/patience.h"
#include "ui/widgets/parts.h"

#include <QComboBox>
#include <QDrag>
#include <QElapsedTimer>
#include <QFile>
#include <QLineEdit>
#include <QMimeData>
#include <QTemporaryDir>
#include <QWindow>

namespace sconce::ui::test {

/// Hands what a drag carries to the widget at a place of the window, as Qt does while the pointer moves there and lets go.
inline bool dropDragged(QDrag* drag, QWidget* target, QPoint where, Qt::KeyboardModifiers keys)
{
    const Qt::DropActions can = drag->supportedActions();
    const Qt::DropAction action = (keys & Qt::ControlModifier) || !(can & Qt::MoveAction) ? Qt::CopyAction : Qt::MoveAction;
    for (QWidget* up = target; up; up = up->isWindow() ? nullptr : up->parentWidget()) {
        if (!up->acceptDrops()) continue;
        const QPoint at = up->mapFrom(target->window(), target->mapTo(target->window(), where));
        QDragEnterEvent enter(at, action, drag->mimeData(), Qt::LeftButton, keys);
        QApplication::sendEvent(up, &enter);
        if (!enter.isAccepted()) continue;
        QDragMoveEvent move(at, action, drag->mimeData(), Qt::LeftButton, keys);
        QApplication::sendEvent(up, &move);
        if (!move.isAccepted()) {
            QDragLeaveEvent leave;
            QApplication::sendEvent(up, &leave);
            return false;
        }
        QDropEvent drop(at, action, drag->mimeData(), Qt::LeftButton, keys);
        QApplication::sendEvent(up, &drop);
        return drop.isAccepted();
    }
    return false;
}

/// What became of a press, moves and a release.
struct Dragged
{
    bool began = false;   ///< Qt's drag and drop was started by the moves
    bool dropped = false; ///< and what it carried was taken
};

/// Waits for the drag that a view starts, and hands on what it carries right before Qt throws it away.
class DragWatch : public QObject
{
  public:
    DragWatch(QObject* source, std::function<bool(QDrag*)> carry) : m_carry(std::move(carry)) { source->installEventFilter(this); }
    Dragged result;

  protected:
    bool eventFilter(QObject* object, QEvent* event) override
    {
        if (event->type() == QEvent::ChildAdded) static_cast<QChildEvent*>(event)->child()->installEventFilter(this);
        if (event->type() == QEvent::DeferredDelete)
            if (auto* drag = qobject_cast<QDrag*>(object); drag && !result.began) {
                result.began = true;
                result.dropped = m_carry(drag);
            }
        return false;
    }

  private:
    std::function<bool(QDrag*)> m_carry;
};

/// Presses at one place, moves, and lets go at another, as events of the window. Where the moves start Qt's drag and drop (the
/// platform without a screen ends its loop at once), what the drag really carries is handed on as Qt's drag events.
inline Dragged dragByMouse(QWidget* from, QPoint start, QWidget* to, QPoint end, Qt::KeyboardModifiers keys = {})
{
    QWindow* window = from->window()->windowHandle();
    if (!window || from->window() != to->window()) return {};
    DragWatch watch(from->parentWidget(), [&](QDrag* drag) { return dropDragged(drag, to, end, keys); });
    const QPoint a = from->mapTo(from->window(), start), b = to->mapTo(to->window(), end);
    constexpr int moves = 8;
    QTest::mousePress(window, Qt::LeftButton, keys, a);
    for (int i = 1; i <= moves && !watch.result.began; ++i) {
        QTest::mouseEvent(QTest::MouseMove, window, Qt::NoButton, keys, a + (b - a) * i / moves);
        QTest::qWait(1);
    }
    QTest::mouseRelease(window, Qt::LeftButton, keys, b);
    QTest::qWait(1);
    return watch.result;
}

class House
{
  public:
    House() { Theme::instance().apply(*qApp, ThemeChoice::Dark); }
    ~House() { close(); }

    QString path(const char* name) const { return m_dir.filePath(QLatin1String(name)); }
    QString store() const { return path("store"); }
    void open(PageId first = PageId::Welcome, QSize size = {1440, 900}, HardwareSources sources = {})
    {
        m_studio = std::make_unique<StudioWindow>(store(), path("config"), std::move(sources));
        window().resize(size);
        m_studio->show(first);
        (void)activate(5000); // some screens have no active window
    }
    bool isOpen() const { return m_studio != nullptr; }
    /// Ends the window's process as far as a test can; a run that it trains is stopped first, with a checkpoint.
    void close()
    {
        setAsker(nullptr);
        setFileChooser(nullptr);
        if (m_studio && m_studio->studio().runService->trainsHere()) stopTraining();
        m_studio.reset();
    }
    bool stopTraining()
    {
        bool stopped = false;
        service().saveAndStop([&] { stopped = true; });
        return QTest::qWaitFor([&] { return stopped; }, 5 * sconce::test::patienceMs);
    }

    /// The window is the active one again: where there is no screen, a menu that closes leaves none.
    bool activate(int ms = sconce::test::patienceMs)
    {
        window().activateWindow();
        return QTest::qWaitFor([&] { return QApplication::activeWindow() == &window(); }, ms);
    }
    /// An entry of a button's menu, both clicked.
    bool menu(const char* button, const char* entry)
    {
        auto* opener = find<QPushButton>(button);
        return opener && clickInMenu(opener, QLatin1String(entry)) && activate();
    }

    MainWindow& window() { return *m_studio->window; }
    Studio& studio() { return m_studio->studio(); }
    StudioWindow& all() { return *m_studio; }
    RunService& service() { return *m_studio->studio().runService; }
    template <class T> T* find(const char* name)
    {
        T* found = window().findChild<T*>(QLatin1String(name));
        if (!found) qWarning("no widget is called %s", name);
        return found;
    }

    // ---- a hand ----
    /// A click in the middle of a button, as soon as it can be clicked: shown, enabled, and laid out to a size that a pointer can hit.
    bool click(const char* name, int ms = sconce::test::patienceMs)
    {
        QAbstractButton* button = nullptr;
        const bool ready = QTest::qWaitFor([&] { return (button = window().findChild<QAbstractButton*>(QLatin1String(name))) && button->isVisible() && button->isEnabled() && button->width() > 8 && button->height() > 8; }, ms);
        if (!ready) {
            qWarning("%s cannot be clicked", name);
            return false;
        }
        QTest::mouseClick(button, Qt::LeftButton);
        return true;
    }
    /// A click on a page's button of the rail.
    bool page(PageId id)
    {
        return click(qPrintable(QStringLiteral("rail.") + MainWindow::pageName(id))) && QTest::qWaitFor([&] { return window().currentPage() == id; }, sconce::test::patienceMs);
    }
    /// A double click, whose last release QTest leaves to the caller.
    static void doubleClick(QWidget* widget, QPoint where)
    {
        QTest::mouseClick(widget, Qt::LeftButton, {}, where);
        QTest::mouseDClick(widget, Qt::LeftButton, {}, where);
        QTest::mouseRelease(widget, Qt::LeftButton, {}, where);
        QTest::qWait(20); // what it set off, before the next hand's move
    }
    /// A click that the window gets and Qt hands on: to a popup that the press opened, if there is one.
    static void windowClick(QWidget* widget, QPoint where) { QTest::mouseClick(widget->window()->windowHandle(), Qt::LeftButton, {}, widget->mapTo(widget->window(), where)); }
    /// Selects what a field holds and types over it.
    static void typeOver(QWidget* field, const QString& text, bool enter = true)
    {
        field->setFocus();
        if (auto* line = qobject_cast<QLineEdit*>(field)) line->selectAll();
        else if (auto* box = qobject_cast<QAbstractSpinBox*>(field)) box->selectAll();
        QTest::keyClicks(field, text);
        if (enter) QTest::keyClick(field, Qt::Key_Return);
    }
    /// Chooses an entry with the arrow keys.
    static bool choose(QComboBox* box, int index)
    {
        box->setFocus();
        for (int i = 0; i < box->count() && box->currentIndex() != index; ++i) QTest::keyClick(box, index > box->currentIndex() ? Qt::Key_Down : Qt::Key_Up);
        return index >= 0 && box->currentIndex() == index;
    }
    static bool choose(QComboBox* box, const QVariant& data) { return choose(box, box->findData(data)); }
    /// A key on whatever has the keyboard.
    void key(Qt::Key which, Qt::KeyboardModifiers modifiers = {})
    {
        QWidget* focus = QApplication::focusWidget();
        QTest::keyClick(focus ? focus : &window(), which, modifiers);
    }
    /// Drops files where people let go of them.
    static bool dropFile(QWidget* target, const QString& file)
    {
        QMimeData mime;
        mime.setUrls({QUrl::fromLocalFile(file)});
        const QPoint where = target->rect().center();
        QWidget* taker = nullptr; // the innermost widget that takes it, as Qt finds it
        for (QWidget* up = target; up && !taker; up = up->isWindow() ? nullptr : up->parentWidget()) {
            if (!up->acceptDrops()) continue;
            QDragEnterEvent enter(where, Qt::CopyAction, &mime, Qt::LeftButton, Qt::NoModifier);
            QApplication::sendEvent(up, &enter);
            if (enter.isAccepted()) taker = up;
        }
        if (!taker) return false;
        QDropEvent drop(where, Qt::CopyAction, &mime, Qt::LeftButton, Qt::NoModifier);
        QApplication::sendEvent(taker, &drop);
        return drop.isAccepted();
    }

    // ---- the second process ----
    /// Lines of `sconce ARGUMENTS --json` on the same store.
    QList<QJsonObject> cli(QStringList arguments)
    {
        arguments << QStringLiteral("--json") << QStringLiteral("--store") << store();
        QProcess process;
        process.start(QStringLiteral(SCONCE_BIN_DIR "/sconce"), arguments);
        if (!process.waitForFinished(120000)) process.kill();
        said = QString::fromUtf8(process.readAllStandardError());
        code = process.exitStatus() == QProcess::NormalExit ? process.exitCode() : 137;
        QList<QJsonObject> lines;
        for (const QByteArray& line : process.readAllStandardOutput().split('\n'))
            if (!line.isEmpty()) lines << QJsonDocument::fromJson(line).object();
        return lines;
    }
    QList<QJsonObject> runs() { return cli({QStringLiteral("runs"), QStringLiteral("list")}); }
    QJsonObject run(const QString& id) { return cli({QStringLiteral("runs"), QStringLiteral("show"), id}).value(0); }
    QJsonObject runNamed(const QString& name)
    {
        for (const QJsonObject& row : runs())
            if (row[QLatin1String("name")].toString() == name) return row;
        return {};
    }
    QString status(const QString& name) { return runNamed(name)[QLatin1String("status")].toString(); }
    /// Trains in the second process, to the end; its last line.
    QJsonObject train(const QByteArray& recipe, const QString& name, const QStringList& more = {})
    {
        const QString file = path("train.sconce");
        QFile out(file);
        if (!out.open(QIODevice::WriteOnly) || out.write(recipe) != recipe.size()) return {};
        out.close();
        const auto lines = cli(QStringList{QStringLiteral("train"), file, QStringLiteral("--name"), name} + more);
        return lines.isEmpty() ? QJsonObject() : lines.last();
    }

    QString said; ///< what the command line said on standard error
    int code = 0; ///< and what it ended with

  private:
    QTemporaryDir m_dir;
    std::unique_ptr<StudioWindow> m_studio;
};

/// A small network on the built-in digits: 90 steps an epoch, a few hundredths of a second each epoch.
inline QByteArray smallRecipe(const QByteArray& name, const QByteArray& units, int epochs, const QByteArray& rate = "0.01")
{
    return R"({ "format": "sconce-recipe", "version": 1, "name": ")" + name + R"(",
  "data": { "dataset": "digits", "split": { "kind": "last", "validation": 0.1 } },
  "layers": [ { "id": "l1", "type": "flatten" }, { "id": "l2", "type": "dense", "units": )" + units + R"(, "activation": "relu" },
              { "id": "l3", "type": "dense", "units": 10 } ],
  "training": { "epochs": )" + QByteArray::number(epochs) + R"(, "batch_size": 100, "learning_rate": )" + rate + R"( }, "device": "cpu", "threads": 1 })";
}

} // namespace sconce::ui::test
