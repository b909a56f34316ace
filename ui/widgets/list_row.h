// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
// A row that can be pressed: picture, title, second line, words or a chevron at the right. Used for starter recipes, recent
// runs and the big choices of the welcome page. Text that does not fit is shortened and shown whole as a tooltip.

#include "ui/theme/theme.h"

#include <QAbstractButton>

namespace sconce::ui {

class ListRow : public QAbstractButton
{
    Q_OBJECT
  public:
    ListRow(const QString& icon, const QString& title, const QString& subtitle, QWidget* parent = nullptr);
    void setSubtitle(const QString& subtitle);
    void setAside(const QString& aside);      ///< at the right, mono
    void setStatus(const QString& status);    ///< the pill of a run at the right
    void setFramed(bool framed);              ///< a card of its own
    void setChevron(bool chevron);
    QSize sizeHint() const override;
    QSize minimumSizeHint() const override;

  protected:
    void paintEvent(QPaintEvent* event) override;
    void enterEvent(QEnterEvent* event) override;
    void leaveEvent(QEvent* event) override;
    void keyPressEvent(QKeyEvent* event) override;

  private:
    QString m_icon, m_subtitle, m_aside, m_status;
    bool m_framed = false, m_chevron = true;
};

} // namespace sconce::ui
