// SPDX-License-Identifier: GPL-3.0-or-later
#include "ui/compose/problem_panel.h"

#include "core/model/catalogue.h"
#include "ui/compose/changes_form.h"
#include "ui/widgets/parts.h"

#include <QApplication>
#include <QHBoxLayout>
#include <QKeyEvent>
#include <QMouseEvent>
#include <QRegularExpression>
#include <QScrollArea>
#include <QScrollBar>
#include <QVBoxLayout>

#include <algorithm>

namespace sconce::ui {

namespace {

constexpr int rowsShown = 40;   ///< more than anybody reads; the line says how many there are
constexpr int listHeight = 190; ///< before it scrolls

QString text(const std::string& value) { return QString::fromStdString(value); }

/// Names of layers bold: "<b>Dense</b> (layer 6) expects …".
QString withBoldNames(const std::string& sentence)
{
    QString html = text(sentence).toHtmlEscaped();
    static const QRegularExpression pattern = [] {
        QStringList titles;
        for (const LayerEntry& entry : layerCatalogue()) titles << QRegularExpression::escape(text(entry.title).toHtmlEscaped());
        std::sort(titles.begin(), titles.end(), [](const QString& a, const QString& b) { return a.size() > b.size(); });
        return QRegularExpression(QStringLiteral("(%1)(?= \\(layer)").arg(titles.join(QLatin1Char('|'))));
    }();
    html.replace(pattern, QStringLiteral("<b>\\1</b>"));
    if (html.startsWith(QLatin1String("Output "))) html.replace(0, 6, QStringLiteral("<b>Output</b>"));
    return html;
}

QString stateOf(const std::vector<Problem>& problems)
{
    QString state;
    for (const Problem& problem : problems) {
        state += QString::number(int(problem.severity)) + text(problem.sentence) + text(problem.because) + text(problem.layer);
        for (const Fix& fix : problem.fixes) state += text(fix.title);
        state += QLatin1Char('\n');
    }
    return state;
}

void setIcon(QLabel* label, const QString& name, Token token)
{
    label->setPixmap(Theme::instance().pixmap(name, token, 16, label->devicePixelRatioF()));
}

} // namespace

QString ProblemPanel::summary(const std::vector<Problem>& problems)
{
    const auto count = std::count_if(problems.begin(), problems.end(), [](const Problem& p) { return p.severity == Severity::Problem; });
    const auto hints = static_cast<qsizetype>(problems.size()) - count;
    if (count == 0) return tr("No problems");
    Q_UNUSED(hints)
    return count == 1 ? tr("1 problem") : tr("%1 problems").arg(count);
}

ProblemPanel::ProblemPanel(RecipeDocument& document, QWidget* parent) : QWidget(parent), m_document(document)
{
    setObjectName(QStringLiteral("compose.problems"));
    setRole(this, "panelBottom");
    auto* column = new QVBoxLayout(this);
    column->setContentsMargins(0, 1, 0, 0);
    column->setSpacing(0);

    m_notice = new QWidget(this);
    m_notice->setObjectName(QStringLiteral("compose.notice"));
    auto* notice = new QHBoxLayout(m_notice);
    notice->setContentsMargins(24, 8, 16, 8);
    notice->setSpacing(8);
    m_noticeIcon = new QLabel(m_notice);
    m_noticeText = makeLabel({}, FontRole::Body, Token::Text, m_notice);
    m_noticeText->setObjectName(QStringLiteral("compose.notice.text"));
    m_noticeText->setWordWrap(true);
    m_noticeText->setTextInteractionFlags(Qt::TextSelectableByMouse);
    QToolButton* close = makeToolButton(QStringLiteral("cross"), tr("Dismiss"), m_notice);
    close->setObjectName(QStringLiteral("compose.notice.close"));
    notice->addWidget(m_noticeIcon, 0, Qt::AlignTop);
    notice->addWidget(m_noticeText, 1);
    notice->addWidget(close, 0, Qt::AlignTop);
    connect(close, &QToolButton::clicked, this, [this] { setNotice({}, false); });
    m_notice->hide();
    column->addWidget(m_notice);

    m_line = new QWidget(this);
    auto* line = new QHBoxLayout(m_line);
    line->setContentsMargins(24, 0, 16, 0);
    line->setSpacing(8);
    m_icon = new QLabel(m_line);
    m_title = makeLabel({}, FontRole::Strong, Token::Text, m_line);
    m_title->setObjectName(QStringLiteral("compose.problems.title"));
    auto* detail = new ElidedLabel({}, Qt::ElideRight, m_line);
    detail->setFont(ui::font(FontRole::Body));
    detail->setProperty("token", QStringLiteral("text2"));
    m_detail = detail;
    m_fixAll = makeButton({}, tr("Fix all"), ButtonKind::Normal, m_line);
    m_fixAll->setObjectName(QStringLiteral("compose.problems.fixAll"));
    setControlHeight(m_fixAll, 24);
    m_fold = makeToolButton(QStringLiteral("chevron-down"), tr("Show or hide the list of problems"), m_line);
    m_fold->setObjectName(QStringLiteral("compose.problems.fold"));
    line->addWidget(m_icon);
    line->addWidget(m_title);
    line->addWidget(m_detail, 1);
    line->addWidget(m_fixAll);
    line->addWidget(m_fold);
    m_line->setFixedHeight(40);
    column->addWidget(m_line);

    m_scroll = new QScrollArea(this);
    m_scroll->setWidgetResizable(true);
    m_scroll->setFrameShape(QFrame::NoFrame);
    m_scroll->setHorizontalScrollBarPolicy(Qt::ScrollBarAlwaysOff);
    m_scroll->setFocusPolicy(Qt::NoFocus);
    column->addWidget(m_scroll);

    connect(m_fixAll, &QPushButton::clicked, this, [this] { m_document.fixAll(); });
    connect(m_fold, &QToolButton::clicked, this, [this] {
        m_open = !m_open;
        m_lowOpen = false;
        showList();
    });
    connect(&document, &RecipeDocument::changed, this, [this] { update(); });
    connect(&Theme::instance(), &Theme::changed, this, [this] {
        m_shown.clear();
        update();
    });
    update();
}

void ProblemPanel::setNotice(const QString& sentence, bool error)
{
    m_noticeText->setText(sentence);
    setIcon(m_noticeIcon, error ? QStringLiteral("error") : QStringLiteral("info"), error ? Token::Error : Token::Info);
    m_notice->setVisible(!sentence.isEmpty());
    showList();
}

QString ProblemPanel::notice() const
{
    return m_notice->isHidden() ? QString() : m_noticeText->text();
}

void ProblemPanel::setLow(bool low)
{
    m_low = low;
    m_lowOpen = false;
    showList();
}

void ProblemPanel::toggleList()
{
    if (m_low) m_lowOpen = !m_lowOpen;
    else m_open = !m_open;
    showList();
}

void ProblemPanel::showList()
{
    const bool any = !m_rows.empty();
    m_line->setVisible(!m_low || m_lowOpen);
    m_scroll->setVisible(any && (m_low ? m_lowOpen : m_open));
    m_fold->setVisible(any && !m_low);
    m_fold->setIcon(Theme::instance().icon(m_open ? QStringLiteral("chevron-down") : QStringLiteral("chevron-up"), Token::Text2));
    setVisible(!m_low || m_lowOpen || !m_notice->isHidden());
    fitList();
}

/// As high as its rows at this width, up to where it scrolls.
void ProblemPanel::fitList()
{
    if (m_list && !m_rows.empty()) m_scroll->setFixedHeight(std::min(listHeight, m_list->layout()->totalHeightForWidth(width())));
}

void ProblemPanel::resizeEvent(QResizeEvent* event)
{
    QWidget::resizeEvent(event);
    fitList();
}

QWidget* ProblemPanel::makeRow(const Problem& problem, int index)
{
    auto* row = new QFrame(m_list);
    row->setObjectName(QStringLiteral("compose.problem.%1").arg(index));
    row->setFocusPolicy(Qt::TabFocus);
    row->setAccessibleName(text(problem.sentence));
    row->setAccessibleDescription(text(problem.because));
    row->installEventFilter(this);
    auto* line = new QHBoxLayout(row);
    line->setContentsMargins(24, 8, 24, 8);
    line->setSpacing(10);
    auto* icon = new QLabel(row);
    const bool hard = problem.severity == Severity::Problem;
    setIcon(icon, hard ? QStringLiteral("error") : QStringLiteral("warning"), hard ? Token::Error : Token::Warn);
    line->addWidget(icon);
    auto* words = new QVBoxLayout;
    words->setSpacing(0);
    QLabel* sentence = makeLabel({}, FontRole::Body, Token::Text, row);
    sentence->setTextFormat(Qt::RichText);
    sentence->setText(withBoldNames(problem.sentence));
    sentence->setWordWrap(true);
    words->addWidget(sentence);
    if (!problem.because.empty()) {
        QLabel* because = makeLabel(text(problem.because), FontRole::Caption, Token::Text2, row);
        because->setWordWrap(true);
        words->addWidget(because);
    }
    line->addLayout(words, 1);
    int number = 0;
    for (const Fix& fix : problem.fixes) {
        QPushButton* button = makeButton(number == 0 ? QStringLiteral("wand") : QString(), text(fix.title), ButtonKind::Normal, row);
        button->setObjectName(QStringLiteral("compose.fix.%1.%2").arg(index).arg(number++));
        setControlHeight(button, 28);
        // Queued: the edit rebuilds this list, and the button must not die under its own click.
        connect(button, &QPushButton::clicked, this, [this, fix] { m_document.fix(fix); }, Qt::QueuedConnection);
        line->addWidget(button, 0, Qt::AlignVCenter);
    }
    return row;
}

void ProblemPanel::update()
{
    const std::vector<Problem>& problems = m_document.problems();
    const auto hard = std::count_if(problems.begin(), problems.end(), [](const Problem& p) { return p.severity == Severity::Problem; });
    const auto hints = static_cast<qsizetype>(problems.size()) - hard;
    setIcon(m_icon, hard ? QStringLiteral("error") : hints ? QStringLiteral("warning") : QStringLiteral("ok"),
            hard ? Token::Error : hints ? Token::Warn : Token::Ok);
    m_title->setText(summary(problems));
    const QString hintWords = hints == 1 ? tr("1 hint") : tr("%1 hints").arg(hints);
    QString detail = tr("Every layer accepts what the one before it gives.");
    if (hard) detail = hints ? tr("and %1. Training can start when the problems are gone.").arg(hintWords)
                             : hard == 1 ? tr("Training can start when it is gone.") : tr("Training can start when they are gone.");
    else if (hints) detail = tr("%1. Training can start.").arg(hintWords);
    static_cast<ElidedLabel*>(m_detail)->setFullText(detail);
    const int fixable = m_document.fixableCount();
    const QWidget* keyboard = QApplication::focusWidget();
    const bool here = keyboard && (keyboard == m_fixAll || (m_list && m_list->isAncestorOf(keyboard)));
    m_fixAll->setVisible(fixable > 1);
    m_fixAll->setText(fixable == 2 && hard == 2 ? tr("Fix both") : tr("Fix all"));

    const std::string state = stateOf(problems).toStdString();
    if (state == m_shown) return;
    m_shown = state;
    m_rows.clear();
    m_rowLayers.clear();
    m_rowOfInput.clear();
    delete m_scroll->takeWidget();
    m_list = new QWidget;
    auto* column = new QVBoxLayout(m_list);
    column->setContentsMargins(0, 0, 0, 0);
    column->setSpacing(0);
    for (std::size_t i = 0; i < problems.size() && i < rowsShown; ++i) {
        column->addWidget(makeLine(Qt::Horizontal, m_list));
        QWidget* row = makeRow(problems[i], static_cast<int>(i));
        column->addWidget(row);
        m_rows.push_back(row);
        m_rowLayers.push_back(problems[i].layer);
        m_rowOfInput.push_back(isAboutInput(problems[i]));
    }
    m_scroll->setWidget(m_list);
    setSelected(m_selected);
    showList();
    if (!here) return;
    // The button that had the keyboard is gone: on to the next fix, or back to the stack. Qt would choose some widget of the
    // window, and undo of the fix would not be a key away.
    if (auto* next = m_list->findChild<QPushButton*>()) next->setFocus(Qt::OtherFocusReason);
    else Q_EMIT keyboardFreed();
}

void ProblemPanel::setSelected(const LayerId& layer)
{
    m_selected = layer;
    for (std::size_t i = 0; i < m_rows.size(); ++i) {
        const bool chosen = !layer.empty() && m_rowLayers[i] == layer;
        setRole(m_rows[i], chosen ? "problemRowChosen" : "problemRow");
        m_rows[i]->setStyleSheet(chosen ? QStringLiteral("QFrame[role=\"problemRowChosen\"]{background:%1;border:none;border-left:2px solid %2;}")
                                              .arg(color(Token::AccentSoft).name(), color(Token::Accent).name())
                                        : QString());
    }
}

bool ProblemPanel::eventFilter(QObject* object, QEvent* event)
{
    const bool pressed = event->type() == QEvent::MouseButtonPress ||
        (event->type() == QEvent::KeyPress && (static_cast<QKeyEvent*>(event)->key() == Qt::Key_Return || static_cast<QKeyEvent*>(event)->key() == Qt::Key_Space) &&
         static_cast<QKeyEvent*>(event)->modifiers() == Qt::NoModifier);
    if (pressed)
        for (std::size_t i = 0; i < m_rows.size(); ++i)
            if (m_rows[i] == object && !m_rowLayers[i].empty()) Q_EMIT layerChosen(m_rowLayers[i]);
            else if (m_rows[i] == object && m_rowOfInput[i]) Q_EMIT inputChosen();
    return QWidget::eventFilter(object, event);
}

} // namespace sconce::ui
