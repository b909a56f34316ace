// SPDX-License-Identifier: GPL-3.0-or-later
#include "ui/data/table_view.h"

#include "core/base/text.h"
#include "core/data/table.h"
#include "ui/theme/theme.h"
#include "ui/widgets/parts.h"

#include <QHeaderView>

namespace sconce::ui {

void RowModel::setData(DatasetPtr table, std::vector<SampleGrid::Sample> samples)
{
    beginResetModel();
    m_table = std::move(table);
    m_samples = std::move(samples);
    m_cachedRow = -1;
    endResetModel();
}

int RowModel::rowCount(const QModelIndex& parent) const { return parent.isValid() ? 0 : static_cast<int>(m_samples.size()); }
int RowModel::columnCount(const QModelIndex& parent) const { return parent.isValid() || !m_table ? 0 : static_cast<int>(m_table->info().columns.size()) + 1; }

bool RowModel::isNumber(int column) const
{
    const auto& info = m_table->info();
    const auto at = static_cast<std::size_t>(column);
    return at < info.columns.size() ? info.columns[at].words.empty() : info.numbers;
}

QVariant RowModel::data(const QModelIndex& index, int role) const
{
    if (!checkIndex(index, CheckIndexOption::IndexIsValid)) return {};
    if (role == Qt::TextAlignmentRole) return QVariant(static_cast<int>(Qt::AlignVCenter | (isNumber(index.column()) ? Qt::AlignRight : Qt::AlignLeft)));
    if (role == Qt::FontRole) return ui::font(FontRole::MonoSmall);
    const bool target = index.column() + 1 == columnCount();
    if (role == Qt::BackgroundRole && target) return color(Token::AccentSoft);
    if (role != Qt::DisplayRole) return {};
    if (m_cachedRow != index.row()) {
        const SampleGrid::Sample& sample = m_samples[static_cast<std::size_t>(index.row())];
        m_cached = tableRow(*m_table, sample.part, sample.row);
        m_cachedRow = index.row();
    }
    const auto column = static_cast<std::size_t>(index.column());
    return column < m_cached.size() ? QVariant(QString::fromStdString(m_cached[column])) : QVariant();
}

QVariant RowModel::headerData(int section, Qt::Orientation orientation, int role) const
{
    if (!m_table) return {};
    if (orientation == Qt::Vertical) {
        if (role == Qt::TextAlignmentRole) return QVariant(static_cast<int>(Qt::AlignVCenter | Qt::AlignRight));
        if (role != Qt::DisplayRole || section >= rowCount()) return {};
        return QString::fromStdString(groupedInt(m_samples[static_cast<std::size_t>(section)].row + 1));
    }
    const auto& info = m_table->info();
    const bool target = section + 1 == columnCount();
    if (role == Qt::DisplayRole) return target && info.target.empty() ? tr("labels") : QString::fromStdString(target ? info.target : info.columns[static_cast<std::size_t>(section)].name);
    if (role == Qt::TextAlignmentRole) return QVariant(static_cast<int>(Qt::AlignVCenter | (isNumber(section) ? Qt::AlignRight : Qt::AlignLeft)));
    if (role == Qt::ToolTipRole) {
        if (target) return info.target.empty() ? tr("These are predicted: %1.").arg(QString::fromStdString(labelsText(info.labelNames, std::vector<std::uint8_t>(info.labelNames.size(), 1)))) : tr("This column is predicted.");
        const TableColumn& column = info.columns[static_cast<std::size_t>(section)];
        const QString holds = column.words.empty() ? tr("Numbers") : tr("%1 different words").arg(column.words.size());
        return column.missing > 0 ? tr("%1, %2 missing").arg(holds, QString::fromStdString(groupedInt(column.missing))) : holds;
    }
    return {};
}

TableView::TableView(QWidget* parent) : QTableView(parent), m_model(new RowModel(this))
{
    setObjectName(QStringLiteral("data.rows"));
    setAccessibleName(tr("Rows of the table"));
    setModel(m_model);
    setFrameShape(QFrame::NoFrame);
    setShowGrid(false);
    setSelectionBehavior(QAbstractItemView::SelectRows);
    setSelectionMode(QAbstractItemView::SingleSelection);
    setHorizontalScrollMode(QAbstractItemView::ScrollPerPixel);
    verticalHeader()->setDefaultSectionSize(26);
    verticalHeader()->setSectionResizeMode(QHeaderView::Fixed);
    horizontalHeader()->setProperty("dense", true);
    horizontalHeader()->setDefaultSectionSize(110);
    horizontalHeader()->setResizeContentsPrecision(50); // the first rows tell enough
}

void TableView::setTable(DatasetPtr table, std::vector<SampleGrid::Sample> samples)
{
    m_model->setData(std::move(table), std::move(samples));
    fitColumns(*this);
}

} // namespace sconce::ui
