// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
// The rows of a table as they stand in the file, the column to be predicted last and marked. Reads a row when it is drawn.

#include "ui/data/sample_grid.h"

#include <QAbstractTableModel>
#include <QTableView>

namespace sconce::ui {

class RowModel : public QAbstractTableModel
{
    Q_OBJECT
  public:
    using QAbstractTableModel::QAbstractTableModel;
    void setData(DatasetPtr table, std::vector<SampleGrid::Sample> samples);
    int rowCount(const QModelIndex& parent = {}) const override;
    int columnCount(const QModelIndex& parent = {}) const override;
    QVariant data(const QModelIndex& index, int role) const override;
    QVariant headerData(int section, Qt::Orientation orientation, int role) const override;
    const std::vector<SampleGrid::Sample>& samples() const { return m_samples; }

  private:
    bool isNumber(int column) const;
    DatasetPtr m_table;
    std::vector<SampleGrid::Sample> m_samples;
    mutable int m_cachedRow = -1; ///< a row is drawn cell by cell
    mutable std::vector<std::string> m_cached;
};

class TableView : public QTableView
{
    Q_OBJECT
  public:
    explicit TableView(QWidget* parent = nullptr);
    void setTable(DatasetPtr table, std::vector<SampleGrid::Sample> samples);
    const RowModel& rows() const { return *m_model; }

  private:
    RowModel* m_model = nullptr;
};

} // namespace sconce::ui
