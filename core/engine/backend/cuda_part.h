// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
// The engine's library over CUDA (core/engine/cuda/), where it was built and a GPU is there to use it. Private to the engine; any thread.

#include "core/engine/cuda/cuda_table.h"

namespace sconce::engine {

struct CudaPart
{
    const CudaTable* table = nullptr; ///< null: not there
    std::string whyNot;               ///< a sentence
};

/// Loaded once, from beside the engine's own library, after LibTorch's CUDA part.
const CudaPart& cudaPart();
/// What is the matter with a file that should be that library; empty, and `table` set, if nothing is.
std::string loadCudaPart(const std::string& path, const CudaTable** table);

/// What the GPU's kernel for dropout masks is told of a layer.
MaskKey maskKey(std::uint64_t seed, std::uint64_t layer, double rate, std::uint64_t first);

} // namespace sconce::engine
