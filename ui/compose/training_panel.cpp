// SPDX-License-Identifier: GPL-3.0-or-later
#include "ui/compose/training_panel.h"

#include "core/base/text.h"
#include "core/recipe/task.h"
#include "ui/charts/plot_view.h"
#include "ui/widgets/parts.h"

#include <QCheckBox>
#include <QHBoxLayout>
#include <QLineEdit>
#include <QRandomGenerator>
#include <QRegularExpressionValidator>
#include <QSpinBox>
#include <QTimer>
#include <QVBoxLayout>

#include <algorithm>
#include <cmath>

namespace sconce::ui {

namespace {

QString text(const std::string& value) { return QString::fromStdString(value); }

std::vector<ParamChoice> choicesOf(std::span<const OptionEntry> entries)
{
    std::vector<ParamChoice> choices;
    for (const OptionEntry& entry : entries) choices.push_back({entry.id, entry.title, entry.help});
    return choices;
}

} // namespace

TrainingPanel::TrainingPanel(RecipeDocument& document, QWidget* parent) : QScrollArea(parent), m_document(document)
{
    setObjectName(QStringLiteral("compose.training"));
    setWidgetResizable(true);
    setFrameShape(QFrame::NoFrame);
    setHorizontalScrollBarPolicy(Qt::ScrollBarAlwaysOff);
    m_content = new QWidget;
    m_column = new QVBoxLayout(m_content);
    m_column->setContentsMargins(16, 12, 16, 16);
    m_column->setSpacing(0);
    m_settled = new QTimer(this);
    m_settled->setSingleShot(true);
    m_settled->setInterval(200);
    connect(m_settled, &QTimer::timeout, this, &TrainingPanel::sayRecomputing);
    makeGoal();
    makeOptimiser();
    makeLength();
    makeSafety();
    makeOptions();
    setTrials(true, {});
    m_column->addStretch(1);
    setWidget(m_content);
    connect(&document, &RecipeDocument::changed, this, [this] { update(); });
    update();
}

QVBoxLayout* TrainingPanel::section(const QString& title)
{
    if (m_column->count() > 0) m_column->addSpacing(14);
    m_column->addWidget(makeLabel(title, FontRole::Strong, Token::Text, m_content));
    m_column->addSpacing(4);
    auto* where = new QVBoxLayout;
    where->setSpacing(0);
    m_column->addLayout(where);
    return where;
}

TrainingPanel::Setting& TrainingPanel::add(QVBoxLayout* where, const ParamDescriptor& descriptor, const QString& term,
                                           std::string path, std::function<ParamValue(const Recipe&)> get,
                                           std::function<void(Recipe&, const ParamValue&)> set)
{
    auto* field = new ParamField(descriptor, QStringLiteral("compose.training.") + text(descriptor.id), m_content);
    auto* row = new FieldRow(makeFieldLabel(term, descriptor, m_content), field, m_content);
    where->addWidget(row);
    m_rows.push_back(row);
    m_settings.push_back(std::make_unique<Setting>(Setting{std::move(path), std::move(get), std::move(set), field, row}));
    Setting& setting = *m_settings.back();
    connect(field, &ParamField::edited, this, [this, &setting](const ParamValue& value) {
        const ParamDescriptor& d = setting.field->descriptor();
        m_document.change(tr("Set %1").arg(text(d.title)), [&](Recipe& r) { setting.set(r, value); }, QStringLiteral("set/") + text(d.id));
    });
    return setting;
}

ParamForm* TrainingPanel::addForm(QVBoxLayout* where, const QString& prefix, Configured TrainingSettings::*which)
{
    auto* form = new ParamForm(prefix, m_content);
    where->addWidget(form);
    connect(form, &ParamForm::edited, this, [this, prefix, which](const std::string& id, const ParamValue& value) {
        m_document.change(tr("Set %1").arg(text(id)), [&](Recipe& r) { (r.training.*which).params[id] = value; }, prefix + text(id));
    });
    return form;
}

void TrainingPanel::makeGoal()
{
    QVBoxLayout* where = section(tr("Goal"));
    add(where, choiceParam("task", "Task", "classification", choicesOf(taskEntries()), "What the network is to do: it decides about the loss, the metrics and what the last layer must give."), {}, "/task/type",
        [](const Recipe& r) { return ParamValue(r.task.type); },
        [](Recipe& r, const ParamValue& v) { r.task = {std::get<std::string>(v), {}}; });
    m_taskForm = new ParamForm(QStringLiteral("compose.training.task"), m_content);
    where->addWidget(m_taskForm);
    connect(m_taskForm, &ParamForm::edited, this, [this](const std::string& id, const ParamValue& value) {
        m_document.change(tr("Set %1").arg(text(id)), [&](Recipe& r) { r.task.params[id] = value; }, QStringLiteral("task/") + text(id));
    });
    auto* loss = new TermLabel(QStringLiteral("loss"), tr("Loss"), m_content);
    loss->setFont(ui::font(FontRole::Body));
    m_loss = makeLabel({}, FontRole::Body, Token::Text, m_content);
    m_lossRow = new FieldRow(loss, m_loss, m_content);
    where->addWidget(m_lossRow);
    m_rows.push_back(m_lossRow);
}

QPushButton* TrainingPanel::addTrial(QVBoxLayout* where, const char* icon, const QString& words, const char* name)
{
    QPushButton* button = makeButton(QLatin1String(icon), words, ButtonKind::Flat, m_content);
    button->setObjectName(QStringLiteral("compose.training.") + QLatin1String(name));
    setControlHeight(button, 28);
    where->addWidget(button, 0, Qt::AlignRight);
    return button;
}

void TrainingPanel::makeOptimiser()
{
    QVBoxLayout* where = section(tr("Optimiser"));
    add(where, choiceParam("optimiser", "Method", "adam", choicesOf(optimiserEntries()), "The rule that changes the weights at each step. Some need fewer steps, and keep more numbers beside each weight."),
        QStringLiteral("optimiser"), "/training/optimiser/type",
        [](const Recipe& r) { return ParamValue(r.training.optimiser.type); },
        [](Recipe& r, const ParamValue& v) { r.training.optimiser = {std::get<std::string>(v), {}}; });
    m_optimiserForm = addForm(where, QStringLiteral("compose.training.optimiser"), &TrainingSettings::optimiser);
    ParamDescriptor rate = realParam("learningRate", "Learning rate", 0.001, 1e-8, 100, "Larger steps learn faster, up to where the loss jumps about; smaller ones need more epochs and end more exactly.");
    rate.logarithmic = true;
    add(where, rate, QStringLiteral("learning rate"), "/training/learning_rate",
        [](const Recipe& r) { return ParamValue(r.training.learningRate); },
        [](Recipe& r, const ParamValue& v) { r.training.learningRate = std::get<double>(v); });
    m_findRate = addTrial(where, "search", tr("Find a rate…"), "findRate");
    connect(m_findRate, &QPushButton::clicked, this, &TrainingPanel::findRateRequested);
    add(where, choiceParam("schedule", "Schedule", "constant", choicesOf(scheduleEntries()), "A rate that falls towards the end often ends more accurate than one that stays. It costs nothing, but wants the length of the run to be known."),
        QStringLiteral("schedule"), "/training/schedule/type",
        [](const Recipe& r) { return ParamValue(r.training.schedule.type); },
        [](Recipe& r, const ParamValue& v) { r.training.schedule = {std::get<std::string>(v), {}}; });
    m_scheduleForm = addForm(where, QStringLiteral("compose.training.schedule"), &TrainingSettings::schedule);
    m_plot = new PlotView(m_content);
    m_plot->setObjectName(QStringLiteral("compose.training.curve"));
    m_plot->setFixedHeight(84);
    m_plot->setLeftGutter(56);
    m_plot->setFocusPolicy(Qt::NoFocus);
    where->addSpacing(4);
    where->addWidget(m_plot);
    m_plotWords = makeLabel({}, FontRole::Caption, Token::Text3, m_content);
    m_plotWords->setAlignment(Qt::AlignRight);
    where->addWidget(m_plotWords);
}

void TrainingPanel::makeLength()
{
    QVBoxLayout* where = section(tr("Length"));
    add(where, intParam("batchSize", "Batch size", 128, 1, 1'000'000, "More samples in a step make better use of the hardware and need more memory; fewer make more steps of an epoch, and often do a little better on what was never seen."),
        QStringLiteral("batch size"), "/training/batch_size",
        [](const Recipe& r) { return ParamValue(r.training.batchSize); },
        [](Recipe& r, const ParamValue& v) { r.training.batchSize = std::get<std::int64_t>(v); });
    m_findBatch = addTrial(where, "search", tr("Largest that fits…"), "findBatch");
    connect(m_findBatch, &QPushButton::clicked, this, &TrainingPanel::findBatchRequested);
    add(where, intParam("epochs", "Epochs", 10, 1, 100'000, "How often all training samples are gone through. More learn more and take as much longer; too many learn by heart."), QStringLiteral("epoch"),
        "/training/epochs", [](const Recipe& r) { return ParamValue(std::int64_t{r.training.epochs}); },
        [](Recipe& r, const ParamValue& v) { r.training.epochs = static_cast<int>(std::get<std::int64_t>(v)); });
}

void TrainingPanel::makeSafety()
{
    QVBoxLayout* where = section(tr("Data and safety"));
    ParamDescriptor share = realParam("validation", "Validation", 10, 0, 90, "The share of the training samples kept apart to check the network after each epoch. Shows when it learns by heart; what is kept apart is not learned from.");
    share.unit = "%";
    m_validation = &add(where, share, QStringLiteral("validation"), "/data/split/validation",
        [](const Recipe& r) { return ParamValue(std::round(r.data.split.validation * 1e8) / 1e6); },
        [](Recipe& r, const ParamValue& v) { r.data.split.validation = std::get<double>(v) / 100; });
    ParamDescriptor count = intParam("validationCount", "or so many", 0, 0, 1'000'000'000, "So many training samples are kept apart in place of the share; 0 goes by the share. More judge more exactly, and leave fewer to learn from.");
    count.unit = "samples";
    count.zero = "by share";
    add(where, count, {}, "/data/split/validation_count", [](const Recipe& r) { return ParamValue(r.data.split.validationCount); },
        [](Recipe& r, const ParamValue& v) { r.data.split.validationCount = std::get<std::int64_t>(v); });
    add(where, choiceParam("split", "Taken from", "last", {{"last", "the end", "The last samples, as Keras does"}, {"shuffled", "anywhere", "Drawn at random by the seed"}},
                           "Which training samples become validation samples. The end compares with Keras; anywhere is safer where samples are sorted. Neither costs anything."), {}, "/data/split/kind",
        [](const Recipe& r) { return ParamValue(std::string(r.data.split.kind == SplitSettings::Kind::Last ? "last" : "shuffled")); },
        [](Recipe& r, const ParamValue& v) {
            r.data.split.kind = std::get<std::string>(v) == "last" ? SplitSettings::Kind::Last : SplitSettings::Kind::Shuffled;
        });
    ParamDescriptor test = realParam("test", "Test", 0, 0, 50, "This data has no test part of its own: the share held back for the final score, which without it is missing. It is not learned from.");
    test.unit = "%";
    m_testShare = &add(where, test, QStringLiteral("test"), "/data/split/test",
        [](const Recipe& r) { return ParamValue(std::round(r.data.split.test * 1e8) / 1e6); },
        [](Recipe& r, const ParamValue& v) { r.data.split.test = std::get<double>(v) / 100; });
    ParamDescriptor shuffle = boolParam("shuffle", "Shuffle", true, "Takes the samples in a new order in each epoch, which nearly always learns better and costs next to nothing.");
    shuffle.unit = "in each epoch";
    add(where, shuffle, {}, "/data/shuffle", [](const Recipe& r) { return ParamValue(r.data.shuffle); },
        [](Recipe& r, const ParamValue& v) { r.data.shuffle = std::get<bool>(v); });
    ParamDescriptor each = intParam("checkpointEpochs", "Checkpoints", 1, 0, 100'000, "Epochs between checkpoints, from the newest of which a run goes on after a power cut; 0 makes none by epochs. Each is written while training goes on, and costs a copy of the weights and of what the optimiser keeps.");
    each.unit = "epochs"; // update() puts the singular where it belongs
    m_everyEpochs = &add(where, each, QStringLiteral("checkpoint"), "/training/checkpoint/every_epochs",
        [](const Recipe& r) { return ParamValue(std::int64_t{r.training.checkpoint.everyEpochs}); },
        [](Recipe& r, const ParamValue& v) { r.training.checkpoint.everyEpochs = static_cast<int>(std::get<std::int64_t>(v)); });
    ParamDescriptor steps = intParam("checkpointSteps", "and every", 0, 0, 1'000'000'000, "Steps between checkpoints; 0 makes none by steps. Fewer lose less to a power cut, and keep memory and disk busier.");
    steps.unit = "steps";
    steps.zero = "never by steps";
    add(where, steps, {}, "/training/checkpoint/every_steps", [](const Recipe& r) { return ParamValue(r.training.checkpoint.everySteps); },
        [](Recipe& r, const ParamValue& v) { r.training.checkpoint.everySteps = std::get<std::int64_t>(v); });
    ParamDescriptor minutes = realParam("checkpointMinutes", "and every", 5, 0, 10'000, "Minutes between checkpoints; 0 makes none by time. Fewer lose less to a power cut, and keep memory and disk busier.");
    minutes.unit = "minutes";
    m_everyMinutes = &add(where, minutes, {}, "/training/checkpoint/every_minutes",
        [](const Recipe& r) { return ParamValue(r.training.checkpoint.everyMinutes); },
        [](Recipe& r, const ParamValue& v) { r.training.checkpoint.everyMinutes = std::get<double>(v); });
    ParamDescriptor keep = intParam("checkpointKeep", "Keep the last", 2, 1, 1000, "How many of the newest checkpoints stay on the disk. Should one be damaged, the one before it is taken; each needs the space of the weights and of what the optimiser keeps.");
    add(where, keep, {}, "/training/checkpoint/keep_last",
        [](const Recipe& r) { return ParamValue(std::int64_t{r.training.checkpoint.keepLast}); },
        [](Recipe& r, const ParamValue& v) { r.training.checkpoint.keepLast = static_cast<int>(std::get<std::int64_t>(v)); });
    ParamDescriptor best = boolParam("checkpointBest", "Keep the best", true, "Also keeps the checkpoint of the best epoch.");
    best.unit = "by validation loss"; // sayBest() says which, and what it costs
    m_best = &add(where, best, {}, "/training/checkpoint/keep_best",
        [](const Recipe& r) { return ParamValue(r.training.checkpoint.keepBest); },
        [](Recipe& r, const ParamValue& v) { r.training.checkpoint.keepBest = std::get<bool>(v); });
    makeSeed(where);
    m_threads = &add(where, intParam("threads", "Threads", 0, 0, 1024, "Processor threads used for training; 0 takes as many as the machine allows. Fewer leave room for other work, and train slower."), {},
        "/threads", [](const Recipe& r) { return ParamValue(std::int64_t{r.threads}); },
        [](Recipe& r, const ParamValue& v) { r.threads = static_cast<int>(std::get<std::int64_t>(v)); });
    setUsableThreads(0);
}

/// What the catalogue of training options has, a section for each group.
void TrainingPanel::makeOptions()
{
    for (const OptionEntry& group : trainingOptions()) {
        QVBoxLayout* where = section(text(group.title));
        auto* form = new ParamForm(QStringLiteral("compose.training.") + text(group.id), m_content);
        form->setToolTip(text(group.help));
        std::vector<ParamDescriptor> fields = group.params;
        if (group.id == "start") { // names and hashes are chosen, not typed
            makeStart(where);
            std::erase_if(fields, [](const ParamDescriptor& each) { return each.kind == ParamKind::Text; });
        }
        form->setDescriptors(group.id, fields);
        where->addWidget(form);
        if (group.id == "speed") {
            m_profile = addTrial(where, "clock", tr("Profile a few steps…"), "profile");
            connect(m_profile, &QPushButton::clicked, this, &TrainingPanel::profileRequested);
        }
        if (group.id == "memory") {
            m_recomputing = makeLabel({}, FontRole::Caption, Token::Text2, m_content);
            m_recomputing->setObjectName(QStringLiteral("compose.training.memory.words"));
            m_recomputing->setWordWrap(true);
            m_recomputing->setContentsMargins(0, 4, 0, 0);
            m_recomputing->setToolTip(tr("By the operations that would be done twice, counted in multiply-adds. What they really take depends on the machine: Profile a few steps tells."));
            where->addWidget(m_recomputing);
        }
        m_optionForms.push_back(form);
        connect(form, &ParamForm::edited, this, [this, &group](const std::string& id, const ParamValue& value) {
            const ParamDescriptor* descriptor = findParam(group.params, id);
            m_document.change(tr("Set %1").arg(text(descriptor ? descriptor->title : id)), [&](Recipe& r) { setOption(r.training, group.id, id, value); },
                              QStringLiteral("option/") + text(group.id) + QLatin1Char('/') + text(id));
        });
    }
}

/// What training starts from, and the ways to choose it.
void TrainingPanel::makeStart(QVBoxLayout* where)
{
    auto* box = new QWidget(m_content);
    auto* line = new QHBoxLayout(box);
    line->setContentsMargins(0, 0, 0, 0);
    line->setSpacing(2);
    m_start = makeLabel({}, FontRole::Body, Token::Text, box);
    m_start->setObjectName(QStringLiteral("compose.training.start.weights"));
    m_start->setWordWrap(true);
    line->addWidget(m_start, 1);
    const auto add = [&](const char* icon, const QString& words, const char* name) {
        QToolButton* button = makeToolButton(QLatin1String(icon), words, box);
        button->setObjectName(QStringLiteral("compose.training.start.") + QLatin1String(name));
        line->addWidget(button, 0, Qt::AlignTop);
        return button;
    };
    QToolButton* run = add("runs", tr("Start from the weights of a run"), "run");
    connect(run, &QToolButton::clicked, this, [this, run] { Q_EMIT weightsRunWanted(run->mapToGlobal(QPoint(0, run->height()))); });
    connect(add("folder", tr("Start from the weights in a .safetensors file"), "file"), &QToolButton::clicked, this, [this] { Q_EMIT weightsFileWanted(); });
    m_startClear = add("cross", tr("Start from random numbers"), "clear");
    connect(m_startClear, &QToolButton::clicked, this, [this] {
        m_document.change(tr("Start from random numbers"), [](Recipe& r) { r.training.options.erase("start"); }); // an edit of its own: undone, what was chosen is back
    });
    auto* label = makeLabel(tr("Weights"), FontRole::Body, Token::Text2, m_content);
    label->setToolTip(tr("What training starts from. The store keeps a copy of chosen weights, and so does every run that starts from them."));
    auto* row = new FieldRow(label, box, m_content);
    where->addWidget(row);
    m_rows.push_back(row);
}

void TrainingPanel::fillOptions()
{
    const std::string& title = wordOf(m_document.recipe().training, "start", "weights");
    const std::string& hash = wordOf(m_document.recipe().training, "start", "sha256");
    m_start->setText(hash.empty() ? tr("random numbers, by the seed") : text(title));
    m_start->setToolTip(hash.empty() ? QString() : tr("%1, SHA-256 %2").arg(text(title), text(hash)));
    m_startClear->setVisible(!hash.empty());
    static const ParamValues nothing;
    const auto& options = m_document.recipe().training.options;
    for (std::size_t i = 0; i < m_optionForms.size(); ++i) {
        const std::string& group = trainingOptions()[i].id;
        const auto set = options.find(group);
        m_optionForms[i]->setValues(set == options.end() ? nothing : set->second);
        std::map<std::string, QString> errors;
        const std::string prefix = "/training/" + group + "/";
        for (const Problem& problem : m_document.problems())
            if (problem.severity == Severity::Problem && problem.path.starts_with(prefix))
                errors[problem.path.substr(prefix.size())] = text(problem.brief.empty() ? problem.sentence : problem.brief);
        m_optionForms[i]->setErrors(errors);
    }
}

/// Seeds go beyond what a spin box holds, and nobody steps through them.
void TrainingPanel::makeSeed(QVBoxLayout* where)
{
    auto* box = new QWidget(m_content);
    auto* line = new QHBoxLayout(box);
    line->setContentsMargins(0, 0, 0, 0);
    line->setSpacing(4);
    m_seed = new QLineEdit(box);
    m_seed->setObjectName(QStringLiteral("compose.training.seed"));
    m_seed->setFont(ui::font(FontRole::Mono));
    m_seed->setAccessibleName(tr("Seed"));
    const QString help = tr("The same seed gives the same run, another one shows how much of a result is chance. None is better than the others, and it costs nothing.");
    m_seed->setToolTip(help);
    m_seed->setAccessibleDescription(help);
    m_seed->setValidator(new QRegularExpressionValidator(QRegularExpression(QStringLiteral("[0-9]{1,18}")), m_seed));
    setControlHeight(m_seed, 28);
    guardField(m_seed);
    QToolButton* dice = makeToolButton(QStringLiteral("shuffle"), tr("A new seed"), box);
    dice->setObjectName(QStringLiteral("compose.training.newSeed"));
    line->addWidget(m_seed, 1);
    line->addWidget(dice);
    auto* label = new TermLabel(QStringLiteral("seed"), tr("Seed"), m_content);
    label->setFont(ui::font(FontRole::Body));
    m_seedRow = new FieldRow(label, box, m_content);
    where->addWidget(m_seedRow);
    m_rows.push_back(m_seedRow);
    const auto set = [this](std::uint64_t seed) {
        m_document.change(tr("Set the seed"), [&](Recipe& r) { r.seed = seed; }, QStringLiteral("seed"));
    };
    connect(m_seed, &QLineEdit::textEdited, this, [this, set](const QString& now) {
        bool number = false;
        const qulonglong seed = now.toULongLong(&number);
        m_seedRow->setError(number ? QString() : tr("A seed is a whole number."));
        if (number) set(seed);
    });
    connect(dice, &QToolButton::clicked, this, [set] { set(QRandomGenerator::global()->bounded(1'000'000)); });
}

void TrainingPanel::setUsableThreads(int threads)
{
    m_usableThreads = threads;
    if (auto* box = m_threads->field->findChild<QSpinBox*>())
        box->setSpecialValueText(threads > 0 ? tr("all %1").arg(threads) : tr("all"));
}

void TrainingPanel::setTrials(bool possible, const QString& why)
{
    const std::pair<QPushButton*, QString> trials[] = {
        {m_findRate, tr("Tries rates from small to large on a fresh copy of the network and suggests one. Takes some seconds.")},
        {m_findBatch, tr("Makes single steps with larger and larger batches until the memory is full, and suggests a size.")},
        {m_profile, tr("Times some steps, part by part: which layer and which operation takes how long. Takes some seconds.")}};
    for (const auto& [button, help] : trials) {
        if (!button) continue;
        button->setEnabled(possible);
        button->setToolTip(possible ? help : why);
    }
}

void TrainingPanel::setLabelWidth(int width)
{
    m_compact = width < 120;
    m_column->setContentsMargins(m_compact ? 12 : 16, 12, m_compact ? 12 : 16, 16);
    for (FieldRow* row : m_rows) row->setLabelWidth(width);
    for (ParamForm* form : {m_taskForm, m_optimiserForm, m_scheduleForm}) form->setLabelWidth(width);
    for (ParamForm* form : m_optionForms) form->setLabelWidth(width);
    update();
}

void TrainingPanel::update()
{
    const Recipe& recipe = m_document.recipe();
    const auto fill = [](ParamForm* form, std::span<const OptionEntry> entries, const Configured& chosen) {
        const OptionEntry* entry = findOption(entries, chosen.type);
        form->setDescriptors(chosen.type, entry ? entry->params : std::vector<ParamDescriptor>{});
        form->setValues(chosen.params);
        form->setVisible(entry && !entry->params.empty());
    };
    fill(m_taskForm, taskEntries(), recipe.task);
    const OptionEntry* task = findOption(taskEntries(), recipe.task.type);
    m_lossRow->setVisible(!task || !findParam(task->params, "loss")); // else it is one of the task's own settings
    const QString loss = text(lossTitle(recipe.task));
    m_loss->setText(loss.left(1).toUpper() + loss.mid(1));
    fill(m_optimiserForm, optimiserEntries(), recipe.training.optimiser);
    fill(m_scheduleForm, scheduleEntries(), recipe.training.schedule);
    for (const auto& setting : m_settings) {
        const ParamValue value = setting->get(recipe);
        setting->field->setValue(value);
        tellChosen(*setting->field, value);
        QString wrong;
        for (const Problem& problem : m_document.problems())
            if (problem.path == setting->path && problem.severity == Severity::Problem)
                wrong = text(problem.brief.empty() ? problem.sentence : problem.brief);
        if (setting->row->error() != wrong) setting->row->setError(wrong);
    }
    const auto unit = [&](Setting* setting, bool one, const QString& singular, const QString& plural) {
        const QString suffix = QLatin1Char(' ') + (one ? singular : plural);
        if (auto* whole = setting->field->findChild<QSpinBox*>()) {
            whole->setPrefix(tr("every "));
            whole->setSuffix(suffix);
        }
        if (auto* real = setting->field->findChild<QDoubleSpinBox*>()) real->setSuffix(suffix);
    };
    sayBest();
    unit(m_everyEpochs, recipe.training.checkpoint.everyEpochs == 1, tr("epoch"), tr("epochs"));
    unit(m_everyMinutes, recipe.training.checkpoint.everyMinutes == 1, tr("minute"), tr("minutes"));
    if (m_seed->text().toULongLong() != recipe.seed || m_seed->text().isEmpty()) {
        if (!m_seed->hasFocus() || !m_seed->text().isEmpty()) m_seed->setText(QString::number(recipe.seed));
    }
    const auto& facts = m_document.facts();
    m_testShare->row->setVisible(facts && facts->testCount == 0);
    const bool own = facts && facts->validationCount > 0 && facts->validationCount < facts->trainingCount && recipe.data.split.kind == SplitSettings::Kind::Last;
    for (const auto& setting : m_settings)
        if (setting->path.starts_with("/data/split/validation")) setting->field->setEnabled(!own); // the data's own part is taken whole
    if (own && !m_compact) {
        m_validation->row->setNote(tr("own folder"));
    } else if (facts && !m_compact) { // the estimate bar says it as well
        const SplitCounts counts = splitCounts(facts->trainingCount, facts->testCount, recipe.data.split, facts->validationCount);
        m_validation->row->setNote(text(plural(counts.validation, "sample", "samples")));
    } else {
        m_validation->row->setNote({});
    }
    fillOptions();
    drawSchedule();
    m_settled->start();
}

void TrainingPanel::sayRecomputing()
{
    const auto& facts = m_document.facts();
    const Recipe& recipe = m_document.recipe();
    const auto guess = facts ? recomputingEstimate(recipe, m_document.report(), *facts) : std::nullopt;
    QString words;
    if (guess) words = text(recomputingText(*guess, wordOf(recipe.training, "memory", "recompute") == "blocks"));
    if (!words.isEmpty()) words[0] = words[0].toUpper();
    m_recomputing->setText(words);
    m_recomputing->setVisible(!words.isEmpty());
}

/// The best epoch is that of the number which early stopping watches (StoppingPolicy), whether or not it ends the run.
void TrainingPanel::sayBest()
{
    const TrainingSettings& training = m_document.recipe().training;
    const bool accuracy = flagOf(training, "early_stopping", "enabled") && wordOf(training, "early_stopping", "watch") == "val_accuracy";
    const QString help = accuracy ? tr("Also keeps the checkpoint of the epoch with the best validation accuracy, which early stopping watches. Costs the space of one more checkpoint, and writing it at each new best.")
                                  : tr("Also keeps the checkpoint of the epoch with the best validation loss, from before the network began to learn by heart. Costs the space of one more checkpoint, and writing it at each new best.");
    auto* box = m_best->field->findChild<QCheckBox*>();
    box->setText(accuracy ? tr("by validation accuracy") : tr("by validation loss"));
    box->setAccessibleDescription(help);
    box->setToolTip(help);
    for (QLabel* label : m_best->row->findChildren<QLabel*>())
        if (label->buddy() == m_best->field) label->setToolTip(help);
}

void TrainingPanel::drawSchedule()
{
    const TrainingSettings& training = m_document.recipe().training;
    std::int64_t perEpoch = 100; // the curve's form does not depend on it
    if (m_document.estimate()) perEpoch = std::max<std::int64_t>(1, m_document.estimate()->stepsPerEpoch);
    const std::int64_t steps = perEpoch * std::max(1, training.epochs);
    Curve curve;
    curve.id = QStringLiteral("learningRate");
    curve.title = tr("learning rate");
    curve.token = Token::Text2;
    constexpr int points = 120;
    double highest = 0;
    for (int i = 0; i <= points; ++i) {
        const std::int64_t step = std::min(steps - 1, steps * i / points);
        curve.x.push_back(double(step + (i == points ? 1 : 0)) / double(perEpoch));
        curve.y.push_back(learningRateAt(training, {step, steps, perEpoch}));
        highest = std::max(highest, curve.y.back());
    }
    m_plot->setXRange(0, std::max(1, training.epochs));
    m_plot->setYRange(0, highest > 0 ? highest * 1.1 : 1);
    m_plot->setXAxisVisible(true);
    if (training.schedule.type == "plateau") { // what it does depends on what will be measured
        m_plot->setCurves({std::move(curve)});
        m_plotWords->setText(tr("falls when validation stops getting better"));
        return;
    }
    const double last = curve.y.back();
    m_plot->setCurves({std::move(curve)});
    m_plotWords->setText(tr("epochs; ends at %1").arg(text(realText(last))));
}

} // namespace sconce::ui
