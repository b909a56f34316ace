// SPDX-License-Identifier: GPL-3.0-or-later
// Whatever a picture is given, its change reads and writes nothing but the picture: sizes down to one pixel, moves right out of sight,
// numbers that are none. Pictures lie in memory of exactly their size, so that the sanitizers see one byte too many.
#include "core/data/augment.h"

#include <QTest>

#include <algorithm>
#include <cmath>
#include <limits>
#include <memory>

using namespace sconce;

namespace {

using Outside = Augmentation::Outside;
constexpr Outside everyOutside[]{Outside::Black, Outside::Edge, Outside::Mirror};
constexpr float infinite = std::numeric_limits<float>::infinity(), none = std::numeric_limits<float>::quiet_NaN();
constexpr float untouched = -1; // no pixel of a result

struct Picture
{
    PictureSize size;
    std::unique_ptr<std::uint8_t[]> bytes;
    std::uint8_t at(std::int64_t c, std::int64_t y, std::int64_t x) const { return bytes[static_cast<std::size_t>((c * size.height + y) * size.width + x)]; }
};

/// Its pixels are from 100 to 199, none of them black.
Picture picture(const PictureSize& size)
{
    const auto count = static_cast<std::size_t>(size.channels * size.pixels());
    Picture result{size, std::make_unique<std::uint8_t[]>(count)};
    for (std::size_t i = 0; i < count; ++i) result.bytes[i] = static_cast<std::uint8_t>(100 + i * 37 % 100);
    return result;
}

std::unique_ptr<float[]> changed(const Augmentation& how, const PictureChange& change, const Picture& from)
{
    const auto count = static_cast<std::size_t>(from.size.channels * from.size.pixels());
    auto out = std::make_unique<float[]>(count);
    std::fill_n(out.get(), count, untouched);
    PictureChanger(how, from.size).apply(change, from.bytes.get(), out.get());
    return out;
}

bool all(const float* values, const PictureSize& size, float least, float most)
{
    return std::all_of(values, values + size.channels * size.pixels(), [&](float v) { return v >= least && v <= most; });
}

Augmentation moving(Outside outside)
{
    Augmentation how;
    how.shift = 1;
    how.outside = outside;
    return how;
}

/// Every pixel comes from so far right and down.
PictureChange from(float x, float y)
{
    PictureChange change;
    change.fromX[2] = x;
    change.fromY[2] = y;
    return change;
}

constexpr PictureSize everySize[]{{1, 1, 1}, {3, 1, 1}, {1, 1, 2}, {1, 2, 1}, {1, 1, 33}, {1, 33, 1}, {3, 5, 7}, {1, 28, 28}, {2, 17, 16}, {3, 32, 32}};

} // namespace

class AugmentBoundsTest : public QObject
{
    Q_OBJECT

  private Q_SLOTS:
    void aPictureThatStaysIsTheSame()
    {
        for (const PictureSize& size : everySize)
            for (const Outside outside : everyOutside) {
                const Picture p = picture(size);
                const auto out = changed(moving(outside), {}, p);
                for (std::int64_t i = 0; i < size.channels * size.pixels(); ++i) QCOMPARE(out[static_cast<std::size_t>(i)], static_cast<float>(p.bytes[static_cast<std::size_t>(i)]));
            }
    }
    void theLastPixelAndTheFirstBeyond()
    {
        for (const PictureSize& size : everySize) {
            const Picture p = picture(size);
            const auto width = static_cast<float>(size.width), height = static_cast<float>(size.height);
            struct Place { float x, y; } const places[]{{width - 1, 0}, {width, 0}, {width + 1, 0}, {-width + 1, 0}, {-width, 0}, {-width - 1, 0}, {0, height - 1}, {0, height},
                                                        {0, height + 1}, {0, -height}, {width, height}, {-width, -height}, {width - 0.5f, height - 0.5f}, {-0.5f, -0.5f}, {-1, -1}};
            for (const Place& place : places) {
                const bool gone = std::fabs(place.x) >= width || std::fabs(place.y) >= height;
                const auto black = changed(moving(Outside::Black), from(place.x, place.y), p);
                QVERIFY(all(black.get(), size, 0, gone ? 0 : 255));
                for (const Outside outside : {Outside::Edge, Outside::Mirror}) QVERIFY(all(changed(moving(outside), from(place.x, place.y), p).get(), size, 100, 199));
            }
            for (std::int64_t c = 0; c < size.channels; ++c) // the corner alone is left
                QCOMPARE(changed(moving(Outside::Black), from(width - 1, height - 1), p)[static_cast<std::size_t>(c * size.pixels())], static_cast<float>(p.at(c, size.height - 1, size.width - 1)));
        }
    }
    void aMirroredPictureComesAgainAtAnyDistance()
    {
        for (const PictureSize& size : everySize) {
            const Picture p = picture(size);
            for (const std::int64_t turns : {-1000, -3, -2, -1, 1, 2, 3, 1000}) {
                const auto out = changed(moving(Outside::Mirror), from(static_cast<float>(turns * size.width), static_cast<float>(turns * size.height)), p);
                for (std::int64_t c = 0; c < size.channels; ++c)
                    for (std::int64_t y = 0; y < size.height; ++y)
                        for (std::int64_t x = 0; x < size.width; ++x) {
                            const bool odd = turns % 2 != 0;
                            QCOMPARE(out[static_cast<std::size_t>((c * size.height + y) * size.width + x)], static_cast<float>(p.at(c, odd ? size.height - 1 - y : y, odd ? size.width - 1 - x : x)));
                        }
            }
        }
    }
    /// A matrix that has no inverse, or nearly none, leads to such places.
    void numbersThatAreNoPlaces()
    {
        const float wild[]{none, infinite, -infinite, 3e38f, -3e38f, 1e20f, -1e20f, 2147483648.0f, -2147483648.0f, 4e9f, -4e9f, 16777216.0f, -16777217.0f};
        for (const PictureSize& size : everySize) {
            const Picture p = picture(size);
            for (const Outside outside : everyOutside)
                for (const float number : wild)
                    for (std::size_t at = 0; at < 6; ++at) {
                        PictureChange change;
                        (at < 3 ? change.fromX : change.fromY)[at % 3] = number;
                        const bool black = outside == Outside::Black;
                        QVERIFY(all(changed(moving(outside), change, p).get(), size, black ? 0 : 100, 199));
                        change.fromX.fill(number);
                        change.fromY.fill(-number);
                        QVERIFY(all(changed(moving(outside), change, p).get(), size, black ? 0 : 100, 199));
                    }
        }
    }
    void whatIsDrawnAtTheLimits()
    {
        Augmentation how;
        how.shift = std::numeric_limits<int>::max();
        how.rotate = 180;
        how.zoom = 1; // down to no size at all
        how.slant = 90;
        how.leftRight = how.upsideDown = Augmentation::Flip::Alternating;
        how.brightness = how.contrast = how.saturation = 1;
        for (const Outside outside : everyOutside) {
            how.outside = outside;
            for (const int cutOut : {0, 1, 2, 31, 4096, std::numeric_limits<int>::max()})
                for (const PictureSize& size : everySize) {
                    how.cutOut = cutOut;
                    const Picture p = picture(size);
                    for (std::int64_t row = 0; row < 40; ++row) QVERIFY(all(changed(how, drawChange(how, size, 7, row % 3, row), p).get(), size, 0, 255));
                }
        }
    }
    void aCutOutEndsAtThePicture()
    {
        Augmentation how;
        how.cutOut = 3;
        struct Square { float left, top, right, bottom; } const squares[]{{-1, -1, 2, 2},  {-5, -5, -2, -2},         {0, 0, 3, 3},           {1000, 1000, 1003, 1003}, {-1e9f, -1e9f, 1e9f, 1e9f},
                                                                          {2, 3, 5, 6},    {-1e20f, 0, 1e20f, 1},    {3, 3, 0, 0},           {-infinite, -infinite, infinite, infinite},
                                                                          {none, 0, 2, 2}, {none, none, none, none}, {0, 0, infinite, none}, {infinite, infinite, -infinite, -infinite}};
        for (const PictureSize& size : everySize)
            for (const Square& square : squares) {
                const Picture p = picture(size);
                PictureChange change;
                change.left = square.left;
                change.top = square.top;
                change.right = square.right;
                change.bottom = square.bottom;
                const auto out = changed(how, change, p);
                const bool known = !std::isnan(square.left + square.top + square.right + square.bottom) || std::isinf(square.left);
                for (std::int64_t c = 0; c < size.channels; ++c)
                    for (std::int64_t y = 0; y < size.height; ++y)
                        for (std::int64_t x = 0; x < size.width; ++x) {
                            const float now = out[static_cast<std::size_t>((c * size.height + y) * size.width + x)], was = static_cast<float>(p.at(c, y, x));
                            const auto fx = static_cast<float>(x), fy = static_cast<float>(y);
                            if (known) QCOMPARE(now, fx >= square.left && fx < square.right && fy >= square.top && fy < square.bottom ? 0.0f : was);
                            else QVERIFY(now == 0 || now == was);
                        }
            }
    }
    void everySquareThatIsDrawnTouchesThePicture()
    {
        for (const PictureSize& size : everySize)
            for (const int side : {1, 2, 3, 8, 33}) {
                Augmentation how;
                how.cutOut = side;
                const Picture p = picture(size);
                for (std::int64_t row = 0; row < 200; ++row) {
                    const PictureChange change = drawChange(how, size, 3, 0, row);
                    QCOMPARE(change.right - change.left, static_cast<float>(side));
                    const auto out = changed(how, change, p);
                    const std::int64_t black = std::count(out.get(), out.get() + size.channels * size.pixels(), 0.0f);
                    QVERIFY(black >= size.channels && black <= size.channels * side * side);
                }
            }
    }
    void noPixelsAtAll()
    {
        Augmentation how = moving(Outside::Mirror);
        how.brightness = how.contrast = how.saturation = 0.5;
        how.cutOut = 2;
        for (const PictureSize& size : {PictureSize{1, 0, 0}, PictureSize{3, 0, 5}, PictureSize{3, 5, 0}}) changed(how, drawChange(how, size, 1, 0, 0), picture(size));
    }
};

QTEST_GUILESS_MAIN(AugmentBoundsTest)
#include "augment_bounds_test.moc"
