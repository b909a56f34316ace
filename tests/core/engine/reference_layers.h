// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
// Every layer of the catalogue a second time, written on LibTorch's own modules and knowing nothing of plans, primitives or
// the engine: what the contract test compares with. Weights come by name and take part in autograd.

#include "core/model/catalogue.h"

#include <torch/torch.h>

#include <functional>
#include <limits>
#include <map>
#include <optional>
#include <string>

namespace sconce::test {

using Weights = std::map<std::string, torch::Tensor>;

class Reference
{
  public:
    Reference(const Weights& weights, bool training) : m_weights(weights), m_training(training) {}

    torch::Tensor stack(const Stack& stack, torch::Tensor x)
    {
        for (const Layer& layer : stack.layers) x = this->layer(layer, x);
        return x;
    }
    torch::Tensor layer(const Layer& layer, const torch::Tensor& x);

    bool positions = false;       ///< x is [batch, length, features]; before the first layer it says so of the input
    std::int64_t parameters = 0;  ///< elements of the modules' own parameters
    /// The mask of attention that drops: a function of a tensor of its shape, the rate and the layer's id, for LibTorch draws other ones.
    std::function<torch::Tensor(const torch::Tensor&, double, const std::string&)> drops;
    std::string unknown;          ///< a layer type that this file does not know
    Weights runningStatistics;    ///< after a forward pass in training mode

  private:
    template <class T> T get(const Layer& layer, const char* id) const
    {
        return std::get<T>(valueOf(findLayerEntry(layer.type)->params, layer.params, id));
    }
    std::int64_t integer(const Layer& l, const char* id) const { return get<std::int64_t>(l, id); }
    double real(const Layer& l, const char* id) const { return get<double>(l, id); }
    bool flag(const Layer& l, const char* id) const { return get<bool>(l, id); }
    std::string choice(const Layer& l, const char* id) const { return get<std::string>(l, id); }
    std::vector<std::int64_t> ints(const Layer& l, const char* id) const { return get<std::vector<std::int64_t>>(l, id); }

    /// Gives a module our weights in place of its own, which it must have with the same shapes.
    void adopt(torch::Tensor& own, const std::string& name, bool present = true)
    {
        const auto found = m_weights.find(name);
        TORCH_CHECK((found != m_weights.end()) == present, present ? "missing " : "unexpected ", name);
        if (!present) return;
        TORCH_CHECK(own.sizes() == found->second.sizes(), name, " is ", found->second.sizes(), ", LibTorch has ", own.sizes());
        parameters += own.numel();
        own = found->second;
    }
    template <class Module> void adoptBoth(Module& module, const std::string& prefix, bool bias)
    {
        adopt(module->weight, prefix + ".weight");
        adopt(module->bias, prefix + ".bias", bias);
    }

    torch::Tensor activate(const std::string& id, const torch::Tensor& x) const;
    torch::Tensor conv1d(const Layer& layer, torch::Tensor x);
    torch::Tensor conv2d(const Layer& layer, torch::Tensor x);
    torch::Tensor depthwise(const Layer& layer, torch::Tensor x, const std::string& prefix, bool bias);
    torch::Tensor transposed(const Layer& layer, const torch::Tensor& x);
    torch::Tensor pool(const Layer& layer, torch::Tensor x);
    torch::Tensor norm(const Layer& layer, const torch::Tensor& x);
    torch::Tensor residual(const Layer& layer, const torch::Tensor& x);
    torch::Tensor parallel(const Layer& layer, const torch::Tensor& x);
    torch::Tensor attention(const Layer& layer, const torch::Tensor& x);
    torch::Tensor branch(const Stack& stack, const torch::Tensor& x);
    std::int64_t channels() const { return positions ? -1 : 1; }

    const Weights& m_weights;
    bool m_training;
};

/// Keras' "same": the result has ceil(size/stride) places, the odd zero goes behind. Written from TensorFlow's documentation.
inline torch::Tensor padSame(const torch::Tensor& x, const std::vector<std::int64_t>& kernel, const std::vector<std::int64_t>& stride,
                             const std::vector<std::int64_t>& dilation, double value)
{
    std::vector<std::int64_t> pads;
    for (std::int64_t axis = x.dim() - 1; axis >= 2; --axis) {
        const auto a = static_cast<std::size_t>(axis - 2);
        const std::int64_t size = x.size(axis), results = (size + stride[a] - 1) / stride[a];
        const std::int64_t needed = (results - 1) * stride[a] + (kernel[a] - 1) * dilation[a] + 1 - size;
        const std::int64_t total = needed > 0 ? needed : 0;
        pads.push_back(total / 2);
        pads.push_back(total - total / 2);
    }
    return torch::constant_pad_nd(x, pads, value);
}

inline torch::Tensor Reference::activate(const std::string& id, const torch::Tensor& x) const
{
    if (id == "none") return x;
    if (id == "relu") return torch::nn::ReLU()(x);
    if (id == "leaky_relu") return torch::nn::LeakyReLU(torch::nn::LeakyReLUOptions().negative_slope(0.2))(x);
    if (id == "gelu") return torch::nn::GELU()(x);
    if (id == "silu") return torch::nn::SiLU()(x);
    if (id == "sigmoid") return torch::nn::Sigmoid()(x);
    if (id == "tanh") return torch::nn::Tanh()(x);
    if (id == "softmax") return torch::nn::Softmax(torch::nn::SoftmaxOptions(channels()))(x);
    TORCH_CHECK(false, "unknown activation ", id);
}

inline torch::Tensor Reference::conv1d(const Layer& l, torch::Tensor x)
{
    const std::string padding = choice(l, "padding");
    if (padding == "same") x = padSame(x, {integer(l, "kernel")}, {integer(l, "stride")}, {integer(l, "dilation")}, 0);
    torch::nn::Conv1d conv(torch::nn::Conv1dOptions(x.size(1), integer(l, "filters"), integer(l, "kernel"))
                               .stride(integer(l, "stride"))
                               .dilation(integer(l, "dilation"))
                               .groups(integer(l, "groups"))
                               .padding(padding == "explicit" ? integer(l, "pad") : 0)
                               .bias(flag(l, "bias")));
    adoptBoth(conv, l.name, flag(l, "bias"));
    return activate(choice(l, "activation"), conv(x));
}

inline torch::Tensor Reference::conv2d(const Layer& l, torch::Tensor x)
{
    const std::string padding = choice(l, "padding");
    if (padding == "same") x = padSame(x, ints(l, "kernel"), ints(l, "stride"), ints(l, "dilation"), 0);
    torch::nn::Conv2dOptions options(x.size(1), integer(l, "filters"), torch::ExpandingArray<2>(ints(l, "kernel")));
    options.stride(torch::ExpandingArray<2>(ints(l, "stride"))).dilation(torch::ExpandingArray<2>(ints(l, "dilation")));
    options.groups(integer(l, "groups")).bias(flag(l, "bias"));
    if (padding == "explicit") options.padding(torch::ExpandingArray<2>(ints(l, "pad")));
    torch::nn::Conv2d conv(options);
    adoptBoth(conv, l.name, flag(l, "bias"));
    return activate(choice(l, "activation"), conv(x));
}

inline torch::Tensor Reference::depthwise(const Layer& l, torch::Tensor x, const std::string& prefix, bool bias)
{
    const std::string padding = choice(l, "padding");
    if (padding == "same") x = padSame(x, ints(l, "kernel"), ints(l, "stride"), ints(l, "dilation"), 0);
    const std::int64_t channels = x.size(1);
    torch::nn::Conv2dOptions options(channels, channels * integer(l, "multiplier"), torch::ExpandingArray<2>(ints(l, "kernel")));
    options.stride(torch::ExpandingArray<2>(ints(l, "stride"))).dilation(torch::ExpandingArray<2>(ints(l, "dilation")));
    options.groups(channels).bias(bias);
    if (padding == "explicit") options.padding(torch::ExpandingArray<2>(ints(l, "pad")));
    torch::nn::Conv2d conv(options);
    adoptBoth(conv, prefix, bias);
    return conv(x);
}

inline torch::Tensor Reference::transposed(const Layer& l, const torch::Tensor& x)
{
    const std::string padding = choice(l, "padding");
    const auto kernel = ints(l, "kernel"), stride = ints(l, "stride"), dilation = ints(l, "dilation");
    torch::nn::ConvTranspose2dOptions options(x.size(1), integer(l, "filters"), torch::ExpandingArray<2>(kernel));
    options.stride(torch::ExpandingArray<2>(stride)).dilation(torch::ExpandingArray<2>(dilation));
    options.groups(integer(l, "groups")).bias(flag(l, "bias"));
    if (padding == "explicit")
        options.padding(torch::ExpandingArray<2>(ints(l, "pad"))).output_padding(torch::ExpandingArray<2>(ints(l, "output_padding")));
    torch::nn::ConvTranspose2d conv(options);
    adoptBoth(conv, l.name, flag(l, "bias"));
    if (padding == "explicit") return activate(choice(l, "activation"), conv(x));

    // Keras' two words, from TensorFlow's definition (the gradient of a convolution so padded): everything that a filter
    // writes, brought to size·stride ("same"), or to that plus what a larger kernel hangs over ("valid").
    const torch::Tensor bias = conv->bias;
    conv->bias = torch::Tensor();
    torch::Tensor full = conv(x);
    std::vector<std::int64_t> pads;
    for (std::int64_t axis = 3; axis >= 2; --axis) {
        const auto a = static_cast<std::size_t>(axis - 2);
        const std::int64_t window = (kernel[a] - 1) * dilation[a] + 1;
        const std::int64_t wanted = x.size(axis) * stride[a] + (padding == "valid" ? std::max<std::int64_t>(window - stride[a], 0) : 0);
        const std::int64_t extra = full.size(axis) - wanted; // negative: zeros are added behind
        pads.push_back(extra > 0 ? -(extra / 2) : 0);
        pads.push_back(extra > 0 ? -(extra - extra / 2) : -extra);
    }
    full = torch::constant_pad_nd(full, pads, 0);
    if (bias.defined()) full = full + bias.view({1, -1, 1, 1});
    return activate(choice(l, "activation"), full);
}

inline torch::Tensor Reference::pool(const Layer& l, torch::Tensor x)
{
    const bool isMax = l.type == "max_pool2d";
    const std::string padding = choice(l, "padding");
    const auto kernel = ints(l, "kernel");
    auto stride = ints(l, "stride");
    for (std::size_t a = 0; a < 2; ++a)
        if (stride[a] == 0) stride[a] = kernel[a];
    const torch::ExpandingArray<2> size(kernel), steps(stride), pad(padding == "explicit" ? ints(l, "pad") : std::vector<std::int64_t>{0, 0});
    if (padding == "same") {
        if (isMax) return torch::nn::MaxPool2d(torch::nn::MaxPool2dOptions(size).stride(steps))(padSame(x, kernel, stride, {1, 1}, -1e30));
        // Keras averages over what is really there.
        torch::nn::AvgPool2d sum(torch::nn::AvgPool2dOptions(size).stride(steps).divisor_override(1));
        return sum(padSame(x, kernel, stride, {1, 1}, 0)) / sum(padSame(torch::ones_like(x), kernel, stride, {1, 1}, 0));
    }
    if (isMax) return torch::nn::MaxPool2d(torch::nn::MaxPool2dOptions(size).stride(steps).padding(pad).ceil_mode(flag(l, "ceil")))(x);
    const bool count = padding == "explicit" && flag(l, "count_padding");
    return torch::nn::AvgPool2d(torch::nn::AvgPool2dOptions(size).stride(steps).padding(pad).ceil_mode(flag(l, "ceil")).count_include_pad(count))(x);
}

inline torch::Tensor Reference::norm(const Layer& l, const torch::Tensor& x)
{
    const bool scale = flag(l, "scale"), centre = flag(l, "centre");
    const double epsilon = real(l, "epsilon");
    const auto weights = [&](auto& module) {
        adopt(module->weight, l.name + ".weight", scale);
        adopt(module->bias, l.name + ".bias", centre);
        // A module has both or neither: the one that the layer lacks is the neutral one.
        const torch::NoGradGuard noGrad;
        if (!scale) module->weight = torch::ones_like(module->weight);
        if (!centre) module->bias = torch::zeros_like(module->bias);
    };
    if (l.type == "layer_norm") {
        const std::int64_t all = positions ? 1 : x.dim() - 1;
        const std::int64_t axes = integer(l, "axes") == 0 ? all : integer(l, "axes");
        torch::nn::LayerNorm module(torch::nn::LayerNormOptions(x.sizes().slice(static_cast<std::size_t>(x.dim() - axes)).vec()).eps(epsilon));
        weights(module);
        return module(x);
    }
    if (l.type == "group_norm") {
        torch::nn::GroupNorm module(torch::nn::GroupNormOptions(integer(l, "groups"), x.size(1)).eps(epsilon));
        weights(module);
        return module(x);
    }
    const auto batchNorm = [&](auto module) {
        weights(module);
        module->running_mean = m_weights.at(l.name + ".running_mean").detach().clone();
        module->running_var = m_weights.at(l.name + ".running_var").detach().clone();
        module->train(m_training);
        const torch::Tensor y = module(x);
        runningStatistics[l.name + ".running_mean"] = module->running_mean;
        runningStatistics[l.name + ".running_var"] = module->running_var;
        return y;
    };
    const auto options = torch::nn::BatchNormOptions(x.size(1)).eps(epsilon).momentum(real(l, "momentum"));
    return x.dim() == 4 ? batchNorm(torch::nn::BatchNorm2d(options)) : batchNorm(torch::nn::BatchNorm1d(options));
}

inline torch::Tensor Reference::residual(const Layer& l, const torch::Tensor& x)
{
    const torch::Tensor y = branch(l.branches.at(0), x);
    torch::Tensor shortcut = x;
    if (x.sizes() != y.sizes()) {
        const std::string name = l.name + ".projection";
        if (x.dim() == 2 || positions) {
            torch::nn::Linear linear(x.size(-1), y.size(-1));
            adoptBoth(linear, name, true);
            shortcut = linear(x);
        } else {
            // A stride that brings the one size to the other; if several do, they read other pixels, so take the layer's.
            std::vector<std::int64_t> stride;
            for (std::int64_t axis = 2; axis < x.dim(); ++axis) stride.push_back(y.size(axis) == 1 ? x.size(axis) : (x.size(axis) - 1) / y.size(axis) + 1);
            shortcut = torch::convolution(x, m_weights.at(name + ".weight"), m_weights.at(name + ".bias"), stride, std::vector<std::int64_t>(stride.size(), 0),
                                          std::vector<std::int64_t>(stride.size(), 1), false, std::vector<std::int64_t>(stride.size(), 0), 1);
            parameters += m_weights.at(name + ".weight").numel() + m_weights.at(name + ".bias").numel();
        }
    }
    return activate(choice(l, "activation"), shortcut + y);
}

inline torch::Tensor Reference::parallel(const Layer& l, const torch::Tensor& x)
{
    std::vector<torch::Tensor> outputs;
    for (const Stack& each : l.branches) outputs.push_back(branch(each, x));
    torch::Tensor joined = outputs[0];
    if (choice(l, "join") == "concat") joined = torch::cat(outputs, channels());
    else
        for (std::size_t i = 1; i < outputs.size(); ++i) joined = joined + outputs[i];
    return activate(choice(l, "activation"), joined);
}

inline torch::Tensor Reference::branch(const Stack& inside, const torch::Tensor& x)
{
    const bool before = positions;
    const torch::Tensor y = stack(inside, x);
    positions = before;
    return y;
}

inline torch::Tensor Reference::attention(const Layer& l, const torch::Tensor& x)
{
    const bool bias = flag(l, "bias");
    torch::nn::MultiheadAttention module(torch::nn::MultiheadAttentionOptions(x.size(2), integer(l, "heads")).bias(bias));
    adopt(module->in_proj_weight, l.name + ".qkv.weight");
    adopt(module->in_proj_bias, l.name + ".qkv.bias", bias);
    adopt(module->out_proj->weight, l.name + ".out.weight");
    adopt(module->out_proj->bias, l.name + ".out.bias", bias);
    if (const double rate = real(l, "attention_dropout"); m_training && rate > 0) {
        // The module takes no mask of ours; what it is made of does.
        const std::int64_t heads = integer(l, "heads"), rows = x.size(0), length = x.size(1);
        const torch::Tensor parts = torch::nn::functional::linear(x, module->in_proj_weight, module->in_proj_bias).view({rows, length, 3, heads, -1}).permute({2, 0, 3, 1, 4});
        const torch::Tensor kept = drops(torch::empty({rows, heads, length, length}), rate, l.id).ne(0);
        const torch::Tensor seen = std::get<0>(at::_scaled_dot_product_attention_math(parts[0], parts[1], parts[2], {}, rate, flag(l, "causal"), kept));
        return module->out_proj(seen.transpose(1, 2).reshape(x.sizes()));
    }
    torch::Tensor mask;
    if (flag(l, "causal")) mask = torch::full({x.size(1), x.size(1)}, -std::numeric_limits<float>::infinity()).triu(1);
    const torch::Tensor lengthFirst = x.transpose(0, 1);
    return std::get<0>(module(lengthFirst, lengthFirst, lengthFirst, torch::Tensor(), false, mask)).transpose(0, 1);
}

inline torch::Tensor Reference::layer(const Layer& l, const torch::Tensor& x)
{
    namespace nn = torch::nn;
    const std::string& type = l.type;
    if (type == "embedding") {
        nn::Embedding module(integer(l, "symbols"), integer(l, "width"));
        adopt(module->weight, l.name + ".weight");
        positions = true;
        return module(x);
    }
    if (type == "positions") {
        torch::Tensor weight = torch::empty({x.size(1), x.size(2)});
        adopt(weight, l.name + ".weight");
        return x + weight;
    }
    if (type == "self_attention") return attention(l, x);
    if (type == "dense") {
        nn::Linear linear(nn::LinearOptions(x.size(-1), integer(l, "units")).bias(flag(l, "bias")));
        adoptBoth(linear, l.name, flag(l, "bias"));
        return activate(choice(l, "activation"), linear(x));
    }
    if (type == "conv1d") return conv1d(l, x);
    if (type == "conv2d") return conv2d(l, x);
    if (type == "depthwise_conv2d") return activate(choice(l, "activation"), depthwise(l, x, l.name, flag(l, "bias")));
    if (type == "separable_conv2d") {
        const torch::Tensor middle = depthwise(l, x, l.name + ".depthwise", false);
        nn::Conv2d point(nn::Conv2dOptions(middle.size(1), integer(l, "filters"), 1).bias(flag(l, "bias")));
        adoptBoth(point, l.name + ".pointwise", flag(l, "bias"));
        return activate(choice(l, "activation"), point(middle));
    }
    if (type == "conv2d_transpose") return transposed(l, x);
    if (type == "max_pool2d" || type == "average_pool2d") return pool(l, x);
    if (type == "global_average_pool" || type == "global_max_pool") {
        const bool isMax = type == "global_max_pool";
        torch::Tensor y;
        const torch::Tensor first = positions ? x.transpose(1, 2) : x;
        if (x.dim() == 4) y = isMax ? nn::AdaptiveMaxPool2d(1)(x) : nn::AdaptiveAvgPool2d(1)(x);
        else y = isMax ? nn::AdaptiveMaxPool1d(1)(first) : nn::AdaptiveAvgPool1d(1)(first);
        if (positions && flag(l, "keep_dims")) return y.transpose(1, 2);
        positions = false;
        return flag(l, "keep_dims") ? y : y.flatten(1);
    }
    if (type == "batch_norm" || type == "layer_norm" || type == "group_norm") return norm(l, x);
    if (type == "dropout" || type == "spatial_dropout2d") return x; // at rest; the training mode has a test of its own
    if (type == "relu") return nn::ReLU()(x);
    if (type == "leaky_relu") return nn::LeakyReLU(nn::LeakyReLUOptions().negative_slope(real(l, "slope")))(x);
    if (type == "gelu") return nn::functional::gelu(x, nn::functional::GELUFuncOptions().approximate(choice(l, "approximate")));
    if (type == "silu") return nn::SiLU()(x);
    if (type == "sigmoid") return nn::Sigmoid()(x);
    if (type == "tanh") return nn::Tanh()(x);
    if (type == "elu") return nn::ELU(nn::ELUOptions().alpha(real(l, "alpha")))(x);
    if (type == "softplus") return nn::Softplus()(x);
    if (type == "hard_swish") return torch::hardswish(x);
    if (type == "softmax") return nn::Softmax(nn::SoftmaxOptions(channels()))(x);
    if (type == "log_softmax") return nn::LogSoftmax(nn::LogSoftmaxOptions(channels()))(x);
    if (type == "flatten") {
        positions = false;
        return nn::Flatten()(x);
    }
    if (type == "reshape") {
        positions = false;
        std::vector<std::int64_t> sizes = ints(l, "shape");
        sizes.insert(sizes.begin(), x.size(0));
        return x.contiguous().view(sizes);
    }
    if (type == "zero_padding2d") {
        const auto pad = ints(l, "pad");
        return nn::ZeroPad2d(nn::ZeroPad2dOptions({pad[2], pad[3], pad[0], pad[1]}))(x);
    }
    if (type == "residual") return residual(l, x);
    if (type == "parallel") return parallel(l, x);
    unknown = type;
    return x;
}

} // namespace sconce::test
