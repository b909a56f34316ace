// SPDX-License-Identifier: GPL-3.0-or-later
#include "ui/live/live_page.h"

#include "ui/live/histograms_dialog.h"
#include "ui/services/words.h"
#include "ui/services/pages.h"

#include <QHBoxLayout>
#include <QSpinBox>
#include <QStackedWidget>
#include <QVBoxLayout>

#include <algorithm>

namespace sconce::ui {

using words::text;

namespace {
constexpr int drawMs = 125;
constexpr int sideWidth = 348, narrowSide = 288;
} // namespace

Page* makeLivePage(Studio& studio, QWidget* parent) { return new LivePage(studio, parent); }

LivePage::LivePage(Studio& studio, QWidget* parent)
    : Page(parent)
    , m_studio(studio)
{
    setObjectName(QStringLiteral("live"));
    m_timer.setSingleShot(true);
    m_timer.setInterval(drawMs);
    connect(&m_timer, &QTimer::timeout, this, &LivePage::refresh);
    buildHeader();

    auto* outer = new QVBoxLayout(body());
    outer->setContentsMargins(16, 12, 16, 12);
    m_stack = new QStackedWidget(body());
    outer->addWidget(m_stack);

    m_empty = new EmptyState(QStringLiteral("live"), tr("No run is shown"),
                             tr("Compose a network and press Start training: its loss and accuracy appear here while it learns. Earlier runs are on Runs."), m_stack);
    m_empty->setObjectName(QStringLiteral("live.empty"));
    QPushButton* compose = m_empty->addAction(QStringLiteral("compose"), tr("Open Compose"), ButtonKind::Primary);
    compose->setObjectName(QStringLiteral("live.toCompose"));
    QPushButton* runs = m_empty->addAction(QStringLiteral("runs"), tr("Show runs"));
    runs->setObjectName(QStringLiteral("live.toRuns"));
    m_resumeInterrupted = m_empty->addAction(QStringLiteral("bolt"), {});
    m_resumeInterrupted->setObjectName(QStringLiteral("live.resumeInterrupted"));
    m_startHeld = m_empty->addAction(QStringLiteral("play"), tr("Start the queue"));
    m_startHeld->setObjectName(QStringLiteral("live.startHeld"));
    m_startHeld->setToolTip(tr("Runs left waiting from the last time"));
    connect(compose, &QPushButton::clicked, this, [this] { Q_EMIT m_studio.navigator->goTo(PageId::Compose); });
    connect(runs, &QPushButton::clicked, this, [this] { Q_EMIT m_studio.navigator->goTo(PageId::Runs); });
    connect(m_resumeInterrupted, &QPushButton::clicked, this, [this] {
        m_studio.runService->resume(m_resumeInterrupted->property("run").toString().toStdString());
    });
    connect(m_startHeld, &QPushButton::clicked, m_studio.runService, &RunService::startQueue);
    connect(m_studio.runService, &RunService::queueChanged, this, &LivePage::refreshSoon);
    m_stack->addWidget(m_empty);

    m_waiting = new QWidget(m_stack);
    auto* column = new QVBoxLayout(m_waiting);
    column->addStretch(1);
    m_waitingText = makeLabel({}, FontRole::Body, Token::Text2, m_waiting);
    m_waitingText->setObjectName(QStringLiteral("live.preparing"));
    m_waitingStrip = new ProgressStrip(8, m_waiting);
    m_waitingStrip->setFixedWidth(320);
    column->addWidget(m_waitingText, 0, Qt::AlignHCenter);
    column->addWidget(m_waitingStrip, 0, Qt::AlignHCenter);
    column->addStretch(1);
    m_stack->addWidget(m_waiting);
    m_stack->addWidget(buildContent());

    m_popup = new EpochsPopup(this);
    connect(m_popup, &EpochsPopup::chosen, this, [this](int epochs) {
        const LiveRun* live = m_studio.runService->shown();
        if (!live) return;
        if (m_studio.runService->shownAlive()) m_studio.runService->setEpochs(epochs);
        else m_studio.runService->resume(live->id, epochs);
    });
    connectServices();
    refresh();
}

void LivePage::buildHeader()
{
    m_pill = new StatusPill(this);
    m_pill->setObjectName(QStringLiteral("live.pill"));
    headerLeft()->addWidget(m_pill);
    m_progressBox = new QWidget(this);
    auto* line = new QHBoxLayout(m_progressBox);
    line->setContentsMargins(8, 0, 0, 0);
    line->setSpacing(8);
    line->addWidget(new TermLabel(QStringLiteral("epoch"), tr("epoch"), m_progressBox));
    m_epoch = makeLabel({}, FontRole::Mono, Token::Text, m_progressBox);
    m_epoch->setObjectName(QStringLiteral("live.epochText"));
    m_progress = new ProgressStrip(8, m_progressBox);
    m_progress->setObjectName(QStringLiteral("live.progress"));
    m_progress->setFixedWidth(200);
    m_percent = makeLabel({}, FontRole::Mono, Token::Text, m_progressBox);
    m_activity = new ElidedLabel({}, Qt::ElideRight, m_progressBox);
    m_activity->setFont(ui::font(FontRole::Caption));
    m_activity->setProperty("token", tokenName(Token::Text2));
    line->addWidget(m_epoch);
    line->addWidget(m_progress);
    line->addWidget(m_percent);
    line->addWidget(m_activity);
    headerLeft()->addWidget(m_progressBox);

    const auto add = [this](QPushButton*& button, const char* icon, const QString& words, const char* name, const QString& tip) {
        button = makeButton(QLatin1String(icon), words, ButtonKind::Normal, this);
        button->setObjectName(QLatin1String(name));
        button->setToolTip(tip);
        headerRight()->addWidget(button);
    };
    add(m_pause, "pause", tr("Pause"), "live.pause", tr("Saves a checkpoint and waits; the memory stays in use."));
    add(m_stop, "stop", tr("Stop"), "live.stop", tr("Ends the run after this step. The work is kept and the run can be resumed."));
    add(m_checkpoint, "checkpoint", tr("Checkpoint now"), "live.checkpoint", explainTerm(QStringLiteral("checkpoint")));
    add(m_epochs, "plus", tr("Add epochs…"), "live.addEpochs", tr("Changes how many epochs this run trains."));
    add(m_toCurrent, "live", tr("Back to the running one"), "live.toCurrent", tr("Shows the run that trains now"));
    add(m_inRuns, "runs", tr("Show in Runs"), "live.showInRuns", tr("Compare, tag or rename it there."));
    m_histograms = makeToolButton(QStringLiteral("histogram"), tr("Histograms: how weights, gradients and outputs are spread"), this);
    m_histograms->setObjectName(QStringLiteral("live.histograms"));
    headerRight()->addWidget(m_histograms);
    connect(m_histograms, &QToolButton::clicked, this, &LivePage::openHistograms);
    RunService* service = m_studio.runService;
    connect(m_pause, &QPushButton::clicked, this, [this, service] {
        const LiveRun* live = service->shown();
        if (live && live->status == RunStatus::Paused) service->unpause();
        else service->pause();
    });
    connect(m_stop, &QPushButton::clicked, service, &RunService::stop);
    connect(m_toCurrent, &QPushButton::clicked, this, [service] {
        if (const LiveRun* live = service->current()) service->show(live->id);
    });
    connect(m_checkpoint, &QPushButton::clicked, service, &RunService::checkpointNow);
    connect(m_epochs, &QPushButton::clicked, this, [this] { askEpochs(m_epochs); });
    connect(m_inRuns, &QPushButton::clicked, this, [this, service] {
        if (const LiveRun* live = service->shown()) {
            Q_EMIT m_studio.navigator->goTo(PageId::Runs);
            Q_EMIT m_studio.navigator->selectRun(text(live->id));
        }
    });
}

QWidget* LivePage::buildContent()
{
    auto* content = new QWidget(m_stack);
    auto* column = new QVBoxLayout(content);
    column->setContentsMargins(0, 0, 0, 0);
    column->setSpacing(12);
    m_outcome = new OutcomeCard(content);
    connect(m_outcome, &OutcomeCard::chosen, this, &LivePage::act);
    column->addWidget(m_outcome);
    m_notice = new QFrame(content);
    m_notice->setObjectName(QStringLiteral("live.notice"));
    setRole(m_notice, "warnSoft");
    auto* notice = new QHBoxLayout(m_notice);
    notice->setContentsMargins(12, 8, 12, 8);
    notice->addWidget(makeIconLabel(QStringLiteral("warning"), Token::Warn, 16, m_notice), 0, Qt::AlignTop);
    m_noticeText = makeLabel({}, FontRole::Body, Token::Text, m_notice);
    m_noticeText->setWordWrap(true);
    notice->addWidget(m_noticeText, 1);
    column->addWidget(m_notice);
    column->addWidget(buildTiles());
    auto* row = new QHBoxLayout;
    row->setSpacing(12);
    m_plots = new PlotsCard(m_studio, content);
    row->addWidget(m_plots, 1);
    row->addWidget(buildSide());
    column->addLayout(row, 1);
    return content;
}

QWidget* LivePage::buildTiles()
{
    m_tiles = new QWidget(this);
    auto* row = new QHBoxLayout(m_tiles);
    row->setContentsMargins(0, 0, 0, 0);
    row->setSpacing(12);
    const auto add = [&](Tile*& tile, const QString& caption, const char* term, const char* name) {
        tile = new Tile(caption, m_tiles);
        tile->setObjectName(QLatin1String(name));
        tile->setToolTip(explainTerm(QLatin1String(term)));
        row->addWidget(tile, 1);
    };
    add(m_trainLoss, tr("Training loss"), "loss", "live.tile.trainLoss");
    add(m_valLoss, tr("Validation loss"), "validation", "live.tile.valLoss");
    add(m_trainMetric, tr("Training accuracy"), "accuracy", "live.tile.trainAccuracy");
    add(m_valMetric, tr("Validation accuracy"), "validation", "live.tile.valAccuracy");
    add(m_rate, tr("Learning rate"), "learning rate", "live.tile.rate");
    add(m_speed, tr("Speed"), "batch", "live.tile.speed");
    add(m_left, tr("Time left"), "", "live.tile.left");
    m_left->setToolTip(tr("An estimate, from the pace of the last epoch."));
    m_trainLoss->setDot(Token::Train);
    m_trainMetric->setDot(Token::Train);
    m_valLoss->setDot(Token::Val);
    m_valMetric->setDot(Token::Val);
    return m_tiles;
}

QWidget* LivePage::buildSide()
{
    m_side = new QWidget(this);
    m_side->setFixedWidth(sideWidth);
    auto* column = new QVBoxLayout(m_side);
    column->setContentsMargins(0, 0, 0, 0);
    column->setSpacing(12);
    m_tabs = new SegmentedControl({tr("Log"), tr("Queue"), tr("Settings")}, m_side);
    m_tabs->setObjectName(QStringLiteral("live.tabs"));
    connect(m_tabs, &SegmentedControl::currentChanged, this, [this] { arrangeSide(); });
    m_reading = new ReadingCard(m_side);
    m_settings = new SettingsCard(m_studio, m_side);
    m_queue = new QueueCard(m_studio, m_side);
    m_log = new LogCard(m_side);
    m_log->setMinimumHeight(120);
    column->addWidget(m_tabs);
    column->addWidget(m_reading);
    column->addWidget(m_settings);
    column->addWidget(m_queue);
    column->addWidget(m_log, 1);
    column->addStretch(0);
    arrangeSide();
    return m_side;
}

/// In a low window the cards become tabs.
void LivePage::arrangeSide()
{
    const int tab = m_tabs->current();
    m_tabs->setVisible(m_low);
    m_settings->setVisible(!m_low || tab == 2);
    m_queue->setVisible(!m_low || tab == 1);
    m_log->setVisible(!m_low || tab == 0);
    auto* column = static_cast<QVBoxLayout*>(m_side->layout());
    column->setStretch(column->count() - 1, m_low && tab != 0 ? 1 : 0);
}

void LivePage::connectServices()
{
    RunService* service = m_studio.runService;
    connect(service, &RunService::shownChanged, this, [this] {
        m_other = true;
        refreshSoon();
    });
    connect(service, &RunService::updated, this, &LivePage::refreshSoon);
    connect(service, &RunService::statusChanged, this, &LivePage::refreshSoon);
    connect(m_studio.runs, &RunList::changed, this, &LivePage::refreshSoon);
    connect(&Theme::instance(), &Theme::changed, this, &LivePage::refreshSoon);
    connect(service, &RunService::preparingChanged, this, [this](const QString& what, double share) {
        m_preparing = what;
        m_preparingShare = share;
        refreshSoon();
    });
    connect(service, &RunService::startFailed, this, [this](const QString& sentence, const QString& remedy) {
        if (isVisible()) showToast(this, remedy.isEmpty() ? sentence : sentence + QLatin1Char(' ') + remedy);
        refreshSoon();
    });
    connect(service, &RunService::unqueued, this, [this](const Recipe& recipe, const QString& name) {
        if (!isVisible()) return;
        showToast(this, tr("%1 left the queue and was not trained.").arg(name), tr("Undo"), [this, recipe, name] { m_studio.runService->start(recipe, name); });
    });
    connect(m_studio.navigator, &Navigator::showRun, this, [service](const QString& run) { service->show(run.toStdString()); });
}

void LivePage::shown() { refresh(); }

void LivePage::setCompact(bool narrow, bool low)
{
    m_low = low;
    m_narrow = narrow;
    m_side->setFixedWidth(narrow ? narrowSide : sideWidth);
    for (Tile* tile : {m_trainLoss, m_valLoss, m_trainMetric, m_valMetric, m_rate, m_speed, m_left}) tile->setNoteVisible(!low);
    m_progress->setFixedWidth(narrow ? 80 : 200);
    m_percent->setVisible(!narrow);
    m_checkpoint->setText(narrow ? tr("Checkpoint") : tr("Checkpoint now"));
    m_epochs->setText(narrow ? tr("Epochs…") : tr("Add epochs…"));
    m_plots->setCompact(narrow, low);
    m_outcome->setLow(low);
    arrangeSide();
    refresh();
}

void LivePage::refreshSoon()
{
    // A hidden page does not redraw; shown() does when it comes to the front.
    if (isVisible() && !m_timer.isActive()) m_timer.start();
}

void LivePage::refresh()
{
    const LiveRun* live = m_studio.runService->shown();
    const bool preparing = m_studio.runService->preparing() && !(live && m_studio.runService->shownAlive());
    if (preparing || !live) {
        refreshEmpty();
        return;
    }
    m_stack->setCurrentIndex(2);
    refreshHeader(*live);
    refreshOutcome(*live);
    m_plots->refresh(m_studio.runService->shownRun(), m_other);
    refreshTiles(*live);
    m_reading->refresh(*live);
    m_settings->refresh(*live, m_outcome->isVisibleTo(this));
    m_log->refresh(*live, m_other);
    m_other = false;
}

std::int64_t LivePage::testCount(const LiveRun& live) const
{
    const DatasetInfo* data = m_studio.data->find(live.row.dataset);
    if (!data || data->fingerprint != live.row.fingerprint) return -1;
    return splitCounts(data->trainingCount, data->testCount, live.recipe.data.split, data->validationCount).test;
}

bool LivePage::inQueue(const RunId& run) const
{
    const auto queue = m_studio.runService->queue();
    return std::find(queue.begin(), queue.end(), run) != queue.end();
}

void LivePage::refreshOutcome(const LiveRun& live)
{
    const bool alive = m_studio.runService->shownAlive();
    const auto outcome = alive || live.loading ? std::nullopt : outcomeOf(live, m_studio.runs->rows(), testCount(live), inQueue(live.id));
    if (outcome) m_outcome->show(*outcome);
    m_outcome->setVisible(outcome.has_value());
    m_tiles->setVisible(!outcome);
    m_notice->setVisible(alive && !live.because.isEmpty());
    m_noticeText->setText(live.because);
}

void LivePage::askEpochs(QWidget* below)
{
    const LiveRun* live = m_studio.runService->shown();
    if (!live) return;
    const bool alive = m_studio.runService->shownAlive();
    const auto done = static_cast<int>(alive ? live->epochsDone.size() + 1 : static_cast<std::size_t>(std::max<std::int64_t>(live->epochs, live->row.summary.epochs) + 1));
    const int planned = static_cast<int>(live->epochs);
    m_popup->open(below, done, planned + std::max(1, planned / 3), alive ? tr("Set epochs") : tr("Train longer"),
                  alive ? tr("At least %1: an epoch that has begun is finished.").arg(done) : tr("%1 are done. The run goes on from there.").arg(done - 1));
}

void LivePage::openHistograms()
{
    if (auto* open = findChild<HistogramsDialog*>()) {
        open->raise();
        open->activateWindow();
        return;
    }
    (new HistogramsDialog(m_studio, this))->show();
}

void LivePage::act(OutcomeAction action, QWidget* button)
{
    const LiveRun* live = m_studio.runService->shown();
    if (!live) return;
    Navigator* navigator = m_studio.navigator;
    const QString title = words::runTitle(live->row);
    switch (action) {
    case OutcomeAction::TryIt:
        Q_EMIT navigator->goTo(PageId::TryIt);
        Q_EMIT navigator->tryRun(text(live->id));
        break;
    case OutcomeAction::SaveModel: saveModel(m_studio, this, live->id, text(live->row.name)); break;
    case OutcomeAction::TrainLonger: askEpochs(button); break;
    case OutcomeAction::Resume:
    case OutcomeAction::Start: m_studio.runService->resume(live->id); break;
    case OutcomeAction::OpenInCompose:
    case OutcomeAction::LowerRate:
    case OutcomeAction::SmallerBatch: {
        const Recipe recipe = action == OutcomeAction::LowerRate ? withLowerRate(live->recipe) : action == OutcomeAction::SmallerBatch ? withSmallerBatch(live->recipe) : live->recipe;
        Q_EMIT navigator->goTo(PageId::Compose);
        Q_EMIT navigator->composeRecipe(recipe, title);
        break;
    }
    case OutcomeAction::GoToData: Q_EMIT navigator->goTo(PageId::Data); break;
    }
}

// ---- EpochsPopup ----

EpochsPopup::EpochsPopup(QWidget* parent)
    : QFrame(parent, Qt::Popup)
{
    setObjectName(QStringLiteral("live.epochsPopup"));
    setRole(this, "toast");
    auto* column = new QVBoxLayout(this);
    column->setContentsMargins(12, 10, 12, 10);
    auto* line = new QHBoxLayout;
    line->addWidget(new TermLabel(QStringLiteral("epoch"), tr("Epochs in all"), this));
    m_spin = new QSpinBox(this);
    m_spin->setObjectName(QStringLiteral("live.epochsSpin"));
    m_spin->setAccessibleName(tr("Epochs in all"));
    m_spin->setFont(ui::font(FontRole::Mono));
    line->addWidget(m_spin);
    m_apply = makeButton({}, {}, ButtonKind::Primary, this);
    m_apply->setObjectName(QStringLiteral("live.epochsApply"));
    line->addWidget(m_apply);
    column->addLayout(line);
    m_note = makeLabel({}, FontRole::Caption, Token::Text2, this);
    column->addWidget(m_note);
    const auto take = [this] {
        m_spin->interpretText();
        close();
        Q_EMIT chosen(m_spin->value());
    };
    connect(m_apply, &QPushButton::clicked, this, take);
    m_apply->setDefault(true);
    words::sized(m_spin, "28");
    auto* enter = new QAction(this);
    enter->setShortcuts({QKeySequence(Qt::Key_Return), QKeySequence(Qt::Key_Enter)});
    enter->setShortcutContext(Qt::WidgetWithChildrenShortcut);
    addAction(enter);
    connect(enter, &QAction::triggered, this, take);
}

void EpochsPopup::open(QWidget* below, int least, int suggested, const QString& verb, const QString& note)
{
    m_spin->setRange(std::max(1, least), 100000);
    m_spin->setValue(suggested);
    m_note->setText(note);
    m_apply->setText(verb);
    adjustSize();
    const QPoint under = below->mapToGlobal(QPoint(0, below->height() + 4));
    const QRect frame(below->window()->mapToGlobal(QPoint(0, 0)), below->window()->size());
    move(std::clamp(under.x(), frame.left() + 8, std::max(frame.left() + 8, frame.right() - width() - 8)), std::min(under.y(), frame.bottom() - height() - 8));
    show();
    m_spin->setFocus();
    m_spin->selectAll();
}

} // namespace sconce::ui
