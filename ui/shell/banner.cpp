// SPDX-License-Identifier: GPL-3.0-or-later
#include "ui/shell/banner.h"

#include "ui/widgets/parts.h"

#include <QHBoxLayout>

namespace sconce::ui {

Banner::Banner(const QString& name, Token token, const QString& title, const QString& text, QWidget* parent) : QFrame(parent)
{
    setObjectName(name);
    setRole(this, "panelTop");
    setAccessibleName(title);
    setAccessibleDescription(text);
    auto* row = new QHBoxLayout(this);
    row->setContentsMargins(20, 8, 12, 8);
    row->setSpacing(10);
    const QString icon = token == Token::Error ? QStringLiteral("error") : token == Token::Warn ? QStringLiteral("bolt") : QStringLiteral("info");
    row->addWidget(makeIconLabel(icon, token, 16, this));
    auto* head = makeLabel(title, FontRole::Strong, Token::Text, this);
    head->setObjectName(QStringLiteral("bannerTitle"));
    row->addWidget(head);
    auto* words = makeLabel(text, FontRole::Body, Token::Text2, this);
    words->setObjectName(QStringLiteral("bannerText"));
    words->setWordWrap(true);
    words->setSizePolicy(QSizePolicy::Expanding, QSizePolicy::Preferred);
    row->addWidget(words, 1);
    m_actions = new QHBoxLayout;
    m_actions->setSpacing(8);
    row->addLayout(m_actions);
    auto* close = makeToolButton(QStringLiteral("cross"), tr("Close"), this);
    close->setObjectName(name + QStringLiteral(".close"));
    connect(close, &QToolButton::clicked, this, [this] {
        Q_EMIT dismissed();
        deleteLater();
        hide();
    });
    row->addWidget(close);
}

QPushButton* Banner::addAction(const QString& icon, const QString& text, std::function<void()> onClick)
{
    auto* button = makeButton(icon, text, ButtonKind::Normal, this);
    setControlHeight(button, 28);
    button->setObjectName(QStringLiteral("%1.action%2").arg(objectName()).arg(m_actions->count()));
    connect(button, &QPushButton::clicked, this, [this, onClick = std::move(onClick)] {
        deleteLater();
        hide();
        onClick();
    });
    m_actions->addWidget(button);
    return button;
}

} // namespace sconce::ui
