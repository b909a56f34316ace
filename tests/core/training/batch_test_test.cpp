// SPDX-License-Identifier: GPL-3.0-or-later
// The largest batch that fits: the search by itself, and on a real network within a limit that the forecast alone would not know.
#include "core/training/batch_test.h"
#include "tests/core/training/training_support.h"

#include <QTest>

#include <set>

using namespace sconce;
using namespace sconce::test;

namespace {

Recipe digits(std::int64_t batch)
{
    Recipe recipe = findStarter("digits-convnet")->recipe;
    recipe.device = "cpu";
    recipe.threads = 1;
    recipe.training.batchSize = batch;
    return recipe;
}

} // namespace

class BatchTestTest : public QObject
{
    Q_OBJECT

  private Q_SLOTS:
    void theSearch_data()
    {
        QTest::addColumn<qint64>("first");
        QTest::addColumn<qint64>("most");
        QTest::addColumn<qint64>("limit");
        QTest::addColumn<qint64>("least"); // of the answer
        QTest::newRow("in the middle") << qint64(128) << qint64(54000) << qint64(3001) << qint64(2993);
        QTest::newRow("all of it") << qint64(128) << qint64(1000) << qint64(5000) << qint64(1000);
        QTest::newRow("at the first") << qint64(128) << qint64(54000) << qint64(128) << qint64(121);
        QTest::newRow("below the first") << qint64(512) << qint64(54000) << qint64(40) << qint64(33);
        QTest::newRow("only a few") << qint64(128) << qint64(54000) << qint64(3) << qint64(3);
        QTest::newRow("one") << qint64(128) << qint64(54000) << qint64(1) << qint64(1);
        QTest::newRow("none") << qint64(128) << qint64(54000) << qint64(0) << qint64(0);
    }
    void theSearch()
    {
        QFETCH(qint64, first);
        QFETCH(qint64, most);
        QFETCH(qint64, limit);
        QFETCH(qint64, least);
        std::set<std::int64_t> tried;
        const auto found = largestThatFits(first, most, [&](std::int64_t batch) -> Result<bool> {
            if (batch < 1 || batch > most || !tried.insert(batch).second) return Error{ErrorCode::Internal, "tried " + std::to_string(batch), "", ""};
            return batch <= limit;
        });
        SCONCE_VERIFY(found);
        QVERIFY2(*found >= least && *found <= limit, qPrintable(QString::number(*found)));
        QVERIFY(*found == 0 || tried.contains(*found));
        QVERIFY2(tried.size() <= 22, qPrintable(QString::number(tried.size())));
    }

    void suggestions()
    {
        QCOMPARE(suggestedBatch(100'000, 54'000), 4096); // a tenth of the samples
        QCOMPARE(suggestedBatch(3000, 54'000), 2048);
        QCOMPARE(suggestedBatch(128, 54'000), 128);
        QCOMPARE(suggestedBatch(50, 54'000), 32);
        QCOMPARE(suggestedBatch(5, 54'000), 5);
        QCOMPARE(suggestedBatch(100, 30), 3);
        QCOMPARE(suggestedBatch(1, 5), 1);
    }

    void theDataIsTheLimitWhereMemoryIsNot()
    {
        int trials = 0;
        const auto test = testBatches(digits(50), builtinDigits(), {}, [&](const BatchTrial& trial) {
            ++trials;
            return trial.made && trial.fits && trial.bytes > 0 && trial.seconds > 0;
        });
        SCONCE_VERIFY(test);
        QVERIFY(test->allOfTheData && trials == static_cast<int>(test->trials.size()));
        QVERIFY(test->suggestion <= test->largest && (test->suggestion & (test->suggestion - 1)) == 0);
        QVERIFY(test->trials.back().bytes > test->trials.front().bytes); // a larger batch takes more
        QVERIFY2(test->text.find("learning rate") != std::string::npos, test->text.c_str());
        QVERIFY2(test->how.find("real steps on the CPU") != std::string::npos, test->how.c_str());
    }

    /// The limit is what a step of a known size takes, and a little more: nothing much larger may come out, and no step beyond is made.
    void memoryIsTheLimit()
    {
        const auto free = testBatches(digits(50), builtinDigits(), {}, {});
        SCONCE_VERIFY(free);
        const BatchTrial known = free->trials.front();
        QCOMPARE(known.batch, 50);
        BatchTestOptions options;
        options.memory = known.bytes + known.bytes / 5;
        const auto test = testBatches(digits(16), builtinDigits(), options, [&](const BatchTrial& trial) { return !trial.made || trial.bytes <= options.memory * 5 / 4; });
        SCONCE_VERIFY(test);
        QVERIFY(!test->allOfTheData);
        QVERIFY2(test->largest >= 32 && test->largest <= 72, qPrintable(QString::number(test->largest)));
        QVERIFY(std::any_of(test->trials.begin(), test->trials.end(), [](const BatchTrial& trial) { return !trial.made && !trial.fits; }));
        for (const BatchTrial& trial : test->trials) QVERIFY(!trial.fits || trial.bytes <= options.memory);
        QCOMPARE(test->suggestion, std::int64_t(test->largest >= 64 ? 64 : 32));
    }

    void whatCannotBe()
    {
        BatchTestOptions nothing;
        nothing.memory = 1000;
        const auto none = testBatches(digits(16), builtinDigits(), nothing, {});
        QVERIFY(!none.ok());
        QCOMPARE(none.error().code, ErrorCode::OutOfMemory);
        const auto cancelled = testBatches(digits(16), builtinDigits(), {}, [](const BatchTrial&) { return false; });
        QVERIFY(!cancelled.ok());
        QCOMPARE(cancelled.error().code, ErrorCode::Cancelled);
        Recipe broken = digits(16);
        broken.stack.layers.pop_back();
        QVERIFY(!testBatches(broken, builtinDigits(), {}, {}).ok());
    }
};

QTEST_GUILESS_MAIN(BatchTestTest)
#include "batch_test_test.moc"
