// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
// The layer palette: every entry of the catalogue by group, those used last on top, and a search over names and keywords.
// Enter, double click or a drag adds one.

#include <QStandardItemModel>
#include <QTreeView>
#include <QWidget>

class QLineEdit;
class QLabel;

namespace sconce::ui {

class Settings;

/// Layers by group; what is dragged carries the layer's type.
class PaletteModel : public QStandardItemModel
{
    Q_OBJECT
  public:
    enum Roles { TypeRole = Qt::UserRole + 1, CountRole, IconRole, GroupRole };
    using QStandardItemModel::QStandardItemModel;
    /// Fills the model with the layers that a search finds (all for an empty one); returns how many.
    int fill(const QString& search, const QStringList& recent);
    QStringList mimeTypes() const override;
    QMimeData* mimeData(const QModelIndexList& indexes) const override;
    Qt::DropActions supportedDragActions() const override { return Qt::CopyAction; }
};

class Palette : public QWidget
{
    Q_OBJECT
  public:
    Palette(Settings* settings, QWidget* parent = nullptr);

    QLineEdit* search() const { return m_search; }
    QTreeView* tree() const { return m_tree; }
    /// Puts a layer type on top of *Recent*.
    void used(const QString& type);
    /// Cursor into the search field, its text selected.
    void startSearch();
    /// The type under the keyboard cursor; empty on a group.
    QString currentType() const;

  Q_SIGNALS:
    void addRequested(const QString& type);
    void dismissed(); ///< Escape

  protected:
    bool eventFilter(QObject* object, QEvent* event) override;

  private:
    void refill();
    void addCurrent();
    void rememberOpen();

    Settings* m_settings;
    QLineEdit* m_search = nullptr;
    QTreeView* m_tree = nullptr;
    QLabel* m_nothing = nullptr;
    PaletteModel* m_model = nullptr;
    QStringList m_recent, m_closed;
    bool m_filling = false;
};

} // namespace sconce::ui
