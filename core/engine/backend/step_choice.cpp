// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/engine/backend/step_choice.h"

#include "core/base/text.h"

#include <ATen/TensorOperators.h>
#include <ATen/core/grad_mode.h>
#include <ATen/ops/equal.h>

#include <algorithm>
#include <cmath>
#include <limits>

namespace sconce::engine {

using at::Tensor;

namespace {

constexpr double worthwhile = 0.98; ///< of the eager time: a graph keeps memory of its own
constexpr double noiseAllowed = 4;
constexpr double longestReplay = 0.01; ///< seconds

std::string milliseconds(double seconds) { return realText(seconds * 1000, 3) + " ms"; }

bool right(const StepTrial& trial) { return trial.apart <= std::max(trial.allowed, noiseAllowed * trial.noise); }
bool faster(const StepTrial& trial) { return trial.capturedSeconds < trial.eagerSeconds * worthwhile; }

double squares(const Tensor& tensor) { return tensor.square().sum().item<double>(); }

} // namespace

void StepChoice::write(Json& choices) const
{
    choices["step"] = captured ? "captured" : "eager";
    if (captured) choices["steps_per_replay"] = together;
    if (speedup > 0) choices["step_speedup"] = std::round(speedup * 100) / 100;
    if (!because.empty()) choices["step_because"] = because;
}

std::optional<StepChoice> StepChoice::fromJson(const Json& choices)
{
    if (!choices.is_object() || (!choices.contains("step") && !choices.contains("layout"))) return {};
    StepChoice choice;
    choice.captured = choices.contains("step") && choices["step"] == "captured";
    if (choice.captured && choices.contains("steps_per_replay") && choices["steps_per_replay"].is_number_integer())
        choice.together = std::max<std::int64_t>(1, choices["steps_per_replay"].get<std::int64_t>());
    if (choices.contains("step_speedup") && choices["step_speedup"].is_number()) choice.speedup = choices["step_speedup"].get<double>();
    if (choices.contains("step_because") && choices["step_because"].is_string()) choice.because = choices["step_because"].get<std::string>();
    return choice;
}

StepChoice judge(const StepTrial& trial)
{
    StepChoice choice;
    const std::string both = "a captured step takes " + milliseconds(trial.capturedSeconds) + ", an eager one " + milliseconds(trial.eagerSeconds);
    if (!right(trial)) {
        choice.because = "Steps are not replayed from a CUDA graph: tried at the start, it came to other numbers.";
        return choice;
    }
    choice.speedup = trial.capturedSeconds > 0 ? trial.eagerSeconds / trial.capturedSeconds : 0;
    if (!faster(trial)) {
        choice.because = "Steps are not replayed from a CUDA graph, which is not faster here: measured at the start, " + both + ".";
        return choice;
    }
    choice.captured = true;
    choice.because = "Steps are replayed from a CUDA graph: measured at the start, " + both + ", and the numbers are the same" + (trial.apart == 0 ? " to the last bit." : " but for rounding.");
    return choice;
}

std::int64_t stepsTogether(double seconds, std::int64_t most)
{
    std::int64_t steps = 1;
    while (2 * steps <= most && seconds * static_cast<double>(2 * steps) <= longestReplay) steps *= 2;
    return steps;
}

StepChoice judgeTogether(const StepTrial& one, const StepTrial& several, std::int64_t together)
{
    StepChoice choice = judge(one);
    if (!choice.captured || !right(several) || !faster(several)) return choice;
    choice.together = together;
    choice.speedup = several.capturedSeconds > 0 ? one.eagerSeconds / several.capturedSeconds : 0;
    choice.because = "Steps are replayed from a CUDA graph, " + std::to_string(together) + " at a time: measured at the start, one takes " + milliseconds(several.capturedSeconds) + " so, " +
                     milliseconds(several.eagerSeconds) + " replayed alone and " + milliseconds(one.eagerSeconds) + " done eagerly, and the numbers are the same" +
                     (one.apart == 0 && several.apart == 0 ? " to the last bit." : " but for rounding.");
    return choice;
}

double changedApart(const TensorGroups& start, const TensorGroups& first, const TensorGroups& second)
{
    constexpr double incomparable = std::numeric_limits<double>::infinity();
    const at::NoGradGuard noGrad;
    double furthest = 0;
    for (std::size_t group = 0; group < start.size(); ++group) {
        double apart = 0, went = 0;
        for (std::size_t i = 0; i < start[group].size(); ++i) {
            const Tensor &from = start[group][i], &a = first[group][i], &b = second[group][i];
            went += squares(a.to(at::kDouble) - from.to(at::kDouble));
            if (!at::equal(a, b)) apart += squares(a.to(at::kDouble) - b.to(at::kDouble));
        }
        if (apart == 0) continue; // a NaN is not 0
        const double share = std::sqrt(apart / went);
        furthest = std::max(furthest, std::isfinite(share) ? share : incomparable);
    }
    return furthest;
}

} // namespace sconce::engine
