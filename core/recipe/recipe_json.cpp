// SPDX-License-Identifier: GPL-3.0-or-later
// The recipe's JSON: keys in a fixed order, every parameter written. Reading never throws and says everything that is wrong.
#include "core/recipe/limits.h"

#include "core/data/text_dataset.h"

#include <algorithm>

namespace sconce {

namespace {

Json configuredToJson(const Configured& configured, std::span<const OptionEntry> entries)
{
    Json json = Json::object();
    json["type"] = configured.type;
    if (const OptionEntry* entry = findOption(entries, configured.type)) {
        Json params = paramsToJson(entry->params, configured.params);
        for (auto it = params.begin(); it != params.end(); ++it) json[it.key()] = std::move(it.value());
    }
    return json;
}

void groupsToJson(Json& json, std::span<const OptionEntry> entries, const OptionGroups& groups)
{
    for (const OptionEntry& group : entries) {
        const auto set = groups.find(group.id);
        json[group.id] = paramsToJson(group.params, set == groups.end() ? ParamValues{} : set->second);
    }
}

Json dataToJson(const DataSettings& data)
{
    Json json = Json::object();
    json["dataset"] = data.dataset;
    json["fingerprint"] = data.fingerprint;
    json["import"] = {{"width", data.import.width}, {"height", data.import.height}, {"channels", data.import.channels}, {"target", data.import.target}, {"header", data.import.header}};
    if (data.import.context != 0) json["import"]["context"] = data.import.context; // recipes without a text stay as they were
    if (!data.import.labels.empty()) json["import"]["labels"] = data.import.labels; // nor those without labels
    json["input"] = {{"scale", data.input.scale}, {"normalise", data.input.normalise}, {"mean", data.input.mean}, {"deviation", data.input.deviation}};
    groupsToJson(json["augmentation"] = Json::object(), augmentationEntries(), data.augmentation);
    json["split"] = {{"kind", data.split.kind == SplitSettings::Kind::Last ? "last" : "shuffled"},
                     {"validation", data.split.validation}, {"validation_count", data.split.validationCount}, {"test", data.split.test}};
    json["shuffle"] = data.shuffle;
    return json;
}

Json trainingToJson(const TrainingSettings& training)
{
    Json json = Json::object();
    json["epochs"] = training.epochs;
    json["batch_size"] = training.batchSize;
    json["optimiser"] = configuredToJson(training.optimiser, optimiserEntries());
    json["learning_rate"] = training.learningRate;
    json["schedule"] = configuredToJson(training.schedule, scheduleEntries());
    json["checkpoint"] = {{"every_epochs", training.checkpoint.everyEpochs}, {"every_steps", training.checkpoint.everySteps}, {"every_minutes", training.checkpoint.everyMinutes},
                          {"keep_last", training.checkpoint.keepLast}, {"keep_best", training.checkpoint.keepBest}};
    groupsToJson(json, trainingOptions(), training.options);
    return json;
}

/// Reads below one recipe; problems are collected.
class RecipeReader
{
  public:
    explicit RecipeReader(std::vector<JsonProblem>& problems) : m_problems(problems) {}

    Recipe read(const Json& json)
    {
        Recipe recipe;
        JsonReader reader(json, "", m_problems);
        reader.text("format", "");
        reader.integer("version", 1, 1, Recipe::currentVersion);
        recipe.name = reader.text("name", recipe.name, limits::nameBytes);
        recipe.notes = reader.text("notes", recipe.notes, limits::notesBytes);
        object(reader, "data", [&](JsonReader& data) { readData(data, recipe.data); });
        if (const Json* layers = reader.raw("layers")) recipe.stack = stackFromJson(*layers, "/layers", m_problems);
        recipe.task = configured(reader, "task", taskEntries(), recipe.task, "task");
        object(reader, "training", [&](JsonReader& training) { readTraining(training, recipe.training); });
        recipe.device = reader.text("device", recipe.device, 64);
        recipe.threads = static_cast<int>(reader.integer("threads", recipe.threads, 0, limits::threads));
        recipe.seed = seed(reader, recipe.seed);
        reader.refuseUnknown();
        if (!limits::isDevice(recipe.device)) {
            reader.problem("device", "A device is “auto”, “cpu” or “cuda:N”, not “" + recipe.device + "”.");
            recipe.device = "auto";
        }
        return recipe;
    }

  private:
    template <class Fn> void object(JsonReader& reader, std::string_view key, const Fn& fn)
    {
        const Json* json = reader.raw(key);
        if (!json) return;
        if (!json->is_object()) {
            reader.problem(key, "This must be an object with settings in it.");
            return;
        }
        JsonReader inner(*json, reader.pathOf(key), m_problems);
        fn(inner);
        inner.refuseUnknown();
    }

    Configured configured(JsonReader& reader, std::string_view key, std::span<const OptionEntry> entries, Configured fallback, const std::string& what)
    {
        Configured result = std::move(fallback);
        const Json* json = reader.raw(key);
        if (!json) return result;
        if (!json->is_object()) {
            reader.problem(key, "This must be an object with a type.");
            return result;
        }
        JsonReader inner(*json, reader.pathOf(key), m_problems);
        const std::string type = inner.text("type", result.type, 64);
        const OptionEntry* entry = findOption(entries, type);
        if (!entry) {
            std::vector<std::string> known;
            for (const OptionEntry& each : entries) known.push_back(each.id);
            const std::string near = nearest(type, known);
            inner.problem("type", "There is no " + what + " “" + type + "”." + (near.empty() ? "" : " Did you mean “" + near + "”?"));
            return result;
        }
        result.type = type;
        result.params = paramsFromJson(entry->params, inner);
        std::erase_if(result.params, [&](const auto& param) {
            const ParamDescriptor* descriptor = findParam(entry->params, param.first);
            return descriptor && descriptor->defaultValue == param.second;
        });
        inner.refuseUnknown();
        return result;
    }

    static void readLabels(JsonReader& reader, std::vector<std::string>& labels)
    {
        const Json* list = reader.raw("labels");
        if (!list) return;
        const bool good = list->is_array() && list->size() <= mostLabels && std::all_of(list->begin(), list->end(), [](const Json& name) { return name.is_string() && name.get_ref<const std::string&>().size() <= 1024; });
        if (good) labels = list->get<std::vector<std::string>>();
        else reader.problem("labels", "The columns to predict are a list of their names, [\"dog\", \"cat\"], at most " + groupedInt(static_cast<std::int64_t>(mostLabels)) + ".");
    }

    void readData(JsonReader& reader, DataSettings& data)
    {
        data.dataset = reader.text("dataset", data.dataset, 256);
        data.fingerprint = reader.text("fingerprint", data.fingerprint, 128);
        object(reader, "import", [&](JsonReader& r) {
            data.import.width = static_cast<int>(r.integer("width", 0, 0, limits::side));
            data.import.height = static_cast<int>(r.integer("height", 0, 0, limits::side));
            data.import.channels = static_cast<int>(r.integer("channels", 0, 0, 3));
            if (data.import.channels == 2) {
                r.problem("channels", "Pictures are grey (1) or in colour (3).");
                data.import.channels = 0;
            }
            data.import.context = static_cast<int>(r.integer("context", 0, 0, mostContext));
            data.import.target = r.text("target", "", 1024);
            data.import.header = r.text("header", "auto", 8);
            readLabels(r, data.import.labels);
            if (data.import.header != "auto" && data.import.header != "yes" && data.import.header != "no") {
                r.problem("header", "A table's first line names its columns or not: “auto”, “yes” or “no”.");
                data.import.header = "auto";
            }
        });
        object(reader, "input", [&](JsonReader& r) {
            data.input.scale = r.boolean("scale", data.input.scale);
            data.input.normalise = r.boolean("normalise", data.input.normalise);
            data.input.mean = r.real("mean", data.input.mean, -limits::pixel, limits::pixel);
            data.input.deviation = r.real("deviation", data.input.deviation, limits::leastDeviation, limits::pixel);
        });
        object(reader, "augmentation", [&](JsonReader& r) { readGroups(r, augmentationEntries(), data.augmentation); });
        object(reader, "split", [&](JsonReader& r) {
            const std::string kind = r.text("kind", "last", 16);
            if (kind != "last" && kind != "shuffled") r.problem("kind", "A split is “last” or “shuffled”, not “" + kind + "”.");
            data.split.kind = kind == "shuffled" ? SplitSettings::Kind::Shuffled : SplitSettings::Kind::Last;
            data.split.validation = r.real("validation", data.split.validation, 0, limits::validation);
            data.split.validationCount = r.integer("validation_count", 0, 0, limits::steps);
            data.split.test = r.real("test", data.split.test, 0, limits::test);
        });
        data.shuffle = reader.boolean("shuffle", data.shuffle);
    }

    void readTraining(JsonReader& reader, TrainingSettings& training)
    {
        training.epochs = static_cast<int>(reader.integer("epochs", training.epochs, 1, limits::epochs));
        training.batchSize = reader.integer("batch_size", training.batchSize, 1, limits::batch);
        training.optimiser = configured(reader, "optimiser", optimiserEntries(), training.optimiser, "optimiser");
        training.learningRate = reader.real("learning_rate", training.learningRate, limits::leastRate, limits::rate);
        training.schedule = configured(reader, "schedule", scheduleEntries(), training.schedule, "schedule");
        object(reader, "checkpoint", [&](JsonReader& r) {
            CheckpointSettings& checkpoint = training.checkpoint;
            checkpoint.everyEpochs = static_cast<int>(r.integer("every_epochs", checkpoint.everyEpochs, 0, limits::epochs));
            checkpoint.everySteps = r.integer("every_steps", checkpoint.everySteps, 0, limits::steps);
            checkpoint.everyMinutes = r.real("every_minutes", checkpoint.everyMinutes, 0, limits::minutes);
            checkpoint.keepLast = static_cast<int>(r.integer("keep_last", checkpoint.keepLast, 1, limits::keep));
            checkpoint.keepBest = r.boolean("keep_best", checkpoint.keepBest);
        });
        readGroups(reader, trainingOptions(), training.options);
    }

    void readGroups(JsonReader& reader, std::span<const OptionEntry> entries, OptionGroups& groups)
    {
        for (const OptionEntry& group : entries)
            object(reader, group.id, [&](JsonReader& r) {
                for (auto& [id, value] : paramsFromJson(group.params, r)) setIn(entries, groups, group.id, id, value);
            });
    }

    std::uint64_t seed(JsonReader& reader, std::uint64_t fallback)
    {
        const Json* json = reader.raw("seed");
        if (!json) return fallback;
        if (json->is_number_unsigned()) return json->get<std::uint64_t>();
        if (json->is_number_integer() && json->get<std::int64_t>() >= 0) return static_cast<std::uint64_t>(json->get<std::int64_t>());
        reader.problem("seed", "A seed is a whole number from 0 to 18,446,744,073,709,551,615.");
        return fallback;
    }

    std::vector<JsonProblem>& m_problems;
};

/// The id of the deepest layer that a path runs through.
LayerId layerAt(const Stack& stack, const std::string& path)
{
    LayerId id;
    std::size_t longest = 0;
    visitLayers(stack, [&](const Layer& layer, const std::string& at, int) {
        const bool inside = path.compare(0, at.size(), at) == 0 && (path.size() == at.size() || path[at.size()] == '/');
        if (inside && at.size() > longest) {
            longest = at.size();
            id = layer.id;
        }
    });
    return id;
}

} // namespace

Json toJson(const Recipe& recipe)
{
    Json json = Json::object();
    json["format"] = "sconce-recipe";
    json["version"] = Recipe::currentVersion;
    json["name"] = recipe.name;
    json["notes"] = recipe.notes;
    json["data"] = dataToJson(recipe.data);
    json["layers"] = stackToJson(recipe.stack);
    json["task"] = configuredToJson(recipe.task, taskEntries());
    json["training"] = trainingToJson(recipe.training);
    json["device"] = recipe.device;
    json["threads"] = recipe.threads;
    json["seed"] = recipe.seed;
    return json;
}

std::string recipeText(const Recipe& recipe)
{
    return toJson(recipe).dump(2, ' ', false, Json::error_handler_t::replace) + "\n";
}

Result<ParsedRecipe> recipeFromJson(const Json& json)
{
    if (!json.is_object()) return Error{ErrorCode::Invalid, "This is not a recipe.", "A recipe is a JSON object with a list of layers.", {}};
    const auto format = json.find("format");
    if (format != json.end() && *format != "sconce-recipe")
        return Error{ErrorCode::Invalid, "This is not a recipe of Sconce.", "Its “format” must be “sconce-recipe”.", {}};
    const auto version = json.find("version");
    if (version != json.end() && version->is_number() && *version > Recipe::currentVersion)
        return Error{ErrorCode::TooNew, "This recipe was written by a newer version of Sconce.", "Update Sconce to open it.", "version " + version->dump()};
    std::vector<JsonProblem> found;
    ParsedRecipe parsed;
    parsed.recipe = RecipeReader(found).read(json);
    for (JsonProblem& each : found) {
        Problem problem;
        problem.layer = layerAt(parsed.recipe.stack, each.path);
        problem.path = std::move(each.path);
        problem.brief = problem.sentence = std::move(each.message);
        parsed.problems.push_back(std::move(problem));
    }
    return parsed;
}

Result<ParsedRecipe> readRecipeFile(const std::string& path)
{
    Result<Json> json = readJsonFile(path);
    if (!json.ok()) return json.error();
    return recipeFromJson(json.value());
}

} // namespace sconce
