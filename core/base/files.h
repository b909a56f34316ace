// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
// The one door to the disk (rule 15). A file that matters is there whole or not at all, also after a power cut:
// temporary file, checked write, checked fsync, checked close, rename, checked fsync of the folder. A folder that matters
// (a checkpoint) is staged as NAME.incomplete and renamed. A failed fsync is never retried: the file counts as lost.
// Any thread; different paths may be written at the same time.

#include "core/base/result.h"

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace sconce {

/// The steps of a durable write, for tests that fail or kill at each one.
enum class WriteStep { Open, Write, Sync, Close, Rename, SyncFolder };

/// Tests set this to inject a fault: return an errno to fail the step, 0 to let it pass. Not thread-safe to set while
/// writes run. Null in production.
extern std::function<int(WriteStep, const std::string& path)> writeFault;

/// Writes the chunks one after the other as the whole content of `path`, durably. DiskFull, Permission or Io on failure,
/// with the old content untouched.
Result<void> writeFileDurably(const std::string& path, std::span<const std::span<const std::byte>> chunks);
Result<void> writeFileDurably(const std::string& path, std::string_view text);

/// A folder being written: write() its files, then commit(), which makes them durable and renames the folder to its final name.
/// Destroyed without commit, it is removed. One thread at a time.
class StagedFolder
{
  public:
    /// Creates FINAL.incomplete (an old one of that name is removed).
    static Result<StagedFolder> create(const std::string& finalPath);
    StagedFolder(StagedFolder&&) noexcept;
    StagedFolder& operator=(StagedFolder&&) noexcept;
    ~StagedFolder();

    const std::string& path() const { return m_staging; }
    /// Writes a new file of this folder (a plain name): the chunks one after the other. Nobody looks into the folder before it has its
    /// final name, so the file needs no temporary name, and is durable after commit() only: all files synced together cost the disk
    /// one entry of its journal, synced one by one a few each. Its descriptor stays open until then.
    Result<void> write(const std::string& name, std::span<const std::span<const std::byte>> chunks);
    Result<void> write(const std::string& name, std::string_view text);
    /// Once, with nothing written afterwards; refused with its error where a write() failed. An error leaves nothing behind, or the
    /// folder under its final name if only its own durability is in doubt.
    Result<void> commit();

  private:
    struct File { std::string path; int fd; }; ///< below 0: the errno, negative, that it could not be written for
    StagedFolder(std::string staging, std::string final);
    Result<void> syncFiles();
    std::string m_staging;
    std::string m_final;
    std::vector<File> m_files; ///< written, not synced
};

Result<std::string> readTextFile(const std::string& path, std::size_t maxBytes);
Result<void> makeFolders(const std::string& path);
/// Removes a folder and all that is in it; does not follow links.
Result<void> removeTree(const std::string& path);
Result<void> syncFolder(const std::string& path);
/// Free bytes for this user on the disk that holds path (or its nearest existing parent).
Result<std::uint64_t> freeBytes(const std::string& path);
/// Bytes used by a folder and all that is in it.
std::uint64_t folderBytes(const std::string& path);
/// An Error from errno with the right code: "Could not write NAME: no space is left on the disk."
Error ioError(std::string_view verb, const std::string& path, int errnoValue);

/// An exclusive advisory lock on a file (flock, close-on-exec). Held until destroyed; the kernel frees it when the process dies.
class FileLock
{
  public:
    /// Busy if somebody else holds it and `wait` is false.
    static Result<FileLock> acquire(const std::string& path, bool wait);
    /// True if some process holds it now.
    static bool isHeld(const std::string& path);
    FileLock() = default;
    FileLock(FileLock&&) noexcept;
    FileLock& operator=(FileLock&&) noexcept;
    ~FileLock();
    bool held() const { return m_fd >= 0; }

  private:
    explicit FileLock(int fd) : m_fd(fd) {}
    int m_fd = -1;
};

} // namespace sconce
