// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
// The learning-rate range test as a dialog: draws the loss over the rate while it grows, and offers what it found.

#include "core/training/rate_test.h"
#include "ui/compose/trial_dialog.h"

namespace sconce::ui {

class PlotView;

class RateFinder : public TrialDialog
{
    Q_OBJECT
  public:
    /// Begins at once.
    RateFinder(Studio& studio, Recipe recipe, QWidget* parent);

  Q_SIGNALS:
    void chosen(double rate); ///< the person took the suggestion

  private:
    void clear() override;
    void work(const TrialSource& source) override;
    void take(const RateTestPoint& point, int done);
    void showResult(const Result<RateTest>& test);
    void draw(const std::vector<RateTestPoint>& points, const std::optional<double>& suggestion);

    std::vector<RateTestPoint> m_points;
    std::optional<double> m_suggestion;
    PlotView* m_plot = nullptr;
    QPushButton* m_use = nullptr;
};

} // namespace sconce::ui
