// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/history/series_reader.h"

#include "core/history/series_writer.h"

#include "history_sql.h"

#include <algorithm>
#include <limits>

namespace sconce {

namespace series {
std::string train(std::string_view metric) { return "train/" + std::string(metric); }
std::string validation(std::string_view metric) { return "validation/" + std::string(metric); }
std::string epochTrain(std::string_view metric) { return "epoch/train_" + std::string(metric); }
}

namespace {

constexpr std::int64_t lowest = std::numeric_limits<std::int64_t>::min();
constexpr std::int64_t highest = std::numeric_limits<std::int64_t>::max();

struct SeriesId
{
    std::int64_t id = 0;
    int bits = 32;
};

/// One per attempt, in order.
Result<std::vector<SeriesId>> seriesOf(Database& db, const RunId& run, const std::string& key)
{
    std::vector<SeriesId> ids;
    Statement s = db.prepare(sql::series_of_key);
    s.bind(1, run).bind(2, key);
    while (s.step()) ids.push_back({s.integer(0), static_cast<int>(s.integer(1))});
    SCONCE_TRY(s.result());
    return ids;
}

/// Sorts sums (of points, level entries or blocks) into equal spans of steps, by their first step.
class Buckets
{
  public:
    Buckets(std::int64_t firstStep, std::int64_t lastStep, int count)
        : m_first(firstStep)
        , m_last(lastStep)
        , m_sums(static_cast<std::size_t>(count))
    {
    }

    bool inside(const PointsSum& sum) const { return sum.firstStep >= m_first && sum.lastStep <= m_last; }
    bool outside(const PointsSum& sum) const { return sum.lastStep < m_first || sum.firstStep > m_last; }
    void add(const PointsSum& sum)
    {
        const double share = (static_cast<double>(sum.firstStep) - static_cast<double>(m_first)) /
                             (static_cast<double>(m_last) - static_cast<double>(m_first) + 1);
        const auto index = static_cast<std::size_t>(share * static_cast<double>(m_sums.size()));
        m_sums[std::min(index, m_sums.size() - 1)].add(sum);
    }
    /// All points of a block that lie in the range.
    bool addPoints(const BlockView& block, int bits)
    {
        std::vector<std::int64_t> steps;
        std::vector<double> values;
        if (!readPoints(block, bits, steps, values)) return false;
        for (std::size_t i = 0; i < steps.size(); ++i) {
            PointsSum one;
            one.add(steps[i], values[i]);
            if (inside(one)) add(one);
        }
        return true;
    }
    std::vector<SeriesBucket> take() const
    {
        std::vector<SeriesBucket> out;
        for (const PointsSum& sum : m_sums) {
            if (sum.points == 0) continue;
            const std::int64_t finite = sum.points - sum.notFinite;
            SeriesBucket bucket;
            bucket.firstStep = sum.firstStep;
            bucket.lastStep = sum.lastStep;
            bucket.min = static_cast<float>(sum.minimum);
            bucket.max = static_cast<float>(sum.maximum);
            bucket.last = static_cast<float>(sum.last);
            bucket.mean = finite > 0 ? sum.total / static_cast<double>(finite) : std::numeric_limits<double>::quiet_NaN();
            bucket.count = sum.points;
            bucket.notFinite = sum.notFinite;
            out.push_back(bucket);
        }
        return out;
    }

  private:
    std::int64_t m_first, m_last;
    std::vector<PointsSum> m_sums;
};

/// 0: points; 1: 16 points an entry; 2: 256; 3: whole blocks. The coarsest of which a bucket still takes several.
int levelFor(std::int64_t points, int buckets)
{
    const std::int64_t each = points / buckets;
    int level = 0;
    for (std::int64_t size = levelFactor; level < 3 && each >= 2 * size; size *= levelFactor) ++level;
    return level;
}

/// Adds one block at a level, going finer only where it sticks out of the range.
bool addBlock(Buckets& buckets, const Statement& row, int bits, int level)
{
    const PointsSum sum = sumOfRow(row);
    const bool whole = buckets.inside(sum);
    if (whole && level >= 3) {
        buckets.add(sum);
        return true;
    }
    if (sum.points < fullBlockPoints || level == 0) return buckets.addPoints(pointsOfRow(row), bits);
    std::vector<PointsSum> entries;
    if (!readLevel(levelOfRow(row, std::min(level, 2)), std::min(level, 2), entries)) return false;
    const bool sticksOut = std::any_of(entries.begin(), entries.end(), [&](const PointsSum& entry) {
        return !buckets.inside(entry) && !buckets.outside(entry);
    });
    // Only the first and the last block of a range can: their points are read, so that a zoom shows exactly its range.
    if (sticksOut) return buckets.addPoints(pointsOfRow(row), bits);
    for (const PointsSum& entry : entries)
        if (buckets.inside(entry)) buckets.add(entry);
    return true;
}

} // namespace

Result<SeriesPoints> readSeries(Database& db, const RunId& run, const std::string& key)
{
    Result<std::vector<SeriesId>> ids = seriesOf(db, run, key);
    if (!ids) return ids.error();
    SeriesPoints points;
    for (const SeriesId& id : *ids) {
        Statement s = db.prepare(sql::series_blocks);
        s.bind(1, id.id).bind(2, lowest).bind(3, highest);
        points.bits = std::max(points.bits, id.bits);
        while (s.step())
            if (!readPoints(pointsOfRow(s), id.bits, points.step, points.value)) return damagedBlock();
        SCONCE_TRY(s.result());
    }
    return points;
}

Result<std::vector<SeriesBucket>> readBuckets(Database& db, const RunId& run, const std::string& key,
                                              std::int64_t firstStep, std::int64_t lastStep, int count)
{
    Result<std::vector<SeriesId>> ids = seriesOf(db, run, key);
    if (!ids) return ids.error();
    count = std::clamp(count, 1, 1 << 20);
    std::int64_t first = highest, last = lowest, points = 0;
    for (const SeriesId& id : *ids) {
        Statement s = db.prepare(sql::series_range);
        s.bind(1, id.id).bind(2, firstStep).bind(3, lastStep);
        if (s.step() && !s.isNull(0)) {
            first = std::min(first, s.integer(0));
            last = std::max(last, s.integer(1));
            points += s.integer(2);
        }
        SCONCE_TRY(s.result());
    }
    // A range wider than the data (all of it) becomes the data's own: else a few buckets would hold everything.
    first = std::max(first, firstStep);
    last = std::min(last, lastStep);
    if (points == 0 || first > last) return std::vector<SeriesBucket>();
    Buckets buckets(first, last, count);
    const int level = levelFor(points, count);
    for (const SeriesId& id : *ids) {
        Statement s = db.prepare(sql::series_blocks);
        s.bind(1, id.id).bind(2, first).bind(3, last);
        while (s.step())
            if (!addBlock(buckets, s, id.bits, level)) return damagedBlock();
        SCONCE_TRY(s.result());
    }
    return buckets.take();
}

} // namespace sconce
