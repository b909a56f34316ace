// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
// The line at the window's bottom: what trains at the left, the machine's numbers at the right.

#include "ui/services/studio.h"

#include <QFrame>

class QHBoxLayout;
class QLabel;

namespace sconce::ui {

class ElidedLabel;

class StatusBar : public QFrame
{
    Q_OBJECT
  public:
    explicit StatusBar(QWidget* parent = nullptr);
    void attach(const Studio& studio);
    void setLow(bool low); ///< 24 px instead of 28
    QString runText() const;

  private:
    struct Number { QLabel* caption; QLabel* value; };
    void showRun();
    void showMachine();
    void setNumber(std::size_t index, const QString& caption, const QString& value);

    Studio m_studio;
    QLabel* m_dot = nullptr;
    ElidedLabel* m_text = nullptr;
    QHBoxLayout* m_right = nullptr;
    std::vector<Number> m_numbers;
    QString m_preparing;
};

/// "mnist-convnet #12, epoch 9 of 15, 38 s left"; also used as the window's title.
QString runLine(const LiveRun& run);

} // namespace sconce::ui
