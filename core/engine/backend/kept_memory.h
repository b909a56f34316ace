// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
// Private to the engine: who still needs what is kept (core/engine/memory.h).

#include <atomic>

namespace sconce::engine {

/// Sessions with an optimiser that are open in this process.
std::atomic<int>& trainingSessions();
/// Set once a session has tensors on a GPU: before that its allocator may be in the midst of being made, by another thread.
std::atomic<bool>& gpuInUse();

} // namespace sconce::engine
