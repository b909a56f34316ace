// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/engine/backend/step_numbers.h"

#include <ATen/core/CachingHostAllocator.h>
#include <ATen/ops/cat.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/zeros.h>

#include <bit>

namespace sconce::engine {

using at::Tensor;

namespace {
constexpr std::int64_t blockRows = 1024;
}

void stageRows(Tensor& fixed, std::int64_t rows, at::IntArrayRef row, at::ScalarType type, at::Device device, const std::function<void(void*)>& fill)
{
    std::vector<std::int64_t> sizes(row.begin(), row.end());
    sizes.insert(sizes.begin(), rows);
    if (!fixed.defined() || fixed.size(0) < rows || fixed.scalar_type() != type) fixed = at::empty(sizes, at::TensorOptions().dtype(type).device(device));
    if (device.is_cpu()) {
        fill(fixed.data_ptr());
        return;
    }
    // From torch's own cache, which hands a block out again only when its copy is done.
    const Tensor host = at::empty(sizes, at::TensorOptions().dtype(type).pinned_memory(true));
    fill(host.data_ptr());
    fixed.narrow(0, 0, rows).copy_(host, true);
}

StepNumbers::StepNumbers(at::Device device)
{
    m_numbers = at::zeros({3}, at::TensorOptions().dtype(at::kLong).device(device));
    m_step = m_numbers.select(0, 0);
    const Tensor doubles = m_numbers.narrow(0, 1, 2).view(at::kDouble);
    m_rate = doubles.select(0, 0);
    m_update = doubles.select(0, 1);
}

void StepNumbers::set(std::int64_t step, double rate, std::int64_t update)
{
    m_knownStep = step;
    stageRows(m_numbers, 3, {}, at::kLong, m_numbers.device(), [&](void* to) {
        auto* numbers = static_cast<std::int64_t*>(to);
        numbers[0] = step;
        numbers[1] = std::bit_cast<std::int64_t>(rate);
        numbers[2] = std::bit_cast<std::int64_t>(static_cast<double>(update));
    });
}

Tensor ToldRows::next()
{
    const std::int64_t block = m_count / blockRows;
    if (block == static_cast<std::int64_t>(m_blocks.size())) m_blocks.push_back(at::empty({blockRows, m_width}, at::TensorOptions().dtype(at::kDouble).device(m_device)));
    return m_blocks[static_cast<std::size_t>(block)].select(0, m_count++ % blockRows);
}

Tensor ToldRows::read() const
{
    if (m_count == 0) return at::empty({0, m_width}, at::kDouble);
    std::vector<Tensor> used(m_blocks.begin(), m_blocks.begin() + (m_count + blockRows - 1) / blockRows);
    return (used.size() == 1 ? used.front() : at::cat(used)).narrow(0, 0, m_count).cpu();
}

void ToldRows::clear()
{
    m_count = 0;
    if (m_blocks.size() > 1) m_blocks.resize(1);
}

} // namespace sconce::engine
