// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
// Tensors between host and device, and their layout. Private to the engine: the few torch headers that every other file
// there needs.

#include "core/base/tensor_view.h"

#include <ATen/core/Tensor.h>

#include <span>
#include <string>
#include <vector>

namespace sconce::engine {

/// torch's name of a type: those of plans (F32, BF16, F16) and counters (I64).
at::ScalarType scalarType(DType type);

/// Strides of a packed tensor. With channelsLast and four axes the order in memory is N, H, W, C. They are set by hand
/// because for one channel both layouts count as contiguous, and at::contiguous would keep the slow one.
std::vector<std::int64_t> packedStrides(const std::vector<std::int64_t>& sizes, bool channelsLast);

/// An uninitialised float tensor.
at::Tensor emptyTensor(const std::vector<std::int64_t>& sizes, at::Device device, bool channelsLast);

/// The same numbers packed channels-last: the tensor itself if it lies so already.
at::Tensor lastChannels(const at::Tensor& x);

/// Copies row-major values into a tensor of any layout and device.
void copyIn(at::Tensor& tensor, std::span<const std::byte> values);
/// The values of a tensor, row-major, in host memory.
HostTensor copyOut(std::string name, const at::Tensor& tensor);
std::vector<float> copyOutFloats(const at::Tensor& tensor);

/// On how many threads a loop of the engine's own (at::parallel_for) runs now: all that torch may use, or 1 in a build without OpenMP.
int loopThreads();

/// Stops with a sentence if a tensor is not on the device that it must live on.
void assertOn(const at::Tensor& tensor, at::Device device, const char* what);

} // namespace sconce::engine
