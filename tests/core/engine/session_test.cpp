// SPDX-License-Identifier: GPL-3.0-or-later
// The session as the trainer uses it: repeatable to the bit, resumable from its state, honest about wrong use. That a step is
// a transaction is shown in transaction_test.cpp.

#include "engine_support.h"

#include "core/engine/devices.h"

#include <QtTest>

#include <cmath>
#include <functional>
#include <limits>
#include <thread>

using namespace sconce;
using namespace sconce::test;

class SessionTest : public QObject
{
    Q_OBJECT

  private Q_SLOTS:
    void sameSeedSameBits();
    void otherSeedOtherBits();
    void startDoesNotDependOnNames();
    void gatheredFeedGivesTheSameBits();
    void resumeEqualsUninterrupted_data();
    void resumeEqualsUninterrupted();
    void weightsAloneAreNotEnough();
    void evaluationDisturbsNothing();
    void evaluationAgreesWithPredict();
    void batchSizeDoesNotChangeEvaluation();
    void predictRecordsAgreesWithPredict();
    void finalSoftmaxIsTheSameNetwork();
    void learnsToOverfit_data();
    void learnsToOverfit();
    void metricsTellOfEveryStep();
    void weightDecaySparesBiases();
    void frozenLayersStay();
    void frozenIsRateZero();
    void wrongUseIsASentence();
    void tooManyParametersAreRefused();
    void choicesAreTakenOver();
    void blocksThatARunBeganWithoutStayOut();
    void cancels();
    void gpuAgreesWithCpu();
    void gpuStopsBeforeNaN();
};

void SessionTest::sameSeedSameBits()
{
    auto a = openSession(), b = openSession();
    QVERIFY(stateOf(*a) == stateOf(*b));
    train(*a, 0, 6);
    std::thread([&] { train(*b, 0, 6); }).join(); // another thread is no other result
    QVERIFY(stateOf(*a) == stateOf(*b));
}

void SessionTest::otherSeedOtherBits()
{
    auto a = openSession(), b = openSession("adam", {}, 4);
    const auto x = *a->weights(), y = *b->weights();
    QVERIFY(named(x, "conv1.weight").bytes != named(y, "conv1.weight").bytes);
    // With the same start, the masks alone make the difference.
    QVERIFY(b->setWeights(viewsOf(x)).ok());
    train(*a, 0, 1);
    train(*b, 0, 1);
    QVERIFY(!(stateOf(*a) == stateOf(*b)));
}

void SessionTest::startDoesNotDependOnNames()
{
    const auto start = [](const char* json) {
        auto session = Session::open(specOf(*planOf(json, featuresType(5))));
        return floatsOf((*(*session)->weights())[0]);
    };
    QCOMPARE(start(R"([{"id":"l7","name":"a","type":"dense","units":3}])"), start(R"([{"id":"l7","name":"b","type":"dense","units":3}])"));
    QVERIFY(start(R"([{"id":"l7","name":"a","type":"dense","units":3}])") != start(R"([{"id":"l8","name":"a","type":"dense","units":3}])"));
}

void SessionTest::gatheredFeedGivesTheSameBits()
{
    auto inPlace = openSession(), gathered = openSession("adam", {}, 3, stripes(false));
    QCOMPARE(inPlace->choices()["feed"], "in place");
    QCOMPARE(gathered->choices()["feed"], "gathered");
    train(*inPlace, 0, 3);
    train(*gathered, 0, 3);
    QVERIFY(stateOf(*inPlace) == stateOf(*gathered));
}

void SessionTest::resumeEqualsUninterrupted_data()
{
    QTest::addColumn<QString>("optimiser");
    QTest::addColumn<double>("momentum");
    QTest::newRow("adam") << "adam" << 0.0;
    QTest::newRow("adamw") << "adamw" << 0.0;
    QTest::newRow("sgd") << "sgd" << 0.0;
    QTest::newRow("sgd with momentum") << "sgd" << 0.9;
    QTest::newRow("rmsprop with momentum") << "rmsprop" << 0.9;
    QTest::newRow("adagrad") << "adagrad" << 0.0;
    QTest::newRow("lion") << "lion" << 0.0;
    QTest::newRow("muon") << "muon" << 0.0;
}

void SessionTest::resumeEqualsUninterrupted()
{
    QFETCH(QString, optimiser);
    QFETCH(double, momentum);
    ParamValues settings;
    if (momentum > 0) settings["momentum"] = momentum;
    auto whole = openSession(optimiser.toStdString(), settings);
    train(*whole, 0, 5);
    const State half = stateOf(*whole);
    train(*whole, 5, 10);

    auto resumed = openSession(optimiser.toStdString(), settings);
    QVERIFY(resumed->setWeights(viewsOf(half.weights)).ok());
    QVERIFY(resumed->setOptimiserState(viewsOf(half.optimiser)).ok());
    QVERIFY(stateOf(*resumed) == half);
    train(*resumed, 5, 10);
    QVERIFY(stateOf(*resumed) == stateOf(*whole));
}

/// The negative control of the test above.
void SessionTest::weightsAloneAreNotEnough()
{
    auto whole = openSession();
    train(*whole, 0, 5);
    const State half = stateOf(*whole);
    train(*whole, 5, 10);
    auto resumed = openSession();
    QVERIFY(resumed->setWeights(viewsOf(half.weights)).ok());
    train(*resumed, 5, 10);
    QVERIFY(!sameBits(*resumed->weights(), *whole->weights()));

    // Nor is it enough to forget at which step one was: dropout is keyed by it.
    auto shifted = openSession();
    QVERIFY(shifted->setWeights(viewsOf(half.weights)).ok());
    QVERIFY(shifted->setOptimiserState(viewsOf(half.optimiser)).ok());
    for (std::int64_t step = 5; step < 10; ++step) {
        QVERIFY(shifted->forward(step - 5, rowsOfStep(step, batch, trainingCount)).ok());
        QVERIFY(shifted->backward().ok());
        QVERIFY(shifted->commit(0.01).ok());
    }
    QVERIFY(!sameBits(*shifted->weights(), *whole->weights()));
}

void SessionTest::evaluationDisturbsNothing()
{
    auto watched = openSession(), control = openSession();
    std::vector<std::int64_t> all(20);
    for (std::size_t i = 0; i < all.size(); ++i) all[i] = static_cast<std::int64_t>(i);
    for (std::int64_t step = 0; step < 4; ++step) {
        train(*watched, step, step + 1);
        const State before = stateOf(*watched);
        const auto first = watched->evaluate(Part::Test, all, 7, {});
        const auto second = watched->evaluate(Part::Test, all, 7, {});
        QVERIFY(first.ok() && second.ok());
        QCOMPARE(first->loss, second->loss); // no randomness
        QVERIFY(stateOf(*watched) == before);
    }
    train(*control, 0, 4);
    QVERIFY(stateOf(*watched) == stateOf(*control));
    QCOMPARE(watched->takeMetrics()->size(), std::size_t{4});
}

void SessionTest::evaluationAgreesWithPredict()
{
    auto session = openSession();
    const DatasetPtr data = stripes();
    train(*session, 0, 10);
    const std::vector<std::int64_t> rows{4, 1, 19, 8, 0, 11};
    const auto totals = session->evaluate(Part::Test, rows, 4, {});
    const auto probabilities = session->predict(Part::Test, rows, 4, {});
    QVERIFY(totals.ok() && probabilities.ok());
    QCOMPARE(probabilities->size(), rows.size() * 4);
    double loss = 0;
    std::int64_t correct = 0;
    for (std::size_t i = 0; i < rows.size(); ++i) {
        const float* row = probabilities->data() + i * 4;
        QVERIFY(std::abs(row[0] + row[1] + row[2] + row[3] - 1.0f) < 1e-5f);
        const auto label = data->labels(Part::Test)[static_cast<std::size_t>(rows[i])];
        loss -= std::log(row[label]);
        correct += std::max_element(row, row + 4) - row == label;
    }
    QVERIFY(std::abs(loss / static_cast<double>(rows.size()) - totals->loss) < 1e-5);
    QCOMPARE(totals->correct, correct);
    QCOMPARE(totals->count, std::int64_t{6});
}

void SessionTest::batchSizeDoesNotChangeEvaluation()
{
    auto session = openSession();
    train(*session, 0, 3);
    std::vector<std::int64_t> rows(20);
    for (std::size_t i = 0; i < rows.size(); ++i) rows[i] = static_cast<std::int64_t>(i);
    const auto whole = session->evaluate(Part::Test, rows, 20, {});
    const auto pieces = session->evaluate(Part::Test, rows, 3, {});
    QVERIFY(std::abs(whole->loss - pieces->loss) < 1e-6);
    QCOMPARE(whole->correct, pieces->correct);
}

void SessionTest::predictRecordsAgreesWithPredict()
{
    auto session = openSession();
    const DatasetPtr data = stripes();
    const std::vector<std::int64_t> rows{2, 9};
    std::vector<std::uint8_t> records(2 * 2 * 12 * 12);
    data->gather(Part::Test, rows, records);
    const auto fromRows = session->predict(Part::Test, rows, 8, {});
    const auto fromBytes = session->predictRecords(records, 2);
    QVERIFY(fromRows.ok() && fromBytes.ok());
    QCOMPARE(*fromBytes, *fromRows);
    QCOMPARE(session->predictRecords(std::span(records).first(10), 1).error().code, ErrorCode::Invalid);
}

/// Keras ends with softmax, PyTorch without: the same loss, gradients and probabilities.
void SessionTest::finalSoftmaxIsTheSameNetwork()
{
    const auto open = [](const char* tail) {
        const std::string json = std::string(R"([{"type":"flatten"},{"type":"dense","units":4})") + tail + "]";
        auto session = Session::open(specOf(*planOf(json, imageType(2, 12, 12))));
        if (!session || !(*session)->useData(stripes())) qFatal("no session");
        return std::move(*session);
    };
    auto plain = open(""), softmax = open(R"(,{"type":"softmax"})"), logarithm = open(R"(,{"type":"log_softmax"})");
    for (auto* session : {&plain, &softmax, &logarithm}) train(**session, 0, 4);
    QVERIFY(sameBits(*plain->weights(), *softmax->weights()));
    QVERIFY(sameBits(*plain->weights(), *logarithm->weights()));
    const std::vector<std::int64_t> rows{0, 5};
    QCOMPARE(*plain->predict(Part::Test, rows, 2, {}), *softmax->predict(Part::Test, rows, 2, {}));
    QCOMPARE(*plain->predict(Part::Test, rows, 2, {}), *logarithm->predict(Part::Test, rows, 2, {}));
    // Only run() shows the plan's own output.
    const std::vector<float> input(2 * 12 * 12, 0.5f);
    const std::vector<float> shares = *softmax->run(input, 1, false);
    QVERIFY(std::abs(shares[0] + shares[1] + shares[2] + shares[3] - 1.0f) < 1e-5f);
    QVERIFY(std::abs(std::exp((*logarithm->run(input, 1, false))[1]) - shares[1]) < 1e-6f);
}

void SessionTest::learnsToOverfit_data()
{
    QTest::addColumn<QString>("optimiser");
    QTest::addColumn<double>("rate");
    QTest::newRow("adam") << "adam" << 0.01;
    QTest::newRow("adamw") << "adamw" << 0.01;
    QTest::newRow("sgd") << "sgd" << 0.05;
    QTest::newRow("rmsprop") << "rmsprop" << 0.003;
    QTest::newRow("adagrad") << "adagrad" << 0.05;
    QTest::newRow("lion") << "lion" << 0.003;
    QTest::newRow("muon") << "muon" << 0.02;
}

void SessionTest::learnsToOverfit()
{
    QFETCH(QString, optimiser);
    QFETCH(double, rate);
    auto session = openSession(optimiser.toStdString(), {}, 5);
    std::vector<std::int64_t> rows(static_cast<std::size_t>(trainingCount));
    for (std::size_t i = 0; i < rows.size(); ++i) rows[i] = static_cast<std::int64_t>(i);
    const auto before = session->evaluate(Part::Training, rows, 500, {});
    for (std::int64_t step = 0; step < 150; ++step) QVERIFY(trainStep(*session, step, rate).ok());
    const auto after = session->evaluate(Part::Training, rows, 500, {});
    QVERIFY(before->loss > 1.0);
    QVERIFY2(after->accuracy() == 1.0 && after->loss < 0.2, qPrintable(QString("loss %1, accuracy %2").arg(after->loss).arg(after->accuracy())));
}

void SessionTest::metricsTellOfEveryStep()
{
    auto session = openSession();
    train(*session, 0, 3);
    const std::vector<std::int64_t> shortBatch{1, 2, 3};
    QVERIFY(session->forward(3, shortBatch).ok());
    QVERIFY(session->backward().ok());
    QVERIFY(session->commit(0.01).ok());
    const auto metrics = session->takeMetrics();
    QCOMPARE(metrics->size(), std::size_t{4});
    for (std::size_t i = 0; i < 4; ++i) {
        QCOMPARE((*metrics)[i].step, static_cast<std::int64_t>(i));
        QCOMPARE((*metrics)[i].count, i < 3 ? batch : 3);
        QVERIFY((*metrics)[i].loss > 0 && (*metrics)[i].correct >= 0 && (*metrics)[i].correct <= (*metrics)[i].count);
    }
    QVERIFY(session->takeMetrics()->empty());
}

void SessionTest::weightDecaySparesBiases()
{
    const auto trained = [](double decay) {
        auto session = openSession("adamw", {{"weight_decay", decay}}, 3);
        train(*session, 0, 1);
        return *session->weights();
    };
    const auto without = trained(0.0), with = trained(0.5);
    QVERIFY(named(without, "conv1.weight").bytes != named(with, "conv1.weight").bytes);
    QCOMPARE(named(without, "dense1.bias").bytes, named(with, "dense1.bias").bytes);
    QCOMPARE(named(without, "bn1.weight").bytes, named(with, "bn1.weight").bytes);
}

namespace {

/// The small network with some of its layers frozen or slowed.
std::unique_ptr<Session> openChanged(const std::string& optimiser, const std::function<void(Layer&)>& change)
{
    Stack stack = stackOf(convnet);
    for (Layer& layer : stack.layers) change(layer);
    auto plan = lower(stack, imageType(2, 12, 12));
    if (!plan) giveUp(plan.error());
    auto session = Session::open(specOf(std::move(*plan), optimiser));
    if (!session) giveUp(session.error());
    if (auto used = (*session)->useData(stripes()); !used) giveUp(used.error());
    return std::move(*session);
}

} // namespace

/// Weights, and the statistics of a normalisation, which then normalises as it does without training.
void SessionTest::frozenLayersStay()
{
    for (const OptionEntry& entry : optimiserEntries()) {
        auto session = openChanged(entry.id, [](Layer& layer) { layer.frozen = layer.name == "conv2" || layer.name == "bn1"; });
        const auto before = *session->weights();
        train(*session, 0, 4);
        const auto after = *session->weights();
        for (const HostTensor& tensor : after) {
            const bool frozen = tensor.name.starts_with("conv2.") || tensor.name.starts_with("bn1.");
            QVERIFY2((tensor.bytes == named(before, tensor.name).bytes) == frozen, tensor.name.c_str());
        }
        QCOMPARE(session->takeMetrics()->size(), std::size_t{4});
    }
    Stack stack = stackOf(R"([{"type":"batch_norm"},{"type":"flatten"},{"type":"dense","units":4}])");
    std::vector<float> input(6 * 2 * 12 * 12);
    Philox(1, Purpose::Test).fillUniform(0, 3, input);
    const auto differs = [&](bool frozen) {
        stack.layers[0].frozen = frozen;
        auto session = Session::open(specOf(*lower(stack, imageType(2, 12, 12))));
        if (!session) giveUp(session.error());
        return *(*session)->run(input, 6, true) != *(*session)->run(input, 6, false);
    };
    QVERIFY(!differs(true));
    QVERIFY(differs(false));
}

/// A frozen first block, which is fused, does to the others what one with a rate of zero does.
void SessionTest::frozenIsRateZero()
{
    auto frozen = openChanged("adam", [](Layer& layer) { layer.frozen = layer.name == "conv1"; });
    auto still = openChanged("adam", [](Layer& layer) { layer.rateFactor = layer.name == "conv1" ? 0 : 1; });
    auto slow = openChanged("adam", [](Layer& layer) { layer.rateFactor = layer.name == "conv1" ? 0.5 : 1; });
    for (auto* session : {&frozen, &still, &slow}) train(**session, 0, 4);
    QVERIFY(sameBits(*frozen->weights(), *still->weights()));
    QVERIFY(!sameBits(*slow->weights(), *still->weights()));
}

void SessionTest::wrongUseIsASentence()
{
    auto session = openSession();
    QCOMPARE(session->commit(0.1).error().code, ErrorCode::Internal);
    QCOMPARE(session->backward().error().code, ErrorCode::Internal);
    const std::vector<std::int64_t> beyond{0, trainingCount};
    const auto far = session->forward(0, beyond);
    QCOMPARE(far.error().code, ErrorCode::Invalid);
    QVERIFY(QString::fromStdString(far.error().message).contains("96"));
    QCOMPARE(session->forward(0, std::vector<std::int64_t>{-1}).error().code, ErrorCode::Invalid);
    QCOMPARE(session->forward(0, {}).error().code, ErrorCode::Internal);

    // Data of another size, or with more classes than outputs.
    const auto other = session->useData(std::make_shared<StripesDataset>(imageType(1, 12, 12), 10, 2, 4));
    QCOMPARE(other.error().code, ErrorCode::Invalid);
    QVERIFY2(QString::fromStdString(other.error().message).contains("2×12×12"), other.error().message.c_str());
    QCOMPARE(session->useData(std::make_shared<StripesDataset>(imageType(2, 12, 12), 10, 2, 5)).error().code, ErrorCode::Invalid);

    // A device that is not there, an optimiser and a task that do not exist.
    const auto open = [](auto change) {
        SessionSpec spec = specOf(*planOf(convnet, imageType(2, 12, 12)));
        change(spec);
        auto result = Session::open(std::move(spec));
        return result.ok() ? Error{ErrorCode::Internal, "opened", {}, {}} : result.error();
    };
    const Error noGpu = open([](SessionSpec& spec) { spec.device = "cuda:99"; });
    QCOMPARE(noGpu.code, ErrorCode::Unsupported);
    QVERIFY2(QString::fromStdString(noGpu.message).contains("cuda:99") && !noGpu.remedy.empty(), noGpu.message.c_str());
    QCOMPARE(open([](SessionSpec& spec) { spec.device = "toaster"; }).code, ErrorCode::Invalid);
    QCOMPARE(open([](SessionSpec& spec) { spec.optimiser.type = "hope"; }).code, ErrorCode::Invalid);
    QCOMPARE(open([](SessionSpec& spec) { spec.task.type = "fortune telling"; }).code, ErrorCode::Invalid);

    // A model opened for looking at cannot be trained.
    SessionSpec spec = specOf(*planOf(convnet, imageType(2, 12, 12)), "");
    auto model = Session::open(std::move(spec));
    QVERIFY(model.ok() && (*model)->useData(stripes()).ok());
    QVERIFY(!(*model)->forward(0, std::vector<std::int64_t>{0}).ok());
    QVERIFY((*model)->optimiserState()->empty());
}

void SessionTest::tooManyParametersAreRefused()
{
    auto plan = planOf(R"([{"type":"dense","units":1048576},{"type":"dense","units":1048576}])", featuresType(4));
    QVERIFY2(plan.ok(), plan.ok() ? "" : plan.error().message.c_str());
    const auto session = Session::open(specOf(std::move(*plan)));
    QVERIFY(!session.ok());
    QCOMPARE(session.error().code, ErrorCode::OutOfMemory);
    QVERIFY(!session.error().remedy.empty());
}

/// A run of an older Sconce knew no fused blocks of many channels, nor attention of its own; they round in another order.
void SessionTest::blocksThatARunBeganWithoutStayOut()
{
    const auto attends = [](const Json& choices, bool fuse) {
        SessionSpec spec = specOf(*planOf(R"([{"type":"dense","units":32},{"type":"self_attention","heads":2},{"type":"global_average_pool"}])", positionsType(6, 4)));
        spec.choices = choices;
        spec.step.fuse = fuse;
        auto session = Session::open(std::move(spec));
        if (!session) giveUp(session.error());
        return (*session)->choices();
    };
    const Json usual = attends({}, true);
    QCOMPARE(attends(usual, true)["short_attention"].get<int>(), usual["short_attention"].get<int>());
    QCOMPARE(attends({}, false)["short_attention"].get<int>(), 0);
    Json before = usual;
    before.erase("short_attention");
    QCOMPARE(attends(before, true)["short_attention"].get<int>(), 0);
    if (usual["cpu_capability"].get<std::string>().starts_with("AVX")) QCOMPARE(usual["short_attention"].get<int>(), 1);

    const auto deepBlocks = [](const Json& choices) {
        SessionSpec spec = specOf(*planOf(R"([{"type":"conv2d","filters":16},{"type":"conv2d","filters":16,"activation":"relu"},{"type":"max_pool2d"}])", imageType(1, 12, 12)));
        spec.choices = choices;
        auto session = Session::open(std::move(spec));
        if (!session) giveUp(session.error());
        return (*session)->choices();
    };
    const Json now = deepBlocks({});
    QCOMPARE(now["deep_blocks"].get<int>(), 1);
    QCOMPARE(deepBlocks(now)["deep_blocks"].get<int>(), 1);
    Json old = now;
    old.erase("deep_blocks");
    QCOMPARE(deepBlocks(old)["deep_blocks"].get<int>(), 0);
    QCOMPARE(deepBlocks(old)["fused_blocks"].get<int>(), 1);
}

void SessionTest::choicesAreTakenOver()
{
    auto session = openSession();
    QCOMPARE(session->choices()["layout"], "channels-last");
    SessionSpec spec = specOf(*planOf(convnet, imageType(2, 12, 12)));
    spec.choices = session->choices();
    spec.choices["layout"] = "contiguous";
    auto other = Session::open(std::move(spec));
    QCOMPARE((*other)->choices()["layout"], "contiguous");
    // Both layouts compute the same function.
    std::vector<float> input(3 * 2 * 12 * 12);
    Philox(1, Purpose::Test).fillUniform(-1, 1, input);
    const auto a = *session->run(input, 3, false), b = *(*other)->run(input, 3, false);
    QCOMPARE(a.size(), b.size());
    for (std::size_t i = 0; i < a.size(); ++i) QVERIFY(std::abs(a[i] - b[i]) < 1e-5f);
}

void SessionTest::cancels()
{
    auto session = openSession();
    const std::vector<std::int64_t> rows{0, 1, 2, 3, 4, 5};
    std::vector<std::int64_t> seen;
    const auto result = session->evaluate(Part::Test, rows, 2, [&](std::int64_t done) { seen.push_back(done); return done < 4; });
    QCOMPARE(result.error().code, ErrorCode::Cancelled);
    QCOMPARE(seen, (std::vector<std::int64_t>{2, 4}));
}

namespace {

std::vector<ComputeDevice> gpus()
{
    std::vector<ComputeDevice> found;
    for (const ComputeDevice& device : computeDevices())
        if (device.id != "cpu" && device.usable) found.push_back(device);
    return found;
}

std::unique_ptr<Session> openOn(const std::string& device)
{
    // No dropout: its masks are other ones on a GPU.
    auto plan = planOf(R"([{"type":"conv2d","filters":6,"activation":"relu"},{"type":"max_pool2d"},{"type":"batch_norm"},{"type":"flatten"},{"type":"dense","units":4}])",
                       imageType(2, 12, 12));
    SessionSpec spec = specOf(std::move(*plan));
    spec.device = device;
    auto session = Session::open(std::move(spec));
    if (!session) qFatal("%s %s", session.error().text().c_str(), session.error().detail.c_str());
    if (auto used = (*session)->useData(stripes()); !used) qFatal("%s %s", used.error().text().c_str(), used.error().detail.c_str());
    return std::move(*session);
}

} // namespace

void SessionTest::gpuAgreesWithCpu()
{
    if (gpus().empty()) QSKIP("There is no usable NVIDIA GPU on this machine.");
    for (const ComputeDevice& device : gpus()) {
        auto ours = openOn(device.id), control = openOn("cpu");
        QVERIFY(sameBits(*ours->weights(), *control->weights())); // the start is a function of the seed alone
        QCOMPARE(ours->choices()["device_uuid"].get<std::string>(), device.uuid);
        train(*ours, 0, 5);
        train(*control, 0, 5);
        const auto a = *ours->takeMetrics(), b = *control->takeMetrics();
        QCOMPARE(a.size(), b.size());
        for (std::size_t i = 0; i < a.size(); ++i) QVERIFY(std::abs(a[i].loss - b[i].loss) < 0.02 && a[i].count == b[i].count);
        QVERIFY(ours->deviceMemory().allocated > 0);
        const State half = stateOf(*ours);
        train(*ours, 5, 8);
        auto resumed = openOn(device.id);
        QVERIFY(resumed->setWeights(viewsOf(half.weights)).ok() && resumed->setOptimiserState(viewsOf(half.optimiser)).ok());
        QVERIFY(stateOf(*resumed) == half);
        train(*resumed, 5, 8);
        const auto x = floatsOf(named(*resumed->weights(), "dense1.weight")), y = floatsOf(named(*ours->weights(), "dense1.weight"));
        for (std::size_t i = 0; i < x.size(); ++i) QVERIFY(std::abs(x[i] - y[i]) < 1e-4f);
    }
}

/// The flag stays on the device: the faulty step is told of at the next report, and nothing has moved since before it.
void SessionTest::gpuStopsBeforeNaN()
{
    if (gpus().empty()) QSKIP("There is no usable NVIDIA GPU on this machine.");
    auto session = openOn(gpus()[0].id);
    train(*session, 0, 2);
    std::vector<HostTensor> broken = *session->weights();
    const float nan = std::numeric_limits<float>::quiet_NaN();
    std::memcpy(broken[0].bytes.data(), &nan, sizeof nan);
    QVERIFY(session->takeMetrics().ok());
    QVERIFY(session->setWeights(viewsOf(broken)).ok());
    (void)trainStep(*session, 2);
    QCOMPARE(session->takeMetrics().error().code, ErrorCode::NotFinite);
    QCOMPARE(session->weights().error().code, ErrorCode::NotFinite);
    QCOMPARE(session->forward(3, rowsOfStep(3, batch, trainingCount)).error().code, ErrorCode::NotFinite);
}

QTEST_GUILESS_MAIN(SessionTest)
#include "session_test.moc"
