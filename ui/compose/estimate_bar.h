// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
// What the recipe will cost, in one line: parameters, memory, compute, time, samples. All but parameters and samples are
// estimates and say so; what is not known is –.

#include "ui/compose/recipe_document.h"

#include <QFrame>

class QLabel;
class QHBoxLayout;
class QPushButton;

namespace sconce::ui {

class EstimateBar : public QFrame
{
    Q_OBJECT
  public:
    explicit EstimateBar(RecipeDocument& document, QWidget* parent = nullptr);

    /// Samples per second measured for such a recipe on the chosen device; nothing if it was never timed.
    void setTiming(std::optional<double> samplesPerSecond);
    /// Memory of the chosen device and its name: "of 140 GiB on GPU 0"; 0: unknown.
    void setDeviceMemory(std::uint64_t bytes, const QString& device);
    void setCompact(bool narrow, bool low);

  Q_SIGNALS:
    void problemsClicked();

  private:
    struct Figure { QWidget* box; QLabel* caption; QLabel* value; QLabel* note; };
    Figure addFigure(const QString& name, const QString& caption, QHBoxLayout* row);
    void set(Figure& figure, const QString& value, const QString& note);
    void update();

    RecipeDocument& m_document;
    Figure m_parameters, m_memory, m_compute, m_time, m_training, m_validation, m_test;
    QWidget* m_samples = nullptr;
    QPushButton* m_problems = nullptr;
    std::optional<double> m_timing;
    std::uint64_t m_deviceMemory = 0;
    QString m_device;
    bool m_narrow = false, m_low = false;
};

} // namespace sconce::ui
