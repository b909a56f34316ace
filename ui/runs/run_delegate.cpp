// SPDX-License-Identifier: GPL-3.0-or-later
#include "ui/runs/run_delegate.h"

#include "ui/services/words.h"
#include "ui/widgets/parts.h"

#include <QKeyEvent>
#include <QLineEdit>
#include <QMouseEvent>
#include <QPainter>

#include <algorithm>

namespace sconce::ui {

namespace {

using Model = RunTableModel;

bool isNumber(int column)
{
    return column == Model::TestResult || column == Model::TestLoss || column == Model::Parameters || column == Model::Time;
}

void paintCheck(QPainter* painter, const QRect& cell, const QModelIndex& index)
{
    const QRect box(cell.left() + (cell.width() - 16) / 2, cell.center().y() - 7, 16, 16);
    const QString letter = index.data(Model::LetterRole).toString();
    if (!letter.isEmpty()) {
        paintLetter(painter, box, letter);
        return;
    }
    painter->setPen(color(Token::Tick));
    painter->setBrush(color(Token::Input));
    painter->drawRoundedRect(QRectF(box).adjusted(.5, .5, -.5, -.5), 4, 4);
}

void paintName(QPainter* painter, const QRect& box, const QModelIndex& index)
{
    const QString number = QStringLiteral(" #%1").arg(index.data(Model::NumberRole).toLongLong());
    painter->setFont(ui::font(FontRole::Strong));
    const QFontMetrics strong(painter->font());
    const QFontMetrics caption(ui::font(FontRole::Caption));
    const int room = box.width() - caption.horizontalAdvance(number);
    const QString name = strong.elidedText(index.data().toString(), Qt::ElideMiddle, std::max(20, room));
    painter->setPen(color(Token::Text));
    painter->drawText(box, Qt::AlignVCenter | Qt::AlignLeft, name);
    painter->setFont(ui::font(FontRole::Caption));
    painter->setPen(color(Token::Text3));
    painter->drawText(box.adjusted(strong.horizontalAdvance(name), 1, 0, 0), Qt::AlignVCenter | Qt::AlignLeft, number);
}

void paintEpochs(QPainter* painter, const QRect& box, const QModelIndex& index)
{
    const QString words = index.data().toString();
    const bool digits = !words.isEmpty() && words.at(0).isDigit();
    painter->setFont(ui::font(digits ? FontRole::MonoSmall : FontRole::Caption));
    painter->setPen(color(digits ? Token::Text : Token::Text3));
    const int wide = painter->fontMetrics().horizontalAdvance(words);
    painter->drawText(box, Qt::AlignVCenter | Qt::AlignLeft, words);
    const double share = index.data(Model::ShareRole).toDouble();
    const int room = std::min(72, box.width() - wide - 12);
    if (share >= 0 && room >= 24) {
        const QRectF groove(box.left() + wide + 12, box.center().y() - 1, room, 4);
        painter->setPen(Qt::NoPen);
        painter->setBrush(color(Token::Raised));
        painter->drawRoundedRect(groove, 2, 2);
        painter->setBrush(color(Token::Info));
        painter->drawRoundedRect(QRectF(groove.left(), groove.top(), groove.width() * share, 4), 2, 2);
    }
}

void paintResume(QPainter* painter, const QRect& box)
{
    painter->setPen(color(Token::LineStrong));
    painter->setBrush(color(Token::Raised));
    painter->drawRoundedRect(QRectF(box).adjusted(.5, .5, -.5, -.5), 5, 5);
    painter->drawPixmap(box.left() + 8, box.center().y() - 5, Theme::instance().pixmap(QStringLiteral("play"), Token::Text, 12, painter->device()->devicePixelRatioF()));
    painter->setFont(ui::font(FontRole::BodyMedium));
    painter->setPen(color(Token::Text));
    painter->drawText(box.adjusted(25, 0, -4, 0), Qt::AlignVCenter | Qt::AlignLeft, RunDelegate::tr("Resume"));
}

void paintTags(QPainter* painter, const QRect& box, const QModelIndex& index)
{
    painter->setFont(ui::font(FontRole::Caption));
    int x = box.left();
    const QStringList tags = index.data(Model::TagsRole).toStringList();
    for (qsizetype i = 0; i < tags.size(); ++i) {
        const int wide = painter->fontMetrics().horizontalAdvance(tags[i]) + 12;
        if (x + wide > box.right() && i > 0) {
            painter->setPen(color(Token::Text3));
            painter->drawText(QRect(x, box.top(), 24, box.height()), Qt::AlignVCenter | Qt::AlignLeft, QStringLiteral("+%1").arg(tags.size() - i));
            return;
        }
        const QRectF chip(x + .5, box.center().y() - 9 + .5, std::min(wide, box.right() - x), 18);
        painter->setPen(color(Token::Line));
        painter->setBrush(Qt::NoBrush);
        painter->drawRoundedRect(chip, 4, 4);
        painter->setPen(color(Token::Text2));
        painter->drawText(chip, Qt::AlignCenter, painter->fontMetrics().elidedText(tags[i], Qt::ElideRight, static_cast<int>(chip.width()) - 8));
        x += wide + 4;
    }
}

} // namespace

void paintLetter(QPainter* painter, const QRect& box, const QString& letter)
{
    if (letter.isEmpty()) return;
    painter->save();
    painter->setRenderHint(QPainter::Antialiasing);
    painter->setPen(Qt::NoPen);
    painter->setBrush(color(Theme::instance().runToken(letter.at(0).unicode() - u'A')));
    painter->drawRoundedRect(box, 4, 4);
    QFont small = ui::font(FontRole::Small);
    small.setWeight(QFont::DemiBold);
    painter->setFont(small);
    painter->setPen(color(Token::Card));
    painter->drawText(box, Qt::AlignCenter, letter);
    painter->restore();
}

QPixmap letterPixmap(const QString& letter, qreal devicePixelRatio)
{
    QPixmap picture(QSize(16, 16) * devicePixelRatio);
    picture.setDevicePixelRatio(devicePixelRatio);
    picture.fill(Qt::transparent);
    QPainter painter(&picture);
    paintLetter(&painter, QRect(0, 0, 16, 16), letter);
    return picture;
}

QRect RunDelegate::resumeRect(const QRect& cell, const QModelIndex& index)
{
    if (index.column() != Model::Epochs || !index.data(Model::ResumableRole).toBool()) return {};
    if (index.siblingAtColumn(Model::Status).data().toString() != QLatin1String("interrupted")) return {};
    const int wide = QFontMetrics(ui::font(FontRole::MonoSmall)).horizontalAdvance(index.data().toString());
    const QRect box(cell.left() + 8 + wide + 12, cell.top() + 4, 80, cell.height() - 8);
    return box.right() <= cell.right() ? box : QRect(cell.right() - 80, box.top(), 80, box.height());
}

void RunDelegate::paint(QPainter* painter, const QStyleOptionViewItem& option, const QModelIndex& index) const
{
    painter->save();
    painter->setRenderHint(QPainter::Antialiasing);
    if (option.state & QStyle::State_Selected) painter->fillRect(option.rect, color(Token::AccentSoft));
    else if (option.state & QStyle::State_MouseOver) painter->fillRect(option.rect, Theme::instance().blend(Token::Hover, Token::Card, 0.4));
    painter->fillRect(QRect(option.rect.left(), option.rect.bottom(), option.rect.width(), 1), color(Token::Line));
    const QRect box = option.rect.adjusted(8, 0, -8, -1);
    switch (index.column()) {
    case Model::Check: paintCheck(painter, option.rect, index); break;
    case Model::Status: {
        const QString status = index.data().toString();
        const QFont caption = ui::font(FontRole::Caption);
        paintStatusPill(painter, QRectF(box.left(), box.center().y() - 9, 35 + QFontMetrics(caption).horizontalAdvance(status), 20), status, caption);
        break;
    }
    case Model::Name: paintName(painter, box, index); break;
    case Model::Epochs:
        paintEpochs(painter, box, index);
        if (const QRect resume = resumeRect(option.rect, index); !resume.isEmpty()) paintResume(painter, resume);
        break;
    case Model::Tags: paintTags(painter, box, index); break;
    case Model::More:
        painter->drawPixmap(option.rect.center() - QPoint(7, 7), Theme::instance().pixmap(QStringLiteral("dots"), Token::Text2, 16, painter->device()->devicePixelRatioF()));
        break;
    default: {
        const bool number = isNumber(index.column());
        const QString words = index.data().toString();
        painter->setFont(ui::font(number ? FontRole::MonoSmall : FontRole::Body));
        const bool wrong = words == QLatin1String("NaN");
        const bool main = index.column() == Model::TestResult || index.column() == Model::TestLoss;
        painter->setPen(color(wrong ? Token::Error : words == QStringLiteral("–") ? Token::Text3 : main ? Token::Text : Token::Text2));
        painter->drawText(box, Qt::AlignVCenter | (number ? Qt::AlignRight : Qt::AlignLeft), painter->fontMetrics().elidedText(words, Qt::ElideRight, box.width() + 2));
    }
    }
    painter->restore();
}

QSize RunDelegate::sizeHint(const QStyleOptionViewItem&, const QModelIndex&) const { return {80, 32}; }

bool RunDelegate::editorEvent(QEvent* event, QAbstractItemModel* model, const QStyleOptionViewItem& option, const QModelIndex& index)
{
    if (event->type() != QEvent::MouseButtonRelease) return false;
    const auto* mouse = static_cast<QMouseEvent*>(event);
    if (mouse->button() != Qt::LeftButton) return false;
    const QPoint at = mouse->position().toPoint();
    if (index.column() == Model::Check) {
        const bool ticked = index.data(Qt::CheckStateRole).toInt() == Qt::Checked;
        return model->setData(index, ticked ? Qt::Unchecked : Qt::Checked, Qt::CheckStateRole);
    }
    if (resumeRect(option.rect, index).contains(at)) {
        Q_EMIT resumeWanted(index);
        return true;
    }
    if (index.column() == Model::More) {
        Q_EMIT menuWanted(index, mouse->globalPosition().toPoint());
        return true;
    }
    return false;
}

QWidget* RunDelegate::createEditor(QWidget* parent, const QStyleOptionViewItem&, const QModelIndex& index) const
{
    if (index.column() != Model::Name) return nullptr;
    auto* editor = new QLineEdit(parent);
    editor->setObjectName(QStringLiteral("runs.nameEditor"));
    editor->setAccessibleName(tr("New name"));
    editor->setMaxLength(120);
    words::sized(editor, "28");
    return editor;
}

void RunDelegate::setEditorData(QWidget* editor, const QModelIndex& index) const
{
    // A refresh of the list while somebody types must not put the old name back.
    if (editor->property("filled").toBool()) return;
    QStyledItemDelegate::setEditorData(editor, index);
    editor->setProperty("filled", true);
}

// ---- the heads ----

RunsHeader::RunsHeader(QWidget* parent)
    : QHeaderView(Qt::Horizontal, parent)
{
    setSectionsClickable(true);
    setMouseTracking(true);
    setFont(ui::font(FontRole::Caption));
}

QRect RunsHeader::wordsIn(const QRect& rect, int section) const
{
    const QRect box = rect.adjusted(8, 0, -8, -1);
    const int wide = std::min(box.width(), QFontMetrics(ui::font(FontRole::Caption)).horizontalAdvance(words(section)));
    return {atRight(section) ? box.right() - wide + 1 : box.left(), box.top(), wide, box.height()};
}

QRect RunsHeader::arrowIn(const QRect& rect, int section) const
{
    const QRect name = wordsIn(rect, section);
    // Before words that stand at the right: they stay over their numbers.
    return {atRight(section) ? name.left() - 16 : name.right() + 5, name.center().y() - 5, 12, 12};
}

QRect RunsHeader::wordsRect(int section) const { return wordsIn(sectionRect(section), section); }
QRect RunsHeader::arrowRect(int section) const { return arrowIn(sectionRect(section), section); }

void RunsHeader::paintSection(QPainter* painter, const QRect& rect, int section) const
{
    painter->save();
    painter->fillRect(rect, color(Token::Card));
    painter->fillRect(QRect(rect.left(), rect.bottom(), rect.width(), 1), color(Token::Line));
    const QString name = words(section);
    const bool hovered = !name.isEmpty() && rect.contains(viewport()->mapFromGlobal(QCursor::pos())) && viewport()->underMouse();
    const bool sorted = isSortIndicatorShown() && sortIndicatorSection() == section && !name.isEmpty();
    painter->setFont(ui::font(FontRole::Caption));
    painter->setPen(color(hovered || sorted ? Token::Text : Token::Text2));
    const QRect box = wordsIn(rect, section);
    painter->drawText(box, Qt::AlignVCenter | Qt::AlignLeft, painter->fontMetrics().elidedText(name, Qt::ElideRight, box.width() + 2));
    if (sorted) {
        const auto* icon = sortIndicatorOrder() == Qt::DescendingOrder ? "chevron-down" : "chevron-up";
        painter->drawPixmap(arrowIn(rect, section).topLeft(), Theme::instance().pixmap(QLatin1String(icon), Token::Text2, 12, painter->device()->devicePixelRatioF()));
    }
    painter->restore();
}

// ---- the table ----

RunsTable::RunsTable(QWidget* parent)
    : QTableView(parent)
{
    setMouseTracking(true);
    setHorizontalHeader(new RunsHeader(this));
}

void RunsTable::keyPressEvent(QKeyEvent* event)
{
    const QModelIndex at = currentIndex();
    switch (event->key()) {
    case Qt::Key_Space:
        if (at.isValid()) Q_EMIT tickWanted(at);
        return;
    case Qt::Key_Return:
    case Qt::Key_Enter:
        if (at.isValid() && state() != EditingState) {
            Q_EMIT openWanted(at);
            return;
        }
        break;
    case Qt::Key_F2:
        if (at.isValid()) edit(at.siblingAtColumn(RunTableModel::Name));
        return;
    case Qt::Key_Delete: Q_EMIT deleteWanted(); return;
    default: break;
    }
    QTableView::keyPressEvent(event);
}

void RunsTable::paintEvent(QPaintEvent* event)
{
    QTableView::paintEvent(event);
    // The mark of what is selected, left of its row.
    QPainter painter(viewport());
    const auto rows = selectionModel() ? selectionModel()->selectedRows() : QModelIndexList();
    for (const QModelIndex& index : rows) {
        const QRect cell = visualRect(index);
        if (cell.isValid()) painter.fillRect(QRect(0, cell.top(), 2, cell.height() - 1), color(Token::Focus));
    }
}

} // namespace sconce::ui
