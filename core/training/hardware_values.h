// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
// Private to training. A reading of the machine as the named values of a HardwareRead. Pure.

#include "core/engine/memory.h"
#include "core/hardware/machine.h"

#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace sconce {

/// What this process keeps of the memory of the GPU that a run computes on.
struct KeptOn
{
    std::string device, uuid; ///< "cuda:0"; of the GPU, empty where it is not known
    std::optional<KeptMemory> memory;
};

/// What could not be read is left out. GPUs are named by NVML's numbers, which may be others than CUDA's; what is kept goes to that of
/// the same uuid, and by CUDA's number where NVML does not know it.
std::vector<std::pair<std::string, double>> hardwareValues(const MachineFacts& facts, const MachineReading& reading, const KeptOn& kept);

} // namespace sconce
