// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
// Devices that the engine can compute on, and the versions of what it is built from. The first call loads LibTorch's CUDA
// part where there is a driver (0.3 s): never call on the window's thread.

#include "core/base/json.h"
#include "core/base/result.h"

#include <string>
#include <vector>

namespace sconce {

struct ComputeDevice
{
    std::string id;         ///< "cpu", "cuda:0"
    std::string name;       ///< "NVIDIA H200", the CPU's model
    std::string uuid;       ///< of a GPU, "GPU-…"; empty for the CPU
    std::uint64_t memoryBytes = 0, freeBytes = 0;
    bool usable = true;
    std::string whyNot;     ///< a sentence if it may not be used
    std::string detail;     ///< compute capability; CPU capability as LibTorch names it ("AVX512")
};

struct EngineVersions { std::string torch, cuda, cudnn, driver; std::string cpuCapability; };

/// The CPU first, then every CUDA device.
std::vector<ComputeDevice> computeDevices();
EngineVersions engineVersions();
/// "auto" → the first usable GPU, else "cpu". Unsupported with a sentence if the device asked for cannot be used.
Result<std::string> resolveDevice(const std::string& wanted);
/// Process-wide settings before the first tensor (allocator thresholds, OpenMP). Idempotent; call early in main().
void prepareEngineProcess();

} // namespace sconce
