// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
// What concerns NVIDIA's driver and LibTorch's CUDA part, both loaded at run time so that one binary runs with and without
// a GPU. Private to the engine; thread-safe.

#include <cstdint>
#include <string>
#include <vector>

namespace sconce::engine {

/// True where the kernel or the loader knows an NVIDIA driver.
bool hasNvidiaDriver();

/// Loads libtorch_cuda.so from beside libtorch_cpu.so, once, where there is a driver. Empty if it is there; else a sentence.
const std::string& loadTorchCuda();

/// A GPU as the driver numbers it (CUDA_VISIBLE_DEVICES holds).
struct DriverDevice
{
    std::string name, uuid, capability;
    std::uint64_t memoryBytes = 0, freeBytes = 0;
};
std::vector<DriverDevice> driverDevices();
/// "580.65.06"; empty where there is none.
std::string driverVersion();

} // namespace sconce::engine
