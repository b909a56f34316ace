// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/history/blocks.h"

#include <QTest>

#include <cmath>
#include <limits>
#include <random>

using namespace sconce;

namespace {

constexpr double nan64 = std::numeric_limits<double>::quiet_NaN();
constexpr double inf64 = std::numeric_limits<double>::infinity();

bool same(double a, double b) { return a == b || (std::isnan(a) && std::isnan(b)); }

BlockView viewOf(const Block& block) { return {block.sum, block.stride, block.level2, block.level1, block.data}; }

struct Points
{
    std::vector<std::int64_t> steps;
    std::vector<double> values;
};

/// kind 0: regular; 1: irregular; 2: gaps beyond 32 bits.
Points makePoints(int count, int kind, std::uint32_t seed)
{
    std::mt19937 random(seed);
    std::normal_distribution<float> normal;
    Points points;
    std::int64_t step = 1'000'000;
    for (int i = 0; i < count; ++i) {
        points.steps.push_back(step);
        step += kind == 0 ? 3 : kind == 1 ? 1 + random() % 1000 : 1 + std::int64_t(random()) * 8;
        double value = double(normal(random));
        if (random() % 50 == 0) value = nan64;
        if (random() % 200 == 0) value = random() % 2 ? inf64 : -inf64;
        points.values.push_back(value);
    }
    return points;
}

PointsSum bruteForce(const Points& points, std::size_t first, std::size_t count)
{
    PointsSum sum;
    double low = inf64, high = -inf64;
    for (std::size_t i = first; i < first + count; ++i) {
        if (!std::isfinite(points.values[i])) {
            ++sum.notFinite;
            continue;
        }
        low = std::min(low, points.values[i]);
        high = std::max(high, points.values[i]);
        sum.total += points.values[i];
    }
    sum.points = std::int64_t(count);
    sum.firstStep = points.steps[first];
    sum.lastStep = points.steps[first + count - 1];
    sum.last = points.values[first + count - 1];
    sum.minimum = sum.notFinite < sum.points ? low : nan64;
    sum.maximum = sum.notFinite < sum.points ? high : nan64;
    return sum;
}

bool sameSums(const PointsSum& a, const PointsSum& b)
{
    return a.firstStep == b.firstStep && a.lastStep == b.lastStep && a.points == b.points && a.notFinite == b.notFinite &&
           same(a.minimum, b.minimum) && same(a.maximum, b.maximum) && same(a.last, b.last) && std::abs(a.total - b.total) < 1e-9;
}

} // namespace

class BlocksTest : public QObject
{
    Q_OBJECT

  private Q_SLOTS:
    void pointsComeBack_data()
    {
        QTest::addColumn<int>("count");
        QTest::addColumn<int>("kind");
        QTest::addColumn<int>("bits");
        for (int count : {1, 2, 3, 15, 16, 17, 255, 4095, 4096})
            for (int kind : {0, 1, 2})
                for (int bits : {32, 64})
                    QTest::addRow("%d points, kind %d, %d bits", count, kind, bits) << count << kind << bits;
    }
    void pointsComeBack()
    {
        QFETCH(int, count);
        QFETCH(int, kind);
        QFETCH(int, bits);
        const Points points = makePoints(count, kind, std::uint32_t(count * 7 + kind));
        const Block block = makeBlock(points.steps, points.values, bits);
        std::vector<std::int64_t> steps;
        std::vector<double> values;
        QVERIFY(readPoints(viewOf(block), bits, steps, values));
        QCOMPARE(steps, points.steps);
        for (std::size_t i = 0; i < values.size(); ++i) QVERIFY(same(values[i], points.values[i]));
        QVERIFY(sameSums(block.sum, bruteForce(points, 0, std::size_t(count))));
        std::vector<PointsSum> entries;
        QCOMPARE(readLevel(viewOf(block), 1, entries), count == fullBlockPoints);
    }

    void levelsAgreeWithThePoints_data()
    {
        QTest::addColumn<int>("kind");
        QTest::addColumn<int>("level");
        for (int kind : {0, 1, 2})
            for (int level : {1, 2}) QTest::addRow("kind %d level %d", kind, level) << kind << level;
    }
    void levelsAgreeWithThePoints()
    {
        QFETCH(int, kind);
        QFETCH(int, level);
        Points points = makePoints(fullBlockPoints, kind, 99);
        // An entry with nothing finite at all.
        for (std::size_t i = 512; i < 768; ++i) points.values[i] = nan64;
        const Block block = makeBlock(points.steps, points.values, 32);
        std::vector<PointsSum> entries;
        QVERIFY(readLevel(viewOf(block), level, entries));
        const std::size_t each = level == 1 ? 16 : 256;
        QCOMPARE(entries.size(), fullBlockPoints / each);
        for (std::size_t i = 0; i < entries.size(); ++i) QVERIFY(sameSums(entries[i], bruteForce(points, i * each, each)));
        QVERIFY(std::isnan(entries[512 / each].minimum));
    }

    void regularStepsCostNothing()
    {
        const Points points = makePoints(fullBlockPoints, 0, 1);
        const Block block = makeBlock(points.steps, points.values, 32);
        QCOMPARE(block.data.size(), std::size_t(4 * fullBlockPoints));
        const double perPoint = double(block.data.size() + block.level1.size() + block.level2.size()) / fullBlockPoints;
        QVERIFY2(perPoint < 6, qPrintable(QString::number(perPoint)));
    }

    void bytesThatContradictAreRefused()
    {
        const Points points = makePoints(fullBlockPoints, 0, 1);
        const Block block = makeBlock(points.steps, points.values, 32);
        std::vector<std::int64_t> steps;
        std::vector<double> values;
        std::vector<PointsSum> entries;
        BlockView view = viewOf(block);
        view.data.remove_suffix(1);
        QVERIFY(!readPoints(view, 32, steps, values));
        view = viewOf(block);
        QVERIFY(!readPoints(view, 64, steps, values));
        view.sum.points = std::int64_t(1) << 60;
        QVERIFY(!readPoints(view, 32, steps, values));
        view.sum.points = -1;
        QVERIFY(!readPoints(view, 32, steps, values));
        view = viewOf(block);
        view.level1.remove_prefix(4);
        QVERIFY(!readLevel(view, 1, entries));
    }

    void stepsBeyondAllNumbersAreRefused()
    {
        // Found by fuzzing: the row of a damaged store claims a stride that overflows.
        const Points points = makePoints(fullBlockPoints, 0, 1);
        const Block block = makeBlock(points.steps, points.values, 32);
        std::vector<std::int64_t> steps;
        std::vector<double> values;
        std::vector<PointsSum> entries;
        BlockView view = viewOf(block);
        view.stride = 8574853690513424385;
        QVERIFY(!readPoints(view, 32, steps, values));
        QVERIFY(!readLevel(view, 1, entries));
        view.stride = 1;
        view.sum.firstStep = INT64_MAX - 5;
        QVERIFY(!readPoints(view, 32, steps, values));
        QVERIFY(!readLevel(view, 2, entries));

        std::vector<std::int64_t> irregular{0, 1, 5};
        const Block offsets = makeBlock(irregular, std::vector<double>{1, 2, 3}, 32);
        view = viewOf(offsets);
        view.sum.firstStep = INT64_MAX - 3;
        QVERIFY(!readPoints(view, 32, steps, values));
        QVERIFY(steps.empty() && values.empty()); // nothing is left behind
    }
};

QTEST_GUILESS_MAIN(BlocksTest)
#include "blocks_test.moc"
