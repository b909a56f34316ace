// SPDX-License-Identifier: GPL-3.0-or-later
#include "ui/runs/run_table_model.h"

#include "core/base/text.h"
#include "ui/services/run_rows.h"
#include "ui/services/words.h"

#include <algorithm>
#include <cmath>
#include <unordered_set>
#include <utility>

namespace sconce::ui {

using words::text;

namespace {

QString dash() { return QStringLiteral("–"); }

bool isTraining(RunStatus status) { return status == RunStatus::Running || status == RunStatus::Paused; }

QString chipLetter(int index) { return index < 0 ? QString() : QString(QChar(u'A' + index % 26)); }

} // namespace

void RunTableModel::setRows(const std::vector<RunRow>& rows)
{
    const bool sameIds = std::equal(rows.begin(), rows.end(), m_rows.begin(), m_rows.end(), [](const RunRow& a, const RunRow& b) { return a.id == b.id; });
    if (!sameIds) mergeRows(rows);
    for (std::size_t i = 0; i < rows.size(); ++i) {
        if (sameRow(m_rows[i], rows[i])) continue;
        m_rows[i] = rows[i];
        Q_EMIT dataChanged(index(static_cast<int>(i), 0), index(static_cast<int>(i), ColumnCount - 1));
    }
    const bool alike = std::all_of(m_rows.begin(), m_rows.end(), [&](const RunRow& r) { return mainMetric(r.task) == mainMetric(m_rows.front().task); });
    const MetricEntry* shown = alike && !m_rows.empty() ? mainMetric(m_rows.front().task) : nullptr;
    if (std::exchange(m_alike, alike) != alike || std::exchange(m_shown, shown) != shown) {
        Q_EMIT headerDataChanged(Qt::Horizontal, TestResult, TestResult);
        if (!m_rows.empty()) Q_EMIT dataChanged(index(0, TestResult), index(rowCount() - 1, TestResult));
    }
    const auto before = m_compared.size();
    std::erase_if(m_compared, [&](const RunId& run) { return indexOf(run) < 0; });
    if (m_compared.size() != before) Q_EMIT comparedChanged();
}

/// Brings the same runs into the same order, with the fewest changes that views must follow.
void RunTableModel::mergeRows(const std::vector<RunRow>& rows)
{
    const auto reset = [&] {
        beginResetModel();
        m_rows = rows;
        endResetModel();
    };
    if (m_rows.empty() || rows.empty()) {
        reset();
        return;
    }
    std::unordered_set<RunId> wanted, known;
    for (const RunRow& r : rows) wanted.insert(r.id);
    for (int i = rowCount() - 1; i >= 0; --i) {
        if (wanted.count(row(i).id)) continue;
        beginRemoveRows({}, i, i);
        m_rows.erase(m_rows.begin() + i);
        endRemoveRows();
    }
    for (const RunRow& r : m_rows) known.insert(r.id);
    for (std::size_t i = 0; i < rows.size(); ++i) {
        if (i < m_rows.size() && m_rows[i].id == rows[i].id) continue;
        if (known.count(rows[i].id)) { // another order after all
            reset();
            return;
        }
        beginInsertRows({}, static_cast<int>(i), static_cast<int>(i));
        m_rows.insert(m_rows.begin() + static_cast<std::ptrdiff_t>(i), rows[i]);
        endInsertRows();
    }
}

void RunTableModel::setQueue(const std::vector<RunId>& queue)
{
    if (queue == m_queue) return;
    m_queue = queue;
    if (!m_rows.empty()) Q_EMIT dataChanged(index(0, Epochs), index(rowCount() - 1, Epochs));
}

void RunTableModel::setLive(const RunId& run, std::int64_t step, std::int64_t epochs)
{
    m_liveRun = run;
    m_liveStep = step;
    m_liveEpochs = epochs;
    if (const int at = indexOf(run); at >= 0) Q_EMIT dataChanged(index(at, Epochs), index(at, Epochs));
}

int RunTableModel::indexOf(const RunId& run) const
{
    const auto at = std::find_if(m_rows.begin(), m_rows.end(), [&](const RunRow& r) { return r.id == run; });
    return at == m_rows.end() ? -1 : static_cast<int>(at - m_rows.begin());
}

int RunTableModel::letterOf(const RunId& run) const
{
    const auto at = std::find(m_compared.begin(), m_compared.end(), run);
    return at == m_compared.end() ? -1 : static_cast<int>(at - m_compared.begin());
}

void RunTableModel::setCompared(const std::vector<RunId>& runs)
{
    if (runs == m_compared) return;
    m_compared = runs;
    if (!m_rows.empty()) Q_EMIT dataChanged(index(0, Check), index(rowCount() - 1, Check));
    Q_EMIT comparedChanged();
}

void RunTableModel::toggle(const RunId& run)
{
    auto runs = m_compared;
    if (std::erase(runs, run) == 0) runs.push_back(run);
    setCompared(runs);
}

int RunTableModel::rowCount(const QModelIndex& parent) const { return parent.isValid() ? 0 : static_cast<int>(m_rows.size()); }
int RunTableModel::columnCount(const QModelIndex& parent) const { return parent.isValid() ? 0 : ColumnCount; }

std::int64_t RunTableModel::stepsOf(const RunRow& row) const
{
    return row.id == m_liveRun ? std::max(m_liveStep, row.summary.steps) : std::max<std::int64_t>(0, row.summary.steps);
}

QString RunTableModel::display(const RunRow& r, int column) const
{
    const RunSummary& s = r.summary;
    switch (column) {
    case Status: return QString::fromLatin1(statusName(r.status));
    case Name: return text(r.name.empty() ? r.recipeName : r.name);
    case Data: return text(r.datasetTitle.empty() ? r.dataset : r.datasetTitle);
    case TestResult: {
        const MetricEntry* metric = mainMetric(r.task);
        const double value = metric ? s.metric("test", metric->id) : NAN;
        // Beside accuracies, another metric says which it is.
        return words::metric(metric, value) + (std::isfinite(value) && metric->id != "accuracy" && !m_alike ? QLatin1Char(' ') + text(metric->brief) : QString());
    }
    case TestLoss:
        if (failedByNan(r)) return QStringLiteral("NaN");
        return words::loss(s.testLoss);
    case Epochs: {
        if (r.status == RunStatus::Queued) {
            const auto at = std::find(m_queue.begin(), m_queue.end(), r.id);
            if (at == m_queue.end()) return tr("not started");
            if (at == m_queue.begin()) return tr("next");
            const int before = indexOf(*(at - 1));
            return before >= 0 ? tr("after #%1").arg(row(before).number) : tr("waits");
        }
        std::int64_t done = std::max<std::int64_t>(0, s.epochs);
        if (isTraining(r.status) && r.stepsPerEpoch > 0) done = std::min(r.epochsPlanned, stepsOf(r) / r.stepsPerEpoch + 1);
        QString out = tr("%1 of %2").arg(text(groupedInt(done)), text(groupedInt(r.epochsPlanned)));
        if (r.status == RunStatus::Finished && s.bestEpoch > 0) out += tr(", best %1").arg(s.bestEpoch);
        return out;
    }
    case Parameters: return r.parameters > 0 ? text(shortCount(r.parameters)) : dash();
    case Device: return words::deviceName(r);
    case Time: return s.seconds > 0 ? text(durationText(s.seconds)) : dash();
    case Started: return words::day(r.started);
    case Tags: {
        QStringList tags;
        for (const std::string& tag : r.tags) tags << text(tag);
        return tags.join(QStringLiteral(", "));
    }
    default: return {};
    }
}

QVariant RunTableModel::sortValue(const RunRow& r, int column) const
{
    const auto known = [](double v) { return std::isnan(v) ? QVariant() : QVariant(v); };
    switch (column) {
    case Check: {
        const int letter = letterOf(r.id);
        return letter < 0 ? QVariant() : QVariant(letter);
    }
    case Status: {
        static constexpr RunStatus order[] = {RunStatus::Running, RunStatus::Paused, RunStatus::Queued, RunStatus::Interrupted, RunStatus::Failed, RunStatus::Stopped, RunStatus::Finished};
        return static_cast<int>(std::find(std::begin(order), std::end(order), r.status) - std::begin(order));
    }
    case TestResult: {
        const MetricEntry* metric = mainMetric(r.task);
        return metric ? known(r.summary.metric("test", metric->id)) : QVariant();
    }
    case TestLoss: return known(r.summary.testLoss);
    case Epochs: return static_cast<qlonglong>(r.summary.epochs);
    case Parameters: return static_cast<qlonglong>(r.parameters);
    case Time: return r.summary.seconds > 0 ? QVariant(r.summary.seconds) : QVariant();
    // What has not started yet is the newest: by number, as runs are made.
    case Started: return r.started > 0 ? static_cast<qlonglong>(r.started) : static_cast<qlonglong>(r.created > 0 ? r.created : (1LL << 60) + r.number);
    case More: return static_cast<qlonglong>(r.number);
    default: return display(r, column).toLower();
    }
}

QString RunTableModel::toolTip(const RunRow& r, int column) const
{
    if (column == Name && !r.note.empty()) return text(r.note);
    if (column == Status && !r.message.empty()) return text(r.remedy.empty() ? r.message : r.message + "\n" + r.remedy);
    if (column == Device && !r.deviceName.empty()) return text(r.deviceName);
    if (column == Data && !r.datasetLocation.empty()) return text(r.datasetLocation);
    if (column == Started && r.started > 0) return QDateTime::fromMSecsSinceEpoch(r.started).toString(QStringLiteral("yyyy-MM-dd HH:mm:ss"));
    if (column == Check) return tr("Tick to compare (Space)");
    return {};
}

QVariant RunTableModel::data(const QModelIndex& at, int role) const
{
    if (!at.isValid() || at.row() >= rowCount()) return {};
    const RunRow& r = row(at.row());
    switch (role) {
    case Qt::DisplayRole: return display(r, at.column());
    case Qt::EditRole: return at.column() == Name ? QVariant(display(r, Name)) : QVariant();
    case Qt::CheckStateRole: return at.column() == Check ? QVariant(letterOf(r.id) >= 0 ? Qt::Checked : Qt::Unchecked) : QVariant();
    case Qt::ToolTipRole: return toolTip(r, at.column());
    case Qt::AccessibleTextRole: return at.column() == Name ? words::runTitle(r) : display(r, at.column());
    case SortRole: return sortValue(r, at.column());
    case LetterRole: return chipLetter(letterOf(r.id));
    case IdRole: return text(r.id);
    case NumberRole: return static_cast<qlonglong>(r.number);
    case ResumableRole: return r.resumable;
    case ShareRole: {
        const double planned = static_cast<double>(r.epochsPlanned) * static_cast<double>(r.stepsPerEpoch);
        return isTraining(r.status) && planned > 0 ? std::clamp(static_cast<double>(stepsOf(r)) / planned, 0.0, 1.0) : -1.0;
    }
    case TagsRole: {
        QStringList tags;
        for (const std::string& tag : r.tags) tags << text(tag);
        return tags;
    }
    default: return {};
    }
}

QVariant RunTableModel::headerData(int section, Qt::Orientation orientation, int role) const
{
    if (orientation != Qt::Horizontal) return {};
    const bool right = section == TestResult || section == TestLoss || section == Parameters || section == Time;
    if (role == Qt::TextAlignmentRole) return QVariant(static_cast<int>(Qt::AlignVCenter | (right ? Qt::AlignRight : Qt::AlignLeft)));
    if (role != Qt::DisplayRole) return {};
    if (section == TestResult) {
        return !m_alike ? tr("Test result") : m_shown && m_shown->id != "accuracy" ? tr("Test %1").arg(text(m_shown->brief)) : tr("Test accuracy");
    }
    static const char* const titles[] = {"", "Status", "Name", "Data", "", "Test loss", "Epochs", "Parameters", "Device", "Time", "Started", "Tags", ""};
    return tr(titles[section]);
}

bool RunTableModel::setData(const QModelIndex& at, const QVariant& value, int role)
{
    if (!at.isValid()) return false;
    const RunId run = row(at.row()).id;
    if (at.column() == Check && role == Qt::CheckStateRole) {
        if ((letterOf(run) >= 0) != (value.toInt() == Qt::Checked)) toggle(run);
        return true;
    }
    const QString name = value.toString().simplified();
    if (at.column() != Name || role != Qt::EditRole || name.isEmpty() || name == display(row(at.row()), Name)) return false;
    m_rows[static_cast<std::size_t>(at.row())].name = name.toStdString(); // shown at once; the store's word follows
    Q_EMIT dataChanged(at, at);
    Q_EMIT renameWanted(text(run), name);
    return true;
}

Qt::ItemFlags RunTableModel::flags(const QModelIndex& at) const
{
    if (!at.isValid()) return Qt::NoItemFlags;
    Qt::ItemFlags flags = Qt::ItemIsEnabled | Qt::ItemIsSelectable | Qt::ItemNeverHasChildren;
    if (at.column() == Name) flags |= Qt::ItemIsEditable;
    if (at.column() == Check) flags |= Qt::ItemIsUserCheckable;
    return flags;
}

// ---- the proxy ----

RunTableProxy::RunTableProxy(QObject* parent)
    : QSortFilterProxyModel(parent)
{
    setSortRole(RunTableModel::SortRole);
    setDynamicSortFilter(true);
}

void RunTableProxy::setSearch(const RunSearch& search)
{
    m_search = search;
    invalidateFilter();
}

void RunTableProxy::setStatus(std::optional<RunStatus> status)
{
    m_status = status;
    invalidateFilter();
}

bool RunTableProxy::filterAcceptsRow(int row, const QModelIndex&) const
{
    const RunRow& r = static_cast<const RunTableModel*>(sourceModel())->row(row);
    if (m_status) {
        const RunStatus status = r.status == RunStatus::Paused ? RunStatus::Running : r.status;
        if (status != *m_status) return false;
    }
    return m_search.matches(r);
}

bool RunTableProxy::lessThan(const QModelIndex& left, const QModelIndex& right) const
{
    const QVariant a = left.data(RunTableModel::SortRole), b = right.data(RunTableModel::SortRole);
    const bool ascending = sortOrder() == Qt::AscendingOrder;
    if (a.isValid() != b.isValid()) return ascending ? a.isValid() : !a.isValid(); // unknown comes last either way
    const auto number = [](const QModelIndex& at) { return at.data(RunTableModel::NumberRole).toLongLong(); };
    if (!a.isValid() || a == b) return number(left) < number(right);
    if (a.typeId() == QMetaType::QString) return QString::localeAwareCompare(a.toString(), b.toString()) < 0;
    return a.toDouble() < b.toDouble();
}

} // namespace sconce::ui
