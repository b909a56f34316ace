// SPDX-License-Identifier: GPL-3.0-or-later
// Real full and read-only disks, and a container's limit of memory, at the command line. The disks are small ones in memory that
// only this process and its children see (a mount namespace of its own), so nothing of the machine is touched.
#include "tests/support/cli.h"

#include <QDir>

#include <fcntl.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

using namespace sconce;
using namespace sconce::test;

namespace {

bool mayMount = false;

void writeLine(const char* path, const std::string& text)
{
    const int fd = ::open(path, O_WRONLY | O_CLOEXEC);
    if (fd < 0) return;
    if (::write(fd, text.data(), text.size()) < 0) qWarning("Could not write %s", path);
    ::close(fd);
}

/// Before the first thread: a namespace of this process's own, also for who is not root.
bool enterOwnNamespace()
{
    const auto user = ::geteuid();
    const auto group = ::getegid();
    if (user == 0) {
        if (::unshare(CLONE_NEWNS) != 0) return false;
    } else {
        if (::unshare(CLONE_NEWUSER | CLONE_NEWNS) != 0) return false;
        writeLine("/proc/self/setgroups", "deny");
        writeLine("/proc/self/uid_map", "0 " + std::to_string(user) + " 1");
        writeLine("/proc/self/gid_map", "0 " + std::to_string(group) + " 1");
    }
    return ::mount("none", "/", nullptr, MS_REC | MS_PRIVATE, nullptr) == 0;
}

/// A disk of a few megabytes at `folder`.
class SmallDisk
{
  public:
    SmallDisk(const std::string& folder, int megabytes) : m_folder(folder)
    {
        QDir().mkpath(QString::fromStdString(folder));
        m_mounted = ::mount("none", folder.c_str(), "tmpfs", 0, ("size=" + std::to_string(megabytes) + "m").c_str()) == 0;
    }
    ~SmallDisk()
    {
        if (m_mounted) ::umount2(m_folder.c_str(), MNT_DETACH);
    }
    bool mounted() const { return m_mounted; }
    bool makeReadOnly() const { return ::mount("none", m_folder.c_str(), nullptr, MS_REMOUNT | MS_RDONLY, nullptr) == 0; }
    /// To the last byte.
    void fill() const
    {
        const int fd = ::open((m_folder + "/filler").c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644);
        const std::string block(1 << 16, 'f');
        for (std::size_t size = block.size(); size > 0;)
            if (::write(fd, block.data(), size) <= 0) size /= 2;
        ::close(fd);
    }
    void free() const { QVERIFY(QFile::remove(QString::fromStdString(m_folder) + "/filler")); }

  private:
    std::string m_folder;
    bool m_mounted = false;
};

constexpr int stepsPerEpoch = 90;

} // namespace

class CliDiskTest : public QObject
{
    Q_OBJECT

    TemporaryFolder m_folder;
    QString m_recipe;

    QString path(const std::string& name) { return QString::fromStdString(m_folder / name); }
    QStringList train(int epochs) const { return {"train", m_recipe, "--epochs", QString::number(epochs), "--name", "Kept", "--json"}; }
    /// Weights of so many epochs on a disk with room.
    QByteArray undisturbed(int epochs)
    {
        Cli cli(m_folder / "room");
        const Said said = cli.run(train(epochs));
        return readBytes(said.last()["checkpoint"].toString() + "/weights.safetensors");
    }
    static QByteArray weightsOf(const Said& said) { return readBytes(said.last()["checkpoint"].toString() + "/weights.safetensors"); }
    static int losses(const Cli& cli)
    {
        int next = 0;
        for (const auto& point : cli.json({"runs", "export", "last", "--series"}).objects)
            if (point["key"] == "train/loss" && point["step"] != next++) return -1;
        return next;
    }
    /// Reads what a process says on standard error until `words` are in it.
    static bool says(QProcess& process, QByteArray& heard, const char* words)
    {
        return eventually(
            [&] {
                process.waitForReadyRead(20);
                heard += process.readAllStandardError();
                return heard.contains(words) || process.state() == QProcess::NotRunning;
            },
            40000) && heard.contains(words);
    }
    /// Trains until the second epoch, fills the disk, and waits for the run to say that it pauses.
    std::unique_ptr<QProcess> pausedByAFullDisk(const Cli& cli, const SmallDisk& disk, int epochs, QByteArray& heard) const
    {
        auto process = cli.start(train(epochs));
        if (says(*process, heard, "epoch 2:")) {
            disk.fill();
            (void)says(*process, heard, "Paused. ");
        }
        return process;
    }
    static QString statusSeen(const Cli& cli) { return cli.json({"runs", "list"}).last()["status"].toString(); }

  private Q_SLOTS:
    void initTestCase()
    {
        m_recipe = path("tiny.json");
        writeText(m_recipe.toStdString(), tinyRecipe());
    }
    void init()
    {
        if (!mayMount) QSKIP("This machine does not let a test mount a small disk.");
    }

    void aFullDiskPausesARunAndNothingIsLost()
    {
        constexpr int epochs = 60;
        const SmallDisk disk(m_folder / "full", 16);
        if (!disk.mounted()) QSKIP("This machine does not let a test mount a small disk.");
        const Cli cli(m_folder / "full/store");
        QByteArray heard;
        const auto process = pausedByAFullDisk(cli, disk, epochs, heard);
        QVERIFY2(heard.contains("Paused. "), heard.constData());
        const QString sentence = QString::fromUtf8(heard.mid(heard.indexOf("Paused. ") + 8)).section('\n', 0, 0);
        QCOMPARE(notASentence(sentence), "");
        QVERIFY2(sentence.contains("room") || sentence.contains("space"), qPrintable(sentence));
        QVERIFY(process->state() == QProcess::Running);
        const QString seen = statusSeen(cli); // from another process, on a disk without a byte left
        QVERIFY2(seen == "paused" || seen == "running", qPrintable(seen));

        disk.free();
        QVERIFY(process->waitForFinished(60000));
        const Said said = saidBy(*process);
        SCONCE_VERIFY_SAID(said);
        QCOMPARE(said.last()["status"], "finished");
        QCOMPARE(said.last()["steps"], epochs * stepsPerEpoch);
        QCOMPARE(losses(cli), epochs * stepsPerEpoch);
        QVERIFY(weightsOf(said) == undisturbed(epochs));
        SCONCE_VERIFY_SAID(cli.json({"doctor", "--check"}));
    }

    void aRunThatWaitsForTheDiskCanBeStoppedAndGoneOnWith()
    {
        constexpr int epochs = 60;
        const SmallDisk disk(m_folder / "stopped", 16);
        if (!disk.mounted()) QSKIP("This machine does not let a test mount a small disk.");
        const Cli cli(m_folder / "stopped/store");
        QByteArray heard;
        const auto process = pausedByAFullDisk(cli, disk, epochs, heard);
        QVERIFY2(heard.contains("Paused. "), heard.constData());
        ::kill(static_cast<pid_t>(process->processId()), SIGINT);
        QVERIFY2(process->waitForFinished(60000), "it does not stop while the disk is full");
        QVERIFY2(process->exitCode() == 130 || process->exitCode() == 1, qPrintable(saidBy(*process).text()));
        disk.free();
        const Said said = cli.json({"resume", "last"});
        SCONCE_VERIFY_SAID(said);
        QCOMPARE(said.last()["steps"], epochs * stepsPerEpoch);
        QCOMPARE(losses(cli), epochs * stepsPerEpoch);
        QVERIFY(weightsOf(said) == undisturbed(epochs));
    }

    void aDiskThatIsFullFromTheStartIsASentence()
    {
        const SmallDisk disk(m_folder / "start", 8);
        if (!disk.mounted()) QSKIP("This machine does not let a test mount a small disk.");
        disk.fill(); // not even a store fits
        const Cli cli(m_folder / "start/store");
        SCONCE_VERIFY_REFUSED(cli.wrong(train(1).mid(0, 6), 1, "space"));
        disk.free();
        SCONCE_VERIFY_SAID(cli.run(train(1)));
        const QString before = cli.json({"runs", "list"}).out;
        disk.fill(); // a store, but no room for a run
        SCONCE_VERIFY_REFUSED(cli.wrong(train(1).mid(0, 6), 1, ""));
        disk.free();
        const Said list = cli.json({"runs", "list"});
        QVERIFY2(list.out.contains(before.trimmed()), qPrintable(list.text()));
        SCONCE_VERIFY_SAID(cli.json({"doctor"}));
    }

    void exportsToAFullDiskLeaveNoHalves()
    {
        const SmallDisk disk(m_folder / "exports", 4);
        if (!disk.mounted()) QSKIP("This machine does not let a test mount a small disk.");
        const Cli cli(m_folder / "room for exports");
        SCONCE_VERIFY_SAID(cli.run(train(1)));
        disk.fill();
        const QString out = path("exports/out");
        SCONCE_VERIFY_REFUSED(cli.wrong({"export", "last", "--format", "safetensors", "--out", out}, 1, "space"));
        SCONCE_VERIFY_REFUSED(cli.wrong({"runs", "export", "last", "--series", "--out", out}, 1, "space"));
        QCOMPARE(QDir(path("exports")).entryList(QDir::Files), QStringList{"filler"});
    }

    void aReadOnlyDiskSaysSo()
    {
        const SmallDisk disk(m_folder / "read only", 16);
        if (!disk.mounted()) QSKIP("This machine does not let a test mount a small disk.");
        const Cli cli(m_folder / "read only/store");
        SCONCE_VERIFY_SAID(cli.run(train(1)));
        QVERIFY(disk.makeReadOnly());
        SCONCE_VERIFY_REFUSED(cli.wrong(train(1).mid(0, 6), 1, cli.store()));
        SCONCE_VERIFY_REFUSED(cli.wrong({"resume", "last", "--epochs", "2"}, 1, cli.store()));
        const Cli nowhere(m_folder / "read only/another");
        SCONCE_VERIFY_REFUSED(nowhere.wrong(train(1).mid(0, 6), 1, nowhere.store()));
    }

    void theLimitOfAContainerIsTheMemoryThereIs()
    {
        // A view of /sys for the child alone, in which its group may have a gigabyte; no group of the machine is changed.
        Cli cli(m_folder / "container");
        cli.inChild = [] {
            if (::unshare(CLONE_NEWNS) != 0 || ::mount("none", "/sys/fs/cgroup", "tmpfs", 0, nullptr) != 0) _exit(99);
            ::mkdir("/sys/fs/cgroup/memory", 0755);
            for (const char* file : {"/sys/fs/cgroup/memory.max", "/sys/fs/cgroup/memory/memory.limit_in_bytes"}) {
                const int fd = ::open(file, O_WRONLY | O_CREAT, 0644);
                if (fd < 0 || ::write(fd, "1073741824\n", 11) != 11) _exit(99);
                ::close(fd);
            }
        };
        // 100 million weights: 1.6 GB with gradients and two moments.
        const QByteArray wide = tinyRecipe("120000");
        writeText(m_folder / "wide.json", QByteArray(wide).replace(R"({ "id": "l3")", R"({ "id": "l9", "type": "dense", "units": 50 }, { "id": "l3")"));
        const Said said = cli.json({"train", path("wide.json"), "--data", "builtin:digits"});
        if (said.code == 99 || said.code == 255) QSKIP("This machine does not let a test change its view of /sys.");
        QCOMPARE(said.code, 1);
        const QString error = said.last()["error"].toString();
        QVERIFY2(error.contains("more than the 1 GiB of memory that may be used here"), qPrintable(said.text()));
    }
};

int main(int argc, char** argv)
{
    mayMount = enterOwnNamespace();
    QCoreApplication application(argc, argv);
    CliDiskTest test;
    return QTest::qExec(&test, argc, argv);
}
#include "cli_disk_test.moc"
