// SPDX-License-Identifier: GPL-3.0-or-later
// Whole runs in fewer digits, and with segments computed again: resumed from every checkpoint they are those that were never
// interrupted, skipped steps are told and counted, and what is learnt is as good.

#include "training_support.h"

#include "core/data/dataset.h"

#include <QTest>

using namespace sconce;
using namespace sconce::test;

namespace {

Recipe recipeIn(const std::string& precision)
{
    Recipe recipe = withCheckpoints(tinyRecipe(2), 1, 0, 100);
    recipe.training.checkpoint.everySteps = 1;
    setOption(recipe.training, "precision", "compute", precision);
    if (precision == "fp16") { // one that overflows at the start, and moves all the time
        setOption(recipe.training, "precision", "first_scale", 16777216.0);
        setOption(recipe.training, "precision", "scale_grows_after", std::int64_t{2});
    }
    return recipe;
}

} // namespace

class TrainingPrecisionTest : public QObject
{
    Q_OBJECT

  private Q_SLOTS:
    void resumeFromEveryStepIsExact_data()
    {
        QTest::addColumn<QString>("precision");
        QTest::newRow("bf16") << "bf16";
        QTest::newRow("fp16") << "fp16";
        QTest::newRow("auto") << "auto";
    }

    void resumeFromEveryStepIsExact()
    {
        QFETCH(QString, precision);
        Bench whole(recipeIn(precision.toStdString()));
        const RunEnded ended = whole.run();
        QVERIFY2(ended.status == RunStatus::Finished, ended.message.c_str());
        const auto checkpoints = listCheckpoints(whole.input.runFolder);
        QVERIFY(checkpoints.size() >= 12);
        for (std::size_t i = 1; i < checkpoints.size(); i += 3) {
            Bench later(recipeIn(precision.toStdString()));
            auto checkpoint = readCheckpoint(checkpoints[i].path);
            SCONCE_VERIFY(checkpoint);
            later.input.resumeFrom = *checkpoint;
            const RunEnded again = later.run();
            QVERIFY2(again.status == RunStatus::Finished, again.message.c_str());
            QCOMPARE(later.finalHash(), whole.finalHash());
            QCOMPARE(again.summary.testLoss, ended.summary.testLoss);
            const auto last = newestValidCheckpoint(later.input.runFolder), other = newestValidCheckpoint(whole.input.runFolder);
            SCONCE_VERIFY(last);
            QCOMPARE(last->state.skippedSteps, other->state.skippedSteps);
            QVERIFY(last->state.choices["precision"] == other->state.choices["precision"]);
        }
    }

    void skippedStepsAreToldAndCounted()
    {
        Bench run(recipeIn("fp16"));
        const RunEnded ended = run.run();
        QVERIFY2(ended.status == RunStatus::Finished, ended.message.c_str());
        const auto last = newestValidCheckpoint(run.input.runFolder);
        SCONCE_VERIFY(last);
        QVERIFY(last->state.skippedSteps > 0 && last->state.skippedSteps < last->state.step);
        std::int64_t told = 0;
        for (const LogLine& line : run.events.of<LogLine>()) told += line.text.find("overflowed float16") != std::string::npos;
        QVERIFY(told > 0 && told <= last->state.skippedSteps);
        QCOMPARE(std::isfinite(ended.summary.trainLoss), true);
        const auto started = run.events.of<RunStarted>();
        QVERIFY(started.at(0).choices["precision"] == "fp16");
    }

    /// Two epochs of the built-in digits: fewer digits in the products cost less than a hundredth of the accuracy.
    void bfloat16LearnsAsWell()
    {
        auto digits = openDataset(builtinDigitsPath);
        SCONCE_VERIFY(digits);
        double accuracy[2] = {0, 0};
        int i = 0;
        for (const char* precision : {"float32", "bf16"}) {
            Recipe recipe = findStarter("digits-convnet")->recipe;
            recipe.training.epochs = 2;
            recipe.device = "cpu";
            setOption(recipe.training, "precision", "compute", std::string(precision));
            Bench run(recipe, *digits);
            run.input.threads = 1;
            const RunEnded ended = run.run();
            QVERIFY2(ended.status == RunStatus::Finished, ended.message.c_str());
            accuracy[i++] = ended.summary.testAccuracy;
        }
        qInfo("test accuracy: float32 %.4f, bf16 %.4f", accuracy[0], accuracy[1]);
        QVERIFY(accuracy[0] > 0.9);
        QVERIFY(accuracy[1] > accuracy[0] - 0.01);
    }
};

QTEST_GUILESS_MAIN(TrainingPrecisionTest)
#include "precision_test.moc"
