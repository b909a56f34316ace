// SPDX-License-Identifier: GPL-3.0-or-later
// Settings: diagnostics with the stall meter, and what Sconce is made of.
#include "ui/settings/settings_page.h"

#include "core/base/text.h"
#include "ui/widgets/parts.h"

#include <QClipboard>
#include <QGridLayout>
#include <QGuiApplication>
#include <QVBoxLayout>

namespace sconce::ui {

namespace {

struct Part { const char *name, *licence, *what; };
const Part parts[] = {
    {"LibTorch (PyTorch)", "BSD 3-clause", "computes"},
    {"Qt, Qt Svg", "LGPL 3", "the window"},
    {"Qt Charts", "GPL 3", "curves"},
    {"SQLite", "public domain", "the history"},
    {"nlohmann/json, spdlog, fmt", "MIT", "JSON, log"},
    {"CLI11", "BSD 3-clause", "the command line"},
    {"libjpeg-turbo, libpng, zlib", "IJG and BSD, libpng, zlib", "pictures, archives"},
    {"Inter, JetBrains Mono", "SIL Open Font License 1.1", "letters"},
};

QString ms(double value)
{
    return QStringLiteral("%1 ms").arg(value, 0, 'f', value < 10 ? 1 : 0);
}

} // namespace

void SettingsPage::addDiagnostics()
{
    auto* card = section(QStringLiteral("wand"), tr("Diagnostics"));
    card->content()->addWidget(makeLine(Qt::Horizontal, card));
    card->content()->addSpacing(10);
    auto* line = new QHBoxLayout;
    line->setSpacing(8);
    line->addWidget(new TermLabel(QStringLiteral("stall"), tr("Longest stall of this window"), card));
    m_stalls = makeLabel(QStringLiteral("–"), FontRole::Mono, Token::Text, card);
    m_stalls->setObjectName(QStringLiteral("settings.worstStall"));
    line->addWidget(m_stalls);
    line->addStretch(1);
    auto* reset = makeButton(QStringLiteral("refresh"), tr("Measure anew"), ButtonKind::Normal, card);
    reset->setObjectName(QStringLiteral("settings.resetStalls"));
    setControlHeight(reset, 28);
    connect(reset, &QPushButton::clicked, this, [this] {
        m_studio.stalls->reset();
        refreshDiagnostics();
    });
    line->addWidget(reset);
    card->content()->addLayout(line);
    m_stallDetail = makeLabel({}, FontRole::Caption, Token::Text2, card);
    m_stallDetail->setObjectName(QStringLiteral("settings.stallDetail"));
    m_stallDetail->setWordWrap(true);
    card->content()->addWidget(m_stallDetail);
    card->content()->addSpacing(10);
    card->content()->addWidget(makeLine(Qt::Horizontal, card));
    card->content()->addSpacing(10);
    auto* second = new QHBoxLayout;
    second->setSpacing(8);
    m_checked = makeLabel(tr("The database and the run folders can be checked against each other."), FontRole::Body, Token::Text2, card);
    m_checked->setObjectName(QStringLiteral("settings.checked"));
    m_checked->setWordWrap(true);
    second->addWidget(m_checked, 1);
    auto* check = makeButton(QStringLiteral("check"), tr("Check the runs"), ButtonKind::Normal, card);
    check->setObjectName(QStringLiteral("settings.check"));
    setControlHeight(check, 28);
    connect(check, &QPushButton::clicked, this, &SettingsPage::checkStore);
    second->addWidget(check);
    auto* copy = makeButton(QStringLiteral("copy"), tr("Copy a report"), ButtonKind::Normal, card);
    copy->setObjectName(QStringLiteral("settings.copyReport"));
    setControlHeight(copy, 28);
    connect(copy, &QPushButton::clicked, this, [this] {
        QGuiApplication::clipboard()->setText(diagnosticsText());
        showToast(this, tr("The report is on the clipboard. It names this computer, but none of your data."));
    });
    second->addWidget(copy);
    card->content()->addLayout(second);
}

void SettingsPage::checkStore()
{
    m_checked->setText(tr("Checking."));
    m_studio.jobs->run<Result<Store::DoctorReport>>(
        this, [store = m_studio.store] { return store->doctor(false); },
        [this](Result<Store::DoctorReport> report) {
            if (!report.ok()) {
                m_checked->setText(QString::fromStdString(report.error().text()));
                return;
            }
            if (report->ok && report->found.empty()) {
                m_checked->setText(tr("All is well: the database is sound, and every run has its folder."));
                return;
            }
            QStringList lines;
            for (const std::string& one : report->found) lines << QString::fromStdString(one);
            lines << tr("The command “sconce doctor” mends what can be mended.");
            m_checked->setText(lines.join(QLatin1Char('\n')));
        },
        QStringLiteral("settings-doctor"));
}

void SettingsPage::refreshDiagnostics()
{
    const StallMeter::Report report = m_studio.stalls->report();
    m_stalls->setText(ms(report.worstMs));
    m_stallDetail->setText(tr("in %1, %2 measurements; 99.9 % answered within %3; %4 above 50 ms")
                               .arg(QString::fromStdString(durationText(report.seconds)), QString::fromStdString(groupedInt(report.pings)), ms(report.p999Ms),
                                    QString::fromStdString(groupedInt(report.over50ms))));
    const EngineVersions& versions = m_studio.hardware->versions();
    QStringList engine;
    if (!versions.torch.empty()) engine << tr("LibTorch %1").arg(QString::fromStdString(versions.torch));
    if (!versions.cuda.empty()) engine << tr("CUDA %1").arg(QString::fromStdString(versions.cuda));
    if (!versions.cudnn.empty()) engine << tr("cuDNN %1").arg(QString::fromStdString(versions.cudnn));
    if (!versions.cpuCapability.empty()) engine << QString::fromStdString(versions.cpuCapability);
    m_engine->setText(engine.isEmpty() ? tr("being loaded") : engine.join(QStringLiteral(", ")));
}

QString SettingsPage::diagnosticsText() const
{
    const StallMeter::Report report = m_studio.stalls->report();
    const MachineFacts& facts = m_studio.hardware->facts();
    QStringList lines;
    lines << QStringLiteral("Sconce " SCONCE_VERSION ", Qt %1").arg(QLatin1String(qVersion()));
    lines << m_engine->text();
    lines << QStringLiteral("%1, %2").arg(QString::fromStdString(facts.system), QString::fromStdString(facts.kernel));
    lines << QStringLiteral("%1, %2 of %3 cores, %4").arg(QString::fromStdString(facts.cpu.model)).arg(facts.cpu.usable).arg(facts.cpu.cores).arg(QString::fromStdString(bytesText(facts.cpu.memoryBytes)));
    for (const GpuFacts& gpu : facts.gpus) lines << QStringLiteral("GPU %1: %2, %3, driver %4").arg(gpu.index).arg(QString::fromStdString(gpu.name), QString::fromStdString(bytesText(gpu.memoryBytes)), QString::fromStdString(facts.gpuDriver));
    if (facts.gpus.empty()) lines << QString::fromStdString(facts.gpuState);
    lines << QStringLiteral("runs: %1").arg(m_studio.runs->rows().size());
    lines << QStringLiteral("stalls: worst %1, 99.9 % %2, 99 % %3, above 50 ms %4 of %5 in %6 s").arg(ms(report.worstMs), ms(report.p999Ms), ms(report.p99Ms)).arg(report.over50ms).arg(report.pings).arg(report.seconds, 0, 'f', 0);
    return lines.join(QLatin1Char('\n')) + QLatin1Char('\n');
}

void SettingsPage::addAbout()
{
    auto* card = section(QStringLiteral("info"), tr("About"));
    auto* grid = new QGridLayout;
    grid->setHorizontalSpacing(24);
    grid->setVerticalSpacing(4);
    grid->setColumnStretch(2, 1);
    int line = 0;
    const auto add = [&](const QString& a, const QString& b, const QString& c) {
        grid->addWidget(makeLabel(a, FontRole::Body, Token::Text, card), line, 0);
        grid->addWidget(makeLabel(b, FontRole::Body, Token::Text2, card), line, 1);
        grid->addWidget(makeLabel(c, FontRole::Caption, Token::Text2, card), line++, 2);
    };
    card->content()->addWidget(makeLine(Qt::Horizontal, card));
    card->content()->addSpacing(10);
    add(tr("Sconce %1").arg(QStringLiteral(SCONCE_VERSION)), QStringLiteral("GPL 3 or later"), tr("free software: use it, study it, share it, improve it"));
    for (const Part& part : parts) add(QLatin1String(part.name), QLatin1String(part.licence), QLatin1String(part.what));
    add(tr("Qt, as it runs here"), QLatin1String(qVersion()), {});
    grid->addWidget(makeLabel(tr("Engine"), FontRole::Body, Token::Text, card), line, 0);
    m_engine = makeLabel(tr("being loaded"), FontRole::Body, Token::Text2, card);
    m_engine->setObjectName(QStringLiteral("settings.engine"));
    grid->addWidget(m_engine, line, 1, 1, 2);
    card->content()->addLayout(grid);
    card->content()->addSpacing(6);
    auto* note = makeLabel(tr("NVIDIA's libraries are not part of Sconce: where there is a GPU they come with PyTorch's own packages, under NVIDIA's licence."), FontRole::Caption, Token::Text2, card);
    note->setWordWrap(true);
    card->content()->addWidget(note);
}

} // namespace sconce::ui
