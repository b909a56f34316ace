// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
// What the machine can do at most, measured in the same run as what is held against it, never taken from a datasheet: fused
// multiply-adds in float32, and the bandwidth of a large copy.

namespace sconce::bench {

struct MachineFloor
{
    double flops = 0;          ///< floating-point operations per second of all threads together (a multiply-add is two)
    double bytesPerSecond = 0; ///< read and written
    /// The better of both, each for itself: what else the machine did meanwhile can only have made them worse.
    MachineFloor best(const MachineFloor& other) const;
};

/// By so many threads at once. Takes about a fifth of a second and 256 MB. Any thread.
MachineFloor measureMachine(int threads);

} // namespace sconce::bench
