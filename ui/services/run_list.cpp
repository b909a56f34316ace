// SPDX-License-Identifier: GPL-3.0-or-later
#include "ui/services/run_rows.h"
#include "ui/services/studio.h"

#include <algorithm>
#include <cmath>

namespace sconce::ui {

namespace {

bool same(double a, double b) { return a == b || (std::isnan(a) && std::isnan(b)); }

bool sameMetrics(const MetricMap& a, const MetricMap& b)
{
    return std::equal(a.begin(), a.end(), b.begin(), b.end(), [](const auto& x, const auto& y) { return x.first == y.first && same(x.second, y.second); });
}

bool same(const RunSummary& a, const RunSummary& b)
{
    return a.epochs == b.epochs && a.steps == b.steps && same(a.trainLoss, b.trainLoss) && same(a.trainAccuracy, b.trainAccuracy) &&
           same(a.valLoss, b.valLoss) && same(a.valAccuracy, b.valAccuracy) && same(a.testLoss, b.testLoss) &&
           same(a.testAccuracy, b.testAccuracy) && sameMetrics(a.metrics, b.metrics) && a.bestEpoch == b.bestEpoch && same(a.seconds, b.seconds) &&
           same(a.samplesPerSecond, b.samplesPerSecond) && a.checkpoint == b.checkpoint;
}

bool same(const std::vector<RunRow>& a, const std::vector<RunRow>& b)
{
    return std::equal(a.begin(), a.end(), b.begin(), b.end(), [](const RunRow& x, const RunRow& y) { return sameRow(x, y); });
}

/// What a poll found; rows only where something may have changed.
struct Read
{
    std::int64_t counter = -1;
    std::optional<std::vector<RunRow>> rows;
};

} // namespace

bool failedByNan(const RunRow& row)
{
    if (row.status != RunStatus::Failed) return false;
    return row.errorCode == errorCodeName(ErrorCode::NotFinite) || (row.errorCode.empty() && row.message.find("NaN") != std::string::npos);
}

bool sameRow(const RunRow& a, const RunRow& b)
{
    return a.id == b.id && a.status == b.status && a.name == b.name && a.number == b.number && a.device == b.device && a.started == b.started &&
           a.ended == b.ended && a.epochsPlanned == b.epochsPlanned && a.message == b.message && a.remedy == b.remedy && a.errorCode == b.errorCode && a.note == b.note && a.tags == b.tags &&
           a.attempts == b.attempts && a.resumable == b.resumable && a.dataset == b.dataset && a.folder == b.folder &&
           a.parameters == b.parameters && a.stepsPerEpoch == b.stepsPerEpoch && same(a.summary, b.summary);
}

RunList::RunList(std::shared_ptr<Store> store, Jobs& jobs, QObject* parent)
    : QObject(parent)
    , m_store(std::move(store))
    , m_jobs(jobs)
{
    m_timer.setInterval(1000);
    connect(&m_timer, &QTimer::timeout, this, &RunList::poll);
    m_timer.start();
    refresh();
}

const RunRow* RunList::find(const RunId& id) const
{
    const auto at = std::find_if(m_rows.begin(), m_rows.end(), [&](const RunRow& row) { return row.id == id; });
    return at == m_rows.end() ? nullptr : &*at;
}

void RunList::refresh()
{
    m_counter = -1;
    poll();
}

void RunList::poll()
{
    if (m_reading) {
        m_again = m_again || m_counter < 0;
        return;
    }
    m_reading = true;
    // A trainer that was killed changes nothing in the database: only its lock tells. So rows that stand as running are read
    // anew each time.
    const bool alive = std::any_of(m_rows.begin(), m_rows.end(), [](const RunRow& row) {
        return row.status == RunStatus::Running || row.status == RunStatus::Paused;
    });
    const std::int64_t known = alive ? -1 : m_counter;
    m_jobs.run<Read>(
        this,
        [store = m_store, known] {
            Read read;
            read.counter = store->changeCounter();
            if (known < 0 || read.counter != known) {
                if (auto rows = store->runs(); rows.ok()) read.rows = std::move(rows).value();
                else read.counter = -1; // ask again at the next poll
            }
            return read;
        },
        [this](Read read) {
            m_reading = false;
            m_counter = read.counter;
            if (read.rows && (!m_loaded || !same(m_rows, *read.rows))) {
                m_rows = std::move(*read.rows);
                m_loaded = true;
                Q_EMIT changed();
            }
            if (m_again) {
                m_again = false;
                refresh();
            }
        });
}

} // namespace sconce::ui
