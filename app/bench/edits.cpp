// SPDX-License-Identifier: GPL-3.0-or-later
#include "app/bench/edits.h"

#include "core/base/clock.h"
#include "core/model/catalogue.h"
#include "core/recipe/estimate.h"

namespace sconce::bench {

namespace {

Error stopped() { return {ErrorCode::Cancelled, "The measurement was stopped.", "", ""}; }

Error unfit() { return {ErrorCode::Invalid, "The recipe of this bench does not fit the data.", "It wants pictures of at least 3×3 with 10 classes; without --data they are made.", ""}; }

} // namespace

Result<Measured> measureEdits(Recipe recipe, const DataFacts& facts, std::int64_t warm, std::int64_t edits, const KeepGoing& keepGoing)
{
    std::vector<double> seconds;
    for (std::int64_t i = 0; i < warm + edits; ++i) {
        if (!keepGoing()) return stopped();
        const double began = threadCpuSeconds();
        const Recipe before = recipe;
        recipe.stack.layers.front().params["filters"] = std::int64_t{8 + (i + 1) % 8};
        const StackReport report = analyse(recipe.stack, facts.input);
        const auto problems = validate(recipe, facts);
        const auto figures = report.ok() ? estimate(recipe, report, facts) : std::nullopt;
        if (i >= warm) seconds.push_back(threadCpuSeconds() - began);
        if (!figures || blocksStart(problems) || before == recipe) return unfit();
    }
    return measuredFrom(std::move(seconds), 1e3);
}

Result<Measured> measureSettled(const Recipe& recipe, const DataFacts& facts, std::int64_t times, const KeepGoing& keepGoing)
{
    const StackReport report = analyse(recipe.stack, facts.input);
    if (!report.ok()) return unfit();
    std::vector<double> seconds;
    for (std::int64_t i = 0; i < times; ++i) {
        if (!keepGoing()) return stopped();
        const double began = threadCpuSeconds();
        if (!recomputingEstimate(recipe, report, facts)) return unfit();
        seconds.push_back(threadCpuSeconds() - began);
    }
    return measuredFrom(std::move(seconds), 1e3);
}

} // namespace sconce::bench
