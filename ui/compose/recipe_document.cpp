// SPDX-License-Identifier: GPL-3.0-or-later
#include "ui/compose/recipe_document.h"

#include "core/model/catalogue.h"

#include <QElapsedTimer>
#include <QRegularExpression>
#include <QUndoCommand>

#include <algorithm>

namespace sconce::ui {

namespace {

constexpr int undoLimit = 500;
constexpr qint64 mergeWindowMs = 4000; ///< a pause longer than this starts a new undo step

QString titleOf(const Layer& layer)
{
    const LayerEntry* entry = findLayerEntry(layer.type);
    return QString::fromStdString(entry ? entry->title : layer.type);
}

QString layersInWords(const Stack& stack, const std::vector<LayerId>& ids)
{
    if (ids.size() == 1)
        if (const Layer* layer = findLayer(stack, ids.front())) return titleOf(*layer);
    return QObject::tr("%1 layers").arg(ids.size());
}

} // namespace

/// Holds the recipe before and after: a value of a few kilobytes, so that undo can never disagree with redo.
class RecipeDocument::EditCommand : public QUndoCommand
{
  public:
    EditCommand(RecipeDocument& document, const QString& what, Recipe after, QString mergeKey)
        : QUndoCommand(what), m_document(document), m_before(document.m_recipe), m_after(std::move(after)),
          m_mergeKey(std::move(mergeKey))
    {
        m_age.start();
    }

    int id() const override { return m_mergeKey.isEmpty() ? -1 : 1; }
    void undo() override { m_document.put(m_before); }
    void redo() override { m_document.put(m_after); }

    bool mergeWith(const QUndoCommand* other) override
    {
        const auto* next = static_cast<const EditCommand*>(other);
        if (next->m_mergeKey != m_mergeKey || m_age.elapsed() > mergeWindowMs) return false;
        m_after = next->m_after;
        m_age.restart();
        setObsolete(m_after == m_before);
        return true;
    }

  private:
    RecipeDocument& m_document;
    Recipe m_before, m_after;
    QString m_mergeKey;
    QElapsedTimer m_age;
};

RecipeDocument::RecipeDocument(Context context, QObject* parent) : QObject(parent), m_context(std::move(context))
{
    m_undo.setUndoLimit(undoLimit);
    m_reference = m_recipe;
    recompute();
}

RecipeDocument::~RecipeDocument()
{
    m_undo.blockSignals(true); // it tells of its own clearing, and who listens may be gone already
}

const LayerReport* RecipeDocument::reportOf(const LayerId& id) const
{
    const auto found = m_report.byId.find(id);
    return found == m_report.byId.end() ? nullptr : &m_report.layers[found->second];
}

const Problem* RecipeDocument::problemOf(const LayerId& id) const
{
    const Problem* hint = nullptr;
    for (const Problem& problem : m_problems) {
        if (problem.layer != id || id.empty()) continue;
        if (problem.severity == Severity::Problem) return &problem;
        if (!hint) hint = &problem;
    }
    return hint;
}

const Problem* RecipeDocument::outputProblem() const
{
    for (const Problem& problem : m_problems)
        if (problem.severity == Severity::Problem && problem.sentence.rfind("Output", 0) == 0) return &problem;
    for (const Problem& problem : m_problems)
        if (problem.severity == Severity::Problem && problem.layer.empty() && problem.path.rfind("/task", 0) == 0)
            return &problem;
    return nullptr;
}

void RecipeDocument::recompute()
{
    m_facts = m_context.facts ? m_context.facts(m_recipe.data.dataset) : std::nullopt;
    m_report = m_facts ? analyse(m_recipe.stack, m_facts->input) : StackReport{};
    m_problems = validate(m_recipe, m_facts);
    if (m_context.further) {
        std::vector<Problem> more = m_context.further(m_recipe);
        m_problems.insert(m_problems.end(), std::make_move_iterator(more.begin()), std::make_move_iterator(more.end()));
    }
    m_estimate = m_facts && m_report.ok() ? sconce::estimate(m_recipe, m_report, *m_facts) : std::nullopt;
}

void RecipeDocument::put(const Recipe& recipe)
{
    const bool wasDirty = dirty();
    m_recipe = recipe;
    recompute();
    Q_EMIT changed();
    if (wasDirty != dirty()) Q_EMIT stateChanged();
}

void RecipeDocument::load(Recipe recipe, Origin origin)
{
    m_recipe = std::move(recipe);
    m_origin = std::move(origin);
    m_reference = m_origin.unsaved ? std::nullopt : std::optional<Recipe>(m_recipe);
    m_undo.clear();
    recompute();
    Q_EMIT loaded();
    Q_EMIT changed();
    Q_EMIT stateChanged();
}

void RecipeDocument::markSaved(const QString& path, const Recipe& saved)
{
    m_origin = {path, {}, false, QDateTime::currentDateTime()};
    m_reference = saved;
    m_undo.setClean(); // typing after a save must not merge into what was saved
    Q_EMIT stateChanged();
}

void RecipeDocument::refresh()
{
    recompute();
    Q_EMIT changed();
}

bool RecipeDocument::edit(const QString& what, Recipe next, const QString& mergeKey)
{
    if (next == m_recipe) return false;
    m_undo.push(new EditCommand(*this, what, std::move(next), mergeKey));
    return true;
}

bool RecipeDocument::change(const QString& what, const std::function<void(Recipe&)>& change, const QString& mergeKey)
{
    Recipe next = m_recipe;
    change(next);
    return edit(what, std::move(next), mergeKey);
}

bool RecipeDocument::setName(const QString& name)
{
    const QString clean = name.simplified().left(120);
    if (clean.isEmpty()) return false;
    return change(tr("Rename the recipe"), [&](Recipe& r) { r.name = clean.toStdString(); }, QStringLiteral("name"));
}

bool RecipeDocument::setDataset(const DatasetId& id)
{
    if (id == m_recipe.data.dataset) return false;
    return change(tr("Choose the data"), [&](Recipe& r) {
        r.data.dataset = id;
        r.data.fingerprint.clear(); // that of the other data
        r.data.import = {};
    });
}

LayerId RecipeDocument::addLayer(const std::string& type, const StackPlace& place)
{
    if (!findLayerEntry(type)) return {};
    Recipe next = m_recipe;
    std::string refusal;
    const std::vector<LayerId> ids = insertLayers(next.stack, place, {makeLayer(next.stack, type)}, refusal);
    if (ids.empty()) {
        Q_EMIT refused(QString::fromStdString(refusal));
        return {};
    }
    const QString title = titleOf(*findLayer(static_cast<const Stack&>(next.stack), ids.front()));
    edit(tr("Add %1").arg(title), std::move(next));
    return ids.front();
}

std::vector<LayerId> RecipeDocument::paste(const std::vector<Layer>& layers, const StackPlace& place, const QString& what)
{
    if (layers.empty()) return {};
    Recipe next = m_recipe;
    std::string refusal;
    std::vector<LayerId> ids = insertLayers(next.stack, place, layers, refusal);
    if (!refusal.empty()) {
        Q_EMIT refused(QString::fromStdString(refusal));
        return {};
    }
    edit(what, std::move(next));
    return ids;
}

std::vector<LayerId> RecipeDocument::duplicate(const std::vector<LayerId>& ids)
{
    const std::vector<LayerId> chosen = topmost(m_recipe.stack, ids);
    if (chosen.empty()) return {};
    std::vector<Layer> copies;
    for (const LayerId& id : chosen) copies.push_back(*findLayer(m_recipe.stack, id));
    StackPlace place = *placeOf(m_recipe.stack, chosen.back());
    ++place.position;
    return paste(copies, place, tr("Duplicate %1").arg(layersInWords(m_recipe.stack, chosen)));
}

bool RecipeDocument::remove(const std::vector<LayerId>& ids)
{
    const std::vector<LayerId> chosen = topmost(m_recipe.stack, ids);
    if (chosen.empty()) return false;
    return change(tr("Delete %1").arg(layersInWords(m_recipe.stack, chosen)),
                  [&](Recipe& r) { removeLayers(r.stack, chosen); });
}

bool RecipeDocument::move(const std::vector<LayerId>& ids, const StackPlace& place)
{
    Recipe next = m_recipe;
    std::string refusal;
    if (!moveLayers(next.stack, ids, place, refusal)) {
        if (!refusal.empty()) Q_EMIT refused(QString::fromStdString(refusal));
        return false;
    }
    return edit(tr("Move %1").arg(layersInWords(next.stack, topmost(next.stack, ids))), std::move(next));
}

bool RecipeDocument::setParam(const std::vector<LayerId>& ids, const std::string& param, const ParamValue& value)
{
    Recipe next = m_recipe;
    QString what;
    QString key = QStringLiteral("param/") + QString::fromStdString(param);
    for (const LayerId& id : ids) {
        Layer* layer = findLayer(next.stack, id);
        const LayerEntry* entry = layer ? findLayerEntry(layer->type) : nullptr;
        const ParamDescriptor* descriptor = entry ? findParam(entry->params, param) : nullptr;
        const bool training = entry && !descriptor; // "frozen", "rate_factor"
        if (training) descriptor = findParam(layerTrainingParams(), param);
        if (!descriptor) continue;
        // A value out of range never gets into the recipe; its field shows the sentence.
        if (!checkParam(*descriptor, value).empty()) return false;
        if (valueOf(training ? layerTrainingParams() : entry->params, training ? layerTrainingValues(*layer) : layer->params, param) == value) continue;
        if (training) setLayerTraining(*layer, param, value);
        else layer->params[param] = value;
        what = tr("Set %1 of %2").arg(QString::fromStdString(descriptor->title), QString::fromStdString(layer->name));
        key += QLatin1Char('/') + QString::fromStdString(id);
    }
    return edit(what, std::move(next), key);
}

bool RecipeDocument::addBranch(const LayerId& block)
{
    return change(tr("Add a branch"), [&](Recipe& r) {
        Layer* layer = findLayer(r.stack, block);
        const LayerEntry* entry = layer ? findLayerEntry(layer->type) : nullptr;
        if (entry && static_cast<int>(layer->branches.size()) < entry->maxBranches) layer->branches.emplace_back();
    });
}

bool RecipeDocument::removeBranch(const LayerId& block, int branch)
{
    return change(tr("Delete a branch"), [&](Recipe& r) {
        Layer* layer = findLayer(r.stack, block);
        const LayerEntry* entry = layer ? findLayerEntry(layer->type) : nullptr;
        const int count = layer ? static_cast<int>(layer->branches.size()) : 0;
        if (entry && count > entry->minBranches && branch >= 0 && branch < count)
            layer->branches.erase(layer->branches.begin() + branch);
    });
}

QString RecipeDocument::renameLayer(const LayerId& id, const QString& name)
{
    static const QRegularExpression allowed(QStringLiteral("^[A-Za-z][A-Za-z0-9_-]{0,63}$"));
    if (!allowed.match(name).hasMatch())
        return tr("A name begins with a letter; letters, digits, - and _ follow, 64 at most.");
    const std::string wanted = name.toStdString();
    bool taken = false;
    visitLayers(m_recipe.stack, [&](const Layer& layer, const std::string&, int) {
        taken = taken || (layer.name == wanted && layer.id != id);
    });
    if (taken) return tr("Another layer is called %1.").arg(name);
    change(tr("Rename to %1").arg(name), [&](Recipe& r) {
        if (Layer* layer = findLayer(r.stack, id)) layer->name = wanted;
    }, QStringLiteral("layer-name/") + QString::fromStdString(id));
    return {};
}

bool RecipeDocument::fix(const Fix& fix)
{
    auto fixed = applyFix(m_recipe, fix);
    if (!fixed) {
        Q_EMIT refused(QString::fromStdString(fixed.error().text()));
        return false;
    }
    return edit(QString::fromStdString(fix.title), std::move(*fixed));
}

int RecipeDocument::fixAll()
{
    Recipe next = m_recipe;
    std::vector<Problem> problems = m_problems;
    int applied = 0;
    // Each fix may bring to light what was hidden behind its problem; a round that does not help ends it.
    for (int round = 0; round < 100; ++round) {
        const auto target = std::find_if(problems.begin(), problems.end(), [](const Problem& problem) {
            return problem.severity == Severity::Problem && !problem.fixes.empty();
        });
        if (target == problems.end()) break;
        auto fixed = applyFix(next, target->fixes.front());
        if (!fixed || *fixed == next) break;
        next = std::move(*fixed);
        ++applied;
        problems = validate(next, m_context.facts ? m_context.facts(next.data.dataset) : std::nullopt);
        if (m_context.further)
            for (Problem& problem : m_context.further(next)) problems.push_back(std::move(problem));
    }
    edit(tr("Fix all problems"), std::move(next));
    return applied;
}

int RecipeDocument::fixableCount() const
{
    return static_cast<int>(std::count_if(m_problems.begin(), m_problems.end(), [](const Problem& problem) {
        return problem.severity == Severity::Problem && !problem.fixes.empty();
    }));
}

std::string layersText(const Stack& root, const std::vector<LayerId>& ids)
{
    Stack chosen;
    for (const LayerId& id : topmost(root, ids)) chosen.layers.push_back(*findLayer(root, id));
    return stackToJson(chosen).dump(2);
}

Result<std::vector<Layer>> layersFromText(const std::string& text)
{
    auto json = parseJson(text, "The clipboard");
    if (!json) return json.error();
    Json layers = *json;
    if (layers.is_object() && layers.contains("layers")) layers = Json(layers["layers"]);
    else if (layers.is_object()) layers = Json::array({*json});
    if (!layers.is_array()) return Error{ErrorCode::Invalid, "The clipboard holds no layers.", "Copy layers first.", {}};
    std::vector<JsonProblem> problems;
    const Stack stack = stackFromJson(layers, "", problems);
    if (!problems.empty())
        return Error{ErrorCode::Invalid, "The layers on the clipboard could not be read: " + problems.front().message, {}, {}};
    return stack.layers;
}

} // namespace sconce::ui
