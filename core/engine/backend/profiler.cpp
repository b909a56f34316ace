// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/engine/backend/profiler.h"

#include "core/base/clock.h"

#include <ATen/SequenceNumber.h>
#include <c10/core/impl/VirtualGuardImpl.h>
#include <torch/csrc/autograd/function.h>
#include <torch/csrc/autograd/function_hook.h>
#include <torch/csrc/autograd/functions/accumulate_grad.h>

#include <algorithm>
#include <limits>

namespace sconce::engine {

using torch::autograd::AccumulateGrad;
using torch::autograd::Node;
using torch::autograd::variable_list;

namespace {

/// The span of one function of the backward pass, opened by the hook before it and closed by the one behind it.
struct NodeSpan
{
    std::weak_ptr<Profiler> profiler; ///< a node may outlive the look
    ProfilePhase phase;
    std::string primitive, name;
    std::vector<LayerId> layers;
    int span = -1;
};

struct Begin final : torch::autograd::FunctionPreHook
{
    explicit Begin(std::shared_ptr<NodeSpan> its) : node(std::move(its)) {}
    variable_list operator()(const variable_list& gradients) override
    {
        if (const auto profiler = node->profiler.lock()) node->span = profiler->open(node->phase, node->primitive, node->name, node->layers);
        return gradients;
    }
    std::shared_ptr<NodeSpan> node;
};

struct End final : torch::autograd::FunctionPostHook
{
    explicit End(std::shared_ptr<NodeSpan> its) : node(std::move(its)) {}
    variable_list operator()(const variable_list& outputs, const variable_list&) override
    {
        if (const auto profiler = node->profiler.lock(); profiler && node->span >= 0) profiler->close(node->span);
        node->span = -1;
        return outputs;
    }
    std::shared_ptr<NodeSpan> node;
};

/// "torch::autograd::AccumulateGrad" → "AccumulateGrad", "torch::autograd::CppNode<sconce::engine::ConvPool>" → "ConvPool".
std::string shortName(std::string name)
{
    if (const auto colons = name.rfind("::"); colons != std::string::npos) name.erase(0, colons + 2);
    while (name.ends_with('>')) name.pop_back();
    return name;
}

} // namespace

Profiler::Profiler(at::Device device) : m_device(device) {}
Profiler::~Profiler() = default;

Profiler::Moment Profiler::now() const
{
    Moment moment;
    if (m_device.is_cpu()) {
        moment.seconds = Clock::system().monotonicSeconds();
        return moment;
    }
    moment.event.emplace(m_device.type(), c10::EventFlag::BACKEND_DEFAULT); // the default of torch has no time
    moment.event->record(c10::impl::VirtualGuardImpl(m_device.type()).getStream(m_device));
    return moment;
}

int Profiler::open(ProfilePhase phase, std::string primitive, std::string name, std::vector<LayerId> layers)
{
    const std::lock_guard lock(m_mutex);
    ProfileSpan span;
    span.phase = phase;
    span.name = !name.empty() ? std::move(name) : !primitive.empty() ? primitive : phaseName(phase);
    span.primitive = std::move(primitive);
    span.layers = std::move(layers);
    span.parent = m_open.empty() ? -1 : m_open.back();
    const int index = static_cast<int>(m_spans.size());
    m_spans.push_back(std::move(span));
    m_open.push_back(index);
    m_times.emplace_back();
    m_times.back().begin = now(); // last: what noting costs is the parent's
    return index;
}

void Profiler::close(int span)
{
    const std::lock_guard lock(m_mutex);
    Moment moment = now();
    // What was left open by an exception ends here too.
    while (!m_open.empty() && m_open.back() >= span) {
        m_times[static_cast<std::size_t>(m_open.back())].end = m_open.back() == span ? std::move(moment) : now();
        m_open.pop_back();
    }
}

void Profiler::before(const ExecutionPlan& execution, const RunContext& context, std::size_t first, std::size_t count)
{
    Label label;
    for (std::size_t i = first; i < first + count; ++i) {
        const Step& step = execution.plan.steps[i];
        label.primitive += (label.primitive.empty() ? count > 1 ? "fused " : "" : " + ") + std::string(primitiveName(step.op));
        if (std::find(label.layers.begin(), label.layers.end(), step.layer) == label.layers.end()) label.layers.push_back(step.layer);
    }
    for (std::size_t i = first; i < first + count; ++i)
        visitParameters(execution.plan.steps[i].op, [&](ParamIndex index) { m_owners.emplace(context.parameters[static_cast<std::size_t>(index)].unsafeGetTensorImpl(), label); });
    m_ranges.push_back({at::sequence_number::peek(), std::numeric_limits<std::uint64_t>::max() - 1, label});
    m_running[first] = open(context.again ? ProfilePhase::Again : ProfilePhase::Forward, label.primitive, {}, label.layers);
}

void Profiler::after(const ExecutionPlan&, std::size_t step, const at::Tensor&)
{
    close(m_running.at(step));
    m_ranges.back().last = at::sequence_number::peek();
}

void Profiler::lossBegins()
{
    m_ranges.push_back({at::sequence_number::peek(), std::numeric_limits<std::uint64_t>::max() - 1, {ProfilePhase::Loss, {}, {}}});
}

Profiler::Label Profiler::labelOf(const Node& node) const
{
    if (const auto* leaf = dynamic_cast<const AccumulateGrad*>(&node)) {
        const auto owner = m_owners.find(leaf->variable.unsafeGetTensorImpl());
        return owner == m_owners.end() ? Label{} : owner->second;
    }
    const auto range = std::find_if(m_ranges.begin(), m_ranges.end(), [&](const Range& each) { return node.sequence_nr() >= each.first && node.sequence_nr() < each.last; });
    return range == m_ranges.end() ? Label{} : range->label;
}

void Profiler::watch(const std::shared_ptr<Node>& node)
{
    Label label = labelOf(*node);
    auto span = std::make_shared<NodeSpan>(NodeSpan{weak_from_this(), label.phase, std::move(label.primitive), shortName(node->name()), std::move(label.layers), -1});
    node->add_pre_hook(std::make_unique<Begin>(span));
    node->add_post_hook(std::make_unique<End>(std::move(span)));
}

void Profiler::goingBack(const at::Tensor& root)
{
    std::vector<std::shared_ptr<Node>> next;
    if (root.grad_fn()) next.push_back(root.grad_fn());
    while (!next.empty()) {
        const std::shared_ptr<Node> node = std::move(next.back());
        next.pop_back();
        if (!m_watched.insert(node).second) continue;
        watch(node);
        for (const auto& edge : node->next_edges())
            if (edge.function) next.push_back(edge.function);
    }
    m_ranges.clear();
}

double Profiler::secondsAt(const Moment& moment) const
{
    const Moment& zero = m_times.front().begin;
    return moment.event ? zero.event->elapsedTime(*moment.event) / 1000 : moment.seconds - zero.seconds;
}

std::vector<ProfileSpan> Profiler::finish()
{
    m_watched.clear();
    if (m_spans.empty()) return {};
    if (m_times.front().end.event) m_times.front().end.event->synchronize();
    for (std::size_t i = 0; i < m_spans.size(); ++i) {
        // Events are half a microsecond coarse: a child must not stick out of its parent for that.
        ProfileSpan& span = m_spans[i];
        const ProfileSpan* parent = span.parent >= 0 ? &m_spans[static_cast<std::size_t>(span.parent)] : nullptr;
        span.begin = secondsAt(m_times[i].begin);
        span.end = std::max(span.begin, secondsAt(m_times[i].end));
        if (!parent) continue;
        span.begin = std::clamp(span.begin, parent->begin, parent->end);
        span.end = std::clamp(span.end, span.begin, parent->end);
    }
    return std::move(m_spans);
}

} // namespace sconce::engine
