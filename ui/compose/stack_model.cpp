// SPDX-License-Identifier: GPL-3.0-or-later
#include "ui/compose/stack_model.h"

#include "core/base/text.h"
#include "core/model/catalogue.h"
#include "core/recipe/task.h"

#include <QCoreApplication>
#include <QMimeData>

#include <algorithm>

namespace sconce::ui {

namespace {

QString text(const std::string& value) { return QString::fromStdString(value); }
const QString unknown = QStringLiteral("–");

std::string keyOf(const RecipeDocument* document)
{
    return std::to_string(QCoreApplication::applicationPid()) + "/" + std::to_string(reinterpret_cast<std::uintptr_t>(document));
}

QString shareText(double share)
{
    if (share <= 0) return QStringLiteral("0 %");
    if (share < 0.001) return QStringLiteral("<0.1 %");
    return text(percentText(share, 1));
}

/// 28×28 grey; 784 numbers
QString sampleInWords(const ValueType& type)
{
    if (type.rank() == 3) {
        const QString size = QStringLiteral("%1×%2").arg(type.dims[2].size).arg(type.dims[1].size);
        if (type.dims[0].size == 1) return QObject::tr("%1 grey").arg(size);
        if (type.dims[0].size == 3) return QObject::tr("%1 colour").arg(size);
        return QObject::tr("%1, %2 channels").arg(size).arg(type.dims[0].size);
    }
    if (isSymbols(type)) return QObject::tr("%1 symbols").arg(text(type.text()));
    return QObject::tr("%1 numbers").arg(text(type.text()));
}

} // namespace

QString StackRow::key() const
{
    return QStringLiteral("%1/%2/%3").arg(static_cast<int>(kind)).arg(text(id)).arg(branch);
}

StackModel::StackModel(RecipeDocument& document, QObject* parent) : QAbstractListModel(parent), m_document(document)
{
    m_rows = build();
    connect(&document, &RecipeDocument::loaded, this, [this] {
        beginResetModel();
        m_rows = build();
        endResetModel();
    });
    connect(&document, &RecipeDocument::changed, this, [this] { update(); });
}

int StackModel::rowOf(const LayerId& id) const
{
    const auto found = std::find_if(m_rows.begin(), m_rows.end(),
                                    [&](const StackRow& row) { return row.kind == RowKind::Layer && row.id == id; });
    return found == m_rows.end() ? -1 : static_cast<int>(found - m_rows.begin());
}

StackPlace StackModel::placeBefore(int index) const
{
    const Stack& stack = m_document.recipe().stack;
    const StackPlace end{{}, 0, static_cast<int>(stack.layers.size())};
    if (index < 0 || index >= rowCount()) return end;
    const StackRow& row = m_rows[static_cast<std::size_t>(index)];
    switch (row.kind) {
    case RowKind::Input: return {};
    case RowKind::Layer: return placeOf(stack, row.id).value_or(end);
    case RowKind::BranchHead: return {row.id, row.branch, 0};
    case RowKind::BranchEnd: {
        StackPlace place{row.id, row.branch, 0};
        if (const Stack* branch = stackAt(stack, place)) place.position = static_cast<int>(branch->layers.size());
        return place;
    }
    case RowKind::Output: case RowKind::Add: break;
    }
    return end;
}

StackPlace StackModel::placeAfter(int index) const
{
    if (index < 0 || index >= rowCount()) return placeBefore(rowCount());
    const StackRow& row = m_rows[static_cast<std::size_t>(index)];
    if (row.kind == RowKind::Layer) {
        StackPlace place = placeBefore(index);
        ++place.position;
        return place;
    }
    return placeBefore(index);
}

std::vector<LayerId> StackModel::idsOf(const QModelIndexList& indexes) const
{
    std::vector<LayerId> ids;
    for (const QModelIndex& index : indexes)
        if (index.isValid() && row(index.row()).kind == RowKind::Layer) ids.push_back(row(index.row()).id);
    return ids;
}

// ---- rows from the document ----

StackRow StackModel::inputRow() const
{
    StackRow row;
    row.kind = RowKind::Input;
    row.title = tr("Input");
    row.icon = QStringLiteral("input");
    const auto& facts = m_document.facts();
    const Recipe& recipe = m_document.recipe();
    if (!facts) {
        row.summary = tr("%1, not known here").arg(text(recipe.data.dataset));
        row.shape = unknown;
        return row;
    }
    row.shape = text(facts->input.text());
    row.summary = QStringLiteral("%1, %2").arg(text(facts->title), sampleInWords(facts->input));
    if (!facts->bytes && facts->symbols == 0) row.summary += tr(", each scaled to mean 0 and deviation 1");
    if (facts->bytes && pictureSize(facts->input) && augmentationOf(recipe.data).any()) row.summary += tr(", augmented");
    if (facts->bytes && recipe.data.input.scale) row.summary += tr(", scaled to 0…1");
    if (facts->bytes && recipe.data.input.normalise) row.summary += tr(", normalised");
    return row;
}

StackRow StackModel::outputRow() const
{
    StackRow row;
    row.kind = RowKind::Output;
    row.title = tr("Output");
    row.icon = QStringLiteral("output");
    const auto& facts = m_document.facts();
    const OptionEntry* task = findOption(taskEntries(), m_document.recipe().task.type);
    row.summary = text(task ? task->title : m_document.recipe().task.type);
    const Configured& chosen = m_document.recipe().task;
    if (facts && targetOf(chosen) == Target::Class) row.summary += tr(", %1 classes").arg(facts->classes);
    if (facts && targetOf(chosen) == Target::Labels) row.summary += tr(", %1 labels").arg(facts->labels);
    if (facts && targetOf(chosen) == Target::Next) row.summary += tr(", %1 symbols").arg(facts->symbols);
    if (facts && targetOf(chosen) != Target::Class && !facts->target.empty() && targetOf(chosen) != Target::Input) row.summary += tr(" of “%1”").arg(text(facts->target));
    if (facts) row.summary += tr(", loss: %1").arg(text(lossTitle(chosen)));
    row.shape = facts ? text(shapeText(outputSizes(chosen, *facts))) : unknown;
    if (const Problem* problem = m_document.outputProblem()) {
        row.problem = true;
        row.summary = text(problem->brief.empty() ? problem->sentence : problem->brief);
    }
    return row;
}

StackRow StackModel::layerRow(const Layer& layer, int index, int depth) const
{
    StackRow row;
    row.kind = RowKind::Layer;
    row.id = layer.id;
    row.depth = depth;
    row.number = QString::number(index);
    row.title = text(layer.type);
    row.shape = row.parameters = row.compute = unknown;
    const LayerEntry* entry = findLayerEntry(layer.type);
    if (entry) {
        row.title = text(entry->title);
        row.icon = text(entry->icon);
        row.block = entry->isBlock();
        if (entry->summary) row.summary = text(entry->summary(LayerView(*entry, layer)));
        row.frozen = layer.frozen && entry->mayLearn();
        if (row.frozen) row.summary += row.summary.isEmpty() ? tr("frozen") : tr(", frozen");
    }
    const StackReport& report = m_document.report();
    if (const LayerReport* known = m_document.reportOf(layer.id)) {
        // Behind a problem the shape is what it would most likely be; counts are left out there.
        if (known->output) row.shape = text(known->output->text());
        if (known->output && !known->assumed && !known->problem) {
            row.parameters = text(shortCount(known->parameters));
            row.parameterShare = report.parameters > 0 ? double(known->parameters) / double(report.parameters) : 0;
        }
        // What a training step multiplies, forward and backward; what is left is a matter of memory, not of arithmetic. Only a
        // stack without any (pooling alone) is measured by that.
        const auto work = [&](const Cost& cost) { return double(report.cost.trainingMacs > 0 ? cost.trainingMacs : cost.elementwise); };
        const double all = work(report.cost);
        if (report.ok() && all > 0) {
            row.computeShare = work(known->cost) / all;
            row.compute = shareText(row.computeShare);
        }
    }
    if (const Problem* problem = m_document.problemOf(layer.id)) {
        row.problem = problem->severity == Severity::Problem;
        row.hint = !row.problem;
        row.summary = text(problem->brief.empty() ? problem->sentence : problem->brief);
    }
    return row;
}

void StackModel::addRows(const Stack& stack, int depth, std::vector<StackRow>& rows) const
{
    int index = 0;
    for (const Layer& layer : stack.layers) {
        rows.push_back(layerRow(layer, ++index, depth));
        const int branches = static_cast<int>(layer.branches.size());
        for (int b = 0; b < branches; ++b) {
            StackRow mark;
            mark.id = layer.id;
            mark.branch = b;
            mark.depth = depth + 1;
            if (branches > 1) {
                mark.kind = RowKind::BranchHead;
                mark.title = tr("Branch %1 of %2").arg(b + 1).arg(branches);
                rows.push_back(mark);
            }
            addRows(layer.branches[static_cast<std::size_t>(b)], depth + 1, rows);
            mark.kind = RowKind::BranchEnd;
            mark.title = branches > 1 ? tr("Add to branch %1").arg(b + 1) : tr("Add to this block");
            rows.push_back(mark);
        }
    }
}

std::vector<StackRow> StackModel::build() const
{
    std::vector<StackRow> rows;
    rows.push_back(inputRow());
    addRows(m_document.recipe().stack, 0, rows);
    rows.push_back(outputRow());
    StackRow add;
    add.kind = RowKind::Add;
    add.title = tr("Add a layer");
    rows.push_back(add);
    return rows;
}

void StackModel::update()
{
    std::vector<StackRow> next = build();
    const auto same = [](const StackRow& a, const StackRow& b) {
        return a.kind == b.kind && a.id == b.id && a.branch == b.branch;
    };
    const int oldCount = rowCount(), newCount = static_cast<int>(next.size());
    int prefix = 0;
    while (prefix < std::min(oldCount, newCount) && same(m_rows[prefix], next[prefix])) ++prefix;
    int suffix = 0;
    while (suffix < std::min(oldCount, newCount) - prefix && same(m_rows[oldCount - 1 - suffix], next[newCount - 1 - suffix])) ++suffix;
    const int oldMiddle = oldCount - prefix - suffix, newMiddle = newCount - prefix - suffix;

    std::vector<LayerId> appeared;
    if (newMiddle > 0)
        for (int i = prefix; i < prefix + newMiddle; ++i)
            if (next[i].kind == RowKind::Layer && rowOf(next[i].id) < 0) appeared.push_back(next[i].id);

    // One group of rows that went past its neighbours is a move: rows keep their identity in the views.
    int rotation = 0;
    if (oldMiddle == newMiddle && oldMiddle > 1)
        for (int k = 1; k < oldMiddle && rotation == 0; ++k) {
            bool fits = true;
            for (int i = 0; i < oldMiddle && fits; ++i) fits = same(m_rows[prefix + (i + k) % oldMiddle], next[prefix + i]);
            if (fits) rotation = k;
        }
    const auto begin = m_rows.begin() + prefix;
    if (rotation > 0) {
        beginMoveRows({}, prefix, prefix + rotation - 1, {}, prefix + oldMiddle);
        std::rotate(begin, begin + rotation, begin + oldMiddle);
        endMoveRows();
    } else {
        if (oldMiddle > 0) {
            beginRemoveRows({}, prefix, prefix + oldMiddle - 1);
            m_rows.erase(begin, begin + oldMiddle);
            endRemoveRows();
        }
        if (newMiddle > 0) {
            beginInsertRows({}, prefix, prefix + newMiddle - 1);
            m_rows.insert(m_rows.begin() + prefix, next.begin() + prefix, next.begin() + prefix + newMiddle);
            endInsertRows();
        }
    }
    int first = -1, last = -1;
    for (int i = 0; i < newCount; ++i)
        if (!(m_rows[i] == next[i])) {
            if (first < 0) first = i;
            last = i;
        }
    m_rows = std::move(next);
    if (first >= 0) Q_EMIT dataChanged(index(first), index(last));
    Q_EMIT refreshed();
    if (!appeared.empty()) Q_EMIT layersAppeared(appeared);
}

// ---- the item model's interface ----

int StackModel::rowCount(const QModelIndex& parent) const
{
    return parent.isValid() ? 0 : static_cast<int>(m_rows.size());
}

QVariant StackModel::data(const QModelIndex& index, int role) const
{
    if (!index.isValid() || index.row() >= rowCount()) return {};
    const StackRow& r = row(index.row());
    switch (role) {
    case Qt::DisplayRole: return r.title;
    case KindRole: return static_cast<int>(r.kind);
    case IdRole: return text(r.id);
    case ShapeRole: return r.shape;
    case ParametersRole: return r.parameters;
    case ComputeRole: return r.compute;
    case SummaryRole: return r.summary;
    case DepthRole: return r.depth;
    case ProblemRole: return r.problem;
    case Qt::AccessibleTextRole:
    case Qt::AccessibleDescriptionRole:
        if (r.kind == RowKind::Layer)
            return tr("Layer %1, %2, %3, output %4, %5 parameters").arg(r.number, r.title, r.summary, r.shape, r.parameters);
        if (r.kind == RowKind::Input || r.kind == RowKind::Output) return tr("%1, %2, %3").arg(r.title, r.summary, r.shape);
        return r.title;
    default: return {};
    }
}

Qt::ItemFlags StackModel::flags(const QModelIndex& index) const
{
    if (!index.isValid()) return Qt::ItemIsDropEnabled;
    switch (row(index.row()).kind) {
    case RowKind::Layer: return Qt::ItemIsEnabled | Qt::ItemIsSelectable | Qt::ItemIsDragEnabled;
    case RowKind::BranchHead: return Qt::NoItemFlags;
    default: return Qt::ItemIsEnabled | Qt::ItemIsSelectable;
    }
}

QStringList StackModel::mimeTypes() const
{
    return {QLatin1String(layersMime), QLatin1String(typeMime)};
}

QMimeData* StackModel::mimeData(const QModelIndexList& indexes) const
{
    const std::vector<LayerId> ids = topmost(m_document.recipe().stack, idsOf(indexes));
    if (ids.empty()) return nullptr;
    const std::string layers = layersText(m_document.recipe().stack, ids);
    Json json{{"document", keyOf(&m_document)}, {"ids", ids}};
    auto* mime = new QMimeData;
    mime->setData(QLatin1String(layersMime), QByteArray::fromStdString(json.dump()));
    mime->setText(text(layers));
    return mime;
}

std::vector<LayerId> StackModel::ownLayers(const QMimeData* data) const
{
    if (!data || !data->hasFormat(QLatin1String(layersMime))) return {};
    const auto json = parseJson(data->data(QLatin1String(layersMime)).toStdString(), "The drag");
    if (!json || !json->is_object() || json->value("document", std::string()) != keyOf(&m_document)) return {};
    std::vector<LayerId> ids;
    for (const Json& id : json->value("ids", Json::array()))
        if (id.is_string()) ids.push_back(id.get<std::string>());
    return topmost(m_document.recipe().stack, ids);
}

bool StackModel::canDropMimeData(const QMimeData* data, Qt::DropAction, int row, int, const QModelIndex& parent) const
{
    if (parent.isValid() || !data) return false;
    const std::vector<LayerId> own = ownLayers(data);
    if (own.empty()) return data->hasFormat(QLatin1String(typeMime)) || data->hasFormat(QLatin1String(layersMime));
    // A block cannot go into itself.
    for (StackPlace place = placeBefore(row); !place.block.empty();) {
        if (std::find(own.begin(), own.end(), place.block) != own.end()) return false;
        place = placeOf(m_document.recipe().stack, place.block).value_or(StackPlace{});
    }
    return true;
}

bool StackModel::dropMimeData(const QMimeData* data, Qt::DropAction action, int row, int, const QModelIndex& parent)
{
    if (!canDropMimeData(data, action, row, 0, parent)) return false;
    const StackPlace place = placeBefore(row);
    if (data->hasFormat(QLatin1String(typeMime)))
        return !m_document.addLayer(data->data(QLatin1String(typeMime)).toStdString(), place).empty();
    const std::vector<LayerId> own = ownLayers(data);
    if (!own.empty() && action == Qt::MoveAction) return m_document.move(own, place);
    auto layers = layersFromText(data->text().toStdString());
    return layers && !m_document.paste(*layers, place, tr("Copy layers")).empty();
}

bool StackModel::moveRows(const QModelIndex& sourceParent, int sourceRow, int count, const QModelIndex& destinationParent,
                          int destinationChild)
{
    if (sourceParent.isValid() || destinationParent.isValid() || sourceRow < 0 || sourceRow + count > rowCount()) return false;
    QModelIndexList moved;
    for (int i = sourceRow; i < sourceRow + count; ++i) moved << index(i);
    const std::vector<LayerId> ids = topmost(m_document.recipe().stack, idsOf(moved));
    return !ids.empty() && m_document.move(ids, placeBefore(destinationChild));
}

bool StackModel::removeRows(int row, int count, const QModelIndex& parent)
{
    if (parent.isValid() || row < 0 || row + count > rowCount()) return false;
    QModelIndexList removed;
    for (int i = row; i < row + count; ++i) removed << index(i);
    return m_document.remove(idsOf(removed));
}

} // namespace sconce::ui
