// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
// The right side of the Data page: split, steps before the network and what they do to a sample, order, and how pictures of a
// folder are brought to one size.

#include "core/data/dataset.h"
#include "ui/services/data_choices.h"

#include <QWidget>

class QCheckBox;
class QComboBox;
class QDoubleSpinBox;
class QLabel;
class QPushButton;
class QSpinBox;
class QVBoxLayout;

namespace sconce::ui {

class AugmentPreview;
class SplitBar;
class StepsPanel;

class SplitPanel : public QWidget
{
    Q_OBJECT
  public:
    explicit SplitPanel(QWidget* parent = nullptr);
    void setSet(const DatasetInfo& info, const ImportOptions& import, const DataChoices& choices);
    const DataChoices& choices() const { return m_choices; }
    AugmentPreview* preview() const { return m_preview; } ///< of the sample that the page tells it

  Q_SIGNALS:
    void choicesChanged();
    void importAsked(const sconce::ImportOptions& options);

  private:
    void build();
    void buildSplit(QVBoxLayout* column);
    void buildMode(QVBoxLayout* column);
    void connectSplit();
    bool byCount() const { return m_choices.split.validationCount > 0; }
    bool ownValidation() const; ///< the data has a folder val/, and it is taken whole
    std::int64_t pool() const;
    void buildOrder(QVBoxLayout* column);
    void buildImport(QVBoxLayout* column);
    void buildContext(QVBoxLayout* column);
    void show();
    void change(DataChoices choices);

    DatasetInfo m_info;
    DataChoices m_choices;
    bool m_showing = false;
    SplitBar* m_bar = nullptr;
    QLabel *m_training = nullptr, *m_validation = nullptr, *m_test = nullptr, *m_testOwn = nullptr, *m_validationOwn = nullptr;
    QDoubleSpinBox *m_share = nullptr, *m_testShare = nullptr;
    QComboBox *m_kind = nullptr, *m_mode = nullptr;
    QSpinBox* m_number = nullptr;   ///< of validation samples, in place of the share
    QLabel* m_problem = nullptr;
    StepsPanel* m_steps = nullptr;
    AugmentPreview* m_preview = nullptr;
    QCheckBox* m_shuffle = nullptr;
    QWidget* m_import = nullptr;
    QSpinBox *m_width = nullptr, *m_height = nullptr;
    QComboBox* m_channels = nullptr;
    QPushButton* m_importButton = nullptr;
    QWidget* m_contextPart = nullptr; ///< of a text
    QSpinBox* m_context = nullptr;
};

} // namespace sconce::ui
