// SPDX-License-Identifier: GPL-3.0-or-later
// The one symbol that the library over CUDA shows.
#include "core/engine/cuda/graph.h"

extern "C" __attribute__((visibility("default"))) const sconce::engine::CudaTable* sconceCudaTable()
{
    static const sconce::engine::CudaTable table = [] {
        sconce::engine::CudaTable filled;
        filled.makeStepGraph = sconce::engine::makeCudaStepGraph;
        filled.prepareMasks = sconce::engine::prepareMasks;
        filled.fillMask = sconce::engine::fillMask;
        return filled;
    }();
    return &table;
}
