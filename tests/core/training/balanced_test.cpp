// SPDX-License-Identifier: GPL-3.0-or-later
// Balanced weights are of the samples that are trained on: what is held back for validation has no say.
#include "core/data/split.h"
#include "tests/core/training/training_support.h"

#include <QTest>

#include <cmath>

using namespace sconce;
using namespace sconce::test;

namespace {

/// The same pictures, some of them with another class.
class Relabelled final : public Dataset
{
  public:
    Relabelled(DatasetPtr data, std::span<const std::int64_t> rows, std::int32_t label) : m_data(std::move(data))
    {
        m_info = m_data->info();
        const auto labels = m_data->labels(Part::Training);
        m_labels.assign(labels.begin(), labels.end());
        for (const std::int64_t row : rows) m_labels[static_cast<std::size_t>(row)] = label;
    }
    void gather(Part part, std::span<const std::int64_t> rows, std::span<std::uint8_t> out) const override { m_data->gather(part, rows, out); }
    std::span<const std::int32_t> labels(Part part) const override { return part == Part::Training ? std::span<const std::int32_t>(m_labels) : m_data->labels(part); }

  private:
    DatasetPtr m_data;
    std::vector<std::int32_t> m_labels;
};

} // namespace

class BalancedTest : public QObject
{
    Q_OBJECT

  private Q_SLOTS:
    void countsWhatTheRowsHave()
    {
        const TinyData data(40, 8);
        const std::vector<std::int64_t> rows{0, 3, 3, 17};
        const TargetCounts counts = countTargets(data, rows);
        QCOMPARE(counts.samples, 4);
        QVERIFY(counts.perLabel.empty());
        std::vector<std::int64_t> expected(4);
        for (const std::int64_t row : rows) ++expected[static_cast<std::size_t>(data.labels(Part::Training)[static_cast<std::size_t>(row)])];
        QCOMPARE(counts.perClass, expected);
    }

    void validationHasNoSay()
    {
        Recipe recipe = cuttable(2);
        recipe.task.params["class_weights"] = std::string("balanced");
        const auto data = std::make_shared<TinyData>(trainingRows, testRows);
        const SplitRows rows = splitRows(trainingRows, testRows, recipe.data.split, recipe.seed);
        QVERIFY(!rows.validation.empty());
        Bench plain(cuttable(2), data), balanced(recipe, data), other(recipe, std::make_shared<Relabelled>(data, rows.validation, 0));
        for (Bench* each : {&plain, &balanced, &other}) QCOMPARE(each->run().status, RunStatus::Finished);
        QVERIFY(balanced.events.losses() != plain.events.losses()); // it does something
        QVERIFY(other.events.losses() == balanced.events.losses());
    }
};

QTEST_GUILESS_MAIN(BalancedTest)
#include "balanced_test.moc"
