// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
// How the shown run's weights, gradients and outputs are spread, layer by layer: asked of its trainer while it goes on, else the weights
// that it has saved. Stays open beside the page and follows the run that is shown. Owned by its parent; deletes itself when closed.

#include "ui/services/studio.h"

#include <QDialog>

#include <array>

class QCheckBox;
class QLabel;
class QListWidget;
class QPushButton;

namespace sconce::ui {

class HistogramView;

class HistogramsDialog : public QDialog
{
    Q_OBJECT
  public:
    HistogramsDialog(Studio& studio, QWidget* parent); ///< asks at once

  private:
    /// A line of the list: a parameter with the output of its layer, or a layer without parameters.
    struct Line { QString name; std::array<const TensorNumbers*, 3> numbers{}; };

    void ask();
    void follow();
    void take(std::shared_ptr<const HistogramsTaken> taken, bool saved);
    void showLine(int index);
    void say(const QString& words);

    Studio& m_studio;
    RunId m_run;
    std::shared_ptr<const HistogramsTaken> m_taken;
    bool m_saved = false;       ///< m_taken is of a checkpoint: weights alone
    bool m_asked = false;       ///< and not answered yet
    bool m_reading = false;     ///< a checkpoint, on another thread
    std::size_t m_epochs = 0;   ///< done when it was last looked
    std::vector<Line> m_lines;
    QLabel* m_words = nullptr;
    QListWidget* m_list = nullptr;
    std::array<HistogramView*, 3> m_views{}; ///< weight, gradient, output
    QCheckBox* m_each = nullptr;
    QPushButton* m_refresh = nullptr;
};

} // namespace sconce::ui
