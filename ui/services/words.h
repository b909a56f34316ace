// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
// Numbers, times and names of runs as the pages write them.

#include "core/recipe/task.h"
#include "ui/services/studio.h"

#include <QDateTime>
#include <QString>
#include <QStyle>

namespace sconce::ui::words {

inline QString text(const std::string& s) { return QString::fromStdString(s); }
QString loss(double value);                   ///< 0.0243, "–" where unknown
QString percent(double share, int decimals = 2); ///< 99.15 %, "–" where unknown
/// As the metric is shown; of a share with this many decimals. "–" where unknown, or where there is no metric.
QString metric(const MetricEntry* metric, double value, int decimals = 2);
/// "Test accuracy", "Test mean absolute error": a part ("Test", "Validation", "Training") and a metric's title.
QString metricTitle(const QString& part, const MetricEntry& metric);
/// A title in the middle of a sentence: "learning rate" for "Learning rate", but "CUDA graph", "ReLU", "R²" and names as they are.
QString inSentence(const QString& title);
QString clock(WallMs time);                   ///< 14:06
QString clockSeconds(WallMs time);            ///< 14:06:21
QString day(WallMs time, const QDateTime& now = QDateTime::currentDateTime()); ///< "today 14:06", "yesterday 18:12", "Mon 17:31", "3 Nov 17:31"
QString deviceName(const RunRow& row);        ///< "CPU", "GPU 0"
QString runTitle(const RunRow& row);          ///< "mnist-convnet #12"
QString rate(double samplesPerSecond);        ///< 9.6 k/s
QString rateWords(double samplesPerSecond);   ///< 9.6 k samples a second
QString memory(std::uint64_t bytes);          ///< 23.5 GiB, 2.0 GiB, 140 GiB: of the same width while it changes
QString hardwareTitle(const std::string& key); ///< "GPU 0 use" for "gpu0.use"
QString hardwareValue(const std::string& key, double value);

/// Gives a field or button the height of the design (24 or 28), which the style sheet keys on ("size" itself is taken by QWidget).
template <class W> void sized(W* widget, const char* height)
{
    widget->setProperty("controlSize", height);
    widget->style()->unpolish(widget);
    widget->style()->polish(widget);
}

} // namespace sconce::ui::words
