// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
// Tables as data sets: each line of a CSV file is a sample, one column is to be predicted, the others are fed to the network.
// Numbers are kept as they are (a missing one as NaN, for which the median of training stands later: core/data/scaling.h); words
// become one feature each, and missing words a kind of their own.

#include "core/data/dataset.h"

namespace sconce {

/// A row as a person would read it: an entry per DatasetInfo::columns, then the target. "–" where it is missing.
std::vector<std::string> tableRow(const Dataset& data, Part part, std::int64_t row);

/// Rows of another file with the same columns, in the form of a data set's records.
struct TableRecords
{
    std::vector<float> features;       ///< rows × features
    std::vector<std::size_t> lines;    ///< of the file, one per row
    std::vector<std::string> problems; ///< sentences: words that the data set has not seen
};
/// Columns are found by their names where the file has a first line of names, else by their places; the target may be there or
/// not. Invalid where a column is missing or a number is none.
Result<TableRecords> readRecordsOf(const DatasetInfo& info, const std::string& path);

} // namespace sconce
