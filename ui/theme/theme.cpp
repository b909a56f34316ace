// SPDX-License-Identifier: GPL-3.0-or-later
#include "ui/theme/theme.h"

#include "ui/theme/icons.h"
#include "ui/theme/tokens.h"

#include <QAbstractButton>
#include <QAbstractItemView>
#include <QAbstractSlider>
#include <QApplication>
#include <QDir>
#include <QFile>
#include <QFocusEvent>
#include <QHash>
#include <QHelpEvent>
#include <QPalette>
#include <QSaveFile>
#include <QStandardPaths>
#include <QStyle>
#include <QTextDocument>
#include <QToolTip>
#include <QWidget>

#include <algorithm>
#include <cmath>

/// The resources are linked from a static library: without this call the linker would leave them out.
static void initResources()
{
    Q_INIT_RESOURCE(resources);
}

namespace sconce::ui {

namespace {

QHash<QString, QPixmap>& pixmapCache()
{
    static QHash<QString, QPixmap> cache;
    return cache;
}

/// Writes a mark for the style sheet at one and two times its size. Unchanged files are left alone: several programs may run.
void writeMark(const QString& folder, const QString& file, const QString& icon, const QColor& tint, int size)
{
    for (int scale : {1, 2, 3}) {
        const QString suffix = scale == 1 ? QString() : QStringLiteral("@%1x").arg(scale);
        const QString path = QStringLiteral("%1/%2%3.png").arg(folder, file, suffix);
        if (QFile::exists(path)) continue;
        QPixmap picture = renderIcon(icon, tint, tint, size, scale);
        picture.setDevicePixelRatio(1);
        QSaveFile out(path);
        if (out.open(QIODevice::WriteOnly) && picture.save(&out, "PNG")) out.commit();
    }
}

QString writableFolder(const QString& name)
{
    for (const QString& base : {QStandardPaths::writableLocation(QStandardPaths::GenericCacheLocation) + QStringLiteral("/sconce"),
                                QDir::tempPath() + QStringLiteral("/sconce-") + qEnvironmentVariable("USER", QStringLiteral("user"))}) {
        const QString folder = base + QLatin1Char('/') + name;
        if (QDir().mkpath(folder) && QFileInfo(folder).isWritable()) return folder;
    }
    return QDir::tempPath();
}

/// Folder with the arrows and check marks of this theme; Qt's style sheets take only files for them.
QString markFolder(const Theme& theme)
{
    // The version is part of the name, so that a later drawing does not find an older file.
    const QString folder = writableFolder(QStringLiteral("marks-%1-%2").arg(QLatin1String(SCONCE_VERSION), theme.dark() ? QLatin1String("dark") : QLatin1String("light")));
    writeMark(folder, QStringLiteral("down"), QStringLiteral("chevron-down"), theme.color(Token::Text2), 12);
    writeMark(folder, QStringLiteral("up"), QStringLiteral("chevron-up"), theme.color(Token::Text2), 12);
    writeMark(folder, QStringLiteral("right"), QStringLiteral("chevron-right"), theme.color(Token::Text2), 12);
    writeMark(folder, QStringLiteral("down-off"), QStringLiteral("chevron-down"), theme.color(Token::LineStrong), 12);
    writeMark(folder, QStringLiteral("up-off"), QStringLiteral("chevron-up"), theme.color(Token::LineStrong), 12);
    writeMark(folder, QStringLiteral("check"), QStringLiteral("check-bold"), theme.color(Token::Card), 12);
    writeMark(folder, QStringLiteral("dash"), QStringLiteral("minus"), theme.color(Token::Card), 12);
    return folder;
}

QString expandedSheet(const Theme& theme)
{
    QFile file(QStringLiteral(":/theme/sconce.qss"));
    if (!file.open(QIODevice::ReadOnly)) return {};
    QString sheet = QString::fromUtf8(file.readAll());
    std::vector<int> order(tokenTable.size());
    for (std::size_t i = 0; i < order.size(); ++i) order[i] = static_cast<int>(i);
    // The longest names first: @accentHover must not be taken for @accent.
    std::sort(order.begin(), order.end(), [](int a, int b) { return qstrlen(tokenTable[a].name) > qstrlen(tokenTable[b].name); });
    for (int i : order) sheet.replace(QLatin1Char('@') + QLatin1String(tokenTable[i].name), theme.hex(static_cast<Token>(i)));
    sheet.replace(QLatin1String("%dir"), markFolder(theme));
    return sheet;
}

QPalette paletteOf(const Theme& t)
{
    QPalette p;
    const auto set = [&](QPalette::ColorRole role, Token token) { p.setColor(role, t.color(token)); };
    set(QPalette::Window, Token::Win);
    set(QPalette::WindowText, Token::Text);
    set(QPalette::Base, Token::Input);
    set(QPalette::AlternateBase, Token::Card);
    set(QPalette::Text, Token::Text);
    set(QPalette::PlaceholderText, Token::Text3);
    set(QPalette::Button, Token::Raised);
    set(QPalette::ButtonText, Token::Text);
    set(QPalette::BrightText, Token::Error);
    set(QPalette::ToolTipBase, Token::Raised);
    set(QPalette::ToolTipText, Token::Text);
    set(QPalette::Highlight, Token::AccentSoft);
    set(QPalette::HighlightedText, Token::Text);
    set(QPalette::Link, Token::Info);
    set(QPalette::LinkVisited, Token::Info);
    set(QPalette::Light, Token::Hover);
    set(QPalette::Midlight, Token::Raised);
    set(QPalette::Mid, Token::Line);
    set(QPalette::Dark, Token::LineStrong);
    set(QPalette::Shadow, Token::Line);
    for (auto role : {QPalette::WindowText, QPalette::Text, QPalette::ButtonText}) p.setColor(QPalette::Disabled, role, t.color(Token::Text3));
    return p;
}

/// Marks buttons that got the focus by keyboard, so that the style sheet draws the focus ring there and not after a click.
class KeyboardFocus : public QObject
{
  public:
    using QObject::QObject;

  protected:
    bool eventFilter(QObject* object, QEvent* event) override
    {
        if (event->type() != QEvent::FocusIn && event->type() != QEvent::FocusOut) return false;
        if (!qobject_cast<QAbstractButton*>(object) && !qobject_cast<QAbstractSlider*>(object)) return false;
        const auto reason = static_cast<QFocusEvent*>(event)->reason();
        const bool byKey = event->type() == QEvent::FocusIn && (reason == Qt::TabFocusReason || reason == Qt::BacktabFocusReason || reason == Qt::ShortcutFocusReason);
        if (object->property("kbfocus").toBool() == byKey) return false;
        object->setProperty("kbfocus", byKey);
        auto* widget = static_cast<QWidget*>(object);
        widget->style()->unpolish(widget);
        widget->style()->polish(widget);
        return false;
    }
};

/// Qt breaks the lines of rich text only: a plain tooltip of some sentences would reach across the screen.
class LongTips : public QObject
{
  public:
    using QObject::QObject;

  protected:
    bool eventFilter(QObject* object, QEvent* event) override
    {
        if (event->type() != QEvent::ToolTip || !object->isWidgetType()) return false;
        auto* widget = static_cast<QWidget*>(object);
        auto* help = static_cast<QHelpEvent*>(event);
        QString tip = widget->toolTip();
        // An entry of a list, as of an open combo: the mouse is over the list's inner part.
        const auto* view = qobject_cast<const QAbstractItemView*>(widget->parentWidget());
        if (view && view->viewport() == widget && tip.isEmpty()) tip = view->indexAt(help->pos()).data(Qt::ToolTipRole).toString();
        if (tip.size() < 80 || Qt::mightBeRichText(tip)) return false;
        QToolTip::showText(help->globalPos(), QStringLiteral("<qt>%1</qt>").arg(tip.toHtmlEscaped().replace(QLatin1Char('\n'), QLatin1String("<br>"))), widget, {}, widget->toolTipDuration());
        return true;
    }
};

void repolish(QWidget* widget)
{
    widget->style()->unpolish(widget);
    widget->style()->polish(widget);
    widget->update();
}

double luminance(const QColor& color)
{
    const auto part = [](double v) { return v <= 0.04045 ? v / 12.92 : std::pow((v + 0.055) / 1.055, 2.4); };
    return 0.2126 * part(color.redF()) + 0.7152 * part(color.greenF()) + 0.0722 * part(color.blueF());
}

} // namespace

Theme& Theme::instance()
{
    static Theme theme;
    return theme;
}

void Theme::apply(QApplication& app, ThemeChoice choice)
{
    // The desktop's own palette, before the first change of ours: Qt 6.4 has no QStyleHints::colorScheme.
    static const bool desktopDark = app.palette().color(QPalette::Window).lightness() < 128;
    static bool first = true;
    m_choice = choice;
    m_dark = choice == ThemeChoice::Dark || (choice == ThemeChoice::Desktop && desktopDark);
    pixmapCache().clear();
    if (first) {
        initResources();
        app.setStyle(QStringLiteral("Fusion"));
        app.installEventFilter(new KeyboardFocus(&app));
        app.installEventFilter(new LongTips(&app));
        first = false;
    }
    app.setPalette(paletteOf(*this));
    app.setFont(font(FontRole::Body));
    app.setFont(font(FontRole::BodyMedium), "QPushButton");
    app.setFont(font(FontRole::Caption), "QHeaderView");
    app.setFont(font(FontRole::Mono), "QAbstractSpinBox"); // numbers that change do not jitter
    QToolTip::setFont(font(FontRole::Caption));
    QToolTip::setPalette(app.palette());
    app.setStyleSheet(expandedSheet(*this));
    Q_EMIT changed();
}

QColor Theme::color(Token token) const
{
    const TokenRow& row = tokenTable[static_cast<std::size_t>(token)];
    return QColor::fromRgb(m_dark ? row.dark : row.light);
}

QString Theme::hex(Token token) const
{
    return color(token).name();
}

QColor Theme::blend(Token over, Token under, double share) const
{
    const QColor a = color(over), b = color(under);
    const auto mix = [share](int x, int y) { return static_cast<int>(std::lround(x * share + y * (1 - share))); };
    return QColor(mix(a.red(), b.red()), mix(a.green(), b.green()), mix(a.blue(), b.blue()));
}

QFont Theme::font(FontRole role) const
{
    struct Face { bool mono; int size; int weight; };
    static const Face faces[] = {
        {false, 13, QFont::Normal}, {false, 13, QFont::Medium}, {false, 13, QFont::DemiBold}, {false, 12, QFont::Normal},
        {false, 11, QFont::Normal}, {false, 16, QFont::DemiBold}, {true, 20, QFont::DemiBold}, {true, 32, QFont::DemiBold},
        {true, 13, QFont::Normal},  {true, 12, QFont::Normal},  {true, 11, QFont::Normal},
    };
    const Face& face = faces[static_cast<int>(role)];
    QFont font;
    font.setFamilies(face.mono ? QStringList{QStringLiteral("JetBrains Mono"), QStringLiteral("Noto Sans Mono"), QStringLiteral("DejaVu Sans Mono"), QStringLiteral("monospace")}
                               : QStringList{QStringLiteral("Inter"), QStringLiteral("Noto Sans"), QStringLiteral("DejaVu Sans"), QStringLiteral("sans-serif")});
    font.setStyleHint(face.mono ? QFont::Monospace : QFont::SansSerif);
    font.setPixelSize(face.size);
    font.setWeight(static_cast<QFont::Weight>(face.weight));
    font.setHintingPreference(QFont::PreferNoHinting);
    return font;
}

QIcon Theme::icon(const QString& name, Token token, int size) const
{
    if (name.isEmpty()) return {};
    return QIcon(new TintedIconEngine(name, token, size));
}

QIcon Theme::buttonIcon(const QString& name, Token token) const
{
    if (name.isEmpty()) return {};
    return QIcon(new TintedIconEngine(name, token, 16, 4));
}

QPixmap Theme::pixmap(const QString& name, Token token, int size, qreal devicePixelRatio) const
{
    const QString key = QStringLiteral("%1/%2/%3/%4").arg(name).arg(static_cast<int>(token)).arg(size).arg(qRound(devicePixelRatio * 100));
    auto& cache = pixmapCache();
    if (const auto found = cache.constFind(key); found != cache.constEnd()) return *found;
    const QPixmap picture = renderIcon(name, color(token), color(Token::Accent), size, devicePixelRatio);
    cache.insert(key, picture);
    return picture;
}

Token Theme::runToken(int index) const
{
    return static_cast<Token>(static_cast<int>(Token::RunA) + ((index % 5) + 5) % 5);
}

QString tokenName(Token token)
{
    return QLatin1String(tokenTable[static_cast<std::size_t>(token)].name);
}

double contrast(const QColor& a, const QColor& b)
{
    const double x = luminance(a), y = luminance(b);
    return (std::max(x, y) + 0.05) / (std::min(x, y) + 0.05);
}

void setControlHeight(QWidget* widget, int height)
{
    widget->setProperty("controlSize", QString::number(height));
    repolish(widget);
}

void setProblem(QWidget* field, bool problem)
{
    if (field->property("problem").toBool() == problem) return;
    field->setProperty("problem", problem);
    repolish(field);
}

void setRole(QWidget* widget, const char* role)
{
    if (widget->property("role").toString() == QLatin1String(role)) return;
    widget->setProperty("role", QString::fromLatin1(role));
    widget->setAttribute(Qt::WA_StyledBackground);
    repolish(widget);
}

} // namespace sconce::ui
