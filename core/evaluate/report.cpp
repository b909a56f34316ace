// SPDX-License-Identifier: GPL-3.0-or-later
// From probabilities and labels to what people read: pure arithmetic.
#include "core/evaluate/evaluate.h"

#include <algorithm>
#include <cmath>
#include <limits>

namespace sconce {
namespace {

constexpr std::size_t mistakesInJson = 100;

const char* partName(Part part)
{
    return part == Part::Training ? "train" : "test";
}

double ratio(std::int64_t part, std::int64_t whole)
{
    return whole > 0 ? static_cast<double>(part) / static_cast<double>(whole) : 0;
}

Json eachJson(const char* what, const std::vector<std::string>& names, const std::vector<ClassMetrics>& each)
{
    Json list = Json::array();
    for (std::size_t c = 0; c < each.size(); ++c)
        list.push_back(Json{{what, c < names.size() ? names[c] : std::to_string(c)}, {"count", each[c].count}, {"precision", each[c].precision}, {"recall", each[c].recall}, {"f1", each[c].f1}});
    return list;
}

/// Does it belong to the five largest? Those that are as large count as smaller, as torch.topk's do not always: a tie is luck.
bool amongFive(std::span<const float> row, std::size_t truth)
{
    if (truth >= row.size()) return false;
    return std::count_if(row.begin(), row.end(), [&](float other) { return other > row[truth]; }) < 5;
}

} // namespace

ClassMetrics classMetrics(const LabelCounts& counts)
{
    return {counts.there(), counts.precision(), counts.recall(), counts.f1()};
}

EvaluationReport::EvaluationReport() : top5(std::numeric_limits<double>::quiet_NaN()), macroF1(std::numeric_limits<double>::quiet_NaN()) {}

EvaluationReport reportFrom(const DatasetInfo& info, Part part, std::span<const std::int64_t> rows, std::span<const std::int32_t> labels,
                            std::span<const float> probabilities)
{
    EvaluationReport report;
    report.part = partName(part);
    report.storedIn = part;
    report.classes = info.classes;
    report.count = static_cast<std::int64_t>(rows.size());
    report.rows.assign(rows.begin(), rows.end());
    const std::size_t classes = info.classes.size();
    report.confusion.assign(classes, std::vector<std::int64_t>(classes, 0));
    const std::size_t outputs = rows.empty() ? 0 : probabilities.size() / rows.size();
    double loss = 0;
    std::int64_t correct = 0, near = 0;
    std::vector<LabelCounts> counts(classes);
    for (std::size_t i = 0; i < rows.size(); ++i) {
        // A network may have more outputs than there are classes; one of the spare ones is then simply a wrong answer: its class misses a
        // sample, though the confusion matrix, having no column for it, leaves it out.
        const std::span<const float> row = probabilities.subspan(i * outputs, outputs);
        const auto best = std::max_element(row.begin(), row.end());
        const auto said = static_cast<std::int32_t>(best - row.begin());
        const std::int32_t truth = labels[static_cast<std::size_t>(rows[i])];
        const double chance = static_cast<std::size_t>(truth) < outputs ? static_cast<double>(row[static_cast<std::size_t>(truth)]) : 0.0;
        loss += std::isnan(chance) ? chance : -std::log(std::max(chance, 1e-38)); // the smallest float keeps it finite
        report.said.push_back(said);
        report.confidence.push_back(*best);
        const bool isClass = static_cast<std::size_t>(truth) < classes, saysClass = static_cast<std::size_t>(said) < classes;
        if (isClass && saysClass) ++report.confusion[static_cast<std::size_t>(truth)][static_cast<std::size_t>(said)];
        if (isClass) ++(said == truth ? counts[static_cast<std::size_t>(truth)].found : counts[static_cast<std::size_t>(truth)].missed);
        if (saysClass && said != truth) ++counts[static_cast<std::size_t>(said)].wrong;
        if (amongFive(row, static_cast<std::size_t>(truth))) ++near;
        if (said == truth) ++correct;
        else report.mistakes.push_back({rows[i], truth, said, *best});
    }
    report.loss = rows.empty() ? 0 : loss / static_cast<double>(rows.size());
    report.accuracy = ratio(correct, report.count);
    report.metrics.emplace_back("accuracy", report.accuracy);
    for (const LabelCounts& each : counts) report.perClass.push_back(classMetrics(each));
    if (classes > 5) report.top5 = ratio(near, report.count);
    report.macroF1 = macroF1(counts, true);
    std::stable_sort(report.mistakes.begin(), report.mistakes.end(),
                     [](const Mistake& a, const Mistake& b) { return a.confidence > b.confidence; });
    return report;
}

Json EvaluationReport::withLabels(Json json) const
{
    json["labels"] = labels;
    json["threshold"] = threshold;
    json["per_label"] = eachJson("label", labels, perClass);
    json["mistakes"] = labelMisses.size();
    json["worst_misses"] = Json::array();
    for (std::size_t i = 0; i < std::min(labelMisses.size(), mistakesInJson); ++i) {
        const LabelMiss& miss = labelMisses[i];
        Json truth = Json::array(), said = Json::array();
        for (std::size_t l = 0; l < labels.size(); ++l) {
            if (truths[miss.place * labels.size() + l] > 0.5f) truth.push_back(labels[l]);
            if (static_cast<double>(answers[miss.place * labels.size() + l]) > threshold) said.push_back(labels[l]);
        }
        json["worst_misses"].push_back(Json{{"row", rows[miss.place]}, {"wrong", miss.wrong}, {"truth", std::move(truth)}, {"said", std::move(said)}});
    }
    json["seconds"] = seconds;
    return json;
}

Json EvaluationReport::toJson() const
{
    Json json = Json::object();
    json["split"] = part;
    json["count"] = count;
    json["loss"] = std::isfinite(loss) ? Json(loss) : Json(nullptr);
    json["accuracy"] = std::isfinite(accuracy) ? Json(accuracy) : Json(nullptr);
    json["task"] = task;
    for (const auto& [id, value] : metrics) json[id] = std::isfinite(value) ? Json(value) : Json(nullptr);
    if (task == "language") {
        json["windows"] = rows.size();
        json["seconds"] = seconds;
        return json;
    }
    if (!labels.empty()) return withLabels(std::move(json));
    if (classes.empty()) {
        json["worst_misses"] = Json::array();
        for (std::size_t i = 0; i < std::min(misses.size(), mistakesInJson); ++i)
            json["worst_misses"].push_back(Json{{"row", misses[i].row}, {"truth", misses[i].truth}, {"said", misses[i].said}});
        json["seconds"] = seconds;
        return json;
    }
    json["top5_accuracy"] = std::isfinite(top5) ? Json(top5) : Json(nullptr);
    json["macro_f1"] = std::isfinite(macroF1) ? Json(macroF1) : Json(nullptr);
    json["classes"] = classes;
    json["confusion"] = confusion;
    json["per_class"] = eachJson("class", classes, perClass);
    json["mistakes"] = mistakes.size();
    Json worst = Json::array();
    for (std::size_t i = 0; i < std::min(mistakes.size(), mistakesInJson); ++i) {
        const Mistake& mistake = mistakes[i];
        worst.push_back(Json{{"row", mistake.row}, {"truth", mistake.truth}, {"said", mistake.said}, {"confidence", mistake.confidence}});
    }
    json["worst_mistakes"] = std::move(worst);
    json["seconds"] = seconds;
    return json;
}

} // namespace sconce
