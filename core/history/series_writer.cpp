// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/history/series_writer.h"

#include "core/history/store.h"

#include "history_sql.h"

#include <algorithm>
#include <cmath>
#include <limits>

namespace sconce {

namespace {

/// More small blocks than this are merged even if they do not fill a block (a point a minute for days).
constexpr int mostPieces = 64;

int bitsOf(const std::string& key) { return key == series::seconds ? 64 : 32; }

} // namespace

PointsSum sumOfRow(const Statement& row)
{
    PointsSum sum;
    sum.firstStep = row.integer(0);
    sum.lastStep = row.integer(1);
    sum.points = row.integer(2);
    sum.notFinite = row.integer(4);
    sum.minimum = row.real(5);
    sum.maximum = row.real(6);
    sum.last = row.real(7);
    sum.total = row.real(8);
    return sum;
}

BlockView pointsOfRow(const Statement& row)
{
    BlockView view;
    view.sum = sumOfRow(row);
    view.stride = row.integer(3);
    view.data = row.blob(11);
    return view;
}

BlockView levelOfRow(const Statement& row, int level)
{
    BlockView view;
    view.sum = sumOfRow(row);
    view.stride = row.integer(3);
    if (level == 2) view.level2 = row.blob(9);
    else view.level1 = row.blob(10);
    return view;
}

Error damagedBlock()
{
    return {ErrorCode::Corrupt, "A stored curve contradicts itself.",
            "Run sconce doctor: it checks the store and says what can be mended.", "block bytes"};
}

Result<SeriesWriter::Open*> SeriesWriter::open(std::int64_t run, int attempt, const std::string& key)
{
    auto [found, isNew] = m_open.try_emplace(Key(run, attempt, key));
    Open& series = found->second;
    if (!isNew) return &series;
    const auto fail = [&](const Error& error) -> Result<Open*> {
        m_open.erase(found);
        return error;
    };
    {
        Statement find = m_db.prepare(sql::series_find);
        find.bind(1, run).bind(2, key).bind(3, attempt);
        if (find.step()) {
            series.id = find.integer(0);
            series.bits = static_cast<int>(find.integer(1));
        } else if (Result<void> done = find.result(); !done) {
            return fail(done.error());
        }
    }
    if (series.id == 0) {
        series.bits = bitsOf(key);
        Statement insert = m_db.prepare(sql::series_insert);
        insert.bind(1, run).bind(2, key).bind(3, attempt).bind(4, series.bits);
        if (Result<void> done = insert.run(); !done) return fail(done.error());
        Result<std::int64_t> id = m_db.number("SELECT last_insert_rowid()");
        if (!id) return fail(id.error());
        series.id = *id;
        return &series;
    }
    if (Result<void> loaded = load(series); !loaded) return fail(loaded.error());
    return &series;
}

Result<void> SeriesWriter::load(Open& series)
{
    series.steps.clear();
    series.values.clear();
    series.pieces = 0;
    Statement tail = m_db.prepare(sql::series_tail);
    tail.bind(1, series.id).bind(2, fullBlockPoints);
    while (tail.step()) {
        if (!readPoints(pointsOfRow(tail), series.bits, series.steps, series.values)) return damagedBlock();
        ++series.pieces;
    }
    SCONCE_TRY(tail.result());
    Statement last = m_db.prepare(sql::series_last_step);
    last.bind(1, series.id);
    series.any = last.step() && !last.isNull(0);
    series.lastStep = series.any ? last.integer(0) : 0;
    return last.result();
}

Result<void> SeriesWriter::append(std::int64_t run, int attempt, const std::string& key,
                                  std::span<const std::int64_t> steps, std::span<const double> values)
{
    Result<Open*> opened = open(run, attempt, key);
    if (!opened) return opened.error();
    Open& series = **opened;
    std::size_t begin = 0;
    while (begin < steps.size()) {
        std::size_t end = begin + 1;
        while (end < steps.size() && steps[end] > steps[end - 1]) ++end;
        if (series.any && steps[begin] <= series.lastStep) {
            SCONCE_TRY(cutSeries(series.id, series.bits, steps[begin]));
            SCONCE_TRY(load(series));
        }
        SCONCE_TRY(appendIncreasing(series, steps.subspan(begin, end - begin), values.subspan(begin, end - begin)));
        begin = end;
    }
    return {};
}

Result<void> SeriesWriter::appendIncreasing(Open& series, std::span<const std::int64_t> steps,
                                            std::span<const double> values)
{
    series.steps.insert(series.steps.end(), steps.begin(), steps.end());
    series.values.insert(series.values.end(), values.begin(), values.end());
    series.any = true;
    series.lastStep = steps.back();
    if (series.steps.size() >= fullBlockPoints || series.pieces + 1 >= mostPieces) return rewriteTail(series);
    ++series.pieces;
    return insert(series, steps, values);
}

Result<void> SeriesWriter::rewriteTail(Open& series)
{
    if (series.steps.empty()) return {};
    SCONCE_TRY(m_db.prepare(sql::series_drop_from).bind(1, series.id).bind(2, series.steps.front()).run());
    std::size_t begin = 0;
    const std::span<const std::int64_t> steps(series.steps);
    const std::span<const double> values(series.values);
    for (; steps.size() - begin >= fullBlockPoints; begin += fullBlockPoints)
        SCONCE_TRY(insert(series, steps.subspan(begin, fullBlockPoints), values.subspan(begin, fullBlockPoints)));
    series.pieces = 0;
    if (begin < steps.size()) {
        SCONCE_TRY(insert(series, steps.subspan(begin), values.subspan(begin)));
        series.pieces = 1;
    }
    series.steps.erase(series.steps.begin(), series.steps.begin() + static_cast<std::ptrdiff_t>(begin));
    series.values.erase(series.values.begin(), series.values.begin() + static_cast<std::ptrdiff_t>(begin));
    return {};
}

Result<void> SeriesWriter::insert(const Open& series, std::span<const std::int64_t> steps,
                                  std::span<const double> values)
{
    const Block block = makeBlock(steps, values, series.bits);
    Statement s = m_db.prepare(sql::series_insert_block);
    s.bind(1, series.id).bind(2, block.sum.firstStep).bind(3, block.sum.lastStep).bind(4, block.sum.points);
    s.bind(5, block.stride).bind(6, block.sum.notFinite).bind(7, block.sum.minimum).bind(8, block.sum.maximum);
    s.bind(9, block.sum.last).bind(10, block.sum.total);
    s.bindBlob(11, block.level2).bindBlob(12, block.level1).bindBlob(13, block.data);
    return s.run();
}

Result<void> SeriesWriter::cutSeries(std::int64_t id, int bits, std::int64_t fromStep)
{
    std::vector<std::int64_t> steps;
    std::vector<double> values;
    {
        // The block that holds the step, if one begins before it, keeps its beginning.
        Statement s = m_db.prepare(sql::series_blocks);
        s.bind(1, id).bind(2, fromStep).bind(3, fromStep - 1);
        while (s.step())
            if (!readPoints(pointsOfRow(s), bits, steps, values)) return damagedBlock();
        SCONCE_TRY(s.result());
    }
    const auto kept = static_cast<std::size_t>(std::lower_bound(steps.begin(), steps.end(), fromStep) - steps.begin());
    SCONCE_TRY(m_db.prepare(sql::series_drop_from).bind(1, id).bind(2, steps.empty() ? fromStep : steps.front()).run());
    if (kept == 0) return {};
    Open series;
    series.id = id;
    series.bits = bits;
    return insert(series, std::span(steps).first(kept), std::span(values).first(kept));
}

Result<std::int64_t> SeriesWriter::timeOfStep(std::int64_t run, std::int64_t step)
{
    // The time at which the last kept step was done, over all attempts.
    std::vector<std::int64_t> ids;
    {
        Statement all = m_db.prepare(sql::series_of_run);
        all.bind(1, run);
        while (all.step())
            if (all.text(2) == series::seconds) ids.push_back(all.integer(0));
        SCONCE_TRY(all.result());
    }
    double seconds = 0;
    for (const std::int64_t id : ids) {
        std::vector<std::int64_t> steps;
        std::vector<double> values;
        Statement s = m_db.prepare(sql::series_blocks);
        s.bind(1, id).bind(2, step - 1).bind(3, step - 1);
        while (s.step())
            if (!readPoints(pointsOfRow(s), 64, steps, values)) return damagedBlock();
        SCONCE_TRY(s.result());
        for (std::size_t i = 0; i < steps.size(); ++i)
            if (steps[i] < step && values[i] > seconds) seconds = values[i];
    }
    return static_cast<std::int64_t>(std::floor(std::min(seconds, 1e12) * 1000)) + 1;
}

Result<void> SeriesWriter::cut(std::int64_t run, std::int64_t fromStep)
{
    forget();
    Result<std::int64_t> time = timeOfStep(run, fromStep);
    if (!time) return time.error();
    struct Found { std::int64_t id; int bits; std::string key; };
    std::vector<Found> all;
    {
        Statement s = m_db.prepare(sql::series_of_run);
        s.bind(1, run);
        while (s.step()) all.push_back({s.integer(0), static_cast<int>(s.integer(1)), s.text(2)});
        SCONCE_TRY(s.result());
    }
    for (const Found& found : all) {
        const bool byTime = found.key.starts_with(series::hardwarePrefix);
        SCONCE_TRY(cutSeries(found.id, found.bits, byTime && fromStep > 0 ? *time : fromStep));
        SCONCE_TRY(m_db.prepare(sql::series_drop_empty).bind(1, found.id).run());
    }
    return {};
}

Result<void> SeriesWriter::settle(std::int64_t run)
{
    for (auto& [key, series] : m_open)
        if (std::get<0>(key) == run && series.pieces > 1) SCONCE_TRY(rewriteTail(series));
    std::erase_if(m_open, [&](const auto& entry) { return std::get<0>(entry.first) == run; });
    return {};
}

} // namespace sconce
