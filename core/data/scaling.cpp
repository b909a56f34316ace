// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/data/scaling.h"

#include <algorithm>
#include <cmath>
#include <numeric>

namespace sconce {

namespace {

struct Moments { double mean = 0, deviation = 1; };

/// In two passes: exact where the mean is large beside the spread. Population deviation, as scikit-learn's StandardScaler.
template <class Values> Moments momentsOf(const Values& values)
{
    Moments moments;
    if (values.empty()) return moments;
    double sum = 0, squares = 0;
    for (const float value : values) sum += static_cast<double>(value);
    moments.mean = sum / static_cast<double>(values.size());
    for (const float value : values) squares += (static_cast<double>(value) - moments.mean) * (static_cast<double>(value) - moments.mean);
    const double deviation = std::sqrt(squares / static_cast<double>(values.size()));
    moments.deviation = deviation > 1e-12 * std::max(1.0, std::abs(moments.mean)) ? deviation : 1;
    return moments;
}

/// Of values that are known, and at least one; of an even number the mean of the middle two.
float medianOf(std::vector<float>& values)
{
    const auto middle = values.begin() + static_cast<std::ptrdiff_t>(values.size() / 2);
    std::nth_element(values.begin(), middle, values.end());
    if (values.size() % 2 == 1) return *middle;
    return std::midpoint(*std::max_element(values.begin(), middle), *middle);
}

std::vector<float> floatsFrom(const Json& json, const char* key, bool& good)
{
    std::vector<float> values;
    const auto found = json.find(key);
    good = good && found != json.end() && found->is_array();
    if (!good) return values;
    for (const Json& value : *found) {
        good = good && value.is_number() && std::isfinite(value.get<float>());
        if (!good) break;
        values.push_back(value.get<float>());
    }
    return values;
}

} // namespace

Json Scaling::toJson() const
{
    return Json{{"fill", fill}, {"mean", mean}, {"deviation", deviation}, {"target_mean", targetMean}, {"target_deviation", targetDeviation}};
}

Result<Scaling> Scaling::fromJson(const Json& json)
{
    Scaling scaling;
    bool good = json.is_object();
    if (good) {
        scaling.fill = floatsFrom(json, "fill", good);
        scaling.mean = floatsFrom(json, "mean", good);
        scaling.deviation = floatsFrom(json, "deviation", good);
        std::vector<JsonProblem> wrong;
        JsonReader reader(json, "", wrong);
        scaling.targetMean = reader.real("target_mean", 0, -1e300, 1e300);
        scaling.targetDeviation = reader.real("target_deviation", 1, 1e-300, 1e300);
        good = good && wrong.empty() && scaling.mean.size() == scaling.fill.size() && scaling.deviation.size() == scaling.fill.size() &&
               std::all_of(scaling.deviation.begin(), scaling.deviation.end(), [](float value) { return value > 0; });
    }
    if (good) return scaling;
    return Error{ErrorCode::Corrupt, "What the checkpoint says of the scaling of its data cannot be read.", "Use an older checkpoint of this run.", ""};
}

Result<Scaling> scalingIn(const Json& choices)
{
    if (!choices.is_object() || !choices.contains("scaling")) return Scaling{};
    return Scaling::fromJson(choices["scaling"]);
}

Scaling fitScaling(const Dataset& data, std::span<const std::int64_t> rows)
{
    Scaling scaling;
    const DatasetInfo& info = data.info();
    if (const auto all = data.targets(Part::Training); !all.empty()) {
        std::vector<float> values;
        values.reserve(rows.size());
        for (const std::int64_t row : rows) values.push_back(all[static_cast<std::size_t>(row)]);
        const Moments moments = momentsOf(values);
        scaling.targetMean = moments.mean;
        scaling.targetDeviation = moments.deviation;
    }
    if (info.sample.dtype != DType::F32) return scaling;
    const auto features = static_cast<std::size_t>(info.sample.elements());
    std::vector<char> isNumber;
    for (const TableColumn& column : info.columns) isNumber.insert(isNumber.end(), std::max<std::size_t>(1, column.words.size()), column.words.empty() ? 1 : 0);
    isNumber.resize(features, 1);
    scaling.fill.assign(features, 0);
    scaling.mean.assign(features, 0);
    scaling.deviation.assign(features, 1);
    std::vector<float> gathered, known;
    auto all = data.contiguous(Part::Training);
    const bool inPlace = !all.empty();
    if (!inPlace) {
        gathered.resize(rows.size() * features);
        data.gather(Part::Training, rows, {reinterpret_cast<std::uint8_t*>(gathered.data()), gathered.size() * sizeof(float)});
    }
    const float* values = inPlace ? reinterpret_cast<const float*>(all.data()) : gathered.data();
    for (std::size_t feature = 0; feature < features; ++feature) {
        if (!isNumber[feature]) continue;
        known.clear();
        for (std::size_t i = 0; i < rows.size(); ++i) {
            const float value = values[(inPlace ? static_cast<std::size_t>(rows[i]) : i) * features + feature];
            if (!std::isnan(value)) known.push_back(value);
        }
        if (known.empty()) continue; // nothing but gaps: 0 for all
        scaling.fill[feature] = medianOf(known);
        known.resize(rows.size(), scaling.fill[feature]); // as the network will see them
        const Moments moments = momentsOf(known);
        scaling.mean[feature] = static_cast<float>(moments.mean);
        scaling.deviation[feature] = static_cast<float>(moments.deviation);
    }
    return scaling;
}

} // namespace sconce
