// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
// The inner loops of the fused blocks (conv_pool.h), without torch: convolution of a few channels, 2×2 max pooling and
// activation in one pass, and pooling with bias and activation. One image a call; the caller splits the batch over threads.
// Maps lie channels-last, [height][width][channels]; Built several times for different instruction
// sets; kernels() takes the best that this processor has.

#include <cstdint>

namespace sconce::engine::convpool {

/// The number of filters, or of channels of a pooled map, must be a multiple of this.
inline constexpr int blockOf = 16;

struct ConvShape
{
    std::int64_t height = 0, width = 0;   ///< of the image, with padding already around it
    std::int64_t channels = 0, filters = 0;
    std::int64_t kernel = 0;              ///< square
    std::int64_t pooledHeight = 0, pooledWidth = 0;
};

struct PoolShape
{
    std::int64_t height = 0, width = 0, channels = 0; ///< of the map; pooled to half of each, rounded down
};

/// Which of the four a pooled number came from (row-major), plus this if the activation cut it (gradient times slope).
inline constexpr std::uint8_t cut = 4;

struct Kernels
{
    const char* name;
    /// w [kernel][kernel][channels][filters]; bias [filters]; out and index [pooledHeight][pooledWidth][filters]. `slope` is the
    /// activation's factor for negative numbers: 0 ReLU, 1 none. index may be null (nothing to be learnt).
    void (*convForward)(const ConvShape&, const float* x, const float* w, const float* bias, float slope, float* out, std::uint8_t* index);
    /// Adds to dw (as w) and db (as bias).
    void (*convBackward)(const ConvShape&, const float* x, const float* gradient, const std::uint8_t* index, float slope, float* dw, float* db);
    void (*poolForward)(const PoolShape&, const float* x, const float* bias, float slope, float* out, std::uint8_t* index);
    /// Writes every number of dx; adds to db.
    void (*poolBackward)(const PoolShape&, const float* gradient, const std::uint8_t* index, float slope, float* dx, float* db);
};

const Kernels& kernels();
/// Every set that this processor can run, for tests.
int kernelSets(const Kernels** sets, int room);

} // namespace sconce::engine::convpool
