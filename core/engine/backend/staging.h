// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
// How the host hands a device what changes from step to step, while the device is still busy with what came before: through a ring of
// lots in page-locked memory, into a tensor that stays where it is, so that recorded work finds it there. Large lots are copied beside
// the computing, on a line of work of their own. Private to the engine: owned by the feed and the step numbers of a session, and used by its
// thread alone.

#include <ATen/core/Tensor.h>

#include <algorithm>
#include <cstdint>
#include <memory>
#include <vector>

namespace sconce::engine {

/// Two lines of work of a device, each done in the order it was told: what computes, and what copies meanwhile. A mark is set between two
/// pieces of a line, and waited for; waiting for one that was never set is no wait.
class Lanes
{
  public:
    enum Lane { Compute, Copy };
    virtual ~Lanes() = default;
    virtual int newMark() = 0;
    virtual void copy(Lane lane, const at::Tensor& to, const at::Tensor& from) = 0;
    virtual void set(int mark, Lane lane) = 0;
    virtual void wait(Lane lane, int mark) = 0; ///< what the lane is told from now on is done behind the mark
    virtual void waitOnHost(int mark) = 0;
};

/// The stream that is current, and one from torch's pool; null on the processor, where nothing is copied that the host can write itself.
std::shared_ptr<Lanes> lanesOf(at::Device device);

class Staging
{
  public:
    Staging() = default;
    /// `lots`: so many times the host may be ahead. `aside`: copied beside the computing, which costs the same memory again on the device.
    Staging(at::Device device, std::shared_ptr<Lanes> lanes, std::size_t lots, bool aside);
    Staging(Staging&&) = default;
    Staging& operator=(Staging&&) = default; ///< to one that has not been used
    ~Staging();

    /// There will be room for so many rows from the first hold() on.
    void reserve(std::int64_t rows) { m_least = std::max(m_least, rows); }
    void release(); ///< all memory, and what was reserved: the next hold() makes what it needs
    /// The host's memory of the rows from `first` on, to be filled; contents of the lot that send() has not taken yet stay. Waits while
    /// the device has still to copy what was there. Makes tensor() anew where it lacks room, which must be with the first rows of a lot.
    void* hold(std::int64_t first, std::int64_t rows, at::IntArrayRef row, at::ScalarType type);
    /// The first rows go where work that the device is told from now on finds them; what it was told before still finds the earlier
    /// ones. Nothing where none were held.
    void send(std::int64_t rows);
    /// On the device: the rows from `from` on take the place of the first ones.
    void bringForward(std::int64_t from, std::int64_t rows);
    const at::Tensor& tensor() const { return m_fixed; }

  private:
    struct Lot
    {
        at::Tensor host, device; ///< `device` only beside the computing
        int left = 0;            ///< mark: the host's memory has been copied from
        int read = 0;            ///< mark: the device's has been
    };
    void make(std::int64_t rows, at::IntArrayRef row, at::ScalarType type);
    void finish();

    at::Device m_device = at::kCPU;
    std::shared_ptr<Lanes> m_lanes; ///< null: the host writes the tensor itself
    bool m_aside = false;
    std::int64_t m_least = 0;
    at::Tensor m_fixed;
    std::vector<Lot> m_lots;
    std::size_t m_next = 0;
    bool m_open = false;            ///< the lot is the host's, and is being filled
};

} // namespace sconce::engine
