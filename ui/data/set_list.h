// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
// The library as a list: a thumbnail, title, count, shape and classes per data set.

#include "core/data/dataset.h"

#include <QAbstractListModel>
#include <QImage>
#include <QStyledItemDelegate>

#include <map>

namespace sconce::ui {

class SetListModel : public QAbstractListModel
{
    Q_OBJECT
  public:
    enum Role { IdRole = Qt::UserRole + 1, CountRole, ShapeRole, IconRole };
    using QAbstractListModel::QAbstractListModel;
    void setSets(std::vector<DatasetInfo> sets);
    void setThumbnail(const DatasetId& id, const QImage& image);
    int rowOf(const DatasetId& id) const;
    int rowCount(const QModelIndex& parent = {}) const override;
    QVariant data(const QModelIndex& index, int role) const override;

  private:
    std::vector<DatasetInfo> m_sets;
    std::map<DatasetId, QImage> m_thumbnails;
};

class SetDelegate : public QStyledItemDelegate
{
    Q_OBJECT
  public:
    using QStyledItemDelegate::QStyledItemDelegate;
    void paint(QPainter* painter, const QStyleOptionViewItem& option, const QModelIndex& index) const override;
    QSize sizeHint(const QStyleOptionViewItem&, const QModelIndex&) const override { return {252, 70}; }
};

/// "17,428 windows", "344 rows", "60,000 pictures"
QString countWords(const DatasetInfo& info);
/// "28×28 grey, 10 classes"
QString shapeWords(const DatasetInfo& info);
/// Four samples in a square.
QImage thumbnailOf(const Dataset& data);

} // namespace sconce::ui
