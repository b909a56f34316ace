// SPDX-License-Identifier: GPL-3.0-or-later
#include "ui/compose/palette.h"

#include "core/model/catalogue.h"
#include "ui/compose/stack_model.h"
#include "ui/services/studio.h"
#include "ui/widgets/parts.h"

#include <QKeyEvent>
#include <QLineEdit>
#include <QMimeData>
#include <QPainter>
#include <QScrollBar>
#include <QStyledItemDelegate>
#include <QVBoxLayout>

#include <algorithm>

namespace sconce::ui {

namespace {

constexpr int recentShown = 5;
const QString recentKey = QStringLiteral("compose/recentLayers");
const QString closedKey = QStringLiteral("compose/closedGroups");

QString text(const std::string& value) { return QString::fromStdString(value); }

/// How well a layer answers a search: smaller is better, -1 not at all. Every word must be found somewhere.
int rankOf(const LayerEntry& entry, const QString& search)
{
    const QString title = text(entry.title).toLower(), all = title + QLatin1Char(' ') + text(entry.id).toLower() + QLatin1Char(' ') +
        text(entry.keywords).toLower() + QLatin1Char(' ') + QString::fromLatin1(groupTitle(entry.group)).toLower();
    for (const QString& word : search.split(QLatin1Char(' '), Qt::SkipEmptyParts))
        if (!all.contains(word)) return -1;
    if (title == search) return 0;
    if (title.startsWith(search)) return 1;
    if (title.contains(search)) return 2;
    return 3;
}

class PaletteDelegate : public QStyledItemDelegate
{
  public:
    using QStyledItemDelegate::QStyledItemDelegate;

    QSize sizeHint(const QStyleOptionViewItem&, const QModelIndex&) const override { return {160, 28}; }

    void paint(QPainter* painter, const QStyleOptionViewItem& option, const QModelIndex& index) const override
    {
        painter->save();
        painter->setRenderHint(QPainter::Antialiasing);
        const bool group = index.data(PaletteModel::GroupRole).toBool();
        const bool selected = option.state & QStyle::State_Selected, hovered = option.state & QStyle::State_MouseOver;
        if (selected || hovered) {
            painter->setPen(selected && (option.state & QStyle::State_HasFocus) ? QPen(color(Token::Focus), 1) : QPen(Qt::NoPen));
            painter->setBrush(color(selected ? Token::Hover : Token::Raised));
            painter->drawRoundedRect(QRectF(option.rect).adjusted(0.5, 0.5, -0.5, -0.5), 4, 4);
        }
        const qreal ratio = painter->device()->devicePixelRatioF();
        const auto icon = [&](const QString& name, Token token, int x, int size) {
            painter->drawPixmap(QRect(x, option.rect.center().y() + 1 - size / 2, size, size), Theme::instance().pixmap(name, token, size, ratio));
        };
        int x = option.rect.left() + 8;
        if (group) {
            const bool open = static_cast<const QTreeView*>(option.widget)->isExpanded(index);
            icon(open ? QStringLiteral("chevron-down") : QStringLiteral("chevron-right"), Token::Text2, x, 12);
            x += 22;
        } else {
            x += 18;
        }
        const QString name = index.data(PaletteModel::IconRole).toString();
        if (!name.isEmpty()) {
            icon(name, group ? Token::Text3 : Token::Text2, x, 16);
            x += 24;
        }
        const QString count = index.data(PaletteModel::CountRole).toString();
        const QRect words(x, option.rect.top(), option.rect.right() - x - (count.isEmpty() ? 1 : 32), option.rect.height());
        const QFont f = font(group ? FontRole::Caption : FontRole::Body);
        painter->setFont(f);
        painter->setPen(color(group ? Token::Text2 : Token::Text));
        painter->drawText(words, Qt::AlignLeft | Qt::AlignVCenter, QFontMetrics(f).elidedText(index.data().toString(), Qt::ElideRight, words.width()));
        if (!count.isEmpty()) {
            painter->setFont(font(FontRole::MonoAxis));
            painter->setPen(color(Token::Text3));
            painter->drawText(option.rect.adjusted(0, 0, -8, 0), Qt::AlignRight | Qt::AlignVCenter, count);
        }
        painter->restore();
    }
};

QStandardItem* layerItem(const LayerEntry& entry)
{
    auto* item = new QStandardItem(text(entry.title));
    item->setData(text(entry.id), PaletteModel::TypeRole);
    item->setData(text(entry.icon), PaletteModel::IconRole);
    item->setToolTip(text(entry.help));
    item->setData(text(entry.title), Qt::AccessibleTextRole);
    item->setData(text(entry.help), Qt::AccessibleDescriptionRole);
    item->setFlags(Qt::ItemIsEnabled | Qt::ItemIsSelectable | Qt::ItemIsDragEnabled | Qt::ItemNeverHasChildren);
    return item;
}

QStandardItem* groupItem(const QString& title, const QString& icon, int count)
{
    auto* item = new QStandardItem(title);
    item->setData(true, PaletteModel::GroupRole);
    item->setData(icon, PaletteModel::IconRole);
    item->setData(QString::number(count), PaletteModel::CountRole);
    item->setData(QObject::tr("%1, %2 layers").arg(title).arg(count), Qt::AccessibleTextRole);
    item->setFlags(Qt::ItemIsEnabled | Qt::ItemIsSelectable);
    return item;
}

} // namespace

// ---- PaletteModel ----

int PaletteModel::fill(const QString& search, const QStringList& recent)
{
    clear();
    const QString wanted = search.simplified().toLower();
    if (!wanted.isEmpty()) {
        std::vector<std::pair<int, const LayerEntry*>> found;
        for (const LayerEntry& entry : layerCatalogue())
            if (const int rank = rankOf(entry, wanted); rank >= 0) found.emplace_back(rank, &entry);
        std::stable_sort(found.begin(), found.end(), [](const auto& a, const auto& b) { return a.first < b.first; });
        for (const auto& [rank, entry] : found) appendRow(layerItem(*entry));
        return static_cast<int>(found.size());
    }
    QList<QStandardItem*> last;
    for (const QString& type : recent)
        if (const LayerEntry* entry = findLayerEntry(type.toStdString())) last << layerItem(*entry);
    if (!last.isEmpty()) {
        QStandardItem* group = groupItem(tr("Recent"), {}, int(last.size()));
        group->appendRows(last);
        appendRow(group);
    }
    int count = 0;
    std::optional<LayerGroup> current;
    QStandardItem* group = nullptr;
    for (const LayerEntry& entry : layerCatalogue()) {
        if (current != entry.group) {
            current = entry.group;
            const auto same = std::count_if(layerCatalogue().begin(), layerCatalogue().end(), [&](const LayerEntry& e) { return e.group == entry.group; });
            group = groupItem(QString::fromUtf8(groupTitle(entry.group)), text(entry.icon), int(same));
            appendRow(group);
        }
        group->appendRow(layerItem(entry));
        ++count;
    }
    return count;
}

QStringList PaletteModel::mimeTypes() const
{
    return {QLatin1String(StackModel::typeMime)};
}

QMimeData* PaletteModel::mimeData(const QModelIndexList& indexes) const
{
    const QString type = indexes.isEmpty() ? QString() : indexes.first().data(TypeRole).toString();
    if (type.isEmpty()) return nullptr;
    auto* mime = new QMimeData;
    mime->setData(QLatin1String(StackModel::typeMime), type.toUtf8());
    return mime;
}

// ---- Palette ----

Palette::Palette(Settings* settings, QWidget* parent) : QWidget(parent), m_settings(settings)
{
    setObjectName(QStringLiteral("compose.palette"));
    setRole(this, "panelLeft");
    auto* column = new QVBoxLayout(this);
    column->setContentsMargins(8, 12, 9, 8);
    column->setSpacing(8);
    m_search = new QLineEdit(this);
    m_search->setObjectName(QStringLiteral("compose.palette.search"));
    m_search->setPlaceholderText(tr("Find among %1 layers").arg(layerCatalogue().size()));
    m_search->setAccessibleName(tr("Find a layer"));
    m_search->setAccessibleDescription(tr("Type a name or a keyword; Enter adds the first match after the selected layer."));
    m_search->setClearButtonEnabled(true);
    m_search->addAction(Theme::instance().icon(QStringLiteral("search"), Token::Text3), QLineEdit::LeadingPosition);
    m_search->installEventFilter(this);
    auto* inset = new QHBoxLayout;
    inset->setContentsMargins(4, 0, 4, 0);
    inset->addWidget(m_search);
    column->addLayout(inset);

    m_tree = new QTreeView(this);
    m_tree->setObjectName(QStringLiteral("compose.palette.list"));
    m_tree->setAccessibleName(tr("Layers to add"));
    m_tree->setHeaderHidden(true);
    m_tree->setRootIsDecorated(false);
    m_tree->setIndentation(0);
    m_tree->setUniformRowHeights(true);
    m_tree->setItemDelegate(new PaletteDelegate(m_tree));
    m_tree->setEditTriggers(QAbstractItemView::NoEditTriggers);
    m_tree->setDragEnabled(true);
    m_tree->setDragDropMode(QAbstractItemView::DragOnly);
    m_tree->setMouseTracking(true);
    m_tree->setVerticalScrollMode(QAbstractItemView::ScrollPerPixel);
    m_tree->setHorizontalScrollBarPolicy(Qt::ScrollBarAlwaysOff);
    m_tree->setExpandsOnDoubleClick(false);
    m_model = new PaletteModel(m_tree);
    m_tree->setModel(m_model);
    m_tree->installEventFilter(this);
    column->addWidget(m_tree, 1);
    m_nothing = makeLabel(tr("No layer is called that. Try a word for what it does, such as pool or norm."), FontRole::Caption, Token::Text2, this);
    m_nothing->setWordWrap(true);
    m_nothing->setContentsMargins(8, 0, 8, 0);
    m_nothing->hide();
    column->addWidget(m_nothing);
    column->addStretch(0);

    connect(m_search, &QLineEdit::textChanged, this, [this] { refill(); });
    connect(m_tree, &QTreeView::doubleClicked, this, [this](const QModelIndex& index) {
        if (const QString type = index.data(PaletteModel::TypeRole).toString(); !type.isEmpty()) Q_EMIT addRequested(type);
    });
    connect(m_tree, &QTreeView::clicked, this, [this](const QModelIndex& index) {
        if (index.data(PaletteModel::GroupRole).toBool()) m_tree->setExpanded(index, !m_tree->isExpanded(index));
    });
    connect(m_tree, &QTreeView::expanded, this, [this] { rememberOpen(); });
    connect(m_tree, &QTreeView::collapsed, this, [this] { rememberOpen(); });
    connect(&Theme::instance(), &Theme::changed, m_tree, [this] { m_tree->viewport()->update(); });
    if (m_settings) {
        m_recent = m_settings->value(recentKey).toStringList();
        m_closed = m_settings->value(closedKey, QStringList{tr("Shape"), tr("Activation"), tr("Normalisation")}).toStringList();
    }
    refill();
}

void Palette::refill()
{
    m_filling = true;
    const QString wanted = m_search->text();
    const int found = m_model->fill(wanted, m_recent);
    for (int row = 0; row < m_model->rowCount(); ++row)
        m_tree->setExpanded(m_model->index(row, 0), !m_closed.contains(m_model->index(row, 0).data().toString()));
    if (!wanted.trimmed().isEmpty() && found > 0) m_tree->setCurrentIndex(m_model->index(0, 0));
    m_nothing->setVisible(found == 0);
    m_tree->setVisible(found > 0);
    m_filling = false;
}

void Palette::rememberOpen()
{
    if (m_filling || !m_search->text().trimmed().isEmpty()) return;
    m_closed.clear();
    for (int row = 0; row < m_model->rowCount(); ++row)
        if (!m_tree->isExpanded(m_model->index(row, 0))) m_closed << m_model->index(row, 0).data().toString();
    if (m_settings) m_settings->setValue(closedKey, m_closed);
}

void Palette::used(const QString& type)
{
    m_recent.removeAll(type);
    m_recent.prepend(type);
    while (m_recent.size() > recentShown) m_recent.removeLast();
    if (m_settings) m_settings->setValue(recentKey, m_recent);
    if (!m_search->text().isEmpty()) return;
    // Later: the list that is being clicked must not change under the click.
    QMetaObject::invokeMethod(this, [this] {
        const int scrolled = m_tree->verticalScrollBar()->value();
        refill();
        m_tree->verticalScrollBar()->setValue(scrolled);
    }, Qt::QueuedConnection);
}

void Palette::startSearch()
{
    m_search->setFocus(Qt::ShortcutFocusReason);
    m_search->selectAll();
}

QString Palette::currentType() const
{
    return m_tree->currentIndex().data(PaletteModel::TypeRole).toString();
}

void Palette::addCurrent()
{
    if (const QString type = currentType(); !type.isEmpty()) Q_EMIT addRequested(type);
}

bool Palette::eventFilter(QObject* object, QEvent* event)
{
    if (event->type() != QEvent::KeyPress) return QWidget::eventFilter(object, event);
    auto* key = static_cast<QKeyEvent*>(event);
    const bool enter = key->key() == Qt::Key_Return || key->key() == Qt::Key_Enter;
    if (enter && !(key->modifiers() & Qt::ControlModifier)) {
        const QModelIndex current = m_tree->currentIndex();
        if (object == m_tree && current.data(PaletteModel::GroupRole).toBool()) m_tree->setExpanded(current, !m_tree->isExpanded(current));
        else if (object == m_tree || !m_search->text().trimmed().isEmpty()) addCurrent();
        return true;
    }
    if (object == m_search && (key->key() == Qt::Key_Down || key->key() == Qt::Key_Up)) {
        const QModelIndex current = m_tree->currentIndex();
        const QModelIndex next = !current.isValid() ? m_model->index(0, 0) : key->key() == Qt::Key_Down ? m_tree->indexBelow(current) : m_tree->indexAbove(current);
        if (next.isValid()) m_tree->setCurrentIndex(next);
        return true;
    }
    if (key->key() == Qt::Key_Escape) {
        if (m_search->text().isEmpty()) Q_EMIT dismissed();
        else m_search->clear();
        return true;
    }
    return QWidget::eventFilter(object, event);
}

} // namespace sconce::ui
