// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
// Blocks of a series as they lie in the store, and their levels: bytes to numbers and back. Pure functions; private to
// core/history. The row's format is described in migrations/0001_start.sql.

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace sconce {

inline constexpr int fullBlockPoints = 4096; ///< 16 · 16 · 16
inline constexpr int levelFactor = 16;

/// Points summed up: what a block, an entry of a level, or a chart's bucket says.
struct PointsSum
{
    std::int64_t firstStep = 0, lastStep = 0;
    std::int64_t points = 0, notFinite = 0;
    double minimum, maximum; ///< of the finite values; NaN if there are none
    double last;
    double total = 0; ///< of the finite values
    PointsSum();
    void add(std::int64_t step, double value);
    void add(const PointsSum& later);
};

/// What a row holds. The views point into the row or into a Block.
struct BlockView
{
    PointsSum sum;
    std::int64_t stride = 0;
    std::string_view level2, level1, data;
};

struct Block
{
    PointsSum sum;
    std::int64_t stride = 0;
    std::string level2, level1, data;
};

/// `bits`: 32 or 64, of a stored value. Steps strictly increase. Levels are made for full blocks only.
Block makeBlock(std::span<const std::int64_t> steps, std::span<const double> values, int bits);

/// Appends a block's points; false if its bytes contradict its numbers.
bool readPoints(const BlockView& block, int bits, std::vector<std::int64_t>& steps, std::vector<double>& values);
bool readPoints(const BlockView& block, int bits, std::vector<std::int64_t>& steps, std::vector<float>& values);
/// Appends the entries of level 1 or 2; false if the block has none or its bytes contradict its numbers.
bool readLevel(const BlockView& block, int level, std::vector<PointsSum>& entries);

} // namespace sconce
