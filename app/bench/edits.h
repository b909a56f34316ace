// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
// What a key press on the Compose page costs before anything is drawn: the same work as the page's document does, without its window.

#include "app/bench/benches.h"

namespace sconce::bench {

/// Each edit changes one number of the first layer and works out anew what depends on it: shapes, problems, the estimate of memory and
/// compute; with the copy that undo keeps. In milliseconds, of the calling thread's processor time. Invalid if the recipe has a problem.
Result<Measured> measureEdits(Recipe recipe, const DataFacts& facts, std::int64_t warm, std::int64_t edits, const KeepGoing& keepGoing);

/// What is worked out once a person has stopped typing: what computing blocks again would save. The same unit.
Result<Measured> measureSettled(const Recipe& recipe, const DataFacts& facts, std::int64_t times, const KeepGoing& keepGoing);

} // namespace sconce::bench
