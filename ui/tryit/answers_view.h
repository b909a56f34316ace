// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
// Answers that are no picture's class: of a table's rows, truth beside answer, the worst first (of labels with a bar for
// each of the chosen row); of an autoencoder, what went in
// above what came out. Shown in place of the canvas and the confusion matrix, which would have nothing to say.

#include "core/evaluate/evaluate.h"

#include <QImage>
#include <QWidget>

class QLabel;
class QTableWidget;

namespace sconce::ui {

class Card;
class ProbabilityBars;
class ProgressStrip;
struct LoadedModel;

/// Pairs of pictures, as many as fit.
class PairsView : public QWidget
{
    Q_OBJECT
  public:
    explicit PairsView(QWidget* parent = nullptr);
    void setPairs(std::vector<std::pair<QImage, QImage>> pairs);
    int count() const { return static_cast<int>(m_pairs.size()); }

  protected:
    void paintEvent(QPaintEvent*) override;

  private:
    std::vector<std::pair<QImage, QImage>> m_pairs;
};

class AnswersView : public QWidget
{
    Q_OBJECT
  public:
    explicit AnswersView(QWidget* parent = nullptr);
    /// True if the model's answers belong here.
    static bool fits(const LoadedModel& model);
    void setModel(const LoadedModel& model);
    void setProgress(std::int64_t done, std::int64_t total);
    void setReport(const LoadedModel& model, const EvaluationReport& report);

  private:
    void fillRows(const LoadedModel& model, const EvaluationReport& report);
    QWidget* buildSide();
    void fillLabels(const EvaluationReport& report);
    void showRow(int line);
    void fillPairs(const LoadedModel& model, const EvaluationReport& report);

    Card* m_card = nullptr;
    ProgressStrip* m_progress = nullptr;
    QTableWidget* m_rows = nullptr;
    PairsView* m_pairs = nullptr;
    QWidget* m_side = nullptr;           ///< of labels: those of the chosen row, and how well each is told
    QLabel* m_sideTitle = nullptr;
    ProbabilityBars *m_bars = nullptr, *m_scores = nullptr;
    std::vector<std::vector<float>> m_answers; ///< per line, of each label
};

} // namespace sconce::ui
