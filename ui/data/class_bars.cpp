// SPDX-License-Identifier: GPL-3.0-or-later
#include "ui/data/class_bars.h"

#include "core/base/text.h"
#include "ui/theme/theme.h"

#include <QHelpEvent>
#include <QKeyEvent>
#include <QPainter>
#include <QToolTip>

#include <algorithm>
#include <numeric>

namespace sconce::ui {

namespace {

constexpr std::array<Token, 3> shareTokens{Token::Train, Token::Val, Token::Test};

std::int64_t sum(const std::array<std::int64_t, 3>& counts) { return counts[0] + counts[1] + counts[2]; }

} // namespace

ClassBars::ClassBars(QWidget* parent) : QWidget(parent)
{
    setObjectName(QStringLiteral("data.classes"));
    setMinimumHeight(120);
    connect(&Theme::instance(), &Theme::changed, this, qOverload<>(&QWidget::update));
}

void ClassBars::setBars(std::vector<Bar> bars)
{
    m_bars = std::move(bars);
    QStringList words;
    for (const auto& bar : m_bars) words << QStringLiteral("%1: %2").arg(bar.name).arg(sum(bar.counts));
    setAccessibleName(tr("Samples per class"));
    setAccessibleDescription(words.join(QStringLiteral(", ")));
    update();
}

void ClassBars::paintEvent(QPaintEvent*)
{
    if (m_bars.empty()) return;
    QPainter painter(this);
    painter.setRenderHint(QPainter::Antialiasing);
    std::int64_t largest = 1;
    for (const auto& bar : m_bars) largest = std::max(largest, sum(bar.counts));
    const double slot = static_cast<double>(width()) / static_cast<double>(m_bars.size());
    const int barWidth = std::clamp(static_cast<int>(slot * 0.6), 2, 36);
    const int top = 18, bottom = height() - 20;
    painter.setFont(ui::font(FontRole::MonoAxis));
    const bool numbers = slot >= painter.fontMetrics().horizontalAdvance(QStringLiteral("00,000")) + 4;
    for (std::size_t i = 0; i < m_bars.size(); ++i) {
        const auto& bar = m_bars[i];
        const int left = static_cast<int>(slot * (static_cast<double>(i) + 0.5)) - barWidth / 2;
        double y = bottom;
        for (std::size_t part = 0; part < 3; ++part) {
            const double high = (bottom - top) * static_cast<double>(bar.counts[part]) / static_cast<double>(largest);
            painter.fillRect(QRectF(left, y - high, barWidth, high), color(shareTokens[part]));
            y -= high;
        }
        const QRect cell(static_cast<int>(slot * static_cast<double>(i)), 0, static_cast<int>(slot), height());
        if (numbers) {
            painter.setPen(color(Token::Text2));
            painter.drawText(QRect(cell.left(), static_cast<int>(y) - 17, cell.width(), 16), Qt::AlignCenter, QString::fromStdString(groupedInt(sum(bar.counts))));
        }
        painter.setPen(color(Token::Text3));
        painter.drawText(QRect(cell.left() + 1, bottom + 3, cell.width() - 2, 16), Qt::AlignCenter,
                         painter.fontMetrics().elidedText(bar.name, Qt::ElideRight, cell.width() - 2));
    }
    painter.fillRect(0, bottom, width(), 1, color(Token::Line));
}

bool ClassBars::event(QEvent* event)
{
    if (event->type() == QEvent::ToolTip && !m_bars.empty()) {
        auto* help = static_cast<QHelpEvent*>(event);
        const auto index = std::min(m_bars.size() - 1, static_cast<std::size_t>(std::max(0, help->x()) * static_cast<int>(m_bars.size()) / std::max(1, width())));
        const auto& bar = m_bars[index];
        const auto number = [](std::int64_t n) { return QString::fromStdString(groupedInt(n)); };
        QToolTip::showText(help->globalPos(), tr("%1: %2 training, %3 validation, %4 test").arg(bar.name, number(bar.counts[0]), number(bar.counts[1]), number(bar.counts[2])), this);
        return true;
    }
    return QWidget::event(event);
}

SplitBar::SplitBar(QWidget* parent) : QWidget(parent)
{
    setObjectName(QStringLiteral("data.splitBar"));
    setAccessibleName(tr("Split into training, validation and test"));
    setFocusPolicy(Qt::StrongFocus);
    setFixedHeight(24);
    setCursor(Qt::SplitHCursor);
    setToolTip(tr("Drag the border to change how much is held back for validation."));
    connect(&Theme::instance(), &Theme::changed, this, qOverload<>(&QWidget::update));
}

void SplitBar::setCounts(std::array<std::int64_t, 3> counts)
{
    m_counts = counts;
    update();
}

double SplitBar::position(int border) const
{
    const auto total = static_cast<double>(std::max<std::int64_t>(1, sum(m_counts)));
    const auto before = static_cast<double>(border == 0 ? m_counts[0] : m_counts[0] + m_counts[1]);
    return width() * before / total;
}

double SplitBar::shareAt(int x) const
{
    const double end = position(1);
    return end <= 0 ? 0 : std::clamp(1 - x / end, 0.0, 0.9);
}

void SplitBar::paintEvent(QPaintEvent*)
{
    QPainter painter(this);
    painter.setRenderHint(QPainter::Antialiasing);
    const QRectF bar(0, 7, width(), 10);
    painter.setPen(Qt::NoPen);
    painter.setBrush(color(Token::Test));
    painter.drawRoundedRect(bar, 3, 3);
    if (sum(m_counts) == 0) return;
    painter.setBrush(color(Token::Val));
    painter.drawRect(QRectF(0, 7, position(1), 10));
    painter.setBrush(color(Token::Train));
    painter.drawRoundedRect(QRectF(0, 7, position(0), 10), 3, 3);
    for (int border = 0; border < (m_counts[2] > 0 ? 2 : 1); ++border) {
        const double x = std::clamp(position(border), 2.0, width() - 2.0);
        painter.setPen(QPen(color(Token::Card), 1));
        painter.setBrush(color(border == 0 && hasFocus() ? Token::Focus : Token::Text));
        painter.drawRoundedRect(QRectF(x - 2.5, 3.5, 5, 17), 1.5, 1.5);
    }
}

void SplitBar::mousePressEvent(QMouseEvent* event)
{
    m_dragging = true;
    Q_EMIT validationDragged(shareAt(static_cast<int>(event->position().x())));
}

void SplitBar::mouseMoveEvent(QMouseEvent* event)
{
    if (m_dragging) Q_EMIT validationDragged(shareAt(static_cast<int>(event->position().x())));
}

void SplitBar::keyPressEvent(QKeyEvent* event)
{
    const int step = event->key() == Qt::Key_Left ? 1 : event->key() == Qt::Key_Right ? -1 : 0;
    if (step == 0) return QWidget::keyPressEvent(event);
    const auto pool = static_cast<double>(std::max<std::int64_t>(1, m_counts[0] + m_counts[1]));
    Q_EMIT validationDragged(std::clamp(static_cast<double>(m_counts[1]) / pool + 0.01 * step, 0.0, 0.9));
}

} // namespace sconce::ui
