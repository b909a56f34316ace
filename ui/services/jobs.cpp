// SPDX-License-Identifier: GPL-3.0-or-later
#include "ui/services/studio.h"

#include "core/base/log.h"

#include <QMetaObject>
#include <QThread>
#include <QThreadPool>

#include <algorithm>
#include <atomic>
#include <map>

namespace sconce::ui {

namespace {
using Ticket = std::shared_ptr<std::atomic<bool>>; ///< true: superseded
}

struct Jobs::Impl
{
    QThreadPool pool;
    std::atomic<bool> closing = false;
    std::map<std::pair<QObject*, QString>, Ticket> newest; // the window's thread only
};

Jobs::Jobs(QObject* parent)
    : QObject(parent)
    , m(std::make_unique<Impl>())
{
    // Work here mostly waits for the disk, so there are more threads than cores. They are kept: the store has a connection
    // per thread, which is dear to open.
    m->pool.setMaxThreadCount(std::max(4, QThread::idealThreadCount()));
    m->pool.setExpiryTimeout(-1);
}

Jobs::~Jobs()
{
    m->closing = true; // what somebody waits for who is gone is left; what belongs to nobody (a list that is kept) is done all the same
    m->pool.waitForDone();
}

void Jobs::start(QObject* context, std::function<void()> work, std::function<void()> done, const QString& key)
{
    auto superseded = std::make_shared<std::atomic<bool>>(false);
    if (!key.isEmpty()) {
        Ticket& newest = m->newest[{context, key}];
        if (newest) newest->store(true);
        newest = superseded;
    }
    const QPointer<QObject> guard(context);
    const bool guarded = context != nullptr;
    auto deliver = [this, guard, guarded, context, key, superseded, done = std::move(done)] {
        if (!key.isEmpty()) {
            const auto at = m->newest.find({context, key});
            if (at != m->newest.end() && at->second == superseded) m->newest.erase(at);
        }
        if (superseded->load() || (guarded && !guard)) return;
        done();
    };
    m->pool.start([this, guarded, superseded, work = std::move(work), deliver = std::move(deliver)]() mutable {
        if (!superseded->load() && !(guarded && m->closing)) {
            try {
                work();
            } catch (const std::exception& e) {
                log(LogLevel::Error, std::string("A background job ended with an exception: ") + e.what());
            } catch (...) {
                log(LogLevel::Error, "A background job ended with an unknown exception.");
            }
        }
        work = nullptr; // what it captured is freed here, not on the window's thread
        QMetaObject::invokeMethod(this, std::move(deliver), Qt::QueuedConnection);
    });
}

} // namespace sconce::ui
