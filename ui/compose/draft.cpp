// SPDX-License-Identifier: GPL-3.0-or-later
#include "ui/compose/draft.h"

#include "core/base/files.h"

#include <filesystem>

namespace sconce::ui {

namespace {

constexpr const char* draftFormat = "sconce-draft";
constexpr int draftVersion = 1;

} // namespace

std::string DraftKeeper::pathIn(const std::string& storeFolder)
{
    return storeFolder + "/draft.json";
}

DraftKeeper::DraftKeeper(std::string storeFolder) : m_path(pathIn(storeFolder))
{
    m_thread = std::thread([this] { work(); });
}

DraftKeeper::~DraftKeeper()
{
    {
        const std::lock_guard lock(m_mutex);
        m_ending = true;
    }
    m_wake.notify_all();
    m_thread.join();
}

std::optional<Draft> DraftKeeper::load(std::string& message) const
{
    std::error_code error;
    if (!std::filesystem::exists(m_path, error)) return std::nullopt;
    auto json = readJsonFile(m_path, {4u << 20, 80});
    if (json && json->is_object() && json->value("format", std::string()) == draftFormat && json->contains("recipe")) {
        if (auto parsed = recipeFromJson((*json)["recipe"])) {
            std::vector<JsonProblem> problems;
            JsonReader reader(*json, "", problems);
            return Draft{std::move(parsed->recipe), reader.text("file", ""), reader.text("title", ""),
                         reader.boolean("unsaved", true)};
        }
    }
    // Set aside, never deleted: somebody may want to look into it.
    std::filesystem::rename(m_path, m_path + ".unreadable", error);
    message = "The draft of the last session could not be read; it was set aside as draft.json.unreadable.";
    return std::nullopt;
}

void DraftKeeper::keep(const Draft& draft)
{
    {
        const std::lock_guard lock(m_mutex);
        m_waiting = draft;
    }
    m_wake.notify_all();
}

void DraftKeeper::flush()
{
    std::unique_lock lock(m_mutex);
    m_idle.wait(lock, [this] { return !m_waiting && !m_writing; });
}

std::string DraftKeeper::takeError()
{
    const std::lock_guard lock(m_mutex);
    return std::exchange(m_error, {});
}

void DraftKeeper::work()
{
    std::unique_lock lock(m_mutex);
    for (;;) {
        m_wake.wait(lock, [this] { return m_waiting || m_ending; });
        if (!m_waiting) return;
        const Draft draft = *std::exchange(m_waiting, std::nullopt);
        m_writing = true;
        lock.unlock();
        Json json{{"format", draftFormat}, {"version", draftVersion}, {"file", draft.file}, {"title", draft.title},
                  {"unsaved", draft.unsaved}};
        json["recipe"] = toJson(draft.recipe);
        const auto written = writeFileDurably(m_path, json.dump(1, ' ', false, Json::error_handler_t::replace));
        lock.lock();
        m_writing = false;
        if (!written) m_error = written.error().text();
        m_idle.notify_all();
    }
}

} // namespace sconce::ui
