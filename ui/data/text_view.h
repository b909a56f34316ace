// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
// A text as it stands in the file, a page of it at a time: the windows of the parts that are shown, one behind the other. Reads a page
// when it is turned to.

#include "ui/data/sample_grid.h"

#include <QWidget>

class QLabel;
class QPlainTextEdit;
class QToolButton;

namespace sconce::ui {

class TextView : public QWidget
{
    Q_OBJECT
  public:
    explicit TextView(QWidget* parent = nullptr);
    void setText(DatasetPtr text, std::vector<SampleGrid::Sample> windows);
    int page() const { return m_page; }
    int pages() const;

  private:
    void turnTo(int page);
    QString pageText(std::size_t first, std::size_t last) const;
    std::size_t windowsPerPage() const;

    DatasetPtr m_data;
    std::vector<SampleGrid::Sample> m_windows;
    int m_page = 0;
    QPlainTextEdit* m_text = nullptr;
    QLabel* m_place = nullptr;
    QToolButton *m_back = nullptr, *m_on = nullptr;
};

} // namespace sconce::ui
