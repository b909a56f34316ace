// SPDX-License-Identifier: GPL-3.0-or-later
#include "ui/tryit/draw_canvas.h"

#include "ui/theme/theme.h"

#include <QDragEnterEvent>
#include <QKeyEvent>
#include <QMimeData>
#include <QPainter>
#include <QUrl>

namespace sconce::ui {

namespace {
constexpr int side = 280;
constexpr std::size_t undoSteps = 50;
}

DrawCanvas::State DrawCanvas::blank()
{
    State state{QImage(side, side, QImage::Format_Grayscale8), {}, true};
    state.image.fill(Qt::black);
    return state;
}

DrawCanvas::DrawCanvas(QWidget* parent) : QWidget(parent), m_now(blank())
{
    setObjectName(QStringLiteral("tryit.canvas"));
    setAccessibleName(tr("Draw here"));
    setFocusPolicy(Qt::StrongFocus);
    setAcceptDrops(true);
    setCursor(Qt::CrossCursor);
    setSide(side);
    connect(&Theme::instance(), &Theme::changed, this, qOverload<>(&QWidget::update));
}

void DrawCanvas::setSide(int pixels) { setFixedSize(pixels, pixels); }

QPointF DrawCanvas::toImage(const QPointF& position) const { return {position.x() * side / width(), position.y() * side / height()}; }

void DrawCanvas::remember()
{
    m_before.push_back(m_now); // images share their pixels until one is painted on
    if (m_before.size() > undoSteps) m_before.erase(m_before.begin());
}

void DrawCanvas::stroke(const QPointF& from, const QPointF& to, bool erase)
{
    {
        QPainter painter(&m_now.image);
        painter.setRenderHint(QPainter::Antialiasing);
        painter.setPen(QPen(erase ? Qt::black : Qt::white, erase ? m_pen * 1.6 : m_pen, Qt::SolidLine, Qt::RoundCap, Qt::RoundJoin));
        painter.drawLine(from, to == from ? from + QPointF(0.01, 0) : to);
    }
    if (!erase) m_now.empty = false;
    m_now.picture = {};
    update();
    Q_EMIT changed();
}

void DrawCanvas::setPicture(const QImage& image)
{
    if (image.isNull()) return;
    remember();
    m_now.picture = image;
    m_now.image = image.convertToFormat(QImage::Format_RGB32).scaled(side, side, Qt::IgnoreAspectRatio, Qt::FastTransformation);
    if (image.isGrayscale()) m_now.image = m_now.image.convertToFormat(QImage::Format_Grayscale8);
    m_now.empty = false;
    update();
}

void DrawCanvas::clear()
{
    if (m_now.empty) return;
    remember();
    m_now = blank();
    update();
    Q_EMIT changed();
}

void DrawCanvas::undo()
{
    if (m_before.empty()) return;
    m_now = std::move(m_before.back());
    m_before.pop_back();
    update();
    Q_EMIT changed();
}

void DrawCanvas::paintEvent(QPaintEvent*)
{
    QPainter painter(this);
    painter.setRenderHint(QPainter::SmoothPixmapTransform);
    painter.drawImage(rect(), m_now.image);
    if (m_now.empty) {
        painter.setFont(ui::font(FontRole::Body));
        painter.setPen(QColor(0x98, 0xA1, 0xAF)); // on black in both themes
        painter.drawText(rect(), Qt::AlignCenter, tr("Draw here with the mouse"));
    }
    if (hasFocus()) {
        painter.setPen(QPen(color(Token::Focus), 2));
        painter.drawRect(rect().adjusted(1, 1, -1, -1));
    }
}

void DrawCanvas::mousePressEvent(QMouseEvent* event)
{
    const bool erase = event->button() == Qt::RightButton;
    if (!erase && event->button() != Qt::LeftButton) return;
    remember();
    if (!erase && !m_now.picture.isNull()) m_now = blank();
    if (m_now.image.format() != QImage::Format_Grayscale8) m_now.image = m_now.image.convertToFormat(QImage::Format_Grayscale8);
    m_last = toImage(event->position());
    stroke(m_last, m_last, erase);
}

void DrawCanvas::mouseMoveEvent(QMouseEvent* event)
{
    if (!(event->buttons() & (Qt::LeftButton | Qt::RightButton))) return;
    const QPointF here = toImage(event->position());
    stroke(m_last, here, event->buttons() & Qt::RightButton);
    m_last = here;
}

void DrawCanvas::keyPressEvent(QKeyEvent* event)
{
    if (event->matches(QKeySequence::Undo)) return undo();
    if (event->key() == Qt::Key_Delete || event->key() == Qt::Key_Escape) return clear();
    QWidget::keyPressEvent(event);
}

void DrawCanvas::dragEnterEvent(QDragEnterEvent* event)
{
    if (event->mimeData()->hasUrls() && event->mimeData()->urls().front().isLocalFile()) event->acceptProposedAction();
}

void DrawCanvas::dropEvent(QDropEvent* event)
{
    event->acceptProposedAction();
    Q_EMIT pictureDropped(event->mimeData()->urls().front().toLocalFile());
}

} // namespace sconce::ui
