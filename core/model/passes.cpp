// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/model/passes.h"

#include <algorithm>
#include <utility>

namespace sconce {
namespace {

template <class Op> const Op* as(const Step& step)
{
    return std::get_if<Op>(&step.op);
}

/// How often each value is read; the plan's output counts as read.
std::vector<int> readers(const Plan& plan)
{
    std::vector<int> count(plan.values.size(), 0);
    for (const Step& step : plan.steps)
        for (ValueIndex input : step.inputs) ++count[static_cast<std::size_t>(input)];
    if (plan.output != none) ++count[static_cast<std::size_t>(plan.output)];
    return count;
}

/// Never falls, and exactly so in floating point: a selection or a scaling, not a polynomial.
bool isMonotone(const ActivationOp& op)
{
    if (op.function == Function::Relu) return true;
    return op.function == Function::LeakyRelu && op.alpha >= 0 && op.alpha <= 1;
}

} // namespace

int moveActivationsBehindMaxPools(Plan& plan)
{
    const std::vector<int> reads = readers(plan);
    int moved = 0;
    for (std::size_t i = 0; i + 1 < plan.steps.size(); ++i) {
        Step& activation = plan.steps[i];
        const auto* function = as<ActivationOp>(activation);
        if (!function || !isMonotone(*function) || reads[static_cast<std::size_t>(activation.output)] != 1) continue;
        // The reader may stand further down, but nothing between can read the value, so the order may change.
        for (std::size_t j = i + 1; j < plan.steps.size(); ++j) {
            Step& pool = plan.steps[j];
            if (pool.inputs.size() != 1 || pool.inputs[0] != activation.output) continue;
            const auto* window = as<PoolOp>(pool);
            if (!window || window->kind != PoolOp::Kind::Max || j != i + 1) break;
            const ValueIndex middle = activation.output;
            const ValueIndex result = pool.output;
            pool.inputs[0] = activation.inputs[0];
            pool.output = middle;
            activation.inputs[0] = middle;
            activation.output = result;
            plan.values[static_cast<std::size_t>(middle)] = plan.values[static_cast<std::size_t>(result)];
            std::swap(plan.steps[i], plan.steps[j]);
            ++moved;
            break;
        }
    }
    return moved;
}

OutputKind takeOffFinalSoftmax(Plan& plan)
{
    if (plan.steps.empty() || plan.output == none) return OutputKind::Raw;
    const Step& last = plan.steps.back();
    const auto* softmax = as<SoftmaxOp>(last);
    if (!softmax || last.output != plan.output) return OutputKind::Raw;
    const ValueType& type = plan.values[static_cast<std::size_t>(plan.output)].type;
    const bool classes = type.rank() == 1 || hasPositions(type); // for the whole sample, or at each position
    if (!classes || softmax->axis != channelAxis(type)) return OutputKind::Raw;
    const OutputKind kind = softmax->logarithm ? OutputKind::LogProbabilities : OutputKind::Probabilities;
    plan.output = last.inputs[0];
    plan.steps.pop_back();
    return kind;
}

OutputKind takeOffFinalSigmoid(Plan& plan)
{
    if (plan.steps.empty() || plan.output == none) return OutputKind::Raw;
    const Step& last = plan.steps.back();
    const auto* function = as<ActivationOp>(last);
    if (!function || function->function != Function::Sigmoid || last.output != plan.output) return OutputKind::Raw;
    plan.output = last.inputs[0];
    plan.steps.pop_back();
    return OutputKind::Sigmoid;
}

std::vector<char> markInPlace(const Plan& plan)
{
    const std::vector<int> reads = readers(plan);
    std::vector<const Step*> producer(plan.values.size(), nullptr);
    for (const Step& step : plan.steps) producer[static_cast<std::size_t>(step.output)] = &step;

    std::vector<char> inPlace(plan.steps.size(), 0);
    for (std::size_t i = 0; i < plan.steps.size(); ++i) {
        const auto* function = as<ActivationOp>(plan.steps[i]);
        if (!function || !isMonotone(*function)) continue;
        const auto input = static_cast<std::size_t>(plan.steps[i].inputs[0]);
        const Step* source = producer[input];
        if (!source || reads[input] != 1) continue;
        // A linear layer over more than one axis gives a view of a matrix, on which in-place work costs more.
        const bool fresh = as<ConvOp>(*source) || as<ConvTransposeOp>(*source) || as<BatchNormOp>(*source) ||
                           as<PoolOp>(*source) || (as<AddOp>(*source) && source->inputs.size() > 1) ||
                           (as<LinearOp>(*source) && plan.values[input].type.rank() == 1);
        inPlace[i] = fresh ? 1 : 0;
    }
    return inPlace;
}

std::vector<std::vector<ValueIndex>> markDead(const Plan& plan)
{
    std::vector<int> last(plan.values.size(), -1);
    for (std::size_t i = 0; i < plan.steps.size(); ++i) {
        last[static_cast<std::size_t>(plan.steps[i].output)] = static_cast<int>(i);
        for (ValueIndex input : plan.steps[i].inputs) last[static_cast<std::size_t>(input)] = static_cast<int>(i);
    }
    std::vector<std::vector<ValueIndex>> dead(plan.steps.size());
    for (std::size_t value = 0; value < last.size(); ++value)
        if (last[value] >= 0 && static_cast<ValueIndex>(value) != plan.output)
            dead[static_cast<std::size_t>(last[value])].push_back(static_cast<ValueIndex>(value));
    return dead;
}

namespace {

/// 2×2, stride 2, nothing padded, the odd row left out.
bool isPlainMaxPool(const Step& step, const Plan& plan)
{
    const auto* pool = as<PoolOp>(step);
    if (!pool || pool->kind != PoolOp::Kind::Max || pool->kernel.size() != 2) return false;
    const ValueType& map = plan.values[static_cast<std::size_t>(step.inputs[0])].type;
    for (std::size_t axis = 0; axis < 2; ++axis) {
        if (pool->kernel[axis] != 2 || pool->stride[axis] != 2 || pool->padBefore[axis] != 0 || pool->padAfter[axis] != 0) return false;
        if (pool->ceil && map.dims[axis + 1].size % 2 != 0) return false;
    }
    return map.dims[0].size % fusedBlockOf == 0;
}

/// Two-dimensional, each output from neighbouring inputs of all channels.
bool isDense(const ConvOp& conv)
{
    const std::vector<std::int64_t> ones{1, 1};
    return conv.stride == ones && conv.dilation == ones && conv.groups == 1;
}

/// A convolution that the kernel for many channels knows.
bool isDeepConv(const Step& step, const Plan& plan)
{
    const auto* conv = as<ConvOp>(step);
    if (!conv || !isDense(*conv)) return false;
    const std::vector<std::int64_t>& weight = plan.parameters[static_cast<std::size_t>(conv->weight)].shape;
    return weight[0] % fusedBlockOf == 0 && weight[1] % fusedBlockOf == 0 && weight[2] == 3 && weight[3] == 3;
}

/// The same where no pool follows: worth it if few of the tiles' 2×2 outputs stick out of the map.
bool isWindowConv(const Step& step, const Plan& plan)
{
    if (!isDeepConv(step, plan)) return false;
    const auto& conv = std::get<ConvOp>(step.op);
    const std::vector<std::int64_t> out = plan.values[static_cast<std::size_t>(step.output)].type.sizes();
    for (std::size_t axis = 0; axis < 2; ++axis)
        if (conv.padBefore[axis] > 2 || conv.padAfter[axis] > 2) return false;
    constexpr double worthwhile = 1.5; // of the 2.25 times fewer products
    return 9.0 * static_cast<double>(out[1] * out[2]) >= worthwhile * 16.0 * static_cast<double>((out[1] + 1) / 2 * ((out[2] + 1) / 2));
}

/// A convolution that the kernel for few channels knows.
bool isInputConv(const Step& step, const Plan& plan)
{
    const auto* conv = as<ConvOp>(step);
    if (!conv || step.inputs[0] != plan.input || !isDense(*conv)) return false;
    const std::vector<std::int64_t>& weight = plan.parameters[static_cast<std::size_t>(conv->weight)].shape;
    return weight[0] % fusedBlockOf == 0 && weight[1] <= 4 && weight[2] == weight[3] && weight[2] <= 7;
}

} // namespace

bool runsWhole(const Fusion& fusion)
{
    return fusion.kind == Fusion::Kind::ConvPool || fusion.kind == Fusion::Kind::DeepConvPool || fusion.kind == Fusion::Kind::WindowConv || fusion.kind == Fusion::Kind::Attention;
}

std::vector<std::optional<Fusion>> findFusions(const Plan& plan, bool deep, bool windows)
{
    const std::vector<int> reads = readers(plan);
    // True if step i+1 takes what step i gives, and nobody else does.
    const auto feeds = [&](std::size_t i) {
        return i + 1 < plan.steps.size() && plan.steps[i + 1].inputs == std::vector<ValueIndex>{plan.steps[i].output} &&
               reads[static_cast<std::size_t>(plan.steps[i].output)] == 1;
    };
    std::vector<std::optional<Fusion>> found(plan.steps.size());
    for (std::size_t i = 0; i < plan.steps.size();) {
        Fusion fusion;
        std::size_t at = i;
        const auto* conv = as<ConvOp>(plan.steps[i]);
        if (conv && feeds(i)) {
            fusion.kind = isInputConv(plan.steps[i], plan) ? Fusion::Kind::ConvPool : deep && isDeepConv(plan.steps[i], plan) ? Fusion::Kind::DeepConvPool : Fusion::Kind::BiasPool;
            ++at;
        }
        if (!isPlainMaxPool(plan.steps[at], plan)) {
            if (deep && windows && isWindowConv(plan.steps[i], plan)) found[i] = Fusion{Fusion::Kind::WindowConv, 1, 1};
            ++i;
            continue;
        }
        if (feeds(at))
            if (const auto* function = as<ActivationOp>(plan.steps[at + 1]); function && isMonotone(*function)) {
                fusion.slope = function->function == Function::Relu ? 0.0 : function->alpha;
                ++at;
            }
        fusion.steps = static_cast<int>(at - i) + 1;
        found[i] = fusion;
        i = at + 1;
    }
    return found;
}

void findShortAttention(const Plan& plan, std::vector<std::optional<Fusion>>& fusions)
{
    for (std::size_t i = 0; i < plan.steps.size(); ++i) {
        const auto* attention = as<AttentionOp>(plan.steps[i]);
        if (!attention || attention->dropout > 0) continue;
        const ValueType& type = plan.values[static_cast<std::size_t>(plan.steps[i].output)].type;
        const std::int64_t length = type.dims[0].size, width = type.dims[1].size / attention->heads;
        if (length <= fewPositions && width % fusedBlockOf == 0) fusions[i] = Fusion{Fusion::Kind::Attention, 1, 1};
    }
}

ParamIndex productWeight(const Operation& op)
{
    if (const auto* conv = std::get_if<ConvOp>(&op)) return conv->weight;
    if (const auto* conv = std::get_if<ConvTransposeOp>(&op)) return conv->weight;
    if (const auto* linear = std::get_if<LinearOp>(&op)) return linear->weight;
    return none;
}

namespace {

/// Gives back numbers that it was given, or one of them scaled: nothing is lost by doing it in fewer digits. Not dropout: its
/// factor 1/(1-rate) would be rounded, the same way for every number.
bool follows(const Operation& op, bool poolsFollow)
{
    if (const auto* activation = std::get_if<ActivationOp>(&op)) return isMonotone(*activation);
    if (const auto* pool = std::get_if<PoolOp>(&op)) return poolsFollow && pool->kind == PoolOp::Kind::Max;
    // Attention multiplies what it is given and adds up in float32, its softmax too, inside of the kernel. A CPU's goes back through
    // bfloat16 several times slower than through float32 (PyTorch 2.11, without AMX; 64 to 256 positions).
    if (std::holds_alternative<AttentionOp>(op)) return poolsFollow;
    return std::holds_alternative<ReshapeOp>(op) || std::holds_alternative<PadOp>(op) || std::holds_alternative<ConcatOp>(op);
}

} // namespace

std::vector<DType> chooseTypes(const Plan& plan, const std::vector<std::optional<Fusion>>& fusions, const PassOptions& options)
{
    std::vector<DType> computes(plan.steps.size(), DType::F32);
    if (options.products == DType::F32) return computes;
    const auto wanted = [&](const Step& step) {
        const ParamIndex weight = productWeight(step.op);
        if (weight == none) return false;
        const std::string& name = plan.parameters[static_cast<std::size_t>(weight)].name;
        return !options.only || std::find(options.only->begin(), options.only->end(), name) != options.only->end();
    };
    std::vector<DType> types(plan.values.size(), DType::F32);
    for (std::size_t i = 0; i < plan.steps.size(); ++i) {
        const Step& step = plan.steps[i];
        if (fusions[i]) { // of these only the convolution in front is torch's
            if (fusions[i]->kind == Fusion::Kind::BiasPool && wanted(step)) computes[i] = options.products;
            i += static_cast<std::size_t>(fusions[i]->steps) - 1;
            continue;
        }
        const bool reduced = std::all_of(step.inputs.begin(), step.inputs.end(), [&](ValueIndex in) { return types[static_cast<std::size_t>(in)] == options.products; });
        if (wanted(step) || (reduced && follows(step.op, options.poolsFollow))) computes[i] = options.products;
        types[static_cast<std::size_t>(step.output)] = computes[i];
    }
    return computes;
}

bool dropsAnything(const Plan& plan)
{
    return std::any_of(plan.steps.begin(), plan.steps.end(), [](const Step& step) {
        const auto* attention = as<AttentionOp>(step);
        return as<DropoutOp>(step) || (attention && attention->dropout > 0);
    });
}

bool gainsFromChannelsLast(const Plan& plan)
{
    for (const Step& step : plan.steps) {
        const bool map = plan.values[static_cast<std::size_t>(step.output)].type.rank() == 3;
        if (map && (as<ConvOp>(step) || as<ConvTransposeOp>(step) || as<PoolOp>(step))) return true;
    }
    return false;
}

ExecutionPlan prepare(Plan plan, const PassOptions& options)
{
    ExecutionPlan result;
    if (options.joined == FinalStep::Softmax) result.outputKind = takeOffFinalSoftmax(plan);
    if (options.joined == FinalStep::Sigmoid) result.outputKind = takeOffFinalSigmoid(plan);
    if (options.poolsFirst) result.poolsMoved = moveActivationsBehindMaxPools(plan);
    result.channelsLast = options.channelsLast && gainsFromChannelsLast(plan);
    result.fusions = options.fuse && result.channelsLast ? findFusions(plan, options.deep, options.products == DType::F32) : std::vector<std::optional<Fusion>>(plan.steps.size());
    if (options.fuse && options.attention) findShortAttention(plan, result.fusions);
    result.inPlace = markInPlace(plan);
    result.dead = markDead(plan);
    result.computes = chooseTypes(plan, result.fusions, options);
    result.types.assign(plan.values.size(), DType::F32);
    if (plan.input != none && isSymbols(plan.values[static_cast<std::size_t>(plan.input)].type)) result.types[static_cast<std::size_t>(plan.input)] = DType::I64;
    for (std::size_t i = 0; i < plan.steps.size(); ++i) result.types[static_cast<std::size_t>(plan.steps[i].output)] = result.computes[i];
    result.plan = std::move(plan);
    if (options.recompute) result.segments = chooseSegments(result);
    return result;
}

} // namespace sconce
