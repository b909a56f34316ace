// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
// The stack as a flat list of rows for a QListView: Input, the layers (those of blocks indented between the marks of their
// branches), Output and a row for adding. Rows hold what the delegate paints. A change of the document becomes the fewest
// row signals, so that selection, scroll position and screen readers follow. The window's thread only.

#include "ui/compose/recipe_document.h"

#include <QAbstractListModel>

namespace sconce::ui {

enum class RowKind { Input, Layer, BranchHead, BranchEnd, Output, Add };

struct StackRow
{
    RowKind kind = RowKind::Layer;
    LayerId id;        ///< of the layer; of the block for branch rows
    int branch = 0;
    int depth = 0;
    bool block = false, frozen = false;
    QString number, title, summary, shape, parameters, compute, icon;
    double parameterShare = -1, computeShare = -1; ///< 0…1; -1: unknown, no bar
    bool problem = false, hint = false;            ///< summary then holds the brief sentence
    bool operator==(const StackRow&) const = default;
    /// What the row stands for, whatever it shows.
    QString key() const;
};

class StackModel : public QAbstractListModel
{
    Q_OBJECT
  public:
    static constexpr const char* layersMime = "application/x-sconce-layers";
    static constexpr const char* typeMime = "application/x-sconce-layer-type";
    enum Roles { KindRole = Qt::UserRole + 1, IdRole, ShapeRole, ParametersRole, ComputeRole, SummaryRole, DepthRole, ProblemRole };

    explicit StackModel(RecipeDocument& document, QObject* parent = nullptr);

    const StackRow& row(int index) const { return m_rows[static_cast<std::size_t>(index)]; }
    int rowOf(const LayerId& id) const; ///< -1 if it has none
    /// Where something dropped right above this row goes (rowCount: the end).
    StackPlace placeBefore(int row) const;
    /// Where something added while this row is current goes.
    StackPlace placeAfter(int row) const;
    std::vector<LayerId> idsOf(const QModelIndexList& indexes) const;

    int rowCount(const QModelIndex& parent = {}) const override;
    QVariant data(const QModelIndex& index, int role) const override;
    Qt::ItemFlags flags(const QModelIndex& index) const override;
    Qt::DropActions supportedDropActions() const override { return Qt::MoveAction | Qt::CopyAction; }
    Qt::DropActions supportedDragActions() const override { return Qt::MoveAction | Qt::CopyAction; }
    QStringList mimeTypes() const override;
    QMimeData* mimeData(const QModelIndexList& indexes) const override;
    bool canDropMimeData(const QMimeData* data, Qt::DropAction action, int row, int column, const QModelIndex& parent) const override;
    bool dropMimeData(const QMimeData* data, Qt::DropAction action, int row, int column, const QModelIndex& parent) override;
    bool moveRows(const QModelIndex& sourceParent, int sourceRow, int count, const QModelIndex& destinationParent, int destinationChild) override;
    bool removeRows(int row, int count, const QModelIndex& parent = {}) override;
    /// Ids of a drag of this document's own layers; empty for anything else.
    std::vector<LayerId> ownLayers(const QMimeData* data) const;

  Q_SIGNALS:
    /// Layers that an edit (or undo) brought in; views select them.
    void layersAppeared(const std::vector<sconce::LayerId>& ids);
    void refreshed();

  private:
    void update();
    std::vector<StackRow> build() const;
    void addRows(const Stack& stack, int depth, std::vector<StackRow>& rows) const;
    StackRow layerRow(const Layer& layer, int index, int depth) const;
    StackRow inputRow() const;
    StackRow outputRow() const;

    RecipeDocument& m_document;
    std::vector<StackRow> m_rows;
};

} // namespace sconce::ui
