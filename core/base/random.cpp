// SPDX-License-Identifier: GPL-3.0-or-later
// Built with -O3 -ffp-contract=off (CMakeLists.txt): the loops over lanes become vector code, chosen at run time by
// target_clones, and no clone may fuse a multiplication with an addition, so that every machine gets the same bits.
#include "core/base/random.h"

#include "core/base/every_cpu.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstring>

namespace sconce {
namespace {

static_assert(std::endian::native == std::endian::little, "masks are assembled as little-endian words");

constexpr std::uint32_t multiplier0 = 0xD2511F53, multiplier1 = 0xCD9E8D57; // Salmon et al., table 2
constexpr std::uint32_t weyl0 = 0x9E3779B9, weyl1 = 0xBB67AE85;
constexpr int rounds = 10;

/// Blocks of four numbers made side by side: two registers of AVX-512, four of AVX2.
constexpr int lanes = 32;
constexpr std::uint64_t laneNumbers = 4 * lanes;

struct Blocks
{
    alignas(64) std::uint32_t x0[lanes], x1[lanes], x2[lanes], x3[lanes]; ///< outputs 0…3 of each block
};

/// Blocks number first … first + lanes - 1.
__attribute__((always_inline)) inline void makeBlocks(Blocks& b, std::uint64_t first, std::uint32_t key0, std::uint32_t key1,
                                                      std::uint32_t high0, std::uint32_t high1)
{
    // All rounds of a lane in one piece of straight code: the numbers stay in registers.
    for (int i = 0; i < lanes; ++i) {
        const std::uint64_t number = first + static_cast<std::uint64_t>(i);
        std::uint32_t x0 = static_cast<std::uint32_t>(number), x1 = static_cast<std::uint32_t>(number >> 32), x2 = high0, x3 = high1;
        std::uint32_t k0 = key0, k1 = key1;
#pragma GCC unroll 10
        for (int round = 0; round < rounds; ++round, k0 += weyl0, k1 += weyl1) {
            const std::uint64_t p0 = std::uint64_t{multiplier0} * x0;
            const std::uint64_t p1 = std::uint64_t{multiplier1} * x2;
            x0 = static_cast<std::uint32_t>(p1 >> 32) ^ x1 ^ k0;
            x2 = static_cast<std::uint32_t>(p0 >> 32) ^ x3 ^ k1;
            x1 = static_cast<std::uint32_t>(p1);
            x3 = static_cast<std::uint32_t>(p0);
        }
        b.x0[i] = x0;
        b.x1[i] = x1;
        b.x2[i] = x2;
        b.x3[i] = x3;
    }
}

struct Stream
{
    std::uint32_t key0, key1, high0, high1;
};

/// `count` whole blocks as they lie in the stream.
SCONCE_FOR_EVERY_CPU void manyBits(Stream s, std::uint64_t firstBlock, std::uint64_t groups, std::uint32_t* out)
{
    Blocks b;
    for (std::uint64_t g = 0; g < groups; ++g, out += laneNumbers) {
        makeBlocks(b, firstBlock + g * lanes, s.key0, s.key1, s.high0, s.high1);
        for (int i = 0; i < lanes; ++i) {
            out[4 * i] = b.x0[i];
            out[4 * i + 1] = b.x1[i];
            out[4 * i + 2] = b.x2[i];
            out[4 * i + 3] = b.x3[i];
        }
    }
}

/// Four mask bytes per block, assembled as one word.
SCONCE_FOR_EVERY_CPU void manyMasks(Stream s, std::uint64_t firstBlock, std::uint64_t groups, std::uint32_t threshold, std::uint8_t* out)
{
    Blocks b;
    alignas(64) std::uint32_t words[lanes];
    for (std::uint64_t g = 0; g < groups; ++g, out += laneNumbers) {
        makeBlocks(b, firstBlock + g * lanes, s.key0, s.key1, s.high0, s.high1);
        for (int i = 0; i < lanes; ++i) {
            words[i] = (b.x0[i] >= threshold ? 1u : 0u) | (b.x1[i] >= threshold ? 0x100u : 0u) | (b.x2[i] >= threshold ? 0x10000u : 0u) |
                       (b.x3[i] >= threshold ? 0x1000000u : 0u);
        }
        std::memcpy(out, words, sizeof words);
    }
}

SCONCE_FOR_EVERY_CPU void scaleBits(const std::uint32_t* bits, std::size_t count, double low, double range, float* out)
{
    for (std::size_t i = 0; i < count; ++i) out[i] = static_cast<float>(low + range * (bits[i] * 0x1p-32));
}

/// Calls piece(numbers, offset, count) for `count` numbers of the stream from `first` on, in pieces made by manyBits.
template <class Piece> void walkBits(Stream s, std::uint64_t first, std::uint64_t count, Piece piece)
{
    constexpr std::uint64_t groups = 8;
    alignas(64) std::uint32_t numbers[groups * laneNumbers];
    std::uint64_t done = 0;
    while (done < count) {
        const std::uint64_t at = first + done;
        const std::uint64_t skip = at % 4;
        const std::uint64_t wanted = std::min(count - done, groups * laneNumbers - skip);
        manyBits(s, at / 4, (skip + wanted + laneNumbers - 1) / laneNumbers, numbers);
        piece(numbers + skip, done, wanted);
        done += wanted;
    }
}

// Logarithm, sine and cosine of our own, plain IEEE additions and multiplications: those of libm differ in the last bit
// between processors and versions, and then so would a network's first weights.

/// ln x for x in (0, 1], to about 1e-15 (atanh series of the mantissa within [√½, √2]).
double logOf(double x)
{
    int exponent = 0;
    double m = std::frexp(x, &exponent);
    if (m < 0.70710678118654752) m *= 2, --exponent;
    const double s = (m - 1) / (m + 1), z = s * s;
    double sum = 0;
    for (int k = 21; k >= 1; k -= 2) sum = sum * z + 1.0 / k;
    return exponent * 0.69314718055994531 + 2 * s * sum;
}

struct SinCos
{
    double sine, cosine;
};

/// Of 2πu for u in [0, 1), to about 1e-15.
SinCos sinCosTurn(double u)
{
    const int quarter = static_cast<int>(u * 4 + 0.5); // the angle is within ±π/4 of quarter · π/2
    const double x = (u - quarter * 0.25) * 6.2831853071795865, z = x * x;
    const double s = x * (1 + z * (-1.0 / 6 + z * (1.0 / 120 + z * (-1.0 / 5040 + z * (1.0 / 362880 + z * (-1.0 / 39916800 + z * (1.0 / 6227020800.0)))))));
    const double c = 1 + z * (-0.5 + z * (1.0 / 24 + z * (-1.0 / 720 + z * (1.0 / 40320 + z * (-1.0 / 3628800 + z * (1.0 / 479001600.0 - z / 87178291200.0))))));
    switch (quarter & 3) {
    case 0: return {s, c};
    case 1: return {c, -s};
    case 2: return {-s, -c};
    default: return {-c, s};
    }
}

/// Box–Muller over one pair of numbers.
void normalPair(std::uint32_t first, std::uint32_t second, double& even, double& odd)
{
    const double radius = std::sqrt(-2 * logOf((first + 1.0) * 0x1p-32)); // (0, 1]: the logarithm is finite
    const SinCos turn = sinCosTurn(second * 0x1p-32);
    even = radius * turn.cosine;
    odd = radius * turn.sine;
}

} // namespace

std::array<std::uint32_t, 4> philox(std::array<std::uint32_t, 4> x, std::array<std::uint32_t, 2> key)
{
    for (int round = 0; round < rounds; ++round, key[0] += weyl0, key[1] += weyl1) {
        const std::uint64_t p0 = std::uint64_t{multiplier0} * x[0];
        const std::uint64_t p1 = std::uint64_t{multiplier1} * x[2];
        x = {static_cast<std::uint32_t>(p1 >> 32) ^ x[1] ^ key[0], static_cast<std::uint32_t>(p1),
             static_cast<std::uint32_t>(p0 >> 32) ^ x[3] ^ key[1], static_cast<std::uint32_t>(p0)};
    }
    return x;
}

Philox::Philox(std::uint64_t seed, Purpose purpose, std::uint64_t a, std::uint64_t b)
{
    // All of (seed, purpose, a, b) goes through Philox itself, so that neighbouring seeds, layers and steps have nothing in common.
    const auto word = [](std::uint64_t value, int which) { return static_cast<std::uint32_t>(value >> (32 * which)); };
    auto mixed = philox({word(seed, 0), word(seed, 1), static_cast<std::uint32_t>(purpose), 0x53434e43}, {word(a, 0), word(a, 1)});
    mixed = philox(mixed, {word(b, 0), word(b, 1)});
    m_key = {mixed[0], mixed[1]};
    m_high = {mixed[2], mixed[3]};
}

std::uint32_t Philox::bits(std::uint64_t index) const
{
    const std::uint64_t block = index / 4;
    return philox({static_cast<std::uint32_t>(block), static_cast<std::uint32_t>(block >> 32), m_high[0], m_high[1]}, m_key)[index % 4];
}

double Philox::uniform(std::uint64_t index) const
{
    return bits(index) * 0x1p-32;
}

double Philox::normal(std::uint64_t index) const
{
    double even = 0, odd = 0;
    const std::uint64_t pair = index & ~std::uint64_t{1};
    normalPair(bits(pair), bits(pair + 1), even, odd);
    return index == pair ? even : odd;
}

std::uint64_t Philox::below(std::uint64_t index, std::uint64_t bound) const
{
    // Multiply and take the upper half of 64 random bits: the bias is at most bound / 2^64.
    const std::uint64_t random = std::uint64_t{bits(2 * index)} << 32 | bits(2 * index + 1);
    return static_cast<std::uint64_t>((static_cast<unsigned __int128>(random) * bound) >> 64);
}

void Philox::keepMask(double rate, std::uint64_t first, std::span<std::uint8_t> bytes) const
{
    const double scaledRate = std::ceil(std::max(rate, 0.0) * 0x1p32); // u >= rate ⇔ bits >= ceil(rate · 2³²)
    if (!(scaledRate < 0x1p32)) {
        std::fill(bytes.begin(), bytes.end(), std::uint8_t{0});
        return;
    }
    const auto threshold = static_cast<std::uint32_t>(scaledRate);
    const Stream stream{m_key[0], m_key[1], m_high[0], m_high[1]};
    std::uint64_t done = 0;
    const auto byHand = [&](std::uint64_t until) {
        std::uint8_t group[laneNumbers];
        while (done < until) {
            const std::uint64_t skip = (first + done) % 4;
            const std::uint64_t taken = std::min(until - done, laneNumbers - skip);
            manyMasks(stream, (first + done) / 4, 1, threshold, group);
            std::memcpy(bytes.data() + done, group + skip, taken);
            done += taken;
        }
    };
    byHand(std::min<std::uint64_t>(bytes.size(), (4 - first % 4) % 4)); // up to the first whole block
    const std::uint64_t groups = (bytes.size() - done) / laneNumbers;
    manyMasks(stream, (first + done) / 4, groups, threshold, bytes.data() + done);
    done += groups * laneNumbers;
    byHand(bytes.size());
}

void Philox::fillUniform(double low, double high, std::span<float> out, std::uint64_t first) const
{
    walkBits({m_key[0], m_key[1], m_high[0], m_high[1]}, first, out.size(),
             [&](const std::uint32_t* numbers, std::uint64_t at, std::uint64_t count) { scaleBits(numbers, count, low, high - low, out.data() + at); });
}

void Philox::fillNormal(double mean, double deviation, std::span<float> out, std::uint64_t first) const
{
    // Whole pairs of numbers, so one more in front where `first` is the second of its pair, and one more behind.
    const std::uint64_t start = first & ~std::uint64_t{1};
    const std::uint64_t end = (first + out.size() + 1) & ~std::uint64_t{1};
    walkBits({m_key[0], m_key[1], m_high[0], m_high[1]}, start, end - start, [&](const std::uint32_t* numbers, std::uint64_t at, std::uint64_t count) {
        for (std::uint64_t i = 0; i + 1 < count; i += 2) {
            double pair[2];
            normalPair(numbers[i], numbers[i + 1], pair[0], pair[1]);
            for (std::uint64_t j = 0; j < 2; ++j) {
                const std::uint64_t position = start + at + i + j;
                if (position >= first && position - first < out.size()) out[position - first] = static_cast<float>(mean + deviation * pair[j]);
            }
        }
    });
}

std::uint64_t textKey(std::string_view text)
{
    std::uint64_t hash = 0xcbf29ce484222325ull;
    for (const char c : text) hash = (hash ^ static_cast<unsigned char>(c)) * 0x100000001b3ull;
    return hash;
}

} // namespace sconce
