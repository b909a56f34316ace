// SPDX-License-Identifier: GPL-3.0-or-later
#include "ui/compose/trial_dialog.h"

#include "ui/widgets/parts.h"

#include <QCoreApplication>
#include <QVBoxLayout>

namespace sconce::ui {

TrialDialog::TrialDialog(Studio& studio, Recipe recipe, const QString& name, const QString& title, const QString& what, QWidget* parent)
    : QDialog(parent)
    , m_studio(studio)
    , m_recipe(std::move(recipe))
{
    setObjectName(name);
    setAttribute(Qt::WA_DeleteOnClose);
    setWindowTitle(title);
    setMinimumWidth(560);
    auto* column = new QVBoxLayout(this);
    column->setContentsMargins(24, 20, 24, 20);
    column->setSpacing(12);
    column->addWidget(makeLabel(title, FontRole::Title, Token::Text, this));
    auto* words = makeLabel(what, FontRole::Body, Token::Text2, this);
    words->setWordWrap(true);
    column->addWidget(words);
    m_body = new QVBoxLayout;
    m_body->setSpacing(8);
    column->addLayout(m_body, 1);
    m_progress = new ProgressStrip(6, this);
    m_progress->setObjectName(name + QStringLiteral(".progress"));
    column->addWidget(m_progress);
    m_words = makeLabel({}, FontRole::Body, Token::Text, this);
    m_words->setObjectName(name + QStringLiteral(".words"));
    m_words->setWordWrap(true);
    m_words->setMinimumHeight(2 * m_words->fontMetrics().lineSpacing());
    m_words->setAlignment(Qt::AlignLeft | Qt::AlignTop);
    column->addWidget(m_words);
    auto* buttons = new QHBoxLayout;
    m_again = makeButton(QStringLiteral("refresh"), tr("Test again"), ButtonKind::Flat, this);
    m_again->setObjectName(name + QStringLiteral(".again"));
    m_close = makeButton({}, tr("Cancel"), ButtonKind::Normal, this);
    m_close->setObjectName(name + QStringLiteral(".close"));
    buttons->addWidget(m_again);
    buttons->addStretch(1);
    buttons->addWidget(m_close);
    m_actions = new QHBoxLayout;
    buttons->addLayout(m_actions);
    column->addLayout(buttons);
    connect(m_close, &QPushButton::clicked, this, &QDialog::reject);
    connect(m_again, &QPushButton::clicked, this, &TrialDialog::begin);
}

TrialDialog::~TrialDialog()
{
    if (m_cancelled) m_cancelled->store(true);
}

void TrialDialog::begin()
{
    if (m_cancelled) m_cancelled->store(true);
    m_cancelled = std::make_shared<std::atomic<bool>>(false);
    clear();
    m_again->setEnabled(false);
    m_close->setText(tr("Cancel"));
    m_progress->setShare(-1);
    m_progress->show();
    m_words->setText(tr("Opening the data…"));
    m_studio.data->open(m_recipe.data.dataset, this, [this, mine = m_cancelled](DatasetPtr data, const QString& sentence) {
        if (mine->load()) return;
        if (!data) return finish(sentence);
        work({m_recipe, std::move(data), m_studio.store->folder()});
    });
}

std::function<bool(std::function<void()>)> TrialDialog::teller()
{
    return [self = QPointer<TrialDialog>(this), cancelled = m_cancelled](std::function<void()> show) {
        if (cancelled->load()) return false;
        QMetaObject::invokeMethod(
            QCoreApplication::instance(), [self, cancelled, show = std::move(show)] {
                if (self && !cancelled->load()) show();
            },
            Qt::QueuedConnection);
        return true;
    };
}

void TrialDialog::setShare(double share) { m_progress->setShare(share); }

void TrialDialog::setWords(const QString& words) { m_words->setText(words); }

void TrialDialog::finish(const QString& words)
{
    m_words->setText(words);
    m_progress->hide();
    m_again->setEnabled(true);
    m_close->setText(tr("Close"));
    // What is said may be longer than what stood there: the dialog grows rather than its parts shrink.
    layout()->activate();
    if (const int needed = layout()->totalHeightForWidth(width()); height() < needed) resize(width(), needed);
}

} // namespace sconce::ui
