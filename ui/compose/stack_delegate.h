// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
// Paints the rows of the stack: cards with grip, number, picture, title, summary, output shape, parameters and compute
// share, joined by a wire; slots where layers can be added. Also knows where in a row things are, for mouse and header.

#include "ui/compose/stack_model.h"

#include <QStyledItemDelegate>

namespace sconce::ui {

/// Sizes of a row, from the small-window rules of the design.
struct StackMetrics
{
    bool narrow = false, low = false;
    int margin() const { return narrow ? 16 : 24; }
    int card() const { return low ? 40 : 52; }
    int ends() const { return low ? 36 : 44; } ///< Input and Output
    int slot() const { return low ? 24 : 28; } ///< end of a branch
    int gap() const { return low ? 4 : 8; }
    int indent() const { return narrow ? 20 : 28; }
    int iconBox() const { return low ? 28 : 32; }
    bool compute() const { return !narrow; }
};

/// Where the columns of a card are, in the coordinates of the card's list.
struct StackColumns
{
    QRect card, grip, number, icon, text, shape, parameters, compute, menu;
    static StackColumns of(const QRect& row, const StackRow& what, const StackMetrics& metrics);
};

class StackDelegate : public QStyledItemDelegate
{
    Q_OBJECT
  public:
    explicit StackDelegate(const StackModel& model, QObject* parent = nullptr);

    void setMetrics(StackMetrics metrics) { m_metrics = metrics; }
    const StackMetrics& metrics() const { return m_metrics; }
    /// The row under the mouse, its menu button included.
    void setHover(int row, bool onMenu);

    QSize sizeHint(const QStyleOptionViewItem& option, const QModelIndex& index) const override;
    void paint(QPainter* painter, const QStyleOptionViewItem& option, const QModelIndex& index) const override;
    bool helpEvent(QHelpEvent* event, QAbstractItemView* view, const QStyleOptionViewItem& option, const QModelIndex& index) override;

  private:
    void paintWires(QPainter& painter, const QRect& row, const StackRow& what, bool last) const;
    void paintCard(QPainter& painter, const QStyleOptionViewItem& option, const StackRow& what, const StackColumns& at, bool hovered) const;
    void paintNumbers(QPainter& painter, const StackRow& what, const StackColumns& at) const;
    void paintSlot(QPainter& painter, const QStyleOptionViewItem& option, const StackRow& what, const QRect& card, bool hovered) const;

    const StackModel& m_model;
    StackMetrics m_metrics;
    int m_hoverRow = -1;
    bool m_hoverMenu = false;
};

} // namespace sconce::ui
