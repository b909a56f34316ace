// SPDX-License-Identifier: GPL-3.0-or-later
#include "ui/settings/shortcuts.h"

#include "ui/widgets/parts.h"

#include <QCoreApplication>
#include <QGridLayout>

namespace sconce::ui {

namespace {
QString say(const char* text)
{
    return QCoreApplication::translate("Shortcuts", text);
}
}

std::vector<ShortcutRow> shortcutRows()
{
    return {
        {say("Pages"), QStringLiteral("Ctrl+0"), say("Welcome")},
        {say("Pages"), QStringLiteral("Ctrl+1 … Ctrl+6"), say("Data, Compose, Live, Runs, Hardware, Try it")},
        {say("Pages"), QStringLiteral("Ctrl+7, Ctrl+,"), say("Settings")},
        {say("Pages"), QStringLiteral("F1"), say("This list")},
        {say("Pages"), QStringLiteral("Ctrl+Q"), say("Close the window")},
        {say("Compose"), QStringLiteral("Ins, Ctrl+F"), say("Add a layer, find one in the palette")},
        {say("Compose"), QStringLiteral("Alt+Up, Alt+Down"), say("Move the chosen layer")},
        {say("Compose"), QStringLiteral("Alt+Right, Alt+Left"), say("Move it into the block above, out of its block")},
        {say("Compose"), QStringLiteral("Ctrl+D"), say("Duplicate it")},
        {say("Compose"), QStringLiteral("Del"), say("Remove it")},
        {say("Compose"), QStringLiteral("Ctrl+C, Ctrl+X, Ctrl+V"), say("Copy, cut, paste layers")},
        {say("Compose"), QStringLiteral("Ctrl+Z, Ctrl+Shift+Z or Ctrl+Y"), say("Undo, redo")},
        {say("Compose"), QStringLiteral("Ctrl+N, Ctrl+O"), say("New recipe, open one")},
        {say("Compose"), QStringLiteral("Ctrl+S, Ctrl+Shift+S"), say("Save the recipe, save it under another name")},
        {say("Compose"), QStringLiteral("Ctrl+Return"), say("Start training")},
        {say("Runs"), QStringLiteral("Ctrl+F"), say("Search")},
        {say("Runs"), QStringLiteral("Space, Return"), say("Tick to compare, show on Live")},
        {say("Runs"), QStringLiteral("F2, Del"), say("Rename, delete")},
        {say("Charts"), QStringLiteral("Left, Right"), say("Move the hover line")},
        {say("Charts"), QStringLiteral("+, −, 0"), say("Zoom in, out, show all")},
    };
}

QWidget* makeShortcutTable(QWidget* parent)
{
    auto* table = new QWidget(parent);
    auto* grid = new QGridLayout(table);
    grid->setContentsMargins(0, 0, 0, 0);
    grid->setHorizontalSpacing(24);
    grid->setVerticalSpacing(6);
    grid->setColumnStretch(1, 1);
    QString group;
    int line = 0;
    for (const ShortcutRow& row : shortcutRows()) {
        if (row.group != group) {
            group = row.group;
            auto* head = makeLabel(group, FontRole::Caption, Token::Text3, table);
            head->setContentsMargins(0, line == 0 ? 0 : 8, 0, 0);
            grid->addWidget(head, line++, 0, 1, 2);
        }
        grid->addWidget(makeLabel(row.keys, FontRole::MonoSmall, Token::Text, table), line, 0);
        grid->addWidget(makeLabel(row.does, FontRole::Body, Token::Text2, table), line++, 1);
    }
    return table;
}

} // namespace sconce::ui
