// SPDX-License-Identifier: GPL-3.0-or-later
// Bytes to floats, as every step reads them: each byte, every length around a vector's, both layouts, to the bit.
#include "core/engine/backend/feed.h"

#include <QTest>

#include <bit>

using namespace sconce::engine;

class ConvertTest : public QObject
{
    Q_OBJECT

    static bool same(float a, float b) { return std::bit_cast<std::uint32_t>(a) == std::bit_cast<std::uint32_t>(b); }
    /// Rounded twice, as without a fused multiply-add.
    static float expected(std::uint8_t byte, float factor, float offset)
    {
        volatile float scaled = static_cast<float>(byte) * factor;
        return scaled + offset;
    }

  private Q_SLOTS:
    void everyByteAndLength_data()
    {
        QTest::addColumn<float>("factor");
        QTest::addColumn<float>("offset");
        QTest::newRow("scaled") << 1.0f / 255 << 0.0f;
        QTest::newRow("normalised") << 1.0f / (255 * 0.3081f) << -0.1307f / 0.3081f;
        QTest::newRow("as they are") << 1.0f << 0.0f;
    }
    void everyByteAndLength()
    {
        QFETCH(float, factor);
        QFETCH(float, offset);
        for (std::int64_t length = 0; length <= 67; ++length)
            for (int first = 0; first < 256; first += 61) {
                std::vector<std::uint8_t> in(static_cast<std::size_t>(length) + 1);
                for (std::size_t i = 0; i < in.size(); ++i) in[i] = static_cast<std::uint8_t>(first + 37 * static_cast<int>(i));
                std::vector<float> out(in.size(), -7.0f);
                convertRecord(in.data(), out.data(), 1, length, true, factor, offset);
                for (std::size_t i = 0; i + 1 < in.size(); ++i) QVERIFY2(same(out[i], expected(in[i], factor, offset)), qPrintable(QStringLiteral("%1 at %2 of %3").arg(in[i]).arg(i).arg(length)));
                QCOMPARE(out.back(), -7.0f); // and nothing behind it
            }
    }

    void channelsAreInterleaved()
    {
        constexpr std::int64_t channels = 3, pixels = 35;
        std::vector<std::uint8_t> in(channels * pixels);
        for (std::size_t i = 0; i < in.size(); ++i) in[i] = static_cast<std::uint8_t>(i * 2);
        std::vector<float> last(in.size()), first(in.size());
        convertRecord(in.data(), last.data(), channels, pixels, true, 0.25f, 1.0f);
        convertRecord(in.data(), first.data(), channels, pixels, false, 0.25f, 1.0f);
        for (std::int64_t c = 0; c < channels; ++c)
            for (std::int64_t p = 0; p < pixels; ++p) {
                const auto from = static_cast<std::size_t>(c * pixels + p);
                QVERIFY(same(first[from], expected(in[from], 0.25f, 1.0f)));
                QVERIFY(same(last[static_cast<std::size_t>(p * channels + c)], first[from]));
            }
    }
};

QTEST_GUILESS_MAIN(ConvertTest)
#include "convert_test.moc"
