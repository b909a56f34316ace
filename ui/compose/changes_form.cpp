// SPDX-License-Identifier: GPL-3.0-or-later
#include "ui/compose/changes_form.h"

#include "ui/services/data_choices.h"
#include "ui/widgets/parts.h"

#include <QVBoxLayout>

namespace sconce::ui {

namespace {

const std::string changesPath = "/data/augmentation/";

QString text(const std::string& value) { return QString::fromStdString(value); }

/// Is there an edge that anything comes in from? A mirrored picture has its own.
bool hasEdge(Augmentation how)
{
    how.leftRight = how.upsideDown = Augmentation::Flip::Never;
    return how.moves();
}

} // namespace

bool isAboutInput(const Problem& problem) { return problem.path.starts_with(changesPath) || problem.path.starts_with("/data/input"); }

ChangesForm::ChangesForm(RecipeDocument& document, QWidget* parent) : QWidget(parent), m_document(document)
{
    setObjectName(QStringLiteral("compose.changes"));
    auto* column = new QVBoxLayout(this);
    column->setContentsMargins(0, 14, 0, 0);
    column->setSpacing(0);
    QLabel* title = makeLabel(tr("Augmentation, while training"), FontRole::Strong, Token::Text, this);
    title->setToolTip(aboutAugmentation());
    column->addWidget(title);
    column->addSpacing(4);
    for (const OptionEntry& entry : augmentationEntries()) {
        auto* form = new ParamForm(QStringLiteral("compose.input.") + text(entry.id), this);
        form->setDescriptors(entry.id, entry.params);
        column->addWidget(form);
        m_forms.push_back(form);
        connect(form, &ParamForm::edited, this, [this, &entry](const std::string& id, const ParamValue& value) {
            const QString what = id == "on" ? tr("Switch %1 %2").arg(text(entry.title), std::get<bool>(value) ? tr("on") : tr("off")) : tr("Set %1").arg(text(entry.title));
            m_document.change(what, [&](Recipe& r) { setIn(augmentationEntries(), r.data.augmentation, entry.id, id, value); },
                              QStringLiteral("input/augmentation/%1/%2").arg(text(entry.id), text(id)));
        });
    }
}

bool ChangesForm::update()
{
    static const ParamValues nothing;
    const DataSettings& data = m_document.recipe().data;
    const Augmentation how = augmentationOf(data);
    const auto& facts = m_document.facts();
    for (std::size_t i = 0; i < m_forms.size(); ++i) {
        const OptionEntry& entry = augmentationEntries()[i];
        const auto set = data.augmentation.find(entry.id);
        m_forms[i]->setValues(set == data.augmentation.end() ? nothing : set->second);
        std::map<std::string, QString> errors;
        const std::string prefix = changesPath + entry.id + "/";
        for (const Problem& problem : m_document.problems())
            if (problem.severity == Severity::Problem && problem.path.starts_with(prefix)) errors[problem.path.substr(prefix.size())] = text(problem.sentence);
        m_forms[i]->setErrors(errors);
        if (entry.id == "edges") m_forms[i]->setVisible(hasEdge(how));
        if (entry.id == "saturation") m_forms[i]->setVisible(how.saturation > 0 || !facts || pictureSize(facts->input).value_or(PictureSize{}).channels == 3);
    }
    return how.any() || (facts && facts->bytes && pictureSize(facts->input));
}

void ChangesForm::setLabelWidth(int width)
{
    for (ParamForm* form : m_forms) form->setLabelWidth(width);
}

} // namespace sconce::ui
