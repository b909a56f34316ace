// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
// Runs a prepared plan over at:: operators, one function per primitive; autograd records as it goes. Private to the engine.

#include "core/model/passes.h"

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <span>
#include <string>
#include <vector>

namespace sconce::engine {

struct RunContext;

/// Looks on while a plan runs: profiles, histograms. Where nobody does, there is none.
class StepObserver
{
  public:
    virtual ~StepObserver() = default;
    /// `count` steps are about to run, in one kernel where they are several.
    virtual void before(const ExecutionPlan&, const RunContext&, std::size_t /*first*/, std::size_t /*count*/) {}
    /// They have run; `step` is the first of them. The result may be overwritten by a later step.
    virtual void after(const ExecutionPlan&, std::size_t /*step*/, const at::Tensor& /*result*/) {}
    /// The backward pass is about to begin from here.
    virtual void goingBack(const at::Tensor&) {}
};

/// What a run needs besides the plan. `staged` takes the running statistics that a training run would leave behind; they
/// become real only when the step is committed (rule 6). Entries stay undefined where nothing changed.
struct RunContext
{
    std::span<const at::Tensor> parameters;
    std::span<const at::Tensor> buffers;
    std::vector<at::Tensor>* staged = nullptr; ///< required in training; size of buffers
    bool training = false;
    std::uint64_t seed = 0;
    std::int64_t step = 0; ///< keys dropout
    at::Tensor stepOnDevice; ///< the same as an int64 there; where it is given, dropout reads it, so that the run can be recorded
    bool again = false;     ///< a segment computed a second time: the running statistics have had their share
    StepObserver* observer = nullptr;
    bool counted = true;    ///< dropout by Philox of core/base; else by torch's own generator
    std::int64_t firstRow = 0; ///< of this piece in its batch: what rows draw by Philox, and on the processor, does not depend on how a batch is cut
};

/// The plan's output for an input [N, …] (int64 where it takes symbols), in float32. Throws like torch does; checks that every step gives the declared shape and
/// the type that the pass chose for it.
at::Tensor runPlan(const ExecutionPlan& execution, const at::Tensor& input, const RunContext& context);
/// A convolution or matrix product of the plan alone, from float32 to float32, computed in `type`: to be timed.
at::Tensor runProduct(const ExecutionPlan& execution, std::size_t step, const at::Tensor& input, const RunContext& context, DType type);

/// A float mask of the shape of `x`: 0 with probability `rate`, else 1/(1-rate). A function of seed, layer, step, row and
/// element by Philox of core/base, the same numbers on the processor and on a GPU. Where that is not wanted, or the GPU's kernel is not
/// to be had (masksOnDevice()), torch's generator of the device draws them, seeded from the same key: other numbers, but just as repeatable.
at::Tensor dropoutMask(const at::Tensor& x, const DropoutOp& op, const RunContext& context);
/// Empty where masks are a function of what lies on the device, so that a run can be recorded; else why they are not.
std::string masksOnDevice(at::Device device);

} // namespace sconce::engine
