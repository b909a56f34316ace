// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
// What a device can be told once and do again: on an NVIDIA GPU a CUDA graph (core/engine/cuda/), in tests a tape of operators.
// Free of CUDA's headers. Private to the engine; a graph is used by the thread that made it.

#include "core/base/result.h"

#include <ATen/core/Tensor.h>

#include <functional>
#include <memory>

namespace sconce::engine {

/// Pieces of work, of which one is done at a time. All that changes from one replay to the next must lie in tensors that live as long as the graph: what the host
/// knew while the work was recorded is part of it for good.
class StepGraph
{
  public:
    virtual ~StepGraph() = default;
    /// Does the work where it will be recorded, so that whatever is set up at the first use is there. Waits until it is done.
    virtual void warmUp(const std::function<void()>& work) = 0;
    /// Notes what the work tells the device, and gives the piece's number, from 0 on; afterwards the device's memory is as if that had
    /// not been done, or the caller puts it back. Pieces share the memory that they work in, and leave nothing there for one another.
    /// Throws where the work waits for the device or does what cannot be noted: there is no such piece then, but those before it.
    virtual std::size_t record(const std::function<void()>& work) = 0;
    /// Tells the device all of a piece again, in order with what it is told before and behind; does not wait.
    virtual void replay(std::size_t piece) = 0;
    /// Of a piece nothing more is wanted.
    virtual void forget(std::size_t piece) = 0;
    /// Waits for the device and tells the time, in seconds.
    virtual double finished() = 0;
};

/// Unsupported, with the reason, where there is no such thing: on the processor, or without the library over CUDA.
Result<std::unique_ptr<StepGraph>> makeStepGraph(at::Device device);

/// For tests: another maker, for the processor too; null puts the own one back. Not while a session is being opened.
using StepGraphMaker = std::function<Result<std::unique_ptr<StepGraph>>(at::Device)>;
void setStepGraphMaker(StepGraphMaker maker);

} // namespace sconce::engine
