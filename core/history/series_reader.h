// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
// Reads series: every point, or a chart's buckets from the levels. Private to core/history.

#include "core/history/sqlite.h"
#include "core/history/store.h"

namespace sconce {

Result<SeriesPoints> readSeries(Database& db, const RunId& run, const std::string& key);
Result<std::vector<SeriesBucket>> readBuckets(Database& db, const RunId& run, const std::string& key,
                                              std::int64_t firstStep, std::int64_t lastStep, int buckets);

} // namespace sconce
