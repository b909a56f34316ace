// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/data/order.h"

#include <cassert>

namespace sconce {
namespace {

constexpr int feistelRounds = 8; ///< four make a permutation look random (Luby, Rackoff); small halves want more
constexpr int tableBits = 11;    ///< up to here (4 million samples) the rounds are looked up

} // namespace

SampleOrder::SampleOrder(std::int64_t count, std::uint64_t seed, std::uint64_t epoch, bool shuffle)
    : m_count(count)
    , m_random(seed, Purpose::Order, epoch)
    , m_halfBits(1)
    , m_shuffle(shuffle)
{
    assert(count >= 1);
    // The domain is a power of four, at most four times the count: cycle-walking takes four rounds on average at worst.
    while (m_halfBits < 31 && (std::int64_t{1} << (2 * m_halfBits)) < count) ++m_halfBits;
    if (m_shuffle && m_halfBits <= tableBits) {
        const std::uint64_t half = std::uint64_t{1} << m_halfBits;
        m_table.resize(feistelRounds * half);
        for (std::uint64_t i = 0; i < m_table.size(); ++i) m_table[i] = roundNumber(i);
    }
}

/// Random number of (round, half), round · 2^halfBits + half being its index.
std::uint32_t SampleOrder::roundNumber(std::uint64_t index) const
{
    return m_random.bits(index) & ((1u << m_halfBits) - 1);
}

std::int64_t SampleOrder::at(std::int64_t position) const
{
    assert(position >= 0 && position < m_count);
    if (!m_shuffle) return position;
    const std::uint64_t half = std::uint64_t{1} << m_halfBits;
    auto value = static_cast<std::uint64_t>(position);
    do {
        std::uint64_t left = value >> m_halfBits, right = value & (half - 1);
        for (std::uint64_t round = 0; round < feistelRounds; ++round) {
            const std::uint64_t index = round * half + right;
            const std::uint64_t mixed = left ^ (m_table.empty() ? roundNumber(index) : m_table[index]);
            left = right;
            right = mixed;
        }
        value = left << m_halfBits | right;
    } while (value >= static_cast<std::uint64_t>(m_count)); // a permutation of the larger domain, walked back into ours
    return static_cast<std::int64_t>(value);
}

void SampleOrder::fill(std::int64_t first, std::span<std::int64_t> out) const
{
    for (std::size_t i = 0; i < out.size(); ++i) out[i] = at(first + static_cast<std::int64_t>(i));
}

} // namespace sconce
