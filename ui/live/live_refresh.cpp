// SPDX-License-Identifier: GPL-3.0-or-later
// What LivePage writes into its header and tiles, and saving the model.
#include "ui/live/live_page.h"

#include "core/base/text.h"
#include "core/exchange/weights.h"
#include "core/training/checkpoint.h"
#include "ui/services/words.h"

#include <QCoreApplication>
#include <QDir>
#include <QFontMetrics>
#include <QLabel>
#include <QStackedWidget>

#include <algorithm>
#include <cmath>

namespace sconce::ui {

using words::text;

namespace {

QString count(std::int64_t n) { return text(groupedInt(n)); }

QString statusText(RunStatus status) { return QString::fromLatin1(statusName(status)); }

} // namespace

void LivePage::refreshEmpty()
{
    const bool preparing = m_studio.runService->preparing();
    m_stack->setCurrentIndex(preparing ? 1 : 0);
    setTitle(tr("Live"), preparing ? tr("A run is being prepared") : QString());
    m_waitingText->setText(m_preparing.isEmpty() ? tr("Preparing the run") : m_preparing);
    m_waitingStrip->setShare(m_preparingShare > 0 ? m_preparingShare : -1);
    for (QWidget* widget : {static_cast<QWidget*>(m_pill), m_progressBox, static_cast<QWidget*>(m_pause), static_cast<QWidget*>(m_stop),
                            static_cast<QWidget*>(m_histograms), static_cast<QWidget*>(m_checkpoint), static_cast<QWidget*>(m_epochs), static_cast<QWidget*>(m_inRuns), static_cast<QWidget*>(m_toCurrent)}) {
        widget->hide();
    }
    const RunRow* interrupted = nullptr;
    for (const RunRow& row : m_studio.runs->rows()) {
        if (row.status == RunStatus::Interrupted && row.resumable) {
            interrupted = &row;
            break;
        }
    }
    m_startHeld->setVisible(m_studio.runService->queueHeld());
    m_resumeInterrupted->setVisible(interrupted != nullptr);
    if (interrupted) {
        m_resumeInterrupted->setText(tr("Resume %1").arg(words::runTitle(*interrupted)));
        m_resumeInterrupted->setProperty("run", text(interrupted->id));
    }
    m_other = true;
}

void LivePage::refreshHeader(const LiveRun& live)
{
    const bool alive = m_studio.runService->shownAlive();
    const QString data = text(live.row.datasetTitle.empty() ? live.row.dataset : live.row.datasetTitle);
    QString where = tr("%1 on %2").arg(data, words::deviceName(live.row));
    if (alive) {
        if (live.row.started > 0) where += tr(", since %1").arg(words::clock(live.row.started));
    } else if (live.row.started > 0) {
        where += live.row.ended > 0 ? tr(", %1 to %2").arg(words::clock(live.row.started), words::clock(live.row.ended)) : tr(", begun %1").arg(words::clock(live.row.started));
        if (live.status != RunStatus::Finished && live.stepsPerEpoch > 0 && live.step < live.epochs * live.stepsPerEpoch) {
            where += tr(", in epoch %1 of %2").arg(count(live.step / live.stepsPerEpoch + 1), count(live.epochs));
        }
    }
    // A long name must not push the commands out of the window.
    const QString title = words::runTitle(live.row);
    const int room = m_narrow ? 230 : 420;
    setTitle(QFontMetrics(ui::font(FontRole::Title)).elidedText(title, Qt::ElideMiddle, room), QFontMetrics(ui::font(FontRole::Caption)).elidedText(where, Qt::ElideRight, room));
    m_title->setToolTip(title);
    m_subtitle->setToolTip(where);
    const bool starting = alive && live.status != RunStatus::Running && live.status != RunStatus::Paused;
    m_pill->setStatus(starting ? QStringLiteral("running") : statusText(live.status));
    m_pill->show();

    m_progressBox->setVisible(alive);
    if (alive) {
        const std::int64_t planned = live.epochs * live.stepsPerEpoch;
        const double share = planned > 0 ? std::clamp(static_cast<double>(live.step) / static_cast<double>(planned), 0.0, 1.0) : 0;
        const std::int64_t epoch = live.stepsPerEpoch > 0 ? std::min(live.epochs, live.step / live.stepsPerEpoch + 1) : 1;
        m_epoch->setText(tr("%1 of %2").arg(count(epoch), live.epochs > 0 ? count(live.epochs) : QStringLiteral("–")));
        m_progress->setShare(starting ? -1 : share);
        m_percent->setText(words::percent(std::floor(share * 100) / 100, 0));
        const QString activity = live.busyStopping ? tr("stopping after this step") : starting ? tr("starting") : live.activity;
        static_cast<ElidedLabel*>(m_activity)->setFullText(activity);
        m_activity->setVisible(!activity.isEmpty() && !m_narrow);
    }
    const bool paused = live.status == RunStatus::Paused;
    for (QPushButton* button : {m_pause, m_stop, m_checkpoint, m_epochs}) {
        button->setVisible(alive);
        button->setEnabled(!live.busyStopping && !starting);
    }
    m_pause->setText(paused ? tr("Go on") : tr("Pause"));
    if (m_pause->property("paused").toBool() != paused) {
        m_pause->setProperty("paused", paused);
        m_pause->setIcon(Theme::instance().icon(paused ? QStringLiteral("play") : QStringLiteral("pause"), Token::Text));
    }
    m_inRuns->setVisible(!alive);
    m_histograms->setVisible(!starting);
    m_histograms->setEnabled(alive || !live.checkpoints.empty());
    const LiveRun* current = m_studio.runService->current();
    m_toCurrent->setVisible(current && current->id != live.id);
}

void LivePage::refreshTiles(const LiveRun& live)
{
    const auto& loss = m_plots->smoothedLoss();
    const auto& trained = m_plots->smoothedMetric();
    const MetricEntry* metric = mainMetric(live.row.task);
    const double now = loss.empty() ? NAN : loss.back();
    m_trainLoss->setValue(words::loss(now));
    const auto perEpoch = static_cast<std::size_t>(std::max<std::int64_t>(1, live.stepsPerEpoch));
    if (loss.size() > perEpoch) {
        const double change = now - loss[loss.size() - 1 - perEpoch];
        m_trainLoss->setNote(tr("%1%2 in an epoch").arg(change >= 0 ? QStringLiteral("+") : QString(QChar(0x2212)), words::loss(std::abs(change))));
    } else {
        m_trainLoss->setNote(loss.empty() ? QString() : tr("first epoch"));
    }
    for (Tile* tile : {m_trainMetric, m_valMetric}) tile->setVisible(metric != nullptr);
    if (metric) {
        m_trainMetric->setCaption(words::metricTitle(tr("Training"), *metric));
        m_valMetric->setCaption(words::metricTitle(tr("Validation"), *metric));
        m_trainMetric->setToolTip(metric->id == "accuracy" ? explainTerm(QStringLiteral("accuracy")) : text(metric->help));
    }
    m_trainMetric->setValue(words::metric(metric, trained.empty() ? NAN : trained.back(), 1));
    m_trainMetric->setNote(trained.empty() ? QString() : tr("smoothed"));

    std::size_t best = live.valLoss.size();
    for (std::size_t i = 0; i < live.valLoss.size(); ++i) {
        if (std::isfinite(live.valLoss[i]) && (best == live.valLoss.size() || live.valLoss[i] < live.valLoss[best])) best = i;
    }
    const bool validated = !live.valLoss.empty();
    m_valLoss->setValue(validated ? words::loss(live.valLoss.back()) : QStringLiteral("–"));
    m_valLoss->setNote(best < live.valLoss.size() ? tr("best %1, epoch %2").arg(words::loss(live.valLoss[best])).arg(best + 1) : tr("after the first epoch"));
    m_valMetric->setValue(validated ? words::metric(metric, live.valMetric.back()) : QStringLiteral("–"));
    m_valMetric->setNote(validated ? tr("epoch %1").arg(live.valLoss.size()) : tr("after the first epoch"));

    const double rate = live.learningRate.empty() ? live.recipe.training.learningRate : live.learningRate.back();
    m_rate->setValue(text(realText(rate, 3)));
    const OptionEntry* schedule = findOption(scheduleEntries(), live.recipe.training.schedule.type);
    m_rate->setNote(words::inSentence(text(schedule ? schedule->title : live.recipe.training.schedule.type)));
    m_speed->setValue(words::rate(live.samplesPerSecond));
    const double msPerStep = live.samplesPerSecond > 0 ? 1000.0 * static_cast<double>(live.batchSize) / live.samplesPerSecond : 0;
    m_speed->setNote(msPerStep > 0 ? tr("samples, %1 ms a step").arg(msPerStep, 0, 'f', msPerStep < 10 ? 2 : 1) : tr("samples a second"));
    m_left->setValue(live.secondsLeft ? text(durationText(*live.secondsLeft)) : QStringLiteral("–"));
    QString ends;
    if (live.secondsLeft && !live.seconds.empty()) {
        ends = tr("of %1, ends %2").arg(text(durationText(*live.secondsLeft + live.seconds.back())),
                                        live.status == RunStatus::Paused ? QStringLiteral("–") : QDateTime::currentDateTime().addMSecs(static_cast<qint64>(*live.secondsLeft * 1000)).toString(QStringLiteral("HH:mm")));
    }
    m_left->setNote(ends);
}

void saveModel(Studio& studio, QWidget* context, const RunId& run, const QString& name)
{
    QString file = name.isEmpty() ? QStringLiteral("model") : name;
    for (QChar& c : file) {
        if (!c.isLetterOrNumber() && c != QLatin1Char('-') && c != QLatin1Char('_') && c != QLatin1Char('.')) c = QLatin1Char('-');
    }
    QString out = chooseSaveFile(context, QCoreApplication::translate("Live", "Save model"), QDir::homePath() + QLatin1Char('/') + file + QStringLiteral(".safetensors"),
                                 QCoreApplication::translate("Live", "Safetensors (*.safetensors)"));
    if (out.isEmpty()) return;
    if (!out.endsWith(QLatin1String(".safetensors"))) out += QStringLiteral(".safetensors");
    studio.jobs->run<QString>(
        context,
        [store = studio.store, run, out]() -> QString {
            const auto save = [&]() -> Result<void> {
                auto row = store->run(run);
                if (!row.ok()) return row.error();
                auto recipe = store->recipe(run);
                if (!recipe.ok()) return recipe.error();
                auto checkpoint = newestValidCheckpoint(row->folder);
                if (!checkpoint.ok()) return checkpoint.error();
                auto weights = openWeights(*checkpoint);
                if (!weights.ok()) return weights.error();
                DatasetInfo info;
                if (auto entry = store->dataset(row->dataset); entry.ok() && *entry) info = (*entry)->first;
                info.id = row->dataset;
                if (info.title.empty()) info.title = row->datasetTitle;
                return exportWeights(out.toStdString(), weights->tensors(), *recipe, info);
            };
            const auto saved = save();
            return saved.ok() ? QString() : text(saved.error().text());
        },
        [context = QPointer<QWidget>(context), out](QString sentence) {
            if (!context) return;
            if (sentence.isEmpty()) showToast(context, QCoreApplication::translate("Live", "Saved as %1.").arg(QDir::toNativeSeparators(out)));
            else ask(context, {QCoreApplication::translate("Live", "The model was not saved"), sentence, {QCoreApplication::translate("Live", "Close")}, 0, 0, false});
        });
}

} // namespace sconce::ui
