// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
// The largest batch that fits as a dialog: a bar of memory per size that was tried, and a size to use.

#include "core/training/batch_test.h"
#include "ui/compose/trial_dialog.h"

namespace sconce::ui {

class TrialBars;

class BatchFinder : public TrialDialog
{
    Q_OBJECT
  public:
    /// Begins at once.
    BatchFinder(Studio& studio, Recipe recipe, QWidget* parent);

  Q_SIGNALS:
    void chosen(std::int64_t batch); ///< the person took the suggestion

  private:
    void clear() override;
    void work(const TrialSource& source) override;
    void take(const BatchTrial& trial);
    void showResult(const Result<BatchTest>& test);
    void draw();

    std::vector<BatchTrial> m_trials;
    std::uint64_t m_memory = 0;
    std::int64_t m_suggestion = 0;
    TrialBars* m_bars = nullptr;
    QLabel* m_how = nullptr;
    QPushButton* m_use = nullptr;
};

} // namespace sconce::ui
