// SPDX-License-Identifier: GPL-3.0-or-later
// Several steps a replay: the same bits as one at a time and as eager ones, wherever the steps that wait are cut off: by a smaller batch,
// by whoever asks what they came to, by a step that is not finite. On tapes (tape_graph.h), the processor having no CUDA graphs.

#include "captured_support.h"
#include "core/engine/backend/step_choice.h"
#include "core/engine/backend/step_numbers.h"
#include "tape_graph.h"

#include <ATen/ops/arange.h>
#include <ATen/ops/equal.h>

#include <QtTest>

#include <cmath>
#include <limits>

using namespace sconce;
using namespace sconce::test;

namespace {

/// As a run has them that chose so when it began.
Json together(int steps) { return {{"commit", "gated on the device"}, {"step", "captured"}, {"steps_per_replay", steps}}; }

/// Another rate at each step, and every nineteenth batch is a smaller one.
void ragged(Session& session, std::int64_t first, std::int64_t last)
{
    for (std::int64_t step = first; step < last; ++step) {
        const auto rows = rowsOfStep(step, step % 19 == 18 ? 5 : batch, trainingCount);
        const auto done = [&]() -> Result<void> {
            SCONCE_TRY(session.forward(step, rows));
            SCONCE_TRY(session.backward());
            return session.commit(0.01 / static_cast<double>(1 + step % 5));
        }();
        if (!done) giveUp(done.error());
    }
}

} // namespace

class TogetherTest : public QObject
{
    Q_OBJECT

  private Q_SLOTS:
    void sameBits_data();
    void sameBits();
    void recordsThatAreNotInOnePiece();
    void whoeverAsks_data();
    void whoeverAsks();
    void nanInTheMiddle_data();
    void nanInTheMiddle();
    void resumedIsUninterrupted();
    void aStepThatIsNotCommitted();
    void lessRoomThanBefore();
    void aDeviceThatFails();
    void chosen_data();
    void chosen();
    void judged_data();
    void judged();
    void howMany();
    void toldRows();
};

void TogetherTest::sameBits_data()
{
    QTest::addColumn<int>("steps");
    QTest::addColumn<QString>("extra");
    for (const int steps : {2, 4, 16}) QTest::addRow("adam, %d", steps) << steps << "";
    for (const char* extra : {"sgd", "sgd dampened", "muon", "rmsprop", "clipped", "averaged", "augmented", "bf16", "fp16", "fp16 that overflows", "sgd dampened, fp16 that overflows", "sgd dampened, plain, fp16 that overflows"}) QTest::addRow("%s, 4", extra) << 4 << extra;
}

/// Asked at uneven times: dropout, batch statistics and rates follow the step, and what is told belongs to it.
void TogetherTest::sameBits()
{
    QFETCH(int, steps);
    QFETCH(QString, extra);
    ParamValues settings;
    if (extra.startsWith("sgd dampened")) settings = {{"momentum", 0.9}, {"dampening", 0.5}};
    const std::string optimiser = extra == "muon" || extra == "rmsprop" ? extra.toStdString() : extra.startsWith("sgd") ? "sgd" : "adam";
    SessionSpec spec = capturable(optimiser, settings);
    if (extra == "clipped") spec.step.clipNorm = 0.1, spec.step.clipValue = 0.01;
    if (extra == "averaged") spec.step.averageDecay = 0.9;
    if (extra == "augmented") spec.augmentation = {.shift = 2, .rotate = 20, .brightness = 0.3, .cutOut = 3}, spec.stepsPerEpoch = 6; // epochs end between the steps of a replay
    if (extra == "bf16" || extra.contains("fp16")) spec.step.precision = extra == "bf16" ? "bf16" : "fp16";
    if (extra.contains("plain")) spec.step.fusedOptimiser = false;
    if (extra.contains("overflows")) spec.step.firstScale = 16777216, spec.step.scaleGrowsAfter = 3;
    auto eager = opened(spec, extra == "augmented" ? gated : Json()); // the processor's own loops interpolate to other last bits
    Tapes tapes;
    auto alone = opened(spec, together(1)), several = opened(spec, together(steps));
    QCOMPARE(alone->choices()["steps_per_replay"], 1);
    QCOMPARE(several->choices()["steps_per_replay"], steps);
    tapes.desk.replays = 0;
    std::int64_t from = 0;
    for (const std::int64_t to : {17, 38, 41, 60}) {
        for (Session* each : {eager.get(), alone.get(), several.get()}) ragged(*each, from, to);
        QCOMPARE(tapes.desk.together > 0, to > steps);
        const auto expected = *eager->takeMetrics(), one = *alone->takeMetrics(), told = *several->takeMetrics();
        QVERIFY(sameMetrics(one, expected));
        QVERIFY(sameMetrics(told, expected));
        if (extra.contains("overflows") && from == 0) QVERIFY(told.front().skipped);
        QVERIFY(stateOf(*several) == stateOf(*eager));
        from = to;
    }
    QVERIFY(tapes.desk.together >= (steps == 16 ? 1 : 40 / steps));
}

/// The host gathers them, to a place for each step.
void TogetherTest::recordsThatAreNotInOnePiece()
{
    SessionSpec spec = capturable();
    spec.augmentation.leftRight = Augmentation::Flip::Alternating; // what is drawn has a place, too
    spec.stepsPerEpoch = 6;
    auto eager = opened(spec, gated, stripes(false));
    Tapes tapes;
    auto several = opened(spec, together(4), stripes(false));
    for (Session* each : {eager.get(), several.get()}) ragged(*each, 0, 30);
    QVERIFY(sameMetrics(*several->takeMetrics(), *eager->takeMetrics()));
    QVERIFY(stateOf(*several) == stateOf(*eager));
    QVERIFY(tapes.desk.together > 4);
}

void TogetherTest::whoeverAsks_data()
{
    QTest::addColumn<QString>("what");
    for (const char* what : {"metrics", "weights", "optimiser", "evaluate", "predict", "records", "run", "run, training", "numbers", "profile", "pieces", "smaller", "larger", "set", "data"}) QTest::newRow(what) << QString(what);
}

/// Two steps wait of four: they come first.
void TogetherTest::whoeverAsks()
{
    QFETCH(QString, what);
    auto control = opened(capturable(), Json());
    Tapes tapes;
    auto session = opened(capturable(), together(4));
    const std::vector<std::int64_t> some{0, 3, 5};
    const std::vector<float> inputs(2 * 2 * 12 * 12, 0.5f);
    const std::vector<std::uint8_t> records(2 * 2 * 12 * 12, 100);
    const auto ask = [&](Session& asked) -> std::vector<double> {
        const auto numbers = [](const std::vector<float>& floats) { return std::vector<double>(floats.begin(), floats.end()); };
        if (what == "metrics") return {asked.takeMetrics()->back().loss};
        if (what == "weights") return numbers(floatsOf(named(*asked.weights(), "conv1.weight")));
        if (what == "optimiser") return {static_cast<double>(named(*asked.optimiserState(), "adam.steps").bytes.front())};
        if (what == "evaluate") return {asked.evaluate(Part::Test, some, 2, {})->loss};
        if (what == "predict") return numbers(*asked.predict(Part::Test, some, 2, {}));
        if (what == "records") return numbers(*asked.predictRecords(records, 2));
        if (what == "run, training") return numbers(*asked.run(inputs, 2, true));
        if (what == "run") return numbers(*asked.run(inputs, 2, false));
        if (what == "numbers") return {asked.numbers(6, rowsOfStep(6, batch, trainingCount))->front().numbers.mean};
        if (what == "profile" && !asked.profileStep(6, rowsOfStep(6, batch, trainingCount), 0.01)) return {};
        if (what == "pieces") asked.setMicroBatch(7);
        if (what == "smaller" || what == "larger") {
            const auto rows = rowsOfStep(6, what == "smaller" ? 3 : 2 * batch, trainingCount);
            if (!asked.forward(6, rows) || !asked.backward() || !asked.commit(0.01)) return {};
        }
        if (what == "set") {
            const State now = stateOf(asked);
            train(asked, 6, 7);
            if (!asked.setWeights(viewsOf(now.weights)) || !asked.setOptimiserState(viewsOf(now.optimiser))) return {};
        }
        if (what == "data" && !asked.useData(stripes())) return {};
        return {1};
    };
    for (Session* each : {control.get(), session.get()}) train(*each, 0, 6);
    QCOMPARE(tapes.desk.replays, 1); // of the first four
    const auto expected = ask(*control), got = ask(*session);
    QVERIFY(!got.empty() && got == expected);
    QVERIFY(tapes.desk.replays >= 3 || what == "data");
    for (Session* each : {control.get(), session.get()}) train(*each, 7, 13);
    QVERIFY(stateOf(*session) == stateOf(*control));
    if (what != "metrics" && what != "set") QCOMPARE(session->takeMetrics()->size(), control->takeMetrics()->size());
}

void TogetherTest::nanInTheMiddle_data()
{
    QTest::addColumn<int>("good");
    QTest::addColumn<QString>("optimiser");
    for (const int good : {1, 2, 3, 4, 7})
        for (const char* optimiser : {"adam", "sgd"}) QTest::addRow("%s, %d are good", optimiser, good) << good << optimiser;
}

/// A rate that makes the step behind overflow. It and all later ones of the replay are not taken.
void TogetherTest::nanInTheMiddle()
{
    QFETCH(int, good);
    QFETCH(QString, optimiser);
    auto control = opened(capturable(optimiser.toStdString()), Json());
    Tapes tapes;
    auto session = opened(capturable(optimiser.toStdString()), together(4));
    const auto step = [&](Session& asked, std::int64_t number) -> Result<void> {
        SCONCE_TRY(asked.forward(number, rowsOfStep(number, batch, trainingCount)));
        SCONCE_TRY(asked.backward());
        return asked.commit(number == good - 1 ? std::numeric_limits<double>::infinity() : 0.01);
    };
    for (int number = 0; number < good; ++number) QVERIFY(step(*control, number).ok());
    QCOMPARE(step(*control, good).error().code, ErrorCode::NotFinite);
    for (int number = 0; number < 8; ++number) QVERIFY(step(*session, number).ok());
    QCOMPARE(tapes.desk.together, 2);
    const auto told = session->takeMetrics();
    QVERIFY(told.ok() && sameMetrics(*told, *control->takeMetrics()));
    const auto refused = session->takeMetrics();
    QCOMPARE(refused.error().code, ErrorCode::NotFinite);
    QVERIFY2(QString::fromStdString(refused.error().message).contains("step " + QString::number(good + 1)), refused.error().message.c_str());
    QVERIFY(stateOf(*session) == stateOf(*control));
    QCOMPARE(step(*session, 8).error().code, ErrorCode::NotFinite);
}

/// Killed while steps wait: only what was asked for is on the disk, and what follows is the same.
void TogetherTest::resumedIsUninterrupted()
{
    Tapes tapes;
    auto whole = opened(capturable(), together(4)), first = opened(capturable(), together(4));
    ragged(*whole, 0, 27);
    ragged(*first, 0, 14);
    const State saved = stateOf(*first);
    ragged(*first, 14, 15); // lost
    tapes.desk = {};
    auto second = opened(capturable(), first->choices());
    QCOMPARE(second->choices()["steps_per_replay"], 4);
    QCOMPARE(tapes.desk.records, 2);
    QCOMPARE(tapes.desk.replays, 0);
    QVERIFY(second->setWeights(viewsOf(saved.weights)).ok());
    QVERIFY(second->setOptimiserState(viewsOf(saved.optimiser)).ok());
    ragged(*second, 14, 27);
    QVERIFY(tapes.desk.together > 0);
    QVERIFY(stateOf(*second) == stateOf(*whole));
}

/// Forward and backward leave no trace, while others wait or not; and what is asked between them does not cost the step its batch.
void TogetherTest::aStepThatIsNotCommitted()
{
    auto control = opened(capturable(), Json());
    Tapes tapes;
    auto session = opened(capturable(), together(4));
    for (Session* each : {control.get(), session.get()}) {
        train(*each, 0, 2);
        QVERIFY(each->forward(9, rowsOfStep(9, batch, trainingCount)).ok() && each->backward().ok());
        train(*each, 2, 3);
        QVERIFY(each->forward(3, rowsOfStep(3, batch, trainingCount)).ok());
        QVERIFY(each->weights().ok());
        QVERIFY(each->backward().ok());
        QVERIFY(each->commit(0.01).ok());
        train(*each, 4, 9);
    }
    QVERIFY(sameMetrics(*session->takeMetrics(), *control->takeMetrics()));
    QVERIFY(stateOf(*session) == stateOf(*control));
}

/// As a resumed run finds less room than when it began: it goes on with what there is, and says so.
void TogetherTest::lessRoomThanBefore()
{
    auto control = opened(capturable(), Json());
    Tapes tapes;
    tapes.desk.piecesAtMost = 1;
    Json before = together(4);
    before["step_because"] = "Steps are replayed, 4 at a time.";
    auto session = opened(capturable(), before);
    const Json choices = session->choices();
    QCOMPARE(choices["steps_per_replay"], 1);
    QVERIFY2(QString::fromStdString(choices["step_because"]).endsWith("one at a time."), choices["step_because"].get<std::string>().c_str());
    for (Session* each : {control.get(), session.get()}) train(*each, 0, 6);
    QVERIFY(stateOf(*session) == stateOf(*control));
}

/// What was replayed is told; of what was not the counters know nothing.
void TogetherTest::aDeviceThatFails()
{
    Tapes tapes;
    auto session = opened(capturable(), together(4));
    train(*session, 0, 6);
    tapes.desk.broken = true;
    const auto asked = session->weights();
    QVERIFY(!asked.ok());
    QVERIFY2(QString::fromStdString(asked.error().detail + asked.error().message).contains("has failed"), asked.error().message.c_str());
    QVERIFY(!session->forward(6, rowsOfStep(6, batch, trainingCount)).ok());
    const auto told = session->takeMetrics();
    QCOMPARE(told->size(), std::size_t{4});
    QVERIFY(!session->takeMetrics().ok());
    QVERIFY(!session->forward(6, rowsOfStep(6, batch, trainingCount)).ok());
}

void TogetherTest::chosen_data()
{
    QTest::addColumn<double>("alone"); // seconds of a replay
    QTest::addColumn<double>("inOne"); // of one of several
    QTest::addColumn<int>("pieces");
    QTest::addColumn<int>("steps");
    QTest::newRow("sixteen") << 0.0002 << 0.001 << 2 << 16;
    QTest::newRow("eight") << 0.0012 << 0.002 << 2 << 8;
    QTest::newRow("four") << 0.0018 << 0.002 << 2 << 4;
    QTest::newRow("two") << 0.004 << 0.005 << 2 << 2;
    QTest::newRow("one is long") << 0.006 << 0.006 << 2 << 1;
    QTest::newRow("slower together") << 0.0002 << 0.1 << 2 << 1;
    QTest::newRow("no second piece") << 0.0002 << 0.001 << 1 << 1;
}

/// As a run begins. Trying leaves no trace.
void TogetherTest::chosen()
{
    QFETCH(double, alone);
    QFETCH(double, inOne);
    QFETCH(int, pieces);
    QFETCH(int, steps);
    auto control = opened(capturable(), Json());
    Tapes tapes;
    tapes.desk.alone = alone;
    tapes.desk.inOne = inOne;
    tapes.desk.piecesAtMost = pieces;
    auto session = opened(capturable());
    const Json choices = session->choices();
    QCOMPARE(choices["step"], "captured");
    QCOMPARE(choices["steps_per_replay"].get<int>(), steps);
    const bool taken = steps > 1;
    const QString because = QString::fromStdString(choices["step_because"]);
    QVERIFY2(because.contains("at a time") == taken && (!taken || because.contains(QString::number(steps))), qPrintable(because));
    QVERIFY(stateOf(*session) == stateOf(*control));
    tapes.desk.together = 0;
    for (Session* each : {control.get(), session.get()}) train(*each, 0, 20);
    QVERIFY(sameMetrics(*session->takeMetrics(), *control->takeMetrics()));
    QVERIFY(stateOf(*session) == stateOf(*control));
    QCOMPARE(tapes.desk.together > 0, taken);
}

void TogetherTest::judged_data()
{
    QTest::addColumn<double>("several"); // beside 0.2 s alone
    QTest::addColumn<double>("apart");
    QTest::addColumn<qint64>("steps");
    QTest::newRow("faster and the same") << 0.1 << 0.0 << qint64{8};
    QTest::newRow("faster but for rounding") << 0.1 << 0.01 << qint64{8};
    QTest::newRow("no faster") << 0.199 << 0.0 << qint64{1};
    QTest::newRow("wrong") << 0.1 << 0.05 << qint64{1};
}

void TogetherTest::judged()
{
    QFETCH(double, several);
    QFETCH(double, apart);
    QFETCH(qint64, steps);
    const engine::StepTrial one{1, 0.2, 0, 0, 0.02};
    const engine::StepChoice choice = engine::judgeTogether(one, {0.2, several, apart, 0, 0.02}, 8);
    QVERIFY(choice.captured);
    QCOMPARE(choice.together, steps);
    QCOMPARE(choice.speedup, steps > 1 ? 10.0 : 5.0);
    QCOMPARE(QString::fromStdString(choice.because).contains("last bit"), steps == 1 || apart == 0);
    Json json = Json::object();
    choice.write(json);
    QCOMPARE(engine::StepChoice::fromJson(json)->together, steps);
    QCOMPARE(engine::judgeTogether({1, 2, 0, 0, 0.02}, {0.2, 0.1, 0, 0, 0.02}, 8).captured, false);
    json.erase("steps_per_replay"); // of a run that began before there was a choice
    QCOMPARE(engine::StepChoice::fromJson(json)->together, 1);
}

/// A hundredth of a second a replay, and a power of two.
void TogetherTest::howMany()
{
    QCOMPARE(engine::stepsTogether(60e-6, 16), 16);
    QCOMPARE(engine::stepsTogether(60e-6, 1), 1);
    QCOMPARE(engine::stepsTogether(60e-6, 7), 4);
    QCOMPARE(engine::stepsTogether(0.0012, 16), 8);
    QCOMPARE(engine::stepsTogether(0.006, 16), 1);
    QCOMPARE(engine::stepsTogether(std::numeric_limits<double>::infinity(), 16), 1);
}

/// Several at a time, over the ends of the blocks that they lie in.
void TogetherTest::toldRows()
{
    engine::ToldRows told(3, at::kCPU);
    const at::Tensor all = at::arange(2200 * 3, at::TensorOptions().dtype(at::kDouble)).view({2200, 3});
    for (int round = 0; round < 2; ++round) {
        for (std::int64_t from = 0, step = 0; from < 2200; ++step) {
            const std::int64_t count = std::min<std::int64_t>(2200 - from, 1 + step % 7);
            told.add(all.narrow(0, from, count));
            from += count;
        }
        QCOMPARE(told.count(), 2200);
        QVERIFY(at::equal(told.read(), all));
        told.clear();
        QCOMPARE(told.read().size(0), 0);
    }
}

QTEST_GUILESS_MAIN(TogetherTest)
#include "together_test.moc"
