// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
// The rail at the window's left edge: the pages, and Settings at the bottom. 76 px with words, 52 px without.

#include "ui/services/studio.h"

#include <QAbstractButton>
#include <QFrame>

#include <map>

class QButtonGroup;

namespace sconce::ui {

/// One page on the rail: icon over word, an amber mark when current, a dot while something trains.
class RailButton : public QAbstractButton
{
    Q_OBJECT
  public:
    RailButton(const QString& icon, const QString& title, const QString& shortcut, QWidget* parent);
    void setCompact(bool compact);
    void setDot(bool on);
    bool dot() const { return m_dot; }
    QSize sizeHint() const override;

  protected:
    void paintEvent(QPaintEvent* event) override;
    void enterEvent(QEnterEvent* event) override;
    void leaveEvent(QEvent* event) override;

  private:
    QString m_icon, m_title, m_shortcut;
    bool m_compact = false, m_dot = false;
};

class Rail : public QFrame
{
    Q_OBJECT
  public:
    explicit Rail(QWidget* parent = nullptr);
    void setCurrent(PageId page);
    void setCompact(bool compact);
    void setTraining(bool training); ///< the dot on Live
    RailButton* button(PageId page) const;

  Q_SIGNALS:
    void chosen(sconce::ui::PageId page);

  private:
    RailButton* add(PageId page, const QString& icon, const QString& title, const QString& name, const QString& shortcut);
    std::map<PageId, RailButton*> m_buttons;
    QButtonGroup* m_group = nullptr;
};

} // namespace sconce::ui
