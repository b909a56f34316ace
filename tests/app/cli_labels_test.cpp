// SPDX-License-Identifier: GPL-3.0-or-later
// Several labels a sample from the command line: columns of yes and no of a table, pictures with a labels.csv; looked at, trained,
// killed and gone on with, judged label by label, asked, and written as every kind of file.
#include "core/base/random.h"
#include "core/formats/picture.h"
#include "tests/support/cli.h"
#include "tests/support/small_data.h"

#include <cmath>

using namespace sconce;
using namespace sconce::test;

namespace {

QByteArray recipe(const QByteArray& task, int units, const QByteArray& more = {})
{
    return R"({ "format": "sconce-recipe", "version": 1, "name": "labels",
  "data": { "dataset": "table", "import": { "labels": ["up", "high", "large"] }, "split": { "kind": "shuffled", "validation": 0.15, "test": 0.15 } },
  "layers": [ { "id": "l1", "type": "dense", "units": 16, "activation": "relu" }, { "id": "l2", "type": "dropout", "rate": 0.1 },
              { "id": "l3", "type": "dense", "units": )" + QByteArray::number(units) + R"( } ],
  "task": )" + task + R"(, "training": { "epochs": 6, "batch_size": 32, "learning_rate": 0.01 )" + more + R"( }, "threads": 1, "seed": 3 })";
}

constexpr const char* balanced = R"({ "type": "multilabel", "threshold": 0.6, "positive_weights": "balanced" })";

QByteArray read(const QString& path)
{
    QFile file(path);
    return file.open(QIODevice::ReadOnly) ? file.readAll() : QByteArray();
}

} // namespace

class CliLabelsTest : public QObject
{
    Q_OBJECT

    TemporaryFolder m_folder;
    std::unique_ptr<Cli> m_cli;
    QString m_table, m_run;
    QJsonObject m_last;

    QString write(const std::string& name, const QByteArray& text) { return written(m_folder, name, text); }

  private Q_SLOTS:
    void initTestCase()
    {
        m_cli = std::make_unique<Cli>(m_folder / "store");
        m_table = write("table.csv", QByteArray::fromStdString(labelsTable(2000, 21)));
    }

    void looksAtLabels()
    {
        const Said said = m_cli->json({"data", "inspect", m_table, "--labels", "large,up"});
        SCONCE_VERIFY_SAID(said);
        const QJsonObject facts = said.last();
        QCOMPARE(facts["labels"].toArray(), (QJsonArray{"up", "large"}));
        QCOMPARE(facts["classes"].toArray().size(), 0);
        QCOMPARE(facts["columns"].toArray().size(), 3);
        const int large = facts["label_balance"].toObject()["large"].toObject()["training"].toInt();
        QVERIFY(large > 100 && large < 300);
        QCOMPARE(m_cli->json({"data", "inspect", m_table}).last()["yes_no_columns"].toArray(), (QJsonArray{"up", "high", "large"}));
        const QString words = m_cli->run({"data", "inspect", m_table, "--labels", "large,up"}).out;
        QVERIFY2(words.contains("2 labels") && words.contains("label") && !words.contains("predicts"), qPrintable(words));
        SCONCE_VERIFY_REFUSED(m_cli->wrong({"data", "inspect", m_table, "--labels", "up,a"}, 2, "column “a”"));
        SCONCE_VERIFY_REFUSED(m_cli->wrong({"data", "inspect", m_table, "--labels", "up,hihg"}, 2, "high"));
    }

    void trains()
    {
        const Said said = m_cli->json({"train", write("labels.json", recipe(balanced, 3)), "--data", m_table});
        SCONCE_VERIFY_SAID(said);
        m_last = said.last();
        m_run = m_last["run"].toString();
        QCOMPARE(m_last["status"], "finished");
        for (const char* key : {"train_accuracy", "test_accuracy"}) QVERIFY2(m_last.contains(key) && m_last[key].isNull(), key);
        for (const char* part : {"train", "val", "test"})
            for (const char* metric : {"micro_f1", "macro_f1", "exact_match", "label_accuracy"}) QVERIFY2(m_last[QString("%1_%2").arg(part, metric)].isDouble(), qPrintable(said.text()));
        QVERIFY2(m_last["test_micro_f1"].toDouble() > 0.9 && m_last["test_macro_f1"].toDouble() > 0.85 && m_last["test_exact_match"].toDouble() > 0.8, qPrintable(said.text()));
        QStringList keys;
        for (const auto& point : m_cli->json({"runs", "export", m_run, "--series"}).objects)
            if (!keys.contains(point["key"].toString())) keys << point["key"].toString();
        QVERIFY(keys.contains("train/micro_f1") && keys.contains("validation/macro_f1") && !keys.contains("train/macro_f1") && !keys.contains("train/accuracy"));
        QCOMPARE(m_cli->json({"runs", "list"}).last()["test_micro_f1"].toDouble(), m_last["test_micro_f1"].toDouble());
        QVERIFY(m_cli->run({"runs", "show", m_run}).out.contains("all right"));
    }

    /// Exactly the test's figures, and each label by itself; no confusion matrix, which knows no such answers.
    void judgesEachLabel()
    {
        const QJsonObject report = m_cli->json({"evaluate", m_run}).last();
        for (const char* metric : {"micro_f1", "macro_f1", "exact_match", "label_accuracy"}) QCOMPARE(report[metric].toDouble(), m_last[QString("test_") + metric].toDouble());
        QVERIFY(std::abs(report["loss"].toDouble() - m_last["test_loss"].toDouble()) < 1e-6);
        QVERIFY(!report.contains("confusion") && report["accuracy"].isNull() && std::abs(report["threshold"].toDouble() - 0.6) < 1e-9);
        const QJsonArray labels = report["per_label"].toArray();
        QCOMPARE(labels.size(), 3);
        double macro = 0;
        for (const auto& each : labels) {
            const QJsonObject label = each.toObject();
            const double p = label["precision"].toDouble(), r = label["recall"].toDouble();
            QVERIFY(label["count"].toInt() > 0 && std::abs(label["f1"].toDouble() - 2 * p * r / (p + r)) < 1e-12);
            macro += label["f1"].toDouble() / 3;
        }
        QVERIFY(std::abs(macro - report["macro_f1"].toDouble()) < 1e-12);
        // Rows that are wrong are as many as those that are not right.
        QCOMPARE(report["mistakes"].toInt(), static_cast<int>(std::lround(report["count"].toInt() * (1 - report["exact_match"].toDouble()))));
        const QJsonObject worst = report["worst_misses"].toArray().first().toObject();
        QVERIFY(worst["wrong"].toInt() >= 1 && worst["truth"].toArray() != worst["said"].toArray());
        const QString words = m_cli->run({"evaluate", m_run}).out;
        QVERIFY2(words.contains("label") && words.contains("precision") && words.contains("large") && !words.contains("→"), qPrintable(words));
    }

    void saysTheProbabilityOfEachLabel()
    {
        const QString asked = write("ask.csv", "word,a\nhigh,0.95\nlow,-0.9\n");
        const Said said = m_cli->json({"predict", m_run, asked});
        SCONCE_VERIFY_SAID(said);
        QCOMPARE(said.objects.size(), 2);
        QCOMPARE(said.objects[0]["labels"].toArray(), (QJsonArray{"up", "high", "large"}));
        QCOMPARE(said.objects[1]["labels"].toArray(), QJsonArray());
        const QJsonObject chances = said.objects[0]["probabilities"].toObject();
        QCOMPARE(chances.keys(), (QStringList{"high", "large", "up"}));
        QVERIFY(chances["up"].toDouble() > 0.6 && chances["up"].toDouble() <= 1);
        QVERIFY(!said.objects[0].contains("class"));
        const QString words = m_cli->run({"predict", m_run, asked}).out;
        QVERIFY2(words.contains(QRegularExpression("up [0-9.]+ %, high")) && words.contains(": none"), qPrintable(words));
        const QString out = QString::fromStdString(m_folder / "out");
        for (const char* ending : {".csv", ".json", ".npy"}) SCONCE_VERIFY_SAID(m_cli->json({"predict", m_run, asked, "--out", out + ending}));
        const QList<QByteArray> lines = read(out + ".csv").split('\n');
        QCOMPARE(lines.first(), QByteArray("file,\"up\",\"high\",\"large\""));
        QVERIFY(std::abs(lines[1].split(',')[1].toDouble() - chances["up"].toDouble()) < 1e-6);
        const QJsonArray all = QJsonDocument::fromJson(read(out + ".json")).array();
        QCOMPARE(all[0].toObject()["probabilities"].toObject().keys(), (QStringList{"high", "large", "up"}));
        QVERIFY(read(out + ".npy").contains("'shape': (2, 3)"));
    }

    void whatDoesNotFitIsSaid()
    {
        SCONCE_VERIFY_REFUSED(m_cli->wrong({"train", write("four.json", recipe(balanced, 4)), "--data", m_table}, 2, "expects 3 numbers"));
        SCONCE_VERIFY_REFUSED(m_cli->wrong({"train", write("classes.json", recipe(R"({ "type": "classification" })", 3)), "--data", m_table}, 2, "any number of 3 labels"));
        SCONCE_VERIFY_REFUSED(m_cli->wrong({"train", write("sure.json", recipe(R"({ "type": "multilabel", "threshold": 1.5 })", 3)), "--data", m_table}, 2, "threshold"));
        const QString one = write("one.json", recipe(balanced, 3));
        SCONCE_VERIFY_REFUSED(m_cli->wrong({"train", one, "--data", m_table, "--set", "/data/import/labels=[]"}, 2, "no labels"));
    }

    /// A folder of pictures: red ones, blue ones, both and neither.
    void picturesWithLabels()
    {
        const std::string folder = m_folder / "photos";
        QVERIFY(QDir().mkpath(QString::fromStdString(folder)));
        QByteArray list = "file,tags\n";
        const Philox random(22, Purpose::Test);
        for (int i = 0; i < 240; ++i) {
            const bool red = i % 2 == 1, blue = i / 2 % 2 == 1;
            Picture picture{6, 6, 3, {}};
            for (std::uint64_t p = 0; p < 36; ++p) {
                const auto noise = static_cast<std::uint8_t>(random.below(static_cast<std::uint64_t>(i) * 36 + p, 60));
                picture.pixels.insert(picture.pixels.end(), {static_cast<std::uint8_t>(red ? 190 + noise : noise), noise, static_cast<std::uint8_t>(blue ? 190 + noise : noise)});
            }
            const std::string name = std::to_string(i) + ".png";
            QVERIFY(writePng(folder + "/" + name, picture).ok());
            list += QByteArray::fromStdString(name) + "," + (red ? "red " : "") + (blue ? "blue" : "") + "\n";
        }
        write("photos/labels.csv", list);
        const QString path = write("photos.json", R"({ "format": "sconce-recipe", "version": 1, "name": "photos", "data": { "dataset": "photos", "split": { "validation": 0.2, "test": 0.2 } },
  "layers": [ { "id": "l1", "type": "flatten" }, { "id": "l2", "type": "dense", "units": 2 } ],
  "task": { "type": "multilabel" }, "training": { "epochs": 15, "batch_size": 16, "learning_rate": 0.01 }, "threads": 1 })");
        const Said said = m_cli->json({"train", path, "--data", QString::fromStdString(folder)});
        SCONCE_VERIFY_SAID(said);
        QCOMPARE(said.last()["test_exact_match"].toDouble(), 1.0);
        const Said answer = m_cli->json({"predict", said.last()["run"].toString(), QString::fromStdString(folder) + "/3.png", QString::fromStdString(folder) + "/4.png"});
        SCONCE_VERIFY_SAID(answer);
        QCOMPARE(answer.objects[0]["labels"].toArray(), (QJsonArray{"blue", "red"}));
        QCOMPARE(answer.objects[1]["labels"].toArray(), QJsonArray());
    }

    /// Killed in the middle and gone on with: the very weights, losses and metrics of the run that was not.
    void killedAndGoneOn()
    {
        const QString many = write("many.csv", QByteArray::fromStdString(labelsTable(6000, 21)));
        const QString path = write("kill.json", recipe(balanced, 3, R"(, "checkpoint": { "every_epochs": 0, "every_steps": 37 })"));
        const QStringList train{"train", path, "--data", many, "--epochs", "8", "--json"};
        Said whole, resumed;
        QCOMPARE(killTrainResume(*m_cli, train, "\"epoch\":2,", whole, resumed), QString());
        for (const char* part : {"train", "val", "test"})
            for (const char* key : {"loss", "micro_f1", "macro_f1", "exact_match", "label_accuracy"}) QCOMPARE(resumed.last()[QString("%1_%2").arg(part, key)].toDouble(), whole.last()[QString("%1_%2").arg(part, key)].toDouble());
    }
};

QTEST_GUILESS_MAIN(CliLabelsTest)
#include "cli_labels_test.moc"
