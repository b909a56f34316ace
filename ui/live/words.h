// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
// Numbers and names as Live and its cards write them.

#include "ui/services/studio.h"

#include <QDateTime>
#include <QString>

namespace sconce::ui::words {

inline QString text(const std::string& s) { return QString::fromStdString(s); }
QString loss(double value);                   ///< 0.0243, "–" where unknown
QString percent(double share, int decimals = 2); ///< 99.15 %, "–" where unknown
QString clock(WallMs time);                   ///< 14:06
QString clockSeconds(WallMs time);            ///< 14:06:21
QString deviceName(const RunRow& row);        ///< "CPU", "GPU 0"
QString runTitle(const RunRow& row);          ///< "mnist-convnet #12"
QString rate(double samplesPerSecond);        ///< 9.6 k/s
/// "GPU 0 use" for "gpu0.use"; unit and colour follow from the name.
struct Reading { QString title, value; };
QString hardwareTitle(const std::string& key);
QString hardwareValue(const std::string& key, double value);

} // namespace sconce::ui::words
