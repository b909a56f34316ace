// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
// The draft: the recipe being composed, written to the store's folder after each edit, so that neither a crash nor a power
// cut loses work. Writing (with its fsync) happens on a thread of its own; the newest recipe wins. Created and used on the
// window's thread.

#include "core/recipe/recipe.h"

#include <condition_variable>
#include <mutex>
#include <optional>
#include <string>
#include <thread>

namespace sconce::ui {

struct Draft
{
    Recipe recipe;
    std::string file;     ///< where it was opened from or saved to; may be empty
    std::string title;    ///< origin in words where there is no file
    bool unsaved = false; ///< differs from the file
};

class DraftKeeper
{
  public:
    explicit DraftKeeper(std::string storeFolder);
    /// Writes what is still waiting, then ends.
    ~DraftKeeper();
    DraftKeeper(const DraftKeeper&) = delete;
    DraftKeeper& operator=(const DraftKeeper&) = delete;

    /// The draft of the last session; nothing if there is none. An unreadable one is set aside and said in `message`.
    std::optional<Draft> load(std::string& message) const;
    /// Queues a draft; returns at once.
    void keep(const Draft& draft);
    /// Waits until everything kept so far is on the disk.
    void flush();
    /// The last write's error, once; empty if all is well.
    std::string takeError();

    static std::string pathIn(const std::string& storeFolder);

  private:
    void work();

    std::string m_path;
    std::mutex m_mutex;
    std::condition_variable m_wake, m_idle;
    std::optional<Draft> m_waiting;
    bool m_writing = false, m_ending = false;
    std::string m_error;
    std::thread m_thread;
};

} // namespace sconce::ui
