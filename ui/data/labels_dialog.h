// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
// Which columns of a table are predicted at once, each yes or no.

#include "core/data/dataset.h"

#include <QDialog>

class QLabel;
class QListWidget;
class QPushButton;

namespace sconce::ui {

class LabelsDialog : public QDialog
{
    Q_OBJECT
  public:
    /// Lists DatasetInfo::yesNoColumns; those that are labels now are ticked.
    LabelsDialog(const DatasetInfo& table, QWidget* parent);

  Q_SIGNALS:
    void chosen(const std::vector<std::string>& columns); ///< at least one

  private:
    std::vector<std::string> ticked() const;
    void refresh();

    std::size_t m_columns = 0; ///< of the table
    QListWidget* m_list = nullptr;
    QLabel* m_words = nullptr;
    QPushButton* m_predict = nullptr;
};

} // namespace sconce::ui
