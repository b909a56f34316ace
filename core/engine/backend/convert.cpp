// SPDX-License-Identifier: GPL-3.0-or-later
// Bytes of records to floats: read by every step before the network does anything, so it is compiled for what the machine has.
// Without fused multiply-adds: all variants give the same bits.
#include "core/engine/backend/feed.h"

#include "core/base/every_cpu.h"

namespace sconce::engine {

namespace {

/// Into each of the variants, where it is compiled for its CPU.
template <class Number> __attribute__((always_inline)) inline void scaleRow(const Number* __restrict in, float* __restrict out, std::int64_t count, float factor, float offset)
{
    for (std::int64_t i = 0; i < count; ++i) {
        const float scaled = static_cast<float>(in[i]) * factor;
        out[i] = scaled + offset;
    }
}

SCONCE_FOR_EVERY_CPU void convertRow(const std::uint8_t* __restrict in, float* __restrict out, std::int64_t count, float factor, float offset) { scaleRow(in, out, count, factor, offset); }
SCONCE_FOR_EVERY_CPU void convertRow(const float* __restrict in, float* __restrict out, std::int64_t count, float factor, float offset) { scaleRow(in, out, count, factor, offset); }

template <class Number> void convert(const Number* in, float* out, std::int64_t channels, std::int64_t pixels, bool channelsLast, float factor, float offset)
{
    if (!channelsLast || channels == 1) return convertRow(in, out, channels * pixels, factor, offset);
    for (std::int64_t c = 0; c < channels; ++c)
        for (std::int64_t p = 0; p < pixels; ++p) out[p * channels + c] = static_cast<float>(in[c * pixels + p]) * factor + offset;
}

} // namespace

void convertRecord(const std::uint8_t* in, float* out, std::int64_t channels, std::int64_t pixels, bool channelsLast, float factor, float offset)
{
    convert(in, out, channels, pixels, channelsLast, factor, offset);
}

void convertRecord(const float* in, float* out, std::int64_t channels, std::int64_t pixels, bool channelsLast, float factor, float offset)
{
    convert(in, out, channels, pixels, channelsLast, factor, offset);
}

} // namespace sconce::engine
