// SPDX-License-Identifier: GPL-3.0-or-later
#include "ui/shell/status_bar.h"

#include "core/base/text.h"
#include "ui/widgets/parts.h"

#include <QHBoxLayout>

#include <algorithm>

namespace sconce::ui {

namespace {

QString percent(std::optional<double> share)
{
    return share ? QStringLiteral("%1 %").arg(qRound(*share * 100)) : QStringLiteral("–");
}

/// "41 of 126 GiB": both in the unit of the larger.
QString bytesOf(std::uint64_t used, std::uint64_t total)
{
    static const char* const units[] = {"B", "KiB", "MiB", "GiB", "TiB"};
    int unit = 0;
    double scale = 1;
    while (unit < 4 && static_cast<double>(total) >= scale * 1024) {
        scale *= 1024;
        ++unit;
    }
    const auto number = [&](std::uint64_t bytes) {
        const double value = static_cast<double>(bytes) / scale;
        return QString::number(value, 'f', value < 30 ? 1 : 0);
    };
    return QStringLiteral("%1 of %2 %3").arg(number(used), number(total), QLatin1String(units[unit]));
}

} // namespace

QString runLine(const LiveRun& run)
{
    QStringList parts;
    QString name = QString::fromStdString(run.row.name);
    if (run.row.number > 0) name += QStringLiteral(" #%1").arg(run.row.number);
    parts << name;
    if (run.stepsPerEpoch > 0 && run.epochs > 0) {
        const std::int64_t epoch = std::min(run.epochs, run.step / run.stepsPerEpoch + 1);
        parts << StatusBar::tr("epoch %1 of %2").arg(QString::fromStdString(groupedInt(epoch)), QString::fromStdString(groupedInt(run.epochs)));
    }
    if (run.busyStopping) parts << StatusBar::tr("stopping");
    else if (run.status == RunStatus::Paused) parts << StatusBar::tr("paused");
    else if (!run.activity.isEmpty()) parts << run.activity;
    else if (run.secondsLeft) parts << StatusBar::tr("%1 left").arg(QString::fromStdString(durationText(*run.secondsLeft)));
    return parts.join(QStringLiteral(", "));
}

StatusBar::StatusBar(QWidget* parent) : QFrame(parent)
{
    setObjectName(QStringLiteral("statusBar"));
    setRole(this, "status");
    auto* row = new QHBoxLayout(this);
    row->setContentsMargins(16, 0, 16, 0);
    row->setSpacing(8);
    m_dot = makeDot(Token::Info, this);
    m_dot->hide();
    row->addWidget(m_dot);
    m_text = new ElidedLabel(tr("Nothing is training"), Qt::ElideRight, this);
    m_text->setObjectName(QStringLiteral("statusText"));
    m_text->setProperty("token", tokenName(Token::Text2));
    m_text->setFont(ui::font(FontRole::Caption));
    row->addWidget(m_text, 1);
    m_right = new QHBoxLayout;
    m_right->setSpacing(16);
    row->addLayout(m_right);
    setLow(false);
}

void StatusBar::setLow(bool low)
{
    setFixedHeight(low ? 24 : 28);
}

QString StatusBar::runText() const
{
    return m_text->fullText();
}

void StatusBar::attach(const Studio& studio)
{
    m_studio = studio;
    connect(studio.runService, &RunService::updated, this, &StatusBar::showRun);
    connect(studio.runService, &RunService::statusChanged, this, &StatusBar::showRun);
    connect(studio.runService, &RunService::preparingChanged, this, [this](const QString& what, double share) {
        m_preparing = what.isEmpty() ? QString() : share > 0 ? tr("%1, %2 %").arg(what).arg(qRound(share * 100)) : what;
        showRun();
    });
    connect(studio.hardware, &HardwareService::sampled, this, &StatusBar::showMachine);
    showRun();
    showMachine();
}

void StatusBar::showRun()
{
    const LiveRun* run = m_studio.runService->current();
    m_dot->setVisible(run != nullptr || !m_preparing.isEmpty());
    m_text->setFullText(run ? runLine(*run) : !m_preparing.isEmpty() ? m_preparing : tr("Nothing is training"));
}

void StatusBar::setNumber(std::size_t index, const QString& caption, const QString& value)
{
    if (index == m_numbers.size()) {
        auto* pair = new QHBoxLayout;
        pair->setSpacing(6);
        Number number{makeLabel({}, FontRole::Caption, Token::Text2, this), makeLabel({}, FontRole::MonoSmall, Token::Text, this)};
        number.value->setObjectName(QStringLiteral("status.number%1").arg(index));
        pair->addWidget(number.caption);
        pair->addWidget(number.value);
        m_right->addLayout(pair);
        m_numbers.push_back(number);
    }
    if (m_numbers[index].caption->text() != caption) m_numbers[index].caption->setText(caption);
    if (m_numbers[index].value->text() != value) m_numbers[index].value->setText(value);
}

void StatusBar::showMachine()
{
    const MachineReading& now = m_studio.hardware->reading();
    std::size_t at = 0;
    // More GPUs than this would push the rest out; the Hardware page has them all.
    for (std::size_t i = 0; i < std::min<std::size_t>(now.gpus.size(), 4); ++i) setNumber(at++, tr("GPU %1").arg(i), percent(now.gpus[i].use));
    if (now.memoryTotal == 0) return; // nothing was read yet
    setNumber(at++, tr("CPU"), percent(now.cpu));
    setNumber(at++, tr("Memory"), bytesOf(now.memoryUsed, now.memoryTotal));
    if (now.diskFree) setNumber(at++, tr("Disk"), tr("%1 free").arg(QString::fromStdString(bytesText(*now.diskFree))));
}

} // namespace sconce::ui
