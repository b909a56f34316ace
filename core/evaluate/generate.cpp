// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/evaluate/generate.h"

#include "core/base/random.h"
#include "core/base/text.h"
#include "core/data/text_dataset.h"
#include "core/formats/utf8.h"

#include <algorithm>
#include <cmath>

namespace sconce {

namespace {

Result<void> check(const GenerateSettings& settings)
{
    const auto wrong = [](const std::string& sentence) { return Error{ErrorCode::Invalid, sentence, "", {}}; };
    if (settings.length < 1 || settings.length > GenerateSettings::mostLength) return wrong("The length must be between 1 and " + groupedInt(GenerateSettings::mostLength) + " symbols, not " + groupedInt(settings.length) + ".");
    if (!(settings.temperature >= 0 && settings.temperature <= GenerateSettings::mostTemperature)) return wrong("The temperature must be between 0 and " + realText(GenerateSettings::mostTemperature) + ", not " + realText(settings.temperature) + ".");
    return {};
}

/// Hands on whole characters and keeps what may still become one.
class Writer
{
  public:
    explicit Writer(const WrittenFn& written) : m_written(written) {}

    bool add(const std::string& bytes)
    {
        m_waiting += bytes;
        return hand(m_waiting.size() - unfinishedBytes(m_waiting));
    }
    std::string finish()
    {
        hand(m_waiting.size());
        return std::move(m_text);
    }

  private:
    bool hand(std::size_t bytes)
    {
        if (bytes == 0) return true;
        const std::string piece = withoutBrokenCharacters(std::string_view(m_waiting).substr(0, bytes));
        m_waiting.erase(0, bytes);
        m_text += piece;
        return !m_written || m_written(piece);
    }
    const WrittenFn& m_written;
    std::string m_waiting, m_text;
};

} // namespace

Result<std::size_t> drawSymbol(std::span<const float> probabilities, double temperature, double uniform)
{
    if (probabilities.empty() || std::any_of(probabilities.begin(), probabilities.end(), [](float p) { return !std::isfinite(p); }))
        return Error{ErrorCode::NotFinite, "The model's answer is no number, so nothing can be written.", "Take the weights of an earlier checkpoint.", {}};
    const auto best = std::max_element(probabilities.begin(), probabilities.end());
    const auto likeliest = static_cast<std::size_t>(best - probabilities.begin());
    if (temperature <= 0 || *best <= 0) return likeliest;
    // p^(1/t), beside the largest: for small temperatures the powers alone would all be 0.
    std::vector<double> weights;
    double sum = 0;
    for (const float p : probabilities) {
        weights.push_back(p > 0 ? std::exp(std::log(static_cast<double>(p) / static_cast<double>(*best)) / temperature) : 0.0);
        sum += weights.back();
    }
    double left = uniform * sum;
    for (std::size_t i = 0; i < weights.size(); ++i) {
        left -= weights[i];
        if (left < 0) return i;
    }
    return likeliest; // what rounding left over
}

Result<std::string> continueText(Session& model, std::span<const std::string> symbols, std::int64_t context, std::string_view prompt,
                                 const GenerateSettings& settings, const WrittenFn& written)
{
    SCONCE_TRY(check(settings));
    if (symbols.empty() || context < 1) return Error{ErrorCode::Invalid, "This model does not continue texts.", "Choose a run of the task “Next symbol”.", {}};
    auto text = encodeText(symbols, prompt);
    if (!text) return text.error();
    if (text->empty()) {
        const auto line = std::find(symbols.begin(), symbols.end(), "\n");
        text->push_back(static_cast<std::uint8_t>(line == symbols.end() ? 0 : line - symbols.begin()));
    }
    const Philox random(settings.seed, Purpose::Generate);
    const auto most = static_cast<std::size_t>(context);
    std::vector<std::uint8_t> window(most);
    Writer writer(written);
    for (std::int64_t i = 0; i < settings.length; ++i) {
        // A short text stands at the window's beginning: what lies behind it is not seen from its last place.
        const std::size_t seen = std::min(most, text->size());
        std::fill(window.begin(), window.end(), std::uint8_t{0});
        std::copy(text->end() - static_cast<std::ptrdiff_t>(seen), text->end(), window.begin());
        auto answers = model.predictRecords(window, 1);
        if (!answers) return answers.error();
        const std::size_t outputs = answers->size() / most; // a network may have more than there are symbols
        const auto said = std::span<const float>(*answers).subspan((seen - 1) * outputs, std::min(outputs, symbols.size()));
        auto next = drawSymbol(said, settings.temperature, random.uniform(static_cast<std::uint64_t>(i)));
        if (!next) return next.error();
        text->push_back(static_cast<std::uint8_t>(*next));
        if (!writer.add(symbolBytes(symbols[*next]))) break;
    }
    return writer.finish();
}

} // namespace sconce
