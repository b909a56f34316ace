// SPDX-License-Identifier: GPL-3.0-or-later
// What differs between recipes, in words. Layers are matched by id and type, so that one layer inserted in front does not
// make all the others differ.
#include "core/base/text.h"
#include "core/recipe/recipe.h"

#include <algorithm>
#include <unordered_map>

namespace sconce {

namespace {

constexpr const char* absent = "–";

/// One recipe as rows in order: a key that is the same in all recipes, where it stands, what it is called, its text.
struct Row { std::string key, path, title, text; };

std::string yesNo(bool value) { return value ? "yes" : "no"; }

class Flattened
{
  public:
    explicit Flattened(const Recipe& recipe)
    {
        data(recipe.data);
        layers(recipe.stack);
        configured("/task", "Task", recipe.task, taskEntries());
        training(recipe.training);
        add("/device", "Device", recipe.device);
        add("/threads", "Threads", recipe.threads == 0 ? "automatic" : groupedInt(recipe.threads));
        add("/seed", "Seed", std::to_string(recipe.seed));
    }
    std::vector<Row> rows;

  private:
    void add(const std::string& path, std::string title, std::string text) { rows.push_back({path, path, std::move(title), std::move(text)}); }

    void data(const DataSettings& data)
    {
        add("/data/dataset", "Data", data.dataset);
        // Only a run knows the fingerprint of what it saw; a recipe without one differs from none.
        if (!data.fingerprint.empty()) add("/data/fingerprint", "Data fingerprint", data.fingerprint.substr(0, 12));
        add("/data/import", "Size of pictures", data.import.width == 0 ? "as they are" : std::to_string(data.import.width) + "×" + std::to_string(data.import.height));
        add("/data/import/channels", "Colours", data.import.channels == 0 ? "as they are" : data.import.channels == 1 ? "grey" : "colour");
        if (!data.import.target.empty()) add("/data/import/target", "Predicted column", data.import.target);
        if (!data.import.labels.empty()) add("/data/import/labels", "Predicted labels", labelsText(data.import.labels, std::vector<std::uint8_t>(data.import.labels.size(), 1)));
        if (data.import.context != 0) add("/data/import/context", "Context", plural(data.import.context, "symbol", "symbols"));
        if (data.import.header != "auto") add("/data/import/header", "First line names columns", data.import.header);
        add("/data/input/scale", "Scaled to 0…1", yesNo(data.input.scale));
        add("/data/input/normalise", "Normalised", data.input.normalise ? "(x − " + realText(data.input.mean) + ") / " + realText(data.input.deviation) : "no");
        groups("/data/augmentation", data.augmentation, augmentationEntries());
        add("/data/split/kind", "Split", data.split.kind == SplitSettings::Kind::Last ? "last part" : "shuffled");
        add("/data/split/validation", "Validation share", data.split.validationCount > 0 ? groupedInt(data.split.validationCount) + " samples" : percentText(data.split.validation, 0));
        add("/data/split/test", "Test share", percentText(data.split.test, 0));
        add("/data/shuffle", "Shuffled each epoch", yesNo(data.shuffle));
    }

    void params(const std::string& key, const std::string& path, const std::string& title, const std::vector<ParamDescriptor>& all, const ParamValues& values)
    {
        for (const ParamDescriptor& descriptor : all) {
            if (!isActive(descriptor, all, values)) continue;
            rows.push_back({key + "/" + descriptor.id, path + "/" + descriptor.id, title + ": " + descriptor.title, paramText(descriptor, valueOf(all, values, descriptor.id))});
        }
    }

    void configured(const std::string& path, const std::string& title, const Configured& value, std::span<const OptionEntry> entries)
    {
        const OptionEntry* entry = findOption(entries, value.type);
        add(path, title, entry ? entry->title : value.type);
        if (entry) params(path + "/" + value.type, path, entry->title, entry->params, value.params);
    }

    void layers(const Stack& stack)
    {
        std::string order;
        visitLayers(stack, [&](const Layer& layer, const std::string& path, int depth) {
            const LayerEntry* entry = findLayerEntry(layer.type);
            const std::string key = "/layers/" + layer.id + "/" + layer.type;
            std::string text = entry ? entry->title : layer.type;
            if (entry && entry->summary) text += ", " + entry->summary(LayerView(*entry, layer));
            rows.push_back({key, path, layer.name, text});
            if (entry) params(key, path, layer.name, entry->params, layer.params);
            params(key, path, layer.name, layerTrainingParams(), layerTrainingValues(layer));
            order += (order.empty() ? "" : ", ") + std::string(static_cast<std::size_t>(depth), '>') + layer.id;
        });
        rows.push_back({"/layers", "/layers", "Order of layers", order});
    }

    void training(const TrainingSettings& training)
    {
        add("/training/epochs", "Epochs", groupedInt(training.epochs));
        add("/training/batch_size", "Batch size", groupedInt(training.batchSize));
        configured("/training/optimiser", "Optimiser", training.optimiser, optimiserEntries());
        add("/training/learning_rate", "Learning rate", realText(training.learningRate));
        configured("/training/schedule", "Schedule", training.schedule, scheduleEntries());
        add("/training/checkpoint/every_epochs", "Checkpoint every … epochs", groupedInt(training.checkpoint.everyEpochs));
        add("/training/checkpoint/every_steps", "Checkpoint every … steps", groupedInt(training.checkpoint.everySteps));
        add("/training/checkpoint/every_minutes", "Checkpoint every … minutes", realText(training.checkpoint.everyMinutes));
        add("/training/checkpoint/keep_last", "Checkpoints kept", groupedInt(training.checkpoint.keepLast));
        add("/training/checkpoint/keep_best", "Best kept", yesNo(training.checkpoint.keepBest));
        groups("/training", training.options, trainingOptions());
    }

    void groups(const std::string& below, const OptionGroups& groups, std::span<const OptionEntry> entries)
    {
        for (const OptionEntry& group : entries) {
            const auto set = groups.find(group.id);
            const std::string path = below + "/" + group.id;
            params(path, path, group.title, group.params, set == groups.end() ? ParamValues{} : set->second);
        }
    }
};

bool isLayerRow(const std::string& key) { return key.rfind("/layers/", 0) == 0 && std::count(key.begin(), key.end(), '/') == 3; }
bool isLayerParam(const std::string& key) { return key.rfind("/layers/", 0) == 0 && std::count(key.begin(), key.end(), '/') == 4; }

} // namespace

std::vector<RecipeDifference> differences(std::span<const Recipe> recipes)
{
    std::vector<RecipeDifference> result;
    std::vector<Flattened> flat;
    for (const Recipe& recipe : recipes) flat.emplace_back(recipe);
    // Rows in the order of the first recipe that has them.
    std::vector<const Row*> order;
    std::unordered_map<std::string, std::vector<const Row*>> byKey;
    for (std::size_t r = 0; r < flat.size(); ++r) {
        for (const Row& row : flat[r].rows) {
            auto [found, fresh] = byKey.try_emplace(row.key, flat.size(), nullptr);
            found->second[r] = &row;
            if (fresh) order.push_back(&row);
        }
    }
    const auto everywhere = [&](const std::string& key) {
        const auto& rows = byKey.at(key);
        return std::none_of(rows.begin(), rows.end(), [](const Row* row) { return row == nullptr; });
    };
    bool layersDiffer = false;
    for (const Row* row : order) layersDiffer = layersDiffer || (isLayerRow(row->key) && !everywhere(row->key));
    for (const Row* row : order) {
        const auto& rows = byKey.at(row->key);
        const bool all = everywhere(row->key);
        // A layer that all have is told by its settings, one that some lack by its summary; so are settings of a chosen type.
        if (isLayerRow(row->key) && all) continue;
        if (!all && !isLayerRow(row->key) && row->path != "/data/fingerprint" && isLayerParam(row->key)) continue;
        if (!all && (row->key.rfind("/training/", 0) == 0 || row->key.rfind("/data/augmentation/", 0) == 0)) continue;
        if (!all && row->key == "/data/fingerprint") continue;
        if (row->key == "/layers" && layersDiffer) continue;
        const bool same = all && std::all_of(rows.begin(), rows.end(), [&](const Row* each) { return each->text == rows.front()->text; });
        if (same) continue;
        RecipeDifference difference{row->path, row->title, {}};
        for (const Row* each : rows) difference.values.push_back(each ? each->text : absent);
        result.push_back(std::move(difference));
    }
    return result;
}

} // namespace sconce
