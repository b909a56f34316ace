// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/history/readers.h"

namespace sconce {

namespace {

constexpr std::size_t mostKept = 4;

} // namespace

Readers::Readers(std::string path, std::function<void()> onDamage)
    : m_path(std::move(path))
    , m_onDamage(std::move(onDamage))
{
}

Readers::Lease::Lease(Readers& readers, std::unique_ptr<Database> db)
    : m_readers(&readers)
    , m_db(std::move(db))
{
}

Readers::Lease::~Lease()
{
    if (!m_db) return;
    const std::lock_guard lock(m_readers->m_mutex);
    if (m_readers->m_free.size() < mostKept) m_readers->m_free.push_back(std::move(m_db));
}

Result<Readers::Lease> Readers::lease()
{
    {
        const std::lock_guard lock(m_mutex);
        if (!m_free.empty()) {
            std::unique_ptr<Database> db = std::move(m_free.back());
            m_free.pop_back();
            return Lease(*this, std::move(db));
        }
    }
    Result<std::unique_ptr<Database>> opened = Database::open(m_path, Database::Mode::ReadOnly);
    if (!opened) return opened.error();
    (*opened)->onDamage = m_onDamage;
    return Lease(*this, std::move(*opened));
}

void Readers::close()
{
    const std::lock_guard lock(m_mutex);
    m_free.clear();
}

} // namespace sconce
