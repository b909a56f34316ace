// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
// The one seam where LibTorch's exceptions become errors with a sentence. Private to the engine.

#include "core/base/result.h"

#include <utility>

namespace sconce::engine {

/// Turns the exception in flight into an Error. Call inside a catch block. `doing` completes "… while …": "running the
/// network forward".
Error currentFailure(const char* doing) noexcept;

/// Runs `work`, which returns a Result, and catches everything that comes out of it.
template <class Work> auto guarded(const char* doing, Work&& work) -> decltype(work())
{
    try {
        return std::forward<Work>(work)();
    } catch (...) {
        return currentFailure(doing);
    }
}

} // namespace sconce::engine
