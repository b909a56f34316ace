// SPDX-License-Identifier: GPL-3.0-or-later
#include "ui/compose/trial_bars.h"

#include "ui/theme/theme.h"

#include <QHelpEvent>
#include <QPainter>
#include <QToolTip>

#include <algorithm>

namespace sconce::ui {

namespace {
constexpr int rowHeight = 28, barHeight = 8, gap = 12;
} // namespace

TrialBars::TrialBars(QWidget* parent) : QWidget(parent)
{
    connect(&Theme::instance(), &Theme::changed, this, qOverload<>(&QWidget::update));
    setSizePolicy(QSizePolicy::Expanding, QSizePolicy::Minimum);
}

void TrialBars::setRows(std::vector<Row> rows, const QString& accessible)
{
    m_rows = std::move(rows);
    QStringList words;
    for (const Row& row : m_rows) words << QStringLiteral("%1: %2 %3").arg(row.name, row.value, row.note).trimmed();
    setAccessibleName(accessible);
    setAccessibleDescription(words.join(QStringLiteral(", ")));
    updateGeometry();
    update();
}

void TrialBars::setWhole(double whole)
{
    m_whole = whole;
    update();
}

void TrialBars::setOnGpu(bool onGpu)
{
    m_onGpu = onGpu;
    update();
}

QSize TrialBars::sizeHint() const { return {480, rowHeight * static_cast<int>(m_rows.size())}; }

void TrialBars::paintEvent(QPaintEvent*)
{
    QPainter painter(this);
    double whole = m_whole;
    int values = 0, notes = 0;
    const QFontMetrics numbers(ui::font(FontRole::MonoSmall)), words(ui::font(FontRole::Body));
    int names = 0;
    for (const Row& row : m_rows) {
        if (m_whole <= 0) whole = std::max(whole, row.first + row.second);
        values = std::max(values, numbers.horizontalAdvance(row.value));
        notes = std::max(notes, numbers.horizontalAdvance(row.note));
        names = std::max(names, words.horizontalAdvance(row.name) + 2); // unhinted, a word may be a hair wider than told
    }
    names = std::min(names, width() / 3);
    const int right = width() - notes - (notes ? gap : 0) - values, room = std::max(20, right - names - 2 * gap);
    const Token full = m_onGpu ? Token::Gpu : Token::Cpu;
    int top = 0;
    for (const Row& row : m_rows) {
        const QRect line(0, top, width(), rowHeight);
        painter.setFont(ui::font(FontRole::Body));
        painter.setPen(color(row.weak ? Token::Text3 : Token::Text));
        painter.drawText(QRect(0, top, names, rowHeight), Qt::AlignVCenter | Qt::AlignLeft, words.elidedText(row.name, Qt::ElideMiddle, names));
        const auto length = [&](double amount) { return whole > 0 ? std::clamp(amount / whole, 0.0, 1.0) * room : 0.0; };
        const double first = length(row.first), second = std::min(length(row.second), room - first);
        const double y = top + (rowHeight - barHeight) / 2.0, x = names + gap;
        painter.fillRect(QRectF(x, y, room, barHeight), color(Token::Raised));
        painter.fillRect(QRectF(x, y, first, barHeight), row.bad ? color(Token::Error) : row.weak ? color(Token::Text3) : color(full));
        painter.fillRect(QRectF(x + first, y, second, barHeight), Theme::instance().blend(full, Token::Card, 0.5));
        painter.setFont(ui::font(FontRole::MonoSmall));
        painter.setPen(color(row.weak ? Token::Text3 : Token::Text));
        painter.drawText(QRect(right, top, values, rowHeight), Qt::AlignVCenter | Qt::AlignRight, row.value);
        painter.setPen(color(row.bad ? Token::Error : Token::Text2));
        painter.drawText(QRect(width() - notes, top, notes, rowHeight), Qt::AlignVCenter | Qt::AlignRight, row.note);
        top += rowHeight;
    }
}

bool TrialBars::event(QEvent* event)
{
    if (event->type() != QEvent::ToolTip) return QWidget::event(event);
    auto* help = static_cast<QHelpEvent*>(event);
    const auto index = static_cast<std::size_t>(std::max(0, help->y()) / rowHeight);
    if (index < m_rows.size()) QToolTip::showText(help->globalPos(), QStringLiteral("%1: %2 %3").arg(m_rows[index].name, m_rows[index].value, m_rows[index].note).trimmed(), this);
    return true;
}

} // namespace sconce::ui
