// SPDX-License-Identifier: GPL-3.0-or-later
// Writing on, with a model whose every answer is known: what it is shown, what is drawn, what is handed on while it writes.
#include "core/evaluate/generate.h"

#include "core/base/random.h"
#include "core/formats/utf8.h"

#include <QtTest>

#include <cmath>

using namespace sconce;

namespace {

constexpr std::int64_t window = 5;

/// After symbol i comes i + 1, with probability `sure`, else any; answers at places that hold nothing yet are wrong on purpose.
class Counting final : public Session
{
  public:
    explicit Counting(std::size_t symbols, float sure = 1, std::size_t spare = 0) : m_symbols(symbols), m_spare(spare), m_sure(sure) {}
    std::vector<std::vector<std::uint8_t>> shown;
    float answer = -1; ///< in place of all others

    Result<std::vector<float>> predictRecords(std::span<const std::uint8_t> records, std::int64_t count) override
    {
        if (count != 1 || records.size() != static_cast<std::size_t>(window)) return Error{ErrorCode::Internal, "wrong size", "", ""};
        shown.emplace_back(records.begin(), records.end());
        std::vector<float> all;
        for (const std::uint8_t symbol : records)
            for (std::size_t i = 0; i < m_symbols + m_spare; ++i) {
                const bool next = i == (symbol + 1u) % m_symbols;
                all.push_back(answer != -1 ? answer : i >= m_symbols ? 9 : next ? m_sure : (1 - m_sure) / static_cast<float>(m_symbols - 1));
            }
        return all;
    }
    Result<void> useData(DatasetPtr) override { return {}; }
    Result<void> forward(std::int64_t, std::span<const std::int64_t>) override { return {}; }
    Result<void> backward() override { return {}; }
    Result<void> commit(double) override { return {}; }
    Result<StepProfile> profileStep(std::int64_t, std::span<const std::int64_t>, double) override { return StepProfile(); }
    Result<std::vector<TensorNumbers>> numbers(std::int64_t, std::span<const std::int64_t>) override { return std::vector<TensorNumbers>(); }
    Result<std::vector<StepMetrics>> takeMetrics() override { return std::vector<StepMetrics>(); }
    Result<EvaluationTotals> evaluate(Part, std::span<const std::int64_t>, std::int64_t, const Progress&) override { return EvaluationTotals(); }
    Result<std::vector<float>> predict(Part, std::span<const std::int64_t>, std::int64_t, const Progress&) override { return std::vector<float>(); }
    Result<std::vector<float>> run(std::span<const float>, std::int64_t, bool) override { return std::vector<float>(); }
    void setMicroBatch(std::int64_t) override {}
    Result<std::vector<HostTensor>> weights() const override { return std::vector<HostTensor>(); }
    Result<std::vector<HostTensor>> optimiserState() const override { return std::vector<HostTensor>(); }
    Result<void> setWeights(std::span<const TensorView>) override { return {}; }
    Result<void> setOptimiserState(std::span<const TensorView>) override { return {}; }
    Json choices() const override { return {}; }
    DeviceMemory deviceMemory() const override { return {}; }

  private:
    std::size_t m_symbols, m_spare;
    float m_sure;
};

const std::vector<std::string> letters{"\n", "a", "b", "c", "d", "e", "f", "g"};

GenerateSettings settingsOf(std::int64_t length, double temperature, std::uint64_t seed = 1)
{
    GenerateSettings settings;
    settings.length = length;
    settings.temperature = temperature;
    settings.seed = seed;
    return settings;
}

} // namespace

class GenerateTest : public QObject
{
    Q_OBJECT
  private Q_SLOTS:
    void countsOn()
    {
        Counting model(letters.size());
        QCOMPARE(*continueText(model, letters, window, "ab", settingsOf(8, 0), {}), std::string("cdefg\nab"));
        // A short text stands at the beginning; a longer one is seen by its end.
        QCOMPARE(model.shown.front(), (std::vector<std::uint8_t>{1, 2, 0, 0, 0}));
        QCOMPARE(model.shown[3], (std::vector<std::uint8_t>{1, 2, 3, 4, 5}));
        QCOMPARE(model.shown[4], (std::vector<std::uint8_t>{2, 3, 4, 5, 6}));
        // Without a prompt it begins behind the end of a line.
        QCOMPARE(*continueText(model, letters, window, "", settingsOf(3, 1), {}), std::string("abc"));
        const std::vector<std::string> noLines{"x", "y"};
        Counting two(2);
        QCOMPARE(*continueText(two, noLines, window, "", settingsOf(3, 1), {}), std::string("yxy"));
        // Outputs beyond the symbols are never drawn.
        Counting spare(letters.size(), 1, 3);
        QCOMPARE(*continueText(spare, letters, window, "a", settingsOf(3, 1), {}), std::string("bcd"));
    }

    void theSameSeedTheSameText()
    {
        Counting model(letters.size(), 0.5f);
        const auto write = [&](double temperature, std::uint64_t seed) { return *continueText(model, letters, window, "a", settingsOf(60, temperature, seed), {}); };
        QCOMPARE(write(1, 7), write(1, 7));
        QVERIFY(write(1, 7) != write(1, 8));
        QVERIFY(write(1, 7) != write(2, 7));
        QCOMPARE(write(0, 7), write(0, 8)); // nothing is drawn
        QCOMPARE(write(0.02, 7), write(0, 7)); // 7 to 1 at a fiftieth of the temperature: certain
    }

    /// Shares of many draws against p^(1/t).
    void drawnByTheirShares_data()
    {
        QTest::addColumn<double>("temperature");
        for (const double t : {0.5, 1.0, 2.0}) QTest::newRow(qPrintable(QString::number(t))) << t;
    }
    void drawnByTheirShares()
    {
        QFETCH(double, temperature);
        const std::vector<float> p{0.5f, 0.3f, 0.2f, 0.0f};
        const Philox random(3, Purpose::Test);
        constexpr int draws = 40000;
        std::vector<int> counts(p.size());
        for (std::uint64_t i = 0; i < draws; ++i) ++counts[*drawSymbol(p, temperature, random.uniform(i))];
        double sum = 0;
        for (const float each : p) sum += std::pow(static_cast<double>(each), 1 / temperature);
        for (std::size_t i = 0; i < p.size(); ++i) {
            const double share = std::pow(static_cast<double>(p[i]), 1 / temperature) / sum;
            // Five deviations of a binomial.
            QVERIFY(std::abs(counts[i] / static_cast<double>(draws) - share) <= 5 * std::sqrt(share * (1 - share) / draws));
        }
    }

    void edgesOfDrawing()
    {
        const std::vector<float> p{0.25f, 0.5f, 0.25f};
        QCOMPARE(*drawSymbol(p, 1, 0.0), std::size_t{0});
        QCOMPARE(*drawSymbol(p, 1, 0.9999999), std::size_t{2});
        QCOMPARE(*drawSymbol(p, 1, 1.0), std::size_t{1}); // rounding: the likeliest, and never beyond the end
        QCOMPARE(*drawSymbol(p, 0, 0.0), std::size_t{1});
        const std::vector<float> tiny{1e-38f, 1e-38f};
        QCOMPARE(*drawSymbol(tiny, 0.01, 0.75), std::size_t{1}); // their powers alone would both be 0
        QCOMPARE(drawSymbol(std::vector<float>{0.5f, NAN}, 1, 0.5).error().code, ErrorCode::NotFinite);
        QVERIFY(!drawSymbol({}, 1, 0.5).ok());
    }

    void handsOnWholeCharacters()
    {
        // A model of bytes that goes through those of “ä” and “€” in turn: C3 A4 E2 82 AC.
        const std::vector<std::string> bytes{"<A4>", "<E2>", "<82>", "<AC>", "<C3>"};
        Counting model(bytes.size());
        std::vector<std::string> pieces;
        const auto text = continueText(model, bytes, window, "€", settingsOf(9, 0), [&](std::string_view piece) {
            pieces.emplace_back(piece);
            return true;
        });
        QVERIFY2(text.ok(), text.ok() ? "" : text.error().message.c_str());
        QCOMPARE(pieces, (std::vector<std::string>{"ä", "€", "ä", "\xEF\xBF\xBD\xEF\xBF\xBD"})); // the last is never finished
        QCOMPARE(*text, std::string("ä€ä\xEF\xBF\xBD\xEF\xBF\xBD"));
        QCOMPARE(firstNoCharacter(*text), std::string::npos);
    }

    void canBeStopped()
    {
        Counting model(letters.size());
        std::string heard;
        const auto text = continueText(model, letters, window, "a", settingsOf(1000, 1), [&](std::string_view piece) {
            heard += piece;
            return heard.size() < 3;
        });
        QCOMPARE(*text, std::string("bcd"));
        QCOMPARE(heard, *text);
        QCOMPARE(model.shown.size(), std::size_t{3});
    }

    void refused()
    {
        Counting model(letters.size());
        const auto error = [&](std::string_view prompt, const GenerateSettings& settings) {
            const auto text = continueText(model, letters, window, prompt, settings, {});
            return text.ok() ? std::string() : text.error().message;
        };
        QVERIFY(error("a", settingsOf(0, 1)).find("length") != std::string::npos);
        QVERIFY(error("a", settingsOf(GenerateSettings::mostLength + 1, 1)).find("100,000") != std::string::npos);
        QVERIFY(error("a", settingsOf(5, -0.1)).find("temperature") != std::string::npos);
        QVERIFY(error("a", settingsOf(5, NAN)).find("temperature") != std::string::npos);
        QVERIFY(error("az", settingsOf(5, 1)).find("“z”") != std::string::npos);
        QVERIFY(model.shown.empty()); // nothing was asked in vain
        QVERIFY(!continueText(model, {}, window, "a", settingsOf(5, 1), {}).ok());
        model.answer = NAN;
        QVERIFY(error("a", settingsOf(5, 1)).find("no number") != std::string::npos);
    }
};

QTEST_GUILESS_MAIN(GenerateTest)
#include "generate_test.moc"
