// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/training/trial.h"

#include "core/base/text.h"
#include "core/data/order.h"
#include "core/engine/devices.h"
#include "core/engine/memory.h"
#include "core/hardware/machine.h"
#include "core/training/policies.h"
#include "core/training/run_data.h"
#include "core/training/start_weights.h"

#include <algorithm>

namespace sconce {

Result<TrialSource> trialSource(Store& store, Recipe recipe, const std::string& dataPath)
{
    auto found = findData(store, recipe, dataPath, {});
    if (!found) return found.error();
    recipe.data.dataset = found->info.id;
    recipe.data.import = found->options;
    return TrialSource{std::move(recipe), std::move(found->data), store.folder()};
}

Result<std::unique_ptr<Trial>> Trial::open(TrialSource source)
{
    std::unique_ptr<Trial> trial(new Trial);
    trial->m_data = std::move(source.data);
    Recipe& recipe = trial->m_recipe = std::move(source.recipe);
    const DatasetInfo& info = trial->m_data->info();
    for (const Problem& problem : validate(recipe, factsOf(info)))
        if (problem.severity == Severity::Problem) return Error{ErrorCode::Invalid, problem.sentence, "Mend the recipe first.", problem.path};
    auto device = resolveDevice(recipe.device);
    if (!device) return device.error();
    recipe.device = *device;
    auto plan = lower(recipe.stack, factsOf(info).input);
    if (!plan) return plan.error();
    trial->m_plan = *plan;
    trial->m_rows = splitRows(info.trainingCount, info.testCount, recipe.data.split, recipe.seed, info.validationCount);
    if (trial->m_rows.training.empty()) return Error{ErrorCode::Invalid, "The split leaves no sample to train on.", "Choose a smaller share for validation.", ""};

    SessionSpec spec;
    spec.plan = std::move(*plan);
    spec.task = recipe.task;
    spec.input = recipe.data.input;
    spec.augmentation = augmentationOf(recipe.data);
    spec.stepsPerEpoch = std::max<std::int64_t>(1, trial->trainingCount() / trial->batchSize());
    spec.scaling = fitScaling(*trial->m_data, trial->m_rows.training);
    spec.counts = countTargets(*trial->m_data, trial->m_rows.training);
    spec.optimiser = recipe.training.optimiser;
    spec.step = stepSettings(recipe.training);
    trial->m_atOnce = spec.step.microBatch;
    spec.step.record = spec.step.record && source.record;
    spec.device = *device;
    spec.threads = recipe.threads > 0 ? recipe.threads : std::max(1, Machine({}, {}).facts().cpu.usable);
    spec.seed = recipe.seed;
    auto session = Session::open(std::move(spec));
    if (!session) return session.error();
    trial->m_session = std::move(*session);
    SCONCE_TRY(trial->m_session->useData(trial->m_data));
    if (startWeightsOf(recipe.training).any()) {
        auto weights = openStoredWeights(source.storeFolder, recipe.training);
        if (!weights) return weights.error();
        if (auto taken = adoptStartWeights(*trial->m_session, recipe.training, *weights); !taken) return taken.error();
    }
    return trial;
}

bool Trial::makeRoom(const Error& error)
{
    const std::int64_t fewer = error.code == ErrorCode::OutOfMemory ? fewerAtOnce(batchSize(), m_atOnce) : 0;
    if (fewer == 0) return false;
    m_session->setMicroBatch(fewer);
    m_atOnce = fewer;
    m_notice = "Memory ran out, so the batch of " + groupedInt(batchSize()) + " went through the network " + groupedInt(fewer) + (fewer == 1 ? " sample" : " samples") + " at a time, as it would in a run.";
    return true;
}

Trial::~Trial()
{
    m_session.reset();
    m_data.reset();
    releaseCachedMemory();
}

std::int64_t Trial::batchSize() const { return std::clamp<std::int64_t>(m_recipe.training.batchSize, 1, trainingCount()); }

std::vector<std::int64_t> Trial::batch(int step, std::int64_t size) const
{
    const std::int64_t perEpoch = std::max<std::int64_t>(1, trainingCount() / size);
    const SampleOrder order(trainingCount(), m_recipe.seed, static_cast<std::uint64_t>(step / perEpoch), m_recipe.data.shuffle);
    std::vector<std::int64_t> rows(static_cast<std::size_t>(size));
    order.fill(step % perEpoch * size, rows);
    for (std::int64_t& row : rows) row = m_rows.training[static_cast<std::size_t>(row)];
    return rows;
}

} // namespace sconce
