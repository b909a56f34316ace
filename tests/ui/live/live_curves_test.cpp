// SPDX-License-Identifier: GPL-3.0-or-later
// What the Live page makes of numbers, without a page: points of curves, smoothing, the words at the end and beside the curves.
#include "ui/live/curve_data.h"
#include "ui/live/outcome.h"
#include "ui/live/side_cards.h"

#include <QtTest>

#include <algorithm>
#include <cmath>

using namespace sconce;
using namespace sconce::ui;

class LiveCurvesTest : public QObject
{
    Q_OBJECT

  private Q_SLOTS:
    void curveData();
    void runningMean();
    void outcomes();
    void overfittingIsSaid();
};

void LiveCurvesTest::curveData()
{
    LiveRun live;
    live.stepsPerEpoch = 100;
    for (int i = 0; i < 1000; ++i) {
        live.trainStep.push_back(i);
        live.trainLoss.push_back(i == 517 ? 99 : i == 803 ? NAN : 1.0 / (i + 1));
        live.seconds.push_back(0.5 * (i + 1));
    }
    QCOMPARE(xOfIndex(live, XMode::Step, 0), 1.0);
    QCOMPARE(xOfIndex(live, XMode::Epoch, 99), 1.0);
    QCOMPARE(xOfIndex(live, XMode::Time, 9), 5.0);
    QCOMPARE(xOfSeconds(live, XMode::Step, 5.25), 10.5);
    QCOMPARE(xOfSeconds(live, XMode::Epoch, 50), 1.0);
    QCOMPARE(secondsAtX(live, XMode::Epoch, 1.0), 50.0);
    QCOMPARE(stepAtX(live, XMode::Time, 50), 100.0);
    QCOMPARE(lastX(live, XMode::Epoch), 10.0);
    const Points all = envelope(live, XMode::Step, live.trainLoss, 0, 1000, 50);
    QVERIFY(all.x.size() <= 160);
    QVERIFY(std::is_sorted(all.x.begin(), all.x.end()));
    QCOMPARE(*std::max_element(all.y.begin(), all.y.end(), [](double a, double b) { return std::isnan(b) ? false : std::isnan(a) || a < b; }), 99.0); // no extreme is lost
    QVERIFY(std::any_of(all.y.begin(), all.y.end(), [](double v) { return std::isnan(v); })); // and no NaN
    const Points part = envelope(live, XMode::Step, live.trainLoss, 100, 120, 50);
    QVERIFY(part.x.size() >= 21 && part.x.size() <= 27);
    QVERIFY(part.x.front() <= 100 && part.x.back() >= 120);
    const Points thin = thinned(live, XMode::Time, live.trainLoss, 0, 500, 20);
    QVERIFY(thin.x.size() <= 23);
    QCOMPARE(thin.x.back(), 500.0);
    QCOMPARE(roundStep(15, 9, false), 2.0);
    QCOMPARE(roundStep(100, 5, true), 30.0);
    QVERIFY(envelope(LiveRun(), XMode::Epoch, {}, 0, 1, 10).x.empty());
}

void LiveCurvesTest::runningMean()
{
    RunningMean mean(0.5);
    std::vector<double> y{4, 2};
    mean.follow(y);
    QCOMPARE(mean.values()[0], 4.0); // without the bias of starting at 0
    QCOMPARE(mean.values()[1], (0.5 * 0.5 * 4 + 0.5 * 2) / 0.75);
    y.push_back(NAN);
    y.push_back(2);
    mean.follow(y);
    QCOMPARE(mean.values().size(), std::size_t(4));
    QVERIFY(std::isfinite(mean.values()[2]) && std::isfinite(mean.values()[3]));
    RunningMean whole(0.5);
    QCOMPARE(whole.follow(y), mean.values()); // continued = computed at once
    y.resize(1);
    mean.follow(y);
    QCOMPARE(mean.values().size(), std::size_t(1));
}

void LiveCurvesTest::outcomes()
{
    LiveRun live;
    live.id = "x";
    live.stepsPerEpoch = 100;
    live.epochs = 4;
    live.step = 250;
    live.recipe.training.learningRate = 0.2;
    live.row.resumable = true;
    live.status = RunStatus::Running;
    QVERIFY(!outcomeOf(live, {}, -1, false));

    live.status = live.row.status = RunStatus::Failed;
    live.row.message = "The loss or a gradient stopped being a number (NaN or infinite) at step 251.";
    live.trainLoss = {0.5, 0.6, 5, 900};
    live.checkpoints.push_back({"c", 200, "epoch", false, 0});
    auto out = outcomeOf(live, {}, -1, false);
    QVERIFY(out && out->ways.front().action == OutcomeAction::LowerRate);
    QVERIFY(out->ways.front().text.contains(QStringLiteral("0.02")));
    QVERIFY(std::none_of(out->ways.begin(), out->ways.end(), [](const auto& w) { return w.action == OutcomeAction::Resume; })); // it would only fail again
    QVERIFY(out->facts.front().words.contains(QStringLiteral("grew from 0.5000 to 900.0")));
    QVERIFY(std::any_of(out->facts.begin(), out->facts.end(), [](const auto& fact) { return fact.words.contains(QStringLiteral("epoch 2 (step 200)")); }));
    QCOMPARE(withLowerRate(live.recipe).training.learningRate, 0.02);

    live.row.message = "The computer's memory ran out.";
    RunEnded ended;
    ended.errorCode = "out-of-memory";
    live.ended = ended;
    out = outcomeOf(live, {}, -1, false);
    QVERIFY(out->ways.front().action == OutcomeAction::SmallerBatch);
    QCOMPARE(withSmallerBatch(live.recipe).training.batchSize, live.recipe.training.batchSize / 2);

    live.status = RunStatus::Interrupted;
    out = outcomeOf(live, {}, -1, false);
    QVERIFY(out->ways.front().action == OutcomeAction::Resume);
    live.status = RunStatus::Stopped;
    live.row.resumable = false;
    out = outcomeOf(live, {}, -1, false);
    QVERIFY(std::none_of(out->ways.begin(), out->ways.end(), [](const auto& w) { return w.action == OutcomeAction::Resume; }));
    live.status = RunStatus::Queued;
    QVERIFY(outcomeOf(live, {}, -1, true)->ways.front().action == OutcomeAction::OpenInCompose);
    QVERIFY(outcomeOf(live, {}, -1, false)->ways.front().action == OutcomeAction::Start);

    live.status = RunStatus::Finished;
    live.row.number = 5;
    live.row.fingerprint = "f";
    live.row.summary.testAccuracy = 0.9915;
    live.row.summary.testLoss = 0.0243;
    RunRow before;
    before.id = "b";
    before.number = 3;
    before.fingerprint = "f";
    before.summary.testAccuracy = 0.99;
    RunRow other = before;
    other.fingerprint = "g";
    other.summary.testAccuracy = 0.1;
    out = outcomeOf(live, {before, other}, 10000, false);
    QCOMPARE(out->figures.front().value, QStringLiteral("99.15 %"));
    QCOMPARE(out->figures.front().note, QStringLiteral("9,915 of 10,000 right"));
    QCOMPARE(out->figures.back().caption, QStringLiteral("Against #3"));
    QCOMPARE(out->figures.back().value, QStringLiteral("+0.15 points"));
}

void LiveCurvesTest::overfittingIsSaid()
{
    LiveRun live;
    const double validation[] = {0.5, 0.4, 0.35, 0.37, 0.4, 0.45};
    for (int i = 0; i < 6; ++i) {
        EpochDone e;
        e.epoch = i + 1;
        e.valLoss = validation[i];
        e.trainLoss = 0.5 - 0.08 * i;
        live.epochsDone.push_back(e);
    }
    const CurveReading reading = readCurves(live);
    QCOMPARE(reading.term, QStringLiteral("overfitting"));
    QVERIFY(reading.text.contains(QStringLiteral("epoch 3")) && reading.text.contains(QStringLiteral("29 %")));
    for (auto& e : live.epochsDone) e.trainLoss = 0.5; // training does not fall: no overfitting
    QVERIFY(readCurves(live).text.isEmpty());
    live.epochsDone.resize(3);
    QVERIFY(readCurves(live).text.isEmpty()); // too few to say
}

QTEST_GUILESS_MAIN(LiveCurvesTest)
#include "live_curves_test.moc"
