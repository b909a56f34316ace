// SPDX-License-Identifier: GPL-3.0-or-later
// Staging with a device that does what it is told as late and in as wild an order as its lines of work allow: whatever the host writes and
// whenever, each piece of work finds what was sent to it last. And with every single wait left out, to see that this would be noticed.

#include "core/base/random.h"
#include "core/engine/backend/staging.h"

#include <ATen/ops/empty.h>

#include <QtTest>

#include <cstring>
#include <deque>
#include <functional>
#include <set>

using namespace sconce;
using engine::Lanes;
using engine::Staging;

namespace {

/// Two queues. Work is done when the host waits for it, or now and then.
class LateDevice final : public Lanes
{
  public:
    enum Waits { HostForCopy, CopyForRead, ComputeForCopy, None };
    explicit LateDevice(std::uint64_t seed, Waits leftOut) : m_random(seed, Purpose::Test), m_leftOut(leftOut) {}

    int newMark() override
    {
        m_marks.push_back({});
        return static_cast<int>(m_marks.size()) - 1;
    }
    /// As a device does, it keeps no memory alive that it has still to copy from or to.
    void copy(Lane lane, const at::Tensor& to, const at::Tensor& from) override
    {
        ++underWay;
        tell(lane, [this, to = to.data_ptr(), from = from.data_ptr(), bytes = from.nbytes()] {
            std::memcpy(to, from, bytes);
            --underWay;
        });
    }
    void set(int mark, Lane lane) override
    {
        const int version = ++at(mark).asked;
        tell(lane, [this, mark, version] { at(mark).reached = version; });
    }
    void wait(Lane lane, int mark) override
    {
        if (m_leftOut == (lane == Copy ? CopyForRead : ComputeForCopy)) return;
        m_queues[lane].push_back({{}, mark, at(mark).asked});
    }
    void waitOnHost(int mark) override
    {
        if (m_leftOut == HostForCopy && !finishing) return;
        while (at(mark).reached < at(mark).asked) doOne();
    }
    /// Work of the device, done in its turn.
    void tell(Lane lane, std::function<void()> work)
    {
        m_queues[lane].push_back({std::move(work), -1, 0});
        if (m_random.below(m_drawn++, 4) == 0) doOne(); // so it falls behind until it is waited for
    }
    /// Work that is told to both lanes is done when the device feels like it; a queue that waits lets the other go first.
    bool doOne()
    {
        const auto first = static_cast<Lane>(m_random.below(m_drawn++, 2));
        for (const Lane lane : {first, first == Copy ? Compute : Copy}) {
            auto& queue = m_queues[lane];
            while (!queue.empty() && queue.front().mark >= 0 && at(queue.front().mark).reached >= queue.front().version) queue.pop_front();
            if (queue.empty() || queue.front().mark >= 0) continue;
            const auto work = std::move(queue.front().work);
            queue.pop_front();
            work();
            return true;
        }
        return false;
    }
    bool finishing = false;
    int underWay = 0; ///< copies

  private:
    struct Told { std::function<void()> work; int mark; int version; };
    struct Mark { int asked = 0, reached = 0; };
    Mark& at(int mark) { return m_marks[static_cast<std::size_t>(mark)]; }

    Philox m_random;
    std::uint64_t m_drawn = 0;
    Waits m_leftOut;
    std::deque<Told> m_queues[2];
    std::deque<Mark> m_marks;
};

constexpr std::int64_t width = 5;

/// What a piece of work finds in `rows` rows, of which each should be all the number that the host meant.
struct Found { std::int64_t rows = 0, meant = 0; std::vector<std::int64_t> values; };

/// Lots of uneven sizes are filled and sent, each followed by work that reads them. True if all of it found what was meant for it.
bool runs(std::uint64_t seed, std::size_t lots, bool aside, LateDevice::Waits leftOut)
{
    const auto device = std::make_shared<LateDevice>(seed, leftOut);
    const Philox random(seed, Purpose::Test, 1);
    std::deque<Found> found;
    {
        Staging staging(at::kCPU, device, lots, aside);
        staging.reserve(4);
        for (std::int64_t number = 0; number < 60; ++number) {
            const auto places = static_cast<std::int64_t>(1 + random.below(static_cast<std::uint64_t>(number), 4));
            for (std::int64_t place = 0; place < places; ++place) {
                auto* to = static_cast<std::int64_t*>(staging.hold(place, 1, {width}, at::kLong));
                std::fill(to, to + width, 100 * number + place);
            }
            staging.send(places);
            for (std::int64_t place = 0; place < places; ++place) { // as steps are replayed one by one
                staging.bringForward(place, 1);
                Found& entry = found.emplace_back(Found{1, 100 * number + place, {}});
                const at::Tensor fixed = staging.tensor();
                device->tell(Lanes::Compute, [fixed, &entry] { entry.values.assign(fixed.const_data_ptr<std::int64_t>(), fixed.const_data_ptr<std::int64_t>() + width); });
            }
        }
        device->finishing = true;
        while (device->doOne()) {}
    }
    return std::all_of(found.begin(), found.end(), [](const Found& each) { return each.values == std::vector<std::int64_t>(width, each.meant); });
}

} // namespace

class StagingTest : public QObject
{
    Q_OBJECT

  private Q_SLOTS:
    void nothingIsOverwritten_data();
    void nothingIsOverwritten();
    void everyWaitIsNeeded_data();
    void everyWaitIsNeeded();
    void hostAheadByItsLots();
    void grows();
    void newMemoryIsWaitedFor();
    void memoryThatRunsOut();
    void destroyedWhileCopying_data();
    void destroyedWhileCopying();
    void released();
    void ofTheProcessor();
};

void StagingTest::nothingIsOverwritten_data()
{
    QTest::addColumn<int>("lots");
    QTest::addColumn<bool>("aside");
    for (const int lots : {1, 2, 3, 16})
        for (const bool aside : {false, true}) QTest::addRow("%d lots%s", lots, aside ? ", aside" : "") << lots << aside;
}

void StagingTest::nothingIsOverwritten()
{
    QFETCH(int, lots);
    QFETCH(bool, aside);
    for (std::uint64_t seed = 0; seed < 50; ++seed) QVERIFY(runs(seed, static_cast<std::size_t>(lots), aside, LateDevice::None));
}

void StagingTest::everyWaitIsNeeded_data()
{
    QTest::addColumn<int>("leftOut");
    QTest::addColumn<bool>("aside");
    QTest::newRow("the host, for its memory") << static_cast<int>(LateDevice::HostForCopy) << false;
    QTest::newRow("the host, for its memory, aside") << static_cast<int>(LateDevice::HostForCopy) << true;
    QTest::newRow("the copy, for the device's memory") << static_cast<int>(LateDevice::CopyForRead) << true;
    QTest::newRow("the step, for its copy") << static_cast<int>(LateDevice::ComputeForCopy) << true;
}

void StagingTest::everyWaitIsNeeded()
{
    QFETCH(int, leftOut);
    QFETCH(bool, aside);
    bool noticed = false;
    for (std::uint64_t seed = 0; seed < 50 && !noticed; ++seed) noticed = !runs(seed, 2, aside, static_cast<LateDevice::Waits>(leftOut));
    QVERIFY(noticed);
}

/// A device that does nothing by itself: the host goes on until its last lot, and is held up by the next one only.
void StagingTest::hostAheadByItsLots()
{
    struct Idle final : Lanes
    {
        int marks = 0, waits = 0;
        std::set<int> under;
        int newMark() override { return marks++; }
        void copy(Lane, const at::Tensor&, const at::Tensor&) override {}
        void set(int mark, Lane) override { under.insert(mark); }
        void wait(Lane, int) override {}
        void waitOnHost(int mark) override { waits += static_cast<int>(under.erase(mark)); }
    };
    const auto device = std::make_shared<Idle>();
    Staging staging(at::kCPU, device, 3, true);
    staging.send(1); // nothing was held
    QVERIFY(device->under.empty());
    for (int i = 0; i < 3; ++i) {
        staging.hold(0, 1, {width}, at::kLong);
        staging.send(1);
    }
    QCOMPARE(device->waits, 0);
    staging.hold(0, 1, {width}, at::kLong);
    QCOMPARE(device->waits, 1);
    staging.hold(0, 1, {width}, at::kLong); // the same lot: it is the host's
    QCOMPARE(device->waits, 1);
}

/// A larger batch makes all of it anew, behind what is under way; not while a lot is half filled.
void StagingTest::grows()
{
    const auto device = std::make_shared<LateDevice>(3, LateDevice::None);
    Staging staging(at::kCPU, device, 2, true);
    std::int64_t seen = 0;
    for (const std::int64_t rows : {2, 2, 8}) {
        auto* to = static_cast<std::int64_t*>(staging.hold(0, rows, {width}, at::kLong));
        std::fill(to, to + rows * width, rows);
        staging.send(rows);
        const at::Tensor fixed = staging.tensor();
        device->tell(Lanes::Compute, [fixed, rows, &seen] { seen += fixed.const_data_ptr<std::int64_t>()[rows * width - 1]; });
    }
    while (device->doOne()) {}
    QCOMPARE(seen, std::int64_t{12});
    QCOMPARE(staging.tensor().size(0), std::int64_t{8});
    staging.hold(0, 8, {width}, at::kLong);
    QVERIFY_THROWS_EXCEPTION(c10::Error, staging.hold(8, 8, {width}, at::kLong));
}

/// The allocator hands out what the computing lane still works with: the first copy into it comes behind that.
void StagingTest::newMemoryIsWaitedFor()
{
    struct Noting final : Lanes
    {
        int marks = 0;
        std::set<int> ofComputing, waitedFor;
        std::vector<bool> copies; ///< into the copy lane: behind a mark of the computing lane
        int newMark() override { return marks++; }
        void copy(Lane lane, const at::Tensor&, const at::Tensor&) override
        {
            if (lane == Copy) copies.push_back(!waitedFor.empty());
            if (lane == Copy) waitedFor.clear();
        }
        void set(int mark, Lane lane) override
        {
            if (lane == Compute) ofComputing.insert(mark);
        }
        void wait(Lane lane, int mark) override
        {
            if (lane == Copy && ofComputing.contains(mark)) waitedFor.insert(mark);
        }
        void waitOnHost(int) override {}
    };
    const auto device = std::make_shared<Noting>();
    Staging staging(at::kCPU, device, 3, true);
    for (const std::int64_t rows : {2, 2, 8, 8, 8}) {
        staging.hold(0, rows, {width}, at::kLong);
        staging.send(rows);
    }
    QCOMPARE(device->copies, std::vector<bool>(5, true));
}

/// What could not be made whole is not there by halves: the next hold() makes it, or fails as well.
void StagingTest::memoryThatRunsOut()
{
    Staging staging(at::kCPU, std::make_shared<LateDevice>(3, LateDevice::None), 2, true);
    auto* to = static_cast<std::int64_t*>(staging.hold(0, 2, {width}, at::kLong));
    std::fill(to, to + 2 * width, 7);
    staging.send(2);
    constexpr std::int64_t tooMany = std::int64_t{1} << 44; // 600 TB
    QVERIFY_THROWS_EXCEPTION(c10::Error, staging.hold(0, tooMany, {width}, at::kLong));
    QCOMPARE(staging.tensor().size(0), std::int64_t{2});
    to = static_cast<std::int64_t*>(staging.hold(0, 2, {width}, at::kLong));
    std::fill(to, to + 2 * width, 8);
    staging.send(2);
    staging.reserve(4);
    staging.release();
    QVERIFY(!staging.tensor().defined());
}

void StagingTest::destroyedWhileCopying_data() { nothingIsOverwritten_data(); }

/// What is copied from or to goes with the staging: it goes when the device is done, whether it is destroyed or lets its memory go.
void StagingTest::destroyedWhileCopying()
{
    QFETCH(int, lots);
    QFETCH(bool, aside);
    int late = 0; ///< how often there was something to wait for
    for (std::uint64_t seed = 0; seed < 50; ++seed) {
        const auto device = std::make_shared<LateDevice>(seed, LateDevice::None);
        at::Tensor fixed;
        {
            Staging staging(at::kCPU, device, static_cast<std::size_t>(lots), aside);
            for (std::int64_t number = 0; number < 5; ++number) {
                auto* to = static_cast<std::int64_t*>(staging.hold(0, 1, {width}, at::kLong));
                std::fill(to, to + width, number);
                staging.send(1);
            }
            fixed = staging.tensor();
            late += device->underWay > 0 ? 1 : 0;
            if (seed % 2 == 0) staging.release();
            if (seed % 2 == 0) QCOMPARE(device->underWay, 0);
        }
        QCOMPARE(device->underWay, 0);
        QCOMPARE(fixed.const_data_ptr<std::int64_t>()[width - 1], std::int64_t{4});
    }
    QVERIFY(late > 10);
}

/// Nothing is left of a reservation.
void StagingTest::released()
{
    Staging staging(at::kCPU, nullptr, 2, false);
    staging.reserve(64);
    staging.hold(0, 2, {width}, at::kLong);
    QCOMPARE(staging.tensor().size(0), std::int64_t{64});
    staging.release();
    staging.hold(0, 2, {width}, at::kLong);
    QCOMPARE(staging.tensor().size(0), std::int64_t{2});
}

/// Nothing is copied: the host writes where the work reads.
void StagingTest::ofTheProcessor()
{
    QVERIFY(!engine::lanesOf(at::kCPU));
    Staging staging(at::kCPU, nullptr, 3, true);
    staging.reserve(6);
    for (std::int64_t place = 0; place < 3; ++place) {
        auto* to = static_cast<float*>(staging.hold(2 * place, 2, {}, at::kFloat));
        to[0] = to[1] = static_cast<float>(place);
    }
    staging.send(6);
    QCOMPARE(staging.tensor().size(0), std::int64_t{6});
    QCOMPARE(staging.tensor().const_data_ptr<float>()[5], 2.0f);
    staging.bringForward(4, 2);
    QCOMPARE(staging.tensor().const_data_ptr<float>()[1], 2.0f);
}

QTEST_GUILESS_MAIN(StagingTest)
#include "staging_test.moc"
