// SPDX-License-Identifier: GPL-3.0-or-later
#include "ui/tryit/answers_view.h"

#include "core/base/text.h"
#include "core/data/table.h"
#include "ui/services/data_choices.h"
#include "ui/services/words.h"
#include "ui/theme/theme.h"
#include "ui/tryit/model_worker.h"
#include "ui/tryit/views.h"
#include "ui/widgets/parts.h"

#include <QHeaderView>
#include <QPainter>
#include <QTableWidget>
#include <QVBoxLayout>

#include <algorithm>
#include <cmath>

namespace sconce::ui {

using words::text;

namespace {

constexpr std::size_t mostRows = 400; ///< the worst are what the table is about

/// One line of the table: a stored row, and what is said of it.
struct Line { std::int64_t row; QString truth, said, off; };

std::vector<Line> linesOf(const LoadedModel& model, const EvaluationReport& report)
{
    std::vector<Line> lines;
    if (targetOf(model.recipe.task) == Target::Number) {
        for (const Miss& miss : report.misses) {
            if (lines.size() == mostRows) break;
            const auto number = [](float value) { return text(realText(static_cast<double>(value), 5)); };
            const float off = miss.said - miss.truth;
            lines.push_back({miss.row, number(miss.truth), number(miss.said), (off > 0 ? QStringLiteral("+") : QString()) + number(off).replace(QLatin1Char('-'), QChar(0x2212))});
        }
        return lines;
    }
    if (!report.labels.empty()) {
        const std::size_t labels = report.labels.size();
        for (const LabelMiss& miss : report.labelMisses) {
            if (lines.size() == mostRows) break;
            const auto list = [&](std::span<const float> all, double above) {
                std::vector<std::uint8_t> has;
                for (const float value : all.subspan(miss.place * labels, labels)) has.push_back(static_cast<double>(value) > above);
                return text(labelsText(report.labels, has));
            };
            lines.push_back({report.rows[miss.place], list(report.truths, 0.5), list(report.answers, report.threshold), QString::number(miss.wrong)});
        }
        return lines;
    }
    const auto name = [&](int label) { return text(report.classes[static_cast<std::size_t>(label)]); };
    for (const Mistake& mistake : report.mistakes) {
        if (lines.size() == mostRows) break;
        if (static_cast<std::size_t>(mistake.said) < report.classes.size()) lines.push_back({mistake.row, name(mistake.truth), name(mistake.said), words::percent(static_cast<double>(mistake.confidence), 1)});
    }
    return lines;
}

/// Numbers as the network was fed them, back to bytes.
QImage pictureOf(std::span<const float> values, const LoadedModel& model)
{
    const InputSettings& input = model.recipe.data.input;
    std::vector<std::uint8_t> record;
    record.reserve(values.size());
    for (const float value : values) {
        double back = static_cast<double>(value);
        if (input.normalise) back = back * input.deviation + input.mean;
        if (input.scale) back *= 255;
        record.push_back(static_cast<std::uint8_t>(std::lround(std::clamp(std::isfinite(back) ? back : 0.0, 0.0, 255.0))));
    }
    return recordImage(record, model.info.sample);
}

} // namespace

PairsView::PairsView(QWidget* parent) : QWidget(parent)
{
    setObjectName(QStringLiteral("tryit.pairs"));
    setAccessibleName(tr("Samples above, what the model gives back below"));
}

void PairsView::setPairs(std::vector<std::pair<QImage, QImage>> pairs)
{
    m_pairs = std::move(pairs);
    update();
}

void PairsView::paintEvent(QPaintEvent*)
{
    QPainter painter(this);
    if (m_pairs.empty()) return;
    constexpr int gap = 10, label = 84, most = 112;
    const int across = std::clamp((width() - label) / (most + gap), 1, static_cast<int>(m_pairs.size()));
    painter.setFont(ui::font(FontRole::Caption));
    int y = 4;
    for (std::size_t first = 0; first < m_pairs.size() && y + 2 * most + gap <= height(); first += static_cast<std::size_t>(across)) {
        painter.setPen(color(Token::Text2));
        painter.drawText(QRect(0, y, label, most), Qt::AlignVCenter, tr("goes in"));
        painter.drawText(QRect(0, y + most + 4, label, most), Qt::AlignVCenter, tr("comes out"));
        for (int i = 0; i < across && first + static_cast<std::size_t>(i) < m_pairs.size(); ++i) {
            const auto& [in, out] = m_pairs[first + static_cast<std::size_t>(i)];
            const int x = label + i * (most + gap);
            painter.drawImage(QRect(x, y, most, most), in);
            painter.drawImage(QRect(x, y + most + 4, most, most), out);
        }
        y += 2 * most + 4 + 2 * gap;
    }
}

AnswersView::AnswersView(QWidget* parent) : QWidget(parent)
{
    setObjectName(QStringLiteral("tryit.answers"));
    auto* column = new QVBoxLayout(this);
    column->setContentsMargins(0, 0, 0, 0);
    m_card = new Card(tr("Answers"), this);
    m_progress = new ProgressStrip(4, m_card);
    m_rows = new QTableWidget(m_card);
    m_rows->setObjectName(QStringLiteral("tryit.rows"));
    m_rows->setAccessibleName(tr("Rows with truth and answer"));
    m_rows->setEditTriggers(QAbstractItemView::NoEditTriggers);
    m_rows->setSelectionBehavior(QAbstractItemView::SelectRows);
    m_rows->setFrameShape(QFrame::NoFrame);
    m_rows->setShowGrid(false);
    m_rows->horizontalHeader()->setProperty("dense", true);
    m_rows->verticalHeader()->hide();
    m_rows->verticalHeader()->setDefaultSectionSize(26);
    m_pairs = new PairsView(m_card);
    m_card->content()->addWidget(m_progress);
    auto* row = new QHBoxLayout;
    row->setSpacing(16);
    row->addWidget(m_rows, 1);
    row->addWidget(buildSide());
    m_card->content()->addLayout(row, 1);
    m_card->content()->addWidget(m_pairs, 1);
    column->addWidget(m_card);
}

QWidget* AnswersView::buildSide()
{
    m_side = new QWidget(m_card);
    m_side->setFixedWidth(320);
    auto* column = new QVBoxLayout(m_side);
    column->setContentsMargins(0, 0, 0, 0);
    column->setSpacing(8);
    m_sideTitle = makeLabel(tr("Chosen row"), FontRole::Strong, Token::Text, m_side);
    m_sideTitle->setObjectName(QStringLiteral("tryit.rowTitle"));
    column->addWidget(m_sideTitle);
    m_bars = new ProbabilityBars(m_side);
    m_bars->setObjectName(QStringLiteral("tryit.rowLabels"));
    m_bars->setToolTip(tr("How probable each label of the chosen row is; the line is the threshold above which it is said"));
    column->addWidget(m_bars);
    column->addWidget(makeLine(Qt::Horizontal, m_side));
    column->addWidget(makeLabel(tr("F1 of each label"), FontRole::Strong, Token::Text, m_side));
    m_scores = new ProbabilityBars(m_side);
    m_scores->setObjectName(QStringLiteral("tryit.labelF1"));
    m_scores->setToolTip(tr("How well each label is told: the harmonic mean of precision and recall"));
    m_scores->setThreshold(0.0); // every score is lit
    column->addWidget(m_scores);
    column->addStretch(1);
    m_side->hide();
    connect(m_rows, &QTableWidget::currentCellChanged, this, [this](int line) { showRow(line); });
    return m_side;
}

void AnswersView::showRow(int line)
{
    if (!m_side->isVisibleTo(this) || line < 0 || line >= static_cast<int>(m_answers.size())) return;
    m_sideTitle->setText(tr("Row %1").arg(m_rows->item(line, 0)->text()));
    m_bars->setProbabilities(m_answers[static_cast<std::size_t>(line)]);
}

bool AnswersView::fits(const LoadedModel& model)
{
    const Target target = targetOf(model.recipe.task);
    return model.info.sample.dtype != DType::U8 || target == Target::Number || target == Target::Input;
}

void AnswersView::setModel(const LoadedModel& model)
{
    m_card->setTitle(tr("Answers"), model.data ? tr("asking the model about every sample") : model.dataNote);
    m_rows->setRowCount(0);
    m_pairs->setPairs({});
    const bool pictures = targetOf(model.recipe.task) == Target::Input;
    m_rows->setVisible(!pictures);
    m_pairs->setVisible(pictures);
    m_answers.clear();
    m_side->setVisible(!pictures && !model.info.labelNames.empty());
    m_bars->setClasses(model.info.labelNames);
    m_scores->setClasses(model.info.labelNames);
    m_sideTitle->setText(tr("Chosen row"));
    m_progress->setShare(0);
    m_progress->setVisible(model.data != nullptr);
}

void AnswersView::setProgress(std::int64_t done, std::int64_t total) { m_progress->setShare(static_cast<double>(done) / static_cast<double>(std::max<std::int64_t>(1, total))); }

void AnswersView::setReport(const LoadedModel& model, const EvaluationReport& report)
{
    m_progress->hide();
    QStringList figures;
    for (const auto& [id, value] : report.metrics)
        if (const MetricEntry* metric = findMetric(id)) figures << QStringLiteral("%1 %2").arg(text(metric->brief), words::metric(metric, value));
    figures << tr("loss %1").arg(words::loss(report.loss));
    m_card->setTitle(tr("Answers"), tr("%1 %2 samples: %3").arg(text(groupedInt(report.count)), text(report.part), figures.join(QStringLiteral(", "))));
    if (targetOf(model.recipe.task) == Target::Input) fillPairs(model, report);
    else fillRows(model, report);
}

void AnswersView::fillRows(const LoadedModel& model, const EvaluationReport& report)
{
    const DatasetInfo& info = model.info;
    const bool numbers = targetOf(model.recipe.task) == Target::Number, labels = !report.labels.empty();
    QStringList header{tr("Row"), labels ? tr("Truth") : tr("%1, truth").arg(text(info.target)), tr("Said"), labels ? tr("Wrong") : numbers ? tr("Off by") : tr("How sure")};
    for (const TableColumn& column : info.columns) header << text(column.name);
    const auto lines = linesOf(model, report);
    m_rows->setColumnCount(static_cast<int>(header.size()));
    m_rows->setHorizontalHeaderLabels(header);
    m_rows->setRowCount(static_cast<int>(lines.size()));
    for (int r = 0; r < m_rows->rowCount(); ++r) {
        const Line& line = lines[static_cast<std::size_t>(r)];
        QStringList cells{text(groupedInt(line.row + 1)), line.truth, line.said, line.off};
        if (info.kind == "table")
            for (const std::string& cell : tableRow(*model.data, report.storedIn, line.row)) cells << text(cell);
        for (int c = 0; c < std::min(m_rows->columnCount(), static_cast<int>(cells.size())); ++c) {
            auto* item = new QTableWidgetItem(cells[c]);
            item->setFont(ui::font(FontRole::MonoSmall));
            bool number = false;
            (void)cells[c].toDouble(&number);
            item->setTextAlignment(Qt::AlignVCenter | ((c < 4 && !(labels && (c == 1 || c == 2))) || number ? Qt::AlignRight : Qt::AlignLeft));
            m_rows->setItem(r, c, item);
        }
    }
    fitColumns(*m_rows);
    if (labels) fillLabels(report);
}

/// Of labels: each line's probabilities, for its bars, and the F1 of each.
void AnswersView::fillLabels(const EvaluationReport& report)
{
    m_bars->setThreshold(report.threshold);
    for (int line = 0; line < m_rows->rowCount(); ++line) {
        const auto at = std::span(report.answers).subspan(report.labelMisses[static_cast<std::size_t>(line)].place * report.labels.size(), report.labels.size());
        m_answers.emplace_back(at.begin(), at.end());
    }
    std::vector<float> scores;
    for (const ClassMetrics& label : report.perClass) scores.push_back(static_cast<float>(label.f1));
    m_scores->setProbabilities(std::move(scores));
    if (m_rows->rowCount() > 0) m_rows->setCurrentCell(0, 0);
}

void AnswersView::fillPairs(const LoadedModel& model, const EvaluationReport& report)
{
    const auto elements = static_cast<std::size_t>(model.info.sample.elements());
    std::vector<std::pair<QImage, QImage>> pairs;
    for (std::size_t i = 0; (i + 1) * elements <= report.answers.size() && i < report.rows.size(); ++i)
        pairs.emplace_back(sampleImage(*model.data, report.storedIn, report.rows[i]), pictureOf(std::span(report.answers).subspan(i * elements, elements), model));
    m_pairs->setPairs(std::move(pairs));
}

} // namespace sconce::ui
