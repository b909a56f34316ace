// SPDX-License-Identifier: GPL-3.0-or-later
#include "ui/hardware/device_card.h"

#include "ui/widgets/parts.h"

#include <QGridLayout>
#include <QPainter>
#include <QVBoxLayout>

#include <algorithm>

namespace sconce::ui {

CoreBars::CoreBars(QWidget* parent) : QWidget(parent)
{
    setMinimumHeight(116);
    setSizePolicy(QSizePolicy::Expanding, QSizePolicy::Expanding);
    connect(&Theme::instance(), &Theme::changed, this, qOverload<>(&QWidget::update));
}

void CoreBars::setCores(std::vector<double> shares)
{
    m_shares = std::move(shares);
    update();
}

void CoreBars::paintEvent(QPaintEvent*)
{
    if (m_shares.empty()) return;
    QPainter painter(this);
    const double left = 8, bottom = height() - 20, top = 8;
    const auto count = static_cast<double>(m_shares.size());
    const double pitch = std::min(24.0, (width() - left - 8) / count);
    const double bar = std::max(1.0, pitch - (pitch > 5 ? 3 : 1));
    for (std::size_t i = 0; i < m_shares.size(); ++i) {
        const double x = left + static_cast<double>(i) * pitch;
        painter.fillRect(QRectF(x, top, bar, bottom - top), color(Token::Raised));
        const double tall = std::clamp(m_shares[i], 0.0, 1.0) * (bottom - top);
        painter.fillRect(QRectF(x, bottom - tall, bar, tall), color(Token::Cpu));
    }
    painter.setPen(color(Token::Text3));
    painter.setFont(ui::font(FontRole::MonoAxis));
    painter.drawText(QRectF(left, bottom + 3, 40, 14), Qt::AlignLeft | Qt::AlignVCenter, QStringLiteral("0"));
    if (m_shares.size() > 1)
        painter.drawText(QRectF(left + (count - 1) * pitch + bar - 40, bottom + 3, 40, 14), Qt::AlignRight | Qt::AlignVCenter, QString::number(m_shares.size() - 1));
}

DeviceCard::DeviceCard(const QString& title, const QString& subtitle, QWidget* parent) : QFrame(parent)
{
    setRole(this, "card");
    setAccessibleName(title);
    setMaximumHeight(260); // a tall window gives plots more room, within reason
    auto* row = new QHBoxLayout(this);
    row->setContentsMargins(16, 12, 8, 8);
    row->setSpacing(8);
    auto* left = new QVBoxLayout;
    left->setSpacing(4);
    auto* head = new QHBoxLayout;
    head->setSpacing(8);
    m_title = makeLabel(title, FontRole::Strong, Token::Text, this);
    m_subtitle = new ElidedLabel(subtitle, Qt::ElideRight, this);
    m_subtitle->setProperty("token", tokenName(Token::Text2));
    head->addWidget(m_title);
    head->addWidget(m_subtitle, 1);
    left->addLayout(head);
    m_pill = new StatusPill(this);
    m_pill->setMaximumWidth(272);
    m_pill->hide();
    left->addWidget(m_pill, 0, Qt::AlignLeft);
    m_facts = new QGridLayout;
    m_facts->setHorizontalSpacing(8);
    m_facts->setVerticalSpacing(3);
    m_facts->setColumnMinimumWidth(0, 80);
    m_facts->setColumnStretch(1, 1);
    left->addLayout(m_facts);
    left->addStretch(1);
    auto* leftBox = new QWidget(this);
    leftBox->setLayout(left);
    left->setContentsMargins(0, 0, 0, 0);
    leftBox->setFixedWidth(272);
    row->addWidget(leftBox);
    m_plots = new QGridLayout;
    m_plots->setSpacing(8);
    row->addLayout(m_plots, 1);
}

void DeviceCard::setState(const QString& status, const QString& words)
{
    m_pill->setVisible(!words.isEmpty());
    m_pill->setStatus(status, words);
}

void DeviceCard::setFact(const QString& name, const QString& value, bool wraps)
{
    for (auto& [caption, label] : m_factLabels) {
        if (caption->text() != name) continue;
        if (auto* elided = qobject_cast<ElidedLabel*>(label)) elided->setFullText(value);
        else label->setText(value);
        return;
    }
    const int line = static_cast<int>(m_factLabels.size());
    auto* caption = makeLabel(name, FontRole::Caption, Token::Text2, this);
    QLabel* label = wraps ? new QLabel(value, this) : new ElidedLabel(value, Qt::ElideMiddle, this);
    label->setWordWrap(wraps);
    label->setProperty("token", tokenName(Token::Text));
    label->setFont(ui::font(FontRole::Caption));
    m_facts->addWidget(caption, line, 0, Qt::AlignTop);
    m_facts->addWidget(label, line, 1);
    m_factLabels.emplace_back(caption, label);
}

int DeviceCard::addSlot(const QString& caption)
{
    PlotSlot slot{};
    slot.box = new QWidget(this);
    auto* column = new QVBoxLayout(slot.box);
    column->setContentsMargins(0, 0, 0, 0);
    column->setSpacing(0);
    auto* line = new QHBoxLayout;
    line->setContentsMargins(8, 0, 0, 0);
    line->setSpacing(6);
    slot.caption = makeLabel(caption, FontRole::Caption, Token::Text2, slot.box);
    slot.value = makeLabel(QStringLiteral("–"), FontRole::Mono, Token::Text, slot.box);
    QFont strong = ui::font(FontRole::Mono);
    strong.setWeight(QFont::DemiBold);
    slot.value->setFont(strong);
    slot.aside = makeLabel({}, FontRole::Caption, Token::Text2, slot.box);
    line->addWidget(slot.caption);
    line->addWidget(slot.value);
    line->addWidget(slot.aside);
    line->addStretch(1);
    column->addLayout(line);
    m_slots.push_back(slot);
    const int index = static_cast<int>(m_slots.size()) - 1;
    m_plots->addWidget(slot.box, index / m_columns, index % m_columns);
    return index;
}

int DeviceCard::addPlot(const QString& caption, Token token, PlotView::YFormat format)
{
    const int index = addSlot(caption);
    PlotSlot& slot = m_slots[static_cast<std::size_t>(index)];
    slot.plot = new PlotView(slot.box);
    slot.plot->setAccessibleName(caption);
    slot.plot->setMinimumHeight(116);
    slot.plot->setSizePolicy(QSizePolicy::Expanding, QSizePolicy::Expanding);
    slot.plot->setXUnit(PlotView::XUnit::Seconds);
    slot.plot->setXAxisVisible(true);
    slot.plot->setYFormat(format);
    slot.plot->setRightGutter(20);
    slot.token = token;
    slot.format = format;
    slot.box->layout()->addWidget(slot.plot);
    return index;
}

int DeviceCard::addBars(const QString& caption)
{
    const int index = addSlot(caption);
    PlotSlot& slot = m_slots[static_cast<std::size_t>(index)];
    slot.bars = new CoreBars(slot.box);
    slot.bars->setAccessibleName(caption);
    slot.box->layout()->addWidget(slot.bars);
    return index;
}

void DeviceCard::setPlot(int index, const QString& value, const QString& aside, std::vector<double> x, std::vector<double> y, double top, double span)
{
    PlotSlot& slot = m_slots[static_cast<std::size_t>(index)];
    slot.value->setText(value);
    slot.aside->setText(aside);
    Curve curve;
    curve.id = curve.title = slot.caption->text();
    curve.token = slot.token;
    curve.style = Curve::Style::Strip;
    curve.x = std::move(x);
    curve.y = std::move(y);
    slot.plot->setXRange(-span, 0);
    if (top > 0) slot.plot->setYRange(0, top);
    else slot.plot->setYAuto(false);
    slot.plot->setCurves({std::move(curve)});
}

void DeviceCard::setBars(int index, const QString& value, const QString& aside, std::vector<double> shares)
{
    PlotSlot& slot = m_slots[static_cast<std::size_t>(index)];
    slot.value->setText(value);
    slot.aside->setText(aside);
    slot.bars->setCores(std::move(shares));
}

void DeviceCard::setColumns(int columns)
{
    if (columns == m_columns) return;
    m_columns = columns;
    setMaximumHeight(columns < static_cast<int>(m_slots.size()) ? 420 : 260);
    for (std::size_t i = 0; i < m_slots.size(); ++i) {
        m_plots->removeWidget(m_slots[i].box);
        m_plots->addWidget(m_slots[i].box, static_cast<int>(i) / columns, static_cast<int>(i) % columns);
    }
}

QString DeviceCard::asText() const
{
    QStringList lines{m_title->text() + QLatin1String("  ") + static_cast<ElidedLabel*>(m_subtitle)->fullText()};
    if (!m_pill->text().isEmpty()) lines << QLatin1String("  ") + (m_pill->toolTip().isEmpty() ? m_pill->text() : m_pill->toolTip());
    for (const auto& [caption, value] : m_factLabels) {
        const auto* elided = qobject_cast<const ElidedLabel*>(value); // one that wraps shows all that it says
        lines << QStringLiteral("  %1: %2").arg(caption->text(), elided ? elided->fullText() : value->text());
    }
    for (const PlotSlot& slot : m_slots) lines << QStringLiteral("  %1: %2 %3").arg(slot.caption->text(), slot.value->text(), slot.aside->text()).trimmed().prepend(QLatin1String("  "));
    return lines.join(QLatin1Char('\n'));
}

} // namespace sconce::ui
