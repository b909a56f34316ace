// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
// A store with data and an uninterrupted run in it, to which every other is compared, and a watcher of what hosts say.

#include "tests/core/training/host_support.h"

#include <QTest>

#include <chrono>
#include <thread>

namespace sconce::test {

inline constexpr int epochs = 16;
inline constexpr int steps = epochs * 45;
inline constexpr int longEpochs = 90; ///< of the runs that are killed: long enough to be killed often

inline void sleepMs(int ms) { std::this_thread::sleep_for(std::chrono::milliseconds(ms)); }

/// Events of a host, with sequence numbers.
class Watcher
{
  public:
    EventSink sink()
    {
        return [this](const Event& event) {
            std::lock_guard lock(m_mutex);
            if (event.sequence <= m_last) ++m_outOfOrder;
            m_last = event.sequence;
            (void)m_events(event.body);
        };
    }
    const Events& events() const { return m_events; }
    std::int64_t last() const
    {
        std::lock_guard lock(m_mutex);
        return m_last;
    }
    int outOfOrder() const
    {
        std::lock_guard lock(m_mutex);
        return m_outOfOrder;
    }
    template <class T> bool waitFor(std::size_t count, double seconds = 300) const
    {
        for (double until = Clock::system().monotonicSeconds() + seconds; Clock::system().monotonicSeconds() < until; sleepMs(2))
            if (m_events.of<T>().size() >= count) return true;
        return false;
    }

  private:
    mutable std::mutex m_mutex;
    Events m_events;
    std::int64_t m_last = 0;
    int m_outOfOrder = 0;
};

/// What the tests of hosts share.
class HostBench
{
  protected:
    QTemporaryDir m_dir{scratch()};
    std::shared_ptr<Store> m_store;
    std::string m_data;
    /// What an uninterrupted run ends with.
    struct Reference { std::string hash; SeriesPoints losses, val; };
    Reference m_straight, m_straightLong;

    RunId newRun(const Recipe& recipe)
    {
        PrepareOptions options;
        options.dataPath = m_data;
        auto run = prepareRun(*m_store, recipe, options);
        if (!run) qWarning("%s", run.error().text().c_str());
        return run.valueOr(RunId());
    }
    RunId newRun() { return newRun(hostRecipe(epochs)); }
    RunRow row(const RunId& run) { return m_store->run(run).valueOr(RunRow()); }
    std::string hashOf(const RunId& run)
    {
        auto checkpoint = newestValidCheckpoint(row(run).folder);
        return checkpoint ? weightsHash(*checkpoint) : checkpoint.error().text();
    }
    /// Empty if the run is in every respect what the uninterrupted one is.
    QString difference(const RunId& run) { return difference(run, m_straight); }
    QString difference(const RunId& run, const Reference& straight)
    {
        auto losses = m_store->series(run, series::trainLoss);
        if (!losses) return text(losses.error());
        if (auto wrong = seriesDifference(*losses, straight.losses); !wrong.empty()) return "losses: " + QString::fromStdString(wrong);
        auto val = m_store->series(run, series::valLoss);
        if (!val) return text(val.error());
        if (val->step != straight.val.step || val->value != straight.val.value) return QString("validation: %1 points").arg(val->step.size());
        if (hashOf(run) != straight.hash) return "weights differ";
        if (row(run).status != RunStatus::Finished) return QString("status %1").arg(statusName(row(run).status));
        return {};
    }
    Reference referenceOf(const RunId& run)
    {
        return {hashOf(run), m_store->series(run, series::trainLoss).valueOr({}), m_store->series(run, series::valLoss).valueOr({})};
    }
    static DriveOptions threadOptions()
    {
        DriveOptions options;
        options.hardwareInterval = 0.1;
        return options;
    }
    void openBench()
    {
        m_data = m_dir.path().toStdString() + "/data";
        writeIdxFolder(m_data, TinyData(1600, 64, 16));
        auto store = Store::open(m_dir.path().toStdString() + "/store");
        SCONCE_VERIFY(store);
        m_store = *store;
        const RunId run = newRun();
        QVERIFY(!run.empty());
        QCOMPARE(row(run).status, RunStatus::Queued);
        Watcher watcher;
        auto host = startThreadHost(m_store, run, threadOptions(), watcher.sink());
        QVERIFY(host->isThread());
        QVERIFY(host->wait(600));
        QCOMPARE(watcher.events().of<RunEnded>().size(), std::size_t{1});
        const RunEnded ended = watcher.events().of<RunEnded>().front();
        QVERIFY2(ended.status == RunStatus::Finished, ended.message.c_str());
        QCOMPARE(watcher.outOfOrder(), 0);
        QVERIFY(!watcher.events().of<HardwareRead>().empty());
        host.reset();
        const RunRow after = row(run);
        QCOMPARE(after.status, RunStatus::Finished);
        QCOMPARE(after.summary.steps, steps);
        QCOMPARE(after.summary.testAccuracy, ended.summary.testAccuracy);
        m_straight = referenceOf(run);
        QCOMPARE(m_straight.hash.size(), std::size_t{64});
        QCOMPARE(m_straight.losses.step.size(), static_cast<std::size_t>(steps));
        QCOMPARE(m_straight.val.step.size(), static_cast<std::size_t>(epochs));
        QCOMPARE(difference(run), QString());
        QVERIFY(!std::filesystem::exists(socketFile(after.folder)));
        QVERIFY(!isAlive(after.folder));
    }
};

} // namespace sconce::test
