// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/formats/utf8.h"

#include <algorithm>

namespace sconce {

namespace {

unsigned char byteAt(std::string_view text, std::size_t at) { return static_cast<unsigned char>(text[at]); }

/// By the first byte alone; 0: no character begins with it.
int announcedBytes(unsigned char first)
{
    if (first < 0x80) return 1;
    if (first < 0xC2) return 0; // a byte from inside, or overlong
    if (first < 0xE0) return 2;
    if (first < 0xF0) return 3;
    return first < 0xF5 ? 4 : 0;
}

/// The second byte's range, which keeps out what is overlong, a surrogate or too large (The Unicode Standard, table 3-7).
bool secondFits(unsigned char first, unsigned char second)
{
    const unsigned char least = first == 0xE0 ? 0xA0 : first == 0xF0 ? 0x90 : 0x80;
    const unsigned char most = first == 0xED ? 0x9F : first == 0xF4 ? 0x8F : 0xBF;
    return second >= least && second <= most;
}

bool isInside(unsigned char byte) { return (byte & 0xC0) == 0x80; }

} // namespace

int characterBytes(std::string_view text, std::size_t at)
{
    const int bytes = announcedBytes(byteAt(text, at));
    if (bytes <= 1) return bytes;
    if (at + static_cast<std::size_t>(bytes) > text.size() || !secondFits(byteAt(text, at), byteAt(text, at + 1))) return 0;
    for (std::size_t k = 2; k < static_cast<std::size_t>(bytes); ++k)
        if (!isInside(byteAt(text, at + k))) return 0;
    return bytes;
}

char32_t characterAt(std::string_view text, std::size_t at)
{
    const unsigned char first = byteAt(text, at);
    const int bytes = announcedBytes(first);
    if (bytes <= 1) return first;
    char32_t character = first & (0x7F >> bytes);
    for (std::size_t k = 1; k < static_cast<std::size_t>(bytes); ++k) character = character << 6 | (byteAt(text, at + k) & 0x3F);
    return character;
}

std::string characterText(char32_t character)
{
    const auto part = [character](int shift) { return static_cast<char>(0x80 | (character >> shift & 0x3F)); };
    if (character < 0x80) return {static_cast<char>(character)};
    if (character < 0x800) return {static_cast<char>(0xC0 | character >> 6), part(0)};
    if (character < 0x10000) return {static_cast<char>(0xE0 | character >> 12), part(6), part(0)};
    return {static_cast<char>(0xF0 | character >> 18), part(12), part(6), part(0)};
}

std::size_t firstNoCharacter(std::string_view text)
{
    for (std::size_t at = 0; at < text.size();) {
        const int bytes = characterBytes(text, at);
        if (bytes == 0) return at;
        at += static_cast<std::size_t>(bytes);
    }
    return std::string_view::npos;
}

std::size_t unfinishedBytes(std::string_view text)
{
    for (std::size_t back = 1; back <= std::min<std::size_t>(3, text.size()); ++back) {
        const std::size_t at = text.size() - back;
        const unsigned char byte = byteAt(text, at);
        if (isInside(byte)) continue;
        const bool wantsMore = announcedBytes(byte) > static_cast<int>(back);
        return wantsMore && (back == 1 || secondFits(byte, byteAt(text, at + 1))) ? back : 0;
    }
    return 0;
}

std::string withoutBrokenCharacters(std::string_view text)
{
    std::string result;
    result.reserve(text.size());
    for (std::size_t at = 0; at < text.size();) {
        const int bytes = characterBytes(text, at);
        if (bytes == 0) result += "\xEF\xBF\xBD";
        else result += text.substr(at, static_cast<std::size_t>(bytes));
        at += static_cast<std::size_t>(std::max(1, bytes));
    }
    return result;
}

} // namespace sconce
