// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/history/store_impl.h"

#include "core/base/log.h"
#include "core/history/rebuild.h"

#include <cerrno>
#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sys/vfs.h>
#include <unistd.h>

namespace fs = std::filesystem;

namespace sconce {

namespace {

constexpr std::chrono::seconds firstCare(20);
constexpr std::chrono::minutes careInterval(30);

/// Write-ahead logs need shared memory between all users of a file: not over a network.
bool onNetworkDisk(const std::string& folder)
{
    struct statfs status{};
    if (::statfs(folder.c_str(), &status) != 0) return false;
    const auto type = static_cast<unsigned long>(status.f_type) & 0xffffffffUL;
    return type == 0x6969UL /* NFS */ || type == 0xff534d42UL /* CIFS */ || type == 0xfe534d42UL /* SMB2 */;
}

Error mayNotWrite(const std::string& folder, int errnoValue)
{
    return {ErrorCode::Permission, "The store's folder " + folder + " may not be written.",
            "Change its permissions, or choose another folder with --store or SCONCE_HOME.",
            ioError("write", folder, errnoValue).detail};
}

} // namespace

std::string ownerFile(const std::string& runFolder) { return runFolder + "/owner"; }
bool isAlive(const std::string& runFolder) { return FileLock::isHeld(ownerFile(runFolder)); }
std::string socketFile(const std::string& runFolder) { return runFolder + "/socket"; }

std::optional<RunEnded> recordedEnd(const std::string& runFolder)
{
    const Result<Json> json = readJsonFile(runFolder + "/run.json", {16u << 20, 256});
    if (!json) return std::nullopt;
    StoredRun stored = runFromJson(*json);
    // An attempt that begins clears both; one that was handed over has a message only.
    if (stored.endedStatus.empty() && stored.row.message.empty()) return std::nullopt;
    RunEnded ended;
    ended.status = statusFromName(stored.endedStatus).value_or(RunStatus::Interrupted);
    ended.summary = std::move(stored.row.summary);
    if (!ended.summary.checkpoint.empty()) ended.summary.checkpoint = inFolder(runFolder, ended.summary.checkpoint);
    ended.errorCode = std::move(stored.row.errorCode);
    ended.message = std::move(stored.row.message);
    ended.remedy = std::move(stored.row.remedy);
    ended.detail = std::move(stored.row.detail);
    return ended;
}

std::string Store::defaultFolder()
{
    const auto variable = [](const char* name) {
        const char* value = std::getenv(name);
        return std::string(value ? value : "");
    };
    // Settings moved the store: a note in the old folder leads to the new one, for window and command line alike.
    const auto followed = [](std::string folder) {
        std::ifstream note(folder + "/moved-to");
        std::string place;
        std::error_code failure;
        if (std::getline(note, place) && place.starts_with('/') && fs::exists(place + "/sconce.db", failure)) return place;
        return folder;
    };
    if (const std::string home = variable("SCONCE_HOME"); !home.empty()) return followed(home);
    // The XDG specification: a path that is not absolute is to be ignored.
    if (const std::string data = variable("XDG_DATA_HOME"); data.starts_with('/')) return followed(data + "/sconce");
    return followed(variable("HOME") + "/.local/share/sconce");
}

Result<std::shared_ptr<Store>> Store::open(const std::string& wanted)
{
    std::error_code failure;
    std::string folder = fs::absolute(wanted, failure).lexically_normal().string();
    if (failure || wanted.empty()) return Error{ErrorCode::Invalid, "The store needs a folder.", "Name one with --store.", {}};
    while (folder.size() > 1 && folder.back() == '/') folder.pop_back();
    if (Result<void> made = makeFolders(folder + "/runs"); !made) {
        if (made.error().code == ErrorCode::Permission) return mayNotWrite(folder, EACCES);
        return made.error();
    }
    if (::access(folder.c_str(), W_OK | X_OK) != 0) return mayNotWrite(folder, errno);
    Result<FileLock> lock = lockStore(folder);
    if (!lock) return lock.error();
    Result<OpenLock> openLock = OpenLock::open(folder);
    if (!openLock) return openLock.error();
    const bool alone = openLock->tryAlone();
    Result<OpenedDatabase> database = openDatabase(folder, alone);
    if (!database) return database.error();
    openLock->share();
    if (onNetworkDisk(folder))
        log(LogLevel::Warning, "The store lies on a network disk; use it from one machine only, or choose a local folder.");
    return std::shared_ptr<Store>(std::make_shared<StoreImpl>(folder, std::move(*database), std::move(*openLock)));
}

StoreImpl::StoreImpl(std::string folder, OpenedDatabase opened, OpenLock openLock)
    : m_folder(std::move(folder))
    , m_runsFolder(m_folder + "/runs")
    , m_opened(std::move(opened.opened))
    , m_openLock(std::move(openLock))
    , m_readers(m_folder + "/sconce.db", [folder = m_folder] { markForCheck(folder); })
{
    if (!opened.db) return;
    opened.db->onDamage = [folder = m_folder] { markForCheck(folder); };
    m_writer = std::make_unique<Writer>(std::move(opened.db), m_folder);
    m_care = std::thread([this] { careLoop(); });
}

StoreImpl::~StoreImpl()
{
    {
        const std::lock_guard lock(m_careMutex);
        m_stopping = true;
    }
    m_careWake.notify_all();
    if (m_care.joinable()) m_care.join();
    if (!m_writer) return;
    m_writer->stop();
    if (m_writer->commits() > 0) backUp();
    m_readers.close();
    m_countDb.reset();
    // The last one out moves the write-ahead log into the file: one left behind means an unclean end.
    const Result<FileLock> lock = lockStore(m_folder);
    if (lock && m_openLock.tryAlone()) m_writer->closeCleanly();
    m_writer.reset();
}

void StoreImpl::backUp()
{
    Result<Readers::Lease> reader = m_readers.lease();
    if (!reader) return;
    try { // also the root of a thread
        if (Result<bool> made = backUpIfDue(**reader, m_folder); !made)
            log(LogLevel::Warning, "No backup of the history was made: " + made.error().text());
    } catch (const std::exception& failure) {
        log(LogLevel::Warning, std::string("No backup of the history was made: ") + failure.what());
    }
}

void StoreImpl::careLoop()
{
    std::unique_lock lock(m_careMutex);
    std::chrono::seconds wait = firstCare;
    while (!m_careWake.wait_for(lock, wait, [&] { return m_stopping; })) {
        wait = careInterval;
        lock.unlock();
        if (m_writer->commits() > 0) backUp();
        lock.lock();
    }
}

Result<void> StoreImpl::write(Writer::Job job)
{
    if (!m_writer) return Error{ErrorCode::TooNew, m_opened.message, "Use the newer version of Sconce, or another store folder.", {}};
    return m_writer->transact(std::move(job));
}

Result<void> StoreImpl::record(const RunId& id, int attempt, const Event& event)
{
    if (!m_writer) return write({});
    return m_writer->record(id, attempt, event);
}

Result<void> StoreImpl::flush() { return m_writer ? m_writer->flush() : Result<void>(); }

std::int64_t StoreImpl::changeCounter()
{
    const std::lock_guard lock(m_countMutex);
    if (!m_countDb) {
        Result<std::unique_ptr<Database>> db = Database::open(m_folder + "/sconce.db", Database::Mode::ReadOnly);
        if (!db) return m_counter;
        m_countDb = std::move(*db);
    }
    // A trainer that dies writes nothing: its lock is looked at.
    for (auto& [id, alive] : m_watched) {
        const bool now = isAlive(runFolder(id));
        if (now != alive) ++m_counter;
        alive = now;
    }
    const Result<std::int64_t> version = m_countDb->number("PRAGMA data_version");
    if (version && *version != m_dataVersion) {
        m_dataVersion = *version;
        ++m_counter;
    }
    return m_counter;
}

/// Looks whether a run that has not ended is alive, and remembers it for changeCounter().
bool StoreImpl::watchAlive(const RunId& id)
{
    const bool alive = isAlive(runFolder(id));
    const std::lock_guard lock(m_countMutex);
    m_watched[id] = alive;
    return alive;
}

} // namespace sconce
