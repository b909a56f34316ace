// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
// Tables as text: CSV as RFC 4180 has it, and as people have it. Commas, semicolons or tabs; quoted fields with doubled quotes,
// separators and line ends in them; LF, CRLF or CR; a UTF-8 mark at the beginning; blank lines. Sizes are checked before memory is
// taken. Knows nothing of what the fields mean.

#include "core/base/result.h"

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace sconce {

struct CsvLimits
{
    std::uint64_t bytes = std::uint64_t{1} << 30; ///< of the file
    std::size_t columns = 10'000;
    std::size_t fields = 64'000'000;              ///< in all
    bool ragged = false;                          ///< lines may be of different lengths: shorter ones end in empty fields
};

class CsvTable
{
  public:
    std::size_t rows() const { return m_columns ? m_fields.size() / m_columns : 0; }
    std::size_t columns() const { return m_columns; }
    /// Without quotes, and without blanks around it where it was not quoted.
    std::string_view at(std::size_t row, std::size_t column) const;
    /// The line of the file (from 1) on which a row begins.
    std::size_t line(std::size_t row) const { return m_lines[row]; }
    char separator() const { return m_separator; }

  private:
    friend class CsvParser;
    struct Field { std::uint32_t at = 0, size = 0; };
    std::string m_text; ///< quoted fields are unwrapped in place
    std::vector<Field> m_fields;
    std::vector<std::uint32_t> m_lines;
    std::size_t m_columns = 0;
    char m_separator = ',';
};

/// Invalid for text that is no table: rows of different lengths, a quote that does not end, bytes that are no text. `what` begins
/// the sentence: "The file wine.csv".
Result<CsvTable> parseCsv(std::string text, const std::string& what, const CsvLimits& limits = {});
Result<CsvTable> readCsv(const std::string& path, const CsvLimits& limits = {});

} // namespace sconce
