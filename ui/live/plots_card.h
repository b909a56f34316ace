// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
// The curves of a run: loss and the main metric of its task (raw, smoothed, validation), learning rate and the hardware strips, all over one x axis
// in steps, epochs or time, with one hover line and one box of values. Redraws only when it is told that numbers came.

#include "ui/charts/plot_view.h"
#include "ui/live/curve_data.h"

#include <QFrame>

#include <optional>

class QCheckBox;
class QComboBox;
class QLabel;
class QMenu;
class QPushButton;
class QToolButton;
class QVBoxLayout;

namespace sconce::ui {

class AxisRow;
class Gutter;
class HoverBox;
class SegmentedControl;

class PlotsCard : public QFrame
{
    Q_OBJECT
  public:
    PlotsCard(Studio& studio, QWidget* parent = nullptr);
    /// Draws the run as it stands now. `other`: it is not the run drawn before.
    void refresh(std::shared_ptr<const LiveRun> live, bool other);
    void setCompact(bool narrow, bool low);
    /// As drawn: with the smoothing chosen.
    const std::vector<double>& smoothedLoss() const { return m_lossMean.values(); }
    const std::vector<double>& smoothedMetric() const { return m_metricMean.values(); }

  protected:
    void resizeEvent(QResizeEvent* event) override;

  private:
    struct Row
    {
        QString id;
        QWidget* box = nullptr;
        PlotView* plot = nullptr;
        Gutter* gutter = nullptr;
        bool strip = false;
    };
    void buildToolbar(QVBoxLayout* column);
    Row& row(const QString& id, const QString& title, const QString& term, bool strip);
    void draw();
    void fitRange();
    void drawLoss();
    void drawMainMetric();
    void drawRate();
    void drawHardware();
    /// `part`: another reading, in the same unit and never above, drawn within.
    struct Strip { std::string key; QString title, note; Token token; double top = 1; PlotView::YFormat format = PlotView::YFormat::Number; std::string part = {}; QString partNote = {}; };
    void drawStrip(const Strip& strip);
    Points stripPoints(const std::string& key) const;
    void drawMetric(Row& row, const std::vector<double>& raw, RunningMean& mean, Extremes& extremes, const std::vector<double>& validation, const MetricEntry* metric);
    void showHover(double x);
    void zoom(double from, double to);
    void arrangeStrips();
    bool stripWanted(const QString& id) const;
    const MetricEntry* metric() const { return m_live ? mainMetric(m_live->row.task) : nullptr; }
    int bestIndex() const;
    std::optional<double> failedStep() const; ///< 0-based, of a run that failed with NaN

    Studio& m_studio;
    std::shared_ptr<const LiveRun> m_live;
    XMode m_mode = XMode::Epoch;
    double m_from = 0, m_to = 1;
    std::optional<std::pair<double, double>> m_zoom;
    RunningMean m_lossMean, m_metricMean;
    Extremes m_lossExtremes, m_metricExtremes, m_rateExtremes;
    std::vector<Row> m_rows;
    std::size_t m_hardwarePoints = 0;
    bool m_low = false;

    SegmentedControl* m_axis = nullptr;
    QComboBox* m_smooth = nullptr;
    QCheckBox* m_log = nullptr;
    QPushButton* m_showAll = nullptr;
    QToolButton* m_strips = nullptr;
    QMenu* m_stripsMenu = nullptr;
    QVBoxLayout* m_plots = nullptr;
    AxisRow* m_axisRow = nullptr;
    HoverBox* m_hover = nullptr;
};

} // namespace sconce::ui
