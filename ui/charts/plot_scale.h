// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
// The arithmetic behind PlotView: decimation, ranges that fit what matters, round ticks and their words. Pure functions.

#include "ui/charts/plot_view.h"

#include <QPointF>
#include <QString>

#include <utility>
#include <vector>

namespace sconce::ui::plot {

struct Range { double from = 0, to = 1; };

/// A stretch of a curve without a gap, at most two points (smallest and largest, in their order) per column of the range.
/// y is mapped through log10 when `log`; values that a log axis cannot show are left out.
struct Pieces
{
    std::vector<std::vector<QPointF>> lines;
    std::vector<double> notFinite; ///< x of NaN and infinities, at most one per column
};
Pieces decimate(const Curve& curve, Range x, int columns, bool log);

/// Range of y over what is visible in x. Robust: the first steps and single outliers may run out; what runs out at the start
/// is returned as (value, at the top?).
struct FittedRange { Range range; bool startsOutside = false; double startsAt = 0; bool atTop = true; };
FittedRange fitY(const std::vector<Curve>& curves, Range x, bool robust, bool log, PlotView::YFormat format);

/// Round ticks inside a range, about `wanted` of them; the step is 1, 2, 2.5 or 5 times a power of ten.
double niceStep(double span, int wanted, bool binary = false);
std::vector<double> linearTicks(Range range, double step);
/// Ticks of a log axis (values, not exponents): 1-2-5, 1-3 or decades, at most `most`.
std::vector<double> logTicks(Range exponents, int most);
/// Steps that clocks know: 1, 2, 5, 10, 15, 30 s, 1, 2, 5 … min.
double timeStep(double span, int wanted);

QString yText(double value, double step, PlotView::YFormat format);
QString xText(double value, double step, PlotView::XUnit unit, bool relativeToNow);
/// A value as the hover box writes it.
QString valueText(double value, PlotView::YFormat format);

/// Index of the point nearest to x; -1 without points.
int nearestIndex(const std::vector<double>& xs, double x);

} // namespace sconce::ui::plot
