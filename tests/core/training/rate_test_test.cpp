// SPDX-License-Identifier: GPL-3.0-or-later
// The learning-rate range test: what it reads out of curves of a known shape, and what it finds for a real network.
#include "core/training/rate_test.h"
#include "tests/core/training/training_support.h"

#include <QTest>

#include <cmath>

using namespace sconce;
using namespace sconce::test;

namespace {

/// A loss that stays at `high`, falls to `low` around `fall`, and explodes beyond `turn`.
std::vector<RateTestPoint> curve(double high, double low, double fall, double turn, int count = 120)
{
    std::vector<RateTestPoint> points;
    for (int i = 0; i < count; ++i) {
        const double rate = 1e-6 * std::pow(1e7, static_cast<double>(i) / (count - 1));
        const double fallen = 1 / (1 + std::exp(-2.5 * std::log(rate / fall)));
        const double risen = rate > turn ? std::pow(rate / turn, 2) - 1 : 0;
        points.push_back({rate, high + (low - high) * fallen + risen, 0});
    }
    return points;
}

} // namespace

class RateTestTest : public QObject
{
    Q_OBJECT

  private Q_SLOTS:
    void aFallingLossGivesARate_data()
    {
        QTest::addColumn<double>("fall");
        QTest::addColumn<double>("turn");
        QTest::newRow("as Adam") << 1e-3 << 3e-2;
        QTest::newRow("as SGD") << 5e-2 << 1.5;
    }
    void aFallingLossGivesARate()
    {
        QFETCH(double, fall);
        QFETCH(double, turn);
        const RateTest test = readRateTest(curve(2.3, 0.4, fall, turn));
        QVERIFY(test.suggestion && test.limit);
        QVERIFY2(*test.suggestion > fall / 3 && *test.suggestion < fall * 5, qPrintable(QString::number(*test.suggestion)));
        QVERIFY2(*test.limit >= fall && *test.limit < turn * 3, qPrintable(QString::number(*test.limit)));
        QVERIFY(*test.suggestion <= *test.limit / 2);
        const double digits = *test.suggestion / std::pow(10, std::floor(std::log10(*test.suggestion) + 1e-9));
        QVERIFY2(std::abs(digits * 2 - std::round(digits * 2)) < 1e-6, qPrintable(QString::number(digits))); // a rate that one writes down
    }

    void aLossThatNeverFallsGivesNone()
    {
        const RateTest test = readRateTest(curve(2.3, 2.29, 1e-3, 1e-1));
        QVERIFY(!test.suggestion && !test.limit);
        QVERIFY(!test.text.empty());
        QVERIFY(!readRateTest({}).suggestion);
    }

    void theAverageLooksToBothSides()
    {
        std::vector<RateTestPoint> points;
        for (int i = 0; i < 41; ++i) points.push_back({std::pow(1.2, i), i < 20 ? 2.0 : i == 20 ? 1.5 : 1.0, 0});
        const RateTest test = readRateTest(points);
        QVERIFY(std::abs(test.points[20].smoothed - 1.5) < 1e-12); // in the middle of the fall, not behind it
        QVERIFY(std::abs(test.points[0].smoothed - 2) < 1e-12 && std::abs(test.points[40].smoothed - 1) < 1e-12);
    }

    void aRealNetworkLearnsAtTheSuggestion()
    {
        Recipe recipe = findStarter("digits-convnet")->recipe;
        recipe.device = "cpu";
        recipe.threads = 1;
        recipe.training.batchSize = 50;
        int steps = 0;
        const auto test = testRates(recipe, builtinDigits(), {1e-6, 10, 100}, [&](const RateTestPoint& point, int done) {
            ++steps;
            return point.rate > 0 && done == steps;
        });
        QVERIFY2(test.ok(), test.ok() ? "" : test.error().text().c_str());
        QVERIFY(test->suggestion.has_value());
        QVERIFY2(*test->suggestion >= 1e-4 && *test->suggestion <= 3e-2, qPrintable(QString::number(*test->suggestion)));
        QVERIFY(steps > 30 && static_cast<int>(test->points.size()) == steps);
        QVERIFY2(QString::fromStdString(test->text).endsWith('.'), test->text.c_str());
        // The same seed gives the same test.
        const auto again = testRates(recipe, builtinDigits(), {1e-6, 10, 100}, {});
        QVERIFY(again.ok());
        QCOMPARE(again->points.size(), test->points.size());
        for (std::size_t i = 0; i < test->points.size(); ++i) QCOMPARE(again->points[i].loss, test->points[i].loss);
    }

    void itCanBeCancelledAndRefusesWhatCannotBeTrained()
    {
        Recipe recipe = findStarter("digits-convnet")->recipe;
        recipe.device = "cpu";
        recipe.threads = 1;
        const auto cancelled = testRates(recipe, builtinDigits(), {}, [](const RateTestPoint&, int done) { return done < 3; });
        QVERIFY(!cancelled.ok());
        QCOMPARE(cancelled.error().code, ErrorCode::Cancelled);
        QVERIFY(!testRates(recipe, builtinDigits(), {1, 0.1, 100}, {}).ok());
        recipe.stack.layers.pop_back();
        const auto broken = testRates(recipe, builtinDigits(), {}, {});
        QVERIFY(!broken.ok());
        QCOMPARE(broken.error().code, ErrorCode::Invalid);
    }
};

QTEST_GUILESS_MAIN(RateTestTest)
#include "rate_test_test.moc"
