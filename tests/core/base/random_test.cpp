// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/base/random.h"

#include "core/base/hash.h"
#include "core/base/ids.h"

#include <QTest>

#include <cmath>
#include <set>
#include <vector>

using namespace sconce;
using Words = std::array<std::uint32_t, 4>;

class RandomTest : public QObject
{
    Q_OBJECT

  private Q_SLOTS:
    void knownAnswers() // Random123, kat_vectors
    {
        QCOMPARE(philox({0, 0, 0, 0}, {0, 0}), (Words{0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8}));
        QCOMPARE(philox({~0u, ~0u, ~0u, ~0u}, {~0u, ~0u}), (Words{0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd}));
        QCOMPARE(philox({0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344}, {0xa4093822, 0x299f31d0}), (Words{0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1}));
    }
    void fillsAgreeWithSingleNumbers() // at every start and length, so that vector edges are covered
    {
        const Philox random(7, Purpose::Test, 3, 9);
        for (const std::uint64_t first : {0ull, 1ull, 2ull, 3ull, 5ull, 1021ull, (1ull << 34) - 3, ~0ull / 8}) {
            for (const std::size_t count : {0u, 1u, 2u, 3u, 4u, 127u, 128u, 129u, 1023u, 1024u, 1030u, 3000u}) {
                std::vector<float> uniform(count, -1), normal(count, -99);
                std::vector<std::uint8_t> mask(count + 2, 7);
                random.fillUniform(-2, 3, uniform, first);
                random.fillNormal(1, 2, normal, first);
                random.keepMask(0.3, first, std::span(mask).subspan(1, count));
                QCOMPARE(mask.front(), std::uint8_t(7));
                QCOMPARE(mask.back(), std::uint8_t(7));
                for (std::size_t i = 0; i < count; ++i) {
                    const double u = random.uniform(first + i);
                    QCOMPARE(uniform[i], static_cast<float>(-2 + 5 * u));
                    QCOMPARE(mask[i + 1], static_cast<std::uint8_t>(u >= 0.3));
                    QCOMPARE(normal[i], static_cast<float>(1 + 2 * random.normal(first + i)));
                }
            }
        }
    }
    void stable() // stored runs rely on these: a change of any bit breaks resume across versions
    {
        const Philox random(1, Purpose::Dropout, textKey("l1"), 5);
        std::vector<float> values(64);
        random.fillNormal(0, 1, values);
        Sha256 hash;
        hash.add(std::as_bytes(std::span(values)));
        random.fillUniform(0, 1, values);
        hash.add(std::as_bytes(std::span(values)));
        QCOMPARE(hash.hex(), std::string("8c582e06ca4b7ed4408e76381cbba030c1d06772c143067b66a964542f0e89df"));
        QCOMPARE(textKey("a"), std::uint64_t(0xaf63dc4c8601ec8c)); // FNV-1a's published value
    }
    void keysSeparateStreams()
    {
        std::set<std::uint32_t> seen;
        for (std::uint64_t seed = 0; seed < 4; ++seed) {
            for (std::uint64_t a = 0; a < 4; ++a) {
                for (std::uint64_t b = 0; b < 4; ++b) seen.insert(Philox(seed, Purpose::Test, a, b).bits(0)), seen.insert(Philox(seed, Purpose::Init, a, b).bits(0));
            }
        }
        QCOMPARE(seen.size(), std::size_t(128));
        QVERIFY(Philox(1ull << 40, Purpose::Test).bits(0) != Philox(0, Purpose::Test).bits(0));
    }
    void distributions()
    {
        const Philox random(11, Purpose::Test);
        std::vector<float> values(200'000);
        random.fillNormal(0, 1, values);
        double sum = 0, squares = 0, fourth = 0;
        for (const float v : values) sum += v, squares += double(v) * v, fourth += std::pow(v, 4);
        const double n = static_cast<double>(values.size());
        QVERIFY(std::abs(sum / n) < 0.01);
        QVERIFY(std::abs(squares / n - 1) < 0.02);
        QVERIFY(std::abs(fourth / n - 3) < 0.1);
        std::array<int, 7> counts{};
        for (std::uint64_t i = 0; i < 70'000; ++i) ++counts[random.below(i, 7)];
        for (const int count : counts) QVERIFY(std::abs(count - 10'000) < 500);
        QCOMPARE(random.below(3, 1), std::uint64_t(0));
        std::vector<std::uint8_t> mask(100'000);
        random.keepMask(0.25, 0, mask);
        QVERIFY(std::abs(static_cast<double>(std::count(mask.begin(), mask.end(), 1)) - 75'000) < 800);
        random.keepMask(0, 0, mask);
        QCOMPARE(std::count(mask.begin(), mask.end(), 1), std::ptrdiff_t(100'000));
        random.keepMask(1, 0, mask);
        QCOMPARE(std::count(mask.begin(), mask.end(), 0), std::ptrdiff_t(100'000));
    }
    void normalMatchesTheFormula()
    {
        const Philox random(5, Purpose::Test);
        for (std::uint64_t i = 0; i < 2000; i += 2) {
            const double u1 = (random.bits(i) + 1.0) * 0x1p-32, turn = random.uniform(i + 1) * 2 * M_PI;
            QVERIFY(std::abs(random.normal(i) - std::sqrt(-2 * std::log(u1)) * std::cos(turn)) < 1e-9);
            QVERIFY(std::abs(random.normal(i + 1) - std::sqrt(-2 * std::log(u1)) * std::sin(turn)) < 1e-9);
        }
    }
    void ids()
    {
        std::set<RunId> seen;
        RunId last;
        for (int i = 0; i < 500; ++i) {
            const RunId id = newRunId();
            QCOMPARE(id.size(), std::size_t(14));
            QVERIFY(id > last); // sortable by time
            seen.insert(last = id);
        }
        QCOMPARE(seen.size(), std::size_t(500));
        QCOMPARE(randomToken(9).size(), std::size_t(9));
    }
    void sha256Vectors() // FIPS 180-2, appendix B
    {
        QCOMPARE(sha256(""), std::string("e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"));
        QCOMPARE(sha256("abc"), std::string("ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"));
        QCOMPARE(sha256(std::string(1'000'000, 'a')), std::string("cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0"));
        const std::string text(1000, 'x');
        for (std::size_t cut = 0; cut < 300; ++cut) { // in pieces as in one
            Sha256 hash;
            hash.add(std::string_view(text).substr(0, cut));
            hash.add(std::string_view(text).substr(cut));
            QCOMPARE(hash.hex(), sha256(text));
        }
    }
};

QTEST_GUILESS_MAIN(RandomTest)
#include "random_test.moc"
