// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
// A card of the Hardware page: name and state, facts in words, four plots with their present value above them.

#include "ui/charts/plot_view.h"
#include "ui/services/studio.h"

#include <QFrame>

class QGridLayout;
class QLabel;

namespace sconce::ui {

class StatusPill;

/// Bars of how busy each core is; any number of cores fits.
class CoreBars : public QWidget
{
    Q_OBJECT
  public:
    explicit CoreBars(QWidget* parent = nullptr);
    void setCores(std::vector<double> shares);

  protected:
    void paintEvent(QPaintEvent* event) override;

  private:
    std::vector<double> m_shares;
};

class DeviceCard : public QFrame
{
    Q_OBJECT
  public:
    DeviceCard(const QString& title, const QString& subtitle, QWidget* parent);
    void setState(const QString& status, const QString& words); ///< a pill: "running" + "used for training"; empty hides it
    void setFact(const QString& name, const QString& value, bool wraps = false); ///< wraps: as many lines as it takes; else one
    /// A plot with its caption line; index for setPlot.
    int addPlot(const QString& caption, Token token, PlotView::YFormat format);
    int addBars(const QString& caption);
    /// value: the present one in words; aside: "of 140 GiB". Points: seconds before now (≤ 0) and values.
    void setPlot(int index, const QString& value, const QString& aside, std::vector<double> x, std::vector<double> y, double top, double span);
    void setBars(int index, const QString& value, const QString& aside, std::vector<double> shares);
    void setColumns(int columns); ///< plots in a row: 4, or 2 in a small window
    QString asText() const;

  private:
    struct PlotSlot { QWidget* box; QLabel* caption; QLabel* value; QLabel* aside; PlotView* plot; CoreBars* bars; Token token; PlotView::YFormat format; };
    int addSlot(const QString& caption);
    QLabel* m_title = nullptr;
    QLabel* m_subtitle = nullptr;
    StatusPill* m_pill = nullptr;
    QGridLayout* m_facts = nullptr;
    QGridLayout* m_plots = nullptr;
    std::vector<PlotSlot> m_slots;
    std::vector<std::pair<QLabel*, QLabel*>> m_factLabels;
    int m_columns = 4;
};

} // namespace sconce::ui
