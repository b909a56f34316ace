// SPDX-License-Identifier: GPL-3.0-or-later
#include "ui/shell/rail.h"

#include "ui/theme/theme.h"

#include <QButtonGroup>
#include <QPainter>
#include <QVBoxLayout>

namespace sconce::ui {

namespace {
constexpr int wide = 76, slim = 52;
}

RailButton::RailButton(const QString& icon, const QString& title, const QString& shortcut, QWidget* parent)
    : QAbstractButton(parent), m_icon(icon), m_title(title), m_shortcut(shortcut)
{
    setCheckable(true);
    setText(title);
    setAccessibleName(title);
    setFocusPolicy(Qt::TabFocus);
    setSizePolicy(QSizePolicy::Fixed, QSizePolicy::Fixed);
    setCompact(false);
    connect(&Theme::instance(), &Theme::changed, this, qOverload<>(&QWidget::update));
}

void RailButton::setCompact(bool compact)
{
    m_compact = compact;
    // With the word beside it, the tooltip need only tell the key.
    setToolTip(m_shortcut.isEmpty() ? m_title : QStringLiteral("%1 (%2)").arg(m_title, m_shortcut));
    setFixedSize(sizeHint());
    update();
}

void RailButton::setDot(bool on)
{
    if (m_dot == on) return;
    m_dot = on;
    setAccessibleDescription(on ? tr("A run is under way") : QString());
    update();
}

QSize RailButton::sizeHint() const
{
    return m_compact ? QSize(slim, 40) : QSize(wide, 56);
}

void RailButton::enterEvent(QEnterEvent* event)
{
    QAbstractButton::enterEvent(event);
    update();
}

void RailButton::leaveEvent(QEvent* event)
{
    QAbstractButton::leaveEvent(event);
    update();
}

void RailButton::paintEvent(QPaintEvent*)
{
    QPainter painter(this);
    painter.setRenderHint(QPainter::Antialiasing);
    const QRectF tile = QRectF(rect()).adjusted(6, 0, -6, 0);
    if (isChecked() || underMouse()) {
        painter.setPen(Qt::NoPen);
        painter.setBrush(color(isChecked() ? Token::AccentSoft : Token::Hover));
        painter.drawRoundedRect(tile, 6, 6);
    }
    if (isChecked()) painter.fillRect(QRectF(0, height() / 2.0 - 16, 2, 32), color(Token::Accent));
    const bool logo = m_icon == QLatin1String("sconce");
    const int size = logo ? 24 : 20;
    const bool words = !m_compact && !logo;
    const Token tint = isChecked() ? Token::AccentText : Token::Text2;
    const double top = words ? 9 : (height() - size) / 2.0;
    painter.drawPixmap(QPointF((width() - size) / 2.0, top), Theme::instance().pixmap(m_icon, logo ? Token::Text : tint, size, devicePixelRatioF()));
    if (words) {
        painter.setPen(color(isChecked() ? Token::AccentText : Token::Text2));
        painter.setFont(ui::font(FontRole::Small));
        painter.drawText(QRectF(0, 33, width(), 16), Qt::AlignCenter, m_title);
    }
    if (m_dot) {
        painter.setPen(Qt::NoPen);
        painter.setBrush(color(Token::Info));
        painter.drawEllipse(QPointF(width() / 2.0 + 12, top + 3), 3, 3);
    }
    if (property("kbfocus").toBool()) {
        painter.setPen(QPen(color(Token::Focus), 2));
        painter.setBrush(Qt::NoBrush);
        painter.drawRoundedRect(tile.adjusted(1, 1, -1, -1), 6, 6);
    }
}

Rail::Rail(QWidget* parent) : QFrame(parent)
{
    setObjectName(QStringLiteral("rail"));
    setRole(this, "rail");
    setAccessibleName(tr("Pages"));
    m_group = new QButtonGroup(this);
    auto* column = new QVBoxLayout(this);
    column->setContentsMargins(0, 4, 0, 8);
    column->setSpacing(4);
    column->addWidget(add(PageId::Welcome, QStringLiteral("sconce"), tr("Welcome"), QStringLiteral("rail.welcome"), QStringLiteral("Ctrl+0")));
    column->addWidget(add(PageId::Data, QStringLiteral("data"), tr("Data"), QStringLiteral("rail.data"), QStringLiteral("Ctrl+1")));
    column->addWidget(add(PageId::Compose, QStringLiteral("compose"), tr("Compose"), QStringLiteral("rail.compose"), QStringLiteral("Ctrl+2")));
    column->addWidget(add(PageId::Live, QStringLiteral("live"), tr("Live"), QStringLiteral("rail.live"), QStringLiteral("Ctrl+3")));
    column->addWidget(add(PageId::Runs, QStringLiteral("runs"), tr("Runs"), QStringLiteral("rail.runs"), QStringLiteral("Ctrl+4")));
    column->addWidget(add(PageId::Hardware, QStringLiteral("hardware"), tr("Hardware"), QStringLiteral("rail.hardware"), QStringLiteral("Ctrl+5")));
    column->addWidget(add(PageId::TryIt, QStringLiteral("tryit"), tr("Try it"), QStringLiteral("rail.tryit"), QStringLiteral("Ctrl+6")));
    column->addStretch(1);
    column->addWidget(add(PageId::Settings, QStringLiteral("settings"), tr("Settings"), QStringLiteral("rail.settings"), QStringLiteral("Ctrl+7")));
    setCompact(false);
}

RailButton* Rail::add(PageId page, const QString& icon, const QString& title, const QString& name, const QString& shortcut)
{
    auto* button = new RailButton(icon, title, shortcut, this);
    button->setObjectName(name);
    m_group->addButton(button);
    m_buttons[page] = button;
    connect(button, &QAbstractButton::clicked, this, [this, page] { Q_EMIT chosen(page); });
    return button;
}

void Rail::setCurrent(PageId page)
{
    if (const auto found = m_buttons.find(page); found != m_buttons.end()) found->second->setChecked(true);
}

void Rail::setCompact(bool compact)
{
    for (const auto& [page, button] : m_buttons) button->setCompact(compact);
    setFixedWidth(compact ? slim : wide);
}

void Rail::setTraining(bool training)
{
    m_buttons.at(PageId::Live)->setDot(training);
}

RailButton* Rail::button(PageId page) const
{
    const auto found = m_buttons.find(page);
    return found == m_buttons.end() ? nullptr : found->second;
}

} // namespace sconce::ui
