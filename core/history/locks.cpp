// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/history/locks.h"

#include "core/base/clock.h"

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <fcntl.h>
#include <sys/file.h>
#include <thread>
#include <unistd.h>
#include <utility>

namespace sconce {

namespace {

constexpr double patienceSeconds = 30;

int flockRetry(int fd, int operation)
{
    int result = 0;
    do {
        result = ::flock(fd, operation);
    } while (result != 0 && errno == EINTR);
    return result;
}

} // namespace

Result<FileLock> lockStore(const std::string& folder)
{
    const std::string path = folder + "/store.lock";
    const double start = Clock::system().monotonicSeconds();
    // Asked for again and again rather than waited for: a writer that was stopped (SIGSTOP) must not hang everyone for ever.
    for (std::chrono::microseconds pause(200);; pause = std::min(pause * 2, std::chrono::microseconds(10'000))) {
        Result<FileLock> lock = FileLock::acquire(path, false);
        if (lock || lock.error().code != ErrorCode::Busy) return lock;
        if (Clock::system().monotonicSeconds() - start > patienceSeconds)
            return Error{ErrorCode::Busy, "The history is in use by another program and did not become free.",
                         "Close other copies of Sconce, then try again.", path + " stayed locked"};
        std::this_thread::sleep_for(pause);
    }
}

OpenLock::OpenLock(OpenLock&& other) noexcept : m_fd(std::exchange(other.m_fd, -1)) {}

OpenLock& OpenLock::operator=(OpenLock&& other) noexcept
{
    std::swap(m_fd, other.m_fd);
    return *this;
}

OpenLock::~OpenLock()
{
    if (m_fd >= 0) ::close(m_fd);
}

Result<OpenLock> OpenLock::open(const std::string& folder)
{
    const std::string path = folder + "/open.lock";
    OpenLock lock;
    lock.m_fd = ::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0644);
    if (lock.m_fd < 0) return ioError("write", path, errno);
    return lock;
}

bool OpenLock::tryAlone() { return m_fd >= 0 && flockRetry(m_fd, LOCK_EX | LOCK_NB) == 0; }

void OpenLock::share()
{
    if (m_fd >= 0) flockRetry(m_fd, LOCK_SH);
}

} // namespace sconce
