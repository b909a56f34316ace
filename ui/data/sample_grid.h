// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
// The samples of a data set as a grid of pictures, only what is visible is read. Arrow keys move, Home and End jump. The
// window's thread; gathering a screenful is a copy of a few kilobytes.

#include "core/data/augment.h"
#include "core/data/dataset.h"
#include "core/data/split.h"

#include <QAbstractScrollArea>
#include <QCache>
#include <QImage>

namespace sconce::ui {

class SampleGrid : public QAbstractScrollArea
{
    Q_OBJECT
  public:
    explicit SampleGrid(QWidget* parent = nullptr);

    /// A sample shown: where it is stored and which part the split makes it.
    struct Sample { Part part = Part::Training; std::int64_t row = 0; int share = 0; ///< 0 training, 1 validation, 2 test
    };
    void setData(DatasetPtr data, std::vector<Sample> samples);
    void setCellSize(int pixels); ///< of a picture's side
    /// Shows training samples as training shows them to the network in its first epoch; others, and all where nothing changes, are as
    /// stored.
    void setChanges(const Augmentation& how);
    const Augmentation& changes() const { return m_changes; }
    QImage picture(int index) const; ///< of a sample, as shown, in its own size
    bool isComplete() const { return m_complete; } ///< nothing on view is still to be made: large pictures are, a few between events
    void setMessage(const QString& text); ///< shown instead of samples ("Reading…")
    int current() const { return m_current; }
    void setCurrent(int index);
    const std::vector<Sample>& samples() const { return m_samples; }
    DatasetPtr data() const { return m_data; }
    QRect cellRect(int index) const; ///< in the viewport

  Q_SIGNALS:
    void currentChanged(int index);
    void activated(int index); ///< Enter or double click

  protected:
    void paintEvent(QPaintEvent*) override;
    void resizeEvent(QResizeEvent*) override;
    void mousePressEvent(QMouseEvent* event) override;
    void mouseDoubleClickEvent(QMouseEvent* event) override;
    void keyPressEvent(QKeyEvent* event) override;
    void scrollContentsBy(int, int) override { viewport()->update(); }

  private:
    bool isChanged(int index) const; ///< shown as the network would meet it
    QImage thumbnail(int index) const;
    qint64 keyOf(int index) const { return m_samples[static_cast<std::size_t>(index)].row << 2 | static_cast<int>(m_samples[static_cast<std::size_t>(index)].part); }
    int columns() const;
    int rowHeight() const { return m_cell + 20; }
    int indexAt(const QPoint& position) const;
    void updateScroll();

    DatasetPtr m_data;
    std::vector<Sample> m_samples;
    QString m_message;
    Augmentation m_changes;
    mutable QCache<qint64, QImage> m_thumbnails{64 << 10}; ///< in KiB: what took time to make
    bool m_complete = true;
    int m_cell = 84;
    int m_current = -1;
};

} // namespace sconce::ui
