// SPDX-License-Identifier: GPL-3.0-or-later
// Batches in pieces, by the recipe or because memory ran out; and what is left of a run whose data or memory fail in its midst.
#include "core/training/profile.h"
#include "core/training/rate_test.h"
#include "tests/core/training/training_support.h"

#include <QTest>

#include <cmath>
#include <stdexcept>

using namespace sconce;
using namespace sconce::test;

namespace {

/// Fails when rows are asked for, as a disk or a full memory would.
class FailingData final : public Dataset
{
  public:
    explicit FailingData(std::function<void(std::size_t)> check, std::int64_t rows = trainingRows) : m_data(rows, testRows), m_check(std::move(check)) { m_info = m_data.info(); }
    void gather(Part part, std::span<const std::int64_t> rows, std::span<std::uint8_t> out) const override
    {
        m_check(rows.size());
        m_data.gather(part, rows, out);
    }
    std::span<const std::int32_t> labels(Part part) const override { return m_data.labels(part); }

  private:
    TinyData m_data;
    std::function<void(std::size_t)> m_check;
};

} // namespace

class MemoryRunsOutTest : public QObject
{
    Q_OBJECT

  private Q_SLOTS:
    void microBatchesTrainTheSameNetwork()
    {
        Bench whole(cuttable(3));
        whole.run();
        Recipe recipe = cuttable(3);
        setOption(recipe.training, "gradients", "micro_batch", std::int64_t{5});
        Bench cut(recipe);
        QCOMPARE(cut.run().status, RunStatus::Finished);
        const auto a = whole.events.losses(), b = cut.events.losses();
        QCOMPARE(b.size(), a.size());
        for (const auto& [step, loss] : a) QVERIFY2(std::abs(loss - b.at(step)) < 1e-4, qPrintable(QString("step %1: %2 and %3").arg(step).arg(loss).arg(b.at(step))));
    }

    /// More than 6 samples at once do not fit: the run says so, cuts its batches, and trains the same network; so does its resume.
    void runningOutOfMemoryCutsTheBatch()
    {
        Bench whole(cuttable(4));
        whole.run();
        const auto data = std::make_shared<FailingData>([](std::size_t rows) {
            if (rows > 6) throw std::bad_alloc();
        });
        Bench bench(withCheckpoints(cuttable(4), 1, 0, 100), data);
        const RunEnded ended = bench.run();
        QVERIFY2(ended.status == RunStatus::Finished, ended.message.c_str());
        QVERIFY(told(bench.events, "The batch of 16 now goes through the network 4 samples at a time"));
        QVERIFY(told(bench.events, "The validation is made again"));
        const auto a = whole.events.losses(), b = bench.events.losses();
        QCOMPARE(b.size(), a.size());
        for (const auto& [step, loss] : a) QVERIFY2(std::abs(loss - b.at(step)) < 1e-4, qPrintable(QString("step %1: %2 and %3").arg(step).arg(loss).arg(b.at(step))));
        QVERIFY(std::abs(ended.summary.valLoss - whole.events.of<EpochDone>().back().valLoss) < 1e-4);
        for (const Checkpoint& from : listCheckpoints(bench.input.runFolder)) {
            QCOMPARE(from.state.choices.value("micro_batch", 0), 4);
            Bench rest(cuttable(4), data);
            rest.input.resumeFrom = from;
            QCOMPARE(rest.run().status, RunStatus::Finished);
            QVERIFY(!told(rest.events, "The batch of")); // it knows
            if (from.state.epoch < from.state.epochsPlanned) QCOMPARE(rest.finalHash(), bench.finalHash()); // the last has nothing left to save
        }
    }

    /// A profile, and a test of rates, of a batch that does not fit are those of the pieces in which a run would train it, and say so.
    void trialsGoOnInPieces()
    {
        const auto full = [](std::size_t most) {
            return std::make_shared<FailingData>([most](std::size_t rows) {
                if (rows > most) throw std::bad_alloc();
            });
        };
        ProfileOptions few;
        few.steps = 3;
        few.warmUp = 1;
        auto profile = profileSteps(cuttable(1), full(6), few, {});
        SCONCE_VERIFY(profile);
        QCOMPARE(profile->steps, 3);
        QVERIFY(profile->stepSeconds > 0);
        QVERIFY2(profile->notice.find("the batch of 16 went through the network 4 samples at a time") != std::string::npos, profile->notice.c_str());
        RateTestOptions rates;
        rates.steps = 40;
        auto cut = testRates(cuttable(1), full(6), rates, {}), whole = testRates(cuttable(1), full(16), rates, {});
        SCONCE_VERIFY(cut);
        SCONCE_VERIFY(whole);
        QVERIFY2(cut->text.find("4 samples at a time") != std::string::npos, cut->text.c_str());
        QVERIFY(whole->text.find("Memory") == std::string::npos);
        QVERIFY(cut->points.size() >= 10 && whole->points.size() >= 10);
        for (std::size_t i = 0; i < 10; ++i) QVERIFY(std::abs(cut->points[i].loss - whole->points[i].loss) < 1e-4);
        // Not even one sample: the sentence is that of the lack.
        auto none = profileSteps(cuttable(1), full(0), few, {});
        QVERIFY(!none);
        QCOMPARE(none.error().code, ErrorCode::OutOfMemory);
        auto noRates = testRates(cuttable(1), full(0), rates, {});
        QVERIFY(!noRates);
        QCOMPARE(noRates.error().code, ErrorCode::OutOfMemory);
    }

    /// Batch normalisation sees the pieces, and the notice does not promise otherwise.
    void smallerPiecesAndBatchNorm()
    {
        const auto data = std::make_shared<FailingData>([](std::size_t rows) {
            if (rows > 6) throw std::bad_alloc();
        });
        Bench bench(tinyRecipe(2), data);
        const RunEnded ended = bench.run();
        QVERIFY2(ended.status == RunStatus::Finished, ended.message.c_str());
        QVERIFY(told(bench.events, "batch normalisation now sees that many samples at once, so the result is no longer quite that of the whole batch"));
        QVERIFY(!told(bench.events, "the result stays that of the whole batch"));
    }

    void memoryThatIsNeverEnoughEndsTheRun()
    {
        bool full = false;
        const auto data = std::make_shared<FailingData>([&](std::size_t) {
            if (full) throw std::bad_alloc();
        });
        Bench bench(withCheckpoints(tinyRecipe(4), 0, 0, 2), data);
        bench.hook = [&](const EventBody& body) {
            if (std::holds_alternative<EpochDone>(body)) full = true;
            return bench.events(body);
        };
        const RunEnded ended = bench.run();
        QCOMPARE(ended.status, RunStatus::Failed);
        QCOMPARE(ended.errorCode, std::string("out-of-memory"));
        // What was trained is not lost, although no checkpoint was due.
        auto from = newestValidCheckpoint(bench.input.runFolder);
        SCONCE_VERIFY(from);
        QCOMPARE(from->state.step, 6);
    }

    /// A failure that has nothing to do with the numbers: the steps before it are saved, and a resume goes on from them.
    void aFailureInTheMidstSavesWhatIsThere()
    {
        bool broken = false;
        int calls = 0;
        const auto data = std::make_shared<FailingData>([&](std::size_t) {
            if (broken && ++calls == 3) throw std::runtime_error("the disk is gone");
        });
        Bench bench(withCheckpoints(tinyRecipe(3), 1, 0, 2), data);
        bench.hook = [&](const EventBody& body) {
            if (std::holds_alternative<EpochDone>(body)) broken = true;
            return bench.events(body);
        };
        const RunEnded ended = bench.run();
        QCOMPARE(ended.status, RunStatus::Failed);
        QCOMPARE(ended.summary.steps, 8); // two steps into the second epoch
        auto from = newestValidCheckpoint(bench.input.runFolder);
        SCONCE_VERIFY(from);
        QCOMPARE(from->state.step, 8);
        QVERIFY2(ended.remedy.find("step 8") != std::string::npos || ended.remedy.find("report") != std::string::npos, ended.remedy.c_str());
        Bench rest(tinyRecipe(3)), straight(tinyRecipe(3));
        rest.input.resumeFrom = *from;
        QCOMPARE(rest.run().status, RunStatus::Finished);
        QCOMPARE(straight.run().status, RunStatus::Finished);
        QCOMPARE(rest.finalHash(), straight.finalHash());
    }
};

QTEST_GUILESS_MAIN(MemoryRunsOutTest)
#include "memory_runs_out_test.moc"
