// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
// Private to training. Who makes way for whom where there are fewer cores than threads that want them: training for the window, and
// what writes checkpoints for training.

#include <algorithm>
#include <cerrno>
#include <sys/resource.h>
#include <unistd.h>

namespace sconce {

inline constexpr int behindTheWindow = 10; ///< steps of nice; a call posted to the window's thread then waits 0.02 ms instead of 8
inline constexpr int processBehindTheWindow = 5; ///< of a process of its own, which goes on beside other programs when the window is closed
/// The step's threads wait for each other: one that has to share its core holds up all. Not more, as a nice value cannot be taken back when
/// somebody waits for the checkpoint on a machine that is full of other work.
inline constexpr int behindTraining = 5;

/// Lowers the priority of the calling thread alone (Linux), at most to 19, and of the threads that it makes from now on (OpenMP's team).
/// Relative to what it has: started with a low priority, everything keeps its place in the order. Alone on the machine it costs nothing.
inline void lowerThisThread(int steps)
{
    const auto self = static_cast<id_t>(::gettid());
    errno = 0;
    const int now = ::getpriority(PRIO_PROCESS, self);
    if (now != -1 || errno == 0) (void)::setpriority(PRIO_PROCESS, self, std::min(now + steps, 19));
}

} // namespace sconce
