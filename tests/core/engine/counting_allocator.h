// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
// Counts the bytes of every tensor that lives on the CPU, also those that oneDNN takes for itself: put in the place of torch's own
// allocator for the rest of the program.

#include <c10/core/Allocator.h>
#include <c10/core/CPUAllocator.h>
#include <c10/core/impl/alloc_cpu.h>

#include <algorithm>
#include <mutex>
#include <unordered_map>

namespace sconce::test {

class CountingAllocator final : public c10::Allocator
{
  public:
    static CountingAllocator& install()
    {
        static auto* allocator = new CountingAllocator; // torch holds on to it until the very end
        static const bool once = (c10::SetAllocator(c10::kCPU, allocator, 255), true);
        (void)once;
        return *allocator;
    }
    c10::DataPtr allocate(std::size_t bytes) override
    {
        void* data = c10::alloc_cpu(bytes);
        const std::lock_guard lock(m_mutex);
        if (data) {
            m_sizes[data] = bytes;
            m_now += bytes;
            m_peak = std::max(m_peak, m_now);
        }
        return {data, data, &forget, c10::Device(c10::kCPU)};
    }
    c10::DeleterFnPtr raw_deleter() const override { return &forget; }
    void copy_data(void* to, const void* from, std::size_t count) const override { default_copy_data(to, from, count); }

    std::size_t now() const { return m_now; }
    std::size_t peak() const { return m_peak; }
    void restart() { m_peak = m_now; } ///< the peak counts from here

  private:
    CountingAllocator() = default;
    static void forget(void* data)
    {
        CountingAllocator& self = install();
        {
            const std::lock_guard lock(self.m_mutex);
            if (const auto found = self.m_sizes.find(data); found != self.m_sizes.end()) {
                self.m_now -= found->second;
                self.m_sizes.erase(found);
            }
        }
        c10::free_cpu(data);
    }
    std::mutex m_mutex;
    std::unordered_map<void*, std::size_t> m_sizes;
    std::size_t m_now = 0, m_peak = 0;
};

} // namespace sconce::test
