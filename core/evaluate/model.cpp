// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/evaluate/evaluate.h"

#include "core/base/clock.h"
#include "core/data/split.h"
#include "core/model/catalogue.h"

#include <algorithm>
#include <cmath>
#include <limits>

namespace sconce {
namespace {

constexpr std::size_t reconstructions = 24;
constexpr std::int64_t textBatch = 4096; ///< symbols of a text at once
constexpr std::int64_t batchSize = 500; // large enough to keep every core busy, small enough to be stopped soon

/// What is said of numbers: how far off on the whole, and where the most.
EvaluationReport numbersReport(const std::string& task, const EvaluationTotals& totals, Part part, std::span<const std::int64_t> rows,
                               std::span<const float> truths, std::vector<float> answers)
{
    EvaluationReport report;
    report.task = task;
    report.storedIn = part;
    report.loss = totals.loss;
    report.accuracy = std::numeric_limits<double>::quiet_NaN();
    report.count = totals.count;
    for (const MetricEntry& metric : metricsOf(task)) report.metrics.emplace_back(metric.id, metricOf(metric.id, totals));
    report.rows.assign(rows.begin(), rows.end());
    report.answers = std::move(answers);
    for (std::size_t i = 0; i < report.answers.size() && !truths.empty(); ++i) {
        const float truth = truths[static_cast<std::size_t>(rows[i])];
        report.truths.push_back(truth);
        report.misses.push_back({rows[i], truth, report.answers[i]});
    }
    std::stable_sort(report.misses.begin(), report.misses.end(), [](const Miss& a, const Miss& b) { return std::abs(a.said - a.truth) > std::abs(b.said - b.truth); });
    return report;
}

/// What is said of labels: each by itself, and the rows where most are wrong.
void addLabels(EvaluationReport& report, const Configured& task, const EvaluationTotals& totals, const Dataset& data)
{
    report.labels = data.info().labelNames;
    report.threshold = 1 / (1 + std::exp(-labelCut(task)));
    for (const LabelCounts& label : totals.labels) report.perClass.push_back(classMetrics(label));
    const auto sets = data.labelSets(report.storedIn);
    const std::size_t labels = report.labels.size();
    const double cut = report.threshold;
    report.truths.reserve(report.answers.size());
    for (std::size_t place = 0; place < report.rows.size(); ++place) {
        LabelMiss miss{place, 0, 0};
        for (std::size_t i = 0; i < labels; ++i) {
            const bool has = sets[static_cast<std::size_t>(report.rows[place]) * labels + i] != 0;
            const double said = static_cast<double>(report.answers[place * labels + i]);
            report.truths.push_back(has ? 1.0f : 0.0f);
            miss.wrong += (said > cut) != has;
            miss.off += std::abs(said - (has ? 1 : 0));
        }
        if (miss.wrong > 0) report.labelMisses.push_back(miss);
    }
    std::stable_sort(report.labelMisses.begin(), report.labelMisses.end(), [](const LabelMiss& a, const LabelMiss& b) { return a.wrong != b.wrong ? a.wrong > b.wrong : a.off > b.off; });
}

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
                                           const std::string& device, int threads, const Scaling& scaling)
{
    auto plan = lower(recipe.stack, input);
    SCONCE_TRY(plan);
    SessionSpec spec;
    spec.plan = std::move(plan).value();
    spec.task = recipe.task;
    spec.input = recipe.data.input;
    spec.scaling = scaling;
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
    const Target target = targetOf(recipe.task);
    if (target == Target::Next) {
        auto totals = model.evaluate(part, list, std::max<std::int64_t>(1, textBatch / data->info().sample.elements()), progress);
        SCONCE_TRY(totals);
        EvaluationReport report = numbersReport(recipe.task.type, *totals, part, list, {}, {});
        report.accuracy = totals->accuracy();
        report.part = split;
        report.seconds = Clock::system().monotonicSeconds() - start;
        return report;
    }
    // What comes back is as large as what went in: of an autoencoder a few are enough to look at.
    const std::span<const std::int64_t> asked = target == Target::Input ? std::span(list).first(std::min<std::size_t>(list.size(), reconstructions)) : std::span(list);
    auto answers = model.predict(part, asked, batchSize, target == Target::Input ? Session::Progress{} : progress);
    SCONCE_TRY(answers);
    EvaluationReport report;
    if (target == Target::Class || target == Target::Flag) {
        report = reportFrom(data->info(), part, list, data->labels(part), *answers);
        report.task = recipe.task.type;
    } else {
        auto totals = model.evaluate(part, list, batchSize, progress);
        SCONCE_TRY(totals);
        report = numbersReport(recipe.task.type, *totals, part, list, data->targets(part), std::move(*answers));
        if (target == Target::Labels) addLabels(report, recipe.task, *totals, *data);
    }
    report.part = split;
    report.seconds = Clock::system().monotonicSeconds() - start;
    return report;
}

} // namespace sconce
