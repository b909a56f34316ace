// SPDX-License-Identifier: GPL-3.0-or-later
// Steps as CUDA graphs over at::cuda::CUDAGraph: recorded on a stream of their own, from memory of their own, which they share.
#include "core/engine/cuda/graph.h"

#include "core/base/clock.h"

#include <ATen/cuda/CUDAGraph.h>
#include <c10/cuda/CUDACachingAllocator.h>
#include <c10/cuda/CUDAFunctions.h>
#include <c10/cuda/CUDAGuard.h>
#include <c10/cuda/CUDAStream.h>

#include <cuda_runtime_api.h>

#include <memory>
#include <vector>

namespace sconce::engine {
namespace {

class CudaStepGraph final : public StepGraph
{
  public:
    explicit CudaStepGraph(int device) : m_device(static_cast<c10::DeviceIndex>(device)), m_stream(c10::cuda::getStreamFromPool(false, m_device)) {}

    ~CudaStepGraph() override
    {
        try { // a replay may be under way in the memory that is given back now
            c10::cuda::device_synchronize();
        } catch (...) {
        }
    }
    void warmUp(const std::function<void()>& work) override
    {
        c10::cuda::getCurrentCUDAStream(m_device).synchronize(); // what the work reads has been written
        const c10::cuda::CUDAStreamGuard aside(m_stream);        // cuBLAS and cuDNN keep what they need by stream
        work();
        m_stream.synchronize();
    }
    std::size_t record(const std::function<void()>& work) override
    {
        auto graph = std::make_unique<at::cuda::CUDAGraph>();
        c10::cuda::device_synchronize();
        const c10::cuda::CUDAStreamGuard aside(m_stream);
        // Other threads (a checkpoint being written, the window's telemetry) may go on with what a capture forbids.
        graph->capture_begin(m_pool, cudaStreamCaptureModeThreadLocal);
        try {
            work();
        } catch (...) {
            abandon(*graph);
            throw;
        }
        try {
            graph->capture_end();
        } catch (...) {
            letGo();
            throw;
        }
        m_graphs.push_back(std::move(graph));
        return m_graphs.size() - 1;
    }
    void replay(std::size_t piece) override { m_graphs[piece]->replay(); }
    void forget(std::size_t piece) override
    {
        c10::cuda::device_synchronize();
        m_graphs[piece].reset();
    }
    double finished() override
    {
        c10::cuda::device_synchronize();
        return Clock::system().monotonicSeconds();
    }

  private:
    /// The capture is ended for its side effects: the stream and the allocator's pool are to be of use again.
    void abandon(at::cuda::CUDAGraph& graph) noexcept
    {
        try {
            graph.capture_end();
            graph.reset();
        } catch (...) {
            letGo();
        }
    }
    /// torch stops half-way through the end of a capture that CUDA has given up: the allocator would serve everything from the pool.
    void letGo() noexcept
    {
        try {
            (void)cudaGetLastError(); // told already
            c10::cuda::CUDACachingAllocator::endAllocateToPool(m_device, m_pool);
            c10::cuda::CUDACachingAllocator::releasePool(m_device, m_pool);
        } catch (...) { // it had been ended
        }
        (void)cudaGetLastError();
    }

    c10::DeviceIndex m_device;
    c10::cuda::CUDAStream m_stream;
    const c10::MempoolId_t m_pool = at::cuda::graph_pool_handle();
    std::vector<std::unique_ptr<at::cuda::CUDAGraph>> m_graphs;
};

} // namespace

std::unique_ptr<StepGraph> makeCudaStepGraph(int device)
{
    const c10::cuda::CUDAGuard current(static_cast<c10::DeviceIndex>(device));
    return std::make_unique<CudaStepGraph>(device);
}

} // namespace sconce::engine
