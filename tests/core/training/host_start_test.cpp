// SPDX-License-Identifier: GPL-3.0-or-later
// What a host meets when it begins: checkpoints that are gone or damaged, data that was moved or changed, recipes and programs
// that cannot be run, weights to start from. Each is a sentence, or a run that ends as the uninterrupted one.
#include "tests/core/training/host_bench.h"

#include <QCoreApplication>
#include <QTemporaryDir>
#include <QTest>

using namespace sconce;
using namespace sconce::test;
namespace fs = std::filesystem;

class HostStartTest : public QObject, HostBench
{
    Q_OBJECT

  private Q_SLOTS:
    void initTestCase() { openBench(); }

    void withoutACheckpointItBeginsAgain()
    {
        const RunId run = newRun();
        Watcher watcher;
        auto host = startThreadHost(m_store, run, threadOptions(), watcher.sink());
        QVERIFY(watcher.waitFor<StepsDone>(3));
        host.reset();
        fs::remove_all(row(run).folder + "/checkpoints");
        CommandQueue commands;
        SCONCE_VERIFY(driveRun(m_store, run, {}, commands, {}));
        QCOMPARE(difference(run), QString());
    }

    void aDamagedCheckpointIsPassedOver()
    {
        const RunId run = newRun();
        Watcher watcher;
        auto host = startThreadHost(m_store, run, threadOptions(), watcher.sink());
        QVERIFY(watcher.waitFor<CheckpointSaved>(4));
        host.reset();
        const auto list = listCheckpoints(row(run).folder);
        QVERIFY(list.size() >= 2);
        fs::resize_file(list[0].path + "/weights.safetensors", 100);
        CommandQueue commands;
        Events events;
        SCONCE_VERIFY(driveRun(m_store, run, {}, commands, [&](const Event& event) { (void)events(event.body); }));
        QCOMPARE(events.of<RunStarted>().at(0).startStep, list[1].state.step);
        bool warned = false;
        for (const LogLine& line : events.of<LogLine>()) warned |= line.level == "warning" && line.text.find("damaged") != std::string::npos;
        QVERIFY(warned);
        QCOMPARE(difference(run), QString());
    }

    void missingMovedAndChangedData()
    {
        const RunId run = newRun();
        Watcher watcher;
        auto host = startThreadHost(m_store, run, threadOptions(), watcher.sink());
        QVERIFY(watcher.waitFor<CheckpointSaved>(2));
        host->send(StopCommand{true, "hand-over"});
        QVERIFY(host->wait(600));
        host.reset();
        const auto before = m_store->series(run, series::trainLoss).valueOr({}).step.size();
        QVERIFY(before > 0);
        CommandQueue commands;

        const std::string elsewhere = m_data + "-moved";
        fs::rename(m_data, elsewhere);
        Events events;
        auto missing = driveRun(m_store, run, {}, commands, [&](const Event& event) { (void)events(event.body); });
        QVERIFY(!missing);
        QCOMPARE(missing.error().code, ErrorCode::NotFound);
        QVERIFY2(missing.error().message.find(m_data) != std::string::npos, missing.error().message.c_str());
        QVERIFY(!missing.error().remedy.empty());
        QCOMPARE(events.of<RunEnded>().size(), std::size_t{1});
        QCOMPARE(row(run).status, RunStatus::Interrupted); // still to be resumed
        QCOMPARE(m_store->series(run, series::trainLoss).valueOr({}).step.size(), before);

        writeIdxFolder(m_data, TinyData(1600, 64, 16, 99)); // other samples in the same place
        auto changed = driveRun(m_store, run, {}, commands, {});
        QVERIFY(!changed);
        QCOMPARE(changed.error().code, ErrorCode::Invalid);
        QVERIFY2(changed.error().message.find("changed") != std::string::npos, changed.error().message.c_str());

        auto opened = openDataset(elsewhere);
        SCONCE_VERIFY(opened);
        SCONCE_VERIFY(m_store->putDataset((*opened)->info(), {}));
        SCONCE_VERIFY(driveRun(m_store, run, {}, commands, {}));
        QCOMPARE(difference(run), QString());
        fs::remove_all(m_data);
        fs::rename(elsewhere, m_data);
    }

    void unknownDataIsASentence()
    {
        Recipe recipe = hostRecipe(1);
        recipe.data.dataset = "nowhere";
        auto run = prepareRun(*m_store, recipe, {});
        QVERIFY(!run);
        QCOMPARE(run.error().code, ErrorCode::NotFound);
        QVERIFY2(run.error().remedy.find("--data") != std::string::npos, run.error().remedy.c_str());
    }

    void anInvalidRecipeMakesNoRun()
    {
        const std::size_t before = m_store->runs().valueOr({}).size();
        Recipe recipe = hostRecipe(1);
        recipe.stack.layers.back().params["units"] = std::int64_t{7}; // four classes
        std::vector<Problem> problems;
        PrepareOptions options;
        options.dataPath = m_data;
        options.problems = &problems;
        auto run = prepareRun(*m_store, recipe, options);
        QVERIFY(!run);
        QCOMPARE(run.error().code, ErrorCode::Invalid);
        QVERIFY(blocksStart(problems));
        QCOMPARE(m_store->runs().valueOr({}).size(), before);
    }

    void aProgramThatCannotRunIsASentence()
    {
        const RunId run = newRun();
        Watcher watcher;
        auto none = startProcessHost(m_store, run, {}, "/nowhere/sconce", watcher.sink());
        QVERIFY(!none);
        QVERIFY(!none.error().remedy.empty());
        auto wrong = startProcessHost(m_store, run, {}, "/bin/false", watcher.sink());
        QVERIFY(!wrong);
        QVERIFY2(wrong.error().message.find("ended before") != std::string::npos, wrong.error().message.c_str());
    }

    void aFolderWithALongName()
    {
        const std::string folder = m_dir.path().toStdString() + "/" + std::string(120, 'x') + "/store";
        auto store = Store::open(folder);
        SCONCE_VERIFY(store);
        PrepareOptions options;
        options.dataPath = m_data;
        auto run = prepareRun(**store, hostRecipe(1000), options);
        SCONCE_VERIFY(run);
        Watcher watcher;
        auto host = startThreadHost(*store, *run, threadOptions(), watcher.sink());
        QVERIFY(watcher.waitFor<StepsDone>(1));
        auto stopped = sendCommand((*store)->run(*run)->folder, StopCommand{}, 120);
        SCONCE_VERIFY(stopped);
        QVERIFY(host->wait(600));
    }

    void timingsAndEnvironmentAreRemembered()
    {
        const RunId run = newRun(hostRecipe(1000));
        Watcher watcher;
        auto host = startThreadHost(m_store, run, threadOptions(), watcher.sink());
        auto opened = openDataset(m_data);
        SCONCE_VERIFY(opened);
        const std::string key = timingKey(hostRecipe(1000), factsOf((*opened)->info()), "cpu");
        std::optional<double> rate;
        for (int i = 0; i < 300 && !rate; ++i, sleepMs(50)) rate = m_store->timing(key).valueOr(std::nullopt);
        host.reset();
        QVERIFY(rate.has_value());
        QVERIFY(*rate > 100);
        Recipe other = hostRecipe(1000);
        other.training.batchSize = 64;
        QVERIFY(timingKey(other, factsOf((*opened)->info()), "cpu") != key);
        const Json environment = describeEnvironment();
        QVERIFY(environment["torch"].get<std::string>().starts_with("2."));
        QVERIFY(environment["usable_cores"].get<int>() >= 1);
    }
};

int main(int argc, char** argv)
{
    if (argc > 1 && std::string(argv[1]) == "worker") return workerMain(argc, argv);
    QCoreApplication app(argc, argv);
    HostStartTest test;
    return QTest::qExec(&test, argc, argv);
}
#include "host_start_test.moc"
