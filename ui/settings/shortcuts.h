// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
// The keys of the window, in one table: Settings shows them, F1 shows them.

#include <QString>
#include <QWidget>

#include <vector>

namespace sconce::ui {

struct ShortcutRow { QString group, keys, does; };
std::vector<ShortcutRow> shortcutRows();
/// The table as a widget, two columns.
QWidget* makeShortcutTable(QWidget* parent);

} // namespace sconce::ui
