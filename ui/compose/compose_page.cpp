// SPDX-License-Identifier: GPL-3.0-or-later
#include "ui/compose/compose_page.h"

#include "core/training/run_host.h"
#include "ui/compose/compose_header.h"
#include "ui/compose/estimate_bar.h"
#include "ui/compose/layer_inspector.h"
#include "ui/compose/palette.h"
#include "ui/compose/problem_panel.h"
#include "ui/compose/batch_finder.h"
#include "ui/compose/profile_dialog.h"
#include "ui/compose/rate_finder.h"
#include "ui/compose/recipe_files.h"
#include "ui/compose/stack_view.h"
#include "ui/compose/training_panel.h"
#include "ui/services/data_choices.h"
#include "ui/services/pages.h"
#include "ui/widgets/parts.h"

#include <QApplication>
#include <QDragEnterEvent>
#include <QFileInfo>
#include <QHBoxLayout>
#include <QMimeData>
#include <QPointer>
#include <QShortcut>
#include <QStackedWidget>
#include <QTabBar>
#include <QUrl>
#include <QVBoxLayout>

namespace sconce::ui {

namespace {

constexpr int draftDelayMs = 150;
constexpr int timingDelayMs = 200;
constexpr int paletteNeeds = 1180 - 52; ///< width of the page (window less rail) below which the palette opens on demand

QString text(const std::string& value) { return QString::fromStdString(value); }

/// The recipe file among dragged things; empty if there is none.
QString recipeFileIn(const QMimeData* mime)
{
    for (const QUrl& url : mime->urls())
        if (url.isLocalFile() && RecipeFiles::isRecipeFile(url.toLocalFile())) return url.toLocalFile();
    return {};
}

} // namespace

ComposePage::ComposePage(Studio& studio, QWidget* parent) : Page(parent), m_studio(studio)
{
    setObjectName(QStringLiteral("compose"));
    setAccessibleName(tr("Compose"));
    setAcceptDrops(true);
    m_title->hide();
    m_subtitle->hide();
    m_document = new RecipeDocument(context(), this);
    m_model = new StackModel(*m_document, this);
    m_files = new RecipeFiles(*m_document, studio, this);
    m_composeHeader = new ComposeHeader(*m_document, studio, *m_files, headerLeft(), headerRight(), this);
    makeBody();
    makeShortcuts();
    connectDocument();
    connectServices();
    setCompact(false, false);
    restoreDraft();
}

ComposePage::~ComposePage()
{
    if (m_draftTimer.isActive()) keepDraft(); // the keeper's end waits for it
}

// ---- what the document must know of the machine ----

RecipeDocument::Context ComposePage::context()
{
    RecipeDocument::Context context;
    context.facts = [this](const DatasetId& id) -> std::optional<DataFacts> {
        const DatasetInfo* info = m_studio.data ? m_studio.data->find(id) : nullptr;
        return info ? factsOf(*info) : assumedFacts(id);
    };
    context.further = [this](const Recipe& recipe) { return machineProblems(recipe); };
    return context;
}

namespace {
/// A network for one is of use for the other: a text is no way out where pictures are missing.
bool isLike(const DataFacts& a, const DataFacts& b)
{
    return a.input.dtype == b.input.dtype && a.input.dims.size() == b.input.dims.size() && a.numbers == b.numbers && (a.labels > 0) == (b.labels > 0);
}
} // namespace

std::vector<Problem> ComposePage::machineProblems(const Recipe& recipe) const
{
    std::vector<Problem> problems;
    const auto replace = [](const char* path, const Json& value) {
        return Json::array({Json{{"op", "replace"}, {"path", path}, {"value", value}}});
    };
    if (m_studio.data && !m_studio.data->sets().empty() && !m_studio.data->find(recipe.data.dataset)) {
        Problem problem;
        problem.path = "/data/dataset";
        const auto facts = assumedFacts(recipe.data.dataset);
        problem.sentence = "The data set " + (facts ? facts->title : recipe.data.dataset) + " is not in your library.";
        problem.brief = "is not in your library";
        problem.because = "Add it on the Data page, or train on data that is here.";
        const auto& sets = m_studio.data->sets();
        const auto other = std::find_if(sets.begin(), sets.end(), [&](const DatasetInfo& set) { return !facts || isLike(factsOf(set), *facts); });
        if (other != sets.end()) problem.fixes.push_back({"Use " + other->title, replace("/data/dataset", other->id)});
        problems.push_back(std::move(problem));
    }
    if (recipe.device == "auto" || !m_studio.hardware || m_studio.hardware->devices().empty()) return problems;
    const auto& devices = m_studio.hardware->devices();
    const auto found = std::find_if(devices.begin(), devices.end(), [&](const ComputeDevice& d) { return d.id == recipe.device; });
    if (found != devices.end() && found->usable) return problems;
    Problem problem;
    problem.path = "/device";
    problem.sentence = found == devices.end() ? "The device " + recipe.device + " is not in this machine." : found->whyNot;
    problem.brief = "cannot be used here";
    problem.fixes.push_back({"Choose automatically", replace("/device", "auto")});
    problems.push_back(std::move(problem));
    return problems;
}

// ---- building ----

void ComposePage::makeBody()
{
    auto* column = new QVBoxLayout(body());
    column->setContentsMargins(0, 0, 0, 0);
    column->setSpacing(0);
    auto* middle = new QHBoxLayout;
    middle->setSpacing(0);
    m_palette = new Palette(m_studio.settings, body());
    middle->addWidget(m_palette);

    auto* centre = new QVBoxLayout;
    centre->setSpacing(0);
    m_stack = new StackView(*m_document, *m_model, body());
    m_columns = new StackHeader(*m_stack, body());
    m_problems = new ProblemPanel(*m_document, body());
    centre->addWidget(m_columns);
    centre->addWidget(m_stack, 1);
    centre->addWidget(m_problems);
    middle->addLayout(centre, 1);

    m_side = new QWidget(body());
    setRole(m_side, "panelRight");
    auto* side = new QVBoxLayout(m_side);
    side->setContentsMargins(1, 0, 0, 0);
    side->setSpacing(0);
    m_tabs = new QTabBar(m_side);
    m_tabs->setObjectName(QStringLiteral("compose.tabs"));
    m_tabs->setAccessibleName(tr("Settings of the layer or of the training"));
    m_tabs->setDrawBase(false);
    m_tabs->setExpanding(false);
    m_tabs->addTab(tr("Layer"));
    m_tabs->addTab(tr("Training"));
    auto* tabLine = new QHBoxLayout;
    tabLine->setContentsMargins(8, 0, 0, 0);
    tabLine->addWidget(m_tabs);
    tabLine->addStretch(1);
    side->addLayout(tabLine);
    side->addWidget(makeLine(Qt::Horizontal, m_side));
    m_panels = new QStackedWidget(m_side);
    m_layer = new LayerInspector(*m_document, m_panels);
    m_training = new TrainingPanel(*m_document, m_panels);
    m_panels->addWidget(m_layer);
    m_panels->addWidget(m_training);
    side->addWidget(m_panels, 1);
    middle->addWidget(m_side);
    column->addLayout(middle, 1);
    m_estimate = new EstimateBar(*m_document, body());
    column->addWidget(m_estimate);

    connect(m_training, &TrainingPanel::findRateRequested, this, [this] { findRate(); });
    connect(m_training, &TrainingPanel::findBatchRequested, this, &ComposePage::findBatch);
    connect(m_training, &TrainingPanel::profileRequested, this, &ComposePage::profile);
    connect(m_tabs, &QTabBar::currentChanged, m_panels, &QStackedWidget::setCurrentIndex);
    connect(m_training, &TrainingPanel::weightsFileWanted, this, [this] { chooseWeightsFile(); });
    connect(m_training, &TrainingPanel::weightsRunWanted, this, [this](const QPoint& at) { chooseWeightsRun(at); });
    connect(m_palette, &Palette::addRequested, this, [this](const QString& type) { addLayer(type); });
    connect(m_palette, &Palette::dismissed, this, [this] {
        m_paletteAsked = false;
        placePalette();
        m_stack->setFocus(Qt::ShortcutFocusReason);
    });
    connect(m_stack, &StackView::addRequested, this, [this] { openPalette(); });
    connect(m_stack, &StackView::editRequested, this, [this] {
        m_tabs->setCurrentIndex(0);
        m_layer->focusFirst();
    });
    connect(m_stack, &QAbstractItemView::clicked, this, [this] { m_tabs->setCurrentIndex(0); });
    connect(m_stack, &StackView::selectionMoved, this, [this] { followSelection(); });
    connect(m_problems, &ProblemPanel::layerChosen, this, [this](const LayerId& id) {
        m_stack->selectLayers({id});
        m_tabs->setCurrentIndex(0);
    });
    connect(m_problems, &ProblemPanel::inputChosen, this, [this] {
        m_stack->selectionModel()->setCurrentIndex(m_model->index(0), QItemSelectionModel::ClearAndSelect); // its card is the first row
        m_stack->scrollTo(m_model->index(0));
        m_tabs->setCurrentIndex(0);
    });
    connect(m_problems, &ProblemPanel::keyboardFreed, this, [this] { m_stack->setFocus(Qt::OtherFocusReason); });
    connect(m_estimate, &EstimateBar::problemsClicked, m_problems, &ProblemPanel::toggleList);
}

void ComposePage::makeShortcuts()
{
    const auto on = [this](const QKeySequence& keys, std::function<void()> run) {
        auto* shortcut = new QShortcut(keys, this);
        shortcut->setContext(Qt::WidgetWithChildrenShortcut);
        connect(shortcut, &QShortcut::activated, this, std::move(run));
    };
    on(QKeySequence(Qt::CTRL | Qt::Key_Z), [this] { step(&QUndoStack::undo); });
    on(QKeySequence(Qt::CTRL | Qt::SHIFT | Qt::Key_Z), [this] { step(&QUndoStack::redo); });
    on(QKeySequence(Qt::CTRL | Qt::Key_Y), [this] { step(&QUndoStack::redo); });
    on(QKeySequence(Qt::CTRL | Qt::Key_S), [this] { m_files->save(); });
    on(QKeySequence(Qt::CTRL | Qt::SHIFT | Qt::Key_S), [this] { m_files->saveAs(); });
    on(QKeySequence(Qt::CTRL | Qt::Key_O), [this] { m_files->chooseAndOpen(); });
    on(QKeySequence(Qt::CTRL | Qt::Key_N), [this] { m_files->newRecipe(); });
    on(QKeySequence(Qt::CTRL | Qt::Key_F), [this] { openPalette(); });
    on(QKeySequence(Qt::CTRL | Qt::Key_Return), [this] { start(); });
    on(QKeySequence(Qt::CTRL | Qt::Key_Enter), [this] { start(); });
}

void ComposePage::step(void (QUndoStack::*how)())
{
    // What the inspector shows changes under the keyboard: a field that is hidden for a moment, or goes with its layer, leaves
    // it to some widget of the window, and the next undo would be no key away.
    const QPointer<QWidget> keyboard = QApplication::focusWidget();
    (m_document->undoStack().*how)();
    if (keyboard && keyboard == QApplication::focusWidget()) return;
    if (keyboard && keyboard->isVisible()) keyboard->setFocus(Qt::OtherFocusReason);
    else m_stack->setFocus(Qt::OtherFocusReason);
}

void ComposePage::connectDocument()
{
    m_draftTimer.setSingleShot(true);
    m_timingTimer.setSingleShot(true);
    connect(&m_draftTimer, &QTimer::timeout, this, [this] { keepDraft(); });
    connect(&m_timingTimer, &QTimer::timeout, this, [this] { updateTiming(); });
    if (m_studio.runService) connect(m_studio.runService, &RunService::statusChanged, this, [this] { updateFinder(); });
    connect(m_document, &RecipeDocument::changed, this, [this] {
        updateFinder();
        if (!m_draftTimer.isActive()) m_draftTimer.start(draftDelayMs);
        m_timingTimer.start(timingDelayMs);
        updateDevice();
    });
    connect(m_document, &RecipeDocument::stateChanged, this, [this] {
        if (!m_draftTimer.isActive()) m_draftTimer.start(draftDelayMs);
    });
    connect(m_document, &RecipeDocument::loaded, this, [this] {
        m_problems->setNotice({}, false);
        const Stack& stack = m_document->recipe().stack;
        if (stack.layers.empty()) m_layer->show(LayerInspector::Subject::Nothing, {});
        else m_stack->selectLayers({stack.layers.front().id});
    });
    connect(m_document, &RecipeDocument::refused, this, [this](const QString& sentence) { showToast(this, sentence); });
    connect(m_files, &RecipeFiles::failed, this, [this](const QString& sentence) { m_problems->setNotice(sentence, true); });
    connect(m_composeHeader, &ComposeHeader::startClicked, this, [this] { start(); });
    connect(m_composeHeader, &ComposeHeader::dataChosen, this, [this](const QString& id) { takeData(id.toStdString()); });
    connect(m_composeHeader, &ComposeHeader::addDataClicked, this, [this] {
        if (m_studio.navigator) Q_EMIT m_studio.navigator->goTo(PageId::Data);
    });
}

void ComposePage::connectServices()
{
    if (m_studio.data) connect(m_studio.data, &DataService::changed, this, [this] { m_document->refresh(); });
    if (m_studio.hardware)
        connect(m_studio.hardware, &HardwareService::devicesKnown, this, [this] {
            m_training->setUsableThreads(m_studio.hardware->facts().cpu.usable);
            m_document->refresh();
        });
    if (Navigator* navigator = m_studio.navigator) {
        connect(navigator, &Navigator::composeRecipe, this, [this](const Recipe& recipe, const QString& from) { m_files->openRecipe(recipe, from); });
        connect(navigator, &Navigator::composeData, this, [this](const QString& id) { takeData(id.toStdString()); });
    }
    RunService* runs = m_studio.runService;
    if (!runs) return;
    connect(runs, &RunService::preparingChanged, this, [this](const QString& what, double share) {
        if (!m_starting) return;
        m_problems->setNotice(what.isEmpty() ? QString() : share > 0 ? tr("%1, %2 %").arg(what).arg(int(share * 100)) : what, false);
        m_document->refresh();
    });
    connect(runs, &RunService::started, this, [this](const QString& run) {
        if (!std::exchange(m_starting, false)) return;
        m_problems->setNotice({}, false);
        if (m_studio.navigator) Q_EMIT m_studio.navigator->showRun(run);
    });
    connect(runs, &RunService::queued, this, [this] {
        if (!std::exchange(m_starting, false)) return;
        m_problems->setNotice({}, false);
        showToast(this, tr("Queued. It starts when the run under way has ended."));
    });
    connect(runs, &RunService::startFailed, this, [this](const QString& sentence, const QString& remedy) {
        if (!std::exchange(m_starting, false)) return;
        m_problems->setNotice(remedy.isEmpty() ? sentence : sentence + QLatin1Char(' ') + remedy, true);
        m_document->refresh();
    });
}

// ---- the draft ----

void ComposePage::restoreDraft()
{
    std::string message;
    std::optional<Draft> draft;
    if (m_studio.store) {
        m_draft = std::make_unique<DraftKeeper>(m_studio.store->folder());
        draft = m_draft->load(message);
    }
    if (draft) {
        const QString path = text(draft->file);
        m_document->load(std::move(draft->recipe), {path, text(draft->title), draft->unsaved, QFileInfo(path).lastModified()});
    } else if (const StarterRecipe* starter = findStarter("digits-convnet")) {
        m_document->load(starter->recipe, {{}, tr("Starter recipe"), false, {}});
    }
    if (!message.empty()) m_problems->setNotice(text(message), true);
}

void ComposePage::keepDraft()
{
    m_draftTimer.stop();
    if (!m_draft) return;
    const RecipeDocument::Origin& origin = m_document->origin();
    m_draft->keep({m_document->recipe(), origin.path.toStdString(), origin.title.toStdString(), m_document->dirty()});
    const std::string wrong = m_draft->takeError();
    if (!wrong.empty() && m_problems->notice().isEmpty())
        m_problems->setNotice(tr("The draft could not be kept: %1 Save the recipe somewhere else.").arg(text(wrong)), true);
}

// ---- doing ----

void ComposePage::addLayer(const QString& type)
{
    if (m_document->addLayer(type.toStdString(), m_stack->insertionPlace()).empty()) return;
    m_palette->used(type);
    m_tabs->setCurrentIndex(0);
}

void ComposePage::takeData(const DatasetId& id)
{
    const DatasetInfo* info = m_studio.data ? m_studio.data->find(id) : nullptr;
    if (!info || !m_studio.settings) {
        m_document->setDataset(id);
        return;
    }
    // Only the data part is replaced, in one undoable step: where the stack does not fit it, the problem list says so with
    // fixes. No import options: those of the library hold.
    m_document->edit(tr("Train on %1").arg(text(info->title)), withData(m_document->recipe(), *info, {}, dataChoices(*m_studio.settings, *info)));
}

void ComposePage::openPalette()
{
    m_paletteAsked = true;
    placePalette();
    m_palette->startSearch();
}

void ComposePage::placePalette()
{
    m_palette->setVisible(width() >= paletteNeeds || m_paletteAsked);
}

void ComposePage::followSelection()
{
    const std::vector<LayerId> ids = m_stack->selectedLayers();
    const int row = m_stack->currentRow();
    auto subject = LayerInspector::Subject::Nothing;
    if (!ids.empty()) subject = LayerInspector::Subject::Layers;
    else if (row >= 0 && m_model->row(row).kind == RowKind::Input) subject = LayerInspector::Subject::Input;
    else if (row >= 0 && m_model->row(row).kind == RowKind::Output) subject = LayerInspector::Subject::Output;
    if (subject == LayerInspector::Subject::Input) {
        const DatasetInfo* info = m_studio.data ? m_studio.data->find(m_document->recipe().data.dataset) : nullptr;
        m_layer->setDataStatistics(info ? std::optional(std::pair(info->mean, info->deviation)) : std::nullopt);
    }
    m_layer->show(subject, ids);
    m_problems->setSelected(ids.size() == 1 ? ids.front() : LayerId{});
}

void ComposePage::start()
{
    if (!m_document->startable() || !m_studio.runService || m_studio.runService->preparing()) return;
    keepDraft();
    m_starting = true;
    m_problems->setNotice({}, false);
    m_studio.runService->start(m_document->recipe(), text(m_document->recipe().name));
    m_document->refresh();
}

void ComposePage::findRate()
{
    auto* finder = new RateFinder(m_studio, m_document->recipe(), this);
    connect(finder, &RateFinder::chosen, this, [this](double rate) {
        m_document->change(tr("Set the learning rate"), [rate](Recipe& recipe) { recipe.training.learningRate = rate; });
    });
    finder->open();
}

/// The rate belongs to the batch, so it is named, and a click finds a new one.
void ComposePage::findBatch()
{
    auto* finder = new BatchFinder(m_studio, m_document->recipe(), this);
    connect(finder, &BatchFinder::chosen, this, [this](std::int64_t batch) {
        if (batch == m_document->recipe().training.batchSize) return;
        m_document->change(tr("Set the batch size"), [batch](Recipe& recipe) { recipe.training.batchSize = batch; });
        showToast(this, tr("The batch size is %1 now. The learning rate belongs to it.").arg(batch), tr("Find a rate"), [this] { findRate(); });
    });
    finder->open();
}

void ComposePage::profile() { (new ProfileDialog(m_studio, m_document->recipe(), this))->open(); }

/// Beside a run that trains in this process, the test would take its processors and its threads' number.
void ComposePage::updateFinder()
{
    const bool busy = m_studio.runService && m_studio.runService->trainsHere(), startable = m_document->startable();
    m_training->setTrials(startable && !busy, busy ? tr("A run is training: try it when that has ended.") : tr("The recipe has problems: mend them first."));
}

void ComposePage::updateDevice()
{
    const QString id = m_composeHeader->resolvedDevice();
    std::uint64_t memory = 0;
    if (m_studio.hardware) {
        for (const ComputeDevice& device : m_studio.hardware->devices())
            if (text(device.id) == id) memory = device.memoryBytes;
        if (memory == 0 && id == QLatin1String("cpu")) memory = m_studio.hardware->facts().cpu.memoryBytes;
    }
    m_estimate->setDeviceMemory(memory, id == QLatin1String("cpu") ? QString() : tr("GPU %1").arg(id.section(QLatin1Char(':'), 1)));
}

void ComposePage::updateTiming()
{
    if (!m_studio.store || !m_studio.jobs || !m_document->facts() || !m_document->report().ok()) return m_estimate->setTiming({});
    // What was measured is looked up by what is trained and where, with the threads that a start would take; nothing is asked
    // on the window's thread.
    Recipe recipe = m_document->recipe();
    if (recipe.threads == 0 && m_studio.settings) recipe.threads = std::max(0, m_studio.settings->value(QStringLiteral("training/threads"), 0).toInt());
    m_studio.jobs->run<std::optional<double>>(
        this,
        [store = m_studio.store, recipe = std::move(recipe), facts = *m_document->facts(), device = m_composeHeader->resolvedDevice().toStdString()] {
            const auto rate = store->timing(timingKey(recipe, facts, device));
            return rate ? *rate : std::optional<double>{};
        },
        [this](std::optional<double> rate) { m_estimate->setTiming(rate); }, QStringLiteral("compose.timing"));
}

// ---- the page ----

void ComposePage::shown()
{
    m_timingTimer.start(0); // a run may have been timed meanwhile
    if (!isAncestorOf(QApplication::focusWidget())) m_stack->setFocus(Qt::OtherFocusReason);
}

void ComposePage::setCompact(bool narrow, bool low)
{
    m_narrow = narrow;
    m_low = low;
    StackMetrics metrics;
    metrics.narrow = narrow;
    metrics.low = low;
    m_header->setFixedHeight(low ? 52 : 56);
    m_stack->setMetrics(metrics);
    m_columns->setFixedHeight(low ? 28 : 36);
    m_columns->update();
    m_palette->setFixedWidth(narrow ? 208 : 240);
    m_side->setFixedWidth(narrow ? 304 : 352);
    m_layer->setLabelWidth(narrow ? 96 : 120);
    m_training->setLabelWidth(narrow ? 96 : 120);
    m_composeHeader->setCompact(narrow, low);
    m_estimate->setCompact(narrow, low);
    m_problems->setLow(low);
    placePalette();
}

void ComposePage::resizeEvent(QResizeEvent* event)
{
    Page::resizeEvent(event);
    placePalette();
}

void ComposePage::dragEnterEvent(QDragEnterEvent* event)
{
    if (!recipeFileIn(event->mimeData()).isEmpty()) event->acceptProposedAction();
}

void ComposePage::dropEvent(QDropEvent* event)
{
    const QString path = recipeFileIn(event->mimeData());
    if (path.isEmpty()) return;
    event->acceptProposedAction();
    m_files->open(path);
}

Page* makeComposePage(Studio& studio, QWidget* parent)
{
    return new ComposePage(studio, parent);
}

} // namespace sconce::ui
