// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
// The inner loops of attention over few positions (attention.h), without torch, in float32: a head's scores fit into the nearest caches,
// so they are made whole, and what lies behind each position is never computed. A call is one thread's work: one head of one sample; the
// caller splits them over threads, and no two calls at once write to the same place. Built several times for different instruction
// sets; kernels() takes the best that this processor has.

#include <cstdint>

namespace sconce::engine::shortattention {

/// The width of a head must be a multiple of this.
inline constexpr int blockOf = 16;

struct Shape
{
    std::int64_t positions = 0;
    std::int64_t heads = 0, width = 0; ///< of one head
    bool causal = false;               ///< a position sees itself and those before it
    std::int64_t all() const { return heads * width; }
};

struct Kernels
{
    const char* name;
    bool vectors; ///< of instructions made for this processor, not the plain ones that every one has
    /// Floats of room that a call wants.
    std::int64_t (*forwardRoom)(const Shape&);
    std::int64_t (*backwardRoom)(const Shape&);
    /// x [positions][3][heads][width] of one sample: Q, K, V. Writes the head's part of out [positions][heads][width] and, where it is
    /// given, sums [positions]: the logarithm of each softmax's sum.
    void (*forward)(const Shape&, const float* x, std::int64_t head, float* room, float* out, float* sums);
    /// Writes the head's part of dx, as x.
    void (*backward)(const Shape&, const float* x, const float* out, const float* sums, const float* gradient, std::int64_t head, float* room, float* dx);
};

const Kernels& kernels();
/// Every set that this processor can run, for tests.
int kernelSets(const Kernels** sets, int room);

} // namespace sconce::engine::shortattention
