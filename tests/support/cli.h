// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
// The real command line as a process: what it says, what it ends with, and whether what it says is fit for people. SCONCE_CLI is
// the program's path (tests/CMakeLists.txt).

#include "tests/support/paths.h"

#include <QCryptographicHash>
#include <QElapsedTimer>
#include <QFile>
#include <QJsonArray>
#include <QJsonDocument>
#include <QJsonObject>
#include <QProcess>
#include <QRegularExpression>
#include <QTest>

#include <csignal>
#include <functional>
#include <memory>
#include <sys/resource.h>

namespace sconce::test {

/// What a command said and how it ended.
struct Said
{
    int code = -1;       ///< 128 + signal where one killed it
    QString out, err;
    qint64 ms = 0;
    QList<QJsonObject> objects; ///< of standard output, line by line
    QString notJson;            ///< the first line that is no object

    const QJsonObject last() const { return objects.isEmpty() ? QJsonObject() : objects.last(); }
    QString text() const { return QString("exit code %1\n--- out ---\n%2\n--- err ---\n%3").arg(code).arg(out.right(4000), err.right(4000)); }
};

inline Said saidBy(QProcess& process)
{
    Said said;
    said.code = process.exitStatus() == QProcess::NormalExit ? process.exitCode() : 128 + process.exitCode();
    said.out = QString::fromUtf8(process.readAllStandardOutput());
    said.err = QString::fromUtf8(process.readAllStandardError());
    for (const QString& line : said.out.split('\n', Qt::SkipEmptyParts)) {
        const auto json = QJsonDocument::fromJson(line.toUtf8());
        if (json.isObject())
            said.objects += json.object();
        else if (said.notJson.isEmpty())
            said.notJson = line;
    }
    return said;
}

/// Empty if a person could read it aloud; otherwise what is wrong with it.
inline QString notASentence(const QString& text)
{
    if (text.isEmpty()) return "it is empty";
    const QChar first = text.front();
    if (!first.isUpper() && first != QChar(0x201C)) return "it does not begin with a capital: " + text;
    if (!text.endsWith('.') && !text.endsWith('?')) return "it does not end with a full stop: " + text;
    static const QRegularExpression innards("exception|what\\(\\)|std::|basic_string|terminate|errno|nlohmann|CLI::|c10::|\\bnull\\b|segmentation|0x[0-9a-f]{6}",
                                            QRegularExpression::CaseInsensitiveOption);
    if (const auto match = innards.match(text); match.hasMatch()) return "it shows innards (" + match.captured() + "): " + text;
    return "";
}

/// The program with a store of its own. Commands get it by the environment, as scripts do.
class Cli
{
  public:
    explicit Cli(std::string store) : m_store(QString::fromStdString(store)) {}

    QString store() const { return m_store; }
    /// Bytes of address space that a command may take; 0: no limit. LibTorch alone takes gigabytes, so only for what must not need it.
    void setMemoryLimit(rlim_t bytes) { m_memoryLimit = bytes; }
    /// Called in the child before it becomes the program.
    std::function<void()> inChild;

    std::unique_ptr<QProcess> start(const QStringList& arguments, const QString& program = SCONCE_CLI) const
    {
        auto process = std::make_unique<QProcess>();
        auto environment = QProcessEnvironment::systemEnvironment();
        environment.insert("SCONCE_HOME", m_store);
        environment.insert("LC_ALL", "C.UTF-8");
        process->setProcessEnvironment(environment);
        process->setChildProcessModifier([limit = m_memoryLimit, more = inChild] {
            const rlimit none{0, 0};
            setrlimit(RLIMIT_CORE, &none);
            const rlimit most{limit, limit};
            if (limit > 0) setrlimit(RLIMIT_AS, &most);
            if (more) more();
        });
        process->start(program, arguments);
        process->waitForStarted(10000);
        process->closeWriteChannel();
        return process;
    }

    /// Runs to its end; a command that takes longer than a minute and a half is killed (code 137).
    Said run(const QStringList& arguments, int timeoutMs = 90000) const
    {
        QElapsedTimer timer;
        timer.start();
        auto process = start(arguments);
        if (!process->waitForFinished(timeoutMs)) {
            process->kill();
            process->waitForFinished();
        }
        Said said = saidBy(*process);
        said.ms = timer.elapsed();
        return said;
    }
    Said json(QStringList arguments) const { return run(arguments << "--json"); }

    /// Runs what must fail: the code, one JSON object with the error on standard output, the same on standard error, and sentences.
    /// Empty if all is so.
    QString wrong(const QStringList& arguments, int code = 2, const QString& mentions = "") const
    {
        const Said said = json(arguments);
        if (said.code != code) return QString("exit code %1 instead of %2: %3").arg(said.code).arg(code).arg(said.text());
        if (!said.notJson.isEmpty()) return "not JSON: " + said.notJson;
        const QString error = said.last()["error"].toString();
        if (const QString flaw = notASentence(error); !flaw.isEmpty()) return flaw + "\n" + said.text();
        if (!said.err.contains(error)) return "standard error does not say it: " + said.text();
        if (!mentions.isEmpty() && !said.err.contains(mentions)) return "“" + mentions + "” is not mentioned: " + said.text();
        return "";
    }

  private:
    QString m_store;
    rlim_t m_memoryLimit = 0;
};

/// Waits for a condition that another process brings about.
inline bool eventually(const std::function<bool()>& condition, int ms = 60000)
{
    QElapsedTimer timer;
    timer.start();
    while (timer.elapsed() < ms) {
        if (condition()) return true;
        QTest::qWait(20);
    }
    return condition();
}

inline void writeText(const std::string& path, const QByteArray& text)
{
    QFile file(QString::fromStdString(path));
    if (!file.open(QIODevice::WriteOnly) || file.write(text) != text.size()) qFatal("Could not write %s", path.c_str());
}

inline QByteArray readBytes(const QString& path)
{
    QFile file(path);
    return file.open(QIODevice::ReadOnly) ? file.readAll() : QByteArray();
}

/// SHA-256 of a checkpoint's weights, as they lie in its folder. Two that are missing are not the same.
inline QByteArray weightsHash(const QString& checkpoint)
{
    const QByteArray bytes = readBytes(checkpoint + QStringLiteral("/weights.safetensors"));
    if (bytes.isEmpty()) qFatal("There are no weights in %s", qPrintable(checkpoint));
    return QCryptographicHash::hash(bytes, QCryptographicHash::Sha256);
}

/// The same training twice: once to its end, once killed when it prints `marker` and then gone on with. Empty if the weights are the same to
/// the last bit; else what was wrong.
inline QString killTrainResume(const Cli& cli, const QStringList& train, const QByteArray& marker, Said& whole, Said& resumed)
{
    whole = cli.run(train);
    if (whole.code != 0) return whole.text();
    const auto process = cli.start(train);
    if (!eventually([&] {
            process->waitForReadyRead(20);
            return process->peek(1 << 16).contains(marker) || process->state() != QProcess::Running;
        }))
        return QStringLiteral("it did not get so far");
    process->kill();
    process->waitForFinished();
    if (process->exitStatus() != QProcess::CrashExit) return QStringLiteral("it ended before it could be killed");
    const QString run = cli.json({"runs", "list"}).objects.first()["run"].toString();
    if (run == whole.last()["run"].toString()) return QStringLiteral("the killed run is not in the list");
    resumed = cli.json({"resume", run});
    if (resumed.code != 0) return resumed.text();
    const bool same = weightsHash(resumed.last()["checkpoint"].toString()) == weightsHash(whole.last()["checkpoint"].toString());
    return same ? QString() : QStringLiteral("the weights differ");
}

/// Writes a file into a folder of the test; its path.
inline QString written(const TemporaryFolder& folder, const std::string& name, const QByteArray& text)
{
    writeText(folder / name, text);
    return QString::fromStdString(folder / name);
}

/// A small network on the built-in digits: 90 steps an epoch, a few hundredths of a second.
inline QByteArray tinyRecipe(const QByteArray& units = "8")
{
    return R"({ "format": "sconce-recipe", "version": 1, "name": "tiny",
  "data": { "dataset": "digits", "split": { "kind": "last", "validation": 0.1 } },
  "layers": [ { "id": "l1", "type": "flatten" },
              { "id": "l2", "type": "dense", "units": )" +
           units + R"(, "activation": "relu" },
              { "id": "l3", "type": "dense", "units": 10 } ],
  "training": { "epochs": 1, "batch_size": 100, "learning_rate": 0.01 }, "threads": 1 })";
}

} // namespace sconce::test

/// A command that must end well, and with --json says nothing but JSON.
#define SCONCE_VERIFY_SAID(said)                                                                                       \
    do {                                                                                                               \
        const sconce::test::Said& verified = said;                                                                     \
        QVERIFY2(verified.code == 0, qPrintable(verified.text()));                                                     \
        QVERIFY2(verified.notJson.isEmpty(), qPrintable("not JSON: " + verified.notJson));                             \
    } while (false)
/// A check that says what is wrong, whole, and nothing if all is well.
#define SCONCE_VERIFY_NOTHING(...)                                                                                     \
    do {                                                                                                               \
        const QString flaw = (__VA_ARGS__);                                                                            \
        QVERIFY2(flaw.isEmpty(), qPrintable(flaw));                                                                    \
    } while (false)
/// A command that must be refused, in sentences; see Cli::wrong.
#define SCONCE_VERIFY_REFUSED(...) SCONCE_VERIFY_NOTHING(__VA_ARGS__)
