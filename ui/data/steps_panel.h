// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
// The steps before the network on the Data page: Scale and Normalise, and for pictures a row for each change of
// augmentationEntries(): a switch, how far it goes on a slider, its choices. The window's thread only.

#include "ui/services/data_choices.h"

#include <QWidget>

class QCheckBox;
class QComboBox;
class QHBoxLayout;
class QLabel;
class QSlider;
class QVBoxLayout;

namespace sconce::ui {

class StepsPanel : public QWidget
{
    Q_OBJECT
  public:
    explicit StepsPanel(QWidget* parent = nullptr);
    /// Which steps there are, and how far their sliders go. Hides itself where there are none, as for a text.
    void setSet(const DatasetInfo& info);
    void setChoices(const DataChoices& choices);

  Q_SIGNALS:
    /// What the person now wants: the choices shown with one step changed.
    void edited(const sconce::ui::DataChoices& choices);

  private:
    /// An entry's row. A step has a switch and either one number or choices; "edges" has choices alone.
    struct Row
    {
        const OptionEntry* entry = nullptr;
        QWidget* line = nullptr;
        QCheckBox* box = nullptr;
        QSlider* slider = nullptr;
        const ParamDescriptor* number = nullptr;
        std::vector<double> stops; ///< what the slider's places stand for
        QLabel* value = nullptr;   ///< how far it goes; of steps with choices what is said while they are off
        std::vector<std::pair<const ParamDescriptor*, QComboBox*>> choices;
    };

    QCheckBox* addBox(QVBoxLayout* column, const char* name, const QString& title, const QString& note, const QString& help, QLabel*& noteLabel);
    void addRow(QVBoxLayout* column, const OptionEntry& entry);
    void addSlider(Row& row, const ParamDescriptor& number, QHBoxLayout* line);
    void addChoice(Row& row, const ParamDescriptor& choice, QHBoxLayout* line);
    void set(const OptionEntry& entry, const std::string& id, ParamValue value);
    const ParamValue& valueOf(const Row& row, const std::string& id) const;
    bool isOn(const Row& row) const;
    void showRow(Row& row);
    void showProblem();

    DatasetInfo m_info;
    DataChoices m_choices;
    bool m_showing = false;
    bool m_written = false; ///< classes are digits or letters
    QCheckBox *m_scale = nullptr, *m_normalise = nullptr;
    QLabel *m_scaleNote = nullptr, *m_normaliseNote = nullptr, *m_problem = nullptr;
    QWidget* m_changes = nullptr; ///< all that is for pictures only
    std::vector<Row> m_rows;
};

} // namespace sconce::ui
