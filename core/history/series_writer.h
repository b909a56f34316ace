// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
// Writes points into blocks: each commit adds one small block per series; small ones are merged into full blocks of 4,096
// points with levels. Used by the store's writer thread, inside its transactions. Private to core/history.

#include "core/history/blocks.h"
#include "core/history/sqlite.h"

#include <map>
#include <tuple>

namespace sconce {

class SeriesWriter
{
  public:
    explicit SeriesWriter(Database& db) : m_db(db) {}

    /// Appends points with increasing steps. A step that was written before is written anew, and what followed it is dropped.
    Result<void> append(std::int64_t run, int attempt, const std::string& key, std::span<const std::int64_t> steps,
                        std::span<const double> values);
    /// Drops a run's points from a step on; hardware series, whose steps are milliseconds of run time, from the time of that step.
    Result<void> cut(std::int64_t run, std::int64_t fromStep);
    /// Merges the small blocks of a run that has ended.
    Result<void> settle(std::int64_t run);
    /// What is remembered of open series is no longer true (a transaction was rolled back, somebody else wrote).
    void forget() { m_open.clear(); }

  private:
    struct Open
    {
        std::int64_t id = 0;
        int bits = 32;
        bool any = false;            ///< it has points
        std::int64_t lastStep = 0;
        std::vector<std::int64_t> steps; ///< the tail: points after the last full block
        std::vector<double> values;
        int pieces = 0;              ///< small blocks that hold the tail
    };
    using Key = std::tuple<std::int64_t, int, std::string>;

    Result<Open*> open(std::int64_t run, int attempt, const std::string& key);
    Result<void> load(Open& series);
    Result<void> appendIncreasing(Open& series, std::span<const std::int64_t> steps, std::span<const double> values);
    Result<void> rewriteTail(Open& series);
    Result<void> insert(const Open& series, std::span<const std::int64_t> steps, std::span<const double> values);
    Result<void> cutSeries(std::int64_t id, int bits, std::int64_t fromStep);
    Result<std::int64_t> timeOfStep(std::int64_t run, std::int64_t step);

    Database& m_db;
    std::map<Key, Open> m_open;
};

/// Columns of series/blocks.sql and series/tail.sql. Blobs are touched only where asked for.
PointsSum sumOfRow(const Statement& row);
BlockView pointsOfRow(const Statement& row);
BlockView levelOfRow(const Statement& row, int level);
Error damagedBlock();

} // namespace sconce
