// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
// The Try it page: a trained run answers drawings, pictures and samples, and shows where it is right and wrong.

#include "ui/services/studio.h"
#include "ui/tryit/model_worker.h"
#include "ui/widgets/page.h"

class QComboBox;
class QLabel;
class QPushButton;
class QSlider;
class QStackedWidget;
class QTableWidget;
class QVBoxLayout;

namespace sconce::ui {

class Card;
class ConfusionView;
class DrawCanvas;
class AnswersView;
class ElidedLabel;
class EmptyState;
class ProbabilityBars;
class ProgressStrip;
class SampleStrip;
class SegmentedControl;
class WriteView;

class TryItPage : public Page
{
    Q_OBJECT
  public:
    explicit TryItPage(Studio& studio, QWidget* parent = nullptr);
    void shown() override;
    void setCompact(bool narrow, bool low) override;

  private:
    void buildHeader();
    QWidget* buildDraw();
    QWidget* buildMiddle();
    QWidget* buildRight();
    void connectWorker();
    void fillRuns();
    void loadChosen();
    void clearModel(const QString& message);
    void modelLoaded(const LoadedModel& model);
    void showAnswer(const Answer& answer);
    void showReport(const EvaluationReport& report);
    void showClasses(const EvaluationReport* report);
    /// labels.cpp: of samples with several labels.
    void arrangeFor(const LoadedModel& model);
    void showLabelReport(const EvaluationReport& report);
    void answerLabels(const Answer& answer);
    void showLabelMistakes();
    bool hasLabels() const { return m_model && !m_model->info.labelNames.empty(); }
    /// Classes, or labels where samples have those.
    const std::vector<std::string>& outputNames() const { return hasLabels() ? m_model->info.labelNames : m_model->info.classes; }
    void sizeTable();
    void showMistakes();
    void showCell(int truth, int said);
    void answerCanvas();
    void answerPicture(const Picture& picture);
    void forgetAnswer();
    void openPicture(const QString& path);
    void showSample(Part part, std::int64_t row);
    void anySample();
    void saveModel();
    /// True if there is a model that drawings and pictures are shown to.
    bool takesPictures() const;
    /// No run yet; canvas and matrix; the answers of what is no picture's class; or a text that is written.
    void showPlace();

    Studio& m_studio;
    ModelWorker* m_worker = nullptr;
    std::optional<LoadedModel> m_model;
    std::optional<EvaluationReport> m_report;
    RunId m_wanted; ///< the run to show, from another page
    std::string m_loading; ///< what is loaded or on its way: run, and its step once it has ended
    std::uint64_t m_sample = 0;
    int m_subject = 0; ///< counts what is shown to the model: an answer to something put away is not shown
    bool m_narrow = false;

    QStackedWidget* m_stack = nullptr;
    QComboBox *m_run = nullptr, *m_weights = nullptr, *m_device = nullptr;
    QPushButton* m_save = nullptr;
    DrawCanvas* m_canvas = nullptr;
    ProbabilityBars* m_bars = nullptr;
    QLabel *m_said = nullptr, *m_sure = nullptr, *m_next = nullptr, *m_took = nullptr, *m_seen = nullptr, *m_problem = nullptr, *m_dataNote = nullptr;
    std::vector<QWidget*> m_needData; ///< of no use without samples
    QSlider* m_pen = nullptr;
    AnswersView* m_answers = nullptr;
    WriteView* m_write = nullptr;
    Card *m_matrixCard = nullptr, *m_mistakesCard = nullptr;
    ConfusionView* m_confusion = nullptr;
    ProbabilityBars* m_scores = nullptr;     ///< in place of the matrix: F1 of each label
    std::vector<QWidget*> m_ofMatrix;        ///< its legend and unit
    ProgressStrip* m_progress = nullptr;
    QLabel* m_progressText = nullptr;
    SegmentedControl* m_tabs = nullptr;
    ElidedLabel* m_mistakeCount = nullptr;
    SampleStrip* m_strip = nullptr;
    QTableWidget* m_perClass = nullptr;
    QWidget* m_places[2] = {nullptr, nullptr};
    QStackedWidget* m_lower = nullptr; ///< samples; by class and model in a narrow window
    Card *m_classCard = nullptr, *m_modelCard = nullptr;
    QWidget *m_right = nullptr, *m_modelFacts = nullptr;
    QLabel* m_drawNote = nullptr;
    QLabel* m_firstFact = nullptr; ///< what the first of them is called
    std::vector<QLabel*> m_facts;
};

} // namespace sconce::ui
