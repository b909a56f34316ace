// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
// Drawing of the icons: SVG text from the resources, tinted, rendered to pixmaps. Private to ui/theme.

#include "ui/theme/theme.h"

#include <QIconEngine>

namespace sconce::ui {

/// resources/icons/NAME.svg in a colour (the flame of "sconce" in the accent), `size` logical pixels. Empty name: null.
QPixmap renderIcon(const QString& name, const QColor& tint, const QColor& flame, int size, qreal devicePixelRatio);

/// Renders on demand at the scale asked for and with the colours of the theme that holds then, so that a theme change needs
/// no more than a repaint.
class TintedIconEngine : public QIconEngine
{
  public:
    TintedIconEngine(QString name, Token token, int size, int gap = 0) : m_name(std::move(name)), m_token(token), m_size(size), m_gap(gap) {}
    void paint(QPainter* painter, const QRect& rect, QIcon::Mode mode, QIcon::State state) override;
    QPixmap pixmap(const QSize& size, QIcon::Mode mode, QIcon::State state) override;
    QPixmap scaledPixmap(const QSize& size, QIcon::Mode mode, QIcon::State state, qreal scale) override;
    QSize actualSize(const QSize& size, QIcon::Mode mode, QIcon::State state) override;
    QIconEngine* clone() const override { return new TintedIconEngine(*this); }
    bool isNull() override { return m_name.isEmpty(); }

  private:
    QString m_name;
    Token m_token;
    int m_size;
    int m_gap; ///< empty pixels at the right
};

} // namespace sconce::ui
