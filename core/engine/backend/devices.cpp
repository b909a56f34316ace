// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/engine/backend/cuda_library.h"
#include "core/engine/backend/engine_table.h"
#include "core/engine/backend/failure.h"

#include <ATen/Context.h>
#include <ATen/Version.h>
#include <torch/headeronly/version.h>

#include <algorithm>
#include <fstream>
#include <unistd.h>

namespace sconce::engine {
namespace {

std::string cpuModel()
{
    std::ifstream file("/proc/cpuinfo");
    for (std::string line; std::getline(file, line);)
        if (line.rfind("model name", 0) == 0)
            if (const auto colon = line.find(": "); colon != std::string::npos) return line.substr(colon + 2);
    return "CPU";
}

ComputeDevice cpuDevice()
{
    ComputeDevice cpu;
    cpu.id = "cpu";
    cpu.name = cpuModel();
    const auto page = static_cast<std::uint64_t>(sysconf(_SC_PAGESIZE));
    cpu.memoryBytes = static_cast<std::uint64_t>(sysconf(_SC_PHYS_PAGES)) * page;
    cpu.freeBytes = static_cast<std::uint64_t>(sysconf(_SC_AVPHYS_PAGES)) * page;
    cpu.detail = at::get_cpu_capability();
    return cpu;
}

/// 13000 → "13.0"
std::string cudaVersionText(long version)
{
    return version <= 0 ? std::string() : std::to_string(version / 1000) + "." + std::to_string(version % 1000 / 10);
}

/// 91300 → "9.13.0"
std::string cudnnVersionText(long version)
{
    if (version <= 0) return {};
    return std::to_string(version / 10000) + "." + std::to_string(version % 10000 / 100) + "." + std::to_string(version % 100);
}

} // namespace

std::vector<ComputeDevice> computeDevices()
{
    auto all = guarded("looking for devices", []() -> Result<std::vector<ComputeDevice>> {
        std::vector<ComputeDevice> devices{cpuDevice()};
        if (!hasNvidiaDriver()) return devices;
        const std::string& whyNot = loadTorchCuda();
        const int seen = whyNot.empty() ? static_cast<int>(at::globalContext().hasCUDA() ? at::detail::getCUDAHooks().getNumGPUs() : 0) : 0;
        int index = 0;
        for (const DriverDevice& gpu : driverDevices()) {
            ComputeDevice device;
            device.id = "cuda:" + std::to_string(index);
            device.name = gpu.name;
            device.uuid = gpu.uuid;
            device.memoryBytes = gpu.memoryBytes;
            device.freeBytes = gpu.freeBytes;
            device.detail = gpu.capability.empty() ? "" : "compute capability " + gpu.capability;
            device.usable = index < seen;
            if (!device.usable)
                device.whyNot = whyNot.empty() ? "LibTorch cannot use this GPU: its driver is too old or the GPU is not supported." : whyNot;
            devices.push_back(std::move(device));
            ++index;
        }
        return devices;
    });
    if (all.ok()) return std::move(all).value();
    return {cpuDevice()};
}

EngineVersions engineVersions()
{
    auto result = guarded("reading versions", []() -> Result<EngineVersions> {
        EngineVersions versions;
        versions.torch = TORCH_VERSION;
        versions.cpuCapability = at::get_cpu_capability();
        versions.driver = driverVersion();
        if (hasNvidiaDriver() && loadTorchCuda().empty() && at::globalContext().hasCUDA()) {
            versions.cuda = cudaVersionText(at::detail::getCUDAHooks().versionCUDART());
            versions.cudnn = cudnnVersionText(at::detail::getCUDAHooks().versionRuntimeCuDNN());
        }
        return versions;
    });
    return result.valueOr(EngineVersions{});
}

Result<std::string> resolveDevice(const std::string& wanted)
{
    if (wanted == "cpu") return wanted;
    const std::vector<ComputeDevice> devices = computeDevices();
    if (wanted.empty() || wanted == "auto") {
        for (const ComputeDevice& device : devices)
            if (device.id != "cpu" && device.usable) return device.id;
        return std::string("cpu");
    }
    const std::string id = wanted == "cuda" ? "cuda:0" : wanted;
    const auto found = std::find_if(devices.begin(), devices.end(), [&](const ComputeDevice& d) { return d.id == id; });
    const std::string remedy = "Choose “auto” or “cpu”, or one of the devices that `sconce devices` lists.";
    if (found == devices.end()) {
        const bool isCuda = id.rfind("cuda:", 0) == 0;
        std::string sentence = "There is no device “" + wanted + "” on this machine.";
        if (isCuda && devices.size() == 1) sentence += " " + (hasNvidiaDriver() ? std::string("Its NVIDIA driver reports no GPU.") : loadTorchCuda());
        return Error{isCuda ? ErrorCode::Unsupported : ErrorCode::Invalid, sentence, remedy, {}};
    }
    if (!found->usable)
        return Error{ErrorCode::Unsupported, "The device " + found->id + " (" + found->name + ") cannot be used. " + found->whyNot, remedy, {}};
    return found->id;
}

} // namespace sconce::engine
