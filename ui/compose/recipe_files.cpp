// SPDX-License-Identifier: GPL-3.0-or-later
#include "ui/compose/recipe_files.h"

#include "core/base/files.h"
#include "ui/widgets/parts.h"

#include <QFileInfo>
#include <QMenu>

namespace sconce::ui {

namespace {

constexpr int recentFiles = 8;
const QString recentKey = QStringLiteral("compose/recentFiles");
using Read = std::shared_ptr<Result<ParsedRecipe>>;

QString text(const std::string& value) { return QString::fromStdString(value); }

/// What could not be read, in words for the notice.
QString readingProblems(const std::vector<Problem>& problems)
{
    QString words = text(problems.front().sentence);
    if (problems.size() > 1) words += RecipeFiles::tr(" And %1 more like it.").arg(problems.size() - 1);
    return RecipeFiles::tr("Not everything in the file could be read. ") + words;
}

} // namespace

RecipeFiles::RecipeFiles(RecipeDocument& document, Studio& studio, QWidget* page)
    : QObject(page), m_document(document), m_studio(studio), m_page(page)
{
}

QString RecipeFiles::filter()
{
    return tr("Sconce recipes (*.sconce *.json)");
}

bool RecipeFiles::isRecipeFile(const QString& path)
{
    return path.endsWith(QLatin1String(".sconce"), Qt::CaseInsensitive) || path.endsWith(QLatin1String(".json"), Qt::CaseInsensitive);
}

void RecipeFiles::confirmLosing(std::function<void()> then)
{
    if (!m_document.dirty()) return then();
    const Question question{tr("Save changes first?"),
                            tr("The recipe %1 has changes that are not saved.").arg(text(m_document.recipe().name)),
                            {tr("Save"), tr("Don't save"), tr("Cancel")}, 0, 2, false};
    switch (ask(m_page, question)) {
    case 0: save(std::move(then)); break;
    case 1: then(); break;
    default: break;
    }
}

void RecipeFiles::newRecipe()
{
    confirmLosing([this] {
        Recipe recipe;
        recipe.data.dataset = m_document.recipe().data.dataset;
        m_document.load(std::move(recipe), {{}, tr("New recipe"), false, {}});
    });
}

void RecipeFiles::openStarter(const std::string& id)
{
    if (const StarterRecipe* starter = findStarter(id))
        confirmLosing([this, starter] { m_document.load(starter->recipe, {{}, tr("Starter recipe"), false, {}}); });
}

void RecipeFiles::openRecipe(const Recipe& recipe, const QString& from)
{
    if (recipe == m_document.recipe()) return;
    confirmLosing([this, recipe, from] { m_document.load(recipe, {{}, from, false, {}}); });
}

void RecipeFiles::chooseAndOpen()
{
    const QString path = chooseOpenFile(m_page, tr("Open a recipe"), filter());
    if (!path.isEmpty()) open(path);
}

void RecipeFiles::open(const QString& path)
{
    confirmLosing([this, path] {
        m_studio.jobs->run<Read>(
            this, [file = path.toStdString()] { return std::make_shared<Result<ParsedRecipe>>(readRecipeFile(file)); },
            [this, path](Read read) {
                if (!read->ok()) {
                    Q_EMIT failed(text(read->error().text()));
                    return;
                }
                ParsedRecipe& parsed = read->value();
                const bool whole = parsed.problems.empty();
                const QString words = whole ? QString() : readingProblems(parsed.problems);
                m_document.load(std::move(parsed.recipe), {path, {}, !whole, QFileInfo(path).lastModified()});
                remember(path);
                if (!whole) Q_EMIT failed(words);
            },
            QStringLiteral("compose.open"));
    });
}

void RecipeFiles::save(std::function<void()> then)
{
    const QString path = m_document.origin().path;
    if (path.isEmpty()) saveAs(std::move(then));
    else write(path, std::move(then));
}

void RecipeFiles::saveAs(std::function<void()> then)
{
    QString suggested = text(m_document.recipe().name);
    suggested.replace(QLatin1Char('/'), QLatin1Char('-'));
    QString path = chooseSaveFile(m_page, tr("Save the recipe"), suggested + QStringLiteral(".sconce"), filter());
    if (path.isEmpty()) return;
    if (!isRecipeFile(path)) path += QStringLiteral(".sconce");
    write(path, std::move(then));
}

void RecipeFiles::write(const QString& path, std::function<void()> then)
{
    const Recipe recipe = m_document.recipe();
    m_studio.jobs->run<std::string>(
        this,
        [file = path.toStdString(), recipe]() -> std::string {
            const auto written = writeFileDurably(file, recipeText(recipe));
            return written ? std::string() : written.error().text();
        },
        [this, path, recipe, then = std::move(then)](std::string wrong) {
            if (!wrong.empty()) {
                Q_EMIT failed(text(wrong));
                return;
            }
            m_document.markSaved(path, recipe);
            remember(path);
            if (then) then();
        });
}

QStringList RecipeFiles::recent() const
{
    return m_studio.settings ? m_studio.settings->value(recentKey).toStringList() : QStringList();
}

void RecipeFiles::remember(const QString& path)
{
    if (!m_studio.settings) return;
    QStringList files = recent();
    files.removeAll(path);
    files.prepend(path);
    while (files.size() > recentFiles) files.removeLast();
    m_studio.settings->setValue(recentKey, files);
}

void RecipeFiles::fillMenu(QMenu* menu)
{
    menu->clear();
    menu->addSection(tr("Starter recipes"));
    for (const StarterRecipe& starter : starterRecipes()) {
        QAction* action = menu->addAction(text(starter.title), this, [this, id = starter.id] { openStarter(id); });
        action->setObjectName(QStringLiteral("compose.recipes.") + text(starter.id));
        action->setToolTip(text(starter.help));
    }
    menu->addSeparator();
    menu->addAction(tr("New recipe"), this, [this] { newRecipe(); })->setObjectName(QStringLiteral("compose.recipes.new"));
    menu->addAction(tr("Open a file…"), this, [this] { chooseAndOpen(); })->setObjectName(QStringLiteral("compose.recipes.open"));
    menu->addAction(tr("Save as…"), this, [this] { saveAs(); })->setObjectName(QStringLiteral("compose.recipes.saveAs"));
    const QStringList files = recent();
    if (!files.isEmpty()) menu->addSeparator();
    for (const QString& file : files) {
        QAction* action = menu->addAction(QFileInfo(file).fileName(), this, [this, file] { open(file); });
        action->setToolTip(file);
    }
    menu->setToolTipsVisible(true);
}

} // namespace sconce::ui
