// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/run/numbers.h"

#include <array>
#include <bit>
#include <cmath>
#include <cstring>
#include <limits>

namespace sconce {

static_assert(std::endian::native == std::endian::little, "packed arrays are written in memory order");

namespace {

constexpr std::string_view digits = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

constexpr std::array<std::int8_t, 256> makeValues()
{
    std::array<std::int8_t, 256> values{};
    for (auto& value : values) value = -1;
    for (std::size_t i = 0; i < digits.size(); ++i)
        values[static_cast<unsigned char>(digits[i])] = static_cast<std::int8_t>(i);
    return values;
}

constexpr std::array<std::int8_t, 256> digitValues = makeValues();

std::string base64(const void* data, std::size_t size)
{
    const auto* bytes = static_cast<const unsigned char*>(data);
    std::string text;
    text.reserve((size + 2) / 3 * 4);
    for (std::size_t i = 0; i < size; i += 3) {
        const std::size_t left = size - i;
        const std::uint32_t group = (std::uint32_t{bytes[i]} << 16) |
                                    (left > 1 ? std::uint32_t{bytes[i + 1]} << 8 : 0) |
                                    (left > 2 ? std::uint32_t{bytes[i + 2]} : 0);
        text += digits[group >> 18 & 63];
        text += digits[group >> 12 & 63];
        text += left > 1 ? digits[group >> 6 & 63] : '=';
        text += left > 2 ? digits[group & 63] : '=';
    }
    return text;
}

std::optional<std::string> fromBase64(std::string_view text)
{
    if (text.size() % 4 != 0) return std::nullopt;
    std::size_t padding = 0;
    while (padding < 2 && padding < text.size() && text[text.size() - 1 - padding] == '=') ++padding;
    std::string bytes;
    bytes.reserve(text.size() / 4 * 3);
    for (std::size_t i = 0; i < text.size(); i += 4) {
        std::uint32_t group = 0;
        for (std::size_t k = 0; k < 4; ++k) {
            const bool isPadding = i + k >= text.size() - padding;
            const int value = isPadding ? 0 : digitValues[static_cast<unsigned char>(text[i + k])];
            if (value < 0) return std::nullopt;
            group = group << 6 | static_cast<std::uint32_t>(value);
        }
        bytes += static_cast<char>(group >> 16 & 255);
        bytes += static_cast<char>(group >> 8 & 255);
        bytes += static_cast<char>(group & 255);
    }
    bytes.resize(bytes.size() - padding);
    return bytes;
}

template <class T> std::optional<std::vector<T>> unpack(std::string_view text)
{
    const std::optional<std::string> bytes = fromBase64(text);
    if (!bytes || bytes->size() % sizeof(T) != 0) return std::nullopt;
    std::vector<T> values(bytes->size() / sizeof(T));
    if (!values.empty()) std::memcpy(values.data(), bytes->data(), bytes->size());
    return values;
}

} // namespace

Json realToJson(double value)
{
    if (std::isnan(value)) return nullptr;
    if (std::isinf(value)) return value > 0 ? "inf" : "-inf";
    return value;
}

bool realFromJson(const Json& json, double& out)
{
    if (json.is_number()) {
        out = json.get<double>();
    } else if (json.is_null()) {
        out = std::numeric_limits<double>::quiet_NaN();
    } else if (json.is_string() && json.get_ref<const std::string&>() == "inf") {
        out = std::numeric_limits<double>::infinity();
    } else if (json.is_string() && json.get_ref<const std::string&>() == "-inf") {
        out = -std::numeric_limits<double>::infinity();
    } else {
        return false;
    }
    return true;
}

std::string packFloats(const std::vector<float>& values)
{
    return base64(values.data(), values.size() * sizeof(float));
}

std::string packDoubles(const std::vector<double>& values)
{
    return base64(values.data(), values.size() * sizeof(double));
}

std::optional<std::vector<float>> unpackFloats(std::string_view text) { return unpack<float>(text); }
std::optional<std::vector<double>> unpackDoubles(std::string_view text) { return unpack<double>(text); }

} // namespace sconce
