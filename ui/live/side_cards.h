// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
// The cards at the right of Live: what the curves say (only with evidence), what waits in the queue, what was set, the log.

#include "ui/services/studio.h"
#include "ui/widgets/parts.h"

#include <QAbstractListModel>
#include <QStyledItemDelegate>

class QCheckBox;
class QGridLayout;
class QListView;

namespace sconce::ui {

/// What the curves of a run show, in words; empty where they show nothing worth saying. Pure.
struct CurveReading { QString headline, text; QString term; };
CurveReading readCurves(const LiveRun& live);

class ReadingCard : public Card
{
    Q_OBJECT
  public:
    explicit ReadingCard(QWidget* parent = nullptr);
    void refresh(const LiveRun& live); ///< hides itself where there is nothing to say

  private:
    QLabel *m_headline = nullptr, *m_text = nullptr;
};

class QueueCard : public Card
{
    Q_OBJECT
  public:
    QueueCard(Studio& studio, QWidget* parent = nullptr);
    void refresh();

  private:
    Studio& m_studio;
    QVBoxLayout* m_rows = nullptr;
    QWidget* m_list = nullptr;
    QLabel* m_words = nullptr;
    QPushButton* m_start = nullptr;
    QCheckBox* m_goOn = nullptr;
    /// A run that waits. A row stays as long as its run does: a button must not go from under the pointer when a name comes to be known.
    struct Row
    {
        RunId run;
        QWidget* box = nullptr;
        ElidedLabel *name = nullptr, *note = nullptr;
        QToolButton* remove = nullptr;
    };
    Row makeRow(const RunId& run);
    std::vector<Row> m_waiting;
};

class SettingsCard : public Card
{
    Q_OBJECT
  public:
    explicit SettingsCard(Studio& studio, QWidget* parent = nullptr);
    /// `offered`: the card above has the button already.
    void refresh(const LiveRun& live, bool offered);

  private:
    Studio& m_studio;
    QGridLayout* m_grid = nullptr;
    QPushButton* m_compose = nullptr;
    QString m_shown;
    Recipe m_recipe;
    QString m_name;
};

/// Lines of the log, newest first.
class LogModel : public QAbstractListModel
{
    Q_OBJECT
  public:
    using QAbstractListModel::QAbstractListModel;
    enum Roles { TimeRole = Qt::UserRole, LevelRole };
    void setLines(const std::vector<LogRow>& lines, bool other);
    int rowCount(const QModelIndex& parent = {}) const override;
    QVariant data(const QModelIndex& index, int role) const override;
    QString allText() const; ///< oldest first, a line each

  private:
    const LogRow& line(int row) const { return m_lines[m_lines.size() - 1 - static_cast<std::size_t>(row)]; }
    std::vector<LogRow> m_lines; ///< oldest first
};

class LogDelegate : public QStyledItemDelegate
{
    Q_OBJECT
  public:
    using QStyledItemDelegate::QStyledItemDelegate;
    void paint(QPainter* painter, const QStyleOptionViewItem& option, const QModelIndex& index) const override;
    QSize sizeHint(const QStyleOptionViewItem& option, const QModelIndex& index) const override;
};

class LogCard : public Card
{
    Q_OBJECT
  public:
    explicit LogCard(QWidget* parent = nullptr);
    void refresh(const LiveRun& live, bool other);
    void copy();

  private:
    LogModel* m_model = nullptr;
    QListView* m_view = nullptr;
    QLabel* m_empty = nullptr;
};

} // namespace sconce::ui
