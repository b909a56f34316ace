// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/model/looks_ahead.h"

#include "core/model/checked.h"

namespace sconce {

namespace {

/// Index of the length axis, counted without batch; -1 if there is none.
int lengthAxis(const ValueType& type)
{
    for (std::size_t a = 0; a < type.dims.size(); ++a)
        if (type.dims[a].axis == Axis::Length) return static_cast<int>(a);
    return -1;
}

/// Whether an operation makes a position of its output depend on later positions of its inputs. Asked only where the inputs have a length.
struct Mixes
{
    const Plan& plan;
    const ValueType& in;
    const ValueType& out;
    int axis; ///< of the length, in the input

    /// A window over the length that ends where it stands. Spatial axes stand behind the channels.
    bool window(const std::vector<std::int64_t>& kernel, const std::vector<std::int64_t>& stride, const std::vector<std::int64_t>& padBefore, const std::vector<std::int64_t>* dilation) const
    {
        if (axis < 1) return true;
        const auto a = static_cast<std::size_t>(axis) - 1;
        if (a >= kernel.size() || a >= stride.size() || a >= padBefore.size()) return true;
        const std::int64_t reach = satMul(kernel[a] - 1, dilation ? (*dilation)[a] : 1);
        return stride[a] != 1 || padBefore[a] < reach;
    }

    bool operator()(const ConvOp& op) const
    {
        const std::vector<std::int64_t>& weight = plan.parameters[static_cast<std::size_t>(op.weight)].shape;
        return window({weight.begin() + 2, weight.end()}, op.stride, op.padBefore, &op.dilation);
    }
    bool operator()(const ConvTransposeOp&) const { return true; }
    bool operator()(const LinearOp&) const { return axis == in.rank() - 1; }
    bool operator()(const PoolOp& op) const { return window(op.kernel, op.stride, op.padBefore, nullptr); }
    bool operator()(const GlobalPoolOp&) const { return true; }
    bool operator()(const ActivationOp&) const { return false; }
    bool operator()(const SoftmaxOp& op) const { return op.axis == axis; }
    bool operator()(const DropoutOp&) const { return false; }
    bool operator()(const BatchNormOp&) const { return axis == 0; } // there a position is a channel
    bool operator()(const LayerNormOp& op) const { return axis >= in.rank() - op.axes; }
    bool operator()(const GroupNormOp&) const { return true; }
    bool operator()(const ReshapeOp&) const { return in.dims != out.dims; }
    bool operator()(const AddOp&) const { return false; }
    bool operator()(const MultiplyOp&) const { return false; }
    bool operator()(const ConcatOp& op) const { return op.axis == axis; }
    bool operator()(const PadOp& op) const { return axis < 1 || op.before[static_cast<std::size_t>(axis) - 1] < 0; } // cropping in front moves what is behind
    bool operator()(const EmbeddingOp&) const { return false; }
    bool operator()(const OffsetOp&) const { return false; }
    bool operator()(const AttentionOp& op) const { return !op.causal; }
};

} // namespace

std::optional<LayerId> looksAheadAt(const Plan& plan)
{
    if (plan.input == none || lengthAxis(plan.values[static_cast<std::size_t>(plan.input)].type) < 0) return std::nullopt;
    // By value: the layer at which it came to see what is behind; nothing while it does not.
    std::vector<std::optional<LayerId>> at(plan.values.size());
    for (const Step& step : plan.steps) {
        std::optional<LayerId>& result = at[static_cast<std::size_t>(step.output)];
        const ValueType& out = plan.values[static_cast<std::size_t>(step.output)].type;
        for (ValueIndex input : step.inputs) {
            const ValueType& in = plan.values[static_cast<std::size_t>(input)].type;
            if (!result) result = at[static_cast<std::size_t>(input)];
            if (!result && (lengthAxis(in) < 0 || std::visit(Mixes{plan, in, out, lengthAxis(in)}, step.op))) result = step.layer;
        }
    }
    return at[static_cast<std::size_t>(plan.output)];
}

bool looksAhead(const Plan& plan)
{
    return looksAheadAt(plan).has_value();
}

} // namespace sconce
