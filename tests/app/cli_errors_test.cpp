// SPDX-License-Identifier: GPL-3.0-or-later
// Bad input at the command line gets a sentence and costs nothing: exit code 2, quickly, in little memory. Wrong words, broken
// recipes, stores from tomorrow, torn stores, stores that cannot be written.
#include "tests/support/cli.h"

#include <QDir>

#include <unistd.h>

using namespace sconce;
using namespace sconce::test;

class CliErrorsTest : public QObject
{
    Q_OBJECT

    TemporaryFolder m_folder;
    std::unique_ptr<Cli> m_cli;
    QString m_recipe;

    QString path(const std::string& name) { return QString::fromStdString(m_folder / name); }
    QString recipe(const std::string& name, const QByteArray& text)
    {
        writeText(m_folder / name, text);
        return path(name);
    }
    /// A store with one run in it.
    std::unique_ptr<Cli> storeWithARun(const std::string& name)
    {
        auto cli = std::make_unique<Cli>(m_folder / name);
        const Said said = cli->json({"train", m_recipe, "--name", "Kept"});
        if (said.code != 0) qWarning("%s", qPrintable(said.text()));
        return cli;
    }

  private Q_SLOTS:
    void initTestCase()
    {
        m_cli = std::make_unique<Cli>(m_folder / "store");
        m_recipe = recipe("tiny.json", tinyRecipe());
    }

    void wrongWordsAreUsage_data()
    {
        QTest::addColumn<QStringList>("words");
        QTest::addColumn<QString>("mentions");
        const auto row = [](const char* name, const QStringList& words, const QString& mentions) { QTest::newRow(name) << words << mentions; };
        row("nothing", {}, "train");
        row("unknown command", {"trian"}, "Did you mean “train”?");
        row("strange command", {"xyzzy"}, "xyzzy");
        row("unknown command behind options", {"--store", "/tmp", "xyzzy"}, "xyzzy");
        row("unknown option", {"runs", "list", "--foo"}, "--foo");
        row("unknown option first", {"--foo"}, "--foo");
        row("misspelt option", {"train", "mnist-mlp", "--epoch", "3"}, "--epochs");
        row("a word too many", {"devices", "now"}, "now");
        row("no recipe", {"train"}, "recipe");
        row("no verb", {"runs"}, "show");
        row("unknown verb", {"runs", "lsit"}, "Did you mean “runs list”?");
        row("no run", {"runs", "show"}, "run");
        row("no out", {"export", "last"}, "--out");
        row("epochs is a word", {"train", "mnist-mlp", "--epochs", "many"}, "many");
        row("epochs without a number", {"train", "mnist-mlp", "--epochs"}, "--epochs");
        row("epochs twice", {"train", "mnist-mlp", "--epochs", "1", "--epochs", "2"}, "--epochs");
        row("epochs beyond integers", {"train", "mnist-mlp", "--epochs", "99999999999999999999"}, "--epochs");
        row("epochs is nothing", {"train", "digits-convnet", "--epochs", "0"}, "epochs");
        row("epochs is negative", {"train", "digits-convnet", "--epochs=-3"}, "epochs");
        row("seed is negative", {"train", "digits-convnet", "--seed=-1"}, "--seed");
        row("threads beyond reason", {"train", "digits-convnet", "--threads", "9999999"}, "threads");
        row("no such device", {"train", "digits-convnet", "--device", "gpu"}, "gpu");
        row("no such GPU", {"train", "digits-convnet", "--device", "cuda:77"}, "cuda:77");
        row("no such starter", {"train", "mnist-convnot"}, "mnist-convnet");
        row("no such file", {"train", "/nowhere/recipe.json"}, "/nowhere/recipe.json");
        row("a folder as recipe", {"train", "/"}, "folder");
        row("empty recipe name", {"train", ""}, "recipe");
        row("describe nothing", {"describe", "/nowhere/recipe.json"}, "/nowhere/recipe.json");
        row("unknown split", {"evaluate", "last", "--split", "tset"}, "tset");
        row("unknown weights", {"evaluate", "last", "--weights", "worst"}, "worst");
        row("no such run", {"evaluate", "nope"}, "nope");
        row("no run to show", {"runs", "show", "last"}, "");
        row("no run to resume", {"resume", "nope"}, "nope");
        row("no run to stop", {"runs", "stop", "nope"}, "nope");
        row("set without a value", {"train", "digits-convnet", "--set", "epochs"}, "epochs");
        row("set of what is not there", {"train", "digits-convnet", "--set", "/training/epoch=3"}, "/training/epochs");
        row("set of a wrong type", {"train", "digits-convnet", "--set", "/training/epochs=\"x\""}, "/training/epochs");
        row("set out of range", {"train", "digits-convnet", "--set", "/training/learning_rate=-1"}, "/training/learning_rate");
        row("set of no path", {"train", "digits-convnet", "--set", "training~=3"}, "training~");
        row("set of a layer that is not there", {"train", "digits-convnet", "--set", "/layers/99/units=3"}, "/layers/99/units");
        row("store without a folder", {"runs", "list", "--store"}, "--store");
        row("store is a file", {"runs", "list", "--store", "/etc/hostname"}, "/etc/hostname");
        row("store where nothing can be", {"runs", "list", "--store", "/proc/nowhere"}, "/proc/nowhere");
    }
    void wrongWordsAreUsage()
    {
        QFETCH(QStringList, words);
        QFETCH(QString, mentions);
        SCONCE_VERIFY_REFUSED(m_cli->wrong(words, 2, mentions));
        const Said plain = m_cli->run(words);
        QCOMPARE(plain.code, 2);
        QCOMPARE(plain.out, "");
    }

    void brokenRecipesAreRefusedQuicklyInLittleMemory_data()
    {
        QTest::addColumn<QByteArray>("text");
        QTest::addColumn<QString>("mentions");
        const auto row = [](const char* name, const QByteArray& text, const QString& mentions) { QTest::newRow(name) << text << mentions; };
        const auto layers = [](const QByteArray& list) { return R"({"name": "x", "data": {"dataset": "digits"}, "layers": [)" + list + "]}"; };
        row("empty file", "", "");
        row("not JSON", "{ \"layers\": [", "");
        row("bytes", QByteArray("\x00\xff\xfe\x80", 4), "");
        row("a list", "[1, 2, 3]", "");
        row("two values", "{} {}", "");
        row("not a recipe", R"({"format": "something-else"})", "");
        row("from tomorrow", R"({"format": "sconce-recipe", "version": 99, "layers": []})", "newer");
        row("unknown key", R"({"layers": [], "colour": 3})", "/colour");
        row("unknown key of a layer", layers(R"({"type": "flatten"}, {"type": "dense", "units": 10, "unitz": 4})"), "/layers/1/unitz");
        row("same key twice", R"({"name": "a", "name": "b", "layers": []})", "name");
        row("wrong type", layers(R"({"type": "flatten"}, {"type": "dense", "units": [10]})"), "/layers/1/units");
        row("layers is a word", R"({"layers": "many"})", "/layers");
        row("a layer is a number", layers("7"), "/layers/0");
        row("training is a list", R"({"layers": [], "training": []})", "/training");
        row("no layers", layers(""), "");
        row("not a number", layers(R"({"type": "dropout", "rate": NaN})"), "");
        row("beyond double", R"({"layers": [], "training": {"learning_rate": 1e999}})", "");
        row("unknown layer", layers(R"({"type": "flatten"}, {"type": "dens", "units": 10})"), "/layers/1/type");
        row("shapes that do not fit", layers(R"({"type": "dense", "units": 10})"), "/layers/0");
        row("too few outputs", layers(R"({"type": "flatten"}, {"type": "dense", "units": 3})"), "/layers/1");
        row("10^12 in one number", layers(R"({"type": "flatten"}, {"type": "dense", "units": 1000000000000})"), "/layers/1/units");
        row("10^12 weights", layers(R"({"type": "flatten"}, {"type": "dense", "units": 1000000}, {"type": "dense", "units": 1000000}, {"type": "dense", "units": 10})"), "");
        row("more than 2^63 weights", layers(R"({"type": "flatten"})" + QByteArray(R"(, {"type": "dense", "units": 1048576})").repeated(40)), "");
        row("lists 10,000 deep", R"({"layers": )" + QByteArray("[").repeated(10000) + QByteArray("]").repeated(10000) + "}", "64");
        row("objects 10,000 deep", QByteArray(R"({"layers":)").repeated(10000) + "1" + QByteArray("}").repeated(10000), "64");
        row("blocks 10,000 deep", R"({"layers": )" + QByteArray(R"([{"type": "residual", "branches": [)").repeated(10000) + QByteArray("]}]").repeated(10000) + "}", "64");
        row("100,000 layers", layers(QByteArray(R"({"type": "relu"},)").repeated(50000) + R"({"type": "relu"})"), "");
        row("larger than a recipe may be", "{\"notes\": \"" + QByteArray(3 << 20, 'x') + "\"}", "");
        row("batch beyond reason", R"({"data": {"dataset": "digits"}, "layers": [{"type": "flatten"}, {"type": "dense", "units": 10}], "training": {"batch_size": 99999999999}})",
            "/training/batch_size");
    }
    void brokenRecipesAreRefusedQuicklyInLittleMemory()
    {
        QFETCH(QByteArray, text);
        QFETCH(QString, mentions);
        const QString file = recipe("bad.json", text);
        Cli small(m_folder / "store");
        small.setMemoryLimit(rlim_t{400} << 20);
        QElapsedTimer timer;
        timer.start();
        SCONCE_VERIFY_REFUSED(small.wrong({"train", file}, 2, mentions));
        const Said described = small.json({"describe", file});
        QVERIFY2(described.code == 2 && described.notJson.isEmpty(), qPrintable(described.text()));
        QVERIFY2(timer.elapsed() < 20000, qPrintable(QString("%1 ms").arg(timer.elapsed()))); // milliseconds; the machine may be busy
    }

    void everyProblemOfARecipeIsPrinted()
    {
        const QString file = recipe("many.json", R"({"layers": [{"type": "dense", "units": 0, "bias": 3}, {"type": "dens"}], "training": {"epochs": "x", "speed": 9}, "seed": -4})");
        const Said said = m_cli->json({"train", file});
        QCOMPARE(said.code, 2);
        QStringList paths;
        for (const auto& each : said.objects)
            if (each.contains("problem")) {
                paths += each["path"].toString();
                QCOMPARE(notASentence(each["problem"].toString()), "");
            }
        for (const char* expected : {"/layers/0/units", "/layers/0/bias", "/layers/1/type", "/training/epochs", "/training/speed", "/seed"}) {
            QVERIFY2(paths.contains(expected), qPrintable(QString(expected) + " is not in " + paths.join(' ')));
            QVERIFY2(said.err.contains("Problem at " + QString(expected) + ": "), qPrintable(said.err));
        }
    }

    void aStoreFromTomorrowIsReadNotWritten()
    {
        const auto cli = storeWithARun("newer");
        // user_version, big-endian at byte 60 of an SQLite file.
        QFile file(cli->store() + "/sconce.db");
        QVERIFY(!QFile::exists(cli->store() + "/sconce.db-wal") || QFileInfo(cli->store() + "/sconce.db-wal").size() == 0);
        QVERIFY(file.open(QIODevice::ReadWrite) && file.seek(60) && file.write(QByteArray("\0\0\x27\x0f", 4)) == 4);
        file.close();
        const QByteArray before = readBytes(file.fileName());
        const Said list = cli->json({"runs", "list"});
        SCONCE_VERIFY_SAID(list);
        QCOMPARE(list.last()["name"], "Kept");
        QVERIFY2(list.err.contains("newer"), qPrintable(list.text()));
        SCONCE_VERIFY_REFUSED(cli->wrong({"train", m_recipe}, 2, "newer"));
        SCONCE_VERIFY_REFUSED(cli->wrong({"runs", "delete", "last"}, 2, "newer"));
        QCOMPARE(readBytes(file.fileName()), before);
    }

    void aTornStoreIsSetAsideAndRebuilt()
    {
        const auto cli = storeWithARun("torn");
        QDir(cli->store() + "/backups").removeRecursively();
        writeText((cli->store() + "/sconce.db").toStdString(), QByteArray("This is not a database. ").repeated(500));
        const Said list = cli->json({"runs", "list"});
        SCONCE_VERIFY_SAID(list);
        QCOMPARE(list.objects.size(), 1);
        QCOMPARE(list.last()["name"], "Kept");
        QCOMPARE(list.last()["status"], "finished");
        const QString sentence = list.err.section('\n', 0, 0);
        QCOMPARE(notASentence(sentence), "");
        bool aside = false;
        for (const QString& name : QDir(cli->store()).entryList(QDir::Dirs)) aside |= name.startsWith("corrupt-");
        QVERIFY(aside);
        SCONCE_VERIFY_SAID(cli->json({"doctor"}));
    }

    void aReadOnlyStoreSaysSo()
    {
        const auto cli = storeWithARun("locked");
        // Root may write anywhere; nobody may not.
        if (geteuid() == 0) {
            QFile::setPermissions(QString::fromStdString(m_folder.path()), QFile::Permissions(0x7755));
            cli->inChild = [] {
                if (setgid(65534) != 0 || setuid(65534) != 0) _exit(99);
            };
        } else {
            QCOMPARE(QProcess::execute("chmod", {"-R", "a-w", cli->store()}), 0);
        }
        const Said said = cli->json({"train", m_recipe});
        if (geteuid() != 0) QProcess::execute("chmod", {"-R", "u+w", cli->store()});
        if (said.code == 99 || said.code == 255) QSKIP("The program cannot be started as another user here.");
        QVERIFY2(said.code == 1 || said.code == 2, qPrintable(said.text()));
        QCOMPARE(notASentence(said.last()["error"].toString()), "");
        QVERIFY2(said.last()["error"].toString().contains(cli->store()), qPrintable(said.text()));
        QCOMPARE(m_cli->json({"runs", "list", "--store", cli->store()}).objects.size(), 1);
    }

    void aDamagedCheckpointIsPassedOver()
    {
        const auto cli = storeWithARun("damaged");
        SCONCE_VERIFY_SAID(cli->json({"resume", "last", "--epochs", "2"}));
        const QJsonObject shown = cli->json({"runs", "show", "last"}).last();
        const QString folder = shown["folder"].toString() + "/checkpoints/";
        QFile newest(folder + "step-000000180/weights.safetensors");
        QVERIFY(newest.open(QIODevice::ReadWrite) && newest.seek(newest.size() - 5) && newest.write("x") == 1);
        newest.close();
        const Said said = cli->json({"evaluate", "last"});
        SCONCE_VERIFY_SAID(said);
        QVERIFY2(said.last()["checkpoint"].toString().contains("/step-000000090"), qPrintable(said.text()));
        const QString sentence = said.err.section('\n', 0, 0);
        QVERIFY2(sentence.startsWith("The checkpoint step-000000180 is damaged: "), qPrintable(sentence));
        QCOMPARE(notASentence(sentence), "");
        QVERIFY(QDir(folder).removeRecursively());
        SCONCE_VERIFY_REFUSED(cli->wrong({"evaluate", "last"}));
    }
};

QTEST_GUILESS_MAIN(CliErrorsTest)
#include "cli_errors_test.moc"
