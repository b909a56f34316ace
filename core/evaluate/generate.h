// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
// A model of texts writes on: symbol by symbol, each drawn by the probabilities that the model gives after all before it. By the
// thread that has the model.

#include "core/engine/session.h"

#include <functional>
#include <span>
#include <string>
#include <string_view>

namespace sconce {

struct GenerateSettings
{
    static constexpr std::int64_t mostLength = 100'000;
    static constexpr double mostTemperature = 10;
    std::int64_t length = 300;  ///< symbols to write, 1…mostLength
    double temperature = 0.8;   ///< 0: always the likeliest; 1: as likely as the model says; more: bolder. Up to mostTemperature
    std::uint64_t seed = 42;    ///< the same seed, prompt and model write the same text
};

/// Called with what was written since the last call, whole characters; return false to stop.
using WrittenFn = std::function<bool(std::string_view piece)>;

/// What a model (of the task “language”, opened without training) writes behind the prompt; stopped, what it had written by then.
/// `symbols` are those that it was trained on, `context` the number that it sees at once: of a longer text its end. A prompt of
/// nothing begins behind the end of a line, as a text does. Characters that the bytes of a model do not finish are U+FFFD.
/// Invalid for settings out of range and for a prompt with a symbol that the model does not know.
Result<std::string> continueText(Session& model, std::span<const std::string> symbols, std::int64_t context, std::string_view prompt,
                                 const GenerateSettings& settings, const WrittenFn& written);

/// The place of the symbol that is drawn: by the probabilities, sharpened by the temperature, and a number in [0, 1). NotFinite if one
/// is no number.
Result<std::size_t> drawSymbol(std::span<const float> probabilities, double temperature, double uniform);

} // namespace sconce
