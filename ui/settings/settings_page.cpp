// SPDX-License-Identifier: GPL-3.0-or-later
#include "ui/settings/settings_page.h"

#include "ui/services/pages.h"
#include "ui/settings/shortcuts.h"
#include "ui/widgets/parts.h"

#include <QApplication>
#include <QCheckBox>
#include <QComboBox>
#include <QListWidget>
#include <QScrollArea>
#include <QScrollBar>
#include <QSpinBox>
#include <QThread>
#include <QVBoxLayout>

#include <algorithm>

namespace sconce::ui {

Page* makeSettingsPage(Studio& studio, QWidget* parent)
{
    return new SettingsPage(studio, parent);
}

SettingsPage::SettingsPage(Studio& studio, QWidget* parent) : Page(parent), m_studio(studio)
{
    setTitle(tr("Settings"), tr("kept at once"));
    auto* row = new QHBoxLayout(m_body);
    row->setContentsMargins(0, 0, 0, 0);
    row->setSpacing(0);
    m_side = new QFrame(m_body);
    setRole(m_side, "panelLeft");
    m_side->setFixedWidth(212);
    auto* side = new QVBoxLayout(m_side);
    side->setContentsMargins(8, 12, 8, 12);
    m_list = new QListWidget(m_side);
    m_list->setObjectName(QStringLiteral("settings.sections"));
    m_list->setAccessibleName(tr("Sections"));
    m_list->setIconSize({16, 16});
    setRole(m_list, "nav");
    side->addWidget(m_list);
    row->addWidget(m_side);

    m_scroll = new QScrollArea(m_body);
    m_scroll->setObjectName(QStringLiteral("settings.scroll"));
    m_scroll->setWidgetResizable(true);
    m_scroll->setFrameShape(QFrame::NoFrame);
    auto* inner = new QWidget(m_scroll);
    auto* line = new QHBoxLayout(inner);
    line->setContentsMargins(16, 12, 16, 12);
    auto* middle = new QWidget(inner);
    middle->setMaximumWidth(880);
    m_column = new QVBoxLayout(middle);
    m_column->setContentsMargins(0, 0, 0, 0);
    m_column->setSpacing(12);
    line->addWidget(middle, 100);
    line->addStretch(1);
    addLook();
    addTraining();
    addStorage();
    addKeys();
    addDiagnostics();
    addAbout();
    m_column->addStretch(1);
    m_scroll->setWidget(inner);
    row->addWidget(m_scroll, 1);

    connect(m_list, &QListWidget::currentRowChanged, this, [this](int index) {
        if (index < 0 || index >= static_cast<int>(m_sections.size())) return;
        m_scroll->verticalScrollBar()->setValue(m_sections[static_cast<std::size_t>(index)]->y());
    });
    m_list->setCurrentRow(0);
    m_timer.setInterval(1000);
    connect(&m_timer, &QTimer::timeout, this, [this] {
        if (isVisible()) refreshDiagnostics();
        else m_timer.stop();
    });
    connect(studio.hardware, &HardwareService::devicesKnown, this, &SettingsPage::refreshDiagnostics);
}

Card* SettingsPage::section(const QString& icon, const QString& title)
{
    auto* card = new Card(title, this);
    card->content()->setSpacing(0);
    card->setObjectName(QStringLiteral("settings.section%1").arg(m_sections.size()));
    m_column->addWidget(card);
    m_sections.push_back(card);
    auto* item = new QListWidgetItem(Theme::instance().icon(icon, Token::Text2), title, m_list);
    item->setSizeHint({0, 32});
    return card;
}

void SettingsPage::row(Card* card, const QString& title, const QString& help, QWidget* control)
{
    card->content()->addWidget(makeLine(Qt::Horizontal, card));
    auto* line = new QWidget(card);
    auto* layout = new QHBoxLayout(line);
    layout->setContentsMargins(0, 6, 0, 6);
    layout->setSpacing(16);
    auto* words = new QVBoxLayout;
    words->setSpacing(0);
    auto* name = makeLabel(title, FontRole::Body, Token::Text, line);
    words->addStretch(1);
    words->addWidget(name);
    if (!help.isEmpty()) {
        auto* small = makeLabel(help, FontRole::Caption, Token::Text2, line);
        small->setWordWrap(true);
        words->addWidget(small);
    }
    words->addStretch(1);
    layout->addLayout(words, 2);
    auto* right = new QHBoxLayout;
    right->addWidget(control);
    right->addStretch(1);
    layout->addLayout(right, 3);
    if (control->accessibleName().isEmpty()) control->setAccessibleName(title);
    name->setBuddy(control);
    card->content()->addWidget(line);
}

void SettingsPage::addLook()
{
    auto* card = section(QStringLiteral("eye"), tr("Look"));
    auto* theme = new SegmentedControl({tr("Like the desktop"), tr("Dark"), tr("Light")}, card);
    theme->setObjectName(QStringLiteral("settings.theme"));
    const ThemeChoice now = Theme::instance().choice();
    theme->setCurrent(now == ThemeChoice::Desktop ? 0 : now == ThemeChoice::Dark ? 1 : 2);
    connect(theme, &SegmentedControl::currentChanged, this, [this](int index) {
        const ThemeChoice choice = index == 0 ? ThemeChoice::Desktop : index == 1 ? ThemeChoice::Dark : ThemeChoice::Light;
        if (choice == Theme::instance().choice()) return; // it follows a change made elsewhere
        m_studio.settings->setValue(QStringLiteral("look/theme"), index == 0 ? QStringLiteral("desktop") : index == 1 ? QStringLiteral("dark") : QStringLiteral("light"));
        Theme::instance().apply(*qApp, choice);
    });
    connect(&Theme::instance(), &Theme::changed, theme, [theme] {
        const ThemeChoice chosen = Theme::instance().choice();
        theme->setCurrent(chosen == ThemeChoice::Desktop ? 0 : chosen == ThemeChoice::Dark ? 1 : 2);
    });
    row(card, tr("Theme"), {}, theme);
    auto* welcome = new QCheckBox(tr("Show the welcome page"), card);
    welcome->setObjectName(QStringLiteral("settings.welcome"));
    welcome->setChecked(m_studio.settings->value(QStringLiteral("start/welcome"), true).toBool());
    connect(welcome, &QCheckBox::toggled, this, [this](bool on) { m_studio.settings->setValue(QStringLiteral("start/welcome"), on); });
    row(card, tr("At the start"), tr("Otherwise the page that was open last"), welcome);
}

void SettingsPage::addTraining()
{
    Settings* settings = m_studio.settings;
    auto* card = section(QStringLiteral("live"), tr("Training"));
    auto* threads = new QComboBox(card);
    threads->setObjectName(QStringLiteral("settings.threads"));
    threads->setMinimumWidth(200);
    const int most = std::max({1, m_studio.hardware->facts().cpu.usable, QThread::idealThreadCount()});
    threads->addItem(tr("automatic"), 0);
    for (int i = 1; i <= most; ++i) threads->addItem(tr("%n of %1", nullptr, i).arg(most), i);
    threads->setCurrentIndex(std::max(0, threads->findData(settings->value(QStringLiteral("training/threads"), 0))));
    connect(threads, &QComboBox::currentIndexChanged, this, [settings, threads] { settings->setValue(QStringLiteral("training/threads"), threads->currentData()); });
    row(card, tr("Threads"), tr("For runs on the CPU that do not set them. Automatic takes all that this program may use."), threads);

    auto* minutes = new QSpinBox(card);
    minutes->setObjectName(QStringLiteral("settings.checkpointMinutes"));
    minutes->setRange(0, 1440);
    minutes->setSuffix(tr(" min"));
    minutes->setSpecialValueText(tr("never"));
    minutes->setMinimumWidth(120);
    minutes->setValue(settings->value(QStringLiteral("training/checkpointMinutes"), 5).toInt());
    connect(minutes, &QSpinBox::valueChanged, this, [settings](int value) { settings->setValue(QStringLiteral("training/checkpointMinutes"), value); });
    row(card, tr("Checkpoint every"), tr("For recipes that leave it as it comes. At the end of an epoch, on pause and on stop one is kept in any case."), minutes);

    auto* closed = new QComboBox(card);
    closed->setObjectName(QStringLiteral("settings.whenClosed"));
    closed->setMinimumWidth(200);
    closed->addItem(tr("Ask"), QStringLiteral("ask"));
    closed->addItem(tr("Keep training in the background"), QStringLiteral("background"));
    closed->addItem(tr("Save and stop"), QStringLiteral("stop"));
    closed->setCurrentIndex(std::max(0, closed->findData(settings->value(QStringLiteral("window/whenClosed"), QStringLiteral("ask")))));
    connect(closed, &QComboBox::currentIndexChanged, this, [settings, closed] { settings->setValue(QStringLiteral("window/whenClosed"), closed->currentData()); });
    row(card, tr("When the window is closed"), tr("while a run is training"), closed);

    auto* resume = new QCheckBox(tr("Offer to resume what was interrupted"), card);
    resume->setObjectName(QStringLiteral("settings.offerResume"));
    resume->setChecked(settings->value(QStringLiteral("start/offerResume"), true).toBool());
    connect(resume, &QCheckBox::toggled, this, [settings](bool on) { settings->setValue(QStringLiteral("start/offerResume"), on); });
    row(card, tr("After a restart"), {}, resume);
}

void SettingsPage::addKeys()
{
    auto* card = section(QStringLiteral("keyboard"), tr("Keys"));
    card->content()->addWidget(makeLine(Qt::Horizontal, card));
    card->content()->addSpacing(10);
    card->content()->addWidget(makeShortcutTable(card));
}

void SettingsPage::shown()
{
    refreshDiagnostics();
    refreshStorage();
    m_timer.start();
}

void SettingsPage::setCompact(bool narrow, bool)
{
    m_side->setFixedWidth(narrow ? 176 : 212);
}

} // namespace sconce::ui
