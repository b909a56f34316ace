// SPDX-License-Identifier: GPL-3.0-or-later
#include "ui/services/run_queue.h"

#include "core/base/log.h"

#include <algorithm>
#include <filesystem>
#include <mutex>

namespace sconce::ui {

/// The file, shared with the jobs that write it. Jobs may run out of order: only the newest content may win.
struct RunQueue::File
{
    std::string path;
    std::mutex mutex;
    std::int64_t written = 0;
    std::int64_t version = 0; ///< the window's thread only
};

namespace {

std::vector<QueueEntry> readQueue(const std::string& path)
{
    std::vector<QueueEntry> entries;
    std::error_code none;
    if (!std::filesystem::exists(path, none)) return entries;
    auto json = readJsonFile(path);
    if (!json.ok() || !json->is_object() || !json->contains("runs") || !(*json)["runs"].is_array()) return entries;
    for (const Json& one : (*json)["runs"]) {
        if (!one.is_object() || !one.contains("run") || !one["run"].is_string()) continue;
        QueueEntry entry{one["run"].get<std::string>(), {}};
        if (one.contains("epochs") && one["epochs"].is_number_integer()) entry.epochs = one["epochs"].get<int>();
        entries.push_back(std::move(entry));
    }
    return entries;
}

} // namespace

RunQueue::RunQueue(Jobs& jobs, const std::string& storeFolder)
    : m_jobs(jobs)
    , m_file(std::make_shared<File>())
{
    m_file->path = storeFolder + "/queue.json";
}

void RunQueue::load(QObject* context, std::function<void(bool)> done)
{
    using Entries = std::vector<QueueEntry>;
    m_jobs.run<Entries>(
        context, [path = m_file->path] { return readQueue(path); },
        [this, done = std::move(done)](Entries entries) {
            const bool any = !entries.empty();
            // What was queued meanwhile comes after what waited before.
            for (auto at = entries.rbegin(); at != entries.rend(); ++at) {
                if (!contains(at->run)) m_entries.push_front(std::move(*at));
            }
            done(any);
        });
}

bool RunQueue::contains(const RunId& run) const
{
    return std::any_of(m_entries.begin(), m_entries.end(), [&](const QueueEntry& entry) { return entry.run == run; });
}

std::vector<RunId> RunQueue::runs() const
{
    std::vector<RunId> out;
    for (const QueueEntry& entry : m_entries) out.push_back(entry.run);
    return out;
}

void RunQueue::add(QueueEntry entry)
{
    if (contains(entry.run)) return;
    m_entries.push_back(std::move(entry));
    save();
}

bool RunQueue::remove(const RunId& run)
{
    if (std::erase_if(m_entries, [&](const QueueEntry& entry) { return entry.run == run; }) == 0) return false;
    save();
    return true;
}

std::optional<QueueEntry> RunQueue::takeFirst()
{
    if (m_entries.empty()) return {};
    QueueEntry first = std::move(m_entries.front());
    m_entries.pop_front();
    save();
    return first;
}

void RunQueue::save()
{
    Json runs = Json::array();
    for (const QueueEntry& entry : m_entries) {
        Json one = {{"run", entry.run}};
        if (entry.epochs) one["epochs"] = *entry.epochs;
        runs.push_back(std::move(one));
    }
    const Json json = {{"runs", std::move(runs)}};
    m_jobs.run<bool>(
        nullptr,
        [file = m_file, text = json.dump(2), version = ++m_file->version] {
            const std::lock_guard lock(file->mutex);
            if (version <= file->written) return true;
            file->written = version;
            const auto result = writeFileDurably(file->path, text);
            if (!result.ok()) log(LogLevel::Warning, "The queue could not be kept: " + result.error().text());
            return result.ok();
        },
        [](bool) {});
}

} // namespace sconce::ui
