// SPDX-License-Identifier: GPL-3.0-or-later
// A trained model outlives its data: single inputs are answered without it, and figures of changed data are not passed off as those
// of the run's own. And what standard output does not take is not said to be done.
#include "tests/support/cli.h"

#include "core/formats/picture.h"

#include <QDir>

using namespace sconce;
using namespace sconce::test;

namespace {

const QByteArray recipeText = R"({ "format": "sconce-recipe", "version": 1, "name": "shades",
  "data": { "dataset": "shades", "split": { "kind": "last", "validation": 0.1 } },
  "layers": [ { "id": "l1", "type": "flatten" },
              { "id": "l2", "type": "dense", "units": 2 } ],
  "training": { "epochs": 1, "batch_size": 10, "learning_rate": 0.01 }, "threads": 1 })";

/// Dark pictures and bright ones.
bool writePictures(const QString& root, int count)
{
    for (const auto& [name, light] : {std::pair{"bright", 200}, std::pair{"dark", 20}}) {
        const QString folder = root + "/" + name;
        QDir().mkpath(folder);
        for (int i = 0; i < count; ++i) {
            Picture picture{8, 8, 1, {}};
            for (int p = 0; p < 64; ++p) picture.pixels.push_back(static_cast<std::uint8_t>(light + (i * 7 + p) % 30));
            if (!writePng((folder + QString("/%1.png").arg(i)).toStdString(), picture)) return false;
        }
    }
    return true;
}

} // namespace

class CliUseTest : public QObject
{
    Q_OBJECT

    TemporaryFolder m_folder;
    std::unique_ptr<Cli> m_cli;
    QString path(const std::string& name) { return QString::fromStdString(m_folder / name); }

  private Q_SLOTS:
    void initTestCase()
    {
        m_cli = std::make_unique<Cli>(m_folder / "store");
        writeText(m_folder / "recipe.json", recipeText);
    }

    void aModelAnswersWhenItsDataIsGoneOrChanged()
    {
        QVERIFY(writePictures(path("shades"), 40));
        SCONCE_VERIFY_SAID(m_cli->json({"train", path("recipe.json"), "--data", path("shades")}));
        QVERIFY(QFile::copy(path("shades/dark/0.png"), path("one.png")));
        const Said before = m_cli->json({"predict", "last", path("one.png")});
        SCONCE_VERIFY_SAID(before);
        SCONCE_VERIFY_SAID(m_cli->json({"evaluate", "last", "--split", "train"}));
        QVERIFY(!m_cli->json({"evaluate", "last", "--split", "train"}).err.contains("has changed"));

        QVERIFY(writePictures(path("shades"), 45)); // some more: other figures
        const Said changed = m_cli->json({"evaluate", "last", "--split", "train"});
        SCONCE_VERIFY_SAID(changed);
        QVERIFY2(changed.err.contains("has changed"), qPrintable(changed.text()));

        QVERIFY(QDir().rename(path("shades"), path("elsewhere")));
        SCONCE_VERIFY_REFUSED(m_cli->wrong({"evaluate", "last"}));
        const Said after = m_cli->json({"predict", "last", path("one.png")});
        SCONCE_VERIFY_SAID(after);
        QCOMPARE(after.out, before.out);
    }

    void twoFoldersOfOneNameAreTwoDataSets()
    {
        QVERIFY(writePictures(path("first/set"), 20) && writePictures(path("second/set"), 25));
        const Said first = m_cli->json({"train", path("recipe.json"), "--data", path("first/set")});
        SCONCE_VERIFY_SAID(first);
        SCONCE_VERIFY_SAID(m_cli->json({"train", path("recipe.json"), "--data", path("second/set")}));
        const auto dataOf = [&](const QString& run) { return m_cli->json({"runs", "show", run}).last()["data"].toString(); };
        const QString run = first.last()["run"].toString(), id = dataOf(run);
        QVERIFY2(!id.isEmpty() && id != dataOf("last"), qPrintable(id));
        // The library still knows the first: a recipe that names it finds it.
        SCONCE_VERIFY_SAID(m_cli->json({"train", path("recipe.json"), "--set", "/data/dataset=" + id}));
        QCOMPARE(dataOf("last"), id);
        QCOMPARE(m_cli->json({"runs", "show", "last"}).last()["fingerprint"], m_cli->json({"runs", "show", run}).last()["fingerprint"]);
        SCONCE_VERIFY_SAID(m_cli->json({"resume", run, "--epochs", "2"}));
        // The same folder again is the same set.
        SCONCE_VERIFY_SAID(m_cli->json({"train", path("recipe.json"), "--data", path("second/set")}));
        const QString second = dataOf("last");
        SCONCE_VERIFY_SAID(m_cli->json({"train", path("recipe.json"), "--data", path("second/set")}));
        QCOMPARE(dataOf("last"), second);
    }

    void aFullDiskBehindARedirectionIsAFailure()
    {
        const auto redirected = [&](const QString& command) {
            auto process = std::make_unique<QProcess>();
            process->start("bash", {"-c", command});
            process->waitForFinished(60000);
            return saidBy(*process);
        };
        const Said full = redirected(QString("'%1' layers > /dev/full").arg(SCONCE_CLI));
        QVERIFY2(full.code == 1, qPrintable(full.text()));
        QVERIFY2(full.err.contains("no space is left"), qPrintable(full.text()));
        QCOMPARE(notASentence(full.err.trimmed()), QString());

        // A reader that has seen enough is no failure: the run goes on to its end.
        const Said seen = redirected(QString("'%1' train '%2' --data '%3' --store '%4' --json --quiet | true; exit ${PIPESTATUS[0]}")
                                         .arg(SCONCE_CLI, path("recipe.json"), path("elsewhere"), m_cli->store()));
        QVERIFY2(seen.code == 0, qPrintable(seen.text()));
        QCOMPARE(m_cli->json({"runs", "show", "last"}).last()["status"], "finished");
    }
};

QTEST_GUILESS_MAIN(CliUseTest)
#include "cli_use_test.moc"
