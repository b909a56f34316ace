// SPDX-License-Identifier: GPL-3.0-or-later
// Texts from the command line, on a real one: looked at, learned, killed and gone on with, judged, and written on. What is refused
// is refused in sentences.
#include "tests/support/cli.h"

#include <QCryptographicHash>

#include <cmath>

using namespace sconce;
using namespace sconce::test;

namespace {

/// Each symbol from the one before alone: a bigram model.
QByteArray recipe(int symbols, const QByteArray& more = {}, const QByteArray& import = {})
{
    const QByteArray count = QByteArray::number(symbols);
    return R"({ "format": "sconce-recipe", "version": 1, "name": "pairs",
  "data": { "dataset": "text", "import": {)" + import + R"(}, "split": { "validation": 0.1, "test": 0.1 } },
  "layers": [ { "id": "l1", "type": "embedding", "symbols": )" + count + R"(, "width": 24 }, { "id": "l2", "type": "dropout", "rate": 0.05 },
              { "id": "l3", "type": "dense", "units": )" + count + R"( } ],
  "task": { "type": "language" },
  "training": { "epochs": 2, "batch_size": 32, "learning_rate": 0.01 )" + more + R"( }, "threads": 1, "seed": 3 })";
}

} // namespace

class CliTextTest : public QObject
{
    Q_OBJECT

    TemporaryFolder m_folder;
    std::unique_ptr<Cli> m_cli;
    QString m_run;
    QJsonObject m_last;

    QString write(const std::string& name, const QByteArray& text) { return written(m_folder, name, text); }

  private Q_SLOTS:
    void initTestCase() { m_cli = std::make_unique<Cli>(m_folder / "store"); }

    void looksAtTexts()
    {
        SCONCE_NEEDS_DATA(text, "text/tinyshakespeare.txt");
        const Said said = m_cli->json({"data", "inspect", QString::fromStdString(text), "--context", "32"});
        SCONCE_VERIFY_SAID(said);
        const QJsonObject facts = said.last();
        QCOMPARE(facts["kind"], "text");
        QCOMPARE(facts["symbols"].toArray().size(), 65);
        QCOMPARE(facts["symbols"].toArray().first(), "\n");
        QCOMPARE(facts["context"], 32);
        QCOMPARE(facts["samples"], 34856);
        QVERIFY(m_cli->run({"data", "inspect", QString::fromStdString(text)}).out.contains("65 symbols in windows of 64: ⏎ ␣ ! $ &"));
        SCONCE_VERIFY_REFUSED(m_cli->wrong({"data", "inspect", write("latin.txt", "one\ncaf\xE9 \n")}, 2, "line 2"));
        SCONCE_VERIFY_REFUSED(m_cli->wrong({"data", "inspect", write("bytes.txt", QByteArray("a\0b", 3))}, 2, "no text"));
        SCONCE_VERIFY_REFUSED(m_cli->wrong({"data", "inspect", write("empty.txt", "")}, 2, "is empty"));
        SCONCE_VERIFY_REFUSED(m_cli->wrong({"data", "inspect", write("short.txt", "too short")}, 2, "too few"));
        SCONCE_VERIFY_REFUSED(m_cli->wrong({"data", "inspect", write("fine.txt", "x"), "--context", "5000"}, 2, "--context"));
    }

    void learns()
    {
        SCONCE_NEEDS_DATA(text, "text/tinyshakespeare.txt");
        const Said said = m_cli->json({"train", write("pairs.json", recipe(65)), "--data", QString::fromStdString(text)});
        SCONCE_VERIFY_SAID(said);
        m_last = said.last();
        m_run = m_last["run"].toString();
        QCOMPARE(m_last["status"], "finished");
        for (const char* part : {"train", "val", "test"}) {
            const double loss = m_last[QString("%1_loss").arg(part)].toDouble(), perplexity = m_last[QString("%1_perplexity").arg(part)].toDouble();
            QVERIFY2(std::abs(std::exp(loss) - perplexity) < 1e-3 * perplexity, part);
            QVERIFY(m_last[QString("%1_accuracy").arg(part)].isDouble());
        }
        // Pairs of letters alone bring Shakespeare to a perplexity of about 12 (cross-entropy 2.5); guessing is 65.
        QVERIFY2(m_last["test_perplexity"].toDouble() < 13.5 && m_last["test_perplexity"].toDouble() > 10, qPrintable(said.text()));
        QVERIFY2(m_last["test_accuracy"].toDouble() > 0.23, qPrintable(said.text()));
        QVERIFY(m_last["samples_per_second"].toDouble() > 0);
        const QJsonObject row = m_cli->json({"runs", "list"}).last();
        QCOMPARE(row["task"], "language");
        QCOMPARE(row["test_perplexity"].toDouble(), m_last["test_perplexity"].toDouble());
        QVERIFY(m_cli->run({"runs", "show", m_run}).out.contains("perplexity"));
        QStringList keys;
        for (const auto& point : m_cli->json({"runs", "export", m_run, "--series"}).objects)
            if (!keys.contains(point["key"].toString())) keys << point["key"].toString();
        QVERIFY2(keys.contains("train/perplexity") && keys.contains("validation/perplexity") && keys.contains("train/accuracy"), qPrintable(keys.join(' ')));
    }

    void evaluatesAsItTrained()
    {
        if (m_run.isEmpty()) QSKIP("There is no run to look at.");
        const Said said = m_cli->json({"evaluate", m_run});
        SCONCE_VERIFY_SAID(said);
        const QJsonObject report = said.last();
        for (const char* key : {"loss", "perplexity", "accuracy"}) QVERIFY2(std::abs(report[key].toDouble() - m_last[QString("test_%1").arg(key)].toDouble()) < 1e-4, key);
        QCOMPARE(report["count"].toInt(), report["windows"].toInt() * 64);
        QVERIFY(!report.contains("confusion") && !report.contains("worst_misses"));
        QVERIFY(m_cli->run({"evaluate", m_run}).out.contains("symbols"));
        // Another text in the symbols that the model knows, and one that has others.
        QByteArray lines;
        for (int i = 0; i < 200; ++i) lines += "ROMEO:\nO speak again bright angel\n";
        const Said other = m_cli->json({"evaluate", m_run, "--data", write("romeo.txt", lines), "--split", "train"});
        SCONCE_VERIFY_SAID(other);
        QVERIFY(other.last()["perplexity"].toDouble() > 5 && other.last()["perplexity"].toDouble() < 40);
        SCONCE_VERIFY_REFUSED(m_cli->wrong({"evaluate", m_run, "--data", write("euro.txt", lines + "€")}, 2, "“€”"));
        SCONCE_VERIFY_REFUSED(m_cli->wrong({"evaluate", m_run, "--data", "builtin:digits"}, 2, "no text"));
    }

    void writesOn()
    {
        if (m_run.isEmpty()) QSKIP("There is no run to look at.");
        const auto write60 = [&](const QStringList& more) { return m_cli->json(QStringList{"predict", m_run, "--prompt", "ROMEO:\n", "--length", "60"} + more); };
        const Said said = write60({"--seed", "5"});
        SCONCE_VERIFY_SAID(said);
        const QJsonObject answer = said.last();
        QCOMPARE(answer["prompt"], "ROMEO:\n");
        QCOMPARE(answer["text"].toString().size(), 60);
        QCOMPARE(answer["length"], 60);
        QCOMPARE(answer["seed"], 5);
        QCOMPARE(write60({"--seed", "5"}).last()["text"], answer["text"]);
        QVERIFY(write60({"--seed", "6"}).last()["text"] != answer["text"]);
        const QString greedy = write60({"--temperature", "0", "--seed", "5"}).last()["text"].toString();
        QCOMPARE(write60({"--temperature", "0", "--seed", "6"}).last()["text"].toString(), greedy);
        // For people: the prompt with what follows, and into a file.
        const Said plain = m_cli->run({"predict", m_run, "--prompt", "ROMEO:\n", "--length", "60", "--seed", "5", "--out", QString::fromStdString(m_folder / "out.txt")});
        QCOMPARE(plain.code, 0);
        QCOMPARE(plain.out, "ROMEO:\n" + answer["text"].toString() + "\n");
        QCOMPARE(readBytes(QString::fromStdString(m_folder / "out.txt")), ("ROMEO:\n" + answer["text"].toString()).toUtf8());
        QCOMPARE(m_cli->json({"predict", m_run, "--prompt", ""}).last()["text"].toString().size(), 300);

        SCONCE_VERIFY_REFUSED(m_cli->wrong({"predict", m_run, "--prompt", "Café"}, 2, "“é”"));
        SCONCE_VERIFY_REFUSED(m_cli->wrong({"predict", m_run, "--prompt", "a", "--temperature", "-1"}, 2, "temperature"));
        SCONCE_VERIFY_REFUSED(m_cli->wrong({"predict", m_run, "--prompt", "a", "--length", "0"}, 2, "length"));
        SCONCE_VERIFY_REFUSED(m_cli->wrong({"predict", m_run}, 2, "--prompt"));
        SCONCE_VERIFY_REFUSED(m_cli->wrong({"predict", m_run, write("some.txt", "some")}, 2, "--prompt"));
        SCONCE_VERIFY_REFUSED(m_cli->wrong({"predict", m_run, "--prompt", "a", "--out", "out.csv"}, 2, ".txt"));
    }

    /// The model keeps what it needs: the text may be gone.
    void writesOnWithoutTheText()
    {
        QByteArray lines;
        for (int i = 0; i < 60; ++i) lines += "one two three four five\n";
        const QString path = write("gone.txt", lines);
        const Said said = m_cli->json({"train", write("gone.json", recipe(13, {}, R"("context": 16)")), "--data", path, "--set", "/training/batch_size=8"});
        SCONCE_VERIFY_SAID(said);
        QVERIFY(QFile::remove(path));
        const Said answer = m_cli->json({"predict", said.last()["run"].toString(), "--prompt", "one", "--length", "20"});
        SCONCE_VERIFY_SAID(answer);
        QCOMPARE(answer.last()["text"].toString().size(), 20);
        // A run of another kind has nothing to write.
        const Said digits = m_cli->json({"train", write("tiny.json", tinyRecipe())});
        SCONCE_VERIFY_SAID(digits);
        SCONCE_VERIFY_REFUSED(m_cli->wrong({"predict", digits.last()["run"].toString(), "--prompt", "one"}, 2, "does not continue texts"));
        SCONCE_VERIFY_REFUSED(m_cli->wrong({"predict", digits.last()["run"].toString()}, 2, "needs files"));
    }

    void refusedBeforeTheStart()
    {
        QByteArray lines;
        for (int i = 0; i < 60; ++i) lines += "one two three four five\n";
        const QString path = write("words.txt", lines);
        QByteArray classes = recipe(13);
        SCONCE_VERIFY_REFUSED(m_cli->wrong({"train", write("few.json", recipe(9)), "--data", path, "--set", "/training/batch_size=8"}, 2, "knows 9 symbols"));
        SCONCE_VERIFY_REFUSED(m_cli->wrong({"train", write("classes.json", classes.replace("\"language\"", "\"classification\"")), "--data", path}, 2, "is a text"));
        SCONCE_VERIFY_REFUSED(m_cli->wrong({"train", write("digits.json", recipe(13)), "--data", "builtin:digits"}, 2, "is no text"));
    }

    /// Killed in the middle and gone on with: the very weights of the run that was not. In micro-batches, with smoothing and dropout.
    void killedAndGoneOn()
    {
        SCONCE_NEEDS_DATA(text, "text/tinyshakespeare.txt");
        QByteArray smoothed = recipe(65, R"(, "checkpoint": { "every_epochs": 0, "every_steps": 57 }, "gradients": { "micro_batch": 9 })", R"("context": 256)");
        smoothed.replace(R"("type": "language")", R"("type": "language", "label_smoothing": 0.1)");
        const QStringList train{"train", write("kill.json", smoothed), "--data", QString::fromStdString(text), "--epochs", "3", "--json"};
        Said whole, resumed;
        QCOMPARE(killTrainResume(*m_cli, train, "\"epoch\":1,", whole, resumed), QString());
        QVERIFY(std::log(whole.last()["test_perplexity"].toDouble()) < whole.last()["test_loss"].toDouble()); // without the smoothing
        for (const char* key : {"train_loss", "val_loss", "test_loss", "train_perplexity", "val_perplexity", "test_perplexity", "train_accuracy", "test_accuracy"}) QCOMPARE(resumed.last()[key].toDouble(), whole.last()[key].toDouble());
    }
};

QTEST_GUILESS_MAIN(CliTextTest)
#include "cli_text_test.moc"
