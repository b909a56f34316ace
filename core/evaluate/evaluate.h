// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
// A trained model at work: metrics of a part, confusion matrix, per class, mistakes, and answers to single inputs. A Model is a
// Session without optimiser, opened from a checkpoint; used by one thread.

#include "core/engine/session.h"
#include "core/formats/picture.h"

#include <memory>

namespace sconce {

/// Of a class or a label: samples that are of it, and how well it was found. 0 where nothing was said or nothing was there.
struct ClassMetrics { std::int64_t count = 0; double precision = 0, recall = 0, f1 = 0; };
ClassMetrics classMetrics(const LabelCounts& counts);
struct Mistake { std::int64_t row = 0; int truth = 0, said = 0; float confidence = 0; };

/// Where labels were said wrongly: a place in EvaluationReport::rows.
struct LabelMiss { std::size_t place = 0; int wrong = 0; ///< labels
                   double off = 0; ///< Σ |probability − truth| over the labels
};

/// A number that was predicted far from the truth.
struct Miss { std::int64_t row = 0; float truth = 0, said = 0; };

struct EvaluationReport
{
    std::string part;                        ///< "train", "validation", "test"
    std::string task = "classification";
    double loss = 0, accuracy = 0;           ///< accuracy: NaN where the task has none
    /// Classes alone, else NaN: the truth is among the five likeliest (NaN for five classes or fewer, where that says nothing); the
    /// mean of the classes' F1, as macroF1() has it and a run tells it.
    double top5, macroF1;
    EvaluationReport();
    std::vector<std::pair<std::string, double>> metrics; ///< of the task, by id, in its order
    std::int64_t count = 0;                  ///< samples; of a text, symbols
    std::vector<std::string> classes;
    std::vector<std::vector<std::int64_t>> confusion; ///< [truth][said]
    std::vector<ClassMetrics> perClass;      ///< count: samples that are of the class or have the label
    std::vector<Mistake> mistakes;           ///< most confident first
    std::vector<std::int64_t> rows;          ///< of the stored part, in order of evaluation
    std::vector<std::int32_t> said;          ///< class per row
    std::vector<float> confidence;           ///< of that class
    std::vector<float> truths, answers;      ///< regression: per row, in the target's own units; autoencoder: the first rows given back
    std::vector<std::string> labels;         ///< several labels a sample: their names; perClass is theirs, answers and truths are [rows, labels], truths 0 and 1
    double threshold = 0.5;                  ///< the probability above which a label is said
    std::vector<LabelMiss> labelMisses;      ///< rows with a wrong label, those with the most first
    std::vector<Miss> misses;                ///< regression: the widest first
    Part storedIn = Part::Test;
    double seconds = 0;
    Json toJson() const;

  private:
    Json withLabels(Json json) const;
};

/// rows of the stored part and its labels → the report, from probabilities [rows, classes].
EvaluationReport reportFrom(const DatasetInfo& info, Part part, std::span<const std::int64_t> rows, std::span<const std::int32_t> labels,
                            std::span<const float> probabilities);

/// The rows that a recipe's split calls "train", "validation" or "test".
Result<std::pair<Part, std::vector<std::int64_t>>> rowsOf(const Recipe& recipe, const DatasetInfo& info, const std::string& split);

/// Opens a session without optimiser on the device with the given weights, and the scaling of their run (scalingIn).
Result<std::unique_ptr<Session>> openModel(const Recipe& recipe, const ValueType& input, std::span<const TensorView> weights, const std::string& device, int threads, const Scaling& scaling = {});

Result<EvaluationReport> evaluateModel(Session& model, const Recipe& recipe, DatasetPtr data, const std::string& split, const Session::Progress& progress);

/// Brings any picture to the record that the data set would have held (size, channels, channels first). For drawn digits: grey, light on dark.
std::vector<std::uint8_t> recordFrom(const Picture& picture, const ValueType& sample);
/// As MNIST's makers did: crops a drawing to its ink, scales it to 20/28 of the target and centres it by its centre of mass.
Picture centredDrawing(const Picture& drawing, int width, int height);

} // namespace sconce
