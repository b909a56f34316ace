// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/training/checkpoint.h"

#include <cmath>
#include <limits>

namespace sconce {

namespace {

constexpr std::int64_t most = std::numeric_limits<std::int64_t>::max();
constexpr double huge = std::numeric_limits<double>::max();

Json amendmentJson(const Amendment& amendment)
{
    return Json{{"step", amendment.step}, {"path", amendment.path}, {"before", amendment.before}, {"after", amendment.after}};
}

} // namespace

Json TrainerState::toJson() const
{
    Json changes = Json::array();
    for (const Amendment& amendment : amendments) changes.push_back(amendmentJson(amendment));
    return Json{{"step", step},
                {"epoch", epoch},
                {"stepInEpoch", stepInEpoch},
                {"epochLossSum", epochLossSum},
                {"epochCorrect", epochSums.correct},
                {"epochSamples", epochSums.count},
                {"epochSums", {{"absolute", epochSums.absolute}, {"squared", epochSums.squared}, {"target", epochSums.target}, {"targetSquared", epochSums.targetSquared}, {"surprise", epochSums.surprise}}},
                {"epochsPlanned", epochsPlanned},
                {"secondsTrained", secondsTrained},
                {"stepSeconds", stepSeconds},
                {"samplesTrained", samplesTrained},
                {"epochStartSeconds", epochStartSeconds},
                {"epochStepSeconds", epochStepSeconds},
                {"lastSavedSeconds", lastSavedSeconds},
                {"tested", tested},
                {"plateau", {{"factor", plateau.factor}, {"best", plateau.best ? Json(*plateau.best) : Json()}, {"waited", plateau.waited}}},
                {"stopping", {{"best", stopping.best ? Json(*stopping.best) : Json()}, {"waited", stopping.waited}}},
                {"endedBecause", endedBecause},
                {"limitFromSeconds", limitFromSeconds},
                {"restoredBest", restoredBest},
                {"rateFactor", rateFactor},
                {"timesBack", timesBack},
                {"backFrom", backFrom},
                {"backTo", backTo},
                {"skippedSteps", skippedSteps},
                {"summary", summary.toJson()},
                {"choices", choices},
                {"amendments", std::move(changes)}};
}

Result<TrainerState> TrainerState::fromJson(const Json& json)
{
    if (!json.is_object()) return Error{ErrorCode::Corrupt, "The checkpoint says nothing about where training stood.", "", ""};
    std::vector<JsonProblem> problems;
    JsonReader reader(json, "/state", problems);
    for (const char* key : {"step", "epoch", "stepInEpoch", "epochsPlanned", "epochLossSum", "summary"})
        if (!reader.has(key)) return Error{ErrorCode::Corrupt, std::string("The checkpoint lacks ") + key + ".", "", ""};

    TrainerState state;
    state.step = reader.integer("step", 0, 0, most);
    state.epoch = reader.integer("epoch", 0, 0, most);
    state.stepInEpoch = reader.integer("stepInEpoch", 0, 0, most);
    state.epochLossSum = reader.real("epochLossSum", 0, -huge, huge);
    state.epochSums.correct = reader.integer("epochCorrect", 0, 0, most);
    state.epochSums.count = reader.integer("epochSamples", 0, 0, most);
    if (const Json* json = reader.raw("epochSums"); json && json->is_object()) {
        JsonReader one(*json, "/state/epochSums", problems);
        state.epochSums.absolute = one.real("absolute", 0, 0, huge);
        state.epochSums.squared = one.real("squared", 0, 0, huge);
        state.epochSums.target = one.real("target", 0, -huge, huge);
        state.epochSums.targetSquared = one.real("targetSquared", 0, 0, huge);
        state.epochSums.surprise = one.real("surprise", 0, 0, huge);
    }
    state.epochsPlanned = reader.integer("epochsPlanned", 0, 0, most);
    state.secondsTrained = reader.real("secondsTrained", 0, 0, huge);
    state.stepSeconds = reader.real("stepSeconds", 0, 0, huge);
    state.samplesTrained = reader.integer("samplesTrained", 0, 0, most);
    state.epochStartSeconds = reader.real("epochStartSeconds", 0, 0, huge);
    state.epochStepSeconds = reader.real("epochStepSeconds", 0, 0, huge);
    state.lastSavedSeconds = reader.real("lastSavedSeconds", 0, 0, huge);
    state.tested = reader.boolean("tested", false);
    const auto best = [&](JsonReader& one) -> std::optional<double> {
        const Json* value = one.raw("best");
        return value && value->is_number() ? std::optional(value->get<double>()) : std::nullopt;
    };
    if (const Json* json = reader.raw("plateau"); json && json->is_object()) {
        JsonReader one(*json, "/state/plateau", problems);
        state.plateau = {one.real("factor", 1, 0, 1), best(one), one.integer("waited", 0, 0, most)};
    }
    if (const Json* json = reader.raw("stopping"); json && json->is_object()) {
        JsonReader one(*json, "/state/stopping", problems);
        state.stopping = {best(one), one.integer("waited", 0, 0, most)};
    }
    state.endedBecause = reader.text("endedBecause", "");
    state.limitFromSeconds = reader.real("limitFromSeconds", 0, 0, huge);
    state.restoredBest = reader.boolean("restoredBest", false);
    state.rateFactor = reader.real("rateFactor", 1, 0, 1);
    state.timesBack = reader.integer("timesBack", 0, 0, most);
    state.backFrom = reader.integer("backFrom", -1, -1, most);
    state.backTo = reader.integer("backTo", -1, -1, most);
    state.skippedSteps = reader.integer("skippedSteps", 0, 0, most);
    if (const Json* summary = reader.raw("summary"); summary && summary->is_object()) state.summary = RunSummary::fromJson(*summary);
    if (const Json* choices = reader.raw("choices")) state.choices = *choices;
    if (const Json* list = reader.raw("amendments"); list && list->is_array()) {
        for (const Json& entry : *list) {
            if (!entry.is_object()) continue;
            JsonReader one(entry, "/state/amendments", problems);
            Amendment amendment{one.integer("step", 0, 0, most), one.text("path", ""), {}, {}};
            if (const Json* before = one.raw("before")) amendment.before = *before;
            if (const Json* after = one.raw("after")) amendment.after = *after;
            state.amendments.push_back(std::move(amendment));
        }
    }
    if (!problems.empty())
        return Error{ErrorCode::Corrupt, "The checkpoint's account of the training cannot be read.", "", problems.front().path + ": " + problems.front().message};
    return state;
}

} // namespace sconce
