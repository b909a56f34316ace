// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
// The services that pages stand on, in one value handed to each page's constructor. All live on the window's thread, own
// their workers, and answer by signals or by callbacks on the window's thread; none blocks it. Owned by main().

#include "core/evaluate/evaluate.h"
#include "core/hardware/machine.h"
#include "core/history/store.h"
#include "core/recipe/estimate.h"
#include "core/training/run_host.h"
#include "core/engine/devices.h"

#include <QObject>
#include <QPointer>
#include <QSettings>
#include <QTimer>

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <vector>

namespace sconce::ui {

/// Runs work on a background thread and delivers its value on the window's thread, unless the context is gone or a newer job
/// of the same context with the same key was started (an empty key never supersedes).
class Jobs : public QObject
{
    Q_OBJECT
  public:
    explicit Jobs(QObject* parent = nullptr);
    ~Jobs() override; ///< waits for running jobs
    /// work: any thread, captures by value. done: window's thread.
    template <class T>
    void run(QObject* context, std::function<T()> work, std::function<void(T)> done, const QString& key = {})
    {
        auto value = std::make_shared<std::optional<T>>();
        start(context, [value, work = std::move(work)] { value->emplace(work()); },
              [value, done = std::move(done)] { if (*value) done(std::move(**value)); }, key);
    }

  private:
    void start(QObject* context, std::function<void()> work, std::function<void()> done, const QString& key);
    struct Impl;
    std::unique_ptr<Impl> m;
};

/// Remembered choices (QSettings, INI in the config folder).
class Settings : public QObject
{
    Q_OBJECT
  public:
    explicit Settings(QObject* parent = nullptr);
    QVariant value(const QString& key, const QVariant& fallback = {}) const;
    void setValue(const QString& key, const QVariant& value); ///< emits changed(key)

  Q_SIGNALS:
    void changed(const QString& key);

  private:
    QSettings m_settings;
};

/// The list of runs, kept fresh: own writes and other processes' are noticed within a second.
class RunList : public QObject
{
    Q_OBJECT
  public:
    RunList(std::shared_ptr<Store> store, Jobs& jobs, QObject* parent = nullptr);
    const std::vector<RunRow>& rows() const { return m_rows; } ///< newest first
    const RunRow* find(const RunId& id) const;
    bool loaded() const { return m_loaded; }
    void refresh();

  Q_SIGNALS:
    void changed();

  private:
    std::shared_ptr<Store> m_store;
    Jobs& m_jobs;
    void poll();
    std::vector<RunRow> m_rows;
    bool m_loaded = false;
    bool m_reading = false, m_again = false; ///< one read at a time; another is wanted after it
    QTimer m_timer;
    std::int64_t m_counter = -1;
};

/// What is known, live, of one run: raw numbers for the Live page. Filled from events (30 Hz or less) after a load from history.
struct LiveRun
{
    RunId id;
    RunRow row;
    Recipe recipe;
    RunStatus status = RunStatus::Queued;
    std::int64_t step = 0, stepsPerEpoch = 0, epochs = 0;
    std::vector<double> trainStep, trainLoss, trainMetric, learningRate, seconds; ///< one entry per step
    std::vector<double> valStep, valLoss, valMetric;                               ///< one entry per epoch; metric: mainMetric() of the task
    std::vector<EpochDone> epochsDone;
    std::vector<LogRow> log;
    std::map<std::string, std::pair<std::vector<double>, std::vector<double>>> hardware; ///< name → (run seconds, value)
    double samplesPerSecond = 0;
    std::optional<double> secondsLeft;
    QString activity;          ///< "validating, 3,000 of 6,000"
    QString because;           ///< why it is paused, if nobody asked for it (a full disk)
    std::optional<RunEnded> ended;
    std::vector<CheckpointSaved> checkpoints;
    std::shared_ptr<const HistogramsTaken> histograms; ///< the newest that was asked for
    std::int64_t histogramsCommand = 0; ///< with which they were asked for last
    QString histogramsRefused;          ///< why they could not be had, until they are asked for again
    bool busyStopping = false;
    bool loading = false;      ///< its history is still being read
    std::int64_t batchSize = 0;
};

/// Starts, queues and steers runs; one bridge from events to the window. At most one run trains in this process; a second start is
/// queued. Attaches to runs that other processes train.
class RunService : public QObject
{
    Q_OBJECT
  public:
    RunService(std::shared_ptr<Store> store, Jobs& jobs, RunList& runs, Settings& settings, QString workerProgram, QObject* parent = nullptr);
    ~RunService() override;

    /// Prepares (validates, reads data) off the window's thread, then starts or queues. started() or startFailed() follows.
    void start(const Recipe& recipe, const QString& name);
    /// Resumes an interrupted, stopped or failed run, or trains a finished one longer; queued if another run is under way.
    void resume(const RunId& run, std::optional<int> epochs = {});
    void pause();
    void unpause();
    void stop();
    void checkpointNow();
    void askHistograms(); ///< LiveRun::histograms is new in a moment
    void setEpochs(int epochs); ///< amends the run under way
    /// A run that never started is deleted with it (nothing was trained); unqueued() then allows to undo.
    void removeFromQueue(const RunId& run);
    std::vector<RunId> queue() const;
    /// After a restart the queue waits for the person: true until startQueue() or until some run ends.
    bool queueHeld() const;
    void startQueue();

    /// The run under way in this process or attached to; nullptr if none.
    const LiveRun* current() const;
    bool training() const; ///< a run is running or paused under our eyes
    bool preparing() const;
    /// Shows a run on the Live page: the current one, one trained elsewhere (attaches), or an ended one (from history).
    void show(const RunId& run);
    const LiveRun* shown() const;
    /// The same, kept alive for a view that draws it again by itself (on a resize) when another run is shown already.
    std::shared_ptr<const LiveRun> shownRun() const;
    /// The shown run has a trainer at work that takes commands.
    bool shownAlive() const;
    /// The run under way lives and dies with this process (a thread of it): closing the window must ask.
    bool trainsHere() const;

    /// The seam of tests: who executes a run. Default: startThreadHost.
    using HostStarter = std::function<std::unique_ptr<RunHost>(std::shared_ptr<Store>, const RunId&, const DriveOptions&, EventSink)>;
    void setHostStarter(HostStarter starter);

    /// Closing the window: hands the run under way to a child process at a checkpoint; done(ok, sentence).
    void moveToBackground(std::function<void(bool, QString)> done);
    void saveAndStop(std::function<void()> done);

  Q_SIGNALS:
    void preparingChanged(const QString& what, double share); ///< empty what: done
    void started(const QString& run);
    void queued(const QString& run);
    void queueChanged();
    void unqueued(const sconce::Recipe& recipe, const QString& name); ///< a run that never started left the queue for good
    void startFailed(const QString& sentence, const QString& remedy);
    void shownChanged();  ///< another run is shown
    void updated();       ///< new numbers in shown() or current(), at most 30 times a second
    void statusChanged();
    void ended(const QString& run, const QString& status);

  private:
    struct Impl;
    std::unique_ptr<Impl> m;
};

/// Data sets of the library, opened in the background and cached.
class DataService : public QObject
{
    Q_OBJECT
  public:
    DataService(std::shared_ptr<Store> store, Jobs& jobs, QObject* parent = nullptr);
    ~DataService() override;
    const std::vector<DatasetInfo>& sets() const;
    const DatasetInfo* find(const DatasetId& id) const;
    void refresh();
    /// Reads and checks a folder or file, adds it to the library. progress() while it reads; added() or addFailed().
    void add(const QString& path, const ImportOptions& options = {});
    void cancelAdd();
    void forget(const DatasetId& id);
    /// The opened data set, from cache or in the background; done on the window's thread (null with a sentence on failure).
    void open(const DatasetId& id, QObject* context, std::function<void(DatasetPtr, QString sentence)> done);

  Q_SIGNALS:
    void changed();
    void progress(const QString& what, double share);
    void added(const QString& id);
    void addFailed(const QString& sentence);

  private:
    struct Impl;
    std::unique_ptr<Impl> m;
};

/// The machine, sampled once a second while a window is shown, and the devices that the engine can use (known shortly after start).
class HardwareService : public QObject
{
    Q_OBJECT
  public:
    HardwareService(Jobs& jobs, QString storeFolder, HardwareSources sources = {}, QObject* parent = nullptr);
    ~HardwareService() override;
    const MachineFacts& facts() const;
    const MachineReading& reading() const;
    const std::vector<MachineReading>& history() const; ///< the last ten minutes, oldest first
    const std::vector<ComputeDevice>& devices() const;  ///< empty until devicesKnown()
    const EngineVersions& versions() const;

  Q_SIGNALS:
    void sampled();
    void devicesKnown();

  private:
    struct Impl;
    std::unique_ptr<Impl> m;
};

/// The stall meter that ships in the program: a thread of its own pings the window's event loop and keeps the longest gap.
class StallMeter : public QObject
{
    Q_OBJECT
  public:
    explicit StallMeter(QObject* parent = nullptr);
    ~StallMeter() override;
    struct Report { double worstMs = 0, p99Ms = 0, p999Ms = 0, meanMs = 0; std::int64_t pings = 0, over50ms = 0; double seconds = 0; };
    Report report() const;
    void reset();

  private:
    struct Impl;
    std::unique_ptr<Impl> m;
};

/// Going from page to page with something in hand.
enum class PageId { Welcome, Data, Compose, Live, Runs, Hardware, TryIt, Settings };

class Navigator : public QObject
{
    Q_OBJECT
  public:
    using QObject::QObject;

  Q_SIGNALS:
    void goTo(sconce::ui::PageId page);
    void composeRecipe(const sconce::Recipe& recipe, const QString& from); ///< opens a recipe in Compose ("" from = untitled)
    void composeData(const QString& datasetId);                            ///< *Train on this data*
    void showRun(const QString& run);                                      ///< on Live
    void tryRun(const QString& run);                                       ///< on Try it
    void selectRun(const QString& run);                                    ///< on Runs
};

struct Studio
{
    std::shared_ptr<Store> store;
    Jobs* jobs = nullptr;
    Settings* settings = nullptr;
    RunList* runs = nullptr;
    RunService* runService = nullptr;
    DataService* data = nullptr;
    HardwareService* hardware = nullptr;
    StallMeter* stalls = nullptr;
    Navigator* navigator = nullptr;
};

} // namespace sconce::ui
