// SPDX-License-Identifier: GPL-3.0-or-later
// Stacks: ids, names, JSON, limits.
#include "core/base/random.h"
#include "core/model/catalogue.h"

#include <QTest>

using namespace sconce;

namespace {

/// A value in the descriptor's range, from a stream of random numbers.
ParamValue randomValue(const ParamDescriptor& d, std::uint64_t& state)
{
    const auto draw = [&] { return philox({static_cast<std::uint32_t>(++state), 1, 2, 3}, {7, 9})[0]; };
    switch (d.kind) {
    case ParamKind::Bool: return draw() % 2 == 0;
    case ParamKind::Int: return static_cast<std::int64_t>(d.min) + static_cast<std::int64_t>(draw() % 9) % (static_cast<std::int64_t>(d.max - d.min) + 1);
    case ParamKind::Real: return d.min + (d.max - d.min) * (draw() % 1000) / 1000.0;
    case ParamKind::Choice: return d.choices[draw() % d.choices.size()].id;
    case ParamKind::Text: return std::string("text");
    case ParamKind::Ints: {
        std::vector<std::int64_t> list;
        for (int i = 0; i < d.minCount + static_cast<int>(draw() % static_cast<unsigned>(d.maxCount - d.minCount + 1)); ++i)
            list.push_back(static_cast<std::int64_t>(d.min) + static_cast<std::int64_t>(draw() % 5));
        return list;
    }
    }
    return false;
}

Stack nested(int depth)
{
    Stack stack;
    for (int i = 0; i < depth; ++i) {
        Layer block;
        block.id = "l" + std::to_string(i + 1);
        block.name = "res" + std::to_string(i + 1);
        block.type = "residual";
        block.branches = {std::move(stack)};
        stack = Stack{};
        stack.layers.push_back(std::move(block));
    }
    return stack;
}

} // namespace

class StackTest : public QObject
{
    Q_OBJECT

  private Q_SLOTS:
    void jsonRoundTripOfEveryLayer()
    {
        std::uint64_t state = 0;
        for (const LayerEntry& entry : layerCatalogue()) {
            for (int round = 0; round < 20; ++round) {
                Stack stack;
                Layer layer = makeLayer(stack, entry.id);
                for (const ParamDescriptor& d : entry.params) layer.params[d.id] = randomValue(d, state);
                for (Stack& branch : layer.branches) {
                    branch.layers.push_back(makeLayer(stack, "relu"));
                    branch.layers[0].id = "b" + std::to_string(&branch - layer.branches.data());
                    branch.layers[0].name = branch.layers[0].id;
                }
                stack.layers.push_back(layer);
                std::vector<JsonProblem> problems;
                const Json json = stackToJson(stack);
                const Stack again = stackFromJson(json, "/layers", problems);
                for (const JsonProblem& problem : problems) qWarning("%s %s", problem.path.c_str(), problem.message.c_str());
                QVERIFY2(problems.empty(), entry.id.c_str());
                QVERIFY2(again == stack, (entry.id + " " + json.dump()).c_str());
                for (const ParamDescriptor& d : entry.params) QVERIFY2(json[0].contains(d.id), d.id.c_str());
            }
        }
    }

    void trainingOfALayerGoesThroughJson()
    {
        std::vector<JsonProblem> problems;
        const Json json = Json::parse(R"([{"type":"dense","units":4,"frozen":true},{"type":"dense","units":4,"rate_factor":0.25},{"type":"dense","units":4}])");
        const Stack stack = stackFromJson(json, "/layers", problems);
        QVERIFY(problems.empty());
        QVERIFY(stack.layers[0].frozen && stack.layers[0].rateFactor == 1);
        QVERIFY(!stack.layers[1].frozen && stack.layers[1].rateFactor == 0.25);
        QVERIFY(stack.layers[0].params.count("frozen") == 0);
        Stack other = stack;
        other.layers[1].rateFactor = 1;
        QVERIFY(!(other == stack));
        other = stack;
        other.layers[0].frozen = false;
        QVERIFY(!(other == stack));
        const Json written = stackToJson(stack);
        QVERIFY(written[0]["frozen"] == true && !written[0].contains("rate_factor"));
        QVERIFY(written[1]["rate_factor"] == 0.25 && !written[1].contains("frozen"));
        QVERIFY(!written[2].contains("frozen") && !written[2].contains("rate_factor")); // a default is not written
        QVERIFY(stackFromJson(written, "/layers", problems) == stack);
        for (const char* wrong : {R"([{"type":"dense","frozen":1}])", R"([{"type":"dense","rate_factor":-1}])", R"([{"type":"dense","rate_factor":101}])", R"([{"type":"dense","rate_factor":"x"}])"}) {
            problems.clear();
            const Stack read = stackFromJson(Json::parse(wrong), "/layers", problems);
            QCOMPARE(problems.size(), std::size_t{1});
            QVERIFY(!read.layers[0].frozen && read.layers[0].rateFactor >= 0 && read.layers[0].rateFactor <= 100);
        }
    }

    void defaultsAreEqualWhetherSetOrNot()
    {
        Stack stack;
        Layer a = makeLayer(stack, "dense"), b = a;
        b.params["units"] = std::int64_t{64};
        QVERIFY(a == b);
        b.params["units"] = std::int64_t{65};
        QVERIFY(!(a == b));
    }

    void freshIdsAndNames()
    {
        Stack stack;
        for (int i = 0; i < 3; ++i) stack.layers.push_back(makeLayer(stack, "conv2d"));
        QCOMPARE(stack.layers[2].id, std::string("l3"));
        QCOMPARE(stack.layers[2].name, std::string("conv3"));
        Layer block = makeLayer(stack, "residual");
        block.branches[0].layers.push_back(stack.layers[0]);
        stack.layers.push_back(withFreshIds(stack, block));
        QCOMPARE(stack.layers[3].id, std::string("l4"));
        QCOMPARE(stack.layers[3].branches[0].layers[0].id, std::string("l5"));
        QCOMPARE(stack.layers[3].branches[0].layers[0].name, std::string("conv4"));
        QCOMPARE(pathOfLayer(stack, "l5"), std::string("/layers/3/branches/0/0"));
        QVERIFY(findLayer(stack, "l5") == &stack.layers[3].branches[0].layers[0]);
        QVERIFY(!findLayer(stack, "l99"));
    }

    void missingIdsAreFilledInAndDoubleOnesRefused()
    {
        std::vector<JsonProblem> problems;
        const Json json = Json::parse(R"([{"type":"relu"},{"id":"l1","type":"relu"},{"id":"l1","type":"relu","name":"relu1"}])");
        const Stack stack = stackFromJson(json, "/layers", problems);
        QCOMPARE(stack.layers.size(), std::size_t{3});
        QCOMPARE(problems.size(), std::size_t{1});
        QCOMPARE(problems[0].path, std::string("/layers/2/id"));
        QVERIFY(stack.layers[0].id != stack.layers[1].id && stack.layers[1].id != stack.layers[2].id && stack.layers[0].id != stack.layers[2].id);
        QVERIFY(stack.layers[0].name != stack.layers[2].name);
    }

    void wrongThingsAreProblems_data()
    {
        QTest::addColumn<QByteArray>("text");
        QTest::addColumn<QByteArray>("path");
        QTest::newRow("not a list") << QByteArray("{}") << QByteArray("/layers");
        QTest::newRow("not an object") << QByteArray("[3]") << QByteArray("/layers/0");
        QTest::newRow("no type") << QByteArray("[{}]") << QByteArray("/layers/0/type");
        QTest::newRow("unknown type") << QByteArray(R"([{"type":"conv2e"}])") << QByteArray("/layers/0/type");
        QTest::newRow("unknown key") << QByteArray(R"([{"type":"dense","unit":3}])") << QByteArray("/layers/0/unit");
        QTest::newRow("wrong type") << QByteArray(R"([{"type":"dense","units":"many"}])") << QByteArray("/layers/0/units");
        QTest::newRow("too many units") << QByteArray(R"([{"type":"dense","units":1000000000000}])") << QByteArray("/layers/0/units");
        QTest::newRow("fraction") << QByteArray(R"([{"type":"dense","units":2.5}])") << QByteArray("/layers/0/units");
        QTest::newRow("wrong count") << QByteArray(R"([{"type":"conv2d","kernel":[1,2,3]}])") << QByteArray("/layers/0/kernel");
        QTest::newRow("branches") << QByteArray(R"([{"type":"residual","branches":[[],[]]}])") << QByteArray("/layers/0/branches");
        QTest::newRow("inside a branch") << QByteArray(R"([{"type":"residual","branches":[[{"type":"dropout","rate":2}]]}])")
                                         << QByteArray("/layers/0/branches/0/0/rate");
    }
    void wrongThingsAreProblems()
    {
        QFETCH(QByteArray, text);
        QFETCH(QByteArray, path);
        std::vector<JsonProblem> problems;
        const Stack stack = stackFromJson(Json::parse(text.toStdString()), "/layers", problems);
        QVERIFY(!problems.empty());
        QCOMPARE(QByteArray::fromStdString(problems[0].path), path);
        QVERIFY(problems[0].message.ends_with('.') || problems[0].message.ends_with('?'));
    }

    void unknownTypeIsSuggestedFor()
    {
        std::vector<JsonProblem> problems;
        stackFromJson(Json::parse(R"([{"type":"conv2dd"}])"), "/layers", problems);
        QVERIFY(problems.at(0).message.find("“conv2d”") != std::string::npos);
    }

    void deepAndLongStacksAreRefused()
    {
        Json deep = Json::array();
        for (int i = 0; i < 10'000; ++i) {
            Json layer = {{"type", "residual"}};
            layer["branches"] = Json::array();
            layer["branches"].push_back(std::move(deep));
            deep = Json::array();
            deep.push_back(std::move(layer));
        }
        std::vector<JsonProblem> problems;
        Stack stack = stackFromJson(deep, "/layers", problems);
        QVERIFY(!problems.empty());
        QVERIFY(problems[0].message.find("deep") != std::string::npos);

        problems.clear();
        Json longer = Json::array();
        for (int i = 0; i < maxLayers + 5; ++i) longer.push_back({{"type", "relu"}});
        stack = stackFromJson(longer, "/layers", problems);
        QCOMPARE(static_cast<int>(stack.layers.size()), maxLayers);
        QCOMPARE(problems.size(), std::size_t{1});

        const StackReport report = analyse(nested(40), imageType(1, 8, 8));
        QVERIFY(!report.ok());
        QVERIFY(analyse(nested(maxBlockDepth), imageType(1, 8, 8)).ok());
    }
};

QTEST_GUILESS_MAIN(StackTest)
#include "stack_test.moc"
