// SPDX-License-Identifier: GPL-3.0-or-later
// One epoch of the reference recipe on the real MNIST: the shortest proof that everything below fits together.
#include "core/training/run_host.h"
#include "tests/core/training/training_support.h"

#include <QFile>
#include <QTemporaryDir>
#include <QTest>

#include <cmath>

using namespace sconce;

class MnistTest : public QObject
{
    Q_OBJECT

  private Q_SLOTS:
    void oneEpochPasses96Percent()
    {
        const QString root = qEnvironmentVariable("SCONCE_TEST_DATA", QString(SCONCE_SOURCE_DIR) + "/../shared/data");
        if (!QFile::exists(root + "/mnist/train-images-idx3-ubyte.gz") && !QFile::exists(root + "/mnist/train-images-idx3-ubyte"))
            QSKIP("MNIST is not at hand: set SCONCE_TEST_DATA to a folder that holds mnist/.");
        const StarterRecipe* starter = findStarter("mnist-convnet");
        QVERIFY(starter);
        Recipe recipe = starter->recipe;
        recipe.training.epochs = 1;
        recipe.device = "cpu";
        recipe.threads = 1; // on a busy machine, threads that wait for each other take many times as long

        QTemporaryDir dir;
        auto store = Store::open(dir.path().toStdString());
        SCONCE_VERIFY(store);
        PrepareOptions options;
        options.dataPath = (root + "/mnist").toStdString();
        auto run = prepareRun(**store, recipe, options);
        SCONCE_VERIFY(run);
        CommandQueue commands;
        auto ended = driveRun(*store, *run, {}, commands, {});
        SCONCE_VERIFY(ended);
        QVERIFY2(ended->status == RunStatus::Finished, ended->message.c_str());
        QVERIFY2(ended->summary.testAccuracy >= 0.96, qPrintable(QString::number(ended->summary.testAccuracy)));
        QVERIFY(ended->summary.valAccuracy >= 0.96);
        QCOMPARE(ended->summary.steps, 422);
        qInfo("test accuracy %.4f after one epoch, %.0f samples/s", ended->summary.testAccuracy, ended->summary.samplesPerSecond);

        auto losses = (*store)->series(*run, series::trainLoss);
        SCONCE_VERIFY(losses);
        QCOMPARE(losses->step.size(), std::size_t{422});
        for (std::size_t i = 0; i < losses->step.size(); ++i) {
            QCOMPARE(losses->step[i], static_cast<std::int64_t>(i));
            QVERIFY(std::isfinite(losses->value[i]));
        }
        auto row = (*store)->run(*run);
        SCONCE_VERIFY(row);
        QCOMPARE(row->parameters, 34826);
        QCOMPARE(row->summary.testAccuracy, ended->summary.testAccuracy);
    }
};

QTEST_GUILESS_MAIN(MnistTest)
#include "mnist_test.moc"
