// SPDX-License-Identifier: GPL-3.0-or-later
// The engine's public functions: load the engine library (backend/) when first needed, and pass on. No torch here.
#include "core/engine/backend/engine_table.h"

#include <algorithm>
#include <atomic>
#include <cstdlib>
#include <cstring>
#include <dlfcn.h>
#include <filesystem>
#include <malloc.h>
#include <mutex>
#include <unistd.h>

namespace sconce {
namespace {

using engine::EngineTable;

/// Beside the program (a build), or where a package puts it.
std::vector<std::string> candidates()
{
    std::error_code ignored;
    const std::filesystem::path program = std::filesystem::read_symlink("/proc/self/exe", ignored).parent_path();
    return {(program / engine::engineLibraryName).string(),
            (program / ".." / "lib" / "sconce" / engine::engineLibraryName).lexically_normal().string()};
}

struct Loaded
{
    const EngineTable* table = nullptr;
    std::string whyNot; ///< for the log
};

Loaded load()
{
    Loaded result;
    for (const std::string& path : candidates()) {
        if (access(path.c_str(), R_OK) != 0) {
            result.whyNot += path + ": not there; ";
            continue;
        }
        // Never closed: LibTorch registers itself for good and leaves threads behind.
        void* library = dlopen(path.c_str(), RTLD_NOW | RTLD_LOCAL);
        if (!library) {
            const char* reason = dlerror();
            result.whyNot += reason ? std::string(reason) + "; " : path + ": no reason given; ";
            continue;
        }
        using TableFn = const EngineTable*();
        auto* function = reinterpret_cast<TableFn*>(dlsym(library, engine::engineTableSymbol));
        const EngineTable* table = function ? function() : nullptr;
        const EngineTable ours;
        const bool fits = table && std::strcmp(table->version, ours.version) == 0 && std::equal(std::begin(ours.sizes), std::end(ours.sizes), std::begin(table->sizes));
        if (!fits) {
            result.whyNot += path + ": of another version; ";
            continue;
        }
        result.table = table;
        return result;
    }
    return result;
}

/// Of the library once it is loaded, for those who have nothing to ask of one that is not.
std::atomic<const EngineTable*> inUse{nullptr};

const Loaded& loaded()
{
    static const Loaded once = [] {
        const Loaded result = load();
        inUse = result.table;
        return result;
    }();
    return once;
}

Error noEngine()
{
    return {ErrorCode::Unsupported, "Sconce's engine library could not be loaded, so nothing can be computed.",
            "Run ./installer/run.sh to build it again and to check that LibTorch is installed.", loaded().whyNot};
}

} // namespace

Result<std::unique_ptr<Session>> Session::open(SessionSpec spec)
{
    prepareEngineProcess();
    const EngineTable* table = loaded().table;
    if (!table) return noEngine();
    return table->openSession(std::move(spec));
}

Result<std::unique_ptr<BatchFeed>> BatchFeed::open(BatchFeedSpec spec)
{
    prepareEngineProcess();
    const EngineTable* table = loaded().table;
    if (!table) return noEngine();
    return table->openBatchFeed(std::move(spec));
}

StepSettings stepSettings(const TrainingSettings& training)
{
    StepSettings step;
    step.microBatch = wholeOf(training, "gradients", "micro_batch");
    step.clipNorm = realOf(training, "gradients", "clip_norm");
    step.clipValue = realOf(training, "gradients", "clip_value");
    step.averageDecay = realOf(training, "averaging", "decay");
    step.channelsLast = flagOf(training, "speed", "channels_last");
    step.poolsFirst = flagOf(training, "speed", "pools_first");
    step.countedDropout = flagOf(training, "speed", "counted_dropout");
    step.fusedOptimiser = flagOf(training, "speed", "fused_optimiser");
    step.fuse = flagOf(training, "speed", "fused_blocks");
    step.record = flagOf(training, "speed", "cuda_graph");
    step.autotune = flagOf(training, "speed", "autotune");
    step.resident = flagOf(training, "speed", "resident_data");
    step.deterministic = flagOf(training, "speed", "deterministic");
    step.precision = wordOf(training, "precision", "compute");
    step.firstScale = realOf(training, "precision", "first_scale");
    step.scaleGrowsAfter = wholeOf(training, "precision", "scale_grows_after");
    step.recompute = wordOf(training, "memory", "recompute") == "blocks";
    step.batch = step.microBatch > 0 ? std::min(step.microBatch, training.batchSize) : training.batchSize;
    return step;
}

std::vector<ComputeDevice> computeDevices()
{
    prepareEngineProcess();
    if (const EngineTable* table = loaded().table) return table->computeDevices();
    ComputeDevice cpu;
    cpu.id = cpu.name = "cpu";
    cpu.usable = false;
    cpu.whyNot = noEngine().text();
    return {cpu};
}

EngineVersions engineVersions()
{
    prepareEngineProcess();
    const EngineTable* table = loaded().table;
    return table ? table->engineVersions() : EngineVersions{};
}

Result<std::string> resolveDevice(const std::string& wanted)
{
    if (wanted == "cpu") return wanted; // needs no look at the machine
    prepareEngineProcess();
    const EngineTable* table = loaded().table;
    if (!table) return noEngine();
    return table->resolveDevice(wanted);
}

std::optional<KeptMemory> keptMemory(const std::string& device)
{
    const EngineTable* table = inUse;
    return table ? table->keptMemory(device) : std::nullopt;
}

void releaseCachedMemory()
{
    if (const EngineTable* table = inUse) table->releaseCachedMemory();
}

void prepareEngineProcess()
{
    static std::once_flag once;
    std::call_once(once, [] {
        // glibc gives each large block fresh pages and takes them back at once: an 11 MB activation costs 2,700 page faults
        // a step, up to half of the time. Keep such blocks in the heap. Threads other than the first have heaps of at most
        // 64 MB in pieces, so all share the first one.
        if (const char* how = std::getenv("SCONCE_MALLOC"); !how || std::strcmp(how, "system") != 0) {
            mallopt(M_ARENA_MAX, 1);
            if (!mallopt(M_MMAP_THRESHOLD, 1 << 30)) mallopt(M_MMAP_THRESHOLD, 32 << 20);
            mallopt(M_TRIM_THRESHOLD, 512 << 20);
            mallopt(M_TOP_PAD, 64 << 20);
        }
        // Read at the first use of a GPU; what the person set stays.
        setenv("PYTORCH_ALLOC_CONF", "expandable_segments:True", 0);
        setenv("CUBLAS_WORKSPACE_CONFIG", ":4096:8", 0);
    });
}

} // namespace sconce
