// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/training/hardware_values.h"

#include <algorithm>

namespace sconce {

std::vector<std::pair<std::string, double>> hardwareValues(const MachineFacts& facts, const MachineReading& reading, const KeptOn& kept)
{
    std::vector<std::pair<std::string, double>> values;
    if (reading.cpu) values.emplace_back("cpu", *reading.cpu);
    if (reading.memoryTotal) values.emplace_back("memory", static_cast<double>(reading.memoryUsed));
    const auto nameOf = [](std::size_t gpu) { return "gpu" + std::to_string(gpu) + "."; };
    for (std::size_t i = 0; i < reading.gpus.size(); ++i) {
        const GpuReading& gpu = reading.gpus[i];
        if (gpu.use) values.emplace_back(nameOf(i) + "use", *gpu.use);
        if (gpu.memoryUsed) values.emplace_back(nameOf(i) + "memory", static_cast<double>(*gpu.memoryUsed));
        if (gpu.powerWatts) values.emplace_back(nameOf(i) + "power", *gpu.powerWatts);
        if (gpu.temperature) values.emplace_back(nameOf(i) + "temperature", *gpu.temperature);
    }
    const std::string cuda = "cuda:";
    if (!kept.memory || !kept.device.starts_with(cuda)) return values;
    const auto same = std::find_if(facts.gpus.begin(), facts.gpus.end(), [&](const GpuFacts& gpu) { return !kept.uuid.empty() && gpu.uuid == kept.uuid; });
    const std::string name = same != facts.gpus.end() ? nameOf(static_cast<std::size_t>(same - facts.gpus.begin())) : "gpu" + kept.device.substr(cuda.size()) + ".";
    values.emplace_back(name + "allocated", static_cast<double>(kept.memory->allocated));
    values.emplace_back(name + "reserved", static_cast<double>(kept.memory->reserved));
    return values;
}

} // namespace sconce
