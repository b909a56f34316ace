// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
// What every page is made of: a 56 px header (title, subtitle, controls at the left, actions at the right) over a body.
// Pages are children of the shell's stack. shown() is called each time the page comes to the front; a hidden page does not
// redraw.

#include <QWidget>

class QHBoxLayout;
class QLabel;
class QVBoxLayout;

namespace sconce::ui {

class Page : public QWidget
{
    Q_OBJECT
  public:
    explicit Page(QWidget* parent = nullptr);

    void setTitle(const QString& title, const QString& subtitle = {});
    QHBoxLayout* headerLeft() const { return m_left; }   ///< beside the title
    QHBoxLayout* headerRight() const { return m_right; } ///< actions
    QWidget* body() const { return m_body; }             ///< set a layout on it
    /// Called by the shell when the page comes to the front.
    virtual void shown() {}
    /// Small-window rules of the design: called when the shell's size class changes.
    virtual void setCompact(bool narrow, bool low) { (void)narrow; (void)low; }
    /// What the shell calls: the header's height, then setCompact().
    void applySizeClass(bool narrow, bool low);
    /// A page fills the window whatever its words need. Otherwise every label that changes anywhere has the wrapped text of all
    /// pages measured anew, up to the window: a third of the window's time while a run was watched.
    bool hasHeightForWidth() const override { return false; }

  protected:
    QWidget* m_header = nullptr;
    QLabel* m_title = nullptr;
    QLabel* m_subtitle = nullptr;
    QHBoxLayout* m_left = nullptr;
    QHBoxLayout* m_right = nullptr;
    QWidget* m_body = nullptr;
};

} // namespace sconce::ui
