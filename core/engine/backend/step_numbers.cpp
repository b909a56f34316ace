// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/engine/backend/step_numbers.h"

#include <ATen/ops/cat.h>
#include <ATen/ops/empty.h>

#include <algorithm>
#include <bit>

namespace sconce::engine {

using at::Tensor;

namespace {
constexpr std::int64_t blockRows = 1024;
constexpr std::size_t lotsOfNumbers = 16; ///< an eager step sets them twice
}

StepNumbers::StepNumbers(at::Device device) : m_staging(device, lanesOf(device), lotsOfNumbers, false)
{
    m_staging.reserve(mostStepsTogether);
    set(0, 0, 0);
}

void StepNumbers::hold(std::int64_t place, std::int64_t step, double rate, std::int64_t update)
{
    m_knownSteps[static_cast<std::size_t>(place)] = step;
    auto* numbers = static_cast<std::int64_t*>(m_staging.hold(place, 1, {3}, at::kLong));
    numbers[0] = step;
    numbers[1] = std::bit_cast<std::int64_t>(rate);
    numbers[2] = std::bit_cast<std::int64_t>(static_cast<double>(update));
}

void StepNumbers::set(std::int64_t step, double rate, std::int64_t update)
{
    hold(0, step, rate, update);
    send(1);
    use(0);
}

void StepNumbers::bringForward(std::int64_t place)
{
    m_staging.bringForward(place, 1);
    m_knownSteps[0] = m_knownSteps[static_cast<std::size_t>(place)];
}

void StepNumbers::use(std::int64_t place)
{
    m_place = place;
    const Tensor numbers = m_staging.tensor().select(0, place), doubles = numbers.narrow(0, 1, 2).view(at::kDouble);
    m_step = numbers.select(0, 0);
    m_rate = doubles.select(0, 0);
    m_update = doubles.select(0, 1);
}

void ToldRows::add(const Tensor& rows)
{
    for (std::int64_t from = 0; from < rows.size(0);) {
        const std::int64_t block = m_count / blockRows, at = m_count % blockRows;
        if (block == static_cast<std::int64_t>(m_blocks.size())) m_blocks.push_back(at::empty({blockRows, m_width}, at::TensorOptions().dtype(at::kDouble).device(m_device)));
        const std::int64_t count = std::min(rows.size(0) - from, blockRows - at);
        m_blocks[static_cast<std::size_t>(block)].narrow(0, at, count).copy_(rows.narrow(0, from, count));
        m_count += count;
        from += count;
    }
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
