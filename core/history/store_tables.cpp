// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/history/store_impl.h"

#include "core/base/clock.h"
#include "core/base/json_text.h"
#include "core/history/documents.h"
#include "core/history/series_reader.h"

#include "history_sql.h"

#include <cmath>
#include <filesystem>

namespace sconce {

namespace {

constexpr const char* builtinId = "digits";


Json jsonOf(const std::string& text)
{
    Result<Json> json = parseJson(text, "A stored value", documentLimits);
    return json ? std::move(*json) : Json();
}

/// Drawn once per process: two seconds at most, and never on the window's thread (no read is).
const DatasetInfo& builtinInfo()
{
    static const DatasetInfo info = builtinDigits()->info();
    return info;
}

Result<std::pair<DatasetInfo, ImportOptions>> datasetOf(const Statement& row)
{
    Result<DatasetInfo> info = DatasetInfo::fromJson(jsonOf(row.text(1)));
    if (!info) return info.error();
    const Json options = jsonOf(row.text(2));
    return std::pair(std::move(*info), options.is_object() ? ImportOptions::fromJson(options) : ImportOptions());
}

} // namespace

// ---- series ----

Result<std::vector<std::string>> StoreImpl::seriesKeys(const RunId& id)
{
    Result<Readers::Lease> db = m_readers.lease();
    if (!db) return db.error();
    std::vector<std::string> keys;
    Statement s = (*db)->prepare(sql::series_keys);
    s.bind(1, id);
    while (s.step()) keys.push_back(s.text(0));
    SCONCE_TRY(s.result());
    return keys;
}

Result<SeriesPoints> StoreImpl::series(const RunId& id, const std::string& key)
{
    Result<Readers::Lease> db = m_readers.lease();
    if (!db) return db.error();
    // One snapshot over all attempts: a resume that cuts them in between would be seen half.
    SCONCE_TRY((*db)->execute("BEGIN"));
    Result<SeriesPoints> points = readSeries(**db, id, key);
    (void)(*db)->execute("COMMIT");
    return points;
}

Result<std::vector<SeriesBucket>> StoreImpl::buckets(const RunId& id, const std::string& key, std::int64_t firstStep,
                                                     std::int64_t lastStep, int buckets)
{
    Result<Readers::Lease> db = m_readers.lease();
    if (!db) return db.error();
    SCONCE_TRY((*db)->execute("BEGIN"));
    Result<std::vector<SeriesBucket>> found = readBuckets(**db, id, key, firstStep, lastStep, buckets);
    (void)(*db)->execute("COMMIT");
    return found;
}

// ---- what happened ----

Result<std::vector<AttemptRow>> StoreImpl::attempts(const RunId& id)
{
    Result<Readers::Lease> db = m_readers.lease();
    if (!db) return db.error();
    std::vector<AttemptRow> rows;
    Statement s = (*db)->prepare(sql::attempts_list);
    s.bind(1, id);
    while (s.step()) {
        AttemptRow row;
        row.attempt = static_cast<int>(s.integer(0));
        row.started = s.integer(1);
        row.ended = s.integer(2);
        row.startStep = s.integer(3);
        row.endStep = s.integer(4);
        row.host = s.text(5);
        row.pid = s.integer(6);
        row.choices = jsonOf(s.text(7));
        rows.push_back(std::move(row));
    }
    SCONCE_TRY(s.result());
    return rows;
}

Result<std::vector<CheckpointRow>> StoreImpl::checkpoints(const RunId& id)
{
    Result<Readers::Lease> db = m_readers.lease();
    if (!db) return db.error();
    std::vector<CheckpointRow> rows;
    Statement s = (*db)->prepare(sql::checkpoints_list);
    s.bind(1, id);
    while (s.step()) {
        CheckpointRow row;
        row.path = inFolder(runFolder(id), s.text(0));
        row.step = s.integer(1);
        row.epoch = s.integer(2);
        row.reason = s.text(3);
        row.time = s.integer(4);
        row.best = s.integer(5) != 0;
        row.bytes = static_cast<std::uint64_t>(s.integer(6));
        // Old ones are removed by the trainer; only what is on the disk counts.
        std::error_code failure;
        if (std::filesystem::is_directory(row.path, failure)) rows.push_back(std::move(row));
    }
    SCONCE_TRY(s.result());
    return rows;
}

Result<std::vector<LogRow>> StoreImpl::logLines(const RunId& id, int newest)
{
    Result<Readers::Lease> db = m_readers.lease();
    if (!db) return db.error();
    std::vector<LogRow> rows;
    Statement s = (*db)->prepare(sql::log_newest);
    s.bind(1, id).bind(2, newest);
    while (s.step()) rows.push_back({s.integer(0), s.text(1), s.text(2), static_cast<int>(s.integer(3))});
    SCONCE_TRY(s.result());
    return rows;
}

Result<std::vector<Amendment>> StoreImpl::amendments(const RunId& id)
{
    Result<Readers::Lease> db = m_readers.lease();
    if (!db) return db.error();
    std::vector<Amendment> rows;
    Statement s = (*db)->prepare(sql::amendments_list);
    s.bind(1, id);
    while (s.step()) rows.push_back({s.integer(0), s.text(1), jsonOf(s.text(2)), jsonOf(s.text(3))});
    SCONCE_TRY(s.result());
    return rows;
}

// ---- data sets ----

Result<std::vector<DatasetInfo>> StoreImpl::datasets()
{
    Result<Readers::Lease> db = m_readers.lease();
    if (!db) return db.error();
    std::vector<DatasetInfo> infos;
    Statement s = (*db)->prepare(sql::datasets_list);
    while (s.step()) {
        Result<std::pair<DatasetInfo, ImportOptions>> found = datasetOf(s);
        // One unreadable entry (of a later version) must not hide the others.
        if (!found) continue;
        if (found->first.id == builtinId) infos.insert(infos.begin(), std::move(found->first));
        else infos.push_back(std::move(found->first));
    }
    SCONCE_TRY(s.result());
    if (infos.empty() || infos.front().id != builtinId) infos.insert(infos.begin(), builtinInfo());
    return infos;
}

Result<void> StoreImpl::putDataset(const DatasetInfo& info, const ImportOptions& options)
{
    if (info.id.empty()) return Error{ErrorCode::Invalid, "A data set needs an id.", {}, {}};
    return write([&](Database& db, Recorder&) {
        return db.prepare(sql::datasets_put)
            .bind(1, info.id).bind(2, jsonText(info.toJson())).bind(3, jsonText(options.toJson())).bind(4, Clock::system().wallMs()).run();
    });
}

Result<std::optional<std::pair<DatasetInfo, ImportOptions>>> StoreImpl::dataset(const DatasetId& id)
{
    using Found = std::optional<std::pair<DatasetInfo, ImportOptions>>;
    Result<Readers::Lease> db = m_readers.lease();
    if (!db) return db.error();
    Statement s = (*db)->prepare(sql::datasets_one);
    s.bind(1, id);
    if (s.step()) {
        Result<std::pair<DatasetInfo, ImportOptions>> found = datasetOf(s);
        if (!found) return found.error();
        return Found(std::move(*found));
    }
    SCONCE_TRY(s.result());
    if (id == builtinId) return Found(std::pair(builtinInfo(), ImportOptions()));
    return Found();
}

Result<void> StoreImpl::forgetDataset(const DatasetId& id)
{
    if (id == builtinId) return Error{ErrorCode::Invalid, "The built-in digits are part of Sconce and stay in the list.", {}, {}};
    return write([&](Database& db, Recorder&) -> Result<void> {
        SCONCE_TRY(db.prepare(sql::datasets_forget).bind(1, id).run());
        if (db.changes() == 0) return Error{ErrorCode::NotFound, "There is no data set " + id + " in this store.", {}, {}};
        return {};
    });
}

// ---- timings ----

Result<void> StoreImpl::putTiming(const std::string& key, double samplesPerSecond)
{
    if (!std::isfinite(samplesPerSecond) || samplesPerSecond <= 0) return {};
    return write([&](Database& db, Recorder&) {
        return db.prepare(sql::timings_put).bind(1, key).bind(2, samplesPerSecond).bind(3, Clock::system().wallMs()).run();
    });
}

Result<std::optional<double>> StoreImpl::timing(const std::string& key)
{
    Result<Readers::Lease> db = m_readers.lease();
    if (!db) return db.error();
    Statement s = (*db)->prepare(sql::timings_get);
    s.bind(1, key);
    if (s.step()) return std::optional<double>(s.real(0));
    SCONCE_TRY(s.result());
    return std::optional<double>();
}

} // namespace sconce
