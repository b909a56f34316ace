// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/engine/backend/feed.h"

#include "core/engine/devices.h"
#include "core/engine/backend/tensors.h"

#include <ATen/Parallel.h>
#include <ATen/core/CachingHostAllocator.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/from_blob.h>
#include <ATen/ops/index_select.h>
#include <c10/core/CachingDeviceAllocator.h>

#include <cstring>

namespace sconce::engine {

Feed::Feed(DatasetPtr data, const ValueType& input, const InputSettings& settings, at::Device device, bool channelsLast)
    : m_data(std::move(data))
    , m_sizes(input.sizes())
    , m_elements(input.elements())
    , m_device(device)
    , m_channelsLast(channelsLast && input.rank() == 3)
{
    const double scale = settings.scale ? 1.0 / 255.0 : 1.0;
    const double deviation = settings.normalise ? settings.deviation : 1.0;
    m_factor = static_cast<float>(scale / deviation);
    m_offset = static_cast<float>(settings.normalise ? -settings.mean / deviation : 0.0);
    if (!m_data) return;
    if (m_device.is_cuda()) makeResident();
    else if (!m_data->contiguous(Part::Training).empty()) m_kind = "in place";
}

void Feed::makeResident()
{
    const std::uint64_t bytes = static_cast<std::uint64_t>(m_elements) *
                                static_cast<std::uint64_t>(m_data->count(Part::Training) + m_data->count(Part::Test));
    const auto memory = c10::getDeviceAllocator(c10::kCUDA)->getMemoryInfo(m_device.index());
    if (bytes > memory.first / 4) return; // leave room for the network: its needs are not known yet
    for (Part part : {Part::Training, Part::Test}) {
        const std::span<const std::uint8_t> all = m_data->contiguous(part);
        if (m_data->count(part) == 0) continue;
        if (all.empty()) return;
        const at::Tensor host = at::from_blob(const_cast<std::uint8_t*>(all.data()), {m_data->count(part), m_elements},
                                              at::TensorOptions().dtype(at::kByte));
        m_resident[part == Part::Training ? 0 : 1] = host.to(m_device);
    }
    m_kind = "on the device";
}

at::Tensor Feed::batchTensor(std::int64_t rows, bool reuse)
{
    std::vector<std::int64_t> sizes = m_sizes;
    sizes.insert(sizes.begin(), rows);
    if (!reuse) return emptyTensor(sizes, m_device, m_channelsLast);
    if (!m_batch.defined() || m_batch.size(0) < rows) m_batch = emptyTensor(sizes, m_device, m_channelsLast);
    return m_batch.narrow(0, 0, rows);
}

at::Tensor Feed::fromBytes(const at::Tensor& bytes) const
{
    std::vector<std::int64_t> sizes = m_sizes;
    sizes.insert(sizes.begin(), bytes.size(0));
    at::Tensor x = bytes.to(m_device, at::kFloat).mul_(m_factor).add_(m_offset).view(sizes);
    if (!m_channelsLast) return x;
    at::Tensor result = emptyTensor(sizes, m_device, true);
    result.copy_(x);
    return result;
}

at::Tensor Feed::fromDevice(Part part, std::span<const std::int64_t> rows)
{
    const auto count = static_cast<std::int64_t>(rows.size());
    const at::Tensor& resident = m_resident[part == Part::Training ? 0 : 1];
    if (resident.defined()) {
        const at::Tensor index = at::from_blob(const_cast<std::int64_t*>(rows.data()), {count}, at::TensorOptions().dtype(at::kLong));
        return fromBytes(at::index_select(resident, 0, index.to(m_device)));
    }
    // Page-locked memory from torch's own cache, which hands a block out again only when its copy is done.
    at::Tensor bytes = at::empty({count, m_elements}, at::TensorOptions().dtype(at::kByte).pinned_memory(true));
    m_data->gather(part, rows, std::span(bytes.data_ptr<std::uint8_t>(), bytes.nbytes()));
    return fromBytes(bytes.to(m_device, true));
}

at::Tensor Feed::inputs(Part part, std::span<const std::int64_t> rows, bool reuse)
{
    if (m_device.is_cuda()) return fromDevice(part, rows);
    const auto count = static_cast<std::int64_t>(rows.size());
    at::Tensor batch = batchTensor(count, reuse);
    float* out = batch.data_ptr<float>();
    const std::span<const std::uint8_t> all = m_data->contiguous(part);
    if (all.empty()) {
        m_staging.resize(rows.size() * static_cast<std::size_t>(m_elements));
        m_data->gather(part, rows, m_staging);
    }
    const std::int64_t channels = m_channelsLast ? m_sizes[0] : 1, pixels = m_elements / channels;
    at::parallel_for(0, count, 64, [&](std::int64_t begin, std::int64_t end) {
        for (std::int64_t i = begin; i < end; ++i) {
            const std::uint8_t* record = all.empty() ? m_staging.data() + i * m_elements
                                                     : all.data() + rows[static_cast<std::size_t>(i)] * m_elements;
            convertRecord(record, out + i * m_elements, channels, pixels, m_channelsLast, m_factor, m_offset);
        }
    });
    return batch;
}

at::Tensor Feed::targets(Part part, std::span<const std::int64_t> rows, bool reuse)
{
    const auto count = static_cast<std::int64_t>(rows.size());
    const std::span<const std::int32_t> labels = m_data->labels(part);
    const bool onHost = m_device.is_cpu();
    at::Tensor host;
    if (reuse && onHost) {
        if (!m_batchTargets.defined() || m_batchTargets.size(0) < count)
            m_batchTargets = at::empty({count}, at::TensorOptions().dtype(at::kLong));
        host = m_batchTargets.narrow(0, 0, count);
    } else {
        host = at::empty({count}, at::TensorOptions().dtype(at::kLong).pinned_memory(!onHost));
    }
    std::int64_t* out = host.data_ptr<std::int64_t>();
    for (std::size_t i = 0; i < rows.size(); ++i) out[i] = labels[static_cast<std::size_t>(rows[i])];
    return onHost ? host : host.to(m_device, true);
}

at::Tensor Feed::inputsOf(std::span<const std::uint8_t> records, std::int64_t count)
{
    if (m_device.is_cuda())
        return fromBytes(at::from_blob(const_cast<std::uint8_t*>(records.data()), {count, m_elements}, at::TensorOptions().dtype(at::kByte)));
    at::Tensor batch = batchTensor(count, false);
    float* out = batch.data_ptr<float>();
    const std::int64_t channels = m_channelsLast ? m_sizes[0] : 1, pixels = m_elements / channels;
    for (std::int64_t i = 0; i < count; ++i)
        convertRecord(records.data() + i * m_elements, out + i * m_elements, channels, pixels, m_channelsLast, m_factor, m_offset);
    return batch;
}

} // namespace sconce::engine
