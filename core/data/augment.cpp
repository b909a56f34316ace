// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/data/augment.h"

#include "core/base/every_cpu.h"
#include "core/base/random.h"

#include <algorithm>
#include <cmath>
#include <numbers>

namespace sconce {

namespace {

/// Places of a sample's random numbers, each its own, so that switching one step on changes no other. Never renumber.
enum Draw : std::size_t { ShiftX, ShiftY, Turn, Zoom, Slant, LeftRight, UpsideDown, Brightness, Contrast, Saturation, CutX, CutY, draws };

/// In place of an epoch, for what a sample keeps through all of them.
constexpr std::uint64_t allEpochs = ~std::uint64_t{0};

using Drawn = std::array<float, draws>;
static_assert(draws % 4 == 0);

/// From 0 to below 1. Block by block: a stream makes many at once, and these are few.
Drawn drawn(std::uint64_t seed, std::uint64_t epoch, std::int64_t row)
{
    const Philox stream(seed, Purpose::Augment, epoch, static_cast<std::uint64_t>(row));
    Drawn result;
    for (std::uint32_t block = 0; block < draws / 4; ++block) {
        const auto bits = philox({block, 0, stream.high()[0], stream.high()[1]}, stream.key());
        for (std::size_t i = 0; i < 4; ++i) result[block * 4 + i] = static_cast<float>(bits[i] >> 8) * 0x1p-24f;
    }
    return result;
}

struct Matrix
{
    double a = 1, b = 0, c = 0, d = 1;
    Matrix operator*(const Matrix& o) const { return {a * o.a + b * o.c, a * o.b + b * o.d, c * o.a + d * o.c, c * o.b + d * o.d}; }
    Matrix inverse() const
    {
        const double det = a * d - b * c;
        return {d / det, -b / det, -c / det, a / det};
    }
};

double radians(double degrees) { return degrees * std::numbers::pi / 180; }
/// From −1 to 1.
double eitherWay(float u) { return 2.0 * static_cast<double>(u) - 1.0; }

bool mirrored(Augmentation::Flip flip, float now, float first, std::int64_t epoch)
{
    if (flip == Augmentation::Flip::Random) return now < 0.5f;
    return flip == Augmentation::Flip::Alternating && (first < 0.5f) != (epoch % 2 == 1);
}

SCONCE_FOR_EVERY_CPU void toFloats(const std::uint8_t* __restrict in, float* __restrict out, std::int64_t count)
{
    for (std::int64_t i = 0; i < count; ++i) out[i] = static_cast<float>(in[i]);
}

/// Each pixel with its neighbours to the right, below, and below to the right, in the bytes of one number: one look for four pixels.
SCONCE_FOR_EVERY_CPU void packNeighbours(const std::uint8_t* __restrict padded, std::uint32_t* __restrict packed, std::int64_t count, std::int64_t stride)
{
    for (std::int64_t i = 0; i < count; ++i)
        packed[i] = static_cast<std::uint32_t>(padded[i]) | static_cast<std::uint32_t>(padded[i + 1]) << 8 | static_cast<std::uint32_t>(padded[i + stride]) << 16 | static_cast<std::uint32_t>(padded[i + stride + 1]) << 24;
}

/// Where the pixels of some rows come from.
SCONCE_FOR_EVERY_CPU void whereFrom(const PictureChange& change, std::int64_t width, std::int64_t firstRow, std::int64_t rows, float* __restrict xs, float* __restrict ys)
{
    for (std::int64_t row = 0; row < rows; ++row) {
        const auto down = static_cast<float>(static_cast<std::int32_t>(firstRow + row));
        const float x = change.fromX[1] * down + change.fromX[2], stepX = change.fromX[0], y = change.fromY[1] * down + change.fromY[2], stepY = change.fromY[0];
        for (std::int64_t i = 0; i < width; ++i) {
            const auto along = static_cast<float>(static_cast<std::int32_t>(i));
            xs[row * width + i] = x + stepX * along;
            ys[row * width + i] = y + stepY * along;
        }
    }
}

/// A picture with its neighbours.
struct Packed
{
    const std::uint32_t* places; ///< with one more column and row before the picture and two behind
    std::int64_t height, width;
};

// In the following three the bounds come first: what is no number, where a matrix has no inverse, becomes the bound, and so a pixel.

/// Beyond the edge there is a border of zeros, one pixel wide: further out is as far.
struct Border
{
    static float within(float at, float size) { return std::min(size, std::max(-1.0f, at)); }
};

struct Edge
{
    static float within(float at, float size) { return std::min(size - 1, std::max(0.0f, at)); }
};

/// The picture and its mirror image in turns, to any distance; the mirrors stand at the outer edges of the first and last pixels.
struct Mirror
{
    static constexpr float farthest = 0x1p30f; ///< a float's places are many pixels apart there
    static float within(float at, float size)
    {
        const float from = std::min(farthest, std::fabs(at + 0.5f));
        const auto turns = static_cast<std::int32_t>(from / size);
        const float rest = from - static_cast<float>(turns) * size;
        return Edge::within(((turns & 1) != 0 ? size - rest : rest) - 0.5f, size);
    }
};

/// Between the four nearest pixels. Into each of the variants, where it is compiled for its CPU; over many pixels at once, rows being short.
template <class Outside> __attribute__((always_inline)) inline void interpolate(const Packed& picture, const float* __restrict xs, const float* __restrict ys, std::int64_t count, float* __restrict out)
{
    const auto stride = static_cast<std::int32_t>(picture.width + 3);
    const auto width = static_cast<float>(picture.width), height = static_cast<float>(picture.height);
    const std::uint32_t* __restrict places = picture.places;
    const auto pixel = [](std::uint32_t four, int which) { return static_cast<float>(static_cast<std::int32_t>(four >> (8 * which) & 255u)); };
    for (std::int64_t i = 0; i < count; ++i) {
        const float x = Outside::within(xs[i], width) + 1.0f, y = Outside::within(ys[i], height) + 1.0f;
        const auto column = static_cast<std::int32_t>(x), line = static_cast<std::int32_t>(y);
        const float right = x - static_cast<float>(column), below = y - static_cast<float>(line);
        const std::uint32_t four = places[line * stride + column];
        const float upper = pixel(four, 0) + right * (pixel(four, 1) - pixel(four, 0));
        const float lower = pixel(four, 2) + right * (pixel(four, 3) - pixel(four, 2));
        out[i] = upper + below * (lower - upper);
    }
}

SCONCE_FOR_EVERY_CPU void onBlack(const Packed& picture, const float* xs, const float* ys, std::int64_t count, float* out) { interpolate<Border>(picture, xs, ys, count, out); }
SCONCE_FOR_EVERY_CPU void onEdge(const Packed& picture, const float* xs, const float* ys, std::int64_t count, float* out) { interpolate<Edge>(picture, xs, ys, count, out); }
SCONCE_FOR_EVERY_CPU void onMirror(const Packed& picture, const float* xs, const float* ys, std::int64_t count, float* out) { interpolate<Mirror>(picture, xs, ys, count, out); }

SCONCE_FOR_EVERY_CPU void scaleBy(float* values, std::int64_t count, float factor, float offset)
{
    for (std::int64_t i = 0; i < count; ++i) values[i] = values[i] * factor + offset;
}

SCONCE_FOR_EVERY_CPU void withinBytes(float* values, std::int64_t count)
{
    for (std::int64_t i = 0; i < count; ++i) values[i] = std::min(std::max(values[i], 0.0f), 255.0f);
}

/// Small pictures whole, of large ones what stays in the nearest cache.
std::int64_t rowsAtOnce(const PictureSize& size) { return std::clamp<std::int64_t>(2048 / std::max<std::int64_t>(1, size.width), 1, std::max<std::int64_t>(1, size.height)); }

float greyShare(std::int64_t channel, std::int64_t channels)
{
    return channels == 3 ? greyShares[static_cast<std::size_t>(channel)] : 1.0f / static_cast<float>(channels);
}

} // namespace

bool Augmentation::moves() const
{
    return shift > 0 || rotate > 0 || zoom > 0 || slant > 0 || leftRight != Flip::Never || upsideDown != Flip::Never;
}

std::optional<PictureSize> pictureSize(const ValueType& sample)
{
    if (sample.rank() != 3) return {};
    return PictureSize{sample.dims[0].size, sample.dims[1].size, sample.dims[2].size};
}

PictureChange drawChange(const Augmentation& how, const PictureSize& size, std::uint64_t seed, std::int64_t epoch, std::int64_t row)
{
    const Drawn now = drawn(seed, static_cast<std::uint64_t>(epoch), row);
    const bool inTurns = how.leftRight == Augmentation::Flip::Alternating || how.upsideDown == Augmentation::Flip::Alternating;
    const Drawn first = inTurns ? drawn(seed, allEpochs, row) : now;

    PictureChange change;
    if (how.moves()) {
        const double angle = radians(how.rotate * eitherWay(now[Turn])), zoom = 1 + how.zoom * eitherWay(now[Zoom]);
        const Matrix turned{std::cos(angle), -std::sin(angle), std::sin(angle), std::cos(angle)}, slanted{1, std::tan(radians(how.slant * eitherWay(now[Slant]))), 0, 1};
        const Matrix flipped{mirrored(how.leftRight, now[LeftRight], first[LeftRight], epoch) ? -zoom : zoom, 0, 0, mirrored(how.upsideDown, now[UpsideDown], first[UpsideDown], epoch) ? -zoom : zoom};
        const auto whole = [&](float u) { return std::min(std::floor(static_cast<double>(u) * (2.0 * how.shift + 1)), 2.0 * how.shift) - how.shift; };
        const Matrix back = (turned * slanted * flipped).inverse();
        const double middleX = static_cast<double>(size.width - 1) / 2, middleY = static_cast<double>(size.height - 1) / 2;
        const double x = middleX + whole(now[ShiftX]), y = middleY + whole(now[ShiftY]);
        change.fromX = {static_cast<float>(back.a), static_cast<float>(back.b), static_cast<float>(middleX - back.a * x - back.b * y)};
        change.fromY = {static_cast<float>(back.c), static_cast<float>(back.d), static_cast<float>(middleY - back.c * x - back.d * y)};
    }
    change.brightness = static_cast<float>(1 + how.brightness * eitherWay(now[Brightness]));
    change.contrast = static_cast<float>(1 + how.contrast * eitherWay(now[Contrast]));
    change.saturation = static_cast<float>(1 + how.saturation * eitherWay(now[Saturation]));
    if (how.cutOut > 0) { // its middle may be any pixel: near the edge less than the whole square is cut out (DeVries and Taylor, 2017)
        const auto from = [&](float u, std::int64_t length) { return static_cast<float>(std::min<std::int64_t>(static_cast<std::int64_t>(static_cast<double>(u) * static_cast<double>(length)), length - 1) - how.cutOut / 2); };
        change.left = from(now[CutX], size.width);
        change.top = from(now[CutY], size.height);
        change.right = change.left + static_cast<float>(how.cutOut);
        change.bottom = change.top + static_cast<float>(how.cutOut);
    }
    return change;
}

PictureChanger::PictureChanger(const Augmentation& how, const PictureSize& size) : m_how(how), m_size(size)
{
    if (!how.moves()) return;
    m_padded.resize(static_cast<std::size_t>((size.height + 3) * (size.width + 3))); // the border stays 0
    m_packed.resize(m_padded.size());
    m_xs.resize(static_cast<std::size_t>(rowsAtOnce(size) * size.width));
    m_ys.resize(m_xs.size());
}

void PictureChanger::apply(const PictureChange& change, const std::uint8_t* in, float* out)
{
    if (m_how.moves()) move(change, in, out);
    else toFloats(in, out, m_size.channels * m_size.pixels());
    if (m_how.colours()) colour(change, out);
    if (m_how.cutOut > 0) cut(change, out);
}

void PictureChanger::move(const PictureChange& change, const std::uint8_t* in, float* out)
{
    const std::int64_t width = m_size.width, height = m_size.height, stride = width + 3, band = rowsAtOnce(m_size);
    const auto moved = m_how.outside == Augmentation::Outside::Black ? onBlack : m_how.outside == Augmentation::Outside::Edge ? onEdge : onMirror;
    for (std::int64_t c = 0; c < m_size.channels; ++c, in += height * width) {
        for (std::int64_t y = 0; y < height; ++y) std::copy_n(in + y * width, width, m_padded.data() + (y + 1) * stride + 1);
        packNeighbours(m_padded.data(), m_packed.data(), (height + 2) * stride - 1, stride);
        for (std::int64_t y = 0; y < height; y += band) {
            const std::int64_t rows = std::min(band, height - y);
            if (c == 0 || band < height) whereFrom(change, width, y, rows, m_xs.data(), m_ys.data());
            moved({m_packed.data(), height, width}, m_xs.data(), m_ys.data(), rows * width, out + (c * height + y) * width);
        }
    }
}

/// Brightness, then contrast around the picture's own mean, then saturation; as torchvision has them, but cut to 0…255 only at the end.
void PictureChanger::colour(const PictureChange& change, float* out) const
{
    const std::int64_t pixels = m_size.pixels(), channels = m_size.channels;
    double mean = 0;
    for (std::int64_t c = 0; c < channels; ++c) {
        double sum = 0;
        for (std::int64_t i = 0; i < pixels; ++i) sum += static_cast<double>(out[c * pixels + i]);
        mean += sum * static_cast<double>(greyShare(c, channels));
    }
    const float middle = static_cast<float>(mean / static_cast<double>(pixels)) * change.brightness;
    scaleBy(out, channels * pixels, change.brightness * change.contrast, middle * (1 - change.contrast));
    if (channels == 3 && m_how.saturation > 0) {
        for (std::int64_t i = 0; i < pixels; ++i) {
            float grey = 0;
            for (std::int64_t c = 0; c < channels; ++c) grey += out[c * pixels + i] * greyShare(c, channels);
            for (std::int64_t c = 0; c < channels; ++c) out[c * pixels + i] = grey + (out[c * pixels + i] - grey) * change.saturation;
        }
    }
    withinBytes(out, channels * pixels);
}

void PictureChanger::cut(const PictureChange& change, float* out) const
{
    const auto within = [](float at, std::int64_t size) { return static_cast<std::int64_t>(std::min(static_cast<float>(size), std::max(0.0f, at))); };
    const std::int64_t left = within(change.left, m_size.width), right = within(change.right, m_size.width);
    for (std::int64_t c = 0; c < m_size.channels; ++c)
        for (std::int64_t y = within(change.top, m_size.height); y < within(change.bottom, m_size.height); ++y) {
            float* row = out + (c * m_size.height + y) * m_size.width;
            std::fill(row + left, row + right, 0.0f);
        }
}

} // namespace sconce
