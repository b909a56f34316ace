// SPDX-License-Identifier: GPL-3.0-or-later
// The command line and weights: a run that starts from those of another or of a file, the finders and the profile that take them over,
// and how they are spread, of a run under way as of one that has ended.
#include "tests/support/cli.h"

#include <QDir>

#include <cmath>

using namespace sconce;
using namespace sconce::test;

class CliWeightsTest : public QObject
{
    Q_OBJECT

    TemporaryFolder m_folder;
    std::unique_ptr<Cli> m_cli;
    QString m_recipe, m_run;

    QString path(const std::string& name) { return QString::fromStdString(m_folder / name); }

  private Q_SLOTS:
    void initTestCase()
    {
        m_cli = std::make_unique<Cli>(m_folder / "store");
        m_recipe = path("tiny.json");
        writeText(m_recipe.toStdString(), tinyRecipe());
        const Said trained = m_cli->json({"train", m_recipe, "--epochs", "3", "--seed", "7", "--name", "The first"});
        SCONCE_VERIFY_SAID(trained);
        m_run = trained.last()["run"].toString();
    }

    void trainStartsFromARunAndFromAFile()
    {
        const QString file = path("mine.safetensors");
        SCONCE_VERIFY_SAID(m_cli->json({"export", m_run, "--out", file}));
        // At a rate next to nothing a run stays where it starts, and so tests as the one before.
        const QStringList hardly{"--set", "/training/learning_rate=1e-8", "--set", "/training/optimiser=sgd", "--seed", "8"};
        const double before = m_cli->json({"runs", "show", m_run}).last()["test_loss"].toDouble();
        QVERIFY(before > 0);
        for (const QString& from : {QString("#1"), file}) {
            const Said said = m_cli->json(QStringList{"train", m_recipe, "--weights", from} + hardly);
            SCONCE_VERIFY_SAID(said);
            QVERIFY2(std::abs(said.last()["test_loss"].toDouble() - before) < 1e-4 * before, qPrintable(said.text()));
            const Said shown = m_cli->run({"runs", "show", said.last()["run"].toString()});
            QVERIFY2(shown.out.contains("starts from") && shown.out.contains(from == file ? "mine.safetensors" : "#1 The first"), qPrintable(shown.out));
        }
        const Said control = m_cli->json(QStringList{"train", m_recipe} + hardly); // random numbers are others
        SCONCE_VERIFY_SAID(control);
        QVERIFY(std::abs(control.last()["test_loss"].toDouble() - before) > 0.1 * before);
    }

    void whatDoesNotFitIsSaid()
    {
        writeText(m_folder / "wide.json", tinyRecipe("16"));
        const QStringList wide{"train", path("wide.json"), "--weights", m_run};
        SCONCE_VERIFY_REFUSED(m_cli->wrong(wide, 2, "fit"));
        SCONCE_VERIFY_REFUSED(m_cli->wrong({"train", m_recipe, "--weights", "nobody"}, 2));
        SCONCE_VERIFY_REFUSED(m_cli->wrong({"train", m_recipe, "--weights", "/nowhere.safetensors"}, 2, "/nowhere.safetensors"));
        writeText(m_folder / "broken.safetensors", "nothing of the kind");
        SCONCE_VERIFY_REFUSED(m_cli->wrong({"train", m_recipe, "--weights", path("broken.safetensors")}, 2));
    }

    /// A recipe that names weights: its first loss in the finder is that of the trained network, not of random numbers.
    void findersAndProfileStartThereToo()
    {
        const Said started = m_cli->json({"train", m_recipe, "--weights", m_run, "--name", "From it"});
        SCONCE_VERIFY_SAID(started);
        const QJsonObject start = m_cli->json({"runs", "show", "From it"}).last()["recipe_value"].toObject()["training"].toObject()["start"].toObject();
        QVERIFY2(start["sha256"].toString().size() == 64, qPrintable(QJsonDocument(start).toJson()));
        const QStringList named{"--set", "/training/start/sha256=\"" + start["sha256"].toString() + "\"", "--set", "/training/start/weights=\"it\""};
        const Said random = m_cli->json({"find", "rate", m_recipe, "--steps", "12"}), warm = m_cli->json(QStringList{"find", "rate", m_recipe, "--steps", "12"} + named);
        SCONCE_VERIFY_SAID(random);
        SCONCE_VERIFY_SAID(warm);
        QVERIFY2(warm.objects.first()["loss"].toDouble() < 0.6 * random.objects.first()["loss"].toDouble(), qPrintable(warm.text()));
        SCONCE_VERIFY_SAID(m_cli->json(QStringList{"find", "batch", m_recipe} + named));
        SCONCE_VERIFY_SAID(m_cli->json(QStringList{"profile", m_recipe, "--steps", "2"} + named));
        // Weights that are not there are refused, not left out.
        const QStringList gone{"--set", "/training/start/sha256=\"" + QString(64, 'a') + "\"", "--set", "/training/start/weights=\"it\""};
        SCONCE_VERIFY_REFUSED(m_cli->wrong(QStringList{"find", "rate", m_recipe, "--steps", "12"} + gone, 2, "not in this store"));
        SCONCE_VERIFY_REFUSED(m_cli->wrong(QStringList{"find", "batch", m_recipe} + gone, 2, "not in this store"));
        SCONCE_VERIFY_REFUSED(m_cli->wrong(QStringList{"profile", m_recipe} + gone, 2, "not in this store"));
    }

    void histogramsOfARunThatHasEnded()
    {
        const Said said = m_cli->json({"runs", "histograms", m_run});
        SCONCE_VERIFY_SAID(said);
        QCOMPARE(said.objects.size(), 4); // two dense layers: weight and bias
        for (const QJsonObject& line : said.objects) {
            QCOMPARE(line["kind"].toString(), "weight");
            QCOMPARE(line["step"].toInt(), 270);
            qint64 sum = 0;
            for (const QJsonValue& bin : line["bins"].toArray()) sum += bin.toInteger();
            QCOMPARE(sum, line["count"].toInteger());
            QVERIFY(line["min"].toDouble() < line["mean"].toDouble() && line["mean"].toDouble() < line["max"].toDouble());
        }
        const Said table = m_cli->run({"runs", "histograms", m_run, "--weights", "best"});
        SCONCE_VERIFY_SAID(m_cli->json({"runs", "histograms", m_run, "--weights", "best"}));
        for (const char* word : {"weight", "deviation", "The best weights"}) QVERIFY2(table.out.contains(word), qPrintable(table.out));
        SCONCE_VERIFY_REFUSED(m_cli->wrong({"runs", "histograms", "nobody"}));
    }

    void histogramsOfARunUnderWay()
    {
        auto process = m_cli->start({"train", m_recipe, "--epochs", "50000", "--set", "/training/checkpoint/every_epochs=0", "--name", "Long", "--json"});
        QVERIFY(eventually([&] {
            process->waitForReadyRead(50);
            return process->peek(1 << 16).contains("\"epoch\":2,") || process->state() != QProcess::Running;
        }));
        QCOMPARE(process->state(), QProcess::Running);
        const Said said = m_cli->json({"runs", "histograms", "Long"});
        SCONCE_VERIFY_SAID(said);
        QMap<QString, int> kinds;
        for (const QJsonObject& line : said.objects) {
            ++kinds[line["kind"].toString()];
            QVERIFY(line["step"].toInt() >= 90);
            qint64 sum = 0;
            for (const QJsonValue& bin : line["bins"].toArray()) sum += bin.toInteger();
            QCOMPARE(sum + line["non_finite"].toInteger(), line["count"].toInteger());
        }
        QCOMPARE(kinds["weight"], 4);
        QCOMPARE(kinds["gradient"], 4);
        QCOMPARE(kinds["activation"], 3);
        const Said table = m_cli->run({"runs", "histograms", "Long"});
        QVERIFY2(table.out.contains("gradient") && table.out.contains("while the run goes on"), qPrintable(table.text()));
        SCONCE_VERIFY_SAID(m_cli->json({"runs", "stop", "Long"}));
        QVERIFY(process->waitForFinished(60000));
    }
};

QTEST_GUILESS_MAIN(CliWeightsTest)
#include "cli_weights_test.moc"
