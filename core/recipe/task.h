// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
// What a network is to do: what each task wants of the data and of the network's output, and the numbers that say how well it
// does. The settings of a task are in taskEntries() (recipe.h), its loss in the engine. Pure values; any thread.

#include "core/recipe/recipe.h"

namespace sconce {

/// The logit above which a label is said: ln(t / (1 − t)) of the task's threshold; 0 for other tasks.
double labelCut(const Configured& task);

/// What a task wants of the network's output, as sizes without the batch: {10}, {1}, {1, 28, 28}, {64, 65}.
std::vector<std::int64_t> outputSizes(const Configured& task, const DataFacts& data);
/// What its loss is called, in the middle of a sentence: "cross-entropy", "squared error".
std::string lossTitle(const Configured& task);

/// What the output is compared with.
enum class Target {
    Class,  ///< one of several classes; one output per class
    Flag,   ///< one of two classes; one output, above 0 for the second
    Input,  ///< what went in; outputs of the same shape
    Number, ///< the data's number; one output
    Labels, ///< any number of labels, each there or not; one output per label, above the threshold for one that is there
    Next    ///< the symbol that comes next, at each place of a text; there one output per symbol
};
/// Class for a task that is not known: validation says so.
Target targetOf(const Configured& task);

/// What was said of one label, over samples.
struct LabelCounts
{
    std::int64_t found = 0;  ///< said, and there
    std::int64_t wrong = 0;  ///< said, and not there
    std::int64_t missed = 0; ///< there, and not said
    std::int64_t there() const { return found + missed; }
    double precision() const; ///< of those said, the share that is there; 0 where none was said
    double recall() const;    ///< of those there, the share that was found; 0 where none is there
    double f1() const;        ///< 2·found / (2·found + wrong + missed), 0 of nothing, as scikit-learn's f1_score
    LabelCounts& operator+=(const LabelCounts& more);
    bool operator==(const LabelCounts&) const = default;
};

/// Sums over samples (of a text: over its symbols), from which every metric follows; those of pieces, batches and epochs add up.
struct MetricSums
{
    std::int64_t correct = 0, count = 0; ///< right: of labels, samples with every one right
    double absolute = 0;      ///< Σ |said − truth|; of each sample the mean over its numbers
    double squared = 0;       ///< Σ (said − truth)²
    double target = 0;        ///< Σ truth, counted from the mean of training so that nothing cancels
    double targetSquared = 0; ///< Σ truth², the same
    double surprise = 0;      ///< Σ −ln of the probability given to the truth
    std::vector<LabelCounts> labels = {}; ///< of each label, in their order; of classes, where all of a part were asked (Loss::sums); else empty
    std::int64_t near = 0;    ///< of classes, the same: the truth is among the five likeliest
    bool classes = false;     ///< `labels` are classes, of which each sample has one
    MetricSums& operator+=(const MetricSums& more);
    bool operator==(const MetricSums&) const = default;
};

/// A number that says how well a network does.
struct MetricEntry
{
    std::string id;      ///< in JSON and series: "accuracy", "mae", "r2"
    std::string title;   ///< "Mean absolute error"
    std::string brief;   ///< "error": in a sentence or a narrow column
    std::string help;
    bool higherIsBetter = true;
    bool percent = false; ///< a share, shown as 99.15 %
    bool perStep = true;  ///< makes sense for a single batch
};
/// Of a task, the one that is shown first in front; empty for a task that is not known.
std::span<const MetricEntry> metricsOf(std::string_view task);
/// Known of validation and test alone, besides metricsOf(): what would cost every step of a GPU something. NaN where they say nothing.
std::span<const MetricEntry> furtherMetricsOf(std::string_view task);
const MetricEntry* findMetric(std::string_view id);
/// The mean of each one's F1, as scikit-learn's f1_score(average="macro") has it: of classes, those that are a truth or an answer among the
/// samples (an answer beyond the classes, of a network with spare outputs, is a miss and no class of its own); of labels, all of them, and
/// 0 of one that is neither there nor said. NaN of nothing.
double macroF1(std::span<const LabelCounts> counts, bool classes);
/// NaN where the sums do not say: no samples, or (R²) targets that are all alike. Perplexity is exp of the mean surprise.
double metricOf(std::string_view id, const MetricSums& sums);
/// "99.15 %", "0.5124", "–" where it is not known.
std::string metricText(const MetricEntry& metric, double value);
bool hasAccuracy(std::string_view task);
/// How many answers a sample asks for, each counted in MetricSums: of a text one per symbol.
std::int64_t answersPerSample(const Configured& task, const ValueType& sample);
/// The metric that lists and tiles show, or nullptr.
const MetricEntry* mainMetric(std::string_view task);

} // namespace sconce
