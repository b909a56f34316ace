// SPDX-License-Identifier: GPL-3.0-or-later
#include "app/bench/machine_floor.h"

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <cstring>
#include <numeric>
#include <thread>
#include <vector>
#if defined(__x86_64__)
#include <immintrin.h>
#endif

namespace sconce::bench {

namespace {

double now()
{
    return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count();
}

// Twelve independent chains of fused multiply-adds: enough to fill both ports whatever the latency. They run to a fixed
// point, so that no number becomes denormal or infinite.
#if defined(__x86_64__)
__attribute__((target("avx512f"))) float fma512(std::int64_t rounds)
{
    __m512 sum[12];
    for (int c = 0; c < 12; ++c) sum[c] = _mm512_set1_ps(1.0f + static_cast<float>(c));
    const __m512 a = _mm512_set1_ps(0.5f), b = _mm512_set1_ps(0.5f);
    for (std::int64_t r = 0; r < rounds; ++r)
#pragma GCC unroll 12
        for (__m512& each : sum) each = _mm512_fmadd_ps(each, a, b);
    float total = 0;
    for (const __m512& each : sum) total += _mm512_cvtss_f32(each);
    return total;
}

__attribute__((target("avx2,fma"))) float fma256(std::int64_t rounds)
{
    __m256 sum[12];
    for (int c = 0; c < 12; ++c) sum[c] = _mm256_set1_ps(1.0f + static_cast<float>(c));
    const __m256 a = _mm256_set1_ps(0.5f), b = _mm256_set1_ps(0.5f);
    for (std::int64_t r = 0; r < rounds; ++r)
#pragma GCC unroll 12
        for (__m256& each : sum) each = _mm256_fmadd_ps(each, a, b);
    float total = 0;
    for (const __m256& each : sum) total += _mm256_cvtss_f32(each);
    return total;
}
#endif

float fmaAny(std::int64_t rounds)
{
    float sum[48];
    std::fill(std::begin(sum), std::end(sum), 2.0f);
    for (std::int64_t r = 0; r < rounds; ++r)
        for (float& s : sum) s = s * 0.5f + 0.5f;
    return std::accumulate(std::begin(sum), std::end(sum), 0.0f);
}

double measureFlops(int threads)
{
    constexpr std::int64_t rounds = 8'000'000;
    float (*loop)(std::int64_t) = fmaAny;
    double perRound = 48 * 2;
#if defined(__x86_64__)
    if (__builtin_cpu_supports("avx512f")) loop = fma512, perRound = 12 * 16 * 2;
    else if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma")) loop = fma256, perRound = 12 * 8 * 2;
#endif
    double best = 0;
    for (int repeat = 0; repeat < 5; ++repeat) {
        std::vector<float> results(static_cast<std::size_t>(threads));
        std::vector<std::jthread> pool;
        const double start = now();
        for (float& result : results) pool.emplace_back([loop, &result] { result = loop(rounds); });
        pool.clear(); // joins
        const double seconds = now() - start;
        if (results[0] > 0) best = std::max(best, static_cast<double>(rounds) * perRound * threads / seconds); // the sum is used
    }
    return best;
}

double measureBandwidth(int threads)
{
    constexpr std::size_t size = 128u << 20;
    std::vector<char> from(size, 1), to(size, 2);
    double best = 0;
    for (int repeat = 0; repeat < 5; ++repeat) {
        std::vector<std::jthread> pool;
        const double start = now();
        for (int t = 0; t < threads; ++t)
            pool.emplace_back([&, t] {
                const std::size_t piece = size / static_cast<std::size_t>(threads);
                std::memcpy(to.data() + static_cast<std::size_t>(t) * piece, from.data() + static_cast<std::size_t>(t) * piece, piece);
            });
        pool.clear();
        best = std::max(best, 2.0 * static_cast<double>(size) / (now() - start));
    }
    return best;
}

} // namespace

MachineFloor MachineFloor::best(const MachineFloor& other) const
{
    return {std::max(flops, other.flops), std::max(bytesPerSecond, other.bytesPerSecond)};
}

MachineFloor measureMachine(int threads) { return {measureFlops(threads), measureBandwidth(threads)}; }

} // namespace sconce::bench
