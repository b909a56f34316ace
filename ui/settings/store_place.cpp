// SPDX-License-Identifier: GPL-3.0-or-later
#include "ui/settings/store_place.h"

#include "core/base/files.h"

#include <QApplication>
#include <QCoreApplication>
#include <QDir>
#include <QFile>
#include <QFileInfo>
#include <QProcess>

namespace sconce::ui {

namespace {

QString say(const char* text)
{
    return QCoreApplication::translate("StorePlace", text);
}

std::function<void(const QString&)>& restarter()
{
    static std::function<void(const QString&)> current;
    return current;
}

const QString noteName = QStringLiteral("moved-to");

} // namespace

QString problemWithNewPlace(const QString& current, const QString& wanted)
{
    const QFileInfo info(wanted);
    const QString from = QFileInfo(current).canonicalFilePath();
    const QString to = info.exists() ? info.canonicalFilePath() : QDir::cleanPath(info.absoluteFilePath());
    if (to == from) return say("The runs are in that folder already.");
    if ((to + QLatin1Char('/')).startsWith(from + QLatin1Char('/'))) return say("That folder lies within the present one. Choose one outside of it.");
    if (info.exists() && !info.isDir()) return say("That is a file, not a folder.");
    if (info.exists() && !info.isWritable()) return say("Sconce may not write there. Choose another folder, or change its permissions.");
    if (info.exists() && !QDir(wanted).isEmpty(QDir::AllEntries | QDir::Hidden | QDir::System | QDir::NoDotAndDotDot)) return say("That folder is not empty. Choose an empty or a new one, so that nothing of yours is mixed up.");
    return {};
}

QString rememberPlace(const QString& current, const QString& target)
{
    const auto written = writeFileDurably((current + QLatin1Char('/') + noteName).toStdString(), QDir::cleanPath(QFileInfo(target).absoluteFilePath()).toStdString() + "\n");
    return written.ok() ? QString() : QString::fromStdString(written.error().text());
}

MovedTo movedTo(const QString& folder)
{
    QFile note(folder + QLatin1Char('/') + noteName);
    if (!note.open(QIODevice::ReadOnly)) return {};
    const QString place = QString::fromUtf8(note.read(4096)).trimmed();
    if (!QDir::isAbsolutePath(place)) return {};
    return {place, QFileInfo::exists(place + QStringLiteral("/sconce.db"))};
}

void startAgain(const QString& storeFolder)
{
    if (restarter()) {
        restarter()(storeFolder);
        return;
    }
    QStringList arguments = QCoreApplication::arguments().mid(1);
    const qsizetype at = arguments.indexOf(QStringLiteral("--store"));
    if (at >= 0 && at + 1 < arguments.size()) arguments[at + 1] = storeFolder;
    QProcess::startDetached(QCoreApplication::applicationFilePath(), arguments);
    QCoreApplication::quit();
}

void setStartAgain(std::function<void(const QString&)> replacement)
{
    restarter() = std::move(replacement);
}

} // namespace sconce::ui
