// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
// What is selected in the stack, in detail: a layer's settings made from its parameter descriptors, its problem, its cost;
// the data's settings for Input; the task's demands for Output.

#include "ui/compose/changes_form.h"
#include "ui/compose/recipe_document.h"

#include <QScrollArea>

class QFrame;
class QGridLayout;
class QLabel;
class QLineEdit;
class QPushButton;

namespace sconce::ui {

class LayerInspector : public QScrollArea
{
    Q_OBJECT
  public:
    enum class Subject { Nothing, Input, Layers, Output };
    explicit LayerInspector(RecipeDocument& document, QWidget* parent = nullptr);

    void show(Subject subject, const std::vector<LayerId>& layers);
    void setLabelWidth(int width);
    void focusFirst();
    /// Mean and deviation of the data, if they are known: for *Use the data's own*.
    void setDataStatistics(std::optional<std::pair<double, double>> meanAndDeviation);

  private:
    void makeHead();
    void makeCost();
    void makeInput();
    void update();
    void updateLayer();
    void updateCost(const LayerReport* report);
    void updateInput();
    void updateOutput();
    void setHead(const QString& icon, const QString& title, const QString& where, const QString& help);
    void setProblem(const Problem* problem);
    void rename();

    RecipeDocument& m_document;
    Subject m_subject = Subject::Nothing;
    std::vector<LayerId> m_layers;
    QWidget* m_content = nullptr;
    QVBoxLayout* m_column = nullptr;
    QLabel* m_icon = nullptr;
    QLabel* m_title = nullptr;
    QLabel* m_where = nullptr;
    QPushButton* m_help = nullptr;
    QLabel* m_helpText = nullptr;
    QFrame* m_problem = nullptr;
    QLabel* m_problemIcon = nullptr;
    QLabel* m_problemText = nullptr;
    QLineEdit* m_name = nullptr;
    FieldRow* m_nameRow = nullptr;
    ParamForm* m_form = nullptr;
    ParamForm* m_inputForm = nullptr;
    QPushButton* m_ownStatistics = nullptr;
    ChangesForm* m_changes = nullptr;
    QWidget* m_cost = nullptr;
    struct CostRow { QLabel* caption; QLabel* value; QLabel* note; };
    CostRow m_parameters, m_compute, m_activations, m_field;
    QLabel* m_costUnknown = nullptr;
    QString m_iconName, m_shortHelp, m_longHelp;
    bool m_helpOpen = false, m_compact = false;
    std::optional<std::pair<double, double>> m_statistics;
};

} // namespace sconce::ui
