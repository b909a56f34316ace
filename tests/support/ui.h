// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
// The real window over a real store, for tests and tools: services as main() wires them, pages made, nothing faked. And the
// checks that hold for whatever is drawn: no label is clipped, all text has enough contrast.

#include "ui/shell/main_window.h"
#include "ui/shell/workspace.h"
#include "ui/theme/theme.h"

#include "tests/support/patience.h"

#include <QAbstractItemView>
#include <QApplication>
#include <QComboBox>
#include <QAbstractButton>
#include <QLabel>
#include <QScrollArea>
#include <QTest>

#include <cmath>
#include <map>

namespace sconce::ui::test {

/// A window on a store folder, with settings of its own in `config`.
class StudioWindow
{
  public:
    StudioWindow(const QString& store, const QString& config, HardwareSources sources = {})
    {
        QSettings::setPath(QSettings::IniFormat, QSettings::UserScope, config);
        settings = std::make_unique<Settings>();
        auto opened = Store::open(store.toStdString());
        if (!opened.ok()) qFatal("%s", opened.error().text().c_str());
        workspace = std::make_unique<Workspace>(*opened, *settings, QStringLiteral(SCONCE_BIN_DIR "/sconce"), std::move(sources));
        window = std::make_unique<MainWindow>(*settings);
    }
    ~StudioWindow()
    {
        delete window->takeCentralWidget();
        window.reset();
        workspace.reset();
    }
    /// Shows the window and waits until every page is made.
    void show(PageId first = PageId::Welcome)
    {
        window->show();
        window->attach(workspace->studio(), first);
        (void)QTest::qWaitForWindowExposed(window.get());
        (void)QTest::qWaitFor([this] { return window->allPagesMade(); }, 60'000);
    }
    Studio& studio() { return workspace->studio(); }

    std::unique_ptr<Settings> settings;
    std::unique_ptr<Workspace> workspace;
    std::unique_ptr<MainWindow> window;
};

/// The part of a widget that can be seen: scrolling away is no clipping, so a widget half out of a scroll area's view counts
/// as out of view.
inline bool inView(const QWidget* widget)
{
    if (!widget->isVisible() || widget->width() <= 0 || widget->height() <= 0) return false;
    for (const QWidget* up = widget->parentWidget(); up && !widget->isWindow(); up = up->parentWidget()) {
        const auto* area = qobject_cast<const QAbstractScrollArea*>(up->parentWidget());
        if (!area || area->viewport() != up) continue;
        const QRect seen(widget->mapTo(up, QPoint(0, 0)), widget->size());
        if (!up->rect().contains(seen)) return false;
    }
    return true;
}

inline QString describe(const QWidget* widget, const QString& text)
{
    QStringList path;
    for (const QWidget* up = widget; up; up = up->parentWidget())
        if (!up->objectName().isEmpty() && !up->objectName().startsWith(QLatin1String("qt_"))) path.prepend(up->objectName());
    return QStringLiteral("%1 “%2” (%3)").arg(QLatin1String(widget->metaObject()->className()), text, path.join(QLatin1Char('/')));
}

/// Labels and buttons whose words do not fit into them, or that lie outside of what their parents show. What was said a moment ago is laid
/// out first, as a window does before it paints.
inline QStringList clippedTexts(QWidget* root)
{
    sconce::test::layOutNow();
    QStringList found;
    const auto outside = [&](const QWidget* widget) {
        for (const QWidget* up = widget->parentWidget(); up && up != root->parentWidget(); up = up->parentWidget()) {
            if (const auto* area = qobject_cast<const QAbstractScrollArea*>(up->parentWidget()); area && area->viewport() == up) return false;
            const QRect box(widget->mapTo(up, QPoint(0, 0)), widget->size());
            if (!up->rect().contains(box)) return true;
        }
        return false;
    };
    for (QLabel* label : root->findChildren<QLabel*>()) {
        if (!inView(label) || label->text().isEmpty() || label->textFormat() == Qt::RichText) continue;
        const QRect room = label->contentsRect();
        const bool shortens = label->property("elides").toBool();
        bool clipped = outside(label);
        if (label->wordWrap()) {
            clipped = clipped || label->heightForWidth(label->width()) > label->height() + 1;
        } else if (!shortens) {
            int wide = 0;
            for (const QString& line : label->text().split(QLatin1Char('\n'))) wide = std::max(wide, label->fontMetrics().horizontalAdvance(line));
            clipped = clipped || wide > room.width() + 1;
        }
        // A line may lose its leading, never its letters.
        clipped = clipped || room.height() + 2 < label->fontMetrics().ascent() + label->fontMetrics().descent() - 4;
        if (clipped) found << describe(label, label->text()) + QStringLiteral(" %1×%2").arg(label->width()).arg(label->height());
    }
    for (QAbstractButton* button : root->findChildren<QAbstractButton*>()) {
        if (!inView(button) || button->text().isEmpty() || !QString::fromLatin1(button->metaObject()->className()).startsWith(QLatin1Char('Q'))) continue;
        const int wide = button->fontMetrics().size(Qt::TextShowMnemonic, button->text()).width();
        if (outside(button) || wide > button->width() || button->sizeHint().width() > button->width() + 12) found << describe(button, button->text()) + QStringLiteral(" %1 of %2").arg(button->width()).arg(button->sizeHint().width());
    }
    return found;
}

/// The contrast between ground (the commonest colour) and the strongest other colour of a piece of a picture.
inline double strongestContrast(const QImage& picture, const QRect& piece)
{
    std::map<QRgb, int> counts;
    const QRect box = piece.intersected(picture.rect());
    for (int y = box.top(); y <= box.bottom(); ++y)
        for (int x = box.left(); x <= box.right(); ++x) ++counts[picture.pixel(x, y) | 0xFF000000];
    QRgb ground = 0;
    int most = 0;
    for (const auto& [colour, count] : counts)
        if (count > most) {
            most = count;
            ground = colour;
        }
    double best = 1;
    for (const auto& [colour, count] : counts)
        if (count >= 4) best = std::max(best, contrast(QColor(colour), QColor(ground)));
    return best;
}

/// Texts that stand out too little. The window is rendered at three times its size, so that strokes have their full colour.
inline QStringList faintTexts(QWidget* root, double least = 4.5)
{
    constexpr int scale = 3;
    QImage picture(root->size() * scale, QImage::Format_RGB32);
    picture.setDevicePixelRatio(scale);
    picture.fill(Qt::magenta); // whatever nobody paints shows
    root->render(&picture);
    picture.setDevicePixelRatio(1);
    QStringList found;
    const auto check = [&](const QWidget* widget, const QRect& inWidget, const QString& text) {
        const QRect box(widget->mapTo(root, inWidget.topLeft()) * scale, inWidget.size() * scale);
        const double measured = strongestContrast(picture, box);
        if (measured < least) found << describe(widget, text) + QStringLiteral(" %1").arg(measured, 0, 'f', 2);
    };
    for (QLabel* label : root->findChildren<QLabel*>())
        if (inView(label) && !label->text().trimmed().isEmpty() && label->isEnabled()) check(label, label->contentsRect(), label->text());
    for (QAbstractButton* button : root->findChildren<QAbstractButton*>())
        if (inView(button) && !button->text().isEmpty() && button->isEnabled()) check(button, button->rect(), button->text());
    for (QComboBox* box : root->findChildren<QComboBox*>())
        if (inView(box) && !box->currentText().isEmpty() && box->isEnabled()) check(box, box->rect().adjusted(28, 4, -28, -4), box->currentText());
    for (QAbstractItemView* view : root->findChildren<QAbstractItemView*>()) {
        if (!inView(view) || !view->model() || !view->isEnabled()) continue;
        for (int row = 0; row < std::min(view->model()->rowCount(view->rootIndex()), 40); ++row) {
            const QModelIndex index = view->model()->index(row, 0, view->rootIndex());
            const QString text = index.data().toString();
            const QRect box = view->visualRect(index).intersected(view->viewport()->rect());
            if (text.isEmpty() || box.width() < 20 || box.height() < 12) continue;
            check(view->viewport(), box, text);
        }
    }
    return found;
}

} // namespace sconce::ui::test
