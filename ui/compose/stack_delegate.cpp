// SPDX-License-Identifier: GPL-3.0-or-later
#include "ui/compose/stack_delegate.h"

#include "ui/theme/theme.h"

#include <QAbstractItemView>
#include <QHelpEvent>
#include <QPainter>
#include <QToolTip>

namespace sconce::ui {

namespace {

bool isCard(RowKind kind) { return kind == RowKind::Layer || kind == RowKind::Input || kind == RowKind::Output; }

void drawText(QPainter& painter, const QRect& rect, const QString& text, FontRole role, Token token, int align)
{
    const QFont f = font(role);
    painter.setFont(f);
    painter.setPen(color(token));
    painter.drawText(rect, align | Qt::TextSingleLine, QFontMetrics(f).elidedText(text, Qt::ElideRight, rect.width()));
}

void drawIcon(QPainter& painter, const QRect& box, const QString& name, Token token, int size)
{
    const qreal ratio = painter.device() ? painter.device()->devicePixelRatioF() : 1.0;
    const QPixmap pixmap = Theme::instance().pixmap(name, token, size, ratio);
    painter.drawPixmap(QRect(box.center().x() - size / 2 + 1, box.center().y() - size / 2 + 1, size, size), pixmap);
}

void drawBar(QPainter& painter, const QRect& column, double share)
{
    const QRect groove(column.left(), column.center().y() + 11, column.width(), 3);
    painter.setPen(Qt::NoPen);
    painter.setBrush(color(Token::Raised));
    painter.drawRoundedRect(groove, 1.5, 1.5);
    QRect bar = groove;
    bar.setWidth(std::max(1, int(groove.width() * std::min(1.0, share) + 0.5)));
    painter.setBrush(color(Token::Text3));
    painter.drawRoundedRect(bar, 1.5, 1.5);
}

} // namespace

StackColumns StackColumns::of(const QRect& row, const StackRow& what, const StackMetrics& m)
{
    StackColumns at;
    const int indent = what.depth * m.indent();
    at.card = row.adjusted(m.margin() + indent, 0, -m.margin(), -m.gap());
    const QRect& c = at.card;
    const int height = c.height();
    at.grip = QRect(c.left() + 10, c.top(), 20, height);
    at.number = QRect(at.grip.right() + 1, c.top(), 22, height);
    at.icon = QRect(c.left() + 55, c.top() + (height - m.iconBox()) / 2, m.iconBox(), m.iconBox());
    int right = c.right() + 1 - 8;
    at.menu = QRect(right - 24, c.top() + (height - 24) / 2, 24, 24);
    right = at.menu.left() - 12;
    if (m.compute()) {
        at.compute = QRect(right - 72, c.top(), 72, height);
        right = at.compute.left() - 12;
    }
    at.parameters = QRect(right - 72, c.top(), 72, height);
    right = at.parameters.left() - 24;
    at.shape = QRect(right - 96, c.top(), 96, height);
    // Input and Output have more to say: their words get what the shape leaves of its column.
    if (what.kind == RowKind::Input || what.kind == RowKind::Output) at.shape.setLeft(std::max(at.shape.left(), at.shape.right() - QFontMetrics(font(FontRole::Mono)).horizontalAdvance(what.shape)));
    at.text = QRect(at.icon.right() + 13, c.top(), at.shape.left() - 8 - at.icon.right() - 13, height);
    return at;
}

StackDelegate::StackDelegate(const StackModel& model, QObject* parent) : QStyledItemDelegate(parent), m_model(model) {}

void StackDelegate::setHover(int row, bool onMenu)
{
    m_hoverRow = row;
    m_hoverMenu = onMenu;
}

QSize StackDelegate::sizeHint(const QStyleOptionViewItem&, const QModelIndex& index) const
{
    int height = 0;
    switch (m_model.row(index.row()).kind) {
    case RowKind::Layer: height = m_metrics.card(); break;
    case RowKind::Input: case RowKind::Output: height = m_metrics.ends(); break;
    case RowKind::BranchHead: height = 16; break;
    case RowKind::BranchEnd: height = m_metrics.slot(); break;
    case RowKind::Add: height = m_metrics.low ? 36 : 40; break;
    }
    return {480, height + m_metrics.gap()};
}

void StackDelegate::paintWires(QPainter& painter, const QRect& row, const StackRow& what, bool last) const
{
    const auto wireX = [&](int depth) {
        return row.left() + m_metrics.margin() + depth * m_metrics.indent() + 55 + m_metrics.iconBox() / 2;
    };
    painter.setPen(QPen(color(Token::LineStrong), 1.5));
    // What flows past a block's branches: the shortcut of a Residual, the value that every branch of a Parallel gets.
    for (int depth = 0; depth < what.depth; ++depth) {
        const int x = row.left() + m_metrics.margin() + depth * m_metrics.indent() + 12;
        painter.drawLine(x, row.top() - (what.kind == RowKind::BranchHead ? m_metrics.gap() : 0), x, row.bottom());
    }
    if (last || !isCard(what.kind)) {
        if (what.kind == RowKind::BranchEnd && !last) {
            const int x = wireX(what.depth - 1);
            painter.drawLine(x, row.bottom() - m_metrics.gap() + 1, x, row.bottom());
        }
        return;
    }
    if (what.block) {
        const int past = row.left() + m_metrics.margin() + what.depth * m_metrics.indent() + 12;
        painter.drawLine(past, row.bottom() - m_metrics.gap() + 1, past, row.bottom() + 1);
    }
    const int x = wireX(what.block ? what.depth + 1 : what.depth);
    painter.drawLine(x, row.bottom() - m_metrics.gap() + 1, x, row.bottom() + 1);
}

void StackDelegate::paintCard(QPainter& painter, const QStyleOptionViewItem& option, const StackRow& what,
                              const StackColumns& at, bool hovered) const
{
    const bool selected = option.state & QStyle::State_Selected;
    const bool focused = (option.state & QStyle::State_HasFocus) && (option.state & QStyle::State_Active);
    QColor border = hovered ? color(Token::LineStrong) : color(Token::Line);
    if (selected) border = color(Token::Focus);
    if (what.problem) border = color(Token::Error);
    const QColor fill = selected ? color(Token::AccentSoft) : color(Token::Card);
    painter.setBrush(fill);
    painter.setPen(QPen(border, 1));
    painter.drawRoundedRect(QRectF(at.card).adjusted(0.5, 0.5, -0.5, -0.5), 8, 8);
    if (focused && selected) {
        painter.setBrush(Qt::NoBrush);
        painter.setPen(QPen(border, 2));
        painter.drawRoundedRect(QRectF(at.card).adjusted(1, 1, -1, -1), 7, 7);
    }

    Token iconToken = Token::Text, boxToken = selected ? Token::Win : Token::Raised;
    if (what.problem) iconToken = Token::Error, boxToken = Token::ErrorSoft;
    else if (what.hint) iconToken = Token::Warn, boxToken = Token::WarnSoft;
    painter.setPen(Qt::NoPen);
    painter.setBrush(color(boxToken));
    painter.drawRoundedRect(at.icon, 6, 6);
    drawIcon(painter, at.icon, what.icon, iconToken, 16);

    const bool low = m_metrics.low;
    const int middle = at.card.center().y() + 1;
    const int lineHeight = low ? 16 : 18;
    const bool two = !what.summary.isEmpty();
    const QRect titleRect(at.text.left(), two ? middle - lineHeight + 1 : middle - lineHeight / 2, at.text.width(), lineHeight);
    const QRect summaryRect(at.text.left(), middle, at.text.width(), lineHeight - 1);
    drawText(painter, titleRect, what.title, FontRole::Strong, Token::Text, Qt::AlignLeft | Qt::AlignVCenter);
    if (two) {
        const Token token = what.problem ? Token::Error : what.hint ? Token::Warn : Token::Text3;
        drawText(painter, summaryRect, what.summary, FontRole::Caption, token, Qt::AlignLeft | Qt::AlignVCenter);
    }
    drawText(painter, at.shape, what.shape, FontRole::Mono, Token::Text, Qt::AlignRight | Qt::AlignVCenter);
    if (what.kind != RowKind::Layer) return;

    drawIcon(painter, at.grip, QStringLiteral("grip"), Token::Text3, 16);
    drawText(painter, at.number, what.number, FontRole::MonoSmall, Token::Text3, Qt::AlignHCenter | Qt::AlignVCenter);
    paintNumbers(painter, what, at);
    if (m_hoverMenu && hovered) {
        painter.setPen(Qt::NoPen);
        painter.setBrush(color(Token::Hover));
        painter.drawRoundedRect(at.menu, 6, 6);
    }
    drawIcon(painter, at.menu, QStringLiteral("dots"), hovered ? Token::Text : Token::Text3, 16);
}

void StackDelegate::paintNumbers(QPainter& painter, const StackRow& what, const StackColumns& at) const
{
    const int align = Qt::AlignRight | Qt::AlignVCenter;
    const bool counted = what.parameterShare > 0;
    drawText(painter, counted ? at.parameters.translated(0, -3) : at.parameters, what.parameters, FontRole::Mono,
             counted ? Token::Text : Token::Text3, align);
    if (counted) drawBar(painter, at.parameters, what.parameterShare);
    if (!m_metrics.compute()) return;
    const bool costs = what.computeShare > 0.0005;
    drawText(painter, costs ? at.compute.translated(0, -3) : at.compute, what.compute, FontRole::Mono,
             costs ? Token::Text : Token::Text3, align);
    if (costs) drawBar(painter, at.compute, what.computeShare);
}

void StackDelegate::paintSlot(QPainter& painter, const QStyleOptionViewItem& option, const StackRow& what, const QRect& card,
                              bool hovered) const
{
    const bool selected = option.state & QStyle::State_Selected;
    QPen pen(selected ? color(Token::Focus) : hovered ? color(Token::Tick) : color(Token::LineStrong), 1, Qt::DashLine);
    painter.setPen(pen);
    painter.setBrush(selected ? QBrush(color(Token::AccentSoft)) : QBrush(Qt::NoBrush));
    painter.drawRoundedRect(QRectF(card).adjusted(0.5, 0.5, -0.5, -0.5), what.kind == RowKind::Add ? 8 : 6, what.kind == RowKind::Add ? 8 : 6);

    QString note, key;
    if (what.kind == RowKind::Add) {
        note = m_metrics.narrow ? tr("drop one here or press") : tr("drop one here, double-click one in the list, or press");
        key = QStringLiteral("Ins");
    }
    const QFontMetrics titleMetrics(font(FontRole::Body)), noteMetrics(font(FontRole::Caption)), keyMetrics(font(FontRole::MonoSmall));
    const int titleWidth = titleMetrics.horizontalAdvance(what.title) + 2;
    const int noteWidth = note.isEmpty() ? 0 : noteMetrics.horizontalAdvance(note) + 2;
    const int keyWidth = key.isEmpty() ? 0 : keyMetrics.horizontalAdvance(key) + 2;
    const int total = 16 + 8 + titleWidth + (noteWidth ? 10 + noteWidth + 8 + keyWidth : 0);
    int x = card.center().x() - total / 2;
    drawIcon(painter, QRect(x, card.top(), 16, card.height()), QStringLiteral("plus"), Token::Text2, what.kind == RowKind::Add ? 16 : 12);
    x += 24;
    const int align = Qt::AlignLeft | Qt::AlignVCenter;
    drawText(painter, QRect(x, card.top(), titleWidth, card.height()), what.title,
             what.kind == RowKind::Add ? FontRole::Body : FontRole::Caption, Token::Text2, align);
    if (note.isEmpty()) return;
    x += titleWidth + 10;
    drawText(painter, QRect(x, card.top(), noteWidth, card.height()), note, FontRole::Caption, Token::Text3, align);
    x += noteWidth + 8;
    drawText(painter, QRect(x, card.top(), keyWidth, card.height()), key, FontRole::MonoSmall, Token::Text2, align);
}

void StackDelegate::paint(QPainter* painter, const QStyleOptionViewItem& option, const QModelIndex& index) const
{
    const StackRow& what = m_model.row(index.row());
    const StackColumns at = StackColumns::of(option.rect, what, m_metrics);
    const bool hovered = index.row() == m_hoverRow;
    painter->save();
    painter->setRenderHint(QPainter::Antialiasing);
    paintWires(*painter, option.rect, what, what.kind == RowKind::Output || what.kind == RowKind::Add);
    if (isCard(what.kind)) paintCard(*painter, option, what, at, hovered);
    else if (what.kind == RowKind::BranchHead)
        drawText(*painter, at.card, what.title, FontRole::Caption, Token::Text3, Qt::AlignLeft | Qt::AlignVCenter);
    else paintSlot(*painter, option, what, at.card, hovered);
    painter->restore();
}

bool StackDelegate::helpEvent(QHelpEvent* event, QAbstractItemView* view, const QStyleOptionViewItem& option, const QModelIndex& index)
{
    if (!index.isValid()) return false;
    const StackRow& what = m_model.row(index.row());
    const StackColumns at = StackColumns::of(option.rect, what, m_metrics);
    QString tip;
    if (at.menu.contains(event->pos()) && what.kind == RowKind::Layer) tip = tr("What can be done with this layer");
    else if (at.parameters.contains(event->pos()) && what.parameterShare > 0)
        tip = (what.frozen ? tr("%1 frozen numbers, %2 % of the network") : tr("%1 trainable numbers, %2 % of the network")).arg(what.parameters).arg(what.parameterShare * 100, 0, 'f', 1);
    else if (at.compute.contains(event->pos()) && what.computeShare >= 0) tip = tr("Share of a training step's arithmetic, forward and backward; an estimate");
    else if (at.shape.contains(event->pos())) tip = tr("Shape of what leaves here, for one sample: channels×height×width");
    else if (at.text.contains(event->pos()) && QFontMetrics(font(FontRole::Caption)).horizontalAdvance(what.summary) > at.text.width())
        tip = what.summary;
    if (tip.isEmpty()) QToolTip::hideText();
    else QToolTip::showText(event->globalPos(), tip, view);
    return true;
}

} // namespace sconce::ui
