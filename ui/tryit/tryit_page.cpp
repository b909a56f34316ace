// SPDX-License-Identifier: GPL-3.0-or-later
#include "ui/tryit/tryit_page.h"

#include "core/base/random.h"
#include "core/base/text.h"
#include "ui/services/data_choices.h"
#include "ui/services/pages.h"
#include "ui/services/words.h"
#include "ui/tryit/answers_view.h"
#include "ui/tryit/draw_canvas.h"
#include "ui/tryit/views.h"
#include "ui/tryit/write_view.h"
#include "ui/widgets/parts.h"

#include <QComboBox>
#include <QDir>
#include <QHBoxLayout>
#include <QSlider>
#include <QStackedWidget>
#include <QTableWidget>

#include <cmath>

namespace sconce::ui {

namespace {

enum Fact { TestAccuracy, TestLoss, Parameters, Weights, File, TrainedOn, AllSamples };

QString utf(const std::string& text) { return QString::fromStdString(text); }

Picture pictureOf(const QImage& image)
{
    const QImage rgb = image.convertToFormat(image.isGrayscale() ? QImage::Format_Grayscale8 : QImage::Format_RGB888);
    Picture picture{rgb.width(), rgb.height(), rgb.format() == QImage::Format_Grayscale8 ? 1 : 3, {}};
    for (int y = 0; y < rgb.height(); ++y) picture.pixels.insert(picture.pixels.end(), rgb.constScanLine(y), rgb.constScanLine(y) + rgb.width() * picture.channels);
    return picture;
}

bool canBeTried(const RunRow& row) { return row.summary.steps > 0 && row.status != RunStatus::Queued; }

} // namespace

Page* makeTryItPage(Studio& studio, QWidget* parent) { return new TryItPage(studio, parent); }

TryItPage::TryItPage(Studio& studio, QWidget* parent) : Page(parent), m_studio(studio), m_worker(new ModelWorker(this))
{
    setObjectName(QStringLiteral("page.tryit"));
    buildHeader();
    auto* outer = new QHBoxLayout(body());
    outer->setContentsMargins(16, 12, 16, 12);
    m_stack = new QStackedWidget(this);
    outer->addWidget(m_stack);

    auto* empty = new EmptyState(QStringLiteral("tryit"), tr("No trained model yet"),
                                 tr("Train a network first. As soon as a run has its first checkpoint you can draw for it here and see where it goes wrong."), m_stack);
    auto* go = empty->addAction(QStringLiteral("compose"), tr("Compose a network"), ButtonKind::Primary);
    connect(go, &QPushButton::clicked, this, [this] { Q_EMIT m_studio.navigator->goTo(PageId::Compose); });
    m_stack->addWidget(empty);

    auto* content = new QWidget(m_stack);
    auto* row = new QHBoxLayout(content);
    row->setContentsMargins(0, 0, 0, 0);
    row->setSpacing(12);
    auto* left = new QVBoxLayout;
    m_problem = makeLabel({}, FontRole::Body, Token::Error, content);
    m_problem->setObjectName(QStringLiteral("tryit.problem"));
    m_problem->setWordWrap(true);
    m_problem->setMaximumWidth(314);
    m_problem->hide();
    left->addWidget(m_problem);
    m_dataNote = makeLabel({}, FontRole::Caption, Token::Warn, content);
    m_dataNote->setObjectName(QStringLiteral("tryit.dataNote"));
    m_dataNote->setWordWrap(true);
    m_dataNote->setMaximumWidth(314);
    m_dataNote->hide();
    left->addWidget(m_dataNote);
    left->addWidget(buildDraw(), 1);
    row->addLayout(left);
    row->addWidget(buildMiddle(), 1);
    row->addWidget(buildRight());
    m_stack->addWidget(content);
    m_answers = new AnswersView(m_stack);
    m_stack->addWidget(m_answers);
    m_write = new WriteView(*m_studio.settings, m_stack);
    m_stack->addWidget(m_write);

    connectWorker();
    connect(m_run, &QComboBox::currentIndexChanged, this, &TryItPage::loadChosen);
    connect(m_weights, &QComboBox::currentIndexChanged, this, [this] { m_loading.clear(); loadChosen(); });
    connect(m_device, &QComboBox::currentIndexChanged, this, [this] { m_loading.clear(); loadChosen(); });
    connect(m_canvas, &DrawCanvas::changed, this, &TryItPage::answerCanvas);
    connect(m_canvas, &DrawCanvas::pictureDropped, this, &TryItPage::openPicture);
    connect(m_studio.runs, &RunList::changed, this, [this] { if (isVisible()) fillRuns(); });
    connect(m_studio.navigator, &Navigator::tryRun, this, [this](const QString& run) {
        m_wanted = run.toStdString();
        Q_EMIT m_studio.navigator->goTo(PageId::TryIt);
        fillRuns();
    });
    connect(m_studio.hardware, &HardwareService::devicesKnown, this, [this] {
        const QSignalBlocker blocker(m_device);
        for (const auto& device : m_studio.hardware->devices())
            if (device.usable && device.id != "cpu" && m_device->findData(utf(device.id)) < 0) m_device->addItem(utf(device.id + ", " + device.name), utf(device.id));
    });
    fillRuns();
}

void TryItPage::connectWorker()
{
    connect(m_worker, &ModelWorker::loaded, this, &TryItPage::modelLoaded);
    connect(m_worker, &ModelWorker::answered, this, &TryItPage::showAnswer);
    connect(m_worker, &ModelWorker::evaluated, this, &TryItPage::showReport);
    connect(m_worker, &ModelWorker::failed, this, &TryItPage::clearModel);
    connect(m_worker, &ModelWorker::evaluating, this, [this](std::int64_t done) {
        if (!m_model || m_report) return;
        const auto& info = m_model->info;
        const auto counts = splitCounts(info.trainingCount, info.testCount, m_model->recipe.data.split, info.validationCount);
        const auto total = std::max<std::int64_t>(1, counts.test > 0 ? counts.test : counts.validation);
        m_answers->setProgress(done, total);
        m_write->setProgress(done, total);
        m_progressText->setText(tr("Asking the model about every sample: %1 of %2").arg(utf(groupedInt(done)), utf(groupedInt(total))));
        m_progress->setShare(static_cast<double>(done) / static_cast<double>(total));
    });
    connect(m_worker, &ModelWorker::wrote, m_write, &WriteView::add);
    connect(m_worker, &ModelWorker::writingEnded, m_write, &WriteView::end);
    connect(m_write, &WriteView::asked, m_worker, [this](const QString& prompt, const GenerateSettings& settings, int writing) { m_worker->writeOn(prompt.toStdString(), settings, writing); });
    connect(m_write, &WriteView::stopAsked, m_worker, &ModelWorker::stopWriting);
    connect(m_worker, &ModelWorker::saved, this, [this](const QString& path, const QString& error) {
        showToast(this, error.isEmpty() ? tr("Saved as %1").arg(QDir::toNativeSeparators(path)) : error);
    });
}

void TryItPage::shown() { fillRuns(); }

void TryItPage::fillRuns()
{
    const QString keep = !m_wanted.empty() ? utf(m_wanted) : m_run->currentData().toString();
    const QSignalBlocker blocker(m_run);
    QVariantList ids;
    QStringList names;
    for (const auto& row : m_studio.runs->rows()) {
        if (!canBeTried(row)) continue;
        QString name = QStringLiteral("%1 #%2").arg(utf(row.name)).arg(row.number);
        const MetricEntry* metric = mainMetric(row.task);
        const double value = metric ? row.summary.metric("test", metric->id) : NAN;
        if (std::isfinite(value)) name += QStringLiteral(", ") + (metric->id == "accuracy" ? QString() : utf(metric->brief) + QLatin1Char(' ')) + words::metric(metric, value);
        ids << utf(row.id);
        names << name;
    }
    bool same = ids.size() == m_run->count();
    for (int i = 0; same && i < ids.size(); ++i) same = m_run->itemData(i) == ids[i] && m_run->itemText(i) == names[i];
    if (!same) {
        m_run->clear();
        for (int i = 0; i < ids.size(); ++i) m_run->addItem(names[i], ids[i]);
    }
    showPlace();
    m_save->setEnabled(m_model && !ids.isEmpty()); // not while it is being opened
    if (ids.isEmpty()) return;
    const int at = std::max(0, m_run->findData(keep));
    m_run->setCurrentIndex(at);
    m_wanted.clear();
    if (isVisible() || m_model) loadChosen();
}

void TryItPage::loadChosen()
{
    const RunId id = m_run->currentData().toString().toStdString();
    const RunRow* row = m_studio.runs->find(id);
    if (!row) return;
    // A run that was trained longer has other weights; one that is being trained keeps those that were loaded.
    const std::string key = id + (row->status == RunStatus::Running || row->status == RunStatus::Paused ? "" : " " + std::to_string(row->summary.steps));
    if (key == m_loading) return;
    m_loading = key;
    m_model.reset();
    m_report.reset();
    m_save->setEnabled(false);
    m_confusion->clear();
    m_scores->setProbabilities({});
    m_matrixCard->setTitle(tr("Confusion matrix"));
    m_strip->setItems(nullptr, {}, {});
    m_mistakeCount->setFullText({});
    forgetAnswer();
    m_problem->hide();
    m_dataNote->hide();
    m_progressText->setText(tr("Opening the model…"));
    m_progressText->show();
    m_progress->setShare(-1);
    m_progress->show();
    m_worker->load({m_studio.store, *row, m_weights->currentData().toBool(), m_device->currentData().toString().toStdString()});
}

void TryItPage::clearModel(const QString& message)
{
    m_problem->setText(message);
    m_problem->setVisible(!message.isEmpty());
    m_progress->hide();
    m_progressText->hide();
    if (!m_model) forgetAnswer();
    if (!m_model) showPlace();
}

void TryItPage::forgetAnswer()
{
    ++m_subject;
    m_bars->setProbabilities({});
    m_said->setText(QStringLiteral("–"));
    m_sure->setText(tr("Draw something"));
    m_next->setText(tr("the answer follows the pen"));
    m_took->clear();
    m_seen->clear();
}

void TryItPage::showPlace()
{
    m_stack->setCurrentIndex(m_run->count() == 0 ? 0 : m_model && AnswersView::fits(*m_model) ? 2 : m_model && WriteView::fits(*m_model) ? 3 : 1);
}

bool TryItPage::takesPictures() const { return m_model && !AnswersView::fits(*m_model) && !WriteView::fits(*m_model); }

void TryItPage::modelLoaded(const LoadedModel& model)
{
    m_model = model;
    m_save->setEnabled(true);
    showPlace();
    if (AnswersView::fits(model)) {
        m_answers->setModel(model);
        m_worker->evaluate();
        return;
    }
    if (WriteView::fits(model)) {
        m_write->setModel(model);
        return m_worker->evaluate();
    }
    const auto& info = model.info;
    arrangeFor(model);
    m_bars->setClasses(outputNames());
    showClasses(nullptr);
    const auto set = [this](Fact fact, const QString& text) { static_cast<ElidedLabel*>(m_facts[fact])->setFullText(text); };
    const MetricEntry* metric = mainMetric(model.run.task);
    set(TestAccuracy, metric ? words::metric(metric, model.run.summary.metric("test", metric->id)) : QStringLiteral("–"));
    set(TestLoss, words::loss(model.run.summary.testLoss)); // the same digits as on Live
    set(Parameters, utf(shortCount(model.run.parameters)));
    set(Weights, tr("%1, epoch %2").arg(model.best ? tr("best") : tr("last")).arg(model.epoch));
    set(File, utf(bytesText(model.weightBytes)));
    set(TrainedOn, utf(info.title));
    set(AllSamples, QStringLiteral("–"));
    m_dataNote->setText(model.dataNote);
    m_dataNote->setVisible(!model.dataNote.isEmpty());
    for (QWidget* one : m_needData) one->setEnabled(model.data != nullptr);
    if (model.data) m_worker->evaluate();
    else clearModel({});
    if (m_canvas->isEmpty())
        anySample();
    else
        answerCanvas();
}

void TryItPage::answerCanvas()
{
    if (!takesPictures()) return;
    if (m_canvas->isEmpty()) return forgetAnswer();
    if (!m_canvas->picture().isNull()) return answerPicture(pictureOf(m_canvas->picture()));
    const auto& sample = m_model->info.sample;
    Picture drawing = pictureOf(m_canvas->image());
    if (sample.rank() == 3) drawing = centredDrawing(drawing, static_cast<int>(sample.dims[2].size), static_cast<int>(sample.dims[1].size));
    answerPicture(drawing);
}

void TryItPage::answerPicture(const Picture& picture)
{
    const auto& sample = m_model->info.sample;
    auto record = recordFrom(picture, sample);
    m_seen->setPixmap(QPixmap::fromImage(recordImage(record, sample).scaled(56, 56, Qt::KeepAspectRatio, Qt::FastTransformation)));
    m_problem->hide();
    m_worker->answer(std::move(record), m_subject);
}

void TryItPage::openPicture(const QString& path)
{
    if (path.isEmpty() || !takesPictures()) return;
    const auto& sample = m_model->info.sample;
    // Colours mixed while it is read, as the importer does.
    auto picture = readPicture(path.toStdString(), sample.rank() == 3 && sample.dims[0].size == 3 ? 3 : 1);
    if (!picture) { // the model and what it was shown stay
        m_problem->setText(utf(picture.error().text()));
        return m_problem->show();
    }
    QImage image(picture->pixels.data(), picture->width, picture->height, picture->width * picture->channels, picture->channels == 1 ? QImage::Format_Grayscale8 : QImage::Format_RGB888);
    m_canvas->setPicture(image.copy());
    ++m_subject;
    answerPicture(*picture);
}

void TryItPage::showSample(Part part, std::int64_t row)
{
    if (!m_model) return;
    const QImage image = sampleImage(*m_model->data, part, row);
    m_canvas->setPicture(image);
    ++m_subject;
    answerPicture(pictureOf(image));
}

void TryItPage::anySample()
{
    if (!m_model) return;
    if (!m_model->data) return forgetAnswer();
    auto rows = rowsOf(m_model->recipe, m_model->info, "test");
    if (!rows || rows->second.empty()) rows = rowsOf(m_model->recipe, m_model->info, "validation");
    if (!rows || rows->second.empty()) return;
    const Philox random(static_cast<std::uint64_t>(m_model->step), Purpose::Test);
    showSample(rows->first, rows->second[random.below(m_sample++, rows->second.size())]);
}

void TryItPage::showAnswer(const Answer& answer)
{
    if (!m_model || answer.subject != m_subject || answer.probabilities.empty() || m_canvas->isEmpty()) return;
    if (hasLabels()) return answerLabels(answer);
    auto classes = m_model->info.classes; // the network may have more outputs than the data has classes
    if (classes.size() > answer.probabilities.size()) return;
    while (classes.size() < answer.probabilities.size()) classes.push_back(tr("output %1").arg(classes.size()).toStdString());
    std::vector<std::size_t> order(classes.size());
    for (std::size_t i = 0; i < order.size(); ++i) order[i] = i;
    std::sort(order.begin(), order.end(), [&](auto a, auto b) { return answer.probabilities[a] > answer.probabilities[b]; });
    const QString name = utf(classes[order[0]]);
    m_said->setText(name.size() <= 2 ? name : name.left(1).toUpper());
    const QString sure = utf(percentText(answer.probabilities[order[0]], 1));
    m_sure->setText(tr("%1 sure it is %2").arg(sure, name));
    m_next->setText(order.size() > 1 ? tr("next guess: %1, %2").arg(utf(classes[order[1]]), utf(percentText(answer.probabilities[order[1]], 1))) : QString());
    m_took->setText(tr("answered in %1").arg(answer.seconds < 1 ? QStringLiteral("%1 ms").arg(answer.seconds * 1000, 0, 'f', answer.seconds < 0.01 ? 1 : 0) : utf(durationText(answer.seconds))));
    if (classes.size() != m_model->info.classes.size()) m_bars->setClasses(classes);
    m_bars->setProbabilities(answer.probabilities);
}

void TryItPage::showReport(const EvaluationReport& report)
{
    m_report = report;
    if (m_model && AnswersView::fits(*m_model)) return m_answers->setReport(*m_model, report);
    if (m_model && WriteView::fits(*m_model)) return m_write->setReport(report);
    m_progress->hide();
    m_progressText->hide();
    if (hasLabels()) return showLabelReport(report);
    m_matrixCard->setTitle(tr("Confusion matrix"), tr("%1 %2 samples, %3 right").arg(utf(groupedInt(report.count)), utf(report.part), utf(percentText(report.accuracy))));
    m_confusion->setReport(report);
    static_cast<ElidedLabel*>(m_facts[AllSamples])->setFullText(utf(durationText(report.seconds)));
    showClasses(&report);
    showMistakes();
}

/// A row per class and their mean; dashes as long as there is no report, so that nothing jumps when it comes.
void TryItPage::showClasses(const EvaluationReport* report)
{
    const auto& names = outputNames();
    const auto percent = [](double share) { return QString::number(share * 100, 'f', 1); };
    const QString unknown = QStringLiteral("–");
    ClassMetrics mean;
    m_perClass->setRowCount(static_cast<int>(names.size()) + 1);
    for (int i = 0; i < m_perClass->rowCount(); ++i) {
        const bool last = i + 1 == m_perClass->rowCount();
        ClassMetrics c;
        if (report && !last) {
            c = report->perClass[static_cast<std::size_t>(i)];
            const auto n = static_cast<double>(names.size());
            mean = {mean.count + c.count, mean.precision + c.precision / n, mean.recall + c.recall / n, mean.f1 + c.f1 / n};
        }
        if (last) c = mean;
        QStringList cells{last ? tr("Mean") : utf(names[static_cast<std::size_t>(i)])};
        if (report) cells << utf(groupedInt(c.count)) << percent(c.precision) << percent(c.recall) << percent(c.f1);
        else cells << unknown << unknown << unknown << unknown;
        for (int column = 0; column < cells.size(); ++column) {
            auto* item = new QTableWidgetItem(cells[column]);
            item->setFont(ui::font(column == 0 ? (last ? FontRole::Caption : FontRole::Body) : FontRole::MonoSmall));
            item->setTextAlignment(column == 0 ? Qt::AlignLeft | Qt::AlignVCenter : Qt::AlignRight | Qt::AlignVCenter);
            m_perClass->setItem(i, column, item);
        }
    }
    sizeTable();
}

void TryItPage::showMistakes()
{
    const int tab = m_tabs->current();
    m_lower->setCurrentIndex(std::max(0, tab - 2));
    if (tab > 2) m_mistakeCount->setFullText({});
    if (!m_report || tab > 2 || !takesPictures()) return;
    if (hasLabels()) return showLabelMistakes();
    const auto& r = *m_report;
    std::vector<SampleStrip::Item> items;
    const auto labels = m_model->data->labels(r.storedIn);
    if (tab == 0) {
        for (const auto& m : r.mistakes) items.push_back({r.storedIn, m.row, m.truth, m.said, m.confidence});
    } else {
        for (std::size_t i = 0; i < r.rows.size(); ++i) {
            const int truth = labels[static_cast<std::size_t>(r.rows[i])], said = r.said[i];
            if (tab == 1 && (truth != m_confusion->selectedTruth() || said != m_confusion->selectedSaid())) continue;
            items.push_back({r.storedIn, r.rows[i], truth, said, r.confidence[i]});
        }
        const bool leastFirst = tab == 2;
        std::stable_sort(items.begin(), items.end(), [leastFirst](const auto& a, const auto& b) { return leastFirst ? a.confidence < b.confidence : a.confidence > b.confidence; });
    }
    const int truth = m_confusion->selectedTruth(), said = m_confusion->selectedSaid();
    if (items.size() > 400) items.resize(400); // the first ones are what the tab is about
    if (tab == 1 && truth >= 0)
        m_mistakeCount->setFullText(tr("%1 are %2 and were said to be %3").arg(utf(groupedInt(m_confusion->count(truth, said))), utf(r.classes[static_cast<std::size_t>(truth)]), utf(r.classes[static_cast<std::size_t>(said)])));
    else m_mistakeCount->setFullText(tr("%1 mistakes in %2").arg(utf(groupedInt(static_cast<std::int64_t>(r.mistakes.size()))), utf(groupedInt(r.count))));
    m_strip->setItems(m_model->data, std::move(items),
                      tab == 1 ? (truth < 0 ? tr("Click a cell of the matrix to see its samples.") : tr("No sample is in this cell.")) : tr("Not one mistake on these samples."));
}

void TryItPage::showCell(int, int)
{
    m_tabs->setCurrent(1);
    showMistakes();
}

void TryItPage::saveModel()
{
    if (!m_model) return;
    const QString path = chooseSaveFile(this, tr("Save the model"), utf(m_model->run.name) + QStringLiteral(".safetensors"), tr("Safetensors (*.safetensors)"));
    if (!path.isEmpty()) m_worker->save(path.toStdString());
}

} // namespace sconce::ui
