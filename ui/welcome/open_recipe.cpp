// SPDX-License-Identifier: GPL-3.0-or-later
#include "ui/welcome/open_recipe.h"

#include "core/base/text.h"
#include "ui/widgets/parts.h"

#include <QCoreApplication>
#include <QFileInfo>

namespace sconce::ui {

void openRecipeFile(Studio& studio, QWidget* window, const QString& path)
{
    studio.jobs->run<Result<ParsedRecipe>>(
        window, [file = path.toStdString()] { return readRecipeFile(file); },
        [&studio, window, path](Result<ParsedRecipe> read) {
            if (!read.ok()) {
                ask(window, {QCoreApplication::translate("OpenRecipe", "The recipe could not be opened"), QString::fromStdString(read.error().text()),
                             {QCoreApplication::translate("OpenRecipe", "Close")}, 0, 0});
                return;
            }
            Q_EMIT studio.navigator->composeRecipe(read->recipe, path);
            if (read->problems.empty()) return;
            const int more = static_cast<int>(read->problems.size()) - 1;
            QString text = QString::fromStdString(read->problems.front().sentence);
            if (more > 0) text += QCoreApplication::translate("OpenRecipe", " And %n more.", nullptr, more);
            showToast(window, text);
        },
        QStringLiteral("open-recipe"));
}

void chooseRecipeFile(Studio& studio, QWidget* window)
{
    const QString path = chooseOpenFile(window, QCoreApplication::translate("OpenRecipe", "Open a recipe"),
                                        QCoreApplication::translate("OpenRecipe", "Recipes (*.sconce *.json)"));
    if (!path.isEmpty()) openRecipeFile(studio, window, path);
}

QString deviceText(const ComputeDevice& device, const MachineFacts& facts)
{
    const QString id = QString::fromStdString(device.id);
    if (id.startsWith(QLatin1String("cuda:"))) return QCoreApplication::translate("OpenRecipe", "GPU %1, %2").arg(id.mid(5), QString::fromStdString(device.name));
    return QCoreApplication::translate("OpenRecipe", "CPU, %1").arg(QString::fromStdString(plural(std::max(1, facts.cpu.usable), "core", "cores")));
}

} // namespace sconce::ui
