// SPDX-License-Identifier: GPL-3.0-or-later
// Recipes: JSON, starters, validation and its fixes, settings by path, learning rates, estimates, differences.
#include "core/base/text.h"
#include "core/model/memory.h"
#include "core/recipe/estimate.h"

#include <QTemporaryDir>
#include <QTest>

#include <algorithm>
#include <fstream>
#include <limits>
#include <map>
#include <optional>

using namespace sconce;

namespace {

std::int64_t whole(std::int64_t value) { return value; }

Recipe starter(const char* id)
{
    const StarterRecipe* found = findStarter(id);
    return found ? found->recipe : Recipe{};
}

DataFacts mnist() { return *assumedFacts("mnist"); }

const Problem* find(const std::vector<Problem>& problems, const std::string& sentencePart)
{
    for (const Problem& problem : problems)
        if (problem.sentence.find(sentencePart) != std::string::npos) return &problem;
    return nullptr;
}

std::string listed(const std::vector<Problem>& problems)
{
    std::string text;
    for (const Problem& problem : problems) text += problem.path + ": " + problem.sentence + "\n";
    return text;
}

/// Recipes that are broken in many ways, each by one edit.
std::vector<std::pair<std::string, Recipe>> brokenRecipes()
{
    std::vector<std::pair<std::string, Recipe>> all;
    const auto add = [&](const char* name, auto edit, const char* base = "mnist-convnet") {
        Recipe recipe = starter(base);
        edit(recipe);
        all.emplace_back(name, std::move(recipe));
    };
    const auto layer = [](Recipe& r, std::size_t i) -> Layer& { return r.stack.layers[i]; };
    add("empty", [](Recipe& r) { r.stack.layers.clear(); });
    add("no flatten", [](Recipe& r) { r.stack.layers.erase(r.stack.layers.begin() + 4); });
    add("12 units", [&](Recipe& r) { layer(r, 6).params["units"] = whole(12); });
    add("no dense", [](Recipe& r) { r.stack.layers.pop_back(); });
    add("only convolutions", [](Recipe& r) { r.stack.layers.resize(3); });
    add("softmax", [](Recipe& r) { r.stack.layers.push_back(makeLayer(r.stack, "softmax")); });
    add("softmax in dense", [&](Recipe& r) { layer(r, 6).params["activation"] = std::string("softmax"); });
    add("relu at the end", [&](Recipe& r) { layer(r, 6).params["activation"] = std::string("relu"); });
    add("relu layer at the end", [](Recipe& r) { r.stack.layers.push_back(makeLayer(r.stack, "relu")); });
    add("dropout at the end", [](Recipe& r) { r.stack.layers.push_back(makeLayer(r.stack, "dropout")); });
    add("straight dense", [&](Recipe& r) { layer(r, 1).params["activation"] = std::string("none"); }, "mnist-mlp");
    add("kernel too large", [&](Recipe& r) { layer(r, 2).params["kernel"] = std::vector<std::int64_t>{20, 20}; });
    add("kernel out of range", [&](Recipe& r) { layer(r, 2).params["kernel"] = std::vector<std::int64_t>{0, 3}; });
    add("groups", [&](Recipe& r) { layer(r, 2).params["groups"] = whole(5); });
    add("pool too large", [&](Recipe& r) { layer(r, 1).params["kernel"] = std::vector<std::int64_t>{90, 90}; });
    add("wrong kind of value", [&](Recipe& r) { layer(r, 0).params["filters"] = std::string("x"); });
    add("same name", [&](Recipe& r) { layer(r, 2).name = "conv1"; });
    add("bad name", [&](Recipe& r) { layer(r, 2).name = "a.b"; });
    add("same id", [&](Recipe& r) { layer(r, 2).id = "l1"; });
    add("conv on a row", [](Recipe& r) { r.stack.layers[1] = makeLayer(r.stack, "conv2d"); }, "mnist-mlp");
    add("conv1d on a picture", [](Recipe& r) { r.stack.layers[0] = makeLayer(r.stack, "conv1d"); });
    add("pool on a row", [](Recipe& r) { r.stack.layers[5] = makeLayer(r.stack, "global_max_pool"); });
    add("reshape", [](Recipe& r) { r.stack.layers[0] = makeLayer(r.stack, "reshape"); r.stack.layers[0].params["shape"] = std::vector<std::int64_t>{3, 28, 28}; });
    add("residual without projection", [](Recipe& r) {
        Layer block = makeLayer(r.stack, "residual");
        block.params["projection"] = std::string("never");
        block.branches[0].layers.push_back({"x", "conv2d", "x", {{"padding", std::string("same")}}, {}});
        r.stack.layers.insert(r.stack.layers.begin(), block);
    });
    add("group norm", [](Recipe& r) {
        Layer norm = makeLayer(r.stack, "group_norm");
        norm.params["groups"] = whole(5);
        r.stack.layers.insert(r.stack.layers.begin() + 1, norm);
    });
    add("unknown layer", [&](Recipe& r) { layer(r, 5).type = "magic"; });
    add("batch", [](Recipe& r) { r.training.batchSize = 60'000; });
    add("batch 0", [](Recipe& r) { r.training.batchSize = 0; });
    add("epochs", [](Recipe& r) { r.training.epochs = 0; });
    add("rate 0", [](Recipe& r) { r.training.learningRate = 0; });
    add("rate NaN", [](Recipe& r) { r.training.learningRate = std::numeric_limits<double>::quiet_NaN(); });
    add("rate high", [](Recipe& r) { r.training.learningRate = 0.5; });
    add("rate low", [](Recipe& r) { r.training.learningRate = 1e-8; });
    add("optimiser", [](Recipe& r) { r.training.optimiser = {"adamm", {}}; });
    add("optimiser setting", [](Recipe& r) { r.training.optimiser.params["beta1"] = 2.0; });
    add("schedule", [](Recipe& r) { r.training.schedule = {"line", {}}; });
    add("task", [](Recipe& r) { r.task = {"cooking", {}}; });
    add("device", [](Recipe& r) { r.device = "tpu"; });
    add("threads", [](Recipe& r) { r.threads = -1; });
    add("deviation", [](Recipe& r) { r.data.input.deviation = 0; });
    add("split", [](Recipe& r) { r.data.split.validation = 0.95; });
    add("no validation", [](Recipe& r) { r.data.split.validation = 0; });
    add("no checkpoints", [](Recipe& r) { r.training.checkpoint.everyEpochs = 0; r.training.checkpoint.everyMinutes = 0; });
    add("batch norm with a batch of 1", [](Recipe& r) {
        r.stack.layers.insert(r.stack.layers.begin() + 1, makeLayer(r.stack, "batch_norm"));
        r.training.batchSize = 1;
    });
    return all;
}

} // namespace

class RecipeTest : public QObject
{
    Q_OBJECT

  private Q_SLOTS:
    void startersAreWithoutProblems()
    {
        QCOMPARE(starterRecipes().size(), std::size_t{6});
        for (const StarterRecipe& each : starterRecipes()) {
            const auto facts = assumedFacts(each.recipe.data.dataset);
            QVERIFY2(facts, each.id.c_str());
            const std::vector<Problem> problems = validate(each.recipe, facts);
            QVERIFY2(problems.empty(), listed(problems).c_str());
            QCOMPARE(each.recipe.name, each.id);
            QVERIFY(each.help.size() > 20);
            const Result<ParsedRecipe> again = recipeFromJson(toJson(each.recipe));
            QVERIFY(again.ok() && again->problems.empty());
            QVERIFY(again->recipe == each.recipe);
        }
        QVERIFY(!findStarter("nothing"));
        QCOMPARE(findStarter("digits-convnet")->recipe.training.epochs, 5);
    }

    void referenceRecipeToTheDigit()
    {
        const Recipe r = starter("mnist-convnet");
        const StackReport report = analyse(r.stack, mnist().input);
        std::vector<std::int64_t> counts;
        for (const LayerReport& layer : report.layers) counts.push_back(layer.parameters);
        QCOMPARE(counts, (std::vector<std::int64_t>{320, 0, 18496, 0, 0, 0, 16010}));
        QCOMPARE(report.parameters, std::int64_t{34826});
        QCOMPARE(r.training.epochs, 15);
        QCOMPARE(r.training.batchSize, std::int64_t{128});
        QCOMPARE(r.training.optimiser.type, std::string("adam"));
        QCOMPARE(std::get<double>(valueOf(findOption(optimiserEntries(), "adam")->params, r.training.optimiser.params, "epsilon")), 1e-7);
        QCOMPARE(r.training.learningRate, 0.001);
        QCOMPARE(r.data.split.validation, 0.1);
        QVERIFY(r.data.split.kind == SplitSettings::Kind::Last);
        QCOMPARE(analyse(starter("mnist-mlp").stack, mnist().input).parameters, std::int64_t{203530});
        const StackReport resnet = analyse(starter("small-resnet").stack, assumedFacts("cifar10")->input);
        QVERIFY(resnet.ok() && resnet.parameters > 80'000 && resnet.parameters < 300'000);

        const auto cost = estimate(r, report, mnist());
        QVERIFY(cost);
        QCOMPARE(cost->stepsPerEpoch, std::int64_t{422}); // 54,000 / 128; 15 epochs are 6,330 steps
        QCOMPARE(cost->samples.training, std::int64_t{54000});
        QVERIFY(std::abs(cost->flopPerStep / 1.825e9 - 1) < 0.01); // "1.8 GFLOP" of look/compose-dark
        QVERIFY2(cost->memoryBytes > 9'500'000 && cost->memoryBytes < 11'000'000, std::to_string(cost->memoryBytes).c_str()); // measured: 16.7 MB
        QCOMPARE(cost->memoryBytes, cost->memory.total());
    }

    void capturedStepKeepsItsMemory_data()
    {
        QTest::addColumn<QString>("what");
        QTest::addColumn<bool>("counted");
        for (const char* what : {"as it is", "a whole last batch", "hardly any validation"}) QTest::newRow(what) << QString(what) << true;
        for (const char* what : {"processor", "automatic", "switched off", "pieces", "fewer samples than a batch", "recomputed", "dropout not by counters"}) QTest::newRow(what) << QString(what) << false;
    }

    /// Of a GPU: what a step takes stays with its graph, and the fullest of what is not captured comes on top, a validation or the last batch.
    void capturedStepKeepsItsMemory()
    {
        QFETCH(QString, what);
        QFETCH(bool, counted);
        Recipe r = starter("mnist-convnet");
        r.device = what == "processor" ? "cpu" : what == "automatic" ? "auto" : "cuda:0";
        DataFacts facts = mnist();
        if (what == "switched off") setOption(r.training, "speed", "cuda_graph", false);
        if (what == "dropout not by counters") setOption(r.training, "speed", "counted_dropout", false);
        if (what == "pieces") setOption(r.training, "gradients", "micro_batch", std::int64_t{32});
        if (what == "recomputed") setOption(r.training, "memory", "recompute", std::string("blocks"));
        if (what == "fewer samples than a batch") r.training.batchSize = 100'000;
        if (what == "a whole last batch") r.training.batchSize = 100; // of 54,000
        if (what == "hardly any validation") {
            r.training.batchSize = 1000;
            r.data.split.validation = 0;
            facts.testCount = 1;
            facts.trainingCount = 59'999;
        }
        const StackReport report = analyse(r.stack, facts.input);
        const auto guess = estimate(r, report, facts);
        QVERIFY(guess);
        const MemoryForecast& memory = guess->memory;
        QCOMPARE(memory.graph > 0, counted);
        QCOMPARE(memoryText(memory).find("kept by the CUDA graph") != std::string::npos, counted);
        Recipe without = r;
        setOption(without.training, "speed", "cuda_graph", false);
        QCOMPARE(guess->memoryBytes - memory.graph, estimate(without, report, facts)->memoryBytes);
        if (!counted) return;

        PassOptions options; // as a GPU has them
        options.channelsLast = options.fuse = false;
        options.poolsFollow = true;
        const ExecutionPlan execution = prepare(*lower(r.stack, facts.input), options);
        const std::int64_t last = guess->samples.training % r.training.batchSize;
        const double gradients = 4.0 * static_cast<double>(guess->parameters);
        const auto stepOf = [&](std::int64_t rows) {
            const StepMemory memoryOfStep = stepMemory(execution, rows, true);
            return std::max(memoryOfStep.peak, memoryOfStep.batch + gradients);
        };
        const double step = stepOf(r.training.batchSize);
        const std::int64_t evaluated = what == "hardly any validation" ? 1 : std::max<std::int64_t>(r.training.batchSize, 256);
        const double validation = stepMemory(execution, r.training.batchSize, true).batch + stepMemory(execution, evaluated, false).peak;
        const double beside = std::max(validation, last > 0 ? stepOf(last) : 0.0);
        QCOMPARE(last == 0, what == "a whole last batch");
        QVERIFY(what == "as it is" || (beside > validation) == (what == "hardly any validation")); // where the last batch is the fullest
        const double expected = step + beside - std::max(step, validation);
        QVERIFY2(std::abs(static_cast<double>(memory.graph) - expected) <= 1, qPrintable(QString("%1, not %2").arg(memory.graph).arg(expected)));
    }

    void jsonWritesEverythingInOrder()
    {
        const Json json = toJson(starter("mnist-convnet"));
        std::vector<std::string> keys;
        for (auto it = json.begin(); it != json.end(); ++it) keys.push_back(it.key());
        QCOMPARE(keys, (std::vector<std::string>{"format", "version", "name", "notes", "data", "layers", "task", "training", "device", "threads", "seed"}));
        QCOMPARE(json["layers"][2]["kernel"].dump(), std::string("[3,3]"));
        QCOMPARE(json["layers"][2]["stride"].dump(), std::string("[1,1]"));
        QVERIFY(json["training"]["optimiser"].contains("beta2"));
        Recipe r = starter("small-resnet");
        r.seed = std::numeric_limits<std::uint64_t>::max();
        r.data.fingerprint = "abc";
        r.training.schedule = {"cosine", {{"final", 0.25}}};
        r.training.checkpoint = {3, 50, 0, 7, false};
        setOption(r.training, "early_stopping", "enabled", true);
        setOption(r.training, "gradients", "clip_norm", 2.5);
        r.device = "cuda:1";
        const Result<Json> text = parseJson(recipeText(r), "it");
        QVERIFY(text.ok());
        QVERIFY(recipeFromJson(text.value())->recipe == r);
    }

    void badFilesAreProblemsWithPaths_data()
    {
        QTest::addColumn<QByteArray>("text");
        QTest::addColumn<QByteArray>("path");
        const auto row = [](const char* text, const char* path) { QTest::newRow(text) << QByteArray(text) << QByteArray(path); };
        row(R"({"traning":{}})", "/traning");
        row(R"({"training":{"epoch":3}})", "/training/epoch");
        row(R"({"training":{"epochs":"three"}})", "/training/epochs");
        row(R"({"training":{"epochs":0}})", "/training/epochs");
        row(R"({"training":{"batch_size":1e12}})", "/training/batch_size");
        row(R"({"training":{"optimiser":{"type":"adamm"}}})", "/training/optimiser/type");
        row(R"({"training":{"optimiser":{"type":"adam","momentum":1}}})", "/training/optimiser/momentum");
        row(R"({"training":{"optimiser":"adam"}})", "/training/optimiser");
        row(R"({"training":[]})", "/training");
        row(R"({"seed":-1})", "/seed");
        row(R"({"seed":1.5})", "/seed");
        row(R"({"device":"gpu"})", "/device");
        row(R"({"layers":{}})", "/layers");
        row(R"({"layers":[{"type":"dense","units":1000000000000}]})", "/layers/0/units");
        row(R"({"layers":[{"type":"relu"},{"type":"conv2d","kernell":3}]})", "/layers/1/kernell");
        row(R"({"data":{"split":{"validation":1}}})", "/data/split/validation");
        row(R"({"data":{"split":{"kind":"first"}}})", "/data/split/kind");
        row(R"({"data":{"input":{"deviation":0}}})", "/data/input/deviation");
        row(R"({"name":7})", "/name");
    }
    void badFilesAreProblemsWithPaths()
    {
        QFETCH(QByteArray, text);
        QFETCH(QByteArray, path);
        const Result<Json> json = parseJson(text.toStdString(), "it");
        QVERIFY(json.ok());
        const Result<ParsedRecipe> parsed = recipeFromJson(json.value());
        QVERIFY(parsed.ok());
        QVERIFY(!parsed->problems.empty());
        QCOMPARE(QByteArray::fromStdString(parsed->problems[0].path), path);
        if (path.startsWith("/layers/1")) QCOMPARE(parsed->problems[0].layer, parsed->recipe.stack.layers[1].id);
        QVERIFY(blocksStart(parsed->problems));
    }

    void unknownKeysAreSuggestedFor()
    {
        const auto parsed = recipeFromJson(Json::parse(R"({"training":{"epoch":3}})"));
        QVERIFY(parsed->problems[0].sentence.find("epochs") != std::string::npos);
    }

    void otherFilesAreErrors()
    {
        QCOMPARE(recipeFromJson(Json::parse("[]")).error().code, ErrorCode::Invalid);
        QCOMPARE(recipeFromJson(Json::parse(R"({"format":"something"})")).error().code, ErrorCode::Invalid);
        QCOMPARE(recipeFromJson(Json::parse(R"({"format":"sconce-recipe","version":2})")).error().code, ErrorCode::TooNew);
        QVERIFY(!recipeFromJson(Json::parse(R"({"version":"one"})"))->problems.empty());
        QTemporaryDir folder;
        const std::string path = folder.filePath("deep.sconce").toStdString();
        std::ofstream(path) << R"({"layers":)" << std::string(10'000, '[') << std::string(10'000, ']') << "}";
        QVERIFY(!readRecipeFile(path).ok());
        QVERIFY(!readRecipeFile(folder.filePath("none.json").toStdString()).ok());
        std::ofstream(path) << recipeText(starter("mnist-mlp"));
        QVERIFY(readRecipeFile(path)->recipe == starter("mnist-mlp"));
        std::ofstream(path) << recipeText(starter("mnist-mlp")).substr(0, 300);
        QVERIFY(!readRecipeFile(path).ok());
    }

    void problemsAsDrawn()
    {
        Recipe r = starter("mnist-convnet");
        r.stack.layers.erase(r.stack.layers.begin() + 4);
        r.stack.layers[5].params["units"] = whole(12);
        r.stack.layers.push_back(makeLayer(r.stack, "softmax"));
        const std::vector<Problem> problems = validate(r, mnist());
        QVERIFY2(problems.size() == 3, listed(problems).c_str());
        QCOMPARE(problems[0].sentence, std::string("Dense (layer 6) expects one row of numbers, but Dropout (layer 5) gives 64×5×5."));
        QCOMPARE(problems[0].layer, r.stack.layers[5].id);
        QCOMPARE(problems[0].fixes[0].title, std::string("Insert Flatten"));
        QCOMPARE(problems[1].sentence, std::string("Output expects 10 numbers, but Dense (layer 6) gives 12."));
        QCOMPARE(problems[1].because, std::string("MNIST has 10 classes, so the last layer needs 10 units."));
        QCOMPARE(problems[1].path, std::string("/layers/5/units"));
        QCOMPARE(problems[1].fixes.at(0).title, std::string("Set units to 10"));
        QCOMPARE(problems[2].sentence, std::string("Softmax (layer 7) is already part of the loss, cross-entropy."));
        QVERIFY(problems[2].severity == Severity::Hint);
        QVERIFY(blocksStart(problems));
        // All fixes one after the other mend the recipe.
        for (int i = 0; i < 5; ++i) {
            const std::vector<Problem> left = validate(r, mnist());
            if (left.empty()) break;
            const Result<Recipe> mended = applyFix(r, left[0].fixes.at(0));
            QVERIFY(mended.ok());
            r = mended.value();
        }
        QVERIFY(validate(r, mnist()).empty());
        QCOMPARE(analyse(r.stack, mnist().input).parameters, std::int64_t{34826});
    }

    void everyFixRemovesItsProblem()
    {
        int fixes = 0;
        for (const auto& [name, recipe] : brokenRecipes()) {
            const std::vector<Problem> problems = validate(recipe, mnist());
            QVERIFY2(!problems.empty(), name.c_str());
            for (const Problem& problem : problems) {
                QVERIFY2(!problem.sentence.empty() && !problem.brief.empty() && problem.path.starts_with('/'), name.c_str());
                QVERIFY2(!problem.fixes.empty(), (name + ": " + problem.sentence).c_str());
                for (const Fix& fix : problem.fixes) {
                    const Result<Recipe> mended = applyFix(recipe, fix);
                    QVERIFY2(mended.ok(), (name + ": " + fix.title + ": " + (mended.ok() ? "" : mended.error().text())).c_str());
                    const std::vector<Problem> left = validate(mended.value(), mnist());
                    const bool gone = std::none_of(left.begin(), left.end(), [&](const Problem& other) {
                        return other.sentence == problem.sentence && other.layer == problem.layer && other.path == problem.path;
                    });
                    QVERIFY2(gone, (name + ": “" + fix.title + "” leaves: " + problem.sentence).c_str());
                    ++fixes;
                }
            }
        }
        QVERIFY2(fixes > 45, std::to_string(fixes).c_str());
    }

    void staleFixIsAnError()
    {
        Recipe r = starter("mnist-convnet");
        const Fix fix{"Remove", Json::array({{{"op", "remove"}, {"path", "/layers/70"}}})};
        QVERIFY(!applyFix(r, fix).ok());
        QVERIFY(!applyFix(r, Fix{"x", Json(3)}).ok());
    }

    void beyondReasonIsRefusedBeforeAnythingIsAllocated()
    {
        Recipe r = starter("mnist-mlp");
        r.stack.layers[1].params["units"] = whole(1'000'000);
        Layer second = makeLayer(r.stack, "dense");
        second.params["units"] = whole(1'000'000); // 10^12 weights
        second.params["activation"] = std::string("relu");
        r.stack.layers.insert(r.stack.layers.begin() + 2, second);
        const std::vector<Problem> problems = validate(r, mnist());
        QVERIFY(blocksStart(problems));
        const Problem* size = find(problems, "The network would have");
        QVERIFY2(size, listed(problems).c_str());
        QCOMPARE(size->path, std::string("/layers/2"));
        QCOMPARE(size->layer, second.id);
    }

    void withoutData()
    {
        const std::vector<Problem> problems = validate(starter("mnist-convnet"), std::nullopt);
        QCOMPARE(problems.size(), std::size_t{1});
        QVERIFY(!blocksStart(problems));
        QCOMPARE(problems[0].path, std::string("/data/dataset"));
        DataFacts empty = mnist();
        empty.trainingCount = 0;
        QVERIFY(blocksStart(validate(starter("mnist-convnet"), empty)));
        DataFacts single = mnist();
        single.classes = 1;
        QVERIFY(blocksStart(validate(starter("mnist-convnet"), single)));
    }

    void valuesSetByPath()
    {
        const Recipe r = starter("mnist-convnet");
        QCOMPARE(withValueSet(r, "/training/epochs", "3")->training.epochs, 3);
        QCOMPARE(withValueSet(r, "/name", "7")->name, std::string("7"));
        QCOMPARE(withValueSet(r, "/device", "cuda:0")->device, std::string("cuda:0"));
        QCOMPARE(withValueSet(r, "/training/learning_rate", "0.01")->training.learningRate, 0.01);
        QCOMPARE(std::get<std::int64_t>(withValueSet(r, "/layers/6/units", "12")->stack.layers[6].params.at("units")), whole(12));
        QCOMPARE(withValueSet(r, "/training/optimiser/type", "sgd")->training.optimiser.type, std::string("sgd"));
        QCOMPARE(withValueSet(r, "/training/optimiser", "adamw")->training.optimiser.type, std::string("adamw"));
        QCOMPARE(std::get<double>(withValueSet(r, "/training/optimiser", R"({"type":"sgd","momentum":0.5})")->training.optimiser.params.at("momentum")), 0.5);
        QCOMPARE(withValueSet(r, "/layers/0/kernel", "5")->stack.layers[0].params.at("kernel"), (ParamValue(std::vector<std::int64_t>{5, 5})));
        const auto wrong = withValueSet(r, "/training/epoch", "3");
        QCOMPARE(wrong.error().code, ErrorCode::Invalid);
        QVERIFY(wrong.error().remedy.find("/training/epochs") != std::string::npos);
        QVERIFY(!withValueSet(r, "/training/epochs", "many").ok());
        QVERIFY(!withValueSet(r, "/training/epochs", "0").ok());
        QVERIFY(!withValueSet(r, "/training/epochs", "1e400").ok());
        QVERIFY(!withValueSet(r, "training", "3").ok());
        QVERIFY(!withValueSet(r, "", "3").ok());
        QVERIFY(!withValueSet(r, "/layers/6/units", "1000000000000").ok());
        QVERIFY(!withValueSet(r, "/training/optimiser/type", "adamm").ok());
    }

    void learningRates()
    {
        TrainingSettings t;
        t.learningRate = 0.1;
        QCOMPARE(learningRateAt(t, {0, 100}), 0.1);
        QCOMPARE(learningRateAt(t, {99, 100}), 0.1);
        t.schedule = {"cosine", {}};
        QCOMPARE(learningRateAt(t, {0, 100}), 0.1);
        QVERIFY(std::abs(learningRateAt(t, {50, 100}) - 0.05) < 1e-12);
        QVERIFY(std::abs(learningRateAt(t, {25, 100}) - 0.1 * 0.5 * (1 + std::sqrt(0.5))) < 1e-12);
        QVERIFY(learningRateAt(t, {100, 100}) < 1e-12);
        t.schedule.params = {{"final", 0.2}, {"warm_up", 0.1}};
        QVERIFY(std::abs(learningRateAt(t, {0, 100}) - 0.01) < 1e-12);
        QVERIFY(std::abs(learningRateAt(t, {9, 100}) - 0.1) < 1e-12);
        QVERIFY(std::abs(learningRateAt(t, {10, 100}) - 0.1) < 1e-12);
        QVERIFY(std::abs(learningRateAt(t, {55, 100}) - 0.06) < 1e-12);
        QVERIFY(std::abs(learningRateAt(t, {500, 100}) - 0.02) < 1e-12);
        QVERIFY(std::isfinite(learningRateAt(t, {0, 1})) && learningRateAt(t, {0, 1}) > 0);
    }

    void whatDiffers()
    {
        Recipe a = starter("mnist-convnet"), b = a;
        QVERIFY(differences(std::vector<Recipe>{a, b}).empty());
        b.name = "other"; // names are not differences
        b.training.learningRate = 0.01;
        b.stack.layers[2].params["filters"] = whole(128);
        b.training.optimiser = {"sgd", {}};
        b.stack.layers.insert(b.stack.layers.begin(), makeLayer(b.stack, "zero_padding2d"));
        const std::vector<RecipeDifference> found = differences(std::vector<Recipe>{a, b});
        const auto row = [&](const std::string& title) {
            for (const RecipeDifference& each : found)
                if (each.title == title) return each;
            return RecipeDifference{};
        };
        QCOMPARE(row("Learning rate").values, (std::vector<std::string>{"0.001", "0.01"}));
        QCOMPARE(row("conv2: Filters").values, (std::vector<std::string>{"64", "128"}));
        QCOMPARE(row("conv2: Filters").path, std::string("/layers/2/filters"));
        QCOMPARE(row("Optimiser").values, (std::vector<std::string>{"Adam", "SGD"}));
        QCOMPARE(row("pad1").values.at(0), std::string("–"));
        QCOMPARE(found.size(), std::size_t{4});
        QVERIFY(differences({}).empty());
    }

    void layersAreFrozenByPath()
    {
        const Recipe r = starter("digits-convnet");
        const auto frozen = withValueSet(r, "/layers/0/frozen", "true");
        QVERIFY(frozen.ok() && frozen->stack.layers[0].frozen);
        QCOMPARE(withValueSet(r, "/layers/0/rate_factor", "0.1")->stack.layers[0].rateFactor, 0.1);
        QVERIFY(!withValueSet(r, "/layers/0/rate_factor", "-1").ok());
        QVERIFY(!withValueSet(r, "/layers/0/frosen", "true").ok());
        QVERIFY(!withValueSet(r, "/training/optimiser/frozen", "true").ok());
        const std::vector<Recipe> both{r, *frozen};
        const auto rows = differences(both);
        const auto row = std::find_if(rows.begin(), rows.end(), [](const RecipeDifference& each) { return each.path == "/layers/0/frozen"; });
        QVERIFY(row != rows.end());
        QCOMPARE(row->values, (std::vector<std::string>{"no", "yes"}));
        // A read and written recipe is the same.
        QVERIFY(recipeFromJson(toJson(*frozen))->recipe == *frozen);
    }

    void aFrozenNetworkCannotStart()
    {
        Recipe r = starter("digits-convnet");
        const auto facts = assumedFacts(r.data.dataset);
        for (Layer& layer : r.stack.layers) layer.frozen = true;
        const auto problems = validate(r, facts);
        const auto found = std::find_if(problems.begin(), problems.end(), [](const Problem& p) { return p.path.ends_with("/frozen"); });
        QVERIFY(found != problems.end() && blocksStart(problems));
        const auto mended = applyFix(r, found->fixes.at(0));
        QVERIFY(mended.ok() && !blocksStart(validate(*mended, facts)));
    }

    void everyOptimiserHasItsUsualRate()
    {
        const std::map<std::string, double> usual{{"adam", 0.001}, {"adamw", 0.001}, {"sgd", 0.05}, {"rmsprop", 0.001}, {"adagrad", 0.01}, {"lion", 0.0001}, {"muon", 0.02}};
        QCOMPARE(usual.size(), optimiserEntries().size());
        for (const OptionEntry& entry : optimiserEntries()) {
            Recipe r = starter("digits-convnet");
            r.training.optimiser = {entry.id, {}};
            const auto hintAt = [&](double rate) -> std::optional<Problem> {
                r.training.learningRate = rate;
                for (const Problem& problem : validate(r, std::nullopt))
                    if (problem.path == "/training/learning_rate") return problem;
                return std::nullopt;
            };
            const double rate = usual.at(entry.id);
            QVERIFY2(!hintAt(rate), entry.id.c_str());
            for (double odd : {rate * 100, rate / 10000}) {
                const auto hint = hintAt(odd);
                QVERIFY2(hint && hint->severity == Severity::Hint, entry.id.c_str());
                QCOMPARE(applyFix(r, hint->fixes.at(0))->training.learningRate, rate);
            }
        }
    }

    void optionsAreComplete()
    {
        for (const auto entries : {optimiserEntries(), scheduleEntries(), taskEntries()}) {
            QVERIFY(!entries.empty());
            for (const OptionEntry& entry : entries) {
                QVERIFY(!entry.title.empty() && entry.help.ends_with('.'));
                for (const ParamDescriptor& d : entry.params) {
                    QVERIFY(d.help.size() > 10);
                    QVERIFY(checkParam(d, d.defaultValue).empty());
                    QVERIFY(d.id != "type");
                }
            }
        }
    }
};

QTEST_GUILESS_MAIN(RecipeTest)
#include "recipe_test.moc"
