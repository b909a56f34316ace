// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
// The history (rule 12). A store is a folder:
//   sconce.db            SQLite, WAL; all writes of a process go through one writer thread, under the store-wide lock file
//   runs/<run id>/       recipe.json, environment.json, owner (flock while a trainer is alive), socket, checkpoints/…
//   data/                copies and caches of data sets
//   backups/             rotating copies of sconce.db
// Store is thread-safe. Writes return when queued (append…) or when committed (all others). Reads use a read-only connection
// per thread and must not be made on the window's thread.

#include "core/base/files.h"
#include "core/base/result.h"
#include "core/data/dataset.h"
#include "core/recipe/recipe.h"
#include "core/run/protocol.h"

#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

namespace sconce {

/// Facts of one run, from the summary table: no points are touched.
struct RunRow
{
    RunId id;
    std::int64_t number = 0;   ///< 1, 2, 3 … in this store: shown as #27
    std::string name;
    RunStatus status = RunStatus::Queued; ///< derived when read: alive (owner lock), ended, or interrupted
    std::string recipeName;
    std::string task = "classification"; ///< what it is to do (taskEntries)
    std::string device;        ///< resolved: "cpu", "cuda:0"
    std::string deviceName, deviceUuid;
    DatasetId dataset;
    std::string datasetTitle, datasetLocation, fingerprint;
    WallMs created = 0, started = 0, ended = 0; ///< 0: not yet
    std::int64_t epochsPlanned = 0, stepsPerEpoch = 0, parameters = 0;
    RunSummary summary;        ///< newest known
    std::string message, remedy; ///< of a failure
    std::string errorCode, detail; ///< its kind (errorCodeName) and what the log says; empty where it did not fail
    std::string note;
    std::vector<std::string> tags;
    int attempts = 0;
    bool resumable = false;    ///< not alive, not finished, and it has a checkpoint or can start afresh
    std::string folder;        ///< absolute path of its run folder
};

struct NewRun
{
    std::string name;          ///< empty: the recipe's name
    Recipe recipe;
    DatasetInfo data;          ///< location and fingerprint are recorded with the run
    Json environment;          ///< versions, machine
    std::int64_t parameters = 0;
};

struct AttemptRow { int attempt = 1; WallMs started = 0, ended = 0; std::int64_t startStep = 0, endStep = -1; std::string host; ///< "thread", "process"
                    std::int64_t pid = 0; Json choices; };

struct CheckpointRow { std::string path; std::int64_t step = 0, epoch = 0; std::string reason; WallMs time = 0; bool best = false; std::uint64_t bytes = 0; };

struct LogRow { WallMs time = 0; std::string level, text; int attempt = 1; };

/// A point of a series. x is the step (0-based) at which it was taken.
/// bits: of a value as it is kept; 32 unless the series is declared 64 (rule 12).
struct SeriesPoints { std::vector<std::int64_t> step; std::vector<double> value; int bits = 32; };

/// What a chart needs of one pixel column: nothing is hidden, least of all an extreme or a NaN.
struct SeriesBucket { std::int64_t firstStep = 0, lastStep = 0; float min = 0, max = 0, last = 0; double mean = 0; std::int64_t count = 0, notFinite = 0; };

/// Keys of the series that a trainer writes.
namespace series {
inline constexpr const char* trainLoss = "train/loss";
inline constexpr const char* trainAccuracy = "train/accuracy";
inline constexpr const char* learningRate = "train/learning_rate";
inline constexpr const char* seconds = "train/seconds";          ///< run time at each step, pauses left out; 64-bit
inline constexpr const char* valLoss = "validation/loss";        ///< at the step that ended the epoch
inline constexpr const char* valAccuracy = "validation/accuracy";
inline constexpr const char* epochTrainLoss = "epoch/train_loss";
inline constexpr const char* epochTrainAccuracy = "epoch/train_accuracy";
/// Of any metric of a task: "train/mae", "validation/mae", "epoch/train_mae"; for accuracy the keys above.
std::string train(std::string_view metric);
std::string validation(std::string_view metric);
std::string epochTrain(std::string_view metric);
inline constexpr const char* hardwarePrefix = "hardware/";       ///< + name of HardwareRead; step = milliseconds of run time
}

struct StoreOpened
{
    enum class How { Fresh, Opened, Migrated, Rebuilt, ReadOnlyNewer } how = How::Opened;
    std::string message; ///< a sentence for the person if anything but Fresh/Opened
};

class Store
{
  public:
    /// Opens or creates. A store from a newer version opens read-only; a corrupt database is set aside as corrupt-<date>/,
    /// the newest good backup or the run folders take its place, and `opened().message` says so. Permission, DiskFull … as errors.
    static Result<std::shared_ptr<Store>> open(const std::string& folder);
    /// $SCONCE_HOME, else $XDG_DATA_HOME/sconce, else ~/.local/share/sconce.
    static std::string defaultFolder();
    virtual ~Store() = default;

    virtual const std::string& folder() const = 0;
    virtual const StoreOpened& opened() const = 0;

    // ---- runs ----
    virtual Result<RunId> createRun(const NewRun& run) = 0;                 ///< row, folder, recipe.json; status queued
    virtual Result<std::vector<RunRow>> runs() = 0;                         ///< newest first
    virtual Result<RunRow> run(const RunId& id) = 0;
    /// An id, a unique beginning of one, a number ("27", "#27"), a unique name, or "last".
    virtual Result<RunId> findRun(const std::string& text) = 0;
    virtual Result<Recipe> recipe(const RunId& id) = 0;                     ///< as started
    virtual Result<void> renameRun(const RunId& id, const std::string& name) = 0;
    virtual Result<void> setNote(const RunId& id, const std::string& note) = 0;
    virtual Result<void> setTags(const RunId& id, const std::vector<std::string>& tags) = 0;
    /// Busy while it is alive. Removes row, series and folder.
    virtual Result<void> deleteRun(const RunId& id) = 0;
    /// A counter that changes whenever any process changed the store (PRAGMA data_version and own writes): poll it at leisure.
    virtual std::int64_t changeCounter() = 0;

    // ---- a trainer's writes ----
    /// Opens the next attempt from a step: closes the one before at that step and drops its points from there on.
    virtual Result<int> openAttempt(const RunId& id, std::int64_t startStep, const std::string& host, const Json& choices,
                                    const std::string& device, const std::string& deviceName, const std::string& deviceUuid, std::int64_t stepsPerEpoch) = 0;
    /// Writes an event into the history: steps, epochs, log, checkpoints, end. Queued; committed at least every half second.
    /// Loses nothing: waits when the queue is full (back-pressure). Error: the disk's, sticky until a commit (flush() tries one)
    /// succeeds again; what was taken before stays queued, the event answered with the error was not taken.
    virtual Result<void> record(const RunId& id, int attempt, const Event& event) = 0;
    /// Waits until everything recorded so far is committed.
    virtual Result<void> flush() = 0;

    // ---- series ----
    virtual Result<std::vector<std::string>> seriesKeys(const RunId& id) = 0;
    /// Every point, over all attempts, no gap and no overlap.
    virtual Result<SeriesPoints> series(const RunId& id, const std::string& key) = 0;
    /// At most `buckets` buckets over [firstStep, lastStep], from the stored levels.
    virtual Result<std::vector<SeriesBucket>> buckets(const RunId& id, const std::string& key, std::int64_t firstStep, std::int64_t lastStep, int buckets) = 0;

    virtual Result<std::vector<AttemptRow>> attempts(const RunId& id) = 0;
    virtual Result<std::vector<CheckpointRow>> checkpoints(const RunId& id) = 0;
    virtual Result<std::vector<LogRow>> logLines(const RunId& id, int newest = 1000) = 0;
    virtual Result<std::vector<Amendment>> amendments(const RunId& id) = 0;

    // ---- data sets known to this store ----
    virtual Result<std::vector<DatasetInfo>> datasets() = 0;                ///< the built-in one first
    virtual Result<void> putDataset(const DatasetInfo& info, const ImportOptions& options) = 0;
    virtual Result<std::optional<std::pair<DatasetInfo, ImportOptions>>> dataset(const DatasetId& id) = 0;
    virtual Result<void> forgetDataset(const DatasetId& id) = 0;            ///< never deletes the files

    // ---- times measured, for "expected time of an epoch" ----
    virtual Result<void> putTiming(const std::string& key, double samplesPerSecond) = 0;
    virtual Result<std::optional<double>> timing(const std::string& key) = 0;

    // ---- care ----
    struct DoctorReport { bool ok = true; std::vector<std::string> found, mended; };
    /// Checks (and mends) database and run folders: integrity, rows without folders, folders without rows, stale staging folders.
    virtual Result<DoctorReport> doctor(bool mend) = 0;
    /// Copies the whole store to another folder, verifies the copy, and leaves the old one in place. Busy while a run is alive.
    virtual Result<void> copyTo(const std::string& folder, const ProgressFn& progress) = 0;
};

/// The lock that says a trainer of this run is alive (rule 12).
std::string ownerFile(const std::string& runFolder);
bool isAlive(const std::string& runFolder);
std::string socketFile(const std::string& runFolder);
/// How the newest attempt ended, as its folder knows it; nothing if it was cut off. For who watches a run without its store: what
/// was recorded stands there before the trainer lets go of the lock.
std::optional<RunEnded> recordedEnd(const std::string& runFolder);

} // namespace sconce
