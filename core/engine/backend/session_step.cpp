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

constexpr int warmUps = 3, trialSteps = 6, trialRounds = 2;
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

/// What the host does for a step that the device has been told.
void SessionImpl::committed(const Tensor& told)
{
    m_told->next().copy_(told);
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

/// A whole step from the staged batch and numbers to m_graphTold. Work of the device alone, the same each time.
void SessionImpl::wholeStep()
{
    m_staysStaged = true;
    m_next = 0;
    forwardPiece();
    if (m_piece.requires_grad()) m_piece.backward();
    m_piece.reset();
    {
        const at::NoGradGuard noGrad;
        m_graphTold.copy_(commitOnDevice(gradients(), false)); // the first one is not done so: see mayReplay()
    }
    m_staysStaged = false;
    dropStep();
}

/// Another batch, another rate, another step for each of a trial's steps.
void SessionImpl::trialStep(int number)
{
    const std::int64_t count = m_feed->data()->count(Part::Training);
    for (std::size_t i = 0; i < m_rows.size(); ++i) m_rows[i] = (number * m_graphRows + static_cast<std::int64_t>(i)) % count;
    m_step = number;
    m_feed->stage(m_rows, m_losses->target());
    m_numbers->set(number, number % 2 == 0 ? trialRate : trialRate / 2, m_optimiser->steps() + 2 + number);
}

bool SessionImpl::drops() const
{
    return std::any_of(m_execution.plan.steps.begin(), m_execution.plan.steps.end(), [](const Step& step) {
        const auto* attention = std::get_if<AttentionOp>(&step.op);
        return std::holds_alternative<DropoutOp>(step.op) || (attention && attention->dropout > 0);
    });
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
    const auto eagerly = [&](std::string because) { m_choice = {false, 0, because == " " ? std::string() : std::move(because)}; };
    if (std::string why = whyEager(); !why.empty()) return eagerly(std::move(why));
    auto graph = makeStepGraph(m_device);
    if (!graph) return eagerly(m_device.is_cuda() ? "Steps are not replayed from a CUDA graph: " + graph.error().message : "");
    enter();
    m_graph = std::move(*graph);
    m_graphRows = m_spec.step.batch;
    TensorGroups start;
    auto tried = guarded("trying a step as a CUDA graph", [&]() -> Result<void> {
        start = copyOf(stepState());
        m_rows.resize(static_cast<std::size_t>(m_graphRows));
        m_graphTold = at::empty({(m_scale ? 4 : 2) + m_losses->sumCount()}, at::TensorOptions().dtype(at::kDouble).device(m_device));
        tune(true);
        double began = 0, ended = 0;
        for (int i = 0; i < warmUps; ++i) {
            trialStep(0);
            began = m_graph->finished();
            m_graph->warmUp([this] { wholeStep(); });
            ended = m_graph->finished();
        }
        putBack(stepState(), start);
        if (!known && ended - began > longStep) {
            eagerly("Steps are not replayed from a CUDA graph: one takes " + realText(ended - began, 2) + " s, beside which starting its parts is nothing.");
            return {};
        }
        m_graph->record([this] { wholeStep(); });
        if (!known) m_choice = judge(tryStep(start));
        return {};
    });
    m_staysStaged = false;
    dropStep();
    if (!start.empty()) putBack(stepState(), start);
    start.clear();
    m_rows.clear();
    if (!tried) eagerly("Steps are not replayed from a CUDA graph: it could not be captured (" + (tried.error().detail.empty() ? tried.error().message : tried.error().detail.substr(0, tried.error().detail.find('\n'))) + ").");
    if (!m_choice.captured) {
        const StepChoice choice = m_choice;
        dropGraph();
        m_choice = choice;
    }
    if (m_device.is_cuda()) c10::getDeviceAllocator(c10::kCUDA)->emptyCache(); // what eager steps held beside the graph
}

/// Both ways from one start, in turns.
StepTrial SessionImpl::tryStep(const TensorGroups& start)
{
    StepTrial trial;
    trial.eagerSeconds = trial.capturedSeconds = std::numeric_limits<double>::infinity();
    trial.allowed = m_precision.mixed() || m_spec.step.precision == "tf32" ? allowedInFewerDigits : allowedInFloat32;
    const TensorGroups state = stepState();
    Tensor told = at::empty({trialSteps, m_graphTold.size(0)}, m_graphTold.options());
    const auto run = [&](bool captured) {
        putBack(state, start);
        const double began = m_graph->finished();
        for (int i = 0; i < trialSteps; ++i) {
            trialStep(i);
            if (captured) m_graph->replay();
            else wholeStep();
            told.select(0, i).copy_(m_graphTold);
        }
        double& best = captured ? trial.capturedSeconds : trial.eagerSeconds;
        best = std::min(best, (m_graph->finished() - began) / trialSteps);
        TensorGroups went = state;
        went.push_back({told});
        return went;
    };
    TensorGroups from = start;
    from.push_back({at::zeros_like(told)});
    const TensorGroups first = copyOf(run(false));
    for (int round = 0; round < trialRounds; ++round) {
        trial.apart = std::max(trial.apart, changedApart(from, first, run(true)));
        trial.noise = std::max(trial.noise, changedApart(from, first, run(false)));
    }
    return trial;
}

/// True if the step that begins is like the captured one.
bool SessionImpl::mayReplay() const
{
    return m_graph && static_cast<std::int64_t>(m_rows.size()) == m_graphRows && m_spec.step.microBatch == 0 && !m_profiler && !m_looking && m_optimiser->settled();
}

void SessionImpl::replayStep(double learningRate)
{
    m_numbers->set(m_step, learningRate, m_optimiser->steps() + 1);
    m_graph->replay();
    committed(m_graphTold);
}

void SessionImpl::dropGraph()
{
    if (m_graph) m_choice = {false, 0, "Steps are no longer replayed from a CUDA graph: it was of whole batches, with the memory for them."};
    m_graph.reset();
    m_graphRows = 0;
    m_replays = false;
    if (m_device.is_cuda()) c10::getDeviceAllocator(c10::kCUDA)->emptyCache();
}

} // namespace sconce::engine
