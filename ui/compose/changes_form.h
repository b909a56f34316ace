// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
// What a recipe does to pictures while training, in the inspector of the Input card: a form for each of augmentationEntries(), its
// problems at its fields. Edits are the document's, undoable. The window's thread only.

#include "ui/compose/param_form.h"
#include "ui/compose/recipe_document.h"

namespace sconce::ui {

class ChangesForm : public QWidget
{
    Q_OBJECT
  public:
    explicit ChangesForm(RecipeDocument& document, QWidget* parent = nullptr);
    /// Fills the forms from the document. False where there is nothing to set: samples that are no pictures, and no step on.
    bool update();
    void setLabelWidth(int width);

  private:
    RecipeDocument& m_document;
    std::vector<ParamForm*> m_forms; ///< in the order of augmentationEntries()
};

/// Is this problem about the Input card?
bool isAboutInput(const Problem& problem);

} // namespace sconce::ui
