// SPDX-License-Identifier: GPL-3.0-or-later
// What a primitive costs, per sample. Counted as the field does: a multiply-add is one MAC, a backward pass is two more
// matrix products of the same size, of which the network's first layer needs only one.
#include "core/model/primitives.h"

#include "core/model/checked.h"

namespace sconce {

Cost& Cost::operator+=(const Cost& other)
{
    macs = satAdd(macs, other.macs);
    trainingMacs = satAdd(trainingMacs, other.trainingMacs);
    elementwise = satAdd(elementwise, other.elementwise);
    activationBytes = satAdd(activationBytes, other.activationBytes);
    return *this;
}

namespace {

struct CostRule
{
    const Step& step;
    const Plan& plan;

    std::int64_t outElements() const { return plan.values[static_cast<std::size_t>(step.output)].type.elements(); }
    std::int64_t inElements() const { return plan.values[static_cast<std::size_t>(step.inputs.front())].type.elements(); }
    std::int64_t weight(ParamIndex index) const { return plan.parameters[static_cast<std::size_t>(index)].elements(); }
    std::int64_t weightDim(ParamIndex index, std::size_t axis) const
    {
        return plan.parameters[static_cast<std::size_t>(index)].shape[axis];
    }
    std::int64_t channels() const { return plan.values[static_cast<std::size_t>(step.output)].type.dims.front().size; }
    Cost of(std::int64_t macs, std::int64_t elementwise, std::int64_t bytesPerOutput) const
    {
        Cost cost;
        cost.macs = macs;
        cost.elementwise = elementwise;
        cost.activationBytes = satMul(outElements(), bytesPerOutput);
        return cost;
    }
    Cost plain(std::int64_t perOutput) const { return of(0, satMul(outElements(), perOutput), 4); }

    // Every output of a convolution is one product with a filter: positions × all weights.
    Cost operator()(const ConvOp& op) const
    {
        return of(satMul(outElements() / channels(), weight(op.weight)), op.bias == none ? 0 : outElements(), 4);
    }
    Cost operator()(const ConvTransposeOp& op) const
    {
        return of(satMul(inElements() / weightDim(op.weight, 0), weight(op.weight)), op.bias == none ? 0 : outElements(), 4);
    }
    Cost operator()(const LinearOp& op) const
    {
        return of(satMul(inElements() / weightDim(op.weight, 1), weight(op.weight)), op.bias == none ? 0 : outElements(), 4);
    }
    Cost operator()(const PoolOp& op) const
    {
        std::int64_t window = 1;
        for (std::int64_t k : op.kernel) window = satMul(window, k);
        // Maximum pooling also keeps a 64-bit index per output for its backward pass.
        return of(0, satMul(outElements(), window), op.kind == PoolOp::Kind::Max ? 12 : 4);
    }
    Cost operator()(const GlobalPoolOp& op) const { return of(0, inElements(), op.kind == PoolOp::Kind::Max ? 12 : 4); }
    Cost operator()(const ActivationOp& op) const
    {
        switch (op.function) {
        // These go backward from their own result: it takes the place of their input.
        case Function::Relu: return of(0, outElements(), 0);
        case Function::LeakyRelu: return of(0, satMul(outElements(), 2), 0);
        case Function::Sigmoid:
        case Function::Tanh:
        case Function::Elu: return of(0, satMul(outElements(), 4), 0);
        default: return plain(8);
        }
    }
    Cost operator()(const SoftmaxOp&) const { return of(0, satMul(outElements(), 5), 0); }
    Cost operator()(const DropoutOp&) const { return of(0, satMul(outElements(), 2), 5); } // result and a mask of bytes
    Cost operator()(const BatchNormOp&) const { return plain(4); }
    Cost operator()(const LayerNormOp&) const { return plain(8); }
    Cost operator()(const GroupNormOp&) const { return plain(8); }
    Cost operator()(const ReshapeOp&) const { return {}; }
    Cost operator()(const AddOp&) const { return plain(static_cast<std::int64_t>(step.inputs.size()) - 1); }
    Cost operator()(const MultiplyOp&) const { return plain(static_cast<std::int64_t>(step.inputs.size()) - 1); }
    Cost operator()(const ConcatOp&) const { return plain(0); }
    Cost operator()(const PadOp&) const { return plain(0); }
    Cost operator()(const EmbeddingOp&) const { return plain(0); }
    Cost operator()(const OffsetOp&) const { return plain(1); }
    // Every position with every other, twice: Q·K and the weighted sum of V. What a causal mask leaves out is counted too, as the
    // field does. Kept are the result and one number per head and position; the scores are computed again. Dropout needs them one by one:
    // softmax, mask and their product are kept, and Q, K and V head by head.
    Cost operator()(const AttentionOp& op) const
    {
        const std::int64_t length = plan.values[static_cast<std::size_t>(step.output)].type.dims[0].size;
        const std::int64_t scores = satMul(op.heads, satMul(length, length));
        Cost cost = of(satMul(2, satMul(length, outElements())), satMul(op.dropout > 0 ? 7 : 5, scores), 4);
        cost.activationBytes = satAdd(cost.activationBytes, op.dropout > 0 ? satAdd(satMul(12, scores), satMul(4, inElements())) : satMul(4, satMul(op.heads, length)));
        return cost;
    }
};

} // namespace

bool hasParameters(const Operation& op)
{
    bool any = false;
    visitParameters(op, [&](ParamIndex) { any = true; });
    return any;
}

bool learns(const Operation& op, const Plan& plan)
{
    bool any = false;
    visitParameters(op, [&](ParamIndex index) { any = any || plan.parameters[static_cast<std::size_t>(index)].trainable; });
    return any;
}

Cost costOf(const Step& step, const Plan& plan, bool inputNeedsGradient)
{
    Cost cost = std::visit(CostRule{step, plan}, step.op);
    // A product has a gradient for each of its factors; both factors of attention's are made of its input.
    const int ofInput = std::holds_alternative<AttentionOp>(step.op) ? 2 : 1;
    cost.trainingMacs = satMul(cost.macs, 1 + (inputNeedsGradient ? ofInput : 0) + (learns(step.op, plan) ? 1 : 0));
    return cost;
}

Cost costOf(const Step& step, const Plan& plan)
{
    std::vector<bool> needs(plan.values.size(), false);
    for (const Step& earlier : plan.steps) {
        if (earlier.output == step.output) break;
        bool need = learns(earlier.op, plan);
        for (ValueIndex input : earlier.inputs) need = need || needs[static_cast<std::size_t>(input)];
        needs[static_cast<std::size_t>(earlier.output)] = need;
    }
    bool need = false;
    for (ValueIndex input : step.inputs) need = need || needs[static_cast<std::size_t>(input)];
    return costOf(step, plan, need);
}

} // namespace sconce
