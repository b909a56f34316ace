// SPDX-License-Identifier: GPL-3.0-or-later
// What may be done with runs: the verbs of RunsPage, its menu and its small editors.
#include "ui/runs/runs_page.h"

#include "core/base/text.h"
#include "core/training/start_weights.h"
#include "ui/services/words.h"

#include <QAction>
#include <QDesktopServices>
#include <QHBoxLayout>
#include <QHeaderView>
#include <QMenu>
#include <QPlainTextEdit>
#include <QShortcut>
#include <QUrl>
#include <QVBoxLayout>

#include <algorithm>

namespace sconce::ui {

using words::text;

void RunsPage::openOnLive(const RunRow& row)
{
    Q_EMIT m_studio.navigator->goTo(PageId::Live);
    Q_EMIT m_studio.navigator->showRun(text(row.id));
}

void RunsPage::openInCompose(const RunRow& row)
{
    using Read = std::optional<Recipe>;
    m_studio.jobs->run<Read>(
        this,
        [store = m_studio.store, id = row.id]() -> Read {
            auto recipe = store->recipe(id);
            return recipe.ok() ? Read(std::move(recipe).value()) : Read();
        },
        [this, title = words::runTitle(row)](Read recipe) {
            if (!recipe) {
                showToast(this, tr("The recipe of %1 could not be read.").arg(title));
                return;
            }
            Q_EMIT m_studio.navigator->goTo(PageId::Compose);
            Q_EMIT m_studio.navigator->composeRecipe(*recipe, title);
        });
}

void RunsPage::startFrom(const RunRow& row)
{
    using Read = std::shared_ptr<Result<Recipe>>;
    m_studio.jobs->run<Read>(
        this,
        [store = m_studio.store, id = row.id]() -> Read {
            auto recipe = std::make_shared<Result<Recipe>>(store->recipe(id));
            if (!*recipe) return recipe;
            auto start = takeStartWeights(*store, id);
            if (start) setStartWeights((*recipe)->training, *start);
            else *recipe = start.error();
            return recipe;
        },
        [this, title = words::runTitle(row)](const Read& read) {
            if (!*read) {
                ask(this, {tr("The weights of %1 cannot be used").arg(title), text(read->error().text()), {tr("Close")}, 0, 0, false});
                return;
            }
            Q_EMIT m_studio.navigator->goTo(PageId::Compose);
            Q_EMIT m_studio.navigator->composeRecipe(**read, tr("from %1").arg(title));
        });
}

void RunsPage::resume(const RunRow& row)
{
    m_studio.runService->resume(row.id);
    Q_EMIT m_studio.navigator->goTo(PageId::Live);
}

void RunsPage::trainAgain(const RunRow& row)
{
    using Read = std::optional<Recipe>;
    m_studio.jobs->run<Read>(
        this,
        [store = m_studio.store, id = row.id]() -> Read {
            auto recipe = store->recipe(id);
            return recipe.ok() ? Read(std::move(recipe).value()) : Read();
        },
        [this, name = text(row.name)](Read recipe) {
            if (recipe) m_studio.runService->start(*recipe, name);
        });
}

void RunsPage::showFolder(const RunRow& row)
{
    if (!QDesktopServices::openUrl(QUrl::fromLocalFile(text(row.folder)))) {
        ask(this, {tr("No file manager answered"), tr("The run's folder is %1.").arg(text(row.folder)), {tr("Close")}, 0, 0, false});
    }
}

void RunsPage::write(std::function<Result<void>(Store&)> change, const QString& failure)
{
    m_studio.jobs->run<QString>(
        this,
        [store = m_studio.store, change = std::move(change)] {
            const auto done = change(*store);
            return done.ok() ? QString() : text(done.error().text());
        },
        [this, failure](const QString& sentence) {
            m_studio.runs->refresh();
            if (!sentence.isEmpty()) ask(this, {failure, sentence, {tr("Close")}, 0, 0, false});
        });
}

void RunsPage::editTags(const RunRow& row)
{
    QStringList tags;
    for (const std::string& tag : row.tags) tags << text(tag);
    auto* popup = new TextPopup(tr("Tags of %1").arg(words::runTitle(row)), tags.join(QStringLiteral(", ")), tr("baseline, wide"), false, QStringLiteral("runs.tagsField"), this);
    connect(popup, &TextPopup::accepted, this, [this, id = row.id](const QString& words) {
        std::vector<std::string> tags;
        for (const QString& part : words.split(QLatin1Char(','), Qt::SkipEmptyParts)) {
            const std::string tag = part.simplified().left(40).toStdString();
            if (!tag.empty() && std::find(tags.begin(), tags.end(), tag) == tags.end()) tags.push_back(tag);
        }
        write([id, tags](Store& store) { return store.setTags(id, tags); }, tr("The tags were not kept"));
    });
    popup->open(m_tag);
}

void RunsPage::editNote(const RunRow& row)
{
    auto* popup = new TextPopup(tr("Note on %1").arg(words::runTitle(row)), text(row.note), tr("What you want to remember about this run"), true, QStringLiteral("runs.noteField"), this);
    connect(popup, &TextPopup::accepted, this, [this, id = row.id](const QString& words) {
        write([id, note = words.trimmed().left(20000).toStdString()](Store& store) { return store.setNote(id, note); }, tr("The note was not kept"));
    });
    popup->open(m_note);
}

namespace {
/// What a deletion did.
struct Deleted { int count = 0; QString sentence; };
}

void RunsPage::remove()
{
    const auto rows = chosen();
    if (rows.empty()) return;
    for (const RunRow& row : rows) {
        if (row.status != RunStatus::Running && row.status != RunStatus::Paused) continue;
        showToast(this, tr("%1 is training: stop it first.").arg(words::runTitle(row)));
        return;
    }
    // How much goes is looked up first, so that the question can say it.
    m_studio.jobs->run<std::uint64_t>(
        this,
        [rows] {
            std::uint64_t bytes = 0;
            for (const RunRow& row : rows) bytes += folderBytes(row.folder);
            return bytes;
        },
        [this, rows](std::uint64_t bytes) {
            const QString what = rows.size() == 1 ? words::runTitle(rows.front()) : tr("%1 runs").arg(rows.size());
            const QString words = tr("The curves, the recipe and the checkpoints (%1) are removed from this computer. This cannot be undone.").arg(text(bytesText(bytes)));
            if (ask(this, {tr("Delete %1?").arg(what), words, {tr("Delete"), tr("Cancel")}, 1, 1, true}) != 0) return;
            for (const RunRow& row : rows) m_studio.runService->removeFromQueue(row.id);
            m_studio.jobs->run<Deleted>(
                this,
                [store = m_studio.store, rows] {
                    Deleted done;
                    for (const RunRow& row : rows) {
                        const auto result = store->deleteRun(row.id);
                        // Not there any more is what was wanted.
                        if (result.ok() || result.error().code == ErrorCode::NotFound) ++done.count;
                        else done.sentence = text(result.error().text());
                    }
                    return done;
                },
                [this](Deleted done) {
                    m_studio.runs->refresh();
                    refreshBytes();
                    if (!done.sentence.isEmpty()) ask(this, {tr("Not everything was deleted"), done.sentence, {tr("Close")}, 0, 0, false});
                    else showToast(this, tr("Deleted %1.").arg(text(plural(done.count, "run", "runs"))));
                });
        });
}

/// What a click on a head of the table does, for those without a mouse: heads have no keyboard.
void RunsPage::addSorting(QMenu* menu)
{
    QMenu* columns = menu->addMenu(tr("Sort by"));
    columns->setObjectName(QStringLiteral("runs.menu.sort"));
    QHeaderView* header = m_table->horizontalHeader();
    for (int i = 0; i < RunTableModel::ColumnCount; ++i) {
        const QString name = m_proxy->headerData(i, Qt::Horizontal).toString();
        if (name.isEmpty() || m_table->isColumnHidden(i)) continue;
        const bool sorted = header->sortIndicatorSection() == i;
        QAction* action = columns->addAction(name);
        action->setObjectName(QStringLiteral("runs.menu.sort.%1").arg(i));
        action->setCheckable(true);
        action->setChecked(sorted);
        // The same column once more turns the order round, as its head does.
        const auto order = sorted && header->sortIndicatorOrder() == Qt::DescendingOrder ? Qt::AscendingOrder : Qt::DescendingOrder;
        connect(action, &QAction::triggered, this, [this, i, order] { m_table->sortByColumn(i, order); });
    }
}

void RunsPage::showMenu(const QPoint& at)
{
    const auto rows = chosen();
    if (rows.empty()) return;
    auto* menu = new QMenu(this);
    menu->setObjectName(QStringLiteral("runs.menu"));
    menu->setAttribute(Qt::WA_DeleteOnClose);
    const auto add = [&](const char* icon, const QString& words, const char* name, const QKeySequence& keys, bool on, std::function<void()> act) {
        QAction* action = menu->addAction(Theme::instance().icon(QLatin1String(icon), Token::Text2), words);
        action->setObjectName(QLatin1String(name));
        action->setShortcut(keys);
        action->setShortcutVisibleInContextMenu(true);
        action->setEnabled(on);
        connect(action, &QAction::triggered, this, [act = std::move(act)] { act(); });
    };
    const RunRow row = rows.front();
    const bool single = rows.size() == 1;
    const bool alive = std::any_of(rows.begin(), rows.end(), [](const RunRow& r) { return r.status == RunStatus::Running || r.status == RunStatus::Paused; });
    add("live", tr("Show on Live"), "runs.menu.show", QKeySequence(Qt::Key_Return), single, [this, row] { openOnLive(row); });
    if (single && row.resumable && row.status != RunStatus::Finished) {
        add("play", row.status == RunStatus::Queued ? tr("Start") : tr("Resume"), "runs.menu.resume", {}, true, [this, row] { resume(row); });
    }
    add("tryit", tr("Try it"), "runs.menu.tryIt", {}, single && !row.summary.checkpoint.empty(), [this] { m_tryIt->click(); });
    add("compose", tr("Open in Compose"), "runs.menu.compose", {}, single, [this, row] { openInCompose(row); });
    add("compose", tr("Start from these weights"), "runs.menu.startFrom", {}, single && !row.summary.checkpoint.empty(), [this, row] { startFrom(row); });
    add("refresh", tr("Train again"), "runs.menu.again", {}, single, [this, row] { trainAgain(row); });
    menu->addSeparator();
    add("compare", tr("Tick to compare"), "runs.menu.tick", QKeySequence(Qt::Key_Space), true, [this, rows] {
        for (const RunRow& r : rows) m_model->toggle(r.id);
    });
    add("pencil", tr("Rename"), "runs.menu.rename", QKeySequence(Qt::Key_F2), single, [this] { m_rename->click(); });
    add("tag", tr("Tag…"), "runs.menu.tag", {}, single, [this, row] { editTags(row); });
    add("note", tr("Note…"), "runs.menu.note", {}, single, [this, row] { editNote(row); });
    add("folder", tr("Show in folder"), "runs.menu.folder", {}, single, [this, row] { showFolder(row); });
    menu->addSeparator();
    addSorting(menu);
    menu->addSeparator();
    add("trash", tr("Delete…"), "runs.menu.delete", QKeySequence(Qt::Key_Delete), !alive, [this] { remove(); });
    menu->popup(at);
}

// ---- TextPopup ----

TextPopup::TextPopup(const QString& title, const QString& words, const QString& placeholder, bool lines, const QString& name, QWidget* parent)
    : QFrame(parent, Qt::Popup)
{
    setAttribute(Qt::WA_DeleteOnClose);
    setRole(this, "toast");
    auto* column = new QVBoxLayout(this);
    column->setContentsMargins(12, 10, 12, 10);
    column->addWidget(makeLabel(title, FontRole::Strong, Token::Text, this));
    auto* save = makeButton({}, tr("Keep"), ButtonKind::Primary, this);
    save->setObjectName(name + QStringLiteral(".save"));
    if (lines) {
        m_lines = new QPlainTextEdit(words, this);
        m_lines->setObjectName(name);
        m_lines->setPlaceholderText(placeholder);
        m_lines->setAccessibleName(title);
        m_lines->setTabChangesFocus(true);
        m_lines->setFixedSize(360, 120);
        column->addWidget(m_lines);
    } else {
        m_line = new QLineEdit(words, this);
        m_line->setObjectName(name);
        m_line->setPlaceholderText(placeholder);
        m_line->setAccessibleName(title);
        m_line->setMinimumWidth(300);
        column->addWidget(m_line);
        column->addWidget(makeLabel(tr("Separated by commas"), FontRole::Caption, Token::Text2, this));
        connect(m_line, &QLineEdit::returnPressed, save, &QPushButton::click);
    }
    column->addWidget(save, 0, Qt::AlignRight);
    const auto accept = [this] {
        const QString result = text();
        close();
        Q_EMIT accepted(result);
    };
    connect(save, &QPushButton::clicked, this, accept);
    auto* keys = new QShortcut(QKeySequence(Qt::CTRL | Qt::Key_Return), this);
    connect(keys, &QShortcut::activated, save, &QPushButton::click);
}

QString TextPopup::text() const { return m_line ? m_line->text() : m_lines->toPlainText(); }

void TextPopup::open(QWidget* below)
{
    adjustSize();
    const QRect frame(below->window()->mapToGlobal(QPoint(0, 0)), below->window()->size());
    const QPoint under = below->mapToGlobal(QPoint(0, below->height() + 4));
    move(std::clamp(under.x(), frame.left() + 8, std::max(frame.left() + 8, frame.right() - width() - 8)), under.y());
    show();
    if (m_line) m_line->setFocus();
    else m_lines->setFocus();
}

} // namespace sconce::ui
