// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
// The one chart class (rule 14): pages know this and nothing of Qt Charts. A PlotView draws curves over a shared x axis, at most
// two points (min and max) per two-pixel column, opaque blended colours, no translucency. The window's thread only.

#include "ui/theme/theme.h"

#include <QWidget>

#include <functional>
#include <memory>
#include <utility>
#include <vector>

namespace sconce::ui {

/// One curve. Points are sorted by x; NaN in y marks a gap and is shown as a red line.
struct Curve
{
    enum class Style {
        Raw,      ///< 1 px, blended at 32 % into the card
        Smooth,   ///< 2 px
        Dots,     ///< 2 px with a dot per point (validation)
        Strip     ///< 1.5 px over a flat fill of 14 %
    };
    QString id;           ///< "train", "val"
    QString title;        ///< in the hover box: "training, smoothed"
    Token token = Token::Train;
    Style style = Style::Smooth;
    std::vector<double> x, y;
    QString letter;       ///< chip at the curve's end (compared runs); may be empty
    int ringAt = -1;      ///< index of the best point: ring and vertical line
    QString ringWord;     ///< what stands beside the line; empty: "best"
};

class PlotView : public QWidget
{
    Q_OBJECT
  public:
    explicit PlotView(QWidget* parent = nullptr);
    ~PlotView() override;

    void setCurves(std::vector<Curve> curves);             ///< replaces all; redraws at the next refresh
    /// The x range shown; the same for all plots of a run.
    void setXRange(double from, double to);
    void setXAxisVisible(bool visible);
    enum class XUnit { Number, Seconds, PowerOfTen }; ///< PowerOfTen: x is the logarithm, to base 10, of what is meant
    void setXUnit(XUnit unit);
    void setYAuto(bool robust);                            ///< fits what matters; robust lets first steps run out at the top and says so
    void setYRange(double from, double to);
    void setLogY(bool on);                                 ///< values <= 0 are left out
    enum class YFormat { Number, Percent, Bytes };
    void setYFormat(YFormat format);
    void setLeftGutter(int pixels);                        ///< room for y labels (56)
    /// The hover line: shown in all plots of a group at the same x. NaN hides it.
    void setHover(double x);
    /// Values of every curve nearest to x, for the hover box.
    struct HoverValue { QString title; Token token; double x, y; };
    std::vector<HoverValue> valuesAt(double x) const;
    /// Text used by tests and accessibility: "training: 422 points, last 0.0457".
    QString summary() const;

    // ---- what a group of plots shares ----
    /// Plots over one x axis: the mouse over one moves the hover line of all, and its box gives the values of all.
    static void group(const std::vector<PlotView*>& plots);
    void setXName(const QString& name);                    ///< "step": said in the hover box and beside a NaN
    /// A second row of labels below the axis (time under epochs). Null removes it.
    void setSecondXLabels(std::function<QString(double x)> label);
    /// Head line of the hover box: left and right text. Null: the x value.
    void setHoverTitle(std::function<std::pair<QString, QString>(double x)> title);
    /// A page that shows a box of values of its own, larger than this plot, turns this one off.
    void setHoverBox(bool on);
    void setRightGutter(int pixels);                       ///< room for letters at the ends (8; 32 with letters)
    /// Surface that the plot stands on; colours are blended into it.
    void setSurface(Token token);
    QRectF plotArea() const;                               ///< in widget coordinates
    double xAt(double pixel) const;                        ///< x under a widget coordinate
    std::pair<double, double> yRange() const;              ///< as shown (values, also on a log axis)
    double hover() const;                                  ///< NaN if none
    std::vector<QRectF> wordRects() const;                 ///< where words stand over the curves, as drawn last

  Q_SIGNALS:
    void hovered(double x);            ///< NaN when the mouse leaves
    void zoomRequested(double from, double to); ///< dragged range, or wheel; NaN, NaN = show all (double click)

  protected:
    void paintEvent(QPaintEvent* event) override;
    void resizeEvent(QResizeEvent* event) override;
    void mousePressEvent(QMouseEvent* event) override;
    void mouseMoveEvent(QMouseEvent* event) override;
    void mouseReleaseEvent(QMouseEvent* event) override;
    void mouseDoubleClickEvent(QMouseEvent* event) override;
    void wheelEvent(QWheelEvent* event) override;
    void leaveEvent(QEvent* event) override;
    void keyPressEvent(QKeyEvent* event) override;
    void focusInEvent(QFocusEvent* event) override;

  private:
    struct Impl;
    std::unique_ptr<Impl> m;
};

/// Smoothing of the design: exponential moving average with the start bias removed.
std::vector<double> smoothed(const std::vector<double>& y, double weight);

} // namespace sconce::ui
