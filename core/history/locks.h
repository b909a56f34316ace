// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
// The store's two lock files. store.lock: whoever writes (or checkpoints the write-ahead log) holds it for that moment.
// open.lock: shared by everyone who has the store open, so that who is alone with it can tell. Private to core/history.

#include "core/base/files.h"

namespace sconce {

/// Takes store.lock of a store folder; Busy when another process has kept it for half a minute.
Result<FileLock> lockStore(const std::string& folder);

/// A shared flock on open.lock.
class OpenLock
{
  public:
    OpenLock() = default;
    OpenLock(OpenLock&& other) noexcept;
    OpenLock& operator=(OpenLock&& other) noexcept;
    ~OpenLock();
    /// Opens the file; share() or tryAlone() follow.
    static Result<OpenLock> open(const std::string& folder);
    /// True if nobody else has the store open: then nobody can open it until share(). The caller holds store.lock.
    bool tryAlone();
    void share();

  private:
    int m_fd = -1;
};

} // namespace sconce
