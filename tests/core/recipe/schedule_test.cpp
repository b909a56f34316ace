// SPDX-License-Identifier: GPL-3.0-or-later
// The learning rate of every step against PyTorch's own schedules (tests/fixtures/schedules/make.py made the numbers).
#include "core/base/json.h"
#include "core/recipe/recipe.h"

#include <QFile>
#include <QTest>

#include <cmath>
#include <limits>

using namespace sconce;

namespace {

const Json& fixture()
{
    static const Json json = [] {
        QFile file(QStringLiteral(SCONCE_SOURCE_DIR "/tests/fixtures/schedules/schedules.json"));
        if (!file.open(QIODevice::ReadOnly)) qFatal("The numbers of the schedules are missing.");
        return Json::parse(file.readAll().toStdString());
    }();
    return json;
}

TrainingSettings settingsOf(const std::string& type, const Json& params, double rate)
{
    const OptionEntry* entry = findOption(scheduleEntries(), type);
    if (!entry) qFatal("There is no schedule %s.", type.c_str());
    TrainingSettings settings;
    settings.learningRate = rate;
    settings.schedule.type = type;
    for (const auto& [id, value] : params.items()) {
        const ParamDescriptor* descriptor = findParam(entry->params, id);
        if (!descriptor) qFatal("%s has no setting %s.", type.c_str(), id.c_str());
        if (std::holds_alternative<std::int64_t>(descriptor->defaultValue)) settings.schedule.params[id] = value.get<std::int64_t>();
        else settings.schedule.params[id] = value.get<double>();
    }
    return settings;
}

bool near(double a, double b) { return std::abs(a - b) <= 1e-12 + 1e-9 * std::abs(b); }

} // namespace

class ScheduleTest : public QObject
{
    Q_OBJECT

  private Q_SLOTS:
    void everyStepIsPyTorchs_data()
    {
        QTest::addColumn<int>("index");
        int index = 0;
        for (const Json& one : fixture()["cases"]) QTest::newRow(one["name"].get<std::string>().c_str()) << index++;
        QVERIFY(index > 50);
    }
    void everyStepIsPyTorchs()
    {
        QFETCH(int, index);
        const Json& one = fixture()["cases"][static_cast<std::size_t>(index)];
        const TrainingSettings settings = settingsOf(one["type"], one["params"], one["learning_rate"]);
        const auto total = static_cast<std::int64_t>(one["rates"].size());
        for (std::int64_t step = 0; step < total; ++step) {
            const double ours = learningRateAt(settings, {step, total, one["steps_per_epoch"], 1});
            const double theirs = one["rates"][static_cast<std::size_t>(step)];
            QVERIFY2(near(ours, theirs), qPrintable(QString("step %1: %2 instead of %3").arg(step).arg(ours, 0, 'g', 17).arg(theirs, 0, 'g', 17)));
        }
    }

    void plateauIsPyTorchs_data()
    {
        QTest::addColumn<int>("index");
        for (std::size_t i = 0; i < fixture()["plateaus"].size(); ++i) QTest::addRow("%d", static_cast<int>(i)) << static_cast<int>(i);
    }
    void plateauIsPyTorchs()
    {
        QFETCH(int, index);
        const Json& one = fixture()["plateaus"][static_cast<std::size_t>(index)];
        const TrainingSettings settings = settingsOf("plateau", one["params"], one["learning_rate"]);
        PlateauState state;
        for (std::size_t epoch = 0; epoch < fixture()["losses"].size(); ++epoch) {
            const double ours = learningRateAt(settings, {static_cast<std::int64_t>(epoch) * 7, 1000, 7, state.factor});
            const double theirs = one["rates"][epoch];
            QVERIFY2(near(ours, theirs), qPrintable(QString("epoch %1: %2 instead of %3").arg(epoch).arg(ours, 0, 'g', 17).arg(theirs, 0, 'g', 17)));
            state = afterEpoch(settings, state, fixture()["losses"][epoch]);
        }
        QVERIFY(state.factor < 1); // the losses do make it fall
    }

    /// On purpose unlike PyTorch: an epoch without a finite loss says nothing of a plateau (there it counts as one without a gain),
    /// and small rates go on falling (there not once a drop is below 1e-8, the absolute eps).
    void plateauWithoutALoss()
    {
        const TrainingSettings settings = settingsOf("plateau", Json{{"patience", 0}, {"factor", 0.1}}, 1e-9);
        PlateauState state = afterEpoch(settings, {}, 1.0);
        state = afterEpoch(settings, state, std::numeric_limits<double>::quiet_NaN());
        state = afterEpoch(settings, state, std::numeric_limits<double>::infinity());
        QCOMPARE(state.factor, 1.0);
        QCOMPARE(state.waited, 0);
        state = afterEpoch(settings, state, 1.0);
        QVERIFY(near(learningRateAt(settings, {5, 10, 1, state.factor}), 1e-10));
    }
    void othersKeepNoPlateau()
    {
        const TrainingSettings settings = settingsOf("cosine", Json::object(), 0.1);
        const PlateauState state = afterEpoch(settings, {}, 1.0);
        QVERIFY(!state.best);
        QCOMPARE(state.waited, 0);
    }

    /// Whatever the place: within bounds and finite, also beyond the planned end (a run whose plan was shortened).
    void neverOutOfBounds()
    {
        for (const OptionEntry& entry : scheduleEntries())
            for (const double warm : {0.0, 0.5}) {
                Json params = Json::object();
                if (findParam(entry.params, "warm_up")) params["warm_up"] = warm;
                const TrainingSettings settings = settingsOf(entry.id, params, 0.1);
                for (const std::int64_t total : {std::int64_t{0}, std::int64_t{1}, std::int64_t{2}, std::int64_t{3}, std::int64_t{10}, std::int64_t{1'000'000}})
                    for (const std::int64_t step : {std::int64_t{-1}, std::int64_t{0}, total / 2, total - 1, total, total + 1, std::int64_t{4'000'000'000}})
                        for (const std::int64_t per : {std::int64_t{0}, std::int64_t{1}, std::int64_t{7}}) {
                            const double rate = learningRateAt(settings, {step, total, per, 1});
                            QVERIFY2(std::isfinite(rate) && rate >= 0 && rate <= 0.1 * (1 + 1e-12),
                                     qPrintable(QString("%1, step %2 of %3: %4").arg(entry.id.c_str()).arg(step).arg(total).arg(rate)));
                        }
                // A warm-up never begins at nothing: the first step would teach nothing.
                if (warm > 0) QVERIFY(learningRateAt(settings, {0, 100, 10, 1}) > 0);
            }
    }
};

QTEST_GUILESS_MAIN(ScheduleTest)
#include "schedule_test.moc"
