// SPDX-License-Identifier: GPL-3.0-or-later
// A step is a transaction (rule 6): parameters, both kinds of optimiser state, the step counter and running statistics move
// together or not at all, whatever goes wrong in between. One test for each kind of trouble.

#include "engine_support.h"

#include <QFile>
#include <QtTest>

#include <cmath>
#include <limits>
#include <unistd.h>

using namespace sconce;
using namespace sconce::test;

namespace {

/// As on a GPU, where nobody waits for the finite check.
std::unique_ptr<Session> openGated(const std::string& optimiser)
{
    SessionSpec spec = specOf(*planOf(convnet, imageType(2, 12, 12)), optimiser);
    spec.choices = Json{{"commit", "gated on the device"}};
    auto session = Session::open(std::move(spec));
    if (!session || !(*session)->useData(stripes())) qFatal("no session");
    return std::move(*session);
}

} // namespace

class TransactionTest : public QObject
{
    Q_OBJECT

  private Q_SLOTS:
    void uncommittedStepLeavesNoTrace();
    void nanLeavesNoTrace_data();
    void nanLeavesNoTrace();
    void infiniteStatisticsLeaveNoTrace();
    void gatedCommitGivesTheSameBits();
    void gatedCommitLeavesNoTrace_data();
    void gatedCommitLeavesNoTrace();
    void gatedCommitTellsTheGoodStepsFirst();
    void oneValuePerChannelKeepsTheStatistics();
    void wrongStateChangesNothing();
    void outOfMemoryLeavesNoTrace();
};

void TransactionTest::uncommittedStepLeavesNoTrace()
{
    auto session = openSession(), control = openSession();
    train(*session, 0, 3);
    train(*control, 0, 3);
    const State before = stateOf(*session);
    const auto rows = rowsOfStep(3, batch, trainingCount);
    QVERIFY(session->forward(3, rows).ok());
    QVERIFY(stateOf(*session) == before);
    QVERIFY(session->backward().ok());
    QVERIFY(stateOf(*session) == before);
    // The step is made again, as after running out of memory: gradients must not have piled up.
    train(*session, 3, 5);
    train(*control, 3, 5);
    QVERIFY(stateOf(*session) == stateOf(*control));
}

void TransactionTest::nanLeavesNoTrace_data()
{
    QTest::addColumn<QString>("optimiser");
    QTest::addColumn<QString>("poisoned");
    QTest::addColumn<float>("value");
    const float nan = std::numeric_limits<float>::quiet_NaN(), inf = std::numeric_limits<float>::infinity();
    QTest::newRow("NaN in a weight, adam") << "adam" << "conv1.weight" << nan;
    QTest::newRow("NaN in a weight, adamw") << "adamw" << "dense1.weight" << nan;
    QTest::newRow("infinite bias, sgd") << "sgd" << "dense1.bias" << inf;
    QTest::newRow("NaN in a weight, rmsprop") << "rmsprop" << "conv2.weight" << nan;
    QTest::newRow("NaN in a bias, adagrad") << "adagrad" << "conv1.bias" << nan;
    QTest::newRow("infinite weight, lion") << "lion" << "dense1.weight" << inf;
    QTest::newRow("NaN in a matrix, muon") << "muon" << "conv2.weight" << nan;
    QTest::newRow("NaN in the rest, muon") << "muon" << "dense1.bias" << nan;
}

/// Parameters, both kinds of optimiser state, step counter and running statistics: none may move.
void TransactionTest::nanLeavesNoTrace()
{
    QFETCH(QString, optimiser);
    QFETCH(QString, poisoned);
    QFETCH(float, value);
    ParamValues settings;
    if (optimiser == "sgd") settings["momentum"] = 0.9;
    if (optimiser == "rmsprop") settings = {{"momentum", 0.9}, {"centered", true}};
    auto session = openSession(optimiser.toStdString(), settings);
    train(*session, 0, 3);
    QCOMPARE(session->takeMetrics()->size(), std::size_t{3});
    const State sound = stateOf(*session);

    std::vector<HostTensor> broken = sound.weights;
    for (HostTensor& tensor : broken)
        if (tensor.name == poisoned.toStdString()) std::memcpy(tensor.bytes.data(), &value, sizeof value);
    QVERIFY(session->setWeights(viewsOf(broken)).ok());
    const State before = stateOf(*session);
    const auto done = trainStep(*session, 3);
    QVERIFY(!done.ok());
    QCOMPARE(done.error().code, ErrorCode::NotFinite);
    QVERIFY2(QString::fromStdString(done.error().message).contains("step 4"), done.error().message.c_str());
    QVERIFY(!done.error().remedy.empty());
    const State after = stateOf(*session);
    QVERIFY(sameBits(after.weights, before.weights));     // parameters and running statistics
    QVERIFY(sameBits(after.optimiser, before.optimiser)); // moments and step counter
    QVERIFY(session->takeMetrics()->empty());

    // With sound weights it goes on as if nothing had been.
    QVERIFY(session->setWeights(viewsOf(sound.weights)).ok());
    train(*session, 3, 5);
    auto control = openSession(optimiser.toStdString(), settings);
    train(*control, 0, 5);
    QVERIFY(stateOf(*session) == stateOf(*control));
}

/// A huge map has an infinite variance, is normalised to zeros, and the loss stays finite: only the statistics break.
void TransactionTest::infiniteStatisticsLeaveNoTrace()
{
    auto session = openSession();
    train(*session, 0, 2);
    std::vector<HostTensor> weights = *session->weights();
    for (HostTensor& tensor : weights)
        if (tensor.name == "conv1.weight" || tensor.name == "conv2.weight") {
            std::vector<float> values = floatsOf(tensor);
            for (float& value : values) value *= 1e15f;
            std::memcpy(tensor.bytes.data(), values.data(), tensor.bytes.size());
        }
    QVERIFY(session->setWeights(viewsOf(weights)).ok());
    const State before = stateOf(*session);
    const auto done = trainStep(*session, 2);
    QVERIFY(!done.ok());
    QCOMPARE(done.error().code, ErrorCode::NotFinite);
    QVERIFY(stateOf(*session) == before);
}

void TransactionTest::gatedCommitGivesTheSameBits()
{
    for (const OptionEntry& entry : optimiserEntries()) {
        const std::string& optimiser = entry.id;
        auto gated = openGated(optimiser), checked = openSession(optimiser);
        QCOMPARE(gated->choices()["commit"], "gated on the device");
        train(*gated, 0, 6);
        train(*checked, 0, 6);
        const auto a = *gated->takeMetrics(), b = *checked->takeMetrics();
        QCOMPARE(a.size(), b.size());
        for (std::size_t i = 0; i < a.size(); ++i) QVERIFY(a[i].step == b[i].step && a[i].loss == b[i].loss && a[i].correct == b[i].correct);
        QVERIFY(stateOf(*gated) == stateOf(*checked));
    }
}

void TransactionTest::gatedCommitLeavesNoTrace_data()
{
    QTest::addColumn<QString>("optimiser");
    for (const OptionEntry& entry : optimiserEntries()) QTest::newRow(entry.id.c_str()) << QString::fromStdString(entry.id);
}

/// Two faulty steps after a sound one: nothing moves, no metrics are told, and the session says so wherever it is asked. Once it has
/// said so, what it hands out to be saved is the state of the sound step, counters and all.
void TransactionTest::gatedCommitLeavesNoTrace()
{
    QFETCH(QString, optimiser);
    auto session = openGated(optimiser.toStdString());
    train(*session, 0, 2);
    QCOMPARE(session->takeMetrics()->size(), std::size_t{2});
    std::vector<HostTensor> weights = *session->weights();
    const float infinite = std::numeric_limits<float>::infinity();
    for (HostTensor& tensor : weights)
        if (tensor.name == "dense1.bias") std::memcpy(tensor.bytes.data(), &infinite, sizeof infinite);
    QVERIFY(session->setWeights(viewsOf(weights)).ok());
    const State sound = stateOf(*session);
    std::vector<float> input(4 * 2 * 12 * 12);
    Philox(1, Purpose::Test).fillUniform(0, 1, input);
    const auto bitsOf = [&] { // the other three outputs are finite, and would show any weight or statistic that moved
        const auto output = *session->run(input, 4, false);
        std::vector<std::uint32_t> bits(output.size());
        std::memcpy(bits.data(), output.data(), output.size() * sizeof(float));
        return bits;
    };
    const auto before = bitsOf();
    QVERIFY(trainStep(*session, 2).ok()); // not known yet
    QVERIFY(trainStep(*session, 3).ok());
    QCOMPARE(bitsOf(), before);
    QCOMPARE(session->optimiserState().error().code, ErrorCode::NotFinite);
    QCOMPARE(session->weights().error().code, ErrorCode::NotFinite); // the trainer's counters would be ahead of them
    const auto metrics = session->takeMetrics();
    QCOMPARE(metrics.error().code, ErrorCode::NotFinite);
    QVERIFY(stateOf(*session) == sound);
    QCOMPARE(session->takeMetrics().error().code, ErrorCode::NotFinite);
    QCOMPARE(trainStep(*session, 4).error().code, ErrorCode::NotFinite);
    QCOMPARE(session->evaluate(Part::Test, std::vector<std::int64_t>{0}, 1, {}).error().code, ErrorCode::NotFinite);
}

/// Sound steps that nobody has asked about yet are told before the faulty ones, with the state they left.
void TransactionTest::gatedCommitTellsTheGoodStepsFirst()
{
    for (const char* optimiser : {"adam", "sgd"})
        for (const bool looked : {false, true}) {
            auto session = openGated(optimiser), control = openSession(optimiser);
            train(*session, 0, 3);
            train(*control, 0, 3);
            const auto rows = rowsOfStep(3, batch, trainingCount);
            for (std::int64_t step = 3; step < 6; ++step) { // a rate that makes the third one overflow
                QVERIFY(session->forward(step, rows).ok() && session->backward().ok());
                QVERIFY(session->commit(step == 3 ? 1e38 : 1.0).ok());
            }
            std::int64_t good = 3;
            for (std::int64_t step = 3; step < 6; ++step, ++good)
                if (!control->forward(step, rows) || !control->backward() || !control->commit(step == 3 ? 1e38 : 1.0)) break;
            QVERIFY(good < 6);
            if (looked) QCOMPARE(session->weights().error().code, ErrorCode::NotFinite);
            const auto metrics = session->takeMetrics(), expected = control->takeMetrics();
            QVERIFY(metrics.ok() && expected.ok());
            QCOMPARE(metrics->size(), static_cast<std::size_t>(good));
            for (std::size_t i = 0; i < metrics->size(); ++i) QVERIFY((*metrics)[i].step == (*expected)[i].step && (*metrics)[i].loss == (*expected)[i].loss);
            QCOMPARE(session->takeMetrics().error().code, ErrorCode::NotFinite);
            QVERIFY(stateOf(*session) == stateOf(*control));
        }
}

void TransactionTest::oneValuePerChannelKeepsTheStatistics()
{
    auto session = Session::open(specOf(*planOf(R"([{"type":"flatten"},{"type":"dense","units":5},{"type":"batch_norm"},{"type":"dense","units":4}])", imageType(2, 12, 12))));
    QVERIFY(session.ok());
    QVERIFY((*session)->useData(stripes()).ok());
    const std::vector<std::int64_t> one{3};
    QVERIFY((*session)->forward(0, one).ok());
    QVERIFY((*session)->backward().ok());
    QVERIFY((*session)->commit(0.01).ok());
    for (float value : floatsOf(named(*(*session)->weights(), "bn1.running_var"))) QCOMPARE(value, 1.0f);
}

void TransactionTest::wrongStateChangesNothing()
{
    auto session = openSession();
    train(*session, 0, 2);
    const State before = stateOf(*session);
    const auto refuses = [&](auto change) {
        State state = before;
        for (HostTensor& tensor : state.weights) tensor.bytes.assign(tensor.bytes.size(), std::byte{0});
        for (HostTensor& tensor : state.optimiser) tensor.bytes.assign(tensor.bytes.size(), std::byte{0});
        change(state);
        const auto weights = session->setWeights(viewsOf(state.weights));
        const auto optimiser = session->setOptimiserState(viewsOf(state.optimiser));
        if (weights.ok() || optimiser.ok()) return false;
        return weights.error().code == ErrorCode::Corrupt && optimiser.error().code == ErrorCode::Corrupt && stateOf(*session) == before;
    };
    QVERIFY(refuses([](State& s) { s.weights.pop_back(); s.optimiser.pop_back(); }));
    QVERIFY(refuses([](State& s) { s.weights[0].name = "other"; s.optimiser[0].name = "other"; }));
    QVERIFY(refuses([](State& s) { s.weights[0].shape.push_back(1); s.optimiser[0].shape.push_back(1); }));
    QVERIFY(refuses([](State& s) { s.weights[0].dtype = DType::F64; s.optimiser[0].dtype = DType::F64; }));
    QVERIFY(refuses([](State& s) { s.weights[0].bytes.pop_back(); s.optimiser[0].bytes.pop_back(); }));
    QVERIFY(refuses([](State& s) { s.weights.push_back(s.weights[0]); s.optimiser.push_back(s.optimiser[0]); }));
    QVERIFY(refuses([](State& s) {
        s.weights.push_back({"stowaway", DType::F32, {}, std::vector<std::byte>(4)});
        s.optimiser.push_back({"stowaway", DType::F32, {}, std::vector<std::byte>(4)});
    }));
}

/// 16,384 maps of 10×10 for 16,000 samples: 105 GB in one piece. The trainer then halves the batch and goes on.
void TransactionTest::outOfMemoryLeavesNoTrace()
{
    QFile overcommit("/proc/sys/vm/overcommit_memory");
    const bool readable = overcommit.open(QIODevice::ReadOnly);
    if (!readable || overcommit.readAll().trimmed() == "1") QSKIP("This machine promises memory that it does not have.");
    if (static_cast<double>(sysconf(_SC_PHYS_PAGES)) * static_cast<double>(sysconf(_SC_PAGESIZE)) > 80e9) QSKIP("This machine has too much memory to run out of.");
    auto session = Session::open(specOf(*planOf(R"([{"type":"conv2d","filters":16384},{"type":"global_average_pool"},{"type":"dense","units":4}])", imageType(2, 12, 12))));
    QVERIFY(session.ok() && (*session)->useData(stripes()).ok());
    const State before = stateOf(**session);
    const auto tooMany = (*session)->forward(0, rowsOfStep(0, 16000, trainingCount));
    QVERIFY(!tooMany.ok());
    QVERIFY2(tooMany.error().code == ErrorCode::OutOfMemory, tooMany.error().detail.c_str());
    QVERIFY(stateOf(**session) == before);
    QVERIFY(!(*session)->backward().ok());
    QVERIFY(trainStep(**session, 0).ok());
}

QTEST_GUILESS_MAIN(TransactionTest)
#include "transaction_test.moc"
