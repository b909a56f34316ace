// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/engine/devices.h"

#include "core/engine/cuda_library.h"
#include "core/engine/failure.h"

#include <ATen/Context.h>
#include <ATen/Version.h>
#include <torch/headeronly/version.h>

#include <algorithm>
#include <cstdlib>
#include <fstream>
#include <malloc.h>
#include <mutex>
#include <unistd.h>

namespace sconce {
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
    auto all = engine::guarded("looking for devices", []() -> Result<std::vector<ComputeDevice>> {
        std::vector<ComputeDevice> devices{cpuDevice()};
        if (!engine::hasNvidiaDriver()) return devices;
        const std::string& whyNot = engine::loadTorchCuda();
        const int seen = whyNot.empty() ? static_cast<int>(at::globalContext().hasCUDA() ? at::detail::getCUDAHooks().getNumGPUs() : 0) : 0;
        int index = 0;
        for (const engine::DriverDevice& gpu : engine::driverDevices()) {
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
    auto result = engine::guarded("reading versions", []() -> Result<EngineVersions> {
        EngineVersions versions;
        versions.torch = TORCH_VERSION;
        versions.cpuCapability = at::get_cpu_capability();
        versions.driver = engine::driverVersion();
        if (engine::hasNvidiaDriver() && engine::loadTorchCuda().empty() && at::globalContext().hasCUDA()) {
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
        if (isCuda && devices.size() == 1) sentence += " " + (engine::hasNvidiaDriver() ? std::string("Its NVIDIA driver reports no GPU.") : engine::loadTorchCuda());
        return Error{isCuda ? ErrorCode::Unsupported : ErrorCode::Invalid, sentence, remedy, {}};
    }
    if (!found->usable)
        return Error{ErrorCode::Unsupported, "The device " + found->id + " (" + found->name + ") cannot be used. " + found->whyNot, remedy, {}};
    return found->id;
}

void prepareEngineProcess()
{
    static std::once_flag once;
    std::call_once(once, [] {
        // glibc gives each large block fresh pages and takes them back at once: an 11 MB activation costs 2,700 page faults
        // a step, up to half of the time. Keep such blocks in the heap. Threads other than the first have heaps of at most
        // 64 MB in pieces, so all share the first one.
        mallopt(M_ARENA_MAX, 1);
        if (!mallopt(M_MMAP_THRESHOLD, 1 << 30)) mallopt(M_MMAP_THRESHOLD, 32 << 20);
        mallopt(M_TRIM_THRESHOLD, 512 << 20);
        mallopt(M_TOP_PAD, 64 << 20);
        // Read at the first use of a GPU; what the person set stays.
        setenv("PYTORCH_ALLOC_CONF", "expandable_segments:True", 0);
        setenv("CUBLAS_WORKSPACE_CONFIG", ":4096:8", 0);
    });
}

} // namespace sconce
