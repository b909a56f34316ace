// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
// Private to training. Steps committed but not yet reported: what the host knows of each (rate, time); the device tells the
// rest when it is asked for metrics.

#include "core/engine/session.h"
#include "core/run/protocol.h"

#include <vector>

namespace sconce {

struct StepGroup
{
    std::int64_t firstStep = 0;
    std::vector<float> learningRate;
    std::vector<double> seconds;
    std::int64_t samples = 0;
    double openedAt = 0;     ///< run seconds when its first step began
    double stepSecondsAt = 0;///< of training steps at that moment

    bool empty() const { return seconds.empty(); }
    std::size_t size() const { return seconds.size(); }

    void begin(std::int64_t step, double runSeconds, double stepSeconds)
    {
        if (!empty()) return;
        firstStep = step;
        openedAt = runSeconds;
        stepSecondsAt = stepSeconds;
        samples = 0;
    }
    void add(double rate, double runSeconds, std::int64_t batch)
    {
        learningRate.push_back(static_cast<float>(rate));
        seconds.push_back(runSeconds);
        samples += batch;
    }
    /// The last ones were never taken.
    void drop(std::size_t steps, std::int64_t batch)
    {
        learningRate.resize(size() - steps);
        seconds.resize(learningRate.size());
        samples -= static_cast<std::int64_t>(steps) * batch;
    }
    /// The event; the group is empty afterwards.
    StepsDone take(const std::vector<StepMetrics>& metrics, const std::string& task, double stepSecondsNow)
    {
        StepsDone event;
        event.firstStep = firstStep;
        event.loss.reserve(size());
        for (const StepMetrics& step : metrics) event.loss.push_back(static_cast<float>(step.loss));
        for (const MetricEntry& metric : metricsOf(task)) {
            if (!metric.perStep) continue;
            std::vector<float>& values = metric.id == "accuracy" ? event.accuracy : event.metrics[metric.id];
            values.reserve(metrics.size());
            for (const StepMetrics& step : metrics) values.push_back(static_cast<float>(metricOf(metric.id, step)));
        }
        event.learningRate = std::move(learningRate);
        event.seconds = std::move(seconds);
        const double spent = stepSecondsNow - stepSecondsAt;
        event.samplesPerSecond = spent > 0 ? static_cast<double>(samples) / spent : 0;
        learningRate.clear();
        seconds.clear();
        return event;
    }
};

} // namespace sconce
