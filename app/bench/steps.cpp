// SPDX-License-Identifier: GPL-3.0-or-later
#include "app/bench/steps.h"

#include "core/base/clock.h"
#include "core/data/order.h"
#include "core/data/split.h"
#include "core/engine/feeding.h"
#include "core/training/trial.h"

#include <algorithm>
#include <optional>

namespace sconce::bench {

namespace {

double now() { return Clock::system().monotonicSeconds(); }
Error stopped() { return {ErrorCode::Cancelled, "The measurement was stopped.", "", ""}; }

constexpr std::int64_t reportEvery = 64; ///< steps: of a GPU the trainer asks for as many at a time, if they are short

Result<Measured> steps(Trial& trial, std::int64_t warm, std::int64_t count, const KeepGoing& keepGoing)
{
    const std::int64_t batch = trial.batchSize();
    const double rate = trial.recipe().training.learningRate;
    std::vector<double> times;
    double loss = 0, start = 0;
    // A GPU is only waited for when metrics are asked for: there a step's time is its share of those since the last time.
    const std::int64_t group = trial.recipe().device.starts_with("cuda") ? reportEvery : 1;
    warm = (warm + group - 1) / group * group;
    count = std::max(count, 5 * group) / group * group; // a few figures at least
    for (std::int64_t step = 0; step < warm + count; ++step) {
        if (!keepGoing()) return stopped();
        if (step % group == 0) start = now();
        const auto rows = trial.batch(static_cast<int>(step), batch);
        SCONCE_TRY(trial.session().forward(step, rows));
        SCONCE_TRY(trial.session().backward());
        SCONCE_TRY(trial.session().commit(rate));
        if (step % reportEvery == reportEvery - 1 || step + 1 == warm + count) { // as often as the trainer reports, at least once
            auto metrics = trial.session().takeMetrics();
            if (!metrics) return metrics.error();
            loss = metrics->back().loss;
        }
        if (step >= warm && step % group == group - 1) times.push_back((now() - start) / static_cast<double>(group));
    }
    Measured measured = measuredFrom(std::move(times), 1e3);
    measured.more = {{"loss", loss}, {"choices", trial.session().choices()}};
    return measured;
}

Result<Measured> batches(BatchFeed& feed, const std::vector<std::int64_t>& training, std::int64_t batch, std::int64_t warm, std::int64_t count, const KeepGoing& keepGoing)
{
    constexpr std::uint64_t seed = 42;
    const auto samples = static_cast<std::int64_t>(training.size());
    const std::int64_t perEpoch = samples / batch;
    std::vector<std::int64_t> rows(static_cast<std::size_t>(batch));
    std::vector<double> times;
    double seen = 0;
    std::optional<SampleOrder> order; // an epoch's, as the trainer keeps it
    for (std::int64_t i = 0; i < warm + count; ++i) {
        if (i % 100 == 0 && !keepGoing()) return stopped();
        const double start = now();
        if (i % perEpoch == 0) order.emplace(samples, seed, static_cast<std::uint64_t>(i / perEpoch), true);
        order->fill(i % perEpoch * batch, rows);
        for (std::int64_t& row : rows) row = training[static_cast<std::size_t>(row)];
        const auto brought = feed.bring(rows);
        if (!brought) return brought.error();
        if (i >= warm) times.push_back(now() - start);
        seen += *brought;
    }
    Measured measured = measuredFrom(std::move(times), 1e6);
    measured.more = {{"seen", seen}};
    return measured;
}

} // namespace

Result<Measured> measureSteps(const Recipe& recipe, DatasetPtr data, std::int64_t warm, std::int64_t count, const KeepGoing& keepGoing)
{
    auto trial = Trial::open({recipe, std::move(data), {}, true});
    if (!trial) return trial.error();
    return steps(**trial, warm, count, keepGoing);
}

Result<Measured> measureFeed(DatasetPtr data, const Augmentation& how, std::int64_t batch, int threads, std::int64_t warm, std::int64_t count, const KeepGoing& keepGoing)
{
    const DatasetInfo& info = data->info();
    const SplitRows split = splitRows(info.trainingCount, info.testCount, {}, 42, info.validationCount);
    if (static_cast<std::int64_t>(split.training.size()) < batch)
        return Error{ErrorCode::Invalid, "The data has fewer than " + std::to_string(batch) + " samples to train on.", "Choose a smaller batch: --batch N.", ""};
    auto feed = BatchFeed::open({data, {}, how, threads});
    if (!feed) return feed.error();
    return batches(**feed, split.training, batch, warm, count, keepGoing);
}

} // namespace sconce::bench
