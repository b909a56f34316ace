// SPDX-License-Identifier: GPL-3.0-or-later
// The built-in digits: each is one of several ways of writing it, a few strokes of lines, curves and arcs; its points are
// shaken, bent and turned, and a pen of varying width draws them. Only additions, multiplications and square roots in
// double precision, without fused ones (CMakeLists.txt), so that every machine draws the same pictures.
#include "core/data/memory_dataset.h"
#include "core/data/order.h"

#include "core/base/random.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <string_view>
#include <thread>

namespace sconce {
namespace {

constexpr int side = 28;
constexpr int pixels = side * side;
constexpr std::int64_t trainingCount = 10'000, testCount = 2'000;

/// Ways of writing each digit, in a box from 0,0 (top left) to 1,1. M moves, L draws a line, C a cubic curve, E an arc of
/// an ellipse (centre, radii, from and to in degrees, clockwise from the right).
const std::array<std::vector<std::string_view>, 10> glyphs{{
    {"E .5 .5 .36 .5 -90 270", "E .5 .5 .28 .5 -70 300", "E .5 .52 .34 .48 -50 285", "M .62 .02 C .2 -.02 .08 .4 .16 .7 C .26 1.1 .76 1.08 .84 .62 C .9 .2 .74 0 .5 .04"},
    {"M .5 0 L .5 1", "M .32 .2 L .56 0 L .54 1", "M .3 .22 L .52 0 L .52 1 M .28 1 L .76 1", "M .6 0 C .56 .4 .46 .7 .42 1"},
    {"M .15 .25 C .2 -.08 .85 -.08 .82 .3 C .8 .55 .4 .75 .12 1 L .88 1", "M .18 .22 C .3 -.1 .9 0 .78 .38 C .68 .68 .4 .95 .2 .96 C .02 .95 .1 .74 .28 .8 C .5 .88 .6 1.02 .9 .94",
     "M .15 .12 C .5 -.08 .9 .05 .8 .35 L .14 .98 C .4 .9 .6 1.02 .88 .95"},
    {"M .18 .12 C .4 -.08 .85 0 .78 .26 C .74 .44 .55 .47 .42 .48 C .65 .48 .9 .55 .86 .76 C .8 1.05 .35 1.08 .14 .86", "M .18 .02 L .8 .02 L .45 .42 C .75 .4 .92 .6 .85 .78 C .76 1.06 .35 1.05 .15 .88",
     "M .2 .08 C .5 -.06 .84 .04 .76 .28 C .7 .44 .5 .46 .36 .5 C .3 .54 .4 .5 .5 .5 C .8 .52 .88 .7 .78 .86 C .64 1.06 .3 1 .12 .94"},
    {"M .2 .02 L .14 .55 L .88 .55 M .68 .05 L .68 1", "M .66 1 L .66 0 L .1 .66 L .92 .66", "M .24 0 C .2 .25 .1 .5 .2 .55 C .4 .62 .7 .54 .86 .48 M .74 .06 C .7 .4 .66 .7 .62 1",
     "M .3 .04 C .26 .24 .16 .42 .22 .5 C .32 .58 .6 .5 .72 .42 M .78 .02 C .74 .3 .7 .6 .7 1"},
    {"M .82 .02 L .28 .02 L .22 .44 C .5 .3 .88 .42 .84 .7 C .8 1.05 .36 1.08 .14 .88", "M .3 .04 L .22 .46 C .45 .34 .86 .4 .82 .7 C .78 1 .4 1.08 .16 .9 M .3 .04 L .86 0",
     "M .84 .06 C .6 -.02 .3 0 .28 .2 C .26 .42 .8 .42 .8 .72 C .8 1.02 .4 1.04 .16 .92"},
    {"M .74 .02 C .4 .1 .16 .4 .16 .7 C .16 1.1 .86 1.08 .84 .7 C .82 .4 .3 .42 .18 .72", "M .6 0 C .4 .2 .2 .48 .18 .68 C .18 1.08 .82 1.1 .82 .74 C .82 .46 .34 .44 .2 .68",
     "M .8 .12 C .6 -.06 .2 .1 .16 .6 C .12 1.08 .8 1.12 .82 .74 C .82 .44 .4 .42 .22 .66"},
    {"M .12 .04 L .86 .04 L .4 1", "M .12 .06 L .86 .04 L .44 1 M .3 .5 L .78 .48", "M .14 .1 C .3 0 .6 .08 .86 .04 C .7 .3 .5 .6 .46 1", "M .14 .2 L .14 .04 L .86 .04 C .66 .34 .5 .66 .44 1"},
    {"E .5 .25 .3 .25 -90 270 E .5 .74 .36 .26 -90 270", "M .78 .14 C .5 -.12 .1 .06 .24 .3 C .4 .5 .86 .55 .8 .82 C .72 1.08 .2 1.06 .2 .78 C .2 .54 .7 .46 .78 .2 C .8 .12 .74 .06 .66 .04",
     "E .52 .24 .22 .24 -60 300 E .48 .74 .28 .26 -120 250"},
    {"E .46 .3 .3 .29 0 360 M .77 .2 L .7 1", "E .48 .3 .3 .3 -20 340 M .78 .22 C .82 .6 .7 .92 .28 1", "M .8 .12 C .5 -.1 .14 .06 .18 .34 C .24 .6 .7 .56 .8 .14 C .8 .4 .76 .7 .7 1",
     "M .72 .1 C .4 -.08 .1 .2 .22 .42 C .36 .6 .74 .44 .76 .1 L .74 1"},
}};

struct Point
{
    double x = 0, y = 0;
};

struct Command
{
    char kind = 'M';
    std::array<double, 6> numbers{};
    int count = 0;
};

using Glyph = std::vector<Command>;

Glyph parseGlyph(std::string_view text)
{
    Glyph glyph;
    while (!text.empty()) {
        if (text.front() == ' ') {
            text.remove_prefix(1);
        } else if (text.front() >= 'A' && text.front() <= 'Z') {
            glyph.push_back({text.front(), {}, 0});
            text.remove_prefix(1);
        } else {
            double number = 0;
            const auto [end, failure] = std::from_chars(text.data(), text.data() + text.size(), number);
            if (failure != std::errc{}) break; // our own texts: a test draws them all
            glyph.back().numbers[static_cast<std::size_t>(glyph.back().count++)] = number;
            text.remove_prefix(static_cast<std::size_t>(end - text.data()));
        }
    }
    return glyph;
}

const std::array<std::vector<Glyph>, 10>& parsedGlyphs()
{
    static const auto parsed = [] {
        std::array<std::vector<Glyph>, 10> all;
        for (std::size_t digit = 0; digit < 10; ++digit) {
            for (const std::string_view text : glyphs[digit]) all[digit].push_back(parseGlyph(text));
        }
        return all;
    }();
    return parsed;
}

/// sin 2πu by its series; of our own, because libm's last bit depends on the processor.
double sineTurn(double u)
{
    u -= std::floor(u + 0.5); // [-½, ½)
    if (u > 0.25) u = 0.5 - u;
    if (u < -0.25) u = -0.5 - u;
    const double x = u * 6.2831853071795865, z = x * x;
    return x * (1 + z * (-1.0 / 6 + z * (1.0 / 120 + z * (-1.0 / 5040 + z * (1.0 / 362880 + z * (-1.0 / 39916800))))));
}

double cosineTurn(double u)
{
    return sineTurn(u + 0.25);
}

/// The random numbers of one picture, in the order in which they are used.
class Draw
{
  public:
    Draw(std::uint64_t seed, std::uint64_t part, std::uint64_t row) : m_random(seed, Purpose::Digits, part, row) { m_random.fillUniform(0, 1, m_numbers); }
    double unit() { return m_numbers[m_at++ % m_numbers.size()]; }
    double between(double low, double high) { return low + (high - low) * unit(); }
    /// Around 0, mostly small, within ±size.
    double wobble(double size) { return size * (unit() + unit() + unit() - 1.5) / 1.5; }
    const Philox& random() const { return m_random; }

  private:
    Philox m_random;
    std::array<float, 256> m_numbers{};
    std::size_t m_at = 0;
};

struct Pen
{
    Point at;
    bool down = false; ///< a line leads here from the point before
};

/// The glyph with shaken points as a chain of short lines.
void flatten(const Glyph& glyph, Draw& draw, double shake, std::vector<Pen>& out)
{
    out.clear();
    Point last;
    const auto shaken = [&](double x, double y) { return Point{x + draw.wobble(shake), y + draw.wobble(shake)}; };
    for (const Command& command : glyph) {
        const auto& n = command.numbers;
        if (command.kind == 'M') {
            out.push_back({last = shaken(n[0], n[1]), false});
        } else if (command.kind == 'L') {
            // In pieces, so that it bends with the rest.
            const Point to = shaken(n[0], n[1]);
            for (int i = 1; i <= 5; ++i) out.push_back({{last.x + (to.x - last.x) * i / 5, last.y + (to.y - last.y) * i / 5}, true});
            last = to;
        } else if (command.kind == 'C') {
            const Point a = shaken(n[0], n[1]), b = shaken(n[2], n[3]), to = shaken(n[4], n[5]);
            for (int i = 1; i <= 9; ++i) {
                const double t = i / 9.0, s = 1 - t;
                const double w0 = s * s * s, w1 = 3 * s * s * t, w2 = 3 * s * t * t, w3 = t * t * t;
                out.push_back({{w0 * last.x + w1 * a.x + w2 * b.x + w3 * to.x, w0 * last.y + w1 * a.y + w2 * b.y + w3 * to.y}, true});
            }
            last = to;
        } else {
            const Point centre = shaken(n[0], n[1]);
            const double rx = n[2] + draw.wobble(shake), ry = n[3] + draw.wobble(shake);
            const double from = n[4] / 360 + draw.wobble(0.04), to = n[5] / 360 + draw.wobble(0.04);
            for (int i = 0; i <= 22; ++i) {
                const double turn = from + (to - from) * i / 22;
                out.push_back({last = {centre.x + rx * cosineTurn(turn), centre.y + ry * sineTurn(turn)}, i > 0});
            }
        }
    }
}

/// Bends the glyph by slow waves, then slants, turns, scales and moves it into the picture.
void place(std::vector<Pen>& pens, Draw& draw)
{
    std::array<std::array<double, 4>, 4> waves{}; // two across, two down: size, fx, fy, phase
    for (auto& wave : waves) wave = {draw.wobble(0.07), draw.between(0.3, 1.3), draw.between(0.3, 1.3), draw.unit()};
    const double angle = draw.wobble(0.075), cosine = cosineTurn(angle), sine = sineTurn(angle); // ±27°, mostly within 10
    const double slant = draw.wobble(0.45);
    const double size = draw.between(13.5, 21.0), width = size * draw.between(0.55, 0.95);
    const double moveX = 13.5 + draw.wobble(4.2), moveY = 13.5 + draw.wobble(4.2);
    for (Pen& pen : pens) {
        double x = pen.at.x - 0.5, y = pen.at.y - 0.5;
        const double bentX = x + waves[0][0] * sineTurn(waves[0][1] * x + waves[0][2] * y + waves[0][3]) + waves[1][0] * sineTurn(waves[1][1] * x - waves[1][2] * y + waves[1][3]);
        const double bentY = y + waves[2][0] * sineTurn(waves[2][1] * x + waves[2][2] * y + waves[2][3]) + waves[3][0] * sineTurn(waves[3][1] * x - waves[3][2] * y + waves[3][3]);
        x = (bentX - slant * bentY) * width;
        y = bentY * size;
        pen.at = {cosine * x - sine * y + moveX, sine * x + cosine * y + moveY};
    }
}

/// Lowers `distance` to how far each pixel is outside the pen that goes from a to b.
void stroke(Point a, Point b, float halfWidth, float reach, float* distance)
{
    const int left = std::max(0, static_cast<int>(std::floor(std::min(a.x, b.x) - reach))), right = std::min(side - 1, static_cast<int>(std::ceil(std::max(a.x, b.x) + reach)));
    const int top = std::max(0, static_cast<int>(std::floor(std::min(a.y, b.y) - reach))), bottom = std::min(side - 1, static_cast<int>(std::ceil(std::max(a.y, b.y) + reach)));
    const auto ax = static_cast<float>(a.x), ay = static_cast<float>(a.y), dx = static_cast<float>(b.x - a.x), dy = static_cast<float>(b.y - a.y);
    const float scale = 1 / std::max(1e-6f, dx * dx + dy * dy);
    for (int y = top; y <= bottom; ++y) {
        const float py = static_cast<float>(y) - ay;
        float* row = distance + y * side;
        for (int x = left; x <= right; ++x) {
            const float px = static_cast<float>(x) - ax;
            float t = (px * dx + py * dy) * scale;
            t = t < 0 ? 0 : t > 1 ? 1 : t;
            const float ex = px - t * dx, ey = py - t * dy;
            const float d = std::sqrt(ex * ex + ey * ey) - halfWidth;
            row[x] = d < row[x] ? d : row[x];
        }
    }
}

void drawDigit(std::uint64_t seed, std::uint64_t part, std::int64_t row, int digit, std::vector<Pen>& pens, std::uint8_t* out)
{
    Draw draw(seed, part, static_cast<std::uint64_t>(row));
    const std::vector<Glyph>& ways = parsedGlyphs()[static_cast<std::size_t>(digit)];
    const Glyph& glyph = ways[std::min(ways.size() - 1, static_cast<std::size_t>(draw.unit() * static_cast<double>(ways.size())))];
    flatten(glyph, draw, 0.055, pens);
    place(pens, draw);

    const double pen = draw.between(0.55, 1.55), swell = draw.between(0, 0.35), phase = draw.unit();
    const auto soft = static_cast<float>(draw.between(0.8, 1.5));
    std::array<float, pixels> distance;
    distance.fill(100);
    for (std::size_t i = 1; i < pens.size(); ++i) {
        if (!pens[i].down) continue;
        const auto half = static_cast<float>(pen * (1 + swell * sineTurn(phase + static_cast<double>(i) * 0.02)));
        stroke(pens[i - 1].at, pens[i].at, half, half + soft, distance.data());
    }

    const auto ink = static_cast<float>(draw.between(190, 255)), grain = static_cast<float>(draw.between(0, 26));
    std::array<float, pixels> noise;
    draw.random().fillUniform(-0.5, 0.5, noise, 1024);
    const float sharpness = 1 / soft;
    for (std::size_t i = 0; i < pixels; ++i) {
        float cover = 0.5f - distance[i] * sharpness;
        cover = cover < 0 ? 0 : cover > 1 ? 1 : cover;
        // The paper stays black where no ink is near; grain sits in the ink and a little around it.
        const float value = cover * ink + grain * noise[i] * (0.25f + cover) + 0.5f;
        out[i] = static_cast<std::uint8_t>(value < 0 ? 0 : value > 255 ? 255 : value);
    }
}

PartContent drawPart(std::uint64_t seed, std::uint64_t part, std::int64_t count)
{
    PartContent content;
    content.samples.resize(static_cast<std::size_t>(count) * pixels);
    content.labels.resize(static_cast<std::size_t>(count));
    // As many of each, in mixed order.
    const SampleOrder order(count, seed, part, true);
    for (std::int64_t i = 0; i < count; ++i) content.labels[static_cast<std::size_t>(i)] = static_cast<std::int32_t>(order.at(i) % 10);

    const auto work = [&](std::int64_t first, std::int64_t last) {
        std::vector<Pen> pens;
        pens.reserve(64);
        for (std::int64_t i = first; i < last; ++i) drawDigit(seed, part, i, content.labels[static_cast<std::size_t>(i)], pens, content.samples.data() + static_cast<std::size_t>(i) * pixels);
    };
    const std::int64_t threads = std::clamp<std::int64_t>(std::thread::hardware_concurrency(), 1, 8);
    std::vector<std::jthread> helpers;
    for (std::int64_t k = 1; k < threads; ++k) helpers.emplace_back(work, count * k / threads, count * (k + 1) / threads);
    work(0, count / threads);
    helpers.clear(); // joins
    return content;
}

} // namespace

DatasetPtr builtinDigits(std::uint64_t seed)
{
    DatasetInfo info;
    info.id = "digits";
    info.title = "Built-in digits";
    info.kind = "digits";
    info.sample = imageType(1, side, side);
    for (int i = 0; i < 10; ++i) info.classes.push_back(std::to_string(i));
    return std::make_shared<MemoryDataset>(std::move(info), drawPart(seed, 0, trainingCount), drawPart(seed, 1, testCount));
}

} // namespace sconce
