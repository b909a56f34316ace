// SPDX-License-Identifier: GPL-3.0-or-later
// `sconce bench` as a process: the list, measurements of few steps, a peer beside them (a script that only says its figures), what is
// refused, and being stopped.
#include "tests/support/cli.h"

#include <QDir>

using namespace sconce;
using namespace sconce::test;

class CliBenchTest : public QObject
{
    Q_OBJECT

    TemporaryFolder m_folder;
    std::unique_ptr<Cli> m_cli;

    /// A program that stands in for Python: gets the script's path and its arguments.
    QString python(const char* name, const QByteArray& does)
    {
        const QString path = written(m_folder, name, "#!/bin/sh\n" + does + "\n");
        QFile::setPermissions(path, QFile::ReadOwner | QFile::WriteOwner | QFile::ExeOwner);
        return path;
    }
    static QJsonObject result(const Said& said, const QString& who)
    {
        for (const QJsonValue& each : said.last()["results"].toArray())
            if (each["who"].toString() == who) return each.toObject();
        return {};
    }
    /// The cost in processor time: of what each round told, with nothing that other programs could change in it.
    static void checkCheckpoints(const Said& said)
    {
        const int checkpoints = said.objects[1]["checkpoints"].toInt() + said.objects[0]["checkpoints"].toInt();
        QVERIFY(checkpoints == 2 || checkpoints == 3); // one more where the run does not hear at once that it is to end
        const QJsonObject with = said.objects[said.objects[0]["checkpoints"].toInt() > 0 ? 0 : 1];
        for (const char* key : {"writer_cpu_ms", "trainer_cpu_ms"}) QVERIFY2(with[key].toDouble() > 0, key);
        QVERIFY(with["history_cpu_ms_per_step"].isNull() || with["history_cpu_ms_per_step"].toDouble() > 0); // null where the system does not count
        QVERIFY(with["writer_cpu_ms"].toDouble() < with["writing_ms"].toDouble() * 1.05); // the rest is the disk's
        QCOMPARE(said.last()["every"].toInt(), 10);
        const QJsonObject cost = said.last()["checkpoint_cpu"].toObject();
        const double cores = said.last()["machine"].toObject()["cores"].toDouble(), step = result(said, "without")["median"].toDouble();
        const double expected = (cost["trainer_ms"].toDouble() + (cost["writer_ms"].toDouble() + cost["history_ms"].toDouble()) / cores) / (10 * step);
        QVERIFY(cost["writer_ms"].toDouble() > 0 && cost["trainer_ms"].toDouble() > 0 && cost["history_ms"].toDouble() >= 0);
        QCOMPARE(cost["share"].toDouble(), expected);
    }
    QStringList leftovers() const { return QDir(QString::fromStdString(m_folder / "tmp")).entryList({"sconce-bench-*"}); }

  private Q_SLOTS:
    void initTestCase()
    {
        QVERIFY(QDir().mkpath(QString::fromStdString(m_folder / "tmp")));
        qputenv("TMPDIR", QByteArray::fromStdString(m_folder / "tmp"));
        m_cli = std::make_unique<Cli>(m_folder / "store");
    }

    void theList()
    {
        const Said said = m_cli->json({"bench"});
        SCONCE_VERIFY_SAID(said);
        QStringList names;
        for (const QJsonObject& line : said.objects) names += line["bench"].toString();
        QCOMPARE(names, QStringList({"floor", "b1", "b1gpu", "b2", "b4", "b5", "b6", "augment", "checkpoints", "edits", "step"}));
        const Said text = m_cli->run({"bench"});
        for (const QString& name : names) QVERIFY2(text.out.contains(name + " "), qPrintable(text.out));
    }

    void whatEachMeasures_data()
    {
        QTest::addColumn<QStringList>("words");
        QTest::addColumn<QString>("unit");
        QTest::newRow("b1") << QStringList{"b1", "--steps", "3", "--warm", "1"} << "ms/step";
        QTest::newRow("b1 in bfloat16") << QStringList{"b1", "--steps", "3", "--warm", "1", "--precision", "bf16"} << "ms/step";
        QTest::newRow("b4") << QStringList{"b4", "--steps", "1", "--warm", "0", "--batch", "2"} << "ms/step";
        QTest::newRow("b5") << QStringList{"b5", "--steps", "2", "--warm", "1", "--batch", "2"} << "ms/step";
        QTest::newRow("augment") << QStringList{"augment", "--steps", "50", "--warm", "1", "--batch", "64"} << "µs/batch";
        QTest::newRow("b6") << QStringList{"b6", "--steps", "50", "--warm", "1", "--batch", "64"} << "µs/batch";
        QTest::newRow("step") << QStringList{"step", "--recipe", "digits-convnet", "--set", "/training/learning_rate=0.01", "--steps", "2"} << "ms/step";
        QTest::newRow("checkpoints") << QStringList{"checkpoints", "--steps", "20", "--warm", "5", "--every", "10"} << "ms/step";
        QTest::newRow("edits") << QStringList{"edits", "--steps", "3", "--warm", "1"} << "ms/edit";
    }
    void whatEachMeasures()
    {
        QFETCH(QStringList, words);
        QFETCH(QString, unit);
        const Said said = m_cli->json(QStringList{"bench"} + words + QStringList{"--rounds", "2", "--threads", "1"});
        SCONCE_VERIFY_SAID(said);
        const QJsonObject last = said.last();
        QCOMPARE(last["bench"].toString(), words.front());
        QCOMPARE(last["threads"].toInt(), 1);
        QCOMPARE(last["rounds"].toInt(), 2);
        QVERIFY(last["made_data"].toBool());
        QVERIFY(last["data"].toString().contains("as no data is given"));
        QVERIFY(last["machine"].toObject()["gflops"].toDouble() > 1);
        QVERIFY(!last["version"].toString().isEmpty() && last.contains("commit"));
        const QJsonArray results = last["results"].toArray();
        QCOMPARE(results.size(), words.front() == "checkpoints" ? 2 : words.front() == "edits" ? 6 : 1);
        QCOMPARE(said.objects.size(), 1 + 2 * results.size());
        for (const QJsonValue& each : results) {
            QCOMPARE(each["unit"].toString(), unit);
            QVERIFY(each["least"].toDouble() > 0 && each["least"].toDouble() <= each["median"].toDouble() && each["median"].toDouble() <= each["most"].toDouble());
            const bool floor = last["floor"].toDouble() > 0;
            QCOMPARE(floor, unit == "ms/step" && words.front() != "checkpoints");
            if (floor) QCOMPARE(each["of_floor"].toDouble(), last["floor"].toDouble() / each["median"].toDouble());
        }
        if (words.contains("bf16")) {
            QCOMPARE(last["precision"].toString(), "bf16");
            QCOMPARE(said.objects.first()["choices"].toObject()["precision"].toString(), "bf16");
        }
        if (words.front() == "checkpoints") checkCheckpoints(said);
        QVERIFY2(leftovers().isEmpty(), qPrintable(leftovers().join(' ')));
    }

    void theMachine()
    {
        const Said said = m_cli->json({"bench", "floor", "--rounds", "1", "--threads", "1"});
        SCONCE_VERIFY_SAID(said);
        QCOMPARE(result(said, "multiply-add")["unit"].toString(), "GFLOP/s");
        QVERIFY(result(said, "multiply-add")["median"].toDouble() > 1);
        QVERIFY(result(said, "copy")["median"].toDouble() > 0.1);
    }

    /// A peer that says it takes a thousand seconds: Sconce is faster by what its own figure says, and reads the same data.
    void aPeerInTurns()
    {
        const QString log = QString::fromStdString(m_folder / "said.txt");
        const QString peer = python("peer", "echo \"$@\" >> '" + log.toUtf8() + "'; test -e \"$4\" || exit 7\n"
                                    "echo chatter; echo '{\"who\":\"x\",\"median\":1e6,\"mean\":1e6,\"p10\":1e6,\"p90\":1e6,\"loss\":1.5}'");
        const QStringList few{"bench", "b1", "--rounds", "2", "--steps", "2", "--warm", "1", "--threads", "1", "--batch", "32", "--peer", peer};
        const Said said = m_cli->json(few + QStringList{"--modes", "tuned", "bf16"});
        SCONCE_VERIFY_SAID(said);
        QCOMPARE(said.last()["results"].toArray().size(), 4); // ours in both precisions
        for (const auto& [ours, theirs] : {std::pair{"Sconce", "torch tuned"}, {"Sconce bf16", "torch bf16"}}) {
            QVERIFY(result(said, ours)["ours"].toBool() && !result(said, theirs)["ours"].toBool());
            QCOMPARE(result(said, theirs)["ratio"].toDouble(), 1e6 / result(said, ours)["median"].toDouble());
        }
        QStringList order; // the one that begins changes from round to round
        for (const QJsonObject& line : said.objects) order += line["who"].toString();
        QCOMPARE(order.first(), "Sconce");
        QCOMPARE(order[4], "Sconce bf16");
        const QStringList calls = QString::fromUtf8(readBytes(log)).split('\n', Qt::SkipEmptyParts);
        QCOMPARE(calls.size(), 4);
        QVERIFY2(calls.first().contains("tests/bench/b1.py tuned --data ") && calls.first().endsWith("--threads 1 --warm 1 --steps 2 --batch 32"), qPrintable(calls.first()));

        const Said table = m_cli->run(few + QStringList{"--at-least", "2"});
        QCOMPARE(table.code, 0);
        for (const char* word : {"torch loader", "torch tuned", "× as fast", "of the floor", "GFLOP/s", "Sconce 0."}) QVERIFY2(table.out.contains(word), qPrintable(table.out));
        const Said slow = m_cli->run(few + QStringList{"--at-least", "1e12"});
        QCOMPARE(slow.code, 1);
        QVERIFY2(slow.err.contains("× as fast as torch"), qPrintable(slow.err));
        QCOMPARE(m_cli->run({"bench", "b6", "--rounds", "1", "--steps", "20", "--at-most", "0.001"}).code, 1);
    }

    /// Whole trainings: a seed a round, on the built-in digits in place of MNIST; the peer is asked for the same seeds.
    void timeToAnAccuracy()
    {
        const QString log = QString::fromStdString(m_folder / "seeds.txt");
        const QString peer = python("trainer", "echo \"$@\" >> '" + log.toUtf8() + "'; echo '{\"median\":1000,\"mean\":1000,\"p10\":1000,\"p90\":1000,\"accuracy\":0.5}'");
        const QStringList words{"bench", "b2", "--rounds", "2", "--epochs", "1", "--threads", "1", "--data", "builtin:digits", "--peer", peer, "--modes", "published"};
        const Said said = m_cli->json(words + QStringList{"--accuracy", "0.6", "--at-least", "1"});
        SCONCE_VERIFY_SAID(said);
        const QJsonObject ours = result(said, "Sconce"), theirs = result(said, "torch published");
        QCOMPARE(ours["accuracies"].toArray().size(), 2);
        QVERIFY2(ours["accuracy"].toDouble() > 0.6 && ours["accuracy"].toDouble() <= 1, qPrintable(said.text()));
        QVERIFY(ours["cold_seconds"].toDouble() > ours["median"].toDouble()); // loading and the test come on top
        QCOMPARE(theirs["accuracy"].toDouble(), 0.5);
        QCOMPARE(theirs["ratio"].toDouble(), 1000 / ours["median"].toDouble());
        QStringList seeds;
        for (const QString& call : QString::fromUtf8(readBytes(log)).split('\n', Qt::SkipEmptyParts)) seeds += call.section(' ', -4);
        QCOMPARE(seeds, QStringList({"--epochs 1 --seed 1", "--epochs 1 --seed 2"}));
        const Said missed = m_cli->run(QStringList{"bench", "b2", "--rounds", "1", "--data", "builtin:digits", "--accuracy", "1", "--threads", "1", "--set", "/training/learning_rate=1e-7"});
        QCOMPARE(missed.code, 1);
        QVERIFY2(missed.err.contains("in the mean, not 100") && missed.out.contains("test accuracy"), qPrintable(missed.text()));
        QVERIFY2(leftovers().isEmpty(), qPrintable(leftovers().join(' ')));
    }

    void whatIsRefused()
    {
        SCONCE_VERIFY_REFUSED(m_cli->wrong({"bench", "b2"}, 2, "--data"));
        SCONCE_VERIFY_REFUSED(m_cli->wrong({"bench", "b2", "--data", "builtin:digits", "--steps", "3"}, 2, "no steps"));
        SCONCE_VERIFY_REFUSED(m_cli->wrong({"bench", "b1", "--epochs", "3"}, 2, "b2"));
        SCONCE_VERIFY_REFUSED(m_cli->wrong({"bench", "b11"}, 2, "Did you mean b1?"));
        SCONCE_VERIFY_REFUSED(m_cli->wrong({"bench", "b1", "--recipe", "mnist-mlp"}, 2, "step"));
        SCONCE_VERIFY_REFUSED(m_cli->wrong({"bench", "step"}, 2, "--recipe"));
        SCONCE_VERIFY_REFUSED(m_cli->wrong({"bench", "b6", "--precision", "bf16"}, 2, "precision"));
        SCONCE_VERIFY_REFUSED(m_cli->wrong({"bench", "b1", "--modes", "tuned"}, 2, "--peer"));
        SCONCE_VERIFY_REFUSED(m_cli->wrong({"bench", "floor", "--peer", "python3"}, 2, "no peer"));
        SCONCE_VERIFY_REFUSED(m_cli->wrong({"bench", "b1", "--peer", "python3", "--modes", "quick"}, 2, "loader, resident"));
        SCONCE_VERIFY_REFUSED(m_cli->wrong({"bench", "b1", "--rounds", "0"}, 2, "--rounds"));
        SCONCE_VERIFY_REFUSED(m_cli->wrong({"bench", "b1", "--data", "/nowhere"}, 2, "/nowhere"));
        SCONCE_VERIFY_REFUSED(m_cli->wrong({"bench", "b1", "--set", "/training/learning_rate"}, 2));
        QVERIFY2(leftovers().isEmpty(), qPrintable(leftovers().join(' ')));
    }

    void aPeerThatFails()
    {
        const QStringList few{"bench", "b6", "--rounds", "1", "--steps", "10", "--modes", "resident", "--peer"};
        SCONCE_VERIFY_REFUSED(m_cli->wrong(few + QStringList{"/nowhere/python3"}, 2, "/nowhere/python3"));
        SCONCE_VERIFY_REFUSED(m_cli->wrong(few + QStringList{python("without", "echo 'No module named torch' >&2; exit 1")}, 1, "No module named torch"));
        SCONCE_VERIFY_REFUSED(m_cli->wrong(few + QStringList{python("mute", "true")}, 2, "no figures"));
        SCONCE_VERIFY_REFUSED(m_cli->wrong(few + QStringList{python("half", "echo '{\"median\":5}'")}, 2, "no figures"));
        SCONCE_VERIFY_REFUSED(m_cli->wrong(few + QStringList{python("bomb", "head -c 3000000 /dev/zero | tr '\\0' '['")}, 2, "no figures"));
    }

    /// SIGINT ends it with 130, its peer with it, and nothing is left behind.
    void beingStopped()
    {
        const QString pid = QString::fromStdString(m_folder / "pid.txt");
        const QString sleeper = python("sleeper", "echo $$ > '" + pid.toUtf8() + "'; exec sleep 600");
        auto process = m_cli->start({"bench", "b6", "--rounds", "1", "--steps", "10", "--modes", "resident", "--peer", sleeper});
        QVERIFY(eventually([&] { return !readBytes(pid).trimmed().isEmpty(); }));
        ::kill(static_cast<pid_t>(process->processId()), SIGINT);
        QVERIFY(process->waitForFinished(20000));
        QCOMPARE(process->exitCode(), 130);
        QVERIFY(eventually([&] { return ::kill(readBytes(pid).trimmed().toInt(), 0) != 0; }, 5000));

        auto ours = m_cli->start({"bench", "b1", "--steps", "100000", "--threads", "1"});
        QVERIFY(eventually([&] { return !leftovers().isEmpty(); }));
        QTest::qWait(1500);
        ::kill(static_cast<pid_t>(ours->processId()), SIGINT);
        QVERIFY(ours->waitForFinished(20000));
        QCOMPARE(ours->exitCode(), 130);
        QVERIFY2(leftovers().isEmpty(), qPrintable(leftovers().join(' ')));
    }
};

QTEST_GUILESS_MAIN(CliBenchTest)
#include "cli_bench_test.moc"
