// SPDX-License-Identifier: GPL-3.0-or-later
#include "ui/widgets/parts.h"

#include <QButtonGroup>
#include <QHBoxLayout>
#include <QHeaderView>
#include <QPainter>
#include <QResizeEvent>
#include <QStyle>
#include <QTableView>
#include <QVBoxLayout>

#include <algorithm>

namespace sconce::ui {

namespace {

/// Calls f now and whenever the theme changes, as long as `context` lives.
template <class F> void withTheme(QObject* context, F f)
{
    f();
    QObject::connect(&Theme::instance(), &Theme::changed, context, f);
}

} // namespace

// ---- labels, buttons, lines ----

QLabel* makeLabel(const QString& text, FontRole role, Token token, QWidget* parent)
{
    auto* label = new QLabel(text, parent);
    label->setProperty("token", tokenName(token));
    label->setFont(font(role));
    label->setTextFormat(Qt::PlainText);
    return label;
}

void setLabelToken(QLabel* label, Token token)
{
    const QString name = tokenName(token);
    if (label->property("token").toString() == name) return;
    label->setProperty("token", name);
    label->style()->unpolish(label);
    label->style()->polish(label);
}

void fitColumns(QTableView& table)
{
    constexpr int gap = 10, padding = 10; // between columns; what the style puts around a header's words, rounded up
    table.horizontalHeader()->ensurePolished(); // the theme's font, also before it is shown
    const QAbstractItemModel* model = table.model();
    const QFontMetrics metrics(table.horizontalHeader()->font());
    table.resizeColumnsToContents();
    for (int c = 0; c < model->columnCount(); ++c) {
        const int words = metrics.horizontalAdvance(model->headerData(c, Qt::Horizontal).toString()) + padding;
        table.setColumnWidth(c, std::max(table.columnWidth(c) + gap, words));
    }
}

QPushButton* makeButton(const QString& icon, const QString& text, ButtonKind kind, QWidget* parent)
{
    auto* button = new QPushButton(text, parent);
    const Token token = kind == ButtonKind::Primary ? Token::OnAccent : kind == ButtonKind::Danger ? Token::Error : Token::Text;
    if (!icon.isEmpty()) button->setIcon(text.isEmpty() ? Theme::instance().icon(icon, token) : Theme::instance().buttonIcon(icon, token));
    button->setIconSize(text.isEmpty() ? QSize(16, 16) : QSize(20, 16));
    button->setFont(ui::font(FontRole::BodyMedium));
    button->setCursor(Qt::ArrowCursor);
    button->setAutoDefault(false);
    static const char* const roles[] = {"primary", "normal", "flat", "danger"};
    setRole(button, roles[static_cast<int>(kind)]);
    return button;
}

QToolButton* makeToolButton(const QString& icon, const QString& tooltip, QWidget* parent)
{
    auto* button = new QToolButton(parent);
    button->setIcon(Theme::instance().icon(icon, Token::Text2));
    button->setIconSize({16, 16});
    button->setToolTip(tooltip);
    button->setAccessibleName(tooltip);
    button->setFocusPolicy(Qt::TabFocus);
    return button;
}

QFrame* makeLine(Qt::Orientation orientation, QWidget* parent)
{
    auto* line = new QFrame(parent);
    setRole(line, "line");
    if (orientation == Qt::Horizontal) line->setFixedHeight(1);
    else line->setFixedWidth(1);
    return line;
}

// ---- Card ----

Card::Card(const QString& title, QWidget* parent) : QFrame(parent)
{
    setRole(this, "card");
    auto* column = new QVBoxLayout(this);
    column->setContentsMargins(16, 12, 16, 12);
    column->setSpacing(8);
    m_titleBar = new QHBoxLayout;
    m_titleBar->setSpacing(8);
    m_title = makeLabel({}, FontRole::Strong, Token::Text, this);
    m_aside = makeLabel({}, FontRole::Caption, Token::Text2, this);
    for (QLabel* label : {m_title, m_aside}) label->setSizePolicy(QSizePolicy::Preferred, QSizePolicy::Fixed);
    m_titleBar->addWidget(m_title);
    m_titleBar->addWidget(m_aside);
    m_titleBar->addStretch(1);
    column->addLayout(m_titleBar);
    m_content = new QVBoxLayout;
    m_content->setSpacing(8);
    m_content->setContentsMargins(0, 0, 0, 0);
    column->addLayout(m_content, 1);
    setTitle(title);
}

void Card::setTitle(const QString& title, const QString& aside)
{
    m_title->setText(title);
    m_title->setVisible(!title.isEmpty());
    m_aside->setText(aside);
    m_aside->setVisible(!aside.isEmpty());
    if (!title.isEmpty()) setAccessibleName(title);
}

// ---- ElidedLabel ----

ElidedLabel::ElidedLabel(const QString& text, Qt::TextElideMode mode, QWidget* parent) : QLabel(parent), m_mode(mode)
{
    setTextFormat(Qt::PlainText);
    setProperty("elides", true); // tests of clipping look for it
    setSizePolicy(QSizePolicy::Preferred, QSizePolicy::Fixed);
    setFullText(text);
}

void ElidedLabel::setFullText(const QString& text)
{
    if (text == m_full && !text.isEmpty()) return;
    m_full = text;
    updateGeometry();
    elide();
}

QSize ElidedLabel::sizeHint() const
{
    const QMargins m = contentsMargins();
    return {fontMetrics().horizontalAdvance(m_full) + 2 + m.left() + m.right(), QLabel::sizeHint().height()};
}

QSize ElidedLabel::minimumSizeHint() const
{
    return {fontMetrics().horizontalAdvance(QStringLiteral("mm…")), QLabel::minimumSizeHint().height()};
}

void ElidedLabel::resizeEvent(QResizeEvent* event)
{
    QLabel::resizeEvent(event);
    elide();
}

void ElidedLabel::elide()
{
    const QString shown = fontMetrics().elidedText(m_full, m_mode, qMax(0, contentsRect().width()));
    if (shown != text()) QLabel::setText(shown);
    setToolTip(shown == m_full ? QString() : m_full);
}

// ---- StatusPill ----

StatusLook statusLook(const QString& status)
{
    if (status == QLatin1String("running")) return {Token::Info, Token::InfoSoft, QStringLiteral("play")};
    if (status == QLatin1String("paused")) return {Token::Info, Token::InfoSoft, QStringLiteral("pause")};
    if (status == QLatin1String("interrupted")) return {Token::Warn, Token::WarnSoft, QStringLiteral("bolt")};
    if (status == QLatin1String("failed")) return {Token::Error, Token::ErrorSoft, QStringLiteral("error")};
    if (status == QLatin1String("finished")) return {Token::Text2, Token::Raised, QStringLiteral("check")};
    if (status == QLatin1String("stopped")) return {Token::Text2, Token::Raised, QStringLiteral("stop")};
    if (status == QLatin1String("checked") || status == QLatin1String("ready")) return {Token::Ok, Token::OkSoft, QStringLiteral("check")};
    return {Token::Text2, Token::Card, QStringLiteral("clock")}; // queued: an outline
}

StatusPill::StatusPill(QWidget* parent) : QLabel(parent)
{
    setFont(ui::font(FontRole::Caption));
    // In a layout a label would grow to the bar's height and lose its round ends.
    setFixedHeight(20);
    setSizePolicy(QSizePolicy::Fixed, QSizePolicy::Fixed);
    connect(&Theme::instance(), &Theme::changed, this, qOverload<>(&QWidget::update));
}

void StatusPill::setStatus(const QString& status, const QString& words)
{
    const QString said = words.isEmpty() ? status : words;
    const QString shown = fontMetrics().elidedText(said, Qt::ElideRight, maximumWidth() - 35);
    if (status == m_status && shown == text()) return;
    m_status = status;
    setText(shown);
    setToolTip(shown == said ? QString() : said);
    setAccessibleName(tr("Status: %1").arg(said));
    updateGeometry();
    update();
}

QSize StatusPill::sizeHint() const
{
    return {m_status.isEmpty() ? 0 : 8 + 12 + 5 + fontMetrics().horizontalAdvance(text()) + 10, 20};
}

QSize StatusPill::minimumSizeHint() const
{
    return sizeHint();
}

void StatusPill::paintEvent(QPaintEvent*)
{
    if (m_status.isEmpty()) return;
    QPainter painter(this);
    painter.setRenderHint(QPainter::Antialiasing);
    paintStatusPill(&painter, QRectF(rect()), m_status, font(), text());
}

void paintStatusPill(QPainter* painter, const QRectF& box, const QString& status, const QFont& font, const QString& words)
{
    const StatusLook look = statusLook(status);
    const bool outline = look.soft == Token::Card;
    painter->setPen(outline ? QPen(color(Token::LineStrong), 1) : QPen(Qt::NoPen));
    painter->setBrush(outline ? QBrush(Qt::NoBrush) : QBrush(color(look.soft)));
    painter->drawRoundedRect(outline ? box.adjusted(.5, .5, -.5, -.5) : box, box.height() / 2, box.height() / 2);
    const QPixmap icon = Theme::instance().pixmap(look.icon, look.text, 12, painter->device()->devicePixelRatioF());
    painter->drawPixmap(QPointF(box.left() + 8, box.top() + (box.height() - 12) / 2), icon);
    painter->setPen(color(look.text));
    painter->setFont(font);
    painter->drawText(box.adjusted(25, 0, -4, 0), Qt::AlignVCenter | Qt::AlignLeft, words.isEmpty() ? status : words);
}

// ---- Tile ----

Tile::Tile(const QString& caption, QWidget* parent) : QFrame(parent)
{
    setRole(this, "tile");
    setMinimumWidth(96);
    auto* column = new QVBoxLayout(this);
    column->setContentsMargins(12, 6, 8, 6);
    column->setSpacing(1);
    auto* top = new QHBoxLayout;
    top->setSpacing(6);
    m_dot = new QLabel(this);
    m_dot->setFixedSize(8, 8);
    m_dot->hide();
    m_caption = new ElidedLabel(caption, Qt::ElideRight, this);
    m_caption->setProperty("token", tokenName(Token::Text2));
    m_caption->setFont(ui::font(FontRole::Caption));
    top->addWidget(m_dot, 0, Qt::AlignVCenter);
    top->addWidget(m_caption, 1);
    column->addLayout(top);
    m_value = makeLabel(QStringLiteral("–"), FontRole::Value, Token::Text, this);
    m_value->setObjectName(QStringLiteral("value"));
    column->addWidget(m_value);
    m_note = new ElidedLabel({}, Qt::ElideRight, this);
    m_note->setProperty("token", tokenName(Token::Text2));
    m_note->setFont(ui::font(FontRole::Caption));
    column->addWidget(m_note);
    setFixedHeight(76);
    setAccessibleName(caption);
}

void Tile::setDot(Token token)
{
    m_dot->show();
    disconnect(&Theme::instance(), nullptr, m_dot, nullptr);
    withTheme(m_dot, [dot = m_dot, token] { dot->setPixmap(dotPixmap(token, dot->devicePixelRatioF())); });
}

void Tile::setCaption(const QString& caption)
{
    if (m_caption->text() != caption) m_caption->setText(caption);
}

void Tile::setValue(const QString& value)
{
    if (m_value->text() != value) m_value->setText(value);
}

void Tile::setNote(const QString& note)
{
    static_cast<ElidedLabel*>(m_note)->setFullText(note);
}

void Tile::setNoteVisible(bool visible)
{
    m_note->setVisible(visible);
    setFixedHeight(visible ? 76 : 56);
}

QPixmap dotPixmap(Token token, qreal devicePixelRatio, int size)
{
    const int pixels = qRound(size * devicePixelRatio);
    QPixmap picture(pixels, pixels);
    picture.fill(Qt::transparent);
    QPainter painter(&picture);
    painter.setRenderHint(QPainter::Antialiasing);
    painter.setPen(Qt::NoPen);
    painter.setBrush(color(token));
    painter.drawEllipse(0, 0, pixels, pixels);
    painter.end();
    picture.setDevicePixelRatio(devicePixelRatio);
    return picture;
}

QLabel* makeDot(Token token, QWidget* parent)
{
    auto* dot = new QLabel(parent);
    dot->setFixedSize(8, 8);
    withTheme(dot, [dot, token] { dot->setPixmap(dotPixmap(token, dot->devicePixelRatioF())); });
    return dot;
}

QLabel* makeIconLabel(const QString& name, Token token, int size, QWidget* parent)
{
    auto* label = new QLabel(parent);
    label->setFixedSize(size, size);
    withTheme(label, [label, name, token, size] { label->setPixmap(Theme::instance().pixmap(name, token, size, label->devicePixelRatioF())); });
    return label;
}

// ---- ProgressStrip ----

ProgressStrip::ProgressStrip(int height, QWidget* parent) : QWidget(parent), m_height(height)
{
    setFixedHeight(height);
    setSizePolicy(QSizePolicy::Expanding, QSizePolicy::Fixed);
}

void ProgressStrip::setShare(double share)
{
    if (share == m_share) return;
    m_share = share;
    setAccessibleDescription(share < 0 ? tr("unknown") : tr("%1 percent").arg(qRound(share * 100)));
    update();
}

void ProgressStrip::setToken(Token token)
{
    if (token == m_token) return;
    m_token = token;
    update();
}

QSize ProgressStrip::sizeHint() const
{
    return {200, m_height};
}

void ProgressStrip::paintEvent(QPaintEvent*)
{
    QPainter painter(this);
    painter.setRenderHint(QPainter::Antialiasing);
    painter.setPen(Qt::NoPen);
    painter.setBrush(color(Token::Raised));
    const double radius = m_height / 4.0;
    painter.drawRoundedRect(rect(), radius, radius);
    painter.setBrush(color(m_token));
    if (m_share > 0) {
        painter.drawRoundedRect(QRectF(0, 0, qBound(0.0, m_share, 1.0) * width(), m_height), radius, radius);
    } else if (m_share < 0) {
        // How long is unknown: a third in the middle, at rest; the words beside it say what goes on.
        painter.drawRoundedRect(QRectF(width() / 3.0, 0, width() / 3.0, m_height), radius, radius);
    }
}

// ---- SegmentedControl ----

SegmentedControl::SegmentedControl(const QStringList& titles, QWidget* parent) : QWidget(parent)
{
    setRole(this, "segments");
    setSizePolicy(QSizePolicy::Fixed, QSizePolicy::Fixed);
    auto* row = new QHBoxLayout(this);
    row->setContentsMargins(1, 1, 1, 1);
    row->setSpacing(0);
    auto* group = new QButtonGroup(this);
    for (int i = 0; i < titles.size(); ++i) {
        auto* button = new QPushButton(titles[i], this);
        button->setCheckable(true);
        button->setFont(ui::font(FontRole::Body));
        button->setObjectName(QStringLiteral("segment%1").arg(i));
        button->setProperty("at", i == 0 ? "first" : i + 1 == titles.size() ? "last" : "middle");
        button->setFocusPolicy(Qt::TabFocus);
        button->setAutoDefault(false);
        setRole(button, "segment");
        group->addButton(button, i);
        row->addWidget(button);
        m_buttons.append(button);
    }
    if (!m_buttons.isEmpty()) m_buttons.first()->setChecked(true);
    connect(group, &QButtonGroup::idToggled, this, [this](int id, bool on) {
        if (!on || id == m_current) return;
        m_current = id;
        Q_EMIT currentChanged(id);
    });
}

void SegmentedControl::setCurrent(int index)
{
    if (index < 0 || index >= m_buttons.size() || index == m_current) return;
    m_buttons[index]->setChecked(true);
}

// ---- EmptyState ----

EmptyState::EmptyState(const QString& icon, const QString& title, const QString& text, QWidget* parent) : QWidget(parent)
{
    auto* column = new QVBoxLayout(this);
    column->setContentsMargins(24, 24, 24, 24);
    column->setSpacing(8);
    column->addStretch(1);
    column->addWidget(makeIconLabel(icon, Token::Text3, 20, this), 0, Qt::AlignHCenter);
    auto* head = makeLabel(title, FontRole::Body, Token::Text, this);
    head->setAlignment(Qt::AlignCenter);
    column->addWidget(head);
    auto* words = makeLabel(text, FontRole::Caption, Token::Text2, this);
    words->setAlignment(Qt::AlignCenter);
    words->setWordWrap(true);
    words->setMaximumWidth(420);
    words->setVisible(!text.isEmpty());
    auto* centre = new QHBoxLayout;
    centre->addStretch(1);
    centre->addWidget(words, 100);
    centre->addStretch(1);
    column->addLayout(centre);
    m_actions = new QHBoxLayout;
    m_actions->setSpacing(8);
    m_actions->addStretch(1);
    m_actions->addStretch(1);
    column->addLayout(m_actions);
    column->addStretch(1);
    setAccessibleName(title);
    setAccessibleDescription(text);
}

QPushButton* EmptyState::addAction(const QString& icon, const QString& text, ButtonKind kind)
{
    auto* button = makeButton(icon, text, kind, this);
    m_actions->insertWidget(m_actions->count() - 1, button);
    return button;
}

} // namespace sconce::ui
