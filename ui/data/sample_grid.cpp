// SPDX-License-Identifier: GPL-3.0-or-later
#include "ui/data/sample_grid.h"

#include "ui/services/data_choices.h"
#include "ui/theme/theme.h"

#include <QElapsedTimer>
#include <QKeyEvent>
#include <QPainter>
#include <QScrollBar>
#include <QTimer>

namespace sconce::ui {

namespace {
constexpr int gap = 8, edge = 3; ///< edge: room for the frame around the current sample
constexpr qint64 turnMs = 8;     ///< spent on making changed pictures before the window has its turn again
constexpr int leastKept = 64 << 10; ///< KiB
}

SampleGrid::SampleGrid(QWidget* parent) : QAbstractScrollArea(parent)
{
    setObjectName(QStringLiteral("data.samples"));
    setAccessibleName(tr("Samples"));
    setFocusPolicy(Qt::StrongFocus);
    setFrameShape(QFrame::NoFrame);
    setHorizontalScrollBarPolicy(Qt::ScrollBarAlwaysOff);
    connect(&Theme::instance(), &Theme::changed, viewport(), qOverload<>(&QWidget::update));
}

void SampleGrid::setData(DatasetPtr data, std::vector<Sample> samples)
{
    m_data = std::move(data);
    m_samples = std::move(samples);
    m_message.clear();
    m_thumbnails.clear();
    m_current = m_samples.empty() ? -1 : 0;
    verticalScrollBar()->setValue(0);
    updateScroll();
    viewport()->update();
    Q_EMIT currentChanged(m_current);
}

void SampleGrid::setCellSize(int pixels)
{
    m_cell = pixels;
    m_thumbnails.clear();
    updateScroll();
    viewport()->update();
}

void SampleGrid::setChanges(const Augmentation& how)
{
    if (how == m_changes) return;
    m_changes = how;
    m_thumbnails.clear();
    viewport()->update();
}

bool SampleGrid::isChanged(int index) const { return m_changes.any() && m_samples[static_cast<std::size_t>(index)].share == 0; }

QImage SampleGrid::picture(int index) const
{
    const Sample& sample = m_samples[static_cast<std::size_t>(index)];
    return isChanged(index) ? changedImage(*m_data, sample.row, m_changes, startSeed(), 0) : sampleImage(*m_data, sample.part, sample.row);
}

/// No larger than its cell, so that those of a whole screen are kept.
QImage SampleGrid::thumbnail(int index) const
{
    if (const QImage* made = m_thumbnails.object(keyOf(index))) return *made;
    QImage image = picture(index);
    const int most = static_cast<int>(m_cell * devicePixelRatioF());
    const bool large = image.width() > most || image.height() > most;
    if (large) image = image.scaled(most, most, Qt::KeepAspectRatio, Qt::SmoothTransformation);
    if (large || isChanged(index)) m_thumbnails.insert(keyOf(index), new QImage(image), std::max(1, static_cast<int>(image.sizeInBytes() >> 10)));
    return image;
}

void SampleGrid::setMessage(const QString& text)
{
    m_data.reset();
    m_samples.clear();
    m_current = -1;
    m_message = text;
    updateScroll();
    viewport()->update();
}

int SampleGrid::columns() const { return std::max(1, (viewport()->width() - 2 * edge + gap) / (m_cell + gap)); }

QRect SampleGrid::cellRect(int index) const
{
    const int count = columns();
    const int extra = count > 1 ? (viewport()->width() - 2 * edge - count * m_cell) / (count - 1) : 0;
    const int step = m_cell + std::max(extra, gap);
    return QRect(edge + index % count * step, index / count * (rowHeight() + gap) - verticalScrollBar()->value() + 4, m_cell, rowHeight());
}

int SampleGrid::indexAt(const QPoint& position) const
{
    const int row = (position.y() + verticalScrollBar()->value() - 4) / (rowHeight() + gap);
    for (int i = row * columns(); i < std::min((row + 1) * columns(), static_cast<int>(m_samples.size())); ++i)
        if (i >= 0 && cellRect(i).contains(position)) return i;
    return -1;
}

void SampleGrid::updateScroll()
{
    const int rows = (static_cast<int>(m_samples.size()) + columns() - 1) / columns();
    verticalScrollBar()->setPageStep(viewport()->height());
    verticalScrollBar()->setSingleStep(rowHeight() / 2);
    verticalScrollBar()->setRange(0, std::max(0, rows * (rowHeight() + gap) + 8 - viewport()->height()));
}

void SampleGrid::setCurrent(int index)
{
    if (m_samples.empty()) return;
    m_current = std::clamp(index, 0, static_cast<int>(m_samples.size()) - 1);
    const QRect rect = cellRect(m_current);
    if (rect.top() < 0) verticalScrollBar()->setValue(verticalScrollBar()->value() + rect.top() - gap);
    if (rect.bottom() > viewport()->height()) verticalScrollBar()->setValue(verticalScrollBar()->value() + rect.bottom() - viewport()->height() + gap);
    viewport()->update();
    Q_EMIT currentChanged(m_current);
}

void SampleGrid::paintEvent(QPaintEvent*)
{
    QPainter painter(viewport());
    painter.fillRect(viewport()->rect(), color(Token::Card));
    if (!m_data || m_samples.empty()) {
        painter.setFont(ui::font(FontRole::Body));
        painter.setPen(color(Token::Text2));
        painter.drawText(viewport()->rect().adjusted(24, 0, -24, 0), Qt::AlignCenter | Qt::TextWordWrap, m_message.isEmpty() ? tr("No samples of this kind.") : m_message);
        return;
    }
    painter.setRenderHint(QPainter::SmoothPixmapTransform, false); // pixels stay pixels
    m_complete = true;
    qint64 spentMs = 0;
    int made = 0;
    const int perRow = rowHeight() + gap, first = std::max(0, verticalScrollBar()->value() / perRow * columns());
    for (int i = first; i < static_cast<int>(m_samples.size()); ++i) {
        const QRect rect = cellRect(i);
        if (rect.top() > viewport()->height()) break;
        const Sample& sample = m_samples[static_cast<std::size_t>(i)];
        const QRect picture(rect.topLeft(), QSize(m_cell, m_cell));
        const bool toMake = isChanged(i) && !m_thumbnails.contains(keyOf(i));
        if (toMake && made > 0 && spentMs >= turnMs) {
            painter.fillRect(picture, color(Token::Raised));
            m_complete = false;
        } else {
            QElapsedTimer making;
            making.start();
            const QImage image = thumbnail(i);
            if (toMake) ++made, spentMs += making.elapsed();
            QRect fitting(QPoint(), image.size().scaled(picture.size(), Qt::KeepAspectRatio));
            fitting.moveCenter(picture.center());
            if (fitting != picture) painter.fillRect(picture, color(Token::Raised));
            painter.drawImage(fitting, image);
        }
        painter.setFont(ui::font(i == m_current ? FontRole::MonoSmall : FontRole::MonoAxis));
        painter.setPen(color(i == m_current ? Token::Text : Token::Text2));
        const QString name = truthText(*m_data, sample.part, sample.row);
        painter.drawText(QRect(rect.left(), picture.bottom() + 1, m_cell, 18), Qt::AlignCenter, painter.fontMetrics().elidedText(name, Qt::ElideRight, m_cell));
        if (i == m_current) {
            painter.setPen(QPen(color(Token::Focus), hasFocus() ? 2 : 1));
            painter.drawRect(hasFocus() ? picture.adjusted(-2, -2, 2, 2) : picture.adjusted(-2, -2, 1, 1));
        }
    }
    if (!m_complete) QTimer::singleShot(0, viewport(), qOverload<>(&QWidget::update));
}

void SampleGrid::resizeEvent(QResizeEvent* event)
{
    const double pixels = devicePixelRatioF() * devicePixelRatioF() * viewport()->width() * viewport()->height();
    m_thumbnails.setMaxCost(std::max(leastKept, static_cast<int>(2 * 4 * pixels / 1024))); // what is on view, and as much again
    QAbstractScrollArea::resizeEvent(event);
    updateScroll();
}

void SampleGrid::mousePressEvent(QMouseEvent* event)
{
    if (const int index = indexAt(event->pos()); index >= 0) setCurrent(index);
}

void SampleGrid::mouseDoubleClickEvent(QMouseEvent* event)
{
    if (const int index = indexAt(event->pos()); index >= 0) Q_EMIT activated(index);
}

void SampleGrid::keyPressEvent(QKeyEvent* event)
{
    const int page = std::max(1, viewport()->height() / (rowHeight() + gap)) * columns();
    switch (event->key()) {
    case Qt::Key_Left: return setCurrent(m_current - 1);
    case Qt::Key_Right: return setCurrent(m_current + 1);
    case Qt::Key_Up: return setCurrent(m_current - columns());
    case Qt::Key_Down: return setCurrent(m_current + columns());
    case Qt::Key_PageUp: return setCurrent(m_current - page);
    case Qt::Key_PageDown: return setCurrent(m_current + page);
    case Qt::Key_Home: return setCurrent(0);
    case Qt::Key_End: return setCurrent(static_cast<int>(m_samples.size()) - 1);
    case Qt::Key_Return:
    case Qt::Key_Enter:
        if (m_current >= 0) Q_EMIT activated(m_current);
        return;
    default: QAbstractScrollArea::keyPressEvent(event);
    }
}

} // namespace sconce::ui
