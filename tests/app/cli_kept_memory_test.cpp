// SPDX-License-Identifier: GPL-3.0-or-later
// What `sconce runs show` says of the memory that a run kept on GPUs: the most that the history has, and nothing where there was no GPU.
#include "core/history/store.h"
#include "tests/support/cli.h"

#include <limits>

using namespace sconce;
using namespace sconce::test;

class CliKeptMemoryTest : public QObject
{
    Q_OBJECT

    TemporaryFolder m_folder;

    /// A run whose trainer told these readings, a second apart; its id.
    RunId runWith(const std::vector<std::vector<std::pair<std::string, double>>>& readings)
    {
        auto store = Store::open(m_folder / "store");
        if (!store) return {};
        NewRun run;
        run.name = run.recipe.name = "read";
        run.data.id = run.data.title = "digits";
        run.environment = Json::object();
        auto id = (*store)->createRun(run);
        if (!id) return {};
        auto attempt = (*store)->openAttempt(*id, 0, "thread", Json::object(), "cuda:0", "NVIDIA H200", "", 10);
        if (!attempt) return {};
        Event event;
        double seconds = 0;
        for (const auto& values : readings) {
            event = {event.sequence + 1, 1, HardwareRead{seconds += 1, values}};
            if (!(*store)->record(*id, *attempt, event)) return {};
        }
        return (*store)->flush() ? *id : RunId();
    }

  private Q_SLOTS:
    void theMostIsShown()
    {
        constexpr double mebi = 1024 * 1024, unknown = std::numeric_limits<double>::quiet_NaN();
        const RunId run = runWith({{{"cpu", 0.5}, {"gpu1.memory", 9e9}, {"gpu1.allocated", 300 * mebi}, {"gpu1.reserved", 400 * mebi}},
                                   {{"cpu", 0.5}, {"gpu1.memory", 9e9}, {"gpu1.allocated", 200 * mebi}, {"gpu1.reserved", 512 * mebi}},
                                   {{"gpu1.allocated", unknown}, {"gpu1.reserved", unknown}}});
        QVERIFY(!run.empty());
        const Cli cli(m_folder / "store");
        const QString id = QString::fromStdString(run);
        const Said said = cli.json({"runs", "show", id});
        SCONCE_VERIFY_SAID(said);
        const QJsonArray memory = said.last()["gpu_memory"].toArray();
        QCOMPARE(memory.size(), 1);
        QCOMPARE(memory[0].toObject(), (QJsonObject{{"gpu", "gpu1"}, {"allocated", 300 * mebi}, {"reserved", 512 * mebi}}));
        const Said words = cli.run({"runs", "show", id});
        QVERIFY2(words.out.contains("GPU memory   300 MiB allocated, 512 MiB reserved at most (gpu1)"), qPrintable(words.text()));
    }

    void nothingWhereNothingWasKept()
    {
        const RunId run = runWith({{{"cpu", 0.5}, {"memory", 9e9}, {"gpu0.memory", 1e9}}});
        QVERIFY(!run.empty());
        const Cli cli(m_folder / "store");
        const Said said = cli.json({"runs", "show", QString::fromStdString(run)});
        SCONCE_VERIFY_SAID(said);
        QVERIFY(!said.last().contains("gpu_memory"));
        QVERIFY(!cli.run({"runs", "show", QString::fromStdString(run)}).out.contains("GPU memory"));
    }
};

QTEST_GUILESS_MAIN(CliKeptMemoryTest)
#include "cli_kept_memory_test.moc"
