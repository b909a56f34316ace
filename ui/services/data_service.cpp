// SPDX-License-Identifier: GPL-3.0-or-later
#include "ui/services/studio.h"

#include <QCoreApplication>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <list>

namespace sconce::ui {

namespace {

constexpr std::uint64_t cacheBytes = 1ull << 30; ///< of opened data sets kept for the next page that asks

struct Opened { DatasetPtr data; QString sentence; };
struct Added { DatasetId id; DatasetPtr data; QString sentence; };
struct Waiting { QPointer<QObject> context; std::function<void(DatasetPtr, QString)> done; };

Added addToLibrary(Store& store, const std::string& path, const ImportOptions& options, const ProgressFn& progress)
{
    auto opened = openDataset(path, options, progress);
    if (!opened.ok()) {
        return {{}, nullptr, opened.error().code == ErrorCode::Cancelled ? QString() : QString::fromStdString(opened.error().text())};
    }
    DatasetInfo info = (*opened)->info();
    auto known = store.datasets();
    if (!known.ok()) return {{}, nullptr, QString::fromStdString(known.error().text())};
    info.id = libraryId(info, *known);
    if (auto put = store.putDataset(info, options); !put.ok()) return {{}, nullptr, QString::fromStdString(put.error().text())};
    return {info.id, *opened, {}};
}

Opened openFromLibrary(Store& store, const DatasetId& id)
{
    auto entry = store.dataset(id);
    if (!entry.ok()) return {nullptr, QString::fromStdString(entry.error().text())};
    if (!*entry) return {nullptr, QStringLiteral("The data set “%1” is not in the library. Add it on the Data page.").arg(QString::fromStdString(id))};
    const auto& [info, options] = **entry;
    auto opened = openDataset(info.location.empty() ? builtinDigitsPath : info.location, options);
    if (!opened.ok()) return {nullptr, QString::fromStdString(opened.error().text())};
    return {*opened, {}};
}

} // namespace

struct DataService::Impl
{
    std::shared_ptr<Store> store;
    Jobs& jobs;
    std::vector<DatasetInfo> sets;
    std::list<std::pair<DatasetId, DatasetPtr>> cache; ///< newest first
    std::map<DatasetId, std::vector<Waiting>> waiting;
    std::shared_ptr<std::atomic<bool>> cancel;

    void keep(const DatasetId& id, DatasetPtr data)
    {
        cache.remove_if([&](const auto& entry) { return entry.first == id; });
        cache.emplace_front(id, std::move(data));
        std::uint64_t bytes = 0;
        for (auto at = cache.begin(); at != cache.end();) {
            bytes += at->second->info().bytes;
            at = bytes > cacheBytes && at != cache.begin() ? cache.erase(at) : std::next(at);
        }
    }
};

DataService::DataService(std::shared_ptr<Store> store, Jobs& jobs, QObject* parent)
    : QObject(parent)
    , m(std::make_unique<Impl>(Impl{std::move(store), jobs, {}, {}, {}, {}}))
{
    refresh();
}

DataService::~DataService() { cancelAdd(); }

const std::vector<DatasetInfo>& DataService::sets() const { return m->sets; }

const DatasetInfo* DataService::find(const DatasetId& id) const
{
    const auto at = std::find_if(m->sets.begin(), m->sets.end(), [&](const DatasetInfo& info) { return info.id == id; });
    return at == m->sets.end() ? nullptr : &*at;
}

void DataService::refresh()
{
    using Sets = std::optional<std::vector<DatasetInfo>>;
    m->jobs.run<Sets>(
        this,
        [store = m->store]() -> Sets {
            auto sets = store->datasets();
            return sets.ok() ? Sets(std::move(sets).value()) : Sets();
        },
        [this](Sets sets) {
            if (!sets) return;
            m->sets = std::move(*sets);
            Q_EMIT changed();
        },
        QStringLiteral("sets"));
}

void DataService::add(const QString& path, const ImportOptions& options)
{
    cancelAdd();
    auto cancelled = std::make_shared<std::atomic<bool>>(false);
    m->cancel = cancelled;
    const QPointer<DataService> self(this);
    auto last = std::make_shared<std::chrono::steady_clock::time_point>();
    ProgressFn report = [self, cancelled, last](double share, const std::string& what) {
        const auto now = std::chrono::steady_clock::now();
        if (now - *last > std::chrono::milliseconds(50)) {
            *last = now;
            // Safe while the service lives: its owner outlives every job (Jobs waits for them when it goes).
            QMetaObject::invokeMethod(
                qApp, [self, share, cancelled, text = QString::fromStdString(what)] {
                    if (self && !cancelled->load()) Q_EMIT self->progress(text, share);
                },
                Qt::QueuedConnection);
        }
        return !cancelled->load();
    };
    m->jobs.run<Added>(
        this, [store = m->store, where = path.toStdString(), options, report] { return addToLibrary(*store, where, options, report); },
        [this, cancelled](Added result) {
            if (m->cancel == cancelled) m->cancel.reset();
            if (result.data) {
                m->cache.remove_if([&](const auto& entry) { return entry.first == result.id; });
                m->keep(result.id, result.data);
                using Sets = std::vector<DatasetInfo>;
                m->jobs.run<Sets>(
                    this, [store = m->store] { return store->datasets().valueOr({}); },
                    [this, id = result.id](Sets sets) {
                        if (!sets.empty()) m->sets = std::move(sets);
                        Q_EMIT changed();
                        Q_EMIT added(QString::fromStdString(id)); // only now can a page find it in sets()
                    });
            } else if (!cancelled->load() && !result.sentence.isEmpty()) {
                Q_EMIT addFailed(result.sentence);
            }
            Q_EMIT progress({}, 1);
        });
}

void DataService::cancelAdd()
{
    if (m->cancel) m->cancel->store(true);
    m->cancel.reset();
}

void DataService::forget(const DatasetId& id)
{
    m->cache.remove_if([&](const auto& entry) { return entry.first == id; });
    m->jobs.run<bool>(
        this, [store = m->store, id] { return store->forgetDataset(id).ok(); }, [this](bool) { refresh(); });
}

void DataService::open(const DatasetId& id, QObject* context, std::function<void(DatasetPtr, QString)> done)
{
    const auto cached = std::find_if(m->cache.begin(), m->cache.end(), [&](const auto& entry) { return entry.first == id; });
    if (cached != m->cache.end()) {
        DatasetPtr data = cached->second;
        m->cache.splice(m->cache.begin(), m->cache, cached);
        // Always later, never inside the call: callers need not be ready for both.
        QMetaObject::invokeMethod(context ? context : this, [data, done = std::move(done)] { done(data, {}); }, Qt::QueuedConnection);
        return;
    }
    auto& waiting = m->waiting[id];
    waiting.push_back({context ? context : this, std::move(done)});
    if (waiting.size() > 1) return; // somebody's reading serves all
    m->jobs.run<Opened>(
        this, [store = m->store, id] { return openFromLibrary(*store, id); },
        [this, id](Opened opened) {
            if (opened.data) m->keep(id, opened.data);
            const std::vector<Waiting> waiting = std::move(m->waiting[id]);
            m->waiting.erase(id);
            for (const Waiting& one : waiting) {
                if (one.context) one.done(opened.data, opened.sentence);
            }
        });
}

} // namespace sconce::ui
