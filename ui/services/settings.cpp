// SPDX-License-Identifier: GPL-3.0-or-later
#include "ui/services/studio.h"

namespace sconce::ui {

Settings::Settings(QObject* parent)
    : QObject(parent)
    , m_settings(QSettings::IniFormat, QSettings::UserScope, QStringLiteral("sconce"), QStringLiteral("studio"))
{
}

QVariant Settings::value(const QString& key, const QVariant& fallback) const { return m_settings.value(key, fallback); }

void Settings::setValue(const QString& key, const QVariant& value)
{
    if (m_settings.contains(key) && m_settings.value(key) == value) return;
    m_settings.setValue(key, value);
    Q_EMIT changed(key);
}

} // namespace sconce::ui
