// SPDX-License-Identifier: GPL-3.0-or-later
// Changes of pictures while training: what is drawn, against what it says it may be; what is made of it, against the definition written
// down once more, plainly and in double, and against what can be said without arithmetic.
#include "core/base/random.h"
#include "core/data/augment.h"

#include <QTest>

#include <algorithm>
#include <cmath>
#include <numbers>
#include <set>

using namespace sconce;

namespace {

using Flip = Augmentation::Flip;
using Outside = Augmentation::Outside;

constexpr PictureSize small{1, 7, 9}, coloured{3, 8, 6}, digit{1, 28, 28};

std::vector<std::uint8_t> pictureOf(const PictureSize& size, std::uint64_t seed = 1)
{
    const Philox random(seed, Purpose::Test);
    std::vector<std::uint8_t> bytes(static_cast<std::size_t>(size.channels * size.pixels()));
    for (std::size_t i = 0; i < bytes.size(); ++i) bytes[i] = static_cast<std::uint8_t>(random.below(i, 256));
    return bytes;
}

std::vector<float> changed(const Augmentation& how, const PictureSize& size, const PictureChange& change, const std::vector<std::uint8_t>& in)
{
    std::vector<float> out(in.size() + 1, -7.0f);
    PictureChanger(how, size).apply(change, in.data(), out.data());
    if (out.back() != -7.0f) qFatal("written behind the picture");
    out.pop_back();
    return out;
}

/// The pixel at (x, y), or what is there where there is none.
double pixel(const std::vector<std::uint8_t>& in, const PictureSize& size, std::int64_t c, std::int64_t x, std::int64_t y)
{
    if (x < 0 || y < 0 || x >= size.width || y >= size.height) return 0;
    return in[static_cast<std::size_t>((c * size.height + y) * size.width + x)];
}

/// As torch's sampler has it: the coordinate is brought into the picture, then the four pixels around it are weighed.
double inside(double at, std::int64_t side, Outside outside)
{
    if (outside == Outside::Black) return at;
    if (outside == Outside::Mirror) {
        const double period = 2.0 * static_cast<double>(side);
        double rest = std::fmod(at + 0.5, period);
        if (rest < 0) rest += period;
        at = (rest < static_cast<double>(side) ? rest : period - rest) - 0.5;
    }
    return std::clamp(at, 0.0, static_cast<double>(side - 1));
}

double sampled(const std::vector<std::uint8_t>& in, const PictureSize& size, Outside outside, std::int64_t c, double x, double y)
{
    x = inside(x, size.width, outside);
    y = inside(y, size.height, outside);
    const double left = std::floor(x), top = std::floor(y);
    double sum = 0;
    for (const int right : {0, 1})
        for (const int below : {0, 1}) {
            const double weight = (right ? x - left : left + 1 - x) * (below ? y - top : top + 1 - y);
            sum += weight * pixel(in, size, c, static_cast<std::int64_t>(left) + right, static_cast<std::int64_t>(top) + below);
        }
    return sum;
}

/// The picture turned by hand, so much against the clock as the y axis points down.
PictureChange turn(double degrees, const PictureSize& size, double zoom = 1)
{
    const double angle = degrees * std::numbers::pi / 180, c = std::cos(angle) / zoom, s = std::sin(angle) / zoom;
    const double x = static_cast<double>(size.width - 1) / 2, y = static_cast<double>(size.height - 1) / 2;
    PictureChange change;
    change.fromX = {static_cast<float>(c), static_cast<float>(s), static_cast<float>(x - c * x - s * y)};
    change.fromY = {static_cast<float>(-s), static_cast<float>(c), static_cast<float>(y + s * x - c * y)};
    return change;
}

Augmentation everything()
{
    return {.shift = 3, .rotate = 20, .zoom = 0.3, .slant = 10, .leftRight = Flip::Random, .upsideDown = Flip::Alternating, .brightness = 0.4, .contrast = 0.3, .saturation = 0.5, .cutOut = 4};
}

} // namespace

class AugmentTest : public QObject
{
    Q_OBJECT

  private Q_SLOTS:
    void nothing();
    void drawnByKey();
    void drawnEachByItself();
    void drawnWithinBounds();
    void mirroredInTurns();
    void shifted_data();
    void shifted();
    void mirrored();
    void quarterTurn();
    void interpolated_data();
    void interpolated();
    void coloured3();
    void grey();
    void cutOut();
    void sizes_data();
    void sizes();
    void reusedMemory();
};

void AugmentTest::nothing()
{
    QVERIFY(!Augmentation{}.any());
    const auto in = pictureOf(coloured);
    QVERIFY(drawChange({}, coloured, 1, 2, 3) == PictureChange{});
    const auto out = changed({}, coloured, {}, in);
    QVERIFY(std::equal(out.begin(), out.end(), in.begin()));
    QVERIFY(!pictureSize(ValueType{DType::F32, {{Axis::Feature, 4}}}));
    QCOMPARE(pictureSize(imageType(3, 8, 6))->width, 6);
}

void AugmentTest::drawnByKey()
{
    const Augmentation how = everything();
    QVERIFY(drawChange(how, digit, 42, 3, 7) == drawChange(how, digit, 42, 3, 7));
    QVERIFY(!(drawChange(how, digit, 42, 3, 7) == drawChange(how, digit, 42, 4, 7)));
    QVERIFY(!(drawChange(how, digit, 42, 3, 7) == drawChange(how, digit, 42, 3, 8)));
    QVERIFY(!(drawChange(how, digit, 42, 3, 7) == drawChange(how, digit, 43, 3, 7)));
}

/// Switching something on or off leaves the rest as it was.
void AugmentTest::drawnEachByItself()
{
    const PictureChange all = drawChange(everything(), digit, 1, 2, 3);
    Augmentation how = everything();
    how.brightness = 0;
    how.cutOut = 0;
    const PictureChange some = drawChange(how, digit, 1, 2, 3);
    QCOMPARE(some.fromX, all.fromX);
    QCOMPARE(some.contrast, all.contrast);
    QCOMPARE(some.brightness, 1.0f);
    QCOMPARE(drawChange({.cutOut = 4}, digit, 1, 2, 3).left, all.left);
}

void AugmentTest::drawnWithinBounds()
{
    const Augmentation shift{.shift = 2}, rotate{.rotate = 30}, colour{.brightness = 0.25};
    std::set<std::pair<float, float>> shifts;
    double sum = 0, least = 99, most = -99;
    for (std::int64_t row = 0; row < 2000; ++row) {
        const PictureChange moved = drawChange(shift, digit, 5, 0, row);
        QCOMPARE(moved.fromX[0], 1.0f);
        QCOMPARE(moved.fromX[1], 0.0f);
        shifts.insert({moved.fromX[2], moved.fromY[2]});
        const PictureChange turned = drawChange(rotate, digit, 5, 0, row);
        const double degrees = std::atan2(static_cast<double>(turned.fromX[1]), static_cast<double>(turned.fromX[0])) * 180 / std::numbers::pi;
        least = std::min(least, degrees);
        most = std::max(most, degrees);
        QVERIFY(std::abs(static_cast<double>(turned.fromX[0] * turned.fromY[1] - turned.fromX[1] * turned.fromY[0]) - 1) < 1e-5); // no larger, no smaller
        // The middle stays where it is.
        QVERIFY(std::abs(turned.fromX[0] * 13.5f + turned.fromX[1] * 13.5f + turned.fromX[2] - 13.5f) < 1e-4f);
        sum += static_cast<double>(drawChange(colour, digit, 5, 0, row).brightness);
    }
    QCOMPARE(shifts.size(), std::size_t(25)); // −2…2 each way, and all of them
    for (const auto& [x, y] : shifts) QVERIFY(x == std::floor(x) && std::abs(x) <= 2 && std::abs(y) <= 2);
    QVERIFY(least >= -30 && least < -29 && most <= 30 && most > 29);
    QVERIFY(std::abs(sum / 2000 - 1) < 0.01);
}

void AugmentTest::mirroredInTurns()
{
    const Augmentation inTurns{.leftRight = Flip::Alternating}, random{.leftRight = Flip::Random};
    int first = 0, same = 0;
    for (std::int64_t row = 0; row < 1000; ++row) {
        const auto mirror = [&](const Augmentation& how, std::int64_t epoch) { return drawChange(how, digit, 9, epoch, row).fromX[0] < 0; };
        first += mirror(inTurns, 0);
        QVERIFY(mirror(inTurns, 0) != mirror(inTurns, 1));
        QCOMPARE(mirror(inTurns, 0), mirror(inTurns, 2));
        same += mirror(random, 0) == mirror(random, 1);
    }
    QVERIFY(first > 440 && first < 560);
    QVERIFY(same > 440 && same < 560);
}

void AugmentTest::shifted_data()
{
    QTest::addColumn<int>("outside");
    QTest::newRow("black") << int(Outside::Black);
    QTest::newRow("edge") << int(Outside::Edge);
    QTest::newRow("mirror") << int(Outside::Mirror);
}

/// Whole pixels stay what they are, to the bit.
void AugmentTest::shifted()
{
    QFETCH(int, outside);
    const Augmentation how{.shift = 4, .outside = Outside(outside)};
    const auto in = pictureOf(small);
    for (const int dx : {0, 1, -1, 4, -4, 8, 9, 30})
        for (const int dy : {0, 2, -3, 7}) {
            PictureChange change;
            change.fromX[2] = static_cast<float>(-dx);
            change.fromY[2] = static_cast<float>(-dy);
            const auto out = changed(how, small, change, in);
            for (std::int64_t y = 0; y < small.height; ++y)
                for (std::int64_t x = 0; x < small.width; ++x) {
                    const auto fold = [&](std::int64_t at, std::int64_t side) {
                        if (how.outside == Outside::Edge) return std::clamp<std::int64_t>(at, 0, side - 1);
                        if (how.outside == Outside::Mirror)
                            while (at < 0 || at >= side) at = at < 0 ? -1 - at : 2 * side - 1 - at;
                        return at;
                    };
                    QCOMPARE(static_cast<double>(out[static_cast<std::size_t>(y * small.width + x)]), pixel(in, small, 0, fold(x - dx, small.width), fold(y - dy, small.height)));
                }
        }
}

void AugmentTest::mirrored()
{
    const Augmentation how{.leftRight = Flip::Random, .upsideDown = Flip::Random};
    const auto in = pictureOf(coloured);
    int seen = 0;
    for (std::int64_t row = 0; row < 20; ++row) {
        const PictureChange change = drawChange(how, coloured, 1, 0, row);
        const bool across = change.fromX[0] < 0, over = change.fromY[1] < 0;
        seen |= 1 << (2 * across + over);
        const auto out = changed(how, coloured, change, in);
        for (std::int64_t c = 0; c < 3; ++c)
            for (std::int64_t y = 0; y < coloured.height; ++y)
                for (std::int64_t x = 0; x < coloured.width; ++x)
                    QCOMPARE(static_cast<double>(out[static_cast<std::size_t>((c * coloured.height + y) * coloured.width + x)]),
                             pixel(in, coloured, c, across ? coloured.width - 1 - x : x, over ? coloured.height - 1 - y : y));
    }
    QCOMPARE(seen, 15); // each of the four ways
}

void AugmentTest::quarterTurn()
{
    const PictureSize square{1, 9, 9};
    const auto in = pictureOf(square);
    const auto out = changed({.rotate = 90}, square, turn(90, square), in);
    for (std::int64_t y = 0; y < 9; ++y)
        for (std::int64_t x = 0; x < 9; ++x) QVERIFY(std::abs(static_cast<double>(out[static_cast<std::size_t>(y * 9 + x)]) - pixel(in, square, 0, y, 8 - x)) < 0.01);
}

void AugmentTest::interpolated_data()
{
    shifted_data();
}

void AugmentTest::interpolated()
{
    QFETCH(int, outside);
    Augmentation how = everything();
    how.brightness = how.contrast = how.saturation = 0;
    how.cutOut = 0;
    how.outside = Outside(outside);
    for (const PictureSize& size : {small, coloured, digit, PictureSize{1, 33, 65}}) {
        const auto in = pictureOf(size);
        std::vector<PictureChange> changes{turn(17, size), turn(-100, size, 0.1), turn(45, size, 5)};
        for (std::int64_t row = 0; row < 20; ++row) changes.push_back(drawChange(how, size, 4, 1, row));
        for (const PictureChange& change : changes) {
            const auto out = changed(how, size, change, in);
            for (std::int64_t c = 0; c < size.channels; ++c)
                for (std::int64_t y = 0; y < size.height; ++y)
                    for (std::int64_t x = 0; x < size.width; ++x) {
                        const auto from = [&](const std::array<float, 3>& row) { return static_cast<double>(row[0]) * static_cast<double>(x) + static_cast<double>(row[1]) * static_cast<double>(y) + static_cast<double>(row[2]); };
                        const double expected = sampled(in, size, how.outside, c, from(change.fromX), from(change.fromY));
                        const double got = static_cast<double>(out[static_cast<std::size_t>((c * size.height + y) * size.width + x)]);
                        QVERIFY2(std::abs(got - expected) < 0.05, qPrintable(QStringLiteral("%1 instead of %2 at %3, %4").arg(got).arg(expected).arg(x).arg(y))); // of 255: single precision of coordinates
                    }
        }
    }
}

/// Each by the formula that it is known by (ImageEnhance of Pillow, and torchvision): blended with black, with the mean of the grey picture,
/// with the grey picture.
void AugmentTest::coloured3()
{
    const auto in = pictureOf(coloured);
    const auto at = [&](std::size_t c, std::size_t i) { return static_cast<double>(in[c * 48 + i]); };
    const auto greyAt = [&](std::size_t i) { return 0.299 * at(0, i) + 0.587 * at(1, i) + 0.114 * at(2, i); };
    double mean = 0;
    for (std::size_t i = 0; i < 48; ++i) mean += greyAt(i) / 48;
    PictureChange brighter, flatter, paler;
    brighter.brightness = 1.5f;
    flatter.contrast = 0.6f;
    paler.saturation = 0.25f;
    const auto bright = changed({.brightness = 0.5}, coloured, brighter, in), flat = changed({.contrast = 0.5}, coloured, flatter, in), pale = changed({.saturation = 0.9}, coloured, paler, in);
    for (std::size_t c = 0; c < 3; ++c)
        for (std::size_t i = 0; i < 48; ++i) {
            QVERIFY(std::abs(static_cast<double>(bright[c * 48 + i]) - std::min(255.0, 1.5 * at(c, i))) < 1e-3);
            QVERIFY(std::abs(static_cast<double>(flat[c * 48 + i]) - (0.6 * at(c, i) + 0.4 * mean)) < 1e-3);
            QVERIFY(std::abs(static_cast<double>(pale[c * 48 + i]) - (0.25 * at(c, i) + 0.75 * greyAt(i))) < 1e-3);
        }
}

void AugmentTest::grey()
{
    const auto in = pictureOf(small);
    PictureChange change;
    change.brightness = 1.2f;
    change.contrast = 1.5f;
    change.saturation = 0;
    double mean = 0;
    for (const std::uint8_t byte : in) mean += 1.2 * byte / 63;
    const auto out = changed({.brightness = 1, .contrast = 1, .saturation = 1}, small, change, in);
    for (std::size_t i = 0; i < in.size(); ++i) QVERIFY(std::abs(static_cast<double>(out[i]) - std::clamp((1.2 * in[i] - mean) * 1.5 + mean, 0.0, 255.0)) < 1e-3);
}

void AugmentTest::cutOut()
{
    const Augmentation how{.cutOut = 3};
    const std::vector<std::uint8_t> white(static_cast<std::size_t>(small.pixels()), 255);
    std::set<std::int64_t> counts;
    std::vector<int> hit(white.size());
    for (std::int64_t row = 0; row < 500; ++row) {
        const auto out = changed(how, small, drawChange(how, small, 2, 0, row), white);
        counts.insert(std::count(out.begin(), out.end(), 0.0f));
        for (std::size_t i = 0; i < out.size(); ++i) hit[i] += out[i] == 0.0f;
    }
    QCOMPARE(counts, (std::set<std::int64_t>{4, 6, 9})); // whole, at an edge, in a corner
    QVERIFY(*std::min_element(hit.begin(), hit.end()) > 0);
}

void AugmentTest::sizes_data()
{
    QTest::addColumn<int>("height");
    QTest::addColumn<int>("width");
    for (const auto& [height, width] : {std::pair{1, 1}, {1, 40}, {40, 1}, {2, 3}, {17, 16}, {31, 33}}) QTest::addRow("%dx%d", height, width) << height << width;
}

/// Any size, moved far away and back: nothing but numbers from 0 to 255.
void AugmentTest::sizes()
{
    QFETCH(int, height);
    QFETCH(int, width);
    for (const Outside outside : {Outside::Black, Outside::Edge, Outside::Mirror}) {
        Augmentation how = everything();
        how.outside = outside;
        how.shift = 200;
        how.rotate = 180;
        how.zoom = 0.9;
        how.cutOut = 21;
        const PictureSize size{3, height, width};
        const auto in = pictureOf(size);
        for (std::int64_t row = 0; row < 50; ++row) {
            const auto out = changed(how, size, drawChange(how, size, 1, 0, row), in);
            QVERIFY(std::all_of(out.begin(), out.end(), [](float value) { return value >= 0 && value <= 255; }));
        }
    }
}

/// What one picture left behind is not seen in the next.
void AugmentTest::reusedMemory()
{
    const Augmentation how = everything();
    PictureChanger changer(how, digit);
    std::vector<float> out(784);
    for (std::int64_t row = 0; row < 10; ++row) {
        const auto in = pictureOf(digit, static_cast<std::uint64_t>(row));
        const PictureChange change = drawChange(how, digit, 1, 0, row);
        changer.apply(change, in.data(), out.data());
        QCOMPARE(out, changed(how, digit, change, in));
    }
}

QTEST_GUILESS_MAIN(AugmentTest)
#include "augment_test.moc"
