// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
// The first page: one button that trains a network on built-in data, and the other ways to begin.

#include "ui/services/studio.h"
#include "ui/widgets/page.h"

class QCheckBox;
class QComboBox;
class QGridLayout;
class QLabel;
class QPushButton;
class QVBoxLayout;

namespace sconce::ui {

class Card;
class DigitWall;

class WelcomePage : public Page
{
    Q_OBJECT
  public:
    WelcomePage(Studio& studio, QWidget* parent);
    void shown() override;
    void setCompact(bool narrow, bool low) override;

  private:
    QWidget* makeStartCard();
    QWidget* makeChoices();
    QWidget* makeRecipesCard();
    QWidget* makeRunsCard();
    QWidget* makeComputerCard();
    void fillRuns();
    void fillComputer();
    void fillDevices();
    void loadDigits();
    void showEstimate();
    void start();

    Studio& m_studio;
    QComboBox* m_device = nullptr;
    QPushButton* m_start = nullptr;
    QLabel* m_estimate = nullptr;
    DigitWall* m_wall = nullptr;
    Card* m_runsCard = nullptr;
    QWidget* m_runsBody = nullptr;
    Card* m_computerCard = nullptr;
    QWidget* m_computerBody = nullptr;
    QVBoxLayout* m_column = nullptr;
    bool m_digitsAsked = false;
};

} // namespace sconce::ui
