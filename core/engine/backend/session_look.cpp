// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/engine/backend/session_impl.h"

#include "core/base/clock.h"
#include "core/engine/backend/failure.h"
#include "core/engine/backend/tensors.h"

#include <ATen/core/grad_mode.h>
#include <ATen/ops/div.h>
#include <c10/core/Allocator.h>
#include <c10/core/CachingDeviceAllocator.h>
#include <c10/util/Logging.h>
#include <c10/util/ThreadLocalDebugInfo.h>

#include <algorithm>
#include <map>

namespace sconce::engine {

using at::Tensor;

namespace {

/// Counts the bytes of tensors that come to be on the CPU while it is in place, and their highest sum. Tensors that were there before
/// are not known to it, neither when they come nor when they go.
class MemoryMeter final : public c10::MemoryReportingInfoBase
{
  public:
    void reportMemoryUsage(void*, std::int64_t bytes, std::size_t, std::size_t, c10::Device device) override
    {
        if (!device.is_cpu()) return;
        m_now += bytes;
        m_peak = std::max(m_peak, m_now);
    }
    bool memoryProfilingEnabled() const override { return true; }
    std::uint64_t peak() const { return static_cast<std::uint64_t>(m_peak); }

  private:
    std::int64_t m_now = 0, m_peak = 0;
};

/// torch would say on standard error that such tensors went: nothing that a person could use.
class Hushed
{
  public:
    Hushed() { FLAGS_caffe2_log_level = std::max(FLAGS_caffe2_log_level, errorsOnly); }
    ~Hushed() { FLAGS_caffe2_log_level = m_before; }

  private:
    static constexpr int errorsOnly = 2;
    const int m_before = FLAGS_caffe2_log_level;
};

/// The numbers of a tensor in some order, in float32 on the host; as they lie where they can be read so.
class Numbers
{
  public:
    explicit Numbers(const Tensor& tensor)
    {
        m_tensor = tensor.detach().to(at::TensorOptions().device(at::kCPU).dtype(at::kFloat));
        if (!m_tensor.is_non_overlapping_and_dense()) m_tensor = m_tensor.contiguous();
    }
    std::span<const float> values() const { return {m_tensor.const_data_ptr<float>(), static_cast<std::size_t>(m_tensor.numel())}; }

  private:
    Tensor m_tensor;
};

/// Of each layer's last step: what the layer puts out.
class OutputWatch final : public StepObserver
{
  public:
    explicit OutputWatch(const Plan& plan)
    {
        std::map<LayerId, std::size_t> last;
        for (std::size_t i = 0; i < plan.steps.size(); ++i) last[plan.steps[i].layer] = i;
        for (const auto& [layer, step] : last) m_outputs[step].layer = layer;
    }
    bool ranging = true, placing = true; ///< both where the batch comes in one piece

    void after(const ExecutionPlan&, std::size_t step, const Tensor& result) override
    {
        const auto found = m_outputs.find(step);
        if (found == m_outputs.end()) return;
        Output& output = found->second;
        const Numbers numbers(result);
        if (ranging) {
            output.builder.range(numbers.values());
            if (output.shape.empty()) output.shape.assign(result.sizes().begin(), result.sizes().end());
            else output.shape[0] += result.size(0);
        }
        if (placing) output.builder.place(numbers.values());
    }
    std::vector<TensorNumbers> finish()
    {
        std::vector<TensorNumbers> result;
        for (auto& [step, output] : m_outputs)
            result.push_back({TensorNumbers::Kind::Activation, output.layer, output.layer, std::move(output.shape), output.builder.finish()});
        return result;
    }

  private:
    struct Output { LayerId layer; std::vector<std::int64_t> shape; HistogramBuilder builder; };
    std::map<std::size_t, Output> m_outputs; ///< by step, so in the order of the plan
};

} // namespace

Result<StepProfile> SessionImpl::profileStep(std::int64_t step, std::span<const std::int64_t> rows, double learningRate)
{
    return guarded("profiling a step", [&]() -> Result<StepProfile> {
        std::uint64_t own = 0;
        const auto add = [&own](const std::vector<Tensor>& tensors) {
            for (const Tensor& tensor : tensors) own += tensor.nbytes();
        };
        add(m_parameters);
        add(m_buffers);
        add(m_average);
        if (m_optimiser) add(m_optimiser->allTensors());
        if (m_device.is_cuda()) c10::getDeviceAllocator(c10::kCUDA)->resetPeakStats(m_device.index());

        const auto meter = std::make_shared<MemoryMeter>();
        const Hushed hushed;
        const c10::DebugInfoGuard metering(c10::DebugInfoKind::PROFILER_STATE, meter);
        const auto profiler = std::make_shared<Profiler>(m_device);
        struct Looking
        {
            SessionImpl& session;
            ~Looking() { session.m_profiler.reset(); }
        } const looking{*this};
        m_profiler = profiler;
        StepProfile profile;
        profile.startedAt = Clock::system().monotonicSeconds();
        profile.clock = m_device.is_cpu() ? "processor" : "events on the GPU";
        const int whole = profiler->open(ProfilePhase::Step);
        SCONCE_TRY(forward(step, rows));
        SCONCE_TRY(backward());
        SCONCE_TRY(commit(learningRate));
        profiler->close(whole);
        profile.spans = profiler->finish();
        profile.peakBytes = m_device.is_cpu() ? own + meter->peak() : deviceMemory().peak;
        return profile;
    });
}

/// The plan as the recipe's layers asked for it: nothing moved, fused, joined to the loss or overwritten.
ExecutionPlan SessionImpl::plainPlan() const
{
    ExecutionPlan plain;
    plain.plan = m_spec.plan;
    const std::size_t steps = plain.plan.steps.size();
    plain.channelsLast = m_execution.channelsLast;
    plain.fusions.resize(steps);
    plain.inPlace.assign(steps, 0);
    plain.dead = markDead(plain.plan);
    plain.computes = chooseTypes(plain.plan, plain.fusions, m_passes);
    plain.types.assign(plain.plan.values.size(), DType::F32);
    for (std::size_t i = 0; i < steps; ++i) plain.types[static_cast<std::size_t>(plain.plan.steps[i].output)] = plain.computes[i];
    return plain;
}

std::vector<TensorNumbers> SessionImpl::parameterNumbers() const
{
    std::vector<TensorNumbers> result;
    const Plan& plan = m_execution.plan;
    for (std::size_t i = 0; i < plan.parameters.size(); ++i) {
        const ParameterSpec& spec = plan.parameters[i];
        result.push_back({TensorNumbers::Kind::Weight, spec.layer, spec.name, spec.shape, histogramOf(Numbers(m_parameters[i]).values())});
        Tensor gradient = m_parameters[i].grad();
        if (!gradient.defined()) continue;
        if (m_scale) gradient = m_deferred ? at::div(gradient, m_scale->valueOnDevice()) : at::div(gradient, m_scale->value());
        result.push_back({TensorNumbers::Kind::Gradient, spec.layer, spec.name, spec.shape, histogramOf(Numbers(gradient).values())});
    }
    return result;
}

std::vector<TensorNumbers> SessionImpl::outputNumbers(std::int64_t step, std::span<const std::int64_t> rows)
{
    const ExecutionPlan plain = plainPlan();
    OutputWatch watch(plain.plan);
    const std::int64_t wanted = m_spec.step.microBatch;
    const std::size_t piece = wanted > 0 ? std::min(static_cast<std::size_t>(wanted), rows.size()) : rows.size();
    std::vector<Tensor> discarded;
    const auto pass = [&] {
        discarded.assign(m_buffers.size(), Tensor());
        for (std::size_t first = 0; first < rows.size(); first += piece) {
            RunContext run = context(true, step, &discarded, m_parameters);
            run.firstRow = static_cast<std::int64_t>(first);
            run.observer = &watch;
            (void)runPlan(plain, m_feed->trainingInputs(rows.subspan(first, std::min(piece, rows.size() - first)), step), run);
        }
    };
    if (piece < rows.size()) { // the bins can be laid out when the range of all pieces is known
        watch.placing = false;
        pass();
        watch.ranging = false;
        watch.placing = true;
    }
    pass();
    return watch.finish();
}

Result<std::vector<TensorNumbers>> SessionImpl::numbers(std::int64_t step, std::span<const std::int64_t> rows)
{
    m_looking = true; // a graph would keep the gradients to itself
    auto done = forward(step, rows);
    if (done) done = backward();
    m_looking = false;
    SCONCE_TRY(done);
    auto result = guarded("counting the network's numbers", [&]() -> Result<std::vector<TensorNumbers>> {
        enter();
        const at::NoGradGuard noGrad;
        std::vector<TensorNumbers> all = parameterNumbers();
        dropStep(); // its memory is free for the second look
        std::vector<TensorNumbers> outputs = outputNumbers(step, rows);
        all.insert(all.end(), std::make_move_iterator(outputs.begin()), std::make_move_iterator(outputs.end()));
        return all;
    });
    dropStep();
    return result;
}

} // namespace sconce::engine
