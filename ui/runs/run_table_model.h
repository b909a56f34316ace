// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
// The runs as a table: raw values with a SortRole, words in DisplayRole, the ticks of the comparison. And its proxy: search,
// status filter, sorting in which what is unknown comes last either way.

#include "ui/runs/run_search.h"

#include <QAbstractTableModel>
#include <QSortFilterProxyModel>

namespace sconce::ui {

class RunTableModel : public QAbstractTableModel
{
    Q_OBJECT
  public:
    enum Column { Check, Status, Name, Data, TestResult, TestLoss, Epochs, Parameters, Device, Time, Started, Tags, More, ColumnCount };
    enum Role { SortRole = Qt::UserRole, LetterRole, IdRole, NumberRole, ShareRole, ResumableRole, TagsRole };

    using QAbstractTableModel::QAbstractTableModel;
    /// Replaces the rows; rows that stay keep their place in views (selection, scrolling).
    void setRows(const std::vector<RunRow>& rows);
    void setQueue(const std::vector<RunId>& queue); ///< says behind which run a queued one waits
    /// Progress of the run under our eyes, fresher than the store's.
    void setLive(const RunId& run, std::int64_t step, std::int64_t epochs);

    const RunRow& row(int index) const { return m_rows[static_cast<std::size_t>(index)]; }
    int indexOf(const RunId& run) const; ///< -1: none
    const std::vector<RunId>& compared() const { return m_compared; } ///< in the order in which they were ticked: A, B, C …
    void setCompared(const std::vector<RunId>& runs);
    void toggle(const RunId& run);

    int rowCount(const QModelIndex& parent = {}) const override;
    int columnCount(const QModelIndex& parent = {}) const override;
    QVariant data(const QModelIndex& index, int role) const override;
    QVariant headerData(int section, Qt::Orientation orientation, int role) const override;
    bool setData(const QModelIndex& index, const QVariant& value, int role) override;
    Qt::ItemFlags flags(const QModelIndex& index) const override;

  Q_SIGNALS:
    void comparedChanged();
    void renameWanted(const QString& run, const QString& name);

  private:
    void mergeRows(const std::vector<RunRow>& rows);
    QString display(const RunRow& row, int column) const;
    QVariant sortValue(const RunRow& row, int column) const;
    QString toolTip(const RunRow& row, int column) const;
    int letterOf(const RunId& run) const;
    std::int64_t stepsOf(const RunRow& row) const;
    std::vector<RunRow> m_rows;
    bool m_alike = true;                     ///< all runs are judged by the same metric
    const MetricEntry* m_shown = nullptr;    ///< that one
    std::vector<RunId> m_compared, m_queue;
    RunId m_liveRun;
    std::int64_t m_liveStep = 0, m_liveEpochs = 0;
};

class RunTableProxy : public QSortFilterProxyModel
{
    Q_OBJECT
  public:
    explicit RunTableProxy(QObject* parent = nullptr);
    void setSearch(const RunSearch& search);
    void setStatus(std::optional<RunStatus> status); ///< Running stands for paused too
    std::optional<RunStatus> status() const { return m_status; }

  protected:
    bool filterAcceptsRow(int row, const QModelIndex& parent) const override;
    bool lessThan(const QModelIndex& left, const QModelIndex& right) const override;

  private:
    RunSearch m_search;
    std::optional<RunStatus> m_status;
};

} // namespace sconce::ui
