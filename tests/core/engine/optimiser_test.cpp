// SPDX-License-Identifier: GPL-3.0-or-later
// Every optimiser against PyTorch's own, step by step (tests/fixtures/optimisers/make.py made the numbers), and what all of
// them promise: resumed is uninterrupted, a skipped update is nothing, what is frozen stays.

#include "core/engine/backend/optimiser.h"
#include "core/engine/backend/tensors.h"
#include "engine_support.h"

#include <ATen/ops/allclose.h>
#include <ATen/ops/full_like.h>
#include <ATen/ops/zeros.h>

#include <QFile>
#include <QtTest>

#include <cmath>
#include <limits>
#include <map>

using namespace sconce;
using namespace sconce::test;
using engine::Optimiser;

namespace {

const Json& fixture()
{
    static const Json json = [] {
        QFile file(QStringLiteral(SCONCE_SOURCE_DIR "/tests/fixtures/optimisers/steps.json"));
        if (!file.open(QIODevice::ReadOnly)) qFatal("The numbers of the optimisers are missing.");
        return Json::parse(file.readAll().toStdString());
    }();
    return json;
}

/// The network whose tensors the fixture has: matrices wide and tall, filters, a normalisation.
constexpr const char* net = R"([
    {"type":"conv2d","filters":2,"kernel":[2,2]},
    {"type":"conv2d","filters":3,"kernel":[2,2]},
    {"type":"batch_norm"},
    {"type":"global_average_pool"},
    {"type":"dense","units":4},
    {"type":"dense","units":2}])";

/// Weights on the CPU, filters as convolutions like them, and the optimiser over them.
struct Bench
{
    Plan plan;
    std::vector<at::Tensor> parameters;
    std::optional<Optimiser> optimiser;

    Bench(Stack stack, const Configured& settings, bool channelsLast, bool fused = true)
    {
        auto lowered = lower(stack, imageType(1, 5, 5));
        if (!lowered) giveUp(lowered.error());
        plan = std::move(*lowered);
        for (const ParameterSpec& spec : plan.parameters) {
            at::Tensor tensor = engine::emptyTensor(spec.shape, at::kCPU, channelsLast);
            fill(tensor, fixture()["start"][spec.name]);
            parameters.push_back(tensor.set_requires_grad(true));
        }
        auto made = Optimiser::make(settings, plan, parameters, fused);
        if (!made) giveUp(made.error());
        optimiser = std::move(made).value();
    }
    static void fill(at::Tensor tensor, const Json& numbers)
    {
        const auto values = numbers.get<std::vector<float>>();
        if (static_cast<std::int64_t>(values.size()) != tensor.numel()) qFatal("The fixture's tensors are of another size.");
        engine::copyIn(tensor, std::as_bytes(std::span(values)));
    }
    std::vector<at::Tensor> gradients(std::size_t step) const
    {
        const Json& given = fixture()["gradients"].at(step);
        std::vector<at::Tensor> result;
        for (std::size_t i = 0; i < parameters.size(); ++i) {
            if (!plan.parameters[i].trainable) continue;
            result.push_back(at::full_like(parameters[i].detach(), 0));
            fill(result.back(), given[plan.parameters[i].name]);
        }
        return result;
    }
    void run(std::size_t first, std::size_t last, const at::Tensor& skip = {})
    {
        for (std::size_t step = first; step < last; ++step) optimiser->update(gradients(step), 0.01, skip);
    }
    std::vector<float> values(std::size_t parameter) const { return floatsOf(engine::copyOut("", parameters[parameter])); }
    std::vector<HostTensor> weights() const
    {
        std::vector<HostTensor> result;
        for (std::size_t i = 0; i < parameters.size(); ++i) result.push_back(engine::copyOut(plan.parameters[i].name, parameters[i]));
        return result;
    }
};

Configured settingsOf(const Json& one)
{
    Configured settings{one["type"].get<std::string>(), {}};
    const OptionEntry* entry = findOption(optimiserEntries(), settings.type);
    if (!entry) qFatal("There is no optimiser %s.", settings.type.c_str());
    for (const auto& [id, value] : one["params"].items()) {
        if (!findParam(entry->params, id)) qFatal("%s has no setting %s.", settings.type.c_str(), id.c_str());
        if (value.is_boolean()) settings.params[id] = value.get<bool>();
        else settings.params[id] = value.get<double>();
    }
    return settings;
}

Stack stackFor(const Json& one)
{
    Stack stack = stackOf(net);
    for (Layer& layer : stack.layers) {
        layer.rateFactor = one["rate_factors"].value(layer.name, 1.0);
        for (const Json& name : one["frozen"]) layer.frozen = layer.frozen || name == layer.name;
    }
    return stack;
}

void addCases()
{
    QTest::addColumn<int>("index");
    int index = 0;
    for (const Json& one : fixture()["cases"]) QTest::newRow(one["name"].get<std::string>().c_str()) << index++;
}

const Json& caseOf(int index) { return fixture()["cases"].at(static_cast<std::size_t>(index)); }

Bench benchOf(int index, bool channelsLast = false, bool fused = true) { return Bench(stackFor(caseOf(index)), settingsOf(caseOf(index)), channelsLast, fused); }

} // namespace

class OptimiserTest : public QObject
{
    Q_OBJECT

  private Q_SLOTS:
    void everyStepIsPyTorchs_data();
    void everyStepIsPyTorchs();
    void everyOptimiserIsAmongTheCases();
    void resumedIsUninterrupted_data() { addCases(); }
    void resumedIsUninterrupted();
    void fusedAndPlainHandOver_data() { addCases(); }
    void fusedAndPlainHandOver();
    void gatedIsTheSame_data() { addCases(); }
    void gatedIsTheSame();
    void skippedLeavesNoTrace_data() { addCases(); }
    void skippedLeavesNoTrace();
    void frozenHasNoState();
    void oldNamesOfState();
    void muonTakesTheMiddle();
    void unknownIsASentence();
};

void OptimiserTest::everyStepIsPyTorchs_data()
{
    QTest::addColumn<int>("index");
    QTest::addColumn<bool>("channelsLast");
    QTest::addColumn<bool>("fused");
    QTest::addColumn<bool>("skipped");
    int index = 0;
    for (const Json& one : fixture()["cases"]) {
        const std::string name = one["name"].get<std::string>();
        QTest::newRow(name.c_str()) << index << false << true << false;
        QTest::newRow((name + ", channels last").c_str()) << index << true << true << false;
        QTest::newRow((name + ", not fused").c_str()) << index << true << false << false;
        QTest::newRow((name + ", two skipped before").c_str()) << index << false << true << true;
        QTest::newRow((name + ", not fused, two skipped before").c_str()) << index++ << false << false << true;
    }
    QVERIFY(index >= 20);
}

void OptimiserTest::everyStepIsPyTorchs()
{
    QFETCH(int, index);
    QFETCH(bool, channelsLast);
    QFETCH(bool, fused);
    const Json& one = caseOf(index);
    Bench bench = benchOf(index, channelsLast, fused);
    if (!fused) QVERIFY(!bench.optimiser->fused());
    QFETCH(bool, skipped); // as gradients that overflow are where only the device sees it: what follows them is the first step all the same
    for (int i = 0; skipped && i < 2; ++i) {
        std::vector<at::Tensor> overflowed = bench.gradients(0);
        for (const at::Tensor& gradient : overflowed) gradient.fill_(std::numeric_limits<float>::infinity());
        bench.optimiser->update(overflowed, 0.1, at::full_like(at::zeros({1}), 1), true);
    }
    const at::Tensor gate = skipped ? at::zeros({1}) : at::Tensor();
    for (std::size_t step = 0; step < one["steps"].size(); ++step) {
        bench.optimiser->update(bench.gradients(step), one["rates"].at(step).get<double>(), gate, skipped);
        for (std::size_t p = 0; p < bench.parameters.size(); ++p) {
            const std::string& name = bench.plan.parameters[p].name;
            const bool trained = one["steps"].at(step).contains(name);
            QCOMPARE(trained, bench.plan.parameters[p].trainable);
            const auto wanted = (trained ? one["steps"].at(step)[name] : fixture()["start"][name]).get<std::vector<float>>();
            const std::vector<float> found = bench.values(p);
            QCOMPARE(found.size(), wanted.size());
            double largest = 0;
            for (float value : wanted) largest = std::max(largest, std::abs(static_cast<double>(value)));
            for (std::size_t i = 0; i < found.size(); ++i) {
                const double away = std::abs(static_cast<double>(found[i]) - static_cast<double>(wanted[i]));
                if (away <= 1e-6 * (trained ? largest : 0)) continue;
                QFAIL(qPrintable(QString("step %1, %2[%3]: %4, not %5").arg(step + 1).arg(QString::fromStdString(name)).arg(i).arg(found[i], 0, 'g', 9).arg(wanted[i], 0, 'g', 9)));
            }
        }
    }
}

void OptimiserTest::everyOptimiserIsAmongTheCases()
{
    std::map<std::string, int> cases;
    for (const Json& one : fixture()["cases"]) ++cases[one["type"].get<std::string>()];
    for (const OptionEntry& entry : optimiserEntries()) QVERIFY2(cases[entry.id] >= 1, entry.id.c_str());
}

/// A checkpoint does not know which of the two wrote it.
void OptimiserTest::fusedAndPlainHandOver()
{
    QFETCH(int, index);
    Bench fused = benchOf(index), plain = benchOf(index, false, false), second = benchOf(index);
    for (Bench* each : {&fused, &plain}) each->run(0, 3);
    const auto state = plain.optimiser->state();
    QVERIFY(second.optimiser->setState(viewsOf(state)).ok());
    for (std::size_t p = 0; p < plain.parameters.size(); ++p) second.parameters[p].detach().copy_(plain.parameters[p].detach());
    for (Bench* each : {&fused, &second}) each->run(3, 6);
    for (std::size_t p = 0; p < plain.parameters.size(); ++p) QVERIFY(at::allclose(fused.parameters[p], second.parameters[p], 1e-5, 1e-6));
}

void OptimiserTest::resumedIsUninterrupted()
{
    QFETCH(int, index);
    Bench whole = benchOf(index), begun = benchOf(index), resumed = benchOf(index), forgetful = benchOf(index);
    whole.run(0, 6);
    begun.run(0, 3);
    const auto state = begun.optimiser->state();
    for (Bench* other : {&resumed, &forgetful})
        for (std::size_t i = 0; i < begun.parameters.size(); ++i) other->parameters[i].detach().copy_(begun.parameters[i].detach());
    QVERIFY(resumed.optimiser->setState(viewsOf(state)).ok());
    QVERIFY(sameBits(resumed.optimiser->state(), state));
    resumed.run(3, 6);
    forgetful.run(3, 6);
    QVERIFY(sameBits(resumed.weights(), whole.weights()));
    QVERIFY(sameBits(resumed.optimiser->state(), whole.optimiser->state()));
    QCOMPARE(resumed.optimiser->steps(), std::int64_t{6});
    if (state.size() > 1) QVERIFY(!sameBits(forgetful.weights(), whole.weights())); // the negative control
}

void OptimiserTest::gatedIsTheSame()
{
    QFETCH(int, index);
    Bench checked = benchOf(index), gated = benchOf(index);
    checked.run(0, 6);
    gated.run(0, 6, at::zeros({1}));
    QVERIFY(sameBits(gated.weights(), checked.weights()));
    QVERIFY(sameBits(gated.optimiser->state(), checked.optimiser->state()));
}

void OptimiserTest::skippedLeavesNoTrace()
{
    QFETCH(int, index);
    Bench bench = benchOf(index);
    bench.run(0, 2);
    const auto weights = bench.weights(), state = bench.optimiser->state();
    std::vector<at::Tensor> broken = bench.gradients(2);
    for (std::size_t i = 0; i < broken.size(); ++i)
        broken[i].fill_(i % 2 ? std::numeric_limits<float>::quiet_NaN() : std::numeric_limits<float>::infinity());
    bench.optimiser->update(broken, 0.01, at::full_like(at::zeros({1}), 1));
    QVERIFY(sameBits(bench.weights(), weights));
    const auto after = bench.optimiser->state();
    QCOMPARE(after.size(), state.size());
    for (std::size_t i = 0; i + 1 < after.size(); ++i) QVERIFY2(after[i].bytes == state[i].bytes, after[i].name.c_str()); // the last is the counter
    // The negative control: without the gate it would have gone through.
    bench.optimiser->update(broken, 0.01, {});
    QVERIFY(!sameBits(bench.weights(), weights));
}

void OptimiserTest::frozenHasNoState()
{
    Stack stack = stackOf(net);
    stack.layers[1].frozen = true;
    Bench bench(stack, {"adam", {}}, false);
    QCOMPARE(bench.optimiser->parameters().size(), std::size_t{8});
    for (const HostTensor& tensor : bench.optimiser->state()) QVERIFY(tensor.name.find("conv2") == std::string::npos);
}

/// Files of runs hold these names.
void OptimiserTest::oldNamesOfState()
{
    const auto names = [](const Configured& settings) {
        std::vector<std::string> result;
        for (const HostTensor& tensor : Bench(stackOf(net), settings, false).optimiser->state()) result.push_back(tensor.name);
        return result;
    };
    const auto adam = names({"adam", {}});
    QCOMPARE(adam.size(), std::size_t{21});
    QCOMPARE(adam.front(), std::string("adam.exp_avg/conv1.weight"));
    QCOMPARE(adam[10], std::string("adam.exp_avg_sq/conv1.weight"));
    QCOMPARE(adam.back(), std::string("adam.steps"));
    QCOMPARE(names({"adamw", {}}).front(), std::string("adamw.exp_avg/conv1.weight"));
    QCOMPARE(names({"sgd", {}}).front(), std::string("sgd.momentum/conv1.weight"));
    QCOMPARE(names({"sgd", {{"momentum", 0.0}}}), (std::vector<std::string>{"sgd.steps"}));
    const auto muon = names({"muon", {}});
    QCOMPARE(muon.size(), std::size_t{2 + 2 * 8 + 1});
    QCOMPARE(muon[0], std::string("muon.momentum/conv2.weight"));
    QCOMPARE(muon[1], std::string("muon.momentum/dense1.weight"));
    QCOMPARE(muon[2], std::string("muon.exp_avg/conv1.weight"));
}

/// Not the first and not the last layer on any way from the input to the output.
void OptimiserTest::muonTakesTheMiddle()
{
    const auto hidden = [](const char* json, ValueType input) {
        const Plan plan = *planOf(json, input);
        const std::vector<bool> found = engine::hiddenMatrices(plan);
        std::string names;
        for (std::size_t i = 0; i < found.size(); ++i)
            if (found[i]) names += plan.parameters[i].name + " ";
        return names;
    };
    QCOMPARE(hidden(net, imageType(1, 5, 5)), std::string("conv2.weight dense1.weight "));
    QCOMPARE(hidden(R"([{"type":"flatten"},{"type":"dense","units":4},{"type":"relu"},{"type":"dense","units":2}])", imageType(1, 5, 5)), std::string());
    QCOMPARE(hidden(R"([{"type":"parallel","branches":[[{"type":"conv2d","filters":2,"kernel":[3,3],"padding":"same"}],
                                                       [{"type":"conv2d","filters":2,"kernel":[3,3],"padding":"same"},{"type":"conv2d","filters":2,"kernel":[3,3],"padding":"same"}]]},
                        {"type":"flatten"},{"type":"dense","units":2},{"type":"softmax"}])", imageType(1, 5, 5)), std::string("conv3.weight "));
}

void OptimiserTest::unknownIsASentence()
{
    const Plan plan = *planOf(net, imageType(1, 5, 5));
    const auto made = Optimiser::make({"magic", {}}, plan, {});
    QCOMPARE(made.error().code, ErrorCode::Invalid);
    QVERIFY(made.error().message.find("magic") != std::string::npos);
    QVERIFY(made.error().remedy.find("Muon") != std::string::npos);
}

QTEST_GUILESS_MAIN(OptimiserTest)
#include "optimiser_test.moc"
