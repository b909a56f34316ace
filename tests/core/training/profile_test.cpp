// SPDX-License-Identifier: GPL-3.0-or-later
// The profile of a few steps: what is read out of steps of known times, the trace that viewers open, and a real network's.
#include "core/training/profile.h"
#include "tests/core/training/training_support.h"

#include <QTest>

#include <cmath>
#include <set>

using namespace sconce;
using namespace sconce::test;

namespace {

ProfileSpan span(ProfilePhase phase, int parent, double begin, double end, std::string primitive = {}, std::vector<LayerId> layers = {}, std::string name = {})
{
    if (name.empty()) name = primitive.empty() ? phaseName(phase) : primitive;
    return {phase, std::move(primitive), std::move(name), std::move(layers), parent, begin, end};
}

/// Milliseconds: data 1, convolution 4 + 6, fused block 3 + 2, loss 1 + 1, optimiser 2, and `more` of everything's rest.
StepProfile step(double at, double more = 0)
{
    constexpr double ms = 1e-3;
    StepProfile profile;
    profile.clock = "processor";
    profile.startedAt = at;
    profile.peakBytes = 1000;
    profile.spans = {span(ProfilePhase::Step, -1, 0, (22 + more) * ms),
                     span(ProfilePhase::Data, 0, 0, 1 * ms),
                     span(ProfilePhase::Forward, 0, 1 * ms, 9 * ms), // 1 of its own
                     span(ProfilePhase::Forward, 2, 1 * ms, 5 * ms, "conv", {"l1"}),
                     span(ProfilePhase::Forward, 2, 6 * ms, 9 * ms, "fused conv + pool + activation", {"l2", "l3"}),
                     span(ProfilePhase::Loss, 0, 9 * ms, 10 * ms),
                     span(ProfilePhase::Backward, 0, 10 * ms, 20 * ms), // 1 of its own
                     span(ProfilePhase::Loss, 6, 10 * ms, 11 * ms, {}, {}, "NllLossBackward0"),
                     span(ProfilePhase::Backward, 6, 11 * ms, 13 * ms, "fused conv + pool + activation", {"l2", "l3"}, "ConvPoolBackward"),
                     span(ProfilePhase::Backward, 6, 13 * ms, 18 * ms, "conv", {"l1"}, "ConvolutionBackward0"),
                     span(ProfilePhase::Backward, 6, 18 * ms, 19 * ms, "conv", {"l1"}, "AccumulateGrad"),
                     span(ProfilePhase::Optimiser, 0, 20 * ms, 22 * ms)};
    return profile;
}

const std::map<LayerId, std::string> names{{"l1", "conv1"}, {"l2", "conv2"}, {"l3", "pool1"}};

bool near(double a, double b) { return std::abs(a - b) < 1e-12; }

} // namespace

class ProfileTest : public QObject
{
    Q_OBJECT

  private Q_SLOTS:
    void rowsAreMediansAndAddUpToTheStep()
    {
        const Profile profile = readProfile({step(0), step(0.1, 8), step(0.2, 1)}, names, {"l1", "l2", "l3"});
        QCOMPARE(profile.steps, 3);
        QVERIFY(near(profile.stepSeconds, 0.023) && near(profile.fastest, 0.022) && near(profile.slowest, 0.030));
        QStringList titles;
        for (const ProfileRow& row : profile.layers) titles << QString::fromStdString(row.title);
        QCOMPARE(titles, (QStringList{"conv1", "conv2 + pool1 (fused)", "data", "loss", "optimiser"}));
        QVERIFY(near(profile.layers[0].forward, 0.004) && near(profile.layers[0].backward, 0.006));
        QCOMPARE(profile.layers[0].count, 3);
        QVERIFY(near(profile.layers[1].forward, 0.003) && near(profile.layers[1].backward, 0.002));
        QVERIFY(near(profile.layers[3].forward, 0.001) && near(profile.layers[3].backward, 0.001));
        QCOMPARE(profile.operations[0].title, std::string("convolution")); // the most expensive first
        QCOMPARE(profile.operations[1].title, std::string("convolution + pooling + activation (fused)"));
        for (const auto& rows : {profile.layers, profile.operations}) {
            double sum = profile.rest;
            for (const ProfileRow& row : rows) sum += row.seconds();
            QVERIFY(near(sum, profile.together(rows)));
            QVERIFY(near(sum, profile.stepSeconds)); // here all vary together
        }
        QVERIFY(near(profile.rest, 0.003)); // 2 of forward and backward themselves, 1 of the step
        const Profile one = readProfile({step(0, 8)}, names, {"l1", "l2", "l3"});
        QVERIFY(near(one.together(one.layers), 0.030) && near(one.together(one.operations), 0.030));
        QCOMPARE(profile.peakBytes, std::uint64_t{1000});
        QCOMPARE(readProfile({}, names, {}).stepSeconds, 0.0);
    }

    void theTraceNests()
    {
        const std::string text = traceOf({step(10), step(10.05)}, names);
        const auto json = parseJson(text, "the trace");
        QVERIFY(json.ok());
        std::vector<std::pair<std::int64_t, std::int64_t>> open; // nanoseconds
        int spans = 0, steps = 0;
        for (const Json& event : (*json)["traceEvents"]) {
            for (const char* key : {"ph", "name", "pid", "tid"}) QVERIFY(event.contains(key));
            if (event["ph"] == "M") continue;
            QVERIFY(event["ph"] == "X");
            ++spans;
            const std::int64_t begin = std::llround(event["ts"].get<double>() * 1000), end = begin + std::llround(event["dur"].get<double>() * 1000);
            QVERIFY(begin >= 0 && end >= begin);
            while (!open.empty() && open.back().second <= begin) open.pop_back();
            if (!open.empty()) QVERIFY(begin >= open.back().first && end <= open.back().second); // within what is open: brackets never cross
            open.emplace_back(begin, end);
            if (event["cat"] == "step") ++steps;
        }
        QCOMPARE(spans, 24);
        QCOMPARE(steps, 2);
        QVERIFY(text.find("conv1: ConvolutionBackward0") != std::string::npos && text.find("conv2 + pool1: fused conv") != std::string::npos);
    }

    void aRealNetwork()
    {
        Recipe recipe = findStarter("digits-convnet")->recipe;
        recipe.device = "cpu";
        recipe.threads = 1;
        recipe.training.batchSize = 50;
        int calls = 0;
        const auto profile = profileSteps(recipe, builtinDigits(), {4, 2}, [&](int done, int total) { return done == ++calls && total == 6; });
        QVERIFY2(profile.ok(), profile.ok() ? "" : profile.error().text().c_str());
        QCOMPARE(calls, 6);
        QCOMPARE(profile->steps, 4);
        QCOMPARE(profile->batch, std::int64_t{50});
        std::set<std::string> seen;
        for (const ProfileRow& row : profile->layers)
            for (std::size_t begin = 0, end; begin <= row.id.size(); begin = end + 1) {
                end = std::min(row.id.find('+', begin), row.id.size());
                seen.insert(row.id.substr(begin, end - begin));
            }
        visitLayers(recipe.stack, [&](const Layer& layer, const std::string&, int) { QVERIFY2(seen.contains(layer.id), layer.name.c_str()); });
        for (const char* part : {"data", "loss", "optimiser"}) QVERIFY(seen.contains(part));
        QVERIFY(profile->stepSeconds > 0 && profile->peakBytes > 0 && profile->rest > 0);
        const auto single = profileSteps(recipe, builtinDigits(), {1, 1}, {});
        SCONCE_VERIFY(single);
        for (const auto& rows : {single->layers, single->operations}) QVERIFY(std::abs(single->together(rows) - single->stepSeconds) < 1e-9); // by construction
        QVERIFY(parseJson(profile->trace, "the trace", {64u << 20, 16}).ok());
    }

    void itCanBeCancelledAndRefusesWhatCannotBeTrained()
    {
        Recipe recipe = findStarter("digits-convnet")->recipe;
        recipe.device = "cpu";
        recipe.threads = 1;
        const auto cancelled = profileSteps(recipe, builtinDigits(), {}, [](int done, int) { return done < 2; });
        QVERIFY(!cancelled.ok());
        QCOMPARE(cancelled.error().code, ErrorCode::Cancelled);
        QVERIFY(!profileSteps(recipe, builtinDigits(), {0, 1}, {}).ok());
        recipe.stack.layers.pop_back();
        const auto broken = profileSteps(recipe, builtinDigits(), {}, {});
        QVERIFY(!broken.ok());
        QCOMPARE(broken.error().code, ErrorCode::Invalid);
    }
};

QTEST_GUILESS_MAIN(ProfileTest)
#include "profile_test.moc"
