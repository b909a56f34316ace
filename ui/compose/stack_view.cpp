// SPDX-License-Identifier: GPL-3.0-or-later
#include "ui/compose/stack_view.h"

#include "core/model/catalogue.h"
#include "ui/theme/theme.h"

#include <QAction>
#include <QApplication>
#include <QClipboard>
#include <QContextMenuEvent>
#include <QDrag>
#include <QMenu>
#include <QMimeData>
#include <QMouseEvent>
#include <QPainter>
#include <QScrollBar>

namespace sconce::ui {

StackView::StackView(RecipeDocument& document, StackModel& model, QWidget* parent)
    : QListView(parent), m_document(document), m_model(model), m_delegate(new StackDelegate(model, this))
{
    setObjectName(QStringLiteral("compose.stack"));
    setAccessibleName(tr("Layers of the network, from input to output"));
    setModel(&model);
    setItemDelegate(m_delegate);
    setSelectionMode(QAbstractItemView::ExtendedSelection);
    setVerticalScrollMode(QAbstractItemView::ScrollPerPixel);
    setHorizontalScrollBarPolicy(Qt::ScrollBarAlwaysOff);
    setResizeMode(QListView::Adjust);
    setDragEnabled(true);
    setAcceptDrops(true);
    setDropIndicatorShown(false); // painted here, at the depth where the layer would land
    setDragDropMode(QAbstractItemView::DragDrop);
    setDefaultDropAction(Qt::MoveAction);
    setMouseTracking(true);
    setFrameShape(QFrame::NoFrame);
    setUniformItemSizes(false);
    viewport()->setAutoFillBackground(false);
    makeActions();
    connect(&model, &StackModel::layersAppeared, this, [this](const std::vector<LayerId>& ids) { selectLayers(ids); });
    connect(&model, &QAbstractItemModel::rowsRemoved, this, [this] { afterRemoval(); });
    connect(&model, &StackModel::refreshed, this, [this] { updateActions(); });
    connect(&model, &QAbstractItemModel::modelReset, this, [this] { Q_EMIT selectionMoved(); });
    updateActions();
}

void StackView::setMetrics(StackMetrics metrics)
{
    m_delegate->setMetrics(metrics);
    doItemsLayout();
    viewport()->update();
}

// ---- selection ----

std::vector<LayerId> StackView::selectedLayers() const
{
    QModelIndexList indexes = selectionModel()->selectedIndexes();
    std::sort(indexes.begin(), indexes.end());
    return m_model.idsOf(indexes);
}

void StackView::selectLayers(const std::vector<LayerId>& ids)
{
    QItemSelection selection;
    int first = -1;
    for (const LayerId& id : topmost(m_document.recipe().stack, ids)) {
        const int row = m_model.rowOf(id);
        if (row < 0) continue;
        selection.select(m_model.index(row), m_model.index(row));
        if (first < 0) first = row;
    }
    if (first < 0) return;
    selectionModel()->setCurrentIndex(m_model.index(first), QItemSelectionModel::NoUpdate);
    selectionModel()->select(selection, QItemSelectionModel::ClearAndSelect);
    scrollTo(m_model.index(first));
}

int StackView::currentRow() const
{
    const QModelIndex current = currentIndex();
    if (current.isValid() && selectionModel()->isSelected(current)) return current.row();
    const QModelIndexList selected = selectionModel()->selectedIndexes();
    return selected.isEmpty() ? -1 : selected.first().row();
}

StackPlace StackView::insertionPlace() const
{
    return m_model.placeAfter(currentRow());
}

void StackView::selectionChanged(const QItemSelection& selected, const QItemSelection& deselected)
{
    QListView::selectionChanged(selected, deselected);
    if (currentRow() >= 0) m_lastRow = currentRow();
    updateActions();
    Q_EMIT selectionMoved();
}

void StackView::currentChanged(const QModelIndex& current, const QModelIndex& previous)
{
    QListView::currentChanged(current, previous);
    updateActions();
}

void StackView::afterRemoval()
{
    if (!selectionModel()->selectedIndexes().isEmpty()) return;
    int row = std::min(m_lastRow, m_model.rowCount() - 1);
    while (row > 0 && !(m_model.flags(m_model.index(row)) & Qt::ItemIsSelectable)) --row;
    if (m_model.row(row).kind == RowKind::Output || m_model.row(row).kind == RowKind::Add) row = std::max(0, row - 1);
    if (row >= 0) selectionModel()->setCurrentIndex(m_model.index(row), QItemSelectionModel::ClearAndSelect);
}

// ---- verbs ----

QAction* StackView::addAction(const char* name, const QString& text, const QKeySequence& keys, const std::function<void()>& run)
{
    auto* action = new QAction(text, this);
    action->setObjectName(QStringLiteral("compose.stack.") + QLatin1String(name));
    action->setShortcut(keys);
    action->setShortcutContext(Qt::WidgetShortcut); // Ctrl+C in a field of the inspector is the field's
    connect(action, &QAction::triggered, this, run);
    QWidget::addAction(action);
    m_actions << action;
    return action;
}

QAction* StackView::action(const char* name) const
{
    for (QAction* action : m_actions)
        if (action->objectName() == QStringLiteral("compose.stack.") + QLatin1String(name)) return action;
    return nullptr;
}

void StackView::makeActions()
{
    addAction("add", tr("Add a layer after this…"), QKeySequence(Qt::Key_Insert), [this] { Q_EMIT addRequested(); });
    addAction("duplicate", tr("Duplicate"), QKeySequence(Qt::CTRL | Qt::Key_D), [this] { duplicateSelection(); });
    addAction("copy", tr("Copy"), QKeySequence::Copy, [this] { copySelection(); });
    addAction("cut", tr("Cut"), QKeySequence::Cut, [this] { cutSelection(); });
    addAction("paste", tr("Paste"), QKeySequence::Paste, [this] { pasteClipboard(); });
    addAction("up", tr("Move up"), QKeySequence(Qt::ALT | Qt::Key_Up), [this] { moveSelection(-1); });
    addAction("down", tr("Move down"), QKeySequence(Qt::ALT | Qt::Key_Down), [this] { moveSelection(1); });
    addAction("inside", tr("Move into the block above"), QKeySequence(Qt::ALT | Qt::Key_Right), [this] { moveIntoBlock(); });
    addAction("outside", tr("Move out of its block"), QKeySequence(Qt::ALT | Qt::Key_Left), [this] { moveOutOfBlock(); });
    addAction("delete", tr("Delete"), QKeySequence(Qt::Key_Delete), [this] { deleteSelection(); });
}

void StackView::updateActions()
{
    if (m_actions.isEmpty()) return;
    const Stack& stack = m_document.recipe().stack;
    const std::vector<LayerId> chosen = topmost(stack, selectedLayers());
    const bool any = !chosen.empty();
    for (const char* name : {"duplicate", "copy", "cut", "delete"}) action(name)->setEnabled(any);
    action("up")->setEnabled(any && placeAbove(stack, chosen.front()));
    action("down")->setEnabled(any && placeBelow(stack, chosen.back()));
    action("inside")->setEnabled(any && placeInside(stack, chosen.front()));
    action("outside")->setEnabled(any && placeOutside(stack, chosen.back()));
}

void StackView::copySelection()
{
    const std::vector<LayerId> ids = selectedLayers();
    if (!ids.empty()) QApplication::clipboard()->setText(QString::fromStdString(layersText(m_document.recipe().stack, ids)));
}

void StackView::cutSelection()
{
    copySelection();
    deleteSelection();
}

void StackView::pasteClipboard()
{
    const auto layers = layersFromText(QApplication::clipboard()->text().toStdString());
    if (!layers) Q_EMIT m_document.refused(QString::fromStdString(layers.error().text()));
    else m_document.paste(*layers, insertionPlace(), tr("Paste layers"));
}

void StackView::duplicateSelection()
{
    m_document.duplicate(selectedLayers());
}

void StackView::deleteSelection()
{
    m_document.remove(selectedLayers());
}

void StackView::moveSelection(int direction)
{
    const std::vector<LayerId> ids = topmost(m_document.recipe().stack, selectedLayers());
    if (ids.empty()) return;
    const auto place = direction < 0 ? placeAbove(m_document.recipe().stack, ids.front())
                                     : placeBelow(m_document.recipe().stack, ids.back());
    if (place && m_document.move(ids, *place)) selectLayers(ids);
}

void StackView::moveIntoBlock()
{
    const std::vector<LayerId> ids = topmost(m_document.recipe().stack, selectedLayers());
    const auto place = ids.empty() ? std::nullopt : placeInside(m_document.recipe().stack, ids.front());
    if (place && m_document.move(ids, *place)) selectLayers(ids);
}

void StackView::moveOutOfBlock()
{
    const std::vector<LayerId> ids = topmost(m_document.recipe().stack, selectedLayers());
    const auto place = ids.empty() ? std::nullopt : placeOutside(m_document.recipe().stack, ids.back());
    if (place && m_document.move(ids, *place)) selectLayers(ids);
}

QMenu* StackView::makeMenu()
{
    auto* menu = new QMenu(this);
    menu->setObjectName(QStringLiteral("compose.stack.menu"));
    const int row = currentRow();
    const bool onBranch = row >= 0 && m_model.row(row).kind == RowKind::BranchEnd;
    const Layer* layer = row >= 0 ? findLayer(m_document.recipe().stack, m_model.row(row).id) : nullptr;
    const LayerEntry* entry = layer ? findLayerEntry(layer->type) : nullptr;
    for (QAction* action : m_actions) {
        const QString name = action->objectName();
        if ((name.endsWith(QLatin1String(".inside")) || name.endsWith(QLatin1String(".outside"))) && !action->isEnabled()) continue;
        if (name.endsWith(QLatin1String(".duplicate")) || name.endsWith(QLatin1String(".up")) || name.endsWith(QLatin1String(".delete")))
            menu->addSeparator();
        menu->addAction(action);
    }
    if (entry && entry->isBlock()) {
        menu->addSeparator();
        const int count = static_cast<int>(layer->branches.size());
        const LayerId block = layer->id;
        QAction* more = menu->addAction(tr("Add a branch"), this, [this, block] { m_document.addBranch(block); });
        more->setEnabled(count < entry->maxBranches);
        const int branch = onBranch ? m_model.row(row).branch : count - 1;
        QAction* less = menu->addAction(tr("Delete branch %1").arg(branch + 1), this,
                                        [this, block, branch] { m_document.removeBranch(block, branch); });
        less->setEnabled(count > entry->minBranches);
    }
    return menu;
}

// ---- drag and drop ----

void StackView::startDrag(Qt::DropActions)
{
    const QModelIndexList indexes = selectionModel()->selectedIndexes();
    QMimeData* mime = m_model.mimeData(indexes);
    if (!mime) return;
    QModelIndex shown = currentIndex();
    if (!shown.isValid() || m_model.row(shown.row()).kind != RowKind::Layer) shown = indexes.first();
    const QRect row = visualRect(shown);
    auto* drag = new QDrag(this);
    drag->setMimeData(mime);
    drag->setPixmap(viewport()->grab(row.adjusted(metrics().margin(), 0, -metrics().margin(), -metrics().gap())));
    drag->setHotSpot(QPoint(40, 20));
    drag->exec(Qt::MoveAction | Qt::CopyAction, Qt::MoveAction); // the drop did the edit: nothing is left to remove
    showDropRow(-1);
}

int StackView::dropRowAt(const QPoint& position) const
{
    const QModelIndex index = indexAt(QPoint(viewport()->width() / 2, position.y()));
    if (!index.isValid()) return m_model.rowCount();
    const QRect rect = visualRect(index);
    const RowKind kind = m_model.row(index.row()).kind;
    // A slot takes what is dropped anywhere on it; a card parts above and below its middle.
    if (kind == RowKind::BranchEnd || kind == RowKind::Add || kind == RowKind::Output || kind == RowKind::BranchHead) return index.row();
    if (kind == RowKind::Input) return 1;
    return position.y() < rect.center().y() - metrics().gap() / 2 ? index.row() : index.row() + 1;
}

void StackView::showDropRow(int row)
{
    if (row == m_dropRow) return;
    m_dropRow = row;
    viewport()->update();
}

void StackView::dragEnterEvent(QDragEnterEvent* event)
{
    const QMimeData* mime = event->mimeData();
    if (mime->hasFormat(QLatin1String(StackModel::layersMime)) || mime->hasFormat(QLatin1String(StackModel::typeMime))) {
        setState(QAbstractItemView::DraggingState);
        event->acceptProposedAction();
    } else {
        event->ignore(); // a recipe file: the page takes it
    }
}

void StackView::dragMoveEvent(QDragMoveEvent* event)
{
    QAbstractItemView::dragMoveEvent(event); // scrolls by itself near the edges
    const int row = dropRowAt(event->position().toPoint());
    if (m_model.canDropMimeData(event->mimeData(), event->proposedAction(), row, 0, {})) {
        showDropRow(row);
        event->acceptProposedAction();
    } else {
        showDropRow(-1);
        event->ignore();
    }
}

void StackView::dragLeaveEvent(QDragLeaveEvent* event)
{
    showDropRow(-1);
    QListView::dragLeaveEvent(event);
}

void StackView::dropEvent(QDropEvent* event)
{
    const int row = dropRowAt(event->position().toPoint());
    const std::vector<LayerId> own = m_model.ownLayers(event->mimeData());
    const Qt::DropAction action = own.empty() ? Qt::CopyAction : event->proposedAction();
    if (m_model.dropMimeData(event->mimeData(), action, row, 0, {})) {
        event->setDropAction(action);
        event->accept();
        if (action == Qt::MoveAction) selectLayers(own);
        setFocus(Qt::MouseFocusReason);
    } else {
        event->ignore();
    }
    showDropRow(-1);
    stopAutoScroll();
    setState(QAbstractItemView::NoState);
}

void StackView::paintEvent(QPaintEvent* event)
{
    QListView::paintEvent(event);
    if (m_dropRow < 0) return;
    const int last = m_model.rowCount() - 1;
    int row = std::min(m_dropRow, last);
    if (row == last) row = last - 1; // above Output, where it will stand
    const StackRow& what = m_model.row(row);
    const QRect rect = visualRect(m_model.index(row));
    const int depth = depthAt(m_document.recipe().stack, m_model.placeBefore(m_dropRow));
    const int left = metrics().margin() + depth * metrics().indent();
    int y = rect.top() - metrics().gap() / 2;
    if (what.kind == RowKind::BranchHead) y = rect.bottom() - metrics().gap() / 2;
    QPainter painter(viewport());
    painter.setRenderHint(QPainter::Antialiasing);
    painter.setPen(Qt::NoPen);
    painter.setBrush(color(Token::Accent));
    painter.drawRoundedRect(QRectF(left, y - 1, viewport()->width() - metrics().margin() - left, 3), 1.5, 1.5);
    painter.drawEllipse(QPointF(left, y + 0.5), 4, 4);
}

// ---- mouse and keys ----

void StackView::mousePressEvent(QMouseEvent* event)
{
    const QModelIndex index = indexAt(event->pos());
    if (!index.isValid() || event->button() != Qt::LeftButton) return QListView::mousePressEvent(event);
    const StackRow& what = m_model.row(index.row());
    const StackColumns at = StackColumns::of(visualRect(index), what, metrics());
    if (what.kind == RowKind::Layer && at.menu.contains(event->pos())) {
        if (!selectionModel()->isSelected(index)) selectionModel()->setCurrentIndex(index, QItemSelectionModel::ClearAndSelect);
        QMenu* menu = makeMenu();
        menu->setAttribute(Qt::WA_DeleteOnClose);
        menu->popup(viewport()->mapToGlobal(at.menu.bottomLeft()));
        return;
    }
    QListView::mousePressEvent(event);
    if (what.kind == RowKind::Add || what.kind == RowKind::BranchEnd) Q_EMIT addRequested();
}

void StackView::mouseMoveEvent(QMouseEvent* event)
{
    QListView::mouseMoveEvent(event);
    const QModelIndex index = indexAt(event->pos());
    bool onMenu = false;
    if (index.isValid())
        onMenu = StackColumns::of(visualRect(index), m_model.row(index.row()), metrics()).menu.contains(event->pos());
    m_delegate->setHover(index.isValid() ? index.row() : -1, onMenu);
    viewport()->update();
}

void StackView::leaveEvent(QEvent* event)
{
    m_delegate->setHover(-1, false);
    viewport()->update();
    QListView::leaveEvent(event);
}

void StackView::keyPressEvent(QKeyEvent* event)
{
    if (event->key() == Qt::Key_Return || event->key() == Qt::Key_Enter) {
        if (event->modifiers() & Qt::ControlModifier) return event->ignore(); // Start training is the page's
        const int row = currentRow();
        const RowKind kind = row < 0 ? RowKind::Add : m_model.row(row).kind;
        if (kind == RowKind::Add || kind == RowKind::BranchEnd) Q_EMIT addRequested();
        else Q_EMIT editRequested();
        return;
    }
    QListView::keyPressEvent(event);
}

void StackView::contextMenuEvent(QContextMenuEvent* event)
{
    QPoint where = event->globalPos();
    if (event->reason() == QContextMenuEvent::Mouse) {
        const QModelIndex index = indexAt(event->pos());
        if (index.isValid() && !selectionModel()->isSelected(index))
            selectionModel()->setCurrentIndex(index, QItemSelectionModel::ClearAndSelect);
    } else if (currentIndex().isValid()) {
        where = viewport()->mapToGlobal(visualRect(currentIndex()).center());
    }
    QMenu* menu = makeMenu();
    menu->setAttribute(Qt::WA_DeleteOnClose);
    menu->popup(where);
}

// ---- titles of the columns ----

StackHeader::StackHeader(StackView& view, QWidget* parent) : QWidget(parent), m_view(view)
{
    setSizePolicy(QSizePolicy::Preferred, QSizePolicy::Fixed);
}

QSize StackHeader::sizeHint() const
{
    return {400, m_view.metrics().low ? 28 : 36};
}

void StackHeader::paintEvent(QPaintEvent*)
{
    QPainter painter(this);
    painter.setFont(ui::font(FontRole::Caption));
    painter.setPen(color(Token::Text3));
    const QRect row(0, 0, m_view.viewport()->width(), height() + m_view.metrics().gap());
    const StackColumns at = StackColumns::of(row, StackRow{}, m_view.metrics());
    const int right = Qt::AlignRight | Qt::AlignVCenter;
    painter.drawText(at.text, Qt::AlignLeft | Qt::AlignVCenter, tr("Layer"));
    painter.drawText(at.shape, right, tr("Output"));
    painter.drawText(at.parameters.adjusted(-12, 0, 0, 0), right, tr("Parameters"));
    if (m_view.metrics().compute()) painter.drawText(at.compute.adjusted(-8, 0, 0, 0), right, tr("Compute"));
}

} // namespace sconce::ui
