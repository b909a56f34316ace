// SPDX-License-Identifier: GPL-3.0-or-later
#include "ui/live/side_cards.h"

#include "core/base/text.h"
#include "ui/services/words.h"

#include <QCheckBox>
#include <QClipboard>
#include <QGridLayout>
#include <QGuiApplication>
#include <QHBoxLayout>
#include <QListView>
#include <QPainter>
#include <QShortcut>
#include <QToolButton>
#include <QVBoxLayout>

#include <algorithm>
#include <cmath>

namespace sconce::ui {

using words::text;

// ---- what the curves say ----

CurveReading readCurves(const LiveRun& live)
{
    const auto& epochs = live.epochsDone;
    if (epochs.size() < 4) return {};
    std::size_t best = epochs.size();
    for (std::size_t i = 0; i < epochs.size(); ++i) {
        if (!std::isfinite(epochs[i].valLoss)) return {};
        if (best == epochs.size() || epochs[i].valLoss < epochs[best].valLoss) best = i;
    }
    const EpochDone &at = epochs[best], &last = epochs.back();
    const auto since = epochs.size() - 1 - best;
    const double rise = last.valLoss / at.valLoss - 1;
    if (since >= 3 && rise > 0.05 && last.trainLoss < 0.97 * at.trainLoss) {
        return {QStringLiteral("Signs of overfitting"),
                QStringLiteral("Validation loss is %1 above its best, that of epoch %2, while training loss fell from %3 to %4. More epochs are unlikely to help; "
                               "the weights of epoch %2 are kept. More dropout or more data would.")
                    .arg(words::percent(rise, 0))
                    .arg(at.epoch)
                    .arg(words::loss(at.trainLoss), words::loss(last.trainLoss)),
                QStringLiteral("overfitting")};
    }
    if (since == 0 && live.ended && live.status == RunStatus::Finished) {
        return {QStringLiteral("Still improving"),
                QStringLiteral("The last epoch was the best: validation loss %1 after %2 the epoch before. Training longer may gain more.")
                    .arg(words::loss(last.valLoss), words::loss(epochs[epochs.size() - 2].valLoss)),
                QStringLiteral("validation")};
    }
    return {};
}

ReadingCard::ReadingCard(QWidget* parent)
    : Card({}, parent)
{
    setObjectName(QStringLiteral("live.reading"));
    m_headline = makeLabel({}, FontRole::Strong, Token::Text, this);
    m_text = makeLabel({}, FontRole::Body, Token::Text2, this);
    m_text->setWordWrap(true);
    content()->addWidget(m_headline);
    content()->addWidget(m_text);
    hide();
}

void ReadingCard::refresh(const LiveRun& live)
{
    const CurveReading reading = readCurves(live);
    setVisible(!reading.text.isEmpty());
    m_headline->setText(reading.headline);
    m_headline->setToolTip(explainTerm(reading.term));
    m_headline->setCursor(reading.term.isEmpty() ? Qt::ArrowCursor : Qt::WhatsThisCursor);
    m_text->setText(reading.text);
}

// ---- the queue ----

QueueCard::QueueCard(Studio& studio, QWidget* parent)
    : Card(tr("Queue"), parent)
    , m_studio(studio)
{
    setObjectName(QStringLiteral("live.queue"));
    m_words = makeLabel({}, FontRole::Caption, Token::Text2, this);
    m_words->setWordWrap(true);
    content()->addWidget(m_words);
    m_list = new QWidget(this);
    m_rows = new QVBoxLayout(m_list);
    m_rows->setContentsMargins(0, 0, 0, 0);
    m_rows->setSpacing(2);
    content()->addWidget(m_list);
    m_start = makeButton(QStringLiteral("play"), tr("Start the queue"), ButtonKind::Normal, this);
    m_start->setObjectName(QStringLiteral("live.startQueue"));
    content()->addWidget(m_start, 0, Qt::AlignLeft);
    m_goOn = new QCheckBox(tr("Go on after an error"), this);
    m_goOn->setObjectName(QStringLiteral("live.goOn"));
    m_goOn->setChecked(studio.settings->value(QStringLiteral("queue/goOnAfterError"), true).toBool());
    content()->addWidget(m_goOn);
    connect(m_start, &QPushButton::clicked, this, [this] { m_studio.runService->startQueue(); });
    connect(m_goOn, &QCheckBox::toggled, this, [this](bool on) { m_studio.settings->setValue(QStringLiteral("queue/goOnAfterError"), on); });
    connect(studio.runService, &RunService::queueChanged, this, &QueueCard::refresh);
    connect(studio.runs, &RunList::changed, this, &QueueCard::refresh);
    refresh();
}

void QueueCard::refresh()
{
    const auto waiting = m_studio.runService->queue();
    const bool held = m_studio.runService->queueHeld();
    m_start->setVisible(held);
    m_goOn->setVisible(!waiting.empty());
    m_list->setVisible(!waiting.empty());
    m_words->setVisible(waiting.empty() || held);
    m_words->setText(waiting.empty() ? tr("Nothing waits. What is started while a run trains waits here for its turn.")
                                     : tr("Left from the last time; it waits for your word."));
    std::erase_if(m_waiting, [&](const Row& row) {
        const bool gone = std::find(waiting.begin(), waiting.end(), row.run) == waiting.end();
        if (gone) {
            m_rows->removeWidget(row.box);
            row.box->hide();
            row.box->setObjectName({});
            row.remove->setObjectName({});
            row.box->deleteLater();
        }
        return gone;
    });
    const LiveRun* current = m_studio.runService->current();
    for (std::size_t i = 0; i < waiting.size(); ++i) {
        auto at = std::find_if(m_waiting.begin() + static_cast<std::ptrdiff_t>(i), m_waiting.end(), [&](const Row& row) { return row.run == waiting[i]; });
        if (at == m_waiting.end()) at = m_waiting.insert(m_waiting.end(), makeRow(waiting[i]));
        std::rotate(m_waiting.begin() + static_cast<std::ptrdiff_t>(i), at, at + 1);
        Row& line = m_waiting[i];
        if (m_rows->indexOf(line.box) != static_cast<int>(i)) m_rows->insertWidget(static_cast<int>(i), line.box);
        const RunRow* row = m_studio.runs->find(line.run);
        const QString first = held ? tr("starts first") : current ? tr("starts when %1 is done").arg(words::runTitle(current->row)) : tr("starts next");
        line.name->setFullText(row ? words::runTitle(*row) : text(line.run));
        line.note->setFullText(i == 0 ? first : tr("after the one before"));
        line.remove->setObjectName(QStringLiteral("live.unqueue.%1").arg(i));
    }
}

QueueCard::Row QueueCard::makeRow(const RunId& run)
{
    Row row{run, new QWidget(m_list)};
    auto* line = new QHBoxLayout(row.box);
    line->setContentsMargins(0, 2, 0, 2);
    auto* names = new QVBoxLayout;
    names->setSpacing(0);
    row.name = new ElidedLabel({}, Qt::ElideRight, row.box);
    row.name->setProperty("token", tokenName(Token::Text));
    row.name->setFont(ui::font(FontRole::BodyMedium));
    row.note = new ElidedLabel({}, Qt::ElideRight, row.box);
    row.note->setProperty("token", tokenName(Token::Text2));
    row.note->setFont(ui::font(FontRole::Caption));
    names->addWidget(row.name);
    names->addWidget(row.note);
    line->addLayout(names, 1);
    row.remove = makeToolButton(QStringLiteral("cross"), tr("Take out of the queue"), row.box);
    connect(row.remove, &QToolButton::clicked, this, [this, run] { m_studio.runService->removeFromQueue(run); });
    line->addWidget(row.remove);
    return row;
}

// ---- what was set ----

SettingsCard::SettingsCard(Studio& studio, QWidget* parent)
    : Card(tr("What was set"), parent)
    , m_studio(studio)
{
    setObjectName(QStringLiteral("live.settings"));
    m_compose = makeButton(QStringLiteral("compose"), tr("Open in Compose"), ButtonKind::Normal, this);
    m_compose->setObjectName(QStringLiteral("live.settings.compose"));
    words::sized(m_compose, "24");
    titleBar()->addWidget(m_compose);
    m_grid = new QGridLayout;
    m_grid->setHorizontalSpacing(12);
    m_grid->setVerticalSpacing(4);
    m_grid->setColumnStretch(1, 1);
    content()->addLayout(m_grid);
    connect(m_compose, &QPushButton::clicked, this, [this] { Q_EMIT m_studio.navigator->composeRecipe(m_recipe, m_name); });
}

void SettingsCard::refresh(const LiveRun& live, bool offered)
{
    m_compose->setVisible(!offered);
    const TrainingSettings& t = live.recipe.training;
    const QString shown = QStringLiteral("%1/%2/%3/%4").arg(text(live.id), text(live.row.device)).arg(live.epochs).arg(live.loading);
    m_recipe = live.recipe;
    m_name = words::runTitle(live.row);
    m_compose->setEnabled(!live.loading);
    if (shown == m_shown) return;
    m_shown = shown;
    while (QLayoutItem* item = m_grid->takeAt(0)) {
        if (QWidget* widget = item->widget()) widget->deleteLater();
        delete item;
    }
    const auto title = [](const OptionEntry* entry, const std::string& id) { return text(entry ? entry->title : id); };
    struct Line { QString term, name, value; };
    const QString device = live.row.deviceName.empty() ? words::deviceName(live.row)
                                                       : words::deviceName(live.row) + QStringLiteral(", ") + text(live.row.deviceName);
    const Line lines[] = {
        {QStringLiteral("optimiser"), tr("Optimiser"), title(findOption(optimiserEntries(), t.optimiser.type), t.optimiser.type)},
        {QStringLiteral("learning rate"), tr("Learning rate"), text(realText(t.learningRate, 3)) + QStringLiteral(", ") + words::inSentence(title(findOption(scheduleEntries(), t.schedule.type), t.schedule.type))},
        {QStringLiteral("batch size"), tr("Batch size"), text(groupedInt(t.batchSize))},
        {QStringLiteral("epoch"), tr("Epochs"), text(groupedInt(live.epochs))},
        {QStringLiteral("seed"), tr("Seed"), QString::number(live.recipe.seed)},
        {QStringLiteral("parameters"), tr("Parameters"), text(shortCount(live.row.parameters))},
        {QString(), tr("Device"), device},
    };
    int at = 0;
    for (const Line& line : lines) {
        auto* name = new TermLabel(line.term, line.name, this);
        auto* value = new ElidedLabel(line.value, Qt::ElideRight, this);
        value->setProperty("token", tokenName(Token::Text));
        value->setFont(ui::font(FontRole::MonoSmall));
        m_grid->addWidget(name, at, 0, Qt::AlignLeft);
        m_grid->addWidget(value, at, 1);
        ++at;
    }
}

// ---- the log ----

void LogModel::setLines(const std::vector<LogRow>& lines, bool other)
{
    const auto same = [](const LogRow& a, const LogRow& b) { return a.time == b.time && a.text == b.text; };
    const bool grows = !other && lines.size() >= m_lines.size() && (m_lines.empty() || same(lines[m_lines.size() - 1], m_lines.back()));
    if (grows && lines.size() == m_lines.size()) return;
    if (!grows) {
        beginResetModel();
        m_lines = lines;
        endResetModel();
        return;
    }
    beginInsertRows({}, 0, static_cast<int>(lines.size() - m_lines.size()) - 1);
    m_lines.insert(m_lines.end(), lines.begin() + static_cast<std::ptrdiff_t>(m_lines.size()), lines.end());
    endInsertRows();
}

int LogModel::rowCount(const QModelIndex& parent) const { return parent.isValid() ? 0 : static_cast<int>(m_lines.size()); }

QVariant LogModel::data(const QModelIndex& index, int role) const
{
    if (!index.isValid() || index.row() >= rowCount()) return {};
    const LogRow& row = line(index.row());
    switch (role) {
    case Qt::DisplayRole: return text(row.text);
    case Qt::AccessibleTextRole: return words::clockSeconds(row.time) + QLatin1Char(' ') + text(row.text);
    case TimeRole: return words::clockSeconds(row.time);
    case LevelRole: return text(row.level);
    default: return {};
    }
}

QString LogModel::allText() const
{
    QString out;
    for (const LogRow& row : m_lines) {
        out += QDateTime::fromMSecsSinceEpoch(row.time).toString(QStringLiteral("yyyy-MM-dd HH:mm:ss"));
        if (row.level != "info") out += QLatin1Char(' ') + text(row.level);
        out += QLatin1Char(' ') + text(row.text) + QLatin1Char('\n');
    }
    return out;
}

namespace {
constexpr int timeWidth = 66;

/// A line never begins with a per cent sign.
QString wordsOf(const QModelIndex& index) { return index.data().toString().replace(QStringLiteral(" %"), QStringLiteral("\u00A0%")); }
} // namespace

void LogDelegate::paint(QPainter* painter, const QStyleOptionViewItem& option, const QModelIndex& index) const
{
    painter->save();
    if (option.state & QStyle::State_Selected) painter->fillRect(option.rect, color(Token::AccentSoft));
    const QRect box = option.rect.adjusted(0, 2, -4, -2);
    painter->setFont(ui::font(FontRole::MonoSmall));
    painter->setPen(color(Token::Text3));
    painter->drawText(box, Qt::AlignLeft | Qt::AlignTop, index.data(LogModel::TimeRole).toString());
    const QString level = index.data(LogModel::LevelRole).toString();
    painter->setFont(ui::font(FontRole::Caption));
    painter->setPen(color(level == QLatin1String("error") ? Token::Error : level == QLatin1String("warning") ? Token::Warn : index.row() == 0 ? Token::Text : Token::Text2));
    painter->drawText(box.adjusted(timeWidth, 0, 0, 0), Qt::AlignLeft | Qt::AlignTop | Qt::TextWordWrap, wordsOf(index));
    painter->restore();
}

QSize LogDelegate::sizeHint(const QStyleOptionViewItem& option, const QModelIndex& index) const
{
    const auto* view = qobject_cast<const QListView*>(option.widget);
    const int width = (view ? view->viewport()->width() : 300) - timeWidth - 4;
    const QFontMetrics metrics(ui::font(FontRole::Caption));
    const QRect needed = metrics.boundingRect(QRect(0, 0, std::max(60, width), 4000), Qt::AlignLeft | Qt::AlignTop | Qt::TextWordWrap, wordsOf(index));
    return {std::max(60, width), std::max(18, needed.height() + 4)};
}

LogCard::LogCard(QWidget* parent)
    : Card(tr("Log"), parent)
{
    auto* copyButton = makeButton(QStringLiteral("copy"), tr("Copy"), ButtonKind::Flat, this);
    copyButton->setObjectName(QStringLiteral("live.copyLog"));
    words::sized(copyButton, "24");
    titleBar()->addWidget(copyButton);
    m_model = new LogModel(this);
    m_view = new QListView(this);
    m_view->setObjectName(QStringLiteral("live.log"));
    m_view->setAccessibleName(tr("Log of the run"));
    m_view->setModel(m_model);
    m_view->setItemDelegate(new LogDelegate(m_view));
    m_view->setSelectionMode(QAbstractItemView::ExtendedSelection);
    m_view->setVerticalScrollMode(QAbstractItemView::ScrollPerPixel);
    m_view->setHorizontalScrollBarPolicy(Qt::ScrollBarAlwaysOff);
    m_view->setResizeMode(QListView::Adjust);
    m_empty = makeLabel(tr("What happens in the run is written here."), FontRole::Caption, Token::Text2, this);
    m_empty->setWordWrap(true);
    content()->addWidget(m_empty);
    content()->addWidget(m_view, 1);
    connect(copyButton, &QPushButton::clicked, this, &LogCard::copy);
    auto* keys = new QShortcut(QKeySequence::Copy, m_view);
    keys->setContext(Qt::WidgetShortcut);
    connect(keys, &QShortcut::activated, this, &LogCard::copy);
}

void LogCard::refresh(const LiveRun& live, bool other)
{
    m_model->setLines(live.log, other);
    m_empty->setVisible(live.log.empty());
}

void LogCard::copy()
{
    QString words = m_model->allText();
    const auto selected = m_view->selectionModel()->selectedIndexes();
    if (m_view->hasFocus() && !selected.isEmpty()) {
        QStringList lines;
        for (const QModelIndex& index : selected) lines.prepend(index.data(Qt::AccessibleTextRole).toString());
        words = lines.join(QLatin1Char('\n'));
    }
    QGuiApplication::clipboard()->setText(words);
    showToast(this, tr("The log is on the clipboard."));
}

} // namespace sconce::ui
