// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
// The header of the Compose page: the recipe's name and state, its data and device at the left; undo, recipes, save and
// start at the right.

#include "ui/compose/recipe_document.h"
#include "ui/services/studio.h"

#include <QWidget>

class QComboBox;
class QHBoxLayout;
class QLabel;
class QLineEdit;
class QPushButton;
class QToolButton;

namespace sconce::ui {

class ElidedLabel;
class RecipeFiles;

class ComposeHeader : public QObject
{
    Q_OBJECT
  public:
    /// Puts its widgets into the two halves of the page's header.
    ComposeHeader(RecipeDocument& document, Studio& studio, RecipeFiles& files, QHBoxLayout* left, QHBoxLayout* right, QWidget* page);

    void setCompact(bool narrow, bool low);
    /// The device that *Train on* stands for now: "cuda:0", "cpu".
    QString resolvedDevice() const;
    QPushButton* startButton() const { return m_start; }

  Q_SIGNALS:
    void startClicked();
    void addDataClicked();
    void dataChosen(const QString& id);

  private:
    QString automaticDevice() const;
    void makeName(QHBoxLayout* left, QWidget* page);
    void makeChoices(QHBoxLayout* left, QWidget* page);
    void makeActions(QHBoxLayout* right, QWidget* page);
    void update();
    void updateState();
    void fillData();
    void fillDevices();
    QString deviceText(const ComputeDevice& device) const;
    std::uint64_t freeMemory(const ComputeDevice& device) const;
    void refreshFreeMemory();

    RecipeDocument& m_document;
    Studio& m_studio;
    RecipeFiles& m_files;
    QLineEdit* m_name = nullptr;
    QToolButton* m_pencil = nullptr;
    ElidedLabel* m_state = nullptr;
    QLabel* m_dataLabel = nullptr;
    QLabel* m_deviceLabel = nullptr;
    QComboBox* m_data = nullptr;
    QComboBox* m_device = nullptr;
    QToolButton* m_undo = nullptr;
    QToolButton* m_redo = nullptr;
    QPushButton* m_recipes = nullptr;
    QPushButton* m_save = nullptr;
    QPushButton* m_start = nullptr;
    bool m_narrow = false;
};

} // namespace sconce::ui
