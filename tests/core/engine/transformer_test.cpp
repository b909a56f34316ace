// SPDX-License-Identifier: GPL-3.0-or-later
// A small transformer through the engine: against LibTorch's own modules, against attention's formula, with fewer digits, that no
// position sees what comes after it, and that the same bits come out each time.

#include "recorded.h"
#include "reference_layers.h"

#include <QtTest>

using namespace sconce;
using namespace sconce::test;

namespace {

constexpr std::int64_t length = 24, symbols = 7;

/// Two blocks as in GPT-2, small enough for a test.
constexpr const char* gpt = R"([
    {"type":"embedding","name":"embed","symbols":7,"width":16,"spread":0.5},
    {"type":"positions","name":"pos","spread":0.5},
    {"type":"residual","branches":[[{"type":"layer_norm"},{"type":"self_attention","name":"first","heads":4}]]},
    {"type":"residual","branches":[[{"type":"layer_norm"},{"type":"dense","units":32,"activation":"gelu"},{"type":"dense","units":16}]]},
    {"type":"residual","branches":[[{"type":"layer_norm"},{"type":"self_attention","heads":2,"bias":false}]]},
    {"type":"residual","branches":[[{"type":"layer_norm"},{"type":"dense","units":32,"activation":"gelu"},{"type":"dense","units":16}]]},
    {"type":"layer_norm"},
    {"type":"dense","name":"head","units":7}])";

/// The same behind numbers at each position, for sessions whose data are bytes.
constexpr const char* blocks = R"([
    {"type":"dense","units":16},
    {"type":"positions"},
    {"type":"residual","branches":[[{"type":"layer_norm"},{"type":"self_attention","heads":4,"attention_dropout":0.1},{"type":"dropout","rate":0.2}]]},
    {"type":"residual","branches":[[{"type":"layer_norm"},{"type":"dense","units":32,"activation":"gelu"},{"type":"dense","units":16}]]},
    {"type":"global_average_pool"},
    {"type":"dense","units":4}])";

Plan planned(const char* net)
{
    auto plan = planOf(net, symbolsType(length));
    if (!plan) giveUp(plan.error());
    return *plan;
}

std::vector<Tensor> parametersOf(const Plan& plan)
{
    std::vector<Tensor> result;
    for (std::size_t i = 0; i < plan.parameters.size(); ++i) {
        Tensor tensor = emptyTensor(plan.parameters[i].shape, at::kCPU, false);
        const auto values = startValues(plan, static_cast<ParamIndex>(i), 3);
        copyIn(tensor, std::as_bytes(std::span(values)));
        result.push_back(tensor.set_requires_grad(true));
    }
    return result;
}

RunContext trainingContext(const std::vector<Tensor>& parameters)
{
    RunContext context;
    context.parameters = parameters;
    context.training = true;
    return context;
}

Tensor text(std::int64_t rows, std::uint64_t seed)
{
    at::manual_seed(seed);
    return at::randint(symbols, {rows, length}, at::kLong);
}

std::unique_ptr<Session> opened(int threads)
{
    const ValueType input = positionsType(12, 24);
    auto plan = planOf(blocks, input);
    if (!plan) giveUp(plan.error());
    SessionSpec spec = specOf(std::move(*plan), "adamw");
    spec.threads = threads;
    auto session = Session::open(std::move(spec));
    if (!session) giveUp(session.error());
    if (auto used = (*session)->useData(std::make_shared<StripesDataset>(input, trainingCount, 20, 4)); !used) giveUp(used.error());
    return std::move(*session);
}

} // namespace

class TransformerTest : public QObject
{
    Q_OBJECT

  private Q_SLOTS:
    void init() { at::set_num_threads(1); }
    void agreesWithLibTorch();
    void attentionIsItsFormula_data();
    void attentionIsItsFormula();
    void attentionDropsItsShare_data();
    void attentionDropsItsShare();
    void noPositionSeesWhatComesAfter();
    void everySymbolIsFound();
    void productsTakeFewerDigits_data();
    void productsTakeFewerDigits();
    void sameBitsEachTime_data();
    void sameBitsEachTime();
    void goesOnBitForBit();
    void aFinalSoftmaxIsTheLoss();
};

/// Output, loss and the gradient of every parameter.
void TransformerTest::agreesWithLibTorch()
{
    const Plan plan = planned(gpt);
    const std::vector<Tensor> parameters = parametersOf(plan);
    const Tensor x = text(5, 1), next = text(5, 2);
    const Tensor output = runPlan(prepare(plan, {}), x, trainingContext(parameters));
    QCOMPARE(output.sizes().vec(), (std::vector<std::int64_t>{5, length, symbols}));
    const Tensor loss = at::cross_entropy_loss(output.view({-1, symbols}), next.view({-1}));
    loss.backward();

    Weights weights;
    for (std::size_t i = 0; i < parameters.size(); ++i) weights[plan.parameters[i].name] = parameters[i].detach().clone().set_requires_grad(true);
    Reference reference(weights, true);
    const Tensor expected = reference.stack(stackOf(gpt), x);
    QCOMPARE(reference.unknown, std::string());
    QCOMPARE(reference.parameters, plan.parameterCount());
    QVERIFY(at::allclose(output, expected, 1e-5, 1e-5));
    torch::nn::functional::cross_entropy(expected.reshape({-1, symbols}), next.view({-1})).backward();
    for (std::size_t i = 0; i < parameters.size(); ++i) {
        const Tensor ours = parameters[i].grad(), theirs = weights.at(plan.parameters[i].name).grad();
        const double off = (ours - theirs).abs().max().item<double>();
        QVERIFY2(theirs.abs().sum().item<double>() > 0 || plan.parameters[i].name.find("qkv.bias") != std::string::npos, plan.parameters[i].name.c_str());
        QVERIFY2(off < 1e-6, qPrintable(QStringLiteral("%1 is off by %2").arg(QString::fromStdString(plan.parameters[i].name)).arg(off)));
    }
}

void TransformerTest::attentionIsItsFormula_data()
{
    QTest::addColumn<qint64>("positions");
    QTest::addColumn<qint64>("wide");
    QTest::addColumn<bool>("causal");
    for (const qint64 wide : {8, 16, 48}) // torch's kernel, and ours, which takes multiples of 16
        for (const qint64 positions : {1, 5, 32, 33, 64, 200, 256, 257}) // the kernels work in blocks: beside and on their edges
            for (const bool causal : {false, true}) QTest::addRow("%lld of %lld%s", static_cast<long long>(positions), static_cast<long long>(wide), causal ? ", causal" : "") << positions << wide << causal;
}

/// softmax(Q Kᵀ / √width) V in double, head by head, forward and back.
void TransformerTest::attentionIsItsFormula()
{
    QFETCH(qint64, positions);
    QFETCH(qint64, wide);
    QFETCH(bool, causal);
    constexpr std::int64_t heads = 4, batch = 3;
    Plan plan;
    plan.values = {{positionsType(positions, 3 * heads * wide)}, {positionsType(positions, heads * wide)}};
    plan.input = 0;
    plan.output = 1;
    plan.steps.push_back({AttentionOp{heads, causal}, {0}, 1, "a"});
    QCOMPARE(outputType(plan.steps[0].op, {plan.values[0].type}, plan)->text(), plan.values[1].type.text());
    at::manual_seed(4);
    const Tensor x = at::randn({batch, positions, 3 * heads * wide}).set_requires_grad(true), pull = at::randn({batch, positions, heads * wide});
    const ExecutionPlan execution = prepare(plan, {});
    QCOMPARE(execution.fusions[0].has_value(), wide % 16 == 0 && positions <= 256);
    const Tensor y = runPlan(execution, x, trainingContext({}));
    y.backward(pull);
    {
        const at::NoGradGuard noGrad;
        QVERIFY(at::equal(runPlan(execution, x, trainingContext({})), y)); // looked at, not learnt from
    }

    const Tensor exact = x.detach().to(at::kDouble).set_requires_grad(true);
    const auto part = [&](std::int64_t which) { return exact.narrow(2, which * heads * wide, heads * wide).reshape({batch, positions, heads, wide}).transpose(1, 2); };
    Tensor scores = at::matmul(part(0), part(1).transpose(2, 3)) / std::sqrt(static_cast<double>(wide));
    if (causal) scores = scores + at::full({positions, positions}, -std::numeric_limits<double>::infinity(), at::kDouble).triu(1);
    const Tensor expected = at::matmul(at::softmax(scores, 3), part(2)).transpose(1, 2).reshape({batch, positions, heads * wide});
    expected.backward(pull.to(at::kDouble));
    QVERIFY(at::allclose(y.to(at::kDouble), expected, 1e-5, 1e-5));
    QVERIFY(at::allclose(x.grad().to(at::kDouble), exact.grad(), 1e-4, 1e-5));
}

void TransformerTest::attentionDropsItsShare_data()
{
    QTest::addColumn<bool>("causal");
    QTest::addColumn<double>("rate");
    for (const double rate : {0.1, 0.6})
        for (const bool causal : {false, true}) QTest::addRow("%g%s", rate, causal ? ", causal" : "") << causal << rate;
}

/// (softmax(Q Kᵀ / √width) ∘ mask) V in double, forward and back, with the mask that seed, layer and step key, also where the batch goes
/// through in pieces; and nothing of it where nothing is learned.
void TransformerTest::attentionDropsItsShare()
{
    QFETCH(bool, causal);
    QFETCH(double, rate);
    constexpr std::int64_t heads = 3, wide = 8, batch = 6, positions = 20;
    const auto planWith = [&](double dropout) {
        Plan plan;
        plan.values = {{positionsType(positions, 3 * heads * wide)}, {positionsType(positions, heads * wide)}};
        plan.input = 0;
        plan.output = 1;
        plan.steps.push_back({AttentionOp{heads, causal, dropout, "a7"}, {0}, 1, "a7"});
        return prepare(plan, {});
    };
    at::manual_seed(4);
    const Tensor x = at::randn({batch, positions, 3 * heads * wide}).set_requires_grad(true), pull = at::randn({batch, positions, heads * wide});
    RunContext context = trainingContext({});
    context.seed = 12;
    context.step = 5;
    const Tensor y = runPlan(planWith(rate), x, context);
    y.backward(pull);

    const Tensor mask = dropoutMask(at::empty({batch, heads, positions, positions}), {rate, "a7"}, context);
    const double share = mask.eq(0).to(at::kDouble).mean().item<double>(), draws = static_cast<double>(mask.numel());
    QVERIFY(std::abs(share - rate) <= 5 * std::sqrt(rate * (1 - rate) / draws));
    const Tensor exact = x.detach().to(at::kDouble).set_requires_grad(true);
    const auto part = [&](std::int64_t which) { return exact.narrow(2, which * heads * wide, heads * wide).reshape({batch, positions, heads, wide}).transpose(1, 2); };
    Tensor scores = at::matmul(part(0), part(1).transpose(2, 3)) / std::sqrt(static_cast<double>(wide));
    if (causal) scores = scores + at::full({positions, positions}, -std::numeric_limits<double>::infinity(), at::kDouble).triu(1);
    const Tensor expected = at::matmul(at::softmax(scores, 3) * mask, part(2)).transpose(1, 2).reshape({batch, positions, heads * wide});
    expected.backward(pull.to(at::kDouble));
    QVERIFY(at::allclose(y.to(at::kDouble), expected, 1e-5, 1e-5));
    QVERIFY(at::allclose(x.grad().to(at::kDouble), exact.grad(), 1e-4, 1e-5));

    const at::NoGradGuard noGrad;
    RunContext rest = context;
    rest.firstRow = 2; // the rows behind the first two
    QVERIFY(at::allclose(runPlan(planWith(rate), x.detach().narrow(0, 2, batch - 2), rest), y.detach().narrow(0, 2, batch - 2), 1e-6, 1e-6));
    RunContext next = context;
    ++next.step;
    QVERIFY(!at::allclose(runPlan(planWith(rate), x, next), y, 1e-3, 1e-3));
    RunContext atRest = context;
    atRest.training = false;
    QVERIFY(at::equal(runPlan(planWith(rate), x, atRest), runPlan(planWith(0), x, atRest)));
    QVERIFY(at::equal(runPlan(planWith(0), x, context), runPlan(planWith(0), x, atRest)));
}

void TransformerTest::noPositionSeesWhatComesAfter()
{
    const Plan plan = planned(gpt);
    const std::vector<Tensor> parameters = parametersOf(plan);
    const ExecutionPlan execution = prepare(plan, {});
    const at::NoGradGuard noGrad;
    const Tensor x = text(3, 1);
    const Tensor before = runPlan(execution, x, trainingContext(parameters));
    const std::int64_t changed = 9;
    Tensor other = x.clone();
    other.select(1, changed).add_(1).remainder_(symbols);
    const Tensor after = runPlan(execution, other, trainingContext(parameters));
    QVERIFY(at::equal(before.narrow(1, 0, changed), after.narrow(1, 0, changed)));
    for (std::int64_t at = changed; at < length; ++at) QVERIFY(!at::equal(before.select(1, at), after.select(1, at)));

    std::string everything = gpt; // the test's own test: without the mask it does look ahead
    everything.replace(everything.find(R"("heads":4)"), 9, R"("heads":4,"causal":false)");
    const Tensor seen = runPlan(prepare(planned(everything.c_str()), {}), x, trainingContext(parameters)), seenAfter = runPlan(prepare(planned(everything.c_str()), {}), other, trainingContext(parameters));
    QVERIFY(!at::equal(seen.select(1, 0), seenAfter.select(1, 0)));
}

/// Rows of the table, each in its place; and an index beyond it is an error, not a crash.
void TransformerTest::everySymbolIsFound()
{
    const Plan plan = planned(R"([{"type":"embedding","symbols":7,"width":3}])");
    const std::vector<Tensor> parameters = parametersOf(plan);
    const Tensor x = text(4, 6), y = runPlan(prepare(plan, {}), x, trainingContext(parameters));
    for (std::int64_t row = 0; row < 4; ++row)
        for (std::int64_t at = 0; at < length; ++at) QVERIFY(at::equal(y[row][at], parameters[0][x[row][at].item<std::int64_t>()]));
    y.backward(at::ones_like(y));
    for (std::int64_t symbol = 0; symbol < symbols; ++symbol)
        QCOMPARE(parameters[0].grad()[symbol][0].item<double>(), x.eq(symbol).sum().item<double>()); // as often as it occurs

    auto session = Session::open(specOf(plan, ""));
    QVERIFY(session.ok());
    std::vector<float> indices(length, 6.0f);
    QVERIFY((*session)->run(indices, 1, false).ok());
    indices[5] = 7;
    QVERIFY(!(*session)->run(indices, 1, false).ok());
}

void TransformerTest::productsTakeFewerDigits_data()
{
    QTest::addColumn<int>("products");
    QTest::addColumn<double>("tolerance");
    QTest::newRow("bf16") << static_cast<int>(DType::BF16) << 64 * std::pow(2, -9); // as in precision_test
    QTest::newRow("fp16") << static_cast<int>(DType::F16) << 64 * std::pow(2, -12);
}

void TransformerTest::productsTakeFewerDigits()
{
    QFETCH(int, products);
    QFETCH(double, tolerance);
    const auto type = static_cast<DType>(products);
    const ValueType input = symbolsType(length);
    const Recorded exact = record(DType::F32, gpt, true, input), mixed = record(type, gpt, true, input);
    const std::set reduced{scalarType(type)}, full{at::kFloat};
    const auto of = [&](const char* node) { return mixed.types.contains(node) ? mixed.types.at(node) : std::set<at::ScalarType>{}; };
    QCOMPARE(of("ScaledDotProductFlashAttentionForCpuBackward0"), full); // faster so on a CPU
    QCOMPARE(of("AddmmBackward0"), reduced);
    QCOMPARE(of("EmbeddingBackward0"), full);
    QCOMPARE(of("NativeLayerNormBackward0"), full);
    QCOMPARE(of("GeluBackward0"), full);
    QCOMPARE(of("AddBackward0"), full);
    QVERIFY(!exact.types.contains("ToCopyBackward0"));
    QCOMPARE(mixed.output.scalar_type(), at::kFloat);
    PassOptions asOnGpus;
    asOnGpus.products = type;
    asOnGpus.poolsFollow = true;
    const ExecutionPlan reducedToo = prepare(planned(gpt), asOnGpus);
    for (std::size_t i = 0; i < reducedToo.plan.steps.size(); ++i)
        if (std::holds_alternative<AttentionOp>(reducedToo.plan.steps[i].op)) QCOMPARE(reducedToo.computes[i], type);
    const std::vector<Tensor> parameters = parametersOf(reducedToo.plan);
    at::manual_seed(1);
    const Tensor x = at::randint(5, {6, length}, at::kLong); // what record() draws
    const Tensor nearby = runPlan(reducedToo, x, trainingContext(parameters));
    QVERIFY((nearby - exact.output).norm().item<double>() <= tolerance * exact.output.norm().item<double>());
    QVERIFY(!at::equal(nearby, mixed.output));
    double largest = 0;
    for (const Tensor& gradient : exact.gradients) largest = std::max(largest, gradient.norm().item<double>());
    for (std::size_t i = 0; i < exact.gradients.size(); ++i) {
        QCOMPARE(mixed.gradients[i].scalar_type(), at::kFloat);
        const double size = std::max(exact.gradients[i].norm().item<double>(), largest / 100), off = (mixed.gradients[i] - exact.gradients[i]).norm().item<double>() / size;
        QVERIFY2(off > 0 && off <= tolerance, qPrintable(QStringLiteral("gradient %1 is off by %2").arg(i).arg(off)));
    }
}

void TransformerTest::sameBitsEachTime_data()
{
    QTest::addColumn<int>("products");
    for (const DType type : {DType::F32, DType::BF16}) QTest::addRow("%s", std::string(name(type)).c_str()) << static_cast<int>(type);
}

/// What kill and resume rest on: with the same number of threads, the same sums in the same order. Many rows share a symbol.
void TransformerTest::sameBitsEachTime()
{
    QFETCH(int, products);
    at::set_num_threads(2);
    const Plan plan = planned(gpt);
    PassOptions options;
    options.products = static_cast<DType>(products);
    const ExecutionPlan execution = prepare(plan, options);
    const Tensor x = text(96, 1), next = text(96, 2);
    std::vector<Tensor> first;
    for (int round = 0; round < 8; ++round) {
        const std::vector<Tensor> parameters = parametersOf(plan);
        const Tensor output = runPlan(execution, x, trainingContext(parameters));
        at::cross_entropy_loss(output.reshape({-1, symbols}), next.view({-1})).backward();
        std::vector<Tensor> found{output.detach()};
        for (const Tensor& parameter : parameters) found.push_back(parameter.grad());
        if (round == 0) first = found;
        for (std::size_t i = 0; i < found.size(); ++i) QVERIFY2(at::equal(found[i], first[i]), i == 0 ? "output" : plan.parameters[i - 1].name.c_str());
    }
}

void TransformerTest::goesOnBitForBit()
{
    const auto whole = opened(2), begun = opened(2), resumed = opened(2);
    train(*whole, 0, 6);
    train(*begun, 0, 3);
    const State saved = stateOf(*begun);
    QVERIFY(resumed->setWeights(viewsOf(saved.weights)) && resumed->setOptimiserState(viewsOf(saved.optimiser)));
    train(*resumed, 3, 6);
    QVERIFY(stateOf(*resumed) == stateOf(*whole));
    const auto other = opened(2); // the test's own test: without the optimiser's state it does not
    QVERIFY(other->setWeights(viewsOf(saved.weights)));
    train(*other, 3, 6);
    QVERIFY(!(stateOf(*other) == stateOf(*whole)));
}

void TransformerTest::aFinalSoftmaxIsTheLoss()
{
    std::string net = gpt;
    net.insert(net.rfind(']'), R"(,{"type":"softmax"})");
    const ExecutionPlan execution = prepare(planned(net.c_str()), {});
    QCOMPARE(execution.outputKind, OutputKind::Probabilities);
    QCOMPARE(execution.plan.steps.size(), planned(gpt).steps.size());
    PassOptions alone;
    alone.joined = FinalStep::None;
    const std::vector<Tensor> parameters = parametersOf(execution.plan);
    const Tensor shares = runPlan(prepare(planned(net.c_str()), alone), text(2, 1), trainingContext(parameters));
    QVERIFY(at::allclose(shares.sum(2), at::ones({2, length}))); // over the symbols of each position
}

QTEST_GUILESS_MAIN(TransformerTest)
#include "transformer_test.moc"
