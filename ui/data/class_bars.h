// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
// Class balance: a bar per class, training, validation and test on top of each other; and the bar that shows a split. Drawn
// with plain painter calls: they are pictures of a few numbers, not charts over time.

#include <QString>
#include <QWidget>

#include <array>
#include <cstdint>
#include <vector>

namespace sconce::ui {

class ClassBars : public QWidget
{
    Q_OBJECT
  public:
    explicit ClassBars(QWidget* parent = nullptr);
    struct Bar { QString name; std::array<std::int64_t, 3> counts{}; };
    void setBars(std::vector<Bar> bars);
    QSize sizeHint() const override { return {400, 150}; }

  protected:
    void paintEvent(QPaintEvent*) override;
    bool event(QEvent* event) override;

  private:
    std::vector<Bar> m_bars;
};

/// Training | validation | test as one bar; the border between training and validation (and test, where it is a share) is a handle.
class SplitBar : public QWidget
{
    Q_OBJECT
  public:
    explicit SplitBar(QWidget* parent = nullptr);
    void setCounts(std::array<std::int64_t, 3> counts);
    QSize sizeHint() const override { return {200, 24}; }

  Q_SIGNALS:
    /// The handle was moved: the share of training and validation together that is validation, 0…0.9.
    void validationDragged(double share);

  protected:
    void paintEvent(QPaintEvent*) override;
    void mousePressEvent(QMouseEvent* event) override;
    void mouseMoveEvent(QMouseEvent* event) override;
    void mouseReleaseEvent(QMouseEvent*) override { m_dragging = false; }
    void keyPressEvent(QKeyEvent* event) override;

  private:
    double shareAt(int x) const;
    double position(int border) const; ///< of handle 0 or 1, in pixels
    std::array<std::int64_t, 3> m_counts{};
    bool m_dragging = false;
};

} // namespace sconce::ui
