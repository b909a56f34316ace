// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
// The primitives: the few operations that every layer is lowered to, and the flat plan that they make. Cost, memory,
// execution and (later) ONNX are written once per primitive. A plan is a value; passes over it are the strategies
// (rule 3). No torch here.

#include "core/base/ids.h"
#include "core/model/shape.h"

#include <cstdint>
#include <optional>
#include <string>
#include <variant>
#include <vector>

namespace sconce {

/// No value may hold more numbers than this, per sample: a slip in a setting, long before memory ends.
inline constexpr std::int64_t maxValueElements = std::int64_t{1} << 40;

/// Index of a value in Plan::values; of a parameter in Plan::parameters; of a buffer in Plan::buffers.
using ValueIndex = int;
using ParamIndex = int;
using BufferIndex = int;
inline constexpr int none = -1;

// ---- the operations; sizes are per spatial axis (1 to 3 of them) ----
/// Cross-correlation with zero padding. weight [out, in/groups, k…]; bias [out] or none.
struct ConvOp { std::vector<std::int64_t> stride, padBefore, padAfter, dilation; std::int64_t groups = 1; ParamIndex weight = none, bias = none; };
/// Transposed convolution. weight [in, out/groups, k…].
struct ConvTransposeOp { std::vector<std::int64_t> stride, padding, outputPadding, dilation; std::int64_t groups = 1; ParamIndex weight = none, bias = none; };
/// y = x Wᵀ + b over the last axis. weight [out, in].
struct LinearOp { ParamIndex weight = none, bias = none; };
struct PoolOp { enum class Kind { Max, Average } kind = Kind::Max; std::vector<std::int64_t> kernel, stride, padBefore, padAfter; bool ceil = false; bool countPadding = true; };
/// Mean or maximum over all axes but the channels' (features', where there are positions); keeps them as 1 when keepDims.
struct GlobalPoolOp { PoolOp::Kind kind = PoolOp::Kind::Average; bool keepDims = false; };
enum class Function { Relu, LeakyRelu, Gelu, GeluTanh, Silu, Sigmoid, Tanh, Elu, Softplus, HardSwish };
/// Elementwise. alpha: slope of LeakyRelu, scale of Elu.
struct ActivationOp { Function function = Function::Relu; double alpha = 0; };
/// Over the given axis counted without batch (0 = first).
struct SoftmaxOp { int axis = 0; bool logarithm = false; };
/// Zeroes elements with probability rate while training and scales the rest by 1/(1-rate). `key` keys its random numbers;
/// wholeChannels drops whole maps.
struct DropoutOp { double rate = 0.5; LayerId key; bool wholeChannels = false; };
/// weight/bias [channels]; buffers: running mean and variance (updated as r ← (1-momentum)·r + momentum·batch).
/// Frozen: normalises by the running statistics and leaves them alone, in training too.
struct BatchNormOp { double epsilon = 1e-5, momentum = 0.1; ParamIndex weight = none, bias = none; BufferIndex mean = none, variance = none; bool frozen = false; };
/// Over the last `axes` axes; weight/bias have their shape.
struct LayerNormOp { int axes = 1; double epsilon = 1e-5; ParamIndex weight = none, bias = none; };
struct GroupNormOp { std::int64_t groups = 1; double epsilon = 1e-5; ParamIndex weight = none, bias = none; };
/// To the shape of the output value (batch untouched). Flatten is one of these.
struct ReshapeOp { };
struct AddOp { };                 ///< all inputs, same shape
struct MultiplyOp { };            ///< all inputs, same shape
struct ConcatOp { int axis = 0; };///< along an axis counted without batch
/// Constant padding per spatial axis; a negative number crops.
struct PadOp { std::vector<std::int64_t> before, after; double value = 0; };
/// Row i of the weight in the place of each symbol i: any axes of int64 → the same and the width. weight [symbols, width].
struct EmbeddingOp { ParamIndex weight = none; };
/// y = x + weight, which has the shape of one sample.
struct OffsetOp { ParamIndex weight = none; };
/// softmax(Q Kᵀ / √width) V for each head (Vaswani et al. 2017). Input [length, 3·heads·width]: all of Q, all of K, all of V, each of
/// them head by head; output [length, heads·width]. causal: position i sees positions 0…i alone. While training, `dropout` of the
/// softmax's numbers are zeroed and the rest scaled, as DropoutOp does; `key` keys its random numbers.
struct AttentionOp { std::int64_t heads = 1; bool causal = false; double dropout = 0; LayerId key = {}; };

using Operation = std::variant<ConvOp, ConvTransposeOp, LinearOp, PoolOp, GlobalPoolOp, ActivationOp, SoftmaxOp, DropoutOp,
                               BatchNormOp, LayerNormOp, GroupNormOp, ReshapeOp, AddOp, MultiplyOp, ConcatOp, PadOp, EmbeddingOp,
                               OffsetOp, AttentionOp>;

/// Calls visit(ParamIndex) for every parameter that an operation has in the plan.
template <class Visit> void visitParameters(const Operation& op, Visit visit)
{
    const auto present = [&](ParamIndex index) {
        if (index != none) visit(index);
    };
    std::visit(
        [&](const auto& each) {
            if constexpr (requires { each.weight; }) present(each.weight);
            if constexpr (requires { each.bias; }) present(each.bias);
        },
        op);
}

/// How a parameter starts. Fans as PyTorch and Keras count them.
struct Initialiser
{
    enum class Kind { Zeros, Ones, Constant, GlorotUniform, GlorotNormal, HeUniform, HeNormal, Normal, Uniform };
    Kind kind = Kind::Zeros;
    double value = 0; ///< Constant's value; deviation of Normal; half-width of Uniform
    std::int64_t fanIn = 0, fanOut = 0;
    bool operator==(const Initialiser&) const = default;
};

struct ParameterSpec
{
    std::string name;  ///< "conv1.weight", as exported
    LayerId layer;     ///< who owns it; with the name's last part the key of its random start
    std::vector<std::int64_t> shape;
    DType dtype = DType::F32;
    Initialiser init;
    bool trainable = true;
    bool decay = true; ///< false for biases and norms: weight decay may spare them
    double rateFactor = 1; ///< of the learning rate, for this parameter alone
    std::int64_t elements() const;
};

struct BufferSpec
{
    std::string name; ///< "bn1.running_mean"
    LayerId layer;
    std::vector<std::int64_t> shape;
    double initial = 0;
};

struct Step
{
    Operation op;
    std::vector<ValueIndex> inputs;
    ValueIndex output = none;
    LayerId layer; ///< who asked for it
};

struct PlanValue
{
    ValueType type;
};

/// Straight-line program: steps in order, every input made before it is used.
struct Plan
{
    std::vector<PlanValue> values;
    std::vector<Step> steps;
    std::vector<ParameterSpec> parameters;
    std::vector<BufferSpec> buffers;
    ValueIndex input = none;
    ValueIndex output = none;

    std::int64_t parameterCount() const;  ///< all elements of parameters; saturating
    std::int64_t trainableCount() const;
};

/// The type that an operation makes of its inputs, or a sentence why it cannot. The one shape rule per primitive; layers'
/// own rules add words, not arithmetic.
Result<ValueType> outputType(const Operation& op, const std::vector<ValueType>& inputs, const Plan& plan,
                             const ValueType* wanted = nullptr);

struct Cost
{
    std::int64_t macs = 0;            ///< multiply-adds per sample, forward
    std::int64_t trainingMacs = 0;    ///< forward and backward; no gradient is taken of the network's input
    std::int64_t elementwise = 0;     ///< other arithmetic per sample, forward
    std::int64_t activationBytes = 0; ///< kept for backward, per sample; 0 where the output takes its input's place (ReLU)
    Cost& operator+=(const Cost& other);
};
/// Looks through the plan for whether the step's input needs a gradient.
Cost costOf(const Step& step, const Plan& plan);
/// The same for whoever walks the plan in order and knows.
Cost costOf(const Step& step, const Plan& plan, bool inputNeedsGradient);
/// True if the operation has parameters of its own in the plan.
bool hasParameters(const Operation& op);
/// True if training changes any of them.
bool learns(const Operation& op, const Plan& plan);
const char* primitiveName(const Operation& op); ///< "conv", "linear", …

} // namespace sconce
