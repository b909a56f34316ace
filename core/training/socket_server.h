// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
// Private to training. The trainer's side of the socket in its run folder. One JSON object a line in both directions:
//   client → {"type":"attach","after":N}   replay events after sequence N from memory, then everything new;
//                                          below 0: only what is new
//   client → a command (core/run/protocol.h); it is answered to this client under the client's own id
//   server → events
// A thread of its own does all reading and writing; publish() only appends to a ring, and encodes nothing unless somebody
// listens. A client that cannot keep up is dropped, never waited for: it attaches again from where it was.

#include "core/training/socket_path.h"
#include "core/training/trainer.h"

#include <memory>

namespace sconce {

class SocketServer
{
  public:
    /// Events kept for those who attach later: some minutes of a fast run.
    static constexpr std::size_t ringSize = 4096;
    /// Ids of commands that come through the socket start here; those of the host's own are below.
    static constexpr std::int64_t firstCommandId = std::int64_t{1} << 40;

    static Result<std::unique_ptr<SocketServer>> open(const std::string& runFolder, CommandQueue& commands);
    /// Gives clients a second to take what is left, then closes and removes the socket.
    ~SocketServer();
    void publish(const Event& event);

  private:
    SocketServer(const std::string& runFolder, Fd listener, Fd wake, CommandQueue& commands);
    struct Impl;
    std::unique_ptr<Impl> m;
};

} // namespace sconce
