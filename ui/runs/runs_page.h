// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
// Every run there ever was: the table with search and filters, what may be done with the chosen ones, and below it the curves and
// differences of those ticked. All reading and writing of the store happens off the window's thread; the table follows
// RunList.

#include "ui/runs/compare_cards.h"
#include "ui/runs/run_delegate.h"
#include "ui/widgets/page.h"

class QButtonGroup;
class QMenu;
class QPlainTextEdit;
class QStackedWidget;

namespace sconce::ui {

class RunsPage : public Page
{
    Q_OBJECT
  public:
    RunsPage(Studio& studio, QWidget* parent = nullptr);
    void shown() override;
    void setCompact(bool narrow, bool low) override;

  private:
    void buildHeader();
    QWidget* buildBar();
    QWidget* buildTable();
    QWidget* buildBelow();
    void connectAll();

    void refreshRows();
    void refreshChips();
    void refreshActions();
    void refreshCompared();
    void refreshBytes();
    void arrangeBelow();
    void select(const RunId& run);
    std::vector<RunRow> chosen() const; ///< selected rows, in the table's order
    std::optional<RunRow> one() const;  ///< the row that single actions are about

    // ---- what may be done ----
    void openOnLive(const RunRow& row);
    void openInCompose(const RunRow& row);
    void startFrom(const RunRow& row); ///< its recipe in Compose, starting from its weights
    void resume(const RunRow& row);
    void trainAgain(const RunRow& row);
    void showFolder(const RunRow& row);
    void editTags(const RunRow& row);
    void editNote(const RunRow& row);
    void remove();
    void write(std::function<Result<void>(Store&)> change, const QString& failure);
    void showMenu(const QPoint& at);
    void addSorting(QMenu* menu);

    Studio& m_studio;
    RunTableModel* m_model = nullptr;
    RunTableProxy* m_proxy = nullptr;
    RunsTable* m_table = nullptr;
    RunDelegate* m_delegate = nullptr;
    QLineEdit* m_search = nullptr;
    QLabel* m_searchProblem = nullptr;
    QButtonGroup* m_chips = nullptr;
    QLabel* m_which = nullptr;
    QPushButton *m_resume = nullptr, *m_rename = nullptr, *m_tag = nullptr, *m_note = nullptr, *m_compose = nullptr, *m_tryIt = nullptr, *m_delete = nullptr;
    QStackedWidget* m_stack = nullptr;
    EmptyState* m_noneFound = nullptr;
    QWidget* m_below = nullptr;
    SegmentedControl* m_tabs = nullptr;
    CompareCard* m_compare = nullptr;
    DifferencesCard* m_differences = nullptr;
    QTimer m_compareTimer, m_liveTimer;
    QString m_comparedKey; ///< what the cards show, so that they are read anew only when it changed
    RunId m_wanted;        ///< to be selected as soon as the list has it
    std::uint64_t m_bytes = 0;
    bool m_low = false, m_narrow = false, m_sized = false;
};

/// A small editor below a button: one line for tags, several for a note.
class TextPopup : public QFrame
{
    Q_OBJECT
  public:
    TextPopup(const QString& title, const QString& text, const QString& placeholder, bool lines, const QString& name, QWidget* parent);
    void open(QWidget* below);

  Q_SIGNALS:
    void accepted(const QString& text);

  private:
    QString text() const;
    QLineEdit* m_line = nullptr;
    QPlainTextEdit* m_lines = nullptr;
};

} // namespace sconce::ui
