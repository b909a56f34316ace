// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/engine/backend/executor.h"

#include "core/engine/backend/attention.h"
#include "core/engine/backend/conv_pool.h"
#include "core/engine/backend/tensors.h"

#include <ATen/core/grad_mode.h>
#include <ATen/ops/add.h>
#include <ATen/ops/amax.h>
#include <ATen/ops/avg_pool1d.h>
#include <ATen/ops/avg_pool2d.h>
#include <ATen/ops/avg_pool3d.h>
#include <ATen/ops/batch_norm.h>
#include <ATen/ops/cat.h>
#include <ATen/ops/constant_pad_nd.h>
#include <ATen/ops/convolution.h>
#include <ATen/ops/div.h>
#include <ATen/ops/elu.h>
#include <ATen/ops/embedding.h>
#include <ATen/ops/full.h>
#include <ATen/ops/gelu.h>
#include <ATen/ops/group_norm.h>
#include <ATen/ops/hardswish.h>
#include <ATen/ops/layer_norm.h>
#include <ATen/ops/leaky_relu.h>
#include <ATen/ops/linear.h>
#include <ATen/ops/log_softmax.h>
#include <ATen/ops/max_pool1d.h>
#include <ATen/ops/max_pool2d.h>
#include <ATen/ops/max_pool3d.h>
#include <ATen/ops/matmul.h>
#include <ATen/ops/mean.h>
#include <ATen/ops/mul.h>
#include <ATen/ops/ones.h>
#include <ATen/ops/relu.h>
#include <ATen/ops/scaled_dot_product_attention.h>
#include <ATen/ops/sigmoid.h>
#include <ATen/ops/silu.h>
#include <ATen/ops/softmax.h>
#include <ATen/ops/softplus.h>
#include <ATen/ops/tanh.h>

#include <ATen/core/ivalue.h>
#include <torch/csrc/autograd/autograd.h>
#include <torch/csrc/autograd/custom_function.h>

#include <cmath>
#include <limits>

namespace sconce::engine {
namespace {

using at::Tensor;
using Sizes = std::vector<std::int64_t>;

/// Keeps the layout. Autograd casts the gradient back.
Tensor cast(const Tensor& x, DType type)
{
    return x.to(scalarType(type));
}

/// One step being run: its operands and what it may know.
struct Frame
{
    const ExecutionPlan& execution;
    const RunContext& context;
    const Step& step;
    std::span<const Tensor> inputs; ///< in the type that the step computes in
    DType computes = DType::F32;
    bool inPlace = false;

    const Tensor& x() const { return inputs[0]; }
    const ValueType& inputType() const { return execution.plan.values[static_cast<std::size_t>(step.inputs[0])].type; }
    const ValueType& outputType() const { return execution.plan.values[static_cast<std::size_t>(step.output)].type; }
    /// In the type that the step computes in; its gradient comes back in float32. Undefined for `none`, as torch wants an absent bias.
    Tensor parameter(ParamIndex index) const
    {
        return index == none ? Tensor() : cast(context.parameters[static_cast<std::size_t>(index)], computes);
    }
    std::int64_t batch() const { return x().size(0); }
};

/// Pairs for constant_pad_nd: last axis first.
Sizes padPairs(const Sizes& before, const Sizes& after)
{
    Sizes pairs;
    for (std::size_t i = before.size(); i-- > 0;) {
        pairs.push_back(before[i]);
        pairs.push_back(after[i]);
    }
    return pairs;
}

bool isZero(const Sizes& values)
{
    for (std::int64_t value : values)
        if (value != 0) return false;
    return true;
}

Tensor execute(const ConvOp& op, const Frame& frame)
{
    Tensor x = frame.x();
    Sizes padding = op.padBefore;
    if (op.padBefore != op.padAfter) { // "same" with an even kernel: torch pads alike on both sides only
        x = at::constant_pad_nd(x, padPairs(op.padBefore, op.padAfter), 0);
        padding.assign(op.padBefore.size(), 0);
    }
    const Sizes outputPadding(op.stride.size(), 0);
    return at::convolution(x, frame.parameter(op.weight), frame.parameter(op.bias), op.stride, padding, op.dilation, false,
                           outputPadding, op.groups);
}

Tensor execute(const ConvTransposeOp& op, const Frame& frame)
{
    return at::convolution(frame.x(), frame.parameter(op.weight), frame.parameter(op.bias), op.stride, op.padding, op.dilation,
                           true, op.outputPadding, op.groups);
}

Tensor execute(const LinearOp& op, const Frame& frame)
{
    return at::linear(frame.x(), frame.parameter(op.weight), frame.parameter(op.bias));
}

Tensor maxPool(const Tensor& x, const PoolOp& op, const Sizes& padding)
{
    const Sizes dilation(op.kernel.size(), 1);
    switch (op.kernel.size()) {
    case 1: return at::max_pool1d(x, op.kernel, op.stride, padding, dilation, op.ceil);
    case 2: return at::max_pool2d(x, op.kernel, op.stride, padding, dilation, op.ceil);
    default: return at::max_pool3d(x, op.kernel, op.stride, padding, dilation, op.ceil);
    }
}

Tensor averagePool(const Tensor& x, const PoolOp& op, const Sizes& padding, bool countPadding)
{
    switch (op.kernel.size()) {
    case 1: return at::avg_pool1d(x, op.kernel, op.stride, padding, op.ceil, countPadding);
    case 2: return at::avg_pool2d(x, op.kernel, op.stride, padding, op.ceil, countPadding);
    default: return at::avg_pool3d(x, op.kernel, op.stride, padding, op.ceil, countPadding);
    }
}

Tensor execute(const PoolOp& op, const Frame& frame)
{
    const bool isMax = op.kind == PoolOp::Kind::Max;
    bool native = op.padBefore == op.padAfter; // torch pads alike on both sides, by at most half a window
    for (std::size_t i = 0; i < op.kernel.size(); ++i) native = native && op.padBefore[i] * 2 <= op.kernel[i];
    if (native)
        return isMax ? maxPool(frame.x(), op, op.padBefore) : averagePool(frame.x(), op, op.padBefore, op.countPadding);

    const Sizes pairs = padPairs(op.padBefore, op.padAfter);
    const Sizes noPadding(op.kernel.size(), 0);
    if (isMax)
        return maxPool(at::constant_pad_nd(frame.x(), pairs, -std::numeric_limits<double>::infinity()), op, noPadding);
    const Tensor sums = averagePool(at::constant_pad_nd(frame.x(), pairs, 0), op, noPadding, true);
    if (op.countPadding) return sums;
    // The share of each window that lies inside the map, to average over that alone.
    Sizes one(frame.x().sizes().begin(), frame.x().sizes().end());
    one[0] = one[1] = 1;
    const Tensor inside = at::constant_pad_nd(at::ones(one, frame.x().options()), pairs, 0);
    return at::div(sums, averagePool(inside, op, noPadding, true));
}

Tensor execute(const GlobalPoolOp& op, const Frame& frame)
{
    Sizes axes;
    const std::int64_t channels = channelAxis(frame.inputType()) + 1;
    for (std::int64_t axis = 1; axis < frame.x().dim(); ++axis)
        if (axis != channels) axes.push_back(axis);
    return op.kind == PoolOp::Kind::Max ? at::amax(frame.x(), axes, op.keepDims) : at::mean(frame.x(), axes, op.keepDims);
}

Tensor execute(const ActivationOp& op, const Frame& frame)
{
    Tensor x = frame.x();
    switch (op.function) {
    case Function::Relu: return frame.inPlace ? at::relu_(x) : at::relu(x);
    case Function::LeakyRelu: return frame.inPlace ? at::leaky_relu_(x, op.alpha) : at::leaky_relu(x, op.alpha);
    case Function::Gelu: return at::gelu(x, "none");
    case Function::GeluTanh: return at::gelu(x, "tanh");
    case Function::Silu: return at::silu(x);
    case Function::Sigmoid: return at::sigmoid(x);
    case Function::Tanh: return at::tanh(x);
    case Function::Elu: return at::elu(x, op.alpha);
    case Function::Softplus: return at::softplus(x);
    case Function::HardSwish: return at::hardswish(x);
    }
    TORCH_CHECK(false, "unknown activation");
}

Tensor execute(const SoftmaxOp& op, const Frame& frame)
{
    return op.logarithm ? at::log_softmax(frame.x(), op.axis + 1) : at::softmax(frame.x(), op.axis + 1);
}

Tensor execute(const DropoutOp& op, const Frame& frame)
{
    if (!frame.context.training || op.rate <= 0) return frame.x();
    return at::mul(frame.x(), dropoutMask(frame.x(), op, frame.context));
}

Tensor execute(const BatchNormOp& op, const Frame& frame)
{
    const auto mean = static_cast<std::size_t>(op.mean), variance = static_cast<std::size_t>(op.variance);
    const Tensor weight = frame.parameter(op.weight), bias = frame.parameter(op.bias);
    if (!frame.context.training || op.frozen)
        return at::batch_norm(frame.x(), weight, bias, frame.context.buffers[mean], frame.context.buffers[variance], false,
                              op.momentum, op.epsilon, true);
    // torch writes the running statistics in place: give it copies, which the commit may take over. One value a channel
    // has no unbiased variance (0/0 would poison the statistics for ever), so such a batch leaves them alone.
    Tensor newMean, newVariance;
    if (!frame.context.again && frame.x().numel() > frame.x().size(1)) {
        const at::NoGradGuard noGrad;
        // A later piece of the batch goes on from what the one before it staged.
        const auto latest = [&](std::size_t buffer) { return (*frame.context.staged)[buffer].defined() ? (*frame.context.staged)[buffer] : frame.context.buffers[buffer]; };
        newMean = latest(mean).clone();
        newVariance = latest(variance).clone();
        (*frame.context.staged)[mean] = newMean;
        (*frame.context.staged)[variance] = newVariance;
    }
    return at::batch_norm(frame.x(), weight, bias, newMean, newVariance, true, op.momentum, op.epsilon, true);
}

Tensor execute(const LayerNormOp& op, const Frame& frame)
{
    const auto sizes = frame.x().sizes();
    return at::layer_norm(frame.x(), sizes.slice(sizes.size() - static_cast<std::size_t>(op.axes)), frame.parameter(op.weight),
                          frame.parameter(op.bias), op.epsilon);
}

Tensor execute(const GroupNormOp& op, const Frame& frame)
{
    Tensor weight = frame.parameter(op.weight);
    const Tensor bias = frame.parameter(op.bias);
    // torch's backward pass trips over a bias without a weight.
    if (!weight.defined() && bias.defined()) weight = at::ones(bias.sizes(), bias.options());
    return at::group_norm(frame.x(), op.groups, weight, bias, op.epsilon);
}

Tensor execute(const ReshapeOp&, const Frame& frame)
{
    Sizes sizes = frame.outputType().sizes();
    sizes.insert(sizes.begin(), frame.batch());
    return frame.x().reshape(sizes);
}

Tensor execute(const AddOp&, const Frame& frame)
{
    Tensor sum = frame.x();
    for (std::size_t i = 1; i < frame.inputs.size(); ++i) sum = at::add(sum, frame.inputs[i]);
    return sum;
}

Tensor execute(const MultiplyOp&, const Frame& frame)
{
    Tensor product = frame.x();
    for (std::size_t i = 1; i < frame.inputs.size(); ++i) product = at::mul(product, frame.inputs[i]);
    return product;
}

Tensor execute(const ConcatOp& op, const Frame& frame)
{
    return at::cat(at::TensorList(frame.inputs.data(), frame.inputs.size()), op.axis + 1);
}

Tensor execute(const PadOp& op, const Frame& frame)
{
    if (isZero(op.before) && isZero(op.after)) return frame.x();
    return at::constant_pad_nd(frame.x(), padPairs(op.before, op.after), op.value);
}

Tensor execute(const EmbeddingOp& op, const Frame& frame)
{
    return at::embedding(frame.parameter(op.weight), frame.x());
}

Tensor execute(const OffsetOp& op, const Frame& frame)
{
    return at::add(frame.x(), frame.parameter(op.weight));
}

/// torch's kernels draw masks of their own, from a generator with a state; so the softmax is made where the mask can reach it, in float32.
/// q, k, v [N, heads, length, width].
Tensor droppedAttention(const AttentionOp& op, const Tensor& q, const Tensor& k, const Tensor& v, const RunContext& context)
{
    const std::int64_t length = q.size(2);
    Tensor scores = at::matmul(q, k.transpose(2, 3)).to(at::kFloat).mul_(1 / std::sqrt(static_cast<double>(q.size(3))));
    if (op.causal) scores = scores.add_(at::full({length, length}, -std::numeric_limits<float>::infinity(), scores.options()).triu_(1));
    const Tensor shares = at::softmax(scores, 3);
    return at::matmul(at::mul(shares, dropoutMask(shares, {op.dropout, op.key}, context)).to(v.scalar_type()), v);
}

Tensor execute(const AttentionOp& op, const Frame& frame)
{
    const std::int64_t batch = frame.batch(), length = frame.x().size(1), width = frame.x().size(2) / 3;
    const Tensor heads = frame.x().reshape({batch, length, 3, op.heads, width / op.heads}).permute({2, 0, 3, 1, 4}); // views: nothing is moved
    const bool drops = frame.context.training && op.dropout > 0;
    const Tensor seen = drops ? droppedAttention(op, heads[0], heads[1], heads[2], frame.context) : at::scaled_dot_product_attention(heads[0], heads[1], heads[2], {}, 0.0, op.causal);
    return seen.transpose(1, 2).reshape({batch, length, width});
}

/// Several steps in one kernel.
Tensor executeFused(const Fusion& fusion, const Frame& frame)
{
    const auto* conv = std::get_if<ConvOp>(&frame.step.op);
    switch (fusion.kind) {
    case Fusion::Kind::ConvPool: return convPool(frame.x(), frame.parameter(conv->weight), frame.parameter(conv->bias), *conv, fusion.slope);
    case Fusion::Kind::DeepConvPool: return deepConvPool(frame.x(), frame.parameter(conv->weight), frame.parameter(conv->bias), *conv, fusion.slope);
    case Fusion::Kind::WindowConv: return windowConv(frame.x(), frame.parameter(conv->weight), frame.parameter(conv->bias), *conv);
    case Fusion::Kind::Pool: return pool(frame.x(), {}, fusion.slope);
    case Fusion::Kind::Attention: {
        const auto& attention = std::get<AttentionOp>(frame.step.op);
        return shortAttention(frame.x(), attention.heads, attention.causal);
    }
    case Fusion::Kind::BiasPool: break;
    }
    ConvOp bare = *conv;
    bare.bias = none;
    const Tensor bias = conv->bias == none ? Tensor() : frame.context.parameters[static_cast<std::size_t>(conv->bias)]; // added by the pool, in float32
    return pool(cast(execute(bare, frame), DType::F32), bias, fusion.slope);
}

/// The declared shape is the contract of every step: exporters, estimates and the screen rely on it. The type is that of the pass.
void checkShape(const Tensor& result, const ExecutionPlan& execution, const Step& step, std::int64_t batch)
{
    const ValueType& declared = execution.plan.values[static_cast<std::size_t>(step.output)].type;
    const std::vector<Dim>& dims = declared.dims;
    bool same = result.dim() == static_cast<std::int64_t>(dims.size()) + 1 && result.size(0) == batch;
    for (std::size_t i = 0; same && i < dims.size(); ++i) same = result.size(static_cast<std::int64_t>(i) + 1) == dims[i].size;
    TORCH_CHECK(same, primitiveName(step.op), " of layer ", step.layer, " was declared to give ",
                declared.text(), " but gave ", result.sizes());
    const DType type = execution.types[static_cast<std::size_t>(step.output)];
    TORCH_CHECK(result.scalar_type() == scalarType(type), primitiveName(step.op), " of layer ", step.layer, " should give ", name(type), " but gave ", result.scalar_type());
}

} // namespace

namespace {

/// The values of a run while they are needed, each also in the types that its readers compute in, cast once.
class Values
{
  public:
    explicit Values(const ExecutionPlan& execution) : m_execution(execution), m_values(execution.plan.values.size()), m_casts(execution.plan.values.size()) {}
    const Tensor& operator[](ValueIndex index) const { return m_values[static_cast<std::size_t>(index)]; }
    void set(ValueIndex index, Tensor value) { m_values[static_cast<std::size_t>(index)] = std::move(value); }
    const Tensor& as(ValueIndex index, DType type)
    {
        const auto at = static_cast<std::size_t>(index);
        if (m_values[at].scalar_type() == scalarType(type) || m_values[at].scalar_type() == at::kLong) return m_values[at]; // symbols are never cast
        if (!m_casts[at].defined()) m_casts[at] = cast(m_values[at], type);
        return m_casts[at];
    }
    void drop(std::size_t step)
    {
        for (const ValueIndex index : m_execution.dead[step]) {
            m_values[static_cast<std::size_t>(index)].reset();
            m_casts[static_cast<std::size_t>(index)].reset();
        }
    }

  private:
    const ExecutionPlan& m_execution;
    std::vector<Tensor> m_values, m_casts;
};

Tensor runSegment(const ExecutionPlan& execution, const RunContext& context, const Segment& segment, const Values& values);

Tensor execute(const ExecutionPlan& execution, const RunContext& context, std::size_t index, std::span<const Tensor> inputs, DType computes)
{
    const Step& step = execution.plan.steps[index];
    const Frame frame{execution, context, step, inputs, computes, execution.inPlace[index] != 0};
    const std::optional<Fusion>& fusion = execution.fusions[index];
    return fusion ? executeFused(*fusion, frame) : std::visit([&](const auto& op) { return execute(op, frame); }, step.op);
}

/// Steps [first, last) from a value that is alive before them to one that is alive behind.
Tensor runSteps(const ExecutionPlan& execution, const RunContext& context, int first, int last, ValueIndex from, const Tensor& input, ValueIndex to)
{
    const Plan& plan = execution.plan;
    Values values(execution);
    values.set(from, input);
    std::vector<Tensor> inputs;
    std::size_t nextSegment = 0;
    const bool forgets = context.training && !context.again && at::GradMode::is_enabled();
    for (auto i = static_cast<std::size_t>(first); i < static_cast<std::size_t>(last); ++i) {
        const std::size_t began = i;
        Tensor result;
        while (nextSegment < execution.segments.size() && execution.segments[nextSegment].first < static_cast<int>(i)) ++nextSegment;
        if (forgets && nextSegment < execution.segments.size() && execution.segments[nextSegment].first == static_cast<int>(i)) {
            result = runSegment(execution, context, execution.segments[nextSegment], values);
            i = static_cast<std::size_t>(execution.segments[nextSegment].last) - 1;
        } else {
            const std::size_t count = execution.fusions[i] ? static_cast<std::size_t>(execution.fusions[i]->steps) : 1;
            if (context.observer) context.observer->before(execution, context, i, count);
            inputs.clear();
            for (ValueIndex index : plan.steps[i].inputs) inputs.push_back(values.as(index, execution.computes[i]));
            result = execute(execution, context, i, inputs, execution.computes[i]);
            if (context.observer) context.observer->after(execution, i, result);
            i += count - 1;
        }
        checkShape(result, execution, plan.steps[i], input.size(0));
        values.set(plan.steps[i].output, std::move(result));
        for (std::size_t done = began; done <= i; ++done) values.drop(done);
    }
    return values[to];
}

/// What the backward pass needs to compute a segment again.
struct SegmentJob : torch::CustomClassHolder
{
    const ExecutionPlan& execution;
    RunContext context;
    Segment segment;
    ValueIndex from, to;
    SegmentJob(const ExecutionPlan& all, const RunContext& how, const Segment& which) : execution(all), context(how), segment(which)
    {
        from = all.plan.steps[static_cast<std::size_t>(which.first)].inputs[0]; // the only value alive there
        to = all.plan.steps[static_cast<std::size_t>(which.last) - 1].output;
    }
    Tensor run(const Tensor& input) const { return runSteps(execution, context, segment.first, segment.last, from, input, to); }
};

/// Keeps its input alone; going back it computes its steps a second time, now with autograd, by the same random keys.
class Forgetful : public torch::autograd::Function<Forgetful>
{
  public:
    static Tensor forward(torch::autograd::AutogradContext* ctx, const Tensor& input, const at::TensorList& parameters, const c10::intrusive_ptr<SegmentJob>& job)
    {
        std::vector<Tensor> saved{input};
        saved.insert(saved.end(), parameters.begin(), parameters.end());
        ctx->save_for_backward(std::move(saved));
        ctx->saved_data["job"] = c10::IValue::make_capsule(job);
        return job->run(input);
    }
    static torch::autograd::variable_list backward(torch::autograd::AutogradContext* ctx, const torch::autograd::variable_list& gradients)
    {
        const torch::autograd::variable_list saved = ctx->get_saved_variables();
        const c10::intrusive_ptr<SegmentJob> job = c10::static_intrusive_pointer_cast<SegmentJob>(ctx->saved_data["job"].toCapsule());
        const at::AutoGradMode recording(true);
        job->context.again = true;
        std::vector<Tensor> sources{saved[0].detach().set_requires_grad(saved[0].requires_grad())};
        sources.insert(sources.end(), saved.begin() + 1, saved.end());
        std::vector<Tensor> wanted;
        for (const Tensor& source : sources)
            if (source.requires_grad()) wanted.push_back(source);
        const Tensor output = job->run(sources[0]);
        if (job->context.observer) job->context.observer->goingBack(output);
        const std::vector<Tensor> found = torch::autograd::grad({output}, wanted, {gradients[0]}, {}, false, true);
        torch::autograd::variable_list result(sources.size() + 1); // nothing for the job
        std::size_t next = 0;
        for (std::size_t i = 0; i < sources.size(); ++i)
            if (sources[i].requires_grad()) result[i] = found[next++];
        return result;
    }
};

Tensor runSegment(const ExecutionPlan& execution, const RunContext& context, const Segment& segment, const Values& values)
{
    const auto job = c10::make_intrusive<SegmentJob>(execution, context, segment);
    std::vector<Tensor> parameters; // so that autograd sees that the segment learns
    for (int i = segment.first; i < segment.last; ++i)
        visitParameters(execution.plan.steps[static_cast<std::size_t>(i)].op, [&](ParamIndex index) { parameters.push_back(context.parameters[static_cast<std::size_t>(index)]); });
    const at::TensorList learnt(parameters); // of a std::vector autograd would not see the tensors
    return Forgetful::apply(values[job->from], learnt, job);
}

} // namespace

Tensor runPlan(const ExecutionPlan& execution, const Tensor& input, const RunContext& context)
{
    const Plan& plan = execution.plan;
    const Tensor output = runSteps(execution, context, 0, static_cast<int>(plan.steps.size()), plan.input, input, plan.output);
    return cast(output, DType::F32);
}

Tensor runProduct(const ExecutionPlan& execution, std::size_t step, const Tensor& input, const RunContext& context, DType type)
{
    const Tensor x = cast(input, type);
    const Frame frame{execution, context, execution.plan.steps[step], std::span(&x, 1), type, false};
    return cast(std::visit([&](const auto& op) { return execute(op, frame); }, execution.plan.steps[step].op), DType::F32);
}

} // namespace sconce::engine
