// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
// Settings: kept at once. Sections down one column, a list to jump to them at the left.

#include "ui/services/studio.h"
#include "ui/widgets/page.h"

#include <QPointer>
#include <QTimer>

#include <atomic>

class QFrame;
class QListWidget;
class QLabel;
class QPushButton;
class QScrollArea;
class QVBoxLayout;

namespace sconce::ui {

class Card;
class ProgressStrip;

class SettingsPage : public Page
{
    Q_OBJECT
  public:
    SettingsPage(Studio& studio, QWidget* parent);
    void shown() override;
    void setCompact(bool narrow, bool low) override;

  private:
    Card* section(const QString& icon, const QString& title);
    void row(Card* card, const QString& title, const QString& help, QWidget* control);
    void addLook();
    void addTraining();
    void addStorage();
    void addKeys();
    void addDiagnostics();
    void addAbout();
    void refreshDiagnostics();
    void refreshStorage();
    void moveStore();
    void copyStore(const QString& target);
    void checkStore();
    QString diagnosticsText() const;

    Studio& m_studio;
    QListWidget* m_list = nullptr;
    QFrame* m_side = nullptr;
    QScrollArea* m_scroll = nullptr;
    QVBoxLayout* m_column = nullptr;
    std::vector<Card*> m_sections;
    QLabel* m_usage = nullptr;
    QLabel* m_stalls = nullptr;
    QLabel* m_stallDetail = nullptr;
    QLabel* m_checked = nullptr;
    QLabel* m_engine = nullptr;
    QPushButton* m_move = nullptr;
    QWidget* m_moveProgress = nullptr;
    ProgressStrip* m_moveStrip = nullptr;
    QLabel* m_moveText = nullptr;
    std::shared_ptr<std::atomic<bool>> m_cancelMove;
    QTimer m_timer;
};

} // namespace sconce::ui
