// SPDX-License-Identifier: GPL-3.0-or-later
#include "ui/live/plot_parts.h"

#include "core/base/text.h"
#include "ui/widgets/parts.h"

#include <QGridLayout>
#include <QHBoxLayout>
#include <QPainter>
#include <QVBoxLayout>

#include <cmath>

namespace sconce::ui {

// ---- Gutter ----

namespace {

QPixmap ringPixmap(Token token, qreal scale)
{
    QPixmap picture(QSize(8, 8) * scale);
    picture.setDevicePixelRatio(scale);
    picture.fill(Qt::transparent);
    QPainter painter(&picture);
    painter.setRenderHint(QPainter::Antialiasing);
    painter.setPen(QPen(color(token), 2));
    painter.drawEllipse(QRectF(1, 1, 6, 6));
    return picture;
}

} // namespace

Gutter::Gutter(const QString& title, const QString& term, QWidget* parent)
    : QWidget(parent)
{
    setFixedWidth(192);
    m_column = new QVBoxLayout(this);
    m_column->setContentsMargins(16, 3, 16, 3);
    m_column->setSpacing(0);
    QLabel* head = nullptr;
    if (explainTerm(term).isEmpty()) {
        head = makeLabel(title, FontRole::Strong, Token::Text, this);
    } else {
        head = new TermLabel(term, title, this);
        head->setFont(ui::font(FontRole::Strong));
        setLabelToken(head, Token::Text);
        head->setSizePolicy(QSizePolicy::Maximum, QSizePolicy::Preferred);
    }
    m_column->addWidget(head, 0, Qt::AlignLeft);
    m_column->addStretch(1);
    m_head = head;
}

void Gutter::setTitle(const QString& title, const QString& help)
{
    if (m_head->text() == title) return;
    m_head->setText(title);
    m_head->setToolTip(help);
}

void Gutter::setLines(const std::vector<Line>& lines)
{
    while (m_lines.size() < lines.size()) {
        Widgets w{new QWidget(this), nullptr, nullptr, nullptr, {}};
        auto* line = new QHBoxLayout(w.box);
        line->setContentsMargins(0, 1, 0, 1);
        line->setSpacing(6);
        w.dot = new QLabel(w.box);
        w.dot->setFixedSize(8, 8);
        w.name = new ElidedLabel({}, Qt::ElideRight, w.box);
        w.name->setProperty("token", tokenName(Token::Text2));
        w.name->setFont(ui::font(FontRole::Caption));
        w.value = makeLabel({}, FontRole::MonoSmall, Token::Text, w.box);
        w.value->setAlignment(Qt::AlignRight | Qt::AlignVCenter);
        line->addWidget(w.dot, 0, Qt::AlignVCenter);
        line->addWidget(w.name, 1);
        line->addWidget(w.value);
        m_column->insertWidget(static_cast<int>(m_lines.size()) + 1, w.box);
        QObject::connect(&Theme::instance(), &Theme::changed, w.dot, [this, i = m_lines.size()] { m_lines[i].token.reset(); });
        m_lines.push_back(w);
    }
    for (std::size_t i = 0; i < m_lines.size(); ++i) {
        Widgets& w = m_lines[i];
        w.box->setVisible(i < lines.size());
        if (i >= lines.size()) continue;
        static_cast<ElidedLabel*>(w.name)->setFullText(lines[i].name);
        if (w.value->text() != lines[i].value) w.value->setText(lines[i].value);
        if (w.token == lines[i].dot && w.ring == lines[i].ring && (w.token || w.dot->pixmap(Qt::ReturnByValue).isNull())) continue;
        w.token = lines[i].dot;
        w.ring = lines[i].ring;
        if (w.token) w.dot->setPixmap(w.ring ? ringPixmap(*w.token, devicePixelRatioF()) : dotPixmap(*w.token, devicePixelRatioF()));
        else w.dot->clear();
    }
}

// ---- AxisRow ----

AxisRow::AxisRow(QWidget* parent)
    : QWidget(parent)
{
    setFixedHeight(38);
    setAccessibleName(tr("Axis of all plots"));
    connect(&Theme::instance(), &Theme::changed, this, qOverload<>(&QWidget::update));
}

void AxisRow::setEdges(int left, int right)
{
    if (left == m_left && right == m_right) return;
    m_left = left;
    m_right = right;
    rebuild();
}

void AxisRow::setRange(std::shared_ptr<const LiveRun> live, XMode mode, double from, double to)
{
    m_live = std::move(live);
    m_mode = mode;
    m_from = from;
    m_to = to;
    rebuild();
}

void AxisRow::rebuild()
{
    m_ticks.clear();
    if (!m_live || !(m_to > m_from) || m_right <= m_left) return;
    const int room = std::max(2, (m_right - m_left) / 84);
    double step = roundStep(m_to - m_from, room, m_mode == XMode::Time);
    if (m_mode == XMode::Step) step = std::max(1.0, step);
    const auto say = [](XMode mode, double v, double gap) {
        if (mode == XMode::Time) return QString::fromStdString(durationText(v));
        if (mode == XMode::Step) return QString::fromStdString(groupedInt(std::llround(v)));
        const int decimals = gap >= 1 ? 0 : std::min(3, static_cast<int>(std::ceil(-std::log10(gap) - 1e-9)));
        return QString::number(v, 'f', decimals);
    };
    const double known = lastX(*m_live, m_mode), whole = secondsAtX(*m_live, m_mode, known);
    QString before;
    for (double x = std::ceil(m_from / step - 1e-9) * step; x <= m_to + step * 1e-6; x += step) {
        Tick tick{x, say(m_mode, x, step), {}};
        // What the other unit will be there is known only as far as the run has come.
        if (x <= known + step * 1e-6) {
            if (m_mode == XMode::Time) {
                const double done = stepAtX(*m_live, m_mode, x) / static_cast<double>(std::max<std::int64_t>(1, m_live->stepsPerEpoch));
                tick.second = QString::number(done, 'f', done < 10 ? 1 : 0);
            } else {
                const double seconds = secondsAtX(*m_live, m_mode, x);
                tick.second = whole < 9.95 && seconds > 0 ? tr("%1 s").arg(seconds, 0, 'f', 1) : say(XMode::Time, seconds, 0);
            }
            if (tick.second == before) tick.second.clear(); // the same moment twice says nothing
            else before = tick.second;
        }
        m_ticks.push_back(std::move(tick));
    }
    update();
}

void AxisRow::paintEvent(QPaintEvent*)
{
    QPainter painter(this);
    painter.setPen(color(Token::LineStrong));
    painter.drawLine(m_left, 0, m_right, 0);
    painter.setFont(ui::font(FontRole::MonoAxis));
    painter.setPen(color(Token::Text3));
    const QFontMetrics metrics = painter.fontMetrics();
    for (const Tick& tick : m_ticks) {
        const double px = m_left + (tick.x - m_from) / (m_to - m_from) * (m_right - m_left);
        int y = 4;
        for (const QString& words : {tick.first, tick.second}) {
            const int wide = metrics.horizontalAdvance(words);
            const int x = std::clamp(static_cast<int>(px) - wide / 2, m_left, std::max(m_left, m_right - wide));
            painter.drawText(QRect(x, y, wide + 2, 15), Qt::AlignLeft | Qt::AlignVCenter, words);
            y += 16;
        }
    }
    painter.setFont(ui::font(FontRole::Small));
    const QString first = m_mode == XMode::Step ? tr("step") : m_mode == XMode::Epoch ? tr("epoch") : tr("time");
    const QString second = m_mode == XMode::Time ? tr("epoch") : tr("time");
    painter.drawText(QRect(m_right + 24, 4, 120, 15), Qt::AlignLeft | Qt::AlignVCenter, first);
    painter.drawText(QRect(m_right + 24, 20, 120, 15), Qt::AlignLeft | Qt::AlignVCenter, second);
}

// ---- HoverBox ----

HoverBox::HoverBox(QWidget* parent)
    : QFrame(parent)
{
    setRole(this, "toast");
    setObjectName(QStringLiteral("live.hoverBox"));
    setAttribute(Qt::WA_TransparentForMouseEvents);
    m_grid = new QGridLayout(this);
    m_grid->setContentsMargins(10, 6, 10, 6);
    m_grid->setHorizontalSpacing(8);
    m_grid->setVerticalSpacing(1);
    m_grid->setColumnStretch(1, 1);
    m_title = makeLabel({}, FontRole::Caption, Token::Text2, this);
    m_aside = makeLabel({}, FontRole::MonoSmall, Token::Text, this);
    m_aside->setAlignment(Qt::AlignRight);
    m_grid->addWidget(m_title, 0, 0, 1, 2);
    m_grid->addWidget(m_aside, 0, 2);
    hide();
}

void HoverBox::setContent(const QString& title, const QString& aside, const std::vector<Line>& lines)
{
    m_title->setText(title);
    m_aside->setText(aside);
    while (m_lines.size() < lines.size()) {
        const int at = static_cast<int>(m_lines.size()) + 1;
        Widgets w{new QLabel(this), makeLabel({}, FontRole::Caption, Token::Text, this), makeLabel({}, FontRole::MonoSmall, Token::Text, this)};
        w.dot->setFixedSize(8, 8);
        w.value->setAlignment(Qt::AlignRight | Qt::AlignVCenter);
        m_grid->addWidget(w.dot, at, 0, Qt::AlignVCenter);
        m_grid->addWidget(w.name, at, 1);
        m_grid->addWidget(w.value, at, 2);
        m_lines.push_back(w);
    }
    for (std::size_t i = 0; i < m_lines.size(); ++i) {
        const bool used = i < lines.size();
        for (QLabel* label : {m_lines[i].dot, m_lines[i].name, m_lines[i].value}) label->setVisible(used);
        if (!used) continue;
        m_lines[i].dot->setPixmap(dotPixmap(lines[i].dot, devicePixelRatioF()));
        m_lines[i].name->setText(lines[i].name);
        m_lines[i].value->setText(lines[i].value);
    }
    setAccessibleDescription(text());
    adjustSize();
}

QString HoverBox::text() const
{
    QStringList out{m_title->text() + QLatin1Char(' ') + m_aside->text()};
    for (const Widgets& w : m_lines) {
        if (w.name->isVisibleTo(this)) out << w.name->text() + QLatin1Char(' ') + w.value->text();
    }
    return out.join(QLatin1Char('\n'));
}

} // namespace sconce::ui
