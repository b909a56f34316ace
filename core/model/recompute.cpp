// SPDX-License-Identifier: GPL-3.0-or-later
// Which parts of a network are computed a second time for the backward pass instead of being kept (Chen et al., "Training deep
// nets with sublinear memory cost", 2016). A pass over the plan.
#include "core/model/memory.h"

#include <algorithm>

namespace sconce {

namespace {

constexpr std::int64_t typicalRows = 64;   ///< the choice shall not hang on the batch
constexpr int mostPieces = 24;             ///< ways of cutting that are tried
constexpr double worthwhile = 0.95;        ///< of the memory without

double keptBy(const ExecutionPlan& execution, int first, int last)
{
    double sum = 0;
    for (int i = first; i < last; ++i) sum += static_cast<double>(execution.plan.values[static_cast<std::size_t>(execution.plan.steps[static_cast<std::size_t>(i)].output)].type.elements());
    return sum;
}

/// Segments that each keep about so much, from cut to cut; the last one is left out.
std::vector<Segment> packed(const ExecutionPlan& execution, const std::vector<int>& cuts, double size)
{
    std::vector<Segment> result;
    int first = cuts.front();
    for (std::size_t c = 1; c + 1 < cuts.size(); ++c) {
        bool learnt = false;
        for (int i = first; i < cuts[c]; ++i) learnt = learnt || hasParameters(execution.plan.steps[static_cast<std::size_t>(i)].op);
        if (!learnt || keptBy(execution, first, cuts[c]) < size) continue;
        result.push_back({first, cuts[c]});
        first = cuts[c];
    }
    if (first == cuts.back() && !result.empty()) result.pop_back();
    return result;
}

} // namespace

std::vector<int> findCuts(const ExecutionPlan& execution)
{
    const Plan& plan = execution.plan;
    const int steps = static_cast<int>(plan.steps.size());
    std::vector<int> last(plan.values.size(), -1), made(plan.values.size(), -1);
    for (int i = 0; i < steps; ++i) {
        for (ValueIndex input : plan.steps[static_cast<std::size_t>(i)].inputs) last[static_cast<std::size_t>(input)] = i;
        made[static_cast<std::size_t>(plan.steps[static_cast<std::size_t>(i)].output)] = i;
    }
    if (plan.output != none) last[static_cast<std::size_t>(plan.output)] = steps;
    std::vector<int> cuts;
    int inside = 0; // a fused block ends there
    for (int i = 0; i <= steps; ++i) {
        const bool fused = i < inside;
        if (i < steps && execution.fusions[static_cast<std::size_t>(i)]) inside = i + execution.fusions[static_cast<std::size_t>(i)]->steps;
        if (fused || (i < steps && execution.inPlace[static_cast<std::size_t>(i)])) continue;
        int alive = 0;
        for (std::size_t value = 0; value < last.size(); ++value) alive += made[value] < i && last[value] >= i;
        if (alive == 1) cuts.push_back(i);
    }
    return cuts;
}

std::vector<Segment> chooseSegments(const ExecutionPlan& execution)
{
    const std::vector<int> cuts = findCuts(execution);
    if (cuts.size() < 3) return {};
    ExecutionPlan tried = execution;
    tried.segments.clear();
    double least = stepMemory(tried, typicalRows, true).peak * worthwhile;
    const double total = keptBy(execution, 0, static_cast<int>(execution.plan.steps.size()));
    std::vector<Segment> best;
    for (int pieces = 2; pieces <= std::min(mostPieces, static_cast<int>(cuts.size())); ++pieces) {
        tried.segments = packed(execution, cuts, total / pieces);
        const double peak = stepMemory(tried, typicalRows, true).peak;
        if (peak >= least) continue;
        least = peak;
        best = tried.segments;
    }
    return best;
}

double recomputedShare(const ExecutionPlan& execution)
{
    const Plan& plan = execution.plan;
    double twice = 0, all = 0;
    for (const Segment& segment : execution.segments)
        for (int i = segment.first; i < segment.last; ++i) twice += static_cast<double>(costOf(plan.steps[static_cast<std::size_t>(i)], plan, false).macs);
    for (const Step& step : plan.steps) all += static_cast<double>(costOf(step, plan, step.inputs.front() != plan.input).trainingMacs);
    return all > 0 ? twice / all : 0;
}

} // namespace sconce
