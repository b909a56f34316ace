// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/engine/backend/session_impl.h"

#include "core/base/text.h"
#include "core/engine/backend/attention.h"
#include "core/engine/backend/conv_pool.h"
#include "core/engine/backend/failure.h"
#include "core/engine/backend/initialise.h"
#include "core/engine/backend/kept_memory.h"
#include "core/engine/backend/tensors.h"
#include "core/hardware/machine.h"

#include <ATen/Context.h>
#include <ATen/Parallel.h>
#include <ATen/core/grad_mode.h>
#include <ATen/TensorOperators.h>
#include <ATen/ops/_amp_foreach_non_finite_check_and_unscale.h>
#include <ATen/ops/_foreach_clamp_max.h>
#include <ATen/ops/_foreach_clamp_min.h>
#include <ATen/ops/_foreach_lerp.h>
#include <ATen/ops/_foreach_mul.h>
#include <ATen/ops/_foreach_norm.h>
#include <ATen/ops/cat.h>
#include <ATen/ops/empty_like.h>
#include <ATen/ops/full.h>
#include <ATen/ops/isfinite.h>
#include <ATen/ops/linalg_vector_norm.h>
#include <ATen/ops/ones.h>
#include <ATen/ops/stack.h>
#include <ATen/ops/where.h>
#include <ATen/ops/zeros.h>
#include <ATen/ops/zeros_like.h>
#include <c10/core/CachingDeviceAllocator.h>

#include <algorithm>
#include <atomic>
#include <cmath>
#include <cstdlib>

namespace sconce::engine {

using at::Tensor;

namespace {
/// Of the session that trains in this process; 0: none does.
std::atomic<int> trainingThreads{0};
}

SessionImpl::~SessionImpl()
{
    if (m_optimiser && --trainingSessions() == 0) trainingThreads = 0;
}

/// OpenMP keeps the number of threads per calling thread, so it is set on whichever thread calls; but MKL keeps one for the whole
/// process, and other numbers round in another order. So whoever looks at a model beside a run takes the run's number.
void SessionImpl::enter() const
{
    thread_local int current = 0;
    const int training = trainingThreads;
    const int wanted = m_optimiser || training == 0 ? m_spec.threads : training;
    if (current == wanted) return;
    at::set_num_threads(wanted);
    current = wanted;
}

Result<void> SessionImpl::checkMemory() const
{
    if (!m_device.is_cpu()) return {};
    // Weights, gradients and two states: filling memory that does not exist would get the process killed, not refused.
    const double bytes = static_cast<double>(m_spec.plan.parameterCount()) * 4.0 * (m_spec.optimiser.type.empty() ? 1 : 4);
    const std::uint64_t most = usableMemory(); // in a container less than the machine has
    if (most == 0 || bytes <= static_cast<double>(most)) return {};
    return Error{ErrorCode::OutOfMemory,
                 "The network has " + shortCount(m_spec.plan.parameterCount()) + " parameters and needs " +
                     bytesText(static_cast<std::uint64_t>(std::min(bytes, 1e19))) + ", more than the " + bytesText(most) + " of memory that may be used here.",
                 "Use fewer or smaller layers.", {}};
}

void SessionImpl::makeParameters()
{
    const at::NoGradGuard noGrad;
    const Plan& plan = m_execution.plan;
    for (std::size_t i = 0; i < plan.parameters.size(); ++i) {
        const ParameterSpec& spec = plan.parameters[i];
        Tensor tensor = emptyTensor(spec.shape, m_device, m_execution.channelsLast);
        const std::vector<float> values = startValues(plan, static_cast<ParamIndex>(i), m_spec.seed);
        copyIn(tensor, std::as_bytes(std::span(values)));
        tensor.set_requires_grad(spec.trainable && !m_spec.optimiser.type.empty());
        assertOn(tensor, m_device, spec.name.c_str());
        m_parameters.push_back(std::move(tensor));
    }
    for (const BufferSpec& spec : plan.buffers) {
        m_buffers.push_back(at::full(spec.shape, spec.initial, at::TensorOptions().dtype(at::kFloat).device(m_device)));
        assertOn(m_buffers.back(), m_device, spec.name.c_str());
    }
    const auto options = at::TensorOptions().dtype(at::kFloat).device(m_device);
    m_found = at::zeros({1}, options);
    m_one = at::ones({1}, options);
    m_bad = at::zeros({1}, options);
}

void SessionImpl::makePlans()
{
    m_passes.products = m_precision.products;
    m_passes.only = m_precision.only;
    m_passes.poolsFollow = !m_device.is_cpu();
    m_passes.recompute = m_spec.step.recompute && !m_spec.optimiser.type.empty();
    m_execution = prepare(m_spec.plan, m_passes);
    m_exact.reset();
    if (!m_precision.mixed()) return;
    PassOptions exact = m_passes;
    exact.products = DType::F32;
    exact.recompute = false;
    m_exact = prepare(m_spec.plan, exact);
}

/// Measured once, with the batch's size; kept with the run.
void SessionImpl::settlePrecision()
{
    if (!m_precision.undecided) return;
    enter();
    m_precision = measurePrecision(m_execution, context(true, 0, nullptr, m_parameters), m_spec.step.batch, m_device);
    makePlans();
}

Result<void> SessionImpl::start()
{
    auto losses = Loss::make(m_spec.task, m_spec.scaling, m_device);
    SCONCE_TRY(losses);
    m_losses = std::move(losses).value();
    SCONCE_TRY(checkMemory());
    enter();
    m_loopThreads = loopThreads();
    m_passes.joined = m_losses->joined();
    m_passes.poolsFirst = m_spec.step.poolsFirst;
    m_passes.channelsLast = m_device.is_cpu() && m_spec.step.channelsLast;
    if (m_spec.choices.is_object() && m_spec.choices.contains("layout")) m_passes.channelsLast = m_spec.choices["layout"] == "channels-last";
    // A run begun without fused blocks goes on without: their sums are rounded in another order.
    m_passes.fuse = m_device.is_cpu() && m_spec.step.fuse && (!m_spec.choices.is_object() || !m_spec.choices.contains("layout") || (m_spec.choices.contains("fusion") && m_spec.choices["fusion"] != "off"));
    m_passes.attention = fastAttention() && (!m_spec.choices.is_object() || !m_spec.choices.contains("fusion") || m_spec.choices.contains("short_attention"));
    m_passes.deep = fastConvolutions() && (!m_spec.choices.is_object() || !m_spec.choices.contains("fusion") || m_spec.choices.contains("deep_blocks")); // as are runs begun before there were any
    // On a GPU the finite check must not wait for the device. The same way can be asked for on the CPU, to test it there.
    m_deferred = m_device.is_cuda() || (m_spec.choices.is_object() && m_spec.choices.contains("commit") && m_spec.choices["commit"] == "gated on the device");
    if (!m_spec.optimiser.type.empty()) { // who only looks at a model beside a run leaves the run's as they are
        // cuBLAS sums in one order only in a workspace that nobody shares; it reads this when it is first used.
        if (m_spec.step.deterministic && m_device.is_cuda()) ::setenv("CUBLAS_WORKSPACE_CONFIG", ":4096:8", 0);
        at::globalContext().setDeterministicAlgorithms(m_spec.step.deterministic, false);
        at::globalContext().setDeterministicFillUninitializedMemory(false);
    }
    if (m_device.is_cuda()) {
        if (!m_spec.optimiser.type.empty() || trainingThreads == 0) { // for the whole process: who looks at a model beside a run leaves it
            // Which way is fastest is measured by cuDNN at each start, and another one rounds otherwise: not where every start is to be alike.
            m_tuned = m_spec.step.autotune && !m_spec.step.deterministic && !m_spec.optimiser.type.empty() && m_spec.step.batch > 0;
            if (m_spec.choices.is_object() && m_spec.choices.contains("layout")) m_tuned = m_tuned && m_spec.choices.value("convolutions", "") == tunedConvolutions;
            at::globalContext().setDeterministicCuDNN(!m_tuned);
            at::globalContext().setBenchmarkCuDNN(false);
            const bool tf32 = m_spec.step.precision == "tf32"; // torch's own default is TF32 in convolutions
            at::globalContext().setAllowTF32CuDNN(tf32);
            at::globalContext().setAllowTF32CuBLAS(tf32);
        }
        for (const ComputeDevice& device : computeDevices())
            if (device.id == m_spec.device) m_deviceUuid = device.uuid;
    }
    if (m_spec.choices.is_object() && m_spec.choices.contains("micro_batch") && m_spec.choices["micro_batch"].is_number_integer())
        m_spec.step.microBatch = m_spec.choices["micro_batch"].get<std::int64_t>();
    if (m_spec.choices.is_object() && m_spec.choices.contains("dropout")) m_spec.step.countedDropout = m_spec.choices["dropout"] != drawnDropout;
    if (!m_spec.optimiser.type.empty()) m_precision = resolvePrecision(m_spec.step, m_spec.choices, m_device);
    makePlans();
    makeParameters();
    if (m_device.is_cuda()) gpuInUse() = true;
    if (m_spec.optimiser.type.empty()) return {};
    if (m_deferred) m_numbers.emplace(m_device);
    if (m_precision.products == DType::F16) m_scale.emplace(ScaleSettings{m_spec.step.firstScale, m_spec.step.scaleGrowsAfter}, m_device, m_deferred);
    auto optimiser = Optimiser::make(m_spec.optimiser, m_execution.plan, m_parameters, m_spec.step.fusedOptimiser);
    SCONCE_TRY(optimiser);
    m_optimiser = std::move(optimiser).value();
    ++trainingSessions();
    trainingThreads = m_spec.threads;
    if (m_spec.step.averageDecay > 0) {
        const at::NoGradGuard noGrad;
        for (const Tensor& parameter : m_parameters) m_average.push_back(parameter.detach().clone());
    }
    for (const Tensor& tensor : m_optimiser->allTensors()) assertOn(tensor, m_device, "optimiser state");
    return {};
}

Result<void> SessionImpl::useData(DatasetPtr data)
{
    return guarded("preparing the data", [&]() -> Result<void> {
        if (m_spec.step.batch > 0) settlePrecision(); // may make the plan anew
        const ValueType& input = m_execution.plan.values[static_cast<std::size_t>(m_execution.plan.input)].type;
        const ValueType& output = m_execution.plan.values[static_cast<std::size_t>(m_execution.plan.output)].type;
        if (data->info().sample.sizes() != input.sizes())
            return Error{ErrorCode::Invalid, "The network takes " + input.text() + ", but the data set has " + data->info().sample.text() + ".",
                         "Choose the data set that the network was made for, or change the picture size.", {}};
        const bool isSymbols = input.dtype == DType::I64;
        if (isSymbols != !data->info().symbols.empty())
            return Error{ErrorCode::Invalid, isSymbols ? "The network takes the symbols of a text, but the data set is none." : "The data set is a text, but the network takes numbers.", "Choose the data set that the network was made for.", {}};
        SCONCE_TRY(replayWaiting()); // of the data until now
        SCONCE_TRY(m_losses->fits(data->info(), input, output));
        if (const std::size_t features = m_spec.scaling.mean.size(); (data->info().sample.dtype == DType::F32) != (features > 0) || (features > 0 && static_cast<std::int64_t>(features) != input.elements()))
            return Error{ErrorCode::Invalid, "The scaling of this run does not fit its data.", "Use the data that the run was trained on.", std::to_string(features) + " features"};
        dropStep();
        m_losses->useData(*data, output.elements(), countsRows() ? m_spec.counts : TargetCounts());
        if (m_optimiser && m_deferred && m_pending.empty()) m_told.emplace((m_scale ? 4 : 2) + m_losses->sumCount(), m_device);
        m_feed.emplace(std::move(data), input, m_spec.input, m_spec.scaling, m_device, m_execution.channelsLast, m_spec.step.resident);
        m_feed->change(m_spec.augmentation, m_spec.seed, m_spec.stepsPerEpoch);
        if (m_numbers) m_feed->prepareStaging();
        if (m_optimiser) settleStep();
        return {};
    });
}

Result<void> SessionImpl::checkRows(Part part, std::span<const std::int64_t> rows) const
{
    if (!m_feed) return Error{ErrorCode::Internal, "No data set was given to the engine.", "", {}};
    const std::int64_t count = m_feed->data()->count(part);
    for (std::int64_t row : rows)
        if (row < 0 || row >= count)
            return Error{ErrorCode::Invalid, "Sample " + std::to_string(row) + " does not exist: the data set has " + groupedInt(count) + " samples in this part.",
                         "Check the data set and the split.", {}};
    return {};
}

RunContext SessionImpl::context(bool training, std::int64_t step, std::vector<Tensor>* staged, const std::vector<Tensor>& parameters) const
{
    RunContext context;
    context.parameters = parameters;
    context.buffers = m_buffers;
    context.staged = staged;
    context.training = training;
    context.seed = m_spec.seed;
    context.step = step;
    context.counted = m_spec.step.countedDropout;
    if (training && m_numbers && step == m_numbers->knownStep()) context.stepOnDevice = m_numbers->step();
    return context;
}

/// Forgets the step under way: whatever forward() and backward() left behind.
void SessionImpl::dropStep()
{
    m_stage = Stage::Idle;
    m_loss.reset();
    m_piece.reset();
    m_sumsOnDevice.reset();
    m_staged.assign(m_buffers.size(), Tensor());
    for (Tensor& parameter : m_parameters) parameter.mutable_grad().reset();
}

Result<void> SessionImpl::forward(std::int64_t step, std::span<const std::int64_t> rows)
{
    if (m_failed) return *m_failed;
    if (!m_optimiser) return Error{ErrorCode::Internal, "This model was opened for looking at results, not for training.", "", {}};
    if (rows.empty()) return Error{ErrorCode::Internal, "A batch without samples cannot be trained on.", "", {}};
    SCONCE_TRY(checkRows(Part::Training, rows));
    auto result = guarded("running the network forward", [&]() -> Result<void> {
        enter();
        dropStep();
        m_rows.assign(rows.begin(), rows.end());
        m_next = 0;
        m_sums = {};
        m_step = step;
        m_weight = m_losses->weightOf(m_feed->data()->labels(Part::Training), rows);
        if (m_graph && static_cast<std::int64_t>(rows.size()) > m_graph->rows()) dropGraph(); // it reads from where the larger batch has no room
        m_replays = mayReplay();
        tune(static_cast<std::int64_t>(rows.size()) == m_spec.step.batch);
        m_stage = Stage::Forward;
        if (m_replays) return {}; // all of it is done when it is replayed
        SCONCE_TRY(replayWaiting());
        if (m_numbers) m_numbers->set(step, 0, 0);
        forwardPiece();
        return {};
    });
    if (!result) dropStep();
    if (!result && result.error().code == ErrorCode::OutOfMemory && m_graph) { // what the graph keeps may be what is missing
        dropGraph();
        return forward(step, rows);
    }
    return result;
}

/// What the output is compared with.
Tensor SessionImpl::targets(Part part, std::span<const std::int64_t> rows, const Tensor& input, bool reuse)
{
    switch (m_losses->target()) {
    case Target::Class: break;
    case Target::Flag: return m_feed->flags(part, rows);
    case Target::Labels: return m_feed->labelSets(part, rows);
    case Target::Number: return m_feed->numbers(part, rows);
    case Target::Next: return m_feed->nextSymbols(part, rows, reuse);
    case Target::Input: return input;
    }
    return m_feed->targets(part, rows, reuse);
}

/// The next samples of the batch through the network: all of it, or a micro-batch.
void SessionImpl::forwardPiece()
{
    const std::size_t left = m_rows.size() - m_next;
    const auto wanted = static_cast<std::size_t>(std::max<std::int64_t>(0, m_spec.step.microBatch));
    const std::size_t size = wanted > 0 ? std::min(wanted, left) : left;
    const std::span<const std::int64_t> rows(m_rows.data() + m_next, size);
    PhaseSpan span(m_profiler.get(), ProfilePhase::Data);
    if (m_numbers && !m_staysStaged) m_feed->stage(rows, m_losses->target(), m_step);
    const Tensor input = m_numbers ? m_feed->stagedInputs() : m_feed->trainingInputs(rows, m_step);
    const Tensor truth = !m_numbers ? targets(Part::Training, rows, input, true) : m_losses->target() == Target::Input ? input : m_feed->stagedTargets(m_losses->target());
    assertOn(input, m_device, "the batch");
    assertOn(truth, m_device, "the targets");
    RunContext run = context(true, m_step, &m_staged, m_parameters);
    run.firstRow = static_cast<std::int64_t>(m_next);
    run.observer = m_profiler.get();
    span.next(ProfilePhase::Forward);
    const Tensor logits = runPlan(m_execution, input, run);
    span.next(ProfilePhase::Loss);
    m_piece = size == m_rows.size() ? m_losses->mean(logits, truth) : m_losses->share(logits, truth, m_weight);
    const Tensor loss = m_piece.detach();
    if (m_scale) m_piece = m_scale->scaled(m_piece);
    m_loss = m_next == 0 ? loss : m_loss + loss;
    if (!m_deferred) {
        m_sums += m_losses->sums(logits, truth);
    } else {
        const Tensor sums = m_losses->sumsOnDevice(logits, truth);
        m_sumsOnDevice = m_next == 0 ? sums : m_sumsOnDevice + sums;
    }
    m_next += size;
}

Result<void> SessionImpl::backward()
{
    if (m_failed) return *m_failed;
    if (m_stage != Stage::Forward) return Error{ErrorCode::Internal, "There is no forward pass to go back through.", "", {}};
    if (m_replays) { // they are made when the step is
        m_stage = Stage::Backward;
        return {};
    }
    auto result = guarded("computing gradients", [&]() -> Result<void> {
        enter();
        while (true) { // gradients of the pieces add up
            if (m_profiler) m_profiler->goingBack(m_piece);
            if (m_piece.requires_grad()) {
                const PhaseSpan span(m_profiler.get(), ProfilePhase::Backward);
                m_piece.backward();
            }
            m_piece.reset();
            if (m_next == m_rows.size()) break;
            forwardPiece();
        }
        m_stage = Stage::Backward;
        return {};
    });
    if (!result) dropStep();
    if (!result && result.error().code == ErrorCode::OutOfMemory && m_graph) {
        const std::vector<std::int64_t> rows = m_rows;
        dropGraph();
        SCONCE_TRY(forward(m_step, rows));
        return backward();
    }
    return result;
}

void SessionImpl::setMicroBatch(std::int64_t samples)
{
    dropStep();
    if (samples > 0) dropGraph(); // it is of the whole batch
    m_spec.step.microBatch = std::max<std::int64_t>(0, samples);
    if (m_device.is_cuda()) c10::getDeviceAllocator(c10::kCUDA)->emptyCache();
}

/// Gradients of the trainable parameters in order, each with its parameter's layout (the fused operators walk raw memory).
std::vector<Tensor> SessionImpl::gradients() const
{
    const at::NoGradGuard noGrad;
    std::vector<Tensor> result;
    for (const Tensor& parameter : m_optimiser->parameters()) {
        Tensor gradient = parameter.grad();
        if (!gradient.defined()) gradient = at::zeros_like(parameter);
        assertOn(gradient, m_device, "a gradient");
        TORCH_CHECK(gradient.scalar_type() == at::kFloat, "a gradient is of type ", gradient.scalar_type(), " and not of float32");
        bool same = true;
        for (std::int64_t axis = 0; axis < parameter.dim(); ++axis)
            same = same && (parameter.size(axis) == 1 || gradient.stride(axis) == parameter.stride(axis));
        if (!same) {
            Tensor copy = at::empty_like(parameter);
            copy.copy_(gradient);
            gradient = copy;
        }
        result.push_back(std::move(gradient));
    }
    return result;
}

Error SessionImpl::notFinite(const std::vector<Tensor>& gradients) const
{
    const std::string where = " at step " + groupedInt(m_step + 1) + ", so the step was not taken.";
    const double loss = m_loss.item<double>();
    if (!std::isfinite(loss))
        return {ErrorCode::NotFinite, std::string("The loss became ") + (std::isnan(loss) ? "NaN (not a number)" : "infinite") + where, remedyForNaN, {}};
    std::size_t i = 0;
    for (const ParameterSpec& spec : m_execution.plan.parameters) {
        if (!spec.trainable) continue;
        if (!at::isfinite(gradients[i++]).all().item<bool>())
            return {ErrorCode::NotFinite, "The gradient of " + spec.name + " became NaN or infinite" + where, remedyForNaN, {}};
    }
    return {ErrorCode::NotFinite, "The running statistics of a normalisation became NaN or infinite" + where, remedyForNaN, {}};
}

/// Running statistics that the step would leave behind.
std::vector<Tensor> SessionImpl::stagedNow() const
{
    std::vector<Tensor> result;
    for (const Tensor& staged : m_staged)
        if (staged.defined()) result.push_back(staged);
    return result;
}

void SessionImpl::adoptStaged(const Tensor& skip)
{
    for (std::size_t i = 0; i < m_staged.size(); ++i) {
        if (!m_staged[i].defined()) continue;
        if (skip.defined()) m_buffers[i].copy_(at::where(skip.gt(0), m_buffers[i], m_staged[i])); // in place: a graph knows it by its address
        else m_buffers[i] = m_staged[i];
    }
}

/// As torch.nn.utils.clip_grad_value_ and clip_grad_norm_ do, without waiting for the device.
void SessionImpl::clip(const std::vector<Tensor>& gradients) const
{
    if (gradients.empty()) return;
    if (m_spec.step.clipValue > 0) {
        at::_foreach_clamp_min_(gradients, -m_spec.step.clipValue);
        at::_foreach_clamp_max_(gradients, m_spec.step.clipValue);
    }
    if (m_spec.step.clipNorm <= 0) return;
    const Tensor norm = at::linalg_vector_norm(at::stack(at::_foreach_norm(gradients, 2)), 2);
    at::_foreach_mul_(gradients, (m_spec.step.clipNorm / (norm + 1e-6)).clamp_max(1.0));
}

/// Follows the parameters. Early on the average is short, or it would hang on to where training began: min(decay, (1+n)/(10+n))
/// for the n-th update, as TensorFlow's ExponentialMovingAverage has it.
void SessionImpl::average(const Tensor& skip)
{
    if (m_average.empty()) return;
    if (!skip.defined()) {
        const double n = static_cast<double>(m_optimiser->steps());
        const double keep = std::min(m_spec.step.averageDecay, (1 + n) / (10 + n));
        at::_foreach_lerp_(m_average, m_parameters, 1 - keep);
        return;
    }
    const Tensor n = m_optimiser->stepTensor().to(at::kDouble);
    const Tensor share = ((n + 1) / (n + 10)).clamp_max_(m_spec.step.averageDecay).neg_().add_(1).to(at::kFloat);
    // Chosen, not weighed with 0: that would let a NaN through.
    for (std::size_t i = 0; i < m_average.size(); ++i) m_average[i].copy_(at::where(skip.gt(0), m_average[i], m_average[i].lerp(m_parameters[i], share)));
}

Result<void> SessionImpl::commit(double learningRate)
{
    if (m_failed) return *m_failed;
    if (m_stage != Stage::Backward) return Error{ErrorCode::Internal, "There are no gradients to commit.", "", {}};
    auto result = guarded("updating the weights", [&]() -> Result<void> {
        enter();
        const PhaseSpan span(m_profiler.get(), ProfilePhase::Optimiser);
        const at::NoGradGuard noGrad;
        if (m_replays) {
            m_graph->add(m_rows, m_step, learningRate, m_optimiser->steps() + 1);
            committed();
            return m_graph->full() ? replayWaiting() : Result<void>();
        }
        if (!m_deferred) return commitOnHost(gradients(), learningRate);
        m_numbers->set(m_step, learningRate, m_optimiser->steps() + 1);
        m_told->add(commitOnDevice(gradients(), !m_optimiser->settled()).view({1, -1}));
        committed();
        return {};
    });
    dropStep();
    return result;
}

Result<void> SessionImpl::commitOnHost(std::vector<Tensor> gradients, double learningRate)
{
    std::vector<Tensor> checked = stagedNow();
    if (!m_scale) checked.insert(checked.end(), gradients.begin(), gradients.end());
    const double loss = m_loss.item<double>();
    m_found.zero_();
    if (!checked.empty()) at::_amp_foreach_non_finite_check_and_unscale_(checked, m_found, m_one); // times 1: exact
    const bool overflowed = m_scale && m_scale->unscale(gradients).item<float>() != 0;
    if (!std::isfinite(loss) || m_found.item<float>() != 0 || (overflowed && !m_scale->canFall())) return notFinite(gradients);
    if (m_scale) m_scale->done(overflowed);
    if (!overflowed) {
        clip(gradients);
        m_optimiser->update(gradients, learningRate, {});
        adoptStaged({});
        average({});
    }
    m_pending.push_back({m_sums, m_step, loss, overflowed, m_scale ? m_scale->value() : 0});
    return {};
}

/// Steps that only moved the scale, of those whose metrics were not taken yet.
std::int64_t SessionImpl::skippedUntold() const
{
    if (!m_scale || !m_told || m_told->count() == 0) return 0;
    return m_told->read().select(1, 2).ne(0).sum().item<std::int64_t>();
}

void SessionImpl::forgetPending()
{
    m_pending.clear();
    if (m_told) m_told->clear();
}

Result<std::vector<StepMetrics>> SessionImpl::takeMetrics()
{
    if (m_failed && m_pending.empty()) return *m_failed;
    return guarded("reading the metrics", [&]() -> Result<std::vector<StepMetrics>> {
        enter();
        std::vector<StepMetrics> result;
        result.reserve(m_pending.size());
        if (!m_deferred) {
            result.swap(m_pending);
            return result;
        }
        if (m_pending.empty()) return result;
        SCONCE_TRY(replayWaiting());
        const Tensor table = m_told->read();
        if (const auto lost = static_cast<std::int64_t>(m_pending.size()) - table.size(0); lost > 0) { // they could not be replayed
            m_optimiser->takeBack(lost);
            m_pending.resize(static_cast<std::size_t>(table.size(0)));
        }
        const double* value = table.const_data_ptr<double>();
        const int told = m_scale ? 4 : 2; // loss, bad; skipped, scale
        for (std::size_t i = 0; i < m_pending.size(); ++i, value += table.size(1)) {
            const StepMetrics& known = m_pending[i];
            StepMetrics metrics{m_losses->sumsFrom(value + told, known.count), known.step, value[0]};
            if (value[1] != 0) { // this step and all after it were not taken
                m_optimiser->takeBack(static_cast<std::int64_t>(m_pending.size() - i));
                forgetPending();
                m_failed = Error{ErrorCode::NotFinite, "The loss or a gradient became NaN or infinite at step " + groupedInt(metrics.step + 1) + ", so the step was not taken.", remedyForNaN, {}};
                if (result.empty()) return *m_failed;
                return result; // the good ones first: the next call says it
            }
            if (m_scale) {
                metrics.skipped = value[2] != 0;
                metrics.scale = value[3];
                if (metrics.skipped) m_optimiser->takeBack(1);
            }
            result.push_back(metrics);
        }
        forgetPending();
        return result;
    });
}

Result<std::unique_ptr<Session>> openSession(SessionSpec spec)
{
    return guarded("preparing the network", [&]() -> Result<std::unique_ptr<Session>> {
        at::Device device(at::kCPU);
        if (spec.device != "cpu") {
            auto resolved = resolveDevice(spec.device);
            SCONCE_TRY(resolved);
            if (*resolved != spec.device)
                return Error{ErrorCode::Internal, "The device “" + spec.device + "” was not resolved before the network was opened.", "", {}};
            device = at::Device(spec.device);
        }
        if (spec.threads < 1) spec.threads = 1;
        auto session = std::make_unique<SessionImpl>(std::move(spec), device);
        SCONCE_TRY(session->start());
        return std::unique_ptr<Session>(std::move(session));
    });
}

} // namespace sconce::engine
