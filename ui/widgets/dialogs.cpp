// SPDX-License-Identifier: GPL-3.0-or-later
// Questions, file choosers and toasts, each behind a seam that tests replace.
#include "ui/widgets/parts.h"

#include <QApplication>
#include <QDialog>
#include <QFileDialog>
#include <QHBoxLayout>
#include <QKeyEvent>
#include <QPointer>
#include <QTimer>
#include <QVBoxLayout>

namespace sconce::ui {

namespace {

Asker& asker()
{
    static Asker current;
    return current;
}

FileChooser& chooser()
{
    static FileChooser current;
    return current;
}

/// Keeps a toast at the bottom of its window when that is resized.
class Toast : public QFrame
{
  public:
    Toast(QWidget* window, const QString& text, const QString& action, std::function<void()> onAction) : QFrame(window)
    {
        setObjectName(QStringLiteral("toast"));
        setRole(this, "toast");
        auto* row = new QHBoxLayout(this);
        row->setContentsMargins(16, 8, action.isEmpty() ? 16 : 8, 8);
        row->setSpacing(12);
        auto* words = makeLabel(text, FontRole::Body, Token::Text, this);
        words->setObjectName(QStringLiteral("toastText"));
        words->setWordWrap(text.size() > 90);
        if (text.size() > 90) words->setFixedWidth(560);
        row->addWidget(words);
        if (!action.isEmpty()) {
            auto* button = makeButton({}, action, ButtonKind::Normal, this);
            button->setObjectName(QStringLiteral("toastAction"));
            setControlHeight(button, 28);
            connect(button, &QPushButton::clicked, this, [this, onAction = std::move(onAction)] {
                deleteLater();
                hide();
                if (onAction) onAction();
            });
            row->addWidget(button);
        }
        setAccessibleName(text);
        window->installEventFilter(this);
        // Time to read: three seconds and one for every dozen letters.
        QTimer::singleShot(3000 + static_cast<int>(text.size()) * 80 + (action.isEmpty() ? 0 : 3000), this, &QObject::deleteLater);
    }

    void place()
    {
        adjustSize();
        const QWidget* window = parentWidget();
        move((window->width() - width()) / 2, window->height() - height() - 44);
    }

  protected:
    bool eventFilter(QObject* object, QEvent* event) override
    {
        if (object == parentWidget() && event->type() == QEvent::Resize) place();
        return false;
    }
};

/// Buttons in one row, the default one primary; Escape answers with the cancel button.
class QuestionDialog : public QDialog
{
  public:
    QuestionDialog(QWidget* parent, const Question& question) : QDialog(parent), m_cancel(question.cancelButton)
    {
        setObjectName(QStringLiteral("question"));
        setWindowTitle(question.title);
        setAccessibleDescription(question.text);
        auto* column = new QVBoxLayout(this);
        column->setContentsMargins(24, 20, 24, 20);
        column->setSpacing(8);
        auto* title = makeLabel(question.title, FontRole::Title, Token::Text, this);
        title->setWordWrap(true);
        column->addWidget(title);
        auto* text = makeLabel(question.text, FontRole::Body, Token::Text2, this);
        text->setWordWrap(true);
        text->setMinimumWidth(420);
        text->setMaximumWidth(560);
        text->setTextInteractionFlags(Qt::TextSelectableByMouse);
        column->addWidget(text);
        column->addSpacing(12);
        auto* row = new QHBoxLayout;
        row->setSpacing(8);
        row->addStretch(1);
        for (int i = 0; i < question.buttons.size(); ++i) {
            ButtonKind kind = ButtonKind::Normal;
            if (i == question.defaultButton) kind = question.dangerous ? ButtonKind::Danger : ButtonKind::Primary;
            auto* button = makeButton({}, question.buttons[i], kind, this);
            button->setObjectName(QStringLiteral("answer%1").arg(i));
            button->setDefault(i == question.defaultButton && !question.dangerous);
            connect(button, &QPushButton::clicked, this, [this, i] { done(i + 1); });
            row->addWidget(button);
            // What cannot be undone is not what Enter does.
            const int focused = question.dangerous && question.cancelButton >= 0 ? question.cancelButton : question.defaultButton;
            if (i == focused) button->setFocus();
        }
        column->addLayout(row);
        setFixedSize(sizeHint());
    }
    int answer(int code) const { return code > 0 ? code - 1 : m_cancel; }

  private:
    int m_cancel;
};

} // namespace

int ask(QWidget* parent, const Question& question)
{
    if (asker()) return asker()(parent, question);
    QuestionDialog dialog(parent ? parent->window() : nullptr, question);
    return dialog.answer(dialog.exec());
}

void setAsker(Asker replacement)
{
    asker() = std::move(replacement);
}

QString chooseOpenFile(QWidget* parent, const QString& title, const QString& filter)
{
    if (chooser()) return chooser()(parent, QStringLiteral("open"), title);
    return QFileDialog::getOpenFileName(parent, title, {}, filter);
}

QString chooseSaveFile(QWidget* parent, const QString& title, const QString& suggested, const QString& filter)
{
    if (chooser()) return chooser()(parent, QStringLiteral("save"), title);
    return QFileDialog::getSaveFileName(parent, title, suggested, filter);
}

QString chooseFolder(QWidget* parent, const QString& title)
{
    if (chooser()) return chooser()(parent, QStringLiteral("folder"), title);
    return QFileDialog::getExistingDirectory(parent, title);
}

void setFileChooser(FileChooser replacement)
{
    chooser() = std::move(replacement);
}

void showToast(QWidget* anyChild, const QString& text, const QString& action, std::function<void()> onAction)
{
    if (!anyChild) return;
    QWidget* window = anyChild->window();
    for (auto* old : window->findChildren<QFrame*>(QStringLiteral("toast"), Qt::FindDirectChildrenOnly)) {
        old->hide();
        old->deleteLater();
    }
    auto* toast = new Toast(window, text, action, std::move(onAction));
    toast->place();
    toast->show();
    toast->raise();
}

} // namespace sconce::ui
