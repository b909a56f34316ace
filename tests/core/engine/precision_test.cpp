// SPDX-License-Identifier: GPL-3.0-or-later
// Fewer digits in products: where the casts are and where they are not, losses and gradients beside float32's, the scale of the
// loss against a written table, and that neither a skipped step nor a resume leaves a trace.

#include "recorded.h"

#include "core/engine/backend/engine_table.h"
#include "core/engine/backend/loss_scale.h"
#include "core/engine/backend/precision.h"
#include "core/engine/backend/tensors.h"

#include <ATen/TensorOperators.h>

#include <QtTest>

#include <cmath>
#include <map>
#include <set>

using namespace sconce;
using namespace sconce::test;
using namespace sconce::engine;
using at::Tensor;

namespace {

/// Of everything one: convolutions with and without a norm behind them, pooling, dropout, a residual sum.
constexpr const char* mixedNet = R"([
    {"type":"conv2d","name":"first","filters":16,"kernel":[3,3],"padding":"same"},
    {"type":"batch_norm"},
    {"type":"relu"},
    {"type":"residual","branches":[[{"type":"conv2d","name":"inside","filters":16,"kernel":[3,3],"padding":"same","activation":"relu"}]]},
    {"type":"average_pool2d"},
    {"type":"conv2d","name":"second","filters":8,"kernel":[3,3],"activation":"relu"},
    {"type":"flatten"},
    {"type":"dropout","rate":0.3},
    {"type":"dense","name":"head","units":12,"activation":"gelu"},
    {"type":"dense","name":"last","units":4}])";

SessionSpec trainingSpec(const std::string& precision, const char* net = convnet, const std::string& optimiser = "adam")
{
    auto plan = planOf(net, imageType(2, 12, 12));
    if (!plan) giveUp(plan.error());
    SessionSpec spec = specOf(std::move(*plan), optimiser);
    spec.step.precision = precision;
    spec.step.batch = batch;
    return spec;
}

std::unique_ptr<Session> opened(SessionSpec spec)
{
    auto session = Session::open(std::move(spec));
    if (!session) giveUp(session.error());
    if (auto used = (*session)->useData(stripes()); !used) giveUp(used.error());
    return std::move(*session);
}

std::vector<StepMetrics> metricsOf(Session& session)
{
    auto metrics = session.takeMetrics();
    if (!metrics) giveUp(metrics.error());
    return *metrics;
}

} // namespace

class PrecisionTest : public QObject
{
    Q_OBJECT

  private Q_SLOTS:
    void float32HasNoCastAnywhere();
    void productsAreCastAndNothingElse_data();
    void productsAreCastAndNothingElse();
    void fusedBlocksStayExact();
    void onlyTheChosenProductsAreCast();
    void gradientsAreNearThoseOfFloat32_data();
    void gradientsAreNearThoseOfFloat32();
    void lossesFollowFloat32_data();
    void lossesFollowFloat32();
    void whatLooksAtTheModelComputesInFloat32();
    void scaleFollowsItsTable_data();
    void scaleFollowsItsTable();
    void gradientsAreUnscaledExactly();
    void anOverflowSkipsTheStepAndNothingElse_data();
    void anOverflowSkipsTheStepAndNothingElse();
    void whatNoScaleCanHelpIsAFailure_data();
    void whatNoScaleCanHelpIsAFailure();
    void aNotFiniteLossIsAFailureInFloat16_data();
    void aNotFiniteLossIsAFailureInFloat16();
    void stateGoesOnBitForBit_data();
    void stateGoesOnBitForBit();
    void aStateWithoutAScaleIsRefused();
    void automaticIsMeasuredKeptAndReused();
    void tf32SaysWhatItIsHere();
};

void PrecisionTest::float32HasNoCastAnywhere()
{
    const Recorded exact = record(DType::F32, mixedNet);
    QVERIFY(exact.types.contains("ConvolutionBackward0"));
    QVERIFY(!exact.types.contains("ToCopyBackward0"));
    for (const auto& [node, types] : exact.types) QVERIFY2(types == std::set{at::kFloat}, node.c_str());
}

void PrecisionTest::productsAreCastAndNothingElse_data()
{
    QTest::addColumn<int>("products");
    QTest::newRow("bf16") << static_cast<int>(DType::BF16);
    QTest::newRow("fp16") << static_cast<int>(DType::F16);
}

void PrecisionTest::productsAreCastAndNothingElse()
{
    QFETCH(int, products);
    const auto type = static_cast<DType>(products);
    const Recorded mixed = record(type, mixedNet);
    const std::set reduced{scalarType(type)}, exact{at::kFloat};
    const auto of = [&](const char* node) { return mixed.types.contains(node) ? mixed.types.at(node) : std::set<at::ScalarType>{}; };
    QCOMPARE(of("ConvolutionBackward0"), reduced);
    QCOMPARE(of("AddmmBackward0"), reduced);
    QCOMPARE(of("NativeBatchNormBackward0"), exact);
    QCOMPARE(of("AvgPool2DBackward0"), exact);
    QCOMPARE(of("AddBackward0"), exact);
    QCOMPARE(of("MulBackward0"), exact); // dropout
    QCOMPARE(of("GeluBackward0"), exact);
    QVERIFY(mixed.types.contains("ToCopyBackward0"));
    QCOMPARE(mixed.output.scalar_type(), at::kFloat);
    for (const Tensor& gradient : mixed.gradients) QCOMPARE(gradient.scalar_type(), at::kFloat);
}

void PrecisionTest::fusedBlocksStayExact()
{
    const char* net = R"([{"type":"conv2d","filters":16,"activation":"relu"},{"type":"max_pool2d"},{"type":"conv2d","filters":16,"padding":"same","activation":"relu"},{"type":"max_pool2d"},
                          {"type":"conv2d","filters":16,"kernel":[1,1],"activation":"relu"},{"type":"max_pool2d"},{"type":"flatten"},{"type":"dense","units":4}])";
    const Recorded mixed = record(DType::BF16, net), exact = record(DType::F32, net);
    // The first two blocks run whole in float32, of the third the convolution is cast.
    QVERIFY(std::any_of(mixed.types.begin(), mixed.types.end(), [](const auto& type) { return type.first.find("DeepConvPool") != std::string::npos; }));
    QCOMPARE(mixed.types.at("ConvolutionBackward0"), std::set{at::kBFloat16});
    for (const auto& [node, types] : mixed.types)
        if (node.find("Pool") != std::string::npos) QVERIFY2(types == std::set{at::kFloat}, node.c_str());
    QVERIFY(!at::equal(mixed.output, exact.output));
    QVERIFY(at::allclose(mixed.output, exact.output, 0.05, 0.05));
}

void PrecisionTest::onlyTheChosenProductsAreCast()
{
    auto plan = planOf(mixedNet, imageType(2, 12, 12));
    QVERIFY(plan);
    PassOptions options;
    options.products = DType::BF16;
    options.only = std::vector<std::string>{"second.weight", "last.weight"};
    const ExecutionPlan execution = prepare(std::move(*plan), options);
    std::vector<std::string> cast;
    for (std::size_t i = 0; i < execution.plan.steps.size(); ++i)
        if (const ParamIndex weight = productWeight(execution.plan.steps[i].op); weight != none && execution.computes[i] == DType::BF16)
            cast.push_back(execution.plan.parameters[static_cast<std::size_t>(weight)].name);
    QCOMPARE(cast, *options.only);
}

void PrecisionTest::gradientsAreNearThoseOfFloat32_data()
{
    QTest::addColumn<int>("products");
    QTest::addColumn<double>("tolerance");
    // A cast is off by half a unit in the last place: 2^-9 with bfloat16's 8 bits, 2^-12 with float16's 11. Some ten of them lie behind each
    // gradient, and sums cancel: as much as 64 such errors, 12.5 % and 1.6 %. A ReLU that is turned by one makes as much again of its own.
    QTest::newRow("bf16") << static_cast<int>(DType::BF16) << 64 * std::pow(2, -9);
    QTest::newRow("fp16") << static_cast<int>(DType::F16) << 64 * std::pow(2, -12) + 0.01;
}

void PrecisionTest::gradientsAreNearThoseOfFloat32()
{
    QFETCH(int, products);
    QFETCH(double, tolerance);
    const Recorded exact = record(DType::F32, mixedNet), mixed = record(static_cast<DType>(products), mixedNet);
    QVERIFY((mixed.output - exact.output).norm().item<double>() <= tolerance * exact.output.norm().item<double>());
    double largest = 0;
    for (const Tensor& gradient : exact.gradients) largest = std::max(largest, gradient.norm().item<double>());
    for (std::size_t i = 0; i < exact.gradients.size(); ++i) {
        // A bias in front of a norm has no gradient but rounding: measured by the others.
        const double size = std::max(exact.gradients[i].norm().item<double>(), largest / 100);
        const double off = (mixed.gradients[i] - exact.gradients[i]).norm().item<double>() / size;
        QVERIFY2(off <= tolerance, qPrintable(QStringLiteral("gradient %1 is off by %2").arg(i).arg(off)));
    }
}

void PrecisionTest::lossesFollowFloat32_data()
{
    QTest::addColumn<QString>("precision");
    QTest::newRow("bf16") << "bf16";
    QTest::newRow("fp16") << "fp16";
}

void PrecisionTest::lossesFollowFloat32()
{
    QFETCH(QString, precision);
    const auto exact = opened(trainingSpec("float32", mixedNet, "sgd")), mixed = opened(trainingSpec(precision.toStdString(), mixedNet, "sgd"));
    bool differs = false;
    double first = 0, last = 0;
    for (std::int64_t step = 0; step < 20; ++step) {
        if (step % 5 == 0) QVERIFY(mixed->setWeights(viewsOf(*exact->weights()))); // or the paths part, as those of two seeds do
        train(*exact, step, step + 1);
        train(*mixed, step, step + 1);
        const StepMetrics a = metricsOf(*exact).at(0), b = metricsOf(*mixed).at(0);
        const double allowed = step % 5 == 0 ? 0.02 : 0.1; // the same weights; and some steps of one's own
        QVERIFY2(std::abs(a.loss - b.loss) < allowed * std::max(0.2, a.loss), qPrintable(QStringLiteral("step %1: %2 beside %3").arg(step).arg(b.loss).arg(a.loss)));
        differs = differs || a.loss != b.loss;
        QVERIFY(!b.skipped);
        (step == 0 ? first : last) = b.loss;
    }
    QVERIFY2(last < first / 2, "it learns");
    QVERIFY(differs);
    QCOMPARE(QString::fromStdString(mixed->choices()["precision"].get<std::string>()), precision);
}

/// The same weights, the same numbers: what a run's validation says is what evaluating its checkpoint says.
void PrecisionTest::whatLooksAtTheModelComputesInFloat32()
{
    const auto mixed = opened(trainingSpec("bf16"));
    train(*mixed, 0, 3);
    SessionSpec look = trainingSpec("float32");
    look.optimiser = {};
    const auto model = opened(std::move(look));
    QVERIFY(model->setWeights(viewsOf(*mixed->weights())));
    std::vector<std::int64_t> rows(20);
    for (std::size_t i = 0; i < rows.size(); ++i) rows[i] = static_cast<std::int64_t>(i);
    QCOMPARE(mixed->evaluate(Part::Test, rows, 8, {})->loss, model->evaluate(Part::Test, rows, 8, {})->loss);
    QCOMPARE(*mixed->predict(Part::Test, rows, 8, {}), *model->predict(Part::Test, rows, 8, {}));
}

void PrecisionTest::scaleFollowsItsTable_data()
{
    QTest::addColumn<bool>("onDevice");
    QTest::newRow("host") << false;
    QTest::newRow("device") << true;
}

void PrecisionTest::scaleFollowsItsTable()
{
    QFETCH(bool, onDevice);
    // Grows after 3 good steps, halves at once; never below 1, never above 64.
    ScaleSettings settings;
    settings.first = 16;
    settings.growsAfter = 3;
    settings.most = 64;
    struct Row { bool overflowed; double scale; std::int64_t good, skipped; };
    const std::vector<Row> table{{false, 16, 1, 0}, {false, 16, 2, 0}, {false, 32, 0, 0}, {false, 32, 1, 0}, {true, 16, 0, 1}, {false, 16, 1, 1}, {false, 16, 2, 1},
                                 {false, 32, 0, 1}, {false, 32, 1, 1}, {false, 32, 2, 1}, {false, 64, 0, 1}, {false, 64, 1, 1}, {false, 64, 2, 1}, {false, 64, 0, 1},
                                 {true, 32, 0, 2},  {true, 16, 0, 3},  {true, 8, 0, 4},   {true, 4, 0, 5},   {true, 2, 0, 6},   {true, 1, 0, 7},   {false, 1, 1, 7}};
    LossScale scale(settings, at::kCPU, onDevice);
    const auto one = [](bool set) { return at::full({1}, set ? 1.0f : 0.0f); };
    const auto stateNow = [&] {
        std::vector<HostTensor> tensors = scale.state();
        return *scale.read(viewsOf(tensors));
    };
    ScaleState pure{16, 0, 0};
    for (const Row& row : table) {
        if (onDevice) scale.doneOnDevice(one(row.overflowed), one(false));
        else scale.done(row.overflowed);
        pure = afterStep(settings, pure, row.overflowed);
        QVERIFY((stateNow() == ScaleState{row.scale, row.good, row.skipped}));
        QVERIFY(pure == stateNow());
    }
    if (onDevice) { // behind a step that was refused nothing moves
        scale.doneOnDevice(one(false), one(true));
        scale.doneOnDevice(one(true), one(true));
        QVERIFY((stateNow() == ScaleState{1, 1, 7}));
        QCOMPARE(scale.beyondHelp(one(true)).item<float>(), 1.0f);
    } else {
        QVERIFY(!scale.canFall());
    }
}

void PrecisionTest::gradientsAreUnscaledExactly()
{
    LossScale scale({}, at::kCPU, false);
    const Tensor gradient = at::randn({50}) * 1e-4, before = gradient.clone();
    Tensor scaled = gradient * 65536;
    QCOMPARE(scale.unscale({scaled}).item<float>(), 0.0f);
    QVERIFY(at::equal(scaled, before));
    scaled[7] = std::numeric_limits<float>::infinity();
    QCOMPARE(scale.unscale({scaled}).item<float>(), 1.0f);
}

void PrecisionTest::anOverflowSkipsTheStepAndNothingElse_data()
{
    QTest::addColumn<bool>("onDevice");
    QTest::addColumn<QString>("optimiser");
    QTest::newRow("host, adam") << false << "adam";
    QTest::newRow("device, adam") << true << "adam";
    QTest::newRow("device, muon (not fused)") << true << "muon";
    QTest::newRow("host, sgd") << false << "sgd";
}

/// A scale far too large: the first steps overflow, halve it and leave no other trace; then training goes on, step for step as if it had
/// begun with the scale that it found.
void PrecisionTest::anOverflowSkipsTheStepAndNothingElse()
{
    QFETCH(bool, onDevice);
    QFETCH(QString, optimiser);
    SessionSpec spec = trainingSpec("fp16", convnet, optimiser.toStdString());
    spec.step.firstScale = 16777216;
    spec.step.averageDecay = 0.9;
    if (onDevice) spec.choices = Json{{"commit", "gated on the device"}};
    SessionSpec calm = spec;
    const auto session = opened(std::move(spec));
    const State before = stateOf(*session);
    std::int64_t step = 0;
    std::vector<StepMetrics> metrics;
    while (true) {
        const State untouched = stateOf(*session);
        train(*session, step, step + 1);
        const State after = stateOf(*session); // before the metrics are taken: the count must be right there too
        metrics = metricsOf(*session);
        QCOMPARE(metrics.size(), std::size_t{1});
        QVERIFY(std::isfinite(metrics[0].loss));
        ++step;
        if (!metrics[0].skipped) break;
        QVERIFY(sameBits(after.weights, untouched.weights));
        QCOMPARE(metrics[0].scale, 16777216 / std::pow(2, step));
        for (const HostTensor& tensor : after.optimiser)
            if (!LossScale::owns(tensor.name)) QVERIFY2(tensor.bytes == named(untouched.optimiser, tensor.name).bytes, tensor.name.c_str());
        QVERIFY(step < 24);
    }
    QVERIFY2(step > 1, "the scale was never too large: nothing was tested");
    train(*session, step, step + 4);
    calm.step.firstScale = metrics[0].scale;
    const auto other = opened(std::move(calm));
    train(*other, step - 1, step + 4);
    const State a = stateOf(*session), b = stateOf(*other);
    QVERIFY(sameBits(a.weights, b.weights));
    for (const HostTensor& tensor : a.optimiser)
        if (!LossScale::owns(tensor.name)) QVERIFY2(tensor.bytes == named(b.optimiser, tensor.name).bytes, tensor.name.c_str());
    std::int64_t skipped = 0;
    std::memcpy(&skipped, named(a.optimiser, "loss_scale/skipped").bytes.data(), sizeof skipped);
    QCOMPARE(skipped, step - 1);
    QVERIFY(!sameBits(a.weights, before.weights));
}

void PrecisionTest::whatNoScaleCanHelpIsAFailure_data()
{
    QTest::addColumn<bool>("onDevice");
    QTest::newRow("host") << false;
    QTest::newRow("device") << true;
}

/// Gradients of float16's weights that are too large for it whatever the scale: halved down to 1, and then the run stops as it would have
/// in float32 on a NaN.
void PrecisionTest::whatNoScaleCanHelpIsAFailure()
{
    QFETCH(bool, onDevice);
    SessionSpec spec = trainingSpec("fp16", R"([{"type":"conv2d","name":"front","filters":8,"kernel":[3,3]},{"type":"flatten"},{"type":"dense","name":"head","units":4}])", "sgd");
    spec.step.firstScale = 8;
    if (onDevice) spec.choices = Json{{"commit", "gated on the device"}};
    const auto session = opened(std::move(spec));
    std::vector<HostTensor> weights = *session->weights();
    for (HostTensor& tensor : weights) {
        std::vector<float> values = floatsOf(tensor);
        // The first layer gives zeros, so the outputs are those of the bias, certain of class 0; but what goes back is 10^4 times larger,
        // and its sum over 100 places and the rows of the other classes passes 65,504.
        for (std::size_t i = 0; i < values.size(); ++i) {
            if (tensor.name.starts_with("front")) values[i] = 0;
            else if (tensor.name == "head.weight") values[i] = i < values.size() / 4 ? 1e4f : -1e4f;
            else values[i] = i == 0 ? 50.0f : 0.0f;
        }
        std::memcpy(tensor.bytes.data(), values.data(), tensor.bytes.size());
    }
    QVERIFY(session->setWeights(viewsOf(weights)));
    const State before = stateOf(*session);
    Result<void> done;
    std::int64_t skipped = 0;
    for (std::int64_t step = 0; step < 12 && done; ++step) {
        done = trainStep(*session, step);
        const auto metrics = session->takeMetrics();
        if (!metrics) done = metrics.error();
        else
            for (const StepMetrics& each : *metrics) skipped += each.skipped;
    }
    QVERIFY(!done);
    QCOMPARE(done.error().code, ErrorCode::NotFinite);
    QCOMPARE(skipped, 3); // 8 → 4 → 2 → 1
    QVERIFY(sameBits(*session->weights(), before.weights));
}

void PrecisionTest::aNotFiniteLossIsAFailureInFloat16_data() { whatNoScaleCanHelpIsAFailure_data(); }

/// Not the scale's fault: it must not be lowered for it.
void PrecisionTest::aNotFiniteLossIsAFailureInFloat16()
{
    QFETCH(bool, onDevice);
    SessionSpec spec = trainingSpec("fp16");
    if (onDevice) spec.choices = Json{{"commit", "gated on the device"}};
    const auto session = opened(std::move(spec));
    train(*session, 0, 2);
    (void)metricsOf(*session);
    std::vector<HostTensor> weights = *session->weights();
    std::vector<float> values = floatsOf(weights.back());
    for (HostTensor& tensor : weights)
        if (tensor.name.starts_with("dense") && tensor.name.ends_with(".bias")) {
            std::vector<float> broken = floatsOf(tensor);
            broken[0] = std::numeric_limits<float>::quiet_NaN();
            std::memcpy(tensor.bytes.data(), broken.data(), tensor.bytes.size());
        }
    QVERIFY(session->setWeights(viewsOf(weights)));
    const std::vector<HostTensor> before = *session->optimiserState();
    Result<void> done = trainStep(*session, 2);
    if (done)
        if (const auto metrics = session->takeMetrics(); !metrics) done = metrics.error();
    QVERIFY(!done);
    QCOMPARE(done.error().code, ErrorCode::NotFinite);
    QVERIFY(sameBits(*session->optimiserState(), before));
}

void PrecisionTest::stateGoesOnBitForBit_data()
{
    QTest::addColumn<QString>("precision");
    QTest::addColumn<bool>("onDevice");
    QTest::newRow("bf16") << "bf16" << false;
    QTest::newRow("fp16") << "fp16" << false;
    QTest::newRow("fp16, gated on the device") << "fp16" << true;
}

void PrecisionTest::stateGoesOnBitForBit()
{
    QFETCH(QString, precision);
    QFETCH(bool, onDevice);
    const auto make = [&] {
        SessionSpec spec = trainingSpec(precision.toStdString());
        spec.step.firstScale = 4194304; // so that steps are skipped on the way
        spec.step.scaleGrowsAfter = 2;  // and the scale moves all the time
        if (onDevice) spec.choices = Json{{"commit", "gated on the device"}};
        return opened(std::move(spec));
    };
    const auto whole = make(), half = make();
    train(*whole, 0, 12);
    train(*half, 0, 7);
    const State state = stateOf(*half);
    const auto resumed = make();
    QVERIFY(resumed->setWeights(viewsOf(state.weights)));
    QVERIFY(resumed->setOptimiserState(viewsOf(state.optimiser)));
    QVERIFY(stateOf(*resumed) == state);
    train(*resumed, 7, 12);
    QVERIFY(stateOf(*resumed) == stateOf(*whole));
}

void PrecisionTest::aStateWithoutAScaleIsRefused()
{
    const auto session = opened(trainingSpec("fp16"));
    train(*session, 0, 2);
    const State before = stateOf(*session);
    std::vector<HostTensor> lacking = before.optimiser;
    std::erase_if(lacking, [](const HostTensor& tensor) { return tensor.name == "loss_scale/good"; });
    const auto set = session->setOptimiserState(viewsOf(lacking));
    QVERIFY(!set);
    QCOMPARE(set.error().code, ErrorCode::Corrupt);
    QVERIFY(stateOf(*session) == before);
    // Nor does a run in float32 take one that it has no use for.
    QVERIFY(!opened(trainingSpec("float32"))->setOptimiserState(viewsOf(before.optimiser)));
}

void PrecisionTest::automaticIsMeasuredKeptAndReused()
{
    const auto session = opened(trainingSpec("auto"));
    const Json choices = session->choices();
    const std::string precision = choices["precision"].get<std::string>();
    QVERIFY(precision == "float32" || precision == "bf16");
    QVERIFY2(choices["precision_because"].get<std::string>().starts_with("Measured"), choices.dump().c_str());
    QCOMPARE(choices.contains("precision_products"), precision == "bf16");

    // What was found then holds, whatever would be measured now.
    Json before = choices;
    before["precision"] = "bf16";
    before["precision_products"] = Json::array({"conv2.weight"});
    before["precision_because"] = "Measured at the start: so it was.";
    SessionSpec again = trainingSpec("auto");
    again.choices = before;
    const auto resumed = opened(std::move(again));
    for (const char* key : {"precision", "precision_products", "precision_because"}) QCOMPARE(resumed->choices()[key], before[key]);
    SessionSpec all = trainingSpec("bf16");
    const auto everything = opened(std::move(all));
    const auto exact = opened(trainingSpec("float32"));
    for (Session* each : {resumed.get(), everything.get(), exact.get()}) train(*each, 0, 1);
    const double some = metricsOf(*resumed)[0].loss;
    QVERIFY(some != metricsOf(*everything)[0].loss && some != metricsOf(*exact)[0].loss);
}

void PrecisionTest::tf32SaysWhatItIsHere()
{
    const auto session = opened(trainingSpec("tf32")), exact = opened(trainingSpec("float32"));
    QCOMPARE(session->choices()["precision"], Json("float32"));
    QVERIFY(session->choices()["precision_because"].get<std::string>().find("GPU") != std::string::npos);
    train(*session, 0, 3);
    train(*exact, 0, 3);
    QVERIFY(stateOf(*session) == stateOf(*exact));
}

QTEST_GUILESS_MAIN(PrecisionTest)
#include "precision_test.moc"
