// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/formats/csv.h"

#include "core/base/files.h"
#include "core/base/text.h"

#include <algorithm>
#include <array>
#include <filesystem>

namespace sconce {

namespace {

bool isBlank(char c) { return c == ' ' || c == '\t'; }
bool isLineEnd(char c) { return c == '\n' || c == '\r'; }

/// The first character of these that the first lines have most of, outside quotes.
char separatorOf(std::string_view text)
{
    constexpr std::array<char, 3> known{',', ';', '\t'};
    std::array<std::size_t, 3> counts{};
    bool quoted = false;
    for (const char c : text.substr(0, std::min<std::size_t>(text.size(), 64 << 10))) {
        if (c == '"') quoted = !quoted;
        if (quoted) continue;
        if (isLineEnd(c) && std::any_of(counts.begin(), counts.end(), [](std::size_t n) { return n > 0; })) break;
        for (std::size_t i = 0; i < known.size(); ++i) counts[i] += c == known[i];
    }
    // A decimal comma stands within fields that semicolons or tabs part, and may be as frequent.
    if (counts[1] > 0 && counts[1] * 2 >= counts[0]) return ';';
    if (counts[2] > 0 && counts[2] * 2 >= counts[0]) return '\t';
    return ',';
}

bool isUtf8(std::string_view text)
{
    for (std::size_t i = 0; i < text.size(); ++i) {
        const auto first = static_cast<unsigned char>(text[i]);
        const int more = first < 0x80 ? 0 : first >= 0xC2 && first < 0xE0 ? 1 : first >= 0xE0 && first < 0xF0 ? 2 : first >= 0xF0 && first < 0xF5 ? 3 : -1;
        if (more < 0 || i + static_cast<std::size_t>(more) >= text.size() + (more == 0 ? 1 : 0)) return false;
        for (int k = 0; k < more; ++k)
            if ((static_cast<unsigned char>(text[++i]) & 0xC0) != 0x80) return false;
    }
    return true;
}

/// What spreadsheets wrote before UTF-8, near enough for names of things.
std::string fromLatin1(const std::string& text)
{
    std::string result;
    result.reserve(text.size() + text.size() / 8);
    for (const char c : text) {
        const auto byte = static_cast<unsigned char>(c);
        if (byte < 0x80) {
            result += c;
            continue;
        }
        result += static_cast<char>(0xC0 | (byte >> 6));
        result += static_cast<char>(0x80 | (byte & 0x3F));
    }
    return result;
}

} // namespace

std::string_view CsvTable::at(std::size_t row, std::size_t column) const
{
    const Field& field = m_fields[row * m_columns + column];
    return std::string_view(m_text).substr(field.at, field.size);
}

class CsvParser
{
  public:
    CsvParser(std::string text, const std::string& what, const CsvLimits& limits) : m_what(what), m_limits(limits) { m_table.m_text = std::move(text); }

    Result<CsvTable> parse()
    {
        std::string& text = m_table.m_text;
        if (text.size() > m_limits.bytes) return tooLarge();
        if (text.find('\0') != std::string::npos) return wrong("holds bytes that are no text.");
        if (text.starts_with("\xEF\xBB\xBF")) m_at = 3;
        if (text.starts_with("\xFF\xFE") || text.starts_with("\xFE\xFF")) return wrong("is written in UTF-16.", "Save it as CSV in UTF-8.");
        if (!isUtf8(text)) text = fromLatin1(text);
        m_table.m_separator = separatorOf(std::string_view(text).substr(m_at));
        while (skipBlankLines()) SCONCE_TRY(row());
        if (m_table.m_columns == 0) return wrong("is empty.");
        if (m_limits.ragged) SCONCE_TRY(fillUp());
        return std::move(m_table);
    }

  private:
    Error wrong(const std::string& why, const std::string& remedy = {}) const { return {ErrorCode::Invalid, m_what + " " + why, remedy, {}}; }
    Error tooLarge() const
    {
        return wrong("is too large: tables may have up to " + bytesText(m_limits.bytes) + " and " + groupedInt(static_cast<std::int64_t>(m_limits.fields)) + " entries.", "Take a part of its rows or columns.");
    }

    /// False at the end of the text.
    bool skipBlankLines()
    {
        const std::string& text = m_table.m_text;
        for (;;) {
            std::size_t at = m_at;
            while (at < text.size() && isBlank(text[at]) && text[at] != m_table.m_separator) ++at;
            if (at >= text.size()) return false;
            if (!isLineEnd(text[at])) return true;
            m_at = at;
            lineEnd();
        }
    }
    /// LF, CR, or both.
    void lineEnd()
    {
        const std::string& text = m_table.m_text;
        if (text[m_at] == '\r' && m_at + 1 < text.size() && text[m_at + 1] == '\n') ++m_at;
        ++m_at;
        ++m_line;
    }

    Result<void> row()
    {
        const std::string& text = m_table.m_text;
        const std::size_t line = m_line, before = m_table.m_fields.size();
        for (;;) {
            SCONCE_TRY(field());
            const std::size_t count = m_table.m_fields.size() - before;
            if (count > m_limits.columns) return wrong("has more than " + groupedInt(static_cast<std::int64_t>(m_limits.columns)) + " columns in line " + groupedInt(static_cast<std::int64_t>(line)) + ".");
            if (m_table.m_fields.size() > m_limits.fields) return tooLarge();
            if (m_at < text.size() && text[m_at] == m_table.m_separator) {
                ++m_at;
                continue;
            }
            break;
        }
        if (m_at < text.size()) lineEnd();
        const std::size_t count = m_table.m_fields.size() - before;
        if (m_table.m_columns == 0) m_table.m_columns = count;
        if (m_limits.ragged) {
            m_counts.push_back(count);
            m_table.m_columns = std::max(m_table.m_columns, count);
        } else if (count != m_table.m_columns)
            return wrong("has " + plural(static_cast<std::int64_t>(count), "entry", "entries") + " in line " + groupedInt(static_cast<std::int64_t>(line)) + ", but " +
                             groupedInt(static_cast<std::int64_t>(m_table.m_columns)) + " in its first.",
                         "Every line of a table needs the same number of entries; one with a separator in it stands in quotes.");
        m_table.m_lines.push_back(static_cast<std::uint32_t>(line));
        return {};
    }

    /// Empty fields behind the shorter lines.
    Result<void> fillUp()
    {
        if (m_counts.size() > m_limits.fields / m_table.m_columns) return tooLarge();
        std::vector<CsvTable::Field> fields;
        fields.reserve(m_counts.size() * m_table.m_columns);
        auto from = m_table.m_fields.begin();
        for (const std::size_t count : m_counts) {
            fields.insert(fields.end(), from, from + static_cast<std::ptrdiff_t>(count));
            fields.resize(fields.size() + m_table.m_columns - count);
            from += static_cast<std::ptrdiff_t>(count);
        }
        m_table.m_fields = std::move(fields);
        return {};
    }

    /// Up to the separator, the line's end or the text's.
    Result<void> field()
    {
        std::string& text = m_table.m_text;
        const char separator = m_table.m_separator;
        while (m_at < text.size() && isBlank(text[m_at]) && text[m_at] != separator) ++m_at;
        if (m_at < text.size() && text[m_at] == '"') return quotedField();
        const std::size_t start = m_at;
        while (m_at < text.size() && text[m_at] != separator && !isLineEnd(text[m_at])) ++m_at;
        std::size_t end = m_at;
        while (end > start && isBlank(text[end - 1])) --end;
        add(start, end);
        return {};
    }

    Result<void> quotedField()
    {
        std::string& text = m_table.m_text;
        const std::size_t line = m_line, start = m_at;
        std::size_t to = start; // unwrapped, a field is shorter than it was
        for (++m_at;; ++m_at) {
            if (m_at >= text.size()) return wrong("has a quote in line " + groupedInt(static_cast<std::int64_t>(line)) + " that does not end.");
            if (text[m_at] == '"') {
                if (m_at + 1 >= text.size() || text[m_at + 1] != '"') break;
                ++m_at;
            } else if (text[m_at] == '\n') {
                ++m_line;
            }
            text[to++] = text[m_at];
        }
        ++m_at;
        while (m_at < text.size() && isBlank(text[m_at]) && text[m_at] != m_table.m_separator) ++m_at;
        if (m_at < text.size() && text[m_at] != m_table.m_separator && !isLineEnd(text[m_at]))
            return wrong("has something behind a closing quote in line " + groupedInt(static_cast<std::int64_t>(m_line)) + ".", "A quote within quotes is written twice.");
        add(start, to);
        return {};
    }

    void add(std::size_t start, std::size_t end) { m_table.m_fields.push_back({static_cast<std::uint32_t>(start), static_cast<std::uint32_t>(end - start)}); }

    CsvTable m_table;
    const std::string& m_what;
    const CsvLimits& m_limits;
    std::vector<std::size_t> m_counts; ///< of fields per row, where they may differ
    std::size_t m_at = 0, m_line = 1;
};

Result<CsvTable> parseCsv(std::string text, const std::string& what, const CsvLimits& limits) { return CsvParser(std::move(text), what, limits).parse(); }

Result<CsvTable> readCsv(const std::string& path, const CsvLimits& limits)
{
    auto text = readTextFile(path, limits.bytes);
    if (!text) return text.error();
    return parseCsv(std::move(*text), "The file " + std::filesystem::path(path).filename().string(), limits);
}

} // namespace sconce
