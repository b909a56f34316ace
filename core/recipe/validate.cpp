// SPDX-License-Identifier: GPL-3.0-or-later
// Everything that keeps a recipe from training, and hints at what it had better do: in the order of the recipe, each with a
// path, both layers' names and shapes, and a way out where there is one.
#include "core/recipe/validate.h"

#include "core/data/text_dataset.h"
#include "core/model/looks_ahead.h"
#include "core/recipe/estimate.h"
#include "core/recipe/limits.h"
#include "core/recipe/task.h"

#include <algorithm>
#include <cmath>
#include <map>

namespace sconce {

namespace {

Json jsonOf(const ParamValue& value)
{
    return std::visit([](const auto& each) { return Json(each); }, value);
}

Json operation(const char* op, const std::string& path, Json value = nullptr)
{
    Json json = {{"op", op}, {"path", path}};
    if (std::string_view(op) != "remove") json["value"] = std::move(value);
    return json;
}

} // namespace

Fix replaceFix(std::string title, const std::string& path, Json value)
{
    return {std::move(title), Json::array({operation("replace", path, std::move(value))})};
}

Fix removeFix(std::string title, const std::string& path)
{
    return {std::move(title), Json::array({operation("remove", path)})};
}

Fix addLayersFix(std::string title, const std::string& path, const std::vector<Json>& layers)
{
    Fix fix{std::move(title), Json::array()};
    for (const Json& layer : layers) fix.patch.push_back(operation("add", path, layer));
    return fix;
}

Fix fixOf(const LayerFix& fix, const std::string& path)
{
    if (fix.kind == LayerFix::Kind::Remove) return removeFix(fix.title, path);
    if (fix.kind == LayerFix::Kind::InsertBefore) {
        Json layer = {{"type", fix.layerType}};
        for (const auto& [id, value] : fix.params) layer[id] = jsonOf(value);
        return addLayersFix(fix.title, path, {layer});
    }
    Fix result{fix.title, Json::array()};
    for (const auto& [id, value] : fix.params) result.patch.push_back(operation("replace", path + "/" + id, jsonOf(value)));
    return result;
}

namespace {

class Validator
{
  public:
    Validator(const Recipe& recipe, const std::optional<DataFacts>& data) : m_recipe(recipe), m_data(data) {}

    std::vector<Problem> run()
    {
        general();
        dataSettings();
        if (m_data) dataFacts();
        if (m_recipe.stack.layers.empty()) emptyStack();
        else if (m_data && !m_data->input.dims.empty()) layers();
        taskAndTraining();
        return std::move(m_problems);
    }

  private:
    Problem& add(std::string path, std::string sentence, std::string because = {}, Severity severity = Severity::Problem)
    {
        Problem problem;
        problem.severity = severity;
        problem.path = std::move(path);
        problem.brief = problem.sentence = std::move(sentence);
        problem.because = std::move(because);
        m_problems.push_back(std::move(problem));
        return m_problems.back();
    }
    Problem& hint(std::string path, std::string sentence, std::string because = {})
    {
        return add(std::move(path), std::move(sentence), std::move(because), Severity::Hint);
    }
    /// A number out of range, with the nearest allowed one as the way out.
    template <class Number> void range(const std::string& path, const std::string& title, Number value, Number min, Number max)
    {
        const double number = static_cast<double>(value);
        if (std::isfinite(number) && value >= min && value <= max) return;
        const Number near = !std::isfinite(number) || value < min ? min : max;
        const auto text = [](Number n) { return std::is_integral_v<Number> ? groupedInt(static_cast<std::int64_t>(n)) : realText(static_cast<double>(n)); };
        Problem& problem = add(path, title + " must be between " + text(min) + " and " + text(max) + ", not " + text(value) + ".");
        problem.fixes.push_back(replaceFix("Set to " + text(near), path, near));
    }

    void general()
    {
        if (m_recipe.name.size() > limits::nameBytes) add("/name", "The name is too long.").fixes.push_back(replaceFix("Shorten the name", "/name", "untitled"));
        if (m_recipe.notes.size() > limits::notesBytes) add("/notes", "The notes are too long.");
    }

    void dataSettings()
    {
        const DataSettings& data = m_recipe.data;
        if (!m_data) {
            const std::string name = data.dataset.empty() ? "No data set is chosen" : "The data set “" + data.dataset + "” is not known here";
            hint("/data/dataset", name + ", so shapes cannot be checked.", "Choose data on the Data page.");
        }
        range("/data/import/width", "The width of pictures", data.import.width, 0, limits::side);
        range("/data/import/height", "The height of pictures", data.import.height, 0, limits::side);
        range("/data/import/context", "The context", data.import.context, 0, mostContext);
        range("/data/input/mean", "The mean", data.input.mean, -limits::pixel, limits::pixel);
        range("/data/input/deviation", "The deviation", data.input.deviation, limits::leastDeviation, limits::pixel);
        for (const auto& [group, values] : data.augmentation)
            if (const OptionEntry* entry = findOption(augmentationEntries(), group)) params("/data/augmentation/" + group, entry->params, values);
        range("/data/split/validation", "The share for validation", data.split.validation, 0.0, limits::validation);
        range("/data/split/validation_count", "The number of samples for validation", static_cast<double>(data.split.validationCount), 0.0, static_cast<double>(limits::steps));
        range("/data/split/test", "The share for testing", data.split.test, 0.0, limits::test);
        if (data.split.validation == 0 && data.split.validationCount == 0 && (!m_data || m_data->validationCount == 0))
            hint("/data/split/validation", "Nothing is held back for validation.", "Overfitting, learning by heart, would go unseen.")
                .fixes.push_back(replaceFix("Hold back 10 %", "/data/split/validation", 0.1));
    }

    void dataFacts()
    {
        if (m_data->trainingCount < 1) {
            add("/data/dataset", m_data->title + " has no training samples.");
            return;
        }
        target();
        augmentationProblems(m_recipe, *m_data, m_problems);
        if (isText()) shuffledText();
        else if (!m_data->bytes && m_data->testCount == 0 && m_recipe.data.split.kind == SplitSettings::Kind::Last && m_recipe.data.split.validation > 0)
            hint("/data/split/kind", "Validation takes the last rows of the table.", "Tables are often sorted; a shuffled split is safer.").fixes.push_back(replaceFix("Shuffle the split", "/data/split/kind", "shuffled"));
        ownValidation();
        const SplitSettings& split = m_recipe.data.split;
        if (!(split.validation >= 0 && split.validation <= limits::validation && split.test >= 0 && split.test <= limits::test)) return;
        const SplitCounts counts = splitCounts(m_data->trainingCount, m_data->testCount, split, m_data->validationCount);
        const bool own = m_data->validationCount > 0 && split.kind == SplitSettings::Kind::Last;
        if (const std::int64_t all = counts.training + counts.validation; !own && split.validationCount >= all) {
            Problem& problem = add("/data/split/validation_count", "Validation takes " + groupedInt(split.validationCount) + " samples, but there are only " + groupedInt(all) + ".", "At least one must be left to train on.");
            problem.fixes.push_back(replaceFix("Hold back " + groupedInt(std::max<std::int64_t>(1, all / 10)), "/data/split/validation_count", std::max<std::int64_t>(1, all / 10)));
        }
        if (counts.training < 1) {
            add("/data/split/validation", "The split leaves no sample to train on.").fixes.push_back(replaceFix("Hold nothing back", "/data/split/validation", 0.0));
        } else if (m_recipe.training.batchSize > counts.training) {
            std::int64_t fitting = 1;
            while (fitting * 2 <= counts.training && fitting < 128) fitting *= 2;
            Problem& problem = add("/training/batch_size", "A batch of " + groupedInt(m_recipe.training.batchSize) + " is larger than the training set of " + groupedInt(counts.training) + ".");
            problem.fixes.push_back(replaceFix("Set batch size to " + groupedInt(fitting), "/training/batch_size", fitting));
        }
    }

    /// Data with a validation part of its own: what was set for holding samples back would be left aside without a word.
    void ownValidation()
    {
        const SplitSettings& split = m_recipe.data.split;
        const SplitSettings usual;
        if (m_data->validationCount <= 0 || m_data->validationCount >= m_data->trainingCount || split.kind != SplitSettings::Kind::Last) return;
        const bool byCount = split.validationCount != usual.validationCount;
        if (!byCount && split.validation == usual.validation) return;
        Fix fix = replaceFix("Set back what is not used", "/data/split/validation", usual.validation);
        fix.patch.push_back(replaceFix({}, "/data/split/validation_count", usual.validationCount).patch[0]);
        hint(byCount ? "/data/split/validation_count" : "/data/split/validation",
             m_data->title + " has a validation part of its own (val/), so the " + (byCount ? "number" : "share") + " for validation is not used.",
             "To draw validation samples from all the data, let the split be shuffled.")
            .fixes.push_back(std::move(fix));
    }

    bool isText() const { return m_data->symbols > 0; }

    /// Windows of one text are no separate samples.
    void shuffledText()
    {
        const SplitSettings& split = m_recipe.data.split;
        if (split.kind == SplitSettings::Kind::Last || (split.validation == 0 && split.validationCount == 0)) return;
        hint("/data/split/kind", "Validation takes windows from between those that are trained on.", "They are easier than a text that was never seen; the last part says more.")
            .fixes.push_back(replaceFix("Take the last part", "/data/split/kind", "last"));
    }

    /// Texts and the task of texts belong together. True if they do here, or neither is meant.
    bool fitsText()
    {
        const bool next = targetOf(m_recipe.task) == Target::Next;
        if (isText() == next) return true;
        if (isText()) {
            add("/task/type", m_data->title + " is a text, of which the next symbol is learned.", "It has no classes, and no other numbers to predict.")
                .fixes.push_back(replaceFix("Learn the next symbol", "/task", {{"type", "language"}}));
            return false;
        }
        Problem& problem = add("/task/type", m_data->title + " is no text, and next symbols are learned from texts.", "Choose a text (.txt) on the Data page, or another task.");
        if (m_data->labels > 0) problem.fixes.push_back(sayLabels());
        else if (m_data->classes >= 2) problem.fixes.push_back(replaceFix("Tell classes apart", "/task", {{"type", "classification"}}));
        else if (m_data->numbers) problem.fixes.push_back(replaceFix("Predict the number", "/task", {{"type", "regression"}}));
        return false;
    }

    static Fix sayLabels() { return replaceFix("Say the labels", "/task", {{"type", "multilabel"}}); }

    /// Labels and the task of labels belong together. True if they do here, or neither is meant, or an autoencoder needs none.
    bool fitsLabels()
    {
        const bool has = m_data->labels > 0, wanted = targetOf(m_recipe.task) == Target::Labels;
        if (has == wanted || (has && targetOf(m_recipe.task) == Target::Input)) return true;
        if (has) {
            add("/task/type", "A sample of " + m_data->title + " has any number of " + plural(m_data->labels, "label", "labels") + " at once, and no single class or number.").fixes.push_back(sayLabels());
            return false;
        }
        Problem& problem = add("/task/type", "The samples of " + m_data->title + " have no labels, of which each is there or not.", "On the Data page, choose several columns of yes and no to predict, or add a folder of pictures with a labels.csv.");
        if (m_data->classes == 2) problem.fixes.push_back(replaceFix("Say yes or no", "/task", {{"type", "binary"}}));
        if (m_data->classes >= 2) problem.fixes.push_back(replaceFix("Tell classes apart", "/task", {{"type", "classification"}}));
        else if (m_data->numbers) problem.fixes.push_back(replaceFix("Predict the number", "/task", {{"type", "regression"}}));
        return false;
    }

    /// What the task wants of the data.
    void target()
    {
        const auto become = [](const char* title, const char* task) { return replaceFix(title, "/task", {{"type", task}}); };
        const std::string classes = m_data->title + " has " + (m_data->classes == 0 ? std::string("no classes") : plural(m_data->classes, "class", "classes"));
        if (!fitsText() || !fitsLabels()) return;
        const Target wanted = targetOf(m_recipe.task);
        if (wanted == Target::Class && m_data->classes < 2) {
            Problem& problem = add("/data/dataset", classes + ", but telling classes apart takes at least two.");
            if (m_data->numbers) problem.fixes.push_back(become("Predict the number instead", "regression"));
        } else if (wanted == Target::Flag && m_data->classes != 2) {
            Problem& problem = add("/task/type", classes + ", but yes or no takes exactly two.");
            if (m_data->classes > 2) problem.fixes.push_back(become("Tell all classes apart", "classification"));
            else if (m_data->numbers) problem.fixes.push_back(become("Predict the number instead", "regression"));
        } else if (wanted == Target::Number && !m_data->numbers) {
            Problem& problem = add("/task/type", m_data->title + " has no numbers to predict" + (m_data->target.empty() ? "." : ": “" + m_data->target + "” holds words."),
                                   "Regression needs a table whose chosen column holds numbers.");
            if (m_data->classes >= 2) problem.fixes.push_back(become("Tell classes apart instead", "classification"));
        } else if (wanted == Target::Input) {
            reconstruction();
        }
    }

    /// Cross-entropy compares shares: what goes in must lie between 0 and 1.
    void reconstruction()
    {
        const OptionEntry* entry = findOption(taskEntries(), m_recipe.task.type);
        if (!entry || std::get<std::string>(valueOf(entry->params, m_recipe.task.params, "loss")) != "binary_crossentropy") return;
        const Fix squared = replaceFix("Use the squared error", "/task/loss", "mse");
        const InputSettings& input = m_recipe.data.input;
        if (!m_data->bytes)
            add("/task/loss", "Binary cross-entropy compares numbers from 0 to 1, but those of a table are scaled to mean 0 and deviation 1.").fixes.push_back(squared);
        else if (!input.scale)
            add("/task/loss", "Binary cross-entropy compares numbers from 0 to 1, but the pixels are not scaled.").fixes = {replaceFix("Scale to 0…1", "/data/input/scale", true), squared};
        else if (input.normalise)
            add("/task/loss", "Binary cross-entropy compares numbers from 0 to 1, but the pixels are normalised.").fixes = {replaceFix("Do not normalise", "/data/input/normalise", false), squared};
    }

    /// How many numbers the task wants of the network; of an autoencoder those of the input.
    std::int64_t outputs() const
    {
        switch (targetOf(m_recipe.task)) {
        case Target::Class: break;
        case Target::Flag:
        case Target::Number: return 1;
        case Target::Labels: return m_data->labels;
        case Target::Input: return m_data->input.elements();
        case Target::Next: return m_data->symbols;
        }
        return m_data->classes;
    }
    std::string withUnits() const { return "Dense with " + plural(outputs(), "unit", "units"); }
    Json outputLayer() const { return {{"type", "dense"}, {"units", outputs()}}; }
    Json embedding() const { return {{"type", "embedding"}, {"symbols", m_data->symbols}}; }

    void emptyStack()
    {
        Problem& problem = add("/layers", "There are no layers yet.", "Add one from the list, or begin with a starter recipe.");
        if (!m_data || outputs() < 1 || targetOf(m_recipe.task) == Target::Input) return;
        if (isText()) {
            if (targetOf(m_recipe.task) == Target::Next) problem.fixes.push_back(addLayersFix("Add Embedding and " + withUnits(), "/layers/-", {embedding(), outputLayer()}));
            return;
        }
        if (m_data->input.rank() == 1) problem.fixes.push_back(addLayersFix("Add " + withUnits(), "/layers/-", {outputLayer()}));
        else problem.fixes.push_back(addLayersFix("Add Flatten and " + withUnits(), "/layers/-", {{{"type", "flatten"}}, outputLayer()}));
    }

    void layers()
    {
        const StackReport report = analyse(m_recipe.stack, m_data->input);
        for (const LayerReport& row : report.layers)
            if (row.problem) layerProblem(row);
        if (isText()) embeddings();
        if (isText() && targetOf(m_recipe.task) == Target::Next && report.ok()) seesTheAnswer(report);
        if (report.assumedOutput && outputs() >= 1) output(report);
        layerHints(report, m_recipe, m_problems);
        size(report);
        frozen(report);
    }

    /// Freezing everything leaves nothing to train.
    void frozen(const StackReport& report)
    {
        const LayerReport* last = nullptr;
        for (const LayerReport& row : report.layers)
            if (const Layer* layer = findLayer(m_recipe.stack, row.id); layer && layer->frozen && row.parameters > 0) last = &row;
        if (!last || !report.ok()) return;
        const Result<Plan> plan = lower(m_recipe.stack, m_data->input);
        if (!plan.ok() || plan->trainableCount() > 0) return;
        Problem& problem = add(last->path + "/frozen", "All layers with weights are frozen, so there is nothing to train.");
        problem.layer = last->id;
        problem.fixes.push_back(replaceFix("Let " + layerCalled(*last, m_recipe.stack) + " learn", last->path + "/frozen", false));
    }

    void layerProblem(const LayerReport& row)
    {
        const LayerProblem& cause = *row.problem;
        Problem& problem = add(row.path + (cause.param.empty() ? "" : "/" + cause.param), row.sentence, cause.expects.empty() ? "" : cause.because);
        problem.layer = row.id;
        problem.brief = row.brief;
        for (const LayerFix& fix : cause.fixes) problem.fixes.push_back(fixOf(fix, row.path));
        const Layer* layer = findLayer(m_recipe.stack, row.id);
        if (cause.param == "name" && layer) {
            const std::string fresh = freshLayerName(m_recipe.stack, layer->type);
            problem.fixes.push_back(replaceFix("Call it " + fresh, row.path + "/name", fresh));
        }
        if (cause.param == "id") {
            const std::string fresh = freshLayerId(m_recipe.stack);
            problem.fixes.push_back(replaceFix("Give it a new id", row.path + "/id", fresh));
        }
    }

    std::string whyOutputs() const
    {
        const std::string units = plural(outputs(), "unit", "units");
        switch (targetOf(m_recipe.task)) {
        case Target::Class: break;
        case Target::Flag: return "Yes or no is one number: above 0 for “yes”, so the last layer needs 1 unit.";
        case Target::Number: return "One number is predicted, so the last layer needs 1 unit.";
        case Target::Labels: return m_data->title + " has " + plural(m_data->labels, "label", "labels") + ", so the last layer needs " + units + ", one for each.";
        case Target::Input: return "An autoencoder gives back what it takes: " + m_data->input.text() + ".";
        case Target::Next: return m_data->title + " has " + groupedInt(m_data->symbols) + " symbols, so the last layer needs " + units + " at each of " + groupedInt(m_data->input.elements()) + " places.";
        }
        return m_data->title + " has " + groupedInt(m_data->classes) + " classes, so the last layer needs " + units + ".";
    }

    /// The task's demand: one number per class, a single one, or the shape of the input.
    void output(const StackReport& report)
    {
        const ValueType& type = *report.assumedOutput;
        if (targetOf(m_recipe.task) == Target::Next) {
            if (isText()) outputOfText(report, type);
            return;
        }
        const bool whole = targetOf(m_recipe.task) == Target::Input;
        const bool row = !whole || m_data->input.rank() == 1; // what is wanted is one row of numbers
        if (row ? type.rank() == 1 && type.dims[0].size == outputs() : type.sizes() == m_data->input.sizes()) return;
        const LayerReport* giver = shapingLayer(report, m_recipe.stack);
        if (!giver) return;
        const std::string wanted = !row ? m_data->input.text() : type.rank() == 1 ? plural(outputs(), "number", "numbers") : "one row of " + plural(outputs(), "number", "numbers");
        const Layer* layer = findLayer(m_recipe.stack, giver->id);
        const bool dense = row && layer && layer->type == "dense" && type.rank() == 1;
        Problem& problem = add(dense ? giver->path + "/units" : "/layers",
                               "Output expects " + wanted + ", but " + layerCalled(*giver, m_recipe.stack) + " gives " + type.text() + ".", whyOutputs());
        problem.brief = "expects " + wanted + ", gets " + type.text();
        if (!row) {
            giveBack(problem, type);
            return;
        }
        const std::string units = groupedInt(outputs());
        if (dense) problem.fixes.push_back(replaceFix("Set units to " + units, giver->path + "/units", outputs()));
        else if (type.rank() == 1) problem.fixes.push_back(addLayersFix("Add " + withUnits(), "/layers/-", {outputLayer()}));
        else {
            problem.fixes.push_back(addLayersFix("Add Flatten and " + withUnits(), "/layers/-", {{{"type", "flatten"}}, outputLayer()}));
            if (!whole) problem.fixes.push_back(addLayersFix("Add Global average pool and " + withUnits(), "/layers/-", {{{"type", "global_average_pool"}}, outputLayer()}));
        }
    }

    /// At each place of a text one number per symbol.
    void outputOfText(const StackReport& report, const ValueType& type)
    {
        const std::vector<std::int64_t> sizes = type.sizes(), wanted = outputSizes(m_recipe.task, *m_data);
        if (sizes == wanted) return;
        const LayerReport* giver = shapingLayer(report, m_recipe.stack);
        if (!giver) return;
        const bool places = sizes.size() == 2 && sizes[0] == wanted[0];
        const Layer* layer = findLayer(m_recipe.stack, giver->id);
        const bool dense = places && layer && layer->type == "dense";
        Problem& problem = add(dense ? giver->path + "/units" : "/layers", "Output expects " + shapeText(wanted) + " numbers, but " + layerCalled(*giver, m_recipe.stack) + " gives " + type.text() + ".", whyOutputs());
        problem.brief = "expects " + shapeText(wanted) + ", gets " + type.text();
        if (dense) problem.fixes.push_back(replaceFix("Set units to " + groupedInt(outputs()), giver->path + "/units", outputs()));
        else if (places) problem.fixes.push_back(addLayersFix("Add " + withUnits(), "/layers/-", {outputLayer()}));
    }

    /// A network that sees the next symbol need not learn to guess it, and has nothing to go by when it writes.
    void seesTheAnswer(const StackReport& report)
    {
        const Result<Plan> plan = lower(m_recipe.stack, m_data->input);
        const std::optional<LayerId> where = plan.ok() ? looksAheadAt(*plan) : std::nullopt;
        const auto row = where ? report.byId.find(*where) : report.byId.end();
        if (row == report.byId.end()) return;
        const LayerReport& at = report.layers[row->second];
        const Layer* layer = findLayer(m_recipe.stack, at.id);
        const bool causal = layer && layer->type == "self_attention";
        Problem& problem = add(at.path + (causal ? "/causal" : ""), layerCalled(at, m_recipe.stack) + " would see the answer: what comes behind the place that it is to guess for.",
                               "A network that guesses the next symbol may look back only.");
        problem.layer = at.id;
        problem.brief = "would see the answer";
        problem.fixes.push_back(causal ? replaceFix("Let it look back only", at.path + "/causal", true) : removeFix("Remove it", at.path));
    }

    /// An index beyond the table of an Embedding would be no row of it.
    void embeddings()
    {
        visitLayers(m_recipe.stack, [&](const Layer& layer, const std::string& path, int) {
            const LayerEntry* entry = layer.type == "embedding" ? findLayerEntry(layer.type) : nullptr;
            if (!entry) return;
            const auto* symbols = std::get_if<std::int64_t>(&valueOf(entry->params, layer.params, "symbols"));
            if (!symbols || *symbols >= m_data->symbols) return;
            Problem& problem = add(path + "/symbols", entry->title + " “" + layer.name + "” knows " + plural(*symbols, "symbol", "symbols") + ", but " + m_data->title + " has " + groupedInt(m_data->symbols) + ".",
                                   "Each symbol needs a row of its own.");
            problem.layer = layer.id;
            problem.brief = "knows " + groupedInt(*symbols) + " of " + plural(m_data->symbols, "symbol", "symbols");
            problem.fixes.push_back(replaceFix("Set symbols to " + groupedInt(m_data->symbols), path + "/symbols", m_data->symbols));
        });
    }

    /// Ways back to the shape of a picture.
    void giveBack(Problem& problem, const ValueType& type)
    {
        const Json reshape = {{"type", "reshape"}, {"shape", m_data->input.sizes()}};
        const std::string shape = m_data->input.text();
        if (type.elements() == m_data->input.elements() && type.rank() == 1) problem.fixes.push_back(addLayersFix("Add Reshape to " + shape, "/layers/-", {reshape}));
        else if (type.rank() == 1) problem.fixes.push_back(addLayersFix("Add " + withUnits() + " and Reshape to " + shape, "/layers/-", {outputLayer(), reshape}));
        else problem.fixes.push_back(addLayersFix("Add Flatten, " + withUnits() + " and Reshape to " + shape, "/layers/-", {{{"type", "flatten"}}, outputLayer(), reshape}));
    }

    /// 200 bytes of recipe can ask for 10^12 weights: refused before anything is allocated.
    void size(const StackReport& report)
    {
        const LayerReport* largest = nullptr;
        for (const LayerReport& row : report.layers)
            if (!largest || row.parameters >= largest->parameters) largest = &row; // the innermost of a block
        if (!largest) return;
        if (report.parameters > limits::parameters) {
            tooLarge(*largest, "parameters", shortCount(report.parameters), "of them");
            return;
        }
        const std::optional<Estimate> cost = estimate(m_recipe, report, *m_data);
        if (!cost || cost->memoryBytes <= limits::memoryBytes) return;
        const bool weights = static_cast<double>(cost->parameterBytes) * 4 > static_cast<double>(cost->memoryBytes) / 2;
        if (weights) {
            tooLarge(*largest, "parameters", shortCount(report.parameters), "of them");
        } else {
            Problem& problem = add("/training/batch_size", "One training step would need about " + bytesText(cost->memoryBytes) + " of memory.",
                                   "That is beyond any machine. Make the layers or the batch smaller.");
            problem.brief = "needs about " + bytesText(cost->memoryBytes);
        }
    }

    void tooLarge(const LayerReport& row, const std::string& what, const std::string& count, const std::string& of)
    {
        Problem& problem = add(row.path, "The network would have " + count + " " + what + ": " + layerCalled(row, m_recipe.stack) + " alone has " + shortCount(row.parameters) + " " + of + ".",
                               "That is beyond any machine. Make the layer, or what goes into it, smaller.");
        problem.layer = row.id;
        problem.brief = "has " + shortCount(row.parameters) + " " + what;
    }

    void configured(const std::string& path, const std::string& what, const Configured& value, std::span<const OptionEntry> entries)
    {
        const OptionEntry* entry = findOption(entries, value.type);
        if (!entry) {
            add(path + "/type", "There is no " + what + " “" + value.type + "”.").fixes.push_back(
                replaceFix("Use " + entries.front().title, path, {{"type", entries.front().id}}));
            return;
        }
        params(path, entry->params, value.params);
    }

    void params(const std::string& path, const std::vector<ParamDescriptor>& descriptors, const ParamValues& values)
    {
        for (const auto& [id, param] : values) {
            const ParamDescriptor* descriptor = findParam(descriptors, id);
            if (!descriptor) continue;
            std::string sentence = checkParam(*descriptor, param);
            if (sentence.empty()) continue;
            add(path + "/" + id, std::move(sentence)).fixes.push_back(
                replaceFix("Set " + descriptor->title + " to " + paramText(*descriptor, descriptor->defaultValue), path + "/" + id, jsonOf(descriptor->defaultValue)));
        }
    }

    void taskAndTraining()
    {
        const TrainingSettings& training = m_recipe.training;
        configured("/task", "task", m_recipe.task, taskEntries());
        range("/training/epochs", "The number of epochs", training.epochs, 1, limits::epochs);
        range("/training/batch_size", "The batch size", training.batchSize, std::int64_t{1}, limits::batch);
        configured("/training/optimiser", "optimiser", training.optimiser, optimiserEntries());
        range("/training/learning_rate", "The learning rate", training.learningRate, limits::leastRate, limits::rate);
        learningRateHint();
        configured("/training/schedule", "schedule", training.schedule, scheduleEntries());
        for (const auto& [group, values] : training.options)
            if (const OptionEntry* entry = findOption(trainingOptions(), group)) params("/training/" + group, entry->params, values);
        trainingHints(training);
        const CheckpointSettings& checkpoint = training.checkpoint;
        range("/training/checkpoint/every_epochs", "Epochs between checkpoints", checkpoint.everyEpochs, 0, limits::epochs);
        range("/training/checkpoint/every_steps", "Steps between checkpoints", checkpoint.everySteps, std::int64_t{0}, limits::steps);
        range("/training/checkpoint/every_minutes", "Minutes between checkpoints", checkpoint.everyMinutes, 0.0, limits::minutes);
        range("/training/checkpoint/keep_last", "The number of checkpoints kept", checkpoint.keepLast, 1, limits::keep);
        if (checkpoint.everyEpochs == 0 && checkpoint.everySteps == 0 && checkpoint.everyMinutes == 0)
            hint("/training/checkpoint/every_epochs", "No checkpoints are saved along the way.", "After a power cut the run would begin anew.")
                .fixes.push_back(replaceFix("Save after each epoch", "/training/checkpoint/every_epochs", 1));
        if (!limits::isDevice(m_recipe.device))
            add("/device", "A device is “auto”, “cpu” or “cuda:N”, not “" + m_recipe.device + "”.").fixes.push_back(replaceFix("Choose by itself", "/device", "auto"));
        range("/threads", "The number of threads", m_recipe.threads, 0, limits::threads);
    }

    /// What looks at validation needs some.
    void trainingHints(const TrainingSettings& training)
    {
        if (flagOf(training, "early_stopping", "enabled") && wordOf(training, "early_stopping", "watch") == "val_accuracy" && !hasAccuracy(m_recipe.task.type))
            add("/training/early_stopping/watch", "Early stopping watches the accuracy, but this task has none.").fixes.push_back(replaceFix("Watch the loss", "/training/early_stopping/watch", "val_loss"));
        if (m_recipe.data.split.validation > 0 || m_recipe.data.split.validationCount > 0 || (m_data && m_data->validationCount > 0)) return;
        const Fix fix = replaceFix("Hold back 10 %", "/data/split/validation", 0.1);
        if (flagOf(training, "early_stopping", "enabled"))
            add("/training/early_stopping/enabled", "Early stopping watches the validation, but no samples are held back for it.").fixes.push_back(fix);
        if (training.schedule.type == "plateau")
            hint("/training/schedule/type", "Without validation samples the rate follows the training loss.", "It falls later than it should when the network learns by heart.").fixes.push_back(fix);
    }

    void learningRateHint()
    {
        const double rate = m_recipe.training.learningRate;
        struct Rates { double low, usual, high; };
        static const std::map<std::string, Rates> known{{"sgd", {1e-5, 0.05, 0.5}},      {"rmsprop", {1e-6, 0.001, 0.02}}, {"adagrad", {1e-5, 0.01, 0.5}},
                                                        {"lion", {1e-7, 0.0001, 0.002}}, {"muon", {1e-4, 0.02, 0.2}}};
        const auto found = known.find(m_recipe.training.optimiser.type);
        const auto [low, usual, high] = found == known.end() ? Rates{1e-6, 0.001, 0.02} : found->second; // Adam's
        if (!(rate >= limits::leastRate && rate <= limits::rate) || (rate <= high && rate >= low)) return;
        const OptionEntry* optimiser = findOption(optimiserEntries(), m_recipe.training.optimiser.type);
        if (!optimiser) return;
        hint("/training/learning_rate", "A learning rate of " + realText(rate) + " is unusually " + (rate > high ? "high" : "low") + " for " + optimiser->title + ".",
             rate > high ? "The loss may jump about or become NaN." : "Training may hardly move.")
            .fixes.push_back(replaceFix("Set learning rate to " + realText(usual), "/training/learning_rate", usual));
    }

    const Recipe& m_recipe;
    const std::optional<DataFacts>& m_data;
    std::vector<Problem> m_problems;
};

} // namespace

const LayerReport* shapingLayer(const StackReport& report, const Stack& stack)
{
    const LayerReport* last = nullptr;
    for (const LayerReport& row : report.layers) {
        if (row.depth > 0) continue;
        const Layer* layer = findLayer(stack, row.id);
        const LayerEntry* entry = layer ? findLayerEntry(layer->type) : nullptr;
        const bool keeps = entry && (entry->group == LayerGroup::Activation || entry->group == LayerGroup::Regularisation || entry->group == LayerGroup::Normalisation);
        if (!last || !keeps) last = &row;
    }
    return last;
}

std::vector<Problem> validate(const Recipe& recipe, const std::optional<DataFacts>& data)
{
    return Validator(recipe, data).run();
}

bool blocksStart(const std::vector<Problem>& problems)
{
    return std::any_of(problems.begin(), problems.end(), [](const Problem& problem) { return problem.severity == Severity::Problem; });
}

} // namespace sconce
