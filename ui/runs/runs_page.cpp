// SPDX-License-Identifier: GPL-3.0-or-later
#include "ui/runs/runs_page.h"

#include "core/base/text.h"
#include "ui/services/pages.h"
#include "ui/services/words.h"

#include <QButtonGroup>
#include <QHBoxLayout>
#include <QHeaderView>
#include <QShortcut>
#include <QStackedWidget>
#include <QVBoxLayout>

#include <algorithm>

namespace sconce::ui {

using words::text;
using Model = RunTableModel;

namespace {

struct Chip { const char* title; std::optional<RunStatus> status; const char* name; };
const Chip chips[] = {
    {"All", {}, "runs.filter.all"},
    {"Running", RunStatus::Running, "runs.filter.running"},
    {"Queued", RunStatus::Queued, "runs.filter.queued"},
    {"Interrupted", RunStatus::Interrupted, "runs.filter.interrupted"},
    {"Finished", RunStatus::Finished, "runs.filter.finished"},
    {"Stopped", RunStatus::Stopped, "runs.filter.stopped"},
    {"Failed", RunStatus::Failed, "runs.filter.failed"},
};

RunStatus filterStatus(RunStatus status) { return status == RunStatus::Paused ? RunStatus::Running : status; }

} // namespace

Page* makeRunsPage(Studio& studio, QWidget* parent) { return new RunsPage(studio, parent); }

RunsPage::RunsPage(Studio& studio, QWidget* parent)
    : Page(parent)
    , m_studio(studio)
{
    setObjectName(QStringLiteral("runs"));
    setTitle(tr("Runs"));
    m_model = new RunTableModel(this);
    m_proxy = new RunTableProxy(this);
    m_proxy->setSourceModel(m_model);
    buildHeader();

    auto* outer = new QVBoxLayout(body());
    outer->setContentsMargins(16, 8, 16, 12);
    outer->setSpacing(8);
    outer->addWidget(buildBar());
    m_searchProblem = makeLabel({}, FontRole::Caption, Token::Warn, body());
    m_searchProblem->setObjectName(QStringLiteral("runs.searchProblem"));
    m_searchProblem->hide();
    outer->addWidget(m_searchProblem);

    m_stack = new QStackedWidget(body());
    auto* empty = new EmptyState(QStringLiteral("runs"), tr("No run yet"),
                                 tr("Every run is kept here with its curves, its recipe and its checkpoints. Start one on Compose, or train on the built-in digits to see how it goes."), m_stack);
    empty->setObjectName(QStringLiteral("runs.empty"));
    QPushButton* compose = empty->addAction(QStringLiteral("compose"), tr("Open Compose"), ButtonKind::Primary);
    compose->setObjectName(QStringLiteral("runs.toCompose"));
    connect(compose, &QPushButton::clicked, this, [this] { Q_EMIT m_studio.navigator->goTo(PageId::Compose); });
    m_stack->addWidget(empty);
    auto* content = new QWidget(m_stack);
    auto* column = new QVBoxLayout(content);
    column->setContentsMargins(0, 0, 0, 0);
    column->setSpacing(12);
    column->addWidget(buildTable(), 1);
    column->addWidget(buildBelow());
    m_stack->addWidget(content);
    auto* loading = makeLabel(tr("Reading the history…"), FontRole::Body, Token::Text2, m_stack);
    loading->setAlignment(Qt::AlignCenter);
    m_stack->addWidget(loading);
    outer->addWidget(m_stack, 1);
    connectAll();
    refreshRows();
}

void RunsPage::buildHeader()
{
    m_search = new QLineEdit(this);
    m_search->setObjectName(QStringLiteral("runs.search"));
    m_search->setAccessibleName(tr("Search runs"));
    m_search->setPlaceholderText(tr("name, tag, data, or accuracy > 0.99"));
    m_search->setToolTip(tr("Words that must occur, and conditions on accuracy, loss, epochs, parameters or time, such as: mnist accuracy > 99 % epochs <= 15"));
    m_search->setClearButtonEnabled(true);
    m_search->addAction(Theme::instance().icon(QStringLiteral("search"), Token::Text3), QLineEdit::LeadingPosition);
    m_search->setFixedWidth(300);
    headerRight()->addWidget(m_search);
    auto* find = new QShortcut(QKeySequence::Find, this);
    find->setContext(Qt::WidgetWithChildrenShortcut);
    connect(find, &QShortcut::activated, this, [this] {
        m_search->setFocus(Qt::ShortcutFocusReason);
        m_search->selectAll();
    });
}

QWidget* RunsPage::buildBar()
{
    auto* bar = new QWidget(body());
    auto* line = new QHBoxLayout(bar);
    line->setContentsMargins(0, 0, 0, 0);
    line->setSpacing(2);
    m_chips = new QButtonGroup(this);
    for (int i = 0; i < static_cast<int>(std::size(chips)); ++i) {
        auto* chip = new QPushButton(tr(chips[i].title), bar);
        chip->setObjectName(QLatin1String(chips[i].name));
        chip->setCheckable(true);
        chip->setAutoDefault(false);
        words::sized(chip, "28");
        setRole(chip, "flat");
        m_chips->addButton(chip, i);
        line->addWidget(chip);
    }
    m_chips->button(0)->setChecked(true);
    line->addStretch(1);
    m_which = makeLabel({}, FontRole::Caption, Token::Text2, bar);
    m_which->setObjectName(QStringLiteral("runs.which"));
    line->addWidget(m_which);
    line->addSpacing(6);
    const auto add = [&](QPushButton*& button, const char* icon, const QString& words, const char* name, const QString& tip, ButtonKind kind = ButtonKind::Flat) {
        button = makeButton(QLatin1String(icon), words, kind, bar);
        button->setObjectName(QLatin1String(name));
        button->setToolTip(tip);
        words::sized(button, "28");
        line->addWidget(button);
    };
    add(m_resume, "play", tr("Resume"), "runs.resume", tr("Goes on from the newest checkpoint"));
    add(m_tryIt, "tryit", tr("Try it"), "runs.tryIt", tr("Draw or choose inputs for the trained network"));
    add(m_rename, "pencil", tr("Rename"), "runs.rename", tr("Rename (F2)"));
    add(m_tag, "tag", tr("Tag"), "runs.tag", tr("Words to find it by"));
    add(m_note, "note", tr("Note"), "runs.note", tr("What you want to remember about this run"));
    add(m_compose, "compose", tr("Open in Compose"), "runs.openInCompose", tr("Its recipe, to change and train again"));
    add(m_delete, "trash", tr("Delete…"), "runs.delete", tr("Deletes the chosen runs with their files, after asking (Del)"), ButtonKind::Danger);
    return bar;
}

QWidget* RunsPage::buildTable()
{
    auto* frame = new QFrame(body());
    setRole(frame, "card");
    auto* column = new QVBoxLayout(frame);
    column->setContentsMargins(1, 1, 1, 1);
    m_table = new RunsTable(frame);
    m_table->setObjectName(QStringLiteral("runs.table"));
    m_table->setAccessibleName(tr("Runs"));
    m_table->setModel(m_proxy);
    m_delegate = new RunDelegate(m_table);
    m_table->setItemDelegate(m_delegate);
    m_table->setSelectionBehavior(QAbstractItemView::SelectRows);
    m_table->setSelectionMode(QAbstractItemView::ExtendedSelection);
    m_table->setEditTriggers(QAbstractItemView::NoEditTriggers);
    m_table->setShowGrid(false);
    m_table->setTabKeyNavigation(false);
    m_table->setSortingEnabled(true);
    m_table->setContextMenuPolicy(Qt::CustomContextMenu);
    m_table->setVerticalScrollMode(QAbstractItemView::ScrollPerPixel);
    m_table->setHorizontalScrollBarPolicy(Qt::ScrollBarAlwaysOff);
    m_table->verticalHeader()->hide();
    m_table->verticalHeader()->setSectionResizeMode(QHeaderView::Fixed);
    m_table->verticalHeader()->setDefaultSectionSize(32);
    QHeaderView* header = m_table->horizontalHeader();
    header->setFixedHeight(28);
    header->setHighlightSections(false);
    header->setMinimumSectionSize(32);
    header->setSectionResizeMode(QHeaderView::Fixed);
    header->setSectionResizeMode(Model::Name, QHeaderView::Stretch);
    header->setSortIndicator(Model::Started, Qt::DescendingOrder);
    static constexpr int widths[] = {36, 122, 160, 118, 108, 84, 180, 92, 68, 80, 126, 96, 36};
    for (int i = 0; i < Model::ColumnCount; ++i) header->resizeSection(i, widths[i]);
    m_proxy->sort(Model::Started, Qt::DescendingOrder);
    column->addWidget(m_table);

    m_noneFound = new EmptyState(QStringLiteral("search"), tr("No run matches"), tr("Other words, or another filter, may find it."), m_table->viewport());
    m_noneFound->setObjectName(QStringLiteral("runs.noneFound"));
    QPushButton* all = m_noneFound->addAction(QStringLiteral("undo"), tr("Show all"));
    all->setObjectName(QStringLiteral("runs.showAll"));
    connect(all, &QPushButton::clicked, this, [this] {
        m_search->clear();
        m_chips->button(0)->click();
    });
    auto* cover = new QVBoxLayout(m_table->viewport());
    cover->setContentsMargins(0, 0, 0, 0);
    cover->addWidget(m_noneFound);
    m_noneFound->hide();
    return frame;
}

QWidget* RunsPage::buildBelow()
{
    m_below = new QWidget(body());
    auto* column = new QVBoxLayout(m_below);
    column->setContentsMargins(0, 0, 0, 0);
    column->setSpacing(8);
    m_tabs = new SegmentedControl({tr("Compared"), tr("What differs")}, m_below);
    m_tabs->setObjectName(QStringLiteral("runs.tabs"));
    connect(m_tabs, &SegmentedControl::currentChanged, this, [this] { arrangeBelow(); });
    column->addWidget(m_tabs);
    auto* line = new QHBoxLayout;
    line->setSpacing(12);
    m_compare = new CompareCard(m_studio, m_below);
    m_differences = new DifferencesCard(m_below);
    line->addWidget(m_compare, 1);
    line->addWidget(m_differences, 1);
    column->addLayout(line, 1);
    arrangeBelow();
    return m_below;
}

void RunsPage::arrangeBelow()
{
    m_tabs->setVisible(m_low);
    m_compare->setVisible(!m_low || m_tabs->current() == 0);
    m_differences->setVisible(!m_low || m_tabs->current() == 1);
    m_below->setFixedHeight(m_low ? 240 : 300);
}

void RunsPage::connectAll()
{
    connect(m_studio.runs, &RunList::changed, this, &RunsPage::refreshRows);
    connect(m_studio.runService, &RunService::queueChanged, this, [this] { m_model->setQueue(m_studio.runService->queue()); });
    connect(m_studio.navigator, &Navigator::selectRun, this, [this](const QString& run) { select(run.toStdString()); });
    connect(m_search, &QLineEdit::textChanged, this, [this](const QString& words) {
        const RunSearch search = RunSearch::parse(words);
        m_searchProblem->setText(search.problem);
        m_searchProblem->setVisible(!search.problem.isEmpty());
        m_proxy->setSearch(search);
        refreshChips();
    });
    auto* down = new QShortcut(QKeySequence(Qt::Key_Down), m_search);
    down->setContext(Qt::WidgetShortcut);
    connect(down, &QShortcut::activated, this, [this] {
        m_table->setFocus();
        if (!m_table->currentIndex().isValid() && m_proxy->rowCount() > 0) m_table->selectRow(0);
    });
    connect(m_chips, &QButtonGroup::idClicked, this, [this](int id) {
        m_proxy->setStatus(chips[id].status);
        refreshChips();
    });
    connect(m_table->selectionModel(), &QItemSelectionModel::selectionChanged, this, [this] {
        refreshActions();
        if (m_model->compared().empty()) m_compareTimer.start();
    });
    connect(m_table, &QWidget::customContextMenuRequested, this, [this](const QPoint& at) { showMenu(m_table->viewport()->mapToGlobal(at)); });
    connect(m_table, &RunsTable::tickWanted, this, [this](const QModelIndex& index) { m_model->toggle(index.data(Model::IdRole).toString().toStdString()); });
    connect(m_table, &RunsTable::openWanted, this, [this](const QModelIndex& index) { openOnLive(m_model->row(m_proxy->mapToSource(index).row())); });
    connect(m_table, &QTableView::doubleClicked, this, [this](const QModelIndex& index) {
        if (index.column() != Model::Check && index.column() != Model::More) openOnLive(m_model->row(m_proxy->mapToSource(index).row()));
    });
    connect(m_table, &RunsTable::deleteWanted, this, &RunsPage::remove);
    connect(m_delegate, &RunDelegate::resumeWanted, this, [this](const QModelIndex& index) { resume(m_model->row(m_proxy->mapToSource(index).row())); });
    connect(m_delegate, &RunDelegate::menuWanted, this, [this](const QModelIndex& index, const QPoint& at) {
        if (!m_table->selectionModel()->isRowSelected(index.row(), {})) m_table->selectRow(index.row());
        showMenu(at);
    });
    connect(m_model, &RunTableModel::comparedChanged, this, [this] { m_compareTimer.start(); });
    connect(m_model, &RunTableModel::renameWanted, this, [this](const QString& run, const QString& name) {
        write([id = run.toStdString(), name = name.toStdString()](Store& store) { return store.renameRun(id, name); }, tr("The run was not renamed"));
    });
    connect(m_compare, &CompareCard::metricChanged, this, [this] { m_compareTimer.start(); });
    connect(m_differences, &DifferencesCard::clearWanted, this, [this] { m_model->setCompared({}); });
    connect(m_resume, &QPushButton::clicked, this, [this] { if (const auto row = one()) resume(*row); });
    connect(m_tryIt, &QPushButton::clicked, this, [this] {
        if (const auto row = one()) {
            Q_EMIT m_studio.navigator->goTo(PageId::TryIt);
            Q_EMIT m_studio.navigator->tryRun(text(row->id));
        }
    });
    connect(m_rename, &QPushButton::clicked, this, [this] {
        m_table->setFocus();
        m_table->edit(m_table->currentIndex().siblingAtColumn(Model::Name));
    });
    connect(m_tag, &QPushButton::clicked, this, [this] { if (const auto row = one()) editTags(*row); });
    connect(m_note, &QPushButton::clicked, this, [this] { if (const auto row = one()) editNote(*row); });
    connect(m_compose, &QPushButton::clicked, this, [this] { if (const auto row = one()) openInCompose(*row); });
    connect(m_delete, &QPushButton::clicked, this, &RunsPage::remove);

    connect(&Theme::instance(), &Theme::changed, this, [this] {
        m_comparedKey.clear(); // the letters of legend and differences are pictures in the old colours
        m_compareTimer.start();
    });
    m_compareTimer.setSingleShot(true);
    m_compareTimer.setInterval(60);
    connect(&m_compareTimer, &QTimer::timeout, this, &RunsPage::refreshCompared);
    m_liveTimer.setSingleShot(true);
    m_liveTimer.setInterval(500);
    connect(&m_liveTimer, &QTimer::timeout, this, [this] {
        if (const LiveRun* live = m_studio.runService->current()) m_model->setLive(live->id, live->step, live->epochs);
    });
    connect(m_studio.runService, &RunService::updated, this, [this] {
        if (isVisible() && !m_liveTimer.isActive()) m_liveTimer.start();
    });
}

void RunsPage::shown()
{
    refreshRows();
    refreshBytes();
    m_table->setFocus();
}

void RunsPage::setCompact(bool narrow, bool low)
{
    m_narrow = narrow;
    m_low = low;
    for (const int column : {Model::Parameters, Model::Device, Model::Tags}) m_table->setColumnHidden(column, narrow);
    m_search->setFixedWidth(narrow ? 290 : 300);
    arrangeBelow();
    refreshActions();
}

void RunsPage::refreshRows()
{
    const auto& rows = m_studio.runs->rows();
    const RunId current = m_table->currentIndex().isValid() ? m_table->currentIndex().data(Model::IdRole).toString().toStdString() : RunId();
    m_model->setRows(rows);
    m_model->setQueue(m_studio.runService->queue());
    m_stack->setCurrentIndex(!m_studio.runs->loaded() ? 2 : rows.empty() ? 0 : 1);
    if (!m_wanted.empty() && m_model->indexOf(m_wanted) >= 0) select(m_wanted);
    else if (current.empty() && m_proxy->rowCount() > 0 && !m_table->selectionModel()->hasSelection()) m_table->selectRow(0);
    refreshChips();
    refreshActions();
    // The numbers of what is compared may have moved on.
    if (isVisible()) m_compareTimer.start();
}

void RunsPage::refreshChips()
{
    std::map<RunStatus, int> counts;
    for (const RunRow& row : m_studio.runs->rows()) ++counts[filterStatus(row.status)];
    for (int i = 0; i < static_cast<int>(std::size(chips)); ++i) {
        QAbstractButton* button = m_chips->button(i);
        const int count = chips[i].status ? counts[*chips[i].status] : static_cast<int>(m_studio.runs->rows().size());
        button->setText(QStringLiteral("%1  %2").arg(tr(chips[i].title)).arg(count));
        button->setVisible(!chips[i].status || count > 0 || button->isChecked());
    }
    m_noneFound->setVisible(m_proxy->rowCount() == 0 && m_model->rowCount() > 0);
    QString subtitle = text(plural(static_cast<std::int64_t>(m_studio.runs->rows().size()), "run", "runs"));
    if (m_bytes > 0) subtitle += tr(", %1 of checkpoints").arg(text(bytesText(m_bytes)));
    setTitle(tr("Runs"), m_studio.runs->loaded() ? subtitle : QString());
}

void RunsPage::refreshBytes()
{
    m_studio.jobs->run<std::uint64_t>(
        this, [folder = m_studio.store->folder()] { return folderBytes(folder + "/runs"); },
        [this](std::uint64_t bytes) {
            m_bytes = bytes;
            refreshChips();
        },
        QStringLiteral("bytes"));
}

std::vector<RunRow> RunsPage::chosen() const
{
    std::vector<RunRow> rows;
    auto indexes = m_table->selectionModel()->selectedRows();
    std::sort(indexes.begin(), indexes.end(), [](const QModelIndex& a, const QModelIndex& b) { return a.row() < b.row(); });
    for (const QModelIndex& index : indexes) rows.push_back(m_model->row(m_proxy->mapToSource(index).row()));
    return rows;
}

std::optional<RunRow> RunsPage::one() const
{
    const auto rows = chosen();
    return rows.size() == 1 ? std::optional<RunRow>(rows.front()) : std::nullopt;
}

void RunsPage::refreshActions()
{
    const auto rows = chosen();
    const bool single = rows.size() == 1;
    const auto alive = [](const RunRow& row) { return row.status == RunStatus::Running || row.status == RunStatus::Paused; };
    m_which->setText(rows.empty() ? QString() : single ? QStringLiteral("#%1").arg(rows.front().number) : tr("%1 runs").arg(rows.size()));
    m_resume->setVisible(single && rows.front().resumable && rows.front().status != RunStatus::Finished);
    if (single) m_resume->setText(rows.front().status == RunStatus::Queued ? tr("Start") : tr("Resume"));
    m_tryIt->setVisible(single && !rows.front().summary.checkpoint.empty());
    // In a narrow window icons stand for the words, which the tooltips keep.
    struct Word { QPushButton* button; QString text; };
    for (const Word& word : {Word{m_rename, tr("Rename")}, Word{m_tag, tr("Tag")}, Word{m_note, tr("Note")}, Word{m_compose, tr("Open in Compose")}}) {
        word.button->setText(m_narrow ? QString() : word.text);
        word.button->setAccessibleName(word.text);
        word.button->setEnabled(single);
    }
    const bool anyAlive = std::any_of(rows.begin(), rows.end(), alive);
    m_delete->setEnabled(!rows.empty() && !anyAlive);
    m_delete->setToolTip(anyAlive ? tr("A run that trains cannot be deleted: stop it first.") : tr("Deletes the chosen runs with their files, after asking (Del)"));
}

void RunsPage::refreshCompared()
{
    std::vector<RunRow> rows;
    const bool letters = !m_model->compared().empty();
    for (const RunId& run : m_model->compared()) {
        if (const int at = m_model->indexOf(run); at >= 0) rows.push_back(m_model->row(at));
    }
    if (!letters) {
        if (const auto row = one()) rows.push_back(*row);
    }
    QString key = QString::number(static_cast<int>(m_compare->metric())) + (letters ? QLatin1Char('+') : QLatin1Char('-'));
    for (const RunRow& row : rows) key += QStringLiteral("%1:%2:%3:%4:%5;").arg(text(row.id), text(row.name)).arg(row.summary.steps).arg(static_cast<int>(row.status)).arg(row.summary.testLoss);
    if (key == m_comparedKey) return;
    m_comparedKey = key;
    using Runs = std::vector<ComparedRun>;
    m_studio.jobs->run<Runs>(
        this,
        [store = m_studio.store, rows, metric = m_compare->metric()] {
            Runs runs;
            for (const RunRow& row : rows) runs.push_back(readCompared(*store, row, metric));
            return runs;
        },
        [this, letters](Runs runs) {
            m_compare->setRuns(runs, letters);
            m_differences->setRuns(runs, letters);
        },
        QStringLiteral("compared"));
}

void RunsPage::select(const RunId& run)
{
    const int at = m_model->indexOf(run);
    if (at < 0) {
        m_wanted = run;
        m_studio.runs->refresh();
        return;
    }
    m_wanted.clear();
    QModelIndex index = m_proxy->mapFromSource(m_model->index(at, Model::Name));
    if (!index.isValid()) { // hidden by a filter: what was asked for goes first
        m_search->clear();
        m_chips->button(0)->click();
        index = m_proxy->mapFromSource(m_model->index(at, Model::Name));
    }
    m_table->selectRow(index.row());
    m_table->scrollTo(index);
}

} // namespace sconce::ui
