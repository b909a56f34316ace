// SPDX-License-Identifier: GPL-3.0-or-later
#include "ui/compose/batch_finder.h"

#include "core/base/text.h"
#include "ui/compose/trial_bars.h"
#include "ui/widgets/parts.h"

#include <QHBoxLayout>
#include <QLabel>
#include <QPushButton>
#include <QScrollArea>

#include <algorithm>
#include <cmath>

namespace sconce::ui {

namespace {
QString text(const std::string& value) { return QString::fromStdString(value); }
} // namespace

BatchFinder::BatchFinder(Studio& studio, Recipe recipe, QWidget* parent)
    : TrialDialog(studio, std::move(recipe), QStringLiteral("batchFinder"), tr("The largest batch that fits"),
                  tr("A fresh copy of this network makes single steps with larger and larger batches, until the memory is full. Nothing of it is kept."), parent)
{
    m_bars = new TrialBars;
    m_bars->setObjectName(QStringLiteral("batchFinder.bars"));
    m_bars->setOnGpu(m_recipe.device.starts_with("cuda"));
    auto* scroll = new QScrollArea(this);
    scroll->setFrameShape(QFrame::NoFrame);
    scroll->setWidgetResizable(true);
    scroll->setHorizontalScrollBarPolicy(Qt::ScrollBarAlwaysOff);
    scroll->setMinimumHeight(200);
    scroll->setWidget(m_bars);
    body()->addWidget(scroll, 1);
    m_how = makeLabel({}, FontRole::Caption, Token::Text2, this);
    m_how->setObjectName(QStringLiteral("batchFinder.how"));
    m_how->setWordWrap(true);
    body()->addWidget(m_how);
    m_use = makeButton({}, tr("Use this size"), ButtonKind::Primary, this);
    m_use->setObjectName(QStringLiteral("batchFinder.use"));
    actions()->addWidget(m_use);
    connect(m_use, &QPushButton::clicked, this, [this] {
        if (m_suggestion > 0) Q_EMIT chosen(m_suggestion);
        accept();
    });
    begin();
}

void BatchFinder::clear()
{
    m_trials.clear();
    m_memory = 0;
    m_suggestion = 0;
    m_how->setText({});
    m_how->hide();
    m_use->setEnabled(false);
    m_use->setText(tr("Use this size"));
    draw();
}

void BatchFinder::work(const TrialSource& source)
{
    setWords(tr("Trying…"));
    BatchTestOptions options;
    options.storeFolder = source.storeFolder;
    inBackground<Result<BatchTest>>(
        [this, source, options, tell = teller()] {
            return testBatches(source.recipe, source.data, options, [&](const BatchTrial& trial) { return tell([this, trial] { take(trial); }); });
        },
        [this](const Result<BatchTest>& test) { showResult(test); });
}

void BatchFinder::take(const BatchTrial& trial)
{
    m_trials.push_back(trial);
    draw();
}

void BatchFinder::showResult(const Result<BatchTest>& test)
{
    if (!test) return finish(text(test.error().text()));
    m_trials = test->trials;
    m_memory = test->memory;
    m_suggestion = test->suggestion;
    draw();
    m_how->setText(text(test->how));
    m_how->show();
    m_use->setText(tr("Use %1").arg(text(groupedInt(m_suggestion))));
    m_use->setEnabled(true);
    finish(text(test->text));
    m_use->setFocus();
}

void BatchFinder::draw()
{
    std::vector<TrialBars::Row> rows;
    double largest = static_cast<double>(m_memory);
    for (const BatchTrial& trial : m_trials) {
        const auto bytes = static_cast<double>(trial.bytes);
        const QString note = !trial.fits ? tr("does not fit") : trial.seconds < 1 ? tr("%1 ms").arg(std::lround(trial.seconds * 1000)) : text(durationText(trial.seconds));
        rows.push_back({text(groupedInt(trial.batch)), bytes, 0, trial.bytes > 0 ? text(bytesText(trial.bytes)) : tr("refused"), note, false, !trial.fits});
        if (m_memory == 0) largest = std::max(largest, bytes);
    }
    // Against the limit, unless all that was tried is so little that nothing would be seen.
    double most = 0;
    for (const auto& row : rows) most = std::max(most, row.first);
    m_bars->setWhole(most * 4 < largest ? most : largest);
    m_bars->setRows(std::move(rows), tr("Memory by batch size"));
}

} // namespace sconce::ui
