// SPDX-License-Identifier: GPL-3.0-or-later
// Tables: quotes that do not end, rows of all lengths, bytes that are no text, and what is made of the columns. The first byte
// chooses how it is read.
#include "core/data/memory_dataset.h"
#include "core/data/scaling.h"
#include "core/data/table.h"
#include "core/formats/csv.h"
#include "tests/fuzz/fuzz.h"

#include <numeric>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size)
{
    using namespace sconce;
    if (size == 0) return 0;
    ImportOptions options;
    options.header = data[0] % 3 == 0 ? "auto" : data[0] % 3 == 1 ? "yes" : "no";
    if (data[0] & 64) options.target = "1";
    const fuzz::MemoryFile file(data + 1, size - 1);
    const auto table = readCsv(file.path());
    fuzz::requireSentence(table);
    const auto set = openTable(file.path(), options, {});
    fuzz::requireSentence(set);
    if (!set) return 0;
    REQUIRE(table.ok());
    const DatasetInfo& info = (*set)->info();
    REQUIRE(info.trainingCount > 0 && info.trainingCount <= static_cast<std::int64_t>(table->rows()));
    REQUIRE((*set)->labels(Part::Training).empty() || static_cast<std::int64_t>((*set)->labels(Part::Training).size()) == info.trainingCount);
    REQUIRE((*set)->contiguous(Part::Training).size() == static_cast<std::size_t>(info.trainingCount) * (*set)->recordBytes());
    for (const std::int32_t label : (*set)->labels(Part::Training)) REQUIRE(label >= 0 && static_cast<std::size_t>(label) < info.classes.size());
    std::vector<std::int64_t> rows(static_cast<std::size_t>(info.trainingCount));
    std::iota(rows.begin(), rows.end(), 0);
    const Scaling scaling = fitScaling(**set, rows);
    for (const float deviation : scaling.deviation) REQUIRE(deviation > 0);
    REQUIRE(tableRow(**set, Part::Training, 0).size() == info.columns.size() + 1);
    fuzz::requireSentence(readRecordsOf(info, file.path()));
    return 0;
}
