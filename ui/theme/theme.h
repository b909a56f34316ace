// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
// The look: one set of tokens, two themes (design: look/NOTES). Colours, fonts and tinted icons for everything that is
// drawn. One per program, made in main(); the window's thread only.

#include <QColor>
#include <QFont>
#include <QIcon>
#include <QObject>
#include <QPixmap>

class QApplication;
class QWidget;

namespace sconce::ui {

/// Colour tokens, as named in the design.
enum class Token {
    Win, Panel, Card, Raised, Hover, Input, Line, LineStrong, Tick, Grid, Text, Text2, Text3, Accent, AccentHover, OnAccent, AccentText,
    AccentSoft, Focus, Ok, OkSoft, Warn, WarnSoft, Error, ErrorSoft, Info, InfoSoft, Train, Val, Test, Gpu, Cpu, Hit, RunA, RunB, RunC, RunD, RunE
};

enum class ThemeChoice { Dark, Light, Desktop };

/// Fonts of the design. Numbers, shapes and axis labels are Mono.
enum class FontRole {
    Body,       ///< Inter 13
    BodyMedium, ///< Inter 13/500: buttons
    Strong,     ///< Inter 13/600: card titles
    Caption,    ///< Inter 12
    Small,      ///< Inter 11: rail labels, counts
    Title,      ///< Inter 16/600
    Value,      ///< JetBrains Mono 20/600: tiles
    Score,      ///< JetBrains Mono 32/600
    Mono,       ///< JetBrains Mono 13
    MonoSmall,  ///< JetBrains Mono 12
    MonoAxis    ///< JetBrains Mono 11
};

class Theme : public QObject
{
    Q_OBJECT
  public:
    static Theme& instance();

    void apply(QApplication& app, ThemeChoice choice); ///< palette, style sheet, fonts; emits changed()
    ThemeChoice choice() const { return m_choice; }
    bool dark() const { return m_dark; }

    QColor color(Token token) const;
    /// `over` laid on `under` with the given share, opaque: curves are blended, never translucent.
    QColor blend(Token over, Token under, double share) const;
    QString hex(Token token) const; ///< "#RRGGBB", for rich text
    QFont font(FontRole role) const;
    /// resources/icons/NAME.svg in a colour, 16 logical pixels unless told; sharp at every scale. Cached.
    QIcon icon(const QString& name, Token token = Token::Text2, int size = 16) const;
    /// The same for a button with words: 16 pixels and 4 more at its right, since Qt's own gap is narrow. Icon size 20×16.
    QIcon buttonIcon(const QString& name, Token token) const;
    QPixmap pixmap(const QString& name, Token token, int size, qreal devicePixelRatio) const;
    /// Letter colours of compared runs: A, B, C … repeat after E.
    Token runToken(int index) const;

  Q_SIGNALS:
    void changed();

  private:
    Theme() = default;
    ThemeChoice m_choice = ThemeChoice::Dark;
    bool m_dark = true;
};

/// Shorthands.
inline QColor color(Token token) { return Theme::instance().color(token); }
inline QFont font(FontRole role) { return Theme::instance().font(role); } ///< inside widgets: ui::font(role), QWidget::font hides it

/// The name that the style sheet knows a token by: "text2".
QString tokenName(Token token);
/// Contrast of two opaque colours after WCAG 2: 1…21. Text needs 4.5.
double contrast(const QColor& a, const QColor& b);
/// Height of a button or field: 32 (as made), 28 in inspectors and tools, 24 inside cards and rows.
void setControlHeight(QWidget* widget, int height);
/// Sets the dynamic property "problem": a red border around a field.
void setProblem(QWidget* field, bool problem);
/// Sets the dynamic property "role" that the style sheet keys on ("card", "primary", "caption", "problem", …) and re-polishes.
void setRole(QWidget* widget, const char* role);

} // namespace sconce::ui
