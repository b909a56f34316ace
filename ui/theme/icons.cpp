// SPDX-License-Identifier: GPL-3.0-or-later
#include "ui/theme/icons.h"

#include <QFile>
#include <QHash>
#include <QPainter>
#include <QSvgRenderer>
#include <QtMath>

namespace sconce::ui {

namespace {

/// SVG text of an icon; read once. A missing icon is a fault of ours: said on the console and drawn as nothing.
QByteArray svgText(const QString& name)
{
    static QHash<QString, QByteArray> texts;
    if (const auto found = texts.constFind(name); found != texts.constEnd()) return *found;
    QFile file(QStringLiteral(":/icons/%1.svg").arg(name));
    QByteArray text;
    if (file.open(QIODevice::ReadOnly)) text = file.readAll();
    else qWarning("there is no icon named %s", qPrintable(name));
    texts.insert(name, text);
    return text;
}

} // namespace

QPixmap renderIcon(const QString& name, const QColor& tint, const QColor& flame, int size, qreal devicePixelRatio)
{
    if (name.isEmpty() || size <= 0) return {};
    QByteArray text = svgText(name);
    const int pixels = qMax(1, qRound(size * devicePixelRatio));
    QPixmap picture(pixels, pixels);
    picture.fill(Qt::transparent);
    if (!text.isEmpty()) {
        text.replace("currentColor", tint.name().toLatin1());
        text.replace("#F7A823", flame.name().toLatin1());
        QSvgRenderer renderer(text);
        QPainter painter(&picture);
        painter.setRenderHint(QPainter::Antialiasing);
        renderer.render(&painter, QRectF(0, 0, pixels, pixels));
    }
    picture.setDevicePixelRatio(devicePixelRatio);
    return picture;
}

void TintedIconEngine::paint(QPainter* painter, const QRect& rect, QIcon::Mode mode, QIcon::State)
{
    const int side = qMin(rect.width() - m_gap, rect.height());
    const Token token = mode == QIcon::Disabled ? Token::Text3 : m_token;
    const QPixmap picture = Theme::instance().pixmap(m_name, token, side, painter->device()->devicePixelRatioF());
    painter->drawPixmap(rect.x() + (rect.width() - m_gap - side) / 2, rect.y() + (rect.height() - side) / 2, picture);
}

QPixmap TintedIconEngine::pixmap(const QSize& size, QIcon::Mode mode, QIcon::State state)
{
    return scaledPixmap(size, mode, state, 1.0);
}

QPixmap TintedIconEngine::scaledPixmap(const QSize& size, QIcon::Mode mode, QIcon::State, qreal scale)
{
    // size is in device pixels, already multiplied by the scale.
    scale = qMax(1.0, scale);
    const Token token = mode == QIcon::Disabled ? Token::Text3 : m_token;
    const int side = qMax(1, qRound(qMin(size.width() / scale - m_gap, size.height() / scale)));
    const QPixmap drawn = Theme::instance().pixmap(m_name, token, side, scale);
    if (m_gap == 0) return drawn;
    QPixmap spaced(qRound((side + m_gap) * scale), qRound(side * scale));
    spaced.fill(Qt::transparent);
    spaced.setDevicePixelRatio(scale);
    QPainter(&spaced).drawPixmap(0, 0, drawn);
    return spaced;
}

QSize TintedIconEngine::actualSize(const QSize& size, QIcon::Mode, QIcon::State)
{
    const int side = qMin(m_size, qMin(size.width() - m_gap, size.height()));
    return {side + m_gap, side};
}

} // namespace sconce::ui
