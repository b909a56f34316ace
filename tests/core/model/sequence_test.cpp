// SPDX-License-Identifier: GPL-3.0-or-later
// Text and what runs through a transformer, without torch: shapes and counts, what takes symbols and what does not, costs by hand,
// and whether a network could look at what it is to guess.
#include "core/model/catalogue.h"
#include "core/model/looks_ahead.h"
#include "core/model/memory.h"

#include <QTest>

using namespace sconce;

namespace {

Stack stackOf(const std::string& json)
{
    const auto parsed = parseJson(json, "the test's stack");
    if (!parsed.ok()) qFatal("%s", json.c_str());
    std::vector<JsonProblem> problems;
    Stack stack = stackFromJson(*parsed, "/layers", problems);
    if (!problems.empty()) qFatal("%s", problems[0].message.c_str());
    return stack;
}

/// The first problem of a stack, in words; "" if there is none.
std::string problemOf(const std::string& json, const ValueType& input)
{
    const StackReport report = analyse(stackOf(json), input);
    for (const LayerReport& layer : report.layers)
        if (layer.problem) return layer.sentence;
    return {};
}

/// Pre-norm blocks as in GPT-2, of nanoGPT's small size.
std::string gpt(int blocks)
{
    std::string json = R"([{"type":"embedding","symbols":65,"width":128},{"type":"positions"})";
    for (int i = 0; i < blocks; ++i)
        json += R"(,{"type":"residual","branches":[[{"type":"layer_norm"},{"type":"self_attention","heads":4}]]},
                    {"type":"residual","branches":[[{"type":"layer_norm"},{"type":"dense","units":512,"activation":"gelu"},{"type":"dense","units":128}]]})";
    return json + R"(,{"type":"layer_norm"},{"type":"dense","units":65}])";
}

} // namespace

class SequenceTest : public QObject
{
    Q_OBJECT

  private Q_SLOTS:
    /// Dropout does not change the products; what it needs one by one is kept: softmax, mask and their product, and Q, K and V.
    void attentionThatDropsCostsMemory()
    {
        const auto costWith = [](const char* rate) {
            const Result<Plan> plan = lower(stackOf(std::string(R"([{"type":"self_attention","heads":4,"attention_dropout":)") + rate + "}]"), positionsType(64, 128));
            Cost cost;
            for (const Step& step : plan->steps)
                if (std::holds_alternative<AttentionOp>(step.op)) cost = costOf(step, *plan);
            return cost;
        };
        const Cost without = costWith("0"), with = costWith("0.1");
        QVERIFY(without.macs > 0 && with.macs == without.macs && with.trainingMacs == without.trainingMacs);
        QCOMPARE(with.elementwise - without.elementwise, std::int64_t{2} * 4 * 64 * 64);
        QCOMPARE(without.activationBytes, std::int64_t{4} * (64 * 128 + 4 * 64));
        QCOMPARE(with.activationBytes, std::int64_t{4} * (64 * 128 + 3 * 4 * 64 * 64 + 3 * 64 * 128));
        const LayerEntry& entry = *findLayerEntry("self_attention");
        const Stack drops = stackOf(R"([{"type":"self_attention","attention_dropout":0.1}])"), keeps = stackOf(R"([{"type":"self_attention"}])");
        QCOMPARE(entry.summary(LayerView(entry, drops.layers[0])), std::string("4 heads, causal, drops 0.1"));
        QCOMPARE(entry.summary(LayerView(entry, keeps.layers[0])), std::string("4 heads, causal"));
    }

    void aSmallGptAsCounted()
    {
        const StackReport report = analyse(stackOf(gpt(4)), symbolsType(64));
        QVERIFY2(report.ok(), report.layers[0].sentence.c_str());
        QCOMPARE(*report.output, positionsType(64, 65));
        QCOMPARE(report.layers[0].output->text(), std::string("64×128"));
        // Embedding and positions; per block two norms, 3·128 + 128 projected, 512 there and back; the last norm and the head.
        const std::int64_t block = 2 * 256 + (128 * 384 + 384) + (128 * 128 + 128) + (128 * 512 + 512) + (512 * 128 + 128);
        QCOMPARE(report.parameters, 65 * 128 + 64 * 128 + 4 * block + 256 + (128 * 65 + 65));
        // Matrices once per position; attention two products of 64 by 64 positions.
        const std::int64_t matrices = 64 * (128 * 384 + 128 * 128 + 2 * 128 * 512), attention = 2 * 64 * 64 * 128;
        QCOMPARE(report.cost.macs, 4 * (matrices + attention) + 64 * 128 * 65);
        // The embedding learns, so every product has a gradient for both of its factors.
        QCOMPARE(report.cost.trainingMacs, 3 * report.cost.macs);
        QVERIFY(report.layers[2].receptiveField.empty());

        const Result<Plan> plan = lower(stackOf(gpt(4)), symbolsType(64));
        QVERIFY(plan.ok());
        std::int64_t training = 0;
        for (const Step& step : plan->steps) training += costOf(step, *plan).trainingMacs;
        QCOMPARE(training, report.cost.trainingMacs);
        for (const ParameterSpec& spec : plan->parameters) QCOMPARE(spec.decay, spec.shape.size() == 2); // matrices and tables, as GPT-2 had it
        QVERIFY(!sconce::looksAhead(*plan));
    }

    void symbolsAreEmbeddedBeforeAnythingElse()
    {
        QCOMPARE(problemOf(R"([{"type":"dense"}])", symbolsType(64)), std::string("Dense (layer 1) expects numbers, but the input is 64 symbols."));
        QCOMPARE(problemOf(R"([{"type":"embedding"}])", featuresType(64)), std::string("Embedding (layer 1) expects symbols, but the input is 64."));
        QCOMPARE(problemOf(R"([{"type":"self_attention"}])", imageType(1, 8, 8)), std::string("Self-attention (layer 1) expects numbers at each position (length×features), but the input is 1×8×8."));
        const StackReport report = analyse(stackOf(R"([{"type":"dense"}])"), symbolsType(64));
        QCOMPARE(report.layers[0].problem->fixes.at(0).layerType, std::string("embedding"));
        for (const LayerEntry& entry : layerCatalogue()) {
            if (entry.takesSymbols || entry.isBlock()) continue;
            QVERIFY2(!problemOf("[{\"type\":\"" + entry.id + "\"}]", symbolsType(12)).empty(), entry.id.c_str());
        }
        QVERIFY(!problemOf(R"([{"type":"residual","branches":[[]]}])", symbolsType(12)).empty());
        QVERIFY(!problemOf(R"([{"type":"residual","branches":[[{"type":"embedding"}]]}])", symbolsType(12)).empty());
        QVERIFY(!problemOf(R"([{"type":"parallel","branches":[[],[]]}])", symbolsType(12)).empty());
        // Two embeddings side by side are one that is wider.
        const StackReport both = analyse(stackOf(R"([{"type":"parallel","branches":[[{"type":"embedding","width":8}],[{"type":"embedding","width":4}]]}])"), symbolsType(12));
        QVERIFY(both.ok());
        QCOMPARE(*both.output, positionsType(12, 12));
    }

    void layersOfPicturesRefusePositions_data()
    {
        QTest::addColumn<QString>("type");
        for (const char* type : {"conv1d", "conv2d", "max_pool2d", "batch_norm", "group_norm", "spatial_dropout2d", "zero_padding2d"}) QTest::newRow(type) << type;
    }
    void layersOfPicturesRefusePositions()
    {
        QFETCH(QString, type);
        const StackReport report = analyse(stackOf("[{\"type\":\"" + type.toStdString() + "\"}]"), positionsType(12, 8));
        QVERIFY(report.layers[0].problem);
        QVERIFY2(report.layers[0].sentence.ends_with("but the input is 12×8."), report.layers[0].sentence.c_str());
    }

    void eachPositionByItself()
    {
        const ValueType input = positionsType(12, 8);
        const auto outputOf = [&](const char* json) { return *analyse(stackOf(json), input).output; };
        QCOMPARE(outputOf(R"([{"type":"dense","units":5,"activation":"softmax"}])"), positionsType(12, 5));
        QCOMPARE(outputOf(R"([{"type":"residual","branches":[[{"type":"dense","units":5}]]}])"), positionsType(12, 5));
        QCOMPARE(outputOf(R"([{"type":"global_average_pool"}])"), featuresType(8));
        QCOMPARE(outputOf(R"([{"type":"flatten"}])"), featuresType(96));
        QCOMPARE(analyse(stackOf(R"([{"type":"layer_norm"}])"), input).parameters, std::int64_t{16});
        QCOMPARE(analyse(stackOf(R"([{"type":"positions"}])"), input).parameters, std::int64_t{96});
        // A dense layer on a picture is still a mistake.
        QCOMPARE(problemOf(R"([{"type":"dense"}])", imageType(1, 8, 8)), std::string("Dense (layer 1) expects one row of numbers, but the input is 1×8×8."));
        QCOMPARE(problemOf(R"([{"type":"dense"}])", sequenceType(4, 8)), std::string("Dense (layer 1) expects one row of numbers, but the input is 4×8."));

        const StackReport heads = analyse(stackOf(R"([{"type":"self_attention","heads":6}])"), input);
        QCOMPARE(heads.layers[0].problem->param, std::string("heads"));
        QCOMPARE(heads.layers[0].problem->fixes.at(0).title, std::string("Set heads to 2"));
        QCOMPARE(heads.layers[0].output->text(), std::string("12×8")); // known all the same
    }

    void looksAhead_data()
    {
        QTest::addColumn<QString>("layers");
        QTest::addColumn<QString>("at"); ///< the layer at fault
        const auto row = [](const char* name, const char* layers, const char* at) { QTest::newRow(name) << QString(layers) << QString(at); };
        row("causal attention", R"([{"type":"embedding"},{"type":"positions"},{"type":"self_attention"},{"type":"dense"}])", "");
        row("attention that sees everything", R"([{"type":"embedding"},{"type":"self_attention","id":"a","causal":false},{"type":"dense"}])", "a");
        row("inside of a block", R"([{"type":"embedding"},{"type":"residual","branches":[[{"type":"layer_norm"},{"type":"self_attention","id":"a","causal":false}]]},{"type":"self_attention"}])", "a");
        row("the first of two", R"([{"type":"embedding"},{"type":"self_attention","id":"a","causal":false},{"type":"flatten","id":"b"},{"type":"dense"}])", "a");
        row("flatten", R"([{"type":"embedding","width":4},{"type":"flatten","id":"f"},{"type":"dense"}])", "f");
        row("global pool", R"([{"type":"embedding"},{"type":"global_average_pool","id":"g"}])", "g");
        row("a norm over the length", R"([{"type":"embedding"},{"type":"layer_norm","id":"n","axes":2}])", "n");
        row("a norm of each position", R"([{"type":"embedding"},{"type":"layer_norm","axes":1},{"type":"gelu"},{"type":"dropout"},{"type":"softmax"}])", "");
        row("reshape", R"([{"type":"embedding","width":4},{"type":"reshape","id":"r","shape":[4,-1]}])", "r");
        row("side by side", R"([{"type":"embedding"},{"type":"parallel","branches":[[],[{"type":"self_attention"}]]}])", "");
    }
    void looksAhead()
    {
        QFETCH(QString, layers);
        QFETCH(QString, at);
        const Result<Plan> plan = lower(stackOf(layers.toStdString()), symbolsType(12));
        QVERIFY2(plan.ok(), plan.ok() ? "" : plan.error().message.c_str());
        QCOMPARE(QString::fromStdString(looksAheadAt(*plan).value_or("")), at);
        QCOMPARE(sconce::looksAhead(*plan), !at.isEmpty());
    }

    void convolutionsLookAheadByTheirPadding()
    {
        const auto ahead = [](const char* layers) {
            const Result<Plan> plan = lower(stackOf(layers), sequenceType(3, 16));
            if (!plan.ok()) qFatal("%s", plan.error().message.c_str());
            return sconce::looksAhead(*plan);
        };
        QVERIFY(ahead(R"([{"type":"conv1d","kernel":3,"padding":"same"}])"));
        QVERIFY(ahead(R"([{"type":"conv1d","kernel":3}])")); // what was at 2 is at 0 now
        QVERIFY(!ahead(R"([{"type":"conv1d","kernel":1}])"));
        QVERIFY(!ahead(R"([{"type":"conv1d","kernel":3,"padding":"explicit","pad":2}])"));
        QVERIFY(ahead(R"([{"type":"conv1d","kernel":3,"dilation":2,"padding":"explicit","pad":2}])"));
        QVERIFY(ahead(R"([{"type":"conv1d","kernel":1,"stride":2}])"));
        QVERIFY(ahead(R"([{"type":"group_norm","groups":3}])"));
        QVERIFY(!ahead(R"([{"type":"batch_norm"},{"type":"relu"}])"));
        const Result<Plan> picture = lower(stackOf(R"([{"type":"conv2d"}])"), imageType(1, 8, 8));
        QVERIFY(!sconce::looksAhead(*picture)); // there is no length to look along
    }
};

QTEST_GUILESS_MAIN(SequenceTest)
#include "sequence_test.moc"
