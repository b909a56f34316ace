// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
// How the network is trained: goal, optimiser, learning rate and its schedule with a preview, length, split, checkpoints,
// seed. Every field edits the recipe through the document.

#include "ui/compose/param_form.h"
#include "ui/compose/recipe_document.h"

#include <QScrollArea>

class QLabel;
class QLineEdit;
class QPushButton;
class QTimer;
class QToolButton;

namespace sconce::ui {

class PlotView;

class TrainingPanel : public QScrollArea
{
    Q_OBJECT
  public:
    explicit TrainingPanel(RecipeDocument& document, QWidget* parent = nullptr);
    void setLabelWidth(int width);
    /// Threads that "as many as the machine allows" means; 0 while unknown.
    void setUsableThreads(int threads);
    /// Whether a few steps can be tried now (a rate or a batch looked for, a profile made), and if not why: the tooltip of their buttons.
    void setTrials(bool possible, const QString& why);

  Q_SIGNALS:
    void findRateRequested();
    void findBatchRequested();
    void profileRequested();
    void weightsFileWanted();                    ///< to start from: a file
    void weightsRunWanted(const QPoint& global); ///< a run, chosen in a menu there

  private:
    /// A field of the recipe that no catalogue describes: its descriptor, and how it is read and written.
    struct Setting
    {
        std::string path; ///< JSON pointer, for errors: "/training/epochs"
        std::function<ParamValue(const Recipe&)> get;
        std::function<void(Recipe&, const ParamValue&)> set;
        ParamField* field;
        FieldRow* row;
    };
    QVBoxLayout* section(const QString& title);
    Setting& add(QVBoxLayout* where, const ParamDescriptor& descriptor, const QString& term, std::string path,
                 std::function<ParamValue(const Recipe&)> get, std::function<void(Recipe&, const ParamValue&)> set);
    ParamForm* addForm(QVBoxLayout* where, const QString& prefix, Configured TrainingSettings::*which);
    void makeGoal();
    void makeOptimiser();
    void makeLength();
    void makeOptions();
    void makeStart(QVBoxLayout* where);
    void fillOptions();
    void makeSafety();
    void makeSeed(QVBoxLayout* where);
    QPushButton* addTrial(QVBoxLayout* where, const char* icon, const QString& words, const char* name);
    void update();
    void drawSchedule();
    void sayRecomputing();
    void sayBest();

    RecipeDocument& m_document;
    QWidget* m_content = nullptr;
    QVBoxLayout* m_column = nullptr;
    std::vector<std::unique_ptr<Setting>> m_settings;
    std::vector<FieldRow*> m_rows;
    ParamForm* m_taskForm = nullptr;
    FieldRow* m_lossRow = nullptr; ///< where a task has but one loss
    QLabel* m_loss = nullptr;
    ParamForm* m_optimiserForm = nullptr;
    ParamForm* m_scheduleForm = nullptr;
    std::vector<ParamForm*> m_optionForms; ///< of trainingOptions(), in its order
    QPushButton *m_findRate = nullptr, *m_findBatch = nullptr, *m_profile = nullptr;
    PlotView* m_plot = nullptr;
    QLabel* m_plotWords = nullptr;
    QLabel* m_recomputing = nullptr;  ///< what computing blocks again saves and costs
    QTimer* m_settled = nullptr;      ///< worked out when the recipe has stood still: it is not for every key press
    QLineEdit* m_seed = nullptr;
    FieldRow* m_seedRow = nullptr;
    QLabel* m_start = nullptr; ///< what training starts from, in words
    QToolButton* m_startClear = nullptr;
    Setting* m_validation = nullptr;
    Setting* m_testShare = nullptr;
    Setting* m_threads = nullptr;
    Setting* m_everyEpochs = nullptr;
    Setting* m_everyMinutes = nullptr;
    Setting* m_best = nullptr; ///< keeping the best checkpoint, by what early stopping watches
    int m_usableThreads = 0;
    bool m_compact = false;
};

} // namespace sconce::ui
