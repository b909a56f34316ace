// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
// What changes from one step to the next, where the device reads it, and what steps have told, where the device wrote it. With both a
// step is the same work every time, and can be recorded. Private to the engine: owned by a session, and used by its thread alone.

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <functional>
#include <vector>

namespace sconce::engine {

/// Overwrites the first rows of a tensor that stays where it is: `fill` gets memory for them, which on a GPU is page-locked and copied
/// without anyone waiting. Makes the tensor where it is undefined or has fewer rows.
void stageRows(at::Tensor& fixed, std::int64_t rows, at::IntArrayRef row, at::ScalarType type, at::Device device, const std::function<void(void*)>& fill);

class StepNumbers
{
  public:
    explicit StepNumbers(at::Device device);
    /// The step's number; the learning rate; and the number of the optimiser's update.
    void set(std::int64_t step, double rate, std::int64_t update);
    std::int64_t knownStep() const { return m_knownStep; } ///< of the last set()
    const at::Tensor& step() const { return m_step; }     ///< int64
    const at::Tensor& rate() const { return m_rate; }     ///< double
    const at::Tensor& update() const { return m_update; } ///< double

  private:
    at::Tensor m_numbers; ///< int64 {3}: the others are views of it
    at::Tensor m_step, m_rate, m_update;
    std::int64_t m_knownStep = 0;
};

/// Rows of doubles, one a step, until somebody asks.
class ToldRows
{
  public:
    ToldRows(std::int64_t width, at::Device device) : m_width(width), m_device(device) {}
    at::Tensor next(); ///< where the next step's row goes
    std::int64_t count() const { return m_count; }
    at::Tensor read() const; ///< [count, width] in host memory; waits for the device
    void clear();

  private:
    std::int64_t m_width, m_count = 0;
    at::Device m_device;
    std::vector<at::Tensor> m_blocks;
};

} // namespace sconce::engine
