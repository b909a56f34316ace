// SPDX-License-Identifier: GPL-3.0-or-later
// Starting from the weights of a run or a file: exactly those, what does not fit is said, and once the run stands it needs
// neither the file nor the run any more.
#include "tests/core/training/host_support.h"

#include "core/training/start_weights.h"

#include <QTest>

using namespace sconce;
using namespace sconce::test;
namespace fs = std::filesystem;

namespace {

/// With a checkpoint of the start, so that the weights training begins with can be seen.
Recipe showingTheStart(int epochs, std::int64_t units = 8)
{
    Recipe recipe = hostRecipe(epochs);
    recipe.training.checkpoint = {1, 0, 0, 100, false};
    recipe.stack.layers[0].params["filters"] = units;
    setOption(recipe.training, "safety", "go_back", true);
    return recipe;
}

/// One more dense layer before the last.
void deepen(Recipe& recipe)
{
    recipe.stack.layers.back().params["units"] = std::int64_t{6};
    addLayer(recipe, "dense", {{"units", std::int64_t{4}}});
}

} // namespace

class StartWeightsTest : public QObject
{
    Q_OBJECT

    QTemporaryDir m_dir{scratch()};
    std::shared_ptr<Store> m_store;
    RunId m_trained;

    PrepareOptions with(const std::string& weights = {}) const
    {
        PrepareOptions options;
        options.dataPath = m_dir.path().toStdString() + "/data";
        options.weights = weights;
        return options;
    }
    RunRow row(const RunId& run) { return m_store->run(run).valueOr(RunRow()); }
    RunStatus drive(const RunId& run)
    {
        CommandQueue commands;
        auto ended = driveRun(m_store, run, {}, commands, {});
        return ended ? ended->status : RunStatus::Queued;
    }
    Result<Checkpoint> at(const RunId& run, std::int64_t step)
    {
        for (const Checkpoint& each : listCheckpoints(row(run).folder))
            if (each.state.step == step) return each;
        return Error{ErrorCode::NotFound, "There is no checkpoint of step " + std::to_string(step) + ".", "", ""};
    }
    std::string hashAt(const RunId& run, std::int64_t step)
    {
        auto checkpoint = at(run, step);
        return checkpoint ? weightsHash(*checkpoint) : checkpoint.error().message;
    }
    bool logHas(const RunId& run, const std::string& part)
    {
        for (const LogRow& line : m_store->logLines(run).valueOr({}))
            if (line.text.find(part) != std::string::npos) return true;
        return false;
    }

  private Q_SLOTS:
    void initTestCase()
    {
        writeIdxFolder(m_dir.path().toStdString() + "/data", TinyData(320, 64, 16));
        auto store = Store::open(m_dir.path().toStdString() + "/store");
        SCONCE_VERIFY(store);
        m_store = *store;
        auto run = prepareRun(*m_store, showingTheStart(2), with());
        SCONCE_VERIFY(run);
        m_trained = *run;
        QCOMPARE(drive(m_trained), RunStatus::Finished);
    }

    void ofARun()
    {
        auto run = prepareRun(*m_store, showingTheStart(1), with("#1"));
        SCONCE_VERIFY(run);
        const StartWeights start = startWeightsOf(m_store->recipe(*run)->training);
        QCOMPARE(start.sha256, hashAt(m_trained, 18));
        QVERIFY2(start.title.find("#1 host, step 18") == 0, start.title.c_str());
        QCOMPARE(drive(*run), RunStatus::Finished);
        QCOMPARE(hashAt(*run, 0), hashAt(m_trained, 18)); // to the last bit
        QVERIFY(hashAt(*run, 9) != hashAt(*run, 0));      // and trained from there
        QVERIFY(hashAt(m_trained, 0) != hashAt(*run, 0)); // the control: random numbers are others
        QVERIFY(logHas(*run, "Starts from the weights"));
    }

    /// Neither the file nor the store's copy is there any more when the run begins, nor when it is resumed.
    void ofAFileThatIsGoneAfterwards()
    {
        const std::string file = m_dir.path().toStdString() + "/mine.safetensors";
        auto weights = openWeights(*at(m_trained, 18));
        SCONCE_VERIFY(weights);
        SCONCE_VERIFY(writeSafetensors(file, weights->tensors(), {{"made", "elsewhere"}}));
        auto whole = prepareRun(*m_store, showingTheStart(3), with(file));
        SCONCE_VERIFY(whole);
        QCOMPARE(startWeightsOf(m_store->recipe(*whole)->training).title, std::string("mine.safetensors"));
        const Recipe recipe = *m_store->recipe(*whole); // with its SHA-256: the file is not needed to start again
        fs::remove(file);
        auto part = prepareRun(*m_store, recipe, with());
        SCONCE_VERIFY(part);
        fs::remove_all(m_store->folder() + "/weights");
        QCOMPARE(drive(*whole), RunStatus::Finished);
        CommandQueue commands;
        auto stopped = driveRun(m_store, *part, {}, commands, [&](const Event& event) {
            if (std::holds_alternative<EpochDone>(event.body)) commands.requestStopFromSignal();
        });
        SCONCE_VERIFY(stopped);
        QCOMPARE(stopped->status, RunStatus::Stopped);
        fs::remove(row(*part).folder + "/start.safetensors");
        QCOMPARE(drive(*part), RunStatus::Finished);
        QCOMPARE(hashAt(*part, 27), hashAt(*whole, 27));
        QCOMPARE(hashAt(*whole, 0), hashAt(*part, 0));
    }

    void whatDoesNotFitIsSaid()
    {
        const std::size_t before = m_store->runs().valueOr({}).size();
        auto refused = prepareRun(*m_store, showingTheStart(1, 6), with(m_trained));
        QVERIFY(!refused);
        QCOMPARE(refused.error().code, ErrorCode::Invalid);
        QVERIFY2(refused.error().message.find(".weight (6×1×3×3 here, 8×1×3×3 there)") != std::string::npos, refused.error().message.c_str());
        QVERIFY2(refused.error().remedy.find("only_what_fits") != std::string::npos, refused.error().remedy.c_str());
        QCOMPARE(m_store->runs().valueOr({}).size(), before);
    }

    /// Another dense layer: the convolution and its statistics are taken, the rest is as drawn from the seed.
    void onlyWhatFits()
    {
        Recipe recipe = showingTheStart(1);
        deepen(recipe);
        setOption(recipe.training, "start", "only_what_fits", true);
        auto run = prepareRun(*m_store, recipe, with(m_trained));
        SCONCE_VERIFY(run);
        QCOMPARE(drive(*run), RunStatus::Finished);
        Recipe fresh = recipe;
        fresh.training.options.erase("start");
        auto random = prepareRun(*m_store, fresh, with());
        SCONCE_VERIFY(random);
        QCOMPARE(drive(*random), RunStatus::Finished);
        auto mine = openWeights(*at(*run, 0)), theirs = openWeights(*at(m_trained, 18)), drawn = openWeights(*at(*random, 0));
        SCONCE_VERIFY(mine);
        int taken = 0, left = 0;
        for (const TensorView& tensor : mine->tensors()) {
            const TensorView* given = theirs->find(tensor.name);
            const bool fits = given && given->shape == tensor.shape;
            const TensorView* wanted = fits ? given : drawn->find(tensor.name);
            QVERIFY2(std::equal(tensor.bytes.begin(), tensor.bytes.end(), wanted->bytes.begin(), wanted->bytes.end()), tensor.name.c_str());
            ++(fits ? taken : left);
        }
        QVERIFY(taken >= 4); // weight and bias of the convolution; the normalisation's four
        QCOMPARE(left, 4); // both dense layers: one of another size, one that is new
        QVERIFY(logHas(*run, "Not in the weights"));
    }

    void nothingFits()
    {
        Recipe recipe = showingTheStart(1, 6);
        deepen(recipe);
        setOption(recipe.training, "start", "only_what_fits", true);
        auto run = prepareRun(*m_store, recipe, with(m_trained));
        QVERIFY(!run);
        QVERIFY2(run.error().message.find("Nothing of the weights") != std::string::npos, run.error().message.c_str());
    }

    void whatIsNoWeightsIsASentence()
    {
        const std::string file = m_dir.path().toStdString() + "/no.safetensors";
        SCONCE_VERIFY(writeFileDurably(file, "nothing of the kind"));
        for (const std::string& what : {file, std::string("/nowhere/x.safetensors"), std::string("#99"), std::string("nobody")}) {
            auto run = prepareRun(*m_store, showingTheStart(1), with(what));
            QVERIFY2(!run && !run.error().message.empty(), what.c_str());
        }
        Recipe elsewhere = showingTheStart(1); // opened in a store that never saw them; a hash that is none of ours
        for (const std::string& hash : {std::string(64, 'a'), std::string("../../../etc/passwd")}) {
            setOption(elsewhere.training, "start", "weights", std::string("theirs"));
            setOption(elsewhere.training, "start", "sha256", hash);
            auto run = prepareRun(*m_store, elsewhere, with());
            QVERIFY(!run);
            QCOMPARE(run.error().code, ErrorCode::NotFound);
            QVERIFY2(run.error().message.find("theirs") != std::string::npos, run.error().message.c_str());
        }
    }

    void changedOnTheDiskTheRunDoesNotBegin()
    {
        auto run = prepareRun(*m_store, showingTheStart(1), with(m_trained));
        SCONCE_VERIFY(run);
        const std::string file = row(*run).folder + "/start.safetensors";
        std::fstream bytes(file, std::ios::in | std::ios::out | std::ios::binary);
        bytes.seekp(-3, std::ios::end);
        bytes.put('\x11');
        bytes.close();
        QCOMPARE(drive(*run), RunStatus::Failed);
        QVERIFY2(row(*run).message.find("changed on the disk") != std::string::npos, row(*run).message.c_str());
    }
};

QTEST_GUILESS_MAIN(StartWeightsTest)
#include "start_weights_test.moc"
