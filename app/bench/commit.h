// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
// Which sources a figure was measured with. The text is made by the build (installer/cmake/commit.cmake), anew where the commit has changed.

namespace sconce::bench {

/// The commit that this program was built from, "-dirty" behind it where files had changed; empty where the build could not know.
extern const char* const builtFrom;

} // namespace sconce::bench
