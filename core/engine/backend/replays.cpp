// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/engine/backend/replays.h"

#include <ATen/core/grad_mode.h>
#include <ATen/ops/empty.h>

#include <utility>

namespace sconce::engine {

using at::Tensor;

Replays::Replays(std::unique_ptr<StepGraph> graph, std::int64_t rows, std::int64_t width, Target target, Feed& feed, StepNumbers& numbers, at::Device device)
    : m_graph(std::move(graph)), m_rows(rows), m_most(feed.reserve(rows, target, mostStepsTogether)), m_target(target), m_feed(feed), m_numbers(numbers)
{
    m_told = at::empty({m_most, width}, at::TensorOptions().dtype(at::kDouble).device(device));
}

/// Steps from the first places on. What they tell goes where it always does.
void Replays::perform(std::int64_t steps, const Step& step)
{
    struct Places
    {
        Replays& replays;
        void use(std::int64_t place) const
        {
            replays.m_feed.use(place);
            replays.m_numbers.use(place);
        }
        ~Places() { use(0); }
    } const places{*this};
    for (std::int64_t place = 0; place < steps; ++place) {
        places.use(place);
        const Tensor told = step();
        const at::NoGradGuard noGrad;
        m_told.select(0, place).copy_(told);
    }
}

void Replays::record(std::int64_t steps, const Step& step)
{
    TORCH_CHECK(send() == steps, "as many steps must wait as are recorded");
    const std::size_t piece = m_graph->record([&] { perform(steps, step); });
    (steps > 1 ? m_several : m_one) = piece;
    m_together = steps;
}

void Replays::oneByOne()
{
    if (m_together > 1) m_graph->forget(m_several);
    m_together = 1;
}

void Replays::add(std::span<const std::int64_t> rows, std::int64_t step, double rate, std::int64_t update)
{
    m_feed.hold(m_waiting, rows, m_target, step);
    m_numbers.hold(m_waiting, step, rate, update);
    ++m_waiting;
}

std::int64_t Replays::send()
{
    const std::int64_t steps = std::exchange(m_waiting, 0);
    if (steps == 0) return 0;
    m_feed.send(steps);
    m_numbers.send(steps);
    return steps;
}

void Replays::replay(ToldRows& told)
{
    const std::int64_t steps = send();
    if (steps > 1 && steps == m_together) {
        m_graph->replay(m_several);
        told.add(m_told.narrow(0, 0, steps));
        return;
    }
    for (std::int64_t place = 0; place < steps; ++place) {
        m_feed.bringForward(place);
        m_numbers.bringForward(place);
        m_graph->replay(m_one);
        told.add(m_told.narrow(0, 0, 1));
    }
}

void Replays::doAgain(const Step& step, ToldRows& told)
{
    const std::int64_t steps = send();
    if (steps == 0) return;
    perform(steps, step);
    told.add(m_told.narrow(0, 0, steps));
}

void Replays::warmUp(const Step& step)
{
    const std::int64_t steps = send();
    m_graph->warmUp([&] { perform(steps, step); });
}

} // namespace sconce::engine
