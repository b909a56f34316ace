// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
// Recipes in and out of the Compose page: files, starters, recent ones. Asks before unsaved changes are lost; reads and
// writes on a background thread.

#include "ui/compose/recipe_document.h"
#include "ui/services/studio.h"

class QMenu;

namespace sconce::ui {

class RecipeFiles : public QObject
{
    Q_OBJECT
  public:
    RecipeFiles(RecipeDocument& document, Studio& studio, QWidget* page);

    static QString filter();
    static bool isRecipeFile(const QString& path);

    void newRecipe();
    void chooseAndOpen();
    void open(const QString& path);
    void openStarter(const std::string& id);
    void openRecipe(const Recipe& recipe, const QString& from);
    /// Saves to the document's file, or asks for one. `then` runs once it is saved.
    void save(std::function<void()> then = {});
    void saveAs(std::function<void()> then = {});
    /// Runs `then` if nothing would be lost, or once the person has said what to do.
    void confirmLosing(std::function<void()> then);
    /// Starters, open, recent files, save as.
    void fillMenu(QMenu* menu);

  Q_SIGNALS:
    void failed(const QString& sentence);
    void noticed(const QString& sentence);

  private:
    void write(const QString& path, std::function<void()> then);
    void remember(const QString& path);
    QStringList recent() const;

    RecipeDocument& m_document;
    Studio& m_studio;
    QWidget* m_page;
};

} // namespace sconce::ui
