// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
// The small parts that pages share, drawn as the design says. All are plain widgets, owned by their Qt parents.

#include "ui/theme/theme.h"

#include <QAbstractButton>
#include <QFrame>
#include <QLabel>
#include <QLineEdit>
#include <QPushButton>
#include <QToolButton>

#include <functional>

class QPainter;
class QTableView;
class QVBoxLayout;
class QHBoxLayout;

namespace sconce::ui {

/// A rounded card with a 1 px border, an optional title line and a body.
class Card : public QFrame
{
    Q_OBJECT
  public:
    explicit Card(const QString& title = {}, QWidget* parent = nullptr);
    QVBoxLayout* content() const { return m_content; }
    QHBoxLayout* titleBar() const { return m_titleBar; } ///< actions at its right end
    void setTitle(const QString& title, const QString& aside = {});

  private:
    QLabel* m_title = nullptr;
    QLabel* m_aside = nullptr;
    QHBoxLayout* m_titleBar = nullptr;
    QVBoxLayout* m_content = nullptr;
};

/// Columns as wide as their contents or their headers' words, with room between them. Headers stand over their columns' edges when
/// the header has the property "dense".
void fitColumns(QTableView& table);

enum class ButtonKind { Primary, Normal, Flat, Danger };
/// A button of the design: icon name (may be empty), verb, kind. Retints itself when the theme changes.
QPushButton* makeButton(const QString& icon, const QString& text, ButtonKind kind = ButtonKind::Normal, QWidget* parent = nullptr);
/// An icon-only tool button with tooltip and accessible name.
QToolButton* makeToolButton(const QString& icon, const QString& tooltip, QWidget* parent = nullptr);
QLabel* makeLabel(const QString& text, FontRole role, Token token, QWidget* parent = nullptr);
/// Gives a label made by makeLabel another colour.
void setLabelToken(QLabel* label, Token token);
/// A picture that follows the theme, `size` logical pixels; a coloured dot of 8.
QLabel* makeIconLabel(const QString& name, Token token, int size = 16, QWidget* parent = nullptr);
QLabel* makeDot(Token token, QWidget* parent = nullptr);
QPixmap dotPixmap(Token token, qreal devicePixelRatio, int size = 8);
QFrame* makeLine(Qt::Orientation orientation, QWidget* parent = nullptr);

/// A label that shortens its text with "…" in the middle or at the end and shows it whole as tooltip.
class ElidedLabel : public QLabel
{
    Q_OBJECT
  public:
    explicit ElidedLabel(const QString& text = {}, Qt::TextElideMode mode = Qt::ElideRight, QWidget* parent = nullptr);
    void setFullText(const QString& text);
    QString fullText() const { return m_full; }
    QSize sizeHint() const override;
    QSize minimumSizeHint() const override;

  protected:
    void resizeEvent(QResizeEvent* event) override;

  private:
    void elide();
    QString m_full;
    Qt::TextElideMode m_mode;
};

/// Run status as icon and word on a 20 px pill.
class StatusPill : public QLabel
{
    Q_OBJECT
  public:
    explicit StatusPill(QWidget* parent = nullptr);
    void setStatus(const QString& status, const QString& words = {}); ///< "running", …; words: said instead of the status
    QString status() const { return m_status; }
    QSize sizeHint() const override;
    QSize minimumSizeHint() const override;

  protected:
    void paintEvent(QPaintEvent* event) override;

  private:
    QString m_status;
};

/// Text colour, soft background and icon of a status, for delegates too.
struct StatusLook { Token text, soft; QString icon; };
StatusLook statusLook(const QString& status);
/// The pill as delegates draw it; its width is 35 + the word's.
void paintStatusPill(QPainter* painter, const QRectF& box, const QString& status, const QFont& font, const QString& words = {});

/// A tile: caption with an optional dot, a big number, a third line.
class Tile : public QFrame
{
    Q_OBJECT
  public:
    explicit Tile(const QString& caption, QWidget* parent = nullptr);
    void setDot(Token token);
    void setCaption(const QString& caption);
    void setValue(const QString& value);
    void setNote(const QString& note);
    void setNoteVisible(bool visible);

  private:
    QLabel* m_dot = nullptr;
    QLabel* m_caption = nullptr;
    QLabel* m_value = nullptr;
    QLabel* m_note = nullptr;
};

/// An 8 or 4 px progress bar in the running colour; -1 = unknown.
class ProgressStrip : public QWidget
{
    Q_OBJECT
  public:
    explicit ProgressStrip(int height = 8, QWidget* parent = nullptr);
    void setShare(double share);
    void setToken(Token token);
    QSize sizeHint() const override;

  protected:
    void paintEvent(QPaintEvent*) override;

  private:
    int m_height;
    double m_share = 0;
    Token m_token = Token::Info;
};

/// Segments of which one is chosen: Step | Epoch | Time.
class SegmentedControl : public QWidget
{
    Q_OBJECT
  public:
    explicit SegmentedControl(const QStringList& titles, QWidget* parent = nullptr);
    int current() const { return m_current; }
    void setCurrent(int index);

  Q_SIGNALS:
    void currentChanged(int index);

  private:
    QList<QAbstractButton*> m_buttons;
    int m_current = 0;
};

/// What an empty page or list says: icon, sentence, next step on a button.
class EmptyState : public QWidget
{
    Q_OBJECT
  public:
    EmptyState(const QString& icon, const QString& title, const QString& text, QWidget* parent = nullptr);
    QPushButton* addAction(const QString& icon, const QString& text, ButtonKind kind = ButtonKind::Normal);

  private:
    QHBoxLayout* m_actions = nullptr;
};

/// A dotted-underlined word that explains itself in a tooltip: epoch, loss, overfitting …
class TermLabel : public QLabel
{
    Q_OBJECT
  public:
    explicit TermLabel(const QString& term, const QString& shown = {}, QWidget* parent = nullptr);

  protected:
    void paintEvent(QPaintEvent* event) override;
};
/// The explanation of a term of the field ("epoch", "loss", "accuracy", "overfitting", "learning rate", "batch", "validation" …); empty if unknown.
QString explainTerm(const QString& term);

/// Questions and notes. Tests replace the asker to answer without a dialog on screen.
struct Question { QString title, text; QStringList buttons; int defaultButton = 0; int cancelButton = -1; bool dangerous = false; };
int ask(QWidget* parent, const Question& question); ///< index of the button pressed; cancelButton on Escape
using Asker = std::function<int(QWidget*, const Question&)>;
void setAsker(Asker asker); ///< null restores the dialog

/// File choosers, through a seam for the same reason. Empty when cancelled.
QString chooseOpenFile(QWidget* parent, const QString& title, const QString& filter);
QString chooseSaveFile(QWidget* parent, const QString& title, const QString& suggested, const QString& filter);
QString chooseFolder(QWidget* parent, const QString& title);
using FileChooser = std::function<QString(QWidget*, const QString& kind, const QString& title)>; ///< kind: "open", "save", "folder"
void setFileChooser(FileChooser chooser);

/// A sentence at the window's bottom edge that goes away by itself, with an optional button (Undo).
void showToast(QWidget* anyChild, const QString& text, const QString& action = {}, std::function<void()> onAction = {});

} // namespace sconce::ui
