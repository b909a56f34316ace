// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/engine/backend/cuda_part.h"

#include "core/engine/backend/cuda_library.h"
#include "core/engine/backend/failure.h"

#include <cstring>
#include <dlfcn.h>
#include <unistd.h>

namespace sconce::engine {
namespace {

/// Of the library (or, in a test, the program) that holds this code.
std::string ownFolder()
{
    Dl_info info{};
    if (!dladdr(reinterpret_cast<void*>(&cudaPart), &info) || !info.dli_fname) return ".";
    const std::string path = info.dli_fname;
    const auto slash = path.rfind('/');
    return slash == std::string::npos ? "." : path.substr(0, slash);
}

CudaPart load()
{
    CudaPart part;
    part.whyNot = loadTorchCuda();
    if (part.whyNot.empty()) part.whyNot = loadCudaPart(ownFolder() + "/" + cudaLibraryName, &part.table);
    return part;
}

StepGraphMaker& otherMaker()
{
    static StepGraphMaker maker;
    return maker;
}

} // namespace

std::string loadCudaPart(const std::string& path, const CudaTable** table)
{
    *table = nullptr;
    if (access(path.c_str(), R_OK) != 0)
        return "The engine's part for CUDA graphs was not built: CUDA's headers were missing then. ./installer/setup.sh --gpu fetches them.";
    void* library = dlopen(path.c_str(), RTLD_NOW | RTLD_LOCAL); // never closed, as torch's is not
    if (!library) {
        const char* reason = dlerror();
        return std::string("The engine's part for CUDA graphs could not be loaded (") + (reason ? reason : "no reason given") + ").";
    }
    using TableFn = const CudaTable*();
    auto* function = reinterpret_cast<TableFn*>(dlsym(library, cudaTableSymbol));
    const CudaTable* found = function ? function() : nullptr;
    const CudaTable ours;
    if (!found || std::strcmp(found->version, ours.version) != 0 || std::strcmp(found->torch, ours.torch) != 0 || found->size != ours.size)
        return "The engine's part for CUDA graphs is of another version; build Sconce again.";
    *table = found;
    return {};
}

const CudaPart& cudaPart()
{
    static const CudaPart part = load();
    return part;
}

Result<std::unique_ptr<StepGraph>> makeStepGraph(at::Device device)
{
    if (otherMaker()) return otherMaker()(device);
    if (!device.is_cuda()) return Error{ErrorCode::Unsupported, "CUDA graphs are for NVIDIA GPUs.", "", {}};
    if (!cudaPart().table) return Error{ErrorCode::Unsupported, cudaPart().whyNot, "", {}};
    return guarded("preparing a CUDA graph", [&]() -> Result<std::unique_ptr<StepGraph>> { return cudaPart().table->makeStepGraph(device.index()); });
}

void setStepGraphMaker(StepGraphMaker maker) { otherMaker() = std::move(maker); }

} // namespace sconce::engine
