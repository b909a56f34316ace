// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
// How numbers are written for people, in window and terminal alike (look/NOTES: Words). Independent of the locale.

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace sconce {

std::string groupedInt(std::int64_t value);             ///< 54,000
std::string shortCount(std::int64_t value);             ///< exact below a million, then 11.17 M, 1.2 G
std::string bytesText(std::uint64_t bytes);             ///< 136 KiB, 41 MiB, 1.5 GiB
std::string durationText(double seconds);               ///< 0.9 s, 42 s, 3m 30s, 1h 12m
std::string percentText(double share, int decimals = 2); ///< 0.9915 → "99.15 %"
std::string realText(double value, int significant = 4); ///< 0.0243; NaN → "NaN"; shortest that shows it
std::string flopText(double flop);                      ///< 13.4 MFLOP
std::string shapeText(std::span<const std::int64_t> dims); ///< 1×28×28
std::string plural(std::int64_t count, std::string_view one, std::string_view many); ///< "1 layer", "7 layers"

/// Locale-free parsing of the whole text; false if it is not a number or out of range.
bool parseInt(std::string_view text, std::int64_t& value);
bool parseReal(std::string_view text, double& value);
/// The candidate nearest to `word` by edit distance (at most a third of its length away), or "".
std::string nearest(std::string_view word, const std::vector<std::string>& candidates);

} // namespace sconce
