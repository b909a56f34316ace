// SPDX-License-Identifier: GPL-3.0-or-later
// Histograms against numbers counted by hand: ranges, bins at their edges, what is no number, and the same in pieces as at once.
#include "core/base/histogram.h"
#include "core/base/random.h"

#include <QTest>

#include <cmath>
#include <numeric>

using namespace sconce;

namespace {

constexpr float notNumber = std::numeric_limits<float>::quiet_NaN(), infinite = std::numeric_limits<float>::infinity();

std::int64_t sumOf(const Histogram& histogram) { return std::accumulate(histogram.bins.begin(), histogram.bins.end(), std::int64_t{0}); }

} // namespace

class HistogramTest : public QObject
{
    Q_OBJECT

  private Q_SLOTS:
    void byHand()
    {
        // From 0 to 64 a bin is one wide, with its lower edge; the last has both.
        const std::vector<float> values{0, 0.5f, 1, 1.5f, 2, 63, 63.5f, 64};
        const Histogram histogram = histogramOf(values);
        QCOMPARE(histogram.count, 8);
        QCOMPARE(histogram.zeros, 1);
        QCOMPARE(histogram.nonFinite, 0);
        QCOMPARE(histogram.min, 0.0);
        QCOMPARE(histogram.max, 64.0);
        QCOMPARE(histogram.mean, 195.5 / 8);
        double squares = 0;
        for (const float value : values) squares += std::pow(value - 195.5 / 8, 2);
        QVERIFY(std::abs(histogram.deviation - std::sqrt(squares / 8)) < 1e-12);
        QCOMPARE(histogram.bins.size(), std::size_t{64});
        QCOMPARE(histogram.bins[0], 2);
        QCOMPARE(histogram.bins[1], 2);
        QCOMPARE(histogram.bins[2], 1);
        QCOMPARE(histogram.bins[63], 3);
        QCOMPARE(sumOf(histogram), 8);
    }

    void whatIsNoNumberIsCountedAndLeftOut()
    {
        const Histogram histogram = histogramOf(std::vector<float>{notNumber, -1, infinite, 0, -infinite, -0.0f, 1});
        QCOMPARE(histogram.count, 7);
        QCOMPARE(histogram.nonFinite, 3);
        QCOMPARE(histogram.zeros, 2);
        QCOMPARE(histogram.min, -1.0);
        QCOMPARE(histogram.max, 1.0);
        QCOMPARE(histogram.mean, 0.0);
        QVERIFY(std::abs(histogram.deviation - std::sqrt(0.5)) < 1e-12);
        QCOMPARE(sumOf(histogram), 4);

        const Histogram none = histogramOf(std::vector<float>{notNumber, infinite});
        QCOMPARE(none.nonFinite, 2);
        QVERIFY(none.bins.empty() && std::isnan(none.min) && std::isnan(none.mean) && std::isnan(none.deviation));
        const Histogram empty = histogramOf({});
        QVERIFY(empty.count == 0 && empty.bins.empty() && empty.zeroShare() == 0);
    }

    void allEqual()
    {
        const Histogram histogram = histogramOf(std::vector<float>(5, 2.5f));
        QCOMPARE(histogram.min, 2.5);
        QCOMPARE(histogram.deviation, 0.0);
        QCOMPARE(histogram.bins[0], 5);
        QCOMPARE(sumOf(histogram), 5);
    }

    /// The largest numbers there are: the width of the range does not overflow.
    void theWholeRange()
    {
        const float most = std::numeric_limits<float>::max();
        const Histogram histogram = histogramOf(std::vector<float>{-most, most, 0});
        QCOMPARE(histogram.bins.front() + histogram.bins[32] + histogram.bins.back(), 3);
        QVERIFY(std::isfinite(histogram.deviation));
    }

    void inPiecesAsAtOnce()
    {
        const Philox random(5, Purpose::Test);
        std::vector<float> values(10'001);
        for (std::size_t i = 0; i < values.size(); ++i) values[i] = static_cast<float>(random.bits(i) % 4001) / 1000 - 2;
        const Histogram whole = histogramOf(values);
        HistogramBuilder builder;
        const std::span<const float> all(values);
        for (std::size_t first = 0; first < values.size(); first += 777) builder.range(all.subspan(first, std::min<std::size_t>(777, values.size() - first)));
        for (std::size_t first = 0; first < values.size(); first += 300) builder.place(all.subspan(first, std::min<std::size_t>(300, values.size() - first)));
        const Histogram pieces = builder.finish();
        QCOMPARE(pieces.bins, whole.bins);
        QCOMPARE(pieces.count, whole.count);
        QCOMPARE(sumOf(whole), whole.count);
        QVERIFY(std::abs(pieces.mean - whole.mean) < 1e-12 && std::abs(pieces.deviation - whole.deviation) < 1e-12);
    }
};

QTEST_GUILESS_MAIN(HistogramTest)
#include "histogram_test.moc"
