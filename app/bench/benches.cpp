// SPDX-License-Identifier: GPL-3.0-or-later
#include "app/bench/benches.h"

#include "app/bench/checkpoint_cost.h"
#include "app/bench/edits.h"
#include "app/bench/machine_floor.h"
#include "app/bench/recipes.h"
#include "app/bench/run_time.h"
#include "app/bench/steps.h"
#include "core/base/files.h"
#include "core/base/text.h"
#include "core/data/split.h"

#include <algorithm>
#include <numeric>
#include <thread>

namespace sconce::bench {

namespace {

Result<Recipe> withSet(Recipe recipe, const BenchSettings& settings)
{
    for (const std::string& set : settings.set) {
        const auto equals = set.find('=');
        if (equals == std::string::npos) return Error{ErrorCode::Invalid, "“" + set + "” has no value.", "Write --set /json/path=value.", ""};
        auto changed = withValueSet(recipe, set.substr(0, equals), set.substr(equals + 1));
        if (!changed) return changed.error();
        recipe = std::move(*changed);
    }
    if (settings.batch > 0) recipe.training.batchSize = settings.batch;
    recipe.threads = settings.threads;
    recipe.device = settings.device;
    return recipe;
}

Result<Recipe> recipeOf(const BenchEntry& entry, const BenchSettings& settings)
{
    if (entry.id == "b1" || entry.id == "b1gpu") return findStarter("mnist-convnet")->recipe;
    if (entry.id == "b4") return resnet18();
    if (entry.id == "b5") return smallGpt();
    if (settings.recipe.empty()) return Error{ErrorCode::Invalid, "The bench “" + entry.id + "” needs a recipe.", "Name one: --recipe mnist-convnet.", ""};
    if (const StarterRecipe* starter = findStarter(settings.recipe)) return starter->recipe;
    auto read = readRecipeFile(settings.recipe);
    if (!read) return read.error();
    for (const Problem& problem : read->problems)
        if (problem.severity == Severity::Problem) return Error{ErrorCode::Invalid, problem.sentence, "Mend the recipe first.", problem.path};
    return std::move(read->recipe);
}

/// What a recipe would read, where the person gives nothing.
Made madeFor(const Recipe& recipe)
{
    if (recipe.task.type == "language") return Made::Text;
    const auto facts = assumedFacts(recipe.data.dataset);
    return facts && facts->input.dims.front().size == 3 ? Made::ColourPictures : Made::Digits;
}

Result<void> findData(Bench& bench, const BenchSettings& settings, Made made)
{
    bench.dataPath = bench.data = settings.data;
    if (!settings.data.empty()) return {};
    auto scratch = ScratchFolder::create();
    if (!scratch) return scratch.error();
    bench.scratch = std::make_shared<ScratchFolder>(std::move(*scratch));
    auto data = makeData(made, bench.scratch->path());
    if (!data) return data.error();
    bench.dataPath = data->path;
    bench.data = data->what + ", as no data is given";
    return {};
}

std::string nameFor(const std::string& group) { return group == "float32" ? "Sconce" : "Sconce " + group; }

/// b1, b4, b5 and step: a recipe's training steps.
Result<Bench> openSteps(const BenchEntry& entry, const BenchSettings& settings, const std::vector<std::string>& groups)
{
    Bench bench;
    auto given = recipeOf(entry, settings);
    if (!given) return given.error();
    auto recipe = withSet(std::move(*given), settings);
    if (!recipe) return recipe.error();
    SCONCE_TRY(findData(bench, settings, madeFor(*recipe)));
    auto data = openDataset(bench.dataPath, recipe->data.import);
    if (!data) return data.error();
    auto flop = flopPerStep(*recipe, factsOf((*data)->info()).input);
    if (!flop) return flop.error();
    bench.flopPerStep = *flop;
    bench.batch = recipe->training.batchSize;
    for (const std::string& group : groups) {
        auto computed = withValueSet(*recipe, "/training/precision/compute", group);
        if (!computed) return computed.error();
        bench.contestants.push_back({nameFor(group), entry.unit, group, true, [recipe = std::move(*computed), data = *data, settings](int, const KeepGoing& keepGoing) {
                                         return measureSteps(recipe, data, settings.warm, settings.steps, keepGoing);
                                     }});
    }
    return bench;
}

Result<Bench> openFeed(const BenchEntry& entry, const BenchSettings& settings, const Augmentation& how)
{
    Bench bench;
    SCONCE_TRY(findData(bench, settings, Made::Digits));
    auto data = openDataset(bench.dataPath);
    if (!data) return data.error();
    bench.batch = settings.batch > 0 ? settings.batch : 128;
    bench.contestants.push_back({"Sconce", entry.unit, "float32", true, [data = *data, how, settings, batch = bench.batch](int, const KeepGoing& keepGoing) {
                                     return measureFeed(data, how, batch, settings.threads, settings.warm, settings.steps, keepGoing);
                                 }});
    return bench;
}

Result<Bench> openCheckpoints(const BenchEntry& entry, const BenchSettings& settings)
{
    Bench bench;
    auto recipe = withSet(findStarter("mnist-convnet")->recipe, settings);
    if (!recipe) return recipe.error();
    SCONCE_TRY(findData(bench, settings, Made::Digits));
    bench.batch = recipe->training.batchSize;
    if (!bench.scratch) { // also where data is given: the store of these runs lies there
        auto folder = ScratchFolder::create();
        if (!folder) return folder.error();
        bench.scratch = std::make_shared<ScratchFolder>(std::move(*folder));
    }
    for (const std::int64_t every : {std::int64_t{0}, settings.every})
        bench.contestants.push_back({every == 0 ? "without" : "every " + plural(every, "step", "steps"), entry.unit, "float32", true,
                                     [recipe = *recipe, data = bench.dataPath, store = bench.scratch, settings, every](int, const KeepGoing& keepGoing) {
                                         return measureCheckpoints(recipe, data, store->path() + "/store", every, settings.warm, settings.steps, keepGoing);
                                     }});
    return bench;
}

/// The work behind a key press, of three depths, and behind the moment in which the keys rest.
Result<Bench> openEdits(const BenchEntry& entry, const BenchSettings& settings)
{
    Bench bench;
    SCONCE_TRY(findData(bench, settings, Made::Digits));
    auto data = openDataset(bench.dataPath);
    if (!data) return data.error();
    for (const int layers : {5, 50, 200}) {
        const std::string name = plural(layers, "layer", "layers");
        bench.contestants.push_back({name, entry.unit, name, true, [layers, facts = factsOf((*data)->info()), settings](int, const KeepGoing& keepGoing) {
                                         return measureEdits(deepNetwork(layers), facts, settings.warm, settings.steps, keepGoing);
                                     }});
        bench.contestants.push_back({name + ", keys at rest", entry.unit, name + " at rest", true, [layers, facts = factsOf((*data)->info()), settings](int, const KeepGoing& keepGoing) {
                                         return measureSettled(deepNetwork(layers), facts, std::max<std::int64_t>(1, settings.steps / 10), keepGoing);
                                     }});
    }
    return bench;
}

/// b2: `sconce train` as a process of its own, as a person starts it. The figure is the time of its training steps.
Result<Bench> openRuns(const BenchEntry& entry, const BenchSettings& settings)
{
    if (settings.data.empty()) return Error{ErrorCode::Invalid, "The bench “" + entry.id + "” needs MNIST itself, as it is about its accuracy.", "Name its folder: --data FOLDER.", ""};
    auto recipe = withSet(findStarter("mnist-fast")->recipe, settings);
    if (!recipe) return recipe.error();
    recipe->training.epochs = settings.epochs;
    auto data = openDataset(settings.data, recipe->data.import);
    if (!data) return data.error();
    const DatasetInfo& info = (*data)->info();
    const auto samples = static_cast<std::int64_t>(splitRows(info.trainingCount, info.testCount, recipe->data.split, recipe->seed, info.validationCount).training.size()) * settings.epochs;
    Bench bench;
    bench.dataPath = bench.data = settings.data;
    bench.batch = recipe->training.batchSize;
    auto folder = ScratchFolder::create();
    if (!folder) return folder.error();
    bench.scratch = std::make_shared<ScratchFolder>(std::move(*folder));
    SCONCE_TRY(writeFileDurably(bench.scratch->path() + "/recipe.sconce", recipeText(*recipe)));
    bench.contestants.push_back({"Sconce", entry.unit, "float32", true, [scratch = bench.scratch, data = settings.data, samples](int round, const KeepGoing& keepGoing) {
                                     return measureRun(scratch->path() + "/recipe.sconce", data, scratch->path() + "/store", round, samples, keepGoing);
                                 }});
    return bench;
}

/// The machine itself: no steps, two figures of their own units.
Result<Bench> openFloor(const BenchSettings& settings)
{
    Bench bench;
    const auto figure = [&](const char* name, const char* unit, double MachineFloor::* value) {
        bench.contestants.push_back({name, unit, name, true, [settings, value](int, const KeepGoing&) -> Result<Measured> {
                                         Measured measured;
                                         measured.median = measured.mean = measured.p10 = measured.p90 = measureMachine(settings.threads).*value * 1e-9;
                                         return measured;
                                     }});
    };
    figure("multiply-add", "GFLOP/s", &MachineFloor::flops);
    figure("copy", "GB/s", &MachineFloor::bytesPerSecond);
    return bench;
}

} // namespace

std::span<const BenchEntry> benchEntries()
{
    static const std::vector<BenchEntry> entries{
        {"floor", "What the machine can do", "Fused multiply-adds in float32 and the bandwidth of a large copy: what the other benches are held against.", "", 5, 0, 1},
        {"b1", "Training step of the reference convnet", "Keras' MNIST network, a batch of 128, Adam: mnist-convnet as it is trained.", "ms/step", 5, 40, 200, false, true, "b1.py",
         {"loader", "resident", "tuned", "bf16", "keras", "jax"}, {"loader", "resident", "tuned"}},
        {"b1gpu", "Training step of the reference convnet on a GPU", "The same with the pictures on the first GPU and the step recorded where that is faster.", "ms/step", 5, 400, 4000, false, true, "b1_gpu.py",
         {"loader", "eager", "graph", "compile", "jax"}, {"loader", "eager", "graph"}, "cuda:0"},
        {"b2", "Time to 99 % on MNIST", "The starter mnist-fast from a cold start to its test, a seed a round; the accuracy must be reached in the mean.", "s", 3, 0, 0, true, false, "b2.py",
         {"published", "tuned"}, {"published", "tuned"}},
        {"b4", "Training step of ResNet-18", "Colour pictures of 32×32, a batch of 128, SGD with momentum: convolutions with many channels, and batch norm.", "ms/step", 3, 2, 8, false, true, "b4.py",
         {"stock", "tuned", "bf16"}, {"stock", "tuned"}},
        {"b5", "Training step of a small GPT", "A character transformer of nanoGPT's size for a CPU, 12 windows of 64 symbols, AdamW: products and attention.", "ms/step", 5, 20, 100, false, true, "b5.py",
         {"stock", "tuned", "bf16"}, {"stock", "tuned"}},
        {"b6", "Data path", "A shuffled batch of 128 pictures from memory to the first layer: gathered, scaled, with their classes.", "µs/batch", 5, 20, 4000, false, false, "b6.py",
         {"loader", "workers", "resident", "bytes"}, {"loader", "workers", "resident", "bytes"}},
        {"augment", "Changed pictures", "The same with each picture shifted by up to 2 pixels and turned by up to 8 degrees, differently in each epoch.", "µs/batch", 5, 20, 4000, false, false, "augment.py",
         {"loader", "workers", "batch"}, {"loader", "workers", "batch"}},
        {"checkpoints", "Cost of checkpoints", "The reference recipe with its history, with a checkpoint every --every steps and with none.", "ms/step", 5, 50, 300},
        {"edits", "A key press on the Compose page", "Shapes, problems and estimates worked out anew after a number has changed, of the thread's processor time; and what waits until the keys rest.", "ms/edit", 5, 5, 50},
        {"step", "Training step of a recipe", "Of the starter or file that --recipe names.", "ms/step", 5, 20, 100, false, true},
    };
    return entries;
}

const BenchEntry* findBench(std::string_view id)
{
    const auto entries = benchEntries();
    const auto found = std::find_if(entries.begin(), entries.end(), [&](const BenchEntry& entry) { return entry.id == id; });
    return found == entries.end() ? nullptr : &*found;
}

Measured measuredFrom(std::vector<double> seconds, double scale)
{
    Measured measured;
    if (seconds.empty()) return measured;
    std::sort(seconds.begin(), seconds.end());
    const auto at = [&](double share) { return seconds[static_cast<std::size_t>(share * static_cast<double>(seconds.size() - 1))] * scale; };
    measured.median = at(0.5);
    measured.p10 = at(0.1);
    measured.p90 = at(0.9);
    measured.mean = std::accumulate(seconds.begin(), seconds.end(), 0.0) / static_cast<double>(seconds.size()) * scale;
    return measured;
}

Result<Bench> openBench(const BenchEntry& entry, const BenchSettings& settings, const std::vector<std::string>& groups)
{
    auto bench = entry.id == "floor"         ? openFloor(settings)
                 : entry.wholeRuns           ? openRuns(entry, settings)
                 : entry.id == "b6"          ? openFeed(entry, settings, {})
                 : entry.id == "augment"     ? openFeed(entry, settings, {.shift = 2, .rotate = 8})
                 : entry.id == "checkpoints" ? openCheckpoints(entry, settings)
                 : entry.id == "edits"       ? openEdits(entry, settings)
                                             : openSteps(entry, settings, groups);
    if (!bench) return bench;
    for (Contestant& each : bench->contestants)
        each.measure = [work = std::move(each.measure)](int round, const KeepGoing& keepGoing) {
            std::optional<Result<Measured>> result; // as in the programs, training has a thread of its own, and with it others to share the work
            std::jthread([&] { result.emplace(work(round, keepGoing)); }).join();
            return std::move(*result);
        };
    return bench;
}

Result<double> flopPerStep(const Recipe& recipe, const ValueType& input)
{
    auto plan = lower(recipe.stack, input);
    if (!plan) return plan.error();
    double macs = 0;
    for (const Step& step : plan->steps) macs += static_cast<double>(costOf(step, *plan).trainingMacs);
    return 2 * macs * static_cast<double>(recipe.training.batchSize);
}

} // namespace sconce::bench
