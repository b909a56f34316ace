// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
// The learning-rate range test as a dialog over Compose: runs in the background, draws the loss over the rate while it grows, and
// offers what it found. Owned by its parent; deletes itself when it is closed, which also ends a test under way.

#include "core/training/rate_test.h"
#include "ui/services/studio.h"

#include <QDialog>

#include <atomic>

class QLabel;
class QPushButton;

namespace sconce::ui {

class PlotView;
class ProgressStrip;

class RateFinder : public QDialog
{
    Q_OBJECT
  public:
    /// Begins at once.
    RateFinder(Studio& studio, Recipe recipe, QWidget* parent);
    ~RateFinder() override;

  Q_SIGNALS:
    void chosen(double rate); ///< the person took the suggestion

  private:
    void begin();
    void run(DatasetPtr data);
    void take(const RateTestPoint& point, int done);
    void finish(const Result<RateTest>& test);
    void say(const QString& text);
    void draw(const std::vector<RateTestPoint>& points, const std::optional<double>& suggestion);

    Studio& m_studio;
    Recipe m_recipe;
    std::vector<RateTestPoint> m_points;
    std::optional<double> m_suggestion;
    std::shared_ptr<std::atomic<bool>> m_cancelled;
    PlotView* m_plot = nullptr;
    ProgressStrip* m_progress = nullptr;
    QLabel* m_words = nullptr;
    QPushButton *m_use = nullptr, *m_again = nullptr, *m_close = nullptr;
};

} // namespace sconce::ui
