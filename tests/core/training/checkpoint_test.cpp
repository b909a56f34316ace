// SPDX-License-Identifier: GPL-3.0-or-later
// Checkpoints are whole or not there, whatever fails while they are written; damaged ones are seen and passed over.
#include "tests/core/training/training_support.h"

#include <QTemporaryDir>
#include <QTest>

#include <cerrno>
#include <fstream>

using namespace sconce;
using namespace sconce::test;
namespace fs = std::filesystem;

namespace {

HostTensor tensorOf(const std::string& name, std::vector<float> values)
{
    HostTensor tensor{name, DType::F32, {static_cast<std::int64_t>(values.size())}, {}};
    tensor.bytes.resize(values.size() * sizeof(float));
    std::memcpy(tensor.bytes.data(), values.data(), tensor.bytes.size());
    return tensor;
}

TrainerState stateAt(std::int64_t step)
{
    TrainerState state;
    state.step = step;
    state.epoch = step / 10;
    state.stepInEpoch = step % 10;
    state.epochLossSum = 0.1 * static_cast<double>(step) + 1e-17;
    state.epochSums.correct = 3 * step;
    state.epochSums.count = 4 * step;
    state.epochsPlanned = 5;
    state.secondsTrained = 1.0 / 3.0;
    state.summary.steps = step;
    state.summary.trainLoss = 0.7;
    state.choices = Json{{"threads", 2}, {"layout", "channels-last"}};
    state.amendments.push_back({step, "/training/epochs", 3, 5});
    return state;
}

Result<std::string> save(const std::string& folder, std::int64_t step, bool best = false, int keep = 2)
{
    const float value = static_cast<float>(step);
    const std::vector<HostTensor> weights{tensorOf("a.weight", {value, value + 1}), tensorOf("a.bias", {-value})};
    const std::vector<HostTensor> optimiser{tensorOf("adam.exp_avg/a.weight", {value / 2, value / 3})};
    return saveCheckpoint(folder, stateAt(step), tinyRecipe(), weights, best ? std::span<const HostTensor>() : optimiser, "epoch", best, keep);
}

float firstWeight(const Checkpoint& checkpoint)
{
    auto file = openWeights(checkpoint);
    const TensorView* tensor = file ? file->find("a.weight") : nullptr;
    float value = -1;
    if (tensor) std::memcpy(&value, tensor->bytes.data(), sizeof value);
    return value;
}

void flipByte(const std::string& path, std::streamoff fromEnd)
{
    std::fstream file(path, std::ios::in | std::ios::out | std::ios::binary);
    file.seekg(-fromEnd, std::ios::end);
    char byte = 0;
    file.get(byte);
    file.seekp(-fromEnd, std::ios::end);
    file.put(static_cast<char>(byte ^ 0x20));
}

QStringList entries(const std::string& folder)
{
    QStringList names;
    std::error_code error;
    for (const auto& entry : fs::directory_iterator(folder + "/checkpoints", error)) names << QString::fromStdString(entry.path().filename().string());
    names.sort();
    return names;
}

} // namespace

class CheckpointTest : public QObject
{
    Q_OBJECT

  private Q_SLOTS:
    void cleanup() { writeFault = {}; }

    void everythingComesBack()
    {
        QTemporaryDir dir{scratch()};
        const std::string folder = dir.path().toStdString();
        auto path = save(folder, 7);
        SCONCE_VERIFY(path);
        auto read = readCheckpoint(*path);
        SCONCE_VERIFY(read);
        QVERIFY(read->state.toJson() == stateAt(7).toJson());
        QCOMPARE(read->state.epochLossSum, stateAt(7).epochLossSum); // to the last bit
        QCOMPARE(read->state.secondsTrained, 1.0 / 3.0);
        QVERIFY(read->recipe == tinyRecipe());
        QCOMPARE(read->reason, std::string("epoch"));
        QVERIFY(read->time > 0);
        QCOMPARE(firstWeight(*read), 7.0f);
        auto optimiser = openOptimiser(*read);
        SCONCE_VERIFY(optimiser);
        QVERIFY(optimiser->find("adam.exp_avg/a.weight"));
    }

    /// A best of a later step is left from a future that was given up: an older one that is written now takes its place, and no
    /// kill brings it back.
    void aBestOfAGivenUpFutureGoes()
    {
        QTemporaryDir dir{scratch()};
        const std::string folder = dir.path().toStdString();
        SCONCE_VERIFY(save(folder, 30, true));
        SCONCE_VERIFY(save(folder, 20, true));
        QCOMPARE(entries(folder), QStringList({"best"}));
        QCOMPARE(bestCheckpoint(folder)->state.step, 20);
        // As a kill right before the names were exchanged leaves it.
        SCONCE_VERIFY(save(folder, 50, true));
        fs::rename(folder + "/checkpoints/best", folder + "/checkpoints/best-000000050");
        SCONCE_VERIFY(save(folder, 40, true));
        QCOMPARE(entries(folder), QStringList({"best"}));
        QCOMPARE(bestCheckpoint(folder)->state.step, 40);
        QCOMPARE(firstWeight(*bestCheckpoint(folder)), 40.0f);
    }

    /// The folder is synced once for the new best and once for its name; either failing is told, and a best stays.
    void aBestThatIsNotDurableIsTold()
    {
        for (const int failing : {1, 2, 3}) {
            QTemporaryDir dir{scratch()};
            const std::string folder = dir.path().toStdString();
            SCONCE_VERIFY(save(folder, 10, true));
            int syncs = 0;
            writeFault = [&](WriteStep step, const std::string&) { return step == WriteStep::SyncFolder && ++syncs >= failing ? EIO : 0; };
            const auto saved = save(folder, 20, true);
            writeFault = {};
            QVERIFY2(!saved.ok(), qPrintable(QString::number(syncs)));
            SCONCE_VERIFY(bestCheckpoint(folder));
            SCONCE_VERIFY(save(folder, 20, true)); // tried again
            QCOMPARE(bestCheckpoint(folder)->state.step, 20);
            QCOMPARE(entries(folder), QStringList({"best"}));
        }
    }

    void olderOnesGoAndTheBestStays()
    {
        QTemporaryDir dir{scratch()};
        const std::string folder = dir.path().toStdString();
        for (std::int64_t step : {10, 20, 30}) SCONCE_VERIFY(save(folder, step));
        SCONCE_VERIFY(save(folder, 20, true));
        SCONCE_VERIFY(save(folder, 40));
        QCOMPARE(entries(folder), QStringList({"best", "step-000000030", "step-000000040"}));
        SCONCE_VERIFY(save(folder, 40, true));
        QCOMPARE(entries(folder), QStringList({"best", "step-000000030", "step-000000040"}));
        auto best = bestCheckpoint(folder);
        SCONCE_VERIFY(best);
        QVERIFY(best->best);
        QCOMPARE(best->state.step, 40);
        QCOMPARE(firstWeight(*best), 40.0f);
        const auto list = listCheckpoints(folder);
        QCOMPARE(list.size(), std::size_t{2});
        QCOMPARE(list[0].state.step, 40);
        QCOMPARE(list[1].state.step, 30);
    }

    void theSameStepMayBeSavedAgain()
    {
        QTemporaryDir dir{scratch()};
        const std::string folder = dir.path().toStdString();
        SCONCE_VERIFY(save(folder, 10));
        auto again = save(folder, 10);
        SCONCE_VERIFY(again);
        auto newest = newestValidCheckpoint(folder);
        SCONCE_VERIFY(newest);
        QCOMPARE(newest->path, *again);
        QCOMPARE(entries(folder).size(), 2);
    }

    /// Every kind of failure at every step of the writing, one after the other until a save meets none.
    void faultsLeaveOldOrNew_data()
    {
        QTest::addColumn<int>("errnoValue");
        QTest::addColumn<bool>("forEver");
        QTest::addColumn<bool>("best");
        for (bool best : {false, true})
            for (bool forEver : {false, true})
                for (int value : {ENOSPC, EIO, EDQUOT})
                    QTest::addRow("%s %s %s", strerror(value), forEver ? "for ever" : "once", best ? "best" : "last") << value << forEver << best;
    }
    void faultsLeaveOldOrNew()
    {
        QFETCH(int, errnoValue);
        QFETCH(bool, forEver);
        QFETCH(bool, best);
        QTemporaryDir dir{scratch()};
        int faults = 0;
        for (int at = 0;; ++at) {
            const std::string folder = dir.path().toStdString() + "/" + std::to_string(at);
            SCONCE_VERIFY(save(folder, 10, best));
            int calls = 0;
            bool hit = false;
            writeFault = [&](WriteStep, const std::string&) {
                const bool now = forEver ? calls >= at : calls == at;
                ++calls;
                hit |= now;
                return now ? errnoValue : 0;
            };
            auto saved = save(folder, 20, best);
            writeFault = {};
            auto found = best ? bestCheckpoint(folder) : newestValidCheckpoint(folder);
            SCONCE_VERIFY(found);
            QVERIFY2(found->state.step == 10 || found->state.step == 20, qPrintable(QString::number(found->state.step)));
            QCOMPARE(firstWeight(*found), static_cast<float>(found->state.step));
            if (saved) QCOMPARE(found->state.step, 20);
            if (!saved) {
                QVERIFY(!saved.error().message.empty());
                if (errnoValue != EIO) QCOMPARE(saved.error().code, ErrorCode::DiskFull);
            }
            // And afterwards it works again.
            SCONCE_VERIFY(save(folder, 30, best));
            found = best ? bestCheckpoint(folder) : newestValidCheckpoint(folder);
            SCONCE_VERIFY(found);
            QCOMPARE(found->state.step, 30);
            if (!hit) break;
            ++faults;
        }
        QVERIFY2(faults >= 12, qPrintable(QString("only %1 points of failure").arg(faults)));
    }

    void damageIsSeen_data()
    {
        QTest::addColumn<QString>("file");
        QTest::addColumn<QString>("how");
        for (const char* file : {"weights.safetensors", "optimiser.safetensors", "manifest.json"})
            for (const char* how : {"flip", "truncate", "empty", "remove"}) QTest::addRow("%s %s", file, how) << file << how;
    }
    void damageIsSeen()
    {
        QFETCH(QString, file);
        QFETCH(QString, how);
        QTemporaryDir dir{scratch()};
        const std::string folder = dir.path().toStdString();
        SCONCE_VERIFY(save(folder, 10));
        auto newest = save(folder, 20);
        SCONCE_VERIFY(newest);
        const std::string path = *newest + "/" + file.toStdString();
        if (how == "flip") flipByte(path, file == "manifest.json" ? static_cast<std::streamoff>(fs::file_size(path) / 2) : 3);
        if (how == "truncate") fs::resize_file(path, fs::file_size(path) - 1);
        if (how == "truncate" && file == "manifest.json") fs::resize_file(path, fs::file_size(path) / 2);
        if (how == "empty") fs::resize_file(path, 0);
        if (how == "remove") fs::remove(path);

        auto damaged = readCheckpoint(*newest);
        QVERIFY(!damaged);
        QVERIFY(damaged.error().message.find("step-000000020") != std::string::npos);
        std::vector<std::string> skipped;
        auto found = newestValidCheckpoint(folder, &skipped);
        SCONCE_VERIFY(found);
        QCOMPARE(found->state.step, 10);
        QCOMPARE(skipped.size(), std::size_t{1});
        // The next save, at an earlier step than the damaged one, clears it away.
        SCONCE_VERIFY(save(folder, 15));
        QCOMPARE(entries(folder), QStringList({"step-000000010", "step-000000015"}));
    }

    /// An older one in its place would be gone on from, and the newer one cleared away.
    void oneOutOfReachIsNotPassedOver()
    {
        QTemporaryDir dir{scratch()};
        const std::string folder = dir.path().toStdString();
        SCONCE_VERIFY(save(folder, 10));
        auto newest = save(folder, 20);
        SCONCE_VERIFY(newest);
        auto json = readJsonFile(*newest + "/manifest.json");
        SCONCE_VERIFY(json);
        (*json)["version"] = 99;
        SCONCE_VERIFY(writeFileDurably(*newest + "/manifest.json", json->dump()));
        std::vector<std::string> skipped;
        auto found = newestValidCheckpoint(folder, &skipped);
        QVERIFY(!found);
        QCOMPARE(found.error().code, ErrorCode::TooNew);
        QVERIFY(skipped.empty());
        QCOMPARE(entries(folder), QStringList({"step-000000010", "step-000000020"}));
    }

    void nothingValidIsNotFound()
    {
        QTemporaryDir dir{scratch()};
        const std::string folder = dir.path().toStdString();
        auto none = newestValidCheckpoint(folder);
        QVERIFY(!none);
        QCOMPARE(none.error().code, ErrorCode::NotFound);
        QVERIFY(!bestCheckpoint(folder));
        QVERIFY(listCheckpoints(folder).empty());
    }

    void leftoversAreRemoved()
    {
        QTemporaryDir dir{scratch()};
        const std::string folder = dir.path().toStdString();
        SCONCE_VERIFY(save(folder, 10));
        fs::create_directories(folder + "/checkpoints/step-000000020.incomplete");
        std::ofstream(folder + "/checkpoints/step-000000020.incomplete/weights.safetensors") << "half";
        removeStaleStaging(folder);
        QCOMPARE(entries(folder), QStringList({"step-000000010"}));
    }

    void aFileNotOursIsNeverOpened()
    {
        QTemporaryDir dir{scratch()};
        const std::string folder = dir.path().toStdString();
        auto path = save(folder, 10);
        SCONCE_VERIFY(path);
        auto json = readJsonFile(*path + "/manifest.json");
        SCONCE_VERIFY(json);
        json->erase("sha256");
        (*json)["files"][1]["name"] = "../../secret";
        (*json)["sha256"] = sha256(json->dump()); // a checksum that is right
        SCONCE_VERIFY(writeFileDurably(*path + "/manifest.json", json->dump()));
        auto read = readCheckpoint(*path);
        QVERIFY(!read);
        QCOMPARE(read.error().code, ErrorCode::Corrupt);
        QVERIFY2(read.error().message.find("not ours") != std::string::npos, read.error().message.c_str());
    }
};

QTEST_GUILESS_MAIN(CheckpointTest)
#include "checkpoint_test.moc"
