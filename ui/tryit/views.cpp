// SPDX-License-Identifier: GPL-3.0-or-later
#include "ui/tryit/views.h"

#include "core/base/text.h"
#include "ui/services/data_choices.h"
#include "ui/theme/theme.h"

#include <QHelpEvent>
#include <QKeyEvent>
#include <QPainter>
#include <QToolTip>
#include <QWheelEvent>

#include <algorithm>

namespace sconce::ui {

namespace {
QString utf(const std::string& text) { return QString::fromStdString(text); }
constexpr int barRow = 22, barRowLow = 17, sampleSide = 56, sampleStep = 78, sampleRow = 98;
}

// ---- probabilities ----

ProbabilityBars::ProbabilityBars(QWidget* parent) : QWidget(parent)
{
    setObjectName(QStringLiteral("tryit.probabilities"));
    connect(&Theme::instance(), &Theme::changed, this, qOverload<>(&QWidget::update));
}

void ProbabilityBars::setClasses(const std::vector<std::string>& classes)
{
    m_classes = classes;
    m_probabilities.clear();
    updateGeometry();
    update();
}

void ProbabilityBars::setProbabilities(std::vector<float> probabilities)
{
    m_probabilities = std::move(probabilities);
    setAccessibleName(best());
    update();
}

void ProbabilityBars::setThreshold(std::optional<double> threshold)
{
    m_threshold = threshold;
    update();
}

QString ProbabilityBars::best() const
{
    if (m_probabilities.size() != m_classes.size() || m_classes.empty()) return {};
    const auto at = static_cast<std::size_t>(std::max_element(m_probabilities.begin(), m_probabilities.end()) - m_probabilities.begin());
    return QStringLiteral("%1: %2").arg(utf(m_classes[at]), utf(percentText(m_probabilities[at], 1)));
}

int ProbabilityBars::shown() const { return static_cast<int>(std::clamp<std::size_t>(m_classes.size(), 1, 12)); }
QSize ProbabilityBars::sizeHint() const { return {280, barRow * shown()}; }
QSize ProbabilityBars::minimumSizeHint() const { return {200, barRowLow * shown()}; }

void ProbabilityBars::paintEvent(QPaintEvent*)
{
    QPainter painter(this);
    painter.setRenderHint(QPainter::Antialiasing);
    painter.setFont(ui::font(FontRole::MonoSmall));
    // With many classes the likeliest ones are worth the room.
    std::vector<std::size_t> order(m_classes.size());
    for (std::size_t i = 0; i < order.size(); ++i) order[i] = i;
    const bool known = m_probabilities.size() == m_classes.size();
    if (order.size() > 12 && known) std::partial_sort(order.begin(), order.begin() + 12, order.end(), [this](auto a, auto b) { return m_probabilities[a] > m_probabilities[b]; });
    const auto rows = std::min(static_cast<std::size_t>(shown()), order.size());
    const int rowHeight = std::clamp(height() / shown(), barRowLow, barRow);
    int nameWidth = 12;
    for (std::size_t i = 0; i < rows; ++i) nameWidth = std::max(nameWidth, std::min(90, painter.fontMetrics().horizontalAdvance(utf(m_classes[order[i]]))));
    const auto top = known ? static_cast<std::size_t>(std::max_element(m_probabilities.begin(), m_probabilities.end()) - m_probabilities.begin()) : m_classes.size();
    for (std::size_t i = 0; i < rows; ++i) {
        const int y = static_cast<int>(i) * rowHeight;
        const std::size_t c = order[i];
        const bool lit = m_threshold ? known && static_cast<double>(m_probabilities[c]) > *m_threshold : c == top;
        painter.setPen(color(lit ? Token::Text : Token::Text2));
        painter.drawText(QRect(0, y, nameWidth, rowHeight), Qt::AlignVCenter, painter.fontMetrics().elidedText(utf(m_classes[c]), Qt::ElideRight, nameWidth));
        const QRectF groove(nameWidth + 10, y + rowHeight / 2 - 4, width() - nameWidth - 78, 8);
        painter.setPen(Qt::NoPen);
        painter.setBrush(color(Token::Raised));
        painter.drawRoundedRect(groove, 4, 4);
        const double share = known ? static_cast<double>(m_probabilities[c]) : 0;
        if (share > 0.004) {
            painter.setBrush(color(lit ? Token::Hit : Token::Tick));
            painter.drawRoundedRect(QRectF(groove.left(), groove.top(), std::max(8.0, groove.width() * share), 8), 4, 4);
        }
        if (m_threshold) painter.fillRect(QRectF(groove.left() + groove.width() * *m_threshold - 0.5, groove.top() - 3, 1, 14), color(Token::Text3));
        painter.setPen(color(lit ? Token::Text : Token::Text2));
        painter.drawText(QRect(width() - 64, y, 64, rowHeight), Qt::AlignRight | Qt::AlignVCenter, known ? utf(percentText(share, share >= 0.0005 && share < 0.9995 ? 1 : 0)) : QStringLiteral("–"));
    }
}

// ---- confusion ----

ConfusionView::ConfusionView(QWidget* parent) : QWidget(parent)
{
    setObjectName(QStringLiteral("tryit.confusion"));
    setAccessibleName(tr("Confusion matrix: rows are the truth, columns what the model said"));
    setFocusPolicy(Qt::StrongFocus);
    setMinimumHeight(200);
    connect(&Theme::instance(), &Theme::changed, this, qOverload<>(&QWidget::update));
}

void ConfusionView::setReport(const EvaluationReport& report)
{
    m_names = report.classes;
    m_counts = report.confusion;
    m_truth = m_said = -1;
    update();
}

void ConfusionView::clear()
{
    m_names.clear();
    m_counts.clear();
    m_truth = m_said = -1;
    update();
}

void ConfusionView::setShares(bool shares)
{
    m_shares = shares;
    update();
}

std::int64_t ConfusionView::count(int truth, int said) const
{
    if (truth < 0 || said < 0 || truth >= classes() || said >= classes()) return 0;
    return m_counts[static_cast<std::size_t>(truth)][static_cast<std::size_t>(said)];
}

QRect ConfusionView::cell(int truth, int said) const
{
    const int left = 64, top = 40, count = std::max(1, classes());
    const double w = static_cast<double>(width() - left) / count, h = static_cast<double>(height() - top) / count;
    return QRect(left + static_cast<int>(said * w), top + static_cast<int>(truth * h), std::max(2, static_cast<int>(w) - 2), std::max(2, static_cast<int>(h) - 2));
}

void ConfusionView::paintEvent(QPaintEvent*)
{
    if (m_counts.empty()) return;
    QPainter painter(this);
    painter.setRenderHint(QPainter::Antialiasing);
    std::int64_t worst = 1;
    for (int t = 0; t < classes(); ++t)
        for (int s = 0; s < classes(); ++s)
            if (t != s) worst = std::max(worst, m_counts[static_cast<std::size_t>(t)][static_cast<std::size_t>(s)]);
    painter.setFont(ui::font(FontRole::Caption));
    painter.setPen(color(Token::Text3));
    painter.drawText(QRect(64, 0, width() - 64, 18), Qt::AlignCenter, tr("what the model said"));
    painter.save();
    painter.translate(0, height());
    painter.rotate(-90);
    painter.drawText(QRect(0, 0, height() - 40, 16), Qt::AlignCenter, tr("what it is"));
    painter.restore();
    for (int t = 0; t < classes(); ++t) {
        const auto& row = m_counts[static_cast<std::size_t>(t)];
        std::int64_t sum = 0;
        for (const auto count : row) sum += count;
        painter.setFont(ui::font(FontRole::MonoSmall));
        painter.setPen(color(Token::Text2));
        const QRect first = cell(t, 0);
        painter.drawText(QRect(18, first.top(), 40, first.height()), Qt::AlignVCenter | Qt::AlignRight, painter.fontMetrics().elidedText(utf(m_names[static_cast<std::size_t>(t)]), Qt::ElideRight, 40));
        const QRect head = cell(0, t);
        painter.drawText(QRect(head.left(), 20, head.width(), 18), Qt::AlignCenter, painter.fontMetrics().elidedText(utf(m_names[static_cast<std::size_t>(t)]), Qt::ElideRight, head.width()));
        for (int s = 0; s < classes(); ++s) {
            const auto count = row[static_cast<std::size_t>(s)];
            const QRect rect = cell(t, s);
            const auto& theme = Theme::instance();
            // Right answers 30 %, wrong ones 10 to 46 % by count, empty cells a breath of grey (design: look/NOTES).
            const QColor fill = count == 0 ? theme.blend(Token::Test, Token::Card, 0.06)
                                : t == s   ? theme.blend(Token::Hit, Token::Card, 0.30)
                                           : theme.blend(Token::Error, Token::Card, 0.10 + 0.36 * static_cast<double>(count) / static_cast<double>(worst));
            painter.setPen(Qt::NoPen);
            painter.setBrush(fill);
            painter.drawRoundedRect(rect, 3, 3);
            if (count > 0 && rect.width() > 22 && rect.height() > 12) {
                painter.setPen(color(Token::Text));
                const QString text = m_shares ? utf(percentText(static_cast<double>(count) / static_cast<double>(std::max<std::int64_t>(1, sum)), 1)) : utf(groupedInt(count));
                if (painter.fontMetrics().horizontalAdvance(text) <= rect.width()) painter.drawText(rect, Qt::AlignCenter, text);
            }
            if (t == m_truth && s == m_said) {
                painter.setBrush(Qt::NoBrush);
                painter.setPen(QPen(color(Token::Focus), 2));
                painter.drawRoundedRect(rect.adjusted(1, 1, -1, -1), 3, 3);
            }
        }
    }
}

void ConfusionView::choose(int truth, int said)
{
    if (m_counts.empty()) return;
    m_truth = std::clamp(truth, 0, classes() - 1);
    m_said = std::clamp(said, 0, classes() - 1);
    update();
    Q_EMIT cellChosen(m_truth, m_said);
}

void ConfusionView::mousePressEvent(QMouseEvent* event)
{
    for (int t = 0; t < classes(); ++t)
        for (int s = 0; s < classes(); ++s)
            if (cell(t, s).contains(event->pos())) return choose(t, s);
}

void ConfusionView::keyPressEvent(QKeyEvent* event)
{
    switch (event->key()) {
    case Qt::Key_Left: return choose(m_truth, m_said - 1);
    case Qt::Key_Right: return choose(m_truth, m_said + 1);
    case Qt::Key_Up: return choose(m_truth - 1, m_said);
    case Qt::Key_Down: return choose(m_truth + 1, m_said);
    default: QWidget::keyPressEvent(event);
    }
}

bool ConfusionView::event(QEvent* event)
{
    if (event->type() == QEvent::ToolTip) {
        auto* help = static_cast<QHelpEvent*>(event);
        for (int t = 0; t < classes(); ++t)
            for (int s = 0; s < classes(); ++s)
                if (cell(t, s).contains(help->pos())) {
                    QToolTip::showText(help->globalPos(), tr("%1 of class %2, said to be %3").arg(utf(groupedInt(m_counts[static_cast<std::size_t>(t)][static_cast<std::size_t>(s)])), utf(m_names[static_cast<std::size_t>(t)]), utf(m_names[static_cast<std::size_t>(s)])), this);
                    return true;
                }
    }
    return QWidget::event(event);
}

// ---- samples ----

SampleStrip::SampleStrip(QWidget* parent) : QWidget(parent)
{
    setObjectName(QStringLiteral("tryit.samples"));
    setFocusPolicy(Qt::StrongFocus);
    connect(&Theme::instance(), &Theme::changed, this, qOverload<>(&QWidget::update));
}

void SampleStrip::setItems(DatasetPtr data, std::vector<Item> items, const QString& whenEmpty)
{
    m_data = std::move(data);
    m_items = std::move(items);
    m_empty = whenEmpty;
    m_first = 0;
    m_current = -1;
    update();
}

int SampleStrip::rowHeight() { return sampleRow; }

int SampleStrip::columns() const { return std::max(1, width() / sampleStep); }

QRect SampleStrip::cell(int index) const
{
    const int step = width() / columns();
    return QRect(index % columns() * step, (index / columns() - m_first) * sampleRow, step, sampleRow);
}

void SampleStrip::drawTitle(QPainter& painter, const Item& item, const QRect& rect, const QRect& picture)
{
    painter.setFont(ui::font(FontRole::Caption));
    painter.setPen(color(Token::Text));
    painter.drawText(QRect(rect.left() + 2, picture.bottom() + 3, rect.width() - 4, 16), Qt::AlignCenter, painter.fontMetrics().elidedText(item.title, Qt::ElideRight, rect.width() - 4));
    painter.setFont(ui::font(FontRole::MonoAxis));
    painter.setPen(color(Token::Text2));
    painter.drawText(QRect(rect.left(), picture.bottom() + 19, rect.width(), 16), Qt::AlignCenter, item.note);
}

void SampleStrip::paintEvent(QPaintEvent*)
{
    QPainter painter(this);
    if (!m_data || m_items.empty()) {
        painter.setFont(ui::font(FontRole::Body));
        painter.setPen(color(Token::Text2));
        painter.drawText(rect(), Qt::AlignCenter | Qt::TextWordWrap, m_empty);
        return;
    }
    const auto& classes = m_data->info().classes;
    for (int i = m_first * columns(); i < count(); ++i) {
        const QRect rect = cell(i);
        if (rect.bottom() > height()) break; // a row is shown whole or not at all
        const auto& item = m_items[static_cast<std::size_t>(i)];
        const QRect picture(rect.center().x() - sampleSide / 2, rect.top() + 3, sampleSide, sampleSide);
        painter.drawImage(picture, sampleImage(*m_data, item.part, item.row));
        if (i == m_current) {
            painter.setPen(QPen(color(Token::Focus), 2));
            painter.drawRect(picture.adjusted(-2, -2, 1, 1));
        }
        if (!item.title.isEmpty()) {
            drawTitle(painter, item, rect, picture);
            continue;
        }
        painter.setFont(ui::font(FontRole::Caption));
        const QString said = tr("said %1").arg(utf(classes[static_cast<std::size_t>(item.said)])), is = tr(", is %1").arg(utf(classes[static_cast<std::size_t>(item.truth)]));
        const QFontMetrics metrics = painter.fontMetrics();
        const bool right = item.said == item.truth, fits = metrics.horizontalAdvance(said + is) <= rect.width();
        int x = rect.center().x() - (fits ? metrics.horizontalAdvance(said + is) : metrics.horizontalAdvance(said)) / 2;
        painter.setPen(color(right ? Token::Text : Token::Error));
        painter.drawText(QPoint(std::max(rect.left(), x), picture.bottom() + 16), metrics.elidedText(said, Qt::ElideRight, rect.width()));
        if (fits) {
            painter.setPen(color(Token::Text));
            painter.drawText(QPoint(x + metrics.horizontalAdvance(said), picture.bottom() + 16), is);
        }
        painter.setFont(ui::font(FontRole::MonoAxis));
        painter.setPen(color(Token::Text2));
        painter.drawText(QRect(rect.left(), picture.bottom() + 19, rect.width(), 16), Qt::AlignCenter, utf(percentText(static_cast<double>(item.confidence), 1)));
    }
}

void SampleStrip::mousePressEvent(QMouseEvent* event)
{
    for (int i = m_first * columns(); i < count(); ++i)
        if (cell(i).contains(event->pos())) {
            m_current = i;
            update();
            Q_EMIT chosen(static_cast<int>(m_items[static_cast<std::size_t>(i)].part), m_items[static_cast<std::size_t>(i)].row);
            return;
        }
}

void SampleStrip::keyPressEvent(QKeyEvent* event)
{
    const int step = event->key() == Qt::Key_Left ? -1 : event->key() == Qt::Key_Right ? 1 : event->key() == Qt::Key_Up ? -columns() : event->key() == Qt::Key_Down ? columns() : 0;
    if (step == 0 || m_items.empty()) return QWidget::keyPressEvent(event);
    m_current = std::clamp(m_current + step, 0, count() - 1);
    const int row = m_current / columns(), visible = std::max(1, height() / sampleRow);
    m_first = std::clamp(m_first, std::max(0, row - visible + 1), row);
    update();
    Q_EMIT chosen(static_cast<int>(m_items[static_cast<std::size_t>(m_current)].part), m_items[static_cast<std::size_t>(m_current)].row);
}

void SampleStrip::wheelEvent(QWheelEvent* event)
{
    const int rows = (count() + columns() - 1) / columns(), visible = std::max(1, height() / sampleRow);
    m_first = std::clamp(m_first - (event->angleDelta().y() > 0 ? 1 : -1), 0, std::max(0, rows - visible));
    update();
}

} // namespace sconce::ui
