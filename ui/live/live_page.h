// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
// The running run: header with progress and commands, tiles, curves, queue and log; and, when it has ended, how it ended and
// what to do next. It shows RunService::shown() and steers it; it owns no state of a run. Redraws about eight times a
// second while numbers come and the page is in front, else not at all.

#include "ui/live/outcome.h"
#include "ui/live/plots_card.h"
#include "ui/live/side_cards.h"
#include "ui/widgets/page.h"

class QSpinBox;
class QStackedWidget;

namespace sconce::ui {

class EpochsPopup;

class LivePage : public Page
{
    Q_OBJECT
  public:
    LivePage(Studio& studio, QWidget* parent = nullptr);
    void shown() override;
    void setCompact(bool narrow, bool low) override;

  private:
    void buildHeader();
    QWidget* buildContent();
    QWidget* buildTiles();
    QWidget* buildSide();
    void connectServices();
    void refreshSoon();
    void refresh();
    void refreshHeader(const LiveRun& live);
    void refreshTiles(const LiveRun& live);
    void refreshOutcome(const LiveRun& live);
    void refreshEmpty();
    void arrangeSide();
    void act(OutcomeAction action, QWidget* button);
    void askEpochs(QWidget* below);
    void openHistograms();
    std::int64_t testCount(const LiveRun& live) const;
    bool inQueue(const RunId& run) const;

    Studio& m_studio;
    QTimer m_timer;
    bool m_other = true; ///< another run is shown than was drawn last
    bool m_low = false, m_narrow = false;
    QString m_preparing;
    double m_preparingShare = 0;

    StatusPill* m_pill = nullptr;
    QWidget* m_progressBox = nullptr;
    QLabel *m_epoch = nullptr, *m_percent = nullptr, *m_activity = nullptr;
    ProgressStrip* m_progress = nullptr;
    QToolButton* m_histograms = nullptr;
    QPushButton *m_pause = nullptr, *m_stop = nullptr, *m_checkpoint = nullptr, *m_epochs = nullptr, *m_inRuns = nullptr, *m_toCurrent = nullptr;

    QStackedWidget* m_stack = nullptr;
    EmptyState* m_empty = nullptr;
    QPushButton* m_resumeInterrupted = nullptr;
    QPushButton* m_startHeld = nullptr; ///< the queue card is not to be seen where no run is
    QWidget* m_waiting = nullptr;
    QLabel* m_waitingText = nullptr;
    ProgressStrip* m_waitingStrip = nullptr;

    OutcomeCard* m_outcome = nullptr;
    QFrame* m_notice = nullptr;
    QLabel* m_noticeText = nullptr;
    QWidget* m_tiles = nullptr;
    Tile *m_trainLoss = nullptr, *m_valLoss = nullptr, *m_trainMetric = nullptr, *m_valMetric = nullptr;
    Tile *m_rate = nullptr, *m_speed = nullptr, *m_left = nullptr;
    PlotsCard* m_plots = nullptr;
    QWidget* m_side = nullptr;
    SegmentedControl* m_tabs = nullptr;
    ReadingCard* m_reading = nullptr;
    SettingsCard* m_settings = nullptr;
    QueueCard* m_queue = nullptr;
    LogCard* m_log = nullptr;
    EpochsPopup* m_popup = nullptr;
};

/// Asks for a number of epochs, below a button; Enter or the button takes it, Escape or a click elsewhere does not.
class EpochsPopup : public QFrame
{
    Q_OBJECT
  public:
    explicit EpochsPopup(QWidget* parent);
    void open(QWidget* below, int least, int suggested, const QString& verb, const QString& note);

  Q_SIGNALS:
    void chosen(int epochs);

  private:
    QSpinBox* m_spin = nullptr;
    QPushButton* m_apply = nullptr;
    QLabel* m_note = nullptr;
};

/// Asks where, and writes the weights of a run's newest checkpoint (those that were tested) as safetensors.
void saveModel(Studio& studio, QWidget* context, const RunId& run, const QString& name);

} // namespace sconce::ui
