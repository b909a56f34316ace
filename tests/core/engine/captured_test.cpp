// SPDX-License-Identifier: GPL-3.0-or-later
// A step that is captured once and replayed: the same bits as one that is made each time, whatever changes from step to step; tried
// when the session is opened, kept only where it is right and faster, and without a trace where not. The processor has no CUDA graphs,
// so a tape of operators stands in for one (tape_graph.h); all else is the engine's own.

#include "captured_support.h"
#include "core/engine/backend/step_choice.h"
#include "tape_graph.h"
#include "tests/support/paths.h"

#include <ATen/TensorOperators.h>
#include <ATen/ops/from_blob.h>
#include <ATen/ops/full.h>
#include <ATen/ops/zeros.h>
#include <ATen/record_function.h>

#include <QtTest>

#include <cmath>
#include <limits>

using namespace sconce;
using namespace sconce::test;

class CapturedTest : public QObject
{
    Q_OBJECT

  private Q_SLOTS:
    void theTapeIsStrict();
    void gatedStepsWaitForNothing();
    void sameBits_data();
    void sameBits();
    void sameBitsOfEveryTask_data();
    void sameBitsOfEveryTask();
    void sameBitsOfLabels_data();
    void sameBitsOfLabels();
    void sameBitsOfAText();
    void recordsThatAreNotInOnePiece();
    void dropoutFollowsTheStep();
    void theRateTakesEffect();
    void nanLeavesNoTrace();
    void resumedIsUninterrupted();
    void aChoiceIsTakenOver();
    void tryingLeavesNoTrace_data();
    void tryingLeavesNoTrace();
    void whatIsNotTried_data();
    void whatIsNotTried();
    void looksAndPiecesAreEager();
    void moreRowsThanItWasMadeFor();
    void manyStepsUntilAsked();
    void judged_data();
    void judged();
    void apart();
};

void CapturedTest::theTapeIsStrict()
{
    TapeDesk desk;
    const at::Tensor x = at::full({3}, 2.0f), sum = at::zeros({});
    TapeGraph graph(desk);
    graph.record([&] { sum.copy_(x.mul(x).sum()); });
    QCOMPARE(sum.item<float>(), 12.0f);
    x.fill_(3);
    graph.replay(0);
    QCOMPARE(sum.item<float>(), 27.0f);

    double factor = 2; // the host's: part of the tape for good
    TapeGraph frozen(desk);
    frozen.record([&] { sum.copy_((x * factor).sum()); });
    factor = 5;
    frozen.replay(0);
    QCOMPARE(sum.item<float>(), 18.0f);

    TapeGraph copies(desk);
    float fresh[3] = {1, 2, 3};
    QVERIFY_THROWS_EXCEPTION(c10::Error, copies.record([&] { x.copy_(at::from_blob(fresh, {3})); }));
    const at::Tensor kept = at::from_blob(fresh, {3}); // there before, and still there
    TapeGraph reads(desk);
    reads.record([&] { x.copy_(kept); });
    fresh[0] = 7;
    reads.replay(0);
    QCOMPARE(x[0].item<float>(), 7.0f);

    TapeGraph waits(desk);
    QVERIFY_THROWS_EXCEPTION(c10::Error, waits.record([&] { sum.fill_(x.sum().item<float>()); }));
}

/// Sees every operator that this thread calls while it lives.
class Watch
{
  public:
    std::vector<std::string> waited;
    std::size_t seen = 0;
    Watch()
    {
        s_watch = this;
        m_handle = at::addThreadLocalCallback(at::RecordFunctionCallback(&begin, &end).scopes({at::RecordScope::FUNCTION}));
    }
    ~Watch()
    {
        at::removeCallback(m_handle);
        s_watch = nullptr;
    }

  private:
    static std::unique_ptr<at::ObserverContext> begin(const at::RecordFunction& function)
    {
        const std::string name = function.name();
        ++s_watch->seen;
        // The processor's kernels of fused optimisers read the rate so; a GPU's read it where it lies.
        const bool inFused = std::any_of(s_watch->m_open.begin(), s_watch->m_open.end(), [](const std::string& open) { return open.starts_with("aten::_fused_"); });
        if (waitsForTheDevice(name) && !inFused) s_watch->waited.push_back(name);
        s_watch->m_open.push_back(name);
        return nullptr;
    }
    static void end(const at::RecordFunction&, at::ObserverContext*) { s_watch->m_open.pop_back(); }
    static inline thread_local Watch* s_watch = nullptr;
    std::vector<std::string> m_open;
    at::CallbackHandle m_handle;
};

/// Steps that are not captured, and pieces of a batch, must not hold a GPU up either.
void CapturedTest::gatedStepsWaitForNothing()
{
    for (const OptionEntry& entry : optimiserEntries())
        for (const char* precision : {"float32", "fp16"})
            for (const int piece : {0, 5}) {
                SessionSpec spec = capturable(entry.id);
                spec.step.precision = precision;
                spec.step.microBatch = piece;
                spec.step.averageDecay = 0.9;
                spec.step.clipNorm = spec.step.clipValue = 1;
                auto session = opened(spec);
                train(*session, 0, 1);
                Watch watch;
                train(*session, 1, 4);
                QVERIFY(watch.seen > 100);
                QVERIFY2(watch.waited.empty(), watch.waited.empty() ? "" : watch.waited.front().c_str());
            }
    auto checked = opened(capturable(), Json());
    Watch watch;
    train(*checked, 0, 1);
    QVERIFY(!watch.waited.empty()); // this one asks at each step whether all is finite
}

void CapturedTest::sameBits_data()
{
    QTest::addColumn<QString>("optimiser");
    QTest::addColumn<QString>("extra");
    for (const OptionEntry& entry : optimiserEntries()) QTest::newRow(entry.id.c_str()) << QString::fromStdString(entry.id) << QString();
    for (const char* extra : {"clipped", "averaged", "bf16", "fp16", "fp16 that overflows", "contiguous", "repeatable"}) QTest::addRow("adam, %s", extra) << "adam" << extra;
    QTest::newRow("sgd, momentum and dampening") << "sgd" << "dampened";
    QTest::newRow("rmsprop, momentum and decay") << "rmsprop" << "decay";
    QTest::newRow("lion, decay") << "lion" << "decay";
    QTest::newRow("muon, decay") << "muon" << "decay";
}

/// Ten steps and more: of other rows, at other rates, some of them smaller; then as many again.
void CapturedTest::sameBits()
{
    QFETCH(QString, optimiser);
    QFETCH(QString, extra);
    ParamValues settings;
    if (extra == "dampened") settings = {{"momentum", 0.9}, {"dampening", 0.5}};
    if (extra == "decay") settings["weight_decay"] = 0.1;
    if (extra == "decay" && optimiser == "rmsprop") settings["momentum"] = 0.9;
    SessionSpec spec = capturable(optimiser.toStdString(), settings);
    if (extra == "clipped") spec.step.clipNorm = 0.1, spec.step.clipValue = 0.01;
    if (extra == "averaged") spec.step.averageDecay = 0.9;
    if (extra == "contiguous") spec.step.channelsLast = false;
    if (extra == "repeatable") spec.step.deterministic = true;
    if (extra == "bf16" || extra.startsWith("fp16")) spec.step.precision = extra.left(4).toStdString();
    if (extra.contains("overflows")) spec.step.firstScale = 16777216, spec.step.scaleGrowsAfter = 3;

    auto eager = opened(spec, Json());
    QCOMPARE(eager->choices()["step"], "eager");
    QVERIFY(!eager->choices().contains("step_because"));
    Tapes tapes;
    tapes.desk.piecesAtMost = 1; // several steps a replay are TogetherTest's
    auto captured = opened(spec);
    QVERIFY2(captured->choices()["step"] == "captured", captured->choices().value("step_because", "no reason").c_str());
    QVERIFY(QString::fromStdString(captured->choices()["step_because"]).contains("to the last bit"));
    QVERIFY(captured->choices()["step_speedup"].get<double>() > 1);
    tapes.desk.replays = 0;
    for (std::int64_t first = 0; first < 20; first += 10) {
        variedSteps(*eager, first, first + 10);
        variedSteps(*captured, first, first + 10);
        const auto expected = *eager->takeMetrics(), told = *captured->takeMetrics();
        QVERIFY(sameMetrics(told, expected));
        QVERIFY(stateOf(*captured) == stateOf(*eager));
        if (extra.contains("overflows") && first == 0) QVERIFY(told.front().skipped);
    }
    QCOMPARE(tapes.desk.replays, optimiser == "sgd" && extra == "dampened" ? 14 : 15); // all but the smaller ones; dampening spares the first step
}

void CapturedTest::sameBitsOfEveryTask_data()
{
    QTest::addColumn<QString>("task");
    QTest::addColumn<int>("outputs");
    QTest::newRow("yes or no") << "binary" << 1;
    QTest::newRow("autoencoder") << "autoencoder" << 0;
    QTest::newRow("balanced classes") << "classification" << 2;
}

void CapturedTest::sameBitsOfEveryTask()
{
    QFETCH(QString, task);
    QFETCH(int, outputs);
    const std::string net = outputs > 0 ? R"([{"type":"flatten"},{"type":"dense","units":12,"activation":"relu"},{"type":"dropout","rate":0.2},{"type":"dense","units":)" + std::to_string(outputs) + "}]"
                                        : R"([{"type":"conv2d","filters":4,"kernel":[3,3],"padding":"same","activation":"tanh"},{"type":"conv2d","filters":2,"kernel":[3,3],"padding":"same"}])";
    SessionSpec spec = capturable("adam", {}, net);
    spec.task = {task.toStdString(), {}};
    if (outputs == 2) spec.task.params["class_weights"] = std::string("balanced");
    if (findOption(taskEntries(), spec.task.type) == nullptr) QFAIL("there is no such task");
    const auto data = [] { return std::make_shared<StripesDataset>(imageType(2, 12, 12), trainingCount, 20, 2); };
    auto eager = opened(spec, Json(), data());
    Tapes tapes;
    auto captured = opened(spec, gated, data());
    QVERIFY2(captured->choices()["step"] == "captured", captured->choices().value("step_because", "no reason").c_str());
    variedSteps(*eager, 0, 8);
    variedSteps(*captured, 0, 8);
    const auto told = *captured->takeMetrics(), expected = *eager->takeMetrics();
    QCOMPARE(told.size(), expected.size());
    for (std::size_t i = 0; i < told.size(); ++i) QCOMPARE(told[i].loss, expected[i].loss);
    QVERIFY(stateOf(*captured) == stateOf(*eager));
}

void CapturedTest::sameBitsOfLabels_data()
{
    QTest::addColumn<QString>("precision");
    QTest::addColumn<QString>("weights");
    QTest::newRow("plain") << "float32" << "none";
    QTest::newRow("rare ones weighted") << "float32" << "balanced";
    QTest::newRow("fp16") << "fp16" << "balanced";
}

/// Several labels a sample: targets of several columns, and of each label its own counts.
void CapturedTest::sameBitsOfLabels()
{
    QFETCH(QString, precision);
    QFETCH(QString, weights);
    const Learnable pets = labelsTask(precision.toStdString(), weights.toStdString());
    auto eager = opened(pets.spec, gated, pets.data); // before there is a tape
    QCOMPARE(eager->choices()["step"], "eager");
    Tapes tapes;
    auto captured = opened(pets.spec, gated, pets.data);
    QVERIFY2(captured->choices()["step"] == "captured", captured->choices().value("step_because", "no reason").c_str());
    variedSteps(*eager, 0, 8);
    variedSteps(*captured, 0, 8);
    QVERIFY(stateOf(*captured) == stateOf(*eager));
    const auto told = *captured->takeMetrics(), expected = *eager->takeMetrics();
    QVERIFY(sameMetrics(told, expected));
    QCOMPARE(told.back().labels.size(), std::size_t{3});
    QVERIFY(told.back().labels[0].there() > 0);
}

/// A transformer that learns the next symbol: attention, embedding and all that is between.
void CapturedTest::sameBitsOfAText()
{
    const Learnable text = textTask();
    auto eager = opened(text.spec, Json(), text.data);
    Tapes tapes;
    auto captured = opened(text.spec, gated, text.data);
    QVERIFY2(captured->choices()["step"] == "captured", captured->choices().value("step_because", "no reason").c_str());
    variedSteps(*eager, 0, 8);
    variedSteps(*captured, 0, 8);
    QVERIFY(stateOf(*captured) == stateOf(*eager));
    const auto told = *captured->takeMetrics(), expected = *eager->takeMetrics();
    for (std::size_t i = 0; i < told.size(); ++i) QVERIFY(told[i].loss == expected[i].loss && told[i].correct == expected[i].correct && told[i].count == expected[i].count);
}

/// Then the host gathers them, and copies them to where the recorded step finds them.
void CapturedTest::recordsThatAreNotInOnePiece()
{
    auto eager = opened(capturable(), Json(), stripes(false));
    Tapes tapes;
    auto captured = opened(capturable(), gated, stripes(false));
    QCOMPARE(captured->choices()["step"], "captured");
    variedSteps(*eager, 0, 8);
    variedSteps(*captured, 0, 8);
    QVERIFY(stateOf(*captured) == stateOf(*eager));
}

/// The same batch at a rate of 0: only the mask makes a difference.
void CapturedTest::dropoutFollowsTheStep()
{
    Tapes tapes;
    SessionSpec spec = capturable("sgd", {}, R"([{"type":"flatten"},{"type":"dense","units":32},{"type":"dropout","rate":0.5},{"type":"dense","units":4}])");
    auto session = opened(std::move(spec));
    QCOMPARE(session->choices()["step"], "captured");
    QVERIFY(std::count(tapes.desk.operators.begin(), tapes.desk.operators.end(), "sconce::dropout_mask") == session->choices()["steps_per_replay"].get<std::int64_t>()); // of the last recording
    const auto rows = rowsOfStep(0, batch, trainingCount);
    for (const std::int64_t step : {std::int64_t{7}, std::int64_t{8}, std::int64_t{7}, (std::int64_t{1} << 33) + 7}) QVERIFY(session->forward(step, rows).ok() && session->backward().ok() && session->commit(0).ok());
    const auto told = *session->takeMetrics();
    QVERIFY(told[0].loss != told[1].loss);
    QCOMPARE(told[2].loss, told[0].loss);
    QVERIFY(told[3].loss != told[0].loss);
}

void CapturedTest::theRateTakesEffect()
{
    Tapes tapes;
    auto session = opened(capturable("sgd"));
    QCOMPARE(session->choices()["step"], "captured");
    const auto weights = [&] { return floatsOf(named(*session->weights(), "dense1.weight")); };
    const auto start = weights();
    QVERIFY(trainStep(*session, 0, 0).ok());
    QVERIFY(weights() == start);
    QVERIFY(trainStep(*session, 1, 0.1).ok());
    QVERIFY(weights() != start);
}

/// As TransactionTest has it of a commit that is gated on the device.
void CapturedTest::nanLeavesNoTrace()
{
    Tapes tapes;
    tapes.desk.piecesAtMost = 1;
    auto session = opened(capturable());
    QCOMPARE(session->choices()["step"], "captured");
    train(*session, 0, 2);
    QCOMPARE(session->takeMetrics()->size(), std::size_t{2});
    const State sound = stateOf(*session);
    std::vector<HostTensor> broken = sound.weights;
    const float nan = std::numeric_limits<float>::quiet_NaN();
    for (HostTensor& tensor : broken)
        if (tensor.name == "dense1.bias") std::memcpy(tensor.bytes.data(), &nan, sizeof nan);
    QVERIFY(session->setWeights(viewsOf(broken)).ok());
    const State before = stateOf(*session);
    tapes.desk.replays = 0;
    QVERIFY(trainStep(*session, 2).ok());
    QVERIFY(trainStep(*session, 3).ok());
    QCOMPARE(session->weights().error().code, ErrorCode::NotFinite);
    QCOMPARE(tapes.desk.replays, 2);
    QCOMPARE(session->takeMetrics().error().code, ErrorCode::NotFinite);
    QVERIFY(stateOf(*session) == before);
    QCOMPARE(trainStep(*session, 4).error().code, ErrorCode::NotFinite);
    // With sound weights it goes on as if nothing had been.
    QVERIFY(session->setWeights(viewsOf(sound.weights)).ok());
    QVERIFY(session->setOptimiserState(viewsOf(sound.optimiser)).ok());
    train(*session, 2, 5);
    auto control = opened(capturable(), Json());
    train(*control, 0, 5);
    QVERIFY(stateOf(*session) == stateOf(*control));
}

void CapturedTest::resumedIsUninterrupted()
{
    Tapes tapes;
    auto whole = opened(capturable());
    variedSteps(*whole, 0, 12);
    auto first = opened(capturable());
    variedSteps(*first, 0, 6);
    const State saved = stateOf(*first);
    tapes.desk = {};
    auto second = opened(capturable(), first->choices());
    QCOMPARE(second->choices()["steps_per_replay"], first->choices()["steps_per_replay"]);
    QCOMPARE(tapes.desk.records, second->choices()["steps_per_replay"] == 1 ? 1 : 2);
    QCOMPARE(tapes.desk.replays, 0); // nothing is measured anew (rule 8)
    QCOMPARE(second->choices()["step"], "captured");
    QCOMPARE(second->choices()["step_speedup"], first->choices()["step_speedup"]);
    QCOMPARE(second->choices()["step_because"], first->choices()["step_because"]);
    QVERIFY(second->setWeights(viewsOf(saved.weights)).ok());
    QVERIFY(second->setOptimiserState(viewsOf(saved.optimiser)).ok());
    variedSteps(*second, 6, 12);
    QVERIFY(tapes.desk.replays > 0);
    QVERIFY(stateOf(*second) == stateOf(*whole));
}

void CapturedTest::aChoiceIsTakenOver()
{
    Tapes tapes;
    Json choices = gated;
    choices["step"] = "eager";
    choices["step_because"] = "It was not faster.";
    auto session = opened(capturable(), choices);
    QCOMPARE(tapes.desk.made, 0);
    QCOMPARE(session->choices()["step_because"], "It was not faster.");
    Json older = gated; // of a run that began before there was a choice
    older["layout"] = "channels-last";
    QCOMPARE(opened(capturable(), older)->choices()["step"], "eager");
    QCOMPARE(tapes.desk.made, 0);
    // Captured then, but not to be had now: eager, and it says so.
    engine::setStepGraphMaker(nullptr);
    choices["step"] = "captured";
    session = opened(capturable(), choices);
    QCOMPARE(session->choices()["step"], "eager");
    QVERIFY(trainStep(*session, 0).ok());
}

void CapturedTest::tryingLeavesNoTrace_data()
{
    QTest::addColumn<double>("alone"); // a replay, beside a hundredth of a second for an eager step
    QTest::addColumn<QString>("refused");
    QTest::addColumn<QString>("frozen");
    QTest::addColumn<QString>("because");
    QTest::newRow("faster") << 0.0002 << "" << "" << "Steps are replayed";
    QTest::newRow("slower") << 0.2 << "" << "" << "not faster";
    QTest::newRow("cannot be captured") << 0.0002 << "aten::convolution_backward" << "" << "convolution_backward cannot be recorded";
    QTest::newRow("stops half-way through the optimiser") << 0.0002 << "aten::_fused_adam_" << "" << "_fused_adam_ cannot be recorded";
    QTest::newRow("a mask that stays the same") << 0.0002 << "" << "sconce::dropout_mask" << "other numbers";
    QTest::newRow("weights that stay the same") << 0.0002 << "" << "aten::_fused_adam_" << "other numbers";
}

void CapturedTest::tryingLeavesNoTrace()
{
    QFETCH(double, alone);
    QFETCH(QString, refused);
    QFETCH(QString, frozen);
    QFETCH(QString, because);
    Tapes tapes;
    tapes.desk.alone = alone;
    tapes.desk.refused = refused.toStdString();
    tapes.desk.frozen = frozen.toStdString();
    auto tried = opened(capturable()), control = opened(capturable(), Json());
    QCOMPARE(tapes.desk.made, 1);
    const Json choices = tried->choices();
    QVERIFY2(QString::fromStdString(choices["step_because"]).contains(because), choices["step_because"].get<std::string>().c_str());
    QCOMPARE(choices["step"] == "captured", because == "Steps are replayed");
    QVERIFY(stateOf(*tried) == stateOf(*control));
    QVERIFY(tried->takeMetrics()->empty());
    if (!frozen.isEmpty()) tapes.desk.frozen.clear();
    variedSteps(*tried, 0, 6);
    variedSteps(*control, 0, 6);
    QVERIFY(sameMetrics(*tried->takeMetrics(), *control->takeMetrics()));
    QVERIFY(stateOf(*tried) == stateOf(*control));
}

void CapturedTest::whatIsNotTried_data()
{
    QTest::addColumn<QString>("what");
    QTest::addColumn<QString>("because");
    QTest::newRow("nothing to measure with") << "no batch" << "";
    QTest::newRow("switched off") << "off" << "";
    QTest::newRow("in pieces") << "pieces" << "in pieces";
    QTest::newRow("recomputed") << "recompute" << "second time";
    QTest::newRow("a batch of more than there is") << "large" << "fewer samples";
}

void CapturedTest::whatIsNotTried()
{
    QFETCH(QString, what);
    QFETCH(QString, because);
    Tapes tapes;
    SessionSpec spec = capturable();
    if (what == "no batch") spec.step.batch = 0;
    if (what == "off") spec.step.record = false;
    if (what == "pieces") spec.step.microBatch = 4;
    if (what == "recompute") spec.step.recompute = true;
    if (what == "large") spec.step.batch = trainingCount + 1;
    auto session = opened(std::move(spec));
    QCOMPARE(tapes.desk.made, 0);
    QCOMPARE(session->choices()["step"], "eager");
    const std::string said = session->choices().value("step_because", "");
    QVERIFY2(because.isEmpty() ? said.empty() : QString::fromStdString(said).contains(because), said.c_str());
    QVERIFY(trainStep(*session, 0).ok());
}

/// What looks inside of a step, and pieces of a batch after memory ran out: not what the graph was made for.
void CapturedTest::looksAndPiecesAreEager()
{
    Tapes tapes;
    tapes.desk.piecesAtMost = 1;
    auto session = opened(capturable()), control = opened(capturable(), Json());
    QCOMPARE(session->choices()["step"], "captured");
    tapes.desk.replays = 0;
    const auto rows = rowsOfStep(0, batch, trainingCount);
    const auto numbers = *session->numbers(0, rows), expected = *control->numbers(0, rows);
    QCOMPARE(numbers.size(), expected.size());
    for (std::size_t i = 0; i < numbers.size(); ++i) QVERIFY(numbers[i].name == expected[i].name && numbers[i].numbers == expected[i].numbers);
    QVERIFY(session->profileStep(0, rows, 0.01).ok() && control->profileStep(0, rows, 0.01).ok());
    QCOMPARE(tapes.desk.replays, 0);
    variedSteps(*session, 1, 3);
    variedSteps(*control, 1, 3);
    session->setMicroBatch(7);
    QCOMPARE(tapes.desk.replays, 2); // they waited until then
    control->setMicroBatch(7);
    QCOMPARE(session->choices()["step"], "eager");
    QVERIFY(!session->choices()["step_because"].get<std::string>().empty());
    variedSteps(*session, 3, 6);
    variedSteps(*control, 3, 6);
    QCOMPARE(tapes.desk.replays, 2);
    QVERIFY(stateOf(*session) == stateOf(*control));
}

void CapturedTest::moreRowsThanItWasMadeFor()
{
    Tapes tapes;
    auto session = opened(capturable()), control = opened(capturable(), Json());
    for (Session* each : {session.get(), control.get()}) {
        const auto rows = rowsOfStep(0, 2 * batch, trainingCount);
        QVERIFY(each->forward(0, rows).ok() && each->backward().ok() && each->commit(0.01).ok());
        variedSteps(*each, 1, 4);
    }
    QVERIFY(stateOf(*session) == stateOf(*control));
    QCOMPARE(session->choices()["step"], "eager");
}

/// More than one block of what is told.
void CapturedTest::manyStepsUntilAsked()
{
    Tapes tapes;
    auto session = opened(capturable("sgd", {}, R"([{"type":"flatten"},{"type":"dense","units":4}])"));
    QCOMPARE(session->choices()["step"], "captured");
    for (int round = 0; round < 2; ++round) {
        train(*session, 0, 1500);
        const auto told = *session->takeMetrics();
        QCOMPARE(told.size(), std::size_t{1500});
        for (std::size_t i = 0; i < told.size(); ++i) QVERIFY(told[i].step == static_cast<std::int64_t>(i) && std::isfinite(told[i].loss) && told[i].count == batch);
        QVERIFY(told.front().loss != told.back().loss);
    }
}

void CapturedTest::judged_data()
{
    QTest::addColumn<double>("captured"); // beside an eager step of 1 s
    QTest::addColumn<double>("apart");
    QTest::addColumn<double>("noise");
    QTest::addColumn<bool>("taken");
    const double infinite = std::numeric_limits<double>::infinity(), nan = std::numeric_limits<double>::quiet_NaN();
    QTest::newRow("faster and the same") << 0.2 << 0.0 << 0.0 << true;
    QTest::newRow("faster but for rounding") << 0.2 << 0.01 << 0.0 << true;
    QTest::newRow("no faster") << 0.99 << 0.0 << 0.0 << false;
    QTest::newRow("wrong") << 0.2 << 0.05 << 0.0 << false;
    QTest::newRow("as noisy as eager steps are") << 0.2 << 0.05 << 0.03 << true;
    QTest::newRow("not to be compared") << 0.2 << infinite << 0.0 << false;
    QTest::newRow("no number") << 0.2 << nan << 0.0 << false;
}

void CapturedTest::judged()
{
    QFETCH(double, captured);
    QFETCH(double, apart);
    QFETCH(double, noise);
    QFETCH(bool, taken);
    const engine::StepChoice choice = engine::judge({1, captured, apart, noise, 0.02});
    QCOMPARE(choice.captured, taken);
    QVERIFY(choice.because.ends_with("."));
    Json json = Json::object();
    choice.write(json);
    const auto read = engine::StepChoice::fromJson(json);
    QVERIFY(read && read->captured == choice.captured && read->because == choice.because);
    if (taken) QCOMPARE(read->speedup, 5.0);
}

void CapturedTest::apart()
{
    const auto group = [](float a, float b) { return engine::TensorGroups{{at::full({2}, a)}, {at::full({1}, b)}}; };
    QCOMPARE(engine::changedApart(group(0, 0), group(1, 1), group(1, 1)), 0.0);
    QCOMPARE(engine::changedApart(group(0, 0), group(1, 1), group(1, 1.5f)), 0.5);
    QCOMPARE(engine::changedApart(group(1, 0), group(1, 1), group(1, 1)), 0.0); // not changed, by either
    QVERIFY(std::isinf(engine::changedApart(group(1, 0), group(1, 1), group(2, 1)))); // changed, by one
    QVERIFY(std::isinf(engine::changedApart(group(0, 0), group(1, 1), group(std::numeric_limits<float>::quiet_NaN(), 1))));
}

QTEST_GUILESS_MAIN(CapturedTest)
#include "captured_test.moc"
