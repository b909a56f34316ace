// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
// The order of samples: a computed permutation of (seed, epoch, position), by a Feistel network over Philox with
// cycle-walking. Nothing is stored, so a run goes on in the middle of an epoch from its position alone.

#include "core/base/random.h"

#include <cstdint>
#include <span>
#include <vector>

namespace sconce {

class SampleOrder
{
  public:
    /// count >= 1. Without shuffle the order is the identity.
    SampleOrder(std::int64_t count, std::uint64_t seed, std::uint64_t epoch, bool shuffle);
    /// The sample at a position, both in [0, count).
    std::int64_t at(std::int64_t position) const;
    /// out[i] = at(first + i).
    void fill(std::int64_t first, std::span<std::int64_t> out) const;

  private:
    std::uint32_t roundNumber(std::uint64_t index) const;
    std::int64_t m_count;
    Philox m_random;
    int m_halfBits;
    bool m_shuffle;
    std::vector<std::uint32_t> m_table; ///< the round functions of small domains, worked out once
};

} // namespace sconce
