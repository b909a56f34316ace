// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
// The program's own log (not a run's log, which is part of its history): a file in the store plus standard error.
// spdlog stays behind this file. Any thread.

#include <string>

namespace sconce {

enum class LogLevel { Debug, Info, Warning, Error, Off };

/// Call once at start. `file` may be empty; `toStderr` is the lowest level shown on standard error.
void openLog(const std::string& file, LogLevel toStderr);
void log(LogLevel level, const std::string& message);

} // namespace sconce
