// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
// Fields for a list of parameter descriptors, with what is advanced folded away under *More* and what does not apply hidden.

#include "ui/compose/param_field.h"

#include <map>

class QPushButton;
class QVBoxLayout;

namespace sconce::ui {

/// A field's label. Where the glossary knows `term`, its sentence comes before the option's own help.
QLabel* makeFieldLabel(const QString& term, const ParamDescriptor& descriptor, QWidget* parent);
/// What the chosen entry of a choice says of itself, in the field's tooltip: the list tells it only while it is open.
void tellChosen(ParamField& field, const ParamValue& value);

class ParamForm : public QWidget
{
    Q_OBJECT
  public:
    /// Fields are named prefix + "." + id.
    explicit ParamForm(const QString& prefix, QWidget* parent = nullptr);

    /// Builds the fields anew if the descriptors are others than before.
    void setDescriptors(const std::string& key, const std::vector<ParamDescriptor>& descriptors);
    void setValues(const ParamValues& values);
    /// Sentences by parameter id; those not named are cleared.
    void setErrors(const std::map<std::string, QString>& errors);
    void setLabelWidth(int width);
    ParamField* field(const std::string& id) const;
    QWidget* firstField() const;

  Q_SIGNALS:
    void edited(const std::string& id, const sconce::ParamValue& value);

  private:
    void addField(const ParamDescriptor& descriptor, QVBoxLayout* where);
    void fold(bool open);

    struct Entry { ParamField* field; FieldRow* row; QString unreadable; };
    QString m_prefix;
    std::string m_key;
    std::vector<ParamDescriptor> m_descriptors;
    std::map<std::string, Entry> m_fields;
    std::map<std::string, QString> m_errors;
    ParamValues m_values;
    QWidget* m_content = nullptr;
    QWidget* m_more = nullptr;
    QPushButton* m_moreButton = nullptr;
    QWidget* m_moreRow = nullptr;
    bool m_open = false;
    int m_labelWidth = 120;
};

} // namespace sconce::ui
