// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
// One histogram as a small picture: its bins as bars over its range, and the figures beside its title. Drawn with plain painter calls: a
// picture of some numbers at one moment, not a chart over time.

#include "core/base/histogram.h"

#include <QWidget>

#include <optional>

namespace sconce::ui {

class HistogramView : public QWidget
{
    Q_OBJECT
  public:
    HistogramView(const QString& title, QWidget* parent = nullptr);
    /// Nothing: `why` is said in place of a picture.
    void setNumbers(const std::optional<Histogram>& numbers, const QString& why);
    QString figures() const; ///< "−0.12 to 0.31, mean 0.002, deviation 0.05, 3.1 % zeros"
    QSize sizeHint() const override { return {420, 132}; }
    QSize minimumSizeHint() const override { return {240, 112}; }

  protected:
    void paintEvent(QPaintEvent*) override;
    bool event(QEvent* event) override;

  private:
    QRect plot() const;
    const QString m_title;
    std::optional<Histogram> m_numbers;
    QString m_why;
};

} // namespace sconce::ui
