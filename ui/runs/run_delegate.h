// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
// How a row of the runs' table is drawn: status pill, letter chip of the comparison, progress, Resume button, tags; numbers in
// the mono face. And the table itself with its keys.

#include "ui/runs/run_table_model.h"

#include <QStyledItemDelegate>
#include <QTableView>

namespace sconce::ui {

class RunDelegate : public QStyledItemDelegate
{
    Q_OBJECT
  public:
    using QStyledItemDelegate::QStyledItemDelegate;
    void paint(QPainter* painter, const QStyleOptionViewItem& option, const QModelIndex& index) const override;
    QSize sizeHint(const QStyleOptionViewItem& option, const QModelIndex& index) const override;
    bool editorEvent(QEvent* event, QAbstractItemModel* model, const QStyleOptionViewItem& option, const QModelIndex& index) override;
    QWidget* createEditor(QWidget* parent, const QStyleOptionViewItem& option, const QModelIndex& index) const override;
    void setEditorData(QWidget* editor, const QModelIndex& index) const override;
    /// Where the Resume button of an interrupted run stands in its Epochs cell; empty for others.
    static QRect resumeRect(const QRect& cell, const QModelIndex& index);

  Q_SIGNALS:
    void resumeWanted(const QModelIndex& index);
    void menuWanted(const QModelIndex& index, const QPoint& at);
};

/// Keys: Space ticks, Enter shows, F2 renames, Del deletes; the rest is Qt's.
class RunsTable : public QTableView
{
    Q_OBJECT
  public:
    explicit RunsTable(QWidget* parent = nullptr);

  Q_SIGNALS:
    void tickWanted(const QModelIndex& index);
    void openWanted(const QModelIndex& index);
    void deleteWanted();

  protected:
    void keyPressEvent(QKeyEvent* event) override;
    void paintEvent(QPaintEvent* event) override;
};

/// A letter on its colour, 16 px, as table, legend and the ends of curves show it.
void paintLetter(QPainter* painter, const QRect& box, const QString& letter);
QPixmap letterPixmap(const QString& letter, qreal devicePixelRatio);

} // namespace sconce::ui
