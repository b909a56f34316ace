// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
// From events to rows. Lives on the store's writer thread, inside its transactions: apply() each event, then finish() before
// the commit; forget() after a rollback, upon which the same events are applied again. Private to core/history.

#include "core/history/series_writer.h"
#include "core/history/store.h"

#include <map>
#include <utility>

namespace sconce {

class Recorder
{
  public:
    Recorder(Database& db, std::string runsFolder);

    Result<void> apply(const RunId& run, int attempt, const Event& event);
    /// Writes the points and summaries gathered since the last finish().
    Result<void> finish();
    void forget();
    /// Somebody changed this run by other ways than apply().
    void forget(const RunId& run) { m_runs.erase(run); m_series.forget(); }
    /// Runs whose run.json should be written anew after the commit.
    std::vector<RunId> takeChanged() { return std::exchange(m_changed, {}); }
    void noteChanged(const RunId& run) { m_changed.push_back(run); }
    SeriesWriter& series() { return m_series; }

  private:
    struct Points { std::vector<std::int64_t> steps; std::vector<double> values; };
    struct Run
    {
        std::int64_t number = 0; ///< 0: there is no such run (deleted): its events are dropped
        int attempt = 0;         ///< the newest; an older one's points are not taken any more
        std::int64_t stepsPerEpoch = 0;
        RunSummary summary;
        bool changed = false, ended = false;
        std::map<std::string, Points> points; ///< of the newest attempt, not yet written
    };

    Result<Run*> load(const RunId& id);
    Result<void> writePoints(Run& run);
    void point(Run& run, const std::string& key, std::int64_t step, double value);

    Result<void> take(Run& run, const RunStarted& event, const Event& whole);
    Result<void> take(Run& run, const StepsDone& event, const Event& whole);
    Result<void> take(Run& run, const EpochDone& event, const Event& whole);
    Result<void> take(Run& run, const EvaluationProgress& event, const Event& whole);
    Result<void> take(Run& run, const TestDone& event, const Event& whole);
    Result<void> take(Run& run, const CheckpointSaved& event, const Event& whole);
    Result<void> take(Run& run, const StatusChanged& event, const Event& whole);
    Result<void> take(Run& run, const LogLine& event, const Event& whole);
    Result<void> take(Run& run, const CommandAnswered& event, const Event& whole);
    Result<void> take(Run& run, const Amended& event, const Event& whole);
    Result<void> take(Run& run, const HardwareRead& event, const Event& whole);
    Result<void> take(Run& run, const HistogramsTaken& event, const Event& whole);
    Result<void> take(Run& run, const RunEnded& event, const Event& whole);

    Database& m_db;
    std::string m_runsFolder;
    SeriesWriter m_series;
    std::map<RunId, Run> m_runs;
    std::string m_folder; ///< of the run whose event is being applied
    std::vector<RunId> m_changed;
};

} // namespace sconce
