// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
// The inner loops of the fused blocks (conv_pool.h), without torch, in float32. Four kinds: a convolution of few channels with its 2×2 max
// pooling and activation in one pass; pooling with bias and activation alone; convolution 3×3 of many channels with its pooling, by
// Winograd's sums; and the same convolution where no pool follows. A call is one thread's work: an image, or a range of filters, windows
// or tiles, as said below; the caller splits the batch over threads, and no two calls at once may write to the same place.
// Maps lie channels-last, [height][width][channels]. Built several times for different instruction sets; kernels() takes the best that
// this processor has.

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

/// A block of many channels: convolution 3×3 with stride 1, pooled 2×2.
struct DeepShape
{
    std::int64_t height = 0, width = 0;     ///< of the picture, without padding
    std::int64_t top = 0, left = 0, bottom = 0, right = 0; ///< zeros around it
    std::int64_t channels = 0, filters = 0; ///< multiples of blockOf
    std::int64_t pooledHeight = 0, pooledWidth = 0;
    std::int64_t paddedHeight() const { return height + top + bottom; }
    std::int64_t paddedWidth() const { return width + left + right; }
    std::int64_t outHeight() const { return paddedHeight() - 2; } ///< of the convolution
    std::int64_t outWidth() const { return paddedWidth() - 2; }
};

/// Which of the four a pooled number came from (row-major), plus this if the activation cut it (gradient times slope).
inline constexpr std::uint8_t cut = 4;

struct Kernels
{
    const char* name;
    bool vectors; ///< of instructions made for this processor, not the plain ones that every one has
    /// w [kernel][kernel][channels][filters]; bias [filters]; out and index [pooledHeight][pooledWidth][filters]. `slope` is the
    /// activation's factor for negative numbers: 0 ReLU, 1 none. index may be null (nothing to be learnt).
    void (*convForward)(const ConvShape&, const float* x, const float* w, const float* bias, float slope, float* out, std::uint8_t* index);
    /// Adds to dw (as w) and db (as bias).
    void (*convBackward)(const ConvShape&, const float* x, const float* gradient, const std::uint8_t* index, float slope, float* dw, float* db);
    void (*poolForward)(const PoolShape&, const float* x, const float* bias, float slope, float* out, std::uint8_t* index);
    /// Writes every number of dx; adds to db.
    void (*poolBackward)(const PoolShape&, const float* gradient, const std::uint8_t* index, float slope, float* dx, float* db);

    // Blocks of many channels (deep_conv_pool_kernels.inc). w and dw lie as [filters][3][3][channels].
    /// The weights as the forward pass wants them, of some filters, a multiple of 16: u [16][channels][filters].
    void (*deepWeights)(const DeepShape&, const float* w, float* u, std::int64_t firstFilter, std::int64_t lastFilter);
    /// Floats of room that a call with so many windows wants.
    std::int64_t (*deepForwardRoom)(const DeepShape&, std::int64_t windows);
    /// Windows [first, last) of a batch x [images][height][width][channels], counted through all images; out and index
    /// [images][pooledHeight][pooledWidth][filters]. What comes out does not depend on which windows share a call.
    void (*deepForward)(const DeepShape&, const float* x, const float* u, const float* bias, float slope, std::int64_t first, std::int64_t last, float* room, float* out,
                        std::uint8_t* index);
    std::int64_t (*deepBackwardRoom)(const DeepShape&);
    /// Of some images. Adds to dw and db; writes every number of dx. db and dx may be null.
    void (*deepBackward)(const DeepShape&, const float* x, const float* w, const float* gradient, const std::uint8_t* index, float slope, std::int64_t images, float* room,
                         float* dw, float* db, float* dx);

    // The same convolution where no pool follows (winograd_kernels.inc): pooledHeight × pooledWidth are tiles of 2×2 outputs.
    /// u [16][filters][channels] for the gradient of the input, which is windowForward() of the output's gradient.
    void (*windowWeightsBack)(const DeepShape&, const float* w, float* u, std::int64_t firstFilter, std::int64_t lastFilter);
    /// Tiles [first, last) of a batch; u as of deepWeights(); room as of deepForwardRoom(). out [images][outHeight][outWidth][filters].
    void (*windowForward)(const DeepShape&, const float* x, const float* u, const float* bias, std::int64_t first, std::int64_t last, float* room, float* out);
    /// What tiles [first, last) give to the gradient of the weights, spread: v and d have room for `most` tiles, the first of them `from`.
    void (*windowSpread)(const DeepShape&, const float* x, const float* gradient, std::int64_t first, std::int64_t last, std::int64_t from, std::int64_t most, float* zeros, float* v,
                         float* d);
    /// Adds to du [16][channels][filters], for one of the 16 and some channels, the products of `tiles` tiles.
    void (*windowGradient)(const DeepShape&, const float* v, const float* d, std::int64_t place, std::int64_t tiles, std::int64_t most, std::int64_t firstChannel,
                           std::int64_t lastChannel, float* du);
    /// dw from du, of filters [first, last), multiples of 16.
    void (*windowGather)(const DeepShape&, const float* du, float* dw, std::int64_t first, std::int64_t last);
};

const Kernels& kernels();
/// Every set that this processor can run, for tests.
int kernelSets(const Kernels** sets, int room);

} // namespace sconce::engine::convpool
