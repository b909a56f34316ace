// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
// Opening the database file: migrations, damage, loss. Private to core/history.

#include "core/history/sqlite.h"
#include "core/history/store.h"

namespace sconce {

struct OpenedDatabase
{
    std::unique_ptr<Database> db; ///< null if it may only be read (How::ReadOnlyNewer)
    StoreOpened opened;
};

/// The caller holds store.lock. alone: nobody else has the store open, so that a damaged file may be set aside.
Result<OpenedDatabase> openDatabase(const std::string& folder, bool alone);

/// Its presence asks the next start for a thorough check.
std::string checkMarker(const std::string& folder);
/// Damage was seen in the midst of use: the next start looks thoroughly, and sets the file aside.
void markForCheck(const std::string& folder);

} // namespace sconce
