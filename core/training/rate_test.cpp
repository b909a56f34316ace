// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/training/rate_test.h"

#include "core/base/text.h"
#include "core/training/trial.h"

#include <algorithm>
#include <cmath>
#include <limits>

namespace sconce {

namespace {

constexpr double smoothing = 0.9; ///< of the running average by which a test under way is broken off
constexpr std::int64_t bell = 3;  ///< points: the width of the average by which a whole test is read
constexpr double hopeless = 4;         ///< times the lowest loss: from there on it only gets worse
constexpr double worthSuggesting = 0.98; ///< of the first loss: less of a fall is noise
constexpr int span = 4;                ///< points to each side over which a slope is taken

/// Bell-shaped weights around each point: a running average lags ten steps behind, which is a factor of five in the rate.
void smooth(std::vector<RateTestPoint>& points)
{
    const auto count = static_cast<std::int64_t>(points.size());
    for (std::int64_t i = 0; i < count; ++i) {
        double sum = 0, weights = 0;
        for (std::int64_t k = std::max<std::int64_t>(0, i - 3 * bell); k <= std::min(count - 1, i + 3 * bell); ++k) {
            const double distance = static_cast<double>(k - i) / bell, weight = std::exp(-0.5 * distance * distance);
            sum += weight * points[static_cast<std::size_t>(k)].loss;
            weights += weight;
        }
        points[static_cast<std::size_t>(i)].smoothed = sum / weights;
    }
}

/// 1, 1.5, 2, 3, 5 or 7 times a power of ten: a rate that a person would write down.
double rounded(double rate)
{
    const double power = std::pow(10.0, std::floor(std::log10(rate)));
    double best = power;
    for (const double digit : {1.0, 1.5, 2.0, 3.0, 5.0, 7.0, 10.0})
        if (std::abs(std::log(digit * power / rate)) < std::abs(std::log(best / rate))) best = digit * power;
    return best;
}

/// The loss of a step at this rate; nothing where it is no number any more.
Result<std::optional<double>> lossOf(Trial& trial, int step, double rate)
{
    Session& session = trial.session();
    const auto train = [&]() -> Result<void> {
        SCONCE_TRY(session.forward(step, trial.batch(step, trial.batchSize())));
        SCONCE_TRY(session.backward());
        return session.commit(rate);
    };
    const auto compute = [&]() -> Result<double> {
        auto done = train();
        while (!done && trial.makeRoom(done.error())) done = train();
        if (!done) return done.error();
        auto metrics = session.takeMetrics();
        if (!metrics) return metrics.error();
        return metrics->empty() ? std::numeric_limits<double>::quiet_NaN() : metrics->back().loss;
    };
    auto loss = compute();
    if (!loss && loss.error().code != ErrorCode::NotFinite) return loss.error();
    if (!loss || !std::isfinite(*loss)) return std::optional<double>();
    return std::optional(*loss);
}

} // namespace

RateTest readRateTest(std::vector<RateTestPoint> points)
{
    RateTest test;
    smooth(points);
    test.points = std::move(points);
    const auto& all = test.points;
    if (all.size() < 3) {
        test.text = "The loss was no number from the start: the network or its inputs must be mended first.";
        return test;
    }
    const auto lowest = static_cast<std::size_t>(
        std::min_element(all.begin(), all.end(), [](const auto& a, const auto& b) { return a.smoothed < b.smoothed; }) - all.begin());
    test.limit = all[lowest].rate;
    if (all[lowest].smoothed > worthSuggesting * all.front().smoothed) {
        test.limit.reset();
        test.text = "The loss fell at no rate, so none can be suggested. Try another optimiser, or look at the data and the stack.";
        return test;
    }
    double steepest = 0;
    std::size_t where = 0;
    for (std::size_t i = 1; i <= lowest; ++i) {
        const std::size_t from = i > span ? i - span : 0, to = std::min(i + span, all.size() - 1);
        const double slope = (all[to].smoothed - all[from].smoothed) / std::log(all[to].rate / all[from].rate);
        if (slope < steepest) steepest = slope, where = i;
    }
    // A tenth of where it turns is the usual rule: each rate was tried for one step only, and a whole run is longer.
    test.suggestion = rounded(std::min(all[where].rate, all[lowest].rate / 10));
    test.text = "The loss falls fastest near " + realText(all[where].rate, 2) + " and is lowest at " + realText(*test.limit, 2) + "; larger rates make it worse. " +
                realText(*test.suggestion, 2) + " is a good start.";
    return test;
}

Result<RateTest> testRates(const Recipe& recipe, DatasetPtr data, const RateTestOptions& options, const RateTestProgress& progress)
{
    if (!(options.lowest > 0) || !(options.highest > options.lowest) || !std::isfinite(options.highest) || options.steps < 10)
        return Error{ErrorCode::Invalid, "The lowest rate must be above 0 and below the highest, and there must be at least 10 steps.", "", ""};
    auto trial = Trial::open({recipe, std::move(data), options.storeFolder});
    if (!trial) return trial.error();
    std::vector<RateTestPoint> points;
    double lowest = std::numeric_limits<double>::infinity(), average = 0, weight = 0;
    for (int i = 0; i < options.steps; ++i) {
        const double rate = options.lowest * std::pow(options.highest / options.lowest, static_cast<double>(i) / (options.steps - 1));
        auto loss = lossOf(**trial, i, rate);
        if (!loss) return loss.error();
        if (!*loss) break;
        average = smoothing * average + (1 - smoothing) * **loss;
        weight = smoothing * weight + (1 - smoothing);
        points.push_back({rate, **loss, average / weight});
        if (progress && !progress(points.back(), i + 1)) return Error{ErrorCode::Cancelled, "The test of learning rates was cancelled.", "", ""};
        lowest = std::min(lowest, points.back().smoothed);
        if (i > options.steps / 10 && points.back().smoothed > hopeless * lowest) break;
    }
    RateTest test = readRateTest(std::move(points));
    if (!(*trial)->notice().empty()) test.text += " " + (*trial)->notice();
    return test;
}

Result<RateTest> testRates(Store& store, Recipe recipe, const std::string& dataPath, const RateTestOptions& options, const RateTestProgress& progress)
{
    auto source = trialSource(store, std::move(recipe), dataPath);
    if (!source) return source.error();
    RateTestOptions here = options;
    here.storeFolder = source->storeFolder;
    return testRates(source->recipe, std::move(source->data), here, progress);
}

} // namespace sconce
