// SPDX-License-Identifier: GPL-3.0-or-later
#include "ui/runs/run_search.h"

#include "core/base/text.h"
#include "ui/services/words.h"

#include <QRegularExpression>

#include <cmath>

namespace sconce::ui {

namespace {

using Field = RunSearch::Field;
using Relation = RunSearch::Relation;

struct Name { const char* text; Field field; };
constexpr Name names[] = {
    {"accuracy", Field::Accuracy},          {"acc", Field::Accuracy},
    {"loss", Field::Loss},                  {"test accuracy", Field::TestAccuracy},
    {"test loss", Field::TestLoss},         {"validation accuracy", Field::ValAccuracy},
    {"val accuracy", Field::ValAccuracy},   {"validation loss", Field::ValLoss},
    {"val loss", Field::ValLoss},           {"training accuracy", Field::TrainAccuracy},
    {"train accuracy", Field::TrainAccuracy}, {"training loss", Field::TrainLoss},
    {"train loss", Field::TrainLoss},       {"epochs", Field::Epochs},
    {"mean error", Field::MeanError},       {"mae", Field::MeanError},
    {"epoch", Field::Epochs},               {"parameters", Field::Parameters},
    {"params", Field::Parameters},          {"time", Field::Seconds},
    {"seconds", Field::Seconds},            {"number", Field::Number},
};

bool isShare(Field field)
{
    return field == Field::Accuracy || field == Field::TestAccuracy || field == Field::ValAccuracy || field == Field::TrainAccuracy;
}

Relation relationOf(const QString& sign)
{
    if (sign == QLatin1String("<")) return Relation::Less;
    if (sign == QLatin1String(">")) return Relation::Greater;
    if (sign == QLatin1String("<=") || sign == QString(QChar(0x2264))) return Relation::LessEqual;
    if (sign == QLatin1String(">=") || sign == QString(QChar(0x2265))) return Relation::GreaterEqual;
    return Relation::Equal;
}

double valueOf(const RunRow& row, Field field)
{
    const RunSummary& s = row.summary;
    const auto first = [](double a, double b) { return std::isnan(a) ? b : a; };
    switch (field) {
    case Field::Accuracy: return first(s.testAccuracy, s.valAccuracy);
    case Field::Loss: return first(s.testLoss, s.valLoss);
    case Field::TestAccuracy: return s.testAccuracy;
    case Field::TestLoss: return s.testLoss;
    case Field::ValAccuracy: return s.valAccuracy;
    case Field::ValLoss: return s.valLoss;
    case Field::TrainAccuracy: return s.trainAccuracy;
    case Field::TrainLoss: return s.trainLoss;
    case Field::MeanError: return first(s.metric("test", "mae"), s.metric("val", "mae"));
    case Field::Epochs: return static_cast<double>(s.epochs);
    case Field::Parameters: return static_cast<double>(row.parameters);
    case Field::Seconds: return s.seconds;
    case Field::Number: return static_cast<double>(row.number);
    }
    return NAN;
}

bool holds(double value, Relation relation, double wanted)
{
    if (std::isnan(value)) return false;
    switch (relation) {
    case Relation::Less: return value < wanted;
    case Relation::LessEqual: return value <= wanted;
    case Relation::Equal: return std::abs(value - wanted) <= 1e-9 + 1e-6 * std::abs(wanted);
    case Relation::GreaterEqual: return value >= wanted;
    case Relation::Greater: return value > wanted;
    }
    return false;
}

} // namespace

RunSearch RunSearch::parse(const QString& text)
{
    RunSearch search;
    static const QRegularExpression condition(QStringLiteral(R"(([A-Za-z]+(?:[ \t]+[A-Za-z]+)?)\s*(>=|<=|≥|≤|>|<|=)\s*([0-9][0-9.,]*|\.[0-9]+)?\s*(%|k\b|M\b)?)"));
    QString rest;
    qsizetype end = 0;
    for (auto it = condition.globalMatch(text); it.hasNext();) {
        const auto match = it.next();
        rest += text.mid(end, match.capturedStart() - end) + QLatin1Char(' ');
        end = match.capturedEnd();
        QString name = match.captured(1).simplified().toLower();
        const auto find = [](const QString& wanted) {
            return std::find_if(std::begin(names), std::end(names), [&](const Name& n) { return wanted == QLatin1String(n.text); });
        };
        auto known = find(name);
        if (known == std::end(names) && name.contains(QLatin1Char(' '))) { // "mnist accuracy > 0.9": the first is a word to find
            rest += name.section(QLatin1Char(' '), 0, 0) + QLatin1Char(' ');
            name = name.section(QLatin1Char(' '), 1);
            known = find(name);
        }
        if (known == std::end(names)) {
            std::vector<std::string> candidates;
            for (const Name& n : names) candidates.emplace_back(n.text);
            const std::string near = nearest(name.toStdString(), candidates);
            search.problem = QStringLiteral("“%1” is no number of a run; try %2.").arg(name, near.empty() ? QStringLiteral("accuracy, loss, epochs, parameters or time") : QString::fromStdString(near));
            continue;
        }
        bool ok = false;
        double value = match.captured(3).remove(QLatin1Char(',')).toDouble(&ok);
        if (!ok) {
            search.problem = QStringLiteral("A number is missing after “%1 %2”.").arg(name, match.captured(2));
            continue;
        }
        const QString unit = match.captured(4);
        if (unit == QLatin1String("k")) value *= 1e3;
        if (unit == QLatin1String("M")) value *= 1e6;
        if (unit == QLatin1String("%") || (isShare(known->field) && value > 1)) value /= 100;
        search.conditions.push_back({known->field, relationOf(match.captured(2)), value});
    }
    rest += text.mid(end);
    static const QRegularExpression gaps(QStringLiteral("[\\s,;]+"));
    for (const QString& word : rest.split(gaps, Qt::SkipEmptyParts)) {
        if (!search.conditions.empty() && (word.compare(QLatin1String("and"), Qt::CaseInsensitive) == 0 || word == QLatin1String("&"))) continue;
        search.words << word;
    }
    return search;
}

bool RunSearch::matches(const RunRow& row) const
{
    for (const Condition& c : conditions) {
        if (!holds(valueOf(row, c.field), c.relation, c.value)) return false;
    }
    if (words.isEmpty()) return true;
    QString all = words::runTitle(row);
    for (const std::string* part : {&row.recipeName, &row.datasetTitle, &row.dataset, &row.note, &row.deviceName, &row.id}) {
        all += QLatin1Char('\n') + QString::fromStdString(*part);
    }
    for (const std::string& tag : row.tags) all += QLatin1Char('\n') + QString::fromStdString(tag);
    all += QLatin1Char('\n') + words::deviceName(row) + QLatin1Char('\n') + QString::fromLatin1(statusName(row.status));
    for (const QString& word : words) {
        if (!all.contains(word, Qt::CaseInsensitive)) return false;
    }
    return true;
}

} // namespace sconce::ui
