// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
// Below the table: the curves of the runs compared, over each other, and what differs in their recipes. Both are filled from
// one reading of the store, off the window's thread.

#include "ui/charts/plot_view.h"
#include "ui/services/studio.h"
#include "ui/widgets/parts.h"

class QComboBox;
class QGridLayout;
class QScrollArea;

namespace sconce::ui {

/// Metric: the main one of each run's task.
enum class CompareMetric { ValMetric, ValLoss, TrainMetric, TrainLoss };
enum class CompareAxis { Epoch, Step, Time };

/// One run of the comparison, ready to draw. y are raw values; x in all three units.
struct ComparedRun
{
    RunRow row;
    Recipe recipe;
    std::vector<double> epoch, step, seconds, y;
};

/// Reads the curve of one run (at most some hundred buckets) and its recipe. Any thread but the window's.
ComparedRun readCompared(Store& store, const RunRow& row, CompareMetric metric);

class CompareCard : public Card
{
    Q_OBJECT
  public:
    CompareCard(Studio& studio, QWidget* parent = nullptr);
    CompareMetric metric() const;
    void setRuns(const std::vector<ComparedRun>& runs, bool letters);

  Q_SIGNALS:
    void metricChanged();

  private:
    void draw();
    std::vector<ComparedRun> m_runs;
    bool m_letters = false;
    QComboBox *m_metric = nullptr, *m_axis = nullptr;
    QWidget* m_legend = nullptr;
    QLabel* m_hint = nullptr;
    PlotView* m_plot = nullptr;
};

class DifferencesCard : public Card
{
    Q_OBJECT
  public:
    explicit DifferencesCard(QWidget* parent = nullptr);
    void setRuns(const std::vector<ComparedRun>& runs, bool letters);
    /// Rows as shown, a line each, values separated by tabs; for tests and the clipboard.
    QString shownText() const { return m_text; }

  Q_SIGNALS:
    void clearWanted();

  private:
    QScrollArea* m_scroll = nullptr;
    QPushButton* m_clear = nullptr;
    QString m_text;
};

} // namespace sconce::ui
