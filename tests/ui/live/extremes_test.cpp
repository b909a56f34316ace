// SPDX-License-Identifier: GPL-3.0-or-later
// Drawing a long run looks at groups of its points: the same curve as from every point, and in a fraction of the time.
#include "ui/live/curve_data.h"

#include "tests/support/patience.h"

#include <QTest>

#include <limits>
#include <random>

using namespace sconce;
using namespace sconce::ui;

namespace {

LiveRun runOf(std::size_t steps, std::mt19937& random)
{
    LiveRun live;
    live.stepsPerEpoch = 422;
    std::uniform_real_distribution<double> noise(0.5, 1.5);
    for (std::size_t i = 0; i < steps; ++i) {
        double loss = noise(random);
        if (random() % 1013 == 0) loss = std::numeric_limits<double>::quiet_NaN();
        if (random() % 3001 == 0) loss = -std::numeric_limits<double>::infinity();
        if (random() % 5003 == 0) loss = 1e6;
        live.trainStep.push_back(static_cast<double>(i));
        live.trainLoss.push_back(loss);
        live.seconds.push_back(0.01 * static_cast<double>(i + 1));
    }
    return live;
}

bool same(double a, double b) { return a == b || (std::isnan(a) && std::isnan(b)); }

bool same(const Points& a, const Points& b)
{
    return a.x == b.x && std::equal(a.y.begin(), a.y.end(), b.y.begin(), b.y.end(), [](double p, double q) { return same(p, q); });
}

} // namespace

class ExtremesTest : public QObject
{
    Q_OBJECT
  private Q_SLOTS:
    void groupsHideNothing()
    {
        std::mt19937 random(11);
        const LiveRun live = runOf(60'000, random);
        Extremes extremes;
        extremes.follow(live.trainLoss);
        for (int round = 0; round < 300; ++round) {
            std::size_t a = random() % 60'001, b = random() % 60'001;
            if (a > b) std::swap(a, b);
            const Extremes::Found found = extremes.in(live.trainLoss, a, b), plain = Extremes().in(live.trainLoss, a, b);
            QVERIFY(found.low == plain.low && found.high == plain.high && found.odd == plain.odd);
            const auto from = static_cast<double>(a), to = static_cast<double>(b);
            for (int buckets : {20, 300, 1000})
                QVERIFY(same(envelope(live, XMode::Step, live.trainLoss, from, to, buckets, &extremes), envelope(live, XMode::Step, live.trainLoss, from, to, buckets)));
        }
        // The lone spike and every NaN's group are in the picture of everything.
        const Points all = envelope(live, XMode::Step, live.trainLoss, 0, 60'001, 300, &extremes);
        QCOMPARE(*std::max_element(all.y.begin(), all.y.end(), [](double p, double q) { return !(p >= q) && !std::isnan(q); }), 1e6);
        QVERIFY(std::any_of(all.y.begin(), all.y.end(), [](double y) { return std::isnan(y); }));
        QVERIFY(all.x.size() <= 3 * 301);
    }

    void followsGrowthAndCuts()
    {
        std::mt19937 random(5);
        const LiveRun whole = runOf(20'000, random);
        std::vector<double> y;
        Extremes extremes;
        while (y.size() < whole.trainLoss.size()) {
            const std::size_t more = std::min<std::size_t>(random() % 300, whole.trainLoss.size() - y.size());
            y.insert(y.end(), whole.trainLoss.begin() + std::ptrdiff_t(y.size()), whole.trainLoss.begin() + std::ptrdiff_t(y.size() + more));
            extremes.follow(y);
            const Extremes::Found found = extremes.in(y, 0, y.size()), plain = Extremes().in(y, 0, y.size());
            QVERIFY(found.low == plain.low && found.high == plain.high && found.odd == plain.odd);
        }
        // Resumed from an earlier step, with other numbers from there on.
        y.resize(777);
        extremes.follow(y);
        QCOMPARE(extremes.in(y, 0, y.size()).high, Extremes().in(y, 0, y.size()).high);
        y.resize(30'000, 7.0);
        y[900] = -5;
        extremes.follow(y);
        QCOMPARE(extremes.in(y, 0, y.size()).low, std::size_t(900));
        extremes.follow({});
        QCOMPARE(extremes.in({}, 0, 0).low, Extremes::none);
    }

    void aLongRunIsDrawnFromItsGroups()
    {
        std::mt19937 random(2);
        const LiveRun live = runOf(1'000'000, random);
        Extremes extremes;
        extremes.follow(live.trainLoss);
        const auto quickest = [&](const Extremes* known) {
            double best = std::numeric_limits<double>::max();
            for (int i = 0; i < 7; ++i) {
                const sconce::test::CpuTimer clock;
                const Points points = envelope(live, XMode::Epoch, live.trainLoss, 0, 1e9, 700, known);
                best = std::min(best, clock.ms());
                if (points.x.empty()) return -1.0;
            }
            return best;
        };
        const double plain = quickest(nullptr), grouped = quickest(&extremes);
        qInfo("a million points: %.2f ms from every point, %.2f ms from groups", plain, grouped);
        QVERIFY(grouped > 0 && grouped * 4 < plain);
    }

    /// As a run grows, the points drawn for its past stay the same.
    void thePastDoesNotFlicker()
    {
        std::mt19937 random(3);
        LiveRun live = runOf(9'000, random);
        const Points before = envelope(live, XMode::Step, live.trainLoss, 0, 20'000, 500);
        const LiveRun more = runOf(500, random);
        for (double loss : more.trainLoss) {
            live.trainStep.push_back(live.trainStep.back() + 1);
            live.trainLoss.push_back(loss);
            live.seconds.push_back(live.seconds.back() + 0.01);
        }
        const Points after = envelope(live, XMode::Step, live.trainLoss, 0, 20'000, 500);
        const auto past = std::size_t(std::lower_bound(before.x.begin(), before.x.end(), 8'960.0) - before.x.begin());
        QVERIFY(past > 200 && after.x.size() > past);
        QVERIFY(std::equal(before.x.begin(), before.x.begin() + std::ptrdiff_t(past), after.x.begin()));
    }
};

QTEST_GUILESS_MAIN(ExtremesTest)
#include "extremes_test.moc"
