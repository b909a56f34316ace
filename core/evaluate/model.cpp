// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/evaluate/evaluate.h"

#include "core/base/clock.h"
#include "core/data/split.h"
#include "core/model/catalogue.h"

namespace sconce {
namespace {

constexpr std::int64_t batchSize = 500; // large enough to keep every core busy, small enough to be stopped soon

} // namespace

Result<std::pair<Part, std::vector<std::int64_t>>> rowsOf(const Recipe& recipe, const DatasetInfo& info, const std::string& split)
{
    SplitRows rows = splitRows(info.trainingCount, info.testCount, recipe.data.split, recipe.seed, info.validationCount);
    std::pair<Part, std::vector<std::int64_t>> result;
    if (split == "train") result = {Part::Training, std::move(rows.training)};
    else if (split == "validation") result = {Part::Training, std::move(rows.validation)};
    else if (split == "test") result = {rows.testPart, std::move(rows.test)};
    else
        return Error{ErrorCode::Invalid, "There is no part called “" + split + "”.", "Choose train, validation or test.", {}};
    if (result.second.empty())
        return Error{ErrorCode::Invalid, "The data set " + info.title + " has no samples for “" + split + "” with this recipe's split.",
                     split == "validation" ? "Choose another part, or a recipe that splits validation off." : "Choose another part.", {}};
    return result;
}

Result<std::unique_ptr<Session>> openModel(const Recipe& recipe, const ValueType& input, std::span<const TensorView> weights,
                                           const std::string& device, int threads)
{
    auto plan = lower(recipe.stack, input);
    SCONCE_TRY(plan);
    SessionSpec spec;
    spec.plan = std::move(plan).value();
    spec.task = recipe.task;
    spec.input = recipe.data.input;
    spec.device = device;
    spec.threads = threads;
    spec.seed = recipe.seed;
    auto session = Session::open(std::move(spec));
    SCONCE_TRY(session);
    SCONCE_TRY((*session)->setWeights(weights));
    return session;
}

Result<EvaluationReport> evaluateModel(Session& model, const Recipe& recipe, DatasetPtr data, const std::string& split, const Session::Progress& progress)
{
    const double start = Clock::system().monotonicSeconds();
    auto rows = rowsOf(recipe, data->info(), split);
    SCONCE_TRY(rows);
    SCONCE_TRY(model.useData(data));
    const auto& [part, list] = *rows;
    auto probabilities = model.predict(part, list, batchSize, progress);
    SCONCE_TRY(probabilities);
    EvaluationReport report = reportFrom(data->info(), part, list, data->labels(part), *probabilities);
    report.part = split;
    report.seconds = Clock::system().monotonicSeconds() - start;
    return report;
}

} // namespace sconce
