// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
// Private to training. Which samples a run is made of: found when it is prepared, found again when it is driven.

#include "core/history/store.h"

namespace sconce {

struct FoundData
{
    DatasetPtr data;
    ImportOptions options;
    DatasetInfo info; ///< as the library has it: its id may differ from that of the data opened
};

/// For a new run: an explicit path (which joins the store's library), the recipe's id in the library, or the built-in set.
Result<FoundData> findData(Store& store, const Recipe& recipe, const std::string& path, const ProgressFn& progress);

/// For a run that stands in the store: where it lay, else wherever the library has the same; the fingerprint must match.
Result<DatasetPtr> reopenData(Store& store, const RunRow& row, const Recipe& recipe, const ProgressFn& progress);

/// What prepareRun has just read need not be read again by driveRun in the same process. Holds one set at most.
void lendData(const RunId& run, DatasetPtr data);
DatasetPtr borrowData(const RunId& run);

} // namespace sconce
