// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
// What tests of pages share: pictures for people to look at (written to the folder in SCONCE_PICTURES), labels that are cut
// off, and the command line as a second process.

#include "tests/support/patience.h"

#include <QAbstractSpinBox>
#include <QApplication>
#include <QDir>
#include <QFileInfo>
#include <QJsonArray>
#include <QJsonDocument>
#include <QJsonObject>
#include <QLabel>
#include <QLineEdit>
#include <QMenu>
#include <QProcess>
#include <QPushButton>
#include <QTimer>
#include <QtTest>

namespace sconce::ui::test {

/// Labels whose words do not fit; those that shorten themselves or wrap are meant to. What was said a moment ago is laid out first.
inline QStringList cutLabels(QWidget* page)
{
    sconce::test::layOutNow();
    QStringList cut;
    for (QLabel* label : page->findChildren<QLabel*>()) {
        if (!label->isVisible() || label->text().isEmpty() || label->property("elides").toBool()) continue;
        if (label->textFormat() != Qt::PlainText) continue;
        const QString name = QStringLiteral("%1 \"%2\"").arg(label->objectName(), label->text());
        if (label->wordWrap()) {
            const int needed = label->heightForWidth(label->width());
            if (label->height() < needed) cut << QStringLiteral("%1 is %2 high, needs %3").arg(name).arg(label->height()).arg(needed);
            continue;
        }
        const int needed = label->fontMetrics().horizontalAdvance(label->text());
        if (label->contentsRect().width() < needed) cut << QStringLiteral("%1 is %2 wide, needs %3").arg(name).arg(label->contentsRect().width()).arg(needed);
    }
    for (QAbstractSpinBox* box : page->findChildren<QAbstractSpinBox*>()) {
        auto* field = box->findChild<QLineEdit*>();
        if (!box->isVisible() || !field) continue;
        const int needed = field->fontMetrics().horizontalAdvance(field->text()) + 4;
        if (field->width() < needed) cut << QStringLiteral("%1 \"%2\" is %3 wide, needs %4").arg(box->objectName(), field->text()).arg(field->width()).arg(needed);
    }
    return cut;
}

inline void savePicture(QWidget* page, const QString& name)
{
    const QString folder = qEnvironmentVariable("SCONCE_PICTURES");
    if (folder.isEmpty()) return;
    QVERIFY(QDir().mkpath(folder));
    QVERIFY(page->grab().save(folder + QLatin1Char('/') + name + QStringLiteral(".png")));
}

/// Opens a button's menu with a click and clicks an item of it, as a person does. False where that failed.
inline bool clickInMenu(QPushButton* button, const QString& actionName)
{
    bool done = false, over = false; // over: there is nothing more to wait for
    int tries = 0;
    QTimer timer; // the menu runs an event loop of its own
    QObject::connect(&timer, &QTimer::timeout, button, [&] {
        auto* menu = qobject_cast<QMenu*>(QApplication::activePopupWidget());
        if (!menu) {
            if (++tries > sconce::test::patienceMs / 30) over = true;
            if (over) timer.stop();
            return;
        }
        timer.stop();
        auto* action = menu->findChild<QAction*>(actionName);
        if (!action || !action->isEnabled()) {
            menu->close();
            over = true;
            return;
        }
        done = over = true;
        QTest::mouseClick(menu, Qt::LeftButton, {}, menu->actionGeometry(action).center());
    });
    timer.start(30);
    QTest::mouseClick(button, Qt::LeftButton);
    return QTest::qWaitFor([&] { return over; }, sconce::test::patienceMs) && done;
}

/// `sconce ARGUMENTS --json --store FOLDER` in a process of its own: its last JSON line, empty where it failed (`message` says why).
inline QJsonObject commandLine(QStringList arguments, const QString& store, QString& message)
{
    QProcess process;
    process.start(QStringLiteral(SCONCE_BIN_DIR "/sconce"), arguments << QStringLiteral("--json") << QStringLiteral("--store") << store);
    if (!process.waitForFinished(120'000)) message = process.errorString();
    else if (process.exitCode() != 0) message = QString::fromUtf8(process.readAllStandardError());
    else return QJsonDocument::fromJson(process.readAllStandardOutput().trimmed().split('\n').last()).object();
    return {};
}

inline bool commandLineBuilt() { return QFileInfo::exists(QStringLiteral(SCONCE_BIN_DIR "/sconce")); }

} // namespace sconce::ui::test
