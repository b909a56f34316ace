// SPDX-License-Identifier: GPL-3.0-or-later
#include "helpers.h"

#include "core/base/clock.h"

#include "tests/support/patience.h"

#include <QDir>
#include <QElapsedTimer>
#include <QFile>

#include <algorithm>
#include <limits>
#include <random>

using namespace testing;

namespace {

constexpr float quietNan = std::numeric_limits<float>::quiet_NaN();
constexpr float infinite = std::numeric_limits<float>::infinity();

bool same(float a, float b) { return a == b || (std::isnan(a) && std::isnan(b)); }

/// "" if the buckets are exactly the points between first and last, each summed up, in order; else what is wrong.
std::string wrongWithBuckets(const std::vector<SeriesBucket>& buckets, const SeriesPoints& all, std::int64_t first, std::int64_t last, int most)
{
    if (int(buckets.size()) > most) return "there are " + std::to_string(buckets.size()) + " buckets";
    std::size_t i = 0;
    const std::size_t n = all.step.size();
    while (i < n && all.step[i] < first) ++i;
    for (const SeriesBucket& b : buckets) {
        const std::string where = " in the bucket from step " + std::to_string(b.firstStep);
        if (i >= n || all.step[i] != b.firstStep) return "a gap or overlap" + where;
        float low = infinite, high = -infinite, at = 0;
        double sum = 0;
        std::int64_t count = 0, bad = 0;
        for (; i < n && all.step[i] <= b.lastStep; ++i) {
            const auto v = static_cast<float>(all.value[i]);
            at = v;
            ++count;
            if (!std::isfinite(v)) {
                ++bad;
                continue;
            }
            low = std::min(low, v);
            high = std::max(high, v);
            sum += double(v);
        }
        if (count != b.count || bad != b.notFinite) return "wrong counts" + where;
        if (all.step[i - 1] != b.lastStep) return "wrong last step" + where;
        if (!same(b.last, at)) return "wrong last value" + where;
        if (count > bad && (b.min != low || b.max != high)) return "wrong extremes" + where;
        if (count == bad && !(std::isnan(b.min) && std::isnan(b.mean))) return "a value where there is none" + where;
        if (count > bad && std::abs(b.mean - sum / double(count - bad)) > 1e-6 * (1 + std::abs(b.mean))) return "wrong mean" + where;
    }
    if (i < n && all.step[i] <= last) return "the points from step " + std::to_string(all.step[i]) + " are missing";
    return {};
}

} // namespace

class SeriesTest : public QObject
{
    Q_OBJECT

    QTemporaryDir m_dir;
    std::shared_ptr<Store> m_store;

    /// A run with losses that hold NaN, infinities and lone spikes.
    RunId wildRun(std::int64_t steps, std::int64_t group)
    {
        const auto id = m_store->createRun(newRun("wild"));
        if (!id || !attemptFrom(*m_store, *id, 0)) return {};
        std::mt19937 random(7);
        for (std::int64_t first = 0; first < steps; first += group) {
            StepsDone s = stepsFrom(first, std::min(group, steps - first));
            for (float& loss : s.loss) {
                if (random() % 97 == 0) loss = quietNan;
                if (random() % 499 == 0) loss = random() % 2 ? infinite : -infinite;
                if (random() % 1999 == 0) loss = 1e6f;
            }
            if (first > 20 * group && first < 30 * group) std::fill(s.loss.begin(), s.loss.end(), quietNan);
            if (!m_store->record(*id, 1, said(s))) return {};
            if (first % (group * 8) == 0 && !m_store->flush()) return {};
        }
        return m_store->flush() ? *id : RunId();
    }

  private Q_SLOTS:
    void initTestCase()
    {
        auto store = Store::open(m_dir.path().toStdString() + "/store");
        VERIFY_OK(store);
        m_store = *store;
    }

    void bucketsHideNothing()
    {
        const RunId id = wildRun(50'000, 37);
        QVERIFY(!id.empty());
        const auto all = m_store->series(id, series::trainLoss);
        VERIFY_OK(all);
        QCOMPARE(all->step.size(), std::size_t(50'000));
        std::mt19937 random(3);
        for (int round = 0; round < 200; ++round) {
            std::int64_t a = random() % 50'000, b = random() % 50'000;
            if (a > b) std::swap(a, b);
            if (round < 10) {
                a = 0;
                b = 49'999;
            }
            const int most = 1 + int(random() % (round % 2 ? 3000 : 30));
            const auto buckets = m_store->buckets(id, series::trainLoss, a, b, most);
            VERIFY_OK(buckets);
            const std::string wrong = wrongWithBuckets(*buckets, *all, a, b, most);
            QVERIFY2(wrong.empty(), qPrintable(QString::fromStdString(wrong) + QString(" of %1…%2 in %3").arg(a).arg(b).arg(most)));
        }
        const auto everything = m_store->buckets(id, series::trainLoss, std::numeric_limits<std::int64_t>::min(),
                                                 std::numeric_limits<std::int64_t>::max(), 500);
        VERIFY_OK(everything);
        QVERIFY2(everything->size() > 300, qPrintable(QString::number(everything->size())));
        QCOMPARE(QString::fromStdString(wrongWithBuckets(*everything, *all, 0, 49'999, 500)), QString());
    }

    void bucketsOverAttemptsAndIrregularSteps()
    {
        const auto id = m_store->createRun(newRun("attempts"));
        VERIFY_OK(id);
        std::mt19937 random(5);
        double seconds = 0;
        for (int attempt = 1; attempt <= 3; ++attempt) {
            const std::int64_t from = (attempt - 1) * 7'000;
            VERIFY_OK(attemptFrom(*m_store, *id, from));
            VERIFY_OK(m_store->record(*id, attempt, said(stepsFrom(from, 9'000))));
            for (int i = 0; i < 9'000; ++i) {
                seconds += 0.001 * double(1 + random() % 3000);
                VERIFY_OK(m_store->record(*id, attempt, said(HardwareRead{seconds, {{"cpu", double(random() % 100)}}})));
            }
            VERIFY_OK(m_store->flush());
        }
        for (const char* key : {series::trainLoss, series::seconds, "hardware/cpu"}) {
            const auto all = m_store->series(*id, key);
            VERIFY_OK(all);
            QVERIFY(std::is_sorted(all->step.begin(), all->step.end()));
            for (int most : {1, 7, 100, 2000, 100'000}) {
                const auto buckets = m_store->buckets(*id, key, 0, all->step.back(), most);
                VERIFY_OK(buckets);
                QCOMPARE(QString::fromStdString(wrongWithBuckets(*buckets, *all, 0, all->step.back(), most)), QString());
            }
        }
        QCOMPARE(QString::fromStdString(wrongWithLosses(*m_store->series(*id, series::trainLoss), 23'000)), QString());
    }

    /// Run time grows beyond what a float can tell apart from one step to the next; losses stay 32 bits.
    void declaredSeriesKeepTheirBits()
    {
        const auto id = m_store->createRun(newRun("long"));
        VERIFY_OK(id);
        VERIFY_OK(attemptFrom(*m_store, *id, 0));
        std::vector<double> wanted;
        for (std::int64_t first = 0; first < 10'000; first += 100) { // more than two full blocks, and a rest
            StepsDone steps = stepsFrom(first, 100);
            for (std::size_t i = 0; i < 100; ++i) steps.seconds[i] = 604'800.0 + double(first + std::int64_t(i)) * 0.0011;
            wanted.insert(wanted.end(), steps.seconds.begin(), steps.seconds.end());
            VERIFY_OK(m_store->record(*id, 1, said(steps)));
        }
        VERIFY_OK(m_store->flush());
        const auto seconds = m_store->series(*id, series::seconds);
        VERIFY_OK(seconds);
        QCOMPARE(seconds->bits, 64);
        QVERIFY(seconds->value == wanted);
        QVERIFY(double(float(wanted[1])) != wanted[1]); // a float would have lost it
        QCOMPARE(m_store->series(*id, series::trainLoss)->bits, 32);
    }

    void emptyAndOdd()
    {
        const auto id = m_store->createRun(newRun("empty"));
        VERIFY_OK(id);
        QVERIFY(m_store->series(*id, series::trainLoss)->step.empty());
        QVERIFY(m_store->buckets(*id, series::trainLoss, 0, 100, 10)->empty());
        QVERIFY(m_store->buckets(*id, series::trainLoss, 100, 0, 10)->empty());
        VERIFY_OK(attemptFrom(*m_store, *id, 0));
        VERIFY_OK(m_store->record(*id, 1, said(stepsFrom(0, 1))));
        VERIFY_OK(m_store->flush());
        const auto one = m_store->buckets(*id, series::trainLoss, 0, 0, -5);
        VERIFY_OK(one);
        QCOMPARE(one->size(), std::size_t(1));
        QVERIFY(m_store->buckets("nonesuch", series::trainLoss, 0, 1, 10)->empty());
    }

    void aPointNowAndThenIsMerged()
    {
        // Many tiny commits, as a slow run makes them.
        const auto id = m_store->createRun(newRun("slow"));
        VERIFY_OK(id);
        VERIFY_OK(attemptFrom(*m_store, *id, 0));
        for (int step = 0; step < 300; ++step) {
            VERIFY_OK(m_store->record(*id, 1, said(stepsFrom(step, 1))));
            VERIFY_OK(m_store->flush());
        }
        QCOMPARE(QString::fromStdString(wrongWithLosses(*m_store->series(*id, series::trainLoss), 300)), QString());
    }

    void aMillionPointsOpenFast()
    {
        const auto id = m_store->createRun(newRun("million"));
        VERIFY_OK(id);
        VERIFY_OK(attemptFrom(*m_store, *id, 0));
        QElapsedTimer timer;
        timer.start();
        for (std::int64_t step = 0; step < 1'000'000; step += 500)
            VERIFY_OK(m_store->record(*id, 1, said(stepsFrom(step, 500))));
        VERIFY_OK(m_store->flush());
        const double written = double(timer.nsecsElapsed()) / 1e9;
        // Opened anew, as a window would.
        m_store.reset();
        auto store = Store::open(m_dir.path().toStdString() + "/store");
        VERIFY_OK(store);
        m_store = *store;
        const sconce::test::CpuTimer opening; // of this thread, which reads
        const auto keys = m_store->seriesKeys(*id);
        const auto row = m_store->run(*id);
        std::vector<std::vector<SeriesBucket>> curves;
        for (const char* key : {series::trainLoss, series::trainAccuracy, series::learningRate, series::seconds}) {
            auto buckets = m_store->buckets(*id, key, 0, 999'999, 1000);
            VERIFY_OK(buckets);
            curves.push_back(std::move(*buckets));
        }
        const double opened = opening.ms();
        timer.start();
        const auto all = m_store->series(*id, series::trainLoss);
        const double whole = double(timer.nsecsElapsed()) / 1e6;
        timer.start();
        const auto zoom = m_store->buckets(*id, series::trainLoss, 400'123, 402'345, 1000);
        const double zoomed = double(timer.nsecsElapsed()) / 1e6;
        qInfo("1,000,000 steps of 4 series: recorded in %.2f s; four curves of 1,000 buckets in %.1f ms; a zoom in %.1f ms; every point of one in %.1f ms",
              written, opened, zoomed, whole);
        QCOMPARE(row->summary.steps, std::int64_t(1'000'000));
        QCOMPARE(QString::fromStdString(wrongWithLosses(*all, 1'000'000)), QString());
        QCOMPARE(QString::fromStdString(wrongWithBuckets(curves[0], *all, 0, 999'999, 1000)), QString());
        QCOMPARE(QString::fromStdString(wrongWithBuckets(*zoom, *all, 400'123, 402'345, 1000)), QString());
        QVERIFY2(opened < 300, qPrintable(QString::number(opened)));
    }

    void aThousandRunsListFast()
    {
        // Made from run folders (a store that lost its database), since creating a thousand durably takes its time.
        QTemporaryDir dir;
        const std::string folder = dir.path().toStdString() + "/store";
        const std::string recipe = recipeText(newRun("x").recipe);
        for (int i = 1; i <= 1000; ++i) {
            const QString run = QString("%1/store/runs/m0000000000%2").arg(dir.path()).arg(i, 4, 10, QChar('0'));
            QVERIFY(QDir().mkpath(run));
            QFile text(run + "/recipe.json"), facts(run + "/run.json");
            QVERIFY(text.open(QIODevice::WriteOnly) && facts.open(QIODevice::WriteOnly));
            text.write(recipe.c_str());
            facts.write(QString("{\"number\": %1, \"name\": \"run %1\", \"ended_status\": \"%2\", \"tags\": [\"a\"]}").arg(i).arg(i % 2 ? "finished" : "").toUtf8());
        }
        QElapsedTimer timer;
        timer.start();
        auto store = Store::open(folder);
        VERIFY_OK(store);
        const double created = double(timer.nsecsElapsed()) / 1e9;
        const sconce::test::CpuTimer listing;
        const auto rows = (*store)->runs();
        const double listed = listing.ms();
        VERIFY_OK(rows);
        QCOMPARE(rows->size(), std::size_t(1000));
        QCOMPARE(rows->front().number, std::int64_t(1000));
        timer.start();
        for (int i = 0; i < 100; ++i) (*store)->changeCounter();
        qInfo("1,000 runs: rebuilt from their folders in %.2f s, listed in %.1f ms; the change counter takes %.2f ms", created, listed,
              double(timer.nsecsElapsed()) / 1e8);
        QVERIFY2(listed < 200, qPrintable(QString::number(listed)));
    }
};

QTEST_GUILESS_MAIN(SeriesTest)
#include "series_test.moc"
