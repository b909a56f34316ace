// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
// The stack on the screen: cards in a list that is edited by mouse (drag from the palette, drag to reorder, menu) and by
// keyboard. Edits go to the document; the view only says where.

#include "ui/compose/stack_delegate.h"

#include <QListView>

class QAction;

namespace sconce::ui {

class StackView : public QListView
{
    Q_OBJECT
  public:
    StackView(RecipeDocument& document, StackModel& model, QWidget* parent = nullptr);

    void setMetrics(StackMetrics metrics);
    const StackMetrics& metrics() const { return m_delegate->metrics(); }
    std::vector<LayerId> selectedLayers() const;
    void selectLayers(const std::vector<LayerId>& ids);
    /// The row that stands for the selection: its current one; -1 if nothing is selected.
    int currentRow() const;
    /// Where an added layer goes.
    StackPlace insertionPlace() const;
    /// Room for the column titles above the cards; they are painted by StackHeader.
    const QList<QAction*>& editActions() const { return m_actions; }
    QAction* action(const char* name) const;
    /// The menu of a row, shown by the ... button, right click and the menu key. Owned by the caller.
    QMenu* makeMenu();

    void copySelection();
    void cutSelection();
    void pasteClipboard();
    void duplicateSelection();
    void deleteSelection();
    void moveSelection(int direction); ///< -1 up, 1 down
    void moveIntoBlock();
    void moveOutOfBlock();

  Q_SIGNALS:
    void addRequested();      ///< Ins, the dashed card
    void editRequested();     ///< Enter on a layer: to its settings
    void selectionMoved();    ///< another row or set of rows is selected

  protected:
    void startDrag(Qt::DropActions actions) override;
    void dragEnterEvent(QDragEnterEvent* event) override;
    void dragMoveEvent(QDragMoveEvent* event) override;
    void dragLeaveEvent(QDragLeaveEvent* event) override;
    void dropEvent(QDropEvent* event) override;
    void mousePressEvent(QMouseEvent* event) override;
    void mouseMoveEvent(QMouseEvent* event) override;
    void leaveEvent(QEvent* event) override;
    void keyPressEvent(QKeyEvent* event) override;
    void contextMenuEvent(QContextMenuEvent* event) override;
    void paintEvent(QPaintEvent* event) override;
    void selectionChanged(const QItemSelection& selected, const QItemSelection& deselected) override;
    void currentChanged(const QModelIndex& current, const QModelIndex& previous) override;

  private:
    void makeActions();
    QAction* addAction(const char* name, const QString& text, const QKeySequence& keys, const std::function<void()>& run);
    int dropRowAt(const QPoint& position) const;
    void showDropRow(int row);
    void updateActions();
    void afterRemoval();

    RecipeDocument& m_document;
    StackModel& m_model;
    StackDelegate* m_delegate;
    QList<QAction*> m_actions;
    int m_dropRow = -1;
    int m_lastRow = 0; ///< of the selection, so that something stays selected after a deletion
};

/// Titles of the columns, aligned with the cards below.
class StackHeader : public QWidget
{
    Q_OBJECT
  public:
    explicit StackHeader(StackView& view, QWidget* parent = nullptr);
    QSize sizeHint() const override;

  protected:
    void paintEvent(QPaintEvent*) override;

  private:
    StackView& m_view;
};

} // namespace sconce::ui
