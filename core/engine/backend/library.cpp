// SPDX-License-Identifier: GPL-3.0-or-later
// The one symbol that the engine library shows.
#include "core/engine/backend/engine_table.h"

extern "C" __attribute__((visibility("default"))) const sconce::engine::EngineTable* sconceEngineTable()
{
    static const sconce::engine::EngineTable table = [] {
        sconce::engine::EngineTable filled;
        filled.openSession = sconce::engine::openSession;
        filled.computeDevices = sconce::engine::computeDevices;
        filled.engineVersions = sconce::engine::engineVersions;
        filled.resolveDevice = sconce::engine::resolveDevice;
        filled.openBatchFeed = sconce::engine::openBatchFeed;
        filled.keptMemory = sconce::engine::keptMemory;
        filled.releaseCachedMemory = sconce::engine::releaseCachedMemory;
        return filled;
    }();
    return &table;
}
