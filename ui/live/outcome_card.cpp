// SPDX-License-Identifier: GPL-3.0-or-later
#include "ui/live/outcome.h"

#include <QGridLayout>
#include <QHBoxLayout>
#include <QVBoxLayout>

namespace sconce::ui {

namespace {

struct Look { const char* icon; Token token; };

Look lookOf(const QString& status)
{
    if (status == QLatin1String("finished")) return {"ok", Token::Ok};
    if (status == QLatin1String("failed")) return {"error", Token::Error};
    if (status == QLatin1String("interrupted")) return {"bolt", Token::Warn};
    if (status == QLatin1String("stopped")) return {"stop", Token::Text2};
    return {"clock", Token::Text2};
}

const char* actionName(OutcomeAction action)
{
    switch (action) {
    case OutcomeAction::TryIt: return "live.tryIt";
    case OutcomeAction::SaveModel: return "live.saveModel";
    case OutcomeAction::TrainLonger: return "live.trainLonger";
    case OutcomeAction::OpenInCompose: return "live.openInCompose";
    case OutcomeAction::Resume: return "live.resume";
    case OutcomeAction::LowerRate: return "live.lowerRate";
    case OutcomeAction::SmallerBatch: return "live.smallerBatch";
    case OutcomeAction::GoToData: return "live.goToData";
    case OutcomeAction::Start: return "live.startQueued";
    }
    return "";
}

QWidget* figure(const Outcome::Figure& f, QWidget* parent)
{
    auto* box = new QWidget(parent);
    auto* column = new QVBoxLayout(box);
    column->setContentsMargins(0, 0, 0, 0);
    column->setSpacing(0);
    column->addStretch(1);
    column->addWidget(f.term.isEmpty() ? makeLabel(f.caption, FontRole::Caption, Token::Text2, box) : static_cast<QLabel*>(new TermLabel(f.term, f.caption, box)), 0, Qt::AlignLeft);
    auto* value = makeLabel(f.value, f.big ? FontRole::Score : FontRole::Value, Token::Text, box);
    value->setObjectName(f.big ? QStringLiteral("live.score") : QString());
    value->setTextInteractionFlags(Qt::TextSelectableByMouse);
    column->addWidget(value);
    column->addWidget(makeLabel(f.note.isEmpty() ? QStringLiteral(" ") : f.note, FontRole::Caption, Token::Text2, box));
    return box;
}

} // namespace

OutcomeCard::OutcomeCard(QWidget* parent)
    : QFrame(parent)
{
    setObjectName(QStringLiteral("live.outcome"));
    m_column = new QVBoxLayout(this);
    m_column->setContentsMargins(20, 12, 20, 14);
    setSizePolicy(QSizePolicy::Preferred, QSizePolicy::Maximum);
}

void OutcomeCard::show(const Outcome& outcome)
{
    if (m_outcome && *m_outcome == outcome) return;
    m_outcome = outcome;
    build();
}

void OutcomeCard::setLow(bool low)
{
    if (low == m_low) return;
    m_low = low;
    if (m_outcome) build();
}

void OutcomeCard::build()
{
    delete m_content;
    m_content = new QWidget(this);
    m_column->addWidget(m_content);
    setRole(this, m_outcome->status == QLatin1String("failed") ? "problem" : "card");
    setAccessibleName(m_outcome->headline);
    auto* column = new QVBoxLayout(m_content);
    column->setContentsMargins(0, 0, 0, 0);
    column->setSpacing(m_low ? 6 : 10);

    const Look look = lookOf(m_outcome->status);
    auto* top = new QHBoxLayout;
    top->setSpacing(10);
    top->addWidget(makeIconLabel(QLatin1String(look.icon), look.token, 20, m_content), 0, Qt::AlignTop);
    auto* headline = makeLabel(m_outcome->headline, FontRole::Title, Token::Text, m_content);
    headline->setObjectName(QStringLiteral("live.headline"));
    headline->setWordWrap(m_outcome->headline.size() > 40);
    headline->setTextInteractionFlags(Qt::TextSelectableByMouse);
    const bool alone = m_outcome->sentence.isEmpty();
    top->addWidget(headline, alone ? 1 : 0, alone ? Qt::Alignment() : Qt::AlignVCenter);
    if (!alone) {
        auto* sentence = makeLabel(m_outcome->sentence, FontRole::Body, Token::Text2, m_content);
        sentence->setWordWrap(true);
        top->addWidget(sentence, 1, Qt::AlignVCenter);
    }
    column->addLayout(top);

    if (!m_outcome->figures.empty()) {
        auto* figures = new QHBoxLayout;
        figures->setSpacing(32);
        for (const auto& f : m_outcome->figures) figures->addWidget(figure(f, m_content));
        figures->addStretch(1);
        column->addLayout(figures);
    }
    if (!m_outcome->facts.empty()) {
        auto* facts = new QGridLayout;
        facts->setHorizontalSpacing(12);
        facts->setVerticalSpacing(4);
        facts->setColumnStretch(1, 1);
        int at = 0;
        for (const auto& f : m_outcome->facts) {
            facts->addWidget(makeLabel(f.name, FontRole::Body, Token::Text2, m_content), at, 0, Qt::AlignTop);
            auto* words = makeLabel(f.words, FontRole::Body, Token::Text, m_content);
            words->setWordWrap(true);
            words->setTextInteractionFlags(Qt::TextSelectableByMouse);
            facts->addWidget(words, at, 1);
            ++at;
        }
        column->addLayout(facts);
    }
    auto* ways = new QHBoxLayout;
    ways->setSpacing(8);
    for (std::size_t i = 0; i < m_outcome->ways.size(); ++i) {
        const auto& way = m_outcome->ways[i];
        QPushButton* button = makeButton(way.icon, way.text, i == 0 ? ButtonKind::Primary : ButtonKind::Normal, m_content);
        button->setObjectName(QLatin1String(actionName(way.action)));
        connect(button, &QPushButton::clicked, this, [this, action = way.action, button] { Q_EMIT chosen(action, button); });
        ways->addWidget(button);
    }
    ways->addStretch(1);
    column->addLayout(ways);
}

} // namespace sconce::ui
