// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
// The door between Sconce and its engine library. LibTorch takes 0.3 s to load, and neither the window's first paint nor
// `sconce runs list` may wait for it; so the code over torch is a shared library of its own, loaded at the first use, and
// these few functions are all that it shows. Both sides are built together; the sizes guard against a stale file.

#include "core/engine/devices.h"
#include "core/engine/feeding.h"
#include "core/engine/memory.h"
#include "core/engine/session.h"

#include <cstddef>

namespace sconce::engine {

struct EngineTable
{
    const char* version = SCONCE_VERSION;
    std::size_t sizes[4] = {sizeof(EngineTable), sizeof(SessionSpec), sizeof(Operation), sizeof(DatasetInfo)};
    Result<std::unique_ptr<Session>> (*openSession)(SessionSpec spec) = nullptr;
    std::vector<ComputeDevice> (*computeDevices)() = nullptr;
    EngineVersions (*engineVersions)() = nullptr;
    Result<std::string> (*resolveDevice)(const std::string& wanted) = nullptr;
    Result<std::unique_ptr<BatchFeed>> (*openBatchFeed)(BatchFeedSpec spec) = nullptr;
    std::optional<KeptMemory> (*keptMemory)(const std::string& device) = nullptr;
    void (*releaseCachedMemory)() = nullptr;
};

// ---- what the library implements ----
Result<std::unique_ptr<Session>> openSession(SessionSpec spec);
std::vector<ComputeDevice> computeDevices();
EngineVersions engineVersions();
Result<std::string> resolveDevice(const std::string& wanted);
Result<std::unique_ptr<BatchFeed>> openBatchFeed(BatchFeedSpec spec);
std::optional<KeptMemory> keptMemory(const std::string& device);
void releaseCachedMemory();

inline constexpr const char* engineLibraryName = "libsconce-engine.so";
inline constexpr const char* engineTableSymbol = "sconceEngineTable";

} // namespace sconce::engine
