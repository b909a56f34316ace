// SPDX-License-Identifier: GPL-3.0-or-later
#include "ui/data/split_panel.h"

#include "core/base/text.h"
#include "core/data/text_dataset.h"
#include "ui/data/augment_preview.h"
#include "ui/data/class_bars.h"
#include "ui/data/steps_panel.h"
#include "ui/widgets/parts.h"

#include <QCheckBox>
#include <QComboBox>
#include <QDoubleSpinBox>
#include <QGridLayout>
#include <QSpinBox>
#include <QVBoxLayout>

#include <algorithm>
#include <cmath>

namespace sconce::ui {

namespace {

QString grouped(std::int64_t value) { return QString::fromStdString(groupedInt(value)); }

QDoubleSpinBox* percentBox(const char* name, double max, QWidget* parent)
{
    auto* box = new QDoubleSpinBox(parent);
    box->setObjectName(QLatin1String(name));
    box->setRange(0, max);
    box->setDecimals(1);
    box->setSuffix(QStringLiteral(" %"));
    box->setFont(ui::font(FontRole::Mono));
    box->setFixedWidth(120);
    box->setKeyboardTracking(false);
    return box;
}

} // namespace

SplitPanel::SplitPanel(QWidget* parent) : QWidget(parent)
{
    setRole(this, "panelRight");
    setAttribute(Qt::WA_StyledBackground);
    auto* column = new QVBoxLayout(this);
    column->setContentsMargins(16, 16, 16, 16);
    column->setSpacing(8);
    buildSplit(column);
    m_steps = new StepsPanel(this);
    column->addWidget(m_steps);
    connect(m_steps, &StepsPanel::edited, this, &SplitPanel::change);
    m_preview = new AugmentPreview(this);
    column->addWidget(m_preview);
    buildOrder(column);
    buildImport(column);
    buildContext(column);
    column->addStretch(1);
}

void SplitPanel::buildSplit(QVBoxLayout* column)
{
    column->addWidget(makeLabel(tr("Split"), FontRole::Strong, Token::Text, this));
    m_bar = new SplitBar(this);
    column->addWidget(m_bar);
    auto* grid = new QGridLayout;
    grid->setHorizontalSpacing(8);
    grid->setVerticalSpacing(6);
    grid->setColumnStretch(2, 1);
    const auto row = [&](int at, const char* id, const QString& name, Token token, QLabel*& count, QWidget* field) {
        grid->addWidget(makeDot(token, this), at, 0);
        grid->addWidget(new TermLabel(name, {}, this), at, 1);
        count = makeLabel({}, FontRole::Mono, Token::Text, this);
        count->setObjectName(QStringLiteral("data.count.") + QLatin1String(id));
        count->setAlignment(Qt::AlignRight | Qt::AlignVCenter);
        grid->addWidget(count, at, 2);
        grid->addWidget(field, at, 3);
        grid->setRowMinimumHeight(at, 32);
    };
    row(0, "training", tr("Training"), Token::Train, m_training, makeLabel(tr("the rest"), FontRole::Caption, Token::Text3, this));
    m_share = percentBox("data.validationShare", 90, this);
    m_share->setToolTip(tr("How much of the training samples is held back: the network never learns from them, so they show whether it generalises."));
    auto* validation = new QWidget(this);
    auto* validationRow = new QHBoxLayout(validation);
    validationRow->setContentsMargins(0, 0, 0, 0);
    m_number = new QSpinBox(validation);
    m_number->setObjectName(QStringLiteral("data.validationCount"));
    m_number->setAccessibleName(tr("Samples held back for validation"));
    m_number->setToolTip(tr("So many of the training samples are held back, however many there are: the network never learns from them."));
    m_number->setRange(1, 1'000'000'000);
    m_number->setGroupSeparatorShown(true);
    m_number->setFont(ui::font(FontRole::Mono));
    m_number->setFixedWidth(120);
    m_number->setKeyboardTracking(false);
    validationRow->addWidget(m_share);
    validationRow->addWidget(m_number);
    m_validationOwn = makeLabel(tr("own folder"), FontRole::Caption, Token::Text3, validation);
    m_validationOwn->setObjectName(QStringLiteral("data.validationOwn"));
    m_validationOwn->setToolTip(tr("This data set has a validation folder of its own, which is taken whole. Validation shuffled out is drawn from all samples instead, by share or by number."));
    validationRow->addWidget(m_validationOwn);
    row(1, "validation", tr("Validation"), Token::Val, m_validation, validation);
    auto* test = new QWidget(this);
    auto* testRow = new QHBoxLayout(test);
    testRow->setContentsMargins(0, 0, 0, 0);
    m_testShare = percentBox("data.testShare", 50, test);
    m_testShare->setToolTip(tr("This data set has no test part of its own, so a share of the training samples takes its place."));
    m_testOwn = makeLabel(tr("own files"), FontRole::Caption, Token::Text3, test);
    testRow->addWidget(m_testShare);
    testRow->addWidget(m_testOwn);
    row(2, "test", tr("Test"), Token::Test, m_test, test);
    column->addLayout(grid);

    buildMode(column);
    auto* kindRow = new QHBoxLayout;
    kindRow->addWidget(makeLabel(tr("Validation is"), FontRole::Body, Token::Text2, this));
    kindRow->addStretch(1);
    m_kind = new QComboBox(this);
    m_kind->setObjectName(QStringLiteral("data.splitKind"));
    m_kind->addItem(tr("the last part"), QStringLiteral("last"));
    m_kind->addItem(tr("shuffled out"), QStringLiteral("shuffled"));
    m_kind->setToolTip(tr("The last part, as Keras does, suits files in no particular order. Shuffled out suits files sorted by class."));
    m_kind->setMinimumWidth(160);
    kindRow->addWidget(m_kind);
    column->addLayout(kindRow);
    connectSplit();
}

/// A share of the samples, or so many.
void SplitPanel::buildMode(QVBoxLayout* column)
{
    m_problem = makeLabel({}, FontRole::Caption, Token::Error, this);
    m_problem->setObjectName(QStringLiteral("data.splitProblem"));
    m_problem->setWordWrap(true);
    m_problem->hide();
    column->addWidget(m_problem);
    auto* line = new QHBoxLayout;
    line->addWidget(makeLabel(tr("Held back by"), FontRole::Body, Token::Text2, this));
    line->addStretch(1);
    m_mode = new QComboBox(this);
    m_mode->setObjectName(QStringLiteral("data.validationMode"));
    m_mode->setAccessibleName(tr("Validation by share or by number"));
    m_mode->addItem(tr("share"), QStringLiteral("share"));
    m_mode->addItem(tr("number"), QStringLiteral("count"));
    m_mode->setToolTip(tr("A share grows with the data. A number stays: for comparing with results that held back exactly so many."));
    m_mode->setMinimumWidth(160);
    line->addWidget(m_mode);
    column->addLayout(line);
}

bool SplitPanel::ownValidation() const { return m_info.validationCount > 0 && m_info.validationCount < m_info.trainingCount && m_choices.split.kind == SplitSettings::Kind::Last; }

/// What is divided into training and validation.
std::int64_t SplitPanel::pool() const
{
    const auto counts = splitCounts(m_info.trainingCount, m_info.testCount, m_choices.split, m_info.validationCount);
    return counts.training + counts.validation;
}

void SplitPanel::connectSplit()
{
    connect(m_bar, &SplitBar::validationDragged, this, [this](double share) {
        if (ownValidation()) return show(); // the handle goes back to where it was
        auto c = m_choices;
        if (byCount()) c.split.validationCount = std::max<std::int64_t>(1, std::llround(share * static_cast<double>(pool())));
        else c.split.validation = std::round(share * 1000) / 1000; // of what is left beside the test share, as the bar's own
        change(c);
    });
    connect(m_share, &QDoubleSpinBox::valueChanged, this, [this](double value) {
        auto c = m_choices;
        c.split.validation = value / 100;
        change(c);
    });
    connect(m_number, &QSpinBox::valueChanged, this, [this](int value) {
        auto c = m_choices;
        c.split.validationCount = value;
        change(c);
    });
    connect(m_mode, &QComboBox::currentIndexChanged, this, [this](int index) {
        // As many as now, whichever way they are said.
        auto c = m_choices;
        const auto counts = splitCounts(m_info.trainingCount, m_info.testCount, c.split, m_info.validationCount);
        if (index == 0) c.split.validation = std::clamp(std::round(1000.0 * static_cast<double>(counts.validation) / static_cast<double>(std::max<std::int64_t>(1, pool()))) / 1000, 0.0, 0.9);
        c.split.validationCount = index == 0 ? 0 : std::max<std::int64_t>(1, counts.validation);
        change(c);
    });
    connect(m_testShare, &QDoubleSpinBox::valueChanged, this, [this](double value) {
        auto c = m_choices;
        c.split.test = value / 100;
        change(c);
    });
    connect(m_kind, &QComboBox::currentIndexChanged, this, [this](int index) {
        auto c = m_choices;
        c.split.kind = index == 1 ? SplitSettings::Kind::Shuffled : SplitSettings::Kind::Last;
        change(c);
    });
}

void SplitPanel::buildOrder(QVBoxLayout* column)
{
    column->addSpacing(4);
    column->addWidget(makeLine(Qt::Horizontal, this));
    column->addSpacing(4);
    column->addWidget(makeLabel(tr("Order"), FontRole::Strong, Token::Text, this));
    auto* line = new QHBoxLayout;
    m_shuffle = new QCheckBox(tr("Shuffle"), this);
    m_shuffle->setObjectName(QStringLiteral("data.shuffle"));
    m_shuffle->setToolTip(tr("Shows the training samples in a new order in each epoch, given by the seed."));
    line->addWidget(m_shuffle);
    line->addStretch(1);
    line->addWidget(makeLabel(tr("new order each epoch"), FontRole::Caption, Token::Text2, this));
    column->addLayout(line);
    connect(m_shuffle, &QCheckBox::toggled, this, [this](bool on) {
        auto c = m_choices;
        c.shuffle = on;
        change(c);
    });
}

void SplitPanel::buildImport(QVBoxLayout* column)
{
    m_import = new QWidget(this);
    auto* inner = new QVBoxLayout(m_import);
    inner->setContentsMargins(0, 8, 0, 0);
    inner->setSpacing(8);
    inner->addWidget(makeLine(Qt::Horizontal, m_import));
    inner->addWidget(makeLabel(tr("Pictures are brought to"), FontRole::Strong, Token::Text, m_import));
    auto* line = new QHBoxLayout;
    const auto sizeBox = [&](const char* name) {
        auto* box = new QSpinBox(m_import);
        box->setObjectName(QLatin1String(name));
        box->setRange(4, 1024);
        box->setFont(ui::font(FontRole::Mono));
        box->setFixedWidth(80);
        return box;
    };
    m_width = sizeBox("data.importWidth");
    m_height = sizeBox("data.importHeight");
    line->addWidget(m_width);
    line->addWidget(makeLabel(QStringLiteral("×"), FontRole::Body, Token::Text2, m_import));
    line->addWidget(m_height);
    line->addWidget(makeLabel(tr("px"), FontRole::Body, Token::Text2, m_import));
    line->addStretch(1);
    m_channels = new QComboBox(m_import);
    m_channels->setObjectName(QStringLiteral("data.importChannels"));
    m_channels->addItem(tr("colour"), 3);
    m_channels->addItem(tr("grey"), 1);
    line->addWidget(m_channels);
    inner->addLayout(line);
    m_importButton = makeButton(QStringLiteral("refresh"), tr("Read again"), ButtonKind::Normal, m_import);
    m_importButton->setObjectName(QStringLiteral("data.importAgain"));
    m_importButton->setToolTip(tr("Reads all pictures again at this size. The files stay as they are."));
    inner->addWidget(m_importButton, 0, Qt::AlignLeft);
    column->addWidget(m_import);
    connect(m_importButton, &QPushButton::clicked, this,
            [this] { 
                ImportOptions options;
                options.width = m_width->value();
                options.height = m_height->value();
                options.channels = m_channels->currentData().toInt();
                Q_EMIT importAsked(options);
             });
}

void SplitPanel::buildContext(QVBoxLayout* column)
{
    m_contextPart = new QWidget(this);
    auto* inner = new QVBoxLayout(m_contextPart);
    inner->setContentsMargins(0, 8, 0, 0);
    inner->setSpacing(8);
    inner->addWidget(makeLine(Qt::Horizontal, m_contextPart));
    inner->addWidget(makeLabel(tr("The text is cut into windows of"), FontRole::Strong, Token::Text, m_contextPart));
    auto* line = new QHBoxLayout;
    m_context = new QSpinBox(m_contextPart);
    m_context->setObjectName(QStringLiteral("data.context"));
    m_context->setAccessibleName(tr("Symbols in a window"));
    m_context->setToolTip(tr("How many symbols the network sees at once. More let it look further back, and take more memory and time."));
    m_context->setRange(1, mostContext);
    m_context->setFont(ui::font(FontRole::Mono));
    m_context->setFixedWidth(96);
    line->addWidget(m_context);
    line->addWidget(makeLabel(tr("symbols"), FontRole::Body, Token::Text2, m_contextPart));
    line->addStretch(1);
    inner->addLayout(line);
    auto* again = makeButton(QStringLiteral("refresh"), tr("Read again"), ButtonKind::Normal, m_contextPart);
    again->setObjectName(QStringLiteral("data.contextAgain"));
    again->setToolTip(tr("Cuts the text anew. The file stays as it is."));
    inner->addWidget(again, 0, Qt::AlignLeft);
    column->addWidget(m_contextPart);
    connect(again, &QPushButton::clicked, this, [this] {
        ImportOptions options;
        options.context = m_context->value();
        Q_EMIT importAsked(options);
    });
}

void SplitPanel::setSet(const DatasetInfo& info, const ImportOptions&, const DataChoices& choices)
{
    m_info = info;
    m_choices = choices;
    m_steps->setSet(info);
    const bool text = info.kind == "text";
    m_contextPart->setVisible(text);
    if (text) m_context->setValue(static_cast<int>(info.sample.elements()));
    m_import->setVisible((info.kind == "picture-folder" || info.kind == "labelled-pictures") && info.sample.rank() == 3);
    if (info.sample.rank() == 3) {
        m_channels->setCurrentIndex(info.sample.dims[0].size == 1 ? 1 : 0);
        m_height->setValue(static_cast<int>(info.sample.dims[1].size));
        m_width->setValue(static_cast<int>(info.sample.dims[2].size));
    }
    show();
}

void SplitPanel::show()
{
    m_showing = true;
    const auto counts = splitCounts(m_info.trainingCount, m_info.testCount, m_choices.split, m_info.validationCount);
    m_bar->setCounts({counts.training, counts.validation, counts.test});
    m_training->setText(grouped(counts.training));
    m_validation->setText(grouped(counts.validation));
    m_test->setText(grouped(counts.test));
    m_share->setValue(m_choices.split.validation * 100);
    const bool own = ownValidation();
    m_share->setVisible(!own && !byCount());
    m_number->setVisible(!own && byCount());
    m_validationOwn->setVisible(own);
    m_mode->setEnabled(!own);
    m_kind->setItemText(0, m_info.validationCount > 0 ? tr("its own folder") : tr("the last part"));
    if (byCount()) m_number->setValue(static_cast<int>(std::min<std::int64_t>(m_choices.split.validationCount, 1'000'000'000)));
    m_mode->setCurrentIndex(byCount() ? 1 : 0);
    m_problem->setVisible(byCount() && !own && m_choices.split.validationCount >= pool());
    m_problem->setText(tr("There are only %1 samples, and at least one is left to train on.").arg(grouped(pool())));
    m_testShare->setValue(m_choices.split.test * 100);
    m_testShare->setVisible(m_info.testCount == 0);
    m_testOwn->setVisible(m_info.testCount > 0);
    m_kind->setCurrentIndex(m_choices.split.kind == SplitSettings::Kind::Shuffled ? 1 : 0);
    m_steps->setChoices(m_choices);
    m_preview->setChanges(augmentationOf(m_choices));
    m_shuffle->setChecked(m_choices.shuffle);
    m_showing = false;
}

void SplitPanel::change(DataChoices choices)
{
    if (m_showing || choices == m_choices) return;
    m_choices = choices;
    show();
    Q_EMIT choicesChanged();
}

} // namespace sconce::ui
