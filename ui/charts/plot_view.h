// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
// The one chart class (rule 14): pages know this and nothing of Qt Charts. A PlotView draws curves over a shared x axis, at most
// two points (min and max) per two-pixel column, opaque blended colours, no translucency. The window's thread only.

#include "ui/theme/theme.h"

#include <QWidget>

#include <memory>
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
    enum class XUnit { Number, Seconds };
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

  Q_SIGNALS:
    void hovered(double x);            ///< NaN when the mouse leaves
    void zoomRequested(double from, double to); ///< dragged range, or wheel; NaN, NaN = show all (double click)

  protected:
    void resizeEvent(QResizeEvent*) override;
    bool eventFilter(QObject* object, QEvent* event) override;

  private:
    struct Impl;
    std::unique_ptr<Impl> m;
};

/// Smoothing of the design: exponential moving average with the start bias removed.
std::vector<double> smoothed(const std::vector<double>& y, double weight);

} // namespace sconce::ui
