// SPDX-License-Identifier: GPL-3.0-or-later
// Tasks with their descriptors and metrics.
#include "core/recipe/task.h"

#include "core/base/text.h"

#include <algorithm>
#include <cmath>
#include <limits>

namespace sconce {

namespace {

OptionEntry classification()
{
    return {"classification", "Classification", "Says which one of several classes a sample belongs to. The loss is cross-entropy: how surprised the network is by the right answer.",
            {realParam("label_smoothing", "Smoothing", 0.0, 0.0, 0.9,
                       "Spreads this share of each right answer over all classes, so that the network does not become too sure of itself; 0.1 is usual. Costs nothing, and the loss no longer falls to 0."),
             choiceParam("class_weights", "Class weights", "none",
                         {{"none", "none", "Every sample counts alike"}, {"balanced", "balanced", "Rare classes count more, so that all classes count alike"}},
                         "How much each class counts in the loss. Balance them where some classes have far fewer samples.")}};
}

OptionEntry binary()
{
    return {"binary", "Yes or no", "Says which of two classes a sample belongs to, with a single output. The loss is binary cross-entropy, which has the sigmoid in it.", {}};
}

OptionEntry regression()
{
    ParamDescriptor delta = realParam("delta", "Bend", 1.0, 0.001, 1000.0, "Errors above this count in proportion, smaller ones squared. In deviations of the target.");
    delta.onlyWhen = "loss=huber";
    return {"regression", "Regression", "Predicts a number. Targets are scaled to mean 0 and deviation 1 for the loss; errors are shown in the target's own units.",
            {choiceParam("loss", "Loss", "mse",
                         {{"mse", "squared error", "Large errors count most: aims at the mean"},
                          {"mae", "absolute error", "All errors count in proportion: aims at the median, and outliers pull less"},
                          {"huber", "Huber", "Squared for small errors, in proportion for large ones"}},
                         "What training makes small."),
             std::move(delta)}};
}

OptionEntry autoencoder()
{
    return {"autoencoder", "Autoencoder", "Learns to give back what goes in, through a narrow middle. Finds what a sample is made of, cleans it, or tells the unusual. Needs no labels.",
            {choiceParam("loss", "Loss", "mse",
                         {{"mse", "squared error", "For numbers of any size"},
                          {"binary_crossentropy", "binary cross-entropy", "For numbers from 0 to 1, as pictures are. Has the sigmoid in it"}},
                         "What training makes small.")}};
}

OptionEntry language()
{
    return {"language", "Next symbol", "Says at each place of a text which symbol comes next; asked again and again, it writes on. The loss is cross-entropy: how surprised the network is by the symbol that came.",
            {realParam("label_smoothing", "Smoothing", 0.0, 0.0, 0.9,
                       "Spreads this share of each right answer over all symbols, so that the network does not become too sure of itself. The perplexity is told without it.")}};
}

constexpr double unknown = std::numeric_limits<double>::quiet_NaN();

double mean(double sum, std::int64_t count) { return count > 0 ? sum / static_cast<double>(count) : unknown; }

/// 1 − Σ(said − truth)² / Σ(truth − mean)², as scikit-learn's r2_score.
double determination(const MetricSums& sums)
{
    if (sums.count < 2) return unknown;
    const double spread = sums.targetSquared - sums.target * sums.target / static_cast<double>(sums.count);
    return spread > 1e-12 * std::max(1.0, sums.targetSquared) ? 1 - sums.squared / spread : unknown;
}

} // namespace

std::span<const OptionEntry> taskEntries()
{
    static const std::vector<OptionEntry> entries{classification(), binary(), regression(), autoencoder(), language()};
    return entries;
}

Target targetOf(const Configured& task)
{
    if (task.type == "binary") return Target::Flag;
    if (task.type == "regression") return Target::Number;
    if (task.type == "autoencoder") return Target::Input;
    if (task.type == "language") return Target::Next;
    return Target::Class;
}

std::vector<std::int64_t> outputSizes(const Configured& task, const DataFacts& data)
{
    switch (targetOf(task)) {
    case Target::Class: break;
    case Target::Flag:
    case Target::Number: return {1};
    case Target::Input: return data.input.sizes();
    case Target::Next: return {data.input.elements(), data.symbols};
    }
    return {data.classes};
}

std::string lossTitle(const Configured& task)
{
    const OptionEntry* entry = findOption(taskEntries(), task.type);
    if (const ParamDescriptor* loss = entry ? findParam(entry->params, "loss") : nullptr) return paramText(*loss, valueOf(entry->params, task.params, "loss"));
    return task.type == "binary" ? "binary cross-entropy" : "cross-entropy";
}

MetricSums& MetricSums::operator+=(const MetricSums& more)
{
    correct += more.correct;
    count += more.count;
    absolute += more.absolute;
    squared += more.squared;
    target += more.target;
    targetSquared += more.targetSquared;
    surprise += more.surprise;
    return *this;
}

std::span<const MetricEntry> metricsOf(std::string_view task)
{
    static const std::vector<MetricEntry> all{
        {"perplexity", "Perplexity", "perplexity", "Among how many symbols the network wavers on average: 1 is perfect, and as many as there are symbols no better than guessing.", false, false, true},
        {"accuracy", "Accuracy", "accuracy", "The share of answers that name the right class, or the right next symbol.", true, true, true},
        {"mae", "Mean absolute error", "mean error", "How far answers lie from the truth on average, in the target's own units.", false, false, true},
        {"r2", "R²", "R²", "The share of the targets' variation that the answers explain: 1 is perfect, 0 no better than always saying the mean.", true, false, false}};
    const std::span<const MetricEntry> metrics(all);
    if (task == "language") return metrics.subspan(0, 2);
    if (task == "classification" || task == "binary") return metrics.subspan(1, 1);
    if (task == "autoencoder") return metrics.subspan(2, 1);
    if (task == "regression") return metrics.subspan(2, 2);
    return {};
}

const MetricEntry* findMetric(std::string_view id)
{
    for (const char* task : {"language", "regression"})
        for (const MetricEntry& metric : metricsOf(task))
            if (metric.id == id) return &metric;
    return nullptr;
}

double metricOf(std::string_view id, const MetricSums& sums)
{
    if (id == "accuracy") return mean(static_cast<double>(sums.correct), sums.count);
    if (id == "mae") return mean(sums.absolute, sums.count);
    if (id == "perplexity") return std::exp(mean(sums.surprise, sums.count));
    if (id == "r2") return determination(sums);
    return unknown;
}

std::string metricText(const MetricEntry& metric, double value)
{
    if (!std::isfinite(value)) return "–";
    return metric.percent ? percentText(value) : realText(value);
}

const MetricEntry* mainMetric(std::string_view task)
{
    const auto metrics = metricsOf(task);
    return metrics.empty() ? nullptr : &metrics.front();
}

bool hasAccuracy(std::string_view task)
{
    const auto metrics = metricsOf(task);
    return std::any_of(metrics.begin(), metrics.end(), [](const MetricEntry& metric) { return metric.id == "accuracy"; });
}

std::int64_t answersPerSample(const Configured& task, const ValueType& sample) { return targetOf(task) == Target::Next ? sample.elements() : 1; }

} // namespace sconce
