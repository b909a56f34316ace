// SPDX-License-Identifier: GPL-3.0-or-later
// Choosing what training starts from: the weights of a run or of a file, which the store copies.
#include "core/training/start_weights.h"
#include "ui/compose/compose_page.h"
#include "ui/services/words.h"
#include "ui/widgets/parts.h"

#include <QAction>
#include <QMenu>

namespace sconce::ui {

namespace {
constexpr int mostRuns = 15; ///< in the menu, the newest
}

void ComposePage::chooseWeightsFile()
{
    const QString path = chooseOpenFile(this, tr("Start from the weights in a file"), tr("Weights (*.safetensors)"));
    if (!path.isEmpty()) takeWeights(path.toStdString());
}

void ComposePage::chooseWeightsRun(const QPoint& at)
{
    auto* menu = new QMenu(this);
    menu->setObjectName(QStringLiteral("compose.training.start.menu"));
    menu->setAttribute(Qt::WA_DeleteOnClose);
    int count = 0;
    for (const RunRow& row : m_studio.runs->rows()) {
        if (row.summary.checkpoint.empty() || count == mostRuns) continue;
        ++count;
        QAction* action = menu->addAction(tr("%1, %2 steps").arg(words::runTitle(row)).arg(row.summary.steps));
        connect(action, &QAction::triggered, this, [this, id = row.id] { takeWeights(id); });
    }
    if (count == 0) menu->addAction(tr("No run has weights yet"))->setEnabled(false);
    menu->popup(at);
}

void ComposePage::takeWeights(const std::string& runOrFile)
{
    using Taken = std::shared_ptr<Result<StartWeights>>;
    m_studio.jobs->run<Taken>(
        this, [store = m_studio.store, runOrFile] { return std::make_shared<Result<StartWeights>>(takeStartWeights(*store, runOrFile)); },
        [this](const Taken& taken) {
            if (!*taken) {
                ask(this, {tr("These weights cannot be used"), words::text(taken->error().text()), {tr("Close")}, 0, 0, false});
                return;
            }
            StartWeights start = **taken;
            m_document->change(tr("Start from weights"), [&](Recipe& r) {
                start.onlyWhatFits = startWeightsOf(r.training).onlyWhatFits;
                setStartWeights(r.training, start);
            }, QStringLiteral("option/start"));
        });
}

} // namespace sconce::ui
