// SPDX-License-Identifier: GPL-3.0-or-later
#include "ui/live/histograms_dialog.h"

#include "core/base/text.h"
#include "core/training/histograms.h"
#include "ui/live/histogram_view.h"
#include "ui/services/words.h"
#include "ui/widgets/parts.h"

#include <QCheckBox>
#include <QHBoxLayout>
#include <QLabel>
#include <QListWidget>
#include <QPushButton>
#include <QVBoxLayout>

#include <algorithm>
#include <map>

namespace sconce::ui {

using words::text;
using Kind = TensorNumbers::Kind;

HistogramsDialog::HistogramsDialog(Studio& studio, QWidget* parent)
    : QDialog(parent)
    , m_studio(studio)
{
    setObjectName(QStringLiteral("histograms"));
    setAttribute(Qt::WA_DeleteOnClose);
    setWindowTitle(tr("Histograms"));
    resize(760, 560);
    auto* column = new QVBoxLayout(this);
    column->setContentsMargins(24, 20, 24, 20);
    column->setSpacing(12);
    column->addWidget(makeLabel(tr("Histograms"), FontRole::Title, Token::Text, this));
    m_words = makeLabel({}, FontRole::Body, Token::Text2, this);
    m_words->setObjectName(QStringLiteral("histograms.words"));
    m_words->setWordWrap(true);
    column->addWidget(m_words);
    auto* middle = new QHBoxLayout;
    middle->setSpacing(16);
    m_list = new QListWidget(this);
    m_list->setObjectName(QStringLiteral("histograms.layers"));
    m_list->setAccessibleName(tr("Layers"));
    m_list->setFixedWidth(200);
    m_list->setTextElideMode(Qt::ElideMiddle);
    middle->addWidget(m_list);
    auto* pictures = new QVBoxLayout;
    pictures->setSpacing(12);
    const std::pair<QString, QString> parts[] = {{tr("Weights"), QStringLiteral("weights")}, {tr("Gradients"), QStringLiteral("gradients")}, {tr("Output"), QStringLiteral("output")}};
    for (std::size_t i = 0; i < m_views.size(); ++i) {
        m_views[i] = new HistogramView(parts[i].first, this);
        m_views[i]->setObjectName(QStringLiteral("histograms.") + parts[i].second);
        pictures->addWidget(m_views[i], 1);
    }
    middle->addLayout(pictures, 1);
    column->addLayout(middle, 1);
    auto* buttons = new QHBoxLayout;
    m_refresh = makeButton(QStringLiteral("refresh"), tr("Refresh"), ButtonKind::Normal, this);
    m_refresh->setObjectName(QStringLiteral("histograms.refresh"));
    m_each = new QCheckBox(tr("After every epoch"), this);
    m_each->setObjectName(QStringLiteral("histograms.each"));
    m_each->setToolTip(tr("Looks again whenever an epoch is done; takes the time of about three steps."));
    auto* close = makeButton({}, tr("Close"), ButtonKind::Normal, this);
    close->setObjectName(QStringLiteral("histograms.close"));
    buttons->addWidget(m_refresh);
    buttons->addWidget(m_each);
    buttons->addStretch(1);
    buttons->addWidget(close);
    column->addLayout(buttons);
    connect(m_refresh, &QPushButton::clicked, this, &HistogramsDialog::ask);
    connect(close, &QPushButton::clicked, this, &QDialog::reject);
    connect(m_list, &QListWidget::currentRowChanged, this, &HistogramsDialog::showLine);
    RunService* service = m_studio.runService;
    for (auto signal : {&RunService::updated, &RunService::statusChanged, &RunService::shownChanged}) connect(service, signal, this, &HistogramsDialog::follow);
    showLine(-1);
    follow();
}

/// Of the trainer, where there is one; else of what the run has saved.
void HistogramsDialog::ask()
{
    const LiveRun* live = m_studio.runService->shown();
    if (!live) return;
    m_asked = true;
    if (m_reading) return;
    if (m_studio.runService->shownAlive()) {
        m_studio.runService->askHistograms();
        return;
    }
    using Taken = std::shared_ptr<Result<HistogramsTaken>>;
    m_reading = true;
    m_studio.jobs->run<Taken>(
        this, [folder = live->row.folder] { return std::make_shared<Result<HistogramsTaken>>(savedHistograms(folder, false)); },
        [this, run = m_run](const Taken& taken) {
            m_reading = false;
            if (run != m_run) return ask(); // another is shown by now
            m_asked = false;
            if (!*taken) return say(text(taken->error().text()));
            take(std::make_shared<const HistogramsTaken>(std::move(**taken)), true);
        });
}

/// Whatever happened to the run that is shown.
void HistogramsDialog::follow()
{
    const LiveRun* live = m_studio.runService->shown();
    const bool alive = m_studio.runService->shownAlive();
    if (!live) {
        m_refresh->setEnabled(false);
        return say(tr("No run is shown."));
    }
    m_refresh->setEnabled(true);
    m_each->setEnabled(alive);
    if (live->id != m_run) {
        m_run = live->id;
        m_taken.reset();
        m_lines.clear();
        m_list->clear();
        m_asked = false;
        m_epochs = live->epochsDone.size();
        showLine(-1);
        if (alive && live->histograms) take(live->histograms, false);
        else if (!alive && live->loading) m_run.clear(); // its folder is not known yet: at the next word
        else {
            say(alive ? tr("Waits for the step under way.") : tr("Reads the saved weights."));
            ask();
        }
        return;
    }
    if (alive && live->histograms && live->histograms != m_taken) take(live->histograms, false);
    else if (m_asked && alive && !live->histogramsRefused.isEmpty()) {
        m_asked = false;
        say(live->histogramsRefused);
    } else if (m_asked && !alive && !m_saved) ask(); // it ended before it could answer
    if (alive && live->epochsDone.size() > m_epochs && m_each->isChecked() && !m_asked) ask();
    m_epochs = live->epochsDone.size();
}

void HistogramsDialog::take(std::shared_ptr<const HistogramsTaken> taken, bool saved)
{
    m_taken = std::move(taken);
    m_saved = saved;
    m_asked = false;
    m_refresh->setEnabled(true);
    const QString before = m_list->currentItem() ? m_list->currentItem()->text() : QString();
    m_lines.clear();
    std::map<std::string, std::size_t> byName;
    std::map<LayerId, const TensorNumbers*> outputs;
    std::map<LayerId, int> own;
    for (const TensorNumbers& each : m_taken->tensors) {
        if (each.kind == Kind::Activation) {
            outputs[each.layer] = &each;
            continue;
        }
        const auto [at, fresh] = byName.try_emplace(each.name, m_lines.size());
        if (fresh) m_lines.push_back({text(each.name), {}});
        m_lines[at->second].numbers[each.kind == Kind::Weight ? 0 : 1] = &each;
        if (fresh) ++own[each.layer];
    }
    // As the network has them: a layer's parameters where its output stands, and layers without any between them.
    std::vector<Line> ordered;
    for (const TensorNumbers& each : m_taken->tensors) {
        if (each.kind != Kind::Activation) continue;
        if (own[each.layer] == 0) ordered.push_back({text(each.name), {nullptr, nullptr, &each}});
        for (Line& line : m_lines) {
            if (!line.numbers[0] || line.numbers[0]->layer != each.layer) continue;
            line.numbers[2] = &each;
            ordered.push_back(line);
        }
    }
    if (!ordered.empty()) m_lines = std::move(ordered);
    m_list->clear();
    int chosen = 0;
    for (std::size_t i = 0; i < m_lines.size(); ++i) {
        auto* item = new QListWidgetItem(m_lines[i].name, m_list);
        item->setSizeHint(QSize(0, 28));
        const bool wrong = std::any_of(m_lines[i].numbers.begin(), m_lines[i].numbers.end(), [](const TensorNumbers* numbers) { return numbers && numbers->numbers.nonFinite > 0; });
        if (wrong) {
            item->setIcon(Theme::instance().icon(QStringLiteral("error"), Token::Error));
            item->setToolTip(tr("Some of its numbers are NaN or infinite."));
        }
        if (m_lines[i].name == before) chosen = static_cast<int>(i);
    }
    const QString step = text(groupedInt(m_taken->step));
    say(saved ? tr("The weights as they were saved at step %1. Gradients and outputs are to be seen while a run trains.").arg(step)
              : tr("At step %1: the weights before it, the gradients and outputs of its batch.").arg(step));
    if (!m_lines.empty()) m_list->setCurrentRow(chosen);
    showLine(m_list->currentRow());
}

void HistogramsDialog::showLine(int index)
{
    const Line* line = index >= 0 && index < static_cast<int>(m_lines.size()) ? &m_lines[static_cast<std::size_t>(index)] : nullptr;
    const QString missing[] = {tr("This layer has no weights"), m_saved ? tr("To be seen while a run trains") : tr("No gradient is taken of it"), m_saved ? tr("To be seen while a run trains") : tr("Not known")};
    for (std::size_t i = 0; i < m_views.size(); ++i) {
        const TensorNumbers* numbers = line ? line->numbers[i] : nullptr;
        m_views[i]->setNumbers(numbers ? std::optional(numbers->numbers) : std::nullopt, line ? missing[i] : QString());
    }
}

void HistogramsDialog::say(const QString& words) { m_words->setText(words); }

} // namespace sconce::ui
