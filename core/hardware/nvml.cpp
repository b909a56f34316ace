// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/hardware/nvml.h"

#include <array>
#include <cstdlib>
#include <cstring>
#include <dlfcn.h>
#include <fstream>

namespace sconce {

namespace {

enum Code { Success = 0, NoPermission = 4, InsufficientSize = 7, DriverNotLoaded = 9, OperatingSystem = 17, VersionMismatch = 18, GpuNotFound = 28, Unknown = 999 };

struct MemoryV1 { std::uint64_t total, free, used; };
struct MemoryV2 { std::uint32_t version; std::uint64_t total, reserved, free, used; };
static_assert(sizeof(MemoryV2) == 40);
constexpr std::uint32_t memoryV2Version = sizeof(MemoryV2) | (2u << 24);
struct Utilization { std::uint32_t gpu, memory; };
struct PciInfo { char busIdLegacy[16]; std::uint32_t domain, bus, device, pciDeviceId, pciSubSystemId; char busId[32]; };
static_assert(sizeof(PciInfo) == 68);
struct ProcessInfo { std::uint32_t pid; std::uint64_t usedBytes; std::uint32_t gpuInstance, computeInstance; };
static_assert(sizeof(ProcessInfo) == 24);
struct ProcessInfoWide { ProcessInfo info; std::uint64_t protectedBytes; };

std::string processName(std::int64_t pid)
{
    std::ifstream file("/proc/" + std::to_string(pid) + "/comm");
    std::string name;
    std::getline(file, name);
    return name; // empty inside containers, where NVML gives the host's process ids
}

std::string sentenceFor(int code)
{
    switch (code) {
    case DriverNotLoaded: return "The NVIDIA driver is installed but not loaded; training uses the CPU. Load it (or restart the computer) to use the GPU.";
    case VersionMismatch: return "The NVIDIA driver was updated while the system was running; restart the computer to use the GPU. Training uses the CPU until then.";
    case NoPermission:
    case OperatingSystem: return "The GPU exists, but this user may not open it; training uses the CPU.";
    case GpuNotFound: return "The NVIDIA driver found no GPU; training uses the CPU.";
    case Unknown: return "The NVIDIA driver does not answer (in a container: it lost its GPU, restart it); training uses the CPU.";
    default: return "The NVIDIA driver answered with error " + std::to_string(code) + "; training uses the CPU.";
    }
}

constexpr std::array<std::pair<std::uint64_t, const char*>, 6> limitNames{{{0x4, "power cap"}, {0x8, "hardware slowdown"}, {0x10, "sync boost"},
                                                                            {0x20, "heat"}, {0x40, "heat (hardware)"}, {0x80, "power brake"}}};

} // namespace

struct Nvml::Api
{
    void* library = nullptr;
    int (*init)() = nullptr;
    int (*shutdown)() = nullptr;
    int (*count)(unsigned*) = nullptr;
    int (*handle)(unsigned, void**) = nullptr;
    int (*driverVersion)(char*, unsigned) = nullptr;
    int (*name)(void*, char*, unsigned) = nullptr;
    int (*uuid)(void*, char*, unsigned) = nullptr;
    int (*pci)(void*, PciInfo*) = nullptr;
    int (*utilization)(void*, Utilization*) = nullptr;
    int (*memoryV2)(void*, MemoryV2*) = nullptr;
    int (*memoryV1)(void*, MemoryV1*) = nullptr;
    int (*temperature)(void*, int, unsigned*) = nullptr;
    int (*threshold)(void*, int, unsigned*) = nullptr;
    int (*power)(void*, unsigned*) = nullptr;
    int (*powerLimit)(void*, unsigned*) = nullptr;
    int (*clock)(void*, int, unsigned*) = nullptr;
    int (*fan)(void*, unsigned*) = nullptr;
    int (*reasons)(void*, std::uint64_t*) = nullptr;
    int (*processes)(void*, unsigned*, void*) = nullptr;
    std::size_t processStride = sizeof(ProcessInfo);
    bool initialised = false;

    template <class F> void load(F& function, std::initializer_list<const char*> names)
    {
        for (const char* symbol : names) {
            if (void* address = dlsym(library, symbol)) {
                function = reinterpret_cast<F>(address);
                return;
            }
        }
    }

    void loadAll()
    {
        load(init, {"nvmlInit_v2", "nvmlInit"});
        load(shutdown, {"nvmlShutdown"});
        load(count, {"nvmlDeviceGetCount_v2", "nvmlDeviceGetCount"});
        load(handle, {"nvmlDeviceGetHandleByIndex_v2", "nvmlDeviceGetHandleByIndex"});
        load(driverVersion, {"nvmlSystemGetDriverVersion"});
        load(name, {"nvmlDeviceGetName"});
        load(uuid, {"nvmlDeviceGetUUID"});
        load(pci, {"nvmlDeviceGetPciInfo_v3"});
        load(utilization, {"nvmlDeviceGetUtilizationRates"});
        load(memoryV2, {"nvmlDeviceGetMemoryInfo_v2"});
        load(memoryV1, {"nvmlDeviceGetMemoryInfo"});
        load(temperature, {"nvmlDeviceGetTemperature"});
        load(threshold, {"nvmlDeviceGetTemperatureThreshold"});
        load(power, {"nvmlDeviceGetPowerUsage"});
        load(powerLimit, {"nvmlDeviceGetEnforcedPowerLimit"});
        load(clock, {"nvmlDeviceGetClockInfo"});
        load(fan, {"nvmlDeviceGetFanSpeed"});
        load(reasons, {"nvmlDeviceGetCurrentClocksEventReasons", "nvmlDeviceGetCurrentClocksThrottleReasons"});
        load(processes, {"nvmlDeviceGetComputeRunningProcesses_v3", "nvmlDeviceGetComputeRunningProcesses_v2"});
        // Some 535 drivers use a wider struct for _v3; the presence of these two symbols tells (facts/monitoring: nvitop's rule).
        if (dlsym(library, "nvmlDeviceGetConfComputeMemSizeInfo") && !dlsym(library, "nvmlDeviceGetRunningProcessDetailList"))
            processStride = sizeof(ProcessInfoWide);
    }
};

Nvml::Nvml(const std::string& library) : m_api(std::make_unique<Api>())
{
    const char* fromEnvironment = std::getenv("SCONCE_NVML");
    const std::string file = !library.empty() ? library : fromEnvironment ? fromEnvironment : "libnvidia-ml.so.1";
    m_api->library = dlopen(file.c_str(), RTLD_LAZY | RTLD_LOCAL);
    if (!m_api->library) {
        m_state = "No NVIDIA driver was found; training uses the CPU.";
        return;
    }
    m_api->loadAll();
    if (!m_api->init || !m_api->shutdown || !m_api->count || !m_api->handle) {
        m_state = "The NVIDIA driver's monitoring library is too old to be read; GPU readings are missing.";
        return;
    }
    if (const int code = m_api->init(); code != Success) {
        m_state = sentenceFor(code);
        return;
    }
    m_api->initialised = true;
    std::array<char, 96> text{};
    if (m_api->driverVersion && m_api->driverVersion(text.data(), text.size()) == Success) m_driver = text.data();
    listDevices();
}

Nvml::~Nvml()
{
    if (m_api->initialised) m_api->shutdown();
    // The library itself stays loaded: its threads may outlive the shutdown.
}

void Nvml::listDevices()
{
    unsigned count = 0;
    const int code = m_api->count(&count);
    int lastError = code;
    for (unsigned index = 0; code == Success && index < count; ++index) {
        void* device = nullptr;
        if (const int opened = m_api->handle(index, &device); opened != Success) { // one bad GPU does not hide the others
            lastError = opened;
            continue;
        }
        GpuFacts gpu;
        gpu.index = static_cast<int>(index);
        std::array<char, 96> text{};
        gpu.name = m_api->name && m_api->name(device, text.data(), text.size()) == Success ? text.data() : "NVIDIA GPU";
        if (m_api->uuid && m_api->uuid(device, text.data(), text.size()) == Success) gpu.uuid = text.data();
        PciInfo pci{};
        if (m_api->pci && m_api->pci(device, &pci) == Success) gpu.pciBusId = std::string(pci.busId, strnlen(pci.busId, sizeof pci.busId));
        unsigned number = 0;
        if (m_api->powerLimit && m_api->powerLimit(device, &number) == Success) gpu.powerLimitWatts = number / 1000.0;
        if (m_api->threshold && m_api->threshold(device, 1, &number) == Success) gpu.temperatureSlowdown = static_cast<int>(number);
        GpuReading memory;
        readMemory(device, memory);
        gpu.memoryBytes = memory.memoryTotal.value_or(0);
        m_handles.push_back(device);
        m_gpus.push_back(std::move(gpu));
    }
    m_processes.resize(m_handles.size());
    if (m_gpus.empty()) m_state = sentenceFor(lastError == Success ? GpuNotFound : lastError);
}

void Nvml::readMemory(void* device, GpuReading& reading) const
{
    // v1 counts the driver's reserve as used: ask v2 first; WSL answers it with 999.
    MemoryV2 memory{memoryV2Version, 0, 0, 0, 0};
    if (m_api->memoryV2 && m_api->memoryV2(device, &memory) == Success && memory.total > 0) {
        reading.memoryUsed = memory.used;
        reading.memoryTotal = memory.total;
        return;
    }
    MemoryV1 old{};
    if (m_api->memoryV1 && m_api->memoryV1(device, &old) == Success && old.total > 0) {
        reading.memoryUsed = old.used;
        reading.memoryTotal = old.total;
    }
}

void Nvml::readLimits(void* device, GpuReading& reading) const
{
    std::uint64_t mask = 0;
    if (!m_api->reasons || m_api->reasons(device, &mask) != Success) return;
    for (const auto& [bit, label] : limitNames)
        if (mask & bit) reading.limitedBy.emplace_back(label);
}

std::vector<GpuProcess> Nvml::processesOf(void* device) const
{
    std::vector<GpuProcess> found;
    if (!m_api->processes) return found;
    unsigned count = 0;
    int code = m_api->processes(device, &count, nullptr);
    std::vector<std::byte> buffer;
    for (int attempt = 0; code == InsufficientSize && attempt < 4; ++attempt) {
        count = 2 * count + 5;
        buffer.assign(count * m_api->processStride, std::byte{});
        code = m_api->processes(device, &count, buffer.data());
    }
    if (code != Success || buffer.empty()) return found;
    for (unsigned i = 0; i < count; ++i) {
        ProcessInfo info;
        std::memcpy(&info, buffer.data() + i * m_api->processStride, sizeof info);
        GpuProcess process{info.pid, processName(info.pid), std::nullopt};
        if (info.usedBytes != ~std::uint64_t{0}) process.memoryBytes = info.usedBytes;
        found.push_back(std::move(process));
    }
    return found;
}

std::vector<GpuReading> Nvml::read(bool withProcesses)
{
    std::vector<GpuReading> readings;
    for (std::size_t i = 0; i < m_handles.size(); ++i) {
        void* device = m_handles[i];
        GpuReading reading;
        Utilization use{};
        unsigned number = 0;
        if (m_api->utilization && m_api->utilization(device, &use) == Success) reading.use = use.gpu / 100.0;
        readMemory(device, reading);
        if (m_api->temperature && m_api->temperature(device, 0, &number) == Success) reading.temperature = number;
        if (m_api->power && m_api->power(device, &number) == Success) reading.powerWatts = number / 1000.0;
        if (m_api->clock && m_api->clock(device, 1, &number) == Success) reading.smClockMhz = number;
        if (m_api->fan && m_api->fan(device, &number) == Success) reading.fan = number / 100.0;
        readLimits(device, reading);
        if (withProcesses) m_processes[i] = processesOf(device);
        reading.processes = m_processes[i];
        readings.push_back(std::move(reading));
    }
    return readings;
}

} // namespace sconce
