// SPDX-License-Identifier: GPL-3.0-or-later
// Segments that are computed again: where they may lie, that not one bit of the result changes by them, that dropout and running
// statistics do not see them twice, and that the memory is really saved.

#include "engine_support.h"
#include "memory_support.h"
#include "recorded.h"

#include "core/base/text.h"
#include "core/model/memory.h"

#include <QtTest>

#include <set>

using namespace sconce;
using namespace sconce::test;

namespace {

constexpr const char* deepNet = R"([
    {"type":"conv2d","filters":8,"kernel":[3,3],"padding":"same"},
    {"type":"batch_norm"},
    {"type":"relu"},
    {"type":"residual","activation":"relu","branches":[[{"type":"conv2d","filters":8,"kernel":[3,3],"padding":"same","activation":"relu"},{"type":"batch_norm"},{"type":"dropout","rate":0.2}]]},
    {"type":"residual","activation":"relu","branches":[[{"type":"conv2d","filters":8,"kernel":[3,3],"padding":"same","activation":"gelu"},{"type":"batch_norm"}]]},
    {"type":"residual","activation":"relu","branches":[[{"type":"conv2d","filters":8,"kernel":[3,3],"padding":"same","activation":"gelu"},{"type":"batch_norm"}]]},
    {"type":"global_average_pool"},
    {"type":"dense","units":4}])";

/// Rows of numbers at each position: the stripes of the other tests, in another shape.
constexpr const char* transformer = R"([
    {"type":"dense","units":16},
    {"type":"positions"},
    {"type":"residual","branches":[[{"type":"layer_norm"},{"type":"self_attention","heads":4,"attention_dropout":0.1},{"type":"dropout","rate":0.2}]]},
    {"type":"residual","branches":[[{"type":"layer_norm"},{"type":"dense","units":64,"activation":"gelu"},{"type":"dense","units":16}]]},
    {"type":"residual","branches":[[{"type":"layer_norm"},{"type":"self_attention","heads":4}]]},
    {"type":"residual","branches":[[{"type":"layer_norm"},{"type":"dense","units":64,"activation":"gelu"},{"type":"dense","units":16}]]},
    {"type":"residual","branches":[[{"type":"layer_norm"},{"type":"self_attention","heads":4}]]},
    {"type":"residual","branches":[[{"type":"layer_norm"},{"type":"dense","units":64,"activation":"gelu"},{"type":"dense","units":16}]]},
    {"type":"global_average_pool"},
    {"type":"dense","units":4}])";

ValueType inputOf(const char* net) { return net == transformer ? positionsType(12, 24) : imageType(2, 12, 12); }

SessionSpec spec(bool recompute, const char* net, const std::string& precision = "float32", std::int64_t pieces = 0)
{
    auto plan = planOf(net, inputOf(net));
    if (!plan) giveUp(plan.error());
    SessionSpec result = specOf(std::move(*plan));
    result.step.recompute = recompute;
    result.step.precision = precision;
    result.step.microBatch = pieces;
    return result;
}

std::unique_ptr<Session> opened(SessionSpec spec)
{
    const ValueType input = spec.plan.values[static_cast<std::size_t>(spec.plan.input)].type;
    auto session = Session::open(std::move(spec));
    if (!session) giveUp(session.error());
    if (auto used = (*session)->useData(std::make_shared<StripesDataset>(input, trainingCount, 20, 4)); !used) giveUp(used.error());
    return std::move(*session);
}

ExecutionPlan executionOf(const char* net, bool recompute)
{
    auto plan = planOf(net, inputOf(net));
    if (!plan) giveUp(plan.error());
    PassOptions options;
    options.recompute = recompute;
    return prepare(std::move(*plan), options);
}

} // namespace

class RecomputeTest : public QObject
{
    Q_OBJECT

  private Q_SLOTS:
    void segmentsLieBetweenSingleValues();
    void nothingIsCutWhereNothingIsGained();
    void notOneBitChanges_data();
    void notOneBitChanges();
    void aStepThatIsRefusedLeavesNoTrace();
    void savesTheMemoryThatWasForecast();
    void takesTheArithmeticThatWasForecast_data();
    void takesTheArithmeticThatWasForecast();
    void whatItWouldSaveIsSaidBeforehand();
};

void RecomputeTest::segmentsLieBetweenSingleValues()
{
    const ExecutionPlan execution = executionOf(deepNet, true);
    QVERIFY(execution.segments.size() >= 2);
    const std::vector<int> cuts = findCuts(execution);
    int end = 0;
    for (const Segment& segment : execution.segments) {
        QVERIFY(segment.first >= end && segment.first < segment.last);
        QVERIFY(std::count(cuts.begin(), cuts.end(), segment.first) == 1 && std::count(cuts.begin(), cuts.end(), segment.last) == 1);
        QVERIFY(!execution.inPlace[static_cast<std::size_t>(segment.first)]); // it would overwrite what the segment is to begin with again
        end = segment.last;
    }
    QVERIFY(end < static_cast<int>(execution.plan.steps.size())); // the last part is kept: the backward pass begins there
    for (const int cut : cuts) { // nothing made before is read behind, but one value
        std::set<ValueIndex> read;
        std::set<ValueIndex> made{execution.plan.input};
        for (std::size_t i = 0; i < execution.plan.steps.size(); ++i) {
            const Step& step = execution.plan.steps[i];
            if (static_cast<int>(i) < cut) made.insert(step.output);
            else
                for (ValueIndex input : step.inputs)
                    if (made.contains(input)) read.insert(input);
        }
        QVERIFY(read.size() == 1 || (cut == static_cast<int>(execution.plan.steps.size()) && read.empty()));
    }
    // A forward pass is a third of a step's arithmetic, a little more where the first layer needs no gradient of its input.
    QVERIFY2(recomputedShare(execution) > 0.1 && recomputedShare(execution) < 0.4, qPrintable(QString::number(recomputedShare(execution))));
}

void RecomputeTest::nothingIsCutWhereNothingIsGained()
{
    const char* small = R"([{"type":"flatten"},{"type":"dense","units":4}])";
    QVERIFY(executionOf(small, true).segments.empty());
    QCOMPARE(recomputedShare(executionOf(small, true)), 0.0);
    QVERIFY(executionOf(deepNet, false).segments.empty());
}

void RecomputeTest::notOneBitChanges_data()
{
    QTest::addColumn<QString>("precision");
    QTest::addColumn<qint64>("pieces");
    QTest::addColumn<bool>("attends");
    QTest::newRow("float32") << "float32" << qint64{0} << false;
    QTest::newRow("bf16") << "bf16" << qint64{0} << false;
    QTest::newRow("fp16") << "fp16" << qint64{0} << false;
    QTest::newRow("in pieces") << "float32" << qint64{5} << false;
    QTest::newRow("transformer") << "float32" << qint64{0} << true;
    QTest::newRow("transformer, bf16") << "bf16" << qint64{0} << true;
    QTest::newRow("transformer, in pieces") << "float32" << qint64{5} << true;
}

/// Weights, moments, running statistics and losses. A dropout mask drawn anew, or statistics moved twice, would show in them.
void RecomputeTest::notOneBitChanges()
{
    QFETCH(QString, precision);
    QFETCH(qint64, pieces);
    QFETCH(bool, attends);
    const char* net = attends ? transformer : deepNet;
    const auto kept = opened(spec(false, net, precision.toStdString(), pieces)), again = opened(spec(true, net, precision.toStdString(), pieces));
    QVERIFY(again->choices()["recomputed_segments"].get<int>() >= 2);
    QVERIFY(!kept->choices().contains("recomputed_segments"));
    train(*kept, 0, 4);
    train(*again, 0, 4);
    QVERIFY(stateOf(*kept) == stateOf(*again));
    const auto a = kept->takeMetrics(), b = again->takeMetrics();
    QVERIFY(a && b);
    for (std::size_t i = 0; i < a->size(); ++i) {
        QCOMPARE((*b)[i].loss, (*a)[i].loss);
        QCOMPARE((*b)[i].correct, (*a)[i].correct);
    }
    if (attends) return;
    // The statistics have moved at all.
    const std::vector<HostTensor> weights = *again->weights();
    const auto mean = std::find_if(weights.begin(), weights.end(), [](const HostTensor& tensor) { return tensor.name.ends_with("running_mean"); });
    QVERIFY(mean != weights.end() && floatsOf(*mean)[0] != 0);
}

void RecomputeTest::aStepThatIsRefusedLeavesNoTrace()
{
    const auto session = opened(spec(true, deepNet));
    train(*session, 0, 2);
    std::vector<HostTensor> weights = *session->weights();
    std::vector<float> values = floatsOf(weights[0]);
    values[0] = std::numeric_limits<float>::quiet_NaN();
    std::memcpy(weights[0].bytes.data(), values.data(), weights[0].bytes.size());
    QVERIFY(session->setWeights(viewsOf(weights)));
    const State before = stateOf(*session);
    const auto done = trainStep(*session, 2);
    QVERIFY(!done);
    QCOMPARE(done.error().code, ErrorCode::NotFinite);
    QVERIFY(stateOf(*session) == before);
}

/// The starter that is made of blocks: the measured peak falls by what was said, and the losses are the same.
void RecomputeTest::savesTheMemoryThatWasForecast()
{
    Recipe recipe = findStarter("small-resnet")->recipe;
    const DataFacts facts = *assumedFacts(recipe.data.dataset);
    const Peak kept = trainedPeak(recipe, facts, 2);
    setOption(recipe.training, "memory", "recompute", std::string("blocks"));
    const Peak again = trainedPeak(recipe, facts, 2);
    QCOMPARE(again.losses, kept.losses);
    const MemoryForecast forecast = forecastOf(recipe, facts).memory;
    QVERIFY(forecast.recomputing > 0.15 && forecast.recomputing < 0.34);
    const double saved = kept.bytes - again.bytes, said = static_cast<double>(forecast.withoutRecomputing) - static_cast<double>(forecast.total());
    qInfo("%.1f MB kept, %.1f MB computed again: %.1f MB saved, %.1f MB forecast", kept.bytes / 1e6, again.bytes / 1e6, saved / 1e6, said / 1e6);
    QVERIFY(again.bytes < 0.7 * kept.bytes);
    QVERIFY(std::abs(saved / said - 1) < 0.2);
}

/// Counts the multiply-adds of the steps that really run, for the first time and again.
struct Counting : engine::StepObserver
{
    double once = 0, again = 0;
    void before(const ExecutionPlan& execution, const engine::RunContext& context, std::size_t first, std::size_t count) override
    {
        for (std::size_t i = first; i < first + count; ++i) (context.again ? again : once) += static_cast<double>(costOf(execution.plan.steps[i], execution.plan, false).macs);
    }
};

void RecomputeTest::takesTheArithmeticThatWasForecast_data()
{
    QTest::addColumn<bool>("attends");
    QTest::newRow("convolutions") << false;
    QTest::newRow("transformer") << true;
}

/// What runs a second time in the backward pass, step by step, is the share that the estimate of the time says.
void RecomputeTest::takesTheArithmeticThatWasForecast()
{
    QFETCH(bool, attends);
    const ExecutionPlan execution = executionOf(attends ? transformer : deepNet, true);
    std::vector<at::Tensor> parameters, staged(execution.plan.buffers.size()), buffers;
    for (std::size_t i = 0; i < execution.plan.parameters.size(); ++i) {
        at::Tensor tensor = engine::emptyTensor(execution.plan.parameters[i].shape, at::kCPU, execution.channelsLast);
        const auto values = engine::startValues(execution.plan, static_cast<ParamIndex>(i), 3);
        engine::copyIn(tensor, std::as_bytes(std::span(values)));
        parameters.push_back(tensor.set_requires_grad(true));
    }
    for (const BufferSpec& spec : execution.plan.buffers) buffers.push_back(at::full(spec.shape, spec.initial));
    Counting counting;
    engine::RunContext context;
    context.parameters = parameters;
    context.buffers = buffers;
    context.staged = &staged;
    context.training = true;
    context.observer = &counting;
    std::vector<std::int64_t> sizes = inputOf(attends ? transformer : deepNet).sizes();
    sizes.insert(sizes.begin(), 4);
    const at::Tensor output = engine::runPlan(execution, at::ones(sizes), context);
    QCOMPARE(counting.again, 0.0);
    output.sum().backward();
    double all = 0;
    for (const Step& step : execution.plan.steps) all += static_cast<double>(costOf(step, execution.plan, step.inputs.front() != execution.plan.input).trainingMacs);
    QVERIFY(counting.again > 0 && counting.again < counting.once);
    QVERIFY2(std::abs(counting.again / all - recomputedShare(execution)) < 1e-12, qPrintable(QString("%1 counted, %2 forecast").arg(counting.again / all).arg(recomputedShare(execution))));
}

/// The same figures whether it is on or not, and in words that say which.
void RecomputeTest::whatItWouldSaveIsSaidBeforehand()
{
    Recipe recipe = findStarter("small-resnet")->recipe;
    const DataFacts facts = *assumedFacts(recipe.data.dataset);
    const StackReport report = analyse(recipe.stack, facts.input);
    const auto before = recomputingEstimate(recipe, report, facts);
    QVERIFY(before.has_value());
    const std::uint64_t without = forecastOf(recipe, facts).memory.total();
    setOption(recipe.training, "memory", "recompute", std::string("blocks"));
    const auto with = recomputingEstimate(recipe, report, facts);
    const MemoryForecast forecast = forecastOf(recipe, facts).memory;
    QCOMPARE(with->saves, before->saves);
    QVERIFY(std::abs(static_cast<double>(before->saves) - static_cast<double>(without - forecast.total())) < 16); // each figure is a whole number of bytes
    QCOMPARE(before->time, forecast.recomputing);
    const QString words = QString::fromStdString(recomputingText(*before, false));
    QVERIFY2(words.contains("would save about") && words.contains(QString::fromStdString(percentText(forecast.recomputing, 0)) + " longer (estimates)"), qPrintable(words));
    QVERIFY(!recomputingText(*with, true).starts_with("would"));
    // A network without blocks worth it.
    Recipe small = findStarter("mnist-mlp")->recipe;
    const DataFacts mnist = *assumedFacts("mnist");
    const auto none = recomputingEstimate(small, analyse(small.stack, mnist.input), mnist);
    QVERIFY(none && none->saves == 0 && none->time == 0);
    QVERIFY(QString::fromStdString(recomputingText(*none, false)).contains("too little"));
}

QTEST_GUILESS_MAIN(RecomputeTest)
#include "recompute_test.moc"
