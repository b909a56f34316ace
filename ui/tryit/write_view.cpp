// SPDX-License-Identifier: GPL-3.0-or-later
#include "ui/tryit/write_view.h"

#include "core/base/text.h"
#include "core/data/text_dataset.h"
#include "core/recipe/task.h"
#include "ui/services/studio.h"
#include "ui/services/words.h"
#include "ui/theme/theme.h"
#include "ui/tryit/model_worker.h"
#include "ui/widgets/parts.h"

#include <QApplication>
#include <QClipboard>
#include <QDoubleSpinBox>
#include <QGridLayout>
#include <QPlainTextEdit>
#include <QScrollBar>
#include <QSpinBox>
#include <QVBoxLayout>

#include <cmath>

namespace sconce::ui {

using words::text;

WriteView::WriteView(Settings& settings, QWidget* parent) : QWidget(parent), m_settings(settings)
{
    setObjectName(QStringLiteral("tryit.write"));
    auto* row = new QHBoxLayout(this);
    row->setContentsMargins(0, 0, 0, 0);
    row->setSpacing(12);
    row->addWidget(buildLeft());
    row->addWidget(buildRight(), 1);
    showState();
}

QWidget* WriteView::buildLeft()
{
    auto* card = new Card(tr("Begin a text"), this);
    card->setFixedWidth(314);
    auto* column = card->content();
    column->setSpacing(8);
    m_prompt = new QPlainTextEdit(card);
    m_prompt->setObjectName(QStringLiteral("tryit.prompt"));
    m_prompt->setAccessibleName(tr("The beginning that the model continues"));
    m_prompt->setPlaceholderText(tr("The model goes on from here. Without a beginning it makes one up."));
    m_prompt->setFont(ui::font(FontRole::Mono));
    m_prompt->setTabChangesFocus(true);
    m_prompt->setFixedHeight(132);
    column->addWidget(m_prompt);
    auto* grid = new QGridLayout;
    grid->setVerticalSpacing(8);
    grid->setColumnStretch(0, 1);
    int at = 0;
    const auto field = [&](const QString& name, auto* box, const char* id, const QString& help) {
        box->setObjectName(QLatin1String(id));
        box->setAccessibleName(name);
        box->setToolTip(help);
        box->setFont(ui::font(FontRole::Mono));
        box->setFixedWidth(120);
        grid->addWidget(makeLabel(name, FontRole::Body, Token::Text2, card), at, 0);
        grid->addWidget(box, at++, 1);
        return box;
    };
    m_length = field(tr("Length"), new QSpinBox(card), "tryit.length", tr("How many symbols are written"));
    m_length->setRange(1, static_cast<int>(GenerateSettings::mostLength));
    m_length->setValue(m_settings.value(QStringLiteral("tryit/length"), 500).toInt());
    m_temperature = field(tr("Temperature"), new QDoubleSpinBox(card), "tryit.temperature", tr("How boldly symbols are drawn. 0: always the likeliest. 1: as likely as the model says. More: surprising, and soon nonsense."));
    m_temperature->setRange(0, GenerateSettings::mostTemperature);
    m_temperature->setSingleStep(0.1);
    m_temperature->setDecimals(2);
    m_temperature->setValue(m_settings.value(QStringLiteral("tryit/temperature"), 0.8).toDouble());
    m_seed = field(tr("Seed"), new QSpinBox(card), "tryit.seed", tr("The same seed writes the same text behind the same beginning. Counts on by itself."));
    m_seed->setRange(0, 999'999'999);
    m_seed->setValue(1);
    column->addLayout(grid);
    m_generate = makeButton(QStringLiteral("play"), tr("Generate"), ButtonKind::Primary, card);
    m_generate->setObjectName(QStringLiteral("tryit.generate"));
    column->addWidget(m_generate);
    m_problem = makeLabel({}, FontRole::Body, Token::Error, card);
    m_problem->setObjectName(QStringLiteral("tryit.writeProblem"));
    m_problem->setWordWrap(true);
    m_problem->hide();
    column->addWidget(m_problem);
    column->addWidget(makeLine(Qt::Horizontal, card));
    m_knows = makeLabel({}, FontRole::Caption, Token::Text2, card);
    m_knows->setObjectName(QStringLiteral("tryit.knows"));
    m_knows->setWordWrap(true);
    column->addWidget(m_knows);
    m_note = makeLabel({}, FontRole::Caption, Token::Warn, card);
    m_note->setObjectName(QStringLiteral("tryit.writeNote"));
    m_note->setWordWrap(true);
    column->addWidget(m_note);
    column->addStretch(1);
    connect(m_generate, &QPushButton::clicked, this, [this] {
        if (m_writing) Q_EMIT stopAsked();
        else generate();
    });
    connect(m_length, &QSpinBox::valueChanged, this, [this](int value) { m_settings.setValue(QStringLiteral("tryit/length"), value); });
    connect(m_temperature, &QDoubleSpinBox::valueChanged, this, [this](double value) { m_settings.setValue(QStringLiteral("tryit/temperature"), value); });
    return card;
}

QWidget* WriteView::buildRight()
{
    m_card = new Card(tr("Text"), this);
    m_copy = makeButton(QStringLiteral("copy"), tr("Copy"), ButtonKind::Normal, m_card);
    m_copy->setObjectName(QStringLiteral("tryit.copy"));
    m_copy->setToolTip(tr("Copies the whole text, with its beginning"));
    setControlHeight(m_copy, 28);
    m_card->titleBar()->addStretch(1);
    m_took = makeLabel({}, FontRole::Caption, Token::Text2, m_card);
    m_took->setObjectName(QStringLiteral("tryit.wrote"));
    m_card->titleBar()->addWidget(m_took);
    m_card->titleBar()->addWidget(m_copy);
    m_progress = new ProgressStrip(4, m_card);
    m_card->content()->addWidget(m_progress);
    m_text = new QPlainTextEdit(m_card);
    m_text->setObjectName(QStringLiteral("tryit.text"));
    m_text->setAccessibleName(tr("What the model wrote"));
    m_text->setPlaceholderText(tr("What the model writes appears here."));
    m_text->setReadOnly(true);
    m_text->setUndoRedoEnabled(false);
    m_text->setTabChangesFocus(true);
    m_text->setFont(ui::font(FontRole::Mono));
    m_card->content()->addWidget(m_text, 1);
    connect(m_copy, &QPushButton::clicked, this, [this] {
        QApplication::clipboard()->setText(m_text->toPlainText());
        showToast(this, tr("Copied"));
    });
    return m_card;
}

bool WriteView::fits(const LoadedModel& model) { return targetOf(model.recipe.task) == Target::Next; }

void WriteView::setModel(const LoadedModel& model)
{
    ++m_number; // what the model before still says is not this one's
    m_writing = false;
    m_text->clear();
    m_took->clear();
    m_problem->hide();
    QString symbols;
    for (const std::string& symbol : model.symbols) symbols += (symbols.isEmpty() ? QString() : QStringLiteral(" ")) + text(symbolTitle(symbol));
    m_knows->setText(tr("The model knows %1 symbols and sees the last %2 of them.").arg(model.symbols.size()).arg(model.info.sample.elements()));
    m_knows->setToolTip(symbols);
    m_note->setText(model.dataNote);
    m_note->setVisible(!model.dataNote.isEmpty());
    m_card->setTitle(tr("Text"), model.data ? tr("asking the model about every symbol") : QString());
    m_progress->setShare(0);
    m_progress->setVisible(model.data != nullptr);
    showState();
}

void WriteView::setProgress(std::int64_t done, std::int64_t total) { m_progress->setShare(static_cast<double>(done) / static_cast<double>(std::max<std::int64_t>(1, total))); }

void WriteView::setReport(const EvaluationReport& report)
{
    m_progress->hide();
    QStringList figures;
    for (const auto& [id, value] : report.metrics)
        if (const MetricEntry* metric = findMetric(id)) figures << QStringLiteral("%1 %2").arg(text(metric->brief), words::metric(metric, value));
    m_card->setTitle(tr("Text"), tr("%1 %2 symbols: %3, loss %4").arg(text(groupedInt(report.count)), text(report.part), figures.join(QStringLiteral(", ")), words::loss(report.loss)));
}

void WriteView::generate()
{
    GenerateSettings settings;
    settings.length = m_length->value();
    settings.temperature = m_temperature->value();
    settings.seed = static_cast<std::uint64_t>(m_seed->value());
    const QString prompt = m_prompt->toPlainText();
    m_writing = true;
    m_symbols = 0;
    m_problem->hide();
    m_took->setText(tr("writing…"));
    m_text->setPlainText(prompt);
    showState();
    Q_EMIT asked(prompt, settings, ++m_number);
}

void WriteView::add(const QString& piece, int writing)
{
    if (writing != m_number) return;
    m_symbols += piece.toUcs4().size();
    m_took->setText(tr("%1 symbols").arg(text(groupedInt(m_symbols))));
    QScrollBar* bar = m_text->verticalScrollBar();
    const bool follows = bar->value() >= bar->maximum() - 2; // who scrolls back to read is left there
    QTextCursor end(m_text->document());
    end.movePosition(QTextCursor::End);
    end.insertText(piece);
    if (follows) bar->setValue(bar->maximum());
}

void WriteView::end(const QString& error, double seconds, int writing)
{
    if (writing != m_number) return;
    m_writing = false;
    m_problem->setText(error);
    m_problem->setVisible(!error.isEmpty());
    m_took->setText(error.isEmpty() ? tr("%1 symbols in %2").arg(text(groupedInt(m_symbols)), seconds < 1 ? tr("%1 ms").arg(std::lround(seconds * 1000)) : text(durationText(seconds))) : QString());
    if (error.isEmpty()) m_seed->setValue(m_seed->value() == m_seed->maximum() ? 0 : m_seed->value() + 1);
    showState();
}

void WriteView::showState()
{
    m_generate->setText(m_writing ? tr("Stop") : tr("Generate"));
    m_generate->setToolTip(m_writing ? tr("Keeps what is written so far") : tr("Lets the model write behind the beginning"));
    m_generate->setIcon(Theme::instance().icon(m_writing ? QStringLiteral("stop") : QStringLiteral("play"), Token::OnAccent));
    m_copy->setEnabled(m_writing || !m_text->toPlainText().isEmpty());
}

} // namespace sconce::ui
