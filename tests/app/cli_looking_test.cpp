// SPDX-License-Identifier: GPL-3.0-or-later
// The command line's contract, to the key: what only looks (describe, recipes, layers, data inspect, devices, doctor), the store's
// place, and the same main job on MNIST and on a folder of pictures.
#include "tests/support/cli.h"

#include "core/formats/picture.h"

#include <QDir>

#include <cmath>

using namespace sconce;
using namespace sconce::test;

class CliLookingTest : public QObject
{
    Q_OBJECT

    TemporaryFolder m_folder;
    std::unique_ptr<Cli> m_cli;

    QString path(const std::string& name) { return QString::fromStdString(m_folder / name); }

  private Q_SLOTS:
    void initTestCase()
    {
        m_cli = std::make_unique<Cli>(m_folder / "store");
        writeText(m_folder / "tiny.json", tinyRecipe());
    }

    void findRateSuggestsOne()
    {
        const Said said = m_cli->json({"find", "rate", "digits-convnet", "--set", "/threads=1", "--set", "/training/batch_size=50", "--steps", "60"});
        SCONCE_VERIFY_SAID(said);
        QVERIFY(said.objects.size() > 20);
        QVERIFY(said.objects.first()["rate"].toDouble() == 1e-6 && said.objects.first()["loss"].toDouble() > 1);
        const double rate = said.last()["suggestion"].toDouble();
        QVERIFY2(rate >= 1e-4 && rate <= 3e-2, qPrintable(said.text()));
        QCOMPARE(m_cli->json({"runs", "list"}).objects.size(), 0); // nothing is kept
        SCONCE_VERIFY_REFUSED(m_cli->wrong({"find", "rate", "digits-convnet", "--from", "1", "--to", "0.1"}, 2, "below the highest"));
        SCONCE_VERIFY_REFUSED(m_cli->wrong({"find", "rate", "nothing"}, 2));
    }

    void findBatchSuggestsOne()
    {
        const Said said = m_cli->json({"find", "batch", "digits-convnet", "--set", "/threads=1", "--set", "/training/batch_size=50"});
        SCONCE_VERIFY_SAID(said);
        QVERIFY(said.objects.size() >= 3);
        QCOMPARE(said.objects.first()["batch"].toInt(), 50);
        QVERIFY(said.objects.first()["fits"].toBool() && said.objects.first()["made"].toBool() && said.objects.first()["bytes"].toDouble() > 0);
        const QJsonObject last = said.last();
        QVERIFY2(last["suggestion"].toInt() >= 64 && last["suggestion"].toInt() <= last["largest"].toInt(), qPrintable(said.text()));
        QVERIFY(last["memory"].toDouble() > 1e6); // the limit that was kept to
        SCONCE_VERIFY_NOTHING(notASentence(last["text"].toString()));
        SCONCE_VERIFY_NOTHING(notASentence(last["how"].toString()));
        QCOMPARE(m_cli->json({"runs", "list"}).objects.size(), 0); // nothing is kept
        SCONCE_VERIFY_REFUSED(m_cli->wrong({"find", "batch", "nothing"}, 2));
        QVERIFY(m_cli->run({"find", "batch", "digits-convnet", "--set", "/threads=1"}).out.contains("fits"));
    }

    void profileTellsWhereTheTimeGoes()
    {
        const QString trace = path("trace.json");
        const Said said = m_cli->json({"profile", "digits-convnet", "--set", "/threads=1", "--set", "/training/batch_size=50", "--steps", "5", "--trace", trace});
        SCONCE_VERIFY_SAID(said);
        double layers = 0, operations = 0;
        QStringList titles;
        for (const QJsonObject& line : said.objects) {
            if (line.contains("layer")) layers += line["seconds"].toDouble(), titles << line["layer"].toString();
            if (line.contains("operation")) operations += line["seconds"].toDouble();
            if (line.contains("layer") || line.contains("operation")) QVERIFY(std::abs(line["forward"].toDouble() + line["backward"].toDouble() - line["seconds"].toDouble()) < 1e-12);
        }
        const QJsonObject whole = said.last();
        QCOMPARE(whole["steps"].toInt(), 5);
        QVERIFY(whole["step_seconds"].toDouble() > 0 && operations > 0);
        QVERIFY2(std::abs(layers + whole["rest"].toDouble() - whole["together"].toDouble()) < 1e-9, qPrintable(said.text()));
        for (const char* part : {"data", "loss", "optimiser"}) QVERIFY(titles.contains(part));
        const auto written = QJsonDocument::fromJson(readBytes(trace)).object();
        QVERIFY(written["traceEvents"].toArray().size() > 50);
        QCOMPARE(m_cli->json({"runs", "list"}).objects.size(), 0); // nothing is kept
        const Said table = m_cli->run({"profile", "digits-convnet", "--set", "/threads=1", "--steps", "3"});
        for (const char* word : {"layer", "operation", "forward, ms", "rest", "convolution", "Medians over 3 steps"}) QVERIFY2(table.out.contains(word), qPrintable(table.out));
        SCONCE_VERIFY_REFUSED(m_cli->wrong({"profile", "digits-convnet", "--steps", "0"}, 2));
        SCONCE_VERIFY_REFUSED(m_cli->wrong({"profile", "digits-convnet", "--set", "/threads=1", "--steps", "1", "--trace", "/nowhere/at/all/trace.json"}, 2));
    }

    void describeGivesKerasShapesAndCounts()
    {
        const Said said = m_cli->json({"describe", "mnist-convnet"});
        SCONCE_VERIFY_SAID(said);
        struct Line { QString type; QJsonArray shape; int params; };
        const QList<Line> expected{{"conv2d", {32, 26, 26}, 320}, {"max_pool2d", {32, 13, 13}, 0}, {"conv2d", {64, 11, 11}, 18496}, {"max_pool2d", {64, 5, 5}, 0},
                                   {"flatten", {1600}, 0},        {"dropout", {1600}, 0},         {"dense", {10}, 16010}};
        QCOMPARE(said.objects.size(), expected.size() + 1);
        for (qsizetype i = 0; i < expected.size(); ++i) {
            const QJsonObject& line = said.objects[i];
            for (const char* key : {"id", "type", "shape", "params", "macs", "bytes"}) QVERIFY2(line.contains(key), key);
            QCOMPARE(line["type"], expected[i].type);
            QCOMPARE(line["shape"].toArray(), expected[i].shape);
            QCOMPARE(line["params"], expected[i].params);
        }
        QCOMPARE(said.objects[0]["macs"], 32 * 26 * 26 * 9);
        const QJsonObject totals = said.last();
        QCOMPARE(totals["params"], 34826);
        QCOMPARE(totals["macs"], 2440960);
        QCOMPARE(totals["steps_per_epoch"], 422);
        QVERIFY(totals["problems"].toArray().isEmpty());
        const Said table = m_cli->run({"describe", "mnist-convnet"});
        for (const char* word : {"18,496", "16,010", "34,826", "32×26×26"}) QVERIFY2(table.out.contains(word), qPrintable(table.out));
        QCOMPARE(m_cli->json({"describe", "mnist-mlp"}).last()["params"], 203530);
    }

    /// A recipe as it would be with a change, before anybody trains it.
    void describeTakesChanges()
    {
        const Said said = m_cli->json({"describe", "mnist-convnet", "--set", "/layers/0/filters=16", "--set", "/training/batch_size=1000"});
        SCONCE_VERIFY_SAID(said);
        QCOMPARE(said.objects[0]["params"], 160);
        QCOMPARE(said.last()["steps_per_epoch"], 54);
        QCOMPARE(m_cli->json({"describe", "mnist-convnet"}).objects[0]["params"], 320); // the recipe is as it was
        const Said wrong = m_cli->json({"describe", "mnist-convnet", "--set", "/data/split/validation=2"});
        QCOMPARE(wrong.code, 2);
        QVERIFY2(wrong.err.contains("/data/split/validation"), qPrintable(wrong.text()));
        SCONCE_VERIFY_REFUSED(m_cli->wrong({"describe", "mnist-convnet", "--set", "/training/epochs"}, 2, "--set"));
        SCONCE_VERIFY_REFUSED(m_cli->wrong({"describe", "mnist-convnet", "--set", "/training/nothing=3"}, 2));
    }

    /// How many samples are the data's own validation part, and that a recipe's share is then left aside.
    void aValidationFolderOfItsOwnIsCounted()
    {
        const Picture picture{8, 8, 1, std::vector<std::uint8_t>(64, 99)};
        for (const auto& [part, count] : std::vector<std::pair<std::string, int>>{{"train", 6}, {"val", 3}, {"test", 2}})
            for (const char* name : {"cats", "dogs"}) {
                QDir().mkpath(path("own/" + part + "/" + name));
                for (int i = 0; i < count; ++i) SCONCE_VERIFY_OK(writePng(m_folder / ("own/" + part + "/" + name + "/" + std::to_string(i) + ".png"), picture));
            }
        const Said said = m_cli->json({"data", "inspect", path("own")});
        SCONCE_VERIFY_SAID(said);
        QCOMPARE(said.last()["training"], 18);
        QCOMPARE(said.last()["own_validation"], 6);
        QVERIFY(m_cli->run({"data", "inspect", path("own")}).out.contains("Of the training samples, 6 are its own validation part."));
        QCOMPARE(m_cli->json({"data", "inspect", "builtin:digits"}).last()["own_validation"], 0);
        QVERIFY(!m_cli->run({"data", "inspect", "builtin:digits"}).out.contains("own validation"));
        QStringList paths;
        for (const QJsonValue each : m_cli->json({"describe", path("tiny.json"), "--data", path("own"), "--set", "/data/split/validation=0.3"}).last()["problems"].toArray()) paths += each["path"].toString();
        QVERIFY2(paths.contains("/data/split/validation"), qPrintable(paths.join(' ')));
    }

    void describeOfABrokenRecipeSaysWhereAndHowToMendIt()
    {
        writeText(m_folder / "broken.json", R"({"layers": [{"type": "dense", "units": "many"}, {"type": "dens"}], "training": {"epochs": 0}, "colour": 3})");
        const Said said = m_cli->json({"describe", path("broken.json")});
        QCOMPARE(said.code, 2);
        QVERIFY(said.notJson.isEmpty());
        QStringList paths;
        bool mends = false;
        for (const QJsonValue each : said.last()["problems"].toArray()) {
            paths += each["path"].toString();
            QCOMPARE(notASentence(each["sentence"].toString()), "");
            QVERIFY2(said.err.contains("Problem at " + each["path"].toString() + ": "), qPrintable(said.err));
            for (const QJsonValue fix : each["fixes"].toArray()) mends |= !fix["title"].toString().isEmpty() && !fix["patch"].toArray().isEmpty();
        }
        for (const char* expected : {"/layers/0/units", "/layers/1/type", "/training/epochs", "/colour"}) QVERIFY2(paths.contains(expected), qPrintable(paths.join(' ')));
        QVERIFY(mends);
    }

    void recipesAndLayers()
    {
        const Said recipes = m_cli->json({"recipes"});
        SCONCE_VERIFY_SAID(recipes);
        QStringList names;
        for (const auto& each : recipes.objects) names += each["recipe"].toString();
        for (const char* name : {"mnist-convnet", "mnist-fast", "mnist-mlp", "small-resnet", "digits-convnet"}) QVERIFY2(names.contains(name), name);
        const Said layers = m_cli->json({"layers"});
        SCONCE_VERIFY_SAID(layers);
        QVERIFY(layers.objects.size() >= 24);
        bool filters = false;
        for (const auto& layer : layers.objects) {
            QVERIFY(!layer["layer"].toString().isEmpty() && !layer["help"].toString().isEmpty());
            for (const QJsonValue parameter : layer["parameters"].toArray()) {
                QVERIFY2(parameter.toObject().contains("default"), qPrintable(layer["layer"].toString()));
                if (layer["layer"] == "conv2d" && parameter["id"] == "filters") filters = parameter["min"] == 1 && parameter["max"].toInt() >= 1024;
            }
        }
        QVERIFY(filters);
        QVERIFY(m_cli->run({"layers"}).out.contains("conv2d"));
    }

    void devicesAndTheirVersions()
    {
        const Said said = m_cli->json({"devices"});
        SCONCE_VERIFY_SAID(said);
        QCOMPARE(said.objects.first()["device"], "cpu");
        QCOMPARE(said.objects.first()["usable"], true);
        QVERIFY(said.objects.first()["memory_bytes"].toInteger() > 100'000'000);
        for (const auto& each : said.objects)
            if (each["device"].toString().startsWith("cuda") && !each["usable"].toBool()) QVERIFY(!each["why_not"].toString().isEmpty());
        for (const char* key : {"cores", "usable_cores", "gpu_driver", "gpu_state", "libtorch", "cuda", "cudnn"}) QVERIFY2(said.last().contains(key), key);
        QVERIFY(said.last()["libtorch"].toString().startsWith("2."));
    }

    void theBuiltInDigitsAreInspected()
    {
        const Said said = m_cli->json({"data", "inspect", "builtin:digits"});
        SCONCE_VERIFY_SAID(said);
        const QJsonObject data = said.last();
        QCOMPARE(data["kind"], "digits");
        QCOMPARE(data["samples"], 12000);
        QCOMPARE(data["shape"].toArray(), (QJsonArray{1, 28, 28}));
        QCOMPARE(data["classes"].toArray().size(), 10);
        QCOMPARE(data["balance"]["7"]["training"], 1000);
        QCOMPARE(data["fingerprint"].toString().size(), 64);
        QVERIFY(data["problems"].toArray().isEmpty());
        QCOMPARE(m_cli->json({"data", "inspect", "builtin:digits"}).last()["fingerprint"], data["fingerprint"]);
    }

    void brokenDataIsRefused()
    {
        QDir().mkpath(path("empty"));
        writeText(m_folder / "lying-idx3-ubyte", QByteArray("\0\0\x08\x03\x7f\xff\xff\xff\x7f\xff\xff\xff\x7f\xff\xff\xff", 16));
        writeText(m_folder / "text.txt", "Not a data set.\n");
        for (const char* name : {"nowhere", "empty", "lying-idx3-ubyte", "text.txt"}) {
            SCONCE_VERIFY_REFUSED(m_cli->wrong({"data", "inspect", path(name)}));
            SCONCE_VERIFY_REFUSED(m_cli->wrong({"train", path("tiny.json"), "--data", path(name)}));
        }
        QVERIFY(m_cli->json({"runs", "list"}).objects.isEmpty()); // and no run was made
    }

    void mnistIsInspectedAndTrainedOn()
    {
        SCONCE_NEEDS_DATA(mnist, "mnist");
        const Said said = m_cli->json({"data", "inspect", QString::fromStdString(mnist)});
        SCONCE_VERIFY_SAID(said);
        QCOMPARE(said.last()["kind"], "idx");
        QCOMPARE(said.last()["training"], 60000);
        QCOMPARE(said.last()["test"], 10000);
        QCOMPARE(said.last()["balance"]["1"]["training"], 6742);
        // Wide batches of a small network: ten steps are enough to see that it learns from these files.
        const Said trained = m_cli->json({"train", path("tiny.json"), "--data", QString::fromStdString(mnist), "--set", "/training/batch_size=1000"});
        SCONCE_VERIFY_SAID(trained);
        QCOMPARE(trained.last()["steps"], 54);
        QVERIFY(trained.last()["test_accuracy"].toDouble() > 0.6);
    }

    void aFolderOfPicturesIsInspectedTrainedOnAndMissedWhenItMoves()
    {
        SCONCE_NEEDS_DATA(archive, "images/cifar10-small.tar");
        QDir().mkpath(path("photos"));
        QCOMPARE(QProcess::execute("tar", {"-xf", QString::fromStdString(archive), "-C", path("photos")}), 0);
        QString root = path("photos");
        while (!QDir(root + "/train").exists()) {
            const auto inside = QDir(root).entryList(QDir::Dirs | QDir::NoDotAndDotDot);
            QVERIFY2(!inside.isEmpty(), "the archive holds no train folder");
            root += "/" + inside.first();
        }
        const Said said = m_cli->json({"data", "inspect", root});
        SCONCE_VERIFY_SAID(said);
        QCOMPARE(said.last()["kind"], "picture-folder");
        QCOMPARE(said.last()["training"], 2500);
        QCOMPARE(said.last()["test"], 500);
        QCOMPARE(said.last()["shape"].toArray(), (QJsonArray{3, 32, 32}));
        QCOMPARE(said.last()["classes"].toArray().size(), 10);

        const Said trained = m_cli->json({"train", path("tiny.json"), "--data", root, "--name", "Photos"});
        SCONCE_VERIFY_SAID(trained);
        const QString run = trained.last()["run"].toString();
        QCOMPARE(m_cli->json({"evaluate", run}).last()["accuracy"].toDouble(), trained.last()["test_accuracy"].toDouble());
        const auto pictures = QDir(root + "/test/" + said.last()["classes"][0].toString()).entryInfoList(QDir::Files);
        QVERIFY(!pictures.isEmpty());
        const Said predicted = m_cli->json({"predict", run, pictures.first().filePath()});
        SCONCE_VERIFY_SAID(predicted);
        QVERIFY(said.last()["classes"].toArray().contains(predicted.last()["class"]));

        QVERIFY(QDir().rename(root, path("moved")));
        SCONCE_VERIFY_REFUSED(m_cli->wrong({"evaluate", run}));
        SCONCE_VERIFY_SAID(m_cli->json({"evaluate", run, "--data", path("moved")}));
    }

    // ---- the store ----

    void theStoreIsNamedBeforeOrAfterTheCommand()
    {
        const QString there = path("elsewhere");
        SCONCE_VERIFY_SAID(m_cli->run({"--store", there, "train", path("tiny.json"), "--name", "Elsewhere", "--json"}));
        QVERIFY(QFile::exists(there + "/sconce.db"));
        for (const QStringList& words : {QStringList{"--store", there, "--json", "runs", "list"}, {"runs", "--store", there, "list", "--json"}, {"runs", "list", "--json", "--store", there},
                                         {"runs", "list", "--json", "--store=" + there}}) {
            const Said said = m_cli->run(words);
            SCONCE_VERIFY_SAID(said);
            QCOMPARE(said.objects.size(), 1);
            QCOMPARE(said.last()["name"], "Elsewhere");
        }
    }

    void doctorFindsAStoreInOrder()
    {
        const Said said = m_cli->json({"doctor"});
        SCONCE_VERIFY_SAID(said);
        QCOMPARE(said.last()["ok"], true);
        QCOMPARE(said.last()["store"], m_cli->store());
        QVERIFY(said.last()["found"].isArray() && said.last()["mended"].isArray());
    }

    void doctorMendsWhatIsNot()
    {
        Cli cli(m_folder / "mended");
        const Said trained = cli.json({"train", path("tiny.json")});
        SCONCE_VERIFY_SAID(trained);
        // A run folder without its row: what a lost database leaves behind.
        QVERIFY(QFile::remove(cli.store() + "/sconce.db"));
        QFile::remove(cli.store() + "/sconce.db-wal");
        QDir(cli.store() + "/backups").removeRecursively();
        SCONCE_VERIFY_SAID(cli.json({"doctor"}));
        const Said list = cli.json({"runs", "list"});
        QCOMPARE(list.objects.size(), 1);
        QCOMPARE(list.last()["run"], trained.last()["run"]);
        SCONCE_VERIFY_SAID(cli.json({"evaluate", "last"}));
    }

    void helpAndVersion()
    {
        const Said help = m_cli->run({"--help"});
        QCOMPARE(help.code, 0);
        for (const char* command : {"train", "resume", "evaluate", "predict", "runs", "describe", "recipes", "layers", "data", "devices", "export", "worker", "doctor"})
            QVERIFY2(help.out.contains(command), command);
        const Said version = m_cli->run({"--version"});
        QCOMPARE(version.code, 0);
        QVERIFY(QRegularExpression("^\\d+\\.\\d+\\.\\d+\\n$").match(version.out).hasMatch());
        QCOMPARE(m_cli->run({"train", "--help"}).code, 0);
    }
};

QTEST_GUILESS_MAIN(CliLookingTest)
#include "cli_looking_test.moc"
