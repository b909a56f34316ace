// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/base/files.h"

#include "core/base/fd.h"
#include "core/base/ids.h"
#include "core/base/text.h"

#include <cerrno>
#include <chrono>
#include <cstring>
#include <filesystem>
#include <thread>
#include <utility>

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/uio.h>
#include <unistd.h>

#ifndef RENAME_EXCHANGE
#define RENAME_EXCHANGE (1 << 1)
#endif

namespace fs = std::filesystem;

namespace sconce {

std::function<int(WriteStep, const std::string& path)> writeFault;

namespace {

/// 0, or the errno a test wants to see at this step.
int faultAt(WriteStep step, const std::string& path)
{
    return writeFault ? writeFault(step, path) : 0;
}

std::string parentOf(const std::string& path)
{
    const std::string parent = fs::path(path).parent_path().string();
    return parent.empty() ? "." : parent;
}

int openRetrying(const std::string& path, int flags, mode_t mode = 0644)
{
    int fd = -1;
    do {
        fd = ::open(path.c_str(), flags | O_CLOEXEC, mode);
    } while (fd < 0 && errno == EINTR);
    return fd;
}

/// 0 or an errno. Many chunks a call: a file of weights has one for each tensor.
int writeAll(int fd, std::span<const std::span<const std::byte>> chunks)
{
    constexpr std::size_t mostAtOnce = 64;
    std::vector<iovec> left;
    left.reserve(chunks.size());
    for (const auto& chunk : chunks)
        if (!chunk.empty()) left.push_back({const_cast<std::byte*>(chunk.data()), chunk.size()}); // writev() only reads
    for (std::size_t at = 0; at < left.size();) {
        const ssize_t written = ::writev(fd, left.data() + at, static_cast<int>(std::min(left.size() - at, mostAtOnce)));
        if (written < 0 && errno == EINTR) continue;
        if (written < 0) return errno;
        std::size_t taken = static_cast<std::size_t>(written); // at most some 2 GB a call
        for (; at < left.size() && taken >= left[at].iov_len; ++at) taken -= left[at].iov_len;
        if (taken == 0) continue;
        left[at].iov_base = static_cast<char*>(left[at].iov_base) + taken;
        left[at].iov_len -= taken;
    }
    return 0;
}

/// Step Write; 0 or an errno.
int writeChunks(int fd, const std::string& path, std::span<const std::span<const std::byte>> chunks)
{
    const int fault = faultAt(WriteStep::Write, path);
    if (!fault) return writeAll(fd, chunks);
    // As a full disk does: part of the file is there when the error comes.
    if (!chunks.empty()) {
        const auto half = chunks.front().first(chunks.front().size() / 2);
        (void)writeAll(fd, std::span(&half, 1));
    }
    return fault;
}

/// Steps Sync and Close; 0 or an errno. The descriptor is closed, or left for who owns it.
int syncAndClose(int& fd, const std::string& path)
{
    if (const int fault = faultAt(WriteStep::Sync, path)) return fault;
    if (::fsync(fd) != 0) return errno;
    const int fault = faultAt(WriteStep::Close, path);
    const int closed = ::close(std::exchange(fd, -1));
    if (fault) return fault;
    return closed != 0 && errno != EINTR ? errno : 0; // EINTR: Linux has closed it all the same
}

/// Removes the temporary file unless the rename has taken it away.
struct Temporary
{
    std::string path;
    int fd = -1;
    bool keep = false;
    ~Temporary()
    {
        if (fd >= 0) ::close(fd);
        if (!keep) ::unlink(path.c_str());
    }
};

int syncFolderErrno(const std::string& path)
{
    if (const int fault = faultAt(WriteStep::SyncFolder, path)) return fault;
    const int fd = openRetrying(path, O_RDONLY | O_DIRECTORY);
    if (fd < 0) return errno;
    const int failure = ::fsync(fd) == 0 ? 0 : errno;
    ::close(fd);
    return failure;
}

} // namespace

Error ioError(std::string_view verb, const std::string& path, int errnoValue)
{
    Error error;
    error.detail = std::string(verb) + " " + path + ": " + std::strerror(errnoValue) + " (errno " + std::to_string(errnoValue) + ")";
    const std::string front = "Could not " + std::string(verb) + " " + path + ": ";
    switch (errnoValue) {
    case ENOSPC:
    case EDQUOT:
        error.code = ErrorCode::DiskFull;
        error.message = front + (errnoValue == ENOSPC ? "no space is left on the disk." : "your share of the disk is used up.");
        error.remedy = "Free some space and try again.";
        break;
    case EACCES:
    case EPERM:
        error.code = ErrorCode::Permission;
        error.message = front + "you are not allowed to.";
        error.remedy = "Choose another place, or change the permissions.";
        break;
    case EROFS:
        error.code = ErrorCode::Permission;
        error.message = front + "the disk is read-only.";
        error.remedy = "Choose a folder on a disk that can be written.";
        break;
    case ENOENT:
    case ENOTDIR:
        error.code = ErrorCode::NotFound;
        error.message = front + "there is no such file or folder.";
        error.remedy = "Check the path.";
        break;
    case EISDIR:
        error.code = ErrorCode::Io;
        error.message = front + "it is a folder.";
        break;
    case ENOMEM:
        error.code = ErrorCode::OutOfMemory;
        error.message = front + "there is not enough memory.";
        break;
    case EMFILE:
    case ENFILE:
        error.code = ErrorCode::Io;
        error.message = front + "too many files are open.";
        break;
    case EIO:
        error.code = ErrorCode::Io;
        error.message = front + "the disk reports an error.";
        error.remedy = "Check the disk; what was not saved is lost.";
        break;
    default:
        error.code = ErrorCode::Io;
        error.message = front + std::strerror(errnoValue) + ".";
        break;
    }
    return error;
}

Result<void> writeFileDurably(const std::string& path, std::span<const std::span<const std::byte>> chunks)
{
    if (const int fault = faultAt(WriteStep::Open, path)) return ioError("write", path, fault);
    // A random name: two processes may write the same file, and the last rename wins with a whole one.
    Temporary file{path + "." + randomToken(6) + ".tmp"};
    file.fd = openRetrying(file.path, O_WRONLY | O_CREAT | O_EXCL);
    if (file.fd < 0) {
        file.keep = true; // nothing of ours to remove
        return ioError("write", path, errno);
    }
    if (const int failure = writeChunks(file.fd, path, chunks)) return ioError("write", path, failure);
    if (const int failure = syncAndClose(file.fd, path)) return ioError("write", path, failure);
    if (const int fault = faultAt(WriteStep::Rename, path)) return ioError("write", path, fault);
    if (::rename(file.path.c_str(), path.c_str()) != 0) return ioError("write", path, errno);
    file.keep = true;
    if (const int failure = syncFolderErrno(parentOf(path))) return ioError("write", path, failure);
    return {};
}

Result<void> writeFileDurably(const std::string& path, std::string_view text)
{
    const std::span<const std::byte> bytes = std::as_bytes(std::span(text.data(), text.size()));
    return writeFileDurably(path, std::span(&bytes, 1));
}

StagedFolder::StagedFolder(std::string staging, std::string final) : m_staging(std::move(staging)), m_final(std::move(final)) {}

StagedFolder::StagedFolder(StagedFolder&& other) noexcept
    : m_staging(std::exchange(other.m_staging, {}))
    , m_final(std::exchange(other.m_final, {}))
    , m_files(std::exchange(other.m_files, {}))
{
}

StagedFolder& StagedFolder::operator=(StagedFolder&& other) noexcept
{
    std::swap(m_staging, other.m_staging);
    std::swap(m_final, other.m_final);
    std::swap(m_files, other.m_files);
    return *this;
}

StagedFolder::~StagedFolder()
{
    for (const File& file : m_files)
        if (file.fd >= 0) ::close(file.fd);
    if (!m_staging.empty()) (void)removeTree(m_staging);
}

Result<StagedFolder> StagedFolder::create(const std::string& finalPath)
{
    std::string final = finalPath;
    while (final.size() > 1 && final.back() == '/') final.pop_back();
    const std::string staging = final + ".incomplete";
    SCONCE_TRY(removeTree(staging));
    SCONCE_TRY(makeFolders(parentOf(final)));
    if (const int fault = faultAt(WriteStep::Open, staging)) return ioError("create", staging, fault);
    if (::mkdir(staging.c_str(), 0755) != 0) return ioError("create", staging, errno);
    return StagedFolder(staging, final);
}

Result<void> StagedFolder::write(const std::string& name, std::span<const std::span<const std::byte>> chunks)
{
    const std::string path = m_staging + "/" + name;
    int& file = m_files.emplace_back(File{path, -EIO}).fd;
    const auto failed = [&](int failure) {
        file = -failure;
        return ioError("write", path, failure);
    };
    if (const int fault = faultAt(WriteStep::Open, path)) return failed(fault);
    const int fd = openRetrying(path, O_WRONLY | O_CREAT | O_EXCL);
    if (fd < 0) return failed(errno);
    file = fd;
    if (const int failure = writeChunks(fd, path, chunks)) {
        ::close(fd);
        return failed(failure);
    }
    return {};
}

Result<void> StagedFolder::write(const std::string& name, std::string_view text)
{
    const std::span<const std::byte> bytes = std::as_bytes(std::span(text.data(), text.size()));
    return write(name, std::span(&bytes, 1));
}

Result<void> StagedFolder::syncFiles()
{
    for (const File& file : m_files)
        if (file.fd < 0) return ioError("write", file.path, -file.fd);
    // All are sent on their way before the first is waited for, so that what the journal has to say of them is one entry. A hint: where
    // it is refused, fsync does all of it.
    if (m_files.size() > 1)
        for (const File& file : m_files) (void)::sync_file_range(file.fd, 0, 0, SYNC_FILE_RANGE_WRITE);
    for (auto file = m_files.begin(); file != m_files.end(); ++file)
        if (const int failure = syncAndClose(file->fd, file->path)) {
            if (file->fd >= 0) ::close(file->fd);
            file->fd = -failure;
            const Error error = ioError("write", file->path, failure);
            m_files.erase(m_files.begin(), file); // what was synced: who asks again gets the same answer
            return error;
        }
    m_files.clear();
    return {};
}

Result<void> StagedFolder::commit()
{
    SCONCE_TRY(syncFiles());
    std::error_code failure;
    for (fs::recursive_directory_iterator it(m_staging, failure), end; !failure && it != end; it.increment(failure)) {
        if (it->is_directory(failure) && !it->is_symlink(failure)) SCONCE_TRY(syncFolder(it->path().string()));
    }
    if (failure) return ioError("read", m_staging, failure.value());
    SCONCE_TRY(syncFolder(m_staging));
    if (const int fault = faultAt(WriteStep::Rename, m_final)) return ioError("write", m_final, fault);
    if (::rename(m_staging.c_str(), m_final.c_str()) == 0) {
        m_staging.clear();
    } else if (errno == ENOTEMPTY || errno == EEXIST) {
        // One of that name is there (the same step, written again): both change places in one go; the destructor removes the old one.
        if (::renameat2(AT_FDCWD, m_staging.c_str(), AT_FDCWD, m_final.c_str(), RENAME_EXCHANGE) != 0) return ioError("write", m_final, errno);
    } else {
        return ioError("write", m_final, errno);
    }
    if (const int fault = syncFolderErrno(parentOf(m_final))) return ioError("write", m_final, fault);
    return {};
}

Result<std::string> readTextFile(const std::string& path, std::size_t maxBytes)
{
    // O_NONBLOCK: a pipe in the place of a file must not hang the program.
    const int fd = openRetrying(path, O_RDONLY | O_NONBLOCK);
    if (fd < 0) return ioError("read", path, errno);
    const Fd closer(fd);
    struct stat status{};
    if (::fstat(fd, &status) != 0) return ioError("read", path, errno);
    if (S_ISDIR(status.st_mode)) return ioError("read", path, EISDIR);
    if (!S_ISREG(status.st_mode)) return Error{ErrorCode::Invalid, "Could not read " + path + ": it is not a file.", "", ""};
    const auto tooLarge = [&] {
        return Error{ErrorCode::Invalid, "The file " + path + " is too large: at most " + bytesText(maxBytes) + " are read.", "", ""};
    };
    if (static_cast<std::uint64_t>(status.st_size) > maxBytes) return tooLarge();
    std::string text;
    // Files of /proc say size 0; and a file may grow while it is read.
    text.resize(static_cast<std::size_t>(status.st_size));
    std::size_t fill = 0;
    while (true) {
        if (fill == text.size()) text.resize(fill + 4096);
        const ssize_t got = ::read(fd, text.data() + fill, text.size() - fill);
        if (got < 0 && errno == EINTR) continue;
        if (got < 0) return ioError("read", path, errno);
        if (got == 0) break;
        fill += static_cast<std::size_t>(got);
        if (fill > maxBytes) return tooLarge();
    }
    text.resize(fill);
    return text;
}

Result<void> makeFolders(const std::string& path)
{
    std::error_code failure;
    fs::create_directories(path, failure);
    if (failure) return ioError("create", path, failure.value());
    return {};
}

Result<void> removeTree(const std::string& path)
{
    std::error_code failure;
    fs::remove_all(path, failure); // removes links themselves, not what they lead to
    if (failure) return ioError("remove", path, failure.value());
    return {};
}

Result<void> syncFolder(const std::string& path)
{
    if (const int failure = syncFolderErrno(path)) return ioError("write", path, failure);
    return {};
}

Result<std::uint64_t> freeBytes(const std::string& path)
{
    std::error_code failure;
    fs::path at = fs::absolute(path, failure);
    while (!fs::exists(at, failure) && at.has_relative_path()) at = at.parent_path();
    struct statvfs status{};
    if (::statvfs(at.c_str(), &status) != 0) return ioError("look at", path, errno);
    return static_cast<std::uint64_t>(status.f_bavail) * status.f_frsize;
}

std::uint64_t folderBytes(const std::string& path)
{
    std::uint64_t bytes = 0;
    std::error_code failure;
    for (fs::recursive_directory_iterator it(path, fs::directory_options::skip_permission_denied, failure), end; !failure && it != end; it.increment(failure)) {
        std::error_code skipped; // a file that vanishes meanwhile counts nothing
        if (it->is_regular_file(skipped) && !it->is_symlink(skipped)) {
            const auto size = it->file_size(skipped);
            if (!skipped) bytes += size;
        }
    }
    return bytes;
}

Result<FileLock> FileLock::acquire(const std::string& path, bool wait)
{
    const int fd = openRetrying(path, O_RDWR | O_CREAT);
    if (fd < 0) return ioError("lock", path, errno);
    FileLock lock(fd); // frees the descriptor on every way out
    // isHeld() holds the lock for a moment when it looks: a few tries tell that from a real owner.
    for (int attempt = 0;; ++attempt) {
        if (::flock(fd, wait ? LOCK_EX : LOCK_EX | LOCK_NB) == 0) return lock;
        if (errno == EINTR) continue;
        if (errno != EWOULDBLOCK) return ioError("lock", path, errno);
        if (attempt >= 10) return Error{ErrorCode::Busy, "Another program holds " + path + ".", "Wait until it is done, or end it.", ""};
        std::this_thread::sleep_for(std::chrono::milliseconds(2));
    }
}

bool FileLock::isHeld(const std::string& path)
{
    const int fd = openRetrying(path, O_RDONLY);
    if (fd < 0) return false;
    int result = -1;
    do {
        result = ::flock(fd, LOCK_SH | LOCK_NB);
    } while (result != 0 && errno == EINTR);
    const bool held = result != 0 && errno == EWOULDBLOCK;
    ::close(fd);
    return held;
}

FileLock::FileLock(FileLock&& other) noexcept : m_fd(std::exchange(other.m_fd, -1)) {}

FileLock& FileLock::operator=(FileLock&& other) noexcept
{
    if (this != &other) {
        if (m_fd >= 0) ::close(m_fd);
        m_fd = std::exchange(other.m_fd, -1);
    }
    return *this;
}

FileLock::~FileLock()
{
    if (m_fd >= 0) ::close(m_fd);
}

} // namespace sconce
