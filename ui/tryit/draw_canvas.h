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
    const QImage& image() const { return m_now.image; } ///< 280×280, grey while strokes are drawn
    bool isEmpty() const { return m_now.empty; }
    /// The picture shown (a sample, a file) in its own size, as long as no stroke was made on it; else null.
    const QImage& picture() const { return m_now.picture; }
    void setPenWidth(int pixels) { m_pen = pixels; }
    void setSide(int pixels); ///< on screen
    /// Shows a picture instead of strokes. The first stroke of the pen puts it away: people draw, they do not correct.
    void setPicture(const QImage& image);

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
    struct State { QImage image, picture; bool empty = true; };
    static State blank();
    QPointF toImage(const QPointF& position) const;
    void stroke(const QPointF& from, const QPointF& to, bool erase);
    void remember();
    State m_now;
    std::vector<State> m_before;
    QPointF m_last;
    int m_pen = 22;
};

} // namespace sconce::ui
