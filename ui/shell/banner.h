// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
// A sentence above the pages that asks for nothing at once: what was interrupted, what the store had to mend. It stays until
// it is closed.

#include "ui/theme/theme.h"

#include <QFrame>

#include <functional>

class QHBoxLayout;
class QPushButton;

namespace sconce::ui {

class Banner : public QFrame
{
    Q_OBJECT
  public:
    /// token: Info, Warn or Error, for the icon.
    Banner(const QString& name, Token token, const QString& title, const QString& text, QWidget* parent = nullptr);
    QPushButton* addAction(const QString& icon, const QString& text, std::function<void()> onClick);

  Q_SIGNALS:
    void dismissed(); ///< closed by its cross

  private:
    QHBoxLayout* m_actions = nullptr;
};

} // namespace sconce::ui
