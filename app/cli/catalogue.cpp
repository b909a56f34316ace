// SPDX-License-Identifier: GPL-3.0-or-later
// describe, recipes, layers, data inspect, devices: what there is, and what a recipe would be.
#include "app/cli/cli.h"

#include "core/base/text.h"
#include "core/data/text_dataset.h"
#include "core/engine/devices.h"
#include "core/hardware/machine.h"
#include "core/recipe/estimate.h"

namespace sconce::cli {

namespace {

Json problemJson(const Problem& problem)
{
    Json fixes = Json::array();
    for (const auto& fix : problem.fixes) fixes.push_back({{"title", fix.title}, {"patch", fix.patch}});
    return {{"severity", problem.severity == Severity::Problem ? "problem" : "hint"}, {"path", problem.path}, {"sentence", problem.sentence}, {"fixes", fixes}};
}

/// What is known of the recipe's data: the path given, the library's set, or what a starter assumes.
Result<std::optional<DataFacts>> factsFor(Context& context, const Recipe& recipe, const std::string& data)
{
    if (!data.empty()) {
        auto opened = openDataset(data, recipe.data.import);
        if (!opened) return opened.error();
        return std::optional(factsOf((*opened)->info()));
    }
    if (auto assumed = assumedFacts(recipe.data.dataset)) return assumed;
    if (auto store = context.store())
        if (auto known = (*store)->dataset(recipe.data.dataset); known && *known) return std::optional(factsOf((*known)->first));
    return std::optional<DataFacts>();
}

std::string indent(int depth, const std::string& text) { return std::string(static_cast<std::size_t>(2 * depth), ' ') + text; }

} // namespace

int describe(Context& context, const std::string& name, const std::string& data, const std::vector<std::string>& settings)
{
    auto parsed = loadRecipe(name);
    if (!parsed) return context.failUsage(parsed.error());
    auto changed = withSettings(std::move(parsed->recipe), settings);
    if (!changed) return context.failUsage(changed.error());
    const Recipe& recipe = *changed;
    auto facts = factsFor(context, recipe, data);
    if (!facts) return context.fail(facts.error());
    std::vector<Problem> problems = parsed->problems;
    for (auto& problem : validate(recipe, *facts)) problems.push_back(std::move(problem));

    std::vector<std::vector<std::string>> lines;
    Json problemList = Json::array();
    for (const auto& problem : problems) problemList.push_back(problemJson(problem));
    Json totals{{"recipe", recipe.name}};
    std::string memory;
    if (*facts) {
        const auto report = analyse(recipe.stack, (*facts)->input);
        for (const auto& layer : report.layers) {
            const Layer* value = findLayer(recipe.stack, layer.id);
            const std::string shape = layer.output ? layer.output->text() : "–";
            context.emit({{"id", layer.id}, {"name", value->name}, {"type", value->type}, {"depth", layer.depth},
                          {"shape", layer.output ? Json(layer.output->sizes()) : Json(nullptr)}, {"params", layer.parameters}, {"macs", layer.cost.macs},
                          {"bytes", layer.cost.activationBytes}});
            lines.push_back({indent(layer.depth, value->name), value->type, shape, groupedInt(layer.parameters), groupedInt(layer.cost.macs),
                             bytesText(static_cast<std::uint64_t>(layer.cost.activationBytes))});
        }
        totals["input"] = (*facts)->input.sizes();
        totals["output"] = report.output ? Json(report.output->sizes()) : Json(nullptr);
        totals["params"] = report.parameters;
        totals["macs"] = report.cost.macs;
        totals["bytes"] = report.cost.activationBytes;
        if (const auto guess = estimate(recipe, report, **facts)) {
            const MemoryForecast& m = guess->memory;
            totals["memory_bytes"] = guess->memoryBytes;
            memory = " Memory, estimate: " + bytesText(guess->memoryBytes) + " (" + memoryText(m) + ").";
            totals["memory"] = {{"parameters", m.parameters}, {"gradients", m.gradients}, {"optimiser", m.optimiser}, {"average", m.average},
                                {"activations", m.activations}, {"workspace", m.workspace}};
            if (m.graph > 0) totals["memory"]["graph"] = m.graph;
            if (m.withoutRecomputing > 0) {
                totals["memory"]["without_recomputing"] = m.withoutRecomputing;
                totals["recomputed_share"] = m.recomputing;
            }
            if (const auto again = recomputingEstimate(recipe, report, **facts)) {
                const bool on = wordOf(recipe.training, "memory", "recompute") == "blocks";
                totals["recomputing"] = {{"on", on}, {"saves_bytes", again->saves}, {"time_share", again->time}};
                if (again->saves > 0 && !on) memory += " Computing the inside of blocks again (memory, recompute) " + recomputingText(*again, on) + ".";
            }
            totals["flop_per_step"] = guess->flopPerStep;
            totals["steps_per_epoch"] = guess->stepsPerEpoch;
        }
    }
    totals["problems"] = problemList;
    context.emit(totals);
    if (!lines.empty()) {
        context.print(recipe.name + ": input " + (*facts)->input.text() + " (" + (*facts)->title + ")");
        context.print(table({"layer", "type", "output", "parameters", "multiply-adds", "activations"}, lines, {false, false, true, true, true, true}));
        context.print("Parameters in all: " + groupedInt(totals["params"].get<std::int64_t>()) + ". Multiply-adds a sample: " +
                      groupedInt(totals["macs"].get<std::int64_t>()) + "." +
                      memory);
    }
    return context.problems(problems, false); // they stand in the last line
}

int recipes(Context& context)
{
    std::vector<std::vector<std::string>> lines;
    for (const auto& starter : starterRecipes()) {
        context.emit({{"recipe", starter.id}, {"title", starter.title}, {"help", starter.help}, {"data", starter.recipe.data.dataset}});
        lines.push_back({starter.id, starter.recipe.data.dataset, starter.help});
    }
    context.print(table({"recipe", "data", "what it is"}, lines, {false, false, false}));
    return Done;
}

int layers(Context& context)
{
    for (const auto& entry : layerCatalogue()) {
        Json params = Json::array();
        context.print(entry.id + "  (" + groupTitle(entry.group) + ") " + entry.help);
        for (const auto& p : entry.allParams()) {
            Json one{{"id", p.id}, {"title", p.title}, {"help", p.help}, {"default", std::visit([](const auto& v) { return Json(v); }, p.defaultValue)}};
            std::string range;
            if (p.kind == ParamKind::Int || p.kind == ParamKind::Real || p.kind == ParamKind::Ints) {
                const bool whole = p.kind != ParamKind::Real;
                one["min"] = whole ? Json(static_cast<std::int64_t>(p.min)) : Json(p.min);
                one["max"] = whole ? Json(static_cast<std::int64_t>(p.max)) : Json(p.max);
                range = realText(p.min) + " … " + realText(p.max);
            }
            for (const auto& choice : p.choices) {
                one["choices"].push_back(choice.id);
                range += (range.empty() ? "" : " | ") + choice.id;
            }
            params.push_back(one);
            context.print("    " + p.id + " = " + paramText(p, p.defaultValue) + (range.empty() ? "" : "  [" + range + "]") + "  " + p.help);
        }
        context.emit({{"layer", entry.id}, {"title", entry.title}, {"group", groupId(entry.group)}, {"help", entry.help}, {"keras", entry.keras.className},
                      {"pytorch", entry.pytorch.className}, {"parameters", params}});
    }
    return Done;
}

namespace {

void addTable(Json& json, const DatasetInfo& info)
{
    json["target"] = info.target;
    json["yes_no_columns"] = info.yesNoColumns;
    json["numbers"] = info.numbers;
    json["columns"] = Json::array();
    for (const TableColumn& column : info.columns)
        json["columns"].push_back({{"name", column.name}, {"kind", column.words.empty() ? "number" : "words"}, {"words", column.words}, {"missing", column.missing}});
    if (!info.numbers) return;
    json["target_mean"] = info.targetMean;
    json["target_deviation"] = info.targetDeviation;
    json["target_least"] = info.targetLeast;
    json["target_most"] = info.targetMost;
}

void printTable(const Context& context, const DatasetInfo& info)
{
    if (info.labelNames.empty()) context.print("predicts “" + info.target + "”" + (info.numbers ? ": " + realText(info.targetLeast) + " to " + realText(info.targetMost) + ", mean " + realText(info.targetMean) + ", deviation " + realText(info.targetDeviation)
                                                                   : std::string()));
    std::vector<std::vector<std::string>> lines;
    for (const TableColumn& column : info.columns)
        lines.push_back({column.name, column.words.empty() ? "number" : plural(static_cast<std::int64_t>(column.words.size()), "word", "different words"), groupedInt(column.missing)});
    context.print(table({"column", "holds", "missing"}, lines, {false, false, true}));
}

void printText(const Context& context, const DatasetInfo& info)
{
    std::string symbols;
    for (const std::string& symbol : info.symbols) symbols += (symbols.empty() ? "" : " ") + symbolTitle(symbol);
    context.print(plural(static_cast<std::int64_t>(info.symbols.size()), "symbol", "symbols") + " in windows of " + groupedInt(info.sample.elements()) + ": " + symbols);
}

} // namespace

int dataInspect(Context& context, const std::string& path, const ImportOptions& import)
{
    auto opened = openDataset(path, import);
    if (!opened) return context.fail(opened.error());
    const auto& info = (*opened)->info();
    Json balance = Json::object();
    std::vector<std::vector<std::string>> lines;
    for (std::size_t i = 0; i < info.classes.size(); ++i) {
        const auto test = i < info.testPerClass.size() ? info.testPerClass[i] : 0;
        balance[info.classes[i]] = {{"training", info.trainingPerClass[i]}, {"test", test}};
        lines.push_back({info.classes[i], groupedInt(info.trainingPerClass[i]), groupedInt(test)});
    }
    Json json{{"data", info.id}, {"title", info.title}, {"kind", info.kind}, {"samples", info.trainingCount + info.testCount}, {"training", info.trainingCount},
                  {"test", info.testCount}, {"own_validation", info.validationCount}, {"shape", info.sample.sizes()}, {"classes", info.classes}, {"balance", balance}, {"mean", number(info.mean)},
                  {"deviation", number(info.deviation)}, {"bytes", info.bytes}, {"fingerprint", info.fingerprint}, {"problems", info.problems}};
    if (!info.labelNames.empty()) {
        json["labels"] = info.labelNames;
        json["label_balance"] = Json::object();
        for (std::size_t i = 0; i < info.labelNames.size(); ++i) {
            json["label_balance"][info.labelNames[i]] = {{"training", info.trainingPerLabel[i]}, {"test", info.testPerLabel[i]}};
            lines.push_back({info.labelNames[i], groupedInt(info.trainingPerLabel[i]), groupedInt(info.testPerLabel[i])});
        }
    }
    if (info.kind == "table") addTable(json, info);
    if (info.kind == "text") {
        json["symbols"] = info.symbols;
        json["context"] = info.sample.elements();
    }
    context.emit(json);
    context.print(info.title + ": " + groupedInt(info.trainingCount) + " training and " + groupedInt(info.testCount) + " test samples, " + info.sample.text() + ", " +
                  (info.kind == "text" ? "a text" : !info.labelNames.empty() ? plural(static_cast<std::int64_t>(info.labelNames.size()), "label", "labels") : plural(static_cast<std::int64_t>(info.classes.size()), "class", "classes")) + ", " + bytesText(info.bytes));
    if (info.validationCount > 0) context.print("Of the training samples, " + groupedInt(info.validationCount) + " are its own validation part.");
    context.print("fingerprint " + info.fingerprint);
    if (info.kind == "text") printText(context, info);
    if (info.kind == "table") printTable(context, info);
    if (!lines.empty()) context.print(table({info.labelNames.empty() ? "class" : "label", "training", "test"}, lines, {false, true, true}));
    for (const auto& problem : info.problems) context.note(problem);
    return Done;
}

int devices(Context& context)
{
    const Machine machine({}, Store::defaultFolder());
    const auto& facts = machine.facts();
    const auto versions = engineVersions();
    for (const auto& device : computeDevices()) {
        context.emit({{"device", device.id}, {"name", device.name}, {"uuid", device.uuid}, {"memory_bytes", device.memoryBytes}, {"free_bytes", device.freeBytes},
                      {"usable", device.usable}, {"why_not", device.whyNot}, {"detail", device.detail}});
        context.print(device.id + "  " + device.name + ", " + bytesText(device.memoryBytes) + (device.usable ? ", may be used" : ": " + device.whyNot) +
                      (device.detail.empty() ? "" : " (" + device.detail + ")"));
    }
    context.emit({{"cores", facts.cpu.cores}, {"usable_cores", facts.cpu.usable}, {"cpu_features", facts.cpu.features}, {"gpu_driver", facts.gpuDriver},
                  {"gpu_state", facts.gpuState}, {"libtorch", versions.torch}, {"cuda", versions.cuda}, {"cudnn", versions.cudnn}, {"system", facts.system}});
    context.print("CPU: " + std::to_string(facts.cpu.usable) + " of " + plural(facts.cpu.cores, "core", "cores") + " may be used. LibTorch " + versions.torch +
                  (versions.cuda.empty() ? "" : ", CUDA " + versions.cuda) + (versions.cudnn.empty() ? "" : ", cuDNN " + versions.cudnn) + ".");
    if (!facts.gpuState.empty()) context.print(facts.gpuState);
    return Done;
}

} // namespace sconce::cli
