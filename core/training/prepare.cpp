// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/training/run_host.h"

#include "core/base/hash.h"
#include "core/base/json_text.h"
#include "core/base/text.h"
#include "core/engine/devices.h"
#include "core/hardware/machine.h"
#include "core/model/catalogue.h"
#include "core/training/run_data.h"
#include "core/training/start_weights.h"

namespace sconce {

namespace {

Error asError(const std::vector<Problem>& problems)
{
    Error error{ErrorCode::Invalid, "", "", ""};
    int count = 0;
    for (const Problem& problem : problems) {
        if (problem.severity != Severity::Problem) continue;
        if (count++ == 0) error.message = problem.sentence;
        error.detail += (error.detail.empty() ? "" : "\n") + problem.path + ": " + problem.sentence;
    }
    if (count > 1) error.message = "The recipe has " + plural(count, "problem", "problems") + ". The first: " + error.message;
    for (const Problem& problem : problems)
        if (problem.severity == Severity::Problem && !problem.fixes.empty()) {
            error.remedy = "A way out: " + problem.fixes.front().title + ".";
            break;
        }
    return error;
}

} // namespace

Json describeEnvironment()
{
    const EngineVersions versions = engineVersions();
    const Machine machine;
    const MachineFacts& facts = machine.facts();
    Json gpus = Json::array();
    for (const GpuFacts& gpu : facts.gpus) gpus.push_back(Json{{"name", gpu.name}, {"uuid", gpu.uuid}, {"memory", gpu.memoryBytes}});
    return Json{{"sconce", SCONCE_VERSION},
                {"torch", versions.torch},
                {"cuda", versions.cuda},
                {"cudnn", versions.cudnn},
                {"driver", versions.driver.empty() ? facts.gpuDriver : versions.driver},
                {"cpu_capability", versions.cpuCapability},
                {"host", facts.hostName},
                {"system", facts.system},
                {"kernel", facts.kernel},
                {"cpu", facts.cpu.model},
                {"cores", facts.cpu.cores},
                {"usable_cores", facts.cpu.usable},
                {"memory", facts.cpu.memoryBytes},
                {"gpus", std::move(gpus)}};
}

std::string timingKey(const Recipe& recipe, const DataFacts& data, const std::string& device)
{
    // What the time of a step depends on; names, ids, seeds and rates left out.
    Json layers = Json::array();
    visitLayers(recipe.stack, [&](const Layer& layer, const std::string&, int depth) {
        const LayerEntry* entry = findLayerEntry(layer.type);
        layers.push_back(Json{layer.type, depth, entry ? paramsToJson(entry->params, layer.params) : Json()});
        if (layer.frozen) layers.back().push_back("frozen"); // no gradients of its weights
    });
    Json what{{"layers", std::move(layers)}, {"input", data.input.text()},        {"batch", recipe.training.batchSize},
                    {"optimiser", recipe.training.optimiser.type}, {"threads", recipe.threads}, {"device", device}};
    for (const char* group : {"precision", "memory", "gradients", "averaging", "speed"}) // only where they are not as always: what was timed before stays known
        if (const auto set = recipe.training.options.find(group); set != recipe.training.options.end())
            what[group] = paramsToJson(findOption(trainingOptions(), group)->params, set->second);
    if (const Augmentation how = augmentationOf(recipe.data); how.any()) what["augmentation"] = {how.moves(), how.colours(), how.cutOut > 0}; // how far makes no difference
    return device + "/" + sha256(jsonText(what)).substr(0, 32);
}

Result<RunId> prepareRun(Store& store, Recipe recipe, const PrepareOptions& options)
{
    auto found = findData(store, recipe, options.dataPath, options.progress);
    if (!found) return found.error();
    const DatasetInfo& info = found->info;
    if (!recipe.data.fingerprint.empty() && options.dataPath.empty() && recipe.data.fingerprint != info.fingerprint)
        return Error{ErrorCode::Invalid, "The data set " + info.title + " is not the one that the recipe was made with: its content has changed.",
                     "Restore it, or clear the fingerprint in the recipe (/data/fingerprint) to train on the data as it is now.", ""};
    recipe.data.dataset = info.id;
    recipe.data.fingerprint = info.fingerprint;
    recipe.data.import = found->options;

    std::vector<Problem> problems = validate(recipe, factsOf(info));
    if (options.problems) *options.problems = problems;
    if (blocksStart(problems)) return asError(problems);
    auto device = resolveDevice(recipe.device);
    if (!device) return device.error();
    auto plan = lower(recipe.stack, factsOf(info).input);
    if (!plan) return plan.error();
    if (!options.weights.empty()) {
        auto start = takeStartWeights(store, options.weights);
        if (!start) return start.error();
        start->onlyWhatFits = startWeightsOf(recipe.training).onlyWhatFits;
        setStartWeights(recipe.training, *start);
    }
    SCONCE_TRY(checkStartWeights(store, recipe.training, *plan));

    NewRun run;
    run.name = options.name;
    run.recipe = recipe;
    run.data = info;
    run.environment = describeEnvironment();
    run.parameters = plan->parameterCount();
    auto id = store.createRun(run);
    if (!id) return id.error();
    if (auto row = store.run(*id); row) {
        if (auto kept = keepStartWeights(store, recipe.training, row->folder); !kept) {
            (void)store.deleteRun(*id); // nothing has begun
            return kept.error();
        }
    }
    lendData(*id, std::move(found->data));
    return id;
}

} // namespace sconce
