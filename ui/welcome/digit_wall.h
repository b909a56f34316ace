// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
// Eighteen of the built-in digits, as the network will see them.

#include "core/data/dataset.h"

#include <QImage>
#include <QWidget>

#include <vector>

namespace sconce::ui {

class DigitWall : public QWidget
{
    Q_OBJECT
  public:
    explicit DigitWall(QWidget* parent = nullptr);
    /// Pictures to show, three rows of six; greyscale, any size.
    void setPictures(std::vector<QImage> pictures);
    bool empty() const { return m_pictures.empty(); }

  protected:
    void paintEvent(QPaintEvent* event) override;

  private:
    std::vector<QImage> m_pictures;
};

/// One picture of each class in turn, `count` in all. Any thread.
std::vector<QImage> samplePictures(const Dataset& data, int count);

} // namespace sconce::ui
