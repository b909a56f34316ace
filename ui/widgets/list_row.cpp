// SPDX-License-Identifier: GPL-3.0-or-later
#include "ui/widgets/list_row.h"

#include "ui/widgets/parts.h"

#include <QKeyEvent>
#include <QPainter>

namespace sconce::ui {

ListRow::ListRow(const QString& icon, const QString& title, const QString& subtitle, QWidget* parent)
    : QAbstractButton(parent), m_icon(icon), m_subtitle(subtitle)
{
    setText(title);
    setAccessibleName(title);
    setAccessibleDescription(subtitle);
    setFocusPolicy(Qt::TabFocus);
    setSizePolicy(QSizePolicy::Expanding, QSizePolicy::Fixed);
    connect(&Theme::instance(), &Theme::changed, this, qOverload<>(&QWidget::update));
}

void ListRow::setSubtitle(const QString& subtitle)
{
    m_subtitle = subtitle;
    setAccessibleDescription(subtitle);
    update();
}

void ListRow::setAside(const QString& aside)
{
    m_aside = aside;
    update();
}

void ListRow::setStatus(const QString& status)
{
    m_status = status;
    update();
}

void ListRow::setFramed(bool framed)
{
    m_framed = framed;
    updateGeometry();
    update();
}

void ListRow::setChevron(bool chevron)
{
    m_chevron = chevron;
    update();
}

QSize ListRow::sizeHint() const
{
    return {220, m_framed ? 64 : 48};
}

QSize ListRow::minimumSizeHint() const
{
    return {120, sizeHint().height()};
}

void ListRow::enterEvent(QEnterEvent* event)
{
    QAbstractButton::enterEvent(event);
    update();
}

void ListRow::leaveEvent(QEvent* event)
{
    QAbstractButton::leaveEvent(event);
    update();
}

void ListRow::keyPressEvent(QKeyEvent* event)
{
    if (event->key() == Qt::Key_Return || event->key() == Qt::Key_Enter) click();
    else QAbstractButton::keyPressEvent(event);
}

void ListRow::paintEvent(QPaintEvent*)
{
    QPainter painter(this);
    painter.setRenderHint(QPainter::Antialiasing);
    const QRectF box(rect());
    const bool hovered = underMouse() && isEnabled();
    if (m_framed) {
        painter.setPen(QPen(color(hovered ? Token::LineStrong : Token::Line), 1));
        painter.setBrush(color(hovered ? Token::Hover : Token::Card));
        painter.drawRoundedRect(box.adjusted(.5, .5, -.5, -.5), 8, 8);
    } else if (hovered) {
        painter.setPen(Qt::NoPen);
        painter.setBrush(color(Token::Hover));
        painter.drawRoundedRect(box.adjusted(-8, 2, 0, -2), 6, 6);
    }
    const qreal scale = devicePixelRatioF();
    double left = box.left() + (m_framed ? 16 : 8);
    const double middle = box.center().y();
    if (!m_icon.isEmpty()) {
        if (m_framed) {
            painter.drawPixmap(QPointF(left, middle - 10), Theme::instance().pixmap(m_icon, Token::Text2, 20, scale));
            left += 32;
        } else {
            painter.setPen(Qt::NoPen);
            painter.setBrush(color(Token::Raised));
            painter.drawRoundedRect(QRectF(left - 8, middle - 16, 32, 32), 6, 6);
            painter.drawPixmap(QPointF(left, middle - 8), Theme::instance().pixmap(m_icon, Token::Text2, 16, scale));
            left += 36;
        }
    }
    double right = box.right() - (m_framed ? 12 : 6);
    if (m_chevron && !m_framed) {
        painter.drawPixmap(QPointF(right - 12, middle - 6), Theme::instance().pixmap(QStringLiteral("chevron-right"), Token::Text2, 12, scale));
        right -= 22;
    }
    const QFont caption = ui::font(FontRole::Caption), mono = ui::font(FontRole::MonoSmall);
    if (!m_status.isEmpty()) {
        const double wide = 35 + QFontMetricsF(caption).horizontalAdvance(m_status);
        paintStatusPill(&painter, QRectF(right - wide, middle - 10, wide, 20), m_status, caption);
        right -= wide + 10;
    }
    if (!m_aside.isEmpty()) {
        const double wide = QFontMetricsF(mono).horizontalAdvance(m_aside) + 2;
        painter.setFont(mono);
        painter.setPen(color(Token::Text));
        painter.drawText(QRectF(right - wide, middle - 10, wide, 20), Qt::AlignRight | Qt::AlignVCenter, m_aside);
        right -= wide + 10;
    }
    const QFont strong = ui::font(FontRole::Strong);
    const double room = std::max(0.0, right - left);
    const QString title = QFontMetricsF(strong).elidedText(text(), Qt::ElideRight, room);
    const QString second = QFontMetricsF(caption).elidedText(m_subtitle, Qt::ElideRight, room);
    setToolTip(title != text() || second != m_subtitle ? text() + QLatin1Char('\n') + m_subtitle : QString());
    painter.setFont(strong);
    painter.setPen(color(isEnabled() ? Token::Text : Token::Text3));
    painter.drawText(QRectF(left, m_subtitle.isEmpty() ? middle - 10 : middle - 19, room, 20), Qt::AlignLeft | Qt::AlignVCenter, title);
    painter.setFont(caption);
    painter.setPen(color(Token::Text2));
    if (!m_subtitle.isEmpty()) painter.drawText(QRectF(left, middle, room, 17), Qt::AlignLeft | Qt::AlignVCenter, second);
    if (property("kbfocus").toBool()) {
        painter.setPen(QPen(color(Token::Focus), 2));
        painter.setBrush(Qt::NoBrush);
        painter.drawRoundedRect(box.adjusted(1, 1, -1, -1), 7, 7);
    }
}

} // namespace sconce::ui
