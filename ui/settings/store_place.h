// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
// Where the runs are: checks of a new place, the note in the old folder that leads to it, and the new start.

#include <QString>

#include <functional>

namespace sconce::ui {

/// Why `wanted` cannot take the store now in `current`; empty if it can.
QString problemWithNewPlace(const QString& current, const QString& wanted);
/// Leaves a note in the old folder (core's Store::defaultFolder follows it). A sentence on failure.
QString rememberPlace(const QString& current, const QString& target);
/// The place that a note in `folder` leads to, and whether it is there; empty without a note.
struct MovedTo { QString folder; bool there = false; };
MovedTo movedTo(const QString& folder);

/// Starts this program anew on a store and ends this one. Tests replace it.
void startAgain(const QString& storeFolder);
void setStartAgain(std::function<void(const QString&)> replacement);

} // namespace sconce::ui
