// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
// Randomness is a function (rule 7): Philox4x32-10 (Salmon et al., "Parallel random numbers: as easy as 1, 2, 3", SC 2011)
// keyed by seed, purpose, layer, step or epoch, row, element. No generator state exists, so there is none to save, and
// neither threads, ranks nor micro-batches change a number. Any thread.

#include <array>
#include <cstdint>
#include <span>
#include <string_view>

namespace sconce {

/// What a random number is for; part of its key. Values are stored in runs by use: never renumber.
enum class Purpose : std::uint32_t { Order = 1, Split = 2, Init = 3, Dropout = 4, Augment = 5, Digits = 6, Torch = 7, Generate = 8, Test = 100 };

/// The 128-bit counter and 64-bit key of Philox: four 32-bit outputs.
std::array<std::uint32_t, 4> philox(std::array<std::uint32_t, 4> counter, std::array<std::uint32_t, 2> key);

/// A stream: all numbers of one (seed, purpose, a, b). `a` and `b` are, say, the layer's key and the step.
class Philox
{
  public:
    Philox(std::uint64_t seed, Purpose purpose, std::uint64_t a = 0, std::uint64_t b = 0);

    std::uint32_t bits(std::uint64_t index) const;   ///< 32 random bits at a position
    double uniform(std::uint64_t index) const;       ///< [0, 1), 32 bits of resolution
    double normal(std::uint64_t index) const;        ///< N(0, 1) by Box–Muller
    std::uint64_t below(std::uint64_t index, std::uint64_t bound) const; ///< [0, bound)

    /// bytes[i] = 1 where the uniform at first+i is >= rate, else 0: a dropout mask, vectorised.
    void keepMask(double rate, std::uint64_t first, std::span<std::uint8_t> bytes) const;
    void fillUniform(double low, double high, std::span<float> out, std::uint64_t first = 0) const;
    void fillNormal(double mean, double deviation, std::span<float> out, std::uint64_t first = 0) const;

    std::array<std::uint32_t, 2> key() const { return m_key; }
    std::array<std::uint32_t, 2> high() const { return m_high; } ///< upper half of the counter

  private:
    std::array<std::uint32_t, 2> m_key;
    std::array<std::uint32_t, 2> m_high;
};

/// A stable 64-bit number for a text (FNV-1a), for layer ids in keys.
std::uint64_t textKey(std::string_view text);

} // namespace sconce
