// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
// The search field of Runs: words that must occur, and conditions such as "accuracy > 0.99" or "epochs >= 10". A value;
// parsing and matching know no widget.

#include "ui/services/studio.h"

namespace sconce::ui {

struct RunSearch
{
    enum class Field { Accuracy, Loss, TestAccuracy, TestLoss, ValAccuracy, ValLoss, TrainAccuracy, TrainLoss, MeanError, Epochs, Parameters, Seconds, Number };
    enum class Relation { Less, LessEqual, Equal, GreaterEqual, Greater };
    struct Condition { Field field; Relation relation; double value; };
    QStringList words;
    std::vector<Condition> conditions;
    QString problem; ///< a sentence if a condition could not be understood

    static RunSearch parse(const QString& text);
    bool matches(const RunRow& row) const;
    bool empty() const { return words.isEmpty() && conditions.empty(); }
};

} // namespace sconce::ui
