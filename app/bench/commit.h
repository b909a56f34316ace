// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

namespace sconce::bench {

/// The commit that this program was built from, "-dirty" behind it where files had changed; empty where the build could not know.
extern const char* const builtFrom;

} // namespace sconce::bench
