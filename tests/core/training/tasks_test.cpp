// SPDX-License-Identifier: GPL-3.0-or-later
// A whole run of each task: it learns, says the metrics that it has and no others, and stopped anywhere goes on bit for bit.
#include "core/data/scaling.h"
#include "core/data/text_dataset.h"
#include "tests/support/small_data.h"
#include "training_support.h"

#include <QtTest>

#include <cmath>

using namespace sconce;
using namespace sconce::test;

namespace {

/// y = 3a − 2b + (5 where the word is “high”), b far from 0, some gaps; the flag says whether y is above its middle.
std::string tableText()
{
    const Philox random(11, Purpose::Test);
    std::string text = "a,b,word,flag,y\n";
    for (std::uint64_t row = 0; row < 150; ++row) {
        const double a = static_cast<double>(random.below(row * 8, 2000)) / 1000 - 1;
        const double b = 2000 + static_cast<double>(random.below(row * 8 + 1, 4000)) / 1000;
        const bool high = random.below(row * 8 + 2, 2) == 1;
        const double y = 3 * a - 2 * (b - 2002) + (high ? 5 : 0);
        const bool gap = random.below(row * 8 + 3, 20) == 0;
        text += (gap ? "" : std::to_string(a)) + "," + std::to_string(b) + "," + (high ? "high" : "low") + "," + (y > 2.5 ? "yes" : "no") + "," + std::to_string(y) + "\n";
    }
    return text;
}

struct Case { DatasetPtr data; Recipe recipe; };

Case caseOf(const std::string& task, const QTemporaryDir& dir)
{
    Case one;
    one.recipe = tinyRecipe(4);
    one.recipe.task = {task, {}};
    one.recipe.data.split.kind = SplitSettings::Kind::Shuffled;
    one.recipe.data.split.test = 0.2;
    if (task == "autoencoder") {
        one.data = std::make_shared<TinyData>(trainingRows, testRows);
        one.recipe.stack.layers.back().params["units"] = std::int64_t{64};
        addLayer(one.recipe, "reshape", {{"shape", std::vector<std::int64_t>{1, 8, 8}}});
        return one;
    }
    if (task == "language") {
        ImportOptions options;
        options.context = 8;
        one.data = openedFrom(dir.path().toStdString() + "/letters.txt", lettersText(1200), options);
        one.recipe.data.split.kind = SplitSettings::Kind::Last;
        one.recipe.stack.layers.clear();
        addLayer(one.recipe, "embedding", {{"symbols", std::int64_t{12}}, {"width", std::int64_t{8}}});
        addLayer(one.recipe, "dropout", {{"rate", 0.1}});
        addLayer(one.recipe, "dense", {{"units", std::int64_t{12}}});
        return one;
    }
    const bool labels = task == "multilabel";
    ImportOptions options;
    if (labels) options.labels = labelsOfTable;
    else options.target = task == "regression" ? "y" : "flag";
    one.data = openedFrom(dir.path().toStdString() + "/table.csv", labels ? labelsTable(200, 13) : tableText(), options);
    one.recipe.stack.layers.erase(one.recipe.stack.layers.begin()); // nothing to flatten
    one.recipe.stack.layers.back().params["units"] = std::int64_t{labels ? 3 : task == "classification" ? 2 : 1};
    if (labels) one.recipe.task.params["positive_weights"] = std::string("balanced");
    return one;
}

} // namespace

class TasksTest : public QObject
{
    Q_OBJECT

    static void tasks()
    {
        QTest::addColumn<QString>("task");
        for (const char* task : {"classification", "binary", "multilabel", "regression", "autoencoder", "language"}) QTest::newRow(task) << task;
    }

  private Q_SLOTS:
    void saysItsMetrics_data() { tasks(); }
    void saysItsMetrics()
    {
        QFETCH(QString, task);
        QTemporaryDir dir;
        Case one = caseOf(task.toStdString(), dir);
        one.recipe.training.epochs = 40;
        const auto problems = validate(one.recipe, factsOf(one.data->info()));
        for (const Problem& problem : problems) QVERIFY2(problem.severity == Severity::Hint, problem.sentence.c_str());
        Bench bench(one.recipe, one.data);
        const RunEnded ended = bench.run();
        QVERIFY2(ended.status == RunStatus::Finished, ended.message.c_str());
        const RunSummary& summary = ended.summary;
        QVERIFY(std::isfinite(summary.testLoss) && std::isfinite(summary.valLoss) && summary.bestEpoch > 0);
        const bool accuracy = hasAccuracy(task.toStdString());
        QCOMPARE(std::isfinite(summary.testAccuracy), accuracy);
        QCOMPARE(std::isfinite(summary.valAccuracy), accuracy);
        const bool others = metricsOf(task.toStdString()).size() > std::size_t(accuracy ? 1 : 0);
        QCOMPARE(summary.metrics.empty(), !others && furtherMetricsOf(task.toStdString()).empty());
        if (task == "classification") {
            // Of two classes: F1 of validation and test, and nothing of the five likeliest.
            QCOMPARE(summary.metrics.size(), std::size_t{3});
            for (const char* key : {"val_macro_f1", "test_macro_f1", "best_val_macro_f1"}) QVERIFY2(summary.metrics.contains(key) && summary.metrics.at(key) > 0.5, key);
        }
        for (const MetricEntry& metric : metricsOf(task.toStdString()))
            for (const char* part : {"train", "val", "test", "best_val"}) QVERIFY2(std::isfinite(summary.metric(part, metric.id)), (std::string(part) + " " + metric.id).c_str());
        // It has learned.
        if (accuracy) QVERIFY2(summary.testAccuracy > 0.85, qPrintable(QString::number(summary.testAccuracy)));
        if (task == "multilabel") QVERIFY2(summary.metric("test", "micro_f1") > 0.85 && summary.metric("test", "macro_f1") > 0.7, qPrintable(QString::number(summary.metric("test", "micro_f1"))));
        if (task == "regression") QVERIFY2(summary.metric("test", "r2") > 0.8 && summary.metric("test", "mae") < 1.5, qPrintable(QString::number(summary.metric("test", "r2"))));
        if (task == "autoencoder") QVERIFY2(summary.metric("test", "mae") < bench.events.of<EpochDone>().front().metrics.at("val_mae"), "no better than after the first epoch");
        // As events say it.
        const auto steps = bench.events.of<StepsDone>().front();
        QCOMPARE(steps.accuracy.empty(), !accuracy);
        const auto all = metricsOf(task.toStdString());
        QCOMPARE(static_cast<std::ptrdiff_t>(steps.metrics.size()), std::count_if(all.begin(), all.end(), [](const MetricEntry& each) { return each.perStep && each.id != "accuracy"; })); // R² says nothing of a batch
        const char* metric = task == "language" ? "perplexity" : task == "multilabel" ? "micro_f1" : "mae";
        if (others) QCOMPARE(steps.metrics.at(metric).size(), steps.loss.size());
        if (task == "language") QVERIFY(std::abs(std::log(static_cast<double>(steps.metrics.at(metric)[0])) - static_cast<double>(steps.loss[0])) < 1e-4); // nothing is smoothed
        // A sample is a window, and all of them were trained on.
        QCOMPARE(bench.lastState().samplesTrained, summary.epochs * splitCounts(one.data->info().trainingCount, one.data->info().testCount, one.recipe.data.split).training);
        const auto test = bench.events.of<TestDone>().front();
        if (others) QCOMPARE(test.metrics.at(std::string("test_") + metric), summary.metric("test", metric));
    }

    /// Killed after any step and gone on from its checkpoint: the weights, losses and metrics of the run that was not.
    void goesOnBitForBit_data() { tasks(); }
    void goesOnBitForBit()
    {
        QFETCH(QString, task);
        QTemporaryDir dir;
        const Case one = caseOf(task.toStdString(), dir);
        Bench whole(one.recipe, one.data);
        const RunEnded expected = whole.run();
        QCOMPARE(expected.status, RunStatus::Finished);
        const std::int64_t steps = expected.summary.steps;
        for (const std::int64_t stopAt : {std::int64_t{1}, steps / 4, steps / 3, steps / 2}) {
            Bench first(one.recipe, one.data);
            std::int64_t done = 0;
            Recipe often = one.recipe;
            often.training.checkpoint.everySteps = 1;
            first.input.recipe = often;
            first.hook = [&](const EventBody& body) {
                if (const auto* saved = std::get_if<CheckpointSaved>(&body)) done = saved->step;
                if (done >= stopAt) first.commands.requestStopFromSignal();
                return first.events(body);
            };
            QCOMPARE(first.run().status, RunStatus::Stopped);
            auto checkpoint = newestValidCheckpoint(first.input.runFolder);
            SCONCE_VERIFY(checkpoint);
            QVERIFY(checkpoint->state.step < steps);
            Bench second(one.recipe, one.data);
            second.input.runFolder = first.input.runFolder;
            second.input.attempt = 2;
            second.input.resumeFrom = *checkpoint;
            const RunEnded ended = second.run();
            QVERIFY2(ended.status == RunStatus::Finished, ended.message.c_str());
            QCOMPARE(second.finalHash(), whole.finalHash());
            QCOMPARE(ended.summary.testLoss, expected.summary.testLoss);
            QCOMPARE(ended.summary.trainLoss, expected.summary.trainLoss);
            QCOMPARE(ended.summary.metrics == expected.summary.metrics, true);
        }
    }

    /// What the indices mean is the run's: stored with it, so that its model writes on when the text is gone.
    void symbolsAreStoredWithTheRun()
    {
        QTemporaryDir dir;
        const Case one = caseOf("language", dir);
        Bench bench(one.recipe, one.data);
        QCOMPARE(bench.run().status, RunStatus::Finished);
        const auto symbols = symbolsIn(bench.lastState().choices);
        SCONCE_VERIFY(symbols);
        QCOMPARE(*symbols, one.data->info().symbols);
    }

    /// What the numbers were scaled by is the run's, not the data's: stored, and taken up again.
    void scalingIsStoredWithTheRun()
    {
        QTemporaryDir dir;
        const Case one = caseOf("regression", dir);
        Bench bench(one.recipe, one.data);
        QCOMPARE(bench.run().status, RunStatus::Finished);
        const auto checkpoint = newestValidCheckpoint(bench.input.runFolder);
        SCONCE_VERIFY(checkpoint);
        const auto scaling = scalingIn(checkpoint->state.choices);
        SCONCE_VERIFY(scaling);
        const auto rows = splitRows(one.data->info().trainingCount, 0, one.recipe.data.split, one.recipe.seed);
        QVERIFY(*scaling == fitScaling(*one.data, rows.training));
        QVERIFY(!(*scaling == fitScaling(*one.data, rows.validation)));
        // Broken, it is said and nothing is trained.
        Bench again(one.recipe, one.data);
        again.input.resumeFrom = *checkpoint;
        again.input.resumeFrom->state.choices["scaling"] = "gone";
        again.input.epochs = 8;
        const RunEnded ended = again.run();
        QCOMPARE(ended.status, RunStatus::Failed);
        QCOMPARE(ended.errorCode, std::string(errorCodeName(ErrorCode::Corrupt)));
    }

    /// The best epoch is that of the lowest validation loss, whatever the metrics.
    void theBestIsByValidationLoss()
    {
        QTemporaryDir dir;
        Case one = caseOf("regression", dir);
        one.recipe.training.epochs = 12;
        setOption(one.recipe.training, "early_stopping", "enabled", true);
        setOption(one.recipe.training, "early_stopping", "patience", std::int64_t{2});
        Bench bench(one.recipe, one.data);
        const RunEnded ended = bench.run();
        QCOMPARE(ended.status, RunStatus::Finished);
        double least = INFINITY, mae = NAN;
        for (const EpochDone& epoch : bench.events.of<EpochDone>())
            if (epoch.valLoss < least) {
                least = epoch.valLoss;
                mae = epoch.metrics.at("val_mae");
            }
        QCOMPARE(ended.summary.bestValLoss, least);
        QCOMPARE(ended.summary.metric("best_val", "mae"), mae);
    }
};

QTEST_GUILESS_MAIN(TasksTest)
#include "tasks_test.moc"
