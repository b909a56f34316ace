// SPDX-License-Identifier: GPL-3.0-or-later
#include "ui/compose/layer_inspector.h"

#include "core/base/text.h"
#include "core/model/catalogue.h"
#include "core/recipe/task.h"
#include "ui/widgets/parts.h"

#include <QGridLayout>
#include <QHBoxLayout>
#include <QLineEdit>
#include <QScrollBar>
#include <QVBoxLayout>

#include <algorithm>
#include <cmath>

namespace sconce::ui {

namespace {

QString text(const std::string& value) { return QString::fromStdString(value); }

QString firstSentence(const QString& help)
{
    const qsizetype end = help.indexOf(QLatin1String(". "));
    return end < 0 ? help : help.left(end + 1);
}

/// Settings of the network's input as descriptors, so that they are edited like any others.
const std::vector<ParamDescriptor>& inputParams()
{
    static const std::vector<ParamDescriptor> params = [] {
        ParamDescriptor scale = boolParam("scale", "Scale", true, "Turns pixels from 0…255 into 0…1.");
        scale.unit = "0…255 to 0…1";
        ParamDescriptor normalise = boolParam("normalise", "Normalise", false, "Subtracts the mean and divides by the deviation.");
        normalise.unit = "(x − mean) / deviation";
        ParamDescriptor mean = realParam("mean", "Mean", 0, -1e6, 1e6, "Subtracted from every number.");
        ParamDescriptor deviation = realParam("deviation", "Deviation", 1, 1e-6, 1e6, "What every number is divided by.");
        return std::vector<ParamDescriptor>{scale, normalise, mean, deviation};
    }();
    return params;
}

ParamValues inputValues(const InputSettings& input)
{
    return {{"scale", input.scale}, {"normalise", input.normalise}, {"mean", input.mean}, {"deviation", input.deviation}};
}

void setInputValue(InputSettings& input, const std::string& id, const ParamValue& value)
{
    if (id == "scale") input.scale = std::get<bool>(value);
    if (id == "normalise") input.normalise = std::get<bool>(value);
    if (id == "mean") input.mean = std::get<double>(value);
    if (id == "deviation") input.deviation = std::get<double>(value);
}

} // namespace

LayerInspector::LayerInspector(RecipeDocument& document, QWidget* parent) : QScrollArea(parent), m_document(document)
{
    setObjectName(QStringLiteral("compose.layer"));
    setWidgetResizable(true);
    setFrameShape(QFrame::NoFrame);
    setHorizontalScrollBarPolicy(Qt::ScrollBarAlwaysOff);
    m_content = new QWidget;
    m_column = new QVBoxLayout(m_content);
    m_column->setContentsMargins(16, 12, 16, 16);
    m_column->setSpacing(0);
    makeHead();
    m_name = new QLineEdit(m_content);
    m_name->setObjectName(QStringLiteral("compose.layer.name"));
    m_name->setAccessibleName(tr("Name of the layer"));
    m_name->setToolTip(tr("What its weights are called when they are saved."));
    setControlHeight(m_name, 28);
    guardField(m_name);
    m_nameRow = new FieldRow(makeLabel(tr("Name"), FontRole::Body, Token::Text2, m_content), m_name, m_content);
    m_column->addWidget(m_nameRow);
    m_form = new ParamForm(QStringLiteral("compose.param"), m_content);
    m_column->addWidget(m_form);
    makeInput();
    makeCost();
    m_column->addStretch(1);
    setWidget(m_content);

    connect(m_name, &QLineEdit::textEdited, this, [this] { rename(); });
    connect(m_form, &ParamForm::edited, this, [this](const std::string& id, const ParamValue& value) {
        m_document.setParam(m_layers, id, value);
    });
    connect(&document, &RecipeDocument::changed, this, [this] { update(); });
    connect(&Theme::instance(), &Theme::changed, this, [this] { update(); });
    update();
}

void LayerInspector::makeHead()
{
    auto* head = new QHBoxLayout;
    head->setSpacing(10);
    m_icon = new QLabel(m_content);
    m_icon->setFixedSize(32, 32);
    m_icon->setAlignment(Qt::AlignCenter);
    setRole(m_icon, "raised");
    head->addWidget(m_icon);
    auto* titles = new QVBoxLayout;
    titles->setSpacing(0);
    m_title = makeLabel({}, FontRole::Strong, Token::Text, m_content);
    m_title->setObjectName(QStringLiteral("compose.layer.title"));
    m_where = makeLabel({}, FontRole::Caption, Token::Text3, m_content);
    titles->addWidget(m_title);
    titles->addWidget(m_where);
    head->addLayout(titles, 1);
    m_help = makeButton(QStringLiteral("help"), tr("Help"), ButtonKind::Flat, m_content);
    m_help->setObjectName(QStringLiteral("compose.layer.help"));
    m_help->setCheckable(true);
    setControlHeight(m_help, 28);
    head->addWidget(m_help);
    m_column->addLayout(head);
    m_column->addSpacing(8);
    m_helpText = makeLabel({}, FontRole::Caption, Token::Text2, m_content);
    m_helpText->setObjectName(QStringLiteral("compose.layer.helpText"));
    m_helpText->setWordWrap(true);
    m_column->addWidget(m_helpText);
    m_column->addSpacing(6);
    connect(m_help, &QPushButton::toggled, this, [this](bool open) {
        m_helpOpen = open;
        m_helpText->setTextFormat(open ? Qt::RichText : Qt::PlainText);
        m_helpText->setText(open ? m_longHelp : m_shortHelp);
    });

    m_problem = new QFrame(m_content);
    m_problem->setObjectName(QStringLiteral("compose.layer.problem"));
    auto* box = new QHBoxLayout(m_problem);
    box->setContentsMargins(12, 8, 12, 8);
    box->setSpacing(8);
    m_problemIcon = new QLabel(m_problem);
    m_problemText = makeLabel({}, FontRole::Caption, Token::Text, m_problem);
    m_problemText->setWordWrap(true);
    box->addWidget(m_problemIcon, 0, Qt::AlignTop);
    box->addWidget(m_problemText, 1);
    m_column->addWidget(m_problem);
}

void LayerInspector::makeInput()
{
    m_inputForm = new ParamForm(QStringLiteral("compose.input"), m_content);
    m_inputForm->setDescriptors("input", inputParams());
    m_column->addWidget(m_inputForm);
    m_ownStatistics = makeButton({}, tr("Use the data's own mean and deviation"), ButtonKind::Normal, m_content);
    m_ownStatistics->setObjectName(QStringLiteral("compose.input.own"));
    setControlHeight(m_ownStatistics, 28);
    m_column->addSpacing(6);
    m_column->addWidget(m_ownStatistics, 0, Qt::AlignLeft);
    m_changes = new ChangesForm(m_document, m_content);
    m_column->addWidget(m_changes);
    connect(m_inputForm, &ParamForm::edited, this, [this](const std::string& id, const ParamValue& value) {
        m_document.change(tr("Set the input"), [&](Recipe& r) { setInputValue(r.data.input, id, value); }, QStringLiteral("input/") + text(id));
    });
    connect(m_ownStatistics, &QPushButton::clicked, this, [this] {
        if (!m_statistics) return;
        m_document.change(tr("Normalise the input"), [&](Recipe& r) {
            r.data.input = {true, true, m_statistics->first, std::max(1e-6, m_statistics->second)};
        });
    });
}

void LayerInspector::makeCost()
{
    m_cost = new QWidget(m_content);
    m_cost->setObjectName(QStringLiteral("compose.layer.cost"));
    auto* column = new QVBoxLayout(m_cost);
    column->setContentsMargins(0, 12, 0, 0);
    column->setSpacing(0);
    column->addWidget(makeLine(Qt::Horizontal, m_cost));
    column->addSpacing(12);
    column->addWidget(makeLabel(tr("Cost of this layer"), FontRole::Strong, Token::Text, m_cost));
    column->addSpacing(4);
    auto* grid = new QGridLayout;
    grid->setHorizontalSpacing(8);
    grid->setVerticalSpacing(5);
    grid->setColumnMinimumWidth(0, 120);
    grid->setColumnStretch(2, 1);
    int line = 0;
    const auto row = [&](const QString& name, const QString& caption) {
        CostRow r{makeLabel(caption, FontRole::Caption, Token::Text2, m_cost), makeLabel({}, FontRole::MonoSmall, Token::Text, m_cost),
                  makeLabel({}, FontRole::Caption, Token::Text3, m_cost)};
        r.value->setObjectName(QStringLiteral("compose.layer.cost.") + name);
        grid->addWidget(r.caption, line, 0);
        grid->addWidget(r.value, line, 1);
        grid->addWidget(r.note, line, 2);
        ++line;
        return r;
    };
    m_parameters = row(QStringLiteral("parameters"), tr("Parameters"));
    m_compute = row(QStringLiteral("compute"), tr("Compute"));
    m_activations = row(QStringLiteral("activations"), tr("Activations"));
    m_field = row(QStringLiteral("field"), tr("Sees of the input"));
    column->addLayout(grid);
    m_costUnknown = makeLabel(tr("Known when its input is known."), FontRole::Caption, Token::Text3, m_cost);
    m_costUnknown->setContentsMargins(0, 6, 0, 0);
    column->addWidget(m_costUnknown);
    m_column->addWidget(m_cost);
}

void LayerInspector::show(Subject subject, const std::vector<LayerId>& layers)
{
    if (layers != m_layers) verticalScrollBar()->setValue(0);
    m_subject = subject;
    m_layers = layers;
    update();
}

void LayerInspector::setLabelWidth(int width)
{
    m_compact = width < 120;
    m_column->setContentsMargins(m_compact ? 12 : 16, 12, m_compact ? 12 : 16, 16);
    m_nameRow->setLabelWidth(width);
    m_form->setLabelWidth(width);
    m_inputForm->setLabelWidth(width);
    m_changes->setLabelWidth(width);
    update();
}

void LayerInspector::setDataStatistics(std::optional<std::pair<double, double>> meanAndDeviation)
{
    m_statistics = meanAndDeviation;
    update();
}

void LayerInspector::focusFirst()
{
    if (m_subject == Subject::Input) {
        if (QWidget* field = m_inputForm->firstField()) field->setFocus(Qt::TabFocusReason);
        return;
    }
    QWidget* field = m_form->isVisibleTo(this) ? m_form->firstField() : nullptr;
    (field ? field : m_name)->setFocus(Qt::TabFocusReason);
}

void LayerInspector::setHead(const QString& icon, const QString& title, const QString& where, const QString& help)
{
    m_icon->setVisible(!icon.isEmpty());
    if (!icon.isEmpty()) m_icon->setPixmap(Theme::instance().pixmap(icon, Token::Text, 16, devicePixelRatioF()));
    m_title->setText(title);
    m_where->setText(where);
    m_shortHelp = firstSentence(help);
    m_longHelp = help.toHtmlEscaped();
    m_helpText->setTextFormat(Qt::PlainText);
    m_helpText->setText(m_shortHelp);
    m_helpText->setVisible(!help.isEmpty());
}

void LayerInspector::setProblem(const Problem* problem)
{
    m_problem->setVisible(problem != nullptr);
    if (!problem) return;
    const bool hard = problem->severity == Severity::Problem;
    setRole(m_problem, hard ? "problemSoft" : "warnSoft");
    m_problemIcon->setPixmap(Theme::instance().pixmap(hard ? QStringLiteral("error") : QStringLiteral("warning"), hard ? Token::Error : Token::Warn, 16, devicePixelRatioF()));
    QString words = text(problem->sentence);
    if (!problem->because.empty()) words += QLatin1Char('\n') + text(problem->because);
    m_problemText->setText(words);
}

void LayerInspector::update()
{
    // Layers that an edit removed are no longer shown; the view will say what is selected next.
    std::erase_if(m_layers, [this](const LayerId& id) { return !findLayer(m_document.recipe().stack, id); });
    if (m_subject == Subject::Layers && m_layers.empty()) m_subject = Subject::Nothing;
    const bool layer = m_subject == Subject::Layers;
    m_nameRow->setVisible(layer && m_layers.size() == 1);
    const bool symbols = m_document.facts() && m_document.facts()->symbols > 0; // fed as they are
    m_inputForm->setVisible(m_subject == Subject::Input && !symbols);
    m_ownStatistics->setVisible(m_subject == Subject::Input && m_statistics.has_value() && !symbols);
    m_changes->setVisible(m_subject == Subject::Input && m_changes->update());
    if (!layer) {
        m_form->hide();
        m_cost->hide();
        m_help->hide();
        setProblem(nullptr);
    }
    switch (m_subject) {
    case Subject::Nothing:
        setHead({}, tr("Nothing selected"), {}, tr("Select a layer to see and change its settings, or add one from the list at the left."));
        break;
    case Subject::Input: updateInput(); break;
    case Subject::Output: updateOutput(); break;
    case Subject::Layers: updateLayer(); break;
    }
}

void LayerInspector::updateInput()
{
    const auto& facts = m_document.facts();
    QString where = text(m_document.recipe().data.dataset);
    if (facts) where = QStringLiteral("%1, %2").arg(text(facts->title), text(facts->input.text()));
    setHead(QStringLiteral("input"), tr("Input"), where, facts && facts->symbols > 0 ? tr("What the network is fed: a window of the text, each symbol as its number among %1.").arg(facts->symbols) : tr("What the network is fed: one sample of the data at a time, turned into numbers as set here."));
    m_inputForm->setValues(inputValues(m_document.recipe().data.input));
}

void LayerInspector::updateOutput()
{
    const auto& facts = m_document.facts();
    const OptionEntry* task = findOption(taskEntries(), m_document.recipe().task.type);
    QString help = text(task ? task->help : "");
    const Configured& chosen = m_document.recipe().task;
    switch (targetOf(chosen)) {
    case Target::Class:
        if (facts) help += QLatin1Char(' ') + tr("The last layer must give %1 numbers, one for each class.").arg(facts->classes);
        break;
    case Target::Labels:
        if (facts) help += QLatin1Char(' ') + tr("The last layer must give %1 numbers, one for each label.").arg(facts->labels);
        break;
    case Target::Flag:
    case Target::Number: help += QLatin1Char(' ') + tr("The last layer must give 1 number."); break;
    case Target::Input:
        if (facts) help += QLatin1Char(' ') + tr("The last layer must give %1, as the input is.").arg(text(facts->input.text()));
        break;
    case Target::Next:
        if (facts) help += QLatin1Char(' ') + tr("The last layer must give %1 numbers at each place, one for each symbol.").arg(facts->symbols);
        break;
    }
    setHead(QStringLiteral("output"), tr("Output"), task ? text(task->title) : QString(), help.trimmed());
    m_helpText->setText(help.trimmed());
    setProblem(m_document.outputProblem());
}

void LayerInspector::updateLayer()
{
    const Stack& stack = m_document.recipe().stack;
    const Layer& first = *findLayer(stack, m_layers.front());
    const LayerEntry* entry = findLayerEntry(first.type);
    const bool alike = std::all_of(m_layers.begin(), m_layers.end(), [&](const LayerId& id) { return findLayer(stack, id)->type == first.type; });
    const bool single = m_layers.size() == 1;
    m_help->setVisible(entry && alike);
    m_cost->setVisible(single);
    const std::vector<ParamDescriptor> params = entry ? entry->allParams() : std::vector<ParamDescriptor>{};
    m_form->setVisible(alike && !params.empty());
    setProblem(single ? m_document.problemOf(first.id) : nullptr);
    if (!entry) return;
    if (!alike) {
        setHead(text(entry->icon), tr("%1 layers").arg(m_layers.size()), tr("of different kinds"),
                tr("They can be moved, duplicated, copied or deleted together. Select layers of one kind to set them together."));
        return;
    }
    const LayerReport* report = m_document.reportOf(first.id);
    const auto place = placeOf(stack, first.id);
    QString where = tr("layer %1 of %2").arg(place->position + 1).arg(stackAt(stack, *place)->layers.size());
    if (!place->block.empty()) where += tr(", in %1").arg(text(findLayer(stack, place->block)->name));
    if (!single) where = tr("what is set here holds for all of them");
    setHead(text(entry->icon), single ? text(entry->title) : tr("%1 × %2").arg(m_layers.size()).arg(text(entry->title)), where, text(entry->help));
    m_longHelp = text(entry->help).toHtmlEscaped();
    for (const ParamDescriptor& d : params)
        m_longHelp += QStringLiteral("<br><b>%1</b>: %2").arg(text(d.title).toHtmlEscaped(), text(d.help).toHtmlEscaped());
    m_helpText->setTextFormat(m_helpOpen ? Qt::RichText : Qt::PlainText);
    m_helpText->setText(m_helpOpen ? m_longHelp : m_shortHelp);

    if (m_name->text().toStdString() != first.name && (!m_name->hasFocus() || m_nameRow->error().isEmpty())) {
        m_name->setText(text(first.name));
        m_nameRow->setError({});
    }
    m_form->setDescriptors(entry->id, params);
    ParamValues values = layerTrainingValues(first);
    values.insert(first.params.begin(), first.params.end());
    m_form->setValues(values);
    std::map<std::string, QString> errors;
    const std::string base = pathOfLayer(stack, first.id);
    for (const Problem& problem : m_document.problems()) {
        std::string param;
        if (problem.path.rfind(base + "/", 0) == 0) param = problem.path.substr(base.size() + 1);
        if (problem.severity != Severity::Problem || param.empty() || param.find("branches") == 0) continue;
        param = param.substr(0, param.find('/'));
        errors.emplace(param, text(!problem.because.empty() ? problem.because : problem.brief.empty() ? problem.sentence : problem.brief));
    }
    m_form->setErrors(errors);
    if (single) updateCost(report);
}

void LayerInspector::updateCost(const LayerReport* report)
{
    const QString unknown = QStringLiteral("–");
    const bool known = report && report->output && !report->assumed && !report->problem;
    m_costUnknown->setVisible(!known);
    const auto set = [&](CostRow& row, const QString& value, const QString& note) {
        row.value->setText(known ? value : unknown);
        row.note->setText(known && !m_compact ? note : QString());
    };
    m_field.caption->setVisible(known && !report->receptiveField.empty());
    m_field.value->setVisible(m_field.caption->isVisibleTo(m_cost));
    m_field.note->setVisible(m_field.caption->isVisibleTo(m_cost));
    const std::int64_t batch = m_document.recipe().training.batchSize;
    if (!known) {
        for (CostRow* row : {&m_parameters, &m_compute, &m_activations}) set(*row, {}, {});
        return;
    }
    const double flop = 2.0 * double(report->cost.macs) + double(report->cost.elementwise);
    set(m_parameters, text(groupedInt(report->parameters)), text(bytesText(std::uint64_t(report->parameters) * 4)));
    set(m_compute, text(flopText(flop)), tr("per sample"));
    set(m_activations, text(bytesText(std::uint64_t(double(report->cost.activationBytes) * double(batch)))), tr("at batch %1").arg(batch));
    if (report->receptiveField.empty()) return;
    std::vector<std::int64_t> field(report->receptiveField.begin(), report->receptiveField.end()), whole;
    if (m_document.facts())
        for (const Dim& dim : m_document.facts()->input.dims)
            if (dim.axis != Axis::Channel && dim.axis != Axis::Feature) whole.push_back(dim.size);
    set(m_field, text(shapeText(field)) + QStringLiteral(" px"), whole.empty() ? QString() : tr("of %1").arg(text(shapeText(whole))));
}

void LayerInspector::rename()
{
    if (m_layers.size() == 1) m_nameRow->setError(m_document.renameLayer(m_layers.front(), m_name->text()));
}

} // namespace sconce::ui
