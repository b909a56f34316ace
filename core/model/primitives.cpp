// SPDX-License-Identifier: GPL-3.0-or-later
// The one shape rule per primitive. Sizes may come from a file: every product is checked.
#include "core/model/primitives.h"

#include "core/base/text.h"
#include "core/model/checked.h"

namespace sconce {

std::int64_t ParameterSpec::elements() const
{
    std::int64_t product = 1;
    for (std::int64_t size : shape) product = satMul(product, size);
    return product;
}

std::int64_t Plan::parameterCount() const
{
    std::int64_t sum = 0;
    for (const ParameterSpec& parameter : parameters) sum = satAdd(sum, parameter.elements());
    return sum;
}

std::int64_t Plan::trainableCount() const
{
    std::int64_t sum = 0;
    for (const ParameterSpec& parameter : parameters)
        if (parameter.trainable) sum = satAdd(sum, parameter.elements());
    return sum;
}

namespace {

using Sizes = std::vector<std::int64_t>;

Error wrong(std::string message)
{
    return {ErrorCode::Invalid, std::move(message), {}, {}};
}

Result<ValueType> checked(ValueType type)
{
    for (const Dim& dim : type.dims)
        if (dim.size < 1) return wrong("The result would be empty.");
    if (type.elements() > maxValueElements)
        return wrong("The result would hold more than " + shortCount(maxValueElements) + " numbers for one sample.");
    return type;
}

const Sizes* shapeOf(const Plan& plan, ParamIndex index)
{
    if (index < 0 || static_cast<std::size_t>(index) >= plan.parameters.size()) return nullptr;
    return &plan.parameters[static_cast<std::size_t>(index)].shape;
}

bool allAtLeast(const Sizes& sizes, std::size_t count, std::int64_t least)
{
    if (sizes.size() != count) return false;
    for (std::int64_t size : sizes)
        if (size < least) return false;
    return true;
}

bool badBias(const Plan& plan, ParamIndex bias, std::int64_t channels)
{
    if (bias == none) return false;
    const Sizes* shape = shapeOf(plan, bias);
    return !shape || *shape != Sizes{channels};
}

/// Extent of a dilated kernel.
std::int64_t extent(std::int64_t kernel, std::int64_t dilation)
{
    return satAdd(satMul(dilation, kernel - 1), 1);
}

Sizes spatialSizes(const ValueType& type)
{
    Sizes sizes = type.sizes();
    sizes.erase(sizes.begin());
    return sizes;
}

struct Rule
{
    const std::vector<ValueType>& inputs;
    const Plan& plan;
    const ValueType* wanted;

    const ValueType& in() const { return inputs.front(); }
    std::size_t spatial() const { return in().dims.size() - 1; }

    Result<ValueType> operator()(const ConvOp& op) const
    {
        const Sizes* weight = shapeOf(plan, op.weight);
        if (!weight || in().rank() < 2 || weight->size() != in().dims.size() + 1)
            return wrong("A convolution's kernel has as many axes as its input.");
        const std::size_t axes = spatial();
        if (!allAtLeast(op.stride, axes, 1) || !allAtLeast(op.dilation, axes, 1) || !allAtLeast(op.padBefore, axes, 0) ||
            !allAtLeast(op.padAfter, axes, 0) || op.groups < 1 || !allAtLeast(*weight, axes + 2, 1))
            return wrong("A convolution's stride, dilation and groups are at least 1, its padding at least 0.");
        const std::int64_t channels = in().dims[0].size;
        if (channels % op.groups != 0 || (*weight)[0] % op.groups != 0)
            return wrong("Groups (" + groupedInt(op.groups) + ") must divide the input's channels (" + groupedInt(channels) +
                         ") and the filters (" + groupedInt((*weight)[0]) + ").");
        if ((*weight)[1] != channels / op.groups) return wrong("The weights do not fit the input's channels.");
        if (badBias(plan, op.bias, (*weight)[0])) return wrong("The bias does not fit the filters.");
        ValueType out = in();
        out.dims[0].size = (*weight)[0];
        for (std::size_t a = 0; a < axes; ++a) {
            const std::int64_t padded = satAdd(in().dims[a + 1].size, satAdd(op.padBefore[a], op.padAfter[a]));
            const std::int64_t window = extent((*weight)[a + 2], op.dilation[a]);
            if (window > padded) return tooLarge(Sizes(weight->begin() + 2, weight->end()), op.dilation);
            out.dims[a + 1].size = (padded - window) / op.stride[a] + 1;
        }
        return checked(std::move(out));
    }

    Error tooLarge(const Sizes& kernel, const Sizes& dilation) const
    {
        std::string text = "The kernel " + shapeText(kernel);
        for (std::int64_t d : dilation)
            if (d != 1) {
                text += " with dilation " + shapeText(dilation);
                break;
            }
        return wrong(text + " is larger than the input " + shapeText(spatialSizes(in())) + ".");
    }

    Result<ValueType> operator()(const ConvTransposeOp& op) const
    {
        const Sizes* weight = shapeOf(plan, op.weight);
        if (!weight || in().rank() < 2 || weight->size() != in().dims.size() + 1)
            return wrong("A transposed convolution's kernel has as many axes as its input.");
        const std::size_t axes = spatial();
        if (!allAtLeast(op.stride, axes, 1) || !allAtLeast(op.dilation, axes, 1) || !allAtLeast(op.padding, axes, 0) ||
            !allAtLeast(op.outputPadding, axes, 0) || op.groups < 1 || !allAtLeast(*weight, axes + 2, 1))
            return wrong("A transposed convolution's stride, dilation and groups are at least 1, its padding at least 0.");
        const std::int64_t channels = in().dims[0].size;
        if ((*weight)[0] != channels) return wrong("The weights do not fit the input's channels.");
        if (channels % op.groups != 0)
            return wrong("Groups (" + groupedInt(op.groups) + ") must divide the input's channels (" + groupedInt(channels) + ").");
        ValueType out = in();
        out.dims[0].size = satMul((*weight)[1], op.groups);
        if (badBias(plan, op.bias, out.dims[0].size)) return wrong("The bias does not fit the filters.");
        for (std::size_t a = 0; a < axes; ++a) {
            if (op.outputPadding[a] >= std::max(op.stride[a], op.dilation[a]))
                return wrong("Output padding must be smaller than the stride or the dilation.");
            const std::int64_t full = satAdd(satAdd(satMul(in().dims[a + 1].size - 1, op.stride[a]),
                                                    extent((*weight)[a + 2], op.dilation[a])), op.outputPadding[a]);
            const std::int64_t cut = satMul(2, op.padding[a]);
            if (cut >= full) return wrong("The padding cuts away the whole result.");
            out.dims[a + 1].size = full - cut;
        }
        return checked(std::move(out));
    }

    Result<ValueType> operator()(const LinearOp& op) const
    {
        const Sizes* weight = shapeOf(plan, op.weight);
        if (!weight || weight->size() != 2 || in().dims.empty()) return wrong("A dense layer's weights have two axes.");
        if (in().dims.back().size != (*weight)[1]) return wrong("The weights do not fit the input.");
        if (badBias(plan, op.bias, (*weight)[0])) return wrong("The bias does not fit the units.");
        ValueType out = in();
        out.dims.back().size = (*weight)[0];
        return checked(std::move(out));
    }

    Result<ValueType> operator()(const PoolOp& op) const
    {
        if (in().rank() < 2) return wrong("Pooling needs channels and at least one further axis.");
        const std::size_t axes = spatial();
        if (!allAtLeast(op.kernel, axes, 1) || !allAtLeast(op.stride, axes, 1) || !allAtLeast(op.padBefore, axes, 0) ||
            !allAtLeast(op.padAfter, axes, 0))
            return wrong("A pool's size and stride are at least 1, its padding at least 0.");
        ValueType out = in();
        for (std::size_t a = 0; a < axes; ++a) {
            if (op.padBefore[a] > op.kernel[a] / 2 || op.padAfter[a] > op.kernel[a] / 2)
                return wrong("Padding may be at most half of the pool " + shapeText(op.kernel) + ".");
            const std::int64_t size = in().dims[a + 1].size;
            const std::int64_t padded = satAdd(size, satAdd(op.padBefore[a], op.padAfter[a]));
            if (op.kernel[a] > padded)
                return wrong("The pool " + shapeText(op.kernel) + " is larger than the input " +
                             shapeText(spatialSizes(in())) + ".");
            const std::int64_t room = padded - op.kernel[a];
            std::int64_t count = room / op.stride[a] + 1;
            // A last window that hangs over the edge counts if it begins inside the input or its front padding (PyTorch's rule).
            if (op.ceil && room % op.stride[a] != 0 && count * op.stride[a] < size + op.padBefore[a]) ++count;
            out.dims[a + 1].size = count;
        }
        return checked(std::move(out));
    }

    Result<ValueType> operator()(const GlobalPoolOp& op) const
    {
        if (in().rank() < 2) return wrong("Global pooling needs channels and at least one further axis.");
        const auto channels = static_cast<std::size_t>(channelAxis(in()));
        if (!op.keepDims) return featuresType(in().dims[channels].size);
        ValueType out = in();
        for (std::size_t a = 0; a < out.dims.size(); ++a)
            if (a != channels) out.dims[a].size = 1;
        return out;
    }

    Result<ValueType> operator()(const ActivationOp&) const { return in(); }

    Result<ValueType> operator()(const SoftmaxOp& op) const
    {
        if (op.axis < 0 || op.axis >= in().rank()) return wrong("Softmax runs over an axis that its input has.");
        return in();
    }

    Result<ValueType> operator()(const DropoutOp& op) const
    {
        if (!(op.rate >= 0 && op.rate < 1)) return wrong("A dropout rate is at least 0 and below 1.");
        return in();
    }

    Result<ValueType> operator()(const BatchNormOp& op) const
    {
        if (in().dims.empty()) return wrong("Normalisation needs at least one axis.");
        const std::int64_t channels = in().dims[0].size;
        if (badBias(plan, op.weight, channels) || badBias(plan, op.bias, channels)) return wrong("The weights do not fit the channels.");
        return in();
    }

    Result<ValueType> operator()(const LayerNormOp& op) const
    {
        if (op.axes < 1 || op.axes > in().rank())
            return wrong("The input has " + plural(in().rank(), "axis", "axes") + ", fewer than are to be normalised over.");
        const Sizes all = in().sizes();
        const Sizes last(all.end() - op.axes, all.end());
        for (ParamIndex index : {op.weight, op.bias})
            if (index != none && (!shapeOf(plan, index) || *shapeOf(plan, index) != last)) return wrong("The weights do not fit the axes.");
        return in();
    }

    Result<ValueType> operator()(const GroupNormOp& op) const
    {
        if (in().dims.empty() || op.groups < 1) return wrong("Normalisation needs at least one group.");
        const std::int64_t channels = in().dims[0].size;
        if (channels % op.groups != 0)
            return wrong(groupedInt(channels) + " channels cannot be shared out evenly among " + groupedInt(op.groups) + " groups.");
        if (badBias(plan, op.weight, channels) || badBias(plan, op.bias, channels)) return wrong("The weights do not fit the channels.");
        return in();
    }

    Result<ValueType> operator()(const ReshapeOp&) const
    {
        if (!wanted) return wrong("A new shape must be given.");
        for (const Dim& dim : wanted->dims)
            if (dim.size < 1) return wrong("Every axis of the new shape must be at least 1.");
        if (wanted->elements() != in().elements())
            return wrong("The shape " + wanted->text() + " holds " + groupedInt(wanted->elements()) + " numbers, the input has " +
                         groupedInt(in().elements()) + ".");
        return *wanted;
    }

    Result<ValueType> sameAll() const
    {
        for (const ValueType& other : inputs)
            if (other.sizes() != in().sizes()) return wrong("The shapes " + in().text() + " and " + other.text() + " differ.");
        return in();
    }
    Result<ValueType> operator()(const AddOp&) const { return sameAll(); }
    Result<ValueType> operator()(const MultiplyOp&) const { return sameAll(); }

    Result<ValueType> operator()(const ConcatOp& op) const
    {
        if (op.axis < 0 || op.axis >= in().rank()) return wrong("Values are joined along an axis that they have.");
        const auto axis = static_cast<std::size_t>(op.axis);
        ValueType out = in();
        out.dims[axis].size = 0;
        for (const ValueType& other : inputs) {
            bool fits = other.rank() == in().rank();
            for (std::size_t a = 0; fits && a < other.dims.size(); ++a)
                fits = a == axis || other.dims[a].size == in().dims[a].size;
            if (!fits) return wrong("The shapes " + in().text() + " and " + other.text() + " differ in more than their channels.");
            out.dims[axis].size = satAdd(out.dims[axis].size, other.dims[axis].size);
        }
        return checked(std::move(out));
    }

    Result<ValueType> operator()(const PadOp& op) const
    {
        if (in().rank() < 2 || op.before.size() != spatial() || op.after.size() != spatial())
            return wrong("Padding is given per axis behind the channels.");
        ValueType out = in();
        for (std::size_t a = 0; a < spatial(); ++a) {
            std::int64_t size = 0;
            if (__builtin_add_overflow(out.dims[a + 1].size, op.before[a], &size) || __builtin_add_overflow(size, op.after[a], &size))
                return wrong("The padding is too large.");
            if (size < 1) return wrong("The padding cuts away the whole input.");
            out.dims[a + 1].size = size;
        }
        return checked(std::move(out));
    }

    Result<ValueType> operator()(const EmbeddingOp& op) const
    {
        const Sizes* weight = shapeOf(plan, op.weight);
        if (!weight || !allAtLeast(*weight, 2, 1)) return wrong("An embedding's weights have two axes.");
        ValueType out = in();
        out.dtype = DType::F32;
        out.dims.push_back({Axis::Feature, (*weight)[1]});
        return checked(std::move(out));
    }

    Result<ValueType> operator()(const OffsetOp& op) const
    {
        const Sizes* weight = shapeOf(plan, op.weight);
        if (!weight || *weight != in().sizes()) return wrong("The weights do not fit the input.");
        return in();
    }

    Result<ValueType> operator()(const AttentionOp& op) const
    {
        if (!hasPositions(in())) return wrong("Attention looks at positions with features.");
        const std::int64_t wide = in().dims[1].size;
        if (op.heads < 1 || wide % 3 != 0 || wide / 3 % op.heads != 0)
            return wrong(groupedInt(wide / 3) + " features cannot be shared out evenly among " + plural(op.heads, "head", "heads") + ".");
        if (!(op.dropout >= 0 && op.dropout < 1)) return wrong("The share to drop must be at least 0 and less than 1.");
        ValueType out = in();
        out.dims[1].size = wide / 3;
        return out;
    }
};

} // namespace

Result<ValueType> outputType(const Operation& op, const std::vector<ValueType>& inputs, const Plan& plan, const ValueType* wanted)
{
    if (inputs.empty() || inputs.front().dims.empty()) return wrong("An operation needs an input.");
    for (const ValueType& input : inputs)
        if (isSymbols(input) != std::holds_alternative<EmbeddingOp>(op))
            return wrong(isSymbols(input) ? "Symbols cannot be reckoned with before they are embedded." : "Only symbols can be embedded.");
    return std::visit(Rule{inputs, plan, wanted}, op);
}

const char* primitiveName(const Operation& op)
{
    static constexpr const char* names[] = {"conv", "conv_transpose", "linear", "pool", "global_pool", "activation", "softmax",
                                            "dropout", "batch_norm", "layer_norm", "group_norm", "reshape", "add", "multiply",
                                            "concat", "pad", "embedding", "offset", "attention"};
    static_assert(std::size(names) == std::variant_size_v<Operation>);
    return names[op.index()];
}

} // namespace sconce
