// SPDX-License-Identifier: GPL-3.0-or-later
#include "ui/data/set_list.h"

#include "core/base/text.h"
#include "ui/services/data_choices.h"
#include "ui/theme/theme.h"

#include <QPainter>

namespace sconce::ui {

QString countWords(const DatasetInfo& info)
{
    const QString format = info.kind == "table" ? QObject::tr("%1 rows") : info.kind == "text" ? QObject::tr("%1 windows") : QObject::tr("%1 pictures");
    return format.arg(QString::fromStdString(groupedInt(info.trainingCount + info.testCount)));
}

QString shapeWords(const DatasetInfo& info)
{
    QString shape = QString::fromStdString(info.sample.text());
    if (info.sample.rank() == 3) {
        const auto& dims = info.sample.dims;
        shape = QStringLiteral("%1×%2 %3").arg(dims[2].size).arg(dims[1].size).arg(dims[0].size == 1 ? QObject::tr("grey") : QObject::tr("colour"));
    }
    const QString labels = QString::fromStdString(plural(static_cast<std::int64_t>(info.labelNames.size()), "label", "labels"));
    if (info.kind == "text")
        return QObject::tr("%1 symbols each, %2").arg(QString::fromStdString(groupedInt(info.sample.elements())), QObject::tr("%1 different").arg(info.symbols.size()));
    if (info.kind == "table") {
        const QString columns = QObject::tr("%1 columns").arg(info.columnNames.size());
        if (!info.labelNames.empty()) return QObject::tr("%1, %2").arg(columns, labels);
        return info.classes.empty() ? QObject::tr("%1, predicts a number").arg(columns)
                                    : QObject::tr("%1, %2").arg(columns, QString::fromStdString(plural(static_cast<std::int64_t>(info.classes.size()), "class", "classes")));
    }
    if (!info.labelNames.empty()) return QObject::tr("%1, %2").arg(shape, labels);
    return QObject::tr("%1, %2").arg(shape, QString::fromStdString(plural(static_cast<std::int64_t>(info.classes.size()), "class", "classes")));
}

QImage thumbnailOf(const Dataset& data)
{
    QImage result(80, 80, QImage::Format_RGB32);
    result.fill(Qt::black);
    QPainter painter(&result);
    for (std::int64_t i = 0; i < std::min<std::int64_t>(4, data.count(Part::Training)); ++i)
        painter.drawImage(QRect(static_cast<int>(i % 2) * 40, static_cast<int>(i / 2) * 40, 40, 40), sampleImage(data, Part::Training, i));
    return result;
}

void SetListModel::setSets(std::vector<DatasetInfo> sets)
{
    beginResetModel();
    m_sets = std::move(sets);
    endResetModel();
}

void SetListModel::setThumbnail(const DatasetId& id, const QImage& image)
{
    m_thumbnails[id] = image;
    if (const int row = rowOf(id); row >= 0) Q_EMIT dataChanged(index(row), index(row), {Qt::DecorationRole});
}

int SetListModel::rowOf(const DatasetId& id) const
{
    for (std::size_t i = 0; i < m_sets.size(); ++i)
        if (m_sets[i].id == id) return static_cast<int>(i);
    return -1;
}

int SetListModel::rowCount(const QModelIndex& parent) const { return parent.isValid() ? 0 : static_cast<int>(m_sets.size()); }

QVariant SetListModel::data(const QModelIndex& index, int role) const
{
    if (!checkIndex(index, CheckIndexOption::IndexIsValid)) return {};
    const auto& info = m_sets[static_cast<std::size_t>(index.row())];
    const QString count = countWords(info);
    switch (role) {
    case Qt::DisplayRole: return QString::fromStdString(info.title);
    case Qt::DecorationRole: {
        const auto found = m_thumbnails.find(info.id);
        return found == m_thumbnails.end() ? QVariant() : QVariant(found->second);
    }
    case Qt::ToolTipRole: return info.location.empty() ? tr("Drawn by Sconce itself; nothing is downloaded.") : QString::fromStdString(info.location);
    case Qt::AccessibleTextRole: return QStringLiteral("%1, %2, %3").arg(QString::fromStdString(info.title), count, shapeWords(info));
    case IdRole: return QString::fromStdString(info.id);
    case CountRole: return count;
    case ShapeRole: return shapeWords(info);
    case IconRole: return info.kind == "table" ? QStringLiteral("columns") : info.kind == "text" ? QStringLiteral("note") : QStringLiteral("image");
    default: return {};
    }
}

void SetDelegate::paint(QPainter* painter, const QStyleOptionViewItem& option, const QModelIndex& index) const
{
    painter->save();
    const QRect rect = option.rect;
    const bool selected = option.state & QStyle::State_Selected;
    if (selected)
        painter->fillRect(rect, color(Token::AccentSoft));
    else if (option.state & QStyle::State_MouseOver)
        painter->fillRect(rect, color(Token::Hover));
    if (selected) painter->fillRect(QRect(rect.left(), rect.top(), 2, rect.height()), color(Token::Accent));
    painter->fillRect(QRect(rect.left(), rect.bottom(), rect.width(), 1), color(Token::Line));

    const QRect picture(rect.left() + 16, rect.top() + 15, 40, 40);
    const auto image = index.data(Qt::DecorationRole).value<QImage>();
    if (image.isNull()) {
        painter->setRenderHint(QPainter::Antialiasing);
        painter->setPen(Qt::NoPen);
        painter->setBrush(color(Token::Raised));
        painter->drawRoundedRect(picture, 4, 4);
        painter->drawPixmap(picture.center() - QPoint(8, 8), Theme::instance().pixmap(index.data(SetListModel::IconRole).toString(), Token::Text2, 16, painter->device()->devicePixelRatioF()));
    } else {
        painter->setRenderHint(QPainter::SmoothPixmapTransform);
        painter->drawImage(picture, image);
    }
    const int left = picture.right() + 13, width = rect.right() - left - 10;
    const auto line = [&](int y, FontRole role, Token token, const QString& text) {
        painter->setFont(font(role));
        painter->setPen(color(token));
        painter->drawText(QRect(left, rect.top() + y, width, 18), Qt::AlignVCenter, painter->fontMetrics().elidedText(text, Qt::ElideRight, width));
    };
    line(8, FontRole::Strong, Token::Text, index.data(Qt::DisplayRole).toString());
    line(26, FontRole::Caption, Token::Text2, index.data(SetListModel::CountRole).toString());
    line(43, FontRole::Caption, Token::Text2, index.data(SetListModel::ShapeRole).toString());
    painter->restore();
}

} // namespace sconce::ui
