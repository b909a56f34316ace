// SPDX-License-Identifier: GPL-3.0-or-later
// A model that is looked at beside a run takes the run's number of threads: MKL has one for the whole process, and a change in
// the middle of a run would round its sums in another order.

#include "engine_support.h"

#include "core/engine/backend/engine_table.h"

#include <ATen/Parallel.h>

#include <QtTest>

#include <thread>

using namespace sconce;
using namespace sconce::test;

namespace {

std::unique_ptr<Session> open(int threads, bool training)
{
    SessionSpec spec = specOf(*planOf(convnet, imageType(2, 12, 12)), training ? "adam" : "");
    spec.threads = threads;
    auto session = engine::openSession(std::move(spec));
    if (!session) giveUp(session.error());
    if (auto used = (*session)->useData(stripes()); !used) giveUp(used.error());
    return std::move(*session);
}

/// How many threads a look at the model on a thread of its own leaves behind.
int threadsOfALook(Session& session)
{
    int threads = 0;
    std::thread([&] {
        const auto rows = rowsOfStep(0, 4, 20);
        if (!session.evaluate(Part::Test, rows, 4, {})) qFatal("no evaluation");
        threads = at::get_num_threads();
    }).join();
    return threads;
}

} // namespace

class ThreadsTest : public QObject
{
    Q_OBJECT

  private Q_SLOTS:
    void aLookBesideARunTakesItsThreads()
    {
        auto look = open(1, false);
        QCOMPARE(threadsOfALook(*look), 1);
        auto run = open(2, true);
        QCOMPARE(threadsOfALook(*look), 2);
        train(*run, 0, 1);
        QCOMPARE(at::get_num_threads(), 2);
        run.reset();
        QCOMPARE(threadsOfALook(*look), 1);
    }

    /// Else every loop of ours runs on one thread in silence, with the right numbers.
    void theEnginesOwnLoopsRunOnAllThreads()
    {
#ifndef SCONCE_PARALLEL_LOOPS
        QSKIP("This build has no OpenMP for the engine's own loops.");
#endif
        auto run = open(2, true);
        QCOMPARE(run->choices().at("loop_threads").get<int>(), 2);
        run.reset();
        auto alone = open(1, true);
        QCOMPARE(alone->choices().at("loop_threads").get<int>(), 1);
    }
};

QTEST_GUILESS_MAIN(ThreadsTest)
#include "threads_test.moc"
