// SPDX-License-Identifier: GPL-3.0-or-later
// What a run or a trial took of the computer's memory is given back when it has ended, and not while another one trains. In a program
// of its own: what other tests leave in the heap would count.
#include "core/engine/devices.h"
#include "core/engine/memory.h"
#include "core/hardware/proc.h"
#include "core/training/trial.h"
#include "tests/core/training/host_support.h"
#include "tests/support/patience.h"

#include <QTest>

#include <atomic>

using namespace sconce;
using namespace sconce::test;

namespace {

constexpr double large = 100, small = 80; ///< MB: what a step surely holds; what the heap may keep

double residentMegabytes() { return static_cast<double>(proc::residentBytes("/proc")) / 1e6; }

/// Four layers of 24 pictures of 64 × 64 for each of 128 samples: 50 MB each, all held between forward and backward, whatever else the
/// kernels of this processor take.
Recipe largeRecipe()
{
    Recipe recipe = tinyRecipe(1, 128);
    recipe.stack.layers.clear();
    for (int i = 0; i < 4; ++i) addLayer(recipe, "conv2d", {{"filters", std::int64_t{24}}, {"kernel", std::vector<std::int64_t>{1, 1}}, {"activation", std::string("tanh")}});
    addLayer(recipe, "flatten");
    addLayer(recipe, "dense", {{"units", std::int64_t{4}}});
    recipe.data.dataset.clear();
    recipe.data.split.validation = 0;
    recipe.training.checkpoint = {};
    recipe.threads = 1;
    return recipe;
}

/// The memory of the process while the last step was held.
Result<double> takeSteps(Trial& trial, int steps)
{
    double full = 0;
    for (int step = 0; step < steps; ++step) {
        SCONCE_TRY(trial.session().forward(step, trial.batch(step, trial.batchSize())));
        full = residentMegabytes();
        SCONCE_TRY(trial.session().backward());
        SCONCE_TRY(trial.session().commit(0.001));
    }
    if (auto metrics = trial.session().takeMetrics(); !metrics) return metrics.error();
    return full;
}

} // namespace

class ReleaseTest : public QObject
{
    Q_OBJECT

    const std::shared_ptr<TinyData> m_large = std::make_shared<TinyData>(256, 16, 64);
    QTemporaryDir m_dir{scratch()};

    std::unique_ptr<Trial> trialOf(Recipe recipe, DatasetPtr data)
    {
        auto trial = Trial::open({std::move(recipe), std::move(data), {}});
        if (!trial) qWarning("%s", trial.error().text().c_str());
        return trial ? std::move(*trial) : nullptr;
    }

  private Q_SLOTS:
    /// What is loaded once and kept for good: the engine library, the operators' own tables.
    void initTestCase()
    {
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
        QSKIP("the sanitizer's allocator stands in for the heap");
#endif
        prepareEngineProcess();
        QVERIFY(!keptMemory("cuda:0")); // no engine yet: nothing to ask, nothing to release
        releaseCachedMemory();
        auto trial = trialOf(largeRecipe(), m_large);
        QVERIFY(trial && takeSteps(*trial, 1).ok());
        QVERIFY(!keptMemory("cpu"));
        QVERIFY(!keptMemory("no device of that name"));
    }

    /// A session alone leaves the heap as large as it was; the release does not.
    void aSessionsMemoryIsGivenBack()
    {
        const double before = residentMegabytes();
        const Recipe recipe = largeRecipe();
        SessionSpec spec;
        spec.plan = lower(recipe.stack, factsOf(m_large->info()).input).valueOr(Plan());
        spec.task = recipe.task;
        spec.optimiser = recipe.training.optimiser;
        spec.step = stepSettings(recipe.training);
        auto session = Session::open(std::move(spec));
        QVERIFY2(session, session ? "" : session.error().text().c_str());
        SCONCE_VERIFY((*session)->useData(m_large));
        std::vector<std::int64_t> rows(128);
        for (std::int64_t step = 0; step < 2; ++step) {
            for (std::size_t i = 0; i < rows.size(); ++i) rows[i] = static_cast<std::int64_t>(i);
            SCONCE_VERIFY((*session)->forward(step, rows));
            SCONCE_VERIFY((*session)->backward());
            SCONCE_VERIFY((*session)->commit(0.001));
        }
        session->reset();
        const double kept = residentMegabytes();
        releaseCachedMemory();
        const double after = residentMegabytes();
        qInfo("resident: %.0f MB before, %.0f with the session gone, %.0f after the release", before, kept, after);
        QVERIFY2(kept > before + small, "the heap keeps nothing: this test proves nothing");
        QVERIFY(after < before + small);
    }

    void aTrialsMemoryIsGivenBack()
    {
        const double before = residentMegabytes();
        auto trial = trialOf(largeRecipe(), m_large);
        QVERIFY(trial);
        const Result<double> full = takeSteps(*trial, 2);
        SCONCE_VERIFY(full);
        trial.reset();
        const double after = residentMegabytes();
        qInfo("resident: %.0f MB before, %.0f within a step, %.0f after the trial", before, *full, after);
        QVERIFY(*full > before + large);
        QVERIFY(after < before + small);
    }

    /// The trial's place in the heap would have to be asked for again by the run that goes on beside it.
    void notWhileAnotherOneTrains()
    {
        const double before = residentMegabytes();
        auto running = trialOf(tinyRecipe(), std::make_shared<TinyData>(64, 16));
        QVERIFY(running && takeSteps(*running, 1).ok());
        auto trial = trialOf(largeRecipe(), m_large);
        QVERIFY(trial && takeSteps(*trial, 2).ok());
        trial.reset();
        const double kept = residentMegabytes();
        qInfo("resident: %.0f MB before, %.0f while the other one goes on", before, kept);
        QVERIFY2(kept > before + small, "released, or the heap keeps nothing");
        running.reset();
        QVERIFY(residentMegabytes() < before + small);
    }

    void onAGpu()
    {
        const std::string device = resolveDevice("auto").valueOr("cpu");
        if (device == "cpu") QSKIP("needs a GPU");
        Recipe recipe = largeRecipe();
        recipe.device = device;
        const KeptMemory before = keptMemory(device).value_or(KeptMemory());
        auto trial = trialOf(recipe, m_large);
        QVERIFY(trial && takeSteps(*trial, 2).ok());
        const auto full = keptMemory(device);
        QVERIFY(full && full->allocated > before.allocated && full->reserved >= full->allocated);
        trial.reset();
        const auto after = keptMemory(device);
        QVERIFY(after.has_value());
        qInfo("reserved on %s: %.0f MB before, %.0f at the trial's end, %.0f after it", device.c_str(), static_cast<double>(before.reserved) / 1e6,
              static_cast<double>(full->reserved) / 1e6, static_cast<double>(after->reserved) / 1e6);
        QVERIFY(static_cast<double>(full->reserved) > static_cast<double>(before.reserved) + 1e6 * large / 2);
        QVERIFY(static_cast<double>(after->reserved) < static_cast<double>(before.reserved) + 1e6 * small);
    }

    void aRunsMemoryIsGivenBack()
    {
        const std::string data = m_dir.path().toStdString() + "/data";
        writeIdxFolder(data, *m_large);
        auto store = Store::open(m_dir.path().toStdString() + "/store");
        SCONCE_VERIFY(store);
        PrepareOptions options;
        options.dataPath = data;
        auto run = prepareRun(**store, largeRecipe(), options);
        SCONCE_VERIFY(run);
        const double before = residentMegabytes();
        std::atomic<double> full{0};
        auto host = startThreadHost(*store, *run, {}, [&](const Event& event) {
            if (std::holds_alternative<StepsDone>(event.body)) full = residentMegabytes();
        });
        QVERIFY(host->wait(600));
        const double after = residentMegabytes();
        QCOMPARE((*store)->run(*run)->status, RunStatus::Finished);
        qInfo("resident: %.0f MB before, %.0f while it trained, %.0f after it", before, full.load(), after);
        QVERIFY(full > before + small);
        QVERIFY(after < before + small);
    }
};

QTEST_GUILESS_MAIN(ReleaseTest)
#include "release_test.moc"
