// SPDX-License-Identifier: GPL-3.0-or-later
// The parts of the Try it page: what stands where. What happens is in tryit_page.cpp.
#include "ui/tryit/draw_canvas.h"
#include "ui/tryit/tryit_page.h"
#include "ui/tryit/views.h"
#include "ui/widgets/parts.h"

#include <QComboBox>
#include <QGridLayout>
#include <QHeaderView>
#include <QScrollArea>
#include <QSlider>
#include <QStackedWidget>
#include <QTableWidget>
#include <QVBoxLayout>

namespace sconce::ui {

void TryItPage::buildHeader()
{
    setTitle(tr("Try it"), tr("the trained model at work"));
    const auto combo = [this](const char* name, const QString& label, int width, const QString& tip) {
        headerLeft()->addWidget(makeLabel(label, FontRole::Caption, Token::Text2, this));
        auto* box = new QComboBox(this);
        box->setObjectName(QLatin1String(name));
        box->setAccessibleName(label);
        box->setToolTip(tip);
        box->setMinimumWidth(width);
        box->setMaximumWidth(width + 60);
        headerLeft()->addWidget(box);
        return box;
    };
    m_run = combo("tryit.run", tr("Run"), 220, tr("The run whose model answers"));
    m_weights = combo("tryit.weights", tr("Weights"), 110, tr("After the last epoch, or of the epoch that did best on the validation samples"));
    m_weights->addItem(tr("last"), false);
    m_weights->addItem(tr("best"), true);
    m_device = combo("tryit.device", tr("On"), 90, tr("Where the answers are computed"));
    m_device->addItem(tr("CPU"), QStringLiteral("cpu"));
    m_save = makeButton(QStringLiteral("download"), tr("Save model…"), ButtonKind::Primary, this);
    m_save->setObjectName(QStringLiteral("tryit.save"));
    m_save->setToolTip(tr("Writes the weights as a safetensors file, which PyTorch, Keras and others read."));
    headerRight()->addWidget(m_save);
    connect(m_save, &QPushButton::clicked, this, &TryItPage::saveModel);
}

QWidget* TryItPage::buildDraw()
{
    auto* card = new Card(tr("Draw here, or drop a picture"), this);
    card->setFixedWidth(314);
    auto* column = card->content();
    column->setSpacing(8);
    m_canvas = new DrawCanvas(card);
    column->addWidget(m_canvas, 0, Qt::AlignHCenter);
    auto* tools = new QHBoxLayout;
    tools->setSpacing(6);
    const auto button = [&](const char* name, const char* icon, const QString& text, const QString& tip) {
        auto* b = makeButton(QLatin1String(icon), text, ButtonKind::Normal, card);
        b->setObjectName(QLatin1String(name));
        b->setToolTip(tip);
        setControlHeight(b, 28);
        tools->addWidget(b);
        return b;
    };
    auto* clear = button("tryit.clear", "", tr("Clear"), tr("Empties the canvas (Del)"));
    auto* open = button("tryit.open", "image", tr("Open…"), tr("Shows the model a PNG or JPEG picture"));
    auto* sample = button("tryit.sample", "shuffle", tr("Sample"), tr("Shows the model a sample that it was not trained on"));
    m_needData = {sample};
    tools->addStretch(1);
    auto* undo = makeToolButton(QStringLiteral("undo"), tr("Take the last stroke back (Ctrl+Z)"), card);
    undo->setObjectName(QStringLiteral("tryit.undo"));
    tools->addWidget(undo);
    column->addLayout(tools);

    auto* answer = new QHBoxLayout;
    answer->setSpacing(12);
    m_said = makeLabel(QStringLiteral("–"), FontRole::Score, Token::Text, card);
    m_said->setObjectName(QStringLiteral("tryit.said"));
    m_said->setAlignment(Qt::AlignCenter);
    m_said->setMinimumSize(56, 56);
    setRole(m_said, "raised");
    auto* words = new QVBoxLayout;
    words->setSpacing(0);
    m_sure = makeLabel(tr("Draw something"), FontRole::Strong, Token::Text, card);
    m_sure->setObjectName(QStringLiteral("tryit.sure"));
    m_next = makeLabel(tr("the answer follows the pen"), FontRole::Caption, Token::Text2, card);
    m_took = makeLabel({}, FontRole::Caption, Token::Text2, card);
    words->addWidget(m_sure);
    words->addWidget(m_next);
    words->addWidget(m_took);
    m_seen = new QLabel(card);
    m_seen->setFixedSize(56, 56);
    m_seen->setToolTip(tr("What the model sees: your drawing, centred and scaled as its training samples were."));
    answer->addWidget(m_said);
    answer->addLayout(words, 1);
    answer->addWidget(m_seen);
    column->addLayout(answer);
    m_bars = new ProbabilityBars(card);
    column->addWidget(m_bars);
    column->addWidget(makeLine(Qt::Horizontal, card));
    auto* pen = new QHBoxLayout;
    pen->addWidget(makeLabel(tr("Pen"), FontRole::Caption, Token::Text2, card));
    m_pen = new QSlider(Qt::Horizontal, card);
    m_pen->setObjectName(QStringLiteral("tryit.pen"));
    m_pen->setAccessibleName(tr("Width of the pen"));
    m_pen->setRange(8, 40);
    m_pen->setValue(m_studio.settings->value(QStringLiteral("tryit/pen"), 22).toInt());
    auto* penText = makeLabel(tr("%1 px").arg(m_pen->value()), FontRole::MonoSmall, Token::Text2, card);
    pen->addWidget(m_pen, 1);
    pen->addWidget(penText);
    column->addLayout(pen);
    m_drawNote = makeLabel(tr("The right button rubs out. What you draw is centred and scaled as the samples were."), FontRole::Caption, Token::Text2, card);
    m_drawNote->setWordWrap(true);
    column->addWidget(m_drawNote);
    column->addStretch(1);
    m_canvas->setPenWidth(m_pen->value());
    connect(m_pen, &QSlider::valueChanged, this, [this, penText](int width) {
        m_canvas->setPenWidth(width);
        penText->setText(tr("%1 px").arg(width));
        m_studio.settings->setValue(QStringLiteral("tryit/pen"), width);
    });
    connect(clear, &QPushButton::clicked, m_canvas, &DrawCanvas::clear);
    connect(undo, &QToolButton::clicked, m_canvas, &DrawCanvas::undo);
    connect(open, &QPushButton::clicked, this, [this] { openPicture(chooseOpenFile(this, tr("Show a picture to the model"), tr("Pictures (*.png *.jpg *.jpeg)"))); });
    connect(sample, &QPushButton::clicked, this, &TryItPage::anySample);
    return card;
}

QWidget* TryItPage::buildMiddle()
{
    auto* middle = new QWidget(this);
    auto* column = new QVBoxLayout(middle);
    column->setContentsMargins(0, 0, 0, 0);
    column->setSpacing(12);
    m_matrixCard = new Card(tr("Confusion matrix"), middle);
    auto* unit = new QComboBox(m_matrixCard);
    unit->setObjectName(QStringLiteral("tryit.unit"));
    unit->addItems({tr("counts"), tr("per cent")});
    const auto legend = [this](Token token, const QString& words) {
        for (QWidget* part : {static_cast<QWidget*>(makeDot(token, m_matrixCard)), static_cast<QWidget*>(makeLabel(words, FontRole::Caption, Token::Text2, m_matrixCard))}) {
            m_matrixCard->titleBar()->addWidget(part);
            m_ofMatrix.push_back(part);
        }
        m_matrixCard->titleBar()->addSpacing(4);
    };
    legend(Token::Hit, tr("right"));
    legend(Token::Error, tr("wrong"));
    unit->setAccessibleName(tr("What the matrix shows"));
    unit->setToolTip(tr("How many samples are in a cell, or their share of the samples of that class"));
    setControlHeight(unit, 28);
    m_matrixCard->titleBar()->addWidget(unit);
    m_ofMatrix.push_back(unit);
    m_confusion = new ConfusionView(m_matrixCard);
    m_progressText = makeLabel({}, FontRole::Caption, Token::Text2, m_matrixCard);
    m_progress = new ProgressStrip(4, m_matrixCard);
    m_matrixCard->content()->addWidget(m_progressText);
    m_matrixCard->content()->addWidget(m_progress);
    m_matrixCard->content()->addWidget(m_confusion, 1);
    m_ofMatrix.push_back(m_confusion);
    m_scores = new ProbabilityBars(m_matrixCard);
    m_scores->setObjectName(QStringLiteral("tryit.labelScores"));
    m_scores->hide();
    m_matrixCard->content()->addWidget(m_scores);
    m_matrixCard->content()->addStretch(0);
    column->addWidget(m_matrixCard, 1);
    connect(unit, &QComboBox::currentIndexChanged, m_confusion, [this](int index) { m_confusion->setShares(index == 1); });
    connect(m_confusion, &ConfusionView::cellChosen, this, &TryItPage::showCell);

    auto* mistakes = m_mistakesCard = new Card({}, middle);
    auto* bar = new QHBoxLayout;
    m_tabs = new SegmentedControl({tr("Most confident mistakes"), tr("Chosen cell"), tr("Least sure"), tr("By class"), tr("Model")}, mistakes);
    m_tabs->setObjectName(QStringLiteral("tryit.tabs"));
    bar->addWidget(m_tabs);
    m_mistakeCount = new ElidedLabel({}, Qt::ElideRight, mistakes);
    m_mistakeCount->setFont(ui::font(FontRole::Caption));
    m_mistakeCount->setProperty("token", tokenName(Token::Text2));
    m_mistakeCount->setAlignment(Qt::AlignRight | Qt::AlignVCenter);
    bar->addWidget(m_mistakeCount, 1);
    mistakes->content()->addLayout(bar);
    m_lower = new QStackedWidget(mistakes);
    m_strip = new SampleStrip(m_lower);
    m_lower->addWidget(m_strip);
    for (int i = 0; i < 2; ++i) { // a narrow window has the cards of the right here
        auto* area = new QScrollArea(m_lower);
        area->setWidgetResizable(true);
        area->setFrameShape(QFrame::NoFrame);
        area->setHorizontalScrollBarPolicy(Qt::ScrollBarAlwaysOff);
        auto* place = new QWidget(area);
        auto* inner = new QVBoxLayout(place);
        inner->setContentsMargins(0, 0, 0, 0);
        area->setWidget(place);
        area->viewport()->setAutoFillBackground(false);
        place->setAutoFillBackground(false);
        m_lower->addWidget(area);
        m_places[i] = place;
    }
    mistakes->content()->addWidget(m_lower, 1);
    column->addWidget(mistakes);
    connect(m_tabs, &SegmentedControl::currentChanged, this, &TryItPage::showMistakes);
    connect(m_strip, &SampleStrip::chosen, this, [this](int part, std::int64_t row) { showSample(static_cast<Part>(part), row); });
    return middle;
}

QWidget* TryItPage::buildRight()
{
    auto* right = new QWidget(this);
    right->setFixedWidth(336);
    auto* column = new QVBoxLayout(right);
    column->setContentsMargins(0, 0, 0, 0);
    column->setSpacing(12);
    auto* byClass = m_classCard = new Card(tr("By class"), right);
    byClass->setTitle(tr("By class"), tr("in per cent"));
    m_perClass = new QTableWidget(0, 5, byClass);
    m_perClass->setObjectName(QStringLiteral("tryit.perClass"));
    m_perClass->setTabKeyNavigation(false); // Tab leaves it; Shift+Tab was caught in its cells
    m_perClass->setHorizontalHeaderLabels({tr("Class"), tr("Count"), tr("Precision"), tr("Recall"), QStringLiteral("F1")});
    m_perClass->horizontalHeaderItem(2)->setToolTip(tr("Of those said to be this class, how many are"));
    m_perClass->horizontalHeaderItem(3)->setToolTip(tr("Of those that are this class, how many were found"));
    m_perClass->horizontalHeaderItem(4)->setToolTip(tr("Harmonic mean of precision and recall"));
    m_perClass->verticalHeader()->hide();
    m_perClass->verticalHeader()->setDefaultSectionSize(28);
    m_perClass->horizontalHeader()->setSectionResizeMode(QHeaderView::Fixed);
    m_perClass->horizontalHeader()->setSectionResizeMode(0, QHeaderView::Stretch);
    m_perClass->horizontalHeaderItem(0)->setTextAlignment(Qt::AlignLeft | Qt::AlignVCenter);
    // The cells' own padding, so that heads stand over their numbers.
    m_perClass->horizontalHeader()->setProperty("dense", true);
    const int widths[] = {0, 54, 76, 58, 52};
    for (int i = 1; i < 5; ++i) {
        m_perClass->setColumnWidth(i, widths[i]);
        m_perClass->horizontalHeaderItem(i)->setTextAlignment(Qt::AlignRight | Qt::AlignVCenter);
    }
    m_perClass->horizontalHeader()->setHighlightSections(false);
    m_perClass->setShowGrid(false);
    m_perClass->setEditTriggers(QAbstractItemView::NoEditTriggers);
    m_perClass->setSelectionBehavior(QAbstractItemView::SelectRows);
    m_perClass->setFrameShape(QFrame::NoFrame);
    m_perClass->setVerticalScrollMode(QAbstractItemView::ScrollPerPixel);
    m_perClass->setHorizontalScrollBarPolicy(Qt::ScrollBarAlwaysOff);
    m_perClass->setAccessibleName(tr("Precision, recall and F1 of each class"));
    byClass->content()->addWidget(m_perClass, 1);
    column->addWidget(byClass);

    auto* model = m_modelCard = new Card(tr("Model"), right);
    m_modelFacts = new QWidget(model);
    auto* facts = new QVBoxLayout(m_modelFacts);
    facts->setContentsMargins(0, 0, 0, 0);
    facts->setSpacing(12);
    auto* grid = new QGridLayout;
    grid->setVerticalSpacing(6);
    grid->setHorizontalSpacing(16);
    grid->setColumnStretch(1, 1);
    const QStringList names{tr("Test accuracy"), tr("Test loss"), tr("Parameters"), tr("Weights"), tr("File"), tr("Trained on"), tr("All samples")};
    for (int i = 0; i < names.size(); ++i) {
        auto* caption = makeLabel(names[i], FontRole::Body, Token::Text2, m_modelFacts);
        if (i == 0) m_firstFact = caption;
        grid->addWidget(caption, i, 0);
        auto* value = new ElidedLabel(QStringLiteral("–"), Qt::ElideRight, m_modelFacts);
        value->setFont(ui::font(FontRole::Mono));
        value->setObjectName(QStringLiteral("tryit.fact%1").arg(i));
        grid->addWidget(value, i, 1);
        m_facts.push_back(value);
    }
    facts->addLayout(grid);
    auto* note = makeLabel(tr("Save model… writes these weights as a safetensors file, with the recipe and the names of the classes inside."), FontRole::Caption, Token::Text2, m_modelFacts);
    note->setWordWrap(true);
    facts->addWidget(note);
    facts->addStretch(1);
    model->content()->addWidget(m_modelFacts, 1);
    column->addWidget(model, 1);
    m_right = right;
    return right;
}

void TryItPage::setCompact(bool narrow, bool low)
{
    m_narrow = narrow;
    m_right->setVisible(!narrow);
    const auto place = [&](QWidget* widget, Card* card, int slot) { (narrow ? m_places[slot]->layout() : card->content())->addWidget(widget); };
    place(m_perClass, m_classCard, 0);
    place(m_modelFacts, m_modelCard, 1);
    for (int i = 2; i < 5; ++i) {
        auto* segment = m_tabs->findChild<QWidget*>(QStringLiteral("segment%1").arg(i));
        segment->setVisible(i == 2 || narrow);
        if (i > 2) continue;
        segment->setProperty("at", narrow ? "middle" : "last"); // its corners
        setRole(segment, "segment");
    }
    if (!narrow && m_tabs->current() > 2) m_tabs->setCurrent(0);
    m_canvas->setSide(low ? 192 : 280);
    m_drawNote->setVisible(!low);
    m_strip->setMinimumHeight(m_strip->rowHeight() * (low ? 2 : 3));
    sizeTable();
}

/// As high as its rows where they are few and have a card of their own; else it scrolls in what room there is.
void TryItPage::sizeTable()
{
    const int rows = m_perClass->rowCount(), high = 30 + rows * 28;
    const bool whole = !m_narrow && rows <= 13;
    m_perClass->setMinimumHeight(whole ? high : 80);
    m_perClass->setMaximumHeight(whole ? high : QWIDGETSIZE_MAX);
    m_classCard->setSizePolicy(QSizePolicy::Preferred, whole ? QSizePolicy::Fixed : QSizePolicy::Expanding);
}

} // namespace sconce::ui
