// SPDX-License-Identifier: GPL-3.0-or-later
#include "ui/welcome/welcome_page.h"

#include "core/base/text.h"
#include "ui/services/pages.h"
#include "ui/services/words.h"
#include "ui/welcome/digit_wall.h"
#include "ui/welcome/open_recipe.h"
#include "ui/widgets/list_row.h"
#include "ui/widgets/parts.h"

#include <QCheckBox>
#include <QComboBox>
#include <QDateTime>
#include <QGridLayout>
#include <QScrollArea>
#include <QVBoxLayout>

#include <algorithm>

namespace sconce::ui {

namespace {

const char* const quickStarter = "digits-convnet";

QString text(const std::string& s)
{
    return QString::fromStdString(s);
}

/// Replaces the widget below a card's title.
QWidget* freshBody(Card* card, QWidget* old)
{
    delete old;
    auto* body = new QWidget(card);
    auto* column = new QVBoxLayout(body);
    column->setContentsMargins(0, 0, 0, 0);
    column->setSpacing(0);
    card->content()->addWidget(body);
    return body;
}

QString whenText(WallMs time)
{
    const QDateTime then = QDateTime::fromMSecsSinceEpoch(time);
    const qint64 days = then.date().daysTo(QDate::currentDate());
    const QString clock = then.toString(QStringLiteral("HH:mm"));
    if (days == 0) return WelcomePage::tr("today %1").arg(clock);
    if (days == 1) return WelcomePage::tr("yesterday %1").arg(clock);
    return then.toString(days < 7 ? QStringLiteral("ddd HH:mm") : QStringLiteral("d MMM yyyy"));
}

/// "MNIST, 34,826 parameters".
QString starterLine(const StarterRecipe& starter)
{
    const auto facts = assumedFacts(starter.recipe.data.dataset);
    if (!facts) return text(starter.help);
    const auto cost = estimate(starter.recipe, analyse(starter.recipe.stack, facts->input), *facts);
    const QString data = facts->title.empty() ? text(starter.recipe.data.dataset) : text(facts->title);
    return cost ? WelcomePage::tr("%1, %2 parameters").arg(data, text(groupedInt(cost->parameters))) : data;
}

/// A line of *This computer*: mark, what, state.
QWidget* factLine(bool good, const QString& what, const QString& state, QWidget* parent)
{
    auto* line = new QWidget(parent);
    auto* row = new QHBoxLayout(line);
    row->setContentsMargins(0, 5, 0, 5);
    row->setSpacing(8);
    row->addWidget(makeIconLabel(good ? QStringLiteral("ok") : QStringLiteral("info"), good ? Token::Ok : Token::Text2, 16, line));
    auto* name = new ElidedLabel(what, Qt::ElideRight, line);
    name->setProperty("token", QStringLiteral("text"));
    row->addWidget(name, 1);
    row->addWidget(makeLabel(state, FontRole::Caption, Token::Text2, line));
    return line;
}

} // namespace

Page* makeWelcomePage(Studio& studio, QWidget* parent)
{
    return new WelcomePage(studio, parent);
}

WelcomePage::WelcomePage(Studio& studio, QWidget* parent) : Page(parent), m_studio(studio)
{
    setAccessibleName(tr("Welcome"));
    m_header->hide(); // this page greets instead
    auto* whole = new QVBoxLayout(m_body);
    whole->setContentsMargins(0, 0, 0, 0);
    auto* scroll = new QScrollArea(m_body);
    scroll->setObjectName(QStringLiteral("welcome.scroll"));
    scroll->setWidgetResizable(true);
    scroll->setFrameShape(QFrame::NoFrame);
    auto* inner = new QWidget(scroll);
    auto* centre = new QHBoxLayout(inner);
    centre->setContentsMargins(16, 0, 16, 0);
    auto* middle = new QWidget(inner);
    middle->setMaximumWidth(1128);
    centre->addStretch(1);
    centre->addWidget(middle, 100);
    centre->addStretch(1);
    m_column = new QVBoxLayout(middle);
    m_column->setContentsMargins(0, 48, 0, 24);
    m_column->setSpacing(16);

    auto* greeting = new QHBoxLayout;
    greeting->setSpacing(16);
    greeting->addWidget(makeIconLabel(QStringLiteral("sconce"), Token::Text, 40, middle));
    auto* words = new QVBoxLayout;
    words->setSpacing(2);
    auto* hello = makeLabel(tr("Welcome to Sconce"), FontRole::Title, Token::Text, middle);
    QFont big = ui::font(FontRole::Title);
    big.setPixelSize(24);
    hello->setFont(big);
    words->addWidget(hello);
    words->addWidget(makeLabel(tr("Train neural networks on this computer. Nothing leaves it, and no run is lost."), FontRole::Body, Token::Text2, middle));
    greeting->addLayout(words, 1);
    m_column->addLayout(greeting);
    m_column->addSpacing(4);
    m_column->addWidget(makeStartCard());
    m_column->addWidget(makeChoices());
    auto* cards = new QHBoxLayout;
    cards->setSpacing(12);
    cards->addWidget(makeRecipesCard(), 1);
    cards->addWidget(makeRunsCard(), 1);
    cards->addWidget(makeComputerCard(), 1);
    m_column->addLayout(cards);
    auto* again = new QCheckBox(tr("Show this page when Sconce starts"), middle);
    again->setObjectName(QStringLiteral("welcome.again"));
    again->setChecked(studio.settings->value(QStringLiteral("start/welcome"), true).toBool());
    connect(again, &QCheckBox::toggled, this, [this](bool on) { m_studio.settings->setValue(QStringLiteral("start/welcome"), on); });
    m_column->addWidget(again);
    m_column->addStretch(1);
    scroll->setWidget(inner);
    whole->addWidget(scroll);

    connect(studio.runs, &RunList::changed, this, [this] { if (isVisible()) fillRuns(); });
    connect(studio.hardware, &HardwareService::devicesKnown, this, [this] { fillDevices(); fillComputer(); });
    connect(studio.runService, &RunService::preparingChanged, this, [this](const QString& what, double) { m_start->setEnabled(what.isEmpty()); });
    // Facts of the machine come once, with the first sample.
    auto once = std::make_shared<QMetaObject::Connection>();
    *once = connect(studio.hardware, &HardwareService::sampled, this, [this, once] {
        disconnect(*once);
        fillDevices();
        fillComputer();
    });
    fillDevices();
    fillRuns();
    fillComputer();
}

QWidget* WelcomePage::makeStartCard()
{
    auto* card = new Card({}, this);
    card->setObjectName(QStringLiteral("welcome.startCard"));
    auto* row = new QHBoxLayout;
    row->setContentsMargins(8, 8, 8, 8);
    row->setSpacing(24);
    auto* column = new QVBoxLayout;
    column->setSpacing(6);
    column->addWidget(makeLabel(tr("Start here"), FontRole::Caption, Token::Text2, card));
    auto* title = makeLabel(tr("Train your first network"), FontRole::Title, Token::Text, card);
    QFont larger = ui::font(FontRole::Title);
    larger.setPixelSize(20);
    title->setFont(larger);
    column->addWidget(title);
    m_estimate = makeLabel({}, FontRole::Body, Token::Text2, card);
    m_estimate->setObjectName(QStringLiteral("welcome.estimate"));
    m_estimate->setWordWrap(true);
    column->addWidget(m_estimate);
    column->addSpacing(6);

    const StarterRecipe* starter = findStarter(quickStarter);
    const auto facts = assumedFacts(starter ? starter->recipe.data.dataset : "digits");
    QString network = tr("Opens a small convolutional network");
    if (starter && facts) {
        const StackReport report = analyse(starter->recipe.stack, facts->input);
        if (const auto cost = estimate(starter->recipe, report, *facts)) network = tr("Opens a small convolutional network with %1 parameters").arg(text(groupedInt(cost->parameters)));
    }
    const int epochs = starter ? starter->recipe.training.epochs : 0;
    const QStringList steps{network, tr("Trains it for %n epochs (passes over the data) while you watch the curves", nullptr, epochs),
                            tr("Lets you draw digits with the mouse and see what it says")};
    for (int i = 0; i < steps.size(); ++i) {
        auto* line = new QHBoxLayout;
        line->setSpacing(10);
        auto* number = makeLabel(QString::number(i + 1), FontRole::Small, Token::Text2, card);
        number->setFixedSize(20, 20);
        number->setAlignment(Qt::AlignCenter);
        setRole(number, "number");
        line->addWidget(number, 0, Qt::AlignTop);
        auto* words = makeLabel(steps[i], FontRole::Body, Token::Text, card);
        words->setWordWrap(true);
        line->addWidget(words, 1);
        column->addLayout(line);
    }
    column->addSpacing(10);
    auto* go = new QHBoxLayout;
    go->setSpacing(12);
    m_start = makeButton(QStringLiteral("play"), tr("Train on the built-in digits"), ButtonKind::Primary, card);
    m_start->setObjectName(QStringLiteral("welcome.train"));
    connect(m_start, &QPushButton::clicked, this, &WelcomePage::start);
    go->addWidget(m_start);
    go->addWidget(makeLabel(tr("on"), FontRole::Body, Token::Text2, card));
    m_device = new QComboBox(card);
    m_device->setObjectName(QStringLiteral("welcome.device"));
    m_device->setAccessibleName(tr("Device"));
    m_device->setMinimumWidth(200);
    connect(m_device, &QComboBox::currentIndexChanged, this, &WelcomePage::showEstimate);
    go->addWidget(m_device);
    go->addStretch(1);
    column->addLayout(go);
    column->addStretch(1);
    row->addLayout(column, 1);
    m_wall = new DigitWall(card);
    row->addWidget(m_wall, 0, Qt::AlignVCenter);
    card->content()->addLayout(row);
    return card;
}

QWidget* WelcomePage::makeChoices()
{
    auto* line = new QWidget(this);
    auto* row = new QHBoxLayout(line);
    row->setContentsMargins(0, 0, 0, 0);
    row->setSpacing(12);
    auto* recipe = new ListRow(QStringLiteral("folder"), tr("Open a recipe…"), tr("a .sconce file, or drop it on the window"), line);
    recipe->setObjectName(QStringLiteral("welcome.openRecipe"));
    recipe->setFramed(true);
    connect(recipe, &ListRow::clicked, this, [this] { chooseRecipeFile(m_studio, this); });
    auto* data = new ListRow(QStringLiteral("data"), tr("Add your own data…"), tr("a folder of pictures, a table, a text, or IDX files"), line);
    data->setObjectName(QStringLiteral("welcome.addData"));
    data->setFramed(true);
    connect(data, &ListRow::clicked, this, [this] {
        const QString folder = chooseFolder(this, tr("Choose a folder of pictures or of IDX files"));
        if (folder.isEmpty()) return;
        Q_EMIT m_studio.navigator->goTo(PageId::Data);
        m_studio.data->add(folder);
    });
    row->addWidget(recipe);
    row->addWidget(data);
    return line;
}

QWidget* WelcomePage::makeRecipesCard()
{
    auto* card = new Card(tr("Starter recipes"), this);
    card->setObjectName(QStringLiteral("welcome.recipes"));
    card->content()->setSpacing(0);
    card->titleBar()->addStrut(24); // as high as its neighbours
    for (const StarterRecipe& starter : starterRecipes()) {
        const LayerEntry* first = starter.recipe.stack.layers.empty() ? nullptr : findLayerEntry(starter.recipe.stack.layers.front().type);
        auto* row = new ListRow(first && !first->icon.empty() ? text(first->icon) : QStringLiteral("compose"), text(starter.title), starterLine(starter), card);
        row->setObjectName(QStringLiteral("welcome.recipe.") + text(starter.id));
        connect(row, &ListRow::clicked, this, [this, recipe = starter.recipe] { Q_EMIT m_studio.navigator->composeRecipe(recipe, {}); });
        card->content()->addWidget(makeLine(Qt::Horizontal, card));
        card->content()->addWidget(row);
    }
    card->content()->addStretch(1);
    return card;
}

QWidget* WelcomePage::makeRunsCard()
{
    m_runsCard = new Card(tr("Recent runs"), this);
    m_runsCard->setObjectName(QStringLiteral("welcome.runs"));
    auto* all = makeButton(QStringLiteral("arrow-right"), tr("All runs"), ButtonKind::Flat, m_runsCard);
    all->setObjectName(QStringLiteral("welcome.allRuns"));
    setControlHeight(all, 24);
    connect(all, &QPushButton::clicked, this, [this] { Q_EMIT m_studio.navigator->goTo(PageId::Runs); });
    m_runsCard->titleBar()->addWidget(all);
    return m_runsCard;
}

QWidget* WelcomePage::makeComputerCard()
{
    m_computerCard = new Card(tr("This computer"), this);
    m_computerCard->setObjectName(QStringLiteral("welcome.computer"));
    auto* more = makeButton(QStringLiteral("arrow-right"), tr("Hardware"), ButtonKind::Flat, m_computerCard);
    setControlHeight(more, 24);
    connect(more, &QPushButton::clicked, this, [this] { Q_EMIT m_studio.navigator->goTo(PageId::Hardware); });
    m_computerCard->titleBar()->addWidget(more);
    return m_computerCard;
}

void WelcomePage::shown()
{
    fillRuns();
    loadDigits();
    showEstimate();
    m_start->setFocus(Qt::OtherFocusReason);
}

void WelcomePage::setCompact(bool narrow, bool low)
{
    m_wall->setVisible(!narrow || width() > 1080);
    m_column->setContentsMargins(0, low ? 8 : 48, 0, low ? 8 : 24);
    m_column->setSpacing(low ? 10 : 16);
}

void WelcomePage::loadDigits()
{
    if (m_digitsAsked) return;
    m_digitsAsked = true;
    m_studio.data->open("digits", this, [this](DatasetPtr data, const QString&) {
        if (!data) return; // the wall stays empty; Data says why
        m_studio.jobs->run<std::vector<QImage>>(
            this, [data] { return samplePictures(*data, 18); }, [this](std::vector<QImage> pictures) { m_wall->setPictures(std::move(pictures)); });
    });
}

void WelcomePage::fillDevices()
{
    const QString before = m_device->currentData().toString();
    m_device->clear();
    int best = 0;
    for (const ComputeDevice& device : m_studio.hardware->devices()) {
        if (!device.usable) continue;
        m_device->addItem(Theme::instance().icon(QStringLiteral("hardware"), Token::Text2), deviceText(device, m_studio.hardware->facts()), text(device.id));
        if (device.id == "cuda:0") best = m_device->count() - 1;
    }
    if (m_device->count() == 0) {
        // The engine is not loaded yet; the CPU is there in any case.
        ComputeDevice cpu;
        cpu.id = "cpu";
        m_device->addItem(Theme::instance().icon(QStringLiteral("hardware"), Token::Text2), deviceText(cpu, m_studio.hardware->facts()), QStringLiteral("cpu"));
    }
    const int kept = before.isEmpty() || before == QLatin1String("cpu") ? -1 : m_device->findData(before);
    m_device->setCurrentIndex(kept >= 0 ? kept : best);
    showEstimate();
}

void WelcomePage::showEstimate()
{
    const StarterRecipe* starter = findStarter(quickStarter);
    if (!starter || !m_estimate) return;
    const auto facts = assumedFacts(starter->recipe.data.dataset);
    const std::int64_t samples = facts ? facts->trainingCount + facts->testCount : 0;
    const QString base = samples > 0 ? tr("%1 digits are built in, so nothing is downloaded.").arg(text(groupedInt(samples))) : tr("The data is built in, so nothing is downloaded.");
    m_estimate->setText(base);
    if (!facts || !m_device->count()) return;
    // A time is said only where one was measured: the first run on a device teaches it.
    Recipe wanted = starter->recipe;
    if (wanted.threads == 0) wanted.threads = std::max(0, m_studio.settings->value(QStringLiteral("training/threads"), 0).toInt());
    m_studio.jobs->run<std::optional<double>>(
        this,
        [store = m_studio.store, recipe = std::move(wanted), facts = *facts, device = m_device->currentData().toString().toStdString()] {
            auto rate = store->timing(timingKey(recipe, facts, device));
            return rate.ok() ? *rate : std::optional<double>();
        },
        [this, base, recipe = starter->recipe, facts = *facts, device = m_device->currentText()](std::optional<double> rate) {
            if (!rate || *rate <= 0) return;
            const double seconds = static_cast<double>(facts.trainingCount) * recipe.training.epochs / *rate;
            m_estimate->setText(base + QLatin1Char(' ') + tr("Estimate: about %1 on %2.").arg(text(durationText(seconds)), device));
        },
        QStringLiteral("welcome-estimate"));
}

void WelcomePage::fillRuns()
{
    m_runsBody = freshBody(m_runsCard, m_runsBody);
    auto* column = static_cast<QVBoxLayout*>(m_runsBody->layout());
    const auto& rows = m_studio.runs->rows();
    if (rows.empty()) {
        const bool known = m_studio.runs->loaded();
        column->addWidget(new EmptyState(QStringLiteral("runs"), known ? tr("None yet.") : tr("Reading the list of runs."),
                                         known ? tr("Every run you start is kept here, with its recipe, its curves and its weights. A run that is cut short, by a power failure say, can be resumed.")
                                               : QString(),
                                         m_runsBody));
        return;
    }
    for (std::size_t i = 0; i < std::min<std::size_t>(rows.size(), 4); ++i) {
        const RunRow& run = rows[i];
        const WallMs when = run.started ? run.started : run.created;
        QString second = run.datasetTitle.empty() ? whenText(when) : text(run.datasetTitle) + QStringLiteral(", ") + whenText(when);
        if (run.summary.testAccuracy >= 0) second = tr("test accuracy %1, ").arg(text(percentText(run.summary.testAccuracy))) + whenText(when);
        auto* row = new ListRow({}, QStringLiteral("%1 #%2").arg(text(run.name)).arg(run.number), second, m_runsBody);
        row->setObjectName(QStringLiteral("welcome.run%1").arg(i));
        row->setStatus(QLatin1String(statusName(run.status)));
        connect(row, &ListRow::clicked, this, [this, id = text(run.id)] { Q_EMIT m_studio.navigator->showRun(id); });
        column->addWidget(makeLine(Qt::Horizontal, m_runsBody));
        column->addWidget(row);
    }
    column->addStretch(1);
}

void WelcomePage::fillComputer()
{
    m_computerBody = freshBody(m_computerCard, m_computerBody);
    auto* column = static_cast<QVBoxLayout*>(m_computerBody->layout());
    const MachineFacts& facts = m_studio.hardware->facts();
    const MachineReading& now = m_studio.hardware->reading();
    if (facts.cpu.cores == 0) {
        column->addWidget(makeLabel(tr("Looking at this computer."), FontRole::Body, Token::Text2, m_computerBody));
        column->addStretch(1);
        return;
    }
    for (const GpuFacts& gpu : facts.gpus) column->addWidget(factLine(true, tr("GPU %1, %2").arg(gpu.index).arg(text(gpu.name)), words::memory(gpu.memoryBytes), m_computerBody));
    column->addWidget(factLine(true, tr("CPU, %1").arg(text(plural(facts.cpu.usable, "core", "cores"))), words::memory(facts.cpu.memoryBytes), m_computerBody));
    const EngineVersions& versions = m_studio.hardware->versions();
    if (!versions.torch.empty()) {
        QString name = tr("LibTorch %1").arg(text(versions.torch));
        if (!versions.cuda.empty()) name += tr(", CUDA %1").arg(text(versions.cuda));
        column->addWidget(factLine(true, name, tr("found"), m_computerBody));
    }
    if (now.diskFree) {
        const bool enough = *now.diskFree > (2ull << 30);
        column->addWidget(factLine(enough, tr("%1 of disk free").arg(text(bytesText(*now.diskFree))), enough ? tr("enough") : tr("little"), m_computerBody));
    }
    for (const ComputeDevice& device : m_studio.hardware->devices()) {
        if (device.usable || device.whyNot.empty()) continue;
        auto* why = makeLabel(text(device.whyNot), FontRole::Caption, Token::Text2, m_computerBody);
        why->setWordWrap(true);
        column->addWidget(why);
    }
    if (facts.gpus.empty() && !facts.gpuState.empty()) {
        auto* why = makeLabel(text(facts.gpuState), FontRole::Caption, Token::Text2, m_computerBody);
        why->setObjectName(QStringLiteral("welcome.gpuState"));
        why->setWordWrap(true);
        why->setContentsMargins(24, 4, 0, 0);
        column->addWidget(why);
    }
    column->addStretch(1);
}

void WelcomePage::start()
{
    const StarterRecipe* starter = findStarter(quickStarter);
    if (!starter) return;
    Recipe recipe = starter->recipe;
    recipe.device = m_device->currentData().toString().toStdString();
    m_studio.runService->start(recipe, {});
}

} // namespace sconce::ui
