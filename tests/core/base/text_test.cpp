// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/base/clock.h"
#include "core/base/dtype.h"
#include "core/base/result.h"
#include "core/base/text.h"

#include <QTest>

#include <cmath>
#include <limits>

using namespace sconce;
using S = std::string;

class TextTest : public QObject
{
    Q_OBJECT

  private Q_SLOTS:
    void numbers()
    {
        QCOMPARE(groupedInt(0), S("0"));
        QCOMPARE(groupedInt(999), S("999"));
        QCOMPARE(groupedInt(54'000), S("54,000"));
        QCOMPARE(groupedInt(-1'234'567), S("-1,234,567"));
        QCOMPARE(groupedInt(-123), S("-123"));
        QCOMPARE(groupedInt(INT64_MIN), S("-9,223,372,036,854,775,808"));
        QCOMPARE(shortCount(34'826), S("34,826"));
        QCOMPARE(shortCount(11'173'962), S("11.17 M"));
        QCOMPARE(shortCount(1'200'000'000), S("1.2 G"));
        QCOMPARE(bytesText(0), S("0 B"));
        QCOMPARE(bytesText(139'304), S("136 KiB"));
        QCOMPARE(bytesText(std::uint64_t{41} << 20), S("41 MiB"));
        QCOMPARE(bytesText((std::uint64_t{3} << 30) / 2), S("1.5 GiB"));
        QCOMPARE(bytesText((1 << 20) - 1), S("1 MiB"));
        QCOMPARE(percentText(0.9915), S("99.15 %"));
        QCOMPARE(percentText(0.5, 0), S("50 %"));
        QCOMPARE(realText(0.0243), S("0.0243"));
        QCOMPARE(realText(0.001), S("0.001"));
        QCOMPARE(realText(1e-5), S("1e-5"));
        QCOMPARE(realText(12345.6), S("12346"));
        QCOMPARE(realText(std::nan("")), S("NaN"));
        QCOMPARE(realText(-2), S("-2"));
        QCOMPARE(flopText(13.4e6), S("13.4 MFLOP"));
        QCOMPARE(shapeText(std::vector<std::int64_t>{1, 28, 28}), S("1×28×28"));
        QCOMPARE(plural(1, "layer", "layers"), S("1 layer"));
        QCOMPARE(plural(7000, "layer", "layers"), S("7,000 layers"));
    }
    void durations()
    {
        QCOMPARE(durationText(0.9), S("0.9 s"));
        QCOMPARE(durationText(42), S("42 s"));
        QCOMPARE(durationText(59.6), S("1m 0s"));
        QCOMPARE(durationText(210), S("3m 30s"));
        QCOMPARE(durationText(4320), S("1h 12m"));
        QCOMPARE(durationText(90'000), S("1d 1h"));
        QCOMPARE(durationText(-1), S("–"));
        QCOMPARE(durationText(std::numeric_limits<double>::infinity()), S("–"));
    }
    void parsing()
    {
        std::int64_t whole = 5;
        QVERIFY(parseInt("-12", whole) && whole == -12);
        QVERIFY(parseInt("+12", whole) && whole == 12);
        for (const char* bad : {"", "1.5", "1 ", " 1", "x", "9223372036854775808", "+-1", "0x10"}) QVERIFY2(!parseInt(bad, whole), bad);
        QCOMPARE(whole, std::int64_t(12)); // left alone
        double real = 0;
        QVERIFY(parseReal("1e-3", real) && real == 0.001);
        for (const char* bad : {"", "1,5", "nan", "inf", "1e999", "1x"}) QVERIFY2(!parseReal(bad, real), bad);
        QCOMPARE(nearest("filtrs", {"units", "filters", "bias"}), S("filters"));
        QCOMPARE(nearest("trian", {"runs", "train"}), S("train"));
        QCOMPARE(nearest("lsit", {"show", "list"}), S("list"));
        QCOMPARE(nearest("zzzz", {"units", "filters"}), S(""));
    }
    void others()
    {
        QCOMPARE(isoTime(0), S("1970-01-01T00:00:00Z"));
        QCOMPARE(isoTime(1'795'243'544'999), S("2026-11-21T06:45:44Z"));
        QCOMPARE(isoTime(-1), S("1969-12-31T23:59:59Z"));
        for (int i = 0; i <= static_cast<int>(ErrorCode::Internal); ++i) {
            QVERIFY(errorCodeFromName(errorCodeName(static_cast<ErrorCode>(i))) == static_cast<ErrorCode>(i));
        }
        for (int i = 0; i <= static_cast<int>(DType::F64); ++i) QVERIFY(dtypeFromName(name(static_cast<DType>(i))) == static_cast<DType>(i));
        QVERIFY(!dtypeFromName("F8"));
        QVERIFY(Clock::system().wallMs() > 1'700'000'000'000);
    }
};

QTEST_GUILESS_MAIN(TextTest)
#include "text_test.moc"
