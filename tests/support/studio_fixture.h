// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
// The window's services over a real store in a temporary folder, for tests of services and pages. A ScriptedHost takes the
// place of a trainer where a state is wanted that a real one reaches only by accident (NaN, a full disk, a kill): the test
// pushes events through the same seam as a trainer, and the store is written as a trainer would.

#include "ui/services/studio.h"
#include "ui/theme/theme.h"

#include <QApplication>
#include <QTemporaryDir>
#include <QtTest>

#include <atomic>

namespace sconce::ui::test {

class ScriptedHost : public RunHost
{
  public:
    struct Shared
    {
        EventSink sink;
        RunId run;
        DriveOptions options;
        std::shared_ptr<Store> store;
        std::vector<CommandBody> commands;
        std::atomic<bool> finished{false};
        std::int64_t sequence = 0;
        int attempt = 0;

        /// Records it as a trainer does, and tells the window.
        void push(EventBody body)
        {
            const Event event{++sequence, Clock::system().wallMs(), std::move(body)};
            if (attempt > 0) (void)store->record(run, attempt, event);
            if (std::holds_alternative<RunEnded>(event.body)) (void)store->flush();
            sink(event);
            if (std::holds_alternative<RunEnded>(event.body)) finished = true;
        }
        /// Opens an attempt and says so. Epochs of `stepsPerEpoch` steps.
        void begin(std::int64_t startStep, std::int64_t stepsPerEpoch, std::int64_t epochs)
        {
            auto opened = store->openAttempt(run, startStep, "thread", Json::object(), "cpu", "Test CPU", "", stepsPerEpoch);
            QVERIFY2(opened.ok(), opened.ok() ? "" : opened.error().message.c_str());
            attempt = *opened;
            RunStarted started;
            started.run = run;
            started.attempt = attempt;
            started.startStep = startStep;
            started.stepsPerEpoch = stepsPerEpoch;
            started.epochs = epochs;
            started.batchSize = 128;
            started.device = "cpu";
            started.deviceName = "Test CPU";
            started.threads = 1;
            push(started);
        }
        /// Steps [first, first + count) with a falling loss, 10 ms each.
        void steps(std::int64_t first, std::int64_t count, double lastLoss = NAN)
        {
            StepsDone done;
            done.firstStep = first;
            for (std::int64_t i = first; i < first + count; ++i) {
                done.loss.push_back(static_cast<float>(2.3 / (1 + 0.02 * static_cast<double>(i)) + 0.05 * std::sin(static_cast<double>(i) * 1.7)));
                done.accuracy.push_back(static_cast<float>(1 - 0.9 / (1 + 0.03 * static_cast<double>(i))));
                done.learningRate.push_back(0.001f);
                done.seconds.push_back(0.01 * static_cast<double>(i + 1));
            }
            if (!std::isnan(lastLoss)) done.loss.back() = static_cast<float>(lastLoss);
            done.samplesPerSecond = 12800;
            push(std::move(done));
        }
        void epoch(std::int64_t epoch, std::int64_t stepsPerEpoch, double valLoss, double valAccuracy, bool best)
        {
            EpochDone done;
            done.epoch = epoch;
            done.step = epoch * stepsPerEpoch;
            done.trainLoss = valLoss * 1.1;
            done.trainAccuracy = valAccuracy - 0.01;
            done.valLoss = valLoss;
            done.valAccuracy = valAccuracy;
            done.seconds = 0.01 * static_cast<double>(stepsPerEpoch);
            done.samplesPerSecond = 12800;
            done.best = best;
            push(done);
        }
        bool got(std::size_t index) const { return commands.size() > index; }
    };

    explicit ScriptedHost(std::shared_ptr<Shared> shared) : m(std::move(shared)) {}
    const RunId& run() const override { return m->run; }
    std::int64_t send(CommandBody command) override
    {
        m->commands.push_back(std::move(command));
        return static_cast<std::int64_t>(m->commands.size());
    }
    bool finished() const override { return m->finished; }
    bool isThread() const override { return true; }
    bool wait(double) override { return m->finished; }

  private:
    std::shared_ptr<Shared> m;
};

/// All services, alive as long as this is.
class StudioFixture
{
  public:
    StudioFixture() : StudioFixture(std::make_shared<QTemporaryDir>()) {}
    explicit StudioFixture(std::shared_ptr<QTemporaryDir> folder) : m_folder(std::move(folder))
    {
        QSettings::setPath(QSettings::IniFormat, QSettings::UserScope, m_folder->filePath(QStringLiteral("config")));
        auto opened = Store::open(storeFolder());
        if (!opened.ok()) qFatal("%s", opened.error().text().c_str());
        store = *opened;
        jobs = std::make_unique<Jobs>();
        settings = std::make_unique<Settings>();
        runs = std::make_unique<RunList>(store, *jobs);
        runService = std::make_unique<RunService>(store, *jobs, *runs, *settings, QStringLiteral(SCONCE_BIN_DIR "/sconce"));
        data = std::make_unique<DataService>(store, *jobs);
        hardware = std::make_unique<HardwareService>(*jobs, QString::fromStdString(store->folder()));
        navigator = std::make_unique<Navigator>();
        studio = {store, jobs.get(), settings.get(), runs.get(), runService.get(), data.get(), hardware.get(), nullptr, navigator.get()};
    }
    ~StudioFixture()
    {
        runService.reset();
        data.reset();
        runs.reset();
        hardware.reset();
        jobs.reset();
    }
    std::string storeFolder() const { return m_folder->filePath(QStringLiteral("store")).toStdString(); }
    std::shared_ptr<QTemporaryDir> folder() const { return m_folder; }

    /// Not a temporary at every call: GCC takes its members for uninitialised when they go.
    static const Recipe& noRecipe()
    {
        static const Recipe recipe;
        return recipe;
    }
    /// A run trained by a script: row and folder are real.
    RunId scriptedRun(const std::string& name, const Recipe& recipe = noRecipe())
    {
        NewRun run;
        run.name = name;
        run.recipe = recipe;
        run.recipe.name = name;
        run.data = builtinInfo();
        run.environment = Json::object();
        run.parameters = 34826;
        auto created = store->createRun(run);
        if (!created.ok()) qFatal("%s", created.error().text().c_str());
        return *created;
    }
    /// From now on runs are trained by scripts; the newest is `script`.
    void useScript()
    {
        runService->setHostStarter([this](std::shared_ptr<Store> s, const RunId& run, const DriveOptions& options, EventSink sink) -> std::unique_ptr<RunHost> {
            script = std::make_shared<ScriptedHost::Shared>();
            script->sink = std::move(sink);
            script->run = run;
            script->options = options;
            script->store = std::move(s);
            return std::make_unique<ScriptedHost>(script);
        });
    }
    static DatasetInfo builtinInfo()
    {
        DatasetInfo info;
        info.id = "digits";
        info.title = "Built-in digits";
        info.kind = "digits";
        info.sample = imageType(1, 28, 28);
        info.sample.dtype = DType::U8;
        info.trainingCount = 10000;
        info.testCount = 2000;
        for (int i = 0; i < 10; ++i) info.classes.push_back(std::to_string(i));
        info.fingerprint = "test";
        return info;
    }
    /// A second handle on the store: what another program would see.
    std::shared_ptr<Store> second() const
    {
        auto opened = Store::open(storeFolder());
        return opened.ok() ? *opened : nullptr;
    }

    std::shared_ptr<Store> store;
    std::unique_ptr<Jobs> jobs;
    std::unique_ptr<Settings> settings;
    std::unique_ptr<RunList> runs;
    std::unique_ptr<RunService> runService;
    std::unique_ptr<DataService> data;
    std::unique_ptr<HardwareService> hardware;
    std::unique_ptr<Navigator> navigator;
    Studio studio;
    std::shared_ptr<ScriptedHost::Shared> script;

  private:
    std::shared_ptr<QTemporaryDir> m_folder;
};

/// A recipe on the built-in digits that trains in about a second.
inline Recipe quickRecipe(int epochs = 1)
{
    const StarterRecipe* starter = findStarter("digits-convnet");
    Recipe recipe = starter ? starter->recipe : Recipe();
    recipe.name = "quick";
    recipe.device = "cpu";
    recipe.threads = 1;
    recipe.training.epochs = epochs;
    recipe.training.batchSize = 500;
    return recipe;
}

} // namespace sconce::ui::test
