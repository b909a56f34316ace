// SPDX-License-Identifier: GPL-3.0-or-later
// Histograms of a run on request: answered with their step, the same as its checkpoint's weights, and the run goes on as if nobody had
// asked; through a socket, while it is paused, between epochs, and of what a run has saved.
#include "core/training/histograms.h"
#include "tests/core/training/host_bench.h"

#include <numeric>

using namespace sconce;
using namespace sconce::test;

namespace {

const TensorNumbers* find(const HistogramsTaken& taken, TensorNumbers::Kind kind, const std::string& name)
{
    for (const TensorNumbers& each : taken.tensors)
        if (each.kind == kind && each.name == name) return &each;
    return nullptr;
}

} // namespace

class HistogramsTest : public QObject
{
    Q_OBJECT

  private Q_SLOTS:
    /// Asked at the start, in the middle of an epoch, when one is about to be closed, and in a pause.
    void training_data()
    {
        QTest::addColumn<qint64>("microBatch");
        QTest::newRow("whole batches") << qint64(0);
        QTest::newRow("in pieces") << qint64(5);
    }
    void training()
    {
        QFETCH(qint64, microBatch);
        Recipe recipe = tinyRecipe(3); // 6 steps an epoch
        setOption(recipe.training, "gradients", "micro_batch", std::int64_t{microBatch});
        Bench plain(recipe);
        QCOMPARE(plain.run().status, RunStatus::Finished);

        Bench asked(recipe);
        std::int64_t next = 1;
        asked.commands.post({next++, HistogramsCommand{}});
        asked.hook = [&](const EventBody& body) {
            if (const auto* steps = std::get_if<StepsDone>(&body)) asked.commands.post({next++, HistogramsCommand{}}), (void)steps;
            if (std::holds_alternative<EpochDone>(body)) {
                asked.commands.post({next++, PauseCommand{}});
                asked.commands.post({next++, HistogramsCommand{}});
                asked.commands.post({next++, ResumeCommand{}});
            }
            return asked.events(body);
        };
        QCOMPARE(asked.run().status, RunStatus::Finished);
        QCOMPARE(asked.finalHash(), plain.finalHash()); // to the last bit
        QCOMPARE(asked.events.losses(), plain.events.losses());
        const auto taken = asked.events.of<HistogramsTaken>();
        QVERIFY(taken.size() >= 6);
        QCOMPARE(taken.front().step, std::int64_t{0});

        // Each stands just before the answer to its command, which names its step.
        const auto all = asked.events.all();
        for (std::size_t i = 0; i < all.size(); ++i) {
            const auto* each = std::get_if<HistogramsTaken>(&all[i]);
            if (!each) continue;
            const auto* answer = i + 1 < all.size() ? std::get_if<CommandAnswered>(&all[i + 1]) : nullptr;
            QVERIFY(answer && answer->ok);
            QCOMPARE(answer->step, each->step);
        }
        for (const HistogramsTaken& each : taken)
            for (const TensorNumbers& tensor : each.tensors) {
                const std::int64_t sum = std::accumulate(tensor.numbers.bins.begin(), tensor.numbers.bins.end(), std::int64_t{0});
                QCOMPARE(sum + tensor.numbers.nonFinite, tensor.numbers.count);
            }
        const TensorNumbers* output = find(taken.front(), TensorNumbers::Kind::Activation, recipe.stack.layers[1].name);
        QVERIFY(output && output->layer == recipe.stack.layers[1].id);
        QCOMPARE(output->shape, (std::vector<std::int64_t>{16, 12}));
        QVERIFY(output->numbers.zeroShare() > 0.05); // behind a ReLU
        QVERIFY(find(taken.front(), TensorNumbers::Kind::Gradient, recipe.stack.layers[1].name + ".weight"));
    }

    /// The weights at a step are those that a checkpoint of the step holds.
    void asTheCheckpointHasThem()
    {
        Bench bench(tinyRecipe(2));
        bench.commands.post({1, HistogramsCommand{}});
        bench.commands.post({2, CheckpointCommand{}});
        bench.commands.post({3, StopCommand{}});
        QCOMPARE(bench.run().status, RunStatus::Stopped);
        const auto taken = bench.events.of<HistogramsTaken>();
        QCOMPARE(taken.size(), std::size_t{1});
        const auto saved = savedHistograms(bench.input.runFolder, false);
        SCONCE_VERIFY(saved);
        QCOMPARE(saved->step, std::int64_t{0});
        int compared = 0;
        for (const TensorNumbers& each : saved->tensors) {
            const TensorNumbers* live = find(taken.front(), TensorNumbers::Kind::Weight, each.name);
            QVERIFY2(live, each.name.c_str());
            QVERIFY(live->numbers == each.numbers && live->shape == each.shape && live->layer == each.layer);
            ++compared;
        }
        QCOMPARE(compared, static_cast<int>(std::count_if(taken.front().tensors.begin(), taken.front().tensors.end(), [](const auto& each) { return each.kind == TensorNumbers::Kind::Weight; })));
        QVERIFY(compared >= 4);
        QVERIFY(!savedHistograms("/nowhere", false).ok());
    }

    void throughTheSocket()
    {
        QTemporaryDir dir{scratch()};
        writeIdxFolder(dir.path().toStdString() + "/data", TinyData(640, 64, 16));
        auto store = Store::open(dir.path().toStdString() + "/store");
        SCONCE_VERIFY(store);
        PrepareOptions options;
        options.dataPath = dir.path().toStdString() + "/data";
        auto run = prepareRun(**store, hostRecipe(100'000), options);
        SCONCE_VERIFY(run);
        const std::string folder = (*store)->run(*run)->folder;
        QVERIFY(!askForHistograms(folder, *run, 5).ok()); // nobody trains it yet
        Watcher watcher;
        const auto host = startThreadHost(*store, *run, {}, watcher.sink());
        QVERIFY(watcher.waitFor<StepsDone>(2));
        const auto first = askForHistograms(folder, *run, 60);
        SCONCE_VERIFY(first);
        QVERIFY(first->step > 0 && first->tensors.size() > 8);
        const auto second = askForHistograms(folder, *run, 60);
        SCONCE_VERIFY(second);
        QVERIFY(second->step >= first->step); // not the first one again
        QVERIFY(watcher.waitFor<HistogramsTaken>(2));
        host->send(StopCommand{});
        QVERIFY(host->wait(600));
        QVERIFY(!askForHistograms(folder, *run, 5).ok());
        const auto saved = savedHistograms(folder, false);
        SCONCE_VERIFY(saved);
        QVERIFY(saved->step >= second->step);
    }
};

QTEST_GUILESS_MAIN(HistogramsTest)
#include "histograms_test.moc"
