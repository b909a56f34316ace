// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
// The Compose page: palette, stack, inspector, training settings, problems and estimate around one RecipeDocument.

#include "ui/compose/draft.h"
#include "ui/compose/recipe_document.h"
#include "ui/services/studio.h"
#include "ui/widgets/page.h"

#include <QTimer>

#include <memory>

class QStackedWidget;
class QTabBar;
class QUndoStack;

namespace sconce::ui {

class ComposeHeader;
class EstimateBar;
class LayerInspector;
class Palette;
class ProblemPanel;
class RecipeFiles;
class StackHeader;
class StackModel;
class StackView;
class TrainingPanel;

class ComposePage : public Page
{
    Q_OBJECT
  public:
    explicit ComposePage(Studio& studio, QWidget* parent = nullptr);
    ~ComposePage() override;

    RecipeDocument& document() { return *m_document; }
    void shown() override;
    void setCompact(bool narrow, bool low) override;

  protected:
    void resizeEvent(QResizeEvent* event) override;
    void dragEnterEvent(QDragEnterEvent* event) override;
    void dropEvent(QDropEvent* event) override;

  private:
    RecipeDocument::Context context();
    std::vector<Problem> machineProblems(const Recipe& recipe) const;
    void makeBody();
    void makeShortcuts();
    void step(void (QUndoStack::*how)()); ///< undo or redo by key
    void connectDocument();
    void connectServices();
    void restoreDraft();
    void keepDraft();
    void addLayer(const QString& type);
    void takeData(const DatasetId& id); ///< *Train on this data*: with the split and the steps chosen there
    void openPalette();
    void placePalette();
    void followSelection();
    void start();
    void chooseWeightsFile();              ///< to start from
    void chooseWeightsRun(const QPoint& at);
    void takeWeights(const std::string& runOrFile);
    void updateTiming();
    void updateFinder();
    void findRate();
    void findBatch();
    void profile();
    void updateDevice();

    Studio& m_studio;
    RecipeDocument* m_document = nullptr;
    StackModel* m_model = nullptr;
    RecipeFiles* m_files = nullptr;
    ComposeHeader* m_composeHeader = nullptr;
    Palette* m_palette = nullptr;
    StackView* m_stack = nullptr;
    StackHeader* m_columns = nullptr;
    ProblemPanel* m_problems = nullptr;
    QWidget* m_side = nullptr;
    QTabBar* m_tabs = nullptr;
    QStackedWidget* m_panels = nullptr;
    LayerInspector* m_layer = nullptr;
    TrainingPanel* m_training = nullptr;
    EstimateBar* m_estimate = nullptr;
    std::unique_ptr<DraftKeeper> m_draft;
    QTimer m_draftTimer, m_timingTimer;
    QString m_timingState;
    bool m_narrow = false, m_low = false, m_paletteAsked = false, m_starting = false;
};

} // namespace sconce::ui
