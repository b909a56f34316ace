// SPDX-License-Identifier: GPL-3.0-or-later
// Single inputs from outside a data set: pictures and drawings brought to the form of its records.
#include "core/evaluate/evaluate.h"

#include <algorithm>
#include <cmath>

namespace sconce {
namespace {

constexpr int inkThreshold = 16; // of 255: a brush's faint rim is no ink
constexpr double inkShare = 20.0 / 28.0;

struct Box { int left = 0, top = 0, right = -1, bottom = -1; bool empty() const { return right < left; } };

Box inkOf(const Picture& grey)
{
    Box box{grey.width, grey.height, -1, -1};
    for (int y = 0; y < grey.height; ++y)
        for (int x = 0; x < grey.width; ++x) {
            if (grey.pixels[static_cast<std::size_t>(y) * static_cast<std::size_t>(grey.width) + static_cast<std::size_t>(x)] < inkThreshold) continue;
            box.left = std::min(box.left, x);
            box.right = std::max(box.right, x);
            box.top = std::min(box.top, y);
            box.bottom = std::max(box.bottom, y);
        }
    return box;
}

Picture cropped(const Picture& grey, const Box& box)
{
    Picture result{box.right - box.left + 1, box.bottom - box.top + 1, 1, {}};
    for (int y = box.top; y <= box.bottom; ++y) {
        const auto row = grey.pixels.begin() + static_cast<std::ptrdiff_t>(y) * grey.width;
        result.pixels.insert(result.pixels.end(), row + box.left, row + box.right + 1);
    }
    return result;
}

/// Puts the ink onto a dark ground with its centre of mass in the middle, but wholly inside.
Picture placed(const Picture& ink, int width, int height)
{
    double mass = 0, massX = 0, massY = 0;
    for (int y = 0; y < ink.height; ++y)
        for (int x = 0; x < ink.width; ++x) {
            const double value = ink.pixels[static_cast<std::size_t>(y * ink.width + x)];
            mass += value;
            massX += value * (x + 0.5);
            massY += value * (y + 0.5);
        }
    const double centreX = mass > 0 ? massX / mass : ink.width / 2.0, centreY = mass > 0 ? massY / mass : ink.height / 2.0;
    const int left = std::clamp(static_cast<int>(std::lround(width / 2.0 - centreX)), 0, std::max(0, width - ink.width));
    const int top = std::clamp(static_cast<int>(std::lround(height / 2.0 - centreY)), 0, std::max(0, height - ink.height));
    Picture result{width, height, 1, std::vector<std::uint8_t>(static_cast<std::size_t>(width) * static_cast<std::size_t>(height), 0)};
    for (int y = 0; y < ink.height && top + y < height; ++y)
        for (int x = 0; x < ink.width && left + x < width; ++x)
            result.pixels[static_cast<std::size_t>((top + y) * width + left + x)] = ink.pixels[static_cast<std::size_t>(y * ink.width + x)];
    return result;
}

} // namespace

std::vector<std::uint8_t> recordFrom(const Picture& picture, const ValueType& sample)
{
    // Pictures are channels×height×width; anything flatter is taken as one row of pixels.
    const bool image = sample.rank() == 3;
    const int channels = image ? static_cast<int>(sample.dims[0].size) : 1;
    const int height = image ? static_cast<int>(sample.dims[1].size) : 1;
    const int width = image ? static_cast<int>(sample.dims[2].size) : static_cast<int>(sample.elements());
    Picture fitted = picture;
    setChannels(fitted, channels == 3 ? 3 : 1);
    if (fitted.width != width || fitted.height != height) fitted = scaled(fitted, width, height);
    const std::size_t pixels = static_cast<std::size_t>(width) * static_cast<std::size_t>(height);
    std::vector<std::uint8_t> record(pixels * static_cast<std::size_t>(channels));
    const auto have = static_cast<std::size_t>(fitted.channels);
    for (std::size_t c = 0; c < static_cast<std::size_t>(channels); ++c)
        for (std::size_t p = 0; p < pixels; ++p) record[c * pixels + p] = fitted.pixels[p * have + (c < have ? c : 0)];
    return record;
}

Picture centredDrawing(const Picture& drawing, int width, int height)
{
    Picture grey = drawing;
    setChannels(grey, 1);
    const Box box = inkOf(grey);
    if (box.empty()) return {width, height, 1, std::vector<std::uint8_t>(static_cast<std::size_t>(width) * static_cast<std::size_t>(height), 0)};
    const Picture ink = cropped(grey, box);
    const double side = std::max(1.0, std::min(width, height) * inkShare);
    const double factor = side / std::max(ink.width, ink.height);
    const int inkWidth = std::clamp(static_cast<int>(std::lround(ink.width * factor)), 1, width);
    const int inkHeight = std::clamp(static_cast<int>(std::lround(ink.height * factor)), 1, height);
    return placed(scaled(ink, inkWidth, inkHeight), width, height);
}

} // namespace sconce
