// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/training/profile.h"

#include "core/base/text.h"
#include "core/training/trial.h"

#include <algorithm>
#include <cmath>

namespace sconce {

namespace {

double median(std::vector<double> values)
{
    if (values.empty()) return 0;
    std::sort(values.begin(), values.end());
    const std::size_t middle = values.size() / 2;
    return values.size() % 2 ? values[middle] : (values[middle - 1] + values[middle]) / 2;
}

std::string joined(const std::vector<LayerId>& layers, const char* between, const std::map<LayerId, std::string>* names)
{
    std::string text;
    for (const LayerId& layer : layers) {
        const auto name = names ? names->find(layer) : decltype(names->end()){};
        text += (text.empty() ? "" : between) + (names && name != names->end() ? name->second : layer);
    }
    return text;
}

/// What each row of a table took in each step.
struct Times { std::vector<double> forward, backward; int count = 0; std::string title; };
using Table = std::map<std::string, Times>;

/// What a span took without its children.
std::vector<double> ownTimes(const StepProfile& step)
{
    std::vector<double> own;
    for (const ProfileSpan& span : step.spans) {
        own.push_back(span.seconds());
        if (span.parent >= 0) own[static_cast<std::size_t>(span.parent)] -= span.seconds();
    }
    return own;
}

void add(Table& table, const std::string& id, const std::string& title, std::size_t steps, std::size_t step, bool back, double seconds)
{
    Times& times = table[id];
    times.title = title;
    times.forward.resize(steps);
    times.backward.resize(steps);
    (back ? times.backward : times.forward)[step] += seconds;
    if (step == 0) ++times.count;
}

std::string operationTitle(const std::string& primitive)
{
    static const std::map<std::string, std::string> titles{{"conv", "convolution"}, {"conv_transpose", "transposed convolution"}, {"linear", "matrix product"},
                                                           {"pool", "pooling"}, {"global_pool", "global pooling"}, {"batch_norm", "batch normalisation"},
                                                           {"layer_norm", "layer normalisation"}, {"group_norm", "group normalisation"}, {"concat", "joining"}, {"add", "addition"},
                                                           {"multiply", "multiplication"}, {"pad", "padding"}};
    if (!primitive.starts_with("fused ")) {
        const auto found = titles.find(primitive);
        return found == titles.end() ? primitive : found->second;
    }
    std::string text;
    for (std::size_t begin = 6; begin < primitive.size();) { // "fused conv + pool + activation"
        const std::size_t end = std::min(primitive.find(" + ", begin), primitive.size());
        text += (text.empty() ? "" : " + ") + operationTitle(primitive.substr(begin, end - begin));
        begin = end + 3;
    }
    return text + " (fused)";
}

ProfileRow row(const std::string& id, const Times& times)
{
    return {id, times.title, median(times.forward), median(times.backward), times.count};
}

constexpr const char* partIds[] = {"data", "loss", "optimiser"};

/// Layers as the plan has them, each fused block where its first layer stands, and the parts that are none behind them.
std::vector<ProfileRow> layersInOrder(const Table& table, const std::vector<LayerId>& order)
{
    std::vector<std::pair<std::size_t, ProfileRow>> rows;
    for (const auto& [id, times] : table) {
        const auto part = std::find(std::begin(partIds), std::end(partIds), id);
        const auto place = std::find(order.begin(), order.end(), id.substr(0, id.find('+')));
        const auto at = part != std::end(partIds) ? order.size() + 1 + static_cast<std::size_t>(part - std::begin(partIds)) : static_cast<std::size_t>(place - order.begin());
        rows.emplace_back(at, row(id, times));
    }
    std::stable_sort(rows.begin(), rows.end(), [](const auto& a, const auto& b) { return a.first < b.first; });
    std::vector<ProfileRow> result;
    for (auto& [at, each] : rows) result.push_back(std::move(each));
    return result;
}

} // namespace

double Profile::together(const std::vector<ProfileRow>& rows) const
{
    double sum = rest;
    for (const ProfileRow& each : rows) sum += each.seconds();
    return sum;
}

Profile readProfile(const std::vector<StepProfile>& steps, const std::map<LayerId, std::string>& names, const std::vector<LayerId>& order)
{
    Table layers, operations;
    std::vector<double> whole, rest;
    for (std::size_t i = 0; i < steps.size(); ++i) {
        const StepProfile& step = steps[i];
        if (step.spans.empty()) continue;
        whole.push_back(step.spans.front().seconds());
        rest.push_back(0);
        const std::vector<double> own = ownTimes(step);
        std::vector<char> back(step.spans.size());
        for (std::size_t k = 0; k < step.spans.size(); ++k) {
            const ProfileSpan& span = step.spans[k];
            back[k] = span.phase == ProfilePhase::Backward || span.phase == ProfilePhase::Again || (span.parent >= 0 && back[static_cast<std::size_t>(span.parent)]);
            const bool part = span.phase == ProfilePhase::Data || span.phase == ProfilePhase::Optimiser || span.phase == ProfilePhase::Loss;
            if (part) {
                const std::string id = phaseName(span.phase);
                for (Table* table : {&layers, &operations}) add(*table, id, id, steps.size(), i, back[k], own[k]);
            } else if (!span.layers.empty()) {
                const bool fused = span.primitive.starts_with("fused ");
                add(layers, joined(span.layers, "+", nullptr), joined(span.layers, " + ", &names) + (fused && span.layers.size() > 1 ? " (fused)" : ""), steps.size(), i, back[k], own[k]);
                add(operations, span.primitive, operationTitle(span.primitive), steps.size(), i, back[k], own[k]);
            } else {
                rest.back() += own[k]; // what the engine does between them
            }
        }
    }
    Profile profile;
    profile.steps = static_cast<int>(whole.size());
    profile.stepSeconds = median(whole);
    profile.rest = median(rest);
    if (!whole.empty()) {
        profile.fastest = *std::min_element(whole.begin(), whole.end());
        profile.slowest = *std::max_element(whole.begin(), whole.end());
    }
    profile.layers = layersInOrder(layers, order);
    for (const auto& [id, times] : operations) profile.operations.push_back(row(id, times));
    std::stable_sort(profile.operations.begin(), profile.operations.end(), [](const ProfileRow& a, const ProfileRow& b) { return a.seconds() > b.seconds(); });
    for (const StepProfile& step : steps) profile.peakBytes = std::max(profile.peakBytes, step.peakBytes);
    if (!steps.empty()) profile.clock = steps.front().clock;
    return profile;
}

std::string traceOf(const std::vector<StepProfile>& steps, const std::map<LayerId, std::string>& names)
{
    // Whole nanoseconds, so that what ends with its parent still does when both are written.
    const auto nanoseconds = [](double seconds) { return std::llround(seconds * 1e9); };
    const auto microseconds = [](long long value) { return static_cast<double>(value) / 1000; };
    Json events = Json::array();
    events.push_back({{"ph", "M"}, {"name", "process_name"}, {"pid", 1}, {"tid", 1}, {"args", {{"name", "Sconce"}}}});
    events.push_back({{"ph", "M"}, {"name", "thread_name"}, {"pid", 1}, {"tid", 1}, {"args", {{"name", "training step, by " + (steps.empty() ? std::string("processor") : steps.front().clock)}}}});
    for (std::size_t i = 0; i < steps.size(); ++i) {
        const long long zero = nanoseconds(steps[i].startedAt - steps.front().startedAt);
        for (const ProfileSpan& span : steps[i].spans) {
            const long long begin = zero + nanoseconds(span.begin), end = zero + nanoseconds(span.end);
            Json args = Json::object();
            if (!span.layers.empty()) args["layer"] = joined(span.layers, " + ", &names);
            if (!span.primitive.empty()) args["operation"] = span.primitive;
            if (span.phase == ProfilePhase::Step) args["step"] = i;
            events.push_back({{"ph", "X"}, {"name", span.layers.empty() ? span.name : joined(span.layers, " + ", &names) + ": " + span.name}, {"cat", phaseName(span.phase)},
                              {"ts", microseconds(begin)}, {"dur", microseconds(end - begin)}, {"pid", 1}, {"tid", 1}, {"args", std::move(args)}});
        }
    }
    return Json{{"displayTimeUnit", "ms"}, {"traceEvents", std::move(events)}}.dump(-1, ' ', false, Json::error_handler_t::replace);
}

Result<Profile> profileSteps(const Recipe& recipe, DatasetPtr data, const ProfileOptions& options, const ProfileProgress& progress)
{
    if (options.steps < 1 || options.steps > 1000 || options.warmUp < 0 || options.warmUp > 1000)
        return Error{ErrorCode::Invalid, "A profile takes between 1 and 1,000 steps.", "", ""};
    auto trial = Trial::open({recipe, std::move(data), options.storeFolder});
    if (!trial) return trial.error();
    std::map<LayerId, std::string> names;
    visitLayers((*trial)->recipe().stack, [&](const Layer& layer, const std::string&, int) { names[layer.id] = layer.name; });
    std::vector<LayerId> order;
    for (const Step& step : (*trial)->plan().steps)
        if (std::find(order.begin(), order.end(), step.layer) == order.end()) order.push_back(step.layer);

    const int total = options.warmUp + options.steps;
    const std::int64_t batch = (*trial)->batchSize();
    std::vector<StepProfile> steps;
    for (int i = 0; i < total; ++i) {
        auto step = (*trial)->session().profileStep(i, (*trial)->batch(i, batch), recipe.training.learningRate);
        if (!step && (*trial)->makeRoom(step.error())) { // steps of several sizes have no median: from the start
            steps.clear();
            i = -1;
            continue;
        }
        if (!step) return step.error();
        if (auto metrics = (*trial)->session().takeMetrics(); !metrics) return metrics.error();
        if (i >= options.warmUp) steps.push_back(std::move(*step));
        if (progress && !progress(i + 1, total)) return Error{ErrorCode::Cancelled, "The profile was cancelled.", "", ""};
    }
    Profile profile = readProfile(steps, names, order);
    profile.trace = traceOf(steps, names);
    profile.batch = batch;
    profile.notice = (*trial)->notice();
    profile.device = (*trial)->recipe().device;
    return profile;
}

Result<Profile> profileSteps(Store& store, Recipe recipe, const std::string& dataPath, const ProfileOptions& options, const ProfileProgress& progress)
{
    auto source = trialSource(store, std::move(recipe), dataPath);
    if (!source) return source.error();
    ProfileOptions here = options;
    here.storeFolder = source->storeFolder;
    return profileSteps(source->recipe, std::move(source->data), here, progress);
}

} // namespace sconce
