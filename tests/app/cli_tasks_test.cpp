// SPDX-License-Identifier: GPL-3.0-or-later
// Tables and the tasks without accuracy from the command line, on real data: looked at, trained, killed and gone on with, judged,
// asked. What is refused is refused in sentences.
#include "tests/support/cli.h"

#include <QCryptographicHash>

#include <cmath>

using namespace sconce;
using namespace sconce::test;

namespace {

QByteArray recipe(const QByteArray& task, const QByteArray& import, int units, const QByteArray& more = {})
{
    return R"({ "format": "sconce-recipe", "version": 1, "name": "small",
  "data": { "dataset": "table", "import": {)" + import + R"(}, "split": { "kind": "shuffled", "validation": 0.15, "test": 0.15 } },
  "layers": [ { "id": "l1", "type": "dense", "units": 24, "activation": "relu" }, { "id": "l2", "type": "dropout", "rate": 0.1 },
              { "id": "l3", "type": "dense", "units": )" + QByteArray::number(units) + R"( } ],
  "task": )" + task + R"(,
  "training": { "epochs": 12, "batch_size": 32, "learning_rate": 0.01 )" + more + R"( }, "threads": 1, "seed": 3 })";
}

} // namespace

class CliTasksTest : public QObject
{
    Q_OBJECT

    TemporaryFolder m_folder;
    std::unique_ptr<Cli> m_cli;

    QString write(const std::string& name, const QByteArray& text) { return written(m_folder, name, text); }

  private Q_SLOTS:
    void initTestCase() { m_cli = std::make_unique<Cli>(m_folder / "store"); }

    void looksAtTables()
    {
        SCONCE_NEEDS_DATA(folder, "tabular");
        const QString penguins = QString::fromStdString(folder) + "/penguins.csv", wine = QString::fromStdString(folder) + "/winequality-white.csv";
        const Said said = m_cli->json({"data", "inspect", penguins, "--target", "species"});
        SCONCE_VERIFY_SAID(said);
        const QJsonObject facts = said.last();
        QCOMPARE(facts["kind"], "table");
        QCOMPARE(facts["target"], "species");
        QCOMPARE(facts["samples"], 344);
        QCOMPARE(facts["classes"].toArray().size(), 3);
        QCOMPARE(facts["balance"].toObject()["Adelie"].toObject()["training"], 152);
        QCOMPARE(facts["columns"].toArray().size(), 6);
        QVERIFY(facts["problems"].toArray().size() == 2); // numbers and words are missing
        QCOMPARE(m_cli->json({"data", "inspect", wine}).last()["numbers"], true);
        QVERIFY(m_cli->run({"data", "inspect", wine, "--target", "11"}).out.contains("predicts"));
        SCONCE_VERIFY_REFUSED(m_cli->wrong({"data", "inspect", penguins, "--target", "specis"}, 2, "species"));
        SCONCE_VERIFY_REFUSED(m_cli->wrong({"data", "inspect", write("ragged.csv", "a,b\n1,2\n3\n")}, 2, "line 3"));
        SCONCE_VERIFY_REFUSED(m_cli->wrong({"data", "inspect", write("wide.csv", QByteArray(100'000, ','))}, 2, "columns"));
        SCONCE_VERIFY_REFUSED(m_cli->wrong({"data", "inspect", write("bytes.csv", QByteArray("a,b\n\0\1\2,3\n", 11))}, 2, "no text"));
        SCONCE_VERIFY_REFUSED(m_cli->wrong({"data", "inspect", write("names.csv", "a,b\n")}, 2));
    }

    void regression()
    {
        SCONCE_NEEDS_DATA(wine, "tabular/winequality-white.csv");
        const QString path = write("regression.json", recipe(R"({ "type": "regression", "loss": "huber" })", "", 1));
        const Said said = m_cli->json({"train", path, "--data", QString::fromStdString(wine)});
        SCONCE_VERIFY_SAID(said);
        const QJsonObject last = said.last();
        QCOMPARE(last["status"], "finished");
        for (const char* key : {"train_accuracy", "val_accuracy", "test_accuracy"}) QVERIFY2(last.contains(key) && last[key].isNull(), key);
        for (const char* key : {"train_mae", "val_mae", "test_mae", "train_r2", "val_r2", "test_r2"}) QVERIFY2(last[key].isDouble(), key);
        // Of grades from 3 to 9 with deviation 0.89: a network is less than 0.7 off, and explains a quarter and more.
        QVERIFY2(last["test_mae"].toDouble() < 0.68 && last["test_r2"].toDouble() > 0.2, qPrintable(said.text()));
        const QString run = last["run"].toString();
        const QJsonObject epoch = said.objects.at(said.objects.size() - 2);
        QVERIFY(epoch["val_mae"].isDouble() && epoch["val_accuracy"].isNull());

        const QJsonObject row = m_cli->json({"runs", "list"}).last();
        QCOMPARE(row["task"], "regression");
        QCOMPARE(row["test_mae"].toDouble(), last["test_mae"].toDouble());
        QVERIFY(m_cli->run({"runs", "show", run}).out.contains("R²"));
        QVERIFY(!m_cli->run({"runs", "show", run}).out.contains("accuracy"));
        QStringList keys;
        for (const auto& point : m_cli->json({"runs", "export", run, "--series"}).objects)
            if (!keys.contains(point["key"].toString())) keys << point["key"].toString();
        QVERIFY(keys.contains("train/mae") && keys.contains("validation/mae") && keys.contains("validation/r2") && keys.contains("epoch/train_r2"));
        QVERIFY(!keys.contains("train/accuracy") && !keys.contains("validation/accuracy"));

        const QJsonObject report = m_cli->json({"evaluate", run}).last();
        QVERIFY(std::abs(report["mae"].toDouble() - last["test_mae"].toDouble()) < 1e-6 && std::abs(report["r2"].toDouble() - last["test_r2"].toDouble()) < 1e-6);
        QVERIFY(report["accuracy"].isNull() && !report.contains("confusion") && report["worst_misses"].toArray().size() == 100);

        const QString asked = write("ask.csv", "7,0.27,0.36,20.7,0.045,45,170,1.001,3,0.45,8.8\n6.3,0.3,0.34,1.6,0.049,14,132,0.994,3.3,0.49,9.5\n");
        const Said answers = m_cli->json({"predict", run, asked});
        SCONCE_VERIFY_SAID(answers);
        QCOMPARE(answers.objects.size(), 2);
        const double grade = answers.objects[0]["values"].toArray()[0].toDouble();
        QVERIFY(grade > 3 && grade < 9 && !answers.objects[0].contains("class"));
        SCONCE_VERIFY_REFUSED(m_cli->wrong({"predict", run, write("short.csv", "1,2\n")}, 2, "columns"));
    }

    void classesOfATable()
    {
        SCONCE_NEEDS_DATA(penguins, "tabular/penguins.csv");
        const QString path = write("classes.json", recipe(R"({ "type": "classification" })", R"("target": "species")", 3));
        const Said said = m_cli->json({"train", path, "--data", QString::fromStdString(penguins)});
        SCONCE_VERIFY_SAID(said);
        QVERIFY2(said.last()["test_accuracy"].toDouble() > 0.93, qPrintable(said.text()));
        QVERIFY(!said.last().contains("test_mae"));
        const Said answer = m_cli->json({"predict", said.last()["run"].toString(),
                                         write("one.csv", "island,bill_length_mm,bill_depth_mm,flipper_length_mm,body_mass_g,sex\nBiscoe,,15,220,5200,\n")});
        SCONCE_VERIFY_SAID(answer);
        QCOMPARE(answer.last()["class"], "Gentoo");
    }

    void yesOrNo()
    {
        SCONCE_NEEDS_DATA(titanic, "tabular/titanic.csv");
        const QString path = write("binary.json", recipe(R"({ "type": "binary" })", R"("target": "survived")", 1));
        // “alive” says the same as the target in words: all is known.
        const Said said = m_cli->json({"train", path, "--data", QString::fromStdString(titanic)});
        SCONCE_VERIFY_SAID(said);
        QVERIFY2(said.last()["test_accuracy"].toDouble() > 0.95, qPrintable(said.text()));
        const QJsonObject report = m_cli->json({"evaluate", said.last()["run"].toString()}).last();
        QCOMPARE(report["confusion"].toArray().size(), 2);
        QVERIFY(std::abs(report["loss"].toDouble() - said.last()["test_loss"].toDouble()) < 1e-5);
        QVERIFY(std::abs(report["accuracy"].toDouble() - said.last()["test_accuracy"].toDouble()) < 1e-9);
        SCONCE_VERIFY_REFUSED(m_cli->wrong({"train", write("three.json", recipe(R"({ "type": "binary" })", R"("target": "class")", 1)), "--data", QString::fromStdString(titanic)}, 2, "exactly two"));
    }

    void autoencoder()
    {
        const QString path = write("auto.json", R"({ "format": "sconce-recipe", "version": 1, "name": "auto", "data": { "dataset": "digits" },
  "layers": [ { "id": "l1", "type": "flatten" }, { "id": "l2", "type": "dense", "units": 32, "activation": "relu" },
              { "id": "l3", "type": "dense", "units": 784 }, { "id": "l4", "type": "reshape", "shape": [1, 28, 28] } ],
  "task": { "type": "autoencoder", "loss": "binary_crossentropy" }, "training": { "epochs": 1, "batch_size": 100, "learning_rate": 0.005 }, "threads": 1 })");
        const Said said = m_cli->json({"train", path});
        SCONCE_VERIFY_SAID(said);
        QVERIFY2(said.last()["test_mae"].toDouble() < 0.2 && said.last()["test_mae"].toDouble() > 0 && said.last()["test_accuracy"].isNull(), qPrintable(said.text()));
        const QJsonObject report = m_cli->json({"evaluate", said.last()["run"].toString()}).last();
        QVERIFY(std::abs(report["mae"].toDouble() - said.last()["test_mae"].toDouble()) < 1e-6);
    }

    /// Killed in the middle and gone on with: the very weights of the run that was not.
    void killedAndGoneOn_data()
    {
        QTest::addColumn<QByteArray>("task");
        QTest::addColumn<QByteArray>("import");
        QTest::newRow("regression") << QByteArray(R"({ "type": "regression", "loss": "mae" })") << QByteArray(R"("target": "12")");
        QTest::newRow("autoencoder") << QByteArray(R"({ "type": "autoencoder" })") << QByteArray(R"("target": "12")");
    }
    void killedAndGoneOn()
    {
        SCONCE_NEEDS_DATA(wine, "tabular/winequality-white.csv");
        QFETCH(QByteArray, task);
        QFETCH(QByteArray, import);
        const int units = task.contains("autoencoder") ? 11 : 1;
        const QString path = write("kill.json", recipe(task, import, units, R"(, "checkpoint": { "every_epochs": 0, "every_steps": 57 })"));
        const QStringList train{"train", path, "--data", QString::fromStdString(wine), "--epochs", "8", "--json"};
        Said whole, resumed;
        QCOMPARE(killTrainResume(*m_cli, train, "\"epoch\":2,", whole, resumed), QString());
        for (const char* key : {"train_loss", "val_loss", "test_loss", "train_mae", "val_mae", "test_mae"}) QCOMPARE(resumed.last()[key].toDouble(), whole.last()[key].toDouble());
    }
};

QTEST_GUILESS_MAIN(CliTasksTest)
#include "cli_tasks_test.moc"
