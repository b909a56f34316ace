// SPDX-License-Identifier: GPL-3.0-or-later
#include "helpers.h"

#include <QDir>
#include <QFile>

#include <limits>

using namespace testing;

namespace {

constexpr double nan64 = std::numeric_limits<double>::quiet_NaN();

RunEnded ended(RunStatus status, std::int64_t steps)
{
    RunEnded end;
    end.status = status;
    end.summary.steps = steps;
    end.summary.epochs = steps / 422;
    end.summary.seconds = double(steps) * 0.004;
    return end;
}

} // namespace

class StoreTest : public QObject
{
    Q_OBJECT

    std::unique_ptr<QTemporaryDir> m_dir;
    std::shared_ptr<Store> m_store;
    std::string path() const { return m_dir->path().toStdString() + "/store"; }

    RunId create(const std::string& name)
    {
        auto id = m_store->createRun(newRun(name));
        return id ? *id : RunId();
    }
    void reopen()
    {
        m_store.reset();
        auto store = Store::open(path());
        VERIFY_OK(store);
        m_store = *store;
    }

  private Q_SLOTS:
    void init()
    {
        m_dir = std::make_unique<QTemporaryDir>();
        auto store = Store::open(path());
        VERIFY_OK(store);
        m_store = *store;
    }
    void cleanup() { m_store.reset(); }

    void freshThenOpened()
    {
        QVERIFY(m_store->opened().how == StoreOpened::How::Fresh);
        QVERIFY(m_store->runs()->empty());
        reopen();
        QVERIFY(m_store->opened().how == StoreOpened::How::Opened);
        QVERIFY(m_store->opened().message.empty());
    }

    void aRunIsCreatedWithItsFolder()
    {
        const NewRun wanted = newRun("first");
        const RunId id = create("first");
        auto row = m_store->run(id);
        VERIFY_OK(row);
        QCOMPARE(row->number, std::int64_t(1));
        QCOMPARE(row->name, std::string("first"));
        QVERIFY(row->status == RunStatus::Queued && row->resumable);
        QCOMPARE(row->epochsPlanned, std::int64_t(15));
        QCOMPARE(row->parameters, std::int64_t(34826));
        QCOMPARE(row->datasetLocation, std::string("/data/mnist"));
        QVERIFY(std::isnan(row->summary.testAccuracy));
        for (const char* file : {"recipe.json", "environment.json", "run.json"})
            QVERIFY(QFile::exists(QString::fromStdString(row->folder) + "/" + file));
        auto recipe = m_store->recipe(id);
        VERIFY_OK(recipe);
        QVERIFY(*recipe == wanted.recipe);
        const auto fromFile = readRecipeFile(row->folder + "/recipe.json");
        VERIFY_OK(fromFile);
        QVERIFY(fromFile->recipe == wanted.recipe);
        reopen();
        QVERIFY(*m_store->recipe(id) == wanted.recipe);
    }

    void numbersAreNeverUsedAgain()
    {
        create("a");
        const RunId second = create("b");
        VERIFY_OK(m_store->deleteRun(second));
        QVERIFY(!m_store->run(second).ok());
        QVERIFY(m_store->run(second).error().code == ErrorCode::NotFound);
        QVERIFY(!QDir(QString::fromStdString(path() + "/runs/" + second)).exists());
        QVERIFY(QDir(QString::fromStdString(path() + "/runs")).entryList({"*.deleted"}, QDir::Dirs).isEmpty());
        QCOMPARE(m_store->run(create("c"))->number, std::int64_t(3));
    }

    void runsAreFound()
    {
        QVERIFY(m_store->findRun("last").error().code == ErrorCode::NotFound);
        const RunId a = create("alpha"), b = create("beta"), c = create("alpha");
        QCOMPARE(*m_store->findRun(b), b);
        QCOMPARE(*m_store->findRun("2"), b);
        QCOMPARE(*m_store->findRun("#1"), a);
        QCOMPARE(*m_store->findRun("last"), c);
        QCOMPARE(*m_store->findRun("beta"), b);
        const auto twice = m_store->findRun("alpha");
        QVERIFY(!twice.ok() && twice.error().code == ErrorCode::Invalid);
        QVERIFY(twice.error().message.find("#3") != std::string::npos);
        QVERIFY(m_store->findRun("#99").error().code == ErrorCode::NotFound);
        QVERIFY(m_store->findRun("").error().code == ErrorCode::NotFound);
        // A unique beginning, as short as it can be.
        std::string start = c;
        while (start.size() > 1 && !a.starts_with(start.substr(0, start.size() - 1)) && !b.starts_with(start.substr(0, start.size() - 1)))
            start.pop_back();
        if (start.find_first_not_of("0123456789") != std::string::npos) QCOMPARE(*m_store->findRun(start), c);
    }

    void everyEventFindsItsRow()
    {
        const RunId id = create("run");
        auto attempt = attemptFrom(*m_store, id, 0);
        VERIFY_OK(attempt);
        QCOMPARE(*attempt, 1);
        RunStarted started;
        started.run = id;
        started.epochs = 15;
        started.stepsPerEpoch = 422;
        started.device = "cpu";
        started.choices = Json{{"fusion", true}};
        VERIFY_OK(m_store->record(id, 1, said(started)));
        VERIFY_OK(m_store->record(id, 1, said(stepsFrom(0, 422))));
        VERIFY_OK(m_store->record(id, 1, said(EpochDone{1, 422, 0.5, 0.85, 0.25, 0.93, 1.7, 31000, true})));
        const std::string folder = m_store->run(id)->folder + "/checkpoints/step-000000422";
        VERIFY_OK(makeFolders(folder));
        VERIFY_OK(writeFileDurably(folder + "/weights.safetensors", std::string(1234, 'x')));
        VERIFY_OK(m_store->record(id, 1, said(CheckpointSaved{folder, 422, "epoch", false, 0.1})));
        VERIFY_OK(m_store->record(id, 1, said(HardwareRead{1.5, {{"cpu", 0.75}, {"memory", 1e9}}})));
        VERIFY_OK(m_store->record(id, 1, said(HardwareRead{2.5, {{"cpu", 0.5}, {"memory", nan64}}})));
        VERIFY_OK(m_store->record(id, 1, said(LogLine{"warning", 7, "slow disk"})));
        VERIFY_OK(m_store->record(id, 1, said(Amended{{100, "/training/epochs", 15, 20}})));
        VERIFY_OK(m_store->record(id, 1, said(TestDone{0.04, 0.9915})));
        VERIFY_OK(m_store->flush());

        auto row = m_store->run(id);
        VERIFY_OK(row);
        QVERIFY(row->status == RunStatus::Interrupted); // nobody holds the owner lock
        QCOMPARE(row->summary.steps, std::int64_t(422));
        QCOMPARE(row->summary.epochs, std::int64_t(1));
        QCOMPARE(row->summary.valAccuracy, 0.93);
        QCOMPARE(row->summary.bestEpoch, std::int64_t(1));
        QCOMPARE(row->summary.testAccuracy, 0.9915);
        QCOMPARE(row->summary.samplesPerSecond, 31000.0);
        QCOMPARE(row->summary.checkpoint, folder);
        QCOMPARE(row->epochsPlanned, std::int64_t(20));
        QCOMPARE(row->stepsPerEpoch, std::int64_t(422));
        QCOMPARE(row->attempts, 1);
        QCOMPARE(row->deviceName, std::string("A CPU"));
        QCOMPARE(QString::fromStdString(wrongWithLosses(*m_store->series(id, series::trainLoss), 422)), QString());
        auto val = m_store->series(id, series::valLoss);
        VERIFY_OK(val);
        QCOMPARE(val->step, std::vector<std::int64_t>{421});
        QCOMPARE(val->value, std::vector<double>{0.25});
        auto cpu = m_store->series(id, "hardware/cpu");
        QCOMPARE(cpu->step, (std::vector<std::int64_t>{1500, 2500}));
        QVERIFY(std::isnan(m_store->series(id, "hardware/memory")->value[1]));
        auto keys = m_store->seriesKeys(id);
        QCOMPARE(keys->size(), std::size_t(10));
        auto checkpoints = m_store->checkpoints(id);
        QCOMPARE(checkpoints->size(), std::size_t(1));
        QCOMPARE(checkpoints->front().path, folder);
        QCOMPARE(checkpoints->front().bytes, std::uint64_t(1234));
        QCOMPARE(checkpoints->front().epoch, std::int64_t(1));
        VERIFY_OK(removeTree(folder));
        QVERIFY(m_store->checkpoints(id)->empty());
        auto lines = m_store->logLines(id);
        QCOMPARE(lines->size(), std::size_t(1));
        QCOMPARE(lines->front().text, std::string("slow disk"));
        auto amendments = m_store->amendments(id);
        QCOMPARE(amendments->size(), std::size_t(1));
        QVERIFY(amendments->front().after == Json(20));
        auto attempts = m_store->attempts(id);
        QCOMPARE(attempts->size(), std::size_t(1));
        QVERIFY(attempts->front().choices == (Json{{"fusion", true}}));
    }

    void statusIsDerived()
    {
        const RunId id = create("run");
        const std::string folder = m_store->run(id)->folder;
        QVERIFY(m_store->run(id)->status == RunStatus::Queued);
        {
            auto owner = FileLock::acquire(ownerFile(folder), false);
            VERIFY_OK(owner);
            VERIFY_OK(attemptFrom(*m_store, id, 0));
            QVERIFY(m_store->run(id)->status == RunStatus::Running);
            QVERIFY(!m_store->run(id)->resumable);
            QVERIFY(m_store->deleteRun(id).error().code == ErrorCode::Busy);
            VERIFY_OK(m_store->record(id, 1, said(StatusChanged{RunStatus::Paused, "asked"})));
            VERIFY_OK(m_store->flush());
            QVERIFY(m_store->run(id)->status == RunStatus::Paused);
            QVERIFY(m_store->runs()->front().status == RunStatus::Paused);
        }
        QVERIFY(m_store->run(id)->status == RunStatus::Interrupted);
        QVERIFY(m_store->run(id)->resumable);
        // Handed over: ended for this trainer, not for the run.
        VERIFY_OK(m_store->record(id, 1, said(ended(RunStatus::Interrupted, 10))));
        VERIFY_OK(m_store->flush());
        QVERIFY(m_store->run(id)->status == RunStatus::Interrupted);
        QVERIFY(m_store->attempts(id)->front().ended != 0);
        QCOMPARE(m_store->attempts(id)->front().endStep, std::int64_t(10));
        VERIFY_OK(attemptFrom(*m_store, id, 10, "process"));
        RunEnded failure = ended(RunStatus::Failed, 12);
        failure.message = "The loss became NaN at step 12.";
        failure.remedy = "Lower the learning rate.";
        failure.errorCode = errorCodeName(ErrorCode::NotFinite);
        failure.detail = "loss = nan";
        VERIFY_OK(m_store->record(id, 2, said(failure)));
        VERIFY_OK(m_store->flush());
        auto row = m_store->run(id);
        QVERIFY(row->status == RunStatus::Failed && row->resumable);
        QCOMPARE(row->message, failure.message);
        QCOMPARE(row->remedy, failure.remedy);
        QCOMPARE(row->errorCode, std::string(errorCodeName(ErrorCode::NotFinite)));
        QCOMPARE(row->detail, failure.detail);
        QCOMPARE(m_store->runs()->front().errorCode, row->errorCode);
        QVERIFY(row->ended != 0);
        // The run's folder says it too: a lost database forgets no failure.
        const auto file = readTextFile(folder + "/run.json", 1 << 20);
        VERIFY_OK(file);
        QVERIFY(file->find("\"not-finite\"") != std::string::npos);
        // Trained on: the failure is over.
        VERIFY_OK(attemptFrom(*m_store, id, 12));
        QVERIFY(m_store->run(id)->message.empty() && m_store->run(id)->errorCode.empty() && m_store->run(id)->detail.empty());
        VERIFY_OK(m_store->record(id, 3, said(ended(RunStatus::Finished, 20))));
        VERIFY_OK(m_store->flush());
        QVERIFY(m_store->run(id)->status == RunStatus::Finished && !m_store->run(id)->resumable);
    }

    void aResumedRunHasNoGapAndNoOverlap()
    {
        // 15 epochs of 422 steps, killed twice between checkpoints: 6,330 losses, whatever was written twice.
        const RunId id = create("run");
        VERIFY_OK(attemptFrom(*m_store, id, 0));
        const auto train = [&](int attempt, std::int64_t from, std::int64_t to) {
            for (std::int64_t step = from; step < to; step += 10) {
                VERIFY_OK(m_store->record(id, attempt, said(stepsFrom(step, std::min<std::int64_t>(10, to - step)))));
                if (step % 250 == 0) VERIFY_OK(m_store->record(id, attempt, said(HardwareRead{double(step + 1) * 0.004, {{"cpu", double(attempt)}}})));
                if (step % 1000 == 0) VERIFY_OK(m_store->flush());
            }
            VERIFY_OK(m_store->flush());
        };
        train(1, 0, 2000);
        reopen();
        VERIFY_OK(attemptFrom(*m_store, id, 1688));
        auto cut = m_store->series(id, series::trainLoss);
        QCOMPARE(QString::fromStdString(wrongWithLosses(*cut, 1688)), QString());
        QCOMPARE(m_store->run(id)->summary.steps, std::int64_t(1688));
        QCOMPARE(m_store->attempts(id)->front().endStep, std::int64_t(1688));
        const auto cutHardware = m_store->series(id, "hardware/cpu");
        QVERIFY(!cutHardware->step.empty());
        for (std::int64_t ms : cutHardware->step) QVERIFY2(ms <= 1688 * 4 + 1, qPrintable(QString::number(ms)));
        train(2, 1688, 5000);
        // Points of the attempt that was given up do not come back.
        VERIFY_OK(m_store->record(id, 1, said(stepsFrom(1990, 20))));
        VERIFY_OK(attemptFrom(*m_store, id, 4220));
        train(3, 4220, 6330);
        for (const char* key : {series::trainLoss, series::trainAccuracy, series::learningRate, series::seconds})
            QCOMPARE(m_store->series(id, key)->step.size(), std::size_t(6330));
        QCOMPARE(QString::fromStdString(wrongWithLosses(*m_store->series(id, series::trainLoss), 6330)), QString());
        reopen();
        QCOMPARE(QString::fromStdString(wrongWithLosses(*m_store->series(id, series::trainLoss), 6330)), QString());
        const auto hardware = m_store->series(id, "hardware/cpu");
        QVERIFY(std::is_sorted(hardware->step.begin(), hardware->step.end()));
        QVERIFY(std::adjacent_find(hardware->step.begin(), hardware->step.end()) == hardware->step.end());
        // From the very beginning: nothing is left.
        VERIFY_OK(attemptFrom(*m_store, id, 0));
        QVERIFY(m_store->series(id, series::trainLoss)->step.empty());
        QVERIFY(m_store->seriesKeys(id)->empty());
    }

    /// The list shows what the kept epochs gave, not those that a resume has given up.
    void aResumeTakesTheFiguresOfWhatItGivesUpBack()
    {
        const RunId id = create("run");
        VERIFY_OK(attemptFrom(*m_store, id, 0));
        const double losses[] = {0.5, 0.2, 0.3, 0.1};
        for (int epoch = 1; epoch <= 4; ++epoch) {
            VERIFY_OK(m_store->record(id, 1, said(stepsFrom((epoch - 1) * 422, 422))));
            EpochDone done;
            done.epoch = epoch;
            done.step = epoch * 422;
            done.trainLoss = losses[epoch - 1] + 1;
            done.valLoss = losses[epoch - 1];
            done.valAccuracy = 1 - losses[epoch - 1];
            done.best = epoch != 3;
            VERIFY_OK(m_store->record(id, 1, said(done)));
        }
        VERIFY_OK(m_store->record(id, 1, said(TestDone{0.15, 0.9})));
        VERIFY_OK(m_store->flush());
        QCOMPARE(m_store->run(id)->summary.bestEpoch, std::int64_t(4));

        VERIFY_OK(attemptFrom(*m_store, id, 3 * 422 + 5)); // within the fourth epoch
        RunSummary summary = m_store->run(id)->summary;
        QCOMPARE(summary.epochs, std::int64_t(3));
        QCOMPARE(summary.steps, std::int64_t(3 * 422 + 5));
        QCOMPARE(summary.trainLoss, double(float(1.3)));
        QCOMPARE(summary.valLoss, double(float(0.3)));
        QCOMPARE(summary.bestEpoch, std::int64_t(2));
        QCOMPARE(summary.bestValLoss, double(float(0.2)));
        QVERIFY(std::isnan(summary.testLoss) && std::isnan(summary.testAccuracy));

        VERIFY_OK(attemptFrom(*m_store, id, 0)); // from the beginning
        summary = m_store->run(id)->summary;
        QCOMPARE(summary.epochs, std::int64_t(0));
        QVERIFY(std::isnan(summary.trainLoss) && std::isnan(summary.valLoss) && std::isnan(summary.bestValLoss) && summary.bestEpoch < 0);
    }

    /// A task without accuracy: its metrics in the list, in series of their own, cut with the rest.
    void otherMetrics()
    {
        NewRun made;
        made.recipe.name = "numbers";
        made.recipe.task = {"regression", {}};
        const auto id = m_store->createRun(made);
        VERIFY_OK(id);
        VERIFY_OK(attemptFrom(*m_store, *id, 0));
        for (int epoch = 1; epoch <= 3; ++epoch) {
            StepsDone steps = stepsFrom((epoch - 1) * 422, 422);
            steps.metrics["mae"] = std::exchange(steps.accuracy, {});
            VERIFY_OK(m_store->record(*id, 1, said(steps)));
            EpochDone done{epoch, epoch * 422, 1, nan64, 1.0 / epoch, nan64, 1, 100, true};
            done.metrics = {{"train_mae", 2.0 / epoch}, {"val_mae", 4.0 / epoch}};
            VERIFY_OK(m_store->record(*id, 1, said(done)));
        }
        VERIFY_OK(m_store->record(*id, 1, said(TestDone{0.15, nan64, {{"test_mae", 8}}})));
        VERIFY_OK(m_store->flush());
        auto row = m_store->run(*id);
        VERIFY_OK(row);
        QCOMPARE(row->task, std::string("regression"));
        QCOMPARE(row->summary.metric("test", "mae"), 8.0);
        QCOMPARE(row->summary.metric("val", "mae"), 4.0 / 3);
        QCOMPARE(row->summary.metric("best_val", "mae"), 4.0 / 3);
        QVERIFY(std::isnan(row->summary.valAccuracy) && std::isnan(row->summary.metric("val", "r2")));
        auto keys = *m_store->seriesKeys(*id);
        for (const char* key : {"train/mae", "validation/mae", "epoch/train_mae"}) QVERIFY2(std::count(keys.begin(), keys.end(), key) == 1, key);
        for (const char* key : {series::trainAccuracy, series::valAccuracy, series::epochTrainAccuracy}) QVERIFY2(std::count(keys.begin(), keys.end(), key) == 0, key);
        QCOMPARE(m_store->series(*id, series::train("mae"))->value.size(), std::size_t(3 * 422));

        VERIFY_OK(attemptFrom(*m_store, *id, 2 * 422 + 5)); // within the third epoch
        row = m_store->run(*id);
        QCOMPARE(row->summary.metric("val", "mae"), 2.0);
        QCOMPARE(row->summary.metric("train", "mae"), 1.0);
        QCOMPARE(row->summary.metric("best_val", "mae"), 2.0);
        QVERIFY(std::isnan(row->summary.metric("test", "mae")));
    }

    /// A task may have further metrics beside accuracy, which keeps its curves.
    void accuracyAmongOthers()
    {
        const RunId id = create("run");
        VERIFY_OK(attemptFrom(*m_store, id, 0));
        EpochDone done{1, 422, 0.5, 0.85, 0.25, 0.93, 1.7, 31000, true};
        done.metrics = {{"val_macro_f1", 0.9}};
        VERIFY_OK(m_store->record(id, 1, said(done)));
        VERIFY_OK(m_store->flush());
        for (const auto& [key, value] : {std::pair(std::string(series::valAccuracy), 0.93), std::pair(std::string(series::epochTrainAccuracy), 0.85), std::pair(series::validation("macro_f1"), 0.9)}) {
            const auto points = m_store->series(id, key);
            VERIFY_OK(points);
            QCOMPARE(points->value.size(), std::size_t(1));
            QVERIFY2(std::abs(points->value[0] - value) < 1e-6, key.c_str());
        }
    }

    /// Trained longer and stopped: the test of before was of other weights.
    void trainingLongerTakesTheTestBack()
    {
        const RunId id = create("run");
        VERIFY_OK(attemptFrom(*m_store, id, 0));
        EpochDone epoch;
        epoch.epoch = 1;
        epoch.step = 422;
        VERIFY_OK(m_store->record(id, 1, said(epoch)));
        VERIFY_OK(m_store->record(id, 1, said(TestDone{0.15, 0.9})));
        VERIFY_OK(m_store->record(id, 1, said(Amended{{422, "/training/epochs", Json(15), Json(1)}}))); // as many as are done
        VERIFY_OK(m_store->flush());
        QCOMPARE(m_store->run(id)->summary.testAccuracy, 0.9);
        VERIFY_OK(m_store->record(id, 1, said(Amended{{422, "/training/epochs", Json(1), Json(3)}})));
        RunEnded ended;
        ended.status = RunStatus::Stopped;
        VERIFY_OK(m_store->record(id, 1, said(ended)));
        VERIFY_OK(m_store->flush());
        QVERIFY(std::isnan(m_store->run(id)->summary.testAccuracy) && std::isnan(m_store->run(id)->summary.testLoss));
    }

    /// What failed before it began has a device all the same: the one of its recipe, or of the attempt before.
    void anAttemptWithoutADeviceKeepsTheOneKnown()
    {
        const RunId id = create("run");
        const std::string device = m_store->run(id)->device;
        QVERIFY(!device.empty());
        VERIFY_OK(m_store->openAttempt(id, 0, "thread", Json(), "", "", "", 0));
        QCOMPARE(m_store->run(id)->device, device);
        VERIFY_OK(attemptFrom(*m_store, id, 0));
        VERIFY_OK(m_store->openAttempt(id, 0, "thread", Json(), "", "", "", 0));
        QCOMPARE(m_store->run(id)->deviceName, std::string("A CPU"));
        QCOMPARE(m_store->run(id)->stepsPerEpoch, std::int64_t(422));
    }

    void aStepWrittenTwiceCountsOnce()
    {
        const RunId id = create("run");
        VERIFY_OK(attemptFrom(*m_store, id, 0));
        VERIFY_OK(m_store->record(id, 1, said(stepsFrom(0, 100))));
        VERIFY_OK(m_store->flush());
        VERIFY_OK(m_store->record(id, 1, said(stepsFrom(90, 20))));
        VERIFY_OK(m_store->record(id, 1, said(stepsFrom(105, 20))));
        VERIFY_OK(m_store->flush());
        QCOMPARE(QString::fromStdString(wrongWithLosses(*m_store->series(id, series::trainLoss), 125)), QString());
    }

    void labelsAreKeptAlsoInTheFolder()
    {
        const RunId id = create("run");
        VERIFY_OK(m_store->renameRun(id, "better name"));
        VERIFY_OK(m_store->setNote(id, "a \"note\"\nof two lines"));
        VERIFY_OK(m_store->setTags(id, {"good", "Grün"}));
        QVERIFY(!m_store->renameRun(id, "").ok());
        QVERIFY(m_store->renameRun("nonesuch", "x").error().code == ErrorCode::NotFound);
        auto row = m_store->run(id);
        QCOMPARE(row->name, std::string("better name"));
        QCOMPARE(row->note, std::string("a \"note\"\nof two lines"));
        QCOMPARE(row->tags, (std::vector<std::string>{"good", "Grün"}));
        const auto json = readJsonFile(row->folder + "/run.json");
        VERIFY_OK(json);
        QCOMPARE((*json)["name"].get<std::string>(), std::string("better name"));
        QCOMPARE((*json)["tags"].size(), std::size_t(2));
    }

    void theCounterTellsOfChanges()
    {
        const std::int64_t before = m_store->changeCounter();
        QCOMPARE(m_store->changeCounter(), before);
        const RunId id = create("run");
        const std::int64_t after = m_store->changeCounter();
        QVERIFY(after != before);
        // By another connection of another store object, as another process would be.
        auto other = Store::open(path());
        VERIFY_OK(other);
        VERIFY_OK((*other)->renameRun(id, "other"));
        const std::int64_t later = m_store->changeCounter();
        QVERIFY(later != after);
        QCOMPARE(m_store->changeCounter(), later);
        // A trainer that dies writes nothing, and is noticed all the same.
        {
            auto owner = FileLock::acquire(ownerFile(m_store->run(id)->folder), false);
            VERIFY_OK(m_store->runs());
        }
        QVERIFY(m_store->changeCounter() != later);
    }

    void committedWithinHalfASecond()
    {
        const RunId id = create("run");
        VERIFY_OK(attemptFrom(*m_store, id, 0));
        // Nobody asks for it. This machine may be busy: the promise is kept if it can be seen once, and what is late comes all the same.
        bool kept = false;
        for (std::int64_t i = 0; i < 40 && !kept; ++i) {
            VERIFY_OK(m_store->record(id, 1, said(stepsFrom(i * 10, 10))));
            QTest::qWait(700);
            const auto there = static_cast<std::size_t>(i + 1) * 10;
            kept = m_store->series(id, series::trainLoss)->step.size() == there;
            QTRY_COMPARE_WITH_TIMEOUT(m_store->series(id, series::trainLoss)->step.size(), there, 60'000);
        }
        QVERIFY(kept);
    }

    void eventsOfDeletedRunsAreDropped()
    {
        const RunId id = create("run"), other = create("other");
        VERIFY_OK(attemptFrom(*m_store, id, 0));
        VERIFY_OK(m_store->record(id, 1, said(stepsFrom(0, 10))));
        VERIFY_OK(m_store->deleteRun(id));
        VERIFY_OK(m_store->record(id, 1, said(stepsFrom(10, 10))));
        VERIFY_OK(m_store->flush());
        QVERIFY(m_store->series(id, series::trainLoss)->step.empty());
        QCOMPARE(m_store->runs()->size(), std::size_t(1));
        QVERIFY(attemptFrom(*m_store, id, 0).error().code == ErrorCode::NotFound);
        VERIFY_OK(attemptFrom(*m_store, other, 0));
    }

    void dataSetsAndTimings()
    {
        auto all = m_store->datasets();
        VERIFY_OK(all);
        QCOMPARE(all->size(), std::size_t(1));
        QCOMPARE(all->front().id, std::string("digits"));
        QVERIFY(all->front().trainingCount > 0);
        const DatasetInfo mnist = newRun("x").data;
        ImportOptions options;
        options.width = 28;
        VERIFY_OK(m_store->putDataset(mnist, options));
        VERIFY_OK(m_store->putDataset(mnist, options));
        QCOMPARE(m_store->datasets()->size(), std::size_t(2));
        QCOMPARE(m_store->datasets()->front().id, std::string("digits"));
        auto found = m_store->dataset("mnist");
        VERIFY_OK(found);
        QVERIFY(found->has_value());
        QCOMPARE((*found)->first.fingerprint, mnist.fingerprint);
        QVERIFY((*found)->second == options);
        QVERIFY((*m_store->dataset("digits"))->first.id == "digits");
        QVERIFY(!m_store->dataset("nonesuch")->has_value());
        VERIFY_OK(m_store->forgetDataset("mnist"));
        QVERIFY(!m_store->forgetDataset("mnist").ok());
        QVERIFY(!m_store->forgetDataset("digits").ok());

        QVERIFY(!m_store->timing("k")->has_value());
        VERIFY_OK(m_store->putTiming("k", 100));
        VERIFY_OK(m_store->putTiming("k", 250.5));
        VERIFY_OK(m_store->putTiming("k", nan64));
        QCOMPARE(**m_store->timing("k"), 250.5);
    }

    void manyThreads()
    {
        const RunId id = create("run");
        VERIFY_OK(attemptFrom(*m_store, id, 0));
        std::atomic<bool> stop = false;
        std::atomic<int> errors = 0;
        std::vector<std::thread> readers;
        for (int i = 0; i < 3; ++i)
            readers.emplace_back([&] {
                while (!stop) {
                    if (!m_store->runs() || !m_store->buckets(id, series::trainLoss, 0, 1 << 20, 100)) ++errors;
                    const auto points = m_store->series(id, series::trainLoss);
                    if (!points || !wrongWithLosses(*points, std::int64_t(points->step.size())).empty()) ++errors;
                    m_store->changeCounter();
                }
            });
        for (int step = 0; step < 20'000; step += 50) {
            if (!m_store->record(id, 1, said(stepsFrom(step, 50)))) ++errors;
            if (step % 1000 == 0 && !m_store->setNote(id, std::to_string(step))) ++errors;
        }
        if (!m_store->flush()) ++errors;
        stop = true;
        for (std::thread& reader : readers) reader.join();
        QCOMPARE(errors.load(), 0);
        QCOMPARE(QString::fromStdString(wrongWithLosses(*m_store->series(id, series::trainLoss), 20'000)), QString());
    }
};

QTEST_GUILESS_MAIN(StoreTest)
#include "store_test.moc"
