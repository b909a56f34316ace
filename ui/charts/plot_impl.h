// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
// Inside PlotView. Qt Charts draws the curves into a scene that no view shows; the scene is rendered to a picture when the
// data, the range or the size changed, and the widget paints the picture with the hover line over it. So a moving mouse
// costs a blit, and a hidden page costs nothing.

#include "ui/charts/plot_scale.h"
#include "ui/charts/plot_view.h"

#include <QChart>
#include <QGraphicsScene>
#include <QLineSeries>
#include <QPixmap>
#include <QPointer>
#include <QValueAxis>

#include <cmath>
#include <limits>

namespace sconce::ui {

struct PlotView::Impl
{
    explicit Impl(PlotView* view);

    void markDirty();
    void render();                  ///< makes `picture`
    void updateScale();             ///< y range and ticks for the present curves and size
    void feedChart();               ///< curves → series of the chart
    void drawGrid(QPainter& painter) const;
    void drawStripFills(QPainter& painter) const;
    void drawMarks(QPainter& painter) const;
    void drawRing(QPainter& painter, const Curve& curve) const;
    void drawLetters(QPainter& painter) const;
    void drawNotFinite(QPainter& painter) const;
    void drawStart(QPainter& painter) const;
    void drawXAxis(QPainter& painter) const;
    void drawWords(QPainter& painter, QRectF box, int flags, const QString& text) const;
    void drawHover(QPainter& painter) const;
    void drawHoverBox(QPainter& painter) const;
    void showHover(double x, bool here);
    void tellGroup(double x);

    QRectF area() const;
    int bottomRoom() const;
    double toPixelX(double x) const { const QRectF a = area(); return a.left() + (x - xRange.from) / (xRange.to - xRange.from) * a.width(); }
    double toPixelY(double mapped) const { const QRectF a = area(); return a.bottom() - (mapped - shownY.from) / (shownY.to - shownY.from) * a.height(); }
    double mapY(double y) const { return log ? std::log10(y) : y; }
    bool drawable(double y) const { return std::isfinite(y) && (!log || y > 0); }

    PlotView* q;
    QGraphicsScene scene;
    QChart* chart = nullptr;
    QValueAxis* axisX = nullptr;
    QValueAxis* axisY = nullptr;
    std::vector<QLineSeries*> pool;

    std::vector<Curve> curves;
    std::vector<plot::Pieces> pieces; ///< as drawn, one per curve
    plot::Range xRange{0, 1}, fixedY{0, 1}, shownY{0, 1}; ///< shownY: exponents on a log axis
    bool autoY = true, robust = false, log = false, xVisible = false;
    XUnit unit = XUnit::Number;
    YFormat format = YFormat::Number;
    int left = 56, right = 8;
    Token surface = Token::Card;
    QString xName;
    std::function<QString(double)> secondLabel;
    std::function<std::pair<QString, QString>(double)> hoverTitle;
    std::vector<QPointer<PlotView>> peers;

    std::vector<double> yTicks;
    double yStep = 1;
    plot::FittedRange fitted;

    mutable std::vector<QRectF> wordsDrawn; ///< in the picture: best, NaN, where a curve starts
    QPixmap picture;
    bool dirty = true;
    double hoverX = std::numeric_limits<double>::quiet_NaN();
    bool mouseHere = false, boxed = true;
    double dragFrom = std::numeric_limits<double>::quiet_NaN(), dragTo = 0;
};

} // namespace sconce::ui
