// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
// Changes that pictures of training are given before the network sees them, differently in each epoch. Two parts: what is done to one sample
// in one epoch is drawn by a pure function (rule 7), a few numbers; and the picture is made of them, here on the processor, in
// core/engine on a device. So run, resumed run and preview show the same pictures. All moves are made in one go, with one
// interpolation: their order does not matter. Any thread; a PictureChanger belongs to one.

#include "core/model/shape.h"

#include <array>
#include <cstdint>
#include <optional>
#include <vector>

namespace sconce {

/// What may be done; 0 and Never: nothing.
struct Augmentation
{
    enum class Flip { Never, Random, Alternating }; ///< Alternating: a sample that was mirrored in one epoch is not in the next
    enum class Outside { Black, Edge, Mirror };     ///< what comes in where a picture was moved from

    int shift = 0;      ///< pixels at most, each way, whole ones
    double rotate = 0;  ///< degrees at most, either way
    double zoom = 0;    ///< sizes from 1 − zoom to 1 + zoom
    double slant = 0;   ///< degrees at most, either way
    Flip leftRight = Flip::Never, upsideDown = Flip::Never;
    double brightness = 0, contrast = 0, saturation = 0; ///< factors from 1 − this to 1 + this
    int cutOut = 0;     ///< side in pixels of a square that is made black
    Outside outside = Outside::Black;

    bool moves() const;
    bool colours() const { return brightness > 0 || contrast > 0 || saturation > 0; }
    bool any() const { return moves() || colours() || cutOut > 0; }
    bool operator==(const Augmentation&) const = default;
};

struct PictureSize
{
    std::int64_t channels = 0, height = 0, width = 0;
    std::int64_t pixels() const { return height * width; }
};
/// Nothing where samples are no pictures: a table, a text.
std::optional<PictureSize> pictureSize(const ValueType& sample);

/// What is done to one sample. Plain floats, so that a device is told by copying them.
struct PictureChange
{
    /// Where the pixel at (x, y) comes from, (0, 0) being the middle of the first: x' = fromX[0]·x + fromX[1]·y + fromX[2], y' alike.
    std::array<float, 3> fromX{1, 0, 0}, fromY{0, 1, 0};
    float brightness = 1, contrast = 1, saturation = 1;
    float left = 0, top = 0, right = 0, bottom = 0; ///< made black: x in [left, right) and y in [top, bottom)
    bool operator==(const PictureChange&) const = default;
};
inline constexpr std::int64_t changeNumbers = sizeof(PictureChange) / sizeof(float);

/// For the sample at this row of the data set's training part, in this epoch (0-based).
PictureChange drawChange(const Augmentation& how, const PictureSize& size, std::uint64_t seed, std::int64_t epoch, std::int64_t row);

/// Shares of red, green and blue in grey (ITU-R BT.601), of three channels; of others all count alike.
inline constexpr std::array<float, 3> greyShares{0.299f, 0.587f, 0.114f};

/// Makes changed pictures; holds the memory that it needs for that.
class PictureChanger
{
  public:
    PictureChanger(const Augmentation& how, const PictureSize& size);
    /// Of bytes, channels first, to floats from 0 to 255, channels first.
    void apply(const PictureChange& change, const std::uint8_t* in, float* out);

  private:
    void move(const PictureChange& change, const std::uint8_t* in, float* out);
    void colour(const PictureChange& change, float* out) const;
    void cut(const PictureChange& change, float* out) const;

    Augmentation m_how;
    PictureSize m_size;
    std::vector<std::uint8_t> m_padded;  ///< a channel with a border, so that neighbours need no test
    std::vector<std::uint32_t> m_packed; ///< its pixels with their neighbours
    std::vector<float> m_xs, m_ys;       ///< where the pixels of some rows come from
};

} // namespace sconce
