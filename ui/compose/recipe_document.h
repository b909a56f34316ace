// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
// The recipe being composed: one value, edited through undoable commands, with everything that is known about it (shapes,
// problems, estimate) recomputed at each edit, which takes well under a frame. Views read it and call its verbs; nobody
// else changes the recipe. The window's thread only.

#include "core/recipe/estimate.h"
#include "ui/compose/stack_edits.h"

#include <QDateTime>
#include <QObject>
#include <QUndoStack>

#include <functional>

namespace sconce::ui {

class RecipeDocument : public QObject
{
    Q_OBJECT
  public:
    /// What the document must ask of its surroundings.
    struct Context
    {
        std::function<std::optional<DataFacts>(const DatasetId&)> facts;        ///< of a data set, real or assumed
        std::function<std::vector<Problem>(const Recipe&)> further;             ///< this machine's: device, data at hand
    };
    /// Where a recipe came from.
    struct Origin
    {
        QString path;      ///< file; empty if it has none
        QString title;     ///< in words where there is no file: "starter recipe", "from run #12"
        bool unsaved = false; ///< counts as changed from the start (restored draft)
        QDateTime saved;   ///< of the file
    };

    explicit RecipeDocument(Context context, QObject* parent = nullptr);
    ~RecipeDocument() override;

    const Recipe& recipe() const { return m_recipe; }
    const std::optional<DataFacts>& facts() const { return m_facts; }
    const StackReport& report() const { return m_report; }
    const LayerReport* reportOf(const LayerId& id) const;
    const std::vector<Problem>& problems() const { return m_problems; }
    const std::optional<Estimate>& estimate() const { return m_estimate; }
    bool startable() const { return !blocksStart(m_problems); }
    /// The first problem of a layer; nullptr if it has none. Problems come before hints.
    const Problem* problemOf(const LayerId& id) const;
    /// The problem of the network's end as a whole (what the task demands of the output); nullptr if none.
    const Problem* outputProblem() const;

    QUndoStack& undoStack() { return m_undo; }
    bool dirty() const { return !m_reference || !(*m_reference == m_recipe); }
    const Origin& origin() const { return m_origin; }

    /// Replaces the document; clears the undo history.
    void load(Recipe recipe, Origin origin);
    /// After a successful save of `saved` (which may be older than what stands here now).
    void markSaved(const QString& path, const Recipe& saved);
    /// Computes everything anew: the data sets or devices known have changed.
    void refresh();

    // ---- edits: each is one undoable command; false if nothing changed ----
    /// Consecutive edits with the same non-empty mergeKey become one command (typing).
    bool edit(const QString& what, Recipe next, const QString& mergeKey = {});
    bool change(const QString& what, const std::function<void(Recipe&)>& change, const QString& mergeKey = {});
    bool setName(const QString& name);
    bool setDataset(const DatasetId& id);
    LayerId addLayer(const std::string& type, const StackPlace& place);
    std::vector<LayerId> paste(const std::vector<Layer>& layers, const StackPlace& place, const QString& what);
    std::vector<LayerId> duplicate(const std::vector<LayerId>& ids);
    bool remove(const std::vector<LayerId>& ids);
    bool move(const std::vector<LayerId>& ids, const StackPlace& place);
    bool setParam(const std::vector<LayerId>& ids, const std::string& param, const ParamValue& value);
    bool addBranch(const LayerId& block);
    bool removeBranch(const LayerId& block, int branch);
    /// A sentence if the name cannot be taken, else empty; an empty answer means it was renamed.
    QString renameLayer(const LayerId& id, const QString& name);
    bool fix(const Fix& fix);
    /// The first fix of each problem in turn until none is left or nothing helps any more: one command.
    int fixAll();
    /// What fixAll() would try: problems (not hints) that offer a fix.
    int fixableCount() const;

  Q_SIGNALS:
    void changed();                       ///< the recipe or what is known about it
    void loaded();                        ///< another document altogether
    void stateChanged();                  ///< saved, dirty, file name
    void refused(const QString& sentence);///< an edit that cannot be done, and why

  private:
    class EditCommand;
    void put(const Recipe& recipe);
    void recompute();

    Context m_context;
    Recipe m_recipe;
    std::optional<Recipe> m_reference; ///< as saved or loaded; nullopt: unknown, counts as changed
    Origin m_origin;
    std::optional<DataFacts> m_facts;
    StackReport m_report;
    std::vector<Problem> m_problems;
    std::optional<Estimate> m_estimate;
    QUndoStack m_undo;
};

/// The clipboard's text of some layers, and back. Empty where the text holds none.
std::string layersText(const Stack& root, const std::vector<LayerId>& ids);
Result<std::vector<Layer>> layersFromText(const std::string& text);

} // namespace sconce::ui
