// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/engine/backend/cuda_library.h"

#include <ATen/Version.h>

#include <array>
#include <cstdio>
#include <dlfcn.h>
#include <fstream>
#include <mutex>
#include <unistd.h>

namespace sconce::engine {
namespace {

/// A function of a library by name and type.
template <class F> F* symbol(void* library, const char* name)
{
    return library ? reinterpret_cast<F*>(dlsym(library, name)) : nullptr;
}

void* driverLibrary()
{
    static void* const library = dlopen("libcuda.so.1", RTLD_NOW | RTLD_LOCAL); // never closed: the driver keeps threads
    return library;
}

std::string folderOfTorch()
{
    Dl_info info{};
    if (!dladdr(reinterpret_cast<void*>(&at::get_cpu_capability), &info) || !info.dli_fname) return {};
    const std::string path = info.dli_fname;
    return path.substr(0, path.rfind('/'));
}

std::string loadOnce()
{
    if (!hasNvidiaDriver()) return "No NVIDIA driver was found, so this machine trains on its CPU.";
    const std::string path = folderOfTorch() + "/libtorch_cuda.so";
    if (access(path.c_str(), R_OK) != 0) return "LibTorch's CUDA part is not installed; run ./installer/setup.sh --gpu to add it.";
    // Global, because its parts look each other up; never closed, because it registers itself for good.
    if (!dlopen(path.c_str(), RTLD_NOW | RTLD_GLOBAL)) {
        const char* reason = dlerror();
        return std::string("LibTorch's CUDA part could not be loaded; run ./installer/setup.sh --gpu to complete it (") +
               (reason ? reason : "no reason given") + ").";
    }
    return {};
}

std::string uuidText(const std::array<unsigned char, 16>& bytes)
{
    std::string text = "GPU-";
    for (std::size_t i = 0; i < bytes.size(); ++i) {
        char two[3];
        std::snprintf(two, sizeof two, "%02x", bytes[i]);
        if (i == 4 || i == 6 || i == 8 || i == 10) text += '-';
        text += two;
    }
    return text;
}

/// Free memory without making a CUDA context (which takes seconds and hundreds of megabytes): NVML knows it by UUID.
class FreeMemory
{
  public:
    FreeMemory() : m_library(dlopen("libnvidia-ml.so.1", RTLD_NOW | RTLD_LOCAL))
    {
        auto* init = symbol<int()>(m_library, "nvmlInit_v2");
        m_ready = init && init() == 0;
    }
    ~FreeMemory()
    {
        if (m_ready)
            if (auto* shutdown = symbol<int()>(m_library, "nvmlShutdown")) shutdown();
    }
    FreeMemory(const FreeMemory&) = delete;
    FreeMemory& operator=(const FreeMemory&) = delete;

    std::uint64_t of(const std::string& uuid) const
    {
        struct Memory { unsigned long long total, free, used; };
        auto* find = symbol<int(const char*, void**)>(m_library, "nvmlDeviceGetHandleByUUID");
        auto* read = symbol<int(void*, Memory*)>(m_library, "nvmlDeviceGetMemoryInfo");
        void* handle = nullptr;
        Memory memory{};
        if (!m_ready || !find || !read || find(uuid.c_str(), &handle) != 0 || read(handle, &memory) != 0) return 0;
        return memory.free;
    }

  private:
    void* m_library;
    bool m_ready = false;
};

} // namespace

bool hasNvidiaDriver()
{
    return access("/proc/driver/nvidia/version", R_OK) == 0 || driverLibrary() != nullptr;
}

const std::string& loadTorchCuda()
{
    static const std::string whyNot = loadOnce();
    return whyNot;
}

std::vector<DriverDevice> driverDevices()
{
    void* library = driverLibrary();
    auto* init = symbol<int(unsigned)>(library, "cuInit");
    auto* count = symbol<int(int*)>(library, "cuDeviceGetCount");
    auto* get = symbol<int(int*, int)>(library, "cuDeviceGet");
    auto* name = symbol<int(char*, int, int)>(library, "cuDeviceGetName");
    auto* memory = symbol<int(std::size_t*, int)>(library, "cuDeviceTotalMem_v2");
    auto* attribute = symbol<int(int*, int, int)>(library, "cuDeviceGetAttribute");
    using UuidFn = int(std::array<unsigned char, 16>*, int);
    auto* uuid = symbol<UuidFn>(library, "cuDeviceGetUuid_v2");
    if (!uuid) uuid = symbol<UuidFn>(library, "cuDeviceGetUuid");
    int devices = 0;
    if (!init || !count || !get || init(0) != 0 || count(&devices) != 0) return {};

    const FreeMemory freeMemory;
    std::vector<DriverDevice> result;
    for (int i = 0; i < devices; ++i) {
        DriverDevice entry;
        int device = 0;
        if (get(&device, i) != 0) continue;
        std::array<char, 256> text{};
        if (name && name(text.data(), static_cast<int>(text.size()) - 1, device) == 0) entry.name = text.data();
        std::array<unsigned char, 16> bytes{};
        if (uuid && uuid(&bytes, device) == 0) entry.uuid = uuidText(bytes);
        std::size_t total = 0;
        if (memory && memory(&total, device) == 0) entry.memoryBytes = total;
        int major = 0, minor = 0; // CU_DEVICE_ATTRIBUTE_COMPUTE_CAPABILITY_MAJOR and _MINOR
        if (attribute && attribute(&major, 75, device) == 0 && attribute(&minor, 76, device) == 0)
            entry.capability = std::to_string(major) + "." + std::to_string(minor);
        entry.freeBytes = freeMemory.of(entry.uuid);
        result.push_back(std::move(entry));
    }
    return result;
}

std::string driverVersion()
{
    // "NVRM version: NVIDIA UNIX x86_64 Kernel Module  580.65.06  Sun …"
    std::ifstream file("/proc/driver/nvidia/version");
    std::string word;
    while (file >> word) {
        const bool version = word.size() > 3 && word.find('.') != std::string::npos &&
                             word.find_first_not_of("0123456789.") == std::string::npos;
        if (version) return word;
    }
    return {};
}

} // namespace sconce::engine
