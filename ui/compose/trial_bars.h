// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
// A list of amounts as bars: a name, a bar of up to two parts, a figure and a note. Drawn with plain painter calls: a picture of a few
// numbers, not a chart over time. Grows with its rows; put into a scroll area where they may be many.

#include <QString>
#include <QWidget>

#include <vector>

namespace sconce::ui {

class TrialBars : public QWidget
{
    Q_OBJECT
  public:
    struct Row
    {
        QString name;
        double first = 0, second = 0; ///< any unit, the same in all rows; the second follows the first
        QString value, note;          ///< at the right
        bool weak = false;            ///< in a paler colour: what is no part like the others
        bool bad = false;             ///< in the colour of what went wrong
    };
    explicit TrialBars(QWidget* parent = nullptr);
    /// `accessible` names the list for who cannot see it.
    void setRows(std::vector<Row> rows, const QString& accessible);
    /// What a whole bar is worth; 0: the largest row.
    void setWhole(double whole);
    /// Colours of the GPU in place of the CPU's.
    void setOnGpu(bool onGpu);
    const std::vector<Row>& rows() const { return m_rows; }
    QSize sizeHint() const override;
    QSize minimumSizeHint() const override { return {320, sizeHint().height()}; }

  protected:
    void paintEvent(QPaintEvent*) override;
    bool event(QEvent* event) override;

  private:
    std::vector<Row> m_rows;
    double m_whole = 0;
    bool m_onGpu = false;
};

} // namespace sconce::ui
