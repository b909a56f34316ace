// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
// Read-only connections, each used by one thread at a time and kept for the next. Private to core/history.

#include "core/history/sqlite.h"

#include <mutex>
#include <vector>

namespace sconce {

class Readers
{
  public:
    Readers(std::string path, std::function<void()> onDamage);

    class Lease
    {
      public:
        Lease(Readers& readers, std::unique_ptr<Database> db);
        Lease(Lease&&) noexcept = default;
        ~Lease();
        Database& operator*() const { return *m_db; }
        Database* operator->() const { return m_db.get(); }

      private:
        Readers* m_readers;
        std::unique_ptr<Database> m_db;
    };

    Result<Lease> lease();
    void close();

  private:
    std::string m_path;
    std::function<void()> m_onDamage;
    std::mutex m_mutex;
    std::vector<std::unique_ptr<Database>> m_free;
};

} // namespace sconce
