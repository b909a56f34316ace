// SPDX-License-Identifier: GPL-3.0-or-later
#include "ui/services/words.h"

#include "core/base/text.h"

#include <QCoreApplication>
#include <QLocale>

#include <cmath>

namespace sconce::ui::words {

namespace {
QString tr(const char* s) { return QCoreApplication::translate("Live", s); }
const QString dash = QStringLiteral("–");
} // namespace

QString loss(double value)
{
    if (std::isnan(value)) return dash;
    if (!std::isfinite(value)) return QStringLiteral("∞");
    if (std::abs(value) >= 1000 || (value != 0 && std::abs(value) < 0.00005)) return text(realText(value, 3));
    const int decimals = std::abs(value) >= 100 ? 1 : std::abs(value) >= 10 ? 2 : 4;
    return QString::number(value, 'f', decimals).replace(QLatin1Char('-'), QChar(0x2212));
}

QString percent(double share, int decimals) { return std::isfinite(share) ? text(percentText(share, decimals)) : dash; }

QString metric(const MetricEntry* metric, double value, int decimals)
{
    if (!metric || !std::isfinite(value)) return QStringLiteral("–");
    return metric->percent ? percent(value, decimals) : loss(value);
}

QString metricTitle(const QString& part, const MetricEntry& metric)
{
    return part + QLatin1Char(' ') + inSentence(text(metric.title));
}

QString inSentence(const QString& title)
{
    // Titles have one capital, their first letter; every other one belongs to an acronym or a name.
    const QString first = title.section(QLatin1Char(' '), 0, 0), rest = first.mid(1);
    const bool word = !rest.isEmpty() && rest[0].isLower() && rest == rest.toLower() && first != QLatin1String("Nesterov");
    return word ? title.left(1).toLower() + title.mid(1) : title;
}

QString clock(WallMs time) { return time > 0 ? QDateTime::fromMSecsSinceEpoch(time).toString(QStringLiteral("HH:mm")) : dash; }
QString clockSeconds(WallMs time) { return time > 0 ? QDateTime::fromMSecsSinceEpoch(time).toString(QStringLiteral("HH:mm:ss")) : dash; }

QString day(WallMs time, const QDateTime& now)
{
    if (time <= 0) return dash;
    const QDateTime then = QDateTime::fromMSecsSinceEpoch(time);
    const qint64 days = then.date().daysTo(now.date());
    const QLocale english(QLocale::English);
    const QString hour = then.toString(QStringLiteral("HH:mm"));
    if (days == 0) return tr("today %1").arg(hour);
    if (days == 1) return tr("yesterday %1").arg(hour);
    if (days > 1 && days < 7) return english.toString(then, QStringLiteral("ddd HH:mm"));
    return english.toString(then, then.date().year() == now.date().year() ? QStringLiteral("d MMM HH:mm") : QStringLiteral("d MMM yyyy"));
}

QString deviceName(const RunRow& row)
{
    if (row.device == "cpu") return tr("CPU");
    if (row.device.rfind("cuda:", 0) == 0) return tr("GPU %1").arg(text(row.device.substr(5)));
    return row.device.empty() ? dash : text(row.device);
}

QString runTitle(const RunRow& row)
{
    const QString name = text(row.name.empty() ? row.recipeName : row.name);
    return row.number > 0 ? QStringLiteral("%1 #%2").arg(name).arg(row.number) : name;
}

QString rate(double samplesPerSecond)
{
    if (!(samplesPerSecond > 0)) return dash;
    if (samplesPerSecond < 1000) return QStringLiteral("%1 /s").arg(std::lround(samplesPerSecond));
    if (samplesPerSecond < 1e6) return QStringLiteral("%1 k/s").arg(samplesPerSecond / 1e3, 0, 'f', samplesPerSecond < 1e5 ? 1 : 0);
    return QStringLiteral("%1 M/s").arg(samplesPerSecond / 1e6, 0, 'f', 2);
}

QString rateWords(double samplesPerSecond)
{
    if (!(samplesPerSecond > 0)) return dash;
    return tr("%1 samples a second").arg(rate(samplesPerSecond).remove(QLatin1String("/s")).trimmed());
}

QString hardwareTitle(const std::string& key)
{
    if (key == "cpu") return tr("CPU");
    if (key == "memory") return tr("Memory");
    if (key.rfind("gpu", 0) == 0) {
        const auto dot = key.find('.');
        return tr("GPU %1 %2").arg(text(key.substr(3, dot - 3)), dot == std::string::npos ? QString() : text(key.substr(dot + 1))).trimmed();
    }
    return text(key);
}

QString memory(std::uint64_t bytes)
{
    static const char* const units[] = {"B", "KiB", "MiB", "GiB", "TiB"};
    int unit = 0;
    auto value = static_cast<double>(bytes);
    while (unit < 4 && value >= 1024) {
        value /= 1024;
        ++unit;
    }
    return QString::number(value, 'f', unit > 2 && value < 99.95 ? 1 : 0) + QLatin1Char(' ') + QLatin1String(units[unit]);
}

QString hardwareValue(const std::string& key, double value)
{
    if (!std::isfinite(value)) return dash;
    const auto ends = [&](const char* tail) { const std::string t(tail); return key.size() >= t.size() && key.compare(key.size() - t.size(), t.size(), t) == 0; };
    if (ends("memory") || ends("reserved") || ends("allocated")) return memory(static_cast<std::uint64_t>(std::max(0.0, value)));
    if (ends("power")) return QStringLiteral("%1 W").arg(std::lround(value));
    if (ends("temperature")) return QStringLiteral("%1 °C").arg(std::lround(value));
    return text(percentText(value, 0));
}

} // namespace sconce::ui::words
