// SPDX-License-Identifier: GPL-3.0-or-later
// The command line's contract, to the key: train, resume, signals, the history and its verbs, evaluate, predict, export.
#include "tests/support/cli.h"

#include "core/data/dataset.h"
#include "core/formats/picture.h"
#include "core/formats/safetensors.h"

#include <cmath>

using namespace sconce;
using namespace sconce::test;

namespace {

constexpr int stepsPerEpoch = 90;
const QStringList lastLineKeys{"run", "status", "epochs", "steps", "train_loss", "train_accuracy", "val_loss", "val_accuracy", "test_loss", "test_accuracy", "seconds",
                               "samples_per_second", "checkpoint"};

/// What telling ten classes apart adds: of validation, and of the test where there was one.
const QStringList validatedKeys{"val_macro_f1", "val_top5_accuracy", "best_val_macro_f1", "best_val_top5_accuracy"};
const QStringList testedKeys{"test_macro_f1", "test_top5_accuracy"};

QStringList sorted(QStringList list)
{
    list.sort();
    return list;
}

/// IDX of uint8 pictures.
QByteArray idx(const std::vector<std::uint8_t>& pixels, int count, int side)
{
    QByteArray bytes("\0\0\x08\x03", 4);
    for (const int size : {count, side, side})
        for (int shift = 24; shift >= 0; shift -= 8) bytes += static_cast<char>(size >> shift);
    return bytes + QByteArray(reinterpret_cast<const char*>(pixels.data()), static_cast<qsizetype>(pixels.size()));
}

} // namespace

class CliTest : public QObject
{
    Q_OBJECT

    TemporaryFolder m_folder;
    std::unique_ptr<Cli> m_cli;
    QString m_recipe, m_run; ///< of the run that the other tests look at
    Said m_trained;

    QString path(const std::string& name) { return QString::fromStdString(m_folder / name); }
    QJsonObject row(const QString& run)
    {
        for (const auto& each : m_cli->json({"runs", "list"}).objects)
            if (each["run"] == run) return each;
        return {};
    }
    /// Starts a run of many epochs in a process of its own and waits until steps are being made.
    std::unique_ptr<QProcess> startLong(QString* run, const QString& name)
    {
        auto process = m_cli->start({"train", m_recipe, "--epochs", "50000", "--set", "/training/checkpoint/every_epochs=0", "--name", name, "--json"});
        const bool running = eventually([&] {
            process->waitForReadyRead(50);
            return process->peek(1 << 16).contains("\"epoch\":2,") || process->state() != QProcess::Running;
        });
        for (const auto& each : m_cli->json({"runs", "list"}).objects)
            if (each["name"] == name) *run = each["run"].toString();
        return running && process->state() == QProcess::Running ? std::move(process) : nullptr;
    }
    static Said finish(QProcess& process)
    {
        if (process.state() != QProcess::NotRunning) process.waitForFinished(60000);
        return saidBy(process);
    }
    /// Steps of a series: first, last + 1 and whether none is missing.
    bool wholeSeries(const QString& run, qint64 steps)
    {
        const Said said = m_cli->json({"runs", "export", run, "--series"});
        qint64 next = 0;
        for (const auto& point : said.objects) {
            if (point["key"] != "train/loss") continue;
            if (point["step"].toInteger() != next || !point["value"].isDouble()) return false;
            ++next;
        }
        if (next != steps) qWarning("%lld points instead of %lld", next, steps);
        return next == steps;
    }

  private Q_SLOTS:
    void initTestCase()
    {
        m_cli = std::make_unique<Cli>(m_folder / "store");
        m_recipe = path("tiny.json");
        writeText(m_recipe.toStdString(), tinyRecipe());
        m_trained = m_cli->run({"train", m_recipe, "--epochs", "3", "--seed", "7", "--threads", "1", "--name", "The first", "--json"});
        SCONCE_VERIFY_SAID(m_trained);
        m_run = m_trained.last()["run"].toString();
        QVERIFY(!m_run.isEmpty());
    }

    void theLastLineOfTrainingHasTheKeysOfTheContract()
    {
        const QJsonObject last = m_trained.last();
        QCOMPARE(last.keys(), sorted(lastLineKeys + validatedKeys + testedKeys));
        QCOMPARE(last["status"], "finished");
        QCOMPARE(last["epochs"], 3);
        QCOMPARE(last["steps"], 3 * stepsPerEpoch);
        for (const char* loss : {"train_loss", "val_loss", "test_loss"}) QVERIFY2(last[loss].toDouble() > 0, loss);
        for (const char* accuracy : {"train_accuracy", "val_accuracy", "test_accuracy"})
            QVERIFY2(last[accuracy].toDouble() > 0.5 && last[accuracy].toDouble() <= 1, accuracy);
        QVERIFY(last["seconds"].toDouble() > 0);
        QVERIFY(last["samples_per_second"].toDouble() > 100);
        QVERIFY(QFile::exists(last["checkpoint"].toString() + "/manifest.json"));
        QCOMPARE(m_trained.objects.size(), 4); // an epoch a line before it
        for (int i = 0; i < 3; ++i) QCOMPARE(m_trained.objects[i]["epoch"], i + 1);
    }

    void progressGoesToStandardErrorAndQuietSilencesIt()
    {
        QVERIFY(m_trained.err.contains("epoch 3"));
        const Said plain = m_cli->run({"train", m_recipe, "--name", "Plain"});
        QCOMPARE(plain.code, 0);
        QVERIFY2(plain.err.contains("epoch 1"), qPrintable(plain.text()));
        QVERIFY2(plain.out.contains("Test accuracy") && !plain.out.contains("epoch 1:"), qPrintable(plain.text()));
        const Said quiet = m_cli->run({"train", m_recipe, "--quiet", "--json", "--name", "Quiet"});
        SCONCE_VERIFY_SAID(quiet);
        QCOMPARE(quiet.err, "");
    }

    void aTerminalSeesABarWithRateAndTimeLeft()
    {
        if (!QFile::exists("/usr/bin/script")) QSKIP("There is no program `script` to make a terminal with.");
        auto process = m_cli->start({"-qec", QString(SCONCE_CLI) + " train " + m_recipe + " --epochs 20 --name Bar", "/dev/null"}, "/usr/bin/script");
        const Said said = finish(*process);
        QCOMPARE(said.code, 0);
        QVERIFY2(said.out.contains("━") || said.out.contains("╌"), qPrintable(said.text()));
        QVERIFY2(said.out.contains("samples/s") && said.out.contains(" left"), qPrintable(said.text()));
    }

    void settingsOfTheRecipeCanBeSet()
    {
        const Said said = m_cli->json({"train", m_recipe, "--set", "/training/optimiser=sgd", "--set", "/training/batch_size=500", "--set", "/layers/1/units=4", "--name", "Set"});
        SCONCE_VERIFY_SAID(said);
        QCOMPARE(said.last()["steps"], 18);
        const QJsonObject recipe = m_cli->json({"runs", "show", said.last()["run"].toString()}).last()["recipe_value"].toObject();
        QCOMPARE(recipe["training"]["optimiser"]["type"], "sgd");
        QCOMPARE(recipe["layers"][1]["units"], 4);
        QCOMPARE(recipe["training"]["epochs"], 1);
    }

    void aStarterTrainsByItsName()
    {
        const Said said = m_cli->json({"train", "digits-convnet", "--set", "/training/epochs=1", "--set", "/training/batch_size=100", "--set", "/training/learning_rate=0.005",
                                       "--set", "/layers/0/filters=4", "--set", "/layers/2/filters=4"});
        SCONCE_VERIFY_SAID(said);
        QCOMPARE(said.last()["steps"], 90);
        QVERIFY2(said.last()["test_accuracy"].toDouble() > 0.3, qPrintable(said.text()));
    }

    void theSameSeedGivesTheSameRun()
    {
        const Said again = m_cli->json({"train", m_recipe, "--epochs", "3", "--seed", "7", "--threads", "1"});
        const Said other = m_cli->json({"train", m_recipe, "--epochs", "3", "--seed", "8", "--threads", "1"});
        for (const char* key : {"train_loss", "val_loss", "test_loss"}) {
            QCOMPARE(again.last()[key].toDouble(), m_trained.last()[key].toDouble());
            QVERIFY(other.last()[key].toDouble() != m_trained.last()[key].toDouble());
        }
    }

    // ---- stopping and going on ----

    void aSignalStopsWithACheckpointAndResumeGoesOn_data()
    {
        QTest::addColumn<int>("signal");
        QTest::addColumn<int>("code");
        QTest::newRow("SIGINT") << SIGINT << 130;
        QTest::newRow("SIGTERM") << SIGTERM << 143;
    }
    void aSignalStopsWithACheckpointAndResumeGoesOn()
    {
        QFETCH(int, signal);
        QFETCH(int, code);
        QString run;
        auto process = startLong(&run, QString("Signal %1").arg(signal));
        QVERIFY(process);
        QCOMPARE(row(run)["status"], "running");
        ::kill(static_cast<pid_t>(process->processId()), signal);
        const Said said = finish(*process);
        QVERIFY2(said.code == code, qPrintable(said.text()));
        QVERIFY2(said.notJson.isEmpty(), qPrintable(said.notJson));
        const QJsonObject stopped = said.last();
        QCOMPARE(stopped.keys(), sorted(lastLineKeys + validatedKeys));
        QCOMPARE(stopped["status"], "stopped");
        QVERIFY(stopped["test_accuracy"].isNull());
        QVERIFY(QFile::exists(stopped["checkpoint"].toString() + "/manifest.json"));
        QVERIFY2(said.err.contains("sconce resume " + run), qPrintable(said.text()));
        QVERIFY(wholeSeries(run, stopped["steps"].toInteger()));

        const int epochs = static_cast<int>(stopped["steps"].toInteger() / stepsPerEpoch) + 2;
        const Said resumed = m_cli->json({"resume", run, "--epochs", QString::number(epochs)});
        SCONCE_VERIFY_SAID(resumed);
        QCOMPARE(resumed.last().keys(), sorted(lastLineKeys + validatedKeys + testedKeys));
        QCOMPARE(resumed.last()["run"], run);
        QCOMPARE(resumed.last()["status"], "finished");
        QCOMPARE(resumed.last()["epochs"], epochs);
        QCOMPARE(resumed.last()["steps"], epochs * stepsPerEpoch);
        QVERIFY(resumed.err.contains("from step " + QLocale::c().toString(stopped["steps"].toInteger())));
        QVERIFY(wholeSeries(run, qint64{epochs} * stepsPerEpoch));
    }

    void aKilledRunIsInterruptedAndGoesOn()
    {
        QString run;
        auto process = startLong(&run, "Killed");
        QVERIFY(process);
        const Said saved = m_cli->json({"runs", "checkpoint", run});
        SCONCE_VERIFY_SAID(saved);
        process->kill();
        QCOMPARE(finish(*process).code, 137);
        QCOMPARE(row(run)["status"], "interrupted");
        QCOMPARE(row(run)["resumable"], true);
        const int epochs = static_cast<int>(saved.last()["step"].toInteger() / stepsPerEpoch) + 2;
        const Said resumed = m_cli->json({"resume", run, "--epochs", QString::number(epochs)});
        SCONCE_VERIFY_SAID(resumed);
        QVERIFY2(resumed.err.contains("from step " + QLocale::c().toString(saved.last()["step"].toInteger())), qPrintable(resumed.err));
        QVERIFY(wholeSeries(run, qint64{epochs} * stepsPerEpoch));
    }

    void aFinishedRunTrainsLonger()
    {
        SCONCE_VERIFY_REFUSED(m_cli->wrong({"resume", m_run}, 2, "--epochs"));
        const Said first = m_cli->json({"train", m_recipe, "--name", "Longer"});
        const QString run = first.last()["run"].toString();
        const Said more = m_cli->json({"resume", run, "--epochs", "2"});
        SCONCE_VERIFY_SAID(more);
        QCOMPARE(more.last()["steps"], 2 * stepsPerEpoch);
        QVERIFY(wholeSeries(run, 2 * stepsPerEpoch));
    }

    void aRunThatDivergesFailsWithOne()
    {
        const QStringList arguments{"train", m_recipe, "--set", "/training/optimiser=sgd", "--set", "/training/learning_rate=100", "--set", "/data/input/scale=false", "--set",
                                    "/layers/1/activation=none", "--name", "NaN"};
        const Said said = m_cli->json(arguments);
        QVERIFY2(said.code == 1, qPrintable(said.text()));
        QVERIFY(said.notJson.isEmpty());
        QCOMPARE(said.last()["status"], "failed");
        QCOMPARE(notASentence(said.last()["error"].toString()), "");
        const Said quiet = m_cli->run(QStringList(arguments) << "--quiet");
        QCOMPARE(quiet.code, 1);
        QVERIFY2(quiet.err.startsWith("The run failed: "), qPrintable(quiet.text())); // why is never silenced
    }

    // ---- the history ----

    void aLiveRunIsSteeredFromAnotherProcess()
    {
        QString run;
        auto process = startLong(&run, "Steered");
        QVERIFY(process);
        const auto steer = [&](const QString& verb) { return m_cli->json({"runs", verb, run}); };
        const Said paused = steer("pause");
        SCONCE_VERIFY_SAID(paused);
        QCOMPARE(paused.last()["ok"], true);
        QCOMPARE(row(run)["status"], "paused");
        SCONCE_VERIFY_REFUSED(m_cli->wrong({"runs", "delete", run}));
        SCONCE_VERIFY_REFUSED(m_cli->wrong({"resume", run}));
        SCONCE_VERIFY_SAID(steer("continue"));
        QVERIFY(eventually([&] { return row(run)["status"] == "running"; }, 10000));
        const Said saved = steer("checkpoint");
        SCONCE_VERIFY_SAID(saved);
        QVERIFY(saved.last()["step"].toInteger() >= paused.last()["step"].toInteger());
        SCONCE_VERIFY_SAID(steer("stop"));
        const Said said = finish(*process);
        QVERIFY2(said.code == 0, qPrintable(said.text()));
        QCOMPARE(said.last()["status"], "stopped");
        QCOMPARE(row(run)["status"], "stopped");
        SCONCE_VERIFY_REFUSED(m_cli->wrong({"runs", "pause", run}, 2, "stopped"));
    }

    void listHasTheKeysOfTheContract()
    {
        const Said said = m_cli->json({"runs", "list"});
        SCONCE_VERIFY_SAID(said);
        for (const auto& each : said.objects)
            for (const char* key : {"run", "name", "status", "recipe", "device", "started", "seconds", "epochs", "train_loss", "train_accuracy", "val_loss", "val_accuracy",
                                    "test_loss", "test_accuracy"})
                QVERIFY2(each.contains(key), key);
        const QJsonObject first = row(m_run);
        QCOMPARE(first["name"], "The first");
        QCOMPARE(first["recipe"], "tiny");
        QCOMPARE(first["device"], "cpu");
        QCOMPARE(first["epochs"], 3);
        QCOMPARE(first["test_loss"].toDouble(), m_trained.last()["test_loss"].toDouble());
        const auto started = QDateTime::fromString(first["started"].toString(), Qt::ISODate);
        QVERIFY(started.isValid() && std::abs(started.secsTo(QDateTime::currentDateTimeUtc())) < 3600);
        const Said table = m_cli->run({"runs", "list"});
        QVERIFY(table.out.contains("The first") && table.out.contains("finished"));
    }

    void aRunIsFoundByIdNumberNameAndLast()
    {
        const QJsonObject first = row(m_run);
        for (const QString& word : {m_run, m_run.left(12), QString::number(first["number"].toInt()), "#" + QString::number(first["number"].toInt()), QString("The first")}) {
            const Said said = m_cli->json({"runs", "show", word});
            QVERIFY2(said.last()["run"] == m_run, qPrintable(word + ": " + said.text()));
        }
        const Said last = m_cli->json({"runs", "show", "last"});
        QCOMPARE(last.last()["run"], m_cli->json({"runs", "list"}).objects.first()["run"]);
        const QJsonObject shown = m_cli->json({"runs", "show", m_run}).last();
        QCOMPARE(shown["attempts"].toArray().size(), 1);
        QVERIFY(!shown["checkpoints"].toArray().isEmpty());
        QCOMPARE(shown["recipe_value"]["seed"], 7);
    }

    void everyPointIsExported()
    {
        QVERIFY(wholeSeries(m_run, 3 * stepsPerEpoch));
        const Said csv = m_cli->run({"runs", "export", m_run, "--series"});
        QCOMPARE(csv.out.count("\ntrain/loss,"), 3 * stepsPerEpoch);
        const Said file = m_cli->json({"runs", "export", m_run, "--series", "--out", path("series.csv")});
        SCONCE_VERIFY_SAID(file);
        QCOMPARE(readBytes(path("series.csv")).count(",train/loss,"), 3 * stepsPerEpoch);
        SCONCE_VERIFY_REFUSED(m_cli->wrong({"runs", "export", m_run, "--series", "--out", path("nowhere/series.csv")}));
    }

    void compareSaysWhatDiffers()
    {
        const Said other = m_cli->json({"train", m_recipe, "--set", "/training/learning_rate=0.02", "--epochs", "3", "--seed", "7", "--name", "Faster"});
        const Said said = m_cli->json({"runs", "compare", m_run, other.last()["run"].toString()});
        SCONCE_VERIFY_SAID(said);
        QJsonArray values;
        int differences = 0;
        for (const auto& each : said.objects) {
            if (!each.contains("path")) continue;
            ++differences;
            if (each["path"] == "/training/learning_rate") values = each["values"].toArray();
        }
        QCOMPARE(differences, 1);
        QCOMPARE(values, (QJsonArray{"0.01", "0.02"}));
    }

    void aDeletedRunIsGoneWithItsFiles()
    {
        const Said said = m_cli->json({"train", m_recipe, "--name", "Gone"});
        const QString run = said.last()["run"].toString(), checkpoint = said.last()["checkpoint"].toString();
        SCONCE_VERIFY_SAID(m_cli->json({"runs", "delete", run}));
        QVERIFY(row(run).isEmpty());
        QVERIFY(!QFile::exists(checkpoint));
        SCONCE_VERIFY_REFUSED(m_cli->wrong({"runs", "show", run}));
    }

    // ---- the model at work ----

    void evaluationRepeatsTheTest()
    {
        const Said said = m_cli->json({"evaluate", m_run});
        SCONCE_VERIFY_SAID(said);
        const QJsonObject report = said.last();
        QCOMPARE(report["count"], 2000);
        QCOMPARE(report["accuracy"].toDouble(), m_trained.last()["test_accuracy"].toDouble());
        QVERIFY(std::abs(report["loss"].toDouble() - m_trained.last()["test_loss"].toDouble()) < 1e-5);
        int diagonal = 0, all = 0;
        for (int truth = 0; truth < 10; ++truth)
            for (int saidClass = 0; saidClass < 10; ++saidClass) {
                const int count = report["confusion"][truth][saidClass].toInt();
                all += count;
                if (truth == saidClass) diagonal += count;
            }
        QCOMPARE(all, 2000);
        QCOMPARE(diagonal / 2000.0, report["accuracy"].toDouble());
        QCOMPARE(report["per_class"].toArray().size(), 10);
        QCOMPARE(report["per_class"][3]["recall"].toDouble(), report["confusion"][3][3].toInt() / 200.0);
        const Said validation = m_cli->json({"evaluate", m_run, "--split", "validation"});
        QCOMPARE(validation.last()["count"], 1000);
        QCOMPARE(validation.last()["accuracy"].toDouble(), m_trained.last()["val_accuracy"].toDouble());
        QCOMPARE(m_cli->json({"evaluate", m_run, "--split", "train"}).last()["count"], 9000);
    }

    void predictionsAgreeWithTheEvaluation()
    {
        const auto digits = builtinDigits();
        std::vector<std::int64_t> rows(2000);
        for (int i = 0; i < 2000; ++i) rows[static_cast<std::size_t>(i)] = i;
        std::vector<std::uint8_t> pixels(rows.size() * 784);
        digits->gather(Part::Test, rows, pixels);
        writeText(m_folder / "test.idx", idx(pixels, 2000, 28));
        const Said said = m_cli->json({"predict", m_run, path("test.idx")});
        SCONCE_VERIFY_SAID(said);
        QCOMPARE(said.objects.size(), 2000);
        int correct = 0;
        for (int i = 0; i < 2000; ++i) {
            const int label = digits->labels(Part::Test)[static_cast<std::size_t>(i)];
            if (said.objects[i]["class"].toString().toInt() == label) ++correct;
        }
        QCOMPARE(correct / 2000.0, m_trained.last()["test_accuracy"].toDouble());

        // A picture of one of them, as PNG: the same answer.
        Picture picture{28, 28, 1, {pixels.begin(), pixels.begin() + 784}};
        SCONCE_VERIFY_OK(writePng(m_folder / "first.png", picture));
        const Said png = m_cli->json({"predict", m_run, path("first.png")});
        SCONCE_VERIFY_SAID(png);
        const QJsonObject alone = png.last()["probabilities"].toObject(), among = said.objects.first()["probabilities"].toObject();
        double sum = 0;
        for (const QString& name : alone.keys()) {
            QVERIFY2(std::abs(alone[name].toDouble() - among[name].toDouble()) < 1e-5, qPrintable(name)); // in a batch, sums are ordered otherwise
            sum += alone[name].toDouble();
        }
        QVERIFY(alone.size() == 10 && std::abs(sum - 1) < 1e-4);
    }

    void predictionsAreWrittenAsCsvJsonAndNpy()
    {
        writeText(m_folder / "three.idx", idx(std::vector<std::uint8_t>(3 * 784, 100), 3, 28));
        for (const char* ending : {"csv", "json", "npy"})
            SCONCE_VERIFY_SAID(m_cli->json({"predict", m_run, path("three.idx"), "--out", path(std::string("out.") + ending)}));
        const QList<QByteArray> csv = readBytes(path("out.csv")).trimmed().split('\n');
        QCOMPARE(csv.size(), 4);
        QCOMPARE(csv[0], QByteArray("file,\"0\",\"1\",\"2\",\"3\",\"4\",\"5\",\"6\",\"7\",\"8\",\"9\""));
        const auto json = QJsonDocument::fromJson(readBytes(path("out.json"))).array();
        QCOMPARE(json.size(), 3);
        QCOMPARE(static_cast<float>(json[1]["probabilities"]["4"].toDouble()), csv[2].split(',')[5].toFloat());
        const QByteArray npy = readBytes(path("out.npy"));
        QVERIFY(npy.startsWith("\x93NUMPY"));
        QVERIFY(npy.left(128).contains("(3, 10)") && npy.left(128).contains("<f4"));
        float value = 0;
        std::memcpy(&value, npy.constData() + npy.size() - 30 * 4 + 14 * 4, 4);
        QCOMPARE(value, csv[2].split(',')[5].toFloat());
        SCONCE_VERIFY_REFUSED(m_cli->wrong({"predict", m_run, path("three.idx"), "--out", path("out.txt")}, 2, ".csv"));
    }

    void whatCannotBePredictedIsRefused()
    {
        writeText(m_folder / "small.idx", idx(std::vector<std::uint8_t>(4 * 196, 1), 4, 14)); // as many bytes as one sample has
        writeText(m_folder / "broken.png", QByteArray("\x89PNG\r\n\x1a\n", 8) + QByteArray(50, 'x'));
        writeText(m_folder / "cut.idx", idx(std::vector<std::uint8_t>(784, 1), 3, 28));
        for (const char* file : {"small.idx", "broken.png", "cut.idx", "tiny.json", "nowhere.png"})
            SCONCE_VERIFY_REFUSED(m_cli->wrong({"predict", m_run, path(file)}, 2, QString(file)));
    }

    void theExportedWeightsAreThoseOfTheCheckpoint()
    {
        const Said said = m_cli->json({"export", m_run, "--format", "safetensors", "--out", path("model.safetensors")});
        SCONCE_VERIFY_SAID(said);
        const auto file = SafetensorsFile::open(m_folder / "model.safetensors");
        SCONCE_VERIFY_OK(file);
        const auto saved = SafetensorsFile::open(m_trained.last()["checkpoint"].toString().toStdString() + "/weights.safetensors");
        SCONCE_VERIFY_OK(saved);
        std::size_t bytes = 0;
        for (const auto& tensor : file->tensors()) {
            const TensorView* other = saved->find(tensor.name);
            QVERIFY2(other && other->shape == tensor.shape, tensor.name.c_str());
            QVERIFY2(std::equal(tensor.bytes.begin(), tensor.bytes.end(), other->bytes.begin(), other->bytes.end()), tensor.name.c_str());
            bytes += tensor.bytes.size();
        }
        QCOMPARE(bytes, std::size_t{784 * 8 + 8 + 8 * 10 + 10} * 4);
        bool recipe = false;
        for (const auto& [key, value] : file->metadata()) recipe |= QByteArray::fromStdString(value).contains("sconce-recipe");
        QVERIFY(recipe);
        SCONCE_VERIFY_REFUSED(m_cli->wrong({"export", m_run, "--format", "floppy", "--out", path("x")}, 2, "safetensors"));
        SCONCE_VERIFY_REFUSED(m_cli->wrong({"export", m_run, "--out", path("nowhere/model.safetensors")}));
    }
};

QTEST_GUILESS_MAIN(CliTest)
#include "cli_test.moc"
