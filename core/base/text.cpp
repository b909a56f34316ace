// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/base/text.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <utility>

namespace sconce {
namespace {

std::string fixedText(double value, int decimals)
{
    std::array<char, 400> buffer{};
    const auto end = std::to_chars(buffer.data(), buffer.data() + buffer.size(), value, std::chars_format::fixed, decimals);
    return {buffer.data(), end.ptr};
}

/// Drops the zeros behind the point, and the point.
std::string trimmed(std::string text)
{
    if (text.find('.') == std::string::npos) return text;
    while (text.back() == '0') text.pop_back();
    if (text.back() == '.') text.pop_back();
    return text;
}

/// "1.5 G": one decimal below ten, none above; the next unit where rounding would give a fourth digit.
std::string scaledText(double value, double step, std::span<const char* const> units)
{
    std::size_t unit = 0;
    while (unit + 1 < units.size() && value >= step - 0.5) value /= step, ++unit;
    const int decimals = unit > 0 && value < 9.95 ? 1 : 0;
    return trimmed(fixedText(value, decimals)) + units[unit];
}

} // namespace

std::string groupedInt(std::int64_t value)
{
    const std::string plain = std::to_string(value);
    const std::size_t sign = plain.front() == '-' ? 1 : 0;
    std::string grouped;
    for (std::size_t i = 0; i < plain.size(); ++i) {
        if (i > sign && (plain.size() - i) % 3 == 0) grouped += ',';
        grouped += plain[i];
    }
    return grouped;
}

std::string shortCount(std::int64_t value)
{
    const double size = std::abs(static_cast<double>(value));
    if (size < 1e6) return groupedInt(value);
    if (size < 999.995e6) return fixedText(static_cast<double>(value) / 1e6, size < 99.995e6 ? 2 : 1) + " M";
    if (size < 999.95e9) return fixedText(static_cast<double>(value) / 1e9, 1) + " G";
    return fixedText(static_cast<double>(value) / 1e12, 1) + " T";
}

std::string bytesText(std::uint64_t bytes)
{
    static constexpr const char* units[] = {" B", " KiB", " MiB", " GiB", " TiB", " PiB", " EiB"};
    return scaledText(static_cast<double>(bytes), 1024, units);
}

std::string durationText(double seconds)
{
    if (!std::isfinite(seconds) || seconds < 0 || seconds > 1e12) return "–";
    if (seconds < 9.95) return trimmed(fixedText(seconds, 1)) + " s";
    const auto whole = static_cast<std::int64_t>(std::llround(seconds));
    if (whole < 60) return std::to_string(whole) + " s";
    if (whole < 3600) return std::to_string(whole / 60) + "m " + std::to_string(whole % 60) + "s";
    if (whole < 86400) return std::to_string(whole / 3600) + "h " + std::to_string(whole % 3600 / 60) + "m";
    return groupedInt(whole / 86400) + "d " + std::to_string(whole % 86400 / 3600) + "h";
}

std::string percentText(double share, int decimals)
{
    if (!std::isfinite(share)) return "–";
    return fixedText(share * 100, decimals) + " %";
}

std::string realText(double value, int significant)
{
    if (std::isnan(value)) return "NaN";
    if (std::isinf(value)) return value > 0 ? "∞" : "-∞";
    if (value == 0) return "0";
    significant = std::clamp(significant, 1, 17);
    const double size = std::abs(value);
    if (size >= std::pow(10, significant) - 0.5 && size < 1e15) return fixedText(value, 0);
    std::array<char, 64> buffer{};
    const auto end =
        std::to_chars(buffer.data(), buffer.data() + buffer.size(), value, std::chars_format::general, significant);
    std::string text(buffer.data(), end.ptr);
    const auto e = text.find('e');
    if (e == std::string::npos) return text;
    std::string exponent = text.substr(e + 1); // "-05" → "-5", "+15" → "15"
    const bool negative = exponent.front() == '-';
    exponent.erase(0, 1);
    while (exponent.size() > 1 && exponent.front() == '0') exponent.erase(0, 1);
    return text.substr(0, e) + (negative ? "e-" : "e") + exponent;
}

std::string flopText(double flop)
{
    static constexpr const char* units[] = {" FLOP", " kFLOP", " MFLOP", " GFLOP", " TFLOP", " PFLOP", " EFLOP"};
    if (!std::isfinite(flop) || flop < 0) return "–";
    std::size_t unit = 0;
    while (unit + 1 < std::size(units) && flop >= 999.5) flop /= 1000, ++unit;
    return trimmed(fixedText(flop, unit == 0 || flop >= 99.95 ? 0 : 1)) + units[unit];
}

std::string shapeText(std::span<const std::int64_t> dims)
{
    std::string text;
    for (const std::int64_t dim : dims) text += (text.empty() ? "" : "×") + std::to_string(dim);
    return text.empty() ? "1" : text;
}

std::string plural(std::int64_t count, std::string_view one, std::string_view many)
{
    return groupedInt(count) + " " + std::string(count == 1 ? one : many);
}

bool parseInt(std::string_view text, std::int64_t& value)
{
    if (text.starts_with('+')) {
        text.remove_prefix(1);
        if (text.starts_with('-')) return false;
    }
    std::int64_t parsed = 0;
    const auto [end, failure] = std::from_chars(text.data(), text.data() + text.size(), parsed);
    if (failure != std::errc{} || end != text.data() + text.size()) return false;
    value = parsed;
    return true;
}

bool parseReal(std::string_view text, double& value)
{
    if (text.starts_with('+')) {
        text.remove_prefix(1);
        if (text.starts_with('-')) return false;
    }
    double parsed = 0;
    const auto [end, failure] = std::from_chars(text.data(), text.data() + text.size(), parsed);
    if (failure != std::errc{} || end != text.data() + text.size() || !std::isfinite(parsed)) return false;
    value = parsed;
    return true;
}

std::string nearest(std::string_view word, const std::vector<std::string>& candidates)
{
    word = word.substr(0, 64); // longer ones resemble nothing, and the table stays small
    const std::size_t allowed = std::max<std::size_t>(1, word.size() / 3);
    std::size_t best = allowed + 1;
    std::string found;
    std::vector<std::size_t> row, before, older; // of the table: under way, above, and above that
    for (const std::string& candidate : candidates) {
        if (candidate.size() > word.size() + allowed || word.size() > candidate.size() + allowed) continue;
        row.resize(candidate.size() + 1);
        for (std::size_t j = 0; j < row.size(); ++j) row[j] = j;
        for (std::size_t i = 1; i <= word.size(); ++i) {
            older = std::exchange(before, row);
            row[0] = i;
            for (std::size_t j = 1; j < row.size(); ++j) {
                row[j] = std::min({before[j] + 1, row[j - 1] + 1, before[j - 1] + (word[i - 1] == candidate[j - 1] ? 0 : 1)});
                // Two letters in the wrong order are one slip, not two.
                if (i > 1 && j > 1 && word[i - 1] == candidate[j - 2] && word[i - 2] == candidate[j - 1]) row[j] = std::min(row[j], older[j - 2] + 1);
            }
        }
        if (row.back() < best) best = row.back(), found = candidate;
    }
    return found;
}

} // namespace sconce
