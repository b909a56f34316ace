// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
// How a run ended and what to do next: the words and ways out as a value (pure, tested without a window), and the card that
// shows them.

#include "ui/services/studio.h"
#include "ui/widgets/parts.h"

namespace sconce::ui {

enum class OutcomeAction { TryIt, SaveModel, TrainLonger, OpenInCompose, Resume, LowerRate, SmallerBatch, GoToData, Start };

struct Outcome
{
    QString status;                ///< "finished", …
    QString headline, sentence;
    struct Figure { QString caption, term, value, note; bool big = false; };
    std::vector<Figure> figures;
    struct Fact { QString name, words; }; ///< "Why", "Safe"
    std::vector<Fact> facts;
    struct Way { OutcomeAction action; QString icon, text; };
    std::vector<Way> ways;         ///< the first is the one recommended
    bool operator==(const Outcome&) const;
};

/// Nothing while a run is under way. `others`: to say how it compares; `testCount`: samples of the test, -1 unknown.
std::optional<Outcome> outcomeOf(const LiveRun& live, const std::vector<RunRow>& others, std::int64_t testCount, bool inQueue);

/// The recipe of a way out: a tenth of the learning rate, half the batch.
Recipe withLowerRate(Recipe recipe);
Recipe withSmallerBatch(Recipe recipe);

class OutcomeCard : public QFrame
{
    Q_OBJECT
  public:
    explicit OutcomeCard(QWidget* parent = nullptr);
    void show(const Outcome& outcome);
    void setLow(bool low);

  Q_SIGNALS:
    void chosen(sconce::ui::OutcomeAction action, QWidget* button);

  private:
    void build();
    QVBoxLayout* m_column = nullptr;
    QWidget* m_content = nullptr;
    std::optional<Outcome> m_outcome;
    bool m_low = false;
};

} // namespace sconce::ui
