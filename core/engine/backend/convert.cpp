// SPDX-License-Identifier: GPL-3.0-or-later
// Bytes of records to floats: read by every step before the network does anything, so it is compiled for what the machine has.
// Without fused multiply-adds: all variants give the same bits.
#include "core/engine/backend/feed.h"

#if defined(__x86_64__) && defined(__GNUC__) && !defined(__clang__)
#define SCONCE_FOR_EVERY_CPU __attribute__((target_clones("default", "avx2", "avx512f"), optimize("O3")))
#else
#define SCONCE_FOR_EVERY_CPU
#endif

namespace sconce::engine {

namespace {

SCONCE_FOR_EVERY_CPU void convertRow(const std::uint8_t* __restrict in, float* __restrict out, std::int64_t count, float factor, float offset)
{
    for (std::int64_t i = 0; i < count; ++i) {
        const float scaled = static_cast<float>(in[i]) * factor;
        out[i] = scaled + offset;
    }
}

} // namespace

void convertRecord(const std::uint8_t* in, float* out, std::int64_t channels, std::int64_t pixels, bool channelsLast, float factor, float offset)
{
    if (!channelsLast || channels == 1) return convertRow(in, out, channels * pixels, factor, offset);
    for (std::int64_t c = 0; c < channels; ++c)
        for (std::int64_t p = 0; p < pixels; ++p) out[p * channels + c] = static_cast<float>(in[c * pixels + p]) * factor + offset;
}

} // namespace sconce::engine
