// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
// What changes from one step to the next, where the device reads it, and what steps have told, where the device wrote it. With both a
// step is the same work every time, and can be recorded. Several steps have a place each. Private to the engine: owned by a session, and
// used by its thread alone.

#include "core/engine/backend/staging.h"

#include <ATen/core/Tensor.h>

#include <array>
#include <cstdint>
#include <vector>

namespace sconce::engine {

/// Of a graph, at most: sixteen launches in one leave of a launch's time a sixteenth, and little is left to gain.
inline constexpr std::int64_t mostStepsTogether = 16;

class StepNumbers
{
  public:
    explicit StepNumbers(at::Device device);
    /// The step's number; the learning rate; and the number of the optimiser's update: at place 0, at once.
    void set(std::int64_t step, double rate, std::int64_t update);
    /// The same at any place, until send() tells the device those of the first ones.
    void hold(std::int64_t place, std::int64_t step, double rate, std::int64_t update);
    void send(std::int64_t places) { m_staging.send(places); }
    void bringForward(std::int64_t place); ///< on the device, to place 0
    void use(std::int64_t place); ///< which the following are of
    std::int64_t knownStep() const { return m_knownSteps[static_cast<std::size_t>(m_place)]; } ///< what the host set last
    const at::Tensor& step() const { return m_step; }     ///< int64
    const at::Tensor& rate() const { return m_rate; }     ///< double
    const at::Tensor& update() const { return m_update; } ///< double

  private:
    Staging m_staging; ///< int64 {places, 3}: the following are views of it
    std::int64_t m_place = 0;
    at::Tensor m_step, m_rate, m_update;
    std::array<std::int64_t, mostStepsTogether> m_knownSteps{};
};

/// Rows of doubles, one a step, until somebody asks.
class ToldRows
{
  public:
    ToldRows(std::int64_t width, at::Device device) : m_width(width), m_device(device) {}
    void add(const at::Tensor& rows); ///< [steps, width] on the device, copied there
    std::int64_t count() const { return m_count; }
    std::int64_t width() const { return m_width; }
    at::Tensor read() const; ///< [count, width] in host memory; waits for the device
    void clear();

  private:
    std::int64_t m_width, m_count = 0;
    at::Device m_device;
    std::vector<at::Tensor> m_blocks;
};

} // namespace sconce::engine
