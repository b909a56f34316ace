// SPDX-License-Identifier: GPL-3.0-or-later
#include "ui/charts/plot_scale.h"

#include "core/base/text.h"

#include <algorithm>
#include <cmath>
#include <limits>

namespace sconce::ui::plot {

namespace {

const QChar minusSign(0x2212);

/// First and one-past-last index of the points to draw: those in the range and one neighbour on either side.
std::pair<std::size_t, std::size_t> visible(const std::vector<double>& xs, Range x)
{
    std::size_t first = static_cast<std::size_t>(std::lower_bound(xs.begin(), xs.end(), x.from) - xs.begin());
    std::size_t last = static_cast<std::size_t>(std::upper_bound(xs.begin(), xs.end(), x.to) - xs.begin());
    if (first > 0) --first;
    if (last < xs.size()) ++last;
    return {first, std::max(first, last)};
}

double quantile(std::vector<double>& values, double share)
{
    const auto at = static_cast<std::ptrdiff_t>(share * static_cast<double>(values.size() - 1) + 0.5);
    std::nth_element(values.begin(), values.begin() + at, values.end());
    return values[static_cast<std::size_t>(at)];
}

/// Finite values of a curve in view, at most about 4,000, the first `skip` share left out.
std::vector<double> sampleOf(const Curve& curve, Range x, double skip, bool log)
{
    auto [first, last] = visible(curve.x, x);
    last = std::min(last, curve.y.size());
    const std::size_t count = last > first ? last - first : 0;
    const std::size_t start = first + static_cast<std::size_t>(skip * static_cast<double>(count));
    const std::size_t stride = std::max<std::size_t>(1, count / 4000);
    std::vector<double> values;
    values.reserve(4096);
    for (std::size_t i = start; i < last; i += stride)
        if (std::isfinite(curve.y[i]) && (!log || curve.y[i] > 0)) values.push_back(curve.y[i]);
    return values;
}

QString signedText(const QString& text)
{
    return text.startsWith(QLatin1Char('-')) ? minusSign + text.mid(1) : text;
}

int decimalsFor(double step)
{
    if (!(step > 0)) return 0;
    int decimals = 0;
    while (decimals < 8 && std::abs(step - std::round(step * std::pow(10, decimals)) / std::pow(10, decimals)) > step * 1e-6) ++decimals;
    return decimals;
}

QString numberText(double value, double step)
{
    const double size = std::max(std::abs(value), std::abs(step));
    if (value == 0) return QStringLiteral("0");
    static const std::pair<double, const char*> units[] = {{1e12, " T"}, {1e9, " G"}, {1e6, " M"}, {1e4, " k"}};
    for (const auto& [from, unit] : units) {
        if (size < from) continue;
        const double scale = from == 1e4 ? 1e3 : from;
        return signedText(QString::number(value / scale, 'f', decimalsFor(step / scale))) + QLatin1String(unit);
    }
    if (size < 1e-4) return signedText(QString::number(value, 'g', 2));
    return signedText(QString::number(value, 'f', decimalsFor(step)));
}

} // namespace

Pieces decimate(const Curve& curve, Range x, int columns, bool log)
{
    Pieces out;
    const std::size_t size = std::min(curve.x.size(), curve.y.size());
    if (size == 0 || !(x.to > x.from) || columns < 1) return out;
    auto [first, last] = visible(curve.x, x);
    last = std::min(last, size);
    const double perColumn = (x.to - x.from) / columns;
    std::vector<QPointF> line;
    const auto endLine = [&] {
        if (!line.empty()) out.lines.push_back(std::move(line));
        line.clear();
    };
    bool open = false;
    double column = 0, lastGap = -std::numeric_limits<double>::infinity();
    QPointF low, high;
    const auto flushColumn = [&] {
        if (!open) return;
        open = false;
        if (low.x() == high.x() && low.y() == high.y()) line.push_back(low);
        else if (low.x() <= high.x()) line.insert(line.end(), {low, high});
        else line.insert(line.end(), {high, low});
    };
    for (std::size_t i = first; i < last; ++i) {
        double y = curve.y[i];
        if (!std::isfinite(y)) {
            flushColumn();
            endLine();
            if (curve.x[i] >= x.from && curve.x[i] <= x.to && curve.x[i] - lastGap >= perColumn) out.notFinite.push_back(lastGap = curve.x[i]);
            continue;
        }
        if (log) {
            if (y <= 0) continue;
            y = std::log10(y);
        }
        const QPointF point(curve.x[i], y);
        const double at = std::floor((point.x() - x.from) / perColumn);
        if (open && at == column) {
            if (y < low.y()) low = point;
            if (y > high.y()) high = point;
            continue;
        }
        flushColumn();
        open = true;
        column = at;
        low = high = point;
    }
    flushColumn();
    endLine();
    return out;
}

FittedRange fitY(const std::vector<Curve>& curves, Range x, bool robust, bool log, PlotView::YFormat format)
{
    FittedRange fitted;
    double low = std::numeric_limits<double>::infinity(), high = -low, start = std::numeric_limits<double>::quiet_NaN();
    bool strip = false;
    for (const Curve& curve : curves) {
        const bool leading = robust && (curve.style == Curve::Style::Raw || curve.style == Curve::Style::Smooth);
        std::vector<double> values = sampleOf(curve, x, 0, log);
        if (values.empty()) continue;
        strip = strip || curve.style == Curve::Style::Strip;
        if (leading && curve.style == Curve::Style::Smooth && std::isnan(start)) start = values.front();
        if (leading && values.size() >= 30) {
            // What happened in the first tenth may run out; raw values give their middle nine tenths.
            values = sampleOf(curve, x, 0.1, log);
            if (values.empty()) continue;
            const double cut = curve.style == Curve::Style::Raw ? 0.05 : 0.0;
            low = std::min(low, quantile(values, cut));
            high = std::max(high, quantile(values, 1 - cut));
        } else {
            const auto [a, b] = std::minmax_element(values.begin(), values.end());
            low = std::min(low, *a);
            high = std::max(high, *b);
        }
    }
    if (!(low <= high)) {
        fitted.range = log ? Range{-1, 0} : Range{0, 1};
        return fitted;
    }
    const double lowest = low, highest = high;
    if (log) {
        double from = std::log10(low), to = std::log10(high);
        const double pad = std::max(0.04 * (to - from), 0.02);
        fitted.range = {from - pad, to + pad};
    } else {
        if (strip || (low >= 0 && low < 0.35 * high)) low = std::min(low, 0.0);
        // Values that differ by rounding alone are one value: a range between them would show noise, with ticks past counting.
        if (high - low <= 1e-9 * std::max(std::abs(low), std::abs(high))) high = low == 0 ? 1 : low + std::abs(low) * 0.5;
        const double pad = strip ? 0 : 0.03 * (high - low);
        fitted.range = {low == 0 ? 0 : low - pad, high + pad};
        if (format == PlotView::YFormat::Percent) {
            if (lowest >= 0) fitted.range.from = std::max(0.0, fitted.range.from);
            if (highest <= 1) fitted.range.to = std::min(1.0, fitted.range.to);
        }
    }
    const double mapped = log && start > 0 ? std::log10(start) : start;
    if (!std::isnan(mapped) && (mapped > fitted.range.to || mapped < fitted.range.from)) {
        fitted.startsOutside = true;
        fitted.startsAt = start;
        fitted.atTop = mapped > fitted.range.to;
    }
    return fitted;
}

double niceStep(double span, int wanted, bool binary)
{
    if (!(span > 0) || wanted < 1) return 1;
    const double rough = span / wanted;
    // Memory counts in powers of 1024 and doubles within them.
    if (binary && rough >= 1) {
        const double unit = std::pow(1024.0, std::floor(std::log2(rough) / 10));
        if (rough / unit > 50) return unit * std::exp2(std::ceil(std::log2(rough / unit) - 1e-9)); // 256 MiB, 512 MiB, 1 GiB
        return unit * niceStep(rough / unit * wanted, wanted, false);
    }
    const double power = std::pow(10.0, std::floor(std::log10(rough)));
    for (double factor : {1.0, 2.0, 2.5, 5.0, 10.0})
        if (rough <= factor * power * (1 + 1e-9)) return factor * power;
    return 10 * power;
}

std::vector<double> linearTicks(Range range, double step)
{
    std::vector<double> ticks;
    if (!(step > 0) || !std::isfinite(range.from) || !std::isfinite(range.to) || (range.to - range.from) / step > 1000) return ticks;
    // So far from zero one step more is the same number again: the loop would never end.
    if (std::max(std::abs(range.from), std::abs(range.to)) / step > 1e15) return ticks;
    const double slack = step * 1e-6;
    for (double k = std::ceil((range.from - slack) / step); k * step <= range.to + slack; ++k) ticks.push_back(std::abs(k) < 0.5 ? 0.0 : k * step);
    return ticks;
}

std::vector<double> logTicks(Range exponents, int most)
{
    most = std::max(most, 1);
    const std::vector<std::vector<double>> sets{{1, 2, 5}, {1, 3}, {1}};
    const int firstDecade = static_cast<int>(std::floor(exponents.from)), lastDecade = static_cast<int>(std::ceil(exponents.to));
    std::vector<double> ticks;
    if (lastDecade - firstDecade > 650) return ticks;
    for (int everyDecades = 1;; ++everyDecades) {
        for (const auto& set : sets) {
            if (everyDecades > 1 && set.size() > 1) continue;
            ticks.clear();
            for (int decade = firstDecade; decade <= lastDecade; ++decade) {
                if (((decade % everyDecades) + everyDecades) % everyDecades != 0) continue;
                for (double factor : set) {
                    const double exponent = decade + std::log10(factor);
                    if (exponent >= exponents.from - 1e-9 && exponent <= exponents.to + 1e-9) ticks.push_back(factor * std::pow(10.0, decade));
                }
            }
            if (static_cast<int>(ticks.size()) <= most) return ticks;
        }
    }
}

double timeStep(double span, int wanted)
{
    if (!(span > 0) || wanted < 1) return 1;
    const double rough = span / wanted;
    if (rough <= 1) return niceStep(span, wanted);
    for (double step : {1.0, 2.0, 5.0, 10.0, 15.0, 30.0, 60.0, 120.0, 300.0, 600.0, 900.0, 1800.0, 3600.0, 7200.0, 10800.0, 21600.0, 43200.0, 86400.0})
        if (rough <= step) return step;
    return 86400 * niceStep(span / 86400, wanted);
}

QString yText(double value, double step, PlotView::YFormat format)
{
    switch (format) {
    case PlotView::YFormat::Percent:
        return signedText(QString::number(value * 100, 'f', decimalsFor(step * 100))) + QStringLiteral(" %");
    case PlotView::YFormat::Bytes: {
        if (value <= 0) return QStringLiteral("0");
        static const char* const units[] = {"B", "KiB", "MiB", "GiB", "TiB"};
        int unit = 0;
        double scale = 1;
        while (unit < 4 && value >= scale * 1024) {
            scale *= 1024;
            ++unit;
        }
        const double shown = value / scale;
        return QString::number(shown, 'f', shown >= 10 || std::abs(shown - std::round(shown)) < 0.05 ? 0 : 1) + QLatin1Char(' ') + QLatin1String(units[unit]);
    }
    case PlotView::YFormat::Number: break;
    }
    return numberText(value, step);
}

QString xText(double value, double step, PlotView::XUnit unit, bool relativeToNow)
{
    if (unit == PlotView::XUnit::PowerOfTen) return QString::fromStdString(realText(std::pow(10.0, value), 2));
    if (unit == PlotView::XUnit::Number) {
        if (std::abs(value - std::round(value)) < 1e-9 && std::abs(value) < 1e6) return signedText(QString::fromStdString(groupedInt(std::llround(value))));
        if (std::abs(value) >= 1e6) return QString::fromStdString(shortCount(std::llround(value)));
        return numberText(value, step);
    }
    if (relativeToNow) {
        if (std::abs(value) < 1e-9) return QStringLiteral("now");
        const double size = std::abs(value);
        const QString text = size < 120 && step < 60 ? QString::number(size) + QStringLiteral(" s")
                             : size < 7200 && step < 3600 ? QString::number(size / 60) + QStringLiteral(" min") : QString::number(size / 3600) + QStringLiteral(" h");
        return (value < 0 ? QString(minusSign) : QString()) + text;
    }
    if (value == 0) return QStringLiteral("0 s");
    return signedText(QString::fromStdString(durationText(value)));
}

QString valueText(double value, PlotView::YFormat format)
{
    if (!std::isfinite(value)) return QStringLiteral("NaN");
    switch (format) {
    case PlotView::YFormat::Percent: {
        const double share = value * 100;
        const bool whole = std::abs(share - std::round(share)) < 0.005;
        return signedText(QString::number(share, 'f', whole ? 0 : 2)) + QStringLiteral(" %");
    }
    case PlotView::YFormat::Bytes: return value < 0 ? QStringLiteral("–") : QString::fromStdString(bytesText(static_cast<std::uint64_t>(value)));
    case PlotView::YFormat::Number: break;
    }
    return signedText(QString::fromStdString(realText(value)));
}

int nearestIndex(const std::vector<double>& xs, double x)
{
    if (xs.empty() || std::isnan(x)) return -1;
    const auto after = std::lower_bound(xs.begin(), xs.end(), x);
    if (after == xs.begin()) return 0;
    if (after == xs.end()) return static_cast<int>(xs.size()) - 1;
    const auto before = after - 1;
    return static_cast<int>((x - *before <= *after - x ? before : after) - xs.begin());
}

} // namespace sconce::ui::plot

namespace sconce::ui {

std::vector<double> smoothed(const std::vector<double>& y, double weight)
{
    std::vector<double> out(y.size());
    double average = 0, total = 0;
    for (std::size_t i = 0; i < y.size(); ++i) {
        if (!std::isfinite(y[i])) {
            // A gap stays a gap, and the average goes on after it as if it had not been.
            out[i] = y[i];
            continue;
        }
        average = weight * average + (1 - weight) * y[i];
        total = weight * total + (1 - weight);
        out[i] = average / total;
    }
    return out;
}

} // namespace sconce::ui
