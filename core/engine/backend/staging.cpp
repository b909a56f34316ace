// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/engine/backend/staging.h"

#include <ATen/ops/empty.h>
#include <c10/core/Event.h>
#include <c10/core/StreamGuard.h>
#include <c10/core/impl/VirtualGuardImpl.h>

#include <cstddef>
#include <deque>

namespace sconce::engine {

using at::Tensor;

namespace {

class StreamLanes final : public Lanes
{
  public:
    explicit StreamLanes(at::Device device) : m_device(device), m_guard(device.type()), m_aside(m_guard.getStreamFromGlobalPool(device)) {}
    int newMark() override
    {
        m_marks.emplace_back(m_device.type());
        return static_cast<int>(m_marks.size()) - 1;
    }
    void copy(Lane lane, const Tensor& to, const Tensor& from) override
    {
        const c10::StreamGuard there(stream(lane));
        to.copy_(from, true);
    }
    void set(int mark, Lane lane) override { event(mark).record(stream(lane)); }
    void wait(Lane lane, int mark) override { event(mark).block(stream(lane)); }
    void waitOnHost(int mark) override { event(mark).synchronize(); }

  private:
    c10::Stream stream(Lane lane) const { return lane == Copy ? m_aside : m_guard.getStream(m_device); }
    c10::Event& event(int mark) { return m_marks[static_cast<std::size_t>(mark)]; }

    at::Device m_device;
    c10::impl::VirtualGuardImpl m_guard;
    c10::Stream m_aside;
    std::deque<c10::Event> m_marks; ///< a deque: they do not move
};

} // namespace

std::shared_ptr<Lanes> lanesOf(at::Device device)
{
    return device.is_cpu() ? nullptr : std::make_shared<StreamLanes>(device);
}

Staging::Staging(at::Device device, std::shared_ptr<Lanes> lanes, std::size_t lots, bool aside)
    : m_device(device), m_lanes(std::move(lanes)), m_aside(aside), m_lots(m_lanes ? lots : 0)
{
    for (Lot& lot : m_lots) {
        lot.left = m_lanes->newMark();
        lot.read = m_lanes->newMark();
    }
}

Staging::~Staging()
{
    try { // a copy may be under way from or to memory that is given back now
        finish();
    } catch (...) {
    }
}

void Staging::finish()
{
    for (const Lot& lot : m_lots) {
        m_lanes->waitOnHost(lot.left);
        m_lanes->waitOnHost(lot.read);
    }
}

void Staging::make(std::int64_t rows, at::IntArrayRef row, at::ScalarType type)
{
    TORCH_CHECK(!m_open || m_lots.empty(), "staging grows while a lot is being filled");
    finish();
    std::vector<std::int64_t> sizes(row.begin(), row.end());
    sizes.insert(sizes.begin(), std::max(rows, m_least));
    const at::TensorOptions options = at::TensorOptions().dtype(type);
    Tensor fixed = at::empty(sizes, options.device(m_device));
    std::vector<Lot> lots = m_lots;
    for (Lot& lot : lots) {
        lot.host = at::empty(sizes, options.pinned_memory(!m_device.is_cpu()));
        if (m_aside) lot.device = at::empty(sizes, options.device(m_device));
    }
    m_fixed = std::move(fixed); // all of it or, where memory runs out, nothing
    m_lots = std::move(lots);
    // The allocator may give what earlier work of the computing lane, told but not done, still reads: the copy lane waits for that once.
    if (m_aside)
        for (const Lot& lot : m_lots) m_lanes->set(lot.read, Lanes::Compute);
}

void Staging::release()
{
    finish();
    m_fixed.reset();
    for (Lot& lot : m_lots) {
        lot.host.reset();
        lot.device.reset();
    }
    m_least = 0;
    m_open = false;
}

void* Staging::hold(std::int64_t first, std::int64_t rows, at::IntArrayRef row, at::ScalarType type)
{
    if (!m_fixed.defined() || m_fixed.size(0) < first + rows || m_fixed.scalar_type() != type) {
        if (first == 0) m_open = false; // whatever was held before is not wanted
        make(first + rows, row, type);
    }
    const Tensor* memory = &m_fixed;
    if (!m_lots.empty()) {
        Lot& lot = m_lots[m_next];
        if (!m_open) m_lanes->waitOnHost(lot.left);
        m_open = true;
        memory = &lot.host;
    }
    return static_cast<std::byte*>(memory->data_ptr()) + first * memory->stride(0) * static_cast<std::int64_t>(memory->element_size());
}

void Staging::send(std::int64_t rows)
{
    if (!m_open) return;
    Lot& lot = m_lots[m_next];
    const Tensor from = lot.host.narrow(0, 0, rows), to = m_fixed.narrow(0, 0, rows);
    if (m_aside) {
        const Tensor between = lot.device.narrow(0, 0, rows);
        m_lanes->wait(Lanes::Copy, lot.read);
        m_lanes->copy(Lanes::Copy, between, from);
        m_lanes->set(lot.left, Lanes::Copy);
        m_lanes->wait(Lanes::Compute, lot.left);
        m_lanes->copy(Lanes::Compute, to, between);
        m_lanes->set(lot.read, Lanes::Compute);
    } else {
        m_lanes->copy(Lanes::Compute, to, from);
        m_lanes->set(lot.left, Lanes::Compute);
    }
    m_next = (m_next + 1) % m_lots.size();
    m_open = false;
}

void Staging::bringForward(std::int64_t from, std::int64_t rows)
{
    if (from == 0 || !m_fixed.defined()) return;
    const Tensor to = m_fixed.narrow(0, 0, rows), of = m_fixed.narrow(0, from, rows);
    if (m_lanes) m_lanes->copy(Lanes::Compute, to, of);
    else to.copy_(of);
}

} // namespace sconce::engine
