// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
// Sessions whose steps can be captured, opened in the engine that is linked into the test, and steps in which everything varies.

#include "core/engine/backend/engine_table.h"
#include "core/data/scaling.h"
#include "engine_support.h"
#include "tests/support/paths.h"
#include "tests/support/small_data.h"

#include <numeric>

namespace sconce::test {

inline const Json gated{{"commit", "gated on the device"}};

/// Not fused: such kernels of the processor write memory by themselves, and a GPU has none of them.
inline SessionSpec capturable(const std::string& optimiser = "adam", ParamValues settings = {}, const std::string& net = convnet)
{
    auto plan = planOf(net, imageType(2, 12, 12));
    if (!plan) giveUp(plan.error());
    SessionSpec spec = specOf(std::move(*plan), optimiser, std::move(settings));
    spec.step.fuse = false;
    spec.step.batch = batch;
    return spec;
}

inline std::unique_ptr<Session> opened(SessionSpec spec, const Json& choices = gated, DatasetPtr data = stripes())
{
    spec.choices = choices;
    auto session = engine::openSession(std::move(spec));
    if (!session) giveUp(session.error());
    if (auto used = (*session)->useData(std::move(data)); !used) giveUp(used.error());
    return std::move(*session);
}

/// What can be opened as often as is wanted: settings, and the data that they are for.
struct Learnable { SessionSpec spec; DatasetPtr data; };

/// Several labels a sample: targets of several columns, and dropout.
inline Learnable labelsTask(const std::string& precision, const std::string& weights)
{
    const TemporaryFolder folder;
    ImportOptions options;
    options.labels = labelsOfTable;
    const DatasetPtr data = openedFrom(folder / "pets.csv", labelsTable(trainingCount, 11), options);
    auto plan = planOf(R"([{"type":"dense","units":12,"activation":"relu"},{"type":"dropout","rate":0.2},{"type":"dense","units":3}])", factsOf(data->info()).input);
    if (!plan) giveUp(plan.error());
    SessionSpec spec = specOf(std::move(*plan), "adam");
    spec.task = {"multilabel", {{"positive_weights", weights}}};
    std::vector<std::int64_t> all(static_cast<std::size_t>(trainingCount));
    std::iota(all.begin(), all.end(), 0);
    spec.scaling = fitScaling(*data, all);
    spec.step.batch = batch;
    spec.step.precision = precision;
    return {std::move(spec), data};
}

/// A transformer that learns the next symbol: attention, embedding and all that is between.
inline Learnable textTask()
{
    const TemporaryFolder folder;
    ImportOptions options;
    options.context = 24;
    const DatasetPtr data = openedFrom(folder / "letters.txt", lettersText(4000), options);
    auto plan = planOf(R"([
        {"type":"embedding","symbols":12,"width":16},
        {"type":"positions"},
        {"type":"residual","branches":[[{"type":"layer_norm"},{"type":"self_attention","heads":4,"attention_dropout":0.1},{"type":"dropout","rate":0.1}]]},
        {"type":"residual","branches":[[{"type":"layer_norm"},{"type":"dense","units":32,"activation":"gelu"},{"type":"dense","units":16}]]},
        {"type":"layer_norm"},
        {"type":"dense","units":12}])", factsOf(data->info()).input);
    if (!plan) giveUp(plan.error());
    SessionSpec spec = specOf(std::move(*plan), "adamw");
    spec.task = {"language", {}};
    spec.step.batch = batch;
    return {std::move(spec), data};
}

inline bool sameMetrics(const std::vector<StepMetrics>& a, const std::vector<StepMetrics>& b)
{
    return a.size() == b.size() && std::equal(a.begin(), a.end(), b.begin(), [](const StepMetrics& x, const StepMetrics& y) {
               return x.step == y.step && x.loss == y.loss && x.correct == y.correct && x.count == y.count && x.skipped == y.skipped && x.scale == y.scale && x.labels == y.labels;
           });
}

/// Another rate at each step, and every fourth batch is a smaller one.
inline Result<void> variedStep(Session& session, std::int64_t step)
{
    const auto rows = rowsOfStep(step, step % 4 == 3 ? 5 : batch, trainingCount);
    SCONCE_TRY(session.forward(step, rows));
    SCONCE_TRY(session.backward());
    return session.commit(0.01 / static_cast<double>(1 + step % 5));
}

inline void variedSteps(Session& session, std::int64_t first, std::int64_t last)
{
    for (std::int64_t step = first; step < last; ++step)
        if (auto done = variedStep(session, step); !done) giveUp(done.error());
}

} // namespace sconce::test
