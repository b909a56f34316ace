// SPDX-License-Identifier: GPL-3.0-or-later
// A step as a device does it by itself, from what was staged to what it tells; and that step captured as a graph.
#include "core/engine/backend/session_impl.h"

#include "core/base/text.h"
#include "core/engine/backend/failure.h"
#include "core/engine/backend/tensors.h"

#include <ATen/Context.h>
#include <ATen/TensorOperators.h>
#include <ATen/core/grad_mode.h>
#include <ATen/ops/_amp_foreach_non_finite_check_and_unscale.h>
#include <ATen/ops/cat.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/isfinite.h>
#include <ATen/ops/zeros_like.h>
#include <c10/core/CachingDeviceAllocator.h>

#include <algorithm>
#include <limits>

namespace sconce::engine {

using at::Tensor;

namespace {

constexpr int warmUps = 3, trialRounds = 2;
constexpr std::int64_t trialSteps = 6;
constexpr double longStep = 0.2;     ///< seconds: starting its parts takes a few milliseconds at most
constexpr double trialRate = 0.001;  ///< and a half of it, in turns
/// Shares of what a few steps change: rounding tips a ReLU here and there, or the sign of a gradient that is nearly 0. A rate, a step
/// number or a mask that does not change with the step makes ten times that.
constexpr double allowedInFloat32 = 0.02, allowedInFewerDigits = 0.1;

TensorGroups copyOf(const TensorGroups& groups)
{
    TensorGroups copy;
    for (const auto& group : groups) {
        copy.emplace_back();
        for (const Tensor& tensor : group) copy.back().push_back(tensor.detach().clone());
    }
    return copy;
}

void putBack(const TensorGroups& groups, const TensorGroups& copy)
{
    const at::NoGradGuard noGrad;
    for (std::size_t g = 0; g < groups.size(); ++g)
        for (std::size_t i = 0; i < groups[g].size(); ++i) groups[g][i].detach().copy_(copy[g][i]);
}

} // namespace

/// Without waiting for the device: what must not happen is multiplied away, chosen away or skipped inside of the kernels. Gives what the
/// step tells.
Tensor SessionImpl::commitOnDevice(std::vector<Tensor> gradients, bool first)
{
    std::vector<Tensor> checked = stagedNow();
    if (!m_scale) checked.insert(checked.end(), gradients.begin(), gradients.end());
    if (!checked.empty()) at::_amp_foreach_non_finite_check_and_unscale_(checked, m_bad, m_one);
    const Tensor loss = m_loss;
    m_bad.add_(at::isfinite(loss).logical_not().to(at::kFloat)).clamp_max_(1);
    Tensor skip = m_bad, found;
    if (m_scale) {
        found = m_scale->unscale(gradients);
        m_bad.add_(m_scale->beyondHelp(found)).clamp_max_(1);
        skip = (found + m_bad).clamp_max_(1);
    }
    clip(gradients);
    m_optimiser->apply(gradients, m_numbers->rate(), m_numbers->update(), skip, m_scale.has_value(), first);
    adoptStaged(skip);
    average(skip);
    std::vector<Tensor> told{loss.view({1}), m_bad};
    if (m_scale) {
        m_scale->doneOnDevice(found, m_bad);
        told.push_back(found);
        told.push_back(m_scale->valueOnDevice());
    }
    told.push_back(m_sumsOnDevice);
    for (Tensor& each : told) each = each.to(at::kDouble).view({-1});
    return at::cat(told);
}

/// What the host does for a step that the device has been told, or will be.
void SessionImpl::committed()
{
    m_optimiser->count();
    m_pending.push_back({{0, m_losses->countOf(static_cast<std::int64_t>(m_rows.size()))}, m_step, 0});
}

/// cuDNN measures each new size of a batch, so only the one that comes again and again is worth it.
void SessionImpl::tune(bool on) const
{
    if (m_tuned) at::globalContext().setBenchmarkCuDNN(on);
}

/// All that a step changes on the device: weights, their average, statistics, state of the optimiser, flags and scale.
TensorGroups SessionImpl::stepState() const
{
    std::vector<Tensor> flags{m_bad};
    if (m_scale) {
        const std::vector<Tensor> scale = m_scale->tensors();
        flags.insert(flags.end(), scale.begin(), scale.end());
    }
    return {m_parameters, m_average, m_buffers, m_optimiser->allTensors(), std::move(flags)};
}

/// A whole step from the staged batch and numbers to what it tells. Work of the device alone, the same each time.
Tensor SessionImpl::wholeStep()
{
    m_staysStaged = true;
    m_next = 0;
    m_step = m_numbers->knownStep();
    forwardPiece();
    if (m_piece.requires_grad()) m_piece.backward();
    m_piece.reset();
    const at::NoGradGuard noGrad;
    const Tensor told = commitOnDevice(gradients(), false); // the first one is not done so: see mayReplay()
    m_staysStaged = false;
    dropStep();
    return told;
}

/// Another batch, another rate, another step for each of a trial's steps.
void SessionImpl::trialStep(std::int64_t number)
{
    const std::int64_t count = m_feed->data()->count(Part::Training);
    for (std::size_t i = 0; i < m_rows.size(); ++i) m_rows[i] = (number * m_graph->rows() + static_cast<std::int64_t>(i)) % count;
    m_graph->add(m_rows, number, number % 2 == 0 ? trialRate : trialRate / 2, m_optimiser->steps() + 2 + number);
}

bool SessionImpl::drops() const { return dropsAnything(m_execution.plan); }

/// Weights of classes and labels are made from what is trained on. Runs that began when they still counted all of the training part keep
/// to that.
bool SessionImpl::countsRows() const
{
    const bool began = m_spec.choices.is_object() && m_spec.choices.contains("layout");
    return m_spec.counts.samples > 0 && (!began || m_spec.choices.contains("balanced_by"));
}

/// Why steps are not even tried as a graph: empty if they may be; a blank where there is nothing to say.
std::string SessionImpl::whyEager() const
{
    const std::string nothing = " ", intro = "Steps are not replayed from a CUDA graph: ";
    if (!m_numbers || m_spec.step.batch <= 0) return nothing;
    if (!m_spec.step.record) return m_device.is_cuda() ? intro + "the recipe has it switched off." : nothing;
    if (m_spec.step.microBatch > 0) return intro + "the batch goes through the network in pieces.";
    if (m_passes.recompute) return intro + "blocks are computed a second time for the backward pass.";
    if (m_spec.step.batch > m_feed->data()->count(Part::Training)) return intro + "there are fewer samples than a batch has.";
    if (drops() && !m_spec.step.countedDropout) return m_device.is_cuda() ? intro + "dropout from counters is switched off in the recipe." : nothing;
    if (drops())
        if (const std::string masks = masksOnDevice(m_device); !masks.empty()) return intro + masks;
    return {};
}

/// Eagerly or captured. Whatever is tried leaves no trace.
void SessionImpl::settleStep()
{
    dropGraph();
    const std::optional<StepChoice> known = StepChoice::fromJson(m_spec.choices);
    m_choice = known.value_or(StepChoice{});
    if (known && !known->captured) return;
    const auto eagerly = [&](std::string because) { m_choice = {false, 1, 0, because == " " ? std::string() : std::move(because)}; };
    if (std::string why = whyEager(); !why.empty()) return eagerly(std::move(why));
    auto graph = makeStepGraph(m_device);
    if (!graph) return eagerly(m_device.is_cuda() ? "Steps are not replayed from a CUDA graph: " + graph.error().message : "");
    enter();
    TensorGroups start;
    auto tried = guarded("trying a step as a CUDA graph", [&]() -> Result<void> {
        m_graph = std::make_unique<Replays>(std::move(*graph), m_spec.step.batch, m_told->width(), m_losses->target(), *m_feed, *m_numbers, m_device);
        start = copyOf(stepState());
        m_rows.resize(static_cast<std::size_t>(m_graph->rows()));
        tune(true);
        double began = 0, ended = 0;
        for (int i = 0; i < warmUps; ++i) {
            trialStep(0);
            began = m_graph->finished();
            m_graph->warmUp(recordedStep());
            ended = m_graph->finished();
        }
        putBack(stepState(), start);
        if (!known && ended - began > longStep) {
            eagerly("Steps are not replayed from a CUDA graph: one takes " + realText(ended - began, 2) + " s, beside which starting its parts is nothing.");
            return {};
        }
        trialStep(0);
        m_graph->record(1, recordedStep());
        if (known) return {};
        const StepTrial one = tryWays(start, {1, [this](ToldRows& told) { m_graph->doAgain(recordedStep(), told); }}, {1, [this](ToldRows& told) { m_graph->replay(told); }});
        m_choice = judge(one);
        if (m_choice.captured) settleTogether(start, one);
        return {};
    });
    if (tried && known) settleTogetherAgain();
    m_staysStaged = false;
    dropStep();
    if (!start.empty()) putBack(stepState(), start);
    start.clear();
    m_rows.clear();
    if (m_graph) m_graph->forget();
    if (!tried) eagerly("Steps are not replayed from a CUDA graph: it could not be captured (" + (tried.error().detail.empty() ? tried.error().message : tried.error().detail.substr(0, tried.error().detail.find('\n'))) + ").");
    if (!m_choice.captured) {
        const StepChoice choice = m_choice;
        dropGraph();
        m_choice = choice;
    }
    if (m_device.is_cuda()) c10::getDeviceAllocator(c10::kCUDA)->emptyCache(); // what eager steps held beside the graph
}

void SessionImpl::recordTogether(std::int64_t steps)
{
    for (std::int64_t i = 0; i < steps; ++i) trialStep(i);
    m_graph->record(steps, recordedStep());
}

/// As an earlier attempt had it. Where that is not to be had now, one by one comes to the same.
void SessionImpl::settleTogetherAgain()
{
    const std::int64_t wanted = m_choice.together;
    m_choice.together = std::min(wanted, m_graph->most());
    if (m_choice.together > 1) {
        const auto recorded = guarded("recording several steps", [&]() -> Result<void> {
            recordTogether(m_choice.together);
            return {};
        });
        if (!recorded) m_choice.together = 1;
    }
    if (m_choice.together != wanted) m_choice.because += " Now there is room for " + (m_choice.together > 1 ? std::to_string(m_choice.together) + " at a time." : std::string("one at a time."));
}

/// Several steps a replay, where that is right and faster. What goes wrong here leaves the graph of one.
void SessionImpl::settleTogether(const TensorGroups& start, const StepTrial& one)
{
    const std::int64_t together = stepsTogether(one.capturedSeconds, m_graph->most());
    if (together < 2) return;
    const auto replay = [this](ToldRows& told) { m_graph->replay(told); };
    auto tried = guarded("trying several steps as a CUDA graph", [&]() -> Result<void> {
        recordTogether(together);
        m_choice = judgeTogether(one, tryWays(start, {1, replay}, {together, replay}), together);
        return {};
    });
    if (!tried || m_choice.together == 1) m_graph->oneByOne();
}

/// Two ways from one start, in turns: as many steps as either does at a time, and a few at least.
StepTrial SessionImpl::tryWays(const TensorGroups& start, const StepWay& usual, const StepWay& other)
{
    StepTrial trial;
    trial.eagerSeconds = trial.capturedSeconds = std::numeric_limits<double>::infinity();
    trial.allowed = m_precision.mixed() || m_spec.step.precision == "tf32" ? allowedInFewerDigits : allowedInFloat32;
    const TensorGroups state = stepState();
    const std::int64_t steps = (std::max(trialSteps, other.together) + other.together - 1) / other.together * other.together; // none is left waiting
    const auto run = [&](const StepWay& way, double& best) {
        putBack(state, start);
        ToldRows told(m_told->width(), m_device);
        const double began = m_graph->finished();
        for (std::int64_t i = 0; i < steps; ++i) {
            trialStep(i);
            if (m_graph->waiting() == way.together) way.go(told);
        }
        TORCH_CHECK(told.count() == steps, "a trial lost count of its steps");
        best = std::min(best, (m_graph->finished() - began) / static_cast<double>(steps));
        TensorGroups went = state;
        went.push_back({told.read()});
        return went;
    };
    const TensorGroups first = copyOf(run(usual, trial.eagerSeconds));
    TensorGroups from = start;
    from.push_back({at::zeros_like(first.back().front())});
    for (int round = 0; round < trialRounds; ++round) {
        trial.apart = std::max(trial.apart, changedApart(from, first, run(other, trial.capturedSeconds)));
        trial.noise = std::max(trial.noise, changedApart(from, first, run(usual, trial.eagerSeconds)));
    }
    return trial;
}

/// True if the step that begins is like the captured one.
bool SessionImpl::mayReplay() const
{
    return m_graph && static_cast<std::int64_t>(m_rows.size()) == m_graph->rows() && m_spec.step.microBatch == 0 && !m_profiler && !m_looking && (m_scale || m_optimiser->settled()); // with a scale the device counts what is taken
}

/// Steps are committed when they are noted, and replayed when there are enough of them or somebody asks what they came to. Fails as the
/// device does: then the session refuses to go on.
Result<void> SessionImpl::replayWaiting() const
{
    if (!m_graph || m_graph->waiting() == 0) return {};
    auto done = guarded("replaying steps", [&]() -> Result<void> {
        enter();
        m_graph->replay(*m_told);
        return {};
    });
    if (done) return done;
    m_failed = done.error();
    if (m_failed->code == ErrorCode::OutOfMemory) m_failed->code = ErrorCode::Internal; // smaller pieces would not bring back the steps that are lost
    return *m_failed;
}

void SessionImpl::dropGraph()
{
    if (m_graph) {
        (void)replayWaiting(); // a failure is met by the next step
        m_choice = {false, 1, 0, "Steps are no longer replayed from a CUDA graph: it was of whole batches, with the memory for them."};
    }
    m_graph.reset();
    m_replays = false;
    if (m_feed) m_feed->release();
    if (m_device.is_cuda()) c10::getDeviceAllocator(c10::kCUDA)->emptyCache();
}

} // namespace sconce::engine
