// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/training/socket_path.h"

#include "core/base/files.h"
#include "core/history/store.h"

#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <fcntl.h>
#include <filesystem>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

namespace sconce {

namespace fs = std::filesystem;

namespace {

/// An address for a path of any length: a long one is reached through its folder's descriptor, kept open in `folder`.
bool addressOf(const std::string& path, sockaddr_un& address, Fd& folder)
{
    address = {};
    address.sun_family = AF_UNIX;
    std::string shortPath = path;
    if (path.size() >= sizeof address.sun_path) {
        const fs::path whole(path);
        folder.reset(::open(whole.parent_path().c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC));
        if (!folder) return false;
        shortPath = "/proc/self/fd/" + std::to_string(folder.get()) + "/" + whole.filename().string();
    }
    if (shortPath.size() >= sizeof address.sun_path) return false;
    std::memcpy(address.sun_path, shortPath.c_str(), shortPath.size() + 1);
    return true;
}

std::string pointerFile(const std::string& runFolder) { return runFolder + "/socket.path"; }

/// Where sockets always work, private to this user.
std::string fallbackPath(const std::string& runFolder)
{
    const char* runtime = std::getenv("XDG_RUNTIME_DIR");
    const std::string folder = runtime && *runtime ? std::string(runtime) + "/sconce" : "/tmp/sconce-" + std::to_string(::getuid());
    if (::mkdir(folder.c_str(), 0700) != 0 && errno != EEXIST) return {};
    struct stat facts {};
    if (::lstat(folder.c_str(), &facts) != 0 || !S_ISDIR(facts.st_mode) || facts.st_uid != ::getuid() || (facts.st_mode & 077)) return {};
    return folder + "/" + fs::path(runFolder).filename().string() + ".socket";
}

int bindAndListen(const std::string& path, Fd& result)
{
    sockaddr_un address;
    Fd folder;
    if (!addressOf(path, address, folder)) return ENAMETOOLONG;
    Fd fd(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
    if (!fd) return errno;
    ::unlink(path.c_str());
    if (::bind(fd.get(), reinterpret_cast<sockaddr*>(&address), sizeof address) != 0) return errno;
    // Who connects in the moment before is refused all the same: peerIsMe().
    if (::chmod(path.c_str(), 0600) != 0 || ::listen(fd.get(), 16) != 0) return errno;
    result = std::move(fd);
    return 0;
}

int connectTo(const std::string& path, Fd& result)
{
    sockaddr_un address;
    Fd folder;
    if (!addressOf(path, address, folder)) return ENAMETOOLONG;
    Fd fd(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
    if (!fd) return errno;
    int done;
    do done = ::connect(fd.get(), reinterpret_cast<sockaddr*>(&address), sizeof address);
    while (done != 0 && errno == EINTR);
    if (done != 0) return errno;
    result = std::move(fd);
    return 0;
}

} // namespace

Result<Fd> listenInRunFolder(const std::string& runFolder)
{
    Fd fd;
    ::unlink(pointerFile(runFolder).c_str());
    const int error = bindAndListen(socketFile(runFolder), fd);
    if (error == 0) return fd;
    const std::string elsewhere = fallbackPath(runFolder);
    if (!elsewhere.empty() && bindAndListen(elsewhere, fd) == 0 && writeFileDurably(pointerFile(runFolder), elsewhere)) return fd;
    return ioError("listen at", socketFile(runFolder), error);
}

Result<Fd> connectToRun(const std::string& runFolder)
{
    Fd fd;
    int error = connectTo(socketFile(runFolder), fd);
    if (error == 0) return fd;
    if (auto elsewhere = readTextFile(pointerFile(runFolder), 4096); elsewhere && connectTo(*elsewhere, fd) == 0) return fd;
    return Error{ErrorCode::NotFound, "No trainer answers for this run.", "It may have ended a moment ago.", std::strerror(error)};
}

void removeRunSocket(const std::string& runFolder)
{
    ::unlink(socketFile(runFolder).c_str());
    if (auto elsewhere = readTextFile(pointerFile(runFolder), 4096)) {
        ::unlink(elsewhere->c_str());
        ::unlink(pointerFile(runFolder).c_str());
    }
}

bool peerIsMe(int fd)
{
    ucred peer{};
    socklen_t size = sizeof peer;
    return ::getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &size) == 0 && (peer.uid == ::getuid() || peer.uid == 0);
}

} // namespace sconce
