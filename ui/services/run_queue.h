// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
// The order of runs that wait, kept in the store's folder (queue.json) so that it survives a restart. The runs themselves
// stand in the store as queued (or stopped, when a resume waits). The window's thread; files are read and written by Jobs.

#include "ui/services/studio.h"

#include <deque>

namespace sconce::ui {

struct QueueEntry
{
    RunId run;
    std::optional<int> epochs;
};

class RunQueue
{
  public:
    RunQueue(Jobs& jobs, const std::string& storeFolder);
    /// Reads what an earlier window left; `done` with true if there was something.
    void load(QObject* context, std::function<void(bool)> done);

    bool empty() const { return m_entries.empty(); }
    bool contains(const RunId& run) const;
    std::vector<RunId> runs() const;
    void add(QueueEntry entry);
    bool remove(const RunId& run);
    std::optional<QueueEntry> takeFirst();

  private:
    void save();
    struct File;
    Jobs& m_jobs;
    std::shared_ptr<File> m_file;
    std::deque<QueueEntry> m_entries;
};

} // namespace sconce::ui
