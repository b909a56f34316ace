// SPDX-License-Identifier: GPL-3.0-or-later
// The kernel of mask_kernel.inc: compiled by NVRTC for the GPU that is there, launched through the driver. Both are found at run time;
// of NVRTC, whose header is not among those that LibTorch's CUDA part brings, six functions are declared here.
#include "core/engine/cuda/graph.h"

#include "mask_kernel_text.h" // made from mask_kernel.inc

#include <ATen/Version.h>
#include <c10/cuda/CUDAGuard.h>
#include <c10/cuda/CUDAStream.h>

#include <cuda.h>
#include <cuda_runtime_api.h>

#include <algorithm>
#include <dlfcn.h>
#include <map>
#include <mutex>
#include <vector>

namespace sconce::engine {
namespace {

using Program = struct NvrtcProgram*;
struct Nvrtc
{
    int (*create)(Program*, const char*, const char*, int, const char* const*, const char* const*) = nullptr;
    int (*compile)(Program, int, const char* const*) = nullptr;
    int (*codeSize)(Program, std::size_t*) = nullptr;
    int (*code)(Program, char*) = nullptr;
    int (*destroy)(Program*) = nullptr;
    bool complete = false;
};
struct Driver
{
    CUresult (*load)(CUmodule*, const void*) = nullptr;
    CUresult (*function)(CUfunction*, CUmodule, const char*) = nullptr;
    CUresult (*launch)(CUfunction, unsigned, unsigned, unsigned, unsigned, unsigned, unsigned, unsigned, CUstream, void**, void**) = nullptr;
    bool complete = false;
};

template <class F> bool take(void* library, const char* name, F*& function)
{
    function = library ? reinterpret_cast<F*>(dlsym(library, name)) : nullptr;
    return function != nullptr;
}

/// Where the wheels have NVIDIA's libraries.
std::string besideTorch()
{
    Dl_info info{};
    if (!dladdr(reinterpret_cast<void*>(&at::get_cpu_capability), &info) || !info.dli_fname) return {};
    const std::string path = info.dli_fname;
    return path.substr(0, path.rfind('/') + 1) + "../../nvidia/cu13/lib/";
}

const Nvrtc& nvrtc()
{
    static const Nvrtc functions = [] {
        Nvrtc n;
        const std::string folder = besideTorch();
        dlopen((folder + "libnvrtc-builtins.so.13.0").c_str(), RTLD_NOW | RTLD_LOCAL); // NVRTC asks for it by its name
        void* library = dlopen((folder + "libnvrtc.so.13").c_str(), RTLD_NOW | RTLD_LOCAL);
        if (!library) library = dlopen("libnvrtc.so.13", RTLD_NOW | RTLD_LOCAL); // of a CUDA Toolkit
        n.complete = take(library, "nvrtcCreateProgram", n.create) && take(library, "nvrtcCompileProgram", n.compile) && take(library, "nvrtcGetCUBINSize", n.codeSize) &&
                     take(library, "nvrtcGetCUBIN", n.code) && take(library, "nvrtcDestroyProgram", n.destroy);
        return n;
    }();
    return functions;
}

const Driver& driver()
{
    static const Driver functions = [] {
        Driver d;
        void* library = dlopen("libcuda.so.1", RTLD_NOW | RTLD_LOCAL);
        d.complete = take(library, "cuModuleLoadData", d.load) && take(library, "cuModuleGetFunction", d.function) && take(library, "cuLaunchKernel", d.launch);
        return d;
    }();
    return functions;
}

struct Kernel
{
    CUfunction function = nullptr;
    unsigned processors = 1;
    std::string whyNot;
};

Kernel compiled(int device)
{
    Kernel kernel;
    kernel.whyNot = "The GPU's kernel for dropout could not be compiled";
    if (!nvrtc().complete || !driver().complete) {
        kernel.whyNot += ": NVRTC is not there.";
        return kernel;
    }
    const c10::cuda::CUDAGuard current(static_cast<c10::DeviceIndex>(device));
    cudaFree(nullptr); // the driver's functions want a context
    int major = 0, minor = 0, processors = 0;
    cudaDeviceGetAttribute(&major, cudaDevAttrComputeCapabilityMajor, device);
    cudaDeviceGetAttribute(&minor, cudaDevAttrComputeCapabilityMinor, device);
    cudaDeviceGetAttribute(&processors, cudaDevAttrMultiProcessorCount, device);
    const std::string architecture = "--gpu-architecture=sm_" + std::to_string(major * 10 + minor);
    const char* options[] = {architecture.c_str()};
    Program program = nullptr;
    std::vector<char> code;
    int status = nvrtc().create(&program, maskKernelText, "dropout mask", 0, nullptr, nullptr);
    if (status == 0) status = nvrtc().compile(program, 1, options);
    std::size_t size = 0;
    if (status == 0) status = nvrtc().codeSize(program, &size);
    code.resize(size);
    if (status == 0) status = nvrtc().code(program, code.data());
    if (program) nvrtc().destroy(&program);
    CUmodule module = nullptr; // never unloaded: the process trains with it
    if (status != 0 || driver().load(&module, code.data()) != CUDA_SUCCESS || driver().function(&kernel.function, module, "sconceDropoutMask") != CUDA_SUCCESS) {
        kernel.whyNot += " for " + architecture.substr(architecture.rfind('s')) + " (" + std::to_string(status) + ").";
        return kernel;
    }
    kernel.processors = static_cast<unsigned>(std::max(1, processors));
    kernel.whyNot.clear();
    return kernel;
}

const Kernel& kernelOf(int device)
{
    static std::mutex mutex;
    static std::map<int, Kernel> kernels;
    const std::scoped_lock lock(mutex);
    const auto found = kernels.find(device);
    return found != kernels.end() ? found->second : kernels.emplace(device, compiled(device)).first->second;
}

} // namespace

std::string prepareMasks(int device)
{
    return kernelOf(device).whyNot;
}

void fillMask(at::Tensor& mask, const at::Tensor& step, const MaskKey& key)
{
    if (mask.numel() == 0) return;
    const Kernel& kernel = kernelOf(mask.get_device());
    TORCH_CHECK(kernel.function, kernel.whyNot);
    constexpr unsigned threads = 256, blocksPerProcessor = 8;
    float* out = mask.data_ptr<float>();
    unsigned long long count = static_cast<unsigned long long>(mask.numel()), first = key.first;
    const std::int64_t* number = step.const_data_ptr<std::int64_t>();
    auto mixed = key.mixed;
    unsigned threshold = key.threshold;
    int all = key.all;
    float scale = key.scale;
    void* arguments[] = {&out, &count, &first, &number, &mixed[0], &mixed[1], &mixed[2], &mixed[3], &threshold, &all, &scale};
    const auto blocks = static_cast<unsigned>(std::min<unsigned long long>((count / 4 + threads) / threads + 1, kernel.processors * blocksPerProcessor));
    const CUresult launched = driver().launch(kernel.function, blocks, 1, 1, threads, 1, 1, 0, c10::cuda::getCurrentCUDAStream(mask.get_device()).stream(), arguments, nullptr);
    TORCH_CHECK(launched == CUDA_SUCCESS, "the dropout kernel was not launched: error ", static_cast<int>(launched));
}

} // namespace sconce::engine
