// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
// The door between the engine and the small library that is compiled against CUDA's headers. It is loaded when a GPU is first used,
// after libtorch_cuda.so; without it the engine trains on a GPU all the same, a step at a time. Both sides are built together;
// versions and size guard against a stale file. Free of CUDA's headers.

#include "core/engine/backend/step_graph.h"

#include <torch/headeronly/version.h>

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>

namespace sconce::engine {

/// What a dropout mask is made from besides the step, which is read on the device.
struct MaskKey
{
    std::array<std::uint32_t, 4> mixed{}; ///< seed, purpose and layer, gone through Philox once
    std::uint32_t threshold = 0;          ///< random bits below are 0
    bool all = false;                     ///< everything is 0: no threshold says so
    float scale = 1;                      ///< of what stays
    std::uint64_t first = 0;              ///< number of the mask's first element in its batch
};

struct CudaTable
{
    const char* version = SCONCE_VERSION;
    const char* torch = TORCH_VERSION;
    std::size_t size = sizeof(CudaTable);
    /// On the GPU that is current. Throws what torch throws.
    std::unique_ptr<StepGraph> (*makeStepGraph)(int device) = nullptr;
    /// Compiles the kernel for this GPU, once. Empty: it is there; else a sentence.
    std::string (*prepareMasks)(int device) = nullptr;
    /// Fills a contiguous float tensor, in the current stream; `step` is an int64 on the same GPU.
    void (*fillMask)(at::Tensor& mask, const at::Tensor& step, const MaskKey& key) = nullptr;
};

inline constexpr const char* cudaLibraryName = "libsconce-cuda.so";
inline constexpr const char* cudaTableSymbol = "sconceCudaTable";

} // namespace sconce::engine
