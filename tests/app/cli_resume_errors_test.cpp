// SPDX-License-Identifier: GPL-3.0-or-later
// What stands in a resume's way gets a sentence and costs nothing: data that is gone or changed, checkpoints that are damaged or
// out of reach, a lost folder, a torn or newer store. Where the way is free again, the run ends with the very weights of one that
// was never disturbed. And data that lies, explodes or is broken.
#include "tests/support/cli.h"

#include "core/formats/picture.h"

#include <QDir>

#include <unistd.h>
#include <zlib.h>

using namespace sconce;
using namespace sconce::test;

namespace {

QByteArray idx(std::initializer_list<quint32> sizes, const QByteArray& body)
{
    QByteArray bytes("\0\0\x08", 3);
    bytes += static_cast<char>(sizes.size());
    for (const quint32 size : sizes)
        for (int shift = 24; shift >= 0; shift -= 8) bytes += static_cast<char>(size >> shift);
    return bytes + body;
}

constexpr int side = 8, perBatch = 50, samples = 1000, stepsPerEpoch = samples * 9 / 10 / perBatch;

/// Pictures of four classes, each bright in its own quarter; another `salt` gives other pictures.
void writeSet(const std::string& folder, int salt)
{
    QDir().mkpath(QString::fromStdString(folder));
    for (const auto& [name, count] : {std::pair{"train", samples}, std::pair{"t10k", samples / 5}}) {
        QByteArray pixels, labels;
        for (int i = 0; i < count; ++i) {
            const int label = i % 4;
            labels += static_cast<char>(label);
            for (int p = 0; p < side * side; ++p) pixels += static_cast<char>((p / (side * side / 4) == label ? 120 : 40) + (i * 31 + p * 17 + salt * 13) % 97);
        }
        const auto size = static_cast<quint32>(count);
        writeText(folder + "/" + name + "-images-idx3-ubyte", idx({size, side, side}, pixels));
        writeText(folder + "/" + name + "-labels-idx1-ubyte", idx({size}, labels));
    }
}

void writePacked(const std::string& path, const QByteArray& content)
{
    gzFile file = gzopen(path.c_str(), "wb9");
    if (!file || gzwrite(file, content.data(), static_cast<unsigned>(content.size())) != content.size() || gzclose(file) != Z_OK) qFatal("Could not write %s", path.c_str());
}

const QByteArray recipeText = R"({ "format": "sconce-recipe", "version": 1, "name": "quarters",
  "data": { "dataset": "quarters", "split": { "kind": "last", "validation": 0.1 } },
  "layers": [ { "id": "l1", "type": "flatten" },
              { "id": "l2", "type": "dense", "units": 8, "activation": "relu" },
              { "id": "l3", "type": "dropout", "rate": 0.2 },
              { "id": "l4", "type": "dense", "units": 4 } ],
  "training": { "epochs": 2, "batch_size": 50, "learning_rate": 0.01, "checkpoint": { "keep_last": 3 } }, "threads": 1 })";

} // namespace

class CliResumeErrorsTest : public QObject
{
    Q_OBJECT

    TemporaryFolder m_folder;
    QByteArray m_undisturbed; ///< weights after four epochs of a run that nothing befell

    QString path(const std::string& name) { return QString::fromStdString(m_folder / name); }
    QByteArray weightsOf(const Said& said) { return readBytes(said.last()["checkpoint"].toString() + "/weights.safetensors"); }
    /// A store with a run that has done two epochs; `resume` to four goes on.
    std::unique_ptr<Cli> storeWithARun(const std::string& name)
    {
        auto cli = std::make_unique<Cli>(m_folder / name);
        const Said said = cli->json({"train", path("recipe.json"), "--data", path("set"), "--name", "Kept"});
        if (said.code != 0 || said.last()["steps"] != 2 * stepsPerEpoch) qWarning("%s", qPrintable(said.text()));
        return cli;
    }
    static QString folderOf(const Cli& cli) { return cli.json({"runs", "show", "last"}).last()["folder"].toString(); }
    static QStringList checkpointsOf(const Cli& cli) { return QDir(folderOf(cli) + "/checkpoints").entryList({"step-*"}, QDir::Dirs, QDir::Name); }
    /// What the store knows of the run: nothing of it may change when a resume is refused.
    static QString whole(const Cli& cli) { return cli.json({"runs", "list"}).out + cli.json({"runs", "export", "last", "--series"}).out + checkpointsOf(cli).join(' '); }
    /// Empty if the run went on to four epochs and ended as if nothing had happened.
    QString ended(const Cli& cli, const Said& said, bool series = true)
    {
        if (said.code != 0 || !said.notJson.isEmpty()) return said.text();
        if (said.last()["status"] != "finished" || said.last()["epochs"] != 4) return said.out;
        if (weightsOf(said) != m_undisturbed) return "the weights are not those of the undisturbed run";
        int next = 0;
        for (const auto& point : cli.json({"runs", "export", "last", "--series"}).objects)
            if (point["key"] == "train/loss" && point["step"] != next++) return QString("a gap in the losses at step %1").arg(next - 1);
        return !series || next == 4 * stepsPerEpoch ? QString() : QString("%1 losses").arg(next);
    }
    static void flip(const QString& file)
    {
        QFile open(file);
        const qint64 at = QFileInfo(file).size() / 2;
        char byte = 0;
        if (!open.open(QIODevice::ReadWrite) || !open.seek(at) || !open.getChar(&byte) || !open.seek(at) || !open.putChar(static_cast<char>(byte ^ 0x55))) qFatal("Could not damage %s", qPrintable(file));
    }

  private Q_SLOTS:
    void initTestCase()
    {
        writeText(m_folder / "recipe.json", recipeText);
        writeSet(m_folder / "set", 0);
        Cli cli(m_folder / "undisturbed");
        const Said said = cli.json({"train", path("recipe.json"), "--data", path("set"), "--epochs", "4"});
        SCONCE_VERIFY_SAID(said);
        m_undisturbed = weightsOf(said);
        QVERIFY(m_undisturbed.size() > 1000);
    }

    void dataThatIsGoneOrChangedCostsNothing()
    {
        const auto cli = storeWithARun("data");
        const QString before = whole(*cli);
        const QStringList resume{"resume", "last", "--epochs", "4"};

        QVERIFY(QDir().rename(path("set"), path("moved")));
        SCONCE_VERIFY_REFUSED(cli->wrong(resume, 2, path("set")));
        QCOMPARE(whole(*cli), before);

        writeSet(m_folder / "set", 5); // others in their place
        SCONCE_VERIFY_REFUSED(cli->wrong(resume, 2, "has changed since the run began"));
        QCOMPARE(whole(*cli), before);

        QVERIFY(QFile::resize(path("set/train-images-idx3-ubyte"), 5000));
        SCONCE_VERIFY_REFUSED(cli->wrong(resume, 2, "train-images-idx3-ubyte"));
        QCOMPARE(whole(*cli), before);

        // One pixel of the right ones.
        QVERIFY(QDir(path("set")).removeRecursively());
        writeSet(m_folder / "set", 0);
        flip(path("set/train-images-idx3-ubyte"));
        SCONCE_VERIFY_REFUSED(cli->wrong(resume, 2, "has changed since the run began"));
        QCOMPARE(whole(*cli), before);

        QVERIFY(QDir(path("set")).removeRecursively());
        QVERIFY(QDir().rename(path("moved"), path("set")));
        SCONCE_VERIFY_NOTHING(ended(*cli, cli->json(resume)));
    }

    void aDamagedNewestCheckpointIsPassedOver_data()
    {
        QTest::addColumn<QString>("file");
        for (const char* file : {"weights.safetensors", "optimiser.safetensors", "manifest.json"}) QTest::newRow(file) << file;
    }
    void aDamagedNewestCheckpointIsPassedOver()
    {
        QFETCH(QString, file);
        const auto cli = storeWithARun("damaged " + file.toStdString());
        QCOMPARE(checkpointsOf(*cli).size(), 2);
        const QString newest = checkpointsOf(*cli).last();
        flip(folderOf(*cli) + "/checkpoints/" + newest + "/" + file);
        const Said said = cli->json({"resume", "last", "--epochs", "4"});
        QVERIFY2(said.err.startsWith("The checkpoint " + newest + " is damaged: "), qPrintable(said.text()));
        QVERIFY2(said.err.contains(QString("from step %1.").arg(stepsPerEpoch)), qPrintable(said.text()));
        QCOMPARE(notASentence(said.err.section('\n', 0, 0)), "");
        SCONCE_VERIFY_NOTHING(ended(*cli, said));
    }

    void withAllCheckpointsDamagedItBeginsAgainAndSaysSo()
    {
        const auto cli = storeWithARun("all damaged");
        for (const QString& name : checkpointsOf(*cli)) QVERIFY(QFile::resize(folderOf(*cli) + "/checkpoints/" + name + "/weights.safetensors", 9));
        const Said said = cli->json({"resume", "last", "--epochs", "4"});
        QCOMPARE(said.err.count("is damaged: "), 2);
        QVERIFY2(said.err.contains("the run begins again"), qPrintable(said.text()));
        SCONCE_VERIFY_NOTHING(ended(*cli, said));
    }

    /// An older one in its place, or beginning again, would throw away what a newer version has made.
    void aCheckpointOfANewerVersionIsLeftAlone()
    {
        const auto cli = storeWithARun("tomorrow");
        const QString manifest = folderOf(*cli) + "/checkpoints/" + checkpointsOf(*cli).last() + "/manifest.json";
        const QByteArray ours = readBytes(manifest);
        QByteArray theirs = ours;
        theirs.replace("\n \"version\": 1", "\n \"version\": 2");
        QVERIFY(theirs != ours);
        writeText(manifest.toStdString(), theirs);
        const QString before = whole(*cli);
        SCONCE_VERIFY_REFUSED(cli->wrong({"resume", "last", "--epochs", "4"}, 2, "newer version"));
        SCONCE_VERIFY_REFUSED(cli->wrong({"evaluate", "last"}, 2, "newer version"));
        QCOMPARE(whole(*cli), before);
        writeText(manifest.toStdString(), ours);
        SCONCE_VERIFY_NOTHING(ended(*cli, cli->json({"resume", "last", "--epochs", "4"})));
    }

    void aCheckpointThatMayNotBeReadIsLeftAlone()
    {
        const auto cli = storeWithARun("forbidden");
        const QString newest = folderOf(*cli) + "/checkpoints/" + checkpointsOf(*cli).last();
        if (geteuid() == 0) { // root reads everything; nobody, to whom the store is given, does not
            QFile::setPermissions(QString::fromStdString(m_folder.path()), QFile::Permissions(0x7755));
            QCOMPARE(QProcess::execute("chown", {"-R", "65534:65534", cli->store()}), 0);
            cli->inChild = [] {
                if (setgid(65534) != 0 || setuid(65534) != 0) _exit(99);
            };
        }
        const QString before = whole(*cli);
        if (before.isEmpty()) QSKIP("The program cannot be started as another user here.");
        QVERIFY(QFile::setPermissions(newest, QFile::Permissions()));
        SCONCE_VERIFY_REFUSED(cli->wrong({"resume", "last", "--epochs", "4"}, 1, "you are not allowed to"));
        QCOMPARE(whole(*cli), before);
        QVERIFY(QFile::setPermissions(newest, QFile::ReadOwner | QFile::WriteOwner | QFile::ExeOwner));
        cli->inChild = {}; // nobody may not be let into the folder where LibTorch lies
        SCONCE_VERIFY_NOTHING(ended(*cli, cli->json({"resume", "last", "--epochs", "4"})));
    }

    void aLostRunFolderIsNamedAndMadeAnew()
    {
        const auto cli = storeWithARun("lost folder");
        const QString folder = folderOf(*cli);
        QVERIFY(QDir(folder).removeRecursively());
        SCONCE_VERIFY_REFUSED(cli->wrong({"resume", "last", "--epochs", "4"}, 2, "The folder of this run, " + folder + ", is not there"));
        SCONCE_VERIFY_SAID(cli->json({"runs", "list"}));
        SCONCE_VERIFY_SAID(cli->json({"doctor"}));
        SCONCE_VERIFY_NOTHING(ended(*cli, cli->json({"resume", "last", "--epochs", "4"})));
    }

    void aTornStoreIsRebuiltOnTheWay()
    {
        const auto cli = storeWithARun("torn");
        QDir(cli->store() + "/backups").removeRecursively();
        writeText((cli->store() + "/sconce.db").toStdString(), QByteArray("This is not a database. ").repeated(2000));
        const Said said = cli->json({"resume", "last", "--epochs", "4"});
        QVERIFY2(said.err.contains("damaged"), qPrintable(said.text()));
        QCOMPARE(notASentence(said.err.section('\n', 0, 0)), "");
        // The run goes on from its checkpoint; the curve of what was torn is gone, and is not made up.
        QCOMPARE(said.code, 0);
        QCOMPARE(said.last()["epochs"], 4);
        QCOMPARE(weightsOf(said), m_undisturbed);
        QVERIFY2(said.err.contains(QString("from step %1.").arg(2 * stepsPerEpoch)), qPrintable(said.text()));
    }

    void aStoreOfANewerVersionIsNotGoneOnIn()
    {
        const auto cli = storeWithARun("newer");
        QFile file(cli->store() + "/sconce.db");
        QVERIFY(file.open(QIODevice::ReadWrite) && file.seek(60) && file.write(QByteArray("\0\0\x27\x0f", 4)) == 4); // user_version
        file.close();
        const QByteArray before = readBytes(file.fileName());
        const QStringList checkpoints = checkpointsOf(*cli);
        SCONCE_VERIFY_REFUSED(cli->wrong({"resume", "last", "--epochs", "4"}, 2, "newer"));
        QCOMPARE(readBytes(file.fileName()), before);
        QCOMPARE(checkpointsOf(*cli), checkpoints);
    }

    // ---- data ----

    void idxThatLiesIsRefusedInLittleMemory_data()
    {
        QTest::addColumn<QByteArray>("images");
        QTest::addColumn<bool>("packed");
        const QByteArray body(16 * side * side, 'x');
        for (const bool packed : {false, true}) {
            const auto row = [packed](const char* name, const QByteArray& images) { QTest::newRow((std::string(name) + (packed ? ", packed" : "")).c_str()) << images << packed; };
            row("cut in the header", QByteArray("\0\0\x08\x03\0\0", 6));
            row("cut in the pictures", idx({16, side, side}, body.chopped(1)));
            row("too long", idx({16, side, side}, body + "x"));
            row("promises a terabyte", idx({0x10000, 0x1000, 0x1000}, body));
            row("a product beyond 64 bits", idx({0xffffffff, 0xffffffff, 0xffffffff}, body));
            row("a product that wraps to what is there", idx({0x80000010, 0x80000000, 2}, body));
            row("more labels than pictures", idx({15, side, side}, body.first(15 * side * side)));
            row("a bomb", idx({16, side, side}, QByteArray(600 << 20, '\0')));
            row("text", "This is not a picture.\n");
            row("nothing", "");
        }
    }
    void idxThatLiesIsRefusedInLittleMemory()
    {
        QFETCH(QByteArray, images);
        QFETCH(bool, packed);
        if (!packed && images.size() > (100 << 20)) return; // a large file is no bomb before it is packed
        const std::string folder = m_folder / "lies";
        QVERIFY(QDir(path("lies")).removeRecursively() && QDir().mkpath(path("lies")));
        packed ? writePacked(folder + "/train-images-idx3-ubyte.gz", images) : writeText(folder + "/train-images-idx3-ubyte", images);
        writeText(folder + "/train-labels-idx1-ubyte", idx({16}, QByteArray(16, '\1')));
        Cli cli(m_folder / "untouched");
        cli.setMemoryLimit(rlim_t{400} << 20);
        SCONCE_VERIFY_REFUSED(cli.wrong({"data", "inspect", path("lies")}));
        SCONCE_VERIFY_REFUSED(cli.wrong({"train", path("recipe.json"), "--data", path("lies")}));
        QVERIFY(cli.json({"runs", "list"}).objects.isEmpty());
    }

    void brokenPicturesAreNamedAndLeftOut()
    {
        const std::string folder = m_folder / "pictures";
        const Picture picture{side, side, 1, std::vector<std::uint8_t>(side * side, 99)};
        for (const char* name : {"/cats", "/dogs"}) {
            QDir().mkpath(QString::fromStdString(folder + name));
            for (int i = 0; i < 5; ++i) SCONCE_VERIFY_OK(writePng(folder + name + "/" + std::to_string(i) + ".png", picture));
        }
        const QByteArray good = readBytes(path("pictures/cats/0.png"));
        writeText(folder + "/cats/cut.png", good.first(good.size() / 2));
        QByteArray huge = good;
        huge.replace(16, 8, QByteArray("\x7f\xff\xff\xff\x7f\xff\xff\xff", 8)); // 2^31 by 2^31
        writeText(folder + "/dogs/huge.png", huge);
        writeText(folder + "/dogs/empty.jpg", "");
        writeText(folder + "/dogs/text.jpg", "\xff\xd8\xff but no picture");

        Cli cli(m_folder / "pictures store");
        cli.setMemoryLimit(rlim_t{400} << 20);
        const Said said = cli.json({"data", "inspect", path("pictures")});
        SCONCE_VERIFY_SAID(said);
        QCOMPARE(said.last()["samples"], 10);
        const auto problems = said.last()["problems"].toArray();
        QCOMPARE(problems.size(), 1);
        const QString sentence = problems.first().toString();
        QVERIFY2(sentence.startsWith("4 pictures could not be read and are left out: ") && sentence.endsWith('.'), qPrintable(sentence));

        for (const char* name : {"/cats", "/dogs"}) // nothing good left
            for (int i = 0; i < 5; ++i) QVERIFY(QFile::remove(QString::fromStdString(folder + name + "/" + std::to_string(i) + ".png")));
        SCONCE_VERIFY_REFUSED(cli.wrong({"data", "inspect", path("pictures")}));
        SCONCE_VERIFY_REFUSED(cli.wrong({"train", path("recipe.json"), "--data", path("pictures")}));
    }
};

QTEST_GUILESS_MAIN(CliResumeErrorsTest)
#include "cli_resume_errors_test.moc"
