// SPDX-License-Identifier: GPL-3.0-or-later
#include "ui/compose/param_form.h"

#include "ui/services/words.h"
#include "ui/widgets/parts.h"

#include <QComboBox>
#include <QHBoxLayout>
#include <QVBoxLayout>

#include <algorithm>

namespace sconce::ui {

QLabel* makeFieldLabel(const QString& term, const ParamDescriptor& descriptor, QWidget* parent)
{
    const QString title = QString::fromStdString(descriptor.title), help = QString::fromStdString(descriptor.help), explained = explainTerm(term);
    QLabel* label = explained.isEmpty() ? makeLabel(title, FontRole::Body, Token::Text2, parent) : new TermLabel(term, title, parent);
    label->setFont(ui::font(FontRole::Body));
    label->setToolTip(explained.isEmpty() ? help : explained + QLatin1Char('\n') + help);
    return label;
}

void tellChosen(ParamField& field, const ParamValue& value)
{
    auto* box = field.findChild<QComboBox*>();
    const auto* id = std::get_if<std::string>(&value);
    if (!box || !id) return;
    const ParamDescriptor& descriptor = field.descriptor();
    QString tip = QString::fromStdString(descriptor.help);
    for (const ParamChoice& choice : descriptor.choices)
        if (choice.id == *id && !choice.help.empty()) tip += QStringLiteral("\n%1: %2").arg(QString::fromStdString(choice.title), QString::fromStdString(choice.help));
    if (box->toolTip() == tip) return;
    box->setToolTip(tip);
    box->setAccessibleDescription(tip);
}

ParamForm::ParamForm(const QString& prefix, QWidget* parent) : QWidget(parent), m_prefix(prefix)
{
    auto* column = new QVBoxLayout(this);
    column->setContentsMargins(0, 0, 0, 0);
    column->setSpacing(0);
}

void ParamForm::addField(const ParamDescriptor& descriptor, QVBoxLayout* where)
{
    auto* field = new ParamField(descriptor, m_prefix + QLatin1Char('.') + QString::fromStdString(descriptor.id), m_content);
    auto* row = new FieldRow(makeFieldLabel(QString::fromStdString(descriptor.title), descriptor, m_content), field, m_content);
    row->setLabelWidth(m_labelWidth);
    where->addWidget(row);
    const std::string id = descriptor.id;
    m_fields[id] = {field, row, {}};
    connect(field, &ParamField::edited, this, [this, id](const ParamValue& value) { Q_EMIT edited(id, value); });
    connect(field, &ParamField::unreadable, this, [this, id](const QString& sentence) {
        m_fields[id].unreadable = sentence;
        setErrors(m_errors);
    });
}

void ParamForm::setDescriptors(const std::string& key, const std::vector<ParamDescriptor>& descriptors)
{
    if (m_content && key == m_key) return;
    m_key = key;
    m_descriptors = descriptors;
    m_fields.clear();
    m_errors.clear();
    delete m_content;
    m_more = nullptr;
    m_content = new QWidget(this);
    layout()->addWidget(m_content);
    auto* column = new QVBoxLayout(m_content);
    column->setContentsMargins(0, 0, 0, 0);
    column->setSpacing(0);
    QStringList folded;
    for (const ParamDescriptor& descriptor : descriptors)
        if (descriptor.advanced) folded << words::inSentence(QString::fromStdString(descriptor.title));
        else addField(descriptor, column);
    if (folded.isEmpty()) return;

    m_moreRow = new QWidget(m_content);
    auto* bar = new QHBoxLayout(m_moreRow);
    bar->setContentsMargins(0, 4, 0, 4);
    bar->setSpacing(4);
    m_moreButton = makeButton(QStringLiteral("chevron-right"), tr("More"), ButtonKind::Flat, m_moreRow);
    m_moreButton->setObjectName(m_prefix + QStringLiteral(".more"));
    m_moreButton->setIconSize({12, 12});
    setControlHeight(m_moreButton, 24);
    m_moreButton->setStyleSheet(QStringLiteral("QPushButton { padding: 0 4px 0 0; }")); // in line with the labels
    bar->addWidget(m_moreButton);
    auto* names = new ElidedLabel(folded.join(QStringLiteral(", ")), Qt::ElideRight, m_moreRow);
    names->setObjectName(m_prefix + QStringLiteral(".folded"));
    names->setFont(ui::font(FontRole::Caption));
    names->setProperty("token", QStringLiteral("text3"));
    bar->addWidget(names, 1);
    column->addWidget(m_moreRow);
    m_more = new QWidget(m_content);
    auto* more = new QVBoxLayout(m_more);
    more->setContentsMargins(0, 0, 0, 0);
    more->setSpacing(0);
    for (const ParamDescriptor& descriptor : descriptors)
        if (descriptor.advanced) addField(descriptor, more);
    column->addWidget(m_more);
    connect(m_moreButton, &QPushButton::clicked, this, [this] { fold(!m_open); });
    fold(m_open);
}

void ParamForm::fold(bool open)
{
    m_open = open;
    if (!m_more) return;
    m_more->setVisible(open);
    m_moreButton->setIcon(Theme::instance().icon(open ? QStringLiteral("chevron-down") : QStringLiteral("chevron-right"), Token::Text));
}

void ParamForm::setValues(const ParamValues& values)
{
    m_values = values;
    bool anyMore = false;
    for (const ParamDescriptor& descriptor : m_descriptors) {
        Entry& entry = m_fields[descriptor.id];
        const ParamValue& value = valueOf(m_descriptors, values, descriptor.id);
        entry.field->setValue(value);
        tellChosen(*entry.field, value);
        const bool active = isActive(descriptor, m_descriptors, values);
        entry.row->setVisible(active);
        anyMore = anyMore || (active && descriptor.advanced);
    }
    if (m_more) m_moreRow->setVisible(anyMore);
}

void ParamForm::setErrors(const std::map<std::string, QString>& errors)
{
    m_errors = errors;
    for (auto& [id, entry] : m_fields) {
        const auto found = errors.find(id);
        const QString sentence = !entry.unreadable.isEmpty() ? entry.unreadable : found == errors.end() ? QString() : found->second;
        if (entry.row->error() != sentence) entry.row->setError(sentence);
        if (!sentence.isEmpty() && entry.field->descriptor().advanced && !m_open) fold(true);
    }
}

void ParamForm::setLabelWidth(int width)
{
    m_labelWidth = width;
    for (auto& [id, entry] : m_fields) entry.row->setLabelWidth(width);
}

ParamField* ParamForm::field(const std::string& id) const
{
    const auto found = m_fields.find(id);
    return found == m_fields.end() ? nullptr : found->second.field;
}

QWidget* ParamForm::firstField() const
{
    for (const ParamDescriptor& descriptor : m_descriptors)
        if (ParamField* f = field(descriptor.id); f && f->isVisibleTo(this)) return f->first();
    return nullptr;
}

} // namespace sconce::ui
