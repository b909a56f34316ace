// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
// One field for one parameter descriptor: a spin box, a pair of them, a combo, a check box or a line, with the descriptor's
// range and help. Layers, optimisers, schedules and the training settings are all edited through it.

#include "core/base/parameters.h"

#include <QDoubleSpinBox>
#include <QWidget>

#include <functional>

class QLabel;
class QVBoxLayout;

namespace sconce::ui {

/// Real numbers as people write them: 0.001, 1e-8; steps by factors (1, 2, 5, 10) where the descriptor says so.
class RealSpinBox : public QDoubleSpinBox
{
    Q_OBJECT
  public:
    explicit RealSpinBox(QWidget* parent = nullptr);
    void setLogarithmic(bool on) { m_logarithmic = on; }
    QString textFromValue(double value) const override;
    double valueFromText(const QString& text) const override;
    QValidator::State validate(QString& text, int& position) const override;
    void stepBy(int steps) override;

  private:
    bool m_logarithmic = false;
};

/// A field and how to fill it. `edited` is called with each value that the person enters, also while typing.
class ParamField : public QWidget
{
    Q_OBJECT
  public:
    ParamField(const ParamDescriptor& descriptor, const QString& objectName, QWidget* parent = nullptr);

    const ParamDescriptor& descriptor() const { return m_descriptor; }
    void setValue(const ParamValue& value);
    void setProblem(bool problem);
    /// What a keyboard user should land on.
    QWidget* first() const { return m_editors.isEmpty() ? nullptr : m_editors.first(); }

  Q_SIGNALS:
    void edited(const sconce::ParamValue& value);
    /// Text that is no value of this parameter (a shape being typed): a sentence, or empty once it is one.
    void unreadable(const QString& sentence);

  private:
    void makeBool();
    void makeInt();
    void makeReal();
    void makeChoice();
    void makeText();
    void makePair();
    void makeList();
    void adopt(QWidget* editor, const QString& name);

    ParamDescriptor m_descriptor;
    QString m_name;
    QList<QWidget*> m_editors;
    std::function<void(const ParamValue&)> m_set;
    bool m_filling = false;
};

/// A label, a field, and a sentence below when something is wrong.
class FieldRow : public QWidget
{
    Q_OBJECT
  public:
    FieldRow(QWidget* label, QWidget* field, QWidget* parent = nullptr);
    void setLabelWidth(int width);
    void setError(const QString& sentence);
    /// Words behind the field: "last 6,000".
    void setNote(const QString& note);
    QString error() const;

  private:
    QWidget* m_label;
    QWidget* m_field;
    QLabel* m_note = nullptr;
    QLabel* m_error = nullptr;
    QVBoxLayout* m_column = nullptr;
};

/// Makes a field behave as part of a document: Undo and Redo are the document's, and the wheel scrolls the panel around it
/// until the field has been entered.
void guardField(QWidget* field);

/// "7×7×64", "7, 7, 64" or "7 7 64" as numbers; empty if it is none of these.
std::vector<std::int64_t> numbersOf(const QString& text);

} // namespace sconce::ui
