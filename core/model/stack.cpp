// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/model/stack.h"

#include "core/base/text.h"
#include "core/model/catalogue.h"

#include <algorithm>
#include <unordered_set>

namespace sconce {

bool Layer::operator==(const Layer& other) const
{
    if (id != other.id || type != other.type || name != other.name || branches != other.branches) return false;
    if (frozen != other.frozen || rateFactor != other.rateFactor) return false;
    if (params == other.params) return true;
    // What was set to its default is the same as what was left at it.
    const LayerEntry* entry = findLayerEntry(type);
    if (!entry) return false;
    return std::all_of(entry->params.begin(), entry->params.end(), [&](const ParamDescriptor& descriptor) {
        return valueOf(entry->params, params, descriptor.id) == valueOf(entry->params, other.params, descriptor.id);
    });
}

const std::vector<ParamDescriptor>& layerTrainingParams()
{
    static const std::vector<ParamDescriptor> params{
        advanced(boolParam("frozen", "Frozen", false,
                           "Training leaves these weights as they are, which saves the work and the memory of their gradients. For layers whose weights come from another run. "
                           "A frozen batch normalisation also keeps its mean and deviation, and normalises by them while training, as in Keras.")),
        advanced([] {
            ParamDescriptor rate = realParam("rate_factor", "Rate factor", 1.0, 0.0, 100.0,
                                             "Multiplies the learning rate for these weights alone: below 1 they move less than the others, as is usual for layers that have learned before. Costs nothing.");
            rate.onlyWhen = "frozen=false";
            return rate;
        }())};
    return params;
}

ParamValues layerTrainingValues(const Layer& layer)
{
    ParamValues values;
    if (layer.frozen) values["frozen"] = true;
    if (layer.rateFactor != 1) values["rate_factor"] = layer.rateFactor;
    return values;
}

bool setLayerTraining(Layer& layer, std::string_view id, const ParamValue& value)
{
    if (const bool* frozen = std::get_if<bool>(&value); frozen && id == "frozen") layer.frozen = *frozen;
    else if (const double* factor = std::get_if<double>(&value); factor && id == "rate_factor") layer.rateFactor = *factor;
    else return false;
    return true;
}

namespace {

void visit(const Stack& stack, const std::string& prefix, int depth,
           const std::function<void(const Layer&, const std::string&, int)>& visitor)
{
    for (std::size_t i = 0; i < stack.layers.size(); ++i) {
        const Layer& layer = stack.layers[i];
        const std::string path = prefix + "/" + std::to_string(i);
        visitor(layer, path, depth);
        for (std::size_t b = 0; b < layer.branches.size(); ++b)
            visit(layer.branches[b], path + "/branches/" + std::to_string(b), depth + 1, visitor);
    }
}

/// Without paths: for searches.
template <class StackType, class Visitor> bool walk(StackType& stack, const Visitor& visitor)
{
    for (auto& layer : stack.layers) {
        if (visitor(layer)) return true;
        for (auto& branch : layer.branches)
            if (walk(branch, visitor)) return true;
    }
    return false;
}

/// Hands out ids and names that nobody in a stack has.
class Fresh
{
  public:
    explicit Fresh(const Stack& stack)
    {
        walk(stack, [this](const Layer& layer) {
            know(layer);
            return false;
        });
    }
    void know(const Layer& layer)
    {
        std::int64_t number = 0;
        if (layer.id.size() > 1 && layer.id.size() < 12 && layer.id.front() == 'l' && parseInt(std::string_view(layer.id).substr(1), number))
            m_last = std::max(m_last, number);
        m_ids.insert(layer.id);
        m_names.insert(layer.name);
    }
    bool hasId(const LayerId& id) const { return m_ids.contains(id); }
    bool hasName(const std::string& name) const { return m_names.contains(name); }
    LayerId id()
    {
        LayerId fresh;
        do fresh = "l" + std::to_string(++m_last);
        while (!m_ids.insert(fresh).second);
        return fresh;
    }
    std::string name(const std::string& type)
    {
        const LayerEntry* entry = findLayerEntry(type);
        const std::string stem = entry ? entry->nameStem : std::string("layer");
        int& number = m_numbers[stem];
        std::string fresh;
        do fresh = stem + std::to_string(++number);
        while (!m_names.insert(fresh).second);
        return fresh;
    }

  private:
    std::int64_t m_last = 0;
    std::unordered_set<std::string> m_ids, m_names;
    std::unordered_map<std::string, int> m_numbers;
};

void renew(Layer& layer, Fresh& fresh)
{
    layer.id = fresh.id();
    layer.name = fresh.name(layer.type);
    for (Stack& branch : layer.branches)
        for (Layer& inner : branch.layers) renew(inner, fresh);
}

} // namespace

void visitLayers(const Stack& stack, const std::function<void(const Layer&, const std::string&, int)>& visitor)
{
    visit(stack, "/layers", 0, visitor);
}

const Layer* findLayer(const Stack& stack, const LayerId& id)
{
    const Layer* found = nullptr;
    walk(stack, [&](const Layer& layer) { return layer.id == id && (found = &layer); });
    return found;
}

Layer* findLayer(Stack& stack, const LayerId& id)
{
    Layer* found = nullptr;
    walk(stack, [&](Layer& layer) { return layer.id == id && (found = &layer); });
    return found;
}

std::string pathOfLayer(const Stack& stack, const LayerId& id)
{
    std::string found;
    visitLayers(stack, [&](const Layer& layer, const std::string& path, int) {
        if (found.empty() && layer.id == id) found = path;
    });
    return found;
}

LayerId freshLayerId(const Stack& stack)
{
    return Fresh(stack).id();
}

std::string freshLayerName(const Stack& stack, const std::string& type)
{
    return Fresh(stack).name(type);
}

Layer withFreshIds(const Stack& stack, const Layer& layer)
{
    Fresh fresh(stack);
    Layer copy = layer;
    renew(copy, fresh);
    return copy;
}

// ---- JSON ----

Json stackToJson(const Stack& stack)
{
    Json layers = Json::array();
    for (const Layer& layer : stack.layers) {
        Json object = Json::object();
        object["id"] = layer.id;
        object["type"] = layer.type;
        object["name"] = layer.name;
        if (const LayerEntry* entry = findLayerEntry(layer.type)) {
            Json params = paramsToJson(entry->params, layer.params);
            for (auto it = params.begin(); it != params.end(); ++it) object[it.key()] = std::move(it.value());
        }
        if (layer.frozen) object["frozen"] = true;
        if (layer.rateFactor != 1) object["rate_factor"] = layer.rateFactor;
        if (!layer.branches.empty()) {
            Json branches = Json::array();
            for (const Stack& branch : layer.branches) branches.push_back(stackToJson(branch));
            object["branches"] = std::move(branches);
        }
        layers.push_back(std::move(object));
    }
    return layers;
}

namespace {

/// Reads layers with a limit on depth and number, so that no file can exhaust the stack or the memory.
class StackReader
{
  public:
    explicit StackReader(std::vector<JsonProblem>& problems) : m_problems(problems) {}

    Stack read(const Json& json, const std::string& path, int depth)
    {
        Stack stack;
        if (!json.is_array()) {
            m_problems.push_back({path, "Layers are a list."});
            return stack;
        }
        for (std::size_t i = 0; i < json.size(); ++i) {
            if (m_count == maxLayers) {
                m_problems.push_back({path, "There are more than " + groupedInt(maxLayers) + " layers."});
                ++m_count;
            }
            if (m_count > maxLayers) return stack;
            ++m_count;
            stack.layers.push_back(readLayer(json[i], path + "/" + std::to_string(i), depth));
        }
        return stack;
    }

  private:
    Layer readLayer(const Json& json, const std::string& path, int depth)
    {
        Layer layer;
        if (!json.is_object()) {
            m_problems.push_back({path, "A layer is an object with at least a type."});
            return layer;
        }
        JsonReader reader(json, path, m_problems);
        layer.id = reader.text("id", "", 64);
        layer.type = reader.text("type", "", 64);
        layer.name = reader.text("name", "", 64);
        const LayerEntry* entry = findLayerEntry(layer.type);
        if (!entry) {
            reader.problem("type", unknownType(layer.type, reader.has("type")));
            return layer;
        }
        layer.params = paramsFromJson(entry->params, reader);
        std::erase_if(layer.params, [&](const auto& param) {
            const ParamDescriptor* descriptor = findParam(entry->params, param.first);
            return descriptor && descriptor->defaultValue == param.second;
        });
        layer.frozen = reader.boolean("frozen", false);
        layer.rateFactor = reader.real("rate_factor", 1, 0, 100);
        if (entry->isBlock()) readBranches(*entry, reader, layer, depth);
        reader.refuseUnknown();
        return layer;
    }

    static std::string unknownType(const std::string& type, bool given)
    {
        if (!given || type.empty()) return "The layer's type is missing.";
        std::vector<std::string> known;
        for (const LayerEntry& entry : layerCatalogue()) known.push_back(entry.id);
        const std::string near = nearest(type, known);
        return "There is no layer of type “" + type + "”." + (near.empty() ? std::string() : " Did you mean “" + near + "”?");
    }

    void readBranches(const LayerEntry& entry, JsonReader& reader, Layer& layer, int depth)
    {
        const std::string path = reader.pathOf("branches");
        if (const Json* branches = reader.raw("branches")) {
            if (!branches->is_array()) {
                reader.problem("branches", "Branches are a list of lists of layers.");
            } else if (depth + 1 > maxBlockDepth) {
                reader.problem("branches", "Blocks are nested more than " + std::to_string(maxBlockDepth) + " deep.");
            } else if (static_cast<int>(branches->size()) > entry.maxBranches) {
                reader.problem("branches", entry.title + " holds at most " + plural(entry.maxBranches, "branch", "branches") + ".");
            } else {
                for (std::size_t b = 0; b < branches->size(); ++b)
                    layer.branches.push_back(read((*branches)[b], path + "/" + std::to_string(b), depth + 1));
            }
        }
        while (static_cast<int>(layer.branches.size()) < entry.minBranches) layer.branches.emplace_back();
    }

    std::vector<JsonProblem>& m_problems;
    int m_count = 0;
};

/// Fills in missing ids and names; a double one is a problem and gets a fresh one.
void completeIds(Stack& stack, const std::string& path, std::vector<JsonProblem>& problems)
{
    Fresh all(stack);
    std::unordered_set<std::string> ids, names;
    visit(stack, path, 0, [&](const Layer& seen, const std::string& where, int) {
        Layer& layer = const_cast<Layer&>(seen); // the stack is ours and not const
        if (layer.id.empty()) {
            layer.id = all.id();
        } else if (!ids.insert(layer.id).second) {
            problems.push_back({where + "/id", "Two layers have the id “" + layer.id + "”."});
            layer.id = all.id();
        }
        if (layer.name.empty()) {
            layer.name = all.name(layer.type);
        } else if (!names.insert(layer.name).second) {
            problems.push_back({where + "/name", "Two layers are called “" + layer.name + "”."});
            layer.name = all.name(layer.type);
        }
    });
}

} // namespace

Stack stackFromJson(const Json& json, const std::string& path, std::vector<JsonProblem>& problems)
{
    Stack stack = StackReader(problems).read(json, path, 0);
    completeIds(stack, path, problems);
    return stack;
}

} // namespace sconce
