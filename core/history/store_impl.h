// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
// The Store. Reads lease a read-only connection; writes go through the Writer; backups are made on a thread of its own.
// Private to core/history: opening is in store.cpp, runs in store_runs.cpp, the rest of the tables in store_tables.cpp, doctor
// and copying in store_care.cpp.

#include "core/history/locks.h"
#include "core/history/open_database.h"
#include "core/history/readers.h"
#include "core/history/run_rows.h"
#include "core/history/writer.h"

#include <condition_variable>
#include <map>
#include <mutex>
#include <thread>

namespace sconce {

class StoreImpl final : public Store
{
  public:
    StoreImpl(std::string folder, OpenedDatabase opened, OpenLock openLock);
    ~StoreImpl() override;

    const std::string& folder() const override { return m_folder; }
    const StoreOpened& opened() const override { return m_opened; }

    Result<RunId> createRun(const NewRun& run) override;
    Result<std::vector<RunRow>> runs() override;
    Result<RunRow> run(const RunId& id) override;
    Result<RunId> findRun(const std::string& text) override;
    Result<Recipe> recipe(const RunId& id) override;
    Result<void> renameRun(const RunId& id, const std::string& name) override;
    Result<void> setNote(const RunId& id, const std::string& note) override;
    Result<void> setTags(const RunId& id, const std::vector<std::string>& tags) override;
    Result<void> deleteRun(const RunId& id) override;
    std::int64_t changeCounter() override;

    Result<int> openAttempt(const RunId& id, std::int64_t startStep, const std::string& host, const Json& choices,
                            const std::string& device, const std::string& deviceName, const std::string& deviceUuid,
                            std::int64_t stepsPerEpoch) override;
    Result<void> record(const RunId& id, int attempt, const Event& event) override;
    Result<void> flush() override;

    Result<std::vector<std::string>> seriesKeys(const RunId& id) override;
    Result<SeriesPoints> series(const RunId& id, const std::string& key) override;
    Result<std::vector<SeriesBucket>> buckets(const RunId& id, const std::string& key, std::int64_t firstStep,
                                              std::int64_t lastStep, int buckets) override;

    Result<std::vector<AttemptRow>> attempts(const RunId& id) override;
    Result<std::vector<CheckpointRow>> checkpoints(const RunId& id) override;
    Result<std::vector<LogRow>> logLines(const RunId& id, int newest) override;
    Result<std::vector<Amendment>> amendments(const RunId& id) override;

    Result<std::vector<DatasetInfo>> datasets() override;
    Result<void> putDataset(const DatasetInfo& info, const ImportOptions& options) override;
    Result<std::optional<std::pair<DatasetInfo, ImportOptions>>> dataset(const DatasetId& id) override;
    Result<void> forgetDataset(const DatasetId& id) override;

    Result<void> putTiming(const std::string& key, double samplesPerSecond) override;
    Result<std::optional<double>> timing(const std::string& key) override;

    Result<DoctorReport> doctor(bool mend) override;
    Result<void> copyTo(const std::string& folder, const ProgressFn& progress) override;

  private:
    std::string runFolder(const RunId& id) const { return m_runsFolder + "/" + id; }
    Result<void> write(Writer::Job job);
    /// Runs an UPDATE of one run (bound by `bind`); NotFound where it changed nothing; run.json follows.
    Result<void> updateRun(const char* sql, const RunId& id, const std::string& value);
    Result<void> createRow(Database& db, const NewRun& run, const RunId& id);
    Result<int> openAttemptIn(Database& db, Recorder& recorder, const RunId& id, std::int64_t startStep, AttemptRow row,
                              const std::string& device, const std::string& deviceName, const std::string& deviceUuid,
                              std::int64_t stepsPerEpoch);
    bool watchAlive(const RunId& id);
    void careLoop();
    void backUp();

    Result<void> checkFolders(Database& db, bool mend, DoctorReport& report);
    Result<void> checkWeights(Database& db, bool mend, DoctorReport& report);
    Result<void> removeLeftovers(bool mend, DoctorReport& report);

    std::string m_folder, m_runsFolder;
    StoreOpened m_opened;
    OpenLock m_openLock;
    std::unique_ptr<Writer> m_writer; ///< null: read-only
    Readers m_readers;

    std::mutex m_countMutex;
    std::unique_ptr<Database> m_countDb;
    std::int64_t m_counter = 0, m_dataVersion = -1;
    std::map<RunId, bool> m_watched; ///< runs not ended, and whether they were alive when last looked at

    std::mutex m_careMutex;
    std::condition_variable m_careWake;
    bool m_stopping = false;
    std::thread m_care;
};

} // namespace sconce
