// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
// Texts as data sets: a sequence of symbols, of which the network learns to say the next. Symbols are the text's characters where
// there are at most 256 of them, else its bytes; a text is cut into windows of as many symbols as the network sees at once. Each
// window begins with the last symbol of the one before, so that every symbol but the first is predicted once (those of a last
// window that is not full are left out).

#include "core/data/dataset.h"

#include <string_view>

namespace sconce {

inline constexpr int defaultContext = 64, mostContext = 4096; ///< symbols that the network sees at once

/// What a symbol (DatasetInfo::symbols) stands for: itself, or the byte that "<E4>" names.
std::string symbolBytes(const std::string& symbol);
/// As a person reads it: "⏎" for the end of a line, "␣" for a blank.
std::string symbolTitle(const std::string& symbol);

/// What the import options ask for.
int contextOf(const ImportOptions& options);
/// Of a run's choices (TrainerState::choices, "symbols"): what its model was trained on. Corrupt where it cannot be read.
Result<std::vector<std::string>> symbolsIn(const Json& choices);
/// What a model of texts must know of its data, without the text.
DatasetInfo textInfo(std::vector<std::string> symbols, const ImportOptions& options);

/// Indices of a text's symbols. Invalid, and named, if one is not among them.
Result<std::vector<std::uint8_t>> encodeText(std::span<const std::string> symbols, std::string_view text);
/// The text of such indices: where symbols are bytes it may be no valid UTF-8 (core/formats/utf8.h helps).
std::string decodeText(std::span<const std::string> symbols, std::span<const std::uint8_t> indices);

/// The same text in the numbering of other symbols, those that a model was trained on. Invalid if one is not among them, or if
/// the data set is no text.
Result<DatasetPtr> withSymbols(const DatasetPtr& text, std::span<const std::string> symbols);

/// How often each symbol is to be predicted in these rows of the training part.
std::vector<std::int64_t> symbolCounts(const Dataset& text, std::span<const std::int64_t> rows);

} // namespace sconce
