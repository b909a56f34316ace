// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/data/order.h"
#include "core/data/split.h"

#include <QTest>

#include <algorithm>
#include <cmath>
#include <set>

using namespace sconce;

class OrderTest : public QObject
{
    Q_OBJECT

  private Q_SLOTS:
    void isAPermutation()
    {
        for (const std::int64_t count : {1, 2, 3, 4, 5, 16, 17, 100, 1000, 4097, 54'000}) {
            for (const std::uint64_t epoch : {0u, 1u, 7u}) {
                const SampleOrder order(count, 3, epoch, true);
                std::vector<std::int64_t> rows(static_cast<std::size_t>(count));
                order.fill(0, rows);
                QCOMPARE(order.at(count / 2), rows[static_cast<std::size_t>(count / 2)]); // from a position alone
                std::sort(rows.begin(), rows.end());
                for (std::int64_t i = 0; i < count; ++i) QCOMPARE(rows[static_cast<std::size_t>(i)], i);
            }
        }
        const std::int64_t huge = 5'000'000'000; // too large for a table
        const SampleOrder order(huge, 3, 0, true);
        std::set<std::int64_t> seen;
        for (std::int64_t i = 0; i < 2000; ++i) {
            const auto row = order.at(huge - 1 - i);
            QVERIFY(row >= 0 && row < huge && seen.insert(row).second);
        }
    }
    void dependsOnSeedAndEpoch()
    {
        const auto rows = [](std::uint64_t seed, std::uint64_t epoch) {
            std::vector<std::int64_t> out(1000);
            SampleOrder(1000, seed, epoch, true).fill(0, out);
            return out;
        };
        QCOMPARE(rows(1, 1), rows(1, 1));
        QVERIFY(rows(1, 1) != rows(1, 2));
        QVERIFY(rows(1, 1) != rows(2, 1));
        QCOMPARE(SampleOrder(10, 1, 1, false).at(7), std::int64_t(7));
    }
    void looksRandom()
    {
        std::set<std::vector<std::int64_t>> all; // of three samples, every order comes up
        for (std::uint64_t seed = 0; seed < 200; ++seed) {
            std::vector<std::int64_t> out(3);
            SampleOrder(3, seed, 0, true).fill(0, out);
            all.insert(out);
        }
        QCOMPARE(all.size(), std::size_t(6));
        // The mean of the first tenth is near the middle, and neighbours are not neighbours any more.
        const SampleOrder order(54'000, 1, 1, true);
        double sum = 0;
        int close = 0;
        for (std::int64_t i = 0; i < 5400; ++i) sum += static_cast<double>(order.at(i)), close += std::abs(order.at(i) - order.at(i + 1)) < 10;
        QVERIFY(std::abs(sum / 5400 - 27'000) < 900);
        QVERIFY(close < 20);
    }
    void splitsAsKeras()
    {
        const SplitRows rows = splitRows(60'000, 10'000, {}, 1);
        QCOMPARE(rows.training.size(), std::size_t(54'000));
        QCOMPARE(rows.validation.front(), std::int64_t(54'000));
        QCOMPARE(rows.validation.back(), std::int64_t(59'999));
        QCOMPARE(rows.test.size(), std::size_t(10'000));
        QVERIFY(rows.testPart == Part::Test);
    }
    void splitsByCount()
    {
        SplitSettings settings{SplitSettings::Kind::Last, 0.5, 0, 1000};
        SplitRows rows = splitRows(60'000, 10'000, settings, 1);
        QCOMPARE(rows.training.size(), std::size_t(59'000)); // the share does not count
        QCOMPARE(rows.validation.front(), std::int64_t(59'000));
        settings.kind = SplitSettings::Kind::Shuffled;
        rows = splitRows(60'000, 10'000, settings, 1);
        QCOMPARE(rows.validation.size(), std::size_t(1000));
        QVERIFY(rows.validation.front() < 5000);
        settings.validationCount = 100'000; // more than there are: one is left
        QCOMPARE(splitCounts(60'000, 10'000, settings).training, std::int64_t(1));
        settings.test = 0.5;
        QCOMPARE(splitCounts(10, 0, settings).test, std::int64_t(5));
        QCOMPARE(splitCounts(10, 0, settings).training, std::int64_t(1));
    }
    void splitsWithAPartOfItsOwn()
    {
        for (const std::int64_t own : {1, 7, 99}) {
            for (const double test : {0.0, 0.2}) {
                const SplitSettings settings{SplitSettings::Kind::Last, 0.3, test, 50};
                const SplitRows rows = splitRows(100, 0, settings, 1, own);
                const SplitCounts counts = splitCounts(100, 0, settings, own);
                QCOMPARE(static_cast<std::int64_t>(rows.validation.size()), own);
                QCOMPARE(counts.validation, own);
                QCOMPARE(rows.validation.front(), 100 - own);
                QCOMPARE(static_cast<std::int64_t>(rows.training.size()), counts.training);
                QCOMPARE(static_cast<std::int64_t>(rows.test.size()), counts.test);
                QCOMPARE(counts.training + counts.validation + counts.test, std::int64_t(100));
                std::set<std::int64_t> all(rows.training.begin(), rows.training.end());
                all.insert(rows.test.begin(), rows.test.end());
                QCOMPARE(static_cast<std::int64_t>(all.size()), 100 - own);
                QVERIFY(*all.rbegin() < 100 - own);
            }
        }
    }
    void splitsAreWholeAndDisjoint()
    {
        for (const auto kind : {SplitSettings::Kind::Last, SplitSettings::Kind::Shuffled}) {
            for (const std::int64_t n : {1, 2, 3, 10, 101, 2500}) {
                for (const double validation : {0.0, 0.1, 0.33, 0.9}) {
                    for (const double test : {0.0, 0.2, 0.5}) {
                        const SplitSettings settings{kind, validation, test};
                        const SplitRows rows = splitRows(n, 0, settings, 4);
                        const SplitCounts counts = splitCounts(n, 0, settings);
                        QCOMPARE(static_cast<std::int64_t>(rows.training.size()), counts.training);
                        QCOMPARE(static_cast<std::int64_t>(rows.validation.size()), counts.validation);
                        QCOMPARE(static_cast<std::int64_t>(rows.test.size()), counts.test);
                        QVERIFY(counts.training >= 1 && rows.testPart == Part::Training);
                        std::set<std::int64_t> all(rows.training.begin(), rows.training.end());
                        all.insert(rows.validation.begin(), rows.validation.end());
                        all.insert(rows.test.begin(), rows.test.end());
                        QCOMPARE(static_cast<std::int64_t>(all.size()), n);
                        QCOMPARE(counts.training + counts.validation + counts.test, n);
                        QVERIFY(*all.begin() == 0 && *all.rbegin() == n - 1);
                    }
                }
            }
        }
        const SplitSettings shuffled{SplitSettings::Kind::Shuffled, 0.1, 0};
        QVERIFY(splitRows(1000, 5, shuffled, 1).validation != splitRows(1000, 5, shuffled, 2).validation);
        QCOMPARE(splitRows(1000, 5, shuffled, 1).validation, splitRows(1000, 5, shuffled, 1).validation);
        QCOMPARE(splitCounts(0, 0, {}).training, std::int64_t(0));
        QCOMPARE(splitCounts(100, 10, {SplitSettings::Kind::Last, std::nan(""), 0}).training, std::int64_t(100));
    }
};

QTEST_GUILESS_MAIN(OrderTest)
#include "order_test.moc"
