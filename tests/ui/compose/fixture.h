// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
// A real Compose page over the services and the store of a StudioFixture.

#include "tests/support/studio_fixture.h"
#include "tests/support/patience.h"
#include "ui/compose/compose_page.h"
#include "ui/compose/stack_view.h"

namespace sconce::ui {

struct ComposeFixture : test::StudioFixture
{
    std::unique_ptr<ComposePage> page;

    ComposeFixture() { open(); }
    ~ComposeFixture() { page.reset(); } // before the services under it

    void open(QSize size = QSize(1364, 844))
    {
        page = std::make_unique<ComposePage>(studio);
        page->resize(size);
        page->show();
        page->activateWindow();
        (void)QTest::qWaitForWindowActive(page.get());
        // The data sets and devices become known in the background.
        (void)QTest::qWaitFor([this] { return !data->sets().empty() && !hardware->devices().empty(); }, sconce::test::patienceMs);
    }

    RecipeDocument& document() { return page->document(); }
    const Recipe& recipe() { return page->document().recipe(); }
    template <class T> T* find(const char* name) const
    {
        T* found = page->findChild<T*>(QString::fromLatin1(name));
        if (!found) qFatal("no widget is called %s", name);
        return found;
    }
    StackView* stack() const { return find<StackView>("compose.stack"); }
    QStringList types()
    {
        QStringList out;
        for (const Layer& layer : recipe().stack.layers) out << QString::fromStdString(layer.type);
        return out;
    }
    QRect rowRect(int row) const { return stack()->visualRect(stack()->model()->index(row, 0)); }
    void clickRow(int row, Qt::KeyboardModifiers keys = {})
    {
        stack()->scrollTo(stack()->model()->index(row, 0));
        QTest::mouseClick(stack()->viewport(), Qt::LeftButton, keys, QPoint(200, rowRect(row).top() + 20));
    }
    /// What Qt sends for a drag that ends at a point of the stack.
    bool drop(QMimeData* mime, QPoint where, Qt::DropAction action)
    {
        QWidget* viewport = stack()->viewport();
        QDragEnterEvent enter(where, Qt::MoveAction | Qt::CopyAction, mime, Qt::LeftButton, Qt::NoModifier);
        enter.setDropAction(action);
        QApplication::sendEvent(viewport, &enter);
        QDragMoveEvent move(where, action, mime, Qt::LeftButton, Qt::NoModifier);
        QApplication::sendEvent(viewport, &move);
        if (!move.isAccepted()) {
            QDragLeaveEvent leave;
            QApplication::sendEvent(viewport, &leave);
            return false;
        }
        QDropEvent drop(where, action, mime, Qt::LeftButton, Qt::NoModifier);
        QApplication::sendEvent(viewport, &drop);
        return drop.isAccepted();
    }
};

} // namespace sconce::ui
