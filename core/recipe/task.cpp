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
                         "How much each class counts in the loss. Balanced, rare classes are found more often, and common ones are missed a little more. Costs no time.")}};
}

OptionEntry binary()
{
    return {"binary", "Yes or no", "Says which of two classes a sample belongs to, with a single output. The loss is binary cross-entropy, which has the sigmoid in it.", {}};
}

OptionEntry multilabel()
{
    return {"multilabel", "Several labels", "Says of each label whether a sample has it: any number of them at once, as a picture may show a dog and a ball. The loss is binary cross-entropy, the mean over the labels, which has the sigmoid in it.",
            {realParam("threshold", "Threshold", 0.5, 0.01, 0.99, "How probable a label must be to be said. Lower finds more of them, and is wrong more often. It changes the metrics and the answers, not what is learned."),
             choiceParam("positive_weights", "Label weights", "none",
                         {{"none", "none", "Every answer counts alike"}, {"balanced", "balanced", "Of each label, the samples that have it count as much as those that do not"}},
                         "How much samples that have a label count in the loss, beside those that do not. Balanced, rare labels are found more often, where a network would learn never to say them, and are also said more often by mistake. Costs no time.")}};
}

OptionEntry regression()
{
    ParamDescriptor delta = realParam("delta", "Bend", 1.0, 0.001, 1000.0, "Errors above this count in proportion, smaller ones squared. In deviations of the target. Smaller lets outliers pull less, and is less exact where there are none.");
    delta.onlyWhen = "loss=huber";
    return {"regression", "Regression", "Predicts a number. Targets are scaled to mean 0 and deviation 1 for the loss; errors are shown in the target's own units.",
            {choiceParam("loss", "Loss", "mse",
                         {{"mse", "squared error", "Large errors count most: aims at the mean"},
                          {"mae", "absolute error", "All errors count in proportion: aims at the median, and outliers pull less"},
                          {"huber", "Huber", "Squared for small errors, in proportion for large ones"}},
                         "What training makes small. They take the same time; they differ in how far single large errors pull."),
             std::move(delta)}};
}

OptionEntry autoencoder()
{
    return {"autoencoder", "Autoencoder", "Learns to give back what goes in, through a narrow middle. Finds what a sample is made of, cleans it, or tells the unusual. Needs no labels.",
            {choiceParam("loss", "Loss", "mse",
                         {{"mse", "squared error", "For numbers of any size"},
                          {"binary_crossentropy", "binary cross-entropy", "For numbers from 0 to 1, as pictures are. Has the sigmoid in it"}},
                         "What training makes small. They take the same time: go by what the numbers are.")}};
}

OptionEntry language()
{
    return {"language", "Next symbol", "Says at each place of a text which symbol comes next; asked again and again, it writes on. The loss is cross-entropy: how surprised the network is by the symbol that came.",
            {realParam("label_smoothing", "Smoothing", 0.0, 0.0, 0.9,
                       "Spreads this share of each right answer over all symbols, so that the network does not become too sure of itself. Costs nothing, and the loss no longer falls to 0; the perplexity is told without it.")}};
}

constexpr double unknown = std::numeric_limits<double>::quiet_NaN();

double mean(double sum, std::int64_t count) { return count > 0 ? sum / static_cast<double>(count) : unknown; }

/// As scikit-learn's f1_score has them, 0 of a label that is neither there nor said.
double ofLabels(std::string_view id, const MetricSums& sums)
{
    if (sums.count == 0 || sums.labels.empty()) return unknown;
    if (id == "macro_f1") return macroF1(sums.labels, sums.classes);
    LabelCounts all;
    for (const LabelCounts& label : sums.labels) all += label;
    const auto labels = static_cast<double>(sums.labels.size());
    return id == "micro_f1" ? all.f1() : 1 - static_cast<double>(all.wrong + all.missed) / (static_cast<double>(sums.count) * labels);
}

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
    static const std::vector<OptionEntry> entries{classification(), binary(), multilabel(), regression(), autoencoder(), language()};
    return entries;
}

Target targetOf(const Configured& task)
{
    if (task.type == "binary") return Target::Flag;
    if (task.type == "multilabel") return Target::Labels;
    if (task.type == "regression") return Target::Number;
    if (task.type == "autoencoder") return Target::Input;
    if (task.type == "language") return Target::Next;
    return Target::Class;
}

double labelCut(const Configured& task)
{
    const OptionEntry* entry = findOption(taskEntries(), task.type);
    if (!entry || !findParam(entry->params, "threshold")) return 0;
    const double threshold = std::get<double>(valueOf(entry->params, task.params, "threshold"));
    return std::log(threshold / (1 - threshold));
}

std::vector<std::int64_t> outputSizes(const Configured& task, const DataFacts& data)
{
    switch (targetOf(task)) {
    case Target::Class: break;
    case Target::Flag:
    case Target::Number: return {1};
    case Target::Labels: return {data.labels};
    case Target::Input: return data.input.sizes();
    case Target::Next: return {data.input.elements(), data.symbols};
    }
    return {data.classes};
}

std::string lossTitle(const Configured& task)
{
    const OptionEntry* entry = findOption(taskEntries(), task.type);
    if (const ParamDescriptor* loss = entry ? findParam(entry->params, "loss") : nullptr) return paramText(*loss, valueOf(entry->params, task.params, "loss"));
    return task.type == "binary" || task.type == "multilabel" ? "binary cross-entropy" : "cross-entropy";
}

double LabelCounts::precision() const { return found > 0 ? static_cast<double>(found) / static_cast<double>(found + wrong) : 0; }
double LabelCounts::recall() const { return found > 0 ? static_cast<double>(found) / static_cast<double>(there()) : 0; }
double LabelCounts::f1() const { return found > 0 ? 2 * static_cast<double>(found) / static_cast<double>(2 * found + wrong + missed) : 0; }

LabelCounts& LabelCounts::operator+=(const LabelCounts& more)
{
    found += more.found;
    wrong += more.wrong;
    missed += more.missed;
    return *this;
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
    near += more.near;
    classes = classes || more.classes;
    if (labels.size() < more.labels.size()) labels.resize(more.labels.size());
    for (std::size_t i = 0; i < more.labels.size(); ++i) labels[i] += more.labels[i];
    return *this;
}

namespace {

/// Neighbours belong to one task; some to two.
std::span<const MetricEntry> allMetrics()
{
    static const std::vector<MetricEntry> all{
        {"perplexity", "Perplexity", "perplexity", "Among how many symbols the network wavers on average: 1 is perfect, and as many as there are symbols no better than guessing.", false, false, true},
        {"accuracy", "Accuracy", "accuracy", "The share of answers that name the right class, or the right next symbol.", true, true, true},
        {"micro_f1", "F1", "F1", "Of labels said and labels there, taken together, how many are both: 1 is perfect. Labels that are rare count little; saying none at all is 0.", true, true, true},
        {"exact_match", "All labels right", "all right", "The share of samples of which every label is right.", true, true, true},
        {"label_accuracy", "Label accuracy", "label accuracy", "The share of answers, over all samples and labels, that are right. Where labels are rare, saying none at all comes far.", true, true, true},
        {"macro_f1", "Macro F1", "macro F1", "The mean of every class's or label's own F1, in which rare ones count as much as common ones. Classes that are neither there nor said are left out.", true, true, false},
        {"top5_accuracy", "Top-5 accuracy", "top 5", "The share of samples whose class is among the five likeliest; of six classes or more.", true, true, false},
        {"mae", "Mean absolute error", "mean error", "How far answers lie from the truth on average, in the target's own units.", false, false, true},
        {"r2", "R²", "R²", "The share of the targets' variation that the answers explain: 1 is perfect, 0 no better than always saying the mean.", true, false, false}};
    return all;
}

} // namespace

std::span<const MetricEntry> metricsOf(std::string_view task)
{
    if (task == "language") return allMetrics().subspan(0, 2);
    if (task == "classification" || task == "binary") return allMetrics().subspan(1, 1);
    if (task == "multilabel") return allMetrics().subspan(2, 4);
    if (task == "autoencoder") return allMetrics().subspan(7, 1);
    if (task == "regression") return allMetrics().subspan(7, 2);
    return {};
}

std::span<const MetricEntry> furtherMetricsOf(std::string_view task) { return task == "classification" ? allMetrics().subspan(5, 2) : std::span<const MetricEntry>(); }

const MetricEntry* findMetric(std::string_view id)
{
    const auto all = allMetrics();
    const auto found = std::find_if(all.begin(), all.end(), [&](const MetricEntry& metric) { return metric.id == id; });
    return found == all.end() ? nullptr : &*found;
}

double macroF1(std::span<const LabelCounts> counts, bool classes)
{
    double sum = 0;
    std::int64_t occur = 0;
    for (const LabelCounts& each : counts) {
        sum += each.f1();
        occur += !classes || each.there() + each.wrong > 0;
    }
    return mean(sum, occur);
}

double metricOf(std::string_view id, const MetricSums& sums)
{
    if (id == "top5_accuracy") return sums.labels.size() > 5 ? mean(static_cast<double>(sums.near), sums.count) : unknown;
    if (id == "exact_match") return mean(static_cast<double>(sums.correct), sums.count);
    if (id == "label_accuracy" || id == "micro_f1" || id == "macro_f1") return ofLabels(id, sums);
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
