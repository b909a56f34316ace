// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/engine/backend/kept_memory.h"

#include "core/engine/backend/engine_table.h"
#include "core/engine/backend/failure.h"

#include <ATen/core/CachingHostAllocator.h>
#include <c10/core/CachingDeviceAllocator.h>

#include <algorithm>
#include <malloc.h>

namespace sconce::engine {

namespace {

/// Null until something was computed on a GPU. Throws while LibTorch's CUDA part is not loaded; to ask whether it is would fix the
/// answer for the process.
c10::DeviceAllocator* gpuAllocator()
{
    if (!gpuInUse()) return nullptr;
    c10::DeviceAllocator* allocator = c10::getDeviceAllocator(c10::kCUDA);
    return allocator->initialized() ? allocator : nullptr;
}

} // namespace

std::atomic<bool>& gpuInUse()
{
    static std::atomic<bool> used{false};
    return used;
}

std::atomic<int>& trainingSessions()
{
    static std::atomic<int> open{0};
    return open;
}

std::optional<KeptMemory> keptMemory(const std::string& device)
{
    auto result = guarded("reading the GPU's memory", [&]() -> Result<std::optional<KeptMemory>> {
        const at::Device gpu(device);
        c10::DeviceAllocator* allocator = gpu.is_cuda() ? gpuAllocator() : nullptr;
        if (!allocator) return std::optional<KeptMemory>();
        const auto stats = allocator->getDeviceStats(gpu.has_index() ? gpu.index() : c10::DeviceIndex{0});
        const auto bytes = [](std::int64_t value) { return static_cast<std::uint64_t>(std::max<std::int64_t>(0, value)); };
        return std::optional(KeptMemory{bytes(stats.allocated_bytes[0].current), bytes(stats.reserved_bytes[0].current)});
    });
    return result.valueOr(std::nullopt);
}

void releaseCachedMemory()
{
    if (trainingSessions() > 0) return;
    // What fails here is left where it is: the next step finds it there.
    (void)guarded("giving memory back to the GPU", []() -> Result<void> {
        c10::DeviceAllocator* allocator = gpuAllocator();
        if (!allocator) return {};
        allocator->emptyCache();
        at::getHostAllocator(at::kCUDA)->empty_cache(); // batches on their way there
        return {};
    });
    malloc_trim(0); // prepareEngineProcess() has the heap keep what is freed
}

} // namespace sconce::engine
