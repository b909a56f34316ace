// SPDX-License-Identifier: GPL-3.0-or-later
// How a PlotView is drawn: grid and words by QPainter, curves by Qt Charts.
#include "ui/charts/plot_impl.h"

#include <QFontMetricsF>
#include <QGraphicsLayout>
#include <QPainter>

#include <algorithm>

namespace sconce::ui {

namespace {

constexpr int axisRow = 18;

} // namespace

/// Text on an opaque ground, so that curves below do not run through it; a line lower where other words stand already.
void PlotView::Impl::drawWords(QPainter& painter, QRectF box, int flags, const QString& text) const
{
    QRectF needed = QFontMetricsF(painter.font()).boundingRect(box, flags, text).adjusted(-3, 0, 3, 0);
    const auto taken = [&](const QRectF& other) { return other.intersects(needed); };
    for (int line = 0; line < 3 && std::any_of(wordsDrawn.begin(), wordsDrawn.end(), taken); ++line) {
        box.translate(0, 16);
        needed.translate(0, 16);
    }
    wordsDrawn.push_back(needed);
    painter.fillRect(needed, color(surface));
    painter.drawText(box, flags, text);
}

int PlotView::Impl::bottomRoom() const
{
    if (!xVisible) return 4;
    return secondLabel ? 2 * axisRow : axisRow + 2;
}

QRectF PlotView::Impl::area() const
{
    return QRectF(left, 8, std::max(10, q->width() - left - right), std::max(8, q->height() - 8 - bottomRoom()));
}

void PlotView::Impl::updateScale()
{
    const QRectF a = area();
    const bool low = a.height() < (autoY ? 64 : 110); // a strip, or a fixed range in little room: its ends are enough
    fitted = {};
    if (autoY) {
        fitted = plot::fitY(curves, xRange, robust, log, format);
        shownY = fitted.range;
    } else {
        shownY = log ? plot::Range{std::log10(std::max(fixedY.from, 1e-30)), std::log10(std::max(fixedY.to, 1e-29))} : fixedY;
    }
    const int most = low ? 1 : std::clamp(static_cast<int>(a.height() / 36), 2, 8);
    if (log) {
        yTicks = plot::logTicks(shownY, low ? 2 : most + 1);
        yStep = 0;
        return;
    }
    yStep = plot::niceStep(shownY.to - shownY.from, most, format == YFormat::Bytes);
    if (autoY) {
        // Edges fall on ticks, as a ruler's do.
        const double slack = yStep * 1e-6;
        shownY.from = std::floor((shownY.from + slack) / yStep) * yStep;
        shownY.to = std::ceil((shownY.to - slack) / yStep) * yStep;
        if (format == YFormat::Percent && fitted.range.to <= 1) shownY.to = std::min(shownY.to, 1.0);
        if (shownY.to <= shownY.from) shownY.to = shownY.from + yStep;
    }
    yTicks = low ? std::vector<double>{shownY.from, shownY.to} : plot::linearTicks(shownY, yStep);
    if (fitted.startsOutside && fitted.atTop == false && fitted.startsAt >= shownY.from) fitted.startsOutside = false;
    if (fitted.startsOutside && fitted.atTop && fitted.startsAt <= shownY.to) fitted.startsOutside = false;
}

void PlotView::Impl::feedChart()
{
    const QRectF a = area();
    const int columns = std::max(1, static_cast<int>(a.width() / 2));
    pieces.clear();
    std::size_t used = 0;
    const double reach = 20 * (shownY.to - shownY.from); // far outside is far enough: keeps coordinates small
    for (const Curve& curve : curves) {
        pieces.push_back(plot::decimate(curve, xRange, columns, log));
        const QColor tint = curve.style == Curve::Style::Raw ? Theme::instance().blend(curve.token, surface, 0.32) : color(curve.token);
        const double width = curve.style == Curve::Style::Raw ? 1 : curve.style == Curve::Style::Strip ? 1.5 : 2;
        for (const auto& line : pieces.back().lines) {
            if (line.size() < 2) continue; // a lone point is a dot, see drawMarks
            if (used == pool.size()) {
                auto* made = new QLineSeries;
                chart->addSeries(made);
                made->attachAxis(axisX);
                made->attachAxis(axisY);
                pool.push_back(made);
            }
            QLineSeries* series = pool[used++];
            QList<QPointF> points;
            points.reserve(static_cast<qsizetype>(line.size()));
            for (const QPointF& p : line) points.append({p.x(), std::clamp(p.y(), shownY.from - reach, shownY.to + reach)});
            QPen pen(tint, width);
            pen.setCapStyle(Qt::SquareCap); // RoundCap costs many times as much
            if (series->pen() != pen) series->setPen(pen);
            series->replace(points);
            series->setVisible(true);
        }
    }
    for (std::size_t i = used; i < pool.size(); ++i) {
        if (pool[i]->count() > 0) pool[i]->clear();
        pool[i]->setVisible(false);
    }
    axisX->setRange(xRange.from, xRange.to);
    axisY->setRange(shownY.from, shownY.to);
}

void PlotView::Impl::render()
{
    dirty = false;
    const qreal scale = q->devicePixelRatioF();
    if (picture.size() != q->size() * scale || picture.devicePixelRatio() != scale) {
        picture = QPixmap(q->size() * scale);
        picture.setDevicePixelRatio(scale);
    }
    picture.fill(color(surface));
    updateScale();
    if (chart->size() != QSizeF(q->size())) {
        chart->resize(q->size());
        scene.setSceneRect(QRectF(QPointF(0, 0), QSizeF(q->size())));
    }
    chart->setPlotArea(area());
    feedChart();
    chart->layout()->activate();

    QPainter painter(&picture);
    painter.setRenderHint(QPainter::Antialiasing);
    painter.setFont(ui::font(FontRole::MonoAxis));
    drawGrid(painter);
    drawStripFills(painter);
    scene.render(&painter, QRectF(QPointF(0, 0), QSizeF(q->size())), QRectF(QPointF(0, 0), QSizeF(q->size())));
    painter.setFont(ui::font(FontRole::MonoAxis));
    wordsDrawn.clear();
    drawMarks(painter);
    drawNotFinite(painter);
    drawStart(painter);
    drawLetters(painter);
    if (xVisible) drawXAxis(painter);
}

void PlotView::Impl::drawGrid(QPainter& painter) const
{
    const QRectF a = area();
    double lastY = 1e9;
    for (double tick : yTicks) {
        const double y = std::round(toPixelY(mapY(tick))) + 0.5;
        if (y < a.top() - 1 || y > a.bottom() + 1.5) continue;
        // Not a line: Qt draws a smooth one a pixel at a time, which took half of a plot's time.
        painter.fillRect(QRectF(std::round(a.left()), y - 0.5, std::round(a.width()), 1), color(Token::Grid));
        if (lastY - y < 13) continue; // letters would touch
        lastY = y;
        painter.setPen(color(Token::Text3));
        const QString text = log ? plot::yText(tick, tick, format) : plot::yText(tick, yStep, format);
        const double middle = std::clamp(y, 7.0, q->height() - 7.0); // the lowest and the highest keep their feet and heads
        painter.drawText(QRectF(0, middle - 8, left - 8, 16), Qt::AlignRight | Qt::AlignVCenter, text);
    }
}

void PlotView::Impl::drawStripFills(QPainter& painter) const
{
    const QRectF a = area();
    painter.save();
    painter.setClipRect(a.adjusted(0, -1, 0, 1));
    painter.setPen(Qt::NoPen);
    for (std::size_t i = 0; i < curves.size(); ++i) {
        if (curves[i].style != Curve::Style::Strip) continue;
        painter.setBrush(Theme::instance().blend(curves[i].token, surface, 0.14));
        for (const auto& line : pieces[i].lines) {
            if (line.size() < 2) continue;
            QPolygonF shape;
            shape.reserve(static_cast<qsizetype>(line.size()) + 2);
            shape.append({toPixelX(line.front().x()), a.bottom()});
            for (const QPointF& p : line) shape.append({toPixelX(p.x()), toPixelY(p.y())});
            shape.append({toPixelX(line.back().x()), a.bottom()});
            painter.drawPolygon(shape);
        }
    }
    painter.restore();
}

void PlotView::Impl::drawMarks(QPainter& painter) const
{
    const QRectF a = area();
    painter.save();
    painter.setClipRect(a.adjusted(-8, -8, 8, 8));
    for (std::size_t i = 0; i < curves.size(); ++i) {
        const Curve& curve = curves[i];
        painter.setPen(Qt::NoPen);
        painter.setBrush(color(curve.token));
        std::size_t points = 0;
        for (const auto& line : pieces[i].lines) points += line.size();
        const bool dots = curve.style == Curve::Style::Dots && static_cast<double>(points) * 7 < a.width();
        for (const auto& line : pieces[i].lines)
            for (const QPointF& p : line) {
                if (!dots && line.size() > 1) break;
                const QPointF at(toPixelX(p.x()), toPixelY(p.y()));
                if (at.x() < a.left() - 1 || at.x() > a.right() + 1 || at.y() < a.top() - 1 || at.y() > a.bottom() + 1) continue;
                painter.drawEllipse(at, 3, 3);
            }
        drawRing(painter, curve);
    }
    painter.restore();
}

void PlotView::Impl::drawRing(QPainter& painter, const Curve& curve) const
{
    if (curve.ringAt < 0 || curve.ringAt >= static_cast<int>(curve.x.size())) return;
    const double x = curve.x[static_cast<std::size_t>(curve.ringAt)], y = curve.y[static_cast<std::size_t>(curve.ringAt)];
    const QRectF a = area();
    if (x < xRange.from || x > xRange.to || !drawable(y)) return;
    const QPointF at(toPixelX(x), toPixelY(mapY(y)));
    if (curve.letter.isEmpty()) {
        const double line = std::round(at.x()) + 0.5;
        painter.setPen(QPen(color(Token::Text2), 1));
        painter.drawLine(QPointF(line, a.top() - 6), QPointF(line, a.bottom()));
        painter.setPen(color(Token::Text2));
        const QString word = curve.ringWord.isEmpty() ? PlotView::tr("best") : curve.ringWord;
        const double wide = std::max(54.0, QFontMetricsF(painter.font()).horizontalAdvance(word) + 4);
        const bool roomLeft = at.x() - a.left() > wide - 10;
        // At the foot where the curve itself runs along the top: the ground of the word would hide it.
        const bool foot = at.y() < a.top() + 24 && a.height() > 64;
        drawWords(painter, QRectF(roomLeft ? line - 6 - wide : line + 6, foot ? a.bottom() - 18 : a.top() - 8, wide, 16), (roomLeft ? Qt::AlignRight : Qt::AlignLeft) | Qt::AlignVCenter,
                  word);
    }
    if (at.y() < a.top() - 1 || at.y() > a.bottom() + 1) return;
    painter.setPen(QPen(color(curve.token), 2));
    painter.setBrush(color(surface));
    painter.drawEllipse(at, 5, 5);
}

void PlotView::Impl::drawNotFinite(QPainter& painter) const
{
    const QRectF a = area();
    bool said = false;
    for (const auto& piece : pieces)
        for (double x : piece.notFinite) {
            const double at = std::round(toPixelX(x)) + 0.5;
            painter.setPen(QPen(color(Token::Error), 2));
            painter.drawLine(QPointF(at, a.top() - 6), QPointF(at, a.bottom()));
            if (said || a.height() < 64) continue;
            said = true;
            painter.setPen(color(Token::Error));
            const QString where = plot::xText(x, 0.01, unit, false);
            const QString text = xName.isEmpty() ? PlotView::tr("NaN at %1").arg(where) : PlotView::tr("NaN at %1 %2").arg(xName, where);
            const bool roomLeft = at - a.left() > 160;
            drawWords(painter, QRectF(roomLeft ? at - 208 : at + 8, a.top() - 4, 200, 16), (roomLeft ? Qt::AlignRight : Qt::AlignLeft) | Qt::AlignVCenter, text);
        }
}

void PlotView::Impl::drawStart(QPainter& painter) const
{
    if (!fitted.startsOutside) return;
    const QRectF a = area();
    if (a.height() < 64) return;
    // Beside the place where the curve comes into view.
    double enters = a.left();
    for (std::size_t i = 0; i < curves.size(); ++i) {
        if (curves[i].style != Curve::Style::Smooth || pieces[i].lines.empty()) continue;
        for (const QPointF& p : pieces[i].lines.front())
            if (p.y() >= shownY.from && p.y() <= shownY.to) {
                enters = std::max(a.left(), toPixelX(p.x()));
                break;
            }
        break;
    }
    painter.setPen(color(Token::Text3));
    const QString text = PlotView::tr("starts at %1").arg(format == YFormat::Number ? plot::yText(fitted.startsAt, 0.01, format) : plot::valueText(fitted.startsAt, format));
    const double x = fitted.atTop ? std::min(enters + 28, a.right() - 160) : a.left() + 6;
    drawWords(painter, QRectF(x, a.top() - 7, 160, 16), Qt::AlignLeft | Qt::AlignVCenter, text);
}

void PlotView::Impl::drawLetters(QPainter& painter) const
{
    struct Chip { double y; const Curve* curve; };
    std::vector<Chip> chips;
    for (std::size_t i = 0; i < curves.size(); ++i) {
        if (curves[i].letter.isEmpty() || pieces[i].lines.empty()) continue;
        const QPointF end = pieces[i].lines.back().back();
        chips.push_back({std::clamp(toPixelY(end.y()), area().top() + 4, area().bottom() - 4), &curves[i]});
    }
    std::sort(chips.begin(), chips.end(), [](const Chip& a, const Chip& b) { return a.y < b.y; });
    // Chips that would lie on each other are pushed down, and back up from the bottom edge.
    for (std::size_t i = 1; i < chips.size(); ++i) chips[i].y = std::max(chips[i].y, chips[i - 1].y + 18);
    double floor = area().bottom() + 4;
    for (std::size_t i = chips.size(); i-- > 0;) {
        chips[i].y = std::min(chips[i].y, floor);
        floor = chips[i].y - 18;
    }
    QFont bold = ui::font(FontRole::Small);
    bold.setWeight(QFont::DemiBold);
    painter.save();
    painter.setFont(bold);
    for (const Chip& chip : chips) {
        const QRectF box(area().right() + 8, chip.y - 8, 16, 16);
        painter.setPen(Qt::NoPen);
        painter.setBrush(color(chip.curve->token));
        painter.drawRoundedRect(box, 4, 4);
        painter.setPen(color(Token::Card));
        painter.drawText(box, Qt::AlignCenter, chip.curve->letter);
    }
    painter.restore();
}

void PlotView::Impl::drawXAxis(QPainter& painter) const
{
    const QRectF a = area();
    const double y = std::round(a.bottom()) + 0.5;
    painter.fillRect(QRectF(std::round(a.left()), y - 0.5, std::round(a.width()), 1), color(Token::LineStrong));
    const bool relative = unit == XUnit::Seconds && xRange.to <= 1e-9 && xRange.from < 0;
    const int wanted = std::clamp(static_cast<int>(a.width() / 88), 2, 12);
    const double span = xRange.to - xRange.from;
    double step = unit == XUnit::Seconds ? plot::timeStep(span, wanted) : plot::niceStep(span, wanted);
    // Epochs and steps are counted in wholes.
    const bool counted = !curves.empty() && std::all_of(curves.begin(), curves.end(), [](const Curve& curve) { return curve.style == Curve::Style::Dots; });
    if (unit != XUnit::Seconds && step < 1 && (span >= 2 || counted)) step = 1;
    painter.setPen(color(Token::Text3));
    double lastRight = -1e9;
    const QFontMetricsF metrics(painter.font());
    for (double tick : plot::linearTicks(xRange, step)) {
        const QString text = plot::xText(tick, step, unit, relative);
        const QString second = secondLabel ? secondLabel(tick) : QString();
        const double wide = std::max(metrics.horizontalAdvance(text), metrics.horizontalAdvance(second)) + 2;
        const double middle = std::clamp(toPixelX(tick), wide / 2, q->width() - wide / 2);
        if (middle - wide / 2 < lastRight + 8) continue;
        lastRight = middle + wide / 2;
        painter.drawText(QRectF(middle - wide / 2, y + 3, wide, 14), Qt::AlignCenter, text);
        if (!second.isEmpty()) painter.drawText(QRectF(middle - wide / 2, y + 3 + 15, wide, 14), Qt::AlignCenter, second);
    }
}

void PlotView::Impl::drawHover(QPainter& painter) const
{
    const QRectF a = area();
    if (!std::isnan(dragFrom)) {
        QColor veil = color(Token::Text2);
        veil.setAlphaF(0.16f);
        painter.fillRect(QRectF(QPointF(std::min(dragFrom, dragTo), a.top() - 6), QPointF(std::max(dragFrom, dragTo), a.bottom())), veil);
    }
    if (std::isnan(hoverX) || hoverX < xRange.from || hoverX > xRange.to) return;
    const double at = std::round(toPixelX(hoverX)) + 0.5;
    painter.setPen(QPen(color(Token::Text), 1));
    painter.drawLine(QPointF(at, 0), QPointF(at, xVisible ? a.bottom() : q->height()));
    if (mouseHere && boxed) drawHoverBox(painter);
}

void PlotView::Impl::drawHoverBox(QPainter& painter) const
{
    struct Row { QString title, value; Token token; };
    std::vector<Row> rows;
    const auto collect = [&](const PlotView* plot) {
        for (const HoverValue& v : plot->valuesAt(hoverX)) rows.push_back({v.title, plot::valueText(v.y, plot->m->format), v.token});
    };
    collect(q);
    for (const auto& peer : peers)
        if (peer && peer != q) collect(peer);
    if (rows.empty()) return;
    std::pair<QString, QString> head;
    if (hoverTitle) head = hoverTitle(hoverX);
    else head.first = xName.isEmpty() ? plot::xText(hoverX, 0.1, unit, xRange.from < 0) : xName + QLatin1Char(' ') + plot::xText(hoverX, 0.1, unit, false);

    const QFont words = ui::font(FontRole::Caption), numbers = ui::font(FontRole::MonoSmall);
    const QFontMetricsF wordWidth(words), numberWidth(numbers);
    double wide = wordWidth.horizontalAdvance(head.first) + 24 + numberWidth.horizontalAdvance(head.second);
    for (const Row& row : rows) wide = std::max(wide, 16 + wordWidth.horizontalAdvance(row.title) + 24 + numberWidth.horizontalAdvance(row.value));
    const double tall = 16.0 * (static_cast<double>(rows.size()) + 1) + 12;
    const double at = toPixelX(hoverX);
    QRectF box(at + 10, area().top() + 4, std::ceil(wide) + 20, tall);
    if (box.right() > q->width() - 2) box.moveRight(at - 10);
    if (box.left() < 2) box.moveLeft(2);
    if (box.bottom() > q->height()) box.moveTop(std::max(0.0, q->height() - tall));

    painter.setRenderHint(QPainter::Antialiasing);
    painter.setPen(QPen(color(Token::LineStrong), 1));
    painter.setBrush(color(Token::Raised));
    painter.drawRoundedRect(box.adjusted(.5, .5, -.5, -.5), 6, 6);
    QRectF line(box.left() + 10, box.top() + 6, box.width() - 20, 16);
    const auto write = [&](const QString& a, const QString& b, const QColor& tint) {
        painter.setPen(tint);
        painter.setFont(words);
        painter.drawText(line, Qt::AlignLeft | Qt::AlignVCenter, a);
        painter.setFont(numbers);
        painter.setPen(color(Token::Text));
        painter.drawText(QRectF(box.left() + 10, line.top(), box.width() - 20, 16), Qt::AlignRight | Qt::AlignVCenter, b);
    };
    write(head.first, head.second, color(Token::Text2));
    for (const Row& row : rows) {
        line.translate(0, 16);
        painter.setPen(Qt::NoPen);
        painter.setBrush(color(row.token));
        painter.drawEllipse(QRectF(box.left() + 10, line.center().y() - 4, 8, 8));
        const QRectF whole = line;
        line.setLeft(box.left() + 26);
        write(row.title, row.value, color(Token::Text));
        line = whole;
    }
}

} // namespace sconce::ui
