// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
// The fused blocks as operators with gradients: what Fusion (passes.h) found, run over the kernels of conv_pool_kernels.h.
// CPU, float32, channels-last only. Gradients are summed over fixed groups of images in a fixed order, so that they do not
// depend on the number of threads. Private to the engine.

#include "core/model/primitives.h"

#include <ATen/core/Tensor.h>

namespace sconce::engine {

/// activation(max_pool2d(convolution(x, weight, bias), 2)): the map of the convolution is never written to memory.
/// x [N, C, H, W] needs no gradient; weight [F, C, K, K]; bias [F] or undefined; slope: see Fusion.
at::Tensor convPool(const at::Tensor& x, const at::Tensor& weight, const at::Tensor& bias, const ConvOp& op, double slope);

/// The same for many channels, with a gradient of x too: kernel 3×3, channels and filters multiples of fusedBlockOf. Sums are made in
/// another order than torch's (Winograd's), in float32; gradients only of the places that the pool chose, by the definition.
at::Tensor deepConvPool(const at::Tensor& x, const at::Tensor& weight, const at::Tensor& bias, const ConvOp& op, double slope);

/// convolution(x, weight, bias) with kernel 3×3, stride 1, at most 2 of padding, channels and filters multiples of fusedBlockOf: by
/// Winograd's sums, as are its gradients.
at::Tensor windowConv(const at::Tensor& x, const at::Tensor& weight, const at::Tensor& bias, const ConvOp& op);
/// False where the kernels for many channels have only the plainest instructions, and torch's own convolutions are faster.
bool fastConvolutions();

/// activation(max_pool2d(x, 2) + bias). x [N, C, H, W]; bias [C] or undefined.
at::Tensor pool(const at::Tensor& x, const at::Tensor& bias, double slope);

} // namespace sconce::engine
