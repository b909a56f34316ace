// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
// A place to draw on: light strokes on black, as the digits are. The left button draws, the right one rubs out. Keeps an undo
// step per stroke.

#include <QImage>
#include <QWidget>

#include <vector>

namespace sconce::ui {

class DrawCanvas : public QWidget
{
    Q_OBJECT
  public:
    explicit DrawCanvas(QWidget* parent = nullptr);
    const QImage& image() const { return m_image; } ///< grey, 280×280
    bool isEmpty() const { return m_empty; }
    void setPenWidth(int pixels) { m_pen = pixels; }
    /// Shows a picture instead of strokes (a sample, a dropped file).
    void setPicture(const QImage& image);
    QSize sizeHint() const override { return {280, 280}; }
    bool hasHeightForWidth() const override { return true; }
    int heightForWidth(int width) const override { return width; }

  public Q_SLOTS:
    void clear();
    void undo();

  Q_SIGNALS:
    void changed();                         ///< while drawing, at every move
    void pictureDropped(const QString& path);

  protected:
    void paintEvent(QPaintEvent*) override;
    void mousePressEvent(QMouseEvent* event) override;
    void mouseMoveEvent(QMouseEvent* event) override;
    void keyPressEvent(QKeyEvent* event) override;
    void dragEnterEvent(QDragEnterEvent* event) override;
    void dropEvent(QDropEvent* event) override;

  private:
    QPointF toImage(const QPointF& position) const;
    void stroke(const QPointF& from, const QPointF& to, bool erase);
    void remember();
    QImage m_image;
    std::vector<QImage> m_before;
    QPointF m_last;
    int m_pen = 22;
    bool m_empty = true;
};

} // namespace sconce::ui
