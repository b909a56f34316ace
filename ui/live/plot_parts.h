// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
// Parts of the curves' card: the gutter with names and present values, the axis below all plots, the box under the mouse.

#include "ui/live/curve_data.h"
#include "ui/theme/theme.h"

#include <QFrame>

#include <vector>

class QGridLayout;
class QLabel;
class QVBoxLayout;

namespace sconce::ui {

/// Names and present values beside a plot, 192 px wide.
class Gutter : public QWidget
{
    Q_OBJECT
  public:
    Gutter(const QString& title, const QString& term, QWidget* parent = nullptr);
    struct Line { std::optional<Token> dot; QString name, value; bool ring = false; }; ///< ring: as the best point is drawn
    void setLines(const std::vector<Line>& lines);
    void setTitle(const QString& title, const QString& help);

  private:
    struct Widgets { QWidget* box; QLabel *dot, *name, *value; std::optional<Token> token; bool ring = false; };
    QVBoxLayout* m_column = nullptr;
    QLabel* m_head = nullptr;
    std::vector<Widgets> m_lines;
};

/// The x axis of all plots: round values in the unit chosen, and below them the other unit at the same places.
class AxisRow : public QWidget
{
    Q_OBJECT
  public:
    explicit AxisRow(QWidget* parent = nullptr);
    void setRange(std::shared_ptr<const LiveRun> live, XMode mode, double from, double to);
    /// Where the plots above begin and end, in this widget's pixels.
    void setEdges(int left, int right);

  protected:
    void paintEvent(QPaintEvent* event) override;

  private:
    struct Tick { double x; QString first, second; };
    void rebuild();
    std::shared_ptr<const LiveRun> m_live;
    XMode m_mode = XMode::Epoch;
    double m_from = 0, m_to = 1;
    int m_left = 56, m_right = 0;
    std::vector<Tick> m_ticks;
};

/// Every value at the hover line.
class HoverBox : public QFrame
{
    Q_OBJECT
  public:
    explicit HoverBox(QWidget* parent = nullptr);
    struct Line { Token dot; QString name, value; };
    void setContent(const QString& title, const QString& aside, const std::vector<Line>& lines);
    QString text() const; ///< all of it, for tests and accessibility

  private:
    QGridLayout* m_grid = nullptr;
    QLabel *m_title = nullptr, *m_aside = nullptr;
    struct Widgets { QLabel *dot, *name, *value; };
    std::vector<Widgets> m_lines;
};

} // namespace sconce::ui
