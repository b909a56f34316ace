// SPDX-License-Identifier: GPL-3.0-or-later
// The Data page's card of samples: which are shown and how, and what is said of the one that is looked at.
#include "core/base/text.h"
#include "core/data/order.h"
#include "ui/data/augment_preview.h"
#include "ui/data/data_page.h"
#include "ui/data/labels_dialog.h"
#include "ui/data/split_panel.h"
#include "ui/data/table_view.h"
#include "ui/data/text_view.h"
#include "ui/services/data_choices.h"
#include "ui/widgets/parts.h"

#include <QComboBox>
#include <QDialog>
#include <QEvent>
#include <QGridLayout>
#include <QRandomGenerator>
#include <QSlider>
#include <QStackedWidget>
#include <QVBoxLayout>

#include <algorithm>

namespace sconce::ui {

namespace {

QString grouped(std::int64_t value) { return QString::fromStdString(groupedInt(value)); }

} // namespace

QWidget* DataPage::buildSamplesCard()
{
    auto* card = new Card({}, this);
    buildView(card);
    buildTools();
    card->content()->addWidget(m_tools);
    m_grid = new SampleGrid(card);
    m_grid->setCellSize(28 * m_size->value());
    m_table = new TableView(card);
    m_samples = new QStackedWidget(card);
    m_samples->addWidget(m_grid);
    m_samples->addWidget(m_table);
    m_text = new TextView(card);
    m_samples->addWidget(m_text);
    card->content()->addWidget(m_samples, 1);
    m_sampleLine = makeLabel({}, FontRole::Caption, Token::Text2, card);
    m_sampleLine->setObjectName(QStringLiteral("data.sampleLine"));
    auto* below = new QHBoxLayout;
    below->setSpacing(12);
    below->addWidget(m_sampleLine);
    m_keyLine = new ElidedLabel(tr("Enter: see it large"), Qt::ElideRight, card);
    m_keyLine->setFont(ui::font(FontRole::Caption));
    m_keyLine->setProperty("token", tokenName(Token::Text3));
    m_keyLine->setAlignment(Qt::AlignRight | Qt::AlignVCenter);
    below->addWidget(m_keyLine, 1);
    card->content()->addLayout(below);
    connect(m_view, &SegmentedControl::currentChanged, this, &DataPage::showChanges);
    showTools();
    connect(m_labels, &QPushButton::clicked, this, &DataPage::chooseLabels);
    connect(m_target, &QComboBox::activated, this, &DataPage::chooseTarget);
    connect(m_classFilter, &QComboBox::currentIndexChanged, this, &DataPage::showSamples);
    connect(m_partFilter, &QComboBox::currentIndexChanged, this, &DataPage::showSamples);
    connect(m_size, &QSlider::valueChanged, this, [this](int value) {
        m_grid->setCellSize(28 * value); // whole multiples of MNIST's 28 pixels stay sharp
        m_studio.settings->setValue(QStringLiteral("data/cellSize"), value);
    });
    connect(m_mixButton, &QAbstractButton::clicked, this, [this] {
        ++m_mix;
        showSamples();
    });
    connect(m_grid, &SampleGrid::currentChanged, this, &DataPage::showSampleLine);
    connect(m_grid, &SampleGrid::activated, this, &DataPage::enlarge);
    return card;
}

/// How samples are shown, and which.
void DataPage::buildView(QWidget* card)
{
    m_tools = new QWidget(card);
    m_tools->setSizePolicy(QSizePolicy::Ignored, QSizePolicy::Fixed); // they make do with the room there is: fitTools()
    m_tools->installEventFilter(this);
    m_toolRows = new QGridLayout(m_tools);
    m_toolRows->setContentsMargins(0, 0, 0, 0);
    m_toolRows->setSpacing(8);
    m_view = new SegmentedControl({tr("Stored"), tr("As the network sees them")}, m_tools);
    m_view->setObjectName(QStringLiteral("data.view"));
    m_view->setToolTip(tr("As the network sees them: samples for training are changed as in the first epoch; those for validation and test never are."));
    m_toolRows->addWidget(m_view, 0, 0);
    m_filters = new QWidget(m_tools);
    auto* filters = new QHBoxLayout(m_filters);
    filters->setContentsMargins(0, 0, 0, 0);
    filters->setSpacing(8);
    m_showLabel = makeLabel(tr("Show"), FontRole::Caption, Token::Text2, m_filters);
    filters->addWidget(m_showLabel);
    m_classFilter = new QComboBox(m_filters);
    m_classFilter->setObjectName(QStringLiteral("data.classFilter"));
    m_classFilter->setAccessibleName(tr("Class"));
    m_classFilter->setSizeAdjustPolicy(QComboBox::AdjustToContents); // names become known later
    m_classFilter->setMinimumWidth(96);
    m_classFilter->setMaximumWidth(180);
    m_partFilter = new QComboBox(m_filters);
    m_partFilter->setObjectName(QStringLiteral("data.partFilter"));
    m_partFilter->setAccessibleName(tr("Part"));
    m_partFilter->addItems({tr("all parts"), tr("training"), tr("validation"), tr("test")});
    filters->addWidget(m_classFilter);
    filters->addWidget(m_partFilter);
    filters->addStretch(1);
    m_toolRows->addWidget(m_filters, 0, 1);
    m_toolRows->setColumnStretch(1, 1);
}

/// What a table has to choose, the size of pictures, another order.
void DataPage::buildTools()
{
    auto* rest = new QWidget(m_tools);
    auto* tools = new QHBoxLayout(rest);
    tools->setContentsMargins(0, 0, 0, 0);
    tools->setSpacing(8);
    m_toolRows->addWidget(rest, 0, 2);
    m_targetLabel = makeLabel(tr("Predict"), FontRole::Caption, Token::Text2, rest);
    m_target = new QComboBox(rest);
    m_target->setObjectName(QStringLiteral("data.target"));
    m_target->setAccessibleName(tr("Column to predict"));
    m_target->setToolTip(tr("The column that the network learns to predict from the others. Words are classes; numbers may be predicted as numbers (task: regression). Several columns of yes and no are predicted at once as labels."));
    m_target->setMinimumWidth(140);
    tools->addWidget(m_targetLabel);
    tools->addWidget(m_target);
    m_labels = makeButton(QStringLiteral("tag"), tr("Labels…"), ButtonKind::Normal, rest);
    m_labels->setObjectName(QStringLiteral("data.labels"));
    m_labels->setAccessibleName(tr("Predict several labels"));
    tools->addWidget(m_labels);
    m_targetLabel->hide();
    m_target->hide();
    m_labels->hide();
    m_sizeLabel = makeLabel(tr("Size"), FontRole::Caption, Token::Text2, rest);
    tools->addWidget(m_sizeLabel);
    m_size = new QSlider(Qt::Horizontal, rest);
    m_size->setObjectName(QStringLiteral("data.cellSize"));
    m_size->setAccessibleName(tr("Size of the pictures"));
    m_size->setRange(1, 6);
    m_size->setValue(m_studio.settings->value(QStringLiteral("data/cellSize"), 3).toInt());
    tools->addWidget(m_size);
    m_mixButton = makeToolButton(QStringLiteral("shuffle"), tr("Show the samples in another order"), rest);
    m_mixButton->setObjectName(QStringLiteral("data.mix"));
    tools->addWidget(m_mixButton);
}

void DataPage::showSamples()
{
    if (!m_data) return;
    const auto& info = m_data->info();
    m_shownSplit = m_split->choices().split;
    const auto rows = splitRows(info.trainingCount, info.testCount, m_split->choices().split, startSeed(), info.validationCount);
    const int wantedClass = m_classFilter->currentIndex() - 1, wantedPart = m_partFilter->currentIndex() - 1;
    std::vector<SampleGrid::Sample> samples;
    const auto take = [&](const std::vector<std::int64_t>& from, Part part, int share) {
        if (wantedPart >= 0 && wantedPart != share) return;
        const auto labels = m_data->labels(part);
        const auto sets = m_data->labelSets(part);
        const auto isOne = [&](std::size_t row) { return !sets.empty() ? sets[row * info.labelNames.size() + static_cast<std::size_t>(wantedClass)] != 0 : labels.empty() || labels[row] == wantedClass; };
        for (const auto row : from)
            if (wantedClass < 0 || isOne(static_cast<std::size_t>(row))) samples.push_back({part, row, share});
    };
    take(rows.training, Part::Training, 0);
    take(rows.validation, Part::Training, 1);
    take(rows.test, rows.testPart, 2);
    if (m_mix > 0 && !samples.empty()) {
        const SampleOrder order(static_cast<std::int64_t>(samples.size()), m_mix, 0, true);
        std::vector<SampleGrid::Sample> mixed;
        mixed.reserve(samples.size());
        for (std::size_t i = 0; i < samples.size(); ++i) mixed.push_back(samples[static_cast<std::size_t>(order.at(static_cast<std::int64_t>(i)))]);
        samples = std::move(mixed);
    }
    m_split->preview()->setAnotherPossible(std::any_of(samples.begin(), samples.end(), [](const auto& sample) { return sample.share == 0; }));
    m_samples->setCurrentIndex(isTable() ? 1 : isText() ? 2 : 0);
    if (isText()) m_text->setText(m_data, std::move(samples));
    else if (isTable()) m_table->setTable(m_data, std::move(samples));
    else m_grid->setData(m_data, std::move(samples));
}

/// What a table has to choose, and what tables and texts have not.
void DataPage::showTarget()
{
    const bool table = isTable();
    for (QWidget* widget : std::initializer_list<QWidget*>{m_target, m_targetLabel, m_labels}) widget->setVisible(table);
    showTools();
    m_classFilter->setVisible(!m_data->info().classes.empty() || hasLabels());
    m_sampleLine->setVisible(!table && !isText());
    m_mixButton->setVisible(!isText()); // its order is what a text is
    if (!table) return;
    const QSignalBlocker blocker(m_target);
    m_target->clear();
    for (const std::string& name : m_data->info().columnNames) m_target->addItem(QString::fromStdString(name));
    const DatasetInfo& info = m_data->info();
    m_target->setPlaceholderText(QString::fromStdString(plural(static_cast<std::int64_t>(info.labelNames.size()), "label", "labels")));
    m_target->setCurrentIndex(hasLabels() ? -1 : m_target->findText(QString::fromStdString(info.target)));
    m_labels->setEnabled(!info.yesNoColumns.empty());
    m_labels->setToolTip(info.yesNoColumns.empty() ? tr("No column holds nothing but yes and no, or 1 and 0, as labels do.") : tr("Predicts several columns of yes and no at once, as labels of which a row may have any number."));
}

void DataPage::showTools()
{
    const bool pictures = !isTable() && !isText();
    m_view->setVisible(isChangeable());
    m_size->setVisible(pictures);
    fitTools();
}

/// One row of tools, without the words beside them where there is less room, or two rows.
void DataPage::fitTools()
{
    const auto wide = [](const QWidget* widget) { return widget->sizeHint().width() + m_toolGap; };
    constexpr int shortSlider = 48, longSlider = 72;
    const int bare = wide(m_view) + wide(m_classFilter) + wide(m_partFilter) + shortSlider + m_toolGap + wide(m_mixButton);
    const int words = wide(m_showLabel) + wide(m_sizeLabel) + longSlider - shortSlider;
    const bool changeable = isChangeable(), pictures = !isTable() && !isText();
    const bool two = changeable && m_tools->width() < bare, worded = !changeable || two || m_tools->width() >= bare + words;
    m_showLabel->setVisible(worded);
    m_sizeLabel->setVisible(pictures && worded && !two);
    m_size->setFixedWidth(worded && !two ? longSlider : shortSlider);
    m_keyLine->setVisible(pictures && !two);
    m_toolRows->removeWidget(m_filters);
    m_toolRows->addWidget(m_filters, two ? 1 : 0, two ? 0 : 1, 1, two ? 3 : 1);
}

bool DataPage::eventFilter(QObject* object, QEvent* event)
{
    if (object == m_tools && event->type() == QEvent::Resize) fitTools();
    return Page::eventFilter(object, event);
}

/// What the steps at the right do to the samples that are shown.
void DataPage::showChanges()
{
    m_grid->setChanges(m_view->current() == 1 ? augmentationOf(m_split->choices()) : Augmentation());
    showSampleLine(m_grid->current());
}

/// Another sample for training, for the preview.
void DataPage::chooseAnother()
{
    std::vector<int> learnt;
    for (int i = 0; i < static_cast<int>(m_grid->samples().size()); ++i)
        if (m_grid->samples()[static_cast<std::size_t>(i)].share == 0 && i != m_grid->current()) learnt.push_back(i);
    if (!learnt.empty()) m_grid->setCurrent(learnt[QRandomGenerator::global()->bounded(static_cast<quint32>(learnt.size()))]);
}

void DataPage::chooseTarget(int index)
{
    if (!isTable()) return;
    const DatasetInfo& info = m_data->info();
    const std::string name = m_target->itemText(index).toStdString();
    if (!hasLabels() && name == info.target) return;
    ImportOptions options;
    options.target = name;
    m_studio.data->add(QString::fromStdString(info.location), options);
}

void DataPage::chooseLabels()
{
    if (!isTable()) return;
    auto* dialog = new LabelsDialog(m_data->info(), this);
    connect(dialog, &LabelsDialog::chosen, this, [this, location = m_data->info().location](const std::vector<std::string>& columns) {
        ImportOptions options;
        options.labels = columns;
        m_studio.data->add(QString::fromStdString(location), options);
    });
    dialog->open();
}

void DataPage::showSampleLine(int index)
{
    if (!m_data || index < 0 || index >= static_cast<int>(m_grid->samples().size())) {
        m_sampleLine->clear();
        m_split->preview()->setSample({}, Part::Training, -1, false);
        return;
    }
    const auto& sample = m_grid->samples()[static_cast<std::size_t>(index)];
    m_split->preview()->setSample(m_data, sample.part, sample.row, sample.share == 0);
    const QString part = !m_grid->changes().any() ? shareName(sample.share) : sample.share == 0 ? tr("training, as in epoch 1") : tr("%1, never changed").arg(shareName(sample.share));
    m_sampleLine->setText((hasLabels() ? tr("Sample %1 of %2   labels: %3   %4") : tr("Sample %1 of %2   label %3   %4"))
                              .arg(grouped(index + 1), grouped(static_cast<std::int64_t>(m_grid->samples().size())),
                                   truthText(*m_data, sample.part, sample.row), part));
}

void DataPage::enlarge(int index)
{
    const auto& sample = m_grid->samples()[static_cast<std::size_t>(index)];
    const QImage image = m_grid->picture(index);
    auto* dialog = new QDialog(this);
    dialog->setAttribute(Qt::WA_DeleteOnClose);
    dialog->setObjectName(QStringLiteral("data.large"));
    dialog->setWindowTitle(m_sampleLine->text());
    auto* column = new QVBoxLayout(dialog);
    auto* picture = new QLabel(dialog);
    picture->setPixmap(QPixmap::fromImage(image.scaled(448, 448, Qt::KeepAspectRatio, Qt::FastTransformation)));
    column->addWidget(picture);
    column->addWidget(makeLabel((hasLabels() ? tr("Labels: %1; %2, row %3") : tr("Label %1, %2, row %3")).arg(truthText(*m_data, sample.part, sample.row), shareName(sample.share), grouped(sample.row)),
                                FontRole::Body, Token::Text2, dialog));
    dialog->open();
}

} // namespace sconce::ui
