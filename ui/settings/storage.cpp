// SPDX-License-Identifier: GPL-3.0-or-later
// Settings: where runs are kept, and moving them safely: copied, verified, and only then used.
#include "ui/settings/settings_page.h"

#include "core/base/text.h"
#include "ui/settings/store_place.h"
#include "ui/widgets/parts.h"

#include <QApplication>
#include <QDesktopServices>
#include <QDir>
#include <QDirIterator>
#include <QUrl>
#include <QVBoxLayout>

namespace sconce::ui {

void SettingsPage::addStorage()
{
    auto* card = section(QStringLiteral("disk"), tr("Storage"));
    auto* place = new QWidget(card);
    auto* line = new QHBoxLayout(place);
    line->setContentsMargins(0, 0, 0, 0);
    line->setSpacing(8);
    auto* path = new ElidedLabel(QDir::toNativeSeparators(QString::fromStdString(m_studio.store->folder())), Qt::ElideMiddle, place);
    path->setObjectName(QStringLiteral("settings.folder"));
    path->setProperty("token", QStringLiteral("text"));
    path->setFont(ui::font(FontRole::MonoSmall));
    path->setMinimumWidth(240);
    line->addWidget(path, 1);
    auto* open = makeButton(QStringLiteral("folder"), tr("Show"), ButtonKind::Normal, place);
    open->setObjectName(QStringLiteral("settings.showFolder"));
    connect(open, &QPushButton::clicked, this, [this] { QDesktopServices::openUrl(QUrl::fromLocalFile(QString::fromStdString(m_studio.store->folder()))); });
    line->addWidget(open);
    m_move = makeButton({}, tr("Move…"), ButtonKind::Normal, place);
    m_move->setObjectName(QStringLiteral("settings.moveStore"));
    connect(m_move, &QPushButton::clicked, this, &SettingsPage::moveStore);
    line->addWidget(m_move);
    place->setMinimumWidth(420);
    row(card, tr("Folder"), tr("Moving takes all runs along"), place);

    m_usage = makeLabel(QStringLiteral("–"), FontRole::Body, Token::Text, card);
    m_usage->setObjectName(QStringLiteral("settings.usage"));
    row(card, tr("In it"), {}, m_usage);

    m_moveProgress = new QWidget(card);
    auto* column = new QVBoxLayout(m_moveProgress);
    column->setContentsMargins(0, 8, 0, 4);
    auto* top = new QHBoxLayout;
    m_moveText = makeLabel({}, FontRole::Caption, Token::Text2, m_moveProgress);
    top->addWidget(m_moveText, 1);
    auto* cancel = makeButton({}, tr("Cancel"), ButtonKind::Normal, m_moveProgress);
    setControlHeight(cancel, 24);
    connect(cancel, &QPushButton::clicked, this, [this] {
        if (m_cancelMove) m_cancelMove->store(true);
    });
    top->addWidget(cancel);
    column->addLayout(top);
    m_moveStrip = new ProgressStrip(8, m_moveProgress);
    column->addWidget(m_moveStrip);
    m_moveProgress->hide();
    card->content()->addWidget(m_moveProgress);
}

void SettingsPage::refreshStorage()
{
    struct Usage { std::uint64_t bytes = 0; int files = 0; };
    const auto runs = static_cast<std::int64_t>(m_studio.runs->rows().size());
    m_studio.jobs->run<Usage>(
        this,
        [folder = QString::fromStdString(m_studio.store->folder())] {
            Usage usage;
            QDirIterator it(folder, QDir::Files | QDir::Hidden, QDirIterator::Subdirectories);
            while (it.hasNext()) {
                it.next();
                usage.bytes += static_cast<std::uint64_t>(it.fileInfo().size());
                ++usage.files;
            }
            return usage;
        },
        [this, runs](Usage usage) {
            m_usage->setText(tr("%1, %2").arg(QString::fromStdString(plural(runs, "run", "runs")), QString::fromStdString(bytesText(usage.bytes))));
        },
        QStringLiteral("settings-usage"));
}

void SettingsPage::moveStore()
{
    if (m_studio.runService->training() || m_studio.runService->preparing()) {
        ask(this, {tr("A run is training"), tr("Runs can be moved when nothing trains. Stop the run, or wait for its end."), {tr("Close")}, 0, 0});
        return;
    }
    const QString chosen = chooseFolder(this, tr("Choose an empty folder for the runs"));
    if (chosen.isEmpty()) return;
    const QString problem = problemWithNewPlace(QString::fromStdString(m_studio.store->folder()), chosen);
    if (!problem.isEmpty()) {
        ask(this, {tr("That folder cannot be used"), problem, {tr("Close")}, 0, 0});
        return;
    }
    const int answer = ask(this, {tr("Move all runs?"),
                                  tr("Everything in %1 is copied to %2 and checked. After that Sconce starts again with the new folder. The old one is left as it is, for you to delete.")
                                      .arg(QString::fromStdString(m_studio.store->folder()), chosen),
                                  {tr("Move"), tr("Cancel")}, 0, 1});
    if (answer == 0) copyStore(chosen);
}

void SettingsPage::copyStore(const QString& target)
{
    m_move->setEnabled(false);
    m_moveProgress->show();
    m_moveStrip->setShare(0);
    m_moveText->setText(tr("Copying"));
    m_cancelMove = std::make_shared<std::atomic<bool>>(false);
    QPointer<SettingsPage> self(this);
    m_studio.jobs->run<Result<void>>(
        this,
        [store = m_studio.store, target, self, cancelled = m_cancelMove]() -> Result<void> {
            return store->copyTo(target.toStdString(), [self, cancelled](double share, const std::string& what) {
                QMetaObject::invokeMethod(qApp, [self, share, words = QString::fromStdString(what)] {
                    if (!self) return;
                    self->m_moveStrip->setShare(share);
                    self->m_moveText->setText(words);
                });
                return !cancelled->load();
            });
        },
        [this, target](Result<void> copied) {
            m_move->setEnabled(true);
            m_moveProgress->hide();
            if (!copied.ok()) {
                if (copied.error().code != ErrorCode::Cancelled)
                    ask(this, {tr("The runs were not moved"), tr("%1 Everything is still in the old folder.").arg(QString::fromStdString(copied.error().text())), {tr("Close")}, 0, 0});
                return;
            }
            const QString written = rememberPlace(QString::fromStdString(m_studio.store->folder()), target);
            if (!written.isEmpty()) {
                ask(this, {tr("The new folder could not be remembered"), written, {tr("Close")}, 0, 0});
                return;
            }
            ask(this, {tr("The runs are in their new folder"), tr("Sconce starts again to use it. The old folder can be deleted when you have seen that all is well."), {tr("Start again")}, 0, 0});
            startAgain(target);
        });
}

} // namespace sconce::ui
