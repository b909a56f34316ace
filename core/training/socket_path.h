// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
// Private to training. The Unix socket of a run folder, whose path may be longer than the 107 bytes that the kernel takes, or
// lie on a file system without sockets: then it lies in the user's runtime folder and socket.path says where.

#include "core/base/fd.h"
#include "core/base/result.h"

#include <string>

namespace sconce {

/// Listens, non-blocking, close-on-exec, for this user only. The caller holds the run's owner lock, so what lies there is stale.
Result<Fd> listenInRunFolder(const std::string& runFolder);
/// Connects (blocking socket); NotFound where nobody listens.
Result<Fd> connectToRun(const std::string& runFolder);
void removeRunSocket(const std::string& runFolder);
/// True if the other end belongs to this user (or root).
bool peerIsMe(int fd);

} // namespace sconce
