// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/history/blocks.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstring>
#include <limits>

namespace sconce {

static_assert(std::endian::native == std::endian::little, "blocks are stored in memory order");

namespace {

constexpr double nan = std::numeric_limits<double>::quiet_NaN();

template <class T> void put(std::string& bytes, T value)
{
    bytes.append(reinterpret_cast<const char*>(&value), sizeof(T));
}

template <class T> T get(std::string_view bytes, std::size_t index)
{
    T value;
    std::memcpy(&value, bytes.data() + index * sizeof(T), sizeof(T));
    return value;
}

/// The distance between all neighbours, 0 if it differs.
std::int64_t strideOf(std::span<const std::int64_t> steps)
{
    if (steps.size() < 2) return 1;
    const std::int64_t stride = steps[1] - steps[0];
    for (std::size_t i = 2; i < steps.size(); ++i)
        if (steps[i] - steps[i - 1] != stride) return 0;
    return stride;
}

/// Columns one after the other: minimum, maximum, last, total, not finite, and the steps where they are not implied.
std::string writeLevel(const std::vector<PointsSum>& entries, bool explicitSteps)
{
    std::string bytes;
    for (const PointsSum& e : entries) put(bytes, static_cast<float>(e.minimum));
    for (const PointsSum& e : entries) put(bytes, static_cast<float>(e.maximum));
    for (const PointsSum& e : entries) put(bytes, static_cast<float>(e.last));
    for (const PointsSum& e : entries) put(bytes, e.total);
    for (const PointsSum& e : entries) put(bytes, static_cast<std::uint16_t>(e.notFinite));
    if (!explicitSteps) return bytes;
    for (const PointsSum& e : entries) put(bytes, e.firstStep);
    for (const PointsSum& e : entries) put(bytes, e.lastStep);
    return bytes;
}

/// A damaged row may claim a first step and a stride that lead beyond all numbers.
bool stepsFit(const BlockView& block)
{
    if (block.stride <= 0) return true; // each says its own
    std::int64_t span = 0, last = 0;
    return !__builtin_mul_overflow(block.sum.points - 1, block.stride, &span) && !__builtin_add_overflow(block.sum.firstStep, span, &last);
}

template <class Out>
bool readInto(const BlockView& block, int bits, std::vector<std::int64_t>& steps, std::vector<Out>& values)
{
    const std::int64_t points = block.sum.points;
    if (points < 1 || points > (1 << 24) || (bits != 32 && bits != 64)) return false;
    const auto n = static_cast<std::size_t>(points);
    const std::size_t valueBytes = n * static_cast<std::size_t>(bits / 8);
    const std::size_t offsetBytes = block.stride > 0 ? 0 : block.stride == 0 ? 4 : 8;
    if (block.data.size() != valueBytes + n * offsetBytes || !stepsFit(block)) return false;
    const std::size_t before = values.size();
    if (steps.size() != before) return false;
    values.resize(before + n);
    if (bits == 32 && std::is_same_v<Out, float>) {
        std::memcpy(values.data() + before, block.data.data(), valueBytes);
    } else {
        for (std::size_t i = 0; i < n; ++i)
            values[before + i] = static_cast<Out>(bits == 32 ? get<float>(block.data, i) : get<double>(block.data, i));
    }
    const std::string_view offsets = block.data.substr(valueBytes);
    // resize, not reserve: that grows by doubling, which many blocks one after the other need.
    steps.resize(before + n);
    for (std::size_t i = 0; i < n; ++i) {
        const std::int64_t offset = block.stride > 0   ? static_cast<std::int64_t>(i) * block.stride
                                    : block.stride == 0 ? std::int64_t{get<std::uint32_t>(offsets, i)}
                                                        : get<std::int64_t>(offsets, i);
        if (__builtin_add_overflow(block.sum.firstStep, offset, &steps[before + i])) {
            steps.resize(before);
            values.resize(before);
            return false;
        }
    }
    return true;
}

} // namespace

PointsSum::PointsSum()
    : minimum(nan)
    , maximum(nan)
    , last(nan)
{
}

void PointsSum::add(std::int64_t step, double value)
{
    if (points == 0) firstStep = step;
    lastStep = step;
    last = value;
    ++points;
    if (!std::isfinite(value)) {
        ++notFinite;
        return;
    }
    // Written so that a NaN (nothing finite yet) is replaced.
    if (!(minimum <= value)) minimum = value;
    if (!(maximum >= value)) maximum = value;
    total += value;
}

void PointsSum::add(const PointsSum& later)
{
    if (later.points == 0) return;
    if (points == 0) firstStep = later.firstStep;
    lastStep = later.lastStep;
    last = later.last;
    points += later.points;
    notFinite += later.notFinite;
    if (later.notFinite < later.points) {
        if (!(minimum <= later.minimum)) minimum = later.minimum;
        if (!(maximum >= later.maximum)) maximum = later.maximum;
    }
    total += later.total;
}

Block makeBlock(std::span<const std::int64_t> steps, std::span<const double> values, int bits)
{
    Block block;
    const std::size_t n = steps.size();
    block.stride = strideOf(steps);
    if (block.stride == 0 && steps.back() - steps.front() > std::numeric_limits<std::uint32_t>::max()) block.stride = -1;
    std::vector<PointsSum> fine;
    for (std::size_t i = 0; i < n; ++i) {
        if (bits == 32) put(block.data, static_cast<float>(values[i]));
        else put(block.data, values[i]);
        // What is summed up is what is stored, so that levels agree with the points to the last bit.
        const double stored = bits == 32 ? static_cast<double>(static_cast<float>(values[i])) : values[i];
        block.sum.add(steps[i], stored);
        if (i % levelFactor == 0) fine.emplace_back();
        fine.back().add(steps[i], stored);
    }
    for (std::size_t i = 0; i < n && block.stride <= 0; ++i) {
        const std::int64_t offset = steps[i] - steps.front();
        if (block.stride == 0) put(block.data, static_cast<std::uint32_t>(offset));
        else put(block.data, offset);
    }
    if (n != fullBlockPoints) return block;
    std::vector<PointsSum> coarse(fine.size() / levelFactor);
    for (std::size_t i = 0; i < fine.size(); ++i) coarse[i / levelFactor].add(fine[i]);
    block.level1 = writeLevel(fine, block.stride <= 0);
    block.level2 = writeLevel(coarse, block.stride <= 0);
    return block;
}

bool readPoints(const BlockView& block, int bits, std::vector<std::int64_t>& steps, std::vector<double>& values)
{
    return readInto(block, bits, steps, values);
}

bool readPoints(const BlockView& block, int bits, std::vector<std::int64_t>& steps, std::vector<float>& values)
{
    return readInto(block, bits, steps, values);
}

bool readLevel(const BlockView& block, int level, std::vector<PointsSum>& entries)
{
    if (block.sum.points != fullBlockPoints || !stepsFit(block)) return false;
    const std::string_view bytes = level == 1 ? block.level1 : block.level2;
    const std::int64_t each = level == 1 ? levelFactor : levelFactor * levelFactor;
    const auto n = static_cast<std::size_t>(fullBlockPoints / each);
    const bool explicitSteps = block.stride <= 0;
    if (bytes.size() != n * (explicitSteps ? 38 : 22)) return false;
    const std::string_view totals = bytes.substr(12 * n), bad = bytes.substr(20 * n);
    const std::string_view firsts = explicitSteps ? bytes.substr(22 * n) : std::string_view();
    for (std::size_t i = 0; i < n; ++i) {
        PointsSum e;
        e.minimum = static_cast<double>(get<float>(bytes, i));
        e.maximum = static_cast<double>(get<float>(bytes, n + i));
        e.last = static_cast<double>(get<float>(bytes, 2 * n + i));
        e.total = get<double>(totals, i);
        e.notFinite = get<std::uint16_t>(bad, i);
        e.points = each;
        const auto position = static_cast<std::int64_t>(i) * each;
        e.firstStep = explicitSteps ? get<std::int64_t>(firsts, i) : block.sum.firstStep + position * block.stride;
        e.lastStep = explicitSteps ? get<std::int64_t>(firsts, n + i) : e.firstStep + (each - 1) * block.stride;
        entries.push_back(e);
    }
    return true;
}

} // namespace sconce
