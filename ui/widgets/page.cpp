// SPDX-License-Identifier: GPL-3.0-or-later
#include "ui/widgets/page.h"

#include "ui/widgets/parts.h"

#include <QHBoxLayout>
#include <QLabel>
#include <QVBoxLayout>

namespace sconce::ui {

Page::Page(QWidget* parent) : QWidget(parent)
{
    setRole(this, "page");
    auto* column = new QVBoxLayout(this);
    column->setContentsMargins(0, 0, 0, 0);
    column->setSpacing(0);

    m_header = new QFrame(this);
    m_header->setObjectName(QStringLiteral("pageHeader"));
    setRole(m_header, "header");
    m_header->setFixedHeight(56);
    auto* bar = new QHBoxLayout(m_header);
    bar->setContentsMargins(20, 0, 20, 0);
    bar->setSpacing(16);

    auto* titles = new QVBoxLayout;
    titles->setSpacing(0);
    m_title = makeLabel({}, FontRole::Title, Token::Text, m_header);
    m_title->setObjectName(QStringLiteral("pageTitle"));
    m_subtitle = makeLabel({}, FontRole::Caption, Token::Text2, m_header);
    m_subtitle->setObjectName(QStringLiteral("pageSubtitle"));
    m_subtitle->hide();
    titles->addStretch();
    titles->addWidget(m_title);
    titles->addWidget(m_subtitle);
    titles->addStretch();
    bar->addLayout(titles);

    m_left = new QHBoxLayout;
    m_left->setSpacing(8);
    bar->addLayout(m_left);
    bar->addStretch(1);
    m_right = new QHBoxLayout;
    m_right->setSpacing(8);
    bar->addLayout(m_right);

    m_body = new QWidget(this);
    m_body->setObjectName(QStringLiteral("pageBody"));
    setRole(m_body, "body");
    column->addWidget(m_header);
    column->addWidget(m_body, 1);
}

void Page::setTitle(const QString& title, const QString& subtitle)
{
    m_title->setText(title);
    m_subtitle->setText(subtitle);
    m_subtitle->setVisible(!subtitle.isEmpty());
    setAccessibleName(title);
}

void Page::applySizeClass(bool narrow, bool low)
{
    m_header->setFixedHeight(low ? 52 : 56);
    setCompact(narrow, low);
}

} // namespace sconce::ui
