// SPDX-License-Identifier: GPL-3.0-or-later
#include "ui/compose/estimate_bar.h"

#include "core/base/text.h"
#include "ui/compose/problem_panel.h"
#include "ui/services/words.h"
#include "ui/widgets/parts.h"

#include <QHBoxLayout>
#include <QVBoxLayout>

#include <algorithm>

namespace sconce::ui {

namespace {

QString text(const std::string& value) { return QString::fromStdString(value); }
const QString unknown = QStringLiteral("–");

QLabel* valueLabel(QWidget* parent)
{
    QLabel* label = makeLabel(unknown, FontRole::Mono, Token::Text, parent);
    QFont strong = font(FontRole::Mono);
    strong.setWeight(QFont::DemiBold);
    label->setFont(strong);
    return label;
}

} // namespace

EstimateBar::Figure EstimateBar::addFigure(const QString& name, const QString& caption, QHBoxLayout* row)
{
    Figure figure;
    figure.box = new QWidget(this);
    auto* column = new QVBoxLayout(figure.box);
    column->setContentsMargins(0, 0, 0, 0);
    column->setSpacing(0);
    column->addStretch(1);
    figure.caption = explainTerm(caption).isEmpty() ? makeLabel(caption, FontRole::Caption, Token::Text3, figure.box)
                                                    : new TermLabel(caption, caption, figure.box);
    column->addWidget(figure.caption);
    auto* line = new QHBoxLayout;
    line->setSpacing(6);
    figure.value = valueLabel(figure.box);
    figure.value->setObjectName(QStringLiteral("compose.estimate.") + name);
    figure.note = makeLabel({}, FontRole::Caption, Token::Text2, figure.box);
    figure.note->setObjectName(QStringLiteral("compose.estimate.%1.note").arg(name));
    line->addWidget(figure.value);
    line->addWidget(figure.note);
    line->addStretch(1);
    column->addLayout(line);
    column->addStretch(1);
    row->addWidget(figure.box);
    return figure;
}

EstimateBar::EstimateBar(RecipeDocument& document, QWidget* parent) : QFrame(parent), m_document(document)
{
    setObjectName(QStringLiteral("compose.estimate"));
    setRole(this, "panelBottom");
    setAccessibleName(tr("What this recipe will cost"));
    auto* row = new QHBoxLayout(this);
    row->setContentsMargins(24, 1, 24, 0);
    row->setSpacing(36);
    m_parameters = addFigure(QStringLiteral("parameters"), tr("Parameters"), row);
    m_memory = addFigure(QStringLiteral("memory"), tr("Memory, estimate"), row);
    m_compute = addFigure(QStringLiteral("compute"), tr("Compute, estimate"), row);
    m_time = addFigure(QStringLiteral("time"), tr("Time, estimate"), row);
    row->addStretch(1);
    m_samples = new QWidget(this);
    auto* samples = new QVBoxLayout(m_samples);
    samples->setContentsMargins(0, 0, 0, 0);
    samples->setSpacing(0);
    samples->addStretch(1);
    samples->addWidget(makeLabel(tr("Samples"), FontRole::Caption, Token::Text3, m_samples));
    auto* counts = new QHBoxLayout;
    counts->setSpacing(6);
    const auto count = [&](const QString& name, const QString& words, bool last) {
        Figure figure;
        figure.value = valueLabel(m_samples);
        figure.value->setObjectName(QStringLiteral("compose.estimate.") + name);
        figure.note = makeLabel(words, FontRole::Caption, Token::Text2, m_samples);
        figure.note->setToolTip(explainTerm(name));
        counts->addWidget(figure.value);
        counts->addWidget(figure.note);
        if (!last) counts->addSpacing(10);
        return figure;
    };
    m_training = count(QStringLiteral("training"), tr("training"), false);
    m_validation = count(QStringLiteral("validation"), tr("validation"), false);
    m_test = count(QStringLiteral("test"), tr("test"), true);
    samples->addLayout(counts);
    samples->addStretch(1);
    row->addWidget(m_samples);
    m_problems = makeButton(QStringLiteral("ok"), {}, ButtonKind::Flat, this);
    m_problems->setObjectName(QStringLiteral("compose.estimate.problems"));
    row->addWidget(m_problems);
    connect(m_problems, &QPushButton::clicked, this, &EstimateBar::problemsClicked);
    connect(&document, &RecipeDocument::changed, this, [this] { update(); });
    setCompact(false, false);
    update();
}

void EstimateBar::set(Figure& figure, const QString& value, const QString& note)
{
    figure.value->setText(value);
    figure.note->setText(note);
    figure.note->setVisible(!note.isEmpty());
    figure.value->setAccessibleName(figure.caption->text() + QLatin1Char(' ') + value + QLatin1Char(' ') + note);
}

void EstimateBar::setTiming(std::optional<double> samplesPerSecond)
{
    m_timing = samplesPerSecond;
    update();
}

void EstimateBar::setDeviceMemory(std::uint64_t bytes, const QString& device)
{
    m_deviceMemory = bytes;
    m_device = device;
    update();
}

void EstimateBar::setCompact(bool narrow, bool low)
{
    m_narrow = narrow;
    m_low = low;
    setFixedHeight(low ? 44 : 56);
    layout()->setContentsMargins(narrow ? 16 : 24, 1, narrow ? 16 : 24, 0);
    layout()->setSpacing(narrow ? 24 : 36);
    m_samples->setVisible(!narrow);
    m_problems->setVisible(low);
    update();
}

void EstimateBar::update()
{
    const auto& estimate = m_document.estimate();
    const StackReport& report = m_document.report();
    if (estimate) {
        set(m_parameters, text(shortCount(estimate->parameters)), text(bytesText(estimate->parameterBytes)));
        QString of;
        if (m_deviceMemory && !m_narrow) of = m_device.isEmpty() ? tr("of %1").arg(words::memory(m_deviceMemory))
                                                                 : tr("of %1 on %2").arg(words::memory(m_deviceMemory), m_device);
        set(m_memory, text(bytesText(estimate->memoryBytes)), of);
        m_memory.value->setToolTip(tr("While training, estimate: %1.").arg(text(memoryText(estimate->memory))));
        set(m_compute, text(flopText(estimate->flopPerStep)), tr("a step"));
    } else {
        set(m_parameters, report.layers.empty() ? unknown : text(shortCount(report.parameters)),
            report.layers.empty() ? QString() : tr("up to the first problem"));
        set(m_memory, unknown, {});
        m_memory.value->setToolTip({});
        set(m_compute, unknown, {});
    }
    if (!estimate) {
        set(m_time, unknown, tr("known when shapes are"));
    } else if (!m_timing || *m_timing <= 0) {
        set(m_time, unknown, tr("known after the first steps"));
    } else {
        const double epoch = double(estimate->samples.training) / *m_timing;
        const double all = epoch * m_document.recipe().training.epochs;
        set(m_time, text(durationText(epoch)), m_narrow ? tr("an epoch") : tr("an epoch, about %1 in all").arg(text(durationText(all))));
    }
    const auto& facts = m_document.facts();
    SplitCounts counts;
    if (facts) counts = splitCounts(facts->trainingCount, facts->testCount, m_document.recipe().data.split, facts->validationCount);
    m_training.value->setText(facts ? text(groupedInt(counts.training)) : unknown);
    m_validation.value->setText(facts ? text(groupedInt(counts.validation)) : unknown);
    m_test.value->setText(facts ? text(groupedInt(counts.test)) : unknown);

    const bool blocked = !m_document.startable();
    m_problems->setText(ProblemPanel::summary(m_document.problems()));
    m_problems->setIcon(Theme::instance().icon(blocked ? QStringLiteral("error") : QStringLiteral("ok"), blocked ? Token::Error : Token::Ok));
}

} // namespace sconce::ui
