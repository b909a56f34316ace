// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/base/ids.h"

#include "core/base/clock.h"

#include <algorithm>
#include <atomic>
#include <random>

#include <sys/random.h>

namespace sconce {
namespace {

constexpr char digits[] = "0123456789abcdefghijklmnopqrstuvwxyz";

/// A byte from the kernel; std::random_device only where the call is missing.
std::uint8_t randomByte()
{
    std::uint8_t byte = 0;
    if (getrandom(&byte, 1, 0) == 1) return byte;
    static thread_local std::random_device device;
    return static_cast<std::uint8_t>(device());
}

} // namespace

std::string randomToken(int characters)
{
    std::string token;
    while (static_cast<int>(token.size()) < characters) {
        const std::uint8_t byte = randomByte();
        if (byte < 252) token += digits[byte % 36]; // 252 = 7 · 36: all characters equally likely
    }
    return token;
}

RunId newRunId()
{
    // Two ids of one process never share a millisecond, so ids sort in the order in which they were made.
    static std::atomic<WallMs> last{0};
    WallMs before = last.load();
    WallMs time = 0;
    do {
        time = std::max(Clock::system().wallMs(), before + 1);
    } while (!last.compare_exchange_weak(before, time));

    std::string id(8, '0'); // 36^8 ms reach to the year 2059
    for (int i = 7; i >= 0; --i, time /= 36) id[static_cast<std::size_t>(i)] = digits[time % 36];
    return id + randomToken(6);
}

} // namespace sconce
