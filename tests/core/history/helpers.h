// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
// What the tests of the store share: runs to create, events to record, and running this test program again as a child.

#include "core/history/store.h"

#include <QCoreApplication>
#include <QProcess>
#include <QTemporaryDir>
#include <QTest>

#include <cmath>
#include <memory>

namespace testing {

using namespace sconce;

/// Fails the test with the error's sentence.
#define VERIFY_OK(result)                                                                                    \
    do {                                                                                                     \
        const auto& verified = (result);                                                                     \
        QVERIFY2(verified.ok(), verified.ok() ? "" : (verified.error().text() + " [" + verified.error().detail + "]").c_str()); \
    } while (false)

inline NewRun newRun(const std::string& name)
{
    NewRun run;
    run.name = name;
    run.recipe.name = "recipe of " + name;
    run.recipe.training.epochs = 15;
    run.data.id = "mnist";
    run.data.title = "MNIST";
    run.data.kind = "idx";
    run.data.location = "/data/mnist";
    run.data.fingerprint = std::string(64, 'a');
    run.data.sample = imageType(1, 28, 28);
    run.data.sample.dtype = DType::U8;
    run.data.trainingCount = 60000;
    run.data.testCount = 10000;
    for (int i = 0; i < 10; ++i) run.data.classes.push_back(std::to_string(i));
    run.data.trainingPerClass.assign(10, 6000);
    run.data.testPerClass.assign(10, 1000);
    run.environment = Json{{"sconce", "test"}};
    run.parameters = 34826;
    return run;
}

/// The loss that every test records at a step.
inline float lossAt(std::int64_t step) { return float(2.3 * std::exp(-double(step) / 3000) + 0.1 * std::sin(double(step) * 0.7)); }

inline StepsDone stepsFrom(std::int64_t first, std::int64_t count)
{
    StepsDone steps;
    steps.firstStep = first;
    for (std::int64_t i = first; i < first + count; ++i) {
        steps.loss.push_back(lossAt(i));
        steps.accuracy.push_back(float(i % 128) / 128);
        steps.learningRate.push_back(1e-3f);
        steps.seconds.push_back(double(i + 1) * 0.004);
    }
    steps.samplesPerSecond = 32000;
    return steps;
}

inline Event said(EventBody body)
{
    return {0, 1763706944000, std::move(body)};
}

inline Result<int> attemptFrom(Store& store, const RunId& run, std::int64_t step, const std::string& host = "thread")
{
    return store.openAttempt(run, step, host, Json{{"layout", "channels_last"}}, "cpu", "A CPU", "", 422);
}

/// "" if the series holds exactly the losses of steps 0 … count-1, else what is wrong.
inline std::string wrongWithLosses(const SeriesPoints& points, std::int64_t count)
{
    if (std::int64_t(points.step.size()) != count || points.value.size() != points.step.size())
        return "has " + std::to_string(points.step.size()) + " points instead of " + std::to_string(count);
    for (std::int64_t i = 0; i < count; ++i) {
        if (points.step[std::size_t(i)] != i) return "point " + std::to_string(i) + " is of step " + std::to_string(points.step[std::size_t(i)]);
        if (points.value[std::size_t(i)] != lossAt(i)) return "wrong value at step " + std::to_string(i);
    }
    return {};
}

/// Starts this program again with arguments; its main() hands them to a child function.
inline std::unique_ptr<QProcess> child(const QStringList& arguments)
{
    auto process = std::make_unique<QProcess>();
    process->setProcessChannelMode(QProcess::ForwardedErrorChannel);
    process->start(QCoreApplication::applicationFilePath(), QStringList{"--child"} + arguments);
    return process;
}

} // namespace testing
