// SPDX-License-Identifier: GPL-3.0-or-later
#include "ui/shell/main_window.h"

#include "ui/services/pages.h"
#include "ui/settings/shortcuts.h"
#include "ui/shell/banner.h"
#include "ui/shell/rail.h"
#include "ui/shell/status_bar.h"
#include "ui/welcome/open_recipe.h"
#include "ui/widgets/parts.h"

#include <QCloseEvent>
#include <QDialog>
#include <QDragEnterEvent>
#include <QGuiApplication>
#include <QHBoxLayout>
#include <QMimeData>
#include <QScreen>
#include <QShortcut>
#include <QStackedWidget>
#include <QTimer>
#include <QUrl>
#include <QVBoxLayout>

#include <array>

namespace sconce::ui {

namespace {

struct PageEntry { PageId id; const char* name; Page* (*make)(Studio&, QWidget*); };
constexpr std::array<PageEntry, 8> pageTable{{
    {PageId::Welcome, "welcome", makeWelcomePage},
    {PageId::Data, "data", makeDataPage},
    {PageId::Compose, "compose", makeComposePage},
    {PageId::Live, "live", makeLivePage},
    {PageId::Runs, "runs", makeRunsPage},
    {PageId::Hardware, "hardware", makeHardwarePage},
    {PageId::TryIt, "tryit", makeTryItPage},
    {PageId::Settings, "settings", makeSettingsPage},
}};

const char* const recipeSuffixes[] = {".sconce", ".json"};

QString droppedRecipe(const QMimeData* data)
{
    for (const QUrl& url : data->urls())
        for (const char* suffix : recipeSuffixes)
            if (url.isLocalFile() && url.toLocalFile().endsWith(QLatin1String(suffix), Qt::CaseInsensitive)) return url.toLocalFile();
    return {};
}

} // namespace

MainWindow::MainWindow(Settings& settings, QWidget* parent) : QMainWindow(parent), m_settings(settings)
{
    setObjectName(QStringLiteral("mainWindow"));
    setWindowTitle(QStringLiteral("Sconce"));
    setWindowIcon(QIcon(Theme::instance().pixmap(QStringLiteral("sconce"), Token::Text, 64, 1)));
    setAcceptDrops(true);
    auto* whole = new QWidget(this);
    auto* column = new QVBoxLayout(whole);
    column->setContentsMargins(0, 0, 0, 0);
    column->setSpacing(0);
    auto* row = new QHBoxLayout;
    row->setSpacing(0);
    m_rail = new Rail(whole);
    row->addWidget(m_rail);
    auto* middle = new QVBoxLayout;
    middle->setSpacing(0);
    m_banners = new QVBoxLayout;
    m_banners->setSpacing(0);
    middle->addLayout(m_banners);
    m_stack = new QStackedWidget(whole);
    m_stack->setObjectName(QStringLiteral("pages"));
    middle->addWidget(m_stack, 1);
    row->addLayout(middle, 1);
    column->addLayout(row, 1);
    m_status = new StatusBar(whole);
    column->addWidget(m_status);
    setCentralWidget(whole);
    setMinimumSize(1100, 680);

    connect(m_rail, &Rail::chosen, this, &MainWindow::goTo);
    addShortcuts();
    if (!restoreGeometry(settings.value(QStringLiteral("window/geometry")).toByteArray())) {
        const QSize room = QGuiApplication::primaryScreen()->availableSize();
        resize(QSize(1440, 900).boundedTo(room).expandedTo(minimumSize()));
    }
}

MainWindow::~MainWindow() = default;

// ---- pages ----

std::optional<PageId> MainWindow::pageNamed(const QString& name)
{
    for (const PageEntry& entry : pageTable)
        if (name == QLatin1String(entry.name)) return entry.id;
    return {};
}

QString MainWindow::pageName(PageId page)
{
    for (const PageEntry& entry : pageTable)
        if (entry.id == page) return QLatin1String(entry.name);
    return {};
}

void MainWindow::attach(Studio& studio, std::optional<PageId> first)
{
    m_studio = &studio;
    // Before any page is made: a page that a signal makes could not hear that same signal.
    followNavigator();
    followRuns();
    m_status->attach(studio);
    if (!first && !m_settings.value(QStringLiteral("start/welcome"), true).toBool()) first = pageNamed(m_settings.value(QStringLiteral("window/page")).toString());
    goTo(first.value_or(PageId::Welcome));
    const StoreOpened& opened = studio.store->opened();
    if (!opened.message.empty()) addBanner(new Banner(QStringLiteral("banner.store"), Token::Info, tr("About your runs"), QString::fromStdString(opened.message), this));
    Q_EMIT firstPageReady();
    QTimer::singleShot(30, this, &MainWindow::makeNextPage);
}

Page* MainWindow::page(PageId id)
{
    if (const auto found = m_pages.find(id); found != m_pages.end()) return found->second;
    if (!m_studio) return nullptr;
    for (const PageEntry& entry : pageTable) {
        if (entry.id != id) continue;
        Page* made = entry.make(*m_studio, m_stack);
        made->setObjectName(QStringLiteral("page.") + QLatin1String(entry.name));
        made->applySizeClass(m_narrow, m_low);
        m_stack->addWidget(made);
        m_pages[id] = made;
        return made;
    }
    return nullptr;
}

bool MainWindow::allPagesMade() const
{
    return m_pages.size() == pageTable.size();
}

void MainWindow::makeNextPage()
{
    for (const PageEntry& entry : pageTable) {
        if (m_pages.count(entry.id)) continue;
        page(entry.id);
        // One page a turn, with air between: events of the person come first.
        QTimer::singleShot(15, this, &MainWindow::makeNextPage);
        return;
    }
}

void MainWindow::goTo(PageId id)
{
    m_current = id;
    m_rail->setCurrent(id);
    Page* wanted = page(id);
    if (!wanted) return;
    // Come to by mouse, a page takes the keys itself: Qt would give them to its first field, with a ring, and a letter typed
    // would rename the recipe. Tab goes to the first field from here; on the way back the focus is where it was.
    if (!wanted->focusWidget()) wanted->setFocus(Qt::OtherFocusReason);
    m_stack->setCurrentWidget(wanted);
    wanted->shown();
    // What another process has put into the library since.
    if ((id == PageId::Data || id == PageId::Compose) && m_studio->data) m_studio->data->refresh();
    m_settings.setValue(QStringLiteral("window/page"), pageName(id));
    Q_EMIT pageShown(id);
}

void MainWindow::followNavigator()
{
    Navigator* navigator = m_studio->navigator;
    // A page made by the signal missed it, so the signal is sent again once it listens.
    const auto reach = [this](PageId id, std::function<void()> again) {
        const bool there = m_pages.count(id) > 0;
        goTo(id);
        if (!there) QMetaObject::invokeMethod(this, std::move(again), Qt::QueuedConnection);
    };
    connect(navigator, &Navigator::goTo, this, &MainWindow::goTo);
    connect(navigator, &Navigator::composeRecipe, this, [=, this](const Recipe& recipe, const QString& from) {
        reach(PageId::Compose, [=] { Q_EMIT navigator->composeRecipe(recipe, from); });
    });
    connect(navigator, &Navigator::composeData, this, [=, this](const QString& id) { reach(PageId::Compose, [=] { Q_EMIT navigator->composeData(id); }); });
    connect(navigator, &Navigator::showRun, this, [=, this](const QString& id) { reach(PageId::Live, [=] { Q_EMIT navigator->showRun(id); }); });
    connect(navigator, &Navigator::tryRun, this, [=, this](const QString& id) { reach(PageId::TryIt, [=] { Q_EMIT navigator->tryRun(id); }); });
    connect(navigator, &Navigator::selectRun, this, [=, this](const QString& id) { reach(PageId::Runs, [=] { Q_EMIT navigator->selectRun(id); }); });
}

// ---- runs ----

void MainWindow::followRuns()
{
    RunService* service = m_studio->runService;
    connect(service, &RunService::statusChanged, this, [this, service] {
        m_rail->setTraining(service->training());
        const LiveRun* run = service->current();
        setWindowTitle(run ? QString::fromStdString(run->row.name) + QStringLiteral(" – Sconce") : QStringLiteral("Sconce"));
    });
    connect(service, &RunService::started, this, [this] {
        if (m_current == PageId::Welcome || m_current == PageId::Compose) goTo(PageId::Live);
    });
    connect(service, &RunService::startFailed, this, [this](const QString& sentence, const QString& remedy) {
        delete findChild<Banner*>(QStringLiteral("banner.startFailed"));
        addBanner(new Banner(QStringLiteral("banner.startFailed"), Token::Error, tr("The run did not start"), (sentence + QLatin1Char(' ') + remedy).trimmed(), this));
    });
    connect(m_studio->runs, &RunList::changed, this, &MainWindow::offerResume);
    if (m_studio->runs->loaded()) offerResume();
}

void MainWindow::offerResume()
{
    if (m_resumeOffered || !m_studio->runs->loaded()) return;
    m_resumeOffered = true; // once a start
    if (!m_settings.value(QStringLiteral("start/offerResume"), true).toBool()) return;
    const QStringList seen = m_settings.value(QStringLiteral("start/resumeDismissed")).toStringList();
    std::vector<const RunRow*> interrupted;
    for (const RunRow& row : m_studio->runs->rows())
        if (row.status == RunStatus::Interrupted && row.resumable && !seen.contains(QString::fromStdString(row.id))) interrupted.push_back(&row);
    if (interrupted.empty()) return;
    const RunRow& newest = *interrupted.front();
    const QString id = QString::fromStdString(newest.id);
    const QString name = QStringLiteral("%1 #%2").arg(QString::fromStdString(newest.name)).arg(newest.number);
    QString text = newest.summary.epochs > 0 ? tr("It stands at epoch %1 of %2 and goes on exactly from its last checkpoint.").arg(newest.summary.epochs).arg(newest.epochsPlanned)
                                             : tr("It goes on exactly from its last checkpoint, or starts afresh.");
    if (interrupted.size() > 1) text += QLatin1Char(' ') + tr("%n other runs were interrupted too.", nullptr, static_cast<int>(interrupted.size()) - 1);
    auto* banner = new Banner(QStringLiteral("banner.resume"), Token::Warn, tr("%1 was interrupted").arg(name), text, this);
    banner->addAction(QStringLiteral("play"), tr("Resume"), [this, id] {
        m_studio->runService->resume(id.toStdString());
        goTo(PageId::Live);
    });
    banner->addAction({}, tr("Show in Runs"), [this, id] { Q_EMIT m_studio->navigator->selectRun(id); });
    QStringList shownNow = seen;
    for (const RunRow* row : interrupted) shownNow << QString::fromStdString(row->id);
    connect(banner, &Banner::dismissed, this, [this, shownNow] { m_settings.setValue(QStringLiteral("start/resumeDismissed"), shownNow.mid(qMax(0, static_cast<int>(shownNow.size()) - 200))); });
    addBanner(banner);
}

void MainWindow::addBanner(Banner* banner)
{
    m_banners->addWidget(banner);
    banner->show();
}

// ---- keys ----

void MainWindow::addShortcuts()
{
    const auto key = [this](const QKeySequence& keys, auto action) { connect(new QShortcut(keys, this), &QShortcut::activated, this, action); };
    for (int i = 0; i < static_cast<int>(pageTable.size()); ++i) {
        const PageId id = pageTable[static_cast<std::size_t>(i)].id;
        key(QKeySequence(Qt::CTRL | static_cast<Qt::Key>(Qt::Key_0 + i)), [this, id] { goTo(id); });
    }
    key(QKeySequence(Qt::CTRL | Qt::Key_Comma), [this] { goTo(PageId::Settings); });
    key(QKeySequence(Qt::Key_F1), [this] { showShortcuts(); });
    key(QKeySequence(Qt::CTRL | Qt::Key_Q), [this] { close(); });
}

void MainWindow::showShortcuts()
{
    if (auto* open = findChild<QDialog*>(QStringLiteral("shortcuts"))) {
        open->raise();
        return;
    }
    auto* sheet = new QDialog(this);
    sheet->setObjectName(QStringLiteral("shortcuts"));
    sheet->setAttribute(Qt::WA_DeleteOnClose);
    sheet->setWindowTitle(tr("Keys"));
    auto* column = new QVBoxLayout(sheet);
    column->setContentsMargins(24, 20, 24, 20);
    column->setSpacing(12);
    column->addWidget(makeLabel(tr("Keys"), FontRole::Title, Token::Text, sheet));
    column->addWidget(makeShortcutTable(sheet));
    auto* close = makeButton({}, tr("Close"), ButtonKind::Normal, sheet);
    connect(close, &QPushButton::clicked, sheet, &QDialog::accept);
    column->addWidget(close, 0, Qt::AlignRight);
    sheet->open();
}

// ---- size ----

void MainWindow::resizeEvent(QResizeEvent* event)
{
    QMainWindow::resizeEvent(event);
    applySizeClass();
}

void MainWindow::applySizeClass()
{
    const bool narrow = width() < 1360, low = height() < 800;
    if (narrow == m_narrow && low == m_low) return;
    m_narrow = narrow;
    m_low = low;
    m_rail->setCompact(narrow);
    m_status->setLow(low);
    for (const auto& [id, page] : m_pages) page->applySizeClass(narrow, low);
}

// ---- drops ----

void MainWindow::dragEnterEvent(QDragEnterEvent* event)
{
    if (m_studio && !droppedRecipe(event->mimeData()).isEmpty()) event->acceptProposedAction();
}

void MainWindow::dropEvent(QDropEvent* event)
{
    const QString path = droppedRecipe(event->mimeData());
    if (path.isEmpty() || !m_studio) return;
    event->acceptProposedAction();
    openRecipeFile(*m_studio, this, path);
}

// ---- closing ----

void MainWindow::closeEvent(QCloseEvent* event)
{
    m_settings.setValue(QStringLiteral("window/geometry"), saveGeometry());
    const bool mustAsk = m_studio && m_closing != Closing::Yes && m_studio->runService->trainsHere();
    if (!mustAsk) {
        event->accept();
        return;
    }
    event->ignore();
    if (m_closing == Closing::No) askBeforeClosing();
}

void MainWindow::askBeforeClosing()
{
    const QString usual = m_settings.value(QStringLiteral("window/whenClosed"), QStringLiteral("ask")).toString();
    int answer = usual == QLatin1String("background") ? 0 : usual == QLatin1String("stop") ? 1 : -1;
    if (answer < 0) {
        const LiveRun* run = m_studio->runService->current();
        answer = ask(this, {tr("A run is training"),
                            tr("%1. It can train on in the background: it moves to a process of its own at a checkpoint, and this window finds it again at the next start. "
                               "Or it stops with a checkpoint, from which it can be resumed exactly.").arg(run ? runLine(*run) : tr("A run is under way")),
                            {tr("Keep training in the background"), tr("Save and stop"), tr("Cancel")}, 0, 2});
    }
    if (answer == 0) {
        handOver();
    } else if (answer == 1) {
        m_closing = Closing::Working;
        showToast(this, tr("Saving a checkpoint, then the window closes."));
        m_studio->runService->saveAndStop([self = QPointer<MainWindow>(this)] {
            if (self) self->finishClosing();
        });
    }
}

void MainWindow::handOver()
{
    m_closing = Closing::Working;
    showToast(this, tr("Moving the run to the background, then the window closes."));
    m_studio->runService->moveToBackground([self = QPointer<MainWindow>(this)](bool ok, const QString& sentence) {
        if (!self) return;
        if (ok) {
            self->finishClosing();
            return;
        }
        self->m_closing = Closing::No;
        ask(self, {tr("The run could not be moved"), tr("%1 It is kept at its last checkpoint; nothing is lost.").arg(sentence), {tr("Back to the window")}, 0, 0});
    });
}

void MainWindow::finishClosing()
{
    m_closing = Closing::Yes;
    // Not from within the service's own callback: closing takes the service down.
    QTimer::singleShot(0, this, &QWidget::close);
}

} // namespace sconce::ui
