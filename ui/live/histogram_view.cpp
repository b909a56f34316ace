// SPDX-License-Identifier: GPL-3.0-or-later
#include "ui/live/histogram_view.h"

#include "core/base/text.h"
#include "ui/theme/theme.h"

#include <QHelpEvent>
#include <QPainter>
#include <QToolTip>

#include <algorithm>

namespace sconce::ui {

namespace {

constexpr int titleHeight = 20, axisHeight = 16;

QString number(double value) { return QString::fromStdString(realText(value, 3)).replace(QLatin1Char('-'), QChar(0x2212)); }
QString count(std::int64_t value) { return QString::fromStdString(groupedInt(value)); }

} // namespace

HistogramView::HistogramView(const QString& title, QWidget* parent) : QWidget(parent), m_title(title)
{
    connect(&Theme::instance(), &Theme::changed, this, qOverload<>(&QWidget::update));
    setAccessibleName(title);
    setSizePolicy(QSizePolicy::Expanding, QSizePolicy::Expanding);
}

void HistogramView::setNumbers(const std::optional<Histogram>& numbers, const QString& why)
{
    m_numbers = numbers;
    m_why = why;
    setAccessibleDescription(figures());
    update();
}

QString HistogramView::figures() const
{
    if (!m_numbers) return m_why;
    const Histogram& n = *m_numbers;
    const QString text = n.bins.empty() ? tr("no finite number among %1").arg(count(n.count))
                                        : tr("%1 to %2, mean %3, deviation %4, %5 zeros").arg(number(n.min), number(n.max), number(n.mean), number(n.deviation), QString::fromStdString(percentText(n.zeroShare(), 1)));
    return n.nonFinite > 0 && !n.bins.empty() ? tr("%1 not finite, ").arg(count(n.nonFinite)) + text : text; // first, where nothing cuts it
}

QRect HistogramView::plot() const { return rect().adjusted(0, titleHeight + 2, 0, -axisHeight); }

void HistogramView::paintEvent(QPaintEvent*)
{
    QPainter painter(this);
    painter.setFont(ui::font(FontRole::Strong));
    painter.setPen(color(Token::Text));
    painter.drawText(QRect(0, 0, width(), titleHeight), Qt::AlignVCenter | Qt::AlignLeft, m_title);
    const int left = QFontMetrics(ui::font(FontRole::Strong)).horizontalAdvance(m_title) + 12;
    painter.setFont(ui::font(FontRole::Caption));
    const bool wrong = m_numbers && m_numbers->nonFinite > 0;
    if (m_numbers) {
        painter.setPen(color(wrong ? Token::Error : Token::Text2));
        painter.drawText(QRect(left, 0, width() - left, titleHeight), Qt::AlignVCenter | Qt::AlignRight, painter.fontMetrics().elidedText(figures(), Qt::ElideRight, width() - left));
    }
    const QRect box = plot();
    painter.fillRect(box.left(), box.bottom(), box.width(), 1, color(Token::Line));
    if (!m_numbers || m_numbers->bins.empty()) {
        painter.setPen(color(Token::Text3));
        painter.drawText(box, Qt::AlignCenter, m_numbers ? tr("nothing to draw: no number is finite") : m_why);
        return;
    }
    const Histogram& n = *m_numbers;
    const auto highest = static_cast<double>(std::max<std::int64_t>(1, *std::max_element(n.bins.begin(), n.bins.end())));
    const double wide = static_cast<double>(box.width()) / static_cast<double>(n.bins.size());
    for (std::size_t i = 0; i < n.bins.size(); ++i) {
        if (n.bins[i] == 0) continue;
        const double high = std::max(1.0, static_cast<double>(n.bins[i]) / highest * (box.height() - 4));
        painter.fillRect(QRectF(box.left() + wide * static_cast<double>(i), box.bottom() - high, std::max(1.0, wide - 1), high), color(Token::Text3));
    }
    painter.setFont(ui::font(FontRole::MonoAxis));
    painter.setPen(color(Token::Text3));
    const QRect axis(0, box.bottom() + 2, width(), axisHeight);
    painter.drawText(axis, Qt::AlignLeft | Qt::AlignVCenter, number(n.min));
    painter.drawText(axis, Qt::AlignRight | Qt::AlignVCenter, number(n.max));
    if (n.min < 0 && n.max > 0) { // where zero lies
        const int zero = box.left() + static_cast<int>(-n.min / (n.max - n.min) * box.width());
        painter.fillRect(zero, box.top(), 1, box.height(), color(Token::LineStrong));
        const int half = painter.fontMetrics().horizontalAdvance(number(n.max)) + 12;
        if (zero > half && zero < width() - half) painter.drawText(QRect(zero - 10, axis.top(), 20, axisHeight), Qt::AlignCenter, QStringLiteral("0"));
    }
}

bool HistogramView::event(QEvent* event)
{
    if (event->type() != QEvent::ToolTip || !m_numbers || m_numbers->bins.empty()) return QWidget::event(event);
    auto* help = static_cast<QHelpEvent*>(event);
    const Histogram& n = *m_numbers;
    const auto bin = static_cast<std::size_t>(std::clamp<int>(help->x() * Histogram::binCount / std::max(1, width()), 0, Histogram::binCount - 1));
    const double wide = (n.max - n.min) / Histogram::binCount, from = n.min + wide * static_cast<double>(bin);
    QToolTip::showText(help->globalPos(), tr("%1 between %2 and %3").arg(count(n.bins[bin]), number(from), number(from + wide)) + QLatin1Char('\n') + figures(), this);
    return true;
}

} // namespace sconce::ui
