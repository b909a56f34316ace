// SPDX-License-Identifier: GPL-3.0-or-later
// The catalogue without torch: entries are complete, shapes and counts are those that Keras and PyTorch give, problems name
// both layers, and an analysis of 200 layers is quick. The engine's contract test compares with LibTorch itself.
#include "core/base/random.h"
#include "core/model/catalogue.h"

#include "tests/support/patience.h"

#include <QTest>

#include <map>
#include <set>

using namespace sconce;
using Ints = std::vector<std::int64_t>;

namespace {

Layer& push(Stack& stack, const std::string& type, ParamValues params = {})
{
    stack.layers.push_back(makeLayer(stack, type));
    stack.layers.back().params = std::move(params);
    return stack.layers.back();
}

Stack single(const std::string& type, ParamValues params)
{
    Stack stack;
    push(stack, type, std::move(params));
    return stack;
}

std::int64_t whole(int value) { return value; }

Stack mnistConvnet()
{
    Stack s;
    push(s, "conv2d", {{"filters", whole(32)}, {"activation", std::string("relu")}});
    push(s, "max_pool2d");
    push(s, "conv2d", {{"filters", whole(64)}, {"activation", std::string("relu")}});
    push(s, "max_pool2d");
    push(s, "flatten");
    push(s, "dropout", {{"rate", 0.5}});
    push(s, "dense", {{"units", whole(10)}});
    return s;
}

} // namespace

class CatalogueTest : public QObject
{
    Q_OBJECT

  private Q_SLOTS:
    void entriesAreComplete()
    {
        std::set<std::string> ids;
        const std::set<std::string> icons{"dense", "conv", "pool", "norm", "dropout", "activation", "flatten", "reshape", "residual", "parallel", "softmax", "globalpool", "pad", "embedding", "positions", "attention"};
        int group = 0;
        for (const LayerEntry& entry : layerCatalogue()) {
            const char* id = entry.id.c_str();
            QVERIFY2(ids.insert(entry.id).second, id);
            QVERIFY2(!entry.title.empty() && !entry.nameStem.empty() && !entry.keywords.empty(), id);
            QVERIFY2(entry.help.size() > 20 && entry.help.ends_with('.'), id);
            QVERIFY2(icons.contains(entry.icon), id);
            QVERIFY2(entry.summary && entry.shape && entry.lower, id);
            QVERIFY2(entry.isBlock() == (entry.join && entry.lowerJoin), id);
            QVERIFY2(findLayerEntry(entry.id) == &entry, id);
            QVERIFY2(static_cast<int>(entry.group) >= group, "groups in palette order");
            group = static_cast<int>(entry.group);
            Layer layer = makeLayer({}, entry.id);
            QVERIFY2(!entry.summary(LayerView(entry, layer)).empty(), id);
            std::set<std::string> params;
            for (const ParamDescriptor& d : entry.params) {
                QVERIFY2(params.insert(d.id).second, d.id.c_str());
                QVERIFY2(d.id != "id" && d.id != "type" && d.id != "name" && d.id != "branches", d.id.c_str());
                QVERIFY2(d.help.size() > 10 && !d.title.empty(), d.id.c_str());
                QVERIFY2(checkParam(d, d.defaultValue).empty(), (entry.id + "/" + d.id).c_str());
                for (const ForeignNames* names : {&entry.keras, &entry.pytorch}) {
                    const bool named = std::any_of(names->arguments.begin(), names->arguments.end(), [&](const auto& a) { return a.first == d.id; });
                    QVERIFY2(named, (entry.id + " has no word on " + d.id).c_str());
                }
            }
            for (const ForeignNames* names : {&entry.keras, &entry.pytorch})
                for (const auto& argument : names->arguments) QVERIFY2(params.contains(argument.first), (entry.id + "/" + argument.first).c_str());
        }
        for (const char* wanted : {"dense", "conv1d", "conv2d", "depthwise_conv2d", "conv2d_transpose", "max_pool2d", "average_pool2d", "global_average_pool",
                                   "global_max_pool", "flatten", "reshape", "dropout", "batch_norm", "layer_norm", "group_norm", "relu", "leaky_relu", "gelu", "silu",
                                   "sigmoid", "tanh", "softmax", "residual", "parallel", "embedding", "positions", "self_attention"})
            QVERIFY2(ids.contains(wanted), wanted);
        QVERIFY(!findLayerEntry("nothing"));
    }

    void referenceNetworkAsInKeras()
    {
        const StackReport report = analyse(mnistConvnet(), imageType(1, 28, 28));
        QVERIFY(report.ok());
        const std::vector<std::pair<std::string, std::int64_t>> expected{{"32×26×26", 320}, {"32×13×13", 0}, {"64×11×11", 18496}, {"64×5×5", 0}, {"1600", 0}, {"1600", 0}, {"10", 16010}};
        QCOMPARE(report.layers.size(), expected.size());
        for (std::size_t i = 0; i < expected.size(); ++i) {
            QCOMPARE(report.layers[i].output->text(), expected[i].first);
            QCOMPARE(report.layers[i].parameters, expected[i].second);
        }
        QCOMPARE(report.parameters, std::int64_t{34826});
        // As drawn in look/compose-dark: 13.4 MFLOP of training per sample, 8×8 pixels seen, 3.8 MiB at batch 128.
        QCOMPARE(report.layers[2].cost.macs, std::int64_t{64 * 11 * 11 * 32 * 9});
        QCOMPARE(report.layers[2].cost.trainingMacs, report.layers[2].cost.macs * 3);
        QCOMPARE(report.layers[0].cost.trainingMacs, report.layers[0].cost.macs * 2);
        QCOMPARE(report.layers[2].cost.activationBytes, std::int64_t{64 * 11 * 11 * 4});
        QCOMPARE(report.layers[2].receptiveField, (std::vector<int>{8, 8}));
        QVERIFY(report.layers[4].receptiveField.empty());

        const Result<Plan> plan = lower(mnistConvnet(), imageType(1, 28, 28));
        QVERIFY(plan.ok());
        QCOMPARE(plan->parameterCount(), std::int64_t{34826});
        QCOMPARE(plan->parameters[0].name, std::string("conv1.weight"));
        QCOMPARE(plan->parameters[0].shape, (Ints{32, 1, 3, 3}));
        QCOMPARE(plan->parameters[0].init.fanIn, std::int64_t{9});
        QCOMPARE(plan->parameters[0].init.fanOut, std::int64_t{288});
        QCOMPARE(plan->values[static_cast<std::size_t>(plan->output)].type, featuresType(10));
        std::int64_t macs = 0, training = 0;
        for (const Step& step : plan->steps) {
            macs += costOf(step, *plan).macs;
            training += costOf(step, *plan).trainingMacs;
        }
        QCOMPARE(macs, report.cost.macs);
        QCOMPARE(training, report.cost.trainingMacs);
    }

    void shapes_data()
    {
        QTest::addColumn<std::string>("type");
        QTest::addColumn<ParamValues>("params");
        QTest::addColumn<Ints>("input");
        QTest::addColumn<std::string>("output");
        QTest::addColumn<qlonglong>("parameters");
        using P = ParamValues;
        const std::string same = "same", numbers = "explicit";
        const auto row = [](const char* name, const char* type, P params, Ints input, const char* output, qlonglong count) {
            QTest::newRow(name) << std::string(type) << params << input << std::string(output) << count;
        };
        row("conv same stride 2", "conv2d", P{{"filters", whole(8)}, {"stride", Ints{2, 2}}, {"padding", same}}, {3, 15, 16}, "8×8×8", 224);
        row("conv pad", "conv2d", P{{"filters", whole(4)}, {"padding", numbers}, {"pad", Ints{2, 1}}}, {1, 5, 5}, "4×7×5", 40);
        row("conv dilation", "conv2d", P{{"filters", whole(4)}, {"dilation", Ints{2, 2}}}, {1, 9, 9}, "4×5×5", 40);
        row("conv groups", "conv2d", P{{"filters", whole(8)}, {"groups", whole(2)}, {"bias", false}}, {4, 9, 9}, "8×7×7", 8 * 2 * 9);
        row("conv even kernel same", "conv2d", P{{"filters", whole(2)}, {"kernel", Ints{4, 4}}, {"padding", same}}, {1, 7, 7}, "2×7×7", 34);
        row("conv1d", "conv1d", P{{"filters", whole(6)}, {"kernel", whole(5)}}, {2, 20}, "6×16", 66);
        row("depthwise", "depthwise_conv2d", P{{"multiplier", whole(2)}}, {3, 8, 8}, "6×6×6", 60);
        row("separable", "separable_conv2d", P{{"filters", whole(16)}, {"padding", same}}, {3, 8, 8}, "16×8×8", 27 + 48 + 16);
        row("transposed valid", "conv2d_transpose", P{{"filters", whole(4)}}, {2, 7, 7}, "4×15×15", 76);
        row("transposed same", "conv2d_transpose", P{{"filters", whole(4)}, {"padding", same}}, {2, 7, 7}, "4×14×14", 76);
        row("transposed same even", "conv2d_transpose", P{{"filters", whole(4)}, {"kernel", Ints{2, 2}}, {"stride", Ints{1, 1}}, {"padding", same}}, {2, 7, 7}, "4×7×7", 36);
        row("transposed small kernel", "conv2d_transpose", P{{"filters", whole(4)}, {"kernel", Ints{2, 2}}, {"stride", Ints{3, 3}}}, {2, 7, 7}, "4×21×21", 36);
        row("transposed numbers", "conv2d_transpose", P{{"filters", whole(4)}, {"padding", numbers}, {"pad", Ints{1, 1}}, {"output_padding", Ints{1, 1}}}, {2, 7, 7}, "4×14×14", 76);
        row("pool odd", "max_pool2d", P{}, {4, 5, 5}, "4×2×2", 0);
        row("pool odd same", "max_pool2d", P{{"padding", same}}, {4, 5, 5}, "4×3×3", 0);
        row("pool ceil", "average_pool2d", P{{"ceil", true}}, {4, 5, 5}, "4×3×3", 0);
        row("pool stride pad", "average_pool2d", P{{"kernel", Ints{3, 3}}, {"stride", Ints{2, 2}}, {"padding", numbers}, {"pad", Ints{1, 1}}}, {4, 8, 8}, "4×4×4", 0);
        row("global", "global_average_pool", P{}, {4, 8, 8}, "4", 0);
        row("global kept", "global_max_pool", P{{"keep_dims", true}}, {4, 8, 8}, "4×1×1", 0);
        row("reshape", "reshape", P{{"shape", Ints{4, -1, 2}}}, {48}, "4×6×2", 0);
        row("batch norm", "batch_norm", P{}, {6, 4, 4}, "6×4×4", 12);
        row("batch norm unscaled", "batch_norm", P{{"scale", false}}, {6}, "6", 6);
        row("layer norm", "layer_norm", P{}, {6, 4, 4}, "6×4×4", 192);
        row("layer norm last", "layer_norm", P{{"axes", whole(1)}}, {6, 4, 5}, "6×4×5", 10);
        row("group norm", "group_norm", P{{"groups", whole(3)}}, {6, 4, 4}, "6×4×4", 12);
        row("pad", "zero_padding2d", P{{"pad", Ints{1, 2, 3, 4}}}, {1, 4, 4}, "1×7×11", 0);
        row("dense", "dense", P{{"units", whole(7)}}, {5}, "7", 42);
    }
    void shapes()
    {
        QFETCH(std::string, type);
        QFETCH(ParamValues, params);
        QFETCH(Ints, input);
        QFETCH(std::string, output);
        QFETCH(qlonglong, parameters);
        const ValueType in = input.size() == 3 ? imageType(input[0], input[1], input[2]) : input.size() == 2 ? sequenceType(input[0], input[1]) : featuresType(input[0]);
        const StackReport report = analyse(single(type, params), in);
        QVERIFY2(report.ok(), report.layers[0].sentence.c_str());
        QCOMPARE(report.output->text(), output);
        QCOMPARE(report.parameters, static_cast<std::int64_t>(parameters));
        const Result<Plan> plan = lower(single(type, params), in);
        QVERIFY(plan.ok());
        QCOMPARE(plan->values[static_cast<std::size_t>(plan->output)].type, *report.output);
    }

    void everySettingGivesAShapeOrAProblem()
    {
        // Random settings within their ranges and odd inputs: never a crash, and shape() and lower() agree.
        std::uint32_t state = 0;
        const auto draw = [&] { return philox({++state, 0, 0, 0}, {3, 5})[0]; };
        const std::vector<ValueType> inputs{featuresType(1), featuresType(12), sequenceType(4, 9), imageType(1, 1, 1), imageType(8, 7, 5), imageType(3, 32, 32), symbolsType(9), positionsType(9, 12)};
        int shapes = 0, problems = 0;
        for (const LayerEntry& entry : layerCatalogue()) {
            for (int round = 0; round < 200; ++round) {
                Stack stack;
                Layer& layer = push(stack, entry.id);
                for (const ParamDescriptor& d : entry.params) {
                    if (draw() % 2) continue;
                    if (d.kind == ParamKind::Bool) layer.params[d.id] = draw() % 2 == 0;
                    if (d.kind == ParamKind::Choice) layer.params[d.id] = d.choices[draw() % d.choices.size()].id;
                    const auto number = [&] { return std::min(static_cast<std::int64_t>(d.max), static_cast<std::int64_t>(d.min) + (draw() % 20 ? draw() % 6 : draw())); };
                    if (d.kind == ParamKind::Int) layer.params[d.id] = number();
                    if (d.kind == ParamKind::Ints) {
                        Ints list;
                        for (int i = 0; i < d.maxCount; ++i) list.push_back(number());
                        layer.params[d.id] = list;
                    }
                }
                for (const ValueType& input : inputs) {
                    const StackReport report = analyse(stack, input);
                    const Result<Plan> plan = lower(stack, input);
                    QCOMPARE(plan.ok(), report.ok());
                    if (!plan.ok()) {
                        ++problems;
                        QVERIFY(report.layers[0].problem);
                        QVERIFY2(report.layers[0].sentence.ends_with('.') && report.layers[0].sentence.find("()") == std::string::npos, report.layers[0].sentence.c_str());
                        QVERIFY(!report.layers[0].brief.empty());
                        continue;
                    }
                    ++shapes;
                    QCOMPARE(plan->values[static_cast<std::size_t>(plan->output)].type, *report.output);
                    QCOMPARE(plan->parameterCount(), report.parameters);
                    Layer again = stack.layers[0];
                    QCOMPARE(entry.shape(LayerView(entry, again), input).type, *report.output);
                }
            }
        }
        QVERIFY(shapes > 5000);
        QVERIFY(problems > 1000);
    }

    void problemNamesBothLayersAndFixes()
    {
        Stack s = mnistConvnet();
        s.layers.erase(s.layers.begin() + 4); // Flatten
        s.layers[5].params["units"] = whole(12);
        push(s, "softmax");
        const StackReport report = analyse(s, imageType(1, 28, 28));
        QVERIFY(!report.ok());
        const LayerReport& dense = report.layers[5];
        QCOMPARE(dense.sentence, std::string("Dense (layer 6) expects one row of numbers, but Dropout (layer 5) gives 64×5×5."));
        QCOMPARE(dense.brief, std::string("expects one row of numbers, gets 64×5×5"));
        QCOMPARE(dense.problem->fixes.size(), std::size_t{2});
        QCOMPARE(dense.problem->fixes[0].title, std::string("Insert Flatten"));
        QCOMPARE(dense.problem->fixes[1].title, std::string("Insert Global average pool"));
        QCOMPARE(dense.output->text(), std::string("12"));
        QVERIFY(report.layers[6].assumed && !report.layers[6].problem);
        QCOMPARE(report.assumedOutput->text(), std::string("12"));
        QCOMPARE(report.parameters, std::int64_t{18816}); // up to layer 5, as in look/compose-problems-dark
        const Result<Plan> plan = lower(s, imageType(1, 28, 28));
        QVERIFY(!plan.ok());
        QCOMPARE(plan.error().message, dense.sentence);

        Stack big = single("conv2d", {{"kernel", Ints{9, 9}}});
        QCOMPARE(analyse(big, imageType(1, 7, 7)).layers[0].sentence, std::string("Conv 2D (layer 1) expects pictures of at least 9×9, but the input is 1×7×7."));
    }

    void wrongSettingsAreProblems()
    {
        const auto problemOf = [](const std::string& type, ParamValues params) {
            const StackReport report = analyse(single(type, std::move(params)), imageType(8, 8, 8));
            return report.layers[0].problem ? report.layers[0].problem->param : std::string("none");
        };
        QCOMPARE(problemOf("conv2d", {{"filters", whole(0)}}), std::string("filters"));
        QCOMPARE(problemOf("conv2d", {{"filters", std::string("many")}}), std::string("filters"));
        QCOMPARE(problemOf("conv2d", {{"kernel", Ints{3}}}), std::string("kernel"));
        QCOMPARE(problemOf("conv2d", {{"groups", whole(3)}}), std::string("groups"));
        QCOMPARE(problemOf("conv2d", {{"padding", std::string("sane")}}), std::string("padding"));
        QCOMPARE(problemOf("dropout", {{"rate", 1.5}}), std::string("rate"));
        QCOMPARE(problemOf("group_norm", {{"groups", whole(3)}}), std::string("groups"));
        QCOMPARE(problemOf("reshape", {{"shape", Ints{-1, -1}}}), std::string("shape"));
        QCOMPARE(problemOf("max_pool2d", {{"padding", std::string("explicit")}, {"pad", Ints{2, 2}}}), std::string("pad"));
        Stack unknown;
        unknown.layers.push_back({"l1", "magic", "magic1", {}, {}});
        QVERIFY(analyse(unknown, featuresType(3)).layers[0].problem);
        Stack twice = mnistConvnet();
        twice.layers[2].name = "conv1";
        const StackReport report = analyse(twice, imageType(1, 28, 28));
        QCOMPARE(report.layers[2].problem->param, std::string("name"));
    }

    void sizesNeverOverflow()
    {
        Stack s;
        for (int i = 0; i < 20; ++i) push(s, "conv2d_transpose", {{"filters", whole(65536)}, {"stride", Ints{255, 255}}, {"kernel", Ints{255, 255}}});
        const StackReport report = analyse(s, imageType(1, 28, 28));
        QVERIFY(!report.ok());
        QVERIFY(report.layers[0].problem);
        Stack dense;
        for (int i = 0; i < 30; ++i) push(dense, "dense", {{"units", whole(1'048'576)}});
        const StackReport wide = analyse(dense, featuresType(1'000'000));
        QVERIFY(wide.ok());
        QVERIFY(wide.parameters > std::int64_t{1} << 40);
        QVERIFY(wide.cost.macs > 0);
    }

    void blocks()
    {
        Stack s;
        Layer& res = push(s, "residual");
        Stack& inner = res.branches[0];
        inner.layers.push_back({"a", "conv2d", "a", {{"filters", whole(16)}, {"padding", std::string("same")}, {"stride", Ints{2, 2}}}, {}});
        StackReport report = analyse(s, imageType(8, 9, 9));
        QVERIFY2(report.ok(), report.layers[0].sentence.c_str());
        QCOMPARE(report.output->text(), std::string("16×5×5"));
        QCOMPARE(report.layers[0].parameters, std::int64_t{16 * 8 * 9 + 16 + 16 * 8 + 16}); // with the projection
        QCOMPARE(report.parameters, report.layers[0].parameters);
        QCOMPARE(report.layers[1].path, std::string("/layers/0/branches/0/0"));
        QCOMPARE(report.layers[1].depth, 1);
        QVERIFY(report.layers[0].cost.macs > report.layers[1].cost.macs);
        QCOMPARE(report.cost.macs, report.layers[0].cost.macs);

        s.layers[0].params["projection"] = std::string("never");
        report = analyse(s, imageType(8, 9, 9));
        QVERIFY(!report.ok());
        QCOMPARE(report.layers[0].problem->fixes.at(0).title, std::string("Add a projection"));

        // A problem inside is said of the layer inside, with what enters the block.
        s.layers[0].branches[0].layers[0].type = "dense";
        s.layers[0].branches[0].layers[0].params.clear();
        report = analyse(s, imageType(8, 9, 9));
        QCOMPARE(report.layers[1].sentence, std::string("Dense (layer 1 of res1) expects one row of numbers, but the input of Residual (layer 1) is 8×9×9."));

        Stack p;
        Layer& par = push(p, "parallel");
        par.branches[0].layers.push_back({"x", "conv2d", "x", {{"filters", whole(4)}, {"padding", std::string("same")}}, {}});
        QCOMPARE(analyse(p, imageType(3, 8, 8)).output->text(), std::string("7×8×8"));
        p.layers[0].params["join"] = std::string("add");
        report = analyse(p, imageType(3, 8, 8));
        QVERIFY(!report.ok());
        QCOMPARE(report.layers[0].problem->fixes.size(), std::size_t{1});
        p.layers[0].branches.resize(9);
        QVERIFY(!analyse(p, imageType(3, 8, 8)).ok());
    }

    /// Freezing a block freezes all that it holds, and factors of the rate multiply; nothing else changes but the work.
    void freezingAndRateFactors()
    {
        std::vector<JsonProblem> problems;
        const Json json = Json::parse(R"([
            {"type":"conv2d","name":"a","filters":4,"kernel":[3,3],"padding":"same","frozen":true},
            {"type":"batch_norm","name":"n","frozen":true},
            {"type":"residual","name":"r","rate_factor":0.5,"branches":[[{"type":"conv2d","name":"b","filters":4,"kernel":[3,3],"padding":"same","rate_factor":0.1},
                                                                      {"type":"conv2d","name":"c","filters":4,"kernel":[3,3],"padding":"same","frozen":true}]]},
            {"type":"residual","name":"s","frozen":true,"branches":[[{"type":"conv2d","name":"d","filters":4,"kernel":[3,3],"padding":"same"},{"type":"batch_norm","name":"m"}]]},
            {"type":"global_average_pool"},
            {"type":"dense","name":"e","units":4}])");
        const Stack stack = stackFromJson(json, "/layers", problems);
        QVERIFY(problems.empty());
        Stack plain = stack;
        visitLayers(stack, [&](const Layer& layer, const std::string&, int) {
            Layer& own = *findLayer(plain, layer.id);
            own.frozen = false;
            own.rateFactor = 1;
        });
        const ValueType input = imageType(1, 8, 8);
        const Plan plan = *lower(stack, input), same = *lower(plain, input);
        std::map<std::string, std::pair<bool, double>> found;
        for (const ParameterSpec& spec : plan.parameters)
            if (spec.name.ends_with(".weight")) found[spec.name.substr(0, 1)] = {spec.trainable, spec.rateFactor};
        const std::map<std::string, std::pair<bool, double>> wanted{{"a", {false, 1}}, {"n", {false, 1}}, {"b", {true, 0.05}}, {"c", {false, 0.5}}, {"d", {false, 1}}, {"m", {false, 1}}, {"e", {true, 1}}};
        QVERIFY(found == wanted);
        std::vector<bool> norms;
        for (const Step& step : plan.steps)
            if (const auto* norm = std::get_if<BatchNormOp>(&step.op)) norms.push_back(norm->frozen);
        QCOMPARE(norms, (std::vector<bool>{true, true}));
        QCOMPARE(plan.parameterCount(), same.parameterCount());
        QCOMPARE(plan.trainableCount(), std::int64_t{4 * 4 * 9 + 4 + 4 * 4 + 4});

        const StackReport report = analyse(stack, input), whole = analyse(plain, input);
        QCOMPARE(report.parameters, whole.parameters);
        for (std::size_t i = 0; i < report.layers.size(); ++i) QCOMPARE(report.layers[i].parameters, whole.layers[i].parameters);
        QCOMPARE(report.cost.macs, whole.cost.macs);
        QCOMPARE(report.layers[0].cost.trainingMacs, report.layers[0].cost.macs); // forward alone
        QCOMPARE(whole.layers[0].cost.trainingMacs, 2 * whole.layers[0].cost.macs);
        std::int64_t byStep = 0;
        for (const Step& step : plan.steps) byStep += costOf(step, plan).trainingMacs;
        QCOMPARE(report.cost.trainingMacs, byStep);
    }

    void onlyLayersThatMayLearnHaveParameters()
    {
        QVERIFY(!findLayerEntry("flatten")->mayLearn() && !findLayerEntry("dropout")->mayLearn());
        int checked = 0; // each kind of layer alone, wherever its defaults fit one of these inputs
        for (const LayerEntry& entry : layerCatalogue())
            for (const ValueType& input : {imageType(4, 16, 16), featuresType(64), sequenceType(4, 16), symbolsType(16), positionsType(16, 64)}) {
                const auto plan = lower(single(entry.id, {}), input);
                if (!plan.ok() || (plan->parameters.empty() && plan->buffers.empty())) continue;
                QVERIFY2(entry.mayLearn(), entry.id.c_str());
                ++checked;
            }
        QVERIFY(checked >= 11);
    }

    void twoHundredLayersAreQuick()
    {
        Stack s;
        for (int i = 0; i < 40; ++i) {
            push(s, "conv2d", {{"filters", whole(32)}, {"padding", std::string("same")}, {"activation", std::string("relu")}});
            push(s, "batch_norm");
            push(s, "relu");
            push(s, "dropout");
            push(s, "conv2d", {{"padding", std::string("same")}});
        }
        analyse(s, imageType(1, 28, 28));
        double best = 1e9;
        for (int round = 0; round < 20; ++round) {
            const sconce::test::CpuTimer timer;
            const StackReport report = analyse(s, imageType(1, 28, 28));
            best = std::min(best, timer.ms());
            QVERIFY(report.ok());
        }
        qInfo("200 layers analysed in %.3f ms", best);
        QVERIFY2(best < 50, "far beyond a frame, even on a slow machine"); // the figure itself is printed
    }
};

QTEST_GUILESS_MAIN(CatalogueTest)
#include "catalogue_test.moc"
