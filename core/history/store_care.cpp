// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/history/store_impl.h"

#include "core/base/fd.h"
#include "core/base/text.h"
#include "core/history/documents.h"
#include "core/history/rebuild.h"

#include "history_sql.h"

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <cstring>
#include <fcntl.h>
#include <filesystem>
#include <set>
#include <unistd.h>

namespace fs = std::filesystem;

namespace sconce {

namespace {

/// Writes the documents of a row back into a run folder that went missing.
Result<void> recreateFolder(Database& db, const RunId& id, const std::string& runsFolder)
{
    std::string recipe, environment;
    {
        Statement s = db.prepare(sql::runs_documents);
        s.bind(1, id);
        if (s.step()) {
            recipe = s.text(0);
            environment = s.text(1);
        }
        SCONCE_TRY(s.result());
    }
    if (recipe.empty()) return noSuchRun(id);
    SCONCE_TRY(makeFolders(runsFolder + "/" + id));
    SCONCE_TRY(writeFileDurably(runsFolder + "/" + id + "/recipe.json", recipe + "\n"));
    SCONCE_TRY(writeFileDurably(runsFolder + "/" + id + "/environment.json", environment + "\n"));
    return writeRunFile(db, id, runsFolder);
}

/// Copies (or, with `compare`, compares) a file by pieces; nothing is held in memory whole.
Result<void> copyFile(const std::string& from, const std::string& to, bool compare)
{
    const Fd in(::open(from.c_str(), O_RDONLY | O_CLOEXEC));
    if (!in) return ioError("read", from, errno);
    const Fd out(::open(to.c_str(), (compare ? O_RDONLY : O_WRONLY | O_CREAT | O_TRUNC) | O_CLOEXEC, 0644));
    if (!out) return ioError(compare ? "read" : "write", to, errno);
    std::vector<char> bytes(1 << 20), others(compare ? bytes.size() : 0);
    while (true) {
        const ssize_t got = ::read(in.get(), bytes.data(), bytes.size());
        if (got < 0) return ioError("read", from, errno);
        if (compare) {
            ssize_t other = 0;
            while (other < std::max<ssize_t>(got, 1)) {
                const ssize_t more = ::read(out.get(), others.data() + other, static_cast<std::size_t>(std::max<ssize_t>(got, 1) - other));
                if (more < 0) return ioError("read", to, errno);
                if (more == 0) break;
                other += more;
            }
            if (other != got || std::memcmp(bytes.data(), others.data(), static_cast<std::size_t>(got)) != 0)
                return Error{ErrorCode::Corrupt, "The copy of " + from + " differs from it.", "Check the disk that was copied to.", to};
        }
        if (got == 0) break;
        for (ssize_t done = 0; !compare && done < got;) {
            const ssize_t written = ::write(out.get(), bytes.data() + done, static_cast<std::size_t>(got - done));
            if (written < 0) return ioError("write", to, errno);
            done += written;
        }
    }
    if (!compare && ::fsync(out.get()) != 0) return ioError("write", to, errno);
    return {};
}

/// Locks, sockets and what is not complete stay behind.
bool isCopied(const fs::directory_entry& entry)
{
    const std::string name = entry.path().filename().string();
    std::error_code failure;
    return entry.is_regular_file(failure) && !entry.is_symlink(failure) && name != "owner" && name != "lock" && !name.ends_with(".tmp") &&
           entry.path().string().find(".incomplete") == std::string::npos && entry.path().string().find(".deleted") == std::string::npos;
}

Result<std::vector<std::string>> filesBelow(const std::string& folder, std::span<const char* const> parts)
{
    std::vector<std::string> files;
    for (const char* part : parts) {
        std::error_code failure;
        for (fs::recursive_directory_iterator it(folder + "/" + part, failure), end; !failure && it != end; it.increment(failure))
            if (isCopied(*it)) files.push_back(fs::relative(it->path(), folder).string());
        if (failure && failure != std::errc::no_such_file_or_directory) return ioError("read", folder + "/" + part, failure.value());
    }
    return files;
}

} // namespace

// ---- doctor ----

Result<StoreImpl::DoctorReport> StoreImpl::doctor(bool mend)
{
    DoctorReport report;
    if (!m_opened.message.empty()) report.found.push_back(m_opened.message);
    if (m_opened.how == StoreOpened::How::Rebuilt) report.mended.push_back("The history file was rebuilt when the store was opened.");
    {
        Result<Readers::Lease> db = m_readers.lease();
        if (!db) return db.error();
        Result<std::string> damage = (*db)->check(true);
        if (damage && damage->empty()) damage = (*db)->textOf("PRAGMA foreign_key_check");
        if (!damage && damage.error().code != ErrorCode::Corrupt) return damage.error();
        if (!damage || !damage->empty()) {
            markForCheck(m_folder);
            report.found.push_back("The history file is damaged: " + (damage ? *damage : damage.error().detail) +
                                   ". Close every Sconce and start again: it is then set aside and rebuilt.");
            report.ok = false;
            return report;
        }
    }
    if (!m_writer) return report;
    // Under the store's lock, so that a run being created is not taken for a stray folder.
    SCONCE_TRY(write([&](Database& db, Recorder&) -> Result<void> {
        SCONCE_TRY(checkFolders(db, mend, report));
        SCONCE_TRY(checkWeights(db, mend, report));
        return removeLeftovers(mend, report);
    }));
    return report;
}

Result<void> StoreImpl::checkFolders(Database& db, bool mend, DoctorReport& report)
{
    Result<std::vector<std::string>> ids = runIds(db);
    if (!ids) return ids.error();
    const std::vector<std::string> names = runFoldersIn(m_runsFolder);
    const std::set<std::string> rows(ids->begin(), ids->end()), folders(names.begin(), names.end());
    const auto repaired = [&](const Result<void>& done, const std::string& what) {
        if (done) report.mended.push_back(what);
        else report.found.push_back(done.error().text());
        report.ok = report.ok && done.ok();
    };
    for (const std::string& id : *ids) {
        if (folders.contains(id)) continue;
        report.found.push_back("Run " + id + " is in the list, but its folder (or the recipe in it) is missing.");
        if (!mend) report.ok = false;
        else repaired(recreateFolder(db, id, m_runsFolder), "The folder of run " + id + " was made again; its checkpoints are lost.");
    }
    for (const std::string& name : names) {
        if (rows.contains(name)) continue;
        report.found.push_back("The folder of run " + name + " is there, but the run is not in the list.");
        if (!mend) report.ok = false;
        else repaired(adoptRunFolder(db, m_runsFolder, name), "Run " + name + " was taken into the list again; its curves are lost.");
    }
    return {};
}

/// Weights to start from (training's start_weights.h) are there for the recipes that name their SHA-256. A recipe that is being composed is
/// in no run yet, so young ones stay.
Result<void> StoreImpl::checkWeights(Database& db, bool mend, DoctorReport& report)
{
    constexpr auto young = std::chrono::hours(24);
    std::error_code failure;
    for (const std::string& name : namesIn(m_folder + "/weights")) {
        const std::string path = m_folder + "/weights/" + name;
        const auto written = fs::last_write_time(path, failure);
        if (failure || fs::file_time_type::clock::now() - written < young) continue;
        Statement named = db.prepare(sql::runs_naming);
        named.bind(1, fs::path(name).stem().string());
        const bool read = named.step();
        SCONCE_TRY(named.result());
        if (!read || named.integer(0) > 0) continue;
        report.found.push_back("Weights that no run starts from: " + path + " (" + bytesText(fs::file_size(path, failure)) + ")");
        if (!mend) continue; // they take room, and do no harm
        if (Result<void> removed = removeTree(path); removed) report.mended.push_back("Removed " + path);
        else report.found.push_back(removed.error().text());
    }
    return {};
}

Result<void> StoreImpl::removeLeftovers(bool mend, DoctorReport& report)
{
    std::vector<std::string> leftovers;
    for (const std::string& name : namesIn(m_runsFolder)) {
        const std::string folder = m_runsFolder + "/" + name;
        if (name.ends_with(".incomplete") || name.ends_with(".deleted")) leftovers.push_back(folder);
        if (name.find('.') != std::string::npos || isAlive(folder)) continue; // a live trainer may be writing just now
        for (const std::string& checkpoint : namesIn(folder + "/checkpoints"))
            if (checkpoint.ends_with(".incomplete")) leftovers.push_back(folder + "/checkpoints/" + checkpoint);
        for (const std::string& file : namesIn(folder))
            if (file.ends_with(".tmp") || file == "socket") leftovers.push_back(folder + "/" + file);
    }
    for (const std::string& path : leftovers) {
        report.found.push_back("A leftover of something that was cut off: " + path);
        if (!mend) continue; // it does no harm: not a reason to say that the store is not well
        if (Result<void> removed = removeTree(path); removed) report.mended.push_back("Removed " + path);
        else report.found.push_back(removed.error().text());
    }
    return {};
}

// ---- moving ----

Result<void> StoreImpl::copyTo(const std::string& wanted, const ProgressFn& progress)
{
    std::error_code failure;
    std::string folder = fs::absolute(wanted, failure).lexically_normal().string();
    while (folder.size() > 1 && folder.back() == '/') folder.pop_back();
    if (folder == m_folder || folder.starts_with(m_folder + "/"))
        return Error{ErrorCode::Invalid, "The store cannot be copied into itself.", "Choose another folder.", {}};
    Result<std::vector<RunRow>> all = runs();
    if (!all) return all.error();
    for (const RunRow& row : *all)
        if (isAlive(row.folder)) return Error{ErrorCode::Busy, "Run #" + std::to_string(row.number) + " is training now.", "Stop it first; then the store can be copied.", row.id};
    if (fs::exists(folder, failure) && !fs::is_empty(folder, failure))
        return Error{ErrorCode::Invalid, "The folder " + folder + " is not empty.", "Choose an empty folder.", {}};
    SCONCE_TRY(flush());
    constexpr const char* parts[] = {"runs", "data", "backups", "weights"};
    Result<std::vector<std::string>> files = filesBelow(m_folder, parts);
    if (!files) return files.error();
    std::uint64_t bytes = fs::file_size(m_folder + "/sconce.db", failure), copied = 0;
    for (const std::string& file : *files) bytes += fs::file_size(m_folder + "/" + file, failure);
    const Result<std::uint64_t> room = freeBytes(folder);
    if (room && *room < bytes + bytes / 20)
        return Error{ErrorCode::DiskFull, "The store takes " + bytesText(bytes) + ", but only " + bytesText(*room) + " are free there.", "Free some space, or choose another disk.", {}};
    SCONCE_TRY(makeFolders(folder + "/runs"));
    for (const std::string& file : *files) {
        if (progress && !progress(bytes ? static_cast<double>(copied) / static_cast<double>(bytes) : 0, file))
            return Error{ErrorCode::Cancelled, "Copying the store was cancelled; the old one is untouched.", "Remove " + folder + ".", {}};
        SCONCE_TRY(makeFolders(fs::path(folder + "/" + file).parent_path().string()));
        SCONCE_TRY(copyFile(m_folder + "/" + file, folder + "/" + file, false));
        SCONCE_TRY(copyFile(m_folder + "/" + file, folder + "/" + file, true));
        copied += fs::file_size(m_folder + "/" + file, failure);
    }
    Result<Readers::Lease> reader = m_readers.lease();
    if (!reader) return reader.error();
    SCONCE_TRY((*reader)->copyInto(folder + "/sconce.db"));
    Result<std::unique_ptr<Database>> copy = Database::open(folder + "/sconce.db", Database::Mode::ReadWrite);
    if (!copy) return copy.error();
    Result<std::string> damage = (*copy)->check(true);
    if (!damage) return damage.error();
    if (!damage->empty()) return Error{ErrorCode::Corrupt, "The copy of the history is damaged.", "Check the disk that was copied to.", *damage};
    copy->reset(); // closed: what follows is only folders
    // The names too must be on the disk before anybody removes the old store.
    std::set<std::string> folders{folder, fs::path(folder).parent_path().string()};
    for (const std::string& file : *files)
        for (fs::path up = fs::path(folder + "/" + file).parent_path(); up.string().size() > folder.size(); up = up.parent_path()) folders.insert(up.string());
    for (const std::string& one : folders) SCONCE_TRY(syncFolder(one));
    if (progress) progress(1, "");
    return {};
}

} // namespace sconce
