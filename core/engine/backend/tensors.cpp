// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/engine/backend/tensors.h"

#include <ATen/Parallel.h>
#include <ATen/ops/empty_strided.h>
#include <ATen/ops/from_blob.h>

#include <algorithm>
#include <cstring>

namespace sconce::engine {

at::ScalarType scalarType(DType type)
{
    switch (type) {
    case DType::F16: return at::kHalf;
    case DType::BF16: return at::kBFloat16;
    case DType::I64: return at::kLong;
    default: return at::kFloat;
    }
}

std::vector<std::int64_t> packedStrides(const std::vector<std::int64_t>& sizes, bool channelsLast)
{
    std::vector<std::int64_t> strides(sizes.size(), 1);
    if (channelsLast && sizes.size() == 4) {
        const std::int64_t c = sizes[1], h = sizes[2], w = sizes[3];
        return {h * w * c, 1, w * c, c};
    }
    for (std::size_t i = sizes.size(); i-- > 1;) strides[i - 1] = strides[i] * sizes[i];
    return strides;
}

at::Tensor emptyTensor(const std::vector<std::int64_t>& sizes, at::Device device, bool channelsLast)
{
    return at::empty_strided(sizes, packedStrides(sizes, channelsLast), at::TensorOptions().dtype(at::kFloat).device(device));
}

at::Tensor lastChannels(const at::Tensor& x)
{
    const std::vector<std::int64_t> sizes(x.sizes().begin(), x.sizes().end());
    const std::vector<std::int64_t> wanted = packedStrides(sizes, true);
    for (std::size_t axis = 0; axis < sizes.size(); ++axis)
        if (sizes[axis] != 1 && x.stride(static_cast<std::int64_t>(axis)) != wanted[axis]) {
            at::Tensor copy = emptyTensor(sizes, x.device(), true);
            copy.copy_(x);
            return copy;
        }
    return x;
}

int loopThreads()
{
    std::vector<char> seen(static_cast<std::size_t>(at::get_num_threads()), 0);
    at::parallel_for(0, static_cast<std::int64_t>(seen.size()), 1, [&](std::int64_t, std::int64_t) { seen[static_cast<std::size_t>(at::get_thread_num())] = 1; });
    return static_cast<int>(std::count(seen.begin(), seen.end(), 1));
}

void copyIn(at::Tensor& tensor, std::span<const std::byte> values)
{
    TORCH_CHECK(values.size() == static_cast<std::size_t>(tensor.numel()) * tensor.element_size(), "wrong number of bytes");
    const at::Tensor source = at::from_blob(const_cast<std::byte*>(values.data()), tensor.sizes(),
                                            at::TensorOptions().dtype(tensor.scalar_type()));
    tensor.copy_(source);
}

HostTensor copyOut(std::string name, const at::Tensor& tensor)
{
    const at::Tensor host = tensor.detach().cpu().contiguous();
    HostTensor result;
    result.name = std::move(name);
    result.dtype = host.scalar_type() == at::kLong ? DType::I64 : DType::F32;
    result.shape.assign(host.sizes().begin(), host.sizes().end());
    const auto* bytes = static_cast<const std::byte*>(host.const_data_ptr());
    result.bytes.assign(bytes, bytes + host.nbytes()); // written once: resize() would fill it with zeros first
    return result;
}

std::vector<float> copyOutFloats(const at::Tensor& tensor)
{
    const at::Tensor host = tensor.detach().cpu().contiguous();
    const float* data = host.const_data_ptr<float>();
    return {data, data + host.numel()};
}

void assertOn(const at::Tensor& tensor, at::Device device, const char* what)
{
    TORCH_CHECK(tensor.device() == device, what, " lies on ", tensor.device().str(), " and not on ", device.str());
}

} // namespace sconce::engine
