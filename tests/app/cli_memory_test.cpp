// SPDX-License-Identifier: GPL-3.0-or-later
// A run whose batch does not fit into the memory that its process may take: it says so, cuts the batch into pieces that fit, and trains
// the same network; killed and resumed, it still knows.
#include "tests/support/cli.h"

#include <QDirIterator>
#include <QRegularExpression>

#include <cmath>
#include <map>

using namespace sconce;
using namespace sconce::test;

namespace {

/// 64 maps of 26×26 numbers for 3000 samples: half a gigabyte, and as much again for their gradients.
QByteArray hungryRecipe(int epochs)
{
    return R"({ "format": "sconce-recipe", "version": 1, "name": "hungry",
  "data": { "dataset": "digits", "split": { "kind": "last", "validation": 0.6 } },
  "layers": [ { "id": "l1", "type": "conv2d", "name": "conv1", "filters": 64, "kernel": [3, 3], "activation": "relu" },
              { "id": "l2", "type": "global_average_pool", "name": "gap1" },
              { "id": "l3", "type": "dense", "name": "dense1", "units": 10 } ],
  "training": { "epochs": )" +
           QByteArray::number(epochs) + R"(, "batch_size": 3000, "learning_rate": 0.01 }, "threads": 2 })";
}

} // namespace

class CliMemoryTest : public QObject
{
    Q_OBJECT

    TemporaryFolder m_folder;

    QString recipe(int epochs)
    {
        const std::string path = m_folder / ("hungry" + std::to_string(epochs) + ".json");
        writeText(path, hungryRecipe(epochs));
        return QString::fromStdString(path);
    }
    /// Private memory that may be written; the program's libraries do not count.
    static void limit(Cli& cli, rlim_t megabytes)
    {
        cli.inChild = [megabytes] {
            const rlimit most{megabytes << 20, megabytes << 20};
            setrlimit(RLIMIT_DATA, &most);
        };
    }
    /// Loss by step, as the history has it.
    static std::map<qint64, double> losses(const Cli& cli)
    {
        std::map<qint64, double> found;
        for (const QString& line : cli.run({"runs", "export", "last", "--series"}).out.split('\n')) {
            const QStringList cells = line.trimmed().split(',');
            if (cells.size() == 3 && cells[0] == "train/loss") found[cells[1].toLongLong()] = cells.last().toDouble();
        }
        return found;
    }

  private Q_SLOTS:
    void goesOnInSmallerPieces()
    {
        Cli free(m_folder / "free"), first(m_folder / "tight"), tight(m_folder / "killed");
        const Said whole = free.json({"train", recipe(1)});
        SCONCE_VERIFY_SAID(whole);
        QVERIFY(!whole.err.contains("Memory ran out"));

        // What a program takes before it trains differs from machine to machine.
        Said cut;
        for (const rlim_t megabytes : {1000, 800, 650, 500}) {
            limit(first, megabytes);
            limit(tight, megabytes);
            cut = first.json({"train", recipe(1)});
            if (cut.err.contains("Memory ran out")) break;
        }
        SCONCE_VERIFY_SAID(cut);
        const auto said = QRegularExpression("The batch of 3,000 now goes through the network ([0-9,]+) samples at a time").match(cut.err);
        QVERIFY2(said.hasMatch(), qPrintable(cut.text()));

        const auto a = losses(free), b = losses(first);
        QVERIFY2(a.size() == 2, qPrintable(QString::number(a.size())));
        QCOMPARE(b.size(), a.size()); // the batch is as large as ever
        for (const auto& [step, loss] : a) QVERIFY2(std::abs(loss - b.at(step)) < 1e-4, qPrintable(QString("step %1: %2 and %3").arg(step).arg(loss).arg(b.at(step))));
        for (const char* key : {"train_loss", "val_loss", "test_loss"}) {
            const double there = whole.last()[key].toDouble(), here = cut.last()[key].toDouble();
            QVERIFY2(there > 0.1 && std::abs(there - here) < 1e-4, qPrintable(QString("%1: %2 and %3").arg(key).arg(there).arg(here)));
        }

        // Killed and resumed with no more memory than before, it does not need to run out of it again to know.
        auto process = tight.start({"train", recipe(3)});
        const auto saved = [&] {
            QDirIterator folders(tight.store() + "/runs", {"step-000000002"}, QDir::Dirs, QDirIterator::Subdirectories);
            return folders.hasNext();
        };
        QVERIFY(eventually([&] { return saved() || process->state() == QProcess::NotRunning; }));
        process->kill();
        process->waitForFinished();
        const Said resumed = tight.run({"resume", "last", "--json"}, 200000);
        SCONCE_VERIFY_SAID(resumed);
        QVERIFY2(!resumed.err.contains("The batch of"), qPrintable(resumed.err));
        QCOMPARE(resumed.last()["epochs"].toInt(), 3);
        QCOMPARE(losses(tight).size(), std::size_t{6});
    }
};

QTEST_GUILESS_MAIN(CliMemoryTest)
#include "cli_memory_test.moc"
