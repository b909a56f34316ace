// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
// How a row of the runs' table is drawn: status pill, letter chip of the comparison, progress, Resume button, tags; numbers in
// the mono face. And the table itself with its keys.

#include "ui/runs/run_table_model.h"

#include <QHeaderView>
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

/// Heads stand over their columns as the cells do (8 px from either side), the sort arrow right beside its words.
class RunsHeader : public QHeaderView
{
    Q_OBJECT
  public:
    explicit RunsHeader(QWidget* parent);
    QRect wordsRect(int section) const; ///< of the head's words, in the header
    QRect arrowRect(int section) const; ///< of the arrow when sorted by it

  protected:
    void paintSection(QPainter* painter, const QRect& rect, int section) const override;

  private:
    QRect sectionRect(int section) const { return {sectionViewportPosition(section), 0, sectionSize(section), height()}; }
    QRect wordsIn(const QRect& rect, int section) const;
    QRect arrowIn(const QRect& rect, int section) const;
    QString words(int section) const { return model()->headerData(section, orientation()).toString(); }
    bool atRight(int section) const { return model()->headerData(section, orientation(), Qt::TextAlignmentRole).toInt() & Qt::AlignRight; }
};

/// A letter on its colour, 16 px, as table, legend and the ends of curves show it.
void paintLetter(QPainter* painter, const QRect& box, const QString& letter);
QPixmap letterPixmap(const QString& letter, qreal devicePixelRatio);

} // namespace sconce::ui
