// SPDX-License-Identifier: GPL-3.0-or-later
// The passes over the plan: what they move, what they must leave alone, and that the numbers stay.

#include "engine_support.h"

#include "core/engine/backend/initialise.h"
#include "core/model/passes.h"

#include <QtTest>

#include <cmath>
#include <set>

using namespace sconce;
using namespace sconce::test;
using namespace sconce::engine;

namespace {

/// "conv pool activation …": the steps in order.
std::string stepsOf(const Plan& plan)
{
    std::string text;
    for (const Step& step : plan.steps) text += (text.empty() ? "" : " ") + std::string(primitiveName(step.op));
    return text;
}

Plan planFor(const char* json, const ValueType& input = imageType(2, 14, 14))
{
    auto plan = planOf(json, input);
    if (!plan) qFatal("%s", plan.error().message.c_str());
    return std::move(*plan);
}

} // namespace

class PassesTest : public QObject
{
    Q_OBJECT

  private Q_SLOTS:
    void movesActivations_data();
    void movesActivations();
    void movingKeepsTheNumbers();
    void eachSwitchSwitchesItOff();
    void takesOffTheLastSoftmaxOnly();
    void worksInPlaceOnlyWhereNobodyLooks();
    void dropsValuesAfterTheirLastReader();
    void choosesChannelsLastForMapsOnly();
    void startKeysAreUnique();
    void startValuesFollowTheFans_data();
    void startValuesFollowTheFans();
};

void PassesTest::movesActivations_data()
{
    QTest::addColumn<QString>("json");
    QTest::addColumn<QString>("after");
    QTest::addColumn<int>("moved");
    QTest::newRow("relu") << R"([{"type":"conv2d"},{"type":"relu"},{"type":"max_pool2d"}])" << "conv pool activation" << 1;
    QTest::newRow("inside the convolution") << R"([{"type":"conv2d","activation":"relu"},{"type":"max_pool2d"},{"type":"conv2d","activation":"relu"},{"type":"max_pool2d"}])"
                                            << "conv pool activation conv pool activation" << 2;
    QTest::newRow("leaky relu") << R"([{"type":"leaky_relu"},{"type":"max_pool2d"}])" << "pool activation" << 1;
    QTest::newRow("not monotone") << R"([{"type":"gelu"},{"type":"max_pool2d"}])" << "activation pool" << 0;
    QTest::newRow("average") << R"([{"type":"relu"},{"type":"average_pool2d"}])" << "activation pool" << 0;
    QTest::newRow("something between") << R"([{"type":"relu"},{"type":"dropout"},{"type":"max_pool2d"}])" << "activation dropout pool" << 0;
    QTest::newRow("read twice") << R"([{"type":"relu"},{"type":"parallel","branches":[[{"type":"max_pool2d","padding":"same","stride":1}],[]]}])"
                                << "activation pool concat" << 0;
}

void PassesTest::movesActivations()
{
    QFETCH(QString, json);
    QFETCH(QString, after);
    QFETCH(int, moved);
    Plan plan = planFor(json.toUtf8().constData());
    QCOMPARE(moveActivationsBehindMaxPools(plan), moved);
    QCOMPARE(QString::fromStdString(stepsOf(plan)), after);
    // Still a plan: every value made before it is read, with the type that its step gives.
    std::set<ValueIndex> made{plan.input};
    for (const Step& step : plan.steps) {
        std::vector<ValueType> types;
        for (ValueIndex input : step.inputs) {
            QVERIFY(made.contains(input));
            types.push_back(plan.values[static_cast<std::size_t>(input)].type);
        }
        const ValueType& declared = plan.values[static_cast<std::size_t>(step.output)].type;
        const auto type = outputType(step.op, types, plan, &declared);
        QVERIFY(type.ok() && type->sizes() == declared.sizes());
        made.insert(step.output);
    }
    QVERIFY(made.contains(plan.output));
}

/// The session runs the moved plan; a plan that hides the pair behind a no-op reshape runs as written.
void PassesTest::movingKeepsTheNumbers()
{
    const char* moved = R"([{"id":"a","name":"c","type":"conv2d","filters":5,"activation":"relu"},{"id":"b","type":"max_pool2d"}])";
    const char* kept = R"([{"id":"a","name":"c","type":"conv2d","filters":5,"activation":"relu"},{"id":"x","type":"reshape","shape":[5,10,10]},{"id":"b","type":"max_pool2d"}])";
    const ValueType input = imageType(3, 12, 12);
    std::vector<float> values(4 * 3 * 12 * 12);
    Philox(2, Purpose::Test).fillUniform(-1, 1, values);
    auto a = Session::open(specOf(planFor(moved, input), "")), b = Session::open(specOf(planFor(kept, input), ""));
    QVERIFY(a.ok() && b.ok());
    QCOMPARE((*a)->choices()["activations_behind_pools"].get<int>(), 1);
    QCOMPARE((*b)->choices()["activations_behind_pools"].get<int>(), 0);
    QCOMPARE(*(*a)->run(values, 4, false), *(*b)->run(values, 4, false));
}

void PassesTest::takesOffTheLastSoftmaxOnly()
{
    Plan plan = planFor(R"([{"type":"flatten"},{"type":"softmax"},{"type":"dense","units":3,"activation":"softmax"}])");
    QCOMPARE(takeOffFinalSoftmax(plan), OutputKind::Probabilities);
    QCOMPARE(stepsOf(plan), std::string("reshape softmax linear"));
    QCOMPARE(plan.output, plan.steps.back().output);
    QCOMPARE(takeOffFinalSoftmax(plan), OutputKind::Raw);
    Plan logarithm = planFor(R"([{"type":"flatten"},{"type":"log_softmax"}])");
    QCOMPARE(takeOffFinalSoftmax(logarithm), OutputKind::LogProbabilities);
    Plan map = planFor(R"([{"type":"softmax"}])"); // over channels of a picture: not a classifier's end
    QCOMPARE(takeOffFinalSoftmax(map), OutputKind::Raw);
}

void PassesTest::worksInPlaceOnlyWhereNobodyLooks()
{
    const auto marks = [](const char* json) {
        const Plan plan = planFor(json);
        const auto inPlace = markInPlace(plan);
        std::string text;
        for (std::size_t i = 0; i < plan.steps.size(); ++i) text += inPlace[i] ? '1' : '0';
        return text;
    };
    QCOMPARE(marks(R"([{"type":"conv2d"},{"type":"relu"}])"), std::string("01"));
    QCOMPARE(marks(R"([{"type":"relu"}])"), std::string("0"));                                    // the input is the caller's
    QCOMPARE(marks(R"([{"type":"conv2d"},{"type":"sigmoid"}])"), std::string("00"));
    QCOMPARE(marks(R"([{"type":"sigmoid"},{"type":"relu"}])"), std::string("00"));                // its backward pass needs its result
    QCOMPARE(marks(R"([{"type":"conv2d"},{"type":"parallel","branches":[[{"type":"relu"}],[]]}])"), std::string("000")); // read twice
    QCOMPARE(marks(R"([{"type":"flatten"},{"type":"dense","units":4,"activation":"relu"}])"), std::string("001"));
}

void PassesTest::dropsValuesAfterTheirLastReader()
{
    const Plan plan = planFor(R"([{"type":"conv2d"},{"type":"residual","branches":[[{"type":"relu"},{"type":"tanh"}]]}])");
    const auto dead = markDead(plan);
    std::set<ValueIndex> dropped;
    for (std::size_t i = 0; i < plan.steps.size(); ++i) {
        for (ValueIndex input : plan.steps[i].inputs) QVERIFY(!dropped.contains(input));
        for (ValueIndex value : dead[i]) QVERIFY(dropped.insert(value).second);
    }
    QVERIFY(!dropped.contains(plan.output));
    QCOMPARE(dropped.size(), plan.values.size() - 1); // all but the output
}

void PassesTest::choosesChannelsLastForMapsOnly()
{
    QVERIFY(gainsFromChannelsLast(planFor(R"([{"type":"conv2d"}])")));
    QVERIFY(gainsFromChannelsLast(planFor(R"([{"type":"max_pool2d"}])")));
    QVERIFY(!gainsFromChannelsLast(planFor(R"([{"type":"flatten"},{"type":"dense"}])")));
    QVERIFY(!gainsFromChannelsLast(planFor(R"([{"type":"conv1d"}])", sequenceType(3, 20))));
    QVERIFY(!prepare(planFor(R"([{"type":"conv2d"}])"), {.channelsLast = false}).channelsLast);
}

void PassesTest::startKeysAreUnique()
{
    const Plan plan = planFor(R"([{"type":"separable_conv2d"},{"type":"conv2d"},{"type":"batch_norm"},{"type":"residual","branches":[[{"type":"conv2d","filters":7,"padding":"same"}]]}])");
    std::set<std::string> keys;
    for (ParamIndex i = 0; i < static_cast<ParamIndex>(plan.parameters.size()); ++i) keys.insert(startKey(plan, i));
    QCOMPARE(keys.size(), plan.parameters.size());
}

void PassesTest::startValuesFollowTheFans_data()
{
    QTest::addColumn<int>("kind");
    QTest::addColumn<double>("deviation");
    QTest::addColumn<double>("limit");
    using Kind = Initialiser::Kind;
    const double glorot = std::sqrt(6.0 / 150), he = std::sqrt(6.0 / 100), many = 1e9;
    QTest::newRow("Glorot uniform") << int(Kind::GlorotUniform) << glorot / std::sqrt(3.0) << glorot;
    QTest::newRow("Glorot normal") << int(Kind::GlorotNormal) << std::sqrt(2.0 / 150) << many;
    QTest::newRow("He uniform") << int(Kind::HeUniform) << he / std::sqrt(3.0) << he;
    QTest::newRow("He normal") << int(Kind::HeNormal) << std::sqrt(2.0 / 100) << many;
    QTest::newRow("uniform") << int(Kind::Uniform) << 0.25 / std::sqrt(3.0) << 0.25;
    QTest::newRow("normal") << int(Kind::Normal) << 0.25 << many;
}

void PassesTest::startValuesFollowTheFans()
{
    QFETCH(int, kind);
    QFETCH(double, deviation);
    QFETCH(double, limit);
    Plan plan;
    plan.parameters.resize(1);
    plan.parameters[0].name = "d.weight";
    plan.parameters[0].layer = "l1";
    plan.parameters[0].shape = {200, 100};
    plan.parameters[0].init = {static_cast<Initialiser::Kind>(kind), 0.25, 100, 50};
    const std::vector<float> values = startValues(plan, 0, 9);
    double sum = 0, squares = 0;
    for (float value : values) {
        QVERIFY(std::abs(value) <= limit);
        sum += value;
        squares += static_cast<double>(value) * value;
    }
    const double count = 20000, mean = sum / count;
    QVERIFY(std::abs(mean) < 5 * deviation / std::sqrt(count));
    QVERIFY(std::abs(std::sqrt(squares / count - mean * mean) / deviation - 1) < 0.03);
}

/// An off switch leaves out its pass, and what needs that pass.
void PassesTest::eachSwitchSwitchesItOff()
{
    const char* net = R"([{"type":"conv2d","filters":32,"kernel":[3,3],"activation":"relu"},{"type":"max_pool2d"},{"type":"flatten"},{"type":"dense","units":4}])";
    const auto prepared = [&](auto change) {
        PassOptions options;
        change(options);
        return prepare(planFor(net), options);
    };
    const auto fusions = [](const ExecutionPlan& plan) { return std::count_if(plan.fusions.begin(), plan.fusions.end(), [](const auto& fusion) { return fusion.has_value(); }); };
    const ExecutionPlan all = prepared([](PassOptions&) {}), noPools = prepared([](PassOptions& o) { o.poolsFirst = false; }), noFusion = prepared([](PassOptions& o) { o.fuse = false; }),
                        noLayout = prepared([](PassOptions& o) { o.channelsLast = false; });
    QVERIFY(all.channelsLast && all.poolsMoved == 1 && fusions(all) > 0);
    QVERIFY(noPools.channelsLast && noPools.poolsMoved == 0 && QString::fromStdString(stepsOf(noPools.plan)).startsWith("conv activation pool"));
    QVERIFY(noFusion.channelsLast && noFusion.poolsMoved == 1 && fusions(noFusion) == 0);
    QVERIFY(!noLayout.channelsLast && noLayout.poolsMoved == 1 && fusions(noLayout) == 0);
}

QTEST_GUILESS_MAIN(PassesTest)
#include "passes_test.moc"
