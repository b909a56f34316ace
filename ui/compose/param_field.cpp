// SPDX-License-Identifier: GPL-3.0-or-later
#include "ui/compose/param_field.h"

#include "core/base/text.h"
#include "ui/widgets/parts.h"

#include <QCheckBox>
#include <QComboBox>
#include <QEvent>
#include <QHBoxLayout>
#include <QKeyEvent>
#include <QLineEdit>
#include <QRegularExpression>
#include <QSpinBox>
#include <QVBoxLayout>

#include <cmath>
#include <limits>

namespace sconce::ui {

namespace {

QString text(const std::string& value) { return QString::fromStdString(value); }

class FieldGuard : public QObject
{
  public:
    using QObject::QObject;
    bool eventFilter(QObject* object, QEvent* event) override
    {
        if (event->type() == QEvent::Wheel && !static_cast<QWidget*>(object)->hasFocus()) {
            event->ignore();
            return true;
        }
        if (event->type() == QEvent::ShortcutOverride) {
            const auto* key = static_cast<QKeyEvent*>(event);
            if (key->matches(QKeySequence::Undo) || key->matches(QKeySequence::Redo)) {
                event->ignore(); // not the field's own undo: the page's shortcut takes it
                return true;
            }
        }
        return false;
    }
};

/// Neighbours of a value in the series 1, 2, 5, 10, 20, 50, …
double seriesStep(double value, bool up)
{
    if (value <= 0) return up ? 1e-6 : 0;
    const double decade = std::pow(10.0, std::floor(std::log10(value) + 1e-9));
    const double mantissa = value / decade;
    static const double marks[] = {0.5, 1, 2, 5, 10, 20};
    if (up) {
        for (double mark : marks)
            if (mark > mantissa * (1 + 1e-6)) return mark * decade;
    } else {
        for (int i = 5; i >= 0; --i)
            if (marks[i] < mantissa * (1 - 1e-6)) return marks[i] * decade;
    }
    return value;
}

int intBound(double value)
{
    return static_cast<int>(std::clamp(value, double(std::numeric_limits<int>::min()), double(std::numeric_limits<int>::max())));
}

} // namespace

void guardField(QWidget* field)
{
    field->installEventFilter(new FieldGuard(field));
}

// ---- RealSpinBox ----

RealSpinBox::RealSpinBox(QWidget* parent) : QDoubleSpinBox(parent)
{
    setDecimals(15);
    setLocale(QLocale::c());
}

QString RealSpinBox::textFromValue(double value) const
{
    return QString::number(value, 'g', 8);
}

double RealSpinBox::valueFromText(const QString& shown) const
{
    if (!specialValueText().isEmpty() && shown == specialValueText()) return minimum();
    QString plain = shown.trimmed();
    if (!suffix().isEmpty() && plain.endsWith(suffix().trimmed())) plain.chop(suffix().trimmed().size());
    return plain.trimmed().replace(QLatin1Char(','), QLatin1Char('.')).toDouble();
}

QValidator::State RealSpinBox::validate(QString& shown, int&) const
{
    if (!specialValueText().isEmpty() && shown == specialValueText()) return QValidator::Acceptable;
    QString plain = shown;
    if (!suffix().isEmpty() && plain.endsWith(suffix())) plain.chop(suffix().size());
    plain = plain.trimmed().replace(QLatin1Char(','), QLatin1Char('.'));
    static const QRegularExpression form(QStringLiteral("^[-+]?[0-9]*\\.?[0-9]*([eE][-+]?[0-9]*)?$"));
    if (!form.match(plain).hasMatch()) return QValidator::Invalid;
    bool number = false;
    const double value = plain.toDouble(&number);
    return number && value >= minimum() && value <= maximum() ? QValidator::Acceptable : QValidator::Intermediate;
}

void RealSpinBox::stepBy(int steps)
{
    if (!m_logarithmic) return QDoubleSpinBox::stepBy(steps);
    double next = value();
    for (int i = 0; i < std::abs(steps); ++i) next = seriesStep(next, steps > 0);
    setValue(next);
    selectAll();
}

// ---- ParamField ----

ParamField::ParamField(const ParamDescriptor& descriptor, const QString& objectName, QWidget* parent)
    : QWidget(parent), m_descriptor(descriptor), m_name(objectName)
{
    auto* row = new QHBoxLayout(this);
    row->setContentsMargins(0, 0, 0, 0);
    row->setSpacing(8);
    switch (descriptor.kind) {
    case ParamKind::Bool: makeBool(); break;
    case ParamKind::Int: makeInt(); break;
    case ParamKind::Real: makeReal(); break;
    case ParamKind::Choice: makeChoice(); break;
    case ParamKind::Text: makeText(); break;
    case ParamKind::Ints:
        if (descriptor.minCount == descriptor.maxCount && descriptor.maxCount <= 3) makePair();
        else makeList();
        break;
    }
    setFocusProxy(first());
}

void ParamField::adopt(QWidget* editor, const QString& name)
{
    editor->setObjectName(name);
    editor->setAccessibleName(text(m_descriptor.title));
    editor->setAccessibleDescription(text(m_descriptor.help));
    editor->setToolTip(text(m_descriptor.help));
    editor->setFocusPolicy(Qt::StrongFocus);
    guardField(editor);
    if (m_descriptor.kind != ParamKind::Bool) {
        setControlHeight(editor, 28);
        // A wide range must not make a wide field: the panel decides.
        editor->setMinimumWidth(44);
        editor->setSizePolicy(QSizePolicy::Expanding, QSizePolicy::Fixed);
    }
    layout()->addWidget(editor);
    m_editors << editor;
}

void ParamField::makeBool()
{
    auto* box = new QCheckBox(text(m_descriptor.unit), this);
    adopt(box, m_name);
    static_cast<QHBoxLayout*>(layout())->addStretch(1);
    connect(box, &QCheckBox::toggled, this, [this](bool on) { if (!m_filling) Q_EMIT edited(on); });
    m_set = [box](const ParamValue& value) { if (const bool* on = std::get_if<bool>(&value)) box->setChecked(*on); };
}

void ParamField::makeInt()
{
    auto* box = new QSpinBox(this);
    box->setFont(ui::font(FontRole::Mono));
    box->setRange(intBound(m_descriptor.min), intBound(m_descriptor.max));
    if (!m_descriptor.unit.empty()) box->setSuffix(QLatin1Char(' ') + text(m_descriptor.unit));
    if (m_descriptor.min == 0) box->setSpecialValueText(text(m_descriptor.zero));
    adopt(box, m_name);
    connect(box, &QSpinBox::valueChanged, this, [this](int value) { if (!m_filling) Q_EMIT edited(std::int64_t{value}); });
    m_set = [box](const ParamValue& value) {
        if (const auto* number = std::get_if<std::int64_t>(&value)) if (box->value() != *number) box->setValue(intBound(double(*number)));
    };
}

void ParamField::makeReal()
{
    auto* box = new RealSpinBox(this);
    box->setFont(ui::font(FontRole::Mono));
    box->setRange(m_descriptor.min, m_descriptor.max);
    box->setLogarithmic(m_descriptor.logarithmic);
    box->setSingleStep(m_descriptor.max - m_descriptor.min <= 1 ? 0.05 : m_descriptor.max - m_descriptor.min <= 10 ? 0.1 : 1);
    if (!m_descriptor.unit.empty()) box->setSuffix(m_descriptor.unit == "°" ? text(m_descriptor.unit) : QLatin1Char(' ') + text(m_descriptor.unit));
    if (m_descriptor.min == 0) box->setSpecialValueText(text(m_descriptor.zero));
    adopt(box, m_name);
    connect(box, &QDoubleSpinBox::valueChanged, this, [this](double value) { if (!m_filling) Q_EMIT edited(value); });
    m_set = [box](const ParamValue& value) {
        if (const double* number = std::get_if<double>(&value)) if (box->value() != *number) box->setValue(*number);
    };
}

void ParamField::makeChoice()
{
    auto* box = new QComboBox(this);
    for (const ParamChoice& choice : m_descriptor.choices) {
        box->addItem(text(choice.title), text(choice.id));
        box->setItemData(box->count() - 1, text(choice.help), Qt::ToolTipRole);
    }
    adopt(box, m_name);
    connect(box, &QComboBox::currentIndexChanged, this, [this, box](int) {
        if (!m_filling) Q_EMIT edited(box->currentData().toString().toStdString());
    });
    m_set = [box](const ParamValue& value) {
        if (const auto* id = std::get_if<std::string>(&value)) box->setCurrentIndex(box->findData(text(*id)));
    };
}

void ParamField::makeText()
{
    auto* line = new QLineEdit(this);
    if (m_descriptor.max > 0) line->setMaxLength(intBound(m_descriptor.max));
    adopt(line, m_name);
    connect(line, &QLineEdit::textEdited, this, [this](const QString& now) { Q_EMIT edited(now.toStdString()); });
    m_set = [line](const ParamValue& value) {
        if (const auto* now = std::get_if<std::string>(&value)) if (line->text() != text(*now)) line->setText(text(*now));
    };
}

void ParamField::makePair()
{
    QList<QSpinBox*> boxes;
    for (int i = 0; i < m_descriptor.maxCount; ++i) {
        if (i > 0) {
            QLabel* times = makeLabel(QStringLiteral("×"), FontRole::Caption, Token::Text3, this);
            layout()->addWidget(times);
        }
        auto* box = new QSpinBox(this);
        box->setFont(ui::font(FontRole::Mono));
        box->setRange(intBound(m_descriptor.min), intBound(m_descriptor.max));
        adopt(box, m_descriptor.maxCount == 1 ? m_name : QStringLiteral("%1.%2").arg(m_name).arg(i));
        if (m_descriptor.maxCount > 1) box->setAccessibleName(tr("%1, %2 of %3").arg(text(m_descriptor.title)).arg(i + 1).arg(m_descriptor.maxCount));
        boxes << box;
    }
    for (QSpinBox* box : boxes)
        connect(box, &QSpinBox::valueChanged, this, [this, boxes] {
            std::vector<std::int64_t> values;
            for (const QSpinBox* each : boxes) values.push_back(each->value());
            if (!m_filling) Q_EMIT edited(values);
        });
    m_set = [boxes](const ParamValue& value) {
        const auto* values = std::get_if<std::vector<std::int64_t>>(&value);
        for (qsizetype i = 0; values && i < boxes.size() && i < qsizetype(values->size()); ++i)
            if (boxes[i]->value() != (*values)[i]) boxes[i]->setValue(intBound(double((*values)[i])));
    };
}

std::vector<std::int64_t> numbersOf(const QString& shown)
{
    static const QRegularExpression gaps(QStringLiteral("[\\s,;×x*]+"));
    std::vector<std::int64_t> values;
    for (const QString& part : shown.trimmed().split(gaps, Qt::SkipEmptyParts)) {
        bool number = false;
        values.push_back(part.toLongLong(&number));
        if (!number) return {};
    }
    return values;
}

void ParamField::makeList()
{
    auto* line = new QLineEdit(this);
    line->setFont(ui::font(FontRole::Mono));
    line->setPlaceholderText(QStringLiteral("64×7×7"));
    adopt(line, m_name);
    connect(line, &QLineEdit::textEdited, this, [this](const QString& now) {
        const std::vector<std::int64_t> values = numbersOf(now);
        const std::string wrong = values.empty() ? "Write whole numbers with × between them." : checkParam(m_descriptor, values);
        Q_EMIT unreadable(text(wrong));
        if (wrong.empty()) Q_EMIT edited(values);
    });
    m_set = [line](const ParamValue& value) {
        const auto* values = std::get_if<std::vector<std::int64_t>>(&value);
        if (values && numbersOf(line->text()) != *values && !line->hasFocus()) line->setText(text(shapeText(*values)));
        else if (values && line->text().isEmpty() && !line->hasFocus()) line->setText(text(shapeText(*values)));
    };
}

void ParamField::setValue(const ParamValue& value)
{
    m_filling = true;
    m_set(value);
    m_filling = false;
}

void ParamField::setProblem(bool problem)
{
    for (QWidget* editor : m_editors) ui::setProblem(editor, problem);
}

// ---- FieldRow ----

FieldRow::FieldRow(QWidget* label, QWidget* field, QWidget* parent) : QWidget(parent), m_label(label), m_field(field)
{
    m_column = new QVBoxLayout(this);
    m_column->setContentsMargins(0, 2, 0, 2);
    m_column->setSpacing(2);
    auto* row = new QHBoxLayout;
    row->setContentsMargins(0, 0, 0, 0);
    row->setSpacing(8);
    label->setFixedWidth(120);
    row->addWidget(label);
    row->addWidget(field, 1);
    field->setMinimumHeight(28);
    m_note = makeLabel({}, FontRole::Caption, Token::Text3, this);
    m_note->hide();
    row->addWidget(m_note);
    m_column->addLayout(row);
    m_error = makeLabel({}, FontRole::Caption, Token::Error, this);
    m_error->setWordWrap(true);
    m_error->setIndent(128);
    m_error->hide();
    m_column->addWidget(m_error);
    if (auto* shown = qobject_cast<QLabel*>(label)) shown->setBuddy(field);
}

void FieldRow::setLabelWidth(int width)
{
    m_label->setFixedWidth(width);
    m_error->setIndent(width + 8);
}

void FieldRow::setError(const QString& sentence)
{
    m_error->setText(sentence);
    m_error->setVisible(!sentence.isEmpty());
    if (auto* field = qobject_cast<ParamField*>(m_field)) field->setProblem(!sentence.isEmpty());
    else setProblem(m_field, !sentence.isEmpty());
}

void FieldRow::setNote(const QString& note)
{
    m_note->setText(note);
    m_note->setVisible(!note.isEmpty());
}

QString FieldRow::error() const
{
    return m_error->text();
}

} // namespace sconce::ui
