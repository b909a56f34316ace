// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
// Memory that the engine keeps in this process between one step and the next, since asking the system each time is slow: how much of
// a GPU's it is, and giving it back. Neither loads the engine library: before its first use nothing is kept. Any thread.

#include <cstdint>
#include <optional>
#include <string>

namespace sconce {

/// Of a GPU, bytes: what this process's tensors take, and with that all that is kept for them.
struct KeptMemory
{
    std::uint64_t allocated = 0, reserved = 0;
    bool operator==(const KeptMemory&) const = default;
};

/// Now. nullopt for the CPU, where nothing is kept apart from the heap, and for a GPU that was not computed on yet. Does not wait
/// for the device.
std::optional<KeptMemory> keptMemory(const std::string& device);

/// Gives what no tensor takes back to GPUs and system; for when a run or a trial has ended and its session is gone. Does nothing
/// while a session is open that trains: its next step would have to ask for all of it again.
void releaseCachedMemory();

} // namespace sconce
