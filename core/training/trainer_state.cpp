// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/training/checkpoint.h"

#include <algorithm>
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

/// Three lists, as the counts of a thousand labels are many.
Json labelsJson(const std::vector<LabelCounts>& labels)
{
    Json found = Json::array(), wrong = Json::array(), missed = Json::array();
    for (const LabelCounts& label : labels) {
        found.push_back(label.found);
        wrong.push_back(label.wrong);
        missed.push_back(label.missed);
    }
    return Json{{"found", std::move(found)}, {"wrong", std::move(wrong)}, {"missed", std::move(missed)}};
}

void readLabels(JsonReader& reader, std::vector<LabelCounts>& labels)
{
    const auto take = [&](JsonReader& one, const char* key, std::int64_t LabelCounts::*member) {
        const Json* list = one.raw(key);
        const bool good = list && list->is_array() && (labels.empty() || labels.size() == list->size()) &&
                          std::all_of(list->begin(), list->end(), [](const Json& value) { return value.is_number_integer() && value.get<std::int64_t>() >= 0; });
        if (!good) return one.problem(key, "These must be counts, as many as there are labels.");
        labels.resize(list->size());
        for (std::size_t i = 0; i < labels.size(); ++i) labels[i].*member = (*list)[i].get<std::int64_t>();
    };
    const Json* json = reader.raw("labels");
    if (!json) return;
    JsonReader one(*json, reader.pathOf("labels"), reader.problems());
    take(one, "found", &LabelCounts::found);
    take(one, "wrong", &LabelCounts::wrong);
    take(one, "missed", &LabelCounts::missed);
}

Json sumsJson(const MetricSums& sums)
{
    Json json{{"absolute", sums.absolute}, {"squared", sums.squared}, {"target", sums.target}, {"targetSquared", sums.targetSquared}, {"surprise", sums.surprise}};
    if (!sums.labels.empty()) json["labels"] = labelsJson(sums.labels);
    return json;
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
                {"epochSums", sumsJson(epochSums)},
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
        readLabels(one, state.epochSums.labels);
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
