// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
// The profile of a few steps as a dialog: bars of time by layer or by operation, and the trace to be saved.

#include "core/training/profile.h"
#include "ui/compose/trial_dialog.h"

class QScrollArea;

namespace sconce::ui {

class SegmentedControl;
class TrialBars;

class ProfileDialog : public TrialDialog
{
    Q_OBJECT
  public:
    /// Begins at once.
    ProfileDialog(Studio& studio, Recipe recipe, QWidget* parent);

  private:
    void clear() override;
    void work(const TrialSource& source) override;
    void showResult(const Result<Profile>& profile);
    void draw();
    void saveTrace();

    std::optional<Profile> m_profile;
    SegmentedControl* m_by = nullptr;
    QScrollArea* m_scroll = nullptr;
    TrialBars* m_bars = nullptr;
    QWidget* m_legend = nullptr;
    QPushButton* m_save = nullptr;
};

} // namespace sconce::ui
